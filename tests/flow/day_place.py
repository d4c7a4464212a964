"""Where the scripted day takes place: the daemon, its Slack workspace, a clock set by hand, and two people."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from classifiers.copies import text_hash
from listener.app import App, open_app, open_desk
from listener.clock import FixedClock
from listener.config import load_config
from listener.desk import Actor
from listener.model import Author, Classification, Mention, Page, Sentiment, Urgency, Watch
from listener.pipeline.tally import Tally
from listener.plugins import plugin_options
from listener.slack.service import SlackService
from listener.store import Arrival, schema
from listener.store.classifying import Classified
from listener.store.engine import reading
from tests.flow.day_reading import card_in
from tests.flow.day_script import (
    BY_COMMAND_LINE,
    CASES,
    COUNTRIES,
    CRASH,
    DELETED,
    DELETED_AT,
    END,
    HEAD,
    INCIDENT,
    MIDNIGHT,
    NEW_YORK,
    PARIS,
    SILENCE,
    SILENCED_AT,
    SLACK_DOWN,
    SLACK_UP,
    STEP,
    TOKEN_MENDED,
    TOKEN_REVOKED,
    TOKYO,
    UNHEARD,
    Line,
    Post,
    Words,
    moment,
    posts,
)
from tests.flow.made import MadeClassifier
from tests.servers.base import Reply
from tests.servers.slack import APP_TOKEN, METHODS, TOKEN, Person, SlackMessage, SlackServer, View

CONFIG = """
version: 1
brands: {{acme: {{name: Acme, terms: [acme]}}}}
teams:
  paris:
    name: Paris
    timezone: Europe/Paris
    languages: [fr, en]
    hours: {{mon-sun: "09:00-18:00"}}
    holidays: false
    people: [{{name: Olga, slack: U1, on_call: true}}, {{name: Paul, slack: U2}}]
    group: S1
    receiver: paris
  tokyo:
    name: Tokyo
    timezone: Asia/Tokyo
    languages: [ja, en]
    hours: {{mon-sun: "09:00-18:00"}}
    holidays: false
    people: [{{name: Aiko, slack: U4}}]
    receiver: tokyo
  york:
    name: New York
    timezone: America/New_York
    languages: [en]
    hours: {{mon-sun: "09:00-17:00"}}
    holidays: false
    people: [{{name: Nora, slack: U5}}]
    receiver: york
    cover: [tokyo]
  head: {{name: Head office, languages: [en], people: [{{name: Hugo, slack: U9}}], receiver: head}}
sources: {{file: {{every: 1m}}}}
receivers:
  paris: {{type: slack, channel: C1, {slack_options}}}
  tokyo: {{type: slack, channel: C2, {slack_options}}}
  york: {{type: slack, channel: C3, budget: 3, {slack_options}}}
  head: {{type: slack, channel: C4, {slack_options}}}
fallback_receiver: head
head_office: head
slack:
  spool: "{folder}/spool"
  token: "${{file:{folder}/token}}"
  app_token: "${{file:{folder}/app_token}}"
  base_url: "{slack}"
route:
  receiver: paris
  group_wait: 0s
  group_interval: 10m
  repeat_interval: 5h
  routes: [{{match: {{country: JP}}, receiver: tokyo}}, {{match: {{country: US}}, receiver: york}}]
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-sun: "09:00-18:00"}}
  team: paris
  incidents: {{least_authors: 12}}
  targets:
    severity_3: {{respond: 15m, resolve: 4h, around_the_clock: true}}
    severity_2: {{respond: 1h, resolve: 9h}}
    severity_1: {{respond: 9h, resolve: 27h}}
  escalation:
    remind_at: 0.5
    steps: [{{after: 0s, to: group}}, {{after: 30m, to: next-hub}}, {{after: 2h, to: head-office}}]
countries:
  FR: {{timezone: Europe/Paris, team: paris, sources: {{file: {{path: "{folder}/FR.jsonl", settle_s: 0}}}}}}
  JP: {{timezone: Asia/Tokyo, team: tokyo, sources: {{file: {{path: "{folder}/JP.jsonl", settle_s: 0}}}}}}
  US: {{timezone: America/New_York, team: york, sources: {{file: {{path: "{folder}/US.jsonl", settle_s: 0}}}}}}
store: {{url: "{store}"}}
"""
SLACK_OPTIONS = 'token: "${{file:{folder}/token}}", base_url: "{slack}", min_interval_s: 0, timeout_s: 8'
BACKGROUND_DAYS = 21
PEOPLE = {"Olga": "U1", "Paul": "U2"}
GRUMBLE = Classification(
    "en", 0.8, Urgency.LOW, (0.5, 0.45, 0.05, 0.0), Sentiment.NEGATIVE, (0.8, 0.15, 0.05), "delivery", 0.9, {}, "made"
)
_MADE_TO_FAIL = ("chat.postMessage", "chat.update", "conversations.history", "conversations.replies")


class CrashError(BaseException):
    """The process is gone: nothing between here and the test may hold it up."""


class DayClassifier(MadeClassifier):
    """Reads `grumble` as a complaint that nobody has to be told of."""

    def classify(self, texts: Sequence[str], **more: Any) -> list[Classification]:
        found = super().classify(texts, **more)
        return [
            replace(GRUMBLE, topic=one.topic) if "grumble" in text else one
            for text, one in zip(texts, found, strict=True)
        ]


class Place:
    """The day as it goes by. `log` says who did what when, by alert, as the script had it done."""

    def __init__(self, folder: Path, slack: SlackServer, store: str) -> None:
        self.folder, self.slack = folder, slack
        self.clock = FixedClock(MIDNIGHT)
        slack.now = lambda: self.clock.now().timestamp()
        (folder / "token").write_text(TOKEN)
        (folder / "app_token").write_text(APP_TOKEN)
        for country in COUNTRIES:
            (folder / f"{country}.jsonl").write_text("")
        options = SLACK_OPTIONS.format(folder=folder, slack=slack.api_url)
        path = folder / "config.yaml"
        path.write_text(CONFIG.format(folder=folder, slack=slack.api_url, slack_options=options, store=store))
        self.config = load_config(path, plugin_options())
        self.apps: list[App] = []
        self.services: list[SlackService] = []
        self.waiting = posts()
        self.ids: dict[str, int] = {}
        """Ids of alerts by the label of their case."""
        self.winner = self.loser = ""
        self.log: dict[str, list[Line]] = defaultdict(list)
        self.incident_actions: set[str] = set()
        """What Olga could press on the incident's card once she had it."""
        self.crashed = False
        self._eventful = _eventful()
        self.boot()

    @property
    def app(self) -> App:
        return self.apps[-1]

    @property
    def service(self) -> SlackService:
        return self.services[-1]

    # The process

    def boot(self) -> None:
        """Start the daemon on what the store holds."""
        self.apps.append(open_app(self.config, clock=self.clock))
        service = self.app.open_slack()
        assert service is not None
        self.services.append(service)
        service.start()
        assert service.inbox.wait_idle(120)
        self.slack.wait_for(lambda: service.listener.is_connected)  # type: ignore[union-attr]

    def hang_up(self) -> None:
        """End the connection by which Slack tells the daemon of presses."""
        service = self.service
        ending = threading.Thread(target=service.close)
        ending.start()
        self.slack.wait_for(service.inbox.is_closing.is_set)
        self.slack.socket_mode.close_connections()  # else the client waits out its reading time
        ending.join()

    def round(self) -> None:
        """Everything that the daemon does, once."""
        tally, app = Tally(), self.app
        for watch in app.collector.watches():
            app.collector.poll(watch, tally, lambda: False, even_if_early=True)
        assert not tally.failed
        app.work(tally, lambda: False)
        app.incidents.run()
        app.tend()
        self.send()

    def send(self) -> None:
        for receiver in self.app.plugins.receivers:
            self.app.sender.drain(receiver, Tally(), lambda seconds: True)

    def crash(self) -> None:
        """Work until Slack has taken a card that is new, and be gone before that is noted."""
        outbox = self.app.store.outbox
        noted = outbox.sent

        def gone(item: Any, place: Any, now: datetime, **more: Any) -> bool:
            if item.kind == "alert":
                raise CrashError
            return noted(item, place, now, **more)

        outbox.sent = gone  # type: ignore[method-assign]
        with pytest.raises(CrashError):
            self.round()
        self.crashed = True
        self.hang_up()
        self.clock.advance(60)
        self.boot()

    # The day

    def run(self, end: datetime = END) -> None:
        """Let the day go by."""
        lines = _by_moment()
        while self.clock.now() < end:
            self.clock.advance((self._next_round() - self.clock.now()).total_seconds())
            self._weather()
            self._publish()
            if self.clock.now() == moment(CRASH):
                self.crash()
                continue
            self.round()
            self._learn_ids()
            self._people(lines.get(self.clock.now(), []))

    def _next_round(self) -> datetime:
        """The daemon looks around every five minutes; rounds in which nothing can happen are left out."""
        now = self.clock.now()
        at = now + STEP - (now - MIDNIGHT) % STEP
        while at not in self._eventful and (at - MIDNIGHT) % (3 * STEP):
            at += STEP
        return at

    def _weather(self) -> None:
        """What fails, and what is mended."""
        now = self.clock.now()
        if now == moment(SLACK_DOWN):
            kinds = ("500", "503", "503_after", "cut_after", "internal_error", "internal_error_after")
            excluded = [method for method in METHODS if method not in _MADE_TO_FAIL]
            self.slack.script_for("chat.postMessage", Reply(503, b"too late", hang_s=60, after_handling=True))
            self.slack.faults(7, 1.0, kinds=kinds, exclude=excluded)
        elif now == moment(SLACK_UP):
            self.slack.faults(None)
        elif now == moment(TOKEN_REVOKED):
            self.slack.is_revoked = True
        elif now == moment(TOKEN_MENDED):
            self.slack.is_revoked = False
            self.hang_up()
            self.app.close()
            self.boot()

    def _publish(self) -> None:
        """Write what people have posted since into the files that the watches read."""
        now, rows = self.clock.now(), defaultdict(list)
        for post in self.waiting:
            if post.at < now:
                rows[post.country].append(_row(post))
        self.waiting = [post for post in self.waiting if post.at >= now]
        if now == DELETED_AT:
            rows["FR"].append({"id": DELETED, "network": "x", "deleted": True})
        for country, found in rows.items():
            with (self.folder / f"{country}.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in found)

    def _learn_ids(self) -> None:
        for label, alert_id in first_posts(self.app):
            self.ids.setdefault(label, alert_id)
        incidents = self.app.store.incidents.since(MIDNIGHT)
        if incidents:
            self.ids.setdefault("incident", incidents[0].alert_id)

    # People

    def _people(self, lines: Sequence[tuple[str, Line]]) -> None:
        if self.clock.now() == SILENCED_AT:
            assert self.person("Olga").command("/listener", SILENCE, PARIS).in_time
            self._settle()
        for label, line in lines:
            self._act(label, line)

    def person(self, name: str) -> Person:
        return self.slack.person(PEOPLE[name], name=name.lower())

    def _settle(self) -> None:
        """Let the daemon finish what it was told, and send what that caused."""
        assert self.service.inbox.wait_idle(120)
        self.send()

    def _act(self, label: str, line: Line) -> None:
        if line.actor == "Winner" and line.verb == "claimed":
            self._race(label)
        elif label in BY_COMMAND_LINE or (label == "incident" and line.verb == "replied"):
            self._act_by_command_line(label, line)
        elif (label, line.verb) in UNHEARD:
            self._press_before_the_crash(label, line)
        else:
            actor = {"Winner": self.winner}.get(line.actor, line.actor)
            self._act_in_slack(self.ids[label], self.person(actor), line)
            self._settle()
        if label == "incident" and line.verb == "claimed":
            self.incident_actions = set(self.card(self.ids[label]).actions)
        actor = {"Winner": self.winner}.get(line.actor, line.actor)
        self.log[label].append(replace(line, actor=actor))

    def card(self, alert_id: int) -> SlackMessage:
        """The first card of an alert that stands anywhere."""
        places = [card_in(self.slack.channel(name), alert_id) for name in (PARIS, TOKYO, NEW_YORK, HEAD)]
        return next(card for card in places if card is not None)

    def _act_in_slack(self, alert_id: int, person: Person, line: Line) -> None:
        if line.verb == "shown":
            summary = self.slack.channel(NEW_YORK).messages[-1]
            person.choose(summary, "show_card", str(alert_id))
            return
        card = self.card(alert_id)
        presses = {"claimed": "claim", "released": "release", "taken_over": "take_over", "reopened": "reopen",
                   "escalated": "escalate", "awake": "wake"}  # fmt: skip
        if line.verb in presses:
            assert person.press(card, presses[line.verb]).in_time
        elif line.verb in ("snoozed", "resolved"):
            assert person.choose(card, line.verb.removesuffix("d"), f"{alert_id}|{line.arg}").in_time
        elif line.verb == "replied":
            person.press(card, "reply")
            assert person.fill_and_submit(self._window(person), {"reply_sent": line.arg}).is_acked
        elif line.verb == "dismissed":
            person.press(card, "not_complaint")
            assert person.fill_and_submit(self._window(person), {"what_it_was": line.arg}).is_acked
        else:
            raise AssertionError(line)

    def _window(self, person: Person) -> View:
        self._settle()
        assert person.view is not None
        return person.view

    def _race(self, label: str) -> None:
        """Olga and Paul press Claim at once."""
        card, together = self.card(self.ids[label]), threading.Barrier(2)

        def claim(person: Person) -> None:
            together.wait()
            person.press(card, "claim")

        racing = [threading.Thread(target=claim, args=(self.person(name),)) for name in PEOPLE]
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join()
        self._settle()
        (self.loser,) = [name for name in PEOPLE if self.person(name).ephemerals]
        (self.winner,) = PEOPLE.keys() - {self.loser}

    def _act_by_command_line(self, label: str, line: Line) -> None:
        actor = Actor(line.actor)
        with open_desk(self.config, self.clock) as opened:
            if line.verb == "resolved":
                assert opened.desk.resolve(self.ids[label], actor, line.arg).done
            else:
                assert opened.desk.replied(self.ids[label], actor, public=True, private=False).done
        self.send()

    def _press_before_the_crash(self, label: str, line: Line) -> None:
        """Press what is acknowledged, while nothing more is carried out."""
        inbox = self.service.inbox
        inbox._workers.shutdown()
        inbox._submit = lambda *ignored: None  # type: ignore[method-assign]
        assert self.person(line.actor).press(self.card(self.ids[label]), "claim").in_time

    def close(self) -> None:
        """End the day."""
        self.hang_up()
        for app in self.apps:
            app.close()


def _eventful() -> set[datetime]:
    """Return when the script has anything happen."""
    found = {line.at for case in CASES for line in [*case.lines, *INCIDENT]}
    others = (CRASH, SLACK_DOWN, "10:40", SLACK_UP, "12:10", "14:20", TOKEN_REVOKED, TOKEN_MENDED)
    return found | {SILENCED_AT, DELETED_AT, *map(moment, others)}


def _by_moment() -> dict[datetime, list[tuple[str, Line]]]:
    """Return what people do, by when. A press that is to be lost by the crash comes last."""
    found: dict[datetime, list[tuple[str, Line]]] = defaultdict(list)
    stories: list[tuple[str, list[Line]]] = [(case.label, case.lines) for case in CASES]
    for label, lines in [*stories, ("incident", INCIDENT)]:
        for line in lines:
            if line.is_done_by_people:
                found[line.at].append((label, line))
    for lines_of_moment in found.values():
        lines_of_moment.sort(key=lambda pair: (pair[0], pair[1].verb) in UNHEARD)
    return found


def _row(post: Post) -> dict[str, object]:
    return {
        "id": post.label, "network": "x", "author_id": post.author, "author_name": post.author.title(),
        "text": post.text, "published_at": post.at.isoformat(), "url": f"https://x.com/i/status/{post.label}",
    }  # fmt: skip


def first_posts(app: App) -> list[tuple[str, int]]:
    """Return every alert with the name of the post that raised it."""
    held, matches, mentions = schema.alert_mentions, schema.matches, schema.mentions
    query = (
        select(mentions.c.external_id, held.c.alert_id)
        .join(matches, matches.c.mention_id == mentions.c.id)
        .join(held, held.c.match_id == matches.c.id)
        .where(held.c.role == "first")
    )
    with reading(app.store.incidents._engine) as connection:
        return [(row.external_id, row.alert_id) for row in connection.execute(query)]


def write_background(app: App) -> int:
    """Store three weeks of ordinary complaints, of which nobody was told; return how many."""
    random, words, count = Random(3), Words(3), 0
    watches = {watch.country: watch for watch in app.collector.watches()}
    for day in range(-BACKGROUND_DAYS, 0):
        start = MIDNIGHT + timedelta(days=day)
        for country, rate in (("FR", 2.0), ("JP", 1.0), ("US", 1.0)):
            mentions = [
                _past_mention(f"past-{country}-{day}-{number}", start, words, random)
                for number in range(round(24 * rate * random.uniform(0.8, 1.2)))
            ]
            count += len(mentions)
            _store(app, watches[country], mentions, start + timedelta(days=1))
    return count


def _past_mention(name: str, start: datetime, words: Words, random: Random) -> Mention:
    at = start + timedelta(seconds=random.randrange(86_400))
    return Mention("x", name, f"acme grumble {words.some()}", at, Author("x", f"past-{random.randrange(900)}"))


def _store(app: App, watch: Watch, mentions: Sequence[Mention], now: datetime) -> None:
    arrivals = [Arrival(mention, watch.country, text_hash(mention.text)) for mention in mentions]
    page = Page(tuple(mentions), None)
    app.store.collecting.save_page(watch, page, arrivals, now=now, next_poll_at=now, max_age_s=None)
    waiting = app.store.classifying.waiting(len(mentions))
    app.store.classifying.save([Classified(item.mention_id, GRUMBLE, None, ()) for item in waiting], now)
    items = app.store.triage.waiting(len(mentions))
    with app.store.triage.transaction() as transaction:
        for item in items:
            transaction.decided(item.match_id, "quiet", priority=0.1, influence=0.1, velocity=0.0, now=now)


@contextmanager
def place(folder: Path, store: str) -> Iterator[Place]:
    """Yield the place before the day begins, with its past."""
    with pytest.MonkeyPatch.context() as patch, SlackServer(channels=(PARIS, TOKYO, NEW_YORK, HEAD)) as slack:
        patch.setattr("listener.app.load_classifier", lambda config, progress=None: DayClassifier())
        here = Place(folder, slack, store)
        try:
            write_background(here.app)
            yield here
        finally:
            here.close()
