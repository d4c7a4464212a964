"""Countries by any name, what is written there, and what time it is."""

import zoneinfo
from datetime import UTC, datetime

import pytest

from listener.config.types import COUNTRY_CODES
from listener.starting.places import (
    UnknownCountryError,
    country_code,
    country_name,
    has_several_clocks,
    languages_of,
    zones_of,
)
from listener.starting.yaml_text import scalar

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fr", "FR"), ("Deutschland", "DE"), ("ALLEMAGNE", "DE"), ("中国", "CN"), ("Россия", "RU"), ("UK", "GB"),
        ("the united states", "US"), ("U.S.A.", "US"), ("Cote d'Ivoire", "CI"), ("Turkey", "TR"), ("Türkiye", "TR"),
        ("مصر", "EG"), ("대한민국", "KR"), ("Ελλάδα", "GR"), ("NO", "NO"), ("Norge", "NO"), ("ישראל", "IL"),
        ("भारत", "IN"),
    ],
)  # fmt: skip
def test_countries_are_known_by_code_and_by_name_in_many_languages(name: str, code: str) -> None:
    assert country_code(name) == code


@pytest.mark.parametrize("code", sorted(COUNTRY_CODES))
def test_every_country_has_a_name_languages_and_zones(code: str) -> None:
    assert country_code(country_name(code)) == code
    assert languages_of(code)
    assert set(zones_of(code)) <= zoneinfo.available_timezones()


def test_what_is_proposed_is_what_most_people_there_use() -> None:
    assert languages_of("BE") == ("nl", "fr", "de")
    assert languages_of("US") == ("en",)
    assert languages_of("TW") == ("zh-Hant",)
    assert languages_of("NO") == ("no",)
    assert (zones_of("US")[0], zones_of("RU")[0]) == ("America/New_York", "Europe/Moscow")
    assert [has_several_clocks(code, NOW) for code in ("US", "DE", "FR", "ES")] == [True, False, False, True]


def test_what_may_have_been_meant_is_said() -> None:
    with pytest.raises(UnknownCountryError, match=r"did you mean Germany \(DE\)"):
        country_code("Germny")
    with pytest.raises(UnknownCountryError, match="write its name, or its ISO code"):
        country_code("💥")


@pytest.mark.parametrize(
    "text", ["yes", "Off", "y", "NULL", "1_000", "0o7", "=", "<<", "a: b", "#x", "\u0085", "\u2028"]
)
def test_words_that_yaml_reads_otherwise_are_quoted(text: str) -> None:
    assert scalar(text).startswith('"')


@pytest.mark.parametrize("text", ["Yunfan", "sky bird air", "云帆", "a.b/c-d@e", "Équipe Benelux"])
def test_plain_words_stay_plain(text: str) -> None:
    assert scalar(text) == text
