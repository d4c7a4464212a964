"""Which installed fonts can draw a text, and a text made fit to be drawn. It knows nothing of charts.

Noto fonts cover what people write; DejaVu Sans, which matplotlib carries, stands behind them.
"""

import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, lru_cache
from threading import Lock

import regex

from listener.config import Config

CJK_PACKAGE = "fonts-noto-cjk"
CORE_PACKAGE = "fonts-noto-core"
"""Debian's and Ubuntu's packages of Noto fonts."""

_FIRST = "Noto Sans"
_BUNDLED = "DejaVu Sans"
_BOX = "\u25a1"
_CJK = {"Hans": "Noto Sans CJK SC", "Hant": "Noto Sans CJK TC", "ja": "Noto Sans CJK JP", "ko": "Noto Sans CJK KR"}
_FAMILIES = {
    "Arabic": ("Noto Sans Arabic", "Noto Naskh Arabic"),
    "Hebrew": ("Noto Sans Hebrew",),
    "Devanagari": ("Noto Sans Devanagari",),
    "Bengali": ("Noto Sans Bengali",),
    "Gujarati": ("Noto Sans Gujarati",),
    "Gurmukhi": ("Noto Sans Gurmukhi",),
    "Tamil": ("Noto Sans Tamil",),
    "Telugu": ("Noto Sans Telugu",),
    "Kannada": ("Noto Sans Kannada",),
    "Malayalam": ("Noto Sans Malayalam",),
    "Sinhala": ("Noto Sans Sinhala",),
    "Thai": ("Noto Sans Thai",),
    "Lao": ("Noto Sans Lao",),
    "Khmer": ("Noto Sans Khmer",),
    "Myanmar": ("Noto Sans Myanmar",),
    "Georgian": ("Noto Sans Georgian",),
    "Armenian": ("Noto Sans Armenian",),
    "Ethiopic": ("Noto Sans Ethiopic",),
}
_CJK_SCRIPTS = ("Han", "Hiragana", "Katakana", "Hangul", "Bopomofo")
_PLAIN_SCRIPTS = ("Latin", "Cyrillic", "Greek")
_SCRIPTS = {
    name: regex.compile(rf"\p{{Script={name}}}") for name in (*_PLAIN_SCRIPTS, *_CJK_SCRIPTS, *_FAMILIES)
}  # fmt: skip
_LETTERS = {
    "ar": "\u0639", "fa": "\u067e", "ur": "\u0679", "he": "\u05d0", "hi": "\u0939", "mr": "\u0939", "bn": "\u0995",
    "ta": "\u0ba4", "te": "\u0c24", "th": "\u0e01", "ka": "\u10d0", "hy": "\u0561", "zh": "\u4e2d",
    "ja": "\u4e2d\u3042\u30a2", "ko": "\ud55c", "ru": "\u0436", "uk": "\u0457", "bg": "\u0436", "kk": "\u049b",
    "el": "\u03b1", "vi": "\u1ec7", "pl": "\u0142", "tr": "\u011f",
}  # fmt: skip
_KEPT_FORMATS = frozenset("\u200c\u200d\u200e\u200f\u061c")
_ISOLATES, _END = frozenset("\u2066\u2067\u2068"), "\u2069"
_ABOVE_OR_BELOW = 200
"""Combining classes from here on say where a mark stands and not what it is."""
_NOTO_FILE = regex.compile(r"[\\/]Noto(Sans|Naskh)[A-Za-z]*-(Regular|Bold)\.[to]t[fc]$")
_LOCK = Lock()


def families(language: str = "en", text: str = "") -> tuple[str, ...]:
    """Return the families that draw `text` in a page for readers of `language`, in the order to try them.

    Kana and Hangul choose the Chinese characters' shapes for a text; without them the reader's language does.
    """
    chain = _chain(_han(language, text))
    needed = {next((name for name in chain if ord(char) in _characters(name)), "") for char in set(text)}
    return tuple(name for name in chain if name in needed) or chain[:1]


def missing_fonts(texts: Iterable[str]) -> list[str]:
    """Return the names of the scripts that no installed font draws ("Arabic", "Han", "Hangul"), in order."""
    letters = {char for text in texts for char in text if unicodedata.category(char)[0] in "LM"}
    drawable = _drawable()
    return sorted({script(char) for char in letters if ord(char) not in drawable and script(char)})


def missing_for(languages: Iterable[str]) -> list[str]:
    """Return the scripts that texts in these languages (BCP 47) need and that no installed font draws."""
    return missing_fonts(_LETTERS.get(language.split("-")[0].lower(), "") for language in languages)


def font_lines(config: Config) -> list[str]:
    """Say which fonts charts and PDFs lack for what the readers of digests see."""
    if not config.digests:
        return []
    seen = {language for country in config.countries.values() for language in country.languages}
    missing = missing_for([*seen, *(reader.language for reader in config.digests.values())])
    return [f"warning: digests draw no {name} in charts and PDFs: install {package_of(name)}" for name in missing]


def package_of(script_name: str) -> str:
    """Return the Debian package whose fonts draw a script."""
    return CJK_PACKAGE if script_name in _CJK_SCRIPTS else CORE_PACKAGE


def script(char: str) -> str:
    """Return the name of a letter's script; empty for what belongs to no script, such as digits and emoji."""
    for name, pattern in _SCRIPTS.items():
        if pattern.match(char):
            return name
    return unicodedata.name(char, "").split(" ")[0].title() if char.isalpha() else ""


def clean(text: str, most: int = 120) -> str:
    """Return hostile text fit for one line of at most `most` characters as people count them.

    Line breaks and controls become spaces; overrides of direction, emoji and marks stacked on marks go; isolates
    stay and are closed; letters without a font become boxes.
    """
    flat = "".join(map(_plain, unicodedata.normalize("NFC", text[: most * 12])))
    clusters = [calm for cluster in regex.findall(r"\X", flat) if (calm := _calm(cluster))]
    shown = clusters if len(clusters) <= most else [*clusters[: most - 1], "…"]
    return regex.sub(" +", " ", balanced("".join(shown))).strip(" ")


def balanced(text: str) -> str:
    """Return the text with every isolate closed and no close too many."""
    depth, out = 0, []
    for char in text:
        if char == _END and not depth:
            continue
        depth += (char in _ISOLATES) - (char == _END)
        out.append(char)
    return "".join(out) + _END * depth


def direction(text: str) -> str:
    """Return the mark that gives a part of `text` the whole's direction: that of its first strong letter."""
    depth = 0
    for char in text:
        depth += (char in _ISOLATES) - (char == _END)
        kind = unicodedata.bidirectional(char)
        if depth <= 0 and kind in ("R", "AL", "L"):
            return "\u200e" if kind == "L" else "\u200f"
    return "\u200e"


def _plain(char: str) -> str:
    kind = unicodedata.category(char)
    if kind in ("Cc", "Zl", "Zp", "Zs"):
        return "\u00a0" if char in "\u00a0\u202f\u2007" else " "
    if kind == "Cf":
        return char if char in _KEPT_FORMATS or char in _ISOLATES or char == _END else ""
    return "" if kind in ("Cs", "Cn") or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF else char


def _calm(cluster: str) -> str:
    """Return a cluster without marks stacked on marks of the same side and without what no font draws."""
    out, drawable = "", _drawable()
    for char in cluster:
        side = unicodedata.combining(char)
        taken = {unicodedata.combining(one) for one in unicodedata.normalize("NFD", out)}
        if side >= _ABOVE_OR_BELOW and side in taken:
            continue
        if ord(char) in drawable or unicodedata.category(char) in ("Cf", "Zs"):
            out += char
        elif unicodedata.category(char)[0] in "LN":
            out += _BOX
    return out


@cache
def _chain(han: str) -> tuple[str, ...]:
    """Return every installed family, with the wanted shapes of Chinese characters before the other three."""
    shapes = (_CJK[han], *_CJK.values())
    chain = (_FIRST, *(_first(names) for names in _FAMILIES.values()), _BUNDLED, *shapes)
    return tuple(name for name in dict.fromkeys(chain) if name and _path(name))


def _han(language: str, text: str) -> str:
    if any("\u3040" <= char <= "\u30ff" for char in text):
        return "ja"
    if any("\uac00" <= char <= "\ud7a3" for char in text):
        return "ko"
    parts = language.lower().replace("_", "-").split("-")
    if parts[0] in ("ja", "ko"):
        return parts[0]
    traditional = {"hant", "tw", "hk", "mo"} & set(parts) and "hans" not in parts
    return "Hant" if traditional else "Hans"


def _first(names: tuple[str, ...]) -> str:
    return next((name for name in names if _path(name)), "")


@cache
def _path(family: str) -> str | None:
    """Return the regular face's file; fonts installed after matplotlib wrote its list are looked for once."""
    from matplotlib.font_manager import FontProperties, fontManager

    with _LOCK:
        if family not in fontManager.get_font_names():
            _add_new()
        try:
            found = fontManager.findfont(FontProperties(family=[family]), fallback_to_default=False)
        except ValueError:
            return None
    return found


@cache
def _add_new() -> None:
    """Tell matplotlib of Noto Sans files that its cached list does not know."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(findSystemFonts()):
        if path not in known and _NOTO_FILE.search(path):
            with suppress(OSError, RuntimeError):
                fontManager.addfont(path)


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    """Return the code points that some family of the chain draws."""
    return frozenset[int]().union(*(_characters(family) for family in _chain("Hans")))


@cache
def _characters(family: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    path = _path(family)
    if path is None:
        return frozenset()
    index = getattr(path, "face_index", 0)
    with _LOCK:
        return frozenset(FT2Font(str(path), face_index=index).get_charmap())
