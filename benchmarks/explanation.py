"""How faithful the reasons are: deleting the words they name against deleting as many others at random.

    python -m benchmarks.explanation --data POSTS.jsonl.gz

The data is JSON Lines, gzipped or not, with `text`, `lang` and `complaint` (0 or 1); only complaints are used. Scores
are complaint log-odds before calibration, so that no score is so high that nothing lowers it visibly.
"""

import argparse
import gzip
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifiers.encoder import TextEncoder
from classifiers.explanation import Word, words_of
from classifiers.heads import Heads, load_heads
from classifiers.mentions import MentionClassifier
from classifiers.text import mask
from listener.model import Reason

LEAST_WORDS = 3
"""With fewer there is nothing else to delete."""


@dataclass(frozen=True, slots=True)
class Post:
    language: str
    text: str


@dataclass(slots=True)
class Trial:
    """One post with what was deleted from it."""

    language: str
    text: str
    marked: str
    random: list[str]
    drop: float = 0.0
    random_drops: tuple[float, ...] = ()

    @property
    def is_won(self) -> bool:
        return self.drop > float(np.mean(self.random_drops))

    @property
    def draws_won(self) -> float:
        return float(np.mean([self.drop > other for other in self.random_drops]))


def read_posts(path: Path, per_language: int, seed: int) -> list[Post]:
    """Return at most so many complaints of each language, chosen by the seed, handles and links masked."""
    by_language: dict[str, list[Post]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            item = json.loads(line)
            if item["complaint"]:
                by_language[item["lang"]].append(Post(item["lang"], mask(item["text"])))
    chosen = random.Random(seed)
    return [
        post
        for language in sorted(by_language)
        for post in chosen.sample(by_language[language], min(per_language, len(by_language[language])))
    ]


def marked_words(text: str, words: Sequence[Word], reasons: Sequence[Reason]) -> set[Word]:
    """Return every occurrence, as a whole word or whole pieces, of what the reasons name."""
    folded = text.casefold()
    if len(folded) != len(text):
        folded = text
    marked: set[Word] = set()
    for reason in reasons:
        name = reason.word if folded is text else reason.word.casefold()
        start = folded.find(name)
        while start >= 0:
            within = [word for word in words if start <= word.start and word.end <= start + len(name)]
            marked.update(within)
            start = folded.find(name, start + 1)
    return marked


def without(text: str, words: Sequence[Word]) -> str:
    for word in sorted(words, key=lambda word: -word.start):
        text = text[: word.start] + text[word.end :]
    return text


def trials(
    posts: Sequence[Post], encoder: TextEncoder, reasons: Sequence[Sequence[Reason]], draws: int, seed: int
) -> Iterator[Trial | None]:
    """Yield what to score; None for a post with too few words."""
    chance = random.Random(seed)
    tokens = (found for start in range(0, len(posts), 32) for found in encoder.token_features(texts(posts, start)))
    for post, found, named in zip(posts, tokens, reasons, strict=True):
        words = words_of(post.text, found.spans)
        marked = marked_words(post.text, words, [reason for reason in named if reason.weight > 0])
        if len(words) < LEAST_WORDS or len(marked) >= len(words):
            yield None
            continue
        others = [other for _ in range(draws) if (other := draw(words, marked, chance)) is not None]
        yield Trial(post.language, post.text, without(post.text, list(marked)), [without(post.text, o) for o in others])


def texts(posts: Sequence[Post], start: int) -> list[str]:
    return [post.text for post in posts[start : start + 32]]


def draw(words: Sequence[Word], marked: set[Word], chance: random.Random) -> list[Word]:
    """Return as many words as are marked, any of them, but not just the same."""
    while True:
        drawn = chance.sample(list(words), len(marked)) if marked else []
        if set(drawn) != marked or not marked:
            return drawn


def score(classifier: MentionClassifier, heads: Heads, tried: Sequence[Trial]) -> None:
    """Fill in how much each deletion lowered the complaint log-odds."""
    wanted = [text for trial in tried for text in (trial.text, trial.marked, *trial.random)]
    logits = iter(heads.logits(classifier.embed(wanted))[:, 0])
    for trial in tried:
        before = next(logits)
        trial.drop = float(before - next(logits))
        trial.random_drops = tuple(float(before - next(logits)) for _ in trial.random)


def lines(tried: Sequence[Trial]) -> Iterator[str]:
    yield f"{'language':<10}{'posts':>6}  {'won':>6}  {'single draws':>12}  {'drop':>6}  {'random':>6}"
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in tried:
        groups[trial.language].append(trial)
    for name, group in (*sorted(groups.items()), ("all", list(tried))):
        won, single = (float(np.mean([getattr(trial, what) for trial in group])) for what in ("is_won", "draws_won"))
        drop, other = (
            float(np.mean([trial.drop for trial in group])),
            float(np.mean([d for trial in group for d in trial.random_drops])),
        )
        yield f"{name:<10}{len(group):>6}  {won:>6.1%}  {single:>12.1%}  {drop:>6.2f}  {other:>6.2f}"
    low, high = interval([trial.is_won for trial in tried])
    yield f"won overall: 95 % interval {low:.1%} to {high:.1%}"


def interval(won: Sequence[bool]) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    n, share, z = len(won), float(np.mean(won)), 1.96
    middle, half = share + z * z / (2 * n), z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def cost(classifier: MentionClassifier, posts: Sequence[Post], rounds: int = 3) -> tuple[float, float]:
    """Return the time that reasons take over that without, and posts a second with them; the best of some rounds."""
    sample = [post.text for post in posts][:256]
    plain, explained = [], []
    for _ in range(rounds):
        for times, reasons in ((plain, False), (explained, True)):
            start = time.perf_counter()
            classifier.classify(sample, reasons=reasons)
            times.append(time.perf_counter() - start)
    return min(explained) / min(plain), len(sample) / min(explained)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.explanation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--per-language", type=int, default=30, help="most posts of each language")
    parser.add_argument("--draws", type=int, default=5, help="random deletions of each post")
    parser.add_argument("--cache", type=Path, default=Path("var/model"), help="where the encoder is kept")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    classifier = MentionClassifier.load(options.cache, threads=options.threads)
    posts = read_posts(options.data, options.per_language, options.seed)
    found = classifier.classify([post.text for post in posts], reasons=True)
    made = list(trials(posts, classifier.encoder, [one.reasons for one in found], options.draws, options.seed))
    tried = [trial for trial in made if trial is not None]
    score(classifier, load_heads(), tried)
    print(f"model {classifier.version}; {len(tried)} complaints, {len(made) - len(tried)} too short to compare")
    print(f"each: the words named, at most 5, against as many at random, {options.draws} draws; won = over their mean")
    print("\n".join(lines(tried)))
    ratio, rate = cost(classifier, posts)
    print(f"cost: classifying with reasons takes {ratio:.2f} times classifying alone ({rate:.0f} posts a second)")


if __name__ == "__main__":
    main()
