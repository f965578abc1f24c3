"""A point in time by which a wait must have ended; every wait of the bus has one."""

import time
from typing import Self

from schemas.errors import DeadlineError


class Deadline:
    """Counts down from a number of seconds on the monotonic clock.

    Args:
        seconds: how long from now.
        what: what is waited for, for the error's sentence.
    """

    def __init__(self, seconds: float, what: str) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._what = what

    @classmethod
    def after(cls, seconds: float, what: str) -> Self:
        """A deadline so many seconds from now."""
        return cls(seconds, what)

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._end

    def check(self) -> None:
        """Raise when it has passed.

        Raises:
            DeadlineError: saying what was waited for and how long.
        """
        if self.over:
            raise DeadlineError(f"{self._what} did not happen within {self._seconds:g} s")
