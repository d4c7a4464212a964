"""What a changed configuration leaves behind: alerts of teams and messages of receivers that are gone."""

import structlog

from alerts.card import DigestFile, Message, Note, dump_message, load_message
from listener.clock import Clock
from listener.config import Config
from listener.pipeline.announce import Announcer
from listener.store import AlertRow, Store
from listener.store.alerts import AlertTransaction

log = structlog.get_logger("listener.heirs")

_MOST_ENDED = 100_000


class Heirs:
    """Runs once at each start, before anything else."""

    def __init__(self, config: Config, announcer: Announcer, store: Store, clock: Clock) -> None:
        self._config = config
        self._announcer = announcer
        self._store = store
        self._clock = clock

    def of_teams(self) -> int:
        """Give alerts whose team is gone to the team of their country; return how many."""
        given = 0
        for alert in self._store.alerts.live_outside(self._config.teams):
            country = self._config.countries.get(alert.country)
            if country is None:
                continue  # it has left the configuration with its team
            now = self._clock.now()
            with self._store.alerts.transaction() as transaction:
                changed = transaction.change(alert.id, now, now_with=country.team, look_at=now)
                self._announcer.changed(transaction, changed, now)
            given += 1
        if given:
            log.warning("alerts of teams that are gone given to the teams of their countries", alerts=given)
        return given

    def of_receivers(self) -> int:
        """Show alerts of receivers that left the configuration where they belong now; return how many.

        Their threads are not told again: the card shows how they stand. Reminders and escalations go along.
        """
        shown = 0
        for alert in self._store.alerts.live_at_other(self._config.receivers):
            if not alert.drill:  # which concerns nobody outside the trial channel
                with self._store.alerts.transaction() as transaction:
                    shown += self._move(transaction, alert)
        for name in self._store.outbox.receivers_waiting():
            if name not in self._config.receivers:
                self._end_talk(name)
        if shown:
            log.warning("alerts of receivers that are gone shown elsewhere", alerts=shown)
        return shown

    def _move(self, transaction: AlertTransaction, alert: AlertRow) -> bool:
        now = self._clock.now()
        left = transaction.leave(alert.id, self._config.receivers, "its receiver is no longer configured")
        stands = bool(transaction.posted(alert.id))
        if not stands:
            payload = next(row["payload"] for row in reversed(left) if row["kind"] == "alert")
            self._show(transaction, alert, payload)
            for row in left:
                if row["kind"] == "note" and not _is_talk(row["payload"]):
                    transaction.note(alert.id, row["payload"], now, rank=row["rank"])
        return not stands

    def _show(self, transaction: AlertTransaction, alert: AlertRow, payload: str) -> None:
        """Give an alert a card where it belongs now; else where what belongs nowhere goes."""
        now = self._clock.now()
        item = None if alert.match_id is None else transaction.item(alert.match_id)
        message = self._announcer.render(transaction, alert, now)
        names = [self._announcer.effective_receiver(self._config.fallback_receiver)]
        if message is not None and alert.country in self._config.countries:
            self._announcer.open(transaction, alert, item, message, now)
            payload = dump_message(message)
            names = [one.receiver for one in self._announcer.destinations(alert, item)] + names
        for name in names:
            if transaction.posted(alert.id):
                break
            if not transaction.bring_back(alert.id, name, payload, now):
                transaction.post(alert.id, name, payload, now)

    def _end_talk(self, receiver: str) -> None:
        """End what only told more of alerts that whoever reads the next receiver never saw, and digests."""
        rows = self._store.outbox.rows(("pending", "sending"), limit=_MOST_ENDED, receiver=receiver)
        talk = [
            row["id"] for row in rows if row["kind"] == "digest" or (row["kind"] == "note" and _is_talk(row["payload"]))
        ]
        self._store.outbox.give_up(talk, f"{receiver} is no longer configured")


def _is_talk(payload: str) -> bool:
    """Tell whether a note only records: nobody has to act on it. One that cannot be read is of no use either."""
    try:
        message: Message = load_message(payload)
    except ValueError:
        return True
    return isinstance(message, DigestFile) or (isinstance(message, Note) and message.tone in ("history", "mention"))
