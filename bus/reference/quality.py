"""Pages of what is watched: alarms about sources, and the cross-checks between them."""

from bus.reference.markdown import table
from compliance.crosschecks import CrossCheck, Side, packaged_crosschecks
from processors.freshness.alarms import RULES


def alarms_page() -> str:
    """Every alarm about a source."""
    rows = [
        (
            f"[`{code.value}`](../freshness.md#{code.value.lower()})",
            rule.article,
            rule.severity.value,
            "the agency" if rule.owner == "AGENCY" else "the operator",
            f"{rule.sentence_zh}<br>{rule.sentence_en}",
            f"{rule.todo_zh}<br>{rule.todo_en}",
        )
        for code, rule in RULES.items()
    ]
    intro = "What can be wrong with a source, whose it is, and what to do. Each is raised once and cleared once."
    return table("Alarms 告警", intro, ("code", "article", "severity", "whose", "it says", "what to do"), rows)


def crosschecks_page() -> str:
    """Every packaged cross-check."""
    rows = [
        (
            f"`{check.id}`",
            f"{check.name_zh}<br>{check.name_en}",
            check.articles + (" *(assumption)*" if check.assumption else ""),
            check.kind.value,
            _side(check.left),
            "" if check.right is None else _side(check.right),
            _compared(check),
            f"{check.tolerance_days} days",
            check.asks.lower(),
            f"{check.told_zh}<br>{check.told_en}",
        )
        for check in packaged_crosschecks().checks
    ]
    intro = (
        "What two sources say of one subject, compared by token and keyed digest. *Assumption*: the regulation orders "
        "cross-checks (多元校核), not this one."
    )
    heads = ("id", "name", "article", "kind", "left", "right", "compared", "tolerance", "asks", "it says")
    return table("Cross-checks 多元校核", intro, heads, rows)


def _side(side: Side) -> str:
    conditions = [f"`{name}` is {' or '.join(values)}" for name, values in side.where.items()]
    conditions += [f"`{name}` given" for name in side.given] + [f"`{name}` empty" for name in side.empty]
    resources = ", ".join(f"`{name}`" for name in side.resources)
    return resources + (f": {', '.join(conditions)}" if conditions else "")


def _compared(check: CrossCheck) -> str:
    if check.link is not None:
        return f"`{check.link.number_field}` leads to the same subject"
    return ", ".join(
        f"`{one.left}`" + ("" if one.left == one.right else f" and `{one.right}`") + f" as {one.normalise.value}"
        for one in check.compare
    )
