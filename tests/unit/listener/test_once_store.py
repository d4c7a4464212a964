"""What the store takes once: a second try is told so, on both databases."""

from datetime import UTC, datetime

from listener.model import AlertState
from listener.store import Store
from listener.store.engine import is_first_press
from listener.store.triage import NewAlert

NOW = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)


def test_a_press_is_the_first_once(store: Store) -> None:
    said = []
    for key in ("a", "a", "b", "a"):
        with store._engine.begin() as connection:
            said.append(is_first_press(connection, key, NOW))
    assert said == [True, False, True, False]


def test_an_alerts_message_is_new_to_a_receiver_once(store: Store) -> None:
    new = NewAlert(
        None, "acme", "FR", "hub", 2, 0.5, "delivery", None, False, (), NOW, "hub", None, None, kind="incident"
    )
    with store.incidents.transaction() as transaction:
        alert = transaction.open_alert(new, [], NOW)
        said = [transaction.post(alert.id, receiver, "{}", NOW) for receiver in ("desk", "desk", "log")]
        assert alert.state is AlertState.OPEN
    assert said == [True, False, True]


def test_a_readers_week_is_recorded_once(store: Store) -> None:
    made = []
    for reader, week in (("board", "2026-W46"), ("board", "2026-W46"), ("board", "2026-W47"), ("france", "2026-W46")):
        with store.digests.recording(reader, week, "{}", NOW) as recording:
            made.append(recording is not None)
    assert made == [True, False, True, True]


def test_a_weeks_irritants_of_a_brand_are_stored_once(store: Store) -> None:
    said = [store.causes.save("2026-W46", brand, [], 0, NOW) for brand in ("acme", "acme", "bolt")]
    assert said == [True, False, True]
