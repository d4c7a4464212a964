"""What an admin, or whoever has the machine, does with accounts: checked alike on the page and the command line."""

import secrets
from collections.abc import Iterable, Sequence

from listener.config.models import ROLES
from listener.console.passwords import LONGEST, SHORTEST, Passwords, weakness
from listener.console.signing_in import account_name
from listener.console.words import marked
from listener.errors import ListenerError

_LONGEST_SLACK = 40
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Nothing that is mistaken for something else when read aloud."""


class PeopleError(ListenerError):
    """An account cannot be so. The message is marked for translation; `values` fill it."""

    def __init__(self, message: str, **values: str) -> None:
        super().__init__(message.format(**values))
        self.message = message
        self.values = values


def checked_name(name: str) -> str:
    """Return a name to sign in with, as it is kept.

    Raises:
        PeopleError: it is empty or holds what a name cannot.
    """
    kept = name.strip().casefold()
    if not kept or account_name(kept) != kept:
        raise PeopleError(marked("A name to sign in with has letters, figures and . @ _ + - alone."))
    return kept


def checked_role(role: str) -> str:
    """Return one of the roles.

    Raises:
        PeopleError: it is none.
    """
    if role not in ROLES:
        raise PeopleError(marked("There is no role {role}; choose one of {roles}."), role=role, roles=", ".join(ROLES))
    return role


def checked_countries(countries: Sequence[str], known: Iterable[str], *, everywhere: bool) -> tuple[str, ...] | None:
    """Return the countries that an account sees; None is all of them, which is asked for in so many words.

    Raises:
        PeopleError: none is chosen, both are, or one is not configured.
    """
    chosen, there = [country.strip().upper() for country in countries if country.strip()], set(known)
    if everywhere and not chosen:
        return None
    if everywhere or not chosen:
        raise PeopleError(marked("Choose countries, or all of them."))
    for country in chosen:
        if country not in there:
            raise PeopleError(marked("Country {country} is not configured."), country=country)
    return tuple(sorted(set(chosen)))


def checked_slack(member: str) -> str | None:
    """Return the id of a member of Slack; None where none is given.

    Raises:
        PeopleError: it is none.
    """
    given = member.strip().upper()
    if given and not (given.isalnum() and given.isascii() and given[0] in "UW" and len(given) <= _LONGEST_SLACK):
        raise PeopleError(marked("A member of Slack is written as U0123ABCD; see the profile there."))
    return given or None


def hashed(passwords: Passwords, password: str, names: Sequence[str]) -> str:
    """Return what is kept of a new password.

    Raises:
        PeopleError: it is too weak.
    """
    weak = weakness(password, names)
    if weak:
        raise PeopleError(weak, least=str(SHORTEST), most=str(LONGEST))
    return passwords.hash(password)


def first_password() -> str:
    """Return a password for somebody's first sign-in, easily read aloud and not guessed: 80 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
