"""Values as files carry them: text, moments, stable ids, brand terms. Knows no format and no network."""

import hashlib
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from listener.errors import MalformedItemError

EARLIEST_YEAR = 2005
_AHEAD = timedelta(days=1)
# C0 and C1 controls, byte order marks, and the overrides and isolates that turn the reading direction of what follows.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]")
_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_DAMAGE = re.compile("[\udc80-\udcff]")
_SLASHED = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8}){0,2})")
_LANGUAGE_CHARS = 20
LONGEST_WAIT_S = 86400.0
"""No network asks for a longer pause in earnest."""
_NUMBER = re.compile(r"-?\d{1,20}(\.\d+)?")


def clean(text: str) -> str:
    """Return `text` with plain line ends and without the characters that break a display or a database."""
    text = _LINE_ENDS.sub("\n", text)
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text)).strip()


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line, for names."""
    return " ".join(clean(text).split())


def string(value: Any) -> str:
    """Return a field as text; nothing is "".

    Raises:
        MalformedItemError: a list or a mapping stands where text should, or bytes of it were damaged.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise MalformedItemError(f"expected text, found {type(value).__name__}")
    text = str(value)
    if _DAMAGE.search(text):
        raise MalformedItemError("not valid UTF-8")
    return text


def moment(value: Any, zone: tzinfo, now: datetime | None = None) -> datetime:
    """Return the aware UTC time of a field: unix seconds to microseconds, ISO 8601, or a local time in `zone`.

    Raises:
        MalformedItemError: no time, before 2005, or after `now` by more than a day.
    """
    text = string(value).strip()
    try:
        found = _unix(float(text)) if _NUMBER.fullmatch(text) else _written(text, zone)
    except (ValueError, OverflowError):
        raise MalformedItemError(f"not a time: {text[:40]!r}") from None
    if found.year < EARLIEST_YEAR:
        raise MalformedItemError(f"the time {found:%Y-%m-%d} is too early to be true")
    if now is not None and found > now + _AHEAD:
        raise MalformedItemError(f"the time {found:%Y-%m-%d %H:%M} lies in the future")
    return found


def _unix(number: float) -> datetime:
    for limit, unit_s in ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6)):
        if number < limit:
            return datetime.fromtimestamp(number / unit_s, UTC)
    raise ValueError


def _written(text: str, zone: tzinfo) -> datetime:
    match = _SLASHED.fullmatch(text)
    if match:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        found = datetime(year, month, day, hour, minute, second)
    else:
        found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def stable_id(*parts: object) -> str:
    """Return an id made of `parts` alone, the same on every machine and day."""
    joined = "\x1f".join(str(part) for part in parts)
    return "h-" + hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def count(value: Any) -> int | None:
    """Return a whole number of zero or more, or None where the field holds none."""
    try:
        number = float(string(value).replace(",", "").strip())
    except (ValueError, MalformedItemError):
        return None
    return int(number) if math.isfinite(number) and 0 <= number < 1e15 else None


def language_tag(value: Any) -> str | None:
    """Return a BCP 47 tag in its usual case, or None where the field holds none or "und"."""
    if not isinstance(value, str) or len(value) > _LANGUAGE_CHARS:
        return None
    match = _LANGUAGE.fullmatch(value)
    if match is None or match[1].lower() == "und":
        return None
    parts = [_subtag(part) for part in match[2].replace("_", "-").split("-")[1:]]
    return "-".join([match[1].lower(), *parts])


def _subtag(part: str) -> str:
    return part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower()


def bounded_wait_s(value: str | int | float) -> float | None:
    """Return a wait that a server asks for, at most a day; None where it is no number or negative."""
    try:
        wait_s = float(value)
    except OverflowError:
        return LONGEST_WAIT_S
    except ValueError:
        return None
    return min(wait_s, LONGEST_WAIT_S) if wait_s >= 0 else None


def has_term(text: str, terms: Iterable[str]) -> bool:
    """Return whether `text` holds one of `terms`; Latin words only whole, other scripts anywhere."""
    folded = text.casefold()
    return any(re.search(_pattern(term.casefold()), folded) for term in terms if term)


def _pattern(term: str) -> str:
    before = "(?<![a-z0-9])" if re.match("[a-z0-9]", term) else ""
    after = "(?![a-z0-9])" if re.search("[a-z0-9]$", term) else ""
    return before + re.escape(term) + after
