"""A digest as JSON: nothing is lost, and what is no digest is refused with a reason."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.digest.json_file import FORMAT, dump, load, schema
from listener.digest.model import Digest, Load, Measure
from listener.errors import DigestError
from tests.unit.digest.builders import empty_digest, first_week_digest, full_digest


@pytest.mark.parametrize("digest", [full_digest(), empty_digest(), first_week_digest()])
def test_what_is_written_is_read_back_whole(digest: Digest) -> None:
    assert load(dump(digest)) == digest
    assert dump(load(dump(digest))) == dump(digest)


def test_numbers_keep_their_last_digit_and_kind() -> None:
    digest = full_digest()
    exact = replace(digest, spoken=replace(digest.spoken, complaint_share=Measure(0.1 + 0.2, "share", part=3, of=10)))
    found = load(dump(exact)).spoken.complaint_share
    assert found.value == 0.30000000000000004
    assert isinstance(found.part, int)


def test_moments_keep_their_offset() -> None:
    at = datetime(2026, 11, 16, 7, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    found = load(dump(replace(full_digest(), as_of=at))).as_of
    assert found == at
    assert found.utcoffset() == timedelta(hours=5, minutes=45)
    assert load(dump(replace(full_digest(), as_of=at.astimezone(UTC)))).as_of.utcoffset() == timedelta(0)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_any_text_comes_back(text: str) -> None:
    digest = empty_digest()
    named = replace(digest, desk=replace(digest.desk, load=(Load(text, 1, 2, 3),)), names={text: text})
    written = dump(named)
    written.encode()
    assert load(written) == named


def test_format_stands_first_and_fields_are_those_of_the_model() -> None:
    content = json.loads(dump(full_digest()))
    assert list(content) == ["format", *(field.name for field in fields(Digest))]
    assert content["format"] == FORMAT == 1
    assert content["spoken"]["complaints"]["value"] == full_digest().spoken.complaints.value
    assert content["as_of"].endswith(("Z", "+00:00"))


def test_schema_tells_what_is_written() -> None:
    described = schema()
    assert described["properties"]["format"] == {"const": 1}
    assert set(described["required"]) <= set(described["properties"])
    assert set(json.loads(dump(full_digest()))) == set(described["properties"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "no JSON"),
        ("{}", "no digest of format 1"),
        ('{"format": 2}', "its format is 2"),
        ('{"format": 1}', "week: "),
        ('{"format": true}', "no digest of format 1"),
    ],
)
def test_what_is_no_digest_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(DigestError, match=problem) as caught:
        load(text)
    assert len(str(caught.value)) <= 300


def test_a_wrong_field_is_named() -> None:
    content = json.loads(dump(full_digest()))
    content["spoken"]["mentions"]["value"] = "many"
    with pytest.raises(DigestError, match=r"spoken\.mentions\.value"):
        load(json.dumps(content))
