"""Sources: how each watch stands, what it uses and costs, and a button that tries it out."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from babel.numbers import format_currency
from starlette.responses import Response
from starlette.routing import Route

from listener.console import names
from listener.console.listening import WORST_FIRST, Listening, WatchView, listening
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.showing import network_of, short_name
from listener.console.words import Words, marked
from listener.model import Watch
from listener.source_trial import MOST_SAID, TooSoonError, allow, try_watch
from listener.store.lock import no_daemon_runs

STANDINGS: Mapping[str, tuple[str, str]] = {
    "fine": (marked("heard"), "good"),
    "new": (marked("not polled yet"), "plain"),
    "overdue": (marked("overdue"), "warn"),
    "failing": (marked("failing"), "warn"),
    "quota": (marked("quota used up"), "bad"),
    "refused": (marked("refused"), "bad"),
    "off": (marked("off"), "bad"),
}
"""What a watch's standing is called, and its tone."""
TRIALS: Mapping[str, tuple[str, str]] = {
    "works": (marked("It works."), "good"),
    "nothing": (marked("It works, and there is nothing to hear yet."), "info"),
    "off": (marked("It is off: a secret is not set."), "bad"),
    "refused": (marked("It is refused."), "bad"),
    "quota": (marked("Its quota is used up."), "bad"),
    "failed": (marked("It was not reached; this may pass. Try again in a minute."), "warn"),
}
_DAYS = timedelta(days=14)


@page("admin")
def sources(request: PageRequest) -> Response:
    """Show every source with its watches, what is wrong with the network first."""
    seen = _listening(request)
    standings = Counter(watch.standing for watch in seen.watches)
    values = {
        "listening": seen,
        "no_daemon": no_daemon_runs(request.office.config.store.address),
        "counts": [(name, standings[name]) for name in WORST_FIRST if standings[name]],
        **_words(request.words),
    }
    return request.render("sources.html", values)


@page("admin")
def watch(request: PageRequest) -> Response:
    """Show one watch: its days, what it did not see and what it did not take."""
    view = _view(request, _watch(request, request.path["watch"]))
    return request.render("sources/watch.html", _details(request, view))


@page("admin")
def trial(request: PageRequest) -> Response:
    """Try a watch out with one small request."""
    chosen = _watch(request, request.form.get("watch", ""))
    values: dict[str, Any] = {"outcome": None, "too_soon": False}
    try:
        allow(request.office.store, chosen.source, request.office.clock)
    except TooSoonError:
        values["too_soon"] = True
    else:
        cursor = request.office.store.collecting.state(chosen.id).cursor
        values["outcome"] = outcome = try_watch(request.office.config, request.office.clock, chosen, cursor)
        request.note("source tried out", chosen.id, country=chosen.country, state=outcome.state)
    view = _view(request, chosen)
    template = "sources/_trial.html" if request.is_htmx else "sources/watch.html"
    return request.render(template, {**_details(request, view), **values})


def money(words: Words, dollars: float) -> str:
    """Write an amount of US dollars; small ones with the tenths of cents that networks charge."""
    pattern = "¤#,##0.000" if 0 < dollars < 0.1 else None
    return str(format_currency(dollars, "USD", pattern, locale=words.locale, currency_digits=pattern is None))


def _words(words: Words) -> dict[str, Any]:
    return {
        "STANDINGS": STANDINGS,
        "TRIALS": TRIALS,
        "network_of": partial(network_of, words),
        "tried": lambda said: short_name(words.said(said), MOST_SAID),
        "money": lambda dollars: money(words, dollars),
        "day_name": lambda day: words.day(date.fromisoformat(day)),
    }


def _seen(request: PageRequest) -> list[Watch]:
    return [watch for watch in request.office.config.watches if request.visitor.sees(watch.country)]


def _listening(request: PageRequest) -> Listening:
    office = request.office
    return listening(office.config, office.store, _seen(request), office.clock.now())


def _watch(request: PageRequest, watch_id: str) -> Watch:
    found = next((watch for watch in _seen(request) if watch.id == watch_id), None)
    if found is None:
        raise NotFoundError(f"no watch {watch_id}")
    return found


def _view(request: PageRequest, chosen: Watch) -> WatchView:
    office = request.office
    (view,) = listening(office.config, office.store, [chosen], office.clock.now()).watches
    return view


def _details(request: PageRequest, view: WatchView) -> dict[str, Any]:
    now = request.office.clock.now()
    rows = [row for row in request.office.store.collecting.skipped() if row["watch_id"] == view.watch.id]
    since = f"{now - _DAYS:%Y-%m-%d}"
    return {
        "view": view,
        "days": [day for day in view.days if day.day > since],
        "SKIPPED": names.SKIPPED,
        "skipped": sorted(rows, key=lambda row: row["last_at"], reverse=True),
        "outcome": None,
        "too_soon": False,
        **_words(request.words),
    }


NAV = Nav(marked("Sources"), "/sources", role="admin", order=60)
ROUTES = (
    Route("/sources", sources),
    Route("/sources/trial", trial, methods=["POST"]),
    Route("/sources/{watch:path}", watch),
)
