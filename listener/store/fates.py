"""What becomes of stored posts: an edit replaces the text, a deletion takes it from every later step.

Functions of an open transaction, for whoever learns of it: a page that was fetched, a second look, a person's request.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, update

from listener.store import schema
from listener.store.search import list_again
from listener.store.types import storable

STANDS, EDITED, DELETED = "stands", "edited", "deleted"
_UNEDITABLE = frozenset({"wechat"})
"""A message of WeChat cannot be edited: where its text differs, two exporters wrote it differently."""
_VERSIONS = ("post_id", "edited")
"""Identifiers among a post's links that only grow from one version to the next."""
_LINK = re.compile(r"https?://\S+")
_TRACKING = re.compile(r"utm_\w+|mc_\w+|\w*clid|igsh(id)?|ref_src|si|trk")
_LEAST_CUT = 100


@dataclass(frozen=True, slots=True)
class Version:
    """A post as it reads now."""

    text: str
    text_hash: str
    links: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other columns that the new version brings."""


def is_edit(before: str, after: str) -> bool:
    """Tell whether two texts of one post differ in more than blanks, tracking in links, or being cut short."""
    one, other = _plain(before), _plain(storable(after))
    return one != other and not _is_cut(one, other) and not _is_cut(other, one)


def _plain(text: str) -> str:
    return " ".join(_LINK.sub(lambda match: _without_tracking(match[0]), text).split())


def _without_tracking(link: str) -> str:
    try:
        parts = urlsplit(link)
        asked = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    except ValueError:
        return link
    if parts.netloc == "t.co":  # X makes another short link for the same target in each version
        return "https://t.co"
    return parts._replace(query=urlencode(asked)).geturl()


def _is_cut(short: str, whole: str) -> bool:
    start = short.removesuffix("…").removesuffix("...").rstrip()
    return len(start) >= _LEAST_CUT and start != short and whole.startswith(start)


def known(connection: Connection, network: str, external_ids: Collection[str]) -> list[Mapping[Any, Any]]:
    """Return what is stored of posts, each with its text, links and fate."""
    table = schema.mentions
    wanted = sorted(external_ids)
    columns = (table.c.id, table.c.network, table.c.external_id, table.c.text, table.c.links, table.c.fate)
    found: list[Mapping[Any, Any]] = []
    for start in range(0, len(wanted), 500):
        some = table.c.external_id.in_(wanted[start : start + 500])
        found += connection.execute(select(*columns).where(table.c.network == network, some)).mappings()
    return found


def edit(connection: Connection, post: Mapping[Any, Any], version: Version, now: datetime) -> bool:
    """Give a post its new text, if it has one; return whether that was an edit.

    It is classified again; what was decided on it stays, but where nobody was told of it: that is decided anew.
    """
    if post["network"] in _UNEDITABLE or not is_edit(post["text"], version.text):
        return False
    if not version.text.strip():
        return bool(delete_posts(connection, [post["id"]], now))
    values = {
        **version.more,
        "text": version.text,
        "text_hash": version.text_hash,
        "links": {**post["links"], **version.links},
        "fate": EDITED,
        "fate_at": now,
        "fate_shown": False,
        "classified": False,
        "copy_of": None,
    }
    table = schema.mentions
    # Guarded: a post that was withdrawn meanwhile must not get a text again.
    changed = update(table).where(table.c.id == post["id"], table.c.fate != DELETED).values(values)
    if not connection.execute(changed).rowcount:
        return False
    _forget_reading(connection, post["id"])
    list_again(connection, post["id"])
    return True


def is_older(links: Mapping[str, str], known_links: Mapping[str, str]) -> bool:
    """Tell whether a page shows an older version than the one that is stored, as an index that lags behind does."""
    return any(_number(links.get(name)) < _number(known_links.get(name)) for name in _VERSIONS)


def _number(value: object) -> int:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else 0


def _forget_reading(connection: Connection, mention_id: int) -> None:
    matches, bands, found = schema.matches, schema.copy_bands, schema.classifications
    connection.execute(delete(bands).where(bands.c.mention_id == mention_id))
    quiet = update(matches).where(matches.c.mention_id == mention_id, matches.c.outcome == "quiet")
    connection.execute(quiet.values(triaged_at=None, outcome=None))
    waiting = exists().where(matches.c.mention_id == mention_id, matches.c.triaged_at.is_(None))
    # What is still to be decided on waits for the new reading; what alerts show keeps the old one until then.
    connection.execute(delete(found).where(found.c.mention_id == mention_id, waiting))


def delete_posts(connection: Connection, ids: Collection[int], now: datetime, by: str | None = None) -> list[int]:
    """Mark posts as deleted, with the bare reposts of them, and keep every later step off them; return them all."""
    table, matches = schema.mentions, schema.matches
    gone = _with_reposts(connection, ids)
    if not gone:
        return []
    marked = update(table).where(table.c.id.in_(gone), table.c.fate != DELETED)
    connection.execute(
        marked.values(fate=DELETED, fate_at=now, fate_by=by, fate_shown=False, classified=True, looked_at=now)
    )
    connection.execute(delete(schema.embeddings).where(schema.embeddings.c.mention_id.in_(gone)))
    undecided = update(matches).where(matches.c.mention_id.in_(gone), matches.c.triaged_at.is_(None))
    connection.execute(undecided.values(triaged_at=now, outcome="withdrawn"))
    list_again(connection, *gone)
    return gone


def _with_reposts(connection: Connection, ids: Collection[int]) -> list[int]:
    table = schema.mentions
    query = select(table.c.id, table.c.network, table.c.external_id, table.c.text, table.c.text_hash)
    gone: list[int] = []
    for post in connection.execute(query.where(table.c.id.in_(ids), table.c.fate != DELETED)).all():
        same: ColumnElement[bool] = table.c.text == post.text
        if post.text_hash:
            same = or_(same, table.c.text_hash == post.text_hash)
        bare = and_(table.c.network == post.network, table.c.repost_of_id == post.external_id, same)
        gone += [post.id, *connection.scalars(select(table.c.id).where(bare, table.c.fate != DELETED))]
    return sorted(set(gone))
