"""Working hours as customers read them, in their own language and its manner of writing days and times."""

from datetime import time
from itertools import pairwise

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_time, get_day_names, get_time_format

from listener.config import Hours
from listener.config.types import WEEKDAYS

_OWN = {"en": "en-GB", "pt": "pt-PT"}
"""The library's `en` is British and its `pt` Portugal's; to Babel both are the other side's."""
_END_OF_DAY = time(23, 59)
_MARKS = {"ar": ("، ", "؛ ")}
"""Between two spans of a day, and between days, where it is not a comma and a semicolon."""


def hours_text(hours: Hours | None, locale: str) -> str:
    """Return hours on one line ("lun.–ven. 09:00–19:00, sam. 10:00–17:00"); "" where there are none.

    Days in a row with the same hours are written as one span.
    """
    if hours is None or not hours.spans:
        return ""
    form = _locale(locale)
    # Not "stand-alone": where Babel takes those from "format", it may take another locale's that was read before.
    names = get_day_names("abbreviated", "format", form)
    merged = [[0]]
    for before, day in pairwise(range(7)):
        if _spans(hours, before) == _spans(hours, day):
            merged[-1].append(day)
        else:
            merged.append([day])
    comma, semicolon = _MARKS.get(form.language, (", ", "; "))
    parts = []
    for days in merged:
        spans = _spans(hours, days[0])
        if spans:
            named = names[days[0]] if len(days) == 1 else f"{names[days[0]]}–{names[days[-1]]}"
            parts.append(f"{named} {comma.join(_written(start, end, form) for start, end in spans)}")
    return semicolon.join(parts)


def _spans(hours: Hours, day: int) -> list[tuple[time, time]]:
    """Return a day's spans in order; those that overlap or touch are one."""
    joined: list[tuple[time, time]] = []
    for start, end in sorted(hours.spans.get(WEEKDAYS[day], [])):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _written(start: time, end: time, locale: Locale) -> str:
    shown = _clock(end, locale) if end < _END_OF_DAY else _midnight(locale)
    return f"{_clock(start, locale)}–{shown}"


def _midnight(locale: Locale) -> str:
    """The end of the day: 24:00, where the clock goes so far."""
    pattern = _pattern(locale)
    if "H" not in pattern and "k" not in pattern:
        return _clock(time(0), locale)
    return _clock(time(23), locale).replace("23", "24")


def _pattern(locale: Locale) -> str:
    return str(get_time_format("short", locale=locale).pattern)


def _clock(at: time, locale: Locale) -> str:
    if "'h'" in _pattern(locale):  # "9 h 30" and "9 h", as Quebec writes it
        return f"{at.hour}\u00a0h" + (f"\u00a0{at.minute:02}" if at.minute else "")
    # A no-break space before am and pm keeps a line break out of the time.
    return format_time(at, "short", locale=locale).replace(" ", "\u00a0").replace("\u202f", "\u00a0")


def _locale(tag: str) -> Locale:
    try:
        return Locale.parse(_OWN.get(tag, tag), sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
