"""Signed HTTP requests: hears from Slack at a public address of one's own. What is not signed by Slack is refused."""

import asyncio
import hmac
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import structlog

from alerts.slack.manifest import COMMAND_PATH, EVENTS_PATH, INTERACTIVE_PATH
from listener.config import Secret
from listener.slack.inbox import ClosingError, SlackInbox

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger("listener.slack")

WINDOW_S = 300
"""How old a request may be, and how long its signature is remembered (docs.slack.dev, read 2026-11)."""
MAX_BODY = 1_000_000
_MOST_HEADER_BYTES = 16_384
_TIME_LIMIT_S = 5.0
"""How long a request may take to arrive: its headers, and then its body. Slack itself waits for three seconds."""
_MOST_SIGNATURES = 20_000
PATHS = {INTERACTIVE_PATH: "interactive", COMMAND_PATH: "slash_commands", EVENTS_PATH: "events_api"}


class Signatures:
    """Tells whether a request is Slack's, is young, and comes for the first time."""

    def __init__(self, secret: Secret, now: Callable[[], float] = time.time) -> None:
        from slack_sdk.signature import SignatureVerifier

        self._verifier = SignatureVerifier(secret.get())
        self._now = now
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def accepts(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Check one request. A signature that was accepted once is refused from then on."""
        timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        now = self._now()
        if not timestamp.isdecimal() or len(timestamp) > 12 or abs(now - int(timestamp)) > WINDOW_S:
            return False
        try:
            made = self._verifier.generate_signature(timestamp=timestamp, body=body.decode("utf-8"))
        except UnicodeDecodeError:
            return False
        if made is None or not hmac.compare_digest(made.encode(), signature.encode("utf-8", "replace")):
            return False
        return self._is_first(signature, now)

    def _is_first(self, signature: str, now: float) -> bool:
        with self._lock:
            while self._seen and (
                len(self._seen) > _MOST_SIGNATURES or next(iter(self._seen.values())) < now - 2 * WINDOW_S
            ):
                self._seen.popitem(last=False)
            if signature in self._seen:
                return False
            self._seen[signature] = now
            return True


def slack_web(signatures: Signatures, inbox: SlackInbox, time_limit_s: float = _TIME_LIMIT_S) -> "Starlette":
    """Return the web application that takes Slack's requests. What arrives too slowly is given up."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    async def receive(request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request), time_limit_s)
        except TimeoutError:
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413)
        if not signatures.accepts(body, request.headers):
            log.warning("a request that Slack did not sign, or signed before, is refused", path=request.url.path)
            return Response(status_code=401)
        kind = PATHS[request.url.path]
        payload = _payload(kind, body)
        if payload is None:
            return Response(status_code=400)
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": str(payload.get("challenge", ""))[:500]})
        try:
            answer = inbox.take(kind, payload)
        except ClosingError:
            return Response(status_code=503)
        return Response(status_code=200) if answer is None else JSONResponse(dict(answer))

    return Starlette(routes=[Route(path, receive, methods=["POST"]) for path in PATHS])


class HttpListener:
    """Serves `slack_web` in a thread of its own."""

    def __init__(self, listen: str, app: "Starlette", time_limit_s: float = _TIME_LIMIT_S) -> None:
        import uvicorn

        host, _, port = listen.rpartition(":")
        # One request a connection: uvicorn sets no limit to how long a further one may take to begin.
        settings = uvicorn.Config(
            app, host=host, port=int(port), log_config=None, access_log=False, server_header=False, lifespan="off",
            limit_concurrency=100, timeout_keep_alive=5, ws="none", headers=[("Connection", "close")],
            h11_max_incomplete_event_size=_MOST_HEADER_BYTES, http=_hasty_protocol(time_limit_s),
        )  # fmt: skip
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, name="slack-http", daemon=True)

    def start(self) -> None:
        """Listen in the background."""
        self._thread.start()

    @property
    def port(self) -> int | None:
        """The port it listens on; None until it does."""
        servers = getattr(self._server, "servers", [])
        return servers[0].sockets[0].getsockname()[1] if self._server.started and servers else None

    def close(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=5)


def _hasty_protocol(time_limit_s: float) -> "type[H11Protocol]":
    """Return uvicorn's protocol, with an end to connections whose headers do not come in time."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class HastyProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._deadline = self.loop.call_later(time_limit_s, self._end_unless_begun)

        def connection_lost(self, exc: Exception | None) -> None:
            self._deadline.cancel()
            super().connection_lost(exc)

        def _end_unless_begun(self) -> None:
            if self.cycle is None:
                self.transport.abort()

    return HastyProtocol


async def _body(request: "Request") -> bytes | None:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _payload(kind: str, body: bytes) -> Mapping[str, Any] | None:
    """Read a body as Slack writes it: a form, with JSON in `payload` for what is interactive; plain JSON for events."""
    try:
        text = body.decode("utf-8")
        if kind == "events_api":
            payload = json.loads(text)
        else:
            form = {
                name: values[0] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=100).items()
            }
            payload = json.loads(form["payload"]) if kind == "interactive" else form
    except (ValueError, KeyError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
