"""What digests are counted from, read as narrow columns, and what is kept of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Float,
    String,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from listener.model import DRILL_NETWORK
from listener.store import schema
from listener.store.engine import insert, reading
from listener.store.moments import Seconds, WholeSeconds
from listener.store.outbox import UNSENT, post_digest, replace_digest
from listener.store.redaction import REDACTED, RENEWED

_CHUNK = 20_000
_mentions, _matches, _found, _authors = schema.mentions, schema.matches, schema.classifications, schema.authors
_alerts, _events, _gaps = schema.alerts, schema.alert_events, schema.coverage_gaps


@dataclass(frozen=True, slots=True)
class SavedCounts:
    """What an earlier digest counted of a week."""

    counted_at: datetime
    counts: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert as digests count it."""

    id: int
    kind: str
    brand: str
    country: str
    team: str
    state: str
    severity: int
    topic: str
    pilot: bool
    match_id: int | None
    author_id: int | None
    """Of the post that its card shows."""
    opened_at: datetime
    replied_at: datetime | None
    private_at: datetime | None
    respond_by: datetime | None
    resolution: str | None
    closed_by: str | None
    closed_at: datetime | None

    @property
    def answered_at(self) -> datetime | None:
        """When it was first answered, in public or in private."""
        return min((at for at in (self.replied_at, self.private_at) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """One line of an alert's history, as digests count it."""

    alert_id: int
    kind: str
    at: datetime
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PostFacts:
    """A post with all that a digest may say of it."""

    match_id: int
    mention_id: int
    brand: str
    country: str
    network: str
    text: str
    """Empty where it was deleted."""
    url: str | None
    published_at: datetime
    language: str
    topic: str
    sentiment: str
    complaint: float
    signals: Mapping[str, float]
    influence: float
    author_id: int
    name: str
    handle: str | None
    followers: int | None
    verified: bool | None
    bio: str
    views: int | None
    reposts: int | None
    alert_id: int | None


@dataclass(frozen=True, slots=True)
class IncidentOf:
    """A burst with its alert and the card that it showed last."""

    alert_id: int
    began_at: datetime
    ended_at: datetime | None
    facts: str
    """JSON of its card."""


@dataclass(frozen=True, slots=True)
class GapRow:
    """A span that a watch did not see."""

    watch_id: str
    start_at: datetime
    end_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A digest as it is kept, with the messages that it went out in: receiver and number."""

    reader: str
    week: str
    document: str
    messages: Sequence[tuple[str, int]]


class Digests:
    """Reads what digests count, and keeps what they said."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Mentions

    def rows(
        self, since: datetime, until: datetime, brands: Collection[str], countries: Collection[str], *, lowest: float,
        texts: bool,
    ) -> Iterator[list[tuple[Any, ...]]]:  # fmt: skip
        """Yield the mentions of a span in chunks of columns, in the order of ROW; constant memory.

        Args:
            since: the span's begin.
            until: its end, outside.
            brands: whose.
            countries: where.
            lowest: the complaint probability below which nobody asks for the chance of the highest urgency (0 then),
                unless people said that it is a complaint.
            texts: whether texts are wanted; else they are empty.
        """
        words = schema.corrections
        said = select(words.c.mention_id).where(words.c.complaint, words.c.mention_id.is_not(None))
        is_asked = or_(_found.c.complaint >= lowest, _mentions.c.id.in_(said))
        urgent = case((is_asked, _HighestUrgency(_found.c.urgency_probabilities)), else_=0.0)
        query = (
            select(
                _matches.c.id,
                _mentions.c.id,
                _matches.c.brand,
                _matches.c.country,
                _mentions.c.network,
                _mentions.c.author_id,
                WholeSeconds(_mentions.c.published_at),
                _found.c.complaint,
                type_coerce(urgent, Float),
                _found.c.sentiment,
                _found.c.topic,
                _found.c.language,
                type_coerce(_mentions.c.views, BigInteger),
                type_coerce(_authors.c.followers, BigInteger),
                type_coerce(_mentions.c.reposts, BigInteger),
                _mentions.c.copy_of,
                _matches.c.influence,
                type_coerce(_mentions.c.text, String) if texts else literal_column("''"),
            )
            .select_from(_posts().join(_authors, _authors.c.id == _mentions.c.author_id))
            .where(_in_span(since, until), _matched(brands, countries), _mentions.c.network != DRILL_NETWORK)
        )
        with reading(self._engine) as connection:
            result = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK).execute(query)
            for chunk in result.partitions(_CHUNK):
                yield list(zip(*chunk, strict=True))

    def corrected(self, mention_ids: Collection[int] | None = None, *, since: datetime, until: datetime) -> dict[
        tuple[int, str], bool
    ]:  # fmt: skip
        """Return what people said last of posts of a span: by mention and brand, whether it is a complaint."""
        table = schema.corrections
        query = (
            select(table.c.mention_id, table.c.brand, table.c.complaint)
            .join(_mentions, _mentions.c.id == table.c.mention_id)
            .where(_in_span(since, until), table.c.complaint.is_not(None))
            .order_by(table.c.id)
        )
        with reading(self._engine) as connection:
            return {(row.mention_id, row.brand): bool(row.complaint) for row in connection.execute(query)}

    def count(
        self, since: datetime, until: datetime, brands: Collection[str], country: str, *,
        collected_after: datetime | None = None,
    ) -> int:  # fmt: skip
        """Return how many mentions of a span there are in a country, or came after a moment."""
        late = [] if collected_after is None else [_came_after(collected_after)]
        query = (
            select(func.count())
            .select_from(_posts())
            .where(_in_span(since, until), _matched(brands, [country]), _mentions.c.network != DRILL_NETWORK, *late)
        )
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def changed_since(self, since: datetime, until: datetime, counted_at: datetime) -> bool:
        """Tell whether anything of a span was collected, classified anew or corrected after a moment."""
        late = or_(_mentions.c.collected_at > counted_at, _found.c.classified_at > counted_at)
        posts = (
            select(_mentions.c.id)
            .select_from(_mentions.outerjoin(_found, _found.c.mention_id == _mentions.c.id))
            .where(_in_span(since, until), or_(late, ~_mentions.c.classified))
            .limit(1)
        )
        table = schema.corrections
        words = (
            select(table.c.id)
            .join(_mentions, _mentions.c.id == table.c.mention_id)
            .where(table.c.at > counted_at, _in_span(since, until))
            .limit(1)
        )
        matched = (
            select(_matches.c.id)
            .join(_mentions, _mentions.c.id == _matches.c.mention_id)
            .where(_in_span(since, until), _matches.c.matched_at > counted_at)
            .limit(1)
        )
        with reading(self._engine) as connection:
            return any(connection.scalar(query) is not None for query in (posts, words, matched))

    def first_collected_at(self) -> datetime | None:
        """Return when the first mention was collected; None where there is none."""
        query = select(_mentions.c.collected_at).order_by(_mentions.c.id).limit(1)
        with reading(self._engine) as connection:
            return connection.scalar(query)

    def never_fetched(self, watch_ids: Collection[str]) -> dict[str, str]:
        """Return which watches never fetched anything, with the problem that stands against them."""
        table = schema.watch_states
        query = select(table.c.watch_id, table.c.succeeded_at, table.c.problem)
        with reading(self._engine) as connection:
            states = {row.watch_id: row for row in connection.execute(query)}
        return {
            name: (states[name].problem or "") if name in states else ""
            for name in watch_ids
            if name not in states or states[name].succeeded_at is None
        }

    def is_behind(self, watch_ids: Collection[str], until: datetime) -> bool:
        """Tell whether a watch that fetched something before a moment has fetched nothing since."""
        table = schema.watch_states
        query = select(table.c.watch_id).where(table.c.succeeded_at < until)
        with reading(self._engine) as connection:
            return not set(watch_ids).isdisjoint(connection.scalars(query))

    def is_waiting(self, since: datetime, until: datetime) -> bool:
        """Tell whether a mention of a span waits for its classification."""
        query = select(_mentions.c.id).where(~_mentions.c.classified, _in_span(since, until))
        with reading(self._engine) as connection:
            return connection.scalar(query.limit(1)) is not None

    def posts(self, match_ids: Sequence[int]) -> dict[int, PostFacts]:
        """Return posts with all that a digest may say of them; the text of a deleted one is empty."""
        held = schema.alert_mentions
        first = select(func.min(held.c.alert_id)).where(held.c.match_id == _matches.c.id).scalar_subquery()
        query = select(
            _matches.c.id.label("match_id"),
            _mentions.c.id.label("mention_id"),
            _matches.c.brand,
            _matches.c.country,
            _mentions.c.network,
            case((_mentions.c.fate == "deleted", ""), else_=_mentions.c.text).label("text"),
            _mentions.c.url,
            _mentions.c.published_at,
            _found.c.language,
            _found.c.topic,
            _found.c.sentiment,
            _found.c.complaint,
            _found.c.signals,
            func.coalesce(_matches.c.influence, 0.0).label("influence"),
            _authors.c.id.label("author_id"),
            _authors.c.name,
            _authors.c.handle,
            _authors.c.followers,
            _authors.c.verified,
            _authors.c.bio,
            _mentions.c.views,
            _mentions.c.reposts,
            first.label("alert_id"),
        ).select_from(_posts().join(_authors, _authors.c.id == _mentions.c.author_id))
        found: dict[int, PostFacts] = {}
        with reading(self._engine) as connection:
            for part in _parts(match_ids):
                rows = connection.execute(query.where(_matches.c.id.in_(part))).mappings()
                found |= {row["match_id"]: PostFacts(**row) for row in rows}
        return found

    # The desk

    def alerts(self, since: datetime, until: datetime, brands: Collection[str]) -> list[AlertFacts]:
        """Return the alerts that were opened in a span, those of drills left out, the oldest first."""
        query = (
            _alert_facts()
            .where(_alerts.c.opened_at >= since, _alerts.c.opened_at < until, ~_alerts.c.drill)
            .where(_alerts.c.brand.in_(list(brands)))
            .order_by(_alerts.c.id)
        )
        with reading(self._engine) as connection:
            return [AlertFacts(**row) for row in connection.execute(query).mappings()]

    def lives(self, alert_ids: Sequence[int]) -> dict[int, tuple[AlertFacts, list[EventFacts]]]:
        """Return alerts by id with what people did with them, in order."""
        alerts = _alert_facts().where(_alerts.c.id.in_(list(alert_ids)))
        events = (
            select(*(_events.c[name] for name in EventFacts.__slots__))
            .where(_events.c.alert_id.in_(list(alert_ids)), _events.c.kind.in_(DONE_BY_PEOPLE))
            .order_by(_events.c.id)
        )
        with reading(self._engine) as connection:
            found: dict[int, tuple[AlertFacts, list[EventFacts]]] = {
                row["id"]: (AlertFacts(**row), []) for row in connection.execute(alerts).mappings()
            }
            for row in connection.execute(events).mappings():
                found[row["alert_id"]][1].append(EventFacts(**row))
        return found

    def history(self, opened_since: datetime, opened_until: datetime) -> list[EventFacts]:
        """Return what people did with the alerts that were opened in a span, in order."""
        query = (
            select(_events.c.alert_id, _events.c.kind, _events.c.at, _events.c.actor, _events.c.data)
            .join(_alerts, _alerts.c.id == _events.c.alert_id)
            .where(_alerts.c.opened_at >= opened_since, _alerts.c.opened_at < opened_until, ~_alerts.c.drill)
            .where(_events.c.kind.in_(DONE_BY_PEOPLE))
            .order_by(_events.c.id)
        )
        with reading(self._engine) as connection:
            return [EventFacts(**row) for row in connection.execute(query).mappings()]

    def done(self, since: datetime, until: datetime) -> list[tuple[EventFacts, str, str, str]]:
        """Return what people did in a span with any alert about posts, with its country, brand and team, in order."""
        query = (
            select(
                _events.c.alert_id, _events.c.kind, _events.c.at, _events.c.actor, _events.c.data,
                _alerts.c.country, _alerts.c.brand, _alerts.c.team,
            )
            .join(_alerts, _alerts.c.id == _events.c.alert_id)
            .where(_events.c.at >= since, _events.c.at < until, ~_alerts.c.drill, ~_alerts.c.pilot)
            .where(_alerts.c.kind == "post")
            .where(_events.c.actor != ITSELF)
            .order_by(_events.c.id)
        )  # fmt: skip
        with reading(self._engine) as connection:
            return [
                (EventFacts(row.alert_id, row.kind, row.at, row.actor, row.data), row.country, row.brand, row.team)
                for row in connection.execute(query)
            ]

    def answered_before(self, alert_ids: Sequence[int], countries: Collection[str], days: int = 7) -> set[int]:
        """Return which alerts are about an author who was answered about that brand there within the days before."""
        mine, theirs = _alerts.alias("mine"), _alerts.alias("theirs")
        own, other = _matches.alias("own"), _matches.alias("other")
        here, there = _mentions.alias("here"), _mentions.alias("there")
        answered = or_(
            *(and_(at <= mine.c.opened_at, Seconds(mine.c.opened_at) - Seconds(at) <= days * 86_400)
              for at in (theirs.c.replied_at, theirs.c.private_at))
        )  # fmt: skip
        earlier = (
            select(theirs.c.id)
            .join(other, other.c.id == theirs.c.match_id)
            .join(there, there.c.id == other.c.mention_id)
            .where(there.c.author_id == here.c.author_id, theirs.c.brand == mine.c.brand, theirs.c.id != mine.c.id)
            .where(~theirs.c.drill, theirs.c.country.in_(list(countries)), answered)
        )
        query = (
            select(mine.c.id)
            .join(own, own.c.id == mine.c.match_id)
            .join(here, here.c.id == own.c.mention_id)
            .where(exists(earlier))
        )
        found: set[int] = set()
        with reading(self._engine) as connection:
            for part in _parts(alert_ids):
                found.update(connection.scalars(query.where(mine.c.id.in_(part))))
        return found

    def incidents(self, since: datetime, until: datetime, brands: Collection[str]) -> list[IncidentOf]:
        """Return the bursts that were under way in a span, those of drills left out, the earliest first."""
        table = schema.incidents
        query = (
            select(table.c.alert_id, table.c.began_at, table.c.ended_at, table.c.facts)
            .where(table.c.began_at < until, or_(table.c.ended_at.is_(None), table.c.ended_at >= since))
            .where(~table.c.drill, table.c.brand.in_(list(brands)))
            .order_by(table.c.began_at, table.c.alert_id)
        )
        with reading(self._engine) as connection:
            return [IncidentOf(*row) for row in connection.execute(query)]

    # Coverage

    def gaps(self, since: datetime, until: datetime) -> list[GapRow]:
        """Return the spans that watches did not see, as far as they touch this one."""
        query = (
            select(_gaps.c.watch_id, _gaps.c.start_at, _gaps.c.end_at, _gaps.c.reason)
            .where(_gaps.c.start_at < until, _gaps.c.end_at > since)
            .order_by(_gaps.c.watch_id, _gaps.c.start_at, _gaps.c.id)
        )
        with reading(self._engine) as connection:
            return [GapRow(*row) for row in connection.execute(query)]

    def brought(self, watch_id: str, since: datetime, until: datetime) -> int:
        """Return how many mentions of a span a watch found."""
        query = (
            select(func.count())
            .select_from(_mentions.join(_matches, _matches.c.mention_id == _mentions.c.id))
            .where(_in_span(since, until), func.coalesce(_matches.c.watch_id, "") == watch_id)
            .where(_mentions.c.network != DRILL_NETWORK)
        )
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def skipped(self, watch_ids: Collection[str], since: datetime) -> int:
        """Return how many items of watches could not be read, of those whose last came since a moment."""
        table = schema.skipped_items
        query = select(func.sum(table.c.count)).where(
            table.c.watch_id.in_(list(watch_ids)), table.c.broken, table.c.last_at >= since
        )
        with reading(self._engine) as connection:
            return int(connection.scalar(query) or 0)

    # What is kept

    def saved_counts(self, week: str, scope: str) -> SavedCounts | None:
        """Return what was counted of a week before, for the same scope."""
        table = schema.week_counts
        query = select(table.c.counted_at, table.c.counts).where(table.c.week == week, table.c.scope == scope)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else SavedCounts(*row)

    def save_counts(self, week: str, scope: str, counts: str, now: datetime) -> None:
        """Keep what was counted of a week."""
        table = schema.week_counts
        with self._engine.begin() as connection:
            row = insert(connection, table).values(week=week, scope=scope, counted_at=now, counts=counts)
            values = {"counted_at": row.excluded.counted_at, "counts": row.excluded.counts}
            connection.execute(row.on_conflict_do_update(index_elements=["week", "scope"], set_=values))

    def made(self, reader: str, week: str) -> tuple[datetime, str] | None:
        """Return when a reader's digest of a week was made, and its document as JSON; None where it was not."""
        table = schema.digests
        query = select(table.c.made_at, table.c.document).where(table.c.reader == reader, table.c.week == week)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.made_at, row.document)

    def made_weeks(self, reader: str) -> list[str]:
        """Return the weeks of which a reader has a digest, the latest first."""
        table = schema.digests
        query = select(table.c.week).where(table.c.reader == reader).order_by(table.c.week.desc())
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    @contextmanager
    def recording(self, reader: str, week: str, document: str, now: datetime) -> Iterator["Recording | None"]:
        """A digest and its messages are stored together or not at all; None where the reader has this week's."""
        with self._engine.begin() as connection:
            row = insert(connection, schema.digests).values(
                reader=reader, week=week, made_at=now, document=document, messages=[]
            )
            done = connection.execute(row.on_conflict_do_nothing())
            recording = Recording(connection) if done.rowcount else None
            yield recording
            if recording is not None:
                own = and_(schema.digests.c.reader == reader, schema.digests.c.week == week)
                connection.execute(update(schema.digests).where(own).values(messages=recording.messages))

    def clock_went_back(self, now: datetime) -> None:
        """Forget what a clock that was ahead made of weeks that are not over yet, and what waits of it."""
        ahead = schema.digests.c.made_at > now
        with self._engine.begin() as connection:
            made = connection.scalars(select(schema.digests.c.messages).where(ahead)).all()
            numbers = [number for messages in made for _, number in messages]
            connection.execute(schema.digests.delete().where(ahead))
            connection.execute(schema.week_counts.delete().where(schema.week_counts.c.counted_at > now))
            sent = schema.notifications
            own = or_(sent.c.id.in_(numbers), sent.c.parent_id.in_(numbers))
            given_up = {"state": "dropped", "problem": "made while the clock was ahead", "held": None}
            connection.execute(update(sent).where(own, sent.c.state == "pending").values(given_up))

    def stale(self) -> list[Kept]:
        """Return the digests that quoted a post which was deleted since, and which wait to be sent."""
        table, sent = schema.digests, schema.notifications
        query = select(table.c.reader, table.c.week, table.c.document, table.c.messages)
        is_open = sent.c.state.in_((*UNSENT, "dead", "moved"))
        with reading(self._engine) as connection:
            # A file may wait where its digest was sent already.
            waiting = set(connection.scalars(select(sent.c.id).where(sent.c.kind == "digest", is_open)))
            waiting |= set(connection.scalars(select(sent.c.parent_id).where(sent.c.kind == "note", is_open)))
            if not waiting:
                return []
            rows = connection.execute(query.where(table.c.document.contains(REDACTED, autoescape=True))).all()
        return [Kept(*row) for row in rows if any(number in waiting for _, number in row.messages)]

    def replace(self, kept: Kept, messages: Sequence[tuple[int, str, str | None]]) -> None:
        """Give a digest that was not sent yet other contents: number, message, file of each of its messages."""
        own = and_(schema.digests.c.reader == kept.reader, schema.digests.c.week == kept.week)
        renewed = kept.document.replace(REDACTED, RENEWED)
        with self._engine.begin() as connection:
            same = schema.digests.c.document == kept.document
            if not connection.execute(update(schema.digests).where(own, same).values(document=renewed)).rowcount:
                return  # another post was taken out meanwhile
            for number, message, file in messages:
                replace_digest(connection, number, message, file)


class Recording:
    """The transaction in which a digest is recorded."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.messages: list[list[object]] = []

    def is_any_deleted(self, mention_ids: Collection[int]) -> bool:
        """Tell whether any of some posts was deleted; from now on whoever deletes one finds this digest."""
        query = select(_mentions.c.id, _mentions.c.fate).where(_mentions.c.id.in_(list(mention_ids)))
        if self._connection.dialect.name == "postgresql":
            query = query.order_by(_mentions.c.id).with_for_update(read=True)
        return any(row.fate == "deleted" for row in self._connection.execute(query))

    def post(self, receiver: str, message: str, file: str | None, now: datetime) -> None:
        """Put the digest into the outbox for a receiver, with what belongs into its thread."""
        number, _ = post_digest(self._connection, receiver, message, file, now)
        self.messages.append([receiver, number])


ROW = (
    "match_id", "mention_id", "brand", "country", "network", "author_id", "published_s", "complaint", "urgent",
    "sentiment", "topic", "language", "views", "followers", "reposts", "copy_of",
    "influence", "text",
)  # fmt: skip
"""The columns of `Digests.rows`."""
ITSELF = "listener"
"""Who acts in an alert's history where nobody did."""
DONE_BY_PEOPLE = ("claimed", "taken over", "replied", "resolved", "dismissed", "snoozed", "reopened")


class _HighestUrgency(FunctionElement[float]):
    """The fourth of a JSON list of probabilities, as SQL."""

    type = Float()
    inherit_cache = True


@compiles(_HighestUrgency)
def _urgency_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(({compiler.process(element.clauses, **options)}) ->> 3 AS DOUBLE PRECISION)"


@compiles(_HighestUrgency, "sqlite")
def _urgency_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"JSON_EXTRACT({compiler.process(element.clauses, **options)}, '$[3]')"


def _alert_facts() -> Any:
    own = (_alerts.c[name] for name in AlertFacts.__slots__ if name != "author_id")
    posts = _alerts.outerjoin(_matches, _matches.c.id == _alerts.c.match_id).outerjoin(
        _mentions, _mentions.c.id == _matches.c.mention_id
    )
    return select(*own, _mentions.c.author_id.label("author_id")).select_from(posts)


def _posts() -> Any:
    return _mentions.join(_matches, _matches.c.mention_id == _mentions.c.id).join(
        _found, _found.c.mention_id == _mentions.c.id
    )


def _in_span(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(_mentions.c.published_at >= since, _mentions.c.published_at < until)


def _came_after(moment: datetime) -> ColumnElement[bool]:
    """True for what was collected after a moment, or waited for the classifier then; an edit brings nothing new."""
    waited = and_(_found.c.classified_at > moment, _mentions.c.fate != "edited")
    return or_(_mentions.c.collected_at > moment, waited)


def _matched(brands: Collection[str], countries: Collection[str]) -> ColumnElement[bool]:
    # Spans are short and brands are old: without this SQLite reads all that a brand ever had.
    brand, country = func.coalesce(_matches.c.brand, ""), func.coalesce(_matches.c.country, "")
    return and_(brand.in_(list(brands)), country.in_(list(countries)))


def _parts(ids: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    yield from (ids[start : start + size] for start in range(0, len(ids), size))
