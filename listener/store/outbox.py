"""The fourth transaction: a notification's outcome, written after the vendor accepted it.

States: `pending`, `sending` (taken by a sender until its lease ends), `sent`; and those that ended unsent: `superseded`
(nobody needs it any more), `moved` (another receiver has it), `dead` (an admin must look), `dropped` (given up with a
reason). See docs/delivery.md.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from listener.store import schema
from listener.store.engine import insert, reading

UNSENT = ("pending", "sending")
ENDED = ("superseded", "moved", "dead", "dropped")
_LONGEST_PAUSE = timedelta(hours=2)
"""No sender puts a notification off for longer."""
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
    """`alert` an alert's own message, `note` in its thread (or a digest's), `update` an edit, `digest` a digest,
    `message` another one that stands by itself."""
    payload: str
    attempts: int
    ambiguous: bool
    """True where an earlier attempt may have arrived: look for it before sending again."""
    tried_at: datetime
    """When it was tried first: no message of it can be older."""
    taken_at: datetime
    """When this attempt began."""
    parent: tuple[str, str, str] | None
    """Channel, message and thread of the message that this one edits or stands under."""


class Outbox:
    """Reads and writes what sending needs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, receiver: str, now: datetime, lease: timedelta) -> OutboxItem | None:
        """Take the notification that is next for a receiver, or whose sender died on the way.

        One that edits or stands under another message is due only after that was sent; an alert whose parent
        came to nothing stands by itself.
        """
        with self._engine.begin() as connection:
            query = _NEXT_UNLOCKED if connection.dialect.name == "postgresql" else _NEXT
            row = connection.execute(query, _bound(receiver, now)).mappings().first()
            if row is None:
                _end_idle(connection, receiver, now)
                return None
            taken = {
                "state": "sending",
                "attempts": row["attempts"] + 1,
                "lease_until": now + lease,
                "tried_at": row["tried_at"] or now,
                "ambiguous": True,
            }
            connection.execute(update(_table).where(_table.c.id == row["id"]).values(taken))
        return OutboxItem(
            id=row["id"],
            key=row["key"],
            alert_id=row["alert_id"],
            receiver=receiver,
            kind=row["kind"],
            payload=row["payload"],
            attempts=row["attempts"] + 1,
            ambiguous=row["ambiguous"],
            tried_at=row["tried_at"] or now,
            taken_at=now,
            parent=_place(row),
        )

    def sent(
        self,
        item: OutboxItem,
        place: tuple[str, str, str],
        now: datetime,
        *,
        remark: str | None = None,
        kept: str | None = None,
    ) -> bool:
        """Note that a notification was accepted, and where it stands: channel, message, thread.

        Args:
            item: the notification.
            place: where it stands.
            now: the time.
            remark: what had to be left out of it, instead of what went wrong before.
            kept: what is kept of its payload, where that is no longer needed.

        Return False where the lease had ended and another sender has taken it.
        """
        values: dict[str, Any] = dict(zip(_PLACE, place, strict=True))
        values |= {"problem": remark} if remark is not None else {}
        values |= {"payload": kept} if kept is not None else {}
        with self._engine.begin() as connection:
            return bool(_finish(connection, item, state="sent", sent_at=now, ambiguous=False, held=None, **values))

    def retry(self, item: OutboxItem, problem: str, due_at: datetime, *, ambiguous: bool) -> None:
        """Note that a notification was not accepted, or may have been, and is to be tried again.

        An edit that a newer one has overtaken is dropped instead: the newer one shows all that it would.
        """
        with self._engine.begin() as connection:
            _note_failure(connection, item, problem, ambiguous=ambiguous)
            if not _end_superseded(connection, _table.c.id == item.id):
                _finish(connection, item, state="pending", due_at=due_at, problem=problem, ambiguous=ambiguous)

    def dead(self, item: OutboxItem, problem: str) -> None:
        """Note that a notification can never be delivered; what stands under it goes with it."""
        with self._engine.begin() as connection:
            _end_dead(connection, item, problem)

    def dead_for_all(self, item: OutboxItem, problem: str, told: str, message: str, now: datetime) -> None:
        """Note that a notification can be delivered nowhere, with a word to operators at the receiver `told`."""
        with self._engine.begin() as connection:
            if _end_dead(connection, item, problem):
                _tell(connection, told, message, now)

    def was_refused_before(self, item: OutboxItem, successor: str) -> bool:
        """Tell whether a notification came from another receiver, or its alert's card came to nothing at the successor.

        Then handing it over again would let it go round for ever.
        """
        of_alert = _table.c.alert_id.is_(None) if item.alert_id is None else _table.c.alert_id == item.alert_id
        same = (_table.c.kind == "alert") if item.kind == "alert" else (_table.c.payload == item.payload)
        came = and_(
            _table.c.state == "moved", same, _table.c.problem.endswith(_moved_mark(item.receiver), autoescape=True)
        )
        at_successor = and_(
            _table.c.receiver == successor, _table.c.kind == "alert", _table.c.state.in_(("moved", "dead"))
        )
        before = came if item.alert_id is None else or_(came, at_successor)
        query = select(_table.c.id).where(of_alert, _table.c.id != item.id, before).limit(1)
        with reading(self._engine) as connection:
            return connection.scalar(query) is not None

    def drop(self, item: OutboxItem, problem: str) -> None:
        """End a notification that has nothing left to show itself on, such as an edit of a deleted message."""
        with self._engine.begin() as connection:
            _note_failure(connection, item, problem)
            if _finish(connection, item, state="dropped", problem=problem, ambiguous=False):
                _end_children(connection, [item.id], "dropped", problem)

    def hand_over(self, item: OutboxItem, successor: str, problem: str, message: str | None, now: datetime) -> None:
        """End a notification that cannot be delivered here; another receiver gets it, with a word to operators."""
        with self._engine.begin() as connection:
            _note_failure(connection, item, problem)
            if not _finish(connection, item, state="moved", problem=_moved_to(successor, problem), ambiguous=False):
                return
            # Another sender may hold one of its children: that one finds its parent ended, and ends by itself.
            family = or_(_table.c.id == item.id, and_(_table.c.parent_id == item.id, _table.c.state == "pending"))
            _move(connection, family, successor, problem, now)
            if message is not None:
                _tell(connection, successor, message, now)

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
            moved = _move(connection, unsent, successor, f"{receiver}: {reason}", now)
            _tell(connection, successor, message, now)
        return moved

    def tell(self, receiver: str, message: str, now: datetime) -> None:
        """Put a message that stands by itself into the outbox, unless the same one already waits."""
        with self._engine.begin() as connection:
            _tell(connection, receiver, message, now)

    def enable_all(self) -> None:
        """Forget which receivers were disabled: whoever restarts the daemon has mended what was wrong."""
        with self._engine.begin() as connection:
            connection.execute(schema.receiver_states.delete())

    def enable(self, names: Collection[str]) -> int:
        """Forget that these receivers were disabled; return how many were."""
        table = schema.receiver_states
        with self._engine.begin() as connection:
            return connection.execute(table.delete().where(table.c.name.in_(list(names)))).rowcount

    def disabled(self) -> dict[str, str]:
        """Return the disabled receivers with the reason."""
        table = schema.receiver_states
        with reading(self._engine) as connection:
            rows = connection.execute(select(table.c.name, table.c.reason).where(table.c.disabled_at.is_not(None)))
            return {row.name: row.reason for row in rows}

    def receivers_waiting(self, due_by: datetime | None = None) -> list[str]:
        """Return the receivers for which anything is unsent; with `due_by`, anything that may go by then."""
        query = select(_table.c.receiver).where(_table.c.state.in_(UNSENT)).distinct()
        if due_by is not None:
            query = query.where(_table.c.held.is_(None), _table.c.due_at <= due_by)
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def give_up(self, ids: Collection[int], problem: str) -> int:
        """End unsent notifications that are of no use any more; return how many."""
        unsent = and_(_table.c.id.in_(ids), _table.c.state.in_(UNSENT))
        with self._engine.begin() as connection:
            ended = update(_table).where(unsent).values(state="dropped", problem=problem, lease_until=None)
            return connection.execute(ended).rowcount

    def let_go_early(self, now: datetime) -> int:
        """Let go what a clock that was ahead put off to its own time, once it went back; return how many."""
        put_off = and_(_table.c.attempts > 0, _table.c.due_at > now + _LONGEST_PAUSE)
        ahead = and_(_table.c.due_at > now, or_(_table.c.created_at > now, put_off))
        waiting = and_(_table.c.state == "pending", _table.c.held.is_(None), ahead)
        with self._engine.begin() as connection:
            return connection.execute(update(_table).where(waiting).values(due_at=now)).rowcount

    def release(self, due_at: datetime | None = None) -> int:
        """End the leases of a sender that is known to be dead (the daemon's own, at its next start).

        What it had taken is due again at `due_at`: time for the vendor's history to show what had just arrived.
        """
        due = {} if due_at is None else {"due_at": due_at}
        with self._engine.begin() as connection:
            _end_superseded(connection)
            statement = update(_table).where(_table.c.state == "sending").values(state="pending", **due)
            return connection.execute(statement).rowcount

    def rows(
        self,
        states: Sequence[str] = (*UNSENT, "dead"),
        limit: int = 200,
        *,
        receiver: str | None = None,
        with_payload: bool = True,
    ) -> list[Mapping[str, Any]]:
        """Return notifications in the given states, the latest first, for people to read.

        Those of digests are large: who does not read them leaves the payloads where they are.
        """
        columns = [column for column in _table.c if with_payload or column.name != "payload"]
        query = select(*columns).where(_table.c.state.in_(states)).order_by(_table.c.id.desc()).limit(limit)
        if receiver is not None:
            query = query.where(_table.c.receiver == receiver)
        with reading(self._engine) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def listed(
        self,
        states: Sequence[str],
        limit: int = 200,
        *,
        receiver: str | None = None,
        held: bool | None = None,
        countries: Collection[str] | None = None,
    ) -> list[Mapping[str, Any]]:
        """Return notifications with the `country` of their alert and without payloads, the latest first.

        Args:
            states: which states.
            limit: how many at most.
            receiver: of this one alone.
            held: True for what is held back alone, False for what is not.
            countries: of alerts of these countries alone; what belongs to no alert concerns all of them.
        """
        alerts = schema.alerts
        columns = [column for column in _table.c if column.name != "payload"]
        query = select(*columns, alerts.c.country).outerjoin(alerts, alerts.c.id == _table.c.alert_id)
        query = query.where(_table.c.state.in_(states)).order_by(_table.c.id.desc()).limit(limit)
        if receiver is not None:
            query = query.where(_table.c.receiver == receiver)
        if held is not None:
            query = query.where(_table.c.held.is_not(None) if held else _table.c.held.is_(None))
        if countries is not None:
            query = query.where(alerts.c.country.in_(list(countries)))
        with reading(self._engine) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def unsent_counts(self, countries: Collection[str] | None = None) -> dict[tuple[str, str, bool], int]:
        """Return how many notifications are unsent or dead, by receiver, state and whether they are held back."""
        alerts, is_held = schema.alerts, _table.c.held.is_not(None)
        query = select(_table.c.receiver, _table.c.state, is_held, func.count())
        query = query.where(_table.c.state.in_((*UNSENT, "dead")))
        if countries is not None:
            query = query.join(alerts, alerts.c.id == _table.c.alert_id).where(alerts.c.country.in_(list(countries)))
        query = query.group_by(_table.c.receiver, _table.c.state, is_held)
        with reading(self._engine) as connection:
            return {(receiver, state, bool(held)): count for receiver, state, held, count in connection.execute(query)}

    def row(self, notification_id: int) -> Mapping[str, Any] | None:
        """Return one notification."""
        with reading(self._engine) as connection:
            row = connection.execute(select(_table).where(_table.c.id == notification_id)).mappings().first()
        return None if row is None else dict(row)

    def family(self, ids: Collection[int]) -> list[int]:
        """Return which of these are dead, with what died under them."""
        with reading(self._engine) as connection:
            return list(connection.scalars(select(_table.c.id).where(_dead_family(ids)).order_by(_table.c.id)))

    def resend(self, ids: Collection[int], now: datetime) -> int:
        """Let dead notifications be tried again; return how many. What went dead with them comes back as well."""
        again = {"state": "pending", "attempts": 0, "due_at": now, "ambiguous": True, "lease_until": None}
        with self._engine.begin() as connection:
            overtaken = update(_table).where(_dead_family(ids), _is_superseded((*UNSENT, "sent", "dead")))
            connection.execute(overtaken.values(state="superseded"))
            return connection.execute(update(_table).where(_dead_family(ids)).values(again)).rowcount

    def acknowledge(self, ids: Collection[int], note: str) -> int:
        """Give up dead notifications for good, `note` saying who and why; return how many."""
        words = func.coalesce(_table.c.problem, "").concat(f" [{note}]")
        with self._engine.begin() as connection:
            given_up = update(_table).where(_dead_family(ids)).values(state="dropped", problem=words)
            return connection.execute(given_up).rowcount

    def prune(self, before: datetime) -> int:
        """Drop edits long done with; an alert's own messages stay, for their place in the channel."""
        done = _table.c.state.in_(("sent", "superseded", "dropped", "moved"))
        old = and_(done, _table.c.kind == "update", _table.c.created_at < before)
        with self._engine.begin() as connection:
            return connection.execute(_table.delete().where(old)).rowcount

    def forget_digests(self, before: datetime, kept: str) -> int:
        """Drop what digests said that were made before a moment and ended unsent here; return how many.

        Dead ones are dropped: nobody wants them any more. Of those that were sent nothing is left as it is.

        Args:
            before: what was made later stays.
            kept: the payload in place of the old one.
        """
        ended = _table.c.state.in_(ENDED)
        parents = select(_parent.c.id).where(_parent.c.kind == "digest")
        about = or_(_table.c.kind == "digest", and_(_table.c.kind == "note", _table.c.parent_id.in_(parents)))
        old = and_(ended, about, _table.c.created_at < before, _table.c.payload != kept)
        words = "it was too old to be sent"
        with self._engine.begin() as connection:
            connection.execute(
                update(_table).where(old, _table.c.state == "dead").values(state="dropped", problem=words)
            )
            return connection.execute(update(_table).where(old).values(payload=kept)).rowcount

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many notifications there are by receiver and state."""
        query = select(_table.c.receiver, _table.c.state, func.count()).group_by(_table.c.receiver, _table.c.state)
        with reading(self._engine) as connection:
            return {(receiver, state): count for receiver, state, count in connection.execute(query)}


_table = schema.notifications
# Made once: an alias of a table of 24 columns costs more than the query it is for.
_parent, _newer, _other = (_table.alias(name) for name in ("parent", "newer", "other"))
_PLACE = ("channel", "message_id", "thread_id")
_RECEIVER: BindParameter[str] = bindparam("for_receiver")
_NOW: BindParameter[datetime] = bindparam("at_now")
_IS_ABANDONED = and_(_table.c.state == "sending", _table.c.lease_until < _NOW)
"""True for what a sender took and did not bring to an end."""
_IS_IDLE = and_(_table.c.receiver == _RECEIVER, or_(_table.c.state == "pending", _IS_ABANDONED))


def _next() -> Select[Any]:
    """The notification that a sender may take next."""
    ready = or_(and_(_table.c.state == "pending", _table.c.due_at <= _NOW), _IS_ABANDONED)
    has_place = or_(
        _table.c.parent_id.is_(None),
        _parent.c.state == "sent",
        and_(_table.c.kind == "alert", _parent.c.state.in_(ENDED)),
    )
    place = (_parent.c[name].label(f"parent_{name}") for name in _PLACE)
    return (
        select(_table, _parent.c.state.label("parent_state"), *place)
        .outerjoin(_parent, _parent.c.id == _table.c.parent_id)
        .where(_table.c.receiver == _RECEIVER, _table.c.held.is_(None), ready, has_place)
        .where(~_is_superseded(), ~_is_edited_now())
        .order_by(_table.c.rank, _table.c.id)
        .limit(1)
    )


def _bound(receiver: str, now: datetime) -> dict[str, Any]:
    return {_RECEIVER.key: receiver, _NOW.key: now}


def _place(row: Mapping[Any, Any]) -> tuple[str, str, str] | None:
    if row["parent_state"] != "sent":
        return None
    return row["parent_channel"] or "", row["parent_message_id"] or "", row["parent_thread_id"] or ""


def _is_superseded(by: Sequence[str] = (*UNSENT, "sent")) -> ColumnElement[bool]:
    """True for an edit when a newer one of the same message waits, is being sent, or was sent."""
    return and_(
        _table.c.kind == "update",
        select(_newer.c.id)
        .where(
            _newer.c.kind == "update",
            _newer.c.parent_id == _table.c.parent_id,
            _newer.c.id > _table.c.id,
            _newer.c.state.in_(by),
        )
        .exists(),
    )


def _is_edited_now() -> ColumnElement[bool]:
    """True for an edit while another sender edits the same message: two at once could end in the older look."""
    return and_(
        _table.c.kind == "update",
        select(_other.c.id)
        .where(
            _other.c.kind == "update",
            _other.c.parent_id == _table.c.parent_id,
            _other.c.id != _table.c.id,
            _other.c.state == "sending",
            _other.c.lease_until >= _NOW,
        )
        .exists(),
    )


def _finish(connection: Connection, item: OutboxItem, **values: Any) -> int:
    """Write an attempt's outcome; return 0 where the attempt is no longer this sender's to end."""
    # Guarded by the attempt: a sender whose lease ran out must not undo what its successor wrote.
    mine = and_(_table.c.id == item.id, _table.c.state == "sending", _table.c.attempts == item.attempts)
    return connection.execute(update(_table).where(mine).values(lease_until=None, **values)).rowcount


def _note_failure(connection: Connection, item: OutboxItem, problem: str, *, ambiguous: bool = False) -> None:
    """Keep what became of one attempt that was not accepted; the one that was stands in `sent_at`."""
    values = {"notification_id": item.id, "at": item.taken_at, "problem": problem, "ambiguous": ambiguous}
    connection.execute(schema.delivery_failures.insert().values(values))


def _superseding(*which: ColumnElement[bool]) -> Update:
    overtaken = update(_table).where(_table.c.state.in_(UNSENT), _is_superseded(), *which)
    return overtaken.values(state="superseded", lease_until=None)


def _end_superseded(connection: Connection, *which: ColumnElement[bool]) -> int:
    """End unsent edits that a newer edit of the same message has overtaken; return how many."""
    return connection.execute(_superseding(*which)).rowcount


def _end_idle(connection: Connection, receiver: str, now: datetime) -> None:
    """End what no sender will ever take: overtaken edits, and notes and edits whose message came to nothing."""
    bound = _bound(receiver, now)
    connection.execute(_SUPERSEDE_IDLE, bound)
    for row in connection.execute(_ORPHANS, bound).all():
        state = "superseded" if row.kind == "update" else "dead" if row.state == "moved" else row.state
        ended = {"state": state, "problem": row.problem, "lease_until": None}
        connection.execute(update(_table).where(_table.c.id == row.id, _IS_IDLE).values(ended), bound)


def _end_children(connection: Connection, ids: Sequence[int], state: str, problem: str) -> None:
    """End the notes and edits of messages that ended; a card in a thread lives on by itself."""
    waiting = and_(_table.c.parent_id.in_(ids), _table.c.state == "pending")
    for kind, ended in (("note", state), ("update", "superseded")):
        ending = update(_table).where(waiting, _table.c.kind == kind)
        connection.execute(ending.values(state=ended, problem=problem))


def _dead_family(ids: Collection[int]) -> ColumnElement[bool]:
    return and_(_table.c.state == "dead", or_(_table.c.id.in_(ids), _table.c.parent_id.in_(ids)))


def _latest_look(connection: Connection, notification_id: int, payload: str) -> str:
    """Return what the newest edit that waits would show, so that it is not lost with its message."""
    edits = select(_table.c.payload).where(
        _table.c.parent_id == notification_id, _table.c.kind == "update", _table.c.state.in_(UNSENT)
    )
    return connection.scalar(edits.order_by(_table.c.id.desc()).limit(1)) or payload


def _end_dead(connection: Connection, item: OutboxItem, problem: str) -> int:
    _note_failure(connection, item, problem)
    payload = _latest_look(connection, item.id, item.payload)
    ended = _finish(connection, item, state="dead", problem=problem, ambiguous=False, payload=payload)
    if ended:
        _end_children(connection, [item.id], "dead", problem)
    return ended


def _moved_to(successor: str, problem: str) -> str:
    return f"{problem}{_moved_mark(successor)}"


def _moved_mark(successor: str) -> str:
    return f" (moved to {successor})"


def _move(connection: Connection, which: ColumnElement[bool], successor: str, problem: str, now: datetime) -> int:
    """Give another receiver what these notifications say, in their order; return how many alerts are new to it.

    What belongs to a drill is given up instead: it concerns nobody outside the trial channel.
    """
    alerts = schema.alerts
    of_drill = select(alerts.c.id).where(alerts.c.id == _table.c.alert_id, alerts.c.drill).exists()
    given_up = update(_table).where(which, of_drill)
    connection.execute(given_up.values(state="dropped", problem=problem, lease_until=None))
    rows = connection.execute(select(_table).where(which, ~of_drill).order_by(_table.c.id)).mappings().all()
    moving = _Moving(connection, successor, now)
    for row in rows:
        moving.move(row)
    ids = [row["id"] for row in rows if row["state"] != "moved"]
    ended = update(_table).where(_table.c.id.in_(ids))
    connection.execute(ended.values(state="moved", problem=_moved_to(successor, problem), lease_until=None))
    return len(moving.cards)


class _Moving:
    """Notifications on their way from one receiver to another."""

    def __init__(self, connection: Connection, successor: str, now: datetime) -> None:
        self.cards: dict[int, int] = {}
        """The new ids of alerts' messages by the old ones."""
        self._digests: dict[int, int] = {}
        self._connection = connection
        self._successor = successor
        self._now = now

    def move(self, row: Mapping[Any, Any]) -> None:
        """Give the successor what one notification says, unless it has that by another way."""
        if row["kind"] == "alert":
            self._move_card(row)
        elif row["kind"] == "message":
            self._add(row, "message")
        elif row["kind"] == "digest":
            self._digests[row["id"]] = self._add(row, "digest")
        elif row["kind"] == "note":
            self._move_note(row)
        # An edit shows a message that the successor does not have; the card that moved has its look already.

    def _move_card(self, row: Mapping[Any, Any]) -> None:
        payload = _latest_look(self._connection, row["id"], row["payload"])
        copy = self._copy(row, "alert", parent_id=self.cards.get(row["parent_id"])) | {"payload": payload}
        statement = insert(self._connection, _table).values(copy).on_conflict_do_nothing().returning(_table.c.id)
        new_id = self._connection.scalar(statement) or self._revived(copy)
        if new_id is not None:
            self.cards[row["id"]] = new_id

    def _revived(self, copy: Mapping[str, Any]) -> int | None:
        """Bring back the successor's own message of an alert, where it had moved on or could not be delivered."""
        ended = and_(
            _table.c.alert_id == copy["alert_id"],
            _table.c.receiver == self._successor,
            _table.c.kind == "alert",
            _table.c.state.in_(("moved", "dead")),
        )
        names = ("payload", "rank", "due_at", "held", "parent_id")
        again = {name: copy[name] for name in names} | {"state": "pending", "attempts": 0, "ambiguous": True}
        revived = update(_table).where(ended).values(again).returning(_table.c.id)
        new_id: int | None = self._connection.scalar(revived)
        return new_id

    def _move_note(self, row: Mapping[Any, Any]) -> None:
        moved = self.cards | self._digests
        if row["parent_id"] in moved:
            self._add(row, "note", parent_id=moved[row["parent_id"]])
            return
        card = self._card_of(row["alert_id"])
        if card is None:
            self._add(row, "message")
        elif card.created_at > row["created_at"]:
            self._add(row, "note", parent_id=card.id)
        # Else the successor was given this very note when it was written.

    def _card_of(self, alert_id: int | None) -> Any:
        query = select(_table.c.id, _table.c.created_at).where(
            _table.c.alert_id == alert_id,
            _table.c.receiver == self._successor,
            _table.c.kind == "alert",
            _table.c.state.in_((*UNSENT, "sent")),
        )
        return self._connection.execute(query).first()

    def _add(self, row: Mapping[Any, Any], kind: str, parent_id: int | None = None) -> int:
        return _insert(self._connection, self._copy(row, kind, parent_id))

    def _copy(self, row: Mapping[Any, Any], kind: str, parent_id: int | None) -> dict[str, Any]:
        return new_notification(
            row["alert_id"], self._successor, kind, row["payload"], self._now,
            parent_id=parent_id, match_id=row["match_id"], rank=row["rank"],
            due_at=self._now if row["attempts"] else row["due_at"], held=row["held"],
        )  # fmt: skip


def _tell(connection: Connection, receiver: str, message: str, now: datetime) -> None:
    same = select(_table.c.id).where(
        _table.c.receiver == receiver,
        _table.c.kind == "message",
        _table.c.payload == message,
        _table.c.state.in_(UNSENT),
    )
    if connection.scalar(same) is None:
        connection.execute(_table.insert().values(new_notification(None, receiver, "message", message, now)))


def post_digest(
    connection: Connection,
    receiver: str,
    message: str,
    file: str | None,
    now: datetime,
    *,
    due_at: datetime | None = None,
) -> tuple[int, int | None]:
    """Put a digest into the outbox, in the transaction that records it; return the numbers of digest and file.

    Args:
        connection: of that transaction.
        receiver: whom it is for.
        message: the digest, as it is sent.
        file: what goes into its thread once it stands there; None where nothing does.
        now: the time.
        due_at: when it may go; now unless given.
    """
    digest_id = _insert(connection, new_notification(None, receiver, "digest", message, now, due_at=due_at))
    if file is None:
        return digest_id, None
    note = new_notification(None, receiver, "note", file, now, parent_id=digest_id, due_at=due_at)
    return digest_id, _insert(connection, note)


def replace_digest(connection: Connection, digest_id: int, message: str, file: str | None) -> bool:
    """Give a digest that was not sent yet other contents, its file too, wherever it moved; return False where it was.

    What a sender has taken goes out as it was; where that fails, the next attempt has the new contents. Without a new
    file the old one is not sent. What was held back for this goes now.
    """
    open_states = (*UNSENT, "dead")
    own = and_(_table.c.id == digest_id, _table.c.kind == "digest")
    rows = [row for row in _copies(connection, own) if row.state in (*open_states, "moved")]
    ids = [row.id for row in rows]
    connection.execute(update(_table).where(_table.c.id.in_(ids)).values(payload=message, held=None))
    # A file may wait where its digest was sent already.
    files = _copies(connection, and_(_table.c.parent_id == digest_id, _table.c.kind == "note"))
    under = update(_table).where(_table.c.id.in_([row.id for row in files if row.state != "sent"]))
    if file is not None:
        connection.execute(under.values(payload=file, held=None))
    else:
        gone = {"payload": message, "held": None}
        connection.execute(under.where(_table.c.state == "moved").values(gone))
        without = "the file could not be made anew after a post in it was deleted"
        connection.execute(
            under.where(_table.c.state.in_(open_states)).values(**gone, state="dropped", problem=without)
        )
    return any(row.state in open_states for row in rows)


def _copies(connection: Connection, first: ColumnElement[bool]) -> Sequence[Any]:
    """Return number and state of messages and of what they moved to, which has the same payload."""
    payloads = select(_table.c.payload).where(first)
    kinds = select(_table.c.kind).where(first)
    query = select(_table.c.id, _table.c.state).where(_table.c.payload.in_(payloads), _table.c.kind.in_(kinds))
    return connection.execute(query).all()


def _insert(connection: Connection, row: Mapping[str, Any]) -> int:
    new_id: int = connection.execute(_table.insert().values(row).returning(_table.c.id)).scalar_one()
    return new_id


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


# Asked every second for each receiver; made once, because to make them costs far more than to ask.
_NEXT = _next()
_NEXT_UNLOCKED = _NEXT.with_for_update(of=_table, skip_locked=True)
_SUPERSEDE_IDLE = _superseding(_IS_IDLE)
_ORPHANS = (
    select(_table.c.id, _table.c.kind, _parent.c.state, _parent.c.problem)
    .join(_parent, _parent.c.id == _table.c.parent_id)
    .where(_IS_IDLE, _table.c.kind.in_(("note", "update")), _parent.c.state.in_(ENDED))
)
