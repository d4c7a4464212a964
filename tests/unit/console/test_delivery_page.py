"""The delivery page: what is not delivered and why, and what an admin does about it."""

from datetime import timedelta

import pytest

from alerts.card import Card, dump_message, load_message
from listener.desk import Actor
from listener.store.triage import NewAlert
from tests.cards import card
from tests.console_room import NOW, ConsoleRoom
from tests.desk_room import DeskRoom

REFUSED = "Slack answered: <b>msg_too_long</b>"


def alert(room: ConsoleRoom, country: str = "FR") -> int:
    """Raise an alert by hand; return the number of its notification."""
    new = NewAlert(None, "acme", country, "hub", 2, 0.5, "delivery", None, False, [], NOW, "hub", None, None)
    with room.store.triage.transaction() as transaction:
        alert_id = transaction.open_alert(new, [], room.clock.now()).id
        look = dump_message(card(alert_id=alert_id, reference=f"A-{alert_id}", text="Nobody answers."))
        transaction.post(alert_id, "log", look, room.clock.now())
    (row,) = (one for one in room.store.outbox.rows(("pending",)) if one["alert_id"] == alert_id)
    return int(row["id"])


def dead(room: ConsoleRoom, country: str = "FR") -> int:
    number = alert(room, country)
    item = room.store.outbox.claim("log", room.clock.now(), timedelta(minutes=1))
    assert item is not None
    assert item.id == number
    room.store.outbox.dead(item, REFUSED)
    return number


def state(room: ConsoleRoom, number: int) -> str:
    row = room.store.outbox.row(number)
    assert row is not None
    return str(row["state"])


def test_what_is_dead_waits_and_is_held_stands_there_with_its_reason(room: ConsoleRoom) -> None:
    number = dead(room)
    retried = alert(room)
    item = room.store.outbox.claim("log", NOW, timedelta(minutes=1))
    assert item is not None
    room.store.outbox.retry(item, "could not be reached", NOW + timedelta(minutes=3), ambiguous=False)
    page = room.client("admin").get("/delivery").text
    assert "Slack answered: &lt;b&gt;msg_too_long&lt;/b&gt;" in page
    assert "next attempt 16 Nov 2026, 09:03" in page
    assert f"/delivery/{number}" in page
    only = room.client("admin").get("/delivery", params={"state": "waiting", "receiver": "log"}).text
    assert f'href="/delivery/{retried}"' in only
    assert f'href="/delivery/{number}"' not in only


def test_a_message_is_shown_in_full_and_escaped(room: ConsoleRoom) -> None:
    number = dead(room)
    page = room.client("admin").get(f"/delivery/{number}").text
    assert "Nobody answers." in page
    assert "<b>msg" not in page


def test_sending_again_shows_the_alert_as_it_stands_and_is_noted(room: ConsoleRoom) -> None:
    desk = DeskRoom(room)
    raised = desk.complain()
    item = room.store.outbox.claim("log", room.clock.now() + timedelta(hours=1), timedelta(minutes=1))
    assert item is not None
    room.store.outbox.dead(item, REFUSED)
    room.office.desk.claim(raised.id, Actor("Ann Admin", "", origin="console"))
    client = room.client("admin")
    answer = client.post(f"/delivery/{item.id}/resend", {"press": "1"})
    assert "It is due again" in client.follow(answer).text
    row = room.store.outbox.row(item.id)
    assert row is not None
    assert (row["state"], row["attempts"]) == ("pending", 0)
    shown = load_message(row["payload"])
    assert isinstance(shown, Card)
    assert "Ann Admin" in str(shown)
    (line,) = room.store.audit.page(action="notification sent again")
    assert (line.object, line.country) == (str(item.id), "FR")


def test_giving_up_needs_a_reason_that_is_kept(room: ConsoleRoom) -> None:
    number, client = dead(room), room.client("admin", full_name="Ann Admin")
    assert "Say why" in client.follow(client.post(f"/delivery/{number}/drop", {"reason": "  ", "press": "1"})).text
    assert state(room, number) == "dead"
    client.post(f"/delivery/{number}/drop", {"reason": "told by phone", "press": "2"})
    row = room.store.outbox.row(number)
    assert row is not None
    assert row["state"] == "dropped"
    assert "dropped by Ann Admin: told by phone" in row["problem"]
    (line,) = room.store.audit.page(action="notification given up")
    assert line.data["reason"] == "told by phone"


def test_a_double_press_acts_once_and_two_admins_do_not_get_in_each_others_way(room: ConsoleRoom) -> None:
    number, first, second = dead(room), room.client("admin"), room.client("admin")
    first.post(f"/delivery/{number}/resend", {"press": "same"})
    first.post(f"/delivery/{number}/resend", {"press": "same"})
    assert len(room.store.audit.page(action="notification sent again")) == 1
    answer = second.post(f"/delivery/{number}/drop", {"reason": "late", "press": "other"})
    assert "somebody has seen to it" in second.follow(answer).text
    assert state(room, number) == "pending"


def test_everything_dead_of_a_receiver_goes_again_as_far_as_the_visitor_sees_it(room: ConsoleRoom) -> None:
    french, japanese = dead(room, "FR"), dead(room, "JP")
    client = room.client("admin", ["FR"])
    client.post("/delivery/resend", {"receiver": "log", "press": "1"})
    assert (state(room, french), state(room, japanese)) == ("pending", "dead")
    assert client.post("/delivery/resend", {"receiver": "nowhere", "press": "2"}).status_code == 404


def test_a_disabled_receiver_is_enabled_by_an_admin_of_all_countries(room: ConsoleRoom) -> None:
    room.store.outbox.disable("log", "token_revoked", None, "{}", NOW)
    local, everywhere = room.client("admin", ["FR"]), room.client("admin")
    assert "token_revoked" in local.get("/delivery").text
    assert "Enable it again" not in local.get("/delivery").text
    assert local.post("/delivery/enable", {"receiver": "log"}).status_code == 404
    assert room.store.outbox.disabled() == {"log": "token_revoked"}
    assert "is enabled again" in everywhere.follow(everywhere.post("/delivery/enable", {"receiver": "log"})).text
    assert room.store.outbox.disabled() == {}
    assert "not disabled any more" in everywhere.follow(everywhere.post("/delivery/enable", {"receiver": "log"})).text
    assert len(room.store.audit.page(action="receiver enabled")) == 1


def test_other_countries_and_roles_see_nothing(room: ConsoleRoom) -> None:
    number, client = dead(room, "JP"), room.client("admin", ["FR"])
    assert f"/delivery/{number}" not in client.get("/delivery").text
    assert client.get(f"/delivery/{number}").status_code == 404
    for path in (f"/delivery/{number}/resend", f"/delivery/{number}/drop"):
        assert client.post(path, {"reason": "x"}).status_code == 404
        assert room.client("communications-lead").post(path, {"reason": "x"}).status_code == 403
    assert state(room, number) == "dead"


@pytest.mark.parametrize("path", ["/delivery/0", "/delivery/99", "/delivery/x", "/delivery/99999999999999999999999"])
def test_what_is_not_there_is_not_found(room: ConsoleRoom, path: str) -> None:
    assert room.client("admin").get(path).status_code == 404
