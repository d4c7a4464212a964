"""Weeks as digests count them: ISO weeks, from Monday's midnight to the next by each country's own clocks."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from listener.errors import DigestError

_PATTERN = re.compile(r"(\d{4})-?W(\d{2})")
_DAYS = 7
_YEARS = range(1970, 9999)
"""Beyond them calendars end, or nobody posted."""


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """One ISO week, such as 2026-W46. It begins on Monday; the year is that of its Thursday."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Week":
        """Return the week that a text such as "2026-W46" names.

        Raises:
            DigestError: it names none.
        """
        found = _PATTERN.fullmatch(text.strip().upper())
        try:
            if found is None or int(found[1]) not in _YEARS:
                raise ValueError
            return cls.holding(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        except ValueError:
            raise DigestError(f"{text[:40]!r} is no week; write the year and the ISO week, such as 2026-W46") from None

    @classmethod
    def holding(cls, day: date) -> "Week":
        """Return the week that a day belongs to."""
        year, number, _ = day.isocalendar()
        return cls(year, number)

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        """The first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """The last day."""
        return self.monday + timedelta(days=_DAYS - 1)

    def back(self, weeks: int = 1) -> "Week":
        """Return the week so many weeks before (after, where negative)."""
        return Week.holding(self.monday - timedelta(weeks=weeks))

    def span(self, timezone: str) -> tuple[datetime, datetime]:
        """Return when the week begins and ends by the clocks of a time zone, in UTC: [begin, end).

        It lasts an hour less or more where clocks change in it.
        """
        zone = ZoneInfo(timezone)
        return midnight(self.monday, zone), midnight(self.monday + timedelta(days=_DAYS), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins by a zone's clocks, in UTC; where they skip midnight, the moment they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def last_finished(now: datetime, timezone: str) -> Week:
    """Return the last week that is over by the clocks of a time zone."""
    return Week.holding(now.astimezone(ZoneInfo(timezone)).date()).back()
