"""Fresh databases: SQLite in a file, and on the PostgreSQL server of the tests."""

import uuid
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy.engine import make_url

from listener.store import Store


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
