"""Sentences that know what they say: plain English as they stand, and said in other languages by whoever draws them.

They are texts like any other to all who do not ask: cards, logs and terminals show their English.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo


class Share(float):
    """A share in [0, 1], written as a percentage."""

    __slots__ = ()


class Minute(datetime):
    """A moment that is written without its seconds."""

    @classmethod
    def of(cls, at: datetime) -> Self:
        """Return a moment to be written so."""
        return cls.fromtimestamp(at.timestamp(), at.tzinfo)


class Language(str):
    """A language by its English name, said in other languages by its tag."""

    __slots__ = ("tag",)
    tag: str
    """BCP 47."""

    @classmethod
    def of(cls, name: str, tag: str) -> Self:
        """Return a language by its English name."""
        made = cls(name)
        made.tag = tag
        return made


Value = str | int | float | datetime | timedelta
"""What may stand in a sentence: a text of others or another sentence, a count, a score, a share, a moment, a time."""


class Sentence(str):
    """A sentence in English that knows its pattern and what stands in it, so that it can be said in other words."""

    __slots__ = ("message", "number", "several", "values")
    message: str
    """Its pattern, such as "found by {watch}"."""
    several: str
    """The pattern for any count but one; empty where it counts nothing."""
    number: int
    """The count that chooses the pattern."""
    values: Mapping[str, Value]

    @classmethod
    def of(cls, message: str, values: Mapping[str, Value], zone: str = "UTC") -> Self:
        """Fill a pattern; moments are written in `zone`, scores with two digits. Without values it stands as it is."""
        made = cls(
            message.format(**{name: shown(value, zone) for name, value in values.items()}) if values else message
        )
        made.message, made.several, made.number, made.values = message, "", 0, dict(values)
        return made

    @classmethod
    def counted(cls, one: str, several: str, count: int, values: Mapping[str, Value], zone: str = "UTC") -> Self:
        """Fill the pattern that a count asks for; `{count}` in it is the count itself."""
        filled = {"count": count, **values}
        made = cls.of(one if count == 1 else several, filled, zone)
        made.message, made.several, made.number = one, several, count
        return made


class Listing(str):
    """Texts and sentences one after another."""

    __slots__ = ("parts", "separator")
    parts: tuple[str, ...]
    separator: str

    @classmethod
    def of(cls, parts: Iterable[str], separator: str = ", ") -> Self:
        """Join texts; each is said in its own words."""
        texts = tuple(parts)
        made = cls(separator.join(texts))
        made.parts, made.separator = texts, separator
        return made


def sentence(message: str, /, **values: Value) -> Sentence:
    """Return a sentence in English that can be said in other words too; moments in it are in UTC."""
    return Sentence.of(message, values)


def counted(one: str, several: str, count: int, /, **values: Value) -> Sentence:
    """Return a sentence in the form that a count asks for; `{count}` in it is the count itself."""
    return Sentence.counted(one, several, count, values)


def shown(value: Value, zone: str = "UTC") -> str:
    """Write a value as it stands in an English sentence."""
    if isinstance(value, Minute):
        return moment(value, zone).rpartition(":")[0]
    if isinstance(value, datetime):
        return moment(value, zone)
    if isinstance(value, timedelta):
        return span(value.total_seconds())
    if isinstance(value, Share):
        return f"{value:.0%}"
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else value


def moment(at: datetime, zone: str) -> str:
    """Write a moment in a zone, to the second: "Sat 14 Mar 2026, 09:12:05"."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y, %H:%M:%S}"


def span(seconds: float) -> str:
    """Write how long something took: "42 s", "5 min", "3 h 20 min", "2 d 4 h"."""
    if seconds < 0:
        return f"-{span(-seconds)}"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2])
