"""Filters of lists: what a page's address asks for, how it is changed, and how each part of it is taken away again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from listener.console.page import PageRequest
from listener.words import marked

PAGED = ("before", "flash")
"""Parts of an address that another filter makes void."""
_LONGEST_TEXT = 300
SPANS: Mapping[str, tuple[str, timedelta]] = {
    "24h": (marked("the last 24 hours"), timedelta(hours=24)),
    "7d": (marked("the last 7 days"), timedelta(days=7)),
    "30d": (marked("the last 30 days"), timedelta(days=30)),
    "90d": (marked("the last 90 days"), timedelta(days=90)),
    "365d": (marked("the last year"), timedelta(days=365)),
}
"""Spans that lists can be narrowed to."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a filter can have."""

    value: str
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter with all its values, as a field of a form."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """One part of what is asked for, and the address without it."""

    label: str
    text: str
    url: str


def choice(request: PageRequest, name: str, label: str, values: Iterable[tuple[str, str]]) -> Choice:
    """Return a filter as a field; what the address asks for is chosen."""
    chosen = request.choices(name)
    return Choice(name, label, tuple(Option(value, text, value in chosen) for value, text in values))


def wanted(request: PageRequest, name: str, known: Iterable[str]) -> list[str]:
    """Return what the address asks for under one name, without what there is not."""
    return [value for value in dict.fromkeys(request.choices(name)) if value in set(known)]


def wanted_text(request: PageRequest) -> str:
    """Return the words that are searched for."""
    return request.query.get("text", "").strip()[:_LONGEST_TEXT]


def wanted_since(request: PageRequest, now: datetime, usual: str = "") -> datetime | None:
    """Return since when things are asked for; None for all of them."""
    name = request.query.get("span", "") or usual
    return now - SPANS[name][1] if name in SPANS else None


def chips(request: PageRequest, choices: Sequence[Choice]) -> list[Chip]:
    """Return what is asked for, part by part."""
    found = []
    if text := wanted_text(request):
        found.append(Chip(request.words.say("Words"), text, address(request, without=("text", request.query["text"]))))
    for one in choices:
        found += [
            Chip(one.label, option.text, address(request, without=(one.name, option.value)))
            for option in one.options
            if option.chosen and option.value
        ]
    return found


def address(
    request: PageRequest,
    *,
    plus: tuple[str, str] | None = None,
    without: tuple[str, str] | None = None,
    path: str = "",
    **set_to: str,
) -> str:
    """Return this page's address with a value more or less, or with some set; the first page of what it lists.

    Args:
        request: the page as it is asked for.
        plus: name and value to add.
        without: name and value to take away.
        path: another page's path; this one's where empty.
        **set_to: names with the one value that each has instead; left out where empty.
    """
    pairs = [
        (name, value)
        for name, values in request.query_lists.items()
        for value in values
        if value and name not in set_to and name not in PAGED and (name, value) != without
    ]
    pairs += [plus] if plus else []
    pairs += [(name, value) for name, value in set_to.items() if value]
    here = path or request.request.url.path
    return f"{here}?{urlencode(pairs)}" if pairs else here
