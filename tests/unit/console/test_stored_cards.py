"""Alerts whose cards are read back from the store, and teams that read a region's language."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_room import CONFIG, ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import DeskRoom


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def _configure(desk: DeskRoom, *changes: tuple[str, str]) -> None:
    path = desk.room.folder / "config.yaml"
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    desk.room.office.keeper.look()
    assert desk.room.office.keeper.look()


def test_a_team_that_reads_the_language_of_a_region_gets_its_pages(desk: DeskRoom) -> None:
    _configure(desk, ("languages: [en, fr]}", "languages: [en-US]}"))
    alert = desk.complain("荷物が届きません。誰も返事をくれません", author="haruka", name="はるか", language="ja")
    browser = desk.room.client("community-manager")
    assert 'lang="en-US"' in browser.get(f"/alerts/{alert.id}").text
    for path in (f"/alerts/{alert.id}/reply", "/playbooks/late-delivery?country=JP"):
        assert browser.get(path).status_code == 200, path


def test_an_alert_of_a_country_that_left_the_configuration_is_told_in_the_visitors_language(desk: DeskRoom) -> None:
    alert = desk.complain("荷物が届きません。誰も返事をくれません", author="haruka", name="はるか", language="ja")
    assert "  FR: {languages: [fr], timezone: Europe/Paris}\n" in CONFIG
    _configure(desk, ("  FR: {languages: [fr], timezone: Europe/Paris}\n", ""))
    page = desk.room.client("community-manager", language="fr").get(f"/alerts/{alert.id}")
    assert page.status_code == 200
    assert "Retrouver d’abord les contacts précédents" in page.text
    assert "Look up" not in page.text
