"""When a series of counts runs far above what its hour and weekday usually bring. One pass, from the past alone.

`BurstDetector` scores the volume of mentions; `IncidentDetector` says when few but too many negative ones came.
What each number was chosen for, and what it reaches, is told in docs/bursts.md.
"""

import math
from collections import deque
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from listener.errors import ListenerError

THRESHOLD = 0.5
"""A score of at least this much is a burst."""

LEVEL_DAYS = 7.0
"""Half-life of what is known of the level and of its spread: growth over weeks is followed, a day's burst hardly."""
SEASON_DAYS = 28.0
"""Half-life of what is known of hours and weekdays: a weekday is seen four times in it."""
HOUR_PRIOR_DAYS = 1.0
WEEKDAY_PRIOR_DAYS = 2.0
"""How many days of counts must speak before an hour or a weekday is believed half of what it says."""
PRIOR_COUNT = 3.0
"""The same in counts, for series in which whole days bring none."""
CAP_RATIO, CAP_EXTRA = 3.0, 2.0
"""At most so many times the expected count and so many more are learned from, so that a burst is not the new usual."""

_HOUR_S, _DAY_S = 3600.0, 86400.0
_MOST = 1e12
"""Larger counts are taken as this many: squares of them stay far from overflow."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CountError(ListenerError, ValueError):
    """A count or an interval that cannot be one."""


@dataclass(frozen=True, slots=True)
class BurstPoint:
    """What was found at one interval."""

    score: float
    """In [0, 1], from the past and this interval alone; comparable between series."""
    expected: float
    """What this interval usually brings, as known before it was seen."""
    above: bool
    """Whether the score is at least THRESHOLD."""
    ongoing: bool
    """Whether a burst is on: from the point that is above until it is over."""


class Baseline:
    """What an interval usually brings: a level, times a factor of the hour, times a factor of the weekday (UTC).

    Each factor is what was seen over what was expected without it, both drawn towards one by a prior and both
    forgetting the past by halves. Counts are capped before they are learned from.
    """

    def __init__(self, interval_s: float) -> None:
        """Start with nothing known.

        Args:
            interval_s: seconds from one count to the next.
        """
        self._a_day = _DAY_S / interval_s
        self._keep_level = 0.5 ** (1 / (LEVEL_DAYS * self._a_day))
        self._forget_hour = 1 - 0.5 ** (24 / (SEASON_DAYS * self._a_day))
        self._keep_weekday = 0.5 ** (7 / (SEASON_DAYS * self._a_day))
        self._seen = self._exposure = 0.0
        self._hours_seen, self._hours_expected = [0.0] * 24, [0.0] * 24
        self._weekdays_seen, self._weekdays_expected = [0.0] * 7, [0.0] * 7

    def step(self, at: datetime, count: float | None) -> float | None:
        """Return what was expected at a moment before its count was seen, None for the first; then learn the count.

        A count of None is not learned from.
        """
        level = self._seen / self._exposure if self._exposure else 0.0
        before, after, share = _neighbours(at)
        weekday = at.weekday()
        prior = PRIOR_COUNT + HOUR_PRIOR_DAYS * level * self._a_day / 24
        hour = (1 - share) * _shrunk(self._hours_seen[before], self._hours_expected[before], prior)
        hour += share * _shrunk(self._hours_seen[after], self._hours_expected[after], prior)
        prior = PRIOR_COUNT + WEEKDAY_PRIOR_DAYS * level * self._a_day
        day = _shrunk(self._weekdays_seen[weekday], self._weekdays_expected[weekday], prior)
        expected = level * hour * day if self._exposure else None
        if count is None:
            return expected
        learned = count if expected is None else min(count, CAP_RATIO * expected + CAP_EXTRA)
        self._seen = self._seen * self._keep_level + learned
        self._exposure = self._exposure * self._keep_level + hour * day
        if level:
            self._learn_hour(before, 1 - share, learned, level * day)
            self._learn_hour(after, share, learned, level * day)
            self._weekdays_seen[weekday] = self._weekdays_seen[weekday] * self._keep_weekday + learned
            self._weekdays_expected[weekday] = self._weekdays_expected[weekday] * self._keep_weekday + level * hour
        return expected

    def _learn_hour(self, hour: int, share: float, count: float, expected: float) -> None:
        keep = 1 - share * self._forget_hour
        self._hours_seen[hour] = self._hours_seen[hour] * keep + share * count
        self._hours_expected[hour] = self._hours_expected[hour] * keep + share * expected

    def copy(self) -> Self:
        """Return one that knows the same and learns on its own."""
        other = copy(self)
        other._hours_seen, other._hours_expected = self._hours_seen[:], self._hours_expected[:]
        other._weekdays_seen, other._weekdays_expected = self._weekdays_seen[:], self._weekdays_expected[:]
        return other


class _Detector:
    """What both detectors share: time, checks, copies, and whether a burst is on."""

    def __init__(self, interval_s: float) -> None:
        if not (math.isfinite(interval_s) and interval_s > 0):
            raise CountError(f"the interval is {interval_s} s; it must be a positive number of seconds")
        self._interval_s = float(interval_s)
        self._baseline = Baseline(self._interval_s)
        self._known_s = 0.0
        self._last_at: datetime | None = None
        self._ongoing = False

    @property
    def is_over(self) -> bool:
        """Whether no burst is on, as of the last count; see `BurstPoint.ongoing`."""
        return not self._ongoing

    def update(self, at: datetime, count: float) -> BurstPoint:
        """Take in the next interval's count and say what it is.

        Intervals left out are taken as unknown, not as zero. A moment that is not after the last one (a clock was
        set back, a row is there twice) counts as the next interval.

        Args:
            at: when; without a time zone it is read as UTC.
            count: how many, at least 0.

        Raises:
            CountError: the count is negative or no number; nothing has changed.
        """
        if not (math.isfinite(count) and count >= 0):
            raise CountError(f"the count at {at.isoformat()} is {count}; counts are numbers from 0 up")
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        missing = self._missing(at)
        count = min(float(count), _MOST)
        expected = self._baseline.step(at, count if self._learns() else None)
        self._known_s += self._interval_s
        self._last_at = at
        if expected is None:
            return BurstPoint(0.0, 0.0, False, False)
        score = self._score(count, expected, missing)
        return BurstPoint(score, expected, score >= THRESHOLD, self._ongoing)

    def copy(self) -> Self:
        """Return one in the same state that goes on by itself."""
        other = copy(self)
        other._baseline = self._baseline.copy()
        return other

    def _learns(self) -> bool:
        """Return whether the next count tells of the usual."""
        return True

    def _missing(self, at: datetime) -> int:
        """Return how many intervals were left out before a moment."""
        if self._last_at is None or at <= self._last_at:
            return 0
        return max(0, round((at - self._last_at).total_seconds() / self._interval_s) - 1)

    def _score(self, count: float, expected: float, missing: int) -> float:
        raise NotImplementedError


class BurstDetector(_Detector):
    """Scores the volume of mentions: how far the last hours stand above the usual, in units of their usual spread.

    A burst is told once: until it is over, scores stay below the threshold. It is over when the excess has fallen
    under one spread, and not before QUIET_S have passed.
    """

    SMOOTHING_S = 90 * 60.0
    """Half-life of the excess: one odd interval weighs little, a burst shows within the hour."""
    SPREADS = 3.5
    """Excess at the threshold. Spreads of heavy-tailed series are larger than they look: three come often."""
    OVER_SPREADS = 1.0
    QUIET_S = 12 * _HOUR_S
    """One burst often comes in several waves over half a day."""
    LEAST_A_HOUR = 0.25
    """Less is never expected: a few mentions after a long silence are no burst."""
    LEARNING_S = _DAY_S
    """A day must be seen before its hours are known; no burst is told earlier."""

    def __init__(self, interval_s: float, *, spreads: float = SPREADS) -> None:
        """Start with nothing known.

        Args:
            interval_s: seconds from one count to the next.
            spreads: excess at the threshold.
        """
        super().__init__(interval_s)
        self._needed = spreads
        self._fade = 0.5 ** (self._interval_s / self.SMOOTHING_S)
        self._least = self.LEAST_A_HOUR * self._interval_s / _HOUR_S
        self._usual = self._recent = 0.0
        self._spread = 1.0
        self._slowest = 1 - 0.5 ** (self._interval_s / (LEVEL_DAYS * _DAY_S))
        self._since_told_s = math.inf

    def _score(self, count: float, expected: float, missing: int) -> float:
        passed = 1 + missing
        fade = self._fade**passed
        self._recent = self._recent * fade + count
        self._usual = self._usual * fade + max(expected, self._least)
        excess = _deviance(self._recent, self._usual)
        spreads = excess / self._spread
        self._learn_spread(excess)
        self._since_told_s += passed * self._interval_s
        score = spreads / (spreads + self._needed) if spreads > 0 else 0.0
        if self._ongoing and spreads < self.OVER_SPREADS and self._since_told_s >= self.QUIET_S:
            self._ongoing = False
        if self._ongoing or self._known_s <= self.LEARNING_S:
            return score * THRESHOLD
        if score >= THRESHOLD:
            self._ongoing, self._since_told_s = True, 0.0
        return score

    def _learn_spread(self, excess: float) -> None:
        """Follow the mean distance from the usual, times 1.25 as it is for the normal distribution."""
        seen = min(abs(excess), CAP_RATIO * self._spread)
        gain = max(self._slowest, 1 / (50 + self._known_s / self._interval_s))
        self._spread = max(1.0, self._spread + gain * (1.25 * seen - self._spread))


class IncidentDetector(_Detector):
    """Says when negative mentions by distinct authors, copies left out, are too many for a country and brand.

    Sums the evidence that counts come from a burst and not from the usual (a negative-binomial CUSUM). A burst is on
    from the threshold, if enough came in two hours, until all evidence is gone.
    """

    RATIO = 5.0
    """The burst it looks for is so many times the usual,"""
    EXTRA_A_HOUR = 9.0
    """or so many more an hour, whichever is larger."""
    SHAPE_A_HOUR = 9.0
    """Of the gamma distribution of rates: an hour's rate is off its usual by a third, one time in three."""
    RESTLESSNESS = 0.09
    """Squared relative distance of two hours from their usual, beyond chance, for which that shape is right."""
    EVIDENCE = 6.0
    """Logarithm of how much likelier a burst must be."""
    MINIMUM_COUNT = 6
    """Fewer in COUNTING_S are no incident, however rare."""
    COUNTING_S = 2 * _HOUR_S
    LEARNING_S = 14 * _DAY_S
    """Until then fixed thresholds hold besides,"""
    LEARNING_COUNT, LEARNING_RATIO = 10, 2.5
    """as hours and weekdays are not yet known: so many in COUNTING_S, and so many times the usual."""
    LEAST_A_HOUR = 0.02
    UNUSUAL_S = 2 * _DAY_S
    """For so long a burst is not learned from; what lasts longer becomes the usual."""

    def __init__(self, interval_s: float, *, minimum_count: int = MINIMUM_COUNT, evidence: float = EVIDENCE) -> None:
        """Start with nothing known.

        Args:
            interval_s: seconds from one count to the next.
            minimum_count: how many in two hours at least.
            evidence: raise it by one for about half as many false alarms.
        """
        super().__init__(interval_s)
        self._minimum_count = minimum_count
        self._needed = evidence
        hours = self._interval_s / _HOUR_S
        self._extra, self._shape = self.EXTRA_A_HOUR * hours, self.SHAPE_A_HOUR * hours
        self._least = self.LEAST_A_HOUR * hours
        self._fade = 0.5 ** (self._interval_s / self.COUNTING_S)
        self._evidence = self._ongoing_s = 0.0
        self._keep = 0.5 ** (self._interval_s / (SEASON_DAYS * _DAY_S))
        # Believed until SEASON_DAYS with one expected in two hours have told otherwise.
        self._prior = SEASON_DAYS * _DAY_S / self._interval_s
        self._off = self._usual = 0.0
        self._last = deque[tuple[float, float]](maxlen=max(1, round(self.COUNTING_S / self._interval_s)))

    def copy(self) -> Self:
        """Return one in the same state that goes on by itself."""
        other = super().copy()
        other._last = self._last.copy()
        return other

    def _score(self, count: float, expected: float, missing: int) -> float:
        usual = max(expected, self._least)
        self._skip(missing)
        self._last.append((count, usual))
        evidence = self._evidence + self._speaks_for(count, usual)
        if not self._ongoing and self._known_s > self.LEARNING_S:
            self._learn_restlessness()
        # Kept from growing without end: a long burst must be over soon after its last mention.
        self._evidence = min(max(0.0, evidence), 2 * self._needed)
        if not self._evidence:
            self._ongoing = False
        score = self._evidence / (self._evidence + self._needed)
        if self._ongoing or not self._enough():
            return score if self._ongoing else score * THRESHOLD
        self._ongoing = score >= THRESHOLD
        return score

    def _learns(self) -> bool:
        self._ongoing_s = self._ongoing_s + self._interval_s if self._ongoing else 0.0
        return not 0 < self._ongoing_s <= self.UNUSUAL_S

    def _speaks_for(self, count: float, usual: float) -> float:
        """Return the logarithm of how much likelier a burst makes a count than the usual does."""
        burst = usual + max(self._extra, (self.RATIO - 1) * usual)
        shape = self._shape * min(1.0, self.RESTLESSNESS / self.restlessness)
        evidence = math.log((shape + burst) / (shape + usual))
        return count * (math.log(burst / usual) - evidence) - shape * evidence

    @property
    def restlessness(self) -> float:
        """How far two hours are from their usual beyond chance: squared, relative, as far as is known."""
        return (self._prior * self.RESTLESSNESS + self._off) / (self._prior + self._usual)

    def _learn_restlessness(self) -> None:
        count, usual = sum(seen for seen, _ in self._last), sum(usual for _, usual in self._last)
        most = CAP_RATIO**2 * (usual + self.restlessness * usual**2)
        self._off = max(0.0, self._off * self._keep + min((count - usual) ** 2, most) - usual)
        self._usual = self._usual * self._keep + usual**2

    def _enough(self) -> bool:
        count = sum(seen for seen, _ in self._last)
        if count < self._minimum_count:
            return False
        if self._known_s > self.LEARNING_S:
            return True
        return count >= max(self.LEARNING_COUNT, self.LEARNING_RATIO * sum(usual for _, usual in self._last))

    def _skip(self, missing: int) -> None:
        """Let what is known of the last hours fade where intervals were left out."""
        self._evidence *= self._fade**missing
        for _ in range(min(missing, len(self._last))):
            self._last.popleft()


def _neighbours(at: datetime) -> tuple[int, int, float]:
    """Return the hours whose middles lie before and after a moment, and how far it is from the first to the second."""
    minutes = at.minute + at.second / 60
    if minutes < 30:
        return (at.hour - 1) % 24, at.hour, minutes / 60 + 0.5
    return at.hour, (at.hour + 1) % 24, minutes / 60 - 0.5


def _shrunk(seen: float, expected: float, prior: float) -> float:
    return (seen + prior) / (expected + prior)


def _deviance(count: float, expected: float) -> float:
    """Return how far a count is from what was expected, in units of a Poisson variable's spread, with its sign."""
    distance = expected - count + (count * (math.log(count) - math.log(expected)) if count else 0.0)
    return math.copysign(math.sqrt(2 * max(0.0, distance)), count - expected)
