"""The third transaction: an alert's change and the notifications it causes."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, and_, case, func, or_, select, update

from listener.model import DRILL_NETWORK, AlertState
from listener.store import schema
from listener.store.alerts import LIVE_STATES, AlertRow, AlertTransaction, alert_of
from listener.store.engine import insert, reading
from listener.store.items import TriageItem, item_of, items, read_item
from listener.store.search import list_alert, list_outcome


@dataclass(frozen=True, slots=True)
class NewAlert:
    """What an alert is opened with."""

    match_id: int | None
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
    now_with: str
    respond_by: datetime | None
    resolve_by: datetime | None
    kind: str = "post"
    incident_id: int | None = None
    drill: bool = False
    variants: Sequence[str] = ()


class Triage:
    """Reads what triage decides on, and opens the transaction it writes in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self, limit: int) -> list[TriageItem]:
        """Return the oldest matches whose mention is classified and that nothing was decided on."""
        query = items().where(schema.matches.c.triaged_at.is_(None)).order_by(schema.matches.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [read_item(row) for row in connection.execute(query).mappings()]

    def item(self, match_id: int) -> TriageItem | None:
        """Return one match with its mention and classification."""
        with reading(self._engine) as connection:
            return item_of(connection, match_id)

    def spread(self, item: TriageItem, window: timedelta) -> tuple[int, int]:
        """Return how many copies by other authors and how many answers came in the window before collection."""
        mentions, authors = schema.mentions, schema.authors
        root = item.copy_of or item.mention_id
        start = item.collected_at - window
        other = or_(
            authors.c.external_id != item.mention.author.external_id, authors.c.network != item.mention.author.network
        )
        drill = mentions.c.network == DRILL_NETWORK
        alike = drill if item.mention.network == DRILL_NETWORK else ~drill
        in_window = and_(mentions.c.published_at >= start, mentions.c.published_at <= item.collected_at, other, alike)
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


class TriageTransaction(AlertTransaction):
    """One open transaction in which mentions raise and join alerts."""

    def one_at_a_time(self, brand: str) -> None:
        """Keep others from deciding on mentions of a brand until this transaction ends.

        Two daemons that decide on one author's mentions at the same moment would else raise an alert each. SQLite
        lets one write at a time anyway.
        """
        if self._connection.dialect.name == "postgresql":
            digest = hashlib.sha256(f"listener/triage/{brand}".encode()).digest()
            key = int.from_bytes(digest[:8], "big", signed=True)
            self._connection.execute(select(func.pg_advisory_xact_lock(key)))

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
        list_outcome(self._connection, match_id, outcome)

    def live_alert(
        self, fingerprints: Sequence[str], posted_at: datetime, within: timedelta, *, drill: bool = False
    ) -> AlertRow | None:
        """Return the live alert that holds one of the fingerprints, the strongest tie first.

        What a drill injects joins alerts of drills alone, and nothing else joins those.
        Its posts must lie at most `within` from `posted_at`: what counts is when people wrote, not when it was read.
        """
        alerts, keys = schema.alerts, schema.alert_keys
        rank = case({key: index for index, key in enumerate(fingerprints)}, value=keys.c.key)
        query = (
            select(alerts)
            .join(keys, keys.c.alert_id == alerts.c.id)
            .where(keys.c.key.in_(fingerprints), alerts.c.state.in_(LIVE_STATES), alerts.c.drill == drill)
            .where(alerts.c.first_posted_at <= posted_at + within, alerts.c.last_posted_at >= posted_at - within)
            .order_by(rank, alerts.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else alert_of(row)

    def open_incident(self, brand: str, country: str, topic: str, *, drill: bool = False) -> int | None:
        """Return the alert of the open incident that a mention of this topic belongs to, of a drill or in earnest."""
        table = schema.incidents
        query = (
            select(table.c.alert_id)
            .where(table.c.brand == brand, table.c.country == country, table.c.ended_at.is_(None))
            .where(table.c.drill == drill, table.c.topic.in_((topic, "")))
            .order_by(table.c.topic.desc())  # the one of this very topic before the one of any
            .limit(1)
        )
        return self._connection.scalar(query)

    def open_alert(self, new: NewAlert, fingerprints: Sequence[str], now: datetime) -> AlertRow:
        """Open an alert, with its first mention where it has one, and return it."""
        given = asdict(new)
        posted_at = given.pop("posted_at")
        values = {
            **given,
            "state": AlertState.OPEN.value,
            "rules": list(new.rules),
            "rungs": [],
            "variants": list(new.variants),
            "mentions": 1 if new.match_id is not None else 0,
            "copies": 0,
            "opened_at": now,
            "updated_at": now,
            "told_at": now,
            "first_posted_at": posted_at,
            "last_posted_at": posted_at,
        }
        opened = schema.alerts.insert().values(values).returning(schema.alerts)
        alert = alert_of(self._connection.execute(opened).mappings().one())
        if new.match_id is not None:
            self._add_mention(alert.id, new.match_id, "first", now)
        self._hold(alert.id, fingerprints)
        self.record(alert.id, "opened", {"severity": new.severity, "rules": list(new.rules)}, now)
        return alert

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
            "first_posted_at": min(alert.first_posted_at, posted_at),
            "last_posted_at": max(alert.last_posted_at, posted_at),
        }
        if priority > alert.priority:  # the card shows the post of the highest priority
            values["match_id"] = match_id
        changed = self.change(alert.id, now, **values)
        self._add_mention(alert.id, match_id, "copy" if copy else "joined", now)
        self._hold(alert.id, fingerprints)
        self.record(alert.id, "joined", {"match": match_id, "copy": copy}, now)
        return changed

    def _add_mention(self, alert_id: int, match_id: int, role: str, now: datetime) -> None:
        self._connection.execute(
            schema.alert_mentions.insert().values(alert_id=alert_id, match_id=match_id, role=role, joined_at=now)
        )
        list_alert(self._connection, match_id)

    def _hold(self, alert_id: int, fingerprints: Sequence[str]) -> None:
        if not fingerprints:
            return
        statement = insert(self._connection, schema.alert_keys).on_conflict_do_nothing(
            index_elements=["alert_id", "key"]
        )
        self._connection.execute(statement, [{"alert_id": alert_id, "key": key} for key in fingerprints])
