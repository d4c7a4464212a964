import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from classifiers.adapter import ADAPTER_FILE, Adapter, load_adapter, save_adapter
from classifiers.encoder import Encoder
from classifiers.heads import WEIGHTS, load_heads
from listener.errors import ModelUnavailableError

WEIGHT = "encoder.layer.3.attention.self.query.weight"
BIAS = "encoder.layer.3.output.dense.bias"


def change(scale: float = 0.1, name: str = WEIGHT, size: int = 384) -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    return {
        name: random.normal(scale=scale, size=(384, size)).astype(np.float32),
        BIAS: random.normal(scale=scale, size=384).astype(np.float32),
    }


def test_saved_adapter_loads_to_half_a_byte_a_weight(tmp_path: Path) -> None:
    made = {**change(), "tiny": np.full((2, 32), 1e-9, np.float32), "nought": np.zeros((3, 64), np.float32)}
    loaded = load_adapter(tmp_path, save_adapter(made, tmp_path)).changes
    assert loaded.keys() == made.keys()
    assert all(loaded[name].dtype == np.float32 and loaded[name].shape == made[name].shape for name in made)
    assert np.abs(loaded[WEIGHT] - made[WEIGHT]).max() <= np.abs(made[WEIGHT]).max() / 13
    assert np.linalg.norm(loaded[WEIGHT] - made[WEIGHT]) < 0.12 * np.linalg.norm(made[WEIGHT])
    assert np.allclose(loaded[BIAS], made[BIAS], atol=1e-3)
    assert not loaded["tiny"].any()
    assert not loaded["nought"].any()
    assert (tmp_path / ADAPTER_FILE).stat().st_size < 0.6 * 384 * 384 + 4000


def test_missing_cut_or_foreign_file_is_named(tmp_path: Path) -> None:
    digest = save_adapter(change(), tmp_path)
    path = tmp_path / ADAPTER_FILE
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelUnavailableError, match=ADAPTER_FILE):
        load_adapter(tmp_path, digest)
    save_adapter(change(0.2), tmp_path)
    with pytest.raises(ModelUnavailableError, match="trained with"):
        load_adapter(tmp_path, digest)
    path.unlink()
    with pytest.raises(ModelUnavailableError, match=ADAPTER_FILE):
        load_adapter(tmp_path, digest)


def test_weights_that_are_no_adapter_are_refused(tmp_path: Path) -> None:
    scales, steps = np.ones((4, 2), np.float16), np.zeros((4, 32), np.uint8)
    for broken in (
        {"a.scale": scales, "a.steps": steps[:, :31].copy()},
        {"a.scale": scales, "a.steps": steps.astype(np.int16)},
        {"a.scale": scales * np.float16("nan"), "a.steps": steps},
        {"a.steps": steps},
        {"b": scales},
        {"b": np.full(4, np.inf, np.float16)},
    ):
        save_file(broken, tmp_path / ADAPTER_FILE)
        digest = hashlib.sha256((tmp_path / ADAPTER_FILE).read_bytes()).hexdigest()
        with pytest.raises(ModelUnavailableError, match=ADAPTER_FILE):
            load_adapter(tmp_path, digest)


@pytest.mark.parametrize("changes", [change(name="encoder.layer.99.output.dense.weight"), change(size=32)])
def test_adapter_of_another_encoder_is_refused_and_changes_nothing(checkpoint: Path, changes) -> None:
    encoder = Encoder(checkpoint, threads=2)
    before = encoder.embed(["late again"])
    with pytest.raises(ModelUnavailableError, match="does not fit"):
        Adapter({**change(), **changes}, Path("some.safetensors")).merge_into(encoder.model)
    assert np.array_equal(encoder.embed(["late again"]), before)


def test_merged_adapter_is_added_to_the_weights_named(checkpoint: Path) -> None:
    plain, merged = Encoder(checkpoint, threads=1), Encoder(checkpoint, threads=1, adapter=Adapter(change(), Path("x")))
    before, after = dict(plain.model.named_parameters()), dict(merged.model.named_parameters())
    for name, one in before.items():
        expected = one.detach().numpy() + change().get(name, np.float32(0))
        assert np.allclose(after[name].detach().numpy(), expected, atol=1e-6)
    assert np.abs(merged.embed(["Where is my parcel?"]) - plain.embed(["Where is my parcel?"])).max() > 1e-2


def test_shipped_weights_stay_small_and_belong_together() -> None:
    heads = load_heads()
    assert heads.adapter is not None
    assert load_adapter(WEIGHTS, heads.adapter).changes
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 25e6
