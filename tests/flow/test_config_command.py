"""`listener config` as an admin uses it: history, differences, the way back, settings with their origins."""

import fcntl
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from listener.clock import SystemClock
from listener.config.editing import Edit
from listener.keeping import Keeper
from listener.store import Store
from listener.store.lock import DatabaseLock
from listener.terminal import load_settings
from tests.commands import ROOT, listener_here

TEXT = """\
version: 1
brands: {{acme: {{name: Acme, terms: [acme]}}}}
teams: {{hub: {{name: Hub, languages: [en]}}}}
sources: {{file: {{}}}}
receivers: {{screen: {{type: terminal}}}}
fallback_receiver: screen
route: {{receiver: screen}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-fri: "09:00-18:00"}}
  team: hub
  thresholds: {{priority: 0.3}}
countries:
  FR: {{languages: [fr], thresholds: {{urgent: 0.25}}}}
store: {{url: "sqlite:///{folder}/listener.db"}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with three versions, each made a little later."""
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.format(folder=tmp_path), encoding="utf-8")
    store = Store(f"sqlite:///{tmp_path}/listener.db")
    keeper = Keeper(path, store, SystemClock())
    keeper.keep()
    keeper.change([Edit(("defaults", "thresholds", "priority"), 0.35)], "Lotte", "fewer mild ones", origin="console")
    keeper.change([Edit(("countries", "FR", "thresholds", "urgent"), 0.3)], "Ravi \x1b[31m\nred")
    store.close()
    return path


def listener(config: Path, *arguments: str, status: int = 0) -> str:
    done = listener_here("config", *arguments, "--config", str(config), COLUMNS="120")
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_history_says_who_changed_what_when_and_why(config: Path) -> None:
    said = listener(config, "history")
    assert re.findall(r"^ +(\d) ", said, re.MULTILINE) == ["3", "2", "1"]
    assert "by Lotte (console): fewer mild ones" in said
    assert "countries.FR.thresholds.priority: 0.3 -> 0.35" in said
    assert "\x1b" not in said
    assert "by Ravi  red (cli)" in said
    found = json.loads(listener(config, "history", "--format", "json", "--limit", "2"))
    assert [(one["version"], one["changes"]) for one in found] == [
        (3, ["countries.FR.thresholds.urgent: 0.25 -> 0.3"]),
        (2, ["countries.FR.thresholds.priority: 0.3 -> 0.35"]),
    ]


def test_differences_between_versions_and_with_the_file(config: Path) -> None:
    assert "-  thresholds: {priority: 0.3}\n+  thresholds: {priority: 0.35}" in listener(
        config, "diff", "1", "2", status=1
    )
    assert listener(config, "diff", "1", "--effective", status=1).splitlines() == [
        "countries.FR.thresholds.priority: 0.3 -> 0.35",
        "countries.FR.thresholds.urgent: 0.25 -> 0.3",
    ]
    assert listener(config, "diff") == "nothing differs\n"
    config.write_text(config.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    assert "+# a remark" in listener(config, "diff", status=1)
    assert "there is no version 9" in listener(config, "diff", "9", status=1)


def test_the_way_back(config: Path) -> None:
    before = config.read_text(encoding="utf-8")
    said = listener(config, "rollback", "--by", "Inés")
    assert "is again what it was as version 2; that is version 4 now" in said
    assert "+  FR: {languages: [fr], thresholds: {urgent: 0.25}}" in said
    config.write_text(f'brands: [\nstore: {{url: "sqlite:///{config.parent}/listener.db"}}\n', encoding="utf-8")
    assert "config.yaml:" in listener(config, "diff", "--effective", status=1)
    assert "is again what it was as version 3; that is version 5 now" in listener(config, "rollback", "3")
    config.write_text("", encoding="utf-8")
    url = f"sqlite:///{config.parent}/listener.db"
    assert "is again what it was as version 5" in listener(config, "rollback", "--store", url)
    assert config.read_text(encoding="utf-8") == before
    assert "there is no version 77" in listener(config, "rollback", "77", status=1)


def test_settings_with_where_they_come_from(config: Path) -> None:
    said = listener(config, "show", "--country", "FR")
    assert re.search(r"^thresholds\.urgent +0\.3 +\(country, line 15\)$", said, re.MULTILINE), said
    assert re.search(r"^thresholds\.priority +0\.35 +\(defaults, line 13\)$", said, re.MULTILINE)
    assert re.search(r"^thresholds\.severity_3 +0\.65 +\(built-in\)$", said, re.MULTILINE)
    assert re.search(r"^join_within +24h +\(built-in\)$", said, re.MULTILINE), "as the file takes it"
    found = json.loads(listener(config, "show", "--country", "FR", "--format", "json"))
    assert {"path": ["languages"], "value": ["fr"], "origin": "country", "line": 15} in found
    assert "country DE is not configured; known: FR" in listener(config, "show", "--country", "DE", status=2)


def test_the_schema_is_printed(config: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "listener.cli", "config", "schema"], cwd=ROOT, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["properties"]["countries"]


def test_before_any_daemon_ran_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.format(folder=tmp_path), encoding="utf-8")
    assert "nothing was stored yet" in listener(path, "history", status=1)
    assert "nothing was stored yet" in listener(path, "diff", status=1)
    assert not (tmp_path / "listener.db").exists()
    Store(f"sqlite:///{tmp_path}/listener.db").close()
    assert "No configuration was kept yet" in listener(path, "history")
    assert "no configuration was kept yet" in listener(path, "diff", status=1)
    assert "no other configuration was kept" in listener(path, "rollback", status=1)


def test_an_invalid_file_is_told_with_the_way_back(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace("timezone: UTC", "timezone: Mars"), encoding="utf-8")
    before = (tmp_path / "listener.db").read_bytes()
    for command in ("check", "run", "console"):
        done = listener_here(command, "--config", str(config))
        assert done.returncode == 1
        assert "unknown time zone" in done.stderr
        assert f"`listener config rollback --config {config}` puts it back" in done.stderr
    assert (tmp_path / "listener.db").read_bytes() == before
    for path in tmp_path.glob("*.db*"):
        path.unlink()
    assert "rollback" not in listener_here("check", "--config", str(config)).stderr
    assert not [*tmp_path.glob("*.db*")]


def test_commands_beside_a_daemon_go_on_with_what_is_in_force_as_it_does(config: Path, tmp_path: Path) -> None:
    good = config.read_text(encoding="utf-8")
    config.write_text(good.replace("timezone: UTC", "timezone: Mars"), encoding="utf-8")
    own = ("--config", str(config))
    for command in (("alerts",), ("silence", "list"), ("people", "list"), ("outbox",), ("status",)):
        done = listener_here(*command, *own)
        assert done.returncode == 0, (command, done.stderr)
        assert "unknown time zone" in done.stderr
        assert "until this is mended, version 3 of " in done.stderr
    unknown = listener_here("explain", "A-1", *own)
    assert (unknown.returncode, "there is no alert A-1" in unknown.stderr) == (1, True)
    config.write_text(good.partition("store:")[0].replace("timezone: UTC", "timezone: Mars"), encoding="utf-8")
    lost = listener_here("alerts", *own)
    assert lost.returncode == 1
    assert "unknown time zone" in lost.stderr
    assert "does not say where its database is" in lost.stderr


def test_status_says_whether_a_daemon_runs(config: Path) -> None:
    none = "no daemon runs on this database: nothing new is heard, nothing is sent; start `listener run`"
    assert none in listener_here("status", "--config", str(config)).stdout
    with DatabaseLock(load_settings(config).store.address):
        assert "no daemon runs" not in listener_here("status", "--config", str(config)).stdout


def test_who_only_looks_keeps_no_daemon_from_starting(config: Path, tmp_path: Path) -> None:
    lock = DatabaseLock(load_settings(config).store.address)
    with lock:
        pass
    with (tmp_path / "listener.db.lock").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.05, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with lock:
            assert DatabaseLock(load_settings(config).store.address).is_taken()
