import html

from hypothesis import given
from hypothesis import strategies as st

from listener.entities import unescape

PIECES = [
    "&amp;",
    "&lt",
    "&gt;",
    "&#65;",
    "&#x41",
    "&#0;",
    "&#128;",
    "&#55296;",
    "&notit;",
    "&",
    ";",
    "#",
    "a",
    " ",
    "é",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_ordinary_references_read_as_the_standard_library_reads_them(text: str) -> None:
    assert unescape(text) == html.unescape(text)


@given(st.text(alphabet="&#xX0123456789abcdef;l t", max_size=40))
def test_nothing_raises_and_text_without_numbers_is_the_librarys(text: str) -> None:
    found = unescape(text)
    if "&#" not in text:
        assert found == html.unescape(text)


def test_thousands_of_digits_are_one_unknown_character() -> None:
    assert unescape("a &#" + "9" * 5000 + "; b") == "a \ufffd b"
    assert unescape("&#x" + "0" * 5000 + "41") == "\ufffd"
