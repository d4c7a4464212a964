"""What somebody sets for themselves: language, time zone, password, and where they are signed in."""

from zoneinfo import available_timezones

from starlette.responses import Response
from starlette.routing import Route

from listener.console.page import PageRequest, page
from listener.console.passwords import LONGEST, SHORTEST, weakness
from listener.console.signing_in import Refused
from listener.console.words import marked
from listener.words import nearest

_DIFFERENT = marked("The two new passwords are not the same.")
_SAME = marked("The new password is the old one.")
_WRONG = marked("That is not your present password.")
_TOO_MANY = marked("Too many tries. Try again after {time}.")


@page("viewer")
def account(request: PageRequest) -> Response:
    """Show what the visitor may set; take language and time zone."""
    if request.is_post:
        return _prefer(request)
    sessions = request.office.store.accounts.count_sessions(request.visitor.account_id, request.office.clock.now())
    values = {"timezones": sorted(available_timezones()), "sessions": sessions}
    return request.render("account.html", values)


def _prefer(request: PageRequest) -> Response:
    timezone = request.form.get("timezone", "")
    asked = request.form.get("language")
    language = nearest(asked) if asked else asked
    if timezone not in available_timezones() or language is None:
        return request.back("/account", request.words.say("There is no such time zone or language."), "bad")
    request.office.store.accounts.prefer(request.visitor.account_id, language=language, timezone=timezone)
    if not language:  # nor does one that was chosen before signing in hold any more
        request.cookies[request.guard.language_cookie] = ("", 0)
    return request.back("/account", request.words.say("Kept."))


@page("viewer")
def password(request: PageRequest) -> Response:
    """Change one's own password."""
    if not request.visitor.has_password:
        return request.back("/account", request.words.say("You sign in at your organisation; there is no password here."), "bad")  # fmt: skip  # noqa: E501
    if not request.is_post:
        return _form(request)
    error = _problem(request)
    if error:
        return _form(request, error, 400)
    accounts, now = request.office.store.accounts, request.office.clock.now()
    kept = request.guard.signing.passwords.hash(request.form["new"])
    accounts.change(request.visitor.account_id, request.visitor.by, now, password=kept, must_change=False)
    changed = accounts.account(request.visitor.account_id)
    if changed is not None:
        request.guard.sign_in(request, changed)
    return request.back("/", request.words.say("The password is changed. Everywhere else you are signed out."))


def _problem(request: PageRequest) -> str:
    """Return what is wrong with the form; the present password is tried as at the sign-in, and slowed down alike."""
    words, visitor, new = request.words, request.visitor, request.form.get("new", "")
    found = request.guard.signing.by_password(visitor.name, request.form.get("present", ""), request.address)
    if isinstance(found, Refused):
        if found.until is None:
            return words.say(_WRONG)
        left_s = (found.until - request.office.clock.now()).total_seconds()
        return words.say(_TOO_MANY, time=words.duration(max(60.0, left_s)))
    if new != request.form.get("again", ""):
        return words.say(_DIFFERENT)
    if new == request.form.get("present", ""):
        return words.say(_SAME)
    weak = weakness(new, [visitor.name, visitor.full_name])
    return words.say(weak, least=words.number(SHORTEST), most=words.number(LONGEST)) if weak else ""


def _form(request: PageRequest, error: str = "", status: int = 200) -> Response:
    return request.render("password.html", {"error": error, "least": SHORTEST}, status)


@page("viewer")
def sign_out_everywhere(request: PageRequest) -> Response:
    """End all of the visitor's sessions, this one too."""
    if request.is_post:
        now = request.office.clock.now()
        request.office.store.accounts.end_sessions(request.visitor.account_id, request.visitor.by, now)
        request.guard.sign_out(request)
        return request.back("/sign-in")
    return request.back("/account")


ROUTES = (
    Route("/account", account, methods=["GET", "POST"]),
    Route("/password", password, methods=["GET", "POST"]),
    Route("/account/sign-out", sign_out_everywhere, methods=["GET", "POST"]),
)
