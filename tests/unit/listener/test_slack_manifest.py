"""`listener slack-manifest` prints what the Slack app is created from."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from alerts.slack.manifest import METHOD_SCOPES
from listener.cli import app
from listener.config import load_config
from listener.errors import ListenerError
from listener.manifest_command import ManifestError, manifest_json
from listener.plugins import plugin_options
from listener.slack.http import PATHS

ROOT = Path(__file__).parents[3]
SCOPES = ["channels:history", "chat:write", "commands", "files:write", "groups:history", "im:write", "users:read"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    app(["slack-manifest", *arguments], standalone_mode=False)
    return dict(json.loads(capsys.readouterr().out))


def configured(folder: Path, mode: str) -> Path:
    """The shipped configuration with another mode of the Slack app."""
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    shutil.copy(ROOT / "brand.yaml", folder)
    secret = "  signing_secret: ${env:SLACK_SIGNING_SECRET}\n"
    path = folder / "config.yaml"
    path.write_text(text.replace("\nslack:\n", f"\nslack:\n  mode: {mode}\n{secret}", 1), encoding="utf-8")
    assert load_config(path, plugin_options()).slack is not None
    return path


def test_it_is_json_with_exactly_the_scopes_that_the_daemon_needs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # nothing is configured yet
    made = printed(capsys, "--name", "Care alerts")
    assert made["oauth_config"]["scopes"]["bot"] == SCOPES
    assert set(SCOPES) == {"commands", *(scope for scopes in METHOD_SCOPES.values() for scope in scopes)}
    assert made["display_information"]["name"] == "Care alerts"
    assert made["settings"]["socket_mode_enabled"] is True
    assert made["settings"]["interactivity"] == {"is_enabled": True}


def test_the_mode_is_the_configurations_unless_another_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(configured(tmp_path, "http"))
    url = ("--request-url", "https://listener.example")
    assert printed(capsys, "-c", path, *url)["settings"]["socket_mode_enabled"] is False
    assert printed(capsys, "-c", path, "--mode", "socket")["settings"]["socket_mode_enabled"] is True
    assert printed(capsys, "-c", str(configured(tmp_path, "socket")))["settings"]["socket_mode_enabled"] is True


def test_each_kind_of_request_goes_to_the_path_where_the_daemon_takes_it() -> None:
    made = json.loads(manifest_json(None, mode="http", request_url="https://listener.example/hooks/", name="Alerts"))
    addresses = {
        "interactive": made["settings"]["interactivity"]["request_url"],
        "slash_commands": made["features"]["slash_commands"][0]["url"],
        "events_api": made["settings"]["event_subscriptions"]["request_url"],
    }
    assert addresses == {kind: f"https://listener.example/hooks{path}" for path, kind in PATHS.items()}


@pytest.mark.parametrize(
    ("mode", "request_url", "advice"),
    [
        ("websocket", "", "there is no mode 'websocket'; write socket"),
        ("http", "", "--request-url https://listener.example"),
        ("http", "http://listener.example", "--request-url https://listener.example"),
        ("http", "listener.example", "--request-url https://listener.example"),
        ("http", "https://[", "--request-url https://listener.example"),
        ("http", "https://listener.example/slack/events", "they are appended"),
        ("http", "https://listener.example?team=1", "they are appended"),
        ("socket", "https://listener.example", "--mode http"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_write(mode: str, request_url: str, advice: str) -> None:
    with pytest.raises(ManifestError) as refused:
        manifest_json(None, mode=mode, request_url=request_url, name="Alerts")
    assert advice in str(refused.value)


def test_an_app_without_a_name_is_refused() -> None:
    with pytest.raises(ManifestError, match="name"):
        manifest_json(None, mode=None, request_url="", name=" ")


def test_a_configuration_that_is_named_and_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ListenerError, match="absent"):
        app(["slack-manifest", "--config", str(tmp_path / "absent.yaml")], standalone_mode=False)
