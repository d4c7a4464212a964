from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from alerts.calendars import Calendar, calendar_for, kept_holidays, team_calendars
from listener.config import Country, Holidays, Hours, Team
from listener.config.types import WEEKDAYS

ZONES = (
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Asia/Tokyo",  # none
    "Africa/Casablanca",  # around Ramadan, the other way round
    "America/St_Johns",  # until 2011 at one minute past midnight, into yesterday
    "America/Havana",  # at midnight
    "Pacific/Apia",  # left a whole day out in 2011
    "Asia/Kathmandu",
)
OFFICE = {"mon-fri": "09:00-18:00"}
NIGHTS = {"mon-sun": "00:00-03:30 22:00-24:00"}
ALWAYS = {"mon-sun": "00:00-23:59"}


def calendar(hours: dict[str, str], zone: str = "Europe/Paris", **holidays: object) -> Calendar:
    return Calendar(Hours.parse(hours), zone, Holidays.model_validate(holidays))


def at(text: str, zone: str = "Europe/Paris", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def hours_between(cal: Calendar, start: str, end: str, zone: str = "Europe/Paris") -> float:
    return cal.working_s(at(start, zone), at(end, zone)) / 3600


def stands_open(cal: Calendar, hours: Hours, moment: datetime) -> bool:
    """What the clock on the wall says, reckoned without the calendar's own spans."""
    local = moment.astimezone(ZoneInfo(cal.timezone))
    return cal.holiday_on(local.date()) is None and any(
        start <= local.time() and (local.time() < end or end >= time(23, 59))
        for start, end in hours.spans.get(WEEKDAYS[local.weekday()], [])
    )


zones = st.sampled_from(ZONES)
minutes = st.integers(0, 24 * 60)


@st.composite
def weeks(draw: st.DrawFn) -> Hours:
    def span() -> str:
        start, end = sorted(draw(st.lists(minutes, min_size=2, max_size=2, unique=True)))
        return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"

    days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True))
    return Hours.parse({day: " ".join(span() for _ in range(draw(st.integers(1, 3)))) for day in days})


moments = st.one_of(
    st.datetimes(datetime(2009, 1, 1), datetime(2012, 12, 31)),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31)),
).map(lambda moment: moment.replace(tzinfo=UTC))
working = st.one_of(st.just(0.0), st.integers(1, 60 * 86400 * 10**6).map(lambda microseconds: microseconds / 10**6))


@settings(max_examples=300, deadline=None)
@given(weeks(), zones, moments, working)
def test_working_time_up_to_the_moment_after_it_is_that_working_time(
    hours: Hours, zone: str, start: datetime, seconds: float
) -> None:
    cal = Calendar(hours, zone, Holidays(country="FR"))
    end = cal.after(start, seconds)
    if end is None:  # a minute a week: sixty days of it take longer than anybody looks ahead
        assert cal.working_s(start, start + timedelta(days=30 * 365)) < seconds
        return
    assert cal.working_s(start, end) == pytest.approx(seconds, abs=2e-6)
    assert end >= start
    if seconds:  # and no earlier moment does
        assert cal.working_s(start, end - timedelta(microseconds=5)) < seconds


@settings(max_examples=200, deadline=None)
@given(weeks(), zones, moments, st.floats(0, 10**6), st.floats(0, 10**6))
def test_more_working_time_never_ends_sooner(
    hours: Hours, zone: str, start: datetime, one: float, other: float
) -> None:
    cal = Calendar(hours, zone, Holidays())
    sooner, later = cal.after(start, min(one, other)), cal.after(start, max(one, other))
    assume(sooner is not None and later is not None)
    assert sooner <= later  # type: ignore[operator]


@settings(max_examples=200, deadline=None)
@given(weeks(), zones, moments, st.timedeltas(timedelta(0), timedelta(days=40)), st.floats(0, 1))
def test_working_time_adds_up_and_never_exceeds_the_time_that_passed(
    hours: Hours, zone: str, start: datetime, length: timedelta, share: float
) -> None:
    cal = Calendar(hours, zone, Holidays(country="JP"))
    middle, end = start + length * share, start + length
    parts = cal.working_s(start, middle) + cal.working_s(middle, end)
    assert parts == pytest.approx(cal.working_s(start, end), abs=1e-4)
    assert 0 <= cal.working_s(start, end) <= length.total_seconds() + 1e-6


@settings(max_examples=400, deadline=None)
@given(weeks(), zones, moments)
@example(Hours.parse({"mon-sun": "23:59-24:00"}), "Asia/Tokyo", datetime(2026, 6, 3, 14, 59, 30, tzinfo=UTC))
@example(Hours.parse(NIGHTS), "America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC))
@example(Hours.parse(NIGHTS), "America/St_Johns", datetime(2010, 11, 7, 2, 29, 59, tzinfo=UTC))
def test_it_is_open_when_the_clock_on_the_wall_says_so(hours: Hours, zone: str, moment: datetime) -> None:
    cal = Calendar(hours, zone, Holidays(country="US", add=[date(2026, 3, 3)]))
    assert cal.is_open(moment) == stands_open(cal, hours, moment)


@settings(max_examples=200, deadline=None)
@given(weeks(), zones, moments)
def test_openings_open_and_closings_close(hours: Hours, zone: str, moment: datetime) -> None:
    cal = Calendar(hours, zone, Holidays())
    opening, closing = cal.next_opening(moment), cal.next_closing(moment)
    assert opening is not None
    assert cal.is_open(opening)
    assert (opening == moment) == cal.is_open(moment)
    if closing is None:
        assert cal.working_s(moment, moment + timedelta(days=30)) == pytest.approx(30 * 86400)
        return
    assert opening < closing
    assert not cal.is_open(closing)
    assert cal.working_s(opening, closing) == pytest.approx((closing - opening).total_seconds())
    assert cal.working_s(moment, opening) == 0


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", "2026-03-29", 23),
        ("Europe/Paris", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Tokyo", "2026-03-29", 24),
        ("Africa/Casablanca", "2026-02-15", 25),
        ("Africa/Casablanca", "2026-03-22", 23),
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Pacific/Apia", "2011-12-30", 0),
    ],
)
def test_a_day_on_which_clocks_change_is_shorter_or_longer(zone: str, day: str, hours: float) -> None:
    on_that_day = Hours.parse({WEEKDAYS[date.fromisoformat(day).weekday()]: "00:00-24:00"})
    cal = Calendar(on_that_day, zone, Holidays())
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    assert cal.working_s(noon - timedelta(days=3), noon + timedelta(days=3)) == hours * 3600


@pytest.mark.parametrize(
    ("zone", "day", "span", "hours"),
    [
        ("Europe/Paris", "2026-03-29", "01:00-04:00", 2),  # 02:00 to 03:00 is skipped
        ("Europe/Paris", "2026-03-29", "02:00-03:00", 0),
        ("Europe/Paris", "2026-03-29", "02:15-02:45", 0),
        ("Europe/Paris", "2026-03-29", "02:30-03:30", 0.5),
        ("Europe/Paris", "2026-10-25", "01:00-04:00", 4),  # 02:00 to 03:00 comes twice
        ("Europe/Paris", "2026-10-25", "02:15-02:45", 1),
        ("Europe/Paris", "2026-10-25", "02:30-03:30", 1.5),
        ("Australia/Lord_Howe", "2026-10-04", "01:45-02:45", 0.5),
        ("Australia/Lord_Howe", "2026-04-05", "01:00-02:00", 1.5),
        ("Africa/Casablanca", "2026-02-15", "02:00-03:00", 2),
        ("Africa/Casablanca", "2026-03-22", "02:00-03:00", 0),
    ],
)
def test_a_span_holds_as_much_as_the_wall_shows_of_it(zone: str, day: str, span: str, hours: float) -> None:
    cal = calendar({WEEKDAYS[date.fromisoformat(day).weekday()]: span}, zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    assert cal.working_s(noon - timedelta(days=3), noon + timedelta(days=3)) == hours * 3600


def test_half_an_hour_that_comes_twice_is_open_twice() -> None:
    cal = calendar({"sun": "02:15-02:45"})
    first, again = at("2026-10-25T02:15"), at("2026-10-25T02:15", fold=1)
    assert again - first == timedelta(hours=1)
    assert cal.next_closing(first) == first + timedelta(minutes=30)
    assert cal.next_opening(first + timedelta(minutes=30)) == again
    assert cal.after(first, 45 * 60) == again + timedelta(minutes=15)


def test_two_hours_from_before_the_night_of_the_change_end_by_the_real_clock() -> None:
    cal = calendar(ALWAYS)
    assert cal.after(at("2026-03-29T01:30"), 3600) == at("2026-03-29T03:30")
    assert cal.after(at("2026-10-25T01:30"), 2 * 3600) == at("2026-10-25T02:30", fold=1)


def test_nine_hours_of_work_from_friday_afternoon_end_on_monday() -> None:
    cal = calendar(OFFICE)
    assert cal.after(at("2026-06-05T16:00"), 9 * 3600) == at("2026-06-08T16:00")
    assert hours_between(cal, "2026-06-05T16:00", "2026-06-08T16:00") == 9
    assert cal.after(at("2026-06-05T16:00"), 2 * 3600) == at("2026-06-05T18:00")


def test_no_working_time_outside_hours_is_the_next_opening() -> None:
    cal = calendar(OFFICE)
    assert cal.after(at("2026-06-05T18:00"), 0) == at("2026-06-08T09:00")
    assert cal.after(at("2026-06-05T17:00"), 0) == at("2026-06-05T17:00")


def test_lunch_is_no_working_time() -> None:
    cal = calendar({"mon-fri": "09:00-12:30 13:30-18:00"})
    assert hours_between(cal, "2026-06-03T12:00", "2026-06-03T14:00") == 1
    assert cal.next_closing(at("2026-06-03T10:00")) == at("2026-06-03T12:30")
    assert not cal.is_open(at("2026-06-03T12:30"))


def test_overlapping_and_adjacent_spans_are_one() -> None:
    cal = calendar({"wed": "13:00-18:00 09:00-12:00 11:00-13:00"})
    assert hours_between(cal, "2026-06-03T00:00", "2026-06-04T00:00") == 9
    assert cal.next_closing(at("2026-06-03T10:00")) == at("2026-06-03T18:00")


def test_round_the_clock_has_no_hole_at_midnight() -> None:
    cal = calendar(ALWAYS)
    assert cal.is_open(at("2026-06-03T23:59:30"))
    assert cal.next_closing(at("2026-06-03T10:00")) is None
    assert hours_between(cal, "2026-06-01T00:00", "2026-06-08T00:00") == 7 * 24


def test_hours_may_end_at_24_and_go_on_the_next_day() -> None:
    cal = calendar({"fri": "22:00-24:00", "sat": "00:00-06:00"})
    assert cal.next_closing(at("2026-06-05T23:00")) == at("2026-06-06T06:00")


def test_a_week_without_hours_never_opens() -> None:
    cal = calendar({})
    now = at("2026-06-03T10:00")
    assert not cal.is_open(now)
    assert (cal.next_opening(now), cal.next_closing(now), cal.after(now, 0), cal.after(now, 60)) == (None,) * 4
    assert cal.working_s(now, now + timedelta(days=30)) == 0


def test_public_holidays_are_closed_and_named_in_english() -> None:
    cal = calendar(OFFICE, country="FR")
    assert cal.holiday_on(date(2026, 7, 14)) == "National Day"
    assert cal.next_opening(at("2026-07-13T18:00")) == at("2026-07-15T09:00")
    assert calendar(OFFICE).holiday_on(date(2026, 7, 14)) is None


def test_a_holiday_is_a_day_of_the_calendars_own_zone() -> None:
    cal = calendar(ALWAYS, "Asia/Tokyo", country="JP")
    assert cal.holiday_on(date(2026, 5, 5)) == "Children's Day"
    assert cal.next_closing(at("2026-05-01T12:00", "Asia/Tokyo")) == at("2026-05-03T00:00", "Asia/Tokyo")
    assert cal.next_opening(at("2026-05-05T12:00", "Asia/Tokyo")) == at("2026-05-07T00:00", "Asia/Tokyo")


def test_observed_days_are_kept_even_over_new_year() -> None:
    cal = calendar(OFFICE, "America/New_York", country="US")
    assert cal.holiday_on(date(2026, 7, 3)) == "Independence Day (observed)"
    assert cal.holiday_on(date(2027, 12, 31)) == "New Year's Day (observed)"


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert calendar(OFFICE, "Europe/Berlin", country="DE", subdivision="BY").holiday_on(epiphany) == "Epiphany"
    assert calendar(OFFICE, "Europe/Berlin", country="DE").holiday_on(epiphany) is None


def test_days_off_can_be_added_and_holidays_worked() -> None:
    cal = calendar(OFFICE, country="FR", add=[date(2026, 12, 24)], work=[date(2026, 5, 25)])
    assert cal.holiday_on(date(2026, 12, 24)) == "day off"
    assert cal.holiday_on(date(2026, 5, 25)) is None
    assert cal.is_open(at("2026-05-25T10:00"))
    assert not cal.is_open(at("2026-12-24T10:00"))


def test_a_country_that_the_library_does_not_know_has_no_public_holidays() -> None:
    cal = Calendar(Hours.parse(OFFICE), "Europe/Paris", Holidays.model_construct(country="QQ", add=[], work=[]))
    assert cal.holiday_on(date(2026, 1, 1)) is None


def test_half_a_year_of_working_time_is_counted_within_a_moment() -> None:
    cal = calendar(OFFICE, country="FR")
    # 129 weekdays, less New Year, Easter Monday, 1, 8, 14 and 25 May
    assert cal.after(at("2026-01-01T00:00"), 123 * 9 * 3600.0) == at("2026-06-30T18:00")
    assert len(cal._days) < 200


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        calendar(OFFICE).is_open(datetime(2026, 6, 3, 10))
    with pytest.raises(ValueError, match="backwards"):
        calendar(OFFICE).after(at("2026-06-03T10:00"), -1)


def country(**more: object) -> Country:
    settings = {"languages": ["fr"], "timezone": "Europe/Paris", "hours": OFFICE, "team": "hub"}
    return Country.model_validate({**settings, **more})


def team(**more: object) -> Team:
    return Team.model_validate({"name": "Hub", "languages": ["en"], **more})


def test_a_team_without_hours_works_by_the_countrys() -> None:
    cal = calendar_for("FR", country(), team(timezone="Asia/Tokyo"))
    assert cal.timezone == "Europe/Paris"
    assert cal.holiday_on(date(2026, 7, 14)) == "National Day"


def test_a_team_with_hours_works_by_its_own_in_its_own_zone() -> None:
    own = team(timezone="Asia/Tokyo", hours={"mon-fri": "08:00-17:00"}, holidays="JP")
    cal = calendar_for("FR", country(), own)
    assert cal.next_opening(at("2026-07-14T00:00", "UTC")) == at("2026-07-14T00:00", "UTC")
    assert cal.holiday_on(date(2026, 7, 14)) is None
    assert cal.holiday_on(date(2026, 7, 20)) == "Marine Day"


def test_holidays_left_open_are_the_countrys_own_and_false_is_none() -> None:
    assert kept_holidays("FR", None) == Holidays(country="FR")
    assert country(holidays=False).holidays == Holidays(country=None)
    assert calendar_for("FR", country(holidays=False), team()).holiday_on(date(2026, 7, 14)) is None
    bavaria = calendar_for("DE", country(holidays={"subdivision": "BY", "add": ["2026-12-24"]}), team())
    assert bavaria.holiday_on(date(2026, 1, 6)) == "Epiphany"
    assert bavaria.holiday_on(date(2026, 12, 24)) == "day off"
    assert calendar_for("FR", country(holidays="BE"), team()).holiday_on(date(2026, 7, 21)) == "National Day"


def test_a_team_works_while_any_country_that_it_answers_for_does() -> None:
    teams = {"hub": team(), "idle": team(), "own": team(timezone="Asia/Tokyo", hours=OFFICE)}
    countries = {"FR": country(), "US": country(timezone="America/New_York")}
    found = team_calendars(teams, countries)
    assert [cal.timezone for cal in found["hub"]] == ["Europe/Paris", "America/New_York"]
    assert found["idle"] == ()
    assert [cal.timezone for cal in found["own"]] == ["Asia/Tokyo"]
