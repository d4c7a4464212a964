import base64
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from listener.console.app import HEADERS
from listener.digest.json_file import load
from listener.model import Sentiment
from tests.console_room import ConsoleRoom
from tests.desk_room import HOSTILE
from tests.digest_room import Room
from tests.seeded import SeededRoom

READERS = """
digests:
  board: {receivers: [log], timezone: Europe/Paris, countries: [FR]}
  asia: {receivers: [log], timezone: Asia/Tokyo, countries: [JP]}
  legal: {receivers: [log], timezone: Europe/Paris, countries: [FR], personal_data: shown}
"""
WEEK = "2026-W46"
TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def seed(room: ConsoleRoom) -> None:
    path = room.folder / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + READERS, encoding="utf-8")
    room.office.keeper.look()
    assert room.office.keeper.look()
    week = Room(room.store, room.office.config, room.folder, room.clock)
    for country, number in (("FR", 6), ("JP", 3)):
        for one in range(number):
            week.post(
                f"Acme parcel {one} of {country} is late", TUESDAY + timedelta(hours=one), country=country,
                author=f"who{one}", complaint=0.9, tone=Sentiment.NEGATIVE,
            )  # fmt: skip
    assert week.step().run() == 3


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> SeededRoom:
    return SeededRoom(tmp_path_factory.mktemp("digests"), seed)


@pytest.fixture
def room(seeded: SeededRoom) -> Iterator[ConsoleRoom]:
    with closing(seeded.open()) as made:
        yield made


def test_digests_of_readers_are_listed(room: ConsoleRoom) -> None:
    page = room.client("admin").get("/digests").text
    for reader in ("board", "asia", "legal"):
        assert f'href="/digests/{reader}/{WEEK}"' in page
    assert "France" in page


def test_a_lead_sees_digests_of_their_countries_without_names(room: ConsoleRoom) -> None:
    lead = room.client("communications-lead", ["FR"])
    page = lead.get("/digests").text
    assert f'href="/digests/board/{WEEK}"' in page
    for reader in ("asia", "legal"):
        assert f"/digests/{reader}/" not in page
        for path in ("", "/page", "/file.json"):
            assert lead.get(f"/digests/{reader}/{WEEK}{path}").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "community-manager"])
def test_others_open_none(room: ConsoleRoom, role: str) -> None:
    browser = room.client(role)
    for path in ("", f"/board/{WEEK}", f"/board/{WEEK}/page", f"/board/{WEEK}/file.csv", f"/made/{WEEK}"):
        assert browser.get(f"/digests{path}").status_code == 403


def test_one_opens_with_what_matters_most_and_the_ways_to_all_of_it(room: ConsoleRoom) -> None:
    page = room.client("communications-lead").get(f"/digests/board/{WEEK}").text
    assert "What matters most" in page
    assert f'href="/digests/board/{WEEK}/page"' in page
    for kind in ("pdf", "xlsx", "csv", "json", "md"):
        assert f'href="/digests/board/{WEEK}/file.{kind}"' in page
    assert "As it was made on 16 Nov 2026, 09:00" in page


def test_its_own_page_may_use_its_own_style_and_nothing_else(room: ConsoleRoom) -> None:
    answer = room.client("communications-lead").get(f"/digests/board/{WEEK}/page")
    policy = answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)[1]  # type: ignore[index]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert answer.headers["x-content-type-options"] == HEADERS["x-content-type-options"]
    assert "<script" not in answer.text


def test_its_files_are_what_they_are_called(room: ConsoleRoom) -> None:
    lead = room.client("communications-lead")
    files = {kind: lead.get(f"/digests/board/{WEEK}/file.{kind}") for kind in ("pdf", "xlsx", "csv", "json", "md")}
    assert files["pdf"].content.startswith(b"%PDF")
    assert "xl/workbook.xml" in zipfile.ZipFile(BytesIO(files["xlsx"].content)).namelist()
    assert load(files["json"].text).scope.countries == ("FR",)
    assert "mentions" in files["csv"].text
    assert WEEK in files["csv"].headers["content-disposition"]
    assert all("attachment" in one.headers["content-disposition"] for one in files.values())
    assert lead.get(f"/digests/board/{WEEK}/file.exe").status_code == 404


def test_any_week_is_made_for_the_countries_that_the_visitor_sees(room: ConsoleRoom) -> None:
    lead = room.client("communications-lead", ["JP"])
    answer = lead.get(f"/digests/make?week={WEEK}&country=FR&country=JP&names=shown")
    made = json.loads(lead.get(answer.headers["location"].replace(WEEK, f"{WEEK}/file.json", 1)).text)
    assert made["scope"]["countries"] == ["JP"]
    assert made["scope"]["masked"] is True
    assert made["spoken"]["mentions"]["value"] == 3
    assert "Made now" in lead.follow(answer).text


def test_of_countries_that_are_not_seen_nothing_is_made(room: ConsoleRoom) -> None:
    lead = room.client("communications-lead", ["JP"])
    made = json.loads(lead.get(f"/digests/made/{WEEK}/file.json?country=FR").text)
    assert made["scope"]["countries"] == ["JP"]


def test_an_admin_may_see_names_and_that_is_noted(room: ConsoleRoom) -> None:
    admin = room.client("admin", full_name="Ada Min")
    made = json.loads(admin.get(f"/digests/made/{WEEK}/file.json?names=shown&country=FR").text)
    assert made["scope"]["masked"] is False
    line = room.store.audit.page()[0]
    assert (line.actor, line.action, line.object) == ("Ada Min", "digest with personal data", WEEK)


@pytest.mark.parametrize("week", ["2026-46", "", "9999-W99", "<b>", "2031-W01"])
def test_a_week_that_is_none_or_to_come_is_said_to_be(room: ConsoleRoom, week: str) -> None:
    lead = room.client("communications-lead")
    answer = lead.get("/digests/make", params={"week": week})
    while answer.status_code == 303:
        answer = lead.follow(answer)
    assert 'class="notice bad"' in answer.text
    assert "<b>" not in answer.text
    assert lead.get("/digests/board/nonsense").status_code in (303, 404)
    assert lead.get("/digests/board/nonsense/page").status_code == 400


@pytest.mark.parametrize("language", ["fr", "de", "es", "ru", "zh-Hans"])
def test_it_is_written_in_the_visitors_language(room: ConsoleRoom, language: str) -> None:
    lead = room.client("communications-lead", language=language)
    assert lead.get(f"/digests/board/{WEEK}").status_code == 200
    assert f'lang="{language}' in lead.get(f"/digests/board/{WEEK}/page").text


def test_hostile_texts_stay_texts(room: ConsoleRoom) -> None:
    week = Room(room.store, room.office.config, room.folder, room.clock, made=100)
    week.post(HOSTILE + " Acme", TUESDAY, author="evil", complaint=0.95, influence=0.9, tone=Sentiment.NEGATIVE,
              profile={"name": HOSTILE, "followers": 9_000_000, "verified": True})  # fmt: skip
    admin = room.client("admin")
    for path in (f"/digests/made/{WEEK}?names=shown", f"/digests/made/{WEEK}/page?names=shown", "/digests"):
        page = admin.get(path).text
        assert "<script>alert" not in page
        assert 'onerror="alert' not in page
        assert 'href="javascript' not in page
