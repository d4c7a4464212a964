"""Rows of text files and where each ends: lines, CSV records, JSON lines, text blocks. Knows no network.

A row that its writer may still be writing is marked unfinished, and one that cannot be read carries a problem;
neither costs the rows around it.
"""

import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any

from sources.fields import clean_line

MAX_LINE_BYTES = 8 << 20
MAX_RECORD_LINES = 400
MAX_RECORD_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_SAMPLE_CHUNKS = 512
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading goes on: a byte offset and its line, or in a document the number of items taken."""

    offset: int = 0
    line: int = 1


START = Position()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its value, or what is wrong with it. `place` names it within the file (a line, an item)."""

    value: Any
    place: str
    end: Position
    sample: str = ""
    problem: str = ""
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line with its end; `data` is cut where the line is longer than any row should be."""

    data: bytes
    start: Position
    end: Position
    too_long: bool = False

    @property
    def ended(self) -> bool:
        """Whether the line has its line end."""
        return self.data.endswith(b"\n")

    @property
    def blank(self) -> bool:
        """Whether the line is empty but for its end."""
        return not self.data.strip()


class Lines:
    """The physical lines of a byte stream from a position on. Lines may be put back."""

    def __init__(self, stream: IO[bytes], start: Position) -> None:
        self._stream = stream
        self._next = start
        self._begun = False
        self._returned: deque[Line] = deque()

    def take(self) -> Line | None:
        """Return the next line, or None at the end of the stream."""
        if self._returned:
            return self._returned.popleft()
        if not self._begun:
            self._stream.seek(self._next.offset)
            self._begun = True
        data = self._stream.readline(MAX_LINE_BYTES)
        if not data:
            return None
        length, start, too_long = len(data), self._next, False
        while not data.endswith(b"\n") and (rest := self._stream.readline(MAX_LINE_BYTES)):
            too_long = True
            length += len(rest)
            data = data[:200] + (b"\n" if rest.endswith(b"\n") else b"")
        self._next = Position(start.offset + length, start.line + 1)
        return Line(data, start, self._next, too_long)

    def put_back(self, lines: Sequence[Line]) -> None:
        """Give lines back, to be taken again in the same order."""
        self._returned.extendleft(reversed(lines))


def bom_length(head: bytes) -> int:
    """Return how many bytes of `head` are a UTF-8 byte order mark."""
    return len(_BOM) if head.startswith(_BOM) else 0


def sniff_encoding(stream: IO[bytes]) -> str:
    """Return "utf-8" or "gb18030", by the first lines that are not plain ASCII.

    The one that reads more of these lines wins, UTF-8 in case of doubt, so that one damaged row does not turn a
    whole file into nonsense.
    """
    stream.seek(0)
    if stream.read(len(_BOM)) == _BOM:
        return "utf-8"
    lines = [line for line in _sample(stream).split(b"\n") if not line.isascii()]
    utf8, gb18030 = (sum(_decodes(line, name) for line in lines) for name in ("utf-8", "gb18030"))
    return "gb18030" if gb18030 > utf8 and 2 * utf8 < len(lines) else "utf-8"


def _sample(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    for _ in range(_SAMPLE_CHUNKS):
        chunk = stream.read(_SAMPLE_BYTES) + stream.readline(MAX_LINE_BYTES)
        if not chunk.isascii() or not chunk:
            return chunk
    return b""


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def json_rows(lines: Lines, encoding: str, *, final: bool = False) -> Iterator[Row]:
    """Yield one row per line of JSON. A last line without end counts once it is a whole object.

    `final` says that nobody writes the file any more.
    """
    while (line := lines.take()) is not None:
        if line.blank:
            continue
        row = _json_row(line, encoding)
        if row.problem and not line.ended and not final:
            yield replace(row, problem="", unfinished=True)
        else:
            yield row


def _json_row(line: Line, encoding: str) -> Row:
    blank = _row([line], None)
    if line.too_long:
        return replace(blank, problem=f"a line of more than {MAX_LINE_BYTES >> 20} MiB")
    try:
        value = json.loads(line.data.decode(encoding))
    except UnicodeDecodeError:
        return replace(blank, problem=f"not valid {encoding}")
    except (ValueError, RecursionError) as error:
        return replace(blank, problem=f"not valid JSON: {reason(error)}")
    if not isinstance(value, dict):
        return replace(blank, problem="expected a JSON object in every line")
    return replace(blank, value=value)


def reason(error: Exception) -> str:
    """Return in a few words why JSON could not be read."""
    return error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep or a number too long"


def _row(lines: Sequence[Line], value: Any) -> Row:
    return Row(value, str(lines[0].start.line), lines[-1].end, sample(lines[0].data))


def sample(data: bytes) -> str:
    """Return the beginning of a row as text, for reports."""
    return clean_line(data[:120].decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Table:
    """How to cut a CSV file: its columns, delimiter and encoding.

    `is_row` tells a likely row from the inside of a text, to find back into step after an unclosed quote.
    """

    columns: tuple[str, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    is_row: Callable[[dict[str, str]], bool] = lambda cells: len(cells) > 2


def csv_rows(lines: Lines, table: Table, *, final: bool = False) -> Iterator[Row]:
    """Yield one row per CSV record as a mapping of column to cell. Cells may hold line ends within quotes."""
    while (first := lines.take()) is not None:
        if first.blank:
            continue
        taken, unclosed = _csv_record(lines, first, table.delimiter)
        row = _csv_row(taken, table)
        if not final and _may_go_on(taken, unclosed, table):
            yield replace(row, problem="", unfinished=True)
        elif unclosed or (row.problem and len(taken) > 1):
            lines.put_back(taken[1:])
            yield replace(_row(taken[:1], None), problem="a quote opens here and is not closed as it should")
        else:
            yield row


def _may_go_on(taken: Sequence[Line], unclosed: bool, table: Table) -> bool:
    """Return whether a record at the end of the file may only be half written."""
    if not unclosed:
        return not taken[-1].ended
    small = len(taken) < MAX_RECORD_LINES and _size(taken) < MAX_RECORD_BYTES
    return small and not any(_stands_alone(line, table) for line in taken[1:])


def _size(lines: Sequence[Line]) -> int:
    return lines[-1].end.offset - lines[0].start.offset


def _csv_record(lines: Lines, first: Line, delimiter: str) -> tuple[list[Line], bool]:
    taken = [first]
    unclosed = _in_quotes(first.data, False, delimiter.encode())
    while unclosed and len(taken) < MAX_RECORD_LINES and _size(taken) < MAX_RECORD_BYTES:
        line = lines.take()
        if line is None:
            break
        taken.append(line)
        unclosed = _in_quotes(line.data, True, delimiter.encode())
    return taken, unclosed


def _in_quotes(data: bytes, inside: bool, delimiter: bytes) -> bool:
    """Return whether the end of a line stands within quotes. A quote opens only where a cell begins.

    Neither UTF-8 nor GB 18030 uses the bytes of a quote, a delimiter or a line end inside a character.
    """
    at = data.find(b'"')
    while at >= 0:
        if not inside:
            inside = at == 0 or data[at - 1 : at] == delimiter
        elif data[at + 1 : at + 2] == b'"':
            at += 1
        else:
            inside = False
        at = data.find(b'"', at + 1)
    return inside


def _csv_row(taken: Sequence[Line], table: Table) -> Row:
    row = _row(taken, None)
    if any(line.too_long for line in taken):
        return replace(row, problem=f"a line of more than {MAX_LINE_BYTES >> 20} MiB")
    try:
        text = b"".join(line.data for line in taken).decode(table.encoding)
        # Over several lines a stray quote may have swallowed rows, so there the quoting must be in order.
        strict = len(taken) > 1
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=table.delimiter, strict=strict))
    except UnicodeDecodeError:
        return replace(row, problem=f"not valid {table.encoding}")
    except csv.Error as error:
        return replace(row, problem=f"not valid CSV: {error}")
    if len(records) != 1 or len(records[0]) != len(table.columns):
        found = len(records[0]) if records else 0
        return replace(row, problem=f"expected {len(table.columns)} columns, found {found}")
    return replace(row, value=dict(zip(table.columns, records[0], strict=True)))


def _stands_alone(line: Line, table: Table) -> bool:
    if not line.ended or _in_quotes(line.data, False, table.delimiter.encode()):
        return False
    row = _csv_row([line], table)
    return not row.problem and table.is_row(row.value)


def header_cells(line: bytes, encoding: str, delimiter: str = ",") -> tuple[str, ...]:
    """Return the cells of a CSV header line, or none where it is not one."""
    try:
        text = line[bom_length(line) :].decode(encoding)
        return tuple(next(csv.reader([text.strip("\r\n")], delimiter=delimiter), ()))
    except (UnicodeDecodeError, csv.Error):
        return ()


def block_rows(lines: Lines, heading: re.Pattern[str], encoding: str, *, final: bool = False) -> Iterator[Row]:
    """Yield blocks of text as (match of the heading, body). A heading stands first or after an empty line.

    A block is finished when an empty line follows it.
    """
    while (line := lines.take()) is not None:
        if line.blank:
            continue
        taken = [line, *_body(lines, heading, encoding)]
        row = _block(taken, heading, encoding)
        if final or (taken[-1].ended and taken[-1].blank):
            yield row
        else:
            yield replace(row, problem="", unfinished=True)


def _body(lines: Lines, heading: re.Pattern[str], encoding: str) -> Iterator[Line]:
    after_blank, size = False, 0
    while (line := lines.take()) is not None:
        if (after_blank and heading.fullmatch(_text(line, encoding))) or size > MAX_RECORD_BYTES:
            lines.put_back([line])
            return
        after_blank = line.blank
        size += len(line.data)
        yield line


def _text(line: Line, encoding: str) -> str:
    return line.data.decode(encoding, "replace").rstrip("\r\n")


def _block(taken: Sequence[Line], heading: re.Pattern[str], encoding: str) -> Row:
    row = _row(taken, None)
    match = heading.fullmatch(_text(taken[0], encoding))
    if match is None:
        return replace(row, problem="expected a line with the time and the sender")
    if _size(taken) > MAX_RECORD_BYTES:
        return replace(row, problem=f"a message of more than {MAX_RECORD_BYTES >> 20} MiB")
    try:
        body = b"".join(line.data for line in islice(taken, 1, None)).decode(encoding)
        taken[0].data.decode(encoding)
    except UnicodeDecodeError:
        return replace(row, problem=f"not valid {encoding}")
    return replace(row, value=(match, body))
