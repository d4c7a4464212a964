"""Which playbook an incident is given, and the way to the team's own page of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts.card import Card, load_message
from listener.store import schema
from listener.store.engine import reading
from tests.flow.buzz import NOW, URGENT, Buzz, Post, open_buzz, with_past

HOUR = timedelta(hours=1)
LINKS = """playbook:
    links:
      crisis: https://wiki.example/crisis
      mass-outage: https://wiki.example/outage
      outage: https://wiki.example/outage"""
BELGIUM = '{playbook: {links: {outage: "https://wiki.example/be/panne"}}}'


@pytest.fixture
def buzz(tmp_path: Path) -> Iterator[Buzz]:
    opened = with_past(open_buzz(tmp_path, f"sqlite:///{tmp_path}/b.db", defaults=LINKS, belgium=BELGIUM))
    yield opened
    opened.store.close()


def shown(buzz: Buzz) -> tuple[str, str | None]:
    """Return the playbook on the only incident's card, and where its button leads."""
    (incident,) = buzz.incidents
    guidance = buzz.card(incident).guidance
    assert guidance is not None
    assert buzz.alert(incident).playbook == guidance.playbook
    return guidance.playbook, guidance.url


def test_a_small_burst_keeps_its_topics_playbook_and_a_severe_one_is_a_crisis(buzz: Buzz) -> None:
    buzz.live(buzz.burst(NOW, 1, 9), NOW + HOUR)
    assert buzz.alert(buzz.incidents[0]).severity == 1
    assert shown(buzz) == ("mass-outage", "https://wiki.example/outage")
    stars = [
        Post(NOW + HOUR, f"acme en panne, honteux {number}", f"star{number}", "outage", followers=2_000_000)
        for number in range(3)
    ]
    buzz.live([*stars, *buzz.burst(NOW + HOUR, 2, 120)], NOW + 3 * HOUR)
    assert buzz.alert(buzz.incidents[0]).severity == 3
    assert shown(buzz) == ("crisis", "https://wiki.example/crisis")
    card = buzz.card(buzz.incidents[0])
    assert card.guidance is not None
    assert [draft.variant.rsplit("/", 1)[0] for draft in card.guidance.drafts] == ["crisis/fr"] * 3
    buzz.live([], NOW + 8 * HOUR)
    assert buzz.incidents[0].ended_at is not None
    assert shown(buzz) == ("crisis", "https://wiki.example/crisis")


def test_a_burst_of_no_one_topic_is_a_crisis_however_small(buzz: Buzz) -> None:
    topics = ("delivery", "billing", "quality", "staff", "account", "outage")
    posts = [
        post
        for number, topic in enumerate(topics)
        for post in buzz.burst(NOW + number * timedelta(minutes=2), 1, 3, topic)
    ]
    buzz.live(posts, NOW + 2 * HOUR)
    (incident,) = buzz.incidents
    assert (incident.topic, buzz.alert(incident).severity) == ("", 1)
    assert shown(buzz) == ("crisis", "https://wiki.example/crisis")


def test_a_single_post_leads_to_its_own_countrys_page(buzz: Buzz) -> None:
    buzz.feed([Post(NOW, "acme en panne !", "a", "outage", "FR", classification=URGENT)])
    buzz.feed([Post(NOW, "panne acme à Liège", "b", "outage", "BE", classification=URGENT)])
    buzz.feed([Post(NOW, "acme, où est mon colis ?", "c", "delivery", "BE", classification=URGENT)])
    with reading(buzz.store.incidents._engine) as connection:
        rows = connection.execute(select(schema.notifications).order_by(schema.notifications.c.id)).all()
    cards = [card for row in rows if isinstance(card := load_message(row.payload), Card)]
    assert [card.guidance and (card.guidance.playbook, card.guidance.url) for card in cards] == [
        ("outage", "https://wiki.example/outage"),
        ("outage", "https://wiki.example/be/panne"),
        ("late-delivery", None),
    ]
