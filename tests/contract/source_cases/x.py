"""X for the contract suite: a local X with a page and a half of posts in each endpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import ListenerError, RetryableSourceError
from listener.model import Watch
from sources.x import XOptions, XWatchOptions, create
from tests.contract.cases import Case
from tests.servers.base import Reply
from tests.servers.x import XServer

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@contextmanager
def case(tmp_path: Path) -> Iterator[Case]:
    """Yield a source on a local X that holds posts found by search alone, by mention alone, and by both."""
    token = tmp_path / "token"
    token.write_text("contract-token")
    clock = FixedClock(NOW)
    with XServer(NOW, token="contract-token") as server:
        server.add_user("yunfan")
        searched = [_add(server, n, f"my yunfan kettle, part {n}") for n in range(13)]
        mentioned = [_add(server, n, f"@yunfan hello? {n}", lang="und") for n in range(13, 25)]

        def add_items() -> list[str]:
            clock.advance(600)
            server.now = clock.now()
            at = clock.now() - timedelta(minutes=2)
            return [server.add_post(f"yunfan again, @yunfan {n}", at=at) for n in range(3)]

        def break_once() -> type[ListenerError]:
            server.script(Reply(503, {"title": "Service Unavailable", "detail": "Service Unavailable", "status": 503}))
            return RetryableSourceError

        options = XOptions(bearer_token=Secret("file", str(token)), base_url=server.base_url, max_results=10)
        source = create(options, clock)
        watch = Watch(
            id="x/GB/yunfan",
            source="x",
            brand="yunfan",
            country="GB",
            languages=("en",),
            terms=("yunfan",),
            account="yunfan",
            options=XWatchOptions(),
        )
        try:
            yield Case(source, watch, searched + mentioned, add_items, break_once)
        finally:
            source.close()


def _add(server: XServer, number: int, text: str, lang: str = "en") -> str:
    return server.add_post(text, lang=lang, username=f"user_{number % 4}", at=NOW - timedelta(minutes=10 * number + 5))
