"""Who changed what: settings, people, sources, deliveries. What is done with an alert stands in its own history."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, or_, select

from listener.store import schema
from listener.store.engine import reading

_audit = schema.audit


@dataclass(frozen=True, slots=True)
class Audited:
    """One line of the audit log."""

    id: int
    at: datetime
    actor: str
    """As people know them; hostile."""
    origin: str
    """`console`, `cli`, `slack` or `daemon`."""
    action: str
    object: str
    country: str | None
    """None where it concerns all of them."""
    data: Mapping[str, Any]


class Audit:
    """Writes and reads the audit log. Lines are only ever added."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(
        self,
        *,
        actor: str,
        origin: str,
        action: str,
        object: str,
        now: datetime,
        country: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line. `data` is plain JSON and holds no secret."""
        with self._engine.begin() as connection:
            add_audit(
                connection,
                actor=actor,
                origin=origin,
                action=action,
                object=object,
                now=now,
                country=country,
                data=data,
            )

    def page(
        self,
        *,
        limit: int = 50,
        before: int | None = None,
        countries: Collection[str] | None = None,
        actor: str = "",
        action: str = "",
        object: str = "",
        without: Collection[str] = (),
    ) -> list[Audited]:
        """Return lines, the latest first: those with smaller ids than `before`, of these countries or of all.

        Lines of actions `without` are left out.
        """
        query = select(_audit).order_by(_audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_audit.c.id < before)
        if countries is not None:
            query = query.where(or_(_audit.c.country.in_(list(countries)), _audit.c.country.is_(None)))
        if without:
            query = query.where(_audit.c.action.not_in(list(without)))
        if actor:
            query = query.where(_audit.c.actor == actor)
        if action:
            query = query.where(_audit.c.action == action)
        if object:
            query = query.where(_audit.c.object == object)
        with reading(self._engine) as connection:
            return [Audited(**row) for row in connection.execute(query).mappings()]


def add_audit(
    connection: Connection,
    *,
    actor: str,
    origin: str,
    action: str,
    object: str,
    now: datetime,
    country: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add a line in an open transaction, so that a change and its line are stored together."""
    values = {
        "at": now,
        "actor": actor,
        "origin": origin,
        "action": action,
        "object": object,
        "country": country,
        "data": dict(data or {}),
    }
    connection.execute(_audit.insert().values(values))
