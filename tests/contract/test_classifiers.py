"""What every classifier promises, run on each one there is."""

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from listener.model import SIGNALS, TOPICS, Classification, Sentiment, Urgency

if TYPE_CHECKING:
    from classifiers.base import Classifier

TEXTS = ["Где мой заказ? Третий день жду.", "", "thanks!", "\ud800\x00", "漏水了" * 3000, "thanks!", "@a", "१२३ 😡"]


@pytest.fixture(params=["classifier", "default_classifier"])
def subject(request: pytest.FixtureRequest) -> "Classifier":
    found: Classifier = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def results(subject: "Classifier") -> Iterator[list[Classification]]:
    return subject.classify(
        TEXTS, network_languages=["ru", None, "en", "und", "zh", "xx", None, "hi"], country_languages=[["ru", "en"]] * 8
    )


def test_one_result_per_text(results: list[Classification]) -> None:
    assert len(results) == len(TEXTS)


def test_every_score_lies_between_nothing_and_certainty(results: list[Classification]) -> None:
    for one in results:
        scores = [one.complaint, one.topic_probability, one.urgency_score, *one.signals.values()]
        assert all(0.0 <= score <= 1.0 for score in [*scores, *one.urgency_probabilities, *one.sentiment_probabilities])
        assert sum(one.urgency_probabilities) == pytest.approx(1.0)
        assert sum(one.sentiment_probabilities) == pytest.approx(1.0)


def test_labels_are_known_and_types_plain(results: list[Classification]) -> None:
    for one in results:
        assert one.topic in TOPICS
        assert set(one.signals) <= set(SIGNALS)
        assert isinstance(one.urgency, Urgency)
        assert isinstance(one.sentiment, Sentiment)
        assert {type(getattr(one, field.name)) for field in fields(one)} <= {
            str, float, tuple, dict, bytes, Urgency, Sentiment, type(None)
        }  # fmt: skip
        assert all(type(share) is float for share in one.urgency_probabilities)


def test_language_is_a_tag(results: list[Classification]) -> None:
    assert results[0].language == "ru"
    assert all(one.language == "zh-Hant" or (one.language.isalpha() and len(one.language) <= 3) for one in results)


def test_same_text_same_result(results: list[Classification]) -> None:
    assert results[2].complaint == results[5].complaint


def test_version_stands_in_every_result(subject: "Classifier", results: list[Classification]) -> None:
    assert {one.model for one in results} == {subject.version}
