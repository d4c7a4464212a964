"""The schema that editors are given takes what the daemon takes, and marks what a schema can tell to be wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from listener.config import load_config
from listener.config.document import parse_yaml, read_yaml
from listener.config.json_schema import json_schema
from listener.config.loading import SECTIONS
from listener.errors import ConfigError
from listener.plugins import plugin_options

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "config"
SCHEMA = json_schema(plugin_options())
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = (FIXTURES / "good.yaml").read_text(encoding="utf-8")

BEYOND_A_SCHEMA = {
    # Names that refer to other places of the file, or to files and folders.
    "bad_checkpoint_gives_a_number",
    "bad_checkpoint_no_classifier",
    "bad_checkpoint_not_there",
    "bad_checkpoint_own_code",
    "bad_checkpoint_pickled",
    "bad_default_team_that_a_country_overrides",
    "bad_digest_competitor_as_brand",
    "bad_digest_unknown_brand",
    "bad_digest_unknown_country",
    "bad_digest_unknown_receiver",
    "bad_digest_unknown_team",
    "bad_encoder_without_heads",
    "bad_heads_not_there",
    "bad_label_unknown",
    "bad_label_without_meaning",
    "bad_source_not_set_up",
    "bad_team_covers_itself",
    "bad_team_next_to_itself",
    "bad_two_classifiers_one_output",
    "bad_two_watches_alike",
    "bad_unknown_brand_in_watch",
    "bad_unknown_fallback",
    "bad_unknown_route_country",
    "bad_unknown_route_receiver",
    "bad_unknown_team",
    # What only reckoning finds.
    "bad_duration_too_long",
    "bad_holidays_not_a_date",
    "bad_holidays_part_of_country",
    "bad_holidays_part_without_country",
    "bad_holidays_unknown_part",
    "bad_hours_end_before_start",
    "bad_language_that_nobody_writes",
    "bad_hours_past_midnight",
    "bad_incident_severity_2_above",
    "bad_label_says_too_little",
    "bad_pilot_without_receiver",
    "bad_playbook_link_not_https",
    "bad_playbook_link_with_a_password",
    "bad_severity_2_above_severity_3",
    # No YAML that a schema is ever shown.
    "bad_alias_in_itself",
    "bad_duplicate_key",
    "bad_not_yaml",
}


def problems(text: str) -> list[str]:
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message}" for one in VALIDATOR.iter_errors(data(text))]


def data(text: str) -> Any:
    return parse_yaml(text, "config.yaml").data


def test_it_is_a_schema_itself() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [ROOT / "config.yaml", FIXTURES / "good.yaml"], ids=lambda path: path.name)
def test_it_takes_configurations_that_the_daemon_takes(path: Path) -> None:
    assert problems(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("bad_*.yaml")), ids=lambda path: path.stem)
def test_it_marks_what_is_wrong_where_a_schema_can_tell(path: Path) -> None:
    try:
        found = read_yaml(path).data
    except ConfigError:
        assert path.stem in BEYOND_A_SCHEMA or path.stem.startswith(("bad_number", "bad_country", "bad_alias"))
        return
    assert (path.stem in BEYOND_A_SCHEMA) == VALIDATOR.is_valid(found)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("version: 1", "version: 2", "version"),
        ("type: terminal", "type: terminal, channel: C1", "receivers"),
        ("type: terminal", "type: pigeon", "receivers"),
    ],
)
def test_options_depend_on_the_kind(old: str, new: str, where: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert found
    assert all(one.startswith(where) for one in found)


def test_countries_say_only_what_differs() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert problems(text.replace("countries:\n", "countries:\n  NO: {targets: {severity_2: {respond: 4h}}}\n", 1)) == []
    assert problems(text.replace("countries:\n", "countries:\n  NO:\n", 1)) == []
    wrong = problems(text.replace("countries:\n", "countries:\n  NO: {escalation: {steps: [{after: 1h}]}}\n", 1))
    assert wrong


def test_every_section_and_key_says_what_it_is() -> None:
    assert list(SCHEMA["properties"]) == list(SECTIONS)
    silent = [
        f"{name}.{key}"
        for name, shape in SCHEMA["$defs"].items()
        for key, value in shape.get("properties", {}).items()
        if not value.get("description")
    ]
    assert silent == []
    assert all(section.get("description") for section in SCHEMA["properties"].values())


def test_defaults_read_as_they_are_written() -> None:
    definitions = SCHEMA["$defs"]
    assert definitions["XOptions"]["properties"]["timeout_s"]["default"] == 20.0
    assert definitions["XOptions"]["properties"]["every"]["default"] == "2m"
    assert definitions["DigestReader"]["properties"]["at"]["default"] == "08:00"
    assert definitions["ThresholdsInPart"]["properties"]["max_age"]["default"] == "3d"


def test_the_command_prints_it_and_it_can_be_read() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "listener.cli", "config", "schema"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == json.loads(json.dumps(SCHEMA))


def test_what_it_takes_the_daemon_reads(tmp_path: Path) -> None:
    """Every default that the schema names is taken when it is written down."""
    text = GOOD + "\nmodel: {backend: auto, batch: 32}\nconsole: {listen: '127.0.0.1:8321', session: 12h}\n"
    assert problems(text) == []
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_config(path, plugin_options()).console is not None
