"""Incidents, notes and summaries for tests, beside the alert cards of `tests.cards`."""

import base64
import math
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from alerts.card import (
    CurvePoint,
    DigestFile,
    DigestImage,
    DigestMessage,
    DigestTile,
    DigestWords,
    Due,
    Entry,
    IncidentCard,
    Note,
    Progress,
    Summary,
    Voice,
)
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


def png(shade: int, side: int = 8) -> bytes:
    """Return a small square picture in one shade of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * side) * side
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def in_base64(content: bytes) -> str:
    """Return bytes as messages carry them."""
    return base64.b64encode(content).decode()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
_DIGEST = DigestMessage(
    title="Notre semaine 46",
    week="2026-W46",
    language="fr-FR",
    subtitle="France, Russie \u00b7 du 9 au 15 novembre 2026",
    summary=(
        "Les plaintes ont augment\u00e9 de 31 %, surtout en France.",
        "Premi\u00e8re cause\u202f: \u00ab\u202fla livraison n\u2019arrive pas\u202f\u00bb (212 posts).",
    ),
    tiles=(
        DigestTile("Mentions", "1\u202f204", "\u25b2 12 % sur quatre semaines"),
        DigestTile("Taux de r\u00e9ponse", "78 %", "91 r\u00e9ponses sur 117"),
        DigestTile("Part des plaintes", "trop peu", ""),
    ),
    images=(
        DigestImage("days", in_base64(png(40)), "Plaintes par jour : 31 le mardi, le plus."),
        DigestImage("causes", in_base64(png(90)), "Causes : livraison 212, remboursement 87."),
        DigestImage("voice", in_base64(png(140)), "Part de voix : Yunfan 41 %."),
    ),
    slack_pictures=("causes", "days"),
    html='<!DOCTYPE html><html lang="fr"><head><title>x</title></head><body><h1>Notre semaine 46</h1>'
    "<div>Les plaintes ont augment\u00e9 de 31 %, surtout en France.</div><div>Mentions 1\u202f204</div>"
    '<img src="cid:days" alt="d"><img src="cid:voice" alt="v"><div>Taux de r\u00e9ponse 78 %</div></body></html>',
    text="Notre semaine 46\n\n  Les plaintes ont augment\u00e9 de 31 %, surtout en France.\n  Mentions 1\u202f204\n"
    "  Taux de r\u00e9ponse 78 %\n",
    pdf=in_base64(PDF),
    file_name="digest-board-2026-W46-fr.pdf",
    url="https://desk.yunfan.example/digests/2026-W46.html",
    command="listener digest --week 2026-W46 --reader board",
    words=DigestWords(
        "Ouvrir le bilan", "Tout", "Il manque des graphiques ici.", "Le PDF est trop grand pour un mail.",
        "Le PDF n\u2019a pas pu \u00eatre d\u00e9pos\u00e9 ici.",
    ),
)  # fmt: skip


def digest(**changes: Any) -> DigestMessage:
    """Return the usual digest with some fields changed."""
    return replace(_DIGEST, **changes)


def digest_file(**changes: Any) -> DigestFile:
    """Return the usual digest's PDF with some fields changed."""
    words = _DIGEST.words.without_file
    usual = DigestFile("Notre semaine 46", _DIGEST.file_name, "application/pdf", in_base64(PDF), without_file=words)
    return replace(usual, **changes)


def digest_filled_with(text: str) -> DigestMessage:
    """Return a digest that has `text` wherever others, or a file, can put a text."""
    image = DigestImage("days", in_base64(png(40)), text)
    return digest(
        title=text,
        subtitle=text,
        summary=(text,) * 12,
        tiles=(DigestTile(text, text, text),) * 30,
        images=(image, DigestImage(text, text, text)),
        slack_pictures=("days", text),
        html=f"<body><div>{escape(text)}</div><img src='cid:days' alt=''></body>",
        text=text,
        file_name=text,
        url=text,
        command=text,
        words=DigestWords(text, text, text, text, text),
    )


def digest_file_filled_with(text: str) -> DigestFile:
    """Return a digest's file that has `text` wherever others can put one, and can be shared nowhere."""
    return DigestFile(text, text, text, text, text, text)
