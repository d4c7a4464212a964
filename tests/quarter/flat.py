"""A digest as one flat table: each figure under its path, such as "spoken.by_country[FR].mentions.value"."""

from dataclasses import fields, is_dataclass
from typing import Any

from listener.digest.model import CurvePoint, Digest, Post

_KEYS = ("key", "number", "person", "watch", "reference", "id", "brand")
"""What tells the members of a list apart, the first that they have."""


def flatten(digest: Digest) -> dict[str, Any]:
    """Return every figure of a digest by its path; posts and curves are left out."""
    found: dict[str, Any] = {}
    _walk("", digest, found)
    return found


def _walk(path: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, Post | CurvePoint):
        return
    if is_dataclass(value):
        for one in fields(value):
            _walk(f"{path}.{one.name}" if path else one.name, getattr(value, one.name), found)
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        for member in value:
            _walk(f"{path}[{_key(member)}]", member, found)
    else:
        found[path] = value


def _key(member: Any) -> Any:
    names = {one.name for one in fields(member)}
    return next((getattr(member, name) for name in _KEYS if name in names), "")
