"""Every page that links lead to, for every role and in every language, in a real browser."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from listener.config.editing import Edit
from listener.config.models import ROLES
from listener.console.words import LANGUAGES
from tests.browser.checks import check_structure
from tests.browser.conftest import DESK, PHONE, Desk, Somebody
from tests.console_room import ConsoleRoom
from tests.desk_room import HOSTILE, DeskRoom

HALF = {"width": DESK["width"] // 2, "height": DESK["height"] // 2}
"""What a window of the usual size shows at 200 %."""
ALIKE = 3
"""So many pages of one form are looked at: the alerts of a list are drawn by one template."""
_NUMBERS = re.compile(
    r"(?<=/)\d+(?=/|$)|(?<=^/playbooks/)(?!findings)[a-z-]+$|(?<=^/sources/).+$|(?<=^/countries/)[A-Z]{2}$"
)
_LEAVE = ("/sign-out", "/sign-in", "/static/", "/password")
LINKS = """() => [...document.querySelectorAll('a[href]')].filter(one => !one.hasAttribute('download'))
  .map(one => new URL(one.href)).filter(one => one.origin === location.origin).map(one => one.pathname + one.search)"""
QUICK = [
    ("admin", "de"),
    ("viewer", "fr"),
    ("community-manager", "zh-Hans"),
    ("communications-lead", "ru"),
    ("community-manager", "es"),
]
SLOW = [pair for pair in product(ROLES, LANGUAGES) if pair not in (*QUICK, ("admin", "en"))]
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


def seed(room: ConsoleRoom) -> None:
    """Let there be something on every page."""
    desk = DeskRoom(room)
    desk.complain()
    desk.complain(HOSTILE, author="mallory", name=HOSTILE, country="FR")
    desk.complain("配送太慢了,客服不回复", author="wang", name="王伟", language="zh", country="US")
    desk.complain("الطرد لم يصل ولا أحد يرد على الهاتف", author="salma", name="سلمى", language="ar", country="FR")
    desk.complain("荷物が届きません。" * 12, author="haruka", name="はるか", language="ja", country="JP")
    desk.post("Acme kettles are fine", urgent=0.01, complaint=0.05, author="joe", name="Joe")
    desk.triage()
    desk.burst()
    desk.burst(country="JP", ended_at=room.clock.now() - timedelta(hours=1))
    room.office.keeper.keep()
    room.office.keeper.change([Edit(("defaults", "thresholds"), {"priority": 0.35})], "Lotte", "fewer mild ones")
    room.store.collecting.save_failure(
        "x/FR/acme", "The network answers 503.", now=room.clock.now(), next_poll_at=room.clock.now()
    )


def kind(path: str) -> str:
    """Return what pages drawn alike have in common; filters multiply without end, so they tell nothing apart."""
    return _NUMBERS.sub("N", path.partition("?")[0])


def walk(somebody: Somebody) -> Iterator[str]:
    """Follow the links that somebody is shown, page by page; yield each path while its page stands open."""
    waiting, seen = ["/"], Counter[str]()
    while waiting:
        path = waiting.pop(0)
        seen[kind(path)] += 1
        if path.startswith(_LEAVE) or seen[kind(path)] > ALIKE:
            continue
        answer = somebody.page.goto(somebody.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        if "text/html" in (answer.headers.get("content-type") or ""):
            waiting += [link for link in somebody.page.evaluate(LINKS) if link not in waiting]
            yield path


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(seed)


LOOK = """() => ({
  language: document.documentElement.lang,
  hostile: document.querySelectorAll("main img[src='x'], main script, a[href^='javascript:']").length,
  computed: document.body.innerText.includes('javascript:alert') && !document.body.innerText.includes('{{ 7*7 }}'),
})"""


def look_through(desk: Desk, role: str, language: str, **more: Any) -> Iterator[tuple[str, Page]]:
    """Follow every link that somebody is shown, and check each page, on a phone too; yield them as they stand open."""
    somebody = desk.person(role, language=language, viewport=HALF, **more)
    sound = {"language": language, "hostile": 0, "computed": False}
    for path in walk(somebody):
        where = f"{role} {language} {path}"
        assert somebody.page.evaluate(LOOK) == sound, where
        check_structure(somebody.page)
        assert not somebody.overflows(), where
        somebody.page.set_viewport_size(PHONE)
        assert not somebody.overflows(), f"{where} on a phone"
        somebody.page.set_viewport_size(HALF)
        yield path, somebody.page


@pytest.mark.parametrize(("role", "language"), QUICK)
def test_every_page_for_a_role_in_a_language(desk: Desk, role: str, language: str) -> None:
    sections = {path.split("/")[1].partition("?")[0] for path, _ in look_through(desk, role, language)}
    assert {"", "alerts", "mentions", "incidents", "explain", "account", "about"} <= sections
    admins = {"sources", "settings", "people", "audit", "delivery"}
    assert admins <= sections if role == "admin" else not sections & {"people", "audit"}


@pytest.mark.slow
@pytest.mark.parametrize(("role", "language"), SLOW)
def test_every_page_for_every_other_role_and_language(desk: Desk, role: str, language: str) -> None:
    assert len(list(look_through(desk, role, language))) > 10


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_no_page_breaks_the_guidelines_for_accessibility(desk: Desk, scheme: str) -> None:
    axe, broken = Axe(), []
    for path, page in look_through(desk, "admin", "en", color_scheme=scheme):
        for violation in axe.run(page, options=AXE_RULES).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            broken.append((path, violation["id"], nodes))
    assert broken == []


def test_pages_are_read_without_scripts(desk: Desk) -> None:
    somebody = desk.person("admin", java_script_enabled=False)
    for path in walk(somebody):
        assert somebody.page.locator("h1").count() == 1, path
