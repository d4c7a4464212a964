"""What is known of countries: their names in any language they speak, languages and time zones. From CLDR and tz."""

import difflib
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from listener.config.types import COUNTRY_CODES
from listener.errors import ListenerError

_NAMES_IN = ("en", "fr", "de", "es", "ru", "zh", "pt", "it", "nl", "ja", "ar")
"""Languages in which every country's name is understood, beside its own."""
_ALSO: Mapping[str, str] = {
    "uk": "GB",
    "greatbritain": "GB",
    "britain": "GB",
    "england": "GB",
    "usa": "US",
    "america": "US",
    "theunitedstates": "US",
    "holland": "NL",
    "czechrepublic": "CZ",
    "turkey": "TR",
    "korea": "KR",
    "uae": "AE",
    "ivorycoast": "CI",
    "hongkong": "HK",
    "macau": "MO",
    "burma": "MM",
}
# Of countries with several zones, the one in which most people live.
_MAIN_ZONES: Mapping[str, str] = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Chuuk",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Gaza",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}


class UnknownCountryError(ListenerError):
    """No country is called so; the message says which may be meant."""


def country_code(text: str) -> str:
    """Return the ISO code of a country named by its code or its name, in English, its own or another large language.

    Raises:
        UnknownCountryError: no country is called so.
    """
    bare = text.strip()
    if len(bare) == 2 and bare.upper() in COUNTRY_CODES:
        return bare.upper()
    key = _plain(bare)
    code = _ALSO.get(key) or _english_names().get(key) or _all_names().get(key)
    if code is None:
        close = difflib.get_close_matches(key, _english_names(), n=3, cutoff=0.7)
        meant = ", ".join(f"{country_name(_english_names()[one])} ({_english_names()[one]})" for one in close)
        raise UnknownCountryError(
            f"'{bare[:40]}' is no country"
            + (f"; did you mean {meant}?" if meant else "; write its name, or its ISO code such as FR")
        )
    return code


def country_name(code: str) -> str:
    """Return a country's English name."""
    from babel import Locale

    return str(Locale("en").territories.get(code, code))


def languages_of(code: str) -> tuple[str, ...]:
    """Return what people of a country write, by CLDR: its official languages, the most spoken first."""
    from babel.languages import get_official_languages

    found = (_tag(one) for one in get_official_languages(code, de_facto=True))
    known = tuple(dict.fromkeys(one for one in found if len(one.split("-")[0]) == 2))
    if "no" in known:
        known = tuple(one for one in known if one not in ("nb", "nn"))
    return known or ("en",)


def zones_of(code: str) -> tuple[str, ...]:
    """Return a country's time zones, that of most people first; UTC where none is known."""
    zones = _zones().get(code, ())
    main = _MAIN_ZONES.get(code)
    if main in zones:
        return (main, *(one for one in zones if one != main))
    return tuple(zones) or ("UTC",)


def has_several_clocks(code: str, now: datetime) -> bool:
    """Say whether a country's clocks differ from place to place at a moment."""
    return len({ZoneInfo(zone).utcoffset(now) for zone in zones_of(code)}) > 1


def _tag(language: str) -> str:
    return language.replace("_", "-")


def _plain(name: str) -> str:
    """Return a name without case, marks and punctuation."""
    decomposed = unicodedata.normalize("NFKD", name).casefold().replace("&", "and")
    return "".join(one for one in decomposed if unicodedata.category(one)[0] in "LN")


@cache
def _english_names() -> dict[str, str]:
    from babel import Locale

    return dict(_names_in(Locale("en")))


def _names_in(locale: object) -> Iterator[tuple[str, str]]:
    territories: Mapping[str, str] = locale.territories  # type: ignore[attr-defined]  # babel's types say nothing
    for code, name in territories.items():
        if code in COUNTRY_CODES:
            yield _plain(name), code


@cache
def _all_names() -> dict[str, str]:
    """Return every country by its names in large languages and its own; the larger language goes before."""
    from babel import Locale, UnknownLocaleError

    found: dict[str, str] = {}
    own = dict.fromkeys(language for code in sorted(COUNTRY_CODES) for language in languages_of(code))
    for language in dict.fromkeys((*_NAMES_IN, *own)):
        try:
            locale = Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        for name, code in _names_in(locale):
            found.setdefault(name, code)
    return found


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            found[code] = (*found.get(code, ()), zone)
    return found
