"""A daemon that runs takes a changed configuration, keeps the old one where the new is invalid, and says so."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """\
version: 1
brands:
  acme: {{name: Acme, terms: [acme]}}
teams:
  hub: {{name: Hub, languages: [en, fr]}}
sources: {{file: {{every: 1s}}}}
receivers:
  screen: {{type: terminal, at_once: true}}
fallback_receiver: screen
route: {{receiver: screen, group_wait: 0s}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-sun: "00:00-23:59"}}
  team: hub
  thresholds: {{urgent: 0.99, priority: 0.99, influence: 0.99}}   # nothing passes
countries:
  GB:
    sources:
      file: [{{name: posts, path: "{folder}/posts*.jsonl", max_age: null}}]
store: {{url: "sqlite:///{folder}/listener.db"}}
model: {{cache: "{cache}", threads: 1, backend: onnx-float32}}
"""
POST = (
    '{{"network": "x", "id": "{id}", "text": "@acme my kettle caught fire, my daughter is burnt, nobody answers {id}",'
    ' "published_at": "2026-11-16T09:00:00Z", "author": {{"id": "{id}", "name": "Ann"}}}}\n'
)


class Running:
    """A daemon in a process of its own, and what it wrote."""

    def __init__(self, config: Path, *options: str) -> None:
        self.config = config
        self._out = config.parent / "out.txt"
        with self._out.open("w", encoding="utf-8") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", "listener.cli", "run", "--config", str(config), *options],
                cwd=ROOT,
                env={**os.environ, "COLUMNS": "200"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._out.read_text(encoding="utf-8")

    def hears(self, pattern: str, seconds: float = 120) -> re.Match[str]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := re.search(pattern, self.said, re.DOTALL):
                return found
            assert self._process.poll() is None, self.said
            time.sleep(0.1)
        raise AssertionError(f"{pattern!r} was not said:\n{self.said}")

    def edit(self, before: str, after: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert before in text
        self.config.write_text(text.replace(before, after), encoding="utf-8")

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def running(tmp_path: Path, model_cache: Path, checkpoint: Path) -> Iterator[Running]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(folder=tmp_path, cache=model_cache), encoding="utf-8")
    (tmp_path / "posts1.jsonl").write_text(POST.format(id="first"), encoding="utf-8")
    daemon = Running(config)
    yield daemon
    daemon.kill()


def listener(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "listener.cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout + done.stderr


def test_a_change_an_error_and_the_way_back_while_the_daemon_runs(running: Running) -> None:
    config = str(running.config)
    running.hears("listening")

    running.edit("{urgent: 0.99, priority: 0.99, influence: 0.99}", "{priority: 0.3}")
    running.hears(r"Configuration 2 is in force, by \w+.*countries\.GB\.thresholds\.urgent: 0\.99 -> 0\.2")
    (running.config.parent / "posts2.jsonl").write_text(POST.format(id="second"), encoding="utf-8")
    assert "second" in running.hears(r"A-1.*?nobody answers \w+")[0]

    running.edit("{priority: 0.3}", "{priority: high}")
    problem = running.hears(r"Configuration not taken: the one before stays in force.*?found\s+'high'")[0]
    assert "config.yaml:16:16 defaults.thresholds.priority" in " ".join(problem.split())  # long paths wrap
    other = (
        POST.format(id="third").replace("kettle caught fire", "card was charged twice, 400 euros").replace("Ann", "Bea")
    )
    (running.config.parent / "posts3.jsonl").write_text(
        other.replace("my daughter is burnt", "my rent"), encoding="utf-8"
    )
    running.hears(r"A-2.*?nobody answers third")

    assert "is again what it was as version 2" in listener("config", "rollback", "-c", config)
    running.hears("Configuration is in order again")
    assert "is again what it was as version 1" in listener("config", "rollback", "1", "--by", "Ravi", "-c", config)
    running.hears(r"Configuration 3 is in force, by Ravi")

    history = listener("config", "history", "-c", config)
    assert re.findall(r"^ +(\d+) .* by (\S+) \((\w+)\)(.*)$", history, re.MULTILINE)[0] == (
        "3", "Ravi", "cli", ": back to version 1"
    )  # fmt: skip
    assert "-  thresholds: {urgent: 0.99" in listener("config", "diff", "1", "2", "-c", config)
    assert "nothing differs" in listener("config", "diff", "-c", config)
    assert running.end() == 0
    assert "nothing is lost" in running.said
    assert "Traceback" not in running.said


def test_a_start_with_an_invalid_file_goes_on_with_what_was_in_force_where_it_is_asked_to(running: Running) -> None:
    config = running.config
    running.hears("listening")
    running.edit("{urgent: 0.99, priority: 0.99, influence: 0.99}", "{priority: 0.3}")
    running.hears("Configuration 2 is in force")
    assert running.end() == 0
    running.edit("{priority: 0.3}", "{priority: high}")

    refused = listener("run", "-c", str(config))
    assert "defaults.thresholds.priority" in refused
    assert "rollback" in refused

    again = Running(config, "--or-last-valid")
    try:
        again.hears(r"thresholds\.priority.*until this is mended, version 2 of .* UTC is used, which sqlite:///")
        again.hears(r"Configuration not taken: the one before stays in force.*?'high'")
        (config.parent / "posts2.jsonl").write_text(POST.format(id="second"), encoding="utf-8")
        again.hears(r"A-1.*?nobody answers second")
        again.edit("{priority: high}", "{priority: 0.3}")
        again.hears("Configuration is in order again")
        again.edit("{priority: 0.3}", "{priority: 0.4}")
        again.hears("Configuration 3 is in force")
        assert again.end() == 0
        assert again.said.count("Configuration not taken") == 1
        assert "Traceback" not in again.said
    finally:
        again.kill()


def test_what_this_machine_does_not_have_is_no_reason_not_to_start_as_before(running: Running) -> None:
    running.hears("listening")
    assert running.end() == 0
    running.edit("onnx-float32", "cuda")
    assert "cuda" in listener("run", "-c", str(running.config))
    again = Running(running.config, "--or-last-valid")
    try:
        again.hears("CUDA.*until this is mended, version 1 of ")
        again.hears("listening")
        again.hears("Configuration not taken: the one before stays in force.*?CUDA")
        assert again.end() == 0
    finally:
        again.kill()


def test_a_start_with_an_invalid_file_and_nothing_before_it_is_refused_with_its_faults(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(folder=tmp_path, cache=tmp_path).replace("0.99", "much"), encoding="utf-8")
    said = listener("run", "--or-last-valid", "-c", str(config))
    assert "defaults.thresholds.urgent" in said
    assert "nothing else can be used: " in said
    assert "Traceback" not in said


@pytest.fixture
def silent_network() -> Iterator[int]:
    """A server that takes requests and does not answer, on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_stop_while_the_configuration_changes_waits_for_no_network(running: Running, silent_network: int) -> None:
    running.hears("listening")
    source = f'x: {{bearer_token: "${{env:PATH}}", base_url: "http://127.0.0.1:{silent_network}"}}'
    running.edit("sources: {file: {every: 1s}}", f"sources: {{file: {{every: 1s}}, {source}}}")
    running.edit("    sources:\n", "    sources:\n      x: {}\n")
    running.hears(r"Configuration 2 is in force")
    running.edit("{urgent: 0.99, priority: 0.99, influence: 0.99}", "{priority: 0.3}")
    time.sleep(3)  # the shift before ends now, and its request is under way
    begun = time.monotonic()
    assert running.end() == 0
    assert time.monotonic() - begun < 8
    assert "nothing is lost" in running.said
    assert "Traceback" not in running.said
