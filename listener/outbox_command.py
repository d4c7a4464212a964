"""`listener outbox`: what waits, what is held back, what could not be delivered; sends it again or gives it up."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.card import load_message
from alerts.escaping import clean, isolate, one_line, shorten
from alerts.plain_text import plain_text
from listener.config import Config
from listener.errors import ListenerError
from listener.store import Store
from listener.store.outbox import UNSENT

SHOWN: Mapping[str, Sequence[str]] = {
    "waiting": UNSENT,
    "held": UNSENT,
    "dead": ("dead",),
    "dropped": ("dropped",),
    "moved": ("moved",),
    "sent": ("sent",),
}
"""What `--state` takes, and the states of the outbox that it looks at."""
USUALLY = ("waiting", "held", "dead")
_MOST = 200
_LONGEST_PROBLEM = 300
_HOLDS = {
    "quiet": "nobody works then",
    "budget": "more than its receiver takes in an hour",
    "folded": "named in a summary; it goes when something of it is due",
}
_KINDS = {"alert": "card of", "note": "note on", "update": "edit of", "message": "message", "digest": "digest"}
_NEVER = timedelta(days=365)

Row = Mapping[str, Any]


class OutboxCommandError(ListenerError):
    """What was asked for cannot be done; nothing was changed."""


def listed(store: Store, now: datetime, *, states: Collection[str] = (), receiver: str | None = None) -> list[str]:
    """Return what the outbox holds in these states (the usual three where none is named), by receiver."""
    rows = _rows(store, states or USUALLY, receiver)
    off = store.outbox.disabled()
    lines: list[str] = []
    for name in sorted({row["receiver"] for row in rows}):
        own = [row for row in rows if row["receiver"] == name]
        counts = Counter(_state(row) for row in own)
        disabled = f" (disabled: {one_line(off[name])})" if name in off else ""
        lines.append(f"{name}{disabled}: " + ", ".join(f"{counts[state]} {state}" for state in SHOWN if counts[state]))
        lines += [f"  {_line(row, now)}" for row in own]
    if len(rows) >= _MOST:
        lines.append(f"the latest {_MOST} of each are shown; --receiver and --state narrow it down")
    return lines or [f"nothing is {_or(states or USUALLY)}{f' for {receiver}' if receiver else ''}"]


def as_json(store: Store, *, states: Collection[str] = (), receiver: str | None = None) -> str:
    """Return the same as `listed`, as JSON; texts of messages are left out."""
    names = ("id", "receiver", "kind", "alert_id", "parent_id", "attempts", "created_at", "due_at", "tried_at",
             "sent_at", "held", "problem", "channel", "message_id", "thread_id")  # fmt: skip
    found = [
        {"state": _state(row), **{name: row[name] for name in names}}
        for row in _rows(store, states or USUALLY, receiver)
    ]
    return json.dumps(found, indent=1, default=lambda moment: moment.isoformat())


def shown(store: Store, notification_id: int, now: datetime) -> list[str]:
    """Return one notification in full, its message as text.

    Raises:
        OutboxCommandError: there is no such notification.
    """
    row = _known(store, [notification_id])[0]
    place = " ".join(str(row[name]) for name in ("channel", "message_id") if row[name])
    facts = {
        "state": _line(row, now),
        "receiver": row["receiver"],
        "made": _moment(row["created_at"]),
        "first tried": _moment(row["tried_at"]),
        "attempts": row["attempts"],
        "problem": row["problem"],
        "stands at": place,
        "sent": _moment(row["sent_at"]),
        "in the thread of": row["parent_id"],
    }
    told = [f"{name}: {one_line(str(value))}" for name, value in facts.items() if value not in (None, "")]
    return [*told, "", _text(row["payload"])]


def check_receiver(store: Store, configured: Collection[str], receiver: str | None) -> None:
    """Refuse a receiver that is not configured and that nothing dead is for.

    Raises:
        OutboxCommandError: there is none of that name; the message says which there are.
    """
    if receiver is None or receiver in configured or _rows(store, ("dead",), receiver, limit=1):
        return
    raise OutboxCommandError(f"there is no receiver '{one_line(receiver[:60])}'; known: {', '.join(configured)}")


def resend(
    store: Store,
    now: datetime,
    ids: Sequence[int],
    *,
    receiver: str | None,
    every: bool,
    refresh: Callable[[Collection[int]], None] = lambda alert_ids: None,
) -> list[str]:
    """Let dead notifications be tried again, and say what will happen.

    Args:
        ids: which, where not `every` one is meant.
        receiver: the one whose dead are meant, with `every`.
        refresh: shows alerts (by id) as they stand now, before they are sent.

    Raises:
        OutboxCommandError: an id is unknown or not dead, or nothing was named.
    """
    rows = _rows(store, ("dead",), receiver, limit=1_000_000) if every else _dead(store, ids)
    if not rows:
        return [f"nothing is dead{f' for {receiver}' if receiver else ''}"]
    count = store.outbox.resend([row["id"] for row in rows], now)
    refresh({row["alert_id"] for row in rows if row["kind"] == "alert" and row["alert_id"] is not None})
    return [
        f"{count} {'notification is' if count == 1 else 'notifications are'} due again; the daemon that runs sends"
        " them within seconds, else the next one that is started. What had arrived after all is not shown twice,"
        " where the receiver can look it up.",
        *_warnings(store, {row["receiver"] for row in rows}),
    ]


def drop(store: Store, ids: Sequence[int], reason: str, by: str) -> list[str]:
    """Give up dead notifications for good; who and why is kept with each.

    Raises:
        OutboxCommandError: an id is unknown or not dead, or there is no reason.
    """
    if not one_line(reason):
        raise OutboxCommandError("say why with --reason; it is kept with the notification")
    rows = _dead(store, ids)
    note = f"dropped by {shorten(one_line(by), 80)}: {shorten(one_line(reason), 500)}"
    count = store.outbox.acknowledge([row["id"] for row in rows], note)
    return [f"{count} {'notification is' if count == 1 else 'notifications are'} given up, with what stood under it"]


def refresher(config: Config, store: Store, now: datetime) -> Callable[[Collection[int]], None]:
    """Return what shows alerts as they stand now in the messages that wait."""

    def refresh(alert_ids: Collection[int]) -> None:
        from listener.pipeline.announce import Announcer
        from listener.pipeline.cards import CardBuilder
        from listener.pipeline.workplaces import Workplaces
        from playbooks.library import PlaybookLibrary

        if not alert_ids:
            return
        cards = CardBuilder(config, PlaybookLibrary.load())
        announcer = Announcer(config, cards, store, Workplaces(config), lambda receiver: receiver)
        for alert_id in sorted(alert_ids):
            with store.alerts.transaction() as transaction:
                alert = transaction.alert(alert_id)
                if alert is not None:
                    announcer.changed(transaction, alert, now)

    return refresh


def summary(store: Store, now: datetime, most: int = 5) -> list[str]:
    """Return the counts by receiver, and the first few dead letters."""
    counts = store.outbox.counts()
    told = ("pending", "sending", "dead")
    lines = [
        f"{name}: " + ", ".join(f"{count} {state}" for (one, state), count in sorted(counts.items())
                                if one == name and state in told)
        for name in sorted({name for name, state in counts if state in told})
    ]  # fmt: skip
    dead = store.outbox.rows(("dead",), limit=most, with_payload=False)
    lines += [f"  {_line(row, now)}" for row in dead]
    if dead:
        lines.append("  `listener outbox` lists them all, and sends them again or gives them up")
    return lines


def _rows(store: Store, states: Collection[str], receiver: str | None, limit: int = _MOST) -> list[Row]:
    unknown = sorted(set(states) - set(SHOWN))
    if unknown:
        raise OutboxCommandError(f"no state is called {unknown[0]}; there are {', '.join(SHOWN)}")
    found: dict[int, Row] = {}
    for state in states:
        rows = store.outbox.rows(SHOWN[state], limit, receiver=receiver, with_payload=False)
        found |= {row["id"]: row for row in rows if _state(row) == state}
    return [found[key] for key in sorted(found)]


def _dead(store: Store, ids: Sequence[int]) -> list[Row]:
    if not ids:
        raise OutboxCommandError("name the notifications by their numbers, as `listener outbox` shows them")
    rows = _known(store, ids)
    for row in rows:
        if row["state"] != "dead":
            raise OutboxCommandError(f"notification {row['id']} is {_state(row)}, not dead; nothing was changed")
    return rows


def _known(store: Store, ids: Sequence[int]) -> list[Row]:
    rows = []
    for number in ids:
        row = store.outbox.row(number) if 0 < number < 2**63 else None
        if row is None:
            raise OutboxCommandError(f"there is no notification {number}; `listener outbox` shows which there are")
        rows.append(row)
    return rows


def _warnings(store: Store, receivers: Collection[str]) -> Iterator[str]:
    off = store.outbox.disabled()
    for name in sorted(receivers):
        if name in off:
            yield f"{name} is disabled ({one_line(off[name])}): mend it and restart the daemon, then they go out"


def _state(row: Row) -> str:
    if row["state"] in UNSENT:
        return "held" if row["held"] else "waiting"
    return str(row["state"])


def _line(row: Row, now: datetime) -> str:
    about = f" A-{row['alert_id']}" if row["alert_id"] is not None else ""
    return f"{row['id']}  {_KINDS.get(row['kind'], row['kind'])}{about}  {_fate(row, now)}"


def _fate(row: Row, now: datetime) -> str:
    state, problem = _state(row), shorten(one_line(row["problem"] or ""), _LONGEST_PROBLEM)
    if state == "held":
        until = "" if row["due_at"] - now > _NEVER else f" until {_moment(row['due_at'])}"
        return f"held{until}: {_hold(row['held'])}"
    if state == "waiting":
        return _waiting(row, problem, now)
    if state == "sent":
        return f"sent at {_moment(row['sent_at'])}"
    tried = f" after {row['attempts']} attempt{'' if row['attempts'] == 1 else 's'}" if row["attempts"] else ""
    return f"{state}, {_age(now - row['created_at'])} old{tried}: {problem}"


def _waiting(row: Row, problem: str, now: datetime) -> str:
    if row["state"] == "sending":
        return f"being sent, attempt {row['attempts']}"
    if row["attempts"]:
        return f"waiting, tried {row['attempts']} times, next at {_moment(row['due_at'])}: {problem}"
    if row["due_at"] > now:
        return f"waiting for its time, {_moment(row['due_at'])}"
    return f"waiting for {row['parent_id']} to be sent, or for its turn" if row["parent_id"] else "waiting for its turn"


def _hold(reason: str) -> str:
    kind, _, number = reason.partition(":")
    return f"silence {one_line(number)}" if kind == "silence" else _HOLDS.get(reason, one_line(reason))


def _text(payload: str) -> str:
    try:
        return isolate(clean(plain_text(load_message(payload))))
    except ValueError:
        return "(the stored message cannot be read)"


def _age(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    for size, word in ((1440, "day"), (60, "hour")):
        if minutes >= size:
            return f"{minutes // size} {word}{'' if minutes // size == 1 else 's'}"
    return f"{minutes} min"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _or(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
