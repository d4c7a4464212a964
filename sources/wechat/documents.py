"""JSON exports and answers: PyWxDump, chatlog, WeFlow, EchoTrace, ChatLab, official-account comments, WeCom audit."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from listener.errors import MalformedItemError
from listener.model import Mention, Skipped
from sources.fields import clean, clean_line, string
from sources.files import UnreadableError
from sources.rows import Row
from sources.wechat.messages import (
    Chat,
    Context,
    LeftOutError,
    Message,
    Parser,
    by_row,
    message_id,
    plain_text,
    server_id,
    take,
    transcript,
    whole_number,
)
from sources.wechat.tables import pywxdump_message

Json = Mapping[str, Any]
_TEXT, _VOICE, _SYSTEM, _APP, _QUOTE = 1, 34, 10000, 49, 57
_CHATLAB_TEXT, _CHATLAB_VOICE, _CHATLAB_SYSTEM = 0, 2, 80
_WECOM_CUSTOMER = ("wm", "wo")
_WECOM_ID_LENGTH = 20


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """A JSON document of a known shape: where its messages stand, and what it says of the chat."""

    name: str
    within: str
    """The key of the list of messages; "" where the document is the list."""
    parse: Parser
    chat: Callable[[Any], Chat] = lambda document: Chat()


def object_of(value: Any) -> Json:
    """Return a JSON object.

    Raises:
        MalformedItemError: something else.
    """
    if not isinstance(value, dict):
        raise MalformedItemError("expected a JSON object")
    return value


def part(item: Json, key: str) -> Json:
    """Return the object at `key`, empty where there is none."""
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def pywxdump_item(item: Any, context: Context) -> Message:
    """Read an item of PyWxDump's JSON, which has the keys of its CSV."""
    keys = ("MsgSvrID", "type_name", "is_sender", "talker", "room_name", "msg", "CreateTime")
    cells = object_of(item)
    for key in keys:
        if key not in cells:
            raise MalformedItemError(f"'{key}' is missing")
    return pywxdump_message({key: string(cells[key]) for key in keys}, context)


def chatlog_item(item: Any, context: Context) -> Message:
    """Read a message of chatlog's API or webhook."""
    data = object_of(item)
    kind, sub_kind = whole_number(data.get("type")), whole_number(data.get("subType", 0))
    sender, text = string(data.get("sender")), string(data.get("content"))
    if kind == _SYSTEM or sender == "系统消息":
        raise LeftOutError("system message")
    if kind == _VOICE:
        text = transcript(text)
    elif kind != _TEXT and (kind, sub_kind) != (_APP, _QUOTE):
        raise LeftOutError(f"no text: message type {kind}/{sub_kind}")
    chat = string(data.get("talker"))
    return Message(
        text=text,
        sent_at=context.moment(data.get("time")),
        sender_id=sender,
        sender_name=string(data.get("senderName")),
        chat=Chat(chat, string(data.get("talkerName")) or chat),
        own=bool(data.get("isSelf")),
        reply_to_id=_chatlog_quoted(part(part(data, "contents"), "refer"), chat, context),
    )


def _chatlog_quoted(refer: Json, chat: str, context: Context) -> str | None:
    """Return the id that the quoted text message has, where the quotation is whole."""
    try:
        if whole_number(refer.get("type")) != _TEXT:
            return None
        stamp = str(int(context.moment(refer.get("time")).timestamp()))
        return message_id(clean_line(chat), clean_line(string(refer["sender"])), stamp, clean(string(refer["content"])))
    except (MalformedItemError, KeyError):
        return None


def weflow_item(item: Any, context: Context) -> Message:
    """Read a message of WeFlow's JSON or API, or of EchoTrace, which has the same keys."""
    data = object_of(item)
    kind = whole_number(data.get("localType"))
    base, sub_kind = kind & 0xFFFFFFFF, kind >> 32
    text = string(data.get("content"))
    if base == _SYSTEM:
        raise LeftOutError("system message")
    if base == _VOICE:
        text = transcript(text)
    elif base != _TEXT and (base, sub_kind) != (_APP, _QUOTE) and data.get("type") != "引用消息":
        raise LeftOutError(f"no text: {string(data.get('type')) or f'message type {base}'}")
    sender = string(data.get("senderUsername")) or string(data.get("senderID"))
    return Message(
        text=plain_text(text),
        sent_at=context.moment(data.get("createTime") or data.get("formattedTime")),
        sender_id=context.chat.names.get(f"id {sender}", sender),
        sender_name=string(data.get("senderDisplayName")),
        own=data.get("isSend") in (1, "1", True),
        server_id=server_id(data.get("platformMessageId") or data.get("serverId")),
        reply_to_id=server_id(data.get("replyToMessageId")),
    )


def session_chat(document: Json) -> Chat:
    """Return the chat of a WeFlow or EchoTrace document, with the senders that arkme-json lists apart."""
    session = part(document, "session")
    names = {}
    senders = document.get("senders")
    for sender in senders if isinstance(senders, list) else []:
        if isinstance(sender, dict):
            wxid = str(sender.get("wxid") or "")
            names[f"id {sender.get('senderID')}"] = wxid
            names[wxid] = str(sender.get("displayName") or sender.get("nickname") or "")
    return Chat(_name(session, "wxid"), _name(session, "displayName", "remark", "nickname", "wxid"), names)


def talker_chat(document: Json) -> Chat:
    """Return the chat of WeFlow's API answer, which gives its id only."""
    return Chat(_name(document, "talker"), _name(document, "talker"))


def chatlab_chat(document: Json) -> Chat:
    """Return the chat of a ChatLab document."""
    meta, members = part(document, "meta"), document.get("members")
    names = {}
    for member in members if isinstance(members, list) else []:
        if isinstance(member, dict):
            names[str(member.get("platformId"))] = _name(member, "groupNickname", "accountName")
    return Chat(_name(meta, "groupId"), _name(meta, "name", "groupId"), names, _name(meta, "ownerId"))


def _name(data: Json, *keys: str) -> str:
    """Return the first text that stands at one of `keys`."""
    return next((data[key] for key in keys if isinstance(data.get(key), str) and data[key]), "")


def chatlab_item(item: Any, context: Context) -> Message:
    """Read a message of ChatLab, which marks the owner in the header at most."""
    data = object_of(item)
    kind, sender = whole_number(data.get("type")), string(data.get("sender"))
    text = string(data.get("content"))
    if kind == _CHATLAB_SYSTEM:
        raise LeftOutError("system message")
    if kind == _CHATLAB_VOICE:
        text = transcript(text)
    elif kind != _CHATLAB_TEXT:
        raise LeftOutError(f"no text: message type {kind}")
    return Message(
        text=plain_text(text),
        sent_at=context.moment(data.get("timestamp")),
        sender_id=sender,
        sender_name=string(data.get("groupNickname")) or string(data.get("accountName")),
        own=bool(sender) and sender == context.chat.owner,
        server_id=server_id(data.get("platformMessageId")),
        reply_to_id=server_id(data.get("replyToMessageId")),
    )


def chatlab_line(item: Any, context: Context) -> Message:
    """Read a line of ChatLab's JSON Lines."""
    kind = object_of(item).get("_type")
    if kind in ("header", "member"):
        raise LeftOutError(f"no message: {kind}")
    if kind != "message":
        raise MalformedItemError(f"unknown _type {str(kind)[:40]!r}")
    return chatlab_item(item, context)


def comment_item(item: Any, context: Context) -> Message:
    """Read a comment under an article of an official account; a commenter may be without id."""
    data = object_of(item)
    number, sender = string(data.get("user_comment_id")), string(data.get("openid"))
    sent_at, text = context.moment(data.get("create_time")), string(data.get("content"))
    identity = message_id(number, sender, str(int(sent_at.timestamp())), clean(text))
    return Message(text, sent_at, sender or f"comment {number}", server_id=identity)


def wecom_item(item: Any, context: Context) -> Message:
    """Read a record of the WeCom message audit. Whoever is no customer is staff."""
    data = object_of(item)
    kind, action = string(data.get("msgtype")), string(data.get("action"))
    sender, room = string(data.get("from")), string(data.get("roomid"))
    if action == "recall" or kind == "revoke":
        taken_back = string(part(data, "revoke").get("pre_msgid"))
        context.recalled.add(taken_back)
        raise LeftOutError(f"takes back message {taken_back}")
    if action != "send":
        raise LeftOutError(f"no message: {action[:20] or 'no action'}")
    if not (sender.startswith(_WECOM_CUSTOMER) and len(sender) >= _WECOM_ID_LENGTH):
        raise LeftOutError("written by the account's owner or own staff")
    identity = string(data.get("msgid"))
    if not identity:
        raise MalformedItemError("'msgid' is missing")
    return Message(
        text=_wecom_text(kind, part(data, kind)),
        sent_at=context.moment(data.get("msgtime")),
        sender_id=sender,
        chat=Chat(room or sender, room or sender),
        server_id=identity,
    )


def _wecom_text(kind: str, body: Json) -> str:
    if kind in ("text", "markdown"):
        return string(body.get("content"))
    if kind != "mixed":
        raise LeftOutError(f"no text: {kind[:20]}")
    items = body.get("item")
    parts = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return "\n".join(_mixed_text(item) for item in parts if item.get("type") == "text")


def _mixed_text(item: Json) -> str:
    content = string(item.get("content"))
    try:
        inner = json.loads(content)
    except (ValueError, RecursionError):
        return content
    return string(inner.get("content")) if isinstance(inner, dict) else content


def parse_chatlab_lines(rows: Iterable[Row], context: Context) -> Iterator[Mention | Skipped]:
    """Yield the mentions of ChatLab's JSON Lines; the header and the members count for nothing."""
    for row in rows:
        if row.problem or row.value.get("_type") not in ("header", "member"):
            yield take(row, context, chatlab_line)


CHATLAB_LINES = "ChatLab JSON Lines"
WECOM_LINES = "WeCom message audit JSON Lines"
LINE_PARSERS: Mapping[str, Parser] = {
    CHATLAB_LINES: parse_chatlab_lines,
    WECOM_LINES: by_row(wecom_item),
}

WEFLOW = JsonFormat("WeFlow JSON", "messages", by_row(weflow_item), session_chat)
WEFLOW_API = JsonFormat("WeFlow API answer", "messages", by_row(weflow_item), talker_chat)
ECHOTRACE = JsonFormat("EchoTrace JSON", "messages", by_row(weflow_item), session_chat)
CHATLAB = JsonFormat("ChatLab JSON", "messages", by_row(chatlab_item), chatlab_chat)
CHATLOG = JsonFormat("chatlog JSON", "", by_row(chatlog_item))
CHATLOG_WEBHOOK = JsonFormat("chatlog webhook", "messages", by_row(chatlog_item))
PYWXDUMP = JsonFormat("PyWxDump JSON", "", by_row(pywxdump_item))
COMMENTS = JsonFormat("official account comments", "comment", by_row(comment_item))
WECOM = JsonFormat("WeCom message audit", "", by_row(wecom_item))


def document_format(document: Any) -> JsonFormat | None:
    """Return the format of a parsed document, or None where it is none of the known ones.

    Raises:
        UnreadableError: it is known and holds no chat.
    """
    if isinstance(document, list):
        return _list_format(document)
    if not isinstance(document, dict):
        return None
    if "errcode" in document and document["errcode"] not in (0, None):
        raise UnreadableError(f"a saved error answer of WeChat: {str(document['errcode'])[:20]}")
    found = _object_format(document)
    if found is None and document and all(_is_user(value) for value in document.values()):
        raise UnreadableError("the names that belong to a PyWxDump export; not a chat itself", broken=False)
    return found if found is None or isinstance(document.get(found.within), list) else None


def _object_format(document: Json) -> JsonFormat | None:
    keys = document.keys()
    if "weflow" in keys:
        return WEFLOW
    if "chatlab" in keys:
        return CHATLAB
    if {"session", "messages"} <= keys:
        return ECHOTRACE
    if "comment" in keys:
        return COMMENTS
    if {"messages", "talker"} <= keys:
        return CHATLOG_WEBHOOK if {"keyword", "lastTime"} & keys else WEFLOW_API
    return None


def _list_format(items: list[Any]) -> JsonFormat | None:
    for item in items:
        keys = item.keys() if isinstance(item, dict) else {}
        for format_, marks in ((PYWXDUMP, {"MsgSvrID"}), (CHATLOG, {"talker", "seq"}), (WECOM, {"msgid", "msgtime"})):
            if marks <= set(keys):
                return format_
    return None


def _is_user(value: Any) -> bool:
    return isinstance(value, dict) and {"wxid", "nickname"} <= value.keys()


def line_format(item: Any) -> str | None:
    """Return which JSON Lines format an object belongs to, or None."""
    if not isinstance(item, dict):
        return None
    if item.get("_type") in ("header", "member", "message"):
        return CHATLAB_LINES
    return WECOM_LINES if {"msgid", "msgtime"} <= item.keys() or item.keys() >= {"msgid", "action"} else None
