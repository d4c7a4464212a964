"""What docs/explain.md says of the value is true."""

import re
from dataclasses import fields
from pathlib import Path

from listener.explaining import Fact, Step
from listener.explaining.explainer import _FURTHEST

DOCUMENT = (Path(__file__).parents[3] / "docs" / "explain.md").read_text(encoding="utf-8")


def test_every_ending_is_told_of() -> None:
    table = DOCUMENT.partition("| `ending` | Is |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z-]+)`", "\n".join(row.split("|")[1] for row in table.split("\n") if "|" in row))) == {
        *_FURTHEST,
        "unknown",
    }


def test_every_field_of_the_json_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", DOCUMENT.partition("## JSON")[2]))
    assert {field.name for kind in (Step, Fact) for field in fields(kind)} <= named
