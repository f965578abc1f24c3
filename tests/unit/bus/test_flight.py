"""What a publisher has handed over: nothing is lost between its queue and its submission, whatever is away."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bus.publishing.assemble import Prepared, Signer, prepare
from bus.publishing.flight import Flight, Publication
from bus.settings import Settings
from bus.wire.registry import Registry
from schemas.codec import Codec, frame_head, unframe
from schemas.errors import BusError, DeadlineError, RegistryUnavailableError
from schemas.resource import packaged_text
from schemas.words import Change
from tests.builders import PERMIT, permit
from tests.hall import Hall
from tests.hall_register import NOW, POLICE, signing_folder

EACH = 2


class Registrar(Registry):
    """A registry that may be away."""

    def __init__(self) -> None:
        self.away = False

    def head(self, topic: str, codec: Codec) -> bytes:
        if self.away:
            raise RegistryUnavailableError(f"no answer about {topic} ({codec.fingerprint})")
        return frame_head(7)


class Sender:
    """A producer with room for some messages, which it keeps."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.values: list[bytes] = []

    def produce(self, _: str, *, value: bytes, **__: Any) -> None:
        if len(self.values) == self.room:
            raise BufferError
        self.values.append(value)

    def poll(self, _: float) -> int:
        return 0


class Desk:
    """A flight with what is around it."""

    def __init__(self, folder: Path) -> None:
        self.hall = Hall(packaged_text(PERMIT), partitions=1)
        self.registry, self.sender = Registrar(), Sender(room=100)
        settings = Settings(publisher_batch_changes=EACH, request_timeout_s=0.5)
        sender: Any = self.sender
        self.flight = Flight(POLICE, settings, Signer(signing_folder(folder, POLICE)), self.registry, sender)

    def take(self, publication: Publication, number: int, review: str = "R-1") -> None:
        """Hand the change of a number over."""
        made = Change(permit(number), NOW, event_id=f"{number:08x}-0000-4000-8000-000000000000")
        found = prepare(self.hall.entry, made, NOW.date())
        assert isinstance(found, Prepared)
        self.flight.take(publication, found, self.hall.entry, review)

    def sent(self) -> list[list[int]]:
        """The numbers in each submission."""
        found = [unframe(value) for value in self.sender.values]
        data = [self.hall.schema.submission.decode(one[1]) for one in found if one is not None]
        return [[int(str(change["event_id"])[:8], 16) for change in datum["changes"]] for datum in data]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_could_not_be_sent_while_the_registry_was_away_goes_with_the_next_attempt(desk: Desk) -> None:
    publication = desk.flight.publication()
    desk.take(publication, 1)
    desk.registry.away = True
    with pytest.raises(RegistryUnavailableError):
        desk.take(publication, 2)
    with pytest.raises(RegistryUnavailableError):
        desk.flight.send()
    assert desk.sent() == []
    desk.registry.away = False
    desk.flight.send()
    desk.flight.send()
    assert desk.sent() == [[1, 2]]


def test_what_found_no_room_goes_once_when_there_is_some_and_what_had_gone_does_not_go_again(desk: Desk) -> None:
    publication = desk.flight.publication()
    desk.registry.away = True
    for number in (1, 2, 3):
        with suppress(RegistryUnavailableError):
            desk.take(publication, number)
    desk.registry.away, desk.sender.room = False, 1
    with pytest.raises(DeadlineError, match="room for another submission"):
        desk.flight.send()
    assert desk.sent() == [[1, 2]]
    desk.sender.room = 9
    desk.flight.send()
    assert desk.sent() == [[1, 2], [3]]


def test_a_change_that_was_not_taken_over_is_nobodys_and_what_waited_before_it_still_goes(desk: Desk) -> None:
    publication = desk.flight.publication()
    desk.take(publication, 1)
    desk.registry.away = True
    with pytest.raises(RegistryUnavailableError):
        desk.take(publication, 2, review="R-2")
    desk.registry.away = False
    desk.take(publication, 3, review="R-2")
    desk.flight.send()
    assert desk.sent() == [[1], [3]]


def test_who_waits_for_what_could_not_be_sent_is_told_when_nobody_will_try_again(desk: Desk) -> None:
    publication = desk.flight.publication()
    desk.registry.away = True
    desk.take(publication, 1)
    with pytest.raises(RegistryUnavailableError):
        desk.flight.send()
    desk.flight.abandon(BusError("nobody reads receipts any more"))
    with pytest.raises(BusError, match="nobody reads"):
        publication.receipts(30)
