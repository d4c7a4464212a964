"""A digest as a page in one reader's language, before any format: what HTML, PDF, Markdown and Slack are drawn from.

All texts are plain; what others wrote in them is hostile and is escaped by whoever draws them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "good", "bad", "quiet"]
"""Shown by a sign or a word too, never by colour alone."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    note: str = ""
    """Said small under it."""
    tone: Tone = "plain"
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a table's column."""

    title: str
    numeric: bool = False
    explained: str = ""
    """The figure's definition."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first column names the row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the head: what it is, how much, against what."""

    label: str
    value: str
    change: str
    """Such as "▲ 12 % on the four weeks before; more than noise"."""
    tone: Tone = "plain"
    explained: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The figures of the head, side by side."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or some."""

    text: str
    look: Literal["plain", "quiet", "warning", "lead"] = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences one under the other."""

    items: tuple[Cell, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody wrote, in its own language, with a gloss in the reader's."""

    text: str
    language: str
    """BCP 47, for the page's `lang`; "und" where unknown."""
    who: str
    """Who, where, when, in the reader's language."""
    gloss: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Quotes:
    """Quotations one under the other."""

    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, by its key among the pictures."""

    picture: str
    alt: str
    """What it shows, in words with its figures, for those who cannot see it."""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    text: str


Block = Tiles | Paragraph | Listing | Table | Quotes | Figure | Heading


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    key: str
    """Stable in all languages, for anchors."""
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart."""

    png: bytes
    width: int
    """In CSS pixels; the PNG holds twice as many."""
    height: int


@dataclass(frozen=True, slots=True)
class Document:
    """The whole page."""

    title: str
    subtitle: str
    language: str
    """The reader's, BCP 47."""
    summary: tuple[str, ...]
    """Three to six sentences: what matters, the first the most."""
    tiles: Tiles
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    pictures: Mapping[str, Picture]
    slack_pictures: tuple[str, ...] = ()
    """Keys of the charts that Slack shows beside the summary."""
    file_name: str = "digest"
    """Without its ending, safe in every file system: digest-board-2026-W46-fr."""
