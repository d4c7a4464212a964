"""What a source hands to the contract suite: one `Case` made by a context manager per source."""

from collections.abc import Callable
from dataclasses import dataclass

from listener.errors import ListenerError
from listener.model import Watch
from sources.base import Source


@dataclass(slots=True)
class Case:
    """A source with a world behind it that holds some items, and the means to change that world."""

    source: Source
    watch: Watch
    expected_ids: list[str]
    """External ids that a full sweep from no cursor must yield, in any order."""
    add_items: Callable[[], list[str]]
    """Makes the world hold further items and returns their external ids."""
    break_once: Callable[[], type[ListenerError]] | None = None
    """Makes the next fetch fail and returns the error it must raise; None where the source reads files."""
    restart: Callable[[], Source] | None = None
    """Makes a new source on the same world, as after a restart of the daemon; None where `source` stands for it."""
