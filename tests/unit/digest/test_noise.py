"""How often noise is called a change, how often a change is noticed, and what stands at the edges."""

from collections.abc import Callable, Sequence
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.digest import noise
from listener.digest.model import Verdict

TRIALS = 4_000
CALLED = {"up", "down"}
Counts = np.ndarray


def counts(rng: np.random.Generator, mean: float, scatter: float, size: tuple[int, int]) -> Counts:
    """Return counts whose variance is `scatter` times their mean."""
    if scatter == 1:
        return rng.poisson(mean, size)
    return rng.negative_binomial(mean / (scatter - 1), 1 / scatter, size)


def called(mean: float, scatter: float, factor: float = 1.0, trials: int = TRIALS) -> float:
    """Return in which share of weeks a change is called where the mean is `factor` times that of the weeks before."""
    rng = np.random.default_rng([int(mean), int(scatter), int(10 * factor)])
    now = counts(rng, factor * mean, scatter, (trials, 1))[:, 0]
    before = counts(rng, mean, scatter, (trials, 4))
    said = [noise.of_counts(float(one), [float(b) for b in four]) for one, four in zip(now, before, strict=True)]
    return sum(one in CALLED for one in said) / trials


@pytest.mark.parametrize("mean", [5, 20, 100, 1_000])
@pytest.mark.parametrize(
    ("scatter", "least", "most"), [(1, 0.001, 0.013), (2, 0.02, 0.055), (4, 0.055, 0.095), (8, 0.085, 0.135)]
)
def test_noise_is_called_a_change_as_rarely_as_the_manual_says(
    mean: float, scatter: float, least: float, most: float
) -> None:
    assert least <= called(mean, scatter) <= most


@pytest.mark.parametrize(
    ("mean", "scatter", "least", "most"), [(20, 2, 0.20, 0.28), (100, 4, 0.50, 0.64), (100, 1, 0.84, 0.94)]
)
def test_half_as_many_again_are_noticed_as_often_as_the_manual_says(
    mean: float, scatter: float, least: float, most: float
) -> None:
    assert least <= called(mean, scatter, 1.5) <= most


def test_a_doubling_of_many_is_noticed_nearly_always_and_a_halving_too() -> None:
    assert called(200, 2, 2.0, 1_000) > 0.99
    assert called(200, 2, 0.5, 1_000) > 0.95


def test_a_share_that_did_not_change_is_called_changed_once_in_twenty_at_most() -> None:
    rng = np.random.default_rng(11)
    for share in (0.05, 0.3, 0.9):
        for whole in (40, 400):
            parts = rng.binomial(whole, share, (2_000, 5))
            said = [noise.of_shares((int(one[0]), whole), [(int(part), whole) for part in one[1:]]) for one in parts]
            assert sum(one in CALLED for one in said) / 2_000 < 0.05, (share, whole)


def test_a_share_that_moved_by_fifteen_points_is_noticed() -> None:
    rng = np.random.default_rng(12)
    now, before = rng.binomial(500, 0.45, 1_000), rng.binomial(500, 0.30, (1_000, 4))
    said = [
        noise.of_shares((int(one), 500), [(int(b), 500) for b in four]) for one, four in zip(now, before, strict=True)
    ]
    assert said.count("up") / 1_000 > 0.95
    assert "down" not in said


def test_a_net_sentiment_that_did_not_change_is_called_changed_once_in_twenty_at_most() -> None:
    rng = np.random.default_rng(13)
    weeks = rng.multinomial(300, [0.2, 0.5, 0.3], (2_000, 5))
    said = [
        noise.of_tones((int(one[0][0]), int(one[0][1]), 300), [(int(week[0]), int(week[1]), 300) for week in one[1:]])
        for one in weeks
    ]
    assert sum(one in CALLED for one in said) / 2_000 < 0.05


def test_times_that_did_not_change_are_called_changed_once_in_twenty_and_slower_ones_are_noticed() -> None:
    rng = np.random.default_rng(14)

    def said(factor: float) -> list[Verdict]:
        now, before = rng.lognormal(8, 1, (1_500, 25)) * factor, rng.lognormal(8, 1, (1_500, 80))
        return [noise.of_times(one.tolist(), four.tolist()) for one, four in zip(now, before, strict=True)]

    same, slower = said(1.0), said(3.0)
    assert 0.03 < sum(one in CALLED for one in same) / 1_500 < 0.065
    assert slower.count("up") / 1_500 > 0.95
    assert "down" not in slower


def test_a_reach_that_doubles_by_one_account_is_noise_and_one_of_ten_times_is_not() -> None:
    usual = [90_000.0, 120_000.0, 100_000.0, 110_000.0]
    assert noise.of_reach(200_000, usual) == "noise"
    assert noise.of_reach(1_000_000, usual) == "up"
    assert noise.of_reach(10_000, usual) == "down"


# The edges


@pytest.mark.parametrize("before", [[], [20.0]])
def test_fewer_than_two_weeks_say_nothing(before: Sequence[float]) -> None:
    assert noise.of_counts(500, before) == "unknown"
    assert noise.of_reach(500, before) == "unknown"
    assert noise.of_shares((50, 100), [(int(one), 100) for one in before]) == "unknown"
    assert noise.of_tones((50, 10, 100), [(int(one), 0, 100) for one in before]) == "unknown"


def test_fewer_than_ten_in_all_weeks_together_say_nothing() -> None:
    assert noise.of_counts(9, [0, 0, 0, 0]) == "unknown"
    assert noise.of_counts(0, [3, 2, 2, 2]) == "unknown"
    assert noise.of_counts(1, [3, 2, 2, 2]) != "unknown"
    assert noise.of_counts(0, [0, 0, 0, 0]) == "unknown"


def test_what_comes_out_of_nothing_is_more_and_what_stops_is_less() -> None:
    assert noise.of_counts(30, [0, 0, 0, 0]) == "up"
    assert noise.of_counts(0, [60, 70, 65, 58]) == "down"
    assert noise.of_counts(0, [3, 3, 3, 3]) == "noise"


def test_weeks_that_are_all_equal_scatter_at_least_by_chance() -> None:
    assert noise.of_counts(101, [100, 100, 100, 100]) == "noise"
    assert noise.of_counts(110, [100, 100, 100, 100]) == "noise"
    assert noise.of_counts(200, [100, 100, 100, 100]) == "up"
    assert noise.of_reach(100, [100, 100, 100, 100]) == "noise"
    assert noise.of_shares((50, 100), [(50, 100)] * 4) == "noise"
    assert noise.of_tones((30, 30, 100), [(30, 30, 100)] * 4) == "noise"


def test_weeks_that_scatter_wildly_make_the_same_number_noise() -> None:
    assert noise.of_counts(200, [100, 101, 99, 100]) == "up"
    assert noise.of_counts(200, [20, 300, 10, 70]) == "noise"


@pytest.mark.parametrize("part", [0, 100])
def test_shares_of_none_and_of_all_do_not_make_every_other_share_a_change(part: int) -> None:
    near = 1 if part == 0 else 99
    assert noise.of_shares((near, 100), [(part, 100)] * 4) == "noise"
    assert noise.of_shares((part, 100), [(part, 100)] * 4) == "noise"
    assert noise.of_shares((50, 100), [(part, 100)] * 4) in CALLED


def test_shares_of_too_few_say_nothing_and_silent_weeks_count_for_nothing() -> None:
    assert noise.of_shares((19, 19), [(0, 100)] * 4) == "unknown"
    assert noise.of_shares((20, 20), [(0, 5), (0, 5), (0, 5), (0, 4)]) == "unknown"
    assert noise.of_shares((0, 0), [(0, 100)] * 4) == "unknown"
    assert noise.of_shares((90, 100), [(0, 0), (10, 100), (0, 0), (12, 100)]) == "up"
    assert noise.of_tones((0, 90, 100), [(0, 0, 0), (50, 10, 100), (0, 0, 0), (48, 12, 100)]) == "down"
    assert noise.of_tones((0, 90, 100), [(0, 0, 0), (50, 10, 100)]) == "unknown"


def test_nobody_reached_is_no_logarithm() -> None:
    assert noise.of_reach(0, [100, 200]) == "unknown"
    assert noise.of_reach(1_000, [0, 0, 0, 0]) == "unknown"
    assert noise.of_reach(1_000, [0, 0, 1, 1]) == "up"


def test_fewer_than_ten_times_on_either_side_say_nothing() -> None:
    assert noise.of_times([1.0] * 9, [5.0] * 100) == "unknown"
    assert noise.of_times([1.0] * 100, [5.0] * 9) == "unknown"
    assert noise.of_times([], []) == "unknown"


def test_what_still_waits_counts_as_longer_than_all_else() -> None:
    before = [float(number) for number in range(100, 140)]
    assert noise.of_times([inf] * 12, before) == "up"
    assert noise.of_times(before[:12], [inf] * 40) == "down"
    assert noise.of_times([inf] * 12, [inf] * 40) == "noise"
    assert noise.of_times([*before[::2], *[inf] * 2], [*before, *[inf] * 4]) == "noise"


def test_times_that_are_all_equal_are_noise() -> None:
    assert noise.of_times([60.0] * 20, [60.0] * 80) == "noise"
    assert noise.of_times([0.0] * 20, [0.0] * 80) == "noise"


LISTS = st.lists(st.integers(0, 2_000), max_size=14)
PAIRS = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda pair: (min(pair), max(pair)))
TONES = st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200)).map(
    lambda one: (one[0], one[1], sum(one))
)


@given(st.integers(0, 5_000), LISTS)
def test_any_counts_have_a_verdict_and_more_is_never_less(now: int, before: list[int]) -> None:
    order = {"down": 0, "noise": 1, "up": 2}
    some: list[Callable[[float, Sequence[float]], Verdict]] = [noise.of_counts, noise.of_reach]
    for test in some:
        fewer, more = test(now, before), test(2 * now + 1, before)
        assert "unknown" in (fewer, more) or order[fewer] <= order[more]


@given(PAIRS, st.lists(PAIRS, max_size=6))
def test_any_shares_have_a_verdict_of_the_right_direction(now: tuple[int, int], before: list[tuple[int, int]]) -> None:
    said = noise.of_shares(now, before)
    whole = sum(one[1] for one in before)
    if said in CALLED:
        assert (now[0] / now[1] > sum(one[0] for one in before) / whole) == (said == "up")


@given(TONES, st.lists(TONES, max_size=6))
def test_any_tones_have_a_verdict(now: tuple[int, int, int], before: list[tuple[int, int, int]]) -> None:
    assert noise.of_tones(now, before) in {"up", "down", "noise", "unknown"}


TIMES = st.lists(st.sampled_from([0.0, 1.0, 60.0, 3_600.0, inf]), max_size=30)


@given(TIMES, TIMES)
def test_times_swapped_change_their_direction(now: list[float], before: list[float]) -> None:
    turned = {"up": "down", "down": "up"}
    said = noise.of_times(now, before)
    assert noise.of_times(before, now) == turned.get(said, said)
