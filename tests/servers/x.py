"""X's API v2 as documented, for the endpoints the daemon uses: wrong use is answered as X answers it.

It takes both field namings and answers in the one asked for. Posts match a query as X documents its operators.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.base import LocalServer, Reply, Request

EPOCH_MS = 1288834974657
PROBLEMS = "https://api.twitter.com/2/problems"
WINDOW = timedelta(days=7)
LAG = timedelta(seconds=30)
TIMELINE_POSTS = 800

_SHARED_POST_FIELDS = {
    *("article", "attachments", "card_uri", "community_id", "context_annotations", "conversation_id", "created_at"),
    *("display_text_range", "edit_controls", "entities", "geo", "id", "lang", "media_metadata", "paid_partnership"),
    *("possibly_sensitive", "public_metrics", "reply_settings", "source", "text", "withheld"),
}
_SHARED_EXPANSIONS = {"attachments.media_keys", "author_id", "entities.mentions.username", "geo.place_id"}
_SHARED_EXPANSIONS |= {"in_reply_to_user_id"}
POST_FIELDS = {
    "tweet": _SHARED_POST_FIELDS
    | {"author_id", "edit_history_tweet_ids", "in_reply_to_user_id", "note_tweet", "referenced_tweets"},
    "post": _SHARED_POST_FIELDS | {"note_post", "article_title"},
}
EXPANSIONS = {
    "tweet": _SHARED_EXPANSIONS | {"edit_history_tweet_ids", "referenced_tweets.id", "referenced_tweets.id.author_id"},
    "post": _SHARED_EXPANSIONS | {"edit_history_post_ids", "referenced_posts", "username"},
}
USER_FIELDS = {"created_at", "description", "entities", "id", "location", "name", "profile_image_url", "protected"}
USER_FIELDS |= {"public_metrics", "url", "username", "verified", "verified_type", "withheld"}
PLACE_FIELDS = {"contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type"}
_RENAMED = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "tweets": "posts",
}


class InvalidRequestError(Exception):
    """X's 400: one parameter, its value, and what is wrong."""

    def __init__(self, parameter: str, value: str, message: str) -> None:
        super().__init__(message)
        self.body = {
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{PROBLEMS}/invalid-request",
        }


class XServer(LocalServer):
    """Holds posts and users; `now` is settable. `namings` are the field namings it takes."""

    def __init__(self, now: datetime, *, token: str = "test-token", port: int = 0) -> None:
        super().__init__(port)
        self.now = now
        self.token = token
        self.namings = {"tweet", "post"}
        self.posts: list[dict[str, Any]] = []
        self.users: dict[str, dict[str, Any]] = {}
        self.places: dict[str, dict[str, Any]] = {}
        self.errors: list[dict[str, Any]] = []
        self.requests_per_window = 450
        self.mentions_refused = False
        self._windows: dict[str, tuple[datetime, int]] = {}
        self._tokens: dict[str, tuple[object, int]] = {}

    def add_user(self, username: str, *, followers: int = 100, **fields: Any) -> str:
        """Add a user, or return the id of the one there is."""
        for user in self.users.values():
            if user["username"].lower() == username.lower():
                return str(user["id"])
        user_id = str(1000 + len(self.users))
        metrics = {"followers_count": followers, "following_count": 10, "tweet_count": 50, "listed_count": 0}
        base = {"id": user_id, "name": username, "username": username, "verified": False, "description": ""}
        self.users[user_id] = {**base, "location": "", "public_metrics": metrics, **fields}
        return user_id

    def add_post(self, text: str, *, username: str = "ann_s", lang: str = "en", at: datetime, **fields: Any) -> str:
        """Add a post made at `at` and return its id, which like X's own tells the time."""
        post_id = snowflake(at, len(self.posts) + 1)
        metrics = {"retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0, "impression_count": 10}
        post = {"id": post_id, "text": text, "created_at": iso(at), "author_id": self.add_user(username)}
        self.posts.append(
            {**post, "lang": lang, "conversation_id": post_id, "edit_history_tweet_ids": [post_id],
             "public_metrics": {**metrics, "bookmark_count": 0}, **fields}
        )  # fmt: skip
        return post_id

    def edit_post(self, post_id: str, text: str, *, at: datetime) -> str:
        """Let the author edit a post: X makes another of it, and shows the new one alone to those who search."""
        old = self._post(post_id)
        new_id = snowflake(at, len(self.posts) + 1)
        history = [*old["edit_history_tweet_ids"], new_id]
        self.posts.append({**old, "id": new_id, "text": text, "created_at": iso(at)})
        for post in self.posts:
            if post["id"] in history:
                post["edit_history_tweet_ids"] = history
        return new_id

    def delete_post(self, post_id: str) -> None:
        """Let the author delete a post, with all its versions."""
        history = self._post(post_id)["edit_history_tweet_ids"]
        self.posts = [post for post in self.posts if post["id"] not in history]

    def protect(self, username: str) -> None:
        """Let a user show posts to followers alone."""
        self.users[self.add_user(username)]["protected"] = True

    def _post(self, post_id: str) -> dict[str, Any]:
        return next(post for post in self.posts if post["id"] == post_id)

    def rate_limited(self, reset_at: datetime) -> None:
        """Answer the next request with the 429 of the 15-minute window."""
        self.script(_too_many(reset_at, self.requests_per_window))

    def usage_capped(self, period: str = "Monthly") -> None:
        """Answer the next request with the 429 of the cap on posts, which has no reset header."""
        detail = f"Usage cap exceeded: {period} product cap"
        body = {"account_id": 1, "product_name": "standard-basic", "title": "UsageCapExceeded", "period": period}
        self.script(Reply(429, {**body, "scope": "Product", "detail": detail, "type": f"{PROBLEMS}/usage-capped"}))

    def handle(self, request: Request) -> Reply:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return Reply(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})
        answer = self._route(request)
        if request.method != "GET" or answer is None:
            return Reply(404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"})
        headers, limited = self._count(re.sub(r"\d+", ":id", request.path))
        if limited is not None:
            return limited
        try:
            status, body = answer()
        except InvalidRequestError as error:
            return Reply(400, error.body, headers)
        return Reply(status, body, headers)

    def _route(self, request: Request) -> Callable[[], tuple[int, Any]] | None:
        if request.path == "/2/tweets":
            return lambda: (200, self._lookup(request.query))
        if request.path == "/2/tweets/search/recent":
            return lambda: (200, self._search(request.query))
        if match := re.fullmatch(r"/2/users/(\d{1,19})/mentions", request.path):
            user_id = match[1]
            return lambda: self._mentions(user_id, request.query)
        if match := re.fullmatch(r"/2/users/by/username/([^/]*)", request.path):
            username = match[1]
            return lambda: (200, self._user(username, request.query))
        return None

    def _count(self, endpoint: str) -> tuple[dict[str, str], Reply | None]:
        started, used = self._windows.get(endpoint, (self.now, 0))
        if self.now - started >= timedelta(minutes=15):
            started, used = self.now, 0
        self._windows[endpoint] = (started, used + 1)
        reset_at = started + timedelta(minutes=15)
        if used >= self.requests_per_window:
            return {}, _too_many(reset_at, self.requests_per_window)
        return _rate_headers(reset_at, self.requests_per_window, self.requests_per_window - used - 1), None

    def _lookup(self, query: dict[str, str]) -> Any:
        asked = {name: value for name, value in query.items() if name != "ids"}
        naming = self._check_names(asked, set())
        ids = query.get("ids", "").split(",")
        if not 1 <= len(ids) <= 100 or not all(re.fullmatch(r"\d{1,19}", one) for one in ids):
            raise InvalidRequestError("ids", query.get("ids", ""), "The `ids` query parameter value is not valid")
        by_id = {post["id"]: post for post in self.posts}
        hidden = {one for one in ids if one in by_id and self.users[by_id[one]["author_id"]].get("protected")}
        shown = [by_id[one] for one in ids if one in by_id and one not in hidden]
        kind = "post" if naming == "post" else "tweet"
        errors = [_not_found(kind, "ids", one) for one in ids if one not in by_id]
        errors += [_not_authorized(kind, "ids", one) for one in ids if one in hidden]
        answer: dict[str, Any] = {"data": [_shown(post, asked, naming) for post in shown]} if shown else {}
        answer |= {"errors": errors} if errors else {}
        return _renamed(answer) if naming == "post" else answer

    def _search(self, query: dict[str, str]) -> Any:
        naming = self._check_names(query, {"query", "next_token", "pagination_token", "sort_order"})
        text = query.get("query", "")
        if not 1 <= len(text) <= 512:
            raise InvalidRequestError("query", text, f"Rule length is {len(text)}, the maximum for this access is 512")
        matches = parse_query(text)
        token_name = "pagination_token" if "pagination_token" in query else "next_token"
        _whole_number(query, "max_results", 10, 100)
        self._check_window(query)
        lower = query.get("start_time") or iso(self.now - WINDOW)
        upper = query.get("end_time") or iso(self.now - LAG)
        found = [post for post in self.posts if lower <= post["created_at"] <= upper and matches(post, self.users)]
        return self._page(_latest(found), query, naming, token_name)

    def _mentions(self, user_id: str, query: dict[str, str]) -> tuple[int, Any]:
        if self.mentions_refused:
            return 403, {
                **{"client_id": "123", "title": "Client Forbidden", "reason": "client-not-enrolled"},
                "detail": "Appropriate Level of API Access is needed for this endpoint.",
                **{"required_enrollment": "Appropriate Level of API Access", "type": f"{PROBLEMS}/client-forbidden"},
            }
        naming = self._check_names(query, {"pagination_token"})
        _whole_number(query, "max_results", 5, 100)
        user = self.users.get(user_id)
        if user is None:
            return 200, {"errors": [_not_found("user", "id", user_id)]}
        handle = re.compile(rf"(?<!\w)@{user['username']}(?!\w)", re.IGNORECASE)
        found = [post for post in _latest(self.posts) if handle.search(post["text"])]
        found.sort(key=_by_id, reverse=True)
        lower, upper = query.get("start_time", ""), query.get("end_time", "~")
        found = [post for post in found[:TIMELINE_POSTS] if lower <= post["created_at"] <= upper]
        return 200, self._page(found, query, naming, "pagination_token")

    def _user(self, username: str, query: dict[str, str]) -> Any:
        for name in query:
            if name not in ("user.fields", "tweet.fields", "post.fields", "expansions"):
                raise InvalidRequestError(
                    name, query[name], f"The query parameter [{name}] is not one of [user.fields]"
                )
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", username):
            raise InvalidRequestError("username", username, "The `username` query parameter value is not valid")
        for user in self.users.values():
            if user["username"].lower() == username.lower():
                return {"data": {name: user[name] for name in ("id", "name", "username")}}
        return {"errors": [_not_found("user", "username", username)]}

    def _check_names(self, query: dict[str, str], own: set[str]) -> str:
        """Check the names of the parameters and the values of the field lists; return the naming asked for."""
        naming = "post" if "post.fields" in query else "tweet"
        fields = f"{naming}.fields"
        allowed = own | {"max_results", "start_time", "end_time", "since_id", "until_id", "expansions"}
        allowed |= {f"{name}.fields" for name in self.namings} | {"user.fields", "place.fields"}
        for name, value in query.items():
            if name not in allowed or (name.endswith("t.fields") and name != fields):
                raise InvalidRequestError(name, value, f"The query parameter [{name}] is not one of {sorted(allowed)}")
        lists = {fields: POST_FIELDS, "expansions": EXPANSIONS}
        for name, values in lists.items():
            _check_list(query, name, values[naming])
        _check_list(query, "user.fields", USER_FIELDS)
        _check_list(query, "place.fields", PLACE_FIELDS)
        for name in ("since_id", "until_id"):
            if name in query and not re.fullmatch(r"\d{1,19}", query[name]):
                raise InvalidRequestError(name, query[name], f"The `{name}` query parameter value is not valid")
        for name in ("start_time", "end_time"):
            if name in query and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", query[name]):
                raise InvalidRequestError(name, query[name], f"The `{name}` query parameter value is not valid")
        return naming

    def _check_window(self, query: dict[str, str]) -> None:
        oldest = self.now - WINDOW
        for name in ("since_id", "until_id"):
            if name in query and int(query[name]) < int(snowflake(oldest, 0)):
                hint = f"Please use a '{name}' that is larger than {snowflake(oldest, 0)}"
                raise InvalidRequestError(
                    name, query[name], f"'{name}' must be a tweet id created after [{oldest:%Y-%m-%dT%H:%MZ}]. {hint}"
                )
        start, end = query.get("start_time"), query.get("end_time")
        if start and start < iso(oldest):
            message = f"'start_time' must be on or after {oldest:%Y-%m-%dT%H:%MZ}"
            raise InvalidRequestError("start_time", start, f"Invalid 'start_time':'{start}'. {message}")
        if start and start >= (end or iso(self.now - LAG)):
            raise InvalidRequestError(
                "start_time", start, "Invalid 'start_time'. 'start_time' must be before 'end_time'"
            )
        if end and end > iso(self.now - timedelta(seconds=10)):
            raise InvalidRequestError("end_time", end, "Invalid 'end_time'. It must be at least 10 seconds before now")

    def _page(self, found: list[dict[str, Any]], query: dict[str, str], naming: str, token_name: str) -> Any:
        since, until = int(query.get("since_id", 0)), int(query.get("until_id", 1 << 63))
        if since >= until:
            raise InvalidRequestError("since_id", str(since), "'since_id' must be less than 'until_id'")
        asked = {name: value for name, value in query.items() if name not in (token_name, "max_results")}
        token = query.get(token_name)
        if token is not None and self._tokens.get(token, (None, 0))[0] != asked:
            message = f"The `{token_name}` query parameter value [{token}] is not valid"
            raise InvalidRequestError(token_name, token, message)
        below = self._tokens[token][1] if token is not None else until
        left = sorted((post for post in found if since < int(post["id"]) < below), key=_by_id, reverse=True)
        size = int(query.get("max_results", 10))
        return self._answer(left[:size], len(left) > size, asked, naming)

    def _answer(self, posts: list[dict[str, Any]], more: bool, asked: dict[str, str], naming: str) -> Any:
        if not posts:
            return {"meta": {"result_count": 0}}
        ids = [post["id"] for post in posts]
        meta = {"newest_id": max(ids, key=int), "oldest_id": min(ids, key=int), "result_count": len(ids)}
        if more:
            token = f"t{len(self._tokens)}{meta['oldest_id']}"
            self._tokens[token] = (asked, int(meta["oldest_id"]))
            meta["next_token"] = token
        answer: dict[str, Any] = {"data": [_shown(post, asked, naming) for post in posts], "meta": meta}
        includes = self._includes(posts, asked)
        answer |= {"includes": includes} if includes else {}
        answer |= {"errors": self.errors} if self.errors else {}
        return _renamed(answer) if naming == "post" else answer

    def _includes(self, posts: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
        expansions = asked.get("expansions", "").split(",")
        includes: dict[str, Any] = {}
        if "author_id" in expansions:
            wanted = {"id", "name", "username", *asked.get("user.fields", "").split(",")}
            authors = dict.fromkeys(post["author_id"] for post in posts)
            includes["users"] = [
                {name: value for name, value in self.users[user_id].items() if name in wanted}
                for user_id in authors
                if user_id in self.users
            ]
        if "geo.place_id" in expansions:
            wanted = {"id", "full_name", *asked.get("place.fields", "").split(",")}
            ids = dict.fromkeys(post.get("geo", {}).get("place_id") for post in posts)
            places = [self.places[place_id] for place_id in ids if place_id in self.places]
            includes |= {"places": [{k: v for k, v in p.items() if k in wanted} for p in places]} if places else {}
        return includes


def snowflake(at: datetime, sequence: int) -> str:
    """Return an id as X makes them: the time in its upper bits."""
    return str(((int(at.timestamp() * 1000) - EPOCH_MS) << 22) + sequence)


def iso(at: datetime) -> str:
    """Write a time as X does."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


Matches = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
_TOKEN = re.compile(r'\s*(?:(?P<bracket>-?[()])|(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+)))')
_CONJUNCTION_REQUIRED = ("lang:", "is:", "has:")


def parse_query(text: str) -> Matches:
    """Return what a query matches, or refuse it as X would."""
    tokens = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidRequestError(
                "query", text, f"no viable alternative at input '{text[position:]}' (at position 1)"
            )
        tokens.append(match)
        position = match.end()
    matches, standalone = _Parser(text, tokens).parse()
    if not standalone:
        raise InvalidRequestError("query", text, "Rules must contain at least one positive, non-stopword clause")
    return matches


class _Parser:
    def __init__(self, text: str, tokens: list[re.Match[str]]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0

    def parse(self) -> tuple[Matches, bool]:
        result = self._any()
        if self.at < len(self.tokens):
            self._refuse("mismatched input ')'")
        return result

    def _refuse(self, message: str) -> None:
        raise InvalidRequestError("query", self.text, f"There were errors processing your request: {message}")

    def _peek(self) -> re.Match[str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _any(self) -> tuple[Matches, bool]:
        parts = [self._all()]
        while (token := self._peek()) and token["word"] == "OR":
            self.at += 1
            parts.append(self._all())
        return (lambda post, users: any(match(post, users) for match, _ in parts)), all(own for _, own in parts)

    def _all(self) -> tuple[Matches, bool]:
        parts = []
        while (token := self._peek()) and token["bracket"] != ")" and token["word"] != "OR":
            self.at += 1
            parts.append(self._one(token))
        if not parts:
            self._refuse("missing clause")
        return (lambda post, users: all(match(post, users) for match, _ in parts)), any(own for _, own in parts)

    def _one(self, token: re.Match[str]) -> tuple[Matches, bool]:
        if token["bracket"] == "-(":
            self._refuse("negated groups are not allowed")
        if token["bracket"] == "(":
            inner = self._any()
            closing = self._peek()
            if closing is None or closing["bracket"] != ")":
                self._refuse("missing ')'")
            self.at += 1
            return inner
        match = _phrase(token["phrase"]) if token["phrase"] is not None else self._word(token["word"])
        if token["minus"]:
            return (lambda post, users: not match(post, users)), False
        return match, token["word"] is None or not token["word"].startswith(_CONJUNCTION_REQUIRED)

    def _word(self, word: str) -> Matches:
        name, colon, value = word.partition(":")
        if not colon:
            return _phrase(word)
        if name == "lang" and re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", value) and value not in ("id", "he", "ms", "nb"):
            return lambda post, users: post["lang"] == value
        if name == "from" and re.fullmatch(r"\w{1,15}", value):
            return lambda post, users: users[post["author_id"]]["username"].lower() == value.lower()
        if word == "is:retweet":
            return lambda post, users: any(r["type"] == "retweeted" for r in post.get("referenced_tweets", []))
        self._refuse(f"Reference to invalid operator '{word}'")
        raise AssertionError


def _phrase(words: str) -> Matches:
    spaced = not re.search(r"[\u3040-\u30ff\u3400-\u9fff]", words)
    edge = (r"(?<![\w@#])" if re.match(r"\w", words) else "", r"(?!\w)" if re.search(r"\w$", words) else "")
    pattern = re.escape(words)
    found = re.compile(f"{edge[0]}{pattern}{edge[1]}" if spaced else pattern, re.IGNORECASE)
    return lambda post, users: bool(found.search(post["text"]))


def _shown(post: dict[str, Any], asked: dict[str, str], naming: str) -> dict[str, Any]:
    wanted = {"id", "text", "edit_history_tweet_ids", *asked.get("expansions", "").split(",")}
    wanted |= set(asked.get(f"{naming}.fields", "").split(","))
    wanted |= {old for old, new in _RENAMED.items() if new in wanted}
    return {name: value for name, value in post.items() if name in wanted}


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_RENAMED.get(name, name): _renamed(inner) for name, inner in value.items()}
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value


def _check_list(query: dict[str, str], name: str, allowed: set[str]) -> None:
    values = query[name].split(",") if name in query else []
    for value in values:
        if value not in allowed or values.count(value) > 1:
            message = f"The `{name}` query parameter value [{value}] is not one of {sorted(allowed)}"
            raise InvalidRequestError(name, value, message)


def _whole_number(query: dict[str, str], name: str, low: int, high: int) -> None:
    value = query.get(name)
    if value is not None and not (value.isdecimal() and low <= int(value) <= high):
        message = f"The `{name}` query parameter value [{value}] is not between {low} and {high}"
        raise InvalidRequestError(name, value, message)


def _by_id(post: dict[str, Any]) -> int:
    return int(post["id"])


def _not_found(kind: str, parameter: str, value: str) -> dict[str, Any]:
    detail = f"Could not find {kind} with {parameter}: [{value}]."
    error = {"value": value, "detail": detail, "title": "Not Found Error", "resource_type": kind}
    return {**error, "parameter": parameter, "resource_id": value, "type": f"{PROBLEMS}/resource-not-found"}


def _not_authorized(kind: str, parameter: str, value: str) -> dict[str, Any]:
    detail = f"Sorry, you are not authorized to see the {kind} with {parameter}: [{value}]."
    error = {"value": value, "detail": detail, "title": "Authorization Error", "resource_type": kind}
    return {**error, "parameter": parameter, "resource_id": value, "type": f"{PROBLEMS}/not-authorized-for-resource"}


def _latest(posts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [post for post in posts if post["id"] == post["edit_history_tweet_ids"][-1]]


def _rate_headers(reset_at: datetime, limit: int, remaining: int) -> dict[str, str]:
    reset = str(int(reset_at.timestamp()))
    return {"x-rate-limit-limit": str(limit), "x-rate-limit-remaining": str(remaining), "x-rate-limit-reset": reset}


def _too_many(reset_at: datetime, limit: int) -> Reply:
    body = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    return Reply(429, body, _rate_headers(reset_at, limit, 0))
