import inspect
import logging
import sys
from collections.abc import Iterator
from html import unescape

import apprise.exception
import pytest
from pydantic import ValidationError

from alerts.card import Progress
from alerts.outline import outline
from alerts.plain_text import chat_text, fitted_text
from alerts.receivers.apprise import PERMANENT, SPEC, AppriseOptions, AppriseReceiver, translate
from listener.config import Secret
from listener.errors import MissingSecretError, PermanentDeliveryError, RetryableDeliveryError
from listener.model import AlertState
from tests.cards import GUIDANCE, card
from tests.messages import incident, note
from tests.servers.base import LocalServer, Reply, Request

OPTIONS = AppriseOptions(type="apprise", url=Secret("env", "APPRISE_URL"))
TOKEN = "123456789:AAEabcdefghijklmnopqrstuvwxyzABCDEFG"  # of the right shape, opens nothing


class Service(LocalServer):
    """Takes what Apprise posts, whatever the path."""

    def handle(self, request: Request) -> Reply:
        return Reply(200, {})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service() as made:
        monkeypatch.setenv("APPRISE_URL", made.base_url.replace("http://", "json://me:hidden-word@"))
        yield made


def told(service: Service) -> list[tuple[str, str, str]]:
    bodies = [request.json() for request in service.requests]
    return [(body["title"], body["message"], body["type"]) for body in bodies]


def test_title_text_and_urgency_reach_the_service(service: Service) -> None:
    delivery = AppriseReceiver("phone", OPTIONS).send("n-1", card())
    ((title, text, kind),) = told(service)
    assert title == "Severity 3: urgent, answer now · A-12"
    assert text.startswith("Yunfan · Spain (Sevilla) · X")
    assert "Open post: https://x.com/marta_viaja/status/42" in text
    assert kind == "failure"
    assert delivery.message_id == "n-1"


def test_only_what_a_reader_must_know_is_told_again(service: Service) -> None:
    receiver = AppriseReceiver("phone", OPTIONS)
    first = receiver.send("n-1", card())
    receiver.update("n-2", card(mentions=9), first)
    assert len(service.requests) == 1
    receiver.update("n-3", card(state=AlertState.CLAIMED, progress=Progress(owner="Ana")), first)
    assert told(service)[-1][0] == "A-12: claimed by Ana"
    assert receiver.find("n-1", 0.0) is None


def test_a_service_that_refuses_is_tried_again_as_it_may_have_taken_it(service: Service) -> None:
    service.script(Reply(500))
    with pytest.raises(RetryableDeliveryError) as caught:
        AppriseReceiver("phone", OPTIONS).send("n-1", card())
    assert caught.value.ambiguous
    assert "hidden-word" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


def test_a_redirect_is_not_followed_with_the_message(service: Service) -> None:
    with Service() as other:
        service.script(Reply(307, b"", {"Location": other.base_url}))
        with pytest.raises(RetryableDeliveryError):
            AppriseReceiver("phone", OPTIONS).send("n-1", card())
        assert other.requests == []


def test_apprise_itself_logs_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.script(Reply(500, b"words of the other side"))
    receiver = AppriseReceiver("phone", OPTIONS)
    with caplog.at_level(logging.DEBUG, logger="root"), pytest.raises(RetryableDeliveryError):
        receiver.send("n-1", card())
    assert not [record for record in caplog.records if record.name.startswith("apprise")]


@pytest.mark.parametrize("url", ["nothing://hidden-word", "tgram://hidden-word", "hidden-word", "json://", "https://"])
def test_a_url_that_apprise_does_not_understand_is_said_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, service: Service, url: str
) -> None:
    receiver = AppriseReceiver("phone", OPTIONS)
    monkeypatch.setenv("APPRISE_URL", url)
    with pytest.raises(PermanentDeliveryError, match=r"does not understand the URL in \$\{env:APPRISE_URL\}") as caught:
        receiver.send("n-1", card())
    assert caught.value.receiver_gone
    assert "hidden-word" not in f"{caught.value!r} {caught.value.__cause__!r} {vars(receiver)!r}"
    with pytest.raises(MissingSecretError, match="does not understand"):
        SPEC.create("phone", OPTIONS)


def test_a_url_that_is_not_set_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APPRISE_URL", raising=False)
    with pytest.raises(MissingSecretError, match="set the environment variable APPRISE_URL"):
        SPEC.create("phone", OPTIONS)
    with pytest.raises(PermanentDeliveryError, match="set the environment variable APPRISE_URL"):
        AppriseReceiver("phone", OPTIONS).send("n-1", card())


def test_without_the_library_the_receiver_is_off_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(MissingSecretError, match=r"listening-daemon\[apprise\]"):
        SPEC.create("phone", OPTIONS)


def test_a_url_in_clear_is_refused() -> None:
    with pytest.raises(ValidationError, match="never in clear"):
        AppriseOptions(type="apprise", url="json://me:word@x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "most"),
    [
        (f"tgram://{TOKEN}/12315544", 4_096),
        ("discord://1234567890/abcdefghijklmnopqrstuvwxyz0123456789", 2_000),
        ("clicksend://user:pass@15555555555", 160),
        ("mmost://localhost/3ccdd113474722377935511fc85d3dd4", 4_000),
    ],
)
@pytest.mark.parametrize("message", [card(), incident(), card(text="<b>&\n" * 900), note()], ids=lambda one: one.kind)
def test_each_service_gets_no_more_than_it_takes_and_only_whole_parts(
    monkeypatch: pytest.MonkeyPatch, url: str, most: int, message: object
) -> None:
    given: list[dict[str, str]] = []
    plugin = type(apprise.Apprise.instantiate(url))
    monkeypatch.setattr(plugin, "send", lambda self, **call: given.append(call) or True)
    monkeypatch.setenv("APPRISE_URL", url)
    AppriseReceiver("phone", OPTIONS).send("n-1", message)  # type: ignore[arg-type]
    (call,) = given
    assert plugin.body_maxlen == most
    assert len(call["body"]) <= most
    shown = unescape(call["body"])
    for draft in GUIDANCE.drafts:
        assert draft.text in shown or draft.text[:12] not in shown
    for url in ("https://x.com/marta_viaja/status/42", "https://x.com/intent/post?in_reply_to=42"):
        assert url in shown or url[:20] not in shown or url.rpartition("/")[2] not in shown


def test_what_is_left_out_is_the_last_and_links_stay() -> None:
    shown = outline(card())
    whole = fitted_text(shown, 20_000)
    short = fitted_text(shown, 700)
    assert "(shortened)" not in whole
    assert short.endswith("(shortened)")
    assert len(short) <= 700
    assert "Open post: https://x.com/marta_viaja/status/42" in short
    assert "How it stands" in short
    assert fitted_text(shown, 10) == "(shortened)"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@everyone @here @Channel look", "＠everyone ＠here ＠Channel look"),
        ("<!channel> <@U1> <b>x</b>", "‹!channel› ‹@U1› ‹b›x‹/b›"),
        ("[verify](https://evil.example)", "[verify] (https://evil.example)"),
        ("mail me @heretic or a@b.example", "mail me @heretic or a@b.example"),
    ],
)
def test_no_chat_service_finds_markup_in_a_text(text: str, written: str) -> None:
    assert chat_text(text) == written


def apprise_errors() -> list[type[Exception]]:
    found = [kind for _, kind in inspect.getmembers(apprise.exception, inspect.isclass)]
    return [kind for kind in found if issubclass(kind, apprise.exception.AppriseException)]


RETRIED = {"AppriseException", "AppriseDiskIOError", "AppriseFileNotFound", "ApprisePluginException"}


def test_every_class_of_apprise_errors_is_mapped() -> None:
    assert {kind.__name__ for kind in apprise_errors()} == PERMANENT | RETRIED


@pytest.mark.parametrize("kind", [*apprise_errors(), OSError, KeyError, ValueError], ids=lambda kind: kind.__name__)
def test_every_error_out_of_apprise_is_translated_without_its_words(kind: type[Exception]) -> None:
    translated = translate(kind("hidden-word"))
    assert isinstance(translated, PermanentDeliveryError if kind.__name__ in PERMANENT else RetryableDeliveryError)
    assert "hidden-word" not in str(translated)


def test_an_error_out_of_a_plugin_is_translated(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    def fail(*args: object, **kwargs: object) -> bool:
        raise KeyError("hidden-word")

    monkeypatch.setattr(type(apprise.Apprise.instantiate("json://localhost")), "send", fail)
    with pytest.raises(RetryableDeliveryError, match="KeyError") as caught:
        AppriseReceiver("phone", OPTIONS).send("n-1", card())
    assert "hidden-word" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
