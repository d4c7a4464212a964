"""Apprise: one of its many services, named by a URL. Title and text, cut to what the service takes; no threads.

What stands there cannot be edited or looked up, so an update is a short message, and only where a reader would act
otherwise (as for e-mail). Apprise says only that a service took a message or did not, never why: every failure is one
that may pass, and one after which the message may stand there all the same.
"""

import logging
from html import escape
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.card import Message
from alerts.escaping import shorten
from alerts.outline import Outline, Tone, follow_up, outline
from alerts.plain_text import chat_text, fitted_text
from alerts.receivers.base import Delivery, ReceiverSpec
from alerts.standing import COUNTS, Told, is_told_by_update
from listener.config import ReceiverOptions, Secret
from listener.errors import DeliveryError, MissingSecretError, PermanentDeliveryError, RetryableDeliveryError

if TYPE_CHECKING:
    from apprise import NotifyBase

_TYPES: dict[Tone, str] = {"urgent": "failure", "important": "warning", "closed": "success"}
# What plugins of Apprise raise beside its own errors when an answer is not what they expect.
_FAULTS = (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError)
_LONGEST_TEXT = 20_000
_LONGEST_TITLE = 200
_NOT_INSTALLED = "install the Apprise library: pip install 'listening-daemon[apprise]'"


class AppriseOptions(ReceiverOptions):
    """The service, as Apprise writes it."""

    type: Literal["apprise"]
    url: Secret
    """Apprise URLs hold tokens and passwords."""
    min_interval_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Seconds between two messages."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.base_url is not None:
            raise PydanticCustomError("base_url", "an Apprise service is named by its url, not base_url")
        return self


class AppriseReceiver:
    """One service. The URL is read at every message, so that a changed secret counts at once."""

    def __init__(self, name: str, options: AppriseOptions) -> None:
        self.min_interval_s = options.min_interval_s
        self._name = name
        self._url = options.url
        self._told = Told()
        # What Apprise logs holds addresses and answers; what failed is raised here as well.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Send title and text; one of a thread names its alert, as there are no threads.

        A line of an alert's history is not sent: what it says comes with the message that tells of the change.
        """
        if is_told_by_update(message):
            return Delivery("apprise", notification_id, thread.message_id if thread else "")
        shown = outline(message)
        self._notify(shown.title, shown)
        self._told.remember(notification_id, message)
        return Delivery("apprise", notification_id, thread.message_id if thread else "")

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Send what is new, where a reader must know it; `delivery` stays."""
        news = self._told.news(delivery.message_id, message)
        if set(news) - {COUNTS}:
            shown = follow_up(message, news)
            self._notify(shown.title, shown)
            self._told.remember(delivery.message_id, message)
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return None: Apprise cannot read a service back."""
        return None

    def close(self) -> None:
        """Release nothing: no connection outlives its message."""

    def _notify(self, title: str, shown: Outline) -> None:
        from apprise.exception import AppriseException

        service = _service(self._url)
        room = service.title_maxlen if service.title_maxlen > 0 else _LONGEST_TITLE
        title = shorten(chat_text(title), min(room, _LONGEST_TITLE))
        text = _text(service, title, shown) or title  # Apprise refuses an empty text
        kind = _TYPES.get(shown.tone, "info")
        failure: DeliveryError | None = None
        try:
            taken = service.notify(body=text, title=title, notify_type=kind, body_format="text", overflow="truncate")
        except (AppriseException, *_FAULTS) as error:
            failure = translate(error)
        if failure is not None:
            # Raised out here, without the cause: its words may hold the URL.
            raise failure
        if not taken:
            raise RetryableDeliveryError(
                f"the service behind {self._url!r} did not take the message; Apprise does not say why", ambiguous=True
            )


def _text(service: "NotifyBase", title: str, shown: Outline) -> str:
    """Return the text that the service takes beside the title; nothing where none fits."""
    as_html = service.notify_format == "html"
    room = min(service.body_maxlen or _LONGEST_TEXT, _LONGEST_TEXT)
    if service.title_maxlen <= 0 or service.overflow_amalgamate_title:
        room -= _size(title, as_html) + 40
    return chat_text(fitted_text(shown, room, lambda text: _size(text, as_html))) if room > 0 else ""


def _size(text: str, as_html: bool) -> int:
    """Return what `text` counts: Apprise turns it into HTML for some services."""
    return len(escape(text)) + 6 * text.count("\n") if as_html else len(text) + text.count("\n")


def _service(url: Secret) -> "NotifyBase":
    """Return the service that the URL names.

    Raises:
        PermanentDeliveryError: the secret is gone, or Apprise does not understand it.
    """
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Listener",
        app_desc="Listening daemon",
        app_url="",
        async_mode=False,
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
        secure_logging=True,
        storage_mode="memory",
    )
    try:
        service = Apprise.instantiate(url.get(), asset=asset)
    except MissingSecretError as error:
        raise PermanentDeliveryError(f"the Apprise URL is not set: {error.hint}", receiver_gone=True) from error
    if service is None:
        raise PermanentDeliveryError(f"Apprise does not understand the URL in {url!r}: {_HINT}", receiver_gone=True)
    return service


_HINT = "compare it with the service's page in Apprise's documentation, and install what that page asks for"


# The classes of apprise.exception (2.2.0) after which trying again will not help.
PERMANENT = frozenset(["AppriseImproperlyConfigured", "AppriseTemplateError", "AppriseInvalidData"])


def translate(error: Exception) -> DeliveryError:
    """Return what an error out of Apprise means to the outbox; of the error only its kind is told."""
    words = f"Apprise fails ({type(error).__name__})"
    if type(error).__name__ in PERMANENT:
        return PermanentDeliveryError(words)
    return RetryableDeliveryError(words, ambiguous=True)


def create(name: str, options: AppriseOptions) -> AppriseReceiver:
    """Return a receiver for one service.

    Raises:
        MissingSecretError: the URL is not set or Apprise does not understand it, or Apprise is not installed.
    """
    options.url.get()
    try:
        import apprise  # noqa: F401
    except ImportError as error:
        raise MissingSecretError(_NOT_INSTALLED) from error
    receiver = AppriseReceiver(name, options)
    try:
        _service(options.url)
    except PermanentDeliveryError as error:
        raise MissingSecretError(str(error)) from error
    return receiver


SPEC = ReceiverSpec("apprise", AppriseOptions, create)
