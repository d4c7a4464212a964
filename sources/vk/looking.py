"""A second look at posts and comments on VK: which of them are gone, and how edited ones read now.

VK says nothing of posts that it does not find: its answer lacks them. So a post counts as gone where the same answer
holds another, or where its wall is closed or can be read and the post is not on it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from listener.errors import MalformedItemError, RefusedSourceError, RetryableSourceError
from listener.model import Skipped, Withdrawn
from sources.base import Fate, PostRef
from sources.vk.client import PartRefusedError
from sources.vk.parsing import DELETED, Raw, edited_at, text_of

MOST_POSTS = 90
"""VK's look-up takes 100 posts; some room is kept for posts that only prove the answer whole."""
_POST = re.compile(r"wall(-?\d{1,18})_(\d{1,18})")
_COMMENT = re.compile(r"wall(-?\d{1,18})_(\d{1,18})_r(\d{1,18})")
_CLOSED_WALL = frozenset({15, 18, 19, 30})
"""Access denied, account deleted or banned, profile private: what stood there is no longer public."""

Call = Callable[..., Any]


def look_at(call: Call, posts: Sequence[PostRef]) -> list[Fate]:
    """Return what became of posts and comments; those of boards cannot be looked up."""
    walls = {match[0].removeprefix("wall"): post for post in posts if (match := _POST.fullmatch(post.external_id))}
    fates = list(_posts(call, walls)) if walls else []
    for post in posts:
        if match := _COMMENT.fullmatch(post.external_id):
            fate = _comment(call, post, int(match[1]), int(match[3]))
            fates += [fate] if fate else []
    return fates


def said_deleted(skipped: Iterable[Skipped]) -> Iterator[Withdrawn]:
    """Return the posts and comments that a page itself said were deleted."""
    for item in skipped:
        if item.reason == DELETED and (_POST.fullmatch(item.where) or _COMMENT.fullmatch(item.where)):
            yield Withdrawn("vk", item.where)


def _posts(call: Call, asked: Mapping[str, PostRef]) -> Iterator[Fate]:
    found = _ask(call, asked)
    for key, item in found.items():
        if key in asked:
            yield from _fate(asked[key], item)
    missing = [key for key in asked if key not in found]
    if found:
        yield from (Fate("vk", asked[key].external_id, "deleted") for key in missing)
        return
    for owner in dict.fromkeys(key.split("_")[0] for key in missing):
        yield from _of_wall(call, int(owner), {key: asked[key] for key in missing if key.split("_")[0] == owner})


def _of_wall(call: Call, owner_id: int, asked: Mapping[str, PostRef]) -> Iterator[Fate]:
    """Return what became of posts of one wall when an answer held none of them at all."""
    gone = [Fate("vk", post.external_id, "deleted") for post in asked.values()]
    try:
        items = _items(call("wall.get", owner_id=owner_id, count=1, filter="all"), "wall.get")
    except PartRefusedError as error:
        if error.code in _CLOSED_WALL:
            yield from gone
        return
    if not items:
        yield from gone
        return
    control = _key(items[0])
    found = _ask(call, [*asked, control])
    if control in found:
        yield from (Fate("vk", post.external_id, "deleted") for key, post in asked.items() if key not in found)


def _ask(call: Call, keys: Iterable[str]) -> dict[str, Raw]:
    items = _items(call("wall.getById", posts=",".join(keys)), "wall.getById")
    return {_key(item): item for item in items if isinstance(item, Mapping)}


def _items(response: Any, method: str) -> list[Any]:
    items = response.get("items") if isinstance(response, Mapping) else response
    if not isinstance(items, list):
        raise RetryableSourceError(f"VK {method}: the answer has no list of items")
    return items


def _key(item: Any) -> str:
    owner, number = (item.get("owner_id"), item.get("id")) if isinstance(item, Mapping) else (None, None)
    return f"{owner}_{number}"


def _comment(call: Call, post: PostRef, owner_id: int, comment_id: int) -> Fate | None:
    """Return what became of a comment; None where VK does not say, or not to this kind of token."""
    try:
        items = _items(call("wall.getComment", owner_id=owner_id, comment_id=comment_id), "wall.getComment")
    except PartRefusedError as error:
        return Fate("vk", post.external_id, "deleted") if error.code in _CLOSED_WALL - {15} else None
    except RefusedSourceError:
        return None  # a service token may not ask; the posts are looked at all the same
    item = next((one for one in items if isinstance(one, Mapping) and one.get("id") == comment_id), None)
    return None if item is None else next(_fate(post, item), None)


def _fate(post: PostRef, item: Raw) -> Iterator[Fate]:
    if item.get("is_deleted") is True or item.get("deleted") is True:
        yield Fate("vk", post.external_id, "deleted")
        return
    try:
        yield Fate("vk", post.external_id, "stands", text_of(item), edited_at(item))
    except MalformedItemError:
        return
