"""When each team works: who is in charge of an alert now, and when the next of them opens."""

from collections.abc import Callable
from datetime import datetime

from alerts.calendars import Calendar, calendar_for, team_calendars
from alerts.escalation import in_charge
from listener.config import Config


class Workplaces:
    """The working time of all countries and teams of a configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._calendars = {
            code: calendar_for(code, country, config.teams[country.team]) for code, country in config.countries.items()
        }
        self._of_team = team_calendars(config.teams, config.countries)

    def calendar(self, country: str) -> Calendar:
        """Return the working time that a country's targets are counted in."""
        return self._calendars[country]

    def is_open(self, team: str, at: datetime) -> bool:
        """Tell whether somebody of a team works at a moment: by its own hours, else by those of its countries."""
        return any(calendar.is_open(at) for calendar in self._of_team.get(team, ()))

    def open_at(self, at: datetime) -> Callable[[str], bool]:
        """Return the question whether a team works at this moment."""
        return lambda team: self.is_open(team, at)

    def in_charge(self, country: str, at: datetime) -> tuple[str, bool]:
        """Return the team that looks after a country's alerts at a moment, and whether anybody of it works."""
        return in_charge(self._config.countries[country].team, self._config.teams, self.open_at(at))

    def next_opening(self, country: str, at: datetime) -> datetime | None:
        """Return when the country's team, or one that covers for it, works next; `at` itself where one does."""
        own = self._config.countries[country].team
        teams = (own, *self._config.teams[own].cover)
        openings = [calendar.next_opening(at) for team in teams for calendar in self._of_team.get(team, ())]
        return min((opening for opening in openings if opening is not None), default=None)
