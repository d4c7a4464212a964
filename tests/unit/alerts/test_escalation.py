from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calendars import Calendar, team_calendars
from alerts.escalation import (
    Due,
    Facts,
    Recipients,
    Rung,
    deadlines,
    due,
    in_charge,
    ladder,
    may_wake,
    on_call,
    recipients,
)
from listener.config import Escalation, Holidays, Hours, Target, Targets, Team
from listener.config.models import EscalationStep, Person

PARIS = Calendar(Hours.parse({"mon-fri": "09:00-18:00"}), "Europe/Paris", Holidays(country="FR"))
NEVER = Calendar(Hours.parse({}), "Europe/Paris", Holidays())
RULES = Escalation()  # half a target; then group, next team 15 min, next hub 30 min, head office 1 h
TARGETS = Targets()  # 3: 15 min and 4 h around the clock; 2: 2 h and 9 h; 1: 9 h and 27 h


def at(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris"), fold=fold).astimezone(UTC)


def opened(text: str, severity: int = 2, **more: object) -> Facts:
    target = getattr(TARGETS, f"severity_{severity}")
    respond_by, resolve_by = deadlines(PARIS, target, at(text))
    return replace(Facts(severity, at(text), respond_by=respond_by, resolve_by=resolve_by), **more)  # type: ignore[arg-type]


def target_of(facts: Facts) -> Target:
    found: Target = getattr(TARGETS, f"severity_{facts.severity}")
    return found


def rungs(facts: Facts, repeat_s: float | None = None, goal: str = "") -> list[tuple[str, datetime]]:
    found = ladder(facts, target_of(facts), RULES, PARIS, repeat_s)
    return [(rung.key, rung.at) for rung in found if rung.key.startswith(goal)]


def due_at(facts: Facts, text: str, repeat_s: float | None = None) -> Due:
    return due(facts, target_of(facts), RULES, PARIS, at(text), repeat_s)


def keys(found: Due) -> tuple[str, ...]:
    return tuple(rung.key for rung in found.act)


# --- deadlines and the ladder


def test_targets_are_counted_in_working_time() -> None:
    assert deadlines(PARIS, TARGETS.severity_2, at("2026-06-05T17:00")) == (
        at("2026-06-08T10:00"),
        at("2026-06-08T17:00"),
    )


def test_targets_of_severity_3_are_counted_around_the_clock() -> None:
    assert deadlines(PARIS, TARGETS.severity_3, at("2026-10-25T01:50")) == (
        at("2026-10-25T02:05"),
        at("2026-10-25T04:50"),
    )
    # clocks went back: four hours later the wall shows three hours more
    assert deadlines(PARIS, TARGETS.severity_3, at("2026-10-25T01:50"))[1] == at("2026-10-25T01:50") + timedelta(
        hours=4
    )


def test_a_calendar_that_never_opens_has_no_deadlines_and_no_ladder() -> None:
    assert deadlines(NEVER, TARGETS.severity_2, at("2026-06-05T17:00")) == (None, None)
    facts = Facts(2, at("2026-06-05T17:00"), told_at=at("2026-06-05T17:00"))
    assert ladder(facts, TARGETS.severity_2, RULES, NEVER, 3600.0) == []


def test_reminders_come_before_and_steps_after_each_target() -> None:
    assert rungs(opened("2026-06-03T10:00")) == [
        ("respond:remind", at("2026-06-03T11:00")),
        ("respond:0", at("2026-06-03T12:00")),
        ("respond:1", at("2026-06-03T12:15")),
        ("respond:2", at("2026-06-03T12:30")),
        ("respond:3", at("2026-06-03T13:00")),
        ("resolve:remind", at("2026-06-03T14:30")),
        ("resolve:0", at("2026-06-04T10:00")),
        ("resolve:1", at("2026-06-04T10:15")),
        ("resolve:2", at("2026-06-04T10:30")),
        ("resolve:3", at("2026-06-04T11:00")),
    ]


def test_a_rung_carries_what_people_are_told() -> None:
    found = ladder(opened("2026-06-03T10:00"), TARGETS.severity_2, RULES, PARIS)
    assert found[0] == Rung("respond:remind", at("2026-06-03T11:00"), "reminder", "respond", at("2026-06-03T12:00"))
    assert (found[2].kind, found[2].deadline, found[2].step) == (
        "escalation",
        at("2026-06-03T12:00"),
        RULES.steps[1],
    )


def test_the_ladder_stands_still_over_night_and_weekend() -> None:
    assert rungs(opened("2026-06-05T16:10"), goal="respond:") == [
        ("respond:remind", at("2026-06-05T17:10")),
        ("respond:0", at("2026-06-08T09:10")),
        ("respond:1", at("2026-06-08T09:25")),
        ("respond:2", at("2026-06-08T09:40")),
        ("respond:3", at("2026-06-08T10:10")),
    ]


def test_a_target_that_ends_with_the_day_escalates_when_the_next_begins() -> None:
    facts = opened("2026-06-05T16:00")
    assert facts.respond_by == at("2026-06-05T18:00")
    assert rungs(facts, goal="respond:0") == [("respond:0", at("2026-06-08T09:00"))]


def test_the_ladder_of_severity_3_goes_on_at_night() -> None:
    assert rungs(opened("2026-06-06T23:00", severity=3), goal="respond:")[:3] == [
        ("respond:remind", at("2026-06-06T23:07:30")),
        ("respond:0", at("2026-06-06T23:15")),
        ("respond:1", at("2026-06-06T23:30")),
    ]


def test_nothing_of_the_first_answer_once_it_was_given() -> None:
    answered = opened("2026-06-03T10:00", responded_at=at("2026-06-03T10:20"))
    assert {key.split(":")[0] for key, _ in rungs(answered)} == {"resolve"}


def test_nothing_once_it_is_closed() -> None:
    assert rungs(opened("2026-06-03T10:00", is_live=False, told_at=at("2026-06-03T10:00")), 60.0) == []


def test_rungs_already_climbed_do_not_come_again() -> None:
    facts = opened("2026-06-03T10:00", done=("respond:remind", "respond:0"))
    assert rungs(facts)[0] == ("respond:1", at("2026-06-03T12:15"))


def test_further_steps_to_a_person_tell_the_next_one() -> None:
    rules = Escalation.model_validate(
        {"steps": [{"after": f"{n}m", "to": to} for n, to in enumerate(["person", "group", "person"])]}
    )
    found = ladder(opened("2026-06-03T10:00"), TARGETS.severity_2, rules, PARIS)
    assert [rung.turn for rung in found if rung.key in ("respond:0", "respond:2")] == [0, 1]


# --- snooze


def test_a_snooze_puts_everything_off_and_keeps_the_distances() -> None:
    facts = opened("2026-06-03T10:00", snoozed_until=at("2026-06-03T12:40"))
    assert rungs(facts, goal="respond:") == [
        ("respond:0", at("2026-06-03T12:40")),
        ("respond:1", at("2026-06-03T12:55")),
        ("respond:2", at("2026-06-03T13:10")),
        ("respond:3", at("2026-06-03T13:40")),
    ]
    later = due_at(facts, "2026-06-03T12:40")
    assert keys(later) == ("respond:0",)


def test_a_reminder_within_a_snooze_comes_at_its_end_while_there_is_time() -> None:
    facts = opened("2026-06-03T10:00", snoozed_until=at("2026-06-03T11:30"))
    assert rungs(facts)[:2] == [("respond:remind", at("2026-06-03T11:30")), ("respond:0", at("2026-06-03T12:00"))]


def test_a_reminder_put_off_into_the_night_comes_in_the_morning() -> None:
    facts = opened("2026-06-03T16:50", snoozed_until=at("2026-06-03T20:00"))
    assert rungs(facts)[:2] == [("respond:remind", at("2026-06-04T09:00")), ("respond:0", at("2026-06-04T09:50"))]


def test_a_snooze_that_ends_at_night_waits_for_the_morning() -> None:
    facts = opened("2026-06-03T10:00", snoozed_until=at("2026-06-03T22:00"))
    assert rungs(facts, goal="respond:")[0] == ("respond:0", at("2026-06-04T09:00"))


def test_a_snooze_does_not_shield_severity_3_from_escalation() -> None:
    facts = opened("2026-06-03T10:00", severity=3, snoozed_until=at("2026-06-03T11:00"))
    assert rungs(facts, goal="respond:")[0] == ("respond:0", at("2026-06-03T10:15"))


def test_the_end_of_a_snooze_is_looked_at() -> None:
    facts = opened("2026-06-03T10:00", snoozed_until=at("2026-06-03T10:15"))
    assert due_at(facts, "2026-06-03T10:05") == Due((), (), at("2026-06-03T10:15"))


# --- repeats


def test_an_alert_that_nobody_took_is_told_again() -> None:
    facts = opened("2026-06-03T10:00", told_at=at("2026-06-03T10:00"))
    assert rungs(facts, 1800.0)[0] == ("repeat", at("2026-06-03T10:30"))
    assert "repeat" not in dict(rungs(replace(facts, is_claimed=True), 1800.0))
    assert "repeat" not in dict(rungs(facts, None)) | dict(rungs(facts, 0.0))
    assert "repeat" not in dict(rungs(replace(facts, told_at=None), 1800.0))


def test_a_repeat_waits_for_the_morning_unless_it_is_of_severity_3() -> None:
    told = at("2026-06-03T17:50")
    assert dict(rungs(opened("2026-06-03T17:00", told_at=told), 1800.0))["repeat"] == at("2026-06-04T09:00")
    assert dict(rungs(opened("2026-06-03T17:00", 3, told_at=told), 1800.0))["repeat"] == at("2026-06-03T18:20")


def test_a_repeat_waits_for_the_end_of_a_snooze() -> None:
    facts = opened("2026-06-03T10:00", told_at=at("2026-06-03T10:00"), snoozed_until=at("2026-06-03T11:00"))
    assert dict(rungs(facts, 1800.0))["repeat"] == at("2026-06-03T11:00")


def test_a_repeat_is_acted_on_and_never_kept_as_done() -> None:
    facts = opened("2026-06-03T10:00", told_at=at("2026-06-03T10:00"))
    found = due_at(facts, "2026-06-03T10:31", 1800.0)
    assert (keys(found), found.done, found.look_at) == (("repeat",), (), at("2026-06-03T11:00"))


def test_a_repeat_is_left_out_where_something_else_is_told() -> None:
    facts = opened("2026-06-03T10:00", told_at=at("2026-06-03T10:00"))
    found = due_at(facts, "2026-06-03T11:00", 1800.0)
    assert (keys(found), found.done, found.look_at) == (
        ("respond:remind",),
        ("respond:remind",),
        at("2026-06-03T11:30"),
    )


# --- what is due


def test_nothing_is_due_before_the_first_rung() -> None:
    assert due_at(opened("2026-06-03T10:00"), "2026-06-03T10:59:59") == Due((), (), at("2026-06-03T11:00"))


def test_a_rung_is_due_at_its_very_moment() -> None:
    found = due_at(opened("2026-06-03T10:00"), "2026-06-03T11:00")
    assert (keys(found), found.look_at) == (("respond:remind",), at("2026-06-03T12:00"))


def test_after_a_long_absence_only_the_last_rung_of_each_target_is_acted_on() -> None:
    found = due_at(opened("2026-06-03T10:00"), "2026-06-04T10:20")
    assert keys(found) == ("respond:3", "resolve:1")
    assert found.done == (
        *("respond:remind", "respond:0", "respond:1", "respond:2", "respond:3"),
        *("resolve:remind", "resolve:0", "resolve:1"),
    )
    assert found.look_at == at("2026-06-04T10:30")


def test_nothing_is_looked_at_again_once_the_ladder_is_climbed() -> None:
    found = due_at(opened("2026-06-03T10:00"), "2026-06-10T10:00")
    assert found.look_at is None
    climbed = opened("2026-06-03T10:00", done=found.done)
    assert due_at(climbed, "2026-06-11T10:00") == Due((), (), None)


def test_a_closed_alert_is_never_looked_at() -> None:
    facts = opened("2026-06-03T10:00", is_live=False, snoozed_until=at("2026-06-09T10:00"))
    assert due_at(facts, "2026-06-08T10:00") == Due((), (), None)


@settings(max_examples=100, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    st.sampled_from([1, 2, 3]),
    st.none() | st.integers(1, 3 * 86400),
    st.none() | st.integers(60, 86400),
)
def test_looking_only_when_told_to_climbs_every_rung_once_and_at_its_time(
    start: datetime, severity: int, snooze_s: int | None, repeat_s: int | None
) -> None:
    now = start.replace(tzinfo=UTC)
    target = getattr(TARGETS, f"severity_{severity}")
    respond_by, resolve_by = deadlines(PARIS, target, now)
    until = None if snooze_s is None else now + timedelta(seconds=snooze_s)
    facts = Facts(severity, now, snoozed_until=until, respond_by=respond_by, resolve_by=resolve_by, told_at=now)
    acted: list[str] = []
    for _ in range(3000):
        found = due(facts, target, RULES, PARIS, now, None if repeat_s is None else float(repeat_s))
        for rung in found.act:
            assert rung.at <= now
            if until is not None and now < until:
                assert (severity, rung.kind) == (3, "escalation")
            acted.append(rung.key)
        facts = replace(facts, done=(*facts.done, *found.done), told_at=now if found.act else facts.told_at)
        climbed = {"respond:3", "resolve:3"} <= set(facts.done)
        if found.look_at is None or climbed:
            break
        assert found.look_at > now
        now = found.look_at
    assert climbed
    steps = [key for key in acted if key != "repeat"]
    assert len(steps) == len(set(steps))
    assert {f"{goal}:{index}" for goal in ("respond", "resolve") for index in range(4)} <= set(steps)


# --- who is told


def team(name: str, **more: object) -> Team:
    return Team.model_validate({"name": name, "languages": ["en"], **more})


CLAIRE, IMAN, NINA = (
    {"name": "Claire", "slack": "U1"},
    {"name": "Iman", "slack": "U2", "on_call": True},
    {"name": "Nina"},  # no Slack
)
TEAMS = {
    "west": team("West", people=[CLAIRE, NINA, IMAN], group="S1", next="east", cover=["tokyo", "york"]),
    "east": team("East", people=[{"name": "Olga", "slack": "U3"}]),
    "tokyo": team("Tokyo", group="S2"),
    "york": team("York", people=[{"name": "Sam", "slack": "U4"}]),
    "alone": team("Alone"),
    "head": team("Head office", group="S9"),
}


def reached(to: str, team_name: str = "west", working: str = "west east", **more: object) -> Recipients | None:
    settings: dict[str, object] = {"owner_address": None, "head_office": "head", "turn": 0, **more}
    return recipients(
        EscalationStep(after="0s", to=to),  # type: ignore[arg-type]
        team_name=team_name,
        teams=TEAMS,
        is_open=lambda name: name in working.split(),
        **settings,  # type: ignore[arg-type]
    )


def test_the_owner_is_the_person() -> None:
    assert reached("person", owner_address="slack:U2") == Recipients(None, ("slack:U2",), "Iman")
    assert reached("person", owner_address="slack:U7", owner_name="Ben") == Recipients(None, ("slack:U7",), "Ben")
    assert reached("person", owner_address="slack:U7") == Recipients(None, ("slack:U7",), "whoever claimed it")


@pytest.mark.parametrize(("turn", "name"), [(0, "Claire"), (1, "Iman"), (2, "Claire")])
def test_people_who_can_be_told_take_turns(turn: int, name: str) -> None:
    found = reached("person", turn=turn)
    assert found is not None
    assert found.words == name


def test_outside_its_hours_those_on_call_stand_for_the_team() -> None:
    assert reached("person", working="") == Recipients(None, ("slack:U2",), "Iman")
    assert reached("group", working="") == Recipients(None, ("slack:U2",), "those on call of West")
    assert reached("group", "east", working="") == Recipients(None, ("slack:U3",), "everybody of East")


def test_the_group_is_the_user_group_else_all_people() -> None:
    assert reached("group") == Recipients(None, ("slack:S1",), "the group of West")
    assert reached("group", "east") == Recipients(None, ("slack:U3",), "everybody of East")


def test_the_next_team_takes_over() -> None:
    assert reached("next-team") == Recipients("east", ("slack:U3",), "East")


def test_the_next_hub_is_the_first_cover_whose_day_has_begun() -> None:
    assert reached("next-hub", working="york tokyo") == Recipients("tokyo", ("slack:S2",), "Tokyo")
    assert reached("next-hub", working="york head") == Recipients("york", ("slack:U4",), "York")


def test_the_next_hub_may_be_any_team_that_works_when_no_cover_does() -> None:
    assert reached("next-hub", working="west east") == Recipients("east", ("slack:U3",), "East")


def test_head_office_is_told_at_any_hour() -> None:
    assert reached("head-office", working="") == Recipients("head", ("slack:S9",), "Head office")


@pytest.mark.parametrize("to", ["person", "group", "next-team"])
def test_a_step_without_anybody_falls_through(to: str) -> None:
    assert reached(to, "alone", working="york") == Recipients("york", ("slack:U4",), "York")
    assert reached(to, "alone", working="") == Recipients("head", ("slack:S9",), "Head office")


def test_nobody_at_all_is_none() -> None:
    assert reached("person", "alone", working="", head_office=None) is None
    assert reached("head-office", "alone", working="", head_office="alone") is None
    assert reached("group", "gone", working="", head_office="gone") is None


def test_what_is_at_head_office_already_stays_there() -> None:
    assert reached("head-office", "head", working="head") == Recipients(None, ("slack:S9",), "the group of Head office")


def test_only_severity_3_wakes() -> None:
    assert [may_wake(severity, any_open=False) for severity in (1, 2, 3)] == [False, False, True]
    assert all(may_wake(severity, any_open=True) for severity in (1, 2, 3))


def test_on_call_is_people_on_call_else_the_group_else_everybody() -> None:
    assert on_call(TEAMS["west"]) == ("slack:U2",)
    assert on_call(TEAMS["tokyo"]) == ("slack:S2",)
    assert on_call(TEAMS["york"]) == ("slack:U4",)
    assert on_call(TEAMS["alone"]) == ()


@pytest.mark.parametrize(
    ("working", "expected"),
    [
        ("west tokyo", ("west", True)),
        ("york tokyo", ("tokyo", True)),
        ("york", ("york", True)),
        ("east head", ("west", False)),  # they work and do not cover
    ],
)
def test_the_team_in_charge_follows_the_sun(working: str, expected: tuple[str, bool]) -> None:
    assert in_charge("west", TEAMS, lambda name: name in working.split()) == expected


def test_a_team_that_is_gone_has_nobody_in_charge() -> None:
    assert in_charge("gone", TEAMS, lambda name: name != "gone") == ("gone", False)


# --- the example in the documents

DOCUMENT = Path(__file__).parents[3] / "docs" / "time.md"
WEEK = {"mon-fri": "09:00-18:00"}
SUN = {
    "west": team("West", timezone="Europe/Brussels", hours=WEEK, cover=["york", "tokyo"]),
    "york": team("New York", timezone="America/New_York", hours=WEEK, cover=["tokyo", "west"]),
    "tokyo": team("Tokyo", timezone="Asia/Tokyo", hours={"mon-sun": "09:00-18:00"}, cover=["west", "york"]),
}


def example_row(opened_at: datetime, severity: int) -> str:
    def shown(moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo('Europe/Brussels')):%a %d %b %H:%M}"

    found = {name: calendars[0] for name, calendars in team_calendars(SUN, {}).items()}
    target: Target = getattr(TARGETS, f"severity_{severity}")
    respond_by, resolve_by = deadlines(found["west"], target, opened_at)
    assert respond_by is not None
    assert resolve_by is not None
    facts = Facts(severity, opened_at, respond_by=respond_by, resolve_by=resolve_by)
    times = {rung.key: rung.at for rung in ladder(facts, target, RULES, found["west"])}
    name, works = in_charge("west", SUN, lambda name: found[name].is_open(opened_at))
    moments = (times["respond:remind"], respond_by, times["respond:1"], resolve_by)
    cells = (shown(opened_at), str(severity), SUN[name].name if works else "nobody", *map(shown, moments))
    return "| " + " | ".join(cells) + " |"


def test_the_example_in_the_documents_is_true() -> None:
    alerts = [
        (at("2026-10-23T17:20"), 2),
        (at("2026-10-23T18:30"), 2),
        (at("2026-10-25T02:50"), 3),
        (at("2026-10-25T02:50"), 1),
        (at("2026-03-29T01:50"), 3),
        (at("2026-10-24T13:00"), 3),
    ]
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("| Opened (Brussels)")) + 2
    assert lines[first : first + len(alerts)] == [example_row(*alert) for alert in alerts]
    assert lines[first + len(alerts)] == ""


def test_an_alert_goes_back_to_no_team_that_had_it_already() -> None:
    everybody = {
        name: Team(name=name, languages=["en"], people=[Person(name=name, slack=f"U{number}")], next=following)
        for number, (name, following) in enumerate({"west": "north", "north": "west", "head": None}.items(), 1)
    }

    def reached(kind: str, had: tuple[str, ...]) -> Recipients | None:
        step = EscalationStep.model_construct(after=0.0, to=kind)
        return recipients(
            step, owner_address=None, team_name="north", teams=everybody, is_open=lambda name: name != "head",
            head_office="head", had=had,
        )  # fmt: skip

    assert reached("next-hub", ()) == Recipients("west", ("slack:U1",), "west")
    for kind in ("next-hub", "next-team"):
        assert reached(kind, ("west", "north")) == Recipients("head", ("slack:U3",), "head")
