"""Makes of what people said of posts the evidence to learn from: each different text once, with shares and weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import BLOCKS, URGENCY_STEPS, Heads
from classifiers.held_out import logits_of
from classifiers.learning import TASKS, Evidence, columns_of, probabilities
from classifiers.training.data import key_of
from listener.model import TOPICS, Sentiment

Floats = NDArray[np.float64]

RESOLVED_WEIGHT = 1.0
"""Of an alert that somebody closed as dealt with, beside a correction."""
LEFT_WEIGHT = 0.75
"""Of an alert that was only left as it was: perhaps nobody looked."""
IMPLIED_WEIGHT = 0.5
"""Of what "not a complaint" implies of urgency: of 100 labelled posts that are none, 96 need no answer."""
_SENTIMENTS = tuple(str(one) for one in Sentiment)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one post; None where nothing was."""

    text: str
    complaint: bool | None = None
    urgency: int | None = None
    topic: str | None = None
    sentiment: str | None = None


@dataclass(frozen=True, slots=True)
class Stood:
    """A post shown as an alert that nobody corrected."""

    text: str
    resolved: bool = False


def evidence_of(
    said: Sequence[Said],
    said_hidden: NDArray[np.float32],
    stood: Sequence[Stood],
    stood_hidden: NDArray[np.float32],
    heads: Heads,
) -> Evidence:
    """Return the evidence in corrections and alerts left standing.

    A text that was said something of many times, or in copies, counts once with the mean of what was said; where it
    was corrected, alerts with it that stood do not count.

    Args:
        said: n corrections.
        said_hidden: float32 (n, hidden), what the heads' hidden layer makes of them.
        stood: m posts.
        stood_hidden: float32 (m, hidden), of those.
        heads: the shipped ones, whose word a standing alert confirms.
    """
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(said):
        groups.setdefault(key_of(one.text), []).append(number)
    standing: dict[str, int] = {}
    for number, other in enumerate(stood):
        if key_of(other.text) not in groups:
            standing.setdefault(key_of(other.text), number)
    kept = list(standing.values())
    hidden = np.concatenate([said_hidden[[rows[-1] for rows in groups.values()]], stood_hidden[kept]])
    targets, weights = _blank(len(hidden))
    for row, numbers in enumerate(groups.values()):
        _tell(targets, weights, row, [said[number] for number in numbers])
    _confirm(targets, slice(len(groups), None), logits_of(heads, stood_hidden[kept]))
    for task in TASKS:
        weights[task][len(groups) :] = [RESOLVED_WEIGHT if stood[row].resolved else LEFT_WEIGHT for row in kept]
    return Evidence(hidden, targets, weights, np.arange(len(hidden)) < len(groups))


def _blank(n: int) -> tuple[Mapping[str, Floats], Mapping[str, Floats]]:
    return {task: np.zeros((n, columns_of(task))) for task in TASKS}, {task: np.zeros(n) for task in TASKS}


def _tell(targets: Mapping[str, Floats], weights: Mapping[str, Floats], row: int, said: Sequence[Said]) -> None:
    """Write the mean of what was said of one text into its row."""
    for task in TASKS:
        found = [column for one in said if (column := _column(task, one)) is not None]
        if found:
            targets[task][row] = np.mean(found, axis=0)
            weights[task][row] = 1.0
    implied = [one for one in said if one.complaint is False and one.urgency is None]
    if implied and not weights["urgency"][row]:
        weights["urgency"][row] = IMPLIED_WEIGHT * len(implied) / len(said)


def _column(task: str, said: Said) -> Floats | None:
    value = getattr(said, task)
    if value is None:
        return None
    if task == "complaint":
        column = np.array([float(value)])
    elif task == "urgency":
        column = (np.arange(1, URGENCY_STEPS + 1) <= value).astype(np.float64)
    else:
        labels = TOPICS if task == "topic" else _SENTIMENTS
        column = np.eye(len(labels))[labels.index(value)]
    return column


def _confirm(targets: Mapping[str, Floats], rows: slice, logits: NDArray[np.float32]) -> None:
    """Let the rows say what the shipped model says of them; a complaint, where it says complaint, for sure."""
    for task in TASKS:
        targets[task][rows] = probabilities(task, logits[:, BLOCKS[task]].astype(np.float64))
    certain = targets["complaint"][rows]
    certain[certain >= 0.5] = 1.0
