"""Weeks by the clocks of many countries: where they change, skip midnight, or a year ends."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.digest.weeks import Week, last_finished, midnight
from listener.errors import DigestError

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
DAYS = st.dates(date(1972, 1, 3), date(2090, 12, 31))
ZONES = (
    "UTC", "Europe/Paris", "Europe/London", "America/Los_Angeles", "America/St_Johns", "Australia/Lord_Howe",
    "Pacific/Chatham", "Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu", "Asia/Tehran", "Asia/Tokyo", "Pacific/Apia",
    "Pacific/Kiritimati", "Africa/Casablanca", "America/Havana",
)  # fmt: skip


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize("text", ["2026-W46", "2026W46", " 2026-w46 "])
def test_a_week_is_read_from_the_ways_people_write_it(text: str) -> None:
    assert Week.parse(text) == Week(2026, 46)


@pytest.mark.parametrize(
    "text",
    [
        "", "46", "2026", "2026-46", "2026-W4", "2026-W046", "2026-W00", "2026-W54", "2025-W53", "2026-W46-1", "W46",
        "0000-W01", "-2026-W46", "2026--W46", "2026-W46 2026-W47", "2026-W4６x", "last week", "2026\n-W46",
        "0001-W01", "9999-W52", "1969-W50",
    ],
)  # fmt: skip
def test_what_names_no_week_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DigestError, match="2026-W46") as caught:
        Week.parse(text)
    assert repr(text) in str(caught.value)


def test_a_long_text_that_names_no_week_does_not_fill_the_screen() -> None:
    with pytest.raises(DigestError) as caught:
        Week.parse("W" * 100_000)
    assert len(str(caught.value)) < 200


def test_weeks_are_written_so_that_they_sort_as_they_follow() -> None:
    weeks = [Week.parse("2019-W52").back(-number) for number in range(120)]
    assert sorted(map(str, weeks)) == [str(one) for one in weeks]
    assert sorted(weeks) == weeks


@given(DAYS)
def test_every_day_lies_in_its_week(day: date) -> None:
    week = Week.holding(day)
    assert week.monday <= day <= week.sunday
    assert (week.monday.weekday(), week.sunday.weekday()) == (0, 6)
    assert Week.parse(str(week)) == week
    assert week.back().back(-1) == week
    assert week.back(4).monday == week.monday - 4 * WEEK


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ("2020-12-28", "2020-W53"), ("2021-01-03", "2020-W53"), ("2021-01-04", "2021-W01"),
        ("2026-12-31", "2026-W53"), ("2027-01-03", "2026-W53"), ("2027-01-04", "2027-W01"),
        ("2024-12-30", "2025-W01"), ("2025-12-28", "2025-W52"), ("2025-12-29", "2026-W01"),
    ],
)  # fmt: skip
def test_a_week_belongs_to_the_year_of_its_thursday(day: str, week: str) -> None:
    assert str(Week.holding(date.fromisoformat(day))) == week


def test_weeks_follow_over_the_ends_of_years_with_52_and_53() -> None:
    assert str(Week.parse("2027-W01").back()) == "2026-W53"
    assert str(Week.parse("2026-W01").back()) == "2025-W52"
    assert str(Week.parse("2026-W53").back(-1)) == "2027-W01"
    assert str(Week.parse("2027-W02").back(54)) == "2026-W01"


@given(DAYS, st.sampled_from(ZONES))
def test_spans_join_without_gap_or_overlap_and_hold_their_own_mondays(day: date, zone: str) -> None:
    week = Week.holding(day)
    start, end = week.span(zone)
    assert week.back().span(zone)[1] == start
    assert week.back(-1).span(zone)[0] == end
    assert start.tzinfo is UTC
    assert timedelta(days=6) <= end - start <= timedelta(days=8)
    local = ZoneInfo(zone)
    assert Week.holding(start.astimezone(local).date()) == week
    assert Week.holding((end - timedelta(microseconds=1)).astimezone(local).date()) == week


@pytest.mark.parametrize(
    ("week", "zone", "start", "longer"),
    [
        ("2026-W43", "Europe/Paris", "2026-10-18T22:00Z", HOUR),
        ("2026-W13", "Europe/Paris", "2026-03-22T23:00Z", -HOUR),
        ("2026-W46", "Europe/Paris", "2026-11-08T23:00Z", 0 * HOUR),
        ("2026-W44", "America/Los_Angeles", "2026-10-26T07:00Z", HOUR),
        ("2026-W10", "America/Los_Angeles", "2026-03-02T08:00Z", -HOUR),
        ("2026-W14", "Australia/Lord_Howe", "2026-03-29T13:00Z", HOUR / 2),
        ("2026-W40", "Australia/Lord_Howe", "2026-09-27T13:30Z", -HOUR / 2),
        ("2026-W39", "Pacific/Chatham", "2026-09-20T11:15Z", -HOUR),
        ("2026-W14", "Pacific/Chatham", "2026-03-29T10:15Z", HOUR),
        # Cairo skips the midnight of a Friday and Beirut that of a Sunday.
        ("2024-W17", "Africa/Cairo", "2024-04-21T22:00Z", -HOUR),
        ("2024-W44", "Africa/Cairo", "2024-10-27T21:00Z", HOUR),
        ("2024-W13", "Asia/Beirut", "2024-03-24T22:00Z", -HOUR),
        ("2024-W43", "Asia/Beirut", "2024-10-20T21:00Z", HOUR),
        # Samoa had no 30 December 2011.
        ("2011-W52", "Pacific/Apia", "2011-12-26T10:00Z", -24 * HOUR),
        # Tehran skipped the midnight with which this week began, and went back to Sunday at another's begin.
        ("2021-W12", "Asia/Tehran", "2021-03-21T20:30Z", -HOUR),
        ("2021-W11", "Asia/Tehran", "2021-03-14T20:30Z", 0 * HOUR),
        ("2020-W38", "Asia/Tehran", "2020-09-13T19:30Z", HOUR),
    ],
)  # fmt: skip
def test_a_week_lasts_as_long_as_the_clocks_say(week: str, zone: str, start: str, longer: timedelta) -> None:
    begin, end = Week.parse(week).span(zone)
    assert begin == moment(start)
    assert end - begin == WEEK + longer


def test_a_midnight_that_clocks_skip_is_the_moment_they_do() -> None:
    at = midnight(date(2021, 3, 22), ZoneInfo("Asia/Tehran"))
    assert at.astimezone(ZoneInfo("Asia/Tehran")).isoformat() == "2021-03-22T01:00:00+04:30"
    before = (at - timedelta(microseconds=1)).astimezone(ZoneInfo("Asia/Tehran"))
    assert before.date() == date(2021, 3, 21)


def test_a_midnight_that_comes_twice_is_the_first() -> None:
    # Havana goes back from one to midnight on a Sunday.
    at = midnight(date(2026, 11, 1), ZoneInfo("America/Havana"))
    assert at == moment("2026-11-01T04:00Z")


@pytest.mark.parametrize(
    ("now", "zone", "week"),
    [
        ("2026-11-15T22:59:59Z", "Europe/Paris", "2026-W45"),
        ("2026-11-15T23:00Z", "Europe/Paris", "2026-W46"),
        ("2026-11-15T15:00Z", "Asia/Tokyo", "2026-W46"),
        ("2026-11-15T14:59Z", "Asia/Tokyo", "2026-W45"),
        ("2026-11-16T07:59Z", "America/Los_Angeles", "2026-W45"),
        ("2026-11-16T08:00Z", "America/Los_Angeles", "2026-W46"),
        ("2027-01-03T12:00Z", "UTC", "2026-W52"),
        ("2027-01-04T00:00Z", "UTC", "2026-W53"),
        ("2021-03-21T20:29Z", "Asia/Tehran", "2021-W10"),
        ("2021-03-21T20:30Z", "Asia/Tehran", "2021-W11"),
    ],
)
def test_the_last_finished_week_turns_at_the_zones_own_midnight(now: str, zone: str, week: str) -> None:
    assert str(last_finished(moment(now), zone)) == week


@given(DAYS, st.integers(0, 86_399), st.sampled_from(ZONES))
def test_the_last_finished_week_is_over_and_the_next_is_not(day: date, second: int, zone: str) -> None:
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    week = last_finished(now, zone)
    assert week.span(zone)[1] <= now < week.back(-1).span(zone)[1]
