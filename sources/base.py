"""What every source promises, and the HTTP seam that lets a proxy or test server stand in for a network."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable
from urllib.parse import urlsplit, urlunsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from listener.clock import Clock
from listener.config import SourceOptions, WatchOptions
from listener.model import Page, Usage, Watch


class Source(Protocol):
    """A connector to one network or export format."""

    def fetch(self, watch: Watch, cursor: str | None) -> Page:
        """Return what is new for `watch` since `cursor` (None the first time).

        The cursor in the page is stored in the same transaction as its mentions; `more` asks for another
        fetch at once. A source may return an item again: the store ignores what it has.

        Raises:
            RetryableSourceError: a passing fault; the cursor stays, the next poll moves.
            QuotaExhaustedError: pause this watch until the quota resets.
            RefusedSourceError: credentials or rights refused; the source stops.
            RefusedWatchError: what this watch asks is refused; the watch stops, the others go on.
        """
        ...

    def close(self) -> None:
        """Release connections. May be called more than once."""
        ...


@dataclass(frozen=True, slots=True)
class PostRef:
    """A post that was fetched before."""

    network: str
    external_id: str
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a post that was fetched before."""

    network: str
    external_id: str
    kind: Literal["stands", "deleted"]
    text: str | None = None
    """How it reads now, where the network says; the store tells whether that is an edit."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Identifiers that are new since."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a second look brought: posts of which nothing sure is known are left out."""

    fates: tuple[Fate, ...]
    cursor: str | None
    """The watch's cursor, which may count what was read."""


@runtime_checkable
class SupportsLook(Protocol):
    """A source that can look again at posts it has fetched."""

    most_posts: int
    """How many posts one look takes."""

    def look(self, watch: Watch, cursor: str | None, posts: Sequence[PostRef]) -> Looked:
        """Return what became of posts that `watch` found. Called in the thread that fetches, between fetches.

        A post is deleted only where the network says so of this very post; a look that failed says nothing.

        Raises:
            RetryableSourceError, QuotaExhaustedError, RefusedSourceError, RefusedWatchError: as `Source.fetch`.
        """
        ...


class Meter:
    """Counts what a source asks of its network, whether it succeeds or not, until somebody takes the figures."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usage = Usage()

    def count(self, requests: int = 0, items: int = 0, cost: float = 0.0) -> None:
        """Add to what was used."""
        with self._lock:
            used = self._usage
            self._usage = Usage(used.requests + requests, used.items + items, used.cost + cost)

    def take(self) -> Usage:
        """Return what was used since the last time, and begin anew."""
        with self._lock:
            used, self._usage = self._usage, Usage()
        return used


@runtime_checkable
class SupportsMeter(Protocol):
    """A source whose network has quotas or sends a bill."""

    meter: Meter


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a watch has read of the posts that it may read in a month."""

    used: int
    limit: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Trial:
    """What one small request to a network showed. Nothing of it is stored."""

    said: str
    """A sentence for an admin, without any secret; file names and networks' own words in it are hostile."""
    heard: bool = True
    """False where nothing is wrong and there is nothing to hear either, such as a folder without files."""


@runtime_checkable
class SupportsTrial(Protocol):
    """A source that can be tried out."""

    def try_out(self, watch: Watch, cursor: str | None) -> Trial:
        """Make the cheapest request that shows whether this watch would be heard; the cursor stays as it is.

        Raises:
            RetryableSourceError, QuotaExhaustedError, RefusedSourceError, RefusedWatchError: it would not be.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """How the daemon knows a source: its options, its watch options, and how to make it."""

    name: str
    options: type[SourceOptions]
    watch_options: type[WatchOptions]
    create: "Create"
    budget: "BudgetOf | None" = None
    """Where watches keep to a limit of their own; it asks nothing of the network."""


class Create(Protocol):
    """Makes a source from its checked options. The client library is imported here, not before."""

    def __call__(self, options: Any, clock: Clock) -> Source:
        """Return a ready source.

        Raises:
            MissingSecretError: a token is not set.
        """
        ...


class BudgetOf(Protocol):
    """Reads from a watch's cursor how much of its limit is used."""

    def __call__(self, watch: Watch, cursor: str | None, now: datetime) -> Budget | None:
        """Return it; None where the watch has no limit."""
        ...


class RebasingAdapter(HTTPAdapter):
    """Sends every request to another base address, and never without a time-out.

    tweepy fixes its host and neither tweepy nor vk_api sets a time-out (tweepy 4.17.0, vk_api 11.10.1), so
    both are given a `requests` session with this adapter mounted.
    """

    def __init__(self, base_url: str | None, timeout_s: float) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        super().__init__()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send one request, rebased and bounded in time."""
        if self._base_url and request.url:
            asked, base = urlsplit(request.url), urlsplit(self._base_url)
            path = base.path.rstrip("/") + asked.path
            request.url = urlunsplit((base.scheme, base.netloc, path, asked.query, ""))
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout_s
        return super().send(request, *args, **kwargs)
