"""Puts together the card of an incident: its figures, its voices, its words, its curve, and what to do."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from babel import Locale

from alerts.card import CurvePoint, IncidentCard, Voice
from alerts.incidents import Burst, Heat, heat, quoted_text, reasons, severity, shown_curve
from alerts.ramp import in_earnest
from alerts.rising import Wording, rising_words, wording
from listener.config import Config
from listener.model import AlertState, Guidance, Handoff, Urgency
from listener.pipeline.cards import linked
from listener.pipeline.series import Series
from listener.store import Store
from listener.store.incidents import Negative, Quoted, Subject, interval_of, interval_start
from playbooks.library import PlaybookLibrary
from playbooks.locales import language_name
from playbooks.model import GuideRequest

CRISIS = "crisis"
"""The playbook for incidents that are severe or of no one topic, where the library has it; else the topic's own."""
CRISIS_FROM = 2
"""Severity from which an incident is a crisis whatever its topic."""
BEFORE = 72
"""Intervals that the curve shows from before a burst."""
BASELINE = timedelta(days=28)
_VOICES = 3
_MOST_READ = 400
_MOST_USUAL = 1_500
_FEW_USUAL = 300
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Sight:
    """A burst as it is looked at: whose, of what, from when until when, and its counts."""

    subject: Subject
    topic: str
    began: int
    """Number of its first interval."""
    until: datetime
    series: Series
    total: Series
    """The counts of all topics together."""

    @property
    def end(self) -> int:
        """The number after the last interval that is looked at."""
        return interval_of(self.until - timedelta(microseconds=1)) + 1

    def share(self) -> float:
        """Return how much of what is beyond the usual this topic makes, in [0, 1]."""
        span = self.began, self.end
        beyond = self.total.count(*span) - self.total.expected(*span)
        own = self.series.count(*span) - self.series.expected(*span)
        return min(1.0, max(0.0, own / beyond)) if beyond > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of an incident now."""

    card: IncidentCard
    heat: Heat
    severity: int
    copies: int


def _ramp_key(sight: Sight) -> str:
    subject = sight.subject
    return f"incident/{subject.brand}/{subject.country}/{sight.topic}/{sight.began}"


class IncidentCards:
    """Builds incidents' cards from what the store holds."""

    def __init__(self, config: Config, library: PlaybookLibrary, store: Store) -> None:
        self._config = config
        self._library = library
        self._store = store.incidents
        self._usual: dict[tuple[Subject, int], Wording] = {}

    def picture(self, sight: Sight, now: datetime, reached: int = 1) -> Picture:
        """Return an incident's card; reference, state, severity and who has it are the alert's and come later.

        Args:
            sight: the burst.
            now: the moment.
            reached: the severity that the incident has already; it never sinks.
        """
        country = self._config.countries[sight.subject.country]
        since = interval_start(sight.began)
        threshold = country.thresholds.complaint
        everything = self._store.negatives(sight.subject, threshold, since, sight.until)
        mine = [one for one in everything if not sight.topic or one.topic == sight.topic]
        authors = {one.author_id for one in mine if not one.is_copy}
        loudest = _loudest(mine)
        first = next((one for one in mine if not one.is_copy), None)
        quoted = ([first.mention_id] if first else []) + [one.mention_id for one in loudest]
        burst = self._burst(sight, len(authors), [one.influence for one in loudest])
        found, share = heat(burst), sight.share()
        level = max(reached, severity(found.score, country.incidents))
        pilot = sight.subject.drill or not in_earnest(sight.subject.country, country, _ramp_key(sight), level, now)
        shown = tuple(_voice(one) for one in self._store.quoted(sight.subject, quoted))
        card = IncidentCard(
            alert_id=0,
            reference="",
            severity=level,
            state=AlertState.OPEN,
            brand=self._config.brands[sight.subject.brand].name,
            country=sight.subject.country,
            country_name=country.name or str(Locale("en").territories.get(sight.subject.country, "")),
            topic=sight.topic,
            team=self._config.teams[country.team].name,
            pilot=pilot,
            drill=sight.subject.drill,
            timezone=country.timezone,
            opened_at=since,
            updated_at=now,
            ended_at=None,
            mentions=len(mine),
            authors=len(authors),
            expected=round(sight.series.expected(sight.began, sight.end), 2),
            fastest_per_hour=burst.fastest_per_hour,
            copies_share=sum(one.is_copy for one in mine) / len(mine) if mine else 0.0,
            reach=sum({one.author_id: one.followers or 0 for one in mine}.values()),
            usual_per_hour=burst.usual_per_hour,
            topic_share=share,
            because=reasons(burst, found, sight.topic, share),
            curve=self._curve(sight),
            first=shown[0] if first and shown else None,
            influential=shown[1:] if first else shown,
            words=tuple(self._words(sight, mine)),
            complaints=tuple(Counter(one.topic for one in everything).most_common(_MOST_LISTED)),
            languages=_languages(mine),
            guidance=self._guidance(sight, everything, level),
        )
        return Picture(card, found, level, sum(one.is_copy for one in mine))

    def forget(self, lasting: Iterable[tuple[Subject, int]]) -> None:
        """Drop the wording of the weeks before bursts that last no more."""
        kept = set(lasting)
        self._usual = {key: value for key, value in self._usual.items() if key in kept}

    def _burst(self, sight: Sight, authors: int, influences: Sequence[float]) -> Burst:
        span = sight.began, sight.end
        usual = sight.series.expected(*span) / (span[1] - span[0]) * 6
        return Burst(authors, sight.series.fastest_hour(*span), usual, influences)

    @staticmethod
    def _curve(sight: Sight) -> tuple[CurvePoint, ...]:
        last = sight.end - 1
        # The interval that has only begun would look like a fall.
        partial = sight.series.count_at(last) < sight.series.expected_at(last)
        end = last if partial and interval_start(last + 1) > sight.until else last + 1
        start = max(sight.series.first, sight.began - BEFORE)
        points = [
            CurvePoint(interval_start(at), sight.series.count_at(at), round(sight.series.expected_at(at), 3))
            for at in range(start, end)
        ]
        return shown_curve(points)

    def _words(self, sight: Sight, mentions: Sequence[Negative]) -> list[str]:
        brand = self._config.brands[sight.subject.brand]
        own = [brand.name, *brand.terms, *brand.accounts.values()]
        read = [*{one.author_id: one.mention_id for one in mentions if not one.is_copy}.values()]
        step = -(-len(read) // _MOST_READ) or 1
        key = sight.subject, sight.began
        if key not in self._usual:
            self._usual[key] = wording(self._usual_texts(sight), own)
        return rising_words(wording(self._store.texts(read[::step]), own), self._usual[key])

    def _usual_texts(self, sight: Sight) -> list[str]:
        until = interval_start(sight.began)
        texts = self._store.earlier_texts(sight.subject, until - BASELINE, until, _MOST_USUAL)
        if len(texts) < _FEW_USUAL:  # of a new brand or a drill: what is usual elsewhere says which words are common
            texts += self._store.earlier_texts(None, until - BASELINE, until, _MOST_USUAL)
        return texts

    def _guidance(self, sight: Sight, mentions: Sequence[Negative], level: int) -> Guidance:
        brand = self._config.brands[sight.subject.brand]
        country = self._config.countries[sight.subject.country]
        topic = sight.topic or _commonest((one.topic for one in mentions), "other")
        network = _commonest((one.network for one in mentions), "")
        is_crisis = CRISIS in self._library.names and (level >= CRISIS_FROM or not sight.topic)
        request = GuideRequest(
            topic=topic,
            urgency=Urgency.HIGH,
            network=network,
            language=_commonest((one.language for one in mentions), country.languages[0]),
            country=sight.subject.country,
            country_locales=country.playbook.locales,
            playbook=CRISIS if is_crisis else "",
            playbook_by_topic={**brand.playbooks, **country.playbook.topics},
            crowd=True,
            brand_name=brand.name,
            brand_signature=self._config.voices[sight.subject.brand].signature,
            brand_account=brand.accounts.get(network, ""),
            agent=self._config.teams[country.team].signature,
            team_languages=self._config.teams[country.team].languages,
            seed=f"{sight.subject.brand}/{sight.began}",
        )
        # A burst has no one author to reply to, nor to move to a private channel.
        guidance = replace(self._library.guide(request), handoff=Handoff(""), reply_url=None)
        return linked(guidance, country)


def _loudest(mentions: Iterable[Negative]) -> list[Negative]:
    """Return the most influential post of each of the most influential authors."""
    found: dict[int, Negative] = {}
    for one in sorted(mentions, key=lambda one: (-one.influence, one.is_copy, one.published_at)):
        if len(found) == _VOICES:
            break
        found.setdefault(one.author_id, one)
    return list(found.values())


def _languages(mentions: Iterable[Negative]) -> tuple[tuple[str, int], ...]:
    counted = Counter(one.language for one in mentions).most_common(_MOST_LISTED)
    return tuple((language_name(tag), count) for tag, count in counted)


def _commonest(values: Iterable[str], otherwise: str) -> str:
    return next((value for value, _ in Counter(values).most_common(1)), otherwise)


def _voice(one: Quoted) -> Voice:
    return Voice(
        name=one.name or one.handle or "",
        handle=one.handle,
        followers=one.followers,
        influence=one.influence,
        text=quoted_text(one.text),
        language_name=language_name(one.language),
        posted_at=one.published_at,
        url=one.url,
    )
