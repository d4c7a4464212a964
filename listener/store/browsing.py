"""What people look through: posts, alerts and incidents, page by page, in the countries that they may see.

Every method takes `sees`, the countries of whoever asks, or None for somebody who sees them all.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import le
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    any_,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from listener.model import DRILL_NETWORK, AlertState
from listener.searching import Query, parse_query
from listener.store import schema
from listener.store.alerts import LIVE_STATES, AlertRow, alert_of
from listener.store.engine import reading
from listener.store.incidents import IncidentRow
from listener.store.search import (
    first_place,
    fts_match,
    fts_query,
    of_alerts,
    of_countries,
    stored_words,
    tsquery,
    words,
)

PAGE = 50
"""Rows of a page, where nobody asks for another number."""
USUAL_SPAN = timedelta(days=30)
"""How far back a list of posts goes where nobody asks for more; `since=None` goes back to the first."""
EXCERPT = 400
"""Characters of a post in a list."""
MOST_COUNTED, MOST_FOUND = 5_000, 1_000
"""Facets count no further than the latest so many posts, and of those that a text is found in."""
FACETS = ("country", "brand", "network", "language", "topic", "sentiment", "urgency", "outcome", "severity")

_BIGGEST, _HIGHEST = 2**63 - 1, 2**31 - 1
"""Numbers of rows, and levels: what their columns hold."""
_NAME = re.compile(r"\s*(?:#|[AaIi]-)([0-9]{1,17})\s*")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list, and where the next begins."""

    rows: Sequence[Row]
    next: str | None = None
    """To be given as `before` for the following page; None on the last."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are; where `exact` is False, at least so many."""

    count: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class MentionFilter:
    """Which posts are asked for. An empty field asks for nothing."""

    text: str = ""
    """A query as people type it; see `listener.searching`."""
    typing: bool = False
    """Whether the last word of `text` may go on."""
    countries: Collection[str] = ()
    brands: Collection[str] = ()
    networks: Collection[str] = ()
    languages: Collection[str] = ()
    topics: Collection[str] = ()
    sentiments: Collection[str] = ()
    urgencies: Collection[int] = ()
    outcomes: Collection[str] = ()
    """`raised`, `joined`, `quiet`, `old`, `withdrawn`..., and `waiting` for what nothing was decided on yet."""
    severities: Collection[int] = ()
    """Of the alert that a post belongs to."""
    alert_id: int | None = None
    author_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    drills: bool = False
    """Whether posts that drills invented are among them."""


@dataclass(frozen=True, slots=True)
class MentionRow:
    """A post that concerns a brand, as a list shows it. Names and text are hostile."""

    match_id: int
    mention_id: int
    brand: str
    country: str
    network: str
    url: str | None
    author_id: int
    author_name: str
    author_handle: str | None
    author_followers: int | None
    text: str
    """Its beginning in a list; empty where the post was deleted."""
    cut: bool
    """Whether `text` goes on."""
    published_at: datetime
    collected_at: datetime
    fate: str
    """`stands`, `edited` or `deleted`."""
    fate_at: datetime | None
    copy_of: int | None
    language: str | None
    """This and what follows is None until the post is classified."""
    complaint: float | None
    urgency: int | None
    sentiment: str | None
    topic: str | None
    outcome: str | None
    """None until something was decided on it."""
    priority: float | None
    influence: float | None
    alert_id: int | None
    alert_state: str | None
    severity: int | None

    @property
    def is_deleted(self) -> bool:
        """Whether the post is gone."""
        return self.fate == "deleted"


@dataclass(frozen=True, slots=True)
class FacetValue:
    """How many posts of a list have one value of a facet; None is the value of those not classified or raised."""

    value: str | int | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Facets:
    """What a list of posts is made of."""

    total: Tally
    values: Mapping[str, Sequence[FacetValue]]
    """By facet of FACETS, the most frequent first. A facet that is filtered by counts as if it were not."""


def number_named(text: str) -> int:
    """Return the number of the alert that a text names (`A-12`, `i-14`, `#12`), 0 where it names none."""
    found = _NAME.fullmatch(text)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are asked for. An empty field asks for nothing."""

    text: str = ""
    """A query as people type it, looked for in all posts of an alert; or an alert's name: `A-12`, `I-12`, `#12`."""
    typing: bool = False
    countries: Collection[str] = ()
    brands: Collection[str] = ()
    teams: Collection[str] = ()
    """Teams that have it now."""
    topics: Collection[str] = ()
    states: Collection[str] = ()
    live: bool = False
    """Only those that somebody still has to act on."""
    severities: Collection[int] = ()
    kinds: Collection[str] = ()
    owner: str = ""
    """Name of who has it."""
    owner_address: str = ""
    unowned: bool = False
    overdue_at: datetime | None = None
    """Only those whose answer or solution was due before this moment."""
    since: datetime | None = None
    until: datetime | None = None
    drills: bool = False
    latest_first: bool = True
    """Else the severest first, and of those the oldest."""


@dataclass(frozen=True, slots=True)
class AlertItem:
    """An alert with the post that its card shows; an incident has none. Names and text are hostile."""

    alert: AlertRow
    network: str | None = None
    url: str | None = None
    author_name: str = ""
    author_handle: str | None = None
    author_followers: int | None = None
    text: str = ""
    cut: bool = False
    language: str | None = None
    published_at: datetime | None = None
    fate: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents are asked for. An empty field asks for nothing."""

    countries: Collection[str] = ()
    brands: Collection[str] = ()
    topics: Collection[str] = ()
    lasting: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    drills: bool = False


@dataclass(frozen=True, slots=True)
class IncidentItem:
    """An incident with its alert, and the card that it showed last."""

    incident: IncidentRow
    alert: AlertRow
    facts: str
    """The card as JSON, with the curve; `alerts.message.load_message` reads it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How things stand, for the first page."""

    live: Mapping[int, int] = field(default_factory=dict)
    """Alerts that somebody still has to act on, by severity."""
    unowned: int = 0
    mine: int = 0
    overdue: int = 0
    snoozed: int = 0
    incidents: int = 0
    """Those that last."""
    raised_today: int = 0
    """Alerts of the last 24 hours."""
    mentions_today: Tally = field(default_factory=lambda: Tally(0))


class Browsing:
    """Reads lists for people."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Posts

    def mentions(
        self, wanted: MentionFilter, *, sees: Collection[str] | None, limit: int = PAGE, before: str | None = None
    ) -> Page[MentionRow]:
        """Return posts, the latest published first; one that concerns two brands stands there twice."""
        key = _read_key(before, _BIGGEST)
        with _looking(self._engine) as connection:
            asked = _Asked(connection, wanted, sees, before=None if key is None else key[0])
            found = asked.latest((_listing.c.place, _listing.c.match_id), limit + 1)
            query = _rows(text_of=EXCERPT).where(_matches.c.id.in_([row.match_id for row in found[:limit]]))
            rows = {row["match_id"]: _mention_row(row) for row in connection.execute(query).mappings()}
        shown = [rows[row.match_id] for row in found[:limit] if row.match_id in rows]
        return Page(shown, str(found[limit - 1].place) if len(found) > limit else None)

    def mention(self, match_id: int, *, sees: Collection[str] | None) -> MentionRow | None:
        """Return one post with its whole text."""
        query = _rows(text_of=None).where(_matches.c.id == match_id, *_seen(_matches, sees))
        with _looking(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _mention_row(row, None)

    def facets(self, wanted: MentionFilter, *, sees: Collection[str] | None) -> Facets:
        """Return what a list of posts is made of."""
        filtered = {name: _without(wanted, name) for name in FACETS if getattr(wanted, _FIELDS[name])}
        with _looking(self._engine) as connection:
            total, values = _facets(_Asked(connection, wanted, sees), [name for name in FACETS if name not in filtered])
            for name, wider in filtered.items():
                values |= _facets(_Asked(connection, wider, sees), [name])[1]
        return Facets(total, {name: values[name] for name in FACETS})

    # Alerts

    def alerts(
        self, wanted: AlertFilter, *, sees: Collection[str] | None, limit: int = PAGE, before: str | None = None
    ) -> Page[AlertItem]:
        """Return alerts, the latest first, or the severest first where that is asked for."""
        query = select(_alerts.c.id).limit(limit + 1)
        if wanted.latest_first:
            key = _read_key(before, _BIGGEST)
            query = query.order_by(_alerts.c.id.desc())
            query = query if key is None else query.where(_alerts.c.id < key[0])
        else:
            key = _read_key(before, _HIGHEST, _BIGGEST)
            query = query.order_by(_alerts.c.severity.desc(), _alerts.c.id)
            if key is not None:
                later = and_(_alerts.c.severity == key[0], _alerts.c.id > key[1])
                query = query.where(or_(_alerts.c.severity < key[0], later))
        with _looking(self._engine) as connection:
            ids = connection.scalars(query.where(*_wanted_alerts(connection, wanted, sees))).all()
            shown = _alert_rows().where(_alerts.c.id.in_(ids[:limit]))
            items = {row["id"]: _alert_item(row) for row in connection.execute(shown).mappings()}
        rows = [items[alert_id] for alert_id in ids[:limit]]
        return Page(rows, _alert_key(rows[-1].alert, wanted) if len(ids) > limit else None)

    def alert(self, alert_id: int, *, sees: Collection[str] | None) -> AlertItem | None:
        """Return one alert."""
        query = _alert_rows().where(_alerts.c.id == alert_id, *_seen(_alerts, sees))
        with _looking(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _alert_item(row)

    # Incidents

    def incidents(
        self, wanted: IncidentFilter, *, sees: Collection[str] | None, limit: int = PAGE, before: str | None = None
    ) -> Page[IncidentItem]:
        """Return incidents, the latest first."""
        query = _incident_rows().where(*_wanted_incidents(wanted, sees))
        key = _read_key(before, _BIGGEST)
        query = query if key is None else query.where(_incidents.c.alert_id < key[0])
        with _looking(self._engine) as connection:
            found = connection.execute(query.order_by(_incidents.c.alert_id.desc()).limit(limit + 1)).mappings()
            rows = [_incident_item(row) for row in found]
        more = len(rows) > limit
        return Page(rows[:limit], str(rows[limit - 1].alert.id) if more else None)

    def incident(self, alert_id: int, *, sees: Collection[str] | None) -> IncidentItem | None:
        """Return one incident by its alert."""
        query = _incident_rows().where(_incidents.c.alert_id == alert_id, *_seen(_incidents, sees))
        with _looking(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _incident_item(row)

    # The first page

    def counts(
        self, *, sees: Collection[str] | None, now: datetime, owner: str = "", owner_address: str = ""
    ) -> Counts:
        """Return how things stand, and how much of it somebody has; drills are left out."""
        mine = _of_owner(owner, owner_address)
        live = and_(_alerts.c.state.in_(LIVE_STATES), ~_alerts.c.drill, *_seen(_alerts, sees))
        sums = select(
            _alerts.c.severity,
            func.count(),
            _how_many(_alerts.c.owner.is_(None)),
            _how_many(mine) if mine is not None else func.sum(0),
            _how_many(_overdue(now)),
            _how_many(_alerts.c.state == AlertState.SNOOZED.value),
        )
        lasting = IncidentFilter(lasting=True)
        day = now - timedelta(days=1)
        with _looking(self._engine) as connection:
            rows = connection.execute(sums.where(live).group_by(_alerts.c.severity)).all()
            incidents = _count(connection, _incident_rows().where(*_wanted_incidents(lasting, sees)))
            raised = _count(
                connection, select(_alerts.c.id).where(*_wanted_alerts(connection, AlertFilter(since=day), sees))
            )
            mentions = _tally(connection, MentionFilter(since=day), sees)
        return Counts(
            live={row[0]: row[1] for row in sorted(rows, reverse=True)},
            unowned=sum(row[2] for row in rows),
            mine=sum(row[3] for row in rows),
            overdue=sum(row[4] for row in rows),
            snoozed=sum(row[5] for row in rows),
            incidents=incidents,
            raised_today=raised,
            mentions_today=mentions,
        )


@contextmanager
def _looking(engine: Engine) -> Iterator[Connection]:
    """A snapshot to read lists from."""
    with reading(engine) as connection:
        if connection.dialect.name == "postgresql":
            # A plan made for any word is a bad one: some stand in every third post, most in none.
            connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
            connection.execute(text("SET LOCAL jit = off"))
        yield connection


_mentions, _matches, _found = schema.mentions, schema.matches, schema.classifications
_authors, _alerts, _incidents, _held = schema.authors, schema.alerts, schema.incidents, schema.alert_mentions
_listing = schema.listing


def _read_key(before: str | None, *most: int) -> list[int] | None:
    """Return the numbers of a page's start; None for the first page, and for a start that no page has."""
    parts = (before or "").split(".")
    numbers = [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 20]
    is_start = len(numbers) == len(parts) == len(most) and all(map(le, numbers, most))
    return numbers if is_start else None


def _seen(table: Any, sees: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if sees is None else [table.c.country.in_(sorted(sees))]


def _among(column: Any, values: Collection[Any]) -> list[ColumnElement[bool]]:
    return [column.in_(sorted(values))] if values else []


def _joined() -> Any:
    return (
        _matches.join(_mentions, _mentions.c.id == _matches.c.mention_id)
        .join(_authors, _authors.c.id == _mentions.c.author_id)
        .outerjoin(_found, _found.c.mention_id == _mentions.c.id)
        .outerjoin(_held, _held.c.match_id == _matches.c.id)
        .outerjoin(_alerts, _alerts.c.id == _held.c.alert_id)
    )


def _rows(text_of: int | None) -> Select[Any]:
    text = _mentions.c.text if text_of is None else func.substr(_mentions.c.text, 1, text_of + 1)
    return select(
        _matches.c.id.label("match_id"),
        _mentions.c.id.label("mention_id"),
        _matches.c.brand,
        _matches.c.country,
        _mentions.c.network,
        _mentions.c.url,
        _mentions.c.author_id,
        _authors.c.name.label("author_name"),
        _authors.c.handle.label("author_handle"),
        _authors.c.followers.label("author_followers"),
        case((_mentions.c.fate == "deleted", ""), else_=text).label("text"),
        _mentions.c.published_at,
        _mentions.c.collected_at,
        _mentions.c.fate,
        _mentions.c.fate_at,
        _mentions.c.copy_of,
        _found.c.language,
        _found.c.complaint,
        _found.c.urgency,
        _found.c.sentiment,
        _found.c.topic,
        _matches.c.outcome,
        _matches.c.priority,
        _matches.c.influence,
        _alerts.c.id.label("alert_id"),
        _alerts.c.state.label("alert_state"),
        _alerts.c.severity,
    ).select_from(_joined())


def _mention_row(row: Mapping[Any, Any], most: int | None = EXCERPT) -> MentionRow:
    values = {name: row[name] for name in MentionRow.__slots__ if name not in ("text", "cut")}
    text = row["text"]
    return MentionRow(**values, text=text[:most], cut=most is not None and len(text) > most)


_FIELDS = {
    "country": "countries",
    "brand": "brands",
    "network": "networks",
    "language": "languages",
    "topic": "topics",
    "sentiment": "sentiments",
    "urgency": "urgencies",
    "outcome": "outcomes",
    "severity": "severities",
}


def _without(wanted: MentionFilter, name: str) -> MentionFilter:
    """Return what is asked for without what a facet is filtered by."""
    nothing: dict[str, Any] = {_FIELDS[name]: ()}
    return replace(wanted, **nothing)


class _Asked:
    """Posts that somebody asks for, in an open transaction."""

    def __init__(
        self, connection: Connection, wanted: MentionFilter, sees: Collection[str] | None, before: int | None = None
    ) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._query = _among_countries(parse_query(wanted.text, typing=wanted.typing), wanted.countries, sees)
        self._first = None if wanted.since is None else first_place(wanted.since)
        ends = [] if wanted.until is None else [first_place(wanted.until)]
        ends += [] if before is None else [before]
        self._end = min(ends, default=None)
        self._conditions = _conditions(wanted, sees)

    @property
    def most(self) -> int:
        """How many are counted at most."""
        return MOST_COUNTED if self._query.is_empty else MOST_FOUND

    def latest(self, columns: Sequence[Any], limit: int) -> Sequence[Any]:
        """Return columns of the latest posts."""
        if self._query.is_hopeless:
            return []
        query = select(*columns).where(*self._conditions).limit(limit)
        if self._query.is_empty:
            query = query.where(*self._span(_listing.c.place)).order_by(_listing.c.place.desc())
        elif self._on_sqlite:
            query = self._found_by_sqlite(query)
        else:
            query = self._found_by_postgresql(query)
        return self._connection.execute(query).all()

    def _span(self, place: Any) -> list[ColumnElement[bool]]:
        first: list[ColumnElement[bool]] = [] if self._first is None else [place >= self._first]
        return first if self._end is None else [*first, place < self._end]

    def _found_by_sqlite(self, query: Select[Any]) -> Select[Any]:
        if not self._query.wanted:
            without = select(words.c.rowid).where(_MATCHES.op("MATCH")(fts_query(self._query.unwanted, "OR")))
            has_words = exists().where(stored_words.c.id == _listing.c.place)
            query = query.where(_listing.c.place.not_in(without), has_words, *self._span(_listing.c.place))
            return query.order_by(_listing.c.place.desc())
        found = _MATCHES.op("MATCH")(fts_match(self._query))
        query = query.select_from(_BY_WORDS).where(found, *self._span(words.c.rowid))
        return query.order_by(words.c.rowid.desc())

    def _found_by_postgresql(self, query: Select[Any]) -> Select[Any]:
        found = words.c.tokens.op("@@")(cast(tsquery(self._query), TSQUERY))
        few = select(words.c.place).where(found, *self._span(words.c.place)).limit(_FEW + 1)
        places = self._connection.scalars(few).all()
        query = query.order_by(_listing.c.place.desc())
        if len(places) <= _FEW:
            return query.where(_listing.c.place == any_(cast(list(places), ARRAY(BigInteger))))
        return query.where(words.c.place == _listing.c.place, found, *self._span(_listing.c.place))


_MATCHES: ColumnElement[Any] = literal_column("search_words")
# The sign keeps SQLite from asking the index for each post in turn: it goes through what the index finds.
_BY_WORDS = words.join(_listing, _listing.c.place == literal_column("+search_words.rowid"))
_FEW = 1_000
"""So many are fetched by what the index finds; of more, PostgreSQL may well find the latest by going back in time."""


def _among_countries(query: Query, chosen: Collection[str], sees: Collection[str] | None) -> Query:
    """Return a query that the index answers for some countries alone, where not all are asked for."""
    some = set(chosen) & set(sees) if chosen and sees is not None else set(chosen or sees or ())
    return query if query.is_empty or not some else of_countries(query, some)


def _conditions(wanted: MentionFilter, sees: Collection[str] | None) -> list[ColumnElement[bool]]:
    conditions = [
        *_seen(_listing, sees),
        *_among(_listing.c.country, wanted.countries),
        *_among(_listing.c.brand, wanted.brands),
        *_among(_listing.c.network, wanted.networks),
        *_among(_listing.c.language, wanted.languages),
        *_among(_listing.c.topic, wanted.topics),
        *_among(_listing.c.sentiment, wanted.sentiments),
        *_among(_listing.c.urgency, wanted.urgencies),
        *_among(_listing.c.outcome, wanted.outcomes),
    ]
    if wanted.severities:
        severe = select(_alerts.c.id).where(_alerts.c.severity.in_(sorted(wanted.severities)))
        conditions.append(_listing.c.alert_id.in_(severe))
    if wanted.author_id is not None:
        own = select(_matches.c.id).join(_mentions, _mentions.c.id == _matches.c.mention_id)
        conditions.append(_listing.c.match_id.in_(own.where(_mentions.c.author_id == wanted.author_id)))
    conditions += [] if wanted.alert_id is None else [_listing.c.alert_id == wanted.alert_id]
    return conditions if wanted.drills else [*conditions, _listing.c.network != DRILL_NETWORK]


def _facets(asked: _Asked, names: Sequence[str]) -> tuple[Tally, dict[str, Sequence[FacetValue]]]:
    severity = select(_alerts.c.severity).where(_alerts.c.id == _listing.c.alert_id).scalar_subquery()
    columns = [severity if name == "severity" else _listing.c[name] for name in names]
    rows = asked.latest(columns or [_listing.c.place], asked.most + 1)
    exact = len(rows) <= asked.most
    counted = rows[: asked.most]
    values: dict[str, Sequence[FacetValue]] = {}
    by_column: list[Sequence[Any]] = list(zip(*counted, strict=True)) if counted else [()] * len(names)
    for name, column in zip(names, by_column, strict=False):
        found = sorted(Counter(column).items(), key=lambda pair: (-pair[1], str(pair[0])))
        values[name] = [FacetValue(value, Tally(count, exact)) for value, count in found]
    return Tally(len(counted), exact), values


def _tally(connection: Connection, wanted: MentionFilter, sees: Collection[str] | None) -> Tally:
    return _facets(_Asked(connection, wanted, sees), [])[0]


def _count(connection: Connection, query: Select[Any]) -> int:
    return connection.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def _how_many(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _overdue(now: datetime) -> ColumnElement[bool]:
    """True where nobody took it in time, or it was not solved in time."""
    unanswered = and_(_alerts.c.respond_by < now, _alerts.c.claimed_at.is_(None), _alerts.c.replied_at.is_(None))
    return or_(unanswered, _alerts.c.resolve_by < now)


def _of_owner(owner: str, owner_address: str) -> ColumnElement[bool] | None:
    by_address = [_alerts.c.owner_address == owner_address] if owner_address else []
    by_name = [and_(_alerts.c.owner == owner, func.coalesce(_alerts.c.owner_address, "") == "")] if owner else []
    return or_(*by_address, *by_name) if by_address or by_name else None


def _wanted_alerts(
    connection: Connection, wanted: AlertFilter, sees: Collection[str] | None
) -> list[ColumnElement[bool]]:
    conditions = [
        *_seen(_alerts, sees),
        *_among(_alerts.c.country, wanted.countries),
        *_among(func.coalesce(_alerts.c.brand, ""), wanted.brands),  # else SQLite sorts all that a brand ever had
        *_among(_alerts.c.now_with, wanted.teams),
        *_among(_alerts.c.topic, wanted.topics),
        *_among(_alerts.c.state, wanted.states),
        *_among(_alerts.c.severity, wanted.severities),
        *_among(_alerts.c.kind, wanted.kinds),
    ]
    conditions += [_alerts.c.state.in_(LIVE_STATES)] if wanted.live else []
    conditions += [_alerts.c.owner.is_(None)] if wanted.unowned else []
    owner = _of_owner(wanted.owner, wanted.owner_address)
    conditions += [] if owner is None else [owner]
    if wanted.overdue_at is not None:
        conditions += [_alerts.c.state.in_(LIVE_STATES), _overdue(wanted.overdue_at)]
    conditions += [] if wanted.since is None else [_alerts.c.opened_at >= wanted.since]
    conditions += [] if wanted.until is None else [_alerts.c.opened_at < wanted.until]
    conditions += [] if wanted.drills else [~_alerts.c.drill]
    return conditions + _with_words_or_number(connection, wanted.text, wanted.typing)


def _with_words_or_number(connection: Connection, text: str, typing: bool) -> list[ColumnElement[bool]]:
    if number := number_named(text):
        is_kind = {"A": _alerts.c.kind != "incident", "I": _alerts.c.kind == "incident"}.get(text.strip()[0].upper())
        return [_alerts.c.id == number, *([] if is_kind is None else [is_kind])]
    query = parse_query(text, typing=typing)
    if query.is_empty:
        return []
    return [_alerts.c.id.in_(_alerts_with(of_alerts(query), on_sqlite=connection.dialect.name == "sqlite"))]


def _alerts_with(query: Query, *, on_sqlite: bool) -> Any:
    """Return the query for alerts by the words of their posts."""
    if query.is_hopeless:
        return select(_listing.c.alert_id).where(false())
    if on_sqlite:
        return select(_listing.c.alert_id).select_from(_BY_WORDS).where(_MATCHES.op("MATCH")(fts_match(query)))
    found = words.c.tokens.op("@@")(cast(tsquery(query), TSQUERY))
    return select(_listing.c.alert_id).where(words.c.place == _listing.c.place, found)


def _alert_rows() -> Select[Any]:
    joined = (
        _alerts.outerjoin(_matches, _matches.c.id == _alerts.c.match_id)
        .outerjoin(_mentions, _mentions.c.id == _matches.c.mention_id)
        .outerjoin(_authors, _authors.c.id == _mentions.c.author_id)
        .outerjoin(_found, _found.c.mention_id == _mentions.c.id)
    )
    text = func.substr(_mentions.c.text, 1, EXCERPT + 1)
    return select(
        _alerts,
        _mentions.c.network,
        _mentions.c.url,
        func.coalesce(_authors.c.name, "").label("author_name"),
        _authors.c.handle.label("author_handle"),
        _authors.c.followers.label("author_followers"),
        case((_mentions.c.fate == "deleted", ""), else_=func.coalesce(text, "")).label("text"),
        _found.c.language,
        _mentions.c.published_at,
        _mentions.c.fate,
    ).select_from(joined)


def _alert_item(row: Mapping[Any, Any]) -> AlertItem:
    names = [name for name in AlertItem.__slots__ if name not in ("alert", "text", "cut")]
    text = row["text"]
    values = {name: row[name] for name in names}
    return AlertItem(alert_of(row), text=text[:EXCERPT], cut=len(text) > EXCERPT, **values)


def _alert_key(alert: AlertRow, wanted: AlertFilter) -> str:
    return str(alert.id) if wanted.latest_first else f"{alert.severity}.{alert.id}"


def _wanted_incidents(wanted: IncidentFilter, sees: Collection[str] | None) -> list[ColumnElement[bool]]:
    conditions = [
        *_seen(_incidents, sees),
        *_among(_incidents.c.country, wanted.countries),
        *_among(_incidents.c.brand, wanted.brands),
        *_among(_incidents.c.topic, wanted.topics),
    ]
    if wanted.lasting is not None:
        conditions.append(_incidents.c.ended_at.is_(None) if wanted.lasting else _incidents.c.ended_at.is_not(None))
    conditions += [] if wanted.since is None else [_incidents.c.began_at >= wanted.since]
    conditions += [] if wanted.until is None else [_incidents.c.began_at < wanted.until]
    conditions += [] if wanted.drills else [~_incidents.c.drill]
    return conditions


_INCIDENT = ("alert_id", "topic", "drill", "began_at", "counted_until", "ended_at", "facts")


def _incident_rows() -> Select[Any]:
    own = (_incidents.c[name].label(f"incident_{name}") for name in _INCIDENT)
    return select(_alerts, *own).select_from(_incidents.join(_alerts, _alerts.c.id == _incidents.c.alert_id))


def _incident_item(row: Mapping[Any, Any]) -> IncidentItem:
    own = {name: row[f"incident_{name}"] for name in _INCIDENT if name != "facts"}
    incident = IncidentRow(brand=row["brand"], country=row["country"], **own)
    return IncidentItem(incident, alert_of(row), row["incident_facts"])
