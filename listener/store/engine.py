"""Opening the database: pragmas, transactions that lock as they must, and migrations."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from listener.errors import StoreError
from listener.store.schema import presses

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

_READ_ONLY = "listener_read_only"
_BUSY_S = 4
"""How long to wait for another process that writes: less than the daemon may take to stop."""


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL; a SQLite file's folder is made.

    With `read_only` nothing is made, and the database itself refuses whatever would change it.

    Raises:
        StoreError: the URL is not understood or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if read_only:
            return _read_only_engine(parsed)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
            return _sqlite_engine(parsed)
        # Without this an INSERT does not say whether ON CONFLICT left it out.
        return create_engine(parsed, pool_pre_ping=True, execution_options={"preserve_rowcount": True})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise StoreError(
            f"store.url is not usable ({type(error).__name__}); write sqlite:///var/listener.db, or"
            " postgresql://user@host/database after installing the 'postgres' extra"
        ) from error
    except OSError as error:
        raise StoreError(f"the folder of the database cannot be made: {error}") from error


def _read_only_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url, pool_pre_ping=True, connect_args={"options": "-c default_transaction_read_only=on"}
        )  # fmt: skip
    path = Path(url.database or "").expanduser()
    if not path.is_file():
        raise StoreError(f"there is no database {path}: nothing was stored yet, or store.url names another place")
    named = url.set(database=f"file:{quote(str(path.absolute()))}", query={"mode": "ro", "uri": "true"})
    return _sqlite_engine(named, read_only=True)


def check_current(engine: Engine) -> None:
    """Look whether the tables are of this release's shape, and change nothing.

    Raises:
        StoreError: they are not, or the database cannot be read.
    """
    revision, known = _revision(engine), _revisions()
    if revision == known[0]:
        return
    if revision is None:
        raise StoreError("the database is empty: nothing was stored yet, or store.url names another place")
    if revision not in known:
        raise StoreError(f"the database is of a later release than this program (revision {revision})")
    raise StoreError("the database is of an earlier release than this program; `listener run` brings it up to date")


def _revision(engine: Engine) -> str | None:
    """Return the shape that the tables have; None where there are none."""
    from alembic.runtime.migration import MigrationContext

    try:
        with reading(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        raise _not_opened(error) from error


def _revisions() -> list[str]:
    """Return all shapes that tables ever had, this release's first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()]


def _alembic() -> "AlembicConfig":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _not_opened(error: SQLAlchemyError) -> StoreError:
    return StoreError(f"the database cannot be opened: {type(error).__name__}: {_first_line(error)}")


def sqlite_path(url: str) -> Path | None:
    """Return the file that a SQLite URL names, or None for another database or one in memory."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    return Path(str(parsed.database)).expanduser() if is_file else None


def _sqlite_engine(url: Any, *, read_only: bool = False) -> Engine:
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"] if not read_only else ["query_only=ON"]
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in (*pragmas, f"busy_timeout={_BUSY_S * 1000}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A deferred transaction that reads first and writes later fails when another wrote in between.
        reads = connection.get_execution_options().get(_READ_ONLY)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent snapshot that takes no write lock."""
    with engine.connect().execution_options(**{_READ_ONLY: True}) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Bring the tables to this release's shape; where they have it, nothing is written and no writer is waited for.

    Raises:
        StoreError: the database cannot be reached, is damaged, or is of a later release.
    """
    from alembic import command
    from alembic.util import CommandError

    if _revision(engine) == _revisions()[0]:
        return
    config = _alembic()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"the database is of a later release than this program: {error}") from error
    except SQLAlchemyError as error:
        raise _not_opened(error) from error


def _first_line(error: SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    return str(original or error).split("\n", 1)[0]


def insert(connection: Connection, table: Table) -> Any:
    """Return the dialect's own INSERT, the one that knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def is_first_press(connection: Connection, key: str, now: datetime) -> bool:
    """Note a press by its key in an open transaction; False where it was handled before."""
    statement = insert(connection, presses).values(key=key[:200], at=now).on_conflict_do_nothing()
    return bool(connection.execute(statement).rowcount)
