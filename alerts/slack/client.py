"""Slack's Web API: one client that speaks to one host, and what the daemon asks of it beside sending messages."""

import json
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request

from alerts.escaping import clean, escape_mrkdwn, shorten, slack_length
from alerts.receivers import bounded
from alerts.slack.failures import ANSWER_UNREADABLE, RedirectedError, translate
from listener.config import Secret
from listener.errors import MissingSecretError, PermanentDeliveryError

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse

UNPARSED: Mapping[str, Any] = {"mrkdwn": False, "parse": "none"}
_MOST_NAMES = 2_000
_TOKEN = re.compile(r"[\x21-\x7e]+")
_USER = re.compile(r"[UW][A-Z0-9]{1,20}")


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: urllib would hand the token to whatever host one names."""

    def http_error_302(self, req: Request, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Raise RedirectedError, whatever the answer's body and address are."""
        fp.close()
        raise RedirectedError(f"HTTP status {code}")

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def make_client(token: Secret, base_url: str | None, timeout_s: float) -> "WebClient":
    """Return a client for Slack, or for what answers in its place at `base_url`.

    It follows no redirect, tries nothing twice and logs nothing.

    Raises:
        MissingSecretError: the token is not set or cannot be one.
    """
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackRequestError

    class OneHostClient(WebClient):
        def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
            # slack_sdk 3.47.0 opens with `urlopen` here; proxies stay with urllib, which knows NO_PROXY as well.
            if not url.lower().startswith(("http://", "https://")):
                raise SlackRequestError(f"not a web address: {url}")
            try:
                with _opener(self).open(req) as answer:
                    charset = answer.headers.get_content_charset() or "utf-8"
                    body = bounded.read(answer).decode(charset)
                    return {"status": answer.status, "headers": answer.headers, "body": body}
            except HTTPError as error:
                with error:
                    content = BytesIO(bounded.read(error))  # slack_sdk would read it whole, however large
                raise HTTPError(error.url, error.code, error.msg, error.headers, content) from None

    client = OneHostClient(
        token=token_of(token),
        base_url=(base_url or WebClient.BASE_URL).rstrip("/") + "/",
        timeout=timeout_s,  # type: ignore[arg-type]  # handed to a socket, which takes fractions
        retry_handlers=[],
        logger=_silent(),
    )
    client.proxy = None
    return client


def token_of(secret: Secret) -> str:
    """Return a token that can be sent as a header.

    Raises:
        MissingSecretError: it is not set or cannot be one.
    """
    token = secret.get()
    # http.client repeats a header it cannot send in its error, and this header is the token.
    if not _TOKEN.fullmatch(token):
        raise MissingSecretError(
            f"{secret!r} holds characters that no Slack token has; copy the token (xoxb-...) again"
        )
    return token


def answer_of(method: Callable[[], "SlackResponse"]) -> Mapping[str, Any]:
    """Return what one call answers.

    Raises:
        DeliveryError: it failed; the cause is kept.
    """
    from slack_sdk.errors import SlackClientError

    try:
        return object_of(method().data)
    except (SlackClientError, OSError, *ANSWER_UNREADABLE) as error:
        raise translate(error) from error


def upload(
    client: "WebClient",
    content: bytes,
    name: str,
    alt_text: str = "",
    *,
    title: str = "",
    channel_id: str | None = None,
    thread_ts: str | None = None,
) -> str:
    """Upload a file, and return its ID. It belongs to no channel yet, unless one is named.

    Args:
        client: of the workspace.
        content: the file.
        name: its name.
        alt_text: what an image shows.
        title: how it is called in Slack; its name unless given.
        channel_id: the channel that it is shared in.
        thread_ts: the message there whose thread it is shared in.

    Raises:
        DeliveryError: it was not taken.
    """
    alt = shorten(clean(alt_text), 1_000)
    described = {"alt_txt": alt} if alt else {}
    ticket = answer_of(lambda: client.files_getUploadURLExternal(filename=name, length=len(content), **described))
    url, file_id = ticket.get("upload_url"), ticket.get("file_id")
    if not isinstance(url, str) or not isinstance(file_id, str) or not _is_own_host(url, client.base_url, ("files",)):
        raise PermanentDeliveryError("Slack names no address of its own for the file")
    try:
        request = Request(url, content, {"Content-Type": "application/octet-stream"}, method="POST")  # noqa: S310
        with _opener(client).open(request) as answer:
            bounded.read(answer)
    except (OSError, *ANSWER_UNREADABLE) as error:
        raise translate(error) from error
    files: list[dict[str, str | None]] = [{"id": file_id, "title": title or name}]
    answer_of(lambda: client.files_completeUploadExternal(files=files, channel_id=channel_id, thread_ts=thread_ts))
    return file_id


def object_of(value: object) -> Mapping[str, Any]:
    """Return a JSON object, empty where `value` is none."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> list[Mapping[str, Any]]:
    """Return the JSON objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class SlackDesk:
    """What the daemon's Slack app does beside sending messages. Every method makes one attempt.

    Each raises DeliveryError as the receiver does: RetryableDeliveryError, PermanentDeliveryError, and of these
    ViewGoneError where the press is too old or the window was closed. Safe to use from several threads.
    """

    def __init__(self, token: Secret, base_url: str | None = None, timeout_s: float = 10.0) -> None:
        self._client = make_client(token, base_url, timeout_s)
        self._names: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def open_view(self, trigger_id: str, view: dict[str, Any]) -> str:
        """Open a window for whoever pressed, within 3 s of the press, and return its view's ID."""
        return self._view_id(answer_of(lambda: self._client.views_open(trigger_id=trigger_id, view=view)))

    def update_view(self, view_id: str, view: dict[str, Any], *, hash_: str = "") -> str:
        """Replace an open window, and return its view's ID; with `hash_` only if it still is as it was then."""
        update = partial(self._client.views_update, view_id=view_id, view=view, hash=hash_ or None)
        return self._view_id(answer_of(update))

    def publish_home(self, user_id: str, view: dict[str, Any]) -> None:
        """Show somebody's Home tab."""
        answer_of(lambda: self._client.views_publish(user_id=user_id, view=view))

    def whisper(self, channel: str, user: str, text: str, *, thread_ts: str = "") -> None:
        """Say something that only `user` sees. Nothing in `text` comes alive, whoever wrote it."""
        shown = shorten(clean(text), 2_900, slack_length) or "—"
        blocks = [{"type": "section", "text": {"type": "plain_text", "text": shown, "emoji": False}}]
        say = partial(self._client.chat_postEphemeral, channel=channel, user=user, text=escape_mrkdwn(shown))
        answer_of(lambda: say(blocks=blocks, parse="none", thread_ts=thread_ts or None))

    def tell_person(self, user: str, text: str) -> None:
        """Say something to somebody in private, where they pressed nothing that belongs to a channel."""
        opened = answer_of(lambda: self._client.conversations_open(users=user))
        channel = str(object_of(opened.get("channel")).get("id") or "")
        shown = escape_mrkdwn(shorten(clean(text), 2_900, slack_length)) or "—"
        answer_of(lambda: self._client.chat_postMessage(channel=channel, text=shown, **UNPARSED))

    def respond(self, url: str, text: str) -> None:
        """Answer a slash command at the address that came with it, for whoever wrote it alone.

        Raises:
            PermanentDeliveryError: the address is not Slack's.
        """
        if not _is_own_host(url, self._client.base_url, ("hooks",)):
            raise PermanentDeliveryError("the address to answer at is not Slack's")
        shown = escape_mrkdwn(shorten(clean(text), 2_900, slack_length)) or "—"
        body = json.dumps({"response_type": "ephemeral", "text": shown, "mrkdwn": False}).encode()
        request = Request(url, body, {"Content-Type": "application/json; charset=utf-8"}, method="POST")  # noqa: S310
        try:
            with _opener(self._client).open(request, timeout=self._client.timeout) as answer:
                answer.read(1_000)
        except (OSError, *ANSWER_UNREADABLE) as error:
            raise translate(error) from error

    def display_name(self, user_id: str) -> str:
        """Return how somebody is called in Slack, hostile as any name; the ID itself where Slack knows no name."""
        with self._lock:
            known = self._names.get(user_id)
        if known is not None:
            return known
        if not _USER.fullmatch(user_id):
            return user_id
        name = _name_in(answer_of(lambda: self._client.users_info(user=user_id))) or user_id
        self._remember(user_id, name)
        return name

    def _remember(self, user_id: str, name: str) -> None:
        with self._lock:
            self._names[user_id] = name
            while len(self._names) > _MOST_NAMES:
                self._names.popitem(last=False)

    @staticmethod
    def _view_id(answer: Mapping[str, Any]) -> str:
        return str(object_of(answer.get("view")).get("id") or "")


def _name_in(answer: Mapping[str, Any]) -> str:
    user = object_of(answer.get("user"))
    profile = object_of(user.get("profile"))
    given = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((name for name in given if isinstance(name, str) and name.strip()), "")


def _opener(client: "WebClient") -> OpenerDirector:
    return bounded.opener(client.timeout, client.ssl, _NoRedirects)


def _is_own_host(url: str, api_url: str, kinds: tuple[str, ...]) -> bool:
    """Tell whether `url` is on the API's host, or on its host for `kinds`: no other may be handed anything."""
    try:
        given, own = urlsplit(url), urlsplit(api_url)
        name = own.hostname or ""
        hosts = (name, *(f"{kind}.{name}" for kind in kinds))
        return (given.scheme, given.port) == (own.scheme, own.port) and given.hostname in hosts and "@" not in url
    except ValueError:
        return False


def _silent() -> logging.Logger:
    """Return a logger for slack_sdk that says nothing: what it would log is raised as well."""
    logger = logging.getLogger(f"{__name__}.silent")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
