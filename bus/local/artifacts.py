"""Kafka's and the registry's programs: fetched once through Maven, kept in the cache, keyed by their pom.

Maven writes into a folder of its own, which gets its name only when it is whole; a lock that Maven's
process holds too keeps a second `up` away from a download whose first `up` was killed.
"""

import hashlib
import importlib.resources
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bus.local.process import exclusive
from schemas.errors import LocalRunError

Program = Literal["kafka", "registry"]

_DOWNLOAD_S = 900.0
_JAVA_AT_LEAST = 17
_INSTALL_JAVA = "apt-get install default-jre-headless"
# What a started program may see of our environment: no setting or secret of the bus.
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")
_VERSION = {"kafka": "kafka.version", "registry": "apicurio.version"}


@dataclass(frozen=True, slots=True)
class Installed:
    """A program that can be started: java, the folder of its jars, the environment that it may see."""

    java: str
    folder: Path
    environment: Mapping[str, str]


def install(cache_dir: Path, program: Program) -> Installed:
    """The program, fetched at the first use.

    Raises:
        LocalRunError: when Java or Maven is missing, or Maven fails or takes longer than 15 minutes.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return Installed(java=java(), folder=program_folder(cache_dir, program), environment=environment)


def deploy_text(name: str) -> str:
    """The text of a file below `deploy/`, from the checkout or from the installed wheel."""
    return importlib.resources.files("deploy").joinpath(name).read_text(encoding="utf-8")


def version(program: Program) -> str:
    """The version that the program's pom names."""
    found = re.search(rf"<{re.escape(_VERSION[program])}>([^<]+)<", deploy_text(f"{program}/pom.xml"))
    if found is None:
        raise LocalRunError(f"deploy/{program}/pom.xml does not name a version")
    return found[1]


def program_folder(cache_dir: Path, program: Program) -> Path:
    """The folder with the program's jars; fetches them at the first use.

    Raises:
        LocalRunError: when Maven is missing, fails or takes longer than 15 minutes.
    """
    pom = deploy_text(f"{program}/pom.xml")
    # The pom's digest is in the name, so that a changed pom is never served from an old download.
    digest = hashlib.sha256(pom.encode()).hexdigest()[:12]
    folder = cache_dir / f"{program}-{version(program)}-{digest}"
    if folder.is_dir():
        return folder
    with exclusive(cache_dir / f"{program}.lock", f"downloading {program}") as lock:
        if not folder.is_dir():
            _download(cache_dir, program, pom, folder, lock)
    return folder


def _download(cache_dir: Path, program: Program, pom: str, folder: Path, lock: int) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalRunError(
            f"Maven, which fetches {program} {version(program)}, is not installed: apt-get install maven"
        )
    # Left by a download that was killed; we hold the lock, so nobody is writing to it.
    work = cache_dir / f"{program}.partial"
    shutil.rmtree(work, ignore_errors=True)
    (work / "content").mkdir(parents=True)
    (work / "pom.xml").write_text(pom, encoding="utf-8")
    log = cache_dir / f"{program}-download.log"
    command = [maven, "-q", "-B", "-f", str(work / "pom.xml"), f"-Dtarget={work / 'content'}", "package"]
    with log.open("wb") as output:
        try:
            done = subprocess.run(  # noqa: S603  the words are ours, no shell parses them
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=_DOWNLOAD_S,
                check=False,
                pass_fds=(lock,),
            )
        except subprocess.TimeoutExpired:
            raise LocalRunError(
                f"Maven did not finish fetching {program} within {_DOWNLOAD_S:.0f} s; see {log}"
            ) from None
    if done.returncode != 0 or not any((work / "content").glob("*.jar")):
        raise LocalRunError(f"Maven could not fetch {program} {version(program)}; see {log}")
    (work / "content").replace(folder)
    shutil.rmtree(work, ignore_errors=True)


def java() -> str:
    """The java program: of JAVA_HOME, else of PATH.

    Raises:
        LocalRunError: when there is none, or it is older than Java 17 (which Apicurio needs).
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise LocalRunError(f"Java {_JAVA_AT_LEAST} or later is needed and is not installed: {_INSTALL_JAVA}")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603  as above
    number = re.search(r'version "(\d+)', said)
    if number is None or int(number[1]) < _JAVA_AT_LEAST:
        first = said.splitlines()[0] if said else "no version"
        raise LocalRunError(f"Java {_JAVA_AT_LEAST} or later is needed, {found} says {first}: {_INSTALL_JAVA}")
    return found
