"""How well complaints are grouped by what they are about: against labels, against k-means, and how long it takes.

With `--data FOLDER` it reads the labelled sets that it finds there; else what examples/authored.jsonl labels.
"""

import gzip
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import EXAMPLES, Bench, Finding, at_most
from classifiers.cause_space import load_cause_space
from classifiers.causes import Known, compact, group, restore
from classifiers.heads import load_heads

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Read = Callable[[dict[str, Any]], str | None]

LEAST = 5
WEEKS = 4
_FEWEST_TRANSLATIONS = 6


@dataclass(frozen=True, slots=True)
class Labelled:
    """A set of complaints, each with what it is about."""

    name: str
    texts: list[str]
    labels: list[str]
    sentences: list[str]
    """The same for translations of one sentence; empty where there are none."""


def causes(bench: Bench) -> list[Finding]:
    """Return how pure groups are and how much they tell of the labels, by set; then what time they take."""
    space = load_cause_space(load_heads())
    findings: list[Finding] = []
    every: list[Array] = []
    for one in labelled_sets(bench.data, bench.limit):
        features = bench.classifier.embed(one.texts)
        vectors = restore(compact(space.place(features)))
        every.append(vectors)
        findings += _quality(one, vectors, features)
    return [*findings, *_time(bench, np.vstack(every))]


def labelled_sets(data: Path, limit: int) -> Iterator[Labelled]:
    """Yield the labelled sets below a folder, at most so many complaints of each, drawn evenly."""
    readers: dict[str, Read] = {
        "mabsa_14lang": _mabsa,
        "cesamard_aspect_en": _cesamard,
        "airline_tweets_en": _reason,
        "turkish_municipal_complaints_tr": lambda row: None if row["label"] == "Diğer" else row["label"],
        "train": _topic,
        "authored": _topic,
    }
    found = {path.name.split(".")[0]: path for path in sorted(data.rglob("*.jsonl*"))} if data.is_dir() else {}
    paths = {name: found[name] for name in readers if name in found}
    for name, path in (paths or {"authored": EXAMPLES / "authored.jsonl"}).items():
        rows = [(row, label) for row in _rows(path) if (label := readers[name](row))]
        random.Random(1).shuffle(rows)
        yield _translations(name, rows, limit) if name == "mabsa_14lang" else _drawn(name, rows[:limit])


def purity(labels: Sequence[str], groups: Labels) -> float:
    """Return the share of posts whose label is the commonest of their group."""
    members: dict[int, Counter[str]] = defaultdict(Counter)
    for label, place in zip(labels, groups.tolist(), strict=True):
        members[place][label] += 1
    return sum(max(one.values()) for one in members.values()) / max(1, len(labels))


def shared_information(labels: Sequence[str], groups: Labels) -> float:
    """Return the normalised mutual information of labels and groups, by the mean of their entropies."""
    table = np.zeros((len(set(labels)), len(np.unique(groups))))
    rows, columns = np.unique(labels, return_inverse=True)[1], np.unique(groups, return_inverse=True)[1]
    np.add.at(table, (rows, columns), 1.0)
    joint = table / max(1.0, table.sum())
    entropy = _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))
    return 2 * (entropy - _entropy(joint.ravel())) / entropy if entropy > 0 else 1.0


def together(sentences: Sequence[str], groups: Labels) -> float:
    """Return the mean share of a sentence's translations that stand in the group where most of them do."""
    places: dict[str, list[int]] = defaultdict(list)
    for sentence, place in zip(sentences, groups.tolist(), strict=True):
        places[sentence].append(place)
    shares = [max(Counter(p for p in one if p >= 0).values(), default=0) / len(one) for one in places.values()]
    return float(np.mean(shares))


def _quality(one: Labelled, vectors: Array, features: Array) -> Iterator[Finding]:
    found = group(vectors, least=LEAST)
    count, held = len(found.groups), found.labels >= 0
    labels = [label for label, is_held in zip(one.labels, held, strict=True) if is_held]
    name = f"{one.name} ({len(vectors)})"
    yield Finding(f"{name}: groups, share of posts in them", f"{count}, {held.mean():.0%}")
    rivals = {"k-means": _k_means(vectors, count), "k-means on raw features": _k_means(_unit(features), count)}
    for measure, of in (("purity", purity), ("NMI", shared_information)):
        beside = ", ".join(
            f"{rival} {of(labels, groups[held]):.3f} on these posts, {of(one.labels, groups):.3f} on all"
            for rival, groups in rivals.items()
        )
        own, aim = of(labels, found.labels[held]), of(labels, rivals["k-means on raw features"][held])
        yield Finding(f"{name}: {measure}", f"{own:.3f}; {beside}", "above k-means on raw features", own > aim)
    if one.sentences:
        shares = ", ".join(f"{rival} {together(one.sentences, groups):.3f}" for rival, groups in rivals.items())
        yield Finding(f"{name}: translations in one group", f"{together(one.sentences, found.labels):.3f}; {shares}")
    yield _followed(name, one.labels, vectors)


def _followed(name: str, labels: Sequence[str], vectors: Array) -> Finding:
    """Return how irritants are known again where the same posts come spread over weeks."""
    weeks = np.random.default_rng(1).integers(0, WEEKS, len(vectors))
    known: dict[int, Array] = {}
    numbers = np.full(len(vectors), -1, dtype=np.int64)
    for week in range(WEEKS):
        rows = np.flatnonzero(weeks == week)
        for one in group(vectors[rows], [Known(*pair) for pair in known.items()], least=LEAST).groups:
            number = len(known) if one.known is None else one.known
            known[number] = one.centre
            numbers[rows[one.members]] = number
    held = numbers >= 0
    first = set(numbers[held & (weeks == 0)].tolist())
    later = held & (weeks > 0)
    again = float(np.isin(numbers[later], list(first)).mean()) if later.any() else 0.0
    pure = purity([label for label, is_held in zip(labels, held, strict=True) if is_held], numbers[held])
    return Finding(
        f"{name}: over {WEEKS} weeks, later posts under a number of the first", f"{again:.0%}, purity {pure:.3f}"
    )


def _time(bench: Bench, vectors: Array) -> Iterator[Finding]:
    """Yield what grouping takes for 10,000 posts made of those read, and how that grows."""
    seconds = {}
    for count in (10_000, 20_000, 40_000):
        draw = np.random.default_rng(count)
        noise = draw.standard_normal((count, vectors.shape[1]), dtype=np.float32)
        many = vectors[draw.integers(0, len(vectors), count)] + np.float32(0.02) * noise
        seconds[count] = bench.seconds({"group": partial(_read_and_group, compact(many))})["group"]
    yield at_most("10,000 posts, read and grouped", seconds[10_000], 10, " s")
    for count in (20_000, 40_000):
        yield at_most(f"{count:,} posts, times as long as 10,000", seconds[count] / seconds[10_000], count / 10_000)


def _read_and_group(packed: Sequence[bytes]) -> None:
    group(restore(packed), least=LEAST)


def _k_means(vectors: Array, count: int) -> Labels:
    from sklearn.cluster import KMeans

    means = KMeans(max(1, count), n_init=3, random_state=0)
    return np.asarray(means.fit_predict(vectors), dtype=np.int64)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return (json.loads(line) for line in content.decode("utf-8").splitlines() if line.strip())


def _drawn(name: str, rows: Sequence[tuple[dict[str, Any], str]]) -> Labelled:
    return Labelled(name, [row["text"] for row, _ in rows], [label for _, label in rows], [])


def _translations(name: str, rows: Sequence[tuple[dict[str, Any], str]], limit: int) -> Labelled:
    """Return whole sentences with all their translations."""
    sentences: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for row, label in rows:
        domain, _, split, number = row["id"].rsplit("-", 3)
        sentences[f"{domain}-{split}-{number}"].append((row, label))
    kept = [(key, pair) for key, some in sentences.items() if len(some) >= _FEWEST_TRANSLATIONS for pair in some][
        :limit
    ]
    return Labelled(
        name, [row["text"] for _, (row, _) in kept], [label for _, (_, label) in kept], [key for key, _ in kept]
    )


def _mabsa(row: dict[str, Any]) -> str | None:
    aspects = {aspect.lower() for aspect, _ in row["aspects"]}
    return f"{row['domain']}: {min(aspects)}" if row["label"] == "negative" and len(aspects) == 1 else None


def _cesamard(row: dict[str, Any]) -> str | None:
    aspects = {aspect.lower().strip() for aspect, _ in row["aspects"]}
    return min(aspects) if str(row["label"]) == "1" and len(aspects) == 1 else None


def _reason(row: dict[str, Any]) -> str | None:
    return row["negativereason"] if row["negativereason"] not in ("", "Can't Tell") else None


def _topic(row: dict[str, Any]) -> str | None:
    return row["topic"] if row["complaint"] and row["topic"] != "other" else None


def _entropy(shares: NDArray[np.float64]) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)
