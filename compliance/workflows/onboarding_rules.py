"""What a first connection demands and brings about: guards and effects of `compliance/workflows/onboarding.py`."""

from collections.abc import Sequence
from datetime import datetime

from compliance.catalogue import local_date
from compliance.certificates import validity_of
from compliance.models import NAMED_PERSONS, Agency, ContactRole, OnboardingState, SigningCertificate
from compliance.workflow import Consequence, Context, Effect, Flag, Put
from compliance.workflows.onboarding_forms import Application
from compliance.writing import rules_in_force
from schemas.refusals import RefusalCode, Refused

LIVING = ("APPLIED", "RETURNED", "CHECKED", "CONNECTED", "SUSPENDED")
_LIVE_GRANTS = frozenset({"PENDING", "ACTIVE", "SUSPENDED"})

# -- what must hold ------------------------------------------------------------------------------------------------


def not_registered(context: Context) -> Refused | None:
    """One agency, one code and one credit code; what was applied for by mistake may be applied for again."""
    form = context.form
    for known in context.view.agencies():
        if known.state is OnboardingState.DISCONNECTED:
            continue
        if known.code != form.code and known.credit_code == form.credit_code:
            return Refused(RefusalCode.E_CONFLICT, "another agency has that credit code", "credit_code")
        elsewhere = any(number != context.matter.number for number in _matters(context))
        if known.code == form.code and (elsewhere or known.state is not OnboardingState.APPLIED):
            return Refused(RefusalCode.E_CONFLICT, "an agency of that code is registered already", "code")
    return None


def _matters(context: Context) -> list[str]:
    return [m.number for m in context.others.matters("onboarding", states=LIVING, unit=context.form.code)]


def same_agency(context: Context) -> Refused | None:
    """An application that comes again is of the same agency."""
    if context.form.code != context.matter.parties.unit:
        return Refused(RefusalCode.E_FORM, "the code is another agency's than the application's", "code")
    return None


def three_named(context: Context) -> Refused | None:
    """Not connected without the three named persons (Art 10)."""
    agency = _agency(context)
    filled = {contact.role for contact in agency.contacts if contact.vacant_since is None}
    missing = [role.value for role in NAMED_PERSONS if role not in filled]
    if missing:
        return Refused(RefusalCode.E_NOT_ONBOARDED, f"not named: {', '.join(missing)}", "contacts", "10, 43")
    return None


def handler_named(context: Context) -> Refused | None:
    """The operator asks for the person who handles it, 具体经办人 (Art 43)."""
    if not any(contact.role is ContactRole.CONTACT for contact in _agency(context).contacts):
        return Refused(RefusalCode.E_NOT_ONBOARDED, "not named: CONTACT", "contacts")
    return None


def may_sign(context: Context) -> Refused | None:
    """It has a certificate that is valid now (Art 47)."""
    if not _valid_serials(_agency(context), context.at):
        return Refused(RefusalCode.E_SIGNATURE, "the agency has no certificate that is valid now", "certificate")
    return None


def known_and_connected(context: Context) -> Refused | None:
    """The register has the agency as connected, and no matter of it yet."""
    agency = context.view.agency(context.form.code)
    if agency is None or not agency.onboarded:
        return Refused(RefusalCode.E_NOT_ONBOARDED, "the register has no connected agency of that code", "code")
    if _matters(context):
        return Refused(RefusalCode.E_CONFLICT, "the agency has its connection on file already", "code")
    return None


def new_certificate(context: Context) -> Refused | None:
    """A certificate that is new to the register, and not over."""
    validity = validity_of(context.form.certificate)
    if validity is None or validity.until <= context.at:
        return Refused(RefusalCode.E_SIGNATURE, "the certificate is over already", "certificate")
    for other in context.view.agencies():
        for known in other.certificates:
            found = validity_of(known)
            if found is not None and found.serial == validity.serial:
                return Refused(RefusalCode.E_CONFLICT, "a certificate of that serial number is on file", "certificate")
    return None


def certificate_on_file(context: Context) -> Refused | None:
    """The certificate is the agency's, and is not revoked ahead of time."""
    if context.form.revoked_at > context.at:
        return Refused(RefusalCode.E_FORM, "a certificate is not revoked ahead of time", "revoked_at")
    if not any(_serial(known) == context.form.serial for known in _agency(context).certificates):
        return Refused(RefusalCode.E_FORM, "the agency has no certificate of that serial number", "serial")
    return None


def named_before(context: Context) -> Refused | None:
    """Somebody was named for the role that is vacant now."""
    if not any(contact.role is context.form.role for contact in _agency(context).contacts):
        return Refused(RefusalCode.E_FORM, "nobody was named for that role", "role")
    if context.form.since > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "a vacancy is reported when it is there", "since")
    return None


def nothing_left(context: Context) -> Refused | None:
    """Who leaves hands over what it owns first (Art 40), and its grants have ended."""
    code = _agency(context).code
    owned = [
        entry.resource
        for entry in context.view.entries()
        if entry.state == "PUBLISHED" and rules_in_force(entry, code, context.at)
    ]
    if owned:
        return Refused(RefusalCode.E_STATE, f"the agency still owns {', '.join(sorted(owned))}", cited="40")
    live = [grant.id for grant in context.view.grants_of(code) if grant.state.value in _LIVE_GRANTS]
    if live:
        return Refused(RefusalCode.E_STATE, f"grants have not ended: {', '.join(sorted(live))}", cited="48")
    return None


# -- what follows --------------------------------------------------------------------------------------------------


def _agency(context: Context) -> Agency:
    """The agency as the register has it; every state but NEW put it there."""
    agency = context.view.agency(context.matter.parties.unit or "")
    if agency is None:
        raise KeyError("an onboarding matter without its agency")
    return agency


def _serial(certificate: SigningCertificate) -> str | None:
    validity = validity_of(certificate)
    return None if validity is None else validity.serial


def _valid_serials(agency: Agency, at: datetime) -> list[str]:
    found = [validity_of(certificate) for certificate in agency.certificates]
    return [validity.serial for validity in found if validity is not None and validity.valid(at)]


def put_applied(context: Context) -> Sequence[Effect]:
    """The agency, as it applies."""
    form: Application = context.form
    return (
        Put(
            Agency(
                code=form.code,
                name=form.name,
                credit_code=form.credit_code,
                type=form.type,
                division=form.division,
                participation=form.participation,
                state=OnboardingState.APPLIED,
                contacts=form.contacts,
                certificates=() if form.certificate is None else (form.certificate,),
            )
        ),
    )


def put_state(state: OnboardingState) -> Consequence:
    """The agency in another state."""

    def effect(context: Context) -> Sequence[Effect]:
        return (Put(_agency(context).model_copy(update={"state": state})),)

    return effect


def put_certificate(context: Context) -> Sequence[Effect]:
    """The agency with a further certificate."""
    agency = _agency(context)
    return (Put(agency.model_copy(update={"certificates": (*agency.certificates, context.form.certificate)})),)


def put_revoked(context: Context) -> Sequence[Effect]:
    """The agency with a certificate revoked; NO_CERTIFICATE where none is left."""
    agency, form = _agency(context), context.form
    certificates = tuple(
        known.model_copy(update={"revoked_at": form.revoked_at}) if _serial(known) == form.serial else known
        for known in agency.certificates
    )
    after = agency.model_copy(update={"certificates": certificates})
    return (Put(after),) if _valid_serials(after, context.at) else (Put(after), Flag("NO_CERTIFICATE"))


def put_vacancy(context: Context) -> Sequence[Effect]:
    """The agency with a role vacant; VACANT is an alarm and stops nothing (decisions 40)."""
    agency, form = _agency(context), context.form
    contacts = tuple(
        contact.model_copy(update={"vacant_since": form.since}) if contact.role is form.role else contact
        for contact in agency.contacts
    )
    return Put(agency.model_copy(update={"contacts": contacts})), Flag(f"VACANT:{form.role.value}")
