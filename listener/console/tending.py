"""Keeps the console of a daemon as the configuration in force wants it. It never keeps the daemon from its work."""

from collections.abc import Callable
from datetime import datetime, timedelta

from listener.clock import Clock
from listener.config.models import Console
from listener.console.office import Office
from listener.console.server import ConsoleError, ConsoleServer
from listener.keeping import Keeper
from listener.store import Store

AGAIN = timedelta(seconds=10)
"""After so long it is tried again: somebody may have got an account, or the port may be free."""


class ConsoleTender:
    """Opens, closes and opens anew the console of one daemon."""

    def __init__(self, keeper: Keeper, store: Store, clock: Clock, say: Callable[[str], None]) -> None:
        self._say = say
        self._keeper = keeper
        self._store = store
        self._clock = clock
        self._server: ConsoleServer | None = None
        self._settings: Console | None = None
        """What the server was opened with."""
        self._again_at: datetime | None = None
        self.problem = ""
        """Why there is none although the configuration wants one."""

    @property
    def url(self) -> str:
        """Where it answers; empty where it does not."""
        public = self._settings.url if self._settings else None
        return (public or self._server.url) if self._server else ""

    def tend(self) -> None:
        """Do what is to be done now; call it every second or so."""
        wanted = self._keeper.config.console
        if wanted == self._settings and (self._server is not None or wanted is None):
            return
        now = self._clock.now()
        if wanted == self._settings and self._again_at is not None and now < self._again_at <= now + AGAIN:
            return
        self.close()
        self._settings, self._again_at = wanted, now + AGAIN
        if wanted is not None:
            self._open()

    def _open(self) -> None:
        try:
            server = ConsoleServer(Office(self._keeper, self._store, self._clock))
        except ConsoleError as error:
            if str(error) != self.problem:
                self._say(f"no console: {error}")
            self.problem = str(error)
            return
        server.start()
        self._server, self.problem = server, ""
        self._say(f"the console answers at {self.url}")

    def close(self) -> None:
        """Stop answering, within seconds."""
        if self._server is not None:
            self._server.close()
        self._server = None
