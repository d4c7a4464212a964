import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from listener import alert_command
from listener.app import OpenDesk
from listener.console import records
from listener.console.words import Words
from listener.model import Reason
from listener.store.alerts import AlertEvent
from tests.console_room import ConsoleRoom, SignedIn
from tests.databases import migrated_sqlite
from tests.desk_room import HOSTILE, DeskRoom


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def press(browser: SignedIn, alert_id: int, act: str, **fields: Any) -> Any:
    """Send a form of an alert's page, and return the page that follows."""
    data = {"press": f"{act}-{fields.pop('key', 'one')}", **fields}
    return browser.follow(browser.post(f"/alerts/{alert_id}/{act}", data))


def test_the_list_shows_what_is_to_be_dealt_with_and_how_it_stands(desk: DeskRoom) -> None:
    first = desk.complain(author="anna", name="Anna Petit")
    done = desk.complain("Acme is late again, shame on you", author="bo", name="Bo Lind")
    browser = desk.room.client("community-manager")
    press(browser, done.id, "resolve", how="solved")
    page = browser.get("/alerts").text
    assert f'id="alert-{first.id}"' in page
    assert f'id="alert-{done.id}"' not in page
    assert "lost my parcel" in page
    assert "nobody yet" in page
    assert "First answer" in page


def test_closed_alerts_are_found_by_their_state(desk: DeskRoom) -> None:
    done = desk.complain()
    browser = desk.room.client("community-manager")
    press(browser, done.id, "resolve", how="solved")
    for state in ("resolved", "all"):
        page = browser.get(f"/alerts?state={state}").text
        assert f'id="alert-{done.id}"' in page
        assert "solved, by" in page


def test_the_list_holds_only_countries_that_the_visitor_sees(desk: DeskRoom) -> None:
    here, there = desk.complain(), desk.complain("Acme never came", country="JP", author="ken", name="Ken Mori")
    browser = desk.room.client("community-manager", ["FR"])
    page = browser.get("/alerts?country=JP").text
    assert f'id="alert-{here.id}"' in page  # a country that is not seen is none that can be asked for
    assert f'id="alert-{there.id}"' not in page
    assert "Ken Mori" not in page
    assert browser.get(f"/alerts/{there.id}").status_code == 404
    assert browser.get(f"/alerts/{there.id}/changes?seen=0").status_code == 404
    assert browser.post(f"/alerts/{there.id}/claim", {"press": "p"}).status_code == 404
    assert desk.alert(there.id).owner is None
    assert str(there.id) not in browser.get(f"/alerts/standings?id={there.id}").text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Acme 快递丢了我的包裹, 没有人回答", "包裹"),
        ("شركة Acme فقدت الطرد ولا أحد يجيب", "الطرد"),
        ("Acme потеряла мою посылку, никто не отвечает", "посылку"),
    ],
)
def test_search_finds_words_in_any_script(desk: DeskRoom, text: str, words: str) -> None:
    other = desk.complain()
    found = desk.complain(text, author="lin", name="Lin")
    page = desk.room.client().get("/alerts", params={"text": words}).text
    assert f'id="alert-{found.id}"' in page
    assert f'id="alert-{other.id}"' not in page


@pytest.mark.parametrize("name", ["A-{}", "a-{}", " A-{} ", "#{}"])
def test_an_alert_is_found_by_its_name_however_it_stands(desk: DeskRoom, name: str) -> None:
    other, done = desk.complain(), desk.complain("Acme is late again", author="bo", name="Bo Lind")
    browser = desk.room.client("community-manager")
    press(browser, done.id, "resolve", how="solved")
    page = browser.get("/alerts", params={"text": name.format(done.id)}).text
    assert f'id="alert-{done.id}"' in page
    assert f'id="alert-{other.id}"' not in page


@pytest.mark.parametrize("name", ["A-{}", "a-{}"])
def test_an_alerts_name_is_an_address(desk: DeskRoom, name: str) -> None:
    alert = desk.complain()
    browser = desk.room.client()
    assert "Anna Petit" in browser.follow(browser.get(f"/alerts/{name.format(alert.id)}")).text


@pytest.mark.parametrize("name", ["B-1", "A-", "A-x", "A--1", "A-1234567890123456789", "%231", "A-1/x"])
def test_what_is_no_name_is_no_address(desk: DeskRoom, name: str) -> None:
    desk.complain()
    assert desk.room.client().get(f"/alerts/{name}").status_code == 404


def test_filters_in_use_are_shown_and_each_can_be_taken_away(desk: DeskRoom) -> None:
    desk.complain()
    page = desk.room.client().get("/alerts?country=FR&severity=3&before=zz").text
    assert 'href="/alerts?severity=3"' in page
    assert 'href="/alerts?country=FR"' in page
    assert "France" in page


def test_what_is_overdue_is_said_in_words(desk: DeskRoom) -> None:
    alert = desk.complain()
    desk.room.clock.advance(3 * 86400)
    browser = desk.room.client()
    page = browser.get("/alerts?state=overdue").text
    assert f'id="alert-{alert.id}"' in page
    assert "<strong>Overdue</strong>" in page
    assert "late</time>" in page


def test_times_are_told_by_the_visitors_own_clocks(desk: DeskRoom) -> None:
    alert = desk.complain()
    paris = desk.room.client(timezone="Europe/Paris").get(f"/alerts/{alert.id}").text
    tokyo = desk.room.client(timezone="Asia/Tokyo").get(f"/alerts/{alert.id}").text
    assert "16 Nov 2026, 09:54" in paris
    assert "16 Nov 2026, 17:54" in tokyo


def test_new_alerts_are_announced_and_the_list_stays_as_it_is(desk: DeskRoom) -> None:
    desk.complain()
    browser = desk.room.client()
    page = browser.get("/alerts").text
    url = re.search(r'hx-get="(/alerts/news[^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    assert browser.get(url).status_code == 204
    desk.complain("Acme sent me an empty box", author="bo", name="Bo Lind")
    told = browser.get(url)
    assert "1 new alert" in told.text
    assert "Bo Lind" not in told.text
    again = re.search(r'hx-get="(/alerts/news[^"]+)"', told.text)[1].replace("&amp;", "&")  # type: ignore[index]
    assert browser.get(again).status_code == 204


def test_standings_in_the_list_are_told_anew_without_the_rest(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager", full_name="Ravi Rao")
    press(browser, alert.id, "claim")
    other = desk.room.client()
    part = other.get(f"/alerts/standings?id={alert.id}&id=99&id=x").text
    assert f'id="standing-{alert.id}"' in part
    assert "Ravi Rao" in part
    assert "lost my parcel" not in part


def test_a_page_says_that_its_alert_has_changed(desk: DeskRoom) -> None:
    alert = desk.complain()
    reader, manager = desk.room.client(), desk.room.client("community-manager", full_name="Ravi Rao")
    page = reader.get(f"/alerts/{alert.id}").text
    url = re.search(r'hx-get="(/alerts/\d+/changes[^"]+)"', page)[1]  # type: ignore[index]
    assert reader.get(url).status_code == 204
    press(manager, alert.id, "claim")
    told = reader.get(url).text
    assert "Ravi Rao" in told
    assert "Claimed it" in told


def test_one_page_has_what_the_card_has(desk: DeskRoom) -> None:
    alert = desk.complain(reasons=(Reason("parcel", 0.4),))
    page = desk.room.client("community-manager").get(f"/alerts/{alert.id}").text
    for words in (
        "Anna Petit",
        "1,200 followers",
        "The post",
        "What to answer",
        "Suggested reply 1",
        "Never say",
        "Move to a private channel",
        "Playbook:",
        "Ask for this in private",
        "May be promised",
        "Why it was raised",
        "History",
        "Posts in it",
        "Explain every step",
        "Opened with severity",
    ):
        assert words in page, words
    assert 'data-copy="draft-1"' in page
    assert "https://x.com/intent/" in page


def test_why_it_was_raised_is_told_in_the_visitors_language(desk: DeskRoom) -> None:
    alert = desk.complain(signals={"R": 0.8}, profile={"verified": True, "bio": "Journaliste à Lyon"})
    english, french = (desk.room.client(language=one).get(f"/alerts/{alert.id}").text for one in ("en", "fr"))
    for words in (
        "cannot wait",
        "(threshold 0.",
        "with priority",
        "by a voice that carries",
        "repeated or unanswered",
        " x velocity ",
        "1,200 followers on x",
        "verified account",
        "in the bio",
    ):
        assert words in english, words
        assert words not in french, words
    assert "Journaliste" in french
    assert "0.94" in french


def test_its_history_is_told_in_the_visitors_language(desk: DeskRoom) -> None:
    data = {"post": "x:1", "severity": 2, "reading": "It reads now: outage", "topic": "outage", "complaint": 0.5}
    edited = AlertEvent("edited", desk.room.clock.now(), "listener", {**data, "urgency": 3})
    over = replace(edited, kind="over", data={"because": "nothing of it is listened for any more"})
    assert records.in_words(Words.of("en"), edited).startswith(
        "Post x:1 was edited. It reads now: outage, complaint 0.50, high urgency. The alert's severity is 2;"
    )
    for event in (edited, over):
        said = records.in_words(Words.of("fr"), event)
        assert not {"reads", "outage", "urgency", "nothing", "listened"} & set(re.findall(r"\w+", said)), said
    before = replace(edited, data={"post": "x:1", "reading": "It reads now: outage"})
    assert "It reads now: outage" in records.in_words(Words.of("fr"), before)


def test_posts_that_joined_one_after_another_are_one_line_of_the_history(desk: DeskRoom) -> None:
    alert = desk.complain("Acme lost my parcel number 0", conversation="c")
    for number in range(1, 6):
        desk.room.clock.advance(60)
        desk.complain(f"Acme lost my parcel number {number} and it hurts", conversation="c")
    browser = desk.room.client("community-manager", full_name="Ravi Rao")
    press(browser, alert.id, "claim")
    desk.complain("Acme lost my parcel for the last time", conversation="c")
    page = browser.get(f"/alerts/{alert.id}").text
    history = page.split('id="history-title"')[1].split("</ol>")[0]
    assert "<summary>5 further posts joined</summary>" in history
    assert "16 Nov 2026, 09:01–09:05" in history
    assert history.index("Claimed it") < history.index("5 further posts joined")
    assert history.count('<bdi class="who">the daemon</bdi>') == 3  # opened, five joined, one joined
    office = OpenDesk(desk.room.office.config, desk.store, desk.room.clock)
    told = alert_command.history(office, desk.alert(alert.id))
    assert sum("joined" in line for line in told) == 2
    assert any("daemon: 5 further posts joined, until " in line for line in told)


def test_copies_and_further_posts_are_counted_apart() -> None:
    now = datetime(2026, 11, 16, tzinfo=UTC)
    copy, post = (AlertEvent("joined", now, "listener", data) for data in ({"copy": True}, {}))
    assert records.joined(Words.of("en"), [copy, post, copy]) == "2 copies joined, 1 further post joined"
    assert records.joined(Words.of("fr"), [post, post]) == "2 autres publications ont rejoint l’alerte"


def test_members_are_listed_page_by_page(desk: DeskRoom) -> None:
    first = desk.complain("Acme lost parcel number 0", conversation="c")
    for number in range(1, 23):
        desk.complain(f"Acme lost parcel number {number} and it hurts", conversation="c")
    browser = desk.room.client()
    page = browser.get(f"/alerts/{first.id}").text
    assert "parcel number 19" in page
    assert "parcel number 21" not in page
    following = re.search(r'href="(\?after=\d+)#members-title"', page)[1]  # type: ignore[index]
    assert "parcel number 21" in browser.get(f"/alerts/{first.id}{following}").text


def test_an_alert_is_claimed_given_back_and_taken_over(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    mia = desk.room.client("community-manager", full_name="Mia Sol")
    assert f"A-{alert.id} is yours." in press(ravi, alert.id, "claim").text
    assert desk.alert(alert.id).owner == "Ravi Rao"
    assert "Take it over from Ravi Rao" in mia.get(f"/alerts/{alert.id}").text
    assert f"A-{alert.id} is yours now." in press(mia, alert.id, "take-over", owner="Ravi Rao").text
    assert desk.alert(alert.id).owner == "Mia Sol"
    assert "given back to the team" in press(mia, alert.id, "release").text
    assert desk.alert(alert.id).owner is None
    kinds = [(one.kind, one.actor, one.data.get("origin")) for one in desk.store.alerts.history(alert.id)]
    assert ("claimed", "Ravi Rao", "console") in kinds
    assert ("taken over", "Mia Sol", "console") in kinds
    assert ("released", "Mia Sol", "console") in kinds


def test_who_was_second_is_told_who_was_first(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    mia = desk.room.client("community-manager", full_name="Mia Sol")
    press(ravi, alert.id, "claim")
    page = press(mia, alert.id, "claim").text
    assert "Somebody else was first: Ravi Rao has" in page
    assert 'class="notice bad"' in page
    assert desk.alert(alert.id).owner == "Ravi Rao"


def test_of_many_who_claim_in_the_same_moment_one_wins_and_all_others_are_told(desk: DeskRoom) -> None:
    alert = desk.complain()
    names = [f"Person {number}" for number in range(6)]
    browsers = [desk.room.client("community-manager", full_name=name) for name in names]
    start = Barrier(len(browsers))

    def claim(browser: SignedIn) -> Any:
        start.wait(20)
        return browser.post(f"/alerts/{alert.id}/claim", {"press": "p"})

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(claim, browsers))
    pages = [browser.follow(answer).text for browser, answer in zip(browsers, answers, strict=True)]
    assert sum("is yours." in page for page in pages) == 1
    winner = desk.alert(alert.id).owner
    assert sum(f"Somebody else was first: {winner} has" in page for page in pages) == len(browsers) - 1
    assert sum(one.kind == "claimed" for one in desk.store.alerts.history(alert.id)) == 1


def test_a_take_over_from_somebody_who_is_not_the_owner_any_more_is_refused(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi, mia, tom = (desk.room.client("community-manager", full_name=name) for name in ("Ravi", "Mia", "Tom"))
    press(ravi, alert.id, "claim")
    press(mia, alert.id, "take-over", owner="Ravi")
    page = press(tom, alert.id, "take-over", owner="Ravi").text
    assert "Mia has" in page
    assert desk.alert(alert.id).owner == "Mia"


def test_a_double_click_acts_once(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    press(ravi, alert.id, "claim", key="same")
    page = press(ravi, alert.id, "claim", key="same").text
    assert "That was done with your first press." in page
    assert 'class="notice good"' in page
    assert sum(one.kind == "claimed" for one in desk.store.alerts.history(alert.id)) == 1


def test_a_form_of_an_earlier_page_can_be_sent_again_later(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    page = press(ravi, alert.id, "resolve", how="solved").text
    assert "is resolved: solved." in page
    assert "Ravi Rao closed" in press(ravi, alert.id, "claim", key="later").text
    assert "is open again" in press(ravi, alert.id, "reopen").text
    assert desk.alert(alert.id).is_live


def test_snoozing_waking_answering_and_escalating(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao", timezone="Europe/Paris")
    assert "is snoozed until 16 Nov 2026, 11:00" in press(ravi, alert.id, "snooze", lasting="1h").text
    assert desk.alert(alert.id).snoozed_until == desk.room.clock.now() + timedelta(hours=1)
    assert "is awake again" in press(ravi, alert.id, "wake").text
    assert "17 Nov 2026, 09:00" in press(ravi, alert.id, "snooze", lasting="opening", key="two").text
    press(ravi, alert.id, "wake", key="two")
    variant = desk.alert(alert.id).variants[0]
    assert "was answered" in press(ravi, alert.id, "replied", where="both", variant=variant).text
    stored = desk.alert(alert.id)
    assert stored.replied_at is not None
    assert stored.private_at is not None
    said = next(one for one in desk.store.alerts.history(alert.id) if one.kind == "replied")
    assert said.data["variant"] == variant
    assert "noted for" in press(ravi, alert.id, "replied", where="both", key="two").text
    assert press(ravi, alert.id, "escalate").status_code == 200


def test_a_draft_that_was_never_offered_is_not_noted(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    press(ravi, alert.id, "replied", where="public", variant="other/en/1<script>")
    said = next(one for one in desk.store.alerts.history(alert.id) if one.kind == "replied")
    assert "variant" not in said.data


def test_no_complaint_closes_it_and_teaches_the_classifier(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    press(ravi, alert.id, "not-a-complaint", was="joke", topic="quality")
    assert desk.alert(alert.id).resolution == "not_complaint"
    target = desk.store.corrections.target(alert.id)
    assert target is not None
    noted = desk.store.corrections.history(target.network, target.external_id)[0]
    assert (noted.complaint, noted.topic, noted.actor, noted.origin) == (False, "quality", "Ravi Rao", "console")


def test_another_playbook_can_be_chosen(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    page = ravi.get(f"/alerts/{alert.id}").text
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]  # type: ignore[index]
    other = next(name for name in desk.room.office.announcer.playbooks if name != seen)
    said = press(ravi, alert.id, "playbook", playbook=other, seen=seen).text
    assert "counts as another case now" in said
    assert "Chosen by Ravi Rao." in said
    assert desk.alert(alert.id).playbook == other
    late = press(ravi, alert.id, "playbook", playbook=seen, seen=seen, key="late").text
    assert "another case meanwhile" in late


@pytest.mark.parametrize(
    ("act", "fields"),
    [("snooze", {"lasting": "9y"}), ("resolve", {"how": "x"}), ("replied", {}), ("not-a-complaint", {"was": "?"}),
     ("playbook", {"playbook": "none"})],
)  # fmt: skip
def test_what_cannot_be_chosen_changes_nothing(desk: DeskRoom, act: str, fields: dict[str, str]) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager")
    page = press(ravi, alert.id, act, **fields).text
    assert "Something is missing there" in page
    assert len(desk.store.alerts.history(alert.id)) == 1


def test_an_act_that_there_is_not_is_not_found(desk: DeskRoom) -> None:
    alert = desk.complain()
    assert desk.room.client("admin").post(f"/alerts/{alert.id}/drop", {"press": "p"}).status_code == 404


def test_those_who_only_read_are_shown_no_forms_and_can_do_nothing(desk: DeskRoom) -> None:
    alert = desk.complain()
    reader = desk.room.client("viewer")
    for path in ("/alerts", f"/alerts/{alert.id}"):
        assert f'action="/alerts/{alert.id}/' not in reader.get(path).text
    assert reader.post(f"/alerts/{alert.id}/claim", {"press": "p"}).status_code == 403
    assert desk.alert(alert.id).owner is None


def test_an_act_without_the_pages_own_token_is_refused(desk: DeskRoom) -> None:
    alert = desk.complain()
    ravi = desk.room.client("community-manager")
    assert ravi.client.post(f"/alerts/{alert.id}/claim", data={"press": "p"}).status_code == 403
    assert desk.alert(alert.id).owner is None


def test_hostile_texts_stay_texts(desk: DeskRoom) -> None:
    alert = desk.complain(
        HOSTILE + " Acme lost it", name=HOSTILE[:200], url="javascript:alert(1)",
        profile={"url": "javascript:alert(2)", "bio": HOSTILE, "location": HOSTILE},
    )  # fmt: skip
    manager = desk.room.client("communications-lead", full_name="<b>Ravi</b>")
    press(manager, alert.id, "claim")
    for path in ("/alerts", f"/alerts/{alert.id}", f"/alerts/standings?id={alert.id}"):
        page = manager.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>Ravi" not in page
        assert 'href="javascript' not in page
        assert "\u202e" not in page
        assert " style=" not in page
        assert not re.search(r"\son[a-z]+=\"", page)


def test_links_out_of_the_console_tell_nothing_to_where_they_lead(desk: DeskRoom) -> None:
    alert = desk.complain()
    page = desk.room.client("community-manager").get(f"/alerts/{alert.id}").text
    links = re.findall(r'<a [^>]*href="https?://[^>]*>', page)
    assert links
    assert all('rel="noopener noreferrer nofollow"' in link and 'target="_blank"' in link for link in links)


def test_an_alert_whose_country_left_the_configuration_is_still_shown(desk: DeskRoom) -> None:
    alert = desk.complain(country="US")
    path = desk.room.folder / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  US: {timezone: America/Los_Angeles}\n", ""), "utf-8")
    desk.room.office.keeper.look()  # a file is taken once it stays the same
    assert desk.room.office.keeper.look()
    ravi = desk.room.client("community-manager", full_name="Ravi Rao")
    page = ravi.get(f"/alerts/{alert.id}").text
    assert "not configured any more" in page
    assert f'id="alert-{alert.id}"' in ravi.get("/alerts").text
    assert f"A-{alert.id} is yours." in press(ravi, alert.id, "claim").text


@pytest.mark.parametrize("language", ["fr", "de", "es", "ru", "zh-Hans"])
def test_pages_open_in_every_language(desk: DeskRoom, language: str) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager", language=language)
    for path in ("/alerts", f"/alerts/{alert.id}"):
        assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    "query", ["before=1.2.3", "span=99y", "severity=x", "state=nothing", "owner=%00", "text=%22%27)(*", "order=;"]
)
def test_an_address_that_nobody_wrote_by_hand_is_answered(desk: DeskRoom, query: str) -> None:
    desk.complain()
    assert desk.room.client().get(f"/alerts?{query}").status_code == 200
    assert desk.room.client().get("/alerts/99999999999999999999999999").status_code == 404
