"""Takes a deleted post out of digests that are kept."""

import json
from typing import Any

from sqlalchemy import Connection, and_, select, update

from listener.store import schema

REDACTED = '"redacted": true'
"""Stands in a digest's document once a post was taken out of it."""
RENEWED = '"redacted": "renewed"'
"""Stands there once what waits to be sent was written anew."""


def forget_in_digests(connection: Connection, mention_id: int) -> None:
    """Take what digests quote of a post out of them: its text, its author, its address."""
    table = schema.digests
    named = table.c.document.contains(f'"mention_id":{mention_id},', autoescape=True)
    spaced = table.c.document.contains(f'"mention_id": {mention_id},', autoescape=True)
    rows = connection.execute(select(table.c.reader, table.c.week, table.c.document).where(named | spaced)).all()
    for row in rows:
        document = json.loads(row.document)
        document["redacted"] = True
        own = and_(table.c.reader == row.reader, table.c.week == row.week)
        text = json.dumps(_without(document, mention_id), ensure_ascii=False)
        connection.execute(update(table).where(own).values(document=text))


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
