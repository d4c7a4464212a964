"""Takes what Slack tells of, answers within its three seconds whatever the database does, and works afterwards.

Nothing here reads the store. What has to be done is handed to threads that try again while the database is away.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from listener.errors import DeliveryError, ListenerError

log = structlog.get_logger("listener.slack")

MOST_WAITING = 1_000
"""Jobs that may wait; beyond, people are told to press again rather than kept waiting for ever."""
_WORKERS = 4
_FRONT_WORKERS = 2
_PATIENCE_S = 600.0
_LONGEST_PAUSE_S = 15.0

Payload = Mapping[str, Any]
Job = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a press, a submission or a command leads to."""

    at_once: Mapping[str, Any] | None = None
    """What goes back with the acknowledgement: `response_action` with errors, or a text."""
    front: Job | None = None
    """Done first and without the store: windows must be opened within three seconds of the press."""
    work: Job | None = None
    """Done after that, again and again while the database is away."""
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


class SlackInbox:
    """Where both ways of hearing from Slack end."""

    def __init__(self, handlers: Handlers, stopping: threading.Event | None = None) -> None:
        self._kinds: Mapping[str, Callable[[Payload], Reaction]] = {
            "interactive": handlers.interactive,
            "slash_commands": handlers.command,
            "events_api": handlers.event,
        }
        self._stopping = stopping or threading.Event()
        self.is_closing = threading.Event()
        """Set once nothing more is worked on."""
        self._front = ThreadPoolExecutor(_FRONT_WORKERS, thread_name_prefix="slack-front")
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="slack-work")
        self._waiting = 0
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)

    def take(self, kind: str, payload: object) -> Mapping[str, Any] | None:
        """Take one delivery and return what goes back with its acknowledgement; never waits and never raises."""
        react = self._kinds.get(kind)
        if react is None or not isinstance(payload, Mapping):
            return None
        try:
            reaction = react(payload)
        except Exception:
            log.exception("what Slack sent cannot be read", kind=kind)
            return None
        if reaction.front is None and reaction.work is None:
            return reaction.at_once
        if not self._enter():
            log.error("too much waits; a press is refused", kind=kind)
            return reaction.at_once
        first = self._front if reaction.front is not None else self._workers
        first.submit(self._begin, reaction)
        return reaction.at_once

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being worked on; return whether that came to be in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting == 0, timeout_s)

    def close(self) -> None:
        """Stop working; what waits is left."""
        self.is_closing.set()
        self._stopping.set()
        self._front.shutdown(wait=True, cancel_futures=True)
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _enter(self) -> bool:
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return False
            self._waiting += 1
            return True

    def _leave(self) -> None:
        with self._idle:
            self._waiting -= 1
            self._idle.notify_all()

    def _begin(self, reaction: Reaction) -> None:
        going_on = False
        try:
            if reaction.front is not None:
                if not _done(reaction.front, reaction.excuse):
                    return
                if reaction.work is not None:
                    self._workers.submit(self._work, reaction)
                    going_on = True
            else:
                going_on = True
                self._work(reaction)
        except RuntimeError:  # the pool is shut: the daemon is stopping
            going_on = False
        finally:
            if not going_on:
                self._leave()

    def _work(self, reaction: Reaction) -> None:
        try:
            self._persist(reaction)
        finally:
            self._leave()

    def _persist(self, reaction: Reaction) -> None:
        """Do the work, and again while the database is away."""
        assert_work = reaction.work
        if assert_work is None:
            return
        waited, pause = 0.0, 0.2
        while True:
            try:
                _done(assert_work, reaction.excuse)
                return
            except SQLAlchemyError as error:
                log.warning("the database is away; a press waits", problem=type(error).__name__)
                if waited >= _PATIENCE_S or self._stopping.wait(pause):
                    _excuse(reaction.excuse, "The daemon could not note this. Nothing was changed: please press again.")
                    return
                waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE_S)


def _done(job: Job, excuse: Callable[[str], None] | None) -> bool:
    """Run a job; say whether it ended well. Faults of the database are the caller's to try again."""
    try:
        job()
    except SQLAlchemyError:
        raise
    except DeliveryError as error:
        log.warning("Slack did not take an answer", problem=str(error))
        return False
    except ListenerError as error:
        _excuse(excuse, str(error))
        return False
    except Exception:
        log.exception("a press could not be worked on")
        _excuse(excuse, "Something went wrong, and nothing was changed. It is in the daemon's log.")
        return False
    return True


def _excuse(excuse: Callable[[str], None] | None, text: str) -> None:
    if excuse is None:
        return
    try:
        excuse(text)
    except ListenerError as error:
        log.warning("Slack did not take an answer", problem=str(error))
