"""Working time counted the plain way: minute by minute, from the configuration's hours and a table of holidays."""

from datetime import datetime, time, timedelta

import holidays
import numpy as np
import numpy.typing as npt
import pandas as pd

from listener.config import Config

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def kept_holidays(config: Config, country: str, team: str | None = None) -> dict[str, str]:
    """Return the days off of a country's own people, or of a team that answers for it: ISO date and name."""
    choice = config.countries[country].holidays
    if team is not None and config.teams[team].holidays is not None:
        choice = config.teams[team].holidays
    code: str | None = country
    days: dict[str, str] = {}
    if choice is not None and "country" in choice.model_fields_set:
        code = choice.country
    if code is not None:
        subdivision = choice.subdivision if choice is not None else None
        spoken = [one for one in holidays.country_holidays(code).supported_languages if one.startswith("en")]
        english = "en_US" if "en_US" in spoken else next(iter(spoken), None)
        found = holidays.country_holidays(code, subdiv=subdivision, years=(2026, 2027), language=english)
        days = {day.isoformat(): name for day, name in found.items()}
    if choice is not None:
        days |= {day.isoformat(): "day off" for day in choice.add if day.isoformat() not in days}
        days = {day: name for day, name in days.items() if day not in {one.isoformat() for one in choice.work}}
    return days


class Minutes:
    """Every minute of a span, open or closed, for one team's work for one country."""

    def __init__(self, config: Config, country: str, team: str, begin: datetime, end: datetime) -> None:
        place, people = config.countries[country], config.teams[team]
        hours, zone = (people.hours, people.timezone) if people.hours is not None else (place.hours, place.timezone)
        self._begin = pd.Timestamp(begin).floor("min")
        wall = pd.date_range(self._begin, end + timedelta(days=1), freq="min").tz_convert(zone)
        minute = wall.hour.to_numpy() * 60 + wall.minute.to_numpy()
        is_open = np.zeros(len(wall), bool)
        for number, name in enumerate(_DAYS):
            for opens, closes in hours.spans.get(name, []):
                inside = (minute >= _minute(opens)) & (minute < _end(closes))
                is_open |= (wall.day_of_week.to_numpy() == number) & inside
        off = set(kept_holidays(config, country, team))
        days = wall.normalize()
        for day in days.unique():
            if day.date().isoformat() in off:
                is_open[days == day] = False
        self._is_open = is_open
        self._until: npt.NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(is_open) * 60.0])

    def seconds(self, begin: pd.Timestamp, end: pd.Timestamp) -> float:
        """Return how much working time lies between two moments."""
        return self._worked(end) - self._worked(begin)

    def _worked(self, at: pd.Timestamp) -> float:
        passed = (at - self._begin).total_seconds()
        number = int(passed // 60)
        return float(self._until[number] + (passed - number * 60) * self._is_open[number])


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _end(at: time) -> int:
    return 24 * 60 if at >= time(23, 59) else _minute(at)
