"""Security incidents 安全事件 (Art 49; 15 for state secrets found late): severity, timeline, and how they end.

The timeline is the matter's history: every step has its instant, and `note` adds what happened meanwhile.
"""

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from compliance.entry import Model
from compliance.roles import AGENCY_ROLES, AUTHORITY, OPERATOR, Actor, By, Role
from compliance.values import AgencyCode, DivisionCode, GrantId, Moment, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Parties, Transition, Workflow
from schemas.refusals import RefusalCode, Refused

CODE = "incident"
_ANYBODY = By(
    AGENCY_ROLES
    | OPERATOR.roles
    | AUTHORITY.roles
    | {Role.POLICE, Role.SECRECY, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR}
)
_HANDLERS = By(OPERATOR.roles | AUTHORITY.roles | {Role.SECURITY_ADMINISTRATOR})
_SECRECY = By(frozenset({Role.SECRECY}))


class IncidentKind(StrEnum):
    """What kind of incident."""

    STATE_SECRET = "STATE_SECRET"
    LEAK = "LEAK"
    INTRUSION = "INTRUSION"
    DATA_LOSS = "DATA_LOSS"
    SERVICE_LOSS = "SERVICE_LOSS"
    OTHER = "OTHER"


class Severity(StrEnum):
    """特别重大, 重大, 较大, 一般: the four grades of network security incidents, gravest first."""

    EXTREME = "EXTREME"
    MAJOR = "MAJOR"
    SERIOUS = "SERIOUS"
    GENERAL = "GENERAL"


_GRAVE = frozenset({Severity.EXTREME, Severity.MAJOR})


class IncidentReport(Model):
    """What happened, when, where; never what the data said.

    Attributes:
        unit: the agency in whose hands it happened, where that is known.
        positions: of messages concerned, as topic/partition@offset.
    """

    kind: IncidentKind
    severity: Severity
    division: DivisionCode
    occurred_at: Moment
    summary: Text
    unit: AgencyCode | None = None
    resource: ResourceCode | None = None
    grant: GrantId | None = None
    positions: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.kind is IncidentKind.STATE_SECRET and self.severity not in _GRAVE:
            raise ValueError("an incident with state secrets is EXTREME or MAJOR")
        return self


class Note(Model):
    """One entry of the timeline."""

    happened_at: Moment
    what: Text


class Grading(Model):
    """Another severity, and why."""

    severity: Severity
    reason: Text


class Measures(Model):
    """What was done, with its documents."""

    measures: Text
    documents: tuple[Text, ...] = ()


class Opinion(Model):
    """The secrecy office's opinion on an incident with state secrets."""

    opinion: Text
    document: Text


class Review(Model):
    """Why it happened and what is changed, so that it does not again."""

    cause: Text
    lessons: Text
    document: Text


def _parties(form: IncidentReport, actor: Actor, view: RegisterView) -> Parties:
    del view
    return Parties(
        form.division, requester=actor.agency, unit=form.unit, resource=form.resource, subject=form.kind.value
    )


def _secret(context: Context) -> bool:
    return context.matter.parties.subject == IncidentKind.STATE_SECRET.value


def _not_before(context: Context) -> Refused | None:
    if context.form.occurred_at > context.at:
        return Refused(RefusalCode.E_FORM, "lies in the future", "occurred_at")
    return None


def _noted_in_time(context: Context) -> Refused | None:
    if context.form.happened_at > context.at:
        return Refused(RefusalCode.E_FORM, "lies in the future", "happened_at")
    return None


def _grave_stays(context: Context) -> Refused | None:
    if _secret(context) and context.form.severity not in _GRAVE:
        return Refused(RefusalCode.E_FORM, "an incident with state secrets is EXTREME or MAJOR", "severity", "15")
    return None


def _about_secrets(context: Context) -> Refused | None:
    if not _secret(context):
        return Refused(RefusalCode.E_STATE, "the incident is not about state secrets")
    return None


def _opinion_there(context: Context) -> Refused | None:
    if _secret(context) and "give_opinion" not in context.matter.facts:
        return Refused(RefusalCode.E_STATE, "the secrecy office has not given its opinion", None, "15")
    return None


_OPEN = ("REPORTED", "CONTAINED", "RESOLVED")


def _stay(
    action: str, by: By, article: str, zh: str, en: str, form: type[Model], guard: object
) -> tuple[Transition, ...]:
    """An action that leaves every open state as it is."""
    return tuple(
        Transition(action, (state,), state, (by,), article, zh, en, form=form, guards=(guard,))  # type: ignore[arg-type]
        for state in _OPEN
    )


INCIDENT = Workflow(
    code=CODE,
    prefix="INC",
    zh="安全事件",
    en="security incident",
    articles="15, 49",
    states={
        "REPORTED": ("已报告", "reported"),
        "CONTAINED": ("已控制", "contained"),
        "RESOLVED": ("已处置", "resolved"),
        "CLOSED": ("已结案", "closed"),
    },
    ends=frozenset({"CLOSED"}),
    parties=_parties,
    transitions=(
        Transition(
            "report",
            (NEW,),
            "REPORTED",
            (_ANYBODY,),
            "49",
            "报告安全事件",
            "report an incident",
            form=IncidentReport,
            guards=(_not_before,),
        ),
        *_stay("note", _HANDLERS, "49", "登记经过", "add to the timeline", Note, _noted_in_time),
        *_stay("grade", _HANDLERS, "49", "调整等级", "change the severity", Grading, _grave_stays),
        *_stay(
            "give_opinion", _SECRECY, "15", "保密部门意见", "give the secrecy office's opinion", Opinion, _about_secrets
        ),
        Transition("contain", ("REPORTED",), "CONTAINED", (_HANDLERS,), "49", "控制事态", "contain it", form=Measures),
        Transition(
            "resolve",
            ("REPORTED", "CONTAINED"),
            "RESOLVED",
            (_HANDLERS,),
            "49",
            "处置完毕",
            "resolve it",
            form=Measures,
        ),
        Transition(
            "close",
            ("RESOLVED",),
            "CLOSED",
            (AUTHORITY,),
            "49",
            "总结并结案",
            "review and close it",
            form=Review,
            guards=(_opinion_there,),
        ),
    ),
)
