"""A digest's page as plain text of 76 columns, as terminals count them: a Chinese character takes two."""

from collections.abc import Iterator

import regex
from rich.cells import cell_len

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

WIDTH = 76
_TIGHT = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\u3000-\u303f\uff01-\uff60"
# A line ends at any space but those that hold numbers and their units together.
_SPACE = r"\t-\r\x1c- \x85\u1680\u2000-\u200a\u2028\u2029\u205f\u3000"
_CLOSERS = r"[\p{Pe}\p{Pf}\p{M}、。，．！？：；ー…]*"
# Scripts without spaces break between any two characters, but not after what opens nor before what closes.
_WORDS = regex.compile(
    rf"\p{{Ps}}+[^{_SPACE}{_TIGHT}]+{_CLOSERS}|\p{{Ps}}*[{_TIGHT}]{_CLOSERS}|[^{_SPACE}{_TIGHT}]+{_CLOSERS}|[{_SPACE}]+"
)
_SIGNS = {"plain": "", "good": "✓ ", "bad": "[!] ", "quiet": ""}


def plain_text(document: Document) -> str:
    """Return the page as text, no line wider than 76 columns but for addresses."""
    shown = cleaned(document)
    parts = [
        "\n".join([*wrapped(shown.title), "=" * min(cell_len(shown.title), WIDTH), *wrapped(shown.subtitle)]),
        *("\n".join(wrapped(sentence)) for sentence in shown.summary),
        _tiles(shown.tiles),
        *(part for section in shown.sections for part in _section(section)),
        "-" * WIDTH,
        *("\n".join(wrapped(f"{term.title}: {term.explained}")) for term in definitions(shown)),
        *("\n".join(wrapped(line)) for line in shown.footer),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def wrapped(text: str, first: str = "", rest: str | None = None, width: int = WIDTH) -> Iterator[str]:
    """Yield a text in lines of at most `width` columns, each after its indent."""
    rest = first if rest is None else rest
    line, indent = "", first
    for word in _pieces(text, width - max(cell_len(first), cell_len(rest))):
        if cell_len(indent + line + word.rstrip()) > width:
            yield (indent + line).rstrip()
            line, indent = word.lstrip(), rest
        else:
            line += word if line else word.lstrip()
    if line.strip():
        yield (indent + line).rstrip()


def _pieces(text: str, width: int) -> Iterator[str]:
    """Yield words and the spaces between them; a word wider than a line in parts."""
    for word in _WORDS.findall(text):
        if cell_len(word) <= width:
            yield word
            continue
        part = ""
        for letter in regex.findall(r"\X", word):
            if cell_len(part + letter) > width:
                yield part
                part = ""
            part += letter
        yield part


def _section(section: Section) -> Iterator[str]:
    yield "\n".join(["", *wrapped(section.title), "-" * min(cell_len(section.title), WIDTH)])
    for block in section.blocks:
        yield _block(block)


def _block(block: Block) -> str:
    match block:
        case Tiles():
            return _tiles(block)
        case Paragraph():
            return "\n".join(wrapped(("[!] " if block.look == "warning" else "") + block.text))
        case Heading():
            return "\n".join(wrapped(f"* {block.text}", "", "  "))
        case Listing():
            return _listing(block)
        case Table():
            return _table(block)
        case Quotes():
            return "\n\n".join(_quote(quote) for quote in block.quotes)
        case Figure():
            return "\n".join(wrapped(f"[{block.alt}]"))


def _tiles(tiles: Tiles) -> str:
    return "\n".join(line for tile in tiles.tiles for line in wrapped(_tile(tile), "  ", "    "))


def _tile(tile: Tile) -> str:
    change = f" ({_SIGNS[tile.tone]}{tile.change})" if tile.change else ""
    return f"{tile.label}: {tile.value}{change}"


def _listing(listing: Listing) -> str:
    lines: list[str] = []
    for number, item in enumerate(listing.items, 1):
        bullet = f"{number}. " if listing.ordered else "- "
        lines += wrapped(_said(item), bullet, " " * len(bullet))
        lines += [f"{' ' * len(bullet)}{item.url}"] if item.url else []
    return "\n".join(lines)


def _said(cell: Cell) -> str:
    return f"{_SIGNS[cell.tone]}{cell.text}" + (f" ({cell.note})" if cell.note else "")


def _table(table: Table) -> str:
    """Return a table in columns where it fits, else each row as a short list."""
    grid = [[column.title for column in table.columns], *([_said(cell) for cell in row] for row in table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*grid, strict=True)]
    caption = [*wrapped(table.caption)] if table.caption else []
    if sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        return "\n".join([*caption, *_as_lists(table)])
    lines = [_aligned(row, widths, table) for row in grid]
    return "\n".join([*caption, lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _aligned(row: list[str], widths: list[int], table: Table) -> str:
    cells = []
    for text, width, column in zip(row, widths, table.columns, strict=True):
        gap = " " * (width - cell_len(text))
        cells.append(gap + text if column.numeric else text + gap)
    return "  ".join(cells).rstrip()


def _as_lists(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield from wrapped(_said(row[0]), "", "  ")
        pairs = zip(table.columns[1:], row[1:], strict=True)
        yield from wrapped(" · ".join(f"{column.title}: {_said(cell)}" for column, cell in pairs if cell.text), "    ")


def _quote(quote: Quote) -> str:
    lines = [line for text in quote.text.split("\n") for line in wrapped(text, "  | ")]
    lines += wrapped(quote.gloss, "    ")
    lines += wrapped(quote.who, "    ")
    return "\n".join([*lines, f"    {quote.url}"] if quote.url else lines)
