"""How good the installed model is: on the shipped evaluation set, and on a file that people labelled."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.app import Progress, load_classifier
from listener.config import Config
from listener.errors import LabelledFileError
from listener.learning import counted, heads_folder, label_problems, raise_problems, read_lines
from listener.model import SIGNALS, TOPICS, Classification, Sentiment

if TYPE_CHECKING:
    from classifiers.heads import Scores
    from classifiers.held_out import Labelled
    from classifiers.judging import Judged

_NOT_A_NAME = re.compile(r"[^\w.:-]")
_SENTIMENTS = tuple(str(one) for one in Sentiment)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one model on one set."""

    model: str
    posts: str
    n: int
    figures: tuple["Judged", ...]

    def lines(self) -> Iterator[str]:
        """Yield a table for people."""
        yield f"{self.model} on {self.posts}: {counted(self.n, 'post')}; in brackets 95 % bootstrap intervals"
        kind = ""
        for one in self.figures:
            if one.kind != kind:
                kind = one.kind
                yield f"  {kind}"
            yield f"    {one.figure:<40} {one.n:>6}  {_shown(one)}"

    def described(self) -> dict[str, Any]:
        """Return the same as plain values, for scripts; null where there is not enough data."""
        return {
            "model": self.model,
            "posts": self.posts,
            "n": self.n,
            "figures": [
                {
                    "kind": one.kind,
                    "figure": one.figure,
                    "n": one.n,
                    "value": one.interval and round(one.interval.value, 4),
                    "interval": one.interval and [round(one.interval.low, 4), round(one.interval.high, 4)],
                }
                for one in self.figures
            ],
        }


def evaluate_shipped(config: Config) -> Evaluation:
    """Score the model in force on the shipped evaluation set; takes no encoder.

    Raises:
        ModelUnavailableError: a file of the model is missing or damaged.
    """
    from classifiers.heads import load_heads
    from classifiers.held_out import load_held_out, logits_of
    from classifiers.judging import by_length, judge
    from classifiers.learned import LearnedFolder
    from classifiers.learning import scores_of

    folder = heads_folder(config)
    shipped = load_heads(folder)
    held_out = load_held_out(shipped, folder)
    heads = LearnedFolder(Path(config.model.cache)).heads(shipped) or shipped
    labels = held_out.labels
    kinds = {"language": labels.languages, "set": labels.origins, "length": by_length(labels.lengths.tolist())}
    figures = judge(kinds, labels, scores_of(logits_of(heads, held_out.hidden)))
    return Evaluation(heads.version, "the shipped evaluation set", len(labels), tuple(figures))


def evaluate_file(config: Config, file: Path, progress: Progress | None = None) -> Evaluation:
    """Score the model in force on a labelled file.

    Raises:
        LabelledFileError: the file cannot be read, is empty, or has lines without the labels needed.
        ModelUnavailableError: a file of the model is missing or damaged.
    """
    from classifiers.judging import by_length, judge

    rows = _labelled_rows(file)
    classifier = load_classifier(config, progress)
    texts = [row["text"] for row in rows]
    found = classifier.classify(
        texts, network_languages=[_language(row) for row in rows], country_languages=[() for _row in rows]
    )
    labels = _labels(rows, found)
    kinds = {"language": labels.languages, "network": labels.origins, "length": by_length(labels.lengths.tolist())}
    return Evaluation(classifier.version, str(file), len(rows), tuple(judge(kinds, labels, _scores(found))))


def _labelled_rows(file: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    problems: list[str] = []
    for where, row in read_lines(file, problems):
        wrong = label_problems(row)
        wrong += [f"'{name}' is missing" for name in ("complaint", "urgency") if row.get(name) is None]
        problems += [f"{where}: {text}" for text in wrong]
        rows.append(row)
    raise_problems(problems)
    if not rows:
        raise LabelledFileError(f"{file} holds no posts")
    return rows


def _language(row: Mapping[str, Any]) -> str | None:
    return row.get("language") or None


def _labels(rows: Sequence[Mapping[str, Any]], found: Sequence[Classification]) -> "Labelled":
    import numpy as np

    from classifiers.held_out import UNKNOWN, Labelled

    def column(name: str, known: Sequence[str]) -> list[int]:
        return [UNKNOWN if row.get(name) is None else known.index(row[name]) for row in rows]

    return Labelled(
        complaint=np.array([int(row["complaint"]) for row in rows]),
        urgency=np.array([row["urgency"] for row in rows]),
        topic=np.array(column("topic", TOPICS)),
        sentiment=np.array(column("sentiment", _SENTIMENTS)),
        signals=np.full((len(rows), len(SIGNALS)), UNKNOWN),
        languages=tuple(_name(_language(row) or one.language) for row, one in zip(rows, found, strict=True)),
        origins=tuple(_name(row.get("network") or "unknown") for row in rows),
        lengths=np.array([len(row["text"]) for row in rows]),
    )


def _name(value: object) -> str:
    """Return a name from a file, fit to be printed."""
    return _NOT_A_NAME.sub("?", str(value)[:40])


def _scores(found: Sequence[Classification]) -> "Scores":
    """Return what was classified as arrays; of topics only the one that was chosen."""
    import numpy as np

    from classifiers.heads import Scores

    return Scores(
        complaint=np.array([one.complaint for one in found], dtype=np.float32),
        urgency=np.array([one.urgency_probabilities for one in found], dtype=np.float32),
        topic=np.eye(len(TOPICS), dtype=np.float32)[[TOPICS.index(one.topic) for one in found]],
        signals=np.zeros((len(found), len(SIGNALS)), dtype=np.float32),
        sentiment=np.array([one.sentiment_probabilities for one in found], dtype=np.float32),
    )


def _shown(one: "Judged") -> str:
    if one.interval is None:
        return "not enough data"
    return f"{one.interval.value:.3f} [{one.interval.low:.3f}, {one.interval.high:.3f}]"
