"""A folder of exports and a source on it, for the tests of the WeChat source."""

import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listener.clock import FixedClock
from listener.model import Mention, Page, Skipped, Watch
from sources.wechat import WeChatOptions, WeChatSource, WeChatWatchOptions

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wechat"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
QUIET_S = 60


@dataclass
class World:
    """Writes files that look old enough to be read, and reads them."""

    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    cursor: str | None = None

    def __post_init__(self) -> None:
        self.source = WeChatSource(WeChatOptions(), self.clock)

    def write(self, name: str, data: bytes | str, age_s: float = QUIET_S) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return self.touch(path, age_s)

    def touch(self, path: Path, age_s: float = QUIET_S) -> Path:
        moment = self.clock.now().timestamp() - age_s
        os.utime(path, (moment, moment))
        return path

    def copy(self, name: str, new_name: str | None = None) -> Path:
        path = self.folder / (new_name or name)
        shutil.copyfile(FIXTURES / name, path)
        return self.touch(path)

    def watch(self, **changes: Any) -> Watch:
        options = WeChatWatchOptions(**{"folder": str(self.folder), **self.options})
        values: dict[str, Any] = {
            "id": "wechat/CN/yunfan",
            "source": "wechat",
            "brand": "yunfan",
            "country": "CN",
            "languages": ("zh-Hans",),
            "terms": ("云帆", "Yunfan"),
            "account": "云帆客服",
            "options": options,
        }
        return Watch(**{**values, **changes})

    def fetch(self, **changes: Any) -> Page:
        """Fetch one page and go on from it."""
        page = self.source.fetch(self.watch(**changes), self.cursor)
        self.cursor = page.cursor
        return page

    def sweep(self, **changes: Any) -> tuple[list[Mention], list[Skipped]]:
        """Fetch until there is no more."""
        mentions: list[Mention] = []
        skipped: list[Skipped] = []
        for _ in range(100):
            page = self.fetch(**changes)
            mentions += page.mentions
            skipped += page.skipped
            if not page.more:
                return mentions, skipped
            self.clock.advance(1)
        raise AssertionError("no end after a hundred pages")
