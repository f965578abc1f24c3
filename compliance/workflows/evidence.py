"""Evidence for the indicators (Art 51): rules and leaks that no event of the bus shows, entered and then confirmed."""

from enum import StrEnum

from compliance.entry import Model
from compliance.roles import AUTHORITY, UNIT_ANYBODY, Actor, By, Role
from compliance.values import AgencyCode, Day, DivisionCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Parties, Transition, Workflow

CODE = "evidence"
_WHO = By(AUTHORITY.roles | {Role.SUPERVISION, Role.SECRECY, Role.AUDITOR})


class EvidenceKind(StrEnum):
    """What is shown: 共享规范, 保密制度, 安全管理制度; or a leak 泄露 that was found outside the bus."""

    SHARING_RULES = "SHARING_RULES"
    SECRECY_RULES = "SECRECY_RULES"
    SECURITY_RULES = "SECURITY_RULES"
    LEAK = "LEAK"


class Statement(Model):
    """A rule that the agency has: which document, in force from when."""

    kind: EvidenceKind
    division: DivisionCode
    document: Text
    dated: Day
    remark: Text | None = None


class Finding(Statement):
    """What an office found about an agency."""

    agency: AgencyCode


class Judgement(Model):
    """Why the authority confirms or rejects it."""

    reason: Text


def _parties(form: Statement, actor: Actor, view: RegisterView) -> Parties:
    del view
    unit = form.agency if isinstance(form, Finding) else actor.agency
    return Parties(form.division, unit=unit, subject=form.kind.value)


EVIDENCE = Workflow(
    code=CODE,
    prefix="EVI",
    zh="绩效佐证",
    en="evidence for indicators",
    articles="51",
    states={
        "ENTERED": ("已填报", "entered"),
        "CONFIRMED": ("已核实", "confirmed"),
        "REJECTED": ("未采信", "rejected"),
    },
    ends=frozenset({"CONFIRMED", "REJECTED"}),
    parties=_parties,
    transitions=(
        Transition(
            "enter", (NEW,), "ENTERED", (UNIT_ANYBODY,), "51", "填报佐证", "enter what is there", form=Statement
        ),
        Transition("find", (NEW,), "ENTERED", (_WHO,), "51", "登记检查发现", "enter what was found", form=Finding),
        Transition("confirm", ("ENTERED",), "CONFIRMED", (AUTHORITY,), "51", "核实", "confirm it", form=Judgement),
        Transition("reject", ("ENTERED",), "REJECTED", (AUTHORITY,), "51", "不予采信", "reject it", form=Judgement),
    ),
)
