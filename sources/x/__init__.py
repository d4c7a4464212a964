"""X: recent search and the brand account's mentions, through tweepy. Knows nothing of stores or alerts."""

from listener.clock import Clock
from sources.base import Source, SourceSpec
from sources.x.options import XOptions, XWatchOptions
from sources.x.parsing import parse_answer, parse_post

__all__ = ["SPEC", "XOptions", "XWatchOptions", "create", "parse_answer", "parse_post"]


def create(options: XOptions, clock: Clock) -> Source:
    """Return a ready source; tweepy is imported here and not before.

    Raises:
        MissingSecretError: the bearer token is not set, or cannot be one.
    """
    from sources.x.source import XSource

    return XSource(options, clock)


SPEC = SourceSpec("x", XOptions, XWatchOptions, create)
