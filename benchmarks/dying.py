"""A sender that is killed (SIGKILL) at a chosen step, and a nursery that starts the next one. A process of its own.

`python -m benchmarks.dying SPEC` with the fields of `Spec` as JSON. The nursery imports everything once and forks each
sender, so that a death costs milliseconds. The sender is the product's: the outbox and the receiver are its own
classes, wrapped only to die.
"""

import dataclasses
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from alerts.card import Message
from alerts.receivers.base import Delivery
from alerts.receivers.slack import SlackOptions, SlackReceiver
from alerts.slack import blocks, notes  # noqa: F401  # before the first fork
from listener.clock import SystemClock
from listener.config import Secret
from listener.pipeline.send import Sender, Timing
from listener.pipeline.tally import Tally
from listener.store import OutboxItem, Store
from listener.store.engine import open_engine
from listener.store.outbox import Outbox

TOKEN_VARIABLE = "DELIVERY_BENCHMARK_TOKEN"
SOONER_OR_LATER = "at any moment"
STEPS = (
    "before claiming",
    "before the claim is committed",
    "after claiming",
    "before looking for it",
    "after looking for it",
    "before posting",
    "after posting, before the commit",
    "before the outcome is committed",
    "after the commit",
    "before editing",
    "after editing, before the commit",
    "before a retry is noted",
    SOONER_OR_LATER,
)
RARE = frozenset(["before looking for it", "after looking for it", "before a retry is noted"])
DONE, AGAIN, FAILED = 0, 3, 4


@dataclass(frozen=True, slots=True)
class Spec:
    """What senders work on and how they die."""

    database: str
    slack: str
    receivers: dict[str, str]
    """Channels by receiver."""
    seed: int
    kills: int
    finished: str
    """A file that says, once it is there, that nothing more is put into the outbox."""
    timeout_s: float
    timing: dict[str, float]
    is_alone: bool = True
    """False where several nurseries share the database."""


class Doom:
    """Ends this process without warning at the nth time that a step is reached."""

    def __init__(self, step: str | None, visits: int) -> None:
        self._step = step
        self._left = visits
        self._lock = threading.Lock()

    def at(self, step: str) -> None:
        """Die here, if this is the time."""
        if step != self._step:
            return
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DyingOutbox(Outbox):
    """The product's outbox. Its own engine says when a transaction is about to be committed."""

    def __init__(self, url: str, doom: Doom) -> None:
        engine = open_engine(url)
        super().__init__(engine)
        self._doom = doom
        self._within = threading.local()
        event.listen(engine, "commit", lambda connection: doom.at(getattr(self._within, "step", "")))

    def claim(self, receiver: str, now: datetime, lease: timedelta) -> OutboxItem | None:
        self._doom.at("before claiming")
        self._within.step = "before the claim is committed"
        item = super().claim(receiver, now, lease)
        self._within.step = ""
        if item is not None:
            self._doom.at("after claiming")
        return item

    def sent(
        self,
        item: OutboxItem,
        place: tuple[str, str, str],
        now: datetime,
        *,
        remark: str | None = None,
        kept: str | None = None,
    ) -> bool:
        self._within.step = "before the outcome is committed"
        taken = super().sent(item, place, now, remark=remark, kept=kept)
        self._within.step = ""
        self._doom.at("after the commit")
        return taken

    def retry(self, item: OutboxItem, problem: str, due_at: datetime, *, ambiguous: bool) -> None:
        self._doom.at("before a retry is noted")
        super().retry(item, problem, due_at, ambiguous=ambiguous)


class DyingReceiver(SlackReceiver):
    """The product's receiver."""

    doom: Doom

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        self.doom.at("before posting")
        delivery = super().send(notification_id, message, thread)
        self.doom.at("after posting, before the commit")
        return delivery

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        self.doom.at("before editing")
        edited = super().update(notification_id, message, delivery)
        self.doom.at("after editing, before the commit")
        return edited

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        self.doom.at("before looking for it")
        found = super().find(notification_id, not_before, thread)
        self.doom.at("after looking for it")
        return found


def live(spec: Spec, doom: Doom) -> int:
    """Send until nothing is left, a receiver is disabled or something breaks; return the exit status."""
    store, clock = Store(spec.database), SystemClock()
    store.outbox = DyingOutbox(spec.database, doom)
    timing = Timing(**spec.timing)
    if spec.is_alone:  # as the daemon does on SQLite
        store.outbox.release(clock.now() + timedelta(seconds=timing.settle_s))
    store.outbox.enable_all()
    nursery = os.getppid()
    sender = Sender({name: _receiver(spec, name, doom) for name in spec.receivers}, store, clock, timing=timing)
    failures: list[str] = []

    def work(name: str) -> None:
        try:
            # Where one receiver is disabled, somebody mends it and starts all anew.
            while all(map(sender.is_on, spec.receivers)) and os.getppid() == nursery:
                with suppress(OperationalError):  # a busy database ends one run of one job in the daemon too
                    sender.drain(name, Tally(), lambda seconds: bool(time.sleep(seconds)))
                    # Looked at in this order: what is put in last is seen.
                    if Path(spec.finished).exists() and name not in store.outbox.receivers_waiting():
                        return
                time.sleep(0.1)
        except Exception:
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in spec.receivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.stderr.write("\n".join(failures))
        return FAILED
    return DONE if all(sender.is_on(name) for name in spec.receivers) else AGAIN


def _receiver(spec: Spec, name: str, doom: Doom) -> DyingReceiver:
    options = SlackOptions(
        type="slack",
        token=Secret("env", TOKEN_VARIABLE),
        channel=spec.receivers[name],
        base_url=spec.slack,
        min_interval_s=0.0,
        timeout_s=spec.timeout_s,
    )
    receiver = DyingReceiver(name, options)
    receiver.doom = doom
    return receiver


def nurse(spec: Spec) -> dict[str, int]:
    """Start one sender after the other until one has sent everything; return how many died at which step."""
    chance, died, parent = random.Random(spec.seed), Counter[str](), os.getppid()
    while os.getppid() == parent:
        step = chance.choice(STEPS) if died.total() < spec.kills else None
        doom = Doom(step, chance.randint(1, 3 if step in RARE else 25))
        ends_at = time.monotonic() + chance.uniform(0.05, 1.5) if step == SOONER_OR_LATER else None
        child = os.fork()
        if child == 0:
            status = FAILED
            try:
                status = live(spec, doom)
            except OperationalError:
                status = AGAIN
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(status)
        status = _wait(child, ends_at)
        if os.WIFSIGNALED(status):
            died[step or "nobody meant it"] += 1
        elif os.WEXITSTATUS(status) == FAILED:
            raise SystemExit("a sender failed")
        elif os.WEXITSTATUS(status) == DONE:
            return dict(died)
        time.sleep(0.05)  # a moment in which whoever mends things may do so
    raise SystemExit("whoever wanted this has gone")


def _wait(child: int, ends_at: float | None) -> int:
    while True:
        gone, status = os.waitpid(child, 0 if ends_at is None else os.WNOHANG)
        if gone:
            return status
        if ends_at is not None and time.monotonic() >= ends_at:
            os.kill(child, signal.SIGKILL)
            ends_at = None
        time.sleep(0.005)


def main() -> None:
    """Nurse, and print how many senders died at which step."""
    spec = Spec(**json.loads(sys.argv[1]))
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(json.dumps(nurse(spec)))


def spec_as_json(spec: Spec) -> str:
    """Return what `main` reads."""
    return json.dumps(dataclasses.asdict(spec))


if __name__ == "__main__":
    main()
