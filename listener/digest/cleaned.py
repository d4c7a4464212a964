"""A page with every text made safe to show: the one border that a document passes before any format draws it.

Escaping stays with each format. Knows no format and no figure.
"""

import unicodedata
from dataclasses import replace

import regex

from alerts.escaping import FIRST_STRONG_ISOLATE, POP_ISOLATE, clean, shorten, web_url
from listener.digest.document import (
    Block,
    Cell,
    Column,
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

LONGEST_QUOTE = 1_200
LONGEST_TEXT = 1_000
_LANGUAGE = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")
_ISOLATES = regex.compile(f"([{FIRST_STRONG_ISOLATE}{POP_ISOLATE}])")
_MOST_ISOLATES = 20
_SPACES = regex.compile(r"[^\S\u00a0\u202f]+")
"""Those at which a line may end: the others hold numbers and their units together."""
_SENTENCES = regex.compile(r"[^.。]+(?:[.。]+|$)")
_NOT_IN_KEYS = regex.compile(r"[^a-z0-9-]+")


def cleaned(document: Document) -> Document:
    """Return the page without controls, overrides, hidden characters, endless texts or links to other than the web."""
    return replace(
        document,
        title=sentence(document.title),
        subtitle=sentence(document.subtitle),
        language=language_tag(document.language) or "en",
        summary=tuple(filter(None, map(sentence, document.summary))),
        tiles=_tiles(document.tiles),
        sections=tuple(_section(section) for section in document.sections),
        footer=tuple(filter(None, map(sentence, document.footer))),
        pictures={anchor(key): picture for key, picture in document.pictures.items()},
    )


def sentence(text: str) -> str:
    """Return one of our own sentences on one line; isolates around names stay, each closed before the line ends."""
    kept, depth = [], 0
    for part in _ISOLATES.split(shorten(text, LONGEST_TEXT)):
        if part == FIRST_STRONG_ISOLATE:
            depth += depth < _MOST_ISOLATES
            kept.append(part if depth <= _MOST_ISOLATES else "")
        elif part == POP_ISOLATE:
            kept.append(part if depth else "")
            depth -= depth > 0
        else:
            kept.append(_spaced(part))
    return "".join(kept).strip() + POP_ISOLATE * depth


def _spaced(part: str) -> str:
    """Return a part of a line cleaned, with a space kept at each end that had one."""
    inner = _SPACES.sub(" ", clean(part)).strip(" ")
    if not inner:
        return " " if part and part.isspace() else ""
    return f"{' ' * part[0].isspace()}{inner}{' ' * part[-1].isspace()}"


def language_tag(language: str) -> str:
    """Return a language's BCP 47 tag where it may be one, or nothing where it is unknown."""
    return language if _LANGUAGE.fullmatch(language) and language.lower() != "und" else ""


def anchor(key: str) -> str:
    """Return a key as letters, digits and hyphens that every format takes for a name."""
    return _NOT_IN_KEYS.sub("-", key.lower()).strip("-") or "part"


def is_right_to_left(text: str) -> bool:
    """Return whether the first letter with a direction runs from the right, as `dir="auto"` decides."""
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), "L")
    return first != "L"


def definitions(document: Document) -> tuple[Column, ...]:
    """Return what the figures of the page mean, each once, less what lists of the page say."""
    found: dict[str, Column] = {}
    blocks = [document.tiles, *(block for section in document.sections for block in section.blocks)]
    said = "\n".join(item.text for block in blocks if isinstance(block, Listing) for item in block.items)
    for block in blocks:
        terms: tuple[Tile | Column, ...] = ()
        match block:
            case Tiles():
                terms = block.tiles
            case Table():
                terms = block.columns
        for term in terms:
            title = term.label if isinstance(term, Tile) else term.title
            if any(part not in said for part in map(str.strip, _SENTENCES.findall(term.explained))):
                found.setdefault(term.explained, Column(title, explained=term.explained))
    return tuple(found.values())


def _tiles(tiles: Tiles) -> Tiles:
    return Tiles(tuple(
        Tile(sentence(one.label), sentence(one.value), sentence(one.change), one.tone, sentence(one.explained))
        for one in tiles.tiles
    ))  # fmt: skip


def _section(section: Section) -> Section:
    return Section(anchor(section.key), sentence(section.title), tuple(_block(block) for block in section.blocks))


def _block(block: Block) -> Block:
    match block:
        case Tiles():
            return _tiles(block)
        case Paragraph():
            return Paragraph(sentence(block.text), block.look)
        case Heading():
            return Heading(sentence(block.text))
        case Listing():
            return Listing(tuple(_cell(cell) for cell in block.items), block.ordered)
        case Table():
            return _table(block)
        case Quotes():
            return Quotes(tuple(_quote(quote) for quote in block.quotes))
        case Figure():
            return Figure(anchor(block.picture), sentence(block.alt), sentence(block.caption))


def _table(table: Table) -> Table:
    """Return the table with as many cells in each row as it has columns."""
    columns = tuple(Column(sentence(one.title), one.numeric, sentence(one.explained)) for one in table.columns)
    empty = (Cell(""),) * len(columns)
    rows = tuple((*map(_cell, row), *empty)[: len(columns)] for row in table.rows)
    return Table(columns, rows, sentence(table.caption))


def _cell(cell: Cell) -> Cell:
    return Cell(sentence(cell.text), sentence(cell.note), cell.tone, web_url(cell.url))


def _quote(quote: Quote) -> Quote:
    return Quote(
        shorten(clean(quote.text), LONGEST_QUOTE),
        language_tag(quote.language),
        sentence(quote.who),
        sentence(quote.gloss),
        web_url(quote.url),
    )
