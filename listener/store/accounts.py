"""People who sign in to the console: accounts, sessions, and failed tries. Knows no password, only its hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from listener.errors import ListenerError
from listener.store import schema
from listener.store.audit import add_audit
from listener.store.engine import is_first_press, reading
from listener.store.types import storable

_accounts = schema.accounts
_sessions = schema.sessions
_failures = schema.sign_in_failures
_ENDS_SESSIONS = frozenset({"role", "countries", "disabled_at", "password"})
"""Whose session is older than a change of these may do what the change took away."""
_ALL = "all"
_LONGEST_KEY = 200
_ONE_BY_ONE = 7_302_451
"""Under this number PostgreSQL lets one transaction count tries at a time, as SQLite does of itself."""
_CHANGING = 7_302_452
"""Under this one it lets one transaction change accounts at a time, so that two do not disable each other."""
_SEEN_EVERY = timedelta(minutes=1)


class LastAdminError(ListenerError):
    """Nobody who can sign in would be an admin of all countries any more; nothing is changed."""


class GoneActorError(ListenerError):
    """Whoever changes an account was disabled, or is no admin of all countries any more; nothing is changed."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    id: int
    name: str
    """What they sign in with, in small letters."""
    full_name: str
    """As people know them; hostile."""
    subject: str | None
    """Whom the identity provider calls so; None for accounts with passwords."""
    password: str | None = field(repr=False)
    """Its argon2 hash."""
    role: str
    countries: tuple[str, ...] | None
    """None is all of them."""
    language: str
    """One of the console's languages that they chose; empty for what their browser asks for."""
    timezone: str
    slack: str | None
    """Their member id in Slack."""
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    signed_in_at: datetime | None
    must_change: bool
    """The password is to be changed at the next sign-in."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made."""

    name: str
    full_name: str
    role: str
    countries: tuple[str, ...] | None = None
    language: str = ""
    timezone: str = "UTC"
    subject: str | None = None
    password: str | None = field(default=None, repr=False)
    slack: str | None = None
    must_change: bool = False


@dataclass(frozen=True, slots=True)
class By:
    """Who changes an account, for the audit log."""

    actor: str
    origin: str
    account_id: int | None = None
    """Theirs, where they are signed in: it has to allow the change still when that is made."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser that is signed in."""

    token: str
    """SHA-256 of what the browser holds."""
    account_id: int
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tries within a span one key has: an account's name, or an address."""

    key: str
    tries: int

    def __post_init__(self) -> None:
        """Clean the key: somebody typed it."""
        object.__setattr__(self, "key", storable(self.key)[:_LONGEST_KEY])


def of_name(name: str) -> str:
    """Return the key under which tries for one account's name are counted."""
    return f"name:{name.strip().casefold()}"


class Accounts:
    """Keeps accounts, their sessions, and what is needed to slow down whoever guesses passwords."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- accounts --------------------------------------------------------------------------------------------------

    def all(self) -> list[Account]:
        """Return every account, by name."""
        return self._read(select(_accounts).order_by(_accounts.c.name))

    def account(self, account_id: int) -> Account | None:
        """Return one account."""
        return next(iter(self._read(select(_accounts).where(_accounts.c.id == account_id))), None)

    def named(self, name: str) -> Account | None:
        """Return the account that signs in with this name, however it is capitalised."""
        return next(iter(self._read(select(_accounts).where(_accounts.c.name == name.casefold()))), None)

    def of_subject(self, subject: str) -> Account | None:
        """Return the account of somebody whom an identity provider knows."""
        return next(iter(self._read(select(_accounts).where(_accounts.c.subject == subject))), None)

    def is_anybody_there(self, *, with_password: bool = False) -> bool:
        """Say whether anybody can sign in; `with_password`, without an identity provider."""
        query = select(_accounts.c.id).where(_accounts.c.disabled_at.is_(None)).limit(1)
        if with_password:
            query = query.where(_accounts.c.password.is_not(None))
        with reading(self._engine) as connection:
            return connection.scalar(query) is not None

    def add(self, new: NewAccount, by: By, now: datetime) -> int | None:
        """Make an account and return its id; None where the name is taken.

        Raises:
            GoneActorError: who does it may not any more.
        """
        values = {
            "name": new.name.casefold(), "full_name": new.full_name, "subject": new.subject, "password": new.password,
            "role": new.role, "countries": _listed(new.countries), "language": new.language, "timezone": new.timezone,
            "slack": new.slack, "must_change": new.must_change, "created_at": now, "created_by": by.actor,
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                _one_by_one(connection, _CHANGING)
                _check_actor(connection, by, None)
                made: int = connection.execute(_accounts.insert().values(values)).inserted_primary_key[0]  # type: ignore[index]
                data = {"role": new.role, "countries": _listed(new.countries) or _ALL}
                _note(connection, "account added", str(values["name"]), data, by, now)
        except IntegrityError:
            return None
        return made

    def change(
        self,
        account_id: int,
        by: By,
        now: datetime,
        *,
        has_provider: bool = False,
        keeps_admin: bool = True,
        **values: Any,
    ) -> bool:
        """Change an account; return whether anything is different now.

        Sessions end where role, countries or password change, or it is disabled. With another password, failed
        tries are forgotten.

        Args:
            account_id: Whose it is.
            by: Who changes it.
            now: The present moment.
            has_provider: Whether those whom an identity provider knows can sign in.
            keeps_admin: Whether an admin of all countries has to remain who can sign in.
            values: What it is to be, by column.

        Raises:
            GoneActorError: who does it may not any more.
            LastAdminError: no admin would remain.
        """
        with self._engine.begin() as connection:
            _one_by_one(connection, _CHANGING)
            _check_actor(connection, by, account_id)
            row = connection.execute(select(_accounts).where(_accounts.c.id == account_id)).mappings().first()
            if row is None:
                return False
            if "countries" in values:
                values["countries"] = _listed(values["countries"])
            different = {key: value for key, value in values.items() if row[key] != value}
            if not different:
                return False
            if keeps_admin and _rules(row, has_provider) and not _rules({**row, **different}, has_provider):
                _check_others_rule(connection, row, has_provider)
            connection.execute(update(_accounts).where(_accounts.c.id == account_id).values(different))
            if _ENDS_SESSIONS & different.keys():
                connection.execute(delete(_sessions).where(_sessions.c.account_id == account_id))
            if "password" in different:
                connection.execute(delete(_failures).where(_failures.c.key == of_name(row["name"])))
            _note(connection, "account changed", row["name"], _told(row, different), by, now)
        return True

    def rehash(self, account_id: int, password: str) -> None:
        """Keep another hash of the same password; nothing else changes, and nobody is told."""
        with self._engine.begin() as connection:
            connection.execute(update(_accounts).where(_accounts.c.id == account_id).values(password=password))

    def prefer(self, account_id: int, **values: str) -> None:
        """Keep what somebody prefers for themselves: `language`, `timezone`."""
        with self._engine.begin() as connection:
            connection.execute(update(_accounts).where(_accounts.c.id == account_id).values(values))

    # --- sessions --------------------------------------------------------------------------------------------------

    def open_session(self, token: str, account_id: int, now: datetime, ends_at: datetime, by: By) -> None:
        """Note that a browser signed in. `token` is the SHA-256 of what it holds."""
        values = {"token": token, "account_id": account_id, "created_at": now, "seen_at": now, "ends_at": ends_at}
        with self._engine.begin() as connection:
            connection.execute(_sessions.insert().values(values))
            connection.execute(update(_accounts).where(_accounts.c.id == account_id).values(signed_in_at=now))
            connection.execute(delete(_sessions).where(_sessions.c.ends_at <= now))
            name = connection.scalar(select(_accounts.c.name).where(_accounts.c.id == account_id)) or ""
            _note(connection, "signed in", name, {}, by, now)

    def session(
        self, token: str, now: datetime, idle: timedelta, *, notes: bool = True
    ) -> tuple[Account, SessionRow] | None:
        """Return whose browser this is; None where the session is over, or the account is disabled.

        `notes` that it is used now, once a minute at most.
        """
        query = (
            select(_accounts, *(column.label(f"session_{column.name}") for column in _sessions.c))
            .join(_sessions, _sessions.c.account_id == _accounts.c.id)
            .where(_sessions.c.token == token, _sessions.c.ends_at > now, _sessions.c.seen_at > now - idle)
            .where(_accounts.c.disabled_at.is_(None))
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        own = {key: value for key, value in row.items() if not key.startswith("session_")}
        session = SessionRow(**{key[8:]: value for key, value in row.items() if key.startswith("session_")})
        if notes and session.seen_at < now - _SEEN_EVERY:
            self._seen(token, now)
        return _account(own), session

    def end_session(self, token: str) -> None:
        """Sign one browser out."""
        with self._engine.begin() as connection:
            connection.execute(delete(_sessions).where(_sessions.c.token == token))

    def end_sessions(self, account_id: int, by: By, now: datetime) -> int:
        """Sign somebody out everywhere; return from how many browsers."""
        with self._engine.begin() as connection:
            ended = connection.execute(delete(_sessions).where(_sessions.c.account_id == account_id)).rowcount
            name = connection.scalar(select(_accounts.c.name).where(_accounts.c.id == account_id)) or ""
            _note(connection, "signed out everywhere", name, {"sessions": ended}, by, now)
        return ended

    def count_sessions(self, account_id: int, now: datetime) -> int:
        """Return how many browsers somebody is signed in with."""
        query = select(func.count()).where(_sessions.c.account_id == account_id, _sessions.c.ends_at > now)
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def _seen(self, token: str, now: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(_sessions).where(_sessions.c.token == token).values(seen_at=now))

    # --- failed tries ----------------------------------------------------------------------------------------------

    def begin_try(self, limits: Sequence[Limit], now: datetime, span: timedelta) -> datetime | None:
        """Count a try before it is made; where one of the limits is reached, count nothing and say until when.

        It is counted first, so that tries made at once count each.
        """
        with self._engine.begin() as connection:
            _one_by_one(connection, _ONE_BY_ONE)
            connection.execute(delete(_failures).where(_failures.c.at <= now - span))
            blocked = [until for limit in limits if (until := _blocked_until(connection, limit, now, span))]
            if blocked:
                return max(blocked)
            connection.execute(_failures.insert(), [{"key": limit.key, "at": now} for limit in limits])
        return None

    def forgive(self, limits: Sequence[Limit], now: datetime) -> None:
        """Take back the try that succeeded, and forget all the failures of the first key: the account's name."""
        name, *others = (limit.key for limit in limits)
        with self._engine.begin() as connection:
            connection.execute(delete(_failures).where(_failures.c.key == name))
            for key in others:
                one = select(func.max(_failures.c.id)).where(_failures.c.key == key, _failures.c.at == now)
                connection.execute(delete(_failures).where(_failures.c.id == one.scalar_subquery()))

    def note_failure(self, name: str, address: str, now: datetime) -> None:
        """Add a failed sign-in to the audit log."""
        with self._engine.begin() as connection:
            _note(connection, "sign-in failed", name[:120], {"address": address}, By(name[:120], "console"), now)

    def is_first_press(self, press: str, now: datetime) -> bool:
        """Note a press of a button by its key; False where it was handled before."""
        with self._engine.begin() as connection:
            return is_first_press(connection, press, now)

    def _read(self, query: Any) -> list[Account]:
        with reading(self._engine) as connection:
            return [_account(dict(row)) for row in connection.execute(query).mappings()]


def _one_by_one(connection: Connection, number: int) -> None:
    """Wait until no other transaction is at it; of itself SQLite lets one write at a time."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def _check_actor(connection: Connection, by: By, account_id: int | None) -> None:
    """Look whether the account of whoever changes this one allows it still: their own, or as admin of all countries."""
    if by.account_id is None:
        return
    row = connection.execute(select(_accounts).where(_accounts.c.id == by.account_id)).mappings().first()
    if row is None or row["disabled_at"] is not None or not (by.account_id == account_id or _is_admin_of_all(row)):
        raise GoneActorError(f"{by.actor} was disabled, or may not do this any more; nothing is changed")


def _check_others_rule(connection: Connection, row: Mapping[Any, Any], has_provider: bool) -> None:
    others = connection.execute(select(_accounts).where(_accounts.c.id != row["id"])).mappings()
    if not any(_rules(other, has_provider) for other in others):
        raise LastAdminError(
            f"{row['name']} is the last admin of all countries who can sign in: make somebody else one first, as with"
            " `listener people add NAME --role admin --everywhere`; nothing is changed"
        )


def _rules(row: Mapping[Any, Any], has_provider: bool) -> bool:
    """Tell whether this is an admin of all countries who can sign in."""
    can_sign_in = row["password"] is not None or (has_provider and row["subject"] is not None)
    return can_sign_in and row["disabled_at"] is None and _is_admin_of_all(row)


def _is_admin_of_all(row: Mapping[Any, Any]) -> bool:
    return row["role"] == "admin" and row["countries"] is None


def _blocked_until(connection: Connection, limit: Limit, now: datetime, span: timedelta) -> datetime | None:
    """Return when the oldest of the tries that fill a limit is forgotten; None while there is room."""
    latest = (
        select(_failures.c.at)
        .where(_failures.c.key == limit.key, _failures.c.at > now - span)
        .order_by(_failures.c.at.desc(), _failures.c.id.desc())
        .limit(1)
        .offset(limit.tries - 1)
    )
    oldest: datetime | None = connection.scalar(latest)
    return None if oldest is None else oldest + span


def _account(row: dict[str, Any]) -> Account:
    countries = row.pop("countries")
    return Account(**row, countries=None if countries is None else tuple(countries))


def _listed(countries: Sequence[str] | None) -> list[str] | None:
    return None if countries is None else sorted(set(countries))


def _told(row: Any, different: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit log says of a change; of a password only that there is another."""
    told: dict[str, Any] = {}
    for key, value in different.items():
        if key == "password":
            told[key] = "changed"
        elif key == "disabled_at":
            told["disabled"] = value is not None
        else:
            none = _ALL if key == "countries" else None
            told[key] = {"was": row[key] or none, "is": value or none}
    return told


def _note(connection: Connection, action: str, name: str, data: dict[str, Any], by: By, now: datetime) -> None:
    add_audit(connection, actor=by.actor, origin=by.origin, action=action, object=name, now=now, data=data)
