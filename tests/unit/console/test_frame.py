import re
from pathlib import Path

import pytest

from listener.config.models import ROLES
from listener.console.app import create_app
from listener.console.page import PUBLIC
from tests.console_room import ConsoleRoom
from tests.databases import migrated_database

OWN_PAGES = ("/", "/account", "/about", "/people", "/people/1", "/audit")


def test_the_first_page_opens_for_somebody_signed_in(room: ConsoleRoom) -> None:
    answer = room.client("viewer").get("/")
    assert answer.status_code == 200
    assert "<h1>Overview</h1>" in answer.text


def test_nobody_sees_a_page_without_signing_in(room: ConsoleRoom) -> None:
    answer = room.browser().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_every_route_of_every_section_names_the_role_it_needs_and_turns_strangers_away(room: ConsoleRoom) -> None:
    browser, public = room.browser(), set()
    for route in create_app(room.office).routes:
        path, endpoint = route.path, route.endpoint  # type: ignore[attr-defined]
        role = getattr(endpoint, "role", None)
        if role in (None, PUBLIC):
            public.add(path)
            continue
        assert role in ROLES, path
        address = re.sub(r"\{[^}]+\}", "1", path)
        if "GET" in route.methods:  # type: ignore[attr-defined]
            answer = browser.get(address)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
        assert browser.post(address).status_code in (303, 403), path
    signing_in = {"/sign-in", "/sign-in/provider", "/sign-in/callback", "/sign-out", "/language"}
    assert public == signing_in | {"/static/{hash}/{name}", "/health", "/{rest:path}"}


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_leads_to_pages_that_the_role_may_open(room: ConsoleRoom, role: str) -> None:
    from listener.console.drawing import Drawing

    visitor = room.client(role)
    drawing: Drawing = visitor.client.app.state.guard._drawing  # type: ignore[attr-defined]
    shown = visitor.get("/").text
    for nav in drawing._navigation:
        is_shown = f'<a href="{nav.path}"' in shown.partition("</nav>")[0]
        assert visitor.get(nav.path).status_code == (200 if is_shown else 403), nav.path


def test_the_frames_own_pages_open_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    room = ConsoleRoom.open(tmp_path, migrated_database(postgres_url))
    visitor = room.client("admin")
    assert {path: visitor.get(path).status_code for path in OWN_PAGES} == dict.fromkeys(OWN_PAGES, 200)
    room.close()
