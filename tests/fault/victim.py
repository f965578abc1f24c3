"""A worker that kills itself at a step: `python -m tests.fault.victim KIND STEP OCCURRENCE [FILE]`.

A connector's file is its configuration, that of cross-checks their rules.

Settings come from the environment. Nothing is cleaned up: that is the point.
"""

import os
import signal
import sys
from collections import Counter
from pathlib import Path

from bus.settings import load


def main() -> None:
    """Run until the step comes."""
    kind, step, occurrence = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    seen: Counter[int] = Counter()

    def on_step(number: int) -> None:
        seen[number] += 1
        if number == step and seen[number] == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load()
    # Each kind's own modules alone: victims are many, and Faust's are slow to load.
    if kind == "connector":
        from bus.workers.connect import ConnectorWorker, read_config  # noqa: PLC0415

        ConnectorWorker(settings, read_config(Path(sys.argv[4])), on_step).run()
    elif kind == "register":
        from bus.register.worker import RegisterWorker  # noqa: PLC0415

        RegisterWorker(settings, on_step).run()
    elif kind == "crosscheck":
        from bus.crosscheck.worker import CrossCheckWorker  # noqa: PLC0415
        from compliance.crosschecks import read_crosschecks  # noqa: PLC0415

        checks = read_crosschecks(Path(sys.argv[4]).read_text(encoding="utf-8"), sys.argv[4]).checks
        CrossCheckWorker(settings, on_step, checks).run()
    elif kind == "intake":
        from bus.intake.worker import IntakeWorker  # noqa: PLC0415

        IntakeWorker(settings, on_step).run()
    elif kind == "freshness":
        from bus.freshness.worker import FreshnessWorker  # noqa: PLC0415

        FreshnessWorker(settings, on_step).run()
    else:
        from bus.workers.wiring import admit_worker, deliver_worker, relocate_worker  # noqa: PLC0415

        makers = {"admit": admit_worker, "deliver": deliver_worker, "relocate": relocate_worker}
        makers[kind](settings, on_step).run()


if __name__ == "__main__":
    main()
