"""How many examples a property test runs: all of them, or for `make unit` a share."""

from hypothesis import settings

_ALL = 100  # Hypothesis' own number, which the profile `house` leaves as it is.


def examples(number: int) -> int:
    """What `max_examples` is: that number, and with the profile `few` (tests/conftest.py) a tenth of it.

    A bare number would hold in every profile.
    """
    profile = settings.get_profile(settings.get_current_profile_name())
    return max(1, number * profile.max_examples // _ALL)
