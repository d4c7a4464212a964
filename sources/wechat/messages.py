"""What the WeChat formats have in common: a message, its chat, and when it is a mention."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from listener.errors import MalformedItemError
from listener.model import Author, Mention, Skipped
from sources.fields import clean, clean_line, moment, stable_id, string
from sources.rows import Row

NETWORK = "wechat"
SELF = "我"
_ID_DIGITS = 25
"""How exporters that mark no owner call the account's owner."""
_SERVICES = frozenset({"filehelper", "weixin", "notifymessage", "fmessage", "medianote", "newsapp", "weibo", "qqmail"})
_PREFIX = re.compile(r"(wxid_\w+|[A-Za-z][\w-]{4,30}|\d+@openim):\r?\n")
_LABEL = re.compile(r"【语音】|\[语音(?:消息|转文字)?\]|语音时长：[^\n]*\n?")
_PLACEHOLDER = re.compile(
    r"[\[【](图片|语音|语音消息|视频|表情包|表情|动画表情|文件|音乐分享|位置|位置分享|链接|分享链接|红包|转账|小程序|"
    r"视频号|聊天记录|合并转发|名片|音视频通话|语音通话|视频通话|拍一拍|系统消息|群公告)[\]】]\s*"
)
_SYSTEM = re.compile(
    r"加入了?群聊|撤回了?一条消息|拍了拍|修改群名|移出了?群聊|退出了?群聊|你已添加了|通过了你的朋友验证|开启了朋友验证|成为(?:新)?群主"
)


class LeftOutError(Exception):
    """A row that is left out on purpose; the message says what it is."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as the file's own content names it. `names` are its members' names by id."""

    id: str = ""
    name: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one format, before it is decided whether it is a mention."""

    text: str
    sent_at: datetime
    sender_id: str = ""
    sender_name: str = ""
    chat: Chat | None = None
    own: bool = False
    server_id: str = ""
    reply_to_id: str | None = None
    stamp: str = ""
    """The time as it goes into the id, where `sent_at` rests on a guess."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a parser must know of the file and the watch."""

    file: str
    chat_name: str
    """The chat by the file's name, for formats whose content names none."""
    zone: ZoneInfo
    now: datetime
    modified_at: datetime
    owners: frozenset[str] = frozenset()
    wanted: Callable[[str], bool] = lambda text: True
    chat: Chat = Chat()
    recalled: set[str] = field(default_factory=set)
    """Ids of messages that their senders took back."""

    def moment(self, value: Any) -> datetime:
        """Return the time of a field, local times in the configured zone."""
        return moment(value, self.zone, self.now)

    def mention(self, message: Message) -> Mention:
        """Return the mention that a message is.

        Raises:
            LeftOutError: it is none: the owner's own, a service's, or without a brand term.
            MalformedItemError: it has no sender.
        """
        chat = message.chat or self.chat
        name = clean_line(message.sender_name)
        sender, text = _without_prefix(clean_line(message.sender_id), clean(message.text), chat.id)
        self._check(message, sender, name, text)
        chat_name = clean_line(chat.name) or self.chat_name
        chat_id = clean_line(chat.id) or chat_name
        stamp = message.stamp or str(int(message.sent_at.timestamp()))
        known = clean_line(chat.names.get(sender, ""))
        return Mention(
            network=NETWORK,
            external_id=clean_line(message.server_id) or message_id(clean_line(chat.id), sender or name, stamp, text),
            text=text,
            published_at=message.sent_at,
            author=Author(NETWORK, sender or f"{chat_id}/{name}", known or name),
            conversation_id=chat_id,
            reply_to_id=message.reply_to_id or None,
            place=chat_name,
            links={"chat": chat_name},
        )

    def _check(self, message: Message, sender: str, name: str, text: str) -> None:
        if not sender and not name:
            raise MalformedItemError("no sender")
        if message.own or {sender.casefold(), name.casefold()} & self.owners:
            raise LeftOutError("written by the account's owner or own staff")
        if sender in _SERVICES or sender.startswith("gh_"):
            raise LeftOutError("written by a service or an official account")
        if not text:
            raise LeftOutError("no text")
        if not self.wanted(text):
            raise LeftOutError("no brand term")


Parser = Callable[[Iterable[Row], Context], Iterator[Mention | Skipped]]
ReadMessage = Callable[[Any, Context], Message]


def by_row(read: ReadMessage) -> Parser:
    """Return a parser that reads each row with `read`, on its own."""

    def parse(rows: Iterable[Row], context: Context) -> Iterator[Mention | Skipped]:
        for row in rows:
            yield take(row, context, read)

    return parse


def take(row: Row, context: Context, read: ReadMessage) -> Mention | Skipped:
    """Return the mention in a row, or why there is none."""
    where = f"{context.file}:{row.place}"
    if row.problem:
        return Skipped(row.problem, where, row.sample)
    try:
        return context.mention(read(row.value, context))
    except LeftOutError as left_out:
        return Skipped(str(left_out), where, broken=False)
    except MalformedItemError as error:
        return Skipped(str(error), where, row.sample or clean_line(str(row.value)[:120]))


def message_id(chat_id: str, sender: str, stamp: str, text: str) -> str:
    """Return the id of a message that has none from the server: by chat, sender, second and text."""
    return stable_id(chat_id, sender, stamp, text)


def server_id(value: Any) -> str:
    """Return WeChat's own message id, or "" where it is missing or a spreadsheet has rounded it."""
    text = string(value).strip()
    digits = len(text) <= _ID_DIGITS and text.isascii() and text.isdigit() and text.strip("0") != ""
    rounded = len(text) > 15 and text.endswith("0000")
    return text if digits and not rounded else ""


def whole_number(value: Any) -> int:
    """Return a numeric code.

    Raises:
        MalformedItemError: not a number.
    """
    try:
        return int(string(value))
    except ValueError:
        raise MalformedItemError(f"not a number: {string(value)[:40]!r}") from None


def transcript(text: str) -> str:
    """Return the words of a voice message.

    Raises:
        LeftOutError: the exporter gives none.
    """
    label = _LABEL.match(text.strip())
    words = text.strip()[label.end() if label else 0 :].strip().removeprefix("翻译结果：").strip()
    if not words or _PLACEHOLDER.fullmatch(words):
        raise LeftOutError("voice without a transcript")
    return words


def plain_text(text: str) -> str:
    """Return `text` unless it only stands for something that is not text.

    Raises:
        LeftOutError: a placeholder such as `[图片]`.
    """
    match = _PLACEHOLDER.match(text.strip())
    if match and match.end() == len(text.strip()):
        raise LeftOutError(f"no text: {match[1]}")
    return text


def is_system_text(text: str) -> bool:
    """Return whether a text reads like WeChat's own notices (who joined, who took a message back)."""
    return len(text) < 120 and bool(_SYSTEM.search(text))


def _without_prefix(sender: str, text: str, chat_id: str) -> tuple[str, str]:
    """Return sender and text without the sender's id that WeChat 4 keeps before the text in groups."""
    match = _PREFIX.match(text)
    if match is None or not chat_id.endswith("@chatroom"):
        return sender, text
    unknown = sender in ("", chat_id)
    sure = match[1].startswith("wxid_") or match[1].endswith("@openim") or match[1] == sender
    return (match[1] if unknown else sender, text[match.end() :].strip()) if sure or unknown else (sender, text)
