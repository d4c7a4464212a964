"""`listener check` answers at once because it imports no model and no network client."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from listener.terminal import say

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "transformers", "tokenizers", "tweepy", "vk_api", "slack_sdk", "sqlalchemy", "apscheduler")


def test_check_passes_on_the_shipped_configuration_without_loading_anything_heavy() -> None:
    program = (
        "import sys; from listener.cli import app\n"
        "try:\n    app(['check'])\nexcept SystemExit as stop:\n    code = stop.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "all is well" in done.stdout


def test_check_names_a_file_one_folder_too_high(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        program = [sys.executable, "-m", "listener.cli", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "110"}
        done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("init", "--brand", "Skybird", "--country", "FR", "--country", "DE", "--no-test", "--yes")
    assert "read by no watch" not in run("check")
    (tmp_path / "posts" / "mine.jsonl").write_text("{}", encoding="utf-8")
    said = "warning: posts/mine.jsonl is read by no watch; put such files into one of posts/DE/, posts/FR/"
    assert said in run("check").splitlines()


HOSTILE = r"""
brands: {acme: {name: Acme, colour: 1}}
receivers: {"r\e]0;title\a\nsecond\u202e": {type: terminal}}
"""


def test_what_is_wrong_is_told_without_the_control_characters_of_names(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(HOSTILE, encoding="utf-8")
    program = [sys.executable, "-m", "listener.cli", "config", "show", "--country", "FR"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert all(line.isprintable() for line in lines)
    assert "config.yaml:2:10 brands.acme.terms - 'terms' is missing" in lines
    named = r"config.yaml:3:13 receivers.r\x1b]0;title\x07\nsecond\u202e - a name has at most 60 letters"
    assert any(line.startswith(named) for line in lines)


def test_lines_for_people_keep_their_ends_and_lose_what_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    say("Café 🧑‍🚒\tتأخير", "red \x1b[31m\nnext\r\x9b2J")
    assert capsys.readouterr().err == "Café 🧑‍🚒\tتأخير\nred \\x1b[31m\nnext\\r\\x9b2J\n"
