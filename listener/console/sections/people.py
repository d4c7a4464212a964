"""People and roles: who may sign in, as what, for which countries. For admins of all countries alone."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from listener.console.page import Nav, NotFoundError, PageRequest, RefusedError, page
from listener.console.people import (
    PeopleError,
    checked_countries,
    checked_name,
    checked_role,
    checked_slack,
    first_password,
)
from listener.console.words import marked
from listener.console.zones import usual_timezone
from listener.store.accounts import Account, LastAdminError, NewAccount

_LONGEST_FULL_NAME = 120
_Answer = Callable[[PageRequest, Account], Response]
_LAST = marked("{name} is the last admin of all countries who can sign in. Make somebody else one first.")


def _require_all(request: PageRequest) -> None:
    if not request.visitor.rules_all:
        raise RefusedError(request.words.say("People are looked after by admins of all countries alone."))


@page("admin")
def people(request: PageRequest) -> Response:
    """List who may sign in; take somebody new."""
    _require_all(request)
    return _add(request) if request.is_post else _list(request)


def _list(request: PageRequest, error: str = "", status: int = 200) -> Response:
    values = {
        "accounts": request.office.store.accounts.all(),
        "countries": _countries(request),
        "error": error,
        "form": request.form,
        "chosen": request.chosen("country"),
    }
    return request.render("people.html", values, status)


def _add(request: PageRequest) -> Response:
    accounts, password = request.office.store.accounts, first_password()
    try:
        countries = _chosen_countries(request)
        new = NewAccount(
            name=checked_name(request.form.get("name", "")),
            full_name=_full_name(request) or request.form.get("name", "").strip(),
            role=checked_role(request.form.get("role", "")),
            countries=countries,
            timezone=usual_timezone(request.office.config, countries),
            slack=_slack(request),
            password=request.guard.signing.passwords.hash(password),
            must_change=True,
        )
    except PeopleError as error:
        return _list(request, _said(request, error), 400)
    if not request.is_first_press():
        return request.back("/people", request.words.say("That was done before."), "bad")
    made = accounts.add(new, request.visitor.by, request.office.clock.now())
    if made is None:
        return _list(request, request.words.say("There is somebody called {name} already.", name=new.name), 409)
    return request.render("first_password.html", {"account": accounts.account(made), "password": password})


def _account_of(request: PageRequest) -> Account:
    _require_all(request)
    number = request.path["account"]
    account = request.office.store.accounts.account(int(number)) if number.isdecimal() and len(number) < 16 else None
    if account is None:
        raise NotFoundError("no such account")
    return account


@page("admin")
def person(request: PageRequest) -> Response:
    """Show somebody's account; take changes."""
    account = _account_of(request)
    return _change(request, account) if request.is_post else _one(request, account)


def _one(request: PageRequest, account: Account, error: str = "", status: int = 200) -> Response:
    sessions = request.office.store.accounts.count_sessions(account.id, request.office.clock.now())
    values = {
        "account": account, "sessions": sessions, "countries": _countries(request, account), "error": error,
        "is_own": account.id == request.visitor.account_id,
    }  # fmt: skip
    return request.render("person.html", values, status)


def _change(request: PageRequest, account: Account) -> Response:
    values: dict[str, Any] = {}
    try:
        values["slack"] = _slack(request)
        if account.subject is None:
            values["full_name"] = _full_name(request) or account.full_name
            if account.id != request.visitor.account_id:
                values["role"] = checked_role(request.form.get("role", ""))
                values["countries"] = _chosen_countries(request, account)
    except PeopleError as error:
        return _one(request, account, _said(request, error), 400)
    try:
        changed = _changed(request, account, **values)
    except LastAdminError:
        return _one(request, account, request.words.say(_LAST, name=account.full_name), 409)
    text = request.words.say("Kept.") if changed else request.words.say("Nothing was different.")
    return request.back(f"/people/{account.id}", text)


def _act(act: _Answer) -> Callable[..., Any]:
    """Make an endpoint of something that a button does to somebody else's account."""

    @page("admin")
    def handler(request: PageRequest) -> Response:
        account = _account_of(request)
        if not request.is_post:
            return request.back(f"/people/{account.id}")
        if account.id == request.visitor.account_id:
            raise RefusedError(request.words.say("Not to your own account: somebody else has to."))
        if not request.is_first_press():
            return request.back(f"/people/{account.id}", request.words.say("That was done before."), "bad")
        return act(request, account)

    return handler


def _changed(request: PageRequest, account: Account, **values: Any) -> bool:
    """Change an account; return whether anything is different now.

    Raises:
        LastAdminError: no admin of all countries would remain who can sign in.
    """
    console, now = request.office.config.console, request.office.clock.now()
    has_provider = console is not None and console.openid is not None
    return request.office.store.accounts.change(
        account.id, request.visitor.by, now, has_provider=has_provider, **values
    )


def _disable(request: PageRequest, account: Account) -> Response:
    try:
        _changed(request, account, disabled_at=request.office.clock.now())
    except LastAdminError:
        return _one(request, account, request.words.say(_LAST, name=account.full_name), 409)
    text = request.words.say("{name} can sign in no more, and is signed out everywhere.", name=account.full_name)
    return request.back(f"/people/{account.id}", text)


def _enable(request: PageRequest, account: Account) -> Response:
    _changed(request, account, disabled_at=None)
    text = request.words.say("{name} can sign in again.", name=account.full_name)
    return request.back(f"/people/{account.id}", text)


def _reset(request: PageRequest, account: Account) -> Response:
    if account.subject is not None:
        raise RefusedError(request.words.say("This person signs in at the organisation; there is no password here."))
    password = first_password()
    _changed(request, account, password=request.guard.signing.passwords.hash(password), must_change=True)
    return request.render("first_password.html", {"account": account, "password": password})


def _full_name(request: PageRequest) -> str:
    return " ".join(request.form.get("full_name", "").split())[:_LONGEST_FULL_NAME]


def _slack(request: PageRequest) -> str | None:
    return checked_slack(request.form.get("slack", ""))


def _countries(request: PageRequest, account: Account | None = None) -> list[tuple[str, str]]:
    """Return the countries to choose from: those configured, and those that somebody has of earlier times."""
    codes = [*request.office.config.countries, *((account.countries or ()) if account else ())]
    return [(code, f"{code} {request.words.country(code)}") for code in dict.fromkeys(codes)]


def _chosen_countries(request: PageRequest, account: Account | None = None) -> tuple[str, ...] | None:
    known = [code for code, _ in _countries(request, account)]
    everywhere = request.form.get("everywhere") == "yes"
    return checked_countries(request.chosen("country"), known, everywhere=everywhere)


def _said(request: PageRequest, error: PeopleError) -> str:
    return request.words.say(error.message, **error.values)


NAV = Nav(marked("People"), "/people", "admin", order=85, all_countries=True)
ROUTES = (
    Route("/people", people, methods=["GET", "POST"]),
    Route("/people/{account}", person, methods=["GET", "POST"]),
    Route("/people/{account}/disable", _act(_disable), methods=["GET", "POST"]),
    Route("/people/{account}/enable", _act(_enable), methods=["GET", "POST"]),
    Route("/people/{account}/password", _act(_reset), methods=["GET", "POST"]),
)
