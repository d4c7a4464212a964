"""CSV exports: WeChatMsg v2, MemoTrace v3, PyWxDump, WeClone, chatlog."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sources.wechat.messages import (
    SELF,
    Chat,
    Context,
    LeftOutError,
    Message,
    Parser,
    by_row,
    is_system_text,
    plain_text,
    server_id,
    transcript,
    whole_number,
)

Cells = Mapping[str, str]
_QUOTE = re.compile(r"\n\[引用\]\([^)\n]{0,60}\)")
_MEMOTRACE_QUOTE = re.compile(r"\n引用：")
_CHATLOG_QUOTE = re.compile(r"> [^\n]*\d{1,2}:\d{2}(?::\d{2})?[^\S\n]*\n(?:>[^\n]*(?:\n|$))*")
_RENDERED = re.compile(r"!?\[[^\]\n]{0,300}\]\([^)\s]{1,2000}\)")
_V2_TEXT, _V2_SYSTEM, _V2_APP, _QUOTE_REPLY = 1, 10000, 49, 57


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """A CSV format: known by its exact header."""

    name: str
    header: tuple[str, ...]
    time_column: str
    parse: Parser


def wechatmsg_v2_message(cells: Cells, context: Context) -> Message:
    """Read a row of WeChatMsg 2.x. The file has no name or id of the chat but a local number."""
    kind, sub_kind = whole_number(cells["Type"]), whole_number(cells["SubType"] or "0")
    if kind == _V2_SYSTEM:
        raise LeftOutError("system message")
    if (kind, sub_kind) == (_V2_APP, _QUOTE_REPLY):
        raise LeftOutError("quote reply, whose text WeChatMsg 2 does not export")
    if kind != _V2_TEXT:
        raise LeftOutError(f"no text: message type {kind}")
    return Message(
        text=cells["StrContent"],
        sent_at=context.moment(cells["CreateTime"]),
        sender_id=cells["Sender"],
        sender_name=cells["Remark"] or cells["NickName"],
        chat=Chat(name=f"TalkerId {cells['TalkerId']}") if context.chat_name == "messages" else None,
        own=cells["IsSender"] == "1",
    )


def memotrace_v3_message(cells: Cells, context: Context) -> Message:
    """Read a row of MemoTrace 3.x, which knows senders by display name only."""
    kind, text = cells["类型"], cells["内容"]
    if kind == "系统消息":
        raise LeftOutError("system message")
    if kind == "语音":
        text = transcript(text)
    elif kind == "引用消息":
        text = _MEMOTRACE_QUOTE.split(text, maxsplit=1)[0]
    elif kind != "文本":
        raise LeftOutError(f"no text: {kind[:20]}")
    return Message(
        text=text,
        sent_at=context.moment(cells["时间"]),
        sender_name=cells["发送人"],
        own=cells["发送人"] == SELF,
        server_id=server_id(cells["消息ID"]),
    )


def pywxdump_message(cells: Cells, context: Context) -> Message:
    """Read a row of PyWxDump, CSV or JSON; names come from the `users.json` beside it."""
    kind, text, room = cells["type_name"], cells["msg"], cells["room_name"]
    if kind.startswith("系统") or cells["talker"] in ("未知", "系统"):
        raise LeftOutError("system message")
    if kind == "语音":
        text = transcript(text)
    elif kind == "引用回复":
        text = _QUOTE.split(text, maxsplit=1)[0]
    elif kind != "文本":
        raise LeftOutError(f"no text: {kind[:20]}")
    return Message(
        text=text,
        sent_at=context.moment(cells["CreateTime"]),
        sender_id=cells["talker"],
        sender_name=cells["talker"],
        chat=Chat(room, context.chat.names.get(room, "") or room, context.chat.names),
        own=cells["is_sender"] == "1" or cells["talker"] == SELF,
        server_id=server_id(cells["MsgSvrID"]),
    )


def weclone_message(cells: Cells, context: Context) -> Message:
    """Read a row of WeFlow's WeClone CSV: UTC times, display names, notices among the texts."""
    kind, text, server = cells["type_name"], cells["msg"], server_id(cells["MsgSvrID"])
    if not server and is_system_text(text):
        raise LeftOutError("system message")
    if kind == "voice":
        text = transcript(text)
    elif kind != "text":
        raise LeftOutError(f"no text: {kind[:20]}")
    return Message(
        text=plain_text(text),
        sent_at=context.moment(cells["CreateTime"]),
        sender_name=cells["talker"],
        own=cells["is_sender"] == "1",
        server_id=server,
    )


def chatlog_csv_message(cells: Cells, context: Context) -> Message:
    """Read a row of chatlog's CSV, which marks neither types nor the owner."""
    if cells["Sender"] == "系统消息":
        raise LeftOutError("system message")
    return Message(
        text=chatlog_text(cells["Content"]),
        sent_at=context.moment(cells["Time"]),
        sender_id=cells["Sender"],
        sender_name=cells["SenderName"],
        chat=Chat(cells["Talker"], cells["TalkerName"] or cells["Talker"]),
        own=cells["Sender"] == SELF,
    )


def chatlog_text(content: str) -> str:
    """Return the sender's own words from chatlog's rendered text.

    Raises:
        LeftOutError: there are none, only a picture, a link, a voice message or a quotation.
    """
    quote = _CHATLOG_QUOTE.match(content)
    text = content[quote.end() :] if quote else content
    rest = _RENDERED.sub("", text).strip()
    if not rest:
        raise LeftOutError("no text: a picture, link or file")
    if rest.startswith("[语音]"):
        return transcript(rest)
    return plain_text(text)


def is_time(value: str) -> bool:
    """Return whether a cell looks like a time; only rows have one in the time column."""
    return bool(re.match(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T]\d|\d{9,13}$", value))


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


FORMATS = (
    CsvFormat(
        "WeChatMsg v2 CSV",
        _columns("localId TalkerId Type SubType IsSender CreateTime Status StrContent StrTime Remark NickName Sender"),
        "CreateTime",
        by_row(wechatmsg_v2_message),
    ),
    CsvFormat(
        "MemoTrace v3 CSV",
        _columns("消息ID 类型 发送人 时间 内容 备注 昵称 更多信息"),
        "时间",
        by_row(memotrace_v3_message),
    ),
    CsvFormat(
        "PyWxDump CSV",
        _columns("id MsgSvrID type_name is_sender talker room_name msg src CreateTime"),
        "CreateTime",
        by_row(pywxdump_message),
    ),
    CsvFormat(
        "WeClone CSV",
        _columns("id MsgSvrID type_name is_sender talker msg src CreateTime"),
        "CreateTime",
        by_row(weclone_message),
    ),
    CsvFormat(
        "chatlog CSV",
        _columns("Time SenderName Sender TalkerName Talker Content"),
        "Time",
        by_row(chatlog_csv_message),
    ),
)
