"""Alerts and posts as pages show them: how they stand in words and times, others' texts cleaned, addresses checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import regex
from babel import Locale

from alerts.card import Card, IncidentCard, Voice, load_message
from alerts.escaping import clean, one_line, shorten, shorten_lines, web_url
from alerts.wording import network_name
from listener.config import Config
from listener.console import names
from listener.console.acts import is_owner
from listener.console.words import Words
from listener.desk import Actor
from listener.model import Guidance, Reason
from listener.pipeline.cards import reference
from listener.searching import Query, found_in
from listener.sentences import Listing, Sentence, sentence
from listener.store import AlertRow, Store
from listener.store.browsing import AlertItem
from listener.words import marked

_LONGEST_NAME = 80
_LONGEST_EXCERPT = 280
_MOST_LINES = 60
_LONGEST_TEXT = 8_000
_BACK_TO = regex.compile(r"back to version (\d{1,18})")
_LANGUAGE_TAGS: Mapping[str, str] = {name: tag for tag, name in Locale("en").languages.items()} | {
    "unknown language": "und"
}


@dataclass(frozen=True, slots=True)
class Due:
    """Something that an alert still waits for."""

    goal: str
    at: datetime
    words: str
    """How far off it is: "in 12 min", "5 min late"."""
    missed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stands, in the visitor's words."""

    state: str
    state_name: str
    owner: str
    """Empty where nobody has it."""
    is_mine: bool
    since: datetime | None
    dues: tuple[Due, ...]
    snoozed_until: datetime | None
    ending: str
    """How it ended and by whom; empty while it lives."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a post's text, and which way it moved the scores."""

    text: str
    pull: str = ""
    """`up` raised complaint or urgency, `down` lowered them, `hit` was searched for; empty for the rest."""
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """An alert in a list."""

    id: int
    reference: str
    url: str
    kind: str
    severity: int
    severity_name: str
    country: str
    country_name: str
    brand: str
    topic: str
    network: str
    author: str
    handle: str
    followers: int | None
    excerpt: tuple[Piece, ...]
    language: str
    """BCP 47 tag of the excerpt."""
    fate: str
    team: str
    mentions: int
    opened_at: datetime
    pilot: bool
    drill: bool
    standing: Standing


def short_name(text: str | None, most: int = _LONGEST_NAME) -> str:
    """Return a short text that others chose, on one line."""
    return shorten(one_line(text or ""), most)


def said_of(words: Words, texts: Iterable[str], most: int = 300) -> tuple[str, ...]:
    """Return texts in the visitor's words, each on one line, with what others chose in them cleaned."""
    return tuple(short_name(words.said(one), most) for one in texts)


def language_called(words: Words, name: str) -> str:
    """Return what a language is called that a stored card names in English."""
    return short_name(words.language_name(_LANGUAGE_TAGS.get(name, name)), 60)


def whole_text(text: str) -> str:
    """Return a post's text, cleaned, as much of it as anybody reads on a page."""
    return shorten_lines(shorten(clean(text), _LONGEST_TEXT), _MOST_LINES)


def checked(url: str | None) -> str:
    """Return an address that may stand on a page: http or https, with its true host; else nothing."""
    return web_url(url) or ""


def country_name(config: Config, words: Words, code: str) -> str:
    """Return what a country is called: as the configuration says, else in the visitor's language."""
    country = config.countries.get(code)
    return (country.name if country else None) or words.country(code)


def brand_name(config: Config, key: str) -> str:
    """Return what a brand is called."""
    brand = config.brands.get(key)
    return brand.name if brand else key


def team_name(config: Config, key: str) -> str:
    """Return what a team is called."""
    team = config.teams.get(key)
    return team.name if team else key


def topic_name(words: Words, topic: str) -> str:
    """Return what a topic is called."""
    return words.say(names.TOPICS[topic]) if topic in names.TOPICS else topic


def name_of(config: Config, words: Words, label: str, value: str) -> str | None:
    """Return what the country, brand, team or network of an alert or a post is called; None for any other label."""
    if label == "country":
        return country_name(config, words, value)
    if label == "brand":
        return brand_name(config, value)
    if label == "team":
        return team_name(config, value)
    return network_of(words, value) if label == "network" else None


def network_of(words: Words, network: str | None) -> str:
    """Return what a network is called."""
    if not network:
        return ""
    return words.say(names.NETWORKS[network]) if network in names.NETWORKS else network_name(network)


def noted(words: Words, note: str) -> str:
    """Return what is noted with a version, the daemon's own words in the visitor's."""
    found = _BACK_TO.fullmatch(note)
    return words.say("back to version {number}", number=found[1]) if found else note


def dues(words: Words, alert: AlertRow, now: datetime) -> Iterator[Due]:
    """Yield what an alert still waits for, the nearest first."""
    if not alert.is_live:
        return
    unanswered = alert.replied_at is None and alert.private_at is None
    if alert.respond_by is not None and unanswered:
        yield _due(words, marked("First answer"), alert.respond_by, now)
    if alert.resolve_by is not None:
        yield _due(words, marked("Resolution"), alert.resolve_by, now)


def _due(words: Words, goal: str, at: datetime, now: datetime) -> Due:
    left = (at - now).total_seconds()
    missed = left < 0
    duration = words.duration(abs(left))
    said = words.say("{duration} late", duration=duration) if missed else words.say("in {duration}", duration=duration)
    return Due(words.say(goal), at, said, missed)


def standing(words: Words, alert: AlertRow, actor: Actor, now: datetime) -> Standing:
    """Return how an alert stands, for one visitor."""
    return Standing(
        state=alert.state.value,
        state_name=words.say(names.STATES[alert.state.value]),
        owner=short_name(alert.owner),
        is_mine=is_owner(alert, actor),
        since=alert.claimed_at if alert.owner else None,
        dues=tuple(dues(words, alert, now)),
        snoozed_until=alert.snoozed_until if alert.state.value == "snoozed" else None,
        ending="" if alert.is_live else _ending(words, alert),
    )


def _ending(words: Words, alert: AlertRow) -> str:
    how = words.say(names.RESOLUTIONS.get(alert.resolution or "", names.STATES[alert.state.value]))
    if not alert.closed_by:
        return how
    return words.say("{how}, by {name}", how=how, name=short_name(alert.closed_by))


def line(
    store: Store,
    config: Config,
    words: Words,
    item: AlertItem,
    actor: Actor,
    now: datetime,
    query: Query | None = None,
) -> Line:
    """Return an alert as a list shows it, with what was searched for marked in its post."""
    alert = item.alert
    return Line(
        id=alert.id,
        reference=reference(alert),
        url=f"/incidents/{alert.id}" if alert.kind == "incident" else f"/alerts/{alert.id}",
        kind=alert.kind,
        severity=alert.severity,
        severity_name=words.say(names.SEVERITIES.get(alert.severity, names.SEVERITIES[1])),
        country=alert.country,
        country_name=country_name(config, words, alert.country),
        brand=brand_name(config, alert.brand),
        topic=topic_name(words, alert.topic),
        network=network_of(words, item.network),
        author=short_name(item.author_name or item.author_handle),
        handle=short_name((item.author_handle or "").lstrip("@")),
        followers=item.author_followers,
        excerpt=tuple(hits(_excerpt(store, words, item), query)),
        language=item.language or "",
        fate=item.fate or "stands",
        team=team_name(config, alert.now_with),
        mentions=alert.mentions,
        opened_at=alert.opened_at,
        pilot=alert.pilot,
        drill=alert.drill,
        standing=standing(words, alert, actor, now),
    )


def _excerpt(store: Store, words: Words, item: AlertItem) -> str:
    if item.alert.kind == "incident":
        card = incident_card(store.incidents.facts(item.alert.id))
        return "" if card is None else burst_size(words, card)
    return shorten(one_line(item.text), _LONGEST_EXCERPT)


def burst_size(words: Words, card: IncidentCard) -> str:
    """Say how big a burst is, in one sentence."""
    return words.say(
        "{mentions} negative posts by {authors} authors, where {expected} would be usual",
        mentions=words.number(card.mentions),
        authors=words.number(card.authors),
        expected=words.number(card.expected),
    )


def incident_card(facts: str | None) -> IncidentCard | None:
    """Return an incident's card from what is stored of it; None where it cannot be read."""
    try:
        card = load_message(facts) if facts is not None else None
    except ValueError:
        return None
    return card if isinstance(card, IncidentCard) else None


def author_words(words: Words, followers: int | None) -> str:
    """Say how many follow somebody; empty where the network does not say."""
    return "" if followers is None else words.plural("{count} follower", "{count} followers", followers)


def voices(card: IncidentCard) -> list[Voice]:
    """Return who speaks in a burst: the first, then those heard most."""
    found = [*([card.first] if card.first else []), *card.influential]
    return list(dict.fromkeys(found))


def pieces(text: str, reasons: Sequence[Reason]) -> list[Piece]:
    """Return a text cut at the words that moved its scores, so that a page can show them in place."""
    weights: Mapping[str, float] = {reason.word.casefold(): reason.weight for reason in reasons if reason.word.strip()}
    if not weights:
        return [Piece(text)]
    known = "|".join(regex.escape(word) for word in sorted(weights, key=len, reverse=True))
    found, end = [], 0
    for match in regex.finditer(known, text, flags=regex.IGNORECASE, timeout=1.0):
        weight = weights.get(match[0].casefold(), 0.0)
        if match.start() > end:
            found.append(Piece(text[end : match.start()]))
        found.append(Piece(match[0], "up" if weight > 0 else "down", weight))
        end = match.end()
    return [*found, *([Piece(text[end:])] if end < len(text) else [])]


def hits(text: str, query: Query | None) -> list[Piece]:
    """Return a text cut at what was searched for, so that a list can show it in place."""
    found, end = [], 0
    for start, stop in found_in(text, query) if query else ():
        if start > end:
            found.append(Piece(text[end:start]))
        found.append(Piece(text[start:stop], "hit"))
        end = stop
    return [*found, *([Piece(text[end:])] if end < len(text) else [])]


def tidied(words: Words, card: Card) -> Card:
    """Return a card with its reasons in the visitor's words and others' short texts cleaned; post and drafts stay."""
    who = card.author
    author = replace(
        who,
        name=short_name(who.name),
        handle=short_name(who.handle) or None,
        because=said_of(words, who.because, 200),
    )
    return replace(
        card,
        author=author,
        place=short_name(card.place),
        reasons=said_of(words, card.reasons),
        priority_explanation=short_name(words.said(card.priority_explanation), 300),
        words=tuple(short_name(one, 60) for one in card.words),
        guidance=guided(card.guidance),
    )


def guided(guidance: Guidance | None) -> Guidance | None:
    """Return guidance as sentences: that of a stored card has lost what its texts know, and not the texts."""
    if guidance is None:
        return None
    handoff = guidance.handoff
    return replace(
        guidance,
        title=_told(guidance.title),
        steps=tuple(map(_told, guidance.steps)),
        never=tuple(map(_told, guidance.never)),
        tell=tuple(map(_told, guidance.tell)),
        promise=tuple(map(_told, guidance.promise)),
        ask=tuple(one if isinstance(one, Listing) else _asked(one) for one in guidance.ask),
        close=_told(guidance.close),
        handoff=replace(handoff, steps=_told(handoff.steps), first=_told(handoff.first)),
    )


def _told(text: str) -> str:
    return text if isinstance(text, Sentence | Listing) else sentence(text)


def _asked(text: str) -> Listing:
    return Listing.of(map(sentence, text.split(" – ")), " – ")
