"""What nobody counts and only a look shows: health, key store, disk, certificates, whether Kafka and registry answer.

All but the last are looked at when Prometheus asks. Kafka and the registry are asked by a thread of its own, since an
idle worker would notice neither: it stays ready while they are away.
"""

import shutil
import threading
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from cryptography import x509

from bus.keys.store import Keys, load_keys
from bus.metrics import Metrics
from bus.settings import Settings
from bus.wire.clients import Principal
from bus.wire.errors import no_answer, unavailable
from bus.wire.registry import Registry
from bus.workers.health import Health
from schemas.errors import BusError, KeyStoreError

_LOOK_EVERY_S = 10.0
_ANSWER_S = 5.0
_LEAVE_S = 1.0

Look = Callable[[], object]


def tell_health(metrics: Metrics, health: Health) -> None:
    """What `/health` says, as figures; read at each scrape."""
    metrics.gauge("bus_live").labels(metrics.worker).set_function(lambda: float(health.live))
    metrics.gauge("bus_ready").labels(metrics.worker).set_function(lambda: float(health.live and health.ready))
    metrics.gauge("bus_problem").labels(metrics.worker).set_function(lambda: float(health.problem is not None))


def tell_place(metrics: Metrics, settings: Settings) -> None:
    """How full the disk with the state directory is, read at each scrape, and how long the corridor keeps a change."""
    metrics.gauge("bus_disk_free_ratio").labels(metrics.worker).set_function(lambda: _free(settings))
    metrics.gauge("bus_corridor_retention_seconds").labels(metrics.worker).set(settings.corridor_retention_ms / 1000)


def _free(settings: Settings) -> float:
    try:
        usage = shutil.disk_usage(settings.state_dir)
    except OSError:
        # A folder that is gone or cannot be read is no better than a full one.
        return 0.0
    return usage.free / usage.total


def tell_keys(metrics: Metrics, settings: Settings, keys: Keys) -> None:
    """Whether the key store on disk still holds the keys that the worker started with; read at each scrape."""

    def current() -> float:
        try:
            return float(load_keys(settings.state_dir) == keys)
        except KeyStoreError:
            return 0.0

    metrics.gauge("bus_key_store_current").labels(metrics.worker).set_function(current)
    metrics.gauge("bus_token_keys").labels(metrics.worker).set(1 if keys.retiring is None else 2)


def tell_certificates(metrics: Metrics, principal: Principal) -> None:
    """When the worker's own TLS certificate ends, and its authority's: as read at its start, which is what it uses."""
    for kind, file, holder in (("tls", "tls.crt", principal.name), ("authority", "ca.crt", "authority")):
        try:
            content = (principal.folder / file).read_bytes()
            # A file of the authority may hold a chain: the first that ends breaks it.
            ends = [found.not_valid_after_utc for found in x509.load_pem_x509_certificates(content)]
        except (OSError, ValueError):
            # The clients say in their own words what is wrong with it.
            continue
        if kind == "tls":
            metrics.certificate("tls", holder, ends[0].timestamp())
        else:
            metrics.certificate("authority", holder, min(ends).timestamp())


class Watch:
    """Asks again and again whether what a worker needs answers.

    Args:
        metrics: where to tell.
        looks: a question for each target; it raises a BusError when there is no answer.
    """

    def __init__(self, metrics: Metrics, looks: Mapping[str, Look]) -> None:
        self._metrics = metrics
        self._looks = looks
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a question that is on its way is not waited for."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_LEAVE_S)

    def look(self) -> None:
        """Ask each target once."""
        for target, ask in self._looks.items():
            try:
                ask()
            except BusError:
                answers = 0.0
            else:
                answers = 1.0
            self._metrics.gauge("bus_reachable").labels(self._metrics.worker, target).set(answers)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(_LOOK_EVERY_S)


def looks(settings: Settings, admin: AdminClient, registry: Registry) -> dict[str, Look]:
    """The questions to Kafka and to the registry; each is small and changes nothing."""
    seconds = min(_ANSWER_S, settings.request_timeout_s)
    return {"kafka": lambda: _ask_kafka(admin, seconds), "registry": registry.compatibility}


def _ask_kafka(admin: AdminClient, seconds: float) -> None:
    try:
        admin.describe_cluster(request_timeout=seconds).result(2 * seconds)
    except KafkaException as error:
        raise unavailable("asking for the brokers", error) from None
    except TimeoutError:
        raise no_answer("asking for the brokers", "time-out") from None
