import inspect
import os
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.card import Progress
from alerts.receivers import email as module
from alerts.receivers.base import Delivery
from alerts.receivers.email import SPEC, EmailOptions, EmailReceiver, translate
from listener.errors import DeliveryError, MissingSecretError, PermanentDeliveryError, RetryableDeliveryError
from listener.model import AlertState
from tests.cards import AUTHOR, card
from tests.messages import BEGAN_AT, incident, note, summary
from tests.servers.base import port_without_server
from tests.servers.smtp import PASSWORD, USERNAME, SmtpServer

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
CARE, HEAD = "care@brand.example", "head@brand.example"


def options(port: int, **changes: Any) -> EmailOptions:
    given: dict[str, Any] = {
        "type": "email", "host": "127.0.0.1", "port": port, "security": "plain", "to": [CARE, HEAD],
        "sender": "Listening <alerts@brand.example>", "timeout_s": 5,
    }  # fmt: skip
    return EmailOptions(**{**given, **changes})


def receiver_for(server: SmtpServer, **changes: Any) -> EmailReceiver:
    return EmailReceiver("mail-es", options(server.port, **changes), now=lambda: NOW)


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as made:
        yield made


@pytest.fixture
def receiver(server: SmtpServer) -> EmailReceiver:
    return receiver_for(server)


LOGIN = {"username": "${env:SMTP_USERNAME}", "password": "${env:SMTP_PASSWORD}"}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_over_a_checked_connection_after_a_login(tmp_path: Path, security: str) -> None:
    with SmtpServer(tmp_path, security=security, with_login=True) as server:
        receiver_for(server, security=security, ca_file=str(server.ca_file), **LOGIN).send("n-1", card())
        (mail,) = server.mails
    assert mail.recipients == (CARE, HEAD)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_certificate_is_refused_before_anything_is_said(tmp_path: Path, security: str) -> None:
    with SmtpServer(tmp_path, security=security, with_login=True) as server:
        with pytest.raises(RetryableDeliveryError, match="certificate cannot be verified") as caught:
            receiver_for(server, security=security, **LOGIN).send("n-1", card())
        assert not caught.value.ambiguous
        assert server.mails == []


def test_a_server_without_starttls_gets_neither_password_nor_mail(server: SmtpServer) -> None:
    with pytest.raises(PermanentDeliveryError, match="does not offer STARTTLS") as caught:
        receiver_for(server, security="starttls", **LOGIN).send("n-1", card())
    assert caught.value.receiver_gone
    assert server.mails == []


def test_a_wrong_password_ends_the_receiver_and_is_not_told(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, with_login=True) as server:
        server.password = "another"
        with pytest.raises(PermanentDeliveryError, match=r"username or password \(535\)") as caught:
            receiver_for(server, **LOGIN).send("n-1", card())
    assert caught.value.receiver_gone
    assert PASSWORD not in repr(caught.value) + repr(caught.value.__cause__)


def test_a_login_that_fails_for_now_is_tried_again(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, with_login=True) as server:
        server.faults.script("AUTH", *["454 4.7.0 Temporary authentication failure"] * 3)
        with pytest.raises(RetryableDeliveryError) as caught:
            receiver_for(server, **LOGIN).send("n-1", card())
    assert not caught.value.ambiguous


def test_the_headers_name_the_alert_and_keep_automatic_answers_away(
    server: SmtpServer, receiver: EmailReceiver
) -> None:
    delivery = receiver.send("n-1", card())
    (mail,) = server.mails
    headers = mail.message
    assert headers["Subject"] == "[A-12] Severity 3 · Yunfan · Spain · delivery · Marta Ruiz" == delivery.channel
    assert headers["From"] == "Listening <alerts@brand.example>"
    assert headers["To"] == f"{CARE}, {HEAD}"
    assert headers["Date"] == "Sat, 14 Mar 2026 09:30:00 +0000"
    assert headers["Message-ID"] == delivery.message_id
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Id"] == "<mail-es.alerts.brand.example>"
    assert headers["Importance"] == "high"
    assert [part.get_content_type() for part in headers.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_repetition_has_the_same_message_id(server: SmtpServer, receiver: EmailReceiver) -> None:
    receiver.send("n-1", card())
    receiver_for(server).send("n-1", card())
    receiver.send("n-2", card())
    first, again, other = (mail.message["Message-ID"] for mail in server.mails)
    assert first == again != other


def test_a_new_database_that_counts_from_one_does_not_repeat_ids(server: SmtpServer, receiver: EmailReceiver) -> None:
    receiver.send("n-1", card())
    receiver.send("n-1", card(opened_at=BEGAN_AT + timedelta(days=40)))
    old, new = (mail.message["Message-ID"] for mail in server.mails)
    assert old != new


def test_notes_and_changes_answer_the_alerts_own_mail(server: SmtpServer, receiver: EmailReceiver) -> None:
    first = receiver.send("n-1", card())
    told = receiver.send("n-2", note(), first)
    assert receiver.update("n-3", card(state=AlertState.CLAIMED), first) == first
    receiver.send("n-4", note(), told)
    _, *answers = (mail.message for mail in server.mails)
    for answer in answers:
        assert answer["Subject"] == f"Re: {first.channel}"
        assert answer["References"].split()[0] == first.message_id
    assert [answer["In-Reply-To"] for answer in answers] == [first.message_id, first.message_id, told.message_id]
    assert len({answer["Message-ID"] for answer in answers}) == 3


def test_further_mentions_alone_are_not_mailed(server: SmtpServer, receiver: EmailReceiver) -> None:
    first = receiver.send("n-1", card())
    receiver.update("n-2", card(mentions=9, copies=4, text="another"), first)
    assert len(server.mails) == 1
    receiver.update("n-3", card(mentions=9, copies=4, severity=2), first)
    receiver.update("n-4", card(mentions=11, copies=4, severity=2), first)
    assert len(server.mails) == 2
    assert "Severity 2" in server.mails[1].text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"state": AlertState.CLAIMED, "progress": Progress(owner="Ana Pérez")}, "Claimed by Ana Pérez"),
        ({"progress": Progress(escalated_to="head office")}, "Escalated to head office"),
        ({"progress": Progress(replied_at=BEGAN_AT)}, "Answered"),
        ({"fate": "deleted", "text": ""}, "The post was withdrawn"),
        (
            {"state": AlertState.RESOLVED, "progress": Progress(resolution="solved", closed_by="Ana")},
            "Resolved: solved, by Ana",
        ),
    ],
)
def test_what_a_reader_must_know_is_mailed_once(
    server: SmtpServer, receiver: EmailReceiver, change: dict[str, Any], told: str
) -> None:
    first = receiver.send("n-1", card())
    receiver.update("n-2", card(**change), first)
    receiver.update("n-3", card(**change), first)
    _, answer = server.mails
    assert told in answer.text
    assert "Mi hervidor" not in answer.text + answer.html


def test_after_a_restart_the_first_change_is_mailed_whatever_it_is(server: SmtpServer, receiver: EmailReceiver) -> None:
    first = receiver.send("n-1", card())
    anew = receiver_for(server)
    anew.update("n-2", card(mentions=4), first)
    anew.update("n-3", card(mentions=5), first)
    assert len(server.mails) == 2


def test_the_page_loads_nothing_and_says_the_posts_language(server: SmtpServer, receiver: EmailReceiver) -> None:
    receiver.send("n-1", card(text="<script>alert(1)</script><img src=https://evil.example/x>", language="ar"))
    html = server.mails[0].html
    assert "<script" not in html
    assert "<img" not in html
    assert "src=" not in html.replace("&lt;img src=", "")
    assert "url(" not in html
    assert '<div class="quote" dir="auto" lang="ar"' in html


def test_an_incident_carries_its_curve_as_a_picture(server: SmtpServer, receiver: EmailReceiver) -> None:
    receiver.send("n-1", incident())
    (mail,) = server.mails
    (picture,) = [part for part in mail.message.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content().startswith(b"\x89PNG\r\n")
    assert picture.get_content_disposition() == "inline"
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in mail.html
    assert mail.html.count("src=") == 1


def test_a_summary_and_a_note_by_itself_are_mails_of_their_own(server: SmtpServer, receiver: EmailReceiver) -> None:
    receiver.send("n-1", summary())
    receiver.send("n-2", note(reference=""))
    assert [mail.message["Subject"] for mail in server.mails] == ["Overnight in Spain", "A further mention"]
    assert all(mail.message["In-Reply-To"] is None for mail in server.mails)


@pytest.mark.parametrize(
    "text", ["x\r\nBcc: evil@evil.example", "x\nBcc: e@e.example\n\nbody", "x\x00\x0b\x85\u2028y: z"]
)
def test_no_text_adds_a_header_or_a_recipient(server: SmtpServer, receiver: EmailReceiver, text: str) -> None:
    shown = card(reference=text, brand=text, country_name=text, topic=text, author=AUTHOR.__class__(
        text, text, None, False, 0.1, (), None))  # fmt: skip
    first = receiver.send(text, shown)
    receiver.send("n-2", note(title=text, reference=text), Delivery(text, text, text))
    receiver.send("n-3", note(), Delivery(f"A\r\nBcc: {HEAD}", first.message_id, f"<a@b>\r\nBcc: {HEAD}"))
    usual = set(server.mails[0].message.keys())
    for mail in server.mails:
        assert set(mail.message.keys()) <= usual | {"In-Reply-To", "References"}
        assert mail.recipients == (CARE, HEAD)
    assert server.mails[1].message["In-Reply-To"] is None


def test_one_refused_recipient_does_not_keep_the_mail_from_the_others(
    server: SmtpServer, receiver: EmailReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.script(HEAD, "550 5.1.1 No such user")
    receiver.send("n-1", card())
    (mail,) = server.mails
    assert mail.recipients == (CARE,)
    assert f"refuses {HEAD} (550)" in caplog.text


def test_a_recipient_who_is_put_off_gets_the_mail_later_and_alone(server: SmtpServer, receiver: EmailReceiver) -> None:
    server.faults.script(HEAD, "450 4.2.0 Greylisted")
    with pytest.raises(RetryableDeliveryError, match="1 of 2 recipients") as caught:
        receiver.send("n-1", card())
    assert not caught.value.ambiguous
    receiver.send("n-1", card())
    assert [mail.recipients for mail in server.mails] == [(CARE,), (HEAD,)]
    assert server.mails[0].message["Message-ID"] == server.mails[1].message["Message-ID"]


def test_a_recipient_who_is_put_off_for_ever_does_not_hold_the_alert_up(
    server: SmtpServer, receiver: EmailReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.script(HEAD, *["452 4.2.2 Mailbox full"] * 40)
    tries = 0
    while not caplog.text:
        tries += 1
        assert tries < 20
        try:
            delivered = receiver.send("n-1", card())
        except RetryableDeliveryError:
            delivered = None
    assert delivered is not None
    assert [mail.recipients for mail in server.mails] == [(CARE,)]


def test_a_receiver_whose_recipients_are_all_refused_is_gone(server: SmtpServer, receiver: EmailReceiver) -> None:
    server.faults.script(CARE, "550 No such user")
    server.faults.script(HEAD, "553 Not here")
    with pytest.raises(PermanentDeliveryError, match=r"every recipient \(550, 553\)") as caught:
        receiver.send("n-1", card())
    assert caught.value.receiver_gone


def test_recipients_of_whom_one_is_put_off_are_tried_again(server: SmtpServer, receiver: EmailReceiver) -> None:
    server.faults.script(CARE, "550 No such user")
    server.faults.script(HEAD, "450 Busy")
    with pytest.raises(RetryableDeliveryError):
        receiver.send("n-1", card())


@pytest.mark.parametrize(
    ("step", "answer", "permanent", "gone"),
    [
        ("EHLO", "421 4.3.2 Closing", False, False),
        ("MAIL", "421 4.3.2 Closing", False, False),
        ("MAIL", "451 Try later", False, False),
        ("MAIL", "550 5.7.1 Sender not allowed", True, True),
        ("DATA", "421 4.3.2 Closing", False, False),
        ("DATA", "452 4.3.1 Disk full", False, False),
        ("DATA", "552 5.3.4 Too big", True, False),
        ("DATA", "554 5.7.1 Spam", True, False),
    ],
)
def test_refusals_are_classified(
    server: SmtpServer, receiver: EmailReceiver, step: str, answer: str, permanent: bool, gone: bool
) -> None:
    server.faults.script(step, *[answer] * 2)
    with pytest.raises(DeliveryError, match=answer[:3]) as caught:
        receiver.send("n-1", card())
    if permanent:
        assert isinstance(caught.value, PermanentDeliveryError)
        assert caught.value.receiver_gone == gone
    else:
        assert isinstance(caught.value, RetryableDeliveryError)
        assert not caught.value.ambiguous
    assert server.mails == []
    server.faults.answers.clear()
    receiver.send("n-1", card())
    assert len(server.mails) == 1


def test_a_connection_cut_after_the_content_is_ambiguous_and_the_repetition_folds(
    server: SmtpServer, receiver: EmailReceiver
) -> None:
    server.faults.cuts.append("DATA")
    with pytest.raises(RetryableDeliveryError, match="hung up") as caught:
        receiver.send("n-1", card())
    assert caught.value.ambiguous
    assert receiver.find("n-1", 0.0) is None
    receiver.send("n-1", card())
    first, again = server.mails
    assert first.message["Message-ID"] == again.message["Message-ID"]


def test_a_connection_cut_before_the_content_is_not_ambiguous(server: SmtpServer, receiver: EmailReceiver) -> None:
    server.faults.cuts.append("RCPT")
    with pytest.raises(RetryableDeliveryError) as caught:
        receiver.send("n-1", card())
    assert not caught.value.ambiguous
    assert server.mails == []


def test_a_server_that_takes_too_long_is_ambiguous(server: SmtpServer) -> None:
    server.faults.slow_s = 30
    with pytest.raises(RetryableDeliveryError, match="did not answer") as caught:
        receiver_for(server, timeout_s=2).send("n-1", card())
    assert caught.value.ambiguous


def test_a_conversation_that_takes_too_long_ends_before_the_content(
    server: SmtpServer, receiver: EmailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_S", 0.0)
    with pytest.raises(RetryableDeliveryError, match="cannot be reached") as caught:
        receiver.send("n-1", card())
    assert not caught.value.ambiguous
    assert server.mails == []


@pytest.mark.parametrize(
    ("tone", "importance"), [("escalation", "high"), ("reminder", "normal"), ("mention", "normal")]
)
def test_an_escalation_is_marked_important(
    server: SmtpServer, receiver: EmailReceiver, tone: str, importance: str
) -> None:
    receiver.send("n-1", note(tone=tone))
    assert server.mails[0].message["Importance"] == importance


def test_a_line_of_history_is_no_mail_of_its_own(server: SmtpServer, receiver: EmailReceiver) -> None:
    sent = receiver.send("n-1", card())
    receiver.send("n-2", note(tone="history"), sent)
    receiver.update("n-3", card(state=AlertState.CLAIMED), sent)
    assert len(server.mails) == 2


def test_a_server_that_is_away_is_tried_again() -> None:
    with (
        port_without_server() as port,
        pytest.raises(RetryableDeliveryError, match="cannot be reached") as caught,
    ):
        EmailReceiver("mail-es", options(port)).send("n-1", card())
    assert not caught.value.ambiguous


def smtp_errors() -> Iterator[type[Exception]]:
    for _, found in inspect.getmembers(smtplib, inspect.isclass):
        if issubclass(found, smtplib.SMTPException):
            yield found


MADE: dict[str, Callable[[type[Exception]], Exception]] = {
    "SMTPResponseException": lambda kind: kind(550, b"no"),
    "SMTPDataError": lambda kind: kind(554, b"no"),
    "SMTPConnectError": lambda kind: kind(421, b"no"),
    "SMTPHeloError": lambda kind: kind(501, b"no"),
    "SMTPAuthenticationError": lambda kind: kind(535, b"no"),
    "SMTPSenderRefused": lambda kind: kind(550, b"no", "a@b"),
    "SMTPRecipientsRefused": lambda kind: kind({"a@b": (550, b"no")}),
    "SMTPException": lambda kind: kind("no"),
    "SMTPNotSupportedError": lambda kind: kind("no"),
    "SMTPServerDisconnected": lambda kind: kind("no"),
}


def test_every_class_of_smtplib_errors_is_known() -> None:
    assert {kind.__name__ for kind in smtp_errors()} == set(MADE)


@pytest.mark.parametrize("phase", ["connect", "greet", "tls", "login", "sender", "recipients", "content"])
@pytest.mark.parametrize("kind", list(smtp_errors()), ids=lambda kind: kind.__name__)
def test_every_error_of_smtplib_is_translated_in_every_phase(kind: type[Exception], phase: module.Phase) -> None:
    translated = translate(MADE[kind.__name__](kind), phase)
    assert isinstance(translated, PermanentDeliveryError | RetryableDeliveryError)
    if isinstance(translated, RetryableDeliveryError) and kind is smtplib.SMTPServerDisconnected:
        assert translated.ambiguous == (phase == "content")


@pytest.mark.parametrize("error", [TimeoutError(), ssl.SSLEOFError(), ConnectionResetError(), socket.gaierror()])
def test_errors_of_the_network_are_ambiguous_once_the_content_is_on_its_way(error: Exception) -> None:
    for phase, ambiguous in (("connect", False), ("login", False), ("content", True)):
        translated = translate(error, phase)  # type: ignore[arg-type]
        assert isinstance(translated, RetryableDeliveryError)
        assert translated.ambiguous == ambiguous


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "smtp.example.com", **LOGIN}, "in clear"),
        ({"username": "${env:SMTP_USERNAME}"}, "both or neither"),
        ({"sender": "alerts"}, "write an address"),
        ({"sender": "a@b.example\r\nBcc: x@y.example"}, "write an address"),
        ({"sender": "a@b.example, c@d.example"}, "write an address"),
        ({"to": []}, "at least 1"),
        ({"to": ["ü@brand.example"]}, "in ASCII"),
        ({"host": "smtp://x"}, "name alone"),
        ({"ca_file": "nowhere.pem"}, "names no file"),
        ({"password": "in-clear", "username": "x"}, "never in clear"),
        ({"base_url": "https://x.example"}, "not base_url"),
        ({"security": "none"}, "starttls"),
    ],
)
def test_options_that_cannot_work_are_refused_with_what_to_do(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        options(25, **changes)


def test_a_password_that_smtp_cannot_carry_is_refused_without_telling_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "pässwort")
    with pytest.raises(MissingSecretError, match="SMTP_PASSWORD") as caught:
        SPEC.create("mail", options(25, **LOGIN))
    assert "pässwort" not in str(caught.value)
    monkeypatch.delenv("SMTP_PASSWORD")
    with pytest.raises(MissingSecretError, match="set the environment variable SMTP_PASSWORD"):
        SPEC.create("mail", options(25, **LOGIN))
    assert "SMTP_PASSWORD" not in os.environ
