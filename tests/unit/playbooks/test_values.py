import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.values import clean, clean_place, find_product, on_one_line


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_a_cleaned_value_is_one_short_line_of_visible_text(value: str) -> None:
    text = clean(value)
    assert len(text) <= 80
    assert text == " ".join(text.split())
    bad = [character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert set(bad) <= {"\u200c", "\u200d"}


def test_bidi_controls_and_newlines_are_removed() -> None:
    assert clean("Pa\u202eris\u2066\n<b>\u0000x\u200b") == "Paris <b> x"


def test_a_value_that_is_too_long_is_left_out_rather_than_cut() -> None:
    assert clean("x" * 81) == ""


@pytest.mark.parametrize(
    "place",
    [
        "@support",
        "Paris #fail",
        "https://evil.example/x",
        "www.evil",
        "evil.com",
        "123",
        "",
        "千葉 成田市",
        "Paris 🇫🇷",
        "🌍",
        "Paris (15e)",
        "Berlin/Hamburg",
        "London 2",
        "somewhere over the rainbow",
        "in your heart",
        "San Francisco Bay Area",
        "A" * 26,
        "Gate B, Zürich 2 @zrh",
        "Your Mom",
        "Fuck Off",
        "Evil. Com",
        "Evil Dot Com",
        "垃圾公司",
        "Твоя Мама",
        "P\u0336aris",
        "𝓟aris",
    ],
)
def test_a_place_that_is_not_one_short_name_is_left_out(place: str) -> None:
    assert clean_place(place) == ""


@pytest.mark.parametrize(
    "place", ["Lyon", "St. Gallen", "Новосибирск", "上海市", "Val-d'Oise", "서울 강남구", "New York City", "नई दिल्ली"]
)
def test_an_ordinary_place_is_kept(place: str) -> None:
    assert clean_place(place) == place


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("Zürich, Schweiz", "Zürich"),
        ("Madrid, España", "Madrid"),
        ("东京，日本", "东京"),
        ("東京都、日本", "東京都"),
        ("دبي، الإمارات", "دبي"),
        ("Lyon, 69003", "Lyon"),
    ],
)
def test_of_a_place_in_several_parts_the_first_is_kept(place: str, name: str) -> None:
    assert clean_place(place) == name


@pytest.mark.parametrize(
    ("text", "products", "found"),
    [
        ("my kettle k2 leaks, the toaster works", ["Toaster", "Kettle K2"], "Kettle K2"),
        ("the kettles are fine", ["Kettle"], ""),
        ("kettle pro is dead", ["Kettle", "Kettle Pro"], "Kettle Pro"),
        ("云帆热水壶漏水了", ["热水壶"], "热水壶"),
        ("Kettle-K2 is dead", ["Kettle K2"], "Kettle K2"),
        ("nothing here", ["", "  "], ""),
        ("a.c", ["a+c", "a.c"], "a.c"),
        ("الغلاية معطلة", ["غلاية"], "غلاية"),
    ],
)
def test_the_product_named_first_is_found_as_the_brand_writes_it(text: str, products: list[str], found: str) -> None:
    assert find_product(text, products) == found


def test_runs_of_plain_spaces_become_one_and_typographic_spaces_stay() -> None:
    assert on_one_line(" a \n b\u00a0! ") == "a b\u00a0!"
