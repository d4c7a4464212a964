"""Time passing over an alert: its targets, reminders before they are missed, escalation after, the end of a snooze."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from alerts.card import Note, dump_message
from alerts.escalation import SEVEREST, Due, Facts, Recipients, Rung, deadlines, due, is_reachable, on_call, recipients
from alerts.wording import local_time
from listener.clock import Clock
from listener.config import Config, Target
from listener.config.models import EscalationStep
from listener.model import AlertState
from listener.pipeline.announce import Announcer
from listener.store import AlertRow, Store, TriageItem
from listener.store.alerts import AlertTransaction
from listener.store.outbox import WARNING_RANK

log = structlog.get_logger("listener.escalate")

_SOON = timedelta(minutes=5)
"""When an alert that cannot be looked at now is looked at again: a silence may end early, a fault may be mended."""
_LATER = timedelta(hours=1)
"""When an alert whose country is not configured is looked at again: the country may be put back."""
_NOTHING: Mapping[str, object] = {}
_GOALS = {"respond": "First answer", "resolve": "Resolution"}


class Escalator:
    """Looks at alerts when something of them falls due; what is next stands in the store."""

    def __init__(self, config: Config, announcer: Announcer, store: Store, clock: Clock) -> None:
        self._config = config
        self._announcer = announcer
        self._store = store.alerts
        self._clock = clock

    def target(self, country: str, severity: int) -> Target:
        """Return how soon an alert of this severity is answered and solved in a country."""
        target: Target = getattr(self._config.countries[country].targets, f"severity_{severity}")
        return target

    def deadlines(self, country: str, severity: int, opened_at: datetime) -> tuple[datetime | None, datetime | None]:
        """Return by when an alert raised then is to be answered and solved."""
        calendar = self._announcer.workplaces.calendar(country)
        return deadlines(calendar, self.target(country, severity), opened_at)

    def began(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> None:
        """Wake whoever is on call for a new alert that cannot wait, where nobody works; plan the first look."""
        team = self._team_of(alert)
        works = self._announcer.workplaces.is_open(team, now)
        if alert.severity == SEVEREST and not works and not alert.pilot:
            people = on_call(self._config.teams[team])
            note = Note("Outside all hours: on call", "Nobody works now, and this cannot wait.", "escalation",
                        people=people, broadcast=True)  # fmt: skip
            self._announcer.note(transaction, alert, note, now, urgent=True)
            transaction.record(alert.id, "woke", {"people": list(people)}, now)
        self.plan(transaction, alert, now)

    def rise(
        self,
        transaction: AlertTransaction,
        before: AlertRow,
        alert: AlertRow,
        item: TriageItem | None,
        because: Sequence[str],
        now: datetime,
    ) -> None:
        """A severer alert has nearer targets, may concern further receivers, and is no longer held back.

        `item` is the mention that made it severer; None for an incident.
        """
        transaction.record(alert.id, "severity", {"from": before.severity, "to": alert.severity}, now)
        respond_by, resolve_by = self.deadlines(alert.country, alert.severity, now)
        alert = transaction.change(
            alert.id,
            now,
            respond_by=_sooner(alert.respond_by, respond_by),
            resolve_by=_sooner(alert.resolve_by, resolve_by),
        )
        message = self._announcer.render(transaction, alert, now)
        if message is not None:
            self._announcer.open(transaction, alert, item, message, now)
        self._announcer.changed(transaction, alert, now, message)
        title = f"Severity rises from {before.severity} to {alert.severity}"
        note = Note(title, "; ".join(because), "escalation", broadcast=True)
        self._announcer.note(transaction, alert, note, now, urgent=True)
        if alert.severity == SEVEREST:
            self._announcer.let_go(transaction, alert, item, now)
        self.began(transaction, alert, now)

    def plan(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> None:
        """Note when an alert has to be looked at next; call it after whatever changes owner, state or targets."""
        alert = transaction.alert(alert.id) or alert
        if alert.country not in self._config.countries:
            transaction.change(alert.id, now, look_at=now + _LATER if alert.is_live else None)
            return
        ladder = self._ladder(alert, now) if alert.is_live else None
        # What is due already is told when the alert is looked at, which this is not.
        look_at = None if ladder is None else now if ladder.act else ladder.look_at
        if alert.state is AlertState.SNOOZED and alert.snoozed_until is not None:
            look_at = alert.snoozed_until if look_at is None else min(look_at, alert.snoozed_until)
        transaction.change(alert.id, now, look_at=look_at, now_with=self._team_of(alert))

    def _team_of(self, alert: AlertRow) -> str:
        """Return the team that an alert is with; its country's where that one was gone before it was opened again."""
        return alert.now_with if alert.now_with in self._config.teams else self._config.countries[alert.country].team

    def run(self) -> int:
        """Look at every alert for which something has fallen due; return how many."""
        waiting = self._store.to_look_at(self._clock.now())
        for alert_id in waiting:
            self._look_at(alert_id)
        return len(waiting)

    def _look_at(self, alert_id: int) -> None:
        """Look at one alert; one that fails must not keep the others from their escalation."""
        now = self._clock.now()
        try:
            with self._store.transaction() as transaction:
                alert = transaction.alert(alert_id)
                if alert is not None and alert.is_live:
                    self._look(transaction, alert, now)
        except Exception:
            log.exception("alert could not be looked at", alert=alert_id, again=_SOON.total_seconds())
            with self._store.transaction() as transaction:  # where the database itself fails, so does this
                transaction.change(alert_id, now, look_at=now + _SOON)

    def escalate(
        self, transaction: AlertTransaction, alert: AlertRow, now: datetime, actor: str, more: Mapping[str, object]
    ) -> str | None:
        """Tell the next in the chain because somebody asks for it; return who that is, None where there is nobody.

        `more` goes into the record, beside who it was.
        """
        country = self._config.countries[alert.country]
        reached, told = alert.escalated_to or "", self._told(transaction, alert)
        for step in country.escalation.steps:
            found = self._recipients(transaction, alert, step, now)
            if found is None or found.words == reached or step.to == "person":
                continue
            if found.addresses and told.issuperset(found.addresses):
                continue
            self._tell(transaction, alert, f"Escalated by {actor}", found, now, actor=actor, more=more)
            return found.words
        return None

    @staticmethod
    def _told(transaction: AlertTransaction, alert: AlertRow) -> frozenset[str]:
        """Return the addresses that escalations told since the alert was opened, or opened again."""
        told: list[str] = []
        for event in transaction.events(alert.id, "escalated", "reopened"):
            if event.kind == "reopened":
                break
            told += event.data.get("people", ())
        return frozenset(told)

    def _look(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> None:
        if alert.country not in self._config.countries:
            transaction.change(alert.id, now, look_at=now + _LATER)
            return
        if silence := self._announcer.silence(transaction, alert, now):
            transaction.change(alert.id, now, look_at=min(silence.due_at, now + _SOON))
            return
        if alert.state is AlertState.SNOOZED and alert.snoozed_until is not None and alert.snoozed_until <= now:
            alert = self.wake(transaction, alert, now, "listener")
        ladder = self._ladder(alert, now)
        for rung in ladder.act:
            alert = self._climb(transaction, alert, rung, now)
        done = [*alert.rungs, *(key for key in ladder.done if key not in alert.rungs)]
        told_at = now if ladder.act else alert.told_at
        alert = transaction.change(alert.id, now, rungs=done, told_at=told_at)
        if any(rung.kind != "reminder" for rung in ladder.act):
            transaction.release(alert.id, now)  # a card that was held back is overdue now
        elif ladder.act:
            self._announcer.let_fitting_go(transaction, alert, now)
        if ladder.act:
            self._announcer.changed(transaction, alert, now)
        self.plan(transaction, alert, now)

    def wake(
        self,
        transaction: AlertTransaction,
        alert: AlertRow,
        now: datetime,
        actor: str,
        more: Mapping[str, object] = _NOTHING,
    ) -> AlertRow:
        """End a snooze: the alert is again with whoever had it."""
        state = AlertState.CLAIMED if alert.owner else AlertState.OPEN
        # The end of the snooze is kept: what was missed meanwhile counts from there.
        alert = transaction.change(alert.id, now, state=state.value, snoozed_until=now, told_at=now)
        transaction.record(alert.id, "awake", more, now, actor)
        people = _owner_of(alert)
        note = Note("Snooze is over", tone="reminder", people=people, broadcast=not people)
        self._announcer.note(transaction, alert, note, now, urgent=True)
        self._announcer.changed(transaction, alert, now)
        return alert

    def _climb(self, transaction: AlertTransaction, alert: AlertRow, rung: Rung, now: datetime) -> AlertRow:
        if rung.kind == "repeat":
            note = Note("Still open: nobody has taken it", tone="reminder", broadcast=True)
            self._announcer.note(transaction, alert, note, now, urgent=True)
            transaction.record(alert.id, "repeated", {}, now)
            return alert
        what = _GOALS[rung.goal or "resolve"]
        by = local_time(rung.deadline or rung.at, self._config.countries[alert.country].timezone)
        if rung.kind == "reminder" or rung.step is None:
            owner = _owner_of(alert)
            # Where nobody owns it, or nobody in Slack, nobody follows its thread either.
            people = () if alert.pilot else owner
            note = Note(f"{what} due by {by}", tone="reminder", people=people, broadcast=not owner)
            self._announcer.note(transaction, alert, note, now, urgent=True)
            transaction.record(alert.id, "reminded", {"of": rung.key}, now)
            return alert
        found = self._recipients(transaction, alert, rung.step, now, rung.turn)
        repeats = found is not None and found.words == alert.escalated_to and not rung.key.endswith(":0")
        if found is None or repeats:  # those who were told a step ago know
            transaction.record(alert.id, "missed", {"of": rung.key}, now)
            return alert
        return self._tell(transaction, alert, f"{what} was due by {by}", found, now, rung.key)

    def _tell(
        self,
        transaction: AlertTransaction,
        alert: AlertRow,
        title: str,
        found: Recipients,
        now: datetime,
        of: str = "",
        actor: str = "listener",
        more: Mapping[str, object] = _NOTHING,
    ) -> AlertRow:
        values: dict[str, object] = {"escalated_to": found.words, "told_at": now}
        handed_over = found.team is not None and found.team != alert.now_with and not alert.pilot
        if handed_over:
            values["now_with"] = found.team
        alert = transaction.change(alert.id, now, **values)
        data = {"to": found.words, "team": found.team, "of": of, "people": list(found.addresses), **more}
        transaction.record(alert.id, "escalated", data, now, actor)
        if handed_over:
            self._show_to(transaction, alert, now)
        people = () if alert.pilot else found.addresses
        note = Note(f"{title}: {found.words} told", tone="escalation", people=people, broadcast=True)
        self._announcer.note(transaction, alert, note, now, urgent=True)
        return alert

    def _show_to(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> None:
        """Give the team that an alert is handed over to a card of its own."""
        receiver = self._config.teams[alert.now_with].receiver
        message = self._announcer.look(transaction, alert, now)
        if receiver is not None and message is not None:
            name = self._announcer.effective_receiver(receiver)
            transaction.post(alert.id, name, dump_message(message), now, rank=WARNING_RANK)

    def _recipients(
        self, transaction: AlertTransaction, alert: AlertRow, step: EscalationStep, now: datetime, turn: int = 0
    ) -> Recipients | None:
        if alert.drill:
            return None  # whoever is not in the trial channel hears nothing of it
        return recipients(
            step,
            owner_address=alert.owner_address,
            team_name=self._team_of(alert),
            teams=self._config.teams,
            is_open=self._announcer.workplaces.open_at(now),
            head_office=self._config.head_office,
            turn=turn,
            owner_name=alert.owner,
            had=self._had(transaction, alert),
        )

    @staticmethod
    def _had(transaction: AlertTransaction, alert: AlertRow) -> frozenset[str]:
        """Return the teams that had an alert since it was opened, or opened again."""
        teams = [alert.team]
        for event in transaction.events(alert.id, "escalated", "reopened"):
            if event.kind == "reopened":
                break
            teams.append(event.data.get("team") or alert.team)
        return frozenset(teams)

    def _ladder(self, alert: AlertRow, now: datetime) -> Due:
        responded = [at for at in (alert.replied_at, alert.private_at) if at is not None]
        facts = Facts(
            severity=alert.severity,
            opened_at=alert.opened_at,
            is_claimed=alert.owner is not None,
            snoozed_until=alert.snoozed_until,
            responded_at=min(responded, default=None),
            respond_by=alert.respond_by,
            resolve_by=alert.resolve_by,
            done=tuple(alert.rungs),
            told_at=alert.told_at or alert.opened_at,
            is_live=alert.is_live,
        )
        return due(
            facts,
            self.target(alert.country, alert.severity),
            self._config.countries[alert.country].escalation,
            self._announcer.workplaces.calendar(alert.country),
            now,
            self._announcer.repeat_s(alert),
        )


def _owner_of(alert: AlertRow) -> tuple[str, ...]:
    """Return the address of an alert's owner, if a note can mention it."""
    return (alert.owner_address,) if alert.owner_address and is_reachable(alert.owner_address) else ()


def _sooner(before: datetime | None, after: datetime | None) -> datetime | None:
    return min((moment for moment in (before, after) if moment is not None), default=None)
