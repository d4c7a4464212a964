import pytest

from classifiers.language import (
    SIMPLIFIED_ONLY,
    TRADITIONAL_ONLY,
    UNDETERMINED,
    EldcDetector,
    LangidDetector,
    LanguageIdentifier,
    base_of,
)
from tests.unit.classifiers.test_encoder import SENTENCES

SERVED = [
    "en",
    "fr",
    "de",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "ru",
    "uk",
    "tr",
    "ar",
    "hi",
    "id",
    "ja",
    "ko",
    "zh",
    "zh-Hant",
]


@pytest.fixture(scope="module", params=[EldcDetector, LangidDetector], ids=["eldc", "py3langid"])
def identifier(request: pytest.FixtureRequest) -> LanguageIdentifier:
    return LanguageIdentifier(request.param())


@pytest.fixture(scope="module")
def eldc_identifier() -> LanguageIdentifier:
    return LanguageIdentifier(EldcDetector())


@pytest.mark.parametrize("language", SERVED)
def test_plain_sentence_is_told_without_any_hint(identifier: LanguageIdentifier, language: str) -> None:
    assert identifier.identify([SENTENCES[language]]) == [language]


def test_order_is_kept(identifier: LanguageIdentifier) -> None:
    assert identifier.identify([SENTENCES[one] for one in SERVED]) == SERVED


def test_networks_tag_wins_where_it_is_spoken_in_the_country(eldc_identifier: LanguageIdentifier) -> None:
    assert eldc_identifier.identify(["ok merci"], ["nl"], [["nl-BE", "fr-BE"]]) == ["nl"]


def test_networks_tag_of_another_country_does_not_overrule_plain_words(eldc_identifier: LanguageIdentifier) -> None:
    assert eldc_identifier.identify([SENTENCES["fr"]], ["ht"], [["fr", "en"]]) == ["fr"]


def test_short_text_in_doubt_takes_the_networks_tag(eldc_identifier: LanguageIdentifier) -> None:
    assert eldc_identifier.identify(["xq zt"], ["sv"], [["fr"]]) == ["sv"]


@pytest.mark.parametrize("tag", ["und", "qme", "zxx", "qht", "", None, "??", "x" * 500])
def test_tag_that_names_no_language_is_ignored(eldc_identifier: LanguageIdentifier, tag: str | None) -> None:
    assert eldc_identifier.identify([SENTENCES["de"]], [tag], [["de"]]) == ["de"]


@pytest.mark.parametrize(("old", "new"), [("in", "id"), ("ms", "id"), ("iw", "he"), ("zh-TW", "zh"), ("pt_BR", "pt")])
def test_old_and_regional_tags_are_renewed(old: str, new: str) -> None:
    assert base_of(old) == new


def test_country_decides_between_close_languages(eldc_identifier: LanguageIdentifier) -> None:
    text = "la casa nova"
    assert eldc_identifier.identify([text], None, [["it"]]) == ["it"]
    assert eldc_identifier.identify([text], None, [["pt"]]) == ["pt"]


@pytest.mark.parametrize(
    "text", ["", "   ", "123 45,60 €", "😡😡😡", "@yunfan @skybirdair", "https://t.co/abc", "#!?", "\ud800"]
)
def test_text_without_words_is_undetermined(identifier: LanguageIdentifier, text: str) -> None:
    assert identifier.identify([text]) == [UNDETERMINED]
    assert identifier.identify([text], ["fr"], [["en"]]) == [UNDETERMINED]


def test_short_word_that_could_be_anything_is_undetermined(eldc_identifier: LanguageIdentifier) -> None:
    assert eldc_identifier.identify(["xkqz"]) == [UNDETERMINED]


def test_handles_links_and_hashtags_do_not_count_as_words(eldc_identifier: LanguageIdentifier) -> None:
    noise = "@customer_support_help_team https://example.com/your/order/has/been/shipped #thebestdayever #happiness "
    assert eldc_identifier.identify([noise + "Mon colis est perdu"]) == ["fr"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("这个水壶漏水", "zh"), ("這個水壺漏水", "zh-Hant"), ("订单还没发货", "zh"), ("訂單還沒出貨", "zh-Hant")],
)
def test_characters_tell_simplified_from_traditional(
    eldc_identifier: LanguageIdentifier, text: str, expected: str
) -> None:
    assert eldc_identifier.identify([text], ["zh"], [["zh", "zh-Hant"]]) == [expected]


def test_country_decides_where_characters_do_not(eldc_identifier: LanguageIdentifier) -> None:
    same_in_both = "今天很好吃"
    assert eldc_identifier.identify([same_in_both], None, [["zh-Hant"]]) == ["zh-Hant"]
    assert eldc_identifier.identify([same_in_both], None, [["zh"]]) == ["zh"]


def test_character_table_pairs_up() -> None:
    assert len(TRADITIONAL_ONLY) >= len(SIMPLIFIED_ONLY) > 500


@pytest.mark.parametrize("text", ["bhai mera order abhi tak nahi aaya", "kya aap mujhe refund doge ya nahi"])
def test_romanised_hindi_is_told_by_its_small_words(eldc_identifier: LanguageIdentifier, text: str) -> None:
    assert eldc_identifier.identify([text], None, [["hi", "en"]]) == ["hi"]


@pytest.mark.parametrize("text", ["Barang saya belum sampai", "The log din was too much for the bhai"])
def test_other_latin_text_is_not_taken_for_hindi(eldc_identifier: LanguageIdentifier, text: str) -> None:
    assert eldc_identifier.identify([text], None, [["id", "en"]]) != ["hi"]


def test_kanji_with_kana_is_japanese(eldc_identifier: LanguageIdentifier) -> None:
    assert eldc_identifier.identify(["配送遅延です"], None, [["ja"]]) == ["ja"]


def test_mixed_lengths_of_input_are_refused(eldc_identifier: LanguageIdentifier) -> None:
    with pytest.raises(ValueError, match="zip"):
        eldc_identifier.identify(["a", "b"], ["en"], [["en"]])


def test_very_long_and_broken_text_is_answered(identifier: LanguageIdentifier) -> None:
    texts = ["x" * 100_000, "\x00\x01\x02 hello", "a\ud800b" * 1000, "مرحبا hello 你好 привет" * 50]
    assert len(identifier.identify(texts)) == 4
