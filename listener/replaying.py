"""Runs a file of posts through the pipeline as if they had just been collected; nothing is sent to anyone."""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from alerts.card import Message, Note
from alerts.receivers.base import Delivery, Receiver
from alerts.receivers.terminal import TerminalReceiver
from listener.app import App, Progress, load_classifier
from listener.config import Config, ReceiverOptions
from listener.errors import SourceError, StoreError
from listener.model import Mention, Page, Skipped, Watch, Withdrawn
from listener.pipeline.tally import Tally
from listener.plugins import Plugins
from listener.store import Arrival, Store
from listener.trial import named_brand
from playbooks.library import PlaybookLibrary

_PAGE = 500


@dataclass(slots=True)
class ReplayReport:
    """What a replay did. Every post read is accounted for once."""

    tally: Tally
    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    stored: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    assumed: Counter[str] = field(default_factory=Counter)
    """Posts whose country nothing told, by the country assumed."""

    def _assumed(self) -> list[str]:
        return [
            f"{count} posts whose country nothing tells were taken for {code}; choose with --country"
            for code, count in self.assumed.items()
        ]

    @property
    def adds_up(self) -> bool:
        """Tell whether what went in is what came out, at every stage, in the tally and in the store."""
        tally, stored = self.tally, self.stored
        decided = sum(counter.total() for counter in (tally.alerts, tally.joined, tally.quiet, tally.old))
        return (
            tally.new.total() == tally.classified.total() == decided
            and stored["mentions"] - stored["mentions_before"] == tally.new.total()
            and stored["classifications"] - stored["classifications_before"] == tally.classified.total()
            and stored["alerts"] - stored["alerts_before"] == tally.alerts.total() <= tally.notifications.total()
            and stored["alert messages sent"] - stored["alert messages sent_before"] == tally.notifications.total()
        )

    def lines(self) -> list[str]:
        """Return the report: the summary, then how the counts add up."""
        tally = self.tally
        repeated = tally.collected.total() - tally.new.total()
        rate = tally.classified.total() / self.seconds if self.seconds else 0.0
        skipped = "".join(f"\n  skipped {count} x {reason}" for reason, count in self.skipped.most_common())
        return [
            *(line.replace("notifications sent", "notifications counted, none sent") for line in tally.lines()),
            *self._assumed(),
            f"read {self.read} = {tally.new.total()} new + {repeated} repeated"
            f" + {self.skipped.total()} skipped{skipped}",
            f"classified {tally.classified.total()} = {tally.alerts.total()} raised an alert + {tally.joined.total()}"
            f" joined one + {tally.quiet.total()} quiet + {tally.old.total()} too old",
            f"{tally.notifications.total()} messages to receivers: an alert can go to several",
            f"{self.seconds:.1f} s, {rate:.0f} mentions a second; the counts "
            + ("add up" if self.adds_up else "DO NOT ADD UP: please report this"),
        ]


class _Counting:
    """A receiver that shows nothing: the report counts what it is given."""

    min_interval_s = 0.0

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        if isinstance(message, Note) and message.tone == "operator":
            print(f"{message.title}: {message.text}")
        return Delivery("replay", notification_id)

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        return None

    def close(self) -> None:
        pass


def _at_once(options: ReceiverOptions) -> ReceiverOptions:
    return options.model_copy(update={"at_once": True, "budget": None})


def check_replay(file: Path, network: str | None = None) -> None:
    """Find out whether there is anything to replay, before the seconds that a model takes to load.

    Raises:
        SourceError: the file cannot be read at all, or holds no posts.
    """
    from sources.file import read_replay

    if next(read_replay(file, network=network), None) is None:
        raise _holds_nothing(file)


def _holds_nothing(file: Path) -> SourceError:
    return SourceError(f"{file} holds no posts in a format that replay reads: see docs/file-format.md")


class Replay:
    """A pipeline whose only receiver is this terminal, on a database of its own unless told otherwise."""

    def __init__(self, config: Config, *, store_url: str | None, cards: bool, progress: Progress | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="listener-replay-")
        url = store_url or f"sqlite:///{self._folder.name}/replay.db"
        receiver: Receiver = TerminalReceiver() if cards else _Counting()
        self._progress = progress
        self._gone: list[Withdrawn] = []
        names = dict.fromkeys([*config.receivers, config.fallback_receiver], receiver)
        # Nobody waits for the hours or the group of a post that lies in the past.
        config = config.model_copy(
            update={"receivers": {name: _at_once(one) for name, one in config.receivers.items()}}
        )
        self._config = config
        self._app = App(
            config,
            Plugins(receivers=names),
            load_classifier(config, progress),
            PlaybookLibrary.load(),
            self._open(url),
        )

    @staticmethod
    def _open(url: str) -> Store:
        store = Store(url)
        if store.outbox.receivers_waiting():
            store.close()
            raise StoreError("that database holds notifications that wait to be sent; replay into one of its own")
        return store

    def run(
        self,
        file: Path,
        stop: threading.Event,
        *,
        country: str | None = None,
        brand: str | None = None,
        network: str | None = None,
        speed: float | None = None,
    ) -> ReplayReport:
        """Replay a file; every post in it goes through the whole pipeline.

        Raises:
            SourceError: the file cannot be read at all.
        """
        from sources.file import read_replay

        started = time.monotonic()
        report = ReplayReport(Tally())
        report.stored = {f"{name}_before": count for name, count in self._app.store.counts().items()}
        rows = read_replay(file, network=network)
        for batch in _batches(rows, 1 if speed else _PAGE):
            if stop.is_set():
                break
            mentions = self._sorted_out(batch, report)
            if speed and mentions and self._wait(mentions[0], speed, stop):
                break
            self._take(mentions, report, country, brand)
            self._app.store.withdrawals.withdraw(self._gone, datetime.now(UTC))
            self._gone.clear()
            self._app.work(report.tally, stop.is_set)
            self._app.send_all(report.tally, stop)
            if self._progress:
                self._progress(f"replayed {report.read}", 0.0)
        if not report.read:
            raise _holds_nothing(file)
        report.stored |= self._app.store.counts()
        report.seconds = time.monotonic() - started
        return report

    def close(self) -> None:
        """Release everything; a database that was not named is thrown away."""
        self._app.close()
        self._folder.cleanup()

    def _sorted_out(self, batch: list[Mention | Skipped | Withdrawn], report: ReplayReport) -> list[Mention]:
        mentions = []
        for found in batch:
            report.read += 1
            if isinstance(found, Mention):
                mentions.append(found)
            elif isinstance(found, Withdrawn):
                report.skipped["says that a post is gone"] += 1
                self._gone.append(found)
            else:
                report.skipped[found.reason] += 1
        return mentions

    _last_at: datetime | None = None

    def _wait(self, mention: Mention, speed: float, stop: threading.Event) -> bool:
        """Keep the distance to the post before, `speed` times as short."""
        before, self._last_at = self._last_at, mention.published_at
        distance_s = (mention.published_at - before).total_seconds() if before else 0.0
        return stop.wait(pause_s(distance_s, speed))

    def _take(self, mentions: list[Mention], report: ReplayReport, country: str | None, brand: str | None) -> None:
        from classifiers.copies import text_hash

        tally = report.tally
        now = datetime.now(UTC)
        groups: dict[tuple[str, str], list[Mention]] = {}
        for mention in mentions:
            about = brand or named_brand(mention.text, self._config) or next(iter(self._config.brands))
            code = self._country(mention)
            if code is None:
                code = country or next(iter(self._config.countries))
                report.assumed[code] += 1
            groups.setdefault((code, about), []).append(mention)
        for (code, about), group in groups.items():
            settings = self._config.countries[code]
            watch = Watch(
                f"replay/{code}/{about}", "file", about, code, tuple(settings.languages), (), timezone=settings.timezone
            )
            tally.collected[code] += len(group)
            tally.new.update(
                self._app.store.collecting.save_page(
                    watch,
                    Page(tuple(group), None),
                    [Arrival(mention, code, text_hash(mention.text)) for mention in group],
                    now=now,
                    next_poll_at=now,
                    max_age_s=None,
                )
            )

    def _country(self, mention: Mention) -> str | None:
        """Where the post says, else the first country that speaks its language, else None."""
        countries = self._config.countries
        for code in (mention.country, mention.author.country):
            if code in countries:
                return code
        base = (mention.language or "").split("-")[0]
        speaking = (
            code
            for code, settings in countries.items()
            if base and base in {language.split("-")[0] for language in settings.languages}
        )
        return next(speaking, None)


def _batches(rows: Iterator[Mention | Skipped | Withdrawn], size: int) -> Iterator[list[Mention | Skipped | Withdrawn]]:
    while batch := list(islice(rows, size)):
        yield batch


def pause_s(distance_s: float, speed: float) -> float:
    """Return how long to wait between posts that lie so far apart: no longer than can be waited for."""
    return min(max(0.0, distance_s) / speed, threading.TIMEOUT_MAX)
