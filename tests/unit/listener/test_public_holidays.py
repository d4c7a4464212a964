from datetime import date

import pytest

from listener.config.public_holidays import UnknownHolidaysError, public_holidays
from listener.config.types import COUNTRY_CODES


def test_every_country_can_be_asked_and_answers_within_the_year() -> None:
    for code in COUNTRY_CODES:
        assert all(day.year == 2026 and name for day, name in public_holidays(code, None, 2026).items())


def test_names_are_english() -> None:
    new_year = date(2026, 1, 1)
    assert {public_holidays(code, None, 2026)[new_year] for code in ("FR", "JP", "CN", "GB", "DE")} == {
        "New Year's Day"
    }
    assert public_holidays("IN", None, 2026)[date(2026, 1, 26)] == "Republic Day"


def test_only_public_holidays_are_kept() -> None:
    assert date(2026, 10, 28) not in public_holidays("TR", None, 2026)  # an afternoon off
    assert date(2026, 10, 29) in public_holidays("TR", None, 2026)


def test_an_unknown_country_and_an_unknown_part_are_told_apart() -> None:
    with pytest.raises(UnknownHolidaysError, match="no public holidays are known for QQ"):
        public_holidays("QQ", None, 2026)
    with pytest.raises(UnknownHolidaysError, match=r"GB has no part 'London' .*; known: ENG, NIR, SCT, WLS"):
        public_holidays("GB", "London", 2026)
    with pytest.raises(UnknownHolidaysError, match="none of its parts has"):
        public_holidays("SG", "X", 2026)


def test_nobody_can_change_what_was_read() -> None:
    with pytest.raises(TypeError):
        public_holidays("FR", None, 2026)[date(2026, 6, 3)] = "mine"  # type: ignore[index]
