"""A digest's page as a tagged PDF of A4, by Typst. The page's texts go to it as data and are never read as markup."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import regex
from rich.cells import cell_len

from alerts.escaping import one_line
from listener.digest import typesetting
from listener.digest.cleaned import cleaned, definitions, is_right_to_left
from listener.digest.document import (
    Block,
    Cell,
    Document,
    Figure,
    Listing,
    Paragraph,
    Picture,
    Quote,
    Quotes,
    Section,
    Table,
)
from listener.digest.html import PAGES, direction
from listener.errors import DigestError

_TIMEOUT_S = 60
_SYSTEM_FONTS = True
_PASSED_ON = regex.compile(r"PATH|HOME|LANG|LC_.*|TMPDIR|TEMP|TMP|SYSTEMROOT|LD_LIBRARY_PATH|FONTCONFIG_.*|XDG_.*")
_FAMILIES = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans Arabic",
    "Noto Naskh Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Noto Color Emoji",
    "DejaVu Sans",
)
_HAN = {"default": "Noto Sans CJK SC", "ja": "Noto Sans CJK JP", "ko": "Noto Sans CJK KR", "hant": "Noto Sans CJK TC"}
_TRADITIONAL = ("hant", "tw", "hk", "mo")
_UNBROKEN = regex.compile(r"[^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\u200b]{25,}")
_BREAK_EVERY = 12
_LETTERS_IN_LINE = 108
_WIDEST, _WIDEST_OF_MANY = 36, 18
_BOLD = 1.2
_NOTE_SIZE = 0.88


def pdf(document: Document) -> bytes:
    """Return the page as PDF; the same page gives the same bytes.

    It is PDF/UA where the fonts that are installed have a sign for every letter, and tagged in any case.

    Raises:
        DigestError: the page cannot be typeset.
    """
    shown = cleaned(document)
    with TemporaryDirectory(prefix="digest-") as name:
        folder = Path(name)
        files = _pictures(shown.pictures, folder)
        (folder / "data.json").write_text(json.dumps(_breakable(_data(shown, files))), encoding="utf-8")
        (folder / "digest.typ").write_bytes((PAGES / "digest.typ").read_bytes())
        return _typeset(folder)


def _typeset(folder: Path) -> bytes:
    command = [sys.executable, "-P", typesetting.__file__, str(folder)]
    environment = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    try:
        ended = subprocess.run(  # noqa: S603 - our own file, and no text of others in the command
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise DigestError(f"the PDF could not be made within {_TIMEOUT_S} s") from None
    if ended.returncode == 0:
        return (folder / "digest.pdf").read_bytes()
    said = folder / "problem.txt"
    problem = said.read_text(encoding="utf-8") if said.exists() else ended.stderr.decode(errors="replace")[-500:]
    raise DigestError(f"the PDF could not be made: {one_line(problem)[:500]}")


def _families() -> dict[str, list[str]]:
    """Return the families to try, by whose shapes of Chinese characters come first."""
    return {name: list(dict.fromkeys((_FAMILIES[0], han, *_FAMILIES[1:]))) for name, han in _HAN.items()}


def _pictures(pictures: Mapping[str, Picture], folder: Path) -> dict[str, dict[str, Any]]:
    files = {}
    for number, (key, picture) in enumerate(pictures.items()):
        name = f"{number}.png"
        (folder / name).write_bytes(picture.png)
        files[key] = {"file": name, "width": picture.width, "height": picture.height}
    return files


def _data(shown: Document, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what the template draws; the chart of causes stands on the first page and not again."""
    first = _first_chart(shown, files)
    sections = [
        {"key": section.key, "title": section.title, "blocks": list(_blocks(section, first))}
        for section in shown.sections
    ]
    return {
        "title": shown.title,
        "subtitle": shown.subtitle,
        "lang": _language(shown.language),
        "rtl": direction(shown.language) == "rtl",
        "system_fonts": _SYSTEM_FONTS,
        "fonts": _families() | {"default": _families()[_shapes(shown.language)]},
        "summary": shown.summary,
        "tiles": asdict(shown.tiles),
        "first": asdict(first) if first else None,
        "sections": sections,
        "terms": [asdict(term) for term in definitions(shown)],
        "footer": shown.footer,
        "pictures": files,
    }


def _first_chart(shown: Document, files: Mapping[str, object]) -> Figure | None:
    figures = [
        (section.key != "causes", block)
        for section in shown.sections
        for block in section.blocks
        if isinstance(block, Figure) and block.picture in files
    ]
    return min(figures, key=lambda pair: pair[0])[1] if figures else None


def _blocks(section: Section, first: Figure | None) -> Iterator[dict[str, Any]]:
    blocks = [block for block in section.blocks if block is not first]
    for block, following in zip_longest(blocks, blocks[1:]):
        leads = isinstance(block, Paragraph) and isinstance(following, Table | Figure | Quotes | Listing)
        yield {"kind": type(block).__name__, "sticky": leads, **_block(block)}


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            # Notes stand beside what they explain where there is room, and under it in wide tables.
            letters = sum(_lengths(block, inline=True)) + 3 * len(block.columns)
            inline = letters <= _LETTERS_IN_LINE
            return asdict(block) | {"widths": _widths(block, inline), "inline": inline, "letters": letters}
        case Quotes():
            return {"quotes": [_quote(quote) for quote in block.quotes]}
    return asdict(block)


def _quote(quote: Quote) -> dict[str, Any]:
    more = {
        "lang": _language(quote.language),
        "font": _shapes(quote.language),
        "rtl": is_right_to_left(quote.text),
    }
    return asdict(quote) | more


def _widths(table: Table, inline: bool) -> list[float]:
    """Return how wide each column is beside the others, by its longest text; a very long one may fold."""
    lengths = _lengths(table, inline)
    widest = _WIDEST if sum(lengths) <= _LETTERS_IN_LINE else _WIDEST_OF_MANY
    heads = [_longest_word(column.title) for column in table.columns]
    return [round(max(head, min(max(length, 5), widest)), 1) for head, length in zip(heads, lengths, strict=True)]


def _lengths(table: Table, inline: bool) -> list[float]:
    """Return how many letters the longest line of each column has, with notes beside the texts or under them."""
    return [
        max([_folded(column.title), *(_length(row[at], inline) for row in table.rows)])
        for at, column in enumerate(table.columns)
    ]


def _folded(title: str) -> float:
    """Return how wide a head is that may stand on two lines."""
    return max(_BOLD * cell_len(title) / 2, _longest_word(title))


def _longest_word(title: str) -> float:
    return _BOLD * max(map(cell_len, title.split()), default=0)


def _length(cell: Cell, inline: bool) -> float:
    text = cell_len(cell.text) + 2.5 * (cell.tone in ("good", "bad"))
    note = _NOTE_SIZE * cell_len(cell.note)
    return text + note + 2 * bool(note) if inline else max(text, note)


def _language(tag: str) -> dict[str, str | None]:
    """Return a language as Typst takes it: two or three letters and a region of two."""
    language, *rest = tag.lower().split("-")
    region = next((part for part in rest if len(part) == 2), None)
    return {"lang": language or "und", "region": region}


def _shapes(tag: str) -> str:
    """Return whose shapes of Chinese characters a language is written with."""
    language, *rest = tag.lower().split("-")
    if language == "zh":
        return "hant" if set(rest) & set(_TRADITIONAL) else "default"
    return language if language in _HAN else "default"


def _breakable(data: Any) -> Any:
    """Return the data with a place to break a line within long words, such as addresses."""
    if isinstance(data, str):
        return _UNBROKEN.sub(_with_breaks, data)
    if isinstance(data, dict):
        return {key: value if key in ("url", "file", "alt") else _breakable(value) for key, value in data.items()}
    return [_breakable(value) for value in data] if isinstance(data, list | tuple) else data


def _with_breaks(found: regex.Match[str]) -> str:
    letters = regex.findall(r"\X", found[0])
    return "\u200b".join("".join(letters[at : at + _BREAK_EVERY]) for at in range(0, len(letters), _BREAK_EVERY))
