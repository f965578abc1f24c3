"""The forms of a first connection: what an agency and the operator fill in (Art 2, 10, 43, 47, 49)."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from compliance.certificates import validity_of
from compliance.entry import Model
from compliance.models import AgencyType, Contact, ContactRole, SigningCertificate
from compliance.values import AgencyCode, Day, DivisionCode, Moment, Text, distinct
from schemas.identity import USCC, Identity, identify

# Art 2 and 3: whoever holds public power by law takes part by duty, all others by reference.
BY_DUTY = frozenset({AgencyType.ADMINISTRATIVE_ORGAN, AgencyType.AUTHORISED_ORGANISATION})


def _readable(certificate: SigningCertificate) -> SigningCertificate:
    if validity_of(certificate) is None:
        raise ValueError("is not an X.509 certificate with an Ed25519 key, in PEM")
    return certificate


class Application(Model):
    """The application form 接入申请表: the agency, the persons it names, its systems and its signing certificate."""

    code: AgencyCode
    name: Text
    credit_code: Text = Field(repr=False)
    type: AgencyType
    division: DivisionCode
    address: Text | None = None
    participation: Literal["MANDATORY", "BY_REFERENCE"] = "MANDATORY"
    contacts: tuple[Contact, ...]
    systems: tuple[Text, ...] = ()
    certificate: SigningCertificate | None = None
    document: Text | None = None

    @field_validator("credit_code")
    @classmethod
    def _is_credit_code(cls, value: str) -> str:
        found = identify(USCC, value, date.max)
        if not isinstance(found, Identity):
            raise ValueError("is not a unified social credit code: form or check is wrong (GB 32100)")  # noqa: TRY004
        return found.number

    @field_validator("certificate")
    @classmethod
    def _can_be_read(cls, value: SigningCertificate | None) -> SigningCertificate | None:
        return None if value is None else _readable(value)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("contacts", (contact.role for contact in self.contacts))
        if (self.participation == "MANDATORY") != (self.type in BY_DUTY):
            raise ValueError(
                "participation does not fit the type: administrative organs and authorised organisations take part by "
                "duty (MANDATORY), central agencies and other organs by reference (BY_REFERENCE)"
            )
        return self


class Return(Model):
    """Why it goes back: everything that is missing, told at once."""

    missing: tuple[Text, ...] = Field(min_length=1)


class Check(Model):
    """What the operator looked at: the line of the government network, the test of the interface."""

    network_line: Text
    interface_tested_on: Day
    remarks: Text | None = None


class Connection(Model):
    """The day of the connection, and the document that says so."""

    connected_on: Day
    document: Text


class Adoption(Model):
    """An agency that was connected before the register kept workflows, with the document that says so."""

    code: AgencyCode
    document: Text


class NewCertificate(Model):
    """A further signing certificate; the old one stays valid until it ends or is revoked, so that no change is lost."""

    certificate: SigningCertificate
    document: Text

    @field_validator("certificate")
    @classmethod
    def _can_be_read(cls, value: SigningCertificate) -> SigningCertificate:
        return _readable(value)


class Revocation(Model):
    """Which certificate no longer counts, from when, and why."""

    serial: Text
    revoked_at: Moment
    reason: Text


class Vacancy(Model):
    """Which role nobody fills any more, since when."""

    role: ContactRole
    since: Day


class Suspension(Model):
    """Why the agency is cut off, and the incident that it belongs to."""

    reason: Text
    incident: Text | None = None


class Resumption(Model):
    """Why it may go on, and the document that says so."""

    reason: Text
    document: Text


class Disconnection(Model):
    """Why the agency leaves for good, and the document that says so."""

    reason: Text
    document: Text
