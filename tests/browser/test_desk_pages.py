"""Pages of those who answer: alerts, posts, incidents, digests, explanations, silences, in a real browser."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from listener.console.words import LANGUAGES
from listener.model import Reason, Sentiment
from tests.browser.checks import CONTRAST, check_structure
from tests.browser.conftest import PHONE, Desk
from tests.console_room import ConsoleRoom
from tests.desk_room import HOSTILE, DeskRoom
from tests.digest_room import Room

WEEK = "2026-W46"
READERS = "\ndigests:\n  board: {receivers: [log], timezone: Europe/Paris, countries: [FR]}\n"
ARABIC = "شركة Acme فقدت الطرد الخاص بي منذ ثلاثة أسابيع ولا أحد يجيب على رسائلي"
POLLED = "document.querySelector('%s').getAttribute('hx-get')"
"""What a page asks for by itself every few seconds; tests ask at once."""


def seed(room: ConsoleRoom) -> None:
    """Fill a console's store: a week of posts with its digest, alerts in four scripts, incidents."""
    path = room.folder / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + READERS, encoding="utf-8")
    room.office.keeper.look()
    assert room.office.keeper.look()
    week = Room(room.store, room.office.config, room.folder, room.clock, made=900)
    for number in range(6):
        at = room.clock.now() - timedelta(days=5, hours=number)
        week.post(f"Acme parcel {number} is late", at, author=f"w{number}", complaint=0.9, tone=Sentiment.NEGATIVE)
    assert week.step().run() == 1
    desk = DeskRoom(room)
    desk.complain(reasons=(Reason("lost", 0.3), Reason("answers", -0.1)))
    room.clock.advance(1800)
    desk.complain(ARABIC, author="layla", name="ليلى حداد", language="ar", followers=48_200)
    desk.complain(
        "Acme 的热水壶漏电了，差点出事！", author="wang", name="王芳", language="zh", topic="safety", country="JP"
    )
    desk.complain(HOSTILE + " Acme", author="x" * 60, name="W" * 120, profile={"location": HOSTILE})
    desk.burst(topic="outage")
    desk.burst(topic="staff", country="JP", ended_at=room.clock.now())


PAGES = (
    "/alerts",
    "/alerts?state=all&country=FR&text=Acme",
    "/alerts/1",
    "/alerts/2",
    "/alerts/4",
    "/alerts/2/reply",
    "/mentions",
    "/mentions?text=Acme&language=ar",
    "/mentions/7",
    "/mentions/10",
    "/mentions/7/forget",
    "/incidents",
    "/incidents/5",
    "/digests",
    f"/digests/board/{WEEK}",
    "/explain",
    "/explain?ref=A-1",
    "/silences",
)


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(seed)


@pytest.mark.parametrize("role", ["viewer", "community-manager", "communications-lead"])
def test_pages_open_for_those_who_may_and_only_for_them(desk: Desk, role: str) -> None:
    somebody = desk.person(role)
    for path in PAGES:
        is_leads = path.startswith("/digests") or path.endswith("/forget")
        is_refused = (is_leads and role != "communications-lead") or (path.endswith("/reply") and role == "viewer")
        somebody.open(path, 403 if is_refused else 200)


@pytest.mark.parametrize(
    "language",
    [
        language if language in ("de", "zh-Hans") else pytest.param(language, marks=pytest.mark.slow)
        for language in LANGUAGES
    ],
)
def test_pages_open_in_every_language_on_a_phone_with_all_they_need(desk: Desk, language: str) -> None:
    somebody = desk.person("admin", language=language, viewport=PHONE)
    for path in PAGES:
        page = somebody.open(path)
        assert page.locator("html").get_attribute("lang") == language
        assert not somebody.overflows(), path
        check_structure(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(desk: Desk, scheme: str) -> None:
    somebody = desk.person("admin", color_scheme=scheme)
    desk.room.clock.advance(86400)  # so that something is overdue
    for path in PAGES:
        page = somebody.open(path)
        for summary in page.locator("main summary:visible").all():
            summary.click()
        assert page.evaluate(CONTRAST) == [], path


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_has_to_be_scrolled_sideways_even_at_twice_the_size(desk: Desk, width: int) -> None:
    somebody = desk.person("admin", viewport={"width": width, "height": 700})
    for path in PAGES:
        page = somebody.open(path)
        for summary in page.locator("main summary:visible").all():
            summary.click()
        assert not somebody.overflows(), path
        if width > PHONE["width"]:  # what a browser does at 200 %: half the width, twice the pixels
            page.set_viewport_size({"width": width // 2, "height": 350})
            assert not somebody.overflows(), path
            page.set_viewport_size({"width": width, "height": 700})


def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told(desk: Desk) -> None:
    one, other = desk.person("community-manager"), desk.person("community-manager")
    for somebody in (one, other):
        somebody.open("/alerts/1")
    _press(one.page, "Claim")
    expect(one.page.locator(".notice")).to_contain_text("A-1 is yours.")
    _press(other.page, "Claim")
    expect(other.page.locator(".notice.bad")).to_contain_text("Somebody else was first")
    expect(other.page.get_by_role("button", name="Take it over")).to_be_visible()
    owner = desk.room.store.alerts.alert(1)
    assert owner is not None
    assert owner.owner == desk.room.store.accounts.account(one.account).full_name  # type: ignore[union-attr]


def test_a_page_that_is_out_of_date_says_so_by_itself_and_is_not_moved(desk: Desk) -> None:
    reader, manager = desk.person("viewer"), desk.person("community-manager")
    page = reader.open("/alerts/1")
    link = page.get_by_role("link", name="Explain every step")
    link.focus()
    manager.open("/alerts/1")
    _press(manager.page, "Claim")
    page.evaluate(f"htmx.ajax('GET', {POLLED % '#changed'}, {{target: '#changed', swap: 'outerHTML'}})")
    expect(page.locator("#changed")).to_contain_text("A-1 has changed since you opened it.")
    expect(link).to_be_focused()
    page.get_by_role("link", name="Show it as it stands now").click()
    expect(page.locator(".acting")).to_contain_text("claimed")


def test_new_alerts_are_announced_in_a_bar_that_takes_nothing_away(desk: Desk) -> None:
    reader = desk.person("viewer")
    page = reader.open("/alerts")
    page.locator("#text").focus()
    page.keyboard.type("par")
    before = page.locator(".alerts > li").count()
    DeskRoom(desk.room, made=50).complain("Acme sent me an empty box", author="neu", name="Neu")
    page.evaluate(f"htmx.ajax('GET', {POLLED % '#news'}, {{target: '#news', swap: 'outerHTML'}})")
    expect(page.locator("#news-link")).to_contain_text("1 new alert")
    assert page.locator(".alerts > li").count() == before
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#text")).to_have_value("par")
    page.locator("#news-link").click()
    expect(page.locator(".alerts > li")).to_have_count(before + 1)


def test_how_alerts_stand_is_told_anew_in_the_list(desk: Desk) -> None:
    reader, manager = desk.person("viewer"), desk.person("community-manager")
    page = reader.open("/alerts")
    expect(page.locator("#standing-1")).to_contain_text("nobody yet")
    manager.open("/alerts")
    manager.page.locator("#alert-1").get_by_role("button", name="Claim").click()
    expect(manager.page.locator("#standing-1")).to_contain_text("yours")
    page.evaluate(f"htmx.ajax('GET', {POLLED % '[hx-get*=standings]'}, {{swap: 'none'}})")
    expect(page.locator("#standing-1")).to_contain_text("claimed")


def test_an_alert_is_dealt_with_by_the_keyboard_alone(desk: Desk) -> None:
    somebody = desk.person("community-manager")
    page = somebody.open("/alerts/1")
    _tab_to(page, "button", "Claim")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("A-1 is yours.")
    _tab_to(page, "summary", "I have answered")
    page.keyboard.press("Enter")
    _tab_to(page, "input", "")
    page.keyboard.press("Space")
    _tab_to(page, "button", "Note it")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("was answered")
    _tab_to(page, "summary", "Resolve")
    page.keyboard.press("Enter")
    _tab_to(page, "input", "")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "button", "Resolve")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("is resolved")


def test_everything_is_done_without_scripts_too(desk: Desk) -> None:
    somebody = desk.person("communications-lead", java_script_enabled=False)
    page = somebody.open("/alerts/1")
    assert page.locator(".copy:visible").count() == 0
    _press(page, "Claim")
    expect(page.locator(".notice")).to_contain_text("A-1 is yours.")
    page.locator("summary", has_text="Snooze").click()
    page.get_by_label("15 minutes").check()
    page.get_by_role("button", name="Snooze").click()
    expect(page.locator(".notice")).to_contain_text("is snoozed until")
    somebody.open("/mentions?text=Acme")
    page.locator("details.facets a", has_text="Arabic").first.click()
    expect(page.locator("main")).to_contain_text("1 found")
    somebody.open("/silences")
    page.get_by_label("Topic").select_option("delivery")
    page.get_by_label("Why?").fill("We know")
    page.get_by_role("button", name="Mute them").click()
    expect(page.locator(".notice")).to_contain_text("in force")


def test_a_reply_is_counted_and_checked_while_it_is_typed(desk: Desk) -> None:
    page = desk.person("community-manager").open("/alerts/1/reply")
    box = page.get_by_label("Text", exact=True)
    box.fill("Hello")
    expect(page.locator("#checked")).to_contain_text("5 of 280 characters")
    box.press_sequentially(" Anna")
    expect(page.locator("#checked")).to_contain_text("10 of 280 characters")
    expect(box).to_be_focused()
    expect(box).to_have_value("Hello Anna")
    box.fill("Ring +33 6 12 34 56 78")
    expect(page.locator(".warnings")).to_contain_text("phone or account number")
    page.get_by_label("in public", exact=True).check()
    page.get_by_role("button", name="Note it").click()
    expect(page.locator(".notice")).to_contain_text("was answered")


def test_a_reply_is_copied_with_one_press(desk: Desk) -> None:
    somebody = desk.person("community-manager", permissions=["clipboard-read", "clipboard-write"])
    page = somebody.open("/alerts/2")
    text = page.locator("#draft-1").text_content()
    page.get_by_role("button", name="Copy the reply").first.click()
    expect(page.locator("#copied")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text


def test_texts_in_other_scripts_run_their_own_way(desk: Desk) -> None:
    page = desk.person("viewer").open("/alerts/2")
    post = page.locator("blockquote.post").first
    assert post.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("h1").evaluate("element => getComputedStyle(element).direction") == "ltr"


def test_hostile_posts_run_nothing_and_load_nothing(desk: Desk) -> None:
    somebody = desk.person("admin")
    asked: list[str] = []
    somebody.page.on("request", lambda request: asked.append(request.url))
    somebody.page.on("dialog", lambda dialog: pytest.fail(f"a post opened a dialog: {dialog.message}"))
    for path in ("/alerts", "/alerts/4", "/mentions", "/mentions/10", "/explain?ref=A-4"):
        page = somebody.open(path)
        assert page.locator("main img, main iframe, main object, main script").count() == 0
    assert all(url.startswith(somebody.url) for url in asked)


def test_a_digest_that_is_being_made_says_so(desk: Desk) -> None:
    page = desk.person("communications-lead").open("/digests")
    page.evaluate(
        "document.addEventListener('submit', (event) => event.preventDefault(), true)"
    )  # it stays on the page
    page.locator("#week").fill(str(WEEK))
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("[data-waiting]")).to_contain_text("being made")
    page.evaluate("window.dispatchEvent(new Event('pageshow'))")  # as when somebody goes back to it
    expect(page.locator("[data-waiting]")).to_be_empty()


def test_a_digests_own_page_keeps_its_style_under_its_policy(desk: Desk) -> None:
    somebody = desk.person("communications-lead")
    page = somebody.open(f"/digests/board/{WEEK}")
    page.get_by_role("link", name="Read all of it").click()
    expect(page.locator("#title")).to_be_visible()
    assert page.locator(".tiles").first.evaluate("element => getComputedStyle(element).display") == "grid"
    assert page.locator("img").first.evaluate("image => image.naturalWidth") > 0
    assert not somebody.overflows()


def test_a_curve_is_drawn_and_told(desk: Desk) -> None:
    page = desk.person("viewer").open("/incidents/5")
    drawing = page.get_by_role("img", name="Negative posts over time")
    expect(drawing).to_be_visible()
    assert drawing.locator("rect").count() == 10
    box = drawing.bounding_box()
    assert box is not None
    assert box["height"] > 100
    page.get_by_text("The figures as a table").click()
    assert page.locator("table tbody tr:visible").count() == 10


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{name}")).first.click()


def _tab_to(page: Page, tag: str, text: str) -> None:
    """Go on by the tabulator until something of this kind has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        name, words = page.evaluate("[document.activeElement.localName, document.activeElement.textContent.trim()]")
        if name == tag and words.startswith(text):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"no {tag} {text!r} is reached by the tabulator")
