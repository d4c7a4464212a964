"""Addresses of web pages that people are sent to from a message."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from listener.config.loopback import is_loopback

MAX_PAGE = 500
"""Characters of an address: no message is without room for it."""
_NOT_IN_ADDRESSES = re.compile(r'[\s\\<>"|]')


def _page(value: str) -> str:
    scheme, host, has_login = _parts(value)
    if has_login:  # as a secret, so that it is not shown again
        raise PydanticCustomError("secret", "an address holds no user name and no password")
    if not host or scheme not in ("http", "https") or _NOT_IN_ADDRESSES.search(value) or not value.isprintable():
        raise PydanticCustomError("page", "write an address such as https://wiki.example/crisis")
    if scheme == "http" and not is_loopback(host):
        raise PydanticCustomError("page", "write https://; http:// is for an address of this machine")
    if len(value) > MAX_PAGE:
        raise PydanticCustomError("page", f"an address has at most {MAX_PAGE} characters")
    return value


def _parts(address: str) -> tuple[str, str, bool]:
    """Return scheme, host, and whether a user name or password stands before the host; no host where it is no URL."""
    try:
        parts = urlsplit(address)
        host = "" if parts.port == 0 else parts.hostname or ""
    except ValueError:
        return "", "", "@" in address
    return parts.scheme, host, "@" in parts.netloc


Page = Annotated[
    str, AfterValidator(_page), WithJsonSchema({"type": "string", "pattern": r"^https?://[^\s\\<>\"|@/]+"})
]
