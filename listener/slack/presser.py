"""Who did something in Slack, where, and by which key it is known when it is delivered twice."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NOT_STORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_KEY = 150
"""The store tells keys apart by their first two hundred characters."""


@dataclass(frozen=True, slots=True)
class Presser:
    """What a payload says of whoever acted; every value may be empty."""

    user_id: str
    user_name: str
    channel: str
    thread_ts: str
    trigger_id: str
    view_id: str
    is_home: bool
    key: str
    """The same for each delivery of one press."""


def presser_of(payload: Mapping[str, Any]) -> Presser:
    """Read an interactive payload."""
    user, view = _object(payload, "user"), _object(payload, "view")
    container, message = _object(payload, "container"), _object(payload, "message")
    user_id = _text(user, "id")
    return Presser(
        user_id=user_id,
        user_name=_text(user, "name") or _text(user, "username"),
        channel=_text(_object(payload, "channel"), "id") or _text(container, "channel_id"),
        thread_ts=_text(message, "thread_ts") or _text(container, "thread_ts"),
        trigger_id=_text(payload, "trigger_id"),
        view_id=_text(view, "id"),
        is_home=view.get("type") == "home",
        key=_key(payload, user_id, view),
    )


def _key(payload: Mapping[str, Any], user_id: str, view: Mapping[str, Any]) -> str:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    # A press has a time of its own, a submission the state of the window that it closes.
    own = _whole(first, "action_ts") or _whole(view, "hash") or _whole(payload, "trigger_id")
    return press_key(user_id, _whole(first, "action_id") or _whole(view, "id"), own)


def storable(text: str) -> str:
    """Return a text without control characters and halves of characters, which databases refuse."""
    return _NOT_STORABLE.sub(" ", text).strip()


def press_key(*parts: str) -> str:
    """Return the key of a press: printable, bounded, and another one for other parts, however long they are."""
    key = ":".join(("slack", *parts))
    if len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable():
        return key
    return f"slack:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _object(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = node.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(node: Mapping[str, Any], name: str) -> str:
    return storable(_whole(node, name)[:300])


def _whole(node: Mapping[str, Any], name: str) -> str:
    found = node.get(name)
    return found if isinstance(found, str) else ""
