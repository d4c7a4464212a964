"""X: recent search and the brand account's mentions, through tweepy. Knows nothing of stores or alerts."""

from datetime import datetime

from listener.clock import Clock
from listener.model import Watch
from sources.base import Budget, Source, SourceSpec
from sources.x.errors import first_of_next_month
from sources.x.options import XOptions, XWatchOptions
from sources.x.parsing import parse_answer, parse_post
from sources.x.sweep import load_state

__all__ = ["SPEC", "XOptions", "XWatchOptions", "create", "parse_answer", "parse_post"]


def create(options: XOptions, clock: Clock) -> Source:
    """Return a ready source; tweepy is imported here and not before.

    Raises:
        MissingSecretError: the bearer token is not set, or cannot be one.
    """
    from sources.x.source import XSource

    return XSource(options, clock)


def budget(watch: Watch, cursor: str | None, now: datetime) -> Budget | None:
    """Return how many of its posts of the month a watch has read; None where it has no limit."""
    limit = watch.options.monthly_posts if isinstance(watch.options, XWatchOptions) else None
    if limit is None:
        return None
    try:
        used = load_state(cursor, []).count(0, now)
    except (ValueError, TypeError, KeyError, RecursionError):
        used = 0  # such a cursor is not used: reading starts again
    return Budget(used, limit, first_of_next_month(now))


SPEC = SourceSpec("x", XOptions, XWatchOptions, create, budget)
