"""What was decided on mentions, read as narrow columns: nothing here writes."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from listener.model import DRILL_NETWORK
from listener.store import schema
from listener.store.engine import reading
from listener.store.items import TriageItem, items, read_item

ROW = (
    "match_id", "mention_id", "author_id", "brand", "country", "watch_id", "max_age_s", "decided_us", "posted_us",
    "collected_us", "outcome", "priority", "influence", "velocity", "network", "copy_of", "parent_id",
    "conversation_id", "complaint", "urgencies", "sentiment", "topic", "language", "fate", "alert_id", "external_id",
)  # fmt: skip
"""The columns of `Decided.rows`. Moments are microseconds since 1970; ids are the store's."""
MEMBER = ("alert_id", "brand", "mention_id", "author_id", "copy_of", "conversation_id", "posted_us")
"""The columns of `Decided.members`."""
_CHUNK = 10_000
_EVENTS = ("opened", "severity", "resolved", "dismissed", "reopened", "reminded", "escalated", "missed", "repeated")


@dataclass(frozen=True, slots=True)
class AlertFact:
    """An alert as it was raised and as it went on."""

    id: int
    kind: str
    brand: str
    country: str
    team: str
    severity: int
    priority: float
    topic: str
    pilot: bool
    rules: Sequence[str]
    opened_at: datetime
    first_posted_at: datetime
    owner: str | None
    claimed_at: datetime | None
    snoozed_until: datetime | None
    replied_at: datetime | None
    private_at: datetime | None
    state: str
    resolution: str | None
    closed_by: str | None
    closed_at: datetime | None
    match_id: int | None

    @property
    def answered_at(self) -> datetime | None:
        """When it was first answered, in public or in private."""
        return min((at for at in (self.replied_at, self.private_at) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an alert's history."""

    alert_id: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """An alert's own message at one receiver."""

    alert_id: int
    receiver: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """All that was decided in a span, as one snapshot."""

    rows: Sequence[Sequence[Any]]
    """Of each of ROW the values, in the order in which was decided."""
    members: Sequence[Sequence[Any]]
    """The mentions that alerts had which were raised before the span and were not closed by then."""
    alerts: Sequence[AlertFact]
    """Those raised in the span and those that have `members`; drills are left out."""
    happenings: Sequence[Happening]
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Shown:
    """A post as people read it; all of it is hostile."""

    match_id: int
    text: str
    """Empty where it was deleted."""
    url: str | None
    author: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Extent:
    """Between which moments anything was decided, and on how many mentions."""

    first: datetime | None
    last: datetime | None
    count: int
    countries: tuple[str, ...]


class Decisions:
    """Reads what was decided. Drills are left out of everything."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, since: datetime, until: datetime, country: str | None = None) -> Decided:
        """Return what was decided from `since` until before `until`, of one country or of all."""
        with reading(self._engine) as connection:
            rows = _columns(connection, _rows(since, until, country), len(ROW))
            carried = _carried(since, country)
            members = _columns(connection, _members(since, carried), len(MEMBER))
            wanted = or_(and_(_alerts.c.opened_at >= since, _alerts.c.opened_at < until), carried)
            if country is not None:
                wanted = and_(wanted, _alerts.c.country == country)
            alerts = _alert_facts(connection, and_(wanted, ~_alerts.c.drill))
            ids = [one.id for one in alerts]
            return Decided(rows, members, alerts, _happenings(connection, ids), _cards(connection, ids))

    def extent(self, country: str | None = None) -> Extent:
        """Return from when to when anything was decided, and in which countries; of one country, or of all."""
        table = schema.matches
        query = select(func.min(table.c.triaged_at), func.max(table.c.triaged_at), func.count(table.c.triaged_at))
        countries = select(table.c.country).distinct().order_by(table.c.country)
        if country is not None:
            query, countries = (one.where(table.c.country == country) for one in (query, countries))
        with reading(self._engine) as connection:
            first, last, count = connection.execute(query).one()
            return Extent(first, last, count or 0, tuple(connection.scalars(countries)))

    def heard_since(self, brands: Collection[str], countries: Collection[str]) -> dict[str, datetime]:
        """Return since when anything of some brands was heard in each country; without those where nothing was."""
        table, found = schema.matches, dict[str, datetime]()
        if not brands:
            return found
        with reading(self._engine) as connection:
            for code in countries:
                # The index leads to the first of each brand, and to no other row.
                firsts = [
                    select(func.min(table.c.matched_at)).where(table.c.brand == brand, table.c.country == code)
                    for brand in brands
                ]
                row = connection.execute(select(*(one.scalar_subquery() for one in firsts))).one()
                if moments := [at for at in row if at is not None]:
                    found[code] = min(moments)
        return found

    def undecided(self, until: datetime, countries: Collection[str] | None = None) -> int:
        """Return how many mentions collected before a moment are not decided on yet; of some countries, or of all."""
        table = schema.matches
        query = select(func.count()).where(table.c.triaged_at.is_(None), table.c.matched_at < until)
        if countries is not None:
            query = query.where(table.c.country.in_(countries))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def items(self, match_ids: Sequence[int]) -> Iterator[TriageItem]:
        """Yield matches with their mentions, in no order."""
        with reading(self._engine) as connection:
            for part in _parts(match_ids):
                for row in connection.execute(items().where(schema.matches.c.id.in_(part))).mappings():
                    yield read_item(row)

    def shown(self, match_ids: Sequence[int]) -> dict[int, Shown]:
        """Return posts as people read them, by match."""
        mentions, matches, authors = schema.mentions, schema.matches, schema.authors
        text = case((mentions.c.fate == "deleted", ""), else_=mentions.c.text)
        query = (
            select(matches.c.id, text, mentions.c.url, authors.c.name, authors.c.handle, mentions.c.published_at)
            .join(mentions, mentions.c.id == matches.c.mention_id)
            .join(authors, authors.c.id == mentions.c.author_id)
        )
        found = {}
        with reading(self._engine) as connection:
            for part in _parts(match_ids):
                for row in connection.execute(query.where(matches.c.id.in_(part))):
                    found[row[0]] = Shown(row[0], row[1], row[2], row[3] or row[4] or "", row[5])
        return found

    def judged(self, mention_ids: Collection[int]) -> dict[int, bool]:
        """Return, by mention, whether people's last word is that it is a complaint; only those they spoke of."""
        table, wanted = schema.corrections, set(mention_ids)
        query = select(table.c.mention_id, table.c.complaint).where(
            table.c.mention_id.is_not(None), table.c.complaint.is_not(None)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(table.c.id)).all()
        return {mention_id: bool(said) for mention_id, said in rows if mention_id in wanted}

    def gaps(self, since: datetime, until: datetime) -> list[tuple[str, datetime, datetime, str]]:
        """Return what watches did not see in a span: watch, from, to, why."""
        table = schema.coverage_gaps
        query = select(table.c.watch_id, table.c.start_at, table.c.end_at, table.c.reason)
        query = query.where(table.c.end_at > since, table.c.start_at < until).order_by(table.c.start_at)
        with reading(self._engine) as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


_alerts = schema.alerts


class _Micros(FunctionElement[int]):
    """Microseconds from 1970 to a moment, as SQL, none of them lost."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Micros)
def _micros_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)}) * 1000000 AS BIGINT)"


@compiles(_Micros, "sqlite")
def _micros_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    at = compiler.process(element.clauses, **options)
    # SQLite's own reading of a moment keeps milliseconds only.
    return (
        f"(CAST(STRFTIME('%s', SUBSTR({at}, 1, 19)) AS INTEGER) * 1000000"
        f" + CAST(SUBSTR(SUBSTR({at}, 21) || '000000', 1, 6) AS INTEGER))"
    )


def _rows(since: datetime, until: datetime, country: str | None) -> Any:
    matches, mentions, found = schema.matches, schema.mentions, schema.classifications
    held, parents, starts = schema.alert_mentions, mentions.alias("parents"), mentions.alias("starts")
    wanted = [matches.c.triaged_at >= since, matches.c.triaged_at < until, mentions.c.network != DRILL_NETWORK]
    if country is not None:
        wanted.append(matches.c.country == country)
    decided_us, posted_us = _Micros(matches.c.triaged_at), _Micros(mentions.c.published_at)
    is_start = mentions.c.conversation_id == mentions.c.external_id
    return (
        select(
            matches.c.id,
            mentions.c.id,
            mentions.c.author_id,
            matches.c.brand,
            matches.c.country,
            matches.c.watch_id,
            matches.c.max_age_s,
            decided_us,
            posted_us,
            _Micros(mentions.c.collected_at),
            matches.c.outcome,
            matches.c.priority,
            matches.c.influence,
            matches.c.velocity,
            mentions.c.network,
            mentions.c.copy_of,
            parents.c.id,
            case((is_start, mentions.c.id), else_=starts.c.id),
            found.c.complaint,
            cast(found.c.urgency_probabilities, Text),
            found.c.sentiment,
            found.c.topic,
            found.c.language,
            mentions.c.fate,
            held.c.alert_id,
            mentions.c.external_id,
        )
        .select_from(matches)
        .join(mentions, mentions.c.id == matches.c.mention_id)
        .join(found, found.c.mention_id == mentions.c.id)
        .outerjoin(held, held.c.match_id == matches.c.id)
        .outerjoin(
            parents, and_(parents.c.network == mentions.c.network, parents.c.external_id == mentions.c.reply_to_id)
        )
        .outerjoin(
            starts,
            and_(
                mentions.c.conversation_id != mentions.c.external_id,
                starts.c.network == mentions.c.network,
                starts.c.external_id == mentions.c.conversation_id,
            ),
        )
        .where(*wanted)
        # As triage goes: what came with one batch by the time at which it was written.
        .order_by(matches.c.triaged_at, mentions.c.published_at, matches.c.id)
    )


def _carried(since: datetime, country: str | None) -> ColumnElement[bool]:
    """True for alerts raised before a moment that were not closed for good by then."""
    table = schema.alerts
    wanted = [table.c.kind == "post", ~table.c.drill, table.c.opened_at < since]
    wanted += [] if country is None else [table.c.country == country]
    return and_(*wanted, or_(table.c.closed_at.is_(None), table.c.closed_at >= since))


def _members(since: datetime, carried: ColumnElement[bool]) -> Any:
    held, matches, mentions = schema.alert_mentions, schema.matches, schema.mentions
    starts = case((mentions.c.conversation_id == mentions.c.external_id, mentions.c.id), else_=literal(None))
    return (
        select(
            held.c.alert_id,
            matches.c.brand,
            mentions.c.id,
            mentions.c.author_id,
            mentions.c.copy_of,
            starts,
            _Micros(mentions.c.published_at),
        )
        .join(_alerts, _alerts.c.id == held.c.alert_id)
        .join(matches, matches.c.id == held.c.match_id)
        .join(mentions, mentions.c.id == matches.c.mention_id)
        .where(carried, held.c.joined_at < since)
        .order_by(held.c.alert_id, held.c.joined_at)
    )


def _columns(connection: Connection, query: Any, width: int) -> Sequence[Sequence[Any]]:
    """Return what a query finds, column by column; so it takes a fraction of the room that rows take."""
    columns: list[list[Any]] = [[] for _ in range(width)]
    for part in connection.execution_options(yield_per=_CHUNK).execute(query).partitions():
        for column, values in zip(columns, zip(*part, strict=True), strict=True):
            column += values
    return columns


def _alert_facts(connection: Connection, wanted: ColumnElement[bool]) -> list[AlertFact]:
    query = select(*(_alerts.c[name] for name in AlertFact.__slots__)).where(wanted).order_by(_alerts.c.id)
    return [AlertFact(*row) for row in connection.execute(query)]


def _happenings(connection: Connection, alert_ids: Sequence[int]) -> list[Happening]:
    table = schema.alert_events
    query = select(table.c.alert_id, table.c.kind, table.c.at, cast(table.c.data, Text)).where(
        table.c.kind.in_(_EVENTS)
    )
    found = []
    for part in _parts(alert_ids):
        rows = connection.execute(query.where(table.c.alert_id.in_(part)).order_by(table.c.id))
        found += [Happening(row[0], row[1], row[2], json.loads(row[3])) for row in rows]
    return found


def _cards(connection: Connection, alert_ids: Sequence[int]) -> list[Card]:
    table = schema.notifications
    query = select(table.c.alert_id, table.c.receiver, table.c.created_at).where(table.c.kind == "alert")
    found = []
    for part in _parts(alert_ids):
        found += [
            Card(*row) for row in connection.execute(query.where(table.c.alert_id.in_(part)).order_by(table.c.id))
        ]
    return found


def _parts(ids: Iterable[int], size: int = 500) -> Iterator[Sequence[int]]:
    listed = list(ids)
    yield from (listed[start : start + size] for start in range(0, len(listed), size))
