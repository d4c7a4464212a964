"""When things happen: jobs rebuilt from each configuration that comes into force; what is due stands in the store."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from listener.app import App, guarded, reopen_app
from listener.config import Config
from listener.errors import ListenerError
from listener.keeping import Keeper, changes, effective_json
from listener.model import Watch
from listener.pipeline.tally import Tally
from listener.plugins import SLACK_APP
from listener.slack.service import SlackService
from listener.store.configurations import Version

if TYPE_CHECKING:
    from listener.console.tending import ConsoleTender

log = structlog.get_logger("listener.daemon")

_TICK_S = 10.0
"""How often a watch looks whether its next poll is due; the store says when that is."""
_WORK_S = 1.0
_SEND_S = 0.5
_TEND_S = 2.0
_INCIDENTS_S = 60.0
_FORGET_S = 3600.0
_DIGESTS_S = 60.0
_LIST_S = 1.0
_STOP_WITHIN_S = 3.0
_HAND_OVER_WITHIN_S = 10.0
"""How long what is under way with one configuration may keep the next from its work."""
_WATCH_CLOCK_S = 1.0
_GLANCE_S = 0.2
_SHOWN = 12
"""So many problems or changed settings are said in one message, the rest is counted."""


class Daemon:
    """Runs the app until it is told to stop, and runs it anew where another configuration comes into force."""

    def __init__(self, app: App, stop: threading.Event, keeper: Keeper, say: Callable[[str], None]) -> None:
        self._app = app
        self._say = say
        self._stop = stop
        self._keeper = keeper
        self._taken: Config | None = (
            keeper.config if effective_json(keeper.config) == effective_json(app.config) else None
        )
        """The configuration that the app was made from."""
        self._console: ConsoleTender | None = None
        self._told = ""
        """The problem of the configuration's files that operators know of."""

    def run(self) -> None:
        """Work until the stop event is set; returns within seconds of it."""
        shift = Shift(self._app)
        shift.start()
        before = datetime.now(UTC)
        try:
            while not self._stop.wait(_WATCH_CLOCK_S):
                now = datetime.now(UTC)
                if now < before:
                    shift.clock_went_back(now)
                before = now
                guarded("configuration", self._look)
                guarded("console", self._tend_console)
                if self._app is not shift.app:
                    shift = self._relieve(shift)
        finally:
            self._stop.set()
            if self._console is not None:
                self._console.close()
            shift.end(_STOP_WITHIN_S)

    def _tend_console(self) -> None:
        if self._console is None:
            if self._keeper.config.console is None:
                return
            from listener.console.tending import ConsoleTender  # most daemons serve none

            self._console = ConsoleTender(self._keeper, self._app.store, self._app.clock, self._say)
        self._console.tend()

    def _look(self) -> None:
        """Take the configuration's files where they changed; what is wrong with them is said once."""
        self._keeper.look()
        if self._keeper.config is not self._taken:  # read from the files, or changed in the console of this process
            self._take(self._keeper.config)
        if self._keeper.problem != self._told:
            self._told = self._keeper.problem
            self._app.tell_operators(*_words_of_problem(self._told))

    def _take(self, config: Config) -> None:
        before = self._app.config
        try:
            self._app = reopen_app(self._app, config)
        except ListenerError as error:
            self._keeper.withdraw(str(error))
            self._taken = self._keeper.config
            return
        self._taken = config
        version = self._keeper.keep()
        log.info("configuration in force", version=version.id, author=version.author, origin=version.origin)
        found = changes(effective_json(before), version.effective)
        self._app.tell_operators(*_words_of_version(version, found, self._app.config.store != before.store))

    def _relieve(self, shift: "Shift") -> "Shift":
        shift.end(_HAND_OVER_WITHIN_S, self._stop)
        if self._stop.is_set():
            return shift
        shift.app.plugins.close()
        new = Shift(self._app)
        new.start()
        return new


def _words_of_problem(problem: str) -> tuple[str, str]:
    if not problem:
        return "Configuration is in order again", "The files say what is in force."
    lines = problem.splitlines()
    more = f"\nand {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    text = "\n".join(lines[:_SHOWN]) + more
    return "Configuration not taken: the one before stays in force", text


def _words_of_version(version: Version, found: list[str], other_store: bool) -> tuple[str, str]:
    more = [f"and {len(found) - _SHOWN} more settings"] if len(found) > _SHOWN else []
    waits = ["`store` is another one when the daemon starts anew"] if other_store else []
    note = [version.note] if version.note else []
    lines = [*note, *found[:_SHOWN], *more, *waits] or ["No setting in effect differs."]
    return f"Configuration {version.id} is in force, by {version.author}", "\n".join(lines)


class Shift:
    """The app's steps in threads, with one configuration from start to end."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._stop = stop = threading.Event()
        self._tally = Tally()
        self._slack: SlackService | None = None
        watches = app.collector.watches()
        # One thread a source: its quota and its client are shared by all its watches.
        executors = {f"source {name}": ThreadPoolExecutor(1) for name in app.plugins.sources}
        executors |= {f"receiver {name}": ThreadPoolExecutor(1) for name in app.plugins.receivers}
        self._scheduler = BackgroundScheduler(
            executors={
                **executors,
                "work": ThreadPoolExecutor(1),
                "incidents": ThreadPoolExecutor(1),
                "digests": ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        for watch in watches:
            self._every(_TICK_S, f"poll {watch.id}", f"source {watch.source}", self._poll_of(watch))
        for name in app.withdraw.sources():
            self._every(_TICK_S, f"look again {name}", f"source {name}", self._look_of(name))
        self._every(_WORK_S, "work", "work", lambda: app.work(self._tally, stop.is_set))
        for name in app.plugins.receivers:
            self._every(_SEND_S, f"send {name}", f"receiver {name}", self._send_of(name))
        self._every(_TEND_S, "tend", "work", app.tend)
        self._every(_INCIDENTS_S, "incidents", "incidents", app.incidents.run)
        self._every(_FORGET_S, "forget", "work", app.forget)
        self._every(_DIGESTS_S, "digests", "digests", app.digests.run)
        self._every(_LIST_S, "list posts", "digests", app.list_missing)

    def start(self) -> None:
        """Begin to work, and to hear what people do in Slack."""
        self._slack = self.app.open_slack(self._stop) if SLACK_APP not in self.app.plugins.off else None
        self._scheduler.start()
        if self._slack is not None:
            self._slack.start()

    def end(self, within_s: float, hurry: threading.Event | None = None) -> None:
        """Begin nothing more, and wait so long at most for what is under way; seconds only once `hurry` is set."""
        if self._stop.is_set():
            return
        self._stop.set()
        if self._slack is not None:
            self._slack.close()
        waiter = threading.Thread(target=self._scheduler.shutdown, kwargs={"wait": True}, daemon=True)
        waiter.start()
        until = time.monotonic() + within_s
        while waiter.is_alive() and (left := until - time.monotonic()) > 0:
            if hurry is not None and hurry.is_set():
                waiter.join(min(left, _STOP_WITHIN_S))
                return
            waiter.join(min(left, _GLANCE_S))

    def clock_went_back(self, now: datetime) -> None:
        """Let go what a clock that was ahead put off, and let every job run at once.

        The scheduler plans by the clock: without this it would sleep for as long as the clock went back.
        """
        guarded("clock went back", self.app.clock_went_back)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=now)

    def _every(self, seconds: float, name: str, executor: str, step: Callable[[], object]) -> None:
        self._scheduler.add_job(
            lambda: None if self._stop.is_set() else guarded(name, step),
            "interval",
            seconds=seconds,
            id=name,
            executor=executor,
            misfire_grace_time=None,  # a job that waited for its thread still runs: the store knows what is due
            next_run_time=datetime.now(UTC) + timedelta(milliseconds=50),
        )

    def _poll_of(self, watch: Watch) -> Callable[[], None]:
        return lambda: self.app.collector.poll(watch, self._tally, self._stop.is_set)

    def _look_of(self, source: str) -> Callable[[], int]:
        return lambda: self.app.withdraw.look(source)

    def _send_of(self, receiver: str) -> Callable[[], int]:
        return lambda: self.app.sender.drain(receiver, self._tally, self._stop.wait)
