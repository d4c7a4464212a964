"""What a run's alerts ask of teams: how many an hour of their work, when, and how many come while nobody works."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.calendars import Calendar, team_calendars
from alerts.escalation import SEVEREST
from listener.config import Config
from listener.pipeline.announce import BUDGET_SPAN
from listener.pipeline.workplaces import Workplaces
from listener.tuning.columns import moment
from listener.tuning.joining import RunAlert

Span = tuple[datetime, datetime]
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TeamLoad:
    """What one team has to look after. Alerts are counted with the team that is in charge when they come."""

    team: str
    alerts: int
    working_hours: float
    """Of the team in the span."""
    outside: int
    """Alerts that came while neither the team nor one that covers for it worked."""
    waking: int
    """Of these, those severe enough to wake somebody."""
    busiest_at: datetime | None
    """The start of the hour, by the clock, in which most came."""
    busiest: int
    opening_most: int
    """The most that ever waited when the day began."""
    opening_mean: float
    """How many waited on average when a day began."""

    @property
    def per_working_hour(self) -> float | None:
        """Alerts for each hour that the team works; None where it never does."""
        return self.alerts / self.working_hours if self.working_hours else None

    @property
    def outside_share(self) -> float:
        """Share of its alerts that came while nobody worked."""
        return self.outside / self.alerts if self.alerts else 0.0


@dataclass(frozen=True, slots=True)
class ReceiverLoad:
    """What one receiver shows."""

    receiver: str
    cards: int
    held: int
    """Cards that waited for an opening because nobody worked."""
    folded: int
    """Cards beyond its budget, named in a summary."""


def team_loads(alerts: Sequence[RunAlert], config: Config, workplaces: Workplaces, span: Span) -> list[TeamLoad]:
    """Return the load of every team that works for a country, in the configuration's order."""
    calendars = team_calendars(config.teams, config.countries)
    found: dict[str, list[tuple[RunAlert, datetime, bool]]] = {name: [] for name in config.teams}
    for alert in alerts:
        if alert.country in config.countries:
            at = moment(alert.opened_us)
            team, works = workplaces.in_charge(alert.country, at)
            found.setdefault(team, []).append((alert, at, works))
    teams = [name for name, own in found.items() if own or calendars.get(name)]
    return [_load(name, found[name], calendars.get(name, ()), workplaces, span) for name in teams]


def receiver_loads(alerts: Sequence[RunAlert], config: Config, workplaces: Workplaces) -> list[ReceiverLoad]:
    """Return what each receiver shows, holds until an opening, and folds beyond its budget; silences are left out."""
    by_receiver: dict[str, list[RunAlert]] = {}
    for alert in sorted(alerts, key=lambda one: one.opened_us):
        for name in alert.receivers:
            by_receiver.setdefault(name, []).append(alert)
    return [_shown(name, own, config, workplaces) for name, own in sorted(by_receiver.items())]


def open_spans(calendars: Sequence[Calendar], span: Span) -> list[Span]:
    """Return when any of some calendars is open within a span, in order, without overlaps."""
    result: list[Span] = []
    for start, end in sorted(one for calendar in calendars for one in _spans(calendar, span)):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _spans(calendar: Calendar, span: Span) -> Iterator[Span]:
    at, until = span
    while at < until:
        opens = calendar.next_opening(at)
        if opens is None or opens >= until:
            return
        closes = calendar.next_closing(opens)
        at = until if closes is None else min(closes, until)
        yield opens, at


def _load(
    team: str,
    own: Sequence[tuple[RunAlert, datetime, bool]],
    calendars: Sequence[Calendar],
    workplaces: Workplaces,
    span: Span,
) -> TeamLoad:
    working = sum(((end - start).total_seconds() for start, end in open_spans(calendars, span)), 0.0)
    hours = Counter(at.replace(minute=0, second=0, microsecond=0) for _, at, _ in own)
    busiest_at, busiest = min(hours.items(), key=lambda one: (-one[1], one[0]), default=(None, 0))
    waiting = [(alert, at) for alert, at, works in own if not works]
    openings = Counter(workplaces.next_opening(alert.country, at) for alert, at in waiting)
    days = len({start.date() for start, _ in open_spans(calendars, span)})
    return TeamLoad(
        team=team,
        alerts=len(own),
        working_hours=working / 3600,
        outside=len(waiting),
        waking=sum(alert.severity >= SEVEREST for alert, _ in waiting),
        busiest_at=busiest_at,
        busiest=busiest,
        opening_most=max(openings.values(), default=0),
        opening_mean=len(waiting) / days if days else 0.0,
    )


def _shown(name: str, alerts: Sequence[RunAlert], config: Config, workplaces: Workplaces) -> ReceiverLoad:
    """Go through a receiver's cards as `Announcer` decides on each."""
    options = config.receivers.get(name)
    budget, at_once = (options.budget, options.at_once) if options is not None else (None, False)
    shown: list[datetime] = []
    """When cards were shown in the last hour, and when those held will be."""
    held = folded = 0
    for alert in alerts:
        at = moment(alert.opened_us)
        opening = None if at_once or alert.pilot else _opening(alert, at, workplaces)
        if opening is not None:
            held += 1
            heapq.heappush(shown, opening)
            continue
        while shown and shown[0] < at - BUDGET_SPAN:
            heapq.heappop(shown)
        within = sum(one <= at for one in shown) if budget is not None else 0
        if budget is not None and not at_once and alert.severity < SEVEREST and within >= budget:
            folded += 1
        else:
            heapq.heappush(shown, at)
    return ReceiverLoad(name, len(alerts), held, folded)


def _opening(alert: RunAlert, at: datetime, workplaces: Workplaces) -> datetime | None:
    """Return until when a card waits because nobody works; None where it does not."""
    if alert.opened_severity >= SEVEREST:
        return None
    opening = workplaces.next_opening(alert.country, at)
    return None if opening is None or opening <= at else opening
