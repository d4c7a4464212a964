from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from listener.errors import StoreError
from listener.store import Store
from listener.store.corrections import LOOKED_BACK, Target
from listener.store.schema import alerts, classifications, copy_bands, matches, mentions
from tests.unit.listener.test_store import NOW, classify, mention, raise_alert, save

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def post(store: Store) -> Target:
    save(store, mention(1), mention(2))
    classify(store)
    found = store.corrections.target_of_post("x", "1")
    assert found is not None
    return found


def test_a_correction_remembers_what_the_model_had_said(store: Store, post: Target) -> None:
    store.corrections.add(post, complaint=False, urgency=0, actor="ann", origin="cli", now=LATER)
    (one,) = store.corrections.history("x", "1")
    assert (one.complaint, one.urgency, one.topic, one.actor, one.at) == (False, 0, None, "ann", LATER)
    assert (one.model, one.brand, one.country, one.language) == ("m1", "acme", "FR", "fr")
    assert one.said == {"complaint": 0.9, "urgency": 1, "topic": "delivery", "sentiment": "negative"}


def test_of_each_field_what_was_said_last_holds_and_the_history_stays(store: Store, post: Target) -> None:
    say = {"actor": "ann", "origin": "slack"}
    store.corrections.add(post, complaint=False, urgency=0, now=NOW, **say)
    store.corrections.add(post, urgency=3, topic="safety", now=LATER, **say)
    (one,) = store.corrections.effective()
    assert (one.complaint, one.urgency, one.topic, one.sentiment) == (False, 3, "safety", None)
    assert one.text == post.text
    assert len(store.corrections.history("x", "1")) == store.corrections.count() == 2


def test_what_was_said_last_holds_although_the_clock_was_set_back(store: Store, post: Target) -> None:
    say = {"actor": "ann", "origin": "slack"}
    store.corrections.add(post, complaint=False, urgency=0, now=NOW, **say)
    store.corrections.add(post, complaint=True, now=NOW - timedelta(hours=1), **say)
    (one,) = store.corrections.effective()
    assert (one.complaint, one.urgency) == (True, 0)
    assert [one.complaint for one in store.corrections.history("x", "1")] == [False, True]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "at least one of: complaint, urgency, topic, sentiment"),
        ({"urgency": 4}, "urgency cannot be 4; allowed: 0, 1, 2, 3"),
        ({"topic": "weather"}, "topic cannot be 'weather'; allowed: delivery"),
        ({"sentiment": "angry"}, "sentiment cannot be 'angry'"),
    ],
)
def test_what_is_no_label_is_refused(store: Store, post: Target, fields: dict, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        store.corrections.add(post, actor="ann", origin="cli", now=NOW, **fields)
    assert store.corrections.count() == 0


def test_the_post_of_an_alert_is_the_one_its_card_shows(store: Store, post: Target) -> None:
    alert_id = raise_alert(store, store.triage.waiting(10)[1].match_id, "k")
    found = store.corrections.target(alert_id)
    assert found is not None
    assert found.external_id == "2"
    assert store.corrections.target(alert_id + 1) is None
    assert store.corrections.target_of_post("x", "no such") is None
    assert store.corrections.target_of_post("x", "1", "other brand") is None


def drop(store: Store, external_id: str) -> None:
    """What pruning or a withdrawal does to a mention."""
    with store._engine.begin() as connection:
        (row_id,) = connection.execute(mentions.select().where(mentions.c.external_id == external_id)).first()[:1]
        for table in (classifications, copy_bands, matches):
            connection.execute(delete(table).where(table.c.mention_id == row_id))
        connection.execute(delete(mentions).where(mentions.c.id == row_id))


def test_a_withdrawn_post_takes_its_text_out_of_its_corrections(store: Store, post: Target) -> None:
    store.corrections.add(post, complaint=False, actor="ann", origin="cli", now=NOW)
    drop(store, "1")
    assert store.corrections.effective() == []
    (one,) = store.corrections.history("x", "1")
    assert (one.mention_id, one.complaint) == (None, False)


def test_a_post_dropped_for_its_age_can_leave_its_text_until_it_is_withdrawn(store: Store, post: Target) -> None:
    store.corrections.add(post, complaint=False, actor="ann", origin="cli", now=NOW)
    store.corrections.keep_texts([post.mention_id])
    drop(store, "1")
    (one,) = store.corrections.effective()
    assert one.text == post.text
    store.corrections.forget("x", "1")
    assert store.corrections.effective() == []


def test_alerts_left_standing_beside_corrected_ones_count_and_others_do_not(store: Store, post: Target) -> None:
    save(store, mention(3), mention(4), mention(5))
    classify(store)
    corrected, sent_one, unsent, dismissed, resolved = (item.match_id for item in store.triage.waiting(10))
    shown = [raise_alert(store, corrected, "a"), raise_alert(store, sent_one, "b"), raise_alert(store, dismissed, "c")]
    for alert_id in shown:
        with store._engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE notifications SET state = 'sent' WHERE alert_id = {alert_id}")
    raise_alert(store, unsent, "d")
    closed = raise_alert(store, resolved, "e")
    with store._engine.begin() as connection:
        connection.execute(update(alerts).where(alerts.c.id == shown[2]).values(state="dismissed"))
        connection.execute(update(alerts).where(alerts.c.id == closed).values(state="resolved"))
    assert [one.resolved for one in store.corrections.standing()] == [True]
    store.corrections.add(post, complaint=False, actor="ann", origin="cli", now=LATER)
    standing = store.corrections.standing()
    assert {(one.text, one.resolved) for one in standing} == {(mention(2).text, False), (mention(5).text, True)}
    assert {one.complaint for one in standing} == {0.9}


@pytest.mark.parametrize("at", [NOW - timedelta(seconds=1), NOW + LOOKED_BACK + timedelta(seconds=1)])
def test_alerts_that_nobody_looked_at_yet_or_long_before_do_not_count(store: Store, post: Target, at: datetime) -> None:
    other = store.triage.waiting(10)[1].match_id
    alert_id = raise_alert(store, other, "b")
    with store._engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE notifications SET state = 'sent' WHERE alert_id = {alert_id}")
    store.corrections.add(post, complaint=False, actor="ann", origin="cli", now=at.astimezone(UTC))
    assert store.corrections.standing() == []
