"""Changes a text in ways that leave its labels as they are, so that the model reads more than it was shown."""

import re
import unicodedata
from random import Random

from classifiers.text import HANDLE, LINK

_HANDLES = re.compile(rf"\s*{HANDLE}\b\s*")
_SYMBOLS = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff\ufe0f]+")
_BRANDS = re.compile(
    r"\b(?:yunfan|skybird(?: ?air)?|deutsche bahn|telekom|free(?:box)?(?= mobile\b)|claro|rozetka|iphone|ipad"
    r"|google|apple|samsung|amazon|orange|sfr|bouygues"
    r"|юньфань|розетка|мтс|билайн|мегафон|теле2|сбербанк\w?|втб|райффайзен\w*)\b"
    r"|云帆|雲帆|美团|百度|京东|淘宝",
    re.IGNORECASE,
)
_LATIN = ("Vodafone", "Acme", "Nordika", "Lumo", "Castello", "Bright", "Zenvo", "Arcadia", "Tavola", "brand")
_CYRILLIC = ("Ростелеком", "Лидер", "Восход", "Альфа", "Вектор", "Заря")
_HAN = ("华星", "永康", "乐購", "天润", "小鹿", "明德")
_SHARES = {"brand": 0.7, "handle": 0.3, "case": 0.12, "marks": 0.08, "typos": 0.12, "symbols": 0.06, "end": 0.1}


def augment(text: str, random: Random) -> str:
    """Return `text` with brands, handles, casing, diacritics, letters or emoji changed, each with a small chance."""
    changes = {
        "brand": _other_brands,
        "handle": _other_handles,
        "case": _other_case,
        "marks": _without_marks,
        "typos": _mistyped,
        "symbols": _without_symbols,
        "end": _other_end,
    }
    changed = text
    for name, change in changes.items():
        if random.random() < _SHARES[name]:
            changed = change(changed, random)
    return changed.strip() or text


def _other_brands(text: str, random: Random) -> str:
    # A brand named in most of a set's complaints would otherwise become a sign of complaint.
    return _BRANDS.sub(lambda match: random.choice(_names_like(match.group())), text)


def _names_like(brand: str) -> tuple[str, ...]:
    if brand.isascii():
        return _LATIN
    return _CYRILLIC if "\u0400" <= brand[0] <= "\u04ff" else _HAN


def _other_handles(text: str, random: Random) -> str:
    if HANDLE in text:
        return _HANDLES.sub(" ", text).strip()
    return f"{HANDLE} {text}" if random.random() < 0.7 else f"{text} {LINK}"


def _other_case(text: str, random: Random) -> str:
    return text.upper() if random.random() < 0.25 else text.lower()


def _without_marks(text: str, _random: Random) -> str:
    # Marks are spelling in these scripts only; elsewhere they are letters of their own.
    if not any("\u00c0" <= character <= "\u024f" or character in "ёЁ" for character in text):
        return text
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not "\u0300" <= one <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def _mistyped(text: str, random: Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 60)):
        at = random.randrange(len(letters)) if letters else 0
        if at + 1 < len(letters) and letters[at].isalpha() and letters[at + 1].isalpha():
            kind = random.random()
            if kind < 0.4:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            elif kind < 0.7:
                del letters[at]
            else:
                letters.insert(at, letters[at])
    return "".join(letters)


def _without_symbols(text: str, _random: Random) -> str:
    return _SYMBOLS.sub("", text)


def _other_end(text: str, random: Random) -> str:
    bare = text.rstrip(" .!?…。！？")
    return bare + random.choice(("", "", ".", "!", "...", "!!")) if bare else text
