"""`listener slack-manifest`: what the Slack app is created from, fitted to the configuration."""

import json
from urllib.parse import urlsplit

from alerts.slack.manifest import manifest
from listener.config import Config
from listener.errors import ListenerError
from listener.slack.http import PATHS

MODES = ("socket", "http")


class ManifestError(ListenerError):
    """The manifest cannot be made; the message says what to write."""


def manifest_json(config: Config | None, *, mode: str | None, request_url: str, name: str) -> str:
    """Return the manifest as JSON.

    Args:
        config: where the mode stands, unless `mode` is given; None for Socket Mode.
        mode: `socket` or `http`.
        request_url: the public address in front of the daemon, for `http`.
        name: how the app is called in Slack.

    Raises:
        ManifestError: there is no such mode, or the address does not fit it.
    """
    wanted = mode or (config.slack.mode if config is not None and config.slack is not None else "socket")
    if wanted not in MODES:
        raise ManifestError(f"there is no mode '{wanted}'; write socket (no public address) or http (signed requests)")
    if not name.strip():
        raise ManifestError("the app needs a name")
    if wanted == "socket":
        if request_url:
            raise ManifestError("--request-url goes with --mode http; Socket Mode needs no address")
        return _written(manifest(name=name.strip()))
    address = _address(request_url)
    made = manifest(mode="http", request_url=address, name=name.strip())
    # Slack tells of presses, commands and events at an address each.
    interactive, command, events = (address + path for path in PATHS)
    made["settings"]["interactivity"]["request_url"] = interactive
    made["features"]["slash_commands"][0]["url"] = command
    made["settings"]["event_subscriptions"]["request_url"] = events
    return _written(made)


def _address(text: str) -> str:
    """Return the address that the daemon's paths are appended to.

    Raises:
        ManifestError: Slack cannot reach it, or it is more than that.
    """
    advice = "mode http needs the daemon's public address: --request-url https://listener.example"
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ManifestError(advice) from error
    if parts.scheme != "https" or not parts.hostname:
        raise ManifestError(advice)
    if parts.query or parts.fragment or parts.username or any(parts.path.endswith(path) for path in PATHS):
        raise ManifestError(f"write --request-url without {', '.join(PATHS)} and the like; they are appended")
    return text.rstrip("/")


def _written(made: dict[str, object]) -> str:
    return json.dumps(made, ensure_ascii=False, indent=2)
