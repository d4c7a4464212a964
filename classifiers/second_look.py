"""Finds the texts whose labels a coarse encoder leaves open, so that they are looked at again in float32."""

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import Scores

MARGIN = 0.1
"""Lead in probability under which a label counts as open; docs/performance.md says what other values give."""

Flags = NDArray[np.bool_]


def are_open(scores: Scores) -> Flags:
    """Return which texts have a label whose lead over the next is small, bool (n,).

    The labels are complaint or not, the level of urgency, sentiment and topic.
    """
    expected = scores.urgency @ np.arange(scores.urgency.shape[1])
    to_next_level = 2 * np.abs(expected % 1 - 0.5)
    is_complaint_open = 2 * np.abs(scores.complaint - 0.5) < MARGIN
    result: Flags = (
        is_complaint_open | (to_next_level < MARGIN) | _is_led_closely(scores.sentiment) | _is_led_closely(scores.topic)
    )
    return result


def _is_led_closely(shares: NDArray[np.float32]) -> Flags:
    best = np.sort(shares, axis=1)
    result: Flags = best[:, -1] - best[:, -2] < MARGIN
    return result
