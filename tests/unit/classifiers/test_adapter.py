from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.adapter import ADAPTER_FILE, Adapter, load_adapter, save_adapter
from classifiers.encoder import Encoder
from classifiers.heads import WEIGHTS, load_heads
from classifiers.mentions import MentionClassifier
from classifiers.training.lora import AdaptedLinear, attach
from listener.errors import ModelUnavailableError

LAYER = "encoder.layer.3.attention.self.query"


def change(scale: float = 0.1, name: str = LAYER, size: int = 384) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(4)
    down, up = (random.normal(scale=scale, size=shape).astype(np.float32) for shape in ((2, size), (size, 2)))
    return {name: (down, up)}


def test_saved_adapter_loads_to_half_precision(tmp_path: Path) -> None:
    digest = save_adapter(change(), tmp_path)
    loaded = load_adapter(tmp_path, digest)
    for one, other in zip(loaded.changes[LAYER], change()[LAYER], strict=True):
        assert one.dtype == np.float32
        assert np.allclose(one, other, atol=1e-3)


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


def test_matrices_that_are_no_adapter_are_refused(tmp_path: Path) -> None:
    down, up = change()[LAYER]
    for broken in ((down, up.T), (down * np.nan, up), (down[0], up)):
        digest = save_adapter({LAYER: broken}, tmp_path)
        with pytest.raises(ModelUnavailableError, match=ADAPTER_FILE):
            load_adapter(tmp_path, digest)


@pytest.mark.parametrize("changes", [change(name="encoder.layer.99.output.dense"), change(size=20)])
def test_adapter_of_another_encoder_is_refused_and_changes_nothing(checkpoint: Path, changes) -> None:
    encoder = Encoder(checkpoint, threads=2)
    before = encoder.embed(["late again"])
    with pytest.raises(ModelUnavailableError, match="does not fit"):
        Adapter({**change(), **changes}, Path("some.safetensors")).merge_into(encoder.model)
    assert np.array_equal(encoder.embed(["late again"]), before)


def test_merged_adapter_does_what_the_trained_one_did(checkpoint: Path) -> None:
    trained = Encoder(checkpoint, threads=2)
    adapters = attach(trained.model, 2)
    torch.manual_seed(3)
    for adapter in adapters.values():
        torch.nn.init.normal_(adapter.up, std=0.02)
    changes = {name: (one.down.detach().numpy(), one.up.detach().numpy()) for name, one in adapters.items()}
    merged = Encoder(checkpoint, threads=2, adapter=Adapter(changes, Path("x")))
    plain = Encoder(checkpoint, threads=2).embed(["Where is my parcel?"])
    found = merged.embed(["Where is my parcel?"])
    assert np.abs(found - trained.embed(["Where is my parcel?"])).max() < 1e-4
    assert np.abs(found - plain).max() > 1e-2
    assert len(changes) == 12 * 6


def test_gradients_of_an_adapted_layer_are_those_of_the_plain_formula() -> None:
    torch.manual_seed(1)
    layer = AdaptedLinear(torch.nn.Linear(7, 5).double().requires_grad_(False), 3).double()
    torch.nn.init.normal_(layer.up)
    inputs = torch.randn(4, 6, 7, dtype=torch.double, requires_grad=True)
    learning = (inputs, layer.down, layer.up)
    ours = torch.autograd.grad(layer(inputs).square().sum(), learning)
    plain = torch.nn.functional.linear(inputs, layer.layer.weight + layer.up @ layer.down, layer.layer.bias)
    for one, other in zip(ours, torch.autograd.grad(plain.square().sum(), learning), strict=True):
        assert torch.allclose(one, other)


def test_shipped_weights_stay_small_and_belong_together() -> None:
    heads = load_heads()
    assert heads.adapter is not None
    assert len(load_adapter(WEIGHTS, heads.adapter).changes) == 12 * 6
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 25e6


def test_classifier_does_not_start_without_its_adapter(tmp_path: Path, model_cache: Path, monkeypatch) -> None:
    for path in WEIGHTS.iterdir():
        if path.name != ADAPTER_FILE:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr("classifiers.mentions.WEIGHTS", tmp_path)
    with pytest.raises(ModelUnavailableError, match=ADAPTER_FILE):
        MentionClassifier.load(model_cache, threads=1)
