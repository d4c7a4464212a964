"""Scores the points of a CSV of counts as they come, in constant memory. Knows no file names and no terminal."""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from classifiers.bursts import BurstDetector, BurstPoint
from listener.classifying import OutputError
from listener.errors import ListenerError

COLUMNS = ("timestamp", "value")
MAX_LINE_BYTES = 2**16
"""A longer line is refused: it holds no count, and must not fill the memory."""
MAX_WAITING = 10_000
"""Points at one and the same moment at the start, while the interval is not known."""
_BOM = b"\xef\xbb\xbf"
_EXAMPLE = "2026-01-31T18:05:00Z"


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the CSV."""

    line: int
    timestamp: str
    """As it was written."""
    value: str
    at: datetime
    """Aware, in UTC."""
    count: float


def score_lines(source: BinaryIO, sink: BinaryIO, *, above: bool = False, at_once: bool = False) -> int:
    """Write `timestamp,value,score` for each point of `source`, in order; return how many were read.

    Args:
        source: CSV in UTF-8 with a header that names timestamp and value.
        sink: where to write, in UTF-8.
        above: write those at or above the threshold only.
        at_once: flush after each point, for a source that is still being written.

    Raises:
        OutputError: `sink` takes no more.
        ListenerError: a line cannot be read; the points before it are written.
    """
    count = 0
    _write(sink, [*COLUMNS, "score"], at_once)
    try:
        for point, found in score_points(read_points(source)):
            count += 1
            if found.above or not above:
                _write(sink, [point.timestamp, point.value, written(found.score)], at_once)
    finally:
        _flush(sink)
    return count


def score_points(points: Iterator[Point]) -> Iterator[tuple[Point, BurstPoint]]:
    """Yield each point with what was found; the first two different moments tell the interval."""
    waiting: list[Point] = []
    detector: BurstDetector | None = None
    try:
        for point in points:
            if detector is not None:
                yield point, detector.update(point.at, point.count)
                continue
            waiting.append(point)
            if detector := _detector(waiting):
                yield from [(one, detector.update(one.at, one.count)) for one in waiting]
                waiting = []
    except ListenerError:
        yield from _unscored(waiting)
        raise
    yield from _unscored(waiting)


def read_points(source: BinaryIO) -> Iterator[Point]:
    """Yield the points of a CSV; blank lines are passed over.

    Raises:
        ListenerError: a line is no point; it says which line and what to do.
    """
    places: tuple[int, int] | None = None
    for number, fields in _rows(source):
        if places is None:
            places = _places(fields, number)
        elif len(fields) <= max(places):
            raise _refused(number, f"it has {len(fields)} fields; the header promises {' and '.join(COLUMNS)}")
        else:
            yield _point(number, fields[places[0]], fields[places[1]])
    if places is None:
        raise ListenerError(f"nothing to read: the first line must be the header {','.join(COLUMNS)}")


def written(score: float) -> str:
    """Return a score in six digits, rounded down so that none reaches the threshold by rounding."""
    return f"{math.floor(score * 1e6) / 1e6:.6f}"


def _unscored(points: list[Point]) -> Iterator[tuple[Point, BurstPoint]]:
    """Yield points at one moment alone: there is no past to score them by."""
    yield from ((point, BurstPoint(0.0, 0.0, above=False, ongoing=False)) for point in points)


def _detector(waiting: list[Point]) -> BurstDetector | None:
    distance_s = abs((waiting[-1].at - waiting[0].at).total_seconds())
    if distance_s:
        return BurstDetector(distance_s)
    if len(waiting) > MAX_WAITING:
        raise _refused(
            waiting[-1].line, f"all {MAX_WAITING} points so far are at one moment; write one line per interval"
        )
    return None


def _rows(source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each line that is not blank, with its number."""
    number = 0
    while raw := _read(source):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise _refused(number, f"it is longer than {MAX_LINE_BYTES // 1024} KB; is this a CSV?")
        content = raw.removeprefix(_BOM) if number == 1 else raw
        if content.strip():
            yield number, _fields(content, number)


def _read(source: BinaryIO) -> bytes:
    try:
        return source.readline(MAX_LINE_BYTES + 1)
    except OSError as error:
        raise ListenerError(f"cannot read any further: {error.strerror or error}") from error


def _fields(content: bytes, number: int) -> list[str]:
    try:
        return next(csv.reader([content.decode("utf-8").strip("\r\n")], strict=True))
    except UnicodeDecodeError as error:
        raise _refused(number, f"not UTF-8 at byte {error.start + 1}; save the file as UTF-8") from error
    except csv.Error as error:
        raise _refused(number, f"not CSV: {error}") from error


def _places(header: list[str], number: int) -> tuple[int, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise _refused(number, f"the header names no {' and no '.join(missing)}; it must be {','.join(COLUMNS)}")
    return names.index(COLUMNS[0]), names.index(COLUMNS[1])


def _point(number: int, timestamp: str, value: str) -> Point:
    try:
        at = datetime.fromisoformat(timestamp.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(number, f"timestamp {_shown(timestamp)} is no moment: write it as {_EXAMPLE}") from error
    try:
        count = float(value.replace("_", "?"))  # Python's float reads 1_0 as ten
    except ValueError:
        count = math.nan
    if not (math.isfinite(count) and count >= 0):
        raise _refused(number, f"value {_shown(value)} is no count: write a number from 0 up")
    return Point(number, timestamp, value, at, count)


def _write(sink: BinaryIO, fields: list[str], at_once: bool) -> None:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    try:
        sink.write(line.getvalue().encode("utf-8"))
        if at_once:
            sink.flush()
    except OSError as error:
        raise OutputError(f"cannot write: {error.strerror or error}") from error


def _flush(sink: BinaryIO) -> None:
    try:
        sink.flush()
    except OSError as error:
        raise OutputError(f"cannot write: {error.strerror or error}") from error


def _shown(text: str) -> str:
    """Return a field as it may stand in a message: short, with nothing that acts on a terminal."""
    return ascii(text[:40])


def _refused(number: int, why: str) -> ListenerError:
    return ListenerError(f"line {number}: {why}")
