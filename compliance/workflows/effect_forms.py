"""The forms of a use file: records of use, 成效反馈, findings of inspections (2025:27, 29; Art 50)."""

from typing import Self

from pydantic import Field, model_validator

from compliance.entry import Model
from compliance.values import AgencyCode, Day, GrantId, Text, ordered


class UseFile(Model):
    """Whose use of which grant is kept."""

    grant: GrantId
    subscriber: AgencyCode
    provider: AgencyCode


class UseRecord(Model):
    """One stretch of use (2025:29).

    Attributes:
        scenario, process: 应用场景 and 使用过程.
        storage, destruction: 存储 and 销毁情况.
        subjects: about how many persons or organisations it concerned; never who.
    """

    period_from: Day
    period_until: Day
    scenario: Text
    process: Text
    storage: Text
    destruction: Text
    subjects: int | None = Field(default=None, ge=0)
    documents: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("period_from", self.period_from, "period_until", self.period_until)
        return self


class EffectReport(Model):
    """应用成效反馈: what the data were good for."""

    period_from: Day
    period_until: Day
    effect: Text
    cases: int = Field(default=0, ge=0)
    materials_saved: int = Field(default=0, ge=0)
    suggestions: Text | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("period_from", self.period_from, "period_until", self.period_until)
        return self


class Inspection(Model):
    """What an inspection of the records found; use beyond the grant's scope suspends the grant (2025:27)."""

    inspected_on: Day
    over_scope: bool = False
    finding: Text
    document: Text


class UseOver(Model):
    """The day on which the last use ended; the records are kept from then on."""

    ended_on: Day


class RecordsDisposed(Model):
    """The records are destroyed after their time."""

    disposed_on: Day
    document: Text
