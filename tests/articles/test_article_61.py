"""Article 61: what an agency can obtain by sharing it must not ask of citizens again."""

from compliance.figures import records
from compliance.models import Contact, ContactRole, GrantState, OnboardingState
from compliance.obtainable import available
from compliance.register.service import Register
from schemas.words import SharingClass
from tests.catalogue import LAW, agencies, entry, field, grant, schema_text
from tests.procedures import with_catalogue
from tests.register import AUTHORITY, NOW

OPEN = field("glow", "亮度", sharing="UNCONDITIONAL")
THREE = tuple(Contact(role=role, name="某人", phone="0752-1") for role in ContactRole)
CLOSED = field("secret", "内部编号", sharing="NOT_SHARED")


def test_article_61_each_item_is_answered_with_the_best_way_to_have_it_and_the_record_that_says_so(
    register: Register,
) -> None:
    bench = entry(schema_text("bench", OPEN, CLOSED), sharing=SharingClass.CONDITIONAL)
    with_catalogue(register, bench)
    view = register.view()
    items = ["亮度", "bench 区域", "内部编号", "血型", "bench.glow"]
    rows = {row["item"]: row for row in records(available(view, "civil_affairs", items, NOW))}
    assert (rows["亮度"]["how"], rows["亮度"]["must_not_ask"]) == ("ON_REQUEST", "YES")
    assert rows["bench.glow"]["records"] == ["catalogue/bench@1"]
    assert (rows["bench 区域"]["how"], rows["bench 区域"]["must_not_ask"]) == ("BY_APPLICATION", "YES")
    assert (rows["内部编号"]["how"], rows["内部编号"]["must_not_ask"]) == ("NOT_SHARED", "NO")
    assert (rows["血型"]["how"], rows["血型"]["must_not_ask"]) == ("NOT_IN_CATALOGUE", "NO")
    assert {row["how"] for row in records(available(view, "psb", items[:3], NOW))} == {"OWN"}


def test_article_61_a_grant_in_force_makes_an_item_received_and_an_ended_one_does_not(register: Register) -> None:
    open_entry = entry(schema_text("bench", OPEN))
    connected = next(a for a in agencies() if a.code == "civil_affairs")
    connected = connected.model_copy(update={"state": OnboardingState.CONNECTED, "contacts": THREE})
    given = grant("bench", ("glow",), legal_basis=LAW)
    with_catalogue(register, open_entry, connected, given)
    [row] = records(available(register.view(), "civil_affairs", ["亮度"], NOW))
    assert (row["how"], row["records"]) == ("RECEIVED", ["grant/g-1"])
    register.put([given.model_copy(update={"state": GrantState.REVOKED})], AUTHORITY, NOW)
    [row] = records(available(register.view(), "civil_affairs", ["亮度"], NOW))
    assert row["how"] == "ON_REQUEST"
