"""The outbox loop: takes notifications one by one, sends them, and writes the outcome after the vendor answered."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from alerts.card import Card, IncidentCard, Message, Note, dump_message, load_message
from alerts.receivers.base import Delivery, Receiver
from listener.clock import Clock
from listener.errors import DeliveryError, PermanentDeliveryError, RetryableDeliveryError
from listener.pipeline.tally import Tally
from listener.store import OutboxItem, Store

log = structlog.get_logger("listener.send")

LEASE = timedelta(minutes=2)
_LONGEST_PAUSE_S = 300.0
_LONGEST_ASKED_S = 3600.0
"""No vendor asks for more in earnest; a broken answer must not silence a channel for years."""
_MOST_ATTEMPTS = 600
"""About two days of trying; time in which the daemon was off does not count."""
_CLOCK_SKEW_S = 86_400.0


@dataclass(slots=True)
class Pace:
    """When a receiver may be sent to again, in seconds of the clock."""

    resume_at: dict[str, float] = field(default_factory=dict)


class Sender:
    """Sends what the outbox holds. One thread per receiver at most."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        store: Store,
        clock: Clock,
        *,
        successors: tuple[str, ...] = (),
    ) -> None:
        self._receivers = receivers
        self._outbox = store.outbox
        self._clock = clock
        self._successors = successors
        self._pace = Pace()
        self._disabled: dict[str, str] = {}

    def is_on(self, receiver: str) -> bool:
        """Tell whether a receiver can be sent to."""
        return receiver in self._receivers and receiver not in self._disabled

    def drain(self, receiver: str, tally: Tally, wait: Callable[[float], bool]) -> int:
        """Send all that is due for one receiver; return how many were sent.

        `wait(seconds)` sleeps and returns True when the daemon is stopping.
        """
        sent = 0
        while self.is_on(receiver):
            pause = self._pace.resume_at.get(receiver, 0.0) - self._clock.now().timestamp()
            if pause > 0 and (pause > LEASE.total_seconds() or wait(pause)):
                break
            item = self._outbox.claim(receiver, self._clock.now(), LEASE)
            if item is None:
                break
            sent += self._attempt(item, tally)
            least = self._receivers[receiver].min_interval_s
            self._hold(receiver, least)
        return sent

    def _hold(self, receiver: str, seconds: float) -> None:
        until = self._clock.now().timestamp() + seconds
        self._pace.resume_at[receiver] = max(until, self._pace.resume_at.get(receiver, 0.0))

    def _attempt(self, item: OutboxItem, tally: Tally) -> bool:
        try:
            message = _read(item)
            delivery = self._deliver(self._receivers[item.receiver], item, message)
        except DeliveryError as error:
            self._failed(item, error)
            return False
        place = (delivery.channel, delivery.message_id, delivery.thread_id)
        self._outbox.sent(item, place, self._clock.now())
        if item.kind == "alert" and isinstance(message, Card | IncidentCard):
            tally.notifications[message.country] += 1
        return True

    @staticmethod
    def _deliver(receiver: Receiver, item: OutboxItem, message: Message) -> Delivery:
        parent = None if item.parent is None else Delivery(*item.parent)
        if item.kind == "update" and parent is not None:
            return receiver.update(item.key, message, parent)
        if item.ambiguous:
            found = receiver.find(item.key, item.created_at.timestamp() - _CLOCK_SKEW_S, parent)
            if found is not None:
                log.info("was delivered before", notification=item.id, receiver=item.receiver)
                return found
        return receiver.send(item.key, message, parent)

    def _failed(self, item: OutboxItem, error: DeliveryError) -> None:
        log.warning("not delivered", notification=item.id, receiver=item.receiver, problem=str(error))
        now = self._clock.now()
        if isinstance(error, PermanentDeliveryError):
            if error.receiver_gone:
                self._disable(item, str(error))
            else:
                self._give_up(item, str(error))
            return
        if item.attempts >= _MOST_ATTEMPTS:
            self._give_up(item, f"gave up after {item.attempts} attempts: {error}")
            return
        asked = error.retry_after_s if isinstance(error, RetryableDeliveryError) else None
        asked = None if asked is None else min(max(asked, 0.0), _LONGEST_ASKED_S)
        pause = asked if asked is not None else self._backoff_s(item.attempts)
        ambiguous = isinstance(error, RetryableDeliveryError) and error.ambiguous
        # An edit may be made twice, and a failed look-up leaves the question open.
        self._outbox.retry(item, str(error), now + timedelta(seconds=pause), ambiguous=ambiguous or item.ambiguous)
        if asked is not None:
            self._hold(item.receiver, asked)

    def _give_up(self, item: OutboxItem, reason: str) -> None:
        """End one notification; where another receiver is on, it gets the alert, and operators learn why."""
        successor = next((name for name in self._successors if self.is_on(name) and name != item.receiver), None)
        if item.kind == "update" or successor is None:
            self._outbox.dead(item, reason)
        else:
            message = operator_note(f"{item.receiver} did not take a message", f"It comes here instead. {reason}")
            self._outbox.hand_over(item, successor, reason, message, self._clock.now())
        log.error("gave up", notification=item.id, receiver=item.receiver, reason=reason, successor=successor)

    def _disable(self, item: OutboxItem, reason: str) -> None:
        self._disabled[item.receiver] = reason
        successor = next((name for name in self._successors if self.is_on(name)), None)
        message = operator_note(
            f"Receiver {item.receiver} is disabled",
            f"{reason} What it had not sent comes here. Mend it and restart the daemon.",
        )
        moved = self._outbox.disable(item.receiver, reason, successor, message, self._clock.now())
        log.error("receiver disabled", receiver=item.receiver, reason=reason, successor=successor, moved=moved)

    @staticmethod
    def _backoff_s(attempts: int) -> float:
        return float(min(_LONGEST_PAUSE_S, 2.0 ** min(attempts, 10)) * random.uniform(0.8, 1.2))


def _read(item: OutboxItem) -> Message:
    try:
        return load_message(item.payload)
    except ValueError as error:
        raise PermanentDeliveryError("the stored message cannot be read") from error


def operator_note(title: str, text: str) -> str:
    """Return a word to operators as the outbox keeps it."""
    return dump_message(Note(f"Listening daemon: {title}", text))
