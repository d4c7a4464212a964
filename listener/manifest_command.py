"""`listener slack-manifest`: what the Slack app is created from, fitted to the configuration."""

import json
from urllib.parse import urlsplit

from alerts.slack.manifest import COMMAND_PATH, EVENTS_PATH, INTERACTIVE_PATH, manifest
from listener.config import Config
from listener.errors import ListenerError

MODES = ("socket", "http")
PATHS = (INTERACTIVE_PATH, COMMAND_PATH, EVENTS_PATH)


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
    return _written(manifest(mode="http", request_url=_address(request_url), name=name.strip()))


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
