"""Counts of negative mentions by distinct authors, as a country may see them of a brand, with bursts that are known.

A usual rate with seasons, holidays and growth; a rate that wanders around it; storms in which a few people copy
each other; and bursts whose beginning is known. Every choice is told in docs/bursts.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from classifiers.bursts import IncidentDetector

INTERVAL_S = 600
A_DAY, AN_HOUR = 144, 6
RATES_AN_HOUR = (0.2, 1.0, 5.0, 20.0, 100.0, 200.0)
LEARNING_DAYS, DAYS = 14, 134
FOUND_WITHIN = 2 * AN_HOUR
AFTERMATH = 6 * AN_HOUR
"""An alarm so long after the last mention of a burst still speaks of it."""
LEAST_EXTRA, LEAST_RATIO = 5, 3.0
"""A burst brings so many more authors in its first hour, and so many times the usual with them."""
LARGEST = 10.0
"""times the least; sizes are even on a logarithmic scale."""
START = datetime(2026, 1, 5, tzinfo=UTC)
SIZES = ((1.0, 1.5), (1.5, 2.5), (2.5, LARGEST))

Counts = NDArray[np.int64]
Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst as it was made."""

    start: int
    """The interval at whose beginning it began."""
    last: int
    shape: str
    size: float
    """The authors meant to come in the first hour, over the least that makes a burst."""


@dataclass(slots=True)
class Series:
    """Counts, and the bursts in them."""

    counts: Counts
    usual: Rates
    bursts: list[Burst] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What was found in some series."""

    bursts: int = 0
    found: int = 0
    delays_min: list[int] = field(default_factory=list)
    over_after_h: list[float] = field(default_factory=list)
    reopened: int = 0
    false_alarms: int = 0
    months: float = 0.0
    by_size: dict[tuple[float, float], list[int]] = field(default_factory=lambda: {size: [0, 0] for size in SIZES})


def simulate(
    rng: np.random.Generator, rate: float, *, days: int = DAYS, quiet_days: int = LEARNING_DAYS, a_month: float = 2
) -> Series:
    """Return a series whose usual rate is so many an hour over the first week.

    Args:
        rng: where chance comes from.
        rate: counts an hour.
        days: its length.
        quiet_days: so long no burst begins.
        a_month: bursts in 30 days.
    """
    usual = usual_counts(rng, rate, days)
    series = Series(rng.poisson(usual * _wandering(rng, len(usual))), usual)
    _add_storms(rng, series.counts)
    _add_bursts(rng, series, quiet_days * A_DAY, a_month)
    return series


def usual_counts(rng: np.random.Generator, rate: float, days: int) -> Rates:
    """Return what each interval usually brings: hours, weekends, holidays at a Sunday's level, slow growth."""
    row = np.arange(days * A_DAY)
    weekday = (row // A_DAY + rng.integers(7)) % 7
    holiday = (rng.random(days) < 1 / 30)[row // A_DAY]
    by_day = np.where((weekday >= 5) | holiday, rng.uniform(0.4, 0.9), 1.0)
    peak = rng.uniform(13, 20) / 24 * A_DAY
    by_hour = np.exp(rng.uniform(0.5, 1.1) * np.cos(2 * np.pi * (row - peak) / A_DAY))
    growth = 1 + rng.uniform(0, 0.5) * row / (120 * A_DAY)
    shape = by_day * by_hour * growth
    usual: Rates = shape / shape[: 7 * A_DAY].mean() * rate / AN_HOUR
    return usual


def alarms_and_ends(counts: Counts) -> tuple[list[int], list[int]]:
    """Return at which intervals an incident began and ended."""
    detector = IncidentDetector(INTERVAL_S)
    began: list[int] = []
    ended: list[int] = []
    was_on = False
    for row, count in enumerate(counts.tolist()):
        on = detector.update(START + timedelta(seconds=INTERVAL_S * row), count).ongoing
        if on != was_on:
            (began if on else ended).append(row)
        was_on = on
    return began, ended


def judge(series: Series, began: list[int], ended: list[int], outcome: Outcome, from_day: int) -> None:
    """Add what was found in a series to an outcome."""
    outcome.months += (len(series.counts) / A_DAY - from_day) / 30
    spans = [(burst.start, burst.last + AFTERMATH) for burst in series.bursts]
    outcome.false_alarms += sum(
        row >= from_day * A_DAY and not any(start <= row <= end for start, end in spans) for row in began
    )
    for burst, (start, end) in zip(series.bursts, spans, strict=True):
        _judge_burst(burst, [row for row in began if start <= row <= end], ended, outcome)


def _judge_burst(burst: Burst, alarms: list[int], ended: list[int], outcome: Outcome) -> None:
    found = bool(alarms) and alarms[0] < burst.start + FOUND_WITHIN
    outcome.bursts += 1
    outcome.found += found
    outcome.reopened += max(0, len(alarms) - 1)
    for (low, high), tally in outcome.by_size.items():
        if low <= burst.size < high:
            tally[0] += found
            tally[1] += 1
    if found:
        outcome.delays_min.append((alarms[0] + 1 - burst.start) * INTERVAL_S // 60)
        end = next((row for row in ended if row > alarms[-1]), None)
        if end is not None:
            outcome.over_after_h.append((end - burst.last) / AN_HOUR)


def run(rate: float, series: int, seed: int, *, cold: bool = False) -> Outcome:
    """Return what is found at a rate; `cold`: in the first two weeks of a series."""
    rng = np.random.default_rng([seed, round(rate * 10), cold])
    outcome = Outcome()
    for _ in range(series):
        one = simulate(rng, rate, days=LEARNING_DAYS, quiet_days=0, a_month=4) if cold else simulate(rng, rate)
        judge(one, *alarms_and_ends(one.counts), outcome, 0 if cold else LEARNING_DAYS)
    return outcome


def share_interval(found: int, tried: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    if not tried:
        return 0.0, 1.0
    z, share = 1.96, found / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z / (1 + z * z / tried) * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_interval(events: int, exposure: float) -> tuple[float, float]:
    """Return Byar's 95 % interval of a rate of rare events."""
    z = 1.96
    low = events * (1 - 1 / (9 * events) - z / (3 * math.sqrt(events))) ** 3 if events else 0.0
    more = events + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    return low / exposure, high / exposure


def _wandering(rng: np.random.Generator, rows: int) -> Rates:
    """Return a factor around one: each day has its own (15 %), and so have the hours (25 %, lasting two hours)."""
    days = np.exp(rng.normal(0, 0.15, rows // A_DAY + 1))[np.arange(rows) // A_DAY]
    keep = math.exp(-INTERVAL_S / 7200)
    steps = rng.normal(0, 0.25 * math.sqrt(1 - keep * keep), rows)
    wander = np.empty(rows)
    value = 0.0
    for row, step in enumerate(steps.tolist()):
        value = keep * value + step
        wander[row] = value
    factor: Rates = days * np.exp(wander - 0.04)
    return factor


def _add_storms(rng: np.random.Generator, counts: Counts) -> None:
    """Add what a storm of reposts leaves once copies are left out: two to four people in an hour, four a month."""
    for start in rng.integers(len(counts) - AN_HOUR, size=rng.poisson(4 * len(counts) / A_DAY / 30)):
        for _ in range(min(4, 2 + rng.poisson(0.7))):
            counts[start + rng.integers(AN_HOUR)] += 1


def _add_bursts(rng: np.random.Generator, series: Series, first: int, a_month: float) -> None:
    for start in burst_starts(rng, first, len(series.counts) - 2 * A_DAY, a_month):
        shape, curve = burst_shape(rng)
        least = max(LEAST_EXTRA, (LEAST_RATIO - 1) * series.usual[start : start + AN_HOUR].sum())
        size = math.exp(rng.uniform(0, math.log(LARGEST)))
        extra = rng.poisson(size * least * curve)
        while extra[:AN_HOUR].sum() < least:
            extra = rng.poisson(size * least * curve)
        series.counts[start : start + len(extra)] += extra
        series.bursts.append(Burst(start, start + int(np.flatnonzero(extra)[-1]), shape, size))


def burst_starts(rng: np.random.Generator, first: int, end: int, a_month: float) -> Iterator[int]:
    """Yield moments at random, at least two days apart."""
    distance = 30 / a_month
    row = first + rng.exponential(distance / 2) * A_DAY
    while row < end:
        yield int(row)
        row += (2 + rng.exponential(distance - 2)) * A_DAY


def burst_shape(rng: np.random.Generator) -> tuple[str, Rates]:
    """Return how a burst goes, in intervals for twelve hours; its first hour adds up to one."""
    hours = (np.arange(12 * AN_HOUR) + 0.5) / AN_HOUR
    name = ("sudden", "rising", "lasting")[rng.integers(3)]
    half_life = rng.uniform(1, 6)
    if name == "sudden":
        curve = 0.5 ** (hours / half_life)
    elif name == "rising":
        top = rng.uniform(1, 2)
        curve = np.where(hours < top, hours / top, 0.5 ** ((hours - top) / half_life))
    else:
        curve = np.where(hours < rng.uniform(3, 8), 1.0, 0.0)
    return name, curve / curve[:AN_HOUR].sum()
