"""A small VK for tests: a world of people, groups, posts, comments and boards behind the API of version 5.199.

It refuses what VK refuses (methods, parameter names and ranges, token, version) and answers API errors with HTTP 200.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tests.servers.base import LocalServer, Reply, Request

TOKEN = "vk1.a.local-test-token"
NOW = 1_795_300_000
SEARCH_CAP = 1000

_EXTENDED = {"extended", "fields"}
PARAMETERS: dict[str, set[str]] = {
    "newsfeed.search": {
        "q", "count", "latitude", "longitude", "start_time", "end_time", "start_from", *_EXTENDED,
    },
    "wall.get": {"owner_id", "domain", "offset", "count", "filter", *_EXTENDED},
    "wall.getComments": {
        "owner_id", "post_id", "need_likes", "start_comment_id", "offset", "count", "sort", "preview_length",
        "comment_id", "thread_items_count", *_EXTENDED,
    },
    "wall.getById": {"posts", "copy_history_depth", *_EXTENDED},
    "wall.getComment": {"owner_id", "comment_id", *_EXTENDED},
    "board.getComments": {
        "group_id", "topic_id", "need_likes", "start_comment_id", "offset", "count", "extended", "sort",
    },
    "users.get": {"user_ids", "fields", "name_case", "from_group_id"},
    "groups.getById": {"group_ids", "group_id", "fields"},
    "utils.resolveScreenName": {"screen_name"},
}  # fmt: skip
REQUIRED = {
    "newsfeed.search": {"q"},
    "wall.getComments": {"owner_id", "post_id"},
    "wall.getById": {"posts"},
    "wall.getComment": {"comment_id"},
    "board.getComments": {"group_id", "topic_id"},
    "utils.resolveScreenName": {"screen_name"},
}
MOST = {
    ("newsfeed.search", "count"): 200,
    ("wall.get", "count"): 100,
    ("wall.getComments", "count"): 100,
    ("wall.getComments", "thread_items_count"): 10,
    ("board.getComments", "count"): 100,
}
NUMBERS = {
    "count", "offset", "start_time", "end_time", "owner_id", "post_id", "comment_id", "group_id", "topic_id",
    "start_comment_id", "thread_items_count", "need_likes", "extended",
}  # fmt: skip
SORTS = {"wall.getComments": {"asc", "desc", "smart"}, "board.getComments": {"asc", "desc"}}
# The schema lists no country among the fields of profiles that come with posts and comments.
_NOT_BESIDE_POSTS = {"country"}

MESSAGES = {
    1: "Unknown error occurred",
    5: "User authorization failed: access_token has expired.",
    6: "Too many requests per second",
    9: "Flood control",
    10: "Internal server error",
    14: "Captcha needed",
    15: "Access denied",
    17: "Validation required: please open redirect_uri in browser",
    18: "User was deleted or banned",
    27: "Group authorization failed: method is unavailable with group auth.",
    28: "Application authorization failed: method is unavailable with service token.",
    29: "Rate limit reached",
    30: "This profile is private",
    100: "One of the parameters specified was missing or invalid: q is undefined",
    212: "Access to post comments denied",
}
SHAPES: dict[tuple[int, str | None], dict[str, Any]] = {
    (14, None): {"captcha_sid": "239633676097", "captcha_img": "https://api.vk.ru/captcha.php?sid=239633676097"},
    (14, "vkid"): {
        "redirect_uri": "https://id.vk.ru/not_robot_captcha?session_token=SESSION-SECRET",
        "remixstlid": 9069780796616521905,
    },
    (17, None): {"redirect_uri": "https://m.vk.ru/login?act=security_check&hash=SESSION-SECRET"},
}


class ApiFaultError(Exception):
    """An error that VK answers with HTTP 200."""

    def __init__(self, code: int, message: str = "", shape: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or MESSAGES.get(code, f"Error {code}")
        self.extra = SHAPES.get((code, shape), {})

    def body(self, method: str) -> dict[str, Any]:
        params = [{"key": "method", "value": method}, {"key": "oauth", "value": "1"}, {"key": "v", "value": "5.199"}]
        error = {"error_code": self.code, "error_msg": self.message, "request_params": params, **self.extra}
        return {"error": error}


class VkServer(LocalServer):
    """VK with a world that tests fill: `add_user`, `add_group`, `add_post`, `add_comment`, `add_board_comment`."""

    def __init__(self, port: int = 0, now: int = NOW) -> None:
        super().__init__(port)
        self.now = now
        self.people: dict[int, dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.boards: dict[tuple[int, int], list[dict[str, Any]]] = {}
        self.closed: dict[str, int] = {}
        """Method, or `method:post or topic id`, to the error code it always answers."""
        self._faults: list[tuple[str | None, ApiFaultError]] = []
        self._last_id = 100
        self._methods: dict[str, Callable[[dict[str, Any]], Any]] = {
            "newsfeed.search": self._search,
            "wall.get": self._wall,
            "wall.getComments": self._comments,
            "wall.getById": self._by_id,
            "wall.getComment": self._comment,
            "board.getComments": self._board,
            "users.get": self._users,
            "groups.getById": self._groups,
            "utils.resolveScreenName": self._resolve,
        }

    def fail(self, code: int, *, shape: str | None = None, method: str | None = None, message: str = "") -> None:
        """Answer the next call (of `method`) with an API error."""
        with self._lock:
            self._faults.append((method, ApiFaultError(code, message, shape)))

    def add_user(self, user_id: int, first_name: str, last_name: str = "", **fields: Any) -> int:
        """Add a person; `city` and `country` as VK's objects, `screen_name`, `followers_count` and so on."""
        names = {"id": user_id, "first_name": first_name, "last_name": last_name, "screen_name": f"id{user_id}"}
        self.people[user_id] = {**names, "is_closed": False, **fields}
        return user_id

    def add_group(self, group_id: int, name: str, screen_name: str = "", **fields: Any) -> int:
        """Add a group and return its owner id, which is negative."""
        raw = {"id": group_id, "name": name, "screen_name": screen_name or f"club{group_id}", "type": "page"}
        self.people[-group_id] = {**raw, "is_closed": 0, **fields}
        return -group_id

    def add_post(
        self, owner_id: int, text: str, *, from_id: int | None = None, date: int | None = None, **more: Any
    ) -> int:
        """Add a wall post and return its id."""
        post = {
            "inner_type": "wall_wallpost",
            "id": self._new_id(),
            "owner_id": owner_id,
            "from_id": owner_id if from_id is None else from_id,
            "date": self.now - 600 if date is None else date,
            "text": text,
            "post_type": "post",
            "attachments": [],
            "likes": {"can_like": 1, "count": 0, "user_likes": 0},
            "reposts": {"count": 0, "user_reposted": 0},
            "views": {"count": 10},
            "marked_as_ads": 0,
            **more,
        }
        self.posts.append(post)
        return int(post["id"])

    def add_comment(
        self,
        owner_id: int,
        post_id: int,
        text: str,
        *,
        from_id: int,
        reply_to: int | None = None,
        date: int | None = None,
    ) -> int:
        """Add a comment below a post, or a reply in the thread of the comment `reply_to`, and return its id."""
        comment = {
            "id": self._new_id(),
            "from_id": from_id,
            "date": self.now - 300 if date is None else date,
            "text": text,
            "post_id": post_id,
            "owner_id": owner_id,
            "parents_stack": [reply_to] if reply_to else [],
            "likes": {"can_like": 1, "count": 1, "user_likes": 0},
        }
        if reply_to:
            comment |= {"reply_to_comment": reply_to}
        self.comments.append(comment)
        return int(comment["id"])

    def add_board_comment(
        self, group_id: int, topic_id: int, text: str, *, from_id: int, date: int | None = None
    ) -> int:
        """Add a comment to a discussion board and return its id."""
        comment = {
            "id": self._new_id(),
            "from_id": from_id,
            "date": self.now - 300 if date is None else date,
            "text": text,
            "likes": {"count": 0, "user_likes": 0, "can_like": 1},
        }
        self.boards.setdefault((group_id, topic_id), []).append(comment)
        return int(comment["id"])

    def delete_post(self, post_id: int) -> None:
        """Let the author delete a post, and with it what stands below it."""
        self.posts = [post for post in self.posts if post["id"] != post_id]
        self.comments = [comment for comment in self.comments if comment["post_id"] != post_id]

    def edit_post(self, post_id: int, text: str) -> None:
        """Let the author edit a post."""
        for post in self.posts:
            if post["id"] == post_id:
                post |= {"text": text, "edited": self.now}

    def delete_comment(self, comment_id: int) -> None:
        """Let the author delete a comment: VK keeps its place."""
        for comment in self.comments:
            if comment["id"] == comment_id:
                comment |= {"text": "", "deleted": True}

    def edit_comment(self, comment_id: int, text: str) -> None:
        """Let the author edit a comment."""
        for comment in self.comments:
            if comment["id"] == comment_id:
                comment["text"] = text

    def calls(self, method: str) -> list[dict[str, str]]:
        """Return the parameters of every call of a method so far."""
        return [request.form() for request in self.requests if request.path == f"/method/{method}"]

    def handle(self, request: Request) -> Reply:
        if request.method != "POST" or not request.path.startswith("/method/"):
            return Reply(404, b"not found")
        method = request.path.removeprefix("/method/")
        try:
            self._raise_fault(method)
            return Reply(body={"response": self._methods[method](self._checked(method, request))})
        except ApiFaultError as fault:
            return Reply(body=fault.body(method))

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _raise_fault(self, method: str) -> None:
        if method not in self._methods:
            raise ApiFaultError(3, "Unknown method passed")
        for index, (only, fault) in enumerate(self._faults):
            if only in (None, method):
                del self._faults[index]
                raise fault
        if method in self.closed:
            raise ApiFaultError(self.closed[method])

    def _checked(self, method: str, request: Request) -> dict[str, Any]:
        form: dict[str, Any] = dict(request.form())
        if form.pop("access_token", None) != TOKEN:
            raise ApiFaultError(5, "User authorization failed: invalid access_token (4).")
        if form.pop("v", None) != "5.199":
            raise ApiFaultError(8, "Invalid request: this version is not served here")
        if request.query or not set(form) <= PARAMETERS[method]:
            raise _wrong(f"{sorted(set(form) - PARAMETERS[method])} unknown, or parameters in the query")
        for name in REQUIRED.get(method, ()):
            if not form.get(name):
                raise _wrong(f"{name} is undefined")
        for name in NUMBERS & set(form):
            form[name] = _integer(name, form[name])
            if not abs(form[name]) <= MOST.get((method, name), 2**53):
                raise _wrong(f"{name} is too large")
        if form.get("sort") not in (None, *SORTS.get(method, ())):
            raise _wrong("sort is unknown")
        return form

    def _search(self, form: dict[str, Any]) -> dict[str, Any]:
        since, until = form.get("start_time", self.now - 86400), form.get("end_time", self.now + 1)
        found = [post for post in self.posts if since <= post["date"] <= until and _matches(form["q"], post["text"])]
        found.sort(key=lambda post: (-post["date"], -post["id"]))
        shown = found[:SEARCH_CAP]
        start = int(form.get("start_from", "0/").partition("/")[0])
        page = shown[start : start + form.get("count", 30)]
        end = start + len(page)
        following = f"{end}/{page[-1]['owner_id']}_{page[-1]['id']}" if end < len(shown) else ""
        return {
            "items": [self._with_comments(post) for post in page],
            "next_from": following,
            "count": len(shown),
            "total_count": len(found),
            **self._extended(form, page),
        }

    def _wall(self, form: dict[str, Any]) -> dict[str, Any]:
        owner_id = form["owner_id"]
        if owner_id not in self.people:
            raise ApiFaultError(18)
        if not self._is_public(owner_id):
            raise ApiFaultError(30)
        found = sorted((post for post in self.posts if post["owner_id"] == owner_id), key=lambda post: -post["id"])
        start = form.get("offset", 0)
        page = found[start : start + form.get("count", 20)]
        return {
            "count": len(found),
            "items": [self._with_comments(post) for post in page],
            **self._extended(form, page),
        }

    def _comments(self, form: dict[str, Any]) -> dict[str, Any]:
        owner_id, post_id = form["owner_id"], form["post_id"]
        if code := self.closed.get(f"wall.getComments:{post_id}"):
            raise ApiFaultError(code)
        of_post = [c for c in self.comments if (c["owner_id"], c["post_id"]) == (owner_id, post_id)]
        level = [c for c in of_post if c["parents_stack"][:1] == ([form["comment_id"]] if "comment_id" in form else [])]
        level = [c for c in level if c["id"] >= form.get("start_comment_id", 0)]
        if form.get("sort") == "desc":
            level.reverse()
        start = form.get("offset", 0)
        page = level[start : start + form.get("count", 10)]
        nested = {c["id"]: [r for r in of_post if r["parents_stack"] == [c["id"]]] for c in page}
        most = form.get("thread_items_count", 0)
        items = page if "comment_id" in form else [self._with_thread(c, nested[c["id"]], most) for c in page]
        shown = [*page, *(reply for replies in nested.values() for reply in replies[:most])]
        return {
            "count": len(of_post),
            "current_level_count": len(level),
            "items": items,
            "can_post": True,
            **self._extended(form, shown),
        }

    def _by_id(self, form: dict[str, Any]) -> dict[str, Any]:
        asked = form["posts"].split(",")
        if len(asked) > 100:
            raise _wrong("posts has more than 100 values")
        by_key = {f"{post['owner_id']}_{post['id']}": post for post in self.posts}
        page = [by_key[key] for key in asked if key in by_key and self._is_public(by_key[key]["owner_id"])]
        return {"items": [self._with_comments(post) for post in page], **self._extended(form, page)}

    def _is_public(self, owner_id: int) -> bool:
        return not self.people.get(owner_id, {}).get("is_closed")

    def _comment(self, form: dict[str, Any]) -> dict[str, Any]:
        found = [c for c in self.comments if (c["owner_id"], c["id"]) == (form.get("owner_id"), form["comment_id"])]
        return {"items": found, "can_post": True, **self._extended(form, found)}

    def _board(self, form: dict[str, Any]) -> dict[str, Any]:
        if code := self.closed.get(f"board.getComments:{form['topic_id']}"):
            raise ApiFaultError(code)
        comments = list(self.boards.get((form["group_id"], form["topic_id"]), ()))
        if form.get("sort") == "desc":
            comments.reverse()
        start = form.get("offset", 0)
        page = comments[start : start + form.get("count", 20)]
        return {"count": len(comments), "items": page, "real_offset": start, **self._extended(form, page)}

    def _users(self, form: dict[str, Any]) -> list[dict[str, Any]]:
        ids = form.get("user_ids", "").split(",")
        if len(ids) > 1000:
            raise _wrong("user_ids has more than 1000 values")
        return [self._person(int(one), _fields(form)) for one in ids if int(one) in self.people]

    def _groups(self, form: dict[str, Any]) -> dict[str, Any]:
        ids = form.get("group_ids", "").split(",")
        if len(ids) > 500:
            raise _wrong("group_ids has more than 500 values")
        found = [self._person(-int(one), _fields(form)) for one in ids if -int(one) in self.people]
        return {"groups": found, "profiles": []}

    def _resolve(self, form: dict[str, Any]) -> Any:
        for owner_id, raw in self.people.items():
            if raw["screen_name"].lower() == form["screen_name"].lower():
                return {"type": "group" if owner_id < 0 else "user", "object_id": abs(owner_id)}
        return []

    def _with_comments(self, post: dict[str, Any]) -> dict[str, Any]:
        count = sum((c["owner_id"], c["post_id"]) == (post["owner_id"], post["id"]) for c in self.comments)
        return {"comments": {"can_post": 1, "count": count}, **post}

    def _with_thread(self, comment: dict[str, Any], replies: list[dict[str, Any]], most: int) -> dict[str, Any]:
        thread = {"count": len(replies), "items": replies[:most], "can_post": True, "show_reply_button": True}
        return {**comment, "thread": thread}

    def _extended(self, form: dict[str, Any], items: Iterable[dict[str, Any]]) -> dict[str, Any]:
        if not form.get("extended"):
            return {}
        ids = sorted(
            {owner for item in items for owner in (item["from_id"], item.get("owner_id")) if owner in self.people}
        )
        fields = _fields(form) - _NOT_BESIDE_POSTS
        return {
            "profiles": [self._person(owner, fields) for owner in ids if owner > 0],
            "groups": [self._person(owner, fields) for owner in ids if owner < 0],
        }

    def _person(self, owner_id: int, fields: set[str]) -> dict[str, Any]:
        always = {"id", "first_name", "last_name", "name", "screen_name", "type", "is_closed", "deactivated"}
        return {name: value for name, value in self.people[owner_id].items() if name in always | fields}


def _fields(form: dict[str, Any]) -> set[str]:
    return set(filter(None, form.get("fields", "").split(",")))


def _matches(query: str, text: str) -> bool:
    text = text.lower()
    if query.startswith('"') and query.endswith('"'):
        return query.strip('"').lower() in text
    return all(word in text for word in query.lower().split())


def _integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise _wrong(f"{name} should be a number") from None


def _wrong(what: str) -> ApiFaultError:
    return ApiFaultError(100, f"One of the parameters specified was missing or invalid: {what}")
