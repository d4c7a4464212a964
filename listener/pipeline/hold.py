"""Lets go what was held back: after a silence, at the next opening with a morning summary, and beyond a budget folded.

An alert that ended meanwhile is named in the summary and its card is not sent any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from alerts.card import Card, Entry, IncidentCard, Summary, dump_message, load_message
from listener.clock import Clock
from listener.config import Config
from listener.pipeline.announce import BUDGET, BUDGET_SPAN, FOLDED, QUIET, Announcer
from listener.store import AlertRow, Store
from listener.store.alerts import AlertTransaction
from listener.store.outbox import WARNING_RANK

_LEAST_TO_SUM_UP = 2
_FOLD_AFTER = timedelta(minutes=10)
"""How long folded alerts are collected before a summary names them."""

Row = Mapping[str, Any]


class HoldStep:
    """Looks at what is held back, whenever it runs."""

    def __init__(self, config: Config, announcer: Announcer, store: Store, clock: Clock) -> None:
        self._config = config
        self._announcer = announcer
        self._store = store
        self._clock = clock

    def run(self) -> None:
        """Let go what may go now."""
        if not self._store.alerts.any_held_back():
            return  # most of the time: no need to keep others from writing
        now = self._clock.now()
        active = {f"silence:{row.id}" for row in self._store.silences.active(now)}
        with self._store.alerts.transaction() as transaction:
            self._after_silences(transaction, active, now)
            for receiver, rows in _by_receiver(transaction.held(QUIET, now)):
                self._open_the_day(transaction, receiver, rows, now)
            for receiver, rows in _by_receiver(transaction.held(BUDGET)):
                self._fold(transaction, receiver, rows, now)

    def _after_silences(self, transaction: AlertTransaction, active: set[str], now: datetime) -> None:
        """Let go what a silence held that is over; what another rule would hold now is held by that one."""
        for row in transaction.held_by_silences():
            if row["held"] in active:
                continue
            alert = transaction.alert(row["alert_id"])
            if alert is None or not alert.is_live:
                transaction.drop([row["id"]])
                continue
            hold = self._announcer.hold(transaction, alert, row["receiver"], now)
            transaction.rehold([row["id"]], hold.reason, now, hold.due_at)

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
        own, other = self._config.teams[alert.now_with].receiver, self._config.teams[team].receiver
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
            since = min(row["created_at"] for row in rows)
            text = f"Collected since {since:%Y-%m-%d %H:%M} UTC, while nobody worked. The cards follow."
            if gone:
                text += f" {len(gone)} more ended meanwhile."
            title = f"{len(standing)} alerts came in outside hours"
            message = Summary(title, text, tuple(_entries(standing)), interactive=False)
            transaction.message(receiver, dump_message(message), now, rank=WARNING_RANK)
        transaction.rehold([row["id"] for row in standing], None, now)

    def _fold(self, transaction: AlertTransaction, receiver: str, rows: Sequence[Row], now: datetime) -> None:
        if rows[0]["created_at"] + _FOLD_AFTER > now:
            return
        alerts = {row["id"]: transaction.alert(row["alert_id"]) for row in rows}
        standing = [row for row in rows if (alert := alerts[row["id"]]) is not None and alert.is_live]
        transaction.drop([row["id"] for row in rows if row not in standing])
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


def _by_receiver(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    return [(receiver, list(group)) for receiver, group in groupby(rows, key=lambda row: row["receiver"])]


def _entries(rows: Iterable[Row]) -> Iterable[Entry]:
    found = [entry for row in rows if (entry := _entry(row)) is not None]
    return sorted(found, key=lambda entry: (-entry.severity, entry.alert_id))


def _entry(row: Row) -> Entry | None:
    message = load_message(row["payload"])
    if isinstance(message, Card | IncidentCard):
        return Entry(message.alert_id, message.reference, message.severity, summary_line(message))
    return None


def summary_line(message: Card | IncidentCard) -> str:
    """Return the line by which a summary names an alert; hostile."""
    if isinstance(message, IncidentCard):
        return f"{message.brand} · {message.country_name} · {message.mentions} negative posts"
    said = "the post was deleted" if message.fate == "deleted" else message.text
    return f"{message.brand} · {message.country_name} · {message.topic} · {message.author.name}: {said}"[:200]
