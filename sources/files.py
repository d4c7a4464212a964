"""Following the files of a folder: which are new, grown or exported again, and how far each has been read.

Knows how to go on, not what stands in a file: a source hands in a `Detect` that recognises its formats.
"""

import fnmatch
import glob
import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from listener.clock import Clock
from listener.errors import MalformedItemError, RetryableSourceError
from listener.model import Mention, Page, Skipped, Withdrawn
from listener.sentences import Listing, counted, sentence
from sources.base import Trial
from sources.fields import clean_line
from sources.rows import START, Lines, Position, Row, bom_length, reason, sniff_encoding

PAGE_MENTIONS = 500
PAGE_SKIPPED = 2000
MAX_DOCUMENT_BYTES = 256 << 20
_DIGEST_BYTES = 8 << 20
_HEAD_BYTES = 1 << 16
_MEDIA = tuple(
    f".{kind}"
    for kinds in ("jpg jpeg png gif webp bmp heic", "mp3 wav amr silk m4a ogg", "mp4 mov avi", "dat pdf css js")
    for kind in kinds.split()
)
_UNFINISHED_NAMES = (".part", ".tmp", ".crdownload", ".download", ".swp", "~")
_DATABASES = (".db", ".db-wal", ".db-shm", ".sqlite", ".sqlite3", ".db3")
_OF_POSTS = (".jsonl", ".json", ".csv")
_SQLITE = b"SQLite format 3\x00"

Found = Mention | Skipped | Withdrawn
Parse = Callable[[Iterable[Row]], Iterator[Found]]


class UnreadableError(MalformedItemError):
    """A whole file cannot be read as any known format. `waits` is True where it may only be half written."""

    def __init__(self, message: str, *, waits: bool = False, broken: bool = True) -> None:
        super().__init__(message)
        self.waits = waits
        self.broken = broken and not waits


class Reading(Protocol):
    """An open file in a format that was recognised."""

    @property
    def name(self) -> str:
        """Return the name of the format."""
        ...

    def rows(self, start: Position) -> Iterator[Row]:
        """Yield the rows from `start` on."""
        ...

    def digest(self, end: Position) -> str:
        """Return a digest of what was read up to `end`; it is unchanged as long as reading may go on from there."""
        ...

    @property
    def parse(self) -> Parse:
        """Return what turns rows into mentions, one row after another."""
        ...


@dataclass(slots=True)
class OpenFile:
    """A file that is being read. `name` is its path within the folder."""

    path: Path
    name: str
    stream: IO[bytes]
    size: int
    modified_ns: int
    documents: "Documents"

    @property
    def modified_at(self) -> datetime:
        """When the file was last written."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)

    def head(self) -> bytes:
        """Return the first bytes, without a byte order mark."""
        self.stream.seek(0)
        head = self.stream.read(_HEAD_BYTES)
        return head[bom_length(head) :]

    def encoding(self) -> str:
        """Return the encoding that the text seems to have."""
        return sniff_encoding(self.stream)

    def lines(self, start: Position) -> Lines:
        """Return the lines from `start` on, without a byte order mark."""
        self.stream.seek(0)
        return Lines(self.stream, start if start.offset else Position(bom_length(self.stream.read(3))))

    def text(self) -> str:
        """Return the whole text.

        Raises:
            UnreadableError: too large, ends within a character, or in no known encoding.
        """
        if self.size > MAX_DOCUMENT_BYTES:
            limit = MAX_DOCUMENT_BYTES >> 20
            raise UnreadableError(f"more than {limit} MiB in one document: export it in parts, or as CSV or JSON Lines")
        self.stream.seek(0)
        data = self.stream.read(MAX_DOCUMENT_BYTES)
        return decode(data[bom_length(data) :])

    def json(self) -> Any:
        """Return the whole file parsed as JSON.

        Raises:
            UnreadableError: not JSON, or only the beginning of it.
        """
        return self.documents.get(self, lambda: parse_document(self.text()))


class Documents:
    """Remembers the last document read, so that paging through one does not parse it for every page."""

    def __init__(self) -> None:
        self._last: tuple[tuple[str, int, int], Any] | None = None

    def get(self, file: OpenFile, read: Callable[[], Any]) -> Any:
        """Return what `read` returned for this state of the file."""
        key = (str(file.path), file.size, file.modified_ns)
        last = self._last
        if last is None or last[0] != key:
            last = (key, read())
            self._last = last
        return last[1]


def decode(data: bytes) -> str:
    """Return text in UTF-8 or GB 18030; in mostly good UTF-8 the damaged bytes are left as lone surrogates.

    Raises:
        UnreadableError: neither, or the end of a character is missing.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise UnreadableError("the file ends within a character", waits=True) from None
    text = data.decode("utf-8", "surrogateescape")
    damaged = sum("\udc80" <= char <= "\udcff" for char in text)
    if damaged * 10 < sum(char > "\x7f" for char in text):
        return text
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        waits = error.end >= len(data)
        raise UnreadableError("neither UTF-8 nor GB 18030", waits=waits) from None


def parse_document(text: str) -> Any:
    """Return parsed JSON.

    Raises:
        UnreadableError: not JSON; `waits` where the text merely ends too early.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        rest = len(text.rstrip()) - error.pos
        if rest <= 12 or error.msg.startswith("Unterminated string"):
            raise UnreadableError("the JSON ends too early: it waits until the file is whole", waits=True) from None
        raise UnreadableError(f"not valid JSON at line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not valid JSON: {reason(error)}") from None


@dataclass(frozen=True, slots=True)
class LineReading:
    """A format whose file only grows at its end; it is read on from a byte offset."""

    name: str
    file: OpenFile
    split: Callable[[Lines], Iterator[Row]]
    parse: Parse
    body: Position = START
    """Where the first row stands, after a header."""

    def rows(self, start: Position) -> Iterator[Row]:
        """Yield the rows from `start` on."""
        return self.split(self.file.lines(max(start, self.body, key=lambda position: position.offset)))

    def digest(self, end: Position) -> str:
        """Return a digest of the bytes before `end`: of all, or of the first and last 4 MiB where there are more.

        A page of a file of gigabytes must not read all that came before.
        """
        return _digest(self.file.stream, end.offset)


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """A format that can only be read whole; its rows are the items of a list."""

    name: str
    file: OpenFile
    items: Callable[[], list[Row]]
    parse: Parse

    def rows(self, start: Position) -> Iterator[Row]:
        """Yield the items from `start` on."""
        yield from self.items()[start.offset :]

    def digest(self, end: Position) -> str:
        """Return a digest of the whole file."""
        return _digest(self.file.stream, self.file.size)


def item_rows(items: list[Any], within: str) -> list[Row]:
    """Return the items of a list in a document as rows, named `within[0]` and so on."""
    return [Row(item, f"{within}[{index}]", Position(index + 1)) for index, item in enumerate(items)]


def _digest(stream: IO[bytes], length: int) -> str:
    found = hashlib.blake2b(digest_size=16)
    stream.seek(0)
    found.update(stream.read(min(length, _DIGEST_BYTES // 2)))
    rest = length - _DIGEST_BYTES // 2
    if rest > 0:
        stream.seek(length - min(rest, _DIGEST_BYTES // 2))
        found.update(stream.read(min(rest, _DIGEST_BYTES // 2)))
    return found.hexdigest()


Detect = Callable[[OpenFile], Reading]
"""Recognises the format of a file by its content. Raises UnreadableError."""


@dataclass(slots=True)
class Record:
    """How far one file has been read."""

    size: int
    modified_ns: int
    position: Position = START
    digest: str = ""
    at_end: bool = False
    complaint: str = ""
    """What was reported of the file as a whole, so that it is not reported again."""

    def describes(self, found: os.stat_result) -> bool:
        """Return whether the file is still as it was."""
        return (self.size, self.modified_ns) == (found.st_size, found.st_mtime_ns)


class Progress:
    """The cursor: a record per file."""

    def __init__(self, cursor: str | None) -> None:
        self.records: dict[str, Record] = {}
        try:
            files = json.loads(cursor)["files"] if cursor else {}
            for name, (size, modified_ns, offset, line, digest, at_end, complaint) in files.items():
                position = Position(int(offset), int(line))
                self.records[name] = Record(size, modified_ns, position, digest, bool(at_end), complaint)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.records = {}  # an unknown cursor costs a second reading, which the store absorbs

    def cursor(self) -> str:
        """Return the cursor as text."""
        files = {name: self._row(record) for name, record in sorted(self.records.items())}
        return json.dumps({"version": 1, "files": files}, separators=(",", ":"))

    @staticmethod
    def _row(record: Record) -> list[Any]:
        place = record.position
        return [
            record.size,
            record.modified_ns,
            place.offset,
            place.line,
            record.digest,
            int(record.at_end),
            record.complaint,
        ]


@dataclass(slots=True)
class Haul:
    """What one fetch has gathered so far."""

    mentions: list[Mention] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether the page holds enough."""
        return len(self.mentions) + len(self.withdrawn) >= PAGE_MENTIONS or len(self.skipped) >= PAGE_SKIPPED

    def add(self, item: Found) -> None:
        """Take one item."""
        if isinstance(item, Skipped):
            self.skipped.append(item)
        elif isinstance(item, Withdrawn):
            self.withdrawn.append(item)
        else:
            self.mentions.append(item)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, a file or a pattern of files. Relative paths start at the working directory."""

    text: str

    @property
    def _is_pattern(self) -> bool:
        return glob.has_magic(self.text) and not os.path.exists(self.text)

    @property
    def root(self) -> Path:
        """The folder that no file may lie outside of."""
        path = Path(self.text)
        if self._is_pattern:
            return _split_pattern(path)[0]
        return path.parent if os.path.isfile(path) else path

    def paths(self) -> list[Path]:
        """Return the files, sorted by name.

        Raises:
            RetryableSourceError: there is no such folder or file.
        """
        path = Path(self.text)
        if self._is_pattern:
            return sorted(_matches(*_split_pattern(path)))
        if os.path.isfile(path):
            return [path]
        if not os.path.isdir(path):
            raise RetryableSourceError(f"there is no file or folder '{self.text}'; create it or correct the path")
        return sorted(Path(folder, name) for folder, _, names in os.walk(path) for name in names)


def unread_above(places: Collection[str]) -> list[Path]:
    """Return the files of posts that lie in the folder above several watched ones and that none of `places` reads."""
    folders = {Path(place) for place in places if os.path.isdir(place)}
    above = Counter(folder.parent for folder in folders)
    read = {path for place in places if Path(place) not in folders for path in _paths(place)}
    return sorted(
        path
        for parent, count in above.items()
        if count > 1 and parent != Path() and not any(parent.is_relative_to(folder) for folder in folders)
        for name, is_folder in _entries(parent)
        if not is_folder and (path := parent / name).suffix.lower() in _OF_POSTS and path not in read
    )


def _paths(place: str) -> list[Path]:
    try:
        return Place(place).paths()
    except RetryableSourceError:
        return []


def _split_pattern(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the folder above the first wildcard, and the parts from there on."""
    parts = path.parts
    plain = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:plain]), parts[plain:]


def _matches(root: Path, parts: tuple[str, ...]) -> set[Path]:
    """Return the files that fit a pattern below `root`.

    `glob.glob` follows links to folders, and so never ends where one leads back to a folder above it.
    """
    found: set[Path] = set()
    waiting, known = [(root, parts)], {(root, parts)}
    while waiting:
        folder, left = waiting.pop()
        files, further = _step(folder, left)
        found |= files
        waiting.extend(further - known)
        known |= further
    return found


def _step(folder: Path, parts: tuple[str, ...]) -> tuple[set[Path], set[tuple[Path, tuple[str, ...]]]]:
    """Return the files of one folder that fit the last part of a pattern, and the folders to go on in."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        below = {(folder / name, parts) for name, is_folder in _entries(folder) if is_folder}
        return set(), below | {(folder, rest or ("*",))}
    fitting = [(folder / name, is_folder) for name, is_folder in _entries(folder) if fnmatch.fnmatch(name, part)]
    if rest:
        return set(), {(path, rest) for path, is_folder in fitting if is_folder}
    return {path for path, is_folder in fitting if not is_folder}, set()


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Return what a folder holds, and of each entry whether it is a folder itself and not a link to one."""
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except (OSError, ValueError):  # gone, not to be read, or a name that no folder has
        return []


class Follower:
    """Reads what is new in the files of a place, one page at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents = Documents()

    def fetch(self, place: str, settle_s: float, cursor: str | None, detect: Detect) -> Page:
        """Return a page of what is new since `cursor`.

        Raises:
            RetryableSourceError: there is no such folder or file.
        """
        progress, haul = Progress(cursor), Haul()
        where = Place(place)
        paths = self._names(where)
        progress.records = {name: record for name, record in progress.records.items() if name in paths}
        for name, path in paths.items():
            self._follow(name, path, where.root, settle_s, progress, haul, detect)
            if haul.full:
                break
        return Page(
            tuple(haul.mentions),
            progress.cursor(),
            more=haul.full,
            skipped=tuple(haul.skipped),
            withdrawn=tuple(haul.withdrawn),
        )

    def try_out(self, place: str) -> Trial:
        """Return how many files there are to read, whether they can be, and which is the newest.

        Raises:
            RetryableSourceError: there is no such folder or file, or none of its files can be read.
        """
        where = Place(place)
        readable: dict[str, float] = {}
        faults: dict[str, str] = {}
        for name, path in self._names(where).items():
            try:
                found = _checked_stat(path, where.root)
                with path.open("rb") as stream:
                    stream.read(1)
                readable[clean_line(name)] = found.st_mtime
            except UnreadableError as error:
                faults[clean_line(name)] = str(error)
            except OSError as error:
                faults[clean_line(name)] = _why(error)
        fault = [
            sentence("{count} not, such as {name}: {why}", count=len(faults), name=name, why=why)
            for name, why in list(faults.items())[:1]
        ]
        if not readable and any("cannot be read" in why for why in faults.values()):
            told = "; ".join((f"no file in '{place}' can be read", *fault))
            raise RetryableSourceError(f"{told}; give the daemon's user the right to")
        if not readable:
            _check_folder(where.root)
            said = sentence("'{place}' is there and holds no file to read yet", place=place)
            return Trial(Listing.of((said, *fault), "; "), heard=False)
        newest = max(readable, key=lambda name: readable[name])
        moment = f"{datetime.fromtimestamp(readable[newest], UTC):%Y-%m-%d %H:%M} UTC"
        said = counted(
            "'{place}' holds {count} file that can be read; the newest, {newest}, is of {moment}",
            "'{place}' holds {count} files that can be read; the newest, {newest}, is of {moment}",
            len(readable),
            place=place,
            newest=newest,
            moment=moment,
        )
        return Trial(Listing.of((said, *fault), "; "))

    def _names(self, place: Place) -> dict[str, Path]:
        root = place.root
        return {path.relative_to(root).as_posix(): path for path in place.paths() if _is_of_interest(path, root)}

    def _follow(
        self, name: str, path: Path, root: Path, settle_s: float, progress: Progress, haul: Haul, detect: Detect
    ) -> None:
        old = progress.records.get(name)
        try:
            found = _checked_stat(path, root)
            if old is not None and old.at_end and old.describes(found):
                return
            if abs(self._clock.now().timestamp() - found.st_mtime) < settle_s:
                return
            with path.open("rb") as stream:
                file = OpenFile(path, clean_line(name), stream, found.st_size, found.st_mtime_ns, self._documents)
                progress.records[name] = self._read(file, old, haul, detect)
        except FileNotFoundError:
            progress.records.pop(name, None)
        except UnreadableError as error:
            progress.records[name] = _set_aside(name, error, old, haul, _state(path))
        except OSError as error:  # rights may change while the file does not, so it is tried again
            progress.records[name] = _set_aside(name, UnreadableError(_why(error)), old, haul, None)

    def _read(self, file: OpenFile, old: Record | None, haul: Haul, detect: Detect) -> Record:
        reading = detect(file)
        record = Record(file.size, file.modified_ns, complaint=old.complaint if old else "")
        record.position = _start(reading, file, old)
        for item in reading.parse(_while_room(reading.rows(record.position), record, haul, file.name)):
            haul.add(item)
        record.digest = reading.digest(record.position)
        return record


def _while_room(rows: Iterator[Row], record: Record, haul: Haul, name: str) -> Iterator[Row]:
    """Hand rows on until the page is full, and note in `record` how far they were taken."""
    for row in rows:
        if row.unfinished:
            complaint = f"unfinished at {row.place}"
            if record.complaint != complaint:
                record.complaint = complaint
                haul.add(Skipped("the last row is not finished yet: it waits", f"{name}:{row.place}", broken=False))
            break
        record.complaint = ""
        yield row
        record.position = row.end
        if haul.full:
            return
    record.at_end = True


def _start(reading: Reading, file: OpenFile, old: Record | None) -> Position:
    if old is None or not old.position.offset:
        return START
    same = (old.size, old.modified_ns) == (file.size, file.modified_ns)
    return old.position if same or reading.digest(old.position) == old.digest else START


def _is_of_interest(path: Path, root: Path) -> bool:
    hidden = any(part.startswith((".", "~$")) for part in path.relative_to(root).parts)
    return not (hidden or path.name.endswith(_UNFINISHED_NAMES) or path.suffix.lower() in _MEDIA or os.path.isdir(path))


def _checked_stat(path: Path, root: Path) -> os.stat_result:
    # `Path.resolve` raises RuntimeError where a link leads to itself; here `stat` says so, as an OSError.
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise UnreadableError("a link that leads out of the folder is not followed")
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("not a regular file")
    name = path.name.lower()
    if name.endswith(_DATABASES) or name.startswith("micromsg"):
        raise UnreadableError("databases are never opened; export the chat to a file", broken=False)
    return found


def refuse_database(head: bytes) -> None:
    """Refuse a database by its first bytes, whatever its name.

    Raises:
        UnreadableError: it is one.
    """
    if head.startswith(_SQLITE):
        raise UnreadableError("databases are never opened; export the chat to a file", broken=False)


def _set_aside(
    name: str, error: UnreadableError, old: Record | None, haul: Haul, state: tuple[int, int] | None
) -> Record:
    """Report a file that cannot be read, once, and remember its state and how far it had been read."""
    complaint = str(error)
    if old is None or old.complaint != complaint:
        haul.add(Skipped(complaint, clean_line(name), broken=error.broken))
    size, modified_ns = state or (-1, -1)
    record = Record(size, modified_ns, at_end=state is not None, complaint=complaint)
    if old is not None:
        record.position, record.digest = old.position, old.digest
    return record


def _check_folder(folder: Path) -> None:
    """Raise where a folder that seems empty cannot be read at all."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise RetryableSourceError(
            f"the folder '{folder}' {_why(error)}; give the daemon's user the right to"
        ) from error


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _why(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"
