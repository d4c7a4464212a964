"""The outbox loop: takes notifications one by one, sends them, and writes the outcome after the vendor answered.

What each failure leads to stands in docs/delivery.md.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

import structlog

from alerts.card import Card, DigestFile, IncidentCard, Message, Note, dump_message, load_message
from alerts.digest_parts import without_content
from alerts.receivers.base import Delivery, Receiver, SharesFiles, SharesLimits
from alerts.receivers.bounded import within
from alerts.standing import reference, standing
from listener.clock import Clock
from listener.errors import (
    DeliveryError,
    EditRefusedError,
    MessageGoneError,
    PermanentDeliveryError,
    RetryableDeliveryError,
)
from listener.pipeline.tally import Tally
from listener.store import OutboxItem, Store

log = structlog.get_logger("listener.send")

SETTLE_S = 5.0
"""How long a message that may have arrived is left alone before it is looked for: a vendor's history can lag behind
what it accepted, and a call that timed out here may still be at work there."""
_LONGEST_WAIT_S = 120.0
"""A longer pause is not waited for on the spot: the job ends, and the next one looks again."""
_LONGEST_ASKED_S = 3600.0
"""No vendor asks for more in earnest; a broken answer must not silence a channel for years."""
_MOST_ATTEMPTS = 600
"""About two days of trying; time in which the daemon was off does not count."""
_INSTANT_S = 0.001
"""Clocks tell no microseconds exactly: a pause shorter than this is over, and waiting for it might never end."""
_CLOCK_SKEW_S = 3600.0
"""How far this machine's clock may have been off when it tried first."""
FORGOTTEN_DIGEST = dump_message(Note("A digest that is no longer kept"))
"""What `Outbox.forget_digests` leaves."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds.

    Raises:
        ValueError: an attempt may outlast the lease; then two senders could send the same.
    """

    lease_s: float = 120.0
    attempt_s: float = 80.0
    """All calls of one attempt, looking for the message included, end within this."""
    settle_s: float = SETTLE_S
    first_pause_s: float = 2.0
    """Doubled with every attempt, up to `longest_pause_s`."""
    longest_pause_s: float = 300.0

    def __post_init__(self) -> None:
        # The rest is for the clocks of two machines, which tell each other by the lease when to take over.
        if not 0 < self.attempt_s <= self.lease_s * 0.75:
            raise ValueError(f"attempt_s ({self.attempt_s}) must be above 0 and at most 3/4 of lease_s")


class Pace:
    """When receivers may be sent to again. Safe for several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holds: dict[str, tuple[float, float]] = {}
        self._turns: defaultdict[str, Lock] = defaultdict(Lock)
        self._lock = Lock()

    def turn(self, key: str) -> AbstractContextManager[bool]:
        """Return what lets one thread at a time write to a channel."""
        with self._lock:
            return self._turns[key]

    def hold(self, key: str, seconds: float) -> None:
        """Let nobody who shares `key` send for so long."""
        now = self._clock.now().timestamp()
        with self._lock:
            until = max(now + seconds, self._until(key, now))
            self._holds[key] = (now, until)

    def pause_s(self, *keys: str) -> float:
        """Return for how long whoever has these keys must wait."""
        now = self._clock.now().timestamp()
        with self._lock:
            pause = max(self._until(key, now) - now for key in keys)
        return pause if pause >= _INSTANT_S else 0.0

    def _until(self, key: str, now: float) -> float:
        since, until = self._holds.get(key, (now, now))
        return until if since <= now else now  # a clock that went back must not silence anyone


class Sender:
    """Sends what the outbox holds. One thread per receiver at most; several processes may share a database."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        store: Store,
        clock: Clock,
        *,
        successors: tuple[str, ...] = (),
        timing: Timing | None = None,
    ) -> None:
        self._receivers = receivers
        self._outbox = store.outbox
        self._clock = clock
        self._successors = successors
        self._timing = timing or Timing()
        self._pace = Pace(clock)
        self._disabled = store.outbox.disabled()

    def is_on(self, receiver: str) -> bool:
        """Tell whether a receiver can be sent to."""
        return receiver in self._receivers and receiver not in self._disabled

    def look_again(self) -> None:
        """Take up receivers that somebody has mended and enabled again since they were disabled here."""
        if self._disabled:
            still = self._outbox.disabled()
            for name in [name for name in self._disabled if name not in still]:
                del self._disabled[name]
                log.info("receiver enabled again", receiver=name)

    def drain(self, receiver: str, tally: Tally, wait: Callable[[float], bool]) -> int:
        """Send all that is due for one receiver; return how many were sent.

        `wait(seconds)` sleeps and returns True when the daemon is stopping.
        """
        sent, is_done = 0, False
        while self.is_on(receiver) and not is_done:
            channel, account = self._keys(receiver)
            pause = self._pace.pause_s(channel, account)
            if pause > 0 and (pause > _LONGEST_WAIT_S or wait(pause)):
                break
            with self._pace.turn(channel):
                # Another receiver of the same channel may have come first.
                if self._pace.pause_s(channel, account) <= 0:
                    taken = self._send_next(receiver, tally)
                    is_done = taken is None
                    sent += taken or 0
        return sent

    def _send_next(self, receiver: str, tally: Tally) -> int | None:
        """Send what is next; return how many were sent, None where there is nothing to send."""
        item = self._outbox.claim(receiver, self._clock.now(), timedelta(seconds=self._timing.lease_s))
        if item is None:
            return None
        sent = self._attempt(item, tally)
        self._pace.hold(self._keys(receiver)[0], self._receivers[receiver].min_interval_s)
        return int(sent)

    def _keys(self, receiver: str) -> tuple[str, str]:
        """Return what the receiver's pace and its vendor's patience are counted by."""
        own = self._receivers[receiver]
        if isinstance(own, SharesLimits):
            return own.channel_key, own.account_key
        return f"receiver {receiver}", f"receiver {receiver}"

    def _attempt(self, item: OutboxItem, tally: Tally) -> bool:
        try:
            message = _read(item)
            with within(self._timing.attempt_s):
                delivery = self._deliver(self._receivers[item.receiver], item, message)
        except DeliveryError as error:
            self._failed(item, error)
            return False
        place = (delivery.channel, delivery.message_id, delivery.thread_id)
        kept = without_content(message)
        payload = None if kept is None else dump_message(kept)
        remark = delivery.remark or None
        if not self._outbox.sent(item, place, self._clock.now(), remark=remark, kept=payload):
            log.warning("sent after its lease had ended", notification=item.id, receiver=item.receiver)
        if remark:
            self._tell_of(item, remark)
        if item.kind == "alert" and isinstance(message, Card | IncidentCard):
            tally.notifications[message.country] += 1
        return True

    def _tell_of(self, item: OutboxItem, remark: str) -> None:
        """Tell operators what had to be left out of a message that was sent."""
        log.warning("sent in part", notification=item.id, receiver=item.receiver, problem=remark)
        told = next((name for name in self._successors if self.is_on(name)), None)
        if told is not None:
            title = f"{item.receiver} was sent less than there is"
            self._outbox.tell(told, operator_note(title, remark), self._clock.now())

    def _deliver(self, receiver: Receiver, item: OutboxItem, message: Message) -> Delivery:
        parent = None if item.parent is None else Delivery(*item.parent)
        if item.kind != "update" or parent is None:
            return self._post(receiver, item, message, parent)
        try:
            return receiver.update(item.key, message, parent)
        except EditRefusedError as error:
            log.warning("told in the thread instead", notification=item.id, receiver=item.receiver, problem=str(error))
            return self._post(receiver, item, _present_state(message), parent)

    def _post(self, receiver: Receiver, item: OutboxItem, message: Message, parent: Delivery | None) -> Delivery:
        if item.ambiguous:
            found = _found(receiver, item, message, parent)
            if found is not None:
                log.info("was delivered before", notification=item.id, receiver=item.receiver)
                is_resent = item.attempts == 1 and item.kind == "alert"  # it may have got another look since
                return receiver.update(item.key, message, found) if is_resent else found
        return receiver.send(item.key, message, parent)

    def _failed(self, item: OutboxItem, error: DeliveryError) -> None:
        log.warning("not delivered", notification=item.id, receiver=item.receiver, problem=str(error))
        if isinstance(error, MessageGoneError) and item.kind == "update":
            self._outbox.drop(item, str(error))
        elif isinstance(error, PermanentDeliveryError) and error.receiver_gone:
            self._disable(item, str(error), with_account=error.account_gone)
        elif isinstance(error, PermanentDeliveryError):
            self._give_up(item, str(error))
        elif item.attempts >= _MOST_ATTEMPTS:
            self._give_up(item, f"gave up after {item.attempts} attempts: {error}")
        else:
            self._put_off(item, error)

    def _put_off(self, item: OutboxItem, error: DeliveryError) -> None:
        passing = error if isinstance(error, RetryableDeliveryError) else None
        asked = _asked_s(passing.retry_after_s) if passing else None
        # A failed look-up leaves the question open.
        ambiguous = item.ambiguous or (passing is not None and passing.ambiguous)
        pause = self._backoff_s(item.attempts) if asked is None else asked
        pause = max(pause, self._timing.settle_s) if ambiguous else pause
        self._outbox.retry(item, str(error), self._clock.now() + timedelta(seconds=pause), ambiguous=ambiguous)
        if asked is not None:
            # A little longer than the row, so that the row is due when the hold is over, however clocks are rounded.
            self._pace.hold(self._keys(item.receiver)[1], asked + 2 * _INSTANT_S)

    def _give_up(self, item: OutboxItem, reason: str) -> None:
        """End one notification; where another receiver is on, it gets the alert once, and operators learn why."""
        successor = next((name for name in self._successors if self.is_on(name) and name != item.receiver), None)
        now = self._clock.now()
        # A word to operators that is refused must not cause another one, which would be refused as well.
        is_word = item.kind == "message" and item.alert_id is None
        title = f"{item.receiver} did not take a message"
        if item.kind == "update" or successor is None:
            self._outbox.dead(item, reason)
        elif not self._outbox.was_refused_before(item, successor):
            told = None if is_word else operator_note(title, f"It comes here instead. {reason}")
            self._outbox.hand_over(item, successor, reason, told, now)
        elif is_word:
            self._outbox.dead(item, reason)
        else:
            text = f"No receiver takes it: it stays as number {item.id} in `listener outbox`. {reason}"
            self._outbox.dead_for_all(item, reason, successor, operator_note(title, text), now)
        log.error("gave up", notification=item.id, receiver=item.receiver, reason=reason, successor=successor)

    def _disable(self, item: OutboxItem, reason: str, *, with_account: bool) -> None:
        """Disable a receiver, and with its account all who share that: none of them can stand in for it."""
        gone = self._fellows(item.receiver) if with_account else [item.receiver]
        gone = [name for name in gone if name not in self._disabled]
        self._disabled.update(dict.fromkeys(gone, reason))
        # What the refused attempt was for waits for the receiver to be mended, like all the rest.
        self._outbox.retry(item, reason, self._clock.now(), ambiguous=item.ambiguous)
        successor = next((name for name in self._successors if self.is_on(name)), None)
        title = (
            f"Receiver {', '.join(gone)} is disabled" if len(gone) == 1 else f"Receivers {', '.join(gone)} are disabled"
        )
        message = operator_note(title, f"{reason} What was not sent there comes here. Mend it and restart the daemon.")
        for name in gone:
            moved = self._outbox.disable(name, reason, successor, message, self._clock.now())
            log.error("receiver disabled", receiver=name, reason=reason, successor=successor, moved=moved)

    def _fellows(self, receiver: str) -> list[str]:
        """Return all receivers of a receiver's account, itself first."""
        account = self._keys(receiver)[1]
        others = [name for name in self._receivers if name != receiver and self._keys(name)[1] == account]
        return [receiver, *others]

    def _backoff_s(self, attempts: int) -> float:
        pause = min(self._timing.longest_pause_s, self._timing.first_pause_s * 2.0 ** min(attempts - 1, 10))
        return pause * random.uniform(0.8, 1.2)


def _asked_s(retry_after_s: float | None) -> float | None:
    """Return the pause that a vendor asks for, a little more of it, so that not all come back at once."""
    if retry_after_s is None:
        return None
    asked = min(max(retry_after_s, 0.0), _LONGEST_ASKED_S)
    return asked + random.uniform(0.0, min(1.0, asked / 10))


def _found(receiver: Receiver, item: OutboxItem, message: Message, parent: Delivery | None) -> Delivery | None:
    """Return where an earlier attempt put a message, if anywhere."""
    not_before = item.tried_at.timestamp() - _CLOCK_SKEW_S
    found = receiver.find(item.key, not_before, parent)
    if found is None and isinstance(message, DigestFile) and isinstance(receiver, SharesFiles):
        return receiver.find_file(message, not_before, parent)
    return found


def _read(item: OutboxItem) -> Message:
    try:
        return load_message(item.payload)
    except ValueError as error:
        raise PermanentDeliveryError("the stored message cannot be read") from error


def _present_state(message: Message) -> Message:
    """Return a note that says how an alert stands, for where its own message can no longer say so."""
    if not isinstance(message, Card | IncidentCard):
        return message
    text = "\n".join((f"Severity: {message.severity}", *standing(message)))
    return Note("The message above can no longer be edited. Now:", text, tone="history", reference=reference(message))


def operator_note(title: str, text: str) -> str:
    """Return a word to operators as the outbox keeps it."""
    return dump_message(Note(f"Listening daemon: {title}", text))
