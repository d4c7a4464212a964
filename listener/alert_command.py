"""`listener alerts`, `alert` and `history`: what Slack can do, from the terminal, through the same desk."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from alerts import wording
from alerts.card import IncidentCard, load_message
from alerts.escaping import one_line, shorten
from listener.app import OpenDesk
from listener.config import Config
from listener.desk import ENDINGS, Actor, Answer, DeskError
from listener.histories import GOALS, event_words
from listener.model import RESOLUTIONS, WAS
from listener.pipeline.cards import reference
from listener.silence_command import span
from listener.store import AlertRow
from listener.store.alerts import AlertEvent

_REFERENCE = re.compile(r"(?i)(?:([AI])-?)?([0-9]{1,12})")
_WORDS = 100
_NOBODY = "nobody"
ACTIONS = ("claim", "release", "take-over", "snooze", "wake", "escalate", "replied", "resolve", "not-a-complaint",
           "reopen", "show", "playbook")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """Which alerts are listed; empty means any."""

    countries: Sequence[str] = ()
    teams: Sequence[str] = ()
    owner: str = ""
    everything: bool = False
    """True lists those that ended too."""
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants done with an alert."""

    action: str
    detail: str = ""
    """The span of a snooze, how it was resolved, what it was."""
    public: bool = False
    private: bool = False
    topic: str | None = None
    seen_owner: str = ""
    """From whom it is taken over; whoever has it, where empty."""


# Listing


def listed(office: OpenDesk, filters: Filters) -> list[AlertRow]:
    """Return the alerts that pass the filters, the severest first; with those that ended, the latest first."""
    read = office.store.alerts.alerts if filters.everything else office.store.alerts.live
    rows = [row for row in read(limit=10_000) if _passes(row, filters)]
    return rows[: filters.limit]


def listing(office: OpenDesk, rows: Sequence[AlertRow]) -> list[str]:
    """Return alerts as lines: what each is, who has it since when, what is due, its first words."""
    now = office.clock.now()
    return [line for row in rows for line in _lines(office, row, now)] or ["No alert."]


def listing_json(office: OpenDesk, rows: Sequence[AlertRow]) -> str:
    """Return alerts as JSON, times in UTC."""
    found = [{**_facts(row), "words": _first_words(office, row)} for row in rows]
    return json.dumps(found, ensure_ascii=False, indent=1)


def alert_of(office: OpenDesk, text: str) -> AlertRow:
    """Return the alert that somebody names, as A-12, I-12 or 12.

    Raises:
        DeskError: the name is none, or there is no such alert.
    """
    found = _REFERENCE.fullmatch(text.strip())
    if found is None:
        raise DeskError(f"'{one_line(text[:40])}' names no alert; write it as A-12, or I-12 for an incident")
    alert = office.store.alerts.alert(int(found[2]))
    if alert is None or (found[1] and not reference(alert).startswith(found[1].upper())):
        raise DeskError(f"there is no alert {one_line(text[:40])}; `listener alerts --all` names them")
    return alert


def _passes(row: AlertRow, filters: Filters) -> bool:
    owner = filters.owner.casefold()
    owned = (row.owner or _NOBODY).casefold() == owner or (row.owner_address or "").casefold() == owner
    return (
        (not filters.countries or row.country in filters.countries)
        and (not filters.teams or row.now_with in filters.teams)
        and (not owner or owned)
    )


def _lines(office: OpenDesk, row: AlertRow, now: datetime) -> Iterator[str]:
    marks = " · DRILL" if row.drill else " · PILOT" if row.pilot else ""
    team = office.config.teams.get(row.now_with)
    about = (
        f"{row.country} · {row.brand} · {row.topic or 'several topics'} · {team.name if team else row.now_with}{marks}"
    )
    yield one_line(f"{reference(row)} · severity {row.severity} · {_standing(office, row)} · {about}")
    if due := [f"{what} {'was ' if at < now else ''}due {_local(office, row, at)}" for what, at in _due(row)]:
        yield f"    {'; '.join(due)}"
    yield f"    {_first_words(office, row)}"


def _standing(office: OpenDesk, row: AlertRow) -> str:
    if not row.is_live:
        by = f" by {shorten(row.closed_by, 80)}" if row.closed_by else ""
        return f"{row.state}{by}: {RESOLUTIONS.get(row.resolution or '', row.resolution or '')}"
    since = f" since {_local(office, row, row.claimed_at)}" if row.claimed_at else ""
    until = f" until {_local(office, row, row.snoozed_until)}" if row.state == "snoozed" and row.snoozed_until else ""
    return f"{row.state}{until}, {shorten(row.owner, 80) if row.owner else _NOBODY}{since if row.owner else ''}"


def _due(row: AlertRow) -> Iterator[tuple[str, datetime]]:
    if not row.is_live:
        return
    if row.respond_by is not None and row.replied_at is None and row.private_at is None:
        yield GOALS["respond"], row.respond_by
    if row.resolve_by is not None:
        yield GOALS["resolve"], row.resolve_by


def _first_words(office: OpenDesk, row: AlertRow) -> str:
    if row.kind == "incident":
        facts = office.store.incidents.facts(row.id)
        card = None if facts is None else load_message(facts)
        return wording.incident_size(card) if isinstance(card, IncidentCard) else "a burst of negative posts"
    item = None if row.match_id is None else office.store.triage.item(row.match_id)
    if item is None:
        return "(its post is not stored any more)"
    return wording.DELETED if item.fate == "deleted" else wording.name(item.mention.text, _WORDS)


def _facts(row: AlertRow) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in AlertRow.__slots__}
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}
    return {"reference": reference(row), **plain}


def _local(office: OpenDesk, row: AlertRow, at: datetime) -> str:
    country = office.config.countries.get(row.country)
    return wording.local_time(at, country.timezone if country else "UTC")


# Acting


def actor(config: Config, name: str) -> Actor:
    """Return who acts: the person of the configuration with this name, whom Slack knows too, else the bare name."""
    people = (person for team in config.teams.values() for person in team.people)
    known = next((person for person in people if person.name.casefold() == name.strip().casefold()), None)
    if known is None:
        return Actor(name.strip())
    return Actor(known.name, f"slack:{known.slack}" if known.slack else "")


def act(office: OpenDesk, alert: AlertRow, request: Request, who: Actor) -> Answer:
    """Carry out what somebody wants done with an alert.

    Raises:
        DeskError: it cannot be understood; the message says what to write.
    """
    desk, detail = office.desk, request.detail.strip()
    acts: Mapping[str, Callable[[], Answer]] = {
        "claim": lambda: desk.claim(alert.id, who),
        "release": lambda: desk.release(alert.id, who),
        "take-over": lambda: desk.take_over(alert.id, who, _seen_owner(alert, request)),
        "snooze": lambda: desk.snooze(alert.id, who, _until(detail)),
        "wake": lambda: desk.wake(alert.id, who),
        "escalate": lambda: desk.escalate(alert.id, who),
        "replied": lambda: desk.replied(alert.id, who, public=request.public, private=request.private),
        "resolve": lambda: desk.resolve(alert.id, who, _choice(detail, ENDINGS)),
        "not-a-complaint": lambda: desk.not_a_complaint(alert.id, who, _choice(detail, WAS), request.topic),
        "reopen": lambda: desk.reopen(alert.id, who),
        "show": lambda: desk.show(alert.id, who),
        "playbook": lambda: desk.choose_playbook(alert.id, who, detail),
    }
    if request.action not in acts:
        raise DeskError(f"'{one_line(request.action[:40])}' cannot be done; what can: {', '.join(ACTIONS)}")
    if detail and request.action not in ("snooze", "resolve", "not-a-complaint", "playbook"):
        raise DeskError(f"{request.action} takes nothing more; '{one_line(detail[:40])}' is too much")
    return acts[request.action]()


def _seen_owner(alert: AlertRow, request: Request) -> str:
    return request.seen_owner or alert.owner_address or alert.owner or ""


def _until(detail: str) -> timedelta | None:
    if not detail:
        raise DeskError("say for how long: 15m, 1h, 2d, or `opening` for the team's next opening")
    return None if detail == "opening" else span(detail)


def _choice(detail: str, known: Sequence[str] | Mapping[str, object]) -> str:
    chosen = detail.replace("-", "_")
    if chosen not in known:
        raise DeskError(f"say how: {', '.join(name.replace('_', '-') for name in known)}")
    return chosen


# The record


def history(office: OpenDesk, alert: AlertRow) -> list[str]:
    """Return an alert's record: who did what when, then what was sent where; times in the country's zone.

    Posts that joined one after another are one line, so that what people did is seen.
    """
    country = office.config.countries.get(alert.country)
    lines = [*_lines(office, alert, office.clock.now()), f"    times: {country.timezone if country else 'UTC'}"]
    for joins, run in groupby(office.store.alerts.history(alert.id), key=lambda event: event.kind == "joined"):
        events = list(run)
        if joins and len(events) > 1:
            lines.append(one_line(f"{_second(office, alert, events[0].at)} daemon: {_joined(office, alert, events)}"))
        else:
            lines += [_told(office, alert, event) for event in events]
    lines.append("Messages:")
    lines += [f"  {_sent(office, alert, row)}" for row in office.store.alerts.notifications(alert.id)]
    return lines


def _told(office: OpenDesk, alert: AlertRow, event: AlertEvent) -> str:
    who = "daemon" if event.actor == "listener" else shorten(event.actor, 80)
    origin = f" ({event.data['origin']})" if isinstance(event.data.get("origin"), str) else ""
    return one_line(f"{_second(office, alert, event.at)}  {who}{origin}: {in_words(office, alert, event)}")


def _joined(office: OpenDesk, alert: AlertRow, events: Sequence[AlertEvent]) -> str:
    """Return posts that joined one after another, in one line."""
    copies = sum(bool(event.data.get("copy")) for event in events)
    posts = len(events) - copies
    parts = [f"{copies} {'copy' if copies == 1 else 'copies'}"] if copies else []
    parts += [f"{posts} further post{'' if posts == 1 else 's'}"] if posts else []
    return f"{' and '.join(parts)} joined, until {_second(office, alert, events[-1].at)}"


def _second(office: OpenDesk, alert: AlertRow, at: datetime) -> str:
    return f"{_local(office, alert, at)}:{at:%S}"


def history_json(office: OpenDesk, alert: AlertRow) -> str:
    """Return an alert's whole record as JSON, times in UTC."""
    events = [
        {
            "at": event.at.isoformat(),
            "actor": event.actor,
            "kind": event.kind,
            "data": dict(event.data),
            "words": one_line(in_words(office, alert, event)),
        }
        for event in office.store.alerts.history(alert.id)
    ]
    sent = [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        for row in office.store.alerts.notifications(alert.id)
    ]
    return json.dumps({**_facts(alert), "events": events, "messages": sent}, ensure_ascii=False, indent=1)


def in_words(office: OpenDesk, alert: AlertRow, event: AlertEvent) -> str:
    """Return what happened, in words; hostile. A kind that is not known here is shown as it is stored."""
    return event_words(event, lambda at: _local(office, alert, at))


_KINDS = {"alert": "card", "note": "in its thread", "update": "edit of the card", "message": "message"}


def _sent(office: OpenDesk, alert: AlertRow, row: Mapping[str, Any]) -> str:
    attempts = f"{row['attempts']} attempt{'' if row['attempts'] == 1 else 's'}"
    if row["sent_at"] is not None:
        what = f"sent {_local(office, alert, row['sent_at'])}:{row['sent_at']:%S}, {attempts}"
    elif row["held"]:
        what = f"held back ({row['held']}) until {_local(office, alert, row['due_at'])}"
    else:
        what = f"{row['state']}, {attempts}"
    problem = f": {shorten(one_line(row['problem']), 200)}" if row["problem"] and row["sent_at"] is None else ""
    return one_line(f"{_KINDS.get(row['kind'], row['kind'])} to {row['receiver']}: {what}{problem}")
