import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.backends import choose, load_encoder, processor_flags
from classifiers.checkpoint import build_checkpoint
from classifiers.onnx_encoder import FLOAT32_FILE, INT8_FILE, OnnxEncoder, export, word_table
from listener.errors import ModelUnavailableError
from tests.unit.classifiers.weights_file import HIDDEN, PIECES, write_weights


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return build_checkpoint(tmp_path / "cache", source=write_weights(tmp_path / "small.bin"))


@pytest.mark.parametrize(
    ("flags", "has_gpu", "expected"),
    [
        ({"avx2"}, False, "onnx-float32"),
        ({"avx2", "avx_vnni"}, False, "onnx-int8"),
        ({"avx512f", "avx512_vnni"}, False, "onnx-int8"),
        ({"avx512_vnni", "avx512_bf16"}, False, "torch-bfloat16"),
        ({"avx512_vnni", "amx_bf16", "amx_int8"}, False, "torch-bfloat16"),
        ({"avx512_vnni", "amx_bf16"}, True, "cuda"),
        (set(), False, "onnx-float32"),
    ],
)
def test_auto_takes_what_the_machine_is_fastest_at(flags: set[str], has_gpu: bool, expected: str) -> None:
    assert choose(flags=flags, has_gpu=has_gpu) == expected


def test_another_checkpoint_runs_in_torch() -> None:
    assert choose(bundled=False, flags={"avx512_vnni"}, has_gpu=False) == "torch"
    with pytest.raises(ModelUnavailableError, match="runs in torch"):
        choose("onnx-float32", bundled=False, flags={"avx512_vnni"}, has_gpu=False)


@pytest.mark.parametrize("backend", ["torch", "torch-bfloat16", "onnx-float32", "onnx-int8"])
def test_the_configuration_overrides_the_choice(backend: str) -> None:
    assert choose(backend, flags={"avx512_vnni"}, has_gpu=True) == backend


@pytest.mark.parametrize(
    ("wanted", "said"), [("cuda", "no CUDA device"), ("onnx-int8", "no VNNI"), ("tpu", "known: auto, torch")]
)
def test_what_the_machine_lacks_is_refused_with_what_to_do(wanted: str, said: str) -> None:
    with pytest.raises(ModelUnavailableError, match=said):
        choose(wanted, flags={"avx2"}, has_gpu=False)


def test_this_processors_flags_are_read_where_linux_gives_them() -> None:
    if Path("/proc/cpuinfo").exists():
        assert processor_flags()


def test_a_second_export_finds_the_first(small: Path) -> None:
    folder = export(small, small.parent, (1, 2))
    written = (folder / INT8_FILE).stat().st_mtime_ns
    assert export(small, small.parent, (1, 2)) == folder
    assert (folder / INT8_FILE).stat().st_mtime_ns == written


def test_adapters_and_layers_have_exports_of_their_own(small: Path) -> None:
    folders = {
        export(small, small.parent, layers, digest=digest) for layers in ((1,), (1, 2)) for digest in (None, "a")
    }
    assert len(folders) == 4


@pytest.mark.parametrize("name", [INT8_FILE, FLOAT32_FILE])
def test_a_truncated_export_is_rebuilt(small: Path, name: str) -> None:
    folder = export(small, small.parent, (1, 2))
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(good[: len(good) // 2])
    assert export(small, small.parent, (1, 2)) == folder
    assert (folder / name).read_bytes() == good


def test_a_damaged_graph_that_is_loaded_all_the_same_is_named(small: Path) -> None:
    folder = export(small, small.parent, (1, 2))
    (folder / INT8_FILE).write_bytes(b"no graph")
    with pytest.raises(ModelUnavailableError, match=r"int8\.onnx.*start again"):
        OnnxEncoder(small, folder, 1, layers=(1, 2))


@pytest.mark.parametrize("package", ["onnxruntime", "onnx"])
def test_a_missing_package_is_named_with_what_to_do(small: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real = builtins.__import__

    def without(name: str, *others: Any, **more: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelUnavailableError, match=f"pip install {package}, or set model.backend to torch"):
        load_encoder("onnx-float32", small, small.parent, layers=(1, 2), threads=1)


def test_an_export_reports_how_far_it_is(small: Path) -> None:
    seen: list[tuple[str, float]] = []
    export(small, small.parent, (1, 2), progress=lambda step, share: seen.append((step, share)))
    assert len({step for step, _ in seen}) == 1
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    assert seen[-1][1] == 1.0


def test_the_word_table_is_read_in_place(small: Path) -> None:
    table = word_table(small / "model.safetensors")
    assert table.shape == (len(PIECES), HIDDEN)
    assert isinstance(table, np.memmap)


def test_a_truncated_word_table_is_named(small: Path) -> None:
    path = small / "model.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelUnavailableError, match=r"model\.safetensors"):
        word_table(path)


def test_another_architecture_is_not_exported(small: Path) -> None:
    config = small / "config.json"
    config.write_text(config.read_text("utf-8").replace('"bert"', '"deberta"'), "utf-8")
    with pytest.raises(ModelUnavailableError, match="deberta"):
        export(small, small.parent, (1, 2))


def test_the_daemon_starts_without_torch_and_keeps_to_its_threads(model_cache: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from classifiers.mentions import MentionClassifier\n"
        "found = MentionClassifier.load(Path(sys.argv[1]), threads=1, backend='onnx-float32')\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "found.classify(['late again'] * 40 + ['my kettle caught fire'])\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model_cache)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines() == ["[]", "0"]
