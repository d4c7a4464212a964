"""The page as HTML: complete, closed to the outside, and safe whatever people wrote."""

import base64
import hashlib
import re
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib
import pytest

from listener.digest.document import Paragraph, Section
from listener.digest.html import page
from tests.unit.digest.documents import HOSTILE, QUOTES, TILES, full_document, hostile_document, picture

NAMESPACE = "{http://www.w3.org/1999/xhtml}"


def parsed(html: str) -> Element:
    return html5lib.HTMLParser(strict=True).parse(html)


def found(tree: Element, name: str) -> list[Element]:
    return list(tree.iter(NAMESPACE + name))


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.fixture(scope="module")
def tree() -> Element:
    return parsed(page(full_document()))


@pytest.fixture(scope="module")
def hostile() -> Element:
    return parsed(page(hostile_document()))


def test_everything_said_stands_on_the_page(tree: Element) -> None:
    shown = text_of(found(tree, "body")[0])
    document = full_document()
    for sentence in (document.title, document.subtitle, *document.summary, *document.footer):
        assert sentence in shown
    for tile in TILES.tiles:
        for text in (tile.label, tile.value, tile.change, tile.explained):
            assert text in shown
    for quote in QUOTES:
        assert " ".join(quote.text.split()) in shown
        assert f"{quote.gloss} {quote.who}".strip() in shown


def test_title_and_language_are_the_readers(tree: Element) -> None:
    html = found(tree, "html")[0]
    assert html.get("lang") == "en"
    assert text_of(found(tree, "title")[0]) == full_document().title


def test_arabic_page_runs_from_the_right() -> None:
    html = found(parsed(page(full_document("ar"))), "html")[0]
    assert (html.get("lang"), html.get("dir")) == ("ar", "rtl")


def test_no_line_ends_within_a_reference_or_between_a_number_and_its_unit() -> None:
    said = Paragraph("I-962: 19\u00a0% of 47\u202f356 <b>")
    html = page(full_document(sections=(Section("one", "One", (said,)),)))
    assert '<span class="whole">I-962</span>: 19\u00a0% of 47\u202f356 &lt;b&gt;' in html
    assert ".whole { white-space: nowrap; }" in html


def test_charts_are_no_wider_than_the_page() -> None:
    html = page(full_document())
    assert ".chart img { display: block; max-width: 100%; height: auto;" in html
    assert not re.search(r"\.chart[^{}]*\{[^}]*(?:overflow-x|max-width: none|width: max)", html)


def test_headings_go_down_one_level_at_a_time(tree: Element) -> None:
    levels = [int(one.tag[-1]) for one in tree.iter() if re.fullmatch(r"\{.*\}h[1-6]", str(one.tag))]
    assert levels.index(1) == 0
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_table_heads_have_a_scope(tree: Element) -> None:
    heads = found(tree, "th")
    assert {head.get("scope") for head in heads} == {"col", "row"}
    assert [text_of(row[0]) for row in found(tree, "tbody")[0]][:2] == ["France", "Russia"]


def test_pictures_are_inside_the_page_and_say_what_they_show(tree: Element) -> None:
    images = found(tree, "img")
    assert len(images) == 2
    for image in images:
        assert (
            base64.b64decode(image.get("src", "").removeprefix("data:image/png;base64,"))
            == picture(640, int(image.get("height", 0))).png
        )
    assert images[0].get("alt") == "Complaints by day: Monday 120, Thursday 310, Sunday 95."
    assert text_of(found(tree, "figcaption")[0]) == "Complaints by day"


def test_quotes_name_their_language_and_choose_their_direction(tree: Element) -> None:
    quotes = found(tree, "blockquote")
    assert [one.get("lang") for one in quotes] == ["fr", "ar", "hi", "ja", "ru", "ko", ""]
    assert {one.get("dir") for one in quotes} == {"auto"}


def test_a_tone_is_told_by_a_sign_and_not_by_colour_alone(tree: Element) -> None:
    bad = [one for one in found(tree, "p") if one.get("class") == "change bad"]
    assert len(bad) == 4
    assert all(text_of(one).startswith("!") for one in bad)


def test_each_name_is_given_once_and_every_reference_finds_it(tree: Element) -> None:
    names = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(names) == len(set(names))
    targets = {one.get("href", "")[1:] for one in found(tree, "a") if one.get("href", "").startswith("#")}
    labels = {one.get("aria-labelledby") for one in tree.iter() if one.get("aria-labelledby")}
    assert len(targets) == 3
    assert targets | labels <= set(names)


def test_terms_are_explained_once_however_many_tables_use_them() -> None:
    section = full_document().sections[0]
    twice = full_document(sections=(section, section.__class__("again", "Again", section.blocks)))
    terms = [text_of(one) for one in found(parsed(page(twice)), "dt")]
    assert terms == ["Mentions", "Complaints", "Share of complaints", "Net sentiment"]


@pytest.mark.parametrize("document", [full_document(), hostile_document()], ids=["full", "hostile"])
def test_nothing_comes_from_elsewhere_and_nothing_runs(document: object) -> None:
    tree = parsed(page(document))  # type: ignore[arg-type]
    allowed = set(
        "html head meta title style body header h1 p div details summary nav ul li a main section h2 h3 table caption "
        "thead tbody tr th td span dl dt dd figure img figcaption blockquote cite ol footer".split()
    )
    assert {str(one.tag).removeprefix(NAMESPACE) for one in tree.iter() if isinstance(one.tag, str)} <= allowed
    for element in tree.iter():
        assert not [name for name in element.attrib if str(name).startswith("on") or name in ("style", "srcset")]
        assert element.get("src", "data:image/png").startswith("data:image/png")
        assert re.match(r"#|https://", element.get("href", "#"))
        if element.get("href", "#").startswith("https"):
            assert element.get("rel") == "noopener noreferrer"


def test_style_is_the_one_that_the_policy_names(tree: Element) -> None:
    policy = next(one.get("content", "") for one in found(tree, "meta") if one.get("http-equiv"))
    style = "".join(found(tree, "style")[0].itertext())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"url\(|@import", style)


def test_hostile_texts_are_shown_as_they_are(hostile: Element) -> None:
    assert text_of(found(hostile, "h1")[0]) == HOSTILE[0]
    assert found(hostile, "html")[0].get("lang") == "en"
    assert {one.get("lang") for one in found(hostile, "blockquote")} == {""}


def test_controls_and_endless_texts_do_not_reach_the_page() -> None:
    html = page(hostile_document())
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066\u2067\ufeff\ud800-\udfff]", html)
    assert html.count("\u2068") == html.count("\u2069")
    assert "x" * 1_300 not in html


COLOURS = re.compile(r"--(\w+): (#[0-9a-f]{6})")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(dark: bool) -> None:
    """Contrast by WCAG 2.2, 1.4.3: 4.5 to 1."""
    style = page(full_document())
    blocks = style.split("prefers-color-scheme: dark")
    colours = dict(COLOURS.findall(blocks[1] if dark else blocks[0])[:9])
    for text in ("ink", "soft", "accent", "good", "bad"):
        assert contrast(colours[text], colours["paper"]) >= 4.5
    assert contrast(colours["ink"], colours["warn"]) >= 4.5


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
