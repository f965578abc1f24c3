"""Which subject and which record a change is about, and the tokens that stand for them (design 3, decisions 17, 18).

The law of this file: outside `change.*` a subject is known by its token alone, the first 16 bytes of a keyed HMAC
over the normalised identity; a certificate number that tells two records of one subject apart is hashed likewise.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from schemas.codelists import load
from schemas.identity import Identity, identify
from schemas.refusals import RefusalCode, Refused
from schemas.resource import ResourceSchema

TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The secret keys behind tokens and record hashes, 32 bytes each, and the id they are known by."""

    key_id: str
    subject: bytes = field(repr=False)
    record: bytes = field(repr=False)


def subject_key(identity: Identity) -> bytes:
    """The bytes that a subject's token is made from: document class and life-long part of the number.

    A publisher groups its changes into partitions by murmur2 of these bytes, so that one subject's changes stay in
    order from source to subscriber (decisions 15).
    """
    return f"{identity.document_type}:{identity.stable}".encode()


def number_field(schema: ResourceSchema, data: Mapping[str, Any]) -> str:
    """The field whose number keys the subject of one row: the fallback's, if there is one, where the first is empty."""
    rule = schema.subject
    if rule.fallback_type and rule.fallback_number_field and not data.get(rule.number_field):
        return rule.fallback_number_field
    return rule.number_field


def link_target_of(schema: ResourceSchema, data: Mapping[str, Any], on: date) -> Identity | Refused:
    """The identity that an identity link leads to (Art 15, decisions 17)."""
    assert schema.links_to is not None  # noqa: S101  asked of links alone
    type_field, name = schema.links_to
    document, number = data.get(type_field), data.get(name)
    if not document or not number:
        return Refused(RefusalCode.E_NO_KEY, "the identity that the link leads to is missing", name)
    found = identify(document, number, on)
    return Refused(found.code, found.detail, name) if isinstance(found, Refused) else found


def subject_of(schema: ResourceSchema, data: Mapping[str, Any], on: date) -> Identity | Refused:
    """The identity of the subject of one row, or why it has none (Art 15).

    A credit code keys an organisation; its registration number does so only where no credit code is given.
    """
    rule = schema.subject
    name = number_field(schema, data)
    number = data.get(name)
    if name == rule.number_field:
        document = rule.type_constant or (data.get(rule.type_field) if rule.type_field else None)
    else:
        document = rule.fallback_type
    if not number:
        return Refused(RefusalCode.E_NO_KEY, "no statutory identifier is given", name)
    if name != rule.number_field and rule.fallback_reason_field and not data.get(rule.fallback_reason_field):
        return Refused(RefusalCode.E_NO_KEY, "no identity number and no reason for it", rule.fallback_reason_field)
    if not document:
        return Refused(RefusalCode.E_NO_KEY, "the document type is missing", rule.type_field)
    if name != rule.number_field and rule.fallback_class_field and not _is_of_class(schema, data, on):
        return Refused(RefusalCode.E_NO_KEY, "this number keys market entities alone", rule.fallback_class_field)
    found = identify(document, number, on)
    if isinstance(found, Refused):
        return Refused(found.code, found.detail, name)
    return found


def _is_of_class(schema: ResourceSchema, data: Mapping[str, Any], on: date) -> bool:
    """Whether the subject is one that the fallback number may key (Art 15, decisions 13)."""
    name = schema.subject.fallback_class_field
    codes = schema.fields[name].code_list if name else None
    return bool(name and codes and load(codes).contains(data.get(name) or "", on))


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> hmac.HMAC:
    """A hash that has taken its key in, which is most of the work; it is copied for each message."""
    return hmac.new(key, digestmod="sha256")


def _hash(key: bytes, message: bytes) -> bytes:
    hashing = _keyed(key).copy()
    hashing.update(message)
    return hashing.digest()[:TOKEN_BYTES]


def token_of(identity: Identity, keys: TokenKeys) -> bytes:
    """The subject token: 16 bytes."""
    return _hash(keys.subject, subject_key(identity))


def discriminator_of(schema: ResourceSchema, data: Mapping[str, Any], keys: TokenKeys) -> bytes | str:
    """What tells apart the records of one subject: 16 bytes of keyed hash, empty where a subject has one record.

    Each part is one field, or the first of several that is given. Returns the name of the missing field when a part of
    one field is null or blank; of several, all may be missing (decisions 12: that is flagged, not refused).
    """
    if not schema.record_key:
        return b""
    hashed = b""
    for names in schema.record_key:
        part = next((written for name in names if (written := _written(data.get(name)))), b"")
        if not part and len(names) == 1:
            return names[0]
        # With its length before it, no part can pose as the end of the one before it.
        hashed += len(part).to_bytes(4, "big") + part
    return _hash(keys.record, hashed)


def record_key(token: bytes, discriminator: bytes, keys: TokenKeys) -> bytes:
    """The Kafka key of a record: the token, and 16 bytes of keyed hash where a subject has several records.

    The hash covers the token too, so that equal certificate numbers of two subjects do not show in keys.
    """
    if not discriminator:
        return token
    return token + _hash(keys.record, token + discriminator)


def _written(value: Any) -> bytes:  # noqa: ANN401  any Avro value
    if value is None:
        return b""
    return value if isinstance(value, bytes) else str(value).strip().encode()
