"""Who may see a page: sessions, cookies, roles, and whether a form comes from a page of ours.

Everything a browser sends is hostile until it has passed here.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlsplit
from weakref import WeakValueDictionary

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from listener.config.models import Console, OpenIdConnect
from listener.console.drawing import Drawing
from listener.console.office import Office
from listener.console.openid import OpenId
from listener.console.page import PUBLIC, Flash, Handler, NotFoundError, PageRequest, RefusedError
from listener.console.passwords import Passwords
from listener.console.signing_in import SignIn
from listener.console.tokens import derived, is_same, new_token, stored
from listener.console.visitor import Visitor
from listener.console.words import Words, asked_for, marked
from listener.errors import ListenerError
from listener.store.accounts import Account, GoneActorError

log = structlog.get_logger("listener.console")

NOBODY = Visitor(0, "", "", "viewer", (), "", "UTC")
MAX_BODY = 1_000_000
_MOST_FIELDS = 3_000
_MOST_ASKED = 200
"""Parts of an address: pages offer to take each of them away, so their number counts twice."""
_BODY_WITHIN_S = 15.0
_THREADS = 8
"""Pages are answered in threads; further ones wait. Fewer than the database's connections."""
_THREADS_EACH = 3
"""Of them, for one browser: who opens a page that takes long many times keeps nobody else waiting."""
_FLASH_KEPT_S = 60
_AWAY = marked(
    "The database does not answer. Wait a moment and try again; look whether it was done before you repeat it."
)
_GONE = marked("Your account may not do this any more: it was disabled or changed just now. Nothing was changed.")
_SOON = {"retry-after": "5"}
_READING = frozenset({"GET", "HEAD"})
WHILE_CHANGING = frozenset({"/password", "/sign-out", "/language"})
"""What somebody may do whose password is to be changed first."""


@dataclass(frozen=True, slots=True)
class Address:
    """How browsers reach the console."""

    host: str
    """Host and port as in `console.url`; empty where only this machine is to reach it."""
    is_https: bool
    public: str = ""
    """The origin of `console.url`."""

    @classmethod
    def of(cls, console: Console) -> "Address":
        """Return what the configuration says."""
        parts = urlsplit(console.url or "")
        host, is_https = parts.netloc.rpartition("@")[2].lower(), parts.scheme == "https"
        return cls(host, is_https, f"{parts.scheme}://{_without_port(host, is_https)}" if host else "")

    def accepts(self, host: str) -> bool:
        """Say whether a request's Host is ours; this machine's own names always are."""
        host = host.lower()
        if self.host and _without_port(host, self.is_https) == _without_port(self.host, self.is_https):
            return True
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        return name in LOOPBACK_NAMES

    def origin(self, host: str) -> str:
        """Return the origin that a page of ours has, which a request with this Host came to."""
        is_public = self.host and _without_port(host, self.is_https) == _without_port(self.host, self.is_https)
        return f"{'https' if is_public and self.is_https else 'http'}://{host.lower()}"

    def origins(self, host: str) -> set[str]:
        """Return the origins that a form of ours may come from: a proxy may ask for this machine by its own name."""
        return {self.origin(host), self.public} - {""}


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _without_port(host: str, is_https: bool) -> str:
    return host.lower().removesuffix(":443" if is_https else ":80")


class Guard:
    """Lets through who may, and turns away the rest."""

    def __init__(self, office: Office, drawing: Drawing, console: Console, passwords: Passwords | None = None) -> None:
        self.office = office
        self.signing = SignIn(office, passwords)
        self._drawing = drawing
        self._console = console
        self._openid: tuple[OpenIdConnect, str, OpenId] | None = None
        self.address = Address.of(console)
        prefix = "__Host-" if self.address.is_https else ""
        self.session_cookie = f"{prefix}listener"
        self.visit_cookie = f"{prefix}listener-visit"
        self.flash_cookie = f"{prefix}listener-said"
        self.language_cookie = f"{prefix}listener-language"
        self._limiter = CapacityLimiter(_THREADS)
        self._limiters: WeakValueDictionary[str, CapacityLimiter] = WeakValueDictionary()

    @property
    def console(self) -> Console:
        """The settings in force; the address alone stays as it was at the start."""
        return self.office.config.console or self._console

    def openid(self, page: PageRequest) -> OpenId | None:
        """Return what signs people in by the identity provider; None where there is none."""
        settings = self.console.openid
        if settings is None:
            return None
        own = (self._console.url or self.address.origin(page.request.headers.get("host", ""))).rstrip("/")
        callback = f"{own}/sign-in/callback"
        made = self._openid
        if made is None or made[0] != settings or made[1] != callback:
            made = self._openid = (settings, callback, OpenId(settings, callback))
        return made[2]

    async def answer(self, request: Request, handler: Handler, role: str) -> Response:
        """Return the answer to one request for a page."""
        fields = await self._fields(request)
        if isinstance(fields, Response):
            return fields
        async with self._limiter_of(request):
            return await to_thread.run_sync(self._answer, request, handler, role, fields, limiter=self._limiter)

    def _limiter_of(self, request: Request) -> CapacityLimiter:
        """Return what one browser has to share; without a session, all of one address."""
        key = request.cookies.get(self.session_cookie) or (request.client.host if request.client else "")
        found = self._limiters.get(key)
        if found is None:
            found = self._limiters[key] = CapacityLimiter(_THREADS_EACH)
        return found

    async def _fields(self, request: Request) -> Mapping[str, list[str]] | Response:
        if request.method in _READING:
            return {}
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("application/x-www-form-urlencoded", ""):
            return Response("forms are sent as application/x-www-form-urlencoded\n", status_code=415)
        try:
            body = await asyncio.wait_for(_body(request), _BODY_WITHIN_S)
        except TimeoutError:
            return Response(status_code=408)
        if body is None:
            return Response("the form is too large\n", status_code=413)
        try:
            return _grouped(body.decode("utf-8"))
        except ValueError:
            return Response("the form cannot be read\n", status_code=400)

    def _answer(self, request: Request, handler: Handler, role: str, fields: Mapping[str, list[str]]) -> Response:
        try:
            page = self._page(request, fields)
        except OperationalError as error:
            log.warning("the database did not answer", reason=type(error.orig).__name__)
            return PlainTextResponse(f"{_AWAY}\n", status_code=503, headers=_SOON)
        response = self._checked(page, handler, role)
        self._set_cookies(page, response)
        return response

    def _page(self, request: Request, fields: Mapping[str, list[str]]) -> PageRequest:
        token = request.cookies.get(self.session_cookie, "")
        asks_by_itself = request.headers.get("hx-request") == "true" and request.method in _READING
        account = self._account(token, notes=not asks_by_itself)
        visit = request.cookies.get(self.visit_cookie, "")
        fresh_visit = account is None and not visit
        if fresh_visit:
            visit = new_token()
        visitor = Visitor.of(account) if account else NOBODY
        key = token if account else visit
        wished = request.cookies.get(self.language_cookie) or request.headers.get("accept-language", "")
        language = visitor.language or asked_for(wished)
        queries = _grouped(request.url.query, strict=False)
        page = PageRequest(
            office=self.office,
            visitor=visitor,
            words=Words.of(language, visitor.timezone),
            query=_last(queries),
            form=_last(fields),
            path={key: str(value) for key, value in request.path_params.items()},
            request=request,
            drawing=self._drawing,
            csrf=derived(key, "csrf"),
            flash=_opened(request.cookies.get(self.flash_cookie, ""), key),
            is_signed_in=account is not None,
            session=stored(token) if account else "",
            visit=visit,
            query_lists=queries,
            form_lists=fields,
        )
        if fresh_visit:
            page.cookies[self.visit_cookie] = (visit, None)
        return page

    def _account(self, token: str, *, notes: bool) -> Account | None:
        """Return whose browser this is; `notes` that somebody uses it, which a page that asks by itself is not."""
        if not token:
            return None
        idle, now = timedelta(seconds=self.console.idle), self.office.clock.now()
        found = self.office.store.accounts.session(stored(token), now, idle, notes=notes)
        return found[0] if found else None

    def _checked(self, page: PageRequest, handler: Handler, role: str) -> Response:
        words = page.words
        try:
            if not page.is_signed_in and role != PUBLIC:
                return self._to_sign_in(page)
            if page.request.method not in _READING and not self._is_ours(page):
                text = words.say("This form is out of date. Go back, reload the page and send it again.")
                return self.error_page(page, 403, text)
            if page.is_signed_in and page.visitor.must_change and page.request.url.path not in WHILE_CHANGING:
                return page.back("/password")
            if role != PUBLIC:
                page.require(role)
            return handler(page)
        except NotFoundError:
            text = words.say("There is no such page, or it is of a country that you do not see.")
            return self.error_page(page, 404, text)
        except RefusedError as error:
            return self.error_page(page, 403, str(error))
        except GoneActorError:
            return self.error_page(page, 403, words.say(_GONE))
        except ListenerError as error:
            return self.error_page(page, 400, str(error))
        except OperationalError as error:
            log.warning("the database did not answer", path=page.request.url.path, reason=type(error.orig).__name__)
            response = self.error_page(page, 503, words.say(_AWAY))
            response.headers.update(_SOON)
            return response
        except Exception:
            log.exception("a page failed", path=page.request.url.path)
            text = words.say("Something went wrong here. It stands in the log of the console.")
            return self.error_page(page, 500, text)

    def _to_sign_in(self, page: PageRequest) -> Response:
        wanted = page.here if page.request.method in _READING and not page.is_htmx else "/"
        return page.back("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}")

    def _is_ours(self, page: PageRequest) -> bool:
        """Say whether a form was sent from a page of ours: by its token, and by what the browser says."""
        headers = page.request.headers
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin.lower() not in self.address.origins(headers.get("host", "")):
            return False
        if origin is None and site not in (None, "same-origin", "none"):
            return False
        return is_same(headers.get("x-csrf-token") or page.form.get("csrf", ""), page.csrf)

    def error_page(self, page: PageRequest, status: int, text: str) -> Response:
        """Return a page that says what is wrong; to htmx a notice, to be put above the page that is there."""
        if page.is_htmx:
            said = page.render("_said.html", {"text": text}, status)
            said.headers.update({"HX-Retarget": "#said", "HX-Reswap": "innerHTML"})
            return said
        return page.render("error.html", {"status": status, "text": text}, status)

    # --- cookies ---------------------------------------------------------------------------------------------------

    def sign_in(self, page: PageRequest, account: Account) -> None:
        """Open a session for this browser, under a new token."""
        token, now = new_token(), self.office.clock.now()
        ends_at = now + timedelta(seconds=self.console.session)
        if page.session:
            self.office.store.accounts.end_session(page.session)
        self.office.store.accounts.open_session(stored(token), account.id, now, ends_at, Visitor.of(account).by)
        page.cookies[self.session_cookie] = (token, None)
        page.cookies[self.visit_cookie] = ("", 0)

    def sign_out(self, page: PageRequest) -> None:
        """End this browser's session."""
        self.office.store.accounts.end_session(page.session)
        page.cookies[self.session_cookie] = ("", 0)

    def _set_cookies(self, page: PageRequest, response: Response) -> None:
        token = page.cookies.get(self.session_cookie, ("", None))[0]
        key = token or (page.request.cookies.get(self.session_cookie, "") if page.is_signed_in else page.visit)
        if page.flash_next is not None:
            page.cookies[self.flash_cookie] = (_sealed(page.flash_next, key), _FLASH_KEPT_S)
        elif self.flash_cookie in page.request.cookies and _is_page(response):
            page.cookies[self.flash_cookie] = ("", 0)
        for name, (value, kept_s) in page.cookies.items():
            response.set_cookie(
                name, value, max_age=kept_s, path="/", secure=self.address.is_https, httponly=True, samesite="lax"
            )


def _is_page(response: Response) -> bool:
    return response.headers.get("content-type", "").startswith("text/html")


def _sealed(flash: Flash, key: str) -> str:
    text = base64.urlsafe_b64encode(
        json.dumps([flash.tone, flash.text], ensure_ascii=False).encode("utf-8", "replace")
    ).decode()
    return f"{text}.{derived(key, f'said {text}')}"


def _opened(sealed: str, key: str) -> Flash | None:
    text, _, mac = sealed.partition(".")
    if not text or not is_same(mac, derived(key, f"said {text}")):
        return None
    tone, said = json.loads(base64.urlsafe_b64decode(text))
    return Flash(said, tone)


async def _body(request: Request) -> bytes | None:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _grouped(text: str, *, strict: bool = True) -> dict[str, list[str]]:
    """Read names and values as forms and queries have them.

    Raises:
        ValueError: there are too many, or they are no UTF-8; never where not `strict`, then the rest is left out.
    """
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS if strict else _MOST_ASKED,
            errors="strict" if strict else "replace",
        )
    except ValueError:
        if strict:
            raise
        pairs = []
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value.replace("\0", ""))
    return found


def _last(fields: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in fields.items()}
