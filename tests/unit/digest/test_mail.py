"""The page as a mail: whole in every client, within what Gmail shows, and readable without pictures or HTML."""

import re
from dataclasses import replace
from email.message import EmailMessage
from xml.etree.ElementTree import Element

import html5lib
import pytest
from rich.cells import cell_len

from listener.digest.document import (
    Cell,
    Column,
    Document,
    Heading,
    Listing,
    Paragraph,
    Quote,
    Quotes,
    Section,
    Table,
)
from listener.digest.mail import MOST_BYTES, MailParts, mail_parts
from listener.digest.plain_text import WIDTH, wrapped
from tests.unit.digest.documents import HOSTILE, QUOTES, TILES, full_document, hostile_document, picture

NAMESPACE = "{http://www.w3.org/1999/xhtml}"
GMAIL_CLIPS_AT = 102 * 1024


@pytest.fixture(scope="module")
def mail() -> MailParts:
    return mail_parts(full_document())


def parsed(html: str) -> Element:
    return html5lib.parse(html)


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def long_document(rows: int = 400, letter: str = "Ж") -> Document:
    """Return a page that no mail holds, in a script of two bytes a letter."""
    table = Table(
        (Column("a"), Column("b", numeric=True)),
        tuple((Cell(letter * 30), Cell("1", letter * 20)) for _ in range(rows)),
    )
    quotes = Quotes(tuple(Quote(letter * 900, "ru", "кто") for _ in range(60)))
    blocks = (Paragraph(letter * 300), table, quotes, Listing(tuple(Cell(letter * 200) for _ in range(300))))
    return full_document(sections=tuple(Section(key, key, blocks) for key in ("one", "two", "details", "notes")))


def test_html_says_what_the_page_says(mail: MailParts) -> None:
    shown = text_of(parsed(mail.html).find(f"{NAMESPACE}body"))
    document = full_document()
    for text in (document.title, document.subtitle, *document.summary, *document.footer):
        assert text in shown
    for tile in TILES.tiles:
        assert f"{tile.label} {tile.value}" in shown
        assert tile.explained in shown
    for quote in QUOTES:
        assert f"{quote.gloss} {quote.who}".strip() in shown


def test_pictures_are_named_in_the_html_and_carried_with_their_words(mail: MailParts) -> None:
    images = list(parsed(mail.html).iter(f"{NAMESPACE}img"))
    assert [one.get("src") for one in images] == ["cid:chart-days", "cid:chart-causes"]
    assert [one.get("alt") for one in images] == [alt for _, _, alt in mail.images]
    assert [png for _, png, _ in mail.images] == [picture().png, picture(640, 260).png]


def test_a_mail_client_finds_every_picture(mail: MailParts) -> None:
    message = EmailMessage()
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html", cte="base64")
    for name, png, _ in mail.images:
        message.get_payload(1).add_related(png, "image", "png", cid=f"<{name}>", disposition="inline")
    ids = {part["Content-ID"] for part in message.walk() if part["Content-ID"]}
    assert {f"<{name}>" for name in re.findall(r"cid:([\w-]+)", mail.html)} == ids


def test_layout_is_of_tables_and_styles_that_mail_clients_know(mail: MailParts) -> None:
    assert not re.search(r"flex|grid|var\(|position:|float:|calc\(|@import|url\(|<script|<svg|<details", mail.html)
    for table in parsed(mail.html).iter(f"{NAMESPACE}table"):
        is_data = table.find(f".//{NAMESPACE}th") is not None and table.find(f".//{NAMESPACE}table") is None
        assert (table.get("role") == "presentation") != is_data


def test_nothing_comes_from_elsewhere(mail: MailParts) -> None:
    for html in (mail.html, mail_parts(hostile_document()).html):
        for element in parsed(html).iter():
            assert element.get("src", "cid:").startswith("cid:")
            assert re.match("https?://", element.get("href", "https://"))
            assert not [name for name in element.attrib if str(name).startswith("on") or name == "background"]
            assert "url(" not in element.get("style", "")
        assert not list(parsed(html).iter(f"{NAMESPACE}script"))


def test_direction_of_a_quote_is_written_out_for_clients_that_cannot_tell(mail: MailParts) -> None:
    quotes = [one for one in parsed(mail.html).iter(f"{NAMESPACE}div") if one.get("lang") is not None]
    assert [(one.get("lang"), one.get("dir")) for one in quotes][:3] == [("fr", "ltr"), ("ar", "rtl"), ("hi", "ltr")]


@pytest.mark.parametrize("document", [long_document(), hostile_document(), long_document(12)])
def test_mail_stays_below_what_gmail_clips(document: Document) -> None:
    html = mail_parts(document).html
    assert len(html.encode()) <= MOST_BYTES
    message = EmailMessage()
    message.set_content(html, subtype="html", cte="base64")
    assert len(message.get_payload()) < GMAIL_CLIPS_AT
    assert html.endswith("</html>")


def test_a_long_mail_keeps_its_head_and_says_that_there_is_more() -> None:
    shown = text_of(parsed(mail_parts(long_document()).html))
    assert full_document().summary[-1] in shown
    assert "This mail is shortened; the attached PDF holds all of it." in shown
    assert "details" not in shown


def test_a_mail_that_holds_all_says_nothing_of_being_short(mail: MailParts) -> None:
    assert "shortened;" not in mail.html


def test_countries_stay_whatever_else_a_mail_is_too_short_for() -> None:
    rows = tuple((Cell(f"Land {number}"), Cell("1")) for number in range(40))
    table = Table((Column("Land"), Column("Nennungen", numeric=True)), rows)
    details = Section("details", "Zahlen", (Heading("Nach Land"), table, *long_document().sections[-1].blocks))
    document = replace(long_document(), language="de", sections=(*long_document().sections, details))
    html = mail_parts(document).html
    shown = text_of(parsed(html))
    assert len(html.encode()) <= MOST_BYTES
    assert "Nach Land" in shown
    assert all(f"Land {number} 1" in shown for number in range(40))
    assert "Diese E-Mail ist gekürzt; das angehängte PDF enthält alles." in shown


def test_no_picture_is_carried_that_the_html_does_not_show() -> None:
    document = full_document()
    mail = mail_parts(replace(document, pictures={**document.pictures, "unused": picture()}))
    assert [name for name, _, _ in mail.images] == ["chart-days", "chart-causes"]


def test_without_pictures_their_words_stand_in_the_html() -> None:
    mail = mail_parts(full_document(pictures={}))
    assert mail.images == ()
    assert "Complaints by day: Monday 120, Thursday 310, Sunday 95." in mail.html


def test_text_says_what_the_page_says(mail: MailParts) -> None:
    shown = " ".join(mail.text.split())
    document = full_document()
    for text in (document.title, *document.summary, *document.footer):
        assert text in shown
    for tile in TILES.tiles:
        assert f"{tile.label}: {tile.value}" in shown
    for quote in QUOTES:
        assert quote.who in shown
    assert "France Mentions: 4,210 (▲ 4 %) · Complaints: [!] 512 (▲ 41 %; more than noise)" in shown
    assert "[Late delivery 210 complaints, twice last week; lid broken 96; charged twice 41.]" in shown


@pytest.mark.parametrize("document", [full_document(), hostile_document(), full_document("zh"), long_document(3, "漢")])
def test_no_line_of_the_text_is_wider_than_a_terminal(document: Document) -> None:
    for line in mail_parts(document).text.splitlines():
        assert cell_len(line) <= WIDTH or line.lstrip().startswith("https://")


def test_text_has_no_controls_whatever_people_wrote() -> None:
    text = mail_parts(hostile_document()).text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066\u2067\ud800-\udfff]", text)
    assert HOSTILE[1] in text


def test_small_tables_stand_in_columns() -> None:
    table = Table(
        (Column("Land"), Column("数", numeric=True)), ((Cell("日本"), Cell("1,204")), (Cell("FR"), Cell("7")))
    )
    text = mail_parts(full_document(sections=(Section("one", "One", (table,)),))).text
    assert "Land     数\n----  -----\n日本  1,204\nFR        7\n" in text


def test_chinese_breaks_anywhere_but_before_what_closes() -> None:
    assert list(wrapped("今天天气很好。我们走", width=12)) == ["今天天气很", "好。我们走"]


def test_chinese_does_not_break_after_what_opens() -> None:
    assert list(wrapped("上周平常（平常36次）。", width=10)) == ["上周平常", "（平常36", "次）。"]


def test_no_line_of_text_ends_within_a_number_and_its_unit() -> None:
    assert list(wrapped("answered: 19\u00a0% of 47\u202f356", width=12)) == ["answered:", "19\u00a0% of", "47\u202f356"]


def test_a_long_word_is_broken_between_whole_characters() -> None:
    lines = list(wrapped("e\u0301" * 20, width=8))
    assert lines == ["e\u0301" * 8, "e\u0301" * 8, "e\u0301" * 4]
