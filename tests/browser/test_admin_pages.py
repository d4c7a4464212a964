"""What admins do in the console, in a real browser: tune with a preview, try sources out, send again, go back."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from listener.config.editing import Edit
from listener.model import Usage
from tests.browser.checks import CONTRAST, check_structure
from tests.browser.conftest import PHONE, Desk
from tests.console_room import NOW, ConsoleRoom
from tests.desk_room import HOSTILE, DeskRoom
from tests.servers.x import XServer

AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
PAGES = (
    "/sources", "/sources/x/FR/acme", "/countries", "/countries/FR", "/countries/defaults", "/playbooks",
    "/playbooks/outage?locale=ar", "/delivery", "/delivery/1", "/settings", "/settings/2",
)  # fmt: skip


def seed(room: ConsoleRoom) -> None:
    desk = DeskRoom(room)
    for number, complaint in enumerate((0.55, 0.62, 0.7, 0.8, 0.9)):
        desk.post(f"Acme lost parcel {number}", author=f"u{number}", complaint=complaint, urgent=0.1)
    desk.post(HOSTILE, author="mallory", name=HOSTILE, complaint=0.9, urgent=0.19, followers=9_000_000)
    desk.triage()
    room.clock.advance(3600)
    item = room.store.outbox.claim("log", room.clock.now(), timedelta(minutes=1))
    assert item is not None
    room.store.outbox.dead(item, "msg_too_long <script>alert(1)</script>")
    for back in range(9):
        room.store.usage.add("x/FR/acme", Usage(700, 150, 0.75), NOW - timedelta(days=back))
    room.store.collecting.save_failure(
        "x/JP/acme", "X answered 429: cap", now=NOW, next_poll_at=NOW + timedelta(days=9), fault="quota"
    )
    room.office.keeper.keep()
    room.office.keeper.change([Edit(("defaults", "join_within"), "12h")], "Lotte", "shorter cases")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[XServer]:
    monkeypatch.setenv("CONSOLE_ROOM_TOKEN", "test-token")
    with XServer(NOW) as running:
        yield running


@pytest.fixture
def desk(open_desk: Callable[..., Desk], server: XServer) -> Desk:
    made = open_desk(seed)
    made.room.office.keeper.change([Edit(("sources", "x", "base_url"), server.base_url)], "tests")
    server.now = made.room.clock.now()
    return made


def tuning(page: Page) -> None:
    """Wait until the form has shown how things stand."""
    expect(page.locator("#preview .verdict")).to_contain_text("as it is")


def test_moving_a_threshold_shows_what_it_would_have_meant_and_saving_makes_it_so(desk: Desk) -> None:
    page = desk.person("admin").open("/countries/FR")
    tuning(page)
    expect(page.locator("#preview")).to_contain_text("Nothing is changed yet")
    slider = page.locator("[data-dial='thresholds-complaint']")
    slider.focus()
    for _ in range(25):
        slider.press("ArrowRight")
    expect(page.locator("#thresholds-complaint")).to_have_value("0.75")
    expect(page.locator("#preview")).to_contain_text("3 alerts would vanish")
    expect(page.locator("#preview-said")).to_contain_text("with this")
    page.fill("#thresholds-complaint", "0,85")
    expect(page.locator("#preview")).to_contain_text("4 alerts would vanish")
    expect(slider).to_have_value("0.85")
    page.fill("#thresholds-complaint", "many")
    expect(page.locator("#preview")).to_contain_text("Nothing was compared. Complaint: write a number between 0 and 1")
    page.fill("#thresholds-complaint", "0.75")
    page.fill("#thresholds-note", "too many mild ones")
    page.locator("form.tuning").get_by_role("button", name="Save").click()
    expect(page.locator(".notice.good")).to_contain_text("It is in force")
    assert desk.room.office.config.countries["FR"].thresholds.complaint == 0.75
    page.get_by_label("use the default again: 0.5").check()
    expect(page.locator("#preview")).to_contain_text("3 alerts would appear")


def test_enter_in_a_field_compares_and_does_not_save(desk: Desk) -> None:
    page = desk.person("admin").open("/countries/FR")
    tuning(page)
    page.fill("#thresholds-complaint", "0.75")
    page.press("#thresholds-complaint", "Enter")
    expect(page.locator("#preview")).to_contain_text("3 alerts would vanish")
    assert desk.room.office.config.countries["FR"].thresholds.complaint == 0.5


def test_two_admins_at_once_do_not_undo_each_other(desk: Desk) -> None:
    first, second = (desk.person("admin").open("/countries/FR") for _ in range(2))
    for page in (first, second):
        tuning(page)
    first.fill("#thresholds-priority", "0.41")
    first.locator("form.tuning").get_by_role("button", name="Save").click()
    expect(first.locator(".notice.good")).to_be_visible()
    second.fill("#thresholds-complaint", "0.66")
    _expect_status(desk, 409)
    second.locator("form.tuning").get_by_role("button", name="Save").click()
    expect(second.locator(".notice.bad")).to_contain_text("Somebody else changed the configuration meanwhile")
    expect(second.locator("#thresholds-complaint")).to_have_value("0.66")
    tuning(second)
    second.fill("#thresholds-priority", "0.41")
    second.locator("form.tuning").get_by_role("button", name="Save").click()
    expect(second.locator(".notice.good")).to_be_visible()
    thresholds = desk.room.office.config.countries["FR"].thresholds
    assert (thresholds.complaint, thresholds.priority) == (0.66, 0.41)


def _expect_status(desk: Desk, status: int) -> None:
    for _, complaints in desk._open:
        complaints.statuses.add(status)


def test_without_scripts_a_button_compares(desk: Desk) -> None:
    page = desk.person("admin", java_script_enabled=False).open("/countries/FR")
    assert not page.locator("[data-dial]").first.is_visible()
    page.fill("#thresholds-complaint", "0.75")
    page.get_by_role("button", name="Compare").last.click()
    assert "3 alerts would vanish" in page.locator("#preview").inner_text()
    assert page.input_value("#thresholds-complaint") == "0.75"
    page.locator("form.tuning").get_by_role("button", name="Save").click()
    assert "It is in force" in page.locator(".notice.good").inner_text()


def test_on_a_phone_the_effect_stays_in_sight(desk: Desk) -> None:
    page = desk.person("admin", viewport=PHONE).open("/countries/FR")
    expect(page.locator("#preview-said")).to_contain_text("with this")
    page.locator("#thresholds-complaint").scroll_into_view_if_needed()
    page.fill("#thresholds-complaint", "0.75")
    expect(page.locator("#preview-said")).to_contain_text("3 with this")
    expect(page.locator("#preview-said")).to_be_in_viewport()


def test_a_source_is_tried_out_in_place(desk: Desk, server: XServer) -> None:
    page = desk.person("admin").open("/sources")
    page.get_by_role("button", name="Try X out").click()
    expect(page.locator("#trial-x")).to_contain_text("It works.")
    assert page.url.endswith("/sources")
    assert len(server.requests) == 1
    page.get_by_role("button", name="Try X out").click()
    expect(page.locator("#trial-x")).to_contain_text("a moment ago")


def test_a_playbook_is_looked_at_in_another_locale_without_leaving(desk: Desk) -> None:
    page = desk.person("viewer").open("/playbooks/late-delivery")
    page.select_option("#locale", "ar")
    expect(page.locator("#replies [dir=rtl]").first).to_be_visible()
    assert "locale=ar" in page.url
    page.select_option("#network", "vk")
    expect(page.locator("#replies")).to_contain_text("of 4,096 characters")
    page.fill("#post", "A-4711")
    page.press("#post", "Enter")
    expect(page.locator("#replies .notice.bad")).to_contain_text("is not stored")


def test_findings_come_in_by_themselves(desk: Desk) -> None:
    page = desk.person("viewer").open("/playbooks")
    expect(page.locator("main")).to_contain_text("Nothing: every text in", timeout=60_000)


def test_what_could_not_be_sent_is_sent_again_by_keyboard(desk: Desk) -> None:
    page = desk.person("admin").open("/delivery")
    button = page.get_by_role("button", name="Send again", exact=True)
    button.focus()
    button.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("It is due again")
    (row,) = (one for one in desk.room.store.outbox.rows(("pending",)) if one["id"] == 1)
    assert row["attempts"] == 0


def test_a_bad_change_is_rolled_back(desk: Desk) -> None:
    page = desk.person("admin").open("/settings")
    page.locator("tbody a").nth(1).click()
    page.get_by_text("The files, line by line").first.click()
    expect(page.locator("pre.diff ins").first).to_contain_text("12h")
    page.get_by_role("button", name="Bring version").click()
    expect(page.locator(".notice.good").first).to_contain_text("is in force again")
    assert desk.room.office.config.sources["x"].base_url is None


@pytest.mark.parametrize(("scheme", "width"), [pytest.param("light", 1280, marks=pytest.mark.slow), ("dark", 320)])
def test_every_page_is_sound_readable_and_fits(desk: Desk, scheme: str, width: int) -> None:
    somebody = desk.person("admin", color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in PAGES:
        page = somebody.open(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        check_structure(page)
        assert page.evaluate(CONTRAST) == [], path
        assert not somebody.overflows(), path
        violations = Axe().run(page, options=AXE_RULES).response["violations"]
        assert [(one["id"], [node["html"][:150] for node in one["nodes"]][:3]) for one in violations] == [], path
