import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from listener.explaining import Explanation, Fact, Step, explain
from listener.sentences import Listing, sentence
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import HOSTILE, DeskRoom
from tests.explanations import untranslatable


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def test_an_empty_page_asks_what_is_to_be_explained(desk: DeskRoom) -> None:
    page = desk.room.client().get("/explain")
    assert page.status_code == 200
    assert 'name="ref"' in page.text
    assert 'class="way"' not in page.text


@pytest.mark.parametrize("form", ["A-{0}", "{0}", "a-{0}"])
def test_every_step_that_the_command_prints_stands_on_the_page(desk: DeskRoom, form: str) -> None:
    alert = desk.complain()
    office = desk.room.office
    found = explain(office.store, office.config, f"A-{alert.id}", now=desk.room.clock.now())
    page = unescape(desk.room.client().get("/explain", params={"ref": form.format(alert.id)}).text)
    for step in found.steps:
        assert f"<h2>{step.title}" in page
    assert len(found.steps) > 5
    assert page.count('class="sign"') == len(found.steps)
    assert f'href="/alerts/{alert.id}"' in page


def test_a_post_without_an_alert_is_explained_by_its_id(desk: DeskRoom) -> None:
    mention = desk.post("Acme opens a shop", complaint=0.02, urgent=0.0)
    desk.triage()
    post = desk.store.trails.post(mention)
    assert post is not None
    page = desk.room.client().get("/explain", params={"ref": f"x:{post.mention.external_id}"}).text
    assert 'class="stopped"' in page
    assert "stopped here" in page


def test_an_incident_is_explained(desk: DeskRoom) -> None:
    number = desk.burst()
    page = desk.room.client().get(f"/explain?ref=I-{number}").text
    assert f'href="/incidents/{number}"' in page
    assert 'class="way"' in page


@pytest.mark.parametrize("ref", ["A-999", "zzz", "I-1x", "<script>alert(1)</script>", "m-99"])
def test_what_there_is_not_is_said_to_be_missing(desk: DeskRoom, ref: str) -> None:
    answer = desk.room.client().get("/explain", params={"ref": ref})
    assert answer.status_code == 404
    assert "There is nothing of that name" in answer.text
    assert "configuration file is invalid" not in answer.text
    assert "<script>alert" not in answer.text


def test_nothing_of_another_country_is_explained(desk: DeskRoom) -> None:
    there = desk.complain("Acme never came to me", country="JP", author="ken", name="Ken Mori")
    browser = desk.room.client("admin", ["FR"])
    for ref in (f"A-{there.id}", "x:17000001", f"m-{there.match_id}", "https://x.com/ken/status/17000001"):
        answer = browser.get("/explain", params={"ref": ref})
        assert answer.status_code == 404, ref
        assert "Ken Mori" not in answer.text
        assert "never came" not in answer.text


def test_of_a_post_that_is_not_stored_only_the_visitors_own_watches_are_told(desk: DeskRoom) -> None:
    page = desk.room.client("viewer", ["FR"]).get("/explain?ref=x:42&text=acme").text
    assert "x/FR/acme" in page
    assert "x/JP/acme" not in page
    everybody = desk.room.client("viewer").get("/explain?ref=x:42").text
    assert "x/JP/acme" in everybody


def test_every_word_of_ours_can_be_said_in_other_languages(desk: DeskRoom) -> None:
    quiet = desk.post("Acme opens a shop", complaint=0.02, urgent=0.0, language="und")
    alert, number = desk.complain(), desk.burst(ended_at=desk.room.clock.now(), complaints=(("outage", 212),))
    office = desk.room.office
    for asked in (f"A-{alert.id}", f"I-{number}", f"m-{desk.match(quiet)}", "x:42"):
        found = explain(office.store, office.config, asked, now=desk.room.clock.now(), text="Acme")
        assert untranslatable(found) == [], asked


def test_plain_english_is_found_where_a_sentence_should_stand() -> None:
    facts = (Fact("role", "first among them"), Fact("role", sentence("no such message")), Fact("role", "A-1"))
    step = Step("x", "ok", Listing.of([sentence("none"), "nobody knows"]), facts)
    said = Explanation("A-1", sentence("silence {silence}", silence="of ours"), (step,), "raised")
    assert untranslatable(said) == ["of ours", "nobody knows", "first among them", "no such message"]


def test_hostile_texts_stay_texts(desk: DeskRoom) -> None:
    alert = desk.complain(HOSTILE + " Acme", name=HOSTILE[:200], profile={"bio": HOSTILE, "location": HOSTILE})
    page = desk.room.client().get(f"/explain?ref=A-{alert.id}").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert not re.search(r'href="(?!/|#)', page)


def test_moments_are_told_by_the_visitors_own_clocks(desk: DeskRoom) -> None:
    alert = desk.complain()
    tokyo = desk.room.client(timezone="Asia/Tokyo").get(f"/explain?ref=A-{alert.id}").text
    assert "16 Nov 2026, 18:00" in tokyo


@pytest.mark.parametrize("language", ["fr", "de", "es", "ru", "zh-Hans"])
def test_pages_open_in_every_language(desk: DeskRoom, language: str) -> None:
    alert = desk.complain()
    assert desk.room.client(language=language).get(f"/explain?ref=A-{alert.id}").status_code == 200


def test_of_other_watches_of_a_network_it_says_who_could_have_found_a_post(desk: DeskRoom) -> None:
    alert = desk.complain()
    office = desk.room.office
    (watch,) = (s for s in explain(office.store, office.config, f"A-{alert.id}", now=desk.room.clock.now()).steps
                if s.name == "watch")  # fmt: skip
    assert any(one.label == "could have found it too" for one in watch.facts)


def test_a_network_that_was_never_heard_is_said_to_have_seen_nothing(
    desk: DeskRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONSOLE_ROOM_TOKEN", raising=False)
    page = unescape(desk.room.client().get("/explain?ref=x:1990000000000000000").text)
    assert f"{len(desk.room.office.config.watches)} watches listen there" in page
    assert "it was never heard, and has seen nothing" in page
    assert "o gap is noted" not in page
    assert "Give its text" in page
