"""Classifies posts in JSON Lines, a batch at a time, in constant memory. Knows no file names and no terminal."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import Any, BinaryIO, Protocol

from listener.errors import ListenerError
from listener.model import Classification

MAX_LINE_BYTES = 16 * 2**20
"""A longer line is refused: it is no post, and must not fill the memory."""
BATCH = 256
"""Most lines classified together. Fewer are taken where fewer wait, so that a slow writer's lines come out at once."""
_WAIT_S = 0.5
_BOM = b"\xef\xbb\xbf"
# Half characters are no text; the others act on a terminal, or turn or hide what stands around them.
_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


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
class Post:
    """One line that can be classified."""

    id: str | int | float
    text: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """One line that cannot."""

    id: str | int | float | None
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
        for item in batch:
            sink.write(encode(describe(item, next(results), reasons) if isinstance(item, Post) else _refusal(item)))
        sink.flush()
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
        item = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
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
    line = json.dumps(written, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", line).encode("utf-8") + b"\n"


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"id": refused.id, "line": refused.line, "error": refused.error}


def _figure(value: float) -> float:
    return round(value, 6)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _post(item: dict[str, Any], number: int) -> Post | Refused:
    name, text, country = item.get("id"), item.get("text"), item.get("country")
    if name is None:
        name = number
    if isinstance(name, bool) or not isinstance(name, str | int | float) or name in (math.inf, -math.inf):
        return Refused(None, number, "`id` is neither a text nor a number")
    if not isinstance(text, str):
        return Refused(name, number, "`text` is missing" if text is None else "`text` is no text")
    for key in ("country", "network"):
        if not isinstance(item.get(key), str | None):
            return Refused(name, number, f"`{key}` is no text")
    return Post(name, text, country)


def _batches(source: BinaryIO, count: Count, report: Callable[[Count], None]) -> Iterator[list[Post | Refused]]:
    """Yield what lines hold, as many as wait."""
    waiting: Queue[bytes | Exception | None] = Queue(2 * BATCH)
    # A thread reads ahead: whoever reads a pipe cannot ask how many lines wait in it.
    Thread(target=_read, args=(source, waiting), daemon=True, name="reader").start()
    number, batch = 0, list[Post | Refused]()
    while isinstance(raw := _next(waiting, batch, count, report), bytes):
        if raw:
            number += 1
            count.bytes_read += len(raw)
            content = raw.removeprefix(_BOM) if number == 1 else raw
            if content.strip():
                batch.append(parse_line(content, number))
        if batch and (len(batch) == BATCH or not raw):
            yield batch
            batch = []
    if batch:
        yield batch
    if raw is not None:
        raise ListenerError(f"cannot read any further: {raw}") from raw


def _next(
    waiting: "Queue[bytes | Exception | None]", batch: Sequence[object], count: Count, report: Callable[[Count], None]
) -> bytes | Exception | None:
    """Return the next line, nothing where none waits but a batch does, None or what went wrong at the end."""
    while True:
        try:
            return waiting.get(timeout=0.001 if batch else _WAIT_S)
        except Empty:
            if batch:
                return b""
            report(count)


def _read(source: BinaryIO, waiting: "Queue[bytes | Exception | None]") -> None:
    try:
        while line := source.readline(MAX_LINE_BYTES + 1):
            waiting.put(line)
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = source.readline(MAX_LINE_BYTES + 1)
    except (OSError, ValueError) as error:
        waiting.put(error)
    else:
        waiting.put(None)
