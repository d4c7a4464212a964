"""Explanations as lines and as JSON: what others wrote acts on nothing, and nothing is wider than the terminal."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from listener.explaining import Explanation, Fact, Step, as_json, lines
from listener.sentences import Sentence

AT = datetime(2026, 3, 14, 9, 12, 5, tzinfo=UTC)
ACTING = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067"} - {"\n"}


def of(value: str, detail: str = "", *, hostile: bool = True) -> Explanation:
    fact = Fact("text", value, detail, hostile=hostile, depth=1)
    return Explanation(value, value, (Step("post", "ok", value, (fact,), "Post", brand=value[:5]),), "raised")


@given(st.text(), st.text(max_size=30))
def test_no_text_acts_on_the_terminal_or_is_wider_than_it(value: str, detail: str) -> None:
    shown = lines(of(value, detail))
    assert not ACTING & set("".join(shown))
    assert max(cell_len(line) for line in shown) <= 80
    assert not {"\x1b", "\x7f", "\u202e", "\u2066"} & set(as_json(of(value, detail)))


def test_json_gives_texts_back_whole() -> None:
    value = "水壶 \u202eevil\x1b[2J"
    data = json.loads(as_json(of(value)))
    assert data["steps"][0]["facts"][0]["value"] == value
    assert "\\u202e" in as_json(of(value))
    assert "水壶" in as_json(of(value))


def test_right_to_left_words_cannot_turn_the_line_around() -> None:
    (line,) = [line for line in lines(of("الغلاية احترقت")) if "text:" in line]
    assert "\u2068الغلاية احترقت\u2069" in line


def test_a_long_text_is_cut_and_wrapped_under_its_label() -> None:
    fact = Fact("text", "word " * 500, hostile=True, depth=1)
    shown = lines(Explanation("A-1", "t", (Step("post", "ok", "s", (fact,), "Post"),), "raised"))
    body = [line for line in shown if line.startswith("         ")]
    assert len(shown) < 20
    assert body
    assert any(line.endswith("…") for line in shown)


def test_a_sentence_knows_its_pattern_and_writes_moments_in_the_zone() -> None:
    found = Sentence.of("{count} cards by {at}: {score}", {"count": 1200, "at": AT, "score": 0.3456}, "Europe/Paris")
    assert found == "1,200 cards by Sat 14 Mar 2026, 10:12:05: 0.35"
    assert found.message == "{count} cards by {at}: {score}"
    assert found.values == {"count": 1200, "at": AT, "score": 0.3456}


def test_braces_in_what_others_wrote_stay_as_they_are() -> None:
    assert Sentence.of("by {who}", {"who": "{at} %s {0}"}, "UTC") == "by {at} %s {0}"


def test_what_was_worked_out_now_is_marked_and_the_mark_explained() -> None:
    facts = (Fact("a", "1", basis="recorded"), Fact("b", "2", basis="recomputed", holds=False))
    shown = lines(Explanation("A-1", "t", (Step("rules", "stopped", "s", facts, "Rules"),), "quiet"))
    assert "     a: 1" in shown
    assert "     ✗ ~ b: 2" in shown
    assert any(line.startswith("~ worked out now") for line in shown)
    recorded_only = lines(Explanation("A-1", "t", (Step("rules", "ok", "s", facts[:1], "Rules"),), "quiet"))
    assert not any(line.startswith("~") for line in recorded_only)
