"""Words that rose: what the posts of a burst say that the weeks before did not. Texts are hostile.

A word counts once a post, so that nobody raises one by repeating it. Scripts that write no spaces are read in pieces
of two to four characters. What comes out is letters alone: no handles, links, digits or controls.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

_MOST_CHARACTERS = 2_000
_LONGEST = 30
_SHORTEST = 3
_PIECES = (2, 3, 4)
_LEAST_POSTS = 3
"""A word of fewer posts of the burst did not rise."""
_LEAST_SHARE = 0.04
_PRIOR_POSTS = 20.0
"""How many posts' worth of doubt stand beside what was counted."""
_SURE = 2.5
"""Log-odds in units of their spread from which a word rose and is no accident."""
_COMMON_SHARE = 0.15
"""A word of so many of the posts before is how people talk, however often it stands now."""
_MOST_COMPARED = 300
_SAME = 0.8
"""A longer piece found in this share of the posts of a shorter one says the same and more."""

_LINK = regex.compile(r"(?:https?://|www\.)\S+", regex.IGNORECASE)
_VK_MENTION = regex.compile(r"\[(?:id|club|public)\d{1,15}\|[^\]\n]{0,80}\]")
_HANDLE = regex.compile(r"[@＠][\w.\-]+")
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}\u200c\u200d]*(?:['’]\p{L}[\p{L}\p{M}]*)*")
_ELIDED = regex.compile(r"^\p{L}{1,2}['’](?=\p{L}{3})")  # l'application
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々]+")
_KANA_ONLY = regex.compile(r"[\p{Hiragana}ー]+")


@dataclass(frozen=True, slots=True)
class _Risen:
    word: str
    posts: int
    sureness: float


@dataclass(frozen=True, slots=True)
class Wording:
    """How many posts there are, and in how many each word stands."""

    posts: int
    words: Mapping[str, int]


def wording(texts: Iterable[str], own: Collection[str] = ()) -> Wording:
    """Count the words of posts.

    Args:
        texts: the posts, one an author.
        own: terms of the brand, which stand in every post and are left out.
    """
    pattern = _own_pattern(own)
    found: Counter[str] = Counter()
    posts = 0
    for text in texts:
        found.update(words_of(text, pattern))
        posts += 1
    return Wording(posts, found)


def rising_words(burst: Wording, usual: Wording, most: int = 8) -> list[str]:
    """Return the words of a burst that rose, the surest first, at most so many.

    The measure is the logarithm of the odds of a word in the burst over those in the weeks before, with a prior from
    both, in units of its own spread.
    """
    least = max(_LEAST_POSTS, _LEAST_SHARE * burst.posts)
    found = [
        _Risen(word, count, _sureness(count, burst.posts, usual.words.get(word, 0), usual.posts))
        for word, count in burst.words.items()
        if count >= least and usual.words.get(word, 0) < max(_LEAST_POSTS, _COMMON_SHARE * usual.posts)
    ]
    risen = sorted((one for one in found if one.sureness >= _SURE), key=lambda one: (-one.sureness, one.word))
    return [one.word for one in _apart(risen[:_MOST_COMPARED])[:most]]


def words_of(text: str, own: "regex.Pattern[str] | None" = None) -> set[str]:
    """Return the words of one post, in small letters, and the pieces of scripts without spaces."""
    text = unicodedata.normalize("NFKC", text[:_MOST_CHARACTERS])
    for unwanted in (_LINK, _VK_MENTION, _HANDLE):
        text = unwanted.sub(" ", text)
    text = text.casefold()
    if own is not None:
        text = own.sub(" ", text)
    words: set[str] = set()
    for run in _UNSPACED.findall(text):
        words.update(_pieces(run))
    spaced = _UNSPACED.sub(" ", text)
    bare = (_ELIDED.sub("", match[0]) for match in _WORD.finditer(spaced))
    words.update(word for word in bare if _SHORTEST <= len(word) <= _LONGEST)
    return words


def _pieces(run: str) -> Iterable[str]:
    for size in _PIECES:
        for start in range(len(run) - size + 1):
            piece = run[start : start + size]
            if not _KANA_ONLY.fullmatch(piece):  # endings and particles, in Japanese
                yield piece


def _own_pattern(own: Collection[str]) -> "regex.Pattern[str] | None":
    """Return what finds the brand's own terms, with the few letters that languages put behind a name."""
    written = {unicodedata.normalize("NFKC", term).casefold().strip(" @#") for term in own}
    terms = sorted(written - {""}, key=len)
    if not terms:
        return None
    either = "|".join(regex.escape(term) for term in reversed(terms))
    return regex.compile(rf"(?:{either})(?:['’]?\p{{L}}{{1,3}}(?!\p{{L}}))?")


def _sureness(count: int, posts: int, before: int, earlier: int) -> float:
    share = (count + before) / (posts + earlier)
    prior, others = _PRIOR_POSTS * share, _PRIOR_POSTS * (1 - share)
    now = math.log((count + prior) / (posts - count + others + 0.5))
    then = math.log((before + prior) / (earlier - before + others + 0.5))
    return (now - then) / math.sqrt(1 / (count + prior) + 1 / (before + prior))


def _apart(risen: Sequence[_Risen]) -> list[_Risen]:
    """Return the words, the surest first, without pieces of one another.

    Of a piece and a longer one the longer stays where it stands in nearly as many posts, else the shorter.
    """
    kept: list[_Risen] = []
    for one in risen:
        longer = [other for other in risen if _is_piece(one.word, other.word)]
        shorter = [other for other in risen if _is_piece(other.word, one.word)]
        if any(other.posts >= _SAME * one.posts for other in longer):
            continue
        if any(one.posts < _SAME * other.posts for other in shorter):
            continue
        if not any(_overlap(one.word, other.word) for other in kept):
            kept.append(one)
    return kept


def _is_piece(one: str, other: str) -> bool:
    return one != other and one in other and _UNSPACED.fullmatch(other) is not None


def _overlap(one: str, other: str) -> bool:
    if not (_UNSPACED.fullmatch(one) and _UNSPACED.fullmatch(other)):
        return False
    if one in other or other in one:
        return True
    shared = range(1, min(len(one), len(other)))
    return any(one.endswith(other[:size]) or other.endswith(one[:size]) for size in shared)
