"""What makes a burst of negative mentions severe, and its words: reasons with figures, notes, the curve that is shown.

Knows numbers and cards only; what a burst is, the detector says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.card import CurvePoint, IncidentCard, Note
from alerts.escaping import one_line, shorten
from alerts.wording import is_closed, plural
from listener.config.models import Incidents
from listener.sentences import Share, counted, sentence

SIZE_WEIGHT, SPEED_WEIGHT, INFLUENCE_WEIGHT = 0.4, 0.3, 0.3
"""Shares of the heat. None alone makes an incident of severity 3."""
FEW_AUTHORS, MANY_AUTHORS = 5, 500
"""Authors at which the size counts for nothing, and for all it can."""
MUCH_FASTER = 64.0
"""Times the usual at which the speed counts for all it can."""
LEAST_USUAL_PER_HOUR = 0.5
"""Less is not told apart: thrice nothing is nothing."""
SECOND_VOICE = 0.5
"""How much the second voice adds to the first."""
MOST_POINTS = 150
UPDATE_EVERY = timedelta(minutes=3)
UPDATE_ANYWAY = timedelta(minutes=15)
MUCH_MORE = 0.1
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Burst:
    """The figures of a burst that its severity hangs on."""

    authors: int
    fastest_per_hour: float
    usual_per_hour: float
    """What is usual for an hour in its span."""
    influences: Sequence[float]
    """Of those who speak, the greatest first."""


@dataclass(frozen=True, slots=True)
class Heat:
    """How severe a burst is, in [0, 1], with its parts, each in [0, 1]."""

    score: float
    size: float
    speed: float
    influence: float


def heat(burst: Burst) -> Heat:
    """Score a burst by how many speak, how much faster than usual, and how far the loudest voices carry.

    Size and speed are on logarithmic scales; no part ever lowers the score.
    """
    size = _scaled(burst.authors / FEW_AUTHORS, MANY_AUTHORS / FEW_AUTHORS)
    speed = _scaled(burst.fastest_per_hour / max(burst.usual_per_hour, LEAST_USUAL_PER_HOUR), MUCH_FASTER)
    first, second = (*sorted(burst.influences, reverse=True), 0.0, 0.0)[:2]
    influence = 1 - (1 - first) * (1 - SECOND_VOICE * second)
    score = SIZE_WEIGHT * size + SPEED_WEIGHT * speed + INFLUENCE_WEIGHT * influence
    return Heat(min(1.0, score), size, speed, influence)


def severity(score: float, settings: Incidents) -> int:
    """Return 1 to 3 for a burst's heat."""
    return 1 + int(score >= settings.severity_2) + int(score >= settings.severity_3)


def reasons(burst: Burst, found: Heat, topic: str, topic_share: float) -> tuple[str, ...]:
    """Say why it is an incident and of this severity, in words with figures."""
    usual = max(burst.usual_per_hour, LEAST_USUAL_PER_HOUR)
    said = [
        counted(
            "{count} author in all (size {size})",
            "{count} different authors in all (size {size})",
            burst.authors,
            size=found.size,
        ),
        sentence(
            "{fastest} in the fastest hour, more than {times} times the usual (speed {speed})"
            if burst.usual_per_hour < LEAST_USUAL_PER_HOUR
            else "{fastest} in the fastest hour, about {times} times the usual (speed {speed})",
            fastest=round(burst.fastest_per_hour),
            times=round(burst.fastest_per_hour / usual),
            speed=found.speed,
        ),
        sentence(
            "the most influential voice has {loudest} (influence {influence})",
            loudest=max(burst.influences, default=0.0),
            influence=found.influence,
        ),
        sentence(
            "heat {heat} = {size_weight} × size + {speed_weight} × speed + {influence_weight} × influence",
            heat=found.score,
            size_weight=f"{SIZE_WEIGHT:g}",
            speed_weight=f"{SPEED_WEIGHT:g}",
            influence_weight=f"{INFLUENCE_WEIGHT:g}",
        ),
    ]
    if topic:
        of_it = sentence(
            "{share} of what is beyond the usual is about {topic}", share=Share(topic_share), topic=sentence(topic)
        )
        said.insert(0, of_it)
    return tuple(said)


def reasons_again(card: IncidentCard) -> tuple[str, ...]:
    """Return a stored card's reasons as sentences; as they are stored where its figures do not make the same ones."""
    if card.usual_per_hour is None:
        return card.because
    voices = [voice.influence for voice in card.influential]
    burst = Burst(card.authors, card.fastest_per_hour, card.usual_per_hour, voices)
    try:
        again = reasons(burst, heat(burst), card.topic, card.topic_share)
    except (ValueError, OverflowError):  # JSON holds figures that are none, such as NaN
        return card.because
    return again if again == card.because else card.because


def shown_curve(points: Sequence[CurvePoint], most: int = MOST_POINTS) -> tuple[CurvePoint, ...]:
    """Return a curve of at most `most` points, neighbours added up; the earliest that fill no group are left out."""
    together = max(1, math.ceil(len(points) / most))
    starts = range(len(points) % together, len(points), together)
    groups = [points[start : start + together] for start in starts]
    return tuple(
        CurvePoint(group[0].at, sum(one.count for one in group), round(sum(one.expected for one in group), 3))
        for group in groups
    )


def is_material(before: IncidentCard, after: IncidentCard) -> bool:
    """Tell whether a card has changed so much since it was shown that people should see it now."""
    passed = after.updated_at - before.updated_at
    if passed < UPDATE_EVERY:
        return False
    if passed >= UPDATE_ANYWAY:
        return (after.mentions, after.authors) != (before.mentions, before.authors)
    more = after.authors - before.authors
    voices = [voice.url or voice.name for voice in after.influential[:1]]
    louder = voices != [voice.url or voice.name for voice in before.influential[:1]]
    return louder or more >= max(2, MUCH_MORE * before.authors)


def belonging_note(references: Sequence[str]) -> Note:
    """Name the alerts that were open before an incident was found and belong to it."""
    named = ", ".join(references[:_MOST_NAMED])
    more = f" and {len(references) - _MOST_NAMED} more" if len(references) > _MOST_NAMED else ""
    title = f"{plural(len(references), 'open alert belongs', 'open alerts belong')} to this"
    return Note(title, f"{named}{more}. Their cards stay where they are.", "history")


def over_note(card: IncidentCard) -> Note:
    """Tell that a burst is over, with how long it lasted and what it brought."""
    lasted = duration((card.ended_at or card.updated_at) - card.opened_at)
    mentions = plural(card.mentions, "negative mention", "negative mentions")
    authors = plural(card.authors, "author", "authors")
    text = (
        f"{mentions} by {authors}, where {card.expected:,.1f} would be usual; fastest hour"
        f" {card.fastest_per_hour:,.0f}."
    )
    if not is_closed(card):
        text += " The alert stays open until somebody resolves it."
    return Note(f"The burst is over after {lasted}", text, "history", broadcast=True)


def duration(span: timedelta) -> str:
    """Write a span as people say it: "50 min", "3 h 20 min", "2 d 4 h"."""
    minutes = max(0, round(span.total_seconds() / 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def quoted_text(text: str, limit: int = 500) -> str:
    """Return a post's text as a card quotes it: on one line, cut."""
    return shorten(one_line(text), limit)


def _scaled(ratio: float, full: float) -> float:
    return 0.0 if ratio <= 1 else min(1.0, math.log(ratio) / math.log(full))
