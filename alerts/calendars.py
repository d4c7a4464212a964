"""When people work: hours, holidays and a time zone as one calendar that counts working time.

A moment is open where the clock on the wall shows a time within the day's hours. Nights on which clocks change
need no case of their own: a span that holds a skipped hour is shorter in real time, one that holds a repeated
hour longer, and what lies in a skipped hour alone never comes. All moments are aware; those returned are UTC.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from listener.config.models import Country, Holidays, Team
from listener.config.public_holidays import UnknownHolidaysError, public_holidays
from listener.config.types import WEEKDAYS, Hours

Span = tuple[datetime, datetime]

_DAY = timedelta(days=1)
DAY_OFF = "day off"
"""What one is called that a configuration adds."""
_LAST_MINUTE = time(23, 59)
_NEAR_DAYS = 2 * 366
"""How far an opening or a closing is looked for: every calendar that ever opens does so within two years."""
_FAR_DAYS = 30 * 366
"""How far working time is counted ahead: what takes longer never comes."""
_KEPT_DAYS = 4000
_PROBES = tuple(timedelta(hours=hours) for hours in (0, 12, 24))


class Calendar:
    """The working hours of a week in one time zone, less the holidays."""

    def __init__(self, hours: Hours, timezone: str, holidays: Holidays) -> None:
        self.timezone = timezone
        self._zone = ZoneInfo(timezone)
        self._week = [_merged(hours.spans.get(day, [])) for day in WEEKDAYS]
        self._holidays = holidays
        self._added = frozenset(holidays.add)
        self._worked = frozenset(holidays.work)
        self._days: dict[date, tuple[Span, ...]] = {}

    def is_open(self, at: datetime) -> bool:
        """True where people work at `at`; the minute in which hours end is outside."""
        at = _utc(at)
        return any(start <= at < end for start, end in self._open_on(at.date()))

    def next_opening(self, at: datetime) -> datetime | None:
        """Return when people work next: `at` itself where they do; None where they never will."""
        at = _utc(at)
        start = next(self._spans_after(at, _NEAR_DAYS), (None, None))[0]
        return None if start is None else max(start, at)

    def next_closing(self, at: datetime) -> datetime | None:
        """Return the end of the hours that `at` is in, or of the next ones; None where they never end or begin."""
        closing = None
        for start, end in self._spans_after(_utc(at), _NEAR_DAYS):
            if closing is not None and start > closing:
                return closing
            closing = end
        return None

    def after(self, start: datetime, working_s: float) -> datetime | None:
        """Return the moment by which `working_s` of working time have passed since `start`.

        With 0 that is `start` itself where people work, else the next opening.
        None where people never work, or so little that it takes more than thirty years.
        """
        start, left = _utc(start), timedelta(seconds=working_s)
        if left < timedelta(0):
            raise ValueError("working time does not run backwards")
        for begin, end in self._spans_after(start, _FAR_DAYS if left else _NEAR_DAYS):
            begin = max(begin, start)
            if end - begin >= left:
                return begin + left
            left -= end - begin
        return None

    def working_s(self, start: datetime, end: datetime) -> float:
        """Return how much working time lies between two moments; 0 where `end` is not after `start`."""
        start, end = _utc(start), _utc(end)
        total = timedelta(0)
        for begin, finish in self._spans_after(start, (end.date() - start.date()).days + 1):
            if begin >= end:
                break
            total += min(finish, end) - max(begin, start)
        return max(total, timedelta(0)).total_seconds()

    def holiday_on(self, day: date, language: str = "en") -> str | None:
        """Return the name of the holiday kept on a day of the calendar's own zone, None where people work.

        In `language` where the library has it, in English or the country's own where it has not.
        """
        if day in self._worked:
            return None
        if self._holidays.country is not None:
            try:
                known = public_holidays(self._holidays.country, self._holidays.subdivision, day.year, language)
                name = known.get(day)
            except UnknownHolidaysError:
                name = None  # said when the configuration was read
            if name is not None:
                return name
        return DAY_OFF if day in self._added else None

    def _spans_after(self, at: datetime, days: int) -> Iterator[Span]:
        """Yield the open spans that end after `at`, in order, over so many days of UTC."""
        if not any(self._week):
            return
        day = at.date()
        for _ in range(days):
            for span in self._open_on(day):
                if span[1] > at:
                    yield span
            day += _DAY

    def _open_on(self, day: date) -> tuple[Span, ...]:
        """Return what is open within one day of UTC, in order, without overlaps; spans may touch.

        Days of UTC, because those on the wall do not always follow one another: where clocks go back over
        midnight, yesterday comes again.
        """
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days = {}
            known = self._days[day] = tuple(self._wall_spans(day))
        return known

    def _wall_spans(self, day: date) -> Iterator[Span]:
        for start, end in self._stretches(day):
            ahead = _offset(start, self._zone)
            first, last = start.replace(tzinfo=None) + ahead, end.replace(tzinfo=None) + ahead
            for local in sorted({first.date(), last.date()}):
                for opens, closes in self._hours_on(local):
                    begin, finish = max(opens, first), min(closes, last)
                    if begin < finish:
                        yield (begin - ahead).replace(tzinfo=UTC), (finish - ahead).replace(tzinfo=UTC)

    def _hours_on(self, local: date) -> list[tuple[datetime, datetime]]:
        week_day = self._week[local.weekday()]
        if not week_day or self.holiday_on(local) is not None:
            return []
        midnight = datetime.combine(local, time())
        return [(midnight + start, midnight + end) for start, end in week_day]

    def _stretches(self, day: date) -> Iterator[Span]:
        """Cut a day of UTC where the zone's distance from UTC changes."""
        midnight = datetime.combine(day, time(), UTC)
        cuts = [midnight]
        for low, high in pairwise(midnight + probe for probe in _PROBES):
            if _offset(low, self._zone) != _offset(high, self._zone):
                cuts.append(_change(low, high, self._zone))
            cuts.append(high)
        yield from ((start, end) for start, end in pairwise(cuts) if start < end)


def calendar_for(country_code: str, country: Country, team: Team) -> Calendar:
    """Return the calendar by which a team's work for one country is counted.

    A team with hours of its own works by them in its own zone; otherwise the country's hours in the country's
    zone hold. Holidays: the team's own where it names some, else the country's; a choice that leaves the country
    open means the public holidays of this one.
    """
    hours, timezone = (team.hours, team.timezone) if team.hours is not None else (country.hours, country.timezone)
    holidays = team.holidays if team.holidays is not None else country.holidays
    return Calendar(hours, timezone, kept_holidays(country_code, holidays))


def kept_holidays(country_code: str, holidays: Holidays | None) -> Holidays:
    """Return a choice of holidays with the country filled in where it was left open."""
    if holidays is None:
        return Holidays(country=country_code)
    if "country" in holidays.model_fields_set:
        return holidays
    return holidays.model_copy(update={"country": country_code})


def team_calendars(teams: Mapping[str, Team], countries: Mapping[str, Country]) -> dict[str, tuple[Calendar, ...]]:
    """Return by which calendars each team works: one for each country it answers for.

    A team works while any of them is open. One that answers for no country has the calendar of its own hours, and
    none at all where it has no hours.
    """
    result: dict[str, tuple[Calendar, ...]] = {}
    for name, team in teams.items():
        own = [calendar_for(code, country, team) for code, country in countries.items() if country.team == name]
        if not own and team.hours is not None:
            own = [Calendar(team.hours, team.timezone, team.holidays or Holidays())]
        result[name] = tuple(own)
    return result


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a calendar needs aware datetimes")
    return at.astimezone(UTC)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second in (low, high] at which the offset is no longer that of `low`."""
    before = _offset(low, zone)
    while (gap := int((high - low).total_seconds())) > 1:
        middle = low + timedelta(seconds=gap // 2)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


def _merged(spans: list[tuple[time, time]]) -> list[tuple[timedelta, timedelta]]:
    """Return a day's spans as time since midnight, in order; overlapping and adjacent ones become one."""
    result: list[tuple[timedelta, timedelta]] = []
    for start, end in sorted((_since_midnight(start), _end_of(end)) for start, end in spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _end_of(at: time) -> timedelta:
    return _DAY if at >= _LAST_MINUTE else _since_midnight(at)
