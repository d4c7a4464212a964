"""What can be wrong with the wording of one text, in any locale: script, spaces, links, register, words to avoid."""

from collections.abc import Iterable, Iterator, Mapping

import regex

from listener.config import Voice
from playbooks.loading import BARE_SIGNATURE
from playbooks.registers import foreign_form
from playbooks.rules import WordList

_SCRIPTS = {
    language: regex.compile(pattern)
    for language, pattern in {
        "ru": r"\p{Cyrillic}",
        "uk": r"\p{Cyrillic}",
        "ar": r"\p{Arabic}",
        "hi": r"\p{Devanagari}",
        "ko": r"\p{Hangul}",
        "ja": r"[\p{Han}\p{Hiragana}\p{Katakana}ー]",
        "zh": r"\p{Han}",
    }.items()
}
_LATIN = regex.compile(r"\p{Latin}")
_LETTER = regex.compile(r"\p{L}|ー")
_SCRIPT_SHARE = 0.85
# Letters that the locale's neighbour writes and it does not.
_FOREIGN_LETTERS = {
    "ru": "іїєґ",
    "uk": "ыэёъ",
    "zh": "們個這為與時會來說麼對應還關請問題訊聯繫謝讓給過機開買賣損壞處",
    "de-CH": "ß",
    "zh-Hant": "们个这为与时会来说么对应还关请问题讯联系谢让给过机开买卖损坏处",
}
_TRADITIONAL = ("zh-TW", "zh-HK", "zh-MO")
_LINK = regex.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|net|org|io|ru|cn|me|co|fr|de|be|nl|jp|kr|app|link)\b", regex.IGNORECASE
)
_SPACES = regex.compile(r" {2,}|[\n\t]")
_SPACE_BEFORE_MARK = regex.compile(r"[ \t]+[,.;:!?…،؛؟。，！？；：、।)]")
_EMPTY_BRACKETS = regex.compile(r"\(\s*\)|（\s*）|«\s*»|“\s*”|「\s*」")
_LEFT_OVER = regex.compile(r"[{}]|\[\p{Lu}[\p{Lu}\p{N} _-]*\]")
_SHORTENER = regex.compile(
    r"\b(?:bit\.ly|t\.co|goo\.gl|tinyurl\.com|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|clck\.ru|vk\.cc|t\.cn|dwz\.cn|"
    r"url\.cn|me2\.do|han\.gl|lnkd\.in|fb\.me|wa\.link|s\.id|rb\.gy|shorturl\.at)(?:/\S*)?",
    regex.IGNORECASE,
)
_DIRECTION_MARK = regex.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = regex.compile(r"[\u00ad\u200b\u2060\ufeff]")
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\ufe0f")
_EXCLAMATION = regex.compile(r"[!！]")


def layout_faults(text: str) -> Iterator[str]:
    """Yield what is wrong with a rendered text as such: spaces, brackets, links, marks that nobody sees."""
    if not regex.search(r"\w", text.replace(BARE_SIGNATURE, "")):
        yield "renders to nothing; write a sentence"
    if text != text.strip() or _SPACES.search(text):
        yield "renders with double or outer spaces; move the space inside the condition"
    if _SPACE_BEFORE_MARK.search(text):
        yield "renders with a plain space before a punctuation mark; remove it (French: a no-break space)"
    if _EMPTY_BRACKETS.search(text):
        yield "renders with empty brackets; move them inside the condition"
    if found := _LEFT_OVER.search(text):
        yield f"shows '{found[0]}' to the customer; write a placeholder as {{{{ name }}}}, and no gap to fill in"
    if found := _SHORTENER.search(text):
        yield f"holds a shortened link ({found[0]}), which hides where it leads; links are added by the hand-off alone"
    elif _LINK.search(text):
        yield "holds a link; links are added by the hand-off alone"
    if _DIRECTION_MARK.search(text):
        yield "holds a mark that turns the direction of writing; remove it, networks do without"
    if _INVISIBLE.search(text):
        yield "holds an invisible character; write it anew"


def script_faults(text: str, locale: str) -> Iterator[str]:
    """Yield whether a text is in another script than its locale, or has letters of its neighbour."""
    base = locale.split("-")[0]
    letters = _LETTER.findall(text)
    own = len(_SCRIPTS.get(base, _LATIN).findall("".join(letters)))
    if letters and own < _SCRIPT_SHARE * len(letters) and len(letters) > 3:
        yield f"is not in the script of '{locale}'"
    if base == "ja" and len(letters) > 5 and not regex.search(r"[\p{Hiragana}\p{Katakana}]", text):
        yield f"has no kana, so it is not '{locale}'"
    foreign = sorted(set(_foreign_letters(locale)) & set(text.casefold()) - _shared_han(locale))
    if foreign:
        yield f"has letters that '{locale}' does not write: {' '.join(foreign)}"


def _foreign_letters(locale: str) -> str:
    if locale in _TRADITIONAL:
        return _FOREIGN_LETTERS["zh-Hant"]
    return _FOREIGN_LETTERS.get(locale, "") or _FOREIGN_LETTERS.get(locale.split("-")[0], "")


def _shared_han(locale: str) -> set[str]:
    """Characters that stand in both Chinese lists because both scripts write them."""
    both = set(_FOREIGN_LETTERS["zh"]) & set(_FOREIGN_LETTERS["zh-Hant"])
    return both if locale.startswith("zh") else set()


def register_faults(text: str, locale: str, register: str) -> Iterator[str]:
    """Yield whether a text addresses its reader in another way than its locale does."""
    if found := foreign_form(text, locale, register):
        yield f"says '{found}', which is not the register of '{locale}' ({register})"


def word_faults(text: str, locale: str, lists: Mapping[str, WordList], voices: Iterable[Voice]) -> Iterator[str]:
    """Yield words that promise, blame, or that a brand never uses; and what its tone does not allow."""
    if found := _found(lists, "promise", text, locale):
        yield f"promises ('{found}') what nobody has confirmed yet; say what is done instead"
    if found := _found(lists, "blame", text, locale):
        yield f"blames or makes light of it ('{found}'); say what happened to the customer instead"
    for voice in voices:
        yield from voice_faults(text, locale, voice)


def _found(lists: Mapping[str, WordList], name: str, text: str, locale: str) -> str:
    return lists[name].found_in(text, locale) if name in lists else ""


def voice_faults(text: str, locale: str, voice: Voice) -> Iterator[str]:
    """Yield what `brand.yaml` does not allow in a text."""
    for language in dict.fromkeys(("en", locale.split("-")[0], locale)):
        words = voice.never.get(language, ())
        if words and (found := WordList("never", {language: words}).found_in(text, language)):
            yield f"says '{found}', which {voice.signature} never does (brand.yaml)"
    if not voice.tone.emoji and _EMOJI.search(text):
        yield f"holds an emoji; the tone of {voice.signature} has none (brand.yaml)"
    marks, most = len(_EXCLAMATION.findall(text)), voice.tone.exclamation_marks
    if marks > most:
        yield f"has {marks} exclamation marks; the tone of {voice.signature} has {most} at most (brand.yaml)"


def own_faults(voice: Voice, lists: Mapping[str, WordList]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the brand's own lines, each with its key in `brand.yaml`."""
    for key, text in (("signature", voice.signature), ("phrase", voice.phrase)):
        if found := _SHORTENER.search(text):
            yield key, f"holds a shortened link ({found[0]}), which hides where it leads"
        elif _LINK.search(text):
            yield key, "holds a link; links are added by the hand-off alone"
        languages = ("en", *voice.never)  # it stands so in all languages
        yield from ((key, fault) for language in languages for fault in word_faults(text, language, lists, [voice]))
    for country, contact in voice.contacts.items():
        if found := _SHORTENER.search(contact.channel):
            yield f"contacts.{country}.channel", f"holds a shortened link ({found[0]}), which hides where it leads"
