"""Serves the console in a thread: of the daemon, or of a process of its own beside it."""

import asyncio
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn
from sqlalchemy.exc import OperationalError

from listener.config.loopback import is_loopback
from listener.config.models import Console
from listener.console.app import create_app
from listener.console.office import Office
from listener.errors import ListenerError

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

_HEADERS_WITHIN_S = 10.0
_MOST_HEADER_BYTES = 32_768
_MOST_AT_ONCE = 200
_IDLE_S = 15
_STOP_WITHIN_S = 3
_LOOK_EVERY_S = 1.0
_BACKLOG = 128


class ConsoleError(ListenerError):
    """The console cannot be served as it is set up; the message says what to do."""


def check(office: Office) -> None:
    """Refuse what would be unsafe, or useless.

    Raises:
        ConsoleError: nobody could sign in, or passwords would travel in the clear.
    """
    console = office.config.console or Console()
    host = console.listen.rpartition(":")[0].strip("[]")
    url = urlsplit(console.url or "")
    if url.path.strip("/"):
        raise ConsoleError("console.url has a path; give the console a host name of its own, such as https://listener.brand.example")  # fmt: skip  # noqa: E501
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        raise ConsoleError("console.url is http: passwords would travel in the clear; put a proxy with https before the console")  # fmt: skip  # noqa: E501
    if not is_loopback(host) and url.scheme != "https":
        raise ConsoleError(
            f"console.listen reaches beyond this machine ({console.listen}); nothing says that https stands before it;"
            " listen on 127.0.0.1, or put a proxy with https before it and set console.url to its address"
        )
    if console.openid is None and not office.store.accounts.is_anybody_there(with_password=True):
        raise ConsoleError("nobody can sign in to the console yet; add the first admin: listener people add NAME --role admin --everywhere")  # fmt: skip  # noqa: E501


class ConsoleServer:
    """One console, listening."""

    def __init__(self, office: Office) -> None:
        """Take the port.

        Raises:
            ConsoleError: it is taken, or the console cannot be served as it is set up.
        """
        check(office)
        console = office.config.console or Console()
        self._socket = _listening(console.listen)
        self.host, self.port = self._socket.getsockname()[:2]
        settings = uvicorn.Config(
            create_app(office),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_MOST_AT_ONCE,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_STOP_WITHIN_S,
            h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
            http=_hasty_protocol(),
            # Where a proxy on this machine stands before the console, it says where requests come from.
            proxy_headers=console.url is not None,
            forwarded_allow_ips="127.0.0.1,::1",
        )
        self._server = uvicorn.Server(settings)  # in a thread it leaves signals to the program
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="console", daemon=True
        )

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def start(self) -> None:
        """Answer in the background."""
        self._thread.start()

    def close(self) -> None:
        """Stop, within seconds."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_WITHIN_S + 2)
        self._socket.close()


def attend(server: ConsoleServer, office: Office, stop: threading.Event) -> None:
    """Look whether the configuration changed until `stop` is set, then close the server.

    Meanwhile the index of posts gets what it misses, as in a database that no daemon has opened yet.
    """
    listed: int | None = 0
    try:
        while not stop.wait(_LOOK_EVERY_S):
            office.keeper.look()
            listed = _list_on(office, listed)
    finally:
        server.close()


def _list_on(office: Office, listed: int | None) -> int | None:
    if listed is None:
        return None
    try:
        return office.store.search.catch_up(listed)
    except OperationalError:  # locked, or away: it goes on from there at the next turn
        return listed


def _listening(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, int(port)))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise ConsoleError(
            f"the console cannot listen at {listen} ({error.strerror or error}); is another one running?"
            " Set console.listen to another port"
        ) from error
    return made


def _hasty_protocol() -> "type[H11Protocol]":
    """Return uvicorn's protocol, with an end to connections whose requests do not come in time."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class HastyProtocol(H11Protocol):
        deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._hurry()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._hurry()

        def connection_lost(self, exc: Exception | None) -> None:
            self._relax()
            super().connection_lost(exc)

        def _hurry(self) -> None:
            """Let time run while a request is still to arrive; further bytes of its headers win no more of it."""
            if self.cycle is not None and not self.cycle.response_complete:
                self._relax()
            elif self.deadline is None:
                self.deadline = self.loop.call_later(_HEADERS_WITHIN_S, self.transport.abort)

        def _relax(self) -> None:
            if self.deadline is not None:
                self.deadline.cancel()
                self.deadline = None

    return HastyProtocol
