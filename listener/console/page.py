"""What a page is: a function from a request to a response, in the visitor's language, for those with a role."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from listener.console.office import Office
from listener.console.tokens import safe_path
from listener.console.visitor import Visitor
from listener.console.words import Words
from listener.errors import ListenerError

if TYPE_CHECKING:
    from listener.console.drawing import Drawing
    from listener.console.guard import Guard

Handler = Callable[["PageRequest"], Response]
_LONGEST_FLASH = 600
_SAFE = ":/%#?=@[]!$&'()*+,;"
"""What addresses hold that are quoted already."""
PUBLIC = "public"
"""For pages that are shown without signing in."""


class NotFoundError(ListenerError):
    """There is no such thing, or the visitor may not see its country."""


class RefusedError(ListenerError):
    """The visitor's role does not allow it."""


@dataclass(frozen=True, slots=True)
class Flash:
    """What is said once, on the next page."""

    text: str
    tone: str = "good"
    """`good`, or `bad` where nothing was done."""


@dataclass
class PageRequest:
    """One request for a page, with all that a page needs to answer it."""

    office: Office
    visitor: Visitor
    """On public pages nobody may be signed in: see `is_signed_in`."""
    words: Words
    query: Mapping[str, str]
    form: Mapping[str, str]
    """Of a POST, checked to come from a page of ours; the last where a name stands twice."""
    path: Mapping[str, str]
    """What the route's path names."""
    request: Request
    drawing: "Drawing"
    csrf: str
    flash: Flash | None = None
    flash_next: Flash | None = None
    is_signed_in: bool = True
    session: str = ""
    """What the session's row is known by."""
    visit: str = ""
    """What this browser is known by while nobody is signed in."""
    cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    """Cookies to set: value, and how many seconds to keep it; None until the browser is closed, 0 to drop it."""
    query_lists: Mapping[str, list[str]] = field(default_factory=dict)
    form_lists: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def guard(self) -> "Guard":
        """What signs people in and out."""
        guard: Guard = self.request.app.state.guard
        return guard

    @property
    def address(self) -> str:
        """Where the request comes from, as far as the server knows."""
        return self.request.client.host if self.request.client else ""

    @property
    def is_htmx(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def is_post(self) -> bool:
        """Whether a form was sent."""
        return self.request.method == "POST"

    @property
    def here(self) -> str:
        """The path and query of this page."""
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    @property
    def press(self) -> str:
        """What this press of a button is known by, so that a double click acts once; empty where the form has none."""
        key = self.form.get("press", "")
        return f"console:{self.visitor.account_id}:{key[:80]}" if key else ""

    def is_first_press(self) -> bool:
        """Note the press; False where it was handled before. For acts that do not go through `Desk`."""
        return not self.press or self.office.store.accounts.is_first_press(self.press, self.office.clock.now())

    def choices(self, name: str) -> list[str]:
        """Return everything that the query says under one name, as checkboxes do."""
        return self.query_lists.get(name, [])

    def chosen(self, name: str) -> list[str]:
        """Return everything that the form says under one name, as checkboxes do."""
        return self.form_lists.get(name, [])

    def require(self, role: str) -> None:
        """Refuse those who have not at least a role.

        Raises:
            RefusedError: the visitor has not.
        """
        if not self.visitor.may(role):
            raise RefusedError(self.words.say("Your role does not allow this."))

    def require_country(self, country: str | None) -> None:
        """Hide what belongs to a country that the visitor may not see.

        Raises:
            NotFoundError: it does.
        """
        if not self.visitor.sees(country):
            raise NotFoundError("of a country that is not the visitor's")

    def note(self, action: str, subject: str, *, country: str | None = None, **data: Any) -> None:
        """Add a line to the audit log: who did what to what."""
        self.office.store.audit.note(
            actor=self.visitor.full_name,
            origin="console",
            action=action,
            object=subject,
            country=country,
            data=data,
            now=self.office.clock.now(),
        )

    def render(self, template: str, values: Mapping[str, Any] | None = None, status: int = 200) -> Response:
        """Return a page, or a part of one, drawn from a template in `listener/console/pages`."""
        return self.drawing.page(self, template, values or {}, status)

    def back(self, url: str, flash: str = "", tone: str = "good") -> Response:
        """Send the browser to another page of the console, and say something there."""
        to = safe_path(url)
        if flash:
            self.flash_next = Flash(flash[:_LONGEST_FLASH], tone)
        if self.is_htmx:
            return Response(status_code=200, headers={"HX-Redirect": quote(to, safe=_SAFE)})
        return RedirectResponse(to, status_code=303)


def page(role: str) -> Callable[[Handler], Callable[..., Any]]:
    """Make an endpoint of a page's function, for visitors who have at least this role.

    The function is synchronous and runs in a thread. It raises NotFoundError or RefusedError where it must.
    """

    def decorate(handler: Handler) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            answer: Response = await request.app.state.guard.answer(request, handler, role)
            return answer

        endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
        endpoint.role = role  # type: ignore[attr-defined]
        return endpoint

    return decorate


@dataclass(frozen=True, slots=True)
class Nav:
    """A section's entry in the navigation."""

    title: str
    """Marked for translation, not yet translated."""
    path: str
    role: str = "viewer"
    """Who sees it."""
    order: int = 100
    all_countries: bool = False
    """Only those see it who see all countries."""


def new_press() -> str:
    """Return a key for a form: what is sent with it acts once."""
    return secrets.token_urlsafe(12)
