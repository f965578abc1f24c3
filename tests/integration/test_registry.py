"""The registry's client against a real registry: one schema under many subjects has one id, and is asked for once."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from bus.wire.clients import Principal
from bus.wire.registry import Registry
from schemas.codec import Codec
from schemas.errors import NotProvisionedError
from tests.local_cluster import LocalBus

pytestmark = pytest.mark.kafka


def codec(name: str) -> Codec:
    return Codec({"type": "record", "name": name, "fields": [{"name": "a", "type": "int", "default": 0}]})


@pytest.fixture
def suffix() -> str:
    return uuid.uuid4().hex[:8]


@pytest.fixture
def fresh(local_bus: LocalBus) -> Callable[[], Registry]:
    """A client that remembers nothing."""
    return lambda: Registry(local_bus.settings, Principal.role(local_bus.settings, "operator"))


def questions(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked over HTTP from now on."""
    asked: list[str] = []
    http = registry._client._rest_client
    real = http.send_request

    def counted(url: str, *more: Any, **named: Any) -> Any:
        asked.append(url)
        return real(url, *more, **named)

    monkeypatch.setattr(http, "send_request", counted)
    return asked


def test_the_topics_that_have_a_schema_are_told_in_two_questions(
    fresh: Callable[[], Registry], suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, topics = codec(f"A{suffix}"), [f"t{number}.{suffix}" for number in range(5)]
    for topic in topics[1:]:
        fresh().register(topic, wanted)
    fresh().register(topics[0], codec(f"B{suffix}"))
    registry = fresh()
    asked = questions(registry, monkeypatch)
    assert registry.holders(wanted, topics[1:]) == set(topics[1:])
    assert len(asked) == 2, asked
    assert registry.holders(wanted, topics) == set(topics[1:]), "the first has another one"
    assert registry.holders(wanted, topics[:1]) == set()
    assert registry.holders(codec(f"C{suffix}"), topics) == set(), "nobody has it"


def test_an_id_that_many_topics_share_is_looked_up_once(
    fresh: Callable[[], Registry], suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, topics = codec(f"A{suffix}"), [f"t{number}.{suffix}" for number in range(5)]
    ids = {fresh().register(topic, wanted) for topic in topics}
    registry = fresh()
    asked = questions(registry, monkeypatch)
    assert {registry.id_of(topic, wanted) for topic in topics} == ids
    assert len(ids) == 1
    assert len(asked) == 2, asked
    later = f"later.{suffix}"
    with pytest.raises(NotProvisionedError, match=f"{later}-value"):
        registry.id_of(later, wanted)
    fresh().register(later, wanted)
    assert {registry.id_of(later, wanted)} == ids, "what was registered since is found"
