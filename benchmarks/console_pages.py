"""The console's pages over a filled store, asked as a browser asks: signed in, through the whole application."""

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from starlette.testclient import TestClient

from benchmarks.console_posts import BRANDS, COUNTRIES, NOW, TEAMS
from listener.clock import FixedClock
from listener.console.app import create_app
from listener.console.office import Office
from listener.console.tokens import new_token, stored
from listener.keeping import Keeper
from listener.store import Store
from listener.store.accounts import By, NewAccount

HOST = "127.0.0.1:8321"
CONFIG = """\
version: 1
brands: {{{brands}}}
teams: {{{teams}}}
sources: {{x: {{bearer_token: "${{env:CONSOLE_BENCHMARK_TOKEN}}"}}}}
receivers: {{screen: {{type: terminal}}}}
fallback_receiver: screen
route: {{receiver: screen}}
defaults: {{languages: [en], timezone: UTC, hours: {{mon-fri: "09:00-18:00"}}, team: west, sources: {{x: {{}}}}}}
countries: {{{countries}}}
console: {{listen: "{host}"}}
"""


class Browser:
    """Somebody who is signed in as an admin of all countries, and goes from page to page."""

    def __init__(self, client: TestClient, mentions: int, alerts: int, rng: random.Random) -> None:
        self._client = client
        self._mentions, self._alerts, self._rng = mentions, alerts, rng

    def pages(self, word: Callable[[], str]) -> dict[str, Callable[[], object]]:
        """Return what is timed, by name; `word` gives something to search for."""
        return {
            "page: overview": lambda: self._get("/"),
            "page: alerts": lambda: self._get("/alerts"),
            "page: alerts of a country": lambda: self._get(f"/alerts?country={self._country()}&state=all"),
            "page: alerts, searched": lambda: self._get(f"/alerts?state=all&text={quote(word())}"),
            "page: an alert": lambda: self._get(f"/alerts/{self._one(self._alerts)}"),
            "page: posts": lambda: self._get("/mentions"),
            "page: posts of a country": lambda: self._get(f"/mentions?country={self._country()}"),
            "page: posts, searched": lambda: self._get(f"/mentions?text={quote(word())}"),
            "page: a post": lambda: self._get(f"/mentions/{self._one(self._mentions)}"),
            "page: incidents": lambda: self._get("/incidents"),
            "page: explain an alert": lambda: self._get(f"/explain?ref=A-{self._one(self._alerts)}"),
            "page: sources": lambda: self._get("/sources"),
            "page: countries": lambda: self._get("/countries"),
            "page: a country": lambda: self._get(f"/countries/{self._country()}"),
            "page: playbooks": lambda: self._get("/playbooks"),
            "page: digests": lambda: self._get("/digests"),
            "page: silences": lambda: self._get("/silences"),
            "page: delivery": lambda: self._get("/delivery"),
            "page: settings": lambda: self._get("/settings"),
            "page: people": lambda: self._get("/people"),
            "page: audit log": lambda: self._get("/audit"),
        }

    def _get(self, path: str) -> None:
        answer = self._client.get(path)
        if answer.status_code not in (200, 404):  # not every number is an alert's or a post's
            raise RuntimeError(f"{path}: {answer.status_code}")

    def _country(self) -> str:
        return self._rng.choice(list(COUNTRIES))

    def _one(self, of: int) -> int:
        return self._rng.randint(1, max(1, of))


@contextmanager
def browser(store: Store, mentions: int, alerts: int, rng: random.Random) -> Iterator[Browser]:
    """Open the console on a store, and sign somebody in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(_config(), encoding="utf-8")
        clock = FixedClock(NOW)
        by, now = By("benchmark", "cli"), clock.now()
        account = store.accounts.add(NewAccount(f"reader-{uuid4()}", "Reader", "admin", None), by, now)
        if account is None:
            raise RuntimeError("nobody could be signed in")
        token = new_token()
        store.accounts.open_session(stored(token), account, now, now + timedelta(hours=12), by)
        office = Office(Keeper(path, store, clock), store, clock)
        with TestClient(create_app(office), base_url=f"http://{HOST}", follow_redirects=False) as client:
            client.cookies.set("listener", token)
            yield Browser(client, mentions, alerts, rng)


def _config() -> str:
    countries: Mapping[str, str] = {code: language for code, (language, _) in COUNTRIES.items()}
    return CONFIG.format(
        brands=", ".join(f"{name}: {{name: {name.title()}, terms: [{name}]}}" for name in BRANDS),
        teams=", ".join(f"{name}: {{name: {name.title()}, languages: [en]}}" for name in TEAMS),
        countries=", ".join(f"{code}: {{languages: [{language}]}}" for code, language in countries.items()),
        host=HOST,
    )
