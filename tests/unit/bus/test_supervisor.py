"""`bus run all`: each process has settings of its own where they must differ, and the same where they must not."""

from bus.settings import load
from bus.workers.supervisor import environment_of, settings_of


def test_each_process_serves_its_metrics_on_a_port_of_its_own() -> None:
    settings = load(metrics_port=19_101)
    assert [settings_of(settings, number).metrics_port for number in range(3)] == [19_101, 19_102, 19_103]


def test_a_free_port_is_asked_for_by_every_process() -> None:
    settings = load(metrics_port=0)
    assert [settings_of(settings, number).metrics_port for number in range(3)] == [0, 0, 0]


def test_nothing_but_the_port_differs() -> None:
    settings = load(metrics_port=19_101)
    differ = dict(environment_of(settings).items() ^ environment_of(settings_of(settings, 1)).items())
    assert set(differ) == {"BUS_METRICS_PORT"}
