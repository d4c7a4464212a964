"""A digest's page as GitHub's Markdown, its charts as their words.

What others wrote cannot become markup, nor call anybody by name.
"""

from collections.abc import Iterator

import regex

from listener.digest.cleaned import cleaned, definitions
from listener.digest.document import (
    Block,
    Cell,
    Document,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Quote,
    Quotes,
    Section,
    Table,
    Tile,
    Tiles,
)

_MARKUP = regex.compile(r"[\\`*_\[\]<>|~&$^]")
_LINE_STARTS = regex.compile(r"^(\s*)([#=>:]|[+\-](?=[\s\-]|$)|\d{1,9}(?=[.)](?:\s|$)))")
_ADDRESSES = regex.compile(r"(?i)(?<=\b(?:https?|ftp))(?=:)|(?<=\bwww)(?=\.)|(?<=\S)(?=@)")
_NAMES = regex.compile(r"(?<=[@#])(?=\w)")
_SPACES = regex.compile(r"[^\S\u00a0\u202f]+")
_WORD_JOINER = "\u2060"
_NOT_IN_TARGETS = regex.compile(r"[\\()\[\]<>\s]")
_SIGNS = {"plain": "", "good": "✓ ", "bad": "❗ ", "quiet": ""}


def markdown(document: Document) -> str:
    """Return the page as Markdown."""
    shown = cleaned(document)
    parts = [
        f"# {escaped(shown.title)}",
        escaped(shown.subtitle),
        *(f"**{_bold(sentence)}**" if number == 0 else escaped(sentence)
          for number, sentence in enumerate(shown.summary)),
        _tiles(shown.tiles),
        *(part for section in shown.sections for part in _section(section)),
        "---",
        "\n".join(f"- **{_bold(term.title)}**: {escaped(term.explained)}" for term in definitions(shown)),
        *(escaped(line) for line in shown.footer),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """Return a text on one line that Markdown shows as it is: no markup, no link, nobody called by name."""
    text = _MARKUP.sub(r"\\\g<0>", _SPACES.sub(" ", text).strip())
    text = _LINE_STARTS.sub(_start, text)
    return _NAMES.sub(_WORD_JOINER, _ADDRESSES.sub(_WORD_JOINER, text))


def _start(found: regex.Match[str]) -> str:
    """Return what would begin a heading, a list or a quotation so that it does not."""
    return f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"


def _bold(text: str) -> str:
    return escaped(text) or "…"


def _section(section: Section) -> Iterator[str]:
    yield f"## {escaped(section.title)}"
    for block in section.blocks:
        yield _block(block)


def _block(block: Block) -> str:
    match block:
        case Tiles():
            return _tiles(block)
        case Paragraph():
            return _paragraph(block)
        case Heading():
            return f"### {escaped(block.text)}"
        case Listing():
            return _listing(block)
        case Table():
            return _table(block)
        case Quotes():
            return "\n\n<!-- -->\n\n".join(_quote(quote) for quote in block.quotes)
        case Figure():
            return f"*{_bold(block.alt)}*"


def _paragraph(paragraph: Paragraph) -> str:
    text = escaped(paragraph.text)
    return f"> {_SIGNS['bad']}{text}" if paragraph.look == "warning" else text


def _tiles(tiles: Tiles) -> str:
    return "\n".join(_tile(tile) for tile in tiles.tiles)


def _tile(tile: Tile) -> str:
    change = f" ({_SIGNS[tile.tone]}{escaped(tile.change)})" if tile.change else ""
    return f"- {escaped(tile.label)}: **{_bold(tile.value)}**{change}"


def _listing(listing: Listing) -> str:
    return "\n".join(
        f"{f'{number}.' if listing.ordered else '-'} {_said(item)}" for number, item in enumerate(listing.items, 1)
    )


def _said(cell: Cell) -> str:
    text = _link(cell.text, cell.url)
    return _SIGNS[cell.tone] + text + (f" ({escaped(cell.note)})" if cell.note else "")


def _link(text: str, url: str | None) -> str:
    return f"[{escaped(text)}](<{_target(url)}>)" if url else escaped(text)


def _target(url: str) -> str:
    """Return an address that nothing in it can end; the page's cleaning lets no bar or angle through."""
    return _NOT_IN_TARGETS.sub(lambda found: f"%{ord(found[0]):02X}", url)


def _table(table: Table) -> str:
    caption = [escaped(table.caption), ""] if table.caption else []
    rules = ["---:" if column.numeric else "---" for column in table.columns]
    rows = [
        [escaped(column.title) for column in table.columns],
        rules,
        *([_said(c) for c in row] for row in table.rows),
    ]
    return "\n".join([*caption, *(f"| {' | '.join(row)} |" for row in rows)])


def _quote(quote: Quote) -> str:
    """Return a quotation; two spaces end each of its lines."""
    lines = [escaped(line) for line in quote.text.split("\n") if line.strip()]
    said = [escaped(quote.gloss)] if quote.gloss else []
    return "\n".join(f"> {line}  " for line in [*lines, *said, f"— {_link(quote.who, quote.url)}"]).rstrip()
