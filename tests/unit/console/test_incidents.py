import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from alerts.card import CurvePoint, IncidentCard
from alerts.incidents import Burst, heat, reasons
from listener.console.curves import HEIGHT, WIDTH, curve_of
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import HOSTILE, DeskRoom
from tests.messages import VOICE, incident

BEGAN = datetime(2026, 11, 16, 6, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def _points(*counts: float) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(BEGAN + timedelta(hours=hour), count, 2.0) for hour, count in enumerate(counts))


def test_bars_stand_for_what_was_counted() -> None:
    curve = curve_of(incident(curve=_points(0, 10, 20), opened_at=BEGAN + timedelta(hours=1), ended_at=None))
    assert curve is not None
    assert [bar.is_burst for bar in curve.bars] == [False, True, True]
    assert curve.bars[2].height == pytest.approx(2 * curve.bars[1].height, rel=0.01)
    assert curve.bars[0].height == 0
    assert all(bar.y + bar.height == pytest.approx(HEIGHT) for bar in curve.bars)
    assert curve.bars[-1].x + curve.bars[-1].width <= WIDTH
    assert (curve.highest.count, curve.until) == (20, BEGAN + timedelta(hours=3))
    assert len(curve.marks) == 1


def test_a_long_curve_is_drawn_with_neighbours_added_up() -> None:
    curve = curve_of(incident(curve=_points(*range(1_000)), opened_at=BEGAN, ended_at=None))
    assert curve is not None
    assert len(curve.bars) <= 240
    assert len(curve.rows) <= 48
    assert sum(row.count for row in curve.rows) == sum(range(1_000))


@pytest.mark.parametrize("counts", [(), (float("nan"),), (float("inf"),)])
def test_nothing_is_drawn_of_nothing(counts: tuple[float, ...]) -> None:
    assert curve_of(incident(curve=_points(*counts))) is None


def test_one_point_is_drawn() -> None:
    curve = curve_of(incident(curve=_points(3), opened_at=BEGAN, ended_at=BEGAN + timedelta(minutes=30)))
    assert curve is not None
    assert len(curve.bars) == 1
    assert len(curve.marks) == 2


def test_incidents_are_listed_with_their_size_and_whether_they_last(desk: DeskRoom) -> None:
    lasting = desk.burst()
    over = desk.burst(topic="delivery", ended_at=desk.room.clock.now())
    page = desk.room.client().get("/incidents").text
    assert f'href="/incidents/{lasting}"' in page
    assert f'href="/incidents/{over}"' in page
    assert "340 negative posts by 120 authors" in page
    assert "going on" in page
    only = desk.room.client().get("/incidents?state=over").text
    assert f'href="/incidents/{lasting}"' not in only
    assert f'href="/incidents/{over}"' in only


def test_only_countries_that_the_visitor_sees_are_listed_and_opened(desk: DeskRoom) -> None:
    there = desk.burst(country="JP")
    browser = desk.room.client("admin", ["FR"])
    assert f"/incidents/{there}" not in browser.get("/incidents?country=JP").text
    assert browser.get(f"/incidents/{there}").status_code == 404


def test_one_incident_has_its_curve_as_a_drawing_in_words_and_as_a_table(desk: DeskRoom) -> None:
    number = desk.burst()
    page = desk.room.client(timezone="Europe/Paris").get(f"/incidents/{number}").text
    drawing = re.search(r'<svg viewBox="0 0 1000 240".*?</svg>', page, re.DOTALL)[0]  # type: ignore[index]
    shapes = ElementTree.fromstring(drawing)
    assert len(shapes.findall("rect")) == 10
    assert not re.search(r"\sstyle=", drawing)
    assert "at most 96 negative posts in 1\u00a0h, where 2.5 would be usual" in page
    assert "still lasts" in page
    assert page.count('<td class="number">') >= 20
    assert "Who speaks" in page
    assert "أخبار" in page


def test_why_it_is_one_is_told_in_the_visitors_language(desk: DeskRoom) -> None:
    voices = tuple(replace(VOICE, influence=one) for one in (0.9, 0.7))
    burst = Burst(1_400, 96.0, 3.2, [voice.influence for voice in voices])
    number = desk.burst(
        authors=1_400, fastest_per_hour=96.0, usual_per_hour=3.2, topic_share=0.63, influential=voices,
        because=reasons(burst, heat(burst), "outage", 0.63),
    )  # fmt: skip
    pages = [desk.room.client(language=one).get(f"/incidents/{number}").text for one in ("en", "fr")]
    for words in (
        "63% of what is beyond the usual is about outage",
        "1,400 different authors",
        "96 in the fastest hour, about 30 times the usual (speed",
        "the most influential voice has 0.90 (influence",
        "× size",
        "Spanish",
    ):
        assert words in pages[0], words
        assert words not in pages[1], words
    assert "Espagnol" in pages[1]
    assert "0.90" in pages[1]


def test_a_card_without_the_figures_of_its_reasons_shows_them_as_they_are_stored(desk: DeskRoom) -> None:
    page = desk.room.client(language="fr").get(f"/incidents/{desk.burst()}").text
    assert "31 times what is usual at this hour" in page


def test_it_is_acted_on_as_an_alert_and_the_page_stays_the_incidents(desk: DeskRoom) -> None:
    number = desk.burst()
    browser = desk.room.client("community-manager", full_name="Ravi Rao")
    page = browser.get(f"/incidents/{number}").text
    assert "Not a complaint" not in page
    assert f'action="/alerts/{number}/claim"' in page
    answer = browser.post(f"/alerts/{number}/claim", {"press": "p", "next": f"/incidents/{number}"})
    assert answer.headers["location"] == f"/incidents/{number}"
    assert f"I-{number} is yours." in browser.follow(answer).text
    assert desk.alert(number).owner == "Ravi Rao"


def test_a_form_cannot_send_the_browser_elsewhere(desk: DeskRoom) -> None:
    number = desk.burst()
    browser = desk.room.client("community-manager")
    answer = browser.post(f"/alerts/{number}/claim", {"press": "p", "next": "https://evil.example/"})
    assert answer.headers["location"] == "/"


def test_an_alerts_address_of_an_incident_leads_to_its_page(desk: DeskRoom) -> None:
    number = desk.burst()
    assert desk.room.client().get(f"/alerts/{number}").headers["location"] == f"/incidents/{number}"
    assert f'href="/incidents/{number}"' in desk.room.client().get("/alerts").text
    assert "340 negative posts" in desk.room.client().get("/alerts").text


@pytest.mark.parametrize("address", ["/incidents/I-{}", "/incidents/i-{}", "/alerts/I-{}"])
def test_an_incidents_name_is_an_address(desk: DeskRoom, address: str) -> None:
    number = desk.burst()
    assert desk.room.client().get(address.format(number)).headers["location"] == f"/incidents/{number}"


def test_one_that_ended_without_a_last_look_at_its_card_is_told_as_over_everywhere(desk: DeskRoom) -> None:
    number = desk.burst()
    with desk.store.incidents.transaction() as transaction:  # as the end of a drill does
        transaction.update_incident(number, ended_at=desk.room.clock.now() - timedelta(hours=2))
    page = desk.room.client(timezone="Europe/Paris").get(f"/incidents/{number}").text
    assert "over since 16 Nov 2026, 08:00" in page
    assert "was over 16 Nov 2026, 08:00" in page
    assert "still lasts" not in page
    with desk.store.alerts.snapshot() as snapshot:
        card = desk.room.office.announcer.look(snapshot, desk.alert(number), desk.room.clock.now())
    assert isinstance(card, IncidentCard)
    assert card.ended_at is not None


def test_alerts_of_its_span_and_their_posts_stand_on_its_page(desk: DeskRoom) -> None:
    number = desk.burst(topic="delivery")
    alert = desk.complain()
    assert desk.alert(alert.id).incident_id == number
    page = desk.room.client().get(f"/incidents/{number}").text
    assert f'href="/alerts/{alert.id}"' in page
    assert "lost my parcel" in page
    assert f'href="/incidents/{number}"' in desk.room.client().get(f"/alerts/{alert.id}").text


def test_hostile_texts_stay_texts(desk: DeskRoom) -> None:
    voice = type(VOICE)(HOSTILE, HOSTILE, 3, 0.4, HOSTILE, HOSTILE, BEGAN, "javascript:alert(1)")
    number = desk.burst(
        first=voice, influential=(voice,), words=(HOSTILE,), because=(HOSTILE,), complaints=((HOSTILE, 3),),
        languages=((HOSTILE, 2),),
    )  # fmt: skip
    for path in ("/incidents", f"/incidents/{number}", "/alerts"):
        page = desk.room.client("admin").get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert "\u202e" not in page


def test_a_stored_card_that_cannot_be_read_breaks_no_page(desk: DeskRoom) -> None:
    number = desk.burst()
    with desk.store.withdrawals.transaction() as transaction:
        transaction.set_facts(number, "{")
    browser = desk.room.client("community-manager")
    assert browser.get("/incidents").status_code == 200
    assert "Nothing was counted yet" in browser.get(f"/incidents/{number}").text
    assert browser.get("/alerts").status_code == 200


@pytest.mark.parametrize("language", ["fr", "de", "es", "ru", "zh-Hans"])
def test_pages_open_in_every_language(desk: DeskRoom, language: str) -> None:
    number = desk.burst()
    browser = desk.room.client("admin", language=language)
    for path in ("/incidents", f"/incidents/{number}"):
        assert browser.get(path).status_code == 200
