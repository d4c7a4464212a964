"""The shipped evaluation set: posts that no weights were fitted on, without their texts.

Of each post it keeps what the heads' hidden layer makes of it, its labels, language, set and length. Beside them the
same, without labels, of the posts written for this project: anchors that learning holds the model to.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import N_LOGITS, WEIGHTS, Heads
from listener.errors import ModelUnavailableError
from listener.model import SIGNALS

Array = NDArray[np.float32]
Labels = NDArray[np.int64]

HELD_OUT_FILE = "held_out.safetensors"
UNKNOWN = -1
_FORMAT = "held-out-1"
_LABELS = ("complaint", "urgency", "topic", "sentiment", "signals")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels of n posts as arrays of integers; -1 where a label is not known."""

    complaint: Labels
    urgency: Labels
    topic: Labels
    sentiment: Labels
    signals: Labels
    """(n, 8)."""
    languages: tuple[str, ...]
    origins: tuple[str, ...]
    """Network or set that each came from."""
    lengths: Labels
    """Characters."""

    def __len__(self) -> int:
        return len(self.languages)

    def part(self, rows: NDArray[np.int64]) -> "Labelled":
        """Return the labels of some rows."""
        return Labelled(
            **{name: getattr(self, name)[rows] for name in (*_LABELS, "lengths")},
            languages=tuple(self.languages[row] for row in rows),
            origins=tuple(self.origins[row] for row in rows),
        )


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The shipped evaluation set, for one version of the heads."""

    version: str
    hidden: Array
    """(n, hidden)."""
    labels: Labelled
    anchors: Array
    """(m, hidden)."""


def save_held_out(heads: Heads, features: Array, labels: Labelled, anchors: Array, folder: Path = WEIGHTS) -> Path:
    """Write the evaluation set that belongs to some heads beside them, and return the file's path.

    Args:
        heads: those that ship.
        features: float32 (n, features), of the held-out posts, by the encoder with the heads' own adapter.
        labels: of the same posts.
        anchors: float32 (m, features), of the posts written for this project.
        folder: where the heads lie.
    """
    from safetensors.numpy import save_file

    path = folder / HELD_OUT_FILE
    tensors = {name: getattr(labels, name).astype(np.int8) for name in _LABELS}
    tensors |= {
        "hidden": heads.hidden(features).astype(np.float16),
        "anchors": heads.hidden(anchors).astype(np.float16),
        "lengths": labels.lengths.astype(np.int32),
    }
    words = {"languages": json.dumps(labels.languages), "origins": json.dumps(labels.origins)}
    save_file(tensors, path, metadata={"format": _FORMAT, "version": heads.version, **words})
    path.chmod(0o644)
    return path


def load_held_out(heads: Heads, folder: Path = WEIGHTS) -> HeldOut:
    """Read the evaluation set that belongs to some heads.

    Raises:
        ModelUnavailableError: the file is missing, damaged, or belongs to other heads.
    """
    from safetensors import SafetensorError

    path = folder / HELD_OUT_FILE
    try:
        tensors, words = _read(path)
        if words["format"] != _FORMAT:
            raise ValueError(f"format {words['format']}, this program reads {_FORMAT}")
        if words["version"] != heads.version:
            raise ValueError(f"made for {words['version']}, the heads beside it are {heads.version}")
        return _assembled(tensors, words, sum(member.hidden_weight.shape[0] for member in heads.members))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelUnavailableError(
            f"cannot use the shipped evaluation set {path}: {error}; restore it together with the heads beside it"
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def _assembled(tensors: dict[str, Any], words: dict[str, str], width: int) -> HeldOut:
    hidden, anchors = (tensors[name].astype(np.float32) for name in ("hidden", "anchors"))
    labels = {name: tensors[name].astype(np.int64) for name in (*_LABELS, "lengths")}
    languages, origins = (tuple(json.loads(words[name])) for name in ("languages", "origins"))
    n = len(hidden)
    if hidden.shape != (n, width) or anchors.shape[1:] != (width,) or not np.isfinite(hidden).all():
        raise ValueError("hidden layers that do not fit the heads")
    if not np.isfinite(anchors).all() or not n or not len(anchors):
        raise ValueError("hidden layers that are damaged")
    if any(len(values) != n for values in (*labels.values(), languages, origins)):
        raise ValueError("labels that do not fit the posts")
    if labels["signals"].shape != (n, len(SIGNALS)):
        raise ValueError("signals other than this program's")
    return HeldOut(words["version"], hidden, Labelled(**labels, languages=languages, origins=origins), anchors)


def logits_of(heads: Heads, hidden: Array) -> Array:
    """Return calibrated logits, float32 (n, 28), from hidden layers, float32 (n, hidden of all members)."""
    bounds = np.cumsum([0, *(member.hidden_weight.shape[0] for member in heads.members)])
    total = np.zeros((len(hidden), N_LOGITS))
    for member, start, end in zip(heads.members, bounds[:-1], bounds[1:], strict=True):
        total += hidden[:, start:end] @ member.output_weight.T + member.output_bias
    logits: Array = (total / len(heads.members) * heads.calibration.scale + heads.calibration.shift).astype(np.float32)
    return logits


def labels_of(examples: Sequence[Any]) -> Labelled:
    """Return the labels of training examples (`classifiers.training.data.Example`), in order."""
    blank = (UNKNOWN,) * len(SIGNALS)
    columns = {
        name: np.array([_known(getattr(one, name)) for one in examples], dtype=np.int64)
        for name in ("complaint", "urgency", "topic", "sentiment")
    }
    return Labelled(
        **columns,
        signals=np.array([one.signals or blank for one in examples], dtype=np.int64).reshape(-1, len(SIGNALS)),
        languages=tuple(one.language for one in examples),
        origins=tuple(one.source for one in examples),
        lengths=np.array([len(one.text) for one in examples], dtype=np.int64),
    )


def _known(value: int | None) -> int:
    return UNKNOWN if value is None else value
