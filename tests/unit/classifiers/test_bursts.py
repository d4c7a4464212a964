"""The detectors of bursts: from the past alone, told once, over once, whatever the counts and the clock do."""

import math
import pickle
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.bursts import THRESHOLD, BurstDetector, BurstPoint, CountError, IncidentDetector
from listener.errors import ListenerError

START = datetime(2026, 1, 5, tzinfo=UTC)
DETECTORS = (BurstDetector, IncidentDetector)
Detector = BurstDetector | IncidentDetector
COUNTS = st.lists(
    st.one_of(st.integers(0, 50), st.floats(0, 1e308), st.just(0.0), st.just(5e-324)), min_size=1, max_size=120
)
INTERVALS = st.sampled_from([1e-3, 1.0, 300.0, 600.0, 3600.0, 86400.0, 1e9])


def feed(
    detector: Detector, counts: Iterable[float], interval_s: float = 600, start: datetime = START
) -> list[BurstPoint]:
    return [detector.update(start + timedelta(seconds=row * interval_s), count) for row, count in enumerate(counts)]


def days(number: int, rate: float = 6.0, seed: int = 1) -> list[float]:
    """Counts every ten minutes for so many days, three times as many at noon as at midnight."""
    row = np.arange(number * 144)
    usual = rate / 6 * (1 - 0.5 * np.cos(2 * np.pi * row / 144))
    return [float(count) for count in np.random.default_rng(seed).poisson(usual)]


def changes(points: Sequence[BurstPoint]) -> int:
    return sum(one.ongoing != other.ongoing for one, other in pairwise(points))


@pytest.mark.parametrize("kind", DETECTORS)
@given(counts=COUNTS, interval_s=INTERVALS)
def test_scores_lie_between_0_and_1_for_any_counts(
    kind: type[Detector], counts: list[float], interval_s: float
) -> None:
    detector = kind(interval_s)
    for count in counts:
        point = detector.update(START, count)
        assert 0 <= point.score <= 1
        assert math.isfinite(point.expected)
        assert point.expected >= 0
        assert point.above == (point.score >= THRESHOLD)


@pytest.mark.parametrize("kind", DETECTORS)
@given(past=COUNTS, one=COUNTS, other=COUNTS)
def test_the_future_never_changes_what_was_said(
    kind: type[Detector], past: list[float], one: list[float], other: list[float]
) -> None:
    said = feed(kind(600), past)
    assert feed(kind(600), past + one)[: len(past)] == said
    assert feed(kind(600), past + other)[: len(past)] == said


@pytest.mark.parametrize("kind", DETECTORS)
def test_what_is_expected_does_not_know_the_count(kind: type[Detector]) -> None:
    detector = kind(600)
    feed(detector, days(3))
    at = START + timedelta(days=3)
    assert detector.copy().update(at, 0).expected == detector.copy().update(at, 1000).expected


@pytest.mark.parametrize("kind", DETECTORS)
@given(past=COUNTS, one=COUNTS, other=COUNTS)
def test_a_copy_goes_on_by_itself(
    kind: type[Detector], past: list[float], one: list[float], other: list[float]
) -> None:
    detector = kind(600)
    feed(detector, past)
    twin = detector.copy()
    later = START + timedelta(days=1)
    feed(twin, other, start=later)
    undisturbed = kind(600)
    feed(undisturbed, past)
    assert feed(detector, one, start=later) == feed(undisturbed, one, start=later)


def test_the_last_day_can_be_replayed_on_corrected_counts() -> None:
    history, corrected = days(20), [0.0] * 144
    detector = IncidentDetector(600)
    feed(detector, history[:-144])
    before = detector.copy()
    feed(detector, history[-144:], start=START + timedelta(days=19))
    again = feed(before, corrected, start=START + timedelta(days=19))
    assert again == feed(IncidentDetector(600), history[:-144] + corrected)[-144:]


@pytest.mark.parametrize("kind", DETECTORS)
def test_memory_does_not_grow_with_the_history(kind: type[Detector]) -> None:
    detector = kind(600)
    feed(detector, days(3))
    early = len(pickle.dumps(detector))
    feed(detector, days(30), start=START + timedelta(days=3))
    assert len(pickle.dumps(detector)) < early + 500


@pytest.mark.parametrize("kind", DETECTORS)
@pytest.mark.parametrize("count", [-1, -1e-9, math.nan, math.inf, -math.inf])
def test_what_is_no_count_is_refused_and_changes_nothing(kind: type[Detector], count: float) -> None:
    detector = kind(600)
    feed(detector, days(1))
    twin, at = detector.copy(), START + timedelta(days=1)
    with pytest.raises(CountError, match="numbers from 0 up"):
        detector.update(at, count)
    assert detector.update(at, 7) == twin.update(at, 7)


@pytest.mark.parametrize("kind", DETECTORS)
@pytest.mark.parametrize("interval_s", [0, -300, math.nan, math.inf])
def test_an_interval_that_cannot_be_is_refused(kind: type[Detector], interval_s: float) -> None:
    with pytest.raises(ListenerError, match="positive number of seconds"):
        kind(interval_s)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_moment_without_a_zone_is_read_as_utc_and_any_zone_is_understood(kind: type[Detector]) -> None:
    counts = days(2)
    kolkata = timezone(timedelta(hours=5, minutes=30))
    aware = feed(kind(600), counts)
    assert feed(kind(600), counts, start=START.replace(tzinfo=None)) == aware
    assert feed(kind(600), counts, start=START.astimezone(kolkata)) == aware


@pytest.mark.parametrize("kind", DETECTORS)
def test_nothing_but_zeros_is_never_a_burst(kind: type[Detector]) -> None:
    assert {point.score for point in feed(kind(600), [0.0] * 3000)} == {0.0}


@pytest.mark.parametrize("kind", DETECTORS)
def test_intervals_left_out_are_not_taken_for_silence(kind: type[Detector]) -> None:
    detector = kind(600)
    feed(detector, [6.0] * 144 * 20)
    after = feed(detector, [6.0] * 144, start=START + timedelta(days=25))
    assert after[0].expected == pytest.approx(6, rel=0.1)
    assert not any(point.above for point in after)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_burst_before_a_gap_does_not_speak_after_it(kind: type[Detector]) -> None:
    detector = kind(600)
    feed(detector, [6.0] * 144 * 20 + [9.0] * 6)
    assert feed(detector, [9.0], start=START + timedelta(days=22))[0].score < 0.3


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_clock_that_is_set_back_and_rows_that_come_twice_are_survived(kind: type[Detector]) -> None:
    detector = kind(600)
    steady = feed(detector, [6.0] * 144 * 15)[-1]
    for shift in (timedelta(0), timedelta(hours=-1), timedelta(days=-400), timedelta(seconds=1), timedelta(days=400)):
        point = detector.update(START + timedelta(days=15) + shift, 6.0)
        assert point.expected == pytest.approx(steady.expected, rel=0.2)
        assert not point.above


@pytest.mark.parametrize("kind", DETECTORS)
def test_uneven_spacing_is_survived(kind: type[Detector]) -> None:
    detector, at = kind(600), START
    distances = np.random.default_rng(4).uniform(400, 800, 3000)
    for distance in distances:
        at += timedelta(seconds=float(distance))
        assert not detector.update(at, 5.0).above


@pytest.mark.parametrize("kind", DETECTORS)
def test_hours_and_weekdays_are_learned(kind: type[Detector]) -> None:
    detector = kind(600)
    counts = [count * (0.3 if row // 144 % 7 >= 5 else 1) for row, count in enumerate(days(56, rate=60))]
    points = feed(detector, counts)
    monday, saturday = points[49 * 144 : 50 * 144], points[54 * 144 : 55 * 144]
    assert monday[72].expected > 2 * monday[0].expected
    assert saturday[72].expected < 0.55 * monday[72].expected


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_burst_is_told_within_two_hours_and_over_once(kind: type[Detector]) -> None:
    counts = days(30)
    start = 20 * 144 + 80
    for row in range(start, start + 36):
        counts[row] += 10
    points = feed(kind(600), counts)
    assert not any(point.ongoing for point in points[:start])
    assert any(point.above for point in points[start : start + 12])
    assert changes(points) == 2
    assert not points[start + 36 + 120].ongoing


def test_a_burst_of_volume_is_told_at_one_point_alone() -> None:
    counts = days(30)
    for row in range(3000, 3036):
        counts[row] += 10
    assert sum(point.above for point in feed(BurstDetector(600), counts)) == 1


def test_volume_is_not_told_of_on_the_first_day() -> None:
    points = feed(BurstDetector(600), [1.0] * 60 + [500.0] * 30)
    assert not any(point.above for point in points)


@pytest.mark.parametrize("kind", DETECTORS)
def test_is_over_says_the_same_as_the_last_point(kind: type[Detector]) -> None:
    detector = kind(600)
    assert detector.is_over
    counts = days(20) + [30.0] * 12 + days(2)
    said = []
    for point_at, count in enumerate(counts):
        point = detector.update(START + timedelta(seconds=600 * point_at), count)
        assert detector.is_over is not point.ongoing
        said.append(detector.is_over)
    assert not all(said)


def test_too_few_are_no_incident_however_rare() -> None:
    quiet = [0.0] * 144 * 30
    few = [1.0] * (IncidentDetector.MINIMUM_COUNT - 1)
    assert not any(point.ongoing for point in feed(IncidentDetector(600), quiet + few + [0.0] * 6))
    assert any(point.ongoing for point in feed(IncidentDetector(600), [*quiet, *few, 1.0, 0.0]))


def test_a_higher_minimum_can_be_asked_for() -> None:
    counts = [0.0] * 144 * 30 + [2.0] * 6
    assert any(point.ongoing for point in feed(IncidentDetector(600), counts))
    assert not any(point.ongoing for point in feed(IncidentDetector(600, minimum_count=13), counts))


def test_more_evidence_can_be_asked_for() -> None:
    counts = days(30) + [4.0] * 4
    assert any(point.ongoing for point in feed(IncidentDetector(600), counts))
    assert not any(point.ongoing for point in feed(IncidentDetector(600, evidence=40), counts))


def test_fixed_thresholds_hold_in_the_first_two_weeks() -> None:
    eight = [2.0] * 4
    assert not any(point.ongoing for point in feed(IncidentDetector(600), [0.0] * 144 * 13 + eight))
    assert any(point.ongoing for point in feed(IncidentDetector(600), [0.0] * 144 * 15 + eight))
    assert any(point.ongoing for point in feed(IncidentDetector(600), [0.0] * 144 * 13 + [4.0] * 4))


def test_what_lasts_becomes_the_usual() -> None:
    points = feed(IncidentDetector(600), days(20) + [count * 8 for count in days(40, seed=2)])
    assert points[20 * 144 + 100].ongoing
    assert sum(point.ongoing for point in points[-20 * 144 :]) < 0.02 * 20 * 144


def test_a_burst_is_not_learned_as_the_usual() -> None:
    usual, burst = days(28), days(28)
    for row in range(25 * 144, 26 * 144):
        burst[row] += 20
    expected = feed(IncidentDetector(600), usual)[-1].expected
    assert feed(IncidentDetector(600), burst)[-1].expected == pytest.approx(expected, rel=0.1)


def test_where_counts_wander_more_evidence_is_asked_for() -> None:
    random = np.random.default_rng(3)
    wandering = np.repeat(random.gamma(2, 1 / 2, 60 * 24), 6)
    calm, restless = IncidentDetector(600), IncidentDetector(600)
    feed(calm, random.poisson(10, 60 * 144).tolist())
    feed(restless, random.poisson(10 * wandering).tolist())
    assert calm.restlessness < IncidentDetector.RESTLESSNESS / 2
    assert restless.restlessness > 1.5 * IncidentDetector.RESTLESSNESS
    later = START + timedelta(days=60)
    scores = [[point.score for point in feed(one, [30.0] * 3, start=later)] for one in (calm, restless)]
    assert scores[0][-1] > scores[1][-1] > 0


@pytest.mark.parametrize("rate", [0.2, 2, 20, 200])
def test_an_ordinary_month_has_no_incident(rate: float) -> None:
    assert not any(point.ongoing for point in feed(IncidentDetector(600), days(44, rate=rate, seed=5)))


@pytest.mark.parametrize("scale", [1, 10, 1e3, 1e6])
def test_ten_times_the_usual_volume_is_told_of_however_many_talk(scale: float) -> None:
    points = feed(BurstDetector(600), [count * scale for count in days(20, rate=60)] + [100 * scale] * 6)
    assert any(point.above for point in points[-6:])
