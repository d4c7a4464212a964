"""What the benchmarks share: texts, the classifier, timing side by side, and how a result is printed."""

import gzip
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from classifiers.backends import choose
from classifiers.mentions import MentionClassifier
from classifiers.text import mask

EXAMPLES = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure, with the aim it is held against."""

    what: str
    reached: str
    aim: str = ""
    is_reached: bool | None = None

    def line(self) -> str:
        verdict = {True: "reached", False: "MISSED", None: ""}[self.is_reached]
        aim = f" (aim {self.aim}: {verdict})" if self.aim else ""
        return f"  {self.what}: {self.reached}{aim}"


def at_least(what: str, value: float, aim: float, unit: str = "") -> Finding:
    return Finding(what, f"{value:.3g}{unit}", f">= {aim:g}{unit}", value >= aim)


def at_most(what: str, value: float, aim: float, unit: str = "") -> Finding:
    return Finding(what, f"{value:.3g}{unit}", f"<= {aim:g}{unit}", value <= aim)


@dataclass
class Bench:
    """One run: the texts, where the model is kept, and how often each side is repeated."""

    data: Path
    cache: Path
    backend: str
    threads: int
    limit: int
    repeats: int
    clock: Callable[[], float] = time.perf_counter
    """Seconds: of the wall, or on a busy machine, of the processor."""

    @cached_property
    def texts(self) -> list[str]:
        """Different texts, handles and links masked, in an order that the data does not choose."""
        found = list(dict.fromkeys(mask(text) for text in read_texts(self.data)))
        random.Random(1).shuffle(found)
        if not found:
            raise SystemExit(f"no texts in {self.data}: JSON Lines with `text` are wanted")
        return found[: self.limit]

    @cached_property
    def classifier(self) -> MentionClassifier:
        return self.load(self.backend)

    @property
    def chosen(self) -> str:
        return choose(self.backend)

    def load(self, backend: str) -> MentionClassifier:
        return MentionClassifier.load(self.cache, threads=self.threads, backend=backend)

    def seconds(self, sides: Mapping[str, Callable[[], object]]) -> dict[str, float]:
        """Return the median time of each side. Sides take turns, so that all meet the same disturbances."""
        times: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(self.repeats):
            for name, side in sides.items():
                start = self.clock()
                side()
                times[name].append(self.clock() - start)
        return {name: median(found) for name, found in times.items()}


def read_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a JSON Lines file, gzipped or not, or of all such files below a folder."""
    files = sorted(one for one in path.rglob("*.jsonl*") if one.is_file()) if path.is_dir() else [path]
    for file in files:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for line in content.decode("utf-8").splitlines():
            row: Any = json.loads(line) if line.strip() else None
            if isinstance(row, dict) and isinstance(row.get("text"), str):
                yield row["text"]


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
