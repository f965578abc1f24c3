"""One function for every kind of number: which rule judges which document type."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Final

from schemas.identity.citizen import citizen, hmt_residence, permanent_residence
from schemas.identity.documents import (
    CARRIERS,
    FORMS,
    by_carrier,
    by_form,
    disability,
    foreign_passport,
    officer,
    passport,
)
from schemas.identity.organisation import organisation_code, registration, taxpayer, uscc
from schemas.identity.words import (
    CITIZEN,
    DISABILITY,
    FOREIGN_PASSPORT,
    FOREIGN_PERMANENT_RESIDENCE,
    HMT_RESIDENCE,
    OFFICER,
    ORG_CODE,
    PASSPORT,
    REGISTRATION,
    TAXPAYER,
    TEMPORARY_CITIZEN,
    USCC,
    Identity,
    invalid,
)
from schemas.refusals import Refused

_RULES: Final[dict[str, Callable[[str, date], Identity | Refused]]] = {
    CITIZEN: citizen,
    TEMPORARY_CITIZEN: citizen,
    HMT_RESIDENCE: hmt_residence,
    FOREIGN_PERMANENT_RESIDENCE: permanent_residence,
    OFFICER: officer,
    PASSPORT: passport,
    FOREIGN_PASSPORT: foreign_passport,
    DISABILITY: disability,
    **{document_type: partial(by_carrier, document_type) for document_type in CARRIERS},
    **{document_type: partial(by_form, document_type) for document_type in FORMS},
    USCC: uscc,
    REGISTRATION: registration,
    ORG_CODE: organisation_code,
    TAXPAYER: taxpayer,
}
DOCUMENT_TYPES: Final = frozenset(_RULES)
ORGANISATION_TYPES: Final = frozenset({USCC, REGISTRATION, ORG_CODE, TAXPAYER})


def identify(document_type: str, number: str, on: date) -> Identity | Refused:
    """The identity behind a number of a kind, or why it is none; never an exception, whatever the text.

    Document types of persons are codes of GA/T 517-2004 (111 citizen identity card, 112 temporary card, 113
    household booklet, 114 officer's card, 116 residence permit, 117 birth certificate, 335 driving licence,
    411 to 421 passports and travel papers, 511 to 518 permits between mainland, Hong Kong, Macau and
    Taiwan, 551 to 555 residence of foreigners and returnees, 990 other) and our own where that list has
    none:

    * `HMTRESIDENCE`: residence permit of people from Hong Kong, Macau and Taiwan, 18 digits
    * `FPASSPORT`: foreign passport, written `COUNTRY/NUMBER`
    * `DISABILITY`: disability certificate, 20 characters
    * `DEATHCERT`: medical certificate of death, for the unidentified dead

    Of organisations: `USCC` unified social credit code, `REGISTRATION` registration number of 15 or 13
    digits, `ORGCODE` organisation code, `TAXPAYER` taxpayer number of 15, 18 or 20 characters. Of neither: `FEATURE`,
    the identifier of a feature of natural resources or geography, 1 to 64 letters, digits and `._:`.

    Args:
        document_type: one of the above.
        number: as the source wrote it; full-width forms and spaces are folded.
        on: the day for which it must make sense: nobody is born after it, nor 150 years before it.

    Returns:
        The identity, with its doubts as flags; or E_ID_INVALID, or E_NO_KEY when the number is empty.
    """
    rule = _RULES.get(document_type)
    if rule is None:
        return invalid("the document type has no rule")
    return rule(number, on)
