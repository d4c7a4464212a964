import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from alerts.card import CurvePoint, IncidentCard, Voice, dump_message, load_message
from alerts.incidents import (
    Burst,
    belonging_note,
    duration,
    heat,
    is_material,
    over_note,
    quoted_text,
    reasons,
    reasons_again,
    severity,
    shown_curve,
)
from listener.config.models import Incidents
from listener.model import AlertState
from listener.sentences import Sentence

AT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
SMALL = Burst(authors=8, fastest_per_hour=6, usual_per_hour=0.5, influences=(0.2, 0.1))
CARD = IncidentCard(
    alert_id=7, reference="I-7", severity=2, state=AlertState.OPEN, brand="Acme", country="FR", country_name="France",
    topic="outage", team="Hub", pilot=False, timezone="Europe/Paris", opened_at=AT, updated_at=AT + timedelta(hours=1),
    ended_at=None, mentions=50, authors=40, expected=3.2, fastest_per_hour=30, copies_share=0.2, reach=1000,
    because=(), curve=(), first=None, influential=(), words=(), complaints=(), languages=(), guidance=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("burst", "expected"),
    [
        (SMALL, 1),
        (replace(SMALL, influences=(0.9, 0.5)), 2),
        (Burst(60, 30, 2.0, (0.2, 0.2)), 2),
        (Burst(300, 120, 2.0, (0.3, 0.2)), 3),
        (Burst(80, 40, 0.5, (0.9, 0.8)), 3),
        (Burst(300, 90, 60.0, (0.1,)), 2),
    ],
)
def test_severity_follows_size_speed_and_voices(burst: Burst, expected: int) -> None:
    assert severity(heat(burst).score, Incidents()) == expected


def test_no_part_alone_makes_the_severest() -> None:
    for burst in (Burst(10**6, 1, 1e6, ()), Burst(1, 1e6, 0.1, ()), Burst(1, 1, 100.0, (1.0, 1.0))):
        assert severity(heat(burst).score, Incidents()) < 3


@pytest.mark.parametrize("part", ["authors", "fastest_per_hour", "influences"])
def test_heat_never_falls_when_a_part_grows(part: str) -> None:
    scores = [
        heat(replace(SMALL, **{part: (value / 1000,) if part == "influences" else value})).score
        for value in range(0, 1001, 7)
    ]
    assert scores == sorted(scores)
    assert 0.0 <= scores[0] < scores[-1] <= 1.0


def test_heat_falls_where_more_is_usual() -> None:
    assert heat(replace(SMALL, usual_per_hour=4)).score < heat(SMALL).score


def test_reasons_give_the_figures_and_the_sum() -> None:
    found = heat(SMALL)
    said = reasons(SMALL, found, "outage", 0.83)
    assert said[0] == "83% of what is beyond the usual is about outage"
    assert any("8 different authors" in line for line in said)
    assert any("6 in the fastest hour, about 12 times the usual" in line for line in said)
    assert any(f"heat {found.score:.2f}" in line for line in said)
    assert reasons(SMALL, found, "", 1.0) == said[1:]


def test_reasons_of_a_stored_card_are_sentences_again_where_its_figures_make_the_same_ones() -> None:
    voices = tuple(Voice("A", None, None, one, "", "French", AT, None) for one in SMALL.influences)
    card = replace(
        CARD, authors=SMALL.authors, fastest_per_hour=SMALL.fastest_per_hour, influential=voices, topic_share=0.83,
        usual_per_hour=SMALL.usual_per_hour, because=reasons(SMALL, heat(SMALL), "outage", 0.83),
    )  # fmt: skip
    stored = load_message(dump_message(card))
    assert isinstance(stored, IncidentCard)
    assert reasons_again(stored) == stored.because == card.because
    assert all(isinstance(one, Sentence) for one in reasons_again(stored))
    for other in (
        replace(stored, usual_per_hour=None),
        replace(stored, authors=9),
        replace(stored, fastest_per_hour=math.nan),
    ):
        assert reasons_again(other) is other.because


def test_a_long_curve_is_added_up_and_keeps_its_end() -> None:
    points = [CurvePoint(AT + timedelta(minutes=10 * n), 1, 0.5) for n in range(1003)]
    shown = shown_curve(points)
    assert 130 <= len(shown) <= 150
    assert {point.count for point in shown} == {7}
    assert shown[-1].at == points[-7].at
    assert {later.at - one.at for one, later in pairwise(shown)} == {timedelta(minutes=70)}
    assert shown_curve(points[:20]) == tuple(points[:20])
    assert shown_curve([]) == ()


def voice(url: str) -> Voice:
    return Voice("Ann", "ann", 10, 0.5, "text", "French", AT, url)


@pytest.mark.parametrize(
    ("minutes", "changes", "expected"),
    [
        (2, {"authors": 400}, False),
        (3, {"authors": 43}, False),
        (3, {"authors": 44}, True),
        (3, {"influential": (voice("b"),)}, True),
        (14, {"mentions": 51}, False),
        (15, {"mentions": 51}, True),
        (600, {}, False),
    ],
)
def test_a_card_is_shown_anew_only_with_news(minutes: int, changes: dict[str, object], expected: bool) -> None:
    before = replace(CARD, influential=(voice("a"),))
    after = replace(before, updated_at=before.updated_at + timedelta(minutes=minutes), **changes)
    assert is_material(before, after) is expected


def test_the_end_is_told_with_duration_and_totals() -> None:
    note = over_note(replace(CARD, ended_at=AT + timedelta(hours=3, minutes=20)))
    assert note.title == "The burst is over after 3 h 20 min"
    assert "50 negative mentions by 40 authors" in note.text
    assert "stays open" in note.text


def test_alerts_that_belong_to_it_are_named_up_to_ten() -> None:
    assert belonging_note(["A-1"]).title == "1 open alert belongs to this"
    many = belonging_note([f"A-{number}" for number in range(14)])
    assert many.title == "14 open alerts belong to this"
    assert "A-9 and 4 more" in many.text
    assert "A-10" not in many.text


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min"), (59, "59 min"), (60, "1 h"), (61, "1 h 1 min"), (1440, "1 d"), (3000, "2 d 2 h")],
)
def test_durations_are_written_as_people_say_them(minutes: int, words: str) -> None:
    assert duration(timedelta(minutes=minutes)) == words


def test_a_quoted_post_is_one_clean_line() -> None:
    assert quoted_text("a\n\n‮b‬\x1b[31m c" + "x" * 900)[:6] == "a b cx"
    assert len(quoted_text("y" * 900)) == 500
