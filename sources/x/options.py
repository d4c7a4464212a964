"""What an admin may set for X: one connection, and what each watch asks of it."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from listener.config import Duration, Secret, SourceOptions, WatchOptions
from sources.x.query import QUERY_CHARS

DAY_S = 86400.0


class XOptions(SourceOptions):
    """One app on X. Every post read costs, so the limits here and in the watch bound the bill."""

    bearer_token: Secret
    """The app's bearer token."""
    price_per_post: Annotated[float, Field(ge=0)] = 0.005
    """What reading a post costs, in US dollars: X's pay-per-use since 2026-02-06 (docs.x.com, read 2026-08-22)."""
    price_per_user: Annotated[float, Field(ge=0)] = 0.010
    """What looking up an account by its name costs; once for each account whose mentions are read."""
    look_back: Annotated[Duration, Field(ge=60.0, le=6.9 * DAY_S)] = DAY_S
    """How far back the first sweep of a watch goes; X's search ends at seven days."""
    max_results: Annotated[int, Field(ge=10, le=100)] = 100
    """Posts per page."""
    look_again: Annotated[Duration, Field(ge=60.0)] | None = None
    """How often posts of alerts are looked at again, for deletions and edits; each look costs like reading the post."""
    max_pages: Annotated[int, Field(ge=1, le=1000)] = 10
    """Pages per poll and endpoint; a longer sweep goes on at the next poll."""

    @property
    def is_paid(self) -> bool:
        """X has a price for each post and each account, unless both are set to 0."""
        return bool(self.price_per_post or self.price_per_user)


class XWatchOptions(WatchOptions):
    """What one watch asks of X."""

    search: bool = True
    """Search posts for the brand's terms."""
    mentions: bool = True
    """The mentions timeline of the brand's account, where `accounts` names one for X."""
    query: Annotated[str, Field(min_length=1, max_length=QUERY_CHARS)] | None = None
    """A query in X's own language, instead of the one made from terms, languages and exclusions."""
    any_language: bool = False
    """Take posts in every language: for the country that answers the rest of the world."""
    monthly_posts: Annotated[int, Field(ge=1)] | None = None
    """Posts this watch may read in a calendar month (UTC); then it pauses until the next."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.search and not self.mentions:
            raise PydanticCustomError("nothing_to_ask", "search and mentions are both false; leave one of them true")
        return self
