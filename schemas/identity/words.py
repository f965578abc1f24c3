"""The words of identity: what a valid number is, which documents exist, which doubts a number may carry.

The law of this file: a number never shows itself. `repr` and `str` of an `Identity` hold neither number nor
stable part, so that no log, error or test report can leak one (Art 47).
"""

from dataclasses import dataclass, field
from typing import Final

from schemas.refusals import RefusalCode, Refused

# Document types of persons are codes of GA/T 517-2004; words in capitals are our own where that list has
# none.
CITIZEN: Final = "111"
TEMPORARY_CITIZEN: Final = "112"
HOUSEHOLD_BOOKLET: Final = "113"
OFFICER: Final = "114"
RESIDENCE_PERMIT: Final = "116"
BIRTH_CERTIFICATE: Final = "117"
DRIVING_LICENCE: Final = "335"
PASSPORT: Final = "414"
TAIWAN_TRAVEL_PERMIT: Final = "511"
HK_MACAU_TRAVEL_PERMIT: Final = "516"
FOREIGN_PERMANENT_RESIDENCE: Final = "553"
OTHER_DOCUMENT: Final = "990"
HMT_RESIDENCE: Final = "HMTRESIDENCE"
FOREIGN_PASSPORT: Final = "FPASSPORT"
DISABILITY: Final = "DISABILITY"
DEATH_CERTIFICATE: Final = "DEATHCERT"
# Organisations.
USCC: Final = "USCC"
REGISTRATION: Final = "REGISTRATION"
ORG_CODE: Final = "ORGCODE"
TAXPAYER: Final = "TAXPAYER"
# Neither: a feature of natural resources or geography (Art 35, decisions 6).
FEATURE: Final = "FEATURE"

# Doubts: a number with one of these is valid, and somebody should look at it (standards: flag, never refuse).
FOLDED: Final = "full_width_folded"
LEGACY_15: Final = "legacy_15_digits"
LEGACY_13: Final = "legacy_13_digits"
CENTENARIAN: Final = "centenarian_sequence"
UNKNOWN_DIVISION: Final = "unknown_division"
SEQUENCE_000: Final = "sequence_000"
INNER_CHECK: Final = "inner_check_digit"
OTHER_TYPE: Final = "filed_as_other_type"
OLD_FORM: Final = "old_form"
UNKNOWN_COUNTRY: Final = "unknown_country"
NOT_LIFELONG: Final = "changes_on_renewal"
UNCHECKED: Final = "form_not_verified"


@dataclass(frozen=True, slots=True)
class Identity:
    """A valid statutory identifier of a person or an organisation.

    `document_type` and `stable` together key the subject: two forms of one number (15 and 18 digits, a
    temporary card, a renewed travel permit, a disability certificate) have the same pair.

    Attributes:
        document_type: the kind that `stable` belongs to; it differs from the kind asked for where a
        document carries
            the number of another one (112 carries 111's).
        number: the number as it was given, folded to ASCII, without spaces, in upper case.
        stable: the part that stays for life.
        flags: doubts, from the constants of this module; empty as a rule.
    """

    document_type: str
    number: str = field(repr=False)
    stable: str = field(repr=False)
    flags: tuple[str, ...] = ()


def invalid(detail: str) -> Refused:
    """The refusal of a number that is not valid; the detail names the rule, never the number."""
    return Refused(RefusalCode.E_ID_INVALID, detail)


def missing() -> Refused:
    """The refusal of a number that is not there."""
    return Refused(RefusalCode.E_NO_KEY, "the number is empty")
