"""A tuning as text of 80 columns for a terminal, and as facts for programs."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from alerts.escaping import isolate, one_line
from listener.shares import Share
from listener.tuning.curves import KNOBS, Point
from listener.tuning.proposals import Proposal
from listener.tuning.tuned import Lost, Tuning

WIDTH = 80
_SAID = {"useful": "found right", "noise": "found wrong", None: "no verdict"}


def lines(tuning: Tuning, shown: int = 10) -> Iterator[str]:
    """Yield a tuning as text; of the alerts that would be lost so many are shown with their posts."""
    zone = ZoneInfo(tuning.timezone)
    span = f"{tuning.since.astimezone(zone):%Y-%m-%d %H:%M} to {tuning.until.astimezone(zone):%Y-%m-%d %H:%M}"
    yield f"{tuning.country}: {tuning.proposal.wish}"
    yield f"  from {span} ({tuning.timezone}): {tuning.days:.1f} days, {tuning.posts} posts"
    yield ""
    yield from _wrapped(_verdict(tuning), "  ")
    yield ""
    if tuning.proposal.proposed is not None:
        yield from _thresholds(tuning.proposal)
        yield ""
    yield from _curve(tuning.proposal)
    if tuning.proposal.proposed is not None:
        yield ""
        yield from _losses(tuning, zone, shown)
    yield ""
    for note in (*tuning.notes, *_always(tuning.proposal)):
        yield from _wrapped(note, "  ", "- ")


def facts(tuning: Tuning) -> dict[str, Any]:
    """Return a tuning as plain data, all lost alerts in it."""
    proposal = tuning.proposal
    return {
        "country": tuning.country,
        "wish": proposal.wish,
        "since": tuning.since.isoformat(),
        "until": tuning.until.isoformat(),
        "timezone": tuning.timezone,
        "days": round(tuning.days, 3),
        "posts": tuning.posts,
        "met": proposal.met,
        "changes": proposal.changes,
        "present": _point(proposal.present),
        "proposed": None if proposal.proposed is None else _point(proposal.proposed),
        "curve": [_point(point) for point in proposal.curve],
        "lost": [_entry(one) for one in tuning.lost],
        "notes": [*tuning.notes, *_always(proposal)],
    }


def _verdict(tuning: Tuning) -> str:
    proposal = tuning.proposal
    if proposal.met:
        return f"The present thresholds meet that already, with {_rate(proposal.present)}. Nothing is to be changed."
    if proposal.proposed is None:
        return _unreachable(proposal)
    point = proposal.proposed
    return f"Proposed: {_rate(point)}. At present: {_rate(proposal.present)}."


def _unreachable(proposal: Proposal) -> str:
    least, now = proposal.strictest, f"At present: {_rate(proposal.present)}. Nothing is proposed."
    if proposal.is_precision:
        best = _rate(proposal.best)
        return f"No thresholds meet that with enough verdicts left to tell it. The most right are {best}. {now}"
    return (
        f"No thresholds meet that. The strictest that let no alert of severity 3 go leave {_rate(least)}; "
        f"of these {least.alerts} alerts {least.by_severity[3]} are of severity 3, and {least.bursts} are bursts. {now}"
    )


def _rate(point: Point) -> str:
    text = f"{point.per_day:.1f} alerts a day"
    if point.busiest is not None:
        day, count = point.busiest
        text += f" ({count} on the busiest, {day:%a %Y-%m-%d})"
    if point.precision.whole:
        text += f", {_share(point.precision)} of {point.precision.whole} judged found right"
    return text


def _thresholds(proposal: Proposal) -> Iterator[str]:
    now, proposed = proposal.present.settings, (proposal.proposed or proposal.present).settings
    yield "  threshold      now  proposed"
    for knob in KNOBS:
        mark = f"{proposed[knob]:>8.2f}" if proposed[knob] != now[knob] else "    same"
        yield f"  {knob:<12}{_number(now[knob]):>6}  {mark}"


def _number(value: float) -> str:
    return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"


def _curve(proposal: Proposal) -> Iterator[str]:
    yield "      alerts busiest severity  judged right    lost  found  told of all, likely"
    yield "       a day     day  3, a day  (95 %)        alerts  right complaints  urgent"
    for point in proposal.curve:
        mark = "=" if point is proposal.present else ">" if point is proposal.proposed else " "
        low, high = point.precision.interval
        judged = (
            f"{_share(point.precision)} ({low:.0%}-{high:.0%})".replace("%-", "-") if point.precision.whole else "-"
        )
        yield (
            f"  {mark} {point.per_day:>8.1f} {point.busiest[1] if point.busiest else 0:>7} "
            f"{point.by_severity[3] / point.days:>9.1f}  {judged:<14}"
            f"{len(point.lost):>7} {point.lost_useful:>6} {_percent(point.complaints_told):>10} "
            f"{_percent(point.urgent_told):>7}"
        )
    yield "  = present" + (", > proposed" if proposal.proposed is not None else "")


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0%}"


def _share(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.0%}"


def _losses(tuning: Tuning, zone: ZoneInfo, shown: int) -> Iterator[str]:
    proposal, lost = tuning.proposal, tuning.lost
    right = sum(one.said == "useful" for one in lost)
    wrong = sum(one.said == "noise" for one in lost)
    if not lost:
        yield "  No alert of the span would be lost altogether."
        return
    yield from _wrapped(
        f"Of the {proposal.present.alerts} alerts that the present thresholds make of the span {len(lost)} would be "
        f"lost, none of severity 3: {right} that people found right, {wrong} that they found wrong, and "
        f"{len(lost) - right - wrong} without a verdict" + (":" if shown else "."),
        "  ",
    )
    for one in lost[:shown]:
        name = one.reference or "(new)"
        yield (
            f"  {name:<8}{one.at.astimezone(zone):%Y-%m-%d %H:%M}  severity {one.severity}  "
            f"{one_line(one.brand)}, {one.topic}; {_SAID[one.said]}"
        )
        yield f"          {_cut(one_line(one.text), WIDTH - 10) if one.text else '(deleted)'}"
    if len(lost) > shown > 0:
        yield f"  and {len(lost) - shown} more: --show {len(lost)}, or all of them with --format json"


def _always(proposal: Proposal) -> Iterator[str]:
    if proposal.present.precision.whole:
        yield (
            "verdicts exist for what was alerted alone: how right looser thresholds than the present ones would be, "
            "nobody can tell from them"
        )
    yield (
        "\"told\" is the model's word, not people's: the share of its expected complaints, and of its expected "
        "posts of the highest urgency, that are in an alert"
    )
    if not proposal.met and proposal.proposed is not None and proposal.is_precision:
        yield "the thresholds were chosen by the same verdicts that judge them: expect a little less of new posts"


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return isolate(text)
    kept = ""
    for letter in text:
        if cell_len(kept + letter) >= width:
            break
        kept += letter
    return isolate(kept) + "…"


def _wrapped(text: str, indent: str, first: str = "") -> Iterator[str]:
    line = indent + first
    rest = indent + " " * len(first)
    has_words = False
    for word in text.split():
        if has_words and cell_len(line) + 1 + cell_len(word) > WIDTH:
            yield line
            line, has_words = rest, False
        line += (" " if has_words else "") + word
        has_words = True
    yield line


def _point(point: Point) -> dict[str, Any]:
    low, high = point.precision.interval
    return {
        "thresholds": dict(point.settings),
        "alerts": point.alerts,
        "alerts_a_day": round(point.per_day, 3),
        "busiest_day": None if point.busiest is None else [point.busiest[0].isoformat(), point.busiest[1]],
        "by_severity": {str(level): count for level, count in point.by_severity.items()},
        "bursts": point.bursts,
        "judged": point.precision.whole,
        "judged_right": point.precision.part,
        "precision": _rounded(point.precision.value),
        "precision_95": [round(low, 3), round(high, 3)],
        "expected_complaints": _rounded(point.expected),
        "complaints_told": _rounded(point.complaints_told),
        "urgent_told": _rounded(point.urgent_told),
        "known_misses": point.misses,
        "lost": len(point.lost),
        "lost_right": point.lost_useful,
        "gained": point.gained,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 3)


def _entry(one: Lost) -> Mapping[str, Any]:
    values = {name: getattr(one, name) for name in Lost.__slots__}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
