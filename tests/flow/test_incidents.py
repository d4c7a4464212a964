"""Bursts of negative mentions in a real store: found, shown, followed, ended."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from alerts.card import IncidentCard
from alerts.incidents import reasons_again
from listener.model import AlertState
from listener.sentences import Sentence
from listener.store import schema
from listener.store.engine import reading
from tests.databases import new_database
from tests.flow.buzz import NOW, TICK, URGENT, Buzz, Post, open_buzz, with_past

Open = Callable[..., Buzz]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def past_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    with_past(open_buzz(folder, f"sqlite:///{folder}/past.db")).store.close()
    return folder / "past.db"


@pytest.fixture(scope="module")
def past_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> str:
    url = new_database(postgres_url, kept=True)
    with_past(open_buzz(tmp_path_factory.mktemp("past"), url)).store.close()
    return url


@pytest.fixture
def on_sqlite(tmp_path: Path, past_sqlite: Path) -> Iterator[Open]:
    """Opens a world with a past, on SQLite."""
    opened: list[Buzz] = []

    def open_one(**options: Any) -> Buzz:
        shutil.copy(past_sqlite, tmp_path / "listener.db")
        opened.append(_continued(open_buzz(tmp_path, f"sqlite:///{tmp_path}/listener.db", **options)))
        return opened[-1]

    yield open_one
    for one in opened:
        one.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def buzz(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Buzz]:
    """A world with a past, on both databases."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("past_sqlite"), tmp_path / "listener.db")
        url = f"sqlite:///{tmp_path}/listener.db"
    else:
        template = make_url(request.getfixturevalue("past_postgres")).database
        url = new_database(request.getfixturevalue("postgres_url"), template=template)
    opened = _continued(open_buzz(tmp_path, url))
    yield opened
    opened.store.close()


def _continued(buzz: Buzz) -> Buzz:
    buzz.made = 100_000  # the past has taken the names before
    return buzz


def test_a_burst_is_found_within_two_hours_followed_and_over(buzz: Buzz) -> None:
    loud = Post(NOW + HOUR, "Panne acme, paiement refusé, on en parle ce soir", "tele", "outage", followers=900_000)
    burst = [*buzz.burst(NOW, 4, 30), loud]
    buzz.live(
        [*buzz.ordinary(NOW, NOW + 2 * HOUR), *(post for post in burst if post.at < NOW + 2 * HOUR)], NOW + 2 * HOUR
    )
    (incident,) = buzz.incidents
    assert (incident.brand, incident.country, incident.topic, incident.ended_at) == ("acme", "FR", "outage", None)
    assert abs(incident.began_at - NOW) <= 2 * TICK
    early = buzz.card(incident)
    assert early.influential[0].name == "Name tele"
    assert early.first is not None
    assert early.first.posted_at <= NOW + TICK
    assert {"panne", "paiement"} <= set(early.words)
    assert not {"acme", "est", "le", "service"} & set(early.words)

    rest = [post for post in burst if post.at >= NOW + 2 * HOUR]
    buzz.live([*rest, *buzz.ordinary(NOW + 2 * HOUR, NOW + 10 * HOUR)], NOW + 10 * HOUR)
    (incident,) = buzz.incidents
    card, alert = buzz.card(incident), buzz.alert(incident)
    assert incident.ended_at == card.ended_at
    assert incident.ended_at is not None
    assert NOW + 4 * HOUR <= incident.ended_at <= NOW + 7 * HOUR
    assert alert.state is AlertState.OPEN
    assert card.authors == card.mentions == 121
    assert card.fastest_per_hour in (30, 31, 32)
    assert card.expected < 10
    assert all(isinstance(one, Sentence) for one in reasons_again(card))
    assert card.reach == 900_000 + 120 * 80
    assert card.complaints[0] == ("outage", 121)
    assert card.languages == (("French", 121),)
    assert sum(point.count for point in card.curve if point.at >= incident.began_at) == 121
    assert len(card.curve) <= 150
    assert card.guidance is not None
    assert card.guidance.playbook == alert.playbook == "crisis"
    assert card.guidance.steps
    assert (alert.kind, alert.topic, alert.mentions, alert.match_id) == ("incident", "outage", 121, None)
    assert alert.severity == card.severity >= 2
    assert alert.respond_by is not None
    assert buzz.history(incident)[0] == "opened"
    assert buzz.history(incident)[-1] == "over"
    assert any(title.startswith("The burst is over after") for title in buzz.notes(incident))
    assert [receiver for receiver, _ in buzz.sent(incident, "alert")] == ["desk"]


def test_weeks_of_ordinary_complaints_raise_nothing(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live(buzz.ordinary(NOW, NOW + 48 * HOUR), NOW + 48 * HOUR, timedelta(minutes=30))
    assert buzz.incidents == []


def test_a_storm_of_copies_is_no_crowd_of_voices(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    text = "Ne payez plus rien chez acme, partagez au maximum"
    storm = [
        Post(NOW + timedelta(minutes=number), text, f"bot{number}", "outage", copy_of=text if number else None)
        for number in range(110)
    ]
    buzz.live(storm, NOW + 2 * HOUR)
    assert buzz.incidents == []
    buzz.live([*buzz.burst(NOW + 2 * HOUR, 1, 30)], NOW + 3 * HOUR)
    (incident,) = buzz.incidents
    assert buzz.card(incident).authors <= 31


def test_copies_have_their_share_on_the_card(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    text = "Panne acme partout, paiement refusé, partagez"
    copies = [
        Post(
            NOW + timedelta(minutes=20, seconds=number), text, f"c{number}", "outage", copy_of=text if number else None
        )
        for number in range(21)
    ]
    buzz.live([*buzz.burst(NOW, 1, 19), *copies], NOW + HOUR)
    (incident,) = buzz.incidents
    buzz.live([], NOW + 5 * HOUR)
    card = buzz.card(buzz.incidents[0])
    assert (card.mentions, card.authors, card.copies_share) == (40, 20, 0.5)
    assert buzz.alert(incident).copies == 20


def test_one_person_who_writes_a_lot_is_no_burst(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live(
        [Post(NOW + timedelta(minutes=n), f"panne acme {n}", "angry", "outage") for n in range(120)], NOW + 2 * HOUR
    )
    assert buzz.incidents == []


def test_catching_up_after_hours_is_no_burst(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live([], NOW + TICK)
    missed = buzz.ordinary(NOW + TICK, NOW + 20 * HOUR)
    buzz.clock.advance(20 * 3600 - 600)
    buzz.restart()
    buzz.step.run()
    buzz.feed(missed)
    buzz.live([], NOW + 21 * HOUR)
    assert buzz.incidents == []


def test_a_burst_during_the_downtime_is_told_when_it_is_read(buzz: Buzz) -> None:
    buzz.live([], NOW + TICK)
    missed = [*buzz.ordinary(NOW + TICK, NOW + 12 * HOUR), *buzz.burst(NOW + 3 * HOUR, 2, 25)]
    buzz.clock.advance(12 * 3600 - 600)
    buzz.restart()
    buzz.step.run()
    assert buzz.incidents == []
    for start in range(0, len(missed), 30):  # page by page, the step running in between
        buzz.feed(sorted(missed, key=lambda post: post.at)[start : start + 30])
        buzz.step.run()
    buzz.live([], NOW + 13 * HOUR)
    (incident,) = buzz.incidents
    assert abs(incident.began_at - (NOW + 3 * HOUR)) <= 2 * TICK
    assert incident.ended_at is not None
    assert NOW + 5 * HOUR <= incident.ended_at <= NOW + 8 * HOUR
    assert buzz.card(incident).authors == 50


def test_a_burst_is_not_called_over_while_the_daemon_has_yet_to_catch_up(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    burst = buzz.burst(NOW, 8, 20)
    buzz.live([post for post in burst if post.at < NOW + 2 * HOUR], NOW + 2 * HOUR)
    buzz.clock.advance(5 * 3600)
    buzz.restart()
    buzz.step.run()
    (incident,) = buzz.incidents
    assert incident.ended_at is None  # five hours of silence, but nobody has listened
    buzz.feed([post for post in burst if NOW + 2 * HOUR <= post.at < buzz.clock.now()])
    buzz.live([post for post in burst if post.at >= NOW + 7 * HOUR], NOW + 8 * HOUR)
    (incident,) = buzz.incidents
    assert incident.ended_at is None


def test_a_restart_goes_on_with_the_same_incident(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    burst = buzz.burst(NOW, 4, 20)
    buzz.live([post for post in burst if post.at < NOW + 2 * HOUR], NOW + 2 * HOUR)
    (before,) = buzz.incidents
    mentions = buzz.card(before).mentions
    buzz.restart()
    buzz.live([post for post in burst if post.at >= NOW + 2 * HOUR], NOW + 4 * HOUR)
    (after,) = buzz.incidents
    assert after.alert_id == before.alert_id
    assert after.ended_at is None
    assert buzz.card(after).mentions > mentions
    buzz.restart()
    buzz.live([], NOW + 9 * HOUR)
    buzz.restart()
    buzz.live([], NOW + 10 * HOUR)
    (ended,) = buzz.incidents
    assert ended.ended_at is not None
    assert buzz.history(ended).count("over") == 1


def test_countries_have_incidents_of_their_own(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    posts = [*buzz.burst(NOW, 2, 20), *buzz.burst(NOW, 2, 20, "billing", "BE"), *buzz.ordinary(NOW, NOW + 2 * HOUR)]
    buzz.live(posts, NOW + 2 * HOUR)
    assert sorted((row.country, row.topic) for row in buzz.incidents) == [("BE", "billing"), ("FR", "outage")]
    french = next(row for row in buzz.incidents if row.country == "FR")
    assert all(voice.text.count("acme") for voice in buzz.card(french).influential)
    assert buzz.card(french).mentions <= 40


def test_anger_about_everything_has_no_topic(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    posts = [post for topic in ("outage", "staff", "price", "safety") for post in buzz.burst(NOW, 2, 9, topic)]
    buzz.live(posts, NOW + 3 * HOUR)
    (incident,) = buzz.incidents
    assert incident.topic == ""
    assert {topic for topic, _ in buzz.card(incident).complaints} == {"outage", "staff", "price", "safety"}


def test_what_the_model_misreads_of_a_burst_makes_no_second_incident(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live([*buzz.burst(NOW, 3, 40), *buzz.burst(NOW + HOUR, 2, 10, "account")], NOW + 3 * HOUR)
    assert [row.topic for row in buzz.incidents] == ["outage"]


def test_a_second_trouble_beside_the_first_is_an_incident_too(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live([*buzz.burst(NOW, 5, 15), *buzz.burst(NOW + 2 * HOUR, 3, 30, "safety")], NOW + 5 * HOUR)
    assert [row.topic for row in buzz.incidents] == ["outage", "safety"]


def test_another_burst_the_next_day_is_another_incident(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    posts = [*buzz.burst(NOW, 2, 20), *buzz.burst(NOW + 24 * HOUR, 2, 20), *buzz.ordinary(NOW, NOW + 27 * HOUR)]
    buzz.live(posts, NOW + 27 * HOUR)
    first, second = buzz.incidents
    assert first.ended_at is not None
    assert second.began_at > first.ended_at
    assert "resolved" not in buzz.history(first)


def test_alerts_of_the_burst_belong_to_it_and_others_do_not(buzz: Buzz) -> None:
    early = Post(NOW + TICK, "Panne acme, ma mère est bloquée", "early", "outage", classification=URGENT)
    other = Post(NOW + TICK, "Colis acme en miettes, je suis blessé", "other", "delivery", classification=URGENT)
    late = Post(NOW + 2 * HOUR, "Panne acme, je suis bloqué au péage", "late", "outage", classification=URGENT)
    buzz.live([early, other, late, *buzz.burst(NOW, 3, 20)], NOW + 3 * HOUR)
    (incident,) = buzz.incidents
    alerts = {alert.match_id: alert for alert in buzz.store.alerts.alerts() if alert.kind == "post"}
    assert len(alerts) == 3
    inside = [alert.topic for alert in alerts.values() if alert.incident_id == incident.alert_id]
    assert inside == ["outage", "outage"]
    assert next(alert for alert in alerts.values() if alert.topic == "delivery").incident_id is None
    notes = [note for _, note in buzz.sent(incident, "note")]
    first = min(alert.id for alert in alerts.values() if alert.topic == "outage")
    assert any(f"A-{first}" in getattr(note, "text", "") for note in notes)


def test_severity_rises_with_the_voices_and_is_told(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live(buzz.burst(NOW, 1, 9), NOW + HOUR)
    (incident,) = buzz.incidents
    assert buzz.alert(incident).severity == 1
    before = buzz.alert(incident).respond_by
    stars = [
        Post(
            NOW + HOUR + timedelta(minutes=n), f"acme en panne, honteux {n}", f"star{n}", "outage", followers=2_000_000
        )
        for n in range(3)
    ]
    buzz.live([*stars, *buzz.burst(NOW + HOUR, 2, 120)], NOW + 3 * HOUR)
    alert = buzz.alert(buzz.incidents[0])
    assert alert.severity == 3
    assert alert.respond_by is not None
    assert before is not None
    assert alert.respond_by < before
    rises = [note for _, note in buzz.sent(incident, "note") if "Severity rises" in getattr(note, "title", "")]
    assert rises
    assert all(getattr(note, "broadcast", False) for note in rises)
    buzz.live([], NOW + 8 * HOUR)
    assert buzz.alert(buzz.incidents[0]).severity == 3  # it is over, and was what it was


def test_updates_come_no_faster_than_every_few_minutes_and_only_with_news(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live(buzz.burst(NOW, 1, 30), NOW + HOUR)
    (incident,) = buzz.incidents
    shown = [buzz.card(incident).updated_at]
    for _ in range(60):
        buzz.live(
            buzz.burst(buzz.clock.now(), 1 / 60, 60), buzz.clock.now() + timedelta(minutes=1), timedelta(minutes=1)
        )
        if (at := buzz.card(incident).updated_at) != shown[-1]:
            shown.append(at)
    assert 3 <= len(shown) <= 21
    assert min(later - one for one, later in pairwise(shown)) >= timedelta(minutes=3)
    last = buzz.card(incident)
    buzz.live([], buzz.clock.now() + timedelta(minutes=45), timedelta(minutes=1))
    quiet = buzz.card(incident)
    assert quiet.authors == last.authors or quiet.updated_at - last.updated_at <= timedelta(minutes=16)


def test_a_pilot_country_tells_its_trial_receiver_alone(on_sqlite: Open) -> None:
    buzz = on_sqlite(belgium="{mode: pilot, pilot_receiver: trial}")
    buzz.live(buzz.burst(NOW, 2, 20, country="BE"), NOW + 2 * HOUR)
    (incident,) = buzz.incidents
    assert buzz.card(incident).pilot
    assert buzz.alert(incident).pilot
    assert [receiver for receiver, _ in buzz.sent(incident, "alert")] == ["trial"]


def test_a_country_without_incidents_has_none(on_sqlite: Open) -> None:
    buzz = on_sqlite(belgium="{incidents: {on: false}}")
    buzz.live([*buzz.burst(NOW, 2, 20, country="BE"), *buzz.burst(NOW, 2, 20)], NOW + 2 * HOUR)
    assert [row.country for row in buzz.incidents] == ["FR"]


def test_fewer_people_than_a_country_asks_for_are_no_incident(on_sqlite: Open) -> None:
    buzz = on_sqlite(defaults="incidents: {least_authors: 25}")
    buzz.live(buzz.burst(NOW, 2, 12), NOW + 2 * HOUR)
    assert buzz.incidents == []


def test_a_silenced_incident_is_counted_and_waits(buzz: Buzz) -> None:
    buzz.store.silences.add(
        ["kind=incident"], author="Ann", reason="maintenance", starts_at=NOW, ends_at=NOW + 24 * HOUR, now=NOW
    )
    buzz.live(buzz.burst(NOW, 2, 20), NOW + 2 * HOUR)
    (incident,) = buzz.incidents
    table = schema.notifications
    with reading(buzz.store.incidents._engine) as connection:
        (row,) = connection.execute(select(table).where(table.c.alert_id == incident.alert_id, table.c.kind == "alert"))
    assert row.held == "silence:1"
    buzz.live(buzz.burst(NOW + 2 * HOUR, 1, 40), NOW + 3 * HOUR)
    ((_, shown),) = buzz.sent(incident, "alert")
    assert isinstance(shown, IncidentCard)
    assert shown.mentions > 40  # the card that waits shows what is known now


def test_mentions_that_arrive_late_are_counted_where_they_belong(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    burst = buzz.burst(NOW, 2, 30)
    on_time, late = burst[::3], [post for at, post in enumerate(burst) if at % 3]
    buzz.live(on_time, NOW + 2 * HOUR)
    (incident,) = buzz.incidents
    assert buzz.card(incident).authors <= 20
    buzz.feed(late)
    buzz.live([], NOW + 8 * HOUR)
    (incident,) = buzz.incidents
    card = buzz.card(incident)
    assert incident.ended_at is not None
    assert card.authors == 60
    assert {point.at: point.count for point in card.curve}[NOW + TICK] == 5


def test_a_burst_that_is_only_read_late_is_found_late(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    burst = buzz.burst(NOW, 2, 30)
    buzz.live([], NOW + 4 * HOUR)
    assert buzz.incidents == []
    buzz.feed(burst)
    buzz.live([], NOW + 5 * HOUR)
    (incident,) = buzz.incidents
    assert abs(incident.began_at - NOW) <= 2 * TICK
    assert buzz.card(incident).authors == 60


def test_an_old_story_that_is_read_in_is_no_news(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live([], NOW + TICK)
    buzz.feed(buzz.burst(NOW - 72 * HOUR, 2, 30))
    buzz.live([], NOW + HOUR)
    assert buzz.incidents == []


def test_a_fresh_installation_takes_its_first_day_for_what_it_is(tmp_path: Path) -> None:
    buzz = open_buzz(tmp_path, f"sqlite:///{tmp_path}/fresh.db")
    buzz.step.run()
    buzz.feed(buzz.ordinary(NOW - 24 * HOUR, NOW, rate=6.0))
    buzz.live(buzz.ordinary(NOW, NOW + 6 * HOUR, rate=6.0), NOW + 6 * HOUR)
    assert buzz.incidents == []
    buzz.live(buzz.burst(NOW + 6 * HOUR, 2, 60), NOW + 8 * HOUR)
    assert len(buzz.incidents) == 1
    buzz.store.close()


def test_a_deleted_post_shows_no_text(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    loud = Post(NOW + TICK, "panne acme, mon code est 1234", "tele", "outage", followers=900_000)
    buzz.live([loud, *buzz.burst(NOW, 1, 30)], NOW + HOUR)
    (incident,) = buzz.incidents
    assert buzz.card(incident).influential[0].text
    with buzz.store.incidents._engine.begin() as connection:
        connection.execute(schema.mentions.update().where(schema.mentions.c.text == loud.text).values(fate="deleted"))
    buzz.live(buzz.burst(NOW + HOUR, 1, 40), NOW + 2 * HOUR)
    voice = buzz.card(incident).influential[0]
    assert (voice.name, voice.text) == ("Name tele", "")


def test_what_nobody_took_is_closed_a_day_after_the_end(buzz: Buzz) -> None:
    buzz.live(buzz.burst(NOW, 1, 30), NOW + HOUR)
    buzz.live(buzz.ordinary(NOW + HOUR, NOW + 36 * HOUR), NOW + 36 * HOUR, timedelta(minutes=30))
    (incident,) = buzz.incidents
    alert = buzz.alert(incident)
    assert (alert.state, alert.resolution, alert.closed_by) == (AlertState.RESOLVED, "over", "listener")
    assert buzz.history(incident).count("resolved") == 1
    with buzz.store.alerts.transaction() as transaction:  # somebody opens it again
        transaction.change(alert.id, buzz.clock.now(), state="open", resolution=None, closed_by=None, closed_at=None)
        transaction.record(alert.id, "reopened", {}, buzz.clock.now(), "Ann")
    buzz.live([], buzz.clock.now() + 2 * HOUR, timedelta(hours=1))
    assert buzz.alert(incident).state is AlertState.OPEN


def test_what_somebody_took_stays_theirs(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live(buzz.burst(NOW, 1, 30), NOW + HOUR)
    (incident,) = buzz.incidents
    with buzz.store.alerts.transaction() as transaction:
        transaction.change(incident.alert_id, buzz.clock.now(), state="claimed", owner="Ann")
    buzz.live([], NOW + 40 * HOUR, timedelta(hours=1))
    assert buzz.incidents[0].ended_at is not None
    assert buzz.alert(incident).state is AlertState.CLAIMED


def test_drills_count_for_drills_alone(on_sqlite: Open) -> None:
    buzz = on_sqlite()
    buzz.live(buzz.burst(NOW, 1, 30, network="drill"), NOW + HOUR)
    (incident,) = buzz.incidents
    assert incident.drill
    assert buzz.alert(incident).pilot
    buzz.live(buzz.burst(NOW + HOUR, 1, 30), NOW + 2 * HOUR)
    assert [row.drill for row in buzz.incidents] == [True, False]
    assert all("Name" in voice.name for voice in buzz.card(buzz.incidents[1]).influential)


def test_an_incident_of_a_brand_that_left_is_dropped_without_a_word(on_sqlite: Open) -> None:
    buzz = on_sqlite(belgium="{}")
    buzz.live(buzz.burst(NOW, 1, 30, country="BE"), NOW + HOUR)
    (incident,) = buzz.incidents
    notes = buzz.notes(incident)
    without = {code: country for code, country in buzz.config.countries.items() if code != "BE"}
    buzz.config = buzz.config.model_copy(update={"countries": without})
    buzz.restart()
    buzz.step.run()
    assert buzz.incidents[0].ended_at is not None
    assert buzz.notes(incident) == notes


def test_two_daemons_on_one_database_open_one_incident_and_end_it_once(buzz: Buzz) -> None:
    buzz.live(buzz.burst(NOW, 1, 30), NOW + HOUR)
    first = buzz.step
    (incident,) = buzz.incidents
    buzz.restart()
    buzz.step._count(buzz.clock.now())
    (subject, track) = next(pair for pair in buzz.step._tracks.items() if pair[0].country == "FR")
    # The second has looked for incidents just before the first stored its own.
    assert buzz.step._look(subject, track, [], buzz.clock.now()) == []
    assert [row.alert_id for row in buzz.incidents] == [incident.alert_id]
    while buzz.incidents[0].ended_at is None and buzz.clock.now() < NOW + 8 * HOUR:
        lasting = buzz.incidents[0]
        buzz.live([], buzz.clock.now() + TICK)
        first.run()
        first._follow(lasting, buzz.clock.now())
    assert buzz.history(incident).count("over") == 1
    assert sum(title.startswith("The burst is over") for title in buzz.notes(incident)) == 1
