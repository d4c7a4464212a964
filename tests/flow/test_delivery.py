"""Nothing lost and nothing twice: Slack fails in every way it has, and senders are killed at every step."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.card import Note, dump_message
from alerts.receivers.slack import SlackOptions, SlackReceiver
from benchmarks.delivery import Outcome, run
from benchmarks.dying import STEPS
from listener.clock import FixedClock
from listener.config import Secret
from listener.pipeline.send import SETTLE_S, Pace, Sender, Timing
from listener.pipeline.tally import Tally
from listener.store import Store
from listener.store.schema import notifications
from listener.store.triage import NewAlert
from tests.cards import card
from tests.databases import migrated_sqlite, new_database
from tests.flow.world import NOW
from tests.servers.base import Reply, Request
from tests.servers.slack import KINDS, TOKEN, SlackMessage, SlackServer
from tests.servers.slack.web_api import remove

TOKEN_VARIABLE = "DELIVERY_TEST_TOKEN"
PATIENCE = 5.0
"""For machines that pause for seconds."""


def described(outcome: Outcome) -> str:
    return "\n".join(outcome.lines())


def test_some_killed_senders_and_a_failing_slack_lose_and_repeat_nothing(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/listener.db"
    outcome = run(60, seed=7, kills=6, database=database, folder=tmp_path, rate=0.25, patience=PATIENCE)
    assert outcome.wrong == 0, described(outcome)
    assert outcome.total >= 60
    assert set(outcome.kinds) == {"alert", "note", "update", "message"}
    assert len(set(outcome.faults) & set(KINDS)) >= 5, described(outcome)
    assert set(outcome.faults) >= {"channel archived", "token revoked", "not in the channel"}
    assert len(set(outcome.kills) & set(STEPS)) >= 2, described(outcome)


@pytest.mark.slow
def test_killed_senders_and_a_failing_slack_lose_and_repeat_nothing(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/listener.db"
    outcome = run(300, seed=7, kills=24, database=database, folder=tmp_path, rate=0.25, patience=PATIENCE)
    assert outcome.wrong == 0, described(outcome)
    assert outcome.total >= 300
    assert set(outcome.kinds) == {"alert", "note", "update", "message"}
    assert len(set(outcome.faults) & set(KINDS)) >= 11, described(outcome)
    assert set(outcome.faults) >= {"late", "channel archived", "token revoked", "not in the channel"}
    assert len(set(outcome.kills) & set(STEPS)) >= 7, described(outcome)


@pytest.mark.parametrize(("total", "kills"), [(60, 4), pytest.param(200, 10, marks=pytest.mark.slow)])
def test_two_senders_on_one_postgresql_keep_out_of_each_others_way(
    tmp_path: Path, postgres_url: str, total: int, kills: int
) -> None:
    database = new_database(postgres_url)
    outcome = run(total, seed=3, kills=kills, database=database, folder=tmp_path, count=2, patience=PATIENCE)
    assert outcome.wrong == 0, described(outcome)
    assert outcome.kills.total() > 0


class LaggingSlack(SlackServer):
    """A workspace whose history shows a message only some time after it was posted."""

    lag_s = 0.0

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if request.path.startswith("/api/conversations.") and reply.body.get("ok"):
            newest = self.now() - self.lag_s
            reply.body["messages"] = [one for one in reply.body["messages"] if float(one["ts"]) <= newest]
        return reply


@dataclass
class Office:
    """A store, a local Slack and senders between them, by a clock that moves only when told to or waited for."""

    store: Store
    slack: LaggingSlack
    clock: FixedClock
    receivers: dict[str, SlackReceiver] = field(default_factory=dict)
    senders: list[Sender] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def start(self, successors: tuple[str, ...] = (), timing: Timing | None = None) -> Sender:
        """Start the sender anew."""
        self.store.outbox.release()
        self.store.outbox.enable_all()
        self.senders.append(Sender(self.receivers, self.store, self.clock, successors=successors, timing=timing))
        return self.senders[-1]

    def send(self, *names: str) -> int:
        return sum(self.senders[-1].drain(name, Tally(), self._wait) for name in names or ("desk",))

    def _wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.clock.advance(seconds)
        return False

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def alert(self, *receivers: str, text: str = "Nobody answers.") -> int:
        new = NewAlert(None, "yunfan", "ES", "hub", 2, 0.5, "delivery", None, False, [], NOW, "hub", None, None)
        with self.store.triage.transaction() as transaction:
            alert_id = transaction.open_alert(new, [], self.clock.now()).id
            look = dump_message(card(alert_id=alert_id, reference=f"A-{alert_id}", text=text))
            for receiver in receivers or ("desk",):
                transaction.post(alert_id, receiver, look, self.clock.now())
        return alert_id

    def show(self, alert_id: int, text: str) -> None:
        look = dump_message(card(alert_id=alert_id, reference=f"A-{alert_id}", text=text))
        with self.store.alerts.transaction() as transaction:
            transaction.show(alert_id, look, self.clock.now())

    def note(self, alert_id: int, text: str) -> None:
        with self.store.alerts.transaction() as transaction:
            transaction.note(alert_id, dump_message(Note(text, tone="mention")), self.clock.now())

    def messages(self, channel: str = "C1") -> list[SlackMessage]:
        return self.slack.channel(channel).messages

    def states(self, receiver: str = "desk") -> list[tuple[str, str]]:
        every = ("pending", "sending", "sent", "superseded", "dead", "moved", "dropped")
        return sorted((row["kind"], row["state"]) for row in self.store.outbox.rows(every, receiver=receiver))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    clock = FixedClock(NOW)
    store = Store(migrated_sqlite(tmp_path))
    with LaggingSlack(channels=("C1", "C2"), now=lambda: clock.now().timestamp()) as slack:
        channels = {"desk": "C1", "second": "C1", "backup": "C2"}
        receivers = {name: receiver(name, slack, channel) for name, channel in channels.items()}
        made = Office(store, slack, clock, receivers)
        made.start()
        yield made
    store.close()


def receiver(name: str, slack: SlackServer, channel: str, **more: float) -> SlackReceiver:
    options = SlackOptions(
        type="slack",
        token=Secret("env", TOKEN_VARIABLE),
        channel=channel,
        base_url=slack.api_url,
        **{"min_interval_s": 0.0, "timeout_s": 20.0, **more},
    )
    return SlackReceiver(name, options)


def test_receivers_of_one_channel_share_its_pace(office: Office) -> None:
    for name, channel in (("desk", "C1"), ("second", "C1"), ("backup", "C2")):
        office.receivers[name] = receiver(name, office.slack, channel, min_interval_s=1.0)
    office.alert("desk", "second", "backup")
    office.send("desk")
    office.waits.clear()
    assert office.send("backup") == 1
    before = list(office.waits)
    assert office.send("second") == 1
    assert sum(before) <= 1.0  # after its own message alone
    first, second = (float(message.ts) for message in office.messages("C1"))
    assert second - first >= 1.0


def test_when_slack_asks_one_receiver_to_wait_all_of_its_token_wait(office: Office) -> None:
    office.alert("desk", "backup")
    office.slack.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "20"}))
    office.send("desk")
    asked_at = NOW.timestamp()
    assert sum(office.waits) >= 20
    office.send("backup")
    assert [float(message.ts) - asked_at >= 20 for message in office.messages("C1") + office.messages("C2")] == [
        True
    ] * 2


def test_whatever_slack_asks_for_the_message_is_due_when_the_wait_is_over(office: Office) -> None:
    for number in range(60):
        office.alert()
        office.slack.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": f"{20 + number / 7}"}))
        assert office.send() == 1


def test_a_clock_that_goes_back_silences_nobody(office: Office) -> None:
    office.clock.advance(7200)
    office.alert("backup")
    office.slack.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "3000"}))
    office.send("backup")
    office.clock.advance(-7200)
    office.alert("desk")
    assert office.send("desk") == 1


def test_a_message_that_may_have_arrived_is_looked_for_only_when_history_must_show_it(office: Office) -> None:
    office.slack.lag_s = SETTLE_S - 1
    office.alert()
    office.slack.script(Reply(503, b"lost", after_handling=True))
    office.send()
    office.later(SETTLE_S - 0.5)
    assert office.send() == 0
    office.later(0.5)
    assert office.send() == 1
    assert len(office.messages()) == 1
    assert office.slack.calls("chat.postMessage") == 1


def test_a_note_whose_thread_people_deleted_is_shown_by_itself(office: Office) -> None:
    alert_id = office.alert()
    office.send()
    remove(office.slack.channel("C1"), office.messages()[0])
    office.note(alert_id, "It goes on")
    assert office.send() == 1
    assert ["It goes on" in message.shown for message in office.messages()] == [True]


def test_a_note_that_stands_by_itself_is_found_there_after_its_answer_was_lost(office: Office) -> None:
    alert_id = office.alert()
    office.send()
    office.note(alert_id, "It goes on")
    office.slack.script(
        Reply(200, {"ok": False, "error": "restricted_action_thread_locked"}), Reply(503, b"", after_handling=True)
    )
    office.send()
    office.later(SETTLE_S)
    assert office.send() == 1
    assert ["It goes on" in message.shown for message in office.messages()] == [False, True]
    assert office.messages()[0].thread == []


def test_an_edit_of_a_message_that_people_deleted_is_dropped_and_alarms_nobody(office: Office) -> None:
    alert_id = office.alert()
    office.send()
    remove(office.slack.channel("C1"), office.messages()[0])
    office.show(alert_id, "It was answered.")
    office.send()
    assert office.states() == [("alert", "sent"), ("update", "dropped")]
    assert office.store.outbox.rows(("dropped",))[0]["problem"].startswith("somebody deleted the message")


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
def test_what_can_no_longer_be_edited_is_told_in_the_thread_once(office: Office, code: str) -> None:
    alert_id = office.alert()
    office.send()
    office.show(alert_id, "It was answered.")
    for _ in range(2):
        office.slack.script_for("chat.update", Reply(200, {"ok": False, "error": code}))
    office.slack.script_for("chat.postMessage", Reply(503, b"", after_handling=True))
    office.send()
    office.later(SETTLE_S)
    assert office.send() == 1
    (told,) = office.messages()[0].thread
    assert "can no longer be edited" in told
    assert "State: open" in told
    assert office.states() == [("alert", "sent"), ("update", "sent")]


def test_an_attempt_ends_before_its_lease_however_slow_slack_is(office: Office) -> None:
    office.receivers["desk"] = receiver("desk", office.slack, "C1", timeout_s=30)
    office.start(timing=Timing(lease_s=4, attempt_s=2))
    office.alert()
    slow = Reply(200, {"ok": True}, hang_s=60, after_handling=True)
    office.slack.script_for("chat.postMessage", slow)
    office.send()
    (row,) = office.store.outbox.rows()
    assert (row["state"], row["ambiguous"]) == ("pending", True)  # known before a second sender could take it
    office.later(SETTLE_S)
    assert office.send() == 1
    assert len(office.messages()) == 1


def test_a_lease_shorter_than_an_attempt_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 3/4 of lease_s"):
        Timing(lease_s=10, attempt_s=9)


def test_a_channel_that_is_gone_hands_its_cards_and_threads_to_another(office: Office) -> None:
    office.start(successors=("backup",))
    shown, waiting = office.alert(text="Shown before."), office.alert(text="Still to be shown.")
    office.slack.channel("C1").is_archived = True
    office.note(waiting, "It goes on")
    office.send()
    office.send("backup")
    texts = [message.shown for message in office.messages("C2")]
    assert sum("Shown before." in text for text in texts) == sum("Still to be shown." in text for text in texts) == 1
    (root,) = [message for message in office.messages("C2") if "Still to be shown." in message.shown]
    assert ["It goes on" in reply for reply in root.thread] == [True]
    assert any("Receiver desk is disabled" in text and "is_archived" in text for text in texts)
    assert {state for _, state in office.states()} == {"moved"}
    assert shown != waiting


def test_without_another_receiver_all_waits_until_the_channel_is_mended(office: Office) -> None:
    alert_id = office.alert()
    office.note(alert_id, "It goes on")
    office.slack.is_revoked = True
    office.send()
    assert office.states() == [("alert", "pending"), ("note", "pending")]
    office.slack.is_revoked = False
    office.start()
    assert office.send() == 2
    assert len(office.messages()[0].thread) == 1


def test_a_receiver_that_is_enabled_again_sends_without_a_restart(office: Office) -> None:
    office.alert()
    office.slack.is_revoked = True
    office.send()
    office.slack.is_revoked = False
    sender = office.senders[-1]
    sender.look_again()
    assert not sender.is_on("desk")  # nobody has enabled it
    assert office.store.outbox.enable(["desk"]) == 1
    assert office.store.outbox.enable(["desk"]) == 0
    sender.look_again()
    assert office.send() == 1


def test_a_card_sent_again_by_an_admin_is_not_shown_twice_and_has_its_latest_look(office: Office) -> None:
    alert_id = office.alert(text="As it was.")
    office.slack.script_for("chat.postMessage", Reply(503, b"", after_handling=True))
    office.send()
    office.later(SETTLE_S)
    office.slack.script_for("conversations.history", Reply(200, {"ok": False, "error": "invalid_ts_oldest"}))
    office.send()  # refused for good: a dead letter, though it had arrived
    assert office.states() == [("alert", "dead")]
    (dead,) = office.store.outbox.rows(("dead",))
    office.store.outbox.resend([dead["id"]], office.clock.now())
    office.show(alert_id, "As it is.")
    assert office.send() == 1
    (message,) = office.messages()
    assert "As it is." in message.shown


def test_a_wait_that_the_daemons_end_cuts_short_sends_nothing_more(office: Office) -> None:
    office.alert()
    office.slack.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "20"}))
    assert office.senders[-1].drain("desk", Tally(), lambda seconds: True) == 0
    office.clock.advance(timedelta(seconds=30).total_seconds())
    assert office.send() == 1


def test_a_pause_too_short_for_the_clock_to_tell_is_not_waited_for(office: Office) -> None:
    pace = Pace(office.clock)
    pace.hold("desk", 20.0000004)
    office.clock.advance(20.0)
    assert pace.pause_s("desk") == 0.0


def test_a_message_that_no_receiver_takes_is_handed_over_once_and_ends_dead(office: Office) -> None:
    office.start(successors=("backup", "desk"))
    alert_id = office.alert()
    with office.store.outbox._engine.begin() as connection:
        connection.execute(notifications.update().values(payload="{"))
    for _ in range(10):
        office.send("desk", "backup")
        office.later(300)
    told = [message.shown for name in ("C1", "C2") for message in office.messages(name)]
    assert sum("did not take a message" in text for text in told) == len(told) == 2
    (dead,) = office.store.outbox.rows(("dead",))
    assert (dead["alert_id"], dead["receiver"], dead["problem"]) == (
        alert_id, "backup", "the stored message cannot be read"
    )  # fmt: skip
    assert any(f"number {dead['id']} in `listener outbox`" in text for text in told)
    assert office.store.outbox.receivers_waiting() == []


def test_words_to_operators_that_nobody_takes_cause_no_further_ones(office: Office) -> None:
    office.start(successors=("backup", "desk"))
    office.store.outbox.tell("desk", "{", office.clock.now())
    for _ in range(10):
        office.send("desk", "backup")
        office.later(300)
    assert office.messages("C1") == office.messages("C2") == []
    assert [row["receiver"] for row in office.store.outbox.rows(("dead",))] == ["backup"]
