"""Which thresholds meet a wish: the loosest on the curve that do, or none, with the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from listener.errors import ListenerError
from listener.tuning.budgets import Budget, needed_verdicts
from listener.tuning.curves import KNOBS, Curve, Point, Settings, between

_MOST_SHOWN = 9
_WIDEST = 0.3
"""Verdicts that leave more between the ends of the interval prove nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What is proposed for a wish."""

    wish: str
    is_precision: bool
    present: Point
    proposed: Point | None
    """None where the present settings meet the wish already, or where nothing on the curve does."""
    met: bool
    """Whether the present settings meet it already."""
    curve: tuple[Point, ...]
    """From the loosest to the strictest; the present point and the proposed one are among them."""

    @property
    def changes(self) -> dict[str, float]:
        """The thresholds that are proposed otherwise than they are."""
        now, proposed = self.present.settings, self.proposed.settings if self.proposed else {}
        return {knob: value for knob, value in proposed.items() if value != now[knob]}

    @property
    def best(self) -> Point:
        """Of the points on which enough was judged to tell, that of whose alerts most were right."""
        told = [point for point in self.curve if is_told(point)]
        return max(told, key=lambda point: point.precision.value or 0.0, default=self.present)

    @property
    def strictest(self) -> Point:
        """The strictest point of the curve."""
        return self.curve[-1]


def for_budget(curve: Curve, budget: Budget) -> Proposal:
    """Return the loosest settings that make at most so many alerts a day, as a mean."""
    return _proposal(curve, f"at most {budget.text}", lambda point: point.per_day <= budget.per_day, falls=True)


def for_precision(curve: Curve, share: float) -> Proposal:
    """Return the loosest settings of whose judged alerts at least a share was right.

    Raises:
        ListenerError: too few alerts were judged to say so.
    """
    judged, needed = curve.present.precision.whole, needed_verdicts(share)
    if judged < needed:
        raise ListenerError(
            f"people judged {judged} of the {curve.present.alerts} alerts of the span; {needed} verdicts are needed "
            f"to tell a precision of {share:g} to ten points: close alerts as answered, solved or no complaint, "
            f"take a longer span with --since, or give a --budget"
        )

    def holds(point: Point) -> bool:
        return (point.precision.value or 0.0) >= share and is_told(point)

    return _proposal(curve, f"{share:.0%} of the judged alerts right", holds, falls=False)


def is_told(point: Point) -> bool:
    """Tell whether enough of a point's alerts were judged to say how many are right."""
    low, high = point.precision.interval
    return high - low <= _WIDEST


def _proposal(curve: Curve, wish: str, holds: Callable[[Point], bool], *, falls: bool) -> Proposal:
    present = curve.present
    path = curve.stricter if falls else curve.righter
    if holds(present):
        return Proposal(wish, not falls, present, None, True, _shown(curve, None, path))
    proposed = _first_of_falling(curve, holds) if falls else _first(curve, holds)
    if proposed is not None:
        proposed = _simplified(curve, proposed, holds)
    return Proposal(wish, not falls, present, proposed, False, _shown(curve, proposed, path))


def _first_of_falling(curve: Curve, holds: Callable[[Point], bool]) -> Point | None:
    """Return the loosest point that holds, where all that are stricter than one that holds do as well."""
    path = [curve.now, *curve.stricter]
    low, high = 0, len(path) - 1
    if high == 0 or not holds(curve.at(path[high])):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(curve.at(path[middle])) else (middle, high)
    return _loosened(curve, curve.at(path[low]), curve.at(path[high]), holds)


def _first(curve: Curve, holds: Callable[[Point], bool]) -> Point | None:
    before = curve.present
    for settings in curve.righter:
        point = curve.at(settings)
        if holds(point):
            return _loosened(curve, before, point, holds)
        before = point
    return None


def _loosened(curve: Curve, before: Point, holding: Point, holds: Callable[[Point], bool]) -> Point:
    """Return the loosest point that holds between one that does not and one that does."""
    ways = between(before.settings, holding.settings)
    low, high = -1, len(ways) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(curve.at(ways[middle])) else (middle, high)
    return curve.at(ways[high]) if ways and holds(curve.at(ways[high])) else holding


def _simplified(curve: Curve, point: Point, holds: Callable[[Point], bool]) -> Point:
    """Return the point with those thresholds left alone whose change changes nothing."""
    for knob in KNOBS:
        trial = curve.at({**point.settings, knob: curve.now[knob]})
        if holds(trial) and trial.alerts == point.alerts and _lost(trial) == _lost(point):
            point = trial
    return point


def _lost(point: Point) -> set[int]:
    return {one.place for one in point.lost}


def _shown(curve: Curve, proposed: Point | None, stricter: Sequence[Settings]) -> tuple[Point, ...]:
    """Return some points from the loosest to the strictest; the present and the proposed one among them."""
    looser = [curve.at(settings) for settings in reversed(curve.looser)]
    points = [*looser, curve.present, *(curve.at(settings) for settings in _spread(stricter))]
    if proposed is not None and all(point is not proposed for point in points):
        points.append(proposed)
        points.sort(key=lambda point: (-point.alerts, sum(point.settings.values())))
    told = {_told(point) for point in (curve.present, proposed) if point is not None}
    kept = []
    for point in points:
        if point in (curve.present, proposed) or _told(point) not in told:
            told.add(_told(point))
            kept.append(point)
    return tuple(kept)


def _told(point: Point) -> float:
    """Return what tells points apart for people."""
    return round(point.per_day, 1)


def _spread(values: Sequence[Settings]) -> Sequence[Settings]:
    if len(values) <= _MOST_SHOWN:
        return values
    return [values[round(place * (len(values) - 1) / (_MOST_SHOWN - 1))] for place in range(_MOST_SHOWN)]
