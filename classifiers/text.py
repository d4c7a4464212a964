"""Makes a hostile post fit for reading: bounded, well-formed, without handles and links. Knows nothing of models."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import regex

from listener.entities import ENTITY, unescape, unescape_one

HANDLE = "@user"
LINK = "http"
MAX_CHARACTERS = 2000
"""More than the encoder reads in any script; what follows cannot change the result, only cost time."""

TEXT_CHARACTERS = MAX_CHARACTERS * 10
"""Of the post itself: so many are enough even where most of them are spaces, references and controls."""

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'\u3000-\u303f\uff00-\uffef]+", re.IGNORECASE)
# VK writes a mention as [id123|Name] or [club123|Name].
_VK_MENTION = re.compile(r"\[(?:id|club|public)\d{1,15}\|[^\]\n]{0,80}\]")
_LATIN_HANDLE = re.compile(r"(?<![A-Za-z0-9._%+@/-])@[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,48}[A-Za-z0-9_])?")
# A handle in another script counts only where a space follows (WeChat puts U+2005); it could be the whole post.
_OTHER_HANDLE = re.compile(r"(?<![A-Za-z0-9._%+@/-])@[^\s@:：,，.。!！?？]{1,20}(?=[\s:：])")
_REPEATED_MASK = re.compile(r"(@user|http)(?:\s+\1)+\b")
_HASHTAG = re.compile(r"[#＃][^\s#＃]+[#＃]?")
_SPACES = re.compile(r"\s+")
# Hangul vowels and final consonants compose with the letter before; all else that does so is a combining mark.
_COMPOSING = regex.compile(r"(?s:.)[\p{M}\u1161-\u1175\u11a8-\u11c2]*+")
_ANY = re.compile(r"(?s:.)")
_KEPT_CONTROLS = "\t\n\r"
_JOINERS = "\u200c\u200d"
"""Zero-width joiners carry meaning in Hindi and in emoji."""


def clean(text: str) -> str:
    """Return `text` bounded, composed, without control characters or lone surrogates, spaces collapsed."""
    bounded = text[:TEXT_CHARACTERS]
    kept = "".join(map(_visible, bounded)) if not bounded.isprintable() else bounded
    composed = unicodedata.normalize("NFC", unescape(kept))
    return _SPACES.sub(" ", composed).strip()[:MAX_CHARACTERS]


def mask(text: str) -> str:
    """Return `text` cleaned, each @handle and link replaced by a fixed word.

    A model that reads handles learns which accounts are support desks instead of what was said.
    """
    masked = _LINK.sub(LINK, clean(text))
    for handle in (_VK_MENTION, _LATIN_HANDLE, _OTHER_HANDLE):
        masked = handle.sub(HANDLE, masked)
    return _REPEATED_MASK.sub(r"\1", masked)


@dataclass(frozen=True, slots=True)
class Traced:
    """A masked text that remembers where each of its characters stood in the post."""

    text: str
    """The same as `mask` returns."""
    post: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    """Character n of `text` was made of the post's characters [starts[n], ends[n])."""

    def original(self, start: int, end: int) -> str:
        """Return the part of the post that characters [start, end) of the text were made of."""
        return self.post[self.starts[start] : self.ends[end - 1]] if start < end else ""


def trace(post: str) -> Traced:
    """Return a post masked as by `mask`, with the origin of every character."""
    if mask(post) == post:
        return Traced(post, post, tuple(range(len(post))), tuple(range(1, len(post) + 1)))
    tracing = _Tracing(post[:TEXT_CHARACTERS])
    if not tracing.text.isprintable():
        tracing.replace(_ANY, lambda match: _visible(match[0]))
    tracing.replace(ENTITY, lambda match: unescape_one(match[0]))
    if not unicodedata.is_normalized("NFC", tracing.text):
        tracing.replace(_COMPOSING, lambda match: unicodedata.normalize("NFC", match[0]))
    tracing.replace(_SPACES, lambda match: " ")
    tracing.keep(len(tracing.text) - len(tracing.text.lstrip()), len(tracing.text.rstrip()))
    tracing.keep(0, MAX_CHARACTERS)
    tracing.replace(_LINK, lambda match: LINK)
    for handle in (_VK_MENTION, _LATIN_HANDLE, _OTHER_HANDLE):
        tracing.replace(handle, lambda match: HANDLE)
    tracing.replace(_REPEATED_MASK, lambda match: match[1])
    return Traced(tracing.text, post, tuple(tracing.starts), tuple(tracing.ends))


class _Tracing:
    """A text under change, with the place in the post of each of its characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = list(range(len(text)))
        self.ends = list(range(1, len(text) + 1))

    def replace(self, pattern: Any, replacement: Callable[[Any], str]) -> None:
        """Do what `pattern.sub` does; what is put in has the origin of all that it replaces."""
        text, starts, ends, at = [], [], [], 0
        for match in pattern.finditer(self.text):
            put = replacement(match)
            if put == match[0]:
                continue
            text += [self.text[at : match.start()], put]
            starts += [*self.starts[at : match.start()], *[self.starts[match.start()]] * len(put)]
            ends += [*self.ends[at : match.start()], *[self.ends[match.end() - 1]] * len(put)]
            at = match.end()
        self.text = "".join([*text, self.text[at:]])
        self.starts = starts + self.starts[at:]
        self.ends = ends + self.ends[at:]

    def keep(self, start: int, end: int) -> None:
        """Drop what stands outside [start, end)."""
        self.text, self.starts, self.ends = self.text[start:end], self.starts[start:end], self.ends[start:end]


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
