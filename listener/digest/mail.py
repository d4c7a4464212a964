"""A digest's page as one e-mail: HTML that mail clients draw alike, its charts, and the same as plain text.

Styles stand on the elements and tables make the layout, as mail clients know little else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alerts.escaping import shorten
from listener.digest.cleaned import anchor, cleaned, definitions
from listener.digest.document import Block, Cell, Document, Figure, Quotes, Section, Table
from listener.digest.html import direction, environment
from listener.digest.plain_text import plain_text

MOST_BYTES = 74_000
"""Gmail clips a message beyond 102 kB; so many bytes stay below that in base64 too."""


_FIRST_TO_GO = "details"
"""The section that a long mail does without before any other is cut."""


@dataclass(frozen=True, slots=True)
class MailParts:
    """What a mail is made of."""

    html: str
    text: str
    images: tuple[tuple[str, bytes, str], ...]
    """Name, PNG and alternative text of each picture; the HTML refers to it as cid:name."""


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of a page is shown."""

    rows: int
    quotes: int
    letters: int
    terms: bool


_ROOMS = (
    _Room(60, 30, 700, True),
    _Room(30, 12, 400, True),
    _Room(15, 6, 280, False),
    _Room(8, 3, 200, False),
)


def mail_parts(document: Document) -> MailParts:
    """Return the page as the parts of a mail; a long page is shortened so that no client clips it."""
    shown = cleaned(document)
    html, kept = _fitted(shown)
    keys = tuple(dict.fromkeys(figure.picture for figure in _figures(kept)))
    alts = {figure.picture: figure.alt for figure in _figures(kept)}
    images = tuple((_cid(key), kept.pictures[key].png, alts[key]) for key in keys if key in kept.pictures)
    return MailParts(html, plain_text(shown), images)


def _fitted(shown: Document) -> tuple[str, Document]:
    """Return the HTML of as much of the page as a mail holds, and that much of the page."""
    for room in _ROOMS:
        kept = _within(shown, room)
        html = _html(kept, room.terms)
        if _size(html) <= MOST_BYTES:
            return html, kept
    kept = replace(kept, sections=tuple(section for section in kept.sections if section.key != _FIRST_TO_GO))
    while _size(html := _html(kept, False, left_out=True)) > MOST_BYTES and any(one.blocks for one in kept.sections):
        kept = _without_last_block(kept)
    return html, kept


def _size(html: str) -> int:
    return len(html.encode())


def _within(shown: Document, room: _Room) -> Document:
    return replace(shown, sections=tuple(
        replace(section, blocks=tuple(_shortened(block, room) for block in section.blocks))
        for section in shown.sections
    ))  # fmt: skip


def _shortened(block: Block, room: _Room) -> Block:
    match block:
        case Table() if len(block.rows) > room.rows:
            rest = (Cell("…", tone="quiet"), *(Cell("") for _ in block.columns[1:]))
            return replace(block, rows=(*block.rows[: room.rows], rest))
        case Quotes():
            quotes = block.quotes[: room.quotes]
            return Quotes(tuple(replace(quote, text=shorten(quote.text, room.letters)) for quote in quotes))
    return block


def _without_last_block(shown: Document) -> Document:
    sections = list(shown.sections)
    while not sections[-1].blocks:
        sections.pop()
    last = sections.pop()
    return replace(shown, sections=(*sections, Section(last.key, last.title, last.blocks[:-1])))


def _figures(shown: Document) -> Iterator[Figure]:
    return (block for section in shown.sections for block in section.blocks if isinstance(block, Figure))


def _cid(key: str) -> str:
    return f"chart-{anchor(key)}"


def _html(shown: Document, with_terms: bool, *, left_out: bool = False) -> str:
    leans_right = direction(shown.language) == "rtl"
    template = environment().get_template("mail.html")
    return template.render(
        page=shown,
        pictures=shown.pictures,
        images={key: _cid(key) for key in shown.pictures},
        start="right" if leans_right else "left",
        end="left" if leans_right else "right",
        terms=definitions(shown) if with_terms else (),
        left_out=left_out,
    ).strip()
