"""The detector of incidents on many series at once, for simulations: step by step as `IncidentDetector`, in arrays.

Hundreds of series cost little more than one. That both say the same is tested; what a product decides on it is the
product's own code, to which `Recorded` stands for the detector.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classifiers.bursts import (
    CAP_EXTRA,
    CAP_RATIO,
    HOUR_PRIOR_DAYS,
    LEVEL_DAYS,
    PRIOR_COUNT,
    SEASON_DAYS,
    THRESHOLD,
    WEEKDAY_PRIOR_DAYS,
    BurstPoint,
    IncidentDetector,
)
from listener.store.incidents import INTERVAL, interval_of

Floats = NDArray[np.float64]
_INTERVAL_S = INTERVAL.total_seconds()
_A_DAY = 86400 / _INTERVAL_S
_HOURS = _INTERVAL_S / 3600
_NEVER = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Said:
    """What the detector said of each interval (row) and series (column)."""

    scores: NDArray[np.float32]
    expected: NDArray[np.float32]
    ongoing: NDArray[np.bool_]
    sure_from: NDArray[np.uint16]
    """From how many on in this interval a burst is on."""


class _Baselines:
    """`Baseline` for many series; intervals of ten minutes."""

    KEEP_LEVEL = 0.5 ** (1 / (LEVEL_DAYS * _A_DAY))
    FORGET_HOUR = 1 - 0.5 ** (24 / (SEASON_DAYS * _A_DAY))
    KEEP_WEEKDAY = 0.5 ** (7 / (SEASON_DAYS * _A_DAY))

    def __init__(self, series: int) -> None:
        self._seen, self._exposure = np.zeros(series), np.zeros(series)
        self._hours_seen, self._hours_expected = np.zeros((24, series)), np.zeros((24, series))
        self._weekdays_seen, self._weekdays_expected = np.zeros((7, series)), np.zeros((7, series))

    def expect(self, before: int, after: int, share: float, weekday: int) -> Floats:
        """Return what is expected; all zeros at the first interval."""
        self._at = before, after, share, weekday
        some = self._exposure > 0
        self._level = level = np.divide(self._seen, self._exposure, out=np.zeros_like(self._seen), where=some)
        prior = PRIOR_COUNT + HOUR_PRIOR_DAYS * _A_DAY / 24 * level
        self._hour = (1 - share) * (self._hours_seen[before] + prior) / (self._hours_expected[before] + prior)
        self._hour += share * (self._hours_seen[after] + prior) / (self._hours_expected[after] + prior)
        prior = PRIOR_COUNT + WEEKDAY_PRIOR_DAYS * _A_DAY * level
        self._day = (self._weekdays_seen[weekday] + prior) / (self._weekdays_expected[weekday] + prior)
        return np.asarray(level * self._hour * self._day)

    def learn(self, counts: Floats, expected: Floats, *, first: bool, skipped: NDArray[np.bool_]) -> None:
        """Learn what was seen, but for the series to be skipped."""
        before, after, share, weekday = self._at
        learned = counts if first else np.minimum(counts, CAP_RATIO * expected + CAP_EXTRA)
        passed_over = np.flatnonzero(skipped)
        kept = self._columns(passed_over)
        self._seen = self._seen * self.KEEP_LEVEL + learned
        self._exposure = self._exposure * self.KEEP_LEVEL + self._hour * self._day
        untold = np.flatnonzero(self._level == 0)
        seasons = self._columns(untold)
        for hour, weight in ((before, 1 - share), (after, share)):
            keep = 1 - weight * self.FORGET_HOUR
            self._hours_seen[hour] = self._hours_seen[hour] * keep + weight * learned
            self._hours_expected[hour] = self._hours_expected[hour] * keep + weight * self._level * self._day
        self._weekdays_seen[weekday] = self._weekdays_seen[weekday] * self.KEEP_WEEKDAY + learned
        self._weekdays_expected[weekday] *= self.KEEP_WEEKDAY
        self._weekdays_expected[weekday] += self._level * self._hour
        self._put_back(untold, seasons[2:], from_place=2)
        self._put_back(passed_over, kept, from_place=0)

    def _rows(self) -> list[Floats]:
        before, after, _, weekday = self._at
        hours = [place[hour] for place in (self._hours_seen, self._hours_expected) for hour in (before, after)]
        return [self._seen, self._exposure, *hours, self._weekdays_seen[weekday], self._weekdays_expected[weekday]]

    def _columns(self, columns: NDArray[np.intp]) -> list[Floats]:
        return [row[columns] for row in self._rows()] if len(columns) else []

    def _put_back(self, columns: NDArray[np.intp], values: list[Floats], *, from_place: int) -> None:
        if len(columns):
            for row, value in zip(self._rows()[from_place:], values, strict=True):
                row[columns] = value


class _Detectors:
    """`IncidentDetector` for many series that begin together."""

    OF = IncidentDetector

    def __init__(self, evidence: Floats, minimum_count: int) -> None:
        series = len(evidence)
        self._needed, self._minimum_count = evidence, minimum_count
        self._baselines = _Baselines(series)
        self._extra, self._shape = self.OF.EXTRA_A_HOUR * _HOURS, self.OF.SHAPE_A_HOUR * _HOURS
        self._least = self.OF.LEAST_A_HOUR * _HOURS
        self._keep = 0.5 ** (1 / (SEASON_DAYS * _A_DAY))
        self._prior = SEASON_DAYS * _A_DAY
        self._evidence, self._ongoing_s = np.zeros(series), np.zeros(series)
        self._off, self._usual = np.zeros(series), np.zeros(series)
        self._ongoing = np.zeros(series, dtype=bool)
        length = round(self.OF.COUNTING_S / _INTERVAL_S)
        self._last: deque[Floats] = deque([np.zeros(series)] * length, maxlen=length)
        self._last_usual = self._last.copy()
        self._counted, self._counted_usual = np.zeros(series), np.zeros(series)
        self._known = 0

    def update(
        self, season: tuple[int, int, float, int], counts: Floats
    ) -> tuple[Floats, Floats, NDArray[np.bool_], Floats]:
        """Return scores, what was expected, what is on, and from which count on it would be."""
        expected = self._baselines.expect(*season)
        self._ongoing_s = np.where(self._ongoing, self._ongoing_s + _INTERVAL_S, 0.0)
        skipped = (self._ongoing_s > 0) & (self._ongoing_s <= self.OF.UNUSUAL_S)
        self._baselines.learn(counts, expected, first=self._known == 0, skipped=skipped)
        self._known += 1
        if self._known == 1:
            return expected, expected, self._ongoing, np.full(len(counts), float(_NEVER))
        usual = np.maximum(expected, self._least)
        self._count(counts, usual)
        weight, against = self._speaks(usual)
        sure_from = self._sure_from(counts, weight, against)
        evidence = self._evidence + counts * weight - against
        if self._known * _INTERVAL_S > self.OF.LEARNING_S:
            self._learn_restlessness()
        self._evidence = np.minimum(np.maximum(0.0, evidence), 2 * self._needed)
        scores = self._evidence / (self._evidence + self._needed)
        was_on = self._ongoing & (self._evidence > 0)
        enough = self._counted >= self._enough_from()
        scores = np.where(was_on | enough, scores, scores * THRESHOLD)
        self._ongoing = was_on | (enough & (scores >= THRESHOLD))
        return scores, expected, self._ongoing, sure_from

    def _count(self, counts: Floats, usual: Floats) -> None:
        self._counted = self._counted + counts - self._last[0]
        self._last.append(counts)
        self._last_usual.append(usual)
        self._counted_usual = np.sum(self._last_usual, axis=0)

    def _speaks(self, usual: Floats) -> tuple[Floats, Floats]:
        """Return what a mention speaks for a burst, and what an interval without any speaks against it."""
        burst = usual + np.maximum(self._extra, (self.OF.RATIO - 1) * usual)
        restlessness = (self._prior * self.OF.RESTLESSNESS + self._off) / (self._prior + self._usual)
        shape = self._shape * np.minimum(1.0, self.OF.RESTLESSNESS / restlessness)
        evidence = np.log((shape + burst) / (shape + usual))
        return np.log(burst / usual) - evidence, shape * evidence

    def _enough_from(self) -> Floats | float:
        if self._known * _INTERVAL_S > self.OF.LEARNING_S:
            return float(self._minimum_count)
        learning = np.maximum(self.OF.LEARNING_COUNT, self.OF.LEARNING_RATIO * self._counted_usual)
        return np.maximum(self._minimum_count, learning)

    def _sure_from(self, counts: Floats, weight: Floats, against: Floats) -> Floats:
        goes_on = np.floor((against - self._evidence) / weight) + 1
        begins = np.ceil((self._needed - self._evidence + against) / weight)
        begins = np.maximum(begins, np.ceil(self._enough_from() - (self._counted - counts)))
        return np.clip(np.where(self._ongoing, np.minimum(goes_on, begins), begins), 0, _NEVER)

    def _learn_restlessness(self) -> None:
        usual = self._counted_usual
        off, squared = self._counted - usual, usual**2
        restlessness = (self._prior * self.OF.RESTLESSNESS + self._off) / (self._prior + self._usual)
        most = CAP_RATIO**2 * (usual + restlessness * squared)
        learned = np.maximum(0.0, self._off * self._keep + np.minimum(off**2, most) - usual)
        self._off = np.where(self._ongoing, self._off, learned)
        self._usual = np.where(self._ongoing, self._usual, self._usual * self._keep + squared)


def run_abreast(counts: NDArray[np.integer], evidence: Floats, start: datetime, minimum_count: int) -> Said:
    """Return what detectors say of series that begin together.

    Args:
        counts: (intervals, series).
        evidence: (series,), what each detector needs.
        start: of the first interval, UTC.
        minimum_count: how many in two hours at least.
    """
    detectors = _Detectors(evidence, minimum_count)
    scores, expected = np.empty(counts.shape, np.float32), np.empty(counts.shape, np.float32)
    ongoing, sure_from = np.empty(counts.shape, bool), np.empty(counts.shape, np.uint16)
    for row, season in enumerate(_seasons(start, len(counts))):
        said = detectors.update(season, counts[row].astype(np.float64))
        scores[row], expected[row], ongoing[row], sure_from[row] = said
    return Said(scores, expected, ongoing, sure_from)


def _seasons(start: datetime, rows: int) -> Iterator[tuple[int, int, float, int]]:
    """Yield the hours before and after each interval's start, how far it is between their middles, and its weekday."""
    for row in range(rows):
        at = start + row * INTERVAL
        if at.minute < 30:
            yield (at.hour - 1) % 24, at.hour, at.minute / 60 + 0.5, at.weekday()
        else:
            yield at.hour, (at.hour + 1) % 24, at.minute / 60 - 0.5, at.weekday()


class Recorded:
    """Stands for the detector of one series: says what it said, also of an interval of which only a part is known."""

    def __init__(self, said: Said, series: int, start: datetime) -> None:
        """Take what was said of a series.

        Args:
            said: of all.
            series: its column.
            start: of the first interval.
        """
        self._first = interval_of(start)
        self._scores, self._expected = said.scores[:, series].tolist(), said.expected[:, series].tolist()
        self._sure_from = said.sure_from[:, series].tolist()

    def update(self, at: datetime, count: float) -> BurstPoint:
        """Say what the detector said."""
        row = interval_of(at) - self._first
        score = self._scores[row]
        on = count >= self._sure_from[row]
        return BurstPoint(score, self._expected[row], score >= THRESHOLD, on)

    def copy(self) -> Self:
        """Return itself: nothing of it changes."""
        return self
