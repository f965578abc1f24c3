"""Sealed sections (Art 47): identity and restricted fields leave admit only as AES-256-GCM ciphertext.

Token and event id are bound as associated data, so a section cannot be moved to another record. A sealed section is
12 bytes of nonce, the ciphertext, 16 bytes of tag.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors import KeyStoreError

NONCE_BYTES = 12
SEALED_SECTIONS = ("identity", "restricted")


@dataclass(frozen=True, slots=True)
class SectionKeys:
    """The secret keys of the sealed sections, 32 bytes each, and the id that a record names them by."""

    key_id: str
    identity: bytes = field(repr=False)
    restricted: bytes = field(repr=False)

    def of(self, section: str) -> bytes:
        """The key of one section."""
        return self.identity if section == "identity" else self.restricted


class Sealer:
    """Seals sections under one set of keys; nonces are random, drawn for a batch at a time.

    Args:
        keys: the section keys in force.
        random_bytes: source of randomness, `os.urandom` in the house; 2^32 seals a key stay well inside the bound
            for random nonces (NIST SP 800-38D, 8.3), after which the key is rotated.
    """

    def __init__(self, keys: SectionKeys, random_bytes: Callable[[int], bytes]) -> None:
        self.key_id = keys.key_id
        self._ciphers = {section: AESGCM(keys.of(section)) for section in SEALED_SECTIONS}
        self._random = random_bytes
        self._pool = b""
        self._used = 0

    def seal(self, section: str, plain: bytes, bound: bytes) -> bytes:
        """The sealed section: nonce, ciphertext, tag."""
        if self._used + NONCE_BYTES > len(self._pool):
            self._pool, self._used = self._random(NONCE_BYTES * 512), 0
        nonce = self._pool[self._used : self._used + NONCE_BYTES]
        self._used += NONCE_BYTES
        return nonce + self._ciphers[section].encrypt(nonce, plain, bound)


class Opener:
    """Opens sections that were sealed under any of the keys it holds.

    Args:
        keys: section keys by key id; old ones stay until nothing sealed with them is left.
    """

    def __init__(self, keys: Mapping[str, SectionKeys]) -> None:
        self._ciphers = {
            (key_id, section): AESGCM(held.of(section)) for key_id, held in keys.items() for section in SEALED_SECTIONS
        }

    def open(self, key_id: str, section: str, sealed: bytes, bound: bytes) -> bytes:
        """The plain section.

        Raises:
            KeyStoreError: when the key is not held, or the section was altered or moved.
        """
        cipher = self._ciphers.get((key_id, section))
        if cipher is None:
            raise KeyStoreError(
                f"no key {key_id} for section {section}: the key store lacks a key that data is sealed with"
            )
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise KeyStoreError(
                f"section {section} does not open with key {key_id}: altered, moved, or wrong key"
            ) from None
