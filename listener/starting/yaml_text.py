"""Words as YAML: whatever a name holds, it is read back as that name, by readers of YAML 1.1 too."""

import json
import re
from collections.abc import Iterable, Mapping

_PLAIN = re.compile(r"[^\W\d_]([\w ./@-]*\w)?")
_RESERVED = frozenset("null true false yes no on off y n".split())
_NOT_PRINTED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
LINE_CHARS = 116


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, without quotation marks where it needs none."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED and not _NOT_PRINTED.search(text):
        return text
    return _NOT_PRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def quoted(text: str) -> str:
    """Return a text as a YAML scalar in quotation marks."""
    plain = scalar(text)
    return plain if plain.startswith('"') else f'"{plain}"'


def flow_list(items: Iterable[str]) -> str:
    """Return a list in one line."""
    return f"[{', '.join(map(scalar, items))}]"


def flow_mapping(items: Mapping[str, str]) -> str:
    """Return a mapping of words to YAML in one line; its values are YAML already."""
    return "{" + ", ".join(f"{scalar(key)}: {value}" for key, value in items.items()) + "}"


def remark(line: str, text: str, column: int = 44) -> str:
    """Return a line with a comment behind it, at `column` where there is room."""
    return f"{line:<{column}}# {text}" if len(line) < column else f"{line}  # {text}"
