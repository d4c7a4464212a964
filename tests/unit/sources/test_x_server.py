"""The local X has to refuse what X refuses: otherwise a fault of the client would pass unseen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.servers.x import InvalidRequestError, XServer, parse_query, snowflake

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer(NOW) as made:
        made.add_user("yunfan")
        made.add_post("yunfan kettle", at=NOW - timedelta(minutes=5))
        yield made


def get(server: XServer, path: str, **query: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {server.token}"}
    names = {name.replace("__", "."): value for name, value in query.items()}
    answer = requests.get(server.base_url + path, params=names, headers=headers, timeout=5)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("tweet_fields", "text"),
        ("tweet__fields", "note_post"),
        ("post__fields", "author_id"),
        ("expansions", "author"),
        ("user__fields", "followers"),
        ("place__fields", "city"),
        ("max_results", "9"),
        ("max_results", "101"),
        ("since_id", "abc"),
        ("since_id", snowflake(NOW - timedelta(days=8), 1)),
        ("start_time", "2026-11-13T12:00:00Z"),
        ("start_time", "2026-11-21T11:59:59Z"),
        ("start_time", "2026-11-20"),
        ("end_time", "2026-11-21T12:00:00Z"),
        ("next_token", "made-up"),
        ("query", "lang:en"),
        ("query", "-is:retweet"),
        ("query", "x" * 513),
    ],
)
def test_a_wrong_parameter_of_search_is_named_in_the_documented_shape(
    server: XServer, parameter: str, value: str
) -> None:
    status, body = get(server, "/2/tweets/search/recent", **{"query": "yunfan", parameter: value})
    assert status == 400
    assert list(body["errors"][0]["parameters"]) == [parameter.replace("__", ".")]
    assert body["title"] == "Invalid Request"


def test_the_timeline_takes_its_own_page_token_only(server: XServer) -> None:
    status, body = get(server, "/2/users/1000/mentions", next_token="t")
    assert (status, list(body["errors"][0]["parameters"])) == (400, ["next_token"])


def test_a_wrong_token_method_or_path_is_refused(server: XServer) -> None:
    url = f"{server.base_url}/2/tweets/search/recent?query=yunfan"
    assert requests.get(url, headers={"Authorization": "Bearer wrong"}, timeout=5).status_code == 401
    assert requests.post(url, headers={"Authorization": f"Bearer {server.token}"}, timeout=5).status_code == 404
    assert get(server, "/2/tweets/search/everything", query="yunfan")[0] == 404


def test_only_the_fields_asked_for_come_back(server: XServer) -> None:
    _, body = get(server, "/2/tweets/search/recent", query="yunfan")
    assert set(body["data"][0]) == {"id", "text", "edit_history_tweet_ids"}
    assert "includes" not in body


@pytest.mark.parametrize("query", ["(yunfan", "yunfan)", "yunfan OR", "-(a b)", "yunfan min_faves:3", "yunfan lang:id"])
def test_a_query_x_could_not_read_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_query(query)


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("yunfan", "my Yunfan kettle", True),
        ("yunfan", "yunfans", False),
        ("yunfan", "@yunfan", False),
        ("@yunfan", "hi @Yunfan!", True),
        ('"云帆"', "我的云帆水壶", True),
        ("(a OR b) c", "b c", True),
        ("a b OR c d", "c d", True),
        ("a b OR c d", "b c", False),
        ("a -b", "a b", False),
        ('a -"b c"', "a b", True),
        ("a lang:fr", "a", False),
    ],
)
def test_posts_match_as_the_operators_say(query: str, text: str, found: bool) -> None:
    users = {"1": {"username": "ann"}}
    assert parse_query(query)({"text": text, "lang": "en", "author_id": "1"}, users) is found
