"""Alerts as stored, and the transaction in which one changes together with the notifications that this causes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, func, or_, select, update

from listener.model import AlertState
from listener.store import schema
from listener.store.corrections import Target, add_correction
from listener.store.engine import insert, is_first_press, reading
from listener.store.items import TriageItem, item_of
from listener.store.outbox import EDIT_RANK, UNSENT, USUAL_RANK, new_notification
from listener.store.replies import Thread, sent_variants, unanswered_before, variants_seen

LIVE_STATES = (AlertState.OPEN, AlertState.CLAIMED, AlertState.SNOOZED)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as stored."""

    id: int
    brand: str
    country: str
    team: str
    """The team it was raised for."""
    state: AlertState
    severity: int
    priority: float
    topic: str
    playbook: str | None
    pilot: bool
    match_id: int | None
    """The match whose post the card shows: the one of the highest priority; None for an incident."""
    mentions: int
    copies: int
    opened_at: datetime
    first_posted_at: datetime
    last_posted_at: datetime
    """When its earliest and latest posts were published."""
    kind: str = "post"
    """`post`, or `incident` for a burst."""
    incident_id: int | None = None
    """The alert of the incident in whose thread it stands."""
    now_with: str = ""
    """The team that looks after it now."""
    owner: str | None = None
    owner_address: str | None = None
    claimed_at: datetime | None = None
    snoozed_until: datetime | None = None
    replied_at: datetime | None = None
    private_at: datetime | None = None
    resolution: str | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    respond_by: datetime | None = None
    resolve_by: datetime | None = None
    rungs: Sequence[str] = ()
    """Keys of the reminders and escalations that were made."""
    escalated_to: str | None = None
    told_at: datetime | None = None
    """When people were last told something of it."""
    playbook_by: str | None = None
    """Who chose its playbook; None where the rules did."""
    variants: Sequence[str] = ()
    """Its reply drafts by `Draft.variant`, in the order in which they were offered first."""
    drill: bool = False
    """Whether it is part of a drill: it goes to the trial receiver alone and nothing is learned from it."""

    @property
    def is_live(self) -> bool:
        """Whether somebody still has to act."""
        return self.state in LIVE_STATES


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of an alert's history."""

    kind: str
    at: datetime
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """An alert's own message at one receiver, sent or not."""

    id: int
    receiver: str
    state: str
    attempts: int
    held: str | None
    parent_id: int | None

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has tried to send it yet."""
        return self.state == "pending" and self.attempts == 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said before in an alert's thread, to its author and within the hour."""

    variants: Sequence[str] = ()
    """`Draft.variant` of what others saw, once for each time."""
    sent: Sequence[str] = ()
    """Of what people sent for this alert."""
    unanswered: int = 0
    """How many earlier alerts of this author nobody had answered."""
    in_thread: Sequence[str] = ()
    """Of `variants`, those that this thread and this author saw."""


class Alerts:
    """Reads alerts, and opens the transaction in which one changes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator["AlertTransaction"]:
        """An alert's change and its notifications are stored together or not at all."""
        with self._engine.begin() as connection:
            yield AlertTransaction(connection)

    @contextmanager
    def snapshot(self) -> Iterator["AlertTransaction"]:
        """Read as in a transaction, without keeping anybody from writing; nothing can be changed in it."""
        with reading(self._engine) as connection:
            yield AlertTransaction(connection)

    def _rows(self, query: Select[Any]) -> list[AlertRow]:
        with reading(self._engine) as connection:
            return [alert_of(row) for row in connection.execute(query).mappings()]

    def alert(self, alert_id: int) -> AlertRow | None:
        """Return one alert."""
        with reading(self._engine) as connection:
            return _alert(connection, alert_id)

    def alerts(self, limit: int = 100) -> list[AlertRow]:
        """Return alerts, the latest first."""
        query = select(_alerts).order_by(_alerts.c.id.desc()).limit(limit)
        return self._rows(query)

    def live(
        self,
        *,
        owner_address: str | None = None,
        teams: Collection[str] | None = None,
        except_of: str | None = None,
        limit: int = 200,
    ) -> list[AlertRow]:
        """Return alerts that somebody still has to act on, the severest and then the oldest first.

        Of an owner, of teams, and without those of the owner `except_of`.
        """
        wanted = _live(owner_address, teams, except_of)
        query = select(_alerts).where(*wanted).order_by(_alerts.c.severity.desc(), _alerts.c.id).limit(limit)
        return self._rows(query)

    def since(self, moment: datetime) -> list[AlertRow]:
        """Return the alerts raised since a moment, the oldest first."""
        query = select(_alerts).where(_alerts.c.opened_at >= moment).order_by(_alerts.c.id)
        return self._rows(query)

    def raised_since(self, moment: datetime) -> dict[str, int]:
        """Return how many alerts were raised since a moment, by country; drills are left out."""
        query = (
            select(_alerts.c.country, func.count())
            .where(_alerts.c.opened_at >= moment, ~_alerts.c.drill)
            .group_by(_alerts.c.country)
        )
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def count_live(
        self,
        *,
        owner_address: str | None = None,
        teams: Collection[str] | None = None,
        except_of: str | None = None,
    ) -> int:
        """Return how many alerts are open, claimed or snoozed, of those that `live` returns."""
        query = select(func.count()).select_from(_alerts).where(*_live(owner_address, teams, except_of))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def history(self, alert_id: int) -> list[AlertEvent]:
        """Return what happened to an alert, the oldest first."""
        events = schema.alert_events
        query = select(events).where(events.c.alert_id == alert_id).order_by(events.c.id)
        with reading(self._engine) as connection:
            return [AlertEvent(row.kind, row.at, row.actor, row.data) for row in connection.execute(query)]

    def notifications(self, alert_id: int) -> list[Mapping[str, Any]]:
        """Return every message about an alert without its text, the oldest first: where, when, how many attempts."""
        names = ("id", "kind", "receiver", "state", "held", "attempts", "created_at", "due_at", "sent_at", "problem")
        query = select(*(_sent.c[name] for name in names)).where(_sent.c.alert_id == alert_id).order_by(_sent.c.id)
        with reading(self._engine) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def earlier(self, thread: Thread, now: datetime, alert: AlertRow) -> "Earlier":
        """Return what came before an alert, and what people sent for it since."""
        with reading(self._engine) as connection:
            return _earlier(connection, thread, now, alert)

    def live_outside(self, teams: Collection[str]) -> list[AlertRow]:
        """Return the alerts that somebody still has to act on and that none of these teams has."""
        query = select(_alerts).where(_alerts.c.state.in_(LIVE_STATES), _alerts.c.now_with.not_in(list(teams)))
        return self._rows(query.order_by(_alerts.c.id))

    def live_at_other(self, receivers: Collection[str]) -> list[AlertRow]:
        """Return the alerts that somebody still has to act on with messages at other receivers; incidents first."""
        elsewhere = and_(_sent.c.alert_id == _alerts.c.id, _is_own(), _sent.c.receiver.not_in(list(receivers)))
        live = and_(_alerts.c.state.in_(LIVE_STATES), select(_sent.c.id).where(elsewhere).exists())
        query = select(_alerts).where(live).order_by(_alerts.c.kind != "incident", _alerts.c.id)
        return self._rows(query)

    def any_held_back(self) -> bool:
        """Tell whether any message waits for the end of a silence, for an opening, or beyond a budget."""
        query = select(_sent.c.id).where(_sent.c.held.is_not(None), _sent.c.state == "pending").limit(1)
        with reading(self._engine) as connection:
            return connection.scalar(query) is not None

    def receivers_held_back(self, reason: str, due_by: datetime | None = None) -> list[str]:
        """Return from which receivers messages are held back for a reason; with `due_by` those due by then."""
        query = select(_sent.c.receiver).where(*_held(reason, due_by)).distinct().order_by(_sent.c.receiver)
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def to_look_at(self, now: datetime, limit: int = 200) -> list[int]:
        """Return the alerts for which a reminder, an escalation or the end of a snooze has fallen due."""
        query = (
            select(_alerts.c.id)
            .where(_alerts.c.look_at <= now, _alerts.c.state.in_(LIVE_STATES))
            .order_by(_alerts.c.look_at, _alerts.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def place(self, alert_id: int) -> tuple[str, str] | None:
        """Return channel and message of an alert's own message, where one was sent that has both."""
        query = (
            select(_sent.c.channel, _sent.c.message_id)
            .where(_sent.c.alert_id == alert_id, _sent.c.kind == "alert", _sent.c.state == "sent")
            .order_by(_sent.c.id)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None or not row.channel or not row.message_id else (row.channel, row.message_id)

    def clock_went_back(self, now: datetime) -> int:
        """Look at once at live alerts that a clock that was ahead has changed; return how many.

        What it noted as told later, or planned for later, would keep their threads quiet until then.
        """
        ahead = and_(_alerts.c.state.in_(LIVE_STATES), _alerts.c.updated_at > now)
        told_at = case((_alerts.c.told_at > now, now), else_=_alerts.c.told_at)
        with self._engine.begin() as connection:
            again = update(_alerts).where(ahead).values(told_at=told_at, look_at=now, updated_at=now)
            return connection.execute(again).rowcount

    def forget_presses(self, before: datetime) -> None:
        """Drop the keys of presses too old to come again."""
        with self._engine.begin() as connection:
            connection.execute(schema.presses.delete().where(schema.presses.c.at < before))

    def looks(self, alert_ids: Collection[int]) -> dict[int, str]:
        """Return, by alert, the payload that its cards show now or will show; nothing of one without any card."""
        edit, newest = _sent.alias(), _sent.alias()
        of_card = and_(edit.c.parent_id == _sent.c.id, edit.c.kind == "update")
        last = select(func.max(edit.c.id)).where(of_card).scalar_subquery()
        was_tried = or_(_sent.c.state != "pending", _sent.c.attempts > 0)  # else it takes each new look itself
        query = (
            select(_sent.c.alert_id, func.coalesce(newest.c.payload, _sent.c.payload).label("payload"))
            .select_from(_sent.outerjoin(newest, and_(was_tried, newest.c.id == last)))
            .where(_sent.c.alert_id.in_(alert_ids), _is_own())
            .order_by(_sent.c.id)
        )
        with reading(self._engine) as connection:
            return {row.alert_id: row.payload for row in connection.execute(query)}


class AlertTransaction:
    """One open transaction. Every method belongs to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def alert(self, alert_id: int) -> AlertRow | None:
        """Return an alert as this transaction sees it, and keep others from changing it."""
        return _alert(self._connection, alert_id, lock=True)

    def change(self, alert_id: int, now: datetime, **values: Any) -> AlertRow:
        """Write some fields of an alert and return it as it stands then."""
        self._connection.execute(update(_alerts).where(_alerts.c.id == alert_id).values(updated_at=now, **values))
        row = self._connection.execute(select(_alerts).where(_alerts.c.id == alert_id)).mappings().one()
        return alert_of(row)

    def record(self, alert_id: int, kind: str, data: Mapping[str, Any], now: datetime, actor: str = "listener") -> None:
        """Write one line of an alert's history."""
        self._connection.execute(
            schema.alert_events.insert().values(alert_id=alert_id, kind=kind, at=now, actor=actor, data=dict(data))
        )

    def events(self, alert_id: int, *kinds: str) -> list[AlertEvent]:
        """Return lines of these kinds of an alert's history, the latest first."""
        table = schema.alert_events
        query = select(table).where(table.c.alert_id == alert_id, table.c.kind.in_(kinds)).order_by(table.c.id.desc())
        return [AlertEvent(row.kind, row.at, row.actor, row.data) for row in self._connection.execute(query)]

    def earlier(self, thread: Thread, now: datetime, alert: AlertRow | None = None) -> "Earlier":
        """Return what came before an alert, or before one that is opened now."""
        return _earlier(self._connection, thread, now, alert)

    def look(self, alert_id: int) -> str | None:
        """Return the payload that an alert's cards show now or will show."""
        query = select(_sent.c.payload).where(
            _sent.c.alert_id == alert_id, _sent.c.kind.in_(("alert", "update")), _sent.c.match_id.is_(None)
        )
        return self._connection.scalar(query.order_by(_sent.c.id.desc()).limit(1))

    def is_first_press(self, key: str, now: datetime) -> bool:
        """Note a press by its key; False where it was handled before, for vendors deliver some twice."""
        return is_first_press(self._connection, key, now)

    def correct(self, target: Target, fields: Mapping[str, Any], actor: str, origin: str, now: datetime) -> None:
        """Store what somebody says the model got wrong of an alert's post."""
        add_correction(self._connection, target, fields, actor=actor, origin=origin, now=now)

    def item(self, match_id: int) -> TriageItem | None:
        """Return one match with its mention and classification."""
        return item_of(self._connection, match_id)

    def incident_facts(self, alert_id: int) -> str | None:
        """Return the card that an incident showed last, as JSON, as this transaction sees it."""
        table = schema.incidents
        return self._connection.scalar(select(table.c.facts).where(table.c.alert_id == alert_id))

    def incident_end(self, alert_id: int) -> datetime | None:
        """Return when an incident was over: also where it ended without a last look at its card."""
        table = schema.incidents
        return self._connection.scalar(select(table.c.ended_at).where(table.c.alert_id == alert_id))

    def standing_match(self, alert_id: int) -> int | None:
        """Return the match of the highest priority among an alert's posts that still stand."""
        held, matches, mentions = schema.alert_mentions, schema.matches, schema.mentions
        query = (
            select(matches.c.id)
            .join(held, held.c.match_id == matches.c.id)
            .join(mentions, mentions.c.id == matches.c.mention_id)
            .where(held.c.alert_id == alert_id, mentions.c.fate != "deleted")
            .order_by(func.coalesce(matches.c.priority, 0.0).desc(), matches.c.id)
            .limit(1)
        )
        return self._connection.scalar(query)

    def count_deleted(self, alert_id: int) -> int:
        """Return how many of an alert's posts were deleted."""
        held, matches, mentions = schema.alert_mentions, schema.matches, schema.mentions
        query = (
            select(func.count())
            .select_from(held)
            .join(matches, matches.c.id == held.c.match_id)
            .join(mentions, mentions.c.id == matches.c.mention_id)
            .where(held.c.alert_id == alert_id, mentions.c.fate == "deleted")
        )
        return self._connection.scalar(query) or 0

    def posted(self, alert_id: int) -> list[Posted]:
        """Return an alert's own messages that are not given up, the first first."""
        query = (
            select(*(_sent.c[name] for name in Posted.__slots__))
            .where(_sent.c.alert_id == alert_id, _is_own())
            .order_by(_sent.c.id)
        )
        return [Posted(**row) for row in self._connection.execute(query).mappings()]

    def post(
        self,
        alert_id: int,
        receiver: str,
        payload: str,
        now: datetime,
        *,
        rank: int = USUAL_RANK,
        due_at: datetime | None = None,
        held: str | None = None,
        parent_id: int | None = None,
    ) -> bool:
        """Put an alert's own message into the outbox for one receiver, once; return whether it is new there."""
        row = new_notification(
            alert_id, receiver, "alert", payload, now, rank=rank, due_at=due_at, held=held, parent_id=parent_id
        )
        statement = insert(self._connection, _sent).values(row).on_conflict_do_nothing()
        return bool(self._connection.execute(statement).rowcount)

    def show(self, alert_id: int, payload: str, now: datetime) -> None:
        """Put an alert's new look into the outbox for every receiver that has or will have it.

        A message nobody has tried to send yet takes the new look itself; an edit that waits is replaced. A card that
        was given up while it was held back, because its alert had ended, goes now if the alert goes on.
        """
        live = select(_alerts.c.id).where(_alerts.c.id == alert_id, _alerts.c.state.in_(LIVE_STATES)).exists()
        given_up = and_(_sent.c.alert_id == alert_id, _sent.c.kind == "alert", _sent.c.state == "superseded", live)
        self._connection.execute(update(_sent).where(given_up).values(state="pending", held=None, due_at=now))
        for message in self.posted(alert_id):
            self._edit(alert_id, message, payload, now)

    def _edit(self, alert_id: int, message: Posted, payload: str, now: datetime) -> None:
        waiting = and_(_sent.c.parent_id == message.id, _sent.c.kind == "update")
        target = _sent.c.id == message.id if message.is_untouched else waiting
        replaced = update(_sent).where(target, _sent.c.state == "pending").values(payload=payload)
        # The sender may have taken the message meanwhile: then the change needs a message of its own.
        if not self._connection.execute(replaced).rowcount:
            row = new_notification(
                alert_id, message.receiver, "update", payload, now, parent_id=message.id, rank=EDIT_RANK
            )
            self._connection.execute(_sent.insert().values(row))

    def note(
        self,
        alert_id: int,
        payload: str,
        now: datetime,
        *,
        rank: int = USUAL_RANK,
        due_at: datetime | None = None,
        match_id: int | None = None,
    ) -> None:
        """Put a note into the thread of every message that an alert has."""
        messages = self.posted(alert_id)
        if rank < USUAL_RANK:  # what waits in the thread goes before it, so that the thread reads in order
            ready = and_(_sent.c.kind == "note", _sent.c.state == "pending", _sent.c.due_at <= now, _sent.c.rank > rank)
            parents = _sent.c.parent_id.in_([message.id for message in messages])
            self._connection.execute(update(_sent).where(parents, ready).values(rank=rank))
        for message in messages:
            row = new_notification(
                alert_id, message.receiver, "note", payload, now,
                parent_id=message.id, rank=rank, due_at=due_at, match_id=match_id,
            )  # fmt: skip
            self._connection.execute(_sent.insert().values(row))

    def message(self, receiver: str, payload: str, now: datetime, *, rank: int = USUAL_RANK) -> None:
        """Put a message that belongs to no one alert into the outbox."""
        self._connection.execute(
            _sent.insert().values(new_notification(None, receiver, "message", payload, now, rank=rank))
        )

    def release(self, alert_id: int, now: datetime) -> int:
        """Let an alert's messages go that are held back or wait for their group; return how many."""
        waiting = and_(_sent.c.alert_id == alert_id, _sent.c.kind == "alert", _sent.c.state == "pending")
        due = and_(_sent.c.attempts == 0, or_(_sent.c.held.is_not(None), _sent.c.due_at > now))
        return self._connection.execute(update(_sent).where(waiting, due).values(held=None, due_at=now)).rowcount

    def leave(self, alert_id: int, receivers: Collection[str], problem: str) -> list[Mapping[str, Any]]:
        """End what an alert has at all other receivers; return what was ended, its own messages and unsent notes."""
        there = and_(_sent.c.alert_id == alert_id, _sent.c.receiver.not_in(list(receivers)))
        unsent_note = and_(_sent.c.kind == "note", _sent.c.state.in_(UNSENT))
        query = select(_sent).where(there, or_(_is_own(), unsent_note)).order_by(_sent.c.id)
        rows: list[Mapping[str, Any]] = [dict(row) for row in self._connection.execute(query).mappings()]
        ended = {"problem": problem, "held": None, "lease_until": None}
        for which, state in ((_is_own(), "moved"), (_sent.c.state.in_(UNSENT), "dropped")):
            self._connection.execute(update(_sent).where(there, which).values(state=state, **ended))
        return rows

    def bring_back(self, alert_id: int, receiver: str, payload: str, now: datetime) -> bool:
        """Show an alert again at a receiver that it had left; return whether it had."""
        left = and_(_sent.c.alert_id == alert_id, _sent.c.receiver == receiver, _sent.c.kind == "alert")
        again = {"state": "pending", "attempts": 0, "ambiguous": True, "payload": payload, "due_at": now, "held": None}
        back = update(_sent).where(left, _sent.c.state.in_(("moved", "superseded"))).values(again)
        return bool(self._connection.execute(back).rowcount)

    def notes_waiting(self, alert_id: int) -> list[Mapping[str, Any]]:
        """Return unsent notes about further mentions of an alert at its first receiver."""
        query = (
            select(_sent)
            .where(_sent.c.alert_id == alert_id, _sent.c.kind == "note", _sent.c.state == "pending")
            .where(_sent.c.attempts == 0)
            .order_by(_sent.c.id)
        )
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def rewrite(self, notification_id: int, payload: str) -> None:
        """Give an unsent notification other words."""
        self._connection.execute(
            update(_sent).where(_sent.c.id == notification_id, _sent.c.state == "pending").values(payload=payload)
        )

    def lock_held(self) -> bool:
        """Keep other daemons from letting go what is held back; False where one is at it now."""
        if self._connection.dialect.name != "postgresql":
            return True  # one daemon alone has the file
        return bool(self._connection.scalar(select(func.pg_try_advisory_xact_lock(_HELD_LOCK))))

    def held(self, reason: str, due_by: datetime | None, *, receiver: str) -> list[Mapping[str, Any]]:
        """Return what is held back from a receiver for a reason, the oldest first; with `due_by` what is due then."""
        query = select(_sent).where(*_held(reason, due_by), _sent.c.receiver == receiver).order_by(_sent.c.id)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def held_row(self, notification_id: int) -> Mapping[str, Any] | None:
        """Return a message if it is still held back."""
        query = select(_sent).where(_sent.c.id == notification_id, _is_held_back())
        row = self._connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def held_by_silences(self) -> list[Mapping[str, Any]]:
        """Return messages held back by silences, the oldest first."""
        query = select(_sent).where(_sent.c.held.like("silence:%"), _sent.c.state == "pending").order_by(_sent.c.id)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def held_ahead(self, reason: str, now: datetime) -> list[int]:
        """Return the messages held back for a reason by a clock that was ahead of now."""
        query = select(_sent.c.id).where(*_held(reason, None), _sent.c.created_at > now).order_by(_sent.c.id)
        return list(self._connection.scalars(query))

    def held_of_closed(self, *, except_for: str) -> list[int]:
        """Return the messages held back of alerts that nobody has to act on any more, but for one reason."""
        is_live = select(_alerts.c.id).where(_alerts.c.id == _sent.c.alert_id, _alerts.c.state.in_(LIVE_STATES))
        query = select(_sent.c.id).where(_is_held_back(), _sent.c.held != except_for, _sent.c.alert_id.is_not(None))
        query = query.where(~is_live.exists())
        return list(self._connection.scalars(query))

    def rehold(self, ids: Sequence[int], reason: str | None, now: datetime, due_at: datetime | None = None) -> None:
        """Hold messages back for another reason, or let them go."""
        values = {"held": reason, "due_at": due_at or now}
        self._connection.execute(update(_sent).where(_sent.c.id.in_(ids), _sent.c.state == "pending").values(values))

    def drop(self, ids: Sequence[int]) -> None:
        """Give up messages held back that nobody needs any more, and what waits to stand under them."""
        ended = update(_sent).where(_sent.c.state == "pending").values(state="superseded", held=None)
        under = and_(_sent.c.parent_id.in_(ids), _sent.c.kind.in_(("note", "update")))
        self._connection.execute(ended.where(or_(_sent.c.id.in_(ids), under)))

    def readdress(self, notification_id: int, receiver: str) -> None:
        """Send a message that nobody has tried to send yet to another receiver, unless that has one of its alert."""
        other = _sent.alias("other")
        there = select(other.c.id).where(
            other.c.alert_id == _sent.c.alert_id, other.c.receiver == receiver, other.c.kind == "alert"
        )
        self._connection.execute(
            update(_sent)
            .where(_sent.c.id == notification_id, _sent.c.state == "pending", _sent.c.attempts == 0, ~there.exists())
            .values(receiver=receiver)
        )

    def cards_since(self, receiver: str, since: datetime, span: timedelta = timedelta(hours=1)) -> int:
        """Return how many alerts were shown to a receiver within `span` from then on, or are on their way.

        What a clock that was ahead noted for later is not counted.
        """
        shown = or_(
            _sent.c.sent_at.between(since, since + span), and_(_sent.c.state.in_(UNSENT), _sent.c.held.is_(None))
        )
        query = select(func.count()).where(_sent.c.receiver == receiver, _sent.c.kind == "alert", shown)
        return self._connection.scalar(query) or 0


_alerts = schema.alerts
_sent = schema.notifications
_HELD_LOCK = 0x4C697374
"""By this number the daemons of one PostgreSQL agree on who lets go what is held back."""


def _is_own() -> ColumnElement[bool]:
    """True for an alert's own message that is not given up."""
    return and_(_sent.c.kind == "alert", _sent.c.state.in_((*UNSENT, "sent")))


def _is_held_back() -> ColumnElement[bool]:
    return and_(_sent.c.held.is_not(None), _sent.c.state == "pending")


def _held(reason: str, due_by: datetime | None) -> tuple[ColumnElement[bool], ...]:
    due = () if due_by is None else (_sent.c.due_at <= due_by,)
    return (_sent.c.held == reason, _sent.c.state == "pending", *due)


def _live(owner_address: str | None, teams: Collection[str] | None, except_of: str | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [_alerts.c.state.in_(LIVE_STATES)]
    wanted += [] if owner_address is None else [_alerts.c.owner_address == owner_address]
    wanted += [] if teams is None else [_alerts.c.now_with.in_(teams)]
    wanted += [] if except_of is None else [func.coalesce(_alerts.c.owner_address, "") != except_of]
    return wanted


def _earlier(connection: Connection, thread: Thread, now: datetime, alert: AlertRow | None) -> Earlier:
    if alert is None:
        seen, near = variants_seen(connection, thread, now)
        return Earlier(seen, (), unanswered_before(connection, thread, now), near)
    seen, near = variants_seen(connection, thread, now, without=alert.id)
    sent = sent_variants(connection, [alert.id])
    return Earlier(seen, sent, unanswered_before(connection, thread, alert.opened_at), near)


def _alert(connection: Connection, alert_id: int, *, lock: bool = False) -> AlertRow | None:
    query = select(_alerts).where(_alerts.c.id == alert_id)
    if lock and connection.dialect.name == "postgresql":
        query = query.with_for_update()
    row = connection.execute(query).mappings().first()
    return None if row is None else alert_of(row)


def alert_of(row: Mapping[Any, Any]) -> AlertRow:
    """Return a row of the table of alerts as a value."""
    values = {name: row[name] for name in AlertRow.__slots__}
    return AlertRow(**{**values, "state": AlertState(row["state"]), "variants": _names(row["variants"])})


def _names(stored: object) -> list[str]:
    """Return a stored list of names; what is none, such as JSON's null, holds no name."""
    return [name for name in stored if isinstance(name, str)] if isinstance(stored, list) else []
