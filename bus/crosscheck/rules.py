"""The cross-checks that count in a city: the packaged ones and its own (Art 5, 21)."""

from bus.settings import Settings
from compliance.crosschecks import CrossCheck, packaged_crosschecks, read_crosschecks
from compliance.modelfile import text_of
from schemas.errors import SettingsError


def checks_of(settings: Settings) -> tuple[CrossCheck, ...]:
    """The packaged checks, then those of the file that the settings name, as it is now.

    Raises:
        RegisterFileError: the file cannot be read, or is no file of checks: every error with its place.
        SettingsError: it names a check as a packaged one is named.
    """
    packaged = packaged_crosschecks().checks
    file = settings.crosschecks_file
    if file is None:
        return packaged
    own = read_crosschecks(text_of(file, file.name), file.name).checks
    taken = sorted({check.id for check in packaged} & {check.id for check in own})
    if taken:
        raise SettingsError(
            f"BUS_CROSSCHECKS_FILE: {', '.join(taken)}: so a packaged check is named; choose another id"
        )
    return (*packaged, *own)
