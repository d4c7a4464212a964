import inspect
import socket
import ssl
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from urllib.error import URLError

import pytest
import slack_sdk.errors
from pydantic import ValidationError
from slack_sdk.errors import SlackApiError

from alerts.card import Note
from alerts.receivers import slack
from alerts.receivers.base import Delivery
from alerts.receivers.slack import SlackOptions, SlackReceiver
from alerts.slack import blocks, elements, failures
from alerts.slack.failures import translate
from listener.config import Secret
from listener.errors import MissingSecretError, PermanentDeliveryError, RetryableDeliveryError
from listener.model import AlertState
from tests.cards import AUTHOR, GUIDANCE, card
from tests.servers.base import LocalServer, Reply, Request, port_without_server
from tests.servers.slack import TOKEN, SlackServer
from tests.ticking import STARTED, Ticking


@pytest.fixture
def receiver(server: SlackServer, token: Secret) -> SlackReceiver:
    return SlackReceiver("fr", options(token, server.api_url))


def options(token: Secret, base_url: str, **more: object) -> SlackOptions:
    return SlackOptions(type="slack", token=token, channel="C1", base_url=base_url, **{"timeout_s": 20, **more})  # type: ignore[arg-type]


def test_send_posts_one_message_that_carries_the_notification_id(server: SlackServer, receiver: SlackReceiver) -> None:
    delivery = receiver.send("n-1", card())
    (message,) = server.channel("C1").messages
    assert delivery == Delivery("C1", message.ts)
    assert message.metadata == {"event_type": "listener_alert", "event_payload": {"notification_id": "n-1"}}
    assert message.arguments["unfurl_links"] is False
    assert message.arguments["unfurl_media"] is False
    assert message.text.startswith("Severity 3: urgent, answer now · Yunfan · Spain · X · Marta Ruiz @marta_viaja")


def test_a_base_address_without_trailing_slash_works(server: SlackServer, token: Secret) -> None:
    SlackReceiver("fr", options(token, server.api_url.rstrip("/"))).send("n-1", card())
    assert len(server.channel("C1").messages) == 1


def test_a_proxy_variable_does_not_divert_loopback(
    server: SlackServer, token: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    SlackReceiver("fr", options(token, server.api_url)).send("n-1", card())
    assert len(server.channel("C1").messages) == 1


def test_update_edits_in_place_and_keeps_the_notification_id(server: SlackServer, receiver: SlackReceiver) -> None:
    delivery = receiver.send("n-1", card())
    assert receiver.update("n-2", card(mentions=8, state=AlertState.RESOLVED), delivery) == delivery
    (message,) = server.channel("C1").messages
    assert message.edits == 1
    assert "8 mentions" in message.shown
    assert message.metadata is not None
    assert message.metadata["event_payload"] == {"notification_id": "n-1"}


def test_a_deleted_message_cannot_be_edited_and_the_receiver_lives(
    server: SlackServer, receiver: SlackReceiver
) -> None:
    delivery = receiver.send("n-1", card())
    server.channel("C1").messages.clear()
    with pytest.raises(PermanentDeliveryError, match="message_not_found") as caught:
        receiver.update("n-1", card(), delivery)
    assert not caught.value.receiver_gone


def test_find_reads_every_page_of_history(server: SlackServer, receiver: SlackReceiver, clock: Ticking) -> None:
    server.history_page = 3
    first = receiver.send("n-0", card())
    for number in range(1, 11):
        clock.seconds += 1
        receiver.send(f"n-{number}", card())
    assert receiver.find("n-0", STARTED) == first
    assert server.calls("conversations.history") == 4


def test_find_looks_only_since_the_given_moment_less_the_clocks_difference(
    server: SlackServer, receiver: SlackReceiver
) -> None:
    sent = receiver.send("n-1", card())
    assert receiver.find("n-1", STARTED + 60) == sent
    assert receiver.find("n-1", STARTED + 3_600) is None


def test_find_ignores_what_people_and_other_apps_wrote(server: SlackServer, receiver: SlackReceiver) -> None:
    sent = receiver.send("n-1", card())
    message = server.channel("C1").messages[0]
    message.metadata = {"event_type": "other_app", "event_payload": {"notification_id": "n-1"}}
    assert receiver.find("n-1", STARTED) is None
    message.metadata = None
    assert receiver.find("n-1", STARTED) is None
    message.metadata = {"event_type": "listener_alert", "event_payload": {"notification_id": "n-1"}}
    assert receiver.find("n-1", STARTED) == sent


@pytest.mark.parametrize("refusal", ["missing_scope", "not_in_channel"])
def test_a_bot_that_may_not_read_history_finds_nothing_and_says_so(
    server: SlackServer, receiver: SlackReceiver, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.send("n-1", card())
    if refusal == "missing_scope":
        server.scopes.remove("channels:history")
    else:
        server.channel("C1").is_member = False
    assert receiver.find("n-1", STARTED) is None
    assert refusal in caplog.text


def test_find_in_a_channel_that_is_gone_is_an_error(server: SlackServer, receiver: SlackReceiver) -> None:
    server.script(Reply(body={"ok": False, "error": "channel_not_found"}))
    with pytest.raises(PermanentDeliveryError) as caught:
        receiver.find("n-1", STARTED)
    assert caught.value.receiver_gone


def test_a_history_that_repeats_its_page_ends(server: SlackServer, receiver: SlackReceiver) -> None:
    page = {"ok": True, "messages": [], "response_metadata": {"next_cursor": "same"}}
    server.script(*(Reply(body=page) for _ in range(9)))
    with pytest.raises(RetryableDeliveryError, match="repeats"):
        receiver.find("n-1", STARTED)


@pytest.mark.parametrize(
    "lost",
    [
        Reply(500, {"ok": False, "error": "internal_error"}, after_handling=True),
        Reply(503, b"upstream", after_handling=True),
        Reply(body={"ok": True, "channel": "C1", "ts": "1.1"}, cut=True, after_handling=True),
        Reply(body={"ok": True}, hang_s=60, after_handling=True),
        Reply(body=b"<html>gateway</html>", after_handling=True),
        Reply(body=[1, 2], after_handling=True),
        Reply(body={}, after_handling=True),
        Reply(body={"ok": True}, after_handling=True),
        Reply(body=b"\xff\xfe{", after_handling=True),
        Reply(body=b"{}", headers={"Content-Type": "application/json; charset=no-such"}, after_handling=True),
        Reply(body={"ok": False, "error": "fatal_error"}, after_handling=True),
    ],
)
def test_an_accepted_message_whose_answer_is_lost_is_ambiguous_and_is_found(
    server: SlackServer, receiver: SlackReceiver, token: Secret, lost: Reply
) -> None:
    server.script(lost)
    sender = SlackReceiver("fr", options(token, server.api_url, timeout_s=2)) if lost.hang_s else receiver
    with pytest.raises(RetryableDeliveryError) as caught:
        sender.send("n-1", card())
    assert caught.value.ambiguous
    (message,) = server.channel("C1").messages
    assert receiver.find("n-1", STARTED) == Delivery("C1", message.ts)


def test_each_call_makes_one_attempt(server: SlackServer, receiver: SlackReceiver) -> None:
    server.script(Reply(503, b"x"), Reply(body={"ok": True}, cut=True))
    for _ in range(2):
        with pytest.raises(RetryableDeliveryError):
            receiver.send("n-1", card())
    assert server.calls("chat.postMessage") == 2


def test_a_refused_connection_is_not_ambiguous(token: Secret) -> None:
    with port_without_server() as port, pytest.raises(RetryableDeliveryError) as caught:
        SlackReceiver("fr", options(token, f"http://127.0.0.1:{port}/api/")).send("n-1", card())
    assert not caught.value.ambiguous


def test_the_servers_rate_limit_says_when_to_come_back(
    server: SlackServer, receiver: SlackReceiver, clock: Ticking
) -> None:
    server.rate_limited = True
    for number in range(server.BURST):
        receiver.send(f"n-{number}", card())
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-9", card())
    assert caught.value.retry_after_s == 1.0
    assert not caught.value.ambiguous
    clock.seconds += caught.value.retry_after_s
    receiver.send("n-9", card())
    assert len(server.channel("C1").messages) == server.BURST + 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("soon", None),
        ("nan", None),
        ("-1", None),
        ("99999999999999", 3600.0),
        ("9" * 400, 3600.0),
        ("inf", 3600.0),
    ],
)
def test_retry_after_is_read_with_care(
    server: SlackServer, receiver: SlackReceiver, given: str, expected: float | None
) -> None:
    server.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": given}))
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-1", card())
    assert caught.value.retry_after_s == expected


GONE = (
    "invalid_auth account_inactive token_revoked token_expired not_authed missing_scope channel_not_found "
    "not_in_channel is_archived restricted_action"
)
FAULTY = "invalid_blocks invalid_blocks_format msg_too_long msg_blocks_too_long no_text message_not_found " \
    "cant_update_message edit_window_closed a_code_nobody_knows"  # fmt: skip
PASSING = "rate_limited internal_error fatal_error service_unavailable request_timeout team_added_to_org update_failed"


def refuse(server: SlackServer, receiver: SlackReceiver, code: str) -> Exception:
    server.script(*(Reply(body={"ok": False, "error": code}) for _ in range(2)))
    with pytest.raises((PermanentDeliveryError, RetryableDeliveryError)) as caught:
        receiver.send("n-1", card())
    assert caught.value.__cause__ is not None
    return caught.value


@pytest.mark.parametrize("code", sorted({*GONE.split(), *failures.RECEIVER_GONE_CODES}))
def test_a_refused_token_or_channel_ends_the_receiver(server: SlackServer, receiver: SlackReceiver, code: str) -> None:
    error = refuse(server, receiver, code)
    assert isinstance(error, PermanentDeliveryError)
    assert error.receiver_gone


@pytest.mark.parametrize("code", sorted({*FAULTY.split(), *failures.MESSAGE_FAULT_CODES, *failures.BLOCK_FAULT_CODES}))
def test_a_faulty_message_leaves_the_receiver_alone(server: SlackServer, receiver: SlackReceiver, code: str) -> None:
    error = refuse(server, receiver, code)
    assert isinstance(error, PermanentDeliveryError)
    assert not error.receiver_gone


@pytest.mark.parametrize("code", sorted(failures.VIEW_GONE_CODES))
def test_a_window_that_is_gone_is_told_apart(server: SlackServer, receiver: SlackReceiver, code: str) -> None:
    error = refuse(server, receiver, code)
    assert isinstance(error, failures.ViewGoneError)
    assert not error.receiver_gone


@pytest.mark.parametrize("code", sorted({*PASSING.split(), *failures.TRANSIENT_CODES}))
def test_a_passing_fault_may_be_tried_again(server: SlackServer, receiver: SlackReceiver, code: str) -> None:
    assert isinstance(refuse(server, receiver, code), RetryableDeliveryError)


def test_no_code_means_two_things() -> None:
    tables = [
        failures.RECEIVER_GONE_CODES,
        failures.MESSAGE_FAULT_CODES,
        failures.TRANSIENT_CODES,
        failures.THREAD_FAULT_CODES,
        failures.VIEW_GONE_CODES,
    ]
    assert sum(map(len, tables)) == len(frozenset().union(*tables))
    assert failures.AMBIGUOUS_CODES <= failures.TRANSIENT_CODES


def test_an_archived_channel_ends_the_receiver(server: SlackServer, receiver: SlackReceiver) -> None:
    server.channel("C1").is_archived = True
    with pytest.raises(PermanentDeliveryError, match="is_archived") as caught:
        receiver.send("n-1", card())
    assert caught.value.receiver_gone


@pytest.mark.parametrize("status", [301, 404, 407])
def test_an_answer_from_something_else_than_slack_is_tried_again(
    server: SlackServer, receiver: SlackReceiver, status: int
) -> None:
    server.script(Reply(status, b"<html>not here</html>"))
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-1", card())
    assert not caught.value.ambiguous


def test_every_class_of_slack_sdk_errors_is_mapped() -> None:
    classes = [kind for _, kind in inspect.getmembers(slack_sdk.errors, inspect.isclass)]
    assert len(classes) >= 8
    for kind in classes:
        assert kind is SlackApiError or kind.__name__ in failures.CLIENT_FAULTS
    for kind in set(classes) - {SlackApiError}:
        error: Exception = kind.__new__(kind)
        _, words, gone = failures.CLIENT_FAULTS[kind.__name__]
        translated = translate(error)
        assert str(translated) == words
        assert getattr(translated, "receiver_gone", False) is gone


@pytest.mark.parametrize(
    ("error", "ambiguous"),
    [
        (URLError(ConnectionRefusedError(111, "refused")), False),
        (URLError(socket.gaierror(-2, "no such name")), False),
        (URLError(ssl.SSLCertVerificationError("bad certificate")), False),
        (URLError(OSError(101, "network is unreachable")), False),
        (URLError(TimeoutError("timed out")), True),
        (URLError(ConnectionResetError(104, "reset")), True),
        (URLError(ssl.SSLError("broken")), True),
        (TimeoutError("timed out"), True),
        (ConnectionResetError(104, "reset"), True),
        (BrokenPipeError(32, "pipe"), True),
        (RemoteDisconnected("closed"), True),
        (IncompleteRead(b""), True),
        (HTTPException("odd"), True),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), True),
    ],
)
def test_network_faults_are_ambiguous_unless_nothing_was_sent(error: Exception, ambiguous: bool) -> None:
    translated = translate(error)
    assert isinstance(translated, RetryableDeliveryError)
    assert translated.ambiguous is ambiguous


@pytest.mark.parametrize("code", sorted(failures.BLOCK_FAULT_CODES))
def test_refused_blocks_are_sent_as_text_so_that_nobody_misses_the_alert(
    server: SlackServer, receiver: SlackReceiver, code: str
) -> None:
    server.script(Reply(body={"ok": False, "error": code}))
    receiver.send("n-1", card(text="<!channel> broken"))
    (message,) = server.channel("C1").messages
    assert not message.blocks
    assert not message.live_markup
    for expected in ("Severity 3", "<!channel> broken", "Hola Marta", "https://x.com/marta_viaja/status/42", "A-12"):
        assert expected in message.shown
    assert receiver.find("n-1", STARTED) is not None


def test_blocks_that_cannot_be_formed_are_sent_as_text(
    server: SlackServer, receiver: SlackReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MAX_SECTION", 9_000)
    monkeypatch.setattr(blocks, "_ROOMS", (blocks.Room(steps=9, drafts=9, text=9_000),))
    monkeypatch.setattr(elements, "MAX_TOTAL", 99_000)
    receiver.send("n-1", card(text="long " * 1_000))
    (message,) = server.channel("C1").messages
    assert not message.blocks
    assert "Severity 3" in message.shown


def test_an_edit_whose_blocks_are_refused_shows_the_new_text(server: SlackServer, receiver: SlackReceiver) -> None:
    delivery = receiver.send("n-1", card())
    server.script(Reply(body={"ok": False, "error": "invalid_blocks"}))
    receiver.update("n-1", card(text="second version"), delivery)
    (message,) = server.channel("C1").messages
    assert "second version" in message.shown
    assert not message.blocks


def test_an_operators_message_is_escaped(server: SlackServer, receiver: SlackReceiver) -> None:
    receiver.send("n-9", Note("Source <x> off", "reason: <!here> & more"))
    (message,) = server.channel("C1").messages
    assert message.shown == "🛠️ Source <x> off\nreason: <!here> & more"
    assert not message.live_markup


@pytest.mark.parametrize("channel", ["#alerts", "alerts", "", "U123", "C1 "])
def test_a_channel_is_named_by_its_id(token: Secret, channel: str) -> None:
    with pytest.raises(ValidationError, match="channel's ID, such as C0123ABCD"):
        SlackOptions(type="slack", token=token, channel=channel)


def test_a_missing_token_says_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    with pytest.raises(MissingSecretError, match="NO_SUCH_TOKEN"):
        slack.SPEC.create("fr", options(Secret("env", "NO_SUCH_TOKEN"), "http://127.0.0.1:9/"))


@pytest.mark.parametrize("bad", ["xoxb-12\n34", "xoxb-été", "xoxb 12"])
def test_a_token_that_cannot_be_a_header_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", bad)
    with pytest.raises(MissingSecretError) as caught:
        SlackReceiver("fr", options(Secret("env", "SLACK_BOT_TOKEN"), "http://127.0.0.1:9/"))
    assert bad not in str(caught.value)
    assert "SLACK_BOT_TOKEN" in str(caught.value)


def test_no_failure_tells_the_token(
    server: SlackServer, receiver: SlackReceiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    replies = [
        Reply(500, b"x"),
        Reply(body=b"<html>"),
        Reply(body={"ok": False, "error": "invalid_auth"}),
        Reply(cut=True),
    ]
    for reply in replies:
        server.script(reply)
        with pytest.raises((PermanentDeliveryError, RetryableDeliveryError)) as caught:
            receiver.send("n-1", card())
        assert TOKEN not in str(caught.value) + repr(caught.value) + repr(caught.value.__cause__)
    printed = capfd.readouterr()
    assert TOKEN not in caplog.text + printed.out + printed.err


def test_nothing_is_logged_and_raised(
    server: SlackServer, receiver: SlackReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(Reply(body=b"<html>"))
    with pytest.raises(RetryableDeliveryError):
        receiver.send("n-1", card())
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


def test_card_and_server_agree_on_the_buttons(server: SlackServer, receiver: SlackReceiver) -> None:
    receiver.send("n-1", card())
    assert server.channel("C1").messages[0].buttons == {
        "Open post": "https://x.com/marta_viaja/status/42",
        "Reply": GUIDANCE.reply_url,
        "Private channel": GUIDANCE.handoff.url,
        "Author": AUTHOR.url,
        "Open playbook": GUIDANCE.url,
    }


def test_the_client_speaks_only_arguments_that_slack_documents(server: SlackServer, receiver: SlackReceiver) -> None:
    receiver.update("n-1", card(), receiver.send("n-1", card()))
    receiver.find("n-1", STARTED)
    assert {request.path for request in server.requests} == {
        "/api/chat.postMessage", "/api/chat.update", "/api/conversations.history",
    }  # fmt: skip


class Elsewhere(LocalServer):
    def handle(self, request: Request) -> Reply:
        return Reply(body={"ok": True, "channel": "C1", "ts": "1.1"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["send", "find"])
def test_a_redirect_never_carries_the_token_to_another_host(
    server: SlackServer, receiver: SlackReceiver, status: int, method: str
) -> None:
    with Elsewhere() as other:
        server.script(Reply(status, b"\xff\xfe", {"Location": f"{other.base_url}/stolen"}))
        with pytest.raises(RetryableDeliveryError, match=f"redirect.*{status}") as caught:
            receiver.send("n-1", card()) if method == "send" else receiver.find("n-1", STARTED)
        assert other.requests == []
    assert not caught.value.ambiguous
    assert not server.channel("C1").messages


def test_a_redirect_with_a_broken_address_is_no_answer_of_slack(server: SlackServer, receiver: SlackReceiver) -> None:
    server.script(Reply(302, {"ok": False, "error": "invalid_auth"}, {"Location": "http://[broken"}))
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-1", card())
    assert not caught.value.ambiguous


def test_a_proxy_from_the_environment_is_used(
    server: SlackServer, token: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Elsewhere() as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        SlackReceiver("fr", options(token, server.api_url)).send("n-1", card())
        assert len(proxy.requests) == 1
    assert server.requests == []
