"""`listener people`: who may sign in to the console. Passwords are asked for, or read from standard input."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.errors import ListenerError
from listener.terminal import DEFAULT_CONFIG, ConfigOption, account, end_with_the_pipe, load_in_force, say

if TYPE_CHECKING:
    from listener.config import Config
    from listener.console.passwords import Passwords
    from listener.store import Store
    from listener.store.accounts import Account

_LONGEST_INPUT = 4096

people_app = typer.Typer(
    help="Who may sign in to the console, as what, and for which countries; see docs/console.md.", no_args_is_help=True
)
NameArgument = Annotated[str, typer.Argument(help="The name that they sign in with.")]
RoleOption = Annotated[str, typer.Option(help="viewer, community-manager, communications-lead or admin.")]
CountriesOption = Annotated[str, typer.Option(help="Countries that they see, such as FR,BE.")]
EverywhereOption = Annotated[bool, typer.Option("--everywhere", help="They see all countries, those to come too.")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who does this; else the account that runs it.")]


class _Office:
    """The store's accounts, and what is checked before they are changed."""

    def __init__(self, config: "Config", store: "Store", by: str | None) -> None:
        from listener.clock import SystemClock
        from listener.store.accounts import By

        self.config = config
        self.accounts = store.accounts
        self.by: By = By(by or account(), "cli")
        self._clock = SystemClock()

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @property
    def has_provider(self) -> bool:
        """Whether people sign in at an identity provider as well."""
        return self.config.console is not None and self.config.console.openid is not None

    @cached_property
    def passwords(self) -> "Passwords":
        from listener.console.passwords import Passwords

        return Passwords()

    def account(self, name: str) -> "Account":
        """Return somebody's account.

        Raises:
            ListenerError: there is none.
        """
        found = self.accounts.named(name.strip())
        if found is None:
            raise ListenerError(f"there is nobody called {_one_line(name)}; `listener people list` names them all")
        return found

    def local(self, name: str) -> "Account":
        """Return the account of somebody who signs in with a password.

        Raises:
            ListenerError: there is none, or the identity provider looks after it.
        """
        found = self.account(name)
        if found.subject is not None:
            raise ListenerError(
                f"{found.name} signs in at the identity provider, whose groups say what they may do; see"
                " console.openid.grants. `listener people disable` keeps them out"
            )
        return found

    def refuse_taken(self, name: str) -> None:
        """Refuse a name before its password is asked for.

        Raises:
            ListenerError: somebody has it.
        """
        if self.accounts.named(name) is not None:
            raise ListenerError(f"there is somebody called {name} already; `listener people list` names them all")

    def countries(self, written: str, *, everywhere: bool) -> tuple[str, ...] | None:
        """Return the countries that are meant; None is all of them."""
        from listener.console.people import checked_countries

        if not everywhere and not written.strip():
            raise ListenerError("say which countries they see: --countries FR,BE, or --everywhere for all of them")
        return checked_countries(written.split(","), self.config.countries, everywhere=everywhere)

    @staticmethod
    def language(tag: str) -> str:
        """Return one of the console's languages."""
        from listener.words import LANGUAGES, nearest

        found = nearest(tag)
        if found is None:
            raise ListenerError(f"the console speaks {', '.join(LANGUAGES)}; not {_one_line(tag)}")
        return found

    @staticmethod
    def timezone(name: str) -> str:
        """Return the name of a time zone."""
        from zoneinfo import available_timezones

        if name not in available_timezones():
            raise ListenerError(f"there is no time zone {_one_line(name)}; write an IANA name such as Europe/Paris")
        return name

    @staticmethod
    def slack(member: str) -> str | None:
        """Return a Slack member's id."""
        from listener.console.people import checked_slack

        return checked_slack(member)


@contextmanager
def _office(config: Path, by: str | None) -> "Iterator[_Office]":
    from listener.store import Store

    settings = load_in_force(config)
    store = Store(settings.store.address)
    try:
        yield _Office(settings, store, by)
    finally:
        store.close()


def _password(from_stdin: bool) -> str:
    """Return a password that somebody types twice, unseen, or that standard input holds as its one line.

    Raises:
        ListenerError: there is none, or the two are not the same.
    """
    if from_stdin:
        return _line()
    if not sys.stdin.isatty():
        raise ListenerError("there is no terminal to ask for a password at; give it with --password-stdin")
    say("At least 12 characters; several words that have nothing to do with each other are good.")
    try:
        first = getpass.getpass("Password: ")
        second = getpass.getpass("Again: ")
    except (EOFError, KeyboardInterrupt):
        raise ListenerError("no password was given; nothing is changed") from None
    if first != second:
        raise ListenerError("the two passwords are not the same; nothing is changed")
    return first


def _line() -> str:
    try:
        text = sys.stdin.buffer.read(_LONGEST_INPUT).decode("utf-8")
    except UnicodeDecodeError:
        raise ListenerError("the password on standard input is not UTF-8 text") from None
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0]:
        raise ListenerError("standard input is to hold the password as its one line")
    return lines[0]


def _seen(countries: Sequence[str] | None) -> str:
    return "all countries" if countries is None else ", ".join(countries)


def _one_line(text: str) -> str:
    from alerts.escaping import one_line

    return one_line(text[:120])


@people_app.command("add")
def add(
    name: NameArgument,
    role: RoleOption,
    countries: CountriesOption = "",
    everywhere: EverywhereOption = False,
    full_name: Annotated[str, typer.Option(help="As others know them; it stands on what they do.")] = "",
    slack: Annotated[str, typer.Option(help="Their member id in Slack, such as U0123ABCD.")] = "",
    language: Annotated[
        str, typer.Option(help="en, fr, de, es, ru or zh-Hans; else what their browser asks for.")
    ] = "",
    timezone: Annotated[
        str, typer.Option(help="Such as Europe/Paris; else that of their first country, or of the head office.")
    ] = "",
    must_change: Annotated[
        bool, typer.Option("--must-change", help="They choose another password at their first sign-in.")
    ] = False,
    password_stdin: StdinOption = False,
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Add somebody who signs in with a password, which is asked for."""
    from listener.console.people import checked_name, checked_role, hashed
    from listener.console.zones import usual_timezone
    from listener.store.accounts import NewAccount

    with _office(config, by) as office:
        kept, full = checked_name(name), full_name.strip() or name.strip()
        office.refuse_taken(kept)
        checked_role(role)
        seen = office.countries(countries, everywhere=everywhere)
        password = hashed(office.passwords, _password(password_stdin), [kept, full])
        zone = office.timezone(timezone or usual_timezone(office.config, seen))
        new = NewAccount(
            kept, full, role, seen, office.language(language) if language else "", zone, None, password,
            office.slack(slack), must_change,
        )  # fmt: skip
        if office.accounts.add(new, office.by, office.now) is None:
            raise ListenerError(f"there is somebody called {kept} already; `listener people list` names them all")
        typer.echo(f"{kept} may sign in as {role} for {_seen(seen)}")


@people_app.command("list")
def listed(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Show who may sign in."""
    end_with_the_pipe()
    with _office(config, None) as office:
        rows = office.accounts.all()
        for row in rows:
            state = (
                "disabled"
                if row.disabled_at
                else "last signed in " + (f"{row.signed_in_at:%Y-%m-%d %H:%M} UTC" if row.signed_in_at else "never")
            )
            way = "identity provider" if row.subject else "password"
            typer.echo(f"{row.name}  {_one_line(row.full_name)}  {row.role}, {_seen(row.countries)}; {way}; {state}")
        if not rows:
            typer.echo("Nobody yet. Add the first admin: listener people add NAME --role admin --everywhere")


@people_app.command("role")
def role_of(
    name: NameArgument,
    role: Annotated[str, typer.Argument(help="viewer, community-manager, communications-lead or admin.")],
    countries: CountriesOption = "",
    everywhere: EverywhereOption = False,
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Change what somebody may do, and where named the countries they see. They are signed out."""
    from listener.console.people import checked_role

    with _office(config, by) as office:
        found = office.local(name)
        values: dict[str, Any] = {"role": checked_role(role)}
        if countries or everywhere:
            values["countries"] = office.countries(countries, everywhere=everywhere)
        changed = office.accounts.change(found.id, office.by, office.now, has_provider=office.has_provider, **values)
        seen = values.get("countries", found.countries)
        typer.echo(f"{found.name} is {role} for {_seen(seen)}" if changed else f"{found.name} was so before")


@people_app.command("password")
def password_of(
    name: NameArgument,
    must_change: Annotated[
        bool, typer.Option("--must-change", help="They choose another password at their next sign-in.")
    ] = False,
    password_stdin: StdinOption = False,
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Set somebody's password, which is asked for. They are signed out."""
    from listener.console.people import hashed

    with _office(config, by) as office:
        found = office.local(name)
        kept = hashed(office.passwords, _password(password_stdin), [found.name, found.full_name])
        office.accounts.change(found.id, office.by, office.now, password=kept, must_change=must_change)
        typer.echo(f"the password of {found.name} is changed; they are signed out everywhere")


@people_app.command("disable")
def disable(name: NameArgument, by: ByOption = None, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let somebody sign in no more, and sign them out everywhere. What they did stays in the records."""
    with _office(config, by) as office:
        found = office.account(name)
        changed = found.disabled_at is None and office.accounts.change(
            found.id, office.by, office.now, has_provider=office.has_provider, disabled_at=office.now
        )
        typer.echo(f"{found.name} can sign in no more" if changed else f"{found.name} was disabled before")


@people_app.command("enable")
def enable(name: NameArgument, by: ByOption = None, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let somebody sign in again."""
    with _office(config, by) as office:
        found = office.account(name)
        changed = office.accounts.change(found.id, office.by, office.now, disabled_at=None)
        typer.echo(f"{found.name} can sign in again" if changed else f"{found.name} was not disabled")
