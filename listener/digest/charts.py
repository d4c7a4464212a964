"""The digest's charts: few, to be understood in five seconds, in grey too. Values and the reader's words come in.

Each function returns the same picture for the same arguments. A word that is empty is not drawn; None is a value
that is not known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from listener.digest.document import Picture
from listener.digest.drawing import (
    CALM,
    FAINT,
    INK,
    LINE,
    OURS,
    PALE,
    PAPER,
    QUIET,
    SMALL,
    SMALLEST,
    STRONG,
    TEXT,
    TITLE,
    Sheet,
)

Number = Callable[[float], str]
"""How a value is said in the reader's language: 1204 as "1,204", or 0.42 as "42 %"."""
Moment = Callable[[datetime], str]
"""How a local moment is said."""
Span = tuple[float, float]
"""Hours of a day, from 0 to 24: (9, 17.5)."""

WIDTH = 640
"""The width of a picture in CSS pixels: what mails and a page of A4 both take."""
MOST_BARS, MOST_ROWS, MOST_POINTS = 8, 24, 400
RAMP = ("#f4f6f8", "#d5dde5", "#a9bccd", "#7596b3", "#436f95", "#1f4e79", "#0d2a45")
"""From nothing to the most: ever darker."""
_MARGIN = 8.0
_GAP = 10.0
_DASH = "–"


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day: what was counted and what is usual for that weekday."""

    name: str
    mentions: float | None
    complaints: float | None
    usual_mentions: float | None = None
    usual_complaints: float | None = None
    holiday: str = ""
    """The holiday's name; the day is shaded where there is one."""


@dataclass(frozen=True, slots=True)
class CauseBar:
    """One irritant."""

    name: str
    value: float | None
    last: float | None = None
    trend: str = ""
    """Such as "▲ growing"."""
    strong: bool = True
    """Whether the eye should go there: new and growing ones, say."""
    history: tuple[float | None, ...] = ()
    """Week by week, the latest last."""


@dataclass(frozen=True, slots=True)
class AnswerDot:
    """One country or team."""

    name: str
    share: float | None
    """In [0, 1]; None where there is too little data: then `count` alone is shown, in grey."""
    last: float | None = None
    count: str = ""
    """Such as "n = 41"."""


@dataclass(frozen=True, slots=True)
class VoiceBar:
    """One brand."""

    name: str
    share: float | None
    last: float | None = None
    ours: bool = False
    lack: str = ""
    """Said in grey where the share is not known."""


@dataclass(frozen=True, slots=True)
class CurveBar:
    """One interval of an incident."""

    at: datetime
    count: float | None
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    value: float | None
    last: float | None
    said: str
    under: str
    colour: str
    bold: bool = False
    history: tuple[float | None, ...] = ()


def days(
    title: str, bars: Sequence[DayBar], *, number: Number, complaints: str, mentions: str, usual: str,
    note: str = "", language: str = "en", width: int = WIDTH,
) -> Picture:  # fmt: skip
    """Return complaints and, smaller under them, mentions per day as bars; a black mark shows what is `usual`."""
    sheet = Sheet(width, language)
    top = _head(sheet, title, note)
    shown = bars[:7]
    beside = max(84.0, min(sheet.narrowest(usual, SMALL) + 2, 140.0)) if usual else 0.0
    column = (width - 2 * _MARGIN - beside - 6) / max(1, len(shown))
    hurts = [(_known(bar.complaints), _known(bar.usual_complaints)) for bar in shown]
    heard = [(_known(bar.mentions), _known(bar.usual_mentions)) for bar in shown]
    said_above = any(mark is not None for _, mark in hurts)
    y = _day_panel(sheet, complaints, hurts, (top, 118, column), STRONG, number, usual)
    y = _day_panel(sheet, mentions, heard, (y + 8, 62, column), CALM, number, "" if said_above else usual)
    return sheet.crop(_day_names(sheet, shown, y, column, top) + _MARGIN).picture()


def _day_panel(
    sheet: Sheet, name: str, pairs: Sequence[tuple[float | None, float | None]], place: tuple[float, float, float],
    colour: str, number: Number, usual: str,
) -> float:  # fmt: skip
    """Draw one row of bars under its name; `place` is its top, its bars' height and a day's width. Return its end."""
    y, height, column = place
    rows = sheet.lines(name, sheet.width - 2 * _MARGIN, TEXT, most=1, bold=True)
    head = sheet.write(rows, _MARGIN, y, TEXT, bold=True)
    base = head + 24 + height
    scale = height / (max((one for pair in pairs for one in pair if one is not None), default=0) or 1)
    for day, (value, mark) in enumerate(pairs):
        middle = _MARGIN + column * (day + 0.5)
        rise, tick = (value or 0) * scale, None if mark is None else mark * scale
        sheet.bar(middle - column * 0.31, base - rise, column * 0.62, rise, colour)
        if tick is not None:
            sheet.bar(middle - column * 0.31, base - tick - 2, column * 0.62, min(4, max(0, rise - tick + 2)), PAPER)
            sheet.line((middle - column * 0.4, middle + column * 0.4), (base - tick, base - tick), INK, 2.2)
        # The number stands on the bar, or on the mark where the mark would cross it.
        foot = tick if tick is not None and rise - 3 < tick < rise + 21 else rise
        known = value is not None
        look: dict[str, Any] = {
            "align": "center",
            "width": column - 4,
            "bold": known,
            "colour": INK if known else QUIET,
        }
        sheet.word(_said(value, number), middle, base - foot - 12, TEXT, **look)
    right = _MARGIN + column * len(pairs)
    sheet.line((_MARGIN, right), (base, base), QUIET, 1)
    ticks = [base - mark * scale for _, mark in pairs if mark is not None]
    if ticks:
        rows = sheet.lines(usual, sheet.width - _MARGIN - right - 6, SMALL, most=5)
        _beside(sheet, rows, right + 6, ticks[-1], (head, base))
    return base


def _beside(sheet: Sheet, rows: Sequence[str], x: float, middle: float, within: tuple[float, float]) -> None:
    """Write lines about `middle` and wholly within a height."""
    tall = SMALL * LINE * len(rows)
    sheet.write(rows, x, max(within[0], min(middle - tall / 2, within[1] - tall)), SMALL, colour=QUIET)


def _day_names(sheet: Sheet, bars: Sequence[DayBar], y: float, column: float, top: float) -> float:
    """Write the days' names and holidays under the panels; return where they end."""
    for place, bar in enumerate(bars):
        middle = _MARGIN + column * (place + 0.5)
        sheet.word(bar.name, middle, y + 13, TEXT, align="center", width=column - 4, bold=bool(bar.holiday))
    under = all(_short(sheet, bar.holiday, column - 6) for bar in bars)
    end = _holidays_under(sheet, bars, y + 26, column) if under else y + 24
    for place, bar in enumerate(bars):
        if bar.holiday:
            sheet.bar(_MARGIN + column * place + 1, top, column - 2, end + 2 - top, FAINT, layer="under")
    return end if under else _holidays_listed(sheet, bars, end + 5)


def _short(sheet: Sheet, text: str, width: float) -> bool:
    """Return whether a text fits in two lines without a broken word."""
    return sheet.narrowest(text, SMALL) <= width and not any(
        row.endswith("…") for row in sheet.lines(text, width, SMALL)
    )


def _holidays_under(sheet: Sheet, bars: Sequence[DayBar], y: float, column: float) -> float:
    ends = [y]
    for place, bar in enumerate(bars):
        rows = sheet.lines(bar.holiday, column - 6, SMALL)
        ends.append(sheet.write(rows, _MARGIN + column * (place + 0.5), y, SMALL, colour=QUIET, align="center"))
    return max(ends) + 2


def _holidays_listed(sheet: Sheet, bars: Sequence[DayBar], y: float) -> float:
    names = min(max(sheet.length(bar.name, SMALL, bold=True) for bar in bars if bar.holiday), 120.0)
    for bar in bars:
        if bar.holiday:
            sheet.word(bar.name, _MARGIN, y + SMALL * LINE / 2, SMALL, bold=True, width=names + 1)
            left = _MARGIN + names + 8
            rows = sheet.lines(bar.holiday, sheet.width - _MARGIN - left, SMALL)
            y = max(y + SMALL * LINE, sheet.write(rows, left, y, SMALL, colour=QUIET)) + 2
    return y


def causes(
    title: str, bars: Sequence[CauseBar], *, number: Number, last: str, history: str = "", nothing: str = "",
    note: str = "", language: str = "en", width: int = WIDTH,
) -> Picture:  # fmt: skip
    """Return the irritants as bars, the greatest first, at most eight.

    A black mark shows `last` week's value; `history` heads the small curves; `nothing` is said where no irritant is.
    """
    ordered = sorted(bars, key=lambda bar: -(_known(bar.value) or 0))[:MOST_BARS]
    rows = [
        _Row(bar.name, _known(bar.value), _known(bar.last), _said(_known(bar.value), number), bar.trend,
             STRONG if bar.strong else CALM, bar.strong, tuple(map(_known, bar.history[-12:])))
        for bar in ordered
    ]  # fmt: skip
    sheet = Sheet(width, language)
    return _rows(sheet, _head(sheet, title, note), rows, (last, history, nothing)).picture()


def voice_share(
    title: str, bars: Sequence[VoiceBar], *, share: Number, last: str, nothing: str = "", note: str = "",
    language: str = "en", width: int = WIDTH,
) -> Picture:  # fmt: skip
    """Return each brand's share of voice as a bar, the greatest first, ours dark; a black mark shows `last` week's."""
    ordered = sorted(bars, key=lambda bar: -(_known(bar.share) or 0))[:MOST_ROWS]
    rows = [
        _Row(bar.name, _known(bar.share), _known(bar.last), _said(_known(bar.share), share, bar.lack), "",
             OURS if bar.ours else CALM, bar.ours)
        for bar in ordered
    ]  # fmt: skip
    sheet = Sheet(width, language)
    return _rows(sheet, _head(sheet, title, note), rows, (last, "", nothing)).picture()


def _rows(sheet: Sheet, y: float, rows: Sequence[_Row], words: tuple[str, str, str]) -> Sheet:
    """Draw bars under each other: name, bar, number with a word under it, and a small curve at the right."""
    last, history, nothing = words
    if not rows:
        return _empty(sheet, y, nothing)
    frame = _frame(sheet, rows)
    names = [sheet.lines(row.name, frame.names, TEXT, bold=row.bold, most=3) for row in rows]
    heights = [
        max(TEXT * LINE * len(lines), 36 if row.under else 24) + 9 for row, lines in zip(rows, names, strict=True)
    ]
    marks = [None if row.last is None else frame.left + row.last * frame.scale for row in rows]
    start = top = _row_heads(sheet, y, frame, last if any(marks) else "", marks, history)
    first = next((place for place, mark in enumerate(marks) if mark is not None), None)
    for place, (row, lines, height, mark) in enumerate(zip(rows, names, heights, marks, strict=True)):
        middle = top + height / 2
        sheet.block(lines, _MARGIN, middle - TEXT * LINE * len(lines) / 2, TEXT, bold=row.bold)
        if place == first and last and mark is not None:
            sheet.line((mark, mark), (start - 2, middle), QUIET, 1, over=1)
        _row(sheet, row, frame, mark, middle)
        top += height
    sheet.line((frame.left, frame.left), (start, top), QUIET, 1)
    return sheet.crop(top + _MARGIN)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the columns of a chart of rows stand."""

    names: float
    left: float
    right: float
    said: float
    curve: float
    scale: float


def _frame(sheet: Sheet, rows: Sequence[_Row]) -> _Frame:
    names = max(sheet.length(row.name, TEXT, bold=row.bold) for row in rows)
    words = max(sheet.narrowest(row.name, TEXT, bold=row.bold) for row in rows)
    names = max(60.0, min(names + 2, sheet.width * 0.34), min(words + 2, sheet.width * 0.42))
    curve = 92.0 if any(len(row.history) > 1 for row in rows) else 0.0
    said = max(max(sheet.length(row.said, TEXT, bold=True), sheet.length(row.under, SMALL)) for row in rows)
    said = min(said + 2, 124.0)
    left = _MARGIN + names + _GAP
    right = sheet.width - _MARGIN - curve - (16 if curve else 0) - said - 8
    most = max((one for row in rows for one in (row.value, row.last) if one), default=0)
    return _Frame(names, left, right, said, curve, (right - left) / (most or 1))


def _row_heads(
    sheet: Sheet, y: float, frame: _Frame, last: str, marks: Sequence[float | None], history: str
) -> float:  # fmt: skip
    """Write what the marks and the curves are over them; return where the rows begin."""
    room = frame.right + frame.said - frame.left
    above = sheet.lines(last, min(room, 220), SMALL, most=2)
    curves = sheet.lines(history, frame.curve, SMALL, most=2) if frame.curve else []
    deep = max(len(above), len(curves)) * SMALL * LINE
    sheet.write(
        curves, sheet.width - _MARGIN, y + deep - len(curves) * SMALL * LINE, SMALL, colour=QUIET, align="right"
    )
    at = next((mark for mark in marks if mark is not None), None)
    if at is not None and above:
        half = sheet.width_of(above, SMALL) / 2
        at = max(frame.left + half, min(at, frame.left + room - half))
        sheet.write(above, at, y + deep - len(above) * SMALL * LINE, SMALL, colour=QUIET, align="center")
    return y + deep + (5 if deep else 0)


def _row(sheet: Sheet, row: _Row, frame: _Frame, mark: float | None, middle: float) -> None:
    """Draw one bar, last week's mark, the number after both where they are close, and the small curve."""
    end = frame.left + (row.value or 0) * frame.scale
    sheet.bar(frame.left, middle - 9, end - frame.left, 18, row.colour)
    if mark is not None:
        sheet.line((mark, mark), (middle - 13, middle + 13), INK, 2.4, halo=mark > frame.left + 3)
    wide = max(sheet.length(row.said, TEXT, bold=True), sheet.length(row.under, SMALL))
    after = mark if mark is not None and end - 6 < mark < end + wide + 16 else end
    look: dict[str, Any] = {
        "colour": QUIET if row.value is None else INK,
        "bold": row.value is not None,
        "width": frame.said,
    }
    sheet.word(row.said, after + 8, middle - (8 if row.under else 0), TEXT, **look)
    sheet.word(row.under, after + 8, middle + 8, SMALL, colour=QUIET, width=frame.said)
    if frame.curve:
        _curve(sheet, row, sheet.width - _MARGIN - frame.curve, middle, frame.curve)


def _curve(sheet: Sheet, row: _Row, x: float, middle: float, width: float) -> None:
    """Draw the weeks of a row as a small curve on its zero line, a dot on the last."""
    weeks = [None] * (12 - len(row.history)) + list(row.history)
    top = max((week for week in weeks if week is not None), default=0) or 1
    places = [(x + 4 + (width - 8) * place / 11, week) for place, week in enumerate(weeks)]
    sheet.line((x + 4, x + width - 4), (middle + 11, middle + 11), FAINT, 1)
    points = [(at, None if week is None else middle + 11 - 22 * week / top) for at, week in places]
    for (x_1, y_1), (x_2, y_2) in pairwise(points):
        if y_1 is not None and y_2 is not None:
            sheet.line((x_1, x_2), (y_1, y_2), QUIET, 1.6)
    if points[-1][1] is not None:
        sheet.dot(points[-1][0], points[-1][1], STRONG if row.bold else QUIET, 6)


def answers(
    title: str, dots: Sequence[AnswerDot], *, share: Number, last: str, goal: float | None = None, goal_said: str = "",
    nothing: str = "", note: str = "", language: str = "en", width: int = WIDTH,
) -> Picture:  # fmt: skip
    """Return the share answered within target per country or team, in the given order, as dots from 0 to 1.

    A hollow dot shows `last` week; `goal` is a line across all; where the share is not known the count alone is said.
    """
    sheet = Sheet(width, language)
    y = _head(sheet, title, note)
    shown = dots[:MOST_ROWS]
    if not shown:
        return _empty(sheet, y, nothing).picture()
    names = max(60.0, min(max(sheet.length(dot.name) for dot in shown) + 2, width * 0.34))
    counts = min(max(sheet.length(dot.count, SMALL) for dot in shown), 90.0)
    beside = max(sheet.length(_said(_unit(dot.share), share), TEXT, bold=True) for dot in shown) + 14
    ends = (_MARGIN + names + beside, width - _MARGIN - counts - beside - 6)
    top = _answer_heads(
        sheet, y, ends, last if any(_unit(dot.last) is not None for dot in shown) else "", goal, goal_said
    )
    rows = [sheet.lines(dot.name, names, TEXT, most=2) for dot in shown]
    heights = [TEXT * LINE * len(lines) + 13 for lines in rows]
    bottom = top + sum(heights)
    _answer_grid(sheet, ends, (top, bottom), share, goal)
    for dot, lines, height in zip(shown, rows, heights, strict=True):
        sheet.block(lines, _MARGIN, top + height / 2 - TEXT * LINE * len(lines) / 2, TEXT)
        _answer(sheet, dot, ends, top + height / 2, share, counts)
        top += height
    return sheet.crop(bottom + 24 + _MARGIN).picture()


def _answer_heads(sheet: Sheet, y: float, ends: Span, last: str, goal: float | None, goal_said: str) -> float:
    """Say what a hollow dot and the line are, beside each other where there is room; return where the rows begin."""
    reach = ends[0]
    if last:
        sheet.dot(ends[0] + 5, y + SMALL * LINE / 2, QUIET, 9, hollow=True)
        reach += 14 + sheet.word(last, ends[0] + 14, y + SMALL * LINE / 2, SMALL, colour=QUIET, width=ends[1] - ends[0])
    at = _unit(goal)
    row = y + SMALL * LINE
    if at is not None and goal_said:
        half = min(sheet.length(goal_said, SMALL), ends[1] - ends[0]) / 2
        middle = max(ends[0] + half, min(ends[0] + at * (ends[1] - ends[0]), ends[1] - half))
        row += SMALL * LINE if last and middle - half < reach + 14 else 0
        look: dict[str, Any] = {"colour": QUIET, "align": "center", "width": 2 * half + 1}
        sheet.word(goal_said, middle, row - SMALL * LINE / 2, SMALL, **look)
    return row + 3 if last or at is not None else y


def _answer_grid(sheet: Sheet, ends: Span, span: Span, share: Number, goal: float | None) -> None:
    length = ends[1] - ends[0]
    for at in (0.0, 0.5, 1.0):
        x = ends[0] + at * length
        sheet.line((x, x), span, FAINT, 1, over=0)
        sheet.word(share(at), x, span[1] + 12, SMALL, colour=QUIET, align="center", width=length / 2.2)
    wanted = _unit(goal)
    if wanted is not None:
        x = ends[0] + wanted * length
        sheet.line((x, x), span, QUIET, 1.4, dashed=True, over=1)


def _answer(sheet: Sheet, dot: AnswerDot, ends: Span, middle: float, share: Number, counts: float) -> None:
    """Draw one dot with its number on the side away from last week's."""
    at, last = _unit(dot.share), _unit(dot.last)
    length = ends[1] - ends[0]
    if at is None:
        sheet.word(dot.count, ends[0] + 8, middle, SMALL, colour=QUIET, width=length - 8)
        return
    x = ends[0] + at * length
    if last is not None:
        before = ends[0] + last * length
        sheet.line((before, x), (middle, middle), PALE, 2.5, over=2)
        sheet.dot(before, middle, QUIET, 9, hollow=True)
    sheet.dot(x, middle, OURS, 12)
    leftwards = last is not None and last > at
    place: dict[str, Any] = {"align": "right" if leftwards else "left", "bold": True}
    sheet.word(share(at), x + (-10 if leftwards else 10), middle, TEXT, **place)
    sheet.word(dot.count, sheet.width - _MARGIN, middle, SMALL, colour=QUIET, align="right", width=counts)


def hours(
    title: str, counts: Sequence[Sequence[float | None]], *, number: Number, day_names: Sequence[str],
    hour: Callable[[int], str], unit: str, working: Sequence[Sequence[Span]] = (), working_said: str = "",
    note: str = "", language: str = "en", width: int = WIDTH,
) -> Picture:  # fmt: skip
    """Return a week of hours, 7 x 24, the darker the more; the team's working hours are outlined.

    Args:
        counts: by weekday, Monday first, and hour; None where nobody listened.
        hour: says an hour of the day, 0 to 23.
        unit: what is counted, beside the scale.
        working: for each weekday the spans of hours that the team works.
    """
    sheet = Sheet(width, language)
    top = _head(sheet, title, note)
    names = max(24.0, min(max((sheet.length(name, SMALL) for name in day_names), default=0), width * 0.2)) + 8
    size = ((width - 2 * _MARGIN - names) / 24, 23.0)
    left = _MARGIN + names
    grid = [[_known(one) for one in row[:24]] for row in counts[:7]]
    most = max((one for row in grid for one in row if one is not None), default=0)
    for day, row in enumerate(grid):
        said = day_names[day] if day < len(day_names) else ""
        sheet.word(said, left - 8, top + (day + 0.5) * size[1], SMALL, align="right", width=names - 8)
        for at, count in enumerate(row):
            _hour(sheet, (left + at * size[0], top + day * size[1]), size, count, most)
    _hour_numbers(sheet, grid, most, (left, top), size, number)
    _outline(sheet, working, (left, top), size)
    bottom = top + size[1] * len(grid)
    for at in range(0, 24, 3):
        sheet.line((left + at * size[0],) * 2, (bottom, bottom + 4), QUIET, 1)
        sheet.word(hour(at), left + at * size[0], bottom + 13, SMALL, colour=QUIET, width=size[0] * 3 - 6)
    end = _hour_key(sheet, (left, bottom + 32), most, number, unit, working_said if any(working) else "")
    return sheet.crop(end + _MARGIN).picture()


def _hour(sheet: Sheet, at: Span, size: Span, count: float | None, most: float) -> None:
    if count is None:
        sheet.line((at[0] + 6, at[0] + size[0] - 6), (at[1] + size[1] / 2,) * 2, PALE, 1)
        return
    sheet.bar(at[0], at[1], size[0], size[1], RAMP[_shade(count, most)], edge=1)


def _shade(count: float, most: float) -> int:
    """Return the place on the ramp: 0 for nothing alone."""
    return 0 if count <= 0 or not most else min(len(RAMP) - 1, 1 + int(count / most * (len(RAMP) - 1) - 1e-9))


def _hour_numbers(
    sheet: Sheet, grid: Sequence[Sequence[float | None]], most: float, at: Span, size: Span, number: Number
) -> None:
    """Write the counts where they are few; else the greatest alone."""
    cells = [(day, hour, one) for day, row in enumerate(grid) for hour, one in enumerate(row) if one]
    if len(cells) > 40:
        cells = [max(cells, key=lambda cell: cell[2])]
    for day, hour, one in cells:
        said = number(one)
        if sheet.length(said, SMALLEST + 1) <= size[0] - 2:
            colour = PAPER if _shade(one, most) >= 4 else INK
            middle = (at[0] + (hour + 0.5) * size[0], at[1] + (day + 0.5) * size[1])
            look: dict[str, Any] = {"colour": colour, "bold": one == most, "align": "center", "width": size[0] - 2}
            sheet.word(said, *middle, SMALL, **look)


def _outline(sheet: Sheet, working: Sequence[Sequence[Span]], at: Span, size: Span) -> None:
    """Draw the border between hours worked and not, to the quarter of an hour."""
    days_worked = [_quarters(spans) for spans in working[:7]]
    rows = [frozenset[int](), *days_worked, frozenset[int]()]
    for day, quarters in enumerate(days_worked):
        for quarter in range(97):
            if (quarter in quarters) != (quarter - 1 in quarters):
                x, y = at[0] + quarter * size[0] / 4, at[1] + day * size[1]
                sheet.line((x, x), (y - 1, y + size[1] + 1), INK, 2, over=4)
    for border, (above, below) in enumerate(pairwise(rows)):
        for first, end in _runs(above ^ below):
            y = at[1] + border * size[1]
            sheet.line((at[0] + first * size[0] / 4, at[0] + end * size[0] / 4), (y, y), INK, 2, over=4)


def _quarters(spans: Sequence[Span]) -> frozenset[int]:
    return frozenset(
        quarter
        for begin, end in spans
        for quarter in range(max(0, round(begin * 4)), min(96, round(end * 4)))
    )  # fmt: skip


def _runs(numbers: frozenset[int]) -> list[tuple[int, int]]:
    """Return the begin and end of each run of neighbours."""
    begins = sorted(one for one in numbers if one - 1 not in numbers)
    ends = sorted(one + 1 for one in numbers if one + 1 not in numbers)
    return list(zip(begins, ends, strict=True))


def _hour_key(sheet: Sheet, at: Span, most: float, number: Number, unit: str, working: str) -> float:
    """Draw the scale and what the outline means; return where they end."""
    x, middle = at[0], at[1] + 8
    x += sheet.word(number(0), x, middle, SMALL, colour=QUIET) + 6
    for colour in RAMP if most else RAMP[:1]:
        sheet.bar(x, middle - 6, 16, 12, colour, edge=1)
        x += 16
    said = f"{number(most)} {unit}" if most else unit
    x += 6 + sheet.word(said, x + 6, middle, SMALL, colour=QUIET, width=sheet.width - _MARGIN - x - 6)
    if not working:
        return middle + 10
    if x + 24 + 26 + sheet.length(working, SMALL) > sheet.width - _MARGIN:
        x, middle = at[0] - 24, middle + 20
    box = (x + 24, middle - 6)
    sheet.line(
        (box[0], box[0] + 20, box[0] + 20, box[0], box[0]), (box[1], box[1], box[1] + 12, box[1] + 12, box[1]), INK, 2
    )
    sheet.word(working, box[0] + 27, middle, SMALL, colour=QUIET, width=sheet.width - _MARGIN - box[0] - 27)
    return middle + 10


def incident(
    title: str, curve: Sequence[CurveBar], *, number: Number, usual: str, peak: str, clock: Moment, day: Moment,
    timezone: str, moments: Sequence[tuple[datetime, str]] = (), nothing: str = "", note: str = "",
    language: str = "en", width: int = WIDTH,
) -> Picture:  # fmt: skip
    """Return an incident's negative mentions per interval as bars, with a stepped line of what is usual.

    Args:
        usual, peak: words beside the line and on the highest bar, without figures.
        clock, day: say a local moment as an hour and as a day, under the bars.
        moments: when something was done, and what: a dashed line with its word over the bars; three at most.
    """
    sheet = Sheet(width, language)
    y = _head(sheet, title, note)
    points = sorted((bar for bar in curve if _known(bar.count) is not None), key=lambda bar: bar.at)[-MOST_POINTS:]
    if not points:
        return _empty(sheet, y, nothing).picture()
    step = min((later.at - one.at for one, later in pairwise(points) if later.at > one.at), default=timedelta(hours=1))
    usual_rows = sheet.lines(usual, 84, SMALL, most=3)
    right = width - _MARGIN - (90 if any(_known(bar.expected) is not None for bar in points) else 0)
    spread = _Spread(points[0].at, points[-1].at + step, _MARGIN, right)
    top = _moments(sheet, y, spread, moments)
    base = top + 22 + 96
    _curve_bars(sheet, points, step, spread, (base, 96), number, peak)
    _expected(sheet, points, step, spread, (base, 96), usual_rows)
    for at, said in moments[:3]:
        if said and spread.begin <= at <= spread.end:
            sheet.line((spread.x(at),) * 2, (top, base), QUIET, 1.2, dashed=True)
    sheet.line((_MARGIN, right), (base, base), QUIET, 1)
    _ticks(sheet, spread, base, (clock, day), _zone(timezone))
    return sheet.crop(base + 24 + _MARGIN).picture()


@dataclass(frozen=True, slots=True)
class _Spread:
    """Time on the sheet."""

    begin: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Return where a moment stands."""
        return self.left + (self.right - self.left) * ((at - self.begin) / (self.end - self.begin))


def _moments(sheet: Sheet, y: float, spread: _Spread, moments: Sequence[tuple[datetime, str]]) -> float:
    """Write the words of the moments over the bars, each on a line of its own; return where the lines end."""
    for at, said in moments[:3]:
        if not said or not spread.begin <= at <= spread.end:
            continue
        x = spread.x(at)
        leftwards = x > (spread.left + spread.right) / 2
        room = (x - spread.left if leftwards else sheet.width - _MARGIN - x) - 5
        middle = y + SMALL * LINE / 2
        sheet.line((x, x), (y, y + SMALL * LINE), QUIET, 1.2, dashed=True)
        look: dict[str, Any] = {"colour": QUIET, "align": "right" if leftwards else "left", "width": room}
        sheet.word(said, x + (-5 if leftwards else 5), middle, SMALL, **look)
        y += SMALL * LINE
    return y


def _curve_bars(
    sheet: Sheet, points: Sequence[CurveBar], step: timedelta, spread: _Spread, stand: Span, number: Number, peak: str
) -> None:
    """Draw the bars, dark where they are twice what is usual, and say the highest; `stand` is the base and height."""
    base, height = stand
    scale = height / _curve_top(points)
    highest = max(points, key=lambda bar: _known(bar.count) or 0)
    for bar in points:
        x, end = spread.x(bar.at), spread.x(bar.at + step)
        count = _known(bar.count) or 0
        burst = count > 2 * (_known(bar.expected) or 0) and count > 1
        gap = 1 if end - x > 4 else 0
        sheet.bar(x, base - count * scale, end - x - gap, count * scale, STRONG if burst else CALM)
    foot = base - (_known(highest.count) or 0) * scale
    said = f"{peak} {number(_known(highest.count) or 0)}".strip()
    length = min(sheet.length(said, TEXT, bold=True), spread.right - spread.left)
    # It begins with its bar and does not stand about it: what people did is mostly drawn just before.
    left = max(spread.left, min(spread.x(highest.at), spread.right - length))
    sheet.bar(left - 3, foot - 20, length + 6, 18, PAPER, layer="over")
    sheet.word(said, left, foot - 11, TEXT, bold=True, width=length + 2)


def _curve_top(points: Sequence[CurveBar]) -> float:
    return max(max(_known(bar.count) or 0, _known(bar.expected) or 0) for bar in points) or 1


def _expected(
    sheet: Sheet, points: Sequence[CurveBar], step: timedelta, spread: _Spread, stand: Span, rows: Sequence[str]
) -> None:
    """Draw what is usual as steps and say so at their end."""
    base, height = stand
    scale = height / _curve_top(points)
    known = [(bar.at, usual) for bar in points if (usual := _known(bar.expected)) is not None]
    if not known:
        return
    xs = [x for at, _ in known for x in (spread.x(at), spread.x(at + step))]
    ys = [base - usual * scale for _, usual in known for _ in range(2)]
    sheet.line(xs, ys, INK, 1.8, halo=True, over=4)
    _beside(sheet, rows, spread.right + 6, ys[-1], (base - height, base))


def _ticks(sheet: Sheet, spread: _Spread, base: float, words: tuple[Moment, Moment], zone: tzinfo) -> None:
    """Write hours and days under the bars, as many as stand clear of each other."""
    clock, day = words
    placed: list[tuple[float, float, str]] = []
    for apart in (1, 2, 3, 6, 12, *(24 * days for days in (1, 2, 7, 14, 28, 56, 112))):
        if (spread.end - spread.begin) / timedelta(hours=apart) > 60:
            continue
        placed = [
            _tick(sheet, spread, at, day(at) if at.hour == 0 else clock(at)) for at in _round(spread, apart, zone)
        ]
        ends = [middle + sheet.length(one, SMALL) / 2 + 7 for _, middle, one in placed]
        starts = [middle - sheet.length(one, SMALL) / 2 - 7 for _, middle, one in placed]
        if all(end <= start for end, start in zip(ends, starts[1:], strict=False)):
            break
    else:
        placed = placed[:1]
    for x, middle, one in placed:
        sheet.line((x, x), (base, base + 4), QUIET, 1)
        sheet.word(one, middle, base + 13, SMALL, colour=QUIET, align="center")


def _tick(sheet: Sheet, spread: _Spread, at: datetime, said: str) -> tuple[float, float, str]:
    """Return where a moment stands, where the middle of its word does, and the word."""
    half = sheet.length(said, SMALL) / 2
    return spread.x(at), max(spread.left + half, min(spread.x(at), sheet.width - _MARGIN - half)), said


def _round(spread: _Spread, hours_apart: int, zone: tzinfo) -> list[datetime]:
    """Return the moments between begin and end that are round by the clocks of a zone."""
    midnight = spread.begin.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days_long = (spread.end - spread.begin).days + 3
    steps = (midnight + timedelta(hours=hours_apart * place) for place in range(days_long * 24 // hours_apart + 1))
    moments = [one.replace(tzinfo=zone) for one in steps]
    return [one for one in moments if spread.begin <= one <= spread.end]


def _head(sheet: Sheet, title: str, note: str) -> float:
    """Write the sentence that the chart shows, and a note under it; return where the chart begins."""
    room = sheet.width - 2 * _MARGIN
    y = sheet.write(sheet.lines(title, room, TITLE, bold=True, most=3), _MARGIN, 6, TITLE, bold=True)
    return sheet.write(sheet.lines(note, room, SMALL, most=2), _MARGIN, y + 1, SMALL, colour=QUIET) + 10


def _empty(sheet: Sheet, y: float, nothing: str) -> Sheet:
    rows = sheet.lines(nothing, sheet.width - 2 * _MARGIN, TEXT, most=3)
    return sheet.crop(sheet.write(rows, _MARGIN, y, TEXT, colour=QUIET) + _MARGIN)


def _known(value: float | None) -> float | None:
    """Return a value that can be drawn: not below nothing and not endless."""
    return None if value is None or not isfinite(value) else max(0.0, float(value))


def _unit(value: float | None) -> float | None:
    known = _known(value)
    return None if known is None else min(1.0, known)


def _said(value: float | None, number: Number, lack: str = "") -> str:
    return lack or _DASH if value is None else number(value)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
