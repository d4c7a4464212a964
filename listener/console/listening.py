"""How each watch stands, and what it uses: what the sources' pages show. Draws nothing and asks no network."""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

from listener.config import Config
from listener.model import Gap, Watch
from listener.plugins import missing_secrets
from listener.store import Store, WatchState
from listener.store.usage import DayUsage, day_of
from sources.base import Budget
from sources.registry import source_specs

Standing = Literal["off", "refused", "quota", "failing", "new", "overdue", "fine"]
WORST_FIRST: Sequence[Standing] = ("refused", "quota", "failing", "overdue", "off", "new", "fine")
_USUAL_DAYS = 7
"""What a watch uses in a day is the mean of so many days before today."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was used, or what came of it: of one watch or several, on one day or several."""

    requests: int = 0
    items: int = 0
    cost: float = 0.0
    mentions: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, days: Iterable[DayUsage]) -> "Used":
        """Return the sum of days."""
        total = cls()
        for day in days:
            total = cls(
                total.requests + day.requests,
                total.items + day.items,
                total.cost + day.cost,
                total.mentions + day.mentions,
                total.skipped + day.skipped,
            )
        return total


@dataclass(frozen=True)
class Calendar:
    """The days that figures are told by: networks count them in UTC."""

    now: datetime

    @cached_property
    def today(self) -> str:
        """Today, as in 2026-11-22."""
        return day_of(self.now)

    @cached_property
    def month(self) -> str:
        """This month, as in 2026-11."""
        return self.today[:7]

    @cached_property
    def usual_since(self) -> str:
        """The first of the days before today that usual figures are made of."""
        return day_of(self.now - timedelta(days=_USUAL_DAYS))

    @cached_property
    def days_left(self) -> float:
        """How many days of the month are still to come, with what is left of today."""
        at = self.now.astimezone(UTC)
        length = calendar.monthrange(at.year, at.month)[1]
        return length - (at.day - 1) - (at.hour * 3600 + at.minute * 60 + at.second) / 86400

    @cached_property
    def first(self) -> datetime:
        """The earliest day that figures are needed of."""
        begin = self.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return min(begin, self.now - timedelta(days=30))

    def projected(self, so_far: float, usual: float) -> float:
        """Return what a month comes to that goes on as usual."""
        return so_far + usual * self.days_left


@dataclass(frozen=True)
class WatchView:
    """One watch as its page shows it."""

    watch: Watch
    state: WatchState
    standing: Standing
    reason: str
    """What is wrong, in the network's or the daemon's words; hostile. Empty where nothing is."""
    every_s: float
    calendar: Calendar
    days: tuple[DayUsage, ...]
    """The latest first."""
    gaps: tuple[Gap, ...]
    budget: Budget | None
    is_paid: bool = False
    """Whether the network sends a bill for what is read."""

    @property
    def was_read(self) -> bool:
        """Whether anything was read, as far back as costs are told."""
        return bool(self.month.items or self.usual.items)

    @property
    def delay_s(self) -> float | None:
        """How long after its publication the newest mention was collected."""
        newest, taken = self.state.newest_at, self.state.newest_taken_at
        return None if newest is None or taken is None else max(0.0, (taken - newest).total_seconds())

    @cached_property
    def today(self) -> Used:
        """What was used today."""
        return Used.of(day for day in self.days if day.day == self.calendar.today)

    @cached_property
    def month(self) -> Used:
        """What was used this month."""
        return Used.of(day for day in self.days if day.day.startswith(self.calendar.month))

    @cached_property
    def usual(self) -> Used:
        """What was used on the days before today that usual figures are made of, all together."""
        since, today = self.calendar.usual_since, self.calendar.today
        return Used.of(day for day in self.days if since <= day.day < today)

    @property
    def mentions_a_day(self) -> float:
        """How many new mentions a usual day brings."""
        return self.usual.mentions / _USUAL_DAYS

    @property
    def cost_projected(self) -> float:
        """What the month will cost that goes on as usual."""
        return self.calendar.projected(self.month.cost, self.usual.cost / _USUAL_DAYS)

    @property
    def budget_share(self) -> float:
        """How much of its limit is used, in [0, 1]."""
        return min(1.0, self.budget.used / self.budget.limit) if self.budget else 0.0

    @property
    def budget_projected(self) -> int:
        """How much of its limit will be used by the month's end, if it goes on as usual."""
        used = self.budget.used if self.budget else 0
        return round(self.calendar.projected(used, self.usual.items / _USUAL_DAYS))


@dataclass(frozen=True)
class SourceView:
    """One source, with the watches that a visitor may see."""

    name: str
    watches: tuple[WatchView, ...]
    off: str
    """What it lacks; empty where it is on."""

    @property
    def standing(self) -> Standing:
        """How the worst of its watches stands."""
        return min((one.standing for one in self.watches), key=WORST_FIRST.index)

    @property
    def month(self) -> float:
        """What it has cost this month, in US dollars."""
        return sum(one.month.cost for one in self.watches)

    @property
    def projected(self) -> float:
        """What the month will cost that goes on as usual."""
        return sum(one.cost_projected for one in self.watches)


@dataclass(frozen=True, slots=True)
class CountryCost:
    """What listening costs for one country."""

    country: str
    today: float
    month: float
    projected: float


@dataclass(frozen=True)
class Listening:
    """All sources that a visitor may see."""

    sources: tuple[SourceView, ...]
    calendar: Calendar

    @cached_property
    def watches(self) -> tuple[WatchView, ...]:
        """All watches, in the order of the configuration."""
        return tuple(watch for source in self.sources for watch in source.watches)

    @cached_property
    def costs(self) -> list[CountryCost]:
        """What each country costs, the dearest first; only those that cost anything."""
        codes = dict.fromkeys(one.watch.country for one in self.watches)
        found = []
        for code in codes:
            own = [one for one in self.watches if one.watch.country == code]
            sums = (sum(one.today.cost for one in own), sum(one.month.cost for one in own))
            found.append(CountryCost(code, *sums, sum(one.cost_projected for one in own)))
        return sorted((one for one in found if one.month or one.projected), key=lambda one: -one.projected)

    @property
    def is_paid(self) -> bool:
        """Whether any network sends a bill."""
        return any(one.is_paid for one in self.watches)

    @cached_property
    def by_day(self) -> list[tuple[str, float]]:
        """What the last thirty days cost, the latest last; days without cost among them."""
        costs: dict[str, float] = {}
        for one in self.watches:
            for day in one.days:
                costs[day.day] = costs.get(day.day, 0.0) + day.cost
        days = [day_of(self.calendar.now - timedelta(days=back)) for back in range(29, -1, -1)]
        return [(day, costs.get(day, 0.0)) for day in days]


def listening(config: Config, store: Store, watches: Sequence[Watch], now: datetime) -> Listening:
    """Return how these watches stand, by source."""
    days = Calendar(now)
    states = store.collecting.states()
    usage: dict[str, list[DayUsage]] = {}
    for day in store.usage.days(days.first, watch_ids=[watch.id for watch in watches]):
        usage.setdefault(day.watch_id, []).append(day)
    gaps: dict[str, list[Gap]] = {}
    for watch_id, gap in store.collecting.gaps(now - timedelta(days=30)):
        gaps.setdefault(watch_id, []).append(gap)
    off = missing_secrets(config)
    refused = _refused(config, states)
    sources = []
    for name in dict.fromkeys(watch.source for watch in watches):
        lack = off.get(f"source {name}", "")
        views = []
        for watch in (one for one in watches if one.source == name):
            state = states.get(watch.id) or WatchState(watch.id)
            every_s = watch.options.every or config.sources[name].every
            standing, reason = _standing(state, lack, refused.get(name), every_s, now)
            views.append(
                WatchView(
                    watch=watch,
                    state=state,
                    standing=standing,
                    reason=reason,
                    every_s=every_s,
                    calendar=days,
                    days=tuple(usage.get(watch.id, ())),
                    gaps=tuple(gaps.get(watch.id, ())),
                    budget=_budget(watch, state, now),
                    is_paid=config.sources[name].is_paid,
                )
            )
        sources.append(SourceView(name, tuple(views), lack))
    return Listening(tuple(sources), days)


def _refused(config: Config, states: Mapping[str, WatchState]) -> dict[str, str]:
    """Return the sources that are refused as a whole, with what was said: none of their watches is polled then."""
    own: dict[str, list[WatchState]] = {}
    for watch in config.watches:
        own.setdefault(watch.source, []).append(states.get(watch.id) or WatchState(watch.id))
    found = {}
    for source, group in own.items():
        heard = [state.succeeded_at for state in group if state.succeeded_at]
        for state in group:
            # Whoever was heard since shows that the network goes along again.
            if state.fault == "source" and state.polled_at and not any(at > state.polled_at for at in heard):
                found[source] = state.problem or ""
    return found


def _standing(state: WatchState, lack: str, refused: str | None, every_s: float, now: datetime) -> tuple[Standing, str]:
    if lack:
        return "off", lack
    if refused is not None:
        return "refused", state.problem or refused
    if state.problem:
        known: Mapping[str, Standing] = {"quota": "quota", "watch": "refused", "source": "refused"}
        return known.get(state.fault or "", "failing"), state.problem
    if state.succeeded_at is None:
        return "new", ""
    return ("overdue" if state.is_overdue(every_s, now) else "fine"), ""


def _budget(watch: Watch, state: WatchState, now: datetime) -> Budget | None:
    of = source_specs()[watch.source].budget
    return None if of is None else of(watch, state.cursor, now)
