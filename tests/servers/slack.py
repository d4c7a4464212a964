"""A Slack workspace on loopback: channels with messages, the Web API methods the daemon calls, their checks and limits.

Facts rewritten from docs.slack.dev (read 2026-11): argument names, error codes, Block Kit limits, rate limits.
"""

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.servers.base import LocalServer, Reply, Request

TOKEN = "xoxb-test-token"  # the server's own, opens nothing elsewhere
BOT = "U0BOT"
MAX_BLOCKS, MAX_TOTAL, MAX_METADATA = 50, 13_200, 8_000
_WRITE_ARGUMENTS = {
    "attachments", "blocks", "channel", "link_names", "markdown_text", "metadata", "parse", "reply_broadcast", "text",
}  # fmt: skip
_ARGUMENTS = {
    "auth.test": set[str](),
    "chat.postMessage": _WRITE_ARGUMENTS
    | {"icon_emoji", "icon_url", "mrkdwn", "thread_ts", "unfurl_links", "unfurl_media", "username"},
    "chat.update": _WRITE_ARGUMENTS | {"as_user", "file_ids", "ts"},
    "conversations.history": {"channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"},
    "views.open": {"interactivity_pointer", "trigger_id", "view"},
}
_SCOPES = {"chat.postMessage": "chat:write", "chat.update": "chat:write", "conversations.history": "channels:history"}
_CONTROL = re.compile(r"<([^<>]*)>")
_OWN_DATE = re.compile(r"!date\^\d+\^[^<>]*")


class RefusedError(Exception):
    """An `ok: false` answer."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.body = {"ok": False, "error": code, **more}


@dataclass(slots=True)
class SlackMessage:
    """One message as the workspace holds it."""

    ts: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    edits: int = 0
    arguments: dict[str, Any] = field(default_factory=dict)
    """What chat.postMessage was called with."""

    @property
    def shown(self) -> str:
        """What a person reads, in reading order: the blocks, or the text where there are none."""
        return "\n".join(_texts(self.blocks)) if self.blocks else _unescape(self.text)

    @property
    def buttons(self) -> dict[str, str]:
        """The link buttons: label to address."""
        return {node["text"]["text"]: node["url"] for node in _nodes(self.blocks) if node.get("type") == "button"}

    @property
    def live_markup(self) -> list[str]:
        """Every mention, link or special sequence that Slack would bring to life; its dates are harmless."""
        sources = [node["text"] for node in _nodes(self.blocks) if node.get("type") == "mrkdwn"]
        found = [inner for source in [*sources, self.text] for inner in _CONTROL.findall(source)]
        return [inner for inner in found if not _OWN_DATE.fullmatch(inner)]


@dataclass(slots=True)
class Channel:
    """One channel: its messages, oldest first, and its state."""

    id: str
    messages: list[SlackMessage] = field(default_factory=list)
    is_archived: bool = False
    is_member: bool = True
    allowance: float = 0.0
    allowance_at: float = 0.0

    def find(self, ts: str) -> SlackMessage | None:
        return next((message for message in self.messages if message.ts == ts), None)


class SlackServer(LocalServer):
    """One workspace with one bot. `channel("C1")` is a channel as its members see it.

    With `rate_limited` each channel takes a short burst and then one message a second by `now`.
    """

    BURST = 3

    def __init__(self, port: int = 0, *, channels: tuple[str, ...] = ("C1",), now: Callable[[], float] = time.time):
        super().__init__(port)
        self.token = TOKEN
        self.is_revoked = False
        self.rate_limited = False
        self.scopes = {"chat:write", "channels:history"}
        self.history_page = 999
        """The most messages on one page of history; Slack may give fewer than were asked for."""
        self.views: list[dict[str, Any]] = []
        self._now = now
        self._last_ts = 0.0
        self._channels = {name: Channel(name, allowance=self.BURST) for name in channels}

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api/"

    def channel(self, name: str) -> Channel:
        return self._channels[name]

    def calls(self, method: str) -> int:
        return sum(request.path == f"/api/{method}" for request in self.requests)

    def handle(self, request: Request) -> Reply:
        try:
            return Reply(body={"ok": True, **self._answer(request)})
        except RefusedError as error:
            limited = error.body["error"] == "ratelimited"
            headers = {"Retry-After": str(error.body.pop("retry_after"))} if limited else {}
            return Reply(429 if limited else 200, error.body, headers)

    def _answer(self, request: Request) -> dict[str, Any]:
        method = request.path.removeprefix("/api/")
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "views.open": self._open_view,
        }
        if method not in handlers or request.method != "POST":
            raise RefusedError("unknown_method", req_method=method)
        self._check_token(request)
        arguments = _arguments(request)
        unknown = sorted(arguments.keys() - _ARGUMENTS[method])
        if unknown:
            raise RefusedError("invalid_arguments", response_metadata={"messages": [f"[ERROR] unknown {unknown}"]})
        scope = _SCOPES.get(method)
        if scope and scope not in self.scopes:
            raise RefusedError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))
        return handlers[method](arguments)

    def _check_token(self, request: Request) -> None:
        given = {name.lower(): value for name, value in request.headers.items()}.get("authorization", "")
        if not given.startswith("Bearer "):
            raise RefusedError("not_authed")
        if given.removeprefix("Bearer ") != self.token:
            raise RefusedError("invalid_auth")
        if self.is_revoked:
            raise RefusedError("token_revoked")

    def _auth_test(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": f"{self.base_url}/",
            "team": "Acme",
            "user": "bot",
            "team_id": "T1",
            "user_id": BOT,
            "bot_id": "B1",
        }

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._named(arguments)
        if channel.is_archived:
            raise RefusedError("is_archived")
        if not channel.is_member:
            raise RefusedError("not_in_channel")
        text, blocks = _content(arguments)
        if not text and not blocks:
            raise RefusedError("no_text")
        metadata = _metadata(arguments)
        self._take_turn(channel)
        message = SlackMessage(self._next_ts(), text[:40_000], blocks, metadata, arguments=arguments)
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message.ts, "message": _public(message, with_metadata=True)}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._named(arguments)
        message = channel.find(str(arguments.get("ts", "")))
        if message is None:
            raise RefusedError("message_not_found")
        if channel.is_archived:
            raise RefusedError("is_inactive")
        text, blocks = _content(arguments)
        if len(text) > 4_000:
            raise RefusedError("msg_too_long")
        metadata = _metadata(arguments)
        self._take_turn(channel)
        message.text = text or message.text
        if "blocks" in arguments:
            message.blocks = blocks
        if "metadata" in arguments:
            message.metadata = metadata
        message.edits += 1
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": _public(message)}

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._named(arguments)
        if not channel.is_member:
            raise RefusedError("not_in_channel")
        oldest, inclusive = _number(arguments, "oldest", 0.0), _is_true(arguments.get("inclusive"))
        latest = _number(arguments, "latest", math.inf)
        found = [m for m in channel.messages if oldest < float(m.ts) < latest or (inclusive and float(m.ts) == oldest)]
        found.reverse()
        start = _position(arguments.get("cursor"))
        end = start + min(int(_number(arguments, "limit", 100)), self.history_page)
        with_metadata = _is_true(arguments.get("include_all_metadata"))
        page = [_public(message, with_metadata=with_metadata) for message in found[start:end]]
        more = end < len(found)
        cursor = {"response_metadata": {"next_cursor": f"next:{end}"}} if more else {}
        return {"messages": page, "has_more": more, "pin_count": 0, **cursor}

    def _open_view(self, arguments: dict[str, Any]) -> dict[str, Any]:
        view = arguments.get("view")
        if not arguments.get("trigger_id"):
            raise RefusedError("invalid_arguments", response_metadata={"messages": ["invalid `trigger_id`"]})
        if (
            not isinstance(view, dict)
            or view.get("type") != "modal"
            or len(_text_of(view.get("title"))) not in range(1, 25)
        ):
            raise RefusedError("invalid_arguments", response_metadata={"messages": ["invalid `view`"]})
        self.views.append(view)
        return {"view": {"id": f"V{len(self.views)}", "type": "modal", "hash": "1.abc"}}

    def _named(self, arguments: dict[str, Any]) -> Channel:
        channel = self._channels.get(str(arguments.get("channel", "")))
        if channel is None:
            raise RefusedError("channel_not_found")
        return channel

    def _take_turn(self, channel: Channel) -> None:
        if not self.rate_limited:
            return
        now = self._now()
        earned = max(0.0, now - channel.allowance_at) if channel.allowance_at else self.BURST
        channel.allowance, channel.allowance_at = min(self.BURST, channel.allowance + earned), now
        if channel.allowance < 1:
            raise RefusedError("ratelimited", retry_after=math.ceil(1 - channel.allowance))
        channel.allowance -= 1

    def _next_ts(self) -> str:
        self._last_ts = max(self._now(), self._last_ts + 0.000_001)
        return f"{self._last_ts:.6f}"


def _arguments(request: Request) -> dict[str, Any]:
    kind = {name.lower(): value for name, value in request.headers.items()}.get("content-type", "")
    base, _, charset = kind.replace(" ", "").lower().partition(";charset=")
    if charset not in ("", "utf-8"):
        raise RefusedError("invalid_charset")
    if not request.body:
        return {}
    if base == "application/json":
        try:
            body = request.json()
        except ValueError:
            raise RefusedError("invalid_json") from None
        if not isinstance(body, dict):
            raise RefusedError("json_not_object")
        return body
    if base == "application/x-www-form-urlencoded":
        return dict(request.form())
    raise RefusedError("invalid_post_type" if base else "missing_post_type")


def _content(arguments: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    if not isinstance(text, str) or "\ud800" <= max(text, default="") <= "\udfff":
        raise RefusedError("invalid_arguments")
    if not isinstance(blocks, list):
        raise RefusedError("invalid_blocks_format")
    problems = list(block_problems(blocks))
    if problems:
        messages = [f"{words} [json-pointer:{pointer}]" for pointer, words in problems]
        raise RefusedError(
            "invalid_blocks", errors=messages, response_metadata={"messages": [f"[ERROR] {m}" for m in messages]}
        )
    if sum(len(text) for text in [*_texts(blocks), *(node.get("url", "") for node in _nodes(blocks))]) > MAX_TOTAL:
        raise RefusedError("msg_blocks_too_long")
    return text, blocks


def _metadata(arguments: dict[str, Any]) -> dict[str, Any] | None:
    metadata = arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise RefusedError("invalid_metadata_format")
    if not metadata.get("event_type"):
        raise RefusedError("invalid_metadata_format")
    if len(str(metadata)) > MAX_METADATA:
        raise RefusedError("metadata_too_large")
    return metadata


Problem = tuple[str, str]


def block_problems(blocks: list[Any]) -> Iterator[Problem]:
    """Yield where and how blocks break Block Kit's rules, as (JSON pointer, words)."""
    if len(blocks) > MAX_BLOCKS:
        yield "/blocks", f"no more than {MAX_BLOCKS} items allowed"
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        kinds = {
            "section": _section_problems,
            "header": _header_problems,
            "context": _context_problems,
            "actions": _actions_problems,
            "divider": lambda block, where: iter(()),
        }
        check = kinds.get(block.get("type")) if isinstance(block, dict) else None
        if check is None:
            yield where, "unsupported type"
        else:
            yield from check(block, where)
    yield from _id_problems(blocks)


def _section_problems(block: dict[str, Any], where: str) -> Iterator[Problem]:
    if "text" not in block and "fields" not in block:
        yield where, "missing required field: text"
    if "text" in block:
        yield from _text_problems(block["text"], f"{where}/text", 3_000)
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield f"{where}/fields", "no more than 10 items allowed"
    for number, item in enumerate(fields):
        yield from _text_problems(item, f"{where}/fields/{number}", 2_000)


def _header_problems(block: dict[str, Any], where: str) -> Iterator[Problem]:
    yield from _text_problems(block.get("text"), f"{where}/text", 150, ("plain_text",))


def _context_problems(block: dict[str, Any], where: str) -> Iterator[Problem]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        yield f"{where}/elements", "between 1 and 10 items allowed"
    for number, element in enumerate(elements):
        yield from _text_problems(element, f"{where}/elements/{number}", 3_000)


def _actions_problems(block: dict[str, Any], where: str) -> Iterator[Problem]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        yield f"{where}/elements", "between 1 and 25 items allowed"
    for number, element in enumerate(elements):
        yield from _button_problems(element, f"{where}/elements/{number}")


def _button_problems(button: Any, where: str) -> Iterator[Problem]:
    if not isinstance(button, dict) or button.get("type") != "button":
        yield where, "unsupported element"
        return
    yield from _text_problems(button.get("text"), f"{where}/text", 75, ("plain_text",))
    for name, most in (("action_id", 255), ("value", 2_000), ("url", 3_000), ("accessibility_label", 75)):
        if len(button.get(name, "")) > most:
            yield f"{where}/{name}", f"must be less than {most + 1} characters"
    if "url" in button and not re.match(r"(https?|slack|mailto):", button["url"]):
        yield f"{where}/url", "must be a valid URL"
    if button.get("style", "primary") not in ("primary", "danger"):
        yield f"{where}/style", "unsupported style"


def _text_problems(
    text: Any, where: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> Iterator[Problem]:
    if not isinstance(text, dict) or text.get("type") not in kinds or not isinstance(text.get("text"), str):
        yield where, f"must be one of {kinds}"
        return
    if text.keys() - {"type", "text", "emoji" if text["type"] == "plain_text" else "verbatim"}:
        yield where, "additional properties are not allowed"
    if not text["text"]:
        yield f"{where}/text", "must be more than 0 characters"
    if len(text["text"]) > most:
        yield f"{where}/text", f"must be less than {most + 1} characters"


def _id_problems(blocks: list[Any]) -> Iterator[Problem]:
    for name in ("block_id", "action_id"):
        ids = [node[name] for node in _nodes(blocks) if name in node]
        if len(set(ids)) < len(ids):
            yield "/blocks", f"{name} must be unique in a message"


def _public(message: SlackMessage, *, with_metadata: bool = False) -> dict[str, Any]:
    shown = {"type": "message", "user": BOT, "bot_id": "B1", "ts": message.ts, "text": message.text}
    edited = {"edited": {"user": BOT, "ts": message.ts}} if message.edits else {}
    metadata = {"metadata": message.metadata} if with_metadata and message.metadata else {}
    return {**shown, "blocks": message.blocks, **edited, **metadata}


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)


def _texts(blocks: Any) -> Iterator[str]:
    for node in _nodes(blocks):
        if node.get("type") == "plain_text":
            yield node["text"]
        elif node.get("type") == "mrkdwn":
            yield _unescape(node["text"])


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _text_of(node: Any) -> str:
    return str(node.get("text", "")) if isinstance(node, dict) else ""


def _number(arguments: dict[str, Any], name: str, default: float) -> float:
    try:
        return float(arguments.get(name, default))
    except (TypeError, ValueError):
        raise RefusedError(f"invalid_ts_{name}" if name != "limit" else "invalid_limit") from None


def _is_true(value: Any) -> bool:
    return value in (True, "1", "true")


def _position(cursor: Any) -> int:
    if not cursor:
        return 0
    match = re.fullmatch(r"next:(\d+)", str(cursor))
    if match is None:
        raise RefusedError("invalid_cursor")
    return int(match[1])
