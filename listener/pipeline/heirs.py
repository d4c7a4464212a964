"""What a changed configuration leaves behind: alerts of teams and messages of receivers that are gone."""

import structlog

from listener.clock import Clock
from listener.config import Config
from listener.pipeline.announce import Announcer
from listener.store import Store

log = structlog.get_logger("listener.heirs")


class Heirs:
    """Runs once at each start, before anything else."""

    def __init__(self, config: Config, announcer: Announcer, store: Store, clock: Clock) -> None:
        self._config = config
        self._announcer = announcer
        self._store = store
        self._clock = clock

    def of_teams(self) -> int:
        """Give alerts whose team is gone to the team of their country; return how many."""
        given = 0
        for alert in self._store.alerts.live_outside(self._config.teams):
            country = self._config.countries.get(alert.country)
            if country is None:
                continue  # it has left the configuration with its team
            now = self._clock.now()
            with self._store.alerts.transaction() as transaction:
                changed = transaction.change(alert.id, now, now_with=country.team, look_at=now)
                self._announcer.changed(transaction, changed, now)
            given += 1
        if given:
            log.warning("alerts of teams that are gone given to the teams of their countries", alerts=given)
        return given
