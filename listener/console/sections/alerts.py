"""Alerts: the list that keeps itself up to date, one alert with all that its card says, and what is done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from alerts import wording
from alerts.card import Card
from listener.console import names, records, showing
from listener.console.acts import ACTS, act, answered
from listener.console.filtering import (
    SPANS,
    Choice,
    address,
    chips,
    choice,
    wanted,
    wanted_since,
    wanted_text,
)
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.sections.replies import known_variant, reply
from listener.console.words import Words
from listener.desk import DeskError
from listener.model import TOPICS, WAS, Draft
from listener.pipeline.cards import reference
from listener.searching import parse_query
from listener.store import AlertRow, TriageItem
from listener.store.alerts import AlertEvent
from listener.store.browsing import AlertFilter, number_named
from listener.store.members import Member
from listener.words import marked

_PAGE = 50
_MOST_NEW = 99
_MOST_MEMBERS = 20
_LIVE, _ALL, _OVERDUE = "", "all", "overdue"
_ME, _NOBODY = "me", "nobody"
_ENDINGS = ("public", "private", "solved", "no_reply")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an alert's history, in words."""

    at: datetime
    who: str
    origin: str
    words: str
    folded: tuple["Event", ...] = ()
    """What it sums up; the first of them last."""
    span: str = ""
    """From when to when that was."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A reply draft as the page offers it."""

    draft: Draft
    reply_url: str
    """Where it is written on its network, with the text filled in; empty where that cannot be."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message about an alert, and what became of it."""

    kind: str
    receiver: str
    state: str
    at: datetime | None
    attempts: int
    problem: str


# The list


@page("viewer")
def alerts(request: PageRequest) -> Response:
    """Alerts that fulfil the filters; those that somebody still has to act on, unless others are asked for."""
    office, now = request.office, request.office.clock.now()
    asked = _asked(request, now)
    sees = request.visitor.countries
    found = office.store.browsing.alerts(asked, sees=sees, limit=_PAGE, before=request.query.get("before"))
    query = parse_query(asked.text) if asked.text else None
    lines = [
        showing.line(office.store, office.config, request.words, item, request.visitor.actor, now, query)
        for item in found.rows
    ]
    choices = _choices(request)
    latest = office.store.browsing.alerts(AlertFilter(drills=True), sees=sees, limit=1).rows
    values = {
        "lines": lines,
        "choices": choices,
        "chips": chips(request, choices),
        "text": wanted_text(request),
        "next": address(request, before=found.next) if found.next else "",
        "first": address(request) if request.query.get("before") else "",
        "is_live": asked.live,
        "news": _news_url(request, latest[0].alert.id if latest else 0, 0),
        "standings": f"/alerts/standings?{urlencode([('id', str(one.id)) for one in lines])}" if lines else "",
    }
    return request.render("alerts.html", values)


@page("viewer")
def news(request: PageRequest) -> Response:
    """Return how many alerts came since the list was drawn; nothing where the page says so already."""
    seen, told = (_number(request.query.get(name, "")) for name in ("seen", "told"))
    asked = _asked(request, request.office.clock.now(), latest_first=True)
    found = request.office.store.browsing.alerts(asked, sees=request.visitor.countries, limit=_MOST_NEW)
    count = sum(item.alert.id > seen for item in found.rows)
    if count == told:
        return Response(status_code=204)
    values = {
        "count": count,
        "url": address(request, path="/alerts", seen="", told=""),
        "news": _news_url(request, seen, count),
    }
    return request.render("_alerts_news.html", values)


@page("viewer")
def standings(request: PageRequest) -> Response:
    """Return how alerts of a list stand now, each to be put into its place."""
    office, now = request.office, request.office.clock.now()
    ids = [number for value in request.choices("id")[:_PAGE] if (number := _number(value))]
    rows = [row for one in ids if (row := office.store.alerts.alert(one)) and request.visitor.sees(row.country)]
    shown = [(row.id, showing.standing(request.words, row, request.visitor.actor, now)) for row in rows]
    return request.render("_alerts_standings.html", {"standings": shown})


def _asked(request: PageRequest, now: datetime, *, latest_first: bool | None = None) -> AlertFilter:
    """Return what the page's address asks for."""
    config, visitor = request.office.config, request.visitor
    states = wanted(request, "state", names.STATES)
    chosen = request.query.get("state", _LIVE)
    owner = request.query.get("owner", "")
    me = visitor.actor
    text = wanted_text(request)
    is_named = number_named(text) > 0  # then it is meant, however it stands
    is_live = not states and chosen != _ALL and not is_named
    return AlertFilter(
        text=text,
        countries=wanted(request, "country", _countries(request)),
        brands=wanted(request, "brand", config.brands),
        teams=wanted(request, "team", config.teams),
        topics=wanted(request, "topic", TOPICS),
        states=states,
        live=is_live,
        severities=[int(one) for one in wanted(request, "severity", ("1", "2", "3"))],
        kinds=wanted(request, "kind", names.KINDS),
        owner="" if owner in (_ME, _NOBODY) else owner[:200],
        owner_address=me.address if owner == _ME else "",
        unowned=owner == _NOBODY,
        overdue_at=now if chosen == _OVERDUE else None,
        since=wanted_since(request, now),
        drills=is_named or request.query.get("drills") == "yes",
        latest_first=latest_first
        if latest_first is not None
        else not is_live or request.query.get("order") == "latest",
    )


def _countries(request: PageRequest) -> list[str]:
    return request.visitor.countries_of(request.office.config)


def _choices(request: PageRequest) -> list[Choice]:
    words, config = request.words, request.office.config
    say = words.say
    states = [
        (_LIVE, say("to be dealt with")),
        (_OVERDUE, say("overdue")),
        *((name, say(text)) for name, text in names.STATES.items()),
        (_ALL, say("all, closed ones too")),
    ]
    owners = [("", say("anybody")), (_ME, say("me")), (_NOBODY, say("nobody"))]
    asked = request.query.get("owner", "")
    owners += [(asked, asked)] if asked and asked not in (_ME, _NOBODY) else []
    countries = [(code, showing.country_name(config, words, code)) for code in _countries(request)]
    severities = [(str(n), f"{n} · {say(names.SEVERITIES[n])}") for n in (3, 2, 1)]
    anything = ("", say("any"))
    return [
        choice(request, "state", say("State"), states),
        choice(request, "owner", say("Owner"), owners),
        choice(request, "severity", say("Severity"), [anything, *severities]),
        choice(request, "country", say("Country"), [anything, *sorted(countries, key=lambda pair: pair[1])]),
        choice(request, "brand", say("Brand"), [anything, *((key, one.name) for key, one in config.brands.items())]),
        choice(request, "team", say("Team"), [anything, *((key, one.name) for key, one in config.teams.items())]),
        choice(request, "topic", say("Topic"), [anything, *((one, say(names.TOPICS[one])) for one in TOPICS)]),
        choice(request, "kind", say("Kind"), [anything, *((key, say(text)) for key, text in names.KINDS.items())]),
        choice(
            request, "span", say("Raised within"), [anything, *((key, say(text)) for key, (text, _) in SPANS.items())]
        ),
        choice(request, "order", say("Order"), [("", say("most urgent first")), ("latest", say("latest first"))]),
        choice(request, "drills", say("Drills"), [("", say("left out")), ("yes", say("shown too"))]),
    ]


def _news_url(request: PageRequest, seen: int, told: int) -> str:
    return address(request, path="/alerts/news", seen=str(seen), told=str(told))


# One alert


@page("viewer")
def alert(request: PageRequest) -> Response:
    """One alert, as its card says it and as it stands."""
    row = _row(request)
    if row.kind == "incident":
        return request.back(f"/incidents/{row.id}")
    return request.render("alert.html", _values(request, row))


@page("viewer")
def named(request: PageRequest) -> Response:
    """Lead from an alert's name, A-12 or I-14, to its page."""
    name = request.path["name"]
    if not (number := number_named(name)) or name[0] == "#":
        raise NotFoundError("no alert is called so")
    return request.back(f"/{'incidents' if name[0] in 'Ii' else 'alerts'}/{number}")


@page("viewer")
def changes(request: PageRequest) -> Response:
    """Say that an alert has changed since its page was drawn; nothing where it has not."""
    row = _row(request)
    history = request.office.store.alerts.history(row.id)
    if str(_version(history)) == request.query.get("seen", ""):
        return Response(status_code=204)
    last = history[-1] if history else None
    values = {
        "alert": row,
        "reference": reference(row),
        "who": records.who(request.words, last) if last else "",
        "what": records.in_words(request.words, last) if last else "",
        "url": f"/{'incidents' if row.kind == 'incident' else 'alerts'}/{row.id}",
    }
    return request.render("_alert_changed.html", values)


@page("community-manager")
def do(request: PageRequest) -> Response:
    """Do something with an alert, once for one press, and show how it stands then."""
    before, name, office = _row(request), request.path["act"], request.office
    if name not in ACTS:
        raise NotFoundError(name)
    actor = request.visitor.actor
    url = request.form.get("next", "") or f"/alerts/{before.id}"
    form = {**request.form, "variant": known_variant(request, before)}
    try:
        answer = act(office.desk, name, before, actor, form, request.press)
    except DeskError:
        words = request.words.say("Something is missing there: choose one of what is offered, then send it again.")
        return request.back(f"/alerts/{before.id}", words, "bad")
    after = office.store.alerts.alert(before.id)
    said = answered(request.words, name, answer, before, after, actor)
    return request.back(url, said, "good" if answer.done or answer.repeated else "bad")


def _row(request: PageRequest) -> AlertRow:
    """Return the alert that the path names, if the visitor may see its country."""
    row = request.office.store.alerts.alert(_number(request.path["alert"]))
    if row is None:
        raise NotFoundError("no such alert")
    request.require_country(row.country)
    return row


def _values(request: PageRequest, row: AlertRow) -> dict[str, object]:
    office, now = request.office, request.office.clock.now()
    with office.store.alerts.snapshot() as snapshot:
        message = office.announcer.look(snapshot, row, now)
    card = showing.tidied(request.words, message) if isinstance(message, Card) else None
    item = None if row.match_id is None else office.store.triage.item(row.match_id)
    return {
        **about(request, row),
        "card": card,
        "item": item,
        "network": showing.network_of(request.words, card.network) if card else "",
        "post": showing.whole_text(card.text) if card else "",
        "title": _title(request, row, card),
        "author_url": showing.checked(card.author.url) if card else "",
        "post_url": showing.checked(card.url) if card else "",
        "scores": _scores(card, item),
        "signals": _signals(request, item),
        "suggested": _suggested(request, row, card, item),
        "moved": wording.moved(card) if card else (),
        "private_url": showing.checked(card.guidance.handoff.url) if card and card.guidance else "",
        "playbook_url": showing.checked(card.guidance.url) if card and card.guidance else "",
        "members": _members(request, row, _MOST_MEMBERS + 1),
        "most_members": _MOST_MEMBERS,
        "playbooks": sorted(office.announcer.playbooks.items(), key=lambda pair: pair[1]),
    }


def about(request: PageRequest, row: AlertRow) -> dict[str, object]:
    """Return what the pages of alerts and of incidents both say: how it stands, what can be done, what was done."""
    office, words, now = request.office, request.words, request.office.clock.now()
    actor = request.visitor.actor
    history = office.store.alerts.history(row.id)
    endings = [(name, words.say(names.RESOLUTIONS[name])) for name in _ENDINGS]
    return {
        "alert": row,
        "reference": reference(row),
        "standing": showing.standing(words, row, actor, now),
        "severity_name": words.say(names.SEVERITIES.get(row.severity, names.SEVERITIES[1])),
        "owner_seen": row.owner_address or row.owner or "",
        "may_act": request.visitor.may("community-manager"),
        "may_forget": request.visitor.may("communications-lead"),
        "country_name": showing.country_name(office.config, words, row.country),
        "brand_name": showing.brand_name(office.config, row.brand),
        "team_name": showing.team_name(office.config, row.now_with),
        "topic_name": showing.topic_name(words, row.topic),
        "is_configured": row.country in office.config.countries,
        "history": _folded(words, history),
        "messages": _messages(request, row),
        "snoozes": [(name, words.say(text)) for name, text in names.SNOOZES.items()],
        "endings": endings,
        "was": [(name, words.say(names.WAS[name])) for name in WAS],
        "topics": [("", words.say("as it was")), *((name, words.say(names.TOPICS[name])) for name in TOPICS)],
        "ways": [(name, words.say(text)) for name, text in names.ANSWERED.items()],
        "changes": f"/alerts/{row.id}/changes?seen={_version(history)}",
    }


def _folded(words: Words, history: Sequence[AlertEvent]) -> list[Event]:
    """Return an alert's history, the latest first; posts that joined one after another are one line."""
    found: list[Event] = []
    for joins, run in groupby(reversed(history), key=lambda one: one.kind == "joined"):
        events = list(run)
        lines = [Event(one.at, records.who(words, one), _origin(words, one), records.in_words(words, one))
                 for one in events]  # fmt: skip
        if joins and len(lines) > 1:
            last, first = lines[0], lines[-1]
            said, span = records.joined(words, events), words.between(first.at, last.at)
            found.append(Event(last.at, last.who, last.origin, said, tuple(lines), span))
        else:
            found += lines
    return found


def _origin(words: Words, event: AlertEvent) -> str:
    found = records.origin(event)
    return words.say(names.ORIGINS[found]) if found in names.ORIGINS else found


def _title(request: PageRequest, row: AlertRow, card: Card | None) -> str:
    who = showing.short_name(card.author.name) if card else ""
    topic = showing.topic_name(request.words, row.topic)
    return request.words.say("{topic}: {name}", topic=request.words.capital(topic), name=who) if who else topic


def _scores(card: Card | None, item: TriageItem | None) -> list[tuple[str, float, str]]:
    """Return each score with its name, its value, and the words behind it."""
    if card is None:
        return []
    found: list[tuple[str, float, str]] = []
    if item is not None and card.fate != "deleted":
        said = item.classification
        found.append((marked("Complaint"), said.complaint, ""))
        found.append((marked("Urgency"), said.urgency_score, names.URGENCIES[int(said.urgency)]))
    found.append((marked("Influence"), card.author.influence, ""))
    found.append((marked("Priority"), card.priority, ""))
    return found


def _signals(request: PageRequest, item: TriageItem | None) -> list[tuple[str, float]]:
    if item is None or item.fate == "deleted":
        return []
    pairs = sorted(item.classification.signals.items(), key=lambda pair: -pair[1])
    return [(request.words.say(names.SIGNALS[letter]), share) for letter, share in pairs if letter in names.SIGNALS]


def _suggested(request: PageRequest, row: AlertRow, card: Card | None, item: TriageItem | None) -> list[Suggested]:
    if card is None or card.guidance is None:
        return []
    announcer = request.office.announcer
    is_known = item is not None and row.country in request.office.config.countries
    return [
        Suggested(draft, showing.checked(announcer.reply_url(item, draft.text)) if is_known and item else "")
        for draft in card.guidance.drafts
    ]


def _members(request: PageRequest, row: AlertRow, most: int) -> list[Member]:
    members = request.office.store.members
    after = _number(request.query.get("after", ""))
    found = members.of_alert(row.id, most, after)
    return [replace(one, name=showing.short_name(one.name), text=showing.whole_text(one.text)) for one in found]


def _messages(request: PageRequest, row: AlertRow) -> list[Sent]:
    words, found = request.words, []
    for one in request.office.store.alerts.notifications(row.id):
        held = str(one["held"] or "").partition(":")[0]
        state = words.say(names.SENDINGS.get(one["state"], one["state"]))
        if held and one["sent_at"] is None:
            state = words.say("held back: {reason}", reason=words.say(names.HOLDS.get(held, held)))
        problem = showing.short_name(one["problem"], 200) if one["sent_at"] is None else ""
        kind = words.say(names.MESSAGES.get(one["kind"], one["kind"]))
        found.append(Sent(kind, one["receiver"], state, one["sent_at"], one["attempts"], problem))
    return found


def _version(history: Sequence[AlertEvent]) -> int:
    """Return a number that is another whenever an alert has changed: nothing changes that leaves no record."""
    return len(history)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


NAV = Nav(marked("Alerts"), "/alerts", order=10)
ROUTES = (
    Route("/alerts", alerts),
    Route("/alerts/news", news),
    Route("/alerts/standings", standings),
    Route("/alerts/{alert:int}", alert),
    Route("/alerts/{name}", named),
    Route("/alerts/{alert:int}/changes", changes),
    Route("/alerts/{alert:int}/reply", reply, methods=["GET", "POST"]),
    Route("/alerts/{alert:int}/{act}", do, methods=["POST"]),
)
