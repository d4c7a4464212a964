"""What every source promises, and the HTTP seam that lets a proxy or test server stand in for a network."""

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from listener.clock import Clock
from listener.config import SourceOptions, WatchOptions
from listener.model import Page, Watch


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
class SourceSpec:
    """How the daemon knows a source: its options, its watch options, and how to make it."""

    name: str
    options: type[SourceOptions]
    watch_options: type[WatchOptions]
    create: "Create"


class Create(Protocol):
    """Makes a source from its checked options. The client library is imported here, not before."""

    def __call__(self, options: Any, clock: Clock) -> Source:
        """Return a ready source.

        Raises:
            MissingSecretError: a token is not set.
        """
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
