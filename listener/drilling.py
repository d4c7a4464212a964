"""`listener drill`: posts of invented customers go through the real path to a trial channel, and every step is timed.

What a drill did is read back from the store: its posts are named by it, the alerts keep who did what when.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from statistics import median
from threading import Event
from typing import Any, Protocol

from alerts.escaping import one_line, shorten
from classifiers.copies import text_hash
from listener.app import App, OpenDesk, Progress, guarded, open_app
from listener.clock import Clock
from listener.config import Config, Route
from listener.desk import Actor
from listener.drill_texts import TEXTS, drill_posts, language_of
from listener.errors import ListenerError, StoreError
from listener.model import DRILL_NETWORK, RESOLUTIONS, Author, Mention, Page, Watch
from listener.pipeline.announce import trial_receiver
from listener.pipeline.cards import reference
from listener.pipeline.tally import Tally
from listener.plugins import SLACK_APP, missing_secrets
from listener.store import AlertRow, Arrival, Store
from listener.store.drills import DrillMessage, DrillPost, external_id
from listener.store.engine import sqlite_path
from listener.store.lock import DatabaseLock

TOPICS = tuple(TEXTS)
MOST_POSTS = 200
_LOUD = 500_000
"""Followers of the first author, so that a rule holds whatever its words are worth to the model."""
_STEP_S = 0.5
_DAEMON_WITHIN_S = 15.0
"""On PostgreSQL no lock tells whether a daemon runs: one that does has classified the first post by then."""
_LAST_EDITS_S = 10.0
"""A longer pause that a vendor asks for is not waited for at the end: the next daemon sends what is left."""

Say = Callable[[str], None]
Pause = Callable[[float], bool]
"""Waits some seconds; True where the drill is to end."""


Opening = Callable[[], AbstractContextManager[Progress | None]]
"""Shows how far the loading of the model is."""


def _unseen() -> AbstractContextManager[Progress | None]:
    return nullcontext()


class DrillError(ListenerError):
    """A drill cannot be held; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A drill that can be held."""

    id: str
    country: str
    brand: str
    topic: str
    posts: int
    over: timedelta
    """In which the posts are injected, evenly."""
    wait: timedelta
    """How long people have after the last post."""
    receiver: str


def plan(config: Config, store: Store, now: datetime, *, country: str | None = None, brand: str | None = None,
         topic: str = "outage", posts: int = 12, over: timedelta = timedelta(minutes=5),
         wait: timedelta = timedelta(minutes=15)) -> Plan:  # fmt: skip
    """Return a drill that can be held with this configuration.

    Raises:
        DrillError: it names what there is not, has nowhere to go, or another one is not over.
    """
    country = country or next((code for code, one in config.countries.items() if one.mode != "off"), "")
    brand = brand or next(iter(config.brands))
    _check_known(country, [code for code, one in config.countries.items() if one.mode != "off"], "country")
    _check_known(brand, list(config.brands), "brand")
    _check_known(topic, TOPICS, "topic of a drill")
    if not 1 <= posts <= MOST_POSTS:
        raise DrillError(f"a drill has 1 to {MOST_POSTS} posts")
    receiver = _trial(config, store, country)
    if live := leftovers(store):
        names = ", ".join(reference(alert) for alert in live[:10])
        raise DrillError(f"another drill is not over: {names}; end it with `listener drill --end`")
    return Plan(f"{now:%Y%m%dT%H%M%S}", country, brand, topic, posts, over, wait, receiver)


def leftovers(store: Store) -> list[AlertRow]:
    """Return the alerts of drills that are still open."""
    return [alert for alert in store.alerts.live(limit=10_000) if alert.drill]


def _check_known(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise DrillError(f"there is no {what} '{one_line(name[:40])}'; known: {', '.join(known)}")


def _trial(config: Config, store: Store, country: str) -> str:
    """Return the receiver that a drill goes to: one that is on and that no alert in earnest goes to."""
    name = trial_receiver(config, country)
    if name is None:
        raise DrillError(
            "a drill needs a channel of its own: name one of `receivers` as `trial_receiver`, at the top of the"
            f" configuration, or as `pilot_receiver` of {country}"
        )
    teams = {team.receiver for team in config.teams.values()}
    if name in {config.fallback_receiver, *teams, *_routed(config.route)}:
        raise DrillError(f"{name} is where alerts in earnest go, too; name another receiver as `trial_receiver`")
    if hint := missing_secrets(config).get(f"receiver {name}"):
        raise DrillError(f"{name} is off: {hint}")
    if reason := store.outbox.disabled().get(name):
        raise DrillError(f"{name} is disabled: {reason}")
    return name


def _routed(route: Route) -> Iterator[str]:
    if route.receiver:
        yield route.receiver
    for child in route.routes:
        yield from _routed(child)


# Who does the work


class Worker(Protocol):
    """Whoever classifies, decides and sends."""

    words: str
    """Says who that is."""

    def step(self) -> None:
        """Do what is due."""
        ...

    def finish(self) -> None:
        """Let the cards say that the drill is over."""
        ...


class Beside:
    """The daemon that runs does the work."""

    words = "the daemon that runs does the work"

    def step(self) -> None:
        """Leave it to the daemon."""

    def finish(self) -> None:
        """Leave it to the daemon."""


class Alone:
    """This process does the work: nothing is collected, and nothing is sent but to the trial receiver."""

    words = "no daemon runs, so this command does the work"

    def __init__(self, app: App, receiver: str) -> None:
        self._app = app
        self._receiver = receiver
        self._tally = Tally()

    def step(self) -> None:
        """Classify, decide, look at incidents, and send to the trial receiver."""
        app = self._app
        guarded("work", lambda: app.work(self._tally, lambda: False))
        guarded("incidents", app.incidents.run)
        guarded("tend", app.tend)
        guarded("send", lambda: app.sender.drain(self._receiver, self._tally, lambda seconds: True))

    def finish(self) -> None:
        """Send the last edits, at the receiver's own pace."""
        guarded("send", lambda: self._app.sender.drain(self._receiver, self._tally, _sleep))


@contextmanager
def working_alone(config: Config, receiver: str, stop: Event, opening: Opening = _unseen) -> Iterator[Alone]:
    """Open what a daemon has, the Slack app with it, for as long as the drill lasts."""
    with opening() as progress:
        app = open_app(config, progress=progress)
    slack = None
    try:
        slack = app.open_slack(stop) if SLACK_APP not in app.plugins.off else None
        if slack is not None:
            slack.start()
        yield Alone(app, receiver)
    finally:
        if slack is not None:
            slack.close()
        app.close()


def _sleep(seconds: float) -> bool:
    if seconds > _LAST_EDITS_S:
        return True
    time.sleep(seconds)
    return False


# The drill


class Drill:
    """Injects the posts of one drill and waits for what comes of them."""

    def __init__(self, planned: Plan, office: OpenDesk, worker: Worker, actor: Actor) -> None:
        self.plan = planned
        self.worker = worker
        self.stored_s: list[float] = []
        """How long each post took to be stored, as far as this process injected it."""
        self._office = office
        self._actor = actor
        self._clock: Clock = office.clock
        self._began_at = office.clock.now()
        country = office.config.countries[planned.country]
        language = language_of(country.languages, planned.topic)
        brand = office.config.brands[planned.brand].name
        self._language = language
        self._texts = drill_posts(planned.topic, language, brand, planned.posts)

    def run(self, pause: Pause) -> None:
        """Inject, work and wait until everybody is done or the time is up, then end what is open."""
        try:
            while not self._is_done():
                self.inject_due()
                self.worker.step()
                if pause(_STEP_S):
                    break
        finally:
            self.end()
            self.worker.finish()

    def inject_due(self) -> None:
        """Store the posts whose time has come."""
        distance = self.plan.over / self.plan.posts
        while len(self.stored_s) < self.plan.posts:
            if self._clock.now() < self._began_at + distance * len(self.stored_s):
                return
            self._inject(len(self.stored_s) + 1)

    def end(self) -> int:
        """Close the alerts that are open, with a word on their cards; return how many there were."""
        return end_alerts(self._office, self._office.store.drills.alerts(self.plan.id), self._actor)

    def is_taken_up(self) -> bool:
        """Tell whether somebody has classified a post of this drill."""
        return any(post.classified_at is not None for post in self._office.store.drills.posts(self.plan.id))

    def _is_done(self) -> bool:
        if len(self.stored_s) < self.plan.posts:
            return False
        if self._clock.now() >= self._began_at + self.plan.over + self.plan.wait:
            return True
        store = self._office.store
        if any(post.triaged_at is None for post in store.drills.posts(self.plan.id)):
            return False
        return not any(alert.is_live for alert in _alerts(store, self.plan.id))

    def _inject(self, number: int) -> None:
        planned, now = self.plan, self._clock.now()
        name = external_id(planned.id, number)
        loud = _LOUD if number == 1 else None
        mention = Mention(
            network=DRILL_NETWORK,
            external_id=name,
            text=self._texts[number - 1],
            published_at=now,
            author=Author(DRILL_NETWORK, name, name=f"Drill {number}", followers=loud),
            language=self._language,
        )
        country = self._office.config.countries[planned.country]
        watch = Watch(f"drill/{planned.country}/{planned.brand}", DRILL_NETWORK, planned.brand, planned.country,
                      tuple(country.languages), (), timezone=country.timezone)  # fmt: skip
        # By its name, not by its words: no post is a copy of another drill's, nor is anybody's of it.
        arrival = Arrival(mention, planned.country, text_hash(name))
        self._office.store.collecting.save_page(
            watch, Page((mention,), None), [arrival], now=now, next_poll_at=now, max_age_s=None
        )
        self.stored_s.append((self._clock.now() - now).total_seconds())


def end_alerts(office: OpenDesk, alert_ids: Sequence[int], actor: Actor) -> int:
    """Close alerts of drills because the drill is over; return how many were open."""
    with office.store.incidents.transaction() as transaction:
        for alert_id in alert_ids:  # before their cards are drawn anew
            transaction.update_incident(alert_id, ended_at=office.clock.now())
    return sum(office.desk.drill_over(alert_id, actor).done for alert_id in alert_ids)


def hold(planned: Plan, office: OpenDesk, stop: Event, actor: Actor, say: Say,
         opening: Opening = _unseen) -> "Report":  # fmt: skip
    """Hold a drill, beside the daemon that runs or in its place, and return the report."""
    with ExitStack() as stack:
        worker: Worker = Beside()
        if not _daemon_runs(office.config, stack):
            worker = stack.enter_context(working_alone(office.config, planned.receiver, stop, opening))
        drill = Drill(planned, office, worker, actor)
        if isinstance(worker, Beside) and sqlite_path(office.config.store.address) is None:
            drill.inject_due()
            if not _taken_up(drill, stop):
                drill.worker = stack.enter_context(working_alone(office.config, planned.receiver, stop, opening))
        say(f"drill {planned.id}: {planned.posts} posts to {planned.receiver}; {drill.worker.words};"
            " Ctrl-C ends it")  # fmt: skip
        drill.run(stop.wait)
        return report(office.store, planned.id, stored_s=drill.stored_s, receiver=planned.receiver)


def _daemon_runs(config: Config, stack: ExitStack) -> bool:
    """Take the database's lock, or tell that a daemon has it; on PostgreSQL it is taken for granted that one runs."""
    if sqlite_path(config.store.address) is None:
        return True
    try:
        stack.enter_context(DatabaseLock(config.store.address))
    except StoreError:
        return True
    return False


def _taken_up(drill: Drill, stop: Event) -> bool:
    turns = range(int(_DAEMON_WITHIN_S / _STEP_S))
    return any(drill.is_taken_up() or stop.wait(_STEP_S) for _ in turns)


# The report


@dataclass(frozen=True, slots=True)
class Step:
    """How long it took to reach one step."""

    name: str
    of: int
    """How many posts or alerts could reach it."""
    seconds: tuple[float, ...]
    """From injection, of those that did."""

    @property
    def line(self) -> str:
        """Return median, worst and how many reached it."""
        if not self.seconds:
            return f"{self.name:<22} {'-':>9} {'-':>9}   0 of {self.of}"
        middle, worst = seconds_words(median(self.seconds)), seconds_words(max(self.seconds))
        return f"{self.name:<22} {middle:>9} {worst:>9}   {len(self.seconds)} of {self.of}"


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert of a drill, in seconds from its first post; None for what did not happen."""

    reference: str
    severity: int
    posts: int
    receivers: tuple[str, ...]
    owner: str | None
    held: str | None
    resolution: str | None
    card_s: float | None
    press_s: float | None
    claimed_s: float | None
    answered_s: float | None
    resolved_s: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """How fast rules, Slack and people reacted."""

    id: str
    country: str
    brand: str
    began_at: datetime
    receiver: str
    posts: int
    outcomes: dict[str, int]
    steps: tuple[Step, ...]
    alerts: tuple[Raised, ...]
    incidents: tuple[Raised, ...]
    incident_opened_s: tuple[float, ...] = field(default=())
    """From the first post of the drill."""

    def lines(self) -> list[str]:
        """Return the report for people."""
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.items())
        began = f"{self.began_at:%Y-%m-%d %H:%M:%S} UTC"
        return [
            one_line(f"drill {self.id}: {self.country} {self.brand}, {self.posts} posts from {began} on"),
            f"sent to {self.receiver or 'nobody'}; what became of the posts: {outcomes or 'nothing yet'}",
            "",
            f"{'from injection to':<22} {'median':>9} {'worst':>9}   reached",
            *(step.line for step in self.steps),
            "",
            *(_raised_line(one) for one in self.alerts),
            *self._incident_lines(),
        ]

    def json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, default=_plain)

    def _incident_lines(self) -> Iterator[str]:
        if not self.incidents:
            yield "no incident was opened"
        for one, after_s in zip(self.incidents, self.incident_opened_s, strict=True):
            yield f"incident opened {seconds_words(after_s)} after the first post: {_raised_line(one)}"


def report(store: Store, drill_id: str, *, stored_s: Sequence[float] = (), receiver: str = "") -> Report:
    """Read from the store what became of a drill.

    Raises:
        DrillError: there is no such drill.
    """
    posts = store.drills.posts(drill_id)
    if not posts:
        raise DrillError(f"there is no drill '{one_line(drill_id[:40])}'; `--report last` shows the last one")
    alerts = _alerts(store, drill_id)
    messages = store.drills.messages([alert.id for alert in alerts])
    first = {post.alert_id: post.published_at for post in reversed(posts)}
    began = posts[0].published_at
    raised = [_raised(store, alert, first.get(alert.id, alert.opened_at), messages) for alert in alerts
              if alert.kind == "post"]  # fmt: skip
    bursts = [alert for alert in alerts if alert.kind == "incident"]
    outcomes: dict[str, int] = {}
    for post in posts:
        outcomes[post.outcome or "waiting"] = outcomes.get(post.outcome or "waiting", 0) + 1
    return Report(
        id=drill_id,
        country=posts[0].country,
        brand=posts[0].brand,
        began_at=began,
        receiver=", ".join(dict.fromkeys(message.receiver for message in messages)) or receiver,
        posts=len(posts),
        outcomes=outcomes,
        steps=tuple(_steps(posts, raised, stored_s)),
        alerts=tuple(raised),
        incidents=tuple(_raised(store, alert, alert.opened_at, messages) for alert in bursts),
        incident_opened_s=tuple((alert.opened_at - began).total_seconds() for alert in bursts),
    )


def _alerts(store: Store, drill_id: str) -> list[AlertRow]:
    found = (store.alerts.alert(alert_id) for alert_id in store.drills.alerts(drill_id))
    return [alert for alert in found if alert is not None]


def _steps(posts: Sequence[DrillPost], raised: Sequence[Raised], stored_s: Sequence[float]) -> Iterator[Step]:
    if stored_s:
        yield Step("stored", len(posts), tuple(stored_s))
    for name, moment in (("classified", "classified_at"), ("decided", "triaged_at")):
        reached = [(post.published_at, getattr(post, moment)) for post in posts]
        yield Step(name, len(posts), tuple((at - since).total_seconds() for since, at in reached if at is not None))
    for name, of_alert in (("card accepted", "card_s"), ("first press", "press_s"), ("claimed", "claimed_s"),
                           ("first answer", "answered_s"), ("resolved by people", "resolved_s")):  # fmt: skip
        seconds = [getattr(one, of_alert) for one in raised]
        yield Step(name, len(raised), tuple(one for one in seconds if one is not None))


def _raised(store: Store, alert: AlertRow, since: datetime, messages: Sequence[DrillMessage]) -> Raised:
    own = [message for message in messages if message.alert_id == alert.id]
    events = [event for event in store.alerts.history(alert.id) if event.data.get("how") != "drill"]
    presses = [event.at for event in events if event.actor != "listener"]
    answers = [at for at in (alert.replied_at, alert.private_at) if at is not None]
    claims = [event.at for event in events if event.kind in ("claimed", "taken over")]
    endings = [event.at for event in events if event.kind in ("resolved", "dismissed")]

    def after(moments: Sequence[datetime]) -> float | None:
        return (min(moments) - since).total_seconds() if moments else None

    return Raised(
        reference=reference(alert),
        severity=alert.severity,
        posts=alert.mentions,
        receivers=tuple(dict.fromkeys(message.receiver for message in own)),
        owner=alert.owner,
        held=next((message.held for message in own if message.held), None),
        resolution=alert.resolution,
        card_s=after([message.sent_at for message in own if message.sent_at is not None]),
        press_s=after(presses),
        claimed_s=after(claims),
        answered_s=after(answers),
        resolved_s=after(endings),
    )


def _raised_line(one: Raised) -> str:
    parts = [f"{one.reference}, severity {one.severity}, {one.posts} post{'' if one.posts == 1 else 's'}"]
    if one.card_s is not None:
        parts.append(f"card after {seconds_words(one.card_s)}")
    elif one.held:
        parts.append(f"no card: held back ({one.held})")
    else:
        parts.append("no card was accepted")
    parts.append(f"claimed after {seconds_words(one.claimed_s)} by {shorten(one.owner or 'somebody', 80)}"
                 if one.claimed_s is not None else "nobody claimed it")  # fmt: skip
    if one.answered_s is not None:
        parts.append(f"answered after {seconds_words(one.answered_s)}")
    if one.resolved_s is not None:
        parts.append(f"ended after {seconds_words(one.resolved_s)}: {RESOLUTIONS.get(one.resolution or '', '')}")
    elif one.resolution == "drill":
        parts.append("open until the drill was over")
    return one_line("; ".join(parts))


def seconds_words(seconds: float) -> str:
    """Return a span for people: 0.4 s, 37 s, 4 min 05 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
