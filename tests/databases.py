"""Fresh databases on the PostgreSQL server of the tests."""

import uuid

import psycopg
from sqlalchemy.engine import make_url


def new_database(server_url: str, template: str | None = None) -> str:
    """Make an empty database, or a copy of `template`, and return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))  # type: ignore[arg-type]
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)
