import re
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from listener.console.passwords import Passwords
from listener.console.signing_in import TRIES_A_NAME, TRIES_AN_ADDRESS, Refused, SignIn, network
from listener.store.accounts import By
from tests.console_room import QUICK, ConsoleRoom

RIGHT = "grün lampe achtzig boot"
NEW = "tortuga violeta 41 saltos"
WRONG = "Name or password is wrong."


def csrf(page: Any) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert found
    return found[1]


def try_in(browser: TestClient, name: str, password: str, **more: str) -> Any:
    token = csrf(browser.get("/sign-in"))
    return browser.post("/sign-in", data={"csrf": token, "name": name, "password": password, **more})


def test_name_and_password_open_the_page_that_was_wanted(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    browser = room.browser()
    to = browser.get("/account?x=1").headers["location"]
    assert to == "/sign-in?next=%2Faccount%3Fx%3D1"
    assert 'name="next" value="/account?x=1"' in browser.get(to).text
    assert try_in(browser, " ANA ", RIGHT, next="/account?x=1").headers["location"] == "/account?x=1"
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_signing_in(room: ConsoleRoom, wanted: str) -> None:
    room.person("ana", RIGHT)
    assert try_in(room.browser(), "ana", RIGHT, next=wanted).headers["location"] == "/"


def test_signing_in_gives_another_token_and_ends_the_one_before(room: ConsoleRoom) -> None:
    number = room.person("ana", RIGHT)
    browser, before = room.browser(), room.token(number)
    browser.cookies.set("listener", before)
    token = csrf(browser.get("/account"))
    browser.post("/sign-in", data={"csrf": token, "name": "ana", "password": RIGHT})
    other = room.browser()
    other.cookies.set("listener", before)
    assert other.get("/").status_code == 303


def test_wrong_names_passwords_and_disabled_accounts_get_the_same_answer(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    gone = room.person("old", RIGHT)
    room.account(name="provided", subject="https://idp.example 1")
    room.store.accounts.change(gone, By("t", "cli"), room.clock.now(), disabled_at=room.clock.now())
    tries = [("ana", "wrong"), ("nobody", RIGHT), ("old", RIGHT), ("provided", RIGHT), ("provided", ""), ("", "")]
    answers = [try_in(room.browser(), *one) for one in tries]
    assert {answer.status_code for answer in answers} == {403}
    texts = {re.sub(r'value="[^"]*"|X-CSRF-Token": "\w+"', "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert WRONG in texts.pop()


def test_an_unknown_name_costs_as_much_work_as_a_known_one(room: ConsoleRoom) -> None:
    done: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            done.append(str(hash))
            return super().verify(hash, password)

    signing = SignIn(room.office, Passwords(Counting(time_cost=1, memory_cost=64, parallelism=1)))
    room.person("ana", RIGHT)
    for name in ("ana", "nobody"):
        assert isinstance(signing.by_password(name, "wrong", "1.2.3.4"), Refused)
    parameters = {kept.rsplit("$", 2)[0] for kept in done}
    assert len(done) == 2
    assert len(parameters) == 1


def test_a_name_that_is_tried_too_often_is_closed_for_a_while_even_to_its_owner(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    signing = SignIn(room.office, QUICK)
    for index in range(TRIES_A_NAME):
        assert signing.by_password("ana", "wrong", f"10.0.0.{index}") == Refused()
        room.clock.advance(1)
    refused = signing.by_password("Ana", RIGHT, "10.9.9.9")
    assert isinstance(refused, Refused)
    assert refused.until == room.clock.now() - timedelta(seconds=TRIES_A_NAME) + timedelta(minutes=15)
    browser = room.browser()
    answer = try_in(browser, "ana", RIGHT)
    assert answer.status_code == 429
    assert "Too many tries. Try again after" in answer.text
    room.clock.advance(15 * 60)
    assert not isinstance(signing.by_password("ana", RIGHT, "10.9.9.9"), Refused)


def test_another_password_opens_a_name_that_was_closed(room: ConsoleRoom) -> None:
    number = room.person("ana", RIGHT)
    signing = SignIn(room.office, QUICK)
    for _ in range(TRIES_A_NAME):
        signing.by_password("ana", "wrong", "10.0.0.1")
    room.store.accounts.change(number, By("ops", "cli"), room.clock.now(), password=QUICK.hash(NEW))
    assert not isinstance(signing.by_password("ana", NEW, "10.0.0.1"), Refused)


def test_names_that_nobody_has_are_closed_alike(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    signing = SignIn(room.office, QUICK)
    for _ in range(TRIES_A_NAME):
        signing.by_password("nobody", "wrong", "10.0.0.1")
    assert signing.by_password("nobody", "wrong", "10.0.0.2") != Refused()


def test_an_address_that_tries_many_names_is_closed(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    signing = SignIn(room.office, QUICK)
    for index in range(TRIES_AN_ADDRESS):
        assert signing.by_password(f"name{index}", "wrong", f"2001:db8::{index:x}") == Refused()
    assert signing.by_password("ana", RIGHT, "2001:db8::ffff") != Refused()
    assert not isinstance(signing.by_password("ana", RIGHT, "2001:db8:0:1::1"), Refused)


def test_whoever_gets_in_is_forgiven_their_failures(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    signing = SignIn(room.office, QUICK)
    for _ in range(5):
        for _ in range(TRIES_A_NAME - 1):
            signing.by_password("ana", "wrong", "10.0.0.1")
            room.clock.advance(1)
        assert not isinstance(signing.by_password("ana", RIGHT, "10.0.0.1"), Refused)


@pytest.mark.parametrize(
    ("address", "whose"),
    [("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::/64"), ("::ffff:10.0.0.1", "10.0.0.1"), ("unix", "unix")],
)
def test_an_address_is_known_by_its_network(address: str, whose: str) -> None:
    assert network(address) == whose


def test_an_outdated_hash_is_replaced_at_the_next_sign_in(room: ConsoleRoom) -> None:
    old = Passwords(PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    number = room.account(name="ana", password=old.hash(RIGHT))
    assert try_in(room.browser(), "ana", RIGHT).status_code == 303
    account = room.store.accounts.account(number)
    assert account is not None
    assert account.password is not None
    assert "t=1" in account.password


def test_whoever_got_a_first_password_does_nothing_before_choosing_another(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT, must_change=True)
    browser = room.browser()
    assert try_in(browser, "ana", RIGHT, next="/account").headers["location"] == "/account"
    assert browser.get("/account").headers["location"] == "/password"
    page = browser.get("/password")
    assert "Somebody else has set your password." in page.text
    assert 'href="/alerts"' not in page.text
    data = {"csrf": csrf(page), "present": RIGHT, "new": NEW, "again": NEW}
    assert browser.post("/password", data=data).headers["location"] == "/"
    assert "The password is changed." in browser.get("/").text
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"present": "wrong"}, "That is not your present password."),
        ({"again": "another one of these"}, "The two new passwords are not the same."),
        ({"new": RIGHT, "again": RIGHT}, "The new password is the old one."),
        ({"new": "short", "again": "short"}, "The password needs at least 12 characters."),
        ({"new": "password1234", "again": "password1234"}, "The password is too easily guessed"),
    ],
)
def test_a_password_is_not_changed_for_a_bad_one(room: ConsoleRoom, form: dict[str, str], said: str) -> None:
    number = room.person("ana", RIGHT)
    browser = room.browser()
    browser.cookies.set("listener", room.token(number))
    data = {"csrf": csrf(browser.get("/password")), "present": RIGHT, "new": NEW, "again": NEW, **form}
    answer = browser.post("/password", data=data)
    assert answer.status_code == 400
    assert said in answer.text
    account = room.store.accounts.account(number)
    assert account is not None
    assert QUICK.is_right(account.password, RIGHT)


def test_changing_the_password_signs_out_everywhere_else(room: ConsoleRoom) -> None:
    number = room.person("ana", RIGHT)
    browser, other = room.browser(), room.browser()
    for one in (browser, other):
        one.cookies.set("listener", room.token(number))
    data = {"csrf": csrf(browser.get("/password")), "present": RIGHT, "new": NEW, "again": NEW}
    browser.post("/password", data=data)
    assert browser.get("/").status_code == 200
    assert other.get("/").status_code == 303


def test_present_passwords_cannot_be_guessed_in_an_open_session_either(room: ConsoleRoom) -> None:
    number = room.person("ana", RIGHT)
    browser = room.browser()
    browser.cookies.set("listener", room.token(number))
    token = csrf(browser.get("/password"))
    texts = [browser.post("/password", data={"csrf": token, "present": f"{n}"}).text for n in range(TRIES_A_NAME + 1)]
    assert "Too many tries." in texts[-1]


def test_the_sign_in_page_speaks_the_browsers_language_or_the_one_chosen(room: ConsoleRoom) -> None:
    browser = room.browser()
    page = browser.get("/sign-in", headers={"accept-language": "pt, fr-CA;q=0.8, en;q=0.5"})
    assert '<html lang="fr"' in page.text
    browser.post("/language", data={"csrf": csrf(page), "language": "ru", "next": "/sign-in"})
    assert '<html lang="ru"' in browser.get("/sign-in", headers={"accept-language": "fr"}).text


def test_a_chosen_language_stays_with_the_account(room: ConsoleRoom) -> None:
    visitor = room.client(language="de")
    assert '<html lang="de"' in visitor.get("/").text
    answer = visitor.post("/language", {"language": "zh-Hans", "next": "/account"})
    assert answer.headers["location"] == "/account"
    assert '<html lang="zh-Hans"' in visitor.get("/").text


def test_an_account_that_chose_no_language_has_that_of_its_browser_until_it_does(room: ConsoleRoom) -> None:
    visitor, french = room.client(language=""), {"accept-language": "fr-CA, en;q=0.5"}
    page = visitor.client.get("/account", headers=french).text
    assert '<html lang="fr' in page
    assert '<option value="" selected>' in page
    visitor.post("/account", {"timezone": "Asia/Tokyo", "language": "de"})
    assert '<html lang="de"' in visitor.client.get("/", headers=french).text
    visitor.post("/account", {"timezone": "Asia/Tokyo", "language": ""})
    assert '<html lang="fr' in visitor.client.get("/", headers=french).text
    assert visitor.follow(visitor.post("/account", {"timezone": "Asia/Tokyo"})).text.count("no such time zone") == 1


def test_failures_are_in_the_audit_log_without_what_was_typed(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    try_in(room.browser(), "ana", "wrong")
    try_in(room.browser(), RIGHT, "oops")
    lines = room.store.audit.page(action="sign-in failed")
    assert [line.object for line in lines] == ["?", "ana"]
    assert RIGHT not in str(lines)


def test_signing_in_needs_the_forms_own_token(room: ConsoleRoom) -> None:
    room.person("ana", RIGHT)
    browser = room.browser()
    browser.get("/sign-in")
    answer = browser.post("/sign-in", data={"name": "ana", "password": RIGHT})
    assert answer.status_code == 403
    assert browser.get("/").status_code == 303
