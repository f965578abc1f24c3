"""A raw exactly-once copy: the same clients, batches and transactions as a worker, and nothing done to the bytes.

Run as `python -m bus.bench.raw SOURCE TARGET`; ends on SIGTERM.
"""

import signal
import sys
import threading

from bus.settings import load
from bus.wire.clients import Principal, consumer
from bus.wire.membership import Membership
from bus.wire.transaction import Transactions
from bus.workers.loop import Place, collect
from processors.batch import Outgoing


def copy(source: str, target: str, stop: threading.Event) -> None:
    """Copy a topic to another of as many partitions until stopped."""
    settings = load()
    operator = Principal.role(settings, "operator")
    reader = consumer(settings, operator, f"bench.{source}")
    transactions = Transactions(settings, operator, f"bench.{source}")
    transactions.start()
    group = Membership(reader)
    reader.subscribe([source])
    while not stop.is_set():
        outgoing: list[Outgoing] = []
        offsets: dict[Place, int] = {}
        for message in collect(reader, settings):
            key, value, partition = message.key(), message.value(), message.partition() or 0
            outgoing.append(
                {
                    "key": key if isinstance(key, bytes) else b"",
                    "value": value if isinstance(value, bytes) else None,
                    "partition": partition,
                }
            )
            offsets[source, partition] = (message.offset() or 0) + 1
        if outgoing:
            transactions.run({target: outgoing}, offsets, group)
    reader.close()


if __name__ == "__main__":
    _stop = threading.Event()
    for _number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_number, lambda *_: _stop.set())
    copy(sys.argv[1], sys.argv[2], _stop)
