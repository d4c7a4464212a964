"""Counts of a brand's negative mentions in a country, by topic, with bursts that are known, and incidents made of them.

The daemon's own rules decide, on the daemon's own series; only the detector's arithmetic is done for many series at
once (`benchmarks.abreast`). Every choice is told in docs/bursts.md.
"""

import math
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.abreast import Recorded, Said, run_abreast
from benchmarks.burst_simulation import (
    A_DAY,
    AFTERMATH,
    AN_HOUR,
    DAYS,
    INTERVAL_S,
    LARGEST,
    LEARNING_DAYS,
    LEAST_EXTRA,
    LEAST_RATIO,
    START,
    Counts,
    Rates,
    burst_shape,
    burst_starts,
    usual_counts,
)
from classifiers.bursts import IncidentDetector
from listener.model import TOPICS
from listener.pipeline.bursts import ALL, LOOK_BACK, Known, evidence_for, found_bursts, is_covered
from listener.pipeline.series import REST, Series
from listener.store.incidents import interval_of

COMPLAINED_OF = tuple(topic for topic in TOPICS if topic != "praise")
NAMES = (ALL, *COMPLAINED_OF)
"""The series of a country, in the order of their columns."""
COUNTRIES = 52
"""At each rate; four months each after the learning weeks."""
PARTS = 2
"""Countries of a rate are made and judged in so many parts."""
UNEVEN = 0.5
"""Of the Dirichlet distribution of topics' shares: one in four is under 1 %, the largest a third as a rule."""
MISREAD = 0.1
"""So many of a burst's mentions are read as of other topics."""
OF_ALL_TOPICS = 0.2
"""So many bursts are of no one topic."""
OWN_DAYS, OWN_HOURS = 0.09, 0.15
COMMON_DAYS, COMMON_HOURS = 0.12, 0.20
"""How far a day's rate, and an hour's, stray: a topic's own beside what all topics of a country share.

Together they are the 0.15 and 0.25 of a single series.
"""
MINUTES = INTERVAL_S // 60
FOUND_WITHIN_MIN = 120
_REMEMBERED = 3 * A_DAY
_BEFORE = 48
"""Intervals before anything happens from which a country is gone through: no burst begins earlier than that."""


@dataclass(frozen=True, slots=True)
class CountryBurst:
    """A burst as it was made."""

    start: int
    last: int
    topic: str
    """`ALL` for one of no one topic."""


@dataclass(slots=True)
class CountryCounts:
    """Counts of a country's series (intervals, len(NAMES)), and the bursts in them."""

    counts: Counts
    usual: Rates
    bursts: list[CountryBurst] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as the rules made it."""

    topic: str
    at_min: int
    """Minutes from the series' start to the look that opened it."""


@dataclass(slots=True)
class CountryOutcome:
    """What became of the bursts of some countries."""

    bursts: int = 0
    found: int = 0
    of_one_topic: int = 0
    of_one_topic_found: int = 0
    right_topic: int = 0
    split: int = 0
    false_incidents: int = 0
    false_of_topics: int = 0
    months: float = 0.0
    delays_min: list[int] = field(default_factory=list)

    def __iadd__(self, other: Self) -> Self:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self


def simulate_country(
    rng: np.random.Generator, rate: float, days: int = DAYS, a_month: float = 2, quiet_days: int = LEARNING_DAYS
) -> CountryCounts:
    """Return the counts of one country.

    Args:
        rng: where chance comes from.
        rate: counts an hour, of all topics together.
        days: how long.
        a_month: bursts in 30 days.
        quiet_days: so long no burst begins.
    """
    shares = rng.dirichlet(np.full(len(COMPLAINED_OF), UNEVEN))
    usual = usual_counts(rng, rate, days)[:, None] * shares
    made = CountryCounts(rng.poisson(usual * _wandering(rng, len(usual), len(shares))), usual)
    _add_storms(rng, made.counts)
    for start in burst_starts(rng, quiet_days * A_DAY, len(usual) - 2 * A_DAY, a_month):
        made.bursts.append(_add_burst(rng, made, shares, start))
    made.counts = np.column_stack([made.counts.sum(axis=1), made.counts])
    return made


def _wandering(rng: np.random.Generator, rows: int, topics: int) -> Rates:
    """Return each topic's factor around one: days of their own, and hours that last two, common and apart."""
    sizes = np.array([COMMON_HOURS] + [OWN_HOURS] * topics)
    keep = math.exp(-INTERVAL_S / 7200)
    hours = rng.normal(0, 1, (rows, topics + 1)) * sizes * math.sqrt(1 - keep * keep)
    for row in range(1, rows):
        hours[row] += keep * hours[row - 1]
    days = rng.normal(0, 1, (-(-rows // A_DAY), topics + 1)) * np.array([COMMON_DAYS] + [OWN_DAYS] * topics)
    wander = hours + np.repeat(days, A_DAY, axis=0)[:rows]
    mean = (COMMON_DAYS**2 + COMMON_HOURS**2 + OWN_DAYS**2 + OWN_HOURS**2) / 2
    factor: Rates = np.exp(wander[:, :1] + wander[:, 1:] - mean)
    return factor


def _add_storms(rng: np.random.Generator, counts: Counts) -> None:
    """Add what storms of reposts leave once copies are left out: two to four people in an hour, of one topic."""
    for start in rng.integers(len(counts) - AN_HOUR, size=rng.poisson(4 * len(counts) / A_DAY / 30)):
        topic = rng.integers(counts.shape[1])
        for _ in range(min(4, 2 + rng.poisson(0.7))):
            counts[start + rng.integers(AN_HOUR), topic] += 1


def _add_burst(rng: np.random.Generator, made: CountryCounts, shares: Rates, start: int) -> CountryBurst:
    """Add a burst that is large beside what is usual of its topic, or beside all where it is of no one topic."""
    topics = len(shares)
    weights, usual, name = rng.dirichlet(np.full(topics, 3.0)), made.usual.sum(axis=1), ALL
    speaking = slice(None)
    if rng.random() >= OF_ALL_TOPICS:
        topic = int(rng.choice(topics, p=(shares + 1 / topics) / 2))
        weights = np.full(topics, MISREAD / (topics - 1))
        weights[topic] = 1 - MISREAD
        usual, name = made.usual[:, topic], COMPLAINED_OF[topic]
        speaking = slice(topic, topic + 1)
    _, curve = burst_shape(rng)
    least = max(LEAST_EXTRA, (LEAST_RATIO - 1) * usual[start : start + AN_HOUR].sum())
    size = math.exp(rng.uniform(0, math.log(LARGEST)))
    as_read = np.zeros((len(curve), topics), dtype=np.int64)
    while as_read[:AN_HOUR, speaking].sum() < least:
        as_read = rng.multinomial(rng.poisson(size * least * curve), weights)
    made.counts[start : start + len(curve)] += as_read
    return CountryBurst(start, start + int(np.flatnonzero(as_read.any(axis=1))[-1]), name)


def incidents(rng: np.random.Generator, counts: Counts, said: Said) -> Iterator[Incident]:
    """Yield the incidents that the daemon would open, looking every minute where something happens.

    Args:
        rng: spreads mentions over the minutes of their interval.
        counts: (intervals, len(NAMES)).
        said: what the detectors said of them.
    """
    known: list[_Row] = []
    for first, end in _lively(said.ongoing.any(axis=1)):
        part = Said(*(getattr(said, each.name)[first:end] for each in fields(Said)))
        yield from _Stretch(rng, counts[first:end], part, first, known).opened()


def _lively(on: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield stretches in which something happens; those whose bursts could still be news to the next are one."""
    rows = np.flatnonzero(on)
    if not len(rows):
        return
    gaps = np.flatnonzero(np.diff(rows) > LOOK_BACK)
    for first, last in zip(rows[[0, *(gaps + 1)]].tolist(), rows[[*gaps, -1]].tolist(), strict=True):
        yield max(0, first - _BEFORE), min(len(on), last + REST + 4)


@dataclass(slots=True)
class _Row:
    """An incident as the store would hold it, in numbers of intervals."""

    topic: str
    began: int
    ended: int | None = None


class _Stretch:
    """A country's series from shortly before something happens until all is calm again, and the daemon's looks."""

    def __init__(self, rng: np.random.Generator, counts: Counts, said: Said, first: int, known: list[_Row]) -> None:
        self._rng, self._counts, self._ongoing, self._known = rng, counts, said.ongoing, known
        self._first_min = first * MINUTES
        at = START + timedelta(seconds=INTERVAL_S * first)
        self._zero = interval_of(at)
        self._series = {name: Series(self._zero, Recorded(said, place, at)) for place, name in enumerate(NAMES)}

    def opened(self) -> Iterator[Incident]:
        """Yield the incidents that are opened."""
        begins = (self._ongoing[1:] & ~self._ongoing[:-1]).any(axis=1)
        on, last_on = self._ongoing.any(axis=1), -math.inf
        for row in range(len(on)):
            last_on = row if on[row] else last_on
            if row and begins[row - 1]:
                yield from self._minutes(row)
            self._put(row, self._counts[row])
            for series in self._series.values():
                series.advance(self._zero + row + 1)
            if row - last_on <= REST + 2:
                yield from self._look(row + 1, 0)

    def _minutes(self, row: int) -> Iterator[Incident]:
        """Look at an interval minute by minute before it is over."""
        by_minute = self._rng.multinomial(self._counts[row, 1:], np.full(MINUTES, 1 / MINUTES)).T
        for minute, so_far in enumerate(by_minute.cumsum(axis=0)[:-1], start=1):
            self._put(row, np.array([so_far.sum(), *so_far]))
            yield from self._look(row, minute)

    def _put(self, row: int, counts: Counts) -> None:
        at = self._zero + row
        for series, count in zip(self._series.values(), counts.tolist(), strict=True):
            series.put({at: count}, at)

    def _look(self, row: int, minute: int) -> Iterator[Incident]:
        """Yield what is opened, as `IncidentStep` opens it, and end what is over."""
        now = self._zero + row
        self._known[:] = [one for one in self._known if one.ended is None or one.ended >= now - _REMEMBERED]
        for found in found_bursts(self._series, now):
            known = [Known(one.topic, one.began, one.ended or now + 1) for one in self._known]
            if not is_covered(self._series, found, known, now):
                self._known.append(_Row(found.topic, found.span.began))
                yield Incident(found.topic, self._first_min + row * MINUTES + minute)
        for one in self._known:
            if one.ended is None:
                one.ended = self._series[one.topic].bursts(one.began, now)[-1].over


def judge_country(made: CountryCounts, found: list[Incident], outcome: CountryOutcome, from_day: int) -> None:
    """Add what became of a country's bursts to an outcome."""
    outcome.months += (len(made.counts) / A_DAY - from_day) / 30
    left = [one for one in found if one.at_min >= from_day * A_DAY * MINUTES]
    for burst in made.bursts:
        end_min = (burst.last + AFTERMATH) * MINUTES
        own = [one for one in left if burst.start * MINUTES <= one.at_min <= end_min]
        left = [one for one in left if one not in own]
        _judge_burst(burst, own, outcome)
    outcome.false_incidents += len(left)
    outcome.false_of_topics += sum(one.topic != ALL for one in left)


def _judge_burst(burst: CountryBurst, own: list[Incident], outcome: CountryOutcome) -> None:
    delay_min = own[0].at_min - burst.start * MINUTES if own else math.inf
    found = delay_min <= FOUND_WITHIN_MIN
    outcome.bursts += 1
    outcome.found += found
    outcome.of_one_topic += burst.topic != ALL
    outcome.of_one_topic_found += found and burst.topic != ALL
    if found:
        outcome.delays_min.append(int(delay_min))
        outcome.right_topic += own[0].topic == burst.topic
        outcome.split += len(own) > 1


def run_countries(rate: float, countries: int, seed: int, part: int = 0, days: int = DAYS) -> CountryOutcome:
    """Return what is found in countries of one rate, after the weeks of learning."""
    rng = np.random.default_rng([seed, round(rate * 10), part])
    made = [simulate_country(rng, rate, days) for _ in range(countries)]
    evidence = np.tile([evidence_for(name) for name in NAMES], countries)
    counts = np.hstack([one.counts for one in made])
    said = run_abreast(counts, evidence, START, IncidentDetector.MINIMUM_COUNT)
    outcome = CountryOutcome()
    for place, one in enumerate(made):
        columns = slice(place * len(NAMES), (place + 1) * len(NAMES))
        own = Said(*(getattr(said, each.name)[:, columns] for each in fields(Said)))
        judge_country(one, list(incidents(rng, one.counts, own)), outcome, LEARNING_DAYS)
    return outcome


def run_rates(rates: Sequence[float], countries: int, seed: int, days: int = DAYS) -> dict[float, CountryOutcome]:
    """Return what is found at each rate; two processes share the work."""
    parts = min(PARTS, countries)
    tasks = [
        (rate, countries // parts + (part < countries % parts), seed, part, days)
        for rate in rates
        for part in range(parts)
    ]
    outcomes = {rate: CountryOutcome() for rate in rates}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for (rate, *_), outcome in zip(tasks, pool.starmap(run_countries, tasks, chunksize=1), strict=True):
            outcomes[rate] += outcome
    return outcomes
