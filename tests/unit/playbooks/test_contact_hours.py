"""Hours as customers read them."""

from datetime import time

import pytest

from listener.config import Hours
from playbooks.contact_hours import hours_text

WEEK = Hours.parse({"mon-fri": "09:00-19:00", "sat": "10:00-17:00"})


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("fr", "lun.–ven. 09:00–19:00; sam. 10:00–17:00"),
        ("de-AT", "Mo.–Fr. 09:00–19:00; Sa. 10:00–17:00"),
        ("ja", "月–金 9:00–19:00; 土 10:00–17:00"),
        ("ru", "пн–пт 09:00–19:00; сб 10:00–17:00"),
    ],
)
def test_days_with_the_same_hours_are_one_span(locale: str, text: str) -> None:
    assert hours_text(WEEK, locale) == text


def test_english_readers_get_am_and_pm_without_a_line_break_in_between() -> None:
    assert hours_text(WEEK, "en-US") == "Mon–Fri 9:00\u00a0AM–7:00\u00a0PM; Sat 10:00\u00a0AM–5:00\u00a0PM"


def test_a_day_may_have_two_spans_and_an_end_of_day() -> None:
    assert hours_text(Hours.parse({"mon": "08:00-12:00 14:00-24:00"}), "nl-BE").startswith("ma")
    assert "24:00" in hours_text(Hours.parse({"mon": "08:00-12:00 14:00-24:00"}), "nl-BE")


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en-US", "Mon–Sun 12:00 AM–12:00 AM"),
        ("es-MX", "lun–dom 12:00 a.m.–12:00 a.m."),
        ("en", "Mon–Sun 00:00–24:00"),
        ("id", "Sen–Min 00.00–24.00"),
        ("fr-CA", "lun.–dim. 0 h–24 h"),
        ("ja", "月–日 0:00–24:00"),
    ],
)
def test_the_end_of_a_day_is_written_as_the_locale_does(locale: str, text: str) -> None:
    assert hours_text(Hours.parse({"mon-sun": "00:00-24:00"}), locale).replace("\u00a0", " ") == text


def test_quebec_leaves_out_minutes_that_are_none() -> None:
    hours = Hours.parse({"mon": "09:00-12:30 13:30-18:00"})
    assert hours_text(hours, "fr-CA") == "lun. 9\u00a0h–12\u00a0h\u00a030, 13\u00a0h\u00a030–18\u00a0h"


def test_arabic_has_its_own_comma_and_semicolon() -> None:
    text = hours_text(Hours.parse({"mon": "09:00-12:00 13:00-18:00", "fri": "10:00-12:00"}), "ar")
    assert "؛ " in text
    assert "، " in text
    assert not set(",;") & set(text)


@pytest.mark.parametrize("spans", [[(9, 12), (12, 18)], [(9, 14), (11, 18)], [(11, 18), (9, 15)], [(9, 18), (10, 11)]])
def test_hours_that_overlap_or_touch_are_one_span(spans: list[tuple[int, int]]) -> None:
    hours = Hours({"mon": [(time(start), time(end)) for start, end in spans]})
    assert hours_text(hours, "en") == "Mon 09:00–18:00"


@pytest.mark.parametrize("hours", [None, Hours.parse({})])
def test_without_hours_nothing_is_said(hours: Hours | None) -> None:
    assert hours_text(hours, "fr") == ""


def test_a_locale_that_nobody_knows_is_written_in_english() -> None:
    assert hours_text(Hours.parse({"mon": "08:00-12:00"}), "xx-YY").startswith("Mon")


@pytest.mark.parametrize("before", ["pt-BR", "pt", "de"])
def test_days_are_the_locales_own_whatever_was_written_before(before: str) -> None:
    hours_text(WEEK, before)
    assert hours_text(WEEK, "pt").startswith("segunda–sexta ")
    assert hours_text(WEEK, "pt-BR").startswith("seg.–sex. ")
