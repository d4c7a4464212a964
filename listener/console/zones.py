"""In which time zone somebody is shown moments who has not chosen one."""

from collections.abc import Sequence

from listener.config import Config


def usual_timezone(config: Config, countries: Sequence[str] | None) -> str:
    """Return the zone of somebody's first country; of the head office, else of the first team, for all countries."""
    for code in countries or ():
        if code in config.countries:
            return config.countries[code].timezone
    team = config.teams.get(config.head_office or "") or next(iter(config.teams.values()))
    return team.timezone
