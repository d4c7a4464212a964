"""Silences: what is muted, by whom, why and until when; adding one with a look at what it mutes, and ending one.

Everybody may read those that can concern their countries, so that they know why it is quiet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response
from starlette.routing import Route

from alerts.silences import LABELS, Matcher, MatcherError, parse_matcher, parse_matchers
from listener.console import names, showing
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.desk import DeskError, RepeatedError
from listener.model import TOPICS
from listener.pipeline.cards import reference
from listener.store.silences import SilenceRow
from listener.words import marked

_MOST_NAMED = 20
_MOST_SHOWN = 100
_LONGEST_REASON = 500
_LONGEST_MATCHERS = 2_000
_CHOSEN = ("brand", "team", "topic", "severity", "network")
"""Labels that are chosen from lists, beside the country."""
_SPANS = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A silence as the page shows it."""

    row: SilenceRow
    matchers: tuple[tuple[str, str], ...]
    """Each as it was written, and what its value is called where that is another word."""
    author: str
    reason: str
    ended_by: str
    holding: int
    state: str
    """`coming`, `on` or `over`."""
    may_end: bool


@page("viewer")
def silences(request: PageRequest) -> Response:
    """Silences that are in force or to come, then those that are over."""
    office, now = request.office, request.office.clock.now()
    holding = office.store.silences.holding(request.visitor.countries)
    rows = [row for row in office.store.silences.latest(_MOST_SHOWN) if concerns(request, row)]
    shown = [_shown(request, row, holding.get(row.id, 0), now) for row in rows]
    return request.render("silences.html", {**_form(request), "shown": shown, "muted": None, "problem": ""})


@page("communications-lead")
def add(request: PageRequest) -> Response:
    """Show what a silence would mute, or add it."""
    form = _form(request)
    matchers, reason = _matchers(request), request.form.get("reason", "").strip()[:_LONGEST_REASON]
    lasting = _SPANS.get(request.form.get("lasting", ""))
    try:
        request.office.desk.read_matchers(matchers)
    except MatcherError as error:
        return _again(request, form, request.words.capital(request.words.said(error.args[0])))
    if request.form.get("step") != "add":
        muted = [row for row in request.office.desk.muted_by(matchers) if request.visitor.sees(row.country)]
        named = [(row, reference(row), showing.topic_name(request.words, row.topic)) for row in muted[:_MOST_NAMED]]
        return request.render(
            "silences.html", {**form, "shown": [], "muted": named, "count": len(muted), "problem": ""}
        )
    if lasting is None or not reason:
        return _again(request, form, request.words.say("Choose how long, and say why: those who wonder will read it."))
    try:
        made, _ = request.office.desk.silence(
            matchers, request.visitor.actor, lasting=lasting, reason=reason, press=request.press
        )
    except RepeatedError:
        return request.back("/silences", request.words.say("That was done with your first press."))
    except MatcherError as error:
        return _again(request, form, request.words.capital(request.words.said(error.args[0])))
    except DeskError as error:
        return _again(request, form, str(error))
    request.note("silence added", f"silence {made}", country=_country(matchers), matchers=matchers, reason=reason)
    return request.back("/silences", request.words.say("Silence {number} is in force.", number=str(made)))


@page("communications-lead")
def end(request: PageRequest) -> Response:
    """End a silence before its time; what it held back goes on its way."""
    row = request.office.store.silences.silence(
        int(request.path["silence"]) if len(request.path["silence"]) < 18 else 0
    )
    if row is None or not _rules(request, row):
        raise NotFoundError("no such silence, or of other countries")
    words, number = request.words, str(row.id)
    if not request.is_first_press():
        return request.back("/silences", words.say("That was done with your first press."))
    if not request.office.desk.end_silence(row.id, request.visitor.actor).done:
        return request.back("/silences", words.say("Silence {number} was over already.", number=number), "bad")
    request.note("silence ended", f"silence {number}", country=_country(row.matchers))
    return request.back(
        "/silences", words.say("Silence {number} is ended; what it held back goes on its way.", number=number)
    )


def _again(request: PageRequest, form: dict[str, object], problem: str) -> Response:
    return request.render("silences.html", {**form, "shown": [], "muted": None, "problem": problem}, 400)


def _form(request: PageRequest) -> dict[str, object]:
    words = request.words
    countries = request.visitor.countries_of(request.office.config)
    return {
        "matchers": request.form.get("matchers", "")[:_LONGEST_MATCHERS],
        "country": request.form.get("country", ""),
        "reason": request.form.get("reason", "")[:_LONGEST_REASON],
        "lasting": request.form.get("lasting", "1h"),
        "spans": [(name, words.say(names.SILENCES[name])) for name in _SPANS],
        "countries": [(code, showing.country_name(request.office.config, words, code)) for code in countries],
        "is_bound": request.visitor.countries is not None,
        "lists": _lists(request),
        "labels": ", ".join(LABELS),
        "topics": [(topic, words.say(names.TOPICS[topic])) for topic in TOPICS],
        "may_add": request.visitor.may("communications-lead"),
    }


def _lists(request: PageRequest) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """Return the labels that are chosen from lists: name, label, values with their words, and what is chosen."""
    words, config = request.words, request.office.config
    labels = {
        "brand": words.say("Brand"),
        "team": words.say("Team"),
        "topic": words.say("Topic"),
        "severity": words.say("Severity"),
        "network": words.say("Network"),
    }
    values: dict[str, list[str]] = {
        "brand": list(config.brands),
        "team": list(config.teams),
        "topic": list(TOPICS),
        "severity": ["3", "2", "1"],
        "network": list(config.sources),
    }
    anything = ("", words.say("any"))
    return [
        (
            name,
            labels[name],
            [anything, *((value, _called(request, name, value)) for value in values[name])],
            request.form.get(name, ""),
        )
        for name in _CHOSEN
    ]


def _called(request: PageRequest, label: str, value: str) -> str:
    """Return what a label's value is called in the visitor's words."""
    words = request.words
    if (called := showing.name_of(request.office.config, words, label, value)) is not None:
        return called
    if label == "topic":
        return showing.topic_name(words, value)
    if label == "severity" and value in ("1", "2", "3"):
        return f"{value} · {words.say(names.SEVERITIES[int(value)])}"
    return value


def _matchers(request: PageRequest) -> list[str]:
    """Return the conditions that were chosen from the lists, the country's first, and those that were written.

    Who sees only some countries silences one of these at a time.
    """
    lines = [line.strip() for line in request.form.get("matchers", "")[:_LONGEST_MATCHERS].splitlines() if line.strip()]
    country = request.form.get("country", "")
    if request.visitor.countries is not None and not (country and request.visitor.sees(country)):
        request.require_country("")
    chosen = [("country", country), *((name, request.form.get(name, "").strip()) for name in _CHOSEN)]
    return [*(f"{name}={value}" for name, value in chosen if value), *lines]


def _country(matchers: Sequence[str]) -> str | None:
    """Return the one country that a silence is bound to; None where it is bound to none."""
    found = {text.removeprefix("country=") for text in matchers if text.startswith("country=")}
    return found.pop() if len(found) == 1 else None


def concerns(request: PageRequest, row: SilenceRow) -> bool:
    """Tell whether a silence can concern what the visitor sees."""
    countries = request.visitor.countries
    return countries is None or any(_can_be_of(row.matchers, code) for code in countries)


def _can_be_of(matchers: Sequence[str], country: str) -> bool:
    try:
        found = parse_matchers(matchers)
    except MatcherError:
        return False
    return all(one.holds({"country": country}) for one in found if one.label == "country")


def _rules(request: PageRequest, row: SilenceRow) -> bool:
    """Tell whether the visitor may end a silence: it concerns nothing but what they see."""
    if not request.visitor.may("communications-lead"):
        return False
    country = _country(row.matchers)
    return request.visitor.countries is None or (country is not None and request.visitor.sees(country))


def _shown(request: PageRequest, row: SilenceRow, holding: int, now: datetime) -> Shown:
    state = "over" if row.ends_at <= now else "coming" if row.starts_at > now else "on"
    return Shown(
        row,
        tuple((text, _in_words(request, text)) for text in row.matchers),
        showing.short_name(row.author),
        showing.short_name(row.reason, _LONGEST_REASON),
        showing.short_name(row.ended_by),
        holding,
        state,
        may_end=state != "over" and _rules(request, row),
    )


def _in_words(request: PageRequest, text: str) -> str:
    """Return what a condition's value is called; empty where it is called as it is written."""
    matcher = _read(text)
    if matcher is None or matcher.operator not in ("=", "!="):
        return ""
    called = _called(request, matcher.label, matcher.value).removeprefix(f"{matcher.value} · ")
    return "" if called.casefold() == matcher.value.casefold() else showing.short_name(called)


def _read(text: str) -> Matcher | None:
    try:
        return parse_matcher(text)
    except MatcherError:
        return None


NAV = Nav(marked("Silences"), "/silences", order=45)
ROUTES = (
    Route("/silences", silences),
    Route("/silences", add, methods=["POST"]),
    Route("/silences/{silence:int}/end", end, methods=["POST"]),
)
