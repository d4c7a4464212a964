"""A tuning as people and programs read it, whatever stands in the posts."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from listener.tuning.budgets import parse_budget
from listener.tuning.curves import Curve
from listener.tuning.proposals import for_budget
from listener.tuning.telling import facts, lines
from listener.tuning.tuned import Lost, Tuning
from tests.unit.tuning.made_columns import BEGIN, columns, config

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u202c <b>&amp; \u2066شحن\u2069 " + "云" * 200 + "\r\nnext\u2028line"


def lost(text: str) -> Lost:
    return Lost(
        reference="A-7",
        at=datetime(2026, 11, 3, 12, tzinfo=UTC),
        severity=2,
        brand="acme",
        topic="delivery",
        network="x",
        author="\x1b[31mEve",
        text=text,
        url="https://x.example/1",
        posts=3,
        complaint=0.7,
        urgent=0.1,
        said="useful",
    )


@pytest.fixture
def tuning(tmp_path: Path) -> Tuning:
    urgency = [0.6 + place / 200 for place in range(60)]
    made = Curve(columns([0.8] * 60, [0.01] * 60, urgency, [0.1] * 60), config(tmp_path), "FR", {}, 10.0)
    proposal = for_budget(made, parse_budget("3/day"))
    return Tuning(
        country="FR",
        timezone="Europe/Paris",
        since=BEGIN,
        until=BEGIN + timedelta(days=10),
        posts=60,
        proposal=proposal,
        lost=(lost(HOSTILE), lost("short"), lost("")),
        notes=("a note " * 30,),
    )


def test_hostile_texts_stay_on_their_line_and_within_80_columns(tuning: Tuning) -> None:
    shown = list(lines(tuning))
    assert all(cell_len(line) <= 80 for line in shown)
    assert all(len(line.splitlines()) <= 1 for line in shown)
    assert not any(sign in "".join(shown) for sign in "\x1b\x07\r\u202e\u2066")
    assert any(line.endswith("short") for line in shown)
    assert any(line.endswith("(deleted)") for line in shown)


def test_as_many_losses_are_shown_as_are_asked_for(tuning: Tuning) -> None:
    assert sum("A-7" in line for line in lines(tuning, 1)) == 1
    assert any("and 2 more: --show 3" in line for line in lines(tuning, 1))
    none = list(lines(tuning, 0))
    assert not any("A-7" in line for line in none)


def test_the_present_and_the_proposed_are_marked_once_each(tuning: Tuning) -> None:
    marks = [line[2] for line in lines(tuning) if line.startswith("  ") and line[2:3] in "=>" and line[4:5] == " "]
    assert marks.count("=") == 1
    assert marks.count(">") == 1


def test_facts_hold_all_of_it_as_plain_data(tuning: Tuning) -> None:
    found = json.loads(json.dumps(facts(tuning), allow_nan=False))
    assert found["changes"] == {"priority": tuning.proposal.changes["priority"]}
    assert found["present"]["alerts_a_day"] == 6.0
    assert found["proposed"]["alerts_a_day"] <= 3.0
    assert found["present"]["precision"] is None
    assert found["lost"][0]["text"] == HOSTILE
    assert len(found["lost"]) == 3


def test_a_wish_that_is_met_proposes_nothing(tuning: Tuning, tmp_path: Path) -> None:
    made = Curve(columns([0.8] * 10, [0.01] * 10, [0.7] * 10, [0.1] * 10), config(tmp_path), "FR", {}, 10.0)
    met = replace(tuning, proposal=for_budget(made, parse_budget("1/day")), lost=())
    text = " ".join(" ".join(lines(met)).split())
    assert "The present thresholds meet that already, with 1.0 alerts a day" in text
    assert facts(met)["changes"] == {}
