import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message

from listener.catalogues import extracted, updated, write
from listener.digest.words import DIGEST, LANGUAGES, SOURCE, Words, read_catalogue, unbroken
from listener.errors import DigestError

TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
SEVERAL_NUMBERS_A_FORM = ("ru", "zh-Hans")
"""Languages in which even the first form is said of several numbers."""


def texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def messages(language: str) -> Iterator[Message]:
    return (message for message in read_catalogue(language) if message.id)


# --- catalogues ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_what_the_code_says_and_nothing_else(language: str) -> None:
    said = {message.id for message in extracted(DIGEST) if message.id}
    held = {message.id for message in messages(language)}
    assert (said - held, held - said) == (set(), set()), "run `python -m listener.catalogues` and translate"
    assert not read_catalogue(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_in_every_plural_form_and_surely(language: str) -> None:
    forms = read_catalogue(language).num_plurals
    for message in messages(language):
        assert not message.fuzzy, message.id
        assert all(texts(message)), message.id
        assert len(texts(message)) == (forms if message.pluralizable else 1), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_hold_the_same_placeholders(language: str) -> None:
    for message in messages(language):
        ids = (message.id,) if isinstance(message.id, str) else message.id
        wanted = set().union(*map(placeholders, ids))
        for text in texts(message):
            may_lack = set() if language in SEVERAL_NUMBERS_A_FORM else {"count"} & (wanted - placeholders(ids[0]))
            assert wanted - placeholders(text) <= may_lack, text
            assert placeholders(text) <= wanted, text


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_bare_names(language: str) -> None:
    for message in messages(language):
        for text in texts(message):
            for _, name, spec, conversion in Formatter().parse(text):
                assert name is None or (re.fullmatch(r"[a-z_]+", name) and not spec and not conversion), text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_as_its_own_updating_writes_it(language: str, tmp_path: Path) -> None:
    before = DIGEST.path(language).read_bytes()
    assert write(DIGEST, read_catalogue(language), language, tmp_path).read_bytes() == before


def test_updating_adds_what_is_new_untranslated_and_drops_what_is_said_no_more() -> None:
    messages = extracted(DIGEST)
    messages.add("An entirely new message.")
    messages.delete("Nobody complained this week.")
    catalogue = updated(DIGEST, "fr", messages)
    assert not catalogue["An entirely new message."].string
    assert "Nobody complained this week." not in catalogue
    assert not catalogue.obsolete
    assert catalogue["Complaints"].string == "Plaintes"


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        ("fr", r"[^\s\u00a0\u202f][;!?](?:\s|$)|[^\S\u202f\u00a0][;:!?]|«[^\u00a0]|[^\u00a0]»|'"),
        ("de", r"“[^”]*”|'|\s[;:!?]"),
        ("es", r"“|”|'|\s[;:!?]|(?<!¿)\b[A-Z][^.¿]*\?$"),
        ("ru", r"“|”|„|'|\s[;:!?]|\s-\s"),
        ("zh-Hans", r"[\u4e00-\u9fff][,;:!?()]|'|\"|[\u4e00-\u9fff]\.$"),
    ],
)
def test_translations_keep_to_their_typography(language: str, wrong: str) -> None:
    found = [text for message in messages(language) for text in texts(message) if re.search(wrong, text)]
    assert found == []


# --- choosing a language -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "written", "said"),
    [
        ("en", "en", "Complaints"),
        ("en-US", "en-US", "Complaints"),
        ("fr", "fr", "Plaintes"),
        ("fr-BE", "fr-BE", "Plaintes"),
        ("FR_ca", "fr-CA", "Plaintes"),
        ("de-CH", "de-CH", "Beschwerden"),
        ("es-MX", "es-MX", "Quejas"),
        ("es-419", "es-419", "Quejas"),
        ("ru", "ru", "Жалобы"),
        ("zh", "zh-Hans", "投诉"),
        ("zh-CN", "zh-Hans", "投诉"),
        ("zh-Hant-TW", "zh-Hans", "投诉"),
        ("yue", "zh-Hans", "投诉"),
    ],
)
def test_a_language_tag_finds_its_words(asked: str, written: str, said: str) -> None:
    words = Words.of(asked)
    assert words.language == written
    assert words.say("Complaints") == said


def test_an_unknown_region_falls_back_to_the_language() -> None:
    words = Words.of("fr-ZZ")
    assert words.percent(0.5) == Words.of("fr").percent(0.5)
    assert words.language in ("fr", "fr-FR")


@pytest.mark.parametrize("tag", ["nl", "", "klingon", "x-private", "en\nfr"])
def test_an_unknown_language_names_those_that_there_are(tag: str) -> None:
    if tag == "en\nfr":
        with pytest.raises(DigestError):
            Words.of(tag)
        return
    with pytest.raises(DigestError, match=r"en \(English\), fr \(French\), de \(German\), es \(Spanish\)"):
        Words.of(tag)


# --- plurals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", {0: "0 days", 1: "1 day", 2: "2 days", 21: "21 days"}),
        ("fr", {0: "0 jour", 1: "1 jour", 2: "2 jours"}),
        ("de", {0: "0 Tage", 1: "1 Tag", 2: "2 Tage"}),
        ("es", {0: "0 días", 1: "1 día", 2: "2 días"}),
        ("ru", {0: "0 дней", 1: "1 день", 2: "2 дня", 5: "5 дней", 11: "11 дней", 21: "21 день", 104: "104 дня"}),
        ("zh-Hans", {0: "0天", 1: "1天", 5: "5天"}),
    ],
)
def test_plurals_follow_each_language(language: str, expected: dict[int, str]) -> None:
    words = Words.of(language)
    said = {number: words.plural("{count} day", "{count} days", number) for number in expected}
    assert said == expected


def test_a_value_with_braces_is_said_as_it_is() -> None:
    assert Words.of("en").say("Outcome: {outcome}.", outcome="{count} {0.__class__}") == (
        "Outcome: {count} {0.__class__}."
    )


# --- numbers and times ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "number", "percent", "negative"),
    [
        ("en", "1,248", "24%", "−18"),
        ("fr", "1\u202f248", "24\u00a0%", "−18"),
        ("de", "1.248", "24\u00a0%", "−18"),
        ("de-CH", "1’248", "24%", "−18"),
        ("es", "1.248", "24\u00a0%", "−18"),
        ("es-MX", "1,248", "24%", "−18"),
        ("ru", "1\u00a0248", "24\u00a0%", "−18"),
        ("zh-Hans", "1,248", "24%", "−18"),
    ],
)
def test_numbers_are_written_as_the_region_writes_them(language: str, number: str, percent: str, negative: str) -> None:
    words = Words.of(language)
    assert words.number(1248) == number
    assert words.percent(0.24).replace("\u202f", "\u00a0") == percent
    assert words.signed(-18.2) == negative


def test_small_numbers_keep_a_decimal_and_large_ones_do_not() -> None:
    words = Words.of("en")
    assert [words.number(value) for value in (6.44, 6.0, 0.25, 41.5, 248.6)] == ["6.4", "6", "0.2", "42", "249"]
    assert [words.percent(value) for value in (0.0, 0.032, 0.0997, 0.5, 1.0)] == ["0%", "3.2%", "10%", "50%", "100%"]


def test_only_the_whole_week_is_a_hundred_percent() -> None:
    words = Words.of("en")
    assert [words.percent_precisely(value) for value in (1.0, 0.99999, 0.968, 0.57)] == [
        "100%",
        "99.99%",
        "96.8%",
        "57%",
    ]


def test_changes_carry_their_sign() -> None:
    words = Words.of("en")
    assert [words.signed(value) for value in (3.2, -3.2, 0.2)] == ["+3", "−3", "±0"]
    assert [words.signed_percent(value) for value in (0.186, -0.186, 0.001, 1.92)] == ["+19%", "−19%", "±0%", "+192%"]


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (45, "45\u00a0s", "45\u00a0с"),
        (34 * 60, "34\u00a0min", "34\u00a0мин"),
        (59.6 * 60, "1\u00a0h", "1\u00a0ч"),
        (7800, "2\u00a0h 10\u00a0min", "2\u00a0ч 10\u00a0мин"),
        (7200, "2\u00a0h", "2\u00a0ч"),
        (11.4 * 3600, "11\u00a0h", "11\u00a0ч"),
        (2 * 86400, "2 days", "2 дня"),
        (3 * 86400 + 5 * 3600, "3 days 5\u00a0h", "3 дня 5\u00a0ч"),
        (21 * 86400, "21 days", "21 день"),
        (-5 * 3600, "−5\u00a0h", "−5\u00a0ч"),
    ],
)
def test_durations_are_told_as_exactly_as_matters(seconds: float, english: str, russian: str) -> None:
    assert Words.of("en").duration(seconds) == english
    assert Words.of("ru").duration(seconds) == russian


@pytest.mark.parametrize(
    ("parted", "whole"),
    [
        ("19 %", "19_%"),
        ("47 356 mentions", "47_356 mentions"),
        ("Nom : « Yunfan » ; fin !", "Nom_: «_Yunfan_»_; fin_!"),
        ("▲ +19%", "▲_+19%"),
        ("2 h 10 min", "2_h 10_min"),
        ("5 of 12 hours", "5 of 12 hours"),
        ("week 46 of 2026", "week 46 of 2026"),
    ],
)
def test_no_line_ends_within_a_number_or_before_its_unit(parted: str, whole: str) -> None:
    assert unbroken(parted) == whole.replace("_", "\u00a0")


@pytest.mark.parametrize(
    ("language", "within", "across", "over_new_year"),
    [
        ("en", "9–15 November 2026", "26 October – 1 November 2026", "28 December 2026 – 3 January 2027"),
        ("fr", "9–15 novembre 2026", "26 octobre – 1 novembre 2026", "28 décembre 2026 – 3 janvier 2027"),
        ("de", "9.–15. November 2026", "26. Oktober – 1. November 2026", "28. Dezember 2026 – 3. Januar 2027"),
        (
            "es",
            "9–15 de noviembre de 2026",
            "26 de octubre – 1 de noviembre de 2026",
            "28 de diciembre de 2026 – 3 de enero de 2027",
        ),
        ("ru", "9–15 ноября 2026 г.", "26 октября – 1 ноября 2026 г.", "28 декабря 2026 г. – 3 января 2027 г."),
        ("zh-Hans", "2026年11月9日至15日", "2026年10月26日至11月1日", "2026年12月28日至2027年1月3日"),
    ],
)
def test_weeks_are_written_as_spans_of_days(language: str, within: str, across: str, over_new_year: str) -> None:
    words = Words.of(language)
    spaces = str.maketrans("\u2009\u202f\u00a0", "   ")
    assert words.days(date(2026, 11, 9), date(2026, 11, 15)).translate(spaces) == within
    assert words.days(date(2026, 10, 26), date(2026, 11, 1)).translate(spaces) == across
    assert words.days(date(2026, 12, 28), date(2027, 1, 3)).translate(spaces) == over_new_year


def test_moments_are_written_by_the_clocks_asked_for() -> None:
    at = datetime(2026, 11, 12, 23, 20, tzinfo=UTC)
    assert Words.of("en").moment(at, "Asia/Tokyo") == "13 Nov 2026, 08:20"
    assert Words.of("fr").moment(at, "Europe/Paris") == "13 nov. 2026, 00:20"
    assert Words.of("zh-Hans").moment(at, "UTC") == "2026年11月12日 23:20"


def test_countries_languages_and_lists_are_named_by_the_locale() -> None:
    words = Words.of("fr")
    assert words.all_of(words.country(code) for code in ("FR", "JP", "NL")) == "France, Japon et Pays-Bas"
    assert words.country("QQ") == "QQ"
    assert words.language_name("zh-Hant") == "Chinois traditionnel"
    assert words.language_name("pt-BR") in ("Portugais brésilien", "Portugais (Brésil)")
    assert words.language_name("und") == "Langue inconnue"
    assert words.language_name("qqx") == "qqx"
