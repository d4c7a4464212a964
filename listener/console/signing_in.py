"""Who may come in: tries with passwords, slowed down; people whom the identity provider names."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from zoneinfo import available_timezones

import structlog

from listener.console.office import Office
from listener.console.openid import Person, granted
from listener.console.passwords import Passwords
from listener.console.zones import usual_timezone
from listener.store.accounts import Account, By, Limit, NewAccount, of_name
from listener.words import nearest

log = structlog.get_logger("listener.console")

TRIES_A_NAME = 10
TRIES_AN_ADDRESS = 60
SPAN = timedelta(minutes=15)
_LONGEST_NAME = 120
_MOST_OF_A_NAME = 50
_PROVIDER = By("identity provider", "console")


@dataclass(frozen=True, slots=True)
class Refused:
    """A try that did not succeed; nothing tells whether there is such an account."""

    until: datetime | None = None
    """Where there were too many tries: when the next one counts."""


class SignIn:
    """Decides on tries to sign in."""

    def __init__(self, office: Office, passwords: Passwords | None = None) -> None:
        self._office = office
        self.passwords = passwords or Passwords()

    def by_password(self, name: str, password: str, address: str) -> Account | Refused:
        """Return whose name and password these are, or that they are refused."""
        accounts, now = self._office.store.accounts, self._office.clock.now()
        limits = limits_of(name, address)
        until = accounts.begin_try(limits, now, SPAN)
        if until is not None:
            log.warning("too many tries to sign in", address=address)
            return Refused(until)
        account = accounts.named(name.strip()[:_LONGEST_NAME])
        kept = account.password if account is not None and account.disabled_at is None else None
        if not self.passwords.is_right(kept, password) or account is None or kept is None:
            # The name itself may be a password that was typed into the wrong field: it is told only where it is a name.
            accounts.note_failure(account.name if account else "?", address, now)
            log.warning("a sign-in failed", address=address)
            return Refused()
        accounts.forgive(limits, now)
        if self.passwords.is_outdated(kept):
            accounts.rehash(account.id, self.passwords.hash(password))
        return account

    def by_provider(self, person: Person) -> Account | None:
        """Return the account of somebody whom the provider signed in, made or updated; None where nothing is granted.

        Whoever is granted nothing any more loses what they had.
        """
        openid = self._office.config.console and self._office.config.console.openid
        grant = granted(person.groups, openid.grants) if openid else None
        accounts, now = self._office.store.accounts, self._office.clock.now()
        account = accounts.of_subject(person.subject)
        if grant is None:
            if account is not None:
                accounts.end_sessions(account.id, _PROVIDER, now)
            log.warning("the identity provider names nobody with a grant", groups=list(person.groups)[:20])
            return None
        countries = None if grant.countries is None else tuple(grant.countries)
        if account is None:
            return self._made(person, grant.role, countries)
        if account.disabled_at is not None:
            return None
        changed = {"full_name": person.full_name, "role": grant.role, "countries": countries}
        accounts.change(account.id, _PROVIDER, now, keeps_admin=False, **changed)  # the provider's word holds
        return accounts.account(account.id)

    def _made(self, person: Person, role: str, countries: tuple[str, ...] | None) -> Account | None:
        base = account_name(person.name) or "somebody"
        language = nearest(person.language) or ""
        usual = usual_timezone(self._office.config, countries)
        timezone = person.timezone if person.timezone in available_timezones() else usual
        for number in range(1, _MOST_OF_A_NAME):
            name = base if number == 1 else f"{base}-{number}"
            new = NewAccount(name, person.full_name, role, countries, language, timezone, person.subject)
            if self._office.store.accounts.add(new, _PROVIDER, self._office.clock.now()) is not None:
                break
            if (found := self._office.store.accounts.of_subject(person.subject)) is not None:
                return found  # made in another window meanwhile
        return self._office.store.accounts.of_subject(person.subject)


def limits_of(name: str, address: str) -> tuple[Limit, Limit]:
    """Return what slows down guesses: of one account's password, and from one address."""
    return Limit(of_name(name.strip()[:_LONGEST_NAME]), TRIES_A_NAME), Limit(
        f"address:{network(address)}", TRIES_AN_ADDRESS
    )


def network(address: str) -> str:
    """Return whose address it is: of IPv6 the network, which one household or server has whole."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:80]
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else str(parsed)


def account_name(text: str) -> str:
    """Return a text as the name of an account: small letters, figures and .@_+- ."""
    return re.sub(r"[^\w.@+-]+", "-", text.strip().casefold())[:100].strip("-")
