"""When things happen: jobs rebuilt from the configuration at each start; what is due stands in the store."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from listener.app import App, guarded
from listener.model import Watch
from listener.pipeline.tally import Tally
from listener.plugins import SLACK_APP

_TICK_S = 10.0
"""How often a watch looks whether its next poll is due; the store says when that is."""
_WORK_S = 1.0
_SEND_S = 0.5
_TEND_S = 2.0
_INCIDENTS_S = 60.0
_FORGET_S = 3600.0
_DIGESTS_S = 60.0
_STOP_WITHIN_S = 3.0
_WATCH_CLOCK_S = 1.0


class Daemon:
    """Runs the app's steps in threads until it is told to stop."""

    def __init__(self, app: App, stop: threading.Event) -> None:
        self._app = app
        self._stop = stop
        self._tally = Tally()
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

    def run(self) -> None:
        """Work until the stop event is set; returns within seconds of it."""
        slack = self._app.open_slack(self._stop) if SLACK_APP not in self._app.plugins.off else None
        self._scheduler.start()
        if slack is not None:
            slack.start()
        try:
            self._wait()
        finally:
            self._stop.set()
            if slack is not None:
                slack.close()
            waiter = threading.Thread(target=self._scheduler.shutdown, kwargs={"wait": True}, daemon=True)
            waiter.start()
            waiter.join(_STOP_WITHIN_S)

    def _wait(self) -> None:
        """Wait for the stop; when the clock goes back, let go what it put off and let every job run at once.

        The scheduler plans by the clock: without this it would sleep for as long as the clock went back.
        """
        before = datetime.now(UTC)
        while not self._stop.wait(_WATCH_CLOCK_S):
            now = datetime.now(UTC)
            if now < before:
                guarded("clock went back", self._app.clock_went_back)
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=now)
            before = now

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
        return lambda: self._app.collector.poll(watch, self._tally, self._stop.is_set)

    def _look_of(self, source: str) -> Callable[[], int]:
        return lambda: self._app.withdraw.look(source)

    def _send_of(self, receiver: str) -> Callable[[], int]:
        return lambda: self._app.sender.drain(receiver, self._tally, self._stop.wait)
