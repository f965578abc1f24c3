"""New token keys on real Kafka: every record moves to its subject's new token, nobody is lost, the old keys go."""

from collections.abc import Container
from pathlib import Path

import pytest
from click.testing import CliRunner

from bus.cli.main import bus
from bus.keys.rotation import retire, rotate
from bus.keys.store import load_keys
from bus.settings import Settings
from bus.workers.supervisor import environment_of
from schemas.errors import UsageError
from tests.builders import permit
from tests.city import City
from tests.journey.test_links import LINK, link, newborn, publish, standing
from tests.threads import running, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]


def keys_command(settings: Settings, *words: str) -> str:
    found = CliRunner().invoke(bus, ["keys", *words], env=environment_of(settings), catch_exceptions=False)
    return found.output


def retired(settings: Settings) -> bool:
    """Whether the old keys could be retired now."""
    try:
        keys_command(settings, "retire")
    except UsageError:
        return False
    return True


def moved(city: City, grant: str, before: Container[bytes], count: int) -> bool:
    """Whether so many records stand under a grant, none of them under a key of before."""
    keys = standing(city, city.topic(grant)).keys()
    return len(keys) == count and not any(key in before for key in keys)


def test_after_a_rotation_every_record_stands_under_its_new_token_and_the_old_keys_go(
    own_bus: Settings, tmp_path: Path
) -> None:
    city = City(own_bus, tmp_path)
    births = city.add_resource("birth_certificate")
    links = city.add_resource(LINK)
    grant, county = city.add_grant("births", resource=births), city.add_grant("county", rows={"divisions": ["441302"]})
    city.apply()
    row, certificate, citizen = newborn(21)
    permits = [permit(seed, registration_authority_division="441302") for seed in range(40)]
    with running(own_bus, "admit", "deliver", "relocate"):
        assert publish(city, births, row) == [None]
        assert publish(city, city.resource, *permits) == [None] * 40
        assert publish(city, links, link(certificate, citizen)) == [None]
        until(lambda: len(standing(city, city.topic(county))) == 40, "the permits")
        until(lambda: len(city.data(city.topic(grant))) == 3, "the birth under the citizen number")
    topics = [f"record.{resource}" for resource in (city.resource, births, links)]
    before = {topic: standing(city, topic) for topic in topics}
    delivered = {topic: standing(city, city.topic(topic)) for topic in (grant, county)}
    assert "t2" in keys_command(own_bus, "rotate")
    with pytest.raises(UsageError, match="have not been retired"):
        rotate(own_bus.state_dir)
    with running(own_bus, "admit", "deliver", "relocate"):
        until(lambda: retired(own_bus), "the end of re-keying", 90)
        # What is filed under the number that was given up still finds its subject.
        assert publish(city, births, {**row, "mother_name": "林小云"}) == [None]
        until(
            lambda: any(r["data"] and r["data"]["mother_name"] == "林小云" for r in city.data(city.topic(grant))), "it"
        )

        def followed() -> bool:
            return moved(city, grant, delivered[grant], 1) and moved(city, county, delivered[county], 40)

        # The old keys may go once the records are moved; deliver comes behind them.
        until(followed, "the deliveries under their new keys")
    assert load_keys(own_bus.state_dir).retiring is None
    for topic in topics:
        now = standing(city, topic)
        assert len(now) == len(before[topic])
        assert not now.keys() & before[topic].keys()
        assert {row["submission"]["token_key"] for row in now.values()} == {"t2"}
        assert {row["compared"]["key_id"] for row in now.values()} == {"d1"}
    again = standing(city, city.topic(county))
    held = [sorted(row["data"]["id_number"] for row in rows.values()) for rows in (again, delivered[county])]
    assert held[0] == held[1]
    with pytest.raises(UsageError, match="no token keys are retiring"):
        retire(own_bus.state_dir, {}, {})
