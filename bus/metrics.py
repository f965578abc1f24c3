"""Every metric of the bus in one table; all series that can be known exist at zero from the start.

Labels come from closed sets: agencies, resources and grants of the register, refusal codes. Never an identity.
"""

import threading
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily

from bus.provision.drift import KINDS as DRIFT_KINDS
from bus.topics import change_topic
from compliance.clocks import Profile
from compliance.models import MODELS
from compliance.view import RegisterView
from processors.signature import signers_of
from schemas.refusals import RefusalCode


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One row of the table: name, kind, labels, what it counts, and for histograms the upper bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
_END_TO_END = "bus_end_to_end_seconds"
_CERTIFICATE = "bus_certificate_expiry_seconds"
_SIZES = (1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 50_000)

METRICS: tuple[MetricSpec, ...] = (
    MetricSpec("bus_admitted_total", "counter", ("agency", "resource"), "changes admitted"),
    MetricSpec(
        "bus_refused_total", "counter", ("agency", "resource", "code"), "changes or submissions refused, by code"
    ),
    MetricSpec("bus_incidents_total", "counter", ("kind",), "incidents opened"),
    MetricSpec("bus_delivered_total", "counter", ("grant", "resource"), "events delivered, by grant"),
    MetricSpec("bus_relocated_total", "counter", ("resource",), "records moved to or restored at their subject's home"),
    MetricSpec("bus_published_total", "counter", ("agency", "resource"), "changes that a connector published"),
    MetricSpec("bus_lag_messages", "gauge", ("worker", "topic"), "messages between a worker's position and the end"),
    MetricSpec(_END_TO_END, "histogram", (), "from publication to delivery, by event", _SECONDS),
    MetricSpec("bus_transactions_total", "counter", ("worker",), "transactions committed"),
    MetricSpec("bus_transaction_aborts_total", "counter", ("worker",), "transactions aborted"),
    MetricSpec("bus_batch_messages", "histogram", ("worker",), "messages in a batch", _SIZES),
    MetricSpec("bus_grant_stop_seconds", "histogram", (), "from a grant's end in the register to its stop", _SECONDS),
    MetricSpec("bus_grants_catching_up", "gauge", (), "grant partitions that are not live yet"),
    MetricSpec("bus_purged_total", "counter", ("topic",), "purges of change topics behind the committed position"),
    MetricSpec("bus_register_version", "gauge", ("worker",), "register changes that a worker has read"),
    MetricSpec("bus_register_outbox_pending", "gauge", (), "decisions that are not on Kafka yet"),
    MetricSpec("bus_register_outbox_oldest_seconds", "gauge", (), "age of the oldest decision that is not on Kafka"),
    MetricSpec("bus_register_sent_total", "counter", ("kind",), "register events written, by kind"),
    MetricSpec("bus_clocks_running", "gauge", ("profile", "article"), "clocks that run, by the article they are under"),
    MetricSpec("bus_clocks_overdue", "gauge", ("profile", "article"), "clocks that are overdue, by article"),
    MetricSpec(
        "bus_cases_open", "gauge", ("agency", "state"), "open cases about data, by responsible agency and state"
    ),
    MetricSpec("bus_rights_drift", "gauge", ("kind",), "access rules that differ from the register's, by kind"),
    MetricSpec(
        "bus_freshness_sources",
        "gauge",
        ("agency", "status"),
        "sources, groups of fields each, by agency and how they stand",
    ),
    MetricSpec(
        "bus_alarms_standing", "gauge", ("code", "agency", "owner"), "freshness alarms that stand, and who must act"
    ),
    MetricSpec("bus_freshness_passed_over_total", "counter", ("kind",), "messages about sources that say nothing"),
    MetricSpec("bus_crosscheck_hits", "gauge", ("check", "agency"), "hits that stand, by check and who is asked"),
    MetricSpec("bus_crosscheck_records_total", "counter", ("resource",), "record messages that were taken over"),
    MetricSpec("bus_crosscheck_subjects", "gauge", (), "subjects of which something is known"),
    MetricSpec(
        "bus_quality_score",
        "gauge",
        ("agency", "resource", "dimension"),
        "quality from 0 to 1 of what came on the last day on which anything came",
    ),
    MetricSpec(
        "bus_intake_total",
        "counter",
        ("topic", "result"),
        "alarms, hits and differences taken in, by what came of them",
    ),
    MetricSpec("bus_intake_without_case", "gauge", (), "findings that stand and could not become a case"),
    MetricSpec("bus_intake_alarms_waiting", "gauge", (), "alarms that stand and are not told again yet"),
    MetricSpec("bus_notices_waiting", "gauge", ("way",), "notices whose hour has come and that have not left"),
    MetricSpec("bus_notices_sent_total", "counter", ("way",), "notices that left"),
    MetricSpec("bus_notices_failed_total", "counter", ("way",), "attempts to send a notice that failed"),
    MetricSpec("bus_live", "gauge", ("worker",), "1 while the worker's loop turns"),
    MetricSpec("bus_ready", "gauge", ("worker",), "1 while the worker is live and has read the register"),
    MetricSpec("bus_problem", "gauge", ("worker",), "1 while /health names a problem"),
    MetricSpec("bus_reachable", "gauge", ("worker", "target"), "1 while Kafka, or the registry, answers the worker"),
    MetricSpec("bus_lag_seconds", "gauge", ("worker",), "age of the oldest message of the last batch, 0 without one"),
    MetricSpec("bus_corridor_retention_seconds", "gauge", ("worker",), "how long a change that nobody read is kept"),
    MetricSpec("bus_disk_free_ratio", "gauge", ("worker",), "free part of the disk with the state directory"),
    MetricSpec("bus_key_store_current", "gauge", ("worker",), "1 while keys.json holds the keys that the worker uses"),
    MetricSpec("bus_token_keys", "gauge", ("worker",), "token keys that the worker uses: 2 while keys are changed"),
    MetricSpec(_CERTIFICATE, "gauge", ("kind", "holder"), "when a certificate ends, seconds since the epoch"),
)


_Labels = TypeVar("_Labels", bound=tuple[str, ...])


class Metrics:
    """The metrics of one process, in a registry of its own.

    Args:
        worker: the worker's kind, for its label.
    """

    def __init__(self, worker: str) -> None:
        self.registry = CollectorRegistry()
        self.worker = worker
        self._articles: set[tuple[str, str]] = set()
        self._signing: set[str] = set()
        self._cases: set[tuple[str, str]] = set()
        self._told: dict[str, set[tuple[str, ...]]] = {
            "bus_freshness_sources": set(),
            "bus_alarms_standing": set(),
            "bus_crosscheck_hits": set(),
            "bus_quality_score": set(),
        }
        self._end_to_end = _WeightedHistogram(next(spec for spec in METRICS if spec.name == _END_TO_END))
        self.registry.register(self._end_to_end)
        self._made: dict[str, Counter | Gauge | Histogram] = {
            spec.name: self._make(spec) for spec in METRICS if spec.name != _END_TO_END
        }
        for name in ("bus_transactions_total", "bus_transaction_aborts_total"):
            self.counter(name).labels(worker)
        self.histogram("bus_batch_messages").labels(worker)
        self.counter("bus_incidents_total").labels("STATE_SECRET_FOUND")
        self.gauge("bus_register_version").labels(worker).set(0)

    def _make(self, spec: MetricSpec) -> Counter | Gauge | Histogram:
        if spec.kind == "histogram":
            return Histogram(spec.name, spec.help, spec.labels, registry=self.registry, buckets=spec.buckets)
        maker = Counter if spec.kind == "counter" else Gauge
        return maker(spec.name, spec.help, spec.labels, registry=self.registry)

    def counter(self, name: str) -> Counter:
        """A counter of the table."""
        found = self._made[name]
        assert isinstance(found, Counter)  # noqa: S101  the table says so
        return found

    def gauge(self, name: str) -> Gauge:
        """A gauge of the table."""
        found = self._made[name]
        assert isinstance(found, Gauge)  # noqa: S101  the table says so
        return found

    def histogram(self, name: str) -> Histogram:
        """A histogram of the table."""
        found = self._made[name]
        assert isinstance(found, Histogram)  # noqa: S101  the table says so
        return found

    def begin_at_zero(self, view: RegisterView) -> None:
        """Make every series that the register allows, at zero: what is missing later was never possible."""
        for entry in view.entries():
            self.counter("bus_relocated_total").labels(entry.resource)
            # Who owned a part under an earlier version still has its topic, and may be refused on it.
            rules = [rule for version in view.versions(entry.resource) for rule in version.owners]
            for code in {agency for rule in rules for agency in rule.agencies}:
                self.counter("bus_purged_total").labels(change_topic(code, entry.resource))
                self.counter("bus_admitted_total").labels(code, entry.resource)
                self.counter("bus_published_total").labels(code, entry.resource)
                for refusal in RefusalCode:
                    self.counter("bus_refused_total").labels(code, entry.resource, refusal.value)
        for grant in view.grants():
            self.counter("bus_delivered_total").labels(grant.id, grant.resource)
        self.gauge("bus_register_version").labels(self.worker).set(view.version)
        self._signing_certificates(view)

    def _signing_certificates(self, view: RegisterView) -> None:
        """Tell until when each connected agency can sign with what the register lists; 0 when it cannot at all."""
        ends = {
            agency.code: max((signer.until.timestamp() for signer in signers_of(agency)), default=0.0)
            for agency in view.agencies()
            if agency.onboarded and agency.certificates
        }
        for code in self._signing - ends.keys():
            self.gauge(_CERTIFICATE).remove("signing", code)
        for code, end in ends.items():
            self.certificate("signing", code, end)
        self._signing = set(ends)

    def certificate(self, kind: Literal["tls", "authority", "signing"], holder: str, end: float) -> None:
        """Tell when a certificate ends, in seconds since the epoch; the holder is a principal or an agency."""
        self.gauge(_CERTIFICATE).labels(kind, holder).set(end)

    def begin_register(self, profiles: Iterable[Profile]) -> None:
        """Make every series of the register's own worker, at zero: each kind, and each article that has a clock."""
        for kind in MODELS:
            self.counter("bus_register_sent_total").labels(kind)
        for drift in DRIFT_KINDS:
            self.gauge("bus_rights_drift").labels(drift)
        self._articles = {(profile.id, clock.article) for profile in profiles for clock in profile.clocks}
        self.clocks({})

    def drift(self, found: Mapping[str, int]) -> None:
        """Take over how many access rules differ, by kind."""
        for kind, number in found.items():
            self.gauge("bus_rights_drift").labels(kind).set(number)

    def cases(self, found: Mapping[tuple[str, str], int]) -> None:
        """Take over how many cases about data are open, by responsible agency and state; what is not named has none."""
        for labels in self._cases | found.keys():
            self.gauge("bus_cases_open").labels(*labels).set(found.get(labels, 0))
        self._cases |= found.keys()

    def clocks(self, found: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """Take over how many clocks run and are overdue, by profile and article; what is not named has none."""
        for name, place in (("bus_clocks_running", 0), ("bus_clocks_overdue", 1)):
            for labels in self._articles | found.keys():
                self.gauge(name).labels(*labels).set(found.get(labels, (0, 0))[place])
        self._articles |= found.keys()

    def begin_intake(self, topics: Iterable[str], results: Iterable[str]) -> None:
        """Make every series of the intake worker, at zero."""
        known = tuple(results)
        for topic in topics:
            for result in known:
                self.counter("bus_intake_total").labels(topic, result)

    def begin_notices(self, ways: Iterable[str]) -> None:
        """Make every series of the notice worker, at zero."""
        for way in ways:
            self.gauge("bus_notices_waiting").labels(way).set(0)
            self.counter("bus_notices_sent_total").labels(way)
            self.counter("bus_notices_failed_total").labels(way)

    def begin_freshness(self) -> None:
        """Make every series of the freshness worker that can be known, at zero."""
        for kind in ("pulse", "delivery-pulse", "heartbeat", "declaration"):
            self.counter("bus_freshness_passed_over_total").labels(kind)

    def freshness(self, sources: Mapping[tuple[str, str], int], alarms: Mapping[tuple[str, str, str], int]) -> None:
        """Take over how many sources stand how, and the alarms; what is not named is gone: another worker leads."""
        self._only("bus_freshness_sources", sources)
        self._only("bus_alarms_standing", alarms)

    def begin_crosscheck(self, resources: Iterable[str]) -> None:
        """Make every series of the cross-check worker that can be known, at zero."""
        for resource in resources:
            self.counter("bus_crosscheck_records_total").labels(resource)

    def crosscheck(
        self, hits: Mapping[tuple[str, str], int], subjects: int, scores: Mapping[tuple[str, str, str], float]
    ) -> None:
        """Take over the hits that stand by check and asked agency, and scores; what is not named is another lead's."""
        self._only("bus_crosscheck_hits", hits)
        self._only("bus_quality_score", scores)
        self.gauge("bus_crosscheck_subjects").set(subjects)

    def _only(self, name: str, found: Mapping[_Labels, float]) -> None:
        gauge = self.gauge(name)
        for labels in self._told[name] - found.keys():
            gauge.remove(*labels)
        for labels, number in found.items():
            gauge.labels(*labels).set(number)
        self._told[name] = set(found)

    def count(self, counts: Counts[tuple[str, ...]]) -> None:
        """Add what a processor counted; each key is a metric's middle name and its label values."""
        for (name, *labels), number in counts.items():
            self.counter(f"bus_{name}_total").labels(*labels).inc(number)

    def latencies(self, milliseconds: Iterable[int]) -> None:
        """Observe end-to-end latencies; events of one submission share theirs, so each value is observed once."""
        for value, times in Counts(milliseconds).items():
            self._end_to_end.observe(max(0, value) / 1000, times)


class _WeightedHistogram:
    """A histogram that takes a value many times at once; the client library's own takes one at a time."""

    def __init__(self, spec: MetricSpec) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._counts = [0] * (len(spec.buckets) + 1)
        self._sum = 0.0

    def observe(self, value: float, times: int) -> None:
        """Count a value so many times."""
        with self._lock:
            self._counts[bisect_left(self._spec.buckets, value)] += times
            self._sum += value * times

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What is scraped: cumulative buckets, as the exposition format wants them."""
        with self._lock:
            sums, total = list(accumulate(self._counts)), self._sum
        names = [*(str(float(bound)) for bound in self._spec.buckets), "+Inf"]
        yield HistogramMetricFamily(
            self._spec.name, self._spec.help, buckets=list(zip(names, sums, strict=True)), sum_value=total
        )
