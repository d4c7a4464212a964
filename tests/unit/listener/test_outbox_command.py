import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.card import Note, dump_message
from listener import outbox_command
from listener.cli import app
from listener.outbox_command import OutboxCommandError
from listener.status import report
from listener.store import Store
from listener.store.outbox import new_notification
from listener.store.schema import notifications
from tests.cards import HOSTILE, card, filled_with
from tests.commands import listener_here
from tests.unit.listener.test_store import NOW, raised

LEASE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=3)


def put(store: Store, receiver: str = "desk", payload: str | None = None, **changes: object) -> int:
    row = new_notification(None, receiver, "message", payload or dump_message(Note("Hello", "It rains.")), NOW)
    with store.alerts.transaction() as transaction:
        result = transaction._connection.execute(notifications.insert().values({**row, **changes}))
    return int(result.inserted_primary_key[0])


def dead(store: Store, receiver: str = "desk", problem: str = "Slack refuses the message (msg_too_long)") -> int:
    number = put(store, receiver)
    item = store.outbox.claim(receiver, NOW, LEASE)
    assert item is not None
    store.outbox.dead(item, problem)
    return number


def lines(store: Store, **options: object) -> str:
    return "\n".join(outbox_command.listed(store, LATER, **options))  # type: ignore[arg-type]


def test_the_list_says_of_each_why_it_is_not_sent(store: Store) -> None:
    gone = dead(store)
    waits = put(store)
    silenced = put(store, held="silence:3", due_at=LATER + timedelta(hours=1))
    folded = put(store, "other", held="folded", due_at=NOW + timedelta(days=3650))
    shown = lines(store)
    assert "desk: 1 waiting, 1 held, 1 dead" in shown
    assert "other: 1 held" in shown
    assert f"{gone}  message  dead, 3 hours old after 1 attempt: Slack refuses the message (msg_too_long)" in shown
    assert f"{waits}  message  waiting for its turn" in shown
    assert f"{silenced}  message  held until 2026-11-20 13:00:00 UTC: silence 3" in shown
    assert f"{folded}  message  held: named in a summary" in shown


def test_the_list_can_be_narrowed_down(store: Store) -> None:
    number, other = dead(store), dead(store, "other")
    put(store)
    assert f"  {number}  " in lines(store, states=("dead",), receiver="desk")
    assert f"  {other}  " not in lines(store, states=("dead",), receiver="desk")
    assert lines(store, states=("dropped",)) == "nothing is dropped"
    assert lines(store, receiver="nobody") == "nothing is waiting, held or dead for nobody"
    with pytest.raises(OutboxCommandError, match="no state is called lost; there are waiting, held, dead"):
        lines(store, states=("lost",))


def test_a_disabled_receiver_is_said_to_be(store: Store) -> None:
    put(store)
    store.outbox.disable("desk", "token revoked", None, "word", NOW)
    assert "desk (disabled: token revoked): 1 waiting" in lines(store)


def test_the_list_as_json_holds_the_same_without_texts(store: Store) -> None:
    number = dead(store)
    (found,) = json.loads(outbox_command.as_json(store))
    assert (found["id"], found["state"], found["receiver"], found["attempts"]) == (number, "dead", "desk", 1)
    assert datetime.fromisoformat(found["created_at"]) == NOW
    assert "payload" not in found


def test_one_notification_is_shown_with_its_message(store: Store) -> None:
    shown = "\n".join(outbox_command.shown(store, dead(store), LATER))
    for expected in ("receiver: desk", "attempts: 1", "problem: Slack refuses", "Hello", "It rains."):
        assert expected in shown


def test_hostile_words_do_nothing_on_the_terminal(store: Store) -> None:
    for text in HOSTILE:
        number = put(store, payload=dump_message(filled_with(text.encode("utf-8", "replace").decode())), problem=text)
        shown = "\n".join(outbox_command.shown(store, number, LATER))
        assert not any(letter in shown for letter in "\x00\x07\x08\x1b\x9b\u202e\u2067")
    assert not any(letter in lines(store) for letter in "\x00\x07\x08\x1b\x9b\u202e\u2067")


def test_a_message_that_cannot_be_read_is_said_to_be(store: Store) -> None:
    assert outbox_command.shown(store, put(store, payload="{"), LATER)[-1] == "(the stored message cannot be read)"


@pytest.mark.parametrize("number", [0, -1, 999, 2**70])
def test_a_number_nobody_knows_is_refused_and_changes_nothing(store: Store, number: int) -> None:
    known = dead(store)
    for act in (
        lambda: outbox_command.shown(store, number, LATER),
        lambda: outbox_command.resend(store, LATER, [known, number], receiver=None, every=False),
        lambda: outbox_command.drop(store, [known, number], "why", "ann"),
    ):
        with pytest.raises(OutboxCommandError, match=f"there is no notification {number}"):
            act()
    assert [row["id"] for row in store.outbox.rows(("dead",))] == [known]


def test_what_is_not_dead_is_not_sent_again(store: Store) -> None:
    number = put(store)
    with pytest.raises(OutboxCommandError, match=f"notification {number} is waiting, not dead"):
        outbox_command.resend(store, LATER, [number], receiver=None, every=False)


def test_all_dead_of_one_receiver_are_sent_again(store: Store) -> None:
    number, other = dead(store), dead(store, "other")
    (told,) = outbox_command.resend(store, LATER, [], receiver="desk", every=True)
    assert told.startswith("1 notification is due again")
    item = store.outbox.claim("desk", LATER, LEASE)
    assert item is not None
    assert item.id == number
    assert [row["id"] for row in store.outbox.rows(("dead",))] == [other]
    assert outbox_command.resend(store, LATER, [], receiver="desk", every=True) == ["nothing is dead for desk"]


def test_sending_again_to_a_disabled_receiver_says_what_to_do(store: Store) -> None:
    number = dead(store)
    store.outbox.disable("desk", "token revoked", None, "word", NOW)
    told = outbox_command.resend(store, LATER, [number], receiver=None, every=False)
    assert told[-1] == "desk is disabled (token revoked): mend it and restart the daemon, then they go out"


def test_cards_are_shown_as_their_alerts_stand_when_they_are_sent_again(store: Store) -> None:
    (alert_id,) = raised(store)
    item = store.outbox.claim("r", NOW, LEASE)
    assert item is not None
    store.outbox.dead(item, "too long")

    def refresh(alert_ids: object) -> None:
        assert alert_ids == {alert_id}
        with store.alerts.transaction() as transaction:
            transaction.show(alert_id, dump_message(card(text="as it stands now")), LATER)

    outbox_command.resend(store, LATER, [item.id], receiver=None, every=False, refresh=refresh)
    again = store.outbox.claim("r", LATER, LEASE)
    assert again is not None
    assert "as it stands now" in again.payload


def test_a_dead_letter_is_given_up_with_name_and_reason(store: Store) -> None:
    number = dead(store)
    outbox_command.drop(store, [number], "the customer\x1b[2J was called", "ann")
    (row,) = store.outbox.rows(("dropped",))
    assert row["problem"].endswith("[dropped by ann: the customer was called]")
    with pytest.raises(OutboxCommandError, match="--reason"):
        outbox_command.drop(store, [number], " \u200b", "ann")


def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"""
version: 1
brands: {{acme: {{name: Acme, terms: [acme]}}}}
teams: {{hub: {{name: Hub, languages: [en]}}}}
sources: {{file: {{}}}}
receivers: {{desk: {{type: terminal}}}}
fallback_receiver: desk
route: {{receiver: desk}}
defaults: {{languages: [en], timezone: UTC, hours: {{mon-sun: "00:00-23:59"}}, team: hub}}
countries: {{GB: {{sources: {{file: {{path: posts.jsonl}}}}}}}}
store: {{url: "sqlite:///{tmp_path}/listener.db"}}
""",
        encoding="utf-8",
    )
    return path


def test_the_commands_do_what_they_say(tmp_path: Path) -> None:
    config = str(config_file(tmp_path))
    store = Store(f"sqlite:///{tmp_path}/listener.db")
    first, second = dead(store), dead(store)

    def call(*words: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["outbox", *words, "--config", config])
        assert result.exit_code == status, result.output
        return result.output

    assert call() == call("list")
    assert "desk: 2 dead" in call()
    assert len(json.loads(call("list", "--json", "--state", "dead"))) == 2
    assert "It rains." in call("show", str(first))
    assert "due again" in call("resend", str(first))
    assert "given up" in call("drop", str(second), "--reason", "known", "--by", "ann")
    assert "desk: 1 waiting" in call()
    assert "write --all" in call("resend", status=2)
    assert "goes with --all" in call("resend", str(first), "--receiver", "desk", status=2)
    assert "nothing is dead" in call("resend", "--all")
    missing = listener_here("outbox", "resend", "--all", "--receiver", "foo", "--config", config)
    assert (missing.returncode, "there is no receiver 'foo'; known: " in missing.stderr) == (1, True)
    store.close()


def test_the_status_counts_and_shows_the_first_dead(tmp_path: Path) -> None:
    from listener.config import load_config
    from listener.plugins import plugin_options

    settings = load_config(config_file(tmp_path), plugin_options())
    store = Store(settings.store.address)
    numbers = [dead(store) for _ in range(7)]
    told = report(settings, store)
    assert "  desk: 7 dead" in told
    assert sum("msg_too_long" in line for line in told) == 5
    assert any(f"  {numbers[-1]}  message  dead" in line for line in told)
    assert any("listener outbox" in line for line in told)
    store.close()
