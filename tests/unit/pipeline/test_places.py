from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener.config import Config, load_config
from listener.model import Author, Mention, Watch
from listener.pipeline.places import country_in, country_of
from listener.plugins import plugin_options

ZONES = {
    "FR": "Europe/Paris",
    "BE": "Europe/Brussels",
    "GB": "Europe/London",
    "RU": "Europe/Moscow",
    "JP": "Asia/Tokyo",
}
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(ROOT / "config.yaml", plugin_options())


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("Bruxelles, Belgique", "BE"),
        ("Gent, België", "BE"),
        ("Leeds, UK", "GB"),
        ("London", "GB"),
        ("Россия, Казань", "RU"),
        ("Москва", "RU"),
        ("東京", "JP"),
        ("🇫🇷 quelque part", "FR"),
        ("Paris / Bruxelles", None),
        ("🇫🇷🇧🇪", None),
        ("the moon", None),
        ("", None),
        ("Franceville", None),
        ("," * 5000, None),
    ],
)
def test_a_profiles_free_text_names_a_country_or_none(location: str, code: str | None) -> None:
    assert country_in(location, ZONES) == code


def test_a_belgian_found_by_the_french_watch_goes_to_belgium(config: Config) -> None:
    mention = Mention("x", "1", "hm", datetime(2026, 11, 20, tzinfo=UTC), Author("x", "1", location="Liège, Belgique"))
    watch = Watch("x/FR/yunfan", "x", "yunfan", "FR", ("fr",), ("yunfan",))
    assert country_of(mention, watch, config) == "BE"
    assert country_of(replace(mention, country="GB"), watch, config) == "GB"
    assert country_of(replace(mention, author=Author("x", "1", country="BR")), watch, config) == "FR"
