from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.heads import Heads
from classifiers.held_out import HELD_OUT_FILE, labels_of, load_held_out, logits_of, save_held_out
from classifiers.training.data import Example
from listener.errors import ModelUnavailableError
from tests.unit.classifiers.learning_world import labels_by
from tests.unit.classifiers.test_heads import N_FEATURES


def features(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, N_FEATURES)).astype(np.float32)


@pytest.fixture
def saved(heads: Heads, tmp_path: Path) -> Path:
    labels = labels_by(heads, heads.hidden(features(40, 1)))
    return save_held_out(heads, features(40, 1), labels, features(30, 2), tmp_path)


def test_what_was_saved_scores_as_the_posts_themselves(heads: Heads, saved: Path) -> None:
    found = load_held_out(heads, saved.parent)
    logits = heads.logits(features(40, 1)) * heads.calibration.scale + heads.calibration.shift
    assert np.allclose(logits_of(heads, found.hidden), logits, atol=0.02)
    assert len(found.labels) == 40
    assert len(found.anchors) == 30
    labels = labels_by(heads, heads.hidden(features(40, 1)))
    assert np.array_equal(found.labels.signals, labels.signals)
    assert found.labels.languages == labels.languages


def test_no_text_is_in_the_file(heads: Heads, tmp_path: Path) -> None:
    secret = "the parcel of Ann at 4 Larch Close is late"
    example = Example(secret, "en", "a_set", "g", 1, 2, 0, (0,) * 8, None)
    labels = labels_of([example])
    path = save_held_out(heads, features(1, 1), labels, features(3, 2), tmp_path)
    assert b"Larch" not in path.read_bytes()
    assert labels.lengths.tolist() == [len(secret)]
    assert labels.sentiment.tolist() == [-1]


@pytest.mark.parametrize("damage", ["gone", "cut", "noise", "empty"])
def test_a_damaged_file_is_named(heads: Heads, saved: Path, damage: str) -> None:
    content = saved.read_bytes()
    if damage == "gone":
        saved.unlink()
    else:
        saved.write_bytes({"cut": content[: len(content) // 2], "noise": b"\x07" * 200, "empty": b""}[damage])
    with pytest.raises(ModelUnavailableError, match=rf"{HELD_OUT_FILE}.*restore it together with the heads"):
        load_held_out(heads, saved.parent)


def test_a_file_made_for_other_heads_is_refused(heads: Heads, saved: Path) -> None:
    with pytest.raises(
        ModelUnavailableError, match=r"made for heads-2.0000000000, the heads beside it are heads-2.new"
    ):
        load_held_out(replace(heads, version="heads-2+new"), saved.parent)
