"""Embeddings of complaints, the irritants that they are grouped into, and which week was grouped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, select, update

from listener.store import schema
from listener.store.engine import insert, reading

_irritants, _members, _weeks = schema.irritants, schema.irritant_matches, schema.irritant_weeks
_done, _vectors = schema.grouped_weeks, schema.embeddings
_PART, _LARGE_PART = 2_000, 10_000


@dataclass(frozen=True, slots=True)
class IrritantRow:
    """An irritant as stored."""

    id: int
    brand: str
    cause: str
    """Key of its name; empty where none fits."""
    centre: bytes
    first_week: str
    last_week: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A complaint of an irritant."""

    match_id: int
    irritant_id: int
    rank: int
    """0 is the most typical."""


@dataclass(frozen=True, slots=True)
class Found:
    """An irritant of a week, to be stored: one that goes on, or a new one."""

    known: int | None
    cause: str
    centre: bytes
    first_seen_at: datetime
    match_ids: Sequence[int]
    """The most typical first."""
    countries: Mapping[str, int]


class Causes:
    """Reads and writes irritants."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def vectors(self, mention_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the embeddings of mentions, of those that have one."""
        found: dict[int, bytes] = {}
        with reading(self._engine) as connection:
            for start in range(0, len(mention_ids), _PART):
                part = mention_ids[start : start + _PART]
                query = select(_vectors.c.mention_id, _vectors.c.vector).where(_vectors.c.mention_id.in_(part))
                found |= {row.mention_id: row.vector for row in connection.execute(query)}
        return found

    def with_vectors(self, mention_ids: Sequence[int]) -> set[int]:
        """Return which mentions have an embedding."""
        found: set[int] = set()
        with reading(self._engine) as connection:
            for start in range(0, len(mention_ids), _LARGE_PART):
                part = mention_ids[start : start + _LARGE_PART]
                found.update(connection.scalars(select(_vectors.c.mention_id).where(_vectors.c.mention_id.in_(part))))
        return found

    def is_grouped(self, week: str, brand: str) -> bool:
        """Tell whether a week's complaints about a brand were grouped."""
        query = select(_done.c.week).where(_done.c.week == week, _done.c.brand == brand)
        with reading(self._engine) as connection:
            return connection.scalar(query) is not None

    def grouped_weeks(self, brands: Collection[str]) -> set[str]:
        """Return the weeks that were grouped for any of some brands."""
        query = select(_done.c.week).where(_done.c.brand.in_(list(brands))).distinct()
        with reading(self._engine) as connection:
            return set(connection.scalars(query))

    def known(self, brand: str, since_week: str, before_week: str) -> list[IrritantRow]:
        """Return a brand's irritants that were seen in a span of weeks, the last week outside."""
        query = (
            select(_irritants)
            .where(_irritants.c.brand == brand, _irritants.c.last_week >= since_week)
            .where(_irritants.c.first_week < before_week)
            .order_by(_irritants.c.id)
        )
        with reading(self._engine) as connection:
            return [IrritantRow(**row) for row in connection.execute(query).mappings()]

    def save(self, week: str, brand: str, found: Sequence[Found], complaints: int, now: datetime) -> bool:
        """Store a week's irritants of a brand together; return False where another process did so before."""
        with self._engine.begin() as connection:
            row = insert(connection, _done).values(week=week, brand=brand, at=now, complaints=complaints)
            if not connection.execute(row.on_conflict_do_nothing()).rowcount:
                return False
            for one in found:
                _save(connection, week, brand, one)
        return True

    def of_week(self, week: str, brands: Collection[str]) -> tuple[dict[int, IrritantRow], list[Member]]:
        """Return the irritants of a week with their complaints."""
        query = (
            select(_members.c.match_id, _members.c.irritant_id, _members.c.rank)
            .join(_irritants, _irritants.c.id == _members.c.irritant_id)
            .where(_members.c.week == week, _irritants.c.brand.in_(list(brands)))
            .order_by(_members.c.irritant_id, _members.c.rank)
        )
        with reading(self._engine) as connection:
            members = [Member(*row) for row in connection.execute(query)]
            return _rows(connection, {one.irritant_id for one in members}), members

    def rows(self, irritant_ids: Collection[int]) -> dict[int, IrritantRow]:
        """Return irritants by id."""
        with reading(self._engine) as connection:
            return _rows(connection, irritant_ids)

    def history(self, weeks: Collection[str], brands: Collection[str], countries: Collection[str]) -> dict[
        tuple[int, str], int
    ]:  # fmt: skip
        """Return the mentions of irritants by week, in some countries."""
        query = (
            select(_weeks.c.irritant_id, _weeks.c.week, func.sum(_weeks.c.mentions))
            .join(_irritants, _irritants.c.id == _weeks.c.irritant_id)
            .where(_weeks.c.week.in_(list(weeks)), _weeks.c.country.in_(list(countries)))
            .where(_irritants.c.brand.in_(list(brands)))
            .group_by(_weeks.c.irritant_id, _weeks.c.week)
        )
        with reading(self._engine) as connection:
            return {(row[0], row[1]): int(row[2]) for row in connection.execute(query)}

    def forget(self, before: datetime) -> int:
        """Drop embeddings of posts that were classified before then; return how many."""
        with self._engine.begin() as connection:
            return connection.execute(delete(_vectors).where(_vectors.c.at < before)).rowcount


def _rows(connection: Connection, irritant_ids: Collection[int]) -> dict[int, IrritantRow]:
    query = select(_irritants).where(_irritants.c.id.in_(list(irritant_ids)))
    return {row["id"]: IrritantRow(**row) for row in connection.execute(query).mappings()}


def _save(connection: Connection, week: str, brand: str, one: Found) -> None:
    irritant_id = one.known if one.known is not None else _add(connection, week, brand, one)
    if one.known is not None:
        values = {"centre": one.centre, "last_week": week, **({"cause": one.cause} if one.cause else {})}
        # A week that is grouped after a later one must not make the irritant read as it did then.
        own = (_irritants.c.id == irritant_id, _irritants.c.last_week <= week)
        connection.execute(update(_irritants).where(*own).values(values))
    members = [
        {"match_id": match_id, "irritant_id": irritant_id, "week": week, "rank": rank}
        for rank, match_id in enumerate(one.match_ids)
    ]
    connection.execute(insert(connection, _members).on_conflict_do_nothing(), members)
    counts = [
        {"irritant_id": irritant_id, "week": week, "country": country, "mentions": mentions}
        for country, mentions in one.countries.items()
    ]
    connection.execute(insert(connection, _weeks).on_conflict_do_nothing(), counts)


def _add(connection: Connection, week: str, brand: str, one: Found) -> int:
    row = _irritants.insert().values(
        brand=brand, cause=one.cause, centre=one.centre, first_week=week, last_week=week,
        first_seen_at=one.first_seen_at,
    )  # fmt: skip
    return int(connection.execute(row.returning(_irritants.c.id)).scalar_one())
