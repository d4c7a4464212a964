"""What the delivery page asks the outbox, on both databases."""

from datetime import UTC, datetime, timedelta

from listener.store import Store
from listener.store.outbox import UNSENT
from listener.store.triage import NewAlert

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def alert(store: Store, country: str, receiver: str = "desk") -> int:
    new = NewAlert(None, "acme", country, "hub", 2, 0.5, "delivery", None, False, [], NOW, "hub", None, None)
    with store.triage.transaction() as transaction:
        raised = transaction.open_alert(new, [], NOW).id
        transaction.post(raised, receiver, "{}", NOW)
    return raised


def kill(store: Store, receiver: str = "desk") -> int:
    item = store.outbox.claim(receiver, NOW, MINUTE)
    assert item is not None
    store.outbox.dead(item, "refused")
    return item.id


def test_notifications_are_listed_with_the_country_of_their_alert(store: Store) -> None:
    french, japanese = alert(store, "FR"), alert(store, "JP", "other")
    dead = kill(store)
    store.outbox.tell("desk", '{"a": "word to operators"}', NOW)
    rows = store.outbox.listed((*UNSENT, "dead"))
    assert [(row["alert_id"], row["country"], row["state"]) for row in rows] == [
        (None, None, "pending"),
        (japanese, "JP", "pending"),
        (french, "FR", "dead"),
    ]
    assert "payload" not in rows[0]
    assert [row["id"] for row in store.outbox.listed(("dead",), countries=["FR"])] == [dead]
    assert store.outbox.listed((*UNSENT, "dead"), countries=["US"]) == []
    assert [row["alert_id"] for row in store.outbox.listed(UNSENT, receiver="other")] == [japanese]
    assert [row["country"] for row in store.outbox.listed((*UNSENT, "dead"), 1)] == [None]


def test_what_is_held_back_is_told_apart(store: Store) -> None:
    alert(store, "FR")
    with store.triage.transaction() as transaction:
        raised = transaction.open_alert(
            NewAlert(None, "acme", "FR", "hub", 1, 0.2, "delivery", None, False, [], NOW, "hub", None, None), [], NOW
        ).id
        transaction.post(raised, "desk", "{}", NOW + timedelta(hours=9), held="quiet")
    assert [row["held"] for row in store.outbox.listed(UNSENT, held=True)] == ["quiet"]
    assert [row["held"] for row in store.outbox.listed(UNSENT, held=False)] == [None]
    counted = {("desk", "pending", False): 1, ("desk", "pending", True): 1}
    assert store.outbox.unsent_counts() == store.outbox.unsent_counts(["FR"]) == counted
    kill(store)
    assert store.outbox.unsent_counts(["FR"]) == {("desk", "dead", False): 1, ("desk", "pending", True): 1}
    assert store.outbox.unsent_counts(["JP"]) == {}


def test_receivers_are_enabled_by_name(store: Store) -> None:
    for name in ("desk", "other"):
        store.outbox.disable(name, "revoked", None, "{}", NOW)
    assert store.outbox.enable(["desk", "unknown"]) == 1
    assert store.outbox.enable(["desk"]) == 0
    assert store.outbox.disabled() == {"other": "revoked"}
