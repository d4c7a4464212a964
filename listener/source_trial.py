"""Tries a source out with one small real request: whether its watch would be heard, and what to do where it would not.

Nothing is stored and the watch's cursor stays as it is. No secret stands in what is said.
"""

import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.error import URLError
from urllib.parse import urlsplit

import structlog

from alerts.escaping import one_line, shorten
from listener.clock import Clock
from listener.config import Config, Secret
from listener.errors import (
    ListenerError,
    MissingSecretError,
    QuotaExhaustedError,
    RefusedSourceError,
    RefusedWatchError,
    SourceError,
)
from listener.model import Usage, Watch
from listener.sentences import Sentence, sentence
from listener.store import Store
from sources.base import SupportsMeter, SupportsTrial
from sources.registry import source_specs

log = structlog.get_logger("listener.trial")

EVERY_S = 10
"""A source is tried out once in so many seconds, by whoever it may be."""
MOST_SAID = 400
"""So many characters of what came of it are shown."""
_NONE = Usage()
_NETWORK_FAULTS = (ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)

State = Literal["works", "nothing", "off", "refused", "quota", "failed"]
"""`nothing`: nothing is wrong and there is nothing to hear; `failed`: a passing fault."""


class TooSoonError(ListenerError):
    """The source was tried out a moment ago."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What trying a watch out has shown."""

    watch: Watch
    state: State
    said: str
    """A sentence; networks' own words in it are hostile."""
    secrets: tuple[str, ...] = ()
    """Where the secrets stand that the network refuses, such as `${env:X_BEARER_TOKEN}`; never what they are."""
    until: datetime | None = None
    """When a quota that is used up is there again."""
    usage: Usage = _NONE

    @property
    def works(self) -> bool:
        """Whether the watch can be heard."""
        return self.state in ("works", "nothing")


def watches_of(config: Config, source: str, watch_id: str | None = None) -> list[Watch]:
    """Return the watches of a source, or the one that is named.

    Raises:
        ListenerError: there is no such source or watch, or no country listens to that source.
    """
    own = [watch for watch in config.watches if watch.source == source]
    if source not in config.sources:
        raise ListenerError(
            f"there is no source '{source}'; the configuration has {_names(config.sources)}; docs/sources.md tells how"
            " to connect another"
        )
    if not own:
        raise ListenerError(f"no country listens to '{source}': name it under countries.<code>.sources")
    if watch_id is None:
        return own
    found = [watch for watch in own if watch.id == watch_id]
    if not found:
        raise ListenerError(f"'{source}' has no watch '{watch_id}'; it has {_names(watch.id for watch in own)}")
    return found


def allow(store: Store, source: str, clock: Clock) -> None:
    """Note that a source is tried out now.

    Raises:
        TooSoonError: it was a moment ago.
    """
    now = clock.now()
    if not store.accounts.is_first_press(f"trial:{source}:{int(now.timestamp()) // EVERY_S}", now):
        raise TooSoonError(f"'{source}' was tried out a moment ago; wait {EVERY_S} seconds")


def try_watch(config: Config, clock: Clock, watch: Watch, cursor: str | None = None) -> Outcome:
    """Make one small request for a watch with the configured credentials, and say what came of it."""
    options = config.sources[watch.source]
    try:
        source = source_specs()[watch.source].create(options, clock)
    except MissingSecretError as error:
        return Outcome(watch, "off", error.hint)
    try:
        if not isinstance(source, SupportsTrial):
            return Outcome(watch, "works", sentence("it needs no credentials"))
        secrets = [repr(one) for one in _secrets(dict(options).values())]
        outcome = _outcome(source, watch, cursor, secrets, asked_of(watch.source, options.base_url))
        usage = source.meter.take() if isinstance(source, SupportsMeter) else Usage()
        return Outcome(watch, outcome.state, outcome.said, outcome.secrets, outcome.until, usage)
    finally:
        source.close()


def _outcome(source: SupportsTrial, watch: Watch, cursor: str | None, secrets: Sequence[str], asked: str) -> Outcome:
    try:
        trial = source.try_out(watch, cursor)
    except QuotaExhaustedError as error:
        return Outcome(watch, "quota", str(error), until=error.resets_at)
    except RefusedWatchError as error:
        return Outcome(watch, "refused", str(error))
    except RefusedSourceError as error:
        return Outcome(watch, "refused", str(error), tuple(secrets))
    except SourceError as error:
        return Outcome(watch, "failed", unreached(error, asked) or str(error))
    except Exception as error:  # the border of an act of a person, who is told; the log has the rest
        log.exception("a source failed while it was tried out", watch=watch.id)
        return Outcome(
            watch, "failed", sentence("unexpected {error}; it stands in the log", error=type(error).__name__)
        )
    return Outcome(watch, "works" if trial.heard else "nothing", trial.said)


def unreached(error: Exception, asked: str) -> Sentence | None:
    """Return what to say where the network is why nothing came, without a library's names; None where it is not.

    `asked` is who should have answered, where the error does not know the host.
    """
    from requests import exceptions

    cause = error.__cause__
    reason = getattr(cause, "reason", None) if isinstance(cause, URLError) else cause
    if not isinstance(
        reason, (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError, *_NETWORK_FAULTS)
    ):
        return None
    url = getattr(getattr(reason, "request", None), "url", None)
    host = (urlsplit(url).hostname if isinstance(url, str) else None) or asked
    if isinstance(reason, exceptions.SSLError | ssl.SSLError):
        return sentence("the certificate of {host} is not accepted: is there a proxy on the way?", host=host)
    return sentence("no answer from {host}: is this machine online, and may it reach the address?", host=host)


def asked_of(source: str, base_url: str | None) -> str:
    """Return who is asked for a source: the host that stands in for the network, or the network."""
    return (urlsplit(base_url).hostname if base_url else None) or source.upper()


def lines(outcome: Outcome) -> list[str]:
    """Return an outcome for the terminal: what it is, and what to do."""
    words = {"works": "works", "nothing": "works, nothing to hear yet", "off": "is off", "refused": "IS REFUSED",
             "quota": "has used up its quota", "failed": "was not reached"}  # fmt: skip
    told = [f"{outcome.watch.id} {words[outcome.state]}: {shorten(one_line(outcome.said), MOST_SAID)}"]
    if outcome.secrets:
        told.append(f"  check {' and '.join(outcome.secrets)}, then start the daemon again")
    if outcome.until:
        told.append(f"  there is no more until {outcome.until:%Y-%m-%d %H:%M} UTC")
    if outcome.state == "failed":
        told.append("  this may pass: try again in a minute; the daemon does so by itself")
    if outcome.usage.cost:
        told.append(f"  {outcome.usage.items} posts were read for it, {outcome.usage.cost:.3f} USD")
    return told


def _secrets(values: Iterable[object]) -> list[Secret]:
    return [value for value in values if isinstance(value, Secret)]


def _names(names: Iterable[object]) -> str:
    return ", ".join(map(str, names)) or "none"
