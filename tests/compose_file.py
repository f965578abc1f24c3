"""docker-compose.yml as Docker would see it: variables filled in, environment files read."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])((?:[^{}]|\$\{\w+\})*))?\}")


def compose(variables: dict[str, str]) -> dict[str, Any]:
    """The file's content; a variable without value and default is an error, as `:?` demands of Docker."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if kind != "-":
            raise KeyError(f"{name}: {rest}")
        return _VARIABLE.sub(fill, rest)

    loaded = yaml.safe_load(_VARIABLE.sub(fill, (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert isinstance(loaded, dict)
    return loaded


def environment(service: dict[str, Any]) -> dict[str, str]:
    """The container's environment: its env_file, then its own lines."""
    found: dict[str, str] = {}
    if "env_file" in service:
        for line in (ROOT / service["env_file"]).read_text(encoding="utf-8").splitlines():
            name, sign, value = line.partition("=")
            if sign and not name.startswith("#"):
                found[name] = value
    return found | {str(name): str(value) for name, value in service.get("environment", {}).items()}
