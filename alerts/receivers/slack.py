"""Slack: posts, edits and looks up alert cards through the Web API, and says what each failure means."""

import errno
import logging
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts.card import Card, Message, Note
from alerts.receivers.base import Delivery, ReceiverSpec
from listener.config import ReceiverOptions, Secret
from listener.errors import DeliveryError, MissingSecretError, PermanentDeliveryError, RetryableDeliveryError

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web import SlackResponse

log = logging.getLogger(__name__)

EVENT_TYPE = "listener_alert"
CLOCK_SKEW_S = 120.0
"""How far this machine's clock may differ from Slack's when a message is looked for."""
_HISTORY_PAGE = 200
_LONGEST_WAIT_S = 3600.0

# Error codes by what they mean here, from the methods' pages on docs.slack.dev (read 2026-11).
RECEIVER_GONE_CODES = frozenset(
    [
        "access_denied",
        "accesslimited",
        "account_inactive",
        "app_access_restricted",
        "channel_is_limited_access",
        "channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "is_archived",
        "is_bot",
        "messages_tab_disabled",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    ]
)
MESSAGE_FAULT_CODES = frozenset(
    [
        "cant_update_message",
        "edit_window_closed",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "is_inactive",
        "message_not_found",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    ]
)
TRANSIENT_CODES = frozenset(
    [
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    ]
)
AMBIGUOUS_CODES = frozenset(["fatal_error", "internal_error", "service_unavailable", "update_failed"])
BLOCK_FAULT_CODES = frozenset(["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"])
_NO_READING_CODES = frozenset(["missing_scope", "not_in_channel", "no_permission", "channel_is_limited_access"])

_CODE = re.compile(r"[a-z][a-z0-9_]{1,80}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_NEVER_SENT_ERRNOS = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
_ANSWER_UNREADABLE = (HTTPException, ValueError, LookupError, AttributeError, RecursionError)


def _channel_id(value: str) -> str:
    if not re.fullmatch(r"[CGD][A-Z0-9]+", value):
        raise PydanticCustomError(
            "channel", "write the channel's ID, such as C0123ABCD; it stands at the bottom of its details in Slack"
        )
    return value


class SlackOptions(ReceiverOptions):
    """One Slack channel."""

    type: Literal["slack"]
    token: Secret
    channel: Annotated[str, AfterValidator(_channel_id)]
    """The channel's ID; by its name alone messages cannot be read back or edited."""
    min_interval_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 20.0


class BlocksRefusedError(PermanentDeliveryError):
    """Slack refuses the card's blocks: the text alone may still pass."""


class RedirectedError(URLError):
    """What answers in Slack's place points to another address."""


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: urllib would hand the token to whatever host one names."""

    def http_error_302(self, req: Request, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Raise RedirectedError, whatever the answer's body and address are."""
        fp.close()
        raise RedirectedError(f"HTTP status {code}")

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _make_client(token: str, base_url: str | None, timeout_s: float) -> "WebClient":
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackRequestError

    class OneHostClient(WebClient):
        def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
            # slack_sdk 3.47.0 opens with `urlopen` here; proxies stay with urllib, which knows NO_PROXY as well.
            if not url.lower().startswith(("http://", "https://")):
                raise SlackRequestError(f"not a web address: {url}")
            opener = build_opener(_NoRedirects, HTTPSHandler(context=self.ssl))
            with opener.open(req, timeout=self.timeout) as answer:
                charset = answer.headers.get_content_charset() or "utf-8"
                return {"status": answer.status, "headers": answer.headers, "body": answer.read().decode(charset)}

    client = OneHostClient(
        token=token,
        base_url=(base_url or WebClient.BASE_URL).rstrip("/") + "/",
        timeout=timeout_s,  # type: ignore[arg-type]  # handed to a socket, which takes fractions
        retry_handlers=[],
        logger=_silent(),
    )
    client.proxy = None
    return client


class SlackReceiver:
    """A Slack channel. Each call makes one attempt; the outbox retries."""

    def __init__(self, name: str, options: SlackOptions) -> None:
        self.min_interval_s = options.min_interval_s
        self._name = name
        self._channel = options.channel
        self._client = _make_client(_token(options.token), options.base_url, options.timeout_s)

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Post the message, with `notification_id` in its metadata."""
        if isinstance(message, Note):
            return self._tell(message)
        assert isinstance(message, Card)
        card = message
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"notification_id": notification_id}}
        post = self._client.chat_postMessage
        return self._show(
            post, card, no_blocks=None, channel=self._channel, metadata=metadata, **_UNPARSED, **_NO_UNFURL
        )

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Edit the message at `delivery`; its metadata stays."""
        assert isinstance(message, Card)
        card = message
        channel = delivery.channel or self._channel
        return self._show(
            self._client.chat_update, card, no_blocks=[], channel=channel, ts=delivery.message_id, parse="none"
        )

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Look for `notification_id` in the channel's history."""
        try:
            return self._search(notification_id, not_before - CLOCK_SKEW_S)
        except PermanentDeliveryError as error:
            if _code(error.__cause__) not in _NO_READING_CODES:
                raise
            # An alert shown twice is better than one that nobody sees.
            log.warning("receiver %s cannot read its channel back, so an alert may appear twice: %s", self._name, error)
            return None

    def _tell(self, message: Note) -> Delivery:
        from alerts.blocks import note_text

        post = self._client.chat_postMessage
        answer = self._call(lambda: post(channel=self._channel, text=note_text(message), **_UNPARSED, **_NO_UNFURL))
        return _delivery(answer.get("channel"), answer.get("ts"))

    def close(self) -> None:
        """Release nothing: the client holds no connection between calls."""

    def _show(self, method: Callable[..., "SlackResponse"], card: Card, no_blocks: Any, **where: Any) -> Delivery:
        from alerts.blocks import fallback_text, plain_message, render_blocks

        try:
            answer = self._call(lambda: method(blocks=render_blocks(card), text=fallback_text(card), **where))
        except BlocksRefusedError as error:
            log.warning("receiver %s: the card goes as plain text: %s", self._name, error)
            answer = self._call(lambda: method(blocks=no_blocks, text=plain_message(card), **where))
        return _delivery(answer.get("channel"), answer.get("ts"))

    def _search(self, notification_id: str, oldest: float) -> Delivery | None:
        cursor, seen = "", set[str]()
        while cursor not in seen:
            seen.add(cursor)
            page = self._history(max(oldest, 0.0), cursor)
            for message in _objects(page.get("messages")):
                if _notification_id(message) == notification_id:
                    return _delivery(self._channel, message.get("ts"))
            cursor = str(_object(page.get("response_metadata")).get("next_cursor") or "")
            if not cursor:
                return None
        raise RetryableDeliveryError("Slack's history repeats a page", ambiguous=True)

    def _history(self, oldest: float, cursor: str) -> Mapping[str, Any]:
        return self._call(
            lambda: self._client.conversations_history(
                channel=self._channel,
                oldest=f"{oldest:.6f}",
                limit=_HISTORY_PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
            )
        )

    def _call(self, method: Callable[[], "SlackResponse"]) -> Mapping[str, Any]:
        from slack_sdk.errors import SlackClientError

        try:
            return _object(method().data)
        except (SlackClientError, OSError, *_ANSWER_UNREADABLE) as error:
            raise translate(error) from error


_UNPARSED: Mapping[str, Any] = {"mrkdwn": False, "parse": "none"}
_NO_UNFURL: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False}


def translate(error: Exception) -> DeliveryError:
    """Return what an error of slack_sdk, or of the network below it, means to the outbox."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    if isinstance(error, SlackApiError):
        return _refusal(error)
    if isinstance(error, SlackClientError):
        return _client_fault(error)
    if isinstance(error, OSError):
        return _network_fault(error)
    return RetryableDeliveryError(f"Slack's answer cannot be read ({type(error).__name__})", ambiguous=True)


def _refusal(error: "SlackApiError") -> DeliveryError:
    status, code = error.response.status_code, _code(error)
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return RetryableDeliveryError("Slack's rate limit is reached", _retry_after_s(error.response.headers))
    if status >= 500:
        return RetryableDeliveryError(f"Slack answers with HTTP status {status}", ambiguous=True)
    if code is None and status == 200:
        return RetryableDeliveryError("Slack's answer is not what it documents", ambiguous=True)
    if code is None:
        return RetryableDeliveryError(f"HTTP status {status} from what answers in Slack's place")
    return _refusal_by_code(code)


def _refusal_by_code(code: str) -> DeliveryError:
    if code in TRANSIENT_CODES:
        return RetryableDeliveryError(f"Slack is not ready ({code})", ambiguous=code in AMBIGUOUS_CODES)
    if code in BLOCK_FAULT_CODES:
        return BlocksRefusedError(f"Slack refuses the card's blocks ({code})")
    if code in RECEIVER_GONE_CODES:
        return PermanentDeliveryError(f"Slack refuses this token or channel ({code})", receiver_gone=True)
    return PermanentDeliveryError(f"Slack refuses the message ({code})")


# The classes of slack_sdk.errors (3.47.0) other than SlackApiError, with what to say and whether the receiver is gone.
CLIENT_FAULTS: Mapping[str, tuple[type[DeliveryError], str, bool]] = {
    "SlackClientError": (PermanentDeliveryError, "the Slack client fails", False),
    "SlackObjectFormationError": (BlocksRefusedError, "the card's blocks break Slack's rules", False),
    "SlackClientNotConnectedError": (RetryableDeliveryError, "the connection to Slack is closed", False),
    "SlackRequestError": (PermanentDeliveryError, "the request cannot be made: check base_url", True),
    "BotUserAccessError": (PermanentDeliveryError, "the token is of the wrong kind", True),
    "SlackTokenRotationError": (PermanentDeliveryError, "the token cannot be renewed", True),
    "SlackClientConfigurationError": (PermanentDeliveryError, "the Slack client is set up wrongly", True),
}


def _client_fault(error: Exception) -> DeliveryError:
    unknown = CLIENT_FAULTS["SlackClientError"]
    kind, words, gone = CLIENT_FAULTS.get(type(error).__name__, unknown)
    if issubclass(kind, PermanentDeliveryError):
        return kind(words, receiver_gone=gone)
    return kind(words)


def _network_fault(error: OSError) -> RetryableDeliveryError:
    if isinstance(error, RedirectedError):
        return RetryableDeliveryError(f"a redirect in place of Slack's answer ({error.reason}); it is not followed")
    reason = error.reason if isinstance(error, URLError) else error
    never_sent = isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError) or (
        isinstance(reason, OSError) and reason.errno in _NEVER_SENT_ERRNOS
    )
    words = "cannot be reached" if never_sent else "did not answer"
    return RetryableDeliveryError(f"Slack {words} ({type(reason).__name__})", ambiguous=not never_sent)


def _code(error: BaseException | None) -> str | None:
    """Return Slack's own error code, or None where the answer holds none (slack_sdk puts prose in its place)."""
    data = getattr(getattr(error, "response", None), "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(given)
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT_S) if seconds >= 0 else None  # not a number is not above zero either


def _notification_id(message: Mapping[str, Any]) -> str | None:
    metadata = _object(message.get("metadata"))
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    found = _object(metadata.get("event_payload")).get("notification_id")
    return found if isinstance(found, str) else None


def _delivery(channel: object, ts: object) -> Delivery:
    if not isinstance(channel, str) or not isinstance(ts, str) or not channel or not ts:
        raise RetryableDeliveryError("Slack's answer does not say where the message stands", ambiguous=True)
    return Delivery(channel, ts)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _token(secret: Secret) -> str:
    token = secret.get()
    # http.client repeats a header it cannot send in its error, and this header is the token.
    if not _TOKEN.fullmatch(token):
        raise MissingSecretError(
            f"{secret!r} holds characters that no Slack token has; copy the token (xoxb-...) again"
        )
    return token


def _silent() -> logging.Logger:
    """Return a logger for slack_sdk that says nothing: what it would log is raised as well."""
    logger = logging.getLogger(f"{__name__}.client")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def create(name: str, options: SlackOptions) -> SlackReceiver:
    """Return a receiver for one channel.

    Raises:
        MissingSecretError: the token is not set or cannot be one.
    """
    return SlackReceiver(name, options)


SPEC = ReceiverSpec("slack", SlackOptions, create)
