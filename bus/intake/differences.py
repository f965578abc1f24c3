"""A difference of digests between a source and the bus as the case it becomes: one for all its ranges (Art 10).

The operator looks first, since the fault may be a technical one of the bus: the owner is told by a person, or the
difference is seen to be mended.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from bus.intake.words import Said, division_of, moment, plain
from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.register.intake import Finding
from compliance.values import AgencyCode, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import Matter
from compliance.workflows.data_case_forms import MOST_RANGES, DigestDifference, DigestRange, Resolution, Revision
from compliance.workflows.data_case_rules import current
from schemas.errors import UsageError

TOPIC = "difference"
_TOLD_ZH = "数据源与共享平台的摘要不一致"
_NAMED = 8


class RangeSaid(Said):
    """One range of keys over which the digests differ."""

    key_range: Text
    source_count: int = Field(ge=0)
    bus_count: int = Field(ge=0)


class DifferenceSaid(Said):
    """A message of the `difference` topic, `schemas/envelope/difference.avsc` with times in milliseconds."""

    agency: AgencyCode
    resource: ResourceCode
    state: Literal["OPEN", "CLOSED"]
    since: int
    complete_until: int | None = None
    refused: int = Field(ge=0)
    ranges: tuple[RangeSaid, ...] = ()
    told_at: int


class Difference:
    """A difference of one agency's part of a resource.

    Args:
        said: the message.
    """

    def __init__(self, said: DifferenceSaid) -> None:
        self._said = said

    @classmethod
    def read(cls, datum: Mapping[str, Any]) -> "Difference":
        """A datum as on the wire, or what the register kept of one.

        Raises:
            UsageError: it is no such datum; what it held is not repeated.
        """
        try:
            said = DifferenceSaid.model_validate(plain(dict(datum)))
            moment(said.since), moment(said.told_at), moment(said.complete_until or 0)
        except (ValidationError, OverflowError, ValueError, OSError):
            raise UsageError("what was found is no difference of digests") from None
        return cls(said)

    @property
    def finding(self) -> Finding:
        """As `bus/intake/words.py:Found`, and so the others."""
        said = self._said
        key, body = f"{said.agency}.{said.resource}", said.model_dump(mode="json")
        return Finding(TOPIC, key, said.state == "OPEN", moment(said.since), moment(said.told_at), body)

    def opening(self, view: RegisterView) -> tuple[str, Model]:
        """One case for all ranges."""
        said = self._said
        named = "、".join(each.key_range for each in said.ranges[:_NAMED])
        more = f" 等{len(said.ranges)}段" if len(said.ranges) > _NAMED else ""
        return "report_digest", DigestDifference(
            resource=said.resource,
            division=division_of(said.agency, view),
            owner=said.agency,
            statement=_TOLD_ZH,
            key_range=f"{named}{more}" or "全部",
            source_count=sum(each.source_count for each in said.ranges),
            bus_count=sum(each.bus_count for each in said.ranges),
            compared_on=local_date(moment(said.complete_until or said.told_at)),
            ranges=self._ranges,
            refused=said.refused,
        )

    def notice(self) -> None:
        """Nobody yet: see the module."""

    def revision(self, matter: Matter, view: RegisterView) -> Model | None:
        """The ranges, where they are others; counts alone change too often to be noted each time."""
        del view
        before = [each["key_range"] for each in current(matter, "ranges") or ()]
        now = self._ranges
        if not now or [each.key_range for each in now] == before:
            return None
        return Revision(ranges=now)

    def is_another(self, matter: Matter) -> bool:
        """Never: the same source goes on to differ until its digests agree."""
        del matter
        return False

    def ending(self) -> tuple[str, Model]:
        """The digests agree again."""
        return "see_resolved", Resolution(outcome="MENDED")

    @property
    def _ranges(self) -> tuple[DigestRange, ...]:
        return tuple(DigestRange(**each.model_dump()) for each in self._said.ranges[:MOST_RANGES])
