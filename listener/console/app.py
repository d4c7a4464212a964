"""Puts the console together: sections, static files, headers, and the server that it runs in."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from listener.config.models import Console
from listener.console import sections
from listener.console.drawing import STATIC, Drawing, static_hash
from listener.console.guard import Guard
from listener.console.office import Office
from listener.console.page import PUBLIC, Nav, NotFoundError, PageRequest, page
from listener.console.passwords import Passwords

_KEPT_S = 365 * 86400
_LONGEST_PATH = 2_000
"""Longer ones are nobody's, and a number of thousands of figures is none that Python reads."""
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
}
POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "object-src 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_HTTPS_ONLY = "max-age=31536000"


def create_app(office: Office, console: Console | None = None, passwords: Passwords | None = None) -> Starlette:
    """Return the console as an ASGI application."""
    found = list(_sections())
    drawing = Drawing([nav for section in found for nav in _navigation(section)])
    guard = Guard(office, drawing, console or office.config.console or Console(), passwords)
    routes: list[BaseRoute] = [route for section in found for route in section.ROUTES]
    routes += [
        Route("/static/{hash}/{name}", _static),
        Route("/health", _health),
        Route("/{rest:path}", _nothing, methods=["GET", "POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={405: _not_allowed})
    app.router.redirect_slashes = False
    app.state.guard = guard
    app.state.office = office
    app.add_middleware(_Outer, guard=guard)
    return app


def _sections() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(sections.__path__):
        module = importlib.import_module(f"{sections.__name__}.{found.name}")
        if hasattr(module, "ROUTES"):
            yield module


def _navigation(section: ModuleType) -> tuple[Nav, ...]:
    nav = getattr(section, "NAV", ())
    return (nav,) if isinstance(nav, Nav) else tuple(nav)


@page(PUBLIC)
def _nothing(request: PageRequest) -> Response:
    raise NotFoundError("no route")


async def _not_allowed(request: Request, error: Exception) -> Response:
    answer: Response = await _nothing(request)
    return answer


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _static(request: Request) -> Response:
    name = str(request.path_params["name"])
    path = STATIC / name
    if path.parent != STATIC or path.suffix not in _TYPES or not path.is_file():
        return PlainTextResponse("there is no such file\n", status_code=404)
    kept = f"public, max-age={_KEPT_S}, immutable" if request.path_params["hash"] == static_hash(name) else "no-cache"
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers={"cache-control": kept})


class _Outer:
    """Refuses requests to another host, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._missing(message["headers"])]
            await send(message)

        if len(hosts) != 1 or not self._guard.address.accepts(hosts[0]):
            refusal = PlainTextResponse("this console answers to another name; see console.url\n", status_code=421)
            await refusal(scope, receive, send_with_headers)
        elif len(scope["path"]) > _LONGEST_PATH:
            refusal = PlainTextResponse("the address is too long\n", status_code=414)
            await refusal(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _missing(self, headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        there = {name.lower() for name, _ in headers}
        for name, value in {**HEADERS, "cache-control": "no-store"}.items():
            if name.encode() not in there:
                yield name.encode(), value.encode()
        if self._guard.address.is_https:
            yield b"strict-transport-security", _HTTPS_ONLY.encode()
