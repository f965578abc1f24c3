"""Article 53: the off-site backup is restored for a test, and how long ago is known."""

from compliance.drills import drills, last_held
from compliance.figures import records
from compliance.register.service import Register
from compliance.workflows.drill import DrillKind
from schemas.refusals import RefusalCode
from tests.procedures import DRILL, days
from tests.register import NOW, OPERATOR, moved, refused

RESTORE = {**DRILL, "kind": "RESTORE_TEST", "copy_made_on": "2026-08-18", "resources": ["lamp"]}


def test_article_53_a_restore_test_names_the_copy_that_it_restored_and_is_due_again_after_half_a_year(
    register: Register,
) -> None:
    without = {key: value for key, value in RESTORE.items() if key != "copy_made_on"}
    refused(register.open("drill", "hold", without, OPERATOR, NOW), RefusalCode.E_FORM)
    plan = {"kind": "RESTORE_TEST", "division": "441300", "planned_on": "2026-09-02", "scope": "户籍库"}
    number = moved(register.open("drill", "plan", plan, OPERATOR, NOW), "PLANNED").matter.number
    assert last_held(register, DrillKind.RESTORE_TEST, NOW) is None
    refused(register.act(number, "hold", DRILL, OPERATOR, days(1)), RefusalCode.E_FORM)
    moved(register.act(number, "hold", RESTORE, OPERATOR, days(1)), "PASSED")
    rows = {row["kind"]: row for row in records(drills(register, days(168)))}
    assert (rows["RESTORE_TEST"]["days"], rows["RESTORE_TEST"]["overdue"]) == (180, None)
    rows = {row["kind"]: row for row in records(drills(register, days(169)))}
    assert rows["RESTORE_TEST"]["overdue"] == "OVERDUE"
    assert rows["RESTORE_TEST"]["records"] == [number]
