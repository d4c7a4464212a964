"""Deals the examples into parts: what trains, what calibrates, and what is only ever scored."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from classifiers.training.data import BENCHMARK, Example, key_of, public_path, read_lines

_TURNS = 14
_TEST_TURNS = frozenset({0, 1})
_CALIBRATION_TURN = 2


class Part(StrEnum):
    """What an example may be used for."""

    TRAIN = "train"
    CALIBRATION = "calibration"
    TEST = "test"


def deal(examples: Sequence[Example], data: Path) -> list[Part]:
    """Return the part of each example, the same for all copies and translations of a text.

    Groups are dealt in turn, ordered by a hash of the text, within each language and urgency (or set, language
    and label): 14 % test, 7 % calibration. The benchmark's own validation texts are test wherever they stand.
    Authored posts train, but one that copies a real post held out is held out with it.
    """
    parts = dict.fromkeys(_validation_groups(data), Part.TEST)
    for stratum, groups in _strata(examples, parts.keys()).items():
        first = int(_hash("/".join(stratum))[:8], 16)
        for turn, group in enumerate(sorted(groups, key=_hash)):
            parts[group] = _part((first + turn) % _TURNS, stratum)
    return [parts.get(example.group, Part.TRAIN) for example in examples]


def _strata(examples: Sequence[Example], placed: Iterable[str]) -> dict[tuple[str, ...], set[str]]:
    """Return the groups to deal by stratum, each group in that of its first example."""
    strata: dict[tuple[str, ...], set[str]] = defaultdict(set)
    seen = set(placed)
    for example in examples:
        if example.group not in seen and example.source != "authored":
            seen.add(example.group)
            strata[_stratum(example)].add(example.group)
    return strata


def _part(turn: int, stratum: tuple[str, ...]) -> Part:
    if turn in _TEST_TURNS and BENCHMARK not in stratum:
        return Part.TEST
    return Part.CALIBRATION if turn == _CALIBRATION_TURN else Part.TRAIN


def _stratum(example: Example) -> tuple[str, ...]:
    if example.urgency is not None:
        return ("mentions", example.language, str(example.urgency))
    return (example.source, example.language, str(example.sentiment), str(example.severity))


def _hash(text: str) -> str:
    return hashlib.sha256(f"parts-1 {text}".encode()).hexdigest()


def _validation_groups(data: Path) -> Iterator[str]:
    for row in read_lines(public_path(data, BENCHMARK)):
        if row.get("split") == "val":
            yield key_of(row["text"])
