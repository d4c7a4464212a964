"""How a first name is called in languages that have a form for it: Анно, Андрію; Anno, Marku.

By the endings of Polish and Ukrainian grammar; a name that follows none of them keeps no greeting by name.
"""

from collections.abc import Mapping

import regex

# Ending and what takes its place; the longest that fits decides, and "" leaves the name out.
ENDINGS: Mapping[str, Mapping[str, str]] = {
    "uk": {
        "ілля": "ілле",
        "лев": "леве",
        "олег": "олеже",
        "ко": "ку",
        "о": "е",
        "ео": "",
        "іо": "",
        "йо": "",
        "ьо": "",
        "а": "о",
        "еа": "",
        "іа": "",
        "я": "ю",
        "ая": "ає",
        "ея": "еє",
        "ія": "іє",
        "їя": "їє",
        "йя": "йє",
        "оя": "оє",
        "уя": "ує",
        "'я": "'є",
        "’я": "’є",
        "ʼя": "ʼє",
        "й": "ю",
        "ь": "ю",
        "ель": "",
        "к": "ку",
        "ів": "",
        "ір": "",
        **{letter: f"{letter}е" for letter in "бвдзлмнпрстф"},
    },
    "pl": {
        "i": "i",
        "y": "y",
        "e": "e",
        "a": "o",
        "ea": "",
        "oa": "",
        "ua": "",
        "ya": "",
        "aja": "",
        "eja": "",
        "oja": "",
        "cia": "",
        "nia": "",
        "sia": "siu",
        "tasia": "",
        "zia": "ziu",
        "ek": "ku",
        "iek": "",
        "ciek": "ćku",
        "niek": "ńku",
        "siek": "śku",
        "ziek": "źku",
        "k": "ku",
        "eł": "",
        "aweł": "awle",
        "ł": "le",
        "l": "lu",
        "r": "rze",
        "ksander": "ksandrze",
        "xander": "xandrze",
        "kacper": "kacprze",
        "cz": "czu",
        "rz": "rzu",
        "sz": "szu",
        "ch": "chu",
        "d": "dzie",
        "st": "ście",
        "t": "cie",
        "n": "nie",
        "m": "mie",
        "w": "wie",
        "f": "fie",
        "p": "pie",
        "b": "bie",
        "s": "sie",
        "g": "gu",
        "j": "ju",
        "ń": "niu",
        "ś": "siu",
    },
}
_LETTERS = {
    "uk": regex.compile(r"\p{Lu}[а-щьюяєіїґ'’ʼ]+"),
    "pl": regex.compile(r"\p{Lu}[a-ząćęłńóśźż]+"),
}
_POLISH_PET_NAMES = (
    "Ala", "Ela", "Hela", "Jola", "Ola", "Ula",
    "Ania", "Frania", "Genia", "Hania", "Jania", "Mania", "Renia",
)  # fmt: skip
# Women's names that end in a consonant stay as they are, and are easily taken for a man's.
_UNCHANGING = {
    "uk": (
        "Агнес", "Аліс", "Елізабет", "Естер", "Жаклін", "Ірен", "Інгрід", "Кармен", "Катрін", "Мадлен", "Маріам",
        "Міріам", "Ніколь", "Рут",
    ),
    "pl": (
        "Abigail", "Agnes", "Astrid", "Carmen", "Derek", "Dolores", "Doris", "Edith", "Ester", "Ingrid", "Iris",
        "Isabel", "Jennifer", "Karin", "Karmen", "Kim", "Lauren", "Lew", "Megan", "Mercedes", "Miriam", "Nel", "Nikol",
        "Noel", "Rachel", "Rut", "Vivian", "Vivien",
    ),
}  # fmt: skip
# What no ending tells: "" where usage differs, so that the name is left out.
_BY_NAME: Mapping[str, Mapping[str, str]] = {
    "uk": {
        **dict.fromkeys(_UNCHANGING["uk"], ""),
        "Антін": "Антоне",
        "Нестір": "Несторе",
        "Ничипір": "Ничипоре",
        "Прокіп": "Прокопе",
        "Сидір": "Сидоре",
        "Тиміш": "Тимоше",
        "Федір": "Федоре",
        "Яків": "Якове",
    },
    "pl": {
        **dict.fromkeys(_UNCHANGING["pl"], ""),
        **{name: f"{name[:-1]}u" for name in _POLISH_PET_NAMES},
        "Antonia": "Antonio",
        "Apolonia": "Apolonio",
        "Eugenia": "Eugenio",
        "Fela": "",
        "Ksenia": "Ksenio",
        "Lala": "",
        "Lila": "",
        "Maja": "Maju",
        "Mela": "",
        "Melania": "Melanio",
        "Mila": "",
        "Pola": "",
        "Sonia": "Sonio",
        "Stefania": "Stefanio",
        "Wiola": "",
    },
}


def vocative(name: str, locale: str) -> str:
    """Return how somebody of this first name is called; the name itself where the language has no such form.

    "" where the name fits no ending of the language, so that nobody is called wrongly.
    """
    language = locale.split("-")[0]
    if language not in ENDINGS:
        return name
    if not _LETTERS[language].fullmatch(name):
        return ""
    known = _BY_NAME[language]
    return known[name] if name in known else _by_ending(name, ENDINGS[language])


def _by_ending(name: str, endings: Mapping[str, str]) -> str:
    folded = name.casefold()
    for start in range(len(folded)):
        new = endings.get(folded[start:])
        if new is not None:
            return name[:start] + (new if start else new.capitalize()) if new else ""
    return ""
