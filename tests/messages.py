"""Incidents, notes and summaries for tests, beside the alert cards of `tests.cards`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.card import CurvePoint, Entry, IncidentCard, Note, Progress, Summary, Voice
from listener.model import AlertState
from tests.cards import GUIDANCE, filled_with

BEGAN = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
_COUNTS = (2.0, 3.0, 1.0, 4.0, 2.0, 9.0, 31.0, 58.0, 96.0, 71.0)
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
    opened_at=BEGAN,
    updated_at=BEGAN + timedelta(hours=4),
    ended_at=None,
    mentions=340,
    authors=120,
    expected=12.3,
    fastest_per_hour=96.0,
    copies_share=0.34,
    reach=1_200_000,
    because=("31 times what is usual at this hour", "a speaker with 900,000 followers"),
    curve=tuple(CurvePoint(BEGAN + timedelta(hours=at - 5), count, 2.5) for at, count in enumerate(_COUNTS)),
    first=Voice("Marta", "marta_viaja", 1_200, 0.3, "Otro retraso más.", "Spanish", BEGAN, "https://x.com/m/status/1"),
    influential=(
        Voice("أخبار", "akhbar", 900_000, 0.9, "شكاوى كثيرة", "Arabic", BEGAN, "https://x.com/a/status/2"),
        Voice("Diario", None, None, 0.7, "", "Spanish", BEGAN, None),
    ),
    words=("retraso", "estafa"),
    complaints=(("late delivery", 212), ("no answer", 87)),
    languages=(("Spanish", 300), ("Arabic", 40)),
    guidance=GUIDANCE,
)


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
    voice = Voice(text, text, 1, 0.5, text, text, BEGAN, text)
    names = ("reference", "brand", "country", "country_name", "topic", "team", "timezone")
    return incident(
        because=(text,) * 9,
        first=voice,
        influential=(voice,) * 9,
        words=(text,) * 30,
        complaints=((text, 1),) * 9,
        languages=((text, 1),) * 9,
        guidance=filled_with(text).guidance,
        progress=Progress(owner=text, escalated_to=text, resolution=text, closed_by=text),
        **dict.fromkeys(names, text),
    )


def note_filled_with(text: str) -> Note:
    """Return a note that has `text` wherever others can put a text."""
    return Note(text, text, "mention", text, (text,), text, text)


def summary_filled_with(text: str) -> Summary:
    """Return a summary that has `text` wherever others can put a text."""
    return Summary(text, text, tuple(Entry(at, text, 2, text) for at in range(70)))
