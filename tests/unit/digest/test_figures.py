"""Measures: what stands beside a figure, when it is too little to be said, percentiles of what still waits."""

from datetime import UTC, datetime, timedelta
from math import ceil, inf
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.digest.advice import _answers
from listener.digest.counting import BrandTally, Tally, WeekCounts
from listener.digest.desk_figures import _Case, _rows
from listener.digest.figures import Compared, count, net, percentile, share, share_of_voice, spoken


def week(mentions: int = 0, complaints: int = 0, **by: dict[str, Tally]) -> WeekCounts:
    """Return a week with all its posts on Monday."""
    found = WeekCounts(total=Tally(mentions=mentions, authors=mentions, complaints=complaints), by=dict(by))
    found.days[0] = [mentions, complaints]
    return found


# Counts and shares


def test_a_count_stands_beside_the_week_before_and_the_mean_of_those_that_were_listened_to() -> None:
    measure = count(Compared(30, (20, None, 10, 12)))
    assert (measure.value, measure.last, measure.mean) == (30, 20, 14)
    unheard = count(Compared(30, (None, 20, 10, None)))
    assert (unheard.last, unheard.mean) == (None, 15)
    first = count(Compared(30, (None, None, None, None)))
    assert (first.last, first.mean, first.verdict) == (None, None, "unknown")


def test_nothing_is_a_number_too() -> None:
    measure = count(Compared(0, (0, 0, 0, 0)))
    assert (measure.value, measure.last, measure.mean, measure.lack) == (0, 0, 0, "")


@pytest.mark.parametrize(
    ("now", "value", "lack"),
    [((9, 9), None, "few"), ((0, 0), None, "nothing"), ((0, 10), 0.0, ""), ((10, 10), 1.0, ""), ((3, 12), 0.25, "")],
)
def test_a_share_of_fewer_than_ten_is_not_said(now: tuple[int, int], value: float | None, lack: str) -> None:
    measure = share(Compared(now, ()))
    assert (measure.value, measure.lack) == (value, lack)
    assert (measure.part, measure.of) == now


def test_a_share_stands_beside_the_weeks_before_taken_together_not_beside_the_mean_of_their_shares() -> None:
    measure = share(Compared((5, 20), ((9, 9), (1, 91), None, (0, 0))))
    assert measure.last is None, "of nine"
    assert measure.mean == pytest.approx(0.1)


def test_net_sentiment_is_in_points_and_not_said_of_few() -> None:
    measure = net(Compared((2, 12, 20), ((10, 0, 10), (0, 0, 0))))
    assert (measure.value, measure.last, measure.mean, measure.of) == (-50.0, 100.0, 100.0, 20)
    assert net(Compared((3, 3, 9), ())).lack == "few"
    assert net(Compared((0, 0, 0), ())).lack == "nothing"


# Percentiles


@pytest.mark.parametrize(
    ("times", "median"),
    [
        ([1, 2, 3, 4, 5], 3), ([1, 2, 3, 4, 5, 6], 3), ([6, 5, 4, 3, 2, 1, 7], 4), ([5, 5, 5, 5, 5], 5),
        ([1, 2, 3, inf, inf], 3), ([1, 2, inf, inf, inf], None), ([0, 0, 0, 0, 0], 0),
    ],
)  # fmt: skip
def test_a_median_is_the_value_at_its_rank(times: list[float], median: float | None) -> None:
    assert percentile(Compared(times, ()), 0.5).value == median


@pytest.mark.parametrize(("many", "rank"), [(10, 9), (11, 10), (20, 18), (30, 27), (100, 90), (101, 91)])
def test_a_ninetieth_percentile_is_the_value_at_its_rank(many: int, rank: int) -> None:
    assert percentile(Compared([float(one) for one in range(many, 0, -1)], ()), 0.9).value == rank


def test_what_waits_makes_a_percentile_that_is_not_reached_rather_than_a_good_one() -> None:
    times = [1.0] * 8 + [inf] * 2
    assert percentile(Compared(times, ()), 0.5).value == 1
    late = percentile(Compared(times, ()), 0.9)
    assert (late.value, late.lack, late.of) == (None, "not_reached", 10)
    assert percentile(Compared([1.0] * 9 + [inf], ()), 0.9).value == 1


@pytest.mark.parametrize(
    ("quantile", "few", "enough"), [(0.5, [1.0] * 4, [1.0] * 5), (0.9, [1.0] * 9, [1.0] * 10), (0.5, [inf] * 4, None)]
)
def test_percentiles_of_few_are_not_said(quantile: float, few: list[float], enough: list[float] | None) -> None:
    measure = percentile(Compared(few, ()), quantile)
    assert (measure.value, measure.lack, measure.of) == (None, "few", len(few))
    if enough is not None:
        assert percentile(Compared(enough, ()), quantile).value == 1


def test_a_percentile_of_nothing_has_nothing_to_count() -> None:
    measure = percentile(Compared([], ([1.0] * 20, None)), 0.5)
    assert (measure.value, measure.lack, measure.last, measure.mean) == (None, "nothing", 1.0, 1.0)


def test_a_percentile_stands_beside_the_weeks_before_taken_together() -> None:
    measure = percentile(Compared([9.0] * 5, ([1.0] * 5, None, [3.0] * 6, [inf] * 4)), 0.5)
    assert (measure.value, measure.last, measure.mean) == (9, 1, 3)
    assert percentile(Compared([9.0] * 5, ([1.0] * 4, [2.0])), 0.5).last is None


@given(st.lists(st.one_of(st.integers(0, 10**7).map(float), st.just(inf)), min_size=10, max_size=200))
def test_at_least_that_share_is_at_most_the_percentile(times: list[float]) -> None:
    for quantile in (0.5, 0.9):
        measure = percentile(Compared(times, ()), quantile)
        reached = sum(one < inf for one in times) >= ceil(quantile * len(times) - 1e-9)
        assert (measure.value is not None) == reached
        if measure.value is not None:
            assert sum(one <= measure.value for one in times) >= quantile * len(times) - 1e-9
            assert sum(one < measure.value for one in times) < quantile * len(times)


# Rows


def test_rows_hold_what_is_spoken_of_now_or_was_last_week_the_most_first() -> None:
    now = week(9, country={"FR": Tally(mentions=3), "JP": Tally(mentions=3), "US": Tally(mentions=3)})
    last = week(5, country={"BE": Tally(mentions=5)})
    before = week(5, country={"ES": Tally(mentions=5)})
    rows = spoken(Compared(now, (last, before, None, None))).by_country
    assert [row.key for row in rows] == ["FR", "JP", "US", "BE"]
    gone = rows[-1].mentions
    assert (gone.value, gone.last, gone.mean) == (0, 5, 2.5)
    new = rows[0].mentions
    assert (new.last, new.mean) == (0, 0)


def test_days_stand_beside_the_same_days_of_the_weeks_that_were_listened_to() -> None:
    told = spoken(Compared(week(8, 2), (week(4, 1), None, week(2, 0), None)))
    assert (told.days[0].mentions, told.days[0].complaints) == (8, 2)
    assert (told.days[0].usual_mentions, told.days[0].usual_complaints) == (3, 0.5)
    assert (told.days[6].mentions, told.days[6].usual_mentions) == (0, 0)
    assert spoken(Compared(week(8), (None,) * 4)).days[0].usual_mentions is None


def test_an_empty_week_says_nothing_of_shares_and_has_no_rows() -> None:
    told = spoken(Compared(week(), (None,) * 4))
    assert (told.mentions.value, told.reach.value) == (0, 0)
    assert (told.complaint_share.lack, told.net_sentiment.lack) == ("nothing", "nothing")
    assert told.by_country == told.by_product == told.by_brand == ()


# Share of voice

NAMES = (("acme", "Acme", False), ("bolt", "Bolt", False), ("rival", "Rival", True))


def voices(**mentions: int) -> WeekCounts:
    """Return a week with so many mentions of each brand."""
    found = WeekCounts()
    found.brands = {name: BrandTally(number, number, 0) for name, number in mentions.items()}
    return found


def test_shares_of_voice_add_up_to_one_and_silent_brands_stand_there() -> None:
    told = share_of_voice(Compared(voices(acme=30, rival=10), (voices(bolt=20), None)), NAMES)
    assert [(one.brand, one.share.value) for one in told] == [("acme", 0.75), ("rival", 0.25), ("bolt", 0.0)]
    assert [one.share.last for one in told] == [0.0, 0.0, 1.0]
    assert [one.competitor for one in told] == [False, True, False]
    assert told[2].net_sentiment.lack == "nothing"


def test_brands_that_are_not_asked_for_do_not_count_in_the_whole() -> None:
    told = share_of_voice(Compared(voices(acme=30, bolt=50, rival=10), ()), (NAMES[0], NAMES[2]))
    assert [(one.brand, one.share.part, one.share.of) for one in told] == [("acme", 30, 40), ("rival", 10, 40)]


def test_one_brand_alone_has_no_share_of_voice() -> None:
    assert share_of_voice(Compared(voices(acme=30), ()), NAMES[:1]) == ()


def test_a_week_in_which_nobody_spoke_has_no_shares() -> None:
    told = share_of_voice(Compared(voices(), (voices(acme=20),)), NAMES)
    assert {one.share.lack for one in told} == {"nothing"}


# Advice on answers


@pytest.mark.parametrize(("due_in", "advised"), [(timedelta(hours=2), False), (timedelta(minutes=-1), True)])
def test_nobody_is_told_to_answer_more_before_answers_are_due(due_in: timedelta, advised: bool) -> None:
    now = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
    raised: Any = SimpleNamespace(
        country="FR", opened_at=now - timedelta(minutes=9), answered_at=None, respond_by=now + due_in
    )
    cases = Compared([_Case(raised) for _ in range(11)], ())
    rows = _rows(cases, cases, lambda one: one.alert.country, now)
    none = share(Compared((0, 0), ()))
    desk: Any = SimpleNamespace(by_country=rows, precision=none, recontacts=none)
    assert ("answers_few" in [one.kind for one in _answers(desk)]) is advised
