"""The encoder in ONNX Runtime: starts without torch, and multiplies in 8 bits where asked. Knows nothing of labels."""

import copy
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.adapter import Adapter
from classifiers.checkpoint import Progress, build_folder
from classifiers.encoder import TextEncoder
from classifiers.onnx_graph import MEANS, WORDS, Array, Shape, encoder_graph, states_of
from listener.errors import ModelUnavailableError

REVISION = 1
"""Rises when the same weights would be exported otherwise."""
INT8_FILE, FLOAT32_FILE = "int8.onnx", "float32.onnx"
_WORD_TABLE = "embeddings.word_embeddings.weight"
_OTHERWISE = "or set model.backend to torch"


def export(
    checkpoint: Path,
    cache: Path,
    layers: Sequence[int],
    *,
    adapter: Adapter | None = None,
    digest: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return the folder with the graphs of a checkpoint, writing them the first time: 110 MB and a few seconds.

    Args:
        checkpoint: a folder with a BERT checkpoint.
        cache: where the graphs are kept.
        layers: hidden layers given out.
        adapter: merged into the weights.
        digest: the adapter's own, which tells the exports of several adapters apart.
        progress: told how far the export is.

    Raises:
        ModelUnavailableError: the checkpoint cannot be used, or `cache` cannot be written.
    """
    kind = digest[:16] if digest else "plain"
    name = f"{checkpoint.name}-{kind}-layers-{'-'.join(map(str, layers))}-onnx-r{REVISION}"
    tell = progress or (lambda step, share: None)
    return build_folder(
        cache / name, lambda folder: _write(folder, checkpoint, layers, adapter, tell), (INT8_FILE, FLOAT32_FILE)
    )


class OnnxEncoder(TextEncoder):
    """The encoder as exported. A text's features are the same in any company, to the bit: nothing is padded."""

    def __init__(
        self, checkpoint: Path, graphs: Path, threads: int, *, layers: Sequence[int], int8: bool = True
    ) -> None:
        """Load the graph.

        Args:
            checkpoint: the folder that was exported; gives tokenizer and word table.
            graphs: what `export` returned for it.
            threads: most threads used.
            layers: those that were exported.
            int8: False takes the products in float32.

        Raises:
            ModelUnavailableError: a file or the runtime is missing or cannot be used.
        """
        super().__init__(checkpoint, layers)
        self._table = word_table(checkpoint / "model.safetensors")
        self._graphs, self._threads, self._int8 = graphs, threads, int8
        self._session: Any = _session(graphs / (INT8_FILE if int8 else FLOAT32_FILE), threads)
        self._precise: OnnxEncoder | None = None
        if int8:
            self._precise = copy.copy(self)
            self._precise._session, self._precise._int8 = None, False

    @property
    def n_features(self) -> int:
        """Columns of what `embed` returns."""
        return int(self._table.shape[1]) * len(self._layers)

    @property
    def precise(self) -> TextEncoder | None:
        """The same encoder with products in float32; its graph is loaded when it is first used."""
        return self._precise

    def _batches(self, lengths: Sequence[int], batch: int) -> Iterator[list[int]]:
        """Yield row numbers in batches of one length."""
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        for _, alike in groupby(order, key=lengths.__getitem__):
            rows = list(alike)
            for start in range(0, len(rows), max(1, batch)):
                yield rows[start : start + max(1, batch)]

    def _means(self, rows: list[list[int]]) -> Array:
        means: Array = self._run([MEANS], rows)[0]
        return means

    def _states(self, rows: list[list[int]]) -> Array:
        return np.concatenate(self._run([states_of(layer) for layer in self._layers], rows), axis=2)

    def _run(self, outputs: list[str], rows: list[list[int]]) -> list[Any]:
        if self._session is None:
            self._session = _session(self._graphs / FLOAT32_FILE, self._threads)
        words = self._table[np.array(rows)].astype(np.float32)
        found: list[Any] = self._session.run(outputs, {WORDS: words})
        return found


def word_table(path: Path) -> NDArray[np.floating[Any]]:
    """Return a checkpoint's word table, (vocabulary, hidden), read from the file only where it is looked up.

    Raises:
        ModelUnavailableError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(size))[_WORD_TABLE]
        kind = {"F16": np.float16, "F32": np.float32}[entry["dtype"]]
        return np.memmap(path, kind, "r", 8 + size + entry["data_offsets"][0], tuple(entry["shape"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailableError(f"cannot read the word table in {path}: {error}") from error


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailableError(
            f"the package onnxruntime is not installed; install it with pip install onnxruntime, {_OTHERWISE}"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # it would keep a plan for every length and number of texts
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's exceptions have no public root
        raise ModelUnavailableError(f"cannot load {path}: {error}; remove its folder and start again") from error


def _write(folder: Path, checkpoint: Path, layers: Sequence[int], adapter: Adapter | None, progress: Progress) -> None:
    step = "converting the encoder for this processor"
    progress(step, 0.0)
    weights = _merged(checkpoint, adapter)
    shape = _shape(checkpoint / "config.json")
    progress(step, 0.5)
    try:
        for done, (name, int8) in enumerate(((INT8_FILE, True), (FLOAT32_FILE, False))):
            (folder / name).write_bytes(encoder_graph(weights, shape, layers, int8=int8))
            progress(step, 0.75 + 0.25 * done)
    except ImportError as error:
        raise ModelUnavailableError(
            f"the package onnx is not installed; install it with pip install onnx, {_OTHERWISE}"
        ) from error


def _merged(checkpoint: Path, adapter: Adapter | None) -> dict[str, Array]:
    """Return a checkpoint's arrays with the adapter's changes, all but the word table, which is read in place."""
    changes = adapter.changes if adapter else {}
    weights = _arrays(checkpoint / "model.safetensors")
    unfit = [name for name, one in changes.items() if name not in weights or weights[name].shape != one.shape]
    if unfit and adapter:
        raise ModelUnavailableError(
            f"the adapter {adapter.path} does not fit this encoder (its {unfit[0]}); restore both together"
        )
    return {name: array + changes[name] if name in changes else array for name, array in weights.items()}


def _arrays(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return {name: file.get_tensor(name).astype(np.float32) for name in file.keys() if name != _WORD_TABLE}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelUnavailableError(f"cannot load the encoder from {path}: {error}") from error


def _shape(path: Path) -> Shape:
    try:
        config = json.loads(path.read_text("utf-8"))
        if (config["model_type"], config["hidden_act"]) != ("bert", "gelu"):
            raise ValueError(f"{config['model_type']} with {config['hidden_act']}, where BERT with gelu is exported")
        return Shape(config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailableError(f"cannot export the encoder of {path}: {error}; {_OTHERWISE}") from error
