"""Forms of address that do not go together: a text that says both `vous` and `tu` was written by two people."""

from collections.abc import Mapping

import regex

# For each language: how a register is named in `_phrases`, and the words that do not belong to it. Registers are found
# by the first word of the name; what is not listed is not checked.
_FOREIGN: Mapping[str, Mapping[str, str]] = {
    "fr": {"vous": r"\b(?:tu|toi|ton|tes|te)\b|\bt['’](?=\p{L})", "tu": r"\b(?:vous|votre|vos|vôtre)\b"},
    "de": {
        "sie": r"\b(?:du|dir|dich|dein\p{L}*|euch|euer\p{L}*|eure\p{L}*)\b",
        "du": r"\b(?-i:Ihnen|Ihr(?:e|en|em|er|es)?)\b",
    },
    "nl": {"u": r"\b(?:je|jij|jou|jouw|jullie)\b", "je": r"\b(?:u|uw)\b"},
    "es": {
        "tú": r"\b(?:usted(?:es)?|vos|vosotr[oa]s|vuestr\p{L}+)\b",
        "usted": r"\b(?:tú|tu|tus|te|ti|contigo|vosotr[oa]s|vuestr\p{L}+)\b",
    },
    "pt": {
        "você": r"\b(?:tu|te|ti|teu|tua|teus|tuas|contigo|vós|vosso\p{L}*)\b",
        "formal": r"\b(?:tu|te|ti|teus?|tuas?|contigo|você)\b",
    },
    "it": {"lei": r"\b(?:tu|ti|te|tuo|tua|tuoi|tue|voi|vostr[oaie])\b", "tu": r"\b(?:lei|sua|suo|suoi|sue)\b"},
    "ru": {"вы": r"\b(?:ты|тебя|тебе|тобой|тво[йяёеюи]\p{L}*)\b"},
    "uk": {"ви": r"\b(?:ти|тебе|тобі|тобою|тв(?:ій|оя|оє|ої|ого|ому|оїм|ою|оїх))\b"},
    "pl": {"państwo": r"\b(?:ty|ciebie|tobie|tobą|cię|ci|tw(?:ój|oj\p{L}+))\b"},
    "tr": {"siz": r"\b(?:sen|sana|seni|senin|sende|senden)\b"},
    "id": {"anda": r"\b(?:kamu|kau|engkau|lu|elo|lo)\b", "kak": r"\b(?:kamu|kau|engkau|lu|elo|lo)\b"},
    "hi": {"आप": r"(?<!\p{L})(?:तुम|तू|तुझे|तुम्हें|तुम्हार[ाीे]|तेर[ाीे])(?![\p{L}\p{M}])"},
    "ar": {"أنتم": r"(?<!\p{L})(?:أنتَ|أنتِ|إنت|انت)(?!\p{L})", "محايد": r"(?<!\p{L})(?:أنتَ|أنتِ|إنت|انت)(?!\p{L})"},
    "ja": {"敬語": r"あなた|君[はがのを]|お前|だよ[。!！]|だね[。!！]|(?:である|だった|だ)。"},
    "ko": {"하십시오체": r"(?:해|세|아|어|예|에|죠|네)요(?=[.!?]|\s|$)|(?<!\p{L})(?:너|네가|당신)(?!\p{L})"},
    "zh": {"您": r"你"},
}
_PATTERNS = {
    (language, register): regex.compile(pattern, regex.IGNORECASE)
    for language, registers in _FOREIGN.items()
    for register, pattern in registers.items()
}


def is_checked(locale: str, register: str) -> bool:
    """Tell whether there are words to check a locale's register by."""
    return _key(locale, register) in _PATTERNS


def foreign_form(text: str, locale: str, register: str) -> str:
    """Return the first word in `text` that does not belong to the locale's register, or ""."""
    pattern = _PATTERNS.get(_key(locale, register))
    found = pattern.search(text) if pattern is not None else None
    return str(found[0]) if found else ""


def _key(locale: str, register: str) -> tuple[str, str]:
    return locale.split("-")[0], regex.split(r"[\s,;(（/]+", register.strip().casefold())[0]
