"""Priority = urgency x (the share that urgency alone carries + influence + velocity): monotone and reproducible."""

import math
from dataclasses import dataclass

from listener.model import Engagement, Part, Priority, Velocity
from listener.sentences import counted, sentence

_FULL_RATE_PER_H = 200.0
_FULL_COPIES = 5.0
_FULL_ANSWERS = 8.0
_LEAST_AGE_H = 0.5
"""A post minutes old would otherwise look explosive after its first like."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What velocity is made of. Counts are of the hour before the post was collected."""

    engagement: Engagement
    age_h: float
    """Age of the post when it was collected."""
    copies: int = 0
    """Copies by other authors."""
    answers: int = 0
    """Further posts in the same conversation."""


def score_velocity(spread: Spread) -> Velocity:
    """Return how fast a post spreads, in [0, 1]; rises with reactions per hour, copies and answers."""
    seen = spread.engagement
    weighted = (seen.likes or 0) + 2 * (seen.replies or 0) + 4 * ((seen.reposts or 0) + (seen.quotes or 0))
    rate = weighted / max(spread.age_h, _LEAST_AGE_H)
    reactions = counted("{count} weighted reaction an hour", "{count} weighted reactions an hour", round(rate))
    copies = counted("{count} copy in the last hour", "{count} copies in the last hour", spread.copies)
    answers = counted("{count} answer in the last hour", "{count} answers in the last hour", spread.answers)
    parts = [
        Part("reactions", _saturating(rate, _FULL_RATE_PER_H), 1.0, reactions),
        Part("copies", _saturating(spread.copies, _FULL_COPIES), 1.0, copies),
        Part("answers", _saturating(spread.answers, _FULL_ANSWERS), 1.0, answers),
    ]
    score = 1.0 - math.prod(1.0 - part.value for part in parts)
    found = sorted((part for part in parts if part.value > 0), key=lambda part: -part.value)
    return Velocity(score, tuple(found))


def score_priority(
    urgency: float, influence: float, velocity: float, *, influence_weight: float = 0.3, velocity_weight: float = 0.15
) -> Priority:
    """Return the priority of one mention, in [0, 1].

    Equals `urgency` when influence and velocity are both 1; a lost passport of somebody nobody follows keeps
    the share that the two weights leave.

    Raises:
        ValueError: a score outside [0, 1], or weights that leave urgency no share.
    """
    for name, value in (("urgency", urgency), ("influence", influence), ("velocity", velocity)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must be in [0, 1], got {value}")
    own = 1.0 - influence_weight - velocity_weight
    if min(influence_weight, velocity_weight) < 0 or own < 0:
        raise ValueError("the weights of influence and velocity must not be negative nor add up to more than 1")
    score = urgency * (own + influence_weight * influence + velocity_weight * velocity)
    words = sentence(
        "urgency {urgency} x ({own} + {influence_weight} x influence {influence}"
        " + {velocity_weight} x velocity {velocity})",
        urgency=urgency,
        own=own,
        influence_weight=influence_weight,
        influence=influence,
        velocity_weight=velocity_weight,
        velocity=velocity,
    )
    return Priority(min(1.0, score), urgency, influence, velocity, words)


def _saturating(value: float, full: float) -> float:
    return 1.0 - math.exp(-max(0.0, value) / full)
