"""Says which words of a post moved its classification, in every script. Knows nothing of how texts become features.

The heads read means over a post's tokens, so a token's part in the result is known without another pass through the
encoder: the slope of the log-odds at that mean, times how far the token stands from it. Where people will ask why,
that is read from all layers, from the early and from the late ones, each reading's words are left out, and those
stand whose loss lowers the score most.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from classifiers.encoder import TokenFeatures
from classifiers.heads import BLOCKS, N_LOGITS, Heads
from classifiers.text import HANDLE, LINK, Traced, mask
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
COMMON_IDS = 1700
"""Below are the pieces as common as "of" and "just" in the bundled encoder's own count of words."""
COMMON_DISCOUNT = 0.1
"""Such a word is named only where it moved ten times as much as a rarer one; measured, it costs no faithfulness."""
LEAST_SHARE = 0.05
"""Of what the strongest word moved: what moved less is not named."""
NEGATIONS = frozenset(
    "not no nor nicht kein keine keinen pas ne ni sans sin no non né senza não nem sem niet geen nie bez brak не ні нет"
    " без ні yok hiç tidak belum bukan لا لم لن ما غير नहीं ना मत ない なし 안 못 不 没 沒 无 無 未".split()
)
"""As common, but they turn what stands beside them."""

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


@dataclass(frozen=True, slots=True)
class Marked:
    """A word that moved a result, with its share of all that the words moved, in [-1, 1]."""

    word: Word
    share: float


class Explainer:
    """Marks the words that moved what some heads say."""

    def __init__(self, heads: Heads, logits: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        """Take what classified the posts.

        Args:
            heads: they, with their layers.
            logits: gives the heads' logits, float32 (n, 28), of masked texts.
        """
        self._heads = heads
        self._logits = logits

    def mark(
        self, texts: Sequence[str], tokens: Sequence[TokenFeatures], found: Sequence[Classification]
    ) -> list[tuple[Marked, ...]]:
        """Return the words that moved each classification, in the order of the text; at most `MOST_WORDS` different.

        Where the post may need an answer these are words that raised it, with shares above 0: complaint, and where
        urgency is likely, urgency too. Elsewhere they are the words that moved complaint most, up or, below 0, down.

        Args:
            texts: masked posts.
            tokens: the encoder's features of each.
            found: the classification of each.
        """
        readings = [self._readings(*one) for one in zip(texts, tokens, found, strict=True)]
        asked = [row for row, one in enumerate(found) if needs_reasons(one)]
        best = [marks[0] for marks in readings]
        lowered = self._lowered([(texts[row], found[row], tokens[row], readings[row]) for row in asked])
        for row, drops in zip(asked, lowered, strict=True):
            best[row] = readings[row][drops.index(max(drops))]
        # In a few posts, most of them short, no set of words lowers the score: there each word is tried alone.
        failed = [row for row, drops in zip(asked, lowered, strict=True) if max(drops) <= 0]
        alone = [_alone(texts[row], readings[row]) for row in failed]
        tried = [(texts[row], found[row], tokens[row], words) for row, words in zip(failed, alone, strict=True)]
        for row, words, drops in zip(failed, alone, self._lowered(tried), strict=True):
            helped = [word for word, drop in zip(words, drops, strict=True) if drop > 0]
            best[row] = max(helped, key=lambda word: drops[words.index(word)], default=())
        return best

    def _lowered(
        self, tried: Sequence[tuple[str, Classification, TokenFeatures, Sequence[tuple[Marked, ...]]]]
    ) -> list[list[float]]:
        """Return by how much leaving out each set of words lowers what is explained of its text."""
        left = [mask(_without(text, marks)) for text, _, _, sets in tried for marks in sets]
        logits = iter(self._logits(left) if left else ())
        lowered = []
        for _, found, tokens, sets in tried:
            direction = _direction(found)
            (before,) = self._heads.logits(tokens.states.mean(axis=0, keepdims=True)) @ direction
            lowered.append([float(before - direction @ next(logits)) for _ in sets])
        return lowered

    def _readings(self, text: str, tokens: TokenFeatures, found: Classification) -> list[tuple[Marked, ...]]:
        """Return the different sets of words that one may take for the reasons, the likeliest first."""
        words = words_of(text, tokens.spans)
        by_layer = _by_layer(self._heads, tokens, _direction(found))
        half = by_layer.shape[1] // 2
        readings = [by_layer.sum(axis=1)]
        if half and needs_reasons(found):
            readings += [by_layer[:, :half].sum(axis=1), by_layer[:, half:].sum(axis=1)]
        common = {_name(text, word) for word in words if _is_common(word, tokens)} - NEGATIONS
        raising = needs_reasons(found)
        marks = [_marked(text, words, _by_word(text, tokens, words, one), common, raising) for one in readings]
        different: dict[frozenset[str], tuple[Marked, ...]] = {}
        for some in filter(None, marks):
            different.setdefault(frozenset(_name(text, one.word) for one in some), some)
        return list(different.values()) or [()]


def reasons_of(post: Traced, marks: Iterable[Marked]) -> tuple[Reason, ...]:
    """Return marked words as they stand in the post, the strongest first; pieces that touch joined, repeats added."""
    runs: list[Marked] = []
    for mark in marks:
        last = runs[-1] if runs else None
        if last and mark.word.is_piece and last.word.is_piece and last.word.end == mark.word.start:
            runs[-1] = Marked(Word(last.word.start, mark.word.end, True), last.share + mark.share)
        else:
            runs.append(mark)
    forms: dict[str, str] = {}
    weights: dict[str, float] = {}
    for run in runs:
        name = _name(post.text, run.word)
        forms.setdefault(name, _cut(post.original(run.word.start, run.word.end)))
        weights[name] = weights.get(name, 0.0) + run.share
    reasons = [Reason(forms[name], max(-1.0, min(1.0, weight))) for name, weight in weights.items()]
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.weight)))


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


def _by_layer(heads: Heads, tokens: TokenFeatures, direction: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what each token adds to the log-odds explained through each layer, float32 (n_tokens, n_layers)."""
    mean = tokens.states.mean(axis=0)
    parts = (tokens.states - mean) * heads.slope(mean, direction) / len(tokens.states)
    added: NDArray[np.float32] = parts.reshape(len(parts), len(heads.layers), -1).sum(axis=2)
    return added


def _by_word(
    text: str, tokens: TokenFeatures, words: Sequence[Word], by_token: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return what tokens add as what words add: a token's part is spread over its characters that are no space."""
    by_character = np.zeros(len(text) + 1)
    for (start, end), value in zip(tokens.spans, by_token, strict=True):
        inked = [at for at in range(start, end) if not text[at].isspace()]
        by_character[inked] += value / max(1, len(inked))
    before = np.concatenate([[0.0], np.cumsum(by_character)])
    added: NDArray[np.float64] = before[[word.end for word in words]] - before[[word.start for word in words]]
    return added


def _marked(
    text: str, words: Sequence[Word], added: NDArray[np.float64], common: set[str], only_raising: bool
) -> tuple[Marked, ...]:
    """Return the words that one reading takes for the reasons."""
    by_name: dict[str, float] = {}
    for word, value in zip(words, added, strict=True):
        by_name[_name(text, word)] = by_name.get(_name(text, word), 0.0) + float(value)
    total = sum(map(abs, by_name.values()))
    weighed = {name: value * (COMMON_DISCOUNT if name in common else 1.0) for name, value in by_name.items()}
    sizes = {name: value if only_raising else abs(value) for name, value in weighed.items()}
    ranked = sorted(sizes, key=lambda name: -sizes[name])
    most = min(MOST_WORDS, max(1, round(len(ranked) / SHARE_OF_WORDS)))
    least = LEAST_SHARE * max(sizes.values(), default=0.0)
    chosen = {name for name in ranked[:most] if sizes[name] > 0 and sizes[name] >= least}
    named = [(word, _name(text, word)) for word in words]
    return tuple(
        Marked(word, float(value) / total) for (word, name), value in zip(named, added, strict=True) if name in chosen
    )


def _alone(text: str, readings: Sequence[tuple[Marked, ...]]) -> list[tuple[Marked, ...]]:
    """Return every word of some readings as a set of its own, with all its places."""
    words: dict[str, tuple[Marked, ...]] = {}
    for marks in readings:
        for name in dict.fromkeys(_name(text, mark.word) for mark in marks):
            words.setdefault(name, tuple(mark for mark in marks if _name(text, mark.word) == name))
    return list(words.values()) or [()]


def _without(text: str, marks: Iterable[Marked]) -> str:
    for mark in sorted(marks, key=lambda mark: -mark.word.start):
        text = text[: mark.word.start] + text[mark.word.end :]
    return text


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
