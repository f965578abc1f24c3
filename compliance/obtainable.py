"""Which items an agency can obtain by sharing, so that it must not ask citizens for them (Art 61)."""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from compliance.catalogue import in_force, schema_or_none, sharing_of
from compliance.decision import Permitted
from compliance.entry import CatalogueEntry
from compliance.figures import Cell, Figures, columns
from compliance.reading import may_read
from compliance.view import RegisterView
from compliance.writing import rules_in_force
from schemas.refusals import Refused
from schemas.words import SharingClass


class Obtainable(StrEnum):
    """How an agency can have an item, best first."""

    OWN = "OWN"
    RECEIVED = "RECEIVED"
    ON_REQUEST = "ON_REQUEST"
    BY_APPLICATION = "BY_APPLICATION"
    NOT_SHARED = "NOT_SHARED"
    NOT_IN_CATALOGUE = "NOT_IN_CATALOGUE"

    @property
    def must_not_ask(self) -> bool:
        """Whether the agency can have it lawfully, and so must not ask a citizen or organisation for it."""
        return self in _LAWFUL


_LAWFUL = frozenset({Obtainable.OWN, Obtainable.RECEIVED, Obtainable.ON_REQUEST, Obtainable.BY_APPLICATION})
_WORDS = {
    Obtainable.OWN: ("本单位采集", "the agency collects it itself"),
    Obtainable.RECEIVED: ("已获共享", "received under a grant in force"),
    Obtainable.ON_REQUEST: ("无条件共享，申请即得", "unconditional: a request suffices"),
    Obtainable.BY_APPLICATION: ("条件共享，可申请", "conditional: by application and agreement"),
    Obtainable.NOT_SHARED: ("不予共享", "not shared"),
    Obtainable.NOT_IN_CATALOGUE: ("目录中没有", "not in the catalogue"),
}
_COLUMNS = columns(
    ("item", "信息项", "item"),
    ("must_not_ask", "不得要求重复提供", "must not be asked for"),
    ("how", "获取方式", "how"),
    ("how_zh", "说明", "in Chinese"),
    ("resource", "信息资源", "resource"),
    ("field", "字段", "field"),
    ("records", "依据记录", "records"),
)


def available(view: RegisterView, agency: str, items: Iterable[str], at: datetime) -> Figures:
    """For each item, a Chinese name or `resource.field`, the best way in which an agency can have it.

    Where an agency owns a part of a resource, the item is its own.
    """
    rows: list[tuple[Cell, ...]] = []
    for item in items:
        ways = sorted(_ways(view, agency, item, at), key=lambda way: (list(Obtainable).index(way[0]), *way[1:3]))
        how, resource, field, records = ways[0] if ways else (Obtainable.NOT_IN_CATALOGUE, None, None, ())
        asked = "YES" if how.must_not_ask else "NO"
        rows.append((item, asked, how.value, _WORDS[how][0], resource, field, records))
    told = {"agency": agency, "as_of": at.isoformat()}
    return Figures("available", "可通过共享获得的信息", "available from sharing", "61", _COLUMNS, rows, told)


_Way = tuple[Obtainable, str, str, tuple[str, ...]]


def _ways(view: RegisterView, agency: str, item: str, at: datetime) -> Iterator[_Way]:
    for entry in view.entries():
        schema = schema_or_none(entry)
        if schema is None or isinstance(in_force(entry, at), Refused):
            continue
        for name, spec in schema.fields.items():
            if item != f"{entry.resource}.{name}" and _folded(item) != _folded(spec.cn):
                continue
            how, record = _how(view, agency, entry, name, at)
            yield how, entry.resource, name, record


def _how(
    view: RegisterView, agency: str, entry: CatalogueEntry, field: str, at: datetime
) -> tuple[Obtainable, tuple[str, ...]]:
    listed = (f"catalogue/{entry.key}",)
    if rules_in_force(entry, agency, at):
        return Obtainable.OWN, listed
    for grant in view.grants_of(agency):
        if (
            grant.resource == entry.resource
            and field in grant.fields
            and isinstance(may_read(view, grant, at), Permitted)
        ):
            return Obtainable.RECEIVED, (f"grant/{grant.id}",)
    sharing = sharing_of(entry)[field]
    if sharing is SharingClass.UNCONDITIONAL:
        return Obtainable.ON_REQUEST, listed
    return (Obtainable.BY_APPLICATION if sharing is SharingClass.CONDITIONAL else Obtainable.NOT_SHARED), listed


def _folded(name: str) -> str:
    """A Chinese name as names are compared: full-width forms folded, without spaces."""
    return "".join(unicodedata.normalize("NFKC", name).split())
