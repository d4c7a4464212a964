"""What can be wrong with the wording of one text, in any locale: script, spaces, links, register, words to avoid."""

from collections.abc import Iterable, Iterator, Mapping

import regex

from listener.config import Voice
from listener.sentences import Sentence, counted, sentence
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
_LINKED = sentence("holds a link; links are added by the hand-off alone")


def layout_faults(text: str) -> Iterator[Sentence]:
    """Yield what is wrong with a rendered text as such: spaces, brackets, links, marks that nobody sees."""
    if not regex.search(r"\w", text.replace(BARE_SIGNATURE, "")):
        yield sentence("renders to nothing; write a sentence")
    if text != text.strip() or _SPACES.search(text):
        yield sentence("renders with double or outer spaces; move the space inside the condition")
    if _SPACE_BEFORE_MARK.search(text):
        yield sentence("renders with a plain space before a punctuation mark; remove it (French: a no-break space)")
    if _EMPTY_BRACKETS.search(text):
        yield sentence("renders with empty brackets; move them inside the condition")
    if found := _LEFT_OVER.search(text):
        yield sentence(
            "shows '{found}' to the customer; write a placeholder as {placeholder}, and no gap to fill in",
            found=found[0],
            placeholder="{{ name }}",
        )
    if found := _SHORTENER.search(text):
        yield sentence(
            "holds a shortened link ({found}), which hides where it leads; links are added by the hand-off alone",
            found=found[0],
        )
    elif _LINK.search(text):
        yield _LINKED
    if _DIRECTION_MARK.search(text):
        yield sentence("holds a mark that turns the direction of writing; remove it, networks do without")
    if _INVISIBLE.search(text):
        yield sentence("holds an invisible character; write it anew")


def script_faults(text: str, locale: str) -> Iterator[Sentence]:
    """Yield whether a text is in another script than its locale, or has letters of its neighbour."""
    base = locale.split("-")[0]
    letters = _LETTER.findall(text)
    own = len(_SCRIPTS.get(base, _LATIN).findall("".join(letters)))
    if letters and own < _SCRIPT_SHARE * len(letters) and len(letters) > 3:
        yield sentence("is not in the script of '{locale}'", locale=locale)
    if base == "ja" and len(letters) > 5 and not regex.search(r"[\p{Hiragana}\p{Katakana}]", text):
        yield sentence("has no kana, so it is not '{locale}'", locale=locale)
    foreign = sorted(set(_foreign_letters(locale)) & set(text.casefold()) - _shared_han(locale))
    if foreign:
        yield sentence(
            "has letters that '{locale}' does not write: {letters}", locale=locale, letters=" ".join(foreign)
        )


def _foreign_letters(locale: str) -> str:
    if locale in _TRADITIONAL:
        return _FOREIGN_LETTERS["zh-Hant"]
    return _FOREIGN_LETTERS.get(locale, "") or _FOREIGN_LETTERS.get(locale.split("-")[0], "")


def _shared_han(locale: str) -> set[str]:
    """Characters that stand in both Chinese lists because both scripts write them."""
    both = set(_FOREIGN_LETTERS["zh"]) & set(_FOREIGN_LETTERS["zh-Hant"])
    return both if locale.startswith("zh") else set()


def register_faults(text: str, locale: str, register: str) -> Iterator[Sentence]:
    """Yield whether a text addresses its reader in another way than its locale does."""
    if found := foreign_form(text, locale, register):
        yield sentence(
            "says '{found}', which is not the register of '{locale}' ({register})",
            found=found,
            locale=locale,
            register=register,
        )


def word_faults(text: str, locale: str, lists: Mapping[str, WordList], voices: Iterable[Voice]) -> Iterator[Sentence]:
    """Yield words that promise, blame, or that a brand never uses; and what its tone does not allow."""
    if found := _found(lists, "promise", text, locale):
        yield sentence("promises ('{found}') what nobody has confirmed yet; say what is done instead", found=found)
    if found := _found(lists, "blame", text, locale):
        yield sentence(
            "blames or makes light of it ('{found}'); say what happened to the customer instead", found=found
        )
    for voice in voices:
        yield from voice_faults(text, locale, voice)


def _found(lists: Mapping[str, WordList], name: str, text: str, locale: str) -> str:
    return lists[name].found_in(text, locale) if name in lists else ""


def voice_faults(text: str, locale: str, voice: Voice) -> Iterator[Sentence]:
    """Yield what `brand.yaml` does not allow in a text."""
    for language in dict.fromkeys(("en", locale.split("-")[0], locale)):
        words = voice.never.get(language, ())
        if words and (found := WordList("never", {language: words}).found_in(text, language)):
            yield sentence("says '{found}', which {brand} never does (brand.yaml)", found=found, brand=voice.signature)
    if not voice.tone.emoji and _EMOJI.search(text):
        yield sentence("holds an emoji; the tone of {brand} has none (brand.yaml)", brand=voice.signature)
    marks, most = len(_EXCLAMATION.findall(text)), voice.tone.exclamation_marks
    if marks > most:
        yield counted(
            "has {count} exclamation mark; the tone of {brand} has {most} at most (brand.yaml)",
            "has {count} exclamation marks; the tone of {brand} has {most} at most (brand.yaml)",
            marks,
            brand=voice.signature,
            most=most,
        )


def own_faults(voice: Voice, lists: Mapping[str, WordList]) -> Iterator[tuple[str, Sentence]]:
    """Yield what is wrong with the brand's own lines, each with its key in `brand.yaml`."""
    for key, text in (("signature", voice.signature), ("phrase", voice.phrase)):
        if found := _SHORTENER.search(text):
            yield key, _shortened(found[0])
        elif _LINK.search(text):
            yield key, _LINKED
        languages = ("en", *voice.never)  # it stands so in all languages
        yield from ((key, fault) for language in languages for fault in word_faults(text, language, lists, [voice]))
    for country, contact in voice.contacts.items():
        if found := _SHORTENER.search(contact.channel):
            yield f"contacts.{country}.channel", _shortened(found[0])


def _shortened(link: str) -> Sentence:
    return sentence("holds a shortened link ({link}), which hides where it leads", link=link)
