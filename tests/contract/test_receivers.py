"""What every receiver owes the outbox, checked on each kind."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.card import Card, DigestMessage, Due, IncidentCard, Message, Note, Progress
from alerts.digest_parts import digest_for
from alerts.receivers.apprise import AppriseOptions, AppriseReceiver
from alerts.receivers.base import Receiver
from alerts.receivers.email import EmailOptions, EmailReceiver
from alerts.receivers.registry import receiver_specs
from alerts.receivers.slack import SlackOptions, SlackReceiver
from alerts.receivers.terminal import TerminalReceiver
from alerts.receivers.webhook import WebhookOptions, WebhookReceiver
from listener.config import Secret
from listener.errors import DeliveryError, PermanentDeliveryError
from listener.model import AlertState
from tests.cards import HOSTILE, card, filled_with
from tests.messages import (
    BEGAN_AT,
    digest,
    digest_file,
    digest_file_filled_with,
    digest_filled_with,
    incident,
    incident_filled_with,
    note,
    note_filled_with,
    summary,
    summary_filled_with,
)
from tests.servers.base import LocalServer, Reply, Request
from tests.servers.slack import TOKEN, SlackServer
from tests.servers.smtp import PASSWORD, USERNAME, Mail, SmtpServer
from tests.servers.webhook import SECRET, WebhookServer

NOW = 1_773_475_200.0


@dataclass(slots=True)
class ReceiverCase:
    receiver: Receiver
    shown: Callable[[], str]
    """All that a person can read at the moment."""
    break_for_good: Callable[[], None]
    secret: str = "no secret of this receiver"
    edits: bool = False
    """Whether an update takes the place of what stood there."""


@contextmanager
def terminal_case(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[ReceiverCase]:
    screen = io.StringIO()
    yield ReceiverCase(TerminalReceiver(screen), screen.getvalue, screen.close)


@contextmanager
def slack_case(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[ReceiverCase]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    with SlackServer(now=lambda: NOW) as server:
        options = SlackOptions(
            type="slack", token=Secret("env", "SLACK_BOT_TOKEN"), channel="C1", base_url=server.api_url, timeout_s=5
        )

        def revoke() -> None:
            server.is_revoked = True

        def shown() -> str:
            return "\n".join(
                line for message in server.channel("C1").messages for line in (message.shown, *message.thread)
            )

        yield ReceiverCase(SlackReceiver("fr", options), shown, revoke, TOKEN, edits=True)


@contextmanager
def email_case(
    monkeypatch: pytest.MonkeyPatch, folder: Path, read: Callable[[Mail], str] = lambda mail: mail.read
) -> Iterator[ReceiverCase]:
    monkeypatch.setenv("SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    with SmtpServer(folder, with_login=True) as server:
        options = EmailOptions(
            type="email",
            host="127.0.0.1",
            port=server.port,
            security="plain",
            username=Secret("env", "SMTP_USERNAME"),
            password=Secret("env", "SMTP_PASSWORD"),
            sender="Alerts <alerts@brand.example>",
            to=["care@brand.example", "head@brand.example"],
        )

        def change_password() -> None:
            server.password = "another"

        def shown() -> str:
            return "\n".join(read(mail) for mail in server.mails)

        yield ReceiverCase(EmailReceiver("fr", options), shown, change_password, PASSWORD)


@contextmanager
def email_as_text_case(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[ReceiverCase]:
    with email_case(monkeypatch, folder, lambda mail: mail.text) as made:
        yield made


@contextmanager
def webhook_case(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[ReceiverCase]:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    with WebhookServer(lambda: NOW) as server:
        options = WebhookOptions(
            type="webhook", url=server.url, secret=Secret("env", "WEBHOOK_SECRET"), plain_http=True
        )

        def remove() -> None:
            server.is_gone = True

        receiver = WebhookReceiver("fr", options, now=lambda: NOW)
        yield ReceiverCase(receiver, lambda: server.shown, remove, SECRET, edits=True)


class Inbox(LocalServer):
    """Takes what Apprise posts for its `json://` addresses."""

    def handle(self, request: Request) -> Reply:
        return Reply(200, {})

    @property
    def shown(self) -> str:
        taken = [request.json() for request in self.requests]
        return "\n".join(f"{message['title']}\n{message['message']}" for message in taken)


@contextmanager
def apprise_case(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[ReceiverCase]:
    with Inbox() as server:
        monkeypatch.setenv("APPRISE_URL", server.base_url.replace("http://", "json://user:hidden-word@"))

        def spoil() -> None:
            monkeypatch.setenv("APPRISE_URL", "nothing://hidden-word")

        receiver = AppriseReceiver("fr", AppriseOptions(type="apprise", url=Secret("env", "APPRISE_URL")))
        yield ReceiverCase(receiver, lambda: server.shown, spoil, "hidden-word")


CASES = {
    "apprise": apprise_case,
    "email": email_case,
    "email as text": email_as_text_case,
    "slack": slack_case,
    "terminal": terminal_case,
    "webhook": webhook_case,
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ReceiverCase]:
    monkeypatch.setenv("COLUMNS", "110")
    with CASES[request.param](monkeypatch, tmp_path) as made:
        yield made


def test_every_kind_of_receiver_is_checked_here() -> None:
    assert {name.split()[0] for name in CASES} == set(receiver_specs())


def test_send_shows_everything_needed_to_act(case: ReceiverCase) -> None:
    case.receiver.send("n-1", card())
    shown = " ".join(case.shown().split())
    for expected in (
        "Severity 3", "urgent", "Yunfan", "Spain", "Sevilla", "X", "Marta Ruiz", "@marta_viaja", "48,200 followers",
        "verified", "0.64", "journalist (bio)", "Mi hervidor Yunfan lleva tres semanas", "Spanish", "read by the team",
        "urgency high with probability 0.91", "Priority 0.78", "raised by influence", "3 mentions, 1 copy",
        "Late delivery", "Answer within the hour.", "Hola Marta, sentimos el retraso. Escríbenos por privado.",
        "55 of 280", "Marta, lo miramos ahora mismo.", "shorter", "that it is the carrier's fault", "es-ES",
        "Send the private link in your reply.", "A-12", "Care Iberia", "Sat 14 Mar 2026, 09:12", "delivery",
    ):  # fmt: skip
        assert expected in shown


@pytest.mark.parametrize("message", [card(), incident()], ids=lambda message: message.kind)
def test_the_teams_own_playbook_is_named_where_there_is_one(case: ReceiverCase, message: Card | IncidentCard) -> None:
    assert message.guidance is not None
    signs = ("Open playbook", message.guidance.url or "no link")
    case.receiver.send("n-1", replace(message, guidance=replace(message.guidance, url=None)))
    assert not any(sign in case.shown() for sign in signs)
    case.receiver.send("n-2", message)
    assert any(sign in case.shown() for sign in signs)


def test_a_language_that_the_team_does_not_read_is_said(case: ReceiverCase) -> None:
    case.receiver.send("n-1", card(team_reads_language=False))
    assert "nobody in the team reads it" in " ".join(case.shown().split())


def test_a_pilot_says_so(case: ReceiverCase) -> None:
    case.receiver.send("n-1", card(pilot=True))
    assert "PILOT" in case.shown()


def test_update_shows_the_new_state(case: ReceiverCase) -> None:
    delivery = case.receiver.send("n-1", card(mentions=1, copies=0))
    later = case.receiver.update("n-2", card(mentions=9, copies=4, state=AlertState.CLAIMED), delivery)
    assert later == delivery
    shown = case.shown()
    assert "9 mentions, 4 copies" in shown
    assert "claimed" in shown
    assert shown.count("Mi hervidor Yunfan lleva") == 1


def test_what_was_never_sent_is_not_found(case: ReceiverCase) -> None:
    case.receiver.send("n-1", card())
    assert case.receiver.find("n-0", NOW - 60) is None


def test_a_card_without_guidance_followers_or_links_is_shown(case: ReceiverCase) -> None:
    case.receiver.send("n-1", card(guidance=None, url=None, reasons=(), place="", copies=0, mentions=1))
    assert "Mi hervidor Yunfan" in case.shown()
    assert "1 mention" in case.shown()


def test_tell_shows_an_operators_message(case: ReceiverCase) -> None:
    case.receiver.send("n-9", Note("Receiver disabled", "slack-fr: <!channel> \x1b[31mtoken revoked"))
    assert "Receiver disabled" in case.shown()
    assert "\x1b[31m" not in case.shown()
    assert "token revoked" in case.shown()


def test_a_note_stands_in_the_thread_of_its_alert(case: ReceiverCase) -> None:
    first = case.receiver.send("n-1", card())
    told = case.receiver.send("n-2", note(), first)
    assert told != first
    assert told.thread_id == first.message_id
    shown = " ".join(case.shown().split())
    for expected in ("A further mention", "Severity is 3 now.", "¿Hola? ¿Alguien?", "A-12"):
        assert expected in shown


def test_who_owns_an_alert_and_what_is_due_is_said(case: ReceiverCase) -> None:
    due = (Due("first answer", BEGAN_AT, missed=True), Due("resolution", BEGAN_AT + timedelta(hours=4)))
    progress = Progress(owner="Ana Pérez", since=BEGAN_AT, due=due, escalated_to="head office", replied_at=BEGAN_AT)
    case.receiver.send("n-1", card(state=AlertState.CLAIMED, progress=progress))
    shown = " ".join(case.shown().split())
    for expected in (
        "Ana Pérez", "since", "Sat 14 Mar 2026, 10:00", "first answer", "issed", "resolution", "Sat 14 Mar 2026, 14:00",
        "head office", "nswered",
    ):  # fmt: skip
        assert expected in shown


def test_a_withdrawn_post_is_said_to_be_and_its_text_not_sent_again(case: ReceiverCase) -> None:
    first = case.receiver.send("n-1", card())
    case.receiver.update("n-2", card(fate="deleted", text=""), first)
    shown = case.shown()
    assert "withdrawn" in shown
    assert shown.count("Mi hervidor Yunfan") == (0 if case.edits else 1)


def test_an_edited_post_is_said_to_be(case: ReceiverCase) -> None:
    first = case.receiver.send("n-1", card())
    case.receiver.update("n-2", card(fate="edited", text="Ya está, gracias."), first)
    assert "he author edited" in case.shown() or "edited since" in case.shown()


def test_an_incident_shows_its_size_voices_words_and_what_to_do(case: ReceiverCase) -> None:
    case.receiver.send("n-1", incident())
    shown = " ".join(case.shown().split())
    for expected in (
        "Bad buzz", "everity 3", "I-3", "Yunfan", "Spain", "delivery", "340 negative mentions by 120 authors", "12.3",
        "96 an hour", "34%", "1,200,000", "31 times what is usual at this hour", "Otro retraso más.", "Marta",
        "أخبار", "900,000 followers", "شكاوى كثيرة", "retraso", "estafa", "late delivery 212", "no answer 87",
        "Spanish 300", "Answer within the hour.", "Sat 14 Mar 2026, 10:00",
    ):  # fmt: skip
        assert expected in shown


def test_an_incident_that_is_over_says_so(case: ReceiverCase) -> None:
    first = case.receiver.send("n-1", incident())
    case.receiver.update("n-2", incident(ended_at=BEGAN_AT + timedelta(hours=6), mentions=512), first)
    shown = case.shown().lower()
    assert "over" in shown
    assert "512" in shown
    assert "16:00" in shown


def test_a_summary_names_every_alert(case: ReceiverCase) -> None:
    case.receiver.send("n-1", summary())
    shown = " ".join(case.shown().split())
    for expected in ("Overnight in Spain", "2 alerts came", "A-1", "Marta Ruiz · Spain · delivery", "A-2", "علي"):
        assert expected in shown


def test_a_digest_says_what_matters_and_the_figures(case: ReceiverCase) -> None:
    case.receiver.send("n-1", _form(case, digest()))
    shown = " ".join(case.shown().split())
    for expected in (
        "Notre semaine 46", "Les plaintes ont augmenté de 31 %, surtout en France.", "Mentions", "1 204",
        "Taux de réponse", "78 %",
    ):  # fmt: skip
        assert expected in shown


def test_a_digest_without_anything_but_a_title_is_shown(case: ReceiverCase) -> None:
    case.receiver.send("n-1", DigestMessage("A quiet week", "2026-W46", "en"))
    assert "A quiet week" in case.shown()


def test_a_digest_shown_again_says_the_same(case: ReceiverCase) -> None:
    delivery = case.receiver.send("n-1", _form(case, digest()))
    later = _form(case, digest(summary=("Les plaintes ont diminué.",), html="", text=""))
    assert case.receiver.update("n-2", later, delivery) == delivery
    assert "Les plaintes ont diminué." in case.shown()


def test_the_file_of_a_digest_is_named_in_its_thread(case: ReceiverCase) -> None:
    first = case.receiver.send("n-1", _form(case, digest()))
    told = case.receiver.send("n-2", digest_file(), first)
    assert told.thread_id == first.message_id
    assert told.remark == ""
    assert case.shown().count("Notre semaine 46") >= 2


def _form(case: ReceiverCase, message: DigestMessage) -> DigestMessage:
    """Return what the outbox holds of a digest for such a receiver."""
    kind = next(name for name, spec in receiver_specs().items() if name in type(case.receiver).__name__.lower())
    return digest_for(receiver_specs()[kind].digest_form, message)[0]


FILLED: tuple[Callable[[str], Message], ...] = (
    filled_with, incident_filled_with, note_filled_with, summary_filled_with, digest_filled_with,
    digest_file_filled_with,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_is_shown_harmlessly(case: ReceiverCase, text: str) -> None:
    for number, filled in enumerate(FILLED):
        delivery = case.receiver.send(f"n-{number}", filled(text))
        if filled in (filled_with, incident_filled_with):
            case.receiver.update(f"n-{number}-later", filled(text), delivery)
    shown = case.shown()
    assert shown.count("everity 3") >= 2
    assert not {letter for letter in shown if letter < " " and letter != "\n"}
    assert not set("\x7f\x9b\x9d\u202a\u202b\u202d\u202e\u2066\u2067\u200b\u2028\u2029") & set(shown)
    shown.encode("utf-8")


def test_every_isolate_that_is_opened_is_closed(case: ReceiverCase) -> None:
    case.receiver.send("n-1", card(text="مرحبا \u2069\u2069 (abc) 123\nשלום", author=filled_with("اسم").author))
    shown = case.shown()
    assert "\u2068" in shown
    assert shown.count("\u2068") == shown.count("\u2069")


def test_failures_for_good_are_classified_and_keep_the_secret(case: ReceiverCase) -> None:
    delivery = case.receiver.send("n-1", card())
    case.break_for_good()
    for attempt in (
        lambda: case.receiver.send("n-2", card()),
        lambda: case.receiver.update("n-3", card(state=AlertState.CLAIMED), delivery),
        lambda: case.receiver.send("n-9", Note("a", "b")),
    ):
        with pytest.raises(PermanentDeliveryError) as caught:
            attempt()
        assert caught.value.receiver_gone
        assert isinstance(caught.value, DeliveryError)
        told = str(caught.value) + repr(caught.value.__cause__) + repr(vars(case.receiver))
        assert case.secret not in told


def test_cards_sent_at_the_same_time_are_not_torn(case: ReceiverCase) -> None:
    threads = [
        threading.Thread(target=case.receiver.send, args=(f"n-{i}", card(text=f"text number {i}"))) for i in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = case.shown().split("\n")
    starts = [number for number, line in enumerate(lines) if "Severity 3" in line]
    ends = [number for number, line in enumerate(lines) if "Care Iberia" in line]
    assert len(starts) == len(ends) == 6
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


def test_close_may_be_called_twice(case: ReceiverCase) -> None:
    case.receiver.close()
    case.receiver.close()
