"""Signing in and out: with a password, or by the organisation's identity provider."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from listener.console.openid import OpenIdError
from listener.console.page import PUBLIC, PageRequest, page
from listener.console.signing_in import Refused
from listener.console.tokens import safe_path
from listener.console.words import marked
from listener.words import SOURCE, nearest

_NOBODY = marked("Name or password is wrong.")
_TOO_MANY = marked("Too many tries. Try again after {time}.")
_NO_GRANT = marked("You are signed in at your organisation, but you may not use this console.")


@page(PUBLIC)
def sign_in(request: PageRequest) -> Response:
    """Show the way in; take a name and a password."""
    if request.is_post:
        return _try(request)
    if request.is_signed_in:
        return request.back(request.query.get("next", "/"))
    return _form(request)


def _try(request: PageRequest) -> Response:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    found = request.guard.signing.by_password(name, password, request.address)
    if not isinstance(found, Refused):
        request.guard.sign_in(request, found)
        return request.back(request.form.get("next", "/"))
    if found.until is None:
        return _form(request, request.words.say(_NOBODY), status=403)
    return _form(request, request.words.say(_TOO_MANY, time=_time(request, found)), status=429)


def _time(request: PageRequest, refused: Refused) -> str:
    assert refused.until is not None  # noqa: S101
    left_s = (refused.until - request.office.clock.now()).total_seconds()
    return request.words.duration(max(60.0, left_s))


def _form(request: PageRequest, error: str = "", status: int = 200) -> Response:
    console = request.office.config.console
    has_openid = console is not None and console.openid is not None
    wanted = safe_path(request.form.get("next") or request.query.get("next", "/"))
    values = {
        "error": error,
        "has_openid": has_openid,
        "has_passwords": request.office.store.accounts.is_anybody_there(with_password=True) or not has_openid,
        "wanted": wanted,
        "name": request.form.get("name", "")[:120],
    }
    return request.render("sign_in.html", values, status)


@page(PUBLIC)
def to_provider(request: PageRequest) -> Response:
    """Send the browser to the identity provider."""
    openid = request.guard.openid(request)
    if openid is None or request.is_signed_in:
        return request.back("/sign-in")
    try:
        return RedirectResponse(openid.way_out(request.visit, request.query.get("next", "/")), status_code=303)
    except OpenIdError as error:
        return _form(request, request.words.say(str(error)), status=502)


@page(PUBLIC)
def from_provider(request: PageRequest) -> Response:
    """Take what the browser brings back from the identity provider."""
    openid = request.guard.openid(request)
    if openid is None:
        return request.back("/sign-in")
    try:
        person, wanted = openid.way_back(request.visit, request.query)
    except OpenIdError as error:
        return _form(request, request.words.say(str(error)), status=403)
    account = request.guard.signing.by_provider(person)
    if account is None:
        return request.render("no_grant.html", {"text": request.words.say(_NO_GRANT), "person": person}, 403)
    request.guard.sign_in(request, account)
    return request.back(wanted)


@page(PUBLIC)
def sign_out(request: PageRequest) -> Response:
    """End this browser's session."""
    if request.is_post and request.is_signed_in:
        request.guard.sign_out(request)
    return request.back("/sign-in")


@page(PUBLIC)
def language(request: PageRequest) -> Response:
    """Choose a language: for good where somebody is signed in, else for this browser."""
    if not request.is_post:  # another site's link may not choose
        return request.back("/")
    chosen = nearest(request.form.get("language", "")) or SOURCE
    if request.is_signed_in:
        request.office.store.accounts.prefer(request.visitor.account_id, language=chosen)
    else:
        request.cookies[request.guard.language_cookie] = (chosen, 365 * 86400)
    return request.back(request.form.get("next", "/"))


ROUTES = (
    Route("/sign-in", sign_in, methods=["GET", "POST"]),
    Route("/sign-in/provider", to_provider),
    Route("/sign-in/callback", from_provider),
    Route("/sign-out", sign_out, methods=["GET", "POST"]),
    Route("/language", language, methods=["GET", "POST"]),
)
