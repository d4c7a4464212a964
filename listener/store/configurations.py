"""Every configuration that was in force, with who brought it in and when. Rows are only ever added."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from listener.store import schema
from listener.store.audit import add_audit
from listener.store.engine import reading

_table = schema.configurations


@dataclass(frozen=True, slots=True)
class Version:
    """One configuration that was in force."""

    id: int
    at: datetime
    """Since when."""
    author: str
    """Who changed it; for a file that was edited, whose account owns it. Hostile."""
    origin: str
    """How: `file`, `console`, `cli` or `rollback`."""
    note: str
    """Why, as the author says it; hostile."""
    digest: str
    """Of the files: two versions with the same one say the same."""
    files: Mapping[str, str]
    """The text of each file, by its name: `config.yaml`, and the voice file where there is one."""
    effective: str
    """All settings in effect, as JSON; secrets are references."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a version is kept with."""

    author: str
    origin: str
    note: str
    digest: str
    files: Mapping[str, str]
    effective: str


class Configurations:
    """Reads and adds versions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def latest(self) -> Version | None:
        """Return the version that was kept last."""
        return self._one(select(_table).order_by(_table.c.id.desc()).limit(1))

    def version(self, version_id: int) -> Version | None:
        """Return one version."""
        return self._one(select(_table).where(_table.c.id == version_id))

    def in_force_at(self, moment: datetime) -> Version | None:
        """Return the version that was in force at a moment; None where none was kept by then."""
        return self._one(select(_table).where(_table.c.at <= moment).order_by(_table.c.id.desc()).limit(1))

    def versions(self, limit: int = 50, before: int | None = None) -> list[Version]:
        """Return versions, the latest first: those with smaller numbers than `before`."""
        query = select(_table).order_by(_table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_table.c.id < before)
        with reading(self._engine) as connection:
            return [Version(**row) for row in connection.execute(query).mappings()]

    def keep(self, new: NewVersion, now: datetime, put_into_force: Callable[[], None] = lambda: None) -> Version:
        """Keep a version, unless it says what the last one does: then that one is returned.

        `put_into_force` is called when nothing but the commit is left to do; where it raises, nothing is kept.
        """
        with self._engine.begin() as connection:
            last = self._latest(connection)
            if last is not None and last.digest == new.digest:
                put_into_force()
                return last
            values = {**{name: getattr(new, name) for name in NewVersion.__slots__}, "at": now}
            added = connection.execute(_table.insert().values(values).returning(_table)).mappings().one()
            version = Version(**added)
            if last is not None:
                add_audit(
                    connection,
                    actor=new.author,
                    origin=new.origin if new.origin in ("console", "cli") else "daemon",
                    action="configuration changed",
                    object=str(version.id),
                    now=now,
                    data={"note": new.note, "before": last.id},
                )
            put_into_force()
        return version

    @staticmethod
    def _latest(connection: Connection) -> Version | None:
        query = select(_table).order_by(_table.c.id.desc()).limit(1)
        if connection.dialect.name == "postgresql":
            query = query.with_for_update()
        row = connection.execute(query).mappings().first()
        return None if row is None else Version(**row)

    def _one(self, query: Select[Any]) -> Version | None:
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Version(**row)
