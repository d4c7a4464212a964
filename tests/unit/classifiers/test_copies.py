import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.copies import BANDS, JACCARD, bands, normalise, shingles, similarity, text_hash

LONG = "The kettle leaked after two days and nobody at the support answers my messages"


@pytest.mark.parametrize(
    "copy",
    [
        f"RT @ann: {LONG}",
        LONG.upper() + "!!!",
        f"{LONG} https://example.invalid/1",
        f"@brand {LONG}",
        LONG.replace(" ", "  "),
    ],
)
def test_reposts_case_links_handles_and_punctuation_do_not_tell_copies_apart(copy: str) -> None:
    assert text_hash(copy) == text_hash(LONG) != ""


def test_full_width_letters_are_the_same_letters() -> None:
    assert text_hash("ＹＵＮＦＡＮ kettle leaked after two days") == text_hash("yunfan kettle leaked after two days")


@pytest.mark.parametrize("text", ["thanks!", "", "😡😡😡", "谢谢客服", "https://example.invalid/a", "@a @b @c"])
def test_short_texts_are_coincidences_not_copies(text: str) -> None:
    assert text_hash(text) == ""
    assert bands(text) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LONG, LONG.replace("two days", "three days")),
        ("云帆电水壶用了两天就漏水，客服也不理人，太失望了", "云帆电水壶用了三天就漏水，客服也不理人，太失望了"),
        (
            "Чайник течёт на второй день, поддержка молчит уже неделю",
            "Чайник течёт на третий день, поддержка молчит уже неделю",
        ),
    ],
)
def test_near_copies_share_a_band_and_are_similar(one: str, other: str) -> None:
    assert set(bands(one)) & set(bands(other))
    assert similarity(one, other) >= JACCARD


def test_two_posts_about_one_failure_in_different_words_are_no_copies() -> None:
    assert similarity(LONG, "My new kettle drips all over the table, and the help line keeps me waiting") < JACCARD


@given(st.text(max_size=200))
def test_any_text_has_a_hash_and_sixteen_bands_or_none(text: str) -> None:
    assert len(text_hash(text)) in (0, 40)
    assert len(bands(text)) in (0, BANDS)
    assert bands(text) == bands(text)
    assert shingles(text)
    assert similarity(text, text) == 1.0
    assert normalise(normalise(text)) == normalise(text)
