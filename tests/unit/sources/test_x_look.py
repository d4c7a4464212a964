"""Second looks at posts on X, on the real client library against the local X."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import QuotaExhaustedError, RefusedSourceError, RetryableSourceError
from listener.model import Mention, Watch
from sources.base import Fate, PostRef, SupportsLook
from sources.x import XOptions, XWatchOptions
from sources.x.source import XSource
from tests.servers.base import Reply
from tests.servers.x import XServer

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WATCH = Watch("x/GB/yunfan", "x", "yunfan", "GB", ("en",), ("yunfan",), options=XWatchOptions(mentions=False))
NOT_FOUND = "https://api.x.com/2/problems/resource-not-found"


@pytest.fixture(params=["tweet", "post"])
def server(request: pytest.FixtureRequest) -> Iterator[XServer]:
    with XServer(NOW) as running:
        running.namings = {request.param}
        yield running


@pytest.fixture
def source(server: XServer, tmp_path: Path) -> Iterator[XSource]:
    (tmp_path / "token").write_text("test-token")
    options = XOptions(bearer_token=Secret("file", str(tmp_path / "token")), base_url=server.base_url)
    made = XSource(options, FixedClock(NOW))
    yield made
    made.close()


def post(server: XServer, text: str = "yunfan kettle leaks", **fields: Any) -> str:
    return server.add_post(text, at=NOW - timedelta(minutes=5), **fields)


def found(source: XSource) -> list[Mention]:
    return list(source.fetch(WATCH, None).mentions)


def refs(*mentions: Mention) -> list[PostRef]:
    return [PostRef("x", mention.external_id, mention.links) for mention in mentions]


def asked(server: XServer) -> list[str]:
    return [request.query["ids"] for request in server.requests if request.path == "/2/tweets"]


def test_each_post_stands_is_gone_or_hidden(server: XServer, source: XSource) -> None:
    stands, gone, hidden = post(server), post(server, username="bob"), post(server, username="cleo")
    mentions = {mention.external_id: mention for mention in found(source)}
    server.delete_post(gone)
    server.protect("cleo")
    assert isinstance(source, SupportsLook)
    looked = source.look(WATCH, None, refs(*mentions.values()))
    fates = {fate.external_id: (fate.kind, fate.text) for fate in looked.fates}
    assert fates == {
        stands: ("stands", "yunfan kettle leaks"),
        gone: ("deleted", None),
        hidden: ("deleted", None),
    }


def test_an_edited_post_reads_as_its_latest_version_and_keeps_its_id(server: XServer, source: XSource) -> None:
    first = post(server)
    (before,) = found(source)
    latest = server.edit_post(first, "yunfan kettle mended", at=NOW - timedelta(minutes=2))
    (fate,) = source.look(WATCH, None, refs(before)).fates
    assert fate == Fate("x", first, "stands", "yunfan kettle mended", {"post_id": latest})
    assert asked(server)[-2:] == [first, latest]
    (after,) = found(source)
    assert (after.external_id, after.text, after.links["post_id"]) == (first, "yunfan kettle mended", latest)
    assert source.look(WATCH, None, refs(after)).fates == (fate,)
    assert asked(server)[-1] == latest


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, {}),
        Reply(200, {"meta": {}}),
        Reply(200, {"data": [{"id": "1", "text": "another"}], "errors": []}),
        Reply(200, {"errors": [{"type": NOT_FOUND, "resource_type": "user", "resource_id": "{id}"}]}),
        Reply(200, {"errors": [{"type": NOT_FOUND, "resource_type": "tweet", "resource_id": "1"}]}),
        Reply(200, {"errors": ["gone", {"type": "about:blank", "resource_type": "tweet", "resource_id": "{id}"}]}),
        Reply(200, {"data": "gone", "errors": {"type": NOT_FOUND}}),
    ],
)
def test_an_answer_that_does_not_speak_of_a_post_says_nothing_of_it(
    server: XServer, source: XSource, answer: Reply
) -> None:
    post(server)
    (mention,) = found(source)
    body = json.loads(json.dumps(answer.body).replace("{id}", mention.external_id))
    server.script(Reply(answer.status, body))
    try:
        fates = source.look(WATCH, None, refs(mention)).fates
    except RetryableSourceError:
        fates = ()
    assert fates == ()


@pytest.mark.parametrize(
    ("status", "error"), [(404, RefusedSourceError), (401, RefusedSourceError), (503, RetryableSourceError)]
)
def test_a_refused_look_is_an_error(server: XServer, source: XSource, status: int, error: type[Exception]) -> None:
    post(server)
    (mention,) = found(source)
    server.script(Reply(status, {"title": "No", "type": "about:blank", "status": status, "detail": "No"}))
    with pytest.raises(error):
        source.look(WATCH, None, refs(mention))


def test_looks_count_towards_the_month_and_end_with_it(server: XServer, source: XSource) -> None:
    for name in ("ann", "bob", "cleo"):
        post(server, username=name)
    page = source.fetch(WATCH, None)
    options = XWatchOptions(mentions=False, monthly_posts=5)
    watch = Watch("x/GB/yunfan", "x", "yunfan", "GB", ("en",), ("yunfan",), options=options)
    looked = source.look(watch, page.cursor, refs(*page.mentions))
    assert len(looked.fates) == 2
    with pytest.raises(QuotaExhaustedError):
        source.look(watch, looked.cursor, refs(*page.mentions))


def test_a_look_asks_for_no_authors(server: XServer, source: XSource) -> None:
    post(server)
    source.look(WATCH, None, refs(*found(source)))
    query = [request.query for request in server.requests if request.path == "/2/tweets"][-1]
    assert "author_id" not in query.get("expansions", "")
    assert "user.fields" not in query
