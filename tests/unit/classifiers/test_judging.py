import numpy as np
import pytest

from classifiers.heads import Heads
from classifiers.held_out import Labelled, logits_of
from classifiers.judging import by_length, changes, judge
from classifiers.learning import scores_of
from classifiers.training import measures
from tests.unit.classifiers.learning_world import labels_by, some_hidden


@pytest.fixture(scope="module")
def labels(heads: Heads) -> Labelled:
    return labels_by(heads, some_hidden(300, 6))


def test_figures_are_those_of_the_model_card(heads: Heads, labels: Labelled) -> None:
    # Scores of other posts, so that no figure is one.
    mixed = some_hidden(300, 6) * 0.7 + some_hidden(300, 7) * 0.3
    scores = scores_of(logits_of(heads, mixed))
    found = {one.figure: one.interval for one in judge({}, labels, scores)}
    rows = np.arange(300)
    truth, said = labels.complaint == 1, scores.complaint >= 0.5
    expected = {
        "complaint F1": 2 * (truth & said).sum() / (truth.sum() + said.sum()),
        "complaint precision": (truth & said).sum() / said.sum(),
        "complaint recall": (truth & said).sum() / truth.sum(),
        "urgency kappa": measures.kappa(labels.urgency, measures.expected_level(scores.urgency)),
        "urgency 3 found at 5 % false alarms": measures.urgent_recall(labels.urgency, scores, rows),
        "topic accuracy": (scores.topic.argmax(1) == labels.topic).mean(),
        "calibration error, complaint": measures.calibration_error(scores.complaint, truth),
        "calibration error, urgency 2 and above": measures.calibration_error(
            scores.urgency[:, 2:].sum(1), labels.urgency >= 2
        ),
    }
    for figure, value in expected.items():
        interval = found[figure]
        assert interval is not None
        assert interval.value == pytest.approx(value, abs=0.03 if "found" in figure else 1e-6), figure
        # Resampling adds chance to a calibration error, so its interval can lie above the figure itself.
        assert interval.low < interval.high, figure
        assert "error" in figure or interval.low < interval.value < interval.high, figure


def test_urgent_posts_of_a_kind_are_found_by_the_one_threshold_of_all_posts(heads: Heads, labels: Labelled) -> None:
    mixed = some_hidden(300, 6) * 0.7 + some_hidden(300, 7) * 0.3
    scores = scores_of(logits_of(heads, mixed))
    calmer = scores.urgency[:, 3] < np.quantile(scores.urgency[:, 3], 0.8)
    kinds = {"language": ["nl" if one else "en" for one in calmer]}
    found = {one.kind: one.interval for one in judge(kinds, labels, scores) if one.figure.startswith("urgency 3")}
    urgent = labels.urgency == 3
    threshold = np.quantile(scores.urgency[~urgent, 3], 0.95)
    for kind, rows in (("language nl", calmer), ("language en", ~calmer)):
        interval = found[kind]
        assert interval is not None
        assert interval.value == pytest.approx((scores.urgency[urgent & rows, 3] > threshold).mean())
    nl = found["language nl"]
    assert nl is not None
    assert (nl.value, nl.low, nl.high) == (0, 0, 0)


def test_too_few_posts_give_no_figure(heads: Heads, labels: Labelled) -> None:
    kinds = {"language": ["nl" if row < 12 else "en" for row in range(300)]}
    found = judge(kinds, labels, scores_of(logits_of(heads, some_hidden(300, 6))))
    assert {one.interval for one in found if one.kind == "language nl"} == {None}
    assert {one.n for one in found if one.kind == "language nl"} == {12}
    assert all(one.interval for one in found if one.kind == "language en")


def test_two_models_that_are_one_differ_by_nothing(heads: Heads, labels: Labelled) -> None:
    scores = scores_of(logits_of(heads, some_hidden(300, 6)))
    for one in changes("all", np.arange(300), labels, scores, scores):
        assert (one.gain.value, one.gain.low, one.gain.high) == (0, 0, 0)


def test_lengths_are_divided_as_in_the_model_card() -> None:
    assert by_length([1, 40, 41, 200, 400, 401]) == [
        "up to 40",
        "up to 40",
        "up to 100",
        "up to 200",
        "up to 400",
        "over 400",
    ]
