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
from listener.store.outbox import ENDED, UNSENT, OutboxItem, new_notification
from listener.store.schema import metadata, notifications
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
    new = NewAlert(
        match_id, "acme", "FR", "desk", 2, 0.5, "delivery", "late-delivery", False, ["open-problem"], NOW, "desk", None,
        None,
    )  # fmt: skip
    with store.triage.transaction() as transaction:
        alert_id = transaction.open_alert(new, keys, NOW).id
        for receiver in receivers:
            transaction.post(alert_id, receiver, payload, NOW)
        transaction.decided(match_id, "raised", priority=0.5, influence=0.1, velocity=0.0, now=NOW)
    return alert_id


def join(store: Store, alert_id: int, match_id: int, *, severity: int, priority: float, payload: str = "new") -> None:
    alert = store.alerts.alert(alert_id)
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
        transaction.show(alert_id, payload, NOW)


def is_no_index_of_words(name: str | None, kind: str, _: object) -> bool:
    """Each database has its own kind, with tables of its own behind it."""
    return kind != "table" or not str(name).startswith("search_words")


def test_the_migrations_make_exactly_the_tables_of_the_schema(empty_url: str) -> None:
    Store(empty_url).close()
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_no_index_of_words})
        differences = compare_metadata(context, metadata)
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
    alert = store.alerts.alert(alert_id)
    assert alert is not None
    assert (alert.severity, alert.priority, alert.mentions, alert.match_id) == (3, 0.9, 3, second.match_id)


LEASE = timedelta(minutes=1)


def raised(store: Store, count: int = 1, receivers: tuple[str, ...] = ("r",)) -> list[int]:
    """Raise alerts whose cards wait for the receivers."""
    save(store, *(mention(number) for number in range(1, count + 1)))
    classify(store)
    items = store.triage.waiting(count)
    return [raise_alert(store, item.match_id, f"k{item.match_id}", receivers=receivers) for item in items]


def show(store: Store, alert_id: int, payload: str) -> None:
    with store.alerts.transaction() as transaction:
        transaction.show(alert_id, payload, NOW)


def note(store: Store, alert_id: int, payload: str = "note") -> None:
    with store.alerts.transaction() as transaction:
        transaction.note(alert_id, payload, NOW)


def take(store: Store, receiver: str = "r", now: datetime = NOW) -> OutboxItem:
    item = store.outbox.claim(receiver, now, LEASE)
    assert item is not None
    return item


def nothing_is_due(store: Store, receiver: str = "r", now: datetime = NOW) -> bool:
    return store.outbox.claim(receiver, now, LEASE) is None


def send_all(store: Store, receiver: str = "r") -> list[OutboxItem]:
    sent = []
    while (item := store.outbox.claim(receiver, NOW, LEASE)) is not None:
        store.outbox.sent(item, ("C1", f"ts{item.id}", ""), NOW)
        sent.append(item)
    return sent


def states(store: Store, receiver: str = "r") -> list[tuple[str, str]]:
    rows = store.outbox.rows((*UNSENT, *ENDED, "sent"), receiver=receiver)
    return sorted((row["kind"], row["state"]) for row in rows)


def test_a_change_replaces_a_message_nobody_tried_and_edits_one_that_was_sent(store: Store) -> None:
    save(store, *(mention(number) for number in range(1, 6)))
    classify(store)
    items = store.triage.waiting(10)
    alert_id = raise_alert(store, items[0].match_id, "k", payload="first")
    join(store, alert_id, items[1].match_id, severity=2, priority=0.1, payload="second")
    taken = take(store)
    assert (taken.kind, taken.payload, taken.parent) == ("alert", "second", None)
    join(store, alert_id, items[2].match_id, severity=2, priority=0.1, payload="third")
    assert nothing_is_due(store)  # an edit waits for its message
    store.outbox.sent(taken, ("C1", "ts1", ""), NOW)
    join(store, alert_id, items[3].match_id, severity=2, priority=0.1, payload="fourth")
    edit = take(store)
    assert (edit.kind, edit.payload, edit.parent) == ("update", "fourth", ("C1", "ts1", ""))
    assert nothing_is_due(store)


def test_what_a_dead_sender_had_taken_is_taken_again_as_possibly_sent(store: Store) -> None:
    raised(store)
    first = take(store)
    assert not first.ambiguous
    assert nothing_is_due(store, now=NOW + timedelta(seconds=30))
    second = take(store, now=NOW + timedelta(seconds=61))
    assert (second.key, second.attempts, second.ambiguous, second.tried_at) == (first.key, 2, True, NOW)
    store.outbox.retry(first, "too late", NOW, ambiguous=False)  # the first sender wakes up: nothing changes
    assert store.outbox.sent(first, ("C1", "other", ""), NOW) is False
    assert store.outbox.sent(second, ("C1", "ts", ""), NOW) is True
    assert [(row["state"], row["message_id"]) for row in store.outbox.rows(("sent",))] == [("sent", "ts")]


def test_what_a_killed_daemon_had_taken_is_left_alone_for_a_moment_at_its_next_start(store: Store) -> None:
    raised(store)
    take(store)
    store.outbox.release(NOW + timedelta(seconds=5))
    assert nothing_is_due(store, now=NOW + timedelta(seconds=4))
    assert take(store, now=NOW + timedelta(seconds=5)).ambiguous


def test_a_disabled_receivers_unsent_alerts_move_to_another_with_a_word_to_operators(store: Store) -> None:
    save(store, mention(1), mention(2))
    classify(store)
    one, two = store.triage.waiting(10)
    raise_alert(store, one.match_id, "a")
    raise_alert(store, two.match_id, "b", receivers=("r", "s"))
    assert store.outbox.disable("r", "token revoked", "s", "message", NOW) == 1  # s had the second one already
    assert sorted(item.kind for item in send_all(store, "s")) == ["alert", "alert", "message"]
    assert nothing_is_due(store)
    assert store.outbox.disabled() == {"r": "token revoked"}
    assert states(store) == [("alert", "moved"), ("alert", "moved")]
    problems = {row["problem"] for row in store.outbox.rows(("moved",))}
    assert problems == {"r: token revoked (moved to s)"}


def test_a_card_moves_with_its_latest_look_and_its_notes_follow_into_its_new_thread(store: Store) -> None:
    (alert_id,) = raised(store)
    item = take(store)
    show(store, alert_id, "latest")
    note(store, alert_id)
    store.outbox.hand_over(item, "s", "refused", "message", NOW)
    card, *others = send_all(store, "s")
    assert (card.kind, card.payload) == ("alert", "latest")
    assert {(one.kind, one.parent) for one in others} == {("message", None), ("note", ("C1", f"ts{card.id}", ""))}
    assert {state for _, state in states(store)} == {"moved"}


def test_what_moves_back_to_where_it_came_from_is_shown_there(store: Store) -> None:
    raised(store)
    store.outbox.disable("r", "gone", "s", "one", NOW)
    store.outbox.disable("s", "gone too", "r", "two", NOW)
    assert [item.kind for item in send_all(store)] == ["alert", "message", "message"]


def test_what_is_held_back_stays_so_when_it_moves(store: Store) -> None:
    (alert_id,) = raised(store)
    later = NOW + timedelta(hours=1)
    with store.alerts.transaction() as transaction:
        (posted,) = transaction.posted(alert_id)
        transaction.rehold([posted.id], "silence:1", NOW, later)
    store.outbox.disable("r", "gone", "s", "message", NOW)
    assert [item.kind for item in send_all(store, "s")] == ["message"]
    (row,) = [row for row in store.outbox.rows(receiver="s") if row["kind"] == "alert"]
    assert (row["held"], row["due_at"]) == ("silence:1", later)


def test_a_note_moves_as_a_message_unless_the_other_receiver_was_given_it(store: Store) -> None:
    alone, shared = raised(store, 2)
    with store.alerts.transaction() as transaction:
        transaction.post(shared, "s", "{}", NOW)
    send_all(store)
    note(store, alone)
    note(store, shared)
    store.outbox.disable("r", "gone", "s", "word", NOW)
    assert sorted(item.kind for item in send_all(store, "s")) == ["alert", "message", "message", "note"]


def test_a_dead_cards_notes_die_with_it_and_all_come_back_in_the_latest_look(store: Store) -> None:
    (alert_id,) = raised(store)
    item = take(store)
    show(store, alert_id, "latest")
    note(store, alert_id)
    store.outbox.dead(item, "too long")
    assert states(store) == [("alert", "dead"), ("note", "dead"), ("update", "superseded")]
    assert store.outbox.family([item.id]) == [row["id"] for row in reversed(store.outbox.rows(("dead",)))]
    assert store.outbox.resend([item.id], NOW) == 2
    card, told = send_all(store)
    assert (card.payload, card.ambiguous, card.attempts) == ("latest", True, 1)
    assert told.parent == ("C1", f"ts{card.id}", "")


def test_a_note_written_while_its_card_died_does_not_wait_for_ever(store: Store) -> None:
    (alert_id,) = raised(store)
    item = take(store)
    store.outbox.dead(item, "too long")
    orphan(store, alert_id, item.id, "note")
    orphan(store, alert_id, item.id, "update")
    assert nothing_is_due(store)
    assert states(store) == [("alert", "dead"), ("note", "dead"), ("update", "superseded")]
    assert store.outbox.receivers_waiting() == []


def test_a_card_whose_incident_came_to_nothing_is_shown_by_itself(store: Store) -> None:
    incident, member = raised(store, 2)
    with store.alerts.transaction() as transaction:
        (above,), (own,) = transaction.posted(incident), transaction.posted(member)
        transaction._connection.execute(
            notifications.update().where(notifications.c.id == own.id).values(parent_id=above.id)
        )
    item = take(store)
    assert item.id == above.id
    assert nothing_is_due(store)
    store.outbox.dead(item, "too long")
    card = take(store)
    assert (card.id, card.parent) == (own.id, None)


def orphan(store: Store, alert_id: int, parent_id: int, kind: str) -> None:
    """Write what a transaction that saw its parent alive would have written."""
    with store.alerts.transaction() as transaction:
        row = new_notification(alert_id, "r", kind, "late", NOW, parent_id=parent_id)
        transaction._connection.execute(notifications.insert().values(row))


def test_dead_letters_that_are_given_up_say_who_and_why(store: Store) -> None:
    (alert_id,) = raised(store)
    item = take(store)
    note(store, alert_id)
    store.outbox.dead(item, "too long")
    assert store.outbox.acknowledge([item.id], "dropped by ann: known") == 2
    assert {row["problem"] for row in store.outbox.rows(("dropped",))} == {"too long [dropped by ann: known]"}
    assert store.outbox.resend([item.id], NOW) == 0


def test_only_the_newest_of_a_messages_dead_edits_is_sent_again(store: Store) -> None:
    (alert_id,) = raised(store)
    send_all(store)
    for payload in ("old", "new"):
        show(store, alert_id, payload)
        store.outbox.dead(take(store), "refused")
    dead = [row["id"] for row in store.outbox.rows(("dead",))]
    assert store.outbox.resend(dead, NOW) == 1
    assert take(store).payload == "new"


def test_an_edit_of_a_deleted_message_is_dropped_with_its_reason(store: Store) -> None:
    (alert_id,) = raised(store)
    send_all(store)
    show(store, alert_id, "new")
    store.outbox.drop(take(store), "somebody deleted it")
    (row,) = store.outbox.rows(("dropped",))
    assert row["problem"] == "somebody deleted it"
    assert store.outbox.rows(("dead",)) == []


def test_one_message_is_edited_by_one_sender_at_a_time(store: Store) -> None:
    (alert_id,) = raised(store)
    send_all(store)
    show(store, alert_id, "older")
    older = take(store)
    show(store, alert_id, "newer")
    assert nothing_is_due(store)
    store.outbox.sent(older, ("C1", "ts", ""), NOW)
    assert take(store).payload == "newer"


def an_edit_overtaken_while_it_is_sent(store: Store) -> OutboxItem:
    (alert_id,) = raised(store)
    send_all(store)
    show(store, alert_id, "older")
    older = take(store)
    show(store, alert_id, "newer")
    return older


def test_an_edit_that_a_newer_one_overtook_is_dropped_whatever_happens(store: Store) -> None:
    older = an_edit_overtaken_while_it_is_sent(store)
    store.outbox.retry(older, "500", NOW, ambiguous=True)  # two waiting edits of one message are not allowed
    newer = take(store)
    assert newer.payload == "newer"
    store.outbox.sent(newer, ("C1", "ts", ""), NOW)
    assert nothing_is_due(store, now=NOW + timedelta(days=1))


def test_an_overtaken_edit_whose_sender_died_waits_for_nobody(store: Store) -> None:
    an_edit_overtaken_while_it_is_sent(store)
    later = NOW + timedelta(minutes=2)
    store.outbox.sent(take(store, now=later), ("C1", "ts", ""), later)
    assert nothing_is_due(store, now=later)
    assert store.outbox.receivers_waiting() == []


def test_a_daemon_killed_while_it_sent_an_edit_that_was_overtaken_starts_again(store: Store) -> None:
    an_edit_overtaken_while_it_is_sent(store)
    store.outbox.release()
    assert take(store).payload == "newer"


def test_a_message_to_operators_waits_once(store: Store) -> None:
    for _ in range(3):
        store.outbox.tell("r", "the same", NOW)
    assert len(store.outbox.rows(("pending",))) == 1


def test_old_edits_are_dropped_and_messages_keep_their_place(store: Store) -> None:
    (alert_id,) = raised(store)
    send_all(store)
    show(store, alert_id, "new")
    send_all(store)
    assert store.outbox.prune(NOW) == 0
    assert store.outbox.prune(NOW + timedelta(seconds=1)) == 1
    assert states(store) == [("alert", "sent")]


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
