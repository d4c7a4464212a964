"""A reader's language: messages, plurals, numbers, times, names of countries. Knows nothing that is said."""

import gettext
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from math import floor
from pathlib import Path
from typing import ClassVar, Final, Self
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from listener.errors import ListenerError

LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
    "zh-Hans": "Chinese",
}
"""The languages that people read the program's words in, by their tag."""
SOURCE = "en"
"""The language of the messages in the code."""
_DEFAULT_LOCALES: Mapping[str, str] = {"en": "en_GB", "zh-Hans": "zh_Hans_CN"}
"""English readers are everywhere: days before months, and 24 hours."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MINUTES_TELL_BELOW_S = 10 * _HOUR
_DAYS_TELL_FROM_S = 2 * _DAY
_HOURS_TELL_BELOW_S = 7 * _DAY
_ROUGH_FROM = 20
"""From here on a mean is told without decimals."""
_ONE_DECIMAL_BELOW = 0.1
_SHORT_MONTH, _LONG_MONTH = "MMM", "MMMM"
_LAST_DIGIT = re.compile(r"0(?=[^0]*\Z)")
"""Of a pattern for whole percentages, such as "#,##0 %"."""
MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
_UNITS = r"(?:%|s|h|min|д|ч|мин|с|j|Std|Min|Sek)(?!\w)"
_PARTED = re.compile(rf"(?<=\d) (?={_UNITS}|\d{{3}}(?!\d))|(?<=[«№]) |(?<=[▲▼≈]) (?=[+−±\d])| (?=[»;:!?](?:\s|$|[)»]))")
"""Spaces at which no line may end: before a unit, a group of digits or a mark, after a sign."""


def unbroken(text: str) -> str:
    """Return a text whose numbers, units and marks no line end parts, as French, German and Russian have them."""
    return _PARTED.sub(NO_BREAK_SPACE, text)


def marked(message: str) -> str:
    """Return `message` as it is: it stands in the catalogues, and is said later."""
    return message


class NoSuchLanguageError(ListenerError):
    """Nothing is written in that language."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What is said in one part of the program: its messages, and where their translations stand."""

    name: str
    """What the catalogues' files are called."""
    title: str
    """What translators are told that it is."""
    folder: Path
    """In which `locale/<language>/LC_MESSAGES/<name>.po` stand."""

    def path(self, language: str) -> Path:
        """Return the file of a language's catalogue."""
        return self.folder / "locale" / catalogue_name(language) / "LC_MESSAGES" / f"{self.name}.po"

    def read(self, language: str) -> Catalog:
        """Return the catalogue of one of LANGUAGES other than the source; an empty one where there is no file yet."""
        path, locale = self.path(language), catalogue_name(language)
        if not path.exists():
            return Catalog(locale=locale, domain=self.name, charset="utf-8")
        with path.open("rb") as file:
            return read_po(file, locale=locale, abort_invalid=True)


def catalogue_name(language: str) -> str:
    """Return what the folder of a language's catalogue is called."""
    return language.replace("-", "_")


@lru_cache(maxsize=4 * len(LANGUAGES))
def _translations(domain: Domain, language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, domain.read(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def nearest(tag: str) -> str | None:
    """Return the one of LANGUAGES to write in, for a language tag; None where none of them will do.

    Traditional Chinese is answered in simplified characters: its readers read them more readily than English.
    """
    base = tag.replace("_", "-").split("-")[0].strip().casefold()
    if base in ("zh", "cmn", "yue"):
        return "zh-Hans"
    return base if base in LANGUAGES else None


def _locale(language: str, tag: str) -> tuple[Locale, str]:
    """Return the locale for numbers and dates, with its tag: with the region asked for, where that is known."""
    asked = tag.replace("_", "-").split("-")[1:]
    region = next((part.upper() for part in asked if len(part) == 2 or (len(part) == 3 and part.isdigit())), "")
    # Numbers and dates of Hong Kong's simplified Chinese are the mainland's save for the hours; one is enough.
    if region and language != "zh-Hans":
        with suppress(UnknownLocaleError, ValueError):
            found = Locale.parse(f"{language}_{region}")
            return found, f"{language}-{found.territory or region}"
    return Locale.parse(_DEFAULT_LOCALES.get(language, language)), language


@dataclass(frozen=True)
class Words:
    """How things are said in one reader's language. Each part of the program has its own, with its own messages."""

    DOMAIN: ClassVar[Domain]
    language: str
    """BCP 47: what the texts are written in, with the region that numbers and dates follow."""
    locale: Locale
    _catalogue: gettext.NullTranslations

    @classmethod
    def of(cls, language: str) -> Self:
        """Return the words for a language tag; a region that is not known falls back to the language.

        Raises:
            NoSuchLanguageError: the language is none of the six.
        """
        written = nearest(language)
        if written is None:
            known = ", ".join(f"{key} ({name})" for key, name in LANGUAGES.items())
            raise NoSuchLanguageError(f"nothing is written in {language!r}; it can be in {known}")
        locale, tag = _locale(written, language)
        return cls(tag, locale, _translations(cls.DOMAIN, written))

    def text(self, message: str) -> str:
        """Return a message in the reader's language, its placeholders still to be filled."""
        return unbroken(self._catalogue.gettext(message)) if message else ""  # to a catalogue that is its own head

    def form(self, one: str, several: str, number: float) -> str:
        """Return a message in the form that a number asks for, its placeholders still to be filled."""
        return unbroken(self._catalogue.ngettext(one, several, round(abs(number))))

    def say(self, message: str, /, **values: str) -> str:
        """Return a message in the reader's language with its placeholders filled."""
        return unbroken(self._catalogue.gettext(message).format(**values))

    def plural(self, one: str, several: str, number: float, /, **values: str) -> str:
        """Return a message in the form that a number asks for; `{count}` in it is the number itself."""
        text = self._catalogue.ngettext(one, several, round(abs(number)))
        return unbroken(text.format(**{"count": self.number(number), **values}))

    # --- numbers ---------------------------------------------------------------------------------------------------

    def number(self, value: float) -> str:
        """Write a number: whole where it is whole or large, with one decimal where it is a small mean."""
        whole = float(value).is_integer() or abs(value) >= _ROUGH_FROM
        written = format_decimal(round(value) if whole else round(value, 1), locale=self.locale)
        return written.replace("-", MINUS)

    def signed(self, value: float) -> str:
        """Write a whole number with its sign: "+14", "−3", "±0"."""
        whole = round(value)
        return f"{self._sign(whole)}{self.number(abs(whole))}"

    @staticmethod
    def _sign(whole: int) -> str:
        return "+" if whole > 0 else MINUS if whole < 0 else "±"

    def percent(self, share: float) -> str:
        """Write a share in [0, 1] as a percentage; a small one with a decimal."""
        return self._percent(share, decimals=1 if 0 < abs(share) < _ONE_DECIMAL_BELOW else 0)

    def percent_precisely(self, share: float) -> str:
        """Write a share in [0, 1] as a percentage rounded down to two decimals: only all of it is 100 %."""
        return self._percent(floor(share * 10_000 + 1e-6) / 10_000, decimals=2)

    def signed_percent(self, share: float) -> str:
        """Write a change as a whole percentage with its sign: "+19 %"."""
        whole = round(share * 100)
        return f"{self._sign(whole)}{self._percent(abs(whole) / 100, decimals=0)}"

    def _percent(self, share: float, *, decimals: int) -> str:
        pattern = self.locale.percent_formats[None].pattern
        if decimals:
            pattern = _LAST_DIGIT.sub(f"0.{'#' * decimals}", pattern, count=1)
        return format_percent(share, pattern, locale=self.locale).replace("-", MINUS)

    # --- times -----------------------------------------------------------------------------------------------------

    def duration(self, seconds: float) -> str:
        """Write how long something took: "45 s", "34 min", "2 h 10 min", "3 days"."""
        if seconds < 0:
            return f"{MINUS}{self.duration(-seconds)}"
        minutes = round(seconds / _MINUTE)
        if seconds < _MINUTE:
            # Translators: a duration in seconds, as short as in a table.
            return self.say("{seconds} s", seconds=self.number(round(seconds)))
        if minutes < _HOUR // _MINUTE:
            # Translators: a duration in minutes, as short as in a table.
            return self.say("{minutes} min", minutes=self.number(minutes))
        if seconds < _DAYS_TELL_FROM_S:
            return self._hours(minutes)
        return self._days(round(seconds / _HOUR))

    def _hours(self, minutes: int) -> str:
        hours, rest = divmod(minutes, _HOUR // _MINUTE)
        if not rest or minutes * _MINUTE >= _MINUTES_TELL_BELOW_S:
            # Translators: a duration in hours, as short as in a table.
            return self.say("{hours} h", hours=self.number(round(minutes * _MINUTE / _HOUR)))
        # Translators: a duration in hours and minutes, as short as in a table.
        return self.say("{hours} h {minutes} min", hours=self.number(hours), minutes=self.number(rest))

    def _days(self, hours: int) -> str:
        days, rest = divmod(hours, _DAY // _HOUR)
        if not rest or hours * _HOUR >= _HOURS_TELL_BELOW_S:
            # Translators: a duration in days.
            return self.plural("{count} day", "{count} days", round(hours * _HOUR / _DAY))
        # Translators: a duration in days and hours, the hours as short as in a table.
        return self.plural("{count} day {hours} h", "{count} days {hours} h", days, hours=self.number(rest))

    def day(self, day: date) -> str:
        """Write a day: "9 November 2026"."""
        return format_date(day, "long", locale=self.locale)

    def days(self, first: date, last: date) -> str:
        """Write a span of days: "9–15 November 2026"."""
        changed = "y" if first.year != last.year else "M" if first.month != last.month else "d"
        formats = self.locale.interval_formats
        begin, end = (formats.get("yMMMMd") or formats["yMMMd"])[changed]
        return f"{self._in_full(first, begin)}{self._in_full(last, end)}"

    def _in_full(self, day: date, pattern: str) -> str:
        written = pattern if _LONG_MONTH in pattern else pattern.replace(_SHORT_MONTH, _LONG_MONTH)
        return format_date(day, written, locale=self.locale)

    def weekday(self, number: int) -> str:
        """Name a day of the week as within a sentence; 0 is Monday."""
        return str(self.locale.days["stand-alone"]["wide"][number])

    def weekday_short(self, number: int) -> str:
        """Name a day of the week as shortly as on a chart; 0 is Monday."""
        return self.capital(self.locale.days["stand-alone"]["abbreviated"][number])

    def short_day(self, at: datetime) -> str:
        """Write a local moment's day as shortly as on a chart: "12 Nov"."""
        return format_skeleton("MMMd", at, locale=self.locale)

    def clock(self, hour: int, minute: int = 0) -> str:
        """Write a time of day: "09:00"."""
        return format_time(datetime(2000, 1, 1, hour, minute), "short", locale=self.locale)

    def moment(self, at: datetime, timezone: str) -> str:
        """Write a moment by the clocks of a time zone: "12 Nov 2026, 10:20"."""
        there = at.astimezone(ZoneInfo(timezone))
        day = format_skeleton("yMMMd", there, locale=self.locale)
        # Translators: a moment, such as "12 Nov 2026, 10:20".
        return self.say("{day}, {time}", day=day, time=self.clock(there.hour, there.minute))

    # --- names -----------------------------------------------------------------------------------------------------

    def country(self, code: str) -> str:
        """Name a country by its ISO 3166 code."""
        return str(self.locale.territories.get(code.upper(), code))

    def language_name(self, tag: str) -> str:
        """Name a language by its tag, with a capital as a row of a table has it."""
        base, *rest = tag.replace("_", "-").split("-")
        if base in ("", "und", "zxx", "mul"):
            return self.say("Unknown language")
        name = self.locale.languages.get("_".join((base, *rest))) or self.locale.languages.get(base)
        return self.capital(name) if name else tag

    def all_of(self, items: Iterable[str]) -> str:
        """Join things as a sentence does: "France, Japan and Russia"."""
        return format_list(list(items), locale=self.locale)

    def capital(self, text: str) -> str:
        """Return `text` as it begins a line."""
        return text[:1].upper() + text[1:]
