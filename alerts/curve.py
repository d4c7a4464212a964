"""The curve of an incident: a picture drawn with matplotlib, and one line of characters where no picture can go.

Nothing that customers wrote stands in the picture.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from io import BytesIO
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from alerts.card import CurvePoint, IncidentCard

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_POINTS = 400
_DPI = 100
_BARS = "▁▂▃▄▅▆▇█"
_DARK, _MIDDLE, _LIGHT, _FAINT = "#1d1c1d", "#5b6770", "#9aa5ad", "#e4e8eb"
_DATES = ["%Y", "%b", "%a %d %b", "%H:%M", "%H:%M", "%S"]
_ROUND_DATES = ["", "%Y", "%a %d %b", "%a %d %b", "%H:%M", "%H:%M"]
_BURST, _CALM = "#a8281c", "#c3cbd1"


def sparkline(points: Sequence[CurvePoint], most: int = 60) -> str:
    """Return the curve in characters, one an interval: "▁▁▂▅█▆", the latest `most` intervals; empty without points."""
    counts = [max(point.count, 0.0) if isfinite(point.count) else 0.0 for point in points[-most:]]
    top = max(counts, default=0.0)
    if not counts:
        return ""
    return "".join(_BARS[min(int(count / top * len(_BARS)), len(_BARS) - 1)] if top else _BARS[0] for count in counts)


def curve_png(card: IncidentCard, width: int = 900, height: int = 420) -> bytes:
    """Return the incident's curve as a PNG of `width` by `height` pixels, the same for the same card.

    Bars are what was counted in each interval, dark while the burst lasted; the stepped line is what is usual.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    _draw(figure, card)
    out = BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return out.getvalue()


def _draw(figure: "Figure", card: IncidentCard) -> None:
    zone = _zone(card.timezone)
    points = card.curve[-MAX_POINTS:]
    axes = figure.add_axes((0.06, 0.13, 0.89, 0.72))
    _frame(axes)
    if not points:
        axes.text(0.5, 0.5, "no counts yet", ha="center", va="center", transform=axes.transAxes, color=_MIDDLE)
        axes.set_xticks([])
        return
    step = _step(points)
    top = 1.42 * max(1.0, *(max(point.count, point.expected) for point in points))
    axes.set_ylim(0, top)
    _bars(axes, points, step, card)
    _usual(axes, points, step)
    _marks(axes, card, points, step, top)
    _time_axis(axes, points, step, zone)
    _headline(figure, step, zone)


def _frame(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LIGHT)
    axes.tick_params(colors=_MIDDLE, labelsize=11, length=0, pad=6)
    axes.grid(axis="y", color=_FAINT, linewidth=1)
    axes.set_axisbelow(True)


def _bars(axes: "Axes", points: Sequence[CurvePoint], step: timedelta, card: IncidentCard) -> None:
    end = card.ended_at or points[-1].at + step
    colours = [_BURST if card.opened_at - step < point.at < end else _CALM for point in points]
    lefts = [_days(point.at) for point in points]
    axes.bar(lefts, [point.count for point in points], width=_length(step), align="edge", color=colours, linewidth=0)


def _usual(axes: "Axes", points: Sequence[CurvePoint], step: timedelta) -> None:
    from matplotlib.patheffects import withStroke

    edges = [_days(point.at) for point in points] + [_days(points[-1].at + step)]
    usual = [point.expected for point in points]
    line = axes.stairs(usual, edges, color=_DARK, linewidth=1.8, baseline=None)
    line.set_path_effects([withStroke(linewidth=4, foreground="white")])
    first = points[: max(1, len(points) // 6)]
    height = max(max(point.count, point.expected) for point in first)
    label = f"usual: about {_number(sum(usual) / len(usual))}"
    axes.annotate(label, (edges[0], height), (4, 5), **_beside("left", "bottom"), fontsize=11, color=_DARK)


def _marks(axes: "Axes", card: IncidentCard, points: Sequence[CurvePoint], step: timedelta, top: float) -> None:
    start, end = _days(points[0].at), _days(points[-1].at + step)
    peak = max(points, key=lambda point: point.count)
    middle = _days(peak.at) + _length(step) / 2
    side = _side((middle - start) / (end - start), 0.07, 0.93)
    words = f"peak {_number(peak.count)}"
    at = {"left": _days(peak.at), "center": middle, "right": _days(peak.at) + _length(step)}[side]
    axes.annotate(words, (at, peak.count), (0, 5), **_beside(side, "bottom"), fontsize=12, color=_DARK, weight="bold")
    zone = _zone(card.timezone)
    moments = [("began", card.opened_at), *([("over", card.ended_at)] if card.ended_at else [])]
    for row, (word, moment) in enumerate(moments):
        if points[0].at <= moment <= points[-1].at + step:
            _moment(axes, (_days(moment), top), (start, end), f"{word} {_clock(moment, zone)}", row)


def _moment(axes: "Axes", at: tuple[float, float], span: tuple[float, float], words: str, row: int) -> None:
    axes.axvline(at[0], color=_MIDDLE, linewidth=1.2, linestyle=(0, (4, 3)))
    # The first mark's words stand before it and the second's after it, where there is room.
    side = "right" if (at[0] - span[0]) / (span[1] - span[0]) > (0.25, 0.82)[row] else "left"
    offset = (-5 if side == "right" else 5, -3 - 17 * row)
    axes.annotate(words, at, offset, **_beside(side, "top"), fontsize=11, color=_MIDDLE)


def _side(share: float, low: float, high: float) -> str:
    return "left" if share < low else "right" if share > high else "center"


def _beside(side: str, vertical: str) -> dict[str, Any]:
    backing = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    return {"textcoords": "offset points", "ha": side, "va": vertical, "bbox": backing}


def _time_axis(axes: "Axes", points: Sequence[CurvePoint], step: timedelta, zone: tzinfo) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(_days(points[0].at), _days(points[-1].at + step))
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    words = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator, tz=zone, formats=_DATES, zero_formats=_ROUND_DATES, show_offset=False
    )
    axes.xaxis.set_major_formatter(words)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def _headline(figure: "Figure", step: timedelta, zone: tzinfo) -> None:
    minutes = round(step.total_seconds() / 60)
    each = "hour" if minutes == 60 else "day" if minutes == 1_440 else f"{minutes} minutes"
    figure.text(0.06, 0.93, f"Negative mentions per {each}", fontsize=13, fontweight="bold", color=_DARK)
    figure.text(0.95, 0.93, f"time of {zone}", fontsize=10, color=_MIDDLE, ha="right")


def _step(points: Sequence[CurvePoint]) -> timedelta:
    """Return the length of an interval: the shortest distance between two points."""
    gaps = [later.at - one.at for one, later in pairwise(points) if later.at > one.at]
    return min(gaps, default=timedelta(hours=1))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%a %H:%M}"


def _number(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"


def _days(moment: datetime) -> Any:
    from matplotlib.dates import date2num

    return date2num(moment)  # type: ignore[no-untyped-call]


def _length(step: timedelta) -> float:
    return step / timedelta(days=1)
