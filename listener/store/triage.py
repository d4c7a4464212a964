"""The third transaction: an alert's change and the notifications it causes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, func, or_, select, update

from listener.model import AlertState, Author, Classification, Engagement, Mention
from listener.store import schema
from listener.store.classifying import classification_of
from listener.store.engine import insert, reading
from listener.store.outbox import new_notification

LIVE_STATES = (AlertState.OPEN, AlertState.CLAIMED, AlertState.SNOOZED)


@dataclass(frozen=True, slots=True)
class TriageItem:
    """A classified mention of one brand, ready to be decided on."""

    match_id: int
    mention_id: int
    brand: str
    country: str
    watch_id: str
    max_age_s: float | None
    collected_at: datetime
    copy_of: int | None
    mention: Mention
    classification: Classification


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as stored."""

    id: int
    brand: str
    country: str
    team: str
    state: AlertState
    severity: int
    priority: float
    topic: str
    playbook: str | None
    pilot: bool
    match_id: int
    """The match whose post the card shows: the one of the highest priority."""
    mentions: int
    copies: int
    opened_at: datetime
    first_posted_at: datetime
    last_posted_at: datetime
    """When its earliest and latest posts were published."""


@dataclass(frozen=True, slots=True)
class NewAlert:
    """What an alert is opened with."""

    match_id: int
    brand: str
    country: str
    team: str
    severity: int
    priority: float
    topic: str
    playbook: str | None
    pilot: bool
    rules: Sequence[str]
    posted_at: datetime


class Triage:
    """Reads what triage decides on, and opens the transaction it writes in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self, limit: int) -> list[TriageItem]:
        """Return the oldest matches whose mention is classified and that nothing was decided on."""
        query = _items().where(schema.matches.c.triaged_at.is_(None)).order_by(schema.matches.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [_item(row) for row in connection.execute(query).mappings()]

    def item(self, match_id: int) -> TriageItem | None:
        """Return one match with its mention and classification."""
        with reading(self._engine) as connection:
            return _one(connection, match_id)

    def spread(self, item: TriageItem, window: timedelta) -> tuple[int, int]:
        """Return how many copies by other authors and how many answers came in the window before collection."""
        mentions, authors = schema.mentions, schema.authors
        root = item.copy_of or item.mention_id
        start = item.collected_at - window
        other = or_(
            authors.c.external_id != item.mention.author.external_id, authors.c.network != item.mention.author.network
        )
        in_window = and_(mentions.c.published_at >= start, mentions.c.published_at <= item.collected_at, other)
        base = select(func.count(func.distinct(mentions.c.author_id))).join(
            authors, authors.c.id == mentions.c.author_id
        )
        with reading(self._engine) as connection:
            copies = connection.scalar(base.where(or_(mentions.c.copy_of == root, mentions.c.id == root), in_window))
            answers = 0
            if item.mention.conversation_id and item.mention.conversation_id == item.mention.external_id:
                answers = (
                    connection.scalar(
                        base.where(
                            mentions.c.network == item.mention.network,
                            mentions.c.conversation_id == item.mention.conversation_id,
                            mentions.c.id != item.mention_id,
                            in_window,
                        )
                    )
                    or 0
                )
        return copies or 0, answers

    @contextmanager
    def transaction(self) -> Iterator["TriageTransaction"]:
        """The alert's change and its notifications are stored together or not at all."""
        with self._engine.begin() as connection:
            yield TriageTransaction(connection)

    def alert(self, alert_id: int) -> AlertRow | None:
        """Return one alert."""
        with reading(self._engine) as connection:
            row = connection.execute(select(schema.alerts).where(schema.alerts.c.id == alert_id)).mappings().first()
        return None if row is None else _alert(row)

    def count_live(self) -> int:
        """Return how many alerts are open, claimed or snoozed."""
        query = select(func.count()).select_from(schema.alerts).where(schema.alerts.c.state.in_(LIVE_STATES))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def alerts(self, limit: int = 100) -> list[AlertRow]:
        """Return alerts, the latest first."""
        query = select(schema.alerts).order_by(schema.alerts.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [_alert(row) for row in connection.execute(query).mappings()]


class TriageTransaction:
    """One open transaction. Every method belongs to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_waiting(self, match_id: int) -> bool:
        """Tell whether nothing was decided on this match yet."""
        table = schema.matches
        query = select(table.c.id).where(table.c.id == match_id, table.c.triaged_at.is_(None))
        if self._connection.dialect.name == "postgresql":
            query = query.with_for_update()
        return self._connection.scalar(query) is not None

    def decided(
        self, match_id: int, outcome: str, *, priority: float, influence: float, velocity: float, now: datetime
    ) -> None:
        """Note what was decided on a match: raised, joined, quiet, or too old."""
        self._connection.execute(
            update(schema.matches)
            .where(schema.matches.c.id == match_id)
            .values(outcome=outcome, priority=priority, influence=influence, velocity=velocity, triaged_at=now)
        )

    def live_alert(self, fingerprints: Sequence[str], posted_at: datetime, within: timedelta) -> AlertRow | None:
        """Return the live alert that holds one of the fingerprints, the strongest tie first.

        Its posts must lie at most `within` from `posted_at`: what counts is when people wrote, not when it was read.
        """
        alerts, keys = schema.alerts, schema.alert_keys
        rank = case({key: index for index, key in enumerate(fingerprints)}, value=keys.c.key)
        query = (
            select(alerts)
            .join(keys, keys.c.alert_id == alerts.c.id)
            .where(keys.c.key.in_(fingerprints), alerts.c.state.in_(LIVE_STATES))
            .where(alerts.c.first_posted_at <= posted_at + within, alerts.c.last_posted_at >= posted_at - within)
            .order_by(rank, alerts.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _alert(row)

    def open_alert(self, new: NewAlert, fingerprints: Sequence[str], now: datetime) -> int:
        """Open an alert with its first mention; return its id."""
        values = {
            "brand": new.brand,
            "country": new.country,
            "team": new.team,
            "state": AlertState.OPEN.value,
            "severity": new.severity,
            "priority": new.priority,
            "topic": new.topic,
            "playbook": new.playbook,
            "pilot": new.pilot,
            "match_id": new.match_id,
            "rules": list(new.rules),
            "mentions": 1,
            "copies": 0,
            "opened_at": now,
            "updated_at": now,
            "first_posted_at": new.posted_at,
            "last_posted_at": new.posted_at,
        }
        result = self._connection.execute(schema.alerts.insert().values(values))
        alert_id: int = result.inserted_primary_key[0]  # type: ignore[index]
        self._add_mention(alert_id, new.match_id, "first", now)
        self._hold(alert_id, fingerprints)
        self.record(alert_id, "opened", {"severity": new.severity, "rules": list(new.rules)}, now)
        return alert_id

    def join_alert(
        self,
        alert: AlertRow,
        match_id: int,
        *,
        copy: bool,
        severity: int,
        priority: float,
        posted_at: datetime,
        fingerprints: Sequence[str],
        now: datetime,
    ) -> AlertRow:
        """Add a mention to a live alert. Severity and priority can rise, never fall."""
        raised = max(alert.severity, severity)
        values: dict[str, Any] = {
            "mentions": alert.mentions + 1,
            "copies": alert.copies + int(copy),
            "severity": raised,
            "priority": max(alert.priority, priority),
            "updated_at": now,
            "first_posted_at": min(alert.first_posted_at, posted_at),
            "last_posted_at": max(alert.last_posted_at, posted_at),
        }
        if priority > alert.priority:  # the card shows the post of the highest priority
            values["match_id"] = match_id
        self._connection.execute(update(schema.alerts).where(schema.alerts.c.id == alert.id).values(values))
        self._add_mention(alert.id, match_id, "copy" if copy else "joined", now)
        self._hold(alert.id, fingerprints)
        self.record(alert.id, "joined", {"match": match_id, "copy": copy}, now)
        if raised > alert.severity:
            self.record(alert.id, "severity", {"from": alert.severity, "to": raised}, now)
        return self.alert(alert.id)

    def alert(self, alert_id: int) -> AlertRow:
        """Return an alert as this transaction sees it."""
        row = self._connection.execute(select(schema.alerts).where(schema.alerts.c.id == alert_id)).mappings().one()
        return _alert(row)

    def record(self, alert_id: int, kind: str, data: Mapping[str, Any], now: datetime, actor: str = "listener") -> None:
        """Write one line of an alert's history."""
        self._connection.execute(
            schema.alert_events.insert().values(alert_id=alert_id, kind=kind, at=now, actor=actor, data=dict(data))
        )

    def item(self, match_id: int) -> TriageItem | None:
        """Return one match with its mention and classification."""
        return _one(self._connection, match_id)

    def notify(self, alert_id: int, receiver: str, payload: str, now: datetime) -> None:
        """Put a new alert into the outbox for one receiver, once."""
        statement = insert(self._connection, schema.notifications).values(
            new_notification(alert_id, receiver, "alert", payload, now)
        )
        self._connection.execute(statement.on_conflict_do_nothing())

    def notify_change(self, alert_id: int, payload: str, now: datetime) -> None:
        """Put an alert's new look into the outbox for every receiver that has or will have it.

        A message nobody has tried to send yet takes the new look itself; an edit that waits is replaced.
        """
        table = schema.notifications
        rows = self._connection.execute(
            select(table.c.id, table.c.receiver, table.c.kind, table.c.state, table.c.attempts).where(
                table.c.alert_id == alert_id
            )
        ).all()
        for row in rows:
            if row.kind != "alert" or row.state == "dead":
                continue
            fresh = row.state == "pending" and row.attempts == 0
            waiting = [r.id for r in rows if r.kind == "update" and r.receiver == row.receiver and r.state == "pending"]
            replaced = update(table).where(table.c.id.in_([row.id] if fresh else waiting), table.c.state == "pending")
            # The sender may have taken the message meanwhile: then the change needs a message of its own.
            if not self._connection.execute(replaced.values(payload=payload)).rowcount:
                self._connection.execute(
                    table.insert().values(new_notification(alert_id, row.receiver, "update", payload, now))
                )

    def _add_mention(self, alert_id: int, match_id: int, role: str, now: datetime) -> None:
        self._connection.execute(
            schema.alert_mentions.insert().values(alert_id=alert_id, match_id=match_id, role=role, joined_at=now)
        )

    def _hold(self, alert_id: int, fingerprints: Sequence[str]) -> None:
        statement = insert(self._connection, schema.alert_keys).on_conflict_do_nothing(
            index_elements=["alert_id", "key"]
        )
        self._connection.execute(statement, [{"alert_id": alert_id, "key": key} for key in fingerprints])


def _items() -> Any:
    mentions, matches, authors, found = schema.mentions, schema.matches, schema.authors, schema.classifications
    return (
        select(
            matches.c.id.label("match_id"),
            matches.c.brand,
            matches.c.country.label("match_country"),
            matches.c.watch_id,
            matches.c.max_age_s,
            *mentions.c,
            authors.c.network.label("author_network"),
            authors.c.external_id.label("author_external_id"),
            *(authors.c[name].label(f"author_{name}") for name in _AUTHOR),
            *(column for column in found.c if column.name != "mention_id"),
        )
        .join(mentions, mentions.c.id == matches.c.mention_id)
        .join(authors, authors.c.id == mentions.c.author_id)
        .join(found, found.c.mention_id == mentions.c.id)
    )


_AUTHOR = ("name", "handle", "followers", "verified", "bio", "location", "country", "url")
_ENGAGEMENT = ("likes", "replies", "reposts", "quotes", "views")


def _one(connection: Connection, match_id: int) -> TriageItem | None:
    row = connection.execute(_items().where(schema.matches.c.id == match_id)).mappings().first()
    return None if row is None else _item(row)


def _item(row: Mapping[Any, Any]) -> TriageItem:
    author = Author(
        network=row["author_network"],
        external_id=row["author_external_id"],
        **{name: row[f"author_{name}"] for name in _AUTHOR},
    )
    mention = Mention(
        network=row["network"],
        external_id=row["external_id"],
        text=row["text"],
        published_at=row["published_at"],
        author=author,
        url=row["url"],
        language=row["language_tag"],
        conversation_id=row["conversation_id"],
        reply_to_id=row["reply_to_id"],
        repost_of_id=row["repost_of_id"],
        engagement=Engagement(**{name: row[name] for name in _ENGAGEMENT}),
        sponsored=row["sponsored"],
        country=row["country"],
        place=row["place"],
        links=row["links"],
    )
    return TriageItem(
        match_id=row["match_id"],
        mention_id=row["id"],
        brand=row["brand"],
        country=row["match_country"],
        watch_id=row["watch_id"],
        max_age_s=row["max_age_s"],
        collected_at=row["collected_at"],
        copy_of=row["copy_of"],
        mention=mention,
        classification=classification_of(row),
    )


def _alert(row: Mapping[Any, Any]) -> AlertRow:
    values = {name: row[name] for name in AlertRow.__slots__}
    return AlertRow(**{**values, "state": AlertState(row["state"])})
