"""Decides which bursts of a subject, in its topics and in all together, are incidents. Knows no store and no clock.

The rules are told in docs/incidents.md; what they reach is measured by `python -m benchmarks.bursts country`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from classifiers.bursts import IncidentDetector
from listener.pipeline.series import A_DAY, Series, Span

ALL = ""
"""The series of all topics together."""
LOOK_BACK = A_DAY
"""Intervals: a burst that was told longer ago is no news."""
TOPIC_EVIDENCE = 8.0
"""There are a dozen topics, each with its own chance of a false alarm: they need to be surer than all together."""
TOPIC_SHARE = 0.6
"""A topic that makes so much of what is beyond the usual gives the incident its name."""
WAIT_FOR_TOPIC = 2
"""Intervals that such a topic has to become sure of itself."""
WAIT_FOR_TOTAL = 2
"""Intervals that all topics together have, where a topic is sure of itself and makes less than that."""
SAME_STORY = 9
"""Intervals: topics whose bursts begin so close together are angry about the same."""
SPILL = 0.5
"""A topic's burst smaller than this beside another's is the same burst, misread."""


@dataclass(frozen=True, slots=True)
class Found:
    """A burst that may become an incident."""

    topic: str
    span: Span


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that there is, in numbers of intervals."""

    topic: str
    began: int
    ended: int
    """The first interval after it; for one that lasts, the one after the present."""


def evidence_for(topic: str) -> float:
    """Return how sure the detector of a topic's series must be."""
    return IncidentDetector.EVIDENCE if topic == ALL else TOPIC_EVIDENCE


def found_bursts(series: Mapping[str, Series], now: int) -> list[Found]:
    """Return each series' latest burst that is news, in the order in which they may become incidents."""
    latest: dict[str, Span] = {}
    for topic, one in series.items():
        told = [span for span in one.bursts(now - LOOK_BACK, now) if span.told >= now - LOOK_BACK]
        if told:
            latest[topic] = told[-1]
    total = latest.pop(ALL, None)
    found = [Found(topic, span) for topic, span in latest.items()]
    found.sort(key=lambda one: (-_excess(series, one.topic, one.span, now), one.topic))
    return _alone(series, found, now) if total is None else _with_total(series, found, total, now)


def _alone(series: Mapping[str, Series], found: list[Found], now: int) -> list[Found]:
    """Leave out topics that may be part of something wider, while all together may still become sure."""
    return [
        one
        for one in found
        if now - one.span.told >= WAIT_FOR_TOTAL
        or _excess(series, one.topic, one.span, now) >= TOPIC_SHARE * _excess(series, ALL, one.span, now)
    ]


def _with_total(series: Mapping[str, Series], found: list[Found], total: Span, now: int) -> list[Found]:
    """Put the burst of all topics in its place among theirs; leave it out while a topic may still name it."""
    enough = TOPIC_SHARE * _excess(series, ALL, total, now)
    leading = [one for one in found if _excess(series, one.topic, total, now) >= enough]
    if leading:
        return [leading[0], *(one for one in found if one is not leading[0]), Found(ALL, total)]
    rising = any(_excess(series, topic, total, now) >= enough for topic in series if topic != ALL)
    if rising and now - total.told < WAIT_FOR_TOPIC:
        return found
    return [Found(ALL, total), *found]


def is_covered(series: Mapping[str, Series], found: Found, known: Iterable[Known], now: int) -> bool:
    """Tell whether a burst belongs to an incident that there is already."""
    for one in known:
        if found.span.told >= one.ended or (found.span.over is not None and found.span.over <= one.began):
            continue
        if ALL in (one.topic, found.topic) or one.topic == found.topic:
            return True
        if abs(found.span.began - one.began) <= SAME_STORY:
            return True
        if _excess(series, found.topic, found.span, now) < SPILL * _excess(series, one.topic, found.span, now):
            return True
    return False


def _excess(series: Mapping[str, Series], topic: str, span: Span, now: int) -> float:
    """Return how many more a topic brought than usual in a burst's span."""
    one, until = series.get(topic), (now + 1 if span.over is None else span.over)
    return 0.0 if one is None else one.count(span.began, until) - one.expected(span.began, until)
