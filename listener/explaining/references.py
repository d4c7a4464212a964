"""What somebody asks about: an alert, an incident, a post by its id or address, or one match."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from alerts.escaping import one_line
from listener.config import Config
from listener.errors import ListenerError
from listener.pipeline.cards import reference
from listener.store import AlertRow, Store
from listener.store.trails import Match, Post

_ALERT = re.compile(r"(?i)(?:([AI])-?)?([0-9]{1,12})")
_MATCH = re.compile(r"(?i)m-?([0-9]{1,12})")
_HOSTS: Mapping[str, str] = {
    "x.com": "x",
    "twitter.com": "x",
    "vk.com": "vk",
    "vk.ru": "vk",
    "weibo.com": "weibo",
    "mp.weixin.qq.com": "wechat",
}
_NETWORKS = ("x", "vk", "wechat", "file", "drill", "weibo", "facebook", "instagram", "youtube", "tiktok")
_X_BEGAN_MS = 1_288_834_974_657
"""The upper bits of an id of X are the milliseconds since then at which it was given (a "snowflake")."""
_X_EDITED_WITHIN = timedelta(hours=2)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class UnknownReferenceError(ListenerError):
    """What was asked about cannot be understood; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a reference leads to: an alert, a post (with the match that was asked for), or nothing that is stored."""

    text: str
    alert: AlertRow | None = None
    post: Post | None = None
    match: Match | None = None
    network: str = ""
    """Of a post that is not stored."""
    external_id: str = ""
    published_at: datetime | None = None
    """When a post that is not stored was published, where its id tells."""


def find(store: Store, config: Config, text: str) -> Named:
    """Return what a reference leads to.

    Raises:
        UnknownReferenceError: it is none, or names an alert or a match that there is not.
    """
    text = text.strip()
    if found := _ALERT.fullmatch(text):
        return _alert(store, text, found[1], int(found[2]))
    if found := _MATCH.fullmatch(text):
        return _match(store, text, int(found[1]))
    if re.match(r"(?i)https?://", text):
        return _address(store, config, text)
    network, colon, external_id = text.partition(":")
    if network.strip() and colon and external_id.strip():
        return _post(store, text, network.strip().lower(), external_id.strip())
    raise UnknownReferenceError(
        f"'{one_line(text[:60])}' names nothing; write an alert as A-12, an incident as I-12, a post as x:1790000000"
        " (network and id) or by its address"
    )


def _alert(store: Store, text: str, letter: str | None, number: int) -> Named:
    alert = store.alerts.alert(number)
    if alert is None or (letter and not reference(alert).startswith(letter.upper())):
        raise UnknownReferenceError(f"there is no alert {one_line(text)}; `listener alerts --all` names them")
    return Named(text, alert=alert)


def _match(store: Store, text: str, number: int) -> Named:
    match = store.trails.match(number)
    post = None if match is None else store.trails.post(match.mention_id)
    if match is None or post is None:
        raise UnknownReferenceError(f"there is no match {one_line(text)}")
    return Named(text, post=post, match=match)


def _post(store: Store, text: str, network: str, external_id: str) -> Named:
    published_at = published(network, external_id)
    found = store.trails.posts([network], [external_id])
    if not found and published_at is not None:  # an edited post has another id in its address
        span = published_at - _X_EDITED_WITHIN, published_at + _X_EDITED_WITHIN
        found = store.trails.posts_ending(network, f"/{external_id}", *span)
    if found:
        return Named(text, post=found[0], network=network, external_id=external_id)
    return Named(text, network=network, external_id=external_id, published_at=published_at)


def _address(store: Store, config: Config, text: str) -> Named:
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("mobile.")
        asked = [value for _, value in parse_qsl(parts.query)]
    except ValueError as error:
        raise UnknownReferenceError(f"'{one_line(text[:60])}' is no address; copy the post's own") from error
    segments = [part for part in parts.path.split("/") if part]
    network = _HOSTS.get(host, "")
    ids = list(dict.fromkeys([*reversed(segments), *asked, *(f"{part}_{one}" for part in segments for one in asked)]))
    networks = [network] if network else list(dict.fromkeys([*config.sources, *_NETWORKS]))
    found = [post for post in store.trails.posts(networks, ids[:40]) if _is_at(post, text, network, ids)]
    found = found or store.trails.posts_at(text)
    if not found:
        last = next((one for one in ids if any(map(str.isdigit, one))), "")
        return Named(text, network=network, external_id=last, published_at=published(network, last))
    exact = [post for post in found if _plain(post.mention.url or "") == _plain(text)] or found
    return Named(text, post=exact[0])


def _is_at(post: Post, text: str, network: str, ids: Sequence[str]) -> bool:
    """Tell whether a post with one of the ids in an address is the one there: numbers alone can be of anything."""
    if network == "x":
        return bool(ids) and post.mention.external_id in ids
    return _plain(post.mention.url or "") == _plain(text)


def _plain(url: str) -> str:
    url = re.sub(r"(?i)^https?://(?:www\.|m\.|mobile\.)?", "", url.strip())
    return url.rstrip("/").casefold()


def name_of(post: Post) -> str:
    """Return by what a post can be asked about: network and id; hostile."""
    return f"{post.mention.network}:{post.mention.external_id}"


def published(network: str, external_id: str) -> datetime | None:
    """Return when a post was published, where its id tells: X's do."""
    if network != "x" or not (external_id.isascii() and external_id.isdigit() and 15 <= len(external_id) <= 19):
        return None
    at = datetime.fromtimestamp(((int(external_id) >> 22) + _X_BEGAN_MS) / 1000, UTC)
    return at if at < _LATEST else None
