"""A YAML file as plain data, with the line and column of every key and item for the messages about it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from listener.errors import ConfigError, Problem

Loc = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """One YAML file: `data` in plain dicts and lists, `positions` from path to (line, column), both from 1."""

    file: str
    data: Any
    positions: dict[Loc, tuple[int, int]] = field(default_factory=dict)

    def position(self, loc: Iterable[str | int]) -> tuple[int, int]:
        """Return line and column of the deepest part of `loc` that the file has."""
        path = tuple(loc)
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (1, 1))

    def problem(self, loc: Iterable[str | int], text: str) -> Problem:
        """Return a problem that names the place `loc` stands at."""
        path = tuple(loc)
        line, column = self.position(path)
        return Problem(self.file, line, column, dotted(path), text)


def dotted(loc: Iterable[str | int]) -> str:
    """Write a path as people read it: `countries.FR.sources[0]`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_yaml(path: Path, *, name: str | None = None) -> Document:
    """Read a YAML 1.2 file.

    Raises:
        ConfigError: the file is missing, not UTF-8, not YAML, or has a key twice.
    """
    file = name or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([Problem(file, 1, 1, "", "there is no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(file, 1, 1, "", f"cannot be read as UTF-8 text: {error}")]) from error
    return parse_yaml(text, file)


def parse_yaml(text: str, file: str) -> Document:
    """Parse YAML 1.2 text; `file` is the name for messages.

    Raises:
        ConfigError: not YAML, or a key stands twice.
    """
    reader = YAML(typ="rt", pure=True)
    reader.version = (1, 2)
    try:
        tree = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = (error.problem or "not valid YAML").split("\n", 1)[0]
        raise ConfigError([Problem(file, line, column, "", f"not valid YAML: {what}")]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise ConfigError([Problem(file, 1, 1, "", f"not valid YAML: {error}")]) from None
    document = Document(file, None)
    document.data = _plain(tree, (), document.positions, set())
    return document


def _plain(node: Any, loc: Loc, positions: dict[Loc, tuple[int, int]], open_nodes: set[int]) -> Any:
    if isinstance(node, CommentedMap | CommentedSeq):
        if id(node) in open_nodes:  # an alias to its own parent would never end
            raise ConfigError([Problem("", 1, 1, dotted(loc), "an alias that contains itself is not allowed")])
        open_nodes = open_nodes | {id(node)}
    if isinstance(node, CommentedMap):
        positions.setdefault(loc, (node.lc.line + 1, node.lc.col + 1))
        result: dict[Any, Any] = {}
        for key, value in node.items():
            child = (*loc, key if isinstance(key, int) else str(key))
            if node.lc.data and key in node.lc.data:
                line, column = node.lc.key(key)
                positions[child] = (line + 1, column + 1)
            result[key if isinstance(key, int) else str(key)] = _plain(value, child, positions, open_nodes)
        return result
    if isinstance(node, CommentedSeq):
        positions.setdefault(loc, (node.lc.line + 1, node.lc.col + 1))
        items = []
        for index, value in enumerate(node):
            line, column = node.lc.item(index)
            positions[(*loc, index)] = (line + 1, column + 1)
            items.append(_plain(value, (*loc, index), positions, open_nodes))
        return items
    if isinstance(node, bool) or node is None:
        return node
    for plain in (int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return str(node)
