"""Whether a display name is a person's name, and the part of it a greeting uses."""

from collections.abc import Collection

import regex

from playbooks.model import NameStyle
from playbooks.values import clean, is_disguised, is_rude

MAX_NAME_CHARACTERS = 30
_MAX_RAW_CHARACTERS = 50 * MAX_NAME_CHARACTERS
_EDGES = " .-'’~*·•|_^"
# Emoji with their joiners, flags and selectors; a trade mark stays, for it tells a brand from a person.
_DECORATION = regex.compile(
    r"(?:(?![©®™])[\p{So}\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\ufe0e\ufe0f\u20e3]\u200d?)+"
)
_SCRIPTS = (
    r"\p{Latin}",
    r"\p{Cyrillic}",
    r"\p{Greek}",
    r"\p{Armenian}",
    r"\p{Georgian}",
    r"\p{Arabic}",
    r"\p{Hebrew}",
    r"\p{Devanagari}",
    r"\p{Bengali}",
    r"\p{Gurmukhi}",
    r"\p{Gujarati}",
    r"\p{Tamil}",
    r"\p{Telugu}",
    r"\p{Kannada}",
    r"\p{Malayalam}",
    r"\p{Thai}",
    r"\p{Hangul}",
    r"\p{Han}\p{Hiragana}\p{Katakana}々ー",
)
# Letters in circles and squares spell a name that nobody would write back; flags do not.
_ENCLOSED = regex.compile(r"[\u2460-\u24ff\u3200-\u32ff\U0001f100-\U0001f1e5\U0001f200-\U0001f2ff]")
_PERSON = regex.compile("|".join(rf"[{script}\p{{M}}\u200c\u200d'’ʼ.\-·・ ]+" for script in _SCRIPTS))
_EAST_ASIAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
# 田中 花子 is written 田中花子; a name in katakana alone is a foreign one and keeps its space.
_JOINED = regex.compile(r"[\p{Han}\p{Hiragana}]")
_CASED = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Armenian}]")
_WORD = regex.compile(r"\p{Lu}(?:[\p{Ll}\p{M}]|(?<=\b(?:Mc|Mac|De|Di|Du|La|Le|Fitz))\p{Lu}|['’ʼ\-]\p{L})+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    "dr mr mrs ms miss mx sir madam prof professor doctor dipl-ing herr frau hr fr m mm mme mlle monsieur madame "
    "mademoiselle sr sra srta señor señora don doña dhr mevr mevrouw ing ir mag dott dott.ssa sig sig.ra signor "
    "signora senhor senhora pan pani bay bayan sayın bapak ibu г-н г-жа д-р господин госпожа пан пані доктор "
    "профессор د الدكتور الدكتورة السيد السيدة श्री श्रीमती डॉ"
)
# A name that carries its own form of address, which the greeting would say twice.
_HONORIFIC = regex.compile(r"(?:さん|さま|様|ちゃん|くん|君|님|씨)$")
_PARTICLES = _words(
    "de del della di da dos das do du des van von der den ter ten la le el al bin ibn ben y e zu zur of af"
)
# Words that stand in display names of shops, fans, bots and deleted accounts rather than of people.
_NOT_NAMES = _words(
    "official news team fan fans club shop store support customer user anonymous anon admin the angry real king queen "
    "media radio online service help bot deleted facebook wechat telegram guest unknown someone nobody mama papa mom "
    "dad girl boy man lady officiel officielle utilisateur client cliente offiziell kunde nutzer usuario oficial "
    "anonimo anónimo anônimo utente ufficiale klant gebruiker użytkownik klient kullanıcı müşteri resmi pengguna "
    "аноним пользователь удаленный удалённый официальный магазин клиент покупатель анонім користувач клієнт покупець "
    "مستخدم مجهول زبون عميل उपयोगकर्ता ग्राहक 用户 用戶 微信用户 匿名 匿名用户 官方 客服 小编 顾客 顧客 "
    "ユーザー 名無し 公式 사용자 익명 공식 고객"
)


def addressee(author_name: str, handle: str | None, style: NameStyle, brand_words: Collection[str] = ()) -> str:
    """Return how to call the author, or "" where the display name does not look like a person's name.

    A handle is not a name. `style` is the locale's: the first name alone, or the whole name.
    """
    if _ENCLOSED.search(author_name[:_MAX_RAW_CHARACTERS]):
        return ""
    name = clean(_DECORATION.sub(" ", author_name[:_MAX_RAW_CHARACTERS]), MAX_NAME_CHARACTERS).strip(_EDGES)
    given = _without_initials(name.split())
    words = _without_titles(given)
    titled = len(words) < len(given)
    if not _is_person(words, handle, brand_words) or is_rude(name):
        return ""
    if _CASED.match(words[0]):
        words = _capitalised(words)
        if not all(_is_capitalised(word) for word in words):
            return ""
    # An East Asian name is never cut: which part is the family name, and whether it may stand alone, differs.
    if _EAST_ASIAN.match(words[0]):
        return ("" if _JOINED.search("".join(words)) else " ").join(words)
    # After a title a single word is the family name; where names are given whole, half of one is too familiar.
    if len(words) == 1 and (titled or style == "full"):
        return ""
    return words[0] if style == "first" else " ".join(words)


def _without_initials(words: list[str]) -> list[str]:
    """The last words of "Beat Z" or "Anna M. K." say nothing in a greeting."""
    while len(words) > 1 and len(_letters(words[-1])) == 1 and not _EAST_ASIAN.match(words[-1]):
        words = words[:-1]
    return words


def _without_titles(words: list[str]) -> list[str]:
    while words and words[0].casefold().rstrip(".") in _TITLES:
        words = words[1:]
    return words


def _is_person(words: list[str], handle: str | None, brand_words: Collection[str]) -> bool:
    whole = " ".join(words)
    if not 1 <= len(words) <= 3 or not _PERSON.fullmatch(whole):
        return False
    if _HONORIFIC.search(whole) or is_disguised(whole):
        return False
    if len(words) == 1 and handle and _letters(whole) == _letters(handle):
        return False
    if not _has_a_names_length(words):
        return False
    banned = {part.casefold() for phrase in brand_words for part in (phrase, *phrase.split())}
    return not any(word.casefold() in _NOT_NAMES or word.casefold() in banned for word in words) and not any(
        len(word) > 1 and not word.isascii() and word in whole for word in banned
    )


def _has_a_names_length(words: list[str]) -> bool:
    letters = [_letters(word) for word in words]
    if _EAST_ASIAN.match(words[0]):
        longest = 4 if regex.fullmatch(r"\p{Han}+", "".join(letters)) else 8
        return 2 <= sum(map(len, letters)) <= longest
    return len(letters[0]) >= 2 and all(1 <= len(word) <= 20 for word in letters)


def _capitalised(words: list[str]) -> list[str]:
    """Names shouted in capitals are written as names; one such word alone is more often an acronym."""
    if len(words) > 1 and all(word.isupper() for word in words):
        return [regex.sub(r"\p{L}[\p{L}\p{M}]*", lambda match: match[0].capitalize(), word) for word in words]
    return words


def _is_capitalised(word: str) -> bool:
    return word in _PARTICLES or bool(_WORD.fullmatch(word)) or bool(regex.fullmatch(r"\p{Lu}\.?", word))


def _letters(text: str) -> str:
    return str(regex.sub(r"[^\p{L}\p{M}]+", "", text)).casefold()
