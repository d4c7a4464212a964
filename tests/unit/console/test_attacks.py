"""What hostile people tried on the console, and it did not give way."""

import http.client
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from alerts.card import Note, load_message
from listener.config import Config
from listener.console import records
from listener.console.server import ConsoleServer
from listener.console.signing_in import TRIES_A_NAME, Refused, SignIn
from listener.console.words import Words
from listener.errors import Problem
from listener.pipeline.escalate import Escalator
from tests.console_room import QUICK, ConsoleRoom, SignedIn
from tests.databases import migrated_sqlite
from tests.desk_room import DeskRoom


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def press(browser: SignedIn, path: str, **fields: Any) -> Any:
    """Send a form, and return the page that follows."""
    return browser.follow(browser.post(path, {"press": f"{path}-{browser.account_id}", **fields}))


# Two people of one name


def test_two_people_of_one_name_do_not_own_each_others_alerts(desk: DeskRoom) -> None:
    alert = desk.complain()
    one = desk.room.client("community-manager", name="ann", full_name="Ann Lee")
    other = desk.room.client("community-manager", name="ann-2", full_name="Ann Lee")
    press(one, f"/alerts/{alert.id}/claim")
    assert f'id="alert-{alert.id}"' in one.get("/alerts?owner=me").text
    assert f'id="alert-{alert.id}"' not in other.get("/alerts?owner=me").text
    page = press(other, f"/alerts/{alert.id}/release").text
    assert "take it over first" in page
    assert f'action="/alerts/{alert.id}/take-over"' in page
    kept = desk.room.store.alerts.alert(alert.id)
    assert kept is not None
    assert (kept.owner, kept.owner_address) == ("Ann Lee", f"console:{one.account_id}")


def test_nothing_tries_to_mention_somebody_whom_slack_does_not_know(desk: DeskRoom) -> None:
    alert = desk.complain()
    one = desk.room.client("community-manager", full_name="Ann Lee")
    other = desk.room.client("community-manager", full_name="Ben Ode")
    press(one, f"/alerts/{alert.id}/claim")
    press(one, f"/alerts/{alert.id}/snooze", lasting="15m")
    press(one, f"/alerts/{alert.id}/wake")
    press(one, f"/alerts/{alert.id}/escalate")
    press(other, f"/alerts/{alert.id}/take-over", owner=f"console:{one.account_id}")
    press(other, f"/alerts/{alert.id}/snooze", lasting="15m")
    office = desk.room.office
    escalator = Escalator(office.config, office.announcer, desk.room.store, desk.room.clock)
    desk.room.clock.advance(1200)
    escalator.run()
    desk.room.clock.advance(30 * 3600)
    escalator.run()
    notes = _notes(desk, alert.id)
    assert len(notes) > 5
    assert [note.people for note in notes] == [()] * len(notes)
    assert next(note for note in notes if note.title == "Snooze is over").broadcast  # nobody follows the thread


def _notes(desk: DeskRoom, alert_id: int) -> list[Note]:
    found = []
    for row in desk.room.store.alerts.notifications(alert_id):
        whole = desk.room.store.outbox.row(row["id"])
        assert whole is not None
        message = load_message(whole["payload"])
        if isinstance(message, Note):
            found.append(message)
    return found


def test_a_person_called_as_the_daemon_is_not_taken_for_it(desk: DeskRoom) -> None:
    alert = desk.complain()
    press(desk.room.client("community-manager", full_name="listener"), f"/alerts/{alert.id}/claim")
    (claimed,) = (one for one in desk.room.store.alerts.history(alert.id) if one.kind == "claimed")
    assert records.who(Words.of("en"), claimed) == "listener"
    (opened,) = (one for one in desk.room.store.alerts.history(alert.id) if one.kind == "opened")
    assert records.who(Words.of("en"), opened) == "the daemon"


# Addresses and forms


@pytest.mark.parametrize("path", ["/alerts/{}", "/incidents/{}", "/mentions/{}/forget", "/people/{}", "/silences/{}"])
def test_numbers_of_thousands_of_figures_break_nothing(room: ConsoleRoom, path: str) -> None:
    answer = room.browser().get(path.format("9" * 5000))
    assert answer.status_code == 414
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**20, -(2**63) - 1])
def test_numbers_that_no_database_holds_break_nothing(desk: DeskRoom, number: int) -> None:
    desk.complain()
    admin = desk.room.client("admin")
    for path in (
        "/mentions?before={}", "/incidents?before={}", "/alerts?before={}", "/alerts?before=1.{}", "/audit?before={}",
        "/settings?before={}", "/mentions?author={}", "/alerts?text=A-{}",
    ):  # fmt: skip
        assert admin.get(path.format(number)).status_code == 200, path
    for path in (
        "/incidents/{}", "/alerts/{}", "/mentions/{}", "/delivery/{}", "/settings/{}", "/people/{}",
        "/explain?ref=A-{}",
    ):  # fmt: skip
        assert admin.get(path.format(number)).status_code == 404, path


def test_an_address_of_thousands_of_filters_costs_little(desk: DeskRoom) -> None:
    desk.complain()
    browser = desk.room.client("viewer")
    many = "&".join(f"country=C{number}" for number in range(2500))
    page = browser.get(f"/mentions?{many}")
    assert page.status_code == 200
    assert "remove this filter" not in page.text
    few = browser.get("/mentions?" + "&".join(f"country=C{number}" for number in range(100))).text
    assert few.count("remove this filter") >= 100


def test_spaces_around_a_name_win_no_more_tries(room: ConsoleRoom) -> None:
    room.person("ana", "kettle horizon violin marmot")
    signing = SignIn(room.office, QUICK)
    for number in range(TRIES_A_NAME):
        signing.by_password(" " * (117 + number % 4) + "ana", "wrong", f"192.0.2.{number}")
    refused = signing.by_password("ana", "wrong", "192.0.2.99")
    assert isinstance(refused, Refused)
    assert refused.until is not None


def test_a_link_of_another_site_chooses_no_language(room: ConsoleRoom) -> None:
    browser = room.client("viewer", language="de")
    assert browser.get("/language").status_code == 303
    assert 'lang="de"' in browser.get("/about").text


def test_a_page_with_letters_of_other_scripts_is_one_to_go_to(room: ConsoleRoom) -> None:
    browser = room.client("viewer")
    answer = browser.post("/language", {"language": "en", "next": "/mentions?text=云"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["hx-redirect"] == "/mentions?text=%E4%BA%91"


# What is of other countries


def test_numbers_of_other_countries_are_not_found_out_through_playbooks(desk: DeskRoom) -> None:
    theirs = desk.complain("Acme never came", country="JP")
    browser = desk.room.client("viewer", ["FR"])
    name = re.findall(r'href="/playbooks/([a-z-]+)"', browser.get("/playbooks").text)[0]
    said = "That post is not stored, or it is of a country that you do not see."
    for named in (f"A-{theirs.id}", "A-999", f"m{theirs.match_id}", "m999"):
        assert said in browser.get(f"/playbooks/{name}?post={named}").text, named
    assert said in desk.room.client("viewer").get(f"/playbooks/{name}?post=A-999").text


@pytest.mark.parametrize("matcher", ["country =JP", 'country="JP"', "country=~JP|US", "country!=FR"])
def test_silences_of_other_countries_are_not_shown_however_they_are_written(desk: DeskRoom, matcher: str) -> None:
    everybody, french = desk.room.client("communications-lead"), desk.room.client("communications-lead", ["FR"])
    fields = {"matchers": f"{matcher}\ntopic=delivery", "reason": "known outage", "lasting": "1h", "step": "add"}
    everybody.post("/silences", {**fields, "press": "a"})
    assert len(desk.store.silences.latest()) == 1
    assert "known outage" not in french.get("/silences").text


def test_what_a_silence_holds_back_of_other_countries_is_not_counted(desk: DeskRoom) -> None:
    now = desk.room.clock.now()
    desk.store.silences.add(["topic=~.+", "kind=post"], author="Ann", reason="all quiet", starts_at=now,
                            ends_at=now + timedelta(hours=1), now=now)  # fmt: skip
    desk.complain("Acme lost my parcel, shame on you", country="JP")
    everybody, french = desk.room.client("communications-lead"), desk.room.client("communications-lead", ["FR"])
    assert "holds back 1 alert" in everybody.get("/silences").text
    assert "holds back 0 alerts" in french.get("/silences").text


def test_messages_of_other_countries_that_are_dead_are_not_counted(desk: DeskRoom, tmp_path: Path) -> None:
    desk.complain("Acme lost my parcel, shame on you", country="JP")
    with closing(sqlite3.connect(tmp_path / "listener.db")) as other, other:
        other.execute("update notifications set state = 'dead'")
    dead = r'class="figure">(\d+)</span> Messages? not delivered'
    assert re.findall(dead, desk.room.client("admin").get("/").text) != ["0"]
    assert re.findall(dead, desk.room.client("admin", ["FR"]).get("/").text) == ["0"]


def test_an_admin_of_some_countries_reads_nothing_of_people_in_the_audit_log(room: ConsoleRoom) -> None:
    room.person("zoe", "kettle horizon violin marmot", countries=["JP"])
    assert "account added" in room.client("admin").get("/audit").text
    page = room.client("admin", ["FR"]).get("/audit").text
    assert "zoe" not in page
    assert "account added" not in page


# The database


def test_a_database_that_does_not_answer_is_said_and_ends_no_session(room: ConsoleRoom) -> None:
    browser = room.client("viewer")
    away = OperationalError("select", {}, ConnectionError("gone"))
    accounts = type(room.store.accounts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "session", Mock(side_effect=away))
        answer = browser.get("/alerts")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "content-security-policy" in answer.headers
    assert "set-cookie" not in answer.headers
    assert browser.get("/alerts").status_code == 200


def test_a_database_that_somebody_else_writes_to_for_long_is_said(desk: DeskRoom, tmp_path: Path) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager")
    with closing(sqlite3.connect(tmp_path / "listener.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        answer = browser.post(f"/alerts/{alert.id}/claim", {"press": "one"})
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    assert browser.post(f"/alerts/{alert.id}/claim", {"press": "one"}).status_code == 303
    assert desk.alert(alert.id).owner is not None


def test_a_configuration_that_changes_while_the_database_is_away_is_kept_later(room: ConsoleRoom) -> None:
    keeper, path = room.office.keeper, room.folder / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: Hub", "name: New hub"), encoding="utf-8")
    with closing(sqlite3.connect(room.folder / "listener.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        assert [keeper.look(), keeper.look()] == [False, True]
        assert keeper.config.teams["hub"].name == "New hub"
        assert not any("New hub" in version.files["config.yaml"] for version in keeper.versions())
    assert keeper.look() is False
    assert "New hub" in keeper.versions()[0].files["config.yaml"]


def test_one_browser_that_opens_slow_pages_keeps_nobody_else_waiting(
    room: ConsoleRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, began = Event(), Semaphore(0)

    def slow(config: Config) -> list[Problem]:
        began.release()
        assert goes_on.wait(20)
        return []

    monkeypatch.setattr("listener.console.sections.playbooks.library_problems", slow)
    room.person("ana", "grün lampe achtzig boot")
    greedy, other = (room.token(room.account()) for _ in range(2))
    server = ConsoleServer(room.office)
    server.start()
    with ThreadPoolExecutor(12) as threads:
        waiting = [threads.submit(_status, server.port, "/playbooks/findings", greedy) for _ in range(12)]
        assert began.acquire(timeout=20)
        assert _status(server.port, "/about", other) == 200
        assert not any(one.done() for one in waiting)
        goes_on.set()
        assert [one.result() for one in waiting] == [200] * 12
    server.close()


def _status(port: int, path: str, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request("GET", path, headers={"Cookie": f"listener={token}"})
    status = connection.getresponse().status
    connection.close()
    return status
