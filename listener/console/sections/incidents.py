"""Incidents: the list, and one with its curve, who speaks, what it is about, and what is done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from alerts.card import IncidentCard, Voice
from alerts.curve import sparkline
from alerts.incidents import reasons_again
from listener.console import names, showing
from listener.console.curves import Curve, curve_of
from listener.console.filtering import SPANS, Choice, address, chips, choice, wanted, wanted_since
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.sections.alerts import about, named
from listener.console.sections.mentions import line_of
from listener.console.words import Words
from listener.model import TOPICS, Sentiment
from listener.pipeline.cards import reference
from listener.store.alerts import AlertRow
from listener.store.browsing import IncidentFilter, IncidentItem, MentionFilter
from listener.store.incidents import INTERVAL
from listener.words import marked

_PAGE = 15
_MOST_POSTS = 12
_MOST_ALERTS = 20
_LASTING, _OVER = "lasting", "over"


@dataclass(frozen=True, slots=True)
class Line:
    """An incident in a list."""

    reference: str
    url: str
    severity: int
    severity_name: str
    country: str
    brand: str
    topic: str
    drill: bool
    size: str
    spark: str
    began_at: datetime
    ended_at: datetime | None
    standing: showing.Standing


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who speaks in an incident, in words."""

    name: str
    handle: str
    followers: str
    influence: float
    text: str
    is_gone: bool
    language: str
    at: datetime
    url: str


@page("viewer")
def incidents(request: PageRequest) -> Response:
    """Incidents that fulfil the filters, the latest first."""
    office, now = request.office, request.office.clock.now()
    asked = _asked(request, now)
    found = office.store.browsing.incidents(
        asked, sees=request.visitor.countries, limit=_PAGE, before=request.query.get("before")
    )
    choices = _choices(request)
    values = {
        "lines": [_line(request, item, now) for item in found.rows],
        "choices": choices,
        "chips": chips(request, choices),
        "next": address(request, before=found.next) if found.next else "",
        "first": address(request) if request.query.get("before") else "",
    }
    return request.render("incidents.html", values)


@page("viewer")
def incident(request: PageRequest) -> Response:
    """One incident, with its curve."""
    item = request.office.store.browsing.incident(_number(request.path["alert"]), sees=request.visitor.countries)
    if item is None:
        raise NotFoundError("no such incident, or of another country")
    return request.render("incident.html", _values(request, item))


def _asked(request: PageRequest, now: datetime) -> IncidentFilter:
    state = request.query.get("state", "")
    return IncidentFilter(
        countries=wanted(request, "country", request.visitor.countries_of(request.office.config)),
        brands=wanted(request, "brand", request.office.config.brands),
        topics=wanted(request, "topic", TOPICS),
        lasting={_LASTING: True, _OVER: False}.get(state),
        since=wanted_since(request, now),
        drills=request.query.get("drills") == "yes",
    )


def _choices(request: PageRequest) -> list[Choice]:
    words, config = request.words, request.office.config
    say, anything = words.say, ("", words.say("any"))
    countries = [(code, showing.country_name(config, words, code)) for code in request.visitor.countries_of(config)]
    spans = ((key, say(text)) for key, (text, _) in SPANS.items())
    return [
        choice(request, "state", say("State"), [anything, (_LASTING, say("going on")), (_OVER, say("over"))]),
        choice(request, "country", say("Country"), [anything, *sorted(countries, key=lambda pair: pair[1])]),
        choice(request, "brand", say("Brand"), [anything, *((key, one.name) for key, one in config.brands.items())]),
        choice(request, "topic", say("Topic"), [anything, *((one, say(names.TOPICS[one])) for one in TOPICS)]),
        choice(request, "span", say("Begun within"), [anything, *spans]),
        choice(request, "drills", say("Drills"), [("", say("left out")), ("yes", say("shown too"))]),
    ]


def _line(request: PageRequest, item: IncidentItem, now: datetime) -> Line:
    office, words, row = request.office, request.words, item.alert
    card = showing.incident_card(item.facts)
    return Line(
        reference=reference(row),
        url=f"/incidents/{row.id}",
        severity=row.severity,
        severity_name=words.say(names.SEVERITIES.get(row.severity, names.SEVERITIES[1])),
        country=showing.country_name(office.config, words, row.country),
        brand=showing.brand_name(office.config, row.brand),
        topic=showing.topic_name(words, item.incident.topic),
        drill=item.incident.drill,
        size=showing.burst_size(words, card) if card else "",
        spark=sparkline(card.curve, 40) if card else "",
        began_at=item.incident.began_at,
        ended_at=item.incident.ended_at,
        standing=showing.standing(words, row, request.visitor.actor, now),
    )


def _values(request: PageRequest, item: IncidentItem) -> dict[str, object]:
    office, words, row, now = request.office, request.words, item.alert, request.office.clock.now()
    with office.store.alerts.snapshot() as snapshot:
        message = office.announcer.look(snapshot, row, now)
    card = message if isinstance(message, IncidentCard) else showing.incident_card(item.facts)
    ended_at = item.incident.ended_at
    card = replace(card, guidance=showing.guided(card.guidance), ended_at=ended_at) if card else None
    curve = curve_of(card) if card else None
    asked = _posts_of(item)
    found = office.store.browsing.mentions(asked, sees=request.visitor.countries, limit=_MOST_POSTS)
    return {
        **about(request, row),
        "incident": item.incident,
        "card": card,
        "title": _title(request, item),
        "size": _size(words, card) if card else [],
        "because": showing.said_of(words, reasons_again(card)) if card else (),
        "curve": curve,
        "curve_words": _in_words(words, curve, card) if curve and card else "",
        "every": words.duration(curve.every.total_seconds()) if curve else "",
        "spoken": [_spoken(words, one) for one in showing.voices(card)] if card else [],
        "words_that_rose": [showing.short_name(one, 40) for one in card.words[:20]] if card else [],
        "complaints": [(_cut(showing.topic_name(words, one)), count) for one, count in card.complaints] if card else [],
        "languages": [(showing.language_called(words, name), count) for name, count in card.languages] if card else [],
        "playbook_url": showing.checked(card.guidance.url) if card and card.guidance else "",
        "alerts_of_it": _alerts(request, row, now),
        "posts": [line_of(request, one) for one in found.rows],
        "has_more_posts": found.next is not None,
        "suggested": [],
        "playbooks": [],
        "posts_url": _posts_url(item),
    }


def _title(request: PageRequest, item: IncidentItem) -> str:
    words = request.words
    topic = showing.topic_name(words, item.incident.topic)
    country = showing.country_name(request.office.config, words, item.alert.country)
    return words.say("Bad buzz: {topic}, {country}", topic=topic, country=country)


def _size(words: Words, card: IncidentCard) -> list[tuple[str, str]]:
    return [
        (words.say("Negative posts"), words.number(card.mentions)),
        (words.say("Authors"), words.number(card.authors)),
        (words.say("Usual in that time"), words.number(card.expected)),
        (words.say("Fastest in an hour"), words.number(card.fastest_per_hour)),
        (words.say("Copies"), words.percent(card.copies_share)),
        (words.say("Followers of all"), words.number(card.reach)),
    ]


def _in_words(words: Words, curve: Curve, card: IncidentCard) -> str:
    """Say what the curve shows, for those who cannot see it."""
    told = words.say(
        "{since} to {until}: at most {count} negative posts in {span}, where {expected} would be usual, at {moment}.",
        since=words.moment(curve.since),
        until=words.moment(curve.until),
        count=words.number(curve.highest.count),
        span=words.duration(curve.every.total_seconds()),
        moment=words.moment(curve.highest.at),
        expected=words.number(curve.highest.expected),
    )
    if card.ended_at:
        over = words.say(
            "It began {began} and was over {ended}.",
            began=words.moment(card.opened_at),
            ended=words.moment(card.ended_at),
        )
        return f"{told} {over}"
    lasts = words.say("It began {began} and still lasts.", began=words.moment(card.opened_at))
    return f"{told} {lasts}"


def _cut(name: str) -> str:
    return showing.short_name(name, 60)


def _spoken(words: Words, voice: Voice) -> Spoken:
    return Spoken(
        name=showing.short_name(voice.name),
        handle=showing.short_name((voice.handle or "").lstrip("@")),
        followers=showing.author_words(words, voice.followers),
        influence=voice.influence,
        text=showing.whole_text(voice.text),
        is_gone=not voice.text,
        language=showing.language_called(words, voice.language_name),
        at=voice.posted_at,
        url=showing.checked(voice.url),
    )


def _alerts(request: PageRequest, row: AlertRow, now: datetime) -> Sequence[tuple[AlertRow, showing.Standing]]:
    rows = request.office.store.trails.of_incident(row.id, _MOST_ALERTS)
    return [(one, showing.standing(request.words, one, request.visitor.actor, now)) for one in rows]


def _posts_of(item: IncidentItem) -> MentionFilter:
    """Return what finds the negative posts of a burst's time; those that it counts are among them."""
    row = item.incident
    return MentionFilter(
        countries=[row.country],
        brands=[row.brand],
        topics=[row.topic] if row.topic else (),
        sentiments=[Sentiment.NEGATIVE.value],
        since=row.began_at,
        until=(row.ended_at or row.counted_until) + INTERVAL,
        drills=row.drill,
    )


def _posts_url(item: IncidentItem) -> str:
    """Return the address of the posts that a burst is made of, as far as a search finds them."""
    row = item.incident
    asked = [("country", row.country), ("brand", row.brand), ("sentiment", "negative"), ("span", _span(item))]
    return f"/mentions?{urlencode([*asked, *([('topic', row.topic)] if row.topic else [])])}"


def _span(item: IncidentItem) -> str:
    age = item.incident.counted_until - item.incident.began_at
    return next((name for name, (_, span) in SPANS.items() if age + timedelta(days=1) < span), "all")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


NAV = Nav(marked("Incidents"), "/incidents", order=30)
ROUTES = (
    Route("/incidents", incidents),
    Route("/incidents/{alert:int}", incident),
    Route("/incidents/{name}", named),
)
