import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.model import Watch
from sources.x.query import QUERY_CHARS, operand, plan_queries
from tests.servers.x import parse_query


def watch(**changes: object) -> Watch:
    values: dict[str, object] = {
        **{"id": "x/BE/yunfan", "source": "x", "brand": "yunfan", "country": "BE"},
        **{"languages": ("fr", "nl-BE"), "terms": ("yunfan", "yunfan kettle", "#yunfan", "云帆")},
        **changes,
    }
    return Watch(**values)  # type: ignore[arg-type]


def test_terms_are_alternatives_and_languages_and_exclusions_narrow_them() -> None:
    plan = plan_queries(watch(exclude=("yunfan mountain", "hiking"), account="@yunfan"))
    assert plan.queries == (
        '(yunfan OR "yunfan kettle" OR #yunfan OR "云帆" OR @yunfan) -"yunfan mountain" -hiking'
        " (lang:fr OR lang:nl) -from:yunfan -is:retweet",
    )


def test_one_term_and_one_language_need_no_brackets() -> None:
    assert plan_queries(watch(terms=("yunfan",), languages=("fr",))).queries == ("yunfan lang:fr -is:retweet",)


@pytest.mark.parametrize(
    ("tags", "codes"),
    [
        *[(("id",), ["in"]), (("he",), ["iw"]), (("zh-Hant", "zh"), ["zh"]), (("nb",), ["no"]), (("ms",), ["in"])],
        *[(("rm", "de-CH"), ["de"]), (("rm",), [])],
    ],
)
def test_languages_are_written_in_x_codes_and_unknown_ones_left_out(tags: tuple[str, ...], codes: list[str]) -> None:
    (query,) = plan_queries(watch(languages=tags)).queries
    assert re.findall(r"lang:([\w-]+)", query) == codes


def test_any_language_asks_without_a_language() -> None:
    assert "lang:" not in plan_queries(watch(), any_language=True).queries[0]


def test_an_own_query_is_used_as_it_stands() -> None:
    assert plan_queries(watch(), own_query="(a OR b) lang:en").queries == ("(a OR b) lang:en",)


@pytest.mark.parametrize(
    ("term", "written"),
    [
        ("yunfan", "yunfan"),
        ("Yünfan2", "Yünfan2"),
        ("OR", '"OR"'),
        ("from:someone", '"from:someone"'),
        ("-is:retweet", '"-is:retweet"'),
        ('say "hi" (now)', '"say hi (now)"'),
        ("c'est nul", '"c\'est nul"'),
        ("back\\slash", '"back slash"'),
        ("ヤカン", '"ヤカン"'),
        ("@skybirdair", "@skybirdair"),
        ("@not a handle", '"@not a handle"'),
        ("#云帆", "#云帆"),
        ("🔥", '"🔥"'),
        ('"', ""),
        ("...", ""),
        (" \n\t", ""),
    ],
)
def test_a_term_is_only_ever_words(term: str, written: str) -> None:
    assert operand(term) == written


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(min_size=1, max_size=40))
def test_no_term_breaks_out_of_its_place_in_the_query(term: str) -> None:
    plan = plan_queries(watch(terms=("yunfan", term), exclude=(term,)))
    for query in plan.queries:
        parse_query(query)
        assert query.endswith("(lang:fr OR lang:nl) -is:retweet")


def test_many_terms_are_spread_over_queries_that_each_keep_the_limit() -> None:
    terms = tuple(f"yunfan product number {n}" for n in range(60))
    plan = plan_queries(watch(terms=terms, exclude=("hiking",)))
    assert len(plan.queries) > 1
    assert all(len(query) <= QUERY_CHARS for query in plan.queries)
    assert all("-hiking" in query and "lang:nl" in query for query in plan.queries)
    assert [term for term in terms if f'"{term}"' not in "".join(plan.queries)] == []


def test_a_term_longer_than_a_query_is_named_and_the_others_kept() -> None:
    plan = plan_queries(watch(terms=("yunfan", "y" * 600, "?!")))
    assert plan.unusable == ("y" * 600, "?!")
    assert len(plan.queries) == 1


def test_exclusions_without_room_are_kept_for_later() -> None:
    excludes = tuple(f"unwanted phrase {n}" for n in range(30))
    plan = plan_queries(watch(exclude=excludes))
    assert plan.late_excludes
    assert set(plan.late_excludes) | set(re.findall(r'-"([^"]+)"', plan.queries[0])) == set(excludes)
