"""Pages of what the house runs on: settings, topics, metrics, commands, errors, and the two tables of reasons."""

from collections.abc import Iterator

import click

from bus.metrics import METRICS
from bus.reference.markdown import table
from bus.settings import Settings
from bus.topics import CHANGE, FOREVER, KINDS
from compliance.entry_codes import ENTRY_RULES
from schemas import errors
from schemas.refusals import RULES


def settings_page() -> str:
    """Every setting of the environment."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "below the user's home" if field.default_factory is not None else str(field.default)
        rows.append((f"`BUS_{name.upper()}`", f"`{default}`", field.description or ""))
    intro = "Each is read from the environment. Contradictory settings are refused at start, in words."
    return table("Settings", intro, ("variable", "default", "what it is, with its unit"), rows)


def topics_page() -> str:
    """Every kind of topic."""
    rows = []
    for kind in KINDS:
        kept = (
            "compacted"
            if kind.compacted
            else "`BUS_CORRIDOR_RETENTION_MS`"
            if kind is CHANGE
            else "for ever"
            if kind.retention_ms == FOREVER
            else f"{kind.retention_ms // 86_400_000} days"
        )
        parts = "by catalogue" if kind.partitions is None else str(kind.partitions)
        rows.append((f"`{kind.pattern}`", kind.holds, kind.written_by, kind.read_by, kept, parts))
    intro = "Values are in Confluent's wire format."
    return table("Topics", intro, ("topic", "holds", "written by", "read by", "kept", "partitions"), rows)


def metrics_page() -> str:
    """Every metric."""
    rows = [(f"`{spec.name}`", spec.kind, ", ".join(spec.labels) or "–", spec.help) for spec in METRICS]
    intro = (
        "Every worker serves `/metrics`, `/health/live` and `/health/ready`; all series exist at zero from the start."
    )
    return table("Metrics", intro, ("metric", "kind", "labels", "counts"), rows)


def commands_page(root: click.Group) -> str:
    """Every command with its options."""
    lines = [
        "# Commands\n",
        "Exit codes: 0 done, 1 refused, 2 usage, 3 the bus cannot now.\n",
    ]
    for path, command in _walk("bus", root):
        lines.append(f"## `{path}`\n")
        lines.append((command.help or "").strip() + "\n")
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                lines.append(f"- `{' '.join(parameter.opts)}`: {parameter.help or ''}")
            else:
                lines.append(f"- `{(parameter.name or '').upper()}`")
        if command.params:
            lines.append("")
    return "\n".join(lines)


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in sorted(command.list_commands(context)):
            found = command.get_command(context, name)
            assert found is not None, name  # noqa: S101  it was just listed
            yield from _walk(f"{path} {name}", found)


def errors_page() -> str:
    """Every error that the bus raises."""
    found = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, errors.BusError)]
    rows = [
        (
            f"`{item.code}`",
            item.__name__,
            str(item.http_status),
            "yes" if item.retryable else "no",
            str(item.exit_code),
            (item.__doc__ or "").strip().splitlines()[0],
        )
        for item in found
    ]
    intro = "An error means that the bus could not do what it was asked; a refusal is something else (refusals.md)."
    return table("Errors", intro, ("code", "class", "HTTP", "retry helps", "exit code", "when"), rows)


def refusals_page() -> str:
    """Every refusal of what agencies send."""
    rows = [(f"`{code.value}`", rule.article, rule.zh, rule.en) for code, rule in RULES.items()]
    intro = "Why the bus says no. The same sentence stands in receipts, refusal events and on the command line."
    return table("Refusals", intro, ("code", "article", "原因", "reason"), rows)


def catalogue_rules_page() -> str:
    """Every reason against a catalogue entry."""
    rows = [(f"`{code.value}`", rule.article, rule.zh, rule.en) for code, rule in ENTRY_RULES.items()]
    intro = (
        "Why a catalogue entry is turned away, by `bus register apply`, `bus catalogue diff` and `bus catalogue import`. "
        "Each is told with its line and column, or its sheet, row and column; all are told at once."
    )
    return table("Catalogue rules", intro, ("code", "article", "原因", "reason"), rows)
