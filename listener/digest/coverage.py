"""What was not seen in a week, what it cost, and what the last digest could not know."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from listener.config import Config
from listener.digest.model import Coverage, Errata, Measure, Unseen
from listener.digest.weeks import Week
from listener.model import Watch
from listener.store.digests import Digests, GapRow

NOT_POLLED = "it has fetched nothing yet"
NOT_YET = "nothing was listened to yet"
_WEEK, _A_DAY = timedelta(weeks=1), timedelta(days=1)
Span = tuple[datetime, datetime]


def coverage(
    store: Digests, config: Config, countries: Sequence[str], brands: Sequence[str], week: Week,
    listened: Sequence[Week], as_of: datetime,
) -> Coverage:  # fmt: skip
    """Return what the watches of some countries and brands did not see.

    What a gap cost is what its watch brought in the same hours of the earlier weeks that it saw then.
    """
    watches = [one for one in config.watches if one.country in countries and one.brand in brands]
    spans = {code: week.span(config.countries[code].timezone) for code in countries}
    by_watch = _gaps(store, watches, spans)
    deaf, began_at = _deaf(store, watches), store.first_collected_at() or as_of
    before = _earlier_gaps(store, listened)
    unseen = []
    for watch in watches:
        start, end = spans[watch.country]
        # Nobody noted what was not seen while nobody listened.
        until = end if watch.id in deaf else min(began_at - _A_DAY, end)  # the first mention is not the first look
        never = [GapRow(watch.id, start, until, deaf.get(watch.id, NOT_YET))] if until > start else []
        found = [*never, *by_watch.get(watch.id, [])]
        cut = merged((_within(gap, spans[watch.country]) for gap in found), as_of)
        if cut:
            zone = ZoneInfo(config.countries[watch.country].timezone)
            weeks = 0 if watch.id in deaf else len(listened)
            missed = _missed(store, watch, cut, before.get(watch.id, []), weeks, zone)
            reason = max(found, key=lambda gap: gap.end_at - gap.start_at).reason
            seconds = sum((end - start).total_seconds() for start, end in cut)
            unseen.append(Unseen(watch.id, watch.source, watch.country, watch.brand, seconds, reason, missed))
    return Coverage(
        watches=len(watches),
        seen_share=_seen(watches, spans, unseen, as_of),
        unseen=tuple(sorted(unseen, key=lambda one: (-(one.missed or 0), -one.seconds, one.watch))),
        missed=sum(one.missed for one in unseen if one.missed is not None) if unseen else 0.0,
        skipped=store.skipped([one.id for one in watches], min((start for start, _ in spans.values()), default=as_of)),
    )


def errata(
    store: Digests, spans: Sequence[tuple[str, datetime, datetime]], brands: Sequence[str], week: Week,
    made: tuple[datetime, int] | None,
) -> Errata:  # fmt: skip
    """Return what the digest of the week before could not know.

    Args:
        store: where mentions are.
        spans: each country's week before.
        brands: whose mentions.
        week: the week before.
        made: when its digest was made and how many mentions it counted, where there was one.
    """
    now = sum(store.count(start, end, brands, country) for country, start, end in spans)
    late = sum(
        store.count(start, end, brands, country, collected_after=made[0] if made else end)
        for country, start, end in spans
    )
    return Errata(str(week), made[1] if made else None, late, now)


def _deaf(store: Digests, watches: Sequence[Watch]) -> dict[str, str]:
    """Return the watches that never fetched anything, with why."""
    problems = store.never_fetched([one.id for one in watches])
    return {name: problem or NOT_POLLED for name, problem in problems.items()}


def merged(spans: Iterable[Span], until: datetime) -> list[Span]:
    """Return spans in order, those that overlap or touch as one, none beyond `until`."""
    result: list[Span] = []
    for start, end in sorted((start, min(end, until)) for start, end in spans):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _gaps(store: Digests, watches: Sequence[Watch], spans: dict[str, Span]) -> dict[str, list[GapRow]]:
    ids = {one.id for one in watches}
    found: dict[str, list[GapRow]] = defaultdict(list)
    if spans:
        for gap in store.gaps(min(start for start, _ in spans.values()), max(end for _, end in spans.values())):
            if gap.watch_id in ids:
                found[gap.watch_id].append(gap)
    return found


def _within(gap: GapRow, span: Span) -> Span:
    return max(gap.start_at, span[0]), min(gap.end_at, span[1])


def _earlier_gaps(store: Digests, listened: Sequence[Week]) -> dict[str, list[Span]]:
    """Return what watches did not see in earlier weeks, by whatever clocks."""
    found: dict[str, list[Span]] = defaultdict(list)
    if listened:
        since, until = min(listened).span("UTC")[0] - _A_DAY, max(listened).span("UTC")[1] + _A_DAY
        for gap in store.gaps(since, until):
            found[gap.watch_id].append((gap.start_at, gap.end_at))
    return found


def _missed(
    store: Digests, watch: Watch, cut: Sequence[Span], before: Sequence[Span], weeks: int, zone: ZoneInfo
) -> float | None:
    """Return how many mentions were probably missed; None where no earlier week saw those hours."""
    total, known = 0.0, False
    for span in cut:
        same = [(_weeks_back(span[0], back, zone), _weeks_back(span[1], back, zone)) for back in range(1, weeks + 1)]
        brought = [store.brought(watch.id, *one) for one in same if not _overlaps(one, before)]
        if brought:
            known = True
            total += sum(brought) / len(brought)
    return total if known else None


def _weeks_back(at: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """Return the moment at which the same clock showed the same time so many weeks before."""
    wall = at.astimezone(zone).replace(tzinfo=None) - weeks * _WEEK
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _overlaps(span: Span, others: Sequence[Span]) -> bool:
    return any(start < span[1] and end > span[0] for start, end in others)


def _seen(watches: Sequence[Watch], spans: dict[str, Span], unseen: Sequence[Unseen], as_of: datetime) -> Measure:
    whole = sum((max(min(end, as_of), start) - start).total_seconds()
                for start, end in (spans[one.country] for one in watches))  # fmt: skip
    if not whole:
        return Measure(None, "share", lack="nothing")
    missing = sum(one.seconds for one in unseen)
    return Measure(max(0.0, 1 - missing / whole), "share")
