"""Classifies posts in JSON Lines, a batch at a time, in constant memory. Knows no file names and no terminal."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, BinaryIO, Protocol

from classifiers.text import TEXT_CHARACTERS
from listener.errors import ListenerError
from listener.model import Classification

MAX_LINE_BYTES = 16 * 2**20
"""A longer line is refused: it is no post, and must not fill the memory."""
BATCH = 256
"""Most lines classified together. Fewer are taken where fewer wait, so that a slow writer's lines come out at once."""
BYTES_AHEAD = MAX_LINE_BYTES
"""Most bytes of lines that wait to be parsed, and of lines whose posts are classified together, but for one line."""
_WAIT_S = 0.5
_BOM = b"\xef\xbb\xbf"
# Half characters are no text; the others act on a terminal, or turn or hide what stands around them.
_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


class OutputError(ListenerError):
    """Results cannot be written; the cause is the system's own error."""


class Classifier(Protocol):
    """What is needed of a classifier."""

    def classify(
        self,
        texts: Sequence[str],
        *,
        network_languages: Sequence[str | None] | None = None,
        country_languages: Sequence[Sequence[str]] | None = None,
        reasons: bool = False,
    ) -> list[Classification]:
        """Return one classification per text, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written: as an int or a float it could come back as another, or not at all."""

    literal: str


Id = str | int | Number
"""What names a post; an int only where the line's number stands in."""


@dataclass(frozen=True, slots=True)
class Post:
    """One line that can be classified."""

    id: Id
    text: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """One line that cannot."""

    id: Id | None
    line: int
    error: str


@dataclass(slots=True)
class Count:
    """What was done."""

    classified: int = 0
    refused: int = 0
    bytes_read: int = 0


def classify_lines(
    source: BinaryIO,
    sink: BinaryIO,
    classifier: Classifier,
    *,
    languages: Mapping[str, Sequence[str]],
    reasons: bool = True,
    report: Callable[[Count], None] = lambda count: None,
) -> Count:
    """Write one JSON object per line of `source` that is not blank, in order; see docs/classify.md.

    Args:
        source: JSON Lines in UTF-8.
        sink: where to write, in UTF-8; flushed after each batch.
        classifier: the model.
        languages: those spoken in each country, by its code.
        reasons: write the words that moved each result.
        report: told after each batch, and while nothing comes, how far it is.

    Raises:
        OutputError: `sink` takes no more.
        ListenerError: `source` cannot be read any further; what came before is written.
    """
    count = Count()
    for batch in _batches(source, count, report):
        posts = [item for item in batch if isinstance(item, Post)]
        found = classifier.classify(
            [post.text for post in posts],
            country_languages=[languages.get((post.country or "").upper(), ()) for post in posts],
            reasons=reasons,
        )
        results = iter(found)
        _write(
            sink,
            (describe(item, next(results), reasons) if isinstance(item, Post) else _refusal(item) for item in batch),
        )
        count.classified += len(posts)
        count.refused += len(batch) - len(posts)
        report(count)
    return count


def parse_line(raw: bytes, number: int) -> Post | Refused:
    """Return the post that a line holds, or why it holds none.

    Args:
        raw: the line, with or without its end.
        number: its number, which stands for a missing id.
    """
    if len(raw) > MAX_LINE_BYTES:
        return Refused(None, number, f"longer than {MAX_LINE_BYTES // 2**20} MB")
    try:
        item = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, parse_int=Number, parse_float=Number)
    except UnicodeDecodeError as error:
        return Refused(None, number, f"not UTF-8 at byte {error.start + 1} of the line")
    except json.JSONDecodeError as error:
        return Refused(None, number, f"not JSON: {error.msg} at character {error.pos + 1}")
    except (ValueError, RecursionError) as error:
        return Refused(None, number, f"not JSON: {error or 'nested too deeply'}")
    return _post(item, number) if isinstance(item, dict) else Refused(None, number, "not a JSON object")


def describe(post: Post, found: Classification, reasons: bool) -> dict[str, Any]:
    """Return the object written for a classified post."""
    written: dict[str, Any] = {
        "id": post.id,
        "language": found.language,
        "complaint": _figure(found.complaint),
        "urgency": int(found.urgency),
        "urgency_probabilities": [_figure(share) for share in found.urgency_probabilities],
        "sentiment": str(found.sentiment),
        "sentiment_probabilities": [_figure(share) for share in found.sentiment_probabilities],
        "topic": found.topic,
        "topic_probability": _figure(found.topic_probability),
        "signals": {letter: _figure(share) for letter, share in found.signals.items()},
    }
    if reasons:
        written["reasons"] = [{"word": reason.word, "weight": round(reason.weight, 4)} for reason in found.reasons]
    return {**written, "model": found.model}


def encode(written: Mapping[str, Any]) -> bytes:
    """Return an object as one line of JSON in UTF-8, whatever its texts hold."""
    name = written.get("id")
    others = {key: value for key, value in written.items() if key != "id"} if isinstance(name, Number) else written
    line = json.dumps(others, ensure_ascii=False, allow_nan=False)
    if isinstance(name, Number):
        line = f'{{"id": {name.literal}, {line[1:]}' if others else f'{{"id": {name.literal}}}'
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", line).encode("utf-8") + b"\n"


def _write(sink: BinaryIO, items: Iterator[Mapping[str, Any]]) -> None:
    lines = [encode(item) for item in items]
    try:
        sink.writelines(lines)
        sink.flush()
    except OSError as error:
        raise OutputError(f"cannot write: {error.strerror or error}") from error


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"id": refused.id, "line": refused.line, "error": refused.error}


def _figure(value: float) -> float:
    return round(value, 6)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _post(item: dict[str, Any], number: int) -> Post | Refused:
    name, text, country = item.get("id"), item.get("text"), item.get("country")
    if not isinstance(name, str | Number | None):
        return Refused(None, number, "`id` is neither a text nor a number")
    if name is None:
        name = number
    if not isinstance(text, str):
        return Refused(name, number, "`text` is missing" if text is None else "`text` is no text")
    for key in ("country", "network"):
        if not isinstance(item.get(key), str | None):
            return Refused(name, number, f"`{key}` is no text")
    return Post(name, text[:TEXT_CHARACTERS], country)


class ReadAhead:
    """Lines that were read and wait, few enough for the memory; None or what went wrong is the last of them."""

    def __init__(self) -> None:
        """Start with none."""
        self._items: deque[bytes | Exception | None] = deque()
        self._bytes = 0
        self._changed = Condition()

    def has_room(self, size: int) -> bool:
        """Return whether a line of so many bytes may be put in; any may where none waits."""
        return not self._items or (len(self._items) < 2 * BATCH and self._bytes + size <= BYTES_AHEAD)

    def put(self, item: bytes | Exception | None) -> None:
        """Put one in as soon as there is room."""
        size = len(item) if isinstance(item, bytes) else 0
        with self._changed:
            self._changed.wait_for(lambda: self.has_room(size))
            self._items.append(item)
            self._bytes += size
            self._changed.notify_all()

    def get(self, timeout_s: float) -> bytes | Exception | None:
        """Return the next; an empty line where none comes in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._items, timeout_s):
                return b""
            item = self._items.popleft()
            self._bytes -= len(item) if isinstance(item, bytes) else 0
            self._changed.notify_all()
            return item


def _batches(source: BinaryIO, count: Count, report: Callable[[Count], None]) -> Iterator[list[Post | Refused]]:
    """Yield what lines hold, as many as wait."""
    waiting = ReadAhead()
    # A thread reads ahead: whoever reads a pipe cannot ask how many lines wait in it.
    Thread(target=_read, args=(source, waiting), daemon=True, name="reader").start()
    number, held_bytes, batch = 0, 0, list[Post | Refused]()
    while isinstance(raw := _next(waiting, batch, count, report), bytes):
        if raw:
            number += 1
            count.bytes_read += len(raw)
            held_bytes += len(raw)
            content = raw.removeprefix(_BOM) if number == 1 else raw
            if content.strip():
                batch.append(parse_line(content, number))
        if batch and (len(batch) == BATCH or held_bytes >= BYTES_AHEAD or not raw):
            yield batch
            held_bytes, batch = 0, []
    if batch:
        yield batch
    if raw is not None:
        raise ListenerError(f"cannot read any further: {raw}") from raw


def _next(
    waiting: ReadAhead, batch: Sequence[object], count: Count, report: Callable[[Count], None]
) -> bytes | Exception | None:
    """Return the next line, nothing where none waits but a batch does, None or what went wrong at the end."""
    while (found := waiting.get(0.001 if batch else _WAIT_S)) == b"" and not batch:
        report(count)
    return found


def _read(source: BinaryIO, waiting: ReadAhead) -> None:
    try:
        while line := source.readline(MAX_LINE_BYTES + 1):
            waiting.put(line)
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = source.readline(MAX_LINE_BYTES + 1)
    except (OSError, ValueError) as error:
        waiting.put(error)
    else:
        waiting.put(None)
