"""The Slack app's manifest, with exactly the scopes that the methods need which the daemon calls."""

from collections.abc import Mapping
from typing import Any, Literal

METHOD_SCOPES: Mapping[str, tuple[str, ...]] = {
    "auth.test": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.update": (),
}
"""Every Web API method that is called, with the bot scopes it needs in public and private channels (read 2026-11)."""
COMMAND = "/listener"
USAGE = "status | who | digest | silence [country=FR …]"

INTERACTIVE_PATH, COMMAND_PATH, EVENTS_PATH = "/slack/interactive", "/slack/command", "/slack/events"
"""Where signed requests arrive, behind the daemon's public address."""


def bot_scopes() -> list[str]:
    """Return the bot's scopes: what the methods need, and the slash command."""
    return sorted({"commands", *(scope for scopes in METHOD_SCOPES.values() for scope in scopes)})


def manifest(
    *, mode: Literal["socket", "http"] = "socket", request_url: str = "", name: str = "Listening daemon"
) -> dict[str, Any]:
    """Return the manifest, to be pasted as JSON under "Create an app" at api.slack.com.

    Args:
        mode: `socket` needs no public address; `http` receives signed requests.
        request_url: the public https address of the daemon, for `http`.
        name: how the app is called.

    Raises:
        ValueError: `http` without an https address.
    """
    if mode == "http" and not request_url.startswith("https://"):
        raise ValueError("signed requests need the daemon's public https:// address")
    base = request_url.rstrip("/") if mode == "http" else None
    command = {"command": COMMAND, "description": "Alerts: who has what, silences, digest", "usage_hint": USAGE,
               "should_escape": False, **_address(base, "url", COMMAND_PATH)}  # fmt: skip
    return {
        "display_information": {
            "name": name[:35],
            "description": "Complaints heard across networks, as alerts that people act on",
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": name[:80], "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": bot_scopes()}},
        "settings": {
            "event_subscriptions": {**_address(base, "request_url", EVENTS_PATH), "bot_events": ["app_home_opened"]},
            "interactivity": {"is_enabled": True, **_address(base, "request_url", INTERACTIVE_PATH)},
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def _address(base: str | None, key: str, path: str) -> dict[str, str]:
    """Return where Slack sends one kind of thing: nowhere in Socket Mode."""
    return {} if base is None else {key: base + path}
