"""The page as PDF, read back: its words, its languages, its tags, and nothing that others wrote run as markup."""

import io
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from listener.digest import pdf as pdf_module
from listener.digest import typesetting
from listener.digest.document import Cell, Column, Document, Listing, Paragraph, Quote, Quotes, Section, Table
from listener.digest.pdf import pdf
from listener.errors import DigestError
from tests.unit.digest.documents import HOSTILE, TILES, full_document, hostile_document, measures, picture
from tests.unit.digest.noto import needs_noto

logging.getLogger("pypdf").setLevel(logging.ERROR)


def read(document: Document) -> PdfReader:
    return PdfReader(io.BytesIO(pdf(document)))


def text_of(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u200b", "").split())


def letters(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(scope="module")
def reader() -> PdfReader:
    return read(full_document())


def structure(reader: PdfReader) -> list[DictionaryObject]:
    """Return every element of the tags."""
    found: list[DictionaryObject] = []
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop()
        node = node.get_object() if isinstance(node, IndirectObject) else node
        if isinstance(node, ArrayObject):
            waiting += list(node)
        elif isinstance(node, DictionaryObject):
            found.append(node)
            waiting += [node["/K"]] if "/K" in node else []
    return found


def test_pages_are_a_few_of_a4_with_numbers(reader: PdfReader) -> None:
    assert 2 <= len(reader.pages) <= 5
    for number, page in enumerate(reader.pages, 1):
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
        assert f"{number} / {len(reader.pages)}" in page.extract_text()


def test_first_page_holds_title_summary_figures_and_the_chart_of_causes(reader: PdfReader) -> None:
    first = letters(reader.pages[0].extract_text())
    document = full_document()
    for text in (document.title, document.subtitle, *document.summary):
        assert letters(text) in first
    for tile in TILES.tiles:
        assert letters(tile.value) in first
    assert letters("The week's irritants") in first
    assert letters(text_of(reader)).count(letters("The week's irritants")) == 1


@needs_noto
def test_document_names_its_title_and_language(reader: PdfReader) -> None:
    assert reader.metadata is not None
    assert reader.metadata.title == full_document().title
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert read(full_document("ru")).trailer["/Root"]["/Lang"] == "ru"
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/DisplayDocTitle"]


def test_document_is_tagged_for_those_who_cannot_see_it(reader: PdfReader) -> None:
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    roles = {str(node.get("/S")) for node in structure(reader)}
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure", "/L", "/LI", "/Link"} <= roles
    words = {str(node["/Alt"]) for node in structure(reader) if node.get("/S") == "/Figure" and "/Alt" in node}
    assert "Late delivery 210 complaints, twice last week; lid broken 96; charged twice 41." in words


@needs_noto
def test_document_says_that_it_is_pdf_ua() -> None:
    assert b"pdfuaid" in pdf(full_document())


def test_quotes_name_their_language(reader: PdfReader) -> None:
    languages = {str(node["/Lang"]) for node in structure(reader) if "/Lang" in node}
    assert {"fr", "ar", "hi", "ja", "ru", "ko"} <= languages


@needs_noto
def test_every_script_is_shaped_and_can_be_copied(reader: PdfReader) -> None:
    text = letters(text_of(reader))
    for part in ("Заказедетчетвёртуюнеделю", "お湯がこぼれて危ないです", "배송이너무늦어요", "中国"):
        assert part in text
    assert "مصر" in text or "رصم" in text


def test_same_page_gives_the_same_bytes() -> None:
    assert pdf(full_document()) == pdf(full_document())


def test_heads_of_a_table_stand_on_every_page_it_reaches() -> None:
    reader = read(full_document(sections=(Section("one", "One", (measures(160),)),)))
    assert len(reader.pages) >= 3
    with_rows = [page.extract_text() for page in reader.pages if "3,841,000" in page.extract_text()]
    assert len(with_rows) >= 3
    for text in with_rows:
        assert "Net sentiment" in " ".join(text.split())


@pytest.mark.parametrize("text", [text for text in HOSTILE if len(text) < 300])
def test_a_hostile_text_is_shown_and_not_run(text: str) -> None:
    quote = Quotes((Quote(text, "en", "somebody"),))
    reader = read(full_document(title=text or "-", sections=(Section("one", text, (Paragraph(text), quote)),)))
    seen = text_of(reader)
    if "#eval" in text:
        assert seen.count('#eval("1+1")') >= 3
        assert seen.count("*b* _i_ $x$ `raw`") >= 3
    assert "root:" not in seen


def test_no_heading_or_warning_stands_alone_at_the_end_of_a_page() -> None:
    table = Table((Column("a"),), tuple((Cell(f"row {number}"),) for number in range(9)))
    ends = []
    for lines in range(22, 40, 2):
        filler = Listing(tuple(Cell("filler") for _ in range(lines)))
        blocks = (Paragraph("HEED THIS", "warning"), table)
        sections = (Section("one", "One", (filler,)), Section("two", "HEADING", blocks))
        pages = [page.extract_text() for page in read(full_document(sections=sections, pictures={})).pages]
        ends += [(lines, "HEADING" in text, "HEED THIS" in text, "row 0" in text) for text in pages]
    assert [end for end in ends if len(set(end[1:])) > 1] == []


def test_a_page_full_of_hostile_texts_is_made() -> None:
    reader = read(hostile_document())
    text = letters(text_of(reader))
    assert letters(HOSTILE[0]) in text
    assert not {str(link) for link in _targets(reader) if "javascript" in str(link)}


def test_endless_words_stay_within_the_page() -> None:
    reader = read(full_document(summary=("x" * 10_000,), sections=()))
    lines = [line for page in reader.pages for line in page.extract_text().splitlines() if set(line) == {"x"}]
    assert lines
    assert max(map(len, lines)) < 110


def test_a_picture_that_is_none_is_a_clear_error() -> None:
    broken = replace(picture(), png=b"no picture")
    with pytest.raises(DigestError, match="the PDF could not be made"):
        pdf(full_document(pictures={"causes": broken}))


def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "_TIMEOUT_S", 0.01)
    with pytest.raises(DigestError, match=r"within 0\.01 s"):
        pdf(full_document())


def test_secrets_of_the_daemon_are_not_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "told.py"
    told.write_text("import os, sys; sys.exit(repr(sorted(os.environ)))")
    monkeypatch.setattr(typesetting, "__file__", str(told))
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-1")
    with pytest.raises(DigestError) as caught:
        pdf(full_document())
    assert "'PATH'" in str(caught.value)
    assert "SLACK_TOKEN" not in str(caught.value)


def test_a_letter_without_a_font_does_not_stop_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "_SYSTEM_FONTS", False)
    reader = read(full_document())
    assert "Complaints rose by 31" in text_of(reader)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_wide_tables_put_notes_under_figures_and_narrow_ones_beside() -> None:
    narrow = Table((Column("a"), Column("b", numeric=True)), ((Cell("one"), Cell("26%", "330 of 1,248")),))
    wide = Table(tuple(Column(f"column {number}") for number in range(8)), ((Cell("26%", "330 of 1,248"),) * 8,))
    assert "330of1,24826%" in letters(text_of(read(full_document(sections=(Section("one", "One", (narrow,)),)))))
    assert "26%330of1,248" not in letters(text_of(read(full_document(sections=(Section("one", "One", (narrow,)),)))))
    assert "330 of 1,248" in text_of(read(full_document(sections=(Section("one", "One", (wide,)),))))


def _targets(reader: PdfReader) -> list[object]:
    found = []
    for page in reader.pages:
        for note in page.get("/Annots", []):
            found.append(note.get_object().get("/A", {}).get("/URI"))
    return found
