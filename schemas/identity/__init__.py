"""Who a number means: `identify` judges statutory identifiers of persons and organisations (Art 15).

`words` has the types and flags, `rules` the table from document type to rule, `citizen`, `organisation` and
`documents` the rules, `check` the check characters, `divisions` and `normalise` what all of them need.
"""

from schemas.identity.check import (
    citizen_check_digit,
    organisation_code_check,
    registration_check_digit,
    uscc_check_character,
)
from schemas.identity.citizen import birth_date_of, sex_of
from schemas.identity.rules import DOCUMENT_TYPES, ORGANISATION_TYPES, identify
from schemas.identity.words import (
    BIRTH_CERTIFICATE,
    CITIZEN,
    DEATH_CERTIFICATE,
    DISABILITY,
    FEATURE,
    FOREIGN_PASSPORT,
    FOREIGN_PERMANENT_RESIDENCE,
    HMT_RESIDENCE,
    ORG_CODE,
    PASSPORT,
    REGISTRATION,
    TAXPAYER,
    USCC,
    Identity,
)

__all__ = [
    "BIRTH_CERTIFICATE",
    "CITIZEN",
    "DEATH_CERTIFICATE",
    "DISABILITY",
    "DOCUMENT_TYPES",
    "FEATURE",
    "FOREIGN_PASSPORT",
    "FOREIGN_PERMANENT_RESIDENCE",
    "HMT_RESIDENCE",
    "ORGANISATION_TYPES",
    "ORG_CODE",
    "PASSPORT",
    "REGISTRATION",
    "TAXPAYER",
    "USCC",
    "Identity",
    "birth_date_of",
    "citizen_check_digit",
    "identify",
    "organisation_code_check",
    "registration_check_digit",
    "sex_of",
    "uscc_check_character",
]
