"""The cursor of a watch on X: for each endpoint, how far it has read and the sweep it is in.

A sweep is one pass from the newest post down to the last one known, over as many pages as it takes. Its lower
bound stays the same on every page; its newest post becomes the next lower bound only when the last page is in.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.model import Gap
from sources.x.parsing import parse_id

SEARCH_WINDOW = timedelta(days=7)
WINDOW_MARGIN = timedelta(minutes=5)
"""Kept inside the window, so that it does not close while a request is on its way."""
INDEXING_LAG = timedelta(seconds=30)
"""X answers up to 30 s before now unless told otherwise (docs, read 2026-08-22)."""
TIMELINE_POSTS = 800
"""X's mentions timeline reaches no further back (docs, read 2026-08-22)."""
_SNOWFLAKE_EPOCH_MS = 1288834974657


@dataclass(slots=True)
class Sweep:
    """How far one endpoint has read."""

    since_id: str | None = None
    since_at: datetime | None = None
    """Everything posted until then was seen."""
    pause_until: datetime | None = None
    account: str | None = None
    user_id: str | None = None
    """The id of `account`, kept because each look-up costs."""
    began_at: datetime | None = None
    start_at: datetime | None = None
    """The lower bound where there is no `since_id`."""
    newest_id: str | None = None
    oldest_id: str | None = None
    until_id: str | None = None
    next_token: str | None = None
    seen: int = 0

    @property
    def unfinished(self) -> bool:
        """True between the first and the last page."""
        return self.began_at is not None

    def begin(self, now: datetime, look_back_s: float, window: timedelta | None) -> list[Gap]:
        """Start a sweep unless one is under way; return what X no longer shows of the time since the last."""
        if self.began_at is not None:
            return []
        self.began_at = now
        if self.since_id is not None:
            return []
        return self._start_at(self.since_at or now - timedelta(seconds=look_back_s), now, window)

    def start_from_window(self, now: datetime, window: timedelta) -> list[Gap]:
        """Give up a lower bound that X calls too old for the oldest that it takes; return the gap, if any."""
        self.since_id = None
        return self._start_at(self.since_at or now - window, now, window)

    def _start_at(self, wanted: datetime, now: datetime, window: timedelta | None) -> list[Gap]:
        wanted = min(wanted, now - 2 * INDEXING_LAG)  # X wants it earlier than the end, which lags behind now
        oldest = now - window + WINDOW_MARGIN if window else wanted
        self.start_at = max(wanted, oldest)
        if self.since_at is None or self.since_at >= self.start_at:
            return []
        return [Gap(self.since_at, self.start_at, "X's search reaches seven days back")]

    def go_on_below(self) -> None:
        """Go on without a page token: ask for what is older than the oldest post taken."""
        self.next_token = None
        self.until_id = self.oldest_id

    def take(self, ids: Sequence[str], next_token: str | None) -> list[Gap]:
        """Note a page that came in; return the gap found where it was the last one."""
        known = [text for text in (self.newest_id, *ids) if text]
        self.newest_id = max(known, key=int) if known else None
        self.oldest_id = min(ids, key=int) if ids else self.oldest_id
        self.seen += len(ids)
        if next_token is not None and next_token == self.next_token:
            # A page that leads to itself would never end: go on below it, or start anew at the next poll.
            self.go_on_below() if ids else self._reset()
            return []
        self.next_token = next_token
        return [] if next_token else self._finish()

    def _finish(self) -> list[Gap]:
        gaps = self._beyond_timeline()
        known = [text for text in (self.since_id, self.newest_id) if text]
        self.since_id = max(known, key=int) if known else None
        self.since_at = self.began_at - INDEXING_LAG if self.began_at else self.since_at
        self._reset()
        return gaps

    def _reset(self) -> None:
        self.began_at = self.start_at = None
        self.newest_id = self.oldest_id = self.until_id = self.next_token = None
        self.seen = 0

    def _beyond_timeline(self) -> list[Gap]:
        if self.account is None or self.seen < TIMELINE_POSTS or not self.oldest_id or not self.since_at:
            return []
        reached_at = posted_at(self.oldest_id)
        reason = f"X's mentions timeline holds {TIMELINE_POSTS} posts"
        return [Gap(self.since_at, reached_at, reason)] if reached_at > self.since_at else []


@dataclass(slots=True)
class State:
    """The whole cursor: a sweep per endpoint, whose turn it is, and what the month has cost."""

    sweeps: dict[str, Sweep] = field(default_factory=dict)
    turn: str = ""
    pages: int = 0
    """Pages read of the endpoint whose turn it is, in this poll."""
    month: str = ""
    posts: int = 0
    """Posts read in `month`."""

    def count(self, posts: int, now: datetime) -> int:
        """Add posts to the month's count, which starts again with each month; return it."""
        month = f"{now:%Y-%m}"
        self.posts = posts + (self.posts if month == self.month else 0)
        self.month = month
        return self.posts


def load_state(cursor: str | None, endpoints: Sequence[str]) -> State:
    """Return the state that a cursor holds, with a sweep for each of `endpoints` and no other.

    Raises:
        ValueError: the cursor is not one of ours.
    """
    data = json.loads(cursor) if cursor is not None else {}
    if not isinstance(data, dict) or not isinstance(data.get("sweeps", {}), dict):
        raise ValueError("not a cursor of X")
    sweeps = {name: _load_sweep(data.get("sweeps", {}).get(name, {})) for name in endpoints}
    turn = data.get("turn") if data.get("turn") in sweeps else next(iter(sweeps), "")
    return State(sweeps, str(turn), int(data.get("pages", 0)), str(data.get("month", "")), int(data.get("posts", 0)))


def dump_state(state: State) -> str:
    """Return the state as a cursor."""
    return json.dumps({**asdict(state), "sweeps": {name: _dump_sweep(s) for name, s in state.sweeps.items()}})


def posted_at(post_id: str) -> datetime:
    """Return when a post was made, as its id tells."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + _SNOWFLAKE_EPOCH_MS) / 1000.0, UTC)


def _dump_sweep(sweep: Sweep) -> dict[str, Any]:
    values = {name: value for name, value in asdict(sweep).items() if value}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _load_sweep(data: Any) -> Sweep:
    if not isinstance(data, dict):
        raise ValueError("not a sweep")
    known = {item.name for item in fields(Sweep)}
    return Sweep(**{name: _load_value(name, value) for name, value in data.items() if name in known})


def _load_value(name: str, value: Any) -> Any:
    if name.endswith(("_at", "_until")):
        return datetime.fromisoformat(value)
    is_id = name.endswith("_id")
    if not isinstance(value, int if name == "seen" else str) or (is_id and parse_id(value) is None):
        raise ValueError(f"not a value of {name}")
    return value
