"""Draws pages from templates: escaping, the visitor's words, navigation, addresses of static files."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from listener.config.models import ROLES
from listener.console.page import Nav, PageRequest, new_press
from listener.console.visitor import Visitor
from listener.console.words import NATIVE_NAMES, Words

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_HASH_LENGTH = 12
_PROBLEM = re.compile(r".*?:\d+:\d+ (.+?) - ")
"""A problem as a line, with the path of the setting."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """What is wrong with the configuration file, as far as one visitor may see it."""

    seen: str
    elsewhere: bool
    """Whether something is wrong besides."""


@lru_cache(maxsize=64)
def static_hash(name: str) -> str:
    """Return what tells this content of a static file from others."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:_HASH_LENGTH]


def static(name: str) -> str:
    """Return the address of a static file: another one whenever its content is another."""
    return f"/static/{static_hash(name)}/{name}"


class Drawing:
    """The templates, and what every one of them knows."""

    def __init__(self, navigation: Sequence[Nav] = ()) -> None:
        self._navigation = sorted(navigation, key=lambda nav: nav.order)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        self._templates.policies["ext.i18n.trimmed"] = True
        self._templates.globals.update(
            _=_say, gettext=_say, ngettext=_plural, static=static, new_press=new_press, ROLES=ROLES,
            NATIVE_NAMES=NATIVE_NAMES,
        )  # fmt: skip

    def page(self, request: PageRequest, template: str, values: Mapping[str, Any], status: int) -> Response:
        """Return a drawn page."""
        return HTMLResponse(self.text(request, template, values), status_code=status)

    def text(self, request: PageRequest, template: str, values: Mapping[str, Any]) -> str:
        """Return a drawn page's HTML."""
        known = {
            "request": request,
            "visitor": request.visitor,
            "words": request.words,
            "csrf": request.csrf,
            "flash": request.flash,
            "navigation": self.navigation(request),
            "config_problem": _config_problem(request),
            "now": request.office.clock.now(),
        }
        if clash := known.keys() & values.keys():
            raise ValueError(f"{template}: what every page has is not its own to say: {', '.join(sorted(clash))}")
        return self._templates.get_template(template).render({**known, **values})

    def navigation(self, request: PageRequest) -> list[tuple[Nav, bool]]:
        """Return the sections that the visitor may see, and whether this page is of each."""
        if not request.is_signed_in or request.visitor.must_change:
            return []
        here = request.request.url.path
        return [(nav, _is_within(here, nav.path)) for nav in self._navigation if _is_for(request.visitor, nav)]


def _config_problem(request: PageRequest) -> ConfigProblem | None:
    """Return what is wrong with the file, for admins; those of some countries read what concerns these."""
    problem, visitor = request.office.keeper.problem, request.visitor
    if not problem or not request.is_signed_in or not visitor.may("admin"):
        return None
    if visitor.countries is None:
        return ConfigProblem(problem, elsewhere=False)
    lines = problem.splitlines()
    seen = [line for line in lines if (found := _PROBLEM.match(line)) and visitor.sees_setting(found[1])]
    return ConfigProblem("\n".join(seen), elsewhere=len(seen) < len(lines))


def _is_for(visitor: Visitor, nav: Nav) -> bool:
    return visitor.may(nav.role) and (visitor.countries is None or not nav.all_countries)


def _is_within(here: str, path: str) -> bool:
    return here == path or (path != "/" and here.startswith(f"{path}/"))


@jinja2.pass_context
def _say(context: Context, message: str, **values: Any) -> Markup:
    """Say a message in the visitor's language; it is escaped, and what is put into it too unless it is markup."""
    return _filled(_words(context).text(message), values)


@jinja2.pass_context
def _plural(context: Context, one: str, several: str, number: float, **values: Any) -> Markup:
    words = _words(context)
    return _filled(words.form(one, several, number), {"count": words.number(number), **values})


def _filled(text: str, values: Mapping[str, Any]) -> Markup:
    return escape(text).format(**values) if values else escape(text)


def _words(context: Context) -> Words:
    words: Words = context["words"]
    return words
