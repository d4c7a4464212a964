"""What is counted of a week's posts: by whose clocks, of which brand, and what people said of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.digest.counting import Counted, WeekCounts, count_week, read_week, tally
from listener.digest.weeks import Week
from listener.model import DRILL_NETWORK, Engagement, Sentiment
from tests.databases import new_database
from tests.digest_room import WEEK, Room, open_room

TUESDAY = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = new_database(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""
    opened = open_room(tmp_path, url=url)
    yield opened
    opened.store.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Room]:
    """A room on SQLite alone, where the database is not in question."""
    opened = open_room(tmp_path)
    yield opened
    opened.store.close()


def counted(room: Room, *countries: str, brands: tuple[str, ...] = ("acme", "bolt")) -> Counted:
    return Counted.of(room.config, countries or ("FR", "JP", "US"), brands)


def count(room: Room, *countries: str, week: Week = WEEK, brands: tuple[str, ...] = ("acme", "bolt")) -> WeekCounts:
    return count_week(room.store.digests, counted(room, *countries, brands=brands), week)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_each_country_has_the_days_and_hours_of_its_own_clocks(room: Room) -> None:
    for country, zone in (("FR", "+01:00"), ("JP", "+09:00"), ("US", "-08:00")):
        room.post("first", at(f"2026-11-09T00:00:00{zone}"), country=country, complaint=0.9)
        room.post("last", at(f"2026-11-15T23:59:59.999999{zone}"), country=country, complaint=0.9)
        room.post("too early", at(f"2026-11-08T23:59:59.999999{zone}"), country=country, complaint=0.9)
        room.post("too late", at(f"2026-11-16T00:00:00{zone}"), country=country, complaint=0.9)
    counts = count(room)
    assert counts.total.mentions == 6
    assert counts.days == [[3, 3], *[[0, 0]] * 5, [3, 3]]
    assert (counts.hours[0][0], counts.hours[6][23], sum(map(sum, counts.hours))) == (3, 3, 6)
    assert {key: one.mentions for key, one in counts.by["country"].items()} == {"FR": 2, "JP": 2, "US": 2}


def test_an_hour_that_comes_twice_holds_what_was_said_in_both_and_a_skipped_one_nothing(small: Room) -> None:
    for minute in (0, 30, 60, 90, 119):  # from 02:00 on the first pass to 02:59 on the second
        small.post(f"night {minute}", at("2026-10-25T00:00Z") + timedelta(minutes=minute), complaint=0.9)
    autumn = count(small, "FR", week=Week.parse("2026-W43"))
    assert autumn.hours[6][2] == 5
    small.post("before", at("2026-03-29T00:59:59Z"), complaint=0.9)
    small.post("after", at("2026-03-29T01:00:00Z"), complaint=0.9)
    spring = count(small, "FR", week=Week.parse("2026-W13"))
    assert [spring.hours[6][hour] for hour in (1, 2, 3)] == [1, 0, 1]


def test_a_post_that_names_two_brands_is_a_mention_of_each_by_one_author_who_reaches_people_once(room: Room) -> None:
    room.post("acme and bolt", TUESDAY, brands=("acme", "bolt"), engagement=Engagement(views=700), complaint=0.9)
    room.post("acme again", TUESDAY, engagement=Engagement(views=50))
    counts = count(room)
    assert (counts.total.mentions, counts.total.authors, counts.total.reach) == (3, 1, 750)
    assert counts.total.complaints == 2
    brands = {key: (one.mentions, one.authors, one.reach) for key, one in counts.by["brand"].items()}
    assert brands == {"acme": (2, 1, 750), "bolt": (1, 1, 700)}
    assert count(room, brands=("bolt",)).total.mentions == 1


def test_reach_is_the_greater_of_followers_and_views_for_each_author(room: Room) -> None:
    room.post("a", TUESDAY, author="a", profile={"followers": 100}, engagement=Engagement(views=40))
    room.post("b", TUESDAY, author="a", profile={"followers": 120}, engagement=Engagement(views=50))
    room.post("c", TUESDAY, author="c", profile={"followers": 10}, engagement=Engagement(views=70))
    room.post("d", TUESDAY, author="d")
    room.post(
        "e", TUESDAY, author="e", profile={"followers": 3_000_000_000}, engagement=Engagement(views=5_000_000_000)
    )
    counts = count(room)
    assert (counts.total.authors, counts.total.reach) == (4, 120 + 70 + 5_000_000_000)


def test_competitors_count_for_the_share_of_voice_alone(room: Room) -> None:
    room.post("rival breaks", TUESDAY, brands=("rival",), complaint=0.9, tone=Sentiment.NEGATIVE)
    room.post("acme and rival", TUESDAY, brands=("acme", "rival"), tone=Sentiment.POSITIVE)
    counts = count(room)
    assert (counts.total.mentions, counts.total.complaints) == (1, 0)
    assert list(counts.by["brand"]) == ["acme"]
    brands = {key: (one.mentions, one.positive, one.negative) for key, one in counts.brands.items()}
    assert brands == {"rival": (2, 1, 1), "acme": (1, 1, 0)}
    assert sum(map(sum, counts.hours)) == 0


def test_drills_unread_posts_and_other_countries_are_left_out_and_deleted_ones_are_not(room: Room) -> None:
    room.post("drill", TUESDAY, network=DRILL_NETWORK, complaint=0.9)
    room.post("not read yet", TUESDAY, is_read=False)
    room.post("elsewhere", TUESDAY, country="JP")
    gone = room.post("deleted", TUESDAY, complaint=0.9)
    room.delete(gone)
    counts = count(room, "FR")
    assert (counts.total.mentions, counts.total.complaints) == (1, 1)
    assert counts.by["network"].keys() == {"x"}


def test_what_people_said_last_of_a_post_counts_for_the_brand_they_said_it_of(room: Room) -> None:
    wrong = room.post("wrongly taken", TUESDAY, complaint=0.9)
    missed = room.post("missed", TUESDAY, complaint=0.1)
    both = room.post("both", TUESDAY, brands=("acme", "bolt"), complaint=0.9)
    undecided = room.post("undecided", TUESDAY, complaint=0.9)
    topic = room.post("only its topic", TUESDAY, complaint=0.9)
    later = TUESDAY + timedelta(hours=1)
    room.correct(wrong, later, complaint=False)
    room.correct(missed, later, complaint=True)
    room.correct(both, later, brand="bolt", complaint=False)
    room.correct(undecided, later, complaint=False)
    room.correct(undecided, later, complaint=True)
    room.correct(topic, later, topic="billing")
    counts = count(room)
    assert counts.total.mentions == 6
    assert {key: one.complaints for key, one in counts.by["brand"].items()} == {"acme": 4, "bolt": 0}


def test_urgent_is_by_the_countrys_threshold_and_of_complaints_alone(room: Room) -> None:
    urgent = room.config.countries["FR"].thresholds.urgent
    room.post("at the threshold", TUESDAY, complaint=0.9, urgent=urgent)
    room.post("below it", TUESDAY, complaint=0.9, urgent=urgent - 0.01)
    room.post("no complaint", TUESDAY, complaint=0.01, urgent=0.99)
    found = room.post("a complaint, people say", TUESDAY, complaint=0.01, urgent=0.99)
    lost = room.post("none, people say", TUESDAY, complaint=0.99, urgent=0.99)
    room.correct(found, TUESDAY, complaint=True)
    room.correct(lost, TUESDAY, complaint=False)
    counts = count(room)
    assert (counts.total.complaints, counts.total.urgent) == (3, 2)


def test_products_are_found_with_their_endings_in_every_script_and_nowhere_else(small: Room) -> None:
    for text in ("My KETTLE leaks", "two kettles", "newkettle", "kettleful of tea", "kettlement", "kett le"):
        small.post(text, TUESDAY)
    for text in ("Чайник сгорел", "с чайником беда", "чайниковедение", "пришёл ЧАЙНИК, а kettle нет"):
        small.post(text, TUESDAY)
    for text in ("我的云壶坏了", "云 壶", "line one\nkettle on line two", "ẞ İ kettle after letters that grow"):
        small.post(text, TUESDAY)
    found = {key: one.mentions for key, one in count(small).by["product"].items()}
    assert found == {"Kettle": 5 + 1, "чайник": 3, "云壶": 1}


def test_a_brands_product_is_looked_for_in_posts_about_that_brand(small: Room) -> None:
    small.post("bolt sells no kettle", TUESDAY, brands=("bolt",))
    small.post("acme's kettle beside bolt", TUESDAY, brands=("acme", "bolt"))
    assert count(small).by["product"]["Kettle"].mentions == 1
    assert count(small, brands=("bolt",)).by["product"] == {}


def test_sentiment_language_and_topic_are_counted(small: Room) -> None:
    small.post("good", TUESDAY, tone=Sentiment.POSITIVE, language="fr", topic="praise")
    small.post("bad", TUESDAY, tone=Sentiment.NEGATIVE, language="fr", topic="staff", complaint=0.9)
    small.post("so so", TUESDAY, language="zh-Hant", topic="staff")
    counts = count(small)
    assert (counts.total.positive, counts.total.negative) == (1, 1)
    assert {key: one.mentions for key, one in counts.by["language"].items()} == {"fr": 2, "zh-Hant": 1}
    assert counts.by["topic"]["staff"].complaints == 1


def test_an_empty_week_is_all_noughts(room: Room) -> None:
    counts = count(room)
    assert counts == tally(read_week(room.store.digests, counted(room), WEEK))
    assert counts.total.mentions == counts.total.reach == 0
    assert counts.days == [[0, 0]] * 7
    assert not any(counts.by.values())
    assert counts.brands == {}


def test_a_week_of_competitors_alone_is_one_of_ours_with_noughts(small: Room) -> None:
    small.post("rival", TUESDAY, brands=("rival",))
    counts = count(small)
    assert (counts.total.mentions, counts.total.reach) == (0, 0)
    assert counts.brands["rival"].mentions == 1
