"""The VK source against the local VK server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import ListenerError, RetryableSourceError
from listener.model import Watch
from sources.vk import VkOptions, VkWatchOptions, create
from tests.contract.cases import Case
from tests.servers.vk import NOW, TOKEN, VkServer


@contextmanager
def case(tmp_path: Path) -> Iterator[Case]:
    """Posts found by search (several pages), comments with threads below the brand's post, and a board."""
    token = tmp_path / "vk-token"
    token.write_text(TOKEN, encoding="utf-8")
    with VkServer() as server:
        anna = server.add_user(501, "Анна", "С.", screen_name="anna_s", country={"id": 1, "title": "Россия"})
        brand = server.add_group(777, "Yunfan", "yunfan_ru", members_count=5400)
        clock = FixedClock(datetime.fromtimestamp(NOW, UTC))
        options = VkOptions(
            token=Secret("file", str(token)), base_url=server.base_url, calls_per_second=1000, timeout_s=5
        )
        source = create(options, clock)

        def add_post(text: str) -> str:
            return f"wall501_{server.add_post(anna, text, date=NOW - 60)}"

        def add_comment(post: int, text: str, reply_to: int | None = None) -> tuple[str, int]:
            number = server.add_comment(brand, post, text, from_id=anna, reply_to=reply_to)
            return f"wall{brand}_{post}_r{number}", number

        own_post = server.add_post(brand, "Новая коллекция чайников Yunfan")
        found = [add_post(f"Чайник Yunfan снова течёт, день {day}") for day in range(205)]
        top, top_id = add_comment(own_post, "А когда ответите?")
        replies = [add_comment(own_post, f"Тоже жду, {n}", top_id)[0] for n in range(12)]
        board = f"topic-777_5_c{server.add_board_comment(777, 5, 'Где гарантия?', from_id=anna)}"

        def add_items() -> list[str]:
            clock.advance(120)
            late = server.add_board_comment(777, 5, "Ответа так и нет", from_id=anna)
            return [add_post("Yunfan, верните деньги"), add_comment(own_post, "Ау!")[0], f"topic-777_5_c{late}"]

        def break_once() -> type[ListenerError]:
            server.fail(10)
            return RetryableSourceError

        watch = Watch(
            id="vk/RU/yunfan",
            source="vk",
            brand="yunfan",
            country="RU",
            languages=("ru",),
            terms=("Yunfan",),
            account="yunfan_ru",
            options=VkWatchOptions(topics=[5], search_every="60s"),
        )
        try:
            yield Case(source, watch, [*found, top, *replies, board], add_items, break_once)
        finally:
            source.close()
