import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.desk_room import HOSTILE, DeskRoom


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskRoom]:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield DeskRoom(room)
    room.close()


def test_a_draft_stands_in_the_box_and_another_can_be_put_there(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager")
    page = browser.get(f"/alerts/{alert.id}/reply").text
    boxes = [re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]]  # type: ignore[index]
    assert "Anna" in boxes[0]
    values = re.findall(r'<option value="([^"]+)"', page.split('name="variant"')[1].split("</select>")[0])
    assert len(values) > 1
    picked = browser.post(f"/alerts/{alert.id}/reply", {"variant": values[1], "text": "mine", "step": "pick"}).text
    boxes.append(re.search(r"<textarea[^>]*>(.*?)</textarea>", picked, re.DOTALL)[1])  # type: ignore[index]
    assert boxes[0] != boxes[1]
    assert "mine" not in boxes[1]


def test_what_is_typed_stays_and_is_counted_as_the_network_counts(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager")
    page = browser.post(f"/alerts/{alert.id}/reply", {"text": "好" * 141, "step": "check"}).text
    assert "282 of 280 characters" in page
    assert "will not take a text of this length" in page
    assert "好" * 141 in page
    part = browser.post(f"/alerts/{alert.id}/reply", {"text": "Hello"}, headers={"hx-request": "true"}).text
    assert "5 of 280 characters" in part
    assert "<textarea" not in part
    assert "text=Hello" in unescape(part)


def test_what_must_not_stand_in_public_is_warned_of(desk: DeskRoom) -> None:
    alert = desk.complain()
    page = desk.room.client("community-manager").post(
        f"/alerts/{alert.id}/reply", {"text": "Call +33 6 12 34 56 78 or write to anna@example.org"}
    )
    assert "phone or account number" in page.text
    assert "e-mail address" in page.text


def test_a_reply_that_was_sent_is_noted_with_its_draft(desk: DeskRoom) -> None:
    alert = desk.complain()
    browser = desk.room.client("community-manager", full_name="Ravi Rao")
    variant = alert.variants[1]
    browser.post(f"/alerts/{alert.id}/replied", {"press": "a", "where": "public", "variant": variant})
    said = next(one for one in desk.store.alerts.history(alert.id) if one.kind == "replied")
    assert (said.data["variant"], said.actor) == (variant, "Ravi Rao")


def test_only_those_who_act_write_and_only_in_their_countries(desk: DeskRoom) -> None:
    alert, burst = desk.complain(), desk.burst()
    path = f"/alerts/{alert.id}/reply"
    assert desk.room.client("viewer").get(path).status_code == 403
    assert desk.room.client("community-manager", ["JP"]).get(path).status_code == 404
    assert desk.room.client("community-manager").get(f"/alerts/{burst}/reply").status_code == 404
    assert desk.room.client("community-manager").get("/alerts/99/reply").status_code == 404


def test_hostile_texts_stay_texts(desk: DeskRoom) -> None:
    alert = desk.complain(HOSTILE + " Acme", name=HOSTILE[:200])
    browser = desk.room.client("community-manager")
    for page in (
        browser.get(f"/alerts/{alert.id}/reply?variant=%22%3E%3Cscript%3E").text,
        browser.post(f"/alerts/{alert.id}/reply", {"text": "</textarea>" + HOSTILE, "variant": HOSTILE}).text,
    ):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert page.count("</textarea>") == 1


def test_warnings_steps_and_notes_are_said_in_the_visitors_language(desk: DeskRoom) -> None:
    alert = desk.complain(language="el")
    text = "We promise a refund! Send your card and phone number to anna@example.org 😀" + "!" * 200
    german = desk.room.client("community-manager", language="de")
    english = desk.room.client("community-manager")
    said = []
    for browser in (german, english):
        page = browser.post(f"/alerts/{alert.id}/reply", {"text": text}).text
        warnings = re.findall("<li[^>]*>(.*?)</li>", page.split('class="notice warn warnings"')[1].split("</ul>")[0])
        steps = re.findall('class="steps-text"[^>]*>(.*?)</p>', page, re.DOTALL)
        said.append([*warnings, *steps[0].splitlines()])
    assert len(said[0]) == len(said[1]) > 6
    assert not set(said[0]) & set(said[1])
    assert not any(word in " ".join(said[0]) for word in (" the ", " this ", "bank card", "Greek", "English"))
