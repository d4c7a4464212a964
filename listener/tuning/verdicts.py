"""What people said of alerts: which helped and which were noise, and what of all that have a verdict was right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from listener.shares import Share
from listener.tuning.columns import Columns
from listener.tuning.joining import Run, RunAlert

Said = Literal["useful", "noise"]

LEAST_VERDICTS = 20
"""Of fewer no percentage is told."""
_USEFUL = ("public", "private", "solved")
_NOISE = ("not_complaint",)


@dataclass(frozen=True, slots=True)
class Precision:
    """How many of a run's alerts people called useful, of those that they gave a verdict on."""

    useful: int
    noise: int
    unjudged: int

    @property
    def share(self) -> Share:
        """The useful among those with a verdict."""
        return Share(self.useful, self.useful + self.noise)

    @property
    def value(self) -> float | None:
        """The share; None where there are too few verdicts to tell one."""
        return self.share.value if self.share.whole >= LEAST_VERDICTS else None


def precision(said: Mapping[int, Said], alerts: Sequence[RunAlert]) -> Precision:
    """Count the verdicts on alerts, given by the places of these."""
    verdicts = [said.get(one.place) for one in alerts]
    useful, noise = verdicts.count("useful"), verdicts.count("noise")
    return Precision(useful, noise, len(verdicts) - useful - noise)


def verdicts(columns: Columns, run: Run, judged: Mapping[int, bool]) -> dict[int, Said]:
    """Return what people said of a run's alerts, by the alert's place; only those that they spoke of.

    An alert that there was has the verdict of how it ended, or of its having been answered. Another has that of a
    correction of one of its posts: of the one that raised it, else of any.

    Args:
        columns: the rows.
        run: whose alerts.
        judged: by mention, whether people's last word is that it is a complaint.
    """
    ended = {one.fact.id: verdict(one.fact.resolution, one.fact.answered_at is not None) for one in columns.raised}
    ended |= {one.fact.id: verdict(one.fact.resolution, one.fact.answered_at is not None) for one in columns.carried}
    found: dict[int, Said] = {}
    for alert in run.raised:
        said = ended.get(alert.stored_id) or _corrected(columns, alert, judged)
        if said is not None:
            found[alert.place] = said
    return found


def verdict(resolution: str | None, answered: bool) -> Said | None:
    """Return what an alert's ending says of it; None where that says nothing."""
    if resolution in _NOISE:
        return "noise"
    return "useful" if resolution in _USEFUL or answered else None


def _corrected(columns: Columns, alert: RunAlert, judged: Mapping[int, bool]) -> Said | None:
    if not judged:
        return None
    said = [judged.get(int(columns.mention_id[row])) for row in alert.members]
    if not said or all(one is None for one in said):
        return None
    first = said[0]
    right = first if first is not None else any(said)
    return "useful" if right else "noise"
