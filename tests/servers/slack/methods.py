"""The Web API methods: their arguments, scopes and rate limits, rewritten from docs.slack.dev (read 2026-11)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.servers.base import Request
from tests.servers.slack.state import RefusedError

_WRITE = "attachments blocks channel link_names markdown_text metadata parse text"
_PAGE = "channel cursor include_all_metadata inclusive latest limit oldest"
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute."""
BOT_SCOPES = frozenset(
    {"chat:write", "channels:history", "groups:history", "files:write", "users:read", "usergroups:read", "im:write",
     "commands"}
)  # fmt: skip
_JSON_ARGUMENTS = ("attachments", "blocks", "files", "metadata", "view")


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `scopes` are alternatives; `tier` 0 means a limit of another kind; `reads` may be called by GET."""

    arguments: frozenset[str]
    scopes: tuple[str, ...] = ()
    tier: int = 0
    reads: bool = False


def _method(arguments: str, *scopes: str, tier: int = 0, reads: bool = False) -> Method:
    return Method(frozenset(arguments.split()), scopes, tier, reads)


METHODS = {
    "apps.connections.open": _method("", tier=1),
    "auth.test": _method("", reads=True),
    "chat.delete": _method("channel ts as_user", "chat:write", tier=3),
    "chat.getPermalink": _method("channel message_ts", reads=True),
    "chat.postEphemeral": _method(f"{_WRITE} user thread_ts icon_emoji icon_url username", "chat:write", tier=4),
    "chat.postMessage": _method(
        f"{_WRITE} reply_broadcast thread_ts icon_emoji icon_url mrkdwn unfurl_links unfurl_media username",
        "chat:write",
    ),
    "chat.update": _method(f"{_WRITE} reply_broadcast as_user file_ids ts", "chat:write", tier=3),
    "conversations.history": _method(_PAGE, "channels:history", "groups:history", "im:history", tier=3, reads=True),
    "conversations.open": _method("channel users return_im prevent_creation", "im:write", tier=3),
    "conversations.replies": _method(
        f"{_PAGE} ts", "channels:history", "groups:history", "im:history", tier=3, reads=True
    ),
    "files.completeUploadExternal": _method(
        "files channel_id channels thread_ts initial_comment blocks", "files:write", tier=4
    ),
    "files.getUploadURLExternal": _method("filename length alt_txt snippet_type", "files:write", tier=4, reads=True),
    "usergroups.users.list": _method("usergroup include_disabled", "usergroups:read", tier=2, reads=True),
    "users.info": _method("user include_locale", "users:read", tier=4, reads=True),
    "views.open": _method("trigger_id interactivity_pointer view", tier=4),
    "views.publish": _method("user_id view hash", tier=4),
    "views.push": _method("trigger_id interactivity_pointer view", tier=4),
    "views.update": _method("view_id external_id view hash", tier=4),
}


def read_arguments(request: Request) -> dict[str, Any]:
    """The arguments of a call, from a JSON or form body and the query; JSON inside a form is read."""
    found = {**request.query, **_body(request)}
    for name in _JSON_ARGUMENTS:
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except ValueError:
                raise RefusedError(f"invalid_{name}_format" if name == "blocks" else "invalid_arguments") from None
    return found


def _body(request: Request) -> dict[str, Any]:
    kind = header(request, "content-type")
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


def header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name), "")


def number(arguments: dict[str, Any], name: str, default: float) -> float:
    try:
        return float(arguments.get(name, default))
    except (TypeError, ValueError):
        raise RefusedError(f"invalid_ts_{name}" if name != "limit" else "invalid_limit") from None


def is_true(value: Any) -> bool:
    return value in (True, "1", "true")


def position(cursor: Any) -> int:
    if not cursor:
        return 0
    match = re.fullmatch(r"next:(\d+)", str(cursor))
    if match is None:
        raise RefusedError("invalid_cursor")
    return int(match[1])
