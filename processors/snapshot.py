"""The current state of a record partition: which offsets hold the latest version of their key.

A new grant gets the current state and no more: an older version may lie outside its rows by now, or have been
withdrawn. Keys are pseudorandom, so 16 bytes of each stand for it; 24 bytes a message are held while reading.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_WORD = 8
_TOKEN_WORDS = 2


class KeyIndex:
    """Collects keys and offsets of one partition, then tells which offsets are the latest of their key."""

    def __init__(self) -> None:
        self._keys: list[npt.NDArray[np.uint64]] = []
        self._offsets: list[npt.NDArray[np.int64]] = []

    def add(self, keys: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Add messages in the order of their offsets; all keys of a partition have one length (16 or 32 bytes)."""
        if not keys:
            return
        words = np.frombuffer(b"".join(keys), dtype="<u8").reshape(len(keys), len(keys[0]) // _WORD)
        halves = words[:, :_TOKEN_WORDS]
        if words.shape[1] > _TOKEN_WORDS:
            halves = halves ^ words[:, _TOKEN_WORDS : 2 * _TOKEN_WORDS]
        self._keys.append(halves.astype(np.uint64))
        self._offsets.append(np.asarray(offsets, dtype=np.int64))

    def latest(self) -> npt.NDArray[np.int64]:
        """The offsets that hold the latest version of their key, ascending."""
        if not self._keys:
            return np.empty(0, dtype=np.int64)
        keys, offsets = np.concatenate(self._keys), np.concatenate(self._offsets)
        order = np.lexsort((offsets, keys[:, 1], keys[:, 0]))
        ordered = keys[order]
        last = np.ones(len(order), dtype=bool)
        last[:-1] = (ordered[1:] != ordered[:-1]).any(axis=1)
        return np.sort(offsets[order[last]])


def current(latest: npt.NDArray[np.int64], offsets: Sequence[int]) -> list[bool]:
    """For each of some offsets, whether it holds the latest version of its key."""
    wanted = np.asarray(offsets, dtype=np.int64)
    if not len(latest):
        return [False] * len(offsets)
    at = np.minimum(np.searchsorted(latest, wanted), len(latest) - 1)
    return [bool(found) for found in latest[at] == wanted]
