"""The page as Markdown, read by a parser of GitHub's flavour: what others wrote stays what they wrote."""

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from listener.digest.cleaned import sentence
from listener.digest.document import Cell, Column, Listing, Paragraph, Section, Table
from listener.digest.markdown import escaped, markdown
from tests.unit.digest.documents import HOSTILE, QUOTES, TILES, full_document, hostile_document

JOINER = "\u2060"


def tokens(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found: list[Token] = []
    for token in parser.parse(text):
        found += [token, *(token.children or [])]
    return found


def kinds(text: str) -> set[str]:
    return {token.type for token in tokens(text)}


def shown(text: str) -> str:
    """Return what a reader sees."""
    said = [token.content for token in tokens(text) if token.type in ("text", "code_inline", "softbreak")]
    return "".join(said).replace(JOINER, "")


@pytest.mark.parametrize(
    "text", [*HOSTILE, "Setext\n===", "    code", "+ a", "2) b", "~~s~~", "a\\", "`x`", ":::", "#tag"]
)
def test_a_hostile_text_is_shown_as_it_is(text: str) -> None:
    wanted = sentence(text)
    assert kinds(escaped(wanted)) <= {"paragraph_open", "inline", "paragraph_close", "text", "text_special"}
    parsed = "".join(token.content for token in tokens(escaped(wanted)) if token.type.startswith("text"))
    assert parsed.replace(JOINER, "") == wanted


@pytest.mark.parametrize(
    "text", ["http://evil.example", "see www.evil.example now", "me@evil.example", "@everyone", "#12"]
)
def test_no_address_becomes_a_link_and_nobody_is_called(text: str) -> None:
    written = escaped(text)
    assert not re.search(r"(?i)https?:|www\.|\w@|@\w|#\w", written)
    assert written.replace(JOINER, "").replace("\\", "") == text


def test_figures_are_not_littered_with_escapes() -> None:
    assert escaped("10.5 % (−3, +4.1), 1,204 of 3-4") == "10.5 % (−3, +4.1), 1,204 of 3-4"


def test_spaces_that_hold_numbers_together_stay() -> None:
    assert escaped("19\u00a0% of  47\u202f356\n") == "19\u00a0% of 47\u202f356"


def test_page_has_every_part() -> None:
    text = markdown(full_document())
    assert text.startswith("# How Yunfan is spoken of: week 46\n")
    assert [token.tag for token in tokens(text) if token.type == "heading_open"] == ["h1", "h2", "h3", "h2", "h3", "h2"]
    for tile in TILES.tiles:
        assert f"- {tile.label}: **{tile.value}**" in text
    for quote in QUOTES:
        assert quote.gloss in text
    assert "*Complaints by day: Monday 120, Thursday 310, Sunday 95.*" in text
    assert "| France | 4,210 (▲ 4 %) | ❗ 512 (▲ 41 %; more than noise) | 12.2 % |" in text
    assert "1. ❗ Tell buyers of the K2" in text


def test_quotes_are_quotations_of_their_own() -> None:
    found = [token.type for token in tokens(markdown(full_document()))]
    assert found.count("blockquote_open") == len(QUOTES) + 1


def test_links_lead_where_the_page_leads_and_nowhere_else() -> None:
    links = [token.attrs["href"] for token in tokens(markdown(full_document())) if token.type == "link_open"]
    assert links == ["https://x.com/i/status/10001", "https://x.com/i/status/10002"]


def test_a_link_cannot_be_left() -> None:
    cell = Cell("a](http://evil.example) <b>", url="https://x.com/a)(b?c=%3E&d=[1]*_")
    text = markdown(full_document(sections=(Section("one", "One", (Listing((cell,)),)),)))
    links = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert links == ["https://x.com/a%29%28b?c=%3E&d=%5B1%5D*_"]


def test_a_bar_in_a_cell_is_no_column() -> None:
    table = Table((Column("a"), Column("b")), ((Cell("x | y"), Cell("\\| z", url="https://x.com/y")),))
    text = markdown(full_document(sections=(Section("one", "One", (table,)),)))
    assert [token.type for token in tokens(text)].count("td_open") == 2
    assert "x | y" in shown(text)


def test_hostile_page_has_no_html_picture_or_foreign_link() -> None:
    found = tokens(markdown(hostile_document()))
    html = [token.content.strip() for token in found if token.type in ("html_block", "html_inline")]
    assert set(html) <= {"<!-- -->"}
    assert not {"image", "link_open", "code_inline", "code_block", "fence", "s_open"} & {token.type for token in found}


def test_empty_texts_leave_no_broken_marks() -> None:
    text = markdown(full_document(sections=(Section("one", "", (Paragraph(""), Listing((Cell(""),)))),), summary=()))
    assert "****" not in text
