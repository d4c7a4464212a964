"""The Slack server of the tests refuses what Slack refuses: without that, tests against it would prove little."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.webhook import WebhookClient

from tests.servers.base import LocalServer, Reply, Request
from tests.servers.slack import (
    APP_TOKEN,
    KINDS,
    SIGNING_SECRET,
    TAMPERINGS,
    TOKEN,
    BadAnswerError,
    NotOnScreenError,
    NotSubmittedError,
    Person,
    SlackMessage,
    SlackServer,
    View,
    view_problems,
)
from tests.ticking import Ticking

PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "a"}
PATIENT_S = 60.0
"""For what has to be acknowledged, however busy the machine is."""
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
OPTION = {"text": PLAIN, "value": "v"}
SELECT = {"type": "static_select", "action_id": "s", "options": [OPTION]}
CONFIRM = {"title": PLAIN, "text": PLAIN, "confirm": PLAIN, "deny": PLAIN}
FIELD = {"type": "plain_text_input", "action_id": "t"}
INPUT = {"type": "input", "block_id": "i", "label": PLAIN, "element": FIELD}
MODAL = {"type": "modal", "title": PLAIN, "submit": PLAIN, "blocks": [INPUT]}


@pytest.fixture
def server(server: SlackServer) -> SlackServer:
    server.ack_s = PATIENT_S
    return server


@pytest.fixture
def olga(server: SlackServer) -> Person:
    return server.person("U1", name="olga", timezone="Europe/Paris")


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


def actions(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "b", "elements": list(elements)}]


def plain(length: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length}


def code(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "image", "image_url": "https://x.example/a.png"}],
        [{"type": "image", "image_url": "data:image/png;base64,AA", "alt_text": "x"}],
        [{"type": "image", "alt_text": "x"}],
        [{"type": "image", "alt_text": "x", "slack_file": {"id": "F404"}}],
        [{"type": "image", "alt_text": "x" * 2_001, "image_url": "https://x.example/a.png"}],
        [{"type": "context", "elements": [{"type": "image", "image_url": "https://x.example/a.png"}]}],
        actions({**SELECT, "options": []}),
        actions({**SELECT, "options": [OPTION] * 101}),
        actions({**SELECT, "options": [{**OPTION, "text": plain(76)}]}),
        actions({**SELECT, "options": [{**OPTION, "value": "v" * 151}]}),
        actions({**SELECT, "options": [{**OPTION, "url": "https://x.example"}]}),
        actions({**SELECT, "placeholder": plain(151)}),
        actions({**SELECT, "initial_option": {**OPTION, "value": "w"}}),
        actions({"type": "radio_buttons", "action_id": "r", "options": [OPTION] * 11}),
        actions({"type": "overflow", "action_id": "o", "options": [OPTION] * 6}),
        actions({"type": "overflow", "action_id": "o", "options": []}),
        actions({**BUTTON, "confirm": {**CONFIRM, "title": plain(101)}}),
        actions({**BUTTON, "confirm": {**CONFIRM, "text": plain(301)}}),
        actions({**BUTTON, "confirm": {**CONFIRM, "confirm": plain(31)}}),
        actions({**BUTTON, "confirm": {**CONFIRM, "deny": plain(31)}}),
        actions({**BUTTON, "confirm": {"title": PLAIN}}),
        actions({**BUTTON, "colour": "red"}),
        actions({**BUTTON, "style": "primary", "action_id": "a" * 256}),
        actions({**BUTTON, "value": "v" * 2_001}),
        actions(FIELD),
        [INPUT],
        [*actions(BUTTON), *actions({**BUTTON, "action_id": "z"})],
        [{**section(1), "block_id": "b" * 256}],
        [{**section(1), "accessory": FIELD}],
    ],
)
def test_elements_and_images_beyond_the_limits_are_refused(client: WebClient, blocks: list[Any]) -> None:
    assert refused(client, blocks=blocks) == "invalid_blocks"


@pytest.mark.parametrize(
    "change",
    [
        {"title": plain(25)},
        {"title": {"type": "mrkdwn", "text": "x"}},
        {"submit": plain(25)},
        {"close": plain(25)},
        {"submit": None},
        {"private_metadata": "x" * 3_001},
        {"callback_id": "x" * 256},
        {"notify_on_close": "yes"},
        {"colour": "red"},
        {"blocks": None},
        {"blocks": [section(1)] * 101},
        {"blocks": [INPUT, INPUT]},
        {"blocks": [{**INPUT, "label": plain(2_001)}]},
        {"blocks": [{**INPUT, "hint": plain(2_001)}]},
        {"blocks": [{**INPUT, "element": BUTTON}]},
        {"blocks": [{**INPUT, "dispatch_action": "yes"}]},
        {"blocks": [{**INPUT, "element": {**FIELD, "max_length": 3_001}}]},
        {"blocks": [{**INPUT, "element": {**FIELD, "min_length": 9, "max_length": 8}}]},
        {"blocks": [{**INPUT, "element": {**FIELD, "max_length": 3, "initial_value": "four"}}]},
        {"blocks": [{**INPUT, "element": {**FIELD, "initial_value": "x" * 3_001}}]},
        {"blocks": [{**INPUT, "element": {**FIELD, "placeholder": plain(151)}}]},
        {"blocks": [{**INPUT, "element": {**FIELD, "dispatch_action_config": {"trigger_actions_on": ["blur"]}}}]},
        {"type": "drawer"},
    ],
)
def test_modals_beyond_the_limits_are_refused(
    server: SlackServer, olga: Person, client: WebClient, change: dict[str, Any]
) -> None:
    assert not list(view_problems(MODAL))
    trigger_id = server.views.trigger(olga.id)
    assert code(client.views_open, trigger_id=trigger_id, view={**MODAL, **change}) == "invalid_arguments"
    assert olga.view is None


def test_a_thread_holds_its_replies_and_the_channel_shows_the_root(server: SlackServer, client: WebClient) -> None:
    root = client.chat_postMessage(channel="C1", text="root")["ts"]
    client.chat_postMessage(channel="C1", text="quiet", thread_ts=root)
    loud = client.chat_postMessage(channel="C1", text="loud", thread_ts=root, reply_broadcast=True)["ts"]
    (message,) = server.channel("C1").messages
    assert message.thread == ["quiet", "loud"]
    history = client.conversations_history(channel="C1")["messages"]
    assert [each["text"] for each in history] == ["loud", "root"]
    assert history[1]["reply_count"] == 2
    assert refused(client, thread_ts="1.000001") == "thread_not_found"
    assert refused(client, thread_ts=loud) == "cannot_reply_to_message"


def test_replies_are_read_in_pages_with_their_metadata(server: SlackServer, client: WebClient) -> None:
    server.history_page = 2
    root = client.chat_postMessage(channel="C1", text="root")["ts"]
    metadata = {"event_type": "e", "event_payload": {"n": 1}}
    for number in range(3):
        client.chat_postMessage(channel="C1", text=str(number), thread_ts=root, metadata=metadata)
    first = client.conversations_replies(channel="C1", ts=root, include_all_metadata=True)
    cursor = first["response_metadata"]["next_cursor"]
    second = client.conversations_replies(channel="C1", ts=root, cursor=cursor, include_all_metadata=True)
    found = [*first["messages"], *second["messages"]]
    assert [each["text"] for each in found] == ["root", "0", "1", "2"]
    assert [each.get("metadata") for each in found] == [None, metadata, metadata, metadata]
    assert code(client.conversations_replies, channel="C1", ts="1.000001") == "thread_not_found"


def test_replies_can_be_edited_and_a_deleted_root_leaves_a_mark(server: SlackServer, client: WebClient) -> None:
    root = client.chat_postMessage(channel="C1", text="root")["ts"]
    reply = client.chat_postMessage(channel="C1", text="a", thread_ts=root)["ts"]
    client.chat_update(channel="C1", ts=reply, text="b")
    client.chat_delete(channel="C1", ts=root)
    (message,) = server.channel("C1").messages
    assert message.is_deleted
    assert message.thread == ["b"]
    assert code(client.chat_update, channel="C1", ts=root, text="c") == "message_not_found"
    client.chat_delete(channel="C1", ts=reply)
    assert message.replies == []


def test_metadata_is_kept_by_an_update_and_taken_away_by_an_empty_one(server: SlackServer, client: WebClient) -> None:
    metadata = {"event_type": "e", "event_payload": {}}
    ts = client.chat_postMessage(channel="C1", text="t", metadata=metadata)["ts"]
    client.chat_update(channel="C1", ts=ts, text="u")
    (message,) = server.channel("C1").messages
    assert message.metadata == metadata
    client.chat_update(channel="C1", ts=ts, text="u", metadata={})
    assert message.metadata is None


def test_only_its_own_messages_are_the_apps_to_change(olga: Person, client: WebClient) -> None:
    said = olga.says("C1", "hello")
    assert code(client.chat_update, channel="C1", ts=said.ts, text="u") == "cant_update_message"
    assert code(client.chat_delete, channel="C1", ts=said.ts) == "cant_delete_message"


def test_ephemeral_messages_are_seen_by_one_person(server: SlackServer, olga: Person, client: WebClient) -> None:
    client.chat_postEphemeral(channel="C1", user="U1", text="only you")
    assert [message.shown for message in olga.ephemerals] == ["only you"]
    assert not server.channel("C1").messages
    assert code(client.chat_postEphemeral, channel="C1", user="U9", text="t") == "user_not_in_channel"


def test_a_person_is_told_in_private(olga: Person, client: WebClient) -> None:
    channel = client.conversations_open(users="U1")["channel"]["id"]
    client.chat_postMessage(channel=channel, text="psst")
    client.chat_postMessage(channel="U1", text="again")
    assert [message.shown for message in olga.dm.messages] == ["psst", "again"]
    assert client.conversations_open(users="U1")["already_open"]
    assert code(client.conversations_open, users="U9") == "user_not_found"


def test_people_groups_and_links_are_looked_up(server: SlackServer, olga: Person, client: WebClient) -> None:
    server.usergroups["S1"] = [olga.id]
    assert client.users_info(user="U1")["user"]["tz_offset"] == 3_600
    assert client.usergroups_users_list(usergroup="S1")["users"] == ["U1"]
    assert code(client.usergroups_users_list, usergroup="S9") == "no_such_subteam"
    root = client.chat_postMessage(channel="C1", text="t")["ts"]
    link = client.chat_getPermalink(channel="C1", message_ts=root)["permalink"]
    assert link == f"https://acme.slack.com/archives/C1/p{root.replace('.', '')}"


@pytest.mark.parametrize(
    ("scope", "call"),
    [
        ("chat:write", lambda client: client.chat_postMessage(channel="C1", text="t")),
        ("channels:history", lambda client: client.conversations_history(channel="C1")),
        ("groups:history", lambda client: client.conversations_history(channel="G1")),
        ("users:read", lambda client: client.users_info(user="U1")),
        ("usergroups:read", lambda client: client.usergroups_users_list(usergroup="S1")),
        ("im:write", lambda client: client.conversations_open(users="U1")),
        ("files:write", lambda client: client.files_getUploadURLExternal(filename="a", length=1)),
    ],
)
def test_a_scope_that_is_not_held_is_named(
    server: SlackServer, client: WebClient, scope: str, call: Callable[[WebClient], Any]
) -> None:
    server.add_channel("G1", is_private=True)
    server.scopes.remove(scope)
    with pytest.raises(SlackApiError) as caught:
        call(client)
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == scope


def test_each_method_takes_as_many_calls_a_minute_as_its_tier(
    server: SlackServer, client: WebClient, clock: Ticking
) -> None:
    ts = client.chat_postMessage(channel="C1", text="t")["ts"]
    server.rate_limited = True
    for _ in range(50):
        client.chat_update(channel="C1", ts=ts, text="u")
    with pytest.raises(SlackApiError) as caught:
        client.chat_update(channel="C1", ts=ts, text="u")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "60"
    client.conversations_history(channel="C1")
    clock.seconds += 60
    client.chat_update(channel="C1", ts=ts, text="u")


def test_no_two_messages_share_a_ts_though_the_clock_stands(server: SlackServer) -> None:
    assert len({server.next_ts() for _ in range(10_000)}) == 10_000


def test_an_uploaded_image_can_stand_in_a_message(server: SlackServer, client: WebClient) -> None:
    client.files_upload_v2(content=PNG, filename="curve.png", title="Curve", alt_txt="a curve")
    (file,) = server.files.values()
    assert (file.content, file.title, file.shared_in) == (PNG, "Curve", [])
    image = {"type": "image", "alt_text": "a curve", "slack_file": {"id": file.id}}
    client.chat_postMessage(channel="C1", text="t", blocks=[image])
    (message,) = server.channel("C1").messages
    assert message.images[0]["slack_file"] == {"id": file.id}
    assert message.shown == "a curve"


def test_a_file_can_be_shared_in_a_thread(server: SlackServer, client: WebClient) -> None:
    root = client.chat_postMessage(channel="C1", text="t")["ts"]
    client.files_upload_v2(content=b"text", filename="a.txt", channel="C1", thread_ts=root, initial_comment="see")
    (message,) = server.channel("C1").messages
    assert message.thread == ["see\na.txt"]
    assert message.replies[0].files == ["F0001"]
    image = {"type": "image", "alt_text": "x", "slack_file": {"id": "F0001"}}
    assert refused(client, blocks=[image]) == "invalid_blocks"


def test_a_file_without_its_bytes_is_not_complete(server: SlackServer, client: WebClient, clock: Ticking) -> None:
    answer = client.files_getUploadURLExternal(filename="a.png", length=len(PNG))
    files = [{"id": answer["file_id"]}]
    assert code(client.files_completeUploadExternal, files=files) == "file_not_found"
    assert code(client.files_getUploadURLExternal, filename="a.png", length=0) == "missing_argument"
    server.file_processing_s = 2.0
    client.files_upload_v2(content=PNG, filename="curve.png")
    image = {"type": "image", "alt_text": "x", "slack_file": {"id": "F0002"}}
    assert refused(client, blocks=[image]) == "invalid_blocks"
    clock.seconds += 2
    client.chat_postMessage(channel="C1", text="t", blocks=[image])


def test_a_trigger_opens_one_modal_within_three_seconds(
    server: SlackServer, olga: Person, client: WebClient, clock: Ticking
) -> None:
    trigger_id = server.views.trigger(olga.id)
    opened = client.views_open(trigger_id=trigger_id, view=MODAL)["view"]
    assert olga.view is not None
    assert olga.view.id == opened["id"]
    assert code(client.views_open, trigger_id=trigger_id, view=MODAL) == "exchanged_trigger_id"
    late = server.views.trigger(olga.id)
    clock.seconds += 3.1
    assert code(client.views_open, trigger_id=late, view=MODAL) == "expired_trigger_id"
    assert code(client.views_open, trigger_id="12.34.abc", view=MODAL) == "invalid_trigger_id"


def test_an_update_names_a_view_and_may_guard_its_hash(server: SlackServer, olga: Person, client: WebClient) -> None:
    view = opened(server, client, olga, {**MODAL, "external_id": "reply-1"})
    stale = view.hash
    client.views_update(external_id="reply-1", view={**MODAL, "title": plain(2)})
    assert view.title == "xx"
    update = client.views_update
    assert code(update, view_id=view.id, view=MODAL, hash=stale) == "hash_conflict"
    assert code(update, view_id="V9", view=MODAL) == "not_found"
    arguments = {"external_id": "reply-1", "view_id": view.id, "view": MODAL}
    assert code(lambda: client.api_call("views.update", json=arguments)) == "invalid_arguments"
    client.views_update(view_id=view.id, view=MODAL, hash=view.hash)


def test_what_was_typed_stays_where_the_ids_stay(server: SlackServer, olga: Person, client: WebClient) -> None:
    view = opened(server, client, olga, MODAL)
    olga.fill(view, {"i": "typed"})
    block = {**INPUT, "element": {**FIELD, "initial_value": "draft 2"}}
    client.views_update(view_id=view.id, view={**MODAL, "blocks": [block]})
    assert view.values == {"i": "typed"}
    client.views_update(view_id=view.id, view={**MODAL, "blocks": [{**block, "block_id": "j"}]})
    assert view.values == {"j": "draft 2"}
    assert "draft 2" in view.shown


def test_at_most_three_modals_lie_on_each_other(server: SlackServer, olga: Person, client: WebClient) -> None:
    view = opened(server, client, olga, MODAL)
    for _ in range(2):
        client.views_push(trigger_id=server.views.trigger(olga.id, olga.view), view=MODAL)
    assert len(server.views[olga.id]) == 3
    assert olga.view is not view
    trigger_id = server.views.trigger(olga.id, olga.view)
    assert code(client.views_push, trigger_id=trigger_id, view=MODAL) == "push_limit_reached"
    assert code(client.views_push, trigger_id=server.views.trigger(olga.id), view=MODAL) == "not_found"


def test_each_person_has_a_home_tab_of_at_most_a_hundred_blocks(
    server: SlackServer, olga: Person, client: WebClient
) -> None:
    home = {"type": "home", "blocks": [section(1)] * 100}
    first = client.views_publish(user_id="U1", view=home)["view"]
    assert olga.home is not None
    assert olga.home.shown.count("x") == 100
    client.views_publish(user_id="U1", view={**home, "blocks": actions(BUTTON)}, hash=first["hash"])
    assert list(olga.home.actions) == ["a"]
    assert code(client.views_publish, user_id="U1", view=home, hash=first["hash"]) == "hash_conflict"
    home["blocks"] = [section(1)] * 101
    assert code(client.views_publish, user_id="U1", view=home) == "invalid_arguments"


def opened(server: SlackServer, client: WebClient, person: Person, modal: dict[str, Any]) -> View:
    client.views_open(trigger_id=server.views.trigger(person.id), view=modal)
    assert person.view is not None
    return person.view


class App(LocalServer):
    """An app that takes signed requests: it answers as `reply` says and keeps what it accepted."""

    def __init__(self, clock: Ticking) -> None:
        super().__init__()
        self.accepted: list[Any] = []
        self.reply: Callable[[Any], Any] = lambda payload: None
        moment = Clock()
        moment.now = clock  # type: ignore[method-assign]
        self._verifier = SignatureVerifier(SIGNING_SECRET, moment)

    def handle(self, request: Request) -> Reply:
        try:
            is_valid = self._verifier.is_valid_request(request.body, dict(request.headers))
        except ValueError:
            is_valid = False
        if not is_valid:
            return Reply(401)
        is_json = request.headers["Content-Type"] == "application/json"
        form = request.json() if is_json else request.form()
        payload = json.loads(form["payload"]) if "payload" in form else form
        self.accepted.append(payload)
        answer = self.reply(payload)
        return Reply(200, b"" if answer is None else answer)


@pytest.fixture
def app(server: SlackServer, clock: Ticking) -> Iterator[App]:
    with App(clock) as running:
        server.deliver_to(f"{running.base_url}/slack", SIGNING_SECRET)
        yield running


def posted(server: SlackServer, client: WebClient, *elements: dict[str, Any]) -> SlackMessage:
    client.chat_postMessage(channel="C1", text="t", blocks=actions(*elements))
    return server.channel("C1").messages[-1]


def test_a_press_tells_who_pressed_what_where(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    message = posted(server, client, {**BUTTON, "value": "x:1", "style": "primary"})
    delivery = olga.press(message, "a")
    assert delivery.in_time
    (payload,) = app.accepted
    assert payload == delivery.payload
    assert payload["user"]["name"] == "olga"
    assert payload["container"] == {
        "type": "message", "message_ts": message.ts, "channel_id": "C1", "is_ephemeral": False,
    }  # fmt: skip
    assert payload["message"]["blocks"] == message.blocks
    (action,) = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("a", "b", "x:1")
    client.views_open(trigger_id=payload["trigger_id"], view=MODAL)
    assert olga.view is not None


def test_nobody_presses_what_is_not_there(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    message = posted(server, client, BUTTON)
    seen = message.snapshot()
    client.chat_update(channel="C1", ts=message.ts, text="t", blocks=actions({**BUTTON, "action_id": "z"}))
    with pytest.raises(NotOnScreenError, match="there are"):
        olga.press(message, "a")
    assert olga.press(seen, "a").is_acked
    server.channel("C1").absent.add("U1")
    with pytest.raises(NotOnScreenError, match="does not see"):
        olga.press(message, "z")
    server.channel("C1").absent.clear()
    client.chat_delete(channel="C1", ts=message.ts)
    with pytest.raises(NotOnScreenError, match="does not see"):
        olga.press(message, "z")
    assert len(app.accepted) == 1


def test_who_says_no_to_a_confirmation_presses_nothing(
    server: SlackServer, olga: Person, client: WebClient, app: App
) -> None:
    message = posted(server, client, {**BUTTON, "confirm": CONFIRM})
    assert olga.press(message, "a", confirm=False).error == "declined"
    assert app.accepted == []


def test_an_option_is_chosen_by_its_value(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    overflow = {"type": "overflow", "action_id": "o", "options": [OPTION, {**OPTION, "value": "w"}]}
    message = posted(server, client, SELECT, overflow)
    olga.choose(message, "o", "w")
    olga.choose(message, "s", "v")
    first, second = (payload["actions"][0] for payload in app.accepted)
    assert first["selected_option"]["value"] == "w"
    assert second["selected_option"] == OPTION
    assert app.accepted[1]["state"]["values"]["b"]["s"]["selected_option"] == OPTION
    with pytest.raises(NotOnScreenError, match="offers"):
        olga.choose(message, "s", "nothing")


def test_a_form_is_checked_before_it_is_sent(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    block = {**INPUT, "element": {**FIELD, "max_length": 5}}
    view = opened(server, client, olga, {**MODAL, "blocks": [block]})
    for text in ("", "too long"):
        with pytest.raises(NotSubmittedError) as caught:
            olga.fill_and_submit(view, {"i": text})
        assert list(caught.value.problems) == ["i"]
    assert app.accepted == []
    olga.fill_and_submit(view, {"i": "fits"})
    assert app.accepted[0]["view"]["state"]["values"] == {"i": {"t": {"type": "plain_text_input", "value": "fits"}}}
    assert olga.view is None


def test_the_answer_to_a_form_is_followed(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    answers = [
        {"response_action": "errors", "errors": {"i": "No e-mail addresses in public"}},
        {"response_action": "update", "view": {**MODAL, "title": plain(3)}},
        {"response_action": "push", "view": {**MODAL, "title": plain(4)}},
        {"response_action": "clear"},
    ]
    app.reply = lambda payload: answers.pop(0)
    view = opened(server, client, olga, MODAL)
    sent = olga.fill_and_submit(view, {"i": "a@b.example"})
    assert sent.response_action == "errors"
    assert "No e-mail addresses in public" in view.shown
    assert "a@b.example" in view.shown
    assert olga.submit(view).view is view
    assert view.title == "xxx"
    top = olga.submit(view).view
    assert top is not None
    assert (top.title, top.previous_id) == ("xxxx", view.id)
    with pytest.raises(NotOnScreenError):
        olga.submit(view)
    assert olga.fill_and_submit(top, {"i": "done"}).view is None


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "update", "view": {**MODAL, "title": plain(25)}},
        {"response_action": "explode"},
    ],
)
def test_an_answer_that_slack_does_not_take_is_told(
    server: SlackServer, olga: Person, client: WebClient, app: App, answer: Any
) -> None:
    app.reply = lambda payload: answer
    view = opened(server, client, olga, MODAL)
    with pytest.raises(BadAnswerError):
        olga.fill_and_submit(view, {"i": "x"})


def test_typing_and_pressing_in_a_modal_is_told_where_asked(
    server: SlackServer, olga: Person, client: WebClient, app: App
) -> None:
    config = {"trigger_actions_on": ["on_character_entered"]}
    live = {**INPUT, "dispatch_action": True, "element": {**FIELD, "dispatch_action_config": config}}
    silent = {**INPUT, "block_id": "silent"}
    view = opened(server, client, olga, {**MODAL, "blocks": [live, silent, *actions(BUTTON, SELECT)]})
    assert olga.type(view, "silent", "x") is None
    olga.type(view, "i", "ab")
    olga.press_in_view(view, "a")
    olga.choose_in_view(view, "s", "v")
    assert [payload["actions"][0]["type"] for payload in app.accepted] == [
        "plain_text_input", "button", "static_select",
    ]  # fmt: skip
    assert app.accepted[0]["actions"][0]["value"] == "ab"
    assert app.accepted[1]["view"]["state"]["values"]["i"]["t"]["value"] == "ab"
    client.views_push(trigger_id=app.accepted[1]["trigger_id"], view=MODAL)
    assert len(server.views[olga.id]) == 2


def test_closing_is_told_where_asked(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    assert olga.close(opened(server, client, olga, MODAL)) is None
    assert olga.close(opened(server, client, olga, {**MODAL, "notify_on_close": True})) is not None
    assert app.accepted[0]["type"] == "view_closed"
    assert olga.view is None


def test_a_command_and_its_answer(server: SlackServer, olga: Person, app: App) -> None:
    app.reply = lambda payload: {"text": f"heard {payload['command']} {payload['text']}"}
    assert olga.command("/listener", "status", "C1").in_time
    assert [message.shown for message in olga.ephemerals] == ["heard /listener status"]
    app.reply = lambda payload: {"text": "to all", "response_type": "in_channel"}
    olga.command("/listener", "status", "C1")
    assert [message.shown for message in server.channel("C1").messages] == ["to all"]


def test_only_known_commands_are_typed(server: SlackServer, olga: Person, app: App) -> None:
    with pytest.raises(NotOnScreenError):
        olga.command("/unheard", "of", "C1")
    server.scopes.remove("commands")
    with pytest.raises(NotOnScreenError):
        olga.command("/listener", "status", "C1")
    assert app.accepted == []


def test_an_address_is_verified_by_its_echo(server: SlackServer, app: App) -> None:
    assert not server.verify_url()
    app.reply = lambda payload: {"challenge": payload["challenge"]}
    assert server.verify_url()


def test_opening_home_is_an_event(olga: Person, app: App) -> None:
    assert olga.opens_home().is_acked
    assert app.accepted[0]["event"]["type"] == "app_home_opened"
    assert app.accepted[0]["event"]["user"] == "U1"


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_forged_request_is_delivered_as_forged(
    server: SlackServer, olga: Person, client: WebClient, app: App, how: str
) -> None:
    message = posted(server, client, BUTTON)
    with server.tampered(how):
        delivery = olga.press(message, "a")
    assert (delivery.status, delivery.is_acked, app.accepted) == (401, False, [])
    assert olga.press(message, "a").is_acked
    assert len(app.accepted) == 1


def test_an_answer_that_is_late_or_no_success_acknowledges_nothing(
    server: SlackServer, olga: Person, client: WebClient, app: App
) -> None:
    message = posted(server, client, BUTTON)
    app.script(Reply(hang_s=60))
    server.ack_s = 0.2
    late = olga.press(message, "a")
    server.wait_for(lambda: app.requests)
    app.script(Reply(500))
    server.ack_s = PATIENT_S
    failed = olga.press(message, "a")
    assert (late.is_acked, late.error) == (False, "TimeoutError")
    assert (failed.is_acked, failed.status) == (False, 500)


def test_an_event_that_fails_by_http_comes_again(olga: Person, app: App) -> None:
    app.script(Reply(500), Reply(503))
    delivery = olga.opens_home()
    assert delivery.is_acked
    assert [request.headers.get("X-Slack-Retry-Num") for request in app.requests] == [None, "1", "2"]


def test_a_replay_is_the_same_request(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    delivery = olga.press(posted(server, client, BUTTON), "a")
    assert server.replay(delivery).status == 200
    first, second = app.requests
    assert (first.body, first.headers) == (second.body, second.headers)


def test_a_response_url_works_five_times_within_half_an_hour(
    server: SlackServer, olga: Person, client: WebClient, app: App, clock: Ticking
) -> None:
    message = posted(server, client, BUTTON)
    for _ in range(2):
        olga.press(message, "a")
    hook, other = (WebhookClient(payload["response_url"]) for payload in app.accepted)
    assert hook.send(text="changed", replace_original=True, blocks=[]).status_code == 200
    assert message.shown == "changed"
    assert hook.send(text="x" * 10, blocks=[section(3_001)]).body == "invalid_blocks"
    for number in range(4):
        assert hook.send(text=str(number)).body == "ok"
    assert [each.shown for each in olga.ephemerals] == ["0", "1", "2", "3"]
    assert hook.send(text="6").body == "used_url"
    clock.seconds += 1_801
    assert other.send(text="late").status_code == 404


def test_an_ephemeral_message_has_buttons_too(server: SlackServer, olga: Person, client: WebClient, app: App) -> None:
    client.chat_postEphemeral(channel="C1", user="U1", text="t", blocks=actions(BUTTON))
    olga.press(olga.ephemerals[0], "a")
    (payload,) = app.accepted
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    WebhookClient(payload["response_url"]).send(delete_original=True)
    assert olga.ephemerals == []


@contextmanager
def connected(
    server: SlackServer, listen: Callable[[SocketModeClient, SocketModeRequest], None]
) -> Iterator[SocketModeClient]:
    web = WebClient(base_url=server.api_url, retry_handlers=[])
    socket = SocketModeClient(app_token=APP_TOKEN, web_client=web, ping_interval=1)
    socket.socket_mode_request_listeners.append(listen)  # type: ignore[arg-type]
    try:
        socket.connect()
        server.socket_mode.wait_for_connection()
        yield socket
    finally:
        close(server, socket)


def close(server: SlackServer, socket: SocketModeClient) -> None:
    """The client may stumble over its own threads while it closes a connection; then it has to be closed again."""
    socket.auto_reconnect_enabled = False
    server.socket_mode.close_connections()  # else the client waits out its reading time of three seconds
    for _ in range(3):
        try:
            socket.close()
        except AttributeError:
            continue
        return


def acknowledge(client: SocketModeClient, request: SocketModeRequest) -> None:
    client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))


def test_socket_mode_needs_the_app_level_token(server: SlackServer) -> None:
    client = WebClient(base_url=server.api_url, retry_handlers=[])
    assert code(client.apps_connections_open, app_token=TOKEN) == "not_allowed_token_type"
    server.app_scopes.clear()
    assert code(client.apps_connections_open, app_token=APP_TOKEN) == "missing_scope"
    client = WebClient(token=APP_TOKEN, base_url=server.api_url, retry_handlers=[])
    assert refused(client) == "not_allowed_token_type"


def test_socket_mode_carries_presses_commands_and_events(server: SlackServer, olga: Person, client: WebClient) -> None:
    seen: list[str] = []

    def listen(socket: SocketModeClient, request: SocketModeRequest) -> None:
        seen.append(request.type)
        payload = {"text": "fine ✓"} if request.accepts_response_payload else None
        socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))

    with connected(server, listen):
        delivery = olga.press(posted(server, client, BUTTON), "a")
        assert delivery.in_time
        assert olga.command("/listener", "who", "C1").in_time
        assert olga.opens_home().in_time
    assert seen == ["interactive", "slash_commands", "events_api"]
    assert [message.shown for message in olga.ephemerals] == ["fine ✓"]


def test_a_form_is_answered_over_the_socket(server: SlackServer, olga: Person, client: WebClient) -> None:
    def listen(socket: SocketModeClient, request: SocketModeRequest) -> None:
        answer = {"response_action": "errors", "errors": {"i": "say more"}}
        socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))

    with connected(server, listen):
        view = opened(server, client, olga, MODAL)
        assert olga.fill_and_submit(view, {"i": "short"}).errors == {"i": "say more"}
    assert view.is_open


def test_what_is_not_acknowledged_comes_again(server: SlackServer, olga: Person) -> None:
    server.ack_s = 0.5
    attempts: list[int | None] = []

    def listen(socket: SocketModeClient, request: SocketModeRequest) -> None:
        attempts.append(request.retry_attempt)
        server.ack_s = PATIENT_S
        if request.retry_attempt:
            acknowledge(socket, request)

    with connected(server, listen):
        delivery = olga.opens_home()
        server.wait_for(lambda: delivery.is_acked)
    assert attempts == [0, 1]
    assert not delivery.in_time
    assert delivery.attempts == 2


def test_after_three_more_attempts_slack_gives_up(server: SlackServer, olga: Person) -> None:
    server.ack_s = 0.05
    with connected(server, lambda socket, request: None):
        delivery = olga.opens_home()
        server.wait_for(lambda: delivery.error)
    assert (delivery.attempts, delivery.error, delivery.acks) == (4, "never acknowledged", 0)


def test_without_a_connection_a_press_fails_at_once(server: SlackServer, olga: Person, client: WebClient) -> None:
    delivery = olga.press(posted(server, client, BUTTON), "a")
    assert (delivery.error, delivery.attempts) == ("no connection", 0)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
def test_a_disconnect_makes_the_client_come_again(
    server: SlackServer, olga: Person, client: WebClient, reason: str
) -> None:
    server.ack_s = PATIENT_S  # the client reads a new connection only when the old one has fallen silent
    with connected(server, acknowledge):
        server.socket_mode.disconnect(reason)
        server.socket_mode.wait_for_connection(more_than=1)
        delivery = olga.press(posted(server, client, BUTTON), "a")
        assert delivery.is_acked


def test_a_cut_connection_is_opened_again_and_what_hung_is_redelivered(server: SlackServer, olga: Person) -> None:
    server.ack_s = 0.2
    seen: list[str] = []

    def listen(socket: SocketModeClient, request: SocketModeRequest) -> None:
        seen.append(request.envelope_id)
        if len(seen) == 1:
            server.ack_s = PATIENT_S
            server.socket_mode.cut()
        else:
            acknowledge(socket, request)

    with connected(server, listen):
        delivery = olga.opens_home()
        server.wait_for(lambda: delivery.is_acked)
    assert len(set(seen)) == 1
    assert server.socket_mode.hellos == 2


def test_two_people_press_at_once(server: SlackServer, olga: Person, client: WebClient) -> None:
    message = posted(server, client, BUTTON)
    others = [olga, server.person("U2", name="marc")]
    with connected(server, acknowledge):
        threads = [threading.Thread(target=person.press, args=(message, "a")) for person in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(delivery.payload["user"]["id"] for delivery in server.deliveries) == ["U1", "U2"]
    assert all(delivery.in_time for delivery in server.deliveries)


def test_nothing_of_the_server_is_left_when_it_is_closed(clock: Ticking) -> None:
    before = set(threading.enumerate())
    with SlackServer(now=clock) as server, connected(server, acknowledge):
        server.person("U1").opens_home()
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(timeout=60)
    assert not [thread for thread in started if thread.is_alive()]


def test_a_method_is_scripted_by_name(server: SlackServer, client: WebClient) -> None:
    server.script_for("chat.postMessage", Reply(body={"ok": False, "error": "internal_error"}))
    client.conversations_history(channel="C1")
    assert refused(client) == "internal_error"
    client.chat_postMessage(channel="C1", text="t")
    assert len(server.channel("C1").messages) == 1


def outcomes(server: SlackServer, client: WebClient, calls: int) -> list[str]:
    met = []
    for number in range(calls):
        before = len(server.channel("C1").messages)
        try:
            client.chat_postMessage(channel="C1", text=str(number))
            outcome = "ok"
        except SlackApiError as error:
            outcome = f"{error.response.status_code} {error.response.data.get('error')}"
        except (OSError, HTTPException) as error:
            outcome = type(error).__name__
        met.append(f"{outcome}, {len(server.channel('C1').messages) - before} posted")
    return met


def test_faults_come_from_the_seed_and_are_counted(clock: Ticking) -> None:
    met: list[list[str]] = []
    for _ in range(2):
        with SlackServer(now=clock) as server:
            client = WebClient(token=TOKEN, base_url=server.api_url, retry_handlers=[])
            kinds = sorted(KINDS.keys() - {"timeout", "timeout_after"})
            faults = server.faults(7, 0.5, kinds=kinds)
            assert faults is not None
            met.append(outcomes(server, client, 80))
            lost = sum(count for kind, count in faults.counts.items() if not KINDS[kind])
            assert len(server.channel("C1").messages) == 80 - lost
            assert faults.counts.keys() == set(kinds)
    assert met[0] == met[1]
    assert {"ok, 1 posted", "429 ratelimited, 0 posted", "IncompleteRead, 1 posted"} <= set(met[0])


@pytest.mark.parametrize(("kind", "posted_count"), [("timeout", 0), ("timeout_after", 1)])
def test_a_time_out_outlasts_the_client(server: SlackServer, kind: str, posted_count: int) -> None:
    client = WebClient(token=TOKEN, base_url=server.api_url, retry_handlers=[])
    client.timeout = 2  # type: ignore[assignment]
    server.faults(1, 1.0, kinds=[kind], hang_s=30)
    assert outcomes(server, client, 1) == [f"TimeoutError, {posted_count} posted"]


def test_faults_count_what_they_did_and_spare_whom_they_are_told(server: SlackServer, client: WebClient) -> None:
    faults = server.faults(1, 1.0, kinds=["500", "503_after"], exclude=["conversations.history"])
    assert faults is not None
    for _ in range(10):
        with pytest.raises(SlackApiError):
            client.chat_postMessage(channel="C1", text="t")
    client.conversations_history(channel="C1")
    assert faults.counts.total() == faults.by_method["chat.postMessage"] == 10
    assert len(server.channel("C1").messages) == faults.counts["503_after"] > 0
    server.faults(None)
    client.chat_postMessage(channel="C1", text="t")
