"""Where everything stands in a YAML text, and single changes made there that leave all else as it is."""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from listener.config.document import CoreLoader, Loc, read_scalar
from listener.config.writing import after_sign, block, one_line, scalar

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_TO_LINE_END = re.compile("[^\r\n\x85\u2028\u2029]*")
_COMMENT = re.compile(r"( +)(#.*)?")


@dataclass(slots=True, eq=False)
class Node:
    """A value; `start` counts its anchor and tag in, `end` is where its own last character ends."""

    kind: str
    start: int
    end: int
    flow: bool = False
    quote: str = ""
    value: Any = None
    anchor: str = ""
    target: "Node | None" = None
    entries: list["Entry"] = field(default_factory=list)
    entry: "Entry | None" = None
    limit: int = 0
    """Where what belongs to it ends: with `|+` the empty lines after it do."""
    head: int = 0
    """Where its anchor and tag end."""

    @property
    def is_block(self) -> bool:
        """True for a mapping or list written on lines of its own."""
        return self.kind in ("mapping", "sequence") and not self.flow


@dataclass(slots=True, eq=False)
class Entry:
    """A key with its value, or an item of a list. `sign` is where its colon or dash ends, if it has one."""

    holder: Node
    start: int
    key: Any
    key_node: Node | None
    sign: int | None
    node: Node
    comma: int | None = None
    """Where the comma after it ends."""

    @property
    def end(self) -> int:
        """Where its last character ends."""
        known = [self.sign, self.key_node.end if self.key_node else None]
        return max(self.node.end if self.node.kind != "empty" else 0, *(at for at in known if at is not None), 0)

    @property
    def limit(self) -> int:
        """Where what belongs to it ends."""
        return max(self.end, self.node.limit if self.node.kind != "empty" else 0)


class Outline:
    """The places of all values of one text, without a byte-order mark, that holds one document."""

    def __init__(self, text: str) -> None:
        self.text = text
        tokens = list(yaml.scan(text, Loader=CoreLoader))
        self._colons = _marks(tokens, yaml.ValueToken)
        self._dashes = _marks(tokens, yaml.BlockEntryToken)
        self._commas = _marks(tokens, yaml.FlowEntryToken)
        self._properties = _marks(tokens, yaml.AnchorToken, yaml.TagToken)
        self._token_ends = sorted({token.end_mark.index for token in tokens if token.end_mark.index > 0})
        self._anchors: dict[str, Node] = {}
        self.aliases: list[Node] = []
        events: Iterator[Any] = yaml.parse(text, Loader=CoreLoader)
        self.root = Node("empty", 0, 0)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.root = self._node(events)

    def _node(self, events: Iterator[Any]) -> Node:
        event = next(events)
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.AliasEvent):
            name = str(event.anchor)
            node = Node("alias", start, end, anchor=name, target=self._anchors[name])
            node.limit, node.head = end, start
            self.aliases.append(node)
            return node
        head = self._head(event)
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, start, end)
        else:
            node = Node("mapping", start, end, flow=bool(event.flow_style))
            node.kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
        node.head = head
        if event.anchor is not None:
            node.anchor = event.anchor
            self._anchors[event.anchor] = node
        if node.kind in ("mapping", "sequence"):
            self._fill(node, events)
        return node

    def _scalar(self, event: Any, start: int, end: int) -> Node:
        quoted = event.style in ("'", '"', "|", ">")
        node = Node("scalar" if end > start else "empty", start, end, value=event.value)
        node.value = event.value if quoted else read_scalar(event.value)
        node.quote = event.style if event.style in ("'", '"') else ""
        node.limit = end
        if event.style in ("|", ">"):
            written = self.text[start:end].rstrip()
            node.end = node.limit = start + len(written)
            header = _TO_LINE_END.match(written, written.index(event.style))
            if header is not None and "+" in header[0].partition("#")[0]:
                node.limit = max(end, re.compile(r"\s*").match(self.text, node.end).end())  # type: ignore[union-attr]
                node.limit = line_start(self.text, node.limit) if node.limit < len(self.text) else node.limit
        return node

    def _head(self, event: Any) -> int:
        at: int = event.start_mark.index
        count = (event.anchor is not None) + (event.tag is not None)
        first = bisect.bisect_left(self._properties, (at, 0))
        return self._properties[first + count - 1][1] if count else at

    def _fill(self, node: Node, events: Iterator[Any]) -> None:
        at = node.head + (1 if node.flow else 0)
        while not isinstance(event := next(events), yaml.MappingEndEvent | yaml.SequenceEndEvent):
            again = _Again(event, events)
            entry = self._pair(node, again) if node.kind == "mapping" else self._item(node, again, at)
            entry.node.entry = entry
            node.entries.append(entry)
            at = entry.end
        closing: Any = event.end_mark
        node.end = closing.index if node.flow else at
        node.limit = node.end if node.flow or not node.entries else node.entries[-1].limit
        if node.flow:
            for index, entry in enumerate(node.entries):
                following = node.entries[index + 1].start if index + 1 < len(node.entries) else node.end
                entry.comma = _first(self._commas, entry.end, following)

    def _pair(self, node: Node, events: Iterator[Any]) -> Entry:
        key = self._node(events)
        value = self._node(events)
        sign = _first(self._colons, key.end, value.start)
        meant = key.target.value if key.target is not None else key.value
        return Entry(node, key.start, meant, key, sign, value)

    def _item(self, node: Node, events: Iterator[Any], at: int) -> Entry:
        value = self._node(events)
        index = len(node.entries)
        if node.flow:
            return Entry(node, value.start, index, None, None, value)
        dash = self._dashes[bisect.bisect_left(self._dashes, (at, 0))]
        return Entry(node, dash[0], index, None, dash[1], value)

    def at(self, loc: Loc) -> Node:
        """Return the value at a path that exists and leads through no alias."""
        node = self.root
        for part in loc:
            node = self.entry_of(node, part).node
        return node

    @staticmethod
    def entry_of(node: Node, key: str | int) -> Entry:
        """Return the entry of a mapping or list."""
        return next(entry for entry in node.entries if entry.key == key and type(entry.key) is type(key))

    def sharing(self, loc: Loc, *, removes: bool) -> tuple[str, int] | None:
        """Return name and line of an alias whose value a change at `loc` would change, or that it would orphan."""
        node = self.root
        touched = [node]
        for part in loc:
            node = self.entry_of(node, part).node
            touched.append(node)
        if removes:
            touched += _below(node)
        inside = {id(one) for one in _below(node)} if removes else set()
        for alias in self.aliases:
            if id(alias) not in inside and any(alias.target is one for one in touched):
                return alias.anchor, len(_BREAK.findall(self.text, 0, alias.start)) + 1
        return None

    @property
    def step(self) -> int:
        """Columns by which the file indents."""
        for entry in self.root.entries:
            if entry.node.kind == "mapping" and entry.node.is_block:
                found = column(self.text, entry.node.entries[0].start) - column(self.text, entry.start)
                return found if found > 0 else 2
        return 2

    @property
    def newline(self) -> str:
        """The file's line break."""
        found = _BREAK.search(self.text)
        return found[0] if found and found[0] in ("\r\n", "\n", "\r") else "\n"

    def splice(self, start: int, end: int, new: str) -> str:
        """Return the text with `new` between `start` and `end`; a comment behind it keeps its column if it can."""
        before, after = self.text[:start], self.text[end:]
        last = line_end(self.text, end)
        index = bisect.bisect_right(self._token_ends, last) - 1
        comment_at = max(self._token_ends[index] if index >= 0 else 0, end)
        match = _COMMENT.match(self.text, comment_at, last)
        if match is None or match[2] is None or len(match[1]) < 2 or line_start(self.text, end) > start:
            return before + new + after
        spaces = max(2, len(match[1]) - (len(new) - (end - start)))
        return before + new + self.text[end:comment_at] + " " * spaces + self.text[match.start(2) :]


def outline_of(text: str) -> Outline:
    """Return where everything stands in a text that was read before."""
    return Outline(text)


def spliced(outline: Outline, loc: Loc, value: Any) -> str:
    """Return the text with another value at a path that exists."""
    node = outline.at(loc)
    entry = node.entry
    if entry is not None and entry.sign is not None and not entry.holder.flow:
        indent = column(outline.text, entry.start)
        used = column(outline.text, entry.sign)
        lines = after_sign(value, indent, outline.step, used, ":" if entry.key_node else "-")
        if len(lines) > 1:
            return _with_lines(outline, entry, lines)
    flow = entry is not None and entry.holder.flow
    new = one_line(value) if isinstance(value, dict | list) else scalar(value, flow=flow, quote=node.quote)
    if node.kind == "empty" and entry is not None:
        if entry.sign is None:
            return outline.splice(entry.end, entry.end, f": {new}")
        return outline.splice(entry.sign, entry.sign, f" {new}")
    if not node.is_block:
        return outline.splice(node.start, node.end, new)
    return _flattened(outline, node, f" {new}" if entry is not None else new)


def _flattened(outline: Outline, node: Node, new: str) -> str:
    """Return the text with a block mapping or list replaced by what stands on its key's line."""
    text, entry = outline.text, node.entry
    first = node.entries[0].start
    if entry is None or entry.sign is None or not _BREAK.search(text, entry.sign, first):
        return text[: node.start] + new.lstrip(" ") + text[node.end :]
    kept = outline.splice(entry.sign, entry.sign if _BREAK.search(text, entry.sign, node.start) else node.head, new)
    moved = len(kept) - len(text)
    begin, stop = next_line(text, entry.sign) + moved, next_line(text, node.limit) + moved
    return _without_lines(kept, begin, stop)


def _with_lines(outline: Outline, entry: Entry, lines: list[str]) -> str:
    text, node = outline.text, entry.node
    sign = entry.sign or 0
    if node.kind == "empty":
        cut = text
    elif node.is_block and _BREAK.search(text, sign, node.entries[0].start):
        cut = _flattened(outline, node, "")
    elif _BREAK.search(text, sign, node.start):
        cut = _without_lines(text, line_start(text, node.start), next_line(text, node.limit))
    else:
        cut = outline.splice(sign, node.end, "")
    cut = cut[:sign] + lines[0] + cut[sign:]
    return _inserted_after(cut, sign, lines[1:], outline.newline)


def with_key(outline: Outline, loc: Loc, key: str | int, value: Any, after: int = -1) -> str:
    """Return the text with a further key in a mapping, behind the entry at index `after`."""
    text, newline = outline.text, outline.newline
    node = outline.at(loc)
    if not loc and node.kind == "empty":
        end = "" if not text or _BREAK.search(text, len(text) - 1) else newline
        return text + end + newline.join(block({key: value}, 0, outline.step)) + newline
    if node.flow:
        return _with_flow(outline, node, after, f"{scalar(key, flow=True)}: {one_line(value)}")
    entry = node.entries[after]
    lines = block({key: value}, column(text, node.entries[0].start), outline.step)
    return _inserted_after(text, entry.limit, lines, newline)


def with_item(outline: Outline, loc: Loc, index: int, value: Any) -> str:
    """Return the text with a further item at `index` of a list that is not empty."""
    node = outline.at(loc)
    text, newline = outline.text, outline.newline
    if node.flow:
        if index:
            return _with_flow(outline, node, index - 1, one_line(value))
        start = node.entries[0].start
        return outline.splice(start, start, one_line(value) + ", ")
    indent = column(text, node.entries[0].start)
    lines = block([value], indent, outline.step)
    if index:
        return _inserted_after(text, node.entries[index - 1].limit, lines, newline)
    start = node.entries[0].start
    return text[:start] + newline.join(lines).lstrip(" ") + newline + " " * indent + text[start:]


def _with_flow(outline: Outline, node: Node, after: int, new: str) -> str:
    text, entry = outline.text, node.entries[after]
    end = line_end(text, entry.comma or entry.end)
    following = node.entries[after + 1].start if -1 < after < len(node.entries) - 1 else node.end - 1
    if not _starts_line(text, entry.start) or entry.start < next_line(text, node.start) or following < end:
        return outline.splice(entry.end, entry.end, f", {new}")
    line = outline.newline + " " * column(text, entry.start) + new
    if entry.comma is not None:
        return text[:end] + line + "," + text[end:]
    return text[: entry.end] + "," + text[entry.end : end] + line + text[end:]


def without_entry(outline: Outline, loc: Loc) -> str:
    """Return the text without a key or item."""
    holder = outline.at(loc[:-1])
    entry = outline.entry_of(holder, loc[-1])
    if len(holder.entries) == 1:
        return spliced(outline, loc[:-1], {} if holder.kind == "mapping" else [])
    index = holder.entries.index(entry)
    following = holder.entries[index + 1] if index + 1 < len(holder.entries) else None
    if holder.flow:
        return _without_flow(outline, holder, index, following)
    text = outline.text
    if _starts_line(text, entry.start):
        return _without_lines(text, line_start(text, entry.start), next_line(text, entry.limit))
    end = line_end(text, entry.end)
    if following is not None and not text[end : following.start].strip():
        return text[: entry.start] + text[following.start :]
    return text[: entry.start].rstrip(" ") + text[end:]


def _without_flow(outline: Outline, holder: Node, index: int, following: Entry | None) -> str:
    text, entry = outline.text, holder.entries[index]
    end = entry.comma or entry.end
    rest = text[end : line_end(text, end)].strip()
    if _starts_line(text, entry.start) and (not rest or rest.startswith("#")):
        return _without_lines(text, line_start(text, entry.start), next_line(text, end))
    if following is not None:
        stop = following.start if not _BREAK.search(text, end, following.start) else end
        return outline.splice(entry.start, stop, "")
    before = holder.entries[index - 1].end
    if _BREAK.search(text, before, entry.start):
        return outline.splice(entry.start, end, "")
    return outline.splice(before, entry.end, "")


def _inserted_after(text: str, at: int, lines: list[str], newline: str) -> str:
    """Return the text with lines after the one that `at` is on."""
    if at and _starts_line(text, at) and at == line_start(text, at) and _BREAK.match(text, at - 1):
        return text[:at] + "".join(line + newline for line in lines) + text[at:]
    end = line_end(text, at)
    return text[:end] + "".join(newline + line for line in lines) + text[end:]


def _without_lines(text: str, start: int, end: int) -> str:
    if end == len(text) and end > start and not _BREAK.match(text, end - 1):  # a last line without its break
        found = [match.start() for match in _BREAK.finditer(text, max(0, start - 2), start)]
        start = found[-1] if found else start
    return text[:start] + text[end:]


def line_start(text: str, at: int) -> int:
    """Return where the line begins that `at` is on."""
    return max((match.end() for match in _BREAK.finditer(text, 0, at)), default=0) if at else 0


def line_end(text: str, at: int) -> int:
    """Return where the line ends, before its break."""
    match = _TO_LINE_END.match(text, at)
    return match.end() if match else at


def next_line(text: str, at: int) -> int:
    """Return where the next line begins."""
    match = _BREAK.match(text, line_end(text, at))
    return match.end() if match else len(text)


def column(text: str, at: int) -> int:
    """Return the column of a place, from 0."""
    return at - line_start(text, at)


def _starts_line(text: str, at: int) -> bool:
    return not text[line_start(text, at) : at].strip()


def _marks(tokens: list[Any], *kinds: type[Any]) -> list[tuple[int, int]]:
    return [(token.start_mark.index, token.end_mark.index) for token in tokens if isinstance(token, kinds)]


def _first(marks: list[tuple[int, int]], start: int, end: int) -> int | None:
    """Return where the first mark ends that stands at or after `start` and not after `end`."""
    index = bisect.bisect_left(marks, (start, 0))
    return marks[index][1] if index < len(marks) and marks[index][0] <= end else None


def _below(node: Node) -> list[Node]:
    found = [node]
    for entry in node.entries:
        found += [entry.key_node] if entry.key_node is not None else []
        found += _below(entry.node)
    return found


class _Again:
    """Events with one put back."""

    def __init__(self, first: Any, events: Iterator[Any]) -> None:
        self._first = [first]
        self._events = events

    def __iter__(self) -> "_Again":
        return self

    def __next__(self) -> Any:
        return self._first.pop() if self._first else next(self._events)
