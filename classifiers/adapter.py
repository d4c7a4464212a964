"""The low-rank change that fine-tuning made to the encoder: its file, and merging it into the model at load."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener.errors import ModelUnavailableError

Array = NDArray[np.float32]

ADAPTER_FILE = "adapter.safetensors"
_FORMAT = "adapter-1"


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is added to the weights of the encoder's linear layers: `up @ down`, by the layer's name."""

    changes: Mapping[str, tuple[Array, Array]]
    """Down, float32 (rank, inputs), and up, float32 (outputs, rank)."""
    path: Path
    """File it was read from, for messages."""

    def merge_into(self, model: Any) -> None:
        """Add the changes to a model's weights: running it costs what it cost before.

        Raises:
            ModelUnavailableError: a layer is missing from the model or of another shape; nothing was changed then.
        """
        import torch

        try:
            layers = {name: model.get_submodule(name).weight for name in self.changes}
            if any(tuple(layers[name].shape) != self._shape(name) for name in layers):
                raise ValueError("layers of another shape")
        except (AttributeError, ValueError) as error:
            raise ModelUnavailableError(
                f"the adapter {self.path} does not fit this encoder ({error}); restore both together"
            ) from error
        with torch.no_grad():
            for name, (down, up) in self.changes.items():
                layers[name] += torch.from_numpy(up) @ torch.from_numpy(down)

    def _shape(self, name: str) -> tuple[int, int]:
        down, up = self.changes[name]
        return up.shape[0], down.shape[1]


def load_adapter(folder: Path, digest: str) -> Adapter:
    """Read the adapter of a folder whole.

    Args:
        folder: where the file lies.
        digest: SHA-256 that the heads trained with it recorded, in hex.

    Raises:
        ModelUnavailableError: the file is missing, damaged, or another than the one the heads were trained with.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = folder / ADAPTER_FILE
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("not the file that the heads were trained with")
        return Adapter(_paired(load(content)), path)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelUnavailableError(
            f"cannot use the encoder's adapter {path}: {error}; restore it together with the heads beside it"
        ) from error


def save_adapter(changes: Mapping[str, tuple[Array, Array]], folder: Path) -> str:
    """Write an adapter in half precision and return the SHA-256 of its file."""
    from safetensors.numpy import save_file

    path = folder / ADAPTER_FILE
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, (down, up) in sorted(changes.items()):
        tensors[f"{name}.down"], tensors[f"{name}.up"] = down.astype(np.float16), up.astype(np.float16)
    save_file(tensors, path, metadata={"format": _FORMAT})
    path.chmod(0o644)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _paired(tensors: Mapping[str, Any]) -> dict[str, tuple[Array, Array]]:
    names = sorted({name.rpartition(".")[0] for name in tensors})
    pairs = {name: (_read(tensors[f"{name}.down"]), _read(tensors[f"{name}.up"])) for name in names}
    if any(down.shape[0] != up.shape[1] for down, up in pairs.values()):
        raise ValueError("matrices that do not fit together")
    return pairs


def _read(tensor: Any) -> Array:
    values: Array = np.asarray(tensor, dtype=np.float32)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError("matrices that are damaged")
    return values
