"""Every figure of a digest as one tidy row, by the names that the model gives it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from listener.digest.model import Desk, DeskRow, Digest, IncidentFacts, Irritant, Measure, Row, Times, Unit

ROW_FIGURES = ("mentions", "authors", "reach", "complaints", "urgent", "complaint_share", "net_sentiment")
DESK_FIGURES = (
    "alerts", "needing", "response_rate", "in_target", "private", "first_contact", "recontacts", "precision", "snoozed",
)  # fmt: skip
STEPS = ("claim", "answer", "resolution")
TIMES = ("median", "p90", "median_working", "p90_working")
DESK_ROW_FIGURES = ("alerts", "response_rate", "in_target", "first_answer")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure: `figure` of `key` in `section`."""

    section: str
    key: str
    figure: str
    measure: Measure


def figure_rows(digest: Digest) -> Iterator[FigureRow]:
    """Yield all figures in the order of the page."""
    yield from _spoken(digest)
    yield from _desk(digest.desk)
    yield from _causes(digest)
    for incident in digest.incidents:
        yield from _incident(incident)
    yield from _coverage(digest)
    yield from _errata(digest)


def _spoken(digest: Digest) -> Iterator[FigureRow]:
    spoken = digest.spoken
    yield from (FigureRow("spoken", "", name, getattr(spoken, name)) for name in ROW_FIGURES)
    for section in ("country", "network", "language", "product", "topic", "brand"):
        yield from _rows(section, getattr(spoken, f"by_{section}"))
    for day in spoken.days:
        yield FigureRow("day", str(day.number + 1), "mentions", _count(day.mentions, day.usual_mentions))
        yield FigureRow("day", str(day.number + 1), "complaints", _count(day.complaints, day.usual_complaints))
    yield from _hours("hour", "complaints", spoken.hours)
    for voice in digest.share_of_voice:
        yield FigureRow("share_of_voice", voice.brand, "share", voice.share)
        yield FigureRow("share_of_voice", voice.brand, "net_sentiment", voice.net_sentiment)


def _rows(section: str, rows: Iterable[Row]) -> Iterator[FigureRow]:
    for row in rows:
        yield from (FigureRow(section, row.key, name, getattr(row, name)) for name in ROW_FIGURES)


def _hours(section: str, figure: str, hours: tuple[tuple[int, ...], ...]) -> Iterator[FigureRow]:
    """Yield a week of hours; their key is the ISO weekday and the hour, such as "1T09"."""
    for day, counts in enumerate(hours, 1):
        yield from (FigureRow(section, f"{day}T{hour:02d}", figure, _count(count)) for hour, count in enumerate(counts))


def _desk(desk: Desk) -> Iterator[FigureRow]:
    yield from (FigureRow("desk", "", name, getattr(desk, name)) for name in DESK_FIGURES)
    for step in STEPS:
        times: Times = getattr(desk, step)
        yield from (FigureRow("desk", "", f"{step}_{name}", getattr(times, name)) for name in TIMES)
    yield from _desk_rows("desk_country", desk.by_country)
    yield from _desk_rows("desk_team", desk.by_team)
    yield from (FigureRow("outcome", one.key, "alerts", _count(one.alerts)) for one in desk.outcomes)
    for load in desk.load:
        for name in ("claimed", "answered", "closed"):
            yield FigureRow("load", load.person, name, _count(getattr(load, name)))
    yield from _hours("desk_hour", "actions", desk.hours)


def _desk_rows(section: str, rows: Iterable[DeskRow]) -> Iterator[FigureRow]:
    for row in rows:
        yield FigureRow(section, row.key, "alerts", _count(row.alerts))
        yield from (FigureRow(section, row.key, name, getattr(row, name)) for name in DESK_ROW_FIGURES[1:])


def _causes(digest: Digest) -> Iterator[FigureRow]:
    causes = digest.causes
    for name in ("complaints", "alone", "without_embedding"):
        yield FigureRow("causes", "", name, _count(getattr(causes, name)))
    for irritant in causes.irritants:
        yield from _irritant(irritant)


def _irritant(one: Irritant) -> Iterator[FigureRow]:
    key = str(one.id)
    mentions = Measure(one.mentions, last=one.last, mean=one.mean, verdict=one.verdict)
    yield FigureRow("cause", key, "mentions", mentions)
    yield FigureRow("cause", key, "authors", _count(one.authors, unit="people"))
    yield FigureRow("cause", key, "share", Measure(one.share, "share"))
    yield FigureRow("cause", key, "urgent", _count(one.urgent))
    yield from (FigureRow("cause_week", f"{key}/{week}", "mentions", _count(count)) for week, count in one.history)
    yield from (FigureRow("cause_country", f"{key}/{name}", "mentions", _count(count)) for name, count in one.countries)
    yield from (
        FigureRow("cause_language", f"{key}/{name}", "mentions", _count(count)) for name, count in one.languages
    )


def _incident(one: IncidentFacts) -> Iterator[FigureRow]:
    for name in ("severity", "mentions", "expected", "peak"):
        yield FigureRow("incident", one.reference, name, _count(getattr(one, name)))
    yield FigureRow("incident", one.reference, "authors", _count(one.authors, unit="people"))
    for name in ("claimed_after", "answered_after", "closed_after"):
        yield FigureRow("incident", one.reference, name, _count(getattr(one, f"{name}_s"), unit="seconds"))


def _coverage(digest: Digest) -> Iterator[FigureRow]:
    coverage = digest.coverage
    yield FigureRow("coverage", "", "watches", _count(coverage.watches))
    yield FigureRow("coverage", "", "seen_share", coverage.seen_share)
    yield FigureRow("coverage", "", "missed", _count(coverage.missed))
    yield FigureRow("coverage", "", "skipped", _count(coverage.skipped))
    for unseen in coverage.unseen:
        yield FigureRow("unseen", unseen.watch, "unseen", _count(unseen.seconds, unit="seconds"))
        yield FigureRow("unseen", unseen.watch, "missed", _count(unseen.missed))


def _errata(digest: Digest) -> Iterator[FigureRow]:
    errata = digest.errata
    for name in ("said", "late", "now"):
        yield FigureRow("errata", errata.week, name, _count(getattr(errata, name)))


def _count(value: float | None, mean: float | None = None, unit: Unit = "count") -> Measure:
    return Measure(value, unit, mean=mean, lack="" if value is not None else "nothing")
