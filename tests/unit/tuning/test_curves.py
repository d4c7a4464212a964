"""Stricter and looser thresholds: what they let go, and what they never do."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.priority import score_priority
from alerts.rules import decide
from listener.config import Config, Thresholds
from listener.errors import ListenerError
from listener.model import Classification, Influence, Sentiment, Urgency
from listener.tuning.budgets import Budget, needed_verdicts, parse_budget
from listener.tuning.columns import Columns
from listener.tuning.curves import KNOBS, Curve, between
from listener.tuning.deciding import decide_rows
from listener.tuning.proposals import for_budget, for_precision, is_told
from listener.tuning.tuned import of_country
from tests.unit.tuning.made_columns import columns, config

SCORE = st.floats(0, 1).map(lambda value: round(value, 3))


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return config(tmp_path_factory.mktemp("rules"))


def many(size: int, seed: int = 1, verdicts: bool = False) -> Columns:
    """Return posts like those of a country, of which people found the likelier complaints right."""
    rng = np.random.default_rng(seed)
    complaint, high = rng.beta(1.5, 1.5, size), rng.beta(1, 9, size)
    said = [bool(rng.random() < one**2) if verdicts and one >= 0.5 else None for one in complaint]
    return columns(
        complaint.tolist(),
        high.tolist(),
        np.clip(complaint * 0.6 + high * 0.4, 0, 1).tolist(),
        rng.beta(1, 5, size).tolist(),
        authors=rng.integers(0, size // 2 + 1, size).tolist(),
        praise=(rng.random(size) < 0.1).tolist(),
        said=said,
    )


def curve(made: Columns, rules: Config, country: str = "FR") -> Curve:
    days = (made.until - made.since).total_seconds() / 86400
    return Curve(made, rules, country, {}, days)


@given(st.lists(st.tuples(SCORE, SCORE, SCORE, SCORE, st.booleans()), min_size=1, max_size=8), st.tuples(*[SCORE] * 5))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_post_raises_exactly_where_the_rules_say(rules: Config, posts: list[tuple], values: tuple) -> None:
    thresholds = dict(zip(KNOBS, values, strict=True))
    complaint, high, urgency, influence, praise = map(list, zip(*posts, strict=True))
    made = curve(columns(complaint, high, urgency, influence, praise=praise), rules)
    found = made.scores().raises(thresholds).tolist()
    for place, post in enumerate(posts):
        verdict = decide(
            Classification(
                language="en",
                complaint=post[0],
                urgency=Urgency.NONE,
                urgency_probabilities=(0, 0, 1 - post[1], post[1]),
                sentiment=Sentiment.POSITIVE if post[4] else Sentiment.NEGATIVE,
                sentiment_probabilities=(0.2, 0.3, 0.5),
                topic="praise" if post[4] else "delivery",
                topic_probability=1.0,
                signals={},
                model="m",
            ),
            Influence(post[3], 0.0, 0.0, ()),
            score_priority(post[2], post[3], 0.0),
            Thresholds(**thresholds),
        )
        assert found[place] == verdict.raises


@given(st.integers(1, 10_000), st.integers(1, 150), st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_each_step_is_stricter_and_no_alert_of_severity_3_goes(
    rules: Config, seed: int, size: int, verdicts: bool, righter: bool
) -> None:
    made = curve(many(size, seed, verdicts), rules)
    path = [made.now, *(made.righter if righter else made.stricter)]
    for before, after in pairwise(path):
        assert all(after[knob] >= before[knob] for knob in KNOBS)
        assert before != after
    for settings_ in path:
        assert all(round(value, 2) == value for value in settings_.values())
        assert settings_["urgent"] <= 0.4
        assert settings_["priority"] <= 0.65
        point = made.at(settings_)
        assert all(alert.severity < 3 for alert in point.lost)
        assert point.by_severity[3] >= made.present.by_severity[3]
    for before, after in pairwise([made.now, *made.looser]):
        assert all(after[knob] <= before[knob] for knob in KNOBS)
    lost = [{alert.place for alert in made.at(one).lost} for one in path]
    assert all(before <= after for before, after in pairwise(lost))


def test_steps_that_lose_an_alert_found_right_come_last(rules: Config) -> None:
    """Of forty alerts alike but for their priority, people found the weakest ten right and said nothing of the rest."""
    urgency = [0.6 + 0.005 * place for place in range(40)]
    influence = [0.3] * 40
    said = [place < 10 or None for place in range(40)]
    complaint = [0.9 if place < 10 else 0.7 for place in range(40)]
    made = curve(columns(complaint, [0.0] * 40, urgency, influence, said=said), rules)
    assert made.present.alerts == 40
    losses = [made.at(one) for one in made.stricter]
    before = [point for point in losses if len(point.lost) <= 30]
    assert max(len(point.lost) for point in before) == 30
    assert all(point.lost_useful == 0 for point in before)


def test_a_budget_is_met_by_the_loosest_settings_that_meet_it(rules: Config) -> None:
    made = curve(many(600), rules)
    for wish in (25.0, 12.0, 6.0):
        proposal = for_budget(made, Budget("x", wish))
        if made.present.per_day <= wish:
            assert proposal.met
            assert proposal.proposed is None
            continue
        point = proposal.proposed
        assert point is not None
        assert wish * 0.85 < point.per_day <= wish
        assert proposal.changes
        assert point in proposal.curve
        assert all(after.alerts <= before.alerts for before, after in pairwise(proposal.curve))


def test_what_people_found_wrong_goes_first(rules: Config) -> None:
    made = curve(many(800, verdicts=True), rules)
    wrong = [made.said(alert) == "noise" for alert in made.at(made.stricter[-1]).lost]
    point = for_budget(made, Budget("x", made.present.per_day * 0.6)).proposed
    assert point is not None
    gone = [made.said(alert) == "noise" for alert in point.lost]
    assert sum(gone) / len(gone) > sum(wrong) / len(wrong)


def test_a_precision_is_met_with_enough_verdicts_left(rules: Config) -> None:
    made = curve(many(1500, verdicts=True), rules)
    present = made.present.precision.value or 0.0
    proposal = for_precision(made, round(present + 0.1, 2))
    assert proposal.proposed is not None
    assert (proposal.proposed.precision.value or 0) >= round(present + 0.1, 2)
    assert is_told(proposal.proposed)
    assert for_precision(made, round(present - 0.05, 2)).met
    unmet = for_precision(made, 0.99)
    assert unmet.proposed is None
    assert not unmet.met
    assert (unmet.best.precision.value or 0) < 0.99


def test_too_few_verdicts_are_counted_out(rules: Config) -> None:
    with pytest.raises(ListenerError, match=r"people judged 0 of the \d+ alerts .* 62 verdicts are needed"):
        for_precision(curve(many(200), rules), 0.8)


def test_a_wish_that_only_severe_alerts_stand_against_is_not_met(rules: Config) -> None:
    made = curve(columns([0.9] * 20, [0.8] * 20, [0.9] * 20, [0.1] * 20), rules)
    proposal = for_budget(made, parse_budget("1/day"))
    assert (proposal.met, proposal.proposed, proposal.strictest.alerts) == (False, None, 20)


def test_a_post_that_two_rules_hold_for_is_let_go_by_both_together(rules: Config) -> None:
    made = curve(columns([0.9] * 10, [0.3] * 10, [0.6] * 10, [0.1] * 10), rules)
    assert made.present.alerts == 10
    point = for_budget(made, parse_budget("1/week")).proposed
    assert point is not None
    assert point.alerts == 0
    assert point.settings["priority"] > 0.3
    assert point.settings["urgent"] > 0.3
    assert {knob for knob in KNOBS if point.settings[knob] != made.now[knob]} == {"priority", "urgent"}


def test_nothing_to_decide_on_is_no_fault(rules: Config) -> None:
    made = curve(columns([], [], [], []), rules)
    assert made.present.alerts == 0
    assert made.stricter == []
    assert made.looser == []
    assert math.isnan(made.present.complaints_told)
    assert for_budget(made, parse_budget("1/day")).met


def test_figures_are_of_the_one_country(rules: Config) -> None:
    half = [place % 2 for place in range(20)]
    both = columns([0.9] * 20, [0.0] * 20, [0.9] * 20, [0.1] * 20, countries=half)
    made = curve(of_country(both, "FR"), rules)
    assert made.present.alerts == 10
    assert made.present.complaints_told == 1.0


def test_one_country_alone_decides_as_within_all(rules: Config) -> None:
    rng = np.random.default_rng(3)
    size = 400
    whole = many(size)
    whole.country = rng.integers(0, 2, size)
    part = of_country(whole, "FR")
    assert 0 < len(part) < size
    one, all_of_them = curve(part, rules), curve(whole, rules)
    assert one.present.alerts == all_of_them.present.alerts
    assert dict(one.present.by_severity) == dict(all_of_them.present.by_severity)
    tighter = {**one.now, "priority": 0.4}
    assert one.at(tighter).alerts == all_of_them.at(tighter).alerts
    assert len(decide_rows(part, rules).rules) == len(part)


def test_the_way_between_two_settings_is_as_fine_as_it_gets() -> None:
    start = dict.fromkeys(KNOBS, 0.3)
    ways = between(start, {**start, "priority": 0.33, "urgent": 0.305})
    assert [way["priority"] for way in ways] == [0.31, 0.32, 0.33]
    assert all(way["urgent"] <= 0.305 for way in ways)
    assert between(start, start) == []


@pytest.mark.parametrize(
    ("text", "per_day"), [("25/day", 25.0), ("100/week", 100 / 7), ("3/hour", 72.0), (" 2.5 / day ", 2.5)]
)
def test_a_budget_is_so_many_a_day(text: str, per_day: float) -> None:
    assert parse_budget(text).per_day == pytest.approx(per_day)


@pytest.mark.parametrize("text", ["", "25", "25/year", "0/day", "-3/day", "1e3/day", "9" * 30 + "/day", "٣/day"])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(ListenerError, match="such as 25/day"):
        parse_budget(text)


def test_more_verdicts_are_needed_the_less_certain_the_share() -> None:
    assert [needed_verdicts(share) for share in (0.5, 0.8, 0.9, 0.99)] == [97, 62, 35, 30]
