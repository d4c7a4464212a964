"""Which posts join an alert, as triage would have them."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from listener.store.decisions import AlertFact
from listener.tuning.columns import JOINED, NEVER_US, QUIET, RAISED, Columns, Raised, moment_us
from listener.tuning.joining import Run, run_rules
from tests.unit.tuning.made import SINCE, columns, config

ALARM = {"high": 0.9}
MINUTE_US = 60_000_000


def fact(**changes: Any) -> AlertFact:
    """Return an alert of FR that nobody has touched."""
    usual = AlertFact(
        id=7, kind="post", brand="acme", country="FR", team="paris", severity=2, priority=0.5, topic="delivery",
        pilot=False, rules=["urgent"], opened_at=SINCE, first_posted_at=SINCE, owner=None, claimed_at=None,
        snoozed_until=None, replied_at=None, private_at=None, state="open", resolution=None, closed_by=None,
        closed_at=None, match_id=1,
    )  # fmt: skip
    return replace(usual, **changes)


def outcomes(run: Run) -> list[int]:
    return run.outcome.tolist()


def test_the_same_author_joins_within_the_time_and_not_after(tmp_path: Path) -> None:
    made = columns([{**ALARM, "author": 5}, {"author": 5, "at": 59}, {**ALARM, "author": 5, "at": 121}])
    run = run_rules(made, config(tmp_path, join_within=3600.0))
    assert outcomes(run) == [RAISED, JOINED, RAISED]
    assert [one.members for one in run.raised] == [[0, 1], [2]]


def test_a_further_post_can_make_an_alert_severer_and_never_milder(tmp_path: Path) -> None:
    made = columns([{"high": 0.3, "author": 5}, {**ALARM, "author": 5}, {"high": 0.3, "author": 5}])
    (alert,) = run_rules(made, config(tmp_path)).raised
    assert (alert.opened_severity, alert.severity, len(alert.rises)) == (2, 3, 1)
    assert alert.receivers == ("desk", "loud")


def test_an_answer_joins_only_what_was_there_before_it(tmp_path: Path) -> None:
    made = columns([{"answers": 2}, ALARM, {"answers": 2}])
    assert outcomes(run_rules(made, config(tmp_path))) == [QUIET, RAISED, JOINED]


def test_a_closed_alert_takes_nobody_and_one_opened_again_does(tmp_path: Path) -> None:
    posts = [{**ALARM, "author": 5, "alert_id": 7}, *({"author": 5, "at": at} for at in (10, 20, 30))]
    closed = (moment_us(SINCE) + 15 * MINUTE_US, moment_us(SINCE) + 25 * MINUTE_US)
    made = columns(posts, closings={7: (closed,)})
    assert outcomes(run_rules(made, config(tmp_path))) == [RAISED, JOINED, QUIET, JOINED]
    for_good = columns(posts, closings={7: ((closed[0], NEVER_US),)})
    assert outcomes(run_rules(for_good, config(tmp_path))) == [RAISED, JOINED, QUIET, QUIET]


def test_alerts_are_told_by_country_and_all_the_same_decided_on_together(tmp_path: Path) -> None:
    made = columns([{**ALARM, "author": 5}, {**ALARM, "author": 5, "country": "BE"}, {**ALARM, "country": "BE"}])
    run = run_rules(made, config(tmp_path), country="BE")
    assert outcomes(run) == [RAISED, JOINED, RAISED]
    assert [one.country for one in run.raised] == ["BE"]


def test_bursts_are_decided_on_by_their_heat(tmp_path: Path) -> None:
    burst = Raised(
        fact(kind="incident", priority=0.5, severity=2, match_id=None), 1, ((moment_us(SINCE), 2),), ("desk",)
    )
    made = columns([], raised=(burst,))
    base = config(tmp_path)
    usual = base.countries["FR"].incidents
    for changes, severity in (({}, 2), ({"severity_3": 0.5}, 3), ({"severity_2": 0.6}, 1)):
        settings = config(tmp_path, incidents=usual.model_copy(update=changes))
        (alert,) = run_rules(made, settings).raised
        assert (alert.kind, alert.severity) == ("incident", severity)
    assert run_rules(made, config(tmp_path, incidents=usual.model_copy(update={"on": False}))).raised == []


post = some.fixed_dictionaries(
    {
        "author": some.integers(1, 4),
        "answers": some.integers(0, 6),
        "high": some.sampled_from([0.0, 0.3, 0.9]),
        "at": some.integers(0, 300),
        "age_s": some.integers(0, 7200).map(float),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(post, max_size=14), some.sampled_from([600.0, 3600.0]))
def test_leaving_out_what_cannot_meet_changes_nothing(
    tmp_path: Path, posts: list[dict[str, Any]], within: float
) -> None:
    made = columns(sorted(posts, key=lambda one: one["at"]))
    run = run_rules(made, config(tmp_path, join_within=within))
    assert outcomes(run) == _by_hand(made, timedelta(seconds=within))


def _by_hand(made: Columns, within: timedelta) -> list[int]:
    """Go through all posts as triage does, with sets and moments in the place of columns."""
    alerts: list[dict[str, Any]] = []
    found = []
    within_us = within // timedelta(microseconds=1)
    for row in range(len(made)):
        posted = int(made.posted_us[row])
        place = None
        for key in made.wanted[row].tolist():
            fits = [
                number
                for number, one in enumerate(alerts)
                if key in one["keys"] and one["first"] <= posted + within_us and one["last"] >= posted - within_us
            ]
            if key >= 0 and fits:
                place = max(fits)
                break
        keys = {key for key in made.held[row].tolist() if key >= 0}
        if place is not None:
            alert = alerts[place]
            alert["keys"] |= keys
            alert["first"], alert["last"] = min(alert["first"], posted), max(alert["last"], posted)
            found.append(JOINED)
        elif made.high[row] >= 0.2:
            alerts.append({"keys": keys, "first": posted, "last": posted})
            found.append(RAISED)
        else:
            found.append(QUIET)
    return found


def test_moments_keep_their_microseconds() -> None:
    at = datetime.fromisoformat("2026-11-09T12:34:56.789012+00:00")
    assert moment_us(at) % 1_000_000 == 789012
