"""`python -m benchmarks.delivery`: is anything lost or shown twice, when Slack fails and senders are killed?

Cards, notes in their threads, edits and messages go from the real outbox through the real sender and receiver and
slack_sdk to a local Slack that fails at random, whose history lags behind, whose channels are archived and whose token
is revoked meanwhile. The senders are processes of their own, killed (SIGKILL) at every step. Nothing is simulated in
the daemon's place but its data. At the end the channels are read as a person reads them.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts.card import Note, dump_message
from benchmarks.dying import STEPS, TOKEN_VARIABLE, Spec, spec_as_json
from listener.store import Store
from listener.store.outbox import UNSENT
from listener.store.triage import NewAlert
from tests.cards import card
from tests.servers.base import Reply, Request
from tests.servers.slack import TOKEN, SlackMessage, SlackServer

CHANNELS = ("C1", "C2", "C3", "C4", "C5", "C6")
RECEIVERS = {**{f"desk {name}": name for name in CHANNELS}, "second desk C1": "C1"}
"""Two of them share a channel."""
TIMEOUT_S = 0.4
HISTORY_LAG_S = 0.3
LATE_S = 0.55
"""How long a late call waits before it takes effect: its sender has given up by then."""
LEASE_S, SETTLE_S = 3.0, 0.9
"""Scaled down from the daemon's own, as Slack's lateness is here. A machine that pauses needs more patience: a call
that takes effect later than anybody waits for it is posted twice, here as with Slack itself."""
_CHUNK = 25
ROOT = Path(__file__).parents[1]


class SlowMindedSlack(SlackServer):
    """A workspace whose history lags, and in which some calls take effect after their caller has given up."""

    def __init__(self, seed: int, late_rate: float) -> None:
        super().__init__(channels=CHANNELS)
        self.late = 0
        self._chance = random.Random(seed)
        self._late_rate = late_rate

    def answer(self, request: Request) -> Reply:
        if request.path == "/api/chat.postMessage" and self._chance.random() < self._late_rate:
            self.late += 1
            time.sleep(LATE_S)
        return super().answer(request)

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if request.path in ("/api/conversations.history", "/api/conversations.replies") and reply.body.get("ok"):
            newest = self.now() - HISTORY_LAG_S
            kept = [message for message in reply.body["messages"] if float(message["ts"]) <= newest]
            reply.body["messages"] = kept
        return reply


@dataclass(slots=True)
class Outcome:
    """What the channels and the outbox hold at the end."""

    kinds: Counter[str] = field(default_factory=Counter)
    """Notifications by kind."""
    states: Counter[str] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)
    """Notifications that are shown nowhere."""
    twice: list[int] = field(default_factory=list)
    misplaced: list[int] = field(default_factory=list)
    """Not where the outbox says, or not in their thread."""
    stale: list[int] = field(default_factory=list)
    """Alerts whose card does not show their last look."""
    strange: int = 0
    """Messages that belong to no notification."""
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    looked_for: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many notifications there were."""
        return self.kinds.total()

    @property
    def wrong(self) -> int:
        """How many things are not as they must be."""
        unfinished = sum(count for state, count in self.states.items() if state not in ("sent", "superseded"))
        return sum(map(len, (self.lost, self.twice, self.misplaced, self.stale))) + self.strange + unfinished

    def lines(self) -> Iterator[str]:
        """The outcome for people."""
        yield f"{self.total} notifications in {self.seconds:.0f} s: {_listed(self.kinds)}"
        yield f"states at the end: {_listed(self.states)}"
        yield f"faults, {self.faults.total()}: {_listed(self.faults)}"
        yield f"senders killed, {self.kills.total()}: {_listed(self.kills)}"
        yield f"calls to Slack's history: {self.looked_for}"
        yield (
            f"lost {len(self.lost)}, visible twice {len(self.twice)}, misplaced {len(self.misplaced)},"
            f" cards without their last look {len(self.stale)}, of no notification {self.strange}"
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


class Feeder:
    """Fills the outbox as the daemon does: in transactions, with cards, notes, edits and messages."""

    def __init__(self, store: Store, seed: int) -> None:
        self.editions: dict[int, int] = {}
        """How often each alert has changed."""
        self._store = store
        self._chance = random.Random(seed)

    def feed(self, most: int) -> Iterator[int]:
        """Put in notifications until there are `most`, whenever few wait; yield how many there are each time."""
        # Few enough that many cards were sent when they change: then the change is a notification of its own.
        most_waiting = max(20, min(200, most // 10))
        while (total := sum((counts := self._store.outbox.counts()).values())) < most:
            yield total
            if sum(count for (_, state), count in counts.items() if state in UNSENT) < most_waiting:
                self._put(min(_CHUNK, most - total))
            else:
                time.sleep(0.1)

    def _put(self, count: int) -> None:
        with self._store.triage.transaction() as transaction:
            for _ in range(count):
                now = datetime.now(UTC)
                what = self._chance.choices(("card", "note", "edit", "message"), (30, 35, 25, 10))[0]
                if what == "card" or not self.editions:
                    alert_id = transaction.open_alert(_new_alert(now), [], now).id
                    transaction.post(alert_id, self._receiver(), self._look(alert_id), now)
                elif what == "note":
                    words = f"note {self._chance.getrandbits(64):x}"
                    transaction.note(self._alert(), dump_message(Note(words, "It goes on.", tone="mention")), now)
                elif what == "edit":
                    changed = self._alert()
                    transaction.show(changed, self._look(changed), now)
                else:
                    words = f"message {self._chance.getrandbits(64):x}"
                    transaction.message(self._receiver(), dump_message(Note(words, "By itself.")), now)

    def _receiver(self) -> str:
        return self._chance.choice(sorted(RECEIVERS))

    def _alert(self) -> int:
        return self._chance.choice(list(self.editions)[-400:])

    def _look(self, alert_id: int) -> str:
        self.editions[alert_id] = self.editions.get(alert_id, 0) + 1
        return dump_message(
            card(
                alert_id=alert_id,
                reference=f"A-{alert_id}",
                text=f"Alert {alert_id} in its edition {self.editions[alert_id]}, nobody answers.",
            )
        )


def _new_alert(now: datetime) -> NewAlert:
    return NewAlert(None, "yunfan", "ES", "hub", 2, 0.5, "delivery", None, False, ["open"], now, "hub", None, None)


def verify(store: Store, slack: SlackServer, editions: dict[int, int]) -> Outcome:
    """Compare what the channels show with what the outbox was given."""
    outcome = Outcome(looked_for=slack.calls("conversations.history") + slack.calls("conversations.replies"))
    shown: dict[str, list[SlackMessage]] = {}
    for name in CHANNELS:
        for message in slack.channel(name).everything:
            key = (message.metadata or {}).get("event_payload", {}).get("notification_id", "")
            shown.setdefault(key, []).append(message)
    every_state = (*UNSENT, "sent", "superseded", "dead", "moved", "dropped")
    rows = {row["id"]: row for row in store.outbox.rows(every_state, limit=1_000_000)}
    for row in rows.values():
        outcome.kinds[row["kind"]] += 1
        outcome.states[row["state"]] += 1
        _check(row, rows, shown.pop(row["key"], []), outcome, editions)
    outcome.strange = sum(map(len, shown.values()))
    return outcome


def _check(row: Any, rows: Any, messages: list[SlackMessage], outcome: Outcome, editions: dict[int, int]) -> None:
    if row["kind"] == "update":
        outcome.strange += len(messages)
        return
    if not messages:
        outcome.lost.append(row["id"])
        return
    if len(messages) > 1:
        outcome.twice.append(row["id"])
    message = messages[0]
    root = rows[row["parent_id"]]["message_id"] if row["parent_id"] else None
    right = (RECEIVERS[row["receiver"]], row["message_id"], root)
    if (message.channel_id, message.ts, message.thread_ts) != right:
        outcome.misplaced.append(row["id"])
    words = f"Alert {row['alert_id']} in its edition {editions.get(row['alert_id'])},"
    if row["kind"] == "alert" and words not in message.shown:
        outcome.stale.append(row["alert_id"])


class Mischief:
    """Things that go wrong once or twice, when so many notifications were given: each is mended after a while."""

    def __init__(self, slack: SlackServer, most: int, lasts_s: float) -> None:
        self.counts = Counter[str]()
        self._slack = slack
        self._lasts_s = lasts_s
        self._due = [(most * share // 100, what) for share, what in ((20, "archived"), (45, "revoked"), (70, "left"))]
        self._timers: list[threading.Timer] = []

    def at(self, total: int) -> None:
        """Do what is due when there are `total` notifications."""
        while self._due and self._due[0][0] <= total:
            _, what = self._due.pop(0)
            self._set(what, is_wrong=True)
            timer = threading.Timer(self._lasts_s, self._set, (what,), {"is_wrong": False})
            self._timers.append(timer)
            timer.start()

    def end(self) -> None:
        """Wait until everything is mended."""
        for timer in self._timers:
            timer.join()

    def _set(self, what: str, *, is_wrong: bool) -> None:
        names = {"archived": "channel archived", "revoked": "token revoked", "left": "not in the channel"}
        self.counts[names[what]] += is_wrong
        if what == "archived":
            self._slack.channel("C2").is_archived = is_wrong
        elif what == "revoked":
            self._slack.is_revoked = is_wrong
        else:
            self._slack.channel("C3").is_member = not is_wrong


@contextmanager
def senders(
    slack: SlackServer, database: str, folder: Path, seed: int, kills: int, count: int, patience: float
) -> Iterator[Any]:
    """Yield `count` nurseries at work on one database."""
    times = {"lease_s": LEASE_S * patience, "settle_s": SETTLE_S * patience}
    spec = Spec(
        database,
        slack.api_url,
        RECEIVERS,
        seed,
        kills // count,
        str(folder / "finished"),
        TIMEOUT_S,
        {**times, "attempt_s": 2.0, "first_pause_s": 0.05, "longest_pause_s": 1.0},
        count == 1,
    )
    started = []
    try:
        for number in range(count):
            order = [sys.executable, "-m", "benchmarks.dying", spec_as_json(replace(spec, seed=seed + number))]
            environment = {**os.environ, TOKEN_VARIABLE: TOKEN}
            started.append(subprocess.Popen(order, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True))
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def run(
    notifications: int,
    seed: int,
    kills: int,
    database: str,
    folder: Path,
    *,
    rate: float = 0.12,
    count: int = 1,
    patience: float = 1.0,
) -> Outcome:
    """Send so many notifications through all faults by `count` senders; return what came of them.

    `patience` multiplies how long senders wait for what may still take effect.

    Raises:
        SystemExit: a sender ended in another way than by being killed or being done.
    """
    start, store = time.monotonic(), Store(database)
    feeder = Feeder(store, seed)
    with (
        SlowMindedSlack(seed, late_rate=0.01) as slack,
        senders(slack, database, folder, seed, kills, count, patience) as nurseries,
    ):
        faults = slack.faults(seed, rate, hang_s=TIMEOUT_S * 1.5, slow_s=0.1, retry_after_s=0.1)
        mischief = Mischief(slack, notifications, lasts_s=0.5)
        for total in feeder.feed(notifications):
            mischief.at(total)
            if any(process.poll() for process in nurseries):
                raise SystemExit("a sender failed")
        mischief.end()
        (folder / "finished").touch()
        died = Counter[str]()
        for process in nurseries:
            printed, _ = process.communicate(timeout=max(240.0, notifications / 20))
            if process.returncode:
                raise SystemExit("a sender failed")
            died.update(json_of(printed))
        outcome = verify(store, slack, feeder.editions)
        outcome.faults = (faults.counts if faults else Counter[str]()) + mischief.counts + Counter(late=slack.late)
    store.close()
    outcome.kills, outcome.seconds = died, time.monotonic() - start
    return outcome


def json_of(printed: str) -> dict[str, int]:
    """Return what a nursery says."""
    import json

    return dict(json.loads(printed))


def main(arguments: list[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--notifications", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=150, help=f"most deaths; steps: {'; '.join(STEPS)}")
    parser.add_argument("--rate", type=float, default=0.12, help="share of calls that fail")
    parser.add_argument("--database", default="", help="an empty database's URL; else SQLite in a temporary folder")
    parser.add_argument("--senders", type=int, default=1, help="processes on one database (PostgreSQL alone)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        database = options.database or f"sqlite:///{name}/listener.db"
        outcome = run(
            options.notifications, options.seed, options.kills, database, Path(name),
            rate=options.rate, count=options.senders,
        )  # fmt: skip
    print("\n".join(outcome.lines()))
    raise SystemExit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
