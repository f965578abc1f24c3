"""What `bus run all` runs is what there is to run."""

from bus.cli.run import run
from bus.workers.supervisor import SHARING, SINGLE
from bus.workers.wiring import WORKERS


def test_every_kind_that_shares_work_can_be_made() -> None:
    assert tuple(WORKERS) == SHARING


def test_everything_but_what_agencies_run_is_run_by_all() -> None:
    assert {*SHARING, *SINGLE} == run.commands.keys() - {"all", "connector", "sink"}
