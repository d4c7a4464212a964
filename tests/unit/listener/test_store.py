from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from classifiers.copies import bands, text_hash
from listener.errors import StoreError
from listener.model import (
    Author,
    Classification,
    Engagement,
    Gap,
    Mention,
    Page,
    Reason,
    Sentiment,
    Skipped,
    Urgency,
    Watch,
)
from listener.store import Arrival, Store
from listener.store.classifying import Classified
from listener.store.engine import open_engine
from listener.store.outbox import OutboxItem
from listener.store.schema import metadata
from listener.store.triage import NewAlert

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
WATCH = Watch("x/FR/acme", "x", "acme", "FR", ("fr",), ("acme",))
CALM = Classification(
    "fr", 0.9, Urgency.LOW, (0.1, 0.6, 0.2, 0.1), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {"R": 0.8},
    "m1", reasons=(Reason("nobody", 0.4), Reason("lâte\u202e", -0.25)),
)  # fmt: skip


def mention(number: int, **changes: object) -> Mention:
    made = Mention(
        "x",
        str(number),
        f"my parcel number {number} is late and nobody answers",
        NOW - timedelta(minutes=number),
        Author("x", f"author-{number}", name="Ann", followers=10),
        engagement=Engagement(likes=1),
        links={"post_id": str(number)},
    )
    return replace(made, **changes)


def save(
    store: Store, *mentions: Mention, page: Page | None = None, watch: Watch = WATCH, country: str = "FR"
) -> Counter[str]:
    arrivals = [Arrival(item, country, text_hash(item.text)) for item in mentions]
    return store.collecting.save_page(
        watch,
        page or Page(mentions, "c1"),
        arrivals,
        now=NOW,
        next_poll_at=NOW + timedelta(seconds=60),
        max_age_s=3600.0,
    )


def classify(store: Store, classification: Classification = CALM) -> None:
    waiting = store.classifying.waiting(100)
    store.classifying.save(
        [Classified(item.mention_id, classification, None, bands(item.text)) for item in waiting], NOW
    )


def raise_alert(
    store: Store, match_id: int, *keys: str, payload: str = "{}", receivers: tuple[str, ...] = ("r",)
) -> int:
    new = NewAlert(match_id, "acme", "FR", "desk", 2, 0.5, "delivery", "late-delivery", False, ["open-problem"], NOW)
    with store.triage.transaction() as transaction:
        alert_id = transaction.open_alert(new, keys, NOW)
        for receiver in receivers:
            transaction.notify(alert_id, receiver, payload, NOW)
        transaction.decided(match_id, "raised", priority=0.5, influence=0.1, velocity=0.0, now=NOW)
    return alert_id


def join(store: Store, alert_id: int, match_id: int, *, severity: int, priority: float, payload: str = "new") -> None:
    alert = store.triage.alert(alert_id)
    assert alert is not None
    with store.triage.transaction() as transaction:
        transaction.join_alert(
            alert,
            match_id,
            copy=False,
            severity=severity,
            priority=priority,
            posted_at=NOW,
            fingerprints=["k2"],
            now=NOW,
        )
        transaction.notify_change(alert_id, payload, NOW)


def test_the_migrations_make_exactly_the_tables_of_the_schema(empty_url: str) -> None:
    Store(empty_url).close()
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert [item for item in differences if item[0] not in ("modify_type",)] == []


def test_a_page_comes_back_as_it_was_saved(store: Store) -> None:
    sent = mention(
        1,
        url="https://x.com/a/status/1",
        language="fr",
        conversation_id="1",
        reply_to_id="0",
        sponsored=True,
        country="FR",
        place="Paris",
        author=Author("x", "42", "Ann", "ann", 80_000, True, "journaliste", "Lyon", "FR", "https://x.com/ann"),
    )
    assert save(store, sent) == Counter(FR=1)
    classify(store)
    (item,) = store.triage.waiting(10)
    assert item.mention == sent
    assert item.classification == CALM
    assert (item.brand, item.country, item.max_age_s, item.collected_at) == ("acme", "FR", 3600.0, NOW)
    assert store.collecting.state(WATCH.id).cursor == "c1"


def test_a_repeated_item_is_stored_once_and_its_engagement_refreshed(store: Store) -> None:
    save(store, mention(1))
    again = mention(1, engagement=Engagement(likes=9, views=100), text="edited")
    assert save(store, again, again) == Counter()
    classify(store)
    (item,) = store.triage.waiting(10)
    assert item.mention.engagement == Engagement(likes=9, views=100)
    assert store.counts()["mentions"] == store.counts()["matches"] == 1


def test_the_watch_that_found_a_mention_first_keeps_it_and_another_brand_matches_too(store: Store) -> None:
    save(store, mention(1))
    save(store, mention(1), watch=replace(WATCH, id="x/BE/acme", country="BE"), country="BE")
    save(store, mention(1), watch=replace(WATCH, id="x/FR/other", brand="other"))
    classify(store)
    assert [(item.brand, item.country) for item in store.triage.waiting(10)] == [("acme", "FR"), ("other", "FR")]


def test_what_is_known_of_an_author_is_not_forgotten_by_a_poorer_answer(store: Store) -> None:
    rich = Author("x", "42", "Ann", "ann", 80_000, True, "journaliste", "Lyon", "FR", "https://x.com/ann")
    save(store, mention(1, author=rich))
    save(store, mention(2, author=Author("x", "42")))
    classify(store)
    assert [item.mention.author for item in store.triage.waiting(10)] == [rich, rich]


def test_nothing_of_a_page_is_kept_when_its_cursor_cannot_be(store: Store) -> None:
    naive = mention(1, published_at=datetime(2026, 1, 1))
    with pytest.raises(Exception, match="naive"):
        save(store, mention(2), naive)
    assert store.counts()["mentions"] == 0
    assert store.collecting.state(WATCH.id).cursor is None


@pytest.mark.parametrize("tag", ["\ud800", "fr\0", "x" * 50])
def test_a_language_tag_that_no_database_holds_blocks_nobody(tag: str, store: Store) -> None:
    save(store, mention(1, language=tag, links={"a\0": "b\ud800\0"}), mention(2))
    assert store.classifying.count_waiting() == 2


@pytest.mark.parametrize("text", ["lone \ud83d surrogate", "nul \x00 byte", "emoji 😡👨‍👩‍👧", "x" * 100_000, "نص عربي"])
def test_any_text_can_be_stored(store: Store, text: str) -> None:
    save(store, mention(1, text=text, external_id=text[:40], author=Author("x", text[:30], name=text[:50])))
    (item,) = store.classifying.waiting(10)
    assert item.text == text.encode("utf-8", "replace").decode().replace("\0", "")


def test_numbers_beyond_what_a_database_holds_are_kept_within_it(store: Store) -> None:
    save(store, mention(1, engagement=Engagement(likes=10**30), author=Author("x", "1", followers=10**40)))
    classify(store)
    (item,) = store.triage.waiting(1)
    assert item.mention.author.followers == 2**63 - 1


def test_a_failed_poll_keeps_the_cursor_and_counts_until_one_succeeds(store: Store) -> None:
    save(store, mention(1))
    for count in (1, 2):
        failures = store.collecting.save_failure(WATCH.id, "503", now=NOW, next_poll_at=NOW + timedelta(hours=1))
        assert failures == count
    state = store.collecting.state(WATCH.id)
    assert (state.cursor, state.failures, state.problem) == ("c1", 2, "503")
    save(store, mention(2))
    assert store.collecting.state(WATCH.id).failures == 0


def test_a_gap_that_goes_on_is_one_gap(store: Store) -> None:
    for hours in (1, 2):
        gap = Gap(NOW, NOW + timedelta(hours=hours), "quota")
        store.collecting.save_failure(WATCH.id, "quota", now=NOW, next_poll_at=NOW, gap=gap)
    assert store.collecting.gaps() == [(WATCH.id, Gap(NOW, NOW + timedelta(hours=2), "quota"))]


def test_skipped_items_are_counted_by_reason_with_the_last_sample(store: Store) -> None:
    skipped = (
        Skipped("no date", "a.csv:3", "x"),
        Skipped("no date", "a.csv:9", "y"),
        Skipped("system", "a.csv:4", broken=False),
    )
    save(store, page=Page((), "c1", skipped=skipped))
    rows = {row["reason"]: row for row in store.collecting.skipped()}
    assert (rows["no date"]["count"], rows["no date"]["last_where"], rows["no date"]["broken"]) == (2, "a.csv:9", True)
    assert rows["system"]["broken"] is False


def test_classifying_twice_changes_nothing(store: Store) -> None:
    save(store, mention(1))
    (item,) = store.classifying.waiting(10)
    for _ in range(2):
        store.classifying.save([Classified(item.mention_id, CALM, None, bands(item.text))], NOW)
    assert store.classifying.count_waiting() == 0
    assert store.counts()["classifications"] == 1


def test_exact_copies_reposts_and_near_copies_find_their_original(store: Store) -> None:
    text = "the kettle by acme leaked after two days and the support does not answer my messages"
    save(
        store,
        mention(1, text=text),
        mention(2, text=f"RT @ann: {text.upper()}!!"),
        mention(3, text="so true, all of it", repost_of_id="1"),
    )
    first, second, third = store.classifying.waiting(10)
    originals = store.classifying.originals([first, second, third], NOW - timedelta(days=1))
    assert originals == {second.mention_id: first.mention_id, third.mention_id: first.mention_id}
    store.classifying.save([Classified(first.mention_id, CALM, None, bands(text))], NOW)
    near = text.replace("two days", "three days")
    found = store.classifying.candidates(bands(near), second.mention_id, NOW - timedelta(days=1))
    assert found == [(first.mention_id, text)]


def test_bands_leave_with_their_window(store: Store) -> None:
    save(store, mention(1))
    classify(store)
    store.classifying.forget_bands(NOW + timedelta(days=15), timedelta(days=14))
    assert store.classifying.candidates(bands(mention(1).text), 99, NOW - timedelta(days=1)) == []


def test_spread_counts_other_authors_copies_and_answers_in_the_window(store: Store) -> None:
    text = "the kettle by acme leaked after two days and the support does not answer"
    root = mention(1, text=text, conversation_id="1")
    save(
        store,
        root,
        mention(2, text=text, conversation_id="1"),
        mention(3, text="same", conversation_id="1"),
        mention(4, text=text, author=root.author),
        mention(90, text=text),
    )
    first, *others = store.classifying.waiting(10)
    copies = {item.mention_id: first.mention_id for item in others if item.text == text}
    store.classifying.save(
        [Classified(i.mention_id, CALM, copies.get(i.mention_id), ()) for i in (first, *others)], NOW
    )
    item = store.triage.waiting(1)[0]
    assert store.triage.spread(item, timedelta(hours=1)) == (1, 2)


def test_a_live_alert_is_found_by_its_strongest_tie_and_only_while_it_is_live(store: Store) -> None:
    save(store, mention(1), mention(2))
    classify(store)
    first, second = store.triage.waiting(10)
    by_author = raise_alert(store, first.match_id, "author")
    by_copy = raise_alert(store, second.match_id, "copy")
    with store.triage.transaction() as transaction:
        found = transaction.live_alert(["author", "copy"], NOW, timedelta(hours=1))
        assert found is not None
        assert found.id == by_author
        assert transaction.live_alert(["nothing"], NOW, timedelta(hours=1)) is None
        assert transaction.live_alert(["copy"], NOW + timedelta(hours=2), timedelta(hours=1)) is None
        assert transaction.live_alert(["copy"], NOW - timedelta(hours=2), timedelta(hours=1)) is None
    assert by_copy != by_author


def test_joining_raises_severity_and_shows_the_worst_post_but_never_lowers(store: Store) -> None:
    save(store, mention(1), mention(2), mention(3))
    classify(store)
    first, second, third = store.triage.waiting(10)
    alert_id = raise_alert(store, first.match_id, "k")
    join(store, alert_id, second.match_id, severity=3, priority=0.9)
    join(store, alert_id, third.match_id, severity=1, priority=0.1)
    alert = store.triage.alert(alert_id)
    assert alert is not None
    assert (alert.severity, alert.priority, alert.mentions, alert.match_id) == (3, 0.9, 3, second.match_id)


def test_a_change_replaces_a_message_nobody_tried_and_edits_one_that_was_sent(store: Store) -> None:
    save(store, *(mention(number) for number in range(1, 6)))
    classify(store)
    items = store.triage.waiting(10)
    alert_id = raise_alert(store, items[0].match_id, "k", payload="first")
    join(store, alert_id, items[1].match_id, severity=2, priority=0.1, payload="second")
    outbox = store.outbox
    taken = outbox.claim("r", NOW, timedelta(minutes=1))
    assert taken is not None
    assert (taken.kind, taken.payload) == ("alert", "second")
    join(store, alert_id, items[2].match_id, severity=2, priority=0.1, payload="third")
    assert outbox.claim("r", NOW, timedelta(minutes=1)) is None  # an edit waits for its message
    outbox.sent(taken, "C1", "ts1", NOW)
    join(store, alert_id, items[3].match_id, severity=2, priority=0.1, payload="fourth")
    edit = outbox.claim("r", NOW, timedelta(minutes=1))
    assert edit is not None
    assert (edit.kind, edit.payload, edit.channel, edit.message_id) == ("update", "fourth", "C1", "ts1")
    assert outbox.claim("r", NOW, timedelta(minutes=1)) is None


def test_what_a_dead_sender_had_taken_is_taken_again_as_possibly_sent(store: Store) -> None:
    save(store, mention(1))
    classify(store)
    raise_alert(store, store.triage.waiting(1)[0].match_id, "k")
    first = store.outbox.claim("r", NOW, timedelta(minutes=1))
    assert first is not None
    assert not first.ambiguous
    assert store.outbox.claim("r", NOW + timedelta(seconds=30), timedelta(minutes=1)) is None
    second = store.outbox.claim("r", NOW + timedelta(seconds=61), timedelta(minutes=1))
    assert second is not None
    assert (second.key, second.attempts, second.ambiguous) == (first.key, 2, True)
    store.outbox.retry(first, "too late", NOW, ambiguous=False)  # the first sender wakes up: nothing changes
    store.outbox.sent(second, "C1", "ts", NOW)
    assert [row["state"] for row in store.outbox.rows(("sent",))] == ["sent"]


def test_a_disabled_receivers_unsent_alerts_move_to_another_with_a_word_to_operators(store: Store) -> None:
    save(store, mention(1), mention(2))
    classify(store)
    one, two = store.triage.waiting(10)
    raise_alert(store, one.match_id, "a")
    raise_alert(store, two.match_id, "b", receivers=("r", "s"))
    assert store.outbox.disable("r", "token revoked", "s", "message", NOW) == 1  # s had the second one already
    kinds = []
    while (item := store.outbox.claim("s", NOW, timedelta(minutes=1))) is not None:
        kinds.append(item.kind)
        store.outbox.sent(item, "", "", NOW)
    assert sorted(kinds) == ["alert", "alert", "operator"]
    assert store.outbox.claim("r", NOW, timedelta(minutes=1)) is None
    assert store.outbox.disabled() == {"r": "token revoked"}


def test_a_dead_alerts_edits_go_with_it(store: Store) -> None:
    save(store, mention(1), mention(2))
    classify(store)
    one, two = store.triage.waiting(10)
    alert_id = raise_alert(store, one.match_id, "a")
    item = store.outbox.claim("r", NOW, timedelta(minutes=1))
    assert item is not None
    join(store, alert_id, two.match_id, severity=2, priority=0.1)
    store.outbox.dead(item, "too long")
    assert {row["state"] for row in store.outbox.rows(("pending", "dead"))} == {"dead"}


def an_edit_overtaken_while_it_is_sent(store: Store) -> OutboxItem:
    save(store, mention(1), mention(2), mention(3))
    classify(store)
    one, two, three = store.triage.waiting(10)
    alert_id = raise_alert(store, one.match_id, "a")
    first = store.outbox.claim("r", NOW, timedelta(minutes=1))
    assert first is not None
    store.outbox.sent(first, "C1", "ts", NOW)
    join(store, alert_id, two.match_id, severity=2, priority=0.1, payload="older")
    older = store.outbox.claim("r", NOW, timedelta(minutes=1))
    assert older is not None
    join(store, alert_id, three.match_id, severity=2, priority=0.1, payload="newer")
    return older


def test_an_edit_that_a_newer_one_overtook_is_dropped_whatever_happens(store: Store) -> None:
    older = an_edit_overtaken_while_it_is_sent(store)
    store.outbox.retry(older, "500", NOW, ambiguous=True)  # two waiting edits of one message are not allowed
    newer = store.outbox.claim("r", NOW, timedelta(minutes=1))
    assert newer is not None
    assert newer.payload == "newer"
    store.outbox.sent(newer, "C1", "ts", NOW)
    assert store.outbox.claim("r", NOW + timedelta(days=1), timedelta(minutes=1)) is None


def test_a_daemon_killed_while_it_sent_an_edit_that_was_overtaken_starts_again(store: Store) -> None:
    an_edit_overtaken_while_it_is_sent(store)
    store.outbox.release()
    newer = store.outbox.claim("r", NOW, timedelta(minutes=1))
    assert newer is not None
    assert newer.payload == "newer"


def test_a_message_to_operators_waits_once(store: Store) -> None:
    for _ in range(3):
        store.outbox.tell("r", "the same", NOW)
    assert len(store.outbox.rows(("pending",))) == 1


@pytest.mark.parametrize(
    ("url", "says"), [("nonsense", "store.url is not usable"), ("mysql://a/b", "store.url is not usable")]
)
def test_an_unusable_url_says_what_to_write(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        Store(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "listener.db").write_bytes(b"this is not a database, but a letter to it" * 50)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path}/listener.db")
