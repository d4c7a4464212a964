"""Influence, velocity, priority and the rules' decision for one classified mention."""

from dataclasses import dataclass
from datetime import timedelta

from alerts.priority import Spread, score_priority, score_velocity
from alerts.rules import Decision, decide
from classifiers.influence import score_influence
from listener.config import Country
from listener.model import Influence, Priority, Velocity
from listener.store import TriageItem

SPREAD_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Assessment:
    """All scores of one mention, and what the rules make of them."""

    influence: Influence
    velocity: Velocity
    priority: Priority
    decision: Decision


def influence_of(item: TriageItem) -> Influence:
    """Return the influence of a mention's author and reach."""
    mention = item.mention
    return score_influence(mention.author, mention.engagement, sponsored=mention.sponsored)


def assess(item: TriageItem, country: Country, *, copies: int, answers: int) -> Assessment:
    """Score one mention. The same for the same inputs.

    `copies` and `answers` are those of the hour before the mention was collected.
    """
    mention, influence = item.mention, influence_of(item)
    age_h = max(0.0, (item.collected_at - mention.published_at).total_seconds() / 3600)
    velocity = score_velocity(Spread(mention.engagement, age_h, copies, answers))
    priority = score_priority(
        item.classification.urgency_score,
        influence.score,
        velocity.score,
        influence_weight=country.weights.influence,
        velocity_weight=country.weights.velocity,
    )
    decision = decide(item.classification, influence, priority, country.thresholds)
    return Assessment(influence, velocity, priority, decision)
