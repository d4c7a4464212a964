"""Scores detectors as the Numenta Anomaly Benchmark does, standard profile (Lavin and Ahmad, 2015).

In each labelled window the earliest detection counts, the earlier the more; a window without one costs one; each
detection outside costs 0.11, less shortly after a window. The first rows are a trial and not scored. Finding all
at once is 100, saying nothing 0.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TRIAL_SHARE, TRIAL_ROWS = 0.15, 5000
"""The trial is this share of the rows, of so many rows at most."""
FALSE_ALARM_WEIGHT = 0.11
PUBLISHED: Mapping[str, float] = {
    "ARTime": 81.8,
    "contextOSE": 74.5,
    "Skyline": 68.9,
    "Numenta": 68.0,
    "KNN-CAD": 64.3,
    "ADVec": 59.6,
    "windowed Gaussian": 51.4,
    "RCF": 48.1,
}
"""Over all ten series of this kind."""

Window = tuple[int, int]
"""Rows of its first and its last point."""


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """What one series brought."""

    points: float
    """Before it is brought to the scale from 0 to 100."""
    windows: int
    found: int
    false_alarms: int

    @property
    def missed(self) -> int:
        return self.windows - self.found


def scaled_sigmoid(position: float) -> float:
    """Return what a detection at a place brings: 0 at a window's end, nearly 1 far before it, -1 far behind."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


def trial_rows(rows: int) -> int:
    return math.floor(TRIAL_SHARE * min(rows, TRIAL_ROWS))


def score_series(rows: int, windows: Sequence[Window], detections: Iterable[int]) -> SeriesScore:
    """Score the rows at which something was detected.

    Args:
        rows: how many the series has.
        windows: those labelled, in order, none touching another.
        detections: rows, from 0.
    """
    scored = sorted(row for row in set(detections) if row >= trial_rows(rows))
    first = [next((row for row in scored if start <= row <= end), None) for start, end in windows]
    found = sum(-1.0 if row is None else _hit(row, window) for row, window in zip(first, windows, strict=True))
    outside = [row for row in scored if not any(start <= row <= end for start, end in windows)]
    lost = sum(_false_alarm(row, windows) for row in outside)
    return SeriesScore(found + lost, len(windows), sum(row is not None for row in first), len(outside))


def normalised(scores: Iterable[SeriesScore]) -> float:
    """Return the score of some series together: 100 for a perfect detector, 0 for one that says nothing."""
    together = list(scores)
    windows = sum(score.windows for score in together)
    if not windows:
        raise ValueError("no window is labelled: there is nothing to find")
    return 100 * (sum(score.points for score in together) + windows) / (2 * windows)


def _hit(row: int, window: Window) -> float:
    start, end = window
    return scaled_sigmoid(-(end - row + 1) / (end - start + 1)) / scaled_sigmoid(-1)


def _false_alarm(row: int, windows: Sequence[Window]) -> float:
    before = [window for window in windows if window[1] < row]
    if not before:
        return -FALSE_ALARM_WEIGHT
    start, end = before[-1]
    return FALSE_ALARM_WEIGHT * scaled_sigmoid((row - end) / max(1, end - start))
