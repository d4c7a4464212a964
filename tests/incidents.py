"""Incident cards for tests: a usual burst, and one that has a text wherever others can put one."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.card import CurvePoint, Due, IncidentCard, Progress, Voice
from listener.model import AlertState
from tests.cards import GUIDANCE, filled_with

BEGAN_AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


def curve(hours: int = 48, *, burst_from: int = 36, top: float = 60.0) -> tuple[CurvePoint, ...]:
    """Return a quiet day and a half with a daily rhythm, and then a burst."""
    start = BEGAN_AT - timedelta(hours=burst_from)
    points = []
    for hour in range(hours):
        usual = 4.0 * (1 + 0.6 * math.sin(hour / 24 * math.tau))
        more = top * math.exp(-(((hour - burst_from - 5) / 4) ** 2)) if hour >= burst_from else 0.0
        points.append(CurvePoint(start + timedelta(hours=hour), round(usual + more), usual))
    return tuple(points)


VOICE = Voice(
    name="Marta Ruiz",
    handle="marta_viaja",
    followers=48_200,
    influence=0.64,
    text="Mi hervidor Yunfan se ha incendiado esta mañana. ¿Alguien más?",
    language_name="Spanish",
    posted_at=BEGAN_AT - timedelta(minutes=20),
    url="https://x.com/marta_viaja/status/42",
)
_INCIDENT = IncidentCard(
    alert_id=31,
    reference="A-31",
    severity=3,
    state=AlertState.OPEN,
    brand="Yunfan",
    country="ES",
    country_name="Spain",
    topic="safety",
    team="Care Iberia",
    pilot=False,
    timezone="Europe/Madrid",
    opened_at=BEGAN_AT,
    updated_at=BEGAN_AT + timedelta(hours=11),
    ended_at=None,
    mentions=412,
    authors=180,
    expected=48.2,
    fastest_per_hour=61,
    copies_share=0.31,
    reach=1_204_330,
    because=("412 negative mentions where 48 are usual", "three voices with more than 40,000 followers"),
    curve=curve(),
    first=VOICE,
    influential=(VOICE, replace(VOICE, name="El Diario", handle="eldiario", followers=910_000, influence=0.93)),
    words=("hervidor", "incendio", "humo"),
    complaints=(("safety", 301), ("quality", 64)),
    languages=(("Spanish", 380), ("Catalan", 32)),
    guidance=GUIDANCE,
    progress=Progress(due=(Due("first answer", BEGAN_AT + timedelta(hours=1)),)),
)


def incident(**changes: Any) -> IncidentCard:
    """Return the usual incident with some fields changed."""
    return replace(_INCIDENT, **changes)


def incident_filled_with(text: str) -> IncidentCard:
    """Return an incident that has `text` wherever others, or a file, can put a text."""
    voice = replace(VOICE, name=text, handle=text, text=text, language_name=text, url=text)
    shown = dict.fromkeys(
        ("reference", "brand", "country", "country_name", "topic", "team", "timezone"), text
    )  # fmt: skip
    return incident(
        because=(text,) * 12,
        first=voice,
        influential=(voice,) * 12,
        words=(text,) * 20,
        complaints=((text, 3),) * 12,
        languages=((text, 3),) * 12,
        guidance=filled_with(text).guidance,
        progress=progress_filled_with(text),
        **shown,
    )


def progress_filled_with(text: str) -> Progress:
    """Return the progress of an alert that has `text` wherever others can put one."""
    return Progress(
        owner=text,
        owner_address=text,
        since=BEGAN_AT,
        due=(Due(text, BEGAN_AT), Due(text, BEGAN_AT, missed=True)) * 4,
        snoozed_until=BEGAN_AT,
        replied_at=BEGAN_AT,
        private_at=BEGAN_AT,
        escalated_to=text,
        resolution=text,
        closed_by=text,
        closed_at=BEGAN_AT,
    )
