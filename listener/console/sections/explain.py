"""Why a post became an alert, or did not: every step, drawn from the value that `listener explain` prints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from alerts.escaping import clean, one_line, shorten
from listener.config import Config
from listener.console import showing
from listener.console.page import Nav, PageRequest, page
from listener.console.words import Words
from listener.explaining import Explanation, Fact, Step, UnknownReferenceError, explain
from listener.sentences import Listing, Sentence
from listener.words import marked

_LONGEST = 300
_LONGEST_VALUE = 1_500
_SIGNS: Mapping[str, tuple[str, str]] = {
    "ok": ("✓", marked("went on")),
    "held": ("‖", marked("held back")),
    "stopped": ("✗", marked("stopped here")),
    "info": ("·", marked("for information")),
}
_BASES: Mapping[str, str] = {
    "recomputed": marked("worked out now from what is stored"),
    "today": marked("under the settings in force now"),
}


@dataclass(frozen=True, slots=True)
class ShownFact:
    """One fact in the visitor's words."""

    label: str
    value: str
    detail: str
    hostile: bool
    sign: str
    sign_words: str
    basis: str
    depth: int
    at: datetime | None
    url: str
    """The explanation of what it names; empty where it names nothing."""


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step in the visitor's words."""

    state: str
    sign: str
    sign_words: str
    title: str
    summary: str
    brand: str
    facts: tuple[ShownFact, ...]


@page("viewer")
def explanation(request: PageRequest) -> Response:
    """Every step from a post to its message, or to the silence."""
    asked = one_line(request.query.get("ref", ""))[:_LONGEST]
    text = clean(request.query.get("text", ""))[:_LONGEST_VALUE]
    values: dict[str, object] = {
        "asked": asked,
        "text": text,
        "found": None,
        "problem": "",
        "steps": (),
        "is_worked_out": False,
    }
    if not asked:
        return request.render("explain.html", values)
    found = _found(request, asked, text)
    if found is None:
        values["problem"] = request.words.say(
            "There is nothing of that name, or it is of a country that you do not see. Write an alert as A-12, an"
            " incident as I-12, a post as x:1790000000 or its address."
        )
        return request.render("explain.html", values, 404)
    steps = [_step(request.words, step) for step in found.steps]
    values |= {
        "found": found,
        "title": _said(request.words, found.title),
        "steps": steps,
        "is_worked_out": any(fact.basis for step in steps for fact in step.facts),
        "alert_url": _alert_url(found),
        "is_missing": found.ending == "unknown",
    }
    return request.render("explain.html", values)


def _found(request: PageRequest, asked: str, text: str) -> Explanation | None:
    """Return the explanation, if the visitor may see all countries that it tells of."""
    office, sees = request.office, request.visitor.countries
    try:
        found = explain(office.store, office.config, asked, now=office.clock.now(), text=text)
        if found.ending == "unknown" and sees is not None:  # of a post that is not stored: by the visitor's own watches
            own = _narrowed(office.config, sees)
            return explain(office.store, own, asked, now=office.clock.now(), text=text)
    except UnknownReferenceError:
        return None
    is_seen = sees is None or (bool(found.countries) and all(request.visitor.sees(code) for code in found.countries))
    return found if is_seen else None


def _narrowed(config: Config, countries: tuple[str, ...]) -> Config:
    watches = tuple(watch for watch in config.watches if watch.country in countries)
    return config.model_copy(update={"watches": watches})


def _alert_url(found: Explanation) -> str:
    kind, _, number = found.alert.partition("-")
    if not number.isdecimal():
        return ""
    return f"/{'incidents' if kind == 'I' else 'alerts'}/{number}"


def _step(words: Words, step: Step) -> ShownStep:
    sign, sign_words = _SIGNS[step.state]
    return ShownStep(
        state=step.state,
        sign=sign,
        sign_words=words.say(sign_words),
        title=words.text(step.title or step.name),
        summary=words.capital(_said(words, step.summary)),
        brand=showing.short_name(step.brand),
        facts=tuple(_facts(words, step)),
    )


def _facts(words: Words, step: Step) -> Iterator[ShownFact]:
    for fact in step.facts:
        yield ShownFact(
            label=_label(words, fact.label) if fact.label else "",
            value=_value(words, fact),
            detail=_said(words, fact.detail) if fact.detail else "",
            hostile=fact.hostile,
            sign="" if fact.holds is None else "✓" if fact.holds else "✗",
            sign_words="" if fact.holds is None else words.say("holds") if fact.holds else words.say("does not hold"),
            basis=words.say(_BASES[fact.basis]) if fact.basis in _BASES else "",
            depth=min(fact.depth, 3),
            at=fact.at,
            url=f"/explain?{urlencode({'ref': fact.link})}" if fact.link else "",
        )


def _label(words: Words, label: str) -> str:
    said = _said(words, label) if isinstance(label, Sentence | Listing) else words.text(label)
    # Translators: what a figure or a text is, before it; only the mark after it is yours.
    return words.say("{label}:", label=said)


def _value(words: Words, fact: Fact) -> str:
    if fact.at is not None:
        return words.moment(fact.at)
    return _said(words, fact.value)


def _said(words: Words, text: str) -> str:
    """Return a text in the visitor's words where it is a sentence; what stands in it is cleaned."""
    return shorten(clean(words.said(text)), _LONGEST_VALUE)


NAV = Nav(marked("Explain"), "/explain", order=40)
ROUTES = (Route("/explain", explanation),)
