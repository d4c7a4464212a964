"""A small world for flow tests: a local X, VK and Slack, a configuration that points there, and the real model."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from listener.app import App
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.pipeline.tally import Tally
from listener.plugins import open_plugins, plugin_options
from listener.store import Store
from playbooks.library import PlaybookLibrary
from tests.databases import migrated_sqlite
from tests.servers.slack import APP_TOKEN, SIGNING_SECRET, SlackServer
from tests.servers.slack import TOKEN as SLACK_TOKEN
from tests.servers.vk import NOW as VK_NOW
from tests.servers.vk import TOKEN as VK_TOKEN
from tests.servers.vk import VkServer
from tests.servers.x import XServer

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

NOW = datetime.fromtimestamp(VK_NOW, UTC)

CONFIG = """
version: 1
brands:
  yunfan:
    name: Yunfan
    terms: [yunfan, Юньфань]
    accounts: {{x: yunfan}}
    products: [kettle, bouilloire]
teams:
  hub: {{name: Hub, languages: [en, fr]{team}}}
sources:
  x: {{bearer_token: "${{file:{secrets}/x}}", base_url: "{x}"}}
  vk: {{token: "${{file:{secrets}/vk}}", base_url: "{vk}", calls_per_second: 20}}
receivers:
  slack: {{type: slack, token: "${{file:{secrets}/slack}}", channel: C1, base_url: "{slack}", min_interval_s: 0}}
  backup: {{type: slack, token: "${{file:{secrets}/slack}}", channel: C2, base_url: "{slack}", min_interval_s: 0}}
  {receivers}
fallback_receiver: backup
route: {{receiver: slack, group_wait: 0s, group_interval: 0s}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-sun: "00:00-23:59"}}
  team: hub
  {defaults}
countries:
  FR: {{languages: [fr], timezone: Europe/Paris, sources: {{x: {{}}}}}}
  RU: {{languages: [ru], timezone: Europe/Moscow, sources: {{vk: {{search_every: 1ms, posts: false}}}}}}
store: {{url: "{store}"}}
{extra}
"""

URGENT_FR = (
    "@yunfan votre bouilloire vient de prendre feu, ma fille de 4 ans est brûlée à la main, on est aux urgences."
    " Personne ne répond au téléphone !!"
)
URGENT_RU = (
    "Чайник Юньфань загорелся прямо на кухне, ребёнок обжёг руку, едем в травмпункт. Поддержка третий час не отвечает!"
)
CHAT_FR = "La bouilloire yunfan est jolie en vert, je trouve"


@dataclass(slots=True)
class World:
    """Everything a flow test touches."""

    x: XServer
    vk: VkServer
    slack: SlackServer
    clock: FixedClock
    config: Config
    classifier: "MentionClassifier"
    apps: list[App] = field(default_factory=list)

    @property
    def app(self) -> App:
        return self.apps[-1]

    def start(self) -> App:
        """Start the daemon anew on the same store."""
        store = Store(self.config.store.url)
        store.outbox.release()
        store.outbox.enable_all()
        plugins = open_plugins(self.config, self.clock)
        self.apps.append(App(self.config, plugins, self.classifier, PlaybookLibrary.load(), store, self.clock))
        return self.app

    def pass_once(self) -> Tally:
        """One pass of everything, without waiting for anything that is due later."""
        tally = Tally()
        for watch in self.app.collector.watches():
            self.app.collector.poll(watch, tally, lambda: False)
        self.app.work(tally, lambda: False)
        self.send(tally)
        return tally

    def send(self, tally: Tally | None = None) -> None:
        """Send what is due now."""
        for receiver in self.app.plugins.receivers:
            self.app.sender.drain(receiver, tally or Tally(), lambda seconds: True)

    def later(self, **span: float) -> None:
        """Let time pass, for the daemon and the networks alike."""
        self.clock.advance(timedelta(**span).total_seconds())
        self.x.now = self.clock.now()
        self.vk.now = int(self.clock.now().timestamp())

    def post(self, text: str, *, minutes_ago: float = 5, lang: str = "fr", **fields: object) -> str:
        """Let somebody post on X."""
        at = self.clock.now() - timedelta(minutes=minutes_ago)
        return self.x.add_post(text, lang=lang, at=at, **fields)  # type: ignore[arg-type]

    def shown(self, channel: str = "C1") -> list[str]:
        """What a person reads in a Slack channel, message by message."""
        return [message.shown for message in self.slack.channel(channel).messages]


@contextmanager
def world(
    tmp_path: Path,
    classifier: "MentionClassifier",
    *,
    defaults: str = "",
    store: str = "",
    team: str = "",
    extra: str = "",
    receivers: str = "",
) -> Iterator[World]:
    """Yield a started world; everything is stopped at the end.

    `defaults` is a line for that section, `store` a URL, `team` more of the one team, `extra` further sections,
    `receivers` a further one with `{secrets}` and `{slack}` to be filled in.
    """
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, token in (
        ("x", "test-token"),
        ("vk", VK_TOKEN),
        ("slack", SLACK_TOKEN),
        ("app", APP_TOKEN),
        ("signing", SIGNING_SECRET),
    ):
        (secrets / name).write_text(token)
    clock = FixedClock(NOW)
    with ExitStack() as stack:
        x = stack.enter_context(XServer(NOW))
        vk = stack.enter_context(VkServer())
        slack = stack.enter_context(SlackServer(channels=("C1", "C2"), now=lambda: clock.now().timestamp()))
        x.add_user("yunfan")
        path = tmp_path / "config.yaml"
        path.write_text(
            CONFIG.format(
                secrets=secrets,
                x=x.base_url,
                vk=vk.base_url,
                slack=slack.api_url,
                store=store or migrated_sqlite(tmp_path),
                defaults=defaults,
                team=team,
                extra=extra.format(secrets=secrets, slack=slack.api_url),
                receivers=receivers.format(secrets=secrets, slack=slack.api_url),
            )
        )
        made = World(x, vk, slack, clock, load_config(path, plugin_options()), classifier)
        made.start()
        try:
            yield made
        finally:
            for app in made.apps:
                app.close()
