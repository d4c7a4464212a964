"""Deleted and edited posts in the store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from classifiers.copies import bands, text_hash
from listener.model import Author, Classification, Mention, Page, Reason, Sentiment, Skipped, Urgency, Watch, Withdrawn
from listener.store import Arrival, Store
from listener.store.classifying import Classified
from listener.store.fates import Version, is_edit
from listener.store.triage import NewAlert
from listener.store.withdrawals import Reading

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
WATCH = Watch("x/FR/acme", "x", "acme", "FR", ("fr",), ("acme",))
WORDS = "my parcel is late, call me back on my number please"
ANSWER = Classification(
    "en", 0.9, Urgency.LOW, (0.1, 0.6, 0.2, 0.1), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {},
    "m1", reasons=(Reason("parcel", 0.4),),
)  # fmt: skip


def mention(number: int = 1, text: str = WORDS, **changes: object) -> Mention:
    author = Author("x", f"author-{number}", name="Ann", bio="nurse in Leeds", location="Leeds")
    made = Mention("x", str(number), text, NOW - timedelta(minutes=number), author, links={"post_id": str(number)})
    return replace(made, **changes)


def save(store: Store, *mentions: Mention, withdrawn: Sequence[Withdrawn] = (), watch: Watch = WATCH) -> None:
    arrivals = [Arrival(item, "FR", text_hash(item.text)) for item in mentions]
    page = Page(mentions, "c1", withdrawn=tuple(withdrawn))
    store.collecting.save_page(watch, page, arrivals, now=NOW, next_poll_at=NOW, max_age_s=None)


def classify(store: Store, found: Classification = ANSWER) -> int:
    waiting = store.classifying.waiting(100)
    store.classifying.save(
        [Classified(item.mention_id, found, None, bands(item.text), item.text) for item in waiting], NOW
    )
    return len(waiting)


def raise_alert(store: Store, match_id: int = 1) -> int:
    new = NewAlert(
        match_id=match_id, brand="acme", country="FR", team="desk", severity=2, priority=0.5, topic="delivery",
        playbook=None, pilot=False, rules=[], posted_at=NOW, now_with="desk", respond_by=None, resolve_by=None,
    )  # fmt: skip
    with store.triage.transaction() as transaction:
        alert_id = transaction.open_alert(new, [], NOW).id
        transaction.decided(match_id, "raised", priority=0.5, influence=0.1, velocity=0.0, now=NOW)
    return alert_id


def shown_text(store: Store, match_id: int = 1) -> tuple[str, str]:
    item = store.triage.item(match_id)
    assert item is not None
    return item.mention.text, item.fate


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("late  again\n", "late again"),
        ("late https://acme.example/a?id=7&utm_source=x", "late https://acme.example/a?id=7"),
        ("late https://t.co/AbC", "late https://t.co/XyZ"),
        ("w" * 120 + "…", "w" * 120 + " and more"),
        ("late\0 again", "late again"),
    ],
    ids=["blanks", "tracking", "short-link", "cut", "unstorable"],
)
def test_what_is_no_edit(before: str, after: str) -> None:
    assert not is_edit(before.replace("\0", ""), after)
    assert not is_edit(after, before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("late", "Late!"),
        ("see https://acme.example/a?id=7", "see https://acme.example/a?id=8"),
        ("Waiting...", "Waiting for three hours, my child is hurt"),
        ("call 1234", "call"),
    ],
)
def test_what_is_an_edit(before: str, after: str) -> None:
    assert is_edit(before, after)


def test_a_page_with_another_text_is_an_edit_that_waits_for_its_reading(store: Store) -> None:
    save(store, mention())
    classify(store)
    raise_alert(store)
    save(store, mention(text="all is well now, thank you all"))
    assert shown_text(store) == ("all is well now, thank you all", "edited")
    assert store.withdrawals.to_show() == []
    assert classify(store, replace(ANSWER, complaint=0.1, reasons=())) == 1
    assert store.withdrawals.to_show() == [1]
    item = store.triage.item(1)
    assert item is not None
    assert item.classification.complaint == pytest.approx(0.1)
    assert store.triage.waiting(10) == []


def test_the_same_page_again_is_no_edit(store: Store) -> None:
    save(store, mention())
    classify(store)
    save(store, mention(text=WORDS + "  "))
    assert shown_text(store) == (WORDS, "stands")
    assert classify(store) == 0


def test_an_older_version_does_not_come_back(store: Store) -> None:
    save(store, mention())
    save(store, mention(text="all is well", links={"post_id": "5"}))
    save(store, mention())
    classify(store)
    assert shown_text(store) == ("all is well", "edited")


def test_a_message_of_wechat_that_two_exporters_wrote_differently_is_not_edited(store: Store) -> None:
    save(store, mention(network="wechat", author=Author("wechat", "a")))
    save(store, mention(network="wechat", author=Author("wechat", "a"), text="[smile] parcel"))
    classify(store)
    assert shown_text(store) == (WORDS, "stands")


def test_an_edited_post_that_was_quiet_is_decided_on_anew_once_it_is_read(store: Store) -> None:
    save(store, mention())
    classify(store)
    with store.triage.transaction() as transaction:
        transaction.decided(1, "quiet", priority=0.0, influence=0.0, velocity=0.0, now=NOW)
    save(store, mention(text="it burns"))
    assert store.triage.waiting(10) == []
    classify(store)
    assert [item.mention.text for item in store.triage.waiting(10)] == ["it burns"]


def test_a_reading_of_words_that_changed_meanwhile_is_dropped(store: Store) -> None:
    save(store, mention(1), mention(2, "another parcel that never came to me"))
    stale = store.classifying.waiting(10)
    save(store, mention(1, "all is well"), withdrawn=[Withdrawn("x", "2")])
    store.classifying.save([Classified(one.mention_id, ANSWER, None, (), one.text) for one in stale], NOW)
    assert store.triage.item(1) is None
    assert store.triage.item(2) is None
    assert [one.text for one in store.classifying.waiting(10)] == ["all is well"]


def test_a_deleted_post_is_not_taken_in_again(store: Store) -> None:
    save(store, mention())
    classify(store)
    save(store, withdrawn=[Withdrawn("x", "1"), Withdrawn("x", "unknown")])
    with store.withdrawals.transaction() as transaction:
        post = transaction.changed_post(1)
        assert post is not None
        assert (post.text, post.is_deleted, post.author) == (WORDS, True, "Ann")
        transaction.forget_words(post)
        transaction.shown(1)
    save(store, mention(), watch=replace(WATCH, id="x/FR/other", brand="other"))
    assert shown_text(store) == ("", "deleted")
    assert store.counts()["matches"] == 1
    assert (classify(store), store.triage.waiting(10), store.withdrawals.to_show()) == (0, [], [])
    item = store.triage.item(1)
    assert item is not None
    assert (item.mention.author.bio, item.mention.author.location, item.mention.author.name) == ("", "", "Ann")
    assert item.classification.reasons == ()
    assert store.classifying.candidates(bands(WORDS), 10, NOW - timedelta(days=1)) == []


def forget(store: Store, mention_id: int) -> None:
    with store.withdrawals.transaction() as transaction:
        post = transaction.changed_post(mention_id)
        assert post is not None
        transaction.forget_words(post)


def test_an_author_with_another_post_keeps_the_profile(store: Store) -> None:
    first = mention()
    save(store, first, mention(2, "another parcel that never came", author=first.author))
    classify(store)
    store.withdrawals.withdraw([Withdrawn("x", "1")], NOW)
    forget(store, 1)
    item = store.triage.item(2)
    assert item is not None
    assert item.mention.author.bio == "nurse in Leeds"


def test_samples_of_skipped_items_lose_a_withdrawn_post(store: Store) -> None:
    arrival = Arrival(mention(77), "FR", "")
    page = Page((arrival.mention,), "c", skipped=(Skipped("a post without a date", "x:77", "{'text': 'my words'}"),))
    store.collecting.save_page(WATCH, page, [arrival], now=NOW, next_poll_at=NOW, max_age_s=None)
    (mention_id,) = store.withdrawals.withdraw([Withdrawn("x", "77")], NOW)
    forget(store, mention_id)
    assert [row["last_sample"] for row in store.collecting.skipped()] == [""]


def test_bare_reposts_go_with_their_original_and_quotes_stay(store: Store) -> None:
    save(
        store,
        mention(1),
        mention(2, f"RT @ann: {WORDS}", repost_of_id="1"),
        mention(3, "this happened to me as well, shame on them", repost_of_id="1"),
        mention(4),
    )
    assert len(store.withdrawals.withdraw([Withdrawn("x", "1")], NOW, "ann")) == 2
    fates = {number: store.withdrawals.fate("x", number) for number in ("1", "2", "3", "4")}
    assert fates == {"1": "deleted", "2": "deleted", "3": "stands", "4": "stands"}


def test_an_edit_that_leaves_no_text_is_a_deletion(store: Store) -> None:
    save(store, mention())
    classify(store)
    store.withdrawals.looked("x", ["1"], [Reading("1", Version(" ", ""))], NOW)
    assert store.withdrawals.fate("x", "1") == "deleted"


def test_posts_of_alerts_are_due_the_longest_unseen_first(store: Store) -> None:
    save(store, *(mention(number, f"parcel number {number} never came to me") for number in (1, 2, 3)))
    classify(store)
    for match_id in (1, 2):
        raise_alert(store, match_id)

    def due(at: datetime) -> list[str]:
        return [post.external_id for post in store.withdrawals.due("x", at - timedelta(hours=1), at, 10)]

    assert due(NOW) == []
    oldest, newest = due(LATER)
    store.withdrawals.looked("x", [oldest], [], LATER, cursor=("x/FR/acme", "c2"))
    assert due(LATER) == [newest]
    assert due(LATER + timedelta(hours=1)) == [newest, oldest]
    assert store.collecting.state("x/FR/acme").cursor == "c2"


def test_posts_of_alerts_closed_long_ago_are_not_due(store: Store) -> None:
    save(store, mention())
    classify(store)
    alert_id = raise_alert(store)
    with store.alerts.transaction() as transaction:
        transaction.change(alert_id, NOW, state="resolved", closed_at=NOW)
    for days, expected in ((6, 1), (8, 0)):
        at = NOW + timedelta(days=days)
        assert len(store.withdrawals.due("x", at - timedelta(hours=1), at, 10)) == expected


def test_a_post_is_withdrawn_by_the_id_of_its_latest_version_too(store: Store) -> None:
    save(store, mention(url="https://x.com/ann/status/1"))
    save(store, mention(text="all is well", links={"post_id": "5"}, url="https://x.com/ann/status/5"))
    assert store.withdrawals.withdraw([Withdrawn("x", "5")], NOW, "ann") == [1]
    assert store.withdrawals.fate("x", "1") == "deleted"
    assert store.withdrawals.fate("x", "6") is None


def test_a_corrections_text_goes_with_the_post(store: Store) -> None:
    save(store, mention())
    classify(store)
    target = store.corrections.target_of_post("x", "1")
    assert target is not None
    store.corrections.add(target, actor="ann", origin="cli", now=NOW, complaint=False)
    store.corrections.keep_texts([1])
    assert [one.text for one in store.corrections.effective()] == [WORDS]
    store.withdrawals.withdraw([Withdrawn("x", "1")], NOW)
    forget(store, 1)
    assert store.corrections.effective() == []
    assert len(store.corrections.history("x", "1")) == 1
