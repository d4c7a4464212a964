"""Whether a week differs from the four before by more than noise.

Weekly counts of posts scatter more than chance alone would have them: people repeat one another. How much more is
taken from the earlier weeks themselves, drawn towards twice the chance's own scatter because four weeks say little of
it. A week is called different where one so far off would come by noise at most once in twenty.
"""

from collections.abc import Sequence
from math import isinf, log, sqrt
from statistics import fmean

from listener.digest.model import Verdict

LEAST_WEEKS = 2
LEAST_COUNT = 10
"""Fewer in all weeks together say nothing of a change."""
LEAST_SHARE = 20
"""The least denominators, of this week and of those before together, for which shares are compared."""
LEAST_TIMES = 10
_USUAL_SCATTER = 2.0
"""Variance of weekly counts over their mean that is assumed before the weeks themselves are seen."""
_ITS_WEIGHT = 4
"""For so many degrees of freedom the assumption counts."""
_REACH_SCATTER = 0.5
"""Standard deviation of the logarithm of a week's reach, assumed likewise: one big account moves it."""
# Two-sided 5 % points of Student's t for 5 to 12 degrees of freedom.
_T = {5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201, 12: 2.179}
_NORMAL = 1.960


def of_counts(now: float, before: Sequence[float]) -> Verdict:
    """Compare a count with those of earlier weeks."""
    if len(before) < LEAST_WEEKS or now + sum(before) < LEAST_COUNT:
        return "unknown"
    mean = max(fmean(before), 0.5)
    scatter = _scatter(sum((one - mean) ** 2 for one in before) / mean, len(before) - 1)
    return _verdict(now - mean, sqrt(scatter * mean * (1 + 1 / len(before))), len(before) - 1)


def of_shares(now: tuple[int, int], before: Sequence[tuple[int, int]]) -> Verdict:
    """Compare a share, as part and whole, with those of earlier weeks."""
    part, whole = sum(one[0] for one in before), sum(one[1] for one in before)
    if len(before) < LEAST_WEEKS or now[1] < LEAST_SHARE or whole < LEAST_SHARE:
        return "unknown"
    share = part / whole
    spread = max(share * (1 - share), 1 / whole)
    off = sum(one[1] * (one[0] / one[1] - share) ** 2 / spread for one in before if one[1])
    pooled = (part + now[0]) / (whole + now[1])
    variance = max(pooled * (1 - pooled), 1 / (whole + now[1])) * (1 / now[1] + 1 / whole)
    freedom = sum(one[1] > 0 for one in before) - 1
    return _verdict(now[0] / now[1] - share, sqrt(_scatter(off, freedom) * variance), freedom)


def of_tones(now: tuple[int, int, int], before: Sequence[tuple[int, int, int]]) -> Verdict:
    """Compare a net sentiment, as positive, negative and all, with those of earlier weeks."""
    before = [one for one in before if one[2]]
    whole = sum(one[2] for one in before)
    if len(before) < LEAST_WEEKS or now[2] < LEAST_SHARE or whole < LEAST_SHARE:
        return "unknown"
    net = sum(one[0] - one[1] for one in before) / whole
    spread = max((sum(one[0] + one[1] for one in before) / whole) - net**2, 1 / whole)
    off = sum(one[2] * ((one[0] - one[1]) / one[2] - net) ** 2 / spread for one in before)
    error = sqrt(_scatter(off, len(before) - 1) * spread * (1 / now[2] + 1 / whole))
    return _verdict((now[0] - now[1]) / now[2] - net, error, len(before) - 1)


def of_reach(now: float, before: Sequence[float]) -> Verdict:
    """Compare how many people were reached, which one account can multiply, by its logarithm."""
    logs = [log(one) for one in before if one > 0]
    if len(logs) < LEAST_WEEKS or now <= 0:
        return "unknown"
    mean = fmean(logs)
    known = sum((one - mean) ** 2 for one in logs)
    variance = (_ITS_WEIGHT * _REACH_SCATTER**2 + known) / (_ITS_WEIGHT + len(logs) - 1)
    return _verdict(log(now) - mean, sqrt(variance * (1 + 1 / len(logs))), len(logs) - 1)


def of_times(now: Sequence[float], before: Sequence[float]) -> Verdict:
    """Compare times by their ranks (Mann and Whitney's test); infinite ones count as longer than any."""
    n, m = len(now), len(before)
    if n < LEAST_TIMES or m < LEAST_TIMES:
        return "unknown"
    pooled = sorted([(value, True) for value in now] + [(value, False) for value in before])
    ranks, ties, start = 0.0, 0.0, 0
    while start < n + m:
        end = start
        while end < n + m and _same(pooled[end][0], pooled[start][0]):
            end += 1
        size = end - start
        ranks += (start + 1 + end) / 2 * sum(mine for _, mine in pooled[start:end])
        ties += size**3 - size
        start = end
    variance = n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1)))
    if variance <= 0:
        return "noise"
    off = (ranks - n * (n + 1) / 2 - n * m / 2) / sqrt(variance)
    return "up" if off > _NORMAL else "down" if off < -_NORMAL else "noise"


def _same(one: float, other: float) -> bool:
    return one == other or (isinf(one) and isinf(other))


def _scatter(squares: float, freedom: int) -> float:
    """Return by how much the weeks' variance is beyond chance, drawn towards the usual; never below chance."""
    return max(1.0, (_ITS_WEIGHT * _USUAL_SCATTER + squares) / (_ITS_WEIGHT + freedom))


def _verdict(off: float, error: float, freedom: int) -> Verdict:
    limit = _T[min(max(freedom, 1) + _ITS_WEIGHT, 12)] * error
    return "up" if off > limit else "down" if off < -limit else "noise"
