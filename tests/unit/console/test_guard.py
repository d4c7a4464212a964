import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from listener.console.guard import MAX_BODY
from listener.console.tokens import derived, stored
from listener.store import schema
from listener.store.accounts import By
from tests.console_room import HOST, ConsoleRoom, SignedIn
from tests.databases import migrated_sqlite

OWN = f"http://{HOST}"
TESTS = By("tests", "cli")


def sessions(room: ConsoleRoom) -> list[Any]:
    with room.store.accounts._engine.connect() as connection:
        return list(connection.execute(select(schema.sessions)))


# --- sessions ------------------------------------------------------------------------------------------------------


def test_the_database_holds_no_session_that_a_browser_could_use(room: ConsoleRoom) -> None:
    token = room.token(room.account())
    assert [row.token for row in sessions(room)] == [stored(token)]


def test_a_session_ends_by_age_however_busy(room: ConsoleRoom) -> None:
    visitor = room.client()
    for _ in range(11):
        room.clock.advance(3600)
        assert visitor.get("/").status_code == 200
    room.clock.advance(3601)
    assert visitor.get("/").status_code == 303


def test_a_session_ends_by_idleness(room: ConsoleRoom) -> None:
    visitor = room.client()
    room.clock.advance(2 * 3600 - 1)
    assert visitor.get("/").status_code == 200
    room.clock.advance(2 * 3600 + 1)
    assert visitor.get("/").status_code == 303


@pytest.mark.parametrize(
    "change", [{"role": "admin"}, {"countries": ("FR",)}, {"password": "another"}, {"disabled_at": "now"}]
)
def test_a_session_ends_when_what_it_stands_on_changes(room: ConsoleRoom, change: dict[str, Any]) -> None:
    visitor = room.client("viewer")
    values = {key: room.clock.now() if value == "now" else value for key, value in change.items()}
    assert room.store.accounts.change(visitor.account_id, TESTS, room.clock.now(), **values)
    assert visitor.get("/").status_code == 303
    assert sessions(room) == []


def test_a_changed_name_ends_no_session(room: ConsoleRoom) -> None:
    visitor = room.client()
    room.store.accounts.change(visitor.account_id, TESTS, room.clock.now(), full_name="Ana María")
    assert "Ana María" in visitor.get("/").text


def test_signing_out_ends_this_session_alone(room: ConsoleRoom) -> None:
    visitor = room.client()
    other = SignedIn(room.browser(), visitor.account_id, room.token(visitor.account_id))
    assert visitor.post("/sign-out").headers["location"] == "/sign-in"
    assert visitor.get("/").status_code == 303
    assert other.get("/").status_code == 200


def test_signing_out_everywhere_ends_all_of_them(room: ConsoleRoom) -> None:
    visitor = room.client()
    other = SignedIn(room.browser(), visitor.account_id, room.token(visitor.account_id))
    visitor.post("/account/sign-out")
    assert {one.get("/").status_code for one in (visitor, other)} == {303}
    assert room.store.audit.page(limit=1)[0].action == "signed out everywhere"


def test_another_page_does_not_sign_somebody_out(room: ConsoleRoom) -> None:
    visitor = room.client()
    visitor.get("/sign-out")
    visitor.client.post("/sign-out", data={"csrf": "x"})
    assert visitor.get("/").status_code == 200


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='";,\\'), max_size=80))
@settings(max_examples=50)
def test_no_made_up_session_opens_anything(tmp_path_factory: pytest.TempPathFactory, token: str) -> None:
    browser = shared(tmp_path_factory)[1].client
    assert browser.get("/", headers={"cookie": f"listener={token}"}).status_code == 303


_shared: list[tuple[ConsoleRoom, SignedIn]] = []


def shared(factory: pytest.TempPathFactory) -> tuple[ConsoleRoom, SignedIn]:
    if not _shared:
        folder = factory.mktemp("shared")
        room = ConsoleRoom.open(folder, migrated_sqlite(folder))
        _shared.append((room, room.client()))
        _shared[0][1].client.cookies.clear()
    return _shared[0]


def test_a_page_that_asks_by_itself_keeps_no_session_alive(room: ConsoleRoom) -> None:
    visitor = room.client()
    for _ in range(119):
        room.clock.advance(60)
        assert visitor.get("/", headers={"hx-request": "true"}).status_code == 200
    room.clock.advance(61)
    answer = visitor.get("/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/sign-in")


# --- forms ---------------------------------------------------------------------------------------------------------


def kept_timezone(room: ConsoleRoom, visitor: SignedIn) -> str:
    account = room.store.accounts.account(visitor.account_id)
    assert account is not None
    return account.timezone


FORM = {"timezone": "Asia/Tokyo", "language": "en"}


def test_a_form_with_its_token_is_taken(room: ConsoleRoom) -> None:
    visitor = room.client()
    assert visitor.post("/account", FORM, headers={"origin": OWN, "sec-fetch-site": "same-origin"}).status_code == 303
    assert kept_timezone(room, visitor) == "Asia/Tokyo"


def test_the_token_may_come_in_a_header_as_htmx_sends_it(room: ConsoleRoom) -> None:
    visitor = room.client()
    answer = visitor.client.post("/account", data=FORM, headers={"x-csrf-token": visitor.csrf, "hx-request": "true"})
    assert answer.headers["hx-redirect"] == "/account"
    assert kept_timezone(room, visitor) == "Asia/Tokyo"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:9999"},
        {"origin": f"https://{HOST}"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    ],
)  # fmt: skip
def test_a_form_from_elsewhere_is_refused_even_with_the_token(room: ConsoleRoom, headers: dict[str, str]) -> None:
    visitor = room.client()
    assert visitor.post("/account", FORM, headers=headers).status_code == 403
    assert kept_timezone(room, visitor) == "UTC"


@given(st.text(max_size=70))
@settings(max_examples=50)
def test_no_made_up_token_is_taken(tmp_path_factory: pytest.TempPathFactory, csrf: str) -> None:
    room, visitor = shared(tmp_path_factory)
    cookie = {"cookie": f"listener={room.token(visitor.account_id)}"}
    answer = visitor.client.post("/account", data={**FORM, "csrf": csrf}, headers=cookie)
    assert (answer.status_code, kept_timezone(room, visitor)) == (403, "UTC")


def test_htmx_is_told_what_is_wrong_in_a_notice(room: ConsoleRoom) -> None:
    answer = room.client().client.post("/account", data=FORM, headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-retarget"], answer.headers["hx-reswap"]) == (
        403,
        "#said",
        "innerHTML",
    )
    assert answer.text.startswith('<p class="notice bad" role="alert">This form is out of date.')
    assert 'id="said"' in room.client().get("/").text


def test_the_token_of_another_session_is_refused(room: ConsoleRoom) -> None:
    visitor, other = room.client(), room.client()
    assert visitor.client.post("/account", data={**FORM, "csrf": other.csrf}).status_code == 403


def test_a_form_too_large_slow_or_of_another_kind_is_refused(room: ConsoleRoom) -> None:
    visitor = room.client()
    send = visitor.client.post
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert send("/account", content=b"a=" + b"x" * MAX_BODY, headers=form).status_code == 413
    assert send("/account", content=b"a=\xff", headers=form).status_code in (400, 403)
    assert send("/account", content="&".join("a=1" for _ in range(4000)), headers=form).status_code == 400
    assert send("/account", files={"a": b"x"}).status_code == 415
    assert send("/account", json={}).status_code == 415


# --- roles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "community-manager", "communications-lead"])
@pytest.mark.parametrize("path", ["/people", "/people/1", "/audit"])
def test_admins_pages_are_refused_to_others_with_a_page(room: ConsoleRoom, role: str, path: str) -> None:
    answer = room.client(role).get(path)
    assert answer.status_code == 403
    assert "Your role does not allow this." in answer.text
    assert 'href="/people"' not in answer.text


def test_people_are_for_admins_of_all_countries(room: ConsoleRoom) -> None:
    visitor = room.client("admin", ["FR"])
    assert visitor.get("/people").status_code == 403
    assert 'href="/people"' not in visitor.get("/").text
    assert visitor.get("/audit").status_code == 200


def test_what_is_not_there_is_a_page_too(room: ConsoleRoom) -> None:
    answer = room.client().get("/nothing/here")
    assert answer.status_code == 404
    assert "<h1>Error 404</h1>" in answer.text
    assert room.browser().get("/nothing").status_code == 404
    assert room.browser().request("DELETE", "/account").status_code == 403


# --- headers and hosts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nothing", "/static/x/console.css", "/health"])
def test_every_answer_has_the_headers(room: ConsoleRoom, path: str) -> None:
    headers = room.client().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8321", ""])
def test_another_host_is_refused(room: ConsoleRoom, host: str) -> None:
    assert room.browser().get("/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:8321", "[::1]:8321", "LOCALHOST"])
def test_this_machine_is_answered(room: ConsoleRoom, host: str) -> None:
    assert room.browser().get("/health", headers={"host": host}).status_code == 200


def test_pages_hold_no_script_and_no_style_of_their_own(room: ConsoleRoom) -> None:
    visitor = room.client("admin")
    for path in ("/", "/account", "/people", "/audit", "/about", f"/people/{visitor.account_id}"):
        text = visitor.get(path).text
        assert re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text) is None, path


# --- behind https --------------------------------------------------------------------------------------------------


@pytest.fixture
def public(tmp_path: Path) -> Any:
    made = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path), 'url: "https://listener.brand.example"')
    yield made
    made.close()


def test_behind_https_cookies_are_bound_to_it(public: ConsoleRoom) -> None:
    public.person("ana", "grün lampe achtzig boot")
    browser = public.browser(base_url="https://listener.brand.example")
    page = browser.get("/sign-in")
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-listener-visit=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert page.headers["strict-transport-security"]
    csrf = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert csrf
    data = {"csrf": csrf[1], "name": "ana", "password": "grün lampe achtzig boot"}
    answer = browser.post("/sign-in", data=data, headers={"origin": "https://listener.brand.example"})
    assert answer.headers["location"] == "/"
    assert any(line.startswith("__Host-listener=") for line in answer.headers.get_list("set-cookie"))
    assert browser.post("/sign-out", headers={"origin": "http://listener.brand.example"}).status_code == 403
    own = {"origin": "https://listener.brand.example", "host": "127.0.0.1:8321"}
    token = re.search(r'name="csrf" value="(\w+)"', browser.get("/about").text)
    assert token
    kept = browser.post("/account", data={**FORM, "csrf": token[1]}, headers=own)
    assert kept.status_code == 303, "a proxy asked for this machine by its own name"
    assert browser.get("/").status_code == 200
    assert browser.get("/health", headers={"host": "other.brand.example"}).status_code == 421


# --- what is said once ---------------------------------------------------------------------------------------------


def test_a_flash_is_said_once_and_cannot_be_put_there_by_others(room: ConsoleRoom) -> None:
    visitor = room.client()
    shown = visitor.follow(visitor.post("/account", FORM))
    assert "Kept." in shown.text
    assert "Kept." not in visitor.get("/account").text
    for forged in ("WyJnb29kIiwgIlBheSBtZSJd", f"WyJnb29kIiwgIlBheSBtZSJd.{derived('x', 'y')}", "%%%.x", "."):
        visitor.client.cookies.set("listener-said", forged)
        assert "Pay me" not in visitor.get("/account").text


def test_a_session_is_noted_as_used_once_a_minute_at_most(room: ConsoleRoom) -> None:
    visitor = room.client()
    began = room.clock.now()
    room.clock.advance(30)
    visitor.get("/")
    assert sessions(room)[0].seen_at == began
    room.clock.advance(60)
    visitor.get("/")
    assert sessions(room)[0].seen_at == began + timedelta(seconds=90)
