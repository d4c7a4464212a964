"""VK: public posts by search, comments below the brand's own posts, and its group's discussion boards."""

from typing import TYPE_CHECKING

from listener.clock import Clock
from sources.base import SourceSpec
from sources.vk.options import VkOptions, VkWatchOptions
from sources.vk.parsing import parse_answer

if TYPE_CHECKING:
    from sources.vk.source import VkSource

__all__ = ["SPEC", "VkOptions", "VkWatchOptions", "create", "parse_answer"]


def create(options: VkOptions, clock: Clock) -> "VkSource":
    """Return a VK source that is ready to fetch.

    Raises:
        MissingSecretError: the token is not set.
    """
    from sources.vk.client import VkClient
    from sources.vk.source import VkSource

    return VkSource(VkClient(options, clock), clock)


SPEC = SourceSpec("vk", VkOptions, VkWatchOptions, create)
