"""What complaints are compared by: kept with their classification, and gone with the post."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from classifiers.copies import text_hash
from listener.model import Author, Classification, Mention, Page, Sentiment, Urgency, Watch, Withdrawn
from listener.store import Arrival, Store
from listener.store.classifying import Classified
from listener.store.fates import Version
from listener.store.withdrawals import Reading

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
WATCH = Watch("x/FR/acme", "x", "acme", "FR", ("fr",), ("acme",))
VECTOR = bytes(range(192))
FOUND = Classification(
    "en", 0.9, Urgency.LOW, (0.1, 0.6, 0.2, 0.1), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {}, "m1",
    embedding=VECTOR,
)  # fmt: skip


def save(store: Store, *texts: str) -> None:
    posts = [
        Mention("x", str(number), text, NOW, Author("x", f"author-{number}"), links={"post_id": str(number)})
        for number, text in enumerate(texts, 1)
    ]
    arrivals = [Arrival(post, "FR", text_hash(post.text)) for post in posts]
    store.collecting.save_page(WATCH, Page(posts, "c1"), arrivals, now=NOW, next_poll_at=NOW, max_age_s=None)


def classify(store: Store, found: Classification = FOUND) -> None:
    waiting = store.classifying.waiting(100)
    store.classifying.save([Classified(one.mention_id, found, None, (), one.text) for one in waiting], NOW)


def edit(store: Store, text: str) -> None:
    readings: Sequence[Reading] = [Reading("1", Version(text, text_hash(text)))]
    assert store.withdrawals.looked("x", ["1"], readings, NOW) == 1


def test_an_embedding_is_kept_and_comes_back_with_the_classification(store: Store) -> None:
    save(store, "my parcel is late", "thank you")
    first, second = store.classifying.waiting(100)
    calm = replace(FOUND, complaint=0.1, embedding=None)
    store.classifying.save(
        [Classified(first.mention_id, FOUND, None, ()), Classified(second.mention_id, calm, None, ())], NOW
    )
    assert store.causes.vectors([first.mention_id, second.mention_id]) == {first.mention_id: VECTOR}
    known = store.classifying.classifications([first.mention_id, second.mention_id])
    assert (known[first.mention_id].embedding, known[second.mention_id].embedding) == (VECTOR, None)


def test_an_edited_post_gets_the_embedding_of_its_new_words(store: Store) -> None:
    save(store, "my parcel is late")
    classify(store)
    edit(store, "my parcel is late and the box was open when it came at last")
    classify(store, replace(FOUND, embedding=VECTOR[::-1]))
    assert store.causes.vectors([1]) == {1: VECTOR[::-1]}


def test_a_post_that_complains_no_longer_loses_its_embedding(store: Store) -> None:
    save(store, "my parcel is late")
    classify(store)
    edit(store, "my parcel came after all, thank you so much everybody at the depot")
    classify(store, replace(FOUND, complaint=0.05, embedding=None))
    assert store.causes.vectors([1]) == {}


def test_a_deleted_post_loses_its_embedding_and_its_neighbour_does_not(store: Store) -> None:
    save(store, "my parcel is late", "my kettle is broken")
    classify(store)
    assert store.withdrawals.withdraw([Withdrawn("x", "1")], NOW) == [1]
    assert store.causes.vectors([1, 2]) == {2: VECTOR}


def test_a_post_that_was_deleted_while_it_was_classified_gets_none(store: Store) -> None:
    save(store, "my parcel is late")
    (waiting,) = store.classifying.waiting(100)
    store.withdrawals.withdraw([Withdrawn("x", "1")], NOW)
    store.classifying.save([Classified(waiting.mention_id, FOUND, None, (), waiting.text)], NOW)
    assert store.causes.vectors([1]) == {}
