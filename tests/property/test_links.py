"""Identity links: whatever the order of links and changes, the same state; one subject, one home (decisions 17)."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.batch import Outgoing
from processors.deliver import RecordMessage
from processors.keying import TOKEN_BYTES, TokenKeys, record_key
from processors.links import Links
from processors.relocate import Best, Relocator, Writer
from processors.sealing import Opener, Sealer, SectionKeys
from schemas.codec import Codec
from schemas.partition import partition_of
from tests.examples import examples

PARTITIONS = 3
TOKENS = [bytes([number]) * TOKEN_BYTES for number in (7, 1, 9, 4, 12)]
DISCRIMINATORS = (b"", b"d" * TOKEN_BYTES)
KEYS = TokenKeys("t1", bytes(32), bytes(32))
SECTION_KEYS = SectionKeys("s1", bytes(32), bytes(32))


class Pickled(Codec):
    """Any datum as bytes: what a record holds is not the point here."""

    def __init__(self) -> None:
        super().__init__({"type": "record", "name": "Any", "fields": []})

    def encode_physical(self, datum: Any) -> bytes:
        return pickle.dumps(datum)


@dataclass(frozen=True)
class Op:
    """A change of one identity's record, its withdrawal, or a link between two identities."""

    kind: str
    who: int
    other: int = 0
    at: int = 0


def record_of(op: Op, discriminator: bytes) -> dict[str, Any]:
    change = {
        "event_id": f"e{op.at:03d}",
        "operation": "WITHDRAW" if op.kind == "withdraw" else "UPDATE",
        "index": 0,
        "discriminator": discriminator,
        "moved_to": None,
        "moved_at": None,
        "flags": [],
    }
    facts = {"published_at": op.at, "layout_version": 1, "key_id": "s1", "token_key": "t1"}
    return {"change": change, "submission": facts, "open": {}, "identity": None, "restricted": None}


def decode(message: RecordMessage) -> dict[str, Any]:
    found: dict[str, Any] = pickle.loads(message.value or b"")  # noqa: S301  our own bytes
    return found


@dataclass
class World:
    """Record partitions, the log of links, one relocate worker; every step is a transaction."""

    logs: list[list[RecordMessage]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    link_log: list[tuple[bytes, bytes]] = field(default_factory=list)
    positions: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    applied: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    alone: bool = True
    best: list[dict[bytes, Best]] = field(default_factory=lambda: [{} for _ in range(PARTITIONS)])

    def __post_init__(self) -> None:
        self.links = Links()
        self.known = 0
        self.relocator = Relocator(self.links, KEYS, Sealer(SECTION_KEYS, bytes), Opener({"s1": SECTION_KEYS}))
        self.writer = Writer("record.x", PARTITIONS, lambda _: (b"", Pickled()))

    def append(self, message: Outgoing) -> None:
        log = self.logs[message["partition"]]
        log.append(RecordMessage(len(log), message["key"], message["value"]))

    def admit(self, op: Op, knows: int) -> None:
        """Admit one operation, knowing the first so many links."""
        if op.kind == "link":
            self.link_log.append((TOKENS[op.who], TOKENS[op.other]))
            return
        links = Links()
        for source, target in self.link_log[:knows]:
            links.put(source, target)
        token = links.home(TOKENS[op.who])
        discriminator = DISCRIMINATORS[op.other % len(DISCRIMINATORS)]
        key, partition = record_key(token, discriminator, KEYS), partition_of(token, PARTITIONS)
        self.append({"key": key, "value": pickle.dumps(record_of(op, discriminator)), "partition": partition})
        if op.kind == "withdraw":
            self.append({"key": key, "value": None, "partition": partition})

    def poll(self) -> None:
        """The worker reads the links to their end."""
        for source, target in self.link_log[self.known :]:
            self.links.put(source, target)
        self.known = len(self.link_log)

    def worked(self, partition: int, messages: list[RecordMessage]) -> list[Outgoing]:
        """What the worker decides about messages of one partition."""
        out: list[Outgoing] = []
        for key, found in self.relocator.overtaken(messages, decode, self.best[partition]).items():
            record = decode(self.logs[partition][found.offset])
            out += self.relocator.restore(key, partition, record, self.writer, 1)
        leaving = self.relocator.leaving(partition, messages, decode, PARTITIONS)
        # Another worker may hold the other partitions: what stands there is not known then.
        known = self.best[partition] if self.alone is False else {k: v for best in self.best for k, v in best.items()}
        return out + self.relocator.move(leaving, known, self.writer, now_ms=1)

    def consume(self, partition: int, most: int) -> Iterator[list[Outgoing]]:
        start = self.positions[partition]
        batch = self.logs[partition][start : start + most]
        out = self.worked(partition, batch)
        yield []
        yield out
        self.positions[partition] = start + len(batch)

    def apply_links(self, partition: int) -> Iterator[list[Outgoing]]:
        upto = self.known
        wanted = self.links.to_look_for([source for source, _ in self.link_log[self.applied[partition] : upto]])
        wanted |= {self.links.home(token) for token in wanted}
        seen = [m for m in self.logs[partition][: self.positions[partition]] if m.key[:TOKEN_BYTES] in wanted]
        out = self.worked(partition, seen)
        yield []
        yield out
        self.applied[partition] = upto

    def finish(self) -> None:
        """Let the worker run until nothing is left to do."""
        idle = False
        while not idle:
            idle = True
            self.poll()
            for partition in range(PARTITIONS):
                for step in (self.apply_links(partition), self.consume(partition, 1_000)):
                    before = (self.applied[partition], self.positions[partition])
                    for out in step:
                        for message in out:
                            self.append(message)
                    idle = idle and before == (self.applied[partition], self.positions[partition])

    def state(self) -> dict[bytes, str]:
        """What compaction leaves: key → event id."""
        found: dict[bytes, str] = {}
        for log in self.logs:
            for message in log:
                found.pop(message.key, None)
                if message.value is not None:
                    found[message.key] = decode(message)["change"]["event_id"]
        return found


def expected(ops: list[Op]) -> dict[bytes, str]:
    """The record that was published last of each subject and discriminator, at the subject's home."""
    links = Links()
    for op in ops:
        if op.kind == "link":
            links.put(TOKENS[op.who], TOKENS[op.other])
    last: dict[bytes, Op] = {}
    for op in sorted((op for op in ops if op.kind != "link"), key=lambda op: op.at):
        token = links.home(TOKENS[op.who])
        last[record_key(token, DISCRIMINATORS[op.other % len(DISCRIMINATORS)], KEYS)] = op
    return {key: f"e{op.at:03d}" for key, op in last.items() if op.kind != "withdraw"}


@st.composite
def histories(draw: st.DrawFn) -> list[Op]:
    """Operations in an order that keeps each identity's own changes in theirs; each identity is linked once."""
    changes = [
        Op(draw(st.sampled_from(("change", "change", "change", "withdraw"))), who, draw(st.integers(0, 1)), at)
        for at, who in enumerate(draw(st.lists(st.integers(0, len(TOKENS) - 1), max_size=8)))
    ]
    sources = draw(st.lists(st.integers(0, len(TOKENS) - 1), max_size=5, unique=True))
    links = [
        Op("link", who, draw(st.integers(0, len(TOKENS) - 1).filter(lambda other, who=who: other != who)))
        for who in sources
    ]
    mixed = draw(st.permutations([*changes, *links]))
    # Put each identity's changes back into their own order, at the places that they have in the mix.
    queues = {who: iter([op for op in changes if op.who == who]) for who in range(len(TOKENS))}
    return [op if op.kind == "link" else next(queues[op.who]) for op in mixed]


@settings(max_examples=examples(300), deadline=None)
@given(histories(), st.data())
def test_any_order_of_links_and_changes_ends_in_the_same_state(ops: list[Op], data: st.DataObject) -> None:
    world, running = World(alone=data.draw(st.booleans())), []
    for op in ops:
        world.admit(op, knows=data.draw(st.integers(0, len(world.link_log))))
        for _ in range(data.draw(st.integers(0, 3))):
            if running:
                step = running.pop()
                for out in step:
                    for message in out:
                        world.append(message)
                continue
            world.poll()
            partition = data.draw(st.integers(0, PARTITIONS - 1))
            step = data.draw(st.sampled_from((world.apply_links, lambda p: world.consume(p, 2))))(partition)
            # The worker has looked; what it decides is written after others have gone on.
            next(step)
            running.append(step)
    for step in running:
        for out in step:
            for message in out:
                world.append(message)
    world.finish()
    assert world.state() == expected(ops)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=5, unique_by=lambda pair: pair[0]))
def test_a_home_depends_on_the_set_of_links_alone_and_is_its_own_home(pairs: list[tuple[int, int]]) -> None:
    homes = set()
    for order in permutations(pairs):
        links = Links()
        for source, target in order:
            links.put(TOKENS[source], TOKENS[target])
        homes.add(tuple(links.home(token) for token in TOKENS))
        assert all(links.home(links.home(token)) == links.home(token) for token in TOKENS)
        for source, target in order:
            assert links.home(TOKENS[source]) == links.home(TOKENS[target])
    assert len(homes) == 1
