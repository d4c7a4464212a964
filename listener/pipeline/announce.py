"""How people learn of an alert: where its card goes and when, what holds it back, its edits and its thread.

Everything is written into the transaction that changes the alert. Nothing is sent here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from alerts.card import Card, IncidentCard, Message, Note, dump_message, load_message
from alerts.escalation import SEVEREST, may_wake
from alerts.routing import Destination, destinations_for
from alerts.silences import silences
from listener.config import Config
from listener.model import Guidance
from listener.pipeline.assess import SPREAD_WINDOW, Assessment, assess
from listener.pipeline.cards import CardBuilder, Circumstances, circumstances, reference
from listener.pipeline.workplaces import Workplaces
from listener.store import AlertRow, Store, TriageItem
from listener.store.alerts import AlertTransaction
from listener.store.outbox import USUAL_RANK, WARNING_RANK
from listener.store.replies import Thread

log = structlog.get_logger("listener.announce")

QUIET, BUDGET, FOLDED = "quiet", "budget", "folded"
_MOST_QUOTED = 3
_MUCH_LATER = timedelta(days=3650)
BUDGET_SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a card does not go at once, and until when."""

    due_at: datetime
    reason: str | None = None


def trial_receiver(config: Config, country: str) -> str | None:
    """Return where drills of a country go; None where the configuration names nothing."""
    return config.trial_receiver or config.countries[country].pilot_receiver


def labels_of(config: Config, alert: AlertRow, item: TriageItem | None) -> dict[str, str]:
    """Return what routes and silences know an alert by."""
    country = config.countries.get(alert.country)
    labels = {
        "kind": alert.kind,
        "brand": alert.brand,
        "country": alert.country,
        "team": alert.team,
        "topic": alert.topic,
        "severity": str(alert.severity),
        "mode": country.mode if country else "",
        "pilot": "true" if alert.pilot else "false",
        "alert": reference(alert),
    }
    if item is not None:
        author = item.mention.author
        labels |= {
            "network": item.mention.network,
            "language": item.classification.language,
            "author": author.handle or author.name,
        }
    return labels


class Announcer:
    """Puts cards, edits and notes of alerts into the outbox."""

    def __init__(
        self,
        config: Config,
        cards: CardBuilder,
        store: Store,
        workplaces: Workplaces,
        effective_receiver: Callable[[str], str],
    ) -> None:
        self._config = config
        self._cards = cards
        self._store = store
        self.workplaces = workplaces
        self.effective_receiver = effective_receiver

    @property
    def interactive(self) -> bool:
        """Whether people can act on what they are shown."""
        return self._cards.interactive

    @property
    def cards(self) -> CardBuilder:
        """What builds cards and their guidance."""
        return self._cards

    @property
    def playbooks(self) -> Mapping[str, str]:
        """Title of each playbook that people may choose for a single post."""
        return self._cards.playbooks

    # What an alert looks like

    def render(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Message | None:
        """Return an alert's card as the store has it now; None where nothing of it can be shown any more."""
        if alert.kind == "incident":
            return self._incident_card(transaction, alert, now)
        item = None if alert.match_id is None else self._shown(transaction, alert.id, alert.match_id)
        if item is None or item.country not in self._config.countries or item.brand not in self._config.brands:
            return None  # its country or brand has left the configuration
        assessment = self.assess(item)
        guidance = self.guidance(transaction, item, assessment, alert, now)
        card = self.card(alert, item, assessment, guidance, now)
        return replace(card, withdrawn=transaction.count_deleted(alert.id))

    def look(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Message | None:
        """Return an alert's card, as it was shown last where it cannot be drawn anew, and who has it now."""
        message = self.render(transaction, alert, now)
        if message is not None:
            return message
        payload = transaction.look(alert.id)
        card = None if payload is None else _read(payload)
        if not isinstance(card, Card):
            return card if isinstance(card, IncidentCard) else None
        progress, severity = self._cards.progress(alert, now), max(card.severity, alert.severity)
        return replace(card, state=alert.state, severity=severity, progress=progress)

    @staticmethod
    def _shown(transaction: AlertTransaction, alert_id: int, match_id: int) -> TriageItem | None:
        """Return the post that a card shows: in place of a deleted one the next that stands."""
        item = transaction.item(match_id)
        following = transaction.standing_match(alert_id) if item is not None and item.fate == "deleted" else None
        return item if following is None else transaction.item(following)

    def card(
        self, alert: AlertRow, item: TriageItem, assessment: Assessment, guidance: Guidance, now: datetime
    ) -> Card:
        """Return the card of an alert that shows `item` as its post."""
        return self._cards.card(alert, item, assessment, guidance, now)

    def guidance(
        self, transaction: AlertTransaction, item: TriageItem, assessment: Assessment, alert: AlertRow, now: datetime
    ) -> Guidance:
        """Return the playbook that fits an alert's post, with drafts and hand-off."""
        earlier = transaction.earlier(Thread.of(item.mention, item.brand, item.country), now, alert)
        return self._cards.guidance(item, circumstances(alert, earlier, assessment.influence))

    def reply_url(self, item: TriageItem, text: str) -> str | None:
        """Return where the public reply to a post is written, with `text` filled in where that can be."""
        return self._cards.reply_url(item, text)

    def first_guidance(
        self, transaction: AlertTransaction, item: TriageItem, assessment: Assessment, now: datetime, *, crowd: bool
    ) -> Guidance:
        """Return the playbook that fits a post whose alert is opened now."""
        earlier = transaction.earlier(Thread.of(item.mention, item.brand, item.country), now)
        return self._cards.guidance(item, Circumstances(assessment.influence, crowd, earlier))

    def assess(self, item: TriageItem) -> Assessment:
        """Score one mention as triage does."""
        copies, answers = self._store.triage.spread(item, SPREAD_WINDOW)
        return assess(item, self._config.countries[item.country], copies=copies, answers=answers)

    def _incident_card(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> IncidentCard | None:
        facts = transaction.incident_facts(alert.id)
        card = None if facts is None else _read(facts)
        if not isinstance(card, IncidentCard):
            return None
        team = self._config.teams.get(alert.now_with)
        return replace(
            card,
            ended_at=card.ended_at or transaction.incident_end(alert.id),
            severity=alert.severity,
            state=alert.state,
            team=team.name if team else alert.now_with,
            progress=self._cards.progress(alert, now),
            interactive=self._cards.interactive,
        )

    # Where and when it goes

    def labels(self, alert: AlertRow, item: TriageItem | None = None) -> dict[str, str]:
        """Return what routes and silences know an alert by."""
        return labels_of(self._config, alert, item)

    def destinations(self, alert: AlertRow, item: TriageItem | None) -> list[Destination]:
        """Return where an alert goes now: by the routes, the pilot's receiver, or the team that covers for its own."""
        if alert.drill:
            return self._of_drill(alert, item)
        country = self._config.countries[alert.country]
        if alert.pilot and country.pilot_receiver:
            return [Destination(self.effective_receiver(country.pilot_receiver))]
        found: dict[str, Destination] = {}
        for one in destinations_for(self._config.route, self.labels(alert, item)):
            name = self.effective_receiver(self._covering(alert, one.receiver))
            found.setdefault(name, replace(one, receiver=name))
        return list(found.values())

    def _of_drill(self, alert: AlertRow, item: TriageItem | None) -> list[Destination]:
        """A drill goes to the trial receiver alone, never to one that stands in for it, timed as in earnest."""
        name = trial_receiver(self._config, alert.country)
        if name is None or self.effective_receiver(name) != name:
            return []
        timed = destinations_for(self._config.route, self.labels(alert, item))
        return [replace(timed[0], receiver=name) if timed else Destination(name)]

    def _covering(self, alert: AlertRow, receiver: str) -> str:
        """Return the covering team's receiver in place of the closed team's own."""
        if alert.now_with == alert.team:
            return receiver
        own, covering = self._config.teams.get(alert.team), self._config.teams.get(alert.now_with)
        replaces = own is None or own.receiver in (None, receiver)
        return covering.receiver if covering and covering.receiver and replaces else receiver

    def repeat_s(self, alert: AlertRow) -> float | None:
        """Return after how long an alert that nobody took is told again."""
        found = self.destinations(alert, None)
        return min((one.repeat_interval_s for one in found), default=None)

    def open(self, transaction: AlertTransaction, alert: AlertRow, item: TriageItem | None, message: Message,
             now: datetime) -> None:  # fmt: skip
        """Put a new alert's card into the outbox of every receiver that it concerns and that has none yet."""
        payload = dump_message(message)
        parents = self._parents(transaction, alert)
        told_at: list[datetime] = []
        for destination in self.destinations(alert, item):
            parent = parents.get(destination.receiver)
            hold = self._hold(transaction, alert, item, destination, now, in_thread=parent is not None)
            transaction.post(
                alert.id,
                destination.receiver,
                payload,
                now,
                rank=WARNING_RANK if alert.severity == SEVEREST else USUAL_RANK,
                due_at=hold.due_at,
                held=hold.reason,
                parent_id=parent,
            )
            told_at.append(now if hold.reason in (None, BUDGET) else hold.due_at)
        if told_at:  # nobody is told again of what they were not told yet
            transaction.change(alert.id, now, told_at=min(told_at))
        if parents and alert.severity == SEVEREST:
            # Its card stands in the incident's thread, which nobody may be reading at this moment.
            note = Note(f"Part of I-{alert.incident_id}, and cannot wait", tone="escalation", broadcast=True)
            self.note(transaction, alert, note, now, urgent=True)

    def _parents(self, transaction: AlertTransaction, alert: AlertRow) -> dict[str, int]:
        """Return, by receiver, the incident's message in whose thread an alert's card belongs."""
        if alert.incident_id is None:
            return {}
        return {message.receiver: message.id for message in transaction.posted(alert.incident_id)}

    def _hold(
        self,
        transaction: AlertTransaction,
        alert: AlertRow,
        item: TriageItem | None,
        destination: Destination,
        now: datetime,
        *,
        in_thread: bool,
    ) -> Hold:
        options = self._config.receivers.get(destination.receiver)
        if silence := self._silence(self.labels(alert, item), now):
            return silence
        if options is not None and options.at_once:
            return Hold(now)
        if quiet := self.quiet_until(alert, now):
            return Hold(quiet, QUIET)
        if in_thread:
            return Hold(now)  # the incident itself was told, and its thread disturbs nobody
        budget = options.budget if options is not None else None
        if budget is not None and alert.severity < SEVEREST:
            shown = transaction.cards_since(destination.receiver, now - BUDGET_SPAN)
            if shown >= budget:
                return Hold(now + _MUCH_LATER, BUDGET)
        return Hold(now + timedelta(seconds=destination.group_wait_s))

    def hold(self, transaction: AlertTransaction, alert: AlertRow, receiver: str, now: datetime) -> Hold:
        """Return what holds an alert's card back from a receiver now, when no group is waited for any more."""
        item = None if alert.match_id is None else transaction.item(alert.match_id)
        destination = Destination(receiver, group_wait_s=0.0)
        in_thread = receiver in self._parents(transaction, alert)
        return self._hold(transaction, alert, item, destination, now, in_thread=in_thread)

    def silence(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> Hold | None:
        """Return the silence that mutes an alert, if there is one."""
        item = None if alert.match_id is None else transaction.item(alert.match_id)
        return self._silence(self.labels(alert, item), now)

    def let_go(self, transaction: AlertTransaction, alert: AlertRow, item: TriageItem | None, now: datetime) -> None:
        """Send at once what waits of an alert, unless a silence mutes it."""
        if self._silence(self.labels(alert, item), now) is None:
            transaction.release(alert.id, now)

    def let_fitting_go(self, transaction: AlertTransaction, alert: AlertRow, now: datetime) -> None:
        """Send what was held back of an alert and would not be now, such as a folded card when there is room again."""
        held = [message for message in transaction.posted(alert.id) if message.held is not None]
        fitting = [one.id for one in held if self.hold(transaction, alert, one.receiver, now).reason is None]
        transaction.rehold(fitting, None, now)

    def _silence(self, labels: Mapping[str, str], now: datetime) -> Hold | None:
        for row in self._store.silences.active(now):
            if silences(row.matchers, labels):
                return Hold(row.ends_at, f"silence:{row.id}")
        return None

    def quiet_until(self, alert: AlertRow, now: datetime) -> datetime | None:
        """Return until when an alert waits because nobody works; None where it does not."""
        if alert.pilot or alert.country not in self._config.countries:
            return None
        opening = self.workplaces.next_opening(alert.country, now)
        if opening is None or may_wake(alert.severity, any_open=opening <= now):
            return None
        return opening

    # What happens to it later

    def changed(
        self, transaction: AlertTransaction, alert: AlertRow, now: datetime, drawn: Message | None = None
    ) -> None:
        """Show an alert's new look wherever it has a card; `drawn` where it was rendered already."""
        message = self.look(transaction, alert, now) if drawn is None else drawn
        if message is not None:
            transaction.show(alert.id, dump_message(message), now)

    def note(
        self,
        transaction: AlertTransaction,
        alert: AlertRow,
        note: Note,
        now: datetime,
        *,
        urgent: bool = False,
        due_at: datetime | None = None,
        match_id: int | None = None,
    ) -> None:
        """Put a note into the alert's thread wherever it has a card; an urgent one goes before all that waits."""
        written = dump_message(replace(note, reference=reference(alert)))
        rank = WARNING_RANK if urgent else USUAL_RANK
        transaction.note(alert.id, written, now, rank=rank, due_at=due_at, match_id=match_id)

    def further(self, transaction: AlertTransaction, alert: AlertRow, item: TriageItem, now: datetime) -> None:
        """Tell of a further mention in the thread, no sooner than the group interval after the last time.

        Of many that wait for the same moment the first few are quoted and the rest is counted.
        """
        waiting = [row for row in transaction.notes_waiting(alert.id) if _tells_of_mention(row["payload"])]
        due_at = waiting[0]["due_at"] if waiting else self._next_telling(transaction, alert, item, now)
        if len({row["match_id"] for row in waiting} - {None}) < _MOST_QUOTED:
            self.note(transaction, alert, _further_note(item), now, due_at=due_at, match_id=item.match_id)
            return
        counted = [row for row in waiting if row["match_id"] is None]
        for row in counted:
            transaction.rewrite(row["id"], dump_message(_counted_note(alert, _count_in(row["payload"]) + 1)))
        if not counted:
            self.note(transaction, alert, _counted_note(alert, 1), now, due_at=due_at)

    def _next_telling(
        self, transaction: AlertTransaction, alert: AlertRow, item: TriageItem, now: datetime
    ) -> datetime:
        """Return when the thread may be told of further mentions, and note that it will be."""
        interval_s = max((one.group_interval_s for one in self.destinations(alert, item)), default=0.0)
        due_at = max(now, (alert.told_at or alert.opened_at) + timedelta(seconds=interval_s))
        transaction.change(alert.id, now, told_at=due_at)
        return due_at


def _further_note(item: TriageItem) -> Note:
    author = item.mention.author
    who = author.name or author.handle or author.external_id
    kind = "Another copy" if item.copy_of is not None else "A further post"
    return Note(f"{kind}, by {who}", tone="mention", quote=item.mention.text, url=item.mention.url)


def _counted_note(alert: AlertRow, count: int) -> Note:
    title = f"{count} more post{'' if count == 1 else 's'} joined"
    return Note(title, "They are counted on the card.", tone="mention", reference=reference(alert))


def _tells_of_mention(payload: str) -> bool:
    note = _read(payload)
    return isinstance(note, Note) and note.tone == "mention"


def _count_in(payload: str) -> int:
    note = _read(payload)
    count = note.title.split(" ", 1)[0] if isinstance(note, Note) else ""
    return int(count) if count.isdecimal() else 0


def _read(payload: str) -> Message | None:
    """Return a stored message, None for one that is damaged: it must not keep others from being told."""
    try:
        return load_message(payload)
    except ValueError:
        log.warning("a stored message is damaged and is passed over", size=len(payload))
        return None
