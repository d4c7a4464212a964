"""The sources' pages: how each watch stands, what it costs, what trying it out says."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from classifiers.copies import text_hash
from listener.config.editing import Edit
from listener.console.listening import Listening, listening
from listener.model import Author, Gap, Mention, Page, Skipped, Usage
from listener.store import Arrival
from listener.store.lock import DatabaseLock
from tests.console_room import NOW, ConsoleRoom
from tests.servers.x import XServer

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_ROOM_TOKEN", "test-token")


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer(NOW) as running:
        yield running


def seen(room: ConsoleRoom) -> Listening:
    config = room.office.config
    return listening(config, room.store, config.watches, room.clock.now())


def standing(room: ConsoleRoom, watch_id: str) -> str:
    return next(view.standing for view in seen(room).watches if view.watch.id == watch_id)


def hear(
    room: ConsoleRoom, watch_id: str, *, late: timedelta = timedelta(minutes=7), skipped: tuple[Skipped, ...] = ()
) -> None:
    watch = next(one for one in room.office.config.watches if one.id == watch_id)
    now = room.clock.now()
    post = Mention("x", f"{watch_id}-1", "bonjour", now - late, Author("x", "a", name="A"))
    room.store.collecting.save_page(
        watch, Page((post,), "{}", skipped=skipped), [Arrival(post, watch.country, text_hash(post.text))],
        now=now, next_poll_at=now + timedelta(minutes=2), max_age_s=None, usage=Usage(1, 3, 0.015),
    )  # fmt: skip


def fail(room: ConsoleRoom, watch_id: str, problem: str, fault: str, **more: Gap) -> None:
    now = room.clock.now()
    room.store.collecting.save_failure(watch_id, problem, now=now, next_poll_at=now + HOUR, fault=fault, **more)


def test_a_watch_stands_as_what_happened_last_says(room: ConsoleRoom) -> None:
    assert standing(room, "x/FR/acme") == "new"
    hear(room, "x/FR/acme")
    assert standing(room, "x/FR/acme") == "fine"
    fail(room, "x/FR/acme", "X answered 503.", "failing")
    assert standing(room, "x/FR/acme") == "failing"
    fail(room, "x/FR/acme", "no more", "quota")
    assert standing(room, "x/FR/acme") == "quota"
    fail(room, "x/FR/acme", "unknown account", "watch")
    assert standing(room, "x/FR/acme") == "refused"
    assert standing(room, "x/JP/acme") == "new"


def test_a_source_that_is_refused_stops_all_its_watches_until_one_is_heard_again(room: ConsoleRoom) -> None:
    hear(room, "x/JP/acme")
    room.clock.advance(60)
    fail(room, "x/FR/acme", "X answered 401.", "source")
    assert {view.standing for view in seen(room).watches} == {"refused"}
    room.clock.advance(60)
    hear(room, "x/JP/acme")
    assert standing(room, "x/JP/acme") == "fine"
    assert standing(room, "x/FR/acme") == "refused"
    assert standing(room, "x/US/acme") == "new"


def test_a_watch_that_nobody_polls_is_overdue(room: ConsoleRoom) -> None:
    hear(room, "x/FR/acme")
    room.clock.advance(3600)
    assert standing(room, "x/FR/acme") == "overdue"
    assert "does the daemon run?" in room.client("admin").get("/sources").text


def test_a_missing_secret_names_its_variable(room: ConsoleRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSOLE_ROOM_TOKEN")
    assert standing(room, "x/FR/acme") == "off"
    assert "CONSOLE_ROOM_TOKEN" in room.client("admin").get("/sources").text


def test_costs_are_told_by_country_by_day_and_for_the_month_to_come(room: ConsoleRoom) -> None:
    for back in range(10):
        room.store.usage.add("x/FR/acme", Usage(10, 100, 1.0), NOW - back * DAY)
    room.store.usage.add("x/JP/acme", Usage(1, 1, 40.0), NOW - 29 * DAY)  # last month's
    found = seen(room)
    (cost,) = found.costs
    assert (cost.country, cost.today, cost.month) == ("FR", 1.0, 10.0)
    assert cost.projected == pytest.approx(10.0 + 14.625)  # 14 days and 15 hours of November are left
    assert sum(dollars for _, dollars in found.by_day) == pytest.approx(50.0)
    page = room.client("admin").get("/sources").text
    assert "US$10.00" in page
    assert "US$24.62" in page or "US$24.63" in page


def test_a_limit_shows_its_use_and_what_the_month_will_come_to(room: ConsoleRoom) -> None:
    edit = Edit(("countries", "FR", "sources", "x"), {"monthly_posts": 1000})
    room.office.keeper.change([edit], "tests")
    room.store.collecting.save_page(
        next(one for one in room.office.config.watches if one.id == "x/FR/acme"),
        Page((), '{"month": "2026-11", "posts": 400}'), [], now=NOW, next_poll_at=NOW, max_age_s=None,
    )  # fmt: skip
    for back in range(1, 8):
        room.store.usage.add("x/FR/acme", Usage(10, 100, 0.5), NOW - back * DAY)
    page = room.client("admin").get("/sources/x/FR/acme").text
    assert "400 of 1,000 used, 40%" in page
    assert "1,862 by the month&#39;s end: more than the limit" in page


def test_a_watch_shows_its_days_gaps_and_what_it_did_not_take(room: ConsoleRoom) -> None:
    hear(room, "x/FR/acme", skipped=(Skipped("<b>broken</b>", "x:5", '<script>alert(1)</script>{"id"'),))
    fail(room, "x/FR/acme", "no more", "quota", gap=Gap(NOW - HOUR, NOW + HOUR, "quota used up: no more"))
    page = room.client("admin").get("/sources/x/FR/acme").text
    assert "quota used up: no more" in page
    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert "<script>alert(1)" not in page
    assert "7\u00a0min later" in page


def test_only_countries_that_the_visitor_sees_are_there(room: ConsoleRoom) -> None:
    client = room.client("admin", ["FR"])
    page = client.get("/sources").text
    assert "x/FR/acme" in page
    assert "x/JP/acme" not in page
    assert client.get("/sources/x/JP/acme").status_code == 404
    assert client.post("/sources/trial", {"watch": "x/JP/acme"}).status_code == 404
    for role in ("viewer", "community-manager", "communications-lead"):
        assert room.client(role).get("/sources").status_code == 403
        assert room.client(role).post("/sources/trial", {"watch": "x/FR/acme"}).status_code == 403


def test_trying_a_watch_out_says_what_works_and_is_noted(room: ConsoleRoom, server: XServer) -> None:
    room.office.keeper.change([Edit(("sources", "x", "base_url"), server.base_url)], "tests")
    client = room.client("admin")
    page = client.post("/sources/trial", {"watch": "x/FR/acme"}).text
    assert "It works." in page
    assert "X takes the token and 1 query" in page
    assert len(server.requests) == 1
    assert room.store.collecting.states() == {}
    (line,) = room.store.audit.page(action="source tried out")
    assert (line.object, line.country, line.data["state"]) == ("x/FR/acme", "FR", "works")
    again = client.post("/sources/trial", {"watch": "x/JP/acme"}, headers={"hx-request": "true"}).text
    assert "was tried out a moment ago" in again
    assert "<html" not in again
    assert len(server.requests) == 1


def test_a_refused_token_is_named_by_where_it_stands(room: ConsoleRoom, server: XServer) -> None:
    room.office.keeper.change([Edit(("sources", "x", "base_url"), server.base_url)], "tests")
    server.token = "another"
    page = room.client("admin").post("/sources/trial", {"watch": "x/FR/acme"}).text
    assert "It is refused." in page
    assert "${env:CONSOLE_ROOM_TOKEN}" in page
    assert "test-token" not in page


def test_a_paid_watch_that_is_off_is_neither_free_nor_without_gaps(
    room: ConsoleRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONSOLE_ROOM_TOKEN")
    client = room.client("admin")
    page, overview = client.get("/sources/x/FR/acme").text, client.get("/sources").text
    assert "It was never heard: it has seen nothing yet." in page
    assert "There are no gaps" not in page
    assert "nothing was read yet" in page
    assert "Nothing that costs anything was read yet." in overview
    assert "free" not in page + overview
    deaf = f'<li class="card bad"><a href="/sources"><span class="figure">{len(seen(room).watches)}</span> Watches that'
    assert deaf in client.get("/").text


def test_what_a_failing_watch_has_not_seen_is_told_and_a_heard_one_is_not_counted(room: ConsoleRoom) -> None:
    hear(room, "x/FR/acme")
    client = room.client("admin")
    assert "There are no gaps in the last thirty days." in client.get("/sources/x/FR/acme").text
    others = len(seen(room).watches) - 1
    assert f'<li class="card warn"><a href="/sources"><span class="figure">{others}</span>' in client.get("/").text
    fail(room, "x/FR/acme", "X answered 503.", "failing")
    page = client.get("/sources/x/FR/acme").text
    assert "It has seen nothing since" in page
    assert "There are no gaps" not in page


def test_pages_say_where_no_daemon_runs(room: ConsoleRoom) -> None:
    admin, said = room.client("admin"), "No daemon runs on this database"
    for page in ("/", "/sources"):
        assert said in admin.get(page).text
        with DatabaseLock(room.office.config.store.address):
            assert said not in admin.get(page).text
