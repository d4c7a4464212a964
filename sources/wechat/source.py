"""The `wechat` source: exported chats in a folder. It reads files only, never a database of WeChat itself."""

import re
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from listener.clock import Clock
from listener.config import SourceOptions, WatchOptions
from listener.config.models import TimeZone
from listener.model import Page, Watch, Withdrawn
from sources.base import SourceSpec, Trial
from sources.fields import clean_line, has_term
from sources.files import Follower, OpenFile, Reading
from sources.wechat.detection import detect
from sources.wechat.messages import Chat, Context

_EXPORTER_NAMES = re.compile(r"(_utf-?8|[ _]?\(\d+\)|_\d{4}-\d{2}-\d{2}|_\d+_\d+)+$", re.IGNORECASE)


class WeChatOptions(SourceOptions):
    """Options of the `wechat` source; it has no connection."""


class WeChatWatchOptions(WatchOptions):
    """Which exports to read and whose messages in them count."""

    folder: Annotated[str, Field(min_length=1)]
    """A folder, a file or a pattern such as `exports/**/*.csv`, from the working directory."""
    timezone: TimeZone = "Asia/Shanghai"
    """The zone of the computer that made the export; most formats have local times."""
    match_terms: bool = False
    """True keeps only messages that contain a term of the brand; otherwise all customers' messages count."""
    owner_names: list[str] = Field(default=[])
    """Further names and ids of own staff, whose messages are no mentions."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 2.0
    """A file is read when it has not changed for so many seconds."""


class WeChatSource:
    """Reads what is new in exported chats."""

    def __init__(self, options: WeChatOptions, clock: Clock) -> None:
        self._clock = clock
        self._follower = Follower(clock)

    def fetch(self, watch: Watch, cursor: str | None) -> Page:
        """Return a page of what is new in the watch's files.

        Raises:
            RetryableSourceError: the folder is not there.
        """
        options: WeChatWatchOptions = watch.options
        recalled: set[str] = set()
        read = partial(self._detect, watch=watch, recalled=recalled)
        page = self._follower.fetch(options.folder, options.settle_s, cursor, read)
        kept = tuple(mention for mention in page.mentions if mention.external_id not in recalled)
        gone = tuple(Withdrawn("wechat", message_id) for message_id in sorted(recalled))
        return Page(kept, page.cursor, page.more, page.skipped, withdrawn=gone)

    def try_out(self, watch: Watch, cursor: str | None) -> Trial:
        """Look whether there are files to read."""
        options: WeChatWatchOptions = watch.options
        return self._follower.try_out(options.folder)

    def close(self) -> None:
        """Do nothing: no file stays open between fetches."""

    def _detect(self, file: OpenFile, watch: Watch, recalled: set[str]) -> Reading:
        return detect(file, partial(self._context, watch=watch, recalled=recalled))

    def _context(self, file: OpenFile, chat: Chat, watch: Watch, recalled: set[str]) -> Context:
        options: WeChatWatchOptions = watch.options
        return Context(
            file=file.name,
            chat_name=chat_name(file.name),
            zone=ZoneInfo(options.timezone),
            now=self._clock.now(),
            modified_at=file.modified_at,
            owners=owners(watch),
            wanted=partial(_wanted, watch=watch),
            chat=chat,
            recalled=recalled,
        )


def owners(watch: Watch) -> frozenset[str]:
    """Return the names and ids, folded, whose messages are the brand's own."""
    names = [watch.account or "", *watch.options.owner_names]
    return frozenset(clean_line(name).casefold() for name in names if clean_line(name))


def chat_name(file_name: str) -> str:
    """Return the chat that an export's file name stands for, without what exporters add to it."""
    stem = PurePosixPath(file_name).stem
    return _EXPORTER_NAMES.sub("", stem) or stem


def _wanted(text: str, watch: Watch) -> bool:
    options: WeChatWatchOptions = watch.options
    return not options.match_terms or (has_term(text, watch.terms) and not has_term(text, watch.exclude))


SPEC = SourceSpec("wechat", WeChatOptions, WeChatWatchOptions, WeChatSource)
