"""What somebody wishes of a country's alerts, so many a day or so many of them right, and what it takes to tell."""

import math
import re
from dataclasses import dataclass

from listener.errors import ListenerError

_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(hour|day|week)", re.ASCII)
_PER_DAY = {"hour": 24.0, "day": 1.0, "week": 1 / 7}
_MOST = 1_000_000
_NORMAL_95 = 1.959964
_WANTED_EITHER_WAY = 0.1
LEAST_VERDICTS = 30


@dataclass(frozen=True, slots=True)
class Budget:
    """The most alerts that are wished for, as a mean."""

    text: str
    per_day: float


def parse_budget(text: str) -> Budget:
    """Read `25/day`, `100/week` or `3/hour`.

    Raises:
        ListenerError: it is none of these.
    """
    match = _BUDGET.fullmatch(text.strip())
    if match is None or not 0 < (count := float(match[1])) <= _MOST:
        raise ListenerError(f"a budget is a number of alerts by day, week or hour, such as 25/day; not {text[:40]!r}")
    return Budget(f"{match[1]}/{match[2]}", count * _PER_DAY[match[2]])


def needed_verdicts(share: float) -> int:
    """Return how many verdicts tell a share to ten points either way."""
    return max(LEAST_VERDICTS, math.ceil(_NORMAL_95**2 * share * (1 - share) / _WANTED_EITHER_WAY**2))
