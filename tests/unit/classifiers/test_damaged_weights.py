"""Whatever happens to the files of weights, the model starts whole or says which file to restore."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from classifiers.adapter import ADAPTER_FILE
from classifiers.heads import METADATA_FILE, TENSORS_FILE, WEIGHTS, load_heads
from classifiers.mentions import MentionClassifier
from listener.errors import ModelUnavailableError


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEIGHTS, tmp_path / "weights"))


def load(weights: Path) -> MentionClassifier:
    return MentionClassifier.load(weights / "never", weights=weights)


@pytest.mark.parametrize("name", [TENSORS_FILE, METADATA_FILE, ADAPTER_FILE])
@pytest.mark.parametrize("share", [0.0, 0.0005, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_named_and_nothing_is_loaded(weights: Path, name: str, share: float) -> None:
    content = (weights / name).read_bytes()
    (weights / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelUnavailableError, match=name):
        load(weights)
    assert not (weights / "never").exists()


def test_json_nested_too_deeply_is_named(weights: Path) -> None:
    (weights / METADATA_FILE).write_text("[" * 100_000, "utf-8")
    with pytest.raises(ModelUnavailableError, match=METADATA_FILE):
        load(weights)


@pytest.mark.parametrize("name", [TENSORS_FILE, METADATA_FILE, ADAPTER_FILE])
def test_a_file_that_is_gone_is_named(weights: Path, name: str) -> None:
    (weights / name).unlink()
    with pytest.raises(ModelUnavailableError, match=name):
        load(weights)


@pytest.mark.parametrize("name", [TENSORS_FILE, METADATA_FILE, ADAPTER_FILE])
def test_a_folder_in_a_files_place_is_named(weights: Path, name: str) -> None:
    (weights / name).unlink()
    (weights / name).mkdir()
    with pytest.raises(ModelUnavailableError, match=name):
        load(weights)


@pytest.mark.parametrize("name", [ADAPTER_FILE, TENSORS_FILE])
@pytest.mark.parametrize("place", [8, 500, -1, 10_007])
def test_one_flipped_bit_of_the_weights_is_noticed(weights: Path, name: str, place: int) -> None:
    content = bytearray((weights / name).read_bytes())
    content[place] ^= 4
    (weights / name).write_bytes(content)
    with pytest.raises(ModelUnavailableError, match=name):
        load(weights)


@pytest.mark.parametrize("name", [TENSORS_FILE, METADATA_FILE])
def test_flipped_bits_in_a_head_of_a_file_never_end_in_another_error(weights: Path, name: str) -> None:
    good, chance = (weights / name).read_bytes(), random.Random(1)
    for _ in range(60):
        content = bytearray(good)
        content[chance.randrange(min(700, len(good)))] ^= 1 << chance.randrange(8)
        (weights / name).write_bytes(content)
        with suppress(ModelUnavailableError):
            load_heads(weights)
