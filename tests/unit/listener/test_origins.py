"""Every effective setting says where it comes from, and where in the file."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from listener.config import Config, Hours, load_config
from listener.config.document import parse_yaml
from listener.config.editing import Edit, edited
from listener.config.origins import Setting, settings_of, written_duration, written_hours, written_value
from listener.config.types import parse_duration
from listener.plugins import plugin_options

TEXT = """\
version: 1
brands: {acme: {name: Acme, terms: [acme]}}
teams: {desk: {name: Desk, languages: [en]}}
sources: {file: {}}
receivers: {screen: {type: terminal}}
fallback_receiver: screen
route: {receiver: screen}
defaults:
  languages: [en]
  timezone: UTC
  hours: {mon-fri: "09:00-18:00"}
  team: desk
  thresholds:
    priority: 0.4
    max_age: 3d
  escalation:
    steps:
      - {after: 0s, to: group}
      - {after: 15m, to: next-team}
countries:
  FR:
    timezone: Europe/Paris
    hours: {mon-sun: "08:00-20:00"}
    holidays: DE
    thresholds: {complaint: 0.6}
    targets:
      severity_3: {respond: 20m, resolve: 90m}
    escalation:
      steps:
        - {after: 5m, to: head-office}
    sources:
      file: {path: posts.jsonl}
  BE:
"""


def read(tmp_path: Path, country: str) -> dict[tuple[str | int, ...], Setting]:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.replace("to: head-office", "to: group"), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    return {one.path: one for one in settings_of(text, load(path), country)}


def load(path: Path) -> Config:
    return load_config(path, plugin_options())


def test_each_setting_has_its_origin_and_line(tmp_path: Path) -> None:
    found = read(tmp_path, "FR")
    expected = {
        ("timezone",): ("Europe/Paris", "country", 22),
        ("languages",): (["en"], "defaults", 9),
        ("hours",): ({"mon-sun": "08:00-20:00"}, "country", 23),
        ("holidays", "country"): ("DE", "country", 24),
        ("thresholds", "complaint"): (0.6, "country", 25),
        ("thresholds", "priority"): (0.4, "defaults", 14),
        ("thresholds", "max_age"): ("3d", "defaults", 15),
        ("thresholds", "urgent"): (0.2, "built-in", None),
        ("targets", "severity_3", "respond"): ("20m", "country", 27),
        ("targets", "severity_3", "resolve"): ("90m", "country", 27),
        ("targets", "severity_3", "around_the_clock"): (False, "built-in", None),
        ("targets", "severity_2", "respond"): ("2h", "built-in", None),
        ("escalation", "remind_at"): (0.5, "built-in", None),
        ("escalation", "steps", 0, "after"): ("5m", "country", 30),
        ("sources", "file", "path"): ("posts.jsonl", "country", 32),
        ("mode",): ("live", "built-in", None),
        ("join_within",): ("24h", "built-in", None),
    }
    for path, value in expected.items():
        assert (found[path].value, found[path].origin, found[path].line) == value, path
    assert ("escalation", "steps", 1, "after") not in found


def test_a_country_that_says_nothing_has_what_defaults_say(tmp_path: Path) -> None:
    found = read(tmp_path, "BE")
    assert found[("thresholds", "priority")].origin == "defaults"
    assert found[("escalation", "steps", 1, "after")] == Setting(
        ("escalation", "steps", 1, "after"), "15m", "defaults", 19
    )
    assert {one.origin for one in found.values()} == {"defaults", "built-in"}


def test_every_setting_written_into_the_country_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    for country in ("FR", "BE"):
        settings = list(read(tmp_path, country).values())
        written = [one for one in settings if one.value is not None and one.path[:2] not in {("escalation", "steps")}]
        text = path.read_text(encoding="utf-8")
        before = load(path).countries[country]
        edits = [Edit(("countries", country, *one.path), one.value) for one in written if one.path[0] != "holidays"]
        path.write_text(edited(text, edits), encoding="utf-8")
        assert load(path).countries[country] == before


@pytest.mark.parametrize("text", ["500ms", "30s", "90s", "15m", "90m", "2h", "24h", "27h", "3d", "7d"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert written_duration(parse_duration(text)) == ("24h" if text == "1d" else text)


@given(st.decimals(0, 3650, allow_nan=False), st.sampled_from(("ms", "s", "m", "h", "d")))
@example(Decimal("1000001"), "s")
@example(Decimal("1234567"), "s")
@example(Decimal("1.1"), "h")
@example(Decimal("333.3"), "ms")
@example(Decimal("0." + "0" * 24 + "1"), "ms")
def test_durations_that_are_written_are_read_as_the_same_time(number: Decimal, unit: str) -> None:
    text = f"{number:f}{unit}"
    assume(len(text) < 30)
    seconds = parse_duration(text)
    assert parse_duration(written_duration(seconds)) == seconds


_SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(0, 1) | st.text(max_size=30)


@given(_SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.sampled_from(("a", "NO", "1")), _SCALARS))
@example("null")
@example("#skybird -is:retweet")
@example("с: пробел # x")
@example("#1 <b>Ελλάδα</b>: null")
@example("12:30")
def test_values_that_are_written_are_read_as_the_same(value: Any) -> None:
    assert parse_yaml(f"key: {written_value(value)}\n", "x").data == {"key": value}


@pytest.mark.parametrize("text", ["Europe/Paris", "skybird -is:retweet lang:fr", "24h", "Ελλάδα"])
def test_plain_words_are_written_bare(text: str) -> None:
    assert written_value(text) == text


@pytest.mark.parametrize(
    "hours",
    [
        {"mon-fri": "09:00-18:00"},
        {"mon-fri": "09:00-14:00 16:00-19:00", "sat": "10:00-24:00"},
        {"mon": "09:00-18:00", "wed-thu": "09:00-18:00", "sun": "00:00-24:00"},
        {},
    ],
)
def test_hours_are_written_as_they_are_read(hours: dict[str, str]) -> None:
    assert written_hours(Hours.parse(hours)) == hours
