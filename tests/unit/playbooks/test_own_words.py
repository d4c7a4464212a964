"""The customer's own words: one whole clause, or none."""

from collections.abc import Sequence

import pytest

from playbooks.library import PlaybookLibrary
from playbooks.own_words import own_words as quotable_words

UNQUOTABLE = PlaybookLibrary.load().contents.rules.lists["unquotable"]


def own_words(text: str, words: Sequence[str], language: str) -> str:
    return quotable_words(text, words, language, UNQUOTABLE)


@pytest.mark.parametrize(
    ("text", "words", "language", "quoted"),
    [
        ("@acme Hello, my case never came to Oslo. What now?", ["case", "never"], "en", "my case never came to Oslo"),
        ("Bonjour, toujours pas de remboursement ! Honte.", ["pas"], "fr", "toujours pas de remboursement"),
        ("快递三天没动，客服没人接", ["没动"], "zh", "快递三天没动"),
        ("Чайник потёк, и вода на полу.", ["потёк"], "ru", "Чайник потёк"),
        ("الطلب لم يصل، ولا أحد يرد", ["يصل"], "ar", "الطلب لم يصل"),
        ("डिलीवरी अब तक नहीं आई। कृपया देखें", ["नहीं", "आई"], "hi", "डिलीवरी अब तक नहीं आई"),
        ("Mein Paket kam nie an. Was nun?", ["nie"], "de", "Mein Paket kam nie an"),
        ("¿Dónde está mi pedido?", ["pedido"], "es", "Dónde está mi pedido"),
        ("Paczka nie dotarła do paczkomatu!", ["dotarła"], "pl", "Paczka nie dotarła do paczkomatu"),
        ("Kargom bir haftadır gelmedi.", ["gelmedi"], "tr", "Kargom bir haftadır gelmedi"),
        ("Paket saya belum sampai juga", ["belum"], "id", "Paket saya belum sampai juga"),
        ("サブスクを解約できない。困る", ["解約"], "ja", "サブスクを解約できない"),
        ("예약이 갑자기 취소됐어요.", ["취소"], "ko", "예약이 갑자기 취소됐어요"),
        ("Посилка так і не прийшла.", ["прийшла"], "uk", "Посилка так і не прийшла"),
        ("Il pacco non arriva da settimane.", ["arriva"], "it", "Il pacco non arriva da settimane"),
        ("A encomenda nunca chegou cá.", ["nunca"], "pt", "A encomenda nunca chegou cá"),
        ("Mijn pakket is nooit aangekomen.", ["nooit"], "nl", "Mijn pakket is nooit aangekomen"),
        ("這台機器用兩天就壞了", ["壞了"], "zh-Hant", "這台機器用兩天就壞了"),
        ("کتاب‌ها هنوز نرسیده است", ["هنوز"], "fa", "کتاب‌ها هنوز نرسیده است"),
    ],
)  # fmt: skip
def test_the_clause_with_the_highlighted_words_is_quoted(
    text: str, words: list[str], language: str, quoted: str
) -> None:
    assert own_words(text, words, language) == quoted


@pytest.mark.parametrize(
    "text",
    [
        "late",  # a word is no clause
        "my order number 123456789 is late",  # figures may be anybody's
        "see @other_person who also waits",
        "my parcel is late https://example.com/x",
        "WHERE IS MY PARCEL THAT IS LATE",
        "late " * 20,  # half of a long one could say the opposite
        "my credit card was charged late",  # names personal data
        "so late 😡 again",
        "it is late <b>now</b> again",
    ],
)
def test_what_should_not_be_repeated_is_not_quoted(text: str) -> None:
    assert own_words(text, ["late"], "en") == ""


def test_without_highlighted_words_nothing_is_quoted() -> None:
    assert own_words("my suitcase never arrived", [], "en") == ""
    assert own_words("my suitcase never arrived", ["refund"], "en") == ""


def test_invisible_and_turning_characters_do_not_get_into_the_quotation() -> None:
    assert own_words("my\u202e suit\u200bcase never arrived", ["never"], "en") == "my suitcase never arrived"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("call me late at 555 123", "en"),
        ("late since ٠٩:٣٠ today", "ar"),
        ("late since １２ today", "en"),
        ("late in year Ⅻ again", "en"),
        ("late in year XIV again", "en"),
        ("late by ② whole days", "en"),
        ("late so call five five five one two", "en"),
        ("late, zero six douze trente late", "fr"),
        ("late null-eins-sieben-sechs anrufen", "de"),
        ("late eins zwei drei vier", "de"),
        ("late ноль девять один", "ru"),
        ("快递late一三八零零", "zh"),
        ("配達late〇九〇一二", "ja"),
        ("late 공일공 일이삼사 전화", "ko"),
        ("late so mail john at example dot org", "en"),
        ("late martin arobase exemple point fr", "fr"),
        ("late anna klammeraffe beispiel punkt de", "de"),
        ("late mario chiocciola posta punto it", "it"),
        ("late иван собака почта точка ру", "ru"),
        ("late and john on gmail knows", "en"),
        ("late my password is hunter", "en"),
        ("late mein Passwort ist Sommer", "de"),
        ("late mon mot de passe est azur", "fr"),
        ("late at Lindenstraße again", "de"),
        ("密码是late夏天", "zh"),
    ],
)
def test_numbers_addresses_and_secrets_are_not_quoted(text: str, language: str) -> None:
    assert own_words(text, ["late"], language) == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("late you stupid idiots", "en"),
        ("late you stuuuupid people", "en"),
        ("late you f u c k again", "en"),
        ("late you fuсking people", "en"),  # a Cyrillic letter
        ("late you 𝓕𝓾𝓬𝓴 people", "en"),
        ("late ihr Arschlöcher seid", "de"),
        ("late bande de connards va", "fr"),
        ("late вы мудаки просто", "ru"),
        ("快递late垃圾公司", "zh"),
        ("配達lateバカ会社", "ja"),
        ("late for my mother's funeral", "en"),
        ("late while my son has cancer", "en"),
        ("late und meine Mutter ist tot", "de"),
        ("late alors que je suis malade", "fr"),
        ("late and Mr Smith laughed", "en"),
        ("Dr. Miller was late again today", "en"),
        ("M. Dupont est late encore", "fr"),
        ("late says Peter Smith there", "en"),
        ("late weil Frau Weber schläft", "de"),
        ("late сказала Анна Петровна", "ru"),
        ("late because anna ивановна slept", "ru"),
        ("田中さんがlateです", "ja"),
        ("thanks for being late again", "en"),
        ("late again and well done", "en"),
        ("late again *today* again", "en"),
        ("my `late` parcel came", "en"),
        ("my late & lost parcel", "en"),
        ("my late (and lost) parcel", "en"),
        ("my late parcel;lost again", "en"),
        ("my late~lost parcel again", "en"),
        ("late 🇫🇷 parcel again", "en"),
        ("late\u200d parcel\u200c again", "en"),
        ("la\u0316\u0317\u0318te parcel late", "en"),
        ("l\u0336ate parcel late", "en"),
        ("late parcel \u3164 again", "en"),
    ],
)
def test_insults_griefs_names_sarcasm_and_disguises_are_not_quoted(text: str, language: str) -> None:
    assert own_words(text, ["late", "was", "est"], language) == ""


def test_every_language_of_the_library_has_words_that_are_not_quoted() -> None:
    from playbooks.locales import LANGUAGE_NAMES

    assert set(UNQUOTABLE.words) == set(LANGUAGE_NAMES)
    assert min(map(len, UNQUOTABLE.words.values())) > 60
