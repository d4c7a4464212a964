"""A YAML 1.2 file as plain data, with the line and column of every key and item for the messages about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

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
    return parse_yaml(read_text(path, file), file)


def read_text(path: Path, file: str) -> str:
    """Return a file's text, its line ends as they are; `file` is the name for messages.

    Raises:
        ConfigError: the file is missing or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            return opened.read()
    except FileNotFoundError:
        raise ConfigError([Problem(file, 1, 1, "", "there is no such file")]) from None
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name that cannot be one
        raise ConfigError([Problem(file, 1, 1, "", f"cannot be read as UTF-8 text: {error}")]) from error


def parse_yaml(text: str, file: str) -> Document:
    """Parse YAML text; `file` is the name for messages.

    Raises:
        ConfigError: not YAML, a key stands twice, or it is nested beyond reason.
    """
    if _nesting(text) > _DEEPEST:
        raise ConfigError([Problem(file, 1, 1, "", f"nested more than {_DEEPEST} deep")])
    try:
        tree = yaml.compose(text, Loader=CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        text = f"not valid YAML: {error.problem}"
        if error.problem == "but found another document":
            text = "a second document begins here (---); a file holds one"
        raise ConfigError([Problem(file, line, column, "", text)]) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(file, 1, 1, "", f"not valid YAML: {str(error).splitlines()[0]}")]) from None
    document = Document(file, None)
    problems: list[Problem] = []
    if tree is not None:
        document.data = _plain(tree, (), document, problems, frozenset())
    if problems:
        raise ConfigError(problems)
    return document


_DEEPEST = 60
_LONGEST_NUMBER = 40


class CoreLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml with the types of YAML 1.2's core schema, so that `NO` stays Norway.

    Read with libyaml because it composes the playbook library 40 times as fast as ruamel.yaml does.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own way of declaring them)


_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


_MOST_VALUES = 200_000


def _plain(node: yaml.Node, loc: Loc, document: Document, problems: list[Problem], above: frozenset[int]) -> Any:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    document.positions.setdefault(loc, (line, column))
    if len(document.positions) > _MOST_VALUES:  # aliases of aliases grow without end
        raise ConfigError([Problem(document.file, line, column, "", f"more than {_MOST_VALUES} values")])
    if id(node) in above:
        problems.append(Problem(document.file, line, column, dotted(loc), "an alias must not contain itself"))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, loc, document, problems, above | {id(node)})
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*loc, index), document, problems, above | {id(node)}) for index, item in enumerate(node.value)
        ]
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _mapping(
    node: yaml.MappingNode, loc: Loc, document: Document, problems: list[Problem], above: frozenset[int]
) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str | int) or isinstance(key, bool):
            problems.append(Problem(document.file, line, column, dotted(loc), "a key must be a word; quote it"))
            continue
        child = (*loc, key)
        if key in result:
            problems.append(Problem(document.file, line, column, dotted(child), f"the key '{key}' stands here twice"))
            continue
        document.positions[child] = (line, column)
        result[key] = _plain(value_node, child, document, problems, above)
    return result


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    return text if node.style in ("'", '"', "|", ">") else read_scalar(text)


def read_scalar(text: str) -> Any:
    """Return what an unquoted word means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) < _LONGEST_NUMBER:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _nesting(text: str) -> int:
    """Return an upper bound of how deep the text nests: libyaml itself would follow it until the stack ends."""
    flow = deepest = 0
    for character in text:
        flow += (character in "[{") - (character in "]}" and flow > 0)
        deepest = max(deepest, flow)
    indents = max((len(line) - len(line.lstrip(" -?")) for line in text.splitlines()), default=0)
    return deepest + indents // 2
