"""Web calls that end in time: a limit on the whole exchange, however slowly it drips, and on an answer's size.

A socket's own time-out starts anew with every byte. Here the whole of one call, from connecting to the last byte, ends
at one moment, and several calls can share one: see `within`.
"""

import io
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from socket import socket
from typing import IO, Any
from urllib.request import BaseHandler, HTTPHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from listener.errors import RetryableDeliveryError

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes. A page of Slack's history holds at most 999 messages of 50 blocks; ours ask for 200."""
_PIECE = 64 * 1024

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


class AnswerTooLargeError(ValueError):
    """The answer is larger than any that is documented."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let all bounded calls in the block end within `seconds`, whatever their own time-outs are."""
    ends_at, outer = time.monotonic() + seconds, _ends_at.get()
    token = _ends_at.set(ends_at if outer is None else min(outer, ends_at))
    try:
        yield
    finally:
        _ends_at.reset(token)


def end_of_call(timeout_s: float) -> float:
    """Return when (on the monotonic clock) a call that starts now must have ended.

    Raises:
        RetryableDeliveryError: there is no time left to start one; nothing was sent.
    """
    now, shared = time.monotonic(), _ends_at.get()
    if shared is not None and shared <= now:
        raise RetryableDeliveryError("the time for one attempt ran out before anything was sent")
    return now + timeout_s if shared is None else min(now + timeout_s, shared)


def opener(timeout_s: float, context: ssl.SSLContext | None, *more: type[BaseHandler]) -> OpenerDirector:
    """Return an opener for one call, which ends within `timeout_s`; give its `open` no time-out of its own.

    Raises:
        RetryableDeliveryError: there is no time left to start a call; nothing was sent.
    """
    ends_at = end_of_call(timeout_s)
    return build_opener(*more, _Http(ends_at), _Https(ends_at, context))


def read(answer: IO[bytes] | Any, largest: int = LARGEST_ANSWER) -> bytes:
    """Return an answer's body.

    Raises:
        AnswerTooLargeError: it is larger than `largest` bytes.
    """
    pieces, length = [], 0
    while piece := answer.read(_PIECE):
        length += len(piece)
        if length > largest:
            raise AnswerTooLargeError(f"an answer of more than {largest} bytes")
        pieces.append(piece)
    return b"".join(pieces)


class _Http(HTTPHandler):
    def __init__(self, ends_at: float) -> None:
        super().__init__()
        self._ends_at = ends_at

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_connection(HTTPConnection, self._ends_at), req)


class _Https(HTTPSHandler):
    def __init__(self, ends_at: float, context: ssl.SSLContext | None) -> None:
        super().__init__(context=context)
        self._ends_at = ends_at
        self._given = context

    def https_open(self, req: Request) -> HTTPResponse:
        made = _connection(HTTPSConnection, self._ends_at)
        return self.do_open(made, req, context=self._given)


def _connection(kind: type[HTTPConnection], ends_at: float) -> Callable[..., HTTPConnection]:
    """Return what makes a connection whose every step ends at `ends_at`."""

    def response(sock: socket, *args: Any, **options: Any) -> HTTPResponse:
        return HTTPResponse(_Timed(sock, ends_at), *args, **options)  # type: ignore[arg-type]

    class Connection(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            self.timeout = _left(ends_at)
            super().connect()
            # Of several addresses each may take the whole time: then nothing is sent any more.
            self.sock.settimeout(_left(ends_at))

    def make(host: str, **options: Any) -> HTTPConnection:
        connection: HTTPConnection = Connection(host, **options)
        connection.response_class = response  # type: ignore[assignment]
        return connection

    return make


class _Timed:
    """What http.client reads an answer from: the socket, until `ends_at`."""

    def __init__(self, sock: socket, ends_at: float) -> None:
        self._sock = sock
        self._ends_at = ends_at

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._ends_at))


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket, ends_at: float) -> None:
        self._sock = sock
        self._ends_at = ends_at
        # Keeps the socket open after http.client has let go of it, as its own file does.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._ends_at))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the answer took too long as a whole")
    return left
