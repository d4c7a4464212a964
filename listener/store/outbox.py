"""The fourth transaction: a notification's outcome, written after the vendor accepted it."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select, update

from listener.store import schema
from listener.store.engine import insert, reading

UNSENT = ("pending", "sending")
WARNING_RANK, USUAL_RANK, EDIT_RANK = 0, 1, 2
"""What cannot wait goes before the rest, and new messages before edits."""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A notification taken for sending, until `lease_until` of its row."""

    id: int
    key: str
    alert_id: int | None
    receiver: str
    kind: str
    """`alert` an alert's own message, `note` in its thread, `update` an edit, `message` one that stands by itself."""
    payload: str
    attempts: int
    ambiguous: bool
    """True where an earlier attempt may have arrived: look for it before sending again."""
    created_at: datetime
    parent: tuple[str, str, str] | None
    """Channel, message and thread of the message that this one edits or stands under."""


class Outbox:
    """Reads and writes what sending needs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, receiver: str, now: datetime, lease: timedelta) -> OutboxItem | None:
        """Take the notification that is next for a receiver, or whose sender died on the way.

        One that edits or stands under another message is due only after that was sent.
        """
        table = schema.notifications
        parent = table.alias("parent")
        ready = or_(
            and_(table.c.state == "pending", table.c.due_at <= now),
            and_(table.c.state == "sending", table.c.lease_until < now),
        )
        query = (
            select(table, *(parent.c[name].label(f"parent_{name}") for name in _PLACE))
            .outerjoin(parent, parent.c.id == table.c.parent_id)
            .where(table.c.receiver == receiver, table.c.held.is_(None), ready, ~_is_superseded())
            .where(or_(table.c.parent_id.is_(None), parent.c.state == "sent"))
            .order_by(table.c.rank, table.c.id)
            .limit(1)
        )
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                query = query.with_for_update(of=table, skip_locked=True)
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            connection.execute(
                update(table)
                .where(table.c.id == row["id"])
                .values(
                    state="sending",
                    attempts=row["attempts"] + 1,
                    lease_until=now + lease,
                    tried_at=row["tried_at"] or now,
                    ambiguous=True,
                )
            )
        return OutboxItem(
            id=row["id"],
            key=row["key"],
            alert_id=row["alert_id"],
            receiver=receiver,
            kind=row["kind"],
            payload=row["payload"],
            attempts=row["attempts"] + 1,
            ambiguous=row["ambiguous"],
            created_at=row["created_at"],
            parent=_place(row),
        )

    def sent(self, item: OutboxItem, place: tuple[str, str, str], now: datetime) -> None:
        """Note that a notification was accepted, and where it stands: channel, message, thread."""
        where = dict(zip(_PLACE, place, strict=True))
        self._finish(item, state="sent", sent_at=now, ambiguous=False, held=None, **where)

    def retry(self, item: OutboxItem, problem: str, due_at: datetime, *, ambiguous: bool) -> None:
        """Note that a notification was not accepted, or may have been, and is to be tried again.

        An edit that a newer one has overtaken is dropped instead: the newer one shows all that it would.
        """
        with self._engine.begin() as connection:
            if not self._drop_superseded(connection, item.id):
                self._finish_in(connection, item, state="pending", due_at=due_at, problem=problem, ambiguous=ambiguous)

    def dead(self, item: OutboxItem, problem: str) -> None:
        """Note that a notification can never be delivered; what edits it or stands under it goes with it."""
        with self._engine.begin() as connection:
            self._finish_in(connection, item, state="dead", problem=problem, ambiguous=False)
            _end_children(connection, [item.id], problem)

    def hand_over(self, item: OutboxItem, successor: str, problem: str, message: str, now: datetime) -> None:
        """End a notification that cannot be delivered here; another receiver gets it and operators a word."""
        with self._engine.begin() as connection:
            self._finish_in(connection, item, state="dead", problem=problem, ambiguous=False)
            row = connection.execute(select(_table).where(_table.c.id == item.id)).mappings().one()
            _move(connection, row, successor, now)
            _end_children(connection, [item.id], problem)
            connection.execute(_table.insert().values(new_notification(None, successor, "message", message, now)))

    def disable(self, receiver: str, reason: str, successor: str | None, message: str, now: datetime) -> int:
        """Disable a receiver, hand what it has not sent to `successor`, and tell operators there.

        Return how many alerts moved. Without a successor they wait for the receiver to be mended.
        """
        states = schema.receiver_states
        with self._engine.begin() as connection:
            note = insert(connection, states).values(name=receiver, disabled_at=now, reason=reason)
            connection.execute(
                note.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"disabled_at": note.excluded.disabled_at, "reason": note.excluded.reason},
                )
            )
            if successor is None:
                return 0
            unsent = and_(_table.c.receiver == receiver, _table.c.state.in_(UNSENT))
            rows = connection.execute(select(_table).where(unsent).order_by(_table.c.id)).mappings().all()
            moved = sum(_move(connection, row, successor, now) for row in rows)
            connection.execute(update(_table).where(unsent).values(state="dead", problem=f"{receiver}: {reason}"))
            connection.execute(_table.insert().values(new_notification(None, successor, "message", message, now)))
        return moved

    def tell(self, receiver: str, message: str, now: datetime) -> None:
        """Put a message that stands by itself into the outbox, unless the same one already waits."""
        with self._engine.begin() as connection:
            same = select(_table.c.id).where(
                _table.c.receiver == receiver,
                _table.c.kind == "message",
                _table.c.payload == message,
                _table.c.state.in_(UNSENT),
            )
            if connection.scalar(same) is None:
                connection.execute(_table.insert().values(new_notification(None, receiver, "message", message, now)))

    def enable_all(self) -> None:
        """Forget which receivers were disabled: whoever restarts the daemon has mended what was wrong."""
        with self._engine.begin() as connection:
            connection.execute(schema.receiver_states.delete())

    def disabled(self) -> dict[str, str]:
        """Return the disabled receivers with the reason."""
        table = schema.receiver_states
        with reading(self._engine) as connection:
            rows = connection.execute(select(table.c.name, table.c.reason).where(table.c.disabled_at.is_not(None)))
            return {row.name: row.reason for row in rows}

    def receivers_waiting(self, now: datetime | None = None) -> list[str]:
        """Return the receivers for which anything is unsent; with `now`, of what is not held for later."""
        query = select(_table.c.receiver).where(_table.c.state.in_(UNSENT)).distinct()
        if now is not None:
            query = query.where(or_(_table.c.held.is_(None), _table.c.due_at <= now))
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def release(self) -> int:
        """End the leases of a sender that is known to be dead (the daemon's own, at its next start)."""
        with self._engine.begin() as connection:
            self._drop_superseded(connection)
            statement = update(_table).where(_table.c.state == "sending").values(state="pending")
            return connection.execute(statement).rowcount

    def rows(self, states: Sequence[str] = (*UNSENT, "dead"), limit: int = 200) -> list[Mapping[str, Any]]:
        """Return notifications in the given states, the latest first, for people to read."""
        query = select(_table).where(_table.c.state.in_(states)).order_by(_table.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def row(self, notification_id: int) -> Mapping[str, Any] | None:
        """Return one notification."""
        with reading(self._engine) as connection:
            row = connection.execute(select(_table).where(_table.c.id == notification_id)).mappings().first()
        return None if row is None else dict(row)

    def resend(self, ids: Collection[int], now: datetime) -> int:
        """Let dead notifications be tried again; return how many. What went dead with them comes back as well."""
        with self._engine.begin() as connection:
            wanted = and_(_table.c.state == "dead", or_(_table.c.id.in_(ids), _table.c.parent_id.in_(ids)))
            # Edits are made anew from the alert as it stands; an old one would show the past.
            again = update(_table).where(wanted, _table.c.kind != "update")
            return connection.execute(again.values(state="pending", attempts=0, due_at=now, ambiguous=True)).rowcount

    def prune(self, before: datetime) -> int:
        """Drop edits and notes long done with; an alert's own messages stay, for their place in the channel."""
        old = and_(_table.c.state.in_(("sent", "superseded")), _table.c.kind == "update", _table.c.created_at < before)
        with self._engine.begin() as connection:
            return connection.execute(_table.delete().where(old)).rowcount

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many notifications there are by receiver and state."""
        query = select(_table.c.receiver, _table.c.state, func.count()).group_by(_table.c.receiver, _table.c.state)
        with reading(self._engine) as connection:
            return {(receiver, state): count for receiver, state, count in connection.execute(query)}

    def _finish(self, item: OutboxItem, **values: Any) -> None:
        with self._engine.begin() as connection:
            self._finish_in(connection, item, **values)

    @staticmethod
    def _finish_in(connection: Connection, item: OutboxItem, **values: Any) -> None:
        # Guarded by the attempt: a sender whose lease ran out must not undo what its successor wrote.
        connection.execute(
            update(_table)
            .where(_table.c.id == item.id, _table.c.state == "sending", _table.c.attempts == item.attempts)
            .values(lease_until=None, **values)
        )

    @staticmethod
    def _drop_superseded(connection: Connection, notification_id: int | None = None) -> int:
        """End unsent edits that a newer edit of the same message has overtaken; return how many."""
        statement = update(_table).where(_table.c.state.in_(UNSENT), _is_superseded())
        if notification_id is not None:
            statement = statement.where(_table.c.id == notification_id)
        return connection.execute(statement.values(state="superseded", lease_until=None)).rowcount


_table = schema.notifications
_PLACE = ("channel", "message_id", "thread_id")


def _place(row: Mapping[Any, Any]) -> tuple[str, str, str] | None:
    if row["parent_id"] is None:
        return None
    return row["parent_channel"] or "", row["parent_message_id"] or "", row["parent_thread_id"] or ""


def _is_superseded() -> ColumnElement[bool]:
    """True for an edit when a newer one of the same message waits, is being sent, or was sent."""
    newer = _table.alias("newer")
    return and_(
        _table.c.kind == "update",
        select(newer.c.id)
        .where(
            newer.c.kind == "update",
            newer.c.parent_id == _table.c.parent_id,
            newer.c.id > _table.c.id,
            newer.c.state.in_((*UNSENT, "sent")),
        )
        .exists(),
    )


def _move(connection: Connection, row: Mapping[Any, Any], successor: str, now: datetime) -> int:
    """Give another receiver what this notification says; return 1 where that is an alert new to it."""
    if row["kind"] == "update":  # shows a message that the successor does not have
        return 0
    own = row["kind"] == "alert"
    kind = "alert" if own else "message"
    copy = new_notification(
        row["alert_id"], successor, kind, row["payload"], now, rank=row["rank"], match_id=row["match_id"]
    )
    if not own:
        connection.execute(_table.insert().values(copy))
        return 0
    statement = insert(connection, _table).values(copy).on_conflict_do_nothing()
    return len(connection.execute(statement.returning(_table.c.id)).all())


def _end_children(connection: Connection, ids: Sequence[int], problem: str) -> None:
    waiting = and_(_table.c.parent_id.in_(ids), _table.c.state == "pending")
    connection.execute(update(_table).where(waiting).values(state="dead", problem=problem))


def new_notification(
    alert_id: int | None,
    receiver: str,
    kind: str,
    payload: str,
    now: datetime,
    *,
    parent_id: int | None = None,
    match_id: int | None = None,
    rank: int = USUAL_RANK,
    due_at: datetime | None = None,
    held: str | None = None,
) -> dict[str, Any]:
    """Return the row of a notification that waits to be sent; its key goes into the message itself."""
    return {
        "key": uuid.uuid4().hex,
        "alert_id": alert_id,
        "receiver": receiver,
        "kind": kind,
        "parent_id": parent_id,
        "match_id": match_id,
        "payload": payload,
        "rank": rank,
        "state": "pending",
        "held": held,
        "created_at": now,
        "due_at": due_at or now,
    }
