"""What a change of thresholds would have meant: the stored decisions of a span replayed, fast enough to type along.

The span's columns are read once for each country and kept for some minutes. Nothing is sent and nothing is stored.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from listener.clock import Clock
from listener.config import Config
from listener.store import Store
from listener.store.decisions import Extent
from listener.tuning.columns import Columns, read_columns
from listener.tuning.comparison import Comparison, compare
from listener.tuning.joining import Run, run_rules
from listener.tuning.simulation import to_keep_in_mind
from listener.tuning.spans import check_span, covered_days

SPANS_DAYS = (7, 14, 28)
KEPT = timedelta(minutes=5)
_MOST_KEPT = 6
_TEXTS = 5


@dataclass(eq=False)
class _Read:
    """One span that was read, and how it runs under the configuration in force."""

    columns: Columns
    extent: Extent
    """From when to when anything of it is stored, in the span or not."""
    read_at: datetime
    config: Config | None = None
    run: Run | None = None


class Previews:
    """Compares the configuration in force with changed ones. Safe among threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._reads: OrderedDict[tuple[str | None, int], _Read] = OrderedDict()
        self._locks: dict[tuple[str | None, int], threading.Lock] = {}
        self._lock = threading.Lock()

    def compare(self, config: Config, changed: Config, country: str | None, days: int) -> Comparison:
        """Return what `changed` would have meant in the last days against `config`; of one country, or of all."""
        key = (country, days)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            read = self._read(key)
            if read.run is None or read.config is not config:
                read.run, read.config = run_rules(read.columns, config, country=country), config
            before = read.run
        after = before if changed is config else run_rules(read.columns, changed, country=country)
        countries: Sequence[str] | None = None if country is None else [country]
        columns, store = read.columns, self._store
        covered = covered_days((columns.since, columns.until), read.extent)
        found = compare(
            columns, before, after, store, changed,
            then_config=config, texts=_TEXTS, countries=countries, covered_days=covered,
        )  # fmt: skip
        if not found.mentions:
            return found
        early = check_span((columns.since, columns.until), read.extent, found.timezone)
        return replace(found, notes=(*early, *to_keep_in_mind(store, columns, after, config, changed, countries)))

    def _read(self, key: tuple[str | None, int]) -> _Read:
        now = self._clock.now()
        found = self._reads.get(key)
        if found is None or not timedelta() <= now - found.read_at < KEPT:
            country, days = key
            columns = read_columns(self._store, now - timedelta(days=days), now, country=country)
            found = _Read(columns, self._store.decisions.extent(country), now)
        with self._lock:
            self._reads[key] = found
            self._reads.move_to_end(key)
            while len(self._reads) > _MOST_KEPT:
                self._reads.popitem(last=False)
        return found


def with_countries(config: Config, change: Callable[[str, Any], Any]) -> Config:
    """Return a configuration with each country as `change` (code, country) returns it."""
    return config.model_copy(update={"countries": {code: change(code, one) for code, one in config.countries.items()}})
