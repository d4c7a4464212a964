"""Two runs side by side: what would appear and vanish, and what the difference means for teams and customers."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from listener.config import Config
from listener.pipeline.workplaces import Workplaces
from listener.store import Store
from listener.tuning.climbing import Climbed, Climber, Pace
from listener.tuning.columns import OUTCOMES, Columns, moment
from listener.tuning.joining import Places, Run, RunAlert
from listener.tuning.loads import ReceiverLoad, TeamLoad, receiver_loads, team_loads
from listener.tuning.reasons import appeared, vanished
from listener.tuning.verdicts import Precision, Said, precision, verdicts

MOST_SHOWN = 10
Side = Literal["then", "now"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert that would appear or vanish. Text, author and address are hostile."""

    kind: str
    reference: str
    """A-12 or I-12 where there is such an alert; empty otherwise."""
    at: datetime
    brand: str
    country: str
    team: str
    severity: int
    topic: str
    network: str
    language: str
    author: str
    text: str
    url: str | None
    priority: float
    complaint: float | None
    urgent: float | None
    """Chance of high urgency."""
    influence: float | None
    rules: tuple[str, ...]
    """The rules that raise or raised it."""
    because: tuple[str, ...]
    """Why it appears or vanishes, with the figures."""
    verdict: Said | None
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What of one alert would differ, of those that there are in both runs."""

    severer: int
    milder: int
    other_receivers: int
    other_team: int
    same: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Alerts of one run, counted."""

    total: int
    by_day: Mapping[str, Mapping[int, int]]
    """By day (2026-11-09) and severity."""
    by_team: Mapping[str, Mapping[str, int]]
    """By team and day."""
    by_receiver: Mapping[str, Mapping[str, int]]
    """By receiver and day: cards."""
    by_severity: Mapping[int, int]
    by_country: Mapping[str, int]
    by_outcome: Mapping[str, int]
    """Mentions, by what was decided on them."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What one run asks of people."""

    tally: Tally
    teams: tuple[TeamLoad, ...]
    receivers: tuple[ReceiverLoad, ...]
    precision: Precision
    climbed: Climbed


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a replay says."""

    since: datetime
    until: datetime
    timezone: str
    """By whose clock days are counted."""
    days: tuple[str, ...]
    covered_days: float
    """For how many days of the span anything is stored: what a day brings is told by these."""
    countries: tuple[str, ...]
    mentions: int
    then: Effects
    now: Effects
    appear: tuple[Entry, ...]
    """The severest first, at most so many as were asked for."""
    appearing: int
    vanish: tuple[Entry, ...]
    vanishing: int
    merged: int
    """Of those that vanish, how many would be part of another alert."""
    change: Change
    appearing_precision: Precision
    vanishing_precision: Precision
    happened: Climbed
    """Reminders and escalations that there really were of alerts raised in the span."""
    paces: Mapping[str, Pace]
    """How long each team takes, by "team severity"; assumed of alerts that there were not."""
    notes: tuple[str, ...] = ()
    """What the replay cannot know, or assumes."""


def compare(
    columns: Columns,
    then: Run,
    now: Run,
    store: Store,
    config: Config,
    *,
    then_config: Config | None = None,
    texts: int = MOST_SHOWN,
    countries: Sequence[str] | None = None,
    covered_days: float | None = None,
    notes: Sequence[str] = (),
) -> Comparison:
    """Return all that differs between two runs over the same columns.

    Args:
        columns: what both decided on.
        then: as it was decided then, or by other rules.
        now: by the rules of `config`.
        store: for the posts' words and people's verdicts.
        config: whose hours, budgets and targets hold for both, unless `then_config` is given for the first.
        then_config: whose hold for `then`.
        texts: how many alerts that appear, and that vanish, are shown.
        countries: whose alerts are counted; all unless given.
        covered_days: for how many days of the span anything is stored; all of it unless given.
        notes: what is to be said beside.
    """
    before, after = _wanted(then, countries), _wanted(now, countries)
    judged = store.decisions.judged(_members(columns, (*before, *after)))
    pairs = paired(before, after)
    zone = _timezone(config, countries)
    old = _Side(columns, then, before, then_config or config, judged)
    new = _Side(columns, now, after, config, judged)
    gone = [one for one in before if one.place not in pairs]
    kept = set(pairs.values())
    come = [one for one in after if one.place not in kept]
    shown = _Words(columns, store, texts)
    days = _days(columns, zone)
    return Comparison(
        since=columns.since,
        until=columns.until,
        timezone=str(zone),
        days=tuple(days),
        covered_days=(columns.until - columns.since) / _DAY if covered_days is None else covered_days,
        countries=tuple(countries or config.countries),
        mentions=_mentions(columns, countries),
        then=old.effects(zone, countries),
        now=new.effects(zone, countries),
        appear=shown.entries(come, new.said, lambda one: appeared(columns, one, then, now, config, then_config)),
        appearing=len(come),
        vanish=shown.entries(gone, old.said, lambda one: vanished(columns, one, now, config)),
        vanishing=len(gone),
        merged=sum(one.row is not None and int(now.alert[one.row]) >= 0 for one in gone),
        change=_change(then, now, pairs),
        appearing_precision=precision(new.said, come),
        vanishing_precision=precision(old.said, gone),
        happened=_happened(columns, countries),
        paces={
            f"{team} {severity or 'any'}": pace for (team, severity), pace in sorted(new.climber.paces.items())
        },
        notes=tuple(notes),
    )  # fmt: skip


def paired(then: Sequence[RunAlert], now: Sequence[RunAlert]) -> dict[int, int]:
    """Return which alert of one run is which of the other, by their places: each at most once.

    Those that the same post raised are the same; of the others those of which one's first post is in the other.
    """
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    by_first = {(one.kind, _first(one)): one for one in now}
    for one in then:
        other = by_first.get((one.kind, _first(one)))
        if other is not None:
            pairs[one.place] = other.place
            taken.add(other.place)
    holder = {row: one for one in now if one.place not in taken for row in one.members}
    held = {row: one for one in then if one.place not in pairs for row in one.members}
    for one in then:
        other = None if one.place in pairs or one.row is None else holder.get(one.row)
        if other is not None and other.place not in taken:
            pairs[one.place] = other.place
            taken.add(other.place)
    for one in now:
        other = None if one.place in taken or one.row is None else held.get(one.row)
        if other is not None and other.place not in pairs:
            pairs[other.place] = one.place
            taken.add(one.place)
    return pairs


def _first(alert: RunAlert) -> int:
    return alert.stored_id if alert.kind == "incident" or alert.row is None else alert.row


def _wanted(run: Run, countries: Sequence[str] | None) -> list[RunAlert]:
    return [one for one in run.raised if countries is None or one.country in countries]


def _members(columns: Columns, alerts: Iterable[RunAlert]) -> set[int]:
    return {int(columns.mention_id[row]) for one in alerts for row in one.members}


def _mentions(columns: Columns, countries: Sequence[str] | None) -> int:
    if countries is None:
        return len(columns)
    wanted = [place for place, code in enumerate(columns.countries) if code in countries]
    return sum(int((columns.country == place).sum()) for place in wanted)


def _timezone(config: Config, countries: Sequence[str] | None) -> ZoneInfo:
    """Return the clock by which days are counted: of the one country, else head office's, else the first country's."""
    if countries is not None and len(countries) == 1 and countries[0] in config.countries:
        return ZoneInfo(config.countries[countries[0]].timezone)
    if config.head_office:
        return ZoneInfo(config.teams[config.head_office].timezone)
    return ZoneInfo(next((one.timezone for one in config.countries.values()), "UTC"))


def _days(columns: Columns, zone: ZoneInfo) -> list[str]:
    first, last = columns.since.astimezone(zone).date(), columns.until.astimezone(zone)
    end = last.date().toordinal() + (last.time() > last.min.time())
    return [date.fromordinal(day).isoformat() for day in range(first.toordinal(), end)]


class _Side:
    """One of the two runs, with the configuration whose hours and targets hold for it."""

    def __init__(
        self, columns: Columns, run: Run, alerts: Sequence[RunAlert], config: Config, judged: Mapping[int, bool]
    ) -> None:
        self._columns, self._run, self._alerts, self._config = columns, run, alerts, config
        self._workplaces = Workplaces(config)
        places = Places(config)
        self.climber = Climber(columns, config, self._workplaces, lambda one: places.repeat_s(columns, one))
        self.said = verdicts(columns, run, judged)

    def effects(self, zone: ZoneInfo, countries: Sequence[str] | None) -> Effects:
        """Return what it asks of people."""
        span = self._columns.since, self._columns.until
        return Effects(
            tally=_tally(self._columns, self._run, self._alerts, zone, countries),
            teams=tuple(
                one
                for one in team_loads(self._alerts, self._config, self._workplaces, span)
                if one.alerts or one.team in self._teams(countries)
            ),
            receivers=tuple(receiver_loads(self._alerts, self._config, self._workplaces)),
            precision=precision(self.said, self._alerts),
            climbed=self.climber.climb(self._alerts),
        )

    def _teams(self, countries: Sequence[str] | None) -> set[str]:
        return {one.team for code, one in self._config.countries.items() if countries is None or code in countries}


def _tally(
    columns: Columns, run: Run, alerts: Sequence[RunAlert], zone: ZoneInfo, countries: Sequence[str] | None
) -> Tally:
    by_day: dict[str, Counter[int]] = {}
    by_team: dict[str, Counter[str]] = {}
    by_receiver: dict[str, Counter[str]] = {}
    for one in alerts:
        day = moment(one.opened_us).astimezone(zone).date().isoformat()
        by_day.setdefault(day, Counter())[one.severity] += 1
        by_team.setdefault(one.team, Counter())[day] += 1
        for name in one.receivers:
            by_receiver.setdefault(name, Counter())[day] += 1
    return Tally(
        total=len(alerts),
        by_day={day: dict(counts) for day, counts in sorted(by_day.items())},
        by_team={name: dict(counts) for name, counts in by_team.items()},
        by_receiver={name: dict(counts) for name, counts in by_receiver.items()},
        by_severity=dict(Counter(one.severity for one in alerts)),
        by_country=dict(Counter(one.country for one in alerts)),
        by_outcome=_outcomes(columns, run, countries),
    )


def _outcomes(columns: Columns, run: Run, countries: Sequence[str] | None) -> dict[str, int]:
    wanted = [countries is None or code in countries for code in columns.countries]
    counted = np.bincount(run.outcome[np.array(wanted or [True])[columns.country]], minlength=len(OUTCOMES))
    return {name: int(count) for name, count in zip(OUTCOMES, counted, strict=True) if count}


def _change(then: Run, now: Run, pairs: Mapping[int, int]) -> Change:
    both = [(then.alerts[one], now.alerts[other]) for one, other in pairs.items()]
    severer = sum(new.severity > old.severity for old, new in both)
    milder = sum(new.severity < old.severity for old, new in both)
    elsewhere = [set(old.receivers) != set(new.receivers) for old, new in both]
    other_team = [old.team != new.team for old, new in both]
    same = sum(
        old.severity == new.severity and not moved and not other
        for (old, new), moved, other in zip(both, elsewhere, other_team, strict=True)
    )
    return Change(severer, milder, sum(elsewhere), sum(other_team), same)


def _happened(columns: Columns, countries: Sequence[str] | None) -> Climbed:
    total = Climbed()
    for one in columns.raised:
        if countries is None or one.fact.country in countries:
            told = Counter(one.told)
            total += Climbed(told["reminded"], told["repeated"], told["escalated"] + told["missed"])
    return total


class _Words:
    """Puts alerts into words that people read: their posts come from the store, the few that are shown alone."""

    def __init__(self, columns: Columns, store: Store, most: int) -> None:
        self._columns, self._store, self._most = columns, store, most

    def entries(
        self,
        alerts: Sequence[RunAlert],
        said: Mapping[int, Said],
        because: Callable[[RunAlert], tuple[str, ...]],
    ) -> tuple[Entry, ...]:
        """Return the severest alerts, of these those of the highest priority."""
        chosen = sorted(alerts, key=lambda one: (-one.severity, -one.priority, one.place))[: self._most]
        matches = [int(self._columns.match_id[one.row]) for one in chosen if one.row is not None]
        posts = self._store.decisions.shown(matches)
        entries = []
        for one in chosen:
            post = None if one.row is None else posts.get(int(self._columns.match_id[one.row]))
            entries.append(
                Entry(
                    **self._facts(one),
                    author=post.author if post else "",
                    text=post.text if post else "",
                    url=post.url if post else None,
                    because=because(one),
                    verdict=said.get(one.place),
                )
            )
        return tuple(entries)

    def _facts(self, alert: RunAlert) -> dict[str, Any]:
        columns, row = self._columns, alert.row
        letter = "I" if alert.kind == "incident" else "A"
        return {
            "kind": alert.kind,
            "reference": f"{letter}-{alert.stored_id}" if alert.stored_id else "",
            "at": moment(alert.opened_us),
            "brand": alert.brand,
            "country": alert.country,
            "team": alert.team,
            "severity": alert.severity,
            "topic": alert.topic,
            "network": "" if row is None else columns.networks[columns.network[row]],
            "language": "" if row is None else columns.languages[columns.language[row]],
            "priority": alert.priority,
            "complaint": None if row is None else float(columns.complaint[row]),
            "urgent": None if row is None else float(columns.high[row]),
            "influence": None if row is None else float(columns.influence[row]),
            "rules": alert.rules,
            "receivers": alert.receivers,
        }
