"""How well alerts were answered: counted from alerts and their history, never from what the daemon did by itself."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from math import inf
from zoneinfo import ZoneInfo

from alerts.calendars import Calendar, calendar_for
from listener.config import Config
from listener.digest.figures import Compared, count, percentile, share
from listener.digest.model import Desk, DeskRow, Load, Measure, Outcome, Times
from listener.digest.weeks import Week
from listener.model import AlertState
from listener.store.digests import AlertFacts, Digests, EventFacts

_NEEDS_NO_ANSWER = {"not_complaint", "no_reply", "withdrawn"}
_BY_PEOPLE = {"public", "private", "solved", "no_reply", "not_complaint"}
_CLAIMS = {"claimed", "taken over"}
_CLOSINGS = {"resolved", "dismissed"}


def claimed_at(alert: AlertFacts, events: Iterable[EventFacts]) -> datetime | None:
    """Return when somebody took an alert first: by claiming it, or by answering; None where nobody did."""
    claims = [one.at for one in events if one.kind in _CLAIMS]
    return min((at for at in (*claims, alert.answered_at) if at is not None), default=None)


@dataclass(slots=True)
class _Case:
    """An alert with what people did with it."""

    alert: AlertFacts
    events: list[EventFacts] = field(default_factory=list)
    again: bool = False
    """Whether its author was answered within the seven days before."""

    @property
    def needs_answer(self) -> bool:
        return self.alert.resolution not in _NEEDS_NO_ANSWER

    @property
    def claimed_at(self) -> datetime | None:
        return claimed_at(self.alert, self.events)

    @property
    def solved(self) -> bool:
        return self.alert.resolution == "solved"

    @property
    def solved_at_once(self) -> bool:
        kinds = Counter(one.kind for one in self.events)
        return self.solved and kinds["replied"] == 1 and not kinds["reopened"]

    @property
    def outcome(self) -> str:
        if self.alert.state == AlertState.SNOOZED:
            return "snoozed"
        if self.alert.resolution is None:
            return "open"
        was = next((one.data.get("was") for one in reversed(self.events) if one.kind == "dismissed"), None)
        return f"was:{was}" if self.alert.resolution == "not_complaint" and was else self.alert.resolution


@dataclass(frozen=True, slots=True)
class DeskScope:
    """Whose alerts are counted."""

    countries: tuple[str, ...]
    brands: tuple[str, ...]
    team: str = ""

    def holds(self, country: str, brand: str, team: str) -> bool:
        """Tell whether an alert belongs to it."""
        return country in self.countries and brand in self.brands and self.team in ("", team)


def desk(store: Digests, config: Config, scope: DeskScope, weeks: Sequence[Week | None], as_of: datetime) -> Desk:
    """Return how well the alerts of a week were answered.

    Args:
        store: where they are.
        config: calendars of teams and time zones of countries.
        scope: whose alerts.
        weeks: the week, then those before it, the latest first; None for one that was not listened to.
        as_of: until when what happened counts as known.
    """
    cases = _cases(store, config, scope, [week for week in weeks if week is not None])
    compared = Compared(
        cases.get(weeks[0], []) if weeks[0] else [],
        tuple(None if week is None else cases.get(week, []) for week in weeks[1:]),
    )
    times = _Times(config)
    needing = compared.of(lambda cases: [one for one in cases if one.needs_answer])
    done = _done(store, config, scope, weeks[0]) if weeks[0] else []
    return Desk(
        alerts=count(compared.of(len)),
        needing=count(needing.of(len)),
        response_rate=_response_rate(needing),
        claim=times.of(needing, lambda case: case.claimed_at),
        answer=times.of(needing, lambda case: case.alert.answered_at),
        resolution=times.of(needing, lambda case: case.alert.closed_at),
        in_target=_in_target(needing, as_of),
        private=_share_of(needing, lambda one: one.alert.private_at is not None, lambda one: _is_answered(one)),
        first_contact=_share_of(compared, lambda one: one.solved_at_once, lambda one: one.solved),
        recontacts=_share_of(compared, lambda one: one.again),
        precision=_share_of(
            compared,
            lambda one: one.alert.resolution != "not_complaint",
            lambda one: one.alert.resolution in _BY_PEOPLE,
        ),
        snoozed=count(compared.of(lambda cases: sum(any(e.kind == "snoozed" for e in one.events) for one in cases))),
        outcomes=tuple(Outcome(*pair) for pair in Counter(one.outcome for one in compared.now).most_common()),
        load=tuple(_load(event for event, _ in done)),
        hours=_hours(done),
        by_country=_rows(needing, compared, lambda one: one.alert.country, as_of),
        by_team=_rows(needing, compared, lambda one: one.alert.team, as_of),
    )


def _cases(store: Digests, config: Config, scope: DeskScope, weeks: Sequence[Week]) -> dict[Week, list[_Case]]:
    """Return the alerts of each week, by the clocks of their countries."""
    zones = {code: config.countries[code].timezone for code in scope.countries}
    spans = [week.span(zone) for week in weeks for zone in set(zones.values())]
    if not spans:
        return {}
    since, until = min(start for start, _ in spans), max(end for _, end in spans)
    found = {
        alert.id: _Case(alert)
        for alert in store.alerts(since, until, scope.brands)
        if alert.kind == "post" and not alert.pilot and scope.holds(alert.country, alert.brand, alert.team)
    }
    for event in store.history(since, until):
        if event.alert_id in found:
            found[event.alert_id].events.append(event)
    for alert_id in store.answered_before(list(found), scope.countries):
        found[alert_id].again = True
    cases: dict[Week, list[_Case]] = defaultdict(list)
    for case in found.values():
        cases[_week_of(case.alert.opened_at, zones[case.alert.country])].append(case)
    return cases


def _week_of(at: datetime, timezone: str) -> Week:
    return Week.holding(at.astimezone(ZoneInfo(timezone)).date())


def _is_answered(case: _Case) -> bool:
    return case.alert.answered_at is not None


def _share_of(
    weeks: Compared[list[_Case]], is_part: Callable[[_Case], bool], is_whole: Callable[[_Case], bool] | None = None
) -> Measure:
    def parts(cases: list[_Case]) -> tuple[int, int]:
        whole = cases if is_whole is None else [one for one in cases if is_whole(one)]
        return sum(map(is_part, whole)), len(whole)

    return share(weeks.of(parts))


def _response_rate(needing: Compared[list[_Case]]) -> Measure:
    return _share_of(needing, _is_answered)


def _in_target(needing: Compared[list[_Case]], as_of: datetime) -> Measure:
    def is_in_time(case: _Case) -> bool:
        answered, by = case.alert.answered_at, case.alert.respond_by
        return answered is not None and by is not None and answered <= by

    return _share_of(needing, is_in_time, lambda one: one.alert.respond_by is not None and _is_due(one, as_of))


def _is_due(case: _Case, as_of: datetime) -> bool:
    """Tell whether an answer was due by now, or came before it was."""
    by = case.alert.respond_by
    return by is None or _is_answered(case) or by <= as_of


class _Times:
    """Measures how long steps took, by the clock and in working time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._calendar = cache(self._calendar_of)

    def of(self, needing: Compared[list[_Case]], moment: Callable[[_Case], datetime | None]) -> Times:
        """Return how long it took from the opening of alerts to a moment in their lives."""
        clock = needing.of(lambda cases: [_seconds(one, moment(one)) for one in cases])
        working = needing.of(lambda cases: [self._working(one, moment(one)) for one in cases])
        return Times(
            median=percentile(clock, 0.5),
            p90=percentile(clock, 0.9),
            median_working=percentile(working, 0.5),
            p90_working=percentile(working, 0.9),
        )

    def _working(self, case: _Case, at: datetime | None) -> float:
        if at is None:
            return inf
        return self._calendar(case.alert.country, case.alert.team).working_s(case.alert.opened_at, at)

    def _calendar_of(self, code: str, team: str) -> Calendar:
        country = self._config.countries[code]
        return calendar_for(code, country, self._config.teams.get(team) or self._config.teams[country.team])


def _seconds(case: _Case, at: datetime | None) -> float:
    return inf if at is None else max(0.0, (at - case.alert.opened_at).total_seconds())


def _rows(
    needing: Compared[list[_Case]], every: Compared[list[_Case]], key: Callable[[_Case], str], as_of: datetime
) -> tuple[DeskRow, ...]:
    rows = []
    for name in sorted({key(one) for one in every.now}):
        own = needing.of(lambda cases, name=name: [one for one in cases if key(one) == name])  # type: ignore[misc]
        first = own.of(lambda cases: [_seconds(one, one.alert.answered_at) for one in cases])
        rows.append(
            DeskRow(
                key=name,
                alerts=sum(key(one) == name for one in every.now),
                response_rate=_response_rate(own),
                in_target=_in_target(own, as_of),
                first_answer=percentile(first, 0.5),
                answered_by_now=_share_of(own, _is_answered, lambda one: _is_due(one, as_of)),
            )
        )
    return tuple(rows)


def _done(store: Digests, config: Config, scope: DeskScope, week: Week) -> list[tuple[EventFacts, datetime]]:
    """Return what people did in a week with alerts of a scope, with the time on the country's clocks."""
    zones = {code: config.countries[code].timezone for code in scope.countries}
    if not zones:
        return []
    spans = {code: week.span(zone) for code, zone in zones.items()}
    since, until = min(start for start, _ in spans.values()), max(end for _, end in spans.values())
    found = []
    for event, country, brand, team in store.done(since, until):
        if not scope.holds(country, brand, team):
            continue
        start, end = spans[country]
        if start <= event.at < end:
            found.append((event, event.at.astimezone(ZoneInfo(zones[country]))))
    return found


def _load(events: Iterable[EventFacts]) -> Iterable[Load]:
    by_person: Mapping[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        step = "claimed" if event.kind in _CLAIMS else "closed" if event.kind in _CLOSINGS else event.kind
        by_person[event.actor][step] += 1
    for person in sorted(by_person, key=str.casefold):
        steps = by_person[person]
        yield Load(person, steps["claimed"], steps["replied"], steps["closed"])


def _hours(done: Sequence[tuple[EventFacts, datetime]]) -> tuple[tuple[int, ...], ...]:
    counts = Counter((wall.weekday(), wall.hour) for _, wall in done)
    return tuple(tuple(counts[day, hour] for hour in range(24)) for day in range(7))
