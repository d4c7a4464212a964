"""What was answered before: the reply drafts that an author, a thread and this hour saw, and what nobody answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, false, func, or_, select

from listener.model import AlertState, Mention
from listener.store import schema

_alerts, _mentions, _matches, _events = schema.alerts, schema.mentions, schema.matches, schema.alert_events
_REMEMBERED = timedelta(days=30)
_THIS_HOUR = timedelta(hours=1)
_MOST_READ = 500
"""Enough to turn through all variants; an hour of a crisis must not slow the next alert."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Whose post it is, and where: the author, the conversation, the brand and the country."""

    brand: str
    country: str
    network: str
    author: str
    """The author's id on the network."""
    conversation: str | None

    @classmethod
    def of(cls, mention: Mention, brand: str, country: str) -> "Thread":
        """Return the thread that a mention stands in."""
        author = mention.author
        return cls(brand, country, author.network, author.external_id, mention.conversation_id)


def variants_seen(
    connection: Connection, thread: Thread, now: datetime, *, without: int | None = None
) -> tuple[list[str], list[str]]:
    """Return the variants that others of this thread, this author and this hour saw, and those without the hour's.

    Each stands once for each time; what was sent counts twice as much as what was only offered first. `without` is an
    alert to be left out.
    """
    author = _by_author(connection, thread)
    in_thread = (
        and_(_mentions.c.network == thread.network, _mentions.c.conversation_id == thread.conversation)
        if thread.conversation
        else None
    )
    near = [_mentions.c.author_id == author] if author is not None else []
    near += [in_thread] if in_thread is not None else []
    is_near = case((or_(false(), *near), 1), else_=0)
    this_hour = and_(_alerts.c.country == thread.country, _alerts.c.opened_at > now - _THIS_HOUR)
    query = (
        select(_alerts.c.id, _alerts.c.variants, is_near.label("near"))
        .join(_matches, _matches.c.id == _alerts.c.match_id)
        .join(_mentions, _mentions.c.id == _matches.c.mention_id)
        .where(_alerts.c.brand == thread.brand, _alerts.c.opened_at > now - _REMEMBERED, or_(this_hour, *near))
        .where(_alerts.c.id != (without or 0))
        .order_by(is_near.desc(), _alerts.c.id.desc())
        .limit(_MOST_READ)
    )
    rows = connection.execute(query).all()
    return _told(connection, rows), _told(connection, [row for row in rows if row.near])


def _told(connection: Connection, rows: "Sequence[Row[Any, Any, Any]]") -> list[str]:
    offered = [str(row.variants[0]) for row in rows if row.variants]
    return [*offered, *(2 * sent_variants(connection, [row.id for row in rows]))]


def sent_variants(connection: Connection, alert_ids: Sequence[int]) -> list[str]:
    """Return the variants that people sent for these alerts."""
    query = select(_events.c.data).where(_events.c.alert_id.in_(alert_ids), _events.c.kind == "replied")
    return [str(data["variant"]) for data in connection.scalars(query) if data.get("variant")]


def unanswered_before(connection: Connection, thread: Thread, opened_at: datetime) -> int:
    """Return how many earlier alerts about posts of this author nobody had answered when another was opened."""
    author = _by_author(connection, thread)
    if author is None:
        return 0
    unanswered = and_(_later(_alerts.c.replied_at, opened_at), _later(_alerts.c.private_at, opened_at))
    query = (
        select(func.count())
        .select_from(_alerts)
        .join(_matches, _matches.c.id == _alerts.c.match_id)
        .join(_mentions, _mentions.c.id == _matches.c.mention_id)
        .where(_mentions.c.author_id == author, _alerts.c.brand == thread.brand, _alerts.c.drill.is_(False))
        .where(_alerts.c.opened_at < opened_at, _alerts.c.opened_at > opened_at - _REMEMBERED)
        .where(_alerts.c.state != AlertState.DISMISSED.value, unanswered)
    )
    return connection.scalar(query) or 0


def _later(column: ColumnElement[datetime], moment: datetime) -> ColumnElement[bool]:
    return or_(column.is_(None), column > moment)


def _by_author(connection: Connection, thread: Thread) -> int | None:
    table = schema.authors
    query = select(table.c.id).where(table.c.network == thread.network, table.c.external_id == thread.author)
    return connection.scalar(query)
