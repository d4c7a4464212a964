"""Values from outside made fit to stand in a public reply: cleaned, bounded, never compiled."""

import unicodedata
from collections.abc import Sequence

import regex

_BREAKS = regex.compile(r"[\s\p{Zl}\p{Zp}\p{Cc}]+")
# Joiners (U+200C, U+200D) stay: Indic and Persian words are misspelt without them.
_INVISIBLE = regex.compile(r"[\p{Cs}\p{Co}\p{Cn}]|(?![\u200c\u200d])\p{Cf}")
_ADDRESS = regex.compile(r"[@＠#＃]|://|www\.|\w\.\w+/|(?<=\w\w)\.\p{L}{2,}")
_CASED = r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Nd}]"
# Names of up to three words; Chinese and Japanese ones stand without spaces, so a space joins two places.
_IDEOGRAPHS = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"
_PLACE_WORD = r"\p{L}[\p{L}\p{M}\u200c\u200d'’ʼ.\-]*"
_PLACE = regex.compile(
    rf"{_IDEOGRAPHS}{{2,}}|(?!\p{{Ll}}|{_IDEOGRAPHS}){_PLACE_WORD}(?: (?!{_IDEOGRAPHS}){_PLACE_WORD}){{0,2}}"
)
MAX_PLACE_CHARACTERS = 25
MAX_VALUE_CHARACTERS = 80


def clean(value: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """Return `value` on one line without control, bidi or other invisible characters, or "" if longer than `limit`."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", _BREAKS.sub(" ", value[: 50 * limit])))
    text = " ".join(text.split())
    return text if len(text) <= limit else ""


def on_one_line(text: str) -> str:
    """Return `text` with line breaks and runs of plain spaces made one space; other spaces are typography."""
    return str(regex.sub(r"[ \t\r\n]+", " ", text)).strip()


def clean_place(value: str) -> str:
    """Return the first part of a place ("Zürich" of "Zürich, Schweiz"), or "" where it is not one short name.

    Links, accounts, tags, figures, flags and whole sentences are no names.
    """
    text = clean(value)
    name = regex.split(r"[,，、،]", text)[0].strip()
    fits = len(name) <= MAX_PLACE_CHARACTERS and not _ADDRESS.search(text) and _PLACE.fullmatch(name)
    return name if fits else ""


def find_product(text: str, products: Sequence[str]) -> str:
    """Return the product named first in `text`, as the brand writes it; the longer one where two begin together."""
    found = [(start, -len(product), clean(product)) for product in products if (start := _find(text, product)) >= 0]
    return min(found)[2] if found else ""


def _find(text: str, product: str) -> int:
    name = product.strip()
    if not name:
        return -1
    # Scripts without spaces or with joined articles have no usable word boundary.
    before = rf"(?<!{_CASED})" if regex.match(_CASED, name[0]) else ""
    after = rf"(?!{_CASED})" if regex.match(_CASED, name[-1]) else ""
    pattern = r"[\s\u00a0-]+".join(regex.escape(word) for word in regex.split(r"[\s\u00a0-]+", name) if word)
    match = regex.search(before + pattern + after, text, regex.IGNORECASE | regex.UNICODE)
    return match.start() if match else -1
