"""Which of the WeChat formats a file is, by its content alone."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sources.files import DocumentReading, LineReading, OpenFile, Reading, UnreadableError, item_rows, refuse_database
from sources.rows import START, Lines, Position, Row, Table, block_rows, csv_rows, header_cells, json_rows
from sources.wechat import documents, tables, texts
from sources.wechat.messages import Chat, Context, Parser

EXPECTED = (
    "unknown format; expected an export of WeChatMsg or MemoTrace, PyWxDump, chatlog, WeFlow, ChatLab, WeClone or "
    "EchoTrace (CSV, JSON, JSON Lines or text), a list of official-account comments, or a WeCom message audit"
)
_WORKBOOK = "a spreadsheet workbook or archive: save it as CSV (UTF-8) or unpack it"
_UTF16 = "UTF-16 text: save it as UTF-8"
_FIRST_LINE = "the first line is not finished yet"
_LONG_LINE = 1 << 14
_LINES_TRIED = 50
_MEMBERS_READ = 100_000
_NAMES_BYTES = 64 << 20

MakeContext = Callable[[OpenFile, Chat], Context]


def detect(file: OpenFile, context_for: MakeContext) -> Reading:
    """Return how to read `file`.

    Raises:
        UnreadableError: no chat in a known format, or too little of one to tell yet.
    """
    head = file.head()
    _refuse(head)
    text = _text(file, head, context_for)
    if text is not None:
        return text
    if head.lstrip()[:1] in (b"{", b"["):
        return _json(file, head, context_for)
    first, ended, _ = head.partition(b"\n")
    table = _table(file, first, context_for) if ended else None
    if table is None:
        raise UnreadableError(EXPECTED) if ended else UnreadableError(_FIRST_LINE, waits=len(head) < _LONG_LINE)
    return table


def _refuse(head: bytes) -> None:
    refuse_database(head)
    if not head.strip():
        raise UnreadableError("the file is empty so far", waits=True)
    if head.startswith(b"PK\x03\x04"):
        raise UnreadableError(_WORKBOOK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError(_UTF16)


def _table(file: OpenFile, first: bytes, context_for: MakeContext) -> Reading | None:
    encoding = file.encoding()
    cells = header_cells(first, encoding)
    for known in tables.FORMATS:
        if cells == known.header:
            names = Chat(names=_names_beside(file)) if known.name.startswith("PyWxDump") else Chat()
            table = Table(cells, encoding, is_row=partial(_has_time, known.time_column))
            body = _after_header(file)
            return _lines(file, known.name, partial(csv_rows, table=table), known.parse, context_for(file, names), body)
    return None


def _has_time(column: str, cells: dict[str, str]) -> bool:
    return tables.is_time(cells[column])


def _after_header(file: OpenFile) -> Position:
    lines = file.lines(START)
    line = lines.take()
    return line.end if line else START


def _lines(
    file: OpenFile,
    name: str,
    split: Callable[[Lines], Iterator[Row]],
    parse: Parser,
    context: Context,
    body: Position = START,
) -> Reading:
    return LineReading(name, file, split, lambda rows: parse(rows, context), body)


def _text(file: OpenFile, head: bytes, context_for: MakeContext) -> Reading | None:
    encoding = file.encoding()
    text = head.decode(encoding, "replace")
    first = next((line.rstrip("\r") for line in text.split("\n") if line.strip()), "")
    context = context_for(file, Chat())
    for heading, name, parse in (
        (texts.WEFLOW_HEADING, "WeFlow text", texts.parse_weflow),
        (texts.V2_HEADING, "WeChatMsg v2 text", texts.parse_v2),
    ):
        if heading.fullmatch(first):
            return _lines(file, name, partial(block_rows, heading=heading, encoding=encoding), parse, context)
    if texts.CHATLOG_HEADING.fullmatch(first):
        rows = partial(texts.chatlog_rows, file, context)
        return DocumentReading("chatlog text", file, rows, lambda found: texts.parse_chatlog(found, context))
    return None


def _json(file: OpenFile, head: bytes, context_for: MakeContext) -> Reading:
    name = _line_format(head)
    if name is not None:
        split = partial(json_rows, encoding=file.encoding())
        chat = _chatlab_header(file) if name == documents.CHATLAB_LINES else Chat()
        return _lines(file, name, split, documents.LINE_PARSERS[name], context_for(file, chat))
    document = file.json()
    known = documents.document_format(document)
    if known is None:
        raise UnreadableError(EXPECTED)
    context = context_for(file, _chat(known, document, file))
    items = document[known.within] if known.within else document
    rows = partial(item_rows, items, known.within or "item")
    return DocumentReading(known.name, file, rows, lambda found: known.parse(found, context))


def _chat(known: documents.JsonFormat, document: Any, file: OpenFile) -> Chat:
    return Chat(names=_names_beside(file)) if known is documents.PYWXDUMP else known.chat(document)


def _line_format(head: bytes) -> str | None:
    """Return the JSON Lines format of which one of the first whole lines is an item."""
    lines = [] if head.lstrip().startswith(b"[") else head.split(b"\n")
    for line in lines[:_LINES_TRIED]:
        if re.match(rb"\s*\{.*\}\s*$", line):
            try:
                found = documents.line_format(json.loads(line.decode("utf-8", "replace")))
            except (ValueError, RecursionError):
                continue
            if found:
                return found
    return None


def _chatlab_header(file: OpenFile) -> Chat:
    """Return the chat that the lines before the first message describe."""
    header: dict[str, Any] = {}
    members: list[Any] = []
    for row in json_rows(file.lines(START), file.encoding()):
        kind = None if row.value is None else row.value.get("_type")
        if kind == "message" or len(members) > _MEMBERS_READ:
            break
        if kind == "header":
            header = row.value
        elif kind == "member":
            members.append(row.value)
    return documents.chatlab_chat({"meta": header.get("meta"), "members": members})


def _names_beside(file: OpenFile) -> dict[str, str]:
    """Return the names by id of the `users.json` that PyWxDump writes beside its exports."""
    for path in sorted(file.path.parent.glob("*users.json")):
        try:
            if path.is_symlink() or path.stat().st_size > _NAMES_BYTES:
                continue
            users = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(users, dict):
            return {key: _user_name(user) for key, user in users.items() if isinstance(user, dict)}
    return {}


def _user_name(user: dict[str, Any]) -> str:
    return next((user[key] for key in ("remark", "nickname") if isinstance(user.get(key), str) and user[key]), "")
