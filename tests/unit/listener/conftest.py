"""Stores to test on: SQLite in a file, and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from listener.store import Store
from tests.databases import migrated_database, migrated_sqlite, new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/listener.db"
    return new_database(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store on a fresh database."""
    if request.param == "sqlite":
        url = migrated_sqlite(tmp_path)
    else:
        url = migrated_database(request.getfixturevalue("postgres_url"))
    opened = Store(url)
    yield opened
    opened.close()
