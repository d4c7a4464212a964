"""What people do with alerts: one set of actions for Slack, the command line and whatever comes later.

Each action is one transaction: the alert, its history, its cards and its thread change together, once for one press.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from alerts.card import Card, Note
from alerts.escalation import is_reachable
from alerts.silences import Matcher, check_values, parse_matchers, silences
from alerts.wording import local_time
from listener.clock import Clock
from listener.config import Config
from listener.errors import ListenerError
from listener.model import RESOLUTIONS, TOPICS, WAS, AlertState, Guidance
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import now_another_case, reference
from listener.pipeline.escalate import Escalator
from listener.sentences import Minute, Sentence, sentence
from listener.store import AlertRow, Store
from listener.store.alerts import AlertTransaction

log = structlog.get_logger("listener.desk")

LONGEST_SNOOZE = timedelta(days=14)
LONGEST_DAY = timedelta(days=1)
"""A team that does not close for longer has no next opening that anybody waits for."""
JUST_NOW = timedelta(minutes=1)
"""So soon after an escalation another one was not meant: two people pressed, or one twice."""
LONGEST_SILENCE = timedelta(days=90)
ENDINGS = ("public", "private", "solved", "no_reply")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts."""

    name: str
    """As people know them; hostile."""
    address: str = ""
    """Where they can be mentioned, such as `slack:U0123`."""
    origin: str = "cli"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to whoever acted."""

    done: bool
    """False where nothing changed: somebody else was first, or there was nothing to do."""
    text: str
    repeated: bool = False
    """True where that same press was handled before, and its first delivery answered."""


class DeskError(ListenerError):
    """Somebody asks for something that cannot be; the message says what can."""


class RepeatedError(DeskError):
    """That same press was handled before, and its first delivery answered."""


_Change = Callable[[AlertTransaction, AlertRow, datetime], Answer]


class Desk:
    """Carries out what people decide."""

    def __init__(self, config: Config, announcer: Announcer, escalator: Escalator, store: Store, clock: Clock) -> None:
        self._config = config
        self._announcer = announcer
        self._escalator = escalator
        self._store = store
        self._clock = clock

    def claim(self, alert_id: int, actor: Actor, press: str = "") -> Answer:
        """Take an alert; the first one wins and the others are told who that is."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if alert.owner is not None and not _is_owner(alert, actor):
                return Answer(
                    False, f"{alert.owner} has {reference(alert)} since {self._when(alert, alert.claimed_at)}."
                )
            if alert.state is AlertState.CLAIMED:
                return Answer(False, f"You have {reference(alert)} already.")
            return self._own(transaction, alert, actor, now, f"Claimed by {actor.name}", "claimed")

        return self._act(alert_id, press, change, of_any_country=True)

    def take_over(self, alert_id: int, actor: Actor, expected_owner: str, press: str = "") -> Answer:
        """Take an alert from its owner, if that is still whom the presser saw on the card."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if _is_owner(alert, actor):
                return Answer(False, f"You have {reference(alert)} already.")
            if alert.owner is not None and expected_owner not in (alert.owner_address, alert.owner):
                return Answer(False, f"{alert.owner} has taken {reference(alert)} meanwhile.")
            before = f" from {alert.owner}" if alert.owner else ""
            return self._own(transaction, alert, actor, now, f"Taken over by {actor.name}{before}", "taken over")

        return self._act(alert_id, press, change)

    def release(self, alert_id: int, actor: Actor, press: str = "") -> Answer:
        """Give an alert back to the team."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if alert.owner is None:
                return Answer(False, f"Nobody has {reference(alert)}.")
            if not _is_owner(alert, actor):
                return Answer(False, f"{alert.owner} has {reference(alert)}; take it over first.")
            values = {"state": AlertState.OPEN.value, "owner": None, "owner_address": None, "claimed_at": None}
            return self._changed(transaction, alert, values, actor, now, f"Given back by {actor.name}", "released")

        return self._act(alert_id, press, change, of_any_country=True)

    def snooze(self, alert_id: int, actor: Actor, lasting: timedelta | None, press: str = "") -> Answer:
        """Put an alert aside for a while; None until the team's next opening.

        Raises:
            DeskError: the span is not positive or longer than two weeks.
        """
        if lasting is not None and not timedelta(0) < lasting <= LONGEST_SNOOZE:
            raise DeskError(f"a snooze lasts at most {LONGEST_SNOOZE.days} days")

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if alert.owner is not None and not _is_owner(alert, actor):
                return Answer(False, f"{alert.owner} has {reference(alert)}; take it over first.")
            end = self._opening(alert, now) if lasting is None else now + lasting
            if isinstance(end, str):
                return Answer(False, end)
            values = {"state": AlertState.SNOOZED.value, "snoozed_until": end}
            text = f"Snoozed by {actor.name} until {self._when(alert, end)}"
            return self._changed(transaction, alert, values, actor, now, text, "snoozed", until=end.isoformat())

        return self._act(alert_id, press, change)

    def wake(self, alert_id: int, actor: Actor, press: str = "") -> Answer:
        """End a snooze before its time."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if alert.state is not AlertState.SNOOZED:
                return Answer(False, f"{reference(alert)} is not snoozed.")
            alert = self._escalator.wake(transaction, alert, now, actor.name, _from(actor))
            self._escalator.plan(transaction, alert, now)
            return Answer(True, f"{reference(alert)} is awake again.")

        return self._act(alert_id, press, change)

    def escalate(self, alert_id: int, actor: Actor, press: str = "") -> Answer:
        """Tell the next in the chain without waiting for a target to be missed."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if alert.drill:
                return Answer(
                    False, sentence("{alert} is part of a drill: nobody further is told.", alert=reference(alert))
                )
            if refused := self._just_escalated(transaction, alert, now):
                return refused
            told = self._escalator.escalate(transaction, alert, now, actor.name, _from(actor))
            if told is None:
                said = sentence("There is nobody further to tell: see `escalation` and `teams` in the configuration.")
                return Answer(False, said)
            alert = transaction.change(alert.id, now)
            self._announcer.changed(transaction, alert, now)
            self._escalator.plan(transaction, alert, now)
            return Answer(True, f"{told} told of {reference(alert)}.")

        return self._act(alert_id, press, change)

    def replied(
        self, alert_id: int, actor: Actor, *, public: bool, private: bool, variant: str = "", press: str = ""
    ) -> Answer:
        """Note that somebody answered: in public, in private, or both. The first time of each counts.

        `variant` names the draft that was sent, so that the next one in the thread reads another.

        Raises:
            DeskError: it is neither.
        """
        if not public and not private:
            raise DeskError("say where it was answered: in public, in private, or both")

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            values: dict[str, object] = {}
            if public and alert.replied_at is None:
                values["replied_at"] = now
            if private and alert.private_at is None:
                values["private_at"] = now
            if alert.owner is None and alert.is_live:
                values |= _owned_by(actor, now)
            if not values:
                return Answer(False, f"That was noted for {reference(alert)} before.")
            where = " and ".join(words for said, words in ((public, "in public"), (private, "in private")) if said)
            text = f"Answered {where} by {actor.name}"
            said = {"public": public, "private": private, **({"variant": variant} if variant else {})}
            return self._changed(transaction, alert, values, actor, now, text, "replied", **said)

        return self._act(alert_id, press, change)

    def choose_playbook(self, alert_id: int, actor: Actor, playbook: str, press: str = "", *, seen: str = "") -> Answer:
        """Take an alert for another case than the rules did: its steps and drafts are that playbook's from then on.

        `seen` is the playbook that the actor had before them; where another is in force by now, they are told so first.

        Raises:
            DeskError: there is no such playbook.
        """
        known = self._announcer.playbooks
        if playbook not in known:
            raise DeskError(f"there is no such playbook; there are: {', '.join(known)}")

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if alert.kind == "incident":
                said = sentence("{alert} is an incident: its playbook follows from its size.", alert=reference(alert))
                return Answer(False, said)
            if refused := _closed(alert):
                return refused
            shown = self._guidance(transaction, alert, now)
            chosen_before = (alert.playbook or "") if alert.playbook_by is not None else ""
            before = shown.playbook if shown else chosen_before
            if before == playbook:
                return Answer(False, sentence("{alert} has that playbook already.", alert=reference(alert)))
            if shown and seen and seen != before:
                return Answer(False, now_another_case(alert, shown, actor.name))
            values: dict[str, object] = {"playbook": playbook, "playbook_by": actor.name}
            taken = replace(alert, playbook=playbook, playbook_by=actor.name, variants=())
            if guidance := self._guidance(transaction, taken, now):
                values["variants"] = [draft.variant for draft in guidance.drafts]
            text = f"{actor.name} takes it for another case: {known[playbook]}"
            data = {"playbook": playbook, "before": before}
            return self._changed(transaction, alert, values, actor, now, text, "playbook", **data)

        return self._act(alert_id, press, change)

    def resolve(self, alert_id: int, actor: Actor, how: str, press: str = "") -> Answer:
        """Close an alert as dealt with.

        Raises:
            DeskError: `how` is none of ENDINGS.
        """
        if how not in ENDINGS:
            raise DeskError(f"an alert ends as one of: {', '.join(ENDINGS)}")

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            values = self._ending(AlertState.RESOLVED, how, actor, now)
            if how == "public" and alert.replied_at is None:
                values["replied_at"] = now
            if how == "private" and alert.private_at is None:
                values["private_at"] = now
            text = f"Resolved by {actor.name}: {RESOLUTIONS[how]}"
            return self._changed(transaction, alert, values, actor, now, text, "resolved", how=how)

        return self._act(alert_id, press, change, of_any_country=True)

    def not_a_complaint(
        self, alert_id: int, actor: Actor, was: str, topic: str | None = None, press: str = ""
    ) -> Answer:
        """Close an alert as no complaint, saying what it was; the model learns from it.

        Raises:
            DeskError: `was` is none of WAS, or there is no such topic.
        """
        if was not in WAS or (topic is not None and topic not in TOPICS):
            raise DeskError(f"say what it was: {', '.join(WAS)}; and a topic of: {', '.join(TOPICS)}")

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if alert.kind == "incident":
                said = sentence("A burst has no one post to correct: resolve it, or correct its posts.")
                return Answer(False, said)
            words, besides = WAS[was]
            target = self._store.corrections.target(alert.id)
            if target is not None and not alert.drill:
                fields = {"complaint": False, "urgency": None, "topic": topic, "sentiment": None}
                fields |= {name: value for name, value in besides.items() if fields[name] is None}
                transaction.correct(target, fields, actor.name, actor.origin, now)
            values = self._ending(AlertState.DISMISSED, "not_complaint", actor, now)
            text = f"Not a complaint, says {actor.name}: {words}"
            return self._changed(transaction, alert, values, actor, now, text, "dismissed", was=was, topic=topic)

        return self._act(alert_id, press, change, of_any_country=True)

    def reopen(self, alert_id: int, actor: Actor, press: str = "") -> Answer:
        """Open an alert again that was closed by mistake or too soon."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if alert.is_live:
                return Answer(False, f"{reference(alert)} is open.")
            state = AlertState.CLAIMED if alert.owner else AlertState.OPEN
            values = {"state": state.value, "resolution": None, "closed_by": None, "closed_at": None}
            return self._changed(transaction, alert, values, actor, now, f"Opened again by {actor.name}", "reopened")

        return self._act(alert_id, press, change)

    def drill_over(self, alert_id: int, actor: Actor) -> Answer:
        """Close an alert of a drill because the drill is over; it does not say that anybody dealt with it."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if refused := _closed(alert):
                return refused
            if not alert.drill:
                return Answer(False, f"{reference(alert)} is in earnest.")
            values = self._ending(AlertState.RESOLVED, "drill", actor, now)
            return self._changed(transaction, alert, values, actor, now, "The drill is over", "resolved", how="drill")

        return self._act(alert_id, "", change, of_any_country=True)

    def show(self, alert_id: int, actor: Actor, press: str = "") -> Answer:
        """Send the card of an alert that was folded or is held back."""

        def change(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer:
            if not transaction.release(alert.id, now):
                return Answer(False, _where_it_stands(transaction, alert))
            transaction.record(alert.id, "shown", _from(actor), now, actor.name)
            return Answer(True, f"The card of {reference(alert)} is on its way.")

        return self._act(alert_id, press, change)

    def silence(
        self,
        matchers: list[str],
        actor: Actor,
        *,
        lasting: timedelta,
        reason: str,
        press: str = "",
        starts_at: datetime | None = None,
    ) -> tuple[int, str]:
        """Mute alerts that fulfil all matchers for a while, from now on or later; return the silence's id and words.

        Raises:
            MatcherError: a matcher cannot be read, or names a value that there is not.
            DeskError: no reason is given, or the span is out of range.
            RepeatedError: that same press made a silence before.
        """
        found = self.read_matchers(matchers)
        if not reason.strip():
            raise DeskError("say why: those who wonder about the silence will read it")
        if not timedelta(0) < lasting <= LONGEST_SILENCE:
            raise DeskError(f"a silence lasts at most {LONGEST_SILENCE.days} days")
        now = self._clock.now()
        begins = starts_at or now
        if begins > datetime.max.replace(tzinfo=UTC) - lasting:
            raise DeskError("that silence would end when calendars do; let it begin before the year 9999")
        if begins + lasting <= now:
            raise DeskError(f"that silence would have ended at {begins + lasting:%Y-%m-%d %H:%M} UTC; it is past")
        texts = [str(matcher) for matcher in found]
        made = self._store.silences.add(
            texts,
            author=actor.name,
            reason=reason.strip(),
            starts_at=begins,
            ends_at=begins + lasting,
            now=now,
            press=press,
        )
        if made is None:
            raise RepeatedError("that press was handled before")
        log.info("silence added", silence=made, matchers=texts, author=actor.name)
        return made, f"Silence {made} of {', '.join(texts)} {_span(begins, begins + lasting, now)}: {reason.strip()}"

    def read_matchers(self, texts: Sequence[str]) -> tuple[Matcher, ...]:
        """Read the matchers of a silence that somebody asks for.

        Raises:
            MatcherError: one cannot be read, or names a value that there is not.
        """
        found = parse_matchers(texts)
        check_values(found, self._known_values())
        return found

    def _known_values(self) -> dict[str, Collection[str]]:
        """Return all values of the labels whose values are known; posts from files name any network."""
        known: dict[str, Collection[str]] = {
            "kind": ("post", "incident"),
            "severity": ("1", "2", "3"),
            "pilot": ("true", "false"),
            "topic": ("", *TOPICS),  # an incident may be of all topics
            "country": self._config.countries,
            "brand": self._config.brands,
            "team": self._config.teams,
        }
        if "file" not in self._config.sources:
            known["network"] = ("", *self._config.sources)
        return known

    def muted_by(self, matchers: Sequence[str]) -> list[AlertRow]:
        """Return the live alerts that fulfil all matchers, by everything that is known of their posts."""
        found = []
        for alert in self._store.alerts.live(limit=10_000):
            item = None if alert.match_id is None else self._store.triage.item(alert.match_id)
            if silences(matchers, self._announcer.labels(alert, item)):
                found.append(alert)
        return found

    def end_silence(self, silence_id: int, actor: Actor) -> Answer:
        """End a silence before its time; what it held back goes on its way."""
        ended = self._store.silences.end(silence_id, by=actor.name, now=self._clock.now())
        return Answer(ended, f"Silence {silence_id} is ended." if ended else f"Silence {silence_id} is not in force.")

    def _act(self, alert_id: int, press: str, change: _Change, *, of_any_country: bool = False) -> Answer:
        """Carry out one change, once for one press; what needs no configuration works for a country that left it."""
        now = self._clock.now()
        with self._store.alerts.transaction() as transaction:
            if press and not transaction.is_first_press(press, now):
                return Answer(False, "That press was handled before.", repeated=True)
            alert = transaction.alert(alert_id)
            if alert is None:
                return Answer(False, "There is no such alert any more.")
            if alert.country not in self._config.countries and not of_any_country:
                said = sentence(
                    "{country} of {alert} is not configured any more;"
                    " it can be claimed, given back, resolved, or be no complaint.",
                    country=alert.country,
                    alert=reference(alert),
                )
                return Answer(False, said)
            return change(transaction, alert, now)

    def _guidance(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Guidance | None:
        """Return what the card of an alert advises; None where none can be drawn any more."""
        card = self._announcer.render(transaction, alert, now)
        return card.guidance if isinstance(card, Card) else None

    def _own(
        self, transaction: AlertTransaction, alert: AlertRow, actor: Actor, now: datetime, text: str, kind: str
    ) -> Answer:
        return self._changed(transaction, alert, _owned_by(actor, now), actor, now, text, kind)

    def _changed(
        self,
        transaction: AlertTransaction,
        alert: AlertRow,
        values: Mapping[str, object],
        actor: Actor,
        now: datetime,
        text: str,
        kind: str,
        **data: object,
    ) -> Answer:
        if alert.state is AlertState.SNOOZED and values.get("state", alert.state) != AlertState.SNOOZED:
            values = {"snoozed_until": now, **values}  # what was missed meanwhile counts from the snooze's end
        before = alert.owner_address
        alert = transaction.change(alert.id, now, **values)
        transaction.record(alert.id, kind, {**_from(actor), **data}, now, actor.name)
        # Whoever loses an alert to somebody else is to know of it.
        is_lost = before not in (alert.owner_address, actor.address)
        people = (before,) if before is not None and is_lost and is_reachable(before) else ()
        self._announcer.changed(transaction, alert, now)  # first: a note needs a card to stand under
        self._announcer.note(transaction, alert, Note(text, tone="history", people=people), now)
        self._escalator.plan(transaction, alert, now)
        return Answer(True, f"{reference(alert)}: {text}.")

    @staticmethod
    def _just_escalated(transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Answer | None:
        last = next(iter(transaction.events(alert.id, "escalated")), None)
        if last is None or not timedelta(0) <= now - last.at < JUST_NOW:
            return None
        told = last.data.get("to") or sentence("the next in the chain")
        if last.data.get("origin"):
            said = sentence("{name} escalated it just now: {people} was told.", name=last.actor, people=told)
        else:
            said = sentence("It was escalated just now: {people} was told.", people=told)
        return Answer(False, said)

    @staticmethod
    def _ending(state: AlertState, how: str, actor: Actor, now: datetime) -> dict[str, object]:
        return {"state": state.value, "resolution": how, "closed_by": actor.name, "closed_at": now}

    def _opening(self, alert: AlertRow, now: datetime) -> datetime | str:
        """Return the next moment at which the team's day begins, or why there is none to wait for."""
        calendar = self._announcer.workplaces.calendar(alert.country)
        closing = calendar.next_closing(now) if calendar.is_open(now) else now
        if closing is None or closing - now > LONGEST_DAY:
            return sentence("The team does not close within a day; choose a span instead, such as 2h.")
        opening = calendar.next_opening(closing)
        if opening is None:
            return sentence("The team's hours never open; choose a span instead, such as 2h.")
        if opening - now > LONGEST_SNOOZE:
            return Sentence.of(
                "The team opens next on {moment}, later than a snooze may last; choose a span instead, such as 2h.",
                {"moment": Minute.of(opening)},
                self._config.countries[alert.country].timezone,
            )
        return opening

    def _when(self, alert: AlertRow, moment: datetime | None) -> str:
        country = self._config.countries.get(alert.country)
        if moment is None:
            return "just now"
        return local_time(moment, country.timezone) if country else f"{local_time(moment, 'UTC')} UTC"


def _where_it_stands(transaction: AlertTransaction, alert: AlertRow) -> str:
    """Return what to say of a card that nothing holds back."""
    states = {message.state for message in transaction.posted(alert.id)}
    if "sent" in states:
        return sentence("The card of {alert} stands in the channel already.", alert=reference(alert))
    if states:
        return sentence("The card of {alert} waits to be sent; nothing holds it back.", alert=reference(alert))
    return sentence("{alert} has no card that could be sent: see `listener outbox list`.", alert=reference(alert))


def _span(starts_at: datetime, ends_at: datetime, now: datetime) -> str:
    begins = f"from {starts_at:%Y-%m-%d %H:%M} " if starts_at > now else ""
    return f"{begins}until {ends_at:%Y-%m-%d %H:%M} UTC"


def _owned_by(actor: Actor, now: datetime) -> dict[str, object]:
    return {"state": AlertState.CLAIMED.value, "owner": actor.name, "owner_address": actor.address, "claimed_at": now}


def _from(actor: Actor) -> dict[str, object]:
    """Return what the record says of whoever acted, besides the name."""
    return {"origin": actor.origin, "address": actor.address}


def _is_owner(alert: AlertRow, actor: Actor) -> bool:
    return alert.owner_address == actor.address if actor.address else alert.owner == actor.name


def _closed(alert: AlertRow) -> Answer | None:
    if alert.is_live:
        return None
    how = RESOLUTIONS.get(alert.resolution or "", alert.state.value)
    return Answer(False, f"{reference(alert)} was closed by {alert.closed_by or 'the daemon'}: {how}.")
