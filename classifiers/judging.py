"""Figures of scores on labelled posts, with bootstrap intervals, for one model or for two on the same posts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import Scores
from classifiers.held_out import UNKNOWN, Labelled
from classifiers.training.measures import FALSE_ALARMS, RESAMPLES, Interval, expected_level

Weights = NDArray[np.float64]
"""How often each post was drawn, (resamples, n)."""
Figure = Callable[[Labelled, Scores, Weights], NDArray[np.float64]]

FEWEST_POSTS = 30
"""With fewer posts that carry the label a figure says nothing."""
FEWEST_POSITIVE = 5
"""With fewer complaints or urgent posts neither does one about them."""
_BINS = 15
_LEVELS = 4
_SEED = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """One figure of one kind of posts; the interval is None where there is not enough data."""

    kind: str
    figure: str
    n: int
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of two models on the same posts, with what resampling says of the difference."""

    kind: str
    figure: str
    n: int
    before: Interval
    after: Interval
    gain: Interval
    drawn: NDArray[np.float64]
    """The gain in each resample."""


@lru_cache(maxsize=8)
def resampled(n: int, resamples: int = RESAMPLES) -> Weights:
    """Return how often each of n posts stands in each resample, the same on every call; not to be written to."""
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def judge(kinds: Mapping[str, Sequence[str]], labels: Labelled, scores: Scores) -> list[Judged]:
    """Return every figure of all posts together, then of each kind.

    Urgent posts of a kind are found by the one threshold that 5 % of all less urgent posts reach: an alert has no
    threshold for each language either.

    Args:
        kinds: for each way to divide the posts (`language`, `length`), what each of the n posts is.
        labels: of n posts.
        scores: of the same posts.
    """
    found = _judged("all", np.arange(len(labels)), labels, scores)
    urgent_found: Figure = partial(_urgent_above, alarm_threshold(labels, scores))
    figures = {**FIGURES, _URGENT: (FIGURES[_URGENT][0], urgent_found)}
    for division, named in kinds.items():
        for kind in sorted(set(named), key=_in_order):
            rows = np.flatnonzero(np.array(named) == kind)
            found += _judged(f"{division} {kind}", rows, labels, scores, figures)
    return found


def changes(kind: str, rows: NDArray[np.int64], labels: Labelled, before: Scores, after: Scores) -> list[Change]:
    """Return the figures of two models on some of the posts; those without enough data are left out."""
    part, earlier, later = labels.part(rows), part_of(before, rows), part_of(after, rows)
    found = []
    for name, (_label, figure) in FIGURES.items():
        at = _known(name, part)
        if not _enough(name, part, at):
            continue
        own, weights = part.part(at), np.vstack([np.ones(len(at)), resampled(len(at))])
        first, second = (figure(own, part_of(scores, at), weights) for scores in (earlier, later))
        gain = second - first
        found.append(Change(kind, name, len(at), _interval(first), _interval(second), _interval(gain), gain[1:]))
    return found


def alarm_threshold(labels: Labelled, scores: Scores) -> float:
    """Return the probability of urgency 3 that 5 % of the less urgent posts reach; nought where there are none."""
    calm = (labels.urgency != UNKNOWN) & (labels.urgency < 3)
    return float(np.quantile(scores.urgency[calm, 3], 1 - FALSE_ALARMS)) if calm.any() else 0.0


def by_length(lengths: Sequence[int]) -> list[str]:
    """Return for each number of characters the class of length that the model card divides by."""
    return [next((f"up to {most}" for most in (40, 100, 200, 400) if length <= most), "over 400") for length in lengths]


def part_of(scores: Scores, rows: NDArray[np.int64]) -> Scores:
    """Return the scores of some rows."""
    return Scores(**{name: getattr(scores, name)[rows] for name in Scores.__dataclass_fields__})


def _judged(
    kind: str,
    rows: NDArray[np.int64],
    labels: Labelled,
    scores: Scores,
    figures: Mapping[str, tuple[str, Figure]] | None = None,
) -> list[Judged]:
    part, own = labels.part(rows), part_of(scores, rows)
    found = []
    for name, (_label, figure) in (figures or FIGURES).items():
        at = _known(name, part)
        interval = None
        if _enough(name, part, at):
            weights = np.vstack([np.ones(len(at)), resampled(len(at))])
            interval = _interval(figure(part.part(at), part_of(own, at), weights))
        found.append(Judged(kind, name, len(at), interval))
    return found


def _interval(values: NDArray[np.float64]) -> Interval:
    """Return the first value, which is of the posts as they are, with the bounds of the resampled others."""
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return Interval(float(values[0]), float(low), float(high))


def _in_order(kind: str) -> tuple[bool, int, str]:
    words, _, number = kind.rpartition(" ")
    return (words == "over", int(number) if number.isdigit() else 0, kind)


def _ratio(part: Weights, whole: Weights) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _complaints(labels: Labelled, scores: Scores, weights: Weights) -> tuple[Weights, Weights, Weights]:
    truth, found = labels.complaint == 1, scores.complaint >= 0.5
    return weights @ (truth & found), weights @ found, weights @ truth


def _complaint_precision(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    hits, found, _truth = _complaints(labels, scores, weights)
    return _ratio(hits, found)


def _complaint_recall(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    hits, _found, truth = _complaints(labels, scores, weights)
    return _ratio(hits, truth)


def _complaint_f1(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    hits, found, truth = _complaints(labels, scores, weights)
    return _ratio(2 * hits, found + truth)


def _kappa(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    """Cohen's kappa with quadratic weights; nought where either says one level throughout."""
    cells = np.eye(_LEVELS * _LEVELS)[labels.urgency * _LEVELS + expected_level(scores.urgency)]
    table = (weights @ cells).reshape(-1, _LEVELS, _LEVELS)
    cost = np.square(np.subtract.outer(np.arange(_LEVELS), np.arange(_LEVELS)))
    rows, columns, total = table.sum(2), table.sum(1), table.sum((1, 2))
    by_chance = np.einsum("ri,rj->rij", rows, columns) / total[:, None, None]
    expected, observed = (by_chance * cost).sum((1, 2)), (table * cost).sum((1, 2))
    return np.where(expected > 0, 1 - _ratio(observed, expected), 0.0)


def _urgent_recall(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    """Share of urgency 3 above the probability that 5 % of the others reach."""
    order = np.argsort(-scores.urgency[:, 3], kind="stable")
    urgent = (labels.urgency == 3)[order]
    drawn = weights[:, order]
    calm = np.cumsum(drawn * ~urgent, axis=1)
    above = calm <= FALSE_ALARMS * calm[:, -1:]
    return _ratio((drawn * (above & urgent)).sum(1), (drawn * urgent).sum(1))


def _urgent_above(threshold: float, labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    """Share of urgency 3 above a threshold that is given."""
    urgent = labels.urgency == 3
    return _ratio(weights @ (urgent & (scores.urgency[:, 3] > threshold)), weights @ urgent)


def _topic_accuracy(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    return _ratio(weights @ (scores.topic.argmax(1) == labels.topic), weights.sum(1))


def _sentiment_accuracy(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    return _ratio(weights @ (scores.sentiment.argmax(1) == labels.sentiment), weights.sum(1))


def _complaint_error(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    return _calibration_error(scores.complaint, labels.complaint == 1, weights)


def _urgent_error(labels: Labelled, scores: Scores, weights: Weights) -> NDArray[np.float64]:
    return _calibration_error(scores.urgency[:, 2:].sum(1), labels.urgency >= 2, weights)


def _calibration_error(
    probabilities: NDArray[np.float32], truth: NDArray[np.bool_], weights: Weights
) -> NDArray[np.float64]:
    """Expected calibration error over fifteen bins of equal width."""
    bins = np.clip((probabilities * _BINS).astype(int), 0, _BINS - 1)
    gaps = weights @ (np.eye(_BINS)[bins] * (probabilities - truth)[:, None])
    return np.asarray(np.abs(gaps).sum(1) / weights.sum(1), dtype=np.float64)


_URGENT = "urgency 3 found at 5 % false alarms"
FIGURES: Mapping[str, tuple[str, Figure]] = {
    "complaint precision": ("complaint", _complaint_precision),
    "complaint recall": ("complaint", _complaint_recall),
    "complaint F1": ("complaint", _complaint_f1),
    "urgency kappa": ("urgency", _kappa),
    _URGENT: ("urgency", _urgent_recall),
    "topic accuracy": ("topic", _topic_accuracy),
    "sentiment accuracy": ("sentiment", _sentiment_accuracy),
    "calibration error, complaint": ("complaint", _complaint_error),
    "calibration error, urgency 2 and above": ("urgency", _urgent_error),
}
"""By name: the label that it needs, and what makes r values of labels and scores of n posts and weights, (r, n)."""


def _known(figure: str, labels: Labelled) -> NDArray[np.int64]:
    return np.flatnonzero(getattr(labels, FIGURES[figure][0]) != UNKNOWN)


def _enough(figure: str, labels: Labelled, at: NDArray[np.int64]) -> bool:
    if len(at) < FEWEST_POSTS:
        return False
    if figure.startswith("complaint"):
        return int((labels.complaint[at] == 1).sum()) >= FEWEST_POSITIVE
    if figure.startswith("urgency 3"):
        return int((labels.urgency[at] == 3).sum()) >= FEWEST_POSITIVE
    return True
