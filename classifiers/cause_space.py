"""Where complaints about one thing lie close together, whatever their language: made of what the heads read.

Takes the features that a classification has anyway. Knows nothing of groups, nor of posts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import WEIGHTS, Heads
from listener.errors import ModelUnavailableError

Array = NDArray[np.float32]

FILE = "causes.safetensors"
LAYER_WEIGHTS = (0.5, 1.0)
"""Of the two last layers that the heads read."""


@dataclass(frozen=True, slots=True, eq=False)
class CauseSpace:
    """Turns features into vectors whose cosine says how alike two complaints are."""

    mean: Array
    """(n_features,): of complaints of all kinds in all languages; where unknown, of the heads' own training posts."""
    width: int
    """Columns of one layer."""
    languages: Array
    """(k, width), orthonormal: directions that tell languages apart and nothing else; k may be 0."""

    def place(self, features: Array) -> Array:
        """Return vectors of unit length, float32 (n, width), for features, float32 (n, n_features)."""
        found = self.unaligned(features)
        languages = np.asarray(found @ self.languages.T @ self.languages, dtype=np.float32)
        return _unit(found - languages)

    def unaligned(self, features: Array) -> Array:
        """Return the same with languages still in it."""
        centred: Array = np.asarray(features - self.mean, dtype=np.float32)
        count = centred.shape[1] // self.width
        layers = centred.reshape(len(centred), count, self.width)[:, -len(LAYER_WEIGHTS) :].swapaxes(0, 1)
        weights = LAYER_WEIGHTS[-len(layers) :]
        found = np.zeros((len(centred), self.width), dtype=np.float32)
        for weight, layer in zip(weights, layers, strict=True):
            found += np.float32(weight) * _unit(layer)
        return _unit(found)


def load_cause_space(heads: Heads, folder: Path = WEIGHTS) -> CauseSpace:
    """Return the space of an encoder by the heads that read it; other encoders' languages stay in it.

    Raises:
        ModelUnavailableError: the file of this encoder's languages is damaged.
    """
    width = heads.n_features // len(heads.layers)
    space = CauseSpace(heads.members[0].mean, width, np.zeros((0, width), dtype=np.float32))
    path = folder / FILE
    if heads.adapter is None or not path.exists():
        return space
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            languages = np.asarray(file.get_tensor("languages"), dtype=np.float32)
            mean = np.asarray(file.get_tensor("mean"), dtype=np.float32)
            adapter = (file.metadata() or {}).get("adapter")
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelUnavailableError(f"cannot read {path}: {error}; restore it, or remove it to do without") from error
    if adapter != heads.adapter:
        return space
    if languages.shape[1:] != (width,) or mean.shape != (heads.n_features,):
        raise ModelUnavailableError(f"{path} is of another encoder; restore it, or remove it to do without")
    return CauseSpace(mean, width, languages)


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit
