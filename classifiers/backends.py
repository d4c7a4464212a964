"""Chooses what runs the encoder: by what the processor has, or as the configuration says."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from listener.errors import ModelUnavailableError

if TYPE_CHECKING:
    from classifiers.adapter import Adapter
    from classifiers.checkpoint import Progress
    from classifiers.encoder import TextEncoder

Backend = Literal["torch", "torch-bfloat16", "onnx-int8", "onnx-float32", "cuda"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
AUTO = "auto"

_BFLOAT16 = frozenset({"amx_bf16", "avx512_bf16"})
_INT8 = frozenset({"avx512_vnni", "avx_vnni"})
"""Without these, products of 8-bit integers are added up in 16 bits and overflow."""
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


def choose(
    wanted: str = AUTO,
    *,
    bundled: bool = True,
    flags: Collection[str] | None = None,
    has_gpu: bool | None = None,
) -> Backend:
    """Return the backend to use.

    Args:
        wanted: one of `BACKENDS`, or `auto` for the fastest that this machine has.
        bundled: whether it is for the bundled encoder; any other runs in torch.
        flags: what the processor can do, as Linux names it; asked of the system where None.
        has_gpu: whether there is a CUDA device; asked of the system where None.

    Raises:
        ModelUnavailableError: this machine cannot run the one wanted.
    """
    flags = processor_flags() if flags is None else flags
    if wanted == AUTO:
        fastest = _fastest(flags, cuda_works() if has_gpu is None else has_gpu)
        return fastest if bundled or not fastest.startswith("onnx") else "torch"
    if wanted not in BACKENDS:
        raise ModelUnavailableError(f"there is no backend {wanted!r}; known: {', '.join((AUTO, *BACKENDS))}")
    if wanted.startswith("onnx") and not bundled:
        raise ModelUnavailableError("only the bundled encoder is converted to ONNX; another checkpoint runs in torch")
    if wanted == "cuda" and not (cuda_works() if has_gpu is None else has_gpu):
        raise ModelUnavailableError("model.backend is cuda, and torch finds no CUDA device here; set it to auto")
    if wanted == "onnx-int8" and not _INT8 & set(flags):
        raise ModelUnavailableError(
            "model.backend is onnx-int8, and this processor has no VNNI instructions: sums of 8-bit products would"
            " overflow; set it to auto or onnx-float32"
        )
    return next(backend for backend in BACKENDS if backend == wanted)


def load_encoder(
    backend: Backend,
    checkpoint: Path,
    cache: Path,
    *,
    layers: tuple[int, ...],
    threads: int | None = None,
    adapter: "Adapter | None" = None,
    digest: str | None = None,
    progress: "Progress | None" = None,
) -> "TextEncoder":
    """Return the bundled encoder, loaded, on a backend.

    Args:
        backend: as `choose` returned it.
        checkpoint: what `build_checkpoint` returned.
        cache: where a converted encoder is kept.
        layers: hidden layers whose means make the features.
        threads: most threads used; the number of cores where None.
        adapter: change of the weights by fine-tuning.
        digest: the adapter's own.
        progress: told how far a conversion is.

    Raises:
        ModelUnavailableError: a file or a package is missing or cannot be used.
    """
    threads = threads or os.cpu_count() or 1
    if backend in ("onnx-int8", "onnx-float32"):
        from classifiers.onnx_encoder import OnnxEncoder, export

        graphs = export(checkpoint, cache, layers, adapter=adapter, digest=digest, progress=progress)
        return OnnxEncoder(checkpoint, graphs, threads, layers=layers, int8=backend == "onnx-int8")
    from classifiers.encoder import Encoder

    return Encoder(
        checkpoint,
        threads,
        layers=layers,
        adapter=adapter,
        precision="bfloat16" if backend == "torch-bfloat16" else "float32",
        device="cuda" if backend == "cuda" else "cpu",
    )


def processor_flags() -> frozenset[str]:
    """Return what this processor can do, as Linux names it; nothing where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


def multiplies_bfloat16() -> bool:
    """Say whether this processor multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    return bool(_BFLOAT16 & processor_flags())


def cuda_works() -> bool:
    """Say whether torch can compute on a CUDA device; asks torch, which takes seconds, only where a driver is."""
    if not _NVIDIA_DRIVER.exists():
        return False
    import torch

    return torch.cuda.is_available()


def _fastest(flags: Collection[str], has_gpu: bool) -> Backend:
    if has_gpu:
        return "cuda"
    if _BFLOAT16 & set(flags):
        return "torch-bfloat16"
    return "onnx-int8" if _INT8 & set(flags) else "onnx-float32"
