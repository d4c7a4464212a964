"""Second looks at posts and comments on VK, on the real client library against the local VK."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import SourceError
from listener.model import Watch, Withdrawn
from sources.base import PostRef, SupportsLook
from sources.vk import VkOptions, VkWatchOptions, create
from sources.vk.source import VkSource
from tests.servers.base import Reply
from tests.servers.vk import NOW, TOKEN, VkServer

WATCH = Watch("vk/RU/yunfan", "vk", "yunfan", "RU", ("ru",), ("Yunfan",), account="yunfan_ru", options=VkWatchOptions())


@pytest.fixture
def server() -> Iterator[VkServer]:
    with VkServer() as running:
        running.add_user(501, "Анна")
        running.add_user(502, "Олег")
        running.add_group(777, "Yunfan", "yunfan_ru")
        yield running


@pytest.fixture
def source(server: VkServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[VkSource]:
    monkeypatch.setenv("VK_TOKEN_FOR_TESTS", TOKEN)
    options = VkOptions(token=Secret("env", "VK_TOKEN_FOR_TESTS"), base_url=server.base_url, calls_per_second=1000)
    made = create(options, FixedClock(datetime.fromtimestamp(NOW, UTC)))
    yield made
    made.close()


def look(source: VkSource, *ids: str) -> dict[str, tuple[str, str | None]]:
    looked = source.look(WATCH, "cursor", [PostRef("vk", one, {}) for one in ids])
    assert looked.cursor == "cursor"
    return {fate.external_id: (fate.kind, fate.text) for fate in looked.fates}


def test_posts_stand_are_edited_or_gone(server: VkServer, source: VkSource) -> None:
    stands, edited, gone = (server.add_post(501, f"Чайник Yunfan {n}") for n in range(3))
    server.edit_post(edited, "Чайник починили")
    server.delete_post(gone)
    assert isinstance(source, SupportsLook)
    assert look(source, f"wall501_{stands}", f"wall501_{edited}", f"wall501_{gone}") == {
        f"wall501_{stands}": ("stands", "Чайник Yunfan 0"),
        f"wall501_{edited}": ("stands", "Чайник починили"),
        f"wall501_{gone}": ("deleted", None),
    }


def test_an_empty_answer_counts_where_the_wall_shows_another_post(server: VkServer, source: VkSource) -> None:
    server.add_post(501, "Доброе утро")
    gone = server.add_post(501, "Чайник Yunfan")
    server.delete_post(gone)
    assert look(source, f"wall501_{gone}") == {f"wall501_{gone}": ("deleted", None)}
    assert len(server.calls("wall.getById")) == 2


def test_an_empty_answer_about_posts_that_are_on_their_wall_says_nothing(server: VkServer, source: VkSource) -> None:
    post = server.add_post(501, "Чайник Yunfan")
    empty = Reply(200, {"response": {"items": []}})
    server.script(empty)
    assert look(source, f"wall501_{post}") == {}


def test_posts_behind_a_closed_profile_or_of_a_deleted_account_are_gone(server: VkServer, source: VkSource) -> None:
    closed, left = server.add_post(501, "Чайник Yunfan"), server.add_post(502, "Чайник Yunfan")
    server.people[501]["is_closed"] = True
    del server.people[502]
    server.posts = [post for post in server.posts if post["owner_id"] != 502]
    assert look(source, f"wall501_{closed}", f"wall502_{left}") == {
        f"wall501_{closed}": ("deleted", None),
        f"wall502_{left}": ("deleted", None),
    }


@pytest.mark.parametrize("code", [5, 6, 10, 29])
def test_a_look_that_fails_says_nothing(server: VkServer, source: VkSource, code: int) -> None:
    post = server.add_post(501, "Чайник Yunfan")
    server.fail(code)
    with pytest.raises(SourceError):
        look(source, f"wall501_{post}")


def test_a_wall_that_cannot_be_asked_for_another_reason_says_nothing(server: VkServer, source: VkSource) -> None:
    post = server.add_post(501, "Чайник Yunfan")
    server.delete_post(post)
    server.fail(100, method="wall.get")
    assert look(source, f"wall501_{post}") == {}


def test_comments_stand_are_edited_or_gone(server: VkServer, source: VkSource) -> None:
    wall = server.add_post(-777, "Новый чайник")
    stands, edited, gone, never = (
        *(server.add_comment(-777, wall, f"Yunfan {n}", from_id=501) for n in range(3)),
        9999,
    )
    server.edit_comment(edited, "Уже решили")
    server.delete_comment(gone)
    ids = [f"wall-777_{wall}_r{number}" for number in (stands, edited, gone, never)]
    assert look(source, *ids) == {
        ids[0]: ("stands", "Yunfan 0"),
        ids[1]: ("stands", "Уже решили"),
        ids[2]: ("deleted", None),
    }


def test_a_service_token_may_not_ask_for_comments_and_posts_are_looked_at(server: VkServer, source: VkSource) -> None:
    wall = server.add_post(-777, "Новый чайник")
    comment = server.add_comment(-777, wall, "Yunfan", from_id=501)
    post = server.add_post(501, "Чайник Yunfan")
    server.closed["wall.getComment"] = 28
    assert set(look(source, f"wall501_{post}", f"wall-777_{wall}_r{comment}")) == {f"wall501_{post}"}


def test_boards_are_not_looked_at(server: VkServer, source: VkSource) -> None:
    assert look(source, "topic-777_5_c1", "nonsense") == {}
    assert server.requests == []


def test_a_page_that_shows_a_deleted_comment_says_so(server: VkServer, source: VkSource) -> None:
    wall = server.add_post(-777, "Новый чайник")
    comment = server.add_comment(-777, wall, "Yunfan", from_id=501)
    server.delete_comment(comment)
    cursor, gone = None, []
    for _ in range(20):
        page = source.fetch(WATCH, cursor)
        cursor = page.cursor
        gone += page.withdrawn
        if not page.more:
            break
    assert gone == [Withdrawn("vk", f"wall-777_{wall}_r{comment}")]
