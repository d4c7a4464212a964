"""A small store with posts, alerts and readers, for tests of digests. Everybody in it is invented."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from alerts.card import CurvePoint, IncidentCard, Message, dump_message, load_message
from classifiers.copies import text_hash
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.digest.making import Maker
from listener.digest.model import Digest
from listener.digest.sending import DigestStep
from listener.digest.weeks import Week
from listener.model import (
    Author,
    Classification,
    Engagement,
    Gap,
    Mention,
    Page,
    Sentiment,
    Skipped,
    Urgency,
    Watch,
    Withdrawn,
)
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import CardBuilder
from listener.pipeline.withdraw import WithdrawStep
from listener.pipeline.workplaces import Workplaces
from listener.plugins import plugin_options
from listener.store import Arrival, Store, schema
from listener.store.classifying import Classified
from playbooks.library import PlaybookLibrary
from tests.messages import incident

WEEK = Week.parse("2026-W46")
MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
"""08:00 in Paris on the Monday after that week."""
CONFIG = """
version: 1
brands:
  acme: {name: Acme, terms: [acme], accounts: {x: acme}, products: [Kettle, чайник, 云壶]}
  bolt: {name: Bolt, terms: [bolt]}
  rival: {name: Rival, terms: [rival], competitor: true}
teams:
  hub: {name: Hub, timezone: Europe/Paris, languages: [en, fr]}
  tokyo: {name: Tokyo, timezone: Asia/Tokyo, languages: [ja, en]}
sources: {x: {bearer_token: "${env:DIGEST_ROOM_TOKEN}"}}
receivers:
  desk: {type: slack, token: "${env:DIGEST_ROOM_TOKEN}", channel: C1}
  mail: {type: email, host: localhost, sender: a@brand.example, to: [b@brand.example]}
  log: {type: terminal}
  hook: {type: webhook, url: "https://brand.example/hook", secret: "${env:DIGEST_ROOM_TOKEN}"}
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
digests:
%s
store: {url: "%s"}
"""
FORGOTTEN = "{}"
"""What these tests keep of a message that was sent."""
BOARD = "  board: {receivers: [log], timezone: Europe/Paris, countries: [FR]}"


@dataclass
class Room:
    """A store with its configuration and a clock."""

    store: Store
    config: Config
    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(MONDAY))
    is_off: set[str] = field(default_factory=set)
    made: int = 0

    # What happened

    def post(
        self,
        text: str,
        at: datetime,
        *,
        country: str = "FR",
        brands: Sequence[str] = ("acme",),
        author: str = "anna",
        network: str = "x",
        collected_at: datetime | None = None,
        classified_at: datetime | None = None,
        is_read: bool = True,
        influence: float = 0.0,
        copy_of: int | None = None,
        engagement: Engagement | None = None,
        profile: dict[str, Any] | None = None,
        **found: Any,
    ) -> int:
        """Let somebody post; return the post's number in the store."""
        self.made += 1
        name = f"{author}-{country}"
        who = Author(network, name, **{"name": f"Name {author}", "handle": author, **(profile or {})})
        url = f"https://x.com/{author}/status/{self.made}"
        post = Mention(
            network, f"post-{self.made}", text, at, who, url, engagement=engagement or Engagement(),
            links={"post_id": f"post-{self.made}"},
        )  # fmt: skip
        came = collected_at or at + timedelta(minutes=2)
        for brand in brands:
            watch = Watch(f"x/{country}/{brand}", "x", brand, country, ("en",), (brand,))
            self.store.collecting.save_page(
                watch, Page((post,), "c"), [Arrival(post, country, text_hash(text))], now=came, next_poll_at=came,
                max_age_s=None,
            )  # fmt: skip
        number = self.number(post.external_id)
        if is_read:
            result = Classified(number, classification(**found), copy_of, ())
            self.store.classifying.save([result], classified_at or came)
        if influence:
            with self.store._engine.begin() as connection:
                of_post = schema.matches.c.mention_id == number
                connection.execute(schema.matches.update().where(of_post).values(influence=influence))
        return number

    def read(self, at: datetime, **found: Any) -> None:
        """Classify all that waits."""
        waiting = self.store.classifying.waiting(1_000)
        self.store.classifying.save(
            [Classified(one.mention_id, classification(**found), None, ()) for one in waiting], at
        )

    def correct(self, mention: int, at: datetime, brand: str = "acme", **said: Any) -> None:
        """Let somebody say what the classifier should have said."""
        row = {
            "mention_id": mention, "network": "x", "external_id": f"post-{mention}", "brand": brand, "country": "FR",
            "language": "en", "model": "m", "said": {}, "actor": "Ravi", "origin": "slack", "at": at, **said,
        }  # fmt: skip
        self._insert(schema.corrections, row)

    def alert(
        self,
        opened_at: datetime,
        *,
        mention: int | None = None,
        events: Sequence[tuple[str, datetime, str]] = (),
        **more: Any,
    ) -> int:
        """Let an alert be opened, and people do what they did."""
        match = None if mention is None else self.match(mention)
        row = {
            "kind": "post", "brand": "acme", "country": "FR", "team": "hub", "state": "open", "severity": 2,
            "priority": 0.5, "topic": "delivery", "variants": [], "pilot": False, "match_id": match, "rules": [],
            "mentions": 1, "copies": 0, "opened_at": opened_at, "updated_at": opened_at, "first_posted_at": opened_at,
            "last_posted_at": opened_at, "now_with": "hub", "rungs": [], **more,
        }  # fmt: skip
        number = self._insert(schema.alerts, row)
        if match is not None:
            held = {"match_id": match, "alert_id": number, "role": "first", "joined_at": opened_at}
            self._insert(schema.alert_mentions, held)
        for kind, at, actor in events:
            self._insert(schema.alert_events, {"alert_id": number, "kind": kind, "at": at, "actor": actor, "data": {}})
        return number

    def burst(self, began_at: datetime, *, country: str, word: str, topic: str = "outage") -> int:
        """Let there be an incident whose card has a word wherever it may have one."""
        number = self.alert(began_at, kind="incident", country=country, topic=topic, severity=3)
        card: IncidentCard = incident(
            alert_id=number, reference=f"I-{number}", brand="Acme", country=country, country_name=word, topic=topic,
            words=(word,), because=(word,), opened_at=began_at, updated_at=began_at, team=word,
            curve=(CurvePoint(began_at, 12.0, 1.0), CurvePoint(began_at + timedelta(hours=1), 3.0, 1.0)),
        )  # fmt: skip
        row = {
            "alert_id": number, "brand": "acme", "country": country, "topic": topic, "began_at": began_at,
            "counted_until": began_at, "ended_at": began_at + timedelta(hours=3), "facts": dump_message(card),
        }  # fmt: skip
        self._insert(schema.incidents, row)
        return number

    def gap(self, begin: datetime, end: datetime, reason: str, *, country: str = "FR", brand: str = "acme") -> None:
        """Let a watch not see a span, and skip an item."""
        watch = Watch(f"x/{country}/{brand}", "x", brand, country, ("en",), (brand,))
        page = Page((), "c", gaps=(Gap(begin, end, reason),), skipped=(Skipped("no text", "t:1", reason),))
        self.store.collecting.save_page(watch, page, [], now=end, next_poll_at=end, max_age_s=None)

    def delete(self, mention: int) -> None:
        """Let a post be deleted, and the daemon see to all that showed it."""
        with self.store._engine.connect() as connection:
            own = schema.mentions.c.id == mention
            name = connection.scalar(select(schema.mentions.c.external_id).where(own))
        assert self.store.withdrawals.withdraw([Withdrawn("x", str(name))], self.clock.now())
        cards = CardBuilder(self.config, PlaybookLibrary.load())
        announcer = Announcer(self.config, cards, self.store, Workplaces(self.config), lambda name: name)
        WithdrawStep(self.config, {}, announcer, self.store, self.clock).run()

    # What is made of it

    def step(self, make: Callable[[Maker], Any] = lambda maker: maker) -> DigestStep:
        """Return the step of a daemon that has just started, and that has polled every watch."""
        self.polled(self.clock.now())
        maker = make(Maker(self.config, self.store))
        return DigestStep(self.config, self.store, self.clock, maker, self.effective)

    def polled(self, at: datetime) -> None:
        """Note when every watch fetched last."""
        with self.store.digests._engine.begin() as connection:
            connection.execute(schema.watch_states.update().values(succeeded_at=at))

    def effective(self, name: str) -> str:
        return self.config.fallback_receiver if name in self.is_off else name

    def run_at(self, at: datetime) -> int:
        """Let the daemon look whether a digest is due; return how many it made."""
        self.clock.advance((at - self.clock.now()).total_seconds())
        return self.step().run()

    def messages(self, receiver: str | None = None, *states: str) -> list[Message]:
        """Return what was put into the outbox, in order."""
        rows = self.store.outbox.rows(states or ("pending", "sending", "sent", "moved"), receiver=receiver)
        payloads = [row["payload"] for row in sorted(rows, key=lambda row: int(row["id"]))]
        return [load_message(one) for one in payloads if one != FORGOTTEN]

    def weeks(self, reader: str = "board") -> list[str]:
        """Return the weeks of which a reader has a digest, the earliest first."""
        return self.store.digests.made_weeks(reader)[::-1]

    def digest(self, week: Week = WEEK, now: datetime = MONDAY, **scope: Any) -> Digest:
        """Return a digest made by hand."""
        from listener.digest.making import make_digest, make_scope

        return make_digest(self.config, self.store, week, make_scope(self.config, **scope), now)

    # Rows

    def number(self, external_id: str) -> int:
        """Return a post's number."""
        with self.store._engine.connect() as connection:
            own = schema.mentions.c.external_id == external_id
            return int(connection.execute(select(schema.mentions.c.id).where(own)).scalar_one())

    def match(self, mention: int) -> int:
        """Return the number of a post's first match."""
        with self.store._engine.connect() as connection:
            own = schema.matches.c.mention_id == mention
            query = select(schema.matches.c.id).where(own).order_by(schema.matches.c.id).limit(1)
            return int(connection.execute(query).scalar_one())

    def _insert(self, table: Any, row: dict[str, Any]) -> int:
        with self.store._engine.begin() as connection:
            done = connection.execute(table.insert().values(row))
            return int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0


def classification(
    complaint: float = 0.02, *, urgent: float = 0.0, tone: Sentiment = Sentiment.NEUTRAL, topic: str = "delivery",
    language: str = "en", signals: dict[str, float] | None = None, embedding: bytes | None = None,
) -> Classification:  # fmt: skip
    """Return what the classifier may say."""
    return Classification(
        language, complaint, Urgency.NONE, (1 - urgent, 0.0, 0.0, urgent), tone, (0.3, 0.4, 0.3), topic, 0.9,
        signals or {}, "made", embedding=embedding,
    )  # fmt: skip


def read_config(folder: Path, digests: str = BOARD, url: str = "", **replaced: str) -> Config:
    """Return the configuration with these readers; `replaced` maps old words to new ones."""
    text = CONFIG % (digests, url or f"sqlite:///{folder}/listener.db")
    for old, new in replaced.items():
        text = text.replace(old, new)
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, plugin_options())


def open_room(folder: Path, digests: str = BOARD, url: str = "") -> Room:
    """Open a room on a database that is new, or on one that is there."""
    config = read_config(folder, digests, url)
    return Room(Store(config.store.address), config, folder)
