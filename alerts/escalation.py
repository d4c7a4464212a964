"""What falls due for an alert and when, and who is told: pure functions over its facts and the configuration.

Nothing here knows the store, a receiver or the time of day: the caller hands in facts and acts on the answer.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts.calendars import Calendar
from listener.config.models import Escalation, EscalationStep, Person, Target, Team

RungKind = Literal["reminder", "escalation", "repeat"]
Goal = Literal["respond", "resolve"]

SEVEREST = 3
"""The severity that alone may wake somebody outside all hours, and that a snooze does not shield."""
_REPEAT = "repeat"
_CHAIN = ("person", "group", "next-team", "next-hub", "head-office")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an alert when it is looked at. Times are aware UTC."""

    severity: int
    opened_at: datetime
    is_claimed: bool = False
    snoozed_until: datetime | None = None
    """The end of the last snooze, kept once it is over: the steps after a missed target are counted from there."""
    responded_at: datetime | None = None
    """The first answer, in public or in private."""
    respond_by: datetime | None = None
    resolve_by: datetime | None = None
    done: tuple[str, ...] = ()
    """Keys of the rungs already climbed."""
    told_at: datetime | None = None
    """When people were last told of it, by whatever message."""
    is_live: bool = True
    """False once it is resolved or dismissed."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that falls due."""

    key: str
    """`respond:remind`, `respond:0`, `resolve:remind`, `resolve:0`, `repeat`: the number is the step's place."""
    at: datetime
    kind: RungKind
    goal: Goal | None = None
    """Which target it is about; None for a repeat."""
    deadline: datetime | None = None
    """When that target is, or was, to be met."""
    step: EscalationStep | None = None
    turn: int = 0
    """How many earlier steps tell a person: the next one tells the next person."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now."""

    act: tuple[Rung, ...]
    """What people are told, in order of time: of each target the last rung alone."""
    done: tuple[str, ...]
    """Keys to be kept as climbed, those passed over among them; a repeat has none."""
    look_at: datetime | None
    """When something can fall due next, if all of `act` is told now; None where nothing will."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom an escalation reaches."""

    team: str | None
    """The team that the alert is handed over to, told at that team's receiver; None where it stays."""
    addresses: tuple[str, ...]
    """`slack:U0123` a person, `slack:S0123` a group."""
    words: str
    """Who that is, for people to read."""


def deadlines(calendar: Calendar, target: Target, opened_at: datetime) -> tuple[datetime | None, datetime | None]:
    """Return by when an alert is to be answered and solved; None where the calendar never opens."""
    return (
        _later(calendar, target, opened_at, target.respond),
        _later(calendar, target, opened_at, target.resolve),
    )


def ladder(
    facts: Facts, target: Target, rules: Escalation, calendar: Calendar, repeat_s: float | None = None
) -> list[Rung]:
    """Return all rungs still to climb, in order of time.

    Reminders and steps are counted by the target's own clock: working time, or around the clock. A step of 0 after
    a target that ends with the day is due when the next day begins.

    A snooze puts everything off until it ends, and a reminder that would then come after its target is left out.
    A target that was missed meanwhile counts as missed when the snooze ends, so that the steps after it keep their
    distances. Severity 3 is the exception: its reminders rest, its missed targets escalate all the same.

    A repeat is for an alert that nobody has claimed; below severity 3 it waits for the next opening.
    """
    if not facts.is_live:
        return []
    rungs: list[Rung] = []
    if facts.responded_at is None:
        rungs += _goal_rungs("respond", target.respond, facts.respond_by, facts, target, rules, calendar)
    rungs += _goal_rungs("resolve", target.resolve, facts.resolve_by, facts, target, rules, calendar)
    rungs += _repeats(facts, calendar, repeat_s)
    return sorted((rung for rung in rungs if rung.key not in facts.done), key=lambda rung: rung.at)


def due(
    facts: Facts, target: Target, rules: Escalation, calendar: Calendar, now: datetime, repeat_s: float | None = None
) -> Due:
    """Return what is to be done now.

    Where several rungs of one target have passed (nobody was looking), the last alone is acted on. A repeat is left
    out where anything else is told.
    """
    passed = [rung for rung in ladder(facts, target, rules, calendar, repeat_s) if rung.at <= now]
    last = {rung.goal: rung for rung in passed}
    act = tuple(rung for rung in passed if last[rung.goal] is rung and (rung.goal is not None or len(last) == 1))
    done = tuple(rung.key for rung in passed if rung.key != _REPEAT)
    after = replace(facts, done=(*facts.done, *done), told_at=now if act else facts.told_at)
    moments = [rung.at for rung in ladder(after, target, rules, calendar, repeat_s)]
    if facts.is_live and facts.snoozed_until is not None and facts.snoozed_until > now:
        moments.append(facts.snoozed_until)
    return Due(act, done, min(moments, default=None))


def recipients(
    step: EscalationStep,
    *,
    owner_address: str | None,
    team_name: str,
    teams: Mapping[str, Team],
    is_open: Callable[[str], bool],
    head_office: str | None,
    turn: int = 0,
    owner_name: str | None = None,
    had: Collection[str] = (),
) -> Recipients | None:
    """Return whom a step reaches; a step that has nobody falls through to the next one; None where all have nobody.

    `had` names the teams that had the alert already: it goes back to none of them but head office.

    person is the owner, else the next of the team's people in turn; group the team's user group, else all its
    people; next-hub the first of the team's `cover`, then of all teams, whose day has begun. Of a team that does not
    work now, those on call are told in the place of all.
    """
    ways: dict[str, Callable[[], Recipients | None]] = {
        "person": lambda: _owner(owner_address, owner_name, teams) or _next_person(team_name, teams, is_open, turn),
        "group": lambda: _group(team_name, teams, is_open),
        "next-team": lambda: _handover(_next_team(team_name, teams, had), team_name, teams, is_open),
        "next-hub": lambda: _handover(_next_hub(team_name, teams, is_open, had), team_name, teams, is_open),
        "head-office": lambda: _handover(head_office, team_name, teams, is_open),
    }
    return next(filter(None, (ways[kind]() for kind in _CHAIN[_CHAIN.index(step.to) :])), None)


def is_reachable(address: str | None) -> bool:
    """Tell whether whoever has this address can be mentioned there: `console:7` is an account that Slack knows not."""
    return address is not None and address.startswith("slack:")


def may_wake(severity: int, any_open: bool) -> bool:
    """Return whether people may be told now: always while any team works, outside all hours of severity 3 alone."""
    return any_open or severity >= SEVEREST


def on_call(team: Team) -> tuple[str, ...]:
    """Return whom to wake of a team outside its hours: people on call, else its group, else all of its people."""
    called = _addresses([person for person in team.people if person.on_call])
    return called or _everybody(team)


def in_charge(team_name: str, teams: Mapping[str, Team], is_open: Callable[[str], bool]) -> tuple[str, bool]:
    """Return the team that works now, and whether it does.

    That is the team itself in its hours, else the first of its `cover` that works; else itself, with False.
    """
    if is_open(team_name):
        return team_name, True
    cover = teams[team_name].cover if team_name in teams else []
    working = next((name for name in cover if name in teams and is_open(name)), None)
    return (team_name, False) if working is None else (working, True)


def _later(calendar: Calendar, target: Target, start: datetime, seconds: float) -> datetime | None:
    return start + timedelta(seconds=seconds) if target.around_the_clock else calendar.after(start, seconds)


def _elapsed_s(calendar: Calendar, target: Target, start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() if target.around_the_clock else calendar.working_s(start, end)


def _goal_rungs(
    goal: Goal,
    span_s: float,
    deadline: datetime | None,
    facts: Facts,
    target: Target,
    rules: Escalation,
    calendar: Calendar,
) -> Iterator[Rung]:
    if deadline is None:
        return
    snoozed_until = facts.snoozed_until or deadline
    missed_at = deadline if facts.severity >= SEVEREST else max(deadline, snoozed_until)
    # Counted back from the deadline: one that came nearer when the severity rose has its reminder too.
    allowed_s = _elapsed_s(calendar, target, facts.opened_at, deadline)
    remind_at = _later(calendar, target, facts.opened_at, max(0.0, allowed_s - span_s * (1 - rules.remind_at)))
    if remind_at is not None and facts.snoozed_until is not None and remind_at < facts.snoozed_until:
        remind_at = _later(calendar, target, facts.snoozed_until, 0.0)
    if remind_at is not None and remind_at < missed_at:
        yield Rung(f"{goal}:remind", remind_at, "reminder", goal, deadline)
    for index, step in enumerate(rules.steps):
        at = _later(calendar, target, missed_at, step.after)
        if at is not None:
            turn = sum(earlier.to == "person" for earlier in rules.steps[:index])
            yield Rung(f"{goal}:{index}", at, "escalation", goal, deadline, step, turn)


def _repeats(facts: Facts, calendar: Calendar, repeat_s: float | None) -> Iterator[Rung]:
    if not repeat_s or facts.told_at is None or facts.is_claimed:
        return
    at: datetime | None = facts.told_at + timedelta(seconds=repeat_s)
    if at is not None and facts.snoozed_until is not None:
        at = max(at, facts.snoozed_until)
    if at is not None and facts.severity < SEVEREST:
        at = calendar.next_opening(at)
    if at is not None:
        yield Rung(_REPEAT, at, "repeat")


def _owner(address: str | None, name: str | None, teams: Mapping[str, Team]) -> Recipients | None:
    if address is None or not is_reachable(address):
        return None
    people = (person for team in teams.values() for person in team.people)
    known = next((person.name for person in people if _address(person) == address), None)
    return Recipients(None, (address,), name or known or "whoever claimed it")


def _next_person(
    team_name: str, teams: Mapping[str, Team], is_open: Callable[[str], bool], turn: int
) -> Recipients | None:
    people = [person for person in teams[team_name].people if person.slack] if team_name in teams else []
    if people and not is_open(team_name):
        people = [person for person in people if person.on_call] or people
    if not people:
        return None
    person = people[turn % len(people)]
    return Recipients(None, _addresses([person]), person.name)


def _group(team_name: str, teams: Mapping[str, Team], is_open: Callable[[str], bool]) -> Recipients | None:
    team = teams.get(team_name)
    if team is None:
        return None
    addresses = _told(team, is_open(team_name))
    if not addresses:
        return None
    if addresses == _everybody(team):
        words = f"the group of {team.name}" if team.group else f"everybody of {team.name}"
    else:
        words = f"those on call of {team.name}"
    return Recipients(None, addresses, words)


def _next_team(team_name: str, teams: Mapping[str, Team], had: Collection[str]) -> str | None:
    following = teams[team_name].next if team_name in teams else None
    return None if following in had else following


def _next_hub(
    team_name: str, teams: Mapping[str, Team], is_open: Callable[[str], bool], had: Collection[str]
) -> str | None:
    cover = teams[team_name].cover if team_name in teams else []
    others = (name for name in (*cover, *teams) if name != team_name and name not in had and name in teams)
    return next((name for name in others if is_open(name)), None)


def _handover(
    name: str | None, team_name: str, teams: Mapping[str, Team], is_open: Callable[[str], bool]
) -> Recipients | None:
    if name is None or name not in teams:
        return None
    if name == team_name:  # it is there already: tell its people again, where there are any
        return _group(name, teams, is_open)
    return Recipients(name, _told(teams[name], is_open(name)), teams[name].name)


def _told(team: Team, works: bool) -> tuple[str, ...]:
    return _everybody(team) if works else on_call(team)


def _everybody(team: Team) -> tuple[str, ...]:
    return (f"slack:{team.group}",) if team.group else _addresses(team.people)


def _addresses(people: list[Person]) -> tuple[str, ...]:
    return tuple(address for person in people if (address := _address(person)) is not None)


def _address(person: Person) -> str | None:
    return f"slack:{person.slack}" if person.slack else None
