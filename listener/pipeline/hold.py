"""Lets go what was held back: after a silence, at the next opening with a morning summary, and beyond a budget folded.

An alert that ended meanwhile is counted in the summary and its card is not sent any more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from alerts.card import Card, Entry, IncidentCard, Summary, dump_message, load_message
from listener.clock import Clock
from listener.config import Config
from listener.pipeline.announce import BUDGET, BUDGET_SPAN, FOLDED, QUIET, Announcer
from listener.store import AlertRow, Store
from listener.store.alerts import AlertTransaction
from listener.store.outbox import WARNING_RANK

log = structlog.get_logger("listener.hold")

_LEAST_TO_SUM_UP = 2
_FOLD_AFTER = timedelta(minutes=10)
"""How long folded alerts are collected before a summary names them."""

Row = Mapping[str, Any]
Step = Callable[[AlertTransaction, str, Sequence[Row], datetime], None]


class HoldStep:
    """Looks at what is held back, whenever it runs."""

    def __init__(self, config: Config, announcer: Announcer, store: Store, clock: Clock) -> None:
        self._config = config
        self._announcer = announcer
        self._store = store
        self._clock = clock

    def run(self) -> None:
        """Let go what may go now. What cannot be worked on keeps nothing else back.

        Two daemons of one database take turns: what one has under way the other leaves alone.
        """
        if not self._store.alerts.any_held_back():
            return  # most of the time: no need to keep others from writing
        now = self._clock.now()
        self._tell_of(
            *self._each([partial(self._turn, self._end_closed)]),
            *self._each(self._after_silences(now)),
            *self._each(self._for_receivers(self._open_the_day, QUIET, now, now)),
            *self._each(self._for_receivers(self._fold, BUDGET, None, now)),
        )

    def after_clock_went_back(self) -> None:
        """Decide anew on what a clock that was ahead holds back until an opening of its own time."""
        now = self._clock.now()
        with self._store.alerts.transaction() as transaction:
            ahead = transaction.held_ahead(QUIET, now)
        self._tell_of(*self._each(partial(self._turn, partial(self._decide_anew, one, now)) for one in ahead))

    @staticmethod
    def _tell_of(*faults: Exception) -> None:
        if faults:
            log.error("held back, and cannot be let go", faults=len(faults), exc_info=faults[0])

    @staticmethod
    def _each(steps: Iterable[Callable[[], None]]) -> list[Exception]:
        """Run steps, each in a transaction of its own; return the faults of those that could not end."""
        faults = []
        for step in steps:
            try:
                step()
            except Exception as error:  # one that nobody foresaw must not hold back the alerts of all others
                faults.append(error)
        return faults

    def _turn(self, step: Callable[[AlertTransaction], None]) -> None:
        """Run a step in a transaction, unless another daemon is at it: then what is held is its to let go."""
        with self._store.alerts.transaction() as transaction:
            if transaction.lock_held():
                step(transaction)

    @staticmethod
    def _end_closed(transaction: AlertTransaction) -> None:
        """Give up the cards of alerts that ended; what waits for a morning is counted in its summary first."""
        transaction.drop(transaction.held_of_closed(except_for=QUIET))

    def _for_receivers(
        self, step: Step, reason: str, due_by: datetime | None, now: datetime
    ) -> list[Callable[[], None]]:
        """Return, for each receiver that something is held back from for this reason, what lets it go."""

        def of(receiver: str, transaction: AlertTransaction) -> None:
            # Read again under the lock: another daemon may just have let them go.
            if rows := transaction.held(reason, due_by, receiver=receiver):
                step(transaction, receiver, rows, now)

        receivers = self._store.alerts.receivers_held_back(reason, due_by)
        return [partial(self._turn, partial(of, receiver)) for receiver in receivers]

    def _after_silences(self, now: datetime) -> list[Callable[[], None]]:
        """Return what lets go each card that a silence held which is over."""
        active = {f"silence:{row.id}" for row in self._store.silences.active(now)}
        with self._store.alerts.transaction() as transaction:
            ended = [row["id"] for row in transaction.held_by_silences() if row["held"] not in active]
        return [partial(self._turn, partial(self._decide_anew, notification_id, now)) for notification_id in ended]

    def _decide_anew(self, notification_id: int, now: datetime, transaction: AlertTransaction) -> None:
        """Let a card go; what another rule would hold now is held by that one."""
        row = transaction.held_row(notification_id)
        alert = None if row is None else transaction.alert(row["alert_id"])
        if row is None or alert is None or not alert.is_live:
            return
        hold = self._announcer.hold(transaction, alert, row["receiver"], now)
        transaction.rehold([notification_id], hold.reason, now, hold.due_at)

    def _open_the_day(self, transaction: AlertTransaction, receiver: str, rows: Sequence[Row], now: datetime) -> None:
        alerts = {row["id"]: transaction.alert(row["alert_id"]) for row in rows}
        by_target: dict[str, list[Row]] = {}
        for row in rows:
            by_target.setdefault(self._moved(transaction, row, alerts[row["id"]], now), []).append(row)
        for target, group in by_target.items():
            self._sum_up(transaction, target, group, alerts, now)

    def _moved(self, transaction: AlertTransaction, row: Row, alert: AlertRow | None, now: datetime) -> str:
        """Return where a card goes now: to the team that covers, where its own is still closed."""
        receiver: str = row["receiver"]
        if alert is None or alert.country not in self._config.countries:
            return receiver
        team, _ = self._announcer.workplaces.in_charge(alert.country, now)
        if team == alert.now_with:
            return receiver
        before, after = self._config.teams.get(alert.now_with), self._config.teams[team]
        own, other = before.receiver if before else None, after.receiver
        transaction.change(alert.id, now, now_with=team)
        if other is None or own not in (None, receiver):
            return receiver
        target = self._announcer.effective_receiver(other)
        transaction.readdress(row["id"], target)
        return target

    def _sum_up(
        self,
        transaction: AlertTransaction,
        receiver: str,
        rows: Sequence[Row],
        alerts: Mapping[int, AlertRow | None],
        now: datetime,
    ) -> None:
        standing = [row for row in rows if (alert := alerts[row["id"]]) is not None and alert.is_live]
        gone = [row for row in rows if row not in standing]
        transaction.drop([row["id"] for row in gone])
        if len(standing) >= _LEAST_TO_SUM_UP:
            since = min(now, *(row["created_at"] for row in rows))
            text = f"Collected since {since:%Y-%m-%d %H:%M} UTC, while nobody worked. The cards follow."
            if gone:
                text += f" {len(gone)} more ended meanwhile."
            title = f"{len(standing)} alerts came in outside hours"
            message = Summary(title, text, tuple(_entries(standing)), interactive=False)
            transaction.message(receiver, dump_message(message), now, rank=WARNING_RANK)
        transaction.rehold([row["id"] for row in standing], None, now)

    def _fold(self, transaction: AlertTransaction, receiver: str, rows: Sequence[Row], now: datetime) -> None:
        age = now - min(row["created_at"] for row in rows)
        if timedelta(0) <= age < _FOLD_AFTER:  # what a clock that was ahead noted is collected no longer
            return
        alerts = {row["id"]: transaction.alert(row["alert_id"]) for row in rows}
        standing = [row for row in rows if (alert := alerts[row["id"]]) is not None and alert.is_live]
        transaction.drop([row["id"] for row in rows if row not in standing])
        unreadable = [row["id"] for row in standing if _entry(row) is None]
        transaction.rehold(unreadable, None, now)  # the sender finds out, and operators learn why
        standing = [row for row in standing if row["id"] not in unreadable]
        if not standing:
            return
        budget = self._config.receivers[receiver].budget if receiver in self._config.receivers else None
        text = (
            f"More than {budget} an hour came in. These were folded; each shows its card when something of it is due."
        )
        title = f"{len(standing)} further alert{'' if len(standing) == 1 else 's'}"
        message = Summary(title, text, tuple(_entries(standing)), interactive=self._announcer.interactive)
        transaction.message(receiver, dump_message(message), now)
        transaction.rehold([row["id"] for row in standing], FOLDED, now, now + 24 * 365 * BUDGET_SPAN)


def _entries(rows: Iterable[Row]) -> Iterable[Entry]:
    found = [entry for row in rows if (entry := _entry(row)) is not None]
    return sorted(found, key=lambda entry: (-entry.severity, entry.alert_id))


def _entry(row: Row) -> Entry | None:
    try:
        message = load_message(row["payload"])
    except ValueError:
        return None
    if isinstance(message, Card | IncidentCard):
        return Entry(message.alert_id, message.reference, message.severity, summary_line(message))
    return None


def summary_line(message: Card | IncidentCard) -> str:
    """Return the line by which a summary names an alert; hostile."""
    if isinstance(message, IncidentCard):
        return f"{message.brand} · {message.country_name} · {message.mentions} negative posts"
    said = "the post was deleted" if message.fate == "deleted" else message.text
    return f"{message.brand} · {message.country_name} · {message.topic} · {message.author.name}: {said}"[:200]
