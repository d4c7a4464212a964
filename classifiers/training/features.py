"""Features of training texts, kept between runs, since embedding is by far the longest step."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.checkpoint import Progress
from classifiers.encoder import Encoder

_CHUNK = 1024


class FeatureStore:
    """Features by digest of the text, for one encoder and choice of layers.

    Kept in half precision: training on them rounded costs nothing that can be measured.
    """

    def __init__(self, folder: Path, encoder_name: str, layers: Sequence[int]) -> None:
        self._path = folder / f"{encoder_name}-layers-{'-'.join(map(str, layers))}.npz"

    def features(self, texts: Sequence[str], encoder: Encoder, progress: Progress) -> NDArray[np.float32]:
        """Return features, float32 (n_texts, n_features), embedding only texts not seen before."""
        digests = [hashlib.sha256(text.encode("utf-8")).hexdigest() for text in texts]
        known, stored = self._read(encoder.n_features)
        missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        if missing:
            fresh = _embedded(list(missing.values()), encoder, progress)
            stored = np.concatenate([stored, fresh])
            known |= {digest: len(known) + row for row, digest in enumerate(missing)}
            self._write(known, stored)
        return stored[[known[digest] for digest in digests]].astype(np.float32)

    def _read(self, n_features: int) -> tuple[dict[str, int], NDArray[np.float16]]:
        if not self._path.exists():
            return {}, np.zeros((0, n_features), dtype=np.float16)
        with np.load(self._path) as archive:
            return {str(digest): row for row, digest in enumerate(archive["digests"])}, archive["features"]

    def _write(self, known: dict[str, int], stored: NDArray[np.float16]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part.npz")
        np.savez(partial, digests=np.array(list(known)), features=stored)
        partial.replace(self._path)


def _embedded(texts: Sequence[str], encoder: Encoder, progress: Progress) -> NDArray[np.float16]:
    parts = []
    for start in range(0, len(texts), _CHUNK):
        parts.append(encoder.embed(texts[start : start + _CHUNK]).astype(np.float16))
        progress("embedding", min(1.0, (start + _CHUNK) / len(texts)))
    return np.concatenate(parts)
