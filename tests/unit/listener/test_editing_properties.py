"""Edits of YAML written in every manner: the text reads as wanted afterwards, and all other lines stay."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.config.document import parse_yaml
from listener.config.editing import REMOVE, Edit, edited

KEYS = st.sampled_from(["a", "b", "FR", "NO", "on", "x y", "clé", "é: è", "#k", "mon-fri", "0.5", "null", 7, -1])
WORDS = st.sampled_from(
    [
        *(
            "",
            "word",
            "two words",
            "no",
            "08:00-12:00",
            "a: b",
            "a #b",
            "#c",
            "云帆",
            "${env:TOKEN}",
            "it's",
            'say "hi"',
        ),
        *("[x", "x, y", "{y}", "- z", "? q", "&a", "*a", "!t", "% p", "@m", "`", "end:", " lead", "trail ", "l1\nl2\n"),
        *(
            "null",
            "true",
            "1",
            "1e3",
            ".5",
            "0x1F",
            "~",
            "---",
            "...",
            "2026-12-30",
            "\t",
            "\u2028",
            "\x85",
            "\x07",
            "🙂",
        ),
        *("l1\n\nl2\n", "kept\n\n", "l1\r\nl2"),
    ]
)
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-9, 999), st.floats(0, 1), st.text("ab:#'\"\\ \n\té", max_size=8)
)


def _collections(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.dictionaries(KEYS, inner, max_size=4), st.lists(inner, max_size=4))


VALUES = st.recursive(SCALARS, _collections, max_leaves=12)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


class Writer:
    """Writes data as people do: block or flow, with comments, empty lines and any line break."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.step = draw(st.sampled_from([2, 4]))
        self.newline = draw(st.sampled_from(["\n", "\r\n"]))

    def chance(self, part: int = 3) -> bool:
        return bool(self.draw(st.integers(0, part)) == 0)

    def comment(self) -> str:
        return str(self.draw(st.sampled_from(["", "", "  # why, not {how}", " # c", "\t# tab", "     # 'q'"])))

    def between(self, indent: int) -> list[str]:
        kinds = [[], [], [], [""], [" " * indent + "# note: on what follows"], ["# at the margin"]]
        return list(self.draw(st.sampled_from(kinds)))

    def scalar(self, value: Any, flow: bool) -> str:
        from listener.config.writing import scalar

        return scalar(value, flow=flow, quote=self.draw(st.sampled_from(["", "", "'"])))

    def flow(self, value: Any, indent: int) -> str:
        if not isinstance(value, dict | list):
            return self.scalar(value, True)
        items = [
            f"{self.scalar(key, True)}: {self.flow(item, indent)}" for key, item in value.items()
        ] if isinstance(value, dict) else [self.flow(item, indent) for item in value]  # fmt: skip
        start, end = "{}" if isinstance(value, dict) else "[]"
        if not items:
            return start + end
        comma = "," if self.chance() else ""
        if self.chance():
            pad = self.newline + " " * (indent + self.step)
            lines = [item + "," + self.comment() for item in items[:-1]] + [items[-1] + comma + self.comment()]
            return start + pad + pad.join(lines) + self.newline + " " * (indent + 1) + end
        space = self.draw(st.sampled_from(["", " "]))
        return start + space + ", ".join(items) + comma + space + end

    def after(self, value: Any, indent: int, dash: bool) -> list[str]:
        if isinstance(value, dict | list) and value and not self.chance():
            below = indent if not dash and isinstance(value, list) and self.chance() else indent + self.step
            lines = self.block(value, below)
            if dash and self.chance(1):
                lines = self.block(value, indent + 2, between=False)
                return [" " + lines[0].lstrip(" "), *lines[1:]]
            return [self.comment().replace("\t", " "), *lines]
        if value is None and self.chance(1):
            return [self.comment().replace("\t", " ")]
        if isinstance(value, str) and value.isascii() and "\t" not in value and "\x07" not in value:
            literal = self.literal(value, indent)
            if literal and self.chance(1):
                return literal
        text = self.flow(value, indent)
        if self.chance(8) and not isinstance(value, dict | list):
            return [self.comment().replace("\t", " "), " " * (indent + self.step) + text + self.comment()]
        return [" " + text + self.comment()]

    def literal(self, value: str, indent: int) -> list[str]:
        if not value.endswith("\n") or value.startswith((" ", "\n")) or not value.strip():
            return []
        keep = value.endswith("\n\n")
        pad = " " * (indent + self.step)
        lines = [pad + line if line else "" for line in value[:-1].split("\n")]
        return [" |" + ("+" if keep else ""), *lines]

    def block(self, value: Any, indent: int, between: bool = True) -> list[str]:
        lines: list[str] = []
        pad = " " * indent
        pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
        for key, item in pairs:
            if lines or between:
                lines += self.between(indent) if not lines or not _keeps(lines) else []
            head = pad + (f"{self.scalar(key, False)}:" if isinstance(value, dict) else "-")
            first, *others = self.after(item, indent, not isinstance(value, dict))
            lines += [head + first, *others]
        return lines


def _keeps(lines: list[str]) -> bool:
    """True where an empty line or comment behind would belong to a text kept to its last line."""
    return any(line.endswith("|+") for line in lines)


@st.composite
def documents(draw: Any) -> tuple[str, Any]:
    data = draw(MAPPINGS)
    writer = Writer(draw)
    text = writer.newline.join([*writer.between(0), *writer.block(data, 0), *writer.between(0)]) + writer.newline
    if writer.chance():
        text = text.removesuffix(writer.newline)
    return draw(st.sampled_from(["", "", "\ufeff"])) + text, read(text)  # at the file's end a last break may be lost


def paths(data: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path for key, item in pairs for path in [(*above, key), *paths(item, (*above, key))]]


def leaves(data: Any) -> list[Any]:
    return [(path, value) for path in paths(data) if not isinstance(value := _value(data, path), dict | list)]


def wanted(data: Any, edit: Edit) -> Any:
    data = copy.deepcopy(data)
    parent = data
    for part in edit.path[:-1]:
        parent = parent[part]
    last = edit.path[-1]
    if edit.value is REMOVE:
        del parent[last]
    elif isinstance(parent, list) and last == len(parent):
        parent.append(edit.value)
    else:
        parent[last] = edit.value
    return data


@st.composite
def edits(draw: Any, data: Any) -> Edit:
    path = draw(st.sampled_from(paths(data)))
    here = data
    for part in path:
        here = here[part]
    kind = draw(st.sampled_from(["replace", "remove", "add"]))
    if kind == "remove":
        return Edit(path, REMOVE)
    if kind == "add" and isinstance(here, dict):
        return Edit((*path, draw(KEYS)), draw(VALUES))
    if kind == "add" and isinstance(here, list):
        return Edit((*path, len(here)), draw(VALUES))
    if kind == "add" and here is None:
        return Edit(path, {"new": draw(SCALARS)})
    return Edit(path, draw(VALUES))


def read(text: str) -> Any:
    return parse_yaml(text.removeprefix("\ufeff"), "config.yaml").data


def untouched(before: str, after: str, edit: Edit, data: Any) -> None:
    """Every line but those of what is edited, or of the mapping or list it is added to, stands as before."""
    old, new = before.lstrip("\ufeff").splitlines(), after.lstrip("\ufeff").splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    if old == new:
        return
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    positions = parse_yaml(before.removeprefix("\ufeff"), "config.yaml").positions
    where = edit.path
    if isinstance(where[-1], int) or where not in positions or edit.value is REMOVE:
        where = where[:-1]
    while where and isinstance(where[-1], int):
        where = where[:-1]
    top = positions[where][0] if where else 1
    others = [
        line + bool(old[line - 1][: column - 1].strip(" -"))  # it begins behind the end of what is edited
        for path, (line, column) in positions.items()
        if path[: len(where)] != where and line > top
    ]
    assert start >= top - 1
    assert end >= len(old) - (min(others) - 1 if others else len(old))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_edited_text_reads_as_wanted_and_keeps_its_other_lines(data: st.DataObject) -> None:
    text, content = data.draw(documents())
    edit = data.draw(edits(content))
    after = edited(text, [edit])
    found, expected = read(after), wanted(content, edit)
    if not expected:
        expected = {}
    assert found == expected
    assert sorted(map(repr, leaves(found))) == sorted(map(repr, leaves(expected)))  # 1 is not true
    assert after.count("\r\n") == after.count("\n") or "\r\n" not in text
    untouched(text, after, edit, content)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_many_edits_one_after_the_other_read_as_wanted(data: st.DataObject) -> None:
    text, content = data.draw(documents())
    made = []
    for _ in range(data.draw(st.integers(1, 5))):
        if not paths(content):
            break
        edit = data.draw(edits(content))
        made.append(edit)
        content = wanted(content, edit)
    assert read(edited(text, made)) == content


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_setting_what_stands_there_changes_no_character(document: tuple[str, Any]) -> None:
    text, content = document
    assert edited(text, [Edit(path, _value(content, path)) for path in paths(content)]) == text


def _value(data: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        data = data[part]
    return data
