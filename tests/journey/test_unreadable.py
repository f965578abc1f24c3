"""A submission that admit cannot read is answered too: the publisher that sent it hears why."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus import Change, Publisher
from bus.local.certificates import issue_agency
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import running, until

pytestmark = pytest.mark.kafka


def test_a_publisher_with_a_certificate_that_the_register_does_not_know_hears_so(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    city = City(local_bus.settings, tmp_path)
    city.apply()
    # Issued anew, and not yet in the register.
    (city.settings.state_dir / "agencies" / city.owner / "signing.crt").unlink()
    issue_agency(city.settings.state_dir, city.owner)
    changes = [Change(permit(seed), datetime.now(UTC)) for seed in range(20)]
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        receipts = publisher.publish(city.resource, changes).receipts()
        assert [receipt.code for receipt in receipts] == ["E_SIGNATURE"] * 20
        # Nothing is left open: later ones are answered as well, once admit has read the new certificate.
        city.apply()

        def admitted() -> bool:
            return all(receipt.admitted for receipt in publisher.publish(city.resource, changes).receipts())

        until(admitted, "the first admission under the new certificate")
