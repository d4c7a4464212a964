import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.errors import MalformedItemError
from listener.model import Engagement
from sources.x import parse_answer, parse_post
from sources.x.languages import to_bcp47
from sources.x.parsing import Includes
from tests.servers.x import _renamed

ANSWER: dict[str, Any] = {
    "data": [
        {
            "id": "2123000000000000001",
            "text": "Tea &amp; kettle &lt;3 @yunfan",
            "created_at": "2026-11-18T08:15:30.000Z",
            "author_id": "42",
            "lang": "en",
            "conversation_id": "2122999999999999999",
            "edit_history_tweet_ids": ["2123000000000000001"],
            "geo": {"place_id": "p1"},
            "public_metrics": {
                **{"retweet_count": 3, "reply_count": 1, "like_count": 9, "quote_count": 2},
                **{"bookmark_count": 0, "impression_count": 1201},
            },
            "referenced_tweets": [
                {"type": "quoted", "id": "2122000000000000000"},
                {"type": "replied_to", "id": "2122999999999999999"},
            ],
        }
    ],
    "includes": {
        "users": [
            {
                **{"id": "42", "name": "Ann", "username": "ann_s", "location": "Leeds, UK", "verified": True},
                **{"description": "Reporter", "public_metrics": {"followers_count": 5400, "tweet_count": 9}},
            }
        ],
        "places": [{"id": "p1", "full_name": "Leeds, England", "country_code": "GB"}],
    },
    "meta": {"result_count": 1},
}


def answer_with(**changes: Any) -> dict[str, Any]:
    answer = copy.deepcopy(ANSWER)
    answer["data"][0].update(changes)
    return answer


def test_a_post_becomes_a_mention_with_author_place_and_engagement() -> None:
    (mention,), skipped = parse_answer(ANSWER, brand_account="yunfan")
    assert skipped == []
    assert (mention.network, mention.external_id) == ("x", "2123000000000000001")
    assert mention.text == "Tea & kettle <3 @yunfan"
    assert mention.published_at == datetime(2026, 11, 18, 8, 15, 30, tzinfo=UTC)
    assert mention.url == "https://x.com/ann_s/status/2123000000000000001"
    assert (mention.country, mention.place) == ("GB", "Leeds, England")
    assert mention.engagement == Engagement(likes=9, replies=1, reposts=3, quotes=2, views=1201)
    assert (mention.conversation_id, mention.reply_to_id) == ("2122999999999999999", "2122999999999999999")
    assert mention.repost_of_id is None
    assert mention.links == {"post_id": "2123000000000000001", "user_id": "42"}
    author = mention.author
    assert (author.external_id, author.name, author.handle) == ("42", "Ann", "ann_s")
    assert (author.followers, author.verified, author.bio, author.location) == (5400, True, "Reporter", "Leeds, UK")
    assert author.url == "https://x.com/ann_s"


def test_both_namings_give_the_same_mention() -> None:
    old = answer_with(note_tweet={"text": "the whole long post"}, referenced_tweets=[{"type": "retweeted", "id": "7"}])
    new = _renamed(old)
    assert "referenced_posts" in new["data"][0]
    assert "repost_count" in new["data"][0]["public_metrics"]
    assert parse_answer(new, brand_account=None) == parse_answer(old, brand_account=None)
    assert parse_answer(new, brand_account=None)[0][0].repost_of_id == "7"


def test_a_long_post_is_taken_whole() -> None:
    (mention,), _ = parse_answer(answer_with(note_tweet={"text": "x" * 900 + " &amp;"}), brand_account=None)
    assert mention.text == "x" * 900 + " &"


def test_an_escaped_escape_stays_literal() -> None:
    (mention,), _ = parse_answer(answer_with(text="write &amp;lt; for &lt;"), brand_account=None)
    assert mention.text == "write &lt; for <"


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        *[("in", "id"), ("iw", "he"), ("zh-TW", "zh-Hant"), ("zh", "zh"), ("fr", "fr"), ("und", None), ("qme", None)],
        *[("zxx", None), (None, None), (7, None), ("", None)],
    ],
)
def test_language_codes_of_x_become_bcp47(code: object, tag: str | None) -> None:
    (mention,), _ = parse_answer(answer_with(lang=code), brand_account=None)
    assert mention.language == tag


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "without an id"),
        ({"id": "12/../34"}, "without an id"),
        ({"id": True}, "without an id"),
        ({"text": None}, "without text"),
        ({"text": "  "}, "without text"),
        ({"created_at": None}, "without a readable date"),
        ({"created_at": "yesterday"}, "without a readable date"),
        ({"created_at": "0001-01-01T00:00:00+23:00"}, "without a readable date"),
    ],
)
def test_a_post_that_lacks_its_essentials_is_skipped_and_the_rest_kept(change: dict[str, Any], reason: str) -> None:
    answer = answer_with(**change)
    answer["data"].append(ANSWER["data"][0])
    mentions, skipped = parse_answer(answer, brand_account=None)
    assert [mention.external_id for mention in mentions] == ["2123000000000000001"]
    assert len(skipped) == 1
    assert reason in skipped[0].reason
    assert skipped[0].broken
    assert skipped[0].sample


@pytest.mark.parametrize("account", ["ann_s", "@Ann_S", "42"])
def test_the_brands_own_post_is_left_out_on_purpose(account: str) -> None:
    mentions, skipped = parse_answer(ANSWER, brand_account=account)
    assert mentions == []
    assert [(item.reason, item.broken) for item in skipped] == [("the brand's own post", False)]


def test_partial_errors_lose_no_data() -> None:
    errors = [{"title": "Not Found Error", "detail": "Could not find tweet.", "resource_type": "tweet"}]
    mentions, skipped = parse_answer({**ANSWER, "errors": errors}, brand_account=None)
    assert len(mentions) == 1
    assert [(item.reason, item.broken) for item in skipped] == [("X: Could not find tweet.", False)]


def test_a_saved_error_answer_is_told_as_broken() -> None:
    mentions, skipped = parse_answer({"errors": [{"message": "'since_id' is too old"}]}, brand_account=None)
    assert mentions == []
    assert [(item.reason, item.broken) for item in skipped] == [("X: 'since_id' is too old", True)]


def test_an_author_x_does_not_show_still_has_an_id_and_links() -> None:
    answer = answer_with()
    del answer["includes"]
    (mention,), _ = parse_answer(answer, brand_account=None)
    assert mention.author.external_id == "42"
    assert mention.author.handle is None
    assert mention.author.followers is None
    assert mention.author.url == "https://x.com/i/user/42"
    assert mention.url == "https://x.com/i/status/2123000000000000001"


def test_two_posts_without_an_author_are_not_by_the_same_person() -> None:
    answer = answer_with(author_id=None)
    answer["data"].append({**answer["data"][0], "id": "5"})
    mentions, _ = parse_answer(answer, brand_account=None)
    assert len({mention.author.external_id for mention in mentions}) == 2


def test_a_hostile_username_does_not_enter_a_link() -> None:
    answer = answer_with()
    answer["includes"]["users"][0]["username"] = "evil/../../login?x="
    (mention,), _ = parse_answer(answer, brand_account=None)
    assert mention.url == "https://x.com/i/status/2123000000000000001"
    assert mention.author.handle is None


def test_a_paid_partnership_is_sponsored() -> None:
    assert parse_answer(answer_with(paid_partnership=True), brand_account=None)[0][0].sponsored
    assert not parse_answer(ANSWER, brand_account=None)[0][0].sponsored


@pytest.mark.parametrize("answer", [{}, [], "text", None, {"ok": True}])
def test_what_is_no_answer_of_x_is_refused(answer: Any) -> None:
    with pytest.raises(MalformedItemError):
        parse_answer(answer, brand_account=None)


def test_parse_post_alone_refuses_what_is_no_object() -> None:
    with pytest.raises(MalformedItemError):
        parse_post(["id"], Includes())  # type: ignore[arg-type]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = [*ANSWER["data"][0], "note_tweet", "note_post", "referenced_posts", "username"]


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON), st.dictionaries(st.sampled_from(["users", "places"]), _JSON))
def test_no_shape_of_a_field_stops_the_reading(fields: dict[str, Any], includes: dict[str, Any]) -> None:
    answer = answer_with(**fields)
    answer["includes"].update(includes)
    mentions, skipped = parse_answer(answer, brand_account="yunfan")
    assert len(mentions) + len([item for item in skipped if item.broken]) == 1


EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "x").glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_answer_reads_without_a_broken_item(path: Path) -> None:
    answer = json.loads(path.read_text(encoding="utf-8"))
    mentions, skipped = parse_answer(answer, brand_account=None)
    assert len(mentions) == len(answer["data"]) == answer["meta"]["result_count"]
    assert [item for item in skipped if item.broken] == []
    assert all(mention.author.handle and mention.author.followers is not None for mention in mentions)


def test_the_examples_cover_the_seven_countries_and_both_namings() -> None:
    assert {path.stem.split("-")[0] for path in EXAMPLES} == {"fr", "be", "ch", "de", "gb", "es", "jp"}
    namings = ["edit_history_post_ids" in path.read_text(encoding="utf-8") for path in EXAMPLES]
    assert namings.count(True) == 2


@pytest.mark.parametrize("code", ["\ud800", "en\x00", "e" * 5000, "en-" + "x" * 900, "a", "12", " "])
def test_a_language_that_is_no_tag_is_none(code: str) -> None:
    assert to_bcp47(code) is None
