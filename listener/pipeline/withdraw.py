"""Posts that were deleted or edited: looks at them again, and changes all that showed them.

A network's word counts for one post alone: a look that fails, or an answer that says nothing of a post, leaves it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from alerts.card import Card, IncidentCard, Message, Note, Summary, Voice, dump_message, load_message
from classifiers.copies import text_hash
from listener.clock import Clock
from listener.config import Config
from listener.errors import QuotaExhaustedError, RetryableSourceError, SourceError, StoreError
from listener.model import Urgency, Usage, Watch, Withdrawn
from listener.pipeline.announce import Announcer
from listener.pipeline.hold import summary_line
from listener.store import AlertRow, Store, TriageItem
from listener.store.alerts import AlertTransaction
from listener.store.fates import Version
from listener.store.withdrawals import ChangedPost, KnownPost, Reading, WithdrawalTransaction
from sources.base import Fate, PostRef, Source, SupportsLook, SupportsMeter

log = structlog.get_logger("listener.withdraw")

WITHDRAWN = "Its text was withdrawn."
_PAUSE = timedelta(minutes=10)
_LONGEST_PAUSE = timedelta(days=32)

Rise = Callable[[AlertTransaction, AlertRow, AlertRow, TriageItem, Sequence[str], datetime], None]
"""Tells of an alert's risen severity, and why: what follows when a further mention is severer."""


class WithdrawStep:
    """Looks again at posts of alerts, and tells people what became of them."""

    def __init__(
        self,
        config: Config,
        sources: Mapping[str, Source],
        announcer: Announcer,
        store: Store,
        clock: Clock,
        rise: Rise | None = None,
    ) -> None:
        """Take `rise` from the escalator; without it edits raise nothing, which suits whoever withdraws one post."""
        self._config = config
        self._sources = sources
        self._announcer = announcer
        self._store = store.withdrawals
        self._collecting = store.collecting
        self._usage = store.usage
        self._clock = clock
        self._rise = rise
        self._paused: dict[str, datetime] = {}
        """Until when a source, or a watch whose quota is used up, is not asked again."""
        self._set_aside: set[int] = set()

    def sources(self) -> list[str]:
        """Return the sources that look at posts again."""
        return [name for name in self._sources if self._every_s(name) is not None]

    def look(self, source_name: str) -> int:
        """Look again at what is due of one source; return how many posts changed. Called in the source's thread."""
        source, every_s, now = self._sources[source_name], self._every_s(source_name), self._clock.now()
        if every_s is None or not isinstance(source, SupportsLook) or self._is_paused(source_name, now):
            return 0
        due = self._store.due(source_name, now - timedelta(seconds=every_s), now, source.most_posts)
        changed = 0
        for watch, posts in self._by_watch(source_name, due):
            if self._is_paused(watch.id, now):
                continue
            try:
                changed += self._look_at(source, watch, posts)
            except SourceError as error:
                if used := self._used(source, watch):
                    self._usage.add(*used, now)
                self._pause(source_name, watch, error, now)
        return changed

    def run(self) -> int:
        """Tell people of every post that was deleted or edited since; return how many."""
        waiting = [mention_id for mention_id in self._store.to_show() if mention_id not in self._set_aside]
        for mention_id in waiting:
            self._tell(mention_id)
        return len(waiting)

    def forget(self, network: str, external_id: str, by: str) -> str:
        """Withdraw a post because somebody asks for it; return what to say.

        Raises:
            StoreError: there is no such post.
        """
        ids = self._store.withdraw([Withdrawn(network, external_id)], self._clock.now(), by)
        for mention_id in ids:
            self._tell(mention_id)
        name = f"{network}:{external_id}"
        if ids:
            return f"{name} is withdrawn, as {by} asked; cards and notes that showed it change with the next sending"
        if self._store.fate(network, external_id) is None:
            raise StoreError(f"there is no {name} among the stored posts; a post's id ends its address")
        return f"{name} was withdrawn before"

    # Looking

    def _every_s(self, source_name: str) -> float | None:
        every_s: float | None = getattr(self._config.sources.get(source_name), "look_again", None)
        return every_s

    def _is_paused(self, name: str, now: datetime) -> bool:
        return now < self._paused.get(name, now) <= now + _LONGEST_PAUSE

    def _by_watch(self, source_name: str, posts: Sequence[KnownPost]) -> list[tuple[Watch, list[KnownPost]]]:
        """Return posts by the watch that answers for them; one that left the configuration hands over to the first."""
        watches = {watch.id: watch for watch in self._config.watches if watch.source == source_name}
        found: dict[str, list[KnownPost]] = {}
        for post in posts if watches else ():
            watch_id = post.watch_id if post.watch_id in watches else next(iter(watches))
            found.setdefault(watch_id, []).append(post)
        return [(watches[watch_id], group) for watch_id, group in found.items()]

    def _look_at(self, source: SupportsLook, watch: Watch, posts: Sequence[KnownPost]) -> int:
        cursor = self._collecting.state(watch.id).cursor
        asked = [PostRef(post.network, post.external_id, post.links) for post in posts]
        looked = source.look(watch, cursor, asked)
        changed = self._store.looked(
            watch.source,
            [post.external_id for post in posts],
            list(_readings(looked.fates)),
            self._clock.now(),
            cursor=None if looked.cursor == cursor else (watch.id, looked.cursor),
            used=self._used(source, watch),
        )
        if changed:
            log.info("posts deleted or edited", watch=watch.id, changed=changed, looked_at=len(posts))
        return changed

    def _used(self, source: SupportsLook, watch: Watch) -> tuple[str, Usage] | None:
        return (watch.id, source.meter.take()) if isinstance(source, SupportsMeter) else None

    def _pause(self, source_name: str, watch: Watch, error: SourceError, now: datetime) -> None:
        if isinstance(error, QuotaExhaustedError):
            name, until = watch.id, error.resets_at or now + timedelta(hours=24)
        else:
            asked_s = error.retry_after_s if isinstance(error, RetryableSourceError) else None
            name, until = source_name, now + max(_PAUSE, timedelta(seconds=asked_s or 0.0))
        self._paused[name] = min(until, now + _LONGEST_PAUSE)
        log.warning(
            "second look failed", watch=watch.id, kind=type(error).__name__, problem=str(error), until=str(until)
        )

    # Telling

    def _tell(self, mention_id: int) -> None:
        """One post that nobody foresaw must not keep the others from being taken back."""
        try:
            with self._store.transaction() as transaction:
                post = transaction.changed_post(mention_id)
                if post is not None:
                    self._show(transaction, post, self._clock.now())
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("a withdrawn post is set aside until the next start", mention_id=mention_id)
            self._set_aside.add(mention_id)

    def _show(self, transaction: WithdrawalTransaction, post: ChangedPost, now: datetime) -> None:
        holders = transaction.holders(post.match_ids)
        if post.is_deleted:
            transaction.forget_words(post)
        for alert in holders:
            if post.is_deleted:
                self._deleted(transaction, alert, post, now)
            else:
                self._edited(transaction, alert, post, now)
        for row in transaction.quotes(post.match_ids):
            transaction.redo(row, _requoted(row["payload"], post), now)
        for alert in holders:
            self._redraw(transaction, alert.id, post, now)
        for alert_id in self._incidents(transaction, post):
            self._redraw(transaction, alert_id, post, now)
        transaction.shown(post.mention_id)
        log.info("told of a post", network=post.network, post=post.external_id, fate=post.fate, alerts=len(holders))

    def _deleted(self, transaction: WithdrawalTransaction, alert: AlertRow, post: ChangedPost, now: datetime) -> None:
        if alert.match_id in post.match_ids:
            following = transaction.standing_match(alert.id)
            if following is not None:
                alert = transaction.change(alert.id, now, match_id=following)
        by, who = post.by or "listener", f" {_name(post)} wrote it." if post.author else ""
        title = f"Withdrawn on request, says {by}" if post.by else "The author deleted the post"
        data = {"post": f"{post.network}:{post.external_id}", "requested": post.by is not None}
        transaction.record(alert.id, "withdrawn", data, now, by)
        note = Note(title, f"{WITHDRAWN}{who}", tone="history", url=post.url)
        self._announcer.note(transaction, alert, note, now)

    def _edited(self, transaction: WithdrawalTransaction, alert: AlertRow, post: ChangedPost, now: datetime) -> None:
        """Show the new reading; it can raise the severity, and never lowers it."""
        item = next((found for found in map(transaction.item, post.match_ids) if found is not None
                     and found.brand == alert.brand), None)  # fmt: skip
        if item is None or item.country not in self._config.countries or item.brand not in self._config.brands:
            return
        assessment, before = self._announcer.assess(item), alert
        score, severity = assessment.priority.score, assessment.decision.severity
        transaction.reread(
            item.match_id,
            priority=score,
            influence=assessment.influence.score,
            velocity=assessment.velocity.score,
        )
        rises = alert.is_live and assessment.decision.raises and severity > alert.severity
        values: dict[str, object] = {"priority": max(alert.priority, score)}
        values |= {"match_id": item.match_id} if score > alert.priority else {}
        values |= {"severity": severity} if rises else {}
        alert = transaction.change(alert.id, now, **values)
        reading = _in_words(item, alert)
        name = f"{post.network}:{post.external_id}"
        found = item.classification
        data = {"post": name, "severity": alert.severity, "reading": reading, "topic": found.topic}
        data |= {"complaint": found.complaint, "urgency": int(found.urgency)}
        transaction.record(alert.id, "edited", data, now)
        note = Note("The author edited the post", reading, tone="history", url=post.url)
        self._announcer.note(transaction, alert, note, now)
        if rises and self._rise is not None:
            self._rise(transaction, before, alert, item, assessment.decision.reasons, now)

    def _redraw(self, transaction: WithdrawalTransaction, alert_id: int, post: ChangedPost, now: datetime) -> None:
        """Give an alert's cards their new look, where they stand and in all that the outbox keeps of them."""
        alert = transaction.alert(alert_id)
        message = None if alert is None else self._announcer.render(transaction, alert, now)
        if message is not None:
            transaction.show(alert_id, dump_message(message), now)
        for row in transaction.cards(alert_id):
            if message is not None:
                transaction.overwrite(row["id"], dump_message(message))
            elif row["kind"] == "alert":  # its country has left the configuration, and its cards are still there
                transaction.redo(row, _blanked(row["payload"], post), now)
        for row in transaction.summaries(alert_id):
            payload = _renamed(row["payload"], alert_id, message)
            if payload != row["payload"]:
                transaction.redo(row, payload, now)

    def _incidents(self, transaction: WithdrawalTransaction, post: ChangedPost) -> list[int]:
        """Take a post out of the cards of incidents that quote it; return those."""
        changed = []
        for words in filter(None, (post.url, post.text[:40] if post.is_deleted else None)):
            for alert_id, facts in transaction.incidents_with(_in_json(words)):
                card = load_message(facts)
                if isinstance(card, IncidentCard) and (quoted := _requoted_incident(card, post)) != card:
                    transaction.set_facts(alert_id, dump_message(quoted))
                    changed.append(alert_id)
        return list(dict.fromkeys(changed))


def _readings(fates: Sequence[Fate]) -> Iterator[Reading]:
    for fate in fates:
        if fate.kind == "deleted":
            yield Reading(fate.external_id, None)
        elif fate.text is not None:
            yield Reading(fate.external_id, Version(fate.text, text_hash(fate.text), fate.links))


def _name(post: ChangedPost) -> str:
    return post.author or "Somebody"


def _in_words(item: TriageItem, alert: AlertRow) -> str:
    found = item.classification
    urgency = Urgency(found.urgency).name.lower()
    return (
        f"It reads now: {found.topic}, complaint {found.complaint:.2f}, urgency {urgency}."
        f" The alert's severity is {alert.severity}; an edit can raise it and never lowers it."
    )


def _requoted(payload: str, post: ChangedPost) -> str:
    """Return a message that quoted a post, with what is left of the quotation."""
    message = _loaded(payload)
    if isinstance(message, Note):
        said = "its text was withdrawn" if post.is_deleted else "edited since"
        title = message.title if message.title.endswith(f" ({said})") else f"{message.title} ({said})"
        return dump_message(replace(message, title=title, quote="" if post.is_deleted else post.text))
    return _blanked(payload, post)


def _blanked(payload: str, post: ChangedPost) -> str:
    """Return a card that cannot be drawn anew without the words of a post that it shows."""
    message = _loaded(payload)
    if not isinstance(message, Card) or (message.url and post.url and message.url != post.url):
        return payload
    text = "" if post.is_deleted else post.text
    blank = replace(message, text=text, words=(), guidance=None, fate="deleted" if post.is_deleted else "edited")
    if post.is_deleted:
        blank = replace(blank, place="", author=replace(blank.author, because=()))
    return dump_message(blank)


def _renamed(payload: str, alert_id: int, message: Message | None) -> str:
    """Return a summary whose line of one alert says what its card says now."""
    summary = _loaded(payload)
    if not isinstance(summary, Summary):
        return payload
    line = summary_line(message) if isinstance(message, Card | IncidentCard) else WITHDRAWN
    entries = tuple(replace(one, line=line) if one.alert_id == alert_id else one for one in summary.entries)
    return dump_message(replace(summary, entries=entries))


def _requoted_incident(card: IncidentCard, post: ChangedPost) -> IncidentCard:
    first = None if card.first is None else _requoted_voice(card.first, post)
    return replace(card, first=first, influential=tuple(_requoted_voice(voice, post) for voice in card.influential))


def _requoted_voice(voice: Voice, post: ChangedPost) -> Voice:
    same = voice.url == post.url if voice.url and post.url else post.is_deleted and voice.text == post.text
    return replace(voice, text="" if post.is_deleted else post.text) if same else voice


def _in_json(words: str) -> str:
    """Return words as they stand inside a JSON document of pydantic."""
    return dump_message(Note(words)).split('"title":"', 1)[1].split('","text"', 1)[0]


def _loaded(payload: str) -> Message | None:
    try:
        return load_message(payload)
    except ValueError:
        return None
