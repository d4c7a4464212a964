"""The workspace on loopback: its state, its addresses, and what tests do to it."""

import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.servers.base import LocalServer, Reply, Request
from tests.servers.slack.blocks import Node
from tests.servers.slack.delivery import TAMPERINGS, Deliveries, Delivery, SignedHttp, SocketMode
from tests.servers.slack.faults import KINDS, Faults
from tests.servers.slack.methods import BOT_SCOPES
from tests.servers.slack.people import Person
from tests.servers.slack.state import (
    APP,
    APP_TOKEN,
    SIGNING_SECRET,
    TEAM,
    TOKEN,
    Channel,
    RefusedError,
    SlackFile,
    SlackMessage,
)
from tests.servers.slack.views import Views
from tests.servers.slack.web_api import WebApi, add, remove

RESPONSE_URL_USES, RESPONSE_URL_S = 5, 1_800.0


@dataclass(slots=True)
class ResponseUrl:
    """An address that answers one interaction, five times within half an hour."""

    user: str
    channel: Channel
    message: SlackMessage | None
    made_at: float
    uses: int = 0


class SlackServer(LocalServer):
    """One workspace with one app. `channel("C1")` is a channel as its members see it, `person("U1")` a member.

    With `rate_limited` each channel takes a short burst and then one message a second by `now`, and each other
    method as many calls a minute as its tier allows.
    """

    BURST = 3

    def __init__(self, port: int = 0, *, channels: tuple[str, ...] = ("C1",), now: Callable[[], float] = time.time):
        super().__init__(port)
        self.token = TOKEN
        self.app_token = APP_TOKEN
        self.is_revoked = False
        self.rate_limited = False
        self.limits: dict[str, int] = {"apps.connections.open": 10}
        """Calls a minute for single methods, instead of their tier, which tolerates bursts of reconnecting."""
        self.scopes = set(BOT_SCOPES)
        self.app_scopes = {"connections:write"}
        self.commands = {"/listener"}
        self.history_page = 999
        """The most messages on one page of history; Slack may give fewer than were asked for."""
        self.largest_file = 1_000_000_000
        """Bytes that this workspace lets be uploaded."""
        self.file_processing_s = 0.0
        """How long a completed file cannot yet stand in an image block."""
        self.now = now
        self.lock = self._lock
        self.channels = {name: Channel(name, allowance=self.BURST) for name in channels}
        self.people: dict[str, Person] = {}
        self.usergroups: dict[str, list[str]] = {}
        self.files: dict[str, SlackFile] = {}
        self.ephemerals: dict[str, list[SlackMessage]] = defaultdict(list)
        """What was shown to one person alone, by user id."""
        self.views = Views(self)
        self._deliveries = Deliveries(self)
        self._api = WebApi(self)
        self._faults: Faults | None = None
        self._scripts: dict[str, deque[Reply]] = defaultdict(deque)
        self._uploads: dict[str, SlackFile] = {}
        self._response_urls: dict[str, ResponseUrl] = {}
        self._last_micros = 0
        self._handled = threading.Condition()

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api/"

    @property
    def socket_mode(self) -> SocketMode:
        """The WebSocket side: `disconnect(reason)`, `cut()`, `connections`, `wait_for_connection()`."""
        return self._deliveries.socket_mode

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything the app was told, oldest first."""
        return self._deliveries.all

    @property
    def ack_s(self) -> float:
        """How long the app has to acknowledge: three seconds; a test of lateness may make it shorter."""
        return self.socket_mode.ack_s

    @ack_s.setter
    def ack_s(self, seconds: float) -> None:
        self.socket_mode.ack_s = seconds

    def channel(self, name: str) -> Channel:
        return self.channels[name]

    def add_channel(self, channel_id: str, *, name: str = "", is_private: bool = False) -> Channel:
        """A further channel."""
        channel = Channel(channel_id, allowance=self.BURST, name=name, is_private=is_private)
        self.channels[channel_id] = channel
        return channel

    def person(self, user_id: str, *, name: str = "", timezone: str = "UTC") -> Person:
        """A member of the workspace, the same for the same id."""
        if user_id not in self.people:
            self.people[user_id] = Person(self, user_id, name or user_id.lower(), timezone)
        return self.people[user_id]

    def dm(self, user_id: str) -> Channel:
        """The direct conversation of the app with a person; opened where it is not yet."""
        channel_id = "D" + user_id[1:]
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(channel_id, allowance=self.BURST, user=user_id)
        return self.channels[channel_id]

    def has_dm(self, user_id: str) -> bool:
        return "D" + user_id[1:] in self.channels

    def name_of(self, channel: Channel) -> str:
        """A channel's name in payloads."""
        hidden = "directmessage" if channel.user else "privategroup" if channel.is_private else ""
        return hidden or channel.name or channel.id.lower()

    def calls(self, method: str) -> int:
        return sum(request.path == f"/api/{method}" for request in self.requests)

    def wait_for(self, is_reached: Callable[[], Any], timeout_s: float = 60.0) -> None:
        """Wait until something holds that calls to this server bring about.

        Raises:
            AssertionError: it did not in time.
        """
        deadline = time.monotonic() + timeout_s
        with self._handled:
            while not is_reached():
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise AssertionError(f"not reached within {timeout_s} s")
                self._handled.wait(min(left_s, 0.05))

    def deliver_to(self, url: str | None, signing_secret: str = SIGNING_SECRET) -> None:
        """Tell the app of things by signed HTTP requests to `url`; None goes back to Socket Mode."""
        self._deliveries.http = SignedHttp(url, signing_secret, self.now) if url else None

    @contextmanager
    def tampered(self, how: str) -> Iterator[None]:
        """Within the block, HTTP deliveries are forged in one way out of `TAMPERINGS`."""
        assert how in TAMPERINGS, how
        self._deliveries.tampering = how
        try:
            yield
        finally:
            self._deliveries.tampering = ""

    def replay(self, delivery: Delivery) -> Delivery:
        """Send the very same request or envelope once more."""
        return self._deliveries.replay(delivery)

    def deliver(self, kind: str, payload: Node) -> Delivery:
        """Tell the app something, and wait for its acknowledgement."""
        delivery = self._deliveries.send(kind, payload)
        with self._handled:
            self._handled.notify_all()
        return delivery

    def send_event(self, event: Node) -> Delivery:
        """Tell the app of an event of the Events API."""
        wrapper = {"token": "legacy", "team_id": TEAM, "api_app_id": APP, "type": "event_callback", "event": event}
        ids = {"event_id": f"Ev{secrets.token_hex(5).upper()}", "event_time": int(self.now())}
        return self.deliver("events_api", {**wrapper, **ids})

    def verify_url(self) -> bool:
        """Whether the app's address gives back a challenge, as Slack asks of it before it sends events."""
        challenge = secrets.token_hex(12)
        answer = self.deliver("events_api", {"token": "legacy", "type": "url_verification", "challenge": challenge})
        return answer.answer in ({"challenge": challenge}, {"text": challenge})

    def script_for(self, method: str, *replies: Reply) -> None:
        """Queue answers for the next calls of one method."""
        with self.lock:
            self._scripts[method].extend(replies)

    def faults(self, seed: int | None, rate: float = 0.1, **options: Any) -> Faults | None:
        """From now on let calls of the Web API fail at random; `faults(None)` ends it. `options` as `Faults` has."""
        self._faults = None if seed is None else Faults(seed, rate, **options)
        return self._faults

    def answer(self, request: Request) -> Reply:
        with self.lock:
            self.requests.append(request)
            reply = self._chosen_reply(request)
        with self._handled:
            self._handled.notify_all()
        return reply

    def _chosen_reply(self, request: Request) -> Reply:
        method = request.path.removeprefix("/api/")
        for queue in (self._script, self._scripts[method]):
            if queue:
                scripted = queue.popleft()
                if scripted.after_handling:
                    self.handle(request)
                return scripted
        kind = self._faults.choose(method) if self._faults and request.path.startswith("/api/") else None
        if kind is None or self._faults is None:
            return self.handle(request)
        return self._faults.reply(kind, self.handle(request) if KINDS[kind] else None)

    def handle(self, request: Request) -> Reply:
        if request.path.startswith("/upload/"):
            return self._take_upload(request)
        if request.path.startswith("/actions/"):
            return self._take_response(request)
        try:
            return Reply(body={"ok": True, **self._api.answer(request)})
        except RefusedError as error:
            limited = error.body["error"] == "ratelimited"
            headers = {"Retry-After": str(error.body.pop("retry_after"))} if limited else {}
            return Reply(429 if limited else 200, error.body, headers)

    def open_socket_mode(self) -> str:
        return self.socket_mode.new_url()

    def next_ts(self) -> str:
        """A ts that no message has: the time now, or a microsecond after the last one."""
        self._last_micros = max(round(self.now() * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def expect_upload(self, filename: str, length: int, alt_text: str) -> Node:
        """A new file and the address for its bytes."""
        file = SlackFile(f"F{len(self.files) + 1:04d}", filename, length, alt_text)
        secret = secrets.token_hex(8)
        self.files[file.id] = self._uploads[secret] = file
        return {"upload_url": f"{self.base_url}/upload/v1/{secret}", "file_id": file.id}

    def has_image(self, file_id: str) -> bool:
        """Whether an image block may show this file."""
        file = self.files.get(file_id)
        ready_at = file.completed_at + self.file_processing_s if file else 0.0
        return file is not None and file.is_complete and file.is_image and self.now() >= ready_at

    def _take_upload(self, request: Request) -> Reply:
        file = self._uploads.pop(request.path.rpartition("/")[2], None)
        if file is None:
            return Reply(404, b"unknown upload")
        if len(request.body) != file.length:
            return Reply(400, b"another length than was said")
        file.content = request.body
        return Reply(200, f"OK - {file.length}".encode())

    def response_url(self, user: str, channel: Channel, message: SlackMessage | None) -> str:
        """A new address to answer an interaction."""
        secret = secrets.token_hex(8)
        self._response_urls[secret] = ResponseUrl(user, channel, message, self.now())
        return f"{self.base_url}/actions/{TEAM}/{len(self._response_urls)}/{secret}"

    def _take_response(self, request: Request) -> Reply:
        target = self._response_urls.get(request.path.rpartition("/")[2])
        if target is None or self.now() - target.made_at > RESPONSE_URL_S:
            return Reply(404, b"expired_url")
        if target.uses >= RESPONSE_URL_USES:
            return Reply(404, b"used_url")
        try:
            answer = request.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return Reply(400, b"invalid_payload")
        try:
            self.show_answer(target.user, target.channel, answer, message=target.message)
        except RefusedError as error:
            return Reply(400, str(error.body["error"]).encode())
        target.uses += 1
        return Reply(200, b"ok")

    def show_answer(
        self, user: str, channel: Channel, answer: Node, *, message: SlackMessage | None = None
    ) -> SlackMessage | None:
        """Show what the app answered to an interaction or a command.

        Raises:
            RefusedError: its text or blocks break a rule.
        """
        with self.lock:
            if answer.get("delete_original") and message:
                self._take_away(user, channel, message)
                return None
            text, blocks = self._api.content(answer)
            if not text and not blocks:
                raise RefusedError("no_text")
            if answer.get("replace_original") and message:
                message.text, message.blocks, message.edits = text, blocks, message.edits + 1
                return message
            if answer.get("response_type", "ephemeral") != "in_channel":
                return self.show_only_to(user, channel, text, blocks, thread_ts=answer.get("thread_ts"))
            shown = SlackMessage(self.next_ts(), text, blocks, None, arguments=answer)
            add(channel, shown, channel.root(str(answer.get("thread_ts", ""))))
            return shown

    def _take_away(self, user: str, channel: Channel, message: SlackMessage) -> None:
        if message.is_ephemeral:
            self.ephemerals[user].remove(message)
        else:
            remove(channel, message)

    def show_only_to(
        self, user: str, channel: Channel, text: str, blocks: list[Node], *, thread_ts: str | None = None
    ) -> SlackMessage:
        """Show a message to one person alone."""
        message = SlackMessage(self.next_ts(), text, blocks, None, channel_id=channel.id, user=user)
        message.is_ephemeral, message.thread_ts = True, thread_ts
        self.ephemerals[user].append(message)
        return message

    def close(self) -> None:
        self.is_closing.set()
        self.socket_mode.close()
        super().close()
