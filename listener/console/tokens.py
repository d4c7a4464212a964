"""Secrets that browsers hold, what is derived from them, and where a browser may be sent. Pure functions."""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

_FORBIDDEN_IN_PATHS = frozenset(map(chr, (*range(0x21), 0x5C, 0x7F)))
"""Control characters, the space, and the backslash, which browsers read as a slash."""
_LONGEST_PATH = 2000


def new_token() -> str:
    """Return a secret that nobody guesses: 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def stored(token: str) -> str:
    """Return what is kept of a browser's secret: its SHA-256, so that the database opens no session."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def derived(token: str, purpose: str) -> str:
    """Return a value that only who holds the secret can know, another for each purpose."""
    return hmac.new(token.encode("utf-8", "replace"), purpose.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def safe_path(url: str) -> str:
    """Return a path on this very server, as asked for or else the first page: never another host or scheme."""
    if len(url) > _LONGEST_PATH or not url.startswith("/") or url.startswith("//"):
        return "/"
    if any(character in _FORBIDDEN_IN_PATHS for character in url):
        return "/"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else url
