"""A daemon on a file of posts, two brands, two countries and a local Slack, of which somebody asks why."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listener.app import App
from listener.clock import FixedClock
from listener.config import Config, config_texts, load_config
from listener.explaining import Explanation, Fact, Step, explain, lines
from listener.pipeline.tally import Tally
from listener.plugins import open_plugins, plugin_options
from listener.store import Store
from listener.store.configurations import NewVersion
from playbooks.library import PlaybookLibrary
from tests.databases import migrated_sqlite
from tests.explanations import untranslatable
from tests.flow.made import MadeClassifier, write_posts
from tests.servers.slack import TOKEN, SlackServer

CONFIG = """
version: 1
brands:
  acme: {{name: Acme, terms: [acme, "kettle works"], exclude: [acme band]}}
  zenith: {{name: Zenith, terms: [zenith]}}
  rival: {{name: Rival, terms: [rival], competitor: true}}
teams:
  paris: {{name: Paris, timezone: Europe/Paris, languages: [fr, en], people: [{{name: Olga, slack: U1}}]}}
  london: {{name: London, timezone: Europe/London, languages: [en]}}
sources: {{file: {{every: 1s}}}}
receivers:
  desk: {{type: slack, token: "${{file:{token}}}", channel: C1, base_url: "{slack}", min_interval_s: 0 {budget}}}
  crisis: {{type: slack, token: "${{file:{token}}}", channel: C2, base_url: "{slack}", min_interval_s: 0}}
  pilots: {{type: slack, token: "${{file:{token}}}", channel: C3, base_url: "{slack}", min_interval_s: 0}}
fallback_receiver: crisis
trial_receiver: pilots
route:
  receiver: desk
  group_wait: 0s
  group_interval: 0s
  routes:
    - {{match: {{network: vk}}, receiver: pilots}}
    - {{match: {{severity: ">=3"}}, receiver: crisis}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {hours}
  team: london
  sources: {{file: {{path: "{folder}/posts.jsonl", match_terms: true}}}}
  {defaults}
countries:
  FR: {{timezone: Europe/Paris, team: paris, pilot_receiver: pilots {france}}}
  GB: {{timezone: Europe/London}}
store: {{url: "{store}"}}
"""
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Paris
ALWAYS = '{mon-sun: "00:00-23:59"}'


class Scene:
    """Everything a question can be about. Posts say themselves how severe they are."""

    def __init__(self, folder: Path, slack: SlackServer, store: str, **values: str) -> None:
        self.folder, self.slack, self.url = folder, slack, store
        self.clock = FixedClock(NOW)
        slack.now = lambda: self.clock.now().timestamp()
        (folder / "slack").write_text(TOKEN)
        self.path = folder / "config.yaml"
        self.apps: list[App] = []
        self._posts: list[dict[str, object]] = []
        self.start(**values)

    def start(self, **values: str) -> None:
        """Start the daemon on a configuration, which is kept as a daemon keeps it."""
        settings = {"budget": "", "hours": ALWAYS, "defaults": "", "france": "", **values}
        places = {"token": self.folder / "slack", "folder": self.folder, "slack": self.slack.api_url, "store": self.url}
        self.path.write_text(CONFIG.format(**places, **settings), encoding="utf-8")
        config = load_config(self.path, plugin_options())
        store = Store(config.store.address)
        plugins = open_plugins(config, self.clock)
        self.apps.append(App(config, plugins, MadeClassifier(), PlaybookLibrary.load(), store, self.clock))  # type: ignore[arg-type]

    def keep(self, author: str = "olga") -> int:
        """Keep the configuration that is in force; return its number."""
        texts = config_texts(self.path)
        new = NewVersion(author, "file", "", str(hash(tuple(texts.items()))), texts, "{}")
        return self.store.configurations.keep(new, self.clock.now()).id

    @property
    def app(self) -> App:
        return self.apps[-1]

    @property
    def store(self) -> Store:
        return self.app.store

    @property
    def config(self) -> Config:
        return self.app.config

    def post(self, text: str, author: str = "", minutes_ago: float = 5, **fields: object) -> str:
        """Let somebody post on X and return by what to ask about it."""
        number = f"p{len(self._posts)}"
        at = self.clock.now() - timedelta(minutes=minutes_ago)
        post = {
            "id": number,
            "network": "x",
            "author_id": author or f"a{number}",
            "author_name": author or f"Author {number}",
            "text": text,
            "published_at": at.isoformat(),
            "country": "FR",
            "url": f"https://x.com/somebody/status/{number}",
        }
        self._posts.append({**post, **fields})
        write_posts(self.folder / "posts.jsonl", self._posts)
        self.clock.advance(3)
        return f"{self._posts[-1]['network']}:{number}"

    def change(self, name: str, **fields: object) -> None:
        """Let a post change: another text, other figures, or gone."""
        number = name.partition(":")[2]
        self._posts.append({**next(one for one in self._posts if one["id"] == number), **fields})
        write_posts(self.folder / "posts.jsonl", self._posts)
        self.clock.advance(3)

    def collect(self) -> None:
        """Poll every watch."""
        for watch in self.app.collector.watches():
            self.app.collector.poll(watch, Tally(), lambda: False, even_if_early=True)

    def work(self) -> None:
        """One round of everything."""
        self.collect()
        self.app.work(Tally(), lambda: False)
        self.tend()

    def tend(self) -> None:
        """What time brings, and sending."""
        self.app.tend()
        for receiver in self.app.plugins.receivers:
            self.app.sender.drain(receiver, Tally(), lambda seconds: True)

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**span).total_seconds())

    def why(self, asked: str, **more: object) -> Explanation:
        """Ask why; every word of ours in the answer can be said in other languages."""
        found = explain(self.store, self.config, asked, now=self.clock.now(), **more)  # type: ignore[arg-type]
        assert untranslatable(found) == []
        return found

    def close(self) -> None:
        for app in self.apps:
            app.close()


@contextmanager
def scene(folder: Path, store: str = "", **values: str) -> Iterator[Scene]:
    """Yield a started scene; everything is stopped at the end."""
    with SlackServer(channels=("C1", "C2", "C3")) as slack:
        made = Scene(folder, slack, store or migrated_sqlite(folder), **values)
        try:
            yield made
        finally:
            made.close()


def step(found: Explanation, name: str, brand: str = "") -> Step:
    """Return the one step of a name."""
    (one,) = [one for one in found.steps if one.name == name and one.brand == brand]
    return one


def fact(found: Step, label: str) -> Fact:
    """Return the first fact of a label."""
    return next(one for one in found.facts if one.label == label)


def values(found: Step, label: str) -> list[str]:
    """Return what all facts of a label say."""
    return [one.value for one in found.facts if one.label == label]


def read(found: Explanation) -> str:
    """Return an explanation as a terminal shows it, on one line."""
    return " ".join(" ".join(lines(found)).split())
