import base64
import hashlib
import hmac
import inspect
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import fields
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from pydantic import ValidationError

from alerts.card import Card, IncidentCard
from alerts.receivers.base import Delivery
from alerts.receivers.webhook import (
    FAULTS,
    SPEC,
    UnverifiedWebhookError,
    WebhookOptions,
    WebhookReceiver,
    judge,
    payload,
    sign,
    translate,
    verify,
)
from listener.config import Secret, load_config
from listener.errors import ConfigError, MissingSecretError, PermanentDeliveryError, RetryableDeliveryError
from listener.model import Guidance
from listener.plugins import plugin_options
from tests.cards import card
from tests.messages import incident, note, summary
from tests.servers.base import LocalServer, Reply, port_without_server
from tests.servers.webhook import SECRET, WebhookServer

NOW = 1_773_475_200.0
OTHER = "whsec_" + base64.b64encode(b"another test-only key, 32 bytes!").decode()


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("OTHER_SECRET", OTHER)


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    with WebhookServer(lambda: NOW) as made:
        yield made


def options(url: str, **changes: Any) -> WebhookOptions:
    given: dict[str, Any] = {
        "type": "webhook", "url": url, "secret": "${env:HOOK_SECRET}", "plain_http": True, "timeout_s": 5,
    }  # fmt: skip
    return WebhookOptions(**{**given, **changes})


def receiver_for(server: WebhookServer, **changes: Any) -> WebhookReceiver:
    return WebhookReceiver("desk", options(server.url, **changes), now=lambda: NOW)


def last(server: LocalServer) -> dict[str, Any]:
    body = server.requests[-1].json()
    assert isinstance(body, dict)
    return body


def test_a_card_arrives_signed_with_all_its_fields(server: WebhookServer) -> None:
    assert receiver_for(server).send("n-1", card()) == Delivery("webhook", "n-1")
    (request,) = server.requests
    body = last(server)
    assert verify(request.headers, request.body, [SECRET], NOW) == "n-1"
    assert (body["version"], body["event"], body["kind"], body["in_reply_to"]) == (1, "created", "card", None)
    assert (body["notification_id"], body["alert_id"], body["reference"]) == ("n-1", 12, "A-12")
    assert set(body["message"]) == {field.name for field in fields(Card)}
    assert set(body["message"]["guidance"]) == {field.name for field in fields(Guidance)}
    assert body["message"]["guidance"]["tell"] == ["The team; the carrier desk where the parcel cannot be found."]
    assert body["message"]["published_at"] == "2026-03-14T08:12:00+00:00"
    assert body["message"]["author"]["followers"] == 48_200
    assert body["text"].startswith("Severity 3: urgent, answer now · A-12")
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"


def test_every_message_says_what_it_is_and_what_it_belongs_to(server: WebhookServer) -> None:
    receiver = receiver_for(server)
    first = receiver.send("n-1", incident())
    assert set(last(server)["message"]) == {field.name for field in fields(IncidentCard)}
    receiver.update("n-2", incident(mentions=9), first)
    assert (last(server)["event"], last(server)["in_reply_to"]) == ("updated", "n-1")
    assert receiver.send("n-3", note(), first).thread_id == "n-1"
    assert (last(server)["event"], last(server)["kind"], last(server)["reference"]) == ("note", "note", "A-12")
    receiver.send("n-4", summary())
    assert (last(server)["event"], last(server)["alert_id"], last(server)["reference"]) == ("summary", None, None)


def test_a_repetition_is_the_same_to_whoever_receives(server: WebhookServer) -> None:
    server.script(Reply(500, after_handling=True))
    receiver = receiver_for(server)
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-1", card())
    assert caught.value.ambiguous
    assert receiver.find("n-1", 0.0) is None
    receiver.send("n-1", card())
    first, again = server.requests
    assert first.body == again.body
    assert len(server.messages) == 1


def test_the_signature_is_the_one_of_standard_webhooks() -> None:
    # Made by hand from the specification: base64(HMAC-SHA256(key, "id.timestamp.body")).
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, b'msg_1.1614265330.{"a": 2}', hashlib.sha256).digest()).decode()
    headers = sign("msg_1", b'{"a": 2}', [key], 1_614_265_330)
    assert headers == {
        "webhook-id": "msg_1", "webhook-timestamp": "1614265330", "webhook-signature": f"v1,{expected}",
    }  # fmt: skip


def test_while_secrets_change_either_of_them_verifies(server: WebhookServer) -> None:
    receiver_for(server, secret="${env:OTHER_SECRET}", more_secrets=["${env:HOOK_SECRET}"]).send("n-1", card())
    (request,) = server.requests
    for secrets in ([SECRET], [OTHER], [OTHER, SECRET]):
        assert verify(request.headers, request.body, secrets, NOW) == "n-1"


def signed(body: bytes = b"{}", at: int = int(NOW)) -> dict[str, str]:
    return sign("n-1", body, [base64.b64decode(SECRET.removeprefix("whsec_"))], at)


def test_verify_takes_headers_in_any_case_and_further_versions() -> None:
    headers = {name.title(): value for name, value in signed().items()}
    headers["Webhook-Signature"] = f"v1a,AAAA v2,BBBB {headers['Webhook-Signature']}"
    assert verify(headers, b"{}", [SECRET], NOW + 299) == "n-1"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "n-2"},
        {"webhook-timestamp": str(int(NOW) - 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1e9"},
        {"webhook-id": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")},
    ],
)
def test_tampered_headers_do_not_verify(change: dict[str, str]) -> None:
    with pytest.raises(UnverifiedWebhookError):
        verify({**signed(), **change}, b"{}", [SECRET], NOW)


def test_a_tampered_body_another_secret_or_an_old_request_does_not_verify() -> None:
    with pytest.raises(UnverifiedWebhookError, match="no signature fits"):
        verify(signed(), b"{ }", [SECRET], NOW)
    with pytest.raises(UnverifiedWebhookError, match="no signature fits"):
        verify(signed(), b"{}", [OTHER], NOW)
    with pytest.raises(UnverifiedWebhookError, match="no signature fits"):
        verify(signed(), b"{}", [], NOW)
    for now in (NOW + 301, NOW - 301, float("nan")):
        with pytest.raises(UnverifiedWebhookError, match="too old"):
            verify(signed(), b"{}", [SECRET], now)
    with pytest.raises(ValueError, match="whsec_"):
        verify(signed(), b"{}", ["short"], NOW)


@pytest.mark.parametrize(
    ("status", "kind", "gone", "ambiguous"),
    [
        (301, PermanentDeliveryError, True, None),
        (302, RetryableDeliveryError, None, False),
        (307, RetryableDeliveryError, None, False),
        (308, PermanentDeliveryError, True, None),
        (400, PermanentDeliveryError, False, None),
        (401, PermanentDeliveryError, True, None),
        (403, PermanentDeliveryError, True, None),
        (404, PermanentDeliveryError, True, None),
        (408, RetryableDeliveryError, None, True),
        (409, PermanentDeliveryError, False, None),
        (410, PermanentDeliveryError, True, None),
        (413, PermanentDeliveryError, False, None),
        (425, RetryableDeliveryError, None, False),
        (429, RetryableDeliveryError, None, False),
        (500, RetryableDeliveryError, None, True),
        (503, RetryableDeliveryError, None, True),
    ],
)
def test_answers_are_classified(
    server: WebhookServer, status: int, kind: type[Exception], gone: bool | None, ambiguous: bool | None
) -> None:
    server.script(Reply(status, b"secret words of the other side", {"Location": f"{server.base_url}/elsewhere"}))
    with pytest.raises(kind, match=str(status)) as caught:
        receiver_for(server).send("n-1", card())
    assert getattr(caught.value, "receiver_gone", None) == gone
    assert getattr(caught.value, "ambiguous", None) == ambiguous
    assert "secret words" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_a_yes(server: WebhookServer, status: int) -> None:
    server.script(Reply(status, b""))
    receiver_for(server).send("n-1", card())


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        ("9" * 400, 3600.0),
        ("864000", 3600.0),
        ("-5", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_within_an_hour(status: int, given: str, seconds: float | None) -> None:
    judged = judge(status, given, NOW)
    assert isinstance(judged, RetryableDeliveryError)
    assert judged.retry_after_s == seconds


def test_the_header_of_a_real_answer_is_read(server: WebhookServer) -> None:
    server.script(Reply(429, b"", {"Retry-After": "7"}))
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver_for(server).send("n-1", card())
    assert caught.value.retry_after_s == 7.0


def test_a_redirect_is_not_followed_with_the_message(server: WebhookServer) -> None:
    with WebhookServer(lambda: NOW) as other:
        server.script(Reply(307, b"", {"Location": other.url}))
        with pytest.raises(RetryableDeliveryError, match="not followed"):
            receiver_for(server).send("n-1", card())
        assert other.requests == []


def test_the_body_of_an_answer_is_not_waited_for(server: WebhookServer) -> None:
    server.script(Reply(200, b"x" * 50_000_000))
    receiver_for(server).send("n-1", card())


def test_an_answer_that_is_cut_or_late_is_ambiguous(server: WebhookServer) -> None:
    server.script(Reply(200, hang_s=60))
    with pytest.raises(RetryableDeliveryError, match="in time") as caught:
        receiver_for(server, timeout_s=2).send("n-1", card())
    assert caught.value.ambiguous


def test_a_connection_closed_without_an_answer_is_ambiguous() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(65_536)
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/secret-path"
        with pytest.raises(RetryableDeliveryError) as caught:
            WebhookReceiver("desk", options(url)).send("n-1", card())
        thread.join()
    assert caught.value.ambiguous
    assert "secret-path" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


def test_a_place_that_is_away_is_tried_again_and_its_address_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with port_without_server() as port:
        monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{port}/secret-path?token=hidden")
        receiver = WebhookReceiver("desk", options("${env:HOOK_URL}"))
        with pytest.raises(RetryableDeliveryError, match="cannot be reached") as caught:
            receiver.send("n-1", card())
    assert not caught.value.ambiguous
    told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r} {vars(receiver)!r}"
    assert "secret-path" not in told
    assert "hidden" not in told


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("desk.example").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with WebhookServer(lambda: NOW) as server:
        server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
        url = server.url.replace("http://", "https://")
        with pytest.raises(RetryableDeliveryError, match="certificate cannot be verified") as caught:
            WebhookReceiver("desk", options(url)).send("n-1", card())
        assert server.requests == []
    assert not caught.value.ambiguous


def test_a_login_from_a_netrc_file_is_not_sent(
    server: WebhookServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    receiver_for(server).send("n-1", card())
    assert "Authorization" not in server.requests[0].headers


def test_texts_in_the_data_are_cleaned_and_numbers_are_json(server: WebhookServer) -> None:
    receiver_for(server).send("n-1", card(text="a\x00\x1b[2Jb\u202ec \ud83d" + "x" * 9_000, priority=float("nan")))
    message = last(server)["message"]
    assert message["text"].startswith("abc \ufffdxxx")
    assert len(message["text"]) == 4_000
    assert message["priority"] is None
    server.requests[0].body.decode("ascii")


def test_the_body_of_one_message_is_always_the_same() -> None:
    assert payload("n-1", "created", card()) == payload("n-1", "created", card())
    assert json.loads(payload("n-1", "created", card()))["notification_id"] == "n-1"


def requests_errors() -> list[type[Exception]]:
    found = [kind for _, kind in inspect.getmembers(requests.exceptions, inspect.isclass)]
    return [kind for kind in found if issubclass(kind, requests.RequestException)]


def test_every_class_of_requests_errors_is_mapped() -> None:
    assert {kind.__name__ for kind in requests_errors()} == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_error_of_requests_is_translated(name: str) -> None:
    kind = getattr(requests.exceptions, name)
    error = kind("https://x/secret-path", "", 0) if name == "JSONDecodeError" else kind("https://x/secret-path")
    translated = translate(error)
    assert "secret-path" not in str(translated)
    permanent = FAULTS[name][1] is None
    assert isinstance(translated, PermanentDeliveryError if permanent else RetryableDeliveryError)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "ftp://x.example"}, "write an address"),
        ({"url": "https://user:word@x.example/"}, "write an address"),
        ({"url": "https://x.example/a b"}, "write an address"),
        ({"url": "https://x.example:99999999/"}, "write an address"),
        ({"url": "http://desk.example/hooks"}, "write https://"),
        ({"url": "http://127.0.0.1/hooks", "plain_http": False}, "write https://"),
        ({"url": "http://127.0.0.1.example/hooks"}, "write https://"),
        ({"secret": SECRET}, "never in clear"),
        ({"more_secrets": ["${env:A}"] * 5}, "at most 4"),
        ({"base_url": "https://x.example"}, "not base_url"),
        ({"timeout_s": float("nan")}, "less than or equal to 30"),
    ],
)
def test_options_that_cannot_work_are_refused_with_what_to_do(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        options(**{"url": "https://desk.example/hooks", **changes})


@pytest.mark.parametrize("secret", ["", "whsec_c2hvcnQ=", "whsec_???", "x" * 200])
def test_a_secret_that_cannot_be_one_is_refused_without_telling_it(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    with pytest.raises(MissingSecretError, match="HOOK_SECRET") as caught:
        SPEC.create("desk", options("https://desk.example/hooks"))
    assert not secret or secret not in f"{caught.value} {caught.value.__cause__}"


def test_a_secret_url_that_cannot_be_one_is_refused_without_telling_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_URL", "http://desk.example/secret-path")
    with pytest.raises(MissingSecretError, match=r"HOOK_URL.*write https") as caught:
        SPEC.create("desk", options("${env:HOOK_URL}"))
    assert "secret-path" not in str(caught.value)
    assert options("${env:HOOK_URL}").url == Secret("env", "HOOK_URL")


def test_a_url_with_a_password_in_it_is_not_repeated_by_the_configurations_check(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "version: 1\nreceivers:\n  desk: {type: webhook, url: 'https://me:hidden@x.example/', secret: '${env:A}'}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"receivers.desk.url - write an address") as caught:
        load_config(path, plugin_options())
    assert "hidden" not in str(caught.value)
