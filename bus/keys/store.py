"""The key store: one file, readable by its owner alone, with the keys behind tokens, sections, pseudonyms and digests.

Agencies never hold these keys. Losing them means that nobody can open a sealed section again, so the file belongs in
the backup that the operator keeps apart from the data (Art 47, 53).
"""

import base64
import json
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from processors.crosscheck.facts import Digester
from processors.keying import TokenKeys
from processors.sealing import SectionKeys
from schemas.errors import KeyStoreError

KEY_BYTES = 32
_DIGESTS_ID = re.compile(r"d\d{1,9}", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys in force.

    Attributes:
        tokens: behind subject tokens and record hashes.
        sections: by key id; `current` names the one to seal with.
        pseudonym_root: every subscriber's pseudonym key derives from it.
        digests: behind what cross-checks compare; a change of the other keys leaves it, or digests of before and after
            could not be compared.
        retiring: token keys that some records still stand under, while they are being moved.
    """

    tokens: TokenKeys
    sections: dict[str, SectionKeys]
    current: str
    pseudonym_root: bytes = field(repr=False)
    digests: Digester
    retiring: TokenKeys | None = None


def key_file(state_dir: Path) -> Path:
    """Where the key store is."""
    return state_dir / "keys.json"


def create_keys(state_dir: Path) -> Path:
    """Make a key store with fresh random keys, unless there is one; the file's path."""
    path = key_file(state_dir)
    if path.exists():
        return path
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    content = {
        "tokens": {"key_id": "t1", "subject": fresh_key(), "record": fresh_key()},
        "sections": {"s1": {"identity": fresh_key(), "restricted": fresh_key()}},
        "current": "s1",
        "pseudonym_root": fresh_key(),
        "digests": {"key_id": "d1", "key": fresh_key()},
    }
    write_once(path, json.dumps(content, indent=1))
    return path


def write_once(path: Path, text: str) -> None:
    """Write a private file, unless there is one: two that start at once end with one file, never a half one."""
    # Written aside and linked into place. The name is random, since process numbers repeat where containers share the
    # folder.
    descriptor, aside = mkstemp(prefix=f".{path.stem}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            # What depends on keys that a power cut took is lost.
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        Path(aside).unlink()


def load_keys(state_dir: Path) -> Keys:
    """Read the key store.

    Raises:
        KeyStoreError: when it is missing, open to others, or malformed; never with key material in the text.
    """
    path = key_file(state_dir)
    try:
        mode = path.stat().st_mode
        content = json.loads(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise KeyStoreError(f"{path} is missing; `bus init` makes one") from None
    except (OSError, ValueError):
        raise KeyStoreError(f"{path} cannot be read as JSON") from None
    if mode & _OTHERS:
        raise KeyStoreError(f"{path} is open to other users; it must have mode 600")
    try:
        retiring = content.get("retiring")
        return Keys(
            tokens=_tokens(content["tokens"]),
            sections={
                key_id: SectionKeys(key_id, _key(held["identity"]), _key(held["restricted"]))
                for key_id, held in content["sections"].items()
            },
            current=_known(content["current"], content["sections"]),
            pseudonym_root=_key(content["pseudonym_root"]),
            digests=_digests(content),
            retiring=None if retiring is None else _tokens(retiring),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise KeyStoreError(f"{path} lacks or misspells an entry ({type(error).__name__})") from None


def digest_key(folder: Path) -> bytes:
    """The key behind the event ids of an agency's connectors, in the agency's own folder; made at first need.

    It is not renewed with certificates: with another key every row would have another id, and source and bus would
    differ in all of them.

    Args:
        folder: the agency's, beside its certificates.

    Raises:
        KeyStoreError: it cannot be written or read, is open to others, or is no key.
    """
    path = folder / "digest.key"
    try:
        if not path.exists():
            write_once(path, fresh_key())
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii")
        if mode & _OTHERS:
            raise KeyStoreError(f"{path} is open to other users; it must have mode 600")
        return _key(text.strip())
    except OSError:
        raise KeyStoreError(f"{path} cannot be written or read") from None
    except ValueError:
        raise KeyStoreError(f"{path} is no key of {KEY_BYTES} bytes in Base64") from None


def fresh_key() -> str:
    """A new random key, as the store holds it."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _tokens(held: Mapping[str, str]) -> TokenKeys:
    return TokenKeys(held["key_id"], _key(held["subject"]), _key(held["record"]))


def _digests(content: Mapping[str, Any]) -> Digester:
    """The key of digests; of a store from before there was one, derived from what every copy of it holds.

    Nothing is written then, so no two machines with that store can end with different keys. The root never changes.
    """
    if "digests" not in content:
        root = _key(content["pseudonym_root"])
        return Digester("d0", HKDF(SHA256(), KEY_BYTES, salt=None, info=b"digests").derive(root))
    held = content["digests"]
    # It stands in every record, and the next one is counted from it.
    if not _DIGESTS_ID.fullmatch(held["key_id"]):
        raise ValueError
    return Digester(held["key_id"], _key(held["key"]))


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


def _known(key_id: str, sections: dict[str, object]) -> str:
    if key_id not in sections:
        raise KeyError
    return key_id
