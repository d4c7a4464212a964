"""Fresh databases: SQLite in a file, and on the PostgreSQL server of the tests."""

import uuid
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.engine import make_url

from listener.store import Store, schema
from listener.store.engine import open_engine, reading

_of_this_test: list[tuple[str, str]] = []


def new_database(server_url: str, template: str | None = None, *, kept: bool = False) -> str:
    """Make an empty database, or a copy of `template`, and return its URL.

    It is dropped when the test ends; `kept` is for fixtures that live longer.
    """
    name = f"test_{uuid.uuid4().hex}"
    _run(server_url, f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    if not kept:
        _of_this_test.append((server_url, name))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_databases() -> None:
    """Drop what a test has made: an empty database takes 8 MB, and a thousand of them more than some disks have."""
    while _of_this_test:
        server_url, name = _of_this_test.pop()
        _run(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def make_small(server_url: str) -> None:
    """Let a server keep little on disk: what it has not written yet is lost with the machine, and so are the tests."""
    for setting in ("fsync = off", "max_wal_size = '256MB'"):
        _run(server_url, f"ALTER SYSTEM SET {setting}")
    _run(server_url, "SELECT pg_reload_conf()")


def migrated_database(server_url: str, *, kept: bool = False) -> str:
    """Make a database with all tables, copied because that is quicker than migrating again; return its URL."""
    return new_database(server_url, _migrated_on(server_url), kept=kept)


def migrated_sqlite(folder: Path) -> str:
    """Make the same as a file in a folder, and return its URL."""
    (folder / "listener.db").write_bytes(_migrated_file())
    return f"sqlite:///{folder}/listener.db"


def copied_database(url: str, server_url: str, *, kept: bool = False) -> str:
    """Make a database with the rows of another one, and return its URL."""
    copied = migrated_database(server_url, kept=kept)
    before, after = open_engine(url, read_only=True), open_engine(copied)
    with reading(before) as source, after.begin() as target:
        for table in schema.metadata.sorted_tables:
            if rows := source.execute(select(table)).mappings().all():
                target.execute(table.insert(), [dict(row) for row in rows])
                _count_on(target, table)
    before.dispose()
    after.dispose()
    return copied


def _count_on(connection: Connection, table: Table) -> None:
    """Let the numbers that PostgreSQL gives to rows go on after the highest there is."""
    for column in table.primary_key:
        if table.autoincrement_column is column:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(sequence, select(func.max(column)).scalar_subquery())))


def _run(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@cache
def _migrated_on(server_url: str) -> str:
    url = new_database(server_url, kept=True)
    Store(url).close()
    return str(make_url(url).database)


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as name:
        Store(f"sqlite:///{name}/template.db").close()
        return (Path(name) / "template.db").read_bytes()
