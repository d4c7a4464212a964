"""What an admin may set for VK."""

from typing import Annotated

from pydantic import Field

from listener.config import Duration, Secret, SourceOptions, WatchOptions


class VkOptions(SourceOptions):
    """The connection to VK: one token for all watches."""

    token: Secret
    """A user or service token; a community token may not search."""
    look_again: Annotated[Duration, Field(ge=60.0)] | None = 3600.0
    """How often posts of alerts are looked at again, for deletions and edits; null does not."""
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 3.0
    """3 suits a user token, 20 a service token."""


class VkWatchOptions(WatchOptions):
    """What one watch reads on VK."""

    search: bool = True
    """Search public posts for the brand's terms."""
    query: Annotated[str, Field(min_length=1)] | None = None
    """Search for this instead of the brand's terms."""
    search_every: Duration = 600.0
    """How often each term is searched: VK meters searches per day (error 29) apart from other calls."""
    posts: bool = True
    """Read what people write on the wall of the brand's account and below its posts."""
    posts_back: Annotated[int, Field(ge=1, le=100)] = 20
    """How many recent posts of that wall are watched for new comments."""
    topics: list[Annotated[int, Field(ge=1)]] = Field(default_factory=list)
    """Discussion boards of the brand's group, by topic id."""
    look_back: Duration = 86400.0
    """How far the first sweep looks back."""
