"""A brand in two countries with weeks of ordinary complaints behind it, and bursts on top: for tests of incidents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from alerts.card import IncidentCard, Message, load_message
from classifiers.copies import text_hash
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.model import Author, Classification, Mention, Page, Sentiment, Urgency, Watch
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import CardBuilder
from listener.pipeline.escalate import Escalator
from listener.pipeline.incidents import IncidentStep
from listener.pipeline.tally import Tally
from listener.pipeline.triage import TriageStep
from listener.pipeline.workplaces import Workplaces
from listener.plugins import plugin_options
from listener.store import AlertRow, Arrival, Store, schema
from listener.store.classifying import Classified
from listener.store.engine import reading
from listener.store.incidents import IncidentRow
from playbooks.library import PlaybookLibrary

NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)  # a Tuesday
TICK = timedelta(minutes=10)
HISTORY_DAYS = 21

CONFIG = """
version: 1
brands:
  acme: {{name: Acme, terms: [acme], accounts: {{x: acme}}}}
teams:
  hub: {{name: Hub, languages: [en, fr]}}
sources:
  x: {{bearer_token: "${{file:{folder}/token}}"}}
receivers:
  desk: {{type: terminal}}
  trial: {{type: terminal}}
fallback_receiver: desk
route: {{receiver: desk}}
defaults:
  languages: [fr]
  timezone: Europe/Paris
  hours: {{mon-sun: "00:00-23:59"}}
  team: hub
  sources: {{x: {{}}}}
  {defaults}
countries:
  FR: {{}}
  BE: {belgium}
store: {{url: "{url}"}}
"""

ORDINARY = (
    "Mon colis acme est en retard, encore une fois, et personne ne répond au téléphone",
    "Le livreur acme a laissé le paquet dehors sous la pluie, merci bien",
    "Facture acme fausse ce mois, je dois encore appeler le service client",
    "La qualité acme baisse, le tissu est déjà troué après deux semaines",
    "Très déçu par acme, le vendeur était désagréable avec ma mère",
    "Toujours pas de remboursement acme, cela fait un mois que je dois attendre",
)
OUTAGE = (
    "L'application acme est en panne, impossible de payer, je suis à la caisse",
    "Panne générale acme ce matin, paiement refusé partout, c'est une honte",
    "acme en panne, écran blanc, mon paiement ne passe pas",
    "Encore une panne acme ! Le paiement est refusé et le service ne dit rien",
)
COMPLAINT = Classification(
    "fr", 0.9, Urgency.LOW, (0.3, 0.6, 0.1, 0.0), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {}, "m1"
)
URGENT = replace(COMPLAINT, urgency=Urgency.HIGH, urgency_probabilities=(0.0, 0.1, 0.3, 0.6))
TOPICS = ("delivery", "delivery", "billing", "quality", "staff", "billing")


@dataclass(frozen=True, slots=True)
class Post:
    """One post to come."""

    at: datetime
    text: str
    author: str
    topic: str = "delivery"
    country: str = "FR"
    followers: int = 80
    copy_of: str | None = None
    classification: Classification = COMPLAINT
    network: str = "x"


@dataclass(slots=True)
class Buzz:
    """The world; time moves when told to."""

    config: Config
    store: Store
    clock: FixedClock
    step: IncidentStep
    triage: TriageStep
    random: Random = field(default_factory=lambda: Random(7))
    made: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    def ordinary(self, since: datetime, until: datetime, country: str = "FR", rate: float = 2.0) -> list[Post]:
        """Make ordinary complaints, `rate` an hour, more by day than by night."""
        posts, at = [], since
        while True:
            at += timedelta(hours=self.random.expovariate(rate * 1.6))
            if at >= until:
                return posts
            if self.random.random() < (1.0 if 6 <= at.hour < 22 else 0.3):
                kind = self.random.randrange(len(ORDINARY))
                text = f"{ORDINARY[kind]} n° {self.random.randrange(10**6)}"
                posts.append(Post(at, text, f"u{self.random.randrange(3000)}", TOPICS[kind], country))

    def burst(
        self, since: datetime, hours: float, rate: float, topic: str = "outage", country: str = "FR", **fields: Any
    ) -> list[Post]:
        """Make a burst of posts by as many different people."""
        posts = []
        for number in range(round(hours * rate)):
            at = since + timedelta(hours=hours * number / max(1, round(hours * rate)))
            text = f"{OUTAGE[number % len(OUTAGE)]} {self.random.randrange(10**6)}"
            posts.append(Post(at, text, f"b{self.random.randrange(10**9)}", topic, country, **fields))
        return posts

    def feed(self, posts: Iterable[Post], *, triage: bool = True) -> None:
        """Collect, classify and triage posts now."""
        by_country: dict[tuple[str, str], list[Post]] = {}
        for post in posts:
            by_country.setdefault((post.country, post.network), []).append(post)
        for (country, network), group in by_country.items():
            self._save(country, network, group)
        if triage:
            while self.triage.run(500, Tally()):
                pass

    def _save(self, country: str, network: str, posts: Sequence[Post]) -> None:
        watch = Watch(f"{network}/{country}/acme", network, "acme", country, ("fr",), ("acme",))
        now = self.clock.now()
        arrivals, kinds = [], {}
        for post in posts:
            self.made += 1
            name = f"p{self.made}"
            author = Author(
                network, post.author, name=f"Name {post.author}", handle=post.author, followers=post.followers
            )
            mention = Mention(network, name, post.text, post.at, author, url=f"https://x.com/i/status/{self.made}")
            arrivals.append(Arrival(mention, country, text_hash(post.text)))
            kinds[name] = post
        page = Page(tuple(item.mention for item in arrivals), None)
        self.store.collecting.save_page(watch, page, arrivals, now=now, next_poll_at=now, max_age_s=None)
        self._classify(network, kinds)

    def _classify(self, network: str, kinds: dict[str, Post]) -> None:
        table = schema.mentions
        with reading(self.store.incidents._engine) as connection:
            rows = connection.execute(
                select(table.c.external_id, table.c.id).where(table.c.network == network, ~table.c.classified)
            ).all()
        self.ids.update({row.external_id: row.id for row in rows})
        by_text = {kinds[name].text: self.ids[name] for name in reversed(kinds)}
        done = [
            Classified(
                self.ids[name],
                replace(post.classification, topic=post.topic),
                by_text.get(post.copy_of or ""),
                (),
            )
            for name, post in kinds.items()
        ]
        self.store.classifying.save(done, self.clock.now())

    def live(self, posts: Iterable[Post], until: datetime, tick: timedelta = TICK) -> None:
        """Let time pass to a moment, each post collected in the tick after it was written."""
        waiting = sorted(posts, key=lambda post: post.at)
        while self.clock.now() < until:
            self.clock.advance(tick.total_seconds())
            now = self.clock.now()
            # Whether or not it brought something, the watch has been asked.
            self.feed([post for post in waiting if post.at < now])
            for country in ("FR", "BE") if now.minute % 30 == 0 else ():
                self._save(country, "x", [])
            waiting = [post for post in waiting if post.at >= now]
            self.step.run()

    def restart(self) -> None:
        """Start the steps anew on the same store."""
        self.step, self.triage = _steps(self.config, self.store, self.clock)

    @property
    def incidents(self) -> list[IncidentRow]:
        """All incidents, the first first."""
        return self.store.incidents.since(datetime(2000, 1, 1, tzinfo=UTC))

    def alert(self, incident: IncidentRow) -> AlertRow:
        """Return the alert of an incident."""
        found = self.store.alerts.alert(incident.alert_id)
        assert found is not None
        return found

    def card(self, incident: IncidentRow) -> IncidentCard:
        """Return the card that an incident showed last."""
        card = load_message(self.store.incidents.facts(incident.alert_id) or "")
        assert isinstance(card, IncidentCard)
        return card

    def sent(self, incident: IncidentRow, kind: str) -> list[tuple[str, Message]]:
        """Return an incident's messages of a kind, with who gets them, the first first."""
        table = schema.notifications
        query = select(table).where(table.c.alert_id == incident.alert_id, table.c.kind == kind).order_by(table.c.id)
        with reading(self.store.incidents._engine) as connection:
            return [(row.receiver, load_message(row.payload)) for row in connection.execute(query)]

    def notes(self, incident: IncidentRow) -> list[str]:
        """Return the titles of the notes in an incident's thread."""
        return [message.title for _, message in self.sent(incident, "note")]  # type: ignore[union-attr]

    def history(self, incident: IncidentRow) -> list[str]:
        """Return the kinds of what happened to an incident's alert."""
        return [event.kind for event in self.store.alerts.history(incident.alert_id)]


def open_buzz(folder: Path, url: str, *, defaults: str = "", belgium: str = "{}") -> Buzz:
    """Open a world on a database, without any past."""
    (folder / "token").write_text("t")
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(folder=folder, url=url, defaults=defaults, belgium=belgium), encoding="utf-8")
    config = load_config(path, plugin_options())
    store, clock = Store(url), FixedClock(NOW)
    return Buzz(config, store, clock, *_steps(config, store, clock))


_library = cache(PlaybookLibrary.load)


def _steps(config: Config, store: Store, clock: FixedClock) -> tuple[IncidentStep, TriageStep]:
    library = _library()
    announcer = Announcer(config, CardBuilder(config, library), store, Workplaces(config), lambda name: name)
    escalator = Escalator(config, announcer, store, clock)
    step = IncidentStep(config, announcer, escalator, library, store, clock)
    return step, TriageStep(config, announcer, escalator, store, clock)


def with_past(buzz: Buzz) -> Buzz:
    """Give a world three weeks of ordinary complaints that nobody was alerted of, collected day by day."""
    start = NOW - timedelta(days=HISTORY_DAYS)
    past = [*buzz.ordinary(start, NOW), *buzz.ordinary(start, NOW, "BE", 0.5)]
    for day in range(HISTORY_DAYS):
        until = start + timedelta(days=day + 1)
        buzz.clock.advance((until - buzz.clock.now()).total_seconds())
        buzz.feed([post for post in past if until - timedelta(days=1) <= post.at < until], triage=False)
    with buzz.store.incidents._engine.begin() as connection:
        connection.execute(
            schema.matches.update().values(triaged_at=NOW, outcome="quiet", priority=0.1, influence=0.1, velocity=0.0)
        )
    return buzz
