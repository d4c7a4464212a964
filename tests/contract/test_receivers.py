"""What every receiver owes the outbox, checked on each kind."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from alerts.card import Note
from alerts.receivers.base import Receiver
from alerts.receivers.registry import receiver_specs
from alerts.receivers.slack import SlackOptions, SlackReceiver
from alerts.receivers.terminal import TerminalReceiver
from listener.config import Secret
from listener.errors import DeliveryError, PermanentDeliveryError
from listener.model import AlertState
from tests.cards import HOSTILE, card, filled_with
from tests.servers.slack import TOKEN, SlackServer

NOW = 1_773_475_200.0


@dataclass(slots=True)
class ReceiverCase:
    receiver: Receiver
    shown: Callable[[], str]
    """All that a person can read at the moment."""
    break_for_good: Callable[[], None]


@contextmanager
def terminal_case(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReceiverCase]:
    screen = io.StringIO()
    yield ReceiverCase(TerminalReceiver(screen), screen.getvalue, screen.close)


@contextmanager
def slack_case(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReceiverCase]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    with SlackServer(now=lambda: NOW) as server:
        options = SlackOptions(
            type="slack", token=Secret("env", "SLACK_BOT_TOKEN"), channel="C1", base_url=server.api_url, timeout_s=5
        )

        def revoke() -> None:
            server.is_revoked = True

        def shown() -> str:
            return "\n".join(message.shown for message in server.channel("C1").messages)

        yield ReceiverCase(SlackReceiver("fr", options), shown, revoke)


CASES = {"slack": slack_case, "terminal": terminal_case}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReceiverCase]:
    monkeypatch.setenv("COLUMNS", "110")
    with CASES[request.param](monkeypatch) as made:
        yield made


def test_every_kind_of_receiver_is_checked_here() -> None:
    assert set(CASES) == set(receiver_specs())


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


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_is_shown_harmlessly(case: ReceiverCase, text: str) -> None:
    delivery = case.receiver.send("n-1", filled_with(text))
    case.receiver.update("n-1", filled_with(text), delivery)
    shown = case.shown()
    assert "Severity 3" in shown
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
        lambda: case.receiver.update("n-1", card(), delivery),
        lambda: case.receiver.send("n-9", Note("a", "b")),
    ):
        with pytest.raises(PermanentDeliveryError) as caught:
            attempt()
        assert caught.value.receiver_gone
        assert isinstance(caught.value, DeliveryError)
        assert TOKEN not in str(caught.value) + repr(caught.value.__cause__) + repr(vars(case.receiver))


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
