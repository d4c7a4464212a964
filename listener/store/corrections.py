"""What people said the model got wrong, and the alerts that they let stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, exists, func, or_, select, update

from listener.errors import StoreError
from listener.model import DRILL_NETWORK, TOPICS, AlertState, Sentiment, Urgency
from listener.store import schema
from listener.store.engine import reading

LOOKED_BACK = timedelta(days=14)
"""Alerts this much older than a team's first correction still count as looked at when it was made."""
MOST_STANDING = 3000


@dataclass(frozen=True, slots=True)
class Target:
    """The post that a correction is about, with what the model said of it."""

    mention_id: int
    network: str
    external_id: str
    text: str
    brand: str
    country: str
    language: str
    model: str
    said: Mapping[str, Any]
    """`complaint` (probability), `urgency`, `topic`, `sentiment`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing that somebody said about one post; None where they said nothing."""

    mention_id: int | None
    network: str
    external_id: str
    brand: str
    country: str
    language: str
    model: str
    said: Mapping[str, Any]
    complaint: bool | None
    urgency: int | None
    topic: str | None
    sentiment: str | None
    actor: str
    origin: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Corrected:
    """All that holds of one post now: of every field, what was said last."""

    text: str
    brand: str
    country: str
    language: str
    complaint: bool | None
    urgency: int | None
    topic: str | None
    sentiment: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A post that was shown as an alert to people who correct, and that nobody corrected."""

    text: str
    language: str
    complaint: float
    """Probability that the model gave then."""
    resolved: bool
    """Whether somebody closed the alert as dealt with; else it was only left as it was."""


class Corrections:
    """Takes corrections and hands out what they amount to. Rows are never changed: the history stays.

    A correction holds no copy of its post's text while the post is stored, so a post that is withdrawn takes its
    text along.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def target(self, alert_id: int) -> Target | None:
        """Return the post that an alert's card shows; None where there is no such alert."""
        return self._target(schema.alerts.c.id == alert_id, schema.alerts.c.match_id == schema.matches.c.id)

    def target_of_post(self, network: str, external_id: str, brand: str | None = None) -> Target | None:
        """Return a classified post by its network and its id there, as it was found for `brand` or for the first."""
        mentions, matches = schema.mentions, schema.matches
        wanted = [mentions.c.network == network, mentions.c.external_id == external_id]
        return self._target(and_(*wanted, *([matches.c.brand == brand] if brand else [])))

    def add(
        self,
        target: Target,
        *,
        actor: str,
        origin: str,
        now: datetime,
        complaint: bool | None = None,
        urgency: int | None = None,
        topic: str | None = None,
        sentiment: str | None = None,
    ) -> int:
        """Store what somebody says about a post and return the correction's id.

        Args:
            target: the post, from `target` or `target_of_post`.
            actor: who says it.
            origin: where they said it: `slack`, `cli`.
            now: when.
            complaint: whether it is a complaint.
            urgency: 0 to 3.
            topic: one of TOPICS.
            sentiment: one of Sentiment.

        Raises:
            StoreError: nothing is said, or something that is no such label.
        """
        fields = {"complaint": complaint, "urgency": urgency, "topic": topic, "sentiment": sentiment}
        with self._engine.begin() as connection:
            return add_correction(connection, target, fields, actor=actor, origin=origin, now=now)

    def history(self, network: str, external_id: str) -> list[Correction]:
        """Return every correction of one post, the oldest first."""
        table = schema.corrections
        query = select(table).where(table.c.network == network, table.c.external_id == external_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(table.c.id)).mappings().all()
        return [Correction(**{name: row[name] for name in Correction.__slots__}) for row in rows]

    def count(self) -> int:
        """Return how many corrections there are, those of the same post counted each."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(schema.corrections)) or 0

    def effective(self) -> list[Corrected]:
        """Return what holds now of every post whose text is still here, the first corrected first."""
        table, mentions = schema.corrections, schema.mentions
        text = func.coalesce(mentions.c.text, table.c.text).label("post")
        query = (
            select(table, text)
            .join(mentions, mentions.c.id == table.c.mention_id, isouter=True)
            .order_by(table.c.id)  # by time, a clock set back would let an older correction win
        )
        merged: dict[tuple[str, str], dict[str, Any]] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query).mappings():
                if row["post"]:
                    latest = merged.setdefault((row["network"], row["external_id"]), dict(row))
                    latest.update({name: row[name] for name in _FIELDS if row[name] is not None})
        return [
            Corrected(row["post"], *(row[name] for name in Corrected.__slots__ if name != "text"))
            for row in merged.values()
        ]

    def standing(self) -> list[Standing]:
        """Return posts shown by alerts that nobody corrected although people corrected others beside them.

        Those of alerts that somebody resolved, and those whose alert was sent while the same brand and country got
        corrections (from `LOOKED_BACK` before the first to the last one): later ones nobody may have looked at yet.
        """
        alerts, matches, mentions = schema.alerts, schema.matches, schema.mentions
        found, table, sent = schema.classifications, schema.corrections, schema.notifications
        corrected = exists().where(table.c.network == mentions.c.network, table.c.external_id == mentions.c.external_id)
        shown = exists().where(sent.c.alert_id == alerts.c.id, sent.c.kind == "alert", sent.c.state == "sent")
        query = (
            select(
                mentions.c.text,
                found.c.language,
                found.c.complaint,
                alerts.c.state,
                alerts.c.brand,
                alerts.c.country,
                alerts.c.opened_at,
            )
            .join(matches, matches.c.id == alerts.c.match_id)
            .join(mentions, mentions.c.id == matches.c.mention_id)
            .join(found, found.c.mention_id == mentions.c.id)
            .where(mentions.c.text != "", alerts.c.state != AlertState.DISMISSED.value, ~corrected, ~alerts.c.drill)
            .where(or_(alerts.c.state == AlertState.RESOLVED.value, shown))
            .order_by(alerts.c.id.desc())
            .limit(MOST_STANDING)
        )
        with reading(self._engine) as connection:
            spans = _spans(connection.execute(_active()).all())
            rows = connection.execute(query).all()
        return [
            Standing(row.text, row.language, row.complaint, row.state == AlertState.RESOLVED)
            for row in rows
            if row.state == AlertState.RESOLVED or _within(row.opened_at, spans.get((row.brand, row.country)))
        ]

    def keep_texts(self, mention_ids: Sequence[int]) -> None:
        """Copy the texts of mentions that are about to be dropped for their age into their corrections."""
        table, mentions = schema.corrections, schema.mentions
        text = select(mentions.c.text).where(mentions.c.id == table.c.mention_id).scalar_subquery()
        with self._engine.begin() as connection:
            connection.execute(update(table).where(table.c.mention_id.in_(mention_ids)).values(text=text))

    def forget(self, network: str, external_id: str) -> None:
        """Drop the text kept of a post that was withdrawn, and the tie to it."""
        with self._engine.begin() as connection:
            forget_post(connection, network, external_id)

    def _target(self, *conditions: Any) -> Target | None:
        mentions, matches, found = schema.mentions, schema.matches, schema.classifications
        query = (
            select(
                mentions.c.id.label("mention_id"),
                mentions.c.network,
                mentions.c.external_id,
                mentions.c.text,
                matches.c.brand,
                matches.c.country,
                found,
            )
            .join(matches, matches.c.mention_id == mentions.c.id)
            .join(found, found.c.mention_id == mentions.c.id)
            .where(*conditions)
            .order_by(matches.c.id)
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        said = {name: row[name] for name in _FIELDS}
        return Target(said=said, **{name: row[name] for name in (*_ABOUT, "text")})


def add_correction(
    connection: Connection, target: Target, fields: Mapping[str, Any], *, actor: str, origin: str, now: datetime
) -> int:
    """Store in an open transaction what somebody says about a post, as `Corrections.add` does.

    Raises:
        StoreError: nothing is said, or something that is no such label, or the post is a drill's.
    """
    _check(fields)
    if target.network == DRILL_NETWORK:
        raise StoreError("that post belongs to a drill: nothing is learned from it")
    about = {name: getattr(target, name) for name in _ABOUT}
    values = {**about, **fields, "said": dict(target.said), "actor": actor, "origin": origin, "at": now}
    result = connection.execute(schema.corrections.insert().values(values))
    made: int = result.inserted_primary_key[0]  # type: ignore[index]
    return made


def forget_post(connection: Connection, network: str, external_id: str) -> None:
    """Drop in an open transaction what `Corrections.forget` drops."""
    table = schema.corrections
    connection.execute(
        update(table)
        .where(table.c.network == network, table.c.external_id == external_id)
        .values(text=None, mention_id=None)
    )


_FIELDS = ("complaint", "urgency", "topic", "sentiment")
_ABOUT = ("mention_id", "network", "external_id", "brand", "country", "language", "model")
_ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "complaint": (True, False),
    "urgency": tuple(int(level) for level in Urgency),
    "topic": TOPICS,
    "sentiment": tuple(str(one) for one in Sentiment),
}


def _check(fields: Mapping[str, Any]) -> None:
    if all(value is None for value in fields.values()):
        raise StoreError("a correction says at least one of: " + ", ".join(fields))
    for name, value in fields.items():
        if value is not None and value not in _ALLOWED[name]:
            raise StoreError(f"{name} cannot be {value!r}; allowed: {', '.join(map(str, _ALLOWED[name]))}")


def _active() -> Any:
    table = schema.corrections
    return select(
        table.c.brand, table.c.country, func.min(table.c.at).label("first"), func.max(table.c.at).label("last")
    ).group_by(table.c.brand, table.c.country)


def _spans(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[datetime, datetime]]:
    return {(row.brand, row.country): (row.first - LOOKED_BACK, row.last) for row in rows}


def _within(at: datetime, span: tuple[datetime, datetime] | None) -> bool:
    return span is not None and span[0] <= at <= span[1]
