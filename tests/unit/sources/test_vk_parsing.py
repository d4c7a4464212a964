"""VK's JSON to mentions: pure functions, no server."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.errors import MalformedItemError
from listener.model import Author, Engagement, Mention, Skipped
from sources.vk.parsing import (
    People,
    account_id,
    account_name,
    collect_people,
    parse_answer,
    parse_board_comment,
    parse_comment,
    parse_country,
    parse_post,
    plain_text,
    take_comments,
    take_posts,
)

ANNA = {
    "id": 501,
    "first_name": "Анна",
    "last_name": "С.",
    "screen_name": "anna_s",
    "followers_count": 340,
    "verified": 1,
    "status": "люблю чай",
    "occupation": {"type": "work", "name": "Казанские ведомости"},
    "city": {"id": 60, "title": "Казань"},
    "country": {"id": 1, "title": "Россия"},
}
GROUP = {"id": 900, "name": "Подслушано Казань", "screen_name": "kazan_heard", "members_count": 212_000}
BRAND = {"id": 777, "name": "Yunfan", "screen_name": "yunfan_ru"}
RESPONSE = {"profiles": [ANNA], "groups": [GROUP, BRAND]}


def people(brand: str | None = "yunfan_ru") -> People:
    return People(collect_people(RESPONSE), brand)


def post(**changes: Any) -> dict[str, Any]:
    item = {
        "id": 11,
        "owner_id": 501,
        "from_id": 501,
        "date": 1_795_000_000,
        "text": "Чайник Yunfan течёт",
        "post_type": "post",
        "comments": {"count": 2},
        "likes": {"count": 3},
        "reposts": {"count": 1},
        "views": {"count": 1500},
        "marked_as_ads": 0,
    }
    return {**item, **changes}


def comment(**changes: Any) -> dict[str, Any]:
    item = {"id": 21, "from_id": 501, "date": 1_795_000_100, "text": "У меня тоже", "post_id": 10, "owner_id": -777}
    return {**item, **changes}


def test_post_becomes_a_mention_with_author_and_engagement() -> None:
    mention = parse_post(post(), people())
    assert mention == Mention(
        network="vk",
        external_id="wall501_11",
        text="Чайник Yunfan течёт",
        published_at=datetime.fromtimestamp(1_795_000_000, UTC),
        author=Author(
            network="vk",
            external_id="501",
            name="Анна С.",
            handle="anna_s",
            followers=340,
            verified=True,
            bio="люблю чай · Казанские ведомости",
            location="Казань",
            country="RU",
            url="https://vk.com/anna_s",
        ),
        url="https://vk.com/wall501_11",
        conversation_id="wall501_11",
        engagement=Engagement(likes=3, replies=2, reposts=1, views=1500),
        links={"owner_id": "501", "post_id": "11", "user_id": "501"},
    )


def test_post_of_a_community_has_its_members_as_followers_and_its_signer_as_contact() -> None:
    mention = parse_post(post(owner_id=-900, from_id=-900, signer_id=501), people())
    assert (mention.author.name, mention.author.followers) == ("Подслушано Казань", 212_000)
    assert mention.author.external_id == "-900"
    assert mention.author.url == "https://vk.com/kazan_heard"
    assert mention.url == "https://vk.com/wall-900_11"
    assert mention.links == {"owner_id": "-900", "post_id": "11", "group_id": "900", "user_id": "501"}


def test_unknown_author_keeps_the_id_and_an_address() -> None:
    author = parse_post(post(from_id=77), people()).author
    assert (author.external_id, author.name, author.url) == ("77", "", "https://vk.com/id77")
    assert author.followers is None


def test_names_stay_on_one_line_without_controls() -> None:
    raw = {**ANNA, "first_name": "Анна\n\u202e", "last_name": "&amp; Ко"}
    assert People({501: raw}).author(501).name == "Анна & Ко"


def test_missing_numbers_are_unknown_rather_than_zero() -> None:
    bare = {key: post()[key] for key in ("id", "owner_id", "from_id", "date", "text")}
    assert parse_post(bare, people()).engagement == Engagement()
    assert parse_post(post(likes={"count": -1}, views={"count": "many"}), people()).engagement.likes is None


@pytest.mark.parametrize(
    "changes",
    [
        {"marked_as_ads": 1},
        {"post_type": "post_ads"},
        {"text": "Скидка на чайники. Реклама. ООО «Ромашка» erid: 2VtzqwAbCdE"},
    ],
)
def test_adverts_are_marked_as_sponsored(changes: dict[str, Any]) -> None:
    assert parse_post(post(**changes), people()).sponsored
    assert not parse_post(post(), people()).sponsored


def test_bare_repost_carries_the_text_and_id_of_the_original() -> None:
    mention = parse_post(post(text="", copy_history=[post(id=7, owner_id=-900, text="Беда с рейсом")]), people())
    assert (mention.text, mention.repost_of_id) == ("Беда с рейсом", "wall-900_7")


def test_repost_with_own_words_keeps_them() -> None:
    mention = parse_post(post(text="Вот и сервис", copy_history=[post(id=7, text="Беда")]), people())
    assert (mention.text, mention.repost_of_id) == ("Вот и сервис", "wall501_7")


def test_place_tagged_on_the_post_is_kept() -> None:
    geo = {"type": "point", "coordinates": "55.79 49.12", "place": {"title": "Аэропорт Казань", "country": "Россия"}}
    mention = parse_post(post(geo=geo), people())
    assert (mention.place, mention.country) == ("Аэропорт Казань", "RU")


def test_comment_belongs_to_the_conversation_of_its_post() -> None:
    mention = parse_comment(comment(), people())
    assert mention.external_id == "wall-777_10_r21"
    assert mention.url == "https://vk.com/wall-777_10?reply=21"
    assert (mention.conversation_id, mention.reply_to_id) == ("wall-777_10", "wall-777_10")
    expected = {"owner_id": "-777", "post_id": "10", "comment_id": "21", "group_id": "777", "user_id": "501"}
    assert mention.links == expected


@pytest.mark.parametrize("changes", [{"reply_to_comment": 21}, {"parents_stack": [21]}])
def test_nested_reply_answers_its_comment(changes: dict[str, Any]) -> None:
    assert parse_comment(comment(id=22, **changes), people()).reply_to_id == "wall-777_10_r21"


def test_board_comment_belongs_to_its_topic() -> None:
    item = {"id": 6, "from_id": 501, "date": 1_795_000_000, "text": "[id502:bp-777_5|Олег], и у меня"}
    mention = parse_board_comment(item, people(), group_id=777, topic_id=5)
    assert mention.external_id == "topic-777_5_c6"
    assert mention.url == "https://vk.com/topic-777_5?post=6"
    assert (mention.conversation_id, mention.reply_to_id) == ("topic-777_5", "topic-777_5_c5")
    assert mention.text == "Олег, и у меня"
    assert mention.links["topic_id"] == "5"


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("[id501|Анна], текст", "Анна, текст"),
        ("[club777|Yunfan] и [public9|Чат]", "Yunfan и Чат"),
        ("[id501:bp-777_5|Анна], да", "Анна, да"),
        ("[https://vk.com/wall-1_2|пост] тут", "пост тут"),
        ("@club777 (Yunfan) ответьте", "Yunfan ответьте"),
        ("раз<br>два<br/>три &amp; &quot;четыре&quot; &lt;3", 'раз\nдва\nтри & "четыре" <3'),
        ("[id501|незакрыто", "[id501|незакрыто"),
        ("цена [примерно] 5|6", "цена [примерно] 5|6"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("а\x00б \ud83d", "аб \ufffd"),
        ("&#8238;тсерп", "тсерп"),
    ],
)
def test_markup_becomes_plain_text(given_text: str, shown: str) -> None:
    assert plain_text(given_text) == shown


@given(st.text(alphabet=st.characters(), max_size=300))
def test_plain_text_is_always_storable(text: str) -> None:
    assert "\x00" not in plain_text(text).encode("utf-8").decode()


@given(st.text(alphabet="[]|id501@*()club-:/", max_size=80))
def test_half_open_markup_never_breaks_or_grows_a_text(text: str) -> None:
    assert len(plain_text(text)) <= len(text)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"id": 1, "title": "Россия"}, "RU"),
        ({"id": 4}, "KZ"),
        ({"id": 3, "title": "Belarus"}, "BY"),
        ("Германия", "DE"),
        ({"id": 999, "title": "Нарния"}, None),
        (None, None),
        ([], None),
    ],
)
def test_only_countries_that_are_sure_get_a_code(value: object, code: str | None) -> None:
    assert parse_country(value) == code


def test_country_without_a_code_stays_in_the_location() -> None:
    raw = {**ANNA, "country": {"id": 999, "title": "Нарния"}}
    assert People({501: raw}).author(501).location == "Казань, Нарния"


@pytest.mark.parametrize(
    ("account", "number", "name"),
    [
        ("yunfan_ru", None, "yunfan_ru"),
        ("@Yunfan_RU", None, "yunfan_ru"),
        ("https://vk.com/club777/", -777, "club777"),
        ("public777", -777, "public777"),
        ("-777", -777, "-777"),
        ("id501", 501, "id501"),
        (None, None, ""),
    ],
)
def test_account_is_read_in_every_way_people_write_it(account: str | None, number: int | None, name: str) -> None:
    assert (account_id(account), account_name(account)) == (number, name)


@pytest.mark.parametrize("brand", ["yunfan_ru", "@Yunfan_ru", "club777", "https://vk.com/yunfan_ru"])
def test_the_brands_own_posts_are_left_out_on_purpose(brand: str) -> None:
    taken = take_posts([post(owner_id=-777, from_id=-777)], people(brand))
    assert taken.mentions == []
    assert [(skip.reason, skip.broken) for skip in taken.skipped] == [("the brand's own", False)]


def test_a_post_of_others_on_the_brands_wall_is_a_mention() -> None:
    assert len(take_posts([post(owner_id=-777)], people()).mentions) == 1


@pytest.mark.parametrize(
    "item",
    [
        post(text="  "),
        post(is_deleted=True),
        comment(deleted=True, from_id=0, text=""),
        post(text="", copy_history=[post(owner_id=-777, text="Акция!")]),
    ],
)
def test_items_without_anything_said_are_left_out_on_purpose(item: dict[str, Any]) -> None:
    taken = take_posts([item], people())
    assert taken.mentions == []
    assert [skip.broken for skip in taken.skipped] == [False]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        [],
        {},
        post(id="11"),
        post(id=True),
        post(date=None),
        post(date=-5),
        post(date=10**30),
        post(text={"a": 1}),
        post(from_id=1.5),
        {key: value for key, value in post().items() if key != "owner_id"},
    ],
)
def test_a_broken_item_is_named_and_the_rest_is_kept(broken: Any) -> None:
    taken = take_posts([post(id=1), broken, post(id=2)], people())
    assert [mention.external_id for mention in taken.mentions] == ["wall501_1", "wall501_2"]
    assert len(taken.skipped) == 1
    assert taken.skipped[0].broken
    assert taken.skipped[0].reason
    assert len(taken.skipped[0].sample) <= 200


def test_parse_functions_raise_on_malformed_items() -> None:
    with pytest.raises(MalformedItemError, match="'date'"):
        parse_post(post(date="yesterday"), people())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*post(), "thread", "items"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*post(), *comment(), "thread", "geo", "copy_history", "deleted"]), _JSON))
def test_no_item_however_odd_stops_the_others(odd: dict[str, Any]) -> None:
    mentions, skipped = parse_answer({"response": {"items": [odd, post()], **RESPONSE}}, brand_account=None)
    assert mentions[-1].external_id == "wall501_11"
    assert len(mentions) + len(skipped) >= 2


def test_replies_nested_in_a_thread_are_taken_even_below_a_comment_that_is_not() -> None:
    reply = comment(id=22, parents_stack=[21], text="И у меня")
    own = comment(from_id=-777, thread={"count": 1, "items": [reply]})
    taken = take_comments([own], people())
    assert [mention.external_id for mention in taken.mentions] == ["wall-777_10_r22"]
    assert [skip.where for skip in taken.skipped] == ["wall-777_10_r21"]


def test_saved_search_answer_is_read() -> None:
    answer = {"response": {"items": [post(), post(id=12, post_type="reply", post_id=11)], **RESPONSE}}
    mentions, skipped = parse_answer(answer, brand_account="yunfan_ru")
    assert [mention.external_id for mention in mentions] == ["wall501_11", "wall501_11_r12"]
    assert skipped == []


def test_saved_comments_answer_is_read() -> None:
    mentions, _ = parse_answer({"response": {"items": [comment()], **RESPONSE}}, brand_account="yunfan_ru")
    assert mentions[0].author.name == "Анна С."
    assert mentions[0].external_id == "wall-777_10_r21"


def test_saved_board_answer_needs_the_call_beside_it() -> None:
    item = {"id": 5, "from_id": 501, "date": 1_795_000_000, "text": "Где гарантия?"}
    answer = {"response": {"items": [item], **RESPONSE}}
    mentions, skipped = parse_answer(answer, brand_account=None)
    assert mentions == []
    assert "group_id and topic_id" in skipped[0].reason
    request = {"method": "board.getComments", "params": {"group_id": 777, "topic_id": 5}}
    mentions, skipped = parse_answer({"request": request, **answer}, brand_account=None)
    assert [mention.external_id for mention in mentions] == ["topic-777_5_c5"]
    assert skipped == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"error": {"error_code": 5, "error_msg": "expired"}}, "error 5"),
        ({}, "no answer of VK"),
        ({"response": {"items": "none"}}, "no answer of VK"),
        ([], "no answer of VK"),
    ],
)
def test_what_is_no_answer_is_said(answer: Any, reason: str) -> None:
    mentions, skipped = parse_answer(answer, brand_account=None)
    assert mentions == []
    assert isinstance(skipped[0], Skipped)
    assert reason in skipped[0].reason
