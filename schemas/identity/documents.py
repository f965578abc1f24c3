"""Other identity documents: GA/T 517-2004 and what came after it, one table of form and life-long part.

Where a document carries a citizen number (household booklet, residence permit, driving licence, disability
certificate), that number is the identity, whatever paper it stands on. Forms marked *unchecked* rest on no
text that we could read: they are wide, and what they accept is flagged.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.identity.citizen import CITIZEN_FORM, citizen
from schemas.identity.normalise import normalise
from schemas.identity.words import (
    BIRTH_CERTIFICATE,
    DEATH_CERTIFICATE,
    DRIVING_LICENCE,
    FEATURE,
    FOREIGN_PASSPORT,
    HK_MACAU_TRAVEL_PERMIT,
    HOUSEHOLD_BOOKLET,
    NOT_LIFELONG,
    OFFICER,
    OLD_FORM,
    OTHER_DOCUMENT,
    PASSPORT,
    RESIDENCE_PERMIT,
    TAIWAN_TRAVEL_PERMIT,
    UNCHECKED,
    UNKNOWN_COUNTRY,
    Identity,
    invalid,
)
from schemas.refusals import Refused

_ANY: Final = r"[A-Z0-9]{5,15}"
_FOREIGN_FORM: Final = re.compile(r"(?P<country>[A-Z]{3})[/:](?P<number>[A-Z0-9]{5,15})", re.ASCII)
_ANY_FORM: Final = re.compile(_ANY, re.ASCII)
_DISABILITY_FORM: Final = re.compile(r"(?P<person>[0-9]{17}[0-9X])[1-7][1-4]", re.ASCII)
_OFFICER_FORM: Final = re.compile(
    r"(?P<service>(?:(?![字第号])[\u4e00-\u9fa5]){1,2})字?第?(?P<number>[0-9]{4,8})号?", re.ASCII
)
_DECORATION: Final = str.maketrans("", "", "-()")


@dataclass(frozen=True, slots=True)
class Form:
    """How the number of one document looks.

    Attributes:
        pattern: what the whole number must match, without hyphens and parentheses.
        life_long: how many characters of it stay for life; None means all.
        flags: doubts that every number of this form carries.
    """

    pattern: re.Pattern[str]
    life_long: int | None = None
    flags: tuple[str, ...] = ()


def _form(pattern: str, *flags: str, life_long: int | None = None) -> Form:
    return Form(re.compile(pattern, re.ASCII), life_long, flags)


_CHINESE_PASSPORT: Final = _form(r"E[0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|G[0-9]{8}|1[45][0-9]{7}", NOT_LIFELONG)
FORMS: Final[dict[str, tuple[Form, ...]]] = {
    BIRTH_CERTIFICATE: (_form(r"[A-Z][0-9]{9}"),),
    "411": (_form(r"DE[0-9]{7}|D[0-9]{7,8}", NOT_LIFELONG),),
    "412": (_form(r"SE[0-9]{7}|S[0-9]{7,8}", NOT_LIFELONG),),
    "413": (_form(r"PE[0-9]{7}|P[0-9]{7,8}", NOT_LIFELONG),),
    "415": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    "416": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    "419": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    "420": (_form(r"K[0-9]{8}|KJ[0-9]{7}|H[0-9]{8}|H[A-Z][0-9]{7}", NOT_LIFELONG),),
    "421": (_form(r"M[A-Z][0-9]{7}", NOT_LIFELONG),),
    # 8 digits since the card of 2015, said to stay for life; 10 digits and a letter before.
    TAIWAN_TRAVEL_PERMIT: (_form(r"[0-9]{8}"), _form(r"[0-9]{10}[A-Z]?", OLD_FORM)),
    "512": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    "513": (_form(r"[CW][0-9]{8}|C[A-Z][0-9]{7}", NOT_LIFELONG),),
    "515": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    # The first nine are the person's for life, the last two count the re-issues (Ministry of Public
    # Security, 2010).
    HK_MACAU_TRAVEL_PERMIT: (_form(r"[HM][0-9]{8}(?:[0-9]{2})?", life_long=9),),
    "517": (_form(r"[TL][0-9]{8}|L[A-Z][0-9]{7}", NOT_LIFELONG),),
    "518": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    "551": (_form(_ANY, UNCHECKED),),
    "552": (_form(_ANY, UNCHECKED),),
    "554": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    "555": (_form(_ANY, NOT_LIFELONG, UNCHECKED),),
    OTHER_DOCUMENT: (_form(r"[A-Z0-9]{4,32}", UNCHECKED),),
    DEATH_CERTIFICATE: (_form(r"[A-Z0-9]{6,32}", UNCHECKED),),
    # The source's own identifier, as the geospatial platform gives it out; case and hyphens are folded like any number's.
    FEATURE: (_form(r"[A-Z0-9][A-Z0-9._:]{0,63}"),),
}
# Papers whose number is, as a rule, the citizen number of their holder; and what else they may carry.
CARRIERS: Final[dict[str, Form | None]] = {
    HOUSEHOLD_BOOKLET: None,  # its own number names a household: as a key it would make a family one person
    RESIDENCE_PERMIT: _form(r"[A-Z0-9]{6,20}", NOT_LIFELONG, UNCHECKED),
    DRIVING_LICENCE: _form(r"[A-Z0-9]{8,18}", NOT_LIFELONG, UNCHECKED),
}


def by_form(document_type: str, number: str, _on: date) -> Identity | Refused:
    """The identity of a document whose number has a form of its own."""
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    text = text.translate(_DECORATION)
    for form in FORMS[document_type]:
        if form.pattern.fullmatch(text):
            return Identity(document_type, text, text[: form.life_long], flags + form.flags)
    return invalid("the number has not the form of its document")


def by_carrier(document_type: str, number: str, on: date) -> Identity | Refused:
    """The identity of a document that carries its holder's citizen number, or a number of its own."""
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    text = text.translate(_DECORATION)
    form = CARRIERS[document_type]
    if CITIZEN_FORM.fullmatch(text) or form is None:
        person = citizen(text, on)
        if isinstance(person, Refused) and form is None:
            return invalid("a household booklet identifies a person only by the citizen number of its holder")
        return person if isinstance(person, Refused) else _as_written(person, text, flags)
    if form.pattern.fullmatch(text):
        return Identity(document_type, text, text, flags + form.flags)
    return invalid("the number has not the form of its document")


def passport(number: str, on: date) -> Identity | Refused:
    """An ordinary passport (414): a Chinese one by its form, else a foreign one."""
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    foreign = _FOREIGN_FORM.fullmatch(text)
    if foreign and foreign["country"] != "CHN":
        return foreign_passport(number, on)
    text = (foreign["number"] if foreign else text).translate(_DECORATION)
    if _CHINESE_PASSPORT.pattern.fullmatch(text):
        return Identity(PASSPORT, text, text, flags + _CHINESE_PASSPORT.flags)
    return invalid("not a Chinese passport's form") if foreign else foreign_passport(number, on)


def foreign_passport(number: str, _on: date) -> Identity | Refused:
    """A foreign passport, written `COUNTRY/NUMBER` (letters of GB/T 2659); flagged without the country."""
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    foreign = _FOREIGN_FORM.fullmatch(text)
    if foreign:
        text = f"{foreign['country']}/{foreign['number']}"
        return Identity(FOREIGN_PASSPORT, text, text, (*flags, NOT_LIFELONG))
    text = text.translate(_DECORATION)
    if _ANY_FORM.fullmatch(text):
        return Identity(FOREIGN_PASSPORT, text, text, (*flags, NOT_LIFELONG, UNKNOWN_COUNTRY))
    return invalid("the passport number is not 5 to 15 letters and digits, with its country before a slash")


def officer(number: str, _on: date) -> Identity | Refused:
    """An officer's card (军官证, 114): branch of service in Chinese and up to eight digits."""
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    card = _OFFICER_FORM.fullmatch(text)
    if not card:
        return invalid("the number is not a branch of service and 4 to 8 digits")
    return Identity(OFFICER, text, f"{card['service']}{card['number']}", (*flags, UNCHECKED))


def disability(number: str, on: date) -> Identity | Refused:
    """A disability certificate (残疾人证): the holder's number, a category (1-7), a grade (1-4).

    The identity is the holder's, so category and grade, which tell of health, never reach a key.
    """
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    card = _DISABILITY_FORM.fullmatch(text)
    if not card:
        return invalid("the number is not a citizen number, a category from 1 to 7 and a grade from 1 to 4")
    holder = citizen(card["person"], on)
    return holder if isinstance(holder, Refused) else _as_written(holder, text, flags)


def _as_written(person: Identity, text: str, flags: tuple[str, ...]) -> Identity:
    return Identity(person.document_type, text, person.stable, flags + person.flags)
