from random import Random

import pytest

from classifiers.bursts import IncidentDetector
from listener.pipeline.series import A_DAY, KEPT_DAYS, Series

START = 2_950_000
WEEKS = START + 16 * A_DAY


def background(until: int = WEEKS, seed: int = 3) -> dict[int, int]:
    random = Random(seed)
    return {at: 1 for at in range(START, until) if random.random() < 0.2}


def made(counts: dict[int, int], until: int = WEEKS) -> Series:
    series = Series(START, IncidentDetector(600))
    series.put(counts, START)
    series.advance(until)
    return series


def test_a_burst_has_a_beginning_a_moment_of_certainty_and_an_end() -> None:
    burst = WEEKS - 60
    series = made(background(burst) | dict.fromkeys(range(burst, burst + 12), 5))
    (span,) = series.bursts(WEEKS - A_DAY)
    assert burst - 2 <= span.began <= burst
    assert span.began <= span.told <= burst + 3
    assert span.over is not None
    assert burst + 12 <= span.over <= burst + 30
    assert series.count(burst, WEEKS) == 60
    assert series.fastest_hour(burst, WEEKS) == 30
    assert 0.5 < series.expected(burst, burst + 12) < 6


def test_a_burst_that_was_told_before_the_span_asked_for_keeps_its_beginning() -> None:
    burst = WEEKS - 40
    series = made(background(burst) | dict.fromkeys(range(burst, WEEKS), 5))
    (whole,) = series.bursts(WEEKS - A_DAY)
    (late,) = series.bursts(WEEKS - 5)
    assert late == whole
    assert late.over is None


def test_an_interval_that_has_only_begun_can_tell_a_burst_and_end_none() -> None:
    series = made(background())
    series.put({WEEKS: 14}, WEEKS)
    assert series.bursts(WEEKS - A_DAY) == []
    (span,) = series.bursts(WEEKS - A_DAY, WEEKS)
    assert span.told == WEEKS
    assert span.over is None
    assert series.bursts(WEEKS - A_DAY) == []  # asking has changed nothing


@pytest.mark.parametrize("late_by", [1, 5, 18, 40, A_DAY, 3 * A_DAY, 7 * A_DAY])
def test_counts_that_come_late_end_where_all_at_once_would(late_by: int) -> None:
    at = WEEKS - late_by
    counts = background() | {at: 30}
    late = made(background())
    assert late.put({one: count for one, count in counts.items() if one >= at}, at)
    late.advance(WEEKS)
    at_once = made(counts)
    last_day = range(WEEKS - A_DAY, WEEKS)
    assert [late.expected_at(one) for one in last_day] == [at_once.expected_at(one) for one in last_day]
    assert late.bursts(WEEKS - 7 * A_DAY) == at_once.bursts(WEEKS - 7 * A_DAY)


def test_what_does_not_differ_changes_nothing() -> None:
    series = made(background())
    assert not series.put({at: count for at, count in background().items() if at >= WEEKS - 50}, WEEKS - 50)


def test_a_mention_that_is_gone_is_gone() -> None:
    series = made(background() | {WEEKS - 3: 40})
    assert len(series.bursts(WEEKS - A_DAY)) == 1
    assert series.put({at: count for at, count in background().items() if at >= WEEKS - 3}, WEEKS - 3)
    series.advance(WEEKS)
    assert series.bursts(WEEKS - A_DAY) == []


def test_what_is_older_than_a_week_changes_nothing_any_more() -> None:
    series = made(background())
    old = WEEKS - (KEPT_DAYS + 3) * A_DAY
    given = {at: count for at, count in background().items() if at >= old} | {old: 50}
    series.put(given, old)
    series.advance(WEEKS)
    assert series.bursts(WEEKS - A_DAY) == []
    assert series.first > old


def test_a_series_of_months_keeps_days_only() -> None:
    until = START + 90 * A_DAY
    series = Series(START, IncidentDetector(600))
    for day in range(90):
        first = START + day * A_DAY
        series.put({first + 60: 3}, first)
        series.advance(first + A_DAY)
    assert until - series.first <= (KEPT_DAYS + 2) * A_DAY
    assert series.expected_at(until + 500) == series.expected_at(until - 1)


def test_calm_weeks_have_no_bursts() -> None:
    assert sum(len(made(background(seed=seed)).bursts(START)) for seed in range(5)) == 0


def test_an_empty_series_is_calm() -> None:
    assert Series(START, IncidentDetector(600)).bursts(START) == []
    assert Series(START, IncidentDetector(600)).expected(START, START + 5) == 0.0
