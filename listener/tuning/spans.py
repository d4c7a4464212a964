"""The span that a replay goes over, as people write it: 7d, 24h, a day, a moment, an ISO week."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from listener.clock import read_moment
from listener.config.types import parse_duration
from listener.digest.weeks import Week, midnight
from listener.errors import DigestError, ListenerError
from listener.sentences import sentence
from listener.store.decisions import Extent

_WEEK = re.compile(r"\d{4}-?[Ww]\d{2}")
_DURATION = re.compile(r"\d+(\.\d+)?\s*(ms|s|m|h|d)")
Span = tuple[datetime, datetime]
_DAY = timedelta(days=1)
_QUIET = timedelta(hours=6)
"""So long after the last decision the daemon counts as listening still: nobody may have written."""


class SimulationError(ListenerError):
    """A replay cannot be made as it was asked for."""


def span_of(since: str, until: str | None, timezone: str, now: datetime) -> Span:
    """Return the span that two texts name, in UTC: [begin, end).

    Days and weeks are those of `timezone`. A week as `since` ends with itself unless `until` says otherwise.

    Raises:
        SimulationError: a text names no moment, or the span is empty or lies in the future.
    """
    begin, own_end = _moment(since, "--since", timezone, now)
    end = now if own_end is None else min(own_end, now)
    if until is not None:
        last, whole = _moment(until, "--until", timezone, now)
        end = last if whole is None else whole
    if begin >= now:
        raise SimulationError(f"--since {since} lies in the future: nothing was decided yet")
    if end > now:
        end = now
    if begin >= end:
        raise SimulationError(f"from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC there is no time at all")
    return begin, end


def check_span(span: Span, extent: Extent, timezone: str) -> tuple[str, ...]:
    """Return what is to be said where the store does not hold all of a span.

    Raises:
        SimulationError: it holds nothing of it.
    """
    zone = ZoneInfo(timezone)
    if extent.first is None or extent.last is None:
        raise SimulationError("nothing was decided yet that could be replayed; `listener run` collects and decides")
    first, last = extent.first.astimezone(zone), extent.last.astimezone(zone)
    stored = f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} ({timezone})"
    if span[1] <= extent.first or span[0] > extent.last:
        raise SimulationError(f"nothing was decided in that span; what is stored was decided {stored}")
    if span[0] < extent.first - timedelta(days=1):
        return (
            sentence(
                "what is stored was decided from {first} to {last} ({timezone}); of the time before there is nothing to"
                " replay",
                first=f"{first:%Y-%m-%d %H:%M}",
                last=f"{last:%Y-%m-%d %H:%M}",
                timezone=timezone,
            ),
        )
    return ()


def covered_days(span: Span, extent: Extent) -> float:
    """Return for how many days of a span there are decisions: a rate divides by these, not by the span's own."""
    if extent.first is None or extent.last is None:
        return 0.0
    end = span[1] if span[1] - extent.last <= _QUIET else extent.last
    return max(0.0, (end - max(span[0], extent.first)) / _DAY)


def rate(count: int, days: float) -> float | None:
    """Return how many a day so many are; None where less than one day is too short for a rate."""
    return count / days if days >= 1 else None


def _moment(text: str, option: str, timezone: str, now: datetime) -> tuple[datetime, datetime | None]:
    """Return the moment that a text names, and for a day or a week the end of that."""
    text, zone = text.strip(), ZoneInfo(timezone)
    try:
        if _WEEK.fullmatch(text):
            return Week.parse(text).span(timezone)
        if _DURATION.fullmatch(text):
            return now - timedelta(seconds=parse_duration(text)), None
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
            read_moment(text)  # a day that is within reach
            following = midnight(day + timedelta(days=1), zone)
            return midnight(day, zone), following if option == "--until" else None
        return read_moment(text, zone), None
    except (ValueError, OverflowError, DigestError):
        raise SimulationError(
            f"{option} {text[:40]!r} is no span; write 7d, 24h, a day such as 2026-11-10, or a week such as 2026-W46"
        ) from None
