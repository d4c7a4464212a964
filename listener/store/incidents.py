"""Incidents as stored: where a burst began, how far it is counted, and what its card showed last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from listener.store import schema
from listener.store.engine import reading


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as stored; its alert holds state, owner and severity."""

    alert_id: int
    brand: str
    country: str
    topic: str
    """One of TOPICS, or empty for a burst without one topic."""
    began_at: datetime
    counted_until: datetime
    ended_at: datetime | None


class Incidents:
    """Reads incidents."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def facts(self, alert_id: int) -> str | None:
        """Return the card that an incident showed last, as JSON."""
        query = select(_table.c.facts).where(_table.c.alert_id == alert_id)
        with reading(self._engine) as connection:
            return connection.scalar(query)

    def lasting(self) -> list[IncidentRow]:
        """Return the incidents that are not over."""
        query = select(_table).where(_table.c.ended_at.is_(None)).order_by(_table.c.alert_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [IncidentRow(**{name: row[name] for name in IncidentRow.__slots__}) for row in rows]


_table = schema.incidents
