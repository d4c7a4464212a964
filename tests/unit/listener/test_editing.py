"""Edits of `config.yaml` as people write it: the difference is the lines that were meant."""

import difflib
from pathlib import Path
from typing import Any

import pytest

from listener.config import load_config
from listener.config.document import parse_yaml
from listener.config.editing import REMOVE, Edit, edited
from listener.errors import ConfigError
from listener.plugins import plugin_options

ROOT = Path(__file__).parents[3]
OURS = (ROOT / "config.yaml").read_text(encoding="utf-8")


def changed(text: str, path: tuple[str | int, ...], value: Any) -> list[str]:
    """Return the lines that an edit takes out and puts in."""
    after = edited(text, [Edit(path, value)])
    lines = difflib.ndiff(text.splitlines(), after.splitlines())
    return [line for line in lines if line[:2] in ("- ", "+ ")]


def test_a_new_threshold_is_one_line_where_other_countries_have_it() -> None:
    after = edited(OURS, [Edit(("countries", "FR", "thresholds", "priority"), 0.28)]).splitlines()
    before = OURS.splitlines()
    (place,) = [number for number, line in enumerate(after) if line == "    thresholds: {priority: 0.28}"]
    assert after[:place] + after[place + 1 :] == before
    assert after[place - 1] == "    team: western-europe"
    assert after[place + 1] == "    sources:"


def test_a_changed_value_keeps_its_comment_where_it_was() -> None:
    assert changed(OURS, ("defaults", "thresholds", "priority"), 0.35) == [
        "-     priority: 0.3                         # priority from which a complaint raises an alert",
        "+     priority: 0.35                        # priority from which a complaint raises an alert",
    ]


def test_a_key_joins_a_mapping_on_one_line() -> None:
    assert changed(OURS, ("countries", "DE", "thresholds", "complaint"), 0.6) == [
        "-     thresholds: {priority: 0.33}          # many mild complaints: a little stricter than elsewhere",
        "+     thresholds: {priority: 0.33, complaint: 0.6}  # many mild complaints: a little stricter than elsewhere",
    ]


def test_a_removed_country_takes_its_lines_and_nothing_else() -> None:
    lines = changed(OURS, ("countries", "ES"), REMOVE)
    assert lines[0] == "-   ES:"
    assert all(line.startswith("- ") for line in lines)
    assert len(lines) == 11


def test_what_is_not_there_is_removed_without_a_trace() -> None:
    assert edited(OURS, [Edit(("countries", "FR", "thresholds", "priority"), REMOVE)]) == OURS
    assert edited(OURS, [Edit(("nothing", "here"), REMOVE)]) == OURS


def test_our_own_file_stays_valid_after_many_edits(tmp_path: Path) -> None:
    made = [
        Edit(("countries", "JP", "mode"), "pilot"),
        Edit(("countries", "JP", "ramp"), {"share": 0.2, "hours": {"mon-fri": "09:00-12:00"}}),
        Edit(("countries", "NO"), {"languages": ["no"], "timezone": "Europe/Oslo"}),
        Edit(("countries", "DE", "thresholds"), {"urgent": 0.25}),
        Edit(("brands", "yunfan", "terms", 4), "云帆: 新"),
        Edit(("teams", "tokyo", "people", 1), {"name": "Kenji", "slack": "U0000000009"}),
        Edit(("route", "routes", 0, "match", "topic"), ["safety"]),
    ]
    path = tmp_path / "config.yaml"
    path.write_text(edited(OURS, made), encoding="utf-8")
    (tmp_path / "brand.yaml").write_text((ROOT / "brand.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    config = load_config(path, plugin_options())
    assert config.countries["NO"].timezone == "Europe/Oslo"
    assert config.countries["DE"].thresholds.urgent == 0.25
    assert config.countries["DE"].thresholds.priority == 0.3
    assert config.brands["yunfan"].terms[-1] == "云帆: 新"
    assert [person.name for person in config.teams["tokyo"].people] == ["Haruka", "Kenji"]


@pytest.mark.parametrize(
    ("text", "path", "value", "after"),
    [
        ("a: 1", ("a",), 2, "a: 2"),
        ("a: 1", ("b",), 2, "a: 1\nb: 2"),
        ("a: 1\r\nb: 2\r\n", ("a",), 3, "a: 3\r\nb: 2\r\n"),
        ("a:\r\n  b: 1\r\n", ("a", "c"), 2, "a:\r\n  b: 1\r\n  c: 2\r\n"),
        ("\ufeffa: 1\n", ("a",), 2, "\ufeffa: 2\n"),
        ("", ("a", "b"), 1, "a: {b: 1}\n"),
        ("# nothing yet\n", ("a",), 1, "# nothing yet\na: 1\n"),
        ("a:\n", ("a", "b"), 1, "a: {b: 1}\n"),
        ("a:  # why\nb: 1\n", ("a",), "x", "a: x  # why\nb: 1\n"),
        ("a: {}\n", ("a", "b"), 1, "a: {b: 1}\n"),
        ("a: { b: 1 }\n", ("a", "c"), 2, "a: { b: 1, c: 2 }\n"),
        ("a: {b: 1, c: 2}\n", ("a", "b"), REMOVE, "a: {c: 2}\n"),
        ("a: {b: 1, c: 2}\n", ("a", "c"), REMOVE, "a: {b: 1}\n"),
        ("a: {b: 1}\n", ("a", "b"), REMOVE, "a: {}\n"),
        ("a:\n  b: 1  # x\nc: 2\n", ("a", "b"), REMOVE, "a: {}\nc: 2\n"),
        ("a: 'x'\n", ("a",), "y", "a: 'y'\n"),
        ('a: "x"\n', ("a",), "y", 'a: "y"\n'),
        ("a: x\n", ("a",), "NO", 'a: "NO"\n'),
        ("a: x\n", ("a",), "on", 'a: "on"\n'),
        ("a: x\n", ("NO",), {"on": "x"}, 'a: x\n"NO": {"on": x}\n'),
        ("a: x\n", ("a",), "12:30", 'a: "12:30"\n'),
        ("a: x\n", ("a",), "", 'a: ""\n'),
        ("a: x\n", ("a",), None, "a: null\n"),
        ("a: x\n", ("a",), "l1\nl2", 'a: "l1\\nl2"\n'),
        ("a: x\n", ("a",), "é 云 🙂", "a: é 云 🙂\n"),
        ("a: x\n", ("a",), "${env:TOKEN}", "a: ${env:TOKEN}\n"),
        ("a: {b: x}\n", ("a", "b"), "${env:TOKEN}", 'a: {b: "${env:TOKEN}"}\n'),
        ("a: [1, 2]\n", ("a",), [1, 2, 3], "a: [1, 2, 3]\n"),
        ("a:\n- 1\n- 2  # two\nb: 3\n", ("a", 2), 9, "a:\n- 1\n- 2  # two\n- 9\nb: 3\n"),
        ("a:\n  - b: 1\n    c: 2\n", ("a", 0, "b"), REMOVE, "a:\n  - c: 2\n"),
        ("a:\n  - b: 1\n  - c: 2\n", ("a", 0), REMOVE, "a:\n  - c: 2\n"),
        ("a: |\n  text\nb: 1\n", ("a",), "new", "a: new\nb: 1\n"),
        ("a: |+\n  text\n\nb: 1\n", ("c",), 2, "a: |+\n  text\n\nb: 1\nc: 2\n"),
        ("a:\n  b: 1\n  # note\nc: 2\n", ("a", "d"), 3, "a:\n  b: 1\n  d: 3\n  # note\nc: 2\n"),
        ("a: 1\t# tab\nb: 2\n", ("b",), 3, "a: 1\t# tab\nb: 3\n"),
        ("{\n  a: 1,  # x\n  b: 2  # y\n}\n", ("c",), 3, "{\n  a: 1,  # x\n  b: 2,  # y\n  c: 3\n}\n"),
        ("a: 1\n...\n", ("a",), 2, "a: 2\n...\n"),
        ("---\na: 1\n", ("b",), 2, "---\na: 1\nb: 2\n"),
    ],
)
def test_the_text_is_exactly_as_somebody_would_write_it(text: str, path: Any, value: Any, after: str) -> None:
    assert edited(text, [Edit(path, value)]) == after


def test_a_long_value_gets_lines_of_its_own() -> None:
    value = {"file": [{"name": "a" * 40, "path": "b" * 50, "brands": ["c", "d"], "max_age": None}], "x": {}}
    after = edited("FR:\n  team: t  # ours\n  mode: live\n", [Edit(("FR", "sources"), value)])
    assert parse_yaml(after, "f").data["FR"]["sources"] == value
    assert max(map(len, after.splitlines())) < 110
    assert after.startswith("FR:\n  team: t  # ours\n  mode: live\n  sources:\n    file:\n      - name: ")


SHARED = "FR:\n  thresholds: &strict {priority: 0.4}\nDE:\n  thresholds: *strict\n"


def test_a_value_behind_an_alias_is_written_out_and_the_other_stays() -> None:
    after = edited(SHARED, [Edit(("DE", "thresholds", "priority"), 0.5)])
    assert after == SHARED.replace("*strict", "{priority: 0.5}")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("FR", "thresholds", "priority"), 0.5),
        (("FR", "thresholds", "urgent"), 0.5),
        (("FR", "thresholds"), REMOVE),
        (("FR",), REMOVE),
        (("FR",), {"mode": "off"}),
    ],
)
def test_a_value_that_another_place_repeats_is_not_changed_behind_its_back(path: Any, value: Any) -> None:
    with pytest.raises(ConfigError, match=r"line 4 repeats it as \*strict"):
        edited(SHARED, [Edit(path, value)])


def test_text_that_looks_like_a_merge_is_a_key_as_any_other() -> None:
    text = "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n"
    assert edited(text, [Edit(("c", "d"), 3)]) == text.replace("d: 2", "d: 3")


@pytest.mark.parametrize(
    ("text", "path", "value", "says"),
    [
        ("a: 1\n---\nb: 2\n", ("a",), 2, "config.yaml:2:1 a second document begins here"),
        ("a: [1\n", ("a",), 2, "not valid YAML"),
        ("a: 1\n", ("a", "b"), 2, "is 1, so nothing can be set below it"),
        ("a: [1]\n", ("a", 3), 2, "is a list of 1, which has no place 3"),
        ("a: [1]\n", ("a", "b"), 2, "is a list of 1, which has no place 'b'"),
        ("a: 1\n", ("a",), float("nan"), "cannot be written"),
        ("a: 1\n", ("a",), "\ud800", "half a character"),
        ("a: 1\n", ("a",), {1.5: 2}, "a key must be a word"),
        ("a: 1\n", ("a",), object(), "object cannot be written"),
        ("a: 1\n", (), {}, "as a whole"),
        ("a: 1\na: 2\n", ("a",), 3, "stands here twice"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(text: str, path: Any, value: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        edited(text, [Edit(path, value)])
