"""Threads, curves and windows at Slack, over the real client against the local workspace."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.card import CurvePoint, Due, Entry, Message, Note, Progress, Summary
from alerts.receivers.base import Delivery
from alerts.receivers.slack import SlackOptions, SlackReceiver
from alerts.slack import modals
from alerts.slack.client import SlackDesk
from alerts.slack.failures import THREAD_FAULT_CODES, ViewGoneError
from alerts.slack.home import home_view
from listener.config import Secret
from listener.errors import PermanentDeliveryError, RetryableDeliveryError
from listener.model import AlertState
from tests.cards import HOSTILE, card
from tests.messages import BEGAN_AT, curve, incident
from tests.servers.base import LocalServer, Reply, Request
from tests.servers.slack import TOKEN, Person, SlackMessage, SlackServer
from tests.ticking import STARTED, Ticking

NOTE = Note("A further mention", "Severity is 3 now.", "mention", "A-12", quote="¿Hola? <!here>")
SUMMARY = Summary("Overnight", "What came in.", (Entry(12, "A-12", 3, "Marta: no kettle"),), interactive=True)


@pytest.fixture
def receiver(server: SlackServer, token: Secret, clock: Ticking) -> SlackReceiver:
    return receiver_for(server, token, clock)


def receiver_for(server: SlackServer, token: Secret, clock: Ticking, timeout_s: float = 20) -> SlackReceiver:
    options = SlackOptions(type="slack", token=token, channel="C1", base_url=server.api_url, timeout_s=timeout_s)
    return SlackReceiver("fr", options, sleep=clock.wait)


@pytest.fixture
def desk(server: SlackServer, token: Secret) -> SlackDesk:
    return SlackDesk(token, server.api_url, timeout_s=20)


@pytest.fixture
def olga(server: SlackServer) -> Person:
    return server.person("U0LGA", name="olga")


def only(server: SlackServer) -> SlackMessage:
    (message,) = server.channel("C1").messages
    return message


# Threads


@pytest.mark.parametrize("message", [NOTE, SUMMARY, card(), incident()], ids=lambda one: one.kind)
def test_every_kind_of_message_is_sent_found_and_edited(
    server: SlackServer, receiver: SlackReceiver, message: Message
) -> None:
    sent = receiver.send("n-1", message)
    assert only(server).metadata == {"event_type": "listener_alert", "event_payload": {"notification_id": "n-1"}}
    assert only(server).blocks
    assert receiver.find("n-1", STARTED) == sent == Delivery("C1", only(server).ts)
    assert receiver.update("n-2", message, sent) == sent
    assert only(server).edits == 1


def test_history_stands_in_the_cards_thread(server: SlackServer, receiver: SlackReceiver) -> None:
    root = receiver.send("n-1", card())
    told = receiver.send("n-2", NOTE, root)
    further = receiver.send("n-3", NOTE, told)
    assert told.thread_id == further.thread_id == root.message_id
    assert [reply.ts for reply in only(server).replies] == [told.message_id, further.message_id]
    assert "A further mention" in only(server).thread[0]
    assert only(server).replies[0].live_markup == []
    assert server.channel("C1").timeline == server.channel("C1").messages


def test_a_note_for_everybody_stands_in_the_channel_too(server: SlackServer, receiver: SlackReceiver) -> None:
    root = receiver.send("n-1", card())
    receiver.send("n-2", replace(NOTE, broadcast=True), root)
    assert only(server).replies[0].is_broadcast
    assert len(server.channel("C1").timeline) == 2


def test_a_note_mentions_whom_it_is_for_and_nobody_else(server: SlackServer, receiver: SlackReceiver) -> None:
    people = ("slack:U0123", "slack:S0789", "slack:<!channel>", "mail:a@b.example")
    receiver.send("n-1", replace(NOTE, people=people, title="<!everyone>"))
    assert sorted(set(only(server).live_markup)) == ["!subteam^S0789", "@U0123"]


def test_where_blocks_are_refused_the_note_still_mentions(server: SlackServer, receiver: SlackReceiver) -> None:
    server.script(Reply(body={"ok": False, "error": "invalid_blocks"}))
    receiver.send("n-1", replace(NOTE, people=("slack:U0123",)))
    assert not only(server).blocks
    assert only(server).text.startswith("<@U0123> A-12 · A further mention")
    assert only(server).arguments["mrkdwn"] is True
    assert only(server).live_markup == ["@U0123"]


def test_a_reply_whose_answer_is_lost_is_found_in_its_thread(server: SlackServer, receiver: SlackReceiver) -> None:
    server.history_page = 2
    root = receiver.send("n-0", card())
    for number in range(1, 6):
        receiver.send(f"n-{number}", NOTE, root)
    server.script(Reply(503, b"upstream", after_handling=True))
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-9", NOTE, root)
    assert caught.value.ambiguous
    assert receiver.find("n-9", STARTED, root) == Delivery("C1", only(server).replies[-1].ts, root.message_id)
    assert receiver.find("n-9", STARTED) is None
    assert receiver.find("n-77", STARTED, root) is None


@pytest.mark.parametrize("code", sorted(THREAD_FAULT_CODES))
def test_a_note_that_its_thread_refuses_stands_by_itself_and_is_found(
    server: SlackServer, receiver: SlackReceiver, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(Reply(body={"ok": False, "error": code}))
    sent = receiver.send("n-2", NOTE, Delivery("C1", "1.000001"))
    assert sent.thread_id == ""
    assert "A further mention" in only(server).shown
    assert code in caplog.text
    server.script(Reply(body={"ok": False, "error": code}))
    assert receiver.find("n-2", STARTED, Delivery("C1", "1.000001")) == sent


def test_an_edit_keeps_the_place_in_the_thread(server: SlackServer, receiver: SlackReceiver) -> None:
    told = receiver.send("n-2", NOTE, receiver.send("n-1", card()))
    assert receiver.update("n-3", replace(NOTE, title="Corrected"), told) == told
    assert "Corrected" in only(server).thread[0]


# Curves


def image_of(message: SlackMessage) -> str:
    (image,) = message.images
    return str(image["slack_file"]["id"])


def test_an_incident_carries_its_curve_as_a_picture(server: SlackServer, receiver: SlackReceiver) -> None:
    receiver.send("n-1", incident())
    (file,) = server.files.values()
    assert image_of(only(server)) == file.id
    assert file.is_image
    assert "where 2.5 would be usual" in file.alt_text
    assert file.shared_in == []
    assert server.calls("chat.postMessage") == 1


def test_an_unchanged_curve_is_not_uploaded_again(server: SlackServer, receiver: SlackReceiver) -> None:
    sent = receiver.send("n-1", incident())
    receiver.update("n-2", incident(state=AlertState.CLAIMED, progress=Progress("Anna")), sent)
    assert len(server.files) == 1
    receiver.update("n-3", incident(curve=curve(top=90.0)), sent)
    assert len(server.files) == 2
    assert image_of(only(server)) == "F0002"


def test_a_picture_that_slack_still_works_on_is_waited_for(
    server: SlackServer, receiver: SlackReceiver, clock: Ticking
) -> None:
    server.file_processing_s = 2.0
    receiver.send("n-1", incident())
    assert image_of(only(server)) == "F0001"
    assert sum(clock.waits) >= 2.0


def test_a_picture_that_takes_too_long_comes_with_the_next_edit(
    server: SlackServer, receiver: SlackReceiver, clock: Ticking
) -> None:
    server.file_processing_s = 60.0
    sent = receiver.send("n-1", incident())
    assert not only(server).images
    assert "▁▁" in only(server).shown
    clock.seconds += 60
    receiver.update("n-2", incident(), sent)
    assert image_of(only(server)) == "F0001"


def test_a_picture_that_slack_never_takes_is_uploaded_anew(
    server: SlackServer, receiver: SlackReceiver, clock: Ticking
) -> None:
    server.file_processing_s = 1e6
    sent = receiver.send("n-1", incident())
    receiver.update("n-2", incident(), sent)
    assert sum(clock.waits) < 5, "only the first time is waited for"
    server.file_processing_s = 0.0
    receiver.update("n-3", incident(), sent)
    assert image_of(only(server)) == "F0002"


class Elsewhere(LocalServer):
    def handle(self, request: Request) -> Reply:
        return Reply(body={"ok": True})


def no_files_scope(server: SlackServer, other: LocalServer) -> None:
    server.scopes.remove("files:write")


def no_uploads(server: SlackServer, other: LocalServer) -> None:
    server.script_for("files.getUploadURLExternal", Reply(body={"ok": False, "error": "file_uploads_disabled"}))


def rate_limit(server: SlackServer, other: LocalServer) -> None:
    server.script_for("files.getUploadURLExternal", Reply(429, {"ok": False, "error": "ratelimited"}))


def no_address(server: SlackServer, other: LocalServer) -> None:
    server.script_for("files.getUploadURLExternal", Reply(body={"ok": True, "file_id": "F1"}))


def foreign_address(server: SlackServer, other: LocalServer) -> None:
    body = {"ok": True, "file_id": "F1", "upload_url": f"{other.base_url}/upload"}
    server.script_for("files.getUploadURLExternal", Reply(body=body))


def address_with_a_user(server: SlackServer, other: LocalServer) -> None:
    body = {"ok": True, "file_id": "F1", "upload_url": server.base_url.replace("//", "//x@") + "/upload"}
    server.script_for("files.getUploadURLExternal", Reply(body=body))


def broken_address(server: SlackServer, other: LocalServer) -> None:
    body = {"ok": True, "file_id": "F1", "upload_url": "http://[::1/upload"}
    server.script_for("files.getUploadURLExternal", Reply(body=body))


def slow_answer(server: SlackServer, other: LocalServer) -> None:
    server.script_for("files.getUploadURLExternal", Reply(body={"ok": True}, hang_s=60))


def unknown_upload(server: SlackServer, other: LocalServer) -> None:
    body = {"ok": True, "file_id": "F1", "upload_url": f"{server.base_url}/upload/v1/unknown"}
    server.script_for("files.getUploadURLExternal", Reply(body=body))


def refused_completion(server: SlackServer, other: LocalServer) -> None:
    server.script_for("files.completeUploadExternal", Reply(body={"ok": False, "error": "file_not_found"}))


def garbage(server: SlackServer, other: LocalServer) -> None:
    server.script_for("files.completeUploadExternal", Reply(body=b"<html>gateway</html>"))


FAILURES = (
    no_files_scope, no_uploads, rate_limit, no_address, foreign_address, address_with_a_user, broken_address,
    slow_answer, unknown_upload, refused_completion, garbage,
)  # fmt: skip


@pytest.mark.parametrize("fail", FAILURES, ids=lambda fail: fail.__name__)
def test_whatever_becomes_of_its_picture_the_card_arrives_with_a_line_of_characters(
    server: SlackServer, token: Secret, clock: Ticking, caplog: pytest.LogCaptureFixture,
    fail: Callable[[SlackServer, LocalServer], None],
) -> None:  # fmt: skip
    receiver = receiver_for(server, token, clock, timeout_s=3 if fail is slow_answer else 20)
    with Elsewhere() as other:
        fail(server, other)
        receiver.send("n-1", incident())
        assert other.requests == []
    assert not only(server).images
    assert "▁▁" in only(server).shown
    assert "340 negative mentions" in only(server).shown
    assert "without its curve" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("count", [float("inf"), float("nan")])
def test_a_curve_that_cannot_be_drawn_costs_no_card(server: SlackServer, receiver: SlackReceiver, count: float) -> None:
    receiver.send("n-1", incident(curve=(*curve(), CurvePoint(BEGAN_AT + timedelta(days=2), count, 1.0))))
    assert "340 negative mentions" in only(server).shown


def test_the_bytes_of_a_picture_go_without_the_token(server: SlackServer, receiver: SlackReceiver) -> None:
    receiver.send("n-1", incident())
    (upload,) = [request for request in server.requests if request.path.startswith("/upload/")]
    assert "authorization" not in {name.lower() for name in upload.headers}
    assert upload.body.startswith(b"\x89PNG")


def test_a_redirected_upload_is_not_followed(server: SlackServer, receiver: SlackReceiver) -> None:
    with Elsewhere() as other:
        moved = Reply(302, b"", {"Location": f"{other.base_url}/stolen"})
        original = server.answer

        def answer(request: Request) -> Reply:
            return moved if request.path.startswith("/upload/") else original(request)

        server.answer = answer  # type: ignore[method-assign]
        receiver.send("n-1", incident())
        assert other.requests == []
    assert not only(server).images


def test_an_incident_whose_blocks_are_refused_is_sent_as_text(server: SlackServer, receiver: SlackReceiver) -> None:
    refusal = Reply(body={"ok": False, "error": "invalid_blocks"})
    server.script_for("chat.postMessage", *(refusal for _ in range(4)))
    receiver.send("n-1", incident())
    assert not only(server).blocks
    for words in ("Bad buzz, severity 3", "340 negative mentions", "Owner: nobody yet", "Diario", "I-3"):
        assert words in only(server).shown
    assert not only(server).live_markup


def test_an_incident_without_a_curve_uploads_nothing(server: SlackServer, receiver: SlackReceiver) -> None:
    receiver.send("n-1", incident(curve=()))
    assert not server.files
    assert "No curve yet." in only(server).shown


def test_cards_can_be_acted_on_in_the_workspace(server: SlackServer, receiver: SlackReceiver) -> None:
    shown: tuple[Any, ...] = (card(interactive=True), incident(interactive=True))
    for number, message in enumerate(shown):
        receiver.send(f"n-{number}", message)
    first, second = server.channel("C1").messages
    assert first.actions["claim"]["value"] == "12"
    assert second.actions["claim"]["value"] == "3"
    assert [option["value"] for option in first.actions["snooze"]["options"]] == ["12|15m", "12|1h", "12|opening"]
    assert not first.live_markup + second.live_markup


def test_a_card_at_its_fullest_is_taken(server: SlackServer, receiver: SlackReceiver) -> None:
    full = Progress("Anna", "slack:U1", BEGAN_AT, (Due("first answer", BEGAN_AT),) * 9, BEGAN_AT, BEGAN_AT, BEGAN_AT,
                    "Head office", "solved", "Ben", BEGAN_AT)  # fmt: skip
    for state in AlertState:
        receiver.send(f"n-{state}", card(interactive=True, state=state, progress=full, incident="A-31"))
    assert all(message.blocks for message in server.channel("C1").messages)


# The desk


def test_a_window_is_opened_replaced_and_gone(server: SlackServer, desk: SlackDesk, olga: Person) -> None:
    view_id = desk.open_view(server.views.trigger(olga.id), modals.loading_view())
    assert olga.view is not None
    assert "Fetching what is needed" in olga.view.shown
    assert desk.update_view(view_id, modals.error_view("Nobody knows this alert.")) == view_id
    assert "Nobody knows this alert." in olga.view.shown
    olga.close(olga.view)
    with pytest.raises(ViewGoneError, match="not_found"):
        desk.update_view(view_id, modals.loading_view())


def test_a_press_that_is_too_old_opens_no_window(
    server: SlackServer, desk: SlackDesk, olga: Person, clock: Ticking
) -> None:
    trigger = server.views.trigger(olga.id)
    clock.seconds += 4
    with pytest.raises(ViewGoneError, match="expired_trigger_id"):
        desk.open_view(trigger, modals.loading_view())


def test_a_home_tab_is_published(server: SlackServer, desk: SlackDesk, olga: Person) -> None:
    desk.publish_home(olga.id, home_view([], []))
    assert olga.home is not None
    assert "You have no open alerts." in olga.home.shown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_whispered_only_one_hears_and_nothing_comes_alive(
    server: SlackServer, desk: SlackDesk, olga: Person, text: str
) -> None:
    desk.whisper("C1", olga.id, text)
    (heard,) = olga.ephemerals
    assert heard.live_markup == []
    assert not server.channel("C1").messages


def test_a_name_is_asked_for_once(server: SlackServer, desk: SlackDesk, olga: Person) -> None:
    assert [desk.display_name(olga.id) for _ in range(3)] == ["olga"] * 3
    assert server.calls("users.info") == 1


def test_somebody_unknown_is_an_error_and_what_is_no_id_is_not_asked_for(server: SlackServer, desk: SlackDesk) -> None:
    with pytest.raises(PermanentDeliveryError, match="user_not_found"):
        desk.display_name("U0NOBODY")
    assert desk.display_name("<!here>") == "<!here>"
    assert server.calls("users.info") == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "3"}), RetryableDeliveryError),
        (Reply(503, b"x"), RetryableDeliveryError),
        (Reply(body={"ok": True}, hang_s=60), RetryableDeliveryError),
        (Reply(302, b"", {"Location": "http://127.0.0.1:9/"}), RetryableDeliveryError),
        (Reply(body={"ok": False, "error": "invalid_auth"}), PermanentDeliveryError),
        (Reply(body={"ok": False, "error": "invalid_arguments"}), PermanentDeliveryError),
    ],
)
def test_the_desk_says_what_each_failure_means_and_not_the_token(
    server: SlackServer, token: Secret, olga: Person, reply: Reply, kind: type[Exception]
) -> None:
    desk = SlackDesk(token, server.api_url, timeout_s=0.5 if reply.hang_s else 20)
    calls: tuple[Callable[[], object], ...] = (
        lambda: desk.open_view(server.views.trigger(olga.id), modals.loading_view()),
        lambda: desk.update_view("V1", modals.loading_view()),
        lambda: desk.publish_home(olga.id, home_view([], [])),
        lambda: desk.whisper("C1", olga.id, "x"),
        lambda: desk.display_name(olga.id),
    )
    for call in calls:
        server.script(reply)
        with pytest.raises(kind) as caught:
            call()
        assert TOKEN not in str(caught.value) + repr(caught.value) + repr(caught.value.__cause__)
