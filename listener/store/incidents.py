"""Incidents as stored, the counts they are found in, and the transaction in which one changes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Engine,
    Integer,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from listener.model import DRILL_NETWORK, AlertState, Sentiment
from listener.store import schema
from listener.store.alerts import LIVE_STATES
from listener.store.engine import reading
from listener.store.moments import WholeSeconds
from listener.store.triage import TriageTransaction

INTERVAL = timedelta(minutes=10)
_HOUR = 6
"""Intervals in an hour: an author counts once in each."""
_MOST_MENTIONS = 50_000
_DENSE_DAYS = 7


class Subject(NamedTuple):
    """What bursts are looked for in: a brand in a country, in earnest or in a drill."""

    brand: str
    country: str
    drill: bool


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as stored; its alert holds state, owner and severity."""

    alert_id: int
    brand: str
    country: str
    topic: str
    """One of TOPICS, or empty for a burst without one topic."""
    drill: bool
    began_at: datetime
    counted_until: datetime
    ended_at: datetime | None

    @property
    def subject(self) -> Subject:
        """Whose burst it is."""
        return Subject(self.brand, self.country, self.drill)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many authors wrote negative mentions of a topic in an interval, each once an hour, copies left out."""

    subject: Subject
    topic: str
    """Empty for all topics together."""
    interval: int
    """Number of the interval since 1970."""
    authors: int


@dataclass(frozen=True, slots=True)
class Negative:
    """One negative mention of an incident."""

    mention_id: int
    author_id: int
    followers: int | None
    network: str
    language: str
    topic: str
    is_copy: bool
    influence: float
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Quoted:
    """A post that a card may show, and who wrote it."""

    mention_id: int
    text: str
    """Empty where the post was deleted."""
    url: str | None
    published_at: datetime
    language: str
    name: str
    handle: str | None
    followers: int | None
    influence: float


class Incidents:
    """Reads incidents and the counts they are found in, and opens the transaction in which one changes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator["IncidentTransaction"]:
        """An incident's change, its alert's, and their notifications are stored together or not at all."""
        with self._engine.begin() as connection:
            yield IncidentTransaction(connection)

    def facts(self, alert_id: int) -> str | None:
        """Return the card that an incident showed last, as JSON."""
        query = select(_table.c.facts).where(_table.c.alert_id == alert_id)
        with reading(self._engine) as connection:
            return connection.scalar(query)

    def lasting(self) -> list[IncidentRow]:
        """Return the incidents that are not over."""
        return self._rows(_table.c.ended_at.is_(None))

    def since(self, ended_at: datetime) -> list[IncidentRow]:
        """Return the incidents that are not over, or were over no earlier than that."""
        return self._rows(or_(_table.c.ended_at.is_(None), _table.c.ended_at >= ended_at))

    def _rows(self, wanted: ColumnElement[bool]) -> list[IncidentRow]:
        query = select(_table).where(wanted).order_by(_table.c.alert_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [IncidentRow(**{name: row[name] for name in IncidentRow.__slots__}) for row in rows]

    def unclaimed(self, over_before: datetime) -> list[int]:
        """Return the alerts of incidents that were over before then, that nobody took and nobody has ended before."""
        alerts, events = schema.alerts, schema.alert_events
        ended = select(events.c.id).where(events.c.alert_id == alerts.c.id, events.c.kind.in_(("resolved", "reopened")))
        query = (
            select(alerts.c.id)
            .join(_table, _table.c.alert_id == alerts.c.id)
            .where(alerts.c.state == AlertState.OPEN.value, alerts.c.owner.is_(None))
            .where(_table.c.ended_at <= over_before, alerts.c.opened_at <= over_before, ~ended.exists())
        )
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    # Counts

    def fresh(self, classified_since: datetime) -> dict[Subject, datetime]:
        """Return for whom mentions were classified since then, with when the earliest of them was published."""
        query = (
            select(_matches.c.brand, _matches.c.country, _is_drill, _mentions.c.published_at)
            .select_from(_classified())
            .where(_found.c.classified_at >= classified_since)
        )
        found: dict[Subject, datetime] = {}
        with reading(self._engine) as connection:
            for brand, country, drill, at in connection.execute(query):
                subject = Subject(brand, country, bool(drill))
                found[subject] = min(at, found.get(subject, at))
        return found

    def covered_since(self, subjects: Collection[Subject], since: datetime) -> dict[Subject, datetime]:
        """Return from when on a subject's mentions were listened for, not just found now and then.

        That is when the first was collected, or the first mention of a week in which most days have one (a history
        that was read in at once), whichever is earlier; never before `since`.
        """
        day = _interval // literal_column("144")
        query = (
            select(
                _matches.c.brand,
                _matches.c.country,
                _is_drill,
                day,
                func.min(_mentions.c.published_at),
                func.min(_matches.c.matched_at),
            )
            .select_from(_matches.join(_mentions, _mentions.c.id == _matches.c.mention_id))
            .where(_mentions.c.published_at >= since, _of(subjects))
            .group_by(_matches.c.brand, _matches.c.country, _is_drill, day)
        )
        days: dict[Subject, dict[int, tuple[datetime, datetime]]] = {}
        with reading(self._engine) as connection:
            for brand, country, drill, number, first, matched in connection.execute(query):
                days.setdefault(Subject(brand, country, bool(drill)), {})[int(number)] = (first, matched)
        return {subject: max(since, _start(days[subject])) for subject in subjects if subject in days}

    def counts(
        self, subjects: Collection[Subject], thresholds: Mapping[str, float], since: datetime, until: datetime
    ) -> list[Counted]:
        """Return the counts of intervals that are not zero: by topic, and over all topics."""
        wanted = set(subjects)
        with reading(self._engine) as connection:
            rows = connection.execute(_counts(and_(_negative(thresholds), _published(since, until)))).all()
        found = [Counted(Subject(row[0], row[1], bool(row[2])), row[3], int(row[4]), row[5]) for row in rows]
        return [one for one in found if one.subject in wanted]

    def is_caught_up(self, subject: Subject, until: datetime) -> bool:
        """Tell whether no mention of a subject that was published before then waits for its classification."""
        query = (
            select(_matches.c.id)
            .join(_mentions, _mentions.c.id == _matches.c.mention_id)
            .where(~_mentions.c.classified, _mentions.c.published_at < until, _of([subject]))
            .limit(1)
        )
        with reading(self._engine) as connection:
            return connection.scalar(query) is None

    # What an incident's card is made of

    def negatives(
        self, subject: Subject, threshold: float, since: datetime, until: datetime, most: int = _MOST_MENTIONS
    ) -> list[Negative]:
        """Return the negative mentions of a subject in a span, copies too, the earliest first."""
        query = (
            select(
                _mentions.c.id.label("mention_id"),
                _mentions.c.author_id,
                _authors.c.followers,
                _mentions.c.network,
                _found.c.language,
                _found.c.topic,
                _mentions.c.copy_of.is_not(None).label("is_copy"),
                func.coalesce(_matches.c.influence, 0.0).label("influence"),
                _mentions.c.published_at,
            )
            .select_from(_classified().join(_authors, _authors.c.id == _mentions.c.author_id))
            .where(_negative({subject.country: threshold}), _published(since, until), _of([subject]))
            .order_by(_mentions.c.published_at, _mentions.c.id)
            .limit(most)
        )
        with reading(self._engine) as connection:
            return [Negative(**row) for row in connection.execute(query).mappings()]

    def quoted(self, subject: Subject, mention_ids: Sequence[int]) -> list[Quoted]:
        """Return posts as they stand now, in the order asked for."""
        query = (
            select(
                _mentions.c.id.label("mention_id"),
                case((_mentions.c.fate == "deleted", ""), else_=_mentions.c.text).label("text"),
                _mentions.c.url,
                _mentions.c.published_at,
                _found.c.language,
                _authors.c.name,
                _authors.c.handle,
                _authors.c.followers,
                func.coalesce(_matches.c.influence, 0.0).label("influence"),
            )
            .select_from(_classified().join(_authors, _authors.c.id == _mentions.c.author_id))
            .where(_mentions.c.id.in_(mention_ids), _matches.c.brand == subject.brand)
        )
        with reading(self._engine) as connection:
            found = {row["mention_id"]: Quoted(**row) for row in connection.execute(query).mappings()}
        return [found[mention_id] for mention_id in mention_ids if mention_id in found]

    def texts(self, mention_ids: Sequence[int]) -> list[str]:
        """Return the texts of posts that were not deleted."""
        query = select(_mentions.c.text).where(_mentions.c.id.in_(mention_ids), _mentions.c.fate != "deleted")
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def earlier_texts(self, subject: Subject | None, since: datetime, until: datetime, most: int) -> list[str]:
        """Return the latest texts of a span, one an author, of one subject or of everybody; copies left out."""
        query = (
            select(_mentions.c.text, _mentions.c.author_id)
            .select_from(_matches.join(_mentions, _mentions.c.id == _matches.c.mention_id))
            .where(_mentions.c.copy_of.is_(None), _mentions.c.fate != "deleted", _published(since, until))
            .where(_mentions.c.network != DRILL_NETWORK if subject is None else _of([subject]))
            .order_by(_mentions.c.published_at.desc())
            .limit(most)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return list({row.author_id: row.text for row in reversed(rows)}.values())


class IncidentTransaction(TriageTransaction):
    """One open transaction in which a burst becomes an incident, and an incident changes."""

    def lasting(self, subject: Subject) -> set[int]:
        """Return the alerts of a subject's open incidents, and keep other processes from opening one meanwhile."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(repr(tuple(subject))))))
        query = select(_table.c.alert_id).where(
            _table.c.brand == subject.brand,
            _table.c.country == subject.country,
            _table.c.drill == subject.drill,
            _table.c.ended_at.is_(None),
        )
        return set(self._connection.scalars(query))

    def add_incident(self, row: IncidentRow, facts: str) -> None:
        """Store an incident beside its alert."""
        values = {name: getattr(row, name) for name in IncidentRow.__slots__}
        self._connection.execute(schema.incidents.insert().values(**values, facts=facts))

    def update_incident(self, alert_id: int, **values: Any) -> bool:
        """Write some fields of an incident that is not over; return whether it was so."""
        statement = update(_table).where(_table.c.alert_id == alert_id, _table.c.ended_at.is_(None)).values(**values)
        return bool(self._connection.execute(statement).rowcount)

    def adopt(self, alert_id: int, subject: Subject, topic: str, since: datetime) -> list[int]:
        """Let the live alerts of an incident's span belong to it; return them, the oldest first."""
        alerts = schema.alerts
        wanted = [
            alerts.c.kind == "post",
            alerts.c.brand == subject.brand,
            alerts.c.country == subject.country,
            alerts.c.drill == subject.drill,
            alerts.c.incident_id.is_(None),
            alerts.c.state.in_(LIVE_STATES),
            alerts.c.first_posted_at >= since,
        ]
        wanted += [alerts.c.topic == topic] if topic else []
        found = self._connection.scalars(select(alerts.c.id).where(*wanted).order_by(alerts.c.id)).all()
        self._connection.execute(update(alerts).where(alerts.c.id.in_(found)).values(incident_id=alert_id))
        return list(found)


_table = schema.incidents
_mentions, _matches, _found, _authors = schema.mentions, schema.matches, schema.classifications, schema.authors


# Constants stand in the text: PostgreSQL takes two parameters for two different expressions in GROUP BY.
_interval = WholeSeconds(_mentions.c.published_at) // literal_column(f"{INTERVAL.total_seconds():.0f}", Integer)
_is_drill = case(
    (_mentions.c.network == literal_column(f"'{DRILL_NETWORK}'"), literal_column("1")), else_=literal_column("0")
).label("drill")


def interval_of(at: datetime) -> int:
    """Return the number of the interval in which a moment lies."""
    return int(at.timestamp() // INTERVAL.total_seconds())


def interval_start(interval: int) -> datetime:
    """Return when an interval begins."""
    return datetime.fromtimestamp(interval * INTERVAL.total_seconds(), UTC)


def _classified() -> Any:
    return _matches.join(_mentions, _mentions.c.id == _matches.c.mention_id).join(
        _found, _found.c.mention_id == _mentions.c.id
    )


def _negative(thresholds: Mapping[str, float]) -> ColumnElement[bool]:
    """Return whether somebody complains, by the country's own threshold, or speaks ill."""
    threshold = case(dict(thresholds), value=_matches.c.country, else_=1.1) if thresholds else literal(1.1)
    return or_(_found.c.complaint >= threshold, _found.c.sentiment == Sentiment.NEGATIVE.value)


def _published(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(_mentions.c.published_at >= since, _mentions.c.published_at < until)


def _of(subjects: Collection[Subject]) -> ColumnElement[bool]:
    """Return whether a match is of some subjects; of several also of those that mix their brands and countries."""
    brands, countries = {one.brand for one in subjects}, {one.country for one in subjects}
    # Spans are short and brands are old: without this SQLite reads all that a brand ever had.
    brand, country = func.coalesce(_matches.c.brand, ""), func.coalesce(_matches.c.country, "")
    drills = {one.drill for one in subjects}
    wanted = and_(brand.in_(brands), country.in_(countries))
    return and_(wanted, _drill_is(drills.pop())) if len(drills) == 1 else wanted


def _drill_is(drill: bool) -> ColumnElement[bool]:
    return _mentions.c.network == DRILL_NETWORK if drill else _mentions.c.network != DRILL_NETWORK


def _counts(wanted: ColumnElement[bool]) -> Any:
    """Return the query for counts by topic and of all topics; the mentions themselves are gone through once."""
    found = (
        select(
            _matches.c.brand,
            _matches.c.country,
            _is_drill,
            _found.c.topic,
            _mentions.c.author_id,
            _interval.label("interval"),
        )
        .select_from(_classified())
        .where(_mentions.c.copy_of.is_(None), wanted)
        .cte("found")
    )
    return union_all(_by_interval(found, found.c.topic), _by_interval(found, None))


def _by_interval(found: Any, topic: Any) -> Any:
    """Return how many authors there were by interval, each in the first of an hour in which they wrote."""
    subject = (found.c.brand, found.c.country, found.c.drill)
    groups = subject if topic is None else (*subject, topic)
    label = (literal_column("''") if topic is None else topic).label("topic")
    hour = found.c.interval // literal_column(str(_HOUR))
    first = (
        select(*subject, label, func.min(found.c.interval).label("interval"))
        .group_by(*groups, found.c.author_id, hour)
        .subquery()
    )
    return select(*first.c, func.count()).group_by(*first.c)


def _start(days: Mapping[int, tuple[datetime, datetime]]) -> datetime:
    collected = min(matched for _, matched in days.values())
    last = max(days)
    dense = next(day for day in sorted(days) if _is_dense(day, min(last, day + _DENSE_DAYS - 1), days))
    return min(collected, days[dense][0])


def _is_dense(first: int, last: int, days: Collection[int]) -> bool:
    return 2 * sum(day in days for day in range(first, last + 1)) > last - first + 1
