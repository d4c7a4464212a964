"""Finds bursts of negative mentions, makes incidents of them, and follows each until it is over.

What counts, when a burst is one, and how it ends is told in docs/incidents.md.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from alerts.card import IncidentCard, Note, dump_message, load_message
from alerts.incidents import UPDATE_EVERY, belonging_note, is_material, over_note
from classifiers.bursts import IncidentDetector
from listener.clock import Clock
from listener.config import Config, Country
from listener.model import AlertState
from listener.pipeline.announce import Announcer
from listener.pipeline.bursts import ALL, Found, Known, evidence_for, found_bursts, is_covered
from listener.pipeline.cards import reference
from listener.pipeline.escalate import Escalator
from listener.pipeline.incident_cards import IncidentCards, Picture, Sight
from listener.pipeline.series import KEPT_DAYS, Series
from listener.store import AlertRow, Store
from listener.store.incidents import (
    INTERVAL,
    Counted,
    IncidentRow,
    IncidentTransaction,
    Subject,
    interval_of,
    interval_start,
)
from listener.store.triage import NewAlert
from playbooks.library import PlaybookLibrary

log = structlog.get_logger("listener.incidents")

LEARNED_FROM = timedelta(weeks=6)
PATIENCE = timedelta(hours=6)
"""How long the end of a burst waits for a watch that fails, or for mentions that keep arriving late."""
LATE = timedelta(minutes=30)
"""A mention read so long after it was published shows that there is something to catch up with."""
RESOLVE_AFTER = timedelta(days=1)
RECENT = timedelta(days=3)
"""How long an incident that is over is remembered, so that its burst is not told again."""
DRILL_PAST = timedelta(days=15)
"""So long, says a drill, nothing was heard: the detector has learned what is usual."""
_OVERLAP = timedelta(minutes=10)
"""Classifications may be stored later than they are dated."""


@dataclass(slots=True)
class _Track:
    """The series of one subject, by topic, and of all topics together."""

    start: int
    series: dict[str, Series] = field(default_factory=dict)


class IncidentStep:
    """Looks at all counts whenever it runs; what it knows of the past is rebuilt from the store at the start."""

    def __init__(
        self,
        config: Config,
        announcer: Announcer,
        escalator: Escalator,
        library: PlaybookLibrary,
        store: Store,
        clock: Clock,
    ) -> None:
        self._config = config
        self._announcer = announcer
        self._escalator = escalator
        self._cards = IncidentCards(config, library, store)
        self._library = library
        self._store = store
        self._clock = clock
        self._tracks: dict[Subject, _Track] = {}
        self._seen_at: datetime | None = None
        self._started_at = clock.now()
        self._late: dict[Subject, datetime] = {}
        """When mentions of a subject were read last that had been published long before."""
        self._touched: set[Subject] = set()
        """Of whom something was classified lately."""
        self._looked: dict[int, datetime] = {}
        """When each lasting incident's figures were put together last."""
        self._pending: set[int] = set()
        """Incidents whose cards may not show all that was counted."""
        self._running = threading.Lock()

    def run(self) -> None:
        """Count what is new, open incidents, follow those that last, and close what nobody took."""
        with self._running:
            now = self._clock.now()
            self._count(now)
            known = self._store.incidents.since(now - RECENT)
            for subject, track in self._tracks.items():
                known += self._look(subject, track, [row for row in known if row.subject == subject], now)
            lasting = [row for row in known if row.ended_at is None]
            for row in lasting:
                self._follow(row, now)
            for alert_id in self._store.incidents.unclaimed(now - RESOLVE_AFTER):
                self._resolve(alert_id, now)
            self._cards.forget((row.subject, interval_of(row.began_at)) for row in lasting)
            self._pending &= {row.alert_id for row in lasting}
            self._looked = {row.alert_id: self._looked[row.alert_id] for row in lasting if row.alert_id in self._looked}

    # Counting

    def _count(self, now: datetime) -> None:
        until = interval_of(now)
        if self._seen_at is None:
            self._learn(self._subjects(), now)
        else:
            fresh = self._store.incidents.fresh(self._seen_at - _OVERLAP)
            fresh = {subject: at for subject, at in fresh.items() if self._is_configured(subject)}
            self._learn([subject for subject in fresh if subject not in self._tracks], now)
            self._recount({subject: at for subject, at in fresh.items() if subject in self._tracks}, now)
        self._seen_at = now
        for track in self._tracks.values():
            for series in track.series.values():
                series.advance(until)

    def _subjects(self) -> list[Subject]:
        countries = [code for code, country in self._config.countries.items() if country.mode != "off"]
        own = [name for name, brand in self._config.brands.items() if not brand.competitor]
        return [Subject(brand, code, False) for brand in own for code in countries]

    def _is_configured(self, subject: Subject) -> bool:
        country = self._config.countries.get(subject.country)
        brand = self._config.brands.get(subject.brand)
        return country is not None and country.mode != "off" and brand is not None and not brand.competitor

    def _learn(self, subjects: Collection[Subject], now: datetime) -> None:
        """Begin to follow subjects, with all that the store holds of their past."""
        if not subjects:
            return
        since = now - LEARNED_FROM
        starts = self._store.incidents.covered_since(subjects, since)
        for subject, start in starts.items():
            if subject.drill:
                start = now - DRILL_PAST
            track = self._tracks[subject] = _Track(interval_of(start))
            track.series[ALL] = self._new_series(subject, ALL, track.start)
        self._take_in(starts, since, now)

    def _recount(self, fresh: dict[Subject, datetime], now: datetime) -> None:
        """Count again from the earliest new mention on."""
        self._touched = set(fresh)
        self._late.update({subject: now for subject, at in fresh.items() if at < now - LATE})
        if fresh:
            since = max(min(fresh.values()), now - timedelta(days=KEPT_DAYS + 1))
            self._take_in(fresh, interval_start(interval_of(since) // 6 * 6), now)

    def _take_in(self, subjects: Collection[Subject], since: datetime, now: datetime) -> None:
        by_series: dict[tuple[Subject, str], dict[int, int]] = {}
        for one in self._counts(subjects, since, now):
            by_series.setdefault((one.subject, one.topic), {})[one.interval] = one.authors
        first = interval_of(since)
        for subject in subjects:
            track = self._tracks[subject]
            topics = {topic for owner, topic in by_series if owner == subject}
            for topic in topics | track.series.keys():
                if topic not in track.series:
                    track.series[topic] = self._new_series(subject, topic, track.start)
                track.series[topic].put(by_series.get((subject, topic), {}), first)

    def _counts(self, subjects: Collection[Subject], since: datetime, now: datetime) -> list[Counted]:
        thresholds = {code: country.thresholds.complaint for code, country in self._config.countries.items()}
        return self._store.incidents.counts(subjects, thresholds, since, now)

    def _new_series(self, subject: Subject, topic: str, start: int) -> Series:
        least = self._config.countries[subject.country].incidents.least_authors
        detector = IncidentDetector(INTERVAL.total_seconds(), minimum_count=least, evidence=evidence_for(topic))
        return Series(start, detector)

    # Opening

    def _look(self, subject: Subject, track: _Track, known: list[IncidentRow], now: datetime) -> list[IncidentRow]:
        """Open what incidents a subject's bursts make beside those known; return the new ones."""
        if not self._config.countries[subject.country].incidents.on:
            return []
        opened: list[IncidentRow] = []
        interval = interval_of(now)
        for found in found_bursts(track.series, interval):
            if is_covered(track.series, found, [_known(row, now) for row in (*known, *opened)], interval):
                continue
            row = self._open(subject, track, found, {one.alert_id for one in (*known, *opened)}, now)
            if row is None:
                break  # another process was quicker: what there is to open shows when its incident is known
            opened.append(row)
        return opened

    def _open(
        self, subject: Subject, track: _Track, found: Found, known: Collection[int], now: datetime
    ) -> IncidentRow | None:
        country = self._config.countries[subject.country]
        until = now if found.span.over is None else min(now, interval_start(found.span.over))
        sight = Sight(subject, found.topic, found.span.began, until, track.series[found.topic], track.series[ALL])
        picture = self._cards.picture(sight, now)
        with self._store.incidents.transaction() as transaction:
            if not transaction.lasting(subject) <= set(known):
                return None
            alert = self._raise(transaction, sight, picture, country, now)
            row = IncidentRow(alert.id, *_key(subject, found.topic), picture.card.opened_at, now, None)
            card = _named(picture.card, alert)
            transaction.add_incident(row, dump_message(card))
            self._announcer.open(transaction, alert, None, card, now)
            self._escalator.began(transaction, alert, now)
            self._adopt(transaction, sight, alert, now)
        self._looked[alert.id] = now
        log.info("incident opened", alert=alert.id, country=subject.country, severity=alert.severity, topic=found.topic)
        return row

    def _raise(
        self,
        transaction: IncidentTransaction,
        sight: Sight,
        picture: Picture,
        country: Country,
        now: datetime,
    ) -> AlertRow:
        code = sight.subject.country
        respond_by, resolve_by = self._escalator.deadlines(code, picture.severity, now)
        now_with, _ = self._announcer.workplaces.in_charge(code, now)
        guidance = picture.card.guidance
        alert = transaction.open_alert(
            NewAlert(
                match_id=None,
                brand=sight.subject.brand,
                country=code,
                team=country.team,
                severity=picture.severity,
                priority=picture.heat.score,
                topic=sight.topic,
                playbook=None if guidance is None else guidance.playbook,
                pilot=picture.card.pilot,
                rules=("burst",),
                posted_at=picture.card.opened_at,
                now_with=now_with,
                respond_by=respond_by,
                resolve_by=resolve_by,
                kind="incident",
                drill=sight.subject.drill,
            ),
            (),
            now,
        )
        return transaction.change(alert.id, now, mentions=picture.card.mentions, copies=picture.copies)

    def _adopt(self, transaction: IncidentTransaction, sight: Sight, alert: AlertRow, now: datetime) -> None:
        found = transaction.adopt(alert.id, sight.subject, sight.topic, interval_start(sight.began))
        if found:
            names = [f"A-{one}" for one in found]
            self._announcer.note(transaction, alert, belonging_note(names), now)
            transaction.record(alert.id, "holds", {"alerts": found}, now)

    # Following

    def _follow(self, row: IncidentRow, now: datetime) -> None:
        """Show an incident's new figures where they matter; end it where the burst is over."""
        track = self._tracks.get(row.subject)
        if track is None or row.topic not in track.series:
            if not self._is_configured(row.subject) or now - row.counted_until > LEARNED_FROM:
                self._leave(row, now)  # nobody listens for it any more, or nothing of it is known any more
            return
        over = self._over(row, track.series[row.topic], now)
        before = load_message(self._store.incidents.facts(row.alert_id) or "{}")
        if not isinstance(before, IncidentCard):
            return
        if over is None and not self._may_differ(row, now):
            return
        self._looked[row.alert_id] = now
        sight = Sight(
            row.subject, row.topic, interval_of(row.began_at), over or now, track.series[row.topic], track.series[ALL]
        )
        picture = self._cards.picture(sight, now, before.severity)
        card = replace(picture.card, ended_at=over, pilot=before.pilot)
        if (card.mentions, card.authors) == (before.mentions, before.authors):
            self._pending.discard(row.alert_id)
        if over is not None or picture.severity > before.severity or is_material(before, card):
            self._update(row, replace(picture, card=card), now)
            self._pending.discard(row.alert_id)

    def _may_differ(self, row: IncidentRow, now: datetime) -> bool:
        """Tell whether an incident's figures are to be put together again; that costs a query over all of them."""
        looked = self._looked.get(row.alert_id)
        if row.subject in self._touched or looked is None:
            self._pending.add(row.alert_id)
        return row.alert_id in self._pending and (looked is None or now - looked >= UPDATE_EVERY)

    def _over(self, row: IncidentRow, series: Series, now: datetime) -> datetime | None:
        """Return when a burst was over, once all that could still speak for it has been read."""
        spans = series.bursts(interval_of(row.began_at), interval_of(now))
        if not spans:  # what was counted has changed so that there is none any more
            over = min(row.counted_until, now)
        elif spans[-1].over is None:
            return None
        else:
            over = interval_start(spans[-1].over)
        return over if self._has_read(row.subject, over, now) else None

    def _has_read(self, subject: Subject, over: datetime, now: datetime) -> bool:
        """Tell whether the calm since then is real, and not a daemon that has yet to catch up."""
        if not self._store.incidents.is_caught_up(subject, now):
            return False
        if subject.drill or (now - over > PATIENCE and now - self._started_at > PATIENCE):
            return True
        if now - self._late.get(subject, now - LATE) < LATE:
            return False
        states = self._store.collecting.states()
        names = [one.id for one in self._config.watches if (one.brand, one.country) == subject[:2]]
        polled = [state.succeeded_at for name in names if (state := states.get(name))]
        return all(at >= over for at in polled if at is not None)

    def _update(self, row: IncidentRow, picture: Picture, now: datetime) -> None:
        with self._store.incidents.transaction() as transaction:
            before = transaction.alert(row.alert_id)
            if before is None:
                return
            raised = max(before.severity, picture.severity) if before.is_live else before.severity
            alert = transaction.change(
                before.id,
                now,
                severity=raised,
                priority=max(before.priority, picture.heat.score),
                playbook=picture.card.guidance.playbook if picture.card.guidance else before.playbook,
                mentions=picture.card.mentions,
                copies=picture.copies,
                last_posted_at=max(before.last_posted_at, min(now, picture.card.ended_at or now)),
            )
            card = _named(picture.card, alert)
            values = {"facts": dump_message(card), "counted_until": now, "ended_at": card.ended_at}
            if not transaction.update_incident(row.alert_id, **values):
                return  # another process has ended it
            if raised > before.severity:
                self._escalator.rise(transaction, before, alert, None, card.because, now)
            else:
                self._announcer.changed(transaction, alert, now)
            if card.ended_at is not None:
                self._end(transaction, alert, card, now)

    def _end(self, transaction: IncidentTransaction, alert: AlertRow, card: IncidentCard, now: datetime) -> None:
        data = {"mentions": card.mentions, "authors": card.authors, "began_at": card.opened_at.isoformat()}
        transaction.record(alert.id, "over", data, now)
        self._announcer.note(transaction, alert, over_note(card), now)
        log.info("incident over", alert=alert.id, country=alert.country, mentions=card.mentions, authors=card.authors)

    def _leave(self, row: IncidentRow, now: datetime) -> None:
        with self._store.incidents.transaction() as transaction:
            if transaction.update_incident(row.alert_id, ended_at=now):
                transaction.record(row.alert_id, "over", {"because": "nothing of it is listened for any more"}, now)

    def _resolve(self, alert_id: int, now: datetime) -> None:
        """Close an incident that is over and that nobody took."""
        with self._store.incidents.transaction() as transaction:
            alert = transaction.alert(alert_id)
            if alert is None or alert.state is not AlertState.OPEN or alert.owner is not None:
                return
            alert = transaction.change(
                alert_id,
                now,
                state=AlertState.RESOLVED.value,
                resolution="over",
                closed_by="listener",
                closed_at=now,
                look_at=None,
            )
            transaction.record(alert_id, "resolved", {"how": "over"}, now)
            note = Note("Resolved: the burst is over, and nobody took it for a day", tone="history")
            self._announcer.note(transaction, alert, note, now)
            self._announcer.changed(transaction, alert, now)


def _key(subject: Subject, topic: str) -> tuple[str, str, str, bool]:
    return subject.brand, subject.country, topic, subject.drill


def _known(row: IncidentRow, now: datetime) -> Known:
    return Known(row.topic, interval_of(row.began_at), interval_of(row.ended_at or now + INTERVAL))


def _named(card: IncidentCard, alert: AlertRow) -> IncidentCard:
    """Return a card with the name of its alert; who has it is put in whenever it is shown."""
    return replace(card, alert_id=alert.id, reference=reference(alert), severity=alert.severity, state=alert.state)
