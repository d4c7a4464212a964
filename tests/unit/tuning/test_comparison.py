"""Which alert of one run is which of another, and why one appears or vanishes."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from listener.console.words import Words
from listener.tuning.columns import OUTCOMES
from listener.tuning.comparison import paired
from listener.tuning.joining import Run, run_rules
from listener.tuning.reasons import _OUTCOMES, appeared, vanished
from tests.unit.tuning.made import changed, columns, config

ALARM = {"high": 0.9}


def runs(folder: Path, posts: list[dict[str, Any]], **changes: Any) -> tuple[Any, Run, Run, Any]:
    """Return columns, what the usual rules make of them, and what the changed rules make."""
    made, usual = columns(posts), config(folder)
    other = changed(usual, **changes)
    return made, run_rules(made, usual), run_rules(made, other), other


def test_an_alert_that_a_later_post_raises_is_the_same_alert(tmp_path: Path) -> None:
    thresholds = config(tmp_path).countries["FR"].thresholds.model_copy(update={"urgent": 0.5})
    posts = [{"high": 0.3, "author": 5}, {**ALARM, "author": 5}]
    _, then, now, _ = runs(tmp_path, posts, thresholds=thresholds)
    assert [one.row for one in then.raised] == [0]
    assert [one.row for one in now.raised] == [1]
    assert paired(then.raised, now.raised) == {0: 0}
    assert paired(now.raised, then.raised) == {0: 0}


def test_an_alert_that_splits_keeps_its_first_half_and_the_other_appears(tmp_path: Path) -> None:
    posts = [{**ALARM, "author": 5}, {**ALARM, "author": 5, "at": 100}]
    made, then, now, other = runs(tmp_path, posts, join_within=3600.0)
    assert (len(then.raised), len(now.raised)) == (1, 2)
    assert paired(then.raised, now.raised) == {0: 0}
    assert appeared(made, now.raised[1], then, now, other, None)[-1].startswith("then it joined the alert that x:p1")
    assert vanished(made, now.raised[1], then, other) == ("joins the alert that x:p1 would raise instead",)


def test_what_misses_a_threshold_says_which_and_by_how_much(tmp_path: Path) -> None:
    thresholds = config(tmp_path).countries["FR"].thresholds.model_copy(update={"urgent": 0.95})
    made, then, now, other = runs(tmp_path, [{**ALARM, "complaint": 0.1}], thresholds=thresholds)
    said = vanished(made, then.raised[0], now, other)
    assert said == ("urgent: chance of high urgency 0.900 misses 0.95 by 0.050",)
    usual = config(tmp_path)
    assert appeared(made, then.raised[0], now, then, usual, other) == (
        "urgent: chance of high urgency 0.900 meets 0.2",
        "then: urgent: chance of high urgency 0.900 misses 0.95 by 0.050",
    )


def test_why_an_alert_appears_or_vanishes_can_be_said_in_other_words(tmp_path: Path) -> None:
    thresholds = config(tmp_path).countries["FR"].thresholds.model_copy(update={"urgent": 0.95})
    made, then, now, other = runs(tmp_path, [{**ALARM, "complaint": 0.1}], thresholds=thresholds)
    french = Words.of("fr")
    said = (
        *vanished(made, then.raised[0], now, other),
        *appeared(made, then.raised[0], now, then, config(tmp_path), other),
    )
    assert len(said) == 3
    assert all("probabilité d’urgence élevée 0.900" in french.said(one) for one in said)


def test_every_outcome_has_its_words() -> None:
    assert _OUTCOMES == OUTCOMES


def test_what_is_not_listened_to_any_more_says_so(tmp_path: Path) -> None:
    made, then, now, other = runs(tmp_path, [ALARM], mode="off")
    assert vanished(made, then.raised[0], now, other) == ("nobody listens in FR",)
    made, then, now, other = runs(tmp_path, [{**ALARM, "age_s": 7200.0}])
    old = run_rules(columns([{**ALARM, "age_s": 7200.0, "max_age_s": 60.0}]), other)
    assert vanished(made, then.raised[0], old, other) == ("too old: posted 2.0 h before it was read",)


post = some.fixed_dictionaries(
    {"author": some.integers(1, 4), "high": some.sampled_from([0.0, 0.25, 0.5, 0.9]), "at": some.integers(0, 300)}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(post, max_size=12), some.floats(0, 1), some.sampled_from([60.0, 3600.0, 86400.0]))
def test_no_alert_is_paired_twice_and_a_run_with_itself_is_paired_whole(
    tmp_path: Path, posts: list[dict[str, Any]], urgent: float, within: float
) -> None:
    thresholds = config(tmp_path).countries["FR"].thresholds.model_copy(update={"urgent": urgent})
    posts = sorted(posts, key=lambda one: one["at"])
    _, then, now, _ = runs(tmp_path, posts, thresholds=thresholds, join_within=within)
    pairs = paired(then.raised, now.raised)
    assert len(set(pairs.values())) == len(pairs)
    for one, other in pairs.items():
        assert set(then.alerts[one].members) & set(now.alerts[other].members)
    assert paired(then.raised, then.raised) == {one.place: one.place for one in then.raised}
