"""The pages of those who answer, over PostgreSQL: every page once, and an alert's whole way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_room import ConsoleRoom
from tests.databases import migrated_database
from tests.desk_room import DeskRoom


@pytest.fixture
def desk(tmp_path: Path, postgres_url: str) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_database(postgres_url))
    yield DeskRoom(room)
    room.close()


def test_every_page_opens(desk: DeskRoom) -> None:
    alert = desk.complain("شركة Acme فقدت الطرد", language="ar")
    burst = desk.burst()
    admin = desk.room.client("admin")
    for path in (
        "/alerts", "/alerts?text=الطرد&state=all&owner=me", "/alerts/news?seen=0&told=0", f"/alerts/{alert.id}",
        f"/alerts/standings?id={alert.id}", f"/alerts/{alert.id}/reply", "/mentions?text=الطرد&country=FR",
        f"/mentions/{alert.match_id}", f"/mentions/{alert.match_id}/forget", "/incidents", f"/incidents/{burst}",
        "/digests", f"/explain?ref=A-{alert.id}", "/silences",
    ):  # fmt: skip
        assert admin.get(path).status_code == 200, path
    assert f'id="alert-{alert.id}"' in admin.get("/alerts", params={"text": "الطرد"}).text


def test_an_alert_is_claimed_answered_corrected_and_withdrawn(desk: DeskRoom) -> None:
    alert = desk.complain()
    lead = desk.room.client("communications-lead", full_name="Lea Roy")
    for act, fields in (("claim", {}), ("claim", {}), ("replied", {"where": "public"}), ("resolve", {"how": "solved"})):
        assert lead.post(f"/alerts/{alert.id}/{act}", {"press": act, **fields}).status_code == 303
    stored = desk.alert(alert.id)
    assert (stored.owner, stored.resolution) == ("Lea Roy", "solved")
    assert [one.kind for one in desk.store.alerts.history(alert.id)] == ["opened", "claimed", "replied", "resolved"]
    lead.post(f"/mentions/{alert.match_id}/corrections", {"press": "c", "topic": "quality"})
    assert desk.store.corrections.count() == 1
    lead.post(f"/mentions/{alert.match_id}/forget", {"press": "f", "sure": "yes"})
    assert "lost my parcel" not in lead.get(f"/alerts/{alert.id}").text
