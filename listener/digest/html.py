"""A digest's page as one HTML file: nothing remote, no script, its charts inside. Knows no figure."""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from listener.digest.cleaned import cleaned, is_right_to_left
from listener.digest.document import Block, Column, Document, Picture, Table

PAGES = Path(__file__).parent / "pages"
_REFERENCES = re.compile(r"((?<![\w-])[A-Z]-\d+(?![\w-]))")
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ps", "ur", "yi")


def page(document: Document) -> str:
    """Return the page as HTML."""
    shown = cleaned(document)
    style = _style()
    template = environment().get_template("digest.html")
    html = template.render(page=shown, pictures=shown.pictures, style=Markup(style), style_hash=_hash(style))  # noqa: S704
    return html.lstrip()


def direction(language: str) -> str:
    """Return the writing direction of a language: rtl or ltr."""
    return "rtl" if language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def environment() -> Environment:
    """Return an environment that escapes; its filter that remembers which terms were explained serves one page."""
    environment = Environment(
        loader=_loader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(kind=_kind, data_uri=_data_uri, direction=direction, new_terms=_new_terms())
    environment.filters["whole"] = _whole
    environment.filters["text_direction"] = lambda text: "rtl" if is_right_to_left(text) else "ltr"
    return environment


@lru_cache
def _loader() -> FileSystemLoader:
    return FileSystemLoader(PAGES)


@lru_cache
def _style() -> str:
    return (PAGES / "digest.css").read_text(encoding="utf-8")


def _hash(style: str) -> str:
    """Return the style sheet's hash, so that the page's policy allows it and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def _whole(text: str) -> Markup:
    """Return an escaped text in which no line ends within a reference, such as A-2361: browsers end one at hyphens."""
    parts = _REFERENCES.split(text)
    pairs = zip_longest(map(escape, parts[::2]), map(escape, parts[1::2]))
    return Markup("").join(
        piece + (Markup('<span class="whole">{}</span>').format(found) if found else "") for piece, found in pairs
    )


def _kind(block: Block) -> str:
    return type(block).__name__


def _data_uri(picture: Picture) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"


def _new_terms() -> Callable[[Table], list[Column]]:
    """Return a filter that gives the columns of a table that no table before has explained."""
    seen: set[tuple[str, str]] = set()

    def new_terms(table: Table) -> list[Column]:
        fresh = [one for one in table.columns if one.explained and (one.title, one.explained) not in seen]
        seen.update((one.title, one.explained) for one in fresh)
        return fresh

    return new_terms
