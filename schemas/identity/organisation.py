"""Numbers of organisations: credit codes, organisation codes, registration numbers, taxpayer numbers.

Art 15: an organisation is identified by its unified social credit code; a market entity that has none, by the
registration number on its business licence.
"""

import re
from datetime import date
from typing import Final

from schemas.identity.check import organisation_check, registration_check_digit, uscc_check
from schemas.identity.citizen import citizen
from schemas.identity.divisions import registrar_known
from schemas.identity.normalise import normalise
from schemas.identity.words import (
    INNER_CHECK,
    LEGACY_13,
    ORG_CODE,
    REGISTRATION,
    UNKNOWN_DIVISION,
    USCC,
    Identity,
    invalid,
)
from schemas.refusals import Refused

# Registering authority -> categories (GB 32100-2015, table 1 and amendment 1 of 2016).
CATEGORIES: Final = {
    "1": "1239",  # 机构编制: organ, public institution, mass organisation, other
    "2": "19",  # 外交: foreign press office, other
    "3": "123459",  # 司法行政: law firm, notary, local legal service, forensic institute, arbitration, other
    "4": "19",  # 文化: foreign cultural centre, other
    "5": "1239",  # 民政: association, private non-enterprise, foundation, other
    "6": "129",  # 旅游: foreign tourist office, Hong Kong and Macau tourist office, other
    "7": "129",  # 宗教: place of worship, religious school, other
    "8": "19",  # 工会: local union, other
    "9": "123",  # 工商: enterprise, individual business, farmers' cooperative
    "A": "19",  # 军委改革和编制: military institution, other
    "N": "1239",  # 农业: village group, village, township collective, other
    "Y": "1",  # 其他
}
_USCC_FORM: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_ORG_FORM: Final = re.compile(r"[0-9A-Z]{8}-?[0-9X]", re.ASCII)
_PRIVATE_ORG: Final = re.compile(r"PDY(?!00000)[0-9]{5}", re.ASCII)
_REGISTRATION_FORM: Final = re.compile(r"[0-9]{15}|[0-9]{13}", re.ASCII)
_LEGACY_REGISTRATION_LENGTH: Final = 13
_TAXPAYER_15: Final = re.compile(r"[0-9]{6}[0-9A-Z]{8}[0-9X]", re.ASCII)
_TAXPAYER_20: Final = re.compile(r"[0-9]{17}[0-9X][0-9]{2}", re.ASCII)


def uscc(number: str, _on: date) -> Identity | Refused:
    """A unified social credit code (统一社会信用代码, GB 32100-2015), 18 characters of an alphabet of 31."""
    flags: tuple[str, ...] = ()
    text = number
    if type(text) is not str or not _USCC_FORM.fullmatch(text):
        found = normalise(number)
        if isinstance(found, Refused):
            return found
        text, flags = found
        if not _USCC_FORM.fullmatch(text):
            return invalid("the credit code is not 18 characters of its alphabet with six digits of division")
    if text[1] not in CATEGORIES.get(text[0], ""):
        return invalid("the registering authority or the category of the credit code is unknown")
    if uscc_check(text[:17]) != text[17]:
        return invalid("the check character is wrong")
    if not registrar_known(text[2:8]):
        flags = (*flags, UNKNOWN_DIVISION)
    if organisation_check(text[8:16]) != text[16]:
        flags = (*flags, INNER_CHECK)
    return Identity(USCC, text, text, flags)


def organisation_code(number: str, _on: date) -> Identity | Refused:
    """An organisation code (组织机构代码, GB 11714-1997): 8 characters, perhaps a hyphen, 1 check.

    PDY00001 to PDY99999 are for private use and never exchanged.
    """
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    if not _ORG_FORM.fullmatch(text):
        return invalid("the organisation code is not 8 characters and a check character")
    text = text.replace("-", "")
    if organisation_check(text[:8]) != text[8]:
        return invalid("the check character is wrong")
    if _PRIVATE_ORG.fullmatch(text[:8]):
        return invalid("the organisation code is of the range for private use")
    return Identity(ORG_CODE, text, text, flags)


def registration(number: str, _on: date) -> Identity | Refused:
    """A registration number of the industry and commerce administration (注册号, GS 15-2006).

    15 digits: 6 first registrar (100000 is the national one), 8 sequence, 1 check digit. The 13 digits from
    before 2007 have no check digit: flagged.
    """
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    if not _REGISTRATION_FORM.fullmatch(text):
        return invalid("the registration number is not 15 (formerly 13) digits")
    if len(text) == _LEGACY_REGISTRATION_LENGTH:
        flags = (*flags, LEGACY_13)
    elif registration_check_digit(text[:14]) != text[14]:
        return invalid("the check digit is wrong")
    if not registrar_known(text[:6]):
        flags = (*flags, UNKNOWN_DIVISION)
    return Identity(REGISTRATION, text, text, flags)


def taxpayer(number: str, on: date) -> Identity | Refused:
    """A taxpayer number (纳税人识别号), which is always another number in disguise.

    18: a credit code, or the citizen number of a person. 20: a citizen number and two digits. 15: division
    and organisation code, or an old citizen number. The identity found is the one inside.
    """
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    inside = _inside(text, on)
    if isinstance(inside, Refused):
        return inside
    return Identity(inside.document_type, text, inside.stable, flags + inside.flags)


def _inside(text: str, on: date) -> Identity | Refused:
    if _TAXPAYER_20.fullmatch(text):
        return citizen(text[:18], on)
    if _TAXPAYER_15.fullmatch(text):
        organisation = organisation_code(text[6:], on)
        if isinstance(organisation, Identity):
            doubts = () if registrar_known(text[:6]) else (UNKNOWN_DIVISION,)
            return Identity(ORG_CODE, text, organisation.stable, doubts)
        person = citizen(text, on)
        return person if isinstance(person, Identity) else invalid("the organisation code in the number is wrong")
    # A date of birth in the middle decides: among all-digit numbers that satisfy both checks it is never
    # chance.
    person = citizen(text, on)
    return person if isinstance(person, Identity) else uscc(text, on)
