import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from listener.model import Reason
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import HOSTILE, DeskRoom


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def test_the_list_has_posts_with_their_scores_and_what_came_of_them(desk: DeskRoom) -> None:
    alert = desk.complain()
    desk.post("Acme is nice", complaint=0.03, urgent=0.0, author="bo", name="Bo Lind", topic="praise")
    desk.triage()
    page = desk.room.client().get("/mentions").text
    assert "lost my parcel" in page
    assert "Acme is nice" in page
    assert "complaint 94" in page
    assert f'href="/alerts/{alert.id}"' in page
    assert "2 found" in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Acme 快递丢了我的包裹, 没有人回答", "包裹"),
        ("شركة Acme فقدت الطرد ولا أحد يجيب", "الطرد"),
        ("Acme потеряла мою посылку", "посылку"),
        ("Le colis Acme n'est jamais arrivé à Orléans", "orleans"),
    ],
)
def test_search_finds_words_in_any_script(desk: DeskRoom, text: str, words: str) -> None:
    desk.post()
    desk.post(text, author="lin", name="Lin")
    page = desk.room.client().get("/mentions", params={"text": words}).text
    assert "1 found" in page
    assert "lost my parcel" not in page
    assert '<mark class="hit">' in page


def test_what_was_searched_for_is_marked_and_nothing_else(desk: DeskRoom) -> None:
    desk.post("Acme <b>lost</b> it, lost & gone", author="lin", name="Lin")
    page = desk.room.client().get("/mentions", params={"text": "lost"}).text
    assert '&lt;b&gt;<mark class="hit">lost</mark>&lt;/b&gt; it, <mark class="hit">lost</mark> &amp; gone' in page
    assert '<mark class="hit">' not in desk.room.client().get("/mentions").text


def test_facets_count_and_lead_to_a_narrower_list(desk: DeskRoom) -> None:
    desk.post()
    desk.post("Acme est en retard", language="fr", author="bo", name="Bo")
    desk.post("Acme never came", country="JP", author="ken", name="Ken")
    browser = desk.room.client()
    page = browser.get("/mentions").text
    link = re.search(r'href="(/mentions\?[^"]*language=fr[^"]*)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    narrow = browser.get(link).text
    assert "1 found" in narrow
    assert "en retard" in narrow
    assert 'aria-current="true"' in narrow
    assert "French" in narrow
    off = re.search(r'<ul class="chips".*?href="([^"]*)"', narrow, re.DOTALL)[1]  # type: ignore[index]
    assert "language=fr" not in off


def test_only_countries_that_the_visitor_sees_are_listed_counted_and_opened(desk: DeskRoom) -> None:
    desk.post()
    there = desk.post("Acme never came", country="JP", author="ken", name="Ken Mori")
    browser = desk.room.client("community-manager", ["FR"])
    page = browser.get("/mentions?country=JP").text
    assert "Ken Mori" not in page
    assert "1 found" not in page
    assert "Ken Mori" not in browser.get("/mentions").text
    assert "1 found" in browser.get("/mentions").text
    assert browser.get(f"/mentions/{desk.match(there)}").status_code == 404
    assert browser.post(f"/mentions/{desk.match(there)}/corrections", {"complaint": "no"}).status_code == 404
    assert desk.store.corrections.count() == 0


def test_a_span_leaves_out_what_is_older(desk: DeskRoom) -> None:
    desk.post("Acme was late long ago", age=timedelta(days=60))
    browser = desk.room.client()
    assert "0 found" in browser.get("/mentions").text
    assert "1 found" in browser.get("/mentions?span=90d").text
    assert "1 found" in browser.get("/mentions?span=all").text


def test_a_list_goes_on_behind_its_first_page(desk: DeskRoom) -> None:
    for number in range(53):
        desk.post(f"Acme parcel number {number:02}", author=f"a{number}", age=timedelta(minutes=number + 1))
    browser = desk.room.client()
    page = browser.get("/mentions").text
    assert "number 49" in page
    assert "number 50" not in page
    following = re.search(r'href="([^"]*before=[^"]*)" rel="next"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    rest = browser.get(following).text
    assert "number 50" in rest
    assert "number 52" in rest
    assert "number 49" not in rest


def test_one_post_shows_its_reasons_in_the_text(desk: DeskRoom) -> None:
    alert = desk.complain(reasons=(Reason("parcel", 0.4), Reason("answers", -0.1)))
    page = desk.room.client().get(f"/mentions/{alert.match_id}").text
    assert '<mark class="up" title="raised the scores">parcel</mark>' in page
    assert '<mark class="down" title="lowered the scores">answers</mark>' in page
    assert "raised it, 40" in page
    assert "How far the voice carries" in page
    assert f'href="/alerts/{alert.id}"' in page
    assert "/explain?ref=x%3A17000001" in page or "/explain?ref=x:17000001" in page


def test_a_correction_is_noted_once_with_who_said_it_where(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager", full_name="Ravi Rao")
    for _ in range(2):
        answer = browser.post(
            f"/mentions/{alert.match_id}/corrections",
            {"press": "same", "complaint": "no", "topic": "quality", "urgency": "0"},
        )
        page = browser.follow(answer).text
    assert "done with your first press" in page
    assert "no complaint, no urgency, topic quality" in page
    assert desk.store.corrections.count() == 1
    target = desk.store.corrections.target(alert.id)
    assert target is not None
    noted = desk.store.corrections.history(target.network, target.external_id)[0]
    assert (noted.complaint, noted.urgency, noted.topic, noted.sentiment) == (False, 0, "quality", None)
    assert (noted.actor, noted.origin) == ("Ravi Rao", "console")
    line = desk.store.audit.page()[0]
    assert (line.action, line.country, line.data["topic"]) == ("classification corrected", "FR", "quality")
    assert desk.alert(alert.id).is_live


def test_nothing_said_or_something_unknown_notes_nothing(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager")
    answer = browser.post(f"/mentions/{alert.match_id}/corrections", {"press": "x", "urgency": "9", "topic": "cars"})
    assert "Choose at least one thing" in browser.follow(answer).text
    assert desk.store.corrections.count() == 0


def test_those_who_only_read_cannot_correct(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("viewer")
    assert "/corrections" not in browser.get(f"/mentions/{alert.match_id}").text
    assert browser.post(f"/mentions/{alert.match_id}/corrections", {"complaint": "no"}).status_code == 403
    assert desk.store.corrections.count() == 0


def test_hostile_texts_stay_texts(desk: DeskRoom) -> None:
    alert = desk.complain(
        HOSTILE + " Acme", name=HOSTILE[:200], url="javascript:alert(1)", reasons=(Reason("<script>", 0.4),),
        profile={"location": HOSTILE, "bio": HOSTILE, "url": "data:text/html,x"},
    )  # fmt: skip
    browser = desk.room.client("community-manager")
    for path in ("/mentions", f"/mentions/{alert.match_id}"):
        page = browser.get(path, params={"text": ""}).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert 'href="data' not in page
        assert "\u202e" not in page
    found = browser.get("/mentions", params={"text": '"><script>alert(1)</script>', "country": "<b>"}).text
    assert "<script>alert" not in found
    assert "<b>" not in found


def test_a_post_is_withdrawn_on_request_and_its_words_are_gone(desk: DeskRoom) -> None:
    alert = desk.complain()
    lead = desk.room.client("communications-lead", full_name="Lea Roy")
    path = f"/mentions/{alert.match_id}/forget"
    assert f'href="{path}"' in lead.get(f"/alerts/{alert.id}").text
    assert f'href="{path}"' in lead.get(f"/mentions/{alert.match_id}").text
    assert "lost my parcel" in lead.get(path).text
    assert "Tick that you are sure" in lead.follow(lead.post(path, {"press": "a"})).text
    page = lead.follow(lead.post(path, {"press": "b", "sure": "yes"})).text
    assert "The post is withdrawn" in page
    for shown in (page, lead.get(f"/alerts/{alert.id}").text, lead.get("/mentions").text, lead.get("/alerts").text):
        assert "lost my parcel" not in shown
    assert "/corrections" not in page
    line = desk.store.audit.page()[0]
    assert (line.actor, line.origin, line.action, line.country) == ("Lea Roy", "console", "post withdrawn", "FR")
    assert "parcel" not in str(line)
    assert "withdrawn before" in lead.follow(lead.post(path, {"press": "c", "sure": "yes"})).text


def test_a_post_of_another_country_or_by_a_community_manager_is_not_withdrawn(desk: DeskRoom) -> None:
    alert = desk.complain()
    path = f"/mentions/{alert.match_id}/forget"
    assert desk.room.client("community-manager").post(path, {"sure": "yes"}).status_code == 403
    assert desk.room.client("communications-lead", ["JP"]).post(path, {"sure": "yes"}).status_code == 404
    assert "lost my parcel" in desk.room.client().get(f"/alerts/{alert.id}").text


def test_how_far_the_voice_carries_is_told_in_the_visitors_language(desk: DeskRoom) -> None:
    mention = desk.post(profile={"verified": True, "bio": "Journaliste à Lyon"}, signals={"R": 0.8})
    desk.triage()
    path = f"/mentions/{desk.match(mention)}"
    english, french = (desk.room.client(language=one).get(path).text for one in ("en", "fr"))
    for words in ("1,200 followers on x", "verified account", "“Journaliste” in the bio", "4 likes and replies",
                  "repeated or unanswered"):  # fmt: skip
        assert words in english, words
        assert words not in french, words
    assert "Journaliste" in french


def test_a_post_that_nobody_read_yet_is_shown(desk: DeskRoom) -> None:
    mention = desk.post()
    with desk.store._engine.begin() as connection:
        from listener.store import schema

        connection.execute(schema.classifications.delete())
    page = desk.room.client("community-manager").get(f"/mentions/{desk.match(mention)}").text
    assert "not classified yet" in page
    assert "/corrections" not in page


@pytest.mark.parametrize(
    "query", ["before=x", "severity=9", "span=1y", "text=%22(*", "urgency=a", "author=-1", "country="]
)
def test_an_address_that_nobody_wrote_by_hand_is_answered(desk: DeskRoom, query: str) -> None:
    desk.post()
    assert desk.room.client().get(f"/mentions?{query}").status_code == 200
