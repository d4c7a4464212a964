"""Fonts: which scripts can be drawn, and hostile texts made fit to be drawn."""

import unicodedata
from collections.abc import Iterator

import pytest

from listener.digest import charts, fonts

needs_cjk = pytest.mark.skipif(bool(fonts.missing_fonts(["中"])), reason="needs the Debian package fonts-noto-cjk")
needs_core = pytest.mark.skipif(bool(fonts.missing_fonts(["ह"])), reason="needs the Debian package fonts-noto-core")


@pytest.fixture
def no_noto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with nothing but the font that matplotlib carries."""
    real = fonts._path
    monkeypatch.setattr(fonts, "_path", lambda family: real(family) if family == "DejaVu Sans" else None)
    cached = (fonts._chain, fonts._drawable, fonts._characters)
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()


@pytest.mark.usefixtures("no_noto")
def test_scripts_without_a_font_are_named() -> None:
    texts = ["late", "опоздание", "配送", "かな", "배송", "देरी", "🙂 12 %"]
    assert fonts.missing_fonts(texts) == ["Devanagari", "Han", "Hangul", "Hiragana"]
    assert fonts.missing_for(["en", "ru", "zh-Hans", "ja", "hi-IN", "xx"]) == [
        "Devanagari",
        "Han",
        "Hiragana",
        "Katakana",
    ]
    assert [fonts.package_of(one) for one in ("Han", "Devanagari")] == ["fonts-noto-cjk", "fonts-noto-core"]


@pytest.mark.usefixtures("no_noto")
def test_letters_without_a_font_are_boxes_and_no_warning_leaks() -> None:
    assert fonts.clean("配送 late") == "□□ late"
    picture = charts.causes("投诉 12", [charts.CauseBar("देरी 배송", 3)], number=str, last="上周", language="zh")
    assert picture.png.startswith(b"\x89PNG")


@needs_core
@needs_cjk
def test_nothing_is_missing_where_noto_fonts_are_installed() -> None:
    assert fonts.missing_fonts(["late опоздание 配送 かな 배송 देरी تأخير"]) == []
    assert fonts.missing_for(["ar", "zh", "ja", "ko", "hi", "ru", "de"]) == []


@needs_cjk
@pytest.mark.parametrize(
    ("language", "text", "family"),
    [
        ("zh", "直", "SC"), ("zh-TW", "直", "TC"), ("zh-Hant-HK", "直", "TC"), ("zh-Hans-HK", "直", "SC"),
        ("ja", "直", "JP"), ("ko-KR", "直", "KR"), ("fr", "直", "SC"), ("fr", "直す", "JP"), ("zh", "直 지연", "KR"),
    ],
)  # fmt: skip
def test_shapes_of_chinese_characters_follow_the_text_and_then_the_reader(
    language: str, text: str, family: str
) -> None:
    assert [name for name in fonts.families(language, text) if "CJK" in name] == [f"Noto Sans CJK {family}"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\r\x00d", "a b c d"),
        ("\u202eevil\u202c", "evil"),
        ("\u2066open", "\u2066open\u2069"),
        ("shut\u2069 \u2069", "shut"),
        ("1\u202f204", "1\u00a0204"),
        ("  two   spaces ", "two spaces"),
        ("🙂 smile ❤\ufe0f", "smile ❤"),
        ("Z" + "\u0301" * 60, "Ź"),
        ("ti\u1ebfng Vi\u1ec7t", "tiếng Việt"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("\ud800\ue000", ""),
    ],
)
def test_hostile_text_is_made_fit(text: str, shown: str) -> None:
    assert fonts.clean(text) == shown


def test_length_is_counted_as_people_count() -> None:
    assert fonts.clean("x" * 10_000) == "x" * 119 + "…"
    assert fonts.clean("e\u0323\u0301" * 3, most=3) == unicodedata.normalize("NFC", "e\u0323\u0301" * 3)


@pytest.mark.parametrize(
    ("text", "mark"),
    [("late 24", "\u200e"), ("تأخير SEUR", "\u200f"), ("12", "\u200e"), ("\u2068تأخير\u2069 late", "\u200e")],
)
def test_direction_is_that_of_the_first_strong_letter_outside_isolates(text: str, mark: str) -> None:
    assert fonts.direction(text) == mark
