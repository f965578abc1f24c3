"""Markdown tables."""

from collections.abc import Iterable, Sequence


def table(title: str, intro: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A titled table with a sentence above it; cells are made safe for it."""
    lines = [f"# {title}\n", intro + "\n", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [
        f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in row)} |" for row in rows
    ]
    return "\n".join(lines) + "\n"
