"""Webhooks: every message as signed JSON, sent to one address the way Standard Webhooks describes it.

The notification id is the `webhook-id`: whoever receives drops what it has seen, so a repetition after a lost answer
does no harm. What was posted cannot be looked up, and nothing of an answer is read but its status and `Retry-After`.
The schema stands in docs/receivers.md; a change that breaks readers raises `SCHEMA_VERSION`.
"""

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import math
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.card import Card, DigestFile, DigestImage, DigestMessage, IncidentCard, Message, Note, Summary
from alerts.escaping import clean
from alerts.plain_text import plain_text
from alerts.receivers.base import Delivery, ReceiverSpec
from listener.config import ReceiverOptions, Secret
from listener.config.loopback import is_loopback
from listener.errors import (
    DeliveryError,
    ListenerError,
    MissingSecretError,
    PermanentDeliveryError,
    RetryableDeliveryError,
)

SCHEMA_VERSION = 1
TOLERANCE_S = 300.0
"""How old, or how far ahead, a signed request may be (standardwebhooks.com, read 2026-11)."""
_LONGEST_WAIT_S = 3600.0
_MAX_TEXT = 4_000
_KEY_BYTES = range(24, 65)
_PREFIX = "whsec_"
_URL = re.compile(r"https?://[^\s/\\@#?]+(?:[/?][!-~]*)?")
_GONE_STATUSES = frozenset([401, 403, 404, 410])
_MOVED_FOR_GOOD = frozenset([301, 308])

_BINARY = frozenset(["html", "pdf", "content"])
"""What of digests is left out: bytes, and a page made for mail."""

Event = Literal["created", "updated", "note", "summary", "digest"]

_EVENTS: Mapping[type, Event] = {Note: "note", Summary: "summary", DigestMessage: "digest", DigestFile: "digest"}


class UnverifiedWebhookError(ListenerError):
    """A request does not prove that this daemon sent it, or is too old: do nothing with it."""


def _url(value: object) -> str | Secret:
    if isinstance(value, Secret) or (isinstance(value, str) and value.startswith("${")):
        return Secret.parse(value)
    if not isinstance(value, str) or not _URL.fullmatch(value):
        # Of the type whose input is never repeated: what was written may hold a password.
        raise PydanticCustomError("secret", "write an address such as https://desk.example/alerts, or ${env:NAME}")
    return value


class WebhookOptions(ReceiverOptions):
    """Where to post, and what to sign with."""

    type: Literal["webhook"]
    url: Annotated[str | Secret, BeforeValidator(_url)]
    """A secret where the address itself opens the door."""
    secret: Secret
    """`whsec_` and 24 to 64 random bytes in base64."""
    more_secrets: list[Secret] = Field([], max_length=4)
    """Signed with as well, while receivers change from one secret to the next."""
    plain_http: bool = False
    """True allows http:// to this very machine."""
    min_interval_s: Annotated[float, Field(ge=0, le=60)] = 0.2
    """Seconds between two requests."""
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 10.0
    """Seconds to wait for a connection, and for an answer."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.url, str):
            _checked_url(self.url, self.plain_http)
        if self.base_url is not None:
            raise PydanticCustomError("base_url", "a webhook's address is its url, not base_url")
        return self


class WebhookReceiver:
    """One address that takes every message."""

    def __init__(self, name: str, options: WebhookOptions, now: Callable[[], float] = time.time) -> None:
        _address(options)
        _keys(options)
        self.min_interval_s = options.min_interval_s
        self._name = name
        self._options = options
        self._now = now

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Post the message; `in_reply_to` names the notification whose thread it belongs to."""
        event = _EVENTS.get(type(message), "created")
        parent = thread.message_id if thread else ""
        self._post(notification_id, payload(notification_id, event, message, parent))
        return Delivery("webhook", notification_id, parent)

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Post the message as it stands now; `in_reply_to` names the notification that it replaces."""
        self._post(notification_id, payload(notification_id, "updated", message, delivery.message_id))
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return None: the other side drops what it has seen, by `webhook-id`."""
        return None

    def close(self) -> None:
        """Release nothing: every request has a connection of its own."""

    def _post(self, notification_id: str, body: bytes) -> None:
        now = self._now()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "listener-webhook/1",
            **sign(notification_id, body, _keys(self._options), int(now)),
        }
        failure, cause = self._attempt(headers, body)
        if failure is not None:
            raise failure from cause

    def _attempt(self, headers: Mapping[str, str], body: bytes) -> tuple[DeliveryError | None, BaseException | None]:
        """Return what went wrong, without the library's own error, which would repeat the address."""
        import requests

        try:
            with closing(
                requests.post(
                    _address(self._options),
                    data=body,
                    headers=headers,
                    auth=_as_it_is,
                    timeout=self._options.timeout_s,
                    allow_redirects=False,
                    stream=True,
                )
            ) as answer:
                return judge(answer.status_code, answer.headers.get("Retry-After", ""), self._now()), None
        except (requests.RequestException, OSError, ValueError) as error:
            return translate(error), _root(error)


def payload(notification_id: str, event: Event, message: Message, in_reply_to: str = "") -> bytes:
    """Return the body of one request: JSON in ASCII, the same for the same message."""
    about = message if isinstance(message, Card | IncidentCard) else None
    content = {
        "version": SCHEMA_VERSION,
        "event": event,
        "kind": message.kind,
        "notification_id": notification_id,
        "in_reply_to": in_reply_to or None,
        "alert_id": about.alert_id if about else None,
        "reference": clean(message.reference) or None if isinstance(message, Card | IncidentCard | Note) else None,
        "text": plain_text(message),
        "message": _content(message),
    }
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def _content(message: Message) -> Any:
    if not isinstance(message, DigestMessage | DigestFile):
        return _plain(dataclasses.asdict(message))
    named = {field.name: getattr(message, field.name) for field in dataclasses.fields(message)}
    return {name: _plain(_data(value)) for name, value in named.items() if name not in _BINARY}


def _data(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_data(one) for one in value]
    if isinstance(value, DigestImage):
        return {"name": value.name, "alt": value.alt}
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        cleaned = clean(value[: 2 * _MAX_TEXT])
        return cleaned if len(cleaned) <= _MAX_TEXT else f"{cleaned[: _MAX_TEXT - 1]}…"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sign(webhook_id: str, body: bytes, keys: Sequence[bytes], timestamp: int) -> dict[str, str]:
    """Return the three headers of Standard Webhooks: one signature for each key."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(webhook_id, timestamp, body, key)}" for key in keys),
    }


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, *, tolerance_s: float = TOLERANCE_S
) -> str:
    """Return the id of a request that this daemon sent; drop it where the id was seen before.

    Args:
        headers: of the request, in any case.
        body: the bytes as they came, before any JSON is read.
        secrets: any one that may have signed it.
        now: unix seconds.
        tolerance_s: how old, or how far ahead, the request may be.

    Raises:
        UnverifiedWebhookError: a header is missing, no signature fits, or the time is too far off.
        ValueError: `secrets` holds what is no secret.
    """
    given = {name.lower(): value for name, value in headers.items()}
    webhook_id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not webhook_id or not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise UnverifiedWebhookError("webhook-id or webhook-timestamp is missing")
    if not abs(now - int(stamp)) <= tolerance_s:
        raise UnverifiedWebhookError("the request is too old, or its clock is wrong")
    signatures = [one.removeprefix("v1,") for one in given.get("webhook-signature", "").split() if one[:3] == "v1,"]
    right = [_signature(webhook_id, int(stamp), body, _key(secret)) for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), good.encode()) for one in signatures for good in right):
        raise UnverifiedWebhookError("no signature fits")
    return webhook_id


def _signature(webhook_id: str, timestamp: int, body: bytes, key: bytes) -> str:
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _KEY_BYTES:
        raise ValueError("a webhook secret is whsec_ and 24 to 64 bytes in base64")
    return key


def _keys(options: WebhookOptions) -> list[bytes]:
    return list(_each_key([options.secret, *options.more_secrets]))


def _each_key(secrets: Sequence[Secret]) -> Iterator[bytes]:
    for secret in secrets:
        try:
            key = _key(secret.get())
        except ValueError:
            key = b""
        if not key:
            raise MissingSecretError(
                f"{secret!r} is no webhook secret; make one with: echo whsec_$(openssl rand -base64 32)"
            )
        yield key


def _address(options: WebhookOptions) -> str:
    if isinstance(options.url, str):
        return options.url
    url = options.url.get()
    try:
        return _checked_url(url, options.plain_http)
    except PydanticCustomError as error:
        problem = error.message_template
    raise MissingSecretError(f"{options.url!r}: {problem}")


def _checked_url(url: str, plain_http: bool) -> str:
    try:
        host = urlsplit(url).hostname if _URL.fullmatch(url) else None
        _ = urlsplit(url).port
    except ValueError:
        host = None
    if not host:
        raise PydanticCustomError("url", "write an address such as https://desk.example/alerts")
    if url.startswith("http:") and not (plain_http and is_loopback(host)):
        raise PydanticCustomError(
            "url", "write https://; http:// needs plain_http: true and an address of this machine"
        )
    return url


def judge(status: int, retry_after: str, now: float) -> DeliveryError | None:
    """Return what an answer's status means to the outbox, or None where the message was taken."""
    if 200 <= status < 300:
        return None
    words = f"the webhook answers with HTTP status {status}"
    if status in _MOVED_FOR_GOOD:
        return PermanentDeliveryError(f"{words}: redirects are not followed, write the new url", receiver_gone=True)
    if status in _GONE_STATUSES:
        return PermanentDeliveryError(words, receiver_gone=True)
    if status == 429:
        return RetryableDeliveryError(words, _retry_after_s(retry_after, now))
    if status in (408, 425) or status >= 500:
        return RetryableDeliveryError(words, _retry_after_s(retry_after, now), ambiguous=status != 425)
    if status < 400:
        return RetryableDeliveryError(f"{words}; redirects are not followed")
    return PermanentDeliveryError(words)


def _retry_after_s(given: str, now: float) -> float | None:
    """Return the pause asked for, as seconds or as an HTTP date, within an hour; None where there is none."""
    try:
        seconds = float(given) if given.strip().isdigit() else parsedate_to_datetime(given).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_S)


# The classes of requests.exceptions (2.34.2): what to say, and whether the request may have arrived.
# None: trying again will not help.
FAULTS: Mapping[str, tuple[str, bool | None]] = {
    "RequestException": ("the webhook did not answer", True),
    "HTTPError": ("the webhook did not answer", True),
    "Timeout": ("the webhook did not answer in time", True),
    "ReadTimeout": ("the webhook did not answer in time", True),
    "ConnectTimeout": ("the webhook cannot be reached", False),
    "ConnectionError": ("the webhook hung up", True),
    "SSLError": ("the connection to the webhook is not secure", True),
    "ProxyError": ("the proxy cannot be reached", False),
    "ChunkedEncodingError": ("the webhook's answer cannot be read", True),
    "ContentDecodingError": ("the webhook's answer cannot be read", True),
    "JSONDecodeError": ("the webhook's answer cannot be read", True),
    "InvalidJSONError": ("the webhook's answer cannot be read", True),
    "RetryError": ("the webhook did not answer", True),
    "TooManyRedirects": ("the webhook redirects", False),
    "URLRequired": ("the webhook's url cannot be used", None),
    "MissingSchema": ("the webhook's url cannot be used", None),
    "InvalidSchema": ("the webhook's url cannot be used", None),
    "InvalidURL": ("the webhook's url cannot be used", None),
    "InvalidProxyURL": ("the proxy's url cannot be used", None),
    "InvalidHeader": ("the request cannot be made", None),
    "StreamConsumedError": ("the request cannot be made", None),
    "UnrewindableBodyError": ("the request cannot be made", None),
}
_NEVER_SENT = (ConnectionRefusedError, ssl.SSLCertVerificationError)
_NEVER_SENT_NAMES = frozenset(["NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "gaierror"])


def translate(error: Exception) -> DeliveryError:
    """Return what an error of requests, or of the network below it, means to the outbox."""
    words, may_have_arrived = FAULTS.get(type(error).__name__, FAULTS["RequestException"])
    if may_have_arrived is None:
        return PermanentDeliveryError(words, receiver_gone=True)
    chain = list(_chain(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        return RetryableDeliveryError("the webhook's certificate cannot be verified")
    never_sent = any(isinstance(one, _NEVER_SENT) or type(one).__name__ in _NEVER_SENT_NAMES for one in chain)
    words = "the webhook cannot be reached" if never_sent else words
    return RetryableDeliveryError(
        f"{words} ({type(chain[-1]).__name__})", ambiguous=may_have_arrived and not never_sent
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those inside it, the outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = [following.__cause__, getattr(following, "reason", None), *following.args, following.__context__]
        following = next((one for one in inner if isinstance(one, BaseException)), None)


def _root(error: BaseException) -> BaseException | None:
    """Return the innermost error, of the operating system, which knows no address; None where there is none."""
    innermost = list(_chain(error))[-1]
    return innermost if isinstance(innermost, OSError) and not hasattr(innermost, "request") else None


def _as_it_is(request: Any) -> Any:
    """Leave a request without the login that requests would take from a .netrc file."""
    return request


def create(name: str, options: WebhookOptions) -> WebhookReceiver:
    """Return a receiver for one address.

    Raises:
        MissingSecretError: the address or a secret is not set or cannot be one.
    """
    return WebhookReceiver(name, options)


SPEC = ReceiverSpec("webhook", WebhookOptions, create)
