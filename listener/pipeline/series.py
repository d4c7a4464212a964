"""Counts of one series by interval, and what the detector said of each; counts may still change behind it.

Mentions arrive late. So the detector's state is kept at some moments of the last days, and all from the first changed
interval on is gone through again.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Protocol, Self

from classifiers.bursts import BurstPoint
from listener.store.incidents import interval_start

A_DAY = 144
"""Intervals in a day."""
KEPT_DAYS = 8
"""A count that changes later than that changes nothing any more."""
REST = 6
"""Two bursts with fewer calm intervals between them are one."""
_A_STEP = 18
"""Intervals between two kept states of the last day."""
_LONGEST_RISE = 36
"""A burst began at most so many intervals before it was told."""


@dataclass(frozen=True, slots=True)
class Span:
    """A burst in a series, in numbers of intervals."""

    began: int
    """The first interval that speaks for it."""
    told: int
    """The interval in which the detector was sure."""
    over: int | None
    """The first calm interval after it; None where it may go on."""


class Detector(Protocol):
    """What says of each count whether a burst is on, from the counts before."""

    def update(self, at: datetime, count: float) -> BurstPoint:
        """Take in an interval's count and say what it is."""

    def copy(self) -> Self:
        """Return one in the same state that goes on by itself."""


class Series:
    """One series from its start on: counts, what was usual, and its bursts."""

    def __init__(self, start: int, detector: Detector) -> None:
        self._detector = detector
        self._states = [(start, detector.copy())]
        self._counts: dict[int, int] = {}
        self._first = self._next = start
        self._expected, self._scores, self._ongoing = array("f"), array("f"), bytearray()

    def put(self, counts: Mapping[int, int], since: int) -> bool:
        """Take in all counts from an interval on in place of those known; return whether any differs."""
        since = max(since, self._states[0][0])
        known = {at: count for at, count in self._counts.items() if at >= since}
        given = {at: count for at, count in counts.items() if at >= since and count}
        changed = [at for at, count in known.items() | given.items() if known.get(at) != given.get(at)]
        if not changed:
            return False
        for at in known:
            del self._counts[at]
        self._counts.update(given)
        self._rewind(min(changed))
        return True

    def advance(self, until: int) -> None:
        """Let the detector see all intervals before `until`."""
        while self._next < until:
            if self._next % _A_STEP == 0 and self._states[-1][0] < self._next:
                self._states.append((self._next, self._detector.copy()))
            self._see(self._next)
            self._next += 1
        self._forget()

    def bursts(self, since: int, partial: int | None = None) -> list[Span]:
        """Return the bursts that were told since an interval, the earliest first.

        Args:
            since: the number of the earliest interval.
            partial: the interval that has begun and is not over; it can tell a burst, and end none.
        """
        ongoing, scores = self._ongoing, self._scores
        end = self._next
        if not scores and partial is None:
            return []
        if partial is not None and partial == self._next and self._counts.get(partial):
            point = self._detector.copy().update(interval_start(partial), self._counts[partial])
            ongoing, scores = ongoing + bytes([point.ongoing]), scores + array("f", [point.score])
            end += 1
        return _spans(self._first, end, ongoing, scores, since)

    def count(self, since: int, until: int) -> int:
        """Return how many were counted in a span."""
        return sum(map(self._counts.get, range(since, until), repeat(0)))

    def expected(self, since: int, until: int) -> float:
        """Return how many would have been usual in a span."""
        end = self._first + len(self._expected)
        known = self._expected[max(0, since - self._first) : max(0, until - self._first)]
        before, after = min(until, self._first) - since, until - max(since, end)
        return sum(known) + max(0, before) * self.expected_at(since) + max(0, after) * self.expected_at(until)

    def expected_at(self, at: int) -> float:
        """Return how many are usual in an interval; the last one known for those to come."""
        if not self._expected:
            return 0.0
        return self._expected[min(max(at - self._first, 0), len(self._expected) - 1)]

    def count_at(self, at: int) -> int:
        """Return how many were counted in an interval."""
        return self._counts.get(at, 0)

    def fastest_hour(self, since: int, until: int) -> int:
        """Return the most that were counted in any hour of a span."""
        return max((self.count(at, min(at + 6, until)) for at in range(since, max(since + 1, until - 5))), default=0)

    @property
    def first(self) -> int:
        """The earliest interval of which it is known what was usual."""
        return self._first

    def _see(self, at: int) -> None:
        point = self._detector.update(interval_start(at), self._counts.get(at, 0))
        self._expected.append(point.expected)
        self._scores.append(point.score)
        self._ongoing.append(point.ongoing)

    def _rewind(self, at: int) -> None:
        if at >= self._next:
            return
        while len(self._states) > 1 and self._states[-1][0] > at:
            self._states.pop()
        self._next, kept = self._states[-1]
        self._detector = kept.copy()
        length = max(0, self._next - self._first)
        del self._expected[length:], self._scores[length:], self._ongoing[length:]

    def _forget(self) -> None:
        recent, oldest = self._next - A_DAY, self._next - KEPT_DAYS * A_DAY
        if self._states[0][0] >= oldest - A_DAY:
            return
        kept = [state for state in self._states if state[0] >= recent or (state[0] >= oldest and not state[0] % A_DAY)]
        self._states = kept or self._states[-1:]
        first = self._states[0][0]
        gone = first - self._first
        del self._expected[:gone], self._scores[:gone], self._ongoing[:gone]
        self._first = first
        self._counts = {at: count for at, count in self._counts.items() if at >= first}


def _spans(first: int, end: int, ongoing: bytes | bytearray, scores: "array[float]", since: int) -> list[Span]:
    found: list[Span] = []
    at = _start(first, max(first, since), ongoing)
    while (row := ongoing.find(1, at - first, end - first)) >= 0:
        told = last = at = first + row
        while at < end and at - last <= REST:
            last = at if ongoing[at - first] else last
            at += 1
        over = last + 1 if end - last > REST else None
        found.append(Span(_rise(first, told, scores), told, over))
    return found


def _start(first: int, at: int, ongoing: bytes | bytearray) -> int:
    """Return where the burst begins that may be on at an interval; the interval itself where none is."""
    while True:
        before = ongoing.rfind(1, max(0, at - REST - 1 - first), max(0, at - first))
        if before < 0:
            return at
        at = first + before


def _rise(first: int, told: int, scores: "array[float]") -> int:
    """Return the first interval of those before a burst was told that speak for it without a break."""
    began = told
    while began > max(first, told - _LONGEST_RISE) and scores[began - 1 - first] > 0:
        began -= 1
    return began
