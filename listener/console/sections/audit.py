"""The audit log: who changed what. What was done with an alert stands on the alert's own page."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from listener.console import names
from listener.console.page import Nav, PageRequest, page
from listener.console.versions import concerns, said_note
from listener.console.words import Words, marked
from listener.store.audit import Audited

_PAGE = 50
_MOST_READS = 20
"""So many times as many lines as a page shows are looked through for those that concern its visitor."""
_LONGEST_VALUE = 300
_LONGEST_NUMBER = 16
_OF_PEOPLE = ("account added", "account changed", "signed in", "signed out everywhere", "sign-in failed")
"""People are looked after by admins of all countries: others read nothing of them here either."""
_FILTERS = ("actor", "action", "object")


@page("admin")
def audit(request: PageRequest) -> Response:
    """Show the log, the latest line first: of the visitor's countries, and what concerns all of them but people."""
    wanted = {name: request.query.get(name, "").strip()[:_LONGEST_VALUE] for name in _FILTERS}
    before = request.query.get("before", "")
    lines, more = _lines(request, wanted, int(before) if before.isdecimal() and len(before) < 16 else None)
    words = request.words
    values = {
        "lines": [(line, _object(words, line), list(_told(request, line))) for line in lines],
        "change_of": lambda line: _change_of(request, line),
        "action_name": lambda action: _named(words, names.ACTIONS, action),
        "origin_name": lambda origin: _named(words, names.ORIGINS, origin),
        "actions": _actions(request, wanted["action"]),
        "wanted": wanted,
        "filtered": {name: value for name, value in wanted.items() if value},
        "next": _address(wanted, str(more)) if more else "",
        "first": _address(wanted) if before else "",
        "address": lambda **other: _address({**wanted, **other}),
    }
    return request.render("audit.html", values)


def _lines(request: PageRequest, wanted: Mapping[str, str], before: int | None) -> tuple[list[Audited], int]:
    """Return the lines of a page, and the number from which there may be more, 0 where there are none."""
    lines: list[Audited] = []
    for _ in range(_MOST_READS):
        found = request.office.store.audit.page(
            limit=_PAGE + 1,
            before=before,
            countries=request.visitor.countries,
            without=() if request.visitor.rules_all else _OF_PEOPLE,
            **wanted,
        )
        for line in found[:_PAGE]:
            if not _concerns(request, line):
                continue
            lines.append(line)
            if len(lines) == _PAGE:
                return lines, line.id if line.id != found[-1].id else 0
        if len(found) <= _PAGE:
            return lines, 0
        before = found[_PAGE - 1].id
    return lines, before or 0


def _concerns(request: PageRequest, line: Audited) -> bool:
    """Tell whether a line concerns the visitor, which of a configuration's its own row does not say."""
    if line.action == "configuration changed" and line.object.isdecimal():
        return concerns(request, int(line.object))
    named = line.data.get("countries")
    return not isinstance(named, list) or all(map(request.visitor.sees, named))


def _address(wanted: Mapping[str, str], before: str = "") -> str:
    query = {name: value for name, value in {**wanted, "before": before}.items() if value}
    return f"/audit?{urlencode(query)}" if query else "/audit"


def _actions(request: PageRequest, wanted: str) -> list[tuple[str, str]]:
    """Return what may be asked for, and what was."""
    hidden = () if request.visitor.rules_all else _OF_PEOPLE
    shown = [action for action in names.ACTIONS if action not in hidden]
    known = {action: request.words.say(names.ACTIONS[action]) for action in shown}
    other = [] if wanted in ("", *known) else [(wanted, wanted)]
    return [("", request.words.say("whatever it was")), *known.items(), *other]


def _object(words: Words, line: Audited) -> str:
    number = line.object.removeprefix("silence ")
    return words.say("silence {number}", number=number) if number != line.object else number


def _change_of(request: PageRequest, line: Audited) -> str:
    """Return where the change of the configuration stands that a line tells of; empty where it tells of none."""
    number = str(line.data.get("version", "")) if line.action == "settings changed" else line.object
    is_change = line.action in ("configuration changed", "settings changed")
    is_known = is_change and number.isdecimal() and len(number) < _LONGEST_NUMBER
    return f"/settings/{number}" if is_known and concerns(request, int(number)) else ""


def _told(request: PageRequest, line: Audited) -> Iterator[tuple[str, str]]:
    """Return what a line says besides, as names and values; what was and what is with an arrow."""
    words = request.words
    for key, value in line.data.items():
        if key == "note":
            value = said_note(request, str(value), line.origin)
            if not value:
                continue
        name, said = _named(words, names.TOLD, str(key)), names.VALUES.get(str(key), {})
        if isinstance(value, dict) and value.keys() == {"was", "is"}:
            yield name, f"{_written(words, value['was'], said)} → {_written(words, value['is'], said)}"
        else:
            yield name, _written(words, value, said)


def _named(words: Words, known: Mapping[Any, str], value: Any) -> str:
    return words.say(known[value]) if value in known else str(value)


def _written(words: Words, value: object, said: Mapping[Any, str]) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return words.say("yes") if value else words.say("no")
    if isinstance(value, str | int):
        return _cut(_named(words, said, value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return _cut(", ".join(value))
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


NAV = Nav(marked("Audit log"), "/audit", "admin", order=95)
ROUTES = (Route("/audit", audit),)
