"""Values as YAML text: plain where that is safe for every reader, quoted where it is not."""

import json
import math
import re
from typing import Any

import yaml

from listener.config.document import read_scalar

WIDTH = 110
"""Columns that a value on one line may reach."""
_OLDER = yaml.SafeLoader.yaml_implicit_resolvers
_PLAIN = re.compile(r"[\w$/.][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")
_FLOW_SIGNS = re.compile(r"[,\[\]{}:?]")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]")


def writable(value: Any) -> Any:
    """Return a scalar as it is.

    Raises:
        ValueError: YAML text cannot say it.
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("the text holds half a character") from None
        return str(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"{type(value).__name__} cannot be written")


def scalar(value: Any, *, flow: bool, quote: str = "") -> str:
    """Return a scalar as text; `quote` is the mark that stood there before, kept where it can be."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if quote == "'" and _PLAIN.fullmatch("a" + value) and not _UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    if not quote and _is_safe(value, flow):
        return value
    return _UNPRINTABLE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def one_line(value: Any) -> str:
    """Return any value as flow text: `{a: 1, b: [x, y]}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key, flow=True)}: {one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(one_line, value)) + "]"
    return scalar(value, flow=True)


def after_sign(value: Any, indent: int, step: int, used: int, sign: str = ":") -> list[str]:
    """Return the lines of a value that stands after `key:` or `-`, the first of them being the rest of that line.

    Args:
        value: What to write.
        indent: Column of the key or dash.
        step: Columns by which the file indents.
        used: Columns of the first line that are taken.
        sign: What stands before it.
    """
    if not isinstance(value, dict | list) or not value:
        return [" " + (scalar(value, flow=False) if not isinstance(value, dict | list) else one_line(value))]
    flat = one_line(value)
    if _is_leaf(value) and used + 1 + len(flat) <= WIDTH:
        return [" " + flat]
    if sign == ":":
        return ["", *block(value, indent + step, step)]
    first, *others = block(value, indent + 2, step)  # compact: the first key beside the dash
    return [" " + first.lstrip(" "), *others]


def block(value: dict[Any, Any] | list[Any], indent: int, step: int) -> list[str]:
    """Return a mapping or list, not empty, as block lines."""
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, list):
        for item in value:
            first, *others = after_sign(item, indent, step, indent + 1, "-")
            lines += [f"{pad}-{first}", *others]
        return lines
    for key, item in value.items():
        name = f"{pad}{scalar(key, flow=False)}:"
        first, *others = after_sign(item, indent, step, len(name))
        lines += [name + first, *others]
    return lines


def _is_leaf(value: Any) -> bool:
    """True for what reads well on one line: words, lists of words, and mappings to those."""
    if isinstance(value, list):
        return not any(isinstance(item, dict | list) for item in value)
    return all(not isinstance(item, dict) and (not isinstance(item, list) or _is_leaf(item)) for item in value.values())


def _is_safe(value: str, flow: bool) -> bool:
    """True where the text means itself without quotes, to readers of YAML 1.1 as well (`NO`, `on`, `12:30`)."""
    if not _PLAIN.fullmatch(value) or _UNPRINTABLE.search(value) or read_scalar(value) != value:
        return False
    if value != value.strip() or value.endswith(":") or ": " in value or " #" in value or value.startswith(("...",)):
        return False
    if flow and _FLOW_SIGNS.search(value):
        return False
    older = _OLDER.get(value[0], [])
    return not any(pattern.match(value) for _, pattern in older)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
