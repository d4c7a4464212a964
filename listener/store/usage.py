"""What each watch asked of its network, by day (UTC): requests, items read, what they cost, and what came of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, func, select

from listener.model import Usage
from listener.store import schema
from listener.store.engine import insert, reading

_table = schema.source_usage
_FIGURES = ("requests", "items", "cost", "mentions", "skipped")


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One watch's day, or a sum of several."""

    watch_id: str
    day: str
    """As in 2026-11-22, UTC; of a sum the last."""
    requests: int
    items: int
    """Posts, comments and accounts that were read."""
    cost: float
    """In US dollars, by the prices that were set then."""
    mentions: int
    """New ones."""
    skipped: int
    """Items that were not taken, whether broken or left out."""


class SourceUsage:
    """Reads what was used; `add_usage` writes it, in the transaction of what it was used for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, watch_id: str, usage: Usage, now: datetime) -> None:
        """Add to a watch's day."""
        with self._engine.begin() as connection:
            add_usage(connection, watch_id, usage, now)

    def days(self, since: datetime, *, watch_ids: Collection[str] | None = None) -> list[DayUsage]:
        """Return each watch's days from that of `since` on, the latest first."""
        query = select(_table).where(_table.c.day >= day_of(since)).order_by(_table.c.day.desc(), _table.c.watch_id)
        if watch_ids is not None:
            query = query.where(_table.c.watch_id.in_(list(watch_ids)))
        with reading(self._engine) as connection:
            return [DayUsage(**row) for row in connection.execute(query).mappings()]

    def sums(self, since: datetime, until: datetime | None = None) -> dict[str, DayUsage]:
        """Return each watch's sum from the day of `since` on, to the day before that of `until`."""
        sums = [func.sum(_table.c[name]).label(name) for name in _FIGURES]
        query = select(_table.c.watch_id, func.max(_table.c.day).label("day"), *sums).group_by(_table.c.watch_id)
        query = query.where(_table.c.day >= day_of(since))
        if until is not None:
            query = query.where(_table.c.day < day_of(until))
        with reading(self._engine) as connection:
            return {row["watch_id"]: _day(dict(row)) for row in connection.execute(query).mappings()}


def _day(row: dict[str, str | int | float]) -> DayUsage:
    whole = {name: int(row[name]) for name in _FIGURES if name != "cost"}
    return DayUsage(str(row["watch_id"]), str(row["day"]), cost=float(row["cost"]), **whole)


def day_of(at: datetime) -> str:
    """Return the day that a moment counts for: networks count their days in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def add_usage(
    connection: Connection, watch_id: str, usage: Usage, now: datetime, *, mentions: int = 0, skipped: int = 0
) -> None:
    """Add to a watch's day in an open transaction; nothing where nothing was used."""
    figures = (usage.requests, usage.items, usage.cost, mentions, skipped)
    if not any(figures):
        return
    values = {"watch_id": watch_id, "day": day_of(now), **dict(zip(_FIGURES, figures, strict=True))}
    statement = insert(connection, _table).values(values)
    sums = {name: _table.c[name] + statement.excluded[name] for name in _FIGURES}
    connection.execute(statement.on_conflict_do_update(index_elements=["watch_id", "day"], set_=sums))
