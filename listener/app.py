"""Wiring: the one place where configuration, plugins, store and pipeline are put together."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import OperationalError

from listener.clock import Clock, SystemClock
from listener.config import Config
from listener.config.models import Model
from listener.desk import Desk
from listener.digest.making import Maker
from listener.digest.naming import CatalogueNamer, Places
from listener.digest.sending import DigestStep
from listener.errors import ListenerError
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import CardBuilder
from listener.pipeline.classify import COPY_WINDOW, Classifier, ClassifyStep
from listener.pipeline.collect import Collector
from listener.pipeline.escalate import Escalator
from listener.pipeline.heirs import Heirs
from listener.pipeline.hold import HoldStep
from listener.pipeline.incidents import IncidentStep
from listener.pipeline.send import FORGOTTEN_DIGEST, SETTLE_S, Sender, operator_note
from listener.pipeline.tally import Tally
from listener.pipeline.triage import TriageStep
from listener.pipeline.withdraw import WithdrawStep
from listener.pipeline.workplaces import Workplaces
from listener.plugins import SLACK_APP, Plugins, missing_secrets, open_plugins
from listener.slack.service import open_slack
from listener.store import Store
from playbooks.library import PlaybookLibrary

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

log = structlog.get_logger("listener")

Progress = Callable[[str, float], None]
"""Called with what is being done and how far it is, in [0, 1]."""

TRIAGE_BATCH = 200
PRESS_WINDOW = timedelta(days=2)
"""No vendor delivers a press again after that."""
EDIT_WINDOW = timedelta(days=30)
EMBEDDINGS_KEPT = timedelta(weeks=6)
"""A digest groups its week and, where nobody did, the four before."""
_BATCHES_A_TURN = 4
"""Texts of like length go through the encoder together; the more there are to choose from, the less is padding."""
_A_LOT = 500
"""From so many waiting mentions on, the log says how far classification is."""
_SOON = timedelta(minutes=1)
"""What is due by then, such as a card that waits for its group, is worth the wait of a single pass."""
_PATIENCE_S = 120.0
"""How long one pass waits for receivers that ask to be left alone for a while."""


def load_classifier(config: Config, progress: Progress | None = None) -> "MentionClassifier":
    """Load the model in force, as `load_model` does."""
    return load_model(config.model, progress)


def load_model(model: Model, progress: Progress | None = None) -> "MentionClassifier":
    """Load the model in force, building the encoder from its package the first time.

    A change that this installation learned is put on top, if it belongs to the weights that ship with this release.

    Raises:
        ModelUnavailableError: a weights file is missing or damaged.
    """
    from classifiers.heads import WEIGHTS, load_heads
    from classifiers.learned import LearnedFolder

    folder, shipped = LearnedFolder(Path(model.cache)), load_heads(Path(model.heads or WEIGHTS))
    learned = folder.heads(shipped)  # before the slow part, so that a damaged file is told at once
    classifier = _load_shipped(model, progress)
    if learned is not None:
        return classifier.with_heads(learned)
    if (outdated := folder.in_force()) is not None:
        advice = "run `listener learn`; the corrections are kept"
        log.warning("learned for other weights, not used", learned=outdated, model=shipped.version, advice=advice)
    return classifier


def load_shipped(config: Config, progress: Progress | None = None) -> "MentionClassifier":
    """Load the model as it ships.

    Raises:
        ModelUnavailableError: a weights file is missing or damaged.
    """
    return _load_shipped(config.model, progress)


def _load_shipped(model: Model, progress: Progress | None) -> "MentionClassifier":
    from classifiers.heads import WEIGHTS
    from classifiers.mentions import MentionClassifier

    return MentionClassifier.load(
        Path(model.cache),
        threads=model.threads,
        batch=model.batch,
        progress=progress,
        backend=model.backend,
        checkpoint=Path(model.checkpoint) if model.checkpoint else None,
        weights=Path(model.heads) if model.heads else WEIGHTS,
        others=model.classifiers,
    )


class App:
    """The daemon's parts, ready to run one pass or to be scheduled."""

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        classifier: Classifier,
        library: PlaybookLibrary,
        store: Store,
        clock: Clock | None = None,
    ) -> None:
        self.config = config
        self.plugins = plugins
        self.store = store
        self.clock = clock or SystemClock()
        self.classifier = classifier
        self.library = library
        successors = (config.fallback_receiver, *plugins.receivers)
        self.sender = Sender(plugins.receivers, store, self.clock, successors=successors)
        self.collector = Collector(config, plugins.sources, store, self.clock, self.tell_operators)
        self.classify = ClassifyStep(config, classifier, store, self.clock)
        cards = CardBuilder(config, library, interactive=config.slack is not None and SLACK_APP not in plugins.off)
        announcer = Announcer(config, cards, store, Workplaces(config), self.effective_receiver)
        self.escalator = Escalator(config, announcer, store, self.clock)
        self.triage = TriageStep(config, announcer, self.escalator, store, self.clock)
        self.heirs = Heirs(config, announcer, store, self.clock)
        self.hold = HoldStep(config, announcer, store, self.clock)
        self.incidents = IncidentStep(config, announcer, self.escalator, library, store, self.clock)
        self.withdraw = WithdrawStep(config, plugins.sources, announcer, store, self.clock, self.escalator.rise)
        self.desk = Desk(config, announcer, self.escalator, store, self.clock)
        namer = CatalogueNamer(lambda: classifier, Path(config.model.cache)) if isinstance(classifier, Places) else None
        maker = Maker(config, store, namer)
        self.digests = DigestStep(config, store, self.clock, maker, self.effective_receiver)
        self.open_slack = partial(open_slack, config, self.desk, announcer, cards, store, self.clock)
        """Makes the Slack app; None where there is none."""
        self._working = threading.Lock()
        self._listed_to: int | None = 0
        """Up to which match the index of posts was looked through for what it misses; None once it was to the end."""

    def effective_receiver(self, name: str) -> str:
        """Return the receiver itself; where it is off or disabled the fallback, else any that is on."""
        candidates = (name, self.config.fallback_receiver, *self.plugins.receivers)
        return next((candidate for candidate in candidates if self.sender.is_on(candidate)), name)

    def hand_over_orphans(self) -> None:
        """Give alerts of teams that are gone to others, and what waits for receivers that are off to one that is on."""
        self.heirs.of_teams()
        self.heirs.of_receivers()
        for name in self.store.outbox.receivers_waiting():
            successor = self.effective_receiver(name)
            if successor != name and self.sender.is_on(successor):
                message = operator_note(f"Receiver {name} is off", "What it had not sent comes here.")
                self.store.outbox.disable(name, "is off", successor, message, self.clock.now())

    def clock_went_back(self) -> None:
        """Let go what a clock that was ahead put off to its own time."""
        now = self.clock.now()
        self.store.outbox.let_go_early(now)
        self.store.alerts.clock_went_back(now)
        self.hold.after_clock_went_back()
        self.store.digests.clock_went_back(now)

    def tell_operators(self, title: str, text: str) -> None:
        """Queue a message to operators, to where unrouted alerts go."""
        receiver = self.effective_receiver(self.config.route.receiver or self.config.fallback_receiver)
        self.store.outbox.tell(receiver, operator_note(title, text), self.clock.now())

    def work(self, tally: Tally, stopping: Callable[[], bool], progress: Progress | None = None) -> int:
        """Classify and triage all that waits; return how many mentions were decided on."""
        decided = done = 0
        with self._working:  # a second worker would take the same batch
            total = self.store.classifying.count_waiting()
            while not stopping():
                classified = self.classify.run(_BATCHES_A_TURN * self.config.model.batch, tally)
                done += classified
                if progress and total:
                    progress("classifying", min(1.0, done / total))
                elif classified and total > _A_LOT:
                    log.info("catching up", classified=done, waiting=max(0, total - done))
                triaged = self.triage.run(TRIAGE_BATCH, tally)
                decided += triaged
                if not classified and not triaged:
                    break
        return decided

    def run_once(self, stop: threading.Event, progress: Progress | None = None) -> Tally:
        """Collect from every watch, classify, triage, send; return what was done."""
        tally = Tally()
        watches = self.collector.watches()
        for index, watch in enumerate(watches):
            if stop.is_set():
                break
            if progress:
                progress(f"collecting {watch.id}", index / len(watches))
            guarded(f"poll {watch.id}", partial(self.collector.poll, watch, tally, stop.is_set, even_if_early=True))
        for name in self.withdraw.sources():
            guarded(f"look again {name}", partial(self.withdraw.look, name))
        self.work(tally, stop.is_set, progress)
        guarded("incidents", self.incidents.run)
        guarded("digests", self.digests.run)
        self.tend()
        guarded("send", partial(self.send_all, tally, stop))
        return tally

    def send_all(self, tally: Tally, stop: threading.Event) -> None:
        """Send until the outbox holds nothing that can be sent within two minutes of trying."""
        deadline = self.clock.now().timestamp() + _PATIENCE_S
        while not stop.is_set():
            soon = self.clock.now() + _SOON
            names = self.store.outbox.receivers_waiting(soon)
            sent = sum(self.sender.drain(name, tally, stop.wait) for name in names)
            names = self.store.outbox.receivers_waiting(soon)
            waiting = [name for name in names if self.sender.is_on(name)]
            if sent:
                deadline = self.clock.now().timestamp() + _PATIENCE_S
            if not waiting or self.clock.now().timestamp() > deadline or stop.wait(0.2):
                break

    def tend(self) -> None:
        """Let time pass over alerts: reminders, escalations, ends of snoozes, and what was held back."""
        guarded("enable", self.sender.look_again)
        guarded("withdraw", self.withdraw.run)
        guarded("hold", self.hold.run)
        guarded("escalate", self.escalator.run)

    def list_missing(self) -> None:
        """Bring into the index of posts what it misses, a batch at a time, once from start to end.

        A database that was put back together, or filled by hand, may lack some; nothing else does.
        """
        if self._listed_to is not None:
            self._listed_to = self.store.search.catch_up(self._listed_to)

    def forget(self) -> None:
        """Drop what is kept only for a while."""
        now = self.clock.now()
        self.store.classifying.forget_bands(now, COPY_WINDOW)
        self.store.alerts.forget_presses(now - PRESS_WINDOW)
        self.store.outbox.prune(now - EDIT_WINDOW)
        self.store.outbox.forget_digests(now - EDIT_WINDOW, FORGOTTEN_DIGEST)
        self.store.causes.forget(now - EMBEDDINGS_KEPT)

    def close(self) -> None:
        """Release everything."""
        self.plugins.close()
        self.store.close()


def guarded(name: str, step: Callable[[], object]) -> None:
    """Run one step. The only broad `except`: a fault nobody foresaw ends one run of one job, not the daemon."""
    try:
        step()
    except OperationalError as error:  # locked, away, full: what to do is not in a traceback
        log.error(
            "the database does not answer; it is tried again", job=name, problem=str(error.orig).split("\n", 1)[0]
        )
    except Exception:
        log.exception("job failed", job=name)


class OpenDesk:
    """What people decide on alerts needs, without the model and without anything that sends."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self.config = config
        self.store = store
        self.clock = clock

    @cached_property
    def announcer(self) -> Announcer:
        """What knows alerts by their labels and draws their cards; reads the playbook library, which takes a second."""
        config = self.config
        off = {*missing_secrets(config), *(f"receiver {name}" for name in self.store.outbox.disabled())}
        on = [name for name in config.receivers if f"receiver {name}" not in off]

        def effective_receiver(name: str) -> str:
            return next((candidate for candidate in (name, config.fallback_receiver, *on) if candidate in on), name)

        interactive = config.slack is not None and SLACK_APP not in off
        cards = CardBuilder(config, PlaybookLibrary.load(), interactive=interactive)
        return Announcer(config, cards, self.store, Workplaces(config), effective_receiver)

    @cached_property
    def desk(self) -> Desk:
        """What carries out what people decide."""
        escalator = Escalator(self.config, self.announcer, self.store, self.clock)
        return Desk(self.config, self.announcer, escalator, self.store, self.clock)


@contextmanager
def open_desk(config: Config, clock: Clock | None = None, *, read_only: bool = False) -> Iterator[OpenDesk]:
    """Open a desk on the store, beside a daemon that runs or without one; what it causes waits in the outbox.

    With `read_only` it looks things up alone, and waits for nobody who writes.

    Raises:
        ListenerError: the store cannot be used.
    """
    store = Store(config.store.address, read_only=read_only)
    try:
        yield OpenDesk(config, store, clock or SystemClock())
    finally:
        store.close()


def open_app(config: Config, *, progress: Progress | None = None, clock: Clock | None = None) -> App:
    """Open store, plugins, library and model.

    Raises:
        ListenerError: any of them cannot be used; the message says what to do.
    """
    clock = clock or SystemClock()
    library = PlaybookLibrary.load()
    store = Store(config.store.address)
    try:
        plugins = open_plugins(config, clock)
        classifier = load_classifier(config, progress)
    except ListenerError:
        store.close()
        raise
    # A daemon that starts anew knows that no sender of its own is still at work.
    if config.store.address.startswith("sqlite"):
        store.outbox.release(clock.now() + timedelta(seconds=SETTLE_S))
    store.outbox.enable_all()
    app = App(config, plugins, classifier, library, store, clock)
    app.clock_went_back()  # it may have while the daemon was off
    app.hand_over_orphans()
    return app


def reopen_app(app: App, config: Config) -> App:
    """Return the parts for another configuration on the same store; what the old ones hold open is still to be closed.

    The model stays loaded unless its settings changed. What a network refused stays off unless its settings changed,
    and a receiver that was disabled is tried again if its own did.

    Raises:
        ListenerError: a part cannot be used; the message says what to do.
    """
    before = app.config
    plugins = open_plugins(config, app.clock)
    try:
        classifier = app.classifier if config.model == before.model else load_classifier(config)
        app.store.outbox.enable([name for name, one in config.receivers.items() if one != before.receivers.get(name)])
        new = App(config, plugins, classifier, app.library, app.store, app.clock)
        new.collector.refused |= _still_refused(app.collector.refused, before, config)
        new.hand_over_orphans()
    except BaseException:  # such as a database that does not answer: it is tried again every second
        plugins.close()
        raise
    return new


def _still_refused(refused: Mapping[str, str], before: Config, config: Config) -> dict[str, str]:
    old, new = ({watch.id: watch for watch in one.watches} for one in (before, config))
    same = {name for name, options in config.sources.items() if options == before.sources.get(name)}
    same |= {name for name, watch in new.items() if watch == old.get(name) and watch.source in same}
    return {name: why for name, why in refused.items() if name in same}
