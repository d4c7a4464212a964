"""A digest's page as one e-mail: HTML that mail clients draw alike, its charts, and the same as plain text.

Styles stand on the elements and tables make the layout, as mail clients know little else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alerts.escaping import shorten
from listener.digest.cleaned import anchor, cleaned, definitions
from listener.digest.document import Block, Document, Figure, Heading, Paragraph, Quotes, Table
from listener.digest.html import direction, environment
from listener.digest.plain_text import plain_text
from listener.digest.words import Words

MOST_BYTES = 74_000
"""Gmail clips a message beyond 102 kB; so many bytes stay below that in base64 too."""


_FIRST_TO_GO = ("notes", "irritants", "details", "coverage", "voices", "incidents", "desk")
"""The sections that a long mail does without, from their ends, before any other is cut."""


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

    quotes: int
    letters: int
    terms: bool


_ROOMS = (
    _Room(30, 700, True),
    _Room(12, 400, True),
    _Room(6, 280, False),
    _Room(3, 200, False),
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
        html = _html(kept, room.terms, is_whole=kept == shown)
        if _size(html) <= MOST_BYTES:
            return html, kept
    while _size(html := _html(kept, False, is_whole=False)) > MOST_BYTES:
        if (shorter := _shorter(kept)) is None:
            break
        kept = shorter
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
        case Quotes():
            quotes = block.quotes[: room.quotes]
            return Quotes(tuple(replace(quote, text=shorten(quote.text, room.letters)) for quote in quotes))
    return block


def _shorter(shown: Document) -> Document | None:
    """Return the page without the block that is missed least, but never without a table of countries."""
    keys = [*_FIRST_TO_GO, *(section.key for section in reversed(shown.sections) if section.key not in _FIRST_TO_GO)]
    country = Words.of(shown.language).say("Country")
    by_key = {section.key: section for section in shown.sections}
    for key in keys:
        if key in by_key and (blocks := _without_last(by_key[key].blocks, country)) is not None:
            sections = (replace(one, blocks=blocks) if one.key == key else one for one in shown.sections)
            return replace(shown, sections=tuple(one for one in sections if one.blocks))
    return None


def _without_last(blocks: tuple[Block, ...], country: str) -> tuple[Block, ...] | None:
    """Return blocks without the last that is neither a table of countries nor leads to one; None where all are."""
    for place in range(len(blocks) - 1, -1, -1):
        if not _is_of_countries(blocks, place, country):
            return (*blocks[:place], *blocks[place + 1 :])
    return None


def _is_of_countries(blocks: tuple[Block, ...], place: int, country: str) -> bool:
    block = blocks[place]
    if isinstance(block, Table):
        return block.columns[0].title == country
    leads = isinstance(block, Heading) or (isinstance(block, Paragraph) and block.look == "quiet")
    return leads and place + 1 < len(blocks) and _is_of_countries(blocks, place + 1, country)


def _shortened_words(language: str) -> str:
    # Translators: in a mail that does not hold the whole digest.
    return Words.of(language).say("This mail is shortened; the attached PDF holds all of it.")


def _figures(shown: Document) -> Iterator[Figure]:
    return (block for section in shown.sections for block in section.blocks if isinstance(block, Figure))


def _cid(key: str) -> str:
    return f"chart-{anchor(key)}"


def _html(shown: Document, with_terms: bool, *, is_whole: bool) -> str:
    leans_right = direction(shown.language) == "rtl"
    template = environment().get_template("mail.html")
    return template.render(
        page=shown,
        pictures=shown.pictures,
        images={key: _cid(key) for key in shown.pictures},
        start="right" if leans_right else "left",
        end="left" if leans_right else "right",
        terms=definitions(shown) if with_terms else (),
        shortened="" if is_whole else _shortened_words(shown.language),
    ).strip()
