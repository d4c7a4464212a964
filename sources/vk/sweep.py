"""Where one watch stands on VK: what earlier sweeps have seen, and what is left of the sweep under way.

A sweep is a list of tasks, one call each. What it has seen takes effect when its last task is done, so a sweep
that is broken off is only read again. The cursor is this state as JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from listener.model import Gap

SEARCH_PAGE = 200
SEARCH_CAP = 1000
"""VK shows the first thousand results of a search (dev.vk.com, newsfeed.search, read 2026-11-22)."""
_MOST_WINDOWS = 5
_LONGEST_SWEEP_S = 6 * 3600
"""After this, VK's own paging tokens are not trusted any more."""


@dataclass(frozen=True, slots=True)
class Task:
    """One call to make: `kind` is search, wall, comments or board; the rest is where in it to go on."""

    kind: str
    query: str = ""
    since: int = 0
    until: int = 0
    start_from: str = ""
    received: int = 0
    oldest: int = 0
    windows: int = 1
    post: int = 0
    thread: int = 0
    topic: int = 0
    offset: int = 0
    newest: int = 0


@dataclass(slots=True)
class Seen:
    """What has been read: when each query was searched, how many comments each post had, each topic's last comment."""

    searched: dict[str, int] = field(default_factory=dict)
    posts: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    scanned_at: int = 0
    """When every watched post was last read, whether its number of comments had changed or not."""


@dataclass(slots=True)
class Sweep:
    """The state of one watch."""

    seen: Seen = field(default_factory=Seen)
    reached: Seen = field(default_factory=Seen)
    """What `seen` becomes when the tasks are done."""
    started_at: int = 0
    tasks: list[Task] = field(default_factory=list)

    def under_way(self, now: int) -> bool:
        """Tell whether there are tasks left that are still worth doing."""
        return bool(self.tasks) and 0 <= now - self.started_at <= _LONGEST_SWEEP_S

    def begin(self, tasks: list[Task], now: int) -> None:
        """Start over with these tasks."""
        searched = {task.query: now for task in tasks if task.kind == "search"}
        self.tasks, self.started_at = tasks, now
        self.reached = Seen(
            searched={**self.seen.searched, **searched},
            posts=dict(self.seen.posts),
            topics=dict(self.seen.topics),
            scanned_at=self.seen.scanned_at,
        )

    def finish(self) -> None:
        """Let what the sweep has read take effect."""
        self.seen, self.reached = self.reached, Seen()


def dump_sweep(sweep: Sweep) -> str:
    """Return the cursor that `load_sweep` reads."""
    tasks = [{name: value for name, value in asdict(task).items() if value} for task in sweep.tasks]
    state: dict[str, Any] = {"seen": asdict(sweep.seen)}
    if tasks:
        state.update(reached=asdict(sweep.reached), started_at=sweep.started_at, tasks=tasks)
    return json.dumps(state, ensure_ascii=False, separators=(",", ":"))


def load_sweep(cursor: str | None) -> Sweep:
    """Return the state a cursor holds; one that cannot be read is like none, for the store ignores repeats."""
    try:
        state = json.loads(cursor or "{}")
        return Sweep(
            seen=Seen(**state.get("seen", {})),
            reached=Seen(**state.get("reached", {})),
            started_at=state.get("started_at", 0),
            tasks=[Task(**task) for task in state.get("tasks", ())],
        )
    except (ValueError, TypeError, AttributeError):
        return Sweep()


def following_search(task: Task, response: Mapping[str, Any], items: list[Any]) -> tuple[Task | None, Gap | None]:
    """Return the search call after this one, if any, and what VK would not show.

    Past the cap the same search goes on with an end time, as far as that reaches further back.
    """
    dates = [item["date"] for item in items if isinstance(item, Mapping) and isinstance(item.get("date"), int)]
    oldest = min([*dates, *filter(None, [task.oldest])], default=0)
    received = task.received + len(items)
    following = response.get("next_from")
    if items and isinstance(following, str) and following not in ("", task.start_from) and received < SEARCH_CAP:
        return replace(task, start_from=following, received=received, oldest=oldest), None
    total = response.get("total_count")
    if not (received >= SEARCH_CAP or (isinstance(total, int) and total > SEARCH_CAP)):
        return None, None
    until = oldest + 1
    if oldest and task.windows < _MOST_WINDOWS and (not task.until or until < task.until):
        return Task("search", query=task.query, since=task.since, until=until, windows=task.windows + 1), None
    return None, _gap(task, oldest or task.until)


def _gap(task: Task, end: int) -> Gap | None:
    if end <= task.since:
        return None
    reason = f"VK shows no more results of the search for {task.query!r}; name a narrower query"
    return Gap(datetime.fromtimestamp(task.since, UTC), datetime.fromtimestamp(end, UTC), reason)
