"""Names in the form in which people are called."""

import pytest

from playbooks.vocative import ENDINGS, vocative


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Олена", "Олено"), ("Ольга", "Ольго"), ("Марія", "Маріє"), ("Софія", "Софіє"), ("Наталя", "Наталю"),
        ("Катя", "Катю"), ("Дар'я", "Дар'є"), ("Ілля", "Ілле"), ("Іван", "Іване"), ("Олександр", "Олександре"),
        ("Максим", "Максиме"), ("Андрій", "Андрію"), ("Сергій", "Сергію"), ("Матвій", "Матвію"), ("Петро", "Петре"),
        ("Дмитро", "Дмитре"), ("Михайло", "Михайле"), ("Марко", "Марку"), ("Олег", "Олеже"), ("Ігор", "Ігоре"),
        ("Василь", "Василю"), ("Тетяна", "Тетяно"), ("Юлія", "Юліє"), ("Роман", "Романе"), ("Тарас", "Тарасе"),
        ("Яків", "Якове"), ("Федір", "Федоре"), ("Антін", "Антоне"), ("Зоя", "Зоє"), ("Майя", "Майє"),
        ("Марк", "Марку"), ("Лев", "Леве"), ("Левко", "Левку"), ("Микола", "Миколо"), ("Сашко", "Сашку"),
        ("Валентин", "Валентине"), ("Володимир", "Володимире"), ("Любов", "Любове"), ("Раїса", "Раїсо"),
        ("Владик", "Владику"),
    ],
)  # fmt: skip
def test_ukrainian_names_are_called_in_their_own_form(name: str, called: str) -> None:
    assert vocative(name, "uk") == called


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Anna", "Anno"), ("Katarzyna", "Katarzyno"), ("Maria", "Mario"), ("Julia", "Julio"), ("Kasia", "Kasiu"),
        ("Basia", "Basiu"), ("Ola", "Olu"), ("Ela", "Elu"), ("Izabela", "Izabelo"), ("Sonia", "Sonio"),
        ("Marek", "Marku"), ("Jacek", "Jacku"), ("Piotr", "Piotrze"), ("Jan", "Janie"), ("Adam", "Adamie"),
        ("Tomasz", "Tomaszu"), ("Krzysztof", "Krzysztofie"), ("Paweł", "Pawle"), ("Michał", "Michale"),
        ("Robert", "Robercie"), ("Dawid", "Dawidzie"), ("Grzegorz", "Grzegorzu"), ("Maciej", "Macieju"),
        ("Łukasz", "Łukaszu"), ("Wojciech", "Wojciechu"), ("Jakub", "Jakubie"), ("Antoni", "Antoni"),
        ("Jerzy", "Jerzy"), ("Stanisław", "Stanisławie"), ("Kamil", "Kamilu"), ("Bartosz", "Bartoszu"),
        ("Aleksander", "Aleksandrze"), ("Kacper", "Kacprze"), ("Walter", "Walterze"), ("Paula", "Paulo"),
        ("Nikola", "Nikolo"), ("Adela", "Adelo"), ("Pamela", "Pamelo"), ("Angela", "Angelo"), ("Ala", "Alu"),
        ("Ula", "Ulu"), ("Jola", "Jolu"), ("Czesiek", "Cześku"), ("Wiesiek", "Wieśku"), ("Heniek", "Heńku"),
        ("Maciek", "Maćku"), ("Krzysiek", "Krzyśku"), ("Władziek", "Władźku"), ("Daniel", "Danielu"),
        ("Józef", "Józefie"), ("Ania", "Aniu"), ("Natalia", "Natalio"), ("Alicja", "Alicjo"), ("Zuzia", "Zuziu"),
        ("Jadzia", "Jadziu"), ("Franciszek", "Franciszku"), ("Andrzej", "Andrzeju"), ("August", "Auguście"),
    ],
)  # fmt: skip
def test_polish_names_are_called_in_their_own_form(name: str, called: str) -> None:
    assert vocative(name, "pl") == called


@pytest.mark.parametrize("locale", ["uk", "pl"])
def test_who_could_be_called_wrongly_is_not_called(locale: str) -> None:
    assert vocative("Xavier", locale) == ("" if locale == "uk" else "Xavierze")
    assert vocative("山田", locale) == ""


@pytest.mark.parametrize(
    ("name", "locale"),
    [
        ("Mela", "pl"), ("Anastasia", "pl"), ("Lucia", "pl"), ("Andrea", "pl"), ("Maya", "pl"), ("Bruno", "pl"),
        ("Derek", "pl"), ("Noah", "pl"), ("Carmen", "pl"), ("Карл Ґ", "uk"), ("Еліх", "uk"), ("Адель", "uk"),
        ("Антоніо", "uk"), ("Касянір", "uk"), ("Кармен", "uk"),
    ],
)  # fmt: skip
def test_a_name_that_follows_no_safe_rule_is_left_out(name: str, locale: str) -> None:
    assert vocative(name, locale) == ""


@pytest.mark.parametrize(("language", "ending"), [(one, ending) for one in ENDINGS for ending in ENDINGS[one]])
def test_no_ending_is_hidden_by_another(language: str, ending: str) -> None:
    stem = {"uk": "Ґжж", "pl": "Żbb"}[language]
    new = ENDINGS[language][ending]
    assert vocative(stem + ending, language) == (stem + new if new else "")


def test_other_languages_leave_names_as_they_are() -> None:
    assert vocative("Олена", "ru") == "Олена"
    assert vocative("Anna", "de-AT") == "Anna"
