"""How the workspace tells the app of what people do: over Socket Mode, or as signed HTTP requests."""

import hashlib
import hmac
import http.client
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.sync.server import Server, ServerConnection, serve

from tests.servers.slack.blocks import Node
from tests.servers.slack.state import APP

if TYPE_CHECKING:
    from tests.servers.slack.server import SlackServer

ACK_S = 3.0
RETRIES = 3
_LOG = logging.getLogger("tests.servers.slack")
_LOG.setLevel(logging.CRITICAL)  # tests that look at logs look at the daemon's
MAX_CONNECTIONS = 10
TAMPERINGS = ("bad_signature", "no_signature", "old_timestamp", "future_timestamp", "no_timestamp", "other_body")


@dataclass(eq=False)
class Delivery:
    """One thing told to the app, and what came back."""

    kind: str
    """`interactive`, `slash_commands` or `events_api`."""
    payload: Node
    envelope_id: str = ""
    ack_s: float = ACK_S
    """How long the app has to acknowledge it."""
    sent_at: list[float] = field(default_factory=list)
    """When each attempt went out, on the machine's steady clock."""
    acked_after_s: float | None = None
    """From the last attempt to its acknowledgement."""
    acks: int = 0
    """How often it was acknowledged."""
    answer: Any = None
    """What came with the acknowledgement."""
    status: int | None = None
    """HTTP status, where it went by HTTP."""
    took_s: float | None = None
    """From the request to its answer, whatever the status, where it went by HTTP."""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def is_acked(self) -> bool:
        return self.acked_after_s is not None

    @property
    def in_time(self) -> bool:
        """Whether the first attempt was acknowledged in time: within three seconds, unless told else."""
        return self.acked_after_s is not None and self.acked_after_s <= self.ack_s and len(self.sent_at) == 1

    @property
    def attempts(self) -> int:
        return len(self.sent_at)


class SocketMode:
    """The WebSocket side: connections, envelopes, acknowledgements, redelivery."""

    def __init__(self) -> None:
        self.ack_s = ACK_S
        """How long the app has; shorter for a test that waits for a redelivery, longer where time does not matter."""
        self.hellos = 0
        """Connections that were ever opened."""
        self._tickets: set[str] = set()
        self._live: list[ServerConnection] = []
        self._leaving: set[ServerConnection] = set()
        self._waiting: dict[str, tuple[Delivery, float, ServerConnection | None]] = {}
        self._sent: dict[str, Delivery] = {}
        self._changed = threading.Condition()
        self._is_closing = False
        self._server: Server | None = None
        self._threads: list[threading.Thread] = []

    def new_url(self) -> str:
        """An address for one connection; the listening socket is opened with the first one."""
        with self._changed:
            if self._server is None:
                self._start()
            ticket = secrets.token_hex(8)
            self._tickets.add(ticket)
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link/?ticket={ticket}&app_id={APP}"

    @property
    def connections(self) -> int:
        """Open connections."""
        with self._changed:
            return len(self._live)

    def send(self, delivery: Delivery) -> None:
        """Send an envelope; without a connection an event waits for one, anything else fails."""
        delivery.envelope_id = delivery.envelope_id or secrets.token_hex(16)
        with self._changed:
            if not self._live and delivery.kind != "events_api":
                delivery.error = "no connection"
                return
            self._waiting[delivery.envelope_id] = (delivery, 0.0, None)
            self._sent[delivery.envelope_id] = delivery
            self._changed.notify_all()

    def disconnect(self, reason: str) -> None:
        """Announce an end to every open connection: `warning`, `refresh_requested` or `link_disabled`.

        After a warning the connection stays, until `cut`; after the others it is closed.
        """
        message = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
        with self._changed:
            leaving = list(self._live)
            self._leaving.update(leaving)
        for connection in leaving:
            with suppress(ConnectionClosed):
                connection.send(json.dumps(message))
            if reason != "warning":
                connection.close()

    def close_connections(self) -> None:
        """End every connection in good order; the app may come again."""
        with self._changed:
            connections, self._live = list(self._live), []
        for connection in connections:
            connection.close()

    def cut(self) -> None:
        """End every connection without a word."""
        with self._changed:
            connections, self._live = list(self._live), []
        for connection in connections:
            connection.close_socket()

    def wait_for_connection(self, timeout_s: float = 60.0, *, more_than: int = 0) -> None:
        """Wait until `more_than` connections were opened since the start, and one is open."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self._live and self.hellos > more_than, timeout_s)
        if not arrived:
            raise AssertionError(f"no Socket Mode connection within {timeout_s} s")

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            server = self._server
        if server is None:
            return
        self.cut()
        server.shutdown()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self) -> None:
        self._server = serve(
            self._converse, "127.0.0.1", 0, process_request=self._admit, ping_interval=None, close_timeout=0.2,
            compression=None,
            logger=_LOG,
        )  # fmt: skip
        targets = (self._server.serve_forever, self._keep_sending)
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def _admit(self, connection: ServerConnection, handshake: Handshake) -> Response | None:
        ticket = parse_qs(urlsplit(handshake.path).query).get("ticket", [""])[0]
        with self._changed:
            is_known = ticket in self._tickets and len(self._live) < MAX_CONNECTIONS
            self._tickets.discard(ticket)
        return None if is_known else connection.respond(403, "invalid ticket\n")

    def _converse(self, connection: ServerConnection) -> None:
        with self._changed:
            number = len(self._live) + 1
        debug = {"host": "applink-1", "build_number": 10, "approximate_connection_time": 18_060}
        hello = {"type": "hello", "num_connections": number, "debug_info": debug, "connection_info": {"app_id": APP}}
        try:
            connection.send(json.dumps(hello))
            with self._changed:
                self._live.append(connection)
                self.hellos += 1
                self._changed.notify_all()
            for message in connection:
                self._take_ack(message)
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                self._leaving.discard(connection)
                if connection in self._live:
                    self._live.remove(connection)
                self._changed.notify_all()

    def _take_ack(self, message: str | bytes) -> None:
        now = time.monotonic()
        try:
            ack = json.loads(message)
        except ValueError:
            return
        with self._changed:
            delivery = self._sent.get(str(ack.get("envelope_id"))) if isinstance(ack, dict) else None
            if delivery is None:
                return
            delivery.acks += 1
            if self._waiting.pop(delivery.envelope_id, None):
                delivery.acked_after_s = now - delivery.sent_at[-1]
                delivery.answer = ack.get("payload") or None
                delivery.done.set()

    def _keep_sending(self) -> None:
        while True:
            with self._changed:
                if self._is_closing:
                    return
                due = self._due()
                if due is None:
                    deadlines = [at for _, at, _ in self._waiting.values()] if self._live else []
                    self._changed.wait(max(0.001, min(deadlines) - time.monotonic()) if deadlines else None)
                    continue
            self._transmit(*due)

    def _due(self) -> tuple[Delivery, ServerConnection] | None:
        now = time.monotonic()
        for envelope_id, (delivery, due_at, last) in list(self._waiting.items()):
            if due_at > now:
                continue
            if delivery.attempts > RETRIES:
                del self._waiting[envelope_id]
                delivery.error = "never acknowledged"
                continue
            connection = self._next_connection(last)
            if connection is None:
                return None
            self._waiting[envelope_id] = (delivery, now + self.ack_s, connection)
            delivery.sent_at.append(now)
            return delivery, connection
        return None

    def _next_connection(self, last: ServerConnection | None) -> ServerConnection | None:
        fresh = [connection for connection in self._live if connection not in self._leaving] or self._live
        others = [connection for connection in fresh if connection is not last]
        return (others or fresh)[-1] if fresh else None

    def _transmit(self, delivery: Delivery, connection: ServerConnection) -> None:
        envelope = {
            "envelope_id": delivery.envelope_id,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != "events_api",
            "payload": delivery.payload,
        }
        if delivery.kind == "events_api" or delivery.attempts > 1:
            envelope["retry_attempt"] = delivery.attempts - 1
            envelope["retry_reason"] = "timeout" if delivery.attempts > 1 else ""
        with suppress(ConnectionClosed, OSError):
            connection.send(json.dumps(envelope))


class SignedHttp:
    """The HTTP side: signed requests to the app's address."""

    def __init__(self, url: str, signing_secret: str, now: Callable[[], float]) -> None:
        self._url, self._signing_secret, self._now = urlsplit(url), signing_secret, now

    def send(self, delivery: Delivery, ack_s: float, tampering: str = "") -> None:
        """Sign, send and wait `ack_s` for the answer, for an event three times more; `tampering` as in `TAMPERINGS`."""
        if delivery.kind == "events_api":
            body, kind = json.dumps(delivery.payload).encode(), "application/json"
        else:
            kind = "application/x-www-form-urlencoded"
            form = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
            body = urlencode(form).encode()
        shift = {"old_timestamp": -301, "future_timestamp": 301}.get(tampering, 0)
        timestamp = str(int(self._now()) + shift)
        secret = "another-secret" if tampering == "bad_signature" else self._signing_secret
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": timestamp, "User-Agent": "Slackbot 1.0"}
        headers["X-Slack-Signature"] = sign(secret, timestamp, body)
        left_out = {"no_signature": "X-Slack-Signature", "no_timestamp": "X-Slack-Request-Timestamp"}
        headers.pop(left_out.get(tampering, ""), None)
        delivery.headers = headers
        delivery.body = body + b"&more=1" if tampering == "other_body" else body
        self.resend(delivery, ack_s)
        for number in range(1, RETRIES + 1 if delivery.kind == "events_api" else 1):
            if delivery.is_acked:
                return
            reason = "http_error" if delivery.status else "http_timeout"
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
            self.resend(delivery, ack_s)

    def resend(self, delivery: Delivery, ack_s: float) -> None:
        """Send a delivery's very bytes and headers, whatever they are."""
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port or 80, timeout=ack_s)
        started = time.monotonic()
        delivery.sent_at.append(started)
        try:
            connection.request("POST", self._url.path or "/", delivery.body, delivery.headers)
            answer = connection.getresponse()
            body = answer.read()
            delivery.status, delivery.took_s = answer.status, time.monotonic() - started
            if answer.status == 200:
                delivery.acked_after_s = delivery.took_s
                delivery.acks += 1
                delivery.answer = _read_answer(body)
        except (OSError, http.client.HTTPException) as error:
            delivery.error = type(error).__name__
        finally:
            connection.close()
            delivery.done.set()


def sign(signing_secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()


def _read_answer(body: bytes) -> Any:
    try:
        return json.loads(body) if body.strip() else None
    except ValueError:
        return {"text": body.decode("utf-8", "replace")}


class Deliveries:
    """Sends each delivery the way that is set up, and keeps all of them."""

    def __init__(self, server: "SlackServer") -> None:
        self._server = server
        self.socket_mode = SocketMode()
        self.http: SignedHttp | None = None
        self.tampering = ""
        self.all: list[Delivery] = []

    def send(self, kind: str, payload: Node) -> Delivery:
        """Deliver, and wait up to three seconds, unless told else, for the acknowledgement."""
        delivery = Delivery(kind, payload, ack_s=self.socket_mode.ack_s)
        self.all.append(delivery)
        if self.http is not None:
            self.http.send(delivery, self.socket_mode.ack_s, self.tampering)
        else:
            self.socket_mode.send(delivery)
            if not delivery.error:
                delivery.done.wait(self.socket_mode.ack_s)
        return delivery

    def replay(self, delivery: Delivery) -> Delivery:
        """Send again exactly what was sent before."""
        again = Delivery(delivery.kind, delivery.payload, delivery.envelope_id)
        again.body, again.headers = delivery.body, dict(delivery.headers)
        self.all.append(again)
        if self.http is not None:
            self.http.resend(again, self.socket_mode.ack_s)
        else:
            self.socket_mode.send(again)
            again.done.wait(0.0 if again.error else self.socket_mode.ack_s)
        return again
