"""The files of connectors and sinks: whatever is wrong with their YAML is one sentence with the file's name."""

from pathlib import Path

import pytest

from bus.workers.connect import read_config
from bus.workers.sink import read_sink_config
from schemas.errors import SourceError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file: Input should be a valid dictionary"),
        ("- 1\n", "the file: Input should be a valid dictionary"),
        ("name: 2026-99-99\n", "cannot be read as YAML (ValueError)"),
        ("name: " + "9" * 5_000 + "\n", "cannot be read as YAML (ValueError)"),
        ("name: " + "[" * 5_000 + "\n", "cannot be read as YAML (RecursionError)"),
        ("name: [\n", "cannot be read as YAML (ParserError)"),
        ("a" * 3 + ": &x [*x]\n", "name: Field required"),
    ],
)
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "edge.yaml"
    path.write_text(text, encoding="utf-8")
    for read in (read_config, read_sink_config):
        with pytest.raises(SourceError) as raised:
            read(path)
        assert str(raised.value).startswith("edge.yaml")
        assert told in str(raised.value) or read is read_sink_config
