"""Opening a database: whoever reads waits for nobody who writes, and what cannot be opened is said."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from listener.errors import StoreError
from listener.store import Store
from tests.databases import migrated_database, migrated_sqlite, new_database


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_that_somebody_writes_to_is_opened_at_once(tmp_path: Path, read_only: bool) -> None:
    url = migrated_sqlite(tmp_path)
    writer = sqlite3.connect(tmp_path / "listener.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    store = Store(url, read_only=read_only)
    assert store.counts()["alerts"] == 0
    store.close()
    writer.close()


def test_a_database_whose_version_is_locked_is_opened_at_once(postgres_url: str) -> None:
    url = migrated_database(postgres_url)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as writer:
        writer.execute("LOCK TABLE alembic_version IN ROW EXCLUSIVE MODE")
        Store(url).close()


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        (None, "the database is empty: nothing was stored yet"),
        ("0000", "of a later release than this program"),
    ],
)
def test_a_database_of_another_shape_is_not_read(
    tmp_path: Path, postgres_url: str, revision: str | None, said: str
) -> None:
    for url in (f"sqlite:///{tmp_path}/other.db", new_database(postgres_url)):
        if url.startswith("sqlite"):
            (tmp_path / "other.db").touch()
        if revision is not None:
            store = Store(url)
            with store._engine.begin() as connection:
                connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
            store.close()
            with pytest.raises(StoreError, match=said):
                Store(url)
        with pytest.raises(StoreError, match=said):
            Store(url, read_only=True)


@pytest.mark.parametrize("url", ["https://[::1", "", "sqlite", "sqlite:///" + "a" * 300 + "/b.db"])
@pytest.mark.parametrize("read_only", [False, True])
def test_what_names_no_database_is_said(url: str, read_only: bool) -> None:
    with pytest.raises(StoreError, match=r"store\.url|cannot be (made|opened)"):
        Store(url, read_only=read_only)
