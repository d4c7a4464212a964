"""The Slack server of the tests refuses what Slack refuses: without that, tests against it would prove little."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.servers.slack import TOKEN, SlackServer

PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "a"}


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer(channels=("C1", "C2")) as running:
        yield running


@pytest.fixture
def client(server: SlackServer) -> WebClient:
    return WebClient(token=TOKEN, base_url=server.api_url, retry_handlers=[])


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": "x" * length}}


def refused(client: WebClient, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(**{"channel": "C1", "text": "t", **arguments})
    return str(caught.value.response["error"])


@pytest.mark.parametrize(
    "blocks",
    [
        [section(3_001)],
        [section(0)],
        [{"type": "section"}],
        [{"type": "section", "fields": [PLAIN] * 11}],
        [{"type": "section", "fields": [{"type": "plain_text", "text": "x" * 2_001}]}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "context", "elements": []}],
        [{"type": "context", "elements": [PLAIN] * 11}],
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": [{**BUTTON, "url": "https://x.example/" + "a" * 3_000}]}],
        [{"type": "actions", "elements": [{**BUTTON, "url": "javascript:alert(1)"}]}],
        [{"type": "actions", "elements": [{**BUTTON, "text": {"type": "plain_text", "text": "x" * 76}}]}],
        [{"type": "actions", "elements": [BUTTON, BUTTON]}],
        [{"type": "section", "text": {**PLAIN, "verbatim": True}}],
        [{"type": "marquee"}],
        [{"type": "divider"}] * 51,
    ],
)
def test_blocks_beyond_the_limits_are_refused(server: SlackServer, client: WebClient, blocks: list[Any]) -> None:
    assert refused(client, blocks=blocks) == "invalid_blocks"
    assert not server.channel("C1").messages


def test_the_refusal_points_at_the_fault(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C1", text="t", blocks=[section(3_001)])
    assert caught.value.response["errors"] == ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]


def test_too_much_in_all_is_refused(client: WebClient) -> None:
    assert refused(client, blocks=[section(2_900)] * 5) == "msg_blocks_too_long"


def test_unknown_arguments_channels_tokens_and_methods_are_refused(server: SlackServer, client: WebClient) -> None:
    assert refused(client, colour="red") == "invalid_arguments"
    assert refused(client, channel="C9") == "channel_not_found"
    assert refused(client, text="", attachments=[]) == "no_text"
    with pytest.raises(SlackApiError, match="unknown_method"):
        client.api_call("chat.shout", json={"channel": "C1"})
    client.token = "xoxb-wrong"
    assert refused(client) == "invalid_auth"
    client.token = TOKEN
    server.is_revoked = True
    assert refused(client) == "token_revoked"


def test_a_body_of_another_type_is_refused(client: WebClient) -> None:
    with pytest.raises(SlackApiError, match="invalid_post_type"):
        client.api_call("chat.postMessage", files={"file": b"x"})


def test_auth_test_names_the_bot(client: WebClient) -> None:
    assert client.auth_test()["user_id"] == "U0BOT"


def test_views_are_opened_with_a_trigger(server: SlackServer, client: WebClient) -> None:
    view = {"type": "modal", "title": PLAIN, "blocks": []}
    client.views_open(trigger_id="1.2.a", view=view)
    assert server.views == [view]
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.views_open(trigger_id="1.2.a", view={**view, "title": {**PLAIN, "text": "x" * 25}})


def test_the_rate_limit_is_kept_by_channel(server: SlackServer, client: WebClient) -> None:
    server.rate_limited = True
    for _ in range(server.BURST):
        client.chat_postMessage(channel="C1", text="t")
    assert refused(client) == "ratelimited"
    client.chat_postMessage(channel="C2", text="t")


def test_what_would_come_alive_is_seen(server: SlackServer, client: WebClient) -> None:
    text = "<!channel> <@U1> <https://x.example|y> &lt;!here&gt; <!date^1^{date}|d>"
    client.chat_postMessage(
        channel="C1", text="x", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    )
    assert server.channel("C1").messages[0].live_markup == ["!channel", "@U1", "https://x.example|y"]


def test_an_update_without_blocks_keeps_them(server: SlackServer, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="C1", text="t", blocks=[section(3)])
    client.chat_update(channel="C1", ts=posted["ts"], text="u")
    assert server.channel("C1").messages[0].shown == "xxx"
    client.chat_update(channel="C1", ts=posted["ts"], text="u", blocks=[])
    assert server.channel("C1").messages[0].shown == "u"


def test_history_shows_metadata_only_when_asked(client: WebClient) -> None:
    client.chat_postMessage(channel="C1", text="t", metadata={"event_type": "e", "event_payload": {"a": 1}})
    assert "metadata" not in client.conversations_history(channel="C1")["messages"][0]
    assert client.conversations_history(channel="C1", include_all_metadata=True)["messages"][0]["metadata"]
