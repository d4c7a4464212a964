"""Reads one post's way through the tables, and one alert's, for whoever asks why. Writes nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, or_, select

from listener.model import Classification, Mention
from listener.store import schema
from listener.store.alerts import AlertRow, alert_of
from listener.store.classifying import classification_of
from listener.store.engine import reading
from listener.store.items import author_columns, mention_of
from listener.store.types import storable

_MOST_MEMBERS = 2_000
_MOST_RIVALS = 6


@dataclass(frozen=True, slots=True)
class Post:
    """A stored post as it stands now."""

    id: int
    mention: Mention
    collected_at: datetime
    text_hash: str
    copy_of: int | None
    fate: str
    """`stands`, `edited` or `deleted`."""
    fate_at: datetime | None
    fate_by: str | None
    """Who had it withdrawn, where that was a person's request; hostile."""
    author_updated_at: datetime
    """When what is known of its author changed last."""
    classification: Classification | None
    classified_at: datetime | None
    is_classified: bool
    """False while it waits for its classification, or for a new one after an edit."""


@dataclass(frozen=True, slots=True)
class Match:
    """One brand that a post was found for, and what was decided there."""

    id: int
    mention_id: int
    brand: str
    country: str
    watch_id: str
    max_age_s: float | None
    matched_at: datetime
    triaged_at: datetime | None
    outcome: str | None
    priority: float | None
    influence: float | None
    velocity: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """The alert that holds a match, and since when."""

    alert_id: int
    role: str
    """`first`, `joined` or `copy`."""
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """One post of an alert, by what ties others to it."""

    match_id: int
    mention_id: int
    role: str
    joined_at: datetime
    network: str
    external_id: str
    author_id: str
    """The network's own id of its author."""
    conversation_id: str | None
    copy_of: int | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Sending:
    """One notification without its text."""

    id: int
    kind: str
    receiver: str
    state: str
    held: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    tried_at: datetime | None
    sent_at: datetime | None
    problem: str | None
    ambiguous: bool
    parent_id: int | None
    match_id: int | None
    channel: str | None
    failures: Sequence["Failure"] = ()
    """The attempts that were not accepted, in order."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt at sending that was not accepted, or whose answer was lost."""

    at: datetime
    problem: str
    ambiguous: bool
    """True where it may have arrived all the same."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A span that a watch did not see."""

    watch_id: str
    start_at: datetime
    end_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """Items that a watch did not take, by reason; `last_where` names the last of them."""

    watch_id: str
    reason: str
    broken: bool
    count: int
    last_where: str
    last_at: datetime


class Trails:
    """Reads what became of posts and alerts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Posts

    def post(self, mention_id: int) -> Post | None:
        """Return a post by its number in the store."""
        return next(iter(self._posts(_mentions.c.id == mention_id)), None)

    def posts(self, networks: Collection[str], external_ids: Collection[str]) -> list[Post]:
        """Return the posts of some networks with one of these ids there."""
        ids = [storable(one) for one in external_ids]
        return self._posts(_mentions.c.network.in_(list(networks)), _mentions.c.external_id.in_(ids))

    def posts_at(self, url: str) -> list[Post]:
        """Return the posts with exactly this address; goes through all of them."""
        return self._posts(_mentions.c.url == storable(url))

    def posts_ending(self, network: str, ending: str, since: datetime, until: datetime) -> list[Post]:
        """Return posts published in a span whose address ends so: an edited post is known by its first id."""
        ends = _mentions.c.url.endswith(ending, autoescape=True)
        return self._posts(_mentions.c.network == network, _mentions.c.published_at.between(since, until), ends)

    def networks(self, names: Collection[str]) -> list[str]:
        """Return those of these networks of which any post is stored."""
        found = []
        with reading(self._engine) as connection:
            for name in names:
                if connection.scalar(select(_mentions.c.id).where(_mentions.c.network == name).limit(1)) is not None:
                    found.append(name)
        return found

    def _posts(self, *wanted: ColumnElement[bool]) -> list[Post]:
        query = (
            select(
                *_mentions.c,
                *author_columns(),
                _authors.c.updated_at.label("author_updated_at"),
                _found.c.classified_at,
                *(column for column in _found.c if column.name not in ("mention_id", "classified_at")),
            )
            .select_from(
                _mentions.join(_authors, _authors.c.id == _mentions.c.author_id).outerjoin(
                    _found, _found.c.mention_id == _mentions.c.id
                )
            )
            .where(*wanted)
            .order_by(_mentions.c.id)
            .limit(20)
        )
        with reading(self._engine) as connection:
            return [_post(row) for row in connection.execute(query).mappings()]

    def matches(self, mention_id: int) -> list[Match]:
        """Return the brands that a post was found for, the first first."""
        return self._matches(_matches.c.mention_id == mention_id)

    def match(self, match_id: int) -> Match | None:
        """Return one match."""
        return next(iter(self._matches(_matches.c.id == match_id)), None)

    def _matches(self, wanted: ColumnElement[bool]) -> list[Match]:
        columns = [_matches.c[name] for name in Match.__slots__]
        with reading(self._engine) as connection:
            rows = connection.execute(select(*columns).where(wanted).order_by(_matches.c.id)).mappings()
            return [Match(**row) for row in rows]

    # Alerts

    def place(self, match_id: int) -> Place | None:
        """Return the alert that holds a match."""
        query = select(_held.c.alert_id, _held.c.role, _held.c.joined_at).where(_held.c.match_id == match_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Place(**row)

    def members(self, alert_id: int, most: int = _MOST_MEMBERS) -> list[Member]:
        """Return the posts of an alert, the first to join first."""
        columns = (
            _held.c.match_id,
            _matches.c.mention_id,
            _held.c.role,
            _held.c.joined_at,
            _mentions.c.network,
            _mentions.c.external_id,
            _authors.c.external_id.label("author_id"),
            _mentions.c.conversation_id,
            _mentions.c.copy_of,
            _mentions.c.published_at,
        )
        joined = (
            _held.join(_matches, _matches.c.id == _held.c.match_id)
            .join(_mentions, _mentions.c.id == _matches.c.mention_id)
            .join(_authors, _authors.c.id == _mentions.c.author_id)
        )
        query = select(*columns).select_from(joined).where(_held.c.alert_id == alert_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_held.c.joined_at, _held.c.match_id).limit(most)).mappings()
            return [Member(**row) for row in rows]

    def rivals(self, keys: Sequence[str], without: int | None) -> list[AlertRow]:
        """Return the latest alerts that hold one of these fingerprints, but for one."""
        held = select(schema.alert_keys.c.alert_id).where(schema.alert_keys.c.key.in_(keys))
        query = select(_alerts).where(_alerts.c.id.in_(held))
        if without is not None:
            query = query.where(_alerts.c.id != without)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_alerts.c.id.desc()).limit(_MOST_RIVALS)).mappings()
            return [alert_of(row) for row in rows]

    def rules(self, alert_id: int) -> list[str]:
        """Return the names of the rules that raised an alert."""
        with reading(self._engine) as connection:
            stored = connection.scalar(select(_alerts.c.rules).where(_alerts.c.id == alert_id))
        return [str(one) for one in stored] if isinstance(stored, list) else []

    def of_incident(self, alert_id: int, most: int = 50) -> list[AlertRow]:
        """Return the alerts that belong to an incident, the oldest first."""
        query = select(_alerts).where(_alerts.c.incident_id == alert_id).order_by(_alerts.c.id).limit(most)
        with reading(self._engine) as connection:
            return [alert_of(row) for row in connection.execute(query).mappings()]

    # Messages

    def sendings(self, alert_id: int) -> list[Sending]:
        """Return all notifications of an alert without their texts, the oldest first."""
        columns = [_sent.c[name] for name in Sending.__slots__ if name != "failures"]
        query = select(*columns).where(_sent.c.alert_id == alert_id).order_by(_sent.c.id)
        with reading(self._engine) as connection:
            failures = _failures_of(connection, alert_id)
            rows = connection.execute(query).mappings()
            return [Sending(**row, failures=tuple(failures.get(row["id"], ()))) for row in rows]

    def cards_before(self, receiver: str, moment: datetime, span: timedelta, without: int) -> int:
        """Return how many other alerts a receiver was shown in the span before a moment."""
        since = moment - span
        wanted = and_(_sent.c.receiver == receiver, _sent.c.kind == "alert", _sent.c.id != without)
        shown = or_(
            _sent.c.sent_at.between(since, moment), and_(_sent.c.created_at.between(since, moment), _is_waiting)
        )
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(_sent).where(wanted, shown)) or 0

    # What watches did not bring

    def unseen(self, watch_ids: Collection[str], at: datetime | None, most: int = 10) -> list[Unseen]:
        """Return what some watches did not see, the latest first; with `at` the spans that hold it."""
        gaps = schema.coverage_gaps
        query = select(gaps.c.watch_id, gaps.c.start_at, gaps.c.end_at, gaps.c.reason)
        query = query.where(gaps.c.watch_id.in_(list(watch_ids)))
        if at is not None:
            query = query.where(gaps.c.start_at <= at, gaps.c.end_at >= at)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(gaps.c.id.desc()).limit(most)).mappings()
            return [Unseen(**row) for row in rows]

    def left(self, watch_ids: Collection[str]) -> list[Left]:
        """Return what some watches did not take, the latest first; without samples, which are others' words."""
        table = schema.skipped_items
        columns = [table.c[name] for name in Left.__slots__]
        query: Select[Any] = select(*columns).where(table.c.watch_id.in_(list(watch_ids)))
        with reading(self._engine) as connection:
            ordered = query.order_by(table.c.last_at.desc(), table.c.watch_id, table.c.reason)
            return [Left(**row) for row in connection.execute(ordered).mappings()]


_mentions, _matches, _authors = schema.mentions, schema.matches, schema.authors
_found, _alerts, _held, _sent = schema.classifications, schema.alerts, schema.alert_mentions, schema.notifications
_failed = schema.delivery_failures
_is_waiting = and_(_sent.c.state.in_(("pending", "sending")), _sent.c.held.is_(None))


def _post(row: Mapping[Any, Any]) -> Post:
    return Post(
        id=row["id"],
        mention=mention_of(row),
        collected_at=row["collected_at"],
        text_hash=row["text_hash"],
        copy_of=row["copy_of"],
        fate=row["fate"],
        fate_at=row["fate_at"],
        fate_by=row["fate_by"],
        author_updated_at=row["author_updated_at"],
        classification=None if row["model"] is None else classification_of(row),
        classified_at=row["classified_at"],
        is_classified=row["classified"],
    )


def _failures_of(connection: Connection, alert_id: int) -> dict[int, list[Failure]]:
    query = (
        select(_failed)
        .join(_sent, _sent.c.id == _failed.c.notification_id)
        .where(_sent.c.alert_id == alert_id)
        .order_by(_failed.c.id)
    )
    found: dict[int, list[Failure]] = {}
    for row in connection.execute(query):
        found.setdefault(row.notification_id, []).append(Failure(row.at, row.problem, row.ambiguous))
    return found
