"""Public holidays by country and year: the border to the library `holidays`, which is imported when first asked."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from listener.errors import ListenerError

if TYPE_CHECKING:
    from holidays import HolidayBase


class UnknownHolidaysError(ListenerError):
    """The library does not know a country, or not the part of it that was named; the message says which it knows."""


@lru_cache(maxsize=2048)
def public_holidays(country: str, subdivision: str | None, year: int, language: str = "en") -> Mapping[date, str]:
    """Return the public holidays of one year, observed days included, with their names in a language.

    Where the library has no names in that language they are English, or the country's own.

    Raises:
        UnknownHolidaysError: the library does not know the country or the subdivision.
    """
    # A holiday observed on another day can cross New Year's Eve: the years beside this one have their say.
    known = _known(country, subdivision, (year - 1, year, year + 1), language)
    return MappingProxyType({day: known[day] for day in sorted(known) if day.year == year})


def _known(country: str, subdivision: str | None, years: tuple[int, ...], language: str) -> "HolidayBase":
    from holidays import country_holidays

    try:
        plain = country_holidays(country)
    except NotImplementedError as error:
        raise UnknownHolidaysError(f"no public holidays are known for {country}") from error
    try:
        return country_holidays(country, subdiv=subdivision, years=years, language=_named_in(language, plain))
    except NotImplementedError as error:
        raise UnknownHolidaysError(_unknown_part(country, subdivision, plain)) from error


def _named_in(language: str, plain: "HolidayBase") -> str | None:
    for wanted in (language, "en"):
        names = [name for name in plain.supported_languages if name.partition("_")[0] == wanted]
        if names:
            return "en_US" if "en_US" in names else names[0]
    return None


def _unknown_part(country: str, subdivision: str | None, plain: "HolidayBase") -> str:
    parts = ", ".join(plain.subdivisions)
    known = f"known: {parts}" if parts else "none of its parts has holidays of its own"
    return f"{country} has no part '{subdivision}' with public holidays; {known}"
