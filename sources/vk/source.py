"""Reads VK one call at a time: search, then the brand's wall and what is written below its posts, then its boards."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from listener.clock import Clock
from listener.errors import RefusedSourceError, RefusedWatchError, RetryableSourceError
from listener.model import Gap, Mention, Page, Skipped, Watch
from listener.sentences import counted, sentence
from sources.base import Looked, PostRef, Trial
from sources.vk.client import PartRefusedError, VkClient
from sources.vk.looking import MOST_POSTS, look_at, said_deleted
from sources.vk.options import VkWatchOptions
from sources.vk.parsing import (
    People,
    Raw,
    Taken,
    account_id,
    account_name,
    collect_people,
    take_board_comments,
    take_comments,
    take_posts,
    with_replies,
)
from sources.vk.sweep import SEARCH_PAGE, Sweep, Task, dump_sweep, following_search, load_sweep

FIELDS = "city,country,screen_name,followers_count,members_count,verified,status,about,occupation,activity,description"
_OVERLAP_S = 1800
"""New posts reach the search index late; the store ignores what it has."""
_SCAN_ALL_EVERY_S = 3600
"""A comment deleted and another written leave the number of comments as it was."""
_COMMENTS_PAGE = 100
_MOST_REPLIES = 10
_REMEMBER_S = 86400
_MOST_REMEMBERED = 20_000


@dataclass(slots=True)
class _Found:
    """What one task brought, and the tasks that follow from it."""

    taken: Taken = field(default_factory=Taken)
    tasks: list[Task] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class VkSource:
    """VK, as one token sees it."""

    most_posts = MOST_POSTS

    def __init__(self, client: VkClient, clock: Clock) -> None:
        self.meter = client.meter
        self._client = client
        self._clock = clock
        self._directory = _Directory(client, clock)
        self._owner_ids: dict[str, int] = {}
        self._steps: Mapping[str, Callable[[Watch, Sweep, Task], _Found]] = {
            "search": self._search,
            "wall": self._wall,
            "comments": self._comments,
            "board": self._board,
        }

    def fetch(self, watch: Watch, cursor: str | None) -> Page:
        """Return what the next call of the sweep brings; `more` until the sweep is done.

        Raises:
            RetryableSourceError, QuotaExhaustedError, RefusedSourceError: see `sources.base.Source`.
        """
        sweep, now = load_sweep(cursor), self._now()
        if not sweep.under_way(now):
            sweep.begin(_plan(watch, sweep, now), now)
        found = self._step(watch, sweep, sweep.tasks.pop(0)) if sweep.tasks else _Found()
        sweep.tasks[:0] = found.tasks
        if not sweep.tasks:
            sweep.finish()
        return Page(
            mentions=tuple(found.taken.mentions),
            cursor=dump_sweep(sweep),
            more=bool(sweep.tasks),
            skipped=tuple(found.taken.skipped),
            gaps=tuple(found.gaps),
            withdrawn=tuple(said_deleted(found.taken.skipped)),
        )

    def look(self, watch: Watch, cursor: str | None, posts: Sequence[PostRef]) -> Looked:
        """Return what became of posts and comments; VK charges nothing for it."""
        return Looked(tuple(look_at(self._client.call, posts[: self.most_posts])), cursor)

    def try_out(self, watch: Watch, cursor: str | None) -> Trial:
        """Ask for one post of what the watch would read first: a search, the brand's wall, or a board."""
        options = _options(watch)
        queries = _queries(watch, options) if options.search else []
        if queries:
            response = self._call("newsfeed.search", q=queries[0], count=1)
            found = _integer(response, "total_count") or len(_items(response))
            said = counted(
                "VK takes the token and finds {count} post for {query}",
                "VK takes the token and finds {count} posts for {query}",
                found,
                query=queries[0],
            )
            return Trial(said, bool(found))
        if not watch.account:
            raise RefusedWatchError("there is nothing to ask VK for: no term to search and no account")
        owner_id = self._owner_id(watch)
        if options.posts or not options.topics:
            self._call("wall.get", owner_id=owner_id, count=1, filter="all")
            return Trial(sentence("VK takes the token and shows the wall of {account}", account=watch.account))
        for topic in options.topics:
            self._call("board.getComments", group_id=-owner_id, topic_id=topic, count=1)
        said = counted(
            "VK takes the token and shows {count} board of {account}",
            "VK takes the token and shows {count} boards of {account}",
            len(options.topics),
            account=watch.account,
        )
        return Trial(said)

    def close(self) -> None:
        """Release connections. May be called more than once."""
        self._client.close()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _step(self, watch: Watch, sweep: Sweep, task: Task) -> _Found:
        step = self._steps.get(task.kind)
        if step is None:
            return _Found()  # a kind of task that an older or newer release left in the cursor
        try:
            return step(watch, sweep, task)
        except PartRefusedError as error:
            if task.kind == "search":
                raise
            closed = Skipped(str(error), _name_part(watch, task), broken=task.kind != "comments")
            return _Found(Taken(skipped=[closed]))

    def _search(self, watch: Watch, sweep: Sweep, task: Task) -> _Found:
        response = self._call(
            "newsfeed.search",
            q=task.query,
            count=SEARCH_PAGE,
            extended=1,
            fields=FIELDS,
            start_time=task.since,
            end_time=task.until or None,
            start_from=task.start_from or None,
        )
        items = _items(response)
        following, gap = following_search(task, response, items)
        taken = _without_excluded(take_posts(items, self._people(watch, response, items)), watch.exclude)
        return _Found(taken, [following] if following else [], [gap] if gap else [])

    def _wall(self, watch: Watch, sweep: Sweep, task: Task) -> _Found:
        """Read the wall: what others wrote there, and which posts have new comments."""
        owner_id, options, now = self._owner_id(watch), _options(watch), self._now()
        response = self._call(
            "wall.get", owner_id=owner_id, count=options.posts_back, filter="all", extended=1, fields=FIELDS
        )
        items = _items(response)
        counts = _comment_counts(items)
        scan_all = now - sweep.seen.scanned_at >= _SCAN_ALL_EVERY_S
        changed = [
            post for post, count in counts.items() if count and (scan_all or sweep.seen.posts.get(post) != count)
        ]
        sweep.reached.posts = counts
        sweep.reached.scanned_at = now if scan_all else sweep.seen.scanned_at
        taken = take_posts(items, self._people(watch, response, items, owner_id))
        return _Found(taken, [Task("comments", post=int(post)) for post in changed])

    def _comments(self, watch: Watch, sweep: Sweep, task: Task) -> _Found:
        owner_id = self._owner_id(watch)
        response = self._call(
            "wall.getComments",
            owner_id=owner_id,
            post_id=task.post,
            comment_id=task.thread or None,
            offset=task.offset,
            count=_COMMENTS_PAGE,
            sort="asc",
            need_likes=1,
            thread_items_count=None if task.thread else _MOST_REPLIES,
            extended=1,
            fields=FIELDS,
        )
        items = _items(response)
        people = self._people(watch, response, with_replies(items), owner_id)
        taken = take_comments(items, people, owner_id=owner_id, post_id=task.post)
        return _Found(taken, [*_unread_replies(task, items), *_following_comments(task, response, items)])

    def _board(self, watch: Watch, sweep: Sweep, task: Task) -> _Found:
        """Read a board from its newest comment back to the last one known."""
        owner_id, known = self._owner_id(watch), sweep.seen.topics.get(str(task.topic), 0)
        response = self._call(
            "board.getComments",
            group_id=-owner_id,
            topic_id=task.topic,
            offset=task.offset,
            count=_COMMENTS_PAGE,
            sort="desc",
            need_likes=1,
            extended=1,
        )
        items = _items(response)
        new = [item for item in items if _integer(item, "id") is None or _integer(item, "id", 0) > known]
        newest = max((_integer(item, "id", 0) for item in new), default=0)
        sweep.reached.topics[str(task.topic)] = max(known, newest, sweep.reached.topics.get(str(task.topic), 0))
        people = self._people(watch, response, new, owner_id)
        taken = take_board_comments(new, people, group_id=-owner_id, topic_id=task.topic)
        read_back = bool(items) and len(new) == len(items) and task.offset + len(items) < _integer(response, "count", 0)
        recent = known or any(_integer(item, "date", 0) >= task.since for item in items)
        following = replace(task, offset=task.offset + len(items))
        return _Found(taken, [following] if read_back and recent else [])

    def _call(self, method: str, **params: Any) -> Raw:
        response = self._client.call(method, **params)
        if not isinstance(response, Mapping) or not isinstance(response.get("items"), list):
            raise RetryableSourceError(f"VK {method}: the answer has no list of items")
        return response

    def _people(self, watch: Watch, response: Raw, items: Iterable[Any], owner_id: int | None = None) -> People:
        raw = collect_people(response)
        authors = {_integer(item, "from_id", 0) or _integer(item, "owner_id", 0) for item in items}
        return People(self._directory.complete(raw, authors - {0}), watch.account, owner_id)

    def _owner_id(self, watch: Watch) -> int:
        """Return the owner id of the brand's account (groups are negative).

        Raises:
            PartRefusedError: VK knows no such account.
        """
        name = account_name(watch.account)
        owner_id = self._owner_ids.get(name) or account_id(name) or self._resolve(name)
        self._owner_ids[name] = owner_id
        return owner_id

    def _resolve(self, name: str) -> int:
        found = self._client.call("utils.resolveScreenName", screen_name=name)
        kind, number = (found.get("type"), found.get("object_id")) if isinstance(found, Mapping) else (None, None)
        if not isinstance(number, int) or kind not in ("group", "page", "event", "user"):
            raise PartRefusedError(f"VK has no group, page or person {name!r}: check the brand's account")
        return number if kind == "user" else -number


class _Directory:
    """Fills in what answers leave out about authors, and remembers it for a day."""

    def __init__(self, client: VkClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[int, tuple[datetime, Raw]] = {}

    def complete(self, people: Mapping[int, Raw], author_ids: Iterable[int]) -> dict[int, Raw]:
        """Return `people` with country, city and followers of these authors where VK tells them."""
        lacking = {number for number in author_ids if not _says_enough(people.get(number, {}), number)}
        unknown = sorted(number for number in lacking if not self._is_fresh(number))
        try:
            self._ask("users.get", "user_ids", [number for number in unknown if number > 0], 1000)
            self._ask("groups.getById", "group_ids", [-number for number in unknown if number < 0], 500)
        except RefusedSourceError:
            pass  # a mention whose author says little is better than none
        known = self._known  # another thread may put a new one in its place
        return {**people, **{n: {**people.get(n, {}), **known[n][1]} for n in lacking if n in known}}

    def _is_fresh(self, number: int) -> bool:
        known = self._known.get(number)
        return known is not None and (self._clock.now() - known[0]).total_seconds() < _REMEMBER_S

    def _ask(self, method: str, parameter: str, numbers: list[int], most: int) -> None:
        for start in range(0, len(numbers), most):
            asked = numbers[start : start + most]
            answer = self._client.call(method, **{parameter: ",".join(map(str, asked)), "fields": FIELDS})
            groups = method.startswith("groups")
            found = collect_people(answer if isinstance(answer, Mapping) else {"profiles": answer})
            self._remember({(-number if groups else number): {} for number in asked} | found)

    def _remember(self, people: Mapping[int, Raw]) -> None:
        if len(self._known) + len(people) > _MOST_REMEMBERED:
            self._known = {}
        now = self._clock.now()
        self._known.update({number: (now, raw) for number, raw in people.items()})


def _plan(watch: Watch, sweep: Sweep, now: int) -> list[Task]:
    """Return the tasks of a new sweep: what is due of searches, wall and boards."""
    options = _options(watch)
    floor = now - int(options.look_back)
    tasks = []
    for query in _queries(watch, options) if options.search else ():
        searched_at = sweep.seen.searched.get(query)
        if searched_at is None or now - searched_at >= options.search_every:
            since = floor if searched_at is None else searched_at - _OVERLAP_S
            tasks.append(Task("search", query=query, since=since))
    if watch.account and options.posts:
        tasks.append(Task("wall"))
    if watch.account:
        tasks += [Task("board", topic=topic, since=floor) for topic in options.topics]
    return tasks


def _queries(watch: Watch, options: VkWatchOptions) -> list[str]:
    """Return one query per term: VK's search knows no OR. Phrases are quoted, which asks for them as they stand."""
    if options.query:
        return [options.query]
    return [f'"{term}"' if " " in term and '"' not in term else term for term in watch.terms]


def _options(watch: Watch) -> VkWatchOptions:
    return watch.options if isinstance(watch.options, VkWatchOptions) else VkWatchOptions()


def _name_part(watch: Watch, task: Task) -> str:
    return f"{watch.account} {task.kind} {task.post or task.topic or ''}".strip()


def _items(response: Raw) -> list[Any]:
    items: list[Any] = response["items"]
    return items


def _integer(item: Any, key: str, default: Any = None) -> Any:
    value = item.get(key) if isinstance(item, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _comment_counts(items: list[Any]) -> dict[str, int]:
    """Return the number of comments by post id, for posts that take comments."""
    counts = {}
    for item in items:
        comments = item.get("comments") if isinstance(item, Mapping) else None
        count, post = _integer(comments, "count"), _integer(item, "id")
        if count is not None and post is not None:
            counts[str(post)] = count
    return counts


def _following_comments(task: Task, response: Raw, items: list[Any]) -> list[Task]:
    total = _integer(response, "current_level_count") or _integer(response, "count", 0)
    offset = task.offset + len(items)
    return [replace(task, offset=offset)] if items and offset < total else []


def _unread_replies(task: Task, items: list[Any]) -> list[Task]:
    """Return a task for each comment that has more replies than came nested in it."""
    tasks = []
    for item in items:
        thread = item.get("thread") if isinstance(item, Mapping) else None
        replies = thread.get("items") if isinstance(thread, Mapping) else None
        have, comment = len(replies) if isinstance(replies, list) else 0, _integer(item, "id")
        if comment and _integer(thread, "count", 0) > have:
            tasks.append(Task("comments", post=task.post, thread=comment, offset=have))
    return tasks


def _without_excluded(taken: Taken, exclude: Iterable[str]) -> Taken:
    kept = Taken(skipped=taken.skipped)
    for mention in taken.mentions:
        kept.add(_unless_excluded(mention, exclude))
    return kept


def _unless_excluded(mention: Mention, exclude: Iterable[str]) -> Mention | Skipped:
    text = mention.text.casefold()
    for term in exclude:
        if re.search(rf"(?<!\w){re.escape(term.casefold())}(?!\w)", text):
            return Skipped(f"has the excluded {term!r}", mention.external_id, broken=False)
    return mention


def _says_enough(raw: Raw, number: int) -> bool:
    return "members_count" in raw if number < 0 else "country" in raw and "followers_count" in raw
