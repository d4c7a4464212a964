"""Matchers: what they mean, what is refused, and that no expression can harm."""

import time

import pytest

from alerts.silences import MatcherError, parse_matcher, parse_matchers, silences

ALERT = {"kind": "post", "brand": "acme", "country": "FR", "topic": "outage", "severity": "2", "author": "claire_m"}


@pytest.mark.parametrize(
    ("matcher", "holds"),
    [
        ("country=FR", True),
        ("country=F", False),
        ("country!=FR", False),
        ("country != DE", True),
        ('topic="outage"', True),
        ("topic=~out", False),
        ("topic=~out.*|quality", True),
        ("topic!~out.*", False),
        ("author=~(?i)CLAIRE.*", True),
        ("network=", True),
        ("network!=x", True),
    ],
)
def test_a_matcher_compares_the_whole_value(matcher: str, holds: bool) -> None:
    assert parse_matcher(matcher).holds(ALERT) is holds


def test_all_matchers_of_a_silence_must_hold() -> None:
    assert silences(["country=FR", "topic=outage"], ALERT)
    assert not silences(["country=FR", "topic=quality"], ALERT)


@pytest.mark.parametrize(
    ("matchers", "words"),
    [
        ([], "at least one"),
        ([" "], "at least one"),
        (["country"], "is no matcher"),
        (["colour=red"], "no label 'colour'"),
        (["topic=~("], "no regular expression"),
        (["topic=~(?=a)"], "no regular expression"),
        (["network!=x"], "hold for every alert"),
        (['kind!=""'], "hold for every alert"),
        (['kind=~".+"'], "hold for every alert"),
        (["kind=~post|incident"], "hold for every alert"),
        (['severity=~"[123]"'], "hold for every alert"),
        (["severity=~1|2|3|4"], "hold for every alert"),
        (["topic=~[a-z]+"], "hold for every alert"),
        (["country=~[A-Z]{2}"], "hold for every alert"),
        (["alert=~[AI]-[0-9]+"], "hold for every alert"),
        (["pilot=~true|false"], "hold for every alert"),
        (['brand=~".+"'], "hold for every alert"),
        (["country!=XX", "brand=~.*a.*|.+"], "hold for every alert"),
        (["network=", "author!=x"], "hold for every alert"),
        (["author=" + "a" * 300], "is no matcher"),
    ],
)
def test_what_cannot_be_a_silence_is_refused_with_what_to_write(matchers: list[str], words: str) -> None:
    with pytest.raises(MatcherError, match=words):
        parse_matchers(matchers)


def test_a_stored_matcher_that_cannot_be_read_never_holds() -> None:
    assert not silences(["topic=~("], ALERT)


@pytest.mark.parametrize("expression", ["(a+)+b", "(a|a)*b", "(.*.*.*)*b", "(a{900}){900}", "((a{90}){90}){90}"])
def test_no_expression_takes_long_or_much(expression: str) -> None:
    begun = time.process_time()
    silences([f"author=~{expression}"], {**ALERT, "author": "a" * 50_000})
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "matchers",
    [
        ["country=FR", "severity!=3"],
        ["severity=~1|2"],
        ["country=~FR|BE"],
        ["topic=~outage|quality"],
        ["author=~acme.*"],
        ["alert=A-12"],
        ["brand=acme", 'kind!=""'],
    ],
)
def test_a_silence_that_names_a_value_is_accepted(matchers: list[str]) -> None:
    assert [str(matcher) for matcher in parse_matchers(matchers)] == [text.replace('"', "") for text in matchers]
