"""X's endpoints over `tweepy.Client`, as plain dicts: tweepy's own models know only the older field naming."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
import tweepy

from listener.clock import Clock
from listener.errors import MissingSecretError, RefusedWatchError, RetryableSourceError
from sources.base import Meter, RebasingAdapter
from sources.x.errors import RejectedParameterError, translate
from sources.x.options import XOptions
from sources.x.parsing import parse_id, posts_of

API = "https://api.twitter.com"  # fixed in tweepy 4.17.0
_USER_FIELDS = "description,location,name,public_metrics,username,verified"
_PLACE_FIELDS = "country,country_code,full_name,name"
_POST_FIELDS = "conversation_id,created_at,geo,id,lang,paid_partnership,public_metrics,text"
# Specification 2.166 and 2.167. The newer one has no field for author and references: they are asked for as expansions.
_BESIDE = {"user.fields": _USER_FIELDS, "place.fields": _PLACE_FIELDS}
_Fields = Mapping[str, Mapping[str, str]]
_PAGES: _Fields = {
    "tweet": {
        "tweet.fields": f"author_id,{_POST_FIELDS},note_tweet,referenced_tweets",
        "expansions": "author_id,geo.place_id",
        **_BESIDE,
    },
    "post": {
        "post.fields": f"{_POST_FIELDS},note_post",
        "expansions": "author_id,edit_history_post_ids,geo.place_id,referenced_posts",
        **_BESIDE,
    },
}
# A second look asks for no authors: each user read costs twice what a post does.
_LOOKS: _Fields = {
    "tweet": {"tweet.fields": "edit_history_tweet_ids,id,note_tweet,text"},
    "post": {"post.fields": "id,note_post,text", "expansions": "edit_history_post_ids"},
}
_NAMING_PARAMETERS = {"tweet.fields", "post.fields", "expansions"}
# What tweepy raises when an error answer has another shape than its own error classes expect.
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)


class XClient:
    """The look-ups the source needs. Every method raises the project's source errors only."""

    def __init__(self, options: XOptions, clock: Clock) -> None:
        self.meter = Meter()
        self._token = _checked_token(options)
        self._clock = clock
        self._prices = {"post": options.price_per_post, "user": options.price_per_user}
        self._billed: dict[str, set[str]] = {}
        self._naming = "tweet"
        logging.getLogger("tweepy.client").setLevel(logging.INFO)  # at DEBUG it logs the Authorization header
        self._tweepy = tweepy.Client(self._token, return_type=dict, wait_on_rate_limit=False)
        self._tweepy.session.max_redirects = 0  # one would lead to another host, and past the time-out
        self._tweepy.session.mount(API, RebasingAdapter(options.base_url, options.timeout_s))

    def close(self) -> None:
        """Release connections."""
        self._tweepy.session.close()

    def search(self, query: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return one page of recent search."""
        return self._page("/2/tweets/search/recent", {"query": query, **parameters})

    def mentions(self, user_id: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return one page of the posts that mention a user."""
        if "next_token" in parameters:
            parameters = {**parameters, "pagination_token": parameters["next_token"]}
            del parameters["next_token"]
        return self._page(f"/2/users/{user_id}/mentions", parameters)

    def posts(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return at most 100 posts as they are now; those that are gone stand among the errors."""
        return self._page("/2/tweets", {"ids": ",".join(ids)}, _LOOKS)

    def user_id(self, handle: str) -> str:
        """Return the id of the account with this handle."""
        answer = self._ask(lambda: self._tweepy.get_user(username=handle))
        data = answer.get("data")
        user_id = parse_id(data.get("id")) if isinstance(data, dict) else None
        if user_id is None:
            raise RefusedWatchError(f"X knows no account @{handle}, or does not show it")
        self._bill("user", [user_id])
        return user_id

    def _page(self, path: str, parameters: dict[str, Any], fields: _Fields | None = None) -> dict[str, Any]:
        """Ask in the naming that worked last; where X refuses the field names, once more in the other."""
        try:
            return self._get(path, parameters, (fields or _PAGES)[self._naming])
        except RejectedParameterError as error:
            if not error.parameters & _NAMING_PARAMETERS:
                raise
            other = "post" if self._naming == "tweet" else "tweet"
            answer = self._get(path, parameters, (fields or _PAGES)[other])
            self._naming = other
            return answer

    def _get(self, path: str, parameters: dict[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
        sent = {name: _written(value) for name, value in {**parameters, **fields}.items()}
        # `request` and not `search_recent_tweets`: those methods know the older field names alone.
        answer = self._ask(lambda: self._tweepy.request("GET", path, params=sent).json())
        read = (parse_id(post.get("id")) for post in posts_of(answer) if isinstance(post, dict))
        self._bill("post", [post_id for post_id in read if post_id is not None])
        return answer

    def _bill(self, kind: str, ids: Sequence[str]) -> None:
        """Count what was read. X bills the same post or account once in a day (UTC), whoever asks for it."""
        today = f"{self._clock.now():%Y-%m-%d}"
        if today not in self._billed:
            self._billed = {today: set()}
        new = {f"{kind} {one}" for one in ids} - self._billed[today]
        self._billed[today] |= new
        self.meter.count(items=len(ids), cost=len(new) * self._prices[kind])

    def _ask(self, call: Callable[[], Any]) -> dict[str, Any]:
        self.meter.count(requests=1)
        try:
            answer = call()
        except (tweepy.TweepyException, requests.RequestException, *_UNREADABLE) as error:
            raise translate(error, self._clock.now(), self._token) from error
        if not isinstance(answer, dict):
            raise RetryableSourceError("X's answer is no JSON object")
        return answer


def _written(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value


def _checked_token(options: XOptions) -> str:
    token = options.bearer_token.get()
    # The HTTP library would repeat a header it cannot send in its error message.
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise MissingSecretError(f"{options.bearer_token!r} holds a blank or a character no token has; copy it again")
    return token
