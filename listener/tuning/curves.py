"""Stricter and looser thresholds of one country, one after the other, and what each of them would have made of a span.

A path, not a free search: from the present thresholds on, each step moves one of them so that the least is lost for
every alert that goes. So every setting on it is stricter than the one before, and what is lost never comes back.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from listener.config import Config
from listener.shares import Share
from listener.tuning.columns import Columns, Flags, Floats, Ints, moment
from listener.tuning.deciding import decide_rows
from listener.tuning.joining import Run, RunAlert, run_rules
from listener.tuning.verdicts import Said
from listener.tuning.verdicts import verdicts as verdicts_on

Settings = Mapping[str, float]
"""Thresholds by name."""
KNOBS = ("priority", "complaint", "influence", "praise", "urgent")
"""What is tuned; among equals the first is moved first."""
_STRICTEST = {"complaint": 0.9, "influence": 0.95, "praise": 0.95}
_LOOSEST = {"priority": 0.1, "complaint": 0.3, "influence": 0.3, "praise": 0.3, "urgent": 0.05}
_GRAIN = 0.01
_STEPS = 40
"""In so many steps of about equal size all alerts that may go would go."""
_COARSE = 3
_LOOSER_STEPS = 4
_LOOSER_SHARE = 0.2
_MOST_STEPS = 200
_MOVES = (
    *((knob,) for knob in KNOBS),
    ("priority", "influence"),
    ("priority", "urgent"),
    ("priority", "influence", "urgent"),
)
"""What goes up together in one step: a post that two rules hold for is let go by neither of them alone."""
_OF_SEVERITY = {1: 1.0, 2: 2.0, 3: 4.0}
_OF_THE_URGENT = 10.0
"""What it costs to be silent on a post of the highest urgency, where a complaint of severity 1 costs 1."""
_OF_THE_USEFUL = 3.0
"""The same of an alert that people found right, where others cost what they are likely to be."""
_UNKNOWN = 0.5
"""Taken for the chance that praise is worth telling of, which nothing estimates; only to choose what goes first."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """What one setting would have made of the span."""

    settings: Settings
    days: float
    alerts: int
    """Raised in the span, bursts among them."""
    bursts: int
    busiest: tuple[date, int] | None
    by_severity: Mapping[int, int]
    precision: Share
    """Of its alerts that people gave a verdict on, those that they found right."""
    expected: float
    """Mean probability of a complaint, by the model, of the posts that raise its alerts; praise left out."""
    complaints_told: float
    """Of all complaints expected among the posts of the span, the share that is in an alert."""
    urgent_told: float
    """Of all posts of the highest urgency expected, the share that is in an alert."""
    misses: int
    """Posts that people say are complaints and that are in no alert."""
    lost: tuple[RunAlert, ...] = ()
    """Alerts that the present settings raise and of which no post would be in an alert."""
    lost_useful: int = 0
    """Of those, how many people found right."""
    gained: int = 0
    """Alerts of which no post is in one at present."""

    @property
    def per_day(self) -> float:
        """Alerts a day, as a mean."""
        return self.alerts / self.days


class Curve:
    """Tries settings of one country on a span. Nothing is stored."""

    def __init__(
        self,
        columns: Columns,
        config: Config,
        country: str,
        judged: Mapping[int, bool],
        days: float,
    ) -> None:
        """Decide on the span as it stands.

        Args:
            columns: what was decided on in the span.
            config: the configuration in force.
            country: whose thresholds are tuned.
            judged: by mention, whether people's last word is that it is a complaint.
            days: length of the span.
        """
        self._columns, self._config, self._country = columns, config, country
        self._judged, self._days = judged, days
        self._own = np.array([code == country for code in columns.countries] or [False], np.bool_)[columns.country]
        self._timezone = ZoneInfo(config.countries[country].timezone)
        thresholds = config.countries[country].thresholds
        self.now: Settings = {knob: float(getattr(thresholds, knob)) for knob in KNOBS}
        self._strictest = {**_STRICTEST, "priority": thresholds.severity_3, "urgent": thresholds.severity_3_urgent}
        self._points: dict[tuple[float, ...], Point] = {}
        self._run = self._decide(self.now)
        self._said = verdicts_on(columns, self._run, judged)
        complain = [mention_id for mention_id, complains in judged.items() if complains]
        self._complaints = np.flatnonzero(np.isin(columns.mention_id, complain) & self._own)

    @cached_property
    def present(self) -> Point:
        """What the present settings make of the span."""
        return self.at(self.now)

    @cached_property
    def stricter(self) -> list[Settings]:
        """Settings ever stricter, the present ones left out; an alert of severity 3 is lost by none of them."""
        return list(_Path(self, self._run, self._said).stricter())

    @cached_property
    def righter(self) -> list[Settings]:
        """The same, chosen so that of what is left as much as possible is right, whatever its severity."""
        return list(_Path(self, self._run, self._said).stricter(righter=True))

    @cached_property
    def looser(self) -> list[Settings]:
        """A few settings ever looser, the present ones left out."""
        return list(_Path(self, self._run, self._said).looser())

    def at(self, settings: Settings) -> Point:
        """Return what a setting would have made of the span, every post decided on anew."""
        key = tuple(settings[knob] for knob in KNOBS)
        if key not in self._points:
            run = self._run if settings is self.now else self._decide(settings)
            self._points[key] = self._point(settings, run)
        return self._points[key]

    def strictest(self, knob: str) -> float:
        """Return how far a threshold may go up: what is beyond is of severity 3, or hardly ever reached."""
        return max(self.now[knob], self._strictest[knob])

    def loosest(self, knob: str) -> float:
        """Return how far a threshold may go down before nearly everything is told."""
        return min(self.now[knob], _LOOSEST[knob])

    def config_with(self, settings: Settings) -> Config:
        """Return the configuration with other thresholds for the country."""
        own = self._config.countries[self._country]
        changed = own.model_copy(update={"thresholds": own.thresholds.model_copy(update=dict(settings))})
        return self._config.model_copy(update={"countries": {**self._config.countries, self._country: changed}})

    def scores(self) -> "Scores":
        """Return what the rules look at, of every row."""
        columns = self._columns
        verdicts = decide_rows(columns, self._config)
        praise = [place for place, name in enumerate(columns.topics) if name == "praise"]
        return Scores(
            columns.complaint,
            columns.high,
            verdicts.priority,
            columns.scores(verdicts.counts)[0],
            np.isin(columns.topic, praise) & columns.positive,
            verdicts.counts & self._own,
            verdicts.counts & self._own & ~verdicts.old,
            columns.groups[: len(columns)],
        )

    def said(self, alert: RunAlert) -> Said | None:
        """Return what people said of an alert that the present settings raise; None where nobody did."""
        return self._said.get(alert.place)

    def _decide(self, settings: Settings) -> Run:
        return run_rules(self._columns, self.config_with(settings), country=self._country)

    def _point(self, settings: Settings, run: Run) -> Point:
        raised = run.raised
        posts = [one for one in raised if one.kind == "post"]
        days = Counter(moment(one.opened_us).astimezone(self._timezone).date() for one in raised)
        said = verdicts_on(self._columns, run, self._judged)
        told = run.alert >= 0
        lost = tuple(one for one in self._run.raised if one.kind == "post" and not told[one.members].any())
        before = self._run.alert >= 0
        return Point(
            settings=dict(settings),
            days=self._days,
            alerts=len(raised),
            bursts=len(raised) - len(posts),
            busiest=max(days.items(), key=lambda item: (item[1], item[0])) if days else None,
            by_severity={level: sum(one.severity == level for one in raised) for level in (3, 2, 1)},
            precision=Share(sum(one == "useful" for one in said.values()), len(said)),
            expected=self._expected(posts),
            complaints_told=_share(self._columns.complaint, told, self._counted),
            urgent_told=_share(self._columns.high, told, self._counted),
            misses=int((~told[self._complaints]).sum()),
            lost=lost,
            lost_useful=sum(self._said.get(one.place) == "useful" for one in lost),
            gained=sum(not before[one.members].any() for one in posts),
        )

    @cached_property
    def fresh(self) -> Flags:
        """True for posts of any country that are listened to and not too old to raise an alert."""
        verdicts = decide_rows(self._columns, self._config)
        return verdicts.counts & ~verdicts.old

    @cached_property
    def _counted(self) -> Flags:
        return decide_rows(self._columns, self._config).counts & self._own

    def _expected(self, posts: Sequence[RunAlert]) -> float:
        rows = [one.row for one in posts if one.row is not None and one.rules != ("praise",)]
        return float(self._columns.complaint[rows].mean()) if rows else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What the rules look at, one row per post."""

    complaint: Floats
    high: Floats
    priority: Floats
    influence: Floats
    praise: Flags
    own: Flags
    """True where it is the country's and listened to."""
    may: Flags
    """True where, besides, it is not too old to raise an alert."""
    group: Ints
    """The same for posts that could ever meet in one alert."""

    def of(self, rows: Ints | Flags) -> "Scores":
        """Return those of some rows."""
        return Scores(*(getattr(self, name)[rows] for name in Scores.__slots__))

    def raises(self, settings: Settings) -> Flags:
        """Return which rows would raise an alert by themselves, as `alerts.rules` decides."""
        complains = self.complaint >= settings["complaint"]
        carries = (self.priority >= settings["priority"]) | (self.influence >= settings["influence"])
        thanks = self.praise & ~complains & (self.influence >= settings["praise"])
        return self.may & ((self.high >= settings["urgent"]) | (complains & carries) | thanks)

    @property
    def chance(self) -> Floats:
        """How likely each is a complaint, by the model."""
        return np.where(self.praise, _UNKNOWN, self.complaint)


@dataclass(frozen=True, slots=True)
class _Step:
    settings: Settings
    removed: int
    useful: bool
    """Whether it loses an alert that people found right."""
    cost: float
    right: float
    """How many of the alerts that it loses are right, as far as known or likely."""
    place: int

    is_coarse: bool
    """Whether it loses far more than a step should: what is finer comes first."""

    @property
    def most_wrong(self) -> tuple[bool, float, int, int]:
        """What is most likely wrong goes first."""
        return (self.is_coarse, self.right / self.removed, self.removed, self.place)

    @property
    def least_worth(self) -> tuple[bool, bool, float, int, int]:
        """Steps that lose an alert found right go last; then what costs least for each alert that goes."""
        return (self.useful, self.is_coarse, self.cost / self.removed, self.removed, self.place)


class _Path:
    """Chooses the steps by looking at the posts of each alert, without deciding on everything anew."""

    def __init__(self, curve: Curve, run: Run, verdicts: Mapping[int, Said]) -> None:
        self._curve, self._run = curve, run
        self._all = curve.scores()
        alerts = [one for one in run.raised if one.kind == "post" and one.members]
        rows = np.array([row for one in alerts for row in one.members], np.int64)
        self._scores = self._all.of(rows)
        sizes = [len(one.members) for one in alerts]
        self._starts = np.cumsum([0, *sizes[:-1]]) if alerts else np.zeros(0, np.int64)
        severest = self._scores.of((run.severity[rows] == 3) & self._scores.own)
        self._cannot_wait = replace(severest, may=severest.own)  # an old post raises none, but makes one severer
        # Of what is severe by a fresh post of another country, that post raises an alert of its own.
        fresh = (run.severity == 3) & curve.fresh
        self._severest = np.array([one.severity == 3 and not fresh[one.members].any() for one in alerts], np.bool_)
        raising = np.array([one.row for one in alerts], np.int64)
        level = np.array([_OF_SEVERITY.get(one.severity, 1.0) for one in alerts], np.float64)
        said = [verdicts.get(one.place) for one in alerts]
        self._useful = np.array([one == "useful" for one in said], np.bool_)
        wrong = np.array([one == "noise" for one in said], np.bool_)
        chance = self._all.chance[raising]
        unknown = chance * level + self._all.high[raising] * _OF_THE_URGENT
        known = np.where(wrong, 0.0, _OF_THE_USEFUL * level)
        self._cost = np.where(wrong | self._useful, known, unknown)
        self._right = np.where(wrong, 0.0, np.where(self._useful, 1.0, chance))

    def stricter(self, *, righter: bool = False) -> Iterator[Settings]:
        """Yield settings ever stricter; with `righter` alerts that are likely wrong go first, else the least worth."""
        settings, alive = self._curve.now, np.ones(len(self._cost), np.bool_)
        size = max(1, round(len(self._cost) / _STEPS))
        for _ in range(_MOST_STEPS):
            steps = [step for place in range(len(_MOVES)) for step in self._steps(settings, alive, place, size)]
            if not steps:
                return
            settings = min(steps, key=lambda step: step.most_wrong if righter else step.least_worth).settings
            alive &= self._alive(settings)
            yield settings

    def _steps(self, settings: Settings, alive: Flags, place: int, size: int) -> Iterator[_Step]:
        """Yield how far thresholds may go up: until `size` alerts go, and until the first found right would."""
        ends = {**settings, **{knob: self._curve.strictest(knob) for knob in _MOVES[place]}}
        ways = between(settings, ends)
        ways = ways[: _last(ways, self._keeps_what_cannot_wait) + 1]
        enough = _last(ways, lambda way: int((alive & ~self._alive(way)).sum()) < size) + 1
        harmless = _last(ways, lambda way: not (alive & ~self._alive(way) & self._useful).any())
        for index in {min(enough, len(ways) - 1), min(enough, harmless)} - {-1}:
            gone = alive & ~self._alive(ways[index])
            if gone.any():
                yield _Step(
                    settings=ways[index],
                    removed=int(gone.sum()),
                    useful=bool(self._useful[gone].any()),
                    cost=float(self._cost[gone].sum()),
                    right=float(self._right[gone].sum()),
                    place=place,
                    is_coarse=bool(gone.sum() > _COARSE * size),
                )

    def _keeps_what_cannot_wait(self, settings: Settings) -> bool:
        return bool(self._cannot_wait.raises(settings).all() and self._alive(settings)[self._severest].all())

    def _alive(self, settings: Settings) -> Flags:
        """Return of which alerts any post would still raise one."""
        raises = self._scores.raises(settings)
        alive: Flags = np.logical_or.reduceat(raises, self._starts) if len(self._starts) else np.zeros(0, np.bool_)
        return alive

    def looser(self) -> Iterator[Settings]:
        """Yield settings ever looser, by what most likely are complaints."""
        quiet = self._all.of((self._run.alert < 0) & self._all.may)
        settings, size = self._curve.now, max(3, round(len(self._cost) * _LOOSER_SHARE))
        for _ in range(_LOOSER_STEPS):
            found = [step for knob in KNOBS if (step := self._looser(quiet, settings, knob, size)) is not None]
            if not found:
                return
            settings = max(found, key=lambda step: (step.cost / step.removed, -step.place)).settings
            quiet = quiet.of(~quiet.raises(settings))
            yield settings

    def _looser(self, quiet: Scores, settings: Settings, knob: str, size: int) -> _Step | None:
        ways = between(settings, {**settings, knob: self._curve.loosest(knob)})
        if not ways:
            return None
        few = _last(ways, lambda way: _groups(quiet, way) < size)
        made = ways[min(few + 1, len(ways) - 1)]
        count = _groups(quiet, made)
        if not count:
            return None
        likely = float(quiet.chance[quiet.raises(made)].mean()) * count
        return _Step(made, count, False, likely, likely, KNOBS.index(knob), count > _COARSE * size)


def between(start: Settings, end: Settings) -> list[Settings]:
    """Return settings with two decimals on the way from behind `start` to `end`, as fine as they get."""
    count = max(round(abs(end[knob] - start[knob]) / _GRAIN) for knob in KNOBS)
    ways: list[Settings] = []
    for place in range(1, count + 1):
        way = {knob: _at(start[knob], end[knob], place / count) for knob in KNOBS}
        if way != (ways[-1] if ways else dict(start)):
            ways.append(way)
    return ways


def _at(start: float, end: float, share: float) -> float:
    """Return a value on the way, with two decimals, not beyond either end."""
    if start == end:
        return start
    value = round(start + (end - start) * share, 2)
    return min(max(value, min(start, end)), max(start, end))


def _groups(scores: Scores, settings: Settings) -> int:
    return len(np.unique(scores.group[scores.raises(settings)]))


def _last(ways: Sequence[Settings], holds: Callable[[Settings], bool]) -> int:
    """Return the place of the last for which something holds that holds up to some of them; -1 where for none."""
    low, high = -1, len(ways)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(ways[middle]) else (low, middle)
    return low


def _share(weights: Floats, told: Flags, counted: Flags) -> float:
    total = float(weights[counted].sum())
    return float(weights[counted & told].sum()) / total if total else math.nan
