"""Silences: timed mutes with matchers, an author and a reason. Rows are never dropped: the record stays."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select, update

from listener.store import schema
from listener.store.engine import is_first_press, reading


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence as stored."""

    id: int
    matchers: Sequence[str]
    author: str
    reason: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    ended_by: str | None
    """Who ended it before its time."""


class Silences:
    """Keeps silences."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        matchers: Sequence[str],
        *,
        author: str,
        reason: str,
        starts_at: datetime,
        ends_at: datetime,
        now: datetime,
        press: str = "",
    ) -> int | None:
        """Store a silence and return its id; None where the press that asks for it was handled before."""
        values = {"matchers": list(matchers), "author": author, "reason": reason}
        times = {"created_at": now, "starts_at": starts_at, "ends_at": ends_at}
        with self._engine.begin() as connection:
            if press and not is_first_press(connection, press, now):
                return None
            result = connection.execute(_table.insert().values(**values, **times))
        made: int = result.inserted_primary_key[0]  # type: ignore[index]
        return made

    def active(self, now: datetime) -> list[SilenceRow]:
        """Return the silences in force, the one that ends last first."""
        query = select(_table).where(_table.c.starts_at <= now, _table.c.ends_at > now)
        return self._read(query.order_by(_table.c.ends_at.desc(), _table.c.id))

    def coming(self, now: datetime) -> list[SilenceRow]:
        """Return the silences in force or still to begin, the first to end first."""
        return self._read(select(_table).where(_table.c.ends_at > now).order_by(_table.c.ends_at, _table.c.id))

    def latest(self, limit: int = 200) -> list[SilenceRow]:
        """Return silences, those that are over too, the latest first."""
        return self._read(select(_table).order_by(_table.c.id.desc()).limit(limit))

    def holding(self, countries: Collection[str] | None = None) -> dict[int, int]:
        """Return how many alerts, of these countries or of all, each silence holds back now."""
        sent, alerts = schema.notifications, schema.alerts
        query = (
            select(sent.c.held, func.count(func.distinct(sent.c.alert_id)))
            .where(sent.c.held.like("silence:%"), sent.c.state == "pending")
            .group_by(sent.c.held)
        )
        if countries is not None:
            query = query.join(alerts, alerts.c.id == sent.c.alert_id).where(alerts.c.country.in_(list(countries)))
        with reading(self._engine) as connection:
            return {int(held.partition(":")[2]): count for held, count in connection.execute(query)}

    def silence(self, silence_id: int) -> SilenceRow | None:
        """Return one silence."""
        return next(iter(self._read(select(_table).where(_table.c.id == silence_id))), None)

    def end(self, silence_id: int, *, by: str, now: datetime) -> bool:
        """End a silence before its time; return whether it was still to end."""
        wanted = _table.c.id == silence_id, _table.c.ends_at > now
        with self._engine.begin() as connection:
            return bool(connection.execute(update(_table).where(*wanted).values(ends_at=now, ended_by=by)).rowcount)

    def _read(self, query: Any) -> list[SilenceRow]:
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [SilenceRow(**{name: row[name] for name in SilenceRow.__slots__}) for row in rows]


_table = schema.silences
