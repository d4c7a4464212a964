import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from listener.cli import app
from listener.console.passwords import Passwords
from listener.errors import ListenerError
from listener.people_command import _password
from listener.store import Store
from listener.store.accounts import Account
from tests.console_room import CONFIG
from tests.databases import migrated_sqlite

GOOD = "grün lampe achtzig boot"
OTHER = "tortuga violeta 41 saltos"


class People:
    """The command, on a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        url = migrated_sqlite(folder)
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG % ("127.0.0.1:0", "", url), encoding="utf-8")
        self.store = Store(url)

    def run(self, *arguments: str, password: str | None = None) -> Result:
        more = ("--password-stdin",) if password is not None else ()
        return CliRunner().invoke(
            app,
            ["people", *arguments, *more, "--config", str(self.config)],
            input=f"{password}\n" if password else None,
        )

    def account(self, name: str) -> Account:
        found = self.store.accounts.named(name)
        assert found is not None
        return found


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    made = People(tmp_path)
    yield made
    made.store.close()


def test_somebody_is_added_listed_and_noted(people: People) -> None:
    result = people.run("add", "Ana", "--role", "admin", "--everywhere", "--full-name", "Ana García", "--by", "ops",
                        password=GOOD)  # fmt: skip
    assert (result.exit_code, result.output) == (0, "ana may sign in as admin for all countries\n")
    assert Passwords().is_right(people.account("ana").password, GOOD)
    assert "ana  Ana García  admin, all countries; password; last signed in never" in people.run("list").output
    assert people.account("ana").language == ""  # as her browser asks
    line = people.store.audit.page()[0]
    assert (line.actor, line.origin, line.action, line.object) == ("ops", "cli", "account added", "ana")


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("--role", "admin"), GOOD, "say which countries they see"),
        (("--role", "boss", "--everywhere"), GOOD, "There is no role boss"),
        (("--role", "admin", "--countries", "XX"), GOOD, "Country XX is not configured"),
        (("--role", "admin", "--countries", "FR", "--everywhere"), GOOD, "Choose countries, or all of them"),
        (("--role", "admin", "--everywhere"), "ana2026ana2026", "too easily guessed"),
        (("--role", "admin", "--everywhere"), "short", "at least 12 characters"),
        (("--role", "admin", "--everywhere", "--language", "tlh"), GOOD, "the console speaks en, fr"),
        (("--role", "admin", "--everywhere", "--timezone", "Mars"), GOOD, "there is no time zone Mars"),
        (("--role", "admin", "--everywhere", "--slack", "ana"), GOOD, "A member of Slack"),
        (("--role", "admin", "--everywhere"), f"{GOOD}\nmore", "as its one line"),
    ],
)
def test_what_cannot_be_is_said_and_nobody_is_added(
    people: People, arguments: tuple[str, ...], password: str, said: str
) -> None:
    result = people.run("add", "ana", *arguments, password=password)
    assert result.exit_code == 1
    assert said in str(result.exception)
    assert password not in str(result.exception)
    assert people.store.accounts.all() == []


def test_role_password_and_being_disabled(people: People) -> None:
    people.run("add", "ben", "--role", "viewer", "--countries", "fr,JP", password=GOOD)
    assert people.account("ben").countries == ("FR", "JP")
    assert people.run("role", "ben", "admin").output == "ben is admin for FR, JP\n"
    assert people.run("role", "BEN", "admin", "--everywhere").output == "ben is admin for all countries\n"
    people.run("password", "ben", "--must-change", password=OTHER)
    assert Passwords().is_right(people.account("ben").password, OTHER)
    assert people.account("ben").must_change
    for refused in (("disable", "ben"), ("role", "ben", "viewer"), ("role", "ben", "admin", "--countries", "FR")):
        assert "ben is the last admin of all countries who can sign in" in str(people.run(*refused).exception)
    people.run("add", "ana", "--role", "admin", "--everywhere", password=GOOD)
    assert people.run("disable", "ben").output == "ben can sign in no more\n"
    assert people.run("disable", "ben").output == "ben was disabled before\n"
    assert "disabled" in people.run("list").output
    assert people.run("enable", "ben").output == "ben can sign in again\n"
    assert people.run("enable", "ben").output == "ben was not disabled\n"


def test_names_that_are_taken_or_that_nobody_has(people: People) -> None:
    people.run("add", "ben", "--role", "viewer", "--everywhere", password=GOOD)
    assert "there is somebody called ben already" in str(
        people.run("add", "BEN", "--role", "viewer", "--everywhere", password=GOOD).exception
    )
    for command in (("role", "eve", "admin"), ("disable", "eve"), ("enable", "eve"), ("password", "eve")):
        assert "there is nobody called eve" in str(people.run(*command).exception)


def test_an_empty_list_says_how_to_begin(people: People) -> None:
    assert "listener people add NAME --role admin --everywhere" in people.run("list").output


def test_a_password_is_never_an_argument(people: People) -> None:
    assert people.run("add", "ben", "--role", "viewer", "--everywhere", "--password", GOOD).exit_code == 2
    assert people.run("password", "ben", GOOD).exit_code == 2


def test_without_a_terminal_it_says_how_to_give_the_password(people: People) -> None:
    result = people.run("add", "ben", "--role", "viewer", "--everywhere")
    assert "--password-stdin" in str(result.exception)


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([GOOD, OTHER])
    terminal, _ = os.openpty()
    with os.fdopen(terminal, "r") as shown:
        monkeypatch.setattr(sys, "stdin", shown)
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
        with pytest.raises(ListenerError, match="not the same"):
            _password(from_stdin=False)


def test_a_password_on_standard_input_must_be_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n")))
    with pytest.raises(ListenerError, match="UTF-8"):
        _password(from_stdin=True)
