"""docs/getting-started.md, done step by step as it stands: every command of it runs and says what the page says."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
SECRETS = {"X_BEARER_TOKEN": "", "VK_TOKEN": "", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}
WAIT_S = 90


def step(number: int) -> list[str]:
    """Return the command lines of a step."""
    section = PAGE.partition(f"## {number}. ")[2].partition("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
    return [re.sub(r"(?<=\S)\s{2,}#.*$", "", line) for line in lines]


def line_of(number: int, begins: str) -> str:
    (found,) = (line for line in step(number) if line.startswith(begins))
    return found


class Shell:
    """Somebody's shell: a folder, and `listener` on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        program = tools / "listener"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m listener.cli "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.environment = {
            **os.environ,
            **SECRETS,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
        }

    def run(self, line: str, status: int = 0) -> str:
        done = self._done(line)
        assert done.returncode == status, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def _done(self, line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def start(self, line: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "said.txt").open("wb") as said:
            return subprocess.Popen(
                line.split(), cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=said
            )

    def wait_for(self, line: str, words: str) -> str:
        ends = time.monotonic() + WAIT_S
        # On a machine whose disk stalls, SQLite may be busy for longer than a command waits.
        while words not in (done := self._done(line)).stdout:
            assert time.monotonic() < ends, done
            time.sleep(0.5)
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.slow
def test_a_newcomer_gets_from_nothing_to_a_change_rolled_back(
    shell: Shell, model_cache: Path, checkpoint: Path
) -> None:
    said = shell.run(line_of(2, "listener init desk --brand"))
    assert all(line in said for line in ("written to desk:", "source x: off", "listener run --once"))
    shell.folder /= "desk"
    config = shell.folder / "config.yaml"
    # The model that is built already stands in for the minute that the first start takes.
    model = f'model: {{cache: "{model_cache}", threads: 1, backend: onnx-float32}}\n'
    config.write_text(config.read_text("utf-8") + model, "utf-8")

    assert line_of(3, "listener check") == "listener check"
    assert "config.yaml: all is well" in shell.run("listener check")

    assert "2 alerts raised, 2 notifications sent" in shell.run(line_of(4, "listener run --once"))
    for line in step(4)[1:]:
        assert "A-1" in shell.run(line)

    said = shell.run(line_of(5, "listener explain"))
    assert "open-problem" in said
    assert "by how much" not in said
    assert "route      " in shell.run(line_of(5, "listener try"))

    daemon = shell.start("listener run")
    try:
        shell.wait_for("cat said.txt", "listening")
        shell.run(line_of(6, "echo"))
        shell.wait_for("listener alerts", "charged me twice")
        assert "works" in shell.run("listener test-source file")

        shell.run("cp config.yaml new.yaml")
        new = shell.folder / "new.yaml"
        new.write_text(new.read_text(encoding="utf-8").replace("    priority: 0.3 ", "    priority: 0.5 "), "utf-8")
        said = shell.run(line_of(8, "listener simulate"))
        assert "nothing was sent, nothing was stored" in said
        assert "Would vanish: " in said
        assert "misses 0.5" in said
        shell.run(line_of(8, "mv new.yaml"))
        shell.wait_for("listener config history", "countries.FR.thresholds.priority: 0.3 -> 0.5")
        assert "what a day is like is not known" in shell.run(line_of(8, "listener tune"), status=1)

        said = shell.run(line_of(9, "listener config rollback"))
        assert "config.yaml is again what it was as version 1" in said
        assert "    priority: 0.3 " in config.read_text(encoding="utf-8")
        shell.wait_for("listener config history", "countries.FR.thresholds.priority: 0.5 -> 0.3")

        config.write_text(config.read_text(encoding="utf-8") + "countries: [oops\n", encoding="utf-8")
        shell.wait_for("cat said.txt", "configuration invalid, the one before stays in force")
        assert "not valid YAML" in shell.run("listener check", status=1)
        shell.run("listener config rollback 1")
        assert "all is well" in shell.run("listener check")
    finally:
        daemon.terminate()
        daemon.wait(60)
    assert daemon.returncode == 0
    assert [path.name for path in (shell.folder).glob("*.bak")] == []


def test_the_install_line_of_the_page_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "pip install -c constraints.txt -e ." in "\n".join(step(1))
    assert 'listener = "listener.cli:main"' in project
