"""Changing the keys: a new set beside the old one, records moved to it, the old token keys retired (Art 47).

1. `bus keys rotate` adds new token keys and section keys; the old token keys stay, as *retiring*.
2. The workers are started again; relocate moves every record to its token under the new keys.
3. `bus keys retire` removes the retiring token keys once every partition has been gone through. Section keys stay:
   what was delivered to the archive under them must be readable for as long as it is kept.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from bus.keys.store import fresh_key, key_file, load_keys
from schemas.errors import UsageError


def rotate(state_dir: Path, *, digests: bool = False) -> str:
    """Add new token keys and section keys; the new token keys' id.

    Args:
        state_dir: where the key store is.
        digests: put a new key of digests in place of the present one, which nothing needs any more: relocate makes
            every record's digests anew. Left alone otherwise, so that digests stay comparable meanwhile.

    Raises:
        KeyStoreError: as `load_keys`.
        UsageError: earlier token keys have not been retired yet.
    """
    keys = load_keys(state_dir)
    if keys.retiring is not None:
        raise UsageError(f"token keys {keys.retiring.key_id} have not been retired yet; `bus keys retire` does that")
    content = _read(state_dir)
    tokens, sections = _next(keys.tokens.key_id), _next(keys.current)
    content["retiring"] = content["tokens"]
    content["tokens"] = {"key_id": tokens, "subject": fresh_key(), "record": fresh_key()}
    content["sections"][sections] = {"identity": fresh_key(), "restricted": fresh_key()}
    content["current"] = sections
    if digests:
        content["digests"] = {"key_id": _next(keys.digests.key_id), "key": fresh_key()}
    _write(state_dir, content)
    return tokens


def retire(state_dir: Path, applied: Mapping[tuple[str, int], str], partitions: Mapping[str, int]) -> str:
    """Remove the retiring token keys; their id.

    Args:
        state_dir: where the key store is.
        applied: by record topic and partition, the token keys that its records were moved to.
        partitions: by record topic, how many it has.

    Raises:
        KeyStoreError: as `load_keys`.
        UsageError: nothing is retiring, or records still stand under tokens of those keys.
    """
    keys = load_keys(state_dir)
    if keys.retiring is None:
        raise UsageError("no token keys are retiring")
    open_ones = [
        f"{topic}/{part}"
        for topic, count in sorted(partitions.items())
        for part in range(count)
        if applied.get((topic, part)) != keys.tokens.key_id
    ]
    if open_ones:
        some = ", ".join(open_ones[:5]) + (", …" if len(open_ones) > 5 else "")  # noqa: PLR2004  enough to go by
        raise UsageError(
            f"{len(open_ones)} record partitions have not been moved to token keys {keys.tokens.key_id} yet: {some}; "
            "is relocate running, and was it started again after the rotation?"
        )
    content = _read(state_dir)
    del content["retiring"]
    _write(state_dir, content)
    return keys.retiring.key_id


def _next(key_id: str) -> str:
    """The id after `t1` is `t2`."""
    return f"{key_id[0]}{int(key_id[1:]) + 1}"


def _read(state_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(key_file(state_dir).read_text(encoding="ascii"))
    return found


def _write(state_dir: Path, content: Mapping[str, Any]) -> None:
    """Put a new store in the old one's place, whole or not at all."""
    descriptor, aside = mkstemp(prefix=".keys.", dir=state_dir)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        json.dump(content, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    Path(aside).replace(key_file(state_dir))
