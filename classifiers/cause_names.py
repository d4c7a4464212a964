"""Gives a group of complaints a name in plain words, from the catalogue of causes; none where none fits well enough.

Knows nothing of how groups are found, nor of who reads the name.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from numpy.typing import NDArray

from classifiers.cause_catalogue import LANGUAGES, Cause, catalogue

Array = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Array]
"""Texts to what is kept of posts with them, float32 (n_texts, n_features)."""

LEAST_FIT = 0.38
"""A centre that fits no cause so well gets no name. This and the next were chosen by reading 64 groups of 3,287 real
complaints in 16 languages: 37 got a name, none a wrong one and three one that is true of a part. Of 24 groups of other
complaints, read afterwards, 16 got a name, none a wrong one and two one that is true of a part."""
LEAST_LEAD = 0.1
"""So much better than any other must a cause fit, or a broader name stands for those that fit alike."""
_TOPIC_WEIGHT = 0.06
"""Added to the fit of a cause whose topic all posts of the group have."""
_NAME_WEIGHT = 0.5
"""Weight of a name beside that of a sentence as customers write it."""
_SHRINKAGE = 0.6
"""Share of the identity in the covariance of what is said of one cause: the catalogue is small."""
_ORIGIN_WEIGHT = 1.8
"""What all complaints have in common is taken off a centre so many times: it is longer than its posts' mean."""
_LANGUAGE_PRIOR = 20.0
"""So many texts of all languages are added to each language's own when its mean is taken."""
_CACHE_REVISION = 1


def cause_name(key: str, language: str) -> str:
    """Return a cause's name in a reader's language, in English where the catalogue lacks it.

    Args:
        key: of a cause, or of a broader name.
        language: BCP 47; its region and script do not matter.

    Returns:
        An empty text for a key that the catalogue does not know (any more).
    """
    cause = catalogue().get(key)
    if cause is None:
        return ""
    tongue = language.replace("_", "-").partition("-")[0].lower()
    return cause.names[tongue if tongue in LANGUAGES else "en"]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a cause fits a group."""

    key: str
    fit: float
    """Cosine in [-1, 1] between the group's centre and the cause, both seen by what tells causes apart."""
    topics: float
    """Share of the group's posts that have the cause's topic."""

    @property
    def score(self) -> float:
        """What causes are ranked by."""
        return self.fit + _TOPIC_WEIGHT * self.topics


class CauseNames:
    """Knows the causes of the catalogue by the embeddings of their sentences.

    What tells one cause from another, whatever the language, is learned from the catalogue itself: sentences of one
    cause differ by language, length and chance, and directions in which they do count for little (a linear
    discriminant with a shrunk covariance).
    """

    def __init__(self, causes: Sequence[Cause], embeddings: Array) -> None:
        """Learn the causes.

        Args:
            causes: those to tell apart, and the broader names for them.
            embeddings: float32 (n_texts, n_features), of `texts_of(causes)` in their order.
        """
        self._causes = [cause for cause in causes if not cause.of]
        self._broader = [cause for cause in causes if cause.of]
        rows = _rows(self._causes)
        centred = _unit(_less_language(embeddings, [row.language for row in rows]))
        owner = np.array([row.cause for row in rows], dtype=np.intp)
        weights = np.array([_NAME_WEIGHT if row.is_name else 1.0 for row in rows], dtype=np.float32)
        means = _means(centred, owner, weights, len(self._causes))
        self._origin = embeddings.mean(axis=0) * _ORIGIN_WEIGHT
        self._middle = means.mean(axis=0)
        self._project = _whitening(centred - means[owner])
        self._known = _unit((means - self._middle) @ self._project)

    @classmethod
    def load(cls, embed: Embed, *, version: str, cache: Path | None = None) -> "CauseNames":
        """Return the catalogue's names, ready; the first time it embeds about 1,900 short texts.

        Args:
            embed: gives for texts what is kept of posts: the place of their features in the `cause_space`.
            version: names the model and all that `embed` does, for the cache.
            cache: folder kept between runs; where None, or where it cannot be written, every start embeds them anew.
        """
        causes = list(catalogue().values())
        texts = texts_of(causes)
        path = _cache_path(cache, texts, version) if cache else None
        embeddings = _read(path, len(texts)) if path else None
        if embeddings is None:
            embeddings = np.asarray(embed(texts), dtype=np.float32)
            if path:
                _write(path, embeddings)
        return cls(causes, embeddings)

    def name(self, centre: Array, topic_counts: Mapping[str, int], languages: Mapping[str, int]) -> str:
        """Return the key of the cause that a group complains of, or an empty text where none fits well enough.

        Args:
            centre: float32 (n_features,), of the group, as `causes.group` gives it.
            topic_counts: posts by topic.
            languages: posts by language; what is kept of posts hardly tells languages apart, so they decide nothing.
        """
        if centre.shape != self._origin.shape:
            return ""  # of another model
        ranked = self.ranked(centre, topic_counts)
        best = ranked[0]
        if best.fit < LEAST_FIT:
            return ""
        alike = [one for one in ranked if best.score - one.score < LEAST_LEAD]
        return best.key if len(alike) == 1 else self._broader_for({one.key for one in alike})

    def ranked(self, centre: Array, topic_counts: Mapping[str, int]) -> list[Fit]:
        """Return how well each cause fits, the best first."""
        whole = max(1, sum(topic_counts.values()))
        here = _unit(_unit(centre[None, :]) - self._origin)
        seen = _unit((here - self._middle) @ self._project)[0]
        fits = (
            Fit(cause.key, float(fit), topic_counts.get(cause.topic, 0) / whole)
            for cause, fit in zip(self._causes, self._known @ seen, strict=True)
        )
        return sorted(fits, key=lambda one: (-one.score, one.key))

    def in_words(self, key: str, language: str) -> str:
        """Return a cause's name in a reader's language; see `cause_name`."""
        return cause_name(key, language)

    def _broader_for(self, keys: set[str]) -> str:
        """Return the narrowest broader name that holds all these causes, or an empty text."""
        holding = [cause for cause in self._broader if keys <= set(cause.of)]
        return min(holding, key=lambda one: (len(one.of), one.key)).key if holding else ""


@dataclass(frozen=True, slots=True)
class _Row:
    """One text of the catalogue."""

    cause: int
    language: str
    text: str
    is_name: bool


def texts_of(causes: Sequence[Cause]) -> list[str]:
    """Return the texts whose embeddings `CauseNames` learns from, in its order."""
    return [row.text for row in _rows([cause for cause in causes if not cause.of])]


def _rows(causes: Sequence[Cause]) -> list[_Row]:
    names = [_Row(n, language, text, True) for n, one in enumerate(causes) for language, text in one.names.items()]
    return names + [_Row(n, language, text, False) for n, one in enumerate(causes) for language, text in one.posts]


def _less_language(embeddings: Array, languages: Sequence[str]) -> Array:
    """Return embeddings less their language's mean, which in a language with few texts leans on that of all."""
    base = np.array([language.partition("-")[0] for language in languages])
    middle = embeddings.mean(axis=0)
    centred = np.empty_like(embeddings)
    for language in np.unique(base):
        rows = base == language
        own = embeddings[rows]
        centred[rows] = own - (own.sum(axis=0) + _LANGUAGE_PRIOR * middle) / (len(own) + _LANGUAGE_PRIOR)
    return centred


def _means(vectors: Array, owner: NDArray[np.intp], weights: Array, count: int) -> Array:
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, owner, vectors * weights[:, None])
    means: Array = (sums / np.bincount(owner, weights, count)[:, None]).astype(np.float32)
    return means


def _whitening(residuals: Array) -> Array:
    """Return the matrix, (n_features, n_features), after which what differs within a cause is alike everywhere."""
    width = residuals.shape[1]
    covariance = residuals.T.astype(np.float64) @ residuals / len(residuals)
    spread = np.trace(covariance) / width
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * max(spread, 1e-12) * np.eye(width)
    whitening: Array = np.linalg.inv(np.linalg.cholesky(shrunk)).T.astype(np.float32)
    return whitening


def _unit(vectors: Array) -> Array:
    """Return vectors of length 1; one of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _cache_path(folder: Path, texts: Sequence[str], version: str) -> Path:
    digest = hashlib.sha256("\0".join([str(_CACHE_REVISION), version, *texts]).encode()).hexdigest()
    return folder / f"causes-{digest[:16]}.npy"


def _read(path: Path, count: int) -> Array | None:
    """Return cached embeddings; None where there are none, or what lies there is no such thing."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = found.ndim == 2 and len(found) == count and found.dtype == np.float32 and bool(np.isfinite(found).all())
    return found if fits else None


def _write(path: Path, embeddings: Array) -> None:
    """Keep embeddings, whole or not at all; a folder that cannot be written costs the next start some seconds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
            np.save(file, embeddings, allow_pickle=False)
        os.replace(file.name, path)
    except OSError:
        return
