"""What every receiver promises: deliver one notification, or say whether trying again can help."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from alerts.card import DigestFile, Message
from alerts.digest_parts import DigestForm
from listener.config import ReceiverOptions


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a message stands at the vendor: what is needed to edit it or to answer in its thread."""

    channel: str = ""
    message_id: str = ""
    thread_id: str = ""
    """The message whose thread it stands in; empty for one that stands by itself."""
    remark: str = ""
    """What had to be left out and why, for operators."""


class Receiver(Protocol):
    """A named destination. Every method classifies its errors; only the outbox tries again."""

    min_interval_s: float
    """The least time between two messages to this receiver."""

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Post a new message that carries `notification_id` where the vendor allows it.

        Args:
            thread: the message in whose thread it belongs; a receiver without threads shows it by itself.

        Raises:
            RetryableDeliveryError: try again later; `ambiguous` when it may have arrived all the same.
            PermanentDeliveryError: never try this again.
        """
        ...

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Edit the message at `delivery` in place to show `message` (say what changed where editing is impossible)."""
        ...

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return where `notification_id` was posted since `not_before` (unix seconds), or None if it was not.

        Called after an ambiguous failure or a crash, before sending again; `thread` as it was given to `send`.
        """
        ...

    def close(self) -> None:
        """Release connections. May be called more than once."""
        ...


@runtime_checkable
class SharesLimits(Protocol):
    """A receiver whose vendor counts it together with others. The keys hold no secret."""

    channel_key: str
    """Receivers with the same one write into one channel and keep its pace together."""
    account_key: str
    """Receivers with the same one wait together when the vendor asks any of them to."""


@runtime_checkable
class SharesFiles(Protocol):
    """A receiver that puts files into threads, where they carry no notification id."""

    def find_file(self, file: DigestFile, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return where a file was shared since `not_before` (unix seconds), by its name, or None. See `find`."""
        ...


class CreateReceiver(Protocol):
    """Makes a receiver from its checked options. The client library is imported here, not before."""

    def __call__(self, name: str, options: Any) -> Receiver:
        """Return a ready receiver.

        Raises:
            MissingSecretError: a token is not set.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReceiverSpec:
    """How the daemon knows a kind of receiver."""

    kind: str
    options: type[ReceiverOptions]
    create: CreateReceiver
    digest_form: DigestForm = "text"
    """What of a digest it can show."""
