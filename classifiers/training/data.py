"""Reads the labelled sets, leaves out what may not train shipped weights, and keeps copies in one fold."""

import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifiers.text import HANDLE, LINK, mask
from listener.model import SIGNALS, TOPICS, Sentiment

FOLDS = 8
"""Parts that the real posts are dealt into; each is scored by heads that saw none of it."""
PER_LANGUAGE_CAP = 1200
"""Most posts taken from one sentiment set in one language, spread evenly over its labels."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text, masked, with the labels known for it; None where a set does not say."""

    text: str
    language: str
    source: str
    group: str
    """Texts of one group go to the same side of a split."""
    complaint: int | None = None
    urgency: int | None = None
    topic: int | None = None
    signals: tuple[int, ...] | None = None
    sentiment: int | None = None
    fold: int | None = None
    """Part in which it is scored; None for examples that only train."""


@dataclass(frozen=True, slots=True)
class SentimentSet:
    """How one public set says what is negative, neutral and positive, and what its licence allows."""

    name: str
    licence_class: str
    labels: Mapping[Any, Sentiment]
    languages: frozenset[str] | None = None
    """Languages taken from it; all where None."""


_NEG, _NEU, _POS = Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE
_WORDS: Mapping[Any, Sentiment] = {"negative": _NEG, "neutral": _NEU, "positive": _POS}
_POLAR: Mapping[Any, Sentiment] = {"negative": _NEG, "positive": _POS}
_BINARY: Mapping[Any, Sentiment] = {0: _NEG, 1: _POS}
# Sets of the classes `unstated` and `share-alike` stand here only for languages that have little else.
SENTIMENT_SETS = (
    SentimentSet("umsab_xlmt", "permissive", _WORDS),
    SentimentSet("arsarcasm_v2_ar", "permissive", {"NEG": _NEG, "NEU": _NEU, "POS": _POS}),
    SentimentSet("indonlu_smsa_id", "permissive", _WORDS),
    SentimentSet("nsmc_raw_sample_ko", "permissive", _POLAR),
    SentimentSet("indicsentiment_hi", "permissive", _WORDS),
    SentimentSet("mabsa_14lang", "permissive", _WORDS, frozenset({"ja", "ko", "nl", "ru", "tr", "zh"})),
    SentimentSet("waimai_10k_zh", "unstated", _BINARY),
    SentimentSet("online_shopping_10_cats_zh", "unstated", _BINARY),
    SentimentSet("rozetka_reviews_uk", "unstated", _WORDS),
    SentimentSet("semeval2016_restaurants_nl", "unstated", _WORDS),
    SentimentSet("polemo_wccrs_pl", "share-alike", _WORDS),
)
MENTIONS = "mentions/train.jsonl.gz"
AUTHORED = "authored/posts.jsonl"
_SENTIMENTS = list(Sentiment)
_PARALLEL_ID = re.compile(r"^([a-z]+)-[a-z]{2}-(train-\d+)$")
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def load(data: Path) -> list[Example]:
    """Return every example that may train shipped weights, each real one with its fold.

    Folds are dealt by a hash of the text within each language and kind of set. Authored posts are never
    scored, since no score is reported on them; one that copies a real post stays in that post's fold.
    """
    real = [*_mentions(data), *_sentiment(data)]
    folds = _folds(real)
    return [replace(example, fold=folds.get(example.group)) for example in [*real, *_authored(data)]]


def files(data: Path) -> list[Path]:
    """Return the files that `load` reads."""
    return [data / MENTIONS, data / AUTHORED, *(_public(data, chosen.name) for chosen in SENTIMENT_SETS)]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(text: str) -> str:
    """Return what copies of a text share: its letters, without case, digits, handles, links and punctuation."""
    bare = mask(text).replace(HANDLE, " ").replace(LINK, " ")
    letters = _NOT_LETTERS.sub("", bare).casefold()
    return hashlib.sha256((letters or bare).encode("utf-8")).hexdigest()


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file, gzipped or plain."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _mentions(data: Path) -> Iterator[Example]:
    for row in read_lines(data / MENTIONS):
        if row["licence_class"] == "noncommercial":
            continue
        source, _, identity = row["key"].partition("/")
        yield _labelled(row, source, _group(source, identity, row["text"]))


def _authored(data: Path) -> Iterator[Example]:
    for row in read_lines(data / AUTHORED):
        yield _labelled(row, "authored", key_of(row["text"]))


def _labelled(row: Mapping[str, Any], source: str, group: str) -> Example:
    return Example(
        text=mask(row["text"]),
        language=row["lang"],
        source=source,
        group=group,
        complaint=row["complaint"],
        urgency=row["urgency"],
        topic=TOPICS.index(row["topic"]),
        signals=tuple(int(letter in row["signals"]) for letter in SIGNALS),
        sentiment=_implied_sentiment(row),
    )


def _implied_sentiment(row: Mapping[str, Any]) -> int | None:
    """Return the tone that our own labels settle: complaints negative, praise positive, plain questions neutral."""
    if row["complaint"]:
        return _SENTIMENTS.index(_NEG)
    implied = {"praise": _POS, "question": _NEU}.get(row["topic"])
    return None if implied is None else _SENTIMENTS.index(implied)


def _sentiment(data: Path) -> Iterator[Example]:
    for chosen in SENTIMENT_SETS:
        rows = [row for row in read_lines(_public(data, chosen.name)) if _usable(row, chosen)]
        yield from _capped(_sentiment_example(row, chosen) for row in rows)


def _usable(row: Mapping[str, Any], chosen: SentimentSet) -> bool:
    known = row["label"] in chosen.labels and not (row.get("translated") and chosen.name != "mabsa_14lang")
    return known and (chosen.languages is None or row["lang"] in chosen.languages)


def _sentiment_example(row: Mapping[str, Any], chosen: SentimentSet) -> Example:
    return Example(
        text=mask(row["text"]),
        language=row["lang"],
        source=chosen.name,
        group=_group(chosen.name, row["id"], row["text"]),
        sentiment=_SENTIMENTS.index(chosen.labels[row["label"]]),
    )


def _capped(examples: Iterable[Example]) -> Iterator[Example]:
    """Keep at most the cap per language, evenly over labels, by hash so that the choice does not depend on order."""
    by_kind: dict[tuple[str, int | None], list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda one: one.group):
        by_kind[example.language, example.sentiment].append(example)
    labels: dict[str, int] = defaultdict(int)
    for language, _label in by_kind:
        labels[language] += 1
    for (language, _label), kind in by_kind.items():
        yield from kind[: PER_LANGUAGE_CAP // labels[language]]


def _group(source: str, identity: str, text: str) -> str:
    # The sentences of this set are translations of one another under ids that differ only in the language.
    parallel = _PARALLEL_ID.match(identity) if source == "mabsa_14lang" else None
    return hashlib.sha256("-".join(parallel.groups()).encode()).hexdigest() if parallel else key_of(text)


def _folds(examples: Sequence[Example]) -> dict[str, int]:
    """Return the fold of every group, dealt in turn within every language of the mentions and sentiment sets."""
    strata: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for example in examples:
        strata[example.language, example.urgency is None].add(example.group)
    folds: dict[str, int] = {}
    for _kind, groups in sorted(strata.items()):
        fresh = sorted(groups - folds.keys(), key=lambda group: hashlib.sha256(f"split-1 {group}".encode()).digest())
        folds.update((group, turn % FOLDS) for turn, group in enumerate(fresh))
    return folds


def _public(data: Path, name: str) -> Path:
    return data / "public" / f"{name}.jsonl.gz"
