"""`listener test-source`: what works, what to do if not, and that nothing is stored."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError

import pytest
from requests import exceptions
from typer.testing import CliRunner

from listener.cli import app
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.errors import ListenerError, RetryableSourceError
from listener.plugins import plugin_options
from listener.source_trial import TooSoonError, allow, lines, try_watch, unreached, watches_of
from listener.store import Store
from tests.servers.x import XServer

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CONFIG = """
brands: {{yunfan: {{name: Yunfan, terms: [yunfan]}}}}
teams: {{hub: {{name: Hub, languages: [en]}}}}
sources:
  x: {{bearer_token: "${{env:X_TOKEN_FOR_TESTS}}", base_url: "{base_url}", timeout_s: 5}}
  file: {{}}
  wechat: {{}}
receivers: {{screen: {{type: terminal}}}}
route: {{receiver: screen}}
fallback_receiver: screen
defaults: {{timezone: UTC, languages: [en], hours: {{mon-fri: "09:00-18:00"}}, team: hub}}
store: {{url: "sqlite:///{folder}/listener.db"}}
countries:
  GB: {{sources: {{x: {{mentions: false}}, file: {{path: "{folder}/exports"}}}}}}
  FR: {{sources: {{x: {{mentions: false}}}}}}
"""


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path, server: XServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("X_TOKEN_FOR_TESTS", "test-token")
    written = tmp_path / "config.yaml"
    written.write_text(CONFIG.format(base_url=server.base_url, folder=tmp_path))
    return written


@pytest.fixture
def config(path: Path) -> Config:
    return load_config(path, plugin_options())


def test_a_source_that_works_says_so_and_stores_nothing(path: Path, server: XServer, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["test-source", "x", "--watch", "x/FR/yunfan", "-c", str(path)])
    assert (ran.exit_code, ran.output) == (0, "x/FR/yunfan works: X takes the token and 1 query\n")
    assert len(server.requests) == 1
    store = Store(f"sqlite:///{tmp_path}/listener.db")
    assert (store.collecting.states(), store.usage.days(NOW - timedelta(days=3650))) == ({}, [])
    store.close()


def test_a_refused_token_names_where_it_stands_and_never_what_it_is(path: Path, server: XServer) -> None:
    server.token = "another"
    ran = CliRunner().invoke(app, ["test-source", "x", "-c", str(path)])
    assert ran.exit_code == 1
    assert "x/GB/yunfan IS REFUSED: X answered 401: Unauthorized" in ran.output
    assert "check ${env:X_TOKEN_FOR_TESTS}" in ran.output
    assert "test-token" not in ran.output


def test_a_missing_secret_names_its_variable(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X_TOKEN_FOR_TESTS")
    outcome = try_watch(config, FixedClock(NOW), watches_of(config, "x")[0])
    assert (outcome.state, outcome.works) == ("off", False)
    assert "X_TOKEN_FOR_TESTS" in outcome.said


def test_a_used_up_quota_says_until_when(config: Config, server: XServer) -> None:
    server.usage_capped()
    outcome = try_watch(config, FixedClock(NOW), watches_of(config, "x")[0])
    assert outcome.state == "quota"
    assert "  there is no more until 2026-12-01 00:00 UTC" in lines(outcome)


def test_a_network_that_does_not_answer_may_do_so_later(config: Config, server: XServer) -> None:
    server.close()
    outcome = try_watch(config, FixedClock(NOW), watches_of(config, "x")[0])
    assert outcome.state == "failed"
    assert "try again in a minute" in "\n".join(lines(outcome))


def test_a_folder_without_files_works_and_holds_nothing(config: Config, tmp_path: Path) -> None:
    watch = watches_of(config, "file", "file/GB/yunfan")[0]
    assert try_watch(config, FixedClock(NOW), watch).state == "failed"
    (tmp_path / "exports").mkdir()
    assert try_watch(config, FixedClock(NOW), watch).state == "nothing"
    (tmp_path / "exports" / "a.csv").write_text("text\nhello\n")
    assert try_watch(config, FixedClock(NOW), watch).state == "works"


@pytest.mark.parametrize(
    ("source", "watch", "said"),
    [
        ("telegram", None, "there is no source 'telegram'; the configuration has x, file, wechat"),
        ("wechat", None, "no country listens to 'wechat'"),
        ("x", "x/DE/yunfan", "'x' has no watch 'x/DE/yunfan'; it has x/GB/yunfan, x/FR/yunfan"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(config: Config, source: str, watch: str | None, said: str) -> None:
    with pytest.raises(ListenerError, match=said):
        watches_of(config, source, watch)


def test_a_source_is_tried_out_once_in_ten_seconds_whoever_asks(tmp_path: Path) -> None:
    store, clock = Store(f"sqlite:///{tmp_path}/l.db"), FixedClock(NOW)
    allow(store, "x", clock)
    allow(store, "vk", clock)
    with pytest.raises(TooSoonError):
        allow(store, "x", clock)
    clock.advance(10)
    allow(store, "x", clock)
    store.close()


def test_a_network_that_is_not_reached_is_named_without_a_librarys_words(path: Path, server: XServer) -> None:
    path.write_text(path.read_text().replace(server.base_url, "http://127.0.0.1:9"))
    ran = CliRunner().invoke(app, ["test-source", "x", "-c", str(path)])
    assert ran.exit_code == 1
    assert "was not reached: no answer from 127.0.0.1: is this machine online" in ran.output
    assert "Error" not in ran.output


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (URLError(socket.gaierror(-2, "no such name")), "no answer from slack.com: is"),
        (URLError(ssl.SSLCertVerificationError()), "the certificate of slack.com is not accepted"),
        (exceptions.SSLError(), "the certificate of slack.com is not accepted"),
        (exceptions.ReadTimeout(), "no answer from slack.com: is"),
        (ConnectionResetError(), "no answer from slack.com: is"),
        (URLError("a redirect"), ""),
        (exceptions.JSONDecodeError("no", "", 0), ""),
        (PermissionError(), ""),
        (None, ""),
    ],
)
def test_only_what_the_network_does_is_told_as_such(cause: Exception | None, said: str) -> None:
    error = RetryableSourceError("its own words (URLError)")
    error.__cause__ = cause
    assert str(unreached(error, "slack.com") or "")[: len(said) or None] == said
