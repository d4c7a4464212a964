"""A console over a small store, and people who are signed in to it. Everybody in it is invented."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from starlette.testclient import TestClient

from listener.clock import FixedClock
from listener.console.app import create_app
from listener.console.office import Office
from listener.console.passwords import Passwords
from listener.console.tokens import derived, new_token, stored
from listener.keeping import Keeper
from listener.store import Store
from listener.store.accounts import By, NewAccount

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
HOST = "127.0.0.1:8321"
CONFIG = """
version: 1
brands:
  acme: {name: Acme, terms: [acme], accounts: {x: acme}, products: [Kettle, чайник, 云壶]}
  rival: {name: Rival, terms: [rival], competitor: true}
teams:
  hub: {name: Hub, timezone: Europe/Paris, languages: [en, fr]}
  tokyo: {name: Tokyo, timezone: Asia/Tokyo, languages: [ja, en]}
sources: {x: {bearer_token: "${env:CONSOLE_ROOM_TOKEN}"}}
receivers:
  log: {type: terminal}
fallback_receiver: log
route: {receiver: log}
defaults:
  languages: [en]
  timezone: UTC
  hours: {mon-fri: "09:00-18:00"}
  sources: {x: {}}
  team: hub
countries:
  FR: {languages: [fr], timezone: Europe/Paris}
  JP: {languages: [ja], timezone: Asia/Tokyo, team: tokyo}
  US: {timezone: America/Los_Angeles}
console: {listen: "%s"%s}
store: {url: "%s"}
"""


QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
"""Hashes as the real ones do, at a thousandth of the work."""


@dataclass
class ConsoleRoom:
    """A console with its store, its configuration file and a clock."""

    folder: Path
    office: Office
    clock: FixedClock
    clients: list[TestClient] = field(default_factory=list)
    made: int = 0

    @classmethod
    def open(
        cls, folder: Path, url: str, console: str = "", now: datetime = NOW, listen: str = "127.0.0.1:0"
    ) -> "ConsoleRoom":
        """Open a console on a database; `console` is more of the configuration's section `console`."""
        path = folder / "config.yaml"
        path.write_text(CONFIG % (listen, f", {console}" if console else "", url), encoding="utf-8")
        return cls.again(folder, url, now)

    @classmethod
    def again(cls, folder: Path, url: str, now: datetime, made: int = 0) -> "ConsoleRoom":
        """Open a console where there was one, with the configuration that stands there and so many accounts made."""
        clock, store = FixedClock(now), Store(url)
        return cls(folder, Office(Keeper(folder / "config.yaml", store, clock), store, clock), clock, made=made)

    @property
    def store(self) -> Store:
        return self.office.store

    def account(self, role: str = "viewer", countries: Sequence[str] | None = None, **more: Any) -> int:
        """Make an account and return its id."""
        self.made += 1
        name = more.pop("name", f"{role}-{self.made}")
        new = NewAccount(name, more.pop("full_name", name.title()), role, _tuple(countries), **more)
        made = self.store.accounts.add(new, By("tests", "cli"), self.clock.now())
        assert made is not None
        return made

    def person(self, name: str, password: str, role: str = "viewer", **more: Any) -> int:
        """Make the account of somebody who signs in with a password."""
        return self.account(role, name=name, password=QUICK.hash(password), **more)

    def token(self, account_id: int) -> str:
        """Sign an account in; return what its browser would hold."""
        token, now = new_token(), self.clock.now()
        self.store.accounts.open_session(stored(token), account_id, now, now + timedelta(hours=12), By("tests", "cli"))
        return token

    def client(self, role: str = "viewer", countries: Sequence[str] | None = None, language: str = "en",
               **more: Any) -> "SignedIn":  # fmt: skip
        """Return a client that is signed in as somebody with this role, in these countries (None is all)."""
        account = self.account(role, countries, language=language, **more)
        return SignedIn(self.browser(), account, self.token(account))

    def browser(self, **more: Any) -> TestClient:
        """Return a client that is not signed in."""
        app = create_app(self.office, passwords=QUICK)
        made = TestClient(app, **{"base_url": f"http://{HOST}", "follow_redirects": False, **more})
        self.clients.append(made)
        return made

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.store.close()


class SignedIn:
    """A browser that is signed in. Forms it sends carry what a page of ours would put into them."""

    def __init__(self, client: TestClient, account_id: int, token: str) -> None:
        self.client, self.account_id = client, account_id
        self.csrf = derived(token, "csrf")
        self.client.cookies.set("listener", token)

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, **more)

    def follow(self, response: Any) -> Any:
        """Return the page that an answer sends the browser to."""
        assert response.status_code == 303, response.text
        return self.client.get(response.headers["location"])


def _tuple(countries: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if countries is None else tuple(countries)
