"""kill -9 at random points of a run: every mention is stored and classified once, every alert shown once."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.slack import TOKEN, SlackServer

ROOT = Path(__file__).parents[2]
MENTIONS = 150
CONFIG = """
version: 1
brands:
  acme: {{name: Acme, terms: [acme]}}
teams:
  hub: {{name: Hub, languages: [en]}}
sources:
  file: {{every: 1s}}
receivers:
  slack: {{type: slack, token: "${{env:CRASH_TEST_TOKEN}}", channel: C1, base_url: "{slack}", min_interval_s: 0}}
fallback_receiver: slack
route: {{receiver: slack, group_wait: 0s}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-sun: "00:00-23:59"}}
  team: hub
countries:
  GB:
    sources:
      file: {{path: "{folder}/posts.jsonl", max_age: null}}
store: {{url: "sqlite:///{folder}/listener.db"}}
model: {{cache: "{cache}", batch: 32, threads: 1, backend: onnx-float32}}
"""


def write_posts(path: Path) -> None:
    """Different posts, each by another author; the first half of the file is urgent, so that alerts come early."""
    rows = [json.loads(line) for line in (ROOT / "examples" / "authored.jsonl").read_text("utf-8").splitlines()]
    rows.sort(key=lambda row: -row["urgency"])
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows[:MENTIONS]):
            post = {"id": f"p{number}", "author_id": f"a{number}", "author_name": f"Author {number}"}
            file.write(json.dumps({**post, "network": "x", "text": row["text"]}, ensure_ascii=False) + "\n")


def count(database: Path, query: str) -> int:
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


def start(config: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "listener.cli", "run", "--config", str(config), *more],
        cwd=ROOT,
        env={**os.environ, "CRASH_TEST_TOKEN": TOKEN},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_when(process: subprocess.Popen[bytes], reached: Callable[[], bool], pause_s: float) -> None:
    deadline = time.monotonic() + 120
    while not reached() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(pause_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("seed", [1])
def test_killing_the_daemon_at_random_points_loses_and_repeats_nothing(
    seed: int, tmp_path: Path, model_cache: Path, checkpoint: Path
) -> None:
    chance = random.Random(seed)
    database = tmp_path / "listener.db"
    write_posts(tmp_path / "posts.jsonl")
    config = tmp_path / "config.yaml"
    with SlackServer() as slack:
        config.write_text(CONFIG.format(slack=slack.api_url, folder=tmp_path, cache=model_cache), encoding="utf-8")
        messages = slack.channel("C1").messages
        points: list[Callable[[], bool]] = [
            lambda: count(database, "SELECT count(*) FROM mentions") > 0,
            lambda: count(database, "SELECT count(*) FROM classifications") >= chance.randint(20, 120),
            lambda: len(messages) >= 5,
            lambda: count(database, "SELECT count(*) FROM alerts") >= 60,
            lambda: len(messages) >= 90,
            lambda: count(database, "SELECT count(*) FROM notifications WHERE state = 'sending'") > 0,
        ]
        for reached in points:
            kill_when(start(config), reached, pause_s=chance.uniform(0, 0.3))
        last = start(config, "--once")
        _, errors = last.communicate(timeout=240)
        assert last.returncode == 0, errors.decode()[-2000:]

        assert count(database, "SELECT count(*) FROM mentions") == MENTIONS
        assert count(database, "SELECT count(*) FROM classifications") == MENTIONS
        assert count(database, "SELECT count(*) FROM matches WHERE triaged_at IS NULL") == 0
        alerts = count(database, "SELECT count(*) FROM alerts")
        assert alerts > 100
        assert count(database, "SELECT count(*) FROM notifications WHERE kind = 'alert' AND state = 'sent'") == alerts
        shown = Counter(
            message.metadata["event_payload"]["notification_id"] for message in messages if message.metadata
        )
        assert len(messages) == alerts
        assert set(shown.values()) == {1}
