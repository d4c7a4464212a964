"""Polls watches: fetches pages, stores each with its cursor, and decides when to come back."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from classifiers.copies import text_hash
from listener.clock import Clock
from listener.config import Config, Secret
from listener.errors import (
    QuotaExhaustedError,
    RefusedSourceError,
    RefusedWatchError,
    RetryableSourceError,
    SourceError,
)
from listener.model import Gap, Page, Usage, Watch
from listener.pipeline.places import country_of
from listener.pipeline.tally import Tally
from listener.store import Arrival, Store, WatchState
from sources.base import Source, SupportsMeter

log = structlog.get_logger("listener.collect")

PAGES_A_POLL = 50
"""A watch with more waits for its next turn, so that one back-fill does not starve the others."""
_LONGEST_PAUSE_S = 3600.0
_LONGEST_ASKED_S = 86_400.0
_LONGEST_QUOTA = timedelta(days=32)


class Collector:
    """Polls one watch at a time; everything it remembers is in the store, but for sources that refused."""

    def __init__(
        self,
        config: Config,
        sources: Mapping[str, Source],
        store: Store,
        clock: Clock,
        tell_operators: Callable[[str, str], None],
    ) -> None:
        self._config = config
        self._sources = sources
        self._store = store
        self._clock = clock
        self._tell_operators = tell_operators
        self.refused: dict[str, str] = {}
        """Sources and watches that were refused, with what was said: not polled again until the next start."""
        self._told: dict[str, datetime] = {}
        """Until when operators know of a source's used-up quota: each of its watches meets it."""

    def watches(self) -> list[Watch]:
        """Return the watches whose source is on."""
        return [watch for watch in self._config.watches if watch.source in self._sources]

    def poll(self, watch: Watch, tally: Tally, stopping: Callable[[], bool], *, even_if_early: bool = False) -> None:
        """Fetch what is new for one watch, if its time has come. Never raises a source's error."""
        state = self._store.collecting.state(watch.id)
        now = self._clock.now()
        early = state.next_poll_at is not None and now < state.next_poll_at <= now + self._longest(watch, state)
        if {watch.source, watch.id} & self.refused.keys() or (early and not even_if_early):
            return
        if early and state.failures:  # a network that asked to be left alone is, in a single pass too
            tally.failed[watch.id] = f"paused until {state.next_poll_at:%Y-%m-%d %H:%M} UTC: {state.problem}"
            return
        try:
            self._sweep(watch, state, tally, stopping)
        except SourceError as error:
            tally.failed[watch.id] = _sentence(error)
            self._failed(watch, error)
        except Exception as error:  # noted here, so that the watch backs off; logged where jobs are guarded
            tally.failed[watch.id] = f"unexpected {type(error).__name__}"
            pause = timedelta(seconds=self._backoff_s(watch, state.failures))
            self._store.collecting.save_failure(
                watch.id,
                f"unexpected {type(error).__name__}",
                now=now,
                next_poll_at=now + pause,
                usage=self._used(watch),
            )
            raise

    def _sweep(self, watch: Watch, state: WatchState, tally: Tally, stopping: Callable[[], bool]) -> None:
        cursor = state.cursor
        for turn in range(PAGES_A_POLL):
            page = self._sources[watch.source].fetch(watch, cursor)
            go_on = page.more and not stopping()
            self._keep(watch, page, tally, at_once=page.more and (stopping() or turn == PAGES_A_POLL - 1))
            if not go_on:
                return
            if page.cursor == cursor and not page.mentions:
                raise RetryableSourceError(f"{watch.source} asks to go on from where it already was")
            cursor = page.cursor

    def _keep(self, watch: Watch, page: Page, tally: Tally, *, at_once: bool) -> None:
        now = self._clock.now()
        arrivals = [
            Arrival(mention, country_of(mention, watch, self._config), text_hash(mention.text))
            # Networks answer newest first; an original must stand before its copies, a post before its answers.
            for mention in sorted(page.mentions, key=lambda mention: mention.published_at)
        ]
        pause = 0.0 if at_once else self._interval_s(watch)
        new = self._store.collecting.save_page(
            watch,
            page,
            arrivals,
            now=now,
            next_poll_at=now + timedelta(seconds=pause),
            max_age_s=self._max_age_s(watch),
            usage=self._used(watch, page),
        )
        tally.collected.update(arrival.country for arrival in arrivals)
        tally.new.update(new)
        tally.skipped[watch.country] += sum(item.broken for item in page.skipped)
        for item in page.skipped:
            if item.broken:
                log.warning("item skipped", watch=watch.id, where=item.where, reason=item.reason)
        for gap in page.gaps:
            log.warning("gap", watch=watch.id, since=str(gap.start_at), until=str(gap.end_at), reason=gap.reason)
        if page.mentions:
            log.info("collected", watch=watch.id, mentions=len(page.mentions), new=sum(new.values()))

    def _failed(self, watch: Watch, error: SourceError) -> None:
        now = self._clock.now()
        state = self._store.collecting.state(watch.id)
        if isinstance(error, QuotaExhaustedError):
            until = min(error.resets_at or now + timedelta(hours=24), now + _LONGEST_QUOTA)
            gap = Gap(state.succeeded_at or now, until, f"quota used up: {_sentence(error)}")
            self._note(watch, error, now, until, gap)
            self._tell_of_quota(watch.source, error, until)
        elif isinstance(error, RefusedSourceError):
            what = watch.id if isinstance(error, RefusedWatchError) else watch.source
            self.refused[what] = _sentence(error)
            self._note(watch, error, now, now + timedelta(seconds=_LONGEST_PAUSE_S))
            options = dict(self._config.sources[watch.source])
            secrets = [repr(value) for value in options.values() if isinstance(value, Secret)]
            check = f" Check {', '.join(secrets)}." if secrets and what == watch.source else ""
            self._tell_operators(
                f"{what}: stopped",
                f"{_sentence(error)}{check} It is off until its settings change or the daemon starts anew.",
            )
        else:
            asked = error.retry_after_s if isinstance(error, RetryableSourceError) else None
            pause = min(asked, _LONGEST_ASKED_S) if asked is not None else self._backoff_s(watch, state.failures)
            self._note(watch, error, now, now + timedelta(seconds=pause))

    def _tell_of_quota(self, source: str, error: QuotaExhaustedError, until: datetime) -> None:
        if self._told.get(source, until - timedelta(days=1)) >= until:
            return
        self._told[source] = until
        self._tell_operators(
            f"{source}: quota used up", f"{_sentence(error)} It pauses until {until:%Y-%m-%d %H:%M} UTC."
        )

    def _note(self, watch: Watch, error: SourceError, now: datetime, until: datetime, gap: Gap | None = None) -> None:
        problem = _sentence(error)
        self._store.collecting.save_failure(
            watch.id,
            problem,
            now=now,
            next_poll_at=until,
            gap=gap,
            fault=fault_of(error),
            usage=self._used(watch),
        )
        log.warning("poll failed", watch=watch.id, kind=type(error).__name__, problem=problem, until=str(until))

    def _used(self, watch: Watch, page: Page | None = None) -> Usage:
        """Return what the network was asked for since the last time; files are read without asking anybody."""
        source = self._sources[watch.source]
        if isinstance(source, SupportsMeter):
            return source.meter.take()
        return Usage(items=len(page.mentions) + len(page.skipped)) if page is not None else Usage()

    def _longest(self, watch: Watch, state: WatchState) -> timedelta:
        """How far ahead a next poll can truly lie; one beyond was written by a clock that was wrong."""
        return _LONGEST_QUOTA if state.failures else timedelta(seconds=2 * self._interval_s(watch) + 60)

    def _backoff_s(self, watch: Watch, failures: int) -> float:
        longest = self._interval_s(watch) * 2 ** min(failures, 10)
        return float(min(_LONGEST_PAUSE_S, longest) * random.uniform(0.8, 1.2))

    def _interval_s(self, watch: Watch) -> float:
        own: float | None = getattr(watch.options, "every", None)
        return own if own is not None else self._config.sources[watch.source].every

    def _max_age_s(self, watch: Watch) -> float | None:
        own = getattr(watch.options, "max_age", "default")
        if own == "default":
            return self._config.countries[watch.country].thresholds.max_age
        return None if own is None else float(own)


def fault_of(error: SourceError) -> str:
    """Return what kind of problem an error is, as a watch's state names it."""
    if isinstance(error, QuotaExhaustedError):
        return "quota"
    if isinstance(error, RefusedWatchError):
        return "watch"
    return "source" if isinstance(error, RefusedSourceError) else "failing"


def _sentence(error: Exception) -> str:
    """Return an error as a sentence. Networks' own words may carry escapes or turn the writing direction."""
    text = "".join(character if character.isprintable() else " " for character in str(error)).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
