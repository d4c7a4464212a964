"""Irritants as they are stored: once a week and brand, followed in whatever order weeks are grouped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from classifiers.copies import text_hash
from listener.model import Author, Classification, Mention, Page, Sentiment, Urgency, Watch
from listener.store import Arrival, Store
from listener.store.causes import Found
from listener.store.classifying import Classified

NOW = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
SEEN = datetime(2026, 11, 10, 7, 0, tzinfo=UTC)
NEW = Found(None, "parcel_late", b"\x01\x02", SEEN, [1, 2, 3], {"FR": 2, "JP": 1})


def fill(store: Store, many: int = 12, vector: bytes | None = b"\x00\x01") -> None:
    """Let there be complaints, numbered from one on."""
    posts = [Mention("x", str(one), f"acme {one}", SEEN, Author("x", str(one))) for one in range(1, many + 1)]
    arrivals = [Arrival(post, "FR", text_hash(post.text)) for post in posts]
    watch = Watch("x/FR/acme", "x", "acme", "FR", ("fr",), ("acme",))
    store.collecting.save_page(watch, Page(tuple(posts), "c"), arrivals, now=SEEN, next_poll_at=SEEN, max_age_s=None)
    found = Classification(
        "fr", 0.9, Urgency.LOW, (0.1, 0.6, 0.2, 0.1), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {}, "m1",
        embedding=vector,
    )  # fmt: skip
    waiting = store.classifying.waiting(100)
    store.classifying.save([Classified(one.mention_id, found, None, ()) for one in waiting], SEEN)


def save(store: Store, week: str, *found: Found, brand: str = "acme") -> bool:
    return store.causes.save(week, brand, found, 10, NOW)


def only(store: Store, week: str, brand: str = "acme") -> int:
    rows, _ = store.causes.of_week(week, [brand])
    (number,) = rows
    return number


def test_what_is_stored_comes_back_with_its_complaints_in_order(store: Store) -> None:
    fill(store)
    assert save(store, "2026-W46", replace(NEW, match_ids=[3, 1, 2]))
    rows, members = store.causes.of_week("2026-W46", ["acme"])
    (row,) = rows.values()
    assert (row.brand, row.cause, row.centre, row.first_seen_at) == ("acme", "parcel_late", b"\x01\x02", SEEN)
    assert (row.first_week, row.last_week) == ("2026-W46", "2026-W46")
    assert [(one.match_id, one.rank) for one in members] == [(3, 0), (1, 1), (2, 2)]
    assert store.causes.of_week("2026-W46", ["bolt"]) == ({}, [])
    assert store.causes.of_week("2026-W45", ["acme"]) == ({}, [])


def test_a_week_is_stored_once_and_the_second_try_changes_nothing(store: Store) -> None:
    fill(store)
    assert save(store, "2026-W46", NEW)
    assert not save(store, "2026-W46", replace(NEW, cause="other", match_ids=[4, 5, 6], countries={"FR": 3}))
    rows, members = store.causes.of_week("2026-W46", ["acme"])
    assert [one.cause for one in rows.values()] == ["parcel_late"]
    assert [one.match_id for one in members] == [1, 2, 3]
    assert store.causes.history(["2026-W46"], ["acme"], ["FR", "JP"]) == {(only(store, "2026-W46"), "2026-W46"): 3}


def test_a_week_without_irritants_is_grouped_too(store: Store) -> None:
    assert not store.causes.is_grouped("2026-W46", "acme")
    assert save(store, "2026-W46")
    assert store.causes.is_grouped("2026-W46", "acme")
    assert not store.causes.is_grouped("2026-W46", "bolt")
    assert store.causes.grouped_weeks(["acme", "bolt"]) == {"2026-W46"}
    assert store.causes.grouped_weeks(["bolt"]) == set()


def test_an_irritant_goes_on_under_its_number(store: Store) -> None:
    fill(store)
    save(store, "2026-W45", NEW)
    known = only(store, "2026-W45")
    save(store, "2026-W46", Found(known, "", b"\x09", SEEN + timedelta(days=7), [4, 5, 6], {"FR": 3}))
    row = store.causes.rows([known])[known]
    assert (row.first_week, row.last_week, row.first_seen_at) == ("2026-W45", "2026-W46", SEEN)
    assert (row.centre, row.cause) == (b"\x09", "parcel_late"), "a week that finds no name keeps the one there is"
    weeks = ["2026-W45", "2026-W46"]
    assert store.causes.history(weeks, ["acme"], ["FR", "JP"]) == {(known, "2026-W45"): 3, (known, "2026-W46"): 3}
    assert store.causes.history(weeks, ["acme"], ["JP"]) == {(known, "2026-W45"): 1}
    assert store.causes.history(["2026-W46"], ["acme"], ["FR"]) == {(known, "2026-W46"): 3}
    assert store.causes.history(weeks, ["bolt"], ["FR"]) == {}


def test_a_week_that_is_grouped_after_a_later_one_takes_nothing_back(store: Store) -> None:
    fill(store)
    save(store, "2026-W44", NEW)
    known = only(store, "2026-W44")
    save(store, "2026-W46", Found(known, "lid_opens", b"late", SEEN, [4, 5, 6], {"FR": 3}))
    save(store, "2026-W45", Found(known, "other", b"early", SEEN, [7, 8, 9], {"FR": 3}))
    row = store.causes.rows([known])[known]
    assert (row.first_week, row.last_week) == ("2026-W44", "2026-W46")
    assert (row.centre, row.cause) == (b"late", "lid_opens"), "what is compared with is how it reads now"
    assert len(store.causes.history(["2026-W44", "2026-W45", "2026-W46"], ["acme"], ["FR"])) == 3


def test_known_irritants_are_those_of_a_span_and_none_that_began_later(store: Store) -> None:
    fill(store)
    save(store, "2026-W20", replace(NEW, match_ids=[1, 2, 3]))
    save(store, "2026-W44", replace(NEW, match_ids=[4, 5, 6]))
    save(store, "2026-W46", replace(NEW, match_ids=[7, 8, 9]))
    save(store, "2026-W44", replace(NEW, match_ids=[10, 11, 12]), brand="bolt")
    known = store.causes.known("acme", "2026-W34", "2026-W46")
    assert [row.first_week for row in known] == ["2026-W44"]
    assert [row.first_week for row in store.causes.known("acme", "2026-W34", "2026-W47")] == ["2026-W44", "2026-W46"]
    assert store.causes.known("acme", "2026-W34", "2026-W44") == []


def test_weeks_follow_one_another_over_the_end_of_a_year(store: Store) -> None:
    fill(store)
    save(store, "2026-W53", NEW)
    assert [row.first_week for row in store.causes.known("acme", "2026-W41", "2027-W01")] == ["2026-W53"]
    known = only(store, "2026-W53")
    save(store, "2027-W01", Found(known, "", b"x", SEEN, [4, 5, 6], {"FR": 3}))
    assert store.causes.rows([known])[known].last_week == "2027-W01"


def test_a_complaint_belongs_to_the_irritant_that_had_it_first(store: Store) -> None:
    fill(store)
    save(store, "2026-W45", NEW)
    save(store, "2026-W46", replace(NEW, match_ids=[3, 4, 5]))
    _, members = store.causes.of_week("2026-W46", ["acme"])
    assert [one.match_id for one in members] == [4, 5]


def test_embeddings_are_forgotten_by_age_and_irritants_are_not(store: Store) -> None:
    fill(store, 4)
    save(store, "2026-W46", NEW)
    assert store.causes.with_vectors([1, 2, 3, 4, 99]) == {1, 2, 3, 4}
    assert store.causes.forget(SEEN) == 0
    assert store.causes.forget(SEEN + timedelta(seconds=1)) == 4
    assert store.causes.vectors([1, 2, 3, 4]) == {}
    assert store.causes.with_vectors([]) == set()
    assert only(store, "2026-W46")
    assert store.causes.history(["2026-W46"], ["acme"], ["FR"]) != {}
