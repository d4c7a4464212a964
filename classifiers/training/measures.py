"""Measures of the heads on examples that they had not seen, for all languages together and for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import Scores
from classifiers.training.fitting import Targets

Array = NDArray[np.float32]
FALSE_ALARMS = 0.05
_BINS = 15
_THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6)


@dataclass(frozen=True, slots=True)
class Row:
    """Measures of one language; None where too few examples carry the label."""

    language: str
    n: int
    n_urgent: int
    complaint_f1: float | None
    urgency_kappa: float | None
    urgent_recall: float | None
    """Share of urgency 3 found at the one threshold that raises 5 % false alarms over all languages."""
    topic_accuracy: float | None
    signals_f1: float | None
    complaint_error: float | None
    """Expected calibration error."""
    urgent_error: float | None
    n_sentiment: int
    sentiment_f1: float | None


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


def measure(languages: Sequence[str], targets: Targets, scores: Scores, thresholds: Array) -> list[Row]:
    """Return the measures of all languages together, then of each in alphabetical order."""
    alarm = alarm_threshold(targets, scores)
    named = np.array(languages)
    scored = targets.fold >= 0
    rows = [_row("all", scored, targets, scores, thresholds, alarm)]
    rows += [
        _row(language, scored & (named == language), targets, scores, thresholds, alarm)
        for language in sorted(set(languages))
    ]
    return rows


def alarm_threshold(targets: Targets, scores: Scores) -> float:
    """Return the probability of urgency 3 that 5 % of the less urgent examples reach."""
    calm = targets.labelled & (targets.fold >= 0) & (targets.urgency < 3)
    return float(np.quantile(scores.urgency[calm, 3], 1 - FALSE_ALARMS))


def alarms(targets: Targets, scores: Scores) -> list[Alarm]:
    """Return what each of a few thresholds on the probability of urgency 3 finds and raises in vain."""
    rows = targets.labelled & (targets.fold >= 0)
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
    gaps = [
        (bins == one).mean() * abs(probabilities[bins == one].mean() - truth[bins == one].mean())
        for one in np.unique(bins)
    ]
    return float(sum(gaps))


def _row(
    language: str, chosen: NDArray[np.bool_], targets: Targets, scores: Scores, thresholds: Array, alarm: float
) -> Row:
    from sklearn.metrics import cohen_kappa_score, f1_score

    own = np.flatnonzero(chosen & targets.labelled)
    toned = np.flatnonzero(chosen & ~targets.labelled & (targets.sentiment >= 0))
    sentiment_f1 = _sentiment_f1(targets, scores, toned)
    if not len(own):
        return Row(language, 0, 0, None, None, None, None, None, None, None, len(toned), sentiment_f1)
    urgent = own[targets.urgency[own] == 3]
    expected = np.rint(scores.urgency[own] @ np.arange(4)).astype(int)
    asserted = scores.signals[own] >= thresholds
    return Row(
        language=language,
        n=len(own),
        n_urgent=len(urgent),
        complaint_f1=f1_score(targets.complaint[own], scores.complaint[own] >= 0.5, zero_division=0),
        urgency_kappa=cohen_kappa_score(targets.urgency[own], expected, weights="quadratic", labels=range(4)),
        urgent_recall=float((scores.urgency[urgent, 3] > alarm).mean()) if len(urgent) >= 5 else None,
        topic_accuracy=float((scores.topic[own].argmax(axis=1) == targets.topic[own]).mean()),
        signals_f1=f1_score(targets.signals[own], asserted, average="micro", zero_division=0),
        complaint_error=calibration_error(scores.complaint[own], targets.complaint[own] == 1),
        urgent_error=calibration_error(scores.urgency[own, 3], targets.urgency[own] == 3),
        n_sentiment=len(toned),
        sentiment_f1=sentiment_f1,
    )


def _sentiment_f1(targets: Targets, scores: Scores, rows: NDArray[np.int64]) -> float | None:
    from sklearn.metrics import f1_score

    if not len(rows):
        return None
    present = sorted(set(targets.sentiment[rows].tolist()))
    found = scores.sentiment[rows].argmax(axis=1)
    return float(f1_score(targets.sentiment[rows], found, labels=present, average="macro", zero_division=0))
