"""The posts of the simulated quarter: who writes what, where and when, and what the classifier says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from classifiers.copies import text_hash
from listener.config import Config
from listener.model import Author, Classification, Sentiment, Urgency
from tests.quarter.causes import CAUSES, CHECK_IN, SHOCK, WEEKS, Cause

FIRST_MONDAY = date(2026, 8, 17)
NOW = datetime(2026, 11, 16, 6, 30, tzinfo=UTC)
"""The Monday morning after: what happens later is not in the store."""
SILENT_WEEK = 5
"""In this week (0 is the first) nobody says a word about skybird."""
CHECK_IN_WEEK, SHOCK_WEEK = 10, 12
OUTAGE_WEEK = 11
OUTAGE = (
    (datetime(2026, 11, 3, 6, 0, tzinfo=UTC), datetime(2026, 11, 4, 4, 0, tzinfo=UTC), "The network answers 503."),
    (datetime(2026, 11, 3, 22, 0, tzinfo=UTC), datetime(2026, 11, 4, 13, 0, tzinfo=UTC), "The quota is used up."),
    (datetime(2026, 11, 4, 1, 0, tzinfo=UTC), datetime(2026, 11, 4, 2, 0, tzinfo=UTC), "The network answers 500."),
)
"""31 hours that one watch did not see, told in three gaps that overlap."""
OUTAGE_WATCH = "x/DE/yunfan"

_RATES = {"FR": 52.0, "DE": 44.0, "GB": 40.0, "ES": 28.0, "RU": 30.0, "JP": 22.0, "BE": 18.0, "CH": 12.0, "CN": 0.8}
"""Ordinary posts a week, of all three brands."""
_BRANDS = {"yunfan": 0.45, "skybird": 0.35, "northwind": 0.2}
_NETWORKS: Mapping[str, Sequence[tuple[str, float]]] = {
    "RU": (("vk", 1.0),),
    "CN": (("wechat", 1.0),),
    "GB": (("x", 0.85), ("file", 0.15)),
    "ES": (("x", 0.85), ("file", 0.15)),
}
_HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 8, 9, 8, 7, 7, 8, 9, 10, 11, 11, 9, 6, 4], float)
_DAYS = np.array([1.1, 1.05, 1.0, 1.0, 1.05, 0.9, 0.9])
_BIOS = {
    "fr": ("Maman de deux", "Journaliste au Courrier du Port", ""),
    "de": ("Radfahrer", "Journalistin, Tagblatt am See", ""),
    "en": ("Tea first", "Journalist, The Harbour Gazette", ""),
    "es": ("Lectora", "Periodista de La Voz del Puerto", ""),
    "nl": ("Fietser", "Journalist bij De Haven", ""),
    "ru": ("Люблю чай", "Журналист, Портовая газета", ""),
    "ja": ("猫が好き", "港新聞 ジャーナリスト", ""),
    "zh": ("爱喝茶", "港口日报 记者", ""),
    "it": ("Mamma", "Giornalista", ""),
}
_PRODUCTS = {
    "yunfan": {"fr": "bouilloire", "de": "Wasserkocher", "ru": "чайник", "ja": "ケトル"},
    "skybird": {"en": "SkyPass", "de": "SkyMiles", "fr": "SkyPass"},
}
_NAMES = ("Alex", "Sam", "Noor", "Mika", "Robin", "Sascha", "Andrea", "Kim", "Jo", "Luca")


@dataclass(slots=True)
class Post:
    """One post, everything about it that the store holds, and what it was made from."""

    week: int
    """0 is the first; by the country's own clocks."""
    country: str
    brands: tuple[str, ...]
    watch_ids: tuple[str, ...]
    network: str
    author: int
    text: str
    language: str
    complains: bool
    """What it was made as, whatever the classifier says."""
    cause: str
    published_at: datetime
    collected_at: datetime
    found: Classification | None
    """None where it still waits for its classification."""
    likes: int | None = None
    reposts: int | None = None
    views: int | None = None
    copy_of: "Post | None" = None
    repost_of: "Post | None" = None
    fate: str = "stands"
    fate_at: datetime | None = None
    drill: bool = False
    id: int = 0
    external_id: str = ""
    match_ids: dict[str, int] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        return text_hash(self.text)


class Quarter:
    """Makes the posts. The same for the same seed, scale and texts."""

    def __init__(self, config: Config, texts: Sequence[Mapping[str, Any]], seed: int, scale: float) -> None:
        self._config = config
        self._rng = np.random.default_rng(seed)
        self._scale = scale
        self._texts: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
        for row in texts:
            self._texts.setdefault((row["lang"], bool(row["complaint"])), []).append(row)
        self.authors: list[Author] = []
        self._pools = {code: self._pool(code) for code in config.countries}
        self.posts: list[Post] = []
        self.missed: list[Post] = []
        """What the outage kept from being seen."""

    def write(self) -> list[Post]:
        """Return all posts, by when they were collected."""
        for week in range(WEEKS):
            for code in self._config.countries:
                self._ordinary(week, code)
            for cause in CAUSES:
                for code, rates in cause.rates.items():
                    for _ in range(self._rng.poisson(rates[week] * self._scale)):
                        self._caused(cause, week, code, self._moment(week, code))
        self._burst(CHECK_IN, CHECK_IN_WEEK, "GB", datetime(2026, 10, 27, 9, 10, tzinfo=UTC), 55)
        self._burst(SHOCK, SHOCK_WEEK, "FR", datetime(2026, 11, 12, 17, 5, tzinfo=UTC), 42)
        self._at_the_edges()
        self._copies()
        self._outage()
        self._drills()
        self._waiting()
        self.posts.sort(key=lambda post: (post.collected_at, post.published_at))
        self._fates()
        return self.posts

    # Who

    def _pool(self, code: str) -> list[int]:
        first, language = len(self.authors), self._config.countries[code].languages[0]
        for _ in range(max(6, round(_RATES[code] * 7 * self._scale))):
            self.authors.append(self._author(code, language, len(self.authors)))
        return list(range(first, len(self.authors)))

    def _author(self, code: str, language: str, number: int) -> Author:
        rng, networks = self._rng, _NETWORKS.get(code, (("x", 1.0),))
        network = str(rng.choice([name for name, _ in networks], p=[share for _, share in networks]))
        shown = network == "x" or (network == "vk" and rng.random() < 0.6)
        plain, press, empty = _BIOS[language]
        name = f"{rng.choice(_NAMES)} {number}"
        return Author(
            network,
            f"{network}-{number}",
            name,
            handle=name.lower().replace(" ", "_") if network in ("x", "vk") else None,
            followers=int(rng.lognormal(5.5, 1.9)) if shown else None,
            verified=bool(rng.random() < 0.04) if network == "x" else None,
            bio=str(rng.choice([plain, press, empty], p=[0.4, 0.02, 0.58])) if network != "wechat" else "",
            url=f"https://{network}.example/{number}" if network in ("x", "vk") else None,
        )

    def _somebody(self, code: str) -> int:
        """Return an author; some write far more than others."""
        pool = self._pools[code]
        return pool[min(int(self._rng.random() ** 1.8 * len(pool)), len(pool) - 1)]

    # When

    def _moment(self, week: int, code: str) -> datetime:
        rng = self._rng
        day = int(rng.choice(7, p=_DAYS / _DAYS.sum()))
        hour = int(rng.choice(24, p=_HOURS / _HOURS.sum()))
        clock = time(hour, int(rng.integers(60)), int(rng.integers(60)), int(rng.integers(1_000_000)))
        return self._local(week, day, clock, code, fold=int(rng.integers(2)))

    def _local(self, week: int, day: int, clock: time, code: str, fold: int = 0) -> datetime:
        zone = ZoneInfo(self._config.countries[code].timezone)
        local = datetime.combine(FIRST_MONDAY + timedelta(weeks=week, days=day), clock, zone)
        return local.replace(fold=fold).astimezone(UTC)

    # What

    def _ordinary(self, week: int, code: str) -> None:
        for _ in range(self._rng.poisson(_RATES[code] * self._scale)):
            brand = str(self._rng.choice(list(_BRANDS), p=list(_BRANDS.values())))
            if brand == "skybird" and week == SILENT_WEEK:
                continue
            self._say(week, code, brand, self._moment(week, code))

    def _say(self, week: int, code: str, brand: str, at: datetime) -> Post | None:
        rng, languages = self._rng, self._config.countries[code].languages
        complains = bool(rng.random() < (0.38 if brand != "northwind" else 0.3))
        spoken = [one for one in languages if (one, complains) in self._texts] or ["en"]
        shares = np.array([3.0] + [1.0] * (len(spoken) - 1))
        language = str(rng.choice(spoken, p=shares / shares.sum()))
        rows = self._texts.get((language, complains))
        if not rows:
            return None
        row = rows[int(rng.integers(len(rows)))]
        text = f"{row['text']} {brand}"
        if brand in _PRODUCTS and language in _PRODUCTS[brand] and rng.random() < 0.12:
            text += f", {_PRODUCTS[brand][language]}"
        brands = [brand]
        if rng.random() < 0.05:
            other = str(rng.choice([one for one in _BRANDS if one != brand]))
            if not (other == "skybird" and week == SILENT_WEEK):
                brands.append(other)
                text += f" / {other}"
        found = self._classified(language, complains, int(row["urgency"]), str(row["topic"]), str(row["signals"]))
        cause = f"other:{row['topic']}" if complains else ""
        return self._add(week, code, brands, text, language, complains, cause, at, found)

    def _caused(self, cause: Cause, week: int, code: str, at: datetime) -> Post | None:
        if cause.brand == "skybird" and week == SILENT_WEEK:
            return None
        spoken = [one for one in self._config.countries[code].languages if one in cause.texts]
        language = str(self._rng.choice(spoken))
        text = cause.text(language, self._rng)
        found = self._classified(language, True, cause.urgency, cause.topic, cause.signals)
        return self._add(week, code, [cause.brand], text, language, True, cause.name, at, found)

    def _burst(self, cause: Cause, week: int, code: str, begin: datetime, posts: int) -> None:
        for _ in range(round(posts * self._scale)):
            self._caused(cause, week, code, begin + timedelta(minutes=float(self._rng.beta(1.6, 3.0)) * 300))

    def _at_the_edges(self) -> None:
        """Write at a week's very first and last moments, and in the hour that clocks repeat."""
        moment = timedelta(microseconds=1)
        for week in range(1, WEEKS):
            for code in ("FR", "GB", "RU", "JP"):
                begin = self._local(week, 0, time(), code)
                self._say(week, code, "yunfan", begin)
                self._say(week - 1, code, "yunfan", begin - moment)
        for fold in (0, 1):
            for minute in (0, 29, 59):
                self._say(9, "FR", "yunfan", self._local(9, 6, time(2, minute), "FR", fold=fold))

    def _classified(self, language: str, complains: bool, urgency: int, topic: str, signals: str) -> Classification:
        rng = self._rng
        chances = np.full(4, 0.35)
        chances[urgency] += 6.0
        levels = rng.dirichlet(chances)
        feel = 0 if complains else (2 if topic == "praise" else 1)
        tones = np.full(3, 0.4)
        tones[feel] += 2.2
        tone = rng.dirichlet(tones)
        said = topic if rng.random() < 0.88 else str(rng.choice(["quality", "other", "staff"]))
        return Classification(
            language=language if rng.random() < 0.98 else "und",
            complaint=round(float(rng.beta(7, 2) if complains else rng.beta(1.3, 7)), 4),
            urgency=Urgency(int(levels.argmax())),
            urgency_probabilities=tuple(round(float(one), 4) for one in levels),  # type: ignore[arg-type]
            sentiment=(Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)[int(tone.argmax())],
            sentiment_probabilities=tuple(round(float(one), 4) for one in tone),  # type: ignore[arg-type]
            topic=said,
            topic_probability=round(float(rng.uniform(0.4, 0.98)), 4),
            signals={letter: round(float(rng.uniform(0.5, 0.99)), 3) for letter in signals if rng.random() < 0.85},
            model="simulated",
        )

    def _add(
        self,
        week: int,
        code: str,
        brands: Sequence[str],
        text: str,
        language: str,
        complains: bool,
        cause: str,
        at: datetime,
        found: Classification | None,
    ) -> Post:
        rng, author = self._rng, self._somebody(code)
        network, followers = self.authors[author].network, self.authors[author].followers
        late = rng.random() < 0.02
        collected = at + (
            timedelta(days=float(rng.uniform(1, 9))) if late else timedelta(minutes=float(rng.gamma(2, 3)))
        )
        has_views = network == "vk" or (network == "x" and rng.random() < 0.6)
        views = int(rng.lognormal(4.5, 1.4) + 0.3 * (followers or 0) * rng.random()) if has_views else None
        post = Post(
            week, code, tuple(brands), tuple(self._watch(network, code, brand) for brand in brands), network, author,
            text, language, complains, cause, at, collected, found,
            likes=int(rng.poisson(2)) if network in ("x", "vk") else None,
            reposts=int(rng.poisson(0.5)) if network in ("x", "vk") else None,
            views=views,
        )  # fmt: skip
        self.posts.append(post)
        return post

    def _watch(self, network: str, code: str, brand: str) -> str:
        # Some posts of Belgium are found by the watch for France, which looks for the same words.
        by = "FR" if code == "BE" and self._rng.random() < 0.1 else code
        return f"{network}/{by}/{brand}" + ("/reviews" if network == "file" else "")

    # What becomes of them

    def _copies(self) -> None:
        """Let some be repeated: by reposts of the same words, and by people who copy them."""
        rng = self._rng
        for original in [post for post in self.posts if post.network in ("x", "vk") and rng.random() < 0.035]:
            for _ in range(int(rng.geometric(0.5))):
                at = original.published_at + timedelta(hours=float(rng.exponential(14)))
                week = self._week_of(at, original.country)
                if week >= WEEKS or ("skybird" in original.brands and week == SILENT_WEEK):
                    continue
                copy = self._add(
                    week, original.country, original.brands, original.text, original.language,
                    original.complains, original.cause, at, original.found,
                )  # fmt: skip
                copy.network = self.authors[copy.author].network
                copy.copy_of = original
                copy.collected_at = max(copy.collected_at, original.collected_at + timedelta(seconds=30))
                if copy.network == original.network and rng.random() < 0.6:
                    copy.repost_of = original

    def _week_of(self, at: datetime, code: str) -> int:
        local = at.astimezone(ZoneInfo(self._config.countries[code].timezone)).date()
        return (local - FIRST_MONDAY).days // 7

    def _outage(self) -> None:
        begin, end = OUTAGE[0][0], max(until for _, until, _ in OUTAGE)
        for post in list(self.posts):
            if OUTAGE_WATCH in post.watch_ids and begin <= post.published_at < end:
                self.posts.remove(post)
                self.missed.append(post)

    def _drills(self) -> None:
        for number, begin in enumerate((datetime(2026, 10, 14, 8, tzinfo=UTC), datetime(2026, 11, 11, 9, tzinfo=UTC))):
            week = self._week_of(begin, "FR")
            for place in range(8):
                author = len(self.authors)
                self.authors.append(Author("drill", f"drill-{number}-{place}", f"Drill {place}"))
                found = self._classified("fr", True, 3, "safety", "S")
                at = begin + timedelta(minutes=2 * place)
                self.posts.append(
                    Post(
                        week,
                        "FR",
                        ("yunfan",),
                        ("drill",),
                        "drill",
                        author,
                        f"Exercice : fumée {place} yunfan",
                        "fr",
                        True,
                        "drill",
                        at,
                        at,
                        found,
                        drill=True,
                        external_id=f"drill-q{number}-{place}",
                    )
                )

    def _waiting(self) -> None:
        """Let the last posts of the quarter wait for their classification."""
        for minute in (57, 58):
            post = self._say(WEEKS - 1, "GB", "yunfan", self._local(WEEKS - 1, 6, time(23, minute), "GB"))
            if post is not None:
                post.collected_at, post.found = NOW - timedelta(minutes=1), None

    def _fates(self) -> None:
        """Number them, leave out what is still to come, and let some be edited or deleted since."""
        rng = self._rng
        self.posts = [post for post in self.posts if post.collected_at <= NOW]
        kept = {id(post) for post in self.posts}
        for number, post in enumerate(self.posts, 1):
            post.id = number
            post.external_id = post.external_id or f"{post.network}-post-{number}"
            for fate, share in (("deleted", 0.02), ("edited", 0.01)):
                at = post.collected_at + timedelta(hours=float(rng.exponential(30)))
                if post.fate == "stands" and not post.drill and rng.random() < share and at < NOW:
                    post.fate, post.fate_at = fate, at
        for post in self.posts:
            if post.copy_of is not None and (id(post.copy_of) not in kept or post.copy_of.id > post.id):
                post.copy_of = post.repost_of = None
