"""Calls that end in time and answers that are not read without end."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from alerts.receivers import bounded
from alerts.receivers.slack import SlackOptions, SlackReceiver
from listener.config import Secret
from listener.errors import RetryableDeliveryError
from tests.cards import card
from tests.servers.base import Reply
from tests.servers.slack import SlackServer

Serve = Callable[[socket.socket, threading.Event], None]
IN_TIME_S = 30
"""Far more than the time-outs here; what drips would go on for most of an hour."""


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """A server that answers every connection in its own bad way until the test ends."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while not done.is_set():
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        connection.recv(65_536)
                        serve(connection, done)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/"
        finally:
            done.set()
            with suppress(OSError), socket.create_connection(listening.getsockname(), timeout=30):
                pass
            thread.join(timeout=30)


def drip(text: bytes) -> Serve:
    def serve(connection: socket.socket, done: threading.Event) -> None:
        while not done.wait(0.05):
            connection.sendall(text)

    return serve


def flood(start: bytes) -> Serve:
    def serve(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(start)
        while not done.is_set():
            connection.sendall(b" " * 1_000_000)

    return serve


def receiver(token: Secret, base_url: str, timeout_s: float) -> SlackReceiver:
    return SlackReceiver(
        "fr", SlackOptions(type="slack", token=token, channel="C1", base_url=base_url, timeout_s=timeout_s)
    )


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n"])
def test_an_answer_that_drips_ends_with_the_time_out_as_a_whole(token: Secret, start: bytes) -> None:
    def serve(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(start)
        drip(b"H")(connection, done)

    with server(serve) as url:
        started = time.monotonic()
        with pytest.raises(RetryableDeliveryError, match="did not answer") as caught:
            receiver(token, url, timeout_s=2).send("n-1", card())
        assert caught.value.ambiguous
        assert time.monotonic() - started < IN_TIME_S


@pytest.mark.parametrize("status", [b"200 OK", b"503 Service Unavailable", b"404 Not Found"])
def test_a_body_that_drips_ends_with_the_time_out_as_a_whole(token: Secret, status: bytes) -> None:
    def serve(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 100000\r\n\r\n{")
        drip(b" ")(connection, done)

    with server(serve) as url:
        started = time.monotonic()
        with pytest.raises(RetryableDeliveryError):
            receiver(token, url, timeout_s=0.3).send("n-1", card())
        assert time.monotonic() - started < IN_TIME_S


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
def test_an_answer_without_end_is_not_taken_into_memory(
    token: Secret, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded.read, "__defaults__", (3_000_000,))
    with (
        server(flood(b"HTTP/1.1 " + status + b"\r\n\r\n")) as url,
        pytest.raises(RetryableDeliveryError, match="cannot be read") as caught,
    ):
        receiver(token, url, timeout_s=20).send("n-1", card())
    assert caught.value.ambiguous


def test_several_calls_share_one_end(token: Secret) -> None:
    with SlackServer() as slack:
        slack.script_for("conversations.history", Reply(200, {"ok": True, "messages": []}, hang_s=60))
        slow = receiver(token, slack.api_url, timeout_s=20)
        with bounded.within(2), pytest.raises(RetryableDeliveryError) as caught:
            slow.find("n-1", 0.0)
        assert "did not answer" in str(caught.value)


def test_no_call_starts_after_the_end_and_nothing_was_sent(token: Secret) -> None:
    with SlackServer() as slack:
        late = receiver(token, slack.api_url, timeout_s=20)
        with bounded.within(0.0), pytest.raises(RetryableDeliveryError, match="before anything was sent") as caught:
            late.send("n-1", card())
        assert not caught.value.ambiguous
        assert slack.requests == []
        late.send("n-1", card())  # the end was the block's alone
        assert len(slack.channel("C1").messages) == 1


def test_an_inner_end_is_never_later_than_the_outer_one() -> None:
    with bounded.within(10), bounded.within(100):
        assert bounded.end_of_call(1000) - time.monotonic() <= 10
    assert bounded.end_of_call(1000) - time.monotonic() > 900
