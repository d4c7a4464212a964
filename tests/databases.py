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


def new_database(server_url: str, template: str | None = None) -> str:
    """Make an empty database, or a copy of `template`, and return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))  # type: ignore[arg-type]
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def migrated_database(server_url: str) -> str:
    """Make a database with all tables, copied because that is quicker than migrating again; return its URL."""
    return new_database(server_url, template=_migrated_on(server_url))


def migrated_sqlite(folder: Path) -> str:
    """Make the same as a file in a folder, and return its URL."""
    (folder / "listener.db").write_bytes(_migrated_file())
    return f"sqlite:///{folder}/listener.db"


def copied_database(url: str, server_url: str) -> str:
    """Make a database with the rows of another one, and return its URL."""
    copied = migrated_database(server_url)
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


@cache
def _migrated_on(server_url: str) -> str:
    url = new_database(server_url)
    Store(url).close()
    return str(make_url(url).database)


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as name:
        Store(f"sqlite:///{name}/template.db").close()
        return (Path(name) / "template.db").read_bytes()
