"""What should be done, by rules over the week's figures, each with what it rests on."""

from collections.abc import Callable, Iterator
from itertools import islice

from listener.digest.model import Advice, Causes, Coverage, Desk, DeskRow, IncidentFacts, Measure, Voices

MOST = 6
_LEAST_IRRITANT = 5
_IRRITANT_SHARE = 0.05
"""Of a brand's complaints; smaller irritants are no advice."""
_LONG_WEEKS = 6
_ENOUGH = 0.8
"""Below this share answered, or answered in time, something is to be done."""
_PRECISE = 0.6
_SEEN = 0.98
_OFTEN = 0.2
"""From this share of authors who had to come back on."""


def advice(
    causes: Causes, desk: Desk, voices: Voices, incidents: tuple[IncidentFacts, ...], coverage: Coverage
) -> tuple[Advice, ...]:
    """Return what to do, the most pressing first; `nothing` alone where nothing is."""
    kinds = (
        (_incidents(incidents), 1),
        (_irritants(causes), 2),
        (_journalists(voices), 1),
        (_answers(desk), 2),
        (_coverage(coverage), 1),
        (_thanks(voices), 1),
    )
    # Some of each kind: a week of many irritants must not hide that nobody was answered.
    found = tuple(one for advices, most in kinds for one in islice(advices, most))
    return found[:MOST] or (Advice("nothing"),)


def _incidents(incidents: tuple[IncidentFacts, ...]) -> Iterator[Advice]:
    yield from (Advice("incident_open", one.reference) for one in incidents if one.outcome == "open")


def _irritants(causes: Causes) -> Iterator[Advice]:
    great = [one for one in causes.irritants if one.mentions >= _LEAST_IRRITANT and one.share >= _IRRITANT_SHARE]
    for one in great:
        subject, size = str(one.id), float(one.mentions)
        if one.trend == "new":
            yield Advice("irritant_new", subject, size)
        elif one.trend in ("growing", "recurring"):
            yield Advice("irritant_growing", subject, size, one.last)
    for one in great[:1]:
        weeks = sum(count > 0 for _, count in one.history)
        if weeks >= _LONG_WEEKS:
            yield Advice("irritant_long", str(one.id), float(weeks), one.mentions)


def _journalists(voices: Voices) -> Iterator[Advice]:
    waiting = [post for post in voices.journalists if post.complaint >= 0.5 or post.sentiment == "negative"]
    if waiting:
        yield Advice("journalists", figure=float(len(waiting)))


def _answers(desk: Desk) -> Iterator[Advice]:
    if (row := _worst(desk.by_country, _answered_by_now)) is not None:
        yield Advice("answers_few", row.key, _answered_by_now(row).value, _answered_by_now(row).of)
    if (row := _worst(desk.by_country, lambda row: row.in_target)) is not None:
        yield Advice("answers_slow", row.key, row.in_target.value, row.in_target.of)
    if _is_below(desk.precision, _PRECISE):
        yield Advice("precision_low", "", desk.precision.value, desk.precision.of)
    if desk.recontacts.value is not None and desk.recontacts.value >= _OFTEN:
        yield Advice("recontacts", "", desk.recontacts.value, desk.recontacts.of)


def _answered_by_now(row: DeskRow) -> Measure:
    """Return the share that was answered of what had to be: what is not due yet is nobody's fault."""
    return row.response_rate if row.answered_by_now is None else row.answered_by_now


def _worst(rows: tuple[DeskRow, ...], measure: Callable[[DeskRow], Measure]) -> DeskRow | None:
    low = [row for row in rows if _is_below(measure(row), _ENOUGH)]
    return min(low, key=lambda row: (measure(row).value or 0.0, row.key), default=None)


def _is_below(measure: Measure, limit: float) -> bool:
    return measure.value is not None and measure.value < limit


def _coverage(coverage: Coverage) -> Iterator[Advice]:
    if coverage.unseen and _is_below(coverage.seen_share, _SEEN):
        worst = coverage.unseen[0]
        yield Advice("coverage", worst.watch, coverage.missed)


def _thanks(voices: Voices) -> Iterator[Advice]:
    if voices.supporters:
        yield Advice("thank", figure=float(len(voices.supporters)))
