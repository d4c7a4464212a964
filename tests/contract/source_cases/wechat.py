"""A folder of exported chats: a long group chat that grows, and one written again with every export."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from listener.clock import FixedClock
from listener.model import Watch
from sources.wechat import WeChatOptions, WeChatSource, WeChatWatchOptions
from tests.contract.cases import Case

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HEADER = "消息ID,类型,发送人,时间,内容,备注,昵称,更多信息\r\n"
ROOM = "51234567890@chatroom"


@contextmanager
def case(tmp_path: Path) -> Iterator[Case]:
    """Yield a source on two exports that hold more than a page, with notices and the owner's words between."""
    folder = tmp_path / "exports"
    folder.mkdir()
    table, document = folder / "云帆售后群.csv", folder / "旅客群.json"
    table.write_text(HEADER + "".join(_row(number) for number in range(620)), encoding="utf-8-sig")
    document.write_text(_document(15), encoding="utf-8")
    clock = FixedClock(NOW)
    _settle(folder, clock)

    def add_items() -> list[str]:
        clock.advance(600)
        with table.open("a", encoding="utf-8") as stream:
            stream.write(_row(701) + _row(702))
        document.write_text(_document(17), encoding="utf-8")
        _settle(folder, clock)
        return [_table_id(701), _table_id(702), _document_id(15), _document_id(16)]

    def restart() -> WeChatSource:
        return WeChatSource(WeChatOptions(), clock)

    watch = Watch(
        id="wechat/CN/yunfan",
        source="wechat",
        brand="yunfan",
        country="CN",
        languages=("zh-Hans",),
        terms=("云帆",),
        account="云帆客服",
        options=WeChatWatchOptions(folder=str(folder)),
    )
    expected = [_table_id(number) for number in range(620) if number % 10 not in (3, 7)]
    expected += [_document_id(number) for number in range(15)]
    yield Case(restart(), watch, expected, add_items, restart=restart)


def _settle(folder: Path, clock: FixedClock) -> None:
    moment = clock.now().timestamp() - 60
    for path in folder.iterdir():
        os.utime(path, (moment, moment))


def _table_id(number: int) -> str:
    return str(7701234567890100001 + number * 7)


def _row(number: int) -> str:
    kind, sender = (
        ("系统消息", "") if number % 10 == 3 else ("文本", "云帆客服" if number % 10 == 7 else f"顾客{number}")
    )
    at = f"2026-11-20 {9 + number // 60:02}:{number % 60:02}:00"
    return f'{_table_id(number)},{kind},{sender},{at},"第{number}次问了,还是没人回",,,more\r\n'


def _document_id(number: int) -> str:
    return str(8801234567890100001 + number * 7)


def _document(messages: int) -> str:
    items = [
        {
            "sender": f"wxid_passenger{number}",
            "accountName": f"旅客{number}",
            "timestamp": 1795161600 + number,
            "type": 0,
            "content": f"航班又延误了，第{number}位",
            "platformMessageId": _document_id(number),
        }
        for number in range(messages)
    ]
    meta = {"name": "旅客群", "platform": "wechat", "type": "group", "groupId": ROOM}
    return json.dumps({"chatlab": {"version": "0.0.2"}, "meta": meta, "members": [], "messages": items})
