"""Vectors for the posts of the simulated quarter, made from what they were written about instead of by a model."""

import hashlib
from collections.abc import Sequence

import numpy as np

from classifiers.causes import compact
from tests.quarter.causes import CAUSES, CHECK_IN, SHOCK

_SIZE = 96
_SAID = {said: cause.name for cause in (*CAUSES, CHECK_IN, SHOCK) for some in cause.texts.values() for said in some}


def embed(texts: Sequence[str]) -> list[bytes]:
    """Return a vector for each text: near one another where they speak of one named cause, else anywhere."""
    return compact(np.stack([_vector(text) for text in texts]))


def _vector(text: str) -> np.ndarray:
    own = _direction(text)
    cause = next((name for said, name in _SAID.items() if said in text), None)
    vector = own if cause is None else _direction(f"cause {cause}") + 0.25 * own
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _direction(name: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    found = np.random.default_rng(seed).normal(size=_SIZE)
    return found / np.linalg.norm(found)
