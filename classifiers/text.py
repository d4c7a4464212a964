"""Makes a hostile post fit for reading: bounded, well-formed, without handles and links. Knows nothing of models."""

import html
import re
import unicodedata

HANDLE = "@user"
LINK = "http"
MAX_CHARACTERS = 2000
"""More than the encoder reads in any script; what follows cannot change the result, only cost time."""

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'\u3000-\u303f\uff00-\uffef]+", re.IGNORECASE)
# VK writes a mention as [id123|Name] or [club123|Name].
_VK_MENTION = re.compile(r"\[(?:id|club|public)\d{1,15}\|[^\]\n]{0,80}\]")
_LATIN_HANDLE = re.compile(r"(?<![A-Za-z0-9._%+@/-])@[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,48}[A-Za-z0-9_])?")
# A handle in another script counts only where a space follows (WeChat puts U+2005); it could be the whole post.
_OTHER_HANDLE = re.compile(r"(?<![A-Za-z0-9._%+@/-])@[^\s@:：,，.。!！?？]{1,20}(?=[\s:：])")
_REPEATED_MASK = re.compile(r"(@user|http)(?:\s+\1)+\b")
_HASHTAG = re.compile(r"[#＃][^\s#＃]+[#＃]?")
_SPACES = re.compile(r"\s+")
_KEPT_CONTROLS = "\t\n\r"
_JOINERS = "\u200c\u200d"
"""Zero-width joiners carry meaning in Hindi and in emoji."""


def clean(text: str) -> str:
    """Return `text` bounded, composed, without control characters or lone surrogates, spaces collapsed."""
    bounded = text[: MAX_CHARACTERS * 10]
    kept = "".join(map(_visible, bounded)) if not bounded.isprintable() else bounded
    composed = unicodedata.normalize("NFC", html.unescape(kept))
    return _SPACES.sub(" ", composed).strip()[:MAX_CHARACTERS]


def mask(text: str) -> str:
    """Return `text` cleaned, each @handle and link replaced by a fixed word.

    A model that reads handles learns which accounts are support desks instead of what was said.
    """
    masked = _LINK.sub(LINK, clean(text))
    for handle in (_VK_MENTION, _LATIN_HANDLE, _OTHER_HANDLE):
        masked = handle.sub(HANDLE, masked)
    return _REPEATED_MASK.sub(r"\1", masked)


def words_only(text: str) -> str:
    """Return `text` without handles, links and hashtags: what its writer says in a language."""
    bare = mask(text).replace(HANDLE, " ").replace(LINK, " ")
    return _SPACES.sub(" ", _HASHTAG.sub(" ", bare)).strip()


def _visible(character: str) -> str:
    if character in _KEPT_CONTROLS:
        return " "
    if character in _JOINERS:
        return character
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co"} else character
