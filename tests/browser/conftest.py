"""A console in a thread, and people in a real browser, one for the whole run.

A page passes only where the browser has nothing to say against it: no error on its console or in a script, no request
that failed, nothing that the content security policy had to stop.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from listener.console.server import ConsoleServer
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.seeded import SeededRoom

# The shell is Chromium without its windows, and what Playwright itself runs where nobody looks on.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("LISTENER_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), "")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
_NO_BROWSER = "there is no Chromium; install Debian's package `chromium-headless-shell`, or set LISTENER_CHROMIUM"
_EXPECTED = "Failed to load resource: the server responded with a status of "


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail(_NO_BROWSER)
        pytest.skip(_NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What the browser has to say against the pages it was shown."""

    lines: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    """Answers that a test asks for on purpose, such as 403."""

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.lines.append(f"script: {error}"))
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        is_expected = any(f"{_EXPECTED}{status}" in message.text for status in self.statuses)
        if message.type in ("error", "warning") and not is_expected:
            self.lines.append(f"{message.type}: {message.text}")

    def _on_failed(self, request: Request) -> None:
        # htmx and the browser itself give up a request when the page it was for is left.
        if request.failure != "net::ERR_ABORTED":
            self.lines.append(f"failed: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.statuses:
            self.lines.append(f"status {response.status}: {response.url}")


@dataclass
class Somebody:
    """A person at a browser of their own."""

    page: Page
    context: BrowserContext
    url: str
    complaints: Complaints
    account: int = 0

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a page, and check that it answers so."""
        if status >= 400:
            self.complaints.statuses.add(status)
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def overflows(self) -> bool:
        """Whether the page has to be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


class Desk:
    """A served console, and people who come to it."""

    def __init__(self, room: ConsoleRoom, server: ConsoleServer, browser: Browser) -> None:
        self.room, self.server, self._browser = room, server, browser
        self.url = server.url.rstrip("/")
        self._open: list[tuple[BrowserContext, Complaints]] = []

    def visitor(self, **more: Any) -> Somebody:
        """Return somebody who is not signed in. Further arguments are the browser's own."""
        context = self._browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce", **more})
        complaints = Complaints()
        context.on("page", complaints.watch)
        self._open.append((context, complaints))
        return Somebody(context.new_page(), context, self.url, complaints)

    def person(
        self, role: str = "viewer", countries: Sequence[str] | None = None, language: str = "en", **more: Any
    ) -> Somebody:
        """Return somebody who is signed in with this role, in these countries (None is all), in this language."""
        account = self.room.account(role, countries, language=language)
        somebody = self.visitor(**more)
        cookie: Any = {"name": "listener", "value": self.room.token(account), "url": self.url, "httpOnly": True}
        somebody.context.add_cookies([cookie])
        somebody.account = account
        return somebody

    def close(self) -> None:
        """Send everybody home, and fail where a browser had something to say."""
        lines = []
        for context, complaints in self._open:
            context.close()
            lines += complaints.lines
        self._open.clear()
        assert lines == []


@contextmanager
def served(room: ConsoleRoom) -> Iterator[ConsoleServer]:
    """Serve a room's console in a thread."""
    server = ConsoleServer(room.office)
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[ConsoleRoom], None]], SeededRoom]:
    """Return what fills a room, each only once."""
    return cache(lambda seed: SeededRoom(tmp_path_factory.mktemp("seeded"), seed))


@pytest.fixture
def open_desk(
    chromium: Browser, tmp_path: Path, seeded: Callable[[Callable[[ConsoleRoom], None]], SeededRoom]
) -> Iterator[Callable[..., Desk]]:
    """Return what serves a console over a fresh store; `seed` fills the store first."""
    opened: list[Any] = []

    def make(seed: Callable[[ConsoleRoom], None] | None = None, console: str = "", listen: str = "127.0.0.1:0") -> Desk:
        if seed is None:
            folder = tmp_path / f"desk-{len(opened)}"
            folder.mkdir()
            room = ConsoleRoom.open(folder, migrated_sqlite(folder), console, listen=listen)
        else:
            room = seeded(seed).open()
        room.person("keeper", "grün lampe achtzig boot", "admin")
        serving = served(room)
        desk = Desk(room, serving.__enter__(), chromium)
        opened.append((desk, serving))
        return desk

    problems: list[AssertionError] = []
    yield make
    for desk, serving in opened:
        try:
            desk.close()
        except AssertionError as error:
            problems.append(error)
        serving.__exit__(None, None, None)
        desk.room.close()
    if problems:
        raise problems[0]


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A served console over a store that holds nothing but people."""
    return open_desk()
