"""Names causes by the catalogue. Nothing is loaded before there is one to name: that takes the model."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from classifiers.cause_names import CauseNames


@runtime_checkable
class Places(Protocol):
    """What of a classifier naming needs."""

    @property
    def version(self) -> str:
        """Names the model."""
        ...

    def place(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return where texts lie among complaints, float32 (n_texts, width)."""
        ...


class CatalogueNamer:
    """Names the causes of irritants."""

    def __init__(self, classifier: Callable[[], Places], cache: Path) -> None:
        """Put it together; nothing is loaded yet.

        Args:
            classifier: gives the model.
            cache: folder where what the catalogue reads like is kept.
        """
        self._classifier = classifier
        self._cache = cache

    def __call__(self, centre: NDArray[np.float32], topics: Mapping[str, int], languages: Mapping[str, int]) -> str:
        """Return the key of the cause that fits a centre, or an empty text."""
        return self._names.name(centre, topics, languages)

    @cached_property
    def _names(self) -> CauseNames:
        classifier = self._classifier()
        return CauseNames.load(classifier.place, version=classifier.version, cache=self._cache)
