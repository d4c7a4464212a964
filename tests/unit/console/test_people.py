import re
from datetime import timedelta
from typing import Any

import pytest

from listener.console.passwords import weakness
from listener.console.people import PeopleError, checked_countries, first_password
from listener.store.accounts import By
from tests.console_room import QUICK, ConsoleRoom

NEW = {
    "name": "Ben",
    "full_name": "Ben  Bäcker",
    "role": "community-manager",
    "country": ["FR", "JP"],
    "slack": "u01ab",
}


def account(room: ConsoleRoom, name: str) -> Any:
    return room.store.accounts.named(name)


def test_an_admin_adds_somebody_who_then_chooses_a_password(room: ConsoleRoom) -> None:
    admin = room.client("admin")
    page = admin.post("/people", NEW)
    shown = re.search(r'<code class="secret">([^<]+)</code>', page.text)
    assert shown
    ben = account(room, "ben")
    assert (ben.full_name, ben.role, ben.countries, ben.slack) == (
        "Ben Bäcker", "community-manager", ("FR", "JP"), "U01AB",
    )  # fmt: skip
    assert ben.must_change
    assert QUICK.is_right(ben.password, shown[1])
    assert shown[1] not in admin.get(f"/people/{ben.id}").text
    assert shown[1] not in str(room.store.audit.page())


def test_a_double_click_adds_one_person(room: ConsoleRoom) -> None:
    admin = room.client("admin")
    answers = [admin.post("/people", {**NEW, "press": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 303]
    assert len(room.store.accounts.all()) == 2


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": ""}, "A name to sign in with has"),
        ({"name": "two words"}, "A name to sign in with has"),
        ({"name": "<script>"}, "A name to sign in with has"),
        ({"role": "boss"}, "There is no role boss"),
        ({"country": []}, "Choose countries, or all of them."),
        ({"everywhere": "yes"}, "Choose countries, or all of them."),
        ({"country": ["XX"]}, "Country XX is not configured."),
        ({"slack": "ben@brand"}, "A member of Slack is written as"),
        ({"slack": "É123"}, "A member of Slack is written as"),
        ({"name": "admin-1"}, "There is somebody called admin-1 already."),
    ],
)
def test_what_cannot_be_is_said_and_nobody_is_added(room: ConsoleRoom, form: dict[str, Any], said: str) -> None:
    answer = room.client("admin").post("/people", {**NEW, **form})
    assert answer.status_code in (400, 409)
    assert said in answer.text
    assert [one.name for one in room.store.accounts.all()] == ["admin-1"]


def test_a_hostile_name_is_shown_as_text(room: ConsoleRoom) -> None:
    admin = room.client("admin")
    admin.post("/people", {**NEW, "full_name": "<img src=x onerror=alert(1)>"})
    for path in ("/people", f"/people/{account(room, 'ben').id}", "/audit"):
        assert "<img" not in admin.get(path).text


def test_role_and_countries_are_changed_and_the_person_is_signed_out(room: ConsoleRoom) -> None:
    admin, other = room.client("admin"), room.client("viewer", ["FR"])
    answer = admin.post(f"/people/{other.account_id}", {"role": "admin", "everywhere": "yes", "full_name": "Bo"})
    assert "Kept." in admin.follow(answer).text
    assert other.get("/").status_code == 303
    changed = room.store.accounts.account(other.account_id)
    assert changed is not None
    assert (changed.role, changed.countries, changed.full_name) == ("admin", None, "Bo")
    line = room.store.audit.page(limit=1)[0]
    assert line.data["role"] == {"was": "viewer", "is": "admin"}
    assert line.data["countries"] == {"was": ["FR"], "is": "all"}


def test_disabling_and_enabling(room: ConsoleRoom) -> None:
    admin, other = room.client("admin"), room.client("viewer")
    admin.post(f"/people/{other.account_id}/disable", {"press": "a"})
    assert other.get("/").status_code == 303
    assert "disabled" in admin.get("/people").text
    admin.post(f"/people/{other.account_id}/enable", {"press": "b"})
    assert other.get("/").status_code == 303, "the session is gone for good"
    assert "disabled" not in admin.get("/people").text


def test_the_last_admin_of_all_countries_who_can_sign_in_stays_one(room: ConsoleRoom) -> None:
    admin = room.client("admin")  # of earlier times: neither a password nor the provider lets them in again
    last = room.person("ana", "grün lampe achtzig boot", "admin", full_name="Ana <b>")
    for path, form in (
        (f"/people/{last}/disable", {}),
        (f"/people/{last}", {"role": "viewer", "everywhere": "yes"}),
        (f"/people/{last}", {"role": "admin", "country": "FR"}),
    ):
        answer = admin.post(path, form)
        assert answer.status_code == 409
        assert "Ana &lt;b&gt; is the last admin of all countries who can sign in." in answer.text
    assert (account(room, "ana").role, account(room, "ana").countries, account(room, "ana").disabled_at) == (
        "admin", None, None,
    )  # fmt: skip


def test_who_was_disabled_meanwhile_changes_nobody(room: ConsoleRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, other = room.client("admin"), room.account("admin")
    change = room.store.accounts.change

    def overtaken(*given: Any, **values: Any) -> bool:
        change(admin.account_id, By("Bo", "console", other), room.clock.now(), disabled_at=room.clock.now())
        return change(*given, **values)

    monkeypatch.setattr(room.store.accounts, "change", overtaken)
    answer = admin.post(f"/people/{other}/disable")
    assert answer.status_code == 403
    assert "Your account may not do this any more" in answer.text
    assert account(room, "admin-2").disabled_at is None


def test_a_new_first_password(room: ConsoleRoom) -> None:
    admin = room.client("admin")
    number = room.person("ben", "grün lampe achtzig boot")
    shown = re.search(r'class="secret">([^<]+)<', admin.post(f"/people/{number}/password").text)
    assert shown
    ben = account(room, "ben")
    assert ben.must_change
    assert QUICK.is_right(ben.password, shown[1])


@pytest.mark.parametrize("act", ["disable", "enable", "password"])
def test_nobody_does_it_to_themselves(room: ConsoleRoom, act: str) -> None:
    admin = room.client("admin")
    before = room.store.accounts.account(admin.account_id)
    assert admin.post(f"/people/{admin.account_id}/{act}").status_code == 403
    admin.post(f"/people/{admin.account_id}", {"role": "viewer", "country": "FR"})
    assert room.store.accounts.account(admin.account_id) == before


def test_what_the_identity_provider_says_is_not_changed_here(room: ConsoleRoom) -> None:
    admin = room.client("admin")
    number = room.account("viewer", name="eve", subject="https://idp.example 1", full_name="Eve")
    admin.post(f"/people/{number}", {"role": "admin", "everywhere": "yes", "full_name": "X", "slack": "U1"})
    eve = account(room, "eve")
    assert (eve.role, eve.full_name, eve.slack) == ("viewer", "Eve", "U1")
    assert admin.post(f"/people/{number}/password").status_code == 403


@pytest.mark.parametrize("number", ["0", "999", "x", "9" * 30, "1.5", "-1", "²"])
def test_nobody_of_that_number(room: ConsoleRoom, number: str) -> None:
    assert room.client("admin").get(f"/people/{number}").status_code == 404


def test_only_the_button_does_it(room: ConsoleRoom) -> None:
    admin, other = room.client("admin"), room.client("viewer")
    admin.get(f"/people/{other.account_id}/disable")
    assert other.get("/").status_code == 200


def test_the_audit_log_is_paged_and_filtered(room: ConsoleRoom) -> None:
    admin = room.client("admin", full_name="Ana & Co")
    for index in range(60):
        data = {"threshold": {"was": 0.3, "is": 0.4}, "note": "x" * 400}
        act, now = f"act {index % 2}", room.clock.now()
        room.store.audit.note(
            actor="Bo", origin="cli", action=act, object=f"o{index}", country="FR", now=now, data=data
        )
    first = admin.get("/audit")
    assert first.text.count("<tr>") == 51
    assert "0.3 → 0.4" in first.text
    later = re.search(r'<a href="(/audit\?before=\d+)" rel="next"', first.text)
    assert later
    assert "account added" in admin.get(later[1]).text.split("<tbody>")[1]
    assert admin.get("/audit?action=act+1").text.count("<tr>") == 31
    assert admin.get("/audit?object=o7&actor=Bo").text.count("<tr>") == 2
    assert admin.get("/audit?before=x&actor=%00").status_code == 200
    assert "Nothing fits." in admin.get("/audit?actor=nobody").text


def test_an_admin_of_some_countries_sees_their_lines_of_the_log(room: ConsoleRoom) -> None:
    for country in ("FR", "JP", None):
        room.store.audit.note(actor="Bo", origin="cli", action="changed", object=f"of {country}", country=country,
                              now=room.clock.now())  # fmt: skip
    text = room.client("admin", ["FR"]).get("/audit").text
    assert ("of FR" in text, "of JP" in text, "of None" in text) == (True, False, True)


def test_first_passwords_are_long_and_different() -> None:
    made = {first_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 19 and weakness(one, []) is None for one in made)


def test_all_countries_are_asked_for_in_so_many_words() -> None:
    assert checked_countries([], ["FR"], everywhere=True) is None
    assert checked_countries([" fr "], ["FR"], everywhere=False) == ("FR",)
    for countries, everywhere in (([], False), (["FR"], True), (["XX"], False)):
        with pytest.raises(PeopleError):
            checked_countries(countries, ["FR"], everywhere=everywhere)


def test_one_thing_that_waits_is_told_as_one(room: ConsoleRoom) -> None:
    now = room.clock.now()
    for country in ("FR", "JP"):
        room.store.silences.add([f"country={country}"], author="Ann", reason="known", starts_at=now,
                                ends_at=now + timedelta(hours=1), now=now)  # fmt: skip
    page = room.client("viewer", ["FR"]).get("/").text
    assert 'class="figure">1</span> Silence in force<' in page
    assert re.search(r'class="figure">2</span> Watches that hear nothing<span class="more">X \(France\)</span>', page)
    assert 'class="figure">2</span> Silences in force<' in room.client("viewer").get("/").text


def test_the_overview_tells_each_role_what_it_can_do_something_about(room: ConsoleRoom) -> None:
    viewer, admin = room.client("viewer").get("/").text, room.client("admin").get("/").text
    assert "Overdue" in viewer
    assert "Yours" not in viewer
    assert ("Watches that hear nothing" in viewer, 'href="/sources"' in viewer) == (True, False)
    assert "Silences in force" in viewer
    assert "Messages not delivered" not in viewer
    assert 'href="/delivery"' in admin
    room.office.keeper.problem = "config.yaml:3:1 <no>"
    assert "config.yaml:3:1 &lt;no&gt;" in room.client("admin").get("/").text
    assert "config.yaml:3:1" not in room.client("viewer").get("/").text
