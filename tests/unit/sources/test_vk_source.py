"""The VK source on the real client library, against the local VK server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import RefusedSourceError, RetryableSourceError
from listener.model import Gap, Mention, Page, Skipped, Watch
from sources.vk import SPEC, VkOptions, VkWatchOptions, create
from sources.vk.source import VkSource
from sources.vk.sweep import Task, following_search
from tests.servers.base import Reply
from tests.servers.vk import NOW, TOKEN, VkServer

BRAND = -777
Fetch = Callable[..., list[Page]]


@pytest.fixture
def server() -> Iterator[VkServer]:
    with VkServer() as running:
        city, country = {"id": 60, "title": "Казань"}, {"id": 1, "title": "Россия"}
        running.add_user(501, "Анна", "С.", screen_name="anna_s", followers_count=340, city=city, country=country)
        running.add_user(502, "Олег", "В.", followers_count=12)
        running.add_group(777, "Yunfan", "yunfan_ru", members_count=5400)
        yield running


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.fromtimestamp(NOW, UTC))


@pytest.fixture
def source(server: VkServer, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[VkSource]:
    monkeypatch.setenv("VK_TOKEN_FOR_TESTS", TOKEN)
    token = Secret("env", "VK_TOKEN_FOR_TESTS")
    made = create(VkOptions(token=token, base_url=server.base_url, calls_per_second=1000, timeout_s=5), clock)
    yield made
    made.close()


def watch_of(**options: Any) -> Watch:
    return Watch(
        id="vk/RU/yunfan",
        source="vk",
        brand="yunfan",
        country="RU",
        languages=("ru",),
        terms=("Yunfan",),
        account="yunfan_ru",
        options=VkWatchOptions(**options),
    )


SEARCH_ONLY = watch_of(posts=False)
POSTS_ONLY = watch_of(search=False)


def sweep(source: VkSource, watch: Watch, cursor: str | None = None) -> list[Page]:
    """Fetch until a sweep ends."""
    pages = [source.fetch(watch, cursor)]
    while pages[-1].more:
        pages.append(source.fetch(watch, pages[-1].cursor))
        assert len(pages) < 60, "a sweep must end"
    return pages


def mentions(pages: list[Page]) -> list[Mention]:
    return [mention for page in pages for mention in page.mentions]


def ids(pages: list[Page]) -> list[str]:
    return [mention.external_id for mention in mentions(pages)]


def skipped(pages: list[Page]) -> list[Skipped]:
    return [skip for page in pages for skip in page.skipped]


def gaps(pages: list[Page]) -> list[Gap]:
    return [gap for page in pages for gap in page.gaps]


def test_search_asks_as_vk_documents(server: VkServer, source: VkSource) -> None:
    server.add_post(501, "Yunfan течёт")
    pages = sweep(source, replace(SEARCH_ONLY, terms=("Yunfan", "Юнь фань")))
    first, second = server.calls("newsfeed.search")
    assert (first["q"], second["q"]) == ("Yunfan", '"Юнь фань"')
    assert (first["count"], first["extended"], first["start_time"]) == ("200", "1", str(NOW - 86400))
    assert {"city", "country", "followers_count", "screen_name"} <= set(first["fields"].split(","))
    assert "end_time" not in first
    assert "start_from" not in first
    assert len(mentions(pages)) == 1


def test_query_of_the_watch_replaces_the_terms(server: VkServer, source: VkSource) -> None:
    sweep(source, watch_of(posts=False, query="чайник юньфань"))
    assert [call["q"] for call in server.calls("newsfeed.search")] == ["чайник юньфань"]


def test_search_is_paged_to_the_end_one_call_a_fetch(server: VkServer, source: VkSource) -> None:
    posts = {f"wall501_{server.add_post(501, f'Yunfan {n}', date=NOW - n)}" for n in range(450)}
    pages = sweep(source, SEARCH_ONLY)
    assert [len(page.mentions) for page in pages] == [200, 200, 50]
    assert [page.more for page in pages] == [True, True, False]
    assert set(ids(pages)) == posts
    assert gaps(pages) == []


def test_results_past_the_cap_are_reached_by_time(server: VkServer, source: VkSource) -> None:
    posts = {f"wall501_{server.add_post(501, f'Yunfan {n}', date=NOW - 10 * n)}" for n in range(2300)}
    pages = sweep(source, SEARCH_ONLY)
    assert set(ids(pages)) == posts
    assert gaps(pages) == []


def test_results_that_no_window_reaches_are_noted_as_a_gap(server: VkServer, source: VkSource) -> None:
    for n in range(1300):
        server.add_post(501, f"Yunfan {n}", date=NOW - 60)
    pages = sweep(source, SEARCH_ONLY)
    assert len(set(ids(pages))) == 1000
    (gap,) = gaps(pages)
    assert gap.start_at == datetime.fromtimestamp(NOW - 86400, UTC)
    assert gap.end_at == datetime.fromtimestamp(NOW - 60, UTC)
    assert "'Yunfan'" in gap.reason


def test_a_page_token_that_repeats_itself_ends_the_search() -> None:
    task = Task("search", query="q", start_from="200/1_1")
    following, gap = following_search(task, {"next_from": "200/1_1"}, [{"date": NOW}])
    assert (following, gap) == (None, None)


def test_second_sweep_asks_from_the_first_with_overlap(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    first = sweep(source, SEARCH_ONLY)
    clock.advance(900)
    new = server.add_post(501, "Yunfan опять", date=NOW + 800)
    server.now = NOW + 900
    second = sweep(source, SEARCH_ONLY, first[-1].cursor)
    assert server.calls("newsfeed.search")[-1]["start_time"] == str(NOW - 1800)
    assert ids(second) == [f"wall501_{new}"]


def test_a_sweep_that_breaks_off_goes_on_where_it_was(server: VkServer, source: VkSource) -> None:
    for n in range(450):
        server.add_post(501, f"Yunfan {n}", date=NOW - n)
    first = source.fetch(SEARCH_ONLY, None)
    server.fail(10)
    with pytest.raises(RetryableSourceError):
        source.fetch(SEARCH_ONLY, first.cursor)
    rest = sweep(source, SEARCH_ONLY, first.cursor)
    assert len(set(ids([first, *rest]))) == 450


def test_a_sweep_left_for_hours_starts_over(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    for n in range(250):
        server.add_post(501, f"Yunfan {n}", date=NOW - n)
    first = source.fetch(SEARCH_ONLY, None)
    clock.advance(7 * 3600)
    source.fetch(SEARCH_ONLY, first.cursor)
    assert "start_from" not in server.calls("newsfeed.search")[-1]


def test_each_term_is_searched_no_more_often_than_set(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    cursor = sweep(source, SEARCH_ONLY)[-1].cursor
    clock.advance(300)
    page = source.fetch(SEARCH_ONLY, cursor)
    assert (page.mentions, page.more) == ((), False)
    clock.advance(300)
    source.fetch(SEARCH_ONLY, page.cursor)
    assert len(server.calls("newsfeed.search")) == 2


def test_a_new_term_is_searched_from_its_own_look_back(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    cursor = sweep(source, SEARCH_ONLY)[-1].cursor
    clock.advance(60)
    sweep(source, replace(SEARCH_ONLY, terms=("Yunfan", "Юньфань")), cursor)
    last = server.calls("newsfeed.search")[-1]
    assert (last["q"], last["start_time"]) == ("Юньфань", str(NOW + 60 - 86400))


def test_excluded_words_are_left_out_as_whole_words(server: VkServer, source: VkSource) -> None:
    kept = server.add_post(501, "Yunfan из ригалов")
    server.add_post(501, "Yunfan, провинция Юньнань, ТУРЫ!")
    pages = sweep(source, replace(SEARCH_ONLY, exclude=("туры", "рига")))
    assert ids(pages) == [f"wall501_{kept}"]
    assert [(skip.reason, skip.broken) for skip in skipped(pages)] == [("has the excluded 'туры'", False)]


def test_country_and_city_of_authors_are_asked_once_a_day(
    server: VkServer, source: VkSource, clock: FixedClock
) -> None:
    server.add_post(501, "Yunfan раз")
    server.add_post(502, "Yunfan два")
    cursor = None
    authors = {}
    for _ in range(2):
        pages = sweep(source, SEARCH_ONLY, cursor)
        authors = {mention.author.external_id: mention.author for mention in mentions(pages)}
        cursor = pages[-1].cursor
        clock.advance(700)
    assert (authors["501"].country, authors["501"].location, authors["501"].followers) == ("RU", "Казань", 340)
    assert authors["502"].country is None
    assert [call["user_ids"] for call in server.calls("users.get")] == ["501,502"]
    clock.advance(86400)
    server.now += 88_000
    server.add_post(501, "Yunfan три")
    sweep(source, SEARCH_ONLY, cursor)
    assert len(server.calls("users.get")) == 2


def test_a_mention_is_kept_when_nobody_tells_about_its_author(server: VkServer, source: VkSource) -> None:
    server.add_post(501, "Yunfan раз")
    server.closed["users.get"] = 30
    (mention,) = mentions(sweep(source, SEARCH_ONLY))
    assert (mention.author.name, mention.author.country) == ("Анна С.", None)


def test_members_of_a_group_that_posts_are_asked(server: VkServer, source: VkSource) -> None:
    server.add_group(900, "Подслушано", "heard", members_count=200_000)
    server.add_post(-900, "Yunfan: кто брал?")
    (mention,) = mentions(sweep(source, SEARCH_ONLY))
    assert mention.author.followers == 200_000


def test_comments_and_their_threads_below_own_posts_are_read(server: VkServer, source: VkSource) -> None:
    post = server.add_post(BRAND, "Новинка!")
    top = server.add_comment(BRAND, post, "Когда ответите?", from_id=501)
    own = server.add_comment(BRAND, post, "Напишите нам", from_id=BRAND, reply_to=top)
    replies = [server.add_comment(BRAND, post, f"жду {n}", from_id=502, reply_to=top) for n in range(25)]
    more = [server.add_comment(BRAND, post, f"и я {n}", from_id=501) for n in range(120)]
    pages = sweep(source, POSTS_ONLY)
    expected = {f"wall-777_{post}_r{number}" for number in (top, *replies, *more)}
    assert set(ids(pages)) == expected
    assert f"wall-777_{post}_r{own}" in {skip.where for skip in skipped(pages)}
    first = server.calls("wall.getComments")[0]
    asked = {name: first[name] for name in ("count", "sort", "need_likes", "thread_items_count", "extended")}
    assert asked == {"count": "100", "sort": "asc", "need_likes": "1", "thread_items_count": "10", "extended": "1"}


def test_what_others_write_on_the_brands_wall_is_read(server: VkServer, source: VkSource) -> None:
    server.add_post(BRAND, "Новинка!")
    post = server.add_post(BRAND, "Где мой заказ?", from_id=501)
    assert ids(sweep(source, POSTS_ONLY)) == [f"wall-777_{post}"]


def test_only_posts_with_new_comments_are_read_again(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    quiet, busy = server.add_post(BRAND, "раз"), server.add_post(BRAND, "два")
    for post in (quiet, busy):
        server.add_comment(BRAND, post, "вопрос", from_id=501)
    cursor = sweep(source, POSTS_ONLY)[-1].cursor
    clock.advance(120)
    late = server.add_comment(BRAND, busy, "ещё вопрос", from_id=502)
    before = len(server.calls("wall.getComments"))
    pages = sweep(source, POSTS_ONLY, cursor)
    assert f"wall-777_{busy}_r{late}" in ids(pages)
    assert [call["post_id"] for call in server.calls("wall.getComments")[before:]] == [str(busy)]


def test_a_comment_behind_an_unchanged_count_is_found_within_the_hour(
    server: VkServer, source: VkSource, clock: FixedClock
) -> None:
    post = server.add_post(BRAND, "раз")
    server.add_comment(BRAND, post, "спам", from_id=501)
    cursor = sweep(source, POSTS_ONLY)[-1].cursor
    server.comments.clear()
    late = server.add_comment(BRAND, post, "жалоба", from_id=502)
    clock.advance(120)
    cursor = sweep(source, POSTS_ONLY, cursor)[-1].cursor
    clock.advance(3600)
    assert ids(sweep(source, POSTS_ONLY, cursor)) == [f"wall-777_{post}_r{late}"]


def test_the_group_is_resolved_once(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    cursor = sweep(source, POSTS_ONLY)[-1].cursor
    sweep(source, POSTS_ONLY, cursor)
    assert len(server.calls("utils.resolveScreenName")) == 1
    assert {call["owner_id"] for call in server.calls("wall.get")} == {"-777"}


def test_an_account_that_does_not_exist_is_reported_and_search_goes_on(server: VkServer, source: VkSource) -> None:
    post = server.add_post(501, "Yunfan течёт")
    pages = sweep(source, replace(watch_of(), account="nobody_here"))
    assert ids(pages) == [f"wall501_{post}"]
    assert ["nobody_here" in skip.reason and skip.broken for skip in skipped(pages)] == [True]


def test_without_an_account_only_search_is_done(server: VkServer, source: VkSource) -> None:
    sweep(source, replace(watch_of(topics=[5]), account=None))
    assert {request.path for request in server.requests} == {"/method/newsfeed.search"}


def test_a_closed_post_is_skipped_and_the_others_are_read(server: VkServer, source: VkSource) -> None:
    closed, open_ = server.add_post(BRAND, "раз"), server.add_post(BRAND, "два")
    server.add_comment(BRAND, closed, "скрыто", from_id=501)
    seen = server.add_comment(BRAND, open_, "вопрос", from_id=501)
    server.closed[f"wall.getComments:{closed}"] = 212
    pages = sweep(source, POSTS_ONLY)
    assert ids(pages) == [f"wall-777_{open_}_r{seen}"]
    (told,) = [skip for skip in skipped(pages) if skip.where == f"yunfan_ru comments {closed}"]
    assert "error 212" in told.reason
    assert not told.broken, "a post whose comments are closed is nothing to repair"


@pytest.mark.parametrize("code", [15, 18, 30, 100])
def test_a_closed_topic_is_skipped_and_the_others_are_read(server: VkServer, source: VkSource, code: int) -> None:
    comment = server.add_board_comment(777, 6, "Где гарантия?", from_id=501)
    server.closed["board.getComments:5"] = code
    pages = sweep(source, watch_of(search=False, posts=False, topics=[5, 6]))
    assert ids(pages) == [f"topic-777_6_c{comment}"]
    assert [skip.broken for skip in skipped(pages)] == [True]


def test_search_that_is_denied_stops_the_source(server: VkServer, source: VkSource) -> None:
    server.fail(15)
    with pytest.raises(RefusedSourceError):
        source.fetch(SEARCH_ONLY, None)


def test_a_board_is_read_back_to_what_is_known(server: VkServer, source: VkSource, clock: FixedClock) -> None:
    watch = watch_of(search=False, posts=False, topics=[5])
    old = [server.add_board_comment(777, 5, f"тема {n}", from_id=501, date=NOW - 9 * 86400) for n in range(300)]
    first = sweep(source, watch)
    assert len(server.calls("board.getComments")) == 1, "the first sweep stops where all is older than it looks back"
    assert set(ids(first)) == {f"topic-777_5_c{number}" for number in old[-100:]}
    new = [server.add_board_comment(777, 5, f"ответьте {n}", from_id=502) for n in range(130)]
    clock.advance(120)
    second = sweep(source, watch, first[-1].cursor)
    assert set(ids(second)) == {f"topic-777_5_c{number}" for number in new}
    third = sweep(source, watch, second[-1].cursor)
    assert ids(third) == []
    assert len(server.calls("board.getComments")) == 4


def test_authors_on_a_board_have_their_country(server: VkServer, source: VkSource) -> None:
    server.add_board_comment(777, 5, "Где гарантия?", from_id=501)
    (mention,) = mentions(sweep(source, watch_of(search=False, posts=False, topics=[5])))
    assert mention.author.country == "RU"


def test_a_broken_item_is_counted_and_the_page_kept(server: VkServer, source: VkSource) -> None:
    good = server.add_post(501, "Yunfan течёт")
    server.add_post(501, "Yunfan")
    server.posts[-1]["from_id"] = "кто"
    pages = sweep(source, SEARCH_ONLY)
    assert ids(pages) == [f"wall501_{good}"]
    assert [skip.broken for skip in skipped(pages)] == [True]


@pytest.mark.parametrize("body", [{"response": {}}, {"response": []}, {"response": None}, {"response": {"items": 5}}])
def test_an_answer_without_items_is_tried_again_later(server: VkServer, source: VkSource, body: Any) -> None:
    server.script(Reply(body=body))
    with pytest.raises(RetryableSourceError):
        source.fetch(SEARCH_ONLY, None)


@pytest.mark.parametrize("cursor", ["", "{", "[]", '"x"', "{}", '{"seen": 5}', '{"tasks": [{"what": 1}]}', "null"])
def test_a_cursor_that_cannot_be_read_starts_over(server: VkServer, source: VkSource, cursor: str) -> None:
    post = server.add_post(501, "Yunfan течёт")
    assert ids(sweep(source, SEARCH_ONLY, cursor)) == [f"wall501_{post}"]


def test_the_cursor_of_a_finished_sweep_holds_no_tasks(server: VkServer, source: VkSource) -> None:
    post = server.add_post(BRAND, "Новинка")
    server.add_comment(BRAND, post, "вопрос", from_id=501)
    state = json.loads(sweep(source, watch_of(topics=[5]))[-1].cursor or "")
    assert set(state) == {"seen"}
    assert state["seen"] == {
        "searched": {"Yunfan": NOW},
        "posts": {str(post): 1},
        "topics": {"5": 0},
        "scanned_at": NOW,
    }


def test_a_watch_with_nothing_to_do_is_quiet(server: VkServer, source: VkSource) -> None:
    page = source.fetch(watch_of(search=False, posts=False), None)
    assert (page.mentions, page.more, page.skipped) == ((), False, ())
    assert server.requests == []


def test_times_of_mentions_are_utc(server: VkServer, source: VkSource) -> None:
    server.add_post(501, "Yunfan", date=NOW - 60)
    (mention,) = mentions(sweep(source, SEARCH_ONLY))
    assert mention.published_at == datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=60)


def test_the_spec_names_the_source() -> None:
    assert (SPEC.name, SPEC.options, SPEC.watch_options) == ("vk", VkOptions, VkWatchOptions)


def test_closing_twice_is_allowed(source: VkSource) -> None:
    source.close()
    source.close()
