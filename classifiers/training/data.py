"""Reads the labelled sets and leaves out what may not train shipped weights."""

import csv
import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifiers.text import HANDLE, LINK, mask
from listener.model import SIGNALS, TOPICS, Sentiment

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
    beyond_cap: bool = False
    """Whether its set has more of its language than the heads of the frozen encoder are fitted on."""
    public_complaint: int | None = None
    """Complaint as the public English set labels it, 0 or 1."""
    severity: int | None = None
    """Severity of a complaint as the public English set labels it, 0 to 4."""
    further: bool = False
    """Whether `labels.tsv` labels it: it only ever trains."""


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
BENCHMARK = "umsab_xlmt"
"""Sentiment set with a published comparison: read without a cap, its val split is test."""
COMPLAINTS, SEVERITY = "complaints_acl2019_en", "xci_complaint_severity_en"
MENTIONS = "mentions/train.jsonl.gz"
LABELS = Path(__file__).parent / "labels.tsv"
"""Our own labels of further posts of the public sets, without their texts: set, key of the text, labels."""
AUTHORED = "authored/posts.jsonl"
_SENTIMENTS = list(Sentiment)
_KEY_LENGTH = 16
_PARALLEL_ID = re.compile(r"^([a-z]+)-[a-z]{2}-(train-\d+)$")
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def load(data: Path) -> list[Example]:
    """Return every example that may train shipped weights, the public complaint labels beside our own."""
    mentions = list(_mentions(data))
    public = dict(_public_complaints(data))
    ours = {example.group for example in mentions}
    others = [one for group, one in public.items() if group not in ours]
    examples = [*mentions, *others, *_sentiment(data), *_authored(data)]
    return [_with_public_labels(one, public) for one in examples]


def load_further(data: Path) -> list[Example]:
    """Return the posts of the public sets that `labels.tsv` labels by our guidelines; they only ever train."""
    public = dict(_public_complaints(data))
    by_set: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for source, key, row in _own_labels(LABELS):
        by_set[source][key] = row
    found = {
        (source, key): _labelled({**row, **by_set[source][key]}, source, _group(source, row["id"], row["text"]))
        for source in by_set
        for row in read_lines(public_path(data, source))
        if (key := key_of(row["text"])[:_KEY_LENGTH]) in by_set[source]
    }
    return [replace(_with_public_labels(one, public), further=True) for one in found.values()]


def further_sets() -> list[str]:
    """Return the public sets of which `labels.tsv` labels posts."""
    return sorted({source for source, _key, _row in _own_labels(LABELS)})


def _own_labels(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            labels = {"complaint": int(row["complaint"]), "urgency": int(row["urgency"])}
            yield row["set"], row["key"], {**labels, "topic": row["topic"], "signals": row["signals"]}


def files(data: Path) -> list[Path]:
    """Return the files that `load` and `load_further` read."""
    public = sorted({COMPLAINTS, SEVERITY, *(chosen.name for chosen in SENTIMENT_SETS), *further_sets()})
    return [data / MENTIONS, data / AUTHORED, *(public_path(data, name) for name in public)]


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
    """Yield the examples of the sentiment sets, all of the benchmark's and as many as the cap allows of others."""
    for chosen in SENTIMENT_SETS:
        rows = [row for row in read_lines(public_path(data, chosen.name)) if _usable(row, chosen)]
        examples = [_sentiment_example(row, chosen) for row in rows]
        within = list(_capped(examples))
        if chosen.name != BENCHMARK:
            yield from within
            continue
        known = set(map(id, within))
        yield from (one if id(one) in known else replace(one, beyond_cap=True) for one in examples)


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


def _public_complaints(data: Path) -> Iterator[tuple[str, Example]]:
    """Yield the posts of the two English complaint sets, which are the same posts, by group."""
    severities = {key_of(row["text"]): int(row["severity"]) for row in read_lines(public_path(data, SEVERITY))}
    for row in read_lines(public_path(data, COMPLAINTS)):
        group = key_of(row["text"])
        example = Example(mask(row["text"]), row["lang"], COMPLAINTS, group)
        yield group, replace(example, public_complaint=int(row["label"]), severity=severities.get(group))


def _with_public_labels(example: Example, public: Mapping[str, Example]) -> Example:
    twin = public.get(example.group)
    if twin is None:
        return example
    return replace(example, public_complaint=twin.public_complaint, severity=twin.severity)


def _group(source: str, identity: str, text: str) -> str:
    # The sentences of this set are translations of one another under ids that differ only in the language.
    parallel = _PARALLEL_ID.match(identity) if source == "mabsa_14lang" else None
    return hashlib.sha256("-".join(parallel.groups()).encode()).hexdigest() if parallel else key_of(text)


def public_path(data: Path, name: str) -> Path:
    """Return the file of a public set."""
    return data / "public" / f"{name}.jsonl.gz"
