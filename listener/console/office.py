"""What every page stands on: the configuration in force, the store, the clock, and the desk that acts on alerts."""

import threading

from listener.app import OpenDesk
from listener.clock import Clock
from listener.config import Config
from listener.desk import Desk
from listener.keeping import Keeper
from listener.pipeline.announce import Announcer
from listener.store import Store


class Office:
    """Gives pages what they need; desk and announcer are made anew when another configuration is in force."""

    def __init__(self, keeper: Keeper, store: Store, clock: Clock) -> None:
        self.keeper = keeper
        self.store = store
        self.clock = clock
        self._lock = threading.Lock()
        self._opened: OpenDesk | None = None

    @property
    def config(self) -> Config:
        """The configuration in force now."""
        return self.keeper.config

    @property
    def announcer(self) -> Announcer:
        """What knows alerts by their labels and draws their cards."""
        with self._lock:
            return self._current().announcer

    @property
    def desk(self) -> Desk:
        """What carries out what people decide on alerts."""
        with self._lock:
            return self._current().desk

    def _current(self) -> OpenDesk:
        config = self.keeper.config
        if self._opened is None or self._opened.config is not config:
            self._opened = OpenDesk(config, self.store, self.clock)
        return self._opened
