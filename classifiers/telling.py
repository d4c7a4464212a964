"""Finds the words that set some posts apart from others, in every script.

What people say whatever they complain of is learned from the other posts and from the sentences of the catalogue;
words that hold sentences together are known beforehand.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache

import regex

from classifiers.cause_catalogue import catalogue
from classifiers.function_words import FUNCTION_WORDS
from classifiers.text import HANDLE, LINK, mask

_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー々〆\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Those that put no spaces between words."""
_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]+(?:['’ʼ-][\p{L}\p{M}]+)*+")
_SPACELESS = regex.compile(rf"[{_SCRIPTS}]+")
_KANA_ALONE = regex.compile(r"\p{Hiragana}+")
_HANGUL = regex.compile(r"\p{Hangul}+")
# A token with a digit or an underscore in it is a model, a number or a name, and no word; so are masks in brackets.
_TOKEN = regex.compile(rf"[^\s{_SCRIPTS}]+")
_NO_WORD = regex.compile(r"[\d_@]|^\[[^\[\]]{1,20}\]")
_SHORTEST, _SHORTEST_HANGUL, _LONGEST = 3, 2, 40
_GRAMS = range(2, 7)
_SWALLOWED = 0.7
"""A string is told as part of a longer one that stands in so great a share of the posts it stands in."""
_PRIOR = 10.0
"""Weight, in posts, of what all posts say in the estimate of how often one side says a word."""
_COMMON_CAUSES = 4
"""A word in sentences about so many different causes is said of anything."""
_COMMON_SHARE = 0.1
"""A word in so great a share of all other posts is said of anything."""
_LEAST_AUTHORS = 2
_LEAST_SHARE = 0.12
"""Of the group's authors must say a word."""
_LEAST_RATIO = 2.0
"""So many times the share of the others' posts."""
_FULL_LENGTH = 6
"""Shorter words of alphabets count for less: most of them hold a sentence together."""
_SAME_STEM = 4


class Others:
    """Posts to set a group apart from, read once for all groups."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = [frozenset(word for word, _ in _words(text)) for text in texts]
        self._counts = Counter(word for words in self._words for word in words)

    def __len__(self) -> int:
        return len(self._words)

    def without(self, places: Iterable[int]) -> tuple[Counter[str], int]:
        """Return in how many posts each word stands, and how many posts there are, those at some places left out."""
        left_out = [self._words[place] for place in places]
        counts = self._counts.copy()
        counts.subtract(word for words in left_out for word in words)
        return counts, len(self._words) - len(left_out)


def telling_words(
    texts_of_group: Sequence[str],
    others: Others | Sequence[str],
    *,
    limit: int,
    leave_out: Iterable[str] = (),
    authors: Sequence[Hashable] | None = None,
    own_places: Iterable[int] = (),
) -> tuple[str, ...]:
    """Return words that set a group of posts apart, as they stand in them, the most telling first.

    A word counts once for each author, and needs two of them. Never raises on a text's content; what it returns is
    as hostile as the posts.

    Args:
        texts_of_group: the posts of the group, in any languages.
        others: posts to set them apart from; may be empty.
        limit: most words returned.
        leave_out: terms and names that say nothing here, such as the brand's.
        authors: who wrote each post of the group; each by another where None.
        own_places: places among the others at which posts of the group stand.
    """
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    writers: dict[str, set[Hashable]] = defaultdict(set)
    for number, text in enumerate(texts_of_group):
        author = authors[number] if authors is not None else number
        for word, form in _words(text):
            forms[word][form] += 1
            writers[word].add(author)
    own = {word: len(who) for word, who in writers.items() if len(who) >= _LEAST_AUTHORS}
    counts, n_others = (others if isinstance(others, Others) else Others(others)).without(own_places)
    left_out = [term.casefold().lstrip("@#") for term in leave_out if term.strip()]
    said = (word for word in _whole(own) if word.replace("’", "'") not in FUNCTION_WORDS)
    kept = [word for word in said if not _is_common(word, counts, n_others)]
    sizes = (len(set(authors)) if authors is not None else len(texts_of_group), n_others)
    ranked = sorted(
        (word for word in kept if not _is_left_out(word, left_out)),
        key=lambda word: (-_worth(word, own[word], counts[word], *sizes), -own[word], -len(word), word),
    )
    apart = [word for word in ranked if _sets_apart(own[word], counts[word], *sizes)]
    return tuple(forms[word].most_common(1)[0][0] for word in _different(apart, limit))


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield words folded for counting, and as they stand in the post."""
    bare = mask(text).replace(HANDLE, " ").replace(LINK, " ")
    said = _TOKEN.sub(lambda token: " " if _NO_WORD.search(token[0]) else token[0], bare)
    for run in _SPACELESS.findall(said):
        yield from ((gram.casefold(), gram) for gram in _grams(run))
    for match in _WORD.finditer(_SPACELESS.sub(" ", said)):
        word = match[0].strip("\u200c\u200d")
        least = _SHORTEST_HANGUL if _HANGUL.match(word) else _SHORTEST
        if least <= len(word) <= _LONGEST:
            yield word.casefold(), word


def _grams(run: str) -> Iterator[str]:
    for size in _GRAMS:
        for start in range(len(run) - size + 1):
            gram = run[start : start + size]
            if not _KANA_ALONE.fullmatch(gram):  # particles and endings
                yield gram


def _whole(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield words but those strings that hardly stand without a longer one."""
    longer: Counter[str] = Counter()
    for word, count in counts.items():
        if _SPACELESS.fullmatch(word):
            for size in range(2, len(word)):
                for start in range(len(word) - size + 1):
                    part = word[start : start + size]
                    longer[part] = max(longer[part], count)
    yield from (word for word, count in counts.items() if longer[word] < _SWALLOWED * count)


def _lead(own: int, other: int, n_own: int, n_other: int) -> float:
    """Return how surely a group says a word more than others do: log-odds with a prior, over their deviation."""
    prior = _PRIOR * (own + other + 0.5) / (n_own + n_other + 1)
    here = (own + prior) / (n_own + _PRIOR - own - prior + 1e-9)
    there = (other + prior) / (n_other + _PRIOR - other - prior + 1e-9)
    if here <= 0 or there <= 0:  # one author wrote several posts: more writers of a word than counted
        return 0.0
    return math.log(here / there) / math.sqrt(1 / (own + prior) + 1 / (other + prior))


def _worth(word: str, own: int, other: int, n_own: int, n_other: int) -> float:
    lead = _lead(own, other, n_own, n_other)
    return lead if _SPACELESS.fullmatch(word) or _HANGUL.match(word) else lead * min(1.0, len(word) / _FULL_LENGTH)


def _sets_apart(own: int, other: int, n_own: int, n_other: int) -> bool:
    return own >= _LEAST_SHARE * n_own and own * max(1, n_other) >= _LEAST_RATIO * other * n_own


def _is_common(word: str, others: Mapping[str, int], count: int) -> bool:
    return word in _said_of_anything() or (count >= 4 and others.get(word, 0) >= _COMMON_SHARE * count)


@cache
def _said_of_anything() -> frozenset[str]:
    """Return words that the catalogue's sentences say of many different causes."""
    causes: dict[str, set[str]] = defaultdict(set)
    for cause in catalogue().values():
        for text in (*cause.names.values(), *(text for _, text in cause.posts)):
            for word, _ in _words(text):
                causes[word].add(cause.key)
    return frozenset(word for word, keys in causes.items() if len(keys) >= _COMMON_CAUSES)


def _is_left_out(word: str, terms: Sequence[str]) -> bool:
    if _SPACELESS.fullmatch(word):
        return any(word in term or term in word for term in terms)
    return any(word == term or word in term.split() for term in terms)


def _different(ranked: Sequence[str], limit: int) -> list[str]:
    """Return the first words of which no two are forms of one."""
    chosen: list[str] = []
    for word in ranked:
        if len(chosen) >= limit:
            break
        if not any(_alike(word, other) for other in chosen):
            chosen.append(word)
    return chosen


def _alike(one: str, other: str) -> bool:
    if _SPACELESS.fullmatch(one):
        return one in other or other in one or any(one[at : at + 2] in other for at in range(len(one) - 1))
    short, long = sorted((one, other), key=len)
    return long.startswith(short[: max(_SAME_STEM, len(short) - 2)]) and len(long) - len(short) <= _SAME_STEM
