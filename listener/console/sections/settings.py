"""Settings: the configurations that were in force, what each changed, and the way back."""

from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from listener.console.page import Nav, NotFoundError, PageRequest, RefusedError, page
from listener.console.versions import concerns, listed, said_note, seen_changes
from listener.console.words import marked
from listener.errors import ConfigError, ListenerError, StaleError
from listener.keeping import diff
from listener.store.configurations import Version

_PER_PAGE = 25
_MOST_NAMED = 3
ORIGINS = {
    "file": marked("edited in the file"),
    "console": marked("in the console"),
    "cli": marked("on the command line"),
    "daemon": marked("by the daemon"),
}


@page("admin")
def settings(request: PageRequest) -> Response:
    """Show the configurations that were in force and concern the visitor, the latest first."""
    before = request.query.get("before", "")
    found, more = listed(request, _PER_PAGE, int(before) if before.isdecimal() and len(before) < 19 else None)
    lines = [(version, seen_changes(request, earlier, version) if earlier else []) for version, earlier in found]
    values = {
        "lines": [(version, said[:_MOST_NAMED], max(0, len(said) - _MOST_NAMED)) for version, said in lines],
        "more": f"/settings?before={more}" if more else "",
        "is_first": not before,
        "digest": request.office.keeper.digest,
        "ORIGINS": ORIGINS,
        "noted": partial(said_note, request),
    }
    return request.render("settings.html", values)


@page("admin")
def version(request: PageRequest) -> Response:
    """Show what one configuration changed, and what bringing it back would change."""
    return request.render("settings/version.html", _details(request))


@page("admin")
def rollback(request: PageRequest) -> Response:
    """Bring an earlier configuration back."""
    words, keeper = request.words, request.office.keeper
    if not request.visitor.rules_all:
        raise RefusedError(words.say("Only an admin of all countries brings configurations back."))
    found = _version(request)
    if not request.is_first_press():
        return request.back("/settings")
    try:
        made = keeper.rollback(found.id, request.visitor.full_name, seen=request.form.get("seen"), origin="console")
    except StaleError:
        said = words.say(
            "The configuration was changed meanwhile by somebody else. Look at what differs now, then decide."
        )
        return request.back(f"/settings/{found.id}", said, "bad")
    except ConfigError as error:
        return request.render("settings/version.html", {**_details(request), "problems": error.problems}, 422)
    except ListenerError as error:
        return request.render("settings/version.html", {**_details(request), "refusal": str(error)}, 422)
    if made.id == found.id:
        return request.back("/settings", words.say("The files are again what is in force."))
    said = words.say("Version {number} is in force again, as version {new}.", number=str(found.id), new=str(made.id))
    return request.back("/settings", said)


def _version(request: PageRequest) -> Version:
    number = request.path["id"]
    found = request.office.keeper.version(int(number)) if number.isdecimal() and len(number) < 19 else None
    if found is None or not concerns(request, found.id):
        raise NotFoundError(f"no version {number}, or of other countries alone")
    return found


def _details(request: PageRequest) -> dict[str, Any]:
    keeper, found, sees_files = request.office.keeper, _version(request), request.visitor.rules_all
    before = next(iter(keeper.versions(1, found.id)), None)
    current = next(iter(keeper.versions(1)), None)
    is_current = current is not None and current.digest == found.digest
    return {
        "version": found,
        "before": before,
        "is_current": is_current,
        "can_come_back": not is_current or bool(keeper.problem),
        "changed": seen_changes(request, before, found) if before else [],
        "lines": diff(before.files, found.files) if before and sees_files else [],
        "back": seen_changes(request, current, found) if current and not is_current else [],
        "back_lines": diff(current.files, found.files) if current and not is_current and sees_files else [],
        "seen": keeper.standing_digest if keeper.problem else keeper.digest,
        "problems": [],
        "refusal": "",
        "ORIGINS": ORIGINS,
        "noted": partial(said_note, request),
    }


NAV = Nav(marked("Settings"), "/settings", role="admin", order=80)
ROUTES = (
    Route("/settings", settings),
    Route("/settings/{id}", version),
    Route("/settings/{id}/rollback", rollback, methods=["POST"]),
)
