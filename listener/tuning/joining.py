"""Which mentions raise an alert of their own and which join one: triage gone through again, in its own order.

Of an alert that there was, its real history says when it was closed; one that there was not stays open.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from alerts.escalation import SEVEREST
from alerts.incidents import severity as burst_severity
from alerts.ramp import in_earnest
from alerts.routing import Destination, destinations_for
from listener.config import Config
from listener.pipeline.workplaces import Workplaces
from listener.store import Store
from listener.store.incidents import interval_of
from listener.tuning.columns import (
    JOINED,
    OLD,
    RAISED,
    Carried,
    Columns,
    Floats,
    Ints,
    Raised,
    moment,
    moment_us,
)
from listener.tuning.deciding import Verdicts, decide_rows, rule_bits, rule_names


@dataclass(slots=True)
class RunAlert:
    """An alert of a run. Moments are microseconds since 1970, UTC."""

    place: int
    """In `Run.alerts`."""
    kind: str
    """`post` or `incident`."""
    brand: str
    country: str
    team: str
    topic: str
    opened_us: int
    opened_severity: int
    severity: int
    """The highest that it reached in the span."""
    priority: float
    rules: tuple[str, ...] = ()
    row: int | None = None
    """The row that raised it; None for a burst, and for one carried over from before the span."""
    pilot: bool = False
    receivers: tuple[str, ...] = ()
    stored_id: int = 0
    """The alert that there really was and whose history it has; 0 where none."""
    carried: bool = False
    """Whether it was raised before the span: then it is not counted, and mentions join it."""
    members: list[int] = field(default_factory=list)
    """Rows, the one that raised it first."""
    rises: list[tuple[int, int]] = field(default_factory=list)
    """When its severity rose, and to what."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What was, or would be, decided on each row, and the alerts that this makes."""

    outcome: Ints
    """Place in OUTCOMES."""
    severity: Ints
    """What the rules say of each row by itself, 0 where none holds. Of what was stored, known of those that raised."""
    rules: Ints
    """Bits as in `listener.tuning.deciding.RULES`. Of what was stored, known of those that raised."""
    priority: Floats
    alert: Ints
    """The alert that a row raised or joined: place in `alerts`, -1 where none."""
    alerts: tuple[RunAlert, ...]
    """All of them; those that are `carried` were raised before the span."""
    country: str | None = None
    """The country whose alerts are asked for; None for all."""

    @property
    def raised(self) -> list[RunAlert]:
        """The alerts raised in the span, bursts among them, of the country asked for."""
        return [one for one in self.alerts if not one.carried and self.country in (None, one.country)]


def run_rules(columns: Columns, config: Config, *, country: str | None = None, unheard: Collection[str] = ()) -> Run:
    """Decide on everything under a configuration. Nothing is sent or stored.

    Args:
        columns: what was decided on.
        config: whose rules, routes, teams and hours hold.
        country: whose alerts are asked for; all is decided on all the same, for mentions of several countries can
            meet in one alert.
        unheard: ids of watches whose mentions count as not collected.
    """
    verdicts = decide_rows(columns, config, unheard=unheard)
    joiner = _Joiner(columns, config, verdicts)
    joiner.run()
    alerts = [*joiner.alerts, *_incidents(columns, config, len(joiner.alerts))]
    places = Places(config)
    for one in alerts:
        if not one.carried:
            one.receivers = places.receivers(columns, one, joiner.risen.get(one.place, ()))
    return Run(
        joiner.outcome, verdicts.severity, verdicts.rules, verdicts.priority, joiner.alert, tuple(alerts), country
    )


def stored_run(columns: Columns, store: Store | None = None, *, country: str | None = None) -> Run:
    """Return what was decided then. All of it stands in the columns: the store is not asked again."""
    size = len(columns)
    alert, severity, rules = np.full(size, -1, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)
    alerts = [_carried(place, one, one.rises) for place, one in enumerate(columns.carried)]
    alerts += [_stored(place, one) for place, one in enumerate(columns.raised, len(alerts))]
    by_id = {one.stored_id: one for one in alerts}
    for row in np.flatnonzero(columns.alert_id).tolist():
        one = by_id.get(int(columns.alert_id[row]))
        if one is None:
            continue  # of another country, and only one was read
        alert[row] = one.place
        one.members.append(row)
        if columns.outcome[row] == RAISED:
            one.row = row
            severity[row], rules[row] = one.opened_severity, rule_bits(one.rules)
    return Run(columns.outcome, severity, rules, columns.priority, alert, tuple(alerts), country)


@dataclass(slots=True)
class _Shown:
    """Where an alert's cards are, while time passes over it."""

    now_with: str
    cards: dict[str, None] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    """Those that wait for an opening, and until when."""


class Places:
    """Where alerts go under a configuration, whatever is switched off at the moment."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.workplaces = Workplaces(config)
        self._known: dict[tuple[str, ...], tuple[Destination, ...]] = {}

    def receivers(self, columns: Columns, alert: RunAlert, risen: Iterable[tuple[int, int]] = ()) -> tuple[str, ...]:
        """Return who gets an alert's card: when it is opened, and when it rises by rows to severities.

        What waits because nobody works goes to the team that opens first, as the morning's summary does.
        """
        moments = [(alert.row, alert.opened_us, alert.opened_severity)]
        moments += [(row, int(columns.decided_us[row]), level) for row, level in risen]
        shown = _Shown(self.now_with(alert.country, alert.opened_us))
        for row, at_us, level in moments:
            self._settle(alert, shown, at_us)
            opening_us = self._opening_us(alert, at_us, level)
            for one in self._at(columns, alert, row, level, shown.now_with):
                options = self._config.receivers.get(one.receiver)
                if one.receiver not in shown.cards and opening_us is not None and not (options and options.at_once):
                    shown.held[one.receiver] = opening_us
                shown.cards.setdefault(one.receiver)
            if level >= SEVEREST:
                shown.held.clear()  # what cannot wait lets all cards of its alert go
        self._settle(alert, shown, moment_us(columns.until))
        return tuple(shown.cards)

    def _settle(self, alert: RunAlert, shown: "_Shown", before_us: int) -> None:
        """Let go what was held until an opening that is over: to the team that is in charge then."""
        opening_us = min(shown.held.values(), default=before_us)
        if opening_us >= before_us:
            return
        first = self.now_with(alert.country, opening_us)
        names = {name: self._covering(shown.now_with, first, name) if name in shown.held else name
                 for name in shown.cards}  # fmt: skip
        shown.cards, shown.held, shown.now_with = dict.fromkeys(names.values()), {}, first

    def _opening_us(self, alert: RunAlert, at_us: int, level: int) -> int | None:
        """Return until when a card waits because nobody works; None where it does not."""
        if level >= SEVEREST or alert.pilot:
            return None
        opening = self.workplaces.next_opening(alert.country, moment(at_us))
        return None if opening is None or moment_us(opening) <= at_us else moment_us(opening)

    def repeat_s(self, columns: Columns, alert: RunAlert) -> float | None:
        """Return after how long an alert that nobody took is told again."""
        found = self._at(columns, alert, None, alert.severity, self.now_with(alert.country, alert.opened_us))
        return min((one.repeat_interval_s for one in found), default=None)

    def now_with(self, country: str, at_us: int) -> str:
        """Return the team that looks after a country's alerts at a moment."""
        return self.workplaces.in_charge(country, moment(at_us))[0]

    def _at(
        self, columns: Columns, alert: RunAlert, row: int | None, level: int, now_with: str
    ) -> tuple[Destination, ...]:
        settings = self._config.countries[alert.country]
        if alert.pilot and settings.pilot_receiver:
            return (Destination(settings.pilot_receiver),)
        network = "" if row is None else columns.networks[columns.network[row]]
        language = "" if row is None else columns.languages[columns.language[row]]
        key = (alert.kind, alert.brand, alert.country, alert.team, alert.topic, str(level), network, language, now_with)
        if key not in self._known:
            self._known[key] = self._routed(key)
        return self._known[key]

    def _routed(self, key: tuple[str, ...]) -> tuple[Destination, ...]:
        kind, brand, country, team, topic, severity, network, language, now_with = key
        labels = {
            "kind": kind,
            "brand": brand,
            "country": country,
            "team": team,
            "topic": topic,
            "severity": severity,
            "mode": self._config.countries[country].mode,
            **({"network": network, "language": language} if network else {}),
        }
        found: dict[str, Destination] = {}
        for one in destinations_for(self._config.route, labels):
            name = self._covering(team, now_with, one.receiver)
            found.setdefault(name, replace(one, receiver=name))
        return tuple(found.values())

    def _covering(self, team: str, now_with: str, receiver: str) -> str:
        """Return the covering team's receiver in place of the closed team's own, as `Announcer` does."""
        if team == now_with:
            return receiver
        own, covering = self._config.teams.get(team), self._config.teams.get(now_with)
        replaces = own is None or own.receiver in (None, receiver)
        return covering.receiver if covering and covering.receiver and replaces else receiver


class _Joiner:
    """Goes through the rows that could be part of an alert, one by one."""

    def __init__(self, columns: Columns, config: Config, verdicts: Verdicts) -> None:
        self._columns, self._config, self._verdicts = columns, config, verdicts
        self.outcome = verdicts.outcome.copy()
        self.alert = np.full(len(columns), -1, np.int64)
        self.alerts = [_carried(place, one) for place, one in enumerate(columns.carried)]
        self.risen: dict[int, list[tuple[int, int]]] = {}
        """By alert: which rows made it severer, and how severe."""
        self._first = [one.first_posted_us for one in columns.carried]
        self._last = [one.last_posted_us for one in columns.carried]
        self._holders: dict[int, list[int]] = {}
        for place, one in enumerate(columns.carried):
            self._hold(place, one.keys)
        self._within_us = [_join_within_us(config, code) for code in columns.countries]
        self._listening = frozenset(config.countries)

    def run(self) -> None:
        """Decide on every row that an alert could take or that raises one."""
        columns, verdicts = self._columns, self._verdicts
        rows = self._rows()
        raises, old = (verdicts.rules[rows] > 0).tolist(), verdicts.old[rows].tolist()
        posted, at = columns.posted_us[rows].tolist(), columns.decided_us[rows].tolist()
        country, wanted = columns.country[rows].tolist(), columns.wanted[rows].tolist()
        for index, row in enumerate(rows.tolist()):
            place = self._live(wanted[index], posted[index], at[index], self._within_us[country[index]])
            if place >= 0 and self.alerts[place].country in self._listening:
                self._join(place, row, posted[index], at[index])
            elif raises[index]:
                if old[index]:
                    self.outcome[row] = OLD
                else:
                    self._raise(row, posted[index], at[index])

    def _rows(self) -> Ints:
        """Return the rows of all groups in which any alert is, in order."""
        columns, size = self._columns, len(self._columns)
        raises = self._verdicts.rules > 0
        groups = columns.groups
        alive = np.zeros(len(groups), np.bool_)
        alive[groups[:size][raises]] = True
        alive[groups[size:]] = True
        return np.flatnonzero(alive[groups[:size]] & self._verdicts.counts)

    def _live(self, wanted: Sequence[int], posted_us: int, at_us: int, within_us: int) -> int:
        """Return the live alert that holds the strongest tie, of several the latest; -1 where none does."""
        for key in wanted:
            best = -1
            for place in self._holders.get(key, ()):
                if (
                    place > best
                    and self._first[place] <= posted_us + within_us
                    and self._last[place] >= posted_us - within_us
                    and self._is_open(place, at_us)
                ):
                    best = place
            if best >= 0:
                return best
        return -1

    def _is_open(self, place: int, at_us: int) -> bool:
        one = self.alerts[place]
        closings = self._columns.closings.get(one.stored_id, ())
        return not any(one.opened_us <= closed < at_us < reopened for closed, reopened in closings)

    def _raise(self, row: int, posted_us: int, at_us: int) -> None:
        columns, place = self._columns, len(self.alerts)
        code = columns.countries[columns.country[row]]
        settings, level = self._config.countries[code], int(self._verdicts.severity[row])
        self.alerts.append(
            RunAlert(
                place=place,
                kind="post",
                brand=columns.brands[columns.brand[row]],
                country=code,
                team=settings.team,
                topic=columns.topics[columns.topic[row]],
                opened_us=at_us,
                opened_severity=level,
                severity=level,
                priority=float(self._verdicts.priority[row]),
                rules=rule_names(int(self._verdicts.rules[row])),
                row=row,
                pilot=not in_earnest(code, settings, self._ramp_key(row), level, moment(at_us)),
                stored_id=int(columns.alert_id[row]),
                members=[row],
            )
        )
        self._first.append(posted_us)
        self._last.append(posted_us)
        self._hold(place, columns.held[row].tolist())
        self.outcome[row], self.alert[row] = RAISED, place

    def _ramp_key(self, row: int) -> str:
        return f"{self._columns.networks[self._columns.network[row]]}/{self._columns.external_ids[row]}"

    def _join(self, place: int, row: int, posted_us: int, at_us: int) -> None:
        one, level = self.alerts[place], int(self._verdicts.severity[row])
        one.members.append(row)
        one.priority = max(one.priority, float(self._verdicts.priority[row]))
        if level > one.severity:
            one.severity = level
            one.rises.append((at_us, level))
            self.risen.setdefault(place, []).append((row, level))
        self._first[place] = min(self._first[place], posted_us)
        self._last[place] = max(self._last[place], posted_us)
        self._hold(place, self._columns.held[row].tolist())
        self.outcome[row], self.alert[row] = JOINED, place

    def _hold(self, place: int, keys: Iterable[int]) -> None:
        for key in keys:
            if key >= 0:
                holders = self._holders.setdefault(key, [])
                if place not in holders:
                    holders.append(place)


def _join_within_us(config: Config, code: str) -> int:
    settings = config.countries.get(code)
    return 0 if settings is None else timedelta(seconds=settings.join_within) // timedelta(microseconds=1)


def _carried(place: int, one: Carried, rises: Sequence[tuple[int, int]] = ()) -> RunAlert:
    fact = one.fact
    return RunAlert(
        place=place,
        kind=fact.kind,
        brand=fact.brand,
        country=fact.country,
        team=fact.team,
        topic=fact.topic,
        opened_us=moment_us(fact.opened_at),
        opened_severity=one.severity,
        severity=max([one.severity, *(level for _, level in rises)]),
        priority=fact.priority,
        rules=tuple(fact.rules),
        pilot=fact.pilot,
        stored_id=fact.id,
        carried=True,
        rises=list(rises),
    )


def _stored(place: int, one: Raised) -> RunAlert:
    fact = one.fact
    return RunAlert(
        place=place,
        kind=fact.kind,
        brand=fact.brand,
        country=fact.country,
        team=fact.team,
        topic=fact.topic,
        opened_us=moment_us(fact.opened_at),
        opened_severity=one.opened_severity,
        severity=max([one.opened_severity, *(level for _, level in one.rises)]),
        priority=fact.priority,
        rules=tuple(fact.rules),
        pilot=fact.pilot,
        receivers=one.receivers,
        stored_id=fact.id,
        rises=list(one.rises),
    )


def _incidents(columns: Columns, config: Config, first_place: int) -> Iterator[RunAlert]:
    """Yield the bursts that would be incidents as well; their heat is known, so their severity is decided anew."""
    for one in columns.incidents:
        fact, settings = one.fact, config.countries.get(one.fact.country)
        brand = config.brands.get(fact.brand)
        if settings is None or settings.mode == "off" or brand is None or brand.competitor or not settings.incidents.on:
            continue
        level = burst_severity(fact.priority, settings.incidents)
        made = _stored(first_place, one)
        key = f"incident/{fact.brand}/{fact.country}/{fact.topic}/{interval_of(fact.first_posted_at)}"
        made.team, made.severity, made.opened_severity = settings.team, level, min(made.opened_severity, level)
        made.pilot = not in_earnest(fact.country, settings, key, made.opened_severity, fact.opened_at)
        made.rises = [(at, min(reached, level)) for at, reached in made.rises if min(reached, level) > 1]
        first_place += 1
        yield made
