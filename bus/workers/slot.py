"""A worker's slot: the lowest free number of its kind on this machine, held by a file lock.

The transactional id derives from the slot, so the successor of a killed worker takes the same id and at once aborts
what the dead one left open, in place of waiting for the transaction time-out (KIP-98).
"""

import fcntl
import os
import socket
from pathlib import Path

from schemas.errors import BusError

_MOST = 1_000


class Slot:
    """Holds one slot until closed or until the process ends, however it ends."""

    def __init__(self, state_dir: Path, kind: str) -> None:
        folder = state_dir / "run"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST + 1):
            descriptor = os.open(folder / f"{kind}-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                self._descriptor = descriptor
                self.name = f"{kind}-{number}"
                return
        raise BusError(f"more than {_MOST} workers of kind {kind} on this machine")

    @property
    def transactional_id(self) -> str:
        """Unique to this slot of this machine."""
        return f"bus.{self.name}.{socket.gethostname()}"

    def close(self) -> None:
        """Give the slot back."""
        os.close(self._descriptor)
