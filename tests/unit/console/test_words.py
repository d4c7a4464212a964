import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message

from listener.catalogues import domains, extracted, texts, updated, write
from listener.console.words import CONSOLE, LANGUAGES, NATIVE_NAMES, Words, asked_for
from listener.words import SOURCE

ALSO = domains()["console"][1]
OTHERS = [language for language in LANGUAGES if language != SOURCE]
IS_TRANSLATED = any(any(texts(message.string)) for message in CONSOLE.read("fr") if message.id)
"""False while the console's pages are being written: what they say is translated when they are done."""
once_translated = pytest.mark.skipif(not IS_TRANSLATED, reason="the console's messages are not translated yet")
SEVERAL_NUMBERS_A_FORM = ("ru", "zh-Hans")
NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def messages(language: str) -> Iterator[Message]:
    return (message for message in CONSOLE.read(language) if message.id)


def test_messages_of_templates_and_code_are_found() -> None:
    found = {message.id for message in extracted(CONSOLE, ALSO)}
    assert "Skip to the content" in found, "of a template"
    assert "Name or password is wrong." in found, "marked in the code"
    assert ("You are signed in with {count} browser.", "You are signed in with {count} browsers.") in found
    assert "{minutes} min" in found, "of the words that all parts share"


def test_placeholders_are_bare_names_and_no_message_is_filled_in_the_old_way() -> None:
    for message in extracted(CONSOLE, ALSO):
        for text in ids(message) if message.id else ():
            assert re.search(r"%\(\w+\)s|%[sd]", text) is None, text
            for _, name, spec, conversion in Formatter().parse(text):
                assert name is None or (re.fullmatch(r"[a-z_]+", name) and not spec and not conversion), text


@once_translated
@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_holds_what_the_code_says_and_nothing_else(language: str) -> None:
    said = {message.id for message in extracted(CONSOLE, ALSO) if message.id}
    held = {message.id for message in messages(language)}
    assert (said - held, held - said) == (set(), set()), "run `python -m listener.catalogues` and translate"


@once_translated
@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_in_every_plural_form_and_surely(language: str) -> None:
    forms = CONSOLE.read(language).num_plurals
    for message in messages(language):
        assert not message.fuzzy, message.id
        assert all(texts(message.string)), message.id
        assert len(texts(message.string)) == (forms if message.pluralizable else 1), message.id


@once_translated
@pytest.mark.parametrize("language", OTHERS)
def test_translations_hold_the_same_placeholders(language: str) -> None:
    for message in messages(language):
        wanted = set().union(*map(placeholders, ids(message)))
        for text in texts(message.string):
            may_lack = {"count"} & wanted if language not in SEVERAL_NUMBERS_A_FORM else set()
            assert wanted - placeholders(text) <= may_lack, text
            assert placeholders(text) <= wanted, text


@once_translated
@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_as_its_own_updating_writes_it(language: str, tmp_path: Path) -> None:
    before = CONSOLE.path(language).read_bytes()
    assert write(CONSOLE, CONSOLE.read(language), language, tmp_path).read_bytes() == before


def test_updating_keeps_translations_and_drops_what_is_said_no_more(tmp_path: Path) -> None:
    found = extracted(CONSOLE, ALSO)
    catalogue = updated(CONSOLE, "fr", found)
    catalogue["Sign in"].string = "Se connecter"
    found.delete("Sign out")
    catalogue.update(found, no_fuzzy_matching=True)
    text = write(CONSOLE, catalogue, "fr", tmp_path).read_text(encoding="utf-8")
    assert 'msgid "Sign in"\nmsgstr "Se connecter"' in text
    assert 'msgid "Sign out"' not in text.split("#~")[0]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr-CA,fr;q=0.8,en;q=0.6", "fr"), ("pt-BR, zh-TW;q=0.9", "zh-Hans"), ("pt, ja", "en"), ("", "en"), ("*", "en"),
        ("de;q=0, es;q=0.1", "es"), ("en;q=0.1, ru", "ru"), ("q=;;,,;=", "en"), ("de;q=x", "en"), ("ru" * 9999, "en"),
    ],
)  # fmt: skip
def test_a_browser_is_answered_in_the_language_it_asks_for_first(header: str, language: str) -> None:
    assert asked_for(header) == language


def test_every_language_has_its_own_name() -> None:
    assert NATIVE_NAMES.keys() == LANGUAGES.keys()


def test_moments_are_told_by_the_visitors_clocks() -> None:
    assert Words.of("en", "Asia/Tokyo").moment(NOON) == "16 Nov 2026, 21:00"
    assert Words.of("en").moment(NOON, "Europe/Paris") == "16 Nov 2026, 13:00"
    assert Words.of("en", "Asia/Tokyo").today(NOON + timedelta(hours=4)).day == 17


def test_how_long_ago_something_was() -> None:
    words = Words.of("en")
    assert words.ago(NOON, NOON + timedelta(seconds=30)) == "just now"
    assert words.ago(NOON, NOON + timedelta(minutes=34)).replace("\N{NO-BREAK SPACE}", " ") == "34 min ago"


def test_nothing_is_nothing_in_every_language() -> None:
    assert {Words.of(language).text("") for language in LANGUAGES} == {""}


def test_a_language_that_is_not_spoken_is_answered_in_english() -> None:
    assert Words.of("tlh").language == "en"
