"""Delivery: what could not be sent, what waits or is held back and why, and receivers that are off."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from alerts.card import load_message
from alerts.plain_text import plain_text
from listener import outbox_command
from listener.console import names
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.words import Words, marked
from listener.errors import ListenerError
from listener.outbox_command import OutboxCommandError
from listener.plugins import missing_secrets
from listener.store.outbox import UNSENT

MOST = 200
STATES: Mapping[str, Sequence[str]] = {
    "dead": ("dead",),
    "waiting": UNSENT,
    "held": UNSENT,
    "dropped": ("dropped",),
    "moved": ("moved",),
    "sent": ("sent",),
}
STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "dead": (marked("could not be sent"), "bad"),
    "waiting": (marked("waits to be sent"), "info"),
    "held": (marked("held back"), "warn"),
    "dropped": (marked("given up"), "plain"),
    "moved": (marked("went to another receiver"), "plain"),
    "sent": (marked("sent"), "good"),
}
KINDS: Mapping[str, str] = {
    "alert": marked("card of {alert}"),
    "note": marked("note on {alert}"),
    "update": marked("edit of {alert}"),
    "message": marked("message to operators"),
    "digest": marked("weekly digest"),
}
_PROBLEMS_ONLY = ("dead", "waiting", "held")
_NEVER = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ReceiverView:
    """One receiver as the page shows it."""

    name: str
    kind: str
    disabled: str
    """Why it was disabled, in its vendor's words; hostile. Empty where it is not."""
    off: str
    """What it lacks; empty where nothing is missing."""
    counts: Mapping[str, int]


@page("admin")
def delivery(request: PageRequest) -> Response:
    """Show receivers, and what is not delivered."""
    state = request.query.get("state", "")
    receiver = request.query.get("receiver", "")
    states = (state,) if state in STATES else _PROBLEMS_ONLY
    rows = [row for name in states for row in _rows(request, name, receiver)]
    values = {
        "receivers": _receivers(request),
        "rows_": [_row(request.words, row, request.office.clock.now()) for row in rows],
        "is_cut": any(count >= MOST for count in Counter(_state(row) for row in rows).values()),
        "state": state if state in STATES else "",
        "receiver": receiver,
        "known": list(request.office.config.receivers),
        "STATE_NAMES": STATE_NAMES,
    }
    return request.render("delivery.html", values)


@page("admin")
def notification(request: PageRequest) -> Response:
    """Show one notification in full."""
    row = _one(request)
    values = {
        "row": _row(request.words, row, request.office.clock.now()),
        "text": _text(row["payload"]),
        "STATE_NAMES": STATE_NAMES,
    }
    return request.render("delivery/notification.html", values)


@page("admin")
def resend(request: PageRequest) -> Response:
    """Let one dead notification be tried again, with what died under it."""
    row, office, words = _one(request), request.office, request.words
    if not request.is_first_press():
        return request.back("/delivery")
    now = office.clock.now()
    refresh = outbox_command.refresher(office.config, office.store, now)
    try:
        outbox_command.resend(office.store, now, [row["id"]], receiver=None, every=False, refresh=refresh)
    except OutboxCommandError:
        return request.back("/delivery", words.say("It is not dead any more: somebody has seen to it."), "bad")
    request.note("notification sent again", str(row["id"]), country=row["country"], receiver=row["receiver"])
    said = words.say("It is due again; the daemon that runs sends it within seconds.")
    if row["receiver"] in office.store.outbox.disabled():
        said += " " + words.say("Its receiver is disabled: mend and enable it, then it goes out.")
    return request.back("/delivery", said)


@page("admin")
def drop(request: PageRequest) -> Response:
    """Give one dead notification up, with a reason that is kept with it."""
    row, words = _one(request), request.words
    reason = request.form.get("reason", "").strip()
    if not reason:
        return request.back(f"/delivery/{row['id']}", words.say("Say why it is given up; nothing was changed."), "bad")
    if not request.is_first_press():
        return request.back("/delivery")
    try:
        outbox_command.drop(request.office.store, [row["id"]], reason, request.visitor.full_name)
    except OutboxCommandError:
        return request.back("/delivery", words.say("It is not dead any more: somebody has seen to it."), "bad")
    request.note(
        "notification given up", str(row["id"]), country=row["country"], receiver=row["receiver"], reason=reason[:500]
    )
    return request.back("/delivery", words.say("It is given up, with what stood under it."))


@page("admin")
def resend_all(request: PageRequest) -> Response:
    """Let everything dead of one receiver be tried again, as far as the visitor may see it."""
    receiver, office, words = request.form.get("receiver", ""), request.office, request.words
    if receiver not in office.config.receivers:
        raise NotFoundError("no such receiver")
    if not request.is_first_press():
        return request.back("/delivery")
    ids = [row["id"] for row in _rows(request, "dead", receiver, limit=1_000_000)]
    if not ids:
        return request.back("/delivery", words.say("Nothing is dead there any more."), "bad")
    now = office.clock.now()
    refresh = outbox_command.refresher(office.config, office.store, now)
    try:
        outbox_command.resend(office.store, now, ids, receiver=None, every=False, refresh=refresh)
    except OutboxCommandError:
        return request.back("/delivery", words.say("Somebody has seen to some of them meanwhile; look again."), "bad")
    request.note("notifications sent again", receiver, notifications=len(ids))
    said = words.plural(
        "{count} notification is due again; the daemon that runs sends it within seconds.",
        "{count} notifications are due again; the daemon that runs sends them within seconds.",
        len(ids),
    )
    return request.back("/delivery", said)


@page("admin")
def enable(request: PageRequest) -> Response:
    """Enable a receiver that was disabled: somebody has mended it. It concerns all countries."""
    receiver, words = request.form.get("receiver", ""), request.words
    request.require_country(None)
    if receiver not in request.office.config.receivers:
        raise NotFoundError("no such receiver")
    if not request.office.store.outbox.enable([receiver]):
        return request.back("/delivery", words.say("It was not disabled any more."), "bad")
    request.note("receiver enabled", receiver)
    said = words.say(
        "{receiver} is enabled again. If it is not mended, the next message disables it anew.", receiver=receiver
    )
    return request.back("/delivery", said)


def _receivers(request: PageRequest) -> list[ReceiverView]:
    office = request.office
    disabled, off = office.store.outbox.disabled(), missing_secrets(office.config)
    counts: dict[str, Counter[str]] = {}
    for (receiver, state, held), count in office.store.outbox.unsent_counts(request.visitor.countries).items():
        counts.setdefault(receiver, Counter())[_state({"state": state, "held": held})] += count
    return [
        ReceiverView(
            name, options.type, disabled.get(name, ""), off.get(f"receiver {name}", ""), counts.get(name, Counter())
        )
        for name, options in office.config.receivers.items()
    ]


def _rows(request: PageRequest, state: str, receiver: str, limit: int = MOST) -> list[Mapping[str, Any]]:
    """Return what is in one of STATES, the latest first, of the countries that the visitor sees."""
    return request.office.store.outbox.listed(
        STATES[state],
        limit,
        receiver=receiver or None,
        held={"held": True, "waiting": False}.get(state),
        countries=request.visitor.countries,
    )


def _one(request: PageRequest) -> Mapping[str, Any]:
    number = request.path["id"]
    found = request.office.store.outbox.row(int(number)) if number.isdecimal() and len(number) < 19 else None
    if found is None:
        raise NotFoundError("no such notification")
    alert = request.office.store.alerts.alert(found["alert_id"]) if found["alert_id"] is not None else None
    request.require_country(alert.country if alert else None)
    return {**found, "country": alert.country if alert else None}


def _state(row: Mapping[str, Any]) -> str:
    if row["state"] in UNSENT:
        return "held" if row["held"] else "waiting"
    return str(row["state"])


def _row(words: Words, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    alert = f"A-{row['alert_id']}" if row["alert_id"] is not None else ""
    kind = words.say(KINDS.get(row["kind"], KINDS["message"]), alert=alert or words.say("a digest"))
    return {
        **row,
        "state": _state(row),
        "about": words.capital(kind),
        "url": f"/alerts/{row['alert_id']}" if row["alert_id"] is not None else "",
        "why": _why(words, row, now),
    }


def _why(words: Words, row: Mapping[str, Any], now: datetime) -> str:
    """Say why a notification is not sent; its vendor's words are told apart by the page."""
    state = _state(row)
    if state == "held":
        kind, _, number = str(row["held"]).partition(":")
        hold = words.say(names.HOLDS.get(kind, marked("held back")))
        if kind == "silence" and number:
            hold = words.say("silence {number}", number=number)
        if row["due_at"] - now > _NEVER:
            return hold
        return words.say("{reason}, until {moment}", reason=hold, moment=words.moment(row["due_at"]))
    if state != "waiting":
        return ""
    if row["state"] == "sending":
        return words.say("being sent, attempt {number}", number=words.number(row["attempts"]))
    if row["attempts"]:
        return words.say("next attempt {moment}", moment=words.moment(row["due_at"]))
    if row["due_at"] > now:
        return words.say("its time is {moment}", moment=words.moment(row["due_at"]))
    return words.say("waits for its turn")


def _text(payload: str) -> str:
    try:
        return plain_text(load_message(payload))
    except (ValueError, ListenerError):
        return ""


NAV = Nav(marked("Delivery"), "/delivery", role="admin", order=70)
ROUTES = (
    Route("/delivery", delivery),
    Route("/delivery/enable", enable, methods=["POST"]),
    Route("/delivery/resend", resend_all, methods=["POST"]),
    Route("/delivery/{id}", notification),
    Route("/delivery/{id}/resend", resend, methods=["POST"]),
    Route("/delivery/{id}/drop", drop, methods=["POST"]),
)
