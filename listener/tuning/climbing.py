"""Reminders and escalations to expect of a run's alerts: the ladder of each, climbed until people stopped it.

Of an alert that there was, it is known when people claimed, answered and closed it. Of one that there was not it is
assumed that its team takes as long as it usually did at that severity.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from alerts.calendars import Calendar
from alerts.escalation import SEVEREST, Facts, Rung, deadlines, ladder
from listener.config import Config, Target
from listener.pipeline.workplaces import Workplaces
from listener.store.decisions import AlertFact
from listener.tuning.columns import Columns, moment
from listener.tuning.joining import RunAlert

LEAST_SEEN = 5
"""Fewer alerts of a team at one severity do not say how long it takes: then all its severities count."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a team usually takes, in seconds of the target's own clock; None where it usually never does."""

    claim_s: float | None
    answer_s: float | None
    close_s: float | None
    seen: int
    """Of how many alerts that is the median."""


NEVER = Pace(None, None, None, 0)


@dataclass(frozen=True, slots=True)
class Climbed:
    """What is told because targets come near or are missed."""

    reminders: int = 0
    repeats: int = 0
    """Alerts told again because nobody had claimed them."""
    escalations: int = 0
    """Steps after a missed target."""
    late_answers: int = 0
    """Alerts whose first answer was not in time."""
    late_ends: int = 0
    """Alerts that were not closed in time."""

    def __add__(self, other: "Climbed") -> "Climbed":
        return Climbed(*(getattr(self, name) + getattr(other, name) for name in Climbed.__slots__))


class Climber:
    """Climbs the ladders of alerts under one configuration."""

    def __init__(
        self,
        columns: Columns,
        config: Config,
        workplaces: Workplaces,
        repeat_s: Callable[[RunAlert], float | None],
    ) -> None:
        self._config, self._workplaces, self._repeat_s = config, workplaces, repeat_s
        self._until = columns.until
        facts = [*(one.fact for one in columns.carried), *(one.fact for one in columns.raised)]
        self._facts = {one.id: one for one in facts}
        self._paces = self._learned([one.fact for one in columns.raised])

    @property
    def paces(self) -> Mapping[tuple[str, int], Pace]:
        """How long each team takes, by severity; 0 for all severities together."""
        return self._paces

    def climb(self, alerts: Sequence[RunAlert]) -> Climbed:
        """Return what is told of all these alerts until the end of the span."""
        total = Climbed()
        for alert in alerts:
            if alert.country in self._config.countries:
                total += self._one(alert)
        return total

    def pace(self, team: str, severity: int) -> Pace:
        """Return how long a team takes at a severity, by all its severities where too little is known of this one."""
        own = self._paces.get((team, severity), NEVER)
        return own if own.seen >= LEAST_SEEN else self._paces.get((team, 0), NEVER)

    def _one(self, alert: RunAlert) -> Climbed:
        calendar, opened = self._workplaces.calendar(alert.country), moment(alert.opened_us)
        target = _target(self._config, alert.country, alert.severity)
        respond_by, resolve_by = self._deadlines(alert, calendar, opened)
        fact = self._facts.get(alert.stored_id)
        claimed, answered, closed = self._ends(alert, fact, target, calendar, opened)
        facts = Facts(
            severity=alert.severity,
            opened_at=opened,
            snoozed_until=None if fact is None else fact.snoozed_until,
            respond_by=respond_by,
            resolve_by=resolve_by,
        )
        rules = self._config.countries[alert.country].escalation
        stops = {"respond": min(answered, closed), "resolve": closed}
        rungs = [one for one in ladder(facts, target, rules, calendar) if one.at < stops[one.goal or "resolve"]]
        rungs = _told(rungs)
        repeats = self._repeats(alert, rungs, min(claimed, closed), calendar)
        return Climbed(
            reminders=sum(one.kind == "reminder" for one in rungs),
            repeats=repeats,
            escalations=sum(one.kind == "escalation" for one in rungs),
            late_answers=int(respond_by is not None and respond_by < stops["respond"]),
            late_ends=int(resolve_by is not None and resolve_by < closed),
        )

    def _deadlines(
        self, alert: RunAlert, calendar: Calendar, opened: datetime
    ) -> tuple[datetime | None, datetime | None]:
        """Return an alert's targets; those of a severity that it reached later are never later."""
        starts = [(opened, alert.opened_severity), *((moment(at), level) for at, level in alert.rises)]
        found = [deadlines(calendar, _target(self._config, alert.country, level), at) for at, level in starts]
        respond, resolve = zip(*found, strict=True)
        return _soonest(respond), _soonest(resolve)

    def _ends(
        self, alert: RunAlert, fact: AlertFact | None, target: Target, calendar: Calendar, opened: datetime
    ) -> tuple[datetime, datetime, datetime]:
        """Return when an alert was or would be claimed, answered and closed, the span's end at the latest."""
        if fact is not None:
            moments = (fact.claimed_at, fact.answered_at, fact.closed_at)
            claimed, answered, closed = (self._until if at is None or at < opened else at for at in moments)
        else:
            pace = self.pace(alert.team, alert.severity)
            spans = (pace.claim_s, pace.answer_s, pace.close_s)
            claimed, answered, closed = (self._after(target, calendar, opened, seconds) for seconds in spans)
        return min(claimed, self._until), min(answered, self._until), min(closed, self._until)

    def _after(self, target: Target, calendar: Calendar, opened: datetime, seconds: float | None) -> datetime:
        if seconds is None:
            return self._until
        if target.around_the_clock:
            return opened + timedelta(seconds=seconds)
        return calendar.after(opened, seconds) or self._until

    def _repeats(self, alert: RunAlert, rungs: Sequence[Rung], stop: datetime, calendar: Calendar) -> int:
        repeat_s = self._repeat_s(alert)
        if not repeat_s:
            return 0
        told, count = moment(alert.opened_us), 0
        for at in [*(one.at for one in rungs), stop]:
            while (again := self._again(told, repeat_s, alert.severity, calendar)) < min(at, stop):
                told, count = again, count + 1
            told = max(told, at)
        return count

    def _again(self, told: datetime, repeat_s: float, severity: int, calendar: Calendar) -> datetime:
        at = told + timedelta(seconds=repeat_s)
        if severity >= SEVEREST or at >= self._until:
            return at
        return calendar.next_opening(at) or self._until

    def _learned(self, facts: Sequence[AlertFact]) -> dict[tuple[str, int], Pace]:
        taken: dict[tuple[str, int], list[tuple[float | None, float | None, float | None]]] = {}
        for fact in facts:
            if fact.kind == "post" and fact.country in self._config.countries:
                spans = self._spans(fact)
                for severity in (fact.severity, 0):
                    taken.setdefault((fact.team, severity), []).append(spans)
        return {key: _pace(spans) for key, spans in taken.items()}

    def _spans(self, fact: AlertFact) -> tuple[float | None, float | None, float | None]:
        calendar = self._workplaces.calendar(fact.country)
        target = _target(self._config, fact.country, fact.severity)

        def span(at: datetime | None) -> float | None:
            if at is None or at >= self._until:
                return None
            if target.around_the_clock:
                return (at - fact.opened_at).total_seconds()
            return calendar.working_s(fact.opened_at, at)

        # Who answers or closes without having claimed has taken it all the same.
        claimed = min((at for at in (fact.claimed_at, fact.answered_at, fact.closed_at) if at), default=None)
        return span(claimed), span(fact.answered_at), span(fact.closed_at)


def _pace(spans: Sequence[tuple[float | None, float | None, float | None]]) -> Pace:
    claims, answers, closes = zip(*spans, strict=True)
    return Pace(_median(claims), _median(answers), _median(closes), len(spans))


def _target(config: Config, country: str, severity: int) -> Target:
    target: Target = getattr(config.countries[country].targets, f"severity_{severity}")
    return target


def _told(rungs: Sequence[Rung]) -> list[Rung]:
    """Leave out rungs of one target that fall on the same moment but for the last, as the daemon does."""
    last = {(one.goal, one.at): one for one in rungs}
    return [one for one in rungs if last[one.goal, one.at] is one]


def _soonest(moments: Sequence[datetime | None]) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)


def _median(spans: Sequence[float | None]) -> float | None:
    """Return the median, what never came being later than all; None where it usually never came."""
    found = median(float("inf") if one is None else one for one in spans)
    return None if found == float("inf") else found
