"""Says which words of a post moved its classification, in every script. Knows nothing of how texts become features.

The heads read means over a post's tokens, so a token's part in the result is known without another pass through the
encoder: the slope of the log-odds at that mean, times how far the token stands from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from classifiers.encoder import TokenFeatures
from classifiers.heads import BLOCKS, N_LOGITS, Heads
from classifiers.text import HANDLE, LINK, Traced
from listener.model import Classification, Reason

MOST_WORDS = 5
"""Most words named for one post."""
SHARE_OF_WORDS = 3
"""In a short post one word in so many is named, lest everything be a reason."""
LONGEST_WORD = 60
"""Characters, as people see them, from which a word is cut."""
COMPLAINT_FROM = 0.3
"""Complaint probability from which a post may need an answer, and reasons say what raised it."""
URGENT_FROM = 0.2
"""The same for the probability of urgency 2 or 3; from there on reasons speak of urgency too."""
COMMON_IDS = 1200
"""Below are the pieces as common as "of" and "and" in the bundled encoder's own count of words."""
COMMON_DISCOUNT = 0.5
"""Such a word is named only where it moved twice as much as a rarer one; measured, it costs no faithfulness."""

# Scripts that put no space between words: their words are the tokenizer's pieces. Katakana runs are mostly one word.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}々〆"
_LETTER = rf"[\p{{L}}\p{{N}}_--[{_UNSPACED}\p{{Katakana}}ー]]\p{{M}}*+[\u200c\u200d]*+"
_WORD = regex.compile(
    rf"(?P<pieces>(?:[{_UNSPACED}]\p{{M}}*+)+)"
    rf"|(?:[\p{{Katakana}}ー]\p{{M}}*+)+"
    rf"|(?:{_LETTER})+(?:(?:['’ʼ.:-]|(?<=\p{{N}}),(?=\p{{N}}))(?:{_LETTER})+)*"
    r"|(?=\p{Extended_Pictographic}|\p{Regional_Indicator})\X",
    regex.VERSION1,
)
_CHARACTER = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, or where a script has no spaces, a piece of one: characters [start, end)."""

    start: int
    end: int
    is_piece: bool


def needs_reasons(found: Classification) -> bool:
    """Tell whether a post may need an answer, so that people will ask why."""
    return found.complaint >= COMPLAINT_FROM or _is_urgent(found)


def words_of(text: str, spans: Sequence[tuple[int, int]]) -> list[Word]:
    """Return the words of a masked text in order; what stands for handles and links is none.

    Args:
        text: a post after `mask`.
        spans: places of its tokens, which part the scripts that have no spaces.
    """
    cuts = {at for start, end in spans if start < end for at in (start, end)}
    words: list[Word] = []
    for match in _WORD.finditer(text):
        if match["pieces"]:
            words += _pieces(match[0], match.start(), cuts)
        elif not _is_mask(text, match.start(), match[0]):
            words.append(Word(match.start(), match.end(), False))
    return words


def explain(heads: Heads, post: Traced, tokens: TokenFeatures, found: Classification) -> tuple[Reason, ...]:
    """Return the words that moved a classification, the strongest first; at most `MOST_WORDS`.

    Where the post may need an answer these are words that raised it, with weights above 0: complaint, and where
    urgency is likely, urgency too. Elsewhere they are the words that moved complaint most, up or, below 0, down.

    Args:
        heads: what classified the post.
        post: the post as it was masked.
        tokens: the encoder's features of its masked text.
        found: its classification.
    """
    words = words_of(post.text, tokens.spans)
    moved = _moved(heads, post.text, tokens, words, _direction(found))
    by_name: dict[str, float] = {}
    for word, value in zip(words, moved, strict=True):
        name = _name(post.text, word)
        by_name[name] = by_name.get(name, 0.0) + value
    total = sum(map(abs, by_name.values()))
    if not total:
        return ()
    common = {_name(post.text, word) for word in words if _is_common(word, tokens)}
    chosen = _chosen(by_name, common, only_raising=needs_reasons(found))
    shares = [value / total for value in moved]
    return _reasons(post, [(word, share) for word, share in zip(words, shares, strict=True)], chosen)


def _direction(found: Classification) -> NDArray[np.float32]:
    """Return how much each logit counts in what is explained."""
    direction = np.zeros(N_LOGITS, dtype=np.float32)
    direction[BLOCKS["complaint"]] = 1.0
    if _is_urgent(found):
        direction[BLOCKS["complaint"]] = 0.5
        direction[BLOCKS["urgency"]] = 1 / 3
    return direction


def _is_urgent(found: Classification) -> bool:
    return sum(found.urgency_probabilities[2:]) >= URGENT_FROM


def _moved(
    heads: Heads, text: str, tokens: TokenFeatures, words: Sequence[Word], direction: NDArray[np.float32]
) -> list[float]:
    """Return what each word added to the log-odds explained."""
    mean = tokens.states.mean(axis=0)
    slope = heads.slope(mean, direction)
    by_token = (tokens.states - mean) @ slope / len(tokens.states)
    by_character = np.zeros(len(text) + 1)
    for (start, end), value in zip(tokens.spans, by_token, strict=True):
        inked = [at for at in range(start, end) if not text[at].isspace()]
        for at in inked:
            by_character[at] += value / len(inked)
    before = np.concatenate([[0.0], np.cumsum(by_character)])
    return [float(before[word.end] - before[word.start]) for word in words]


def _chosen(by_name: dict[str, float], common: set[str], *, only_raising: bool) -> set[str]:
    weighed = {name: value * (COMMON_DISCOUNT if name in common else 1.0) for name, value in by_name.items()}
    ranked = sorted(weighed, key=lambda name: -weighed[name] if only_raising else -abs(weighed[name]))
    most = min(MOST_WORDS, max(1, round(len(ranked) / SHARE_OF_WORDS)))
    return {name for name in ranked[:most] if weighed[name] > 0 or not only_raising}


def _reasons(post: Traced, weighed: Iterable[tuple[Word, float]], chosen: set[str]) -> tuple[Reason, ...]:
    """Return the chosen words as they stand in the post, pieces that touch joined, what repeats added up."""
    runs: list[tuple[Word, float]] = []
    for word, weight in weighed:
        if _name(post.text, word) not in chosen:
            continue
        last = runs[-1] if runs else None
        if last and word.is_piece and last[0].is_piece and last[0].end == word.start:
            runs[-1] = (Word(last[0].start, word.end, True), last[1] + weight)
        else:
            runs.append((word, weight))
    forms: dict[str, str] = {}
    weights: dict[str, float] = {}
    for word, weight in runs:
        name = _name(post.text, word)
        forms.setdefault(name, _cut(post.original(word.start, word.end)))
        weights[name] = weights.get(name, 0.0) + weight
    reasons = [Reason(forms[name], max(-1.0, min(1.0, weight))) for name, weight in weights.items() if forms[name]]
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.weight)))


def _name(text: str, word: Word) -> str:
    return text[word.start : word.end].casefold()


def _cut(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    ends = [match.end() for _, match in zip(range(LONGEST_WORD), _CHARACTER.finditer(word), strict=False)]
    return word[: min(ends[-1], 4 * LONGEST_WORD)]


def _is_mask(text: str, start: int, word: str) -> bool:
    return word == LINK or (word == HANDLE[1:] and text[start - 1 : start] == HANDLE[0])


def _pieces(run: str, offset: int, cuts: set[int]) -> list[Word]:
    """Return a run of an unspaced script, parted where tokens begin and end but within no character people see."""
    between = [offset + match.start() for match in _CHARACTER.finditer(run)]
    bounds = [offset, *(at for at in between[1:] if at in cuts), offset + len(run)]
    return [Word(start, end, True) for start, end in pairwise(bounds)]


def _is_common(word: Word, tokens: TokenFeatures) -> bool:
    within = [
        number
        for number, (start, end) in zip(tokens.ids, tokens.spans, strict=True)
        if start < word.end and end > word.start and start < end
    ]
    return len(within) == 1 and within[0] < COMMON_IDS
