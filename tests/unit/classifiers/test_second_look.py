from pathlib import Path

import numpy as np
import pytest

from classifiers.backends import choose, load_encoder
from classifiers.heads import Heads, Scores, load_heads
from classifiers.language import LanguageIdentifier
from classifiers.mentions import MentionClassifier
from classifiers.second_look import MARGIN, are_open
from classifiers.text import mask
from listener.errors import ModelUnavailableError
from listener.model import Classification
from tests.unit.classifiers.test_mentions import HOSTILE, MILD, PRAISE, URGENT

TEXTS = [*URGENT.values(), *MILD.values(), *PRAISE.values(), *HOSTILE]


def scores(**parts: list[float]) -> Scores:
    clear = {"complaint": [0.9], "urgency": [0.0, 0.0, 1.0, 0.0], "sentiment": [0.9, 0.1, 0.0], "topic": [0.8, 0.2]}
    arrays = {name: np.array([parts.get(name, value)], dtype=np.float32) for name, value in clear.items()}
    return Scores(arrays["complaint"][0], arrays["urgency"], arrays["topic"], np.zeros((1, 8)), arrays["sentiment"])


def test_clear_labels_are_not_open() -> None:
    assert not are_open(scores()).any()


@pytest.mark.parametrize(
    "part",
    [
        {"complaint": [0.5 + MARGIN / 2.1]},
        {"complaint": [0.5 - MARGIN / 2.1]},
        {"urgency": [0.0, 0.52, 0.48, 0.0]},
        {"sentiment": [0.36, 0.34, 0.3]},
        {"topic": [0.52, 0.48]},
    ],
)
def test_a_label_led_closely_is_open(part: dict[str, list[float]]) -> None:
    assert are_open(scores(**part)).all()


@pytest.fixture(scope="module")
def exact(model_cache: Path) -> MentionClassifier:
    return MentionClassifier.load(model_cache, threads=2, backend="onnx-float32")


@pytest.fixture(scope="module")
def coarse(model_cache: Path) -> MentionClassifier:
    try:
        return MentionClassifier.load(model_cache, threads=2, backend="onnx-int8")
    except ModelUnavailableError as error:
        pytest.skip(str(error))


def labels(found: Classification) -> tuple[object, ...]:
    return found.complaint >= 0.5, found.urgency, found.sentiment, found.topic


def test_labels_in_8_bits_are_those_in_float32(coarse: MentionClassifier, exact: MentionClassifier) -> None:
    pairs = list(zip(coarse.classify(TEXTS), exact.classify(TEXTS), strict=True))
    assert sum(labels(one) == labels(other) for one, other in pairs) >= len(TEXTS) - 1
    assert max(abs(one.complaint - other.complaint) for one, other in pairs) < 0.25


def test_an_open_label_is_taken_in_float32_to_the_bit(coarse: MentionClassifier, exact: MentionClassifier) -> None:
    heads, coarse_encoder = load_heads(), coarse.encoder
    texts = list(dict.fromkeys(map(mask, TEXTS)))
    again = are_open(heads.score(coarse_encoder.embed(texts)))
    assert again.any()
    assert not again.all()
    found, expected = coarse.embed(texts), exact.embed(texts)
    assert (found[again] == expected[again]).all()
    assert (found[~again] != expected[~again]).any(axis=1).all()


def test_company_does_not_change_a_result_in_8_bits(coarse: MentionClassifier) -> None:
    together = coarse.embed(TEXTS)
    alone = np.concatenate([coarse.embed([text]) for text in TEXTS[::5]])
    assert (together[::5] == alone).all()


def test_reasons_do_not_change_the_labels(coarse: MentionClassifier) -> None:
    plain, explained = coarse.classify(TEXTS), coarse.classify(TEXTS, reasons=True)
    assert [labels(one) for one in plain] == [labels(one) for one in explained]


@pytest.fixture(scope="module")
def heads() -> Heads:
    return load_heads()


def test_heads_of_another_encoder_are_refused(checkpoint: Path, model_cache: Path, heads: Heads) -> None:
    encoder = load_encoder(choose("onnx-float32"), checkpoint, model_cache, layers=(12,), threads=1)
    with pytest.raises(ModelUnavailableError, match="1536 features and the encoder gives 384"):
        MentionClassifier(encoder, heads, LanguageIdentifier())
