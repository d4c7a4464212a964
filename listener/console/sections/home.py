"""The first page: what waits for whoever signed in, each with the way there."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from listener.console.listening import WatchView, listening
from listener.console.page import Nav, PageRequest, page
from listener.console.sections.silences import concerns
from listener.console.showing import country_name, network_of
from listener.console.words import marked
from listener.store.browsing import Counts
from listener.store.lock import no_daemon_runs

_LEVELS = (3, 2, 1)
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that may wait: how many of them, and where they are."""

    title: str
    figure: str
    url: str
    """Where they are; empty where the visitor may not go there."""
    tone: str = "plain"
    """`bad` or `warn` where somebody should look."""
    text: str = ""
    """What more there is to say of them."""


@page("viewer")
def home(request: PageRequest) -> Response:
    """Show what waits."""
    visitor, office = request.visitor, request.office
    counts = office.store.browsing.counts(
        sees=visitor.countries, now=office.clock.now(), owner_address=visitor.actor.address
    )
    values = {
        "desk": [*_alerts(request, counts)],
        "severities": [(level, counts.live.get(level, 0)) for level in _LEVELS],
        "running": [*_running(request)],
        "no_daemon": no_daemon_runs(office.config.store.address),
    }
    return request.render("home.html", values)


def _alerts(request: PageRequest, counts: Counts) -> Iterator[Card]:
    words = request.words
    if request.visitor.may("community-manager"):
        yield Card(words.say("Yours"), words.number(counts.mine), "/alerts?owner=me")
    tone = "warn" if counts.unowned else "plain"
    yield Card(words.say("Nobody's yet"), words.number(counts.unowned), "/alerts?owner=nobody", tone)
    tone = "bad" if counts.overdue else "plain"
    yield Card(words.say("Overdue"), words.number(counts.overdue), "/alerts?state=overdue", tone)
    tone = "bad" if counts.incidents else "plain"
    lasting = words.plural("Incident that lasts", "Incidents that last", counts.incidents)
    yield Card(lasting, words.number(counts.incidents), "/incidents", tone)
    raised = words.plural("Alert in the last 24 hours", "Alerts in the last 24 hours", counts.raised_today)
    yield Card(raised, words.number(counts.raised_today), "/alerts?state=all&order=latest")
    posts = counts.mentions_today
    figure = words.number(posts.count) if posts.exact else words.say("{number} and more", number=words.number(posts.count))  # fmt: skip  # noqa: E501
    written = words.plural("Post in the last 24 hours", "Posts in the last 24 hours", posts.count)
    yield Card(written, figure, "/mentions")


def _running(request: PageRequest) -> Iterator[Card]:
    """Return why it may be quiet, and how the daemon itself does for those who can mend it."""
    words, office, is_admin = request.words, request.office, request.visitor.may("admin")
    silent = sum(concerns(request, row) for row in office.store.silences.active(office.clock.now()))
    title = words.plural("Silence in force", "Silences in force", silent)
    yield Card(title, words.number(silent), "/silences", "warn" if silent else "plain")
    deaf = _deaf(request)
    tone = "good" if not deaf else "warn" if {one.standing for one in deaf} == {"new"} else "bad"
    title = words.plural("Watch that hears nothing", "Watches that hear nothing", len(deaf))
    yield Card(title, words.number(len(deaf)), "/sources" if is_admin else "", tone, _named(request, deaf))
    if not is_admin:
        return
    unsent = office.store.outbox.unsent_counts(request.visitor.countries)
    dead = sum(count for (_, state, _), count in unsent.items() if state == "dead")
    tone = "bad" if dead else "good"
    title = words.plural("Message not delivered", "Messages not delivered", dead)
    yield Card(title, words.number(dead), "/delivery", tone)
    off = len(office.store.outbox.disabled())
    if off:
        title = words.plural("Receiver switched off", "Receivers switched off", off)
        yield Card(title, words.number(off), "/delivery", "bad")


def _named(request: PageRequest, deaf: list[WatchView]) -> str:
    """Name what watches listen to: each network and country once, the first few."""
    words, config = request.words, request.office.config
    pairs = dict.fromkeys((one.watch.source, one.watch.country) for one in deaf)
    said = [f"{network_of(words, source)} ({country_name(config, words, country)})" for source, country in pairs]
    return ", ".join(said[:_MOST_NAMED]) + (" …" if len(said) > _MOST_NAMED else "")


def _deaf(request: PageRequest) -> list[WatchView]:
    """Return the watches, in the visitor's countries, that hear nothing: all that /sources has not as heard."""
    office = request.office
    watches = [watch for watch in office.config.watches if request.visitor.sees(watch.country)]
    found = listening(office.config, office.store, watches, office.clock.now())
    return [one for one in found.watches if one.standing != "fine"]


@page("viewer")
def about(request: PageRequest) -> Response:
    """Say what this is, and with what right it is here."""
    from listener import __version__

    return request.render("about.html", {"version": __version__})


NAV = Nav(marked("Overview"), "/", order=0)
ROUTES = (Route("/", home), Route("/about", about))
