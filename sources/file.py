"""The `file` source: JSON Lines and CSV in a documented mapping, and saved answers of X and VK; also for replays.

The mapping is described in docs/file-format.md.
"""

import gzip
import io
import json
import re
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import Field

from listener.clock import Clock
from listener.config import SourceOptions, WatchOptions
from listener.errors import MalformedItemError, SourceError
from listener.model import Author, Engagement, Mention, Page, Skipped, Watch, Withdrawn
from sources.base import SourceSpec, Trial
from sources.fields import clean, clean_line, count, has_term, language_tag, moment, stable_id, string
from sources.files import (
    DocumentReading,
    Documents,
    Follower,
    Found,
    LineReading,
    OpenFile,
    Parse,
    Reading,
    UnreadableError,
    item_rows,
    refuse_database,
)
from sources.rows import START, Line, Row, Table, csv_rows, header_cells, json_rows

FIELDS = (
    *("id", "text", "network", "published_at", "language", "url", "conversation_id", "reply_to_id"),
    *("author_id", "author_name", "author_handle", "followers", "verified", "bio", "location"),
    *("likes", "replies", "reposts", "quotes", "views", "country", "place", "sponsored", "deleted"),
)
ALIASES: Mapping[str, str] = {"id": "key", "language": "lang"}
_DELIMITERS = (",", ";", "\t")
_NETWORK = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']{1,2000}")
_YES = frozenset({"1", "1.0", "true", "yes", "y"})
_NO = frozenset({"0", "0.0", "false", "no", "n"})
_LINES_TRIED = 50
MAX_UNPACKED_BYTES = 1 << 30
"""What a compressed file may hold: a small one could fill the disk."""


class FileOptions(SourceOptions):
    """Options of the `file` source; it has no connection."""


class FileWatchOptions(WatchOptions):
    """Which files to read, and how their columns are called."""

    path: Annotated[str, Field(min_length=1)]
    """A file, a folder or a pattern such as `exports/*.csv`, from the working directory."""
    format: Literal["auto", "jsonl", "csv", "x", "vk"] = "auto"
    """x and vk are answers of these networks' APIs, one in a file or one in a line."""
    network: Annotated[str, Field(pattern=_NETWORK.pattern + "$")] | None = None
    """The network of rows that name none."""
    match_terms: bool = False
    """True keeps only texts that contain a term of the brand."""
    account: str | None = None
    """The brand's own account in saved answers of X and VK, whose posts are no mentions."""
    columns: dict[Literal[FIELDS], str] = Field(default={})  # type: ignore[valid-type]
    """Field to the column or key that holds it, where the names differ."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 2.0
    """A file is read when it has not changed for so many seconds."""


class FileSource:
    """Reads what is new in files that other programs write."""

    def __init__(self, options: FileOptions, clock: Clock) -> None:
        self._clock = clock
        self._follower = Follower(clock)

    def fetch(self, watch: Watch, cursor: str | None) -> Page:
        """Return a page of what is new in the watch's files.

        Raises:
            RetryableSourceError: the file or folder is not there.
        """
        options: FileWatchOptions = watch.options
        return self._follower.fetch(options.path, options.settle_s, cursor, partial(self._detect, watch=watch))

    def try_out(self, watch: Watch, cursor: str | None) -> Trial:
        """Look whether there are files to read."""
        options: FileWatchOptions = watch.options
        return self._follower.try_out(options.path)

    def close(self) -> None:
        """Do nothing: no file stays open between fetches."""

    def _detect(self, file: OpenFile, watch: Watch) -> Reading:
        options: FileWatchOptions = watch.options
        layout = Layout(
            format=options.format,
            network=options.network,
            columns=options.columns,
            account=options.account or watch.account,
            now=self._clock.now(),
            wanted=partial(_wanted, watch=watch) if options.match_terms else lambda text: True,
        )
        return detect(file, layout)


def _wanted(text: str, watch: Watch) -> bool:
    return has_term(text, watch.terms) and not has_term(text, watch.exclude)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are to be read. `final` says that nobody writes the file any more."""

    format: str = "auto"
    network: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    now: datetime | None = None
    wanted: Callable[[str], bool] = lambda text: True
    final: bool = False
    encoding: str | None = None

    def column(self, name: str) -> str:
        """Return the column or key that holds a field."""
        return self.columns.get(name, name)

    def value(self, row: Mapping[str, Any], name: str) -> Any:
        """Return a field of a row, None where it has none."""
        if name in self.columns:
            return row.get(self.columns[name])
        return row[name] if name in row else row.get(ALIASES.get(name, name))

    def text(self, row: Mapping[str, Any], name: str) -> str:
        """Return a field of a row as one line of clean text."""
        return clean_line(string(self.value(row, name)))

    def optional(self, row: Mapping[str, Any], name: str) -> str:
        """Return a field that a row can do without, "" where it is no text."""
        value = self.value(row, name)
        try:
            return str(value) if isinstance(value, bool) else clean_line(string(value))
        except MalformedItemError:
            return ""


def detect(file: OpenFile, layout: Layout) -> Reading:
    """Return how to read `file`.

    Raises:
        UnreadableError: it is not what the layout says, or too little of it is there to tell.
    """
    head = file.head()
    refuse_database(head)
    if not head.strip():
        raise UnreadableError("the file is empty so far", waits=True)
    is_json = head.lstrip()[:1] in (b"{", b"[")
    if layout.format == "csv" or (layout.format == "auto" and not is_json):
        return _csv(file, layout)
    if layout.format == "jsonl":
        return _json_lines(file, layout, "jsonl")
    return _json(file, layout)


def _csv(file: OpenFile, layout: Layout) -> Reading:
    encoding = layout.encoding or file.encoding()
    first = file.lines(START).take()
    if first is None or first.too_long or not first.ended:
        raise UnreadableError("the first line is not finished yet", waits=first is not None and not first.too_long)
    delimiter = max(_DELIMITERS, key=lambda mark: len(header_cells(first.data, encoding, mark)))
    cells = tuple(cell.strip() for cell in header_cells(first.data, encoding, delimiter))
    if layout.column("text") not in cells:
        found = clean_line(", ".join(cells))[:120]
        raise UnreadableError(f"unknown format; expected JSON, or CSV with a column '{layout.column('text')}': {found}")
    time_column = layout.column("published_at")
    table = Table(cells, encoding, delimiter, partial(_has_time, time_column if time_column in cells else None))
    split = partial(csv_rows, table=table, final=layout.final)
    return LineReading("csv", file, split, _parser("csv", file, layout), first.end)


def _has_time(column: str | None, cells: Mapping[str, str]) -> bool:
    if column is None:
        return len(cells) > 2
    try:
        return bool(moment(cells[column], UTC))
    except MalformedItemError:
        return False


def _json(file: OpenFile, layout: Layout) -> Reading:
    first = _first_objects(file)
    if first:
        return _json_lines(file, layout, _kind(first[0], layout))
    document = file.json()
    items = document if isinstance(document, list) else [document]
    kind = _kind(next((item for item in items if isinstance(item, dict)), None), layout)
    if kind == "jsonl" and not isinstance(document, list):
        raise UnreadableError("unknown format; expected JSON Lines, a list of objects, or an answer of X or VK")
    return DocumentReading(kind, file, partial(item_rows, items, "item"), _parser(kind, file, layout))


def _json_lines(file: OpenFile, layout: Layout, kind: str) -> Reading:
    split = partial(json_rows, encoding=layout.encoding or file.encoding(), final=layout.final)
    return LineReading(kind, file, split, _parser(kind, file, layout))


def _first_objects(file: OpenFile) -> list[dict[str, Any]]:
    """Return the first object that stands in a line of its own, or none where the file is one document."""
    if file.head().lstrip().startswith(b"["):
        return []
    lines = iter(file.lines(START).take, None)
    filled = (line for line in islice(lines, _LINES_TRIED) if not line.blank)
    found: list[dict[str, Any]] = []
    for index, line in enumerate(filled):
        if index == 0 and line.data.strip() == b"{":
            break
        value = _object(line)
        if value is not None:
            found.append(value)
            break
    return found


def _object(line: Line) -> dict[str, Any] | None:
    try:
        value = None if line.too_long else json.loads(line.data.decode("utf-8", "replace").lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _kind(item: Mapping[str, Any] | None, layout: Layout) -> str:
    """Return "x", "vk", or "jsonl" for the documented mapping."""
    if layout.format in ("x", "vk"):
        return layout.format
    if item is None or layout.column("text") in item:
        return "jsonl"
    if "response" in item or {"error_code", "error_msg"} <= item.keys():
        return "vk"
    return "x" if isinstance(item.get("meta"), dict) or isinstance(item.get("data"), list) else "jsonl"


def _parser(kind: str, file: OpenFile, layout: Layout) -> Parse:
    if kind in ("x", "vk"):
        return partial(parse_answers, network=kind, file=file.name, layout=layout)
    return partial(parse_rows, file=file.name, modified_at=file.modified_at, layout=layout)


def parse_rows(rows: Iterable[Row], file: str, modified_at: datetime, layout: Layout) -> Iterator[Found]:
    """Yield one mention, or what was skipped, for each row in the documented mapping."""
    for row in rows:
        where = f"{file}:{row.place}"
        try:
            if row.problem or not isinstance(row.value, dict):
                raise MalformedItemError(row.problem or "expected an object")
            if gone := parse_withdrawn(row.value, layout):
                yield gone
                continue
            mention = parse_row(row.value, modified_at, layout)
        except MalformedItemError as error:
            yield Skipped(str(error), where, row.sample or clean_line(str(row.value)[:120]))
            continue
        yield mention if layout.wanted(mention.text) else Skipped("no brand term", where, broken=False)


def parse_withdrawn(row: Mapping[str, Any], layout: Layout) -> Withdrawn | None:
    """Return the post that a row says is gone, or None where it says nothing of the kind.

    Raises:
        MalformedItemError: it does not say which post.
    """
    if not _flag(layout.optional(row, "deleted")):
        return None
    identity = layout.text(row, "id")
    if not identity:
        raise MalformedItemError(f"'{layout.column('deleted')}' is set and '{layout.column('id')}' is missing")
    return Withdrawn(_network(layout.text(row, "network") or layout.network or "file"), identity)


def parse_row(row: Mapping[str, Any], modified_at: datetime, layout: Layout) -> Mention:
    """Return the mention in a row of the documented mapping.

    Raises:
        MalformedItemError: no text, or a time, network or text that cannot be read.
    """
    text = clean(string(layout.value(row, "text")))
    if not text:
        raise MalformedItemError(f"'{layout.column('text')}' is missing or empty")
    network = _network(layout.text(row, "network") or layout.network or "file")
    written = layout.text(row, "published_at")
    who = [layout.text(row, name) for name in ("author_id", "author_handle", "author_name")]
    identity = layout.text(row, "id") or stable_id(network, *who, written, text)
    return Mention(
        network=network,
        external_id=identity,
        text=text,
        published_at=moment(written, UTC, layout.now) if written else modified_at,
        author=_author(row, network, next(filter(None, who), f"author of {identity}"), layout),
        url=_address(layout.optional(row, "url")),
        language=language_tag(layout.optional(row, "language")),
        conversation_id=layout.optional(row, "conversation_id") or None,
        reply_to_id=layout.optional(row, "reply_to_id") or None,
        engagement=_engagement(row, layout),
        sponsored=_flag(layout.optional(row, "sponsored")) or False,
        country=_country(layout.optional(row, "country")),
        place=layout.optional(row, "place"),
    )


def _author(row: Mapping[str, Any], network: str, identity: str, layout: Layout) -> Author:
    return Author(
        network=network,
        external_id=identity,
        name=layout.optional(row, "author_name"),
        handle=layout.optional(row, "author_handle").removeprefix("@") or None,
        followers=count(layout.value(row, "followers")),
        verified=_flag(layout.optional(row, "verified")),
        bio=layout.optional(row, "bio"),
        location=layout.optional(row, "location"),
    )


def _engagement(row: Mapping[str, Any], layout: Layout) -> Engagement:
    names = ("likes", "replies", "reposts", "quotes", "views")
    return Engagement(*(count(layout.value(row, name)) for name in names))


def _network(text: str) -> str:
    name = text.lower()
    if not _NETWORK.fullmatch(name):
        raise MalformedItemError(f"not the name of a network: {text[:40]!r}")
    return name


def _country(text: str) -> str | None:
    return text.upper() if re.fullmatch("[A-Za-z]{2}", text) else None


def _address(text: str) -> str | None:
    return text if _WEB_ADDRESS.fullmatch(text) else None


def _flag(text: str) -> bool | None:
    folded = text.lower()
    return True if folded in _YES else False if folded in _NO else None


def parse_answers(rows: Iterable[Row], network: str, file: str, layout: Layout) -> Iterator[Found]:
    """Yield the mentions in saved answers of X or VK, one answer in a row."""
    parse_answer = _answer_parser(network)
    for row in rows:
        where = f"{file}:{row.place}"
        try:
            if row.problem or not isinstance(row.value, dict):
                raise MalformedItemError(row.problem or "expected an answer, a JSON object")
            mentions, skipped = parse_answer(row.value, brand_account=layout.account)
        except SourceError as error:
            yield Skipped(str(error), where, row.sample)
            continue
        for mention in mentions:
            yield mention if layout.wanted(mention.text) else Skipped("no brand term", where, broken=False)
        for item in skipped:
            yield Skipped(item.reason, f"{where} {item.where}", item.sample, item.broken)


ParseAnswer = Callable[..., tuple[list[Mention], list[Skipped]]]


def _answer_parser(network: str) -> ParseAnswer:
    # Imported here, so that following a folder of CSV files needs no network's module.
    if network == "x":
        from sources.x import parse_answer as parse_x

        return parse_x
    from sources.vk import parse_answer as parse_vk

    return parse_vk


def read_replay(
    path: Path,
    *,
    network: str | None = None,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Found]:
    """Yield all that stands in a finished file, `.csv`, `.jsonl` or either compressed as `.gz`.

    `network` is that of rows that name none; `encoding` is found out where it is not given.

    Raises:
        SourceError: the file is not there, no regular file, in no known format, or too large once unpacked.
    """
    layout = Layout(network=network, columns=columns or {}, final=True, encoding=encoding)
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):  # opening a pipe would wait for a writer, reading a device never ends
            raise UnreadableError("not a regular file")
        with path.open("rb") as packed, tempfile.TemporaryFile() as unpacked:
            whole = path.suffix != ".gz" or _unpack(packed, unpacked)
            stream: IO[bytes] = unpacked if path.suffix == ".gz" else packed
            size = stream.seek(0, io.SEEK_END)
            file = OpenFile(path, clean_line(path.name), stream, size, state.st_mtime_ns, Documents())
            reading = detect(file, layout)
            yield from reading.parse(reading.rows(START))
            if not whole:
                yield Skipped("the compressed file is damaged; what comes after is lost", file.name)
    except UnreadableError as error:
        raise SourceError(f"{path.name}: {error}") from None
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror or type(error).__name__}") from error


def _unpack(packed: IO[bytes], into: IO[bytes]) -> bool:
    """Write the content of a gzip file to `into`; return False where it is damaged or cut.

    Raises:
        UnreadableError: it holds more than `MAX_UNPACKED_BYTES`.
    """
    size = 0
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            while chunk := stream.read1(1 << 16):
                size += len(chunk)
                if size > MAX_UNPACKED_BYTES:
                    limit = MAX_UNPACKED_BYTES >> 20
                    raise UnreadableError(f"unpacks to more than {limit} MiB: split it, or unpack it by hand")
                into.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    return True


SPEC = SourceSpec("file", FileOptions, FileWatchOptions, FileSource)
