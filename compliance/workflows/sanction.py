"""Sanctions (Art 44; decisions 30, 34, 40): who defied the government gets no project of the following year."""

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.roles import AUTHORITY, Actor
from compliance.values import AgencyCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Parties, Transition, Workflow
from compliance.workflows.sharing import Decree, division_of
from schemas.refusals import RefusalCode, Refused


class Imposition(Model):
    """For whom, for which budget year, and by which dispute."""

    agency: AgencyCode
    dispute: Text
    year: int
    reason: Text
    document: Text


def _parties(form: Imposition, actor: Actor, view: RegisterView) -> Parties:
    del actor
    return Parties(division_of(view, form.agency), unit=form.agency, subject=form.dispute)


def _in_force(context: Context) -> Refused | None:
    if not context.law.advisory(local_date(context.at)):
        return None
    return Refused(RefusalCode.E_STATE, "the rules are not in force yet: clocks advise, nothing is imposed", cited="62")


def _bound(context: Context) -> Refused | None:
    form: Imposition = context.form
    agency = context.view.agency(form.agency)
    if agency is None:
        return Refused(RefusalCode.E_FORM, "the register has no such agency", "agency")
    if agency.participation == "BY_REFERENCE":
        return Refused(RefusalCode.E_STATE, "an agency that joins by reference is not sanctioned", "agency", cited="2")
    return None


def _defied(context: Context) -> Refused | None:
    form: Imposition = context.form
    dispute = context.others.matter(form.dispute)
    if dispute is None or dispute.state != "DEFIED" or dispute.parties.provider != form.agency:
        return Refused(RefusalCode.E_STATE, "no finding that the agency defied the government", "dispute")
    found = int(str(dispute.fact("find_defied", "found_on"))[:4])
    if form.year != found + 1:
        return Refused(RefusalCode.E_FORM, f"the year after the finding is {found + 1}", "year")
    if context.others.matters(SANCTION.code, states=["IMPOSED"], unit=form.agency, subject=form.dispute):
        return Refused(RefusalCode.E_STATE, "imposed already", "dispute")
    return None


SANCTION = Workflow(
    code="sanction",
    prefix="SNC",
    zh="不受理信息化项目",
    en="sanction",
    articles="44",
    states={
        "IMPOSED": ("已决定不予受理", "imposed"),
        "REVOKED": ("已撤销", "revoked"),
    },
    ends=frozenset({"REVOKED"}),
    parties=_parties,
    transitions=(
        Transition(
            "impose",
            (NEW,),
            "IMPOSED",
            (AUTHORITY,),
            "44",
            "决定不受理下一年度项目",
            "accept none of the agency's projects of the following year",
            form=Imposition,
            guards=(_in_force, _bound, _defied),
        ),
        Transition(
            "revoke", ("IMPOSED",), "REVOKED", (AUTHORITY,), "44", "撤销决定", "revoke the sanction", form=Decree
        ),
    ),
)
