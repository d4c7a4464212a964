import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.heads import (
    BLOCKS,
    METADATA_FILE,
    N_LOGITS,
    TENSORS_FILE,
    Calibration,
    Heads,
    Member,
    load_heads,
    save_heads,
)
from listener.errors import ModelUnavailableError
from listener.model import SIGNALS, TOPICS, Sentiment

N_FEATURES, HIDDEN = 20, 8


def random_member(seed: int) -> Member:
    random = np.random.default_rng(seed)
    shapes = [(N_FEATURES,), (N_FEATURES,), (HIDDEN, N_FEATURES), (HIDDEN,), (N_LOGITS, HIDDEN), (N_LOGITS,)]
    arrays = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    arrays[1] = np.abs(arrays[1]) + 0.5
    return Member(*arrays)


@pytest.fixture
def heads() -> Heads:
    ones, zeros = np.ones(N_LOGITS, np.float32), np.zeros(N_LOGITS, np.float32)
    members = (random_member(1), random_member(2))
    return Heads(members, Calibration(ones, zeros), np.full(8, 0.4, np.float32), (6, 12), "")


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(5).normal(size=(7, N_FEATURES)).astype(np.float32)


def test_blocks_cover_every_logit_once() -> None:
    columns = [column for block in BLOCKS.values() for column in range(*block.indices(N_LOGITS))]
    assert sorted(columns) == list(range(N_LOGITS))
    assert (len(TOPICS), len(SIGNALS), len(Sentiment)) == (13, 8, 3)


def test_probabilities_are_probabilities(heads: Heads, features: np.ndarray) -> None:
    scores = heads.score(features * 100)
    for choice in (scores.urgency, scores.topic, scores.sentiment):
        assert (choice >= 0).all()
        assert np.allclose(choice.sum(axis=1), 1, atol=1e-5)
    for question in (scores.complaint, scores.signals):
        assert ((question >= 0) & (question <= 1)).all()


def test_higher_level_is_never_likelier_than_the_one_below_it_is_reached() -> None:
    logits = np.zeros((1, N_LOGITS), np.float32)
    logits[0, BLOCKS["urgency"]] = [-1.0, 0.0, 3.0]
    levels = Calibration(np.ones(N_LOGITS, np.float32), np.zeros(N_LOGITS, np.float32)).apply(logits).urgency[0]
    assert np.allclose(levels, [1 - 0.2689, 0, 0, 0.2689], atol=1e-3)


def test_calibration_scales_and_shifts() -> None:
    scale, shift = np.full(N_LOGITS, 2.0, np.float32), np.full(N_LOGITS, -1.0, np.float32)
    logits = np.full((1, N_LOGITS), 0.5, np.float32)
    assert Calibration(scale, shift).apply(logits).complaint[0] == pytest.approx(0.5)


def test_members_are_averaged(heads: Heads, features: np.ndarray) -> None:
    each = [member.logits(features) for member in heads.members]
    assert np.allclose(heads.logits(features), (each[0] + each[1]) / 2, atol=1e-5)


def test_member_computes_what_its_weights_say(features: np.ndarray) -> None:
    member = random_member(3)
    hidden = np.maximum((features - member.mean) / member.deviation @ member.hidden_weight.T + member.hidden_bias, 0)
    assert np.allclose(member.logits(features), hidden @ member.output_weight.T + member.output_bias, atol=1e-4)


def test_saved_heads_load_with_the_same_results(heads: Heads, features: np.ndarray, tmp_path: Path) -> None:
    version = save_heads(heads, {"note": "x"}, tmp_path)
    loaded = load_heads(tmp_path)
    assert loaded.version == version
    assert version.startswith("heads-2+")
    assert loaded.layers == (6, 12)
    assert np.allclose(loaded.score(features).topic, heads.score(features).topic, atol=5e-3)
    assert json.loads((tmp_path / METADATA_FILE).read_text())["note"] == "x"


def test_other_weights_have_another_version(heads: Heads, tmp_path: Path) -> None:
    first = save_heads(heads, {}, tmp_path)
    assert save_heads(Heads(heads.members[:1], heads.calibration, heads.thresholds, (6,), ""), {}, tmp_path) != first
    assert save_heads(replace(heads, adapter="ab" * 32), {}, tmp_path) != first
    assert load_heads(tmp_path).adapter == "ab" * 32


@pytest.mark.parametrize("name", [TENSORS_FILE, METADATA_FILE])
def test_missing_or_cut_file_is_named(heads: Heads, tmp_path: Path, name: str) -> None:
    save_heads(heads, {}, tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelUnavailableError, match=r"heads\.safetensors and heads\.json"):
        load_heads(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelUnavailableError, match=name.replace(".", r"\.")):
        load_heads(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", 99), ("topics", ["weather"]), ("members", 5), ("layers", None), ("adapter", 7), ("tensors", "ab")],
)
def test_heads_made_for_another_program_are_refused(heads: Heads, tmp_path: Path, key: str, value: object) -> None:
    save_heads(heads, {}, tmp_path)
    metadata = json.loads((tmp_path / METADATA_FILE).read_text())
    (tmp_path / METADATA_FILE).write_text(json.dumps({**metadata, key: value}))
    with pytest.raises(ModelUnavailableError):
        load_heads(tmp_path)


def test_shipped_heads_load_and_say_what_they_came_from() -> None:
    shipped = load_heads()
    metadata = json.loads((Path("classifiers/weights") / METADATA_FILE).read_text("utf-8"))
    assert shipped.members[0].mean.shape == (384 * len(shipped.layers),)
    assert all(len(digest) == 64 for digest in metadata["data_sha256"].values())
    assert "noncommercial" not in {source["licence_class"] for source in metadata["sources"]}
    assert metadata["settings"]["seeds"]
