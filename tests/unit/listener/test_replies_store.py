"""What was answered before, as the store knows it: by author, thread and hour."""

from datetime import timedelta

import pytest

from listener.model import Author
from listener.store import Store
from listener.store.alerts import Earlier
from listener.store.replies import Thread
from listener.store.triage import NewAlert
from tests.unit.listener.test_store import NOW, classify, mention, save

ANN = Author("x", "ann", name="Ann")
DAY = timedelta(days=1)


def opened(store: Store, number: int, *variants: str, country: str = "FR", ago: timedelta = DAY, **post: object) -> int:
    """Open an alert about one more post, some time ago."""
    save(store, mention(number, **post), country=country)
    classify(store)
    match_id = store.triage.waiting(100)[0].match_id
    new = NewAlert(
        match_id, "acme", country, "desk", 2, 0.5, "delivery", "late-delivery", False, [], NOW, "desk", None, None,
        variants=variants,
    )  # fmt: skip
    with store.triage.transaction() as transaction:
        alert_id = transaction.open_alert(new, [], NOW - ago).id
        transaction.decided(match_id, "raised", priority=0.5, influence=0.1, velocity=0.0, now=NOW)
    return alert_id


def earlier(
    store: Store, *, alert_id: int | None = None, country: str = "FR", conversation: str | None = None
) -> Earlier:
    thread = Thread("acme", country, "x", "ann", conversation)
    with store.alerts.transaction() as transaction:
        alert = None if alert_id is None else transaction.alert(alert_id)
        found = transaction.earlier(thread, NOW, alert)
    if alert is not None:
        assert store.alerts.earlier(thread, NOW, alert) == found
    return found


def answer(store: Store, alert_id: int, **data: object) -> None:
    with store.alerts.transaction() as transaction:
        transaction.change(alert_id, NOW, replied_at=NOW)
        transaction.record(alert_id, "replied", data, NOW, "Olga")


def test_an_alert_keeps_the_order_of_its_drafts(store: Store) -> None:
    alert = store.alerts.alert(opened(store, 1, "late/fr/b", "late/fr/a"))
    assert alert is not None
    assert list(alert.variants) == ["late/fr/b", "late/fr/a"]
    assert alert.playbook_by is None


def test_what_the_author_the_thread_and_the_hour_saw_is_known(store: Store) -> None:
    opened(store, 1, "late/fr/a", author=ANN)
    opened(store, 2, "late/fr/b", conversation_id="c9")
    opened(store, 3, "late/fr/c", ago=timedelta(minutes=20))
    opened(store, 4, "late/fr/d")  # somebody else, elsewhere, yesterday
    opened(store, 5, "late/fr/e", country="BE", ago=timedelta(minutes=20))
    opened(store, 6, "late/fr/f", author=ANN, ago=timedelta(days=40))
    assert sorted(earlier(store, conversation="c9").variants) == ["late/fr/a", "late/fr/b", "late/fr/c"]
    assert sorted(earlier(store).variants) == ["late/fr/a", "late/fr/c"]
    assert sorted(earlier(store, country="BE").variants) == ["late/fr/a", "late/fr/e"]


def test_what_the_author_and_the_thread_saw_is_told_from_what_the_hour_saw(store: Store) -> None:
    opened(store, 1, "late/fr/a", author=ANN)
    second = opened(store, 2, "late/fr/b", conversation_id="c9")
    opened(store, 3, "late/fr/c", ago=timedelta(minutes=20))
    answer(store, second, variant="late/fr/d", public=True)
    assert sorted(earlier(store, conversation="c9").in_thread) == ["late/fr/a", "late/fr/b", "late/fr/d", "late/fr/d"]
    assert sorted(earlier(store).in_thread) == ["late/fr/a"]


def test_what_was_sent_counts_more_than_what_was_offered(store: Store) -> None:
    first = opened(store, 1, "late/fr/a", "late/fr/b", author=ANN)
    answer(store, first, variant="late/fr/b", public=True)
    assert sorted(earlier(store).variants) == ["late/fr/a", "late/fr/b", "late/fr/b"]
    own = earlier(store, alert_id=first)
    assert (list(own.variants), list(own.sent)) == ([], ["late/fr/b"])


def test_earlier_alerts_that_nobody_answered_are_counted(store: Store) -> None:
    assert earlier(store).unanswered == 0
    first = opened(store, 1, author=ANN, ago=3 * DAY)
    opened(store, 2, author=ANN, ago=2 * DAY)
    last = opened(store, 3, author=ANN, ago=timedelta(hours=1))
    opened(store, 4, ago=2 * DAY)
    assert earlier(store, alert_id=last).unanswered == 2
    assert earlier(store, alert_id=first).unanswered == 0
    answer(store, first)  # too late for the one that was opened before
    assert earlier(store, alert_id=last).unanswered == 2
    assert earlier(store).unanswered == 2


@pytest.mark.parametrize(("state", "count"), [("resolved", 1), ("dismissed", 0)])
def test_what_was_no_complaint_is_not_counted(store: Store, state: str, count: int) -> None:
    first = opened(store, 1, author=ANN)
    with store.alerts.transaction() as transaction:
        transaction.change(first, NOW, state=state)
    assert earlier(store).unanswered == count


def test_of_an_author_who_never_wrote_nothing_is_known(store: Store) -> None:
    assert earlier(store) == Earlier([], (), 0, [])
