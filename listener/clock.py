"""The clock that every layer asks for the time, so that tests can set it, and moments as people write them."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Beyond them calendars end, so that no zone and no span has room, or nobody posted."""


class Clock(Protocol):
    """Anything that tells the time as an aware UTC datetime."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment the clock was last set to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += timedelta(seconds=seconds)


def read_moment(text: str, zone: tzinfo = UTC) -> datetime:
    """Return the moment that a text such as "2026-12-01 09:00" names, in UTC; without an offset it is by `zone`.

    Raises:
        ValueError: it names none, or one that is out of reach.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        at = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of reach") from error
    if not _FIRST <= at < _LAST:
        raise ValueError("out of reach")
    return at
