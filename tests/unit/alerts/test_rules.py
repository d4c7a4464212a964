from dataclasses import replace

import pytest

from alerts.priority import score_priority
from alerts.rules import Decision, decide
from listener.config import Thresholds
from listener.model import Classification, Influence, Sentiment, Urgency

BASE = Classification(
    language="fr",
    complaint=0.9,
    urgency=Urgency.MEDIUM,
    urgency_probabilities=(0.05, 0.15, 0.7, 0.1),
    sentiment=Sentiment.NEGATIVE,
    sentiment_probabilities=(0.9, 0.08, 0.02),
    topic="delivery",
    topic_probability=0.8,
    signals={},
    model="test",
)
NOBODY = Influence(0.0, 0.0, 0.0, ())
LOUD = Influence(0.8, 0.8, 0.0, ())
URGENT = (0.0, 0.05, 0.15, 0.8)
CALM = (0.7, 0.25, 0.05, 0.0)


def decided(
    classification: Classification, influence: Influence = NOBODY, thresholds: Thresholds | None = None
) -> Decision:
    priority = score_priority(classification.urgency_score, influence.score, 0.0)
    return decide(classification, influence, priority, thresholds or Thresholds())


def test_what_cannot_wait_is_of_the_highest_severity_whoever_wrote_it() -> None:
    decision = decided(replace(BASE, urgency_probabilities=URGENT))
    assert decision.raises
    assert decision.severity == 3
    assert "urgent" in decision.rules


def test_what_may_be_urgent_is_raised_a_step_below() -> None:
    decision = decided(replace(BASE, complaint=0.3, urgency_probabilities=(0.3, 0.3, 0.1, 0.3)))
    assert (decision.raises, decision.severity, decision.rules) == (True, 2, ("urgent",))


def test_an_open_problem_of_a_small_account_is_raised_mildly() -> None:
    decision = decided(BASE)
    assert (decision.raises, decision.severity, decision.rules) == (True, 1, ("open-problem",))


def test_a_mild_complaint_by_a_loud_voice_is_raised() -> None:
    mild = replace(BASE, urgency_probabilities=CALM)
    assert not decided(mild).raises
    decision = decided(mild, LOUD)
    assert decision.rules == ("influential-critic",)
    assert decision.severity == 2


def test_praise_is_raised_only_where_the_voice_carries() -> None:
    praise = replace(
        BASE, complaint=0.02, topic="praise", sentiment=Sentiment.POSITIVE, urgency_probabilities=(1.0, 0.0, 0.0, 0.0)
    )
    assert not decided(praise).raises
    decision = decided(praise, LOUD)
    assert decision.rules == ("praise",)
    assert decision.severity == 1


def test_chatter_stays_quiet_and_every_rule_says_why() -> None:
    decision = decided(replace(BASE, complaint=0.1, urgency_probabilities=CALM), LOUD)
    assert not decision.raises
    assert decision.severity == 0
    assert len(decision.verdicts) == 4
    assert all("threshold" in verdict.because for verdict in decision.verdicts)


@pytest.mark.parametrize(("name", "value"), [("urgent", 0.9), ("priority", 0.9), ("complaint", 0.95)])
def test_a_higher_threshold_raises_less(name: str, value: float) -> None:
    strict = Thresholds(**{"urgent": 1.0, "priority": 1.0, "influence": 1.0, name: value})
    assert not decided(replace(BASE, urgency_probabilities=URGENT), NOBODY, strict).raises
