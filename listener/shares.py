"""Shares of small numbers, told with how sure they are."""

from dataclasses import dataclass
from math import sqrt

_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, with the interval that holds the true share 19 times in 20."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share in [0, 1]; None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (1927); (0, 1) of nothing."""
        if not self.whole:
            return 0.0, 1.0
        share, z2 = self.part / self.whole, _NORMAL_95**2
        centre = share + z2 / (2 * self.whole)
        spread = _NORMAL_95 * sqrt(share * (1 - share) / self.whole + z2 / (4 * self.whole**2))
        scale = 1 + z2 / self.whole
        return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
