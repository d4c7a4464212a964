"""The incidents of a week as a digest tells them: from the card that each showed last, and its alert's life."""

from collections.abc import Sequence
from datetime import datetime

from alerts.card import IncidentCard, load_message
from listener.digest.desk_figures import DeskScope, claimed_at
from listener.digest.model import CurvePoint, IncidentFacts
from listener.digest.weeks import Week
from listener.store.digests import AlertFacts, Digests, EventFacts


def incidents(store: Digests, scope: DeskScope, zones: dict[str, str], week: Week) -> tuple[IncidentFacts, ...]:
    """Return the bursts that were under way in a week, by the clocks of their countries, the earliest first."""
    spans = {code: week.span(zone) for code, zone in zones.items()}
    if not spans:
        return ()
    since, until = min(start for start, _ in spans.values()), max(end for _, end in spans.values())
    found = store.incidents(since, until, scope.brands)
    lives = store.lives([one.alert_id for one in found])
    told = []
    for one in found:
        alert, events = lives[one.alert_id]
        start, end = spans.get(alert.country, (until, since))
        inside = one.began_at < end and (one.ended_at is None or one.ended_at >= start)
        card = _card(one.facts)
        if card is not None and inside and scope.holds(alert.country, alert.brand, alert.team):
            told.append(_facts(alert, events, card, one.began_at, one.ended_at))
    return tuple(told)


def _card(facts: str) -> IncidentCard | None:
    """Return the card, or None where an older release wrote it otherwise."""
    try:
        card = load_message(facts)
    except ValueError:
        return None
    return card if isinstance(card, IncidentCard) else None


def _facts(
    alert: AlertFacts, events: Sequence[EventFacts], card: IncidentCard, began_at: datetime, ended_at: datetime | None
) -> IncidentFacts:
    return IncidentFacts(
        reference=f"I-{alert.id}",
        brand=alert.brand,
        country=alert.country,
        topic=alert.topic if card.topic else "",
        severity=alert.severity,
        began_at=began_at,
        opened_at=alert.opened_at,
        ended_at=ended_at,
        mentions=card.mentions,
        authors=card.authors,
        expected=card.expected,
        peak=max((point.count for point in card.curve), default=0.0),
        claimed_after_s=_after(alert, claimed_at(alert, events)),
        answered_after_s=_after(alert, alert.answered_at),
        closed_after_s=_after(alert, alert.closed_at),
        outcome=alert.resolution or "open",
        curve=tuple(CurvePoint(point.at, point.count, point.expected) for point in card.curve),
        timezone=card.timezone,
    )


def _after(alert: AlertFacts, at: datetime | None) -> float | None:
    return None if at is None else max(0.0, (at - alert.opened_at).total_seconds())
