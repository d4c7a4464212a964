"""What stayed English in other languages: refusals, reasons, notes, names of networks, what is wrong with a field."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from alerts.silences import MatcherError, parse_matchers
from listener.config.editing import Edit
from listener.config.types import Hours, parse_duration
from listener.console import names, showing
from listener.console.acts import answered
from listener.console.words import Words
from listener.desk import Actor
from listener.keeping import back_to
from listener.model import Author, Mention, Page, Skipped, Usage
from listener.sentences import Sentence
from listener.store import Arrival
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import DeskRoom

GERMAN = Words.of("de")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    with closing(ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))) as room:
        yield DeskRoom(room)


def skip(desk: DeskRoom, *reasons: str) -> str:
    watch = desk.room.office.config.watches[0]
    items = tuple(Skipped(reason, "x:7", broken=False) for reason in reasons)
    now = desk.room.clock.now()
    desk.store.collecting.save_page(
        watch, Page((), "{}", skipped=items), [], now=now, next_poll_at=now + timedelta(minutes=2), max_age_s=None,
        usage=Usage(1, 3, 0.0),
    )  # fmt: skip
    return watch.id


def test_why_items_were_left_out_is_said(desk: DeskRoom) -> None:
    watch = skip(desk, "no brand term", "has the excluded 'win'")
    client = desk.room.client("admin", language="de")
    for page in (client.get(f"/sources/{watch}").text, client.get("/explain?ref=x:7").text):
        assert "no brand term" not in page
        assert GERMAN.say(names.SKIPPED["no brand term"]) in page
        assert "has the excluded" in page


def test_what_the_desk_refuses_is_said(desk: DeskRoom) -> None:
    alert, room, actor = desk.complain(), desk.room.office, Actor("Olga", origin="console")
    room.desk.choose_playbook(alert.id, actor, "safety")
    again = room.desk.choose_playbook(alert.id, actor, "safety")
    shown = room.desk.show(alert.id, actor)
    for name, answer in (("playbook", again), ("show", shown)):
        assert not answer.done
        assert isinstance(answer.text, Sentence)
        said = answered(GERMAN, name, answer, alert, desk.store.alerts.alert(alert.id), actor)
        assert said != answer.text


def test_nobody_further_to_tell_is_said(desk: DeskRoom) -> None:
    alert, actor = desk.complain(), Actor("Olga", origin="console")
    for _ in range(9):
        answer = desk.room.office.desk.escalate(alert.id, actor)
        desk.room.clock.advance(120)
        if not answer.done:
            break
    assert answer.text.startswith("There is nobody further to tell")
    after = desk.store.alerts.alert(alert.id)
    assert answered(GERMAN, "escalate", answer, alert, after, actor) != answer.text


@pytest.mark.parametrize("matchers", [["quatsch"], ["colour=red"], ["author=~("], [], ["topic!=praise"]])
def test_what_is_wrong_with_matchers_is_said(desk: DeskRoom, matchers: list[str]) -> None:
    with pytest.raises(MatcherError) as raised:
        parse_matchers(matchers)
    page = desk.room.client("communications-lead", language="de").post(
        "/silences", {"matchers": "\n".join(matchers), "lasting": "4h", "reason": "x", "step": "add", "press": "a"}
    )
    problem = page.text.split('id="problem">')[1].split("</p>")[0]
    assert raised.value.args[0][1:] not in unescape(problem)  # it begins a line there


def test_the_way_back_is_noted_in_the_visitors_words(desk: DeskRoom) -> None:
    said = showing.noted(GERMAN, back_to(2))
    assert (said != back_to(2), "2" in said) == (True, True)
    assert showing.noted(GERMAN, "back to work") == "back to work"
    keeper = desk.room.office.keeper
    keeper.keep()
    first = keeper.versions()[-1].id
    keeper.change([Edit(("defaults", "thresholds"), {"priority": 0.35})], "tests")
    keeper.rollback(first, "tests")
    client = desk.room.client("admin", language="de")
    for path in ("/settings", f"/settings/{keeper.versions()[0].id}", "/audit"):
        page = client.get(path).text
        assert back_to(first) not in page
        assert showing.noted(GERMAN, back_to(first)) in page


def test_the_history_says_where_it_was_done(desk: DeskRoom) -> None:
    alert = desk.complain()
    for origin in ("console", "cli"):
        desk.room.office.desk.claim(alert.id, Actor("Olga", origin=origin))
        desk.room.office.desk.release(alert.id, Actor("Olga", origin=origin))
    page = desk.room.client("viewer", language="de").get(f"/alerts/{alert.id}").text
    for origin in ("console", "cli"):
        assert f"({origin})" not in page
        assert GERMAN.say(names.ORIGINS[origin]) in page


def test_what_was_imported_is_called_so() -> None:
    assert showing.network_of(Words.of("en"), "file") == "imported file"
    assert showing.network_of(GERMAN, "file") != "imported file"
    assert [showing.network_of(GERMAN, name) for name in ("vk", "wechat", None)] == ["VK", "WeChat", ""]


def test_an_imported_post_says_so_in_lists_and_facets(desk: DeskRoom) -> None:
    watch = desk.room.office.config.watches[0]
    now = desk.room.clock.now()
    post = Mention("file", "7", "bonjour Acme", now, Author("file", "a", name="A"))
    desk.store.collecting.save_page(
        watch, Page((post,), "{}"), [Arrival(post, watch.country, "h")], now=now,
        next_poll_at=now + timedelta(minutes=2), max_age_s=None, usage=Usage(1, 1, 0.0),
    )  # fmt: skip
    page = desk.room.client("viewer", language="de").get("/mentions").text
    assert ">File<" not in page
    assert page.count(GERMAN.say("imported file")) > 1


def test_an_empty_note_is_not_told_in_the_audit_log(desk: DeskRoom) -> None:
    for note in ("", "because of Monday"):
        desk.store.audit.note(
            actor="Bo", origin="console", action="settings changed", object="FR", now=desk.room.clock.now(),
            data={"note": note},
        )  # fmt: skip
    page = desk.room.client("admin").get("/audit").text
    assert page.count(">note</span>") == 1
    assert "because of Monday" in page


@pytest.mark.parametrize(
    ("field", "value", "label"),
    [("thresholds.max_age", "bald", "Oldest post"), ("thresholds.complaint", "1.7", "Complaint")],
)
def test_the_preview_names_the_field_and_what_it_takes(desk: DeskRoom, field: str, value: str, label: str) -> None:
    for language in ("en", "de"):
        client, words = desk.room.client("admin", language=language), Words.of(language)
        page = client.post("/countries/FR/preview", {field: value}, headers={"hx-request": "true"}).text
        notice = page.split('<p class="notice warn">')[1].split("</p>")[0]
        assert words.say(label) in notice
        assert ("a duration is a number" in notice or "a number between 0 and 1" in notice) == (language == "en")
        kept = client.post("/countries/FR/thresholds", {field: value, "press": language})
        assert kept.status_code == 422
        assert (("a duration is a number" in kept.text) + ("a number between 0 and 1" in kept.text) > 0) == (
            language == "en"
        )


@pytest.mark.parametrize(
    ("field", "value", "english"),
    [
        ("hours", "mon-fri: 18:00-09:00", "ends before it starts"),
        ("hours", "mon-fri: soon", "is no span of hours"),
        ("hours", "someday: 09:00-18:00", "unknown day"),
        ("languages", "!", "write a BCP 47 tag"),
        ("languages", ",", "must not be empty"),
        ("ramp.severities", "7", "must be less than or equal to 3"),
    ],
)
def test_what_a_configuration_refuses_is_said_at_its_field(
    desk: DeskRoom, field: str, value: str, english: str
) -> None:
    group = "pilot" if field.startswith("ramp") else "people"
    pages = {
        language: desk.room.client("admin", language=language).post(
            f"/countries/FR/{group}", {field: value, "press": language}
        )
        for language in ("en", "de")
    }
    assert {page.status_code for page in pages.values()} == {422}
    assert english in pages["en"].text.replace("&#39;", "'")
    assert english not in pages["de"].text


def test_errors_of_types_read_as_before() -> None:
    with pytest.raises(ValueError, match=r"\Aa duration is a number with a unit: 500ms, .* at most 3650d\Z"):
        parse_duration("bald")
    with pytest.raises(ValueError, match=r"\Aunknown day 'x'; days are "):
        Hours.parse({"x": "09:00-10:00"})
