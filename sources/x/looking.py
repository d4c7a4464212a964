"""A second look at posts on X: which of them are gone, and how edited ones read now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from listener.errors import MalformedItemError, RetryableSourceError
from sources.base import Fate, PostRef
from sources.x.parsing import parse_id, parse_text, posts_of, versions

MOST_POSTS = 100
"""X's look-up takes no more ids (specification 2.167)."""
_GONE = ("/resource-not-found", "/not-authorized-for-resource")
"""Deleted, or no longer public: the account is protected or suspended."""

Ask = Callable[[Sequence[str]], dict[str, Any]]


def look_at(ask: Ask, posts: Sequence[PostRef]) -> tuple[list[Fate], int]:
    """Return what became of posts, and how many posts were read for it.

    Raises:
        RetryableSourceError: X answered, and said nothing of any of them.
    """
    asked = {_version(post): post for post in posts if _version(post)}
    if not asked:
        return [], 0
    answer = ask(list(asked))
    found, gone = _found(answer), _gone(answer, asked)
    if not found and not gone:
        raise RetryableSourceError("X's answer to a second look says nothing of any post")
    newer = {versions(post)[-1]: asked[was] for was, post in found.items() if was in asked and _is_old(was, post)}
    latest = _found(ask(list(newer))) if newer else {}
    standing = {was: post for was, post in found.items() if was in asked and not _is_old(was, post)}
    read = [*_standing(standing, asked), *_standing(latest, newer)]
    fates = [*read, *(Fate("x", asked[post_id].external_id, "deleted") for post_id in gone if post_id not in found)]
    return fates, len(found) + len(latest)


def _version(post: PostRef) -> str:
    """Return the id of the version that is known, which an edit has replaced by another."""
    return parse_id(post.links.get("post_id")) or parse_id(post.external_id) or ""


def _is_old(post_id: str, post: Mapping[str, Any]) -> bool:
    return bool(versions(post)) and versions(post)[-1] != post_id


def _found(answer: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    posts = (post for post in posts_of(answer) if isinstance(post, Mapping))
    return {post_id: post for post in posts if (post_id := parse_id(post.get("id"))) is not None}


def _gone(answer: Mapping[str, Any], asked: Mapping[str, PostRef]) -> list[str]:
    """Return the posts of which X says that they cannot be found or seen."""
    errors = answer.get("errors")
    said = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    ids = [
        str(error.get("resource_id") or error.get("value"))
        for error in said
        if str(error.get("type")).endswith(_GONE) and error.get("resource_type") in ("tweet", "post")
    ]
    return [post_id for post_id in dict.fromkeys(ids) if post_id in asked]


def _standing(found: Mapping[str, Mapping[str, Any]], asked: Mapping[str, PostRef]) -> Iterator[Fate]:
    for post_id, post in found.items():
        try:
            text = parse_text(post)
        except MalformedItemError:
            continue
        if post_id in asked:
            yield Fate("x", asked[post_id].external_id, "stands", text, {"post_id": post_id})
