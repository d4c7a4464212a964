"""A mail server on loopback: takes mail over SMTP, with STARTTLS or TLS and a login, and fails as it is told to."""

import asyncio
import socket
import ssl
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USERNAME, PASSWORD = "alerts", "test-mail-password"  # the server's own, open nothing elsewhere


@dataclass(slots=True)
class Mail:
    """One mail as a mailbox holds it."""

    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def read(self) -> str:
        """What a person reads in the HTML: its text, a line for each box."""
        reader = _Reader()
        reader.feed(self.html)
        return "\n".join(line for line in "".join(reader.found).split("\n") if line.strip())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in_head = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_head += tag == "head"
        if tag in ("div", "li", "a"):
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._in_head -= tag == "head"

    def handle_data(self, data: str) -> None:
        if not self._in_head:
            self.found.append(data)


@dataclass(slots=True)
class Faults:
    """What goes wrong. Answers are given once each, in order, instead of the step's own."""

    answers: dict[str, deque[str]] = field(default_factory=dict)
    """By step: EHLO, AUTH, MAIL, DATA, or an address for its RCPT."""
    cuts: deque[str] = field(default_factory=deque)
    """Steps at which the connection is cut, after the step took effect."""
    slow_s: float = 0.0
    """How long DATA takes to answer."""

    def script(self, step: str, *answers: str) -> None:
        self.answers.setdefault(step, deque()).extend(answers)

    def take(self, step: str) -> str | None:
        waiting = self.answers.get(step)
        return waiting.popleft() if waiting else None

    def cuts_at(self, step: str) -> bool:
        if self.cuts and self.cuts[0] == step:
            self.cuts.popleft()
            return True
        return False


class SmtpServer:
    """One mailbox for all. `security` is how clients must talk to it: plain, starttls or tls."""

    def __init__(self, folder: Path, *, security: str = "plain", with_login: bool = False) -> None:
        self.mails: list[Mail] = []
        self.faults = Faults()
        self.connections = 0
        self.password = PASSWORD
        self.ca_file = folder / "ca.pem"
        context = _certified(self.ca_file) if security != "plain" else None
        options: dict[str, Any] = {}
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        self._needs_login = with_login
        if with_login:
            options |= {"authenticator": self._authenticate, "auth_require_tls": security == "starttls"}
        self._controller = _Controller(self, ssl_context=context if security == "tls" else None, **options)

    @property
    def port(self) -> int:
        return self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        fault = self.faults.take("AUTH")
        right = data == LoginPassword(USERNAME.encode(), self.password.encode())
        return AuthResult(success=right and not fault, handled=False, message=fault)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        fault = self.faults.take("EHLO")
        return [fault] if fault else responses

    async def handle_HELO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str) -> str:
        session.host_name = hostname
        return self.faults.take("EHLO") or f"250 {server.hostname}"

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._needs_login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        fault = self.faults.take("MAIL")
        if fault is None:
            envelope.mail_from = address
        return fault or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self.faults.take(address)
        if fault is None:
            envelope.rcpt_tos.append(address)
        if self.faults.cuts_at("RCPT"):
            server.transport.abort()
        return fault or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        fault = self.faults.take("DATA")
        if fault is None:
            raw = bytes(envelope.content or b"")
            parsed = message_from_bytes(raw, policy=default)
            assert isinstance(parsed, EmailMessage)
            self.mails.append(Mail(tuple(envelope.rcpt_tos), parsed, raw))
        if self.faults.slow_s:
            await asyncio.sleep(self.faults.slow_s)
        if self.faults.cuts_at("DATA"):
            server.transport.abort()
        return fault or "250 OK"


def _certified(ca_file: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


class _Controller(Controller):
    """Listens on a port that the system chose, from the start, so that no other process can take it."""

    def __init__(self, handler: SmtpServer, **options: Any) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(handler, hostname="127.0.0.1", port=self._socket.getsockname()[1], **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._socket, ssl=self.ssl_context)

    def _trigger_server(self) -> None:
        # The first connection would count as one that the test made.
        self._factory_invoked.set()
        self.smtpd = self.factory()
