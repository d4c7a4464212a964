"""Which configured country a mention belongs to, when several countries' watches can find it."""

import re
from collections.abc import Mapping
from functools import cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import get_timezone_location

from listener.config import Config
from listener.model import Mention, Watch

# What people write in profiles beside the names that CLDR knows.
_NICKNAMES = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "great britain": "GB",
    "usa": "US",
    "u.s.a.": "US",
    "россия": "RU",
    "рф": "RU",
    "中国大陆": "CN",
    "deutschland": "DE",
    "schweiz": "CH",
    "suisse": "CH",
    "svizzera": "CH",
    "helvetia": "CH",
}
_NAMES_IN = (
    "en",
    "fr",
    "de",
    "es",
    "pt",
    "it",
    "nl",
    "pl",
    "tr",
    "id",
    "ru",
    "uk",
    "ar",
    "hi",
    "zh",
    "zh_Hant",
    "ja",
    "ko",
)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_PIECES = re.compile(r"[,/|·•()\-–—;]+")


def country_of(mention: Mention, watch: Watch, config: Config) -> str:
    """Return the country a mention belongs to: its place, its author's country or location, else its watch's.

    Only countries that listen count; a Belgian found by the French watch goes to Belgium where Belgium listens.
    """
    listening = {code for code, country in config.countries.items() if country.mode != "off"}
    zones = {code: config.countries[code].timezone for code in listening}
    located = (
        mention.country,
        mention.author.country,
        country_in(mention.author.location, zones) if mention.author.location else None,
    )
    return next((code for code in located if code in listening), watch.country)


def country_in(location: str, zones: Mapping[str, str]) -> str | None:
    """Return the country that a profile's free text names, among the given ones (code to time zone), or None."""
    flags = _FLAG.findall(location)
    if len(flags) == 1:
        code = "".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in flags[0])
        return code if code in zones else None
    names = _names(tuple(sorted(zones.items())))
    found = {names[piece] for piece in _pieces(location) if piece in names}
    return found.pop() if len(found) == 1 else None


def _pieces(location: str) -> list[str]:
    return [piece.strip().casefold() for piece in _PIECES.split(location[:200]) if piece.strip()]


@cache
def _names(zones: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Names of countries and of their zones' main cities, in the languages served, to country codes."""
    codes = dict(zones)
    names = {name: code for name, code in _NICKNAMES.items() if code in codes}
    for language in _NAMES_IN:
        try:
            locale = Locale.parse(language)
        except (UnknownLocaleError, ValueError):
            continue
        for code, zone in codes.items():
            name = locale.territories.get(code)
            if name:
                names.setdefault(name.casefold(), code)
            city = get_timezone_location(zone, locale=locale, return_city=True)
            if city:
                names.setdefault(city.casefold(), code)
    return names
