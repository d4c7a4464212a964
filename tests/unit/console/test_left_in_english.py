"""Pages in Chinese, where whatever is still English shows by its letters."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from listener.config.editing import Edit
from tests.browser.test_every_page import ALIKE, kind
from tests.console_room import ConsoleRoom, SignedIn
from tests.databases import migrated_sqlite
from tests.desk_room import DeskRoom
from tests.messages import GUIDANCE, incident

_HTML = "{http://www.w3.org/1999/xhtml}"
_OF_OTHERS = ("blockquote", "bdi", "code", "pre", "script", "style", "svg", "textarea", "time")
_ENGLISH = re.compile(r"(?<!\w)[A-Za-z]{2,} [a-z]{2,}(?!\w)")
_LEAVE = ("/sign-out", "/sign-in", "/static/", "/digests/make", "/playbooks/findings")


_INVENTED = {*incident().because, *GUIDANCE.steps, *GUIDANCE.never, *GUIDANCE.tell, GUIDANCE.title}
"""What the stored card of an incident says here; in earnest a playbook says it."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ConsoleRoom]:
    made = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    desk = DeskRoom(made)
    desk.complain("配送太慢了,客服不回复", author="wang", name="王伟", language="zh", country="US")
    desk.complain("荷物が届きません", author="haruka", name="はるか", language="ja", country="JP", urgent=0.2)
    desk.post("云壶很好", urgent=0.01, complaint=0.05, author="li", name="李娜", language="zh", country="FR")
    desk.triage()
    desk.burst(country="FR")
    desk.burst(country="JP", ended_at=made.clock.now() - timedelta(hours=1))
    made.office.keeper.keep()
    made.office.keeper.change([Edit(("defaults", "thresholds"), {"priority": 0.35})], "王", "少一些")
    yield made
    made.close()


def _pages(client: SignedIn) -> Iterator[tuple[str, Any]]:
    """Follow the links of a page, a few of each kind."""
    waiting, seen = ["/", *(f"/explain?ref={ref}" for ref in ("A-1", "A-2", "I-3", "m3", "x:1"))], Counter[str]()
    while waiting:
        path = waiting.pop(0)
        seen[kind(path)] += 1
        if path.startswith(_LEAVE) or seen[kind(path)] > ALIKE * (3 if path.startswith("/explain") else 1):
            continue
        answer = client.get(path, follow_redirects=True)
        assert answer.status_code in (200, 404), path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = html5lib.parse(answer.text)
        links = (link.get("href", "") for link in page.iter(f"{_HTML}a"))
        waiting += [link for link in links if link.startswith("/") and link not in waiting]
        yield path, page


def _said(node: Element) -> Iterator[str]:
    """Yield the texts of a page but those of others, and those that name their language."""
    name = node.tag.removeprefix(_HTML) if isinstance(node.tag, str) else ""
    if name in _OF_OTHERS or (node.get("lang") and name not in ("html", "body")):
        return
    texts = [node.text, *(node.get(one) for one in ("title", "placeholder", "aria-label"))]
    yield from (text for text in texts if text and text.strip())
    for child in node:
        yield from _said(child)
        if child.tail and child.tail.strip():
            yield child.tail


def test_nothing_is_left_in_english(room: ConsoleRoom) -> None:
    left = dict[str, str]()
    for path, page in _pages(room.client("admin", language="zh-Hans")):
        for text in _said(page):
            if _ENGLISH.search(text) and not any(one in text for one in _INVENTED):
                left.setdefault(" ".join(text.split()), path)
    assert left == {}
