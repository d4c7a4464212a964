"""Takes what Slack tells of, answers within its three seconds whatever the database does, and works afterwards.

Nothing here reads the store. What changes it is done by one thread in the order in which people pressed, and again
while the database is away; what is said afterwards, and what only looks, is done beside it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from listener.errors import DeliveryError, ListenerError, RetryableDeliveryError
from listener.slack.spool import Spool

log = structlog.get_logger("listener.slack")

MOST_WAITING = 1_000
"""Jobs that may wait; beyond, presses are refused, which Slack shows to whoever presses."""
_FRONT_WORKERS = 2
_LOOKERS = 2
_TELLERS = 4
_PATIENCE_S = 600.0
_TELLING_PATIENCE_S = 120.0
_FIRST_TELLING_PAUSE_S = 1.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 15.0

Payload = Mapping[str, Any]
Job = Callable[[], None]
Work = Callable[[], Job | None]

_AWAY = "The daemon could not note this: its database is away. Please press again."
_FAULT = "Something went wrong, and nothing was changed. It is in the daemon's log."


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a press, a submission or a command leads to."""

    at_once: Mapping[str, Any] | None = None
    """What goes back with the acknowledgement: `response_action` with errors, or a text."""
    front: Job | None = None
    """Done first and without the store: windows must be opened within three seconds of the press."""
    work: Work | None = None
    """Done in the order of the presses, again and again while the database is away. It says nothing in Slack itself,
    but returns what is to be said, which is tried again by itself."""
    show: Job | None = None
    """In place of work: reads the store and shows something in Slack. In no order, and harmless to repeat."""
    excuse: Callable[[str], None] | None = None
    """Tells whoever pressed why nothing came of it."""


NOTHING = Reaction()


class Handlers(Protocol):
    """Decides what each thing that Slack tells leads to. Must not touch the store before its jobs run."""

    def interactive(self, payload: Payload) -> Reaction:
        """React to a press, a submission or a closed window."""
        ...

    def command(self, payload: Payload) -> Reaction:
        """React to a slash command."""
        ...

    def event(self, payload: Payload) -> Reaction:
        """React to an event."""
        ...


class ClosingError(ListenerError):
    """The daemon is stopping and takes nothing more: Slack delivers it again."""


class SlackInbox:
    """Where both ways of hearing from Slack end."""

    def __init__(self, handlers: Handlers, stopping: threading.Event | None = None, spool: Spool | None = None) -> None:
        self._kinds: Mapping[str, Callable[[Payload], Reaction]] = {
            "interactive": handlers.interactive,
            "slash_commands": handlers.command,
            "events_api": handlers.event,
        }
        self._spool = spool
        self._stopping = stopping or threading.Event()
        self.is_closing = threading.Event()
        """Set once nothing more is taken."""
        self._front = ThreadPoolExecutor(_FRONT_WORKERS, thread_name_prefix="slack-front")
        # One, so that of two who press while the database is away the first is the first when it is back.
        self._workers = ThreadPoolExecutor(1, thread_name_prefix="slack-work")
        self._lookers = ThreadPoolExecutor(_LOOKERS, thread_name_prefix="slack-look")
        self._tellers = ThreadPoolExecutor(_TELLERS, thread_name_prefix="slack-tell")
        self._is_away = False
        self._waiting = 0
        self._beyond = 0
        self._idle = threading.Condition()

    def take(self, kind: str, payload: object) -> Mapping[str, Any] | None:
        """Take one delivery and return what goes back with its acknowledgement; never waits for the database.

        Raises:
            ClosingError: nothing more is taken.
        """
        react = self._kinds.get(kind)
        if react is None or not isinstance(payload, Mapping):
            return None
        try:
            reaction = react(payload)
        except Exception:
            log.exception("what Slack sent cannot be read", kind=kind)
            return None
        self._begin(reaction, kind, payload, time.monotonic())
        return reaction.at_once

    def catch_up(self) -> int:
        """Carry out what an earlier run acknowledged and did not come to; return how many files wait for that."""
        files = self._spool.left_over() if self._spool is not None else []
        now = time.monotonic()
        for path in files:
            self._beside(self._workers, partial(self._recall, path, now))
        return len(files)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being worked on; return whether that came to be in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting + self._beyond == 0, timeout_s)

    def close(self) -> None:
        """Take nothing more and end; what was not carried out is kept for the next start."""
        self.is_closing.set()
        self._stopping.set()
        for pool in (self._front, self._workers, self._lookers, self._tellers):
            pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, reaction: Reaction, kind: str, payload: Payload, taken_s: float) -> None:
        if reaction.front is not None:
            self._submit(self._front, partial(self._open, reaction, taken_s))
        elif reaction.show is not None:
            self._submit(self._lookers, partial(self._look, reaction, taken_s))
        elif reaction.work is not None:
            kept = self._spool.keep(kind, payload) if self._spool is not None else None
            try:
                self._submit(self._workers, partial(self._work, reaction, kept, taken_s))
            except ClosingError:
                # It is not acknowledged, so whoever pressed knows: it must not happen later by itself.
                self._done(kept)
                raise

    def _submit(self, pool: ThreadPoolExecutor, job: Job) -> None:
        with self._idle:
            if self.is_closing.is_set() or self._waiting >= MOST_WAITING:
                raise ClosingError("too much waits, or the daemon is stopping")
            self._waiting += 1
        try:
            pool.submit(self._counted, job)
        except RuntimeError as error:  # it was shut in between
            self._leave()
            raise ClosingError("the daemon is stopping") from error

    def _counted(self, job: Job) -> None:
        try:
            job()
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._idle:
            self._waiting -= 1
            self._idle.notify_all()

    def _beside(self, pool: ThreadPoolExecutor, job: Job) -> None:
        """Have done what follows from a press that was acknowledged: it is never refused for want of room."""

        def run() -> None:
            try:
                job()
            finally:
                self._leave_beside()

        with self._idle:
            self._beyond += 1
        try:
            pool.submit(run)
        except RuntimeError:  # the daemon is stopping, and a kept press stays kept
            self._leave_beside()

    def _leave_beside(self) -> None:
        with self._idle:
            self._beyond -= 1
            self._idle.notify_all()

    def _open(self, reaction: Reaction, taken_s: float) -> None:
        if reaction.front is None:
            return
        try:
            reaction.front()
        except DeliveryError as error:
            log.warning("Slack did not open a window", problem=str(error))
        except Exception:
            log.exception("a window could not be opened")
            self._excuse(reaction, _FAULT)
        else:
            if reaction.show is not None:
                self._beside(self._lookers, partial(self._look, reaction, taken_s))

    def _recall(self, path: Path, taken_s: float) -> None:
        """Carry out a press that an earlier run left."""
        kept = self._spool.read(path) if self._spool is not None else None
        if kept is None or self._spool is None:
            return
        kind, payload = kept
        try:
            reaction = self._kinds[kind](payload) if kind in self._kinds else NOTHING
        except Exception:
            log.exception("a kept press cannot be read", kind=kind)
            self._spool.set_aside(path)
            return
        if reaction.work is None or reaction.front is not None:
            self._spool.done(path)
        else:
            self._work(reaction, path, taken_s)

    def _work(self, reaction: Reaction, kept: Path | None, taken_s: float) -> None:
        """Do the work, and again while the database is away."""
        pause = _FIRST_PAUSE_S
        while reaction.work is not None:
            if self._is_away and time.monotonic() - taken_s >= _PATIENCE_S:
                self._excuse(reaction, _AWAY, kept)
                return
            try:
                said = reaction.work()
            except Exception as error:
                if not _is_passing(error):
                    self._is_away = False
                    self._excuse(reaction, _words(error), kept)
                    return
                self._is_away = True
                log.warning("the database is away; presses wait", problem=type(error).__name__)
                if self._stopping.wait(pause):
                    return  # it is kept on disk for the next start
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                self._is_away = False
                self._say(said, kept)
                return

    def _excuse(self, reaction: Reaction, words: str, kept: Path | None = None) -> None:
        self._say(None if reaction.excuse is None or not words else partial(reaction.excuse, words), kept)

    def _say(self, said: Job | None, kept: Path | None) -> None:
        if said is None:
            self._done(kept)
        else:
            self._beside(self._tellers, partial(self._tell, said, kept))

    def _tell(self, said: Job, kept: Path | None) -> None:
        if self._persist(said, time.monotonic()) is not None and self._stopping.is_set():
            return
        self._done(kept)

    def _look(self, reaction: Reaction, taken_s: float) -> None:
        words = self._persist(reaction.show, taken_s) if reaction.show is not None else None
        if words and not self._stopping.is_set():
            self._excuse(reaction, words)

    def _persist(self, job: Job, since_s: float) -> str | None:
        """Do what may be repeated until it passes; return what to say where it does not, None where it does."""
        pause = _FIRST_TELLING_PAUSE_S
        while True:
            try:
                job()
                return None
            except RetryableDeliveryError as error:
                wait_s, words, problem = error.retry_after_s or pause, "", str(error)
            except Exception as error:
                if not _is_passing(error):
                    return _words(error)
                wait_s, words, problem = pause, _AWAY, type(error).__name__
            if time.monotonic() + wait_s - since_s > _TELLING_PATIENCE_S:
                log.warning("an answer in Slack is given up", problem=problem)
                return words
            if self._stopping.wait(wait_s):
                return words
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _done(self, kept: Path | None) -> None:
        if self._spool is not None:
            self._spool.done(kept)


def _is_passing(error: Exception) -> bool:
    """Tell whether a fault is the database's being away, and not something that stays wrong however often one asks."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _words(error: Exception) -> str:
    """Log a fault, and return what whoever pressed is told of it: nothing where Slack itself refuses."""
    if isinstance(error, DeliveryError):
        log.warning("Slack did not take an answer", problem=str(error))
        return ""
    if isinstance(error, ListenerError):
        return str(error)
    log.error("a press could not be worked on", exc_info=error)
    return _FAULT
