"""Spans as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from listener.store.decisions import Extent
from listener.tuning.spans import SimulationError, check_span, covered_days, rate, span_of

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("since", "until", "begin", "end"),
    [
        ("7d", None, NOW - timedelta(days=7), NOW),
        ("24h", "12h", NOW - timedelta(hours=24), NOW - timedelta(hours=12)),
        ("2026-11-10", None, datetime(2026, 11, 9, 23, tzinfo=UTC), NOW),
        ("2026-11-10", "2026-11-10", datetime(2026, 11, 9, 23, tzinfo=UTC), datetime(2026, 11, 10, 23, tzinfo=UTC)),
        ("2026-W46", None, datetime(2026, 11, 8, 23, tzinfo=UTC), datetime(2026, 11, 15, 23, tzinfo=UTC)),
        ("2026-W47", None, datetime(2026, 11, 15, 23, tzinfo=UTC), NOW),
        ("2026-10-25", "2026-10-25", datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("2026-11-10T08:00", "2026-11-10T09:00Z", datetime(2026, 11, 10, 7, tzinfo=UTC),
         datetime(2026, 11, 10, 9, tzinfo=UTC)),
        ("2026-11-19", "2026-11-30", datetime(2026, 11, 18, 23, tzinfo=UTC), NOW),
    ],
)  # fmt: skip
def test_spans_are_read_by_the_clock_of_the_country(
    since: str, until: str | None, begin: datetime, end: datetime
) -> None:
    assert span_of(since, until, PARIS, NOW) == (begin, end)


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("", None, "is no span"),
        ("7 weeks", None, "is no span"),
        ("2026-13-01", None, "is no span"),
        ("99999999999999d", None, "is no span"),
        ("0001-01-01", None, "is no span"),
        ("0001-01-01T00:00+14:00", None, "is no span"),
        ("9999-12-31T23:59-14:00", None, "is no span"),
        ("7d", "9999-12-31", "is no span"),
        ("7d", "-1d", "--until '-1d' is no span"),
        ("2026-11-21", None, "lies in the future"),
        ("0s", None, "lies in the future"),
        ("1d", "2d", "there is no time at all"),
    ],
)
def test_what_is_no_span_is_refused_with_what_to_write(since: str, until: str | None, said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        span_of(since, until, PARIS, NOW)


def test_a_span_beyond_what_is_stored_says_what_is() -> None:
    extent = Extent(NOW - timedelta(days=3), NOW, 5, ("FR",))
    assert check_span((NOW - timedelta(days=3), NOW), extent, PARIS) == ()
    (note,) = check_span((NOW - timedelta(days=30), NOW), extent, PARIS)
    assert "from 2026-11-17 10:30 to 2026-11-20 10:30 (Europe/Paris)" in note
    with pytest.raises(SimulationError, match="what is stored was decided from 2026-11-17"):
        check_span((NOW - timedelta(days=30), NOW - timedelta(days=9)), extent, PARIS)
    with pytest.raises(SimulationError, match="`listener run` collects and decides"):
        check_span((NOW - timedelta(days=3), NOW), Extent(None, None, 0, ()), PARIS)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (timedelta(days=90), timedelta(minutes=5), 7.0),  # all of it
        (timedelta(days=3), timedelta(hours=5), 3.0),  # a quiet night is listened to as well
        (timedelta(minutes=15), timedelta(), 15 / 1440),
        (timedelta(days=6), timedelta(days=2), 4.0),  # nobody listened since
        (timedelta(days=90), timedelta(days=30), 0.0),
    ],
)
def test_of_a_span_those_days_count_that_are_stored(first: timedelta, last: timedelta, days: float) -> None:
    extent = Extent(NOW - first, NOW - last, 5, ("FR",))
    assert covered_days((NOW - timedelta(days=7), NOW), extent) == pytest.approx(days)
    assert covered_days((NOW - timedelta(days=7), NOW), Extent(None, None, 0, ())) == 0


def test_of_less_than_a_day_no_rate_is_told() -> None:
    assert rate(12, 15 / 1440) is None
    assert rate(12, 3) == 4
