"""When a digest is due: on Monday by the reader's clocks, not before the week ended in their last country."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.config import Config, DigestReader
from listener.digest.sending import due_at, due_week, week_ends
from listener.digest.weeks import Week, last_finished
from tests.digest_room import WEEK, read_config

ZONES = ("Asia/Tokyo", "Europe/Paris", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return read_config(tmp_path_factory.mktemp("config"))


def reader(timezone: str = "Europe/Paris", at: str = "08:00", *countries: str) -> DigestReader:
    return DigestReader.model_validate(
        {"receivers": ["log"], "timezone": timezone, "at": at, "countries": list(countries) or None}
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "time", "countries", "due"),
    [
        ("Europe/Paris", "08:00", ["FR"], "2026-11-16T08:00+01:00"),
        ("Europe/Paris", "00:00", ["FR"], "2026-11-16T00:00+01:00"),
        ("Europe/Paris", "23:59", ["FR"], "2026-11-16T23:59+01:00"),
        ("Asia/Tokyo", "08:00", ["JP"], "2026-11-16T08:00+09:00"),
        # In Los Angeles the week ends when it is 17:00 on Monday in Tokyo, and 09:00 in Paris.
        ("Asia/Tokyo", "08:00", ["JP", "US"], "2026-11-16T17:00+09:00"),
        ("Asia/Tokyo", "18:30", ["JP", "US"], "2026-11-16T18:30+09:00"),
        ("Europe/Paris", "08:00", ["FR", "US"], "2026-11-16T09:00+01:00"),
        ("Europe/Paris", "08:00", ["FR", "JP"], "2026-11-16T08:00+01:00"),
        ("America/Los_Angeles", "08:00", ["JP"], "2026-11-16T08:00-08:00"),
        # On the line of dates: Monday in Kiritimati is Sunday in Samoa.
        ("Pacific/Kiritimati", "08:00", ["US"], "2026-11-16T22:00+14:00"),
        ("Pacific/Pago_Pago", "08:00", ["JP"], "2026-11-16T08:00-11:00"),
    ],
)
def test_a_digest_is_due_at_the_readers_time_or_when_the_last_country_is_through(
    config: Config, zone: str, time: str, countries: list[str], due: str
) -> None:
    whose = reader(zone, time, *countries)
    assert due_at(config, whose, WEEK) == at(due)
    assert due_week(config, whose, at(due)) == WEEK
    assert due_week(config, whose, at(due) - SECOND) == WEEK.back()


def test_a_reader_of_all_countries_waits_for_the_last_of_those_that_are_listened_to(tmp_path: Path) -> None:
    config = read_config(tmp_path)
    assert week_ends(config, reader(), WEEK) == at("2026-11-16T00:00-08:00")
    config.countries["US"] = config.countries["US"].model_copy(update={"mode": "off"})
    assert week_ends(config, reader(), WEEK) == at("2026-11-16T00:00+01:00")


@pytest.mark.parametrize(
    ("week", "due"),
    [
        ("2026-W13", "2026-03-30T08:00+02:00"), ("2026-W12", "2026-03-23T08:00+01:00"),
        ("2026-W43", "2026-10-26T08:00+01:00"), ("2026-W42", "2026-10-19T08:00+02:00"),
    ],
)  # fmt: skip
def test_the_hour_is_that_of_the_readers_clocks_before_and_after_they_change(
    config: Config, week: str, due: str
) -> None:
    assert due_at(config, reader("Europe/Paris", "08:00", "FR"), Week.parse(week)) == at(due)


def test_a_time_that_clocks_skip_on_monday_comes_as_much_later(config: Config) -> None:
    # Istanbul went from three to four on Monday, 31 March 2014.
    whose = reader("Europe/Istanbul", "03:30", "JP")
    assert due_at(config, whose, Week.parse("2014-W13")) == at("2014-03-31T04:30+03:00")


def test_a_time_that_comes_twice_on_monday_is_the_first(config: Config) -> None:
    # Vostok went back from two to midnight on Monday, 18 December 2023.
    whose = reader("Antarctica/Vostok", "01:30", "JP")
    due = at("2023-12-18T01:30+07:00")
    assert due_at(config, whose, Week.parse("2023-W50")) == due
    for minutes in range(0, 300, 15):
        assert due_week(config, whose, due + timedelta(minutes=minutes)) == Week.parse("2023-W50")


@given(
    st.datetimes(datetime(2024, 1, 8), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),
    st.sampled_from(ZONES),
    st.sampled_from(["00:00", "02:30", "08:00", "23:59"]),
    st.lists(st.sampled_from(["FR", "JP", "US"]), unique=True),
)
def test_the_week_that_is_due_is_over_everywhere_and_the_next_is_not_due(
    config: Config, now: datetime, zone: str, time: str, countries: list[str]
) -> None:
    whose = reader(zone, time, *countries)
    week = due_week(config, whose, now)
    assert due_at(config, whose, week) <= now < due_at(config, whose, week.back(-1))
    assert week_ends(config, whose, week) <= now
    assert week <= last_finished(now, zone)
