"""What a drill left in the store: its posts, the alerts that they raised, and when each step was reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, or_, select

from listener.model import DRILL_NETWORK
from listener.store import schema
from listener.store.engine import reading

PREFIX = "drill-"


@dataclass(frozen=True, slots=True)
class DrillPost:
    """One post of a drill, and how far it came."""

    external_id: str
    """`drill-<id of the drill>-<number>`."""
    brand: str
    country: str
    language: str | None
    published_at: datetime
    """When it was injected."""
    collected_at: datetime
    classified_at: datetime | None
    triaged_at: datetime | None
    outcome: str | None
    alert_id: int | None


@dataclass(frozen=True, slots=True)
class DrillMessage:
    """The own message of an alert of a drill."""

    alert_id: int
    receiver: str
    state: str
    held: str | None
    attempts: int
    sent_at: datetime | None


class Drills:
    """Reads drills. They have no table of their own: their posts are named by them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def latest(self) -> str | None:
        """Return the id of the last drill."""
        query = select(_mentions.c.external_id).where(_mentions.c.network == DRILL_NETWORK)
        with reading(self._engine) as connection:
            found = connection.scalar(query.order_by(_mentions.c.id.desc()).limit(1))
        return None if found is None else drill_of(found)

    def posts(self, drill_id: str) -> list[DrillPost]:
        """Return the posts of a drill, the first first."""
        joined = (
            _mentions.join(_matches, _matches.c.mention_id == _mentions.c.id)
            .outerjoin(_found, _found.c.mention_id == _mentions.c.id)
            .outerjoin(_held, _held.c.match_id == _matches.c.id)
        )
        query = (
            select(
                _mentions.c.external_id,
                _matches.c.brand,
                _matches.c.country,
                _mentions.c.language_tag.label("language"),
                _mentions.c.published_at,
                _mentions.c.collected_at,
                _found.c.classified_at,
                _matches.c.triaged_at,
                _matches.c.outcome,
                _held.c.alert_id,
            )
            .select_from(joined)
            .where(_of(drill_id))
            .order_by(_mentions.c.id)
        )
        with reading(self._engine) as connection:
            return [DrillPost(**row) for row in connection.execute(query).mappings()]

    def alerts(self, drill_id: str) -> list[int]:
        """Return the alerts that a drill raised, and the incident that it became, the oldest first."""
        own = (
            select(_held.c.alert_id)
            .join(_matches, _matches.c.id == _held.c.match_id)
            .join(_mentions, _mentions.c.id == _matches.c.mention_id)
            .where(_of(drill_id))
        )
        alerts, incidents = schema.alerts, schema.incidents
        with reading(self._engine) as connection:
            span = connection.execute(self._span(drill_id)).one()
            if span.first is None:
                return []
            burst = (
                select(alerts.c.id)
                .join(incidents, incidents.c.alert_id == alerts.c.id)
                .where(alerts.c.drill, alerts.c.brand == span.brand, alerts.c.country == span.country)
                .where(alerts.c.opened_at >= span.first)
            )
            if (following := self._following(connection, span.last_id)) is not None:
                burst = burst.where(alerts.c.opened_at < following)
            wanted = or_(alerts.c.id.in_(own), alerts.c.id.in_(burst))
            return list(connection.scalars(select(alerts.c.id).where(wanted).order_by(alerts.c.id)))

    def messages(self, alert_ids: Sequence[int]) -> list[DrillMessage]:
        """Return the own messages of some alerts, the first first."""
        sent = schema.notifications
        query = (
            select(*(sent.c[name] for name in DrillMessage.__slots__))
            .where(sent.c.alert_id.in_(alert_ids), sent.c.kind == "alert")
            .order_by(sent.c.id)
        )
        with reading(self._engine) as connection:
            return [DrillMessage(**row) for row in connection.execute(query).mappings()]

    @staticmethod
    def _span(drill_id: str) -> Select[Any]:
        return (
            select(
                func.min(_mentions.c.published_at).label("first"),
                func.max(_mentions.c.id).label("last_id"),
                func.min(_matches.c.brand).label("brand"),
                func.min(_matches.c.country).label("country"),
            )
            .select_from(_mentions.join(_matches, _matches.c.mention_id == _mentions.c.id))
            .where(_of(drill_id))
        )

    @staticmethod
    def _following(connection: Connection, last_id: int) -> datetime | None:
        """Return when the next drill began."""
        query = select(func.min(_mentions.c.published_at)).where(
            _mentions.c.network == DRILL_NETWORK, _mentions.c.id > last_id
        )
        found: datetime | None = connection.scalar(query)
        return found


def external_id(drill_id: str, number: int) -> str:
    """Return the name of one post of a drill."""
    return f"{PREFIX}{drill_id}-{number}"


def drill_of(name: str) -> str:
    """Return the drill that a post belongs to."""
    return name.removeprefix(PREFIX).rpartition("-")[0]


def _of(drill_id: str) -> ColumnElement[bool]:
    name = _mentions.c.external_id.startswith(f"{PREFIX}{drill_id}-", autoescape=True)
    return and_(_mentions.c.network == DRILL_NETWORK, name)


_mentions, _matches, _found, _held = (
    schema.mentions,
    schema.matches,
    schema.classifications,
    schema.alert_mentions,
)
