"""Makes measures of counts: this week beside the last, the mean of the four before, and whether it changed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, isinf
from statistics import fmean
from typing import Generic, TypeVar

from listener.digest import noise
from listener.digest.counting import BrandTally, Tally, WeekCounts
from listener.digest.model import BrandVoice, Day, Measure, Row, Spoken, Unit, Verdict

T = TypeVar("T")
V = TypeVar("V")
LEAST_FOR_A_SHARE = 10
"""Of fewer no percentage is said."""
LEAST_FOR_A_MEDIAN = 5
LEAST_FOR_A_P90 = 10


@dataclass(frozen=True, slots=True)
class Compared(Generic[T]):
    """A week beside those before it; None stands for a week that was not listened to."""

    now: T
    before: tuple[T | None, ...]
    """The week before first."""

    def of(self, value: Callable[[T], V]) -> "Compared[V]":
        """Return one thing of each week."""
        return Compared(value(self.now), tuple(None if one is None else value(one) for one in self.before))

    @property
    def known(self) -> list[T]:
        """The earlier weeks that were listened to."""
        return [one for one in self.before if one is not None]

    @property
    def last(self) -> T | None:
        """The week before."""
        return self.before[0] if self.before else None


def count(weeks: Compared[int], unit: Unit = "count") -> Measure:
    """Return a count beside the weeks before: their mean."""
    test = noise.of_reach if unit == "people" else noise.of_counts
    before = [float(one) for one in weeks.known]
    last = weeks.last
    return Measure(
        value=float(weeks.now),
        unit=unit,
        last=None if last is None else float(last),
        mean=fmean(before) if before else None,
        verdict=test(float(weeks.now), before),
    )


def share(weeks: Compared[tuple[int, int]]) -> Measure:
    """Return a share, as part and whole, beside the week before and that of the weeks before taken together."""
    part, whole = weeks.now
    return Measure(
        value=_share(weeks.now),
        unit="share",
        part=part,
        of=whole,
        last=None if weeks.last is None else _share(weeks.last),
        mean=_share((sum(one[0] for one in weeks.known), sum(one[1] for one in weeks.known))),
        verdict=noise.of_shares(weeks.now, weeks.known),
        lack="" if whole >= LEAST_FOR_A_SHARE else "few" if whole else "nothing",
    )


def net(weeks: Compared[tuple[int, int, int]]) -> Measure:
    """Return a net sentiment, from positive, negative and all, beside the weeks before taken together."""
    before = [sum(one[place] for one in weeks.known) for place in range(3)]
    whole = weeks.now[2]
    return Measure(
        value=_net(weeks.now),
        unit="points",
        of=whole,
        last=None if weeks.last is None else _net(weeks.last),
        mean=_net((before[0], before[1], before[2])),
        verdict=noise.of_tones(weeks.now, weeks.known),
        lack="" if whole >= LEAST_FOR_A_SHARE else "few" if whole else "nothing",
    )


def percentile(weeks: Compared[list[float]], quantile: float) -> Measure:
    """Return a percentile of times beside the week before and that of the weeks before taken together.

    By nearest rank: the value at place ceil(quantile x n) in order. Infinite times are those of what still waits.
    """
    least = LEAST_FOR_A_MEDIAN if quantile <= 0.5 else LEAST_FOR_A_P90
    pooled = [time for one in weeks.known for time in one]
    now = _ranked(weeks.now, quantile, least)
    earlier = _ranked(pooled, quantile, least)
    lack = "nothing" if not weeks.now else "few" if len(weeks.now) < least else "not_reached" if now is None else ""
    return Measure(
        value=now,
        unit="seconds",
        of=len(weeks.now),
        last=None if weeks.last is None else _ranked(weeks.last, quantile, least),
        mean=earlier,
        verdict=_one_way(noise.of_times(weeks.now, pooled), now, earlier),
        lack=lack,  # type: ignore[arg-type]
    )


def _one_way(verdict: Verdict, now: float | None, before: float | None) -> Verdict:
    """Return a verdict on all times together for one percentile of them: noise where that moved the other way."""
    if now is None or before is None:
        return verdict
    moved = "up" if now > before else "down" if now < before else "noise"
    return verdict if verdict in (moved, "unknown") else "noise"


def _ranked(times: Sequence[float], quantile: float, least: int) -> float | None:
    if len(times) < least:
        return None
    value = sorted(times)[max(0, ceil(quantile * len(times) - 1e-9) - 1)]
    return None if isinf(value) else value


def _share(parts: tuple[int, int]) -> float | None:
    return parts[0] / parts[1] if parts[1] >= LEAST_FOR_A_SHARE else None


def _net(parts: tuple[int, int, int]) -> float | None:
    positive, negative, whole = parts
    return (positive - negative) / whole * 100 if whole >= LEAST_FOR_A_SHARE else None


def spoken(weeks: Compared[WeekCounts]) -> Spoken:
    """Return how we are spoken of."""
    total = _row("", weeks.of(lambda one: one.total))
    return Spoken(
        mentions=total.mentions,
        authors=total.authors,
        reach=total.reach,
        complaints=total.complaints,
        urgent=total.urgent,
        complaint_share=total.complaint_share,
        net_sentiment=total.net_sentiment,
        days=tuple(_days(weeks)),
        hours=tuple(tuple(day) for day in weeks.now.hours),
        by_country=_rows(weeks, "country"),
        by_network=_rows(weeks, "network"),
        by_language=_rows(weeks, "language"),
        by_product=_rows(weeks, "product"),
        by_topic=_rows(weeks, "topic"),
        by_brand=_rows(weeks, "brand"),
    )


def _rows(weeks: Compared[WeekCounts], dimension: str) -> tuple[Row, ...]:
    """Return the rows of a dimension that has any now or had any last week, the most mentions first."""
    parts = weeks.of(lambda one: one.by.get(dimension, {}))
    keys = dict.fromkeys((*parts.now, *(parts.last or {})))
    rows = [_row(key, parts.of(lambda one, key=key: one.get(key, Tally()))) for key in keys]  # type: ignore[misc]
    return tuple(sorted(rows, key=lambda row: (-(row.mentions.value or 0), row.key)))


def _row(key: str, weeks: Compared[Tally]) -> Row:
    return Row(
        key=key,
        mentions=count(weeks.of(lambda one: one.mentions)),
        authors=count(weeks.of(lambda one: one.authors)),
        reach=count(weeks.of(lambda one: one.reach), "people"),
        complaints=count(weeks.of(lambda one: one.complaints)),
        urgent=count(weeks.of(lambda one: one.urgent)),
        complaint_share=share(weeks.of(lambda one: (one.complaints, one.mentions))),
        net_sentiment=net(weeks.of(lambda one: (one.positive, one.negative, one.mentions))),
    )


def _days(weeks: Compared[WeekCounts]) -> Iterable[Day]:
    known = weeks.known
    for number, (mentions, complaints) in enumerate(weeks.now.days):
        usual = [fmean(one.days[number][place] for one in known) if known else None for place in (0, 1)]
        yield Day(number, mentions, complaints, usual[0], usual[1])


def share_of_voice(weeks: Compared[WeekCounts], names: Sequence[tuple[str, str, bool]]) -> tuple[BrandVoice, ...]:
    """Return each brand's share of all mentions of the brands, the greatest first.

    `names` holds key, name and whether it is a competitor, of each brand listened for.
    """
    if len(names) < 2:
        return ()
    wanted = [key for key, _, _ in names]
    whole = weeks.of(lambda one: sum(one.brands[key].mentions for key in wanted if key in one.brands))
    found = []
    for key, name, competitor in names:
        own = weeks.of(lambda one, key=key: one.brands.get(key, BrandTally()))  # type: ignore[misc]
        parts = Compared(
            (own.now.mentions, whole.now),
            tuple(
                None if one is None or all_ is None else (one.mentions, all_)
                for one, all_ in zip(own.before, whole.before, strict=True)
            ),
        )
        tones = own.of(lambda one: (one.positive, one.negative, one.mentions))
        found.append(BrandVoice(key, name, competitor, share(parts), net(tones)))
    return tuple(sorted(found, key=lambda one: (-(one.share.part or 0), one.brand)))
