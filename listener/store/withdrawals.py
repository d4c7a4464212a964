"""Posts that were deleted or edited: which to look at again, and the transaction that takes their words back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, exists, func, or_, select, update

from listener.model import Usage, Withdrawn
from listener.store import schema
from listener.store.alerts import LIVE_STATES, AlertRow, AlertTransaction, alert_of
from listener.store.collecting import save_cursor
from listener.store.corrections import forget_post
from listener.store.engine import reading
from listener.store.fates import DELETED, Version, delete_posts, edit, known
from listener.store.outbox import EDIT_RANK, UNSENT, new_notification
from listener.store.redaction import forget_in_digests
from listener.store.types import storable
from listener.store.usage import add_usage

LOOKED_AFTER = timedelta(days=7)
"""Posts of alerts are looked at again for so long after these were closed."""


@dataclass(frozen=True, slots=True)
class KnownPost:
    """A post that an alert shows or holds."""

    network: str
    external_id: str
    links: Mapping[str, str]
    watch_id: str
    """The watch that found it first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a second look said of a post: how it reads now, or that it is gone (`version` is None)."""

    external_id: str
    version: Version | None


@dataclass(frozen=True, slots=True)
class ChangedPost:
    """A post that was deleted or edited, and of which people are still to be told."""

    mention_id: int
    network: str
    external_id: str
    author_id: int
    author: str
    text: str
    """Of a deleted post the words that are to be taken back; of an edited one how it reads now."""
    url: str | None
    fate: str
    by: str | None
    """Who had it withdrawn, where that was a person's request."""
    match_ids: tuple[int, ...] = field(default=())

    @property
    def is_deleted(self) -> bool:
        """Whether it is gone, and not only edited."""
        return self.fate == DELETED


class Withdrawals:
    """Reads and writes what second looks need."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, network: str, looked_before: datetime, now: datetime, limit: int) -> list[KnownPost]:
        """Return posts of live alerts, and of those closed lately, that were not looked at since, the oldest first."""
        mentions, matches, held, alerts = schema.mentions, schema.matches, schema.alert_mentions, schema.alerts
        seen_at = func.coalesce(mentions.c.looked_at, mentions.c.collected_at)
        of_interest = or_(alerts.c.state.in_(LIVE_STATES), alerts.c.closed_at >= now - LOOKED_AFTER)
        query = (
            select(mentions.c.network, mentions.c.external_id, mentions.c.links, func.min(matches.c.watch_id))
            .join(matches, matches.c.mention_id == mentions.c.id)
            .join(held, held.c.match_id == matches.c.id)
            .join(alerts, alerts.c.id == held.c.alert_id)
            .where(mentions.c.network == network, mentions.c.fate != DELETED, of_interest, seen_at <= looked_before)
            .group_by(mentions.c.id)
            .order_by(seen_at, mentions.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [KnownPost(*row) for row in connection.execute(query)]

    def looked(
        self,
        network: str,
        asked: Collection[str],
        readings: Sequence[Reading],
        now: datetime,
        *,
        cursor: tuple[str, str | None] | None = None,
        used: tuple[str, Usage] | None = None,
    ) -> int:
        """Store what a second look brought, with cursor and use of the watch it counts for; return how many changed.

        Posts that were asked for and of which nothing is said stand as they are until the next look.
        """
        table, changed = schema.mentions, 0
        with self._engine.begin() as connection:
            rows = {row["external_id"]: row for row in known(connection, network, asked)}
            for one in readings:
                row = rows.get(one.external_id)
                if row is None or row["fate"] == DELETED:
                    continue
                if one.version is None:
                    changed += len(delete_posts(connection, [row["id"]], now))
                else:
                    changed += edit(connection, row, one.version, now)
            looked_at = update(table).where(table.c.id.in_([row["id"] for row in rows.values()]))
            connection.execute(looked_at.values(looked_at=now))
            if cursor is not None:
                save_cursor(connection, *cursor)
            if used is not None:
                add_usage(connection, *used, now)
        return changed

    def withdraw(self, posts: Sequence[Withdrawn], now: datetime, by: str | None = None) -> list[int]:
        """Mark posts as withdrawn, with bare reposts of them, and return those that stood until now.

        Their words stay until the transaction in which all that showed them changes.
        """
        with self._engine.begin() as connection:
            rows = [row for post in posts for row in _named(connection, post.network, storable(post.external_id))]
            return delete_posts(connection, [row["id"] for row in rows if row["fate"] != DELETED], now, by)

    def fate(self, network: str, external_id: str) -> str | None:
        """Return what became of a post; None where there is no such post."""
        with reading(self._engine) as connection:
            return next((row["fate"] for row in _named(connection, network, storable(external_id))), None)

    def to_show(self, limit: int = 200) -> list[int]:
        """Return the posts whose change people are still to be told, those edited once they are classified again."""
        table = schema.mentions
        query = select(table.c.id).where(~table.c.fate_shown, table.c.classified).order_by(table.c.id).limit(limit)
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    @contextmanager
    def transaction(self) -> Iterator["WithdrawalTransaction"]:
        """All that a deletion or an edit changes is stored together or not at all."""
        with self._engine.begin() as connection:
            yield WithdrawalTransaction(connection)


def _named(connection: Connection, network: str, external_id: str) -> list[Mapping[Any, Any]]:
    """Return a post by its id; an edited one by the id of its latest version too, which stands in its address."""
    rows = known(connection, network, [external_id])
    if rows:
        return rows
    table = schema.mentions
    address = table.c.url.endswith(f"/{external_id}", autoescape=True)
    first = connection.scalar(select(table.c.external_id).where(table.c.network == network, address).limit(1))
    return known(connection, network, [first]) if first else []


class WithdrawalTransaction(AlertTransaction):
    """One open transaction in which one post's change reaches all that showed it."""

    def changed_post(self, mention_id: int) -> ChangedPost | None:
        """Return a post that people are still to be told of, and keep others from changing it."""
        mentions, authors, matches = schema.mentions, schema.authors, schema.matches
        query = (
            select(mentions, authors.c.name, authors.c.handle)
            .join(authors, authors.c.id == mentions.c.author_id)
            .where(mentions.c.id == mention_id, ~mentions.c.fate_shown, mentions.c.classified)
        )
        if self._connection.dialect.name == "postgresql":
            query = query.with_for_update(of=mentions)
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        ids = select(matches.c.id).where(matches.c.mention_id == mention_id).order_by(matches.c.id)
        return ChangedPost(
            mention_id,
            row["network"],
            row["external_id"],
            row["author_id"],
            row["name"] or row["handle"] or "",
            row["text"],
            row["url"],
            row["fate"],
            row["fate_by"],
            tuple(self._connection.scalars(ids)),
        )

    def holders(self, match_ids: Sequence[int]) -> list[AlertRow]:
        """Return the alerts that hold a post, and keep others from changing them."""
        held = schema.alert_mentions
        query = select(_alerts).where(_alerts.c.id.in_(select(held.c.alert_id).where(held.c.match_id.in_(match_ids))))
        query = query.order_by(_alerts.c.id)
        if self._connection.dialect.name == "postgresql":
            query = query.with_for_update()
        return [alert_of(row) for row in self._connection.execute(query).mappings()]

    def shown(self, mention_id: int) -> None:
        """Note that all that showed a post has changed."""
        table = schema.mentions
        self._connection.execute(update(table).where(table.c.id == mention_id).values(fate_shown=True))

    def reread(self, match_id: int, *, priority: float, influence: float, velocity: float) -> None:
        """Note the present scores of an edited post; what was decided on it stays."""
        table = schema.matches
        scores = {"priority": priority, "influence": influence, "velocity": velocity}
        self._connection.execute(update(table).where(table.c.id == match_id).values(scores))

    def forget_words(self, post: ChangedPost) -> None:
        """Drop a deleted post's text, place, reasons and copy bands, and what is known of an author with no other.

        Its id, address and time stay, and its author's name: whoever is in touch must know with whom, and about what.
        """
        mentions, found, bands = schema.mentions, schema.classifications, schema.copy_bands
        gone = {"text": "", "place": "", "text_hash": ""}
        self._connection.execute(update(mentions).where(mentions.c.id == post.mention_id).values(gone))
        self._connection.execute(update(found).where(found.c.mention_id == post.mention_id).values(reasons=[]))
        self._connection.execute(delete(bands).where(bands.c.mention_id == post.mention_id))
        forget_post(self._connection, post.network, post.external_id)
        forget_in_digests(self._connection, post.mention_id)
        self._forget_samples(post)
        self._forget_profile(post.author_id)

    def _forget_samples(self, post: ChangedPost) -> None:
        table = schema.skipped_items
        columns = (table.c.last_where, table.c.last_sample)
        named = or_(*(column.contains(post.external_id, autoescape=True) for column in columns))
        self._connection.execute(update(table).where(named).values(last_sample=""))

    def _forget_profile(self, author_id: int) -> None:
        authors, mentions = schema.authors, schema.mentions
        other = exists().where(mentions.c.author_id == author_id, mentions.c.fate != DELETED)
        self._connection.execute(update(authors).where(authors.c.id == author_id, ~other).values(bio="", location=""))

    def quotes(self, match_ids: Sequence[int]) -> list[Mapping[str, Any]]:
        """Return the messages that quote a post, those that were sent and those that were not."""
        query = select(_sent).where(_sent.c.match_id.in_(match_ids), _sent.c.kind != "update").order_by(_sent.c.id)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def summaries(self, alert_id: int) -> list[Mapping[str, Any]]:
        """Return the messages beside the cards that may name an alert in their text."""
        named = and_(_sent.c.payload.like('%"kind":"summary"%'), _sent.c.payload.like(f'%"alert_id":{alert_id},%'))
        query = select(_sent).where(_sent.c.kind == "message", named).order_by(_sent.c.id)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def redo(self, row: Mapping[str, Any], payload: str, now: datetime) -> None:
        """Give a message other words: in the outbox at once, and where it stands by an edit."""
        own, edits = _sent.c.id == row["id"], and_(_sent.c.parent_id == row["id"], _sent.c.kind == "update")
        self._connection.execute(update(_sent).where(or_(own, edits)).values(payload=payload))
        untouched = row["state"] == "pending" and row["attempts"] == 0
        if untouched or row["state"] not in (*UNSENT, "sent"):
            return
        waiting = self._connection.scalar(select(_sent.c.id).where(edits, _sent.c.state == "pending"))
        if waiting is None:
            made = new_notification(
                row["alert_id"],
                row["receiver"],
                "update",
                payload,
                now,
                parent_id=row["id"],
                match_id=row["match_id"],
                rank=EDIT_RANK,
            )
            self._connection.execute(_sent.insert().values(made))

    def cards(self, alert_id: int) -> list[Mapping[str, Any]]:
        """Return an alert's own messages and their edits, whatever became of them."""
        own = and_(_sent.c.alert_id == alert_id, _sent.c.kind.in_(("alert", "update")), _sent.c.match_id.is_(None))
        return [dict(row) for row in self._connection.execute(select(_sent).where(own)).mappings()]

    def overwrite(self, notification_id: int, payload: str) -> None:
        """Replace what the outbox keeps of a message, sent or not."""
        self._connection.execute(update(_sent).where(_sent.c.id == notification_id).values(payload=payload))

    def incidents_with(self, words: str) -> list[tuple[int, str]]:
        """Return incidents whose stored card may hold an address or text: (alert, card)."""
        table = schema.incidents
        query = select(table.c.alert_id, table.c.facts).where(table.c.facts.contains(words, autoescape=True))
        return [(row.alert_id, row.facts) for row in self._connection.execute(query.order_by(table.c.alert_id))]

    def set_facts(self, alert_id: int, facts: str) -> None:
        """Store the card that an incident shows."""
        table = schema.incidents
        self._connection.execute(update(table).where(table.c.alert_id == alert_id).values(facts=facts))


_alerts = schema.alerts
_sent = schema.notifications
