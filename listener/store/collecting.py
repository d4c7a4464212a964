"""The first transaction: a page's mentions and its cursor, together or not at all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from listener.model import Author, Gap, Mention, Page, Skipped, Usage, Watch, Withdrawn
from listener.store import schema
from listener.store.engine import insert, reading
from listener.store.fates import DELETED, Version, delete_posts, edit, is_older, known
from listener.store.search import list_posts
from listener.store.types import Count, storable
from listener.store.usage import add_usage

_GRACE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mention as it arrives: the country it was found to belong to, and the hash that exact copies share."""

    mention: Mention
    country: str
    text_hash: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """Where a watch stands."""

    watch_id: str
    cursor: str | None = None
    next_poll_at: datetime | None = None
    polled_at: datetime | None = None
    """When it was polled last, whatever came of it."""
    succeeded_at: datetime | None = None
    failures: int = 0
    problem: str | None = None
    fault: str | None = None
    """What kind of problem: `failing` (passing), `quota`, `watch` (refused what it asks), `source` (refused)."""
    newest_at: datetime | None = None
    """When the newest mention that it ever brought was published."""
    newest_taken_at: datetime | None = None
    """When that one was collected: the difference is how late mentions come."""

    def is_overdue(self, every_s: float, now: datetime) -> bool:
        """Tell whether the next poll should have been made two turns and two minutes ago, or longer."""
        due = self.next_poll_at or self.succeeded_at
        return due is not None and now > due + timedelta(seconds=2 * every_s) + _GRACE


class Collecting:
    """Reads and writes what collectors need."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def state(self, watch_id: str) -> WatchState:
        """Return where a watch stands; a fresh state for one never polled."""
        table = schema.watch_states
        with reading(self._engine) as connection:
            row = connection.execute(select(table).where(table.c.watch_id == watch_id)).mappings().one_or_none()
        if row is None:
            return WatchState(watch_id)
        return WatchState(**{name: row[name] for name in WatchState.__slots__})

    def states(self) -> dict[str, WatchState]:
        """Return every watch's state by id."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(schema.watch_states)).mappings().all()
        return {row["watch_id"]: WatchState(**{name: row[name] for name in WatchState.__slots__}) for row in rows}

    def save_page(
        self,
        watch: Watch,
        page: Page,
        arrivals: Sequence[Arrival],
        *,
        now: datetime,
        next_poll_at: datetime,
        max_age_s: float | None,
        usage: Usage | None = None,
    ) -> Counter[str]:
        """Store a page, its cursor and what it took in one transaction; return how many mentions were new, by country.

        A mention that is there already gets its engagement refreshed; where its text differs, it was edited. One that
        was deleted stays so, whatever a page still shows. One that another watch of the same brand found first stays
        with that watch's country.
        """
        unique = {(item.mention.network, storable(item.mention.external_id)): item for item in arrivals}
        with self._engine.begin() as connection:
            unique = _without_deleted(connection, unique)
            authors = _save_authors(connection, [item.mention.author for item in unique.values()], now)
            new, ids = _save_mentions(connection, unique, authors, now)
            _save_matches(connection, watch, unique, ids, now, max_age_s)
            list_posts(connection, ids.values(), watch.brand)
            _withdraw(connection, page.withdrawn, now)
            _save_skipped(connection, watch.id, page.skipped, now)
            _save_gaps(connection, watch.id, page.gaps)
            _save_state(
                connection,
                watch.id,
                cursor=page.cursor,
                next_poll_at=next_poll_at,
                polled_at=now,
                succeeded_at=now,
                failures=0,
                problem=None,
                fault=None,
                **_newest(connection, watch.id, page, now),
            )
            if usage is not None:
                add_usage(connection, watch.id, usage, now, mentions=sum(new.values()), skipped=len(page.skipped))
        return new

    def save_failure(
        self,
        watch_id: str,
        problem: str,
        *,
        now: datetime,
        next_poll_at: datetime,
        gap: Gap | None = None,
        fault: str = "failing",
        usage: Usage | None = None,
    ) -> int:
        """Note a failed poll: the cursor stays, the next poll moves. Return how many have failed in a row."""
        with self._engine.begin() as connection:
            table = schema.watch_states
            failures = connection.scalar(select(table.c.failures).where(table.c.watch_id == watch_id)) or 0
            _save_state(
                connection,
                watch_id,
                next_poll_at=next_poll_at,
                polled_at=now,
                failures=failures + 1,
                problem=problem,
                fault=fault,
            )
            _save_gaps(connection, watch_id, [gap] if gap else [])
            if usage is not None:
                add_usage(connection, watch_id, usage, now)
        return failures + 1

    def gaps(self, since: datetime | None = None) -> list[tuple[str, Gap]]:
        """Return what was not seen, the latest first; with `since`, gaps that reach beyond it alone."""
        table = schema.coverage_gaps
        query = select(table).order_by(table.c.id.desc())
        if since is not None:
            query = query.where(table.c.end_at > since)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [(row.watch_id, Gap(row.start_at, row.end_at, row.reason)) for row in rows]

    def skipped(self) -> list[Mapping[str, Any]]:
        """Return counts and last samples of items not taken, by watch and reason."""
        with reading(self._engine) as connection:
            return [dict(row) for row in connection.execute(select(schema.skipped_items)).mappings()]


def _save_authors(connection: Connection, authors: Iterable[Author], now: datetime) -> dict[tuple[str, str], int]:
    unique = {(author.network, storable(author.external_id)): author for author in authors}
    if not unique:
        return {}
    table = schema.authors
    rows = [
        {
            "network": network,
            "external_id": external_id,
            "name": author.name,
            "handle": author.handle,
            "followers": author.followers,
            "verified": author.verified,
            "bio": author.bio,
            "location": author.location,
            "country": author.country,
            "url": author.url,
            "updated_at": now,
        }
        for (network, external_id), author in unique.items()
    ]
    statement = insert(connection, table)
    known = {
        name: func.coalesce(statement.excluded[name], table.c[name])
        for name in ("handle", "followers", "verified", "country", "url")
    }
    given = {
        name: func.coalesce(func.nullif(statement.excluded[name], ""), table.c[name])
        for name in ("name", "bio", "location")
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["network", "external_id"],
            set_={**known, **given, "updated_at": statement.excluded.updated_at},
        ),
        rows,
    )
    return _ids(connection, table, unique)


def _ids(connection: Connection, table: Any, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    by_network: dict[str, list[str]] = {}
    for network, external_id in keys:
        by_network.setdefault(network, []).append(external_id)
    found: dict[tuple[str, str], int] = {}
    for network, wanted in by_network.items():
        for start in range(0, len(wanted), 500):
            rows = connection.execute(
                select(table.c.external_id, table.c.id).where(
                    table.c.network == network, table.c.external_id.in_(wanted[start : start + 500])
                )
            )
            found.update({(network, external_id): row_id for external_id, row_id in rows})
    return found


def _save_mentions(
    connection: Connection,
    unique: Mapping[tuple[str, str], Arrival],
    authors: Mapping[tuple[str, str], int],
    now: datetime,
) -> tuple[Counter[str], dict[tuple[str, str], int]]:
    stored = {(row["network"], row["external_id"]): row for row in _known(connection, unique)}
    before = {key: row["id"] for key, row in stored.items()}
    fresh = [_mention_row(item, authors, now) for key, item in unique.items() if key not in before]
    if fresh:
        statement = insert(connection, schema.mentions).on_conflict_do_nothing(
            index_elements=["network", "external_id"]
        )
        connection.execute(statement, fresh)
    for key, row in stored.items():
        if not is_older(unique[key].mention.links, row["links"]):
            edit(connection, row, _version(unique[key]), now)
    _refresh_engagement(connection, [(before[key], item.mention) for key, item in unique.items() if key in before])
    after = _ids(connection, schema.mentions, unique) if fresh else before
    return Counter(item.country for key, item in unique.items() if key in after and key not in before), after


def _known(connection: Connection, keys: Iterable[tuple[str, str]]) -> list[Mapping[Any, Any]]:
    by_network: dict[str, list[str]] = {}
    for network, external_id in keys:
        by_network.setdefault(network, []).append(external_id)
    return [row for network, wanted in by_network.items() for row in known(connection, network, wanted)]


def _without_deleted(
    connection: Connection, unique: Mapping[tuple[str, str], Arrival]
) -> dict[tuple[str, str], Arrival]:
    gone = {(row["network"], row["external_id"]) for row in _known(connection, unique) if row["fate"] == DELETED}
    return {key: item for key, item in unique.items() if key not in gone}


def _version(item: Arrival) -> Version:
    mention = item.mention
    links = {storable(name): storable(value) for name, value in mention.links.items()}
    more = {"url": mention.url, "language_tag": mention.language, "place": mention.place}
    return Version(mention.text, item.text_hash, links, more)


def _withdraw(connection: Connection, posts: Sequence[Withdrawn], now: datetime) -> None:
    rows = _known(connection, {(post.network, storable(post.external_id)) for post in posts})
    delete_posts(connection, [row["id"] for row in rows], now)


def _mention_row(item: Arrival, authors: Mapping[tuple[str, str], int], now: datetime) -> dict[str, Any]:
    mention, seen = item.mention, item.mention.engagement
    return {
        "network": mention.network,
        "external_id": mention.external_id,
        "author_id": authors[mention.author.network, storable(mention.author.external_id)],
        "text": mention.text,
        "url": mention.url,
        "published_at": mention.published_at,
        "collected_at": now,
        "language_tag": mention.language,
        "conversation_id": mention.conversation_id,
        "reply_to_id": mention.reply_to_id,
        "repost_of_id": mention.repost_of_id,
        "likes": seen.likes,
        "replies": seen.replies,
        "reposts": seen.reposts,
        "quotes": seen.quotes,
        "views": seen.views,
        "sponsored": mention.sponsored,
        "country": mention.country,
        "place": mention.place,
        "links": {storable(name): storable(value) for name, value in mention.links.items()},
        "text_hash": item.text_hash,
    }


def _refresh_engagement(connection: Connection, known: Sequence[tuple[int, Mention]]) -> None:
    if not known:
        return
    table = schema.mentions
    names = ("likes", "replies", "reposts", "quotes", "views")
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({name: func.coalesce(bindparam(f"new_{name}", type_=Count), table.c[name]) for name in names})
    )
    connection.execute(
        statement,
        [
            {"row_id": row_id, **{f"new_{name}": getattr(mention.engagement, name) for name in names}}
            for row_id, mention in known
        ],
    )


def _save_matches(
    connection: Connection,
    watch: Watch,
    unique: Mapping[tuple[str, str], Arrival],
    ids: Mapping[tuple[str, str], int],
    now: datetime,
    max_age_s: float | None,
) -> None:
    rows = [
        {
            "mention_id": ids[key],
            "brand": watch.brand,
            "country": item.country,
            "watch_id": watch.id,
            "max_age_s": max_age_s,
            "matched_at": now,
        }
        for key, item in unique.items()
    ]
    if rows:
        statement = insert(connection, schema.matches).on_conflict_do_nothing(index_elements=["mention_id", "brand"])
        connection.execute(statement, rows)


def _save_skipped(connection: Connection, watch_id: str, skipped: Iterable[Skipped], now: datetime) -> None:
    table = schema.skipped_items
    for item in skipped:
        statement = insert(connection, table).values(
            watch_id=watch_id,
            reason=item.reason,
            broken=item.broken,
            count=1,
            last_where=item.where,
            last_sample=item.sample[:500],
            last_at=now,
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["watch_id", "reason"],
                set_={
                    "count": table.c.count + 1,
                    "last_where": statement.excluded.last_where,
                    "last_sample": statement.excluded.last_sample,
                    "last_at": statement.excluded.last_at,
                },
            )
        )


def _save_gaps(connection: Connection, watch_id: str, gaps: Iterable[Gap]) -> None:
    for gap in gaps:
        statement = insert(connection, schema.coverage_gaps).values(
            watch_id=watch_id, start_at=gap.start_at, end_at=gap.end_at, reason=gap.reason
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["watch_id", "start_at", "reason"], set_={"end_at": statement.excluded.end_at}
            )
        )


def _newest(connection: Connection, watch_id: str, page: Page, now: datetime) -> dict[str, datetime]:
    """Return what a watch's state says of its newest mention, where this page brought a newer one."""
    # A file may claim days to come, which no later mention would ever pass.
    newest = max((min(mention.published_at, now) for mention in page.mentions), default=None)
    if newest is None:
        return {}
    table = schema.watch_states
    known = connection.scalar(select(table.c.newest_at).where(table.c.watch_id == watch_id))
    return {} if known is not None and known >= newest else {"newest_at": newest, "newest_taken_at": now}


def save_cursor(connection: Connection, watch_id: str, cursor: str | None) -> None:
    """Store where a watch goes on, in an open transaction."""
    _save_state(connection, watch_id, cursor=cursor)


def _save_state(connection: Connection, watch_id: str, **values: Any) -> None:
    statement = insert(connection, schema.watch_states).values(watch_id=watch_id, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["watch_id"], set_={name: statement.excluded[name] for name in values}
        )
    )
