"""An incident's curve as shapes for an inline SVG, and as rows of a table for those who cannot see it.

Nothing of it is a colour or a style: the page's style sheet gives those by class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite

from alerts.card import CurvePoint, IncidentCard

WIDTH, HEIGHT = 1000, 240
"""Of the drawing, in units of its own: the page stretches it."""
_MOST_BARS = 240
_MOST_ROWS = 48
_HEADROOM = 1.08


@dataclass(frozen=True, slots=True)
class Bar:
    """What was counted in one interval."""

    x: float
    y: float
    width: float
    height: float
    is_burst: bool
    """Whether it stands within the burst."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of figures."""

    at: datetime
    count: float
    expected: float
    is_burst: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """An incident's curve, ready to be drawn."""

    bars: tuple[Bar, ...]
    usual: str
    """The stepped line of what is usual, as the `d` of an SVG path."""
    marks: tuple[float, ...]
    """Where the burst began and, if it is over, ended."""
    since: datetime
    until: datetime
    every: timedelta
    """Length of an interval."""
    highest: CurvePoint
    top: float
    """The count at the drawing's upper edge."""
    rows: tuple[Row, ...]

    @property
    def width(self) -> int:
        """The drawing's width in its own units."""
        return WIDTH

    @property
    def height(self) -> int:
        """The drawing's height in its own units."""
        return HEIGHT


def curve_of(card: IncidentCard) -> Curve | None:
    """Return the curve of an incident; None where nothing was counted yet."""
    points = [point for point in card.curve if isfinite(point.count) and isfinite(point.expected)]
    if not points:
        return None
    step = _step(points)
    points = _merged(points, _MOST_BARS)
    wide = _step(points) if len(points) > 1 else step
    end = points[-1].at + wide
    top = _HEADROOM * max(1.0, *(max(point.count, point.expected) for point in points))
    return Curve(
        bars=tuple(_bar(point, points[0].at, end, wide, top, card) for point in points),
        usual=_stairs(points, points[0].at, end, wide, top),
        marks=tuple(_marks(card, points[0].at, end)),
        since=points[0].at,
        until=end,
        every=wide,
        highest=max(points, key=lambda point: point.count),
        top=top,
        rows=tuple(
            Row(point.at, point.count, point.expected, _in_burst(point.at, wide, card))
            for point in _merged(points, _MOST_ROWS)
        ),
    )


def _bar(point: CurvePoint, since: datetime, until: datetime, step: timedelta, top: float, card: IncidentCard) -> Bar:
    left, right = _x(point.at, since, until), _x(point.at + step, since, until)
    gap = min(2.0, (right - left) * 0.15)
    height = round(HEIGHT * max(point.count, 0.0) / top, 2)
    is_burst = _in_burst(point.at, step, card)
    return Bar(round(left, 2), round(HEIGHT - height, 2), round(right - left - gap, 2), height, is_burst)


def _stairs(points: Sequence[CurvePoint], since: datetime, until: datetime, step: timedelta, top: float) -> str:
    parts = []
    for number, point in enumerate(points):
        y = round(HEIGHT * (1 - max(point.expected, 0.0) / top), 2)
        left, right = round(_x(point.at, since, until), 2), round(_x(point.at + step, since, until), 2)
        parts.append(f"{'L' if number else 'M'}{left} {y}H{right}")
    return "".join(parts)


def _marks(card: IncidentCard, since: datetime, until: datetime) -> list[float]:
    moments = [card.opened_at, *([card.ended_at] if card.ended_at else [])]
    return [round(_x(moment, since, until), 2) for moment in moments if since <= moment <= until]


def _in_burst(at: datetime, step: timedelta, card: IncidentCard) -> bool:
    return at + step > card.opened_at and (card.ended_at is None or at < card.ended_at)


def _x(moment: datetime, since: datetime, until: datetime) -> float:
    return WIDTH * ((moment - since) / (until - since))


def _step(points: Sequence[CurvePoint]) -> timedelta:
    """Return the length of an interval: the shortest distance between two points."""
    gaps = [later.at - one.at for one, later in pairwise(points) if later.at > one.at]
    return min(gaps, default=timedelta(hours=1))


def _merged(points: Sequence[CurvePoint], most: int) -> list[CurvePoint]:
    """Return at most `most` points: neighbours are added up where there are more."""
    together = -(-len(points) // most)
    groups = [points[start : start + together] for start in range(0, len(points), together)]
    return [
        CurvePoint(group[0].at, sum(one.count for one in group), sum(one.expected for one in group)) for group in groups
    ]
