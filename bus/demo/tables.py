"""What the demo shows: the tables, each readable at 80 columns."""

from rich.table import Table

from bus.demo.databases import Filled
from bus.demo.register import COUNTY, COUNTY_DIVISION, EXPIRED, FULL
from bus.demo.tally import Counts
from schemas.refusals import RULES, RefusalCode


def progress(counts: Counts, filled: Filled) -> Table:
    """How far it is."""
    table = Table("", "so far", "expected")
    answered = sum(filled.admitted.values()) + sum(filled.refused.values())
    table.add_row("published and answered", str(counts.published), str(answered))
    table.add_row("admitted", str(sum(counts.admitted.values())), str(sum(filled.admitted.values())))
    table.add_row("refused", str(sum(counts.refused.values())), str(sum(filled.refused.values())))
    table.add_row(f"delivered under {FULL}", str(counts.delivered[FULL]), str(filled.admitted["residence_permit"]))
    table.add_row(f"delivered under {COUNTY}", str(counts.delivered[COUNTY]), str(filled.in_county))
    table.add_row(f"delivered under {EXPIRED}", str(counts.delivered[EXPIRED]), "0")
    return table


def refusals(counts: Counts) -> Table:
    """Every code that came, with its rule and the place of one change that it was given to."""
    table = Table(title="refused, and why", show_lines=True)
    table.add_column("code")
    # A position is never cut off: whoever looks into it needs the whole.
    table.add_column("article, reason, and where one of them stands", overflow="fold")
    for code, number in sorted(counts.refused.items()):
        example, rule = counts.examples[code], RULES[RefusalCode(code)]
        place = f"{example['topic']}/{example['partition']}/{example['offset']} #{example['index']}"
        why = f"Art {rule.article}: {rule.zh}\n{rule.en}\n{place}"
        table.add_row(f"{code}\n{number} times", f"{why}\nfield {example['field']}" if example["field"] else why)
    return table


def summary(counts: Counts, seconds: float) -> Table:
    """What came of it all."""
    table = Table("what", "number", title=f"done in {seconds:.0f} s")
    table.add_row("changes answered", str(counts.published))
    table.add_row("admitted", str(sum(counts.admitted.values())))
    table.add_row("refused (all on purpose)", str(sum(counts.refused.values())))
    table.add_row(f"delivered under {FULL} (every field, every row)", str(counts.delivered[FULL]))
    table.add_row(f"delivered under {COUNTY} (no identity, {COUNTY_DIVISION} alone)", str(counts.delivered[COUNTY]))
    table.add_row(f"delivered under {EXPIRED} (its time is over)", str(counts.delivered[EXPIRED]))
    return table
