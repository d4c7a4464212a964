"""The frame that all pages share, in a real browser."""

import re
from collections.abc import Callable

import pytest

from listener.config.models import ROLES
from tests.browser.checks import CONTRAST, check_structure
from tests.browser.conftest import PHONE, Desk

OWN_PAGES = ("/", "/account", "/password", "/about", "/people", "/audit")


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_for_those_who_may_and_only_for_them(desk: Desk, role: str) -> None:
    somebody = desk.person(role)
    desk.room.store.accounts.prefer(somebody.account, timezone="Asia/Tokyo")
    for path in OWN_PAGES:
        if path == "/password":  # nobody set one for this person
            continue
        page = somebody.open(path, 403 if path in ("/people", "/audit") and role != "admin" else 200)
        check_structure(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(desk: Desk, scheme: str) -> None:
    somebody = desk.person("admin", color_scheme=scheme)
    for path in OWN_PAGES:
        assert somebody.open(path).evaluate(CONTRAST) == [], path
    somebody.page.click("text=Sign out")
    assert somebody.page.evaluate(CONTRAST) == []
    somebody.open("/nothing", 404)
    assert somebody.page.evaluate(CONTRAST) == []


def test_on_a_phone_nothing_is_cut_off_and_the_menu_opens_without_scripts(desk: Desk) -> None:
    somebody = desk.person("admin", viewport=PHONE, java_script_enabled=False)
    for path in OWN_PAGES:
        page = somebody.open(path)
        box = page.locator("h1").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PHONE["width"]
    page = somebody.open("/")
    assert not page.locator("nav a[href='/audit']").is_visible()
    page.click("summary:has-text('Menu')")
    page.click("nav a[href='/audit']")
    assert page.locator("h1").inner_text() == "Audit log"


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_no_page_is_scrolled_sideways(desk: Desk, width: int) -> None:
    """At 320 pixels, which is a phone, and 1280 at 400 %; at 640, which is 1280 at 200 %."""
    somebody = desk.person("admin", viewport={"width": width, "height": 700})
    for path in (*OWN_PAGES, f"/people/{somebody.account}"):
        somebody.open(path)
        assert not somebody.overflows(), path


def test_signing_in_and_out_by_keyboard_alone(desk: Desk) -> None:
    somebody = desk.visitor()
    page = somebody.open("/audit")
    assert page.url.endswith("/sign-in?next=%2Faudit")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    page.keyboard.type("keeper")
    page.keyboard.press("Tab")
    page.keyboard.type("grün lampe achtzig boot")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk.url}/audit")
    assert page.locator("nav [aria-current='page']").inner_text() == "Audit log"
    page.focus("text=Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk.url}/sign-in")
    somebody.open("/")
    assert page.url.endswith("/sign-in")


def test_a_wrong_password_is_told_where_screen_readers_hear_it(desk: Desk) -> None:
    somebody = desk.visitor()
    somebody.complaints.statuses.add(403)
    page = somebody.open("/sign-in")
    page.fill("#name", "keeper")
    page.fill("#password", "wrong")
    page.click("button:has-text('Sign in')")
    assert page.get_by_role("alert").inner_text() == "Name or password is wrong."
    assert page.input_value("#name") == "keeper"


def test_focus_is_seen_on_everything_that_takes_it(desk: Desk) -> None:
    page = desk.person("admin").open("/people")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        state = page.evaluate(
            "() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [at.tagName, at.outerHTML.slice(0, 80), style.outlineStyle, parseFloat(style.outlineWidth)] }"
        )
        if state[0] == "BODY":
            break
        assert state[2] != "none", state[1]
        assert state[3] >= 2, state[1]
        seen.add(state[0])
    assert {"A", "BUTTON", "INPUT", "SELECT"} <= seen


def test_the_language_is_switched_and_stays(desk: Desk) -> None:
    page = desk.person("viewer").open("/about")
    page.select_option("#language", "ru")
    page.click("footer button")
    page.wait_for_url(f"{desk.url}/about")
    assert page.locator("html").get_attribute("lang") == "ru"


def test_an_admin_adds_somebody_who_signs_in_and_chooses_a_password(desk: Desk) -> None:
    page = desk.person("admin").open("/people")
    page.fill("#name", "ben")
    page.fill("#full_name", "بن <b>Ben</b>")
    page.select_option("#role", "communications-lead")
    page.check("input[name='country'][value='FR']")
    page.get_by_role("button", name="Add", exact=True).click()
    password = page.locator("code.secret").inner_text()
    somebody = desk.visitor()
    page = somebody.open("/sign-in")
    page.fill("#name", "ben")
    page.fill("#password", password)
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{desk.url}/password")
    page.fill("#present", password)
    for field in ("#new", "#again"):
        page.fill(field, "tortuga violeta 41 saltos")
    page.click("main button")
    page.wait_for_url(f"{desk.url}/")
    assert page.get_by_role("status").inner_text().startswith("The password is changed.")
    assert "بن <b>Ben</b>" in page.locator("nav .own").inner_text()


def test_two_admins_at_once_and_a_session_that_ends_under_ones_feet(desk: Desk) -> None:
    one, other = desk.person("admin"), desk.person("admin")
    page = one.open(f"/people/{other.account}")
    there = other.open("/people")
    page.click("text=Disable, and sign out everywhere")
    assert "can sign in no more" in page.get_by_role("status").inner_text()
    there.click("nav a[href='/audit']")
    there.wait_for_url(re.compile(r"/sign-in\?next="))


def test_a_script_that_got_onto_a_page_is_not_run(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    somebody = desk.person("admin")
    page = somebody.open("/about")
    page.evaluate(
        "() => { const bad = document.createElement('div');"
        " bad.innerHTML = '<img src=x onerror=\"window.ran = 1\">'; document.body.append(bad);"
        " const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        " document.body.append(script) }"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in somebody.complaints.lines)
    somebody.complaints.lines.clear()


@pytest.mark.parametrize(
    "script", ["console.error('x')", "setTimeout(() => missing())", "fetch('/nothing')", "fetch('http://127.0.0.1:9/')"]
)
def test_what_a_browser_has_to_say_against_a_page_is_heard(desk: Desk, script: str) -> None:
    somebody = desk.person()
    page = somebody.open("/about")
    page.evaluate(f"() => {{ {script} }}")
    page.wait_for_timeout(300)
    assert somebody.complaints.lines != []
    somebody.complaints.lines.clear()


def test_what_a_part_of_a_page_is_refused_is_said_above_the_page(desk: Desk) -> None:
    somebody = desk.person()
    page = somebody.open("/about")
    page.evaluate("() => { htmx.ajax('POST', '/account', {target: 'h1', headers: {'X-CSRF-Token': 'wrong'}}) }")
    assert page.get_by_role("alert").inner_text().startswith("This form is out of date.")
    assert page.locator("h1").inner_text() == "About this console"
    somebody.complaints.lines.clear()
