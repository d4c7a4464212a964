"""What every backend promises of the features it makes, run on each on a small model with the real one's anatomy."""

import threading
from pathlib import Path

import numpy as np
import pytest

from classifiers.adapter import Adapter
from classifiers.backends import BACKENDS, Backend, load_encoder
from classifiers.checkpoint import build_checkpoint
from classifiers.encoder import Encoder, TextEncoder
from tests.unit.classifiers.weights_file import HIDDEN, write_weights

TEXTS = ["late again", "thanks", "", "a much longer text about a kettle that leaks", "late again", "x" * 500, "ﷺ 漏"]
LAYERS = (1, 2)
BOUND = {"torch": 1e-6, "onnx-float32": 1e-6, "onnx-int8": 0.03, "torch-bfloat16": 0.03}
"""Most by which features may differ in the mean from torch's in float32; features here are about 1."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return build_checkpoint(folder / "cache", source=write_weights(folder / "small.bin"))


@pytest.fixture(scope="module")
def reference(small: Path) -> Encoder:
    return Encoder(small, 1, layers=LAYERS)


@pytest.fixture(scope="module", params=[backend for backend in BACKENDS if backend != "cuda"])
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = request.param
    return found


@pytest.fixture(scope="module")
def encoder(backend: Backend, small: Path) -> TextEncoder:
    return load_encoder(backend, small, small.parent, layers=LAYERS, threads=1)


def test_features_agree_with_torch_in_float32(encoder: TextEncoder, reference: Encoder, backend: Backend) -> None:
    assert np.abs(encoder.embed(TEXTS) - reference.embed(TEXTS)).mean() < BOUND[backend]


def test_coarse_backends_are_coarse_and_their_second_look_is_not(
    encoder: TextEncoder, reference: Encoder, backend: Backend
) -> None:
    assert (encoder.precise is not None) == (backend in ("onnx-int8", "torch-bfloat16"))
    if encoder.precise is not None:
        assert np.abs(encoder.embed(TEXTS) - reference.embed(TEXTS)).max() > 1e-4
        assert np.abs(encoder.precise.embed(TEXTS) - reference.embed(TEXTS)).max() < 1e-5
        assert encoder.precise.precise is None


def test_no_texts_give_no_rows(encoder: TextEncoder) -> None:
    assert encoder.embed([]).shape == (0, HIDDEN * len(LAYERS)) == (0, encoder.n_features)
    assert encoder.token_features([]) == []


def test_equal_texts_have_equal_features(encoder: TextEncoder) -> None:
    features = encoder.embed(TEXTS)
    assert (features[0] == features[4]).all()


def test_company_and_order_do_not_matter(encoder: TextEncoder, backend: Backend) -> None:
    together = encoder.embed(TEXTS)
    backwards = encoder.embed(TEXTS[::-1], batch=2)[::-1]
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    bound = {"torch-bfloat16": 0.1, "torch": 1e-5}.get(backend, 0.0)
    assert max(np.abs(together - other).max() for other in (backwards, alone)) <= bound


def test_a_very_long_text_is_cut_and_has_finite_features(encoder: TextEncoder) -> None:
    assert np.isfinite(encoder.embed(["late " * 20_000])).all()


def test_token_states_average_to_the_features(encoder: TextEncoder, backend: Backend) -> None:
    found = encoder.token_features(TEXTS)
    means = np.stack([one.states.mean(axis=0) for one in found])
    assert np.abs(means - encoder.embed(TEXTS)).max() < (0.1 if backend == "torch-bfloat16" else 1e-5)
    assert [len(one.ids) for one in found] == [len(encoder.tokenize(text)) for text in TEXTS]


def test_calls_from_several_threads_take_turns(encoder: TextEncoder) -> None:
    expected = encoder.embed(TEXTS)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(encoder.embed(TEXTS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all((features == expected).all() for features in found)


def test_an_adapter_changes_every_backend_alike(backend: Backend, small: Path) -> None:
    random = np.random.default_rng(5)
    names = ("encoder.layer.1.attention.self.key.weight", "encoder.layer.0.attention.output.dense.weight")
    changes = {name: random.normal(size=(HIDDEN, HIDDEN)).astype(np.float32) for name in names}
    adapter = Adapter(changes, small / "adapter")
    changed = load_encoder(
        backend, small, small.parent, layers=LAYERS, threads=1, adapter=adapter, digest="of the change"
    )
    expected = Encoder(small, 1, layers=LAYERS, adapter=adapter).embed(TEXTS)
    plain = Encoder(small, 1, layers=LAYERS).embed(TEXTS)
    assert np.abs(expected - plain).mean() > 0.1
    assert np.abs(changed.embed(TEXTS) - expected).mean() < BOUND[backend]
