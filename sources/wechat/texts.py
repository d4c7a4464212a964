"""Plain text exports: WeChatMsg v2, WeFlow, chatlog. Senders are known by display name, except in chatlog's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from listener.entities import unescape
from listener.errors import MalformedItemError
from sources.files import MAX_DOCUMENT_BYTES, OpenFile, UnreadableError
from sources.rows import START, Position, Row, block_rows
from sources.wechat.messages import SELF, Context, LeftOutError, Message, by_row, plain_text, transcript
from sources.wechat.tables import chatlog_text

_TIME = r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})"
WEFLOW_HEADING = re.compile(_TIME + r" '(.*)'")
V2_HEADING = re.compile(_TIME + r" (.+)")
CHATLOG_HEADING = re.compile(r"(.*)\(([^()]+)\) (?:(?:(\d{4})-)?(\d{2})-(\d{2}) )?(\d{2}:\d{2}:\d{2})")
_V2_QUOTE = re.compile(r"\n引用:")
_V2_LINK = re.compile(r"\s*\[链接\]:title:")
_NAMED_DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_NO_DATE = "a time of day without a date: put the date (2026-01-31) into the file's name"


@dataclass(frozen=True, slots=True)
class Dated:
    """A block of chatlog's plain text, its missing date filled in where that can be done."""

    name: str
    sender: str
    body: str
    local_time: str
    stamp: str = ""


def v2_block(value: Any, context: Context) -> Message:
    """Read a block of WeChatMsg 2.x text; a notice has no body."""
    heading, body = value
    if not body.strip():
        raise LeftOutError("system message")
    text = _V2_QUOTE.split(body, maxsplit=1)[0]
    if _V2_LINK.match(text):
        raise LeftOutError("no text: 链接")
    return _named(heading, unescape(heading[2]), text, context)


def weflow_block(value: Any, context: Context) -> Message:
    """Read a block of WeFlow text."""
    heading, body = value
    return _named(heading, heading[2], body, context)


def _named(heading: re.Match[str], name: str, body: str, context: Context) -> Message:
    text = transcript(body) if body.lstrip().startswith(("[语音", "【语音")) else plain_text(body)
    return Message(text, context.moment(heading[1]), sender_name=name, own=name.strip() == SELF)


def chatlog_block(value: Any, context: Context) -> Message:
    """Read a block of chatlog's plain text."""
    block: Dated = value
    if block.sender == "系统消息":
        raise LeftOutError("system message")
    if not block.local_time:
        raise MalformedItemError(_NO_DATE)
    return Message(
        text=chatlog_text(block.body.strip()),
        sent_at=context.moment(block.local_time),
        sender_id=block.sender,
        sender_name=block.name,
        own=block.sender == SELF,
        stamp=block.stamp,
    )


parse_v2 = by_row(v2_block)
parse_weflow = by_row(weflow_block)
parse_chatlog = by_row(chatlog_block)


def chatlog_rows(file: OpenFile, context: Context) -> list[Row]:
    """Return the blocks of chatlog's plain text with their dates.

    Raises:
        UnreadableError: too large to be read whole.
    """
    if file.size > MAX_DOCUMENT_BYTES:
        raise UnreadableError("too large for plain text; export it as CSV")
    blocks = block_rows(file.lines(START), CHATLOG_HEADING, file.encoding())
    return list(_dated(blocks, file.name.rsplit("/", 1)[-1], context.modified_at.astimezone(context.zone)))


def _dated(blocks: Iterator[Row], file_name: str, modified_at: datetime) -> Iterator[Row]:
    """Fill in missing dates: from the file's name, the block before, or the day the file was written."""
    day = _named_day(file_name)
    for index, row in enumerate(blocks, start=1):
        value = None
        if row.value is not None:
            heading, body = row.value
            day = _stated_day(heading, day, modified_at) or day
            value = _with_day(heading, body, day, modified_at)
        yield replace(row, value=value, end=Position(index))


def _named_day(file_name: str) -> date | None:
    days = {_day(*map(int, match.groups())) for match in _NAMED_DATE.finditer(file_name)}
    return days.pop() if len(days) == 1 else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _stated_day(heading: re.Match[str], near: date | None, modified_at: datetime) -> date | None:
    """Return the day that a heading states; without a year, the one of the neighbour or the last possible one."""
    year, month, day = heading[3], heading[4], heading[5]
    if month is None:
        return None
    if year is not None or near is not None:
        return _day(int(year or near.year), int(month), int(day))  # type: ignore[union-attr]
    latest = modified_at.date() + timedelta(days=1)
    found = _day(latest.year, int(month), int(day))
    return found if found and found <= latest else _day(latest.year - 1, int(month), int(day))


def _with_day(heading: re.Match[str], body: str, day: date | None, modified_at: datetime) -> Dated:
    name, sender, clock = heading[1], heading[2], heading[6]
    if day is not None:
        return Dated(name, sender, body, f"{day} {clock}")
    if clock <= f"{modified_at:%H:%M:%S}":
        # The day is a guess that a copy of the file would change, so it stays out of the id.
        return Dated(name, sender, body, f"{modified_at:%Y-%m-%d} {clock}", stamp=clock)
    return Dated(name, sender, body, "")
