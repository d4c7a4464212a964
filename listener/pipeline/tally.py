"""What one pass did, by country, for the summary line."""

from collections import Counter
from dataclasses import dataclass, field

COLUMNS = ("collected", "new", "classified", "alerts", "notifications")


@dataclass(slots=True)
class Tally:
    """Counts of one pass. Every counter is keyed by country code."""

    collected: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    classified: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    joined: Counter[str] = field(default_factory=Counter)
    quiet: Counter[str] = field(default_factory=Counter)
    old: Counter[str] = field(default_factory=Counter)
    notifications: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    """Watches that could not be read in this pass, with the problem."""

    def countries(self) -> list[str]:
        """Return the countries that any counter has, sorted."""
        names: set[str] = set()
        for column in (*COLUMNS, "joined", "quiet", "old", "skipped"):
            names.update(getattr(self, column))
        return sorted(names)

    def lines(self) -> list[str]:
        """Return the summary: one line in all, then one a country."""
        total = self._line({column: getattr(self, column).total() for column in COLUMNS})
        each = [
            f"  {country}: " + self._line({column: getattr(self, column)[country] for column in COLUMNS})
            for country in self.countries()
        ]
        return [total, *each]

    @staticmethod
    def _line(counts: dict[str, int]) -> str:
        return (
            f"{counts['collected']} mentions collected, {counts['new']} new, {counts['classified']} classified, "
            f"{counts['alerts']} alerts raised, {counts['notifications']} notifications sent"
        )
