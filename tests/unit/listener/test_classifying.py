import errno
import io
import json
import os
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.text import TEXT_CHARACTERS, mask
from listener.classifying import (
    BATCH,
    BYTES_AHEAD,
    MAX_LINE_BYTES,
    Count,
    OutputError,
    Post,
    ReadAhead,
    Refused,
    classify_lines,
    encode,
    parse_line,
)
from listener.errors import ListenerError
from listener.model import Classification, Reason, Sentiment, Urgency


class Echo:
    """Answers with the text itself as the topic, and remembers what it was asked."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.spoken: list[Sequence[str]] = []

    def classify(self, texts: Sequence[str], **asked: Any) -> list[Classification]:
        self.sizes.append(len(texts))
        self.spoken += asked["country_languages"]
        reasons = (Reason("late", 0.5),) if asked["reasons"] else ()
        return [
            Classification(
                "en", 1 / 3, Urgency.LOW, (0.25, 0.25, 0.25, 0.25), Sentiment.NEGATIVE, (1.0, 0.0, 0.0), text, 0.5,
                {"T": 0.7}, "m1", reasons=reasons,
            )
            for text in texts
        ]  # fmt: skip


def run(content: bytes, **changes: Any) -> tuple[list[dict[str, Any]], Count]:
    sink = io.BytesIO()
    options = {"languages": {"CH": ("de", "fr")}} | changes
    count = classify_lines(io.BytesIO(content), sink, changes.pop("classifier", None) or Echo(), **_known(options))
    return [json.loads(line) for line in sink.getvalue().decode("utf-8").splitlines()], count


def _known(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key in ("languages", "reasons", "report")}


def line(**item: Any) -> bytes:
    return json.dumps(item).encode() + b"\n"


def test_each_line_is_answered_with_all_that_is_known() -> None:
    (written,), _ = run(line(id="p1", text="hello"))
    assert written == {
        "id": "p1", "language": "en", "complaint": 0.333333, "urgency": 1,
        "urgency_probabilities": [0.25, 0.25, 0.25, 0.25], "sentiment": "negative",
        "sentiment_probabilities": [1.0, 0.0, 0.0], "topic": "hello", "topic_probability": 0.5, "signals": {"T": 0.7},
        "reasons": [{"word": "late", "weight": 0.5}], "model": "m1",
    }  # fmt: skip


def test_reasons_can_be_left_out() -> None:
    (written,), _ = run(line(id=1, text="hello"), reasons=False)
    assert "reasons" not in written


def test_a_thousand_lines_come_out_in_order_and_in_batches() -> None:
    echo = Echo()
    written, count = run(b"".join(line(id=n, text=f"t{n}") for n in range(1000)), classifier=echo)
    assert [item["id"] for item in written] == list(range(1000))
    assert [item["topic"] for item in written] == [f"t{n}" for n in range(1000)]
    assert max(echo.sizes) <= BATCH
    assert (count.classified, count.refused) == (1000, 0)


def test_bad_lines_keep_their_place_and_say_why() -> None:
    content = line(id=1, text="a") + b"{oops\n" + line(id=3) + line(id=4, text="b")
    written, count = run(content)
    assert [item["id"] for item in written] == [1, None, 3, 4]
    assert [item.get("line") for item in written] == [None, 2, 3, None]
    assert written[2]["error"] == "`text` is missing"
    assert (count.classified, count.refused) == (2, 2)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"nonsense", "not JSON"),
        (b'{"text": "a"', "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"id": NaN, "text": "a"}', "NaN is no JSON value"),
        (b'{"id": 01, "text": "a"}', "not JSON"),
        (b'{"id": -, "text": "a"}', "not JSON"),
        (b'{"id": true, "text": "a"}', "`id` is neither"),
        (b'{"id": {}, "text": "a"}', "`id` is neither"),
        (b'{"id": 1, "text": 5}', "`text` is no text"),
        (b'{"id": 1, "text": null}', "`text` is missing"),
        (b'{"id": 1, "text": "a", "country": 7}', "`country` is no text"),
        (b'{"id": 1, "text": "a", "network": []}', "`network` is no text"),
        (b'{"id": 1, "text": "\xff"}', "not UTF-8 at byte 20"),
        (b"[" * 200_000, "not JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "`text` is missing"),
        (b"x" * (MAX_LINE_BYTES + 1), "longer than 16 MB"),
    ],
)
def test_what_holds_no_post_is_refused_with_the_reason(raw: bytes, words: str) -> None:
    found = parse_line(raw, 9)
    assert isinstance(found, Refused)
    assert words in found.error
    assert found.line == 9


def test_a_missing_id_is_the_lines_number() -> None:
    assert parse_line(b'{"text": "a"}', 7) == Post(7, "a", None)
    assert parse_line(b'{"id": null, "text": "a"}', 8) == Post(8, "a", None)


@pytest.mark.parametrize("name", ["", "0", 0, -1.5, 10**30, "\ud800", "😡"])
def test_an_id_comes_back_as_it_was(name: str | float) -> None:
    (written,), _ = run(line(id=name, text="a"))
    assert written["id"] == name


LITERALS = ["7", "-0", "1.0", "1e2", "-1.50E+3", "12345678901234567890.5", "1e999", "9" * 5000, "0.1" + "0" * 5000]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_number_comes_back_as_it_was_written(literal: str) -> None:
    sink = io.BytesIO()
    lines = f'{{"id": {literal}, "text": "a"}}\n{{"id": {literal}, "text": null}}\n'
    classify_lines(io.BytesIO(lines.encode()), sink, Echo(), languages={})
    for written in sink.getvalue().decode().splitlines():
        assert written.startswith(f'{{"id": {literal}, "')
        assert json.loads(written, parse_int=str, parse_float=str)["id"] == literal


def test_numbers_that_stand_elsewhere_do_no_harm() -> None:
    written, _ = run(b'{"id": "a", "text": "b", "likes": ' + b"9" * 5000 + b', "score": [1e999, {"x": 0.5}]}')
    assert (written[0]["id"], written[0]["topic"]) == ("a", "b")


def test_no_more_of_a_text_is_kept_than_the_model_reads() -> None:
    text = "ab" * TEXT_CHARACTERS
    found = parse_line(line(id=1, text=text), 1)
    assert isinstance(found, Post)
    assert found.text == text[:TEXT_CHARACTERS]
    assert mask("&#97;" * TEXT_CHARACTERS) == mask(("&#97;" * TEXT_CHARACTERS)[:TEXT_CHARACTERS])
    last = " " * (TEXT_CHARACTERS - 1)
    assert (mask(f"{last}ab"), mask(f"{last} b")) == ("a", "")


def test_lines_that_wait_are_bounded_by_bytes_and_number() -> None:
    ahead, long = ReadAhead(), b"x" * (BYTES_AHEAD // 4)
    assert ahead.has_room(10 * BYTES_AHEAD)
    for _ in range(4):
        assert ahead.has_room(len(long))
        ahead.put(long)
    assert not ahead.has_room(1)
    assert ahead.get(0) == long
    assert ahead.has_room(len(long))
    assert not ahead.has_room(len(long) + 1)
    short = ReadAhead()
    for _ in range(2 * BATCH):
        assert short.has_room(1)
        short.put(b"x")
    assert not short.has_room(1)


def test_long_lines_are_classified_few_at_a_time() -> None:
    echo, length = Echo(), BYTES_AHEAD // 8
    written, _ = run(line(text="a", more="x" * length) * 30, classifier=echo)
    assert len(written) == 30
    assert max(echo.sizes) <= 8


class Full(io.BytesIO):
    """Takes no more, for the reason given."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


def test_a_sink_that_takes_no_more_is_told() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OutputError, match=r"^cannot write: No space left on device$") as caught:
        classify_lines(io.BytesIO(line(text="a")), Full(error), Echo(), languages={})
    assert caught.value.__cause__ is error


def test_blank_lines_are_passed_over_but_counted_in_line_numbers() -> None:
    written, count = run(b"\n  \r\n" + line(text="a") + b"\n" + line(text="b"))
    assert [item["id"] for item in written] == [3, 5]
    assert count.classified == 2


def test_a_byte_order_mark_carriage_returns_and_a_missing_last_line_end_do_not_matter() -> None:
    written, count = run(b"\xef\xbb\xbf" + line(id=1, text="a").replace(b"\n", b"\r\n") + line(id=2, text="b").strip())
    assert [item["id"] for item in written] == [1, 2]
    assert count.refused == 0


def test_what_follows_a_line_that_is_too_long_is_read() -> None:
    written, _ = run(b'{"text": "' + b"x" * (2 * MAX_LINE_BYTES + 5) + b'"}\n' + line(id=2, text="b"))
    assert [item.get("error") for item in written] == ["longer than 16 MB", None]


def test_nothing_comes_of_nothing() -> None:
    assert run(b"") == ([], Count())


def test_the_languages_of_the_posts_country_are_passed_on() -> None:
    echo = Echo()
    run(line(text="a", country="ch") + line(text="b", country="XX") + line(text="c"), classifier=echo)
    assert echo.spoken == [("de", "fr"), (), ()]


def test_a_line_is_answered_while_the_writer_still_writes() -> None:
    ours, theirs = os.pipe()
    back, answers = os.pipe()
    with os.fdopen(ours, "rb") as source, os.fdopen(answers, "wb") as sink, os.fdopen(back, "rb") as read:
        with os.fdopen(theirs, "wb") as writer:
            worker = threading.Thread(target=classify_lines, args=(source, sink, Echo()), kwargs={"languages": {}})
            worker.start()
            for number in range(3):
                writer.write(line(id=number, text="a"))
                writer.flush()
                assert json.loads(read.readline())["id"] == number
        worker.join(120)
        assert not worker.is_alive()


class Broken(io.BytesIO):
    def readline(self, size: int | None = -1) -> bytes:
        found = super().readline(size)
        if not found:
            raise OSError("the disk is gone")
        return found


def test_a_source_that_breaks_is_told_after_what_came_before_is_written() -> None:
    sink = io.BytesIO()
    with pytest.raises(ListenerError, match="the disk is gone"):
        classify_lines(Broken(line(id=1, text="a") * 300), sink, Echo(), languages={})
    assert len(sink.getvalue().splitlines()) == 300


def test_progress_counts_bytes_up_to_the_end() -> None:
    content = line(id=1, text="a") * 600
    seen: list[int] = []
    run(content, report=lambda count: seen.append(count.bytes_read))
    assert seen == sorted(seen)
    assert seen[-1] == len(content)


TEXTS = st.text(alphabet=st.characters(exclude_categories=()), max_size=30)


@given(TEXTS, TEXTS)
def test_whatever_is_written_is_json_in_utf_8_without_controls(name: str, word: str) -> None:
    written = encode({"id": name, "reasons": [{"word": word, "weight": 0.5}]})
    assert json.loads(written.decode("utf-8")) == {"id": name, "reasons": [{"word": word, "weight": 0.5}]}
    assert written.count(b"\n") == 1
    assert not set(written.decode("utf-8")[:-1]) & set("\x1b\x7f\x9b\u202e\u2028\u200b\u2066")


@given(st.binary(max_size=60) | TEXTS.map(lambda text: json.dumps({"text": text}).encode()))
def test_no_line_makes_it_stop(content: bytes) -> None:
    lines = [part for part in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if part.strip()]
    written, count = run(content)
    assert len(written) == count.classified + count.refused == len(lines)
