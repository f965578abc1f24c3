"""Cross-checks over a batch: facts in, hits opened and closed out; a pure function of the batch and what is kept.

The versions of one record come in Kafka's order; those of different records, and of different resources, in any, and a
repeat changes nothing. So the hits that stand depend on the facts alone; what was opened and closed in between, and
since when a hit counts, depends on what was known then.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from compliance.crosschecks import CrossCheck, Kind
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import Checked, Closed, Hit, Reason, Subject, Superseded, Version, Waiver
from processors.freshness.words import DAY

_NOTHING = Subject()


@dataclass(frozen=True, slots=True)
class _Pair:
    """What a check found before time and waivers are looked at."""

    left: RecordFact
    right: RecordFact | None
    fields: tuple[str, ...]
    compared: bytes


class CrossChecker:
    """The checks, sorted by the resources that they look at.

    Args:
        checks: the rules.
    """

    def __init__(self, checks: Iterable[CrossCheck]) -> None:
        self._by_resource: dict[str, list[CrossCheck]] = {}
        for check in checks:
            for resource in check.left.resources:
                self._by_resource.setdefault(resource, []).append(check)

    def check(
        self,
        facts: Iterable[RecordFact],
        waivers: Iterable[Waiver],
        subjects: Mapping[bytes, Subject],
        at: int,
        woken: Iterable[bytes] = (),
    ) -> Checked:
        """One batch.

        Args:
            facts: versions of records, those of one record in their order.
            waivers: pairs that somebody found to be in order.
            subjects: what is kept, by token; not changed here.
            at: the time of the batch, milliseconds.
            woken: subjects whose time has come.
        """
        done = Checked(subjects=self.fold(facts, subjects))
        touched = dict.fromkeys([*woken, *done.subjects])
        for waiver in waivers:
            before = done.subjects.get(waiver.token) or subjects.get(waiver.token, _NOTHING)
            waived = {**before.waivers, (waiver.pair, waiver.compared): waiver}
            done.subjects[waiver.token] = Subject(before.records, before.hits, waived)
            touched[waiver.token] = None
        for token in touched:
            self._settle(token, done.subjects.get(token) or subjects.get(token, _NOTHING), at, done)
        return done

    @staticmethod
    def fold(facts: Iterable[RecordFact], subjects: Mapping[bytes, Subject]) -> dict[bytes, Subject]:
        """What is known of each subject that a fact changes, without judging it; what was never here leaves no trace.

        Args:
            facts: versions of records, those of one record in their order.
            subjects: what is kept, by token; not changed here.
        """
        folded: dict[bytes, Subject] = {}
        for fact in facts:
            before = folded.get(fact.token) or subjects.get(fact.token, _NOTHING)
            known = before.records.get((fact.resource, fact.record))
            if fact.present if known is None else known.version < fact.version:
                records = {**before.records, (fact.resource, fact.record): _standing_since(known, fact)}
                folded[fact.token] = Subject(records, before.hits, before.waivers)
        return folded

    def _settle(self, token: bytes, subject: Subject, at: int, done: Checked) -> None:
        found, waived = self._standing(token, subject, at, done)
        for pair, hit in found.items():
            before = subject.hits.get(pair)
            if before is None:
                done.opened.append(hit)
            elif hit != before:
                done.revised.append(hit)
                correction = superseded_by(before, subject)
                done.superseded += () if correction is None else (correction,)
        done.closed += (
            _closed(hit, subject, waived=pair in waived) for pair, hit in subject.hits.items() if pair not in found
        )
        done.subjects[token] = Subject(subject.records, found, subject.waivers)

    def _standing(self, token: bytes, subject: Subject, at: int, done: Checked) -> tuple[dict[str, Hit], set[str]]:
        """The hits that stand by pair, and the pairs that are waived; notes when the next one will stand."""
        found: dict[str, Hit] = {}
        waived: set[str] = set()
        later = []
        for hit in self._hits(token, subject):
            pair = hit.pair
            before = subject.hits.get(pair)
            if before is not None and before.compared == hit.compared and before.since < hit.since:
                # What was told goes on while it is the same: compaction may have taken the version that says since when.
                hit = replace(hit, since=before.since)  # noqa: PLW2901  the same hit, told before
            if (pair, hit.compared) in subject.waivers:
                waived.add(pair)
            elif at < hit.since:
                later.append(hit.since)
            else:
                found[pair] = hit
        if later:
            done.wakes.append((min(later), token))
        return found, waived

    def _hits(self, token: bytes, subject: Subject) -> Iterator[Hit]:
        present = [fact for fact in subject.records.values() if fact.present]
        for left in present:
            for check in self._by_resource.get(left.resource, ()):
                if f"{check.id}.left" not in left.holds:
                    continue
                for pair in _JUDGES[check.kind](check, left, present):
                    times = (left.business_time, pair.right.business_time if pair.right else left.business_time)
                    yield Hit(
                        check.id,
                        token,
                        Version.of(pair.left),
                        None if pair.right is None else Version.of(pair.right),
                        pair.fields,
                        max(times) + check.tolerance_days * DAY,
                        pair.compared,
                        check.asks == "RIGHT",
                    )


def _agrees(check: CrossCheck, left: RecordFact, present: list[RecordFact]) -> Iterator[_Pair]:
    for right in present:
        # Digests of two keys say nothing of each other.
        if f"{check.id}.right" not in right.holds or right.key_id != left.key_id:
            continue
        differing, seen = [], []
        for comparison in check.compare:
            one = left.digests.get(f"{comparison.left}:{comparison.normalise.value}")
            other = right.digests.get(f"{comparison.right}:{comparison.normalise.value}")
            if one == other or ((one is None or other is None) and comparison.missing == "IGNORE"):
                continue
            differing.append(comparison.left)
            seen += [one or b"", other or b""]
        if differing:
            yield _Pair(left, right, tuple(differing), _digest(*(name.encode() for name in differing), *seen))


def _states(check: CrossCheck, left: RecordFact, present: list[RecordFact]) -> Iterator[_Pair]:
    resources = check.right.resources if check.right else ()
    for right in present:
        if right.resource in resources and right.key_id is not None and f"{check.id}.right" not in right.holds:
            yield _Pair(left, right, (), _digest(b"states"))


def _requires(check: CrossCheck, left: RecordFact, present: list[RecordFact]) -> Iterator[_Pair]:
    resources = check.right.resources if check.right else ()
    # Of a record that is older than facts it is not known what it holds: it may be the one that is asked for.
    may_be = (right.key_id is None and right.resource in resources for right in present)
    if not any(may_be) and not any(f"{check.id}.right" in right.holds for right in present):
        yield _Pair(left, None, (), _digest(b"requires"))


def _excludes(check: CrossCheck, left: RecordFact, present: list[RecordFact]) -> Iterator[_Pair]:
    for right in present:
        if f"{check.id}.right" in right.holds and right is not left:
            yield _Pair(left, right, (), _digest(b"excludes"))


def _linked(check: CrossCheck, left: RecordFact, _present: list[RecordFact]) -> Iterator[_Pair]:
    if check.link is None:
        return
    token = left.references.get(check.link.number_field)
    if token is not None and token != left.token:
        yield _Pair(left, None, (check.link.number_field,), _digest(b"linked", token))


def _single_source(check: CrossCheck, left: RecordFact, present: list[RecordFact]) -> Iterator[_Pair]:
    """Each two once: the one that comes first by name stands left."""
    for right in present:
        two = f"{check.id}.left" in right.holds and right.agency != left.agency
        if two and (left.resource, left.record) < (right.resource, right.record):
            agencies = (left.agency.encode(), right.agency.encode())
            yield _Pair(left, right, (), _digest(b"single", *agencies))


_JUDGES = {
    Kind.AGREES: _agrees,
    Kind.STATES: _states,
    Kind.REQUIRES: _requires,
    Kind.EXCLUDES: _excludes,
    Kind.LINKED: _linked,
    Kind.SINGLE_SOURCE: _single_source,
}


def _standing_since(known: RecordFact | None, fact: RecordFact) -> RecordFact:
    """The fact, and where nothing changed of what is compared, since when it has been so: an update is no new start."""
    if known is None or known.business_time >= fact.business_time:
        return fact
    same = (known.present, known.agency, known.digests, known.holds, known.references)
    if same != (fact.present, fact.agency, fact.digests, fact.holds, fact.references):
        return fact
    return replace(fact, business_time=known.business_time)


def _digest(*parts: bytes) -> bytes:
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()[:16]


def _closed(hit: Hit, subject: Subject, *, waived: bool) -> Closed:
    """Why a hit is none any more; a correction by the asked owner says so, whatever else changed."""
    correction = superseded_by(hit, subject)
    sides = [side for side in (hit.left, hit.right) if side is not None]
    if correction is not None:
        return Closed(hit, Reason.CORRECTED, correction)
    if any((now := subject.records.get(side.name)) is None or not now.present for side in sides):
        return Closed(hit, Reason.WITHDRAWN)
    return Closed(hit, Reason.WAIVED if waived else Reason.OTHER_CHANGED)


def superseded_by(hit: Hit, subject: Subject) -> Superseded | None:
    """The new version of the record that was asked about, if there is one."""
    asked = hit.asked
    now = subject.records.get(asked.name)
    if now is None or not now.present or now.event_id == asked.event_id:
        return None
    return Superseded(asked.resource, now.agency, asked.event_id, now.event_id)
