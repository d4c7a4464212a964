import numpy as np
import pytest

from classifiers.heads import Heads
from classifiers.learning import TASKS
from classifiers.lessons import IMPLIED_WEIGHT, LEFT_WEIGHT, RESOLVED_WEIGHT, Said, Stood, evidence_of
from listener.model import TOPICS
from tests.unit.classifiers.learning_world import WIDTH, some_hidden


def evidence(heads: Heads, said: list[Said], stood: list[Stood]):
    return evidence_of(said, some_hidden(len(said), 1), stood, some_hidden(len(stood), 2), heads)


def test_a_thousand_corrections_of_one_text_count_once(heads: Heads) -> None:
    copies = [Said(f"@shop{number} The kettle is TOO expensive!", complaint=False) for number in range(1000)]
    made = evidence(heads, copies, [])
    assert len(made) == 1
    assert made.weights["complaint"].tolist() == [1.0]
    assert made.targets["complaint"].tolist() == [[0.0]]


def test_people_who_disagree_make_shares(heads: Heads) -> None:
    said = [Said("late again", True, 3, "delivery"), Said("Late again!", False, 1, "staff"), Said("late again", True)]
    made = evidence(heads, said, [])
    assert made.targets["complaint"][0, 0] == pytest.approx(2 / 3)
    assert made.targets["urgency"][0].tolist() == [1.0, 0.5, 0.5]
    topic = made.targets["topic"][0]
    assert (topic[TOPICS.index("delivery")], topic[TOPICS.index("staff")], topic.sum()) == (0.5, 0.5, 1.0)
    assert made.weights["sentiment"].tolist() == [0.0]


def test_no_complaint_implies_at_lesser_weight_that_nothing_is_urgent(heads: Heads) -> None:
    made = evidence(heads, [Said("nice one", False), Said("look", False, 2), Said("broken", True)], [])
    assert made.weights["urgency"].tolist() == [IMPLIED_WEIGHT, 1.0, 0.0]
    assert made.targets["urgency"].tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_alerts_left_standing_confirm_what_the_model_says_unless_corrected(heads: Heads) -> None:
    made = evidence(
        heads, [Said("Not this one", False)], [Stood("a"), Stood("b", True), Stood("not THIS one"), Stood("a")]
    )
    assert made.corrected.tolist() == [True, False, False]
    assert made.weights["complaint"].tolist() == [1.0, LEFT_WEIGHT, RESOLVED_WEIGHT]
    assert ((made.targets["complaint"][1:] == 1.0) | (made.targets["complaint"][1:] < 0.5)).all()
    assert made.targets["topic"][1:].sum(axis=1) == pytest.approx(1.0)


def test_nothing_said_is_no_evidence(heads: Heads) -> None:
    made = evidence_of([], np.zeros((0, WIDTH), np.float32), [], np.zeros((0, WIDTH), np.float32), heads)
    assert len(made) == 0
    assert all(made.weights[task].shape == (0,) for task in TASKS)
