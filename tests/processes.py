"""What runs on this machine, as proc(5) tells it: the end of processes is seen, not believed."""

import signal
from pathlib import Path


def processes_of(state_dir: Path) -> list[str]:
    """The command lines of all processes that were given a state directory, by word, by variable or as their folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            if str(state_dir).encode() in told or (folder / "cwd").readlink().is_relative_to(state_dir):
                found.append((folder / "cmdline").read_text(encoding="utf-8").replace("\0", " "))
        except OSError:
            continue
    return found


def children_of(pid: int) -> list[int]:
    """The processes that a process's first thread has started and that it has not seen end."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def listens_to_sigterm(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    [caught] = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(caught >> (signal.SIGTERM - 1) & 1)
