"""A replay's comparison as people read it in a terminal, and as JSON. Posts are hostile, and so are reasons of gaps."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.escaping import isolate, one_line, shorten, web_url
from alerts.wording import plural
from listener.tuning.climbing import Climbed, Pace
from listener.tuning.comparison import Comparison, Effects, Entry
from listener.tuning.loads import ReceiverLoad, TeamLoad
from listener.tuning.spans import rate
from listener.tuning.verdicts import LEAST_VERDICTS, Precision

_MOST_DAYS = 35
"""Of a longer span weeks are shown in the place of days."""
_TEXT = 280
_NARROW, _WIDE = 72, 110
# What a terminal or an editor would act on or hide; JSON itself escapes only the first 32.
_UNSAFE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def lines(found: Comparison, width: int = 80, now_name: str = "new rules", then_name: str = "then") -> list[str]:
    """Return the whole report as lines of at most `width` cells."""
    width = max(_NARROW, min(width, _WIDE))
    zone = ZoneInfo(found.timezone)
    parts: list[Iterable[str]] = [
        _head(found, zone, now_name, then_name, width),
        _counts(found),
        _days(found),
        _entries("Would appear", "+", found.appear, found.appearing, found, zone, width),
        _entries("Would vanish", "-", found.vanish, found.vanishing, found, zone, width),
        _changes(found, width),
        _loads(found, zone, width),
        _precisions(found, width),
        _climbed(found, width),
        _notes(found, width),
    ]
    report: list[str] = []
    for part in parts:
        written = list(part)
        report += ["", *written] if report and written else written
    return report


def as_json(found: Comparison) -> str:
    """Return everything as JSON. What a terminal could act on is escaped, so that it can be printed."""
    document = {
        **{name: value for name, value in asdict(found).items() if name not in ("then", "now", "paces")},
        "then": _effects(found.then),
        "now": _effects(found.now),
        "appearing_precision": _precision(found.appearing_precision),
        "vanishing_precision": _precision(found.vanishing_precision),
        "paces": {name: asdict(pace) for name, pace in found.paces.items()},
    }
    text = json.dumps(document, ensure_ascii=False, indent=2, default=_plain)
    return _UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text.encode("utf-8", "replace").decode())


# Text


def _head(found: Comparison, zone: ZoneInfo, now_name: str, then_name: str, width: int) -> Iterator[str]:
    since, until = (f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}" for at in (found.since, found.until))
    yield f"Replay of {since} to {until} ({found.timezone})"
    yield f"  {plural(found.mentions, 'mention', 'mentions')} decided on again; nothing was sent, nothing was stored"
    yield from _wrapped("  now:  ", one_line(now_name), width)
    yield from _wrapped("  then: ", one_line(then_name), width)


def _counts(found: Comparison) -> Iterator[str]:
    then, now = found.then.tally, found.now.tally
    yield f"{'Alerts':<34}{'then':>8}{'now':>8}{'change':>9}{'now/day':>9}"
    days = found.covered_days
    yield _row("all", then.total, now.total, days)
    for level in (3, 2, 1):
        yield _row(f"  severity {level}", then.by_severity.get(level, 0), now.by_severity.get(level, 0), days)
    for title, before, after in (
        ("country", then.by_country, now.by_country),
        ("team", _sums(then.by_team), _sums(now.by_team)),
        ("cards at", _sums(then.by_receiver), _sums(now.by_receiver)),
    ):
        for name in sorted({*before, *after}, key=lambda one: (-max(before.get(one, 0), after.get(one, 0)), one)):
            yield _row(f"  {title} {one_line(name)}", before.get(name, 0), after.get(name, 0), days)
    if days < 1:
        yield f"  now/day: {_span(days * 86400)} of the span is stored: too short for a rate"
    elif days < (found.until - found.since) / timedelta(days=1) - 1:
        yield f"  now/day: by the {days:.1f} days of the span that are stored"


def _row(name: str, then: int, now: int, days: float) -> str:
    change, per_day = "=" if then == now else f"{now - then:+,}", rate(now, days)
    return f"{shorten(name, 33):<34}{then:>8,}{now:>8,}{change:>9}{'–' if per_day is None else f'{per_day:.1f}':>9}"


def _sums(counted: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(days.values()) for name, days in counted.items()}


def _days(found: Comparison) -> Iterator[str]:
    weekly = len(found.days) > _MOST_DAYS
    then, now = (_by_period(one.tally.by_day, weekly) for one in (found.then, found.now))
    names = dict.fromkeys(_period(day, weekly) for day in found.days)
    heads = [f"{name:>7}{'sev 3':>7}{'2':>5}{'1':>5}" for name in ("then", "now")]
    yield f"{'Week' if weekly else 'Day':<16}{'   '.join(heads)}"
    for name in names:
        before, after = (one.get(name, Counter()) for one in (then, now))
        yield f"{name:<16}{_levels(before)}   {_levels(after)}"


def _levels(counts: Counter[int]) -> str:
    return f"{counts.total():>7}{counts[3]:>7}{counts[2]:>5}{counts[1]:>5}"


def _by_period(by_day: Mapping[str, Mapping[int, int]], weekly: bool) -> dict[str, Counter[int]]:
    periods: dict[str, Counter[int]] = {}
    for day, counts in by_day.items():
        periods.setdefault(_period(day, weekly), Counter()).update(counts)
    return periods


def _period(day: str, weekly: bool) -> str:
    at = date.fromisoformat(day)
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02d}" if weekly else f"{at:%a %Y-%m-%d}"


def _entries(
    title: str, sign: str, entries: Sequence[Entry], count: int, found: Comparison, zone: ZoneInfo, width: int
) -> Iterator[str]:
    shown = "" if count == len(entries) else f"; the {len(entries)} severest" if entries else "; none shown"
    merged = f"; {found.merged} of them as part of another" if sign == "-" and found.merged else ""
    yield f"{title}: {plural(count, 'alert', 'alerts')}{merged}{shown}"
    for one in entries:
        yield from _entry(one, sign, zone, width)


def _entry(one: Entry, sign: str, zone: ZoneInfo, width: int) -> Iterator[str]:
    words = [one.reference, f"severity {one.severity}", one.country, one.brand, one.topic or "all topics"]
    words += [f"{one.at.astimezone(zone):%a %d %b %H:%M}"]
    yield from _wrapped(f" {sign} ", " · ".join(word for word in words if word), width)
    if one.kind == "post":
        said = f"“{isolate(shorten(one_line(one.text), _TEXT))}”" if one.text.strip() else "its text was withdrawn"
        who = f"{isolate(shorten(one_line(one.author), 60)) or 'somebody'} on {one_line(one.network)} ({one.language})"
        yield from _wrapped("     ", f"{who}: {said}", width)
    if (url := web_url(one.url)) is not None:
        yield f"     {url}"
    yield from _wrapped("     ", f"priority {one.priority:.2f}; to {', '.join(one.receivers) or 'nobody'}", width)
    for because in one.because:
        yield from _wrapped("     ", one_line(because), width)
    if one.verdict is not None:
        yield "     people said: " + ("it helped" if one.verdict == "useful" else "noise")


def _changes(found: Comparison, width: int) -> Iterator[str]:
    change = found.change
    both = change.same + max(change.severer + change.milder, change.other_receivers, change.other_team)
    if not both and not change.same:
        return
    said = [
        f"{change.severer} severer" if change.severer else "",
        f"{change.milder} milder" if change.milder else "",
        f"{change.other_receivers} to other receivers" if change.other_receivers else "",
        f"{change.other_team} with another team" if change.other_team else "",
        f"{change.same} the same",
    ]
    yield from _wrapped("", f"Alerts of both: {', '.join(one for one in said if one)}", width)


def _loads(found: Comparison, zone: ZoneInfo, width: int) -> Iterator[str]:
    before = {one.team: one for one in found.then.teams}
    if found.now.teams or before:
        yield "Load by team in charge"
    for one in found.now.teams:
        yield from _wrapped("  ", _load(one, before.get(one.team), zone), width, hang="    ")
    shown = {one.receiver: one for one in found.then.receivers}
    for receiver in found.now.receivers:
        if receiver.held or receiver.folded or (receiver.receiver in shown and _is_held(shown[receiver.receiver])):
            yield from _wrapped("  ", _held(receiver, shown.get(receiver.receiver)), width, hang="    ")


def _load(now: TeamLoad, then: TeamLoad | None, zone: ZoneInfo) -> str:
    rate, earlier = now.per_working_hour, None if then is None else then.per_working_hour
    if rate is None:
        pace = "never works in the span"
    else:
        was = "" if earlier is None else f" (then {earlier:.2f})"
        every = f", one every {_span(3600 / rate)}" if rate else ""
        pace = f"{now.working_hours:.0f} working hours, {rate:.2f} an hour{was}{every}"
    said = [f"{now.team}: {plural(now.alerts, 'alert', 'alerts')}, {pace}"]
    if now.busiest_at is not None:
        said.append(f"busiest hour {now.busiest_at.astimezone(zone):%a %d %b %H:%M} with {now.busiest}")
    if now.outside:
        was = "" if then is None else f" (then {then.outside_share:.0%})"
        said.append(f"{now.outside_share:.0%}{was} arrive while nobody works, {now.waking} of them wake somebody")
        said.append(f"a day opens with {now.opening_mean:.1f} on average, {now.opening_most} at most")
    return "; ".join(said)


def _is_held(one: ReceiverLoad) -> bool:
    return bool(one.held or one.folded)


def _held(now: ReceiverLoad, then: ReceiverLoad | None) -> str:
    before = then or ReceiverLoad(now.receiver, 0, 0, 0)
    return (
        f"{now.receiver}: {plural(now.cards, 'card', 'cards')} (then {before.cards}), {now.held} held until somebody"
        f" works (then {before.held}), {now.folded} folded beyond the budget (then {before.folded})"
    )


def _precisions(found: Comparison, width: int) -> Iterator[str]:
    yield "Precision by people's verdicts"
    for name, one in (("then", found.then.precision), ("now", found.now.precision)):
        yield from _wrapped("  ", f"{name}: {precision_words(one)}", width, hang="    ")
    for name, one in (("appear", found.appearing_precision), ("vanish", found.vanishing_precision)):
        if one.share.whole:
            said = f"{one.useful} useful, {one.noise} noise, {one.unjudged} without a verdict"
            yield from _wrapped("  ", f"of those that {name}: {said}", width, hang="    ")


def precision_words(one: Precision) -> str:
    """Return a precision in words, without a percentage where there are too few verdicts for one."""
    whole = one.share.whole
    without = f"{one.unjudged} without a verdict"
    if one.value is None:
        return f"not enough verdicts ({one.useful} useful of {whole}; {LEAST_VERDICTS} are needed); {without}"
    low, high = one.share.interval
    return f"{one.value:.0%} useful, {one.useful} of {whole} verdicts (between {low:.0%} and {high:.0%}); {without}"


def _climbed(found: Comparison, width: int) -> Iterator[str]:
    yield f"{'To expect':<34}{'then':>8}{'now':>8}{'change':>9}"
    for name, field in (
        ("reminders", "reminders"),
        ("told again, as nobody took it", "repeats"),
        ("escalation steps", "escalations"),
        ("late first answers", "late_answers"),
        ("not closed in time", "late_ends"),
    ):
        then, now = getattr(found.then.climbed, field), getattr(found.now.climbed, field)
        change = "=" if then == now else f"{now - then:+,}"
        yield f"{'  ' + name:<34}{then:>8,}{now:>8,}{change:>9}"
    real = found.happened
    if real != Climbed():
        reminders = f"{real.reminders} reminder{'' if real.reminders == 1 else 's'}"
        steps = f"{real.escalations} escalation step{'' if real.escalations == 1 else 's'}"
        told = f"{reminders}, {real.repeats} told again, {steps}"
        yield from _wrapped("  ", f"what there really was: {told}", width, hang="    ")
    if found.appearing:
        yield from _wrapped("  ", f"assumed of alerts that there were not: {_assumed(found.paces)}", width, hang="    ")


def _assumed(paces: Mapping[str, Pace]) -> str:
    said = []
    for name, pace in paces.items():
        team, _, level = name.rpartition(" ")
        if level == "any":
            answers = "usually does not answer" if pace.answer_s is None else f"answers in {_span(pace.answer_s)}"
            closes = "does not close" if pace.close_s is None else f"closes in {_span(pace.close_s)}"
            said.append(f"{team} {answers} and {closes} (median of {pace.seen})")
    return "; ".join(said) or "nobody answers or closes them, as nothing is known of any team"


def _notes(found: Comparison, width: int) -> Iterator[str]:
    if found.notes:
        yield "To keep in mind"
    for note in found.notes:
        yield from _wrapped("  ", f"- {one_line(note)}", width, hang="    ")


def _span(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} d"


def _wrapped(lead: str, text: str, width: int, hang: str = "") -> Iterator[str]:
    """Break a line by what it takes on the screen: Chinese takes twice the room."""
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width, legacy_windows=False)
    room, rest = width - len(lead), hang or " " * len(lead)
    room = min(room, width - len(rest))
    for place, line in enumerate(Text(text).wrap(console, room)):
        yield f"{lead if not place else rest}{line.plain.rstrip()}"


# JSON


def _effects(one: Effects) -> dict[str, Any]:
    return {
        "alerts": asdict(one.tally),
        "teams": [
            {**asdict(load), "per_working_hour": load.per_working_hour, "outside_share": load.outside_share}
            for load in one.teams
        ],
        "receivers": [asdict(load) for load in one.receivers],
        "precision": _precision(one.precision),
        "expected": {field.name: getattr(one.climbed, field.name) for field in fields(Climbed)},
    }


def _precision(one: Precision) -> dict[str, Any]:
    low, high = one.share.interval
    return {**asdict(one), "value": one.value, "low": low, "high": high, "enough": one.value is not None}


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a report")
