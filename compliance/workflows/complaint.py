"""Complaints 投诉 (Art 58): the first of supervision and authority to receive one handles it and answers in writing."""

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.roles import ANY_AGENCY, AUTHORITY, SUPERVISION, UNIT, Actor, By, Role
from compliance.values import AgencyCode, Day, DivisionCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Parties, Start, Transition, Workflow
from schemas.refusals import RefusalCode, Refused


class Complaint(Model):
    """What is complained of, about whom."""

    about: AgencyCode
    division: DivisionCode
    statement: Text
    documents: tuple[Text, ...] = ()


class Receipt(Model):
    """That an office received it, and the number that it has there."""

    received_on: Day
    file_number: Text


class Answer(Model):
    """The written answer, without which no complaint is closed."""

    document: Text
    finding: Text


class Withdrawal(Model):
    """Why the complainant gives it up."""

    reason: Text


def _parties(form: Complaint, actor: Actor, view: RegisterView) -> Parties:
    del view
    return Parties(form.division, unit=actor.agency, subject=form.about)


def _about_another(context: Context) -> Refused | None:
    if context.form.about == context.actor.agency:
        return Refused(RefusalCode.E_FORM, "is the agency that complains", "about")
    return None


def _received(context: Context) -> Refused | None:
    if context.form.received_on > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies in the future", "received_on")
    return None


def _receive(office: str, by: By, owes: Role) -> tuple[Transition, ...]:
    """The rows of one office: it receives, takes note of the other's copy, and answers."""
    other = "AT_AUTHORITY" if office == "AT_SUPERVISION" else "AT_SUPERVISION"
    return (
        Transition(
            f"receive_{office.lower()}",
            ("FILED",),
            office,
            (by,),
            "58",
            "受理投诉",
            "receive the complaint and handle it",
            form=Receipt,
            starts=(Start("complaint_answer", owes, since="received_on"),),
            guards=(_received,),
        ),
        Transition(
            f"copy_{office.lower()}",
            (other,),
            other,
            (by,),
            "58",
            "登记抄送",
            "note that a copy came, which the other office handles",
            form=Receipt,
            guards=(_received,),
        ),
        Transition(
            f"answer_{office.lower()}",
            (office,),
            "ANSWERED",
            (by,),
            "58",
            "书面答复",
            "answer in writing",
            form=Answer,
            stops=("complaint_answer",),
        ),
    )


COMPLAINT = Workflow(
    code="complaint",
    prefix="CPL",
    zh="投诉",
    en="complaint",
    articles="58",
    states={
        "FILED": ("已提出", "filed"),
        "AT_AUTHORITY": ("信息化主管部门办理中", "handled by the authority"),
        "AT_SUPERVISION": ("监察部门办理中", "handled by supervision"),
        "ANSWERED": ("已书面答复", "answered in writing"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"ANSWERED", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "file",
            (NEW,),
            "FILED",
            (ANY_AGENCY,),
            "58",
            "提出投诉",
            "file a complaint",
            form=Complaint,
            guards=(_about_another,),
        ),
        *_receive("AT_AUTHORITY", AUTHORITY, Role.AUTHORITY_CITY),
        *_receive("AT_SUPERVISION", SUPERVISION, Role.SUPERVISION),
        Transition(
            "withdraw",
            ("FILED", "AT_AUTHORITY", "AT_SUPERVISION"),
            "WITHDRAWN",
            (UNIT,),
            "58",
            "撤回投诉",
            "withdraw the complaint",
            form=Withdrawal,
        ),
    ),
)
