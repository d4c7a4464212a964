"""What alerts ask of teams, receivers and the clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.pipeline.workplaces import Workplaces
from listener.tuning.climbing import Climbed, Climber
from listener.tuning.columns import Raised, moment_us
from listener.tuning.joining import RunAlert
from listener.tuning.loads import receiver_loads, team_loads
from listener.tuning.verdicts import Precision, verdicts
from listener.tuning.words import precision_words
from tests.unit.tuning.made import SINCE, UNTIL, columns, config
from tests.unit.tuning.test_joining import fact

MONDAY_10 = datetime(2026, 11, 9, 9, tzinfo=UTC)
"""10:00 in Paris."""
NIGHT = datetime(2026, 11, 10, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(at: datetime, severity: int = 2, place: int = 0, **more: Any) -> RunAlert:
    usual: dict[str, Any] = {
        "place": place, "kind": "post", "brand": "acme", "country": "FR", "team": "paris", "topic": "delivery",
        "opened_us": moment_us(at), "opened_severity": severity, "severity": severity, "priority": 0.5,
        "receivers": ("desk",),
    }  # fmt: skip
    return RunAlert(**{**usual, **more})


def test_the_load_is_told_by_working_hours_and_by_what_comes_outside(tmp_path: Path) -> None:
    settings = config(tmp_path)
    alerts = [alert(MONDAY_10), alert(MONDAY_10 + HOUR / 2), alert(NIGHT), alert(NIGHT + HOUR, 3)]
    (load,) = team_loads(alerts, settings, Workplaces(settings), (SINCE, UNTIL))
    assert (load.team, load.alerts, load.working_hours) == ("paris", 4, 36.0)  # the 11th is a holiday in both countries
    assert load.per_working_hour == pytest.approx(4 / load.working_hours)
    assert (load.outside, load.waking, load.outside_share) == (2, 1, 0.5)
    assert (load.busiest_at, load.busiest) == (MONDAY_10, 2)
    assert load.opening_most == 2


def test_cards_wait_for_an_opening_and_fold_beyond_the_budget(tmp_path: Path) -> None:
    settings = config(tmp_path)
    minutes = [timedelta(minutes=number) for number in range(5)]
    alerts = [alert(MONDAY_10 + span) for span in minutes] + [alert(MONDAY_10 + 6 * minutes[1], 3), alert(NIGHT)]
    (load,) = receiver_loads(alerts, settings, Workplaces(settings))
    assert (load.receiver, load.cards, load.held, load.folded) == ("desk", 7, 1, 3)
    later = [alert(MONDAY_10 + 2 * HOUR * number) for number in range(3)]
    assert receiver_loads(later, settings, Workplaces(settings))[0].folded == 0


def climbed(tmp_path: Path, one: RunAlert, *facts: Any, repeat_s: float | None = None) -> Climbed:
    settings = config(tmp_path)
    made = columns([], raised=tuple(Raised(fact, fact.severity, (), ()) for fact in facts))
    return Climber(made, settings, Workplaces(settings), lambda _: repeat_s).climb([one])


def test_nobody_acts_and_every_step_is_climbed(tmp_path: Path) -> None:
    found = climbed(tmp_path, alert(MONDAY_10))
    assert found == Climbed(reminders=2, repeats=0, escalations=8, late_answers=1, late_ends=1)


def test_an_answer_in_time_leaves_the_resolution_alone(tmp_path: Path) -> None:
    known = fact(opened_at=MONDAY_10, replied_at=MONDAY_10 + HOUR / 2, closed_at=MONDAY_10 + HOUR)
    assert climbed(tmp_path, alert(MONDAY_10, stored_id=7), known) == Climbed()
    late = fact(opened_at=MONDAY_10, replied_at=MONDAY_10 + HOUR * 1.5)
    found = climbed(tmp_path, alert(MONDAY_10, stored_id=7), late)
    assert (found.reminders, found.late_answers, found.late_ends) == (2, 0, 1)


def test_what_nobody_claims_is_told_again(tmp_path: Path) -> None:
    known = fact(opened_at=MONDAY_10, claimed_at=MONDAY_10 + HOUR, replied_at=MONDAY_10 + HOUR / 60)
    assert climbed(tmp_path, alert(MONDAY_10, stored_id=7), known, repeat_s=1500.0).repeats == 2


def test_of_an_alert_that_there_was_not_the_teams_own_pace_is_assumed(tmp_path: Path) -> None:
    swift = [
        fact(id=number, opened_at=MONDAY_10, replied_at=MONDAY_10 + HOUR / 6, closed_at=MONDAY_10 + HOUR / 3)
        for number in range(1, 6)
    ]
    assert climbed(tmp_path, alert(NIGHT), *swift) == Climbed()
    silent = [fact(id=number, opened_at=MONDAY_10) for number in range(6, 13)]
    assert climbed(tmp_path, alert(NIGHT), *swift, *silent).late_answers == 1


def test_verdicts_come_from_how_an_alert_ended_else_from_corrections_of_its_posts(tmp_path: Path) -> None:
    facts = [
        fact(id=1, resolution="not_complaint"), fact(id=2, resolution="solved"), fact(id=3, replied_at=NIGHT),
        fact(id=4, resolution="no_reply"), fact(id=5),
    ]  # fmt: skip
    made = columns([{}] * 7, raised=tuple(Raised(one, 2, (), ()) for one in facts))
    alerts = tuple(
        alert(NIGHT, place=place, row=place, members=[place], stored_id=place + 1 if place < 5 else 0)
        for place in range(7)
    )
    from listener.tuning.joining import run_rules

    run = run_rules(made, config(tmp_path))
    run = type(run)(run.outcome, run.severity, run.rules, run.priority, run.alert, alerts)
    said = verdicts(made, run, {6: False, 7: True, 1: True})
    assert said == {0: "noise", 1: "useful", 2: "useful", 5: "noise", 6: "useful"}


def test_of_few_verdicts_no_percentage_is_told() -> None:
    assert precision_words(Precision(3, 0, 9)).startswith("not enough verdicts (3 useful of 3")
    assert precision_words(Precision(16, 4, 2)) == (
        "80% useful, 16 of 20 verdicts (between 58% and 92%); 2 without a verdict"
    )
