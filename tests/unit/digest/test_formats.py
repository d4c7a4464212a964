"""All formats say the same: the page that a digest makes, in each language, as every format draws it."""

import io

import html5lib
import pytest
from pypdf import PdfReader

from listener.digest.cleaned import definitions
from listener.digest.composing import compose
from listener.digest.document import Cell, Document, Listing, Section, Tile, Tiles
from listener.digest.html import page
from listener.digest.mail import MOST_BYTES, mail_parts
from listener.digest.markdown import markdown
from listener.digest.model import Digest
from listener.digest.pdf import pdf
from listener.digest.words import LANGUAGES, Words
from tests.unit.digest.builders import empty_digest, first_week_digest, full_digest
from tests.unit.digest.documents import full_document
from tests.unit.digest.noto import needs_noto


def bare(text: str) -> str:
    """Return the letters and digits of a text: formats differ in spaces, escapes and breaks."""
    return "".join(letter for letter in text if letter.isalnum())


def drawn(document: Document) -> dict[str, str]:
    """Return what each format says, without its markup."""
    reader = PdfReader(io.BytesIO(pdf(document)))
    mail = mail_parts(document)
    assert len(mail.html.encode()) <= MOST_BYTES
    return {
        "html": "".join(html5lib.parse(page(document)).itertext()),
        "mail": "".join(html5lib.parse(mail.html).itertext()),
        "text": mail.text,
        "markdown": markdown(document),
        "pdf": "".join(one.extract_text() for one in reader.pages),
    }


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=needs_noto) if one.startswith("zh") else one for one in LANGUAGES]
)
def test_every_format_says_the_same_figures_and_sentences(language: str) -> None:
    document = compose(full_digest(), Words.of(language), False)
    for name, text in drawn(document).items():
        said = bare(text)
        for sentence in (document.title, *document.summary):
            assert bare(sentence) in said, name
        for tile in document.tiles.tiles:
            assert bare(tile.value) in said, name
            assert bare(tile.change) in said, name
        for section in document.sections[:5]:
            assert bare(section.title) in said, name


@pytest.mark.parametrize("digest", [empty_digest(), first_week_digest()], ids=["empty", "first week"])
def test_a_week_of_little_is_a_page_in_every_format(digest: Digest) -> None:
    document = compose(digest, Words.of("en"))
    for name, text in drawn(document).items():
        assert bare(document.title) in bare(text), name


def test_pdf_of_a_full_week_is_short_and_begins_with_the_causes() -> None:
    document = compose(full_digest(), Words.of("en"))
    reader = PdfReader(io.BytesIO(pdf(document)))
    assert len(reader.pages) <= 8
    assert len(reader.pages[0].images) >= 1


def test_a_term_is_not_explained_again_whose_sentences_stand_in_lists() -> None:
    said = Listing((Cell("Median: half took no longer."), Cell("Answer: from the opening to the first answer.")))
    tiles = Tiles((Tile("Median answer", "2 h", "", explained="From the opening. Half took no longer."),))
    both = Listing((Cell("Half: Half took no longer."), Cell("Answer: From the opening.")))
    sections = (Section("one", "One", (said,)),)
    assert [term.title for term in definitions(full_document(tiles=tiles, sections=sections))] == ["Median answer"]
    assert definitions(full_document(tiles=tiles, sections=(Section("one", "One", (both,)),))) == ()
