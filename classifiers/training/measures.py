"""Measures of scores on examples that nothing was fitted on, for all together, by kind, and with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import Scores
from classifiers.training.data import BENCHMARK, Example
from classifiers.training.fitting import Targets

Array = NDArray[np.float32]
Rows = NDArray[np.int64]
FALSE_ALARMS = 0.05
RESAMPLES = 1000
_FEW_RESAMPLES = 200
"""For the figures by kind, of which there are many."""
_BINS = 15
_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """Measures of one kind of examples; None where too few carry the label."""

    kind: str
    n: int
    n_urgent: int
    complaint_f1: float | None
    urgency_kappa: float | None
    urgent_recall: float | None
    """Share of urgency 3 found at the one threshold that raises 5 % false alarms over all kinds."""
    topic_accuracy: float | None
    signals_f1: float | None
    complaint_error: float | None
    """Expected calibration error."""
    urgent_error: float | None
    """Of urgency 2 and above."""
    n_sentiment: int
    sentiment_f1: float | None
    complaint_interval: Interval | None = None
    kappa_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """What alerting from one probability of urgency 3 on would do."""

    threshold: float
    found: float
    """Share of urgent posts that reach it."""
    true: float
    """Share of the posts that reach it which are urgent."""
    false: float
    """Share of less urgent posts that reach it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of two models on the same examples."""

    figure: str
    n: int
    before: Interval
    after: Interval
    gain: Interval
    """After less before, over the same resamples."""


def measure(kinds: Sequence[str], targets: Targets, scores: Scores, thresholds: Array) -> list[Row]:
    """Return the measures of all examples together, then of each kind, in order."""
    alarm = alarm_threshold(targets, scores)
    named = np.array(kinds)
    rows = [_row("all", named == named, targets, scores, thresholds, alarm)]
    return rows + [
        _row(kind, named == kind, targets, scores, thresholds, alarm) for kind in sorted(set(kinds), key=_in_order)
    ]


def _in_order(kind: str) -> tuple[str, int]:
    words, _, number = kind.rpartition(" ")
    return (words, int(number)) if number.isdigit() else (kind, 0)


def compare(
    examples: Sequence[Example], before: Scores, after: Scores, thresholds: tuple[Array, Array]
) -> list[Comparison]:
    """Return the headline figures of two models with 95 % intervals, resampling the examples of each figure.

    Args:
        examples: n examples that neither model was fitted on.
        before: scores of one model.
        after: scores of the other.
        thresholds: of the signals, of the two models.
    """
    targets = Targets.of(examples)
    named = np.array([one.language for one in examples])
    public = np.array([-1 if one.public_complaint is None else one.public_complaint for one in examples])
    benchmark = np.array([one.source == BENCHMARK for one in examples])
    own, known = np.flatnonzero(targets.labelled), np.flatnonzero(public >= 0)
    toned = (targets.sentiment >= 0) & ~targets.labelled

    def mean_tone(scores: Scores, at: Rows) -> float:
        return mean_sentiment_f1(named[at], targets.sentiment[at], scores.sentiment[at].argmax(1))

    def figures(scores: Scores, asserted: Array) -> dict[str, tuple[Rows, Callable[[Rows], float]]]:
        return {
            "complaint F1": (own, lambda at: _complaint_f1(targets, scores, at)),
            "urgency kappa": (own, lambda at: _urgency_kappa(targets, scores, at)),
            "urgent found at 5 % false alarms": (own, lambda at: urgent_recall(targets.urgency[at], scores, at)),
            "urgent, average precision": (own, lambda at: _precision(targets.urgency[at] == 3, scores.urgency[at, 3])),
            "topic accuracy": (own, lambda at: float((scores.topic[at].argmax(1) == targets.topic[at]).mean())),
            "signals F1": (own, lambda at: _f1(targets.signals[at] == 1, scores.signals[at] >= asserted)),
            "calibration error, complaint": (
                own,
                lambda at: calibration_error(scores.complaint[at], targets.complaint[at] == 1),
            ),
            "calibration error, urgency 2 and above": (
                own,
                lambda at: calibration_error(scores.urgency[at, 2:].sum(1), targets.urgency[at] >= 2),
            ),
            "sentiment, benchmark, mean of languages": (
                np.flatnonzero(toned & benchmark),
                lambda at: mean_tone(scores, at),
            ),
            "sentiment, other sets, mean of languages": (
                np.flatnonzero(toned & ~benchmark),
                lambda at: mean_tone(scores, at),
            ),
            "public English complaints, macro-F1": (
                known,
                lambda at: macro_f1(public[at], (scores.complaint[at] >= 0.5).astype(int), (0, 1)),
            ),
        }

    earlier, later = (figures(one, asserted) for one, asserted in zip((before, after), thresholds, strict=True))
    return [_comparison(name, rows, earlier[name][1], figure) for name, (rows, figure) in later.items() if len(rows)]


def _comparison(name: str, rows: Rows, before: Callable[[Rows], float], after: Callable[[Rows], float]) -> Comparison:
    random = np.random.default_rng(1)
    drawn = [rows[random.integers(0, len(rows), len(rows))] for _ in range(RESAMPLES)]
    first, second = (np.array([figure(one) for one in drawn]) for figure in (before, after))
    return Comparison(
        figure=name,
        n=len(rows),
        before=_interval(before(rows), first),
        after=_interval(after(rows), second),
        gain=_interval(after(rows) - before(rows), second - first),
    )


def bootstrapped(rows: Rows, figure: Callable[[Rows], float], resamples: int | None = None) -> Interval:
    """Return a figure of some rows with the interval that resampling them gives."""
    random = np.random.default_rng(1)
    drawn = [figure(rows[random.integers(0, len(rows), len(rows))]) for _ in range(resamples or RESAMPLES)]
    return _interval(figure(rows), np.array(drawn))


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))


def alarm_threshold(targets: Targets, scores: Scores) -> float:
    """Return the probability of urgency 3 that 5 % of the less urgent examples reach."""
    calm = targets.labelled & (targets.urgency < 3)
    return float(np.quantile(scores.urgency[calm, 3], 1 - FALSE_ALARMS))


def alarms(targets: Targets, scores: Scores) -> list[Alarm]:
    """Return what each of a few thresholds on the probability of urgency 3 finds and raises in vain."""
    rows = targets.labelled
    urgent, probability = targets.urgency[rows] == 3, scores.urgency[rows, 3]
    raised = [(threshold, probability >= threshold) for threshold in _THRESHOLDS]
    return [
        Alarm(
            threshold,
            found=float((up & urgent).sum() / max(1, urgent.sum())),
            true=float((up & urgent).sum() / max(1, up.sum())),
            false=float((up & ~urgent).sum() / max(1, (~urgent).sum())),
        )
        for threshold, up in raised
    ]


def calibration_error(probabilities: Array, truth: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over fifteen bins of equal width."""
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=probabilities - truth, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(bins))


def expected_level(urgency: Array) -> Rows:
    """Return the level nearest to the expected one, (n,), of probabilities, (n, 4)."""
    levels: Rows = np.rint(urgency @ np.arange(4)).astype(np.int64)
    return levels


def kappa(truth: Rows, found: Rows, levels: int = 4) -> float:
    """Return Cohen's kappa with quadratic weights; nought where either says one level throughout."""
    table = np.zeros((levels, levels))
    np.add.at(table, (truth, found), 1.0)
    weights = np.square(np.subtract.outer(np.arange(levels), np.arange(levels)))
    by_chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
    expected = float((weights * by_chance).sum())
    return 1.0 - float((weights * table).sum()) / expected if expected else 0.0


def urgent_recall(urgency: Rows, scores: Scores, rows: Rows) -> float:
    """Return the share of urgency 3 above the probability that 5 % of the others reach."""
    probability = scores.urgency[rows, 3]
    urgent = urgency == 3
    if not urgent.any():
        return float("nan")
    return float((probability[urgent] > np.quantile(probability[~urgent], 1 - FALSE_ALARMS)).mean())


def mean_sentiment_f1(languages: NDArray[np.str_], truth: Rows, found: Rows) -> float:
    """Return the mean over languages of macro-F1 over the labels that the language has."""
    each = [
        macro_f1(truth[rows], found[rows], sorted(set(truth[rows].tolist())))
        for rows in (np.flatnonzero(languages == language) for language in sorted(set(languages.tolist())))
    ]
    return float(np.mean(each))


def macro_f1(truth: Rows, found: Rows, labels: Sequence[int]) -> float:
    """Return the mean over labels of F1."""
    return float(np.mean([_f1(truth == label, found == label) for label in labels]))


def _f1(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    return float(2 * (truth & found).sum() / max(1, truth.sum() + found.sum()))


def _precision(truth: NDArray[np.bool_], probability: Array) -> float:
    """Return the average precision."""
    ranked = truth[np.argsort(-probability, kind="stable")]
    hits = np.cumsum(ranked)
    return float((hits / np.arange(1, len(ranked) + 1))[ranked].mean()) if ranked.any() else float("nan")


def _row(
    kind: str, chosen: NDArray[np.bool_], targets: Targets, scores: Scores, thresholds: Array, alarm: float
) -> Row:
    own = np.flatnonzero(chosen & targets.labelled)
    toned = np.flatnonzero(chosen & ~targets.labelled & (targets.sentiment >= 0))
    tones = targets.sentiment[toned]
    present = sorted(set(tones.tolist()))
    sentiment_f1 = macro_f1(tones, scores.sentiment[toned].argmax(1), present) if len(toned) else None
    if not len(own):
        return Row(kind, 0, 0, None, None, None, None, None, None, None, len(toned), sentiment_f1)
    urgent = own[targets.urgency[own] == 3]
    return Row(
        kind=kind,
        n=len(own),
        n_urgent=len(urgent),
        complaint_f1=_complaint_f1(targets, scores, own),
        urgency_kappa=_urgency_kappa(targets, scores, own),
        urgent_recall=float((scores.urgency[urgent, 3] > alarm).mean()) if len(urgent) >= 5 else None,
        topic_accuracy=float((scores.topic[own].argmax(axis=1) == targets.topic[own]).mean()),
        signals_f1=_f1(targets.signals[own] == 1, scores.signals[own] >= thresholds),
        complaint_error=calibration_error(scores.complaint[own], targets.complaint[own] == 1),
        urgent_error=calibration_error(scores.urgency[own, 2:].sum(1), targets.urgency[own] >= 2),
        n_sentiment=len(toned),
        sentiment_f1=sentiment_f1,
        complaint_interval=bootstrapped(own, lambda at: _complaint_f1(targets, scores, at), _FEW_RESAMPLES),
        kappa_interval=bootstrapped(own, lambda at: _urgency_kappa(targets, scores, at), _FEW_RESAMPLES),
    )


def _complaint_f1(targets: Targets, scores: Scores, rows: Rows) -> float:
    return _f1(targets.complaint[rows] == 1, scores.complaint[rows] >= 0.5)


def _urgency_kappa(targets: Targets, scores: Scores, rows: Rows) -> float:
    return kappa(targets.urgency[rows], expected_level(scores.urgency[rows]))
