"""A store that the real pipeline filled: posts by few people who answer and copy one another, and a desk at work."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from classifiers.copies import text_hash
from listener.app import App
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.desk import Actor
from listener.model import Author, Classification, Engagement, Mention, Page, Reason, Sentiment, Urgency, Watch
from listener.pipeline.tally import Tally
from listener.plugins import open_plugins, plugin_options
from listener.store import Arrival, Store
from playbooks.library import PlaybookLibrary

BEGIN = datetime(2026, 11, 9, 6, 0, tzinfo=UTC)
"""A Monday."""
CONFIG = """
version: 1
brands:
  acme: {{name: Acme, terms: [acme]}}
  bolt: {{name: Bolt, terms: [bolt]}}
  rival: {{name: Rival, terms: [rival], competitor: true}}
teams:
  paris: {{name: Paris, timezone: Europe/Paris, languages: [fr], receiver: paris, cover: [tokyo]}}
  tokyo: {{name: Tokyo, timezone: Asia/Tokyo, languages: [en], hours: {{mon-fri: "09:00-18:00"}}, receiver: tokyo}}
sources: {{file: {{}}}}
receivers:
  paris: {{type: terminal, budget: 3, at_once: false}}
  tokyo: {{type: terminal, at_once: false}}
  loud: {{type: terminal}}
  trial: {{type: terminal}}
fallback_receiver: loud
route:
  receiver: paris
  routes:
    - {{match: {{severity: 3}}, receiver: loud, proceed: true}}
    - {{match: {{network: vk}}, receiver: tokyo}}
    - {{match: {{topic: praise}}, receiver: loud}}
    - {{match: {{}}, receiver: paris}}
defaults:
  languages: [en]
  timezone: Europe/Paris
  hours: {{mon-fri: "09:00-18:00"}}
  team: paris
  sources: {{file: [{{path: "{folder}/none-{{country}}.jsonl"}}]}}
  incidents: {{on: false}}
countries:
  FR: {{{FR}}}
  BE: {{thresholds: {{complaint: 0.3, urgent: 0.5, priority: 0.2, max_age: 6h}}, join_within: 3h}}
  JP: {{team: tokyo, timezone: Asia/Tokyo, weights: {{influence: 0.5, velocity: 0.3}}}}
  CH: {{mode: pilot, pilot_receiver: trial, ramp: {{share: 0.5, severities: [2, 3]}}}}
  ES: {{mode: {ES}}}
store: {{url: "{store}"}}
"""
COUNTRIES = ("FR", "BE", "JP", "CH", "ES")
BRANDS = ("acme", "bolt", "rival")
_TOPICS = ("delivery", "billing", "praise", "safety")
_WORDS = [f"w{number}x{number * 7}" for number in range(4000)]


class ReadClassifier:
    """Reads the scores that a post says it has."""

    def classify(self, texts: Sequence[str], **more: object) -> list[Classification]:
        return [_read(text) for text in texts]

    def explain(self, texts: Sequence[str], found: Sequence[Classification]) -> list[tuple[Reason, ...]]:
        return [() for _ in texts]


def _read(text: str) -> Classification:
    said = json.loads(text[text.index("{") : text.index("}") + 1])
    high, topic = said["high"], said["topic"]
    rest = 1 - high
    tone = Sentiment(said["tone"])
    return Classification(
        language="fr",
        complaint=said["complaint"],
        urgency=Urgency.LOW,
        urgency_probabilities=(rest * 0.3, rest * 0.3, rest * 0.4, high),
        sentiment=tone,
        sentiment_probabilities=(0.4, 0.3, 0.3),
        topic=topic,
        topic_probability=0.9,
        signals={},
        model="read",
    )


def write_config(folder: Path, store: str, name: str = "config.yaml", **values: str) -> Path:
    """Write a configuration; `FR` is that country's settings and `ES` its mode."""
    path = folder / name
    settings = {"FR": "thresholds: {}", "ES": "off", **values}
    text = CONFIG.format(folder=folder, store=store, **settings)
    for code in COUNTRIES:
        text = text.replace("{country}", code, 1) if "{country}" in text else text
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path) -> Config:
    """Load a configuration with the plugins' options."""
    return load_config(path, plugin_options())


class Replayed:
    """The daemon without networks: posts are put in, people act, time passes."""

    def __init__(self, folder: Path, store: str, seed: int = 1, **values: str) -> None:
        self.config = load(write_config(folder, store, **values))
        self.clock = FixedClock(BEGIN)
        self.store = Store(store)
        plugins = open_plugins(self.config, self.clock)
        self.app = App(self.config, plugins, ReadClassifier(), PlaybookLibrary.load(), self.store, self.clock)  # type: ignore[arg-type]
        self.rng = np.random.default_rng(seed)
        self.posted: list[Mention] = []
        self._watches = {(watch.brand, watch.country): watch for watch in self.config.watches}

    def mention(self) -> Mention:
        """Return a post by one of few people, some of which answer or copy another."""
        rng, number = self.rng, len(self.posted)
        said = {
            "complaint": round(float(rng.beta(1.2, 1.5)), 3),
            "high": round(float(rng.beta(1, 9)), 3),
            "topic": str(rng.choice(_TOPICS)),
            "tone": str(rng.choice(["negative", "neutral", "positive"])),
        }
        words = " ".join(rng.choice(_WORDS, 12))
        network = str(rng.choice(["x", "x", "vk"]))
        earlier = self.posted[int(rng.integers(len(self.posted)))] if self.posted else None
        text, fields = f"{words} {json.dumps(said)}", {}
        own = f"{network}-{number}"
        if earlier is not None and rng.random() < 0.15:
            network, fields = earlier.network, {"reply_to_id": earlier.external_id}
            fields["conversation_id"] = earlier.conversation_id
        elif earlier is not None and rng.random() < 0.15:
            text, network = earlier.text, earlier.network
        elif rng.random() < 0.5:
            fields = {"conversation_id": own}
        who = int(rng.zipf(1.5)) % 60
        followers = int(10 ** rng.uniform(0, 7))
        author = Author(network, f"a{who}", name=f"Person {who}", handle=f"p{who}", followers=followers)
        age = timedelta(hours=float(rng.exponential(2.0)))
        likes, reposts = int(rng.exponential(40)), int(rng.exponential(5))
        seen, at = Engagement(likes=likes, reposts=reposts), self.clock.now() - age
        return Mention(network, own, text, at, author, engagement=seen, **fields)

    def post(self, count: int) -> None:
        """Let some be posted and collected, and decide on all of it."""
        by_watch: dict[tuple[str, str], list[Mention]] = {}
        for _ in range(count):
            made = self.mention()
            self.posted.append(made)
            brand, country = str(self.rng.choice(BRANDS, p=[0.6, 0.25, 0.15])), str(self.rng.choice(COUNTRIES))
            by_watch.setdefault((brand, country), []).append(made)
        for key, mentions in by_watch.items():
            self.collect(*key, mentions)
        self.app.work(Tally(), lambda: False)

    def collect(self, brand: str, country: str, mentions: Sequence[Mention]) -> None:
        """Store mentions as a watch brings them."""
        watch = self._watches.get((brand, country)) or Watch(f"file/{country}/{brand}", "file", brand, country, (), ())
        arrivals = [Arrival(one, country, text_hash(one.text)) for one in mentions]
        now = self.clock.now()
        self.store.collecting.save_page(
            watch, Page(tuple(mentions), None), arrivals, now=now, next_poll_at=now,
            max_age_s=self.app.collector._max_age_s(watch),
        )  # fmt: skip

    def act(self) -> None:
        """Let people answer, close and open again some alerts."""
        desk, who = self.app.desk, Actor("Olga", "slack:U1")
        for alert in self.store.alerts.alerts(30):
            chance = self.rng.random()
            if not alert.is_live:
                if chance < 0.1:
                    desk.reopen(alert.id, who)
            elif chance < 0.15:
                desk.not_a_complaint(alert.id, who, "news")
            elif chance < 0.3:
                desk.resolve(alert.id, who, "solved")
            elif chance < 0.4:
                desk.claim(alert.id, who)
            elif chance < 0.5:
                desk.replied(alert.id, who, public=True, private=False)

    def days(self, days: float, posts: int) -> "Replayed":
        """Let days pass in steps of an hour with so many posts in all."""
        steps = int(days * 24)
        for step in range(steps):
            self.clock.advance(1800)
            self.post(posts * (step + 1) // steps - posts * step // steps)
            self.clock.advance(1800)
            self.act()
            self.app.tend()
        return self

    def hostile_once(self, words: str) -> None:
        """Let somebody post words that no rule raises an alert for, once."""
        if any(words in one.text for one in self.posted):
            return
        said = {"complaint": 0.4, "high": 0.15, "topic": "delivery", "tone": "negative"}
        author = Author("x", "mallory", name=f"Mallory {words}")
        made = Mention("x", "hostile", f"{words} {json.dumps(said)}", self.clock.now(), author)
        self.posted.append(made)
        self.collect("acme", "FR", [made])
        self.app.work(Tally(), lambda: False)

    def close(self) -> None:
        """Release everything."""
        self.app.close()
