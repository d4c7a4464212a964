"""Pure functions from VK's JSON (API 5.199) to mentions. Knows no client, cursor or clock."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from listener.entities import unescape
from listener.errors import MalformedItemError
from listener.model import Author, Engagement, Mention, Skipped
from sources.fields import clean, clean_line

Raw = Mapping[str, Any]

DELETED = "deleted"
"""Why an item was left out that VK says was deleted."""
_LARGEST = 2**63
_LAST_DATE = 4_102_444_800  # the year 2100: a later date is no date of a post
_SAMPLE_LENGTH = 200

# Country ids as in VK's own list of countries; the title wins where it is known.
_COUNTRY_BY_ID = {
    1: "RU", 2: "UA", 3: "BY", 4: "KZ", 5: "AZ", 6: "AM", 7: "GE", 8: "IL", 9: "US",
    10: "CA", 11: "KG", 12: "LV", 13: "LT", 14: "EE", 15: "MD", 16: "TJ", 17: "TM", 18: "UZ",
}  # fmt: skip
_COUNTRY_BY_TITLE = {
    title.casefold(): code
    for code, titles in {
        "RU": "Россия|Russia", "UA": "Украина|Україна|Ukraine", "BY": "Беларусь|Belarus",
        "KZ": "Казахстан|Қазақстан|Kazakhstan", "AZ": "Азербайджан|Azerbaijan", "AM": "Армения|Armenia",
        "GE": "Грузия|Georgia", "IL": "Израиль|Israel", "US": "США|USA|United States", "CA": "Канада|Canada",
        "KG": "Кыргызстан|Киргизия|Kyrgyzstan", "LV": "Латвия|Latvia", "LT": "Литва|Lithuania",
        "EE": "Эстония|Estonia", "MD": "Молдова|Moldova", "TJ": "Таджикистан|Tajikistan",
        "TM": "Туркменистан|Turkmenistan", "UZ": "Узбекистан|Uzbekistan", "DE": "Германия|Germany",
        "FR": "Франция|France", "ES": "Испания|Spain", "IT": "Италия|Italy", "PL": "Польша|Poland",
        "GB": "Великобритания|United Kingdom", "CZ": "Чехия|Czech Republic", "FI": "Финляндия|Finland",
        "TR": "Турция|Turkey", "CN": "Китай|China", "JP": "Япония|Japan", "CH": "Швейцария|Switzerland",
        "BE": "Бельгия|Belgium", "AE": "ОАЭ|Объединённые Арабские Эмираты", "RS": "Сербия|Serbia",
    }.items()
    for title in titles.split("|")
}  # fmt: skip

_LINKED_NAME = re.compile(r"\[(?:id|club|public|event)\d+(?::bp-?\d+_\d+)?\|([^\[\]|]{1,300})\]")
_LINKED_PAGE = re.compile(r"\[(?:https?://|vk\.(?:com|ru|cc)/)[^\[\]|\s]{1,500}\|([^\[\]|]{1,300})\]")
_TYPED_NAME = re.compile(r"[@*](?:id|club|public|event)\d+ \(([^()\n]{1,300})\)")
_ANSWERED_ON_BOARD = re.compile(r"\[(?:id|club|public)\d+:bp-?\d+_([0-9]{1,19})\|")
_ADVERT_TOKEN = re.compile(r"\berid\s?[:=]\s?\w{6,}", re.IGNORECASE)
_NUMBERED_ACCOUNT = re.compile(r"(id|club|public|event|-)?(\d+)")


@dataclass(slots=True)
class Taken:
    """What a list of items became."""

    mentions: list[Mention] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, result: Mention | Skipped) -> None:
        """Put one result where it belongs."""
        if isinstance(result, Mention):
            self.mentions.append(result)
        else:
            self.skipped.append(result)


class People:
    """The authors that came with an answer, by owner id (groups are negative), and which of them the brand is."""

    def __init__(self, raw: Mapping[int, Raw], brand_account: str | None = None, brand_id: int | None = None) -> None:
        self._raw = raw
        self._brand_name = account_name(brand_account)
        self._brand_id = brand_id if brand_id is not None else account_id(brand_account)

    def author(self, owner_id: int) -> Author:
        """Return the author with this id; only the id where the answer says no more."""
        raw = self._raw.get(owner_id, {})
        return parse_group(raw, owner_id) if owner_id < 0 else parse_user(raw, owner_id)

    def is_brand(self, owner_id: int) -> bool:
        """Tell whether this is the brand's own account."""
        if self._brand_id is not None:
            return owner_id == self._brand_id
        handle = self._raw.get(owner_id, {}).get("screen_name")
        return bool(self._brand_name) and isinstance(handle, str) and handle.casefold() == self._brand_name


def account_name(account: str | None) -> str:
    """Return the bare screen name of an account written as `name`, `@name` or a link, in lower case."""
    return (account or "").strip().rstrip("/").rsplit("/", 1)[-1].lstrip("@").casefold()


def account_id(account: str | None) -> int | None:
    """Return the owner id that `club777`, `public777`, `-777` or `id501` state, or None for a screen name."""
    match = _NUMBERED_ACCOUNT.fullmatch(account_name(account))
    if match is None or len(match[2]) > 18:
        return None
    return int(match[2]) if match[1] in (None, "id") else -int(match[2])


def collect_people(response: Raw) -> dict[int, Raw]:
    """Return the raw profiles and groups of an extended answer, by owner id."""
    people: dict[int, Raw] = {}
    for key, sign in (("profiles", 1), ("groups", -1)):
        for raw in _list(response, key):
            if isinstance(raw, Mapping) and (number := _count(raw, "id")):
                people[sign * number] = raw
    return people


def parse_user(raw: Raw, user_id: int) -> Author:
    """Return the author that a profile describes."""
    city, country = _title(raw, "city"), parse_country(raw.get("country"))
    known_abroad = country is None and _title(raw, "country")
    return Author(
        network="vk",
        external_id=str(user_id),
        name=" ".join(filter(None, (_words(raw, "first_name"), _words(raw, "last_name")))),
        handle=_words(raw, "screen_name") or None,
        followers=_count(raw, "followers_count"),
        verified=_flag(raw, "verified"),
        bio=" · ".join(
            filter(None, (_words(raw, "about"), _words(raw, "status"), _words(_map(raw, "occupation"), "name")))
        ),
        location=", ".join(filter(None, (city, known_abroad or ""))),
        country=country,
        url=f"https://vk.com/{_words(raw, 'screen_name') or f'id{user_id}'}",
    )


def parse_group(raw: Raw, owner_id: int) -> Author:
    """Return the author that a community describes; `owner_id` is negative."""
    return Author(
        network="vk",
        external_id=str(owner_id),
        name=_words(raw, "name"),
        handle=_words(raw, "screen_name") or None,
        followers=_count(raw, "members_count"),
        verified=_flag(raw, "verified"),
        bio=" · ".join(
            filter(None, (_words(raw, "activity"), _words(raw, "status"), _words(raw, "description")[:500]))
        ),
        location=_title(raw, "city"),
        country=parse_country(raw.get("country")),
        url=f"https://vk.com/{_words(raw, 'screen_name') or f'club{-owner_id}'}",
    )


def parse_country(value: object) -> str | None:
    """Return the ISO 3166 code of a country that VK gives as an object, a title or an id, or None if not sure."""
    if isinstance(value, Mapping):
        return parse_country(value.get("title")) or parse_country(value.get("id"))
    if isinstance(value, str):
        return _COUNTRY_BY_TITLE.get(value.strip().casefold())
    return _COUNTRY_BY_ID.get(value) if isinstance(value, int) else None


def plain_text(text: str) -> str:
    """Return a text as people see it: names for VK's link markup, line breaks, no entities."""
    text = clean(unescape(re.sub(r"<br\s{0,3}/?>", "\n", text)))
    for markup in (_LINKED_NAME, _LINKED_PAGE, _TYPED_NAME):
        text = markup.sub(r"\1", text)
    return text.strip()


def parse_post(item: Raw, people: People) -> Mention:
    """Return the mention that a wall post is.

    Raises:
        MalformedItemError: an id, the date or the text is missing or of another type.
    """
    owner_id, post_id = _whole(item, "owner_id"), _whole(item, "id")
    from_id = _whole(item, "from_id") if "from_id" in item else owner_id
    original = _original(item)
    text = _text(item)
    external_id = f"wall{owner_id}_{post_id}"
    place = _map(_map(item, "geo"), "place")
    return Mention(
        network="vk",
        external_id=external_id,
        text=text_of(item),
        published_at=_date(item),
        author=people.author(from_id),
        url=f"https://vk.com/{external_id}",
        conversation_id=external_id,
        repost_of_id=_post_id(original),
        engagement=parse_engagement(item),
        sponsored=_is_advert(item, text),
        country=parse_country(place.get("country")),
        place=_words(place, "title") or _words(place, "city"),
        links={**_links(owner_id, from_id, signer_id=_count(item, "signer_id"), post_id=post_id), **edited_at(item)},
    )


def parse_comment(item: Raw, people: People, *, owner_id: int | None = None, post_id: int | None = None) -> Mention:
    """Return the mention that a comment below a wall post is; the post is named where the item does not say it.

    Raises:
        MalformedItemError: an id, the date or the text is missing or of another type.
    """
    owner_id = owner_id if owner_id is not None else _whole(item, "owner_id")
    post_id = post_id if post_id is not None else _whole(item, "post_id")
    comment_id, from_id = _whole(item, "id"), _whole(item, "from_id")
    post = f"wall{owner_id}_{post_id}"
    parent = _parent(item)
    return Mention(
        network="vk",
        external_id=f"{post}_r{comment_id}",
        text=_text(item),
        published_at=_date(item),
        author=people.author(from_id),
        url=f"https://vk.com/{post}?reply={comment_id}",
        conversation_id=post,
        reply_to_id=f"{post}_r{parent}" if parent else post,
        engagement=parse_engagement(item),
        links=_links(owner_id, from_id, post_id=post_id, comment_id=comment_id),
    )


def parse_board_comment(item: Raw, people: People, *, group_id: int, topic_id: int) -> Mention:
    """Return the mention that a comment on a discussion board is; `group_id` is positive.

    Raises:
        MalformedItemError: an id, the date or the text is missing or of another type.
    """
    comment_id, from_id = _whole(item, "id"), _whole(item, "from_id")
    topic = f"topic-{group_id}_{topic_id}"
    answered = _ANSWERED_ON_BOARD.search(str(item.get("text", "")))
    return Mention(
        network="vk",
        external_id=f"{topic}_c{comment_id}",
        text=_text(item),
        published_at=_date(item),
        author=people.author(from_id),
        url=f"https://vk.com/{topic}?post={comment_id}",
        conversation_id=topic,
        reply_to_id=f"{topic}_c{answered[1]}" if answered else topic,
        engagement=parse_engagement(item),
        links={**_links(-group_id, from_id, comment_id=comment_id), "topic_id": str(topic_id)},
    )


def text_of(item: Raw) -> str:
    """Return the text that the mention made of a post or comment has.

    Raises:
        MalformedItemError: the text is no string.
    """
    return _text(item) or _text(_original(item))


def edited_at(item: Raw) -> dict[str, str]:
    """Return when a post was last edited, as an identifier of its version; empty where it never was."""
    edited = _count(item, "edited")
    return {"edited": str(edited)} if edited else {}


def parse_engagement(item: Raw) -> Engagement:
    """Return what people did with a post or comment."""
    replies = _count(_map(item, "comments"), "count")
    return Engagement(
        likes=_count(_map(item, "likes"), "count"),
        replies=replies if replies is not None else _count(_map(item, "thread"), "count"),
        reposts=_count(_map(item, "reposts"), "count"),
        views=_count(_map(item, "views"), "count"),
    )


def take_posts(items: Iterable[Any], people: People) -> Taken:
    """Parse posts; items of `newsfeed.search` that are comments are parsed as such."""
    return _take(
        items,
        lambda item: parse_comment(item, people) if _kind(item) == "comment" else parse_post(item, people),
        people,
    )


def take_comments(
    items: Iterable[Any], people: People, *, owner_id: int | None = None, post_id: int | None = None
) -> Taken:
    """Parse comments and the replies nested in them."""

    def parse(item: Raw) -> Mention:
        return parse_comment(item, people, owner_id=owner_id, post_id=post_id)

    return _take(with_replies(items), parse, people)


def take_board_comments(items: Iterable[Any], people: People, *, group_id: int, topic_id: int) -> Taken:
    """Parse comments of one discussion board."""

    def parse(item: Raw) -> Mention:
        return parse_board_comment(item, people, group_id=group_id, topic_id=topic_id)

    return _take(items, parse, people)


def with_replies(items: Iterable[Any]) -> Iterator[Any]:
    """Yield comments, each followed by the replies that came nested in it."""
    for item in items:
        yield item
        if isinstance(item, Mapping):
            yield from _list(_map(item, "thread"), "items")


def parse_answer(answer: Raw, *, brand_account: str | None) -> tuple[list[Mention], list[Skipped]]:
    """Return what a saved answer of `newsfeed.search`, `wall.get`, `wall.getComments` or `board.getComments` holds.

    Comments of a board do not say which board they stand on: such an answer is saved with the call beside it, as
    `{"request": {"method": "board.getComments", "params": {"group_id": 777, "topic_id": 5}}, "response": {...}}`.
    """
    response = answer.get("response", answer) if isinstance(answer, Mapping) else answer
    if not isinstance(response, Mapping) or not isinstance(response.get("items"), list):
        return [], [Skipped(_no_answer(answer), "answer", _sample(answer))]
    params = _map(_map(answer, "request"), "params")
    people = People(collect_people(response), brand_account)
    taken = Taken()
    for item in response["items"]:
        part = _take_any(item, people, params)
        taken.mentions += part.mentions
        taken.skipped += part.skipped
    return taken.mentions, taken.skipped


def _take_any(item: Any, people: People, params: Raw) -> Taken:
    kind = _kind(item)
    if kind == "post":
        return take_posts([item], people)
    if kind == "comment":
        return take_comments([item], people)
    group_id, topic_id = _number(params.get("group_id")), _number(params.get("topic_id"))
    if group_id and topic_id:
        return take_board_comments([item], people, group_id=group_id, topic_id=topic_id)
    reason = "neither a post nor a comment; a board's answer needs group_id and topic_id in request.params beside it"
    return Taken(skipped=[Skipped(reason, _where(item), _sample(item))])


def _kind(item: Any) -> str:
    if not isinstance(item, Mapping):
        return "unknown"
    if item.get("post_type") == "reply" or ("post_id" in item and "post_type" not in item):
        return "comment"
    return "post" if "owner_id" in item else "unknown"


def _take(items: Iterable[Any], parse: Callable[[Raw], Mention], people: People) -> Taken:
    taken = Taken()
    for item in items:
        taken.add(_take_one(item, parse, people))
    return taken


def _take_one(item: Any, parse: Callable[[Raw], Mention], people: People) -> Mention | Skipped:
    if not isinstance(item, Mapping):
        return Skipped("not an object", "item", _sample(item))
    if item.get("deleted") is True or item.get("is_deleted") is True:
        return Skipped(DELETED, _where(item), broken=False)
    try:
        mention = parse(item)
    except MalformedItemError as error:
        return Skipped(str(error), _where(item), _sample(item))
    reason = _left_out(item, mention, people)
    return Skipped(reason, mention.external_id, broken=False) if reason else mention


def _left_out(item: Raw, mention: Mention, people: People) -> str | None:
    """Say why a sound item is no mention, or None where it is one."""
    if people.is_brand(int(mention.author.external_id)):
        return "the brand's own"
    if not mention.text:
        return "no text"
    original = _original(item)
    if original and not _text(item) and people.is_brand(_number(original.get("owner_id")) or 0):
        return "a bare repost of the brand's own post"
    return None


def _original(item: Raw) -> Raw:
    """Return the post that `item` repeats (the last of the chain), or an empty mapping."""
    history = _list(item, "copy_history")
    return history[-1] if history and isinstance(history[-1], Mapping) else {}


def _post_id(original: Raw) -> str | None:
    owner_id, number = _number(original.get("owner_id")), _number(original.get("id"))
    return None if owner_id is None or number is None else f"wall{owner_id}_{number}"


def _parent(item: Raw) -> int | None:
    parents = _list(item, "parents_stack")
    return _count(item, "reply_to_comment") or (_number(parents[-1]) if parents else None)


def _is_advert(item: Raw, text: str) -> bool:
    marked = item.get("marked_as_ads") in (1, True) or item.get("post_type") == "post_ads"
    return marked or _ADVERT_TOKEN.search(text) is not None


def _links(owner_id: int, from_id: int, *, signer_id: int | None = None, **ids: int) -> dict[str, str]:
    """Return the identifiers that links to the post and to its author need."""
    links = {"owner_id": str(owner_id), **{name: str(value) for name, value in ids.items()}}
    if owner_id < 0:
        links["group_id"] = str(-owner_id)
    person = from_id if from_id > 0 else signer_id
    if person:
        links["user_id"] = str(person)
    return links


def _whole(item: Raw, key: str) -> int:
    value = _number(item.get(key))
    if value is None:
        raise MalformedItemError(f"'{key}' is missing or no whole number")
    return value


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST else None


def _count(raw: Raw, key: str) -> int | None:
    value = _number(raw.get(key))
    return value if value is not None and value >= 0 else None


def _flag(raw: Raw, key: str) -> bool | None:
    return bool(raw[key]) if raw.get(key) in (0, 1) else None


def _date(item: Raw) -> datetime:
    value = _whole(item, "date")
    if not 0 < value < _LAST_DATE:
        raise MalformedItemError("'date' is no unix time")
    return datetime.fromtimestamp(value, UTC)


def _text(item: Raw) -> str:
    value = item.get("text", "")
    if not isinstance(value, str):
        raise MalformedItemError("'text' is no string")
    return plain_text(value)


def _words(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return clean_line(unescape(value)) if isinstance(value, str) else ""


def _title(raw: Raw, key: str) -> str:
    return _words(raw, key) or _words(_map(raw, key), "title")


def _map(raw: Any, key: str) -> Raw:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _list(raw: Raw, key: str) -> list[Any]:
    value = raw.get(key)
    return value if isinstance(value, list) else []


def _where(item: Any) -> str:
    """Name an item that may lack anything."""
    if not isinstance(item, Mapping):
        return "item"
    owner, post, number = (item.get(key, "?") for key in ("owner_id", "post_id", "id"))
    return f"wall{owner}_{post}_r{number}"[:80] if "post_id" in item else f"wall{owner}_{number}"[:80]


def _sample(item: Any) -> str:
    return repr(item)[:_SAMPLE_LENGTH]


def _no_answer(answer: Any) -> str:
    error = _map(answer, "error")
    if error:
        return f"VK answered with error {error.get('error_code')} instead of items"
    return "no answer of VK: there is no list response.items"
