"""A quarter of listening, written into a store as the daemon would have left it, and what was put into it.

Thirteen ISO weeks, 2026-W34 to 2026-W46: nine countries, two brands of our own and a competitor, public holidays, the
autumn change of clocks, two incidents, an outage of one source, drills, a country in pilot, one with hardly a mention.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, func, select, text

from alerts.card import CurvePoint, IncidentCard, dump_message
from alerts.priority import Spread, score_priority, score_velocity
from alerts.rules import decide
from classifiers.influence import score_influence
from listener.config import Config, load_config
from listener.digest.weeks import Week
from listener.model import AlertState, Author, Engagement, Influence, Velocity
from listener.plugins import plugin_options
from listener.store import Store, schema
from listener.store.engine import open_engine
from tests.quarter.causes import WEEKS, Cause
from tests.quarter.desk_work import Case, Teams
from tests.quarter.posts import (
    CHECK_IN,
    CHECK_IN_WEEK,
    NOW,
    OUTAGE,
    OUTAGE_WATCH,
    OUTAGE_WEEK,
    SHOCK,
    SHOCK_WEEK,
    SILENT_WEEK,
    Post,
    Quarter,
)

CONFIG = Path(__file__).with_name("config.yaml")
FIRST_WEEK = Week(2026, 34)
Embed = Callable[[Sequence[str]], Sequence[bytes]]


@dataclass(slots=True)
class Known:
    """What was put in. Counts are by week (as "2026-W34"), country and brand."""

    now: datetime
    weeks: tuple[str, ...]
    mentions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """One for each brand; drills are left out."""
    complaints: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By threshold, and by people's word where there is one."""
    meant: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Posts that were written as complaints, whatever the classifier made of them."""
    deleted: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    causes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """Complaints of a named cause by week, country, brand and cause."""
    cause_of: dict[int, str] = field(default_factory=dict)
    """Mention to the cause that it was made from, complaints alone."""
    alerts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Those of the desk's figures, by the week in which they were opened."""
    answered: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    dismissed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    drill_mentions: int = 0
    silent: tuple[str, str] = ("", "")
    """A week and a brand of which nobody spoke in it."""
    incidents: dict[int, tuple[str, str, str, int]] = field(default_factory=dict)
    """Alert to week, country, cause and posts."""
    outage: tuple[str, str, float] = ("", "", 0.0)
    """Watch, week and seconds that it did not see."""
    missed: int = 0
    """Posts that the outage kept from being seen."""
    late: Counter[str] = field(default_factory=Counter)
    """Mentions of our brands by week that were collected after their week's end in their country."""


def quarter_config(path: Path = CONFIG) -> Config:
    """Return the configuration that the quarter was listened to with."""
    return load_config(path, plugin_options())


def write_quarter(
    store_url: str,
    texts: Sequence[Mapping[str, Any]],
    *,
    seed: int = 1,
    scale: float = 1.0,
    embed: Embed | None = None,
) -> Known:
    """Write the quarter into a store and return what was put in.

    Args:
        store_url: a database without mentions.
        texts: labelled posts: `lang`, `text`, `complaint`, `urgency`, `topic`, `signals`.
        seed: the same seed gives the same quarter.
        scale: 1.0 makes about 4,000 mentions.
        embed: turns texts into the vectors that are kept of them; without it none are kept.
    """
    config = quarter_config()
    quarter = Quarter(config, texts, seed, scale)
    world = _World(config, quarter.write(), quarter.authors, seed)
    world.missed = len(quarter.missed)
    world.triage()
    Store(store_url).close()
    engine = open_engine(store_url)
    with engine.begin() as connection:
        world.save(connection, embed)
        _go_on_counting(connection)
    engine.dispose()
    return world.known()


class _World:
    """Everything beside the posts: matches, alerts, incidents, gaps."""

    def __init__(self, config: Config, posts: Sequence[Post], authors: Sequence[Author], seed: int) -> None:
        self.config, self.posts, self.authors = config, posts, authors
        self._rng = np.random.default_rng([seed, 2])
        self._teams = Teams(config, seed)
        self.matches: list[dict[str, Any]] = []
        self.cases: list[Case] = []
        self.corrections: list[dict[str, Any]] = []
        self.incidents: list[dict[str, Any]] = []
        self.incident_of: dict[int, tuple[str, str, str, int]] = {}
        self.missed = 0
        self._by_author: dict[tuple[str, int], Case] = {}
        self._by_root: dict[tuple[str, int], Case] = {}
        self._complaints: dict[tuple[int, str], bool] = {}

    # Triage

    def triage(self) -> None:
        """Decide on every post as the daemon does, and let people work."""
        for post in self.posts:
            for brand, watch_id in zip(post.brands, post.watch_ids, strict=True):
                post.match_ids[brand] = len(self.matches) + 1
                self.matches.append(self._match(post, brand, watch_id))
        self._burst(CHECK_IN_WEEK, CHECK_IN.name, "GB", "skybird", "outage", "solved")
        self._burst(SHOCK_WEEK, SHOCK.name, "FR", "yunfan", "safety", None)
        self._drill_burst()
        self._corrected()

    def _match(self, post: Post, brand: str, watch_id: str) -> dict[str, Any]:
        country = self.config.countries[post.country]
        row = {
            "id": post.match_ids[brand], "mention_id": post.id, "brand": brand, "country": post.country,
            "watch_id": watch_id, "max_age_s": country.thresholds.max_age, "matched_at": post.collected_at,
            "triaged_at": None, "outcome": None, "priority": None, "influence": None, "velocity": None,
        }  # fmt: skip
        if post.found is None:
            return row
        at = post.collected_at + timedelta(seconds=95)
        if at > NOW:
            return row
        row["triaged_at"] = at
        if self.config.brands[brand].competitor:
            return row | {"outcome": "competitor", "priority": 0.0, "influence": 0.0, "velocity": 0.0}
        influence, velocity = self._influence(post), self._velocity(post)
        priority = score_priority(
            post.found.urgency_score, influence.score, velocity.score,
            influence_weight=country.weights.influence, velocity_weight=country.weights.velocity,
        )  # fmt: skip
        row |= {"priority": priority.score, "influence": influence.score, "velocity": velocity.score}
        decision = decide(post.found, influence, priority, country.thresholds)
        if joined := self._joined(post, brand, at):
            return row | {"outcome": "joined"} if self._join(joined, post, row, at) else row
        if not decision.raises:
            return row | {"outcome": "quiet"}
        if (post.collected_at - post.published_at).total_seconds() > (row["max_age_s"] or 1e12):
            return row | {"outcome": "old"}
        self._raise(post, row, decision.severity, list(decision.rules), at)
        return row | {"outcome": "raised"}

    def _influence(self, post: Post) -> Influence:
        return score_influence(self.authors[post.author], self._engagement(post))

    def _velocity(self, post: Post) -> Velocity:
        age_h = (post.collected_at - post.published_at).total_seconds() / 3600
        return score_velocity(Spread(self._engagement(post), age_h))

    @staticmethod
    def _engagement(post: Post) -> Engagement:
        return Engagement(likes=post.likes, reposts=post.reposts, views=post.views)

    def _joined(self, post: Post, brand: str, at: datetime) -> Case | None:
        within = timedelta(seconds=self.config.countries[post.country].join_within)
        root = post.copy_of.id if post.copy_of else 0
        for case in (self._by_root.get((brand, root)), self._by_author.get((brand, post.author))):
            if case is None or case.row["drill"] != post.drill or not case.is_live_at(at):
                continue
            if post.published_at - within <= case.row["last_posted_at"] <= post.published_at + within:
                return case
        return None

    @staticmethod
    def _join(case: Case, post: Post, row: Mapping[str, Any], at: datetime) -> bool:
        copy = post.copy_of is not None
        case.matches.append((row["id"], "copy" if copy else "joined", at))
        case.row["mentions"] += 1
        case.row["copies"] += int(copy)
        case.row["first_posted_at"] = min(case.row["first_posted_at"], post.published_at)
        case.row["last_posted_at"] = max(case.row["last_posted_at"], post.published_at)
        if row["priority"] > case.row["priority"]:
            case.row |= {"priority": row["priority"], "match_id": row["id"]}
        joined = {"kind": "joined", "at": at, "actor": "listener", "data": {"match": row["id"], "copy": copy}}
        case.events.append(joined)
        case.events.sort(key=lambda event: event["at"])
        return True

    def _raise(self, post: Post, row: Mapping[str, Any], severity: int, rules: list[str], at: datetime) -> None:
        found = post.found
        assert found is not None
        case = self._teams.open(
            len(self.cases) + 1, at, brand=row["brand"], country=post.country, severity=severity, rules=rules,
            priority=row["priority"], topic=found.topic, match_id=row["id"], drill=post.drill,
            first_posted_at=post.published_at, last_posted_at=post.published_at,
        )  # fmt: skip
        case.row["pilot"] |= post.drill
        case.matches.append((row["id"], "first", at))
        self.cases.append(case)
        self._by_author[row["brand"], post.author] = case
        self._by_root[row["brand"], post.copy_of.id if post.copy_of else post.id] = case
        if post.drill:
            case.own("claimed", at + timedelta(minutes=4), "Camille")
            case.resolve(at + timedelta(minutes=30), "Camille", "drill")
            return
        self._teams.work(case, post.complains)
        if case.correction is not None and case.corrected_at is not None:
            self._correct(post, row["brand"], case.correction, case.row["closed_by"] or "Camille", case.corrected_at)
        if post.fate == "deleted" and post.fate_at is not None:
            data = {"post": f"{post.network}:{post.external_id}", "requested": False}
            case.events.append({"kind": "withdrawn", "at": post.fate_at, "actor": "listener", "data": data})
            case.events.sort(key=lambda event: event["at"])

    # What people say of single posts

    def _correct(self, post: Post, brand: str, fields: Mapping[str, Any], actor: str, at: datetime) -> None:
        found = post.found
        assert found is not None
        said = {
            "complaint": found.complaint, "urgency": int(found.urgency), "topic": found.topic,
            "sentiment": str(found.sentiment),
        }  # fmt: skip
        values = {"complaint": None, "urgency": None, "topic": None, "sentiment": None, **fields}
        self.corrections.append({
            "mention_id": post.id, "network": post.network, "external_id": post.external_id, "text": None,
            "brand": brand, "country": post.country, "language": found.language, "model": found.model, "said": said,
            "actor": actor, "origin": "slack", "at": at, **values,
        })  # fmt: skip
        if values["complaint"] is not None:
            self._complaints[post.id, brand] = values["complaint"]

    def _corrected(self) -> None:
        """Let people find complaints that the classifier missed, change their minds, and say a topic alone."""
        rng = self._rng
        raised = {case.row["match_id"] for case in self.cases}
        for post in self.posts:
            if post.found is None or post.drill or self.config.brands[post.brands[0]].competitor:
                continue
            brand, chance = post.brands[0], rng.random()
            at = post.collected_at + timedelta(hours=float(rng.uniform(1, 50)))
            if at > NOW or post.match_ids[brand] in raised:
                continue
            is_found = post.found.complaint >= self.config.countries[post.country].thresholds.complaint
            if post.complains and not is_found and chance < 0.3:
                self._correct(post, brand, {"complaint": True, "urgency": 3 if chance < 0.1 else None}, "Ravi", at)
            elif not post.complains and is_found and chance < 0.4:
                self._correct(post, brand, {"complaint": False, "sentiment": "neutral"}, "Lotte", at)
            elif post.complains and chance < 0.01:
                self._correct(post, brand, {"complaint": False}, "Inés", at)
                if at + timedelta(hours=2) < NOW:
                    self._correct(post, brand, {"complaint": True}, "Ravi", at + timedelta(hours=2))
            elif chance < 0.02:
                self._correct(post, brand, {"topic": "staff"}, "Camille", at)
        self.corrections.sort(key=lambda row: row["at"])

    # Incidents

    def _burst(self, week: int, cause: str, code: str, brand: str, topic: str, how: str | None) -> None:
        """Make an incident of a burst; with `how` it was closed so, else it is still open."""
        posts = [post for post in self.posts if post.cause == cause and post.copy_of is None]
        if not posts:
            return
        began = min(post.published_at for post in posts)
        opened, ended = began + timedelta(minutes=38), max(post.published_at for post in posts) + timedelta(minutes=55)
        case = self._teams.open(
            len(self.cases) + 1, opened, brand=brand, country=code, severity=3, kind="incident", priority=0.8,
            topic=topic, rules=["burst"], mentions=len(posts), first_posted_at=began, last_posted_at=ended,
        )  # fmt: skip
        self.cases.append(case)
        held = [
            one for one in self.cases
            if one.row["kind"] == "post" and (one.row["brand"], one.row["country"]) == (brand, code)
            and began <= one.row["first_posted_at"] <= ended and not one.row["drill"]
        ]  # fmt: skip
        for one in held:
            one.row["incident_id"] = case.row["id"]
        case.note("holds", opened, alerts=[one.row["id"] for one in held])
        case.own("claimed", opened + timedelta(minutes=7), "Ravi")
        case.reply(opened + timedelta(minutes=52), "Ravi", public=True, private=False)
        case.note("over", ended, mentions=len(posts), authors=len({post.author for post in posts}))
        if how is not None:
            case.resolve(ended + timedelta(hours=2), "Ravi", how)
        self._store_incident(case, topic, posts, began, ended)
        self.incident_of[case.row["id"]] = (str(FIRST_WEEK.back(-week)), code, cause, len(posts))

    def _drill_burst(self) -> None:
        posts = [post for post in self.posts if post.drill][:8]
        began = posts[0].published_at
        case = self._teams.open(
            len(self.cases) + 1, began + timedelta(minutes=20), brand="yunfan", country="FR", severity=2,
            kind="incident", priority=0.5, topic="safety", rules=["burst"], drill=True,
        )  # fmt: skip
        case.row["pilot"] = True
        case.resolve(began + timedelta(hours=1), "Camille", "drill")
        self.cases.append(case)
        self._store_incident(case, "safety", posts, began, began + timedelta(hours=1))

    def _store_incident(self, case: Case, topic: str, posts: Sequence[Post], began: datetime, ended: datetime) -> None:
        row, country = case.row, self.config.countries[case.row["country"]]
        step = timedelta(minutes=10)
        spans = [began + step * number for number in range(int((ended - began) / step) + 1)]
        curve = tuple(
            CurvePoint(at, float(sum(at <= post.published_at < at + step for post in posts)), 0.2) for at in spans
        )
        card = IncidentCard(
            alert_id=row["id"], reference=f"I-{row['id']}", severity=row["severity"], state=AlertState(row["state"]),
            brand=self.config.brands[row["brand"]].name, country=row["country"], country_name=row["country"],
            topic=topic, team=row["team"], pilot=row["pilot"], timezone=country.timezone, opened_at=began,
            updated_at=ended, ended_at=ended, mentions=len(posts), authors=len({post.author for post in posts}),
            expected=round(0.2 * len(spans), 1), fastest_per_hour=max(point.count for point in curve) * 6,
            copies_share=0.0, reach=sum(self.authors[post.author].followers or 0 for post in posts),
            because=("far more complaints than usual",), curve=curve, first=None, influential=(),
            words=("yunfan",), complaints=((topic, len(posts)),), languages=((posts[0].language, len(posts)),),
            guidance=None, drill=row["drill"],
        )  # fmt: skip
        self.incidents.append({
            "alert_id": row["id"], "brand": row["brand"], "country": row["country"], "topic": topic,
            "began_at": began, "counted_until": ended, "ended_at": ended, "facts": dump_message(card),
            "drill": row["drill"],
        })  # fmt: skip

    # Into the store

    def save(self, connection: Connection, embed: Embed | None) -> None:
        """Insert everything."""
        ids = {id(author): number for number, author in enumerate(self.authors, 1)}
        _insert(connection, schema.authors, [_author_row(one, ids[id(one)]) for one in self.authors])
        _insert(connection, schema.mentions, [_mention_row(post) for post in self.posts])
        _insert(connection, schema.matches, self.matches)
        _insert(connection, schema.classifications, [_found_row(post) for post in self.posts if post.found])
        if embed is not None:
            read = [post for post in self.posts if post.found and not post.drill]
            vectors = embed([post.text for post in read])
            _insert(connection, schema.embeddings, [
                {"mention_id": post.id, "vector": vector, "at": post.collected_at + timedelta(minutes=1)}
                for post, vector in zip(read, vectors, strict=True)
            ])  # fmt: skip
        self._save_alerts(connection)
        _insert(connection, schema.corrections, [{"id": n, **row} for n, row in enumerate(self.corrections, 1)])
        _insert(connection, schema.coverage_gaps, [{"id": n, **row} for n, row in enumerate(self._gaps(), 1)])
        _insert(connection, schema.skipped_items, _SKIPPED)
        _insert(connection, schema.watch_states, [
            {"watch_id": watch.id, "cursor": "1", "next_poll_at": NOW + timedelta(minutes=1), "polled_at": NOW,
             "succeeded_at": NOW, "failures": 0, "problem": None}
            for watch in self.config.watches
        ])  # fmt: skip

    def _save_alerts(self, connection: Connection) -> None:
        for case in self.cases:
            if case.row["state"] in ("open", "claimed", "snoozed"):
                case.row["look_at"] = case.row["respond_by"]
        first = sorted(self.cases, key=lambda case: case.row["kind"] != "incident")  # what others refer to
        _insert(connection, schema.alerts, [case.row for case in first])
        events = [{"alert_id": case.row["id"], **event} for case in self.cases for event in case.events]
        events.sort(key=lambda event: event["at"])
        _insert(connection, schema.alert_events, [{"id": n, **event} for n, event in enumerate(events, 1)])
        _insert(connection, schema.alert_mentions, [
            {"alert_id": case.row["id"], "match_id": match, "role": role, "joined_at": at}
            for case in self.cases for match, role, at in case.matches
        ])  # fmt: skip
        _insert(connection, schema.incidents, self.incidents)

    def _gaps(self) -> list[dict[str, Any]]:
        gaps = [
            {"watch_id": OUTAGE_WATCH, "start_at": begin, "end_at": end, "reason": reason}
            for begin, end, reason in OUTAGE
        ]
        # Over the end of a week in Russia, where no clocks change, and over the hour that is repeated in France.
        for watch_id, begin, hours in (
            ("vk/RU/skybird", datetime(2026, 10, 18, 20, 15, tzinfo=UTC), 2.0),
            ("x/FR/yunfan", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 3.0),
            ("x/GB/skybird", datetime(2026, 11, 10, 9, 0, tzinfo=UTC), 1.5),
            ("x/GB/skybird", datetime(2026, 11, 3, 9, 30, tzinfo=UTC), 0.5),
        ):
            end = begin + timedelta(hours=hours)
            gaps.append({"watch_id": watch_id, "start_at": begin, "end_at": end, "reason": "The network was away."})
        return gaps

    # What was put in

    def known(self) -> Known:
        """Return what was put in."""
        weeks = tuple(str(FIRST_WEEK.back(-week)) for week in range(WEEKS))
        seconds = (max(end for _, end, _ in OUTAGE) - OUTAGE[0][0]).total_seconds()
        known = Known(
            NOW, weeks, silent=(weeks[SILENT_WEEK], "skybird"), incidents=self.incident_of, missed=self.missed,
            outage=(OUTAGE_WATCH, weeks[OUTAGE_WEEK], seconds),
        )  # fmt: skip
        for post in self.posts:
            known.drill_mentions += int(post.drill)
            if not post.drill and post.found is not None and 0 <= post.week < WEEKS:
                self._count(known, post, weeks[post.week])
        for case in self.cases:
            self._count_case(known, case.row)
        return known

    def _count(self, known: Known, post: Post, week: str) -> None:
        threshold = self.config.countries[post.country].thresholds.complaint
        own = [brand for brand in post.brands if not self.config.brands[brand].competitor]
        end = Week.parse(week).span(self.config.countries[post.country].timezone)[1]
        for brand in post.brands:
            key = (week, post.country, brand)
            known.mentions[key] += 1
            known.deleted[key] += int(post.fate == "deleted")
            known.meant[key] += int(post.complains)
            said = self._complaints.get((post.id, brand))
            complains = said if said is not None else bool(post.found and post.found.complaint >= threshold)
            known.complaints[key] += int(complains)
            if post.complains:
                known.causes[(*key, post.cause)] += 1
                known.cause_of[post.id] = post.cause
            known.late[week] += int(brand in own and post.collected_at >= end)

    def _count_case(self, known: Known, row: Mapping[str, Any]) -> None:
        if row["kind"] != "post" or row["drill"] or row["pilot"]:
            return
        opened_at, timezone = row["opened_at"], self.config.countries[row["country"]].timezone
        inside = (week for week in known.weeks if _within(opened_at, Week.parse(week).span(timezone)))
        key = (next(inside, "later"), row["country"], row["brand"])
        known.alerts[key] += 1
        known.answered[key] += int(row["replied_at"] is not None or row["private_at"] is not None)
        known.dismissed[key] += int(row["state"] == "dismissed")


_SKIPPED = [
    {"watch_id": "file/GB/yunfan/reviews", "reason": "no text", "broken": True, "count": 7, "last_where": "a.csv:9",
     "last_sample": ",,", "last_at": datetime(2026, 11, 12, 8, tzinfo=UTC)},
    {"watch_id": "x/JP/skybird", "reason": "no author", "broken": True, "count": 2, "last_where": "t:1",
     "last_sample": "{}", "last_at": datetime(2026, 11, 15, 20, tzinfo=UTC)},
    {"watch_id": "x/FR/yunfan", "reason": "no date", "broken": True, "count": 5, "last_where": "t:2",
     "last_sample": "{}", "last_at": datetime(2026, 10, 1, 8, tzinfo=UTC)},
    {"watch_id": "x/FR/skybird", "reason": "the brand's own post", "broken": False, "count": 12, "last_where": "t:3",
     "last_sample": "", "last_at": datetime(2026, 11, 13, 8, tzinfo=UTC)},
]  # fmt: skip


def _within(at: datetime, span: tuple[datetime, datetime]) -> bool:
    return span[0] <= at < span[1]


def _author_row(author: Author, number: int) -> dict[str, Any]:
    names = ("network", "external_id", "name", "handle", "followers", "verified", "bio", "location", "country", "url")
    return {"id": number, "updated_at": NOW, **{name: getattr(author, name) for name in names}}


def _mention_row(post: Post) -> dict[str, Any]:
    return {
        "id": post.id, "network": post.network, "external_id": post.external_id, "author_id": post.author + 1,
        "text": post.text, "url": f"https://{post.network}.example/post/{post.id}", "published_at": post.published_at,
        "collected_at": post.collected_at, "language_tag": None, "conversation_id": None, "reply_to_id": None,
        "repost_of_id": post.repost_of.external_id if post.repost_of else None, "likes": post.likes, "replies": None,
        "reposts": post.reposts, "quotes": None, "views": post.views, "sponsored": False, "country": None,
        "place": "", "links": {}, "text_hash": post.hash, "copy_of": post.copy_of.id if post.copy_of else None,
        "classified": post.found is not None, "fate": post.fate, "fate_at": post.fate_at, "fate_by": None,
        "fate_shown": True, "looked_at": post.fate_at,
    }  # fmt: skip


def _found_row(post: Post) -> dict[str, Any]:
    found = post.found
    assert found is not None
    return {
        "mention_id": post.id, "language": found.language, "complaint": found.complaint, "urgency": int(found.urgency),
        "urgency_probabilities": list(found.urgency_probabilities), "sentiment": str(found.sentiment),
        "sentiment_probabilities": list(found.sentiment_probabilities), "topic": found.topic,
        "topic_probability": found.topic_probability, "signals": dict(found.signals), "reasons": [],
        "model": found.model, "classified_at": min(NOW, post.collected_at + timedelta(minutes=1)),
    }  # fmt: skip


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), 5000):
        connection.execute(table.insert(), [dict(row) for row in rows[start : start + 5000]])


def _go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL number the next rows after those that were written with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    for table in (schema.authors, schema.mentions, schema.matches, schema.alerts, schema.alert_events,
                  schema.corrections, schema.coverage_gaps):  # fmt: skip
        last = connection.scalar(select(func.max(table.c.id))) or 1
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))


__all__ = ["Cause", "Known", "quarter_config", "write_quarter"]
