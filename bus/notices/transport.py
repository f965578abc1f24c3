"""What every way of sending has in common: what it answers, and how it reads secrets."""

import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from compliance.notice_kinds import SendProblem
from compliance.notices import Notice
from schemas.errors import SettingsError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class NotSent:
    """Why a notice did not leave.

    Attributes:
        sentence: what failed and where; never an address, an answer or a secret.
    """

    problem: SendProblem
    sentence: str


class Transport(Protocol):
    """One way by which notices leave."""

    def send(self, notice: Notice, at: datetime) -> NotSent | None:
        """Send one notice; None when whoever received it took it over."""


def read_private(path: Path, setting: str) -> str:
    """The text of a file that its owner alone may read.

    Raises:
        SettingsError: it is missing, open to others, empty or no text; what it holds is not repeated.
    """
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{setting}: {path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{setting}: {path} is not text in UTF-8") from None
    if mode & _OTHERS:
        raise SettingsError(f"{setting}: {path} is open to other users; it must have mode 600")
    if not text:
        raise SettingsError(f"{setting}: {path} is empty")
    return text
