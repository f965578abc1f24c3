"""Access rules that differ from the register's, by kind."""

from bus.provision.drift import KINDS, rights_drift
from bus.provision.rights import READ, TOPIC, WRITE, Right, agency_principal

WANTED = frozenset({Right("User:bus-admit", TOPIC, "pulse", WRITE), Right(agency_principal("psb"), TOPIC, "a", READ)})


def test_what_the_register_asks_for_is_no_drift() -> None:
    assert rights_drift(WANTED, WANTED) == dict.fromkeys(KINDS, 0)


def test_what_is_missing_too_much_and_of_strangers_is_told_apart() -> None:
    [kept, _] = sorted(WANTED)
    surplus = Right(agency_principal("psb"), TOPIC, "record.", READ, prefixed=True)
    strangers = {Right("User:etl", TOPIC, name, READ) for name in ("b", "c")}
    assert rights_drift(WANTED, {kept, surplus, *strangers}) == {"MISSING": 1, "SURPLUS": 1, "FOREIGN": 2}


def test_a_deliberate_stop_is_somebody_elses_rule() -> None:
    denied = Right(agency_principal("psb"), TOPIC, "a", READ, permission="DENY")
    assert rights_drift(WANTED, WANTED | {denied}) == {"MISSING": 0, "SURPLUS": 0, "FOREIGN": 1}
