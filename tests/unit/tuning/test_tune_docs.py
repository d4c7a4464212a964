"""What docs/tune.md says of the command is true."""

import re
from pathlib import Path

from typer.main import get_command

from listener.cli import app
from listener.tuning.budgets import needed_verdicts
from listener.tuning.curves import KNOBS

TEXT = (Path(__file__).parents[3] / "docs" / "tune.md").read_text(encoding="utf-8")


def test_the_document_names_every_option_and_no_other() -> None:
    command = get_command(app).commands["tune"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    lines = [line for line in TEXT.splitlines() if "listener simulate" not in line]
    assert set(re.findall(r"--[a-z]+", "\n".join(lines))) == options - {"--help", "--config"}


def test_the_document_names_every_threshold_that_is_moved() -> None:
    section = TEXT.partition("## How thresholds are chosen")[2]
    assert all(f"`{knob}`" in section for knob in KNOBS)


def test_the_document_says_how_many_verdicts_are_needed() -> None:
    assert f"{needed_verdicts(0.8)} for 0.8, {needed_verdicts(0.9)} for 0.9" in TEXT
