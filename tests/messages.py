"""Incidents, notes and summaries for tests, beside the alert cards of `tests.cards`."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.card import CurvePoint, Due, Entry, IncidentCard, Note, Progress, Summary, Voice
from listener.model import AlertState
from tests.cards import GUIDANCE, filled_with

BEGAN_AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
_COUNTS = (2.0, 3.0, 1.0, 4.0, 2.0, 9.0, 31.0, 58.0, 96.0, 71.0)
VOICE = Voice("Marta", "marta_viaja", 1_200, 0.3, "Otro retraso más.", "Spanish", BEGAN_AT, "https://x.com/m/status/1")
_INCIDENT = IncidentCard(
    alert_id=3,
    reference="I-3",
    severity=3,
    state=AlertState.OPEN,
    brand="Yunfan",
    country="ES",
    country_name="Spain",
    topic="delivery",
    team="Care Iberia",
    pilot=False,
    timezone="Europe/Madrid",
    opened_at=BEGAN_AT,
    updated_at=BEGAN_AT + timedelta(hours=4),
    ended_at=None,
    mentions=340,
    authors=120,
    expected=12.3,
    fastest_per_hour=96.0,
    copies_share=0.34,
    reach=1_200_000,
    because=("31 times what is usual at this hour", "a speaker with 900,000 followers"),
    curve=tuple(CurvePoint(BEGAN_AT + timedelta(hours=at - 5), count, 2.5) for at, count in enumerate(_COUNTS)),
    first=VOICE,
    influential=(
        Voice("أخبار", "akhbar", 900_000, 0.9, "شكاوى كثيرة", "Arabic", BEGAN_AT, "https://x.com/a/status/2"),
        Voice("Diario", None, None, 0.7, "", "Spanish", BEGAN_AT, None),
    ),
    words=("retraso", "estafa"),
    complaints=(("late delivery", 212), ("no answer", 87)),
    languages=(("Spanish", 300), ("Arabic", 40)),
    guidance=GUIDANCE,
    progress=Progress(due=(Due("first answer", BEGAN_AT + timedelta(hours=1)),)),
)


def curve(hours: int = 48, *, burst_from: int = 36, top: float = 60.0) -> tuple[CurvePoint, ...]:
    """Return a quiet day and a half with a daily rhythm, and then a burst."""
    start = BEGAN_AT - timedelta(hours=burst_from)
    points = []
    for hour in range(hours):
        usual = 4.0 * (1 + 0.6 * math.sin(hour / 24 * math.tau))
        more = top * math.exp(-(((hour - burst_from - 5) / 4) ** 2)) if hour >= burst_from else 0.0
        points.append(CurvePoint(start + timedelta(hours=hour), round(usual + more), usual))
    return tuple(points)


def incident(**changes: Any) -> IncidentCard:
    """Return the usual incident with some fields changed."""
    return replace(_INCIDENT, **changes)


def note(**changes: Any) -> Note:
    """Return a note of an alert's thread with some fields changed."""
    usual = Note("A further mention", "Severity is 3 now.", "mention", "A-12", quote="¿Hola? ¿Alguien?")
    return replace(usual, **changes)


def summary(**changes: Any) -> Summary:
    """Return a summary of two alerts with some fields changed."""
    entries = (Entry(1, "A-1", 3, "Marta Ruiz · Spain · delivery"), Entry(2, "A-2", 1, "علي · Spain · refund"))
    return replace(Summary("Overnight in Spain", "2 alerts came while the team was away.", entries), **changes)


def incident_filled_with(text: str) -> IncidentCard:
    """Return an incident that has `text` wherever others, or a file, can put a text."""
    voice = Voice(text, text, 1, 0.5, text, text, BEGAN_AT, text)
    names = ("reference", "brand", "country", "country_name", "topic", "team", "timezone")
    return incident(
        because=(text,) * 12,
        first=voice,
        influential=(voice,) * 12,
        words=(text,) * 30,
        complaints=((text, 1),) * 12,
        languages=((text, 1),) * 12,
        guidance=filled_with(text).guidance,
        progress=progress_filled_with(text),
        **dict.fromkeys(names, text),
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


def note_filled_with(text: str) -> Note:
    """Return a note that has `text` wherever others can put a text."""
    return Note(text, text, "mention", text, (text,), text, text)


def summary_filled_with(text: str) -> Summary:
    """Return a summary that has `text` wherever others can put a text."""
    return Summary(text, text, tuple(Entry(at, text, 2, text) for at in range(70)))
