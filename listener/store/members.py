"""The posts that an alert holds, with their words, as pages list them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, select

from listener.store import schema
from listener.store.engine import reading


@dataclass(frozen=True, slots=True)
class Member:
    """One post that an alert holds."""

    match_id: int
    mention_id: int
    role: str
    """`first`, `joined` or `copy`."""
    joined_at: datetime
    network: str
    text: str
    """Hostile; empty where the post was deleted."""
    url: str | None
    published_at: datetime
    language: str
    complaint: float
    name: str
    handle: str | None
    followers: int | None
    fate: str


class Members:
    """Reads the posts of alerts, page by page."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_alert(self, alert_id: int, limit: int = 20, after: int = 0) -> list[Member]:
        """Return posts of an alert in the order in which they joined, from behind the match `after` on."""
        query = _members(schema.alert_mentions.c.alert_id == alert_id, schema.alert_mentions.c.match_id > after)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(schema.alert_mentions.c.match_id).limit(limit)).all()
        return [Member(*row) for row in rows]


def _members(*wanted: ColumnElement[bool]) -> Select[Any]:
    held, matches, mentions = schema.alert_mentions, schema.matches, schema.mentions
    authors, said = schema.authors, schema.classifications
    columns: Sequence[Any] = (
        held.c.match_id,
        mentions.c.id,
        held.c.role,
        held.c.joined_at,
        mentions.c.network,
        mentions.c.text,
        mentions.c.url,
        mentions.c.published_at,
        said.c.language,
        said.c.complaint,
        authors.c.name,
        authors.c.handle,
        authors.c.followers,
        mentions.c.fate,
    )
    return (
        select(*columns)
        .join(matches, matches.c.id == held.c.match_id)
        .join(mentions, mentions.c.id == matches.c.mention_id)
        .join(authors, authors.c.id == mentions.c.author_id)
        .join(said, said.c.mention_id == mentions.c.id)
        .where(*wanted)
    )
