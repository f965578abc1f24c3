"""What is counted: every series that can be known is there at zero, and none is ever added by what comes in."""

from collections import Counter as Counts
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bus.metrics import METRICS, Metrics
from compliance.models import MODELS, OnboardingState, OwnerRule
from compliance.profiles import Law
from processors.deliver import Assignment
from processors.signature import signers_of
from schemas.refusals import RefusalCode
from schemas.resource import packaged_text
from tests.builders import PERMIT, corruptions, permit
from tests.hall import Hall
from tests.hall_register import POLICE, STATS, signing_key

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
END_TO_END = next(spec for spec in METRICS if spec.name == "bus_end_to_end_seconds")
LABELS = {
    *("agency", "resource", "code", "kind", "grant", "worker", "topic", "profile", "article", "target", "holder"),
    *("owner", "status", "check", "dimension", "result", "way", "state"),
}


def rendered(registry: CollectorRegistry) -> Series:
    """What a scrape reads: name and labels to value; the times of creation are left out."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def series(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric by its label values, in the table's order of labels."""
    labels = next(spec.labels for spec in METRICS if spec.name == name)
    return {
        tuple(dict(found)[label] for label in labels): value
        for (sample, found), value in rendered(metrics.registry).items()
        if sample == name
    }


@pytest.fixture
def hall() -> Hall:
    made = Hall(packaged_text(PERMIT))
    for name in ("g1", "g2"):
        plan = made.grant(("sex_code",), id=name)
        made.view.apply("grant", name, plan.grant)
    return made


@pytest.fixture
def metrics(hall: Hall) -> Metrics:
    made = Metrics("admit")
    made.begin_at_zero(hall.view)
    made.begin_register(Law.packaged("huizhou-2016").profiles)
    made.begin_freshness()
    made.begin_crosscheck(["marriage"])
    made.begin_intake(("alarm", "hit"), ("RAISED",))
    made.begin_notices(("MAIL",))
    return made


# -- at zero from the start ----------------------------------------------------------------------------------------


def test_refused_is_there_at_zero_by_every_code(metrics: Metrics) -> None:
    assert series(metrics, "bus_refused_total") == {(POLICE, PERMIT, code.value): 0 for code in RefusalCode}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("bus_admitted_total", {(POLICE, PERMIT)}),
        ("bus_published_total", {(POLICE, PERMIT)}),
        ("bus_delivered_total", {("g1", PERMIT), ("g2", PERMIT)}),
        ("bus_purged_total", {(f"change.{POLICE}.{PERMIT}",)}),
        ("bus_incidents_total", {("STATE_SECRET_FOUND",)}),
        ("bus_transactions_total", {("admit",)}),
        ("bus_transaction_aborts_total", {("admit",)}),
        ("bus_grants_catching_up", {()}),
        ("bus_register_outbox_pending", {()}),
        ("bus_register_sent_total", {(kind,) for kind in MODELS}),
    ],
)
def test_what_can_be_counted_is_there_at_zero(metrics: Metrics, name: str, labels: set[tuple[str, ...]]) -> None:
    assert series(metrics, name) == dict.fromkeys(labels, 0)


def test_every_series_is_at_zero_but_the_registers_version_and_ends_of_certificates(
    metrics: Metrics, hall: Hall
) -> None:
    found = rendered(metrics.registry)
    assert {name for (name, _), value in found.items() if value} == {
        "bus_register_version",
        "bus_certificate_expiry_seconds",
    }
    assert series(metrics, "bus_register_version") == {("admit",): hall.view.version}
    known = {name.removesuffix("_count") for name, _ in found}
    # How far a worker lags is known once it holds partitions; the rest is looked at, and a zero would be a false alarm.
    assert {spec.name for spec in METRICS if spec.name not in known} == {
        "bus_lag_messages",
        "bus_lag_seconds",
        "bus_live",
        "bus_ready",
        "bus_problem",
        "bus_reachable",
        "bus_corridor_retention_seconds",
        "bus_disk_free_ratio",
        "bus_key_store_current",
        "bus_token_keys",
        "bus_cases_open",
        "bus_freshness_sources",
        "bus_alarms_standing",
        "bus_crosscheck_hits",
        "bus_quality_score",
    }


def test_the_end_of_a_signing_certificate_is_the_latest_that_counts(metrics: Metrics, hall: Hall) -> None:
    [police, *_] = [agency for agency in hall.view.agencies() if agency.code == POLICE]
    end = max(signer.until.timestamp() for signer in signers_of(police))
    assert series(metrics, "bus_certificate_expiry_seconds")["signing", POLICE] == end
    revoked = datetime(2026, 1, 1, tzinfo=UTC)
    closed = tuple(one.model_copy(update={"revoked_at": revoked}) for one in police.certificates)
    hall.view.apply("agency", POLICE, police.model_copy(update={"certificates": closed}))
    metrics.begin_at_zero(hall.view)
    assert series(metrics, "bus_certificate_expiry_seconds")["signing", POLICE] == revoked.timestamp()
    # Who is not connected any more has nothing to renew.
    hall.view.apply("agency", POLICE, police.model_copy(update={"state": OnboardingState.APPLIED}))
    metrics.begin_at_zero(hall.view)
    assert ("signing", POLICE) not in series(metrics, "bus_certificate_expiry_seconds")


def test_every_article_with_a_clock_is_told_and_falls_back_to_zero(metrics: Metrics) -> None:
    articles = {("huizhou-2016", clock.article) for clock in Law.packaged("huizhou-2016").profiles[0].clocks}
    assert series(metrics, "bus_clocks_overdue") == dict.fromkeys(articles, 0)
    metrics.clocks({("huizhou-2016", "58"): (3, 1)})
    assert series(metrics, "bus_clocks_running")["huizhou-2016", "58"] == 3
    assert series(metrics, "bus_clocks_overdue")["huizhou-2016", "58"] == 1
    metrics.clocks({})
    assert series(metrics, "bus_clocks_running") == dict.fromkeys(articles, 0)


def test_what_belongs_to_the_worker_alone_is_there_before_the_register_is_read() -> None:
    before = {name for name, _ in rendered(Metrics("deliver").registry)}
    assert {"bus_transactions_total", "bus_end_to_end_seconds_bucket", "bus_grant_stop_seconds_count"} <= before
    assert not {"bus_admitted_total", "bus_refused_total", "bus_delivered_total"} & before


def test_an_agency_that_owned_an_earlier_version_is_still_counted(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, owners=(OwnerRule(agencies=(STATS,)),))
    metrics = Metrics("admit")
    metrics.begin_at_zero(hall.view)
    assert {labels[0] for labels in series(metrics, "bus_refused_total")} == {POLICE, STATS}


def test_beginning_again_resets_nothing(metrics: Metrics, hall: Hall) -> None:
    metrics.count(Counts({("admitted", POLICE, PERMIT): 3}))
    hall.agency("new")
    metrics.begin_at_zero(hall.view)
    assert series(metrics, "bus_admitted_total") == {(POLICE, PERMIT): 3}
    assert series(metrics, "bus_register_version") == {("admit",): hall.view.version}


# -- closed sets ---------------------------------------------------------------------------------------------------


def test_the_table_says_what_is_rendered(metrics: Metrics) -> None:
    families = list(text_string_to_metric_families(generate_latest(metrics.registry).decode()))
    told = {
        family.name: (family.type, family.documentation) for family in families if not family.name.endswith("_created")
    }
    assert told == {spec.name.removesuffix("_total"): (spec.kind, spec.help) for spec in METRICS}
    assert len({spec.name for spec in METRICS}) == len(METRICS)


def test_how_sources_stand_is_told_by_the_worker_that_leads_and_by_no_other(metrics: Metrics) -> None:
    metrics.freshness({("psb", "FRESH"): 2, ("psb", "SILENT"): 1}, {("SILENT", "psb", "psb"): 1})
    metrics.freshness({("psb", "FRESH"): 3}, {("DELIVERY_LAG", "psb", "operator"): 1})
    assert series(metrics, "bus_freshness_sources") == {("psb", "FRESH"): 3}
    assert series(metrics, "bus_alarms_standing") == {("DELIVERY_LAG", "psb", "operator"): 1}
    metrics.freshness({}, {})
    assert series(metrics, "bus_freshness_sources") == series(metrics, "bus_alarms_standing") == {}


def test_hits_and_scores_are_told_by_the_worker_that_leads_and_by_no_other(metrics: Metrics) -> None:
    scores = {("psb", "marriage", "TIMELINESS"): 0.5, ("psb", "marriage", "CONSISTENCY"): 1.0}
    metrics.crosscheck({("death_household", "psb"): 2, ("enterprise_tax", "market"): 1}, 40, scores)
    metrics.crosscheck({("death_household", "psb"): 3}, 41, dict([scores.popitem()]))
    assert series(metrics, "bus_crosscheck_hits") == {("death_household", "psb"): 3}
    assert series(metrics, "bus_crosscheck_subjects") == {(): 41}
    assert series(metrics, "bus_quality_score") == {("psb", "marriage", "CONSISTENCY"): 1}
    metrics.crosscheck({}, 0, {})
    assert series(metrics, "bus_crosscheck_hits") == series(metrics, "bus_quality_score") == {}


def test_cases_that_are_closed_and_rules_that_are_mended_count_no_more(metrics: Metrics) -> None:
    metrics.cases({("police", "NOTIFIED"): 2, ("civil", "RECEIVED"): 1})
    metrics.cases({("civil", "RECEIVED"): 3})
    assert series(metrics, "bus_cases_open") == {("police", "NOTIFIED"): 0, ("civil", "RECEIVED"): 3}
    metrics.drift({"MISSING": 0, "SURPLUS": 2, "FOREIGN": 1})
    metrics.drift({"MISSING": 0, "SURPLUS": 0, "FOREIGN": 1})
    assert series(metrics, "bus_rights_drift") == {("MISSING",): 0, ("SURPLUS",): 0, ("FOREIGN",): 1}


def test_labels_come_from_closed_sets() -> None:
    assert {label for spec in METRICS for label in spec.labels} == LABELS


def test_nothing_that_comes_in_adds_a_series(metrics: Metrics, hall: Hall) -> None:
    """Good changes, every wrong one, and rubbish: the counts move, their labels were there before."""
    before = rendered(metrics.registry).keys()
    wrong = [hall.change(case.row) for case in corruptions(PERMIT)]
    verdict = hall.admit(
        hall.submit([hall.change(permit(number)) for number in range(3)] + wrong),
        hall.submit([hall.change(permit(9))], classification="SECRET"),
        hall.submit([hall.change(permit(9))], review_number="R-unknown"),
        hall.submit([hall.change(permit(9))], agency="someone"),
        hall.submit([hall.change(permit(9))], key=signing_key("stranger")),
        hall.message(b"rubbish"),
        hall.message(None),
    )
    metrics.count(verdict.outcome.counts)
    plan = hall.grant(("sex_code",), id="g1")
    metrics.count(hall.run(verdict.records, [Assignment(plan, 0, None)]).counts)
    after = rendered(metrics.registry)
    assert after.keys() == before
    admitted = len(verdict.records)
    assert admitted >= 3
    assert series(metrics, "bus_admitted_total") == {(POLICE, PERMIT): admitted}
    assert series(metrics, "bus_delivered_total") == {("g1", PERMIT): admitted, ("g2", PERMIT): 0}
    assert series(metrics, "bus_incidents_total") == {("STATE_SECRET_FOUND",): 1}
    refused = {labels[2]: value for labels, value in series(metrics, "bus_refused_total").items() if value}
    assert {"E_SIGNATURE", "E_ROUTE", "E_SECRECY_REVIEW", "E_STATE_SECRET", "E_SCHEMA", "E_CODE"} <= set(refused)
    assert sum(refused.values()) == len(verdict.refusals)


def test_a_count_that_the_table_does_not_have_is_an_error(metrics: Metrics) -> None:
    with pytest.raises(KeyError):
        metrics.count(Counts({("lost", "x"): 1}))


# -- latencies -----------------------------------------------------------------------------------------------------

_EDGES = [int(bound * 1000) for bound in END_TO_END.buckets]


@given(st.lists(st.integers(-10, 700_000) | st.sampled_from([edge + off for edge in _EDGES for off in (-1, 0, 1)])))
@example([*_EDGES, *_EDGES])
@example([-5, 0, 600_001])
def test_the_weighted_histogram_agrees_with_the_client_librarys_own(milliseconds: list[int]) -> None:
    ours = Metrics("deliver")
    ours.latencies(milliseconds)
    theirs = CollectorRegistry()
    histogram = Histogram(END_TO_END.name, END_TO_END.help, registry=theirs, buckets=END_TO_END.buckets)
    for value in milliseconds:
        histogram.observe(max(0, value) / 1000)
    mine = {key: value for key, value in rendered(ours.registry).items() if key[0].startswith(END_TO_END.name)}
    assert mine == pytest.approx(rendered(theirs))
    assert mine.keys() == rendered(theirs).keys()


def test_latencies_of_several_threads_are_all_counted() -> None:
    metrics = Metrics("deliver")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(metrics.latencies, [[7, 7, 80]] * 400))
    found = rendered(metrics.registry)
    assert found["bus_end_to_end_seconds_count", ()] == 1_200
    assert found["bus_end_to_end_seconds_bucket", (("le", "0.01"),)] == 800
