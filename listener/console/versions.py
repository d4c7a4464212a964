"""Kept configurations as one visitor may see them. One that concerns other countries alone is not shown at all."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any
from weakref import WeakKeyDictionary

from listener.config.document import parse_yaml
from listener.console.office import Office
from listener.console.page import PageRequest
from listener.console.showing import noted
from listener.keeping import changes
from listener.store.configurations import Version

_MOST_READS = 8
"""So many times more than a page shows is looked through for versions that concern its visitor."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Whom a version concerns."""

    countries: frozenset[str] = frozenset()
    """Whose settings in effect it changed."""
    everybody: bool = False
    """Whether it is the first, or `defaults` say something else than before."""


_known: WeakKeyDictionary[Office, dict[int, Touched]] = WeakKeyDictionary()
_known_lock = threading.Lock()


def listed(request: PageRequest, limit: int, before: int | None) -> tuple[list[tuple[Version, Version | None]], int]:
    """Return versions that concern the visitor, the latest first, each with the one that was kept before it.

    The number is the one from which there may be more, 0 where there are none.
    """
    keeper, pairs = request.office.keeper, list[tuple[Version, Version | None]]()
    for _ in range(_MOST_READS):
        found = keeper.versions(limit + 1, before)
        for version, earlier in zip_longest(found[:limit], found[1:]):
            if not concerns(request, version.id, (earlier, version)):
                continue
            if len(pairs) == limit:
                return pairs, pairs[-1][0].id
            pairs.append((version, earlier))
        if len(found) <= limit:
            return pairs, 0
        before = found[limit - 1].id
        if len(pairs) == limit:
            break
    return pairs, before or 0


def concerns(request: PageRequest, number: int, pair: tuple[Version | None, Version | None] | None = None) -> bool:
    """Tell whether a version concerns the visitor: it changed their countries, or `defaults`, or it is the first.

    `pair` is the version, with the one before it, where they were read already.
    """
    visitor = request.visitor
    if visitor.countries is None:
        return True
    with _known_lock:
        known = _known.setdefault(request.office, {})
    if number not in known:  # what was kept never changes
        known[number] = touched(*(pair or _read(request.office, number)), request.office.config.path.name)
    return known[number].everybody or any(map(visitor.sees, known[number].countries))


def touched(before: Version | None, after: Version | None, file: str) -> Touched:
    """Return whom a version concerns, by what it says other than the one before it; `file` is the configuration's."""
    if after is None or before is None:
        return Touched(everybody=after is not None)
    old, new = _countries(before), _countries(after)
    return Touched(
        frozenset(code for code in {*old, *new} if old.get(code) != new.get(code)),
        _defaults(before.files.get(file, "")) != _defaults(after.files.get(file, "")),
    )


def seen_changes(request: PageRequest, before: Version, after: Version) -> Sequence[str]:
    """Return which settings in effect differ, those that the visitor may not see left out."""
    return [line for line in changes(before.effective, after.effective) if request.visitor.sees_setting(line)]


def said_note(request: PageRequest, note: str, origin: str) -> str:
    """Return what is noted with a version; what the daemon itself says of the whole file is for who sees all of it."""
    if origin == "daemon" and request.visitor.countries is not None:
        return ""
    return noted(request.words, note)


def _read(office: Office, number: int) -> tuple[Version | None, Version | None]:
    return next(iter(office.keeper.versions(1, number)), None), office.keeper.version(number)


def _countries(version: Version) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(version.effective).get("countries", {})
    return found


@lru_cache(maxsize=4)
def _defaults(text: str) -> Any:
    data = parse_yaml(text, "").data
    return data.get("defaults") if isinstance(data, dict) else None
