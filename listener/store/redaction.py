"""Takes a deleted post out of digests that are kept."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from listener.store import schema

REDACTED = '"redacted": true'
"""Stands in a digest's document once a post was taken out of it."""
RENEWED = '"redacted": "renewed"'
"""Stands there once what waits to be sent was written anew."""
RENEWAL = "renewal"
"""Why a digest's message is held back: until it is written anew, without the post."""


def forget_in_digests(connection: Connection, mention_id: int) -> None:
    """Take what digests quote of a post out of them: its text, its author, its address.

    Messages that were not sent yet are held back until they are written anew.
    """
    table = schema.digests
    named = table.c.document.contains(f'"mention_id":{mention_id},', autoescape=True)
    spaced = table.c.document.contains(f'"mention_id": {mention_id},', autoescape=True)
    columns = (table.c.reader, table.c.week, table.c.document, table.c.messages)
    query = select(*columns).where(named | spaced)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update()  # or who takes out another post at the same time puts this one back
    for row in connection.execute(query).all():
        document = json.loads(row.document)
        document["redacted"] = True
        own = and_(table.c.reader == row.reader, table.c.week == row.week)
        text = json.dumps(_without(document, mention_id), ensure_ascii=False)
        connection.execute(update(table).where(own).values(document=text))
        _hold_back(connection, [number for _, number in row.messages])


def _hold_back(connection: Connection, numbers: Sequence[int]) -> None:
    """Hold back digests by the numbers of their messages, with their files, wherever they moved."""
    sent = schema.notifications
    first = or_(sent.c.id.in_(numbers), sent.c.parent_id.in_(numbers))
    # What moved has the same payload as what it moved to; what was sent keeps none.
    payloads = select(sent.c.payload).where(first, sent.c.state != "sent")
    waiting = and_(
        sent.c.kind.in_(("digest", "note")), sent.c.state.in_(("pending", "sending")), sent.c.payload.in_(payloads)
    )
    connection.execute(update(sent).where(waiting).values(held=RENEWAL))


def _without(value: Any, mention_id: int) -> Any:
    """Return a document without the quotations of a post."""
    if isinstance(value, list):
        return [
            _without(one, mention_id)
            for one in value
            if not (isinstance(one, dict) and one.get("mention_id") == mention_id)
        ]
    if isinstance(value, dict):
        return {key: _without(one, mention_id) for key, one in value.items()}
    return value
