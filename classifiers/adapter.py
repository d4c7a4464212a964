"""The change that fine-tuning made to the encoder: its file, and merging it into the model at load."""

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
_FORMAT = "adapter-2"
_BLOCK = 32
"""Neighbouring values that share a scale."""
_SCALE, _STEPS = ".scale", ".steps"


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is added to the encoder's weights, by their names."""

    changes: Mapping[str, Array]
    """Float32, each of the shape of its weight."""
    path: Path
    """File it was read from, for messages."""

    def merge_into(self, model: Any) -> None:
        """Add the changes to a model's weights: running it costs what it cost before.

        Raises:
            ModelUnavailableError: a weight is missing from the model or of another shape; nothing was changed then.
        """
        import torch

        weights = dict(model.named_parameters())
        unfit = [name for name, one in self.changes.items() if name not in weights or weights[name].shape != one.shape]
        if unfit:
            raise ModelUnavailableError(
                f"the adapter {self.path} does not fit this encoder (its {unfit[0]}); restore both together"
            )
        with torch.no_grad():
            for name, change in self.changes.items():
                weights[name] += torch.from_numpy(change)


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
        return Adapter(_unpacked(load(content)), path)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelUnavailableError(
            f"cannot use the encoder's adapter {path}: {error}; restore it together with the heads beside it"
        ) from error


def save_adapter(changes: Mapping[str, Array], folder: Path) -> str:
    """Write an adapter and return the SHA-256 of its file.

    Matrices are kept in half bytes, a scale for each 32 values; vectors in half precision.
    """
    from safetensors.numpy import save_file

    path = folder / ADAPTER_FILE
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Any] = {}
    for name, change in sorted(changes.items()):
        if change.ndim == 1:
            tensors[name] = change.astype(np.float16)
        else:
            tensors[name + _SCALE], tensors[name + _STEPS] = _packed(change)
    save_file(tensors, path, metadata={"format": _FORMAT})
    path.chmod(0o644)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packed(change: Array) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Return scales, (outputs, inputs / 32), and steps from -7 to 7 raised by 8, two a byte, (outputs, inputs / 2)."""
    blocks = change.reshape(change.shape[0], -1, _BLOCK)
    scales = (np.abs(blocks).max(axis=2) / 7).astype(np.float16)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.nan_to_num(blocks / scales[..., None].astype(np.float32), posinf=0, neginf=0)
    raised = (np.clip(np.rint(steps), -7, 7) + 8).astype(np.uint8).reshape(change.shape)
    return scales, raised[:, 0::2] | raised[:, 1::2] << 4


def _unpacked(tensors: Mapping[str, Any]) -> dict[str, Array]:
    changes = {}
    for name, tensor in tensors.items():
        if name.endswith(_STEPS):
            name = name.removesuffix(_STEPS)
            changes[name] = _checked(_matrix(tensors[name + _SCALE], tensor), 2)
        elif not name.endswith(_SCALE):
            changes[name] = _checked(np.asarray(tensor, dtype=np.float32), 1)
    return changes


def _matrix(scales: NDArray[np.float16], steps: NDArray[np.uint8]) -> Array:
    if steps.dtype != np.uint8 or scales.ndim != 2 or steps.shape != (len(scales), scales.shape[1] * _BLOCK // 2):
        raise ValueError("matrices that do not fit together")
    raised = np.stack([steps & 0x0F, steps >> 4], axis=2).reshape(*scales.shape, _BLOCK)
    values: Array = (raised.astype(np.float32) - 8) * scales[..., None].astype(np.float32)
    return values.reshape(len(scales), -1)


def _checked(values: Array, n_dimensions: int) -> Array:
    if values.ndim != n_dimensions or not np.isfinite(values).all():
        raise ValueError("weights that are damaged")
    return values
