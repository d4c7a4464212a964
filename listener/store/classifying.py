"""The second transaction: the classifications of a batch, with what was found of copies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from listener.model import Classification, Reason, Sentiment, Urgency
from listener.store import schema
from listener.store.engine import insert, reading
from listener.store.fates import DELETED
from listener.store.search import list_readings


@dataclass(frozen=True, slots=True)
class Unclassified:
    """A mention that waits for its classification."""

    mention_id: int
    network: str
    text: str
    language_tag: str | None
    repost_of_id: str | None
    text_hash: str
    country: str


@dataclass(frozen=True, slots=True)
class Classified:
    """A mention with its classification, the mention it repeats if any, and its copy bands."""

    mention_id: int
    classification: Classification
    copy_of: int | None
    bands: Sequence[str]
    text: str | None = None
    """What was classified: where the post reads otherwise by now, the result is dropped and it waits again."""


class Classifying:
    """Reads and writes what classification needs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self, limit: int) -> list[Unclassified]:
        """Return the oldest mentions without a classification."""
        mentions, matches = schema.mentions, schema.matches
        any_match = matches.alias("any_match")
        first = (
            select(func.min(any_match.c.id))
            .where(any_match.c.mention_id == mentions.c.id)
            .correlate(mentions)
            .scalar_subquery()
        )
        query = (
            select(
                mentions.c.id,
                mentions.c.network,
                mentions.c.text,
                mentions.c.language_tag,
                mentions.c.repost_of_id,
                mentions.c.text_hash,
                matches.c.country,
            )
            .select_from(mentions.join(matches, matches.c.id == first))
            .where(~mentions.c.classified)
            .order_by(mentions.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Unclassified(*row) for row in connection.execute(query)]

    def count_waiting(self) -> int:
        """Return how many mentions wait."""
        with reading(self._engine) as connection:
            query = select(func.count()).select_from(schema.mentions).where(~schema.mentions.c.classified)
            return connection.scalar(query) or 0

    def originals(self, waiting: Iterable[Unclassified], since: datetime) -> dict[int, int]:
        """Return, for mentions that repost or exactly repeat an earlier one, that one's store id."""
        table = schema.mentions
        found: dict[int, int] = {}
        with reading(self._engine) as connection:
            for item in waiting:
                original = None
                if item.repost_of_id:
                    original = connection.execute(
                        select(table.c.id, table.c.copy_of).where(
                            table.c.network == item.network,
                            table.c.external_id == item.repost_of_id,
                            table.c.id != item.mention_id,
                        )
                    ).first()
                if original is None and item.text_hash:
                    original = connection.execute(
                        select(table.c.id, table.c.copy_of)
                        .where(
                            table.c.text_hash == item.text_hash,
                            table.c.id < item.mention_id,
                            table.c.published_at >= since,
                        )
                        .order_by(table.c.id)
                        .limit(1)
                    ).first()
                if original is not None:
                    found[item.mention_id] = original.copy_of or original.id
        return found

    def candidates(self, bands: Sequence[str], before: int, since: datetime, limit: int = 5) -> list[tuple[int, str]]:
        """Return earlier mentions that share a band: (id of the first of its copies, its text)."""
        if not bands:
            return []
        table, mentions = schema.copy_bands, schema.mentions
        query = (
            select(func.coalesce(mentions.c.copy_of, mentions.c.id), mentions.c.text, func.count())
            .join(mentions, mentions.c.id == table.c.mention_id)
            .where(table.c.band.in_(bands), table.c.mention_id < before, table.c.at >= since)
            .group_by(mentions.c.id, mentions.c.copy_of, mentions.c.text)
            .order_by(func.count().desc(), mentions.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def classifications(self, mention_ids: Sequence[int]) -> dict[int, Classification]:
        """Return what is known of the given mentions."""
        if not mention_ids:
            return {}
        table, vectors = schema.classifications, schema.embeddings
        joined = table.outerjoin(vectors, vectors.c.mention_id == table.c.mention_id)
        query = select(table, vectors.c.vector).select_from(joined).where(table.c.mention_id.in_(mention_ids))
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings()
            return {row["mention_id"]: replace(classification_of(row), embedding=row["vector"]) for row in rows}

    def save(self, items: Sequence[Classified], now: datetime) -> None:
        """Store a batch's classifications, copies and bands, and mark its mentions as classified.

        A mention that was classified before (its post was edited since) gets the new reading in place of the old.
        """
        with self._engine.begin() as connection:
            items = _still_the_same(connection, items)
            if not items:
                return
            statement = insert(connection, schema.classifications)
            columns = {column.name: statement.excluded[column.name] for column in schema.classifications.columns}
            connection.execute(
                statement.on_conflict_do_update(index_elements=["mention_id"], set_=columns),
                [_row(item, now) for item in items],
            )
            list_readings(connection, [_row(item, now) for item in items])
            _save_bands(connection, items, now)
            _save_embeddings(connection, items, now)
            for item in items:
                connection.execute(
                    update(schema.mentions)
                    .where(schema.mentions.c.id == item.mention_id)
                    .values(classified=True, copy_of=item.copy_of)
                )

    def forget_bands(self, now: datetime, window: timedelta) -> None:
        """Drop copy bands that have left the window."""
        with self._engine.begin() as connection:
            connection.execute(delete(schema.copy_bands).where(schema.copy_bands.c.at < now - window))


def classification_of(row: Mapping[Any, Any]) -> Classification:
    """Return the classification a row holds."""
    first, second, third, fourth = row["urgency_probabilities"]
    negative, neutral, positive = row["sentiment_probabilities"]
    return Classification(
        language=row["language"],
        complaint=row["complaint"],
        urgency=Urgency(row["urgency"]),
        urgency_probabilities=(first, second, third, fourth),
        sentiment=Sentiment(row["sentiment"]),
        sentiment_probabilities=(negative, neutral, positive),
        topic=row["topic"],
        topic_probability=row["topic_probability"],
        signals=row["signals"],
        reasons=tuple(Reason(word, weight) for word, weight in row["reasons"]),
        model=row["model"],
    )


def _row(item: Classified, now: datetime) -> dict[str, Any]:
    found = item.classification
    return {
        "mention_id": item.mention_id,
        "language": found.language,
        "complaint": found.complaint,
        "urgency": int(found.urgency),
        "urgency_probabilities": list(found.urgency_probabilities),
        "sentiment": str(found.sentiment),
        "sentiment_probabilities": list(found.sentiment_probabilities),
        "topic": found.topic,
        "topic_probability": found.topic_probability,
        "signals": dict(found.signals),
        "reasons": [[reason.word, reason.weight] for reason in found.reasons],
        "model": found.model,
        "classified_at": now,
    }


def _still_the_same(connection: Connection, items: Sequence[Classified]) -> Sequence[Classified]:
    """Leave out what was deleted or edited while it was classified."""
    table = schema.mentions
    query = select(table.c.id, table.c.text, table.c.fate).where(table.c.id.in_([item.mention_id for item in items]))
    if connection.dialect.name == "postgresql":
        query = query.order_by(table.c.id).with_for_update()
    now = {row.id: row.text for row in connection.execute(query) if row.fate != DELETED}
    return [item for item in items if item.mention_id in now and item.text in (None, now[item.mention_id])]


def _save_bands(connection: Connection, items: Sequence[Classified], now: datetime) -> None:
    rows = [{"band": band, "mention_id": item.mention_id, "at": now} for item in items for band in item.bands]
    if rows:
        statement = insert(connection, schema.copy_bands).on_conflict_do_nothing(index_elements=["band", "mention_id"])
        connection.execute(statement, rows)


def _save_embeddings(connection: Connection, items: Sequence[Classified], now: datetime) -> None:
    """Store what complaints are compared by; an earlier reading's goes where the new one has none."""
    table = schema.embeddings
    rows = [
        {"mention_id": item.mention_id, "vector": item.classification.embedding, "at": now}
        for item in items
        if item.classification.embedding is not None
    ]
    without = [item.mention_id for item in items if item.classification.embedding is None]
    connection.execute(delete(table).where(table.c.mention_id.in_(without)))
    if rows:
        statement = insert(connection, table)
        new = {"vector": statement.excluded.vector, "at": statement.excluded.at}
        connection.execute(statement.on_conflict_do_update(index_elements=["mention_id"], set_=new), rows)
