"""The real model, built once and shared by all tests and by `make run`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier


@pytest.fixture(scope="session")
def model_cache() -> Path:
    default = Path(__file__).parent.parent / "var" / "model"
    return Path(os.environ.get("LISTENER_MODEL_CACHE", default))


@pytest.fixture(scope="session")
def checkpoint(model_cache: Path) -> Path:
    from classifiers.checkpoint import build_checkpoint

    return build_checkpoint(model_cache)


@pytest.fixture(scope="session")
def classifier(model_cache: Path) -> "MentionClassifier":
    from classifiers.mentions import MentionClassifier

    return MentionClassifier.load(model_cache, threads=2)
