"""What the store says to digests and keeps of them, and how a deleted post leaves what is kept."""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from classifiers.copies import text_hash
from listener.model import Author, Classification, Gap, Mention, Page, Sentiment, Skipped, Urgency, Watch, Withdrawn
from listener.store import Arrival, Store, schema
from listener.store.classifying import Classified
from listener.store.redaction import REDACTED, forget_in_digests

BEGIN = datetime(2026, 11, 9, tzinfo=UTC)
END = BEGIN + timedelta(weeks=1)
HOUR, SECOND, MICROSECOND = timedelta(hours=1), timedelta(seconds=1), timedelta(microseconds=1)
CALM = Classification(
    "en", 0.9, Urgency.LOW, (0.1, 0.2, 0.3, 0.4), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {}, "m1"
)


def post(
    store: Store, name: str, at: datetime, *, brand: str = "acme", country: str = "FR", network: str = "x",
    came: datetime | None = None, is_read: bool = True,
) -> None:  # fmt: skip
    """Let a post come in, and be read when it came."""
    mention = Mention(network, name, f"acme {name}", at, Author(network, "anna"))
    watch = Watch(f"x/{country}/{brand}", "x", brand, country, ("en",), (brand,))
    arrival = Arrival(mention, country, text_hash(mention.text))
    store.collecting.save_page(watch, Page((mention,), "c"), [arrival], now=came or at, next_poll_at=at, max_age_s=None)
    if is_read:
        read(store, came or at)


def read(store: Store, at: datetime) -> None:
    waiting = store.classifying.waiting(100)
    store.classifying.save([Classified(one.mention_id, CALM, None, ()) for one in waiting], at)


def columns(store: Store, brands: Sequence[str] = ("acme",), countries: Sequence[str] = ("FR",)) -> list[Any]:
    chunks = store.digests.rows(BEGIN, END, brands, countries, lowest=0.5, texts=True)
    return [row for chunk in chunks for row in zip(*chunk, strict=True)]


# What is counted


def test_rows_are_those_of_the_span_its_end_outside_to_the_microsecond(store: Store) -> None:
    for name, at in (("early", BEGIN - MICROSECOND), ("first", BEGIN), ("last", END - MICROSECOND), ("late", END)):
        post(store, name, at)
    rows = columns(store)
    assert [row[-1] for row in rows] == ["acme first", "acme last"]
    assert [row[6] for row in rows] == [int(BEGIN.timestamp()), int(END.timestamp()) - 1]
    assert [(row[7], row[8]) for row in rows] == [pytest.approx((0.9, 0.4))] * 2


def test_rows_are_those_of_the_brands_and_countries_that_are_asked_for(store: Store) -> None:
    for number, (brand, country) in enumerate((("acme", "FR"), ("acme", "JP"), ("bolt", "FR"))):
        post(store, f"post-{number}", BEGIN, brand=brand, country=country)
    assert len(columns(store)) == 1
    assert len(columns(store, ("acme", "bolt"), ("FR", "JP"))) == 3
    assert columns(store, ()) == columns(store, countries=()) == []


def test_counts_of_late_posts_tell_those_that_came_or_were_read_after_a_moment(store: Store) -> None:
    post(store, "in time", BEGIN)
    post(store, "came late", BEGIN, came=END + HOUR)
    post(store, "read late", BEGIN, is_read=False)
    assert store.digests.count(BEGIN, END, ["acme"], "FR") == 2, "what is not read is not counted"
    read(store, END + HOUR)
    assert store.digests.count(BEGIN, END, ["acme"], "FR") == 3
    assert store.digests.count(BEGIN, END, ["acme"], "FR", collected_after=END) == 2
    assert store.digests.count(BEGIN, END, ["acme"], "FR", collected_after=END + HOUR) == 0
    assert store.digests.count(BEGIN, END, ["acme"], "JP") == 0


def test_a_week_has_changed_once_anything_of_it_came_was_read_or_was_corrected(store: Store) -> None:
    post(store, "one", BEGIN)
    counted = END + HOUR

    def is_changed() -> bool:
        return store.digests.changed_since(BEGIN, END, counted)

    assert not is_changed()
    post(store, "of the next week", END, came=counted + HOUR)
    assert not is_changed()
    post(store, "waits", BEGIN, is_read=False)
    assert is_changed()
    read(store, counted)
    assert not is_changed()
    correct(store, 1, counted + SECOND)
    assert is_changed()
    counted += HOUR
    assert not is_changed()
    post(store, "late", BEGIN, came=counted + SECOND)
    assert is_changed()


def correct(store: Store, mention: int, at: datetime, *, complaint: bool | None = False, brand: str = "acme") -> None:
    row = {
        "mention_id": mention, "network": "x", "external_id": "one", "brand": brand, "country": "FR", "language": "en",
        "model": "m", "said": {}, "complaint": complaint, "actor": "Ravi", "origin": "slack", "at": at,
    }  # fmt: skip
    with store._engine.begin() as connection:
        connection.execute(schema.corrections.insert().values(row))


def test_the_last_word_on_a_post_counts_whenever_it_was_said(store: Store) -> None:
    post(store, "one", BEGIN)
    post(store, "of the next week", END)
    for complaint in (False, True, None):
        correct(store, 1, END, complaint=complaint)
    correct(store, 1, END, brand="bolt")
    correct(store, 2, END)
    assert store.digests.corrected(since=BEGIN, until=END) == {(1, "acme"): True, (1, "bolt"): False}


def test_it_is_known_when_collection_began_and_what_waits(store: Store) -> None:
    assert store.digests.first_collected_at() is None
    assert not store.digests.is_waiting(BEGIN - 2 * HOUR, END)
    post(store, "one", BEGIN, came=END + HOUR, is_read=False)
    post(store, "old", BEGIN - HOUR, came=END + 2 * HOUR, is_read=False)
    assert store.digests.first_collected_at() == END + HOUR
    assert store.digests.is_waiting(BEGIN - 2 * HOUR, END)
    assert not store.digests.is_waiting(BEGIN + HOUR, END)
    store.withdrawals.withdraw([Withdrawn("x", "one"), Withdrawn("x", "old")], END)
    assert not store.digests.is_waiting(BEGIN - 2 * HOUR, END), "nobody classifies what was deleted"


def test_gaps_touch_the_span_and_broken_items_count_since_its_begin(store: Store) -> None:
    watch = Watch("x/FR/acme", "x", "acme", "FR", ("en",), ("acme",))
    gaps = tuple(
        Gap(start, end, f"gap {number}")
        for number, (start, end) in enumerate(
            ((BEGIN - HOUR, BEGIN), (BEGIN - HOUR, BEGIN + HOUR), (END - HOUR, END + HOUR), (END, END + HOUR))
        )
    )
    skipped = (Skipped("no text", "a:1", "sample"), Skipped("our own", "a:2", "sample", broken=False))
    page = Page((), "c", gaps=gaps, skipped=skipped)
    store.collecting.save_page(watch, page, [], now=BEGIN + HOUR, next_poll_at=END, max_age_s=None)
    assert [gap.reason for gap in store.digests.gaps(BEGIN, END)] == ["gap 1", "gap 2"]
    assert store.digests.skipped(["x/FR/acme"], BEGIN) == 1
    assert store.digests.skipped(["x/FR/acme"], BEGIN + 2 * HOUR) == 0
    assert store.digests.skipped(["x/JP/acme"], BEGIN) == store.digests.skipped([], BEGIN) == 0
    post(store, "one", BEGIN)
    assert store.digests.brought("x/FR/acme", BEGIN, END) == 1
    assert store.digests.brought("x/FR/acme", BEGIN + SECOND, END) == 0


def test_posts_come_with_all_that_may_be_said_and_deleted_ones_without_text(store: Store) -> None:
    post(store, "one", BEGIN)
    post(store, "two", BEGIN)
    store.withdrawals.withdraw([Withdrawn("x", "two")], END)
    found = store.digests.posts([2, 1, 99])
    assert {number: one.text for number, one in found.items()} == {1: "acme one", 2: ""}
    assert (found[1].brand, found[1].country, found[1].influence, found[1].alert_id) == ("acme", "FR", 0.0, None)
    assert store.digests.posts([]) == {}
    assert len(store.digests.posts(list(range(1, 1_200)))) == 2


def test_counts_are_kept_by_week_and_scope_and_written_over(store: Store) -> None:
    assert store.digests.saved_counts("2026-W46", "a") is None
    store.digests.save_counts("2026-W46", "a", "{1}", END)
    store.digests.save_counts("2026-W46", "b", "{2}", END)
    store.digests.save_counts("2026-W46", "a", "{3}", END + HOUR)
    saved = store.digests.saved_counts("2026-W46", "a")
    assert saved is not None
    assert (saved.counts, saved.counted_at) == ("{3}", END + HOUR)


# What is kept


def keep(store: Store, document: str, *receivers: str, reader: str = "board", week: str = "2026-W46") -> list[int]:
    """Keep a digest with its messages; return their numbers."""
    with store.digests.recording(reader, week, document, END) as recording:
        assert recording is not None
        for receiver in receivers:
            recording.post(receiver, f"{reader} {week} for {receiver}", f"file of {reader} {week}", END)
        return [int(number) for _, number in recording.messages]  # type: ignore[call-overload]


def forget(store: Store, mention: int) -> None:
    with store._engine.begin() as connection:
        forget_in_digests(connection, mention)


def document(store: Store, reader: str = "board") -> Any:
    made = store.digests.made(reader, "2026-W46")
    assert made is not None
    return json.loads(made[1])


QUOTES = {
    "week": "2026-W46",
    "voices": {"critics": [{"mention_id": 1, "text": "one"}, {"mention_id": 12, "text": "twelve"}], "friends": []},
    "causes": {"irritants": [{"id": 1, "posts": [{"mention_id": 1, "text": "one again"}], "mentions": 5}]},
}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_deleted_post_leaves_every_place_of_a_digest_and_no_other_does(
    store: Store, separators: tuple[str, str]
) -> None:
    keep(store, json.dumps(QUOTES, separators=separators))
    forget(store, 2)
    assert document(store) == QUOTES
    forget(store, 1)
    told = document(store)
    assert told["voices"] == {"critics": [{"mention_id": 12, "text": "twelve"}], "friends": []}
    assert told["causes"] == {"irritants": [{"id": 1, "posts": [], "mentions": 5}]}
    assert told["redacted"] is True
    forget(store, 12)
    assert document(store)["voices"]["critics"] == []


def test_a_post_that_speaks_of_numbers_is_not_taken_for_another(store: Store) -> None:
    hostile = {"mention_id": 7, "text": '"mention_id": 1, "redacted": true'}
    keep(store, json.dumps({"critics": [hostile]}))
    forget(store, 1)
    assert document(store)["critics"] == [hostile]
    assert REDACTED not in json.dumps({"text": hostile["text"]})


def test_two_posts_that_are_deleted_at_once_are_both_gone(store: Store) -> None:
    keep(store, json.dumps(QUOTES))
    second = threading.Thread(target=forget, args=(store, 12))
    with store._engine.begin() as connection:
        forget_in_digests(connection, 1)
        second.start()
        second.join(0.3)  # it waits for us
    second.join(30)
    assert document(store)["voices"]["critics"] == []
    assert "one again" not in json.dumps(document(store))


def test_only_digests_that_quote_the_post_are_touched(store: Store) -> None:
    keep(store, json.dumps(QUOTES))
    keep(store, json.dumps({"critics": [{"mention_id": 11, "text": "eleven"}]}), reader="france")
    forget(store, 1)
    assert document(store, "france") == {"critics": [{"mention_id": 11, "text": "eleven"}]}


def test_what_waits_is_held_back_until_it_is_written_anew(store: Store) -> None:
    numbers = keep(store, json.dumps(QUOTES), "desk", "mail")
    keep(store, json.dumps({"critics": []}), "desk", reader="france")
    assert store.digests.stale() == []
    forget(store, 1)
    (kept,) = store.digests.stale()
    assert (kept.reader, kept.week, [tuple(one) for one in kept.messages]) == (
        "board", "2026-W46", [("desk", numbers[0]), ("mail", numbers[1])],
    )  # fmt: skip
    other = store.outbox.claim("desk", END, HOUR)
    assert other is not None
    assert other.payload == "france 2026-W46 for desk"
    assert store.outbox.claim("mail", END, HOUR) is None
    store.digests.replace(kept, [(number, "anew", "file anew") for number in numbers])
    assert store.digests.stale() == []
    for receiver in ("desk", "mail"):
        item = store.outbox.claim(receiver, END, HOUR)
        assert item is not None
        assert item.payload == "anew"
        store.outbox.sent(item, ("C1", "1", ""), END, kept="sent")
        note = store.outbox.claim(receiver, END, HOUR)
        assert note is not None
        assert (note.kind, note.payload) == ("note", "file anew")


def test_a_post_that_is_deleted_while_its_digest_is_written_anew_makes_it_stale_again(store: Store) -> None:
    numbers = keep(store, json.dumps(QUOTES), "desk")
    forget(store, 1)
    (kept,) = store.digests.stale()
    forget(store, 12)
    store.digests.replace(kept, [(numbers[0], "anew, with twelve", None)])
    (again,) = store.digests.stale()
    assert "twelve" not in again.document
    assert store.outbox.claim("desk", END, HOUR) is None, "what was written too early must not go"


def test_a_digest_that_was_sent_is_not_written_anew(store: Store) -> None:
    keep(store, json.dumps(QUOTES), "desk")
    while (item := store.outbox.claim("desk", END, HOUR)) is not None:
        store.outbox.sent(item, ("C1", "1", ""), END, kept="sent")
    forget(store, 1)
    assert store.digests.stale() == []
    assert "one again" not in json.dumps(document(store))


def test_made_weeks_are_those_of_the_reader_the_latest_first(store: Store) -> None:
    for week in ("2026-W46", "2027-W01", "2026-W53"):
        keep(store, "{}", week=week)
    keep(store, "{}", reader="france", week="2027-W02")
    assert store.digests.made_weeks("board") == ["2027-W01", "2026-W53", "2026-W46"]
    assert store.digests.made_weeks("nobody") == []
    assert store.digests.made("board", "2027-W02") is None


def test_a_recording_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.digests.recording("board", "2026-W46", "{}", END) as recording:
            assert recording is not None
            recording.post("desk", "message", None, END)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.digests.made("board", "2026-W46") is None
    assert store.outbox.rows(("pending",)) == []
