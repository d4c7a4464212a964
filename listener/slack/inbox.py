"""Takes what Slack tells of, answers within its three seconds whatever the database does, and works afterwards.

Nothing here reads the store. What has to be done is handed to threads that try again while the database is away.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from listener.errors import DeliveryError, ListenerError
from listener.slack.spool import Spool

log = structlog.get_logger("listener.slack")

MOST_WAITING = 1_000
"""Jobs that may wait; beyond, presses are refused, which Slack shows to whoever presses."""
_WORKERS = 4
_FRONT_WORKERS = 2
_PATIENCE_S = 600.0
_FIRST_PAUSE_S = 0.2
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
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="slack-work")
        self._waiting = 0
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
        if reaction.front is not None:
            self._submit(self._front, partial(self._open, reaction))
        elif reaction.work is not None:
            kept = self._spool.keep(kind, payload) if self._spool and kind != "events_api" else None
            self._submit(self._workers, partial(self._work, reaction, kept))
        return reaction.at_once

    def catch_up(self) -> int:
        """Carry out what an earlier run acknowledged and did not come to; return how many presses."""
        count = 0
        for path, kind, payload in self._spool.left_over() if self._spool else ():
            reaction = self._kinds[kind](payload) if kind in self._kinds else NOTHING
            if reaction.work is None or reaction.front is not None:
                path.unlink(missing_ok=True)
                continue
            self._submit(self._workers, partial(self._work, reaction, path))
            count += 1
        return count

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being worked on; return whether that came to be in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting == 0, timeout_s)

    def close(self) -> None:
        """Take nothing more and end; what was not carried out is kept for the next start."""
        self.is_closing.set()
        self._stopping.set()
        self._front.shutdown(wait=True, cancel_futures=True)
        self._workers.shutdown(wait=True, cancel_futures=True)

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

    def _open(self, reaction: Reaction) -> None:
        if reaction.front is not None and _done(reaction.front, reaction.excuse) and reaction.work is not None:
            with suppress(ClosingError):
                self._submit(self._workers, partial(self._work, reaction, None))

    def _work(self, reaction: Reaction, kept: Path | None) -> None:
        """Do the work, and again while the database is away."""
        waited, pause = 0.0, _FIRST_PAUSE_S
        while reaction.work is not None:
            try:
                _done(reaction.work, reaction.excuse)
                break
            except SQLAlchemyError as error:
                log.warning("the database is away; a press waits", problem=type(error).__name__)
                if self._stopping.wait(pause):
                    return  # it is kept on disk for the next start
                waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE_S)
                if waited >= _PATIENCE_S:
                    _excuse(
                        reaction.excuse, "The daemon could not note this: its database is away. Please press again."
                    )
                    break
        if self._spool is not None:
            self._spool.done(kept)


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
