import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.priority import Spread, score_priority, score_velocity
from listener.model import Engagement

score = st.floats(0, 1)
count = st.integers(0, 10**9)


def velocity(likes: int, reposts: int, age_h: float, copies: int, answers: int) -> float:
    return score_velocity(Spread(Engagement(likes=likes, reposts=reposts), age_h, copies, answers)).score


@given(score, score, score, score)
def test_priority_rises_with_each_of_its_three_terms(one: float, other: float, second: float, third: float) -> None:
    low, high = sorted((one, other))
    assert score_priority(low, second, third).score <= score_priority(high, second, third).score
    assert score_priority(second, low, third).score <= score_priority(second, high, third).score
    assert score_priority(second, third, low).score <= score_priority(second, third, high).score


@given(score, score, score, st.floats(0, 0.5), st.floats(0, 0.5))
def test_priority_stays_in_range_and_never_exceeds_urgency(
    urgency: float, influence: float, speed: float, by_influence: float, by_speed: float
) -> None:
    found = score_priority(urgency, influence, speed, influence_weight=by_influence, velocity_weight=by_speed)
    assert 0 <= found.score <= 1
    assert found.score <= urgency + 1e-12
    assert found == score_priority(urgency, influence, speed, influence_weight=by_influence, velocity_weight=by_speed)


def test_a_lost_passport_of_somebody_nobody_follows_keeps_most_of_its_urgency() -> None:
    assert score_priority(0.95, 0.0, 0.0).score == pytest.approx(0.5225)


def test_the_explanation_shows_every_term_and_weight() -> None:
    words = score_priority(0.8, 0.5, 0.25).explanation
    assert words == "urgency 0.80 x (0.55 + 0.30 x influence 0.50 + 0.15 x velocity 0.25)"


@pytest.mark.parametrize("terms", [(1.1, 0, 0), (0, -0.1, 0), (0, 0, float("nan"))])
def test_a_score_outside_its_range_is_refused(terms: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        score_priority(*terms)


def test_weights_that_leave_urgency_no_share_are_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        score_priority(0.5, 0.5, 0.5, influence_weight=0.8, velocity_weight=0.3)


@given(count, count, count, count, st.floats(0, 1000), st.integers(0, 500), st.integers(0, 500))
def test_velocity_rises_with_reactions_copies_and_answers(
    likes: int, more_likes: int, reposts: int, more: int, age_h: float, copies: int, answers: int
) -> None:
    base = velocity(likes, reposts, age_h, copies, answers)
    assert 0 <= base <= 1
    assert velocity(likes + more_likes, reposts, age_h, copies, answers) >= base
    assert velocity(likes, reposts + more, age_h, copies, answers) >= base
    assert velocity(likes, reposts, age_h, copies + 1, answers) >= base
    assert velocity(likes, reposts, age_h, copies, answers + 1) >= base
    assert velocity(likes, reposts, age_h + 1, copies, answers) <= base


def test_a_first_like_in_the_first_minute_is_no_explosion() -> None:
    assert velocity(1, 0, 0.0, 0, 0) < 0.02
