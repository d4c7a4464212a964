"""Files in the documented mapping, and a saved answer of X."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from listener.clock import FixedClock
from listener.model import Watch
from sources.file import FileOptions, FileSource, FileWatchOptions
from tests.contract.cases import Case

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@contextmanager
def case(tmp_path: Path) -> Iterator[Case]:
    """Yield a source on a JSON Lines file of more than a page, a CSV file and an answer of X."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    posts, table, answer = folder / "posts.jsonl", folder / "reviews.csv", folder / "x.json"
    posts.write_text("".join(_line(number) for number in range(530)), encoding="utf-8")
    table.write_text("id,network,text,published_at\nr1,appstore,Crashes,2026-11-20T10:00:00Z\n", encoding="utf-8")
    answer.write_text(json.dumps(_answer("900")), encoding="utf-8")
    clock = FixedClock(NOW)
    _settle(folder, clock)

    def add_items() -> list[str]:
        clock.advance(600)
        with posts.open("a", encoding="utf-8") as stream:
            stream.write(_line(700))
        with table.open("a", encoding="utf-8") as stream:
            stream.write('r2,appstore,"Crashes,\nstill",2026-11-20T11:00:00Z\n')
        (folder / "x2.json").write_text(json.dumps(_answer("901")), encoding="utf-8")
        _settle(folder, clock)
        return ["p700", "r2", "901"]

    def restart() -> FileSource:
        return FileSource(FileOptions(), clock)

    watch = Watch(
        id="file/GB/yunfan",
        source="file",
        brand="yunfan",
        country="GB",
        languages=("en",),
        terms=("yunfan",),
        options=FileWatchOptions(path=str(folder)),
    )
    expected = [*(f"p{number}" for number in range(530)), "r1", "900"]
    yield Case(restart(), watch, expected, add_items, restart=restart)


def _settle(folder: Path, clock: FixedClock) -> None:
    moment = clock.now().timestamp() - 60
    for path in folder.iterdir():
        os.utime(path, (moment, moment))


def _line(number: int) -> str:
    row = {"id": f"p{number}", "network": "facebook", "text": f"Kettle leaks, part {number}", "author_id": f"u{number}"}
    return json.dumps({**row, "published_at": 1795161600 + number}) + "\n"


def _answer(identity: str) -> dict[str, object]:
    post = {"id": identity, "text": "my yunfan leaks", "author_id": "5", "created_at": "2026-11-20T10:00:00.000Z"}
    users = [{"id": "5", "name": "Ann", "username": "ann"}]
    return {"data": [post], "includes": {"users": users}, "meta": {"result_count": 1, "newest_id": identity}}
