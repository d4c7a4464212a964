"""Where each of a country's effective settings comes from: its own entry, `defaults`, or what is built in."""

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from listener.config.document import Document, Loc, parse_yaml
from listener.config.models import Config
from listener.config.types import WEEKDAYS, Hours, parse_duration
from listener.config.writing import one_line, scalar

Origin = Literal["country", "defaults", "built-in"]
_WHOLE: frozenset[Loc] = frozenset({("hours",), ("ramp", "hours")})
"""Replaced as a whole, never merged key by key."""
_DURATIONS = frozenset({"respond", "resolve", "after", "join_within", "max_age"})
_UNITS = (("s", 1.0), ("ms", 0.001), ("m", 60.0), ("h", 3600.0), ("d", 86400.0))
_STEPS = 4
"""So many floats up and down a quotient can be off by rounding."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in effect. `path` is below the country; `line` is where the file sets it, if it does."""

    path: Loc
    value: Any
    origin: Origin
    line: int | None


def settings_of(text_or_document: str | Document, config: Config, country: str) -> list[Setting]:
    """Return every leaf of a country's effective settings, in the order of the documentation.

    Values are written as in the file (`2h`, not 7200.0), so that they can be shown and edited.

    Raises:
        ConfigError: the text is no YAML.
        KeyError: the country is not configured.
    """
    document = text_or_document
    if isinstance(document, str):
        document = parse_yaml(document.removeprefix("\ufeff"), str(config.path))
    settings = []
    for path, value in _leaves(_written(config.countries[country]), ()):
        origin, line = _origin(document, country, path)
        settings.append(Setting(path, value, origin, line))
    return settings


def _origin(document: Document, country: str, path: Loc) -> tuple[Origin, int | None]:
    own: Loc = ("countries", country)
    for origin, above in (("country", own), ("defaults", ("defaults",))):
        found = _set_at(document, above, path)
        if found is not None:
            return origin, document.positions[found][0]  # type: ignore[return-value]
        if origin == "country" and _is_cut_off(document, own, path):
            break  # a shorter value of its own stands there: what defaults say beyond it is not in effect
    return "built-in", None


def _set_at(document: Document, above: Loc, path: Loc) -> Loc | None:
    """Return the place that sets a value: its own key, or that of a list or of hours it is part of."""
    data = _at(document.data, above)
    for end in range(1, len(path) + 1):
        part = path[end - 1]
        items = range(len(data)) if isinstance(data, list) else data if isinstance(data, dict) else ()
        if part not in items:
            return None
        data = data[part]
        short = not isinstance(data, dict | list) or path[:end] in _WHOLE
        if short and (end < len(path) or isinstance(data, dict)):
            return (*above, *path[:end])  # written in short: `holidays: FR`
    return (*above, *path)


def _is_cut_off(document: Document, own: Loc, path: Loc) -> bool:
    data = _at(document.data, own)
    for end, part in enumerate(path, start=1):
        if not isinstance(data, dict):
            return data is not None or end > 1
        if part not in data:
            return False
        data = data[part]
    return False


def _at(data: Any, loc: Loc) -> Any:
    for part in loc:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _leaves(value: Any, path: Loc) -> Iterator[tuple[Loc, Any]]:
    """Yield what is set on its own: the values of mappings; lists of words as a whole, other lists item by item."""
    if isinstance(value, dict) and value and path not in _WHOLE:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _written(value: Any, key: str = "") -> Any:
    """Return a value as people write it in the file."""
    if isinstance(value, BaseModel):
        return {name: _written(getattr(value, name), name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {name: _written(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written(item) for item in value]
    if isinstance(value, Hours):
        return written_hours(value)
    if isinstance(value, date):
        return value.isoformat()
    if key in _DURATIONS and isinstance(value, int | float):
        return written_duration(value)
    return value


def written_duration(seconds: float) -> str:
    """Return a duration as the file has it: `90s`, `15m`, `27h`, `3d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0 and not (unit == "d" and seconds == 86400):
            return f"{int(seconds // size)}{unit}"
    if seconds == int(seconds):
        return f"{int(seconds)}s"
    if seconds < 1 and seconds == (thousandths := round(seconds * 1000)) * 0.001:
        return f"{thousandths}ms"
    return min(_fractions(seconds), key=len)


def _fractions(seconds: float) -> Iterator[str]:
    """Yield texts with a decimal point that are read as exactly so many seconds, in one unit or another."""
    for unit, size in _UNITS:
        number = seconds / size
        for _ in range(_STEPS):
            number = math.nextafter(number, 0.0)
        for _ in range(2 * _STEPS + 1):
            text = f"{Decimal(repr(number)):f}{unit}"
            with suppress(ValueError):
                if parse_duration(text) == seconds:
                    yield text
            number = math.nextafter(number, math.inf)


def written_value(value: Any) -> str:
    """Return a setting as it can stand after its key in the file: what is read there is the same value again."""
    if isinstance(value, dict | list):
        return one_line(value)
    return scalar(value if value is None or isinstance(value, int | float) else str(value), flow=False)


def written_span(start: time, end: time, sign: str = "-") -> str:
    """Return a span of working hours as the file has it, its end at midnight as 24:00."""
    return f"{start:%H:%M}{sign}{'24:00' if end.microsecond else format(end, '%H:%M')}"


def written_hours(hours: Hours) -> dict[str, str]:
    """Return working hours as the file has them, days of the same hours together."""
    texts = [" ".join(written_span(*span) for span in hours.spans.get(day, [])) for day in WEEKDAYS]
    written: dict[str, str] = {}
    first = 0
    for index, text in enumerate(texts):
        if index + 1 < len(texts) and texts[index + 1] == text:
            continue
        if text:
            written[WEEKDAYS[first] if first == index else f"{WEEKDAYS[first]}-{WEEKDAYS[index]}"] = text
        first = index + 1
    return written
