"""The fourth transaction: a notification's outcome, written after the vendor accepted it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, update

from listener.store import schema
from listener.store.engine import insert, reading


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A notification taken for sending, until `lease_until` of its row."""

    id: int
    key: str
    alert_id: int | None
    receiver: str
    kind: str
    payload: str
    attempts: int
    ambiguous: bool
    """True where an earlier attempt may have arrived: look for it before sending again."""
    created_at: datetime
    channel: str
    """Where the alert's message stands, for edits."""
    message_id: str


class Outbox:
    """Reads and writes what sending needs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, receiver: str, now: datetime, lease: timedelta) -> OutboxItem | None:
        """Take the oldest notification that is due for a receiver, or whose sender died on the way.

        An edit is due only after its alert's own message was sent.
        """
        table = schema.notifications
        first = table.alias("first")
        ready = or_(
            and_(table.c.state == "pending", table.c.due_at <= now),
            and_(table.c.state == "sending", table.c.lease_until < now),
        )
        posted = and_(
            first.c.alert_id == table.c.alert_id,
            first.c.receiver == table.c.receiver,
            first.c.kind == "alert",
            first.c.state == "sent",
        )
        query = (
            select(table, first.c.channel.label("at_channel"), first.c.message_id.label("at_message"))
            .outerjoin(first, posted)
            .where(table.c.receiver == receiver, ready, ~_is_superseded())
            .where(or_(table.c.kind != "update", first.c.id.is_not(None)))
            .order_by(table.c.id)
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
            channel=row["at_channel"] or "",
            message_id=row["at_message"] or "",
        )

    def sent(self, item: OutboxItem, channel: str, message_id: str, now: datetime) -> None:
        """Note that a notification was accepted, and where it stands."""
        self._finish(item, state="sent", sent_at=now, channel=channel, message_id=message_id, ambiguous=False)

    def retry(self, item: OutboxItem, problem: str, due_at: datetime, *, ambiguous: bool) -> None:
        """Note that a notification was not accepted, or may have been, and is to be tried again.

        An edit that a newer one has overtaken is dropped instead: the newer one shows all that it would.
        """
        with self._engine.begin() as connection:
            if not self._drop_superseded(connection, item.id):
                self._finish_in(connection, item, state="pending", due_at=due_at, problem=problem, ambiguous=ambiguous)

    def dead(self, item: OutboxItem, problem: str) -> None:
        """Note that a notification can never be delivered; its waiting edits go with it."""
        table = schema.notifications
        self._finish(item, state="dead", problem=problem, ambiguous=False)
        if item.kind == "alert":
            with self._engine.begin() as connection:
                connection.execute(
                    update(table)
                    .where(
                        table.c.alert_id == item.alert_id,
                        table.c.receiver == item.receiver,
                        table.c.kind == "update",
                        table.c.state == "pending",
                    )
                    .values(state="dead", problem=problem)
                )

    def hand_over(self, item: OutboxItem, successor: str, problem: str, message: str, now: datetime) -> None:
        """End a notification that cannot be delivered here; another receiver gets the alert and operators a word."""
        table = schema.notifications
        self.dead(item, problem)
        with self._engine.begin() as connection:
            if item.kind == "alert":
                copy = new_notification(item.alert_id, successor, "alert", item.payload, now)
                connection.execute(insert(connection, table).values(copy).on_conflict_do_nothing())
            connection.execute(table.insert().values(new_notification(None, successor, "operator", message, now)))

    def disable(self, receiver: str, reason: str, successor: str | None, message: str, now: datetime) -> int:
        """Disable a receiver, hand what it has not sent to `successor`, and tell operators there.

        Return how many alerts moved. Without a successor they wait for the receiver to be mended.
        """
        table, states = schema.notifications, schema.receiver_states
        moved = 0
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
            unsent = and_(table.c.receiver == receiver, table.c.state.in_(("pending", "sending")))
            rows = connection.execute(select(table).where(unsent).order_by(table.c.id)).mappings().all()
            for row in rows:
                if row["kind"] == "alert":
                    copy = new_notification(row["alert_id"], successor, "alert", row["payload"], now)
                    statement = insert(connection, table).values(copy).on_conflict_do_nothing()
                    moved += len(connection.execute(statement.returning(table.c.id)).all())
                elif row["kind"] == "operator":
                    connection.execute(
                        table.insert().values(new_notification(None, successor, "operator", row["payload"], now))
                    )
            connection.execute(update(table).where(unsent).values(state="dead", problem=f"{receiver}: {reason}"))
            connection.execute(table.insert().values(new_notification(None, successor, "operator", message, now)))
        return moved

    def tell(self, receiver: str, message: str, now: datetime) -> None:
        """Put a message to operators into the outbox, unless the same one already waits."""
        table = schema.notifications
        with self._engine.begin() as connection:
            same = select(table.c.id).where(
                table.c.receiver == receiver,
                table.c.kind == "operator",
                table.c.payload == message,
                table.c.state.in_(("pending", "sending")),
            )
            if connection.scalar(same) is None:
                connection.execute(table.insert().values(new_notification(None, receiver, "operator", message, now)))

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

    def receivers_waiting(self) -> list[str]:
        """Return the receivers for which anything is unsent."""
        table = schema.notifications
        query = select(table.c.receiver).where(table.c.state.in_(("pending", "sending"))).distinct()
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def release(self) -> int:
        """End the leases of a sender that is known to be dead (the daemon's own, at its next start)."""
        table = schema.notifications
        with self._engine.begin() as connection:
            self._drop_superseded(connection)
            statement = update(table).where(table.c.state == "sending").values(state="pending")
            return connection.execute(statement).rowcount

    def rows(self, states: Sequence[str] = ("pending", "sending", "dead"), limit: int = 200) -> list[Any]:
        """Return notifications in the given states, the latest first, for people to read."""
        table = schema.notifications
        query = select(table).where(table.c.state.in_(states)).order_by(table.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return list(connection.execute(query).mappings())

    def _finish(self, item: OutboxItem, **values: Any) -> None:
        with self._engine.begin() as connection:
            self._finish_in(connection, item, **values)

    @staticmethod
    def _finish_in(connection: Connection, item: OutboxItem, **values: Any) -> None:
        table = schema.notifications
        # Guarded by the attempt: a sender whose lease ran out must not undo what its successor wrote.
        connection.execute(
            update(table)
            .where(table.c.id == item.id, table.c.state == "sending", table.c.attempts == item.attempts)
            .values(lease_until=None, **values)
        )

    @staticmethod
    def _drop_superseded(connection: Connection, notification_id: int | None = None) -> int:
        """End unsent edits that a newer edit of the same message has overtaken; return how many."""
        table = schema.notifications
        statement = update(table).where(table.c.state.in_(("pending", "sending")), _is_superseded())
        if notification_id is not None:
            statement = statement.where(table.c.id == notification_id)
        return connection.execute(statement.values(state="superseded", lease_until=None)).rowcount


def _is_superseded() -> ColumnElement[bool]:
    """True for an edit when a newer one of the same message waits, is being sent, or was sent."""
    table = schema.notifications
    newer = table.alias("newer")
    return and_(
        table.c.kind == "update",
        select(newer.c.id)
        .where(
            newer.c.kind == "update",
            newer.c.alert_id == table.c.alert_id,
            newer.c.receiver == table.c.receiver,
            newer.c.id > table.c.id,
            newer.c.state.in_(("pending", "sending", "sent")),
        )
        .exists(),
    )


def new_notification(alert_id: int | None, receiver: str, kind: str, payload: str, now: datetime) -> dict[str, Any]:
    """Return the row of a notification that waits to be sent; its key goes into the message itself."""
    return {
        "key": uuid.uuid4().hex,
        "alert_id": alert_id,
        "receiver": receiver,
        "kind": kind,
        "payload": payload,
        "state": "pending",
        "created_at": now,
        "due_at": now,
    }
