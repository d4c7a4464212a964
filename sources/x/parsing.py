"""Pure functions from X's JSON to mentions, in both field namings of the API: `tweet` and, since 2.167, `post`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from listener.errors import MalformedItemError
from listener.model import Author, Engagement, Mention, Skipped
from sources.x.languages import to_bcp47

_ID = re.compile(r"[0-9]{1,19}")
_ID_BOUND = 10**19
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_SAMPLE_CHARS = 200
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class Includes:
    """The objects that an answer carries beside its posts, by id."""

    users: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Includes":
        """Return the includes of an answer."""
        includes = _mapping(answer.get("includes"))
        return cls(_by_id(includes.get("users")), _by_id(includes.get("places")))


def parse_answer(answer: Mapping[str, Any], *, brand_account: str | None) -> tuple[list[Mention], list[Skipped]]:
    """Return the mentions of a whole answer of the API, and what was not taken of it.

    Args:
        answer: the answer of a search, a timeline or a lookup, in either naming.
        brand_account: the brand's own handle or user id; its posts are left out.

    Raises:
        MalformedItemError: `answer` is no answer of X at all.
    """
    if not isinstance(answer, Mapping) or not answer.keys() & {"data", "meta", "errors"}:
        raise MalformedItemError("not an answer of X: it has neither data, meta nor errors")
    includes = Includes.of(answer)
    mentions: list[Mention] = []
    skipped = list(_partial_errors(answer))
    for index, post in enumerate(posts_of(answer)):
        try:
            mention = parse_post(post, includes)
        except MalformedItemError as error:
            skipped.append(Skipped(str(error), _where(post, index), _sample(post)))
            continue
        if _is_own(mention.author, brand_account):
            skipped.append(Skipped("the brand's own post", f"x:{mention.external_id}", broken=False))
        else:
            mentions.append(mention)
    return mentions, skipped


def posts_of(answer: Mapping[str, Any]) -> list[Any]:
    """Return the posts of an answer, unchecked; a lookup of one post answers with an object instead of a list."""
    data = answer.get("data")
    if data is None:
        return []
    return data if isinstance(data, list) else [data]


def parse_id(value: object) -> str | None:
    """Return an id of X, 1 to 19 digits as its specification has them, or None."""
    text = value if isinstance(value, str) else ""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _ID_BOUND:
        text = str(value)
    return text if _ID.fullmatch(text) else None


def parse_post(post: Mapping[str, Any], includes: Includes) -> Mention:
    """Return one post as a mention.

    Raises:
        MalformedItemError: it has no id, text or date.
    """
    if not isinstance(post, Mapping):
        raise MalformedItemError("a post that is no object")
    post_id = parse_id(post.get("id"))
    if post_id is None:
        raise MalformedItemError("a post without an id")
    author = _author(post, post_id, includes)
    place = includes.places.get(str(_mapping(post.get("geo")).get("place_id")), {})
    return Mention(
        network="x",
        external_id=first_version(post) or post_id,
        text=parse_text(post),
        published_at=_published_at(post),
        author=author,
        url=f"https://x.com/{author.handle or 'i'}/status/{post_id}",
        language=to_bcp47(post.get("lang")),
        conversation_id=parse_id(post.get("conversation_id")),
        reply_to_id=_referenced(post, "replied_to"),
        repost_of_id=_referenced(post, "retweeted", "reposted"),
        engagement=_engagement(_mapping(post.get("public_metrics"))),
        sponsored=post.get("paid_partnership") is True,
        country=_country(place.get("country_code")),
        place=_string(place.get("full_name")) or _string(place.get("name")),
        links=_links(post_id, post),
    )


def versions(post: Mapping[str, Any]) -> list[str]:
    """Return the ids of a post's versions, the first first: each edit makes a post of its own on X."""
    history = post.get("edit_history_tweet_ids") or post.get("edit_history_post_ids")
    found = [parse_id(value) for value in history] if isinstance(history, list) else []
    return sorted(filter(None, found), key=int)


def first_version(post: Mapping[str, Any]) -> str | None:
    """Return the id under which a post was first made, by which all its versions are known; None where X is silent."""
    return next(iter(versions(post)), None)


def parse_text(post: Mapping[str, Any]) -> str:
    """Return the whole text of a post.

    Raises:
        MalformedItemError: it has none.
    """
    for name in ("note_tweet", "note_post"):  # a post over 280 characters has only its beginning in `text`
        note = _string(_mapping(post.get(name)).get("text"))
        if note:
            return _unescape(note)
    text = _string(post.get("text"))
    if not text:
        raise MalformedItemError("a post without text")
    return _unescape(text)


def _unescape(text: str) -> str:
    # X escapes these three characters and no other; `&amp;` last, so that `&amp;lt;` stays a literal `&lt;`.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _published_at(post: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(_string(post.get("created_at")))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedItemError("a post without a readable date") from None


def _author(post: Mapping[str, Any], post_id: str, includes: Includes) -> Author:
    user_id = parse_id(post.get("author_id"))
    user = includes.users.get(user_id or "", {})
    handle = next((name for name in (user.get("username"), post.get("username")) if _is_username(name)), None)
    verified = user.get("verified")
    return Author(
        network="x",
        # One made-up id per post where X names no author: a shared one would make strangers the same person.
        external_id=user_id or (f"@{handle}" if handle else f"unknown-author-of-{post_id}"),
        name=_string(user.get("name")) or handle or "",
        handle=handle,
        followers=_count(_mapping(user.get("public_metrics")).get("followers_count")),
        verified=verified if isinstance(verified, bool) else None,
        bio=_unescape(_string(user.get("description"))),
        location=_unescape(_string(user.get("location"))),
        url=f"https://x.com/{handle}" if handle else f"https://x.com/i/user/{user_id}" if user_id else None,
    )


def _referenced(post: Mapping[str, Any], *kinds: str) -> str | None:
    references = post.get("referenced_tweets") or post.get("referenced_posts")
    for reference in references if isinstance(references, list) else []:
        if _mapping(reference).get("type") in kinds:
            return parse_id(reference.get("id"))
    return None


def _engagement(metrics: Mapping[str, Any]) -> Engagement:
    return Engagement(
        likes=_count(metrics.get("like_count")),
        replies=_count(metrics.get("reply_count")),
        reposts=_count(metrics.get("retweet_count", metrics.get("repost_count"))),
        quotes=_count(metrics.get("quote_count")),
        views=_count(metrics.get("impression_count")),
    )


def _links(post_id: str, post: Mapping[str, Any]) -> dict[str, str]:
    user_id = parse_id(post.get("author_id"))
    return {"post_id": post_id, **({"user_id": user_id} if user_id else {})}


def _partial_errors(answer: Mapping[str, Any]) -> Iterator[Skipped]:
    """What X says it could not add. Beside data that is an attachment lost, without data the answer itself."""
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else []:
        detail = _mapping(error)
        reason = _string(detail.get("detail")) or _string(detail.get("message")) or _string(detail.get("title"))
        where = f"x:{_string(detail.get('resource_type')) or 'answer'}:{_string(detail.get('resource_id'))}"
        answered = "data" in answer or "meta" in answer
        yield Skipped(f"X: {reason or 'an error without words'}"[:300], where.rstrip(":"), broken=not answered)


def _is_own(author: Author, brand_account: str | None) -> bool:
    own = (brand_account or "").strip().removeprefix("@").casefold()
    return bool(own) and own in ((author.handle or "").casefold(), author.external_id)


def _where(post: object, index: int) -> str:
    post_id = parse_id(post.get("id")) if isinstance(post, Mapping) else None
    return f"x:{post_id}" if post_id else f"x:data[{index}]"


def _sample(post: object) -> str:
    return repr(post)[:_SAMPLE_CHARS]


def _by_id(items: object) -> dict[str, Mapping[str, Any]]:
    found = (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else ()
    return {str(item.get("id")): item for item in found}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None


def _country(value: object) -> str | None:
    return value.upper() if isinstance(value, str) and _COUNTRY.fullmatch(value) else None


def _is_username(value: object) -> bool:
    return isinstance(value, str) and _USERNAME.fullmatch(value) is not None
