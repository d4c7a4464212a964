"""Language tags: which locales a post's language is answered in, in what order, and what to say where it is another."""

from collections.abc import Mapping, Sequence

from babel import Locale
from babel.core import UnknownLocaleError, get_global

from listener.sentences import Language, Sentence, sentence
from playbooks.model import GuideRequest

FALLBACK_LOCALE = "en"
LANGUAGE_NAMES: Mapping[str, Language] = {
    tag: Language.of(name, tag)
    for tag, name in {
        "ar": "Arabic",
        "de": "German",
        "en": "English",
        "es": "Spanish",
        "fr": "French",
        "hi": "Hindi",
        "id": "Indonesian",
        "it": "Italian",
        "ja": "Japanese",
        "ko": "Korean",
        "nl": "Dutch",
        "pl": "Polish",
        "pt": "Portuguese",
        "ru": "Russian",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "zh": "Chinese",
        "zh-Hant": "traditional Chinese",
    }.items()
}
_TRADITIONAL_CHINESE = ("TW", "HK", "MO")
_SIMPLIFIED_CHINESE = ("CN", "SG", "MY")
_CHINESE_SCRIPTS: Mapping[str, str] = {"Hans": "simplified", "Hant": "traditional"}
_SAME_LANGUAGE: Mapping[str, str] = {"cmn": "zh", "in": "id", "iw": "he", "ji": "yi", "yue": "zh"}
"""Older tags, and those within Chinese, by what the library calls them."""


def normal_tag(tag: str) -> str:
    """Return a language tag as this package writes it: `pt_BR` is `pt-BR`, `iw` is `he`, `yue` is `zh-HK`."""
    first, *rest = [part for part in tag.strip().replace("_", "-").split("-") if part] or [""]
    base = first.casefold()
    if base == "yue" and not rest:
        rest = ["HK"]
    elif base == "yue" and not _script_of(rest) and not _region_of(rest):
        rest = ["HK", *rest]
    written = [part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part for part in rest]
    return "-".join((_SAME_LANGUAGE.get(base, base), *written))


def _script_of(parts: Sequence[str]) -> str:
    return next((part for part in parts if len(part) == 4 and part.isalpha()), "")


def _region_of(parts: Sequence[str]) -> str:
    return next((part for part in parts if len(part) == 2 or (len(part) == 3 and part.isdigit())), "")


def language_name(tag: str) -> str:
    """Return the English name of a language tag, or the tag itself."""
    if tag == "und":
        return "unknown language"
    try:
        return str(Locale.parse(tag, sep="-").get_display_name("en") or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def locale_chain(language: str, country: str, chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the locales to look for, in order: the country's own chain, else language with country, then language."""
    tag = normal_tag(language)
    base, *rest = tag.split("-")
    chains = {normal_tag(key): chain for key, chain in chosen.items()}
    for end in range(len(rest), -1, -1):
        key = "-".join((base, *rest[:end]))
        if key in chains:
            return list(chains[key])
    if base == "zh":
        return _chinese_chain(rest, country)
    return list(dict.fromkeys((f"{base}-{country}", tag, base)))


def _chinese_chain(parts: Sequence[str], country: str) -> list[str]:
    """Return the chain for `zh` with these subtags: the script where there is one, else the region, tells which.

    Simplified and traditional script never stand in for each other silently, save where only `zh` is known.
    """
    script, named = _script_of(parts), _region_of(parts)
    simplified = script == "Hans" or (not script and named in _SIMPLIFIED_CHINESE)
    traditional = script == "Hant" or (not script and named in _TRADITIONAL_CHINESE)
    region = named if named in _TRADITIONAL_CHINESE else country if country in _TRADITIONAL_CHINESE else ""
    if traditional or (region and not simplified):
        own = [f"zh-{region}"] if region else []
        return [*own, "zh-Hant"] if traditional else [*own, "zh-Hant", "zh"]
    return ["zh"] if country in _TRADITIONAL_CHINESE else [f"zh-{country}", "zh"]


def _script(tag: str, country: str = "") -> str:
    """Return the script that a language tag says or that its language is mostly written in; "" where unknown.

    Only Chinese is told by `country`, where the tag names no region.
    """
    base, *rest = tag.split("-")
    if (script := _script_of(rest)) or not base:
        return script
    region = _region_of(rest) or (country if base == "zh" else "")
    if base == "zh":
        return "Hant" if region in _TRADITIONAL_CHINESE else "Hans"
    likely = get_global("likely_subtags")
    found = likely.get(f"{base}_{region}") or likely.get(base) or ""
    return _script_of(found.split("_"))


def language_note(request: GuideRequest, locale: str) -> str:
    """Return what to say beside a draft of this locale; "" where it is in the author's language and script."""
    tag = normal_tag(request.language)
    if locale.split("-")[0] != tag.split("-")[0]:
        return _foreign_note(request, locale)
    wanted, written = _script(tag, request.country), _script(locale)
    if not wanted or wanted == written:
        return ""
    return _lacking(request, _in_script(tag, wanted), _in_script(locale, written))


def _in_script(tag: str, script: str) -> Language:
    base = tag.split("-")[0]
    if base == "zh" and script in _CHINESE_SCRIPTS:
        name = f"{_CHINESE_SCRIPTS[script]} Chinese"
    else:
        name = f"{LANGUAGE_NAMES.get(base, base)} in {Locale('en').scripts.get(script, script)} script"
    return Language.of(name, f"{base}-{script}")


def _lacking(request: GuideRequest, wanted: Language, written: Language) -> Sentence:
    if normal_tag(request.language).split("-")[0] in map(normal_tag, request.country_locales):
        return sentence(
            "No {wanted} text for {country} in the library: this draft is in {written}",
            wanted=wanted,
            country=request.country,
            written=written,
        )
    return sentence("No {wanted} text in the library: this draft is in {written}", wanted=wanted, written=written)


def _foreign_note(request: GuideRequest, locale: str) -> Sentence:
    written = LANGUAGE_NAMES.get(locale.split("-")[0]) or Language.of(locale, locale)
    tag = normal_tag(request.language)
    base = tag.split("-")[0]
    if base in ("", "und"):
        return sentence("The post's language is not known: this draft is in {written}", written=written)
    wanted = LANGUAGE_NAMES.get(tag) or LANGUAGE_NAMES.get(base) or Language.of(tag, tag)
    if base == "zh":
        wanted = _in_script(tag, _script(tag, request.country))
    return _lacking(request, wanted, written)
