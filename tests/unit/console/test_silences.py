import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import HOSTILE, DeskRoom

WISH = {"matchers": "topic=delivery", "lasting": "4h", "reason": "We know of it", "step": "add"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def test_a_silence_is_looked_at_then_added_and_ended(desk: DeskRoom) -> None:
    alert = desk.complain()
    lead = desk.room.client("communications-lead", full_name="Lea Roy")
    look = lead.post("/silences", {**WISH, "country": "", "step": "look", "press": "a"})
    assert "1 alert that is open now fulfils this." in look.text
    assert f'href="/alerts/{alert.id}"' in look.text
    assert not desk.store.silences.latest()
    page = lead.follow(lead.post("/silences", {**WISH, "country": "FR", "press": "b"})).text
    made = desk.store.silences.latest()[0]
    assert (list(made.matchers), made.author, made.reason) == (
        ["country=FR", "topic=delivery"],
        "Lea Roy",
        "We know of it",
    )
    assert made.ends_at - made.starts_at == timedelta(hours=4)
    assert "in force" in page
    ended = lead.follow(lead.post(f"/silences/{made.id}/end", {"press": "c"})).text
    assert "is ended" in ended
    assert not desk.store.silences.active(desk.room.clock.now() + timedelta(seconds=1))
    noted = [(line.action, line.country) for line in desk.store.audit.page()][:2]
    assert noted == [("silence ended", "FR"), ("silence added", "FR")]


def test_a_double_click_adds_one(desk: DeskRoom) -> None:
    lead = desk.room.client("communications-lead")
    for _ in range(2):
        answer = lead.post("/silences", {**WISH, "press": "same"})
    assert "done with your first press" in lead.follow(answer).text
    assert len(desk.store.silences.latest()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"matchers": "colour=red"},
        {"matchers": "topic=biling"},
        {"matchers": "topic=biling", "step": "look"},
        {"matchers": "author=~("},
        {"matchers": ""},
        {"lasting": "9y"},
        {"reason": " "},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: DeskRoom, wrong: dict[str, str]) -> None:
    lead = desk.room.client("communications-lead")
    answer = lead.post("/silences", {**WISH, "matchers": "topic=outage", **wrong, "press": "a"})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    if "reason" not in wrong:
        assert "We know of it" in answer.text
    assert not desk.store.silences.latest()


def test_who_sees_some_countries_silences_one_of_them_alone(desk: DeskRoom) -> None:
    french = desk.room.client("communications-lead", ["FR"])
    assert french.post("/silences", {**WISH, "press": "a"}).status_code == 404
    assert french.post("/silences", {**WISH, "country": "JP", "press": "b"}).status_code == 404
    assert french.post("/silences", {**WISH, "country": "FR", "press": "c"}).status_code == 303
    everybody = desk.room.client("communications-lead")
    everybody.post("/silences", {**WISH, "country": "JP", "press": "d"})
    everybody.post("/silences", {**WISH, "matchers": "topic=outage", "press": "e"})
    page = french.get("/silences").text
    assert "country=FR" in page
    assert "country=JP" not in page
    assert "topic=outage" in page  # it mutes what they see, so they must know of it
    own, theirs, all_of_them = (row.id for row in reversed(desk.store.silences.latest()))
    assert french.post(f"/silences/{theirs}/end", {"press": "f"}).status_code == 404
    assert french.post(f"/silences/{all_of_them}/end", {"press": "g"}).status_code == 404
    assert french.post(f"/silences/{own}/end", {"press": "h"}).status_code == 303


@pytest.mark.parametrize("role", ["viewer", "community-manager"])
def test_others_do_not_silence(desk: DeskRoom, role: str) -> None:
    browser = desk.room.client(role)
    assert browser.post("/silences", {**WISH, "press": "a"}).status_code == 403
    assert not desk.store.silences.latest()


@pytest.mark.parametrize("role", ["viewer", "community-manager"])
def test_everybody_reads_the_silences_of_their_countries_and_is_shown_no_forms(desk: DeskRoom, role: str) -> None:
    lead = desk.room.client("communications-lead", full_name="Lea Roy")
    for country, topic in (("FR", "delivery"), ("JP", "outage")):
        lead.post("/silences", {**WISH, "matchers": f"topic={topic}", "country": country, "press": country})
    browser = desk.room.client(role, ["FR"])
    page = browser.get("/silences").text
    assert "topic=delivery" in page
    assert "We know of it" in page
    assert "topic=outage" not in page
    assert 'name="matchers"' not in page
    assert "/end" not in page
    assert browser.post(f"/silences/{desk.store.silences.latest()[-1].id}/end", {"press": "e"}).status_code == 403
    assert desk.store.silences.latest()[-1].ends_at > desk.room.clock.now()


def test_conditions_are_chosen_from_lists_in_the_readers_words(desk: DeskRoom) -> None:
    lead = desk.room.client("communications-lead", language="fr")
    page = lead.get("/silences").text
    assert re.search(r'<option value="outage">\s*panne', page)
    chosen = {"country": "FR", "brand": "acme", "team": "hub", "topic": "outage", "severity": "2", "network": "x"}
    wish = {**WISH, **chosen, "matchers": "author=~acme.*"}
    look = lead.post("/silences", {**wish, "step": "look", "press": "a"}).text
    assert '<option value="outage" selected>' in look
    shown = lead.follow(lead.post("/silences", {**wish, "press": "b"})).text
    assert list(desk.store.silences.latest()[0].matchers) == [
        "country=FR", "brand=acme", "team=hub", "topic=outage", "severity=2", "network=x", "author=~acme.*",
    ]  # fmt: skip
    assert re.search(r'<bdi>topic=outage</bdi></code> <bdi class="soft">panne', shown)


def test_hostile_texts_stay_texts(desk: DeskRoom) -> None:
    lead = desk.room.client("communications-lead", full_name=HOSTILE)
    lead.post("/silences", {**WISH, "matchers": 'author="<script>alert(1)</script>"', "reason": HOSTILE, "press": "a"})
    page = lead.get("/silences").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page.split("<main", 1)[1].split("</main>")[0]
