"""Digests: those that were made for readers, any week made anew, as a page and as files."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from starlette.responses import Response
from starlette.routing import Route

from listener.config import Config
from listener.console import showing
from listener.console.filtering import Choice, choice
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.digest.composing import compose, file_name
from listener.digest.document import Document
from listener.digest.json_file import dump, load
from listener.digest.making import Maker, make_scope
from listener.digest.model import Digest, Scope
from listener.digest.naming import CatalogueNamer
from listener.digest.weeks import Week, last_finished
from listener.digest.words import Words as DigestWords
from listener.errors import DigestError, ListenerError
from listener.words import marked

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

_MOST_WEEKS = 12
_MADE = "made"
"""In the place of a reader's name: a digest that is made now, for what the address asks for."""
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}
FORMATS = tuple(_TYPES)


@dataclass(frozen=True, slots=True)
class Kept:
    """A digest that was made for a reader, and whether the visitor may open it."""

    reader: str
    week: str
    made_at: datetime
    url: str
    countries: str
    is_masked: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A digest with what it is called."""

    digest: Digest
    title: str
    made_at: datetime | None
    """When it was made for its reader; None where it is made now."""
    query: str
    """What its files' addresses need besides."""


@page("communications-lead")
def digests(request: PageRequest) -> Response:
    """The digests that readers got, as far as the visitor may see them, and a form for any other week."""
    config, now = request.office.config, request.office.clock.now()
    kept = [one for name in config.digests for one in _kept(request, name)]
    kept.sort(key=lambda one: (one.week, one.reader), reverse=True)
    values = {
        "kept": kept,
        "choices": _choices(request),
        "week": str(last_finished(now, request.visitor.timezone)),
        "may_see_names": request.visitor.may("admin"),
        "has_readers": bool(config.digests),
    }
    return request.render("digests.html", values)


@page("communications-lead")
def digest(request: PageRequest) -> Response:
    """One digest: what it says first, and the ways to all of it."""
    try:
        opened = _opened(request)
    except DigestError as error:
        return request.back("/digests", str(error), "bad")
    document = _document(request, opened.digest, pictures=False)
    words = request.words
    values = {
        "digest": opened.digest,
        "document": document,
        "title": opened.title,
        "made_at": opened.made_at,
        "page_url": f"{_path(request)}/page{opened.query}",
        "files": [(name, f"{_path(request)}/file.{name}{opened.query}") for name in FORMATS],
        "is_masked": opened.digest.scope.masked,
        "countries": words.all_of(
            showing.country_name(request.office.config, words, code) for code in opened.digest.scope.countries
        ),
    }
    return request.render("digest.html", values)


@page("communications-lead")
def whole(request: PageRequest) -> Response:
    """Return a digest's own page, with its own style: nothing remote, no script, its charts inside."""
    from listener.digest.html import page as html_page

    opened = _opened(request)
    html = html_page(_document(request, opened.digest, pictures=True))
    return Response(html, media_type="text/html; charset=utf-8", headers={"content-security-policy": _policy(html)})


@page("communications-lead")
def file(request: PageRequest) -> Response:
    """Return a digest as a file."""
    kind = request.path["kind"]
    if kind not in _WRITERS:
        raise NotFoundError("no such format")
    opened = _opened(request)
    words = DigestWords.of(_language(request))
    name = f"{file_name(opened.digest, words)}.{kind}"
    content = _WRITERS[kind](request, opened.digest, words)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=_TYPES[kind], headers=headers)


# What may be seen


def _kept(request: PageRequest, reader: str) -> list[Kept]:
    """Return a reader's digests, as far as the visitor may see them."""
    office, words = request.office, request.words
    found = []
    for week in office.store.digests.made_weeks(reader)[:_MOST_WEEKS]:
        made = office.store.digests.made(reader, week)
        seen = json.loads(made[1])["scope"] if made else {}
        if made is None or not _may_see(request, seen.get("countries", ()), is_masked=seen.get("masked", False)):
            continue
        countries = words.all_of(showing.country_name(office.config, words, code) for code in seen["countries"])
        url = f"/digests/{quote(reader, safe='')}/{week}"
        found.append(Kept(reader, week, made[0], url, countries, seen["masked"]))
    return found


def _may_see(request: PageRequest, countries: Sequence[str], *, is_masked: bool) -> bool:
    """Tell whether a digest is for the visitor: all its countries are theirs, and names are shown to admins alone."""
    is_seen = bool(countries) and all(request.visitor.sees(code) for code in countries)
    return is_seen and (is_masked or request.visitor.may("admin"))


def _made(request: PageRequest, reader: str, week: str) -> tuple[Digest, datetime] | None:
    """Return a digest as it was made, if the visitor may see it."""
    made = request.office.store.digests.made(reader, week)
    if made is None:
        return None
    digest = load(made[1])
    may_see = _may_see(request, digest.scope.countries, is_masked=digest.scope.masked)
    return (digest, made[0]) if may_see else None


def _opened(request: PageRequest) -> Opened:
    """Return the digest that the path names.

    Raises:
        NotFoundError: there is none, or the visitor may not see it.
        DigestError: it cannot be made; the message says what can.
    """
    reader, week = request.path["reader"], Week.parse(request.path["week"][:20])
    if reader == _MADE and _MADE not in request.office.config.digests:
        scope, query = _scope(request)
        return Opened(_make(request, week, scope), request.words.say("Digest of {week}", week=str(week)), None, query)
    made = _made(request, reader, str(week)) if reader in request.office.config.digests else None
    if made is None:
        raise NotFoundError("no such digest, or not for this visitor")
    title = request.words.say("Digest of {week} for {reader}", week=str(week), reader=reader)
    return Opened(made[0], title, made[1], "")


def _scope(request: PageRequest) -> tuple[Scope, str]:
    """Return what a digest that is made now may tell the visitor of, and the query that asks for it again."""
    config, visitor = request.office.config, request.visitor
    seen = [code for code in visitor.countries_of(config) if config.countries[code].mode != "off"]
    asked = [code for code in request.choices("country") if code in seen]
    brands = [key for key in request.choices("brand") if key in config.brands and not config.brands[key].competitor]
    team = request.query.get("team", "")
    shows_names = request.query.get("names") == "shown" and visitor.may("admin")
    scope = make_scope(
        config,
        countries=asked or seen,
        brands=brands or None,
        team=team if team in config.teams else "",
        masked=not shows_names,
    )
    pairs = [*(("country", one) for one in asked), *(("brand", one) for one in brands)]
    pairs += [("team", team)] if team in config.teams else []
    pairs += [("names", "shown")] if shows_names else []
    return scope, f"?{urlencode(pairs)}" if pairs else ""


def _make(request: PageRequest, week: Week, scope: Scope) -> Digest:
    office = request.office
    maker = Maker(office.config, office.store, _namer(office.config))
    digest = maker.make(week, scope, office.clock.now(), timezone=request.visitor.timezone)
    if not scope.masked:
        country = scope.countries[0] if len(scope.countries) == 1 else None
        request.note("digest with personal data", str(week), country=country, countries=list(scope.countries))
    return digest


def _namer(config: Config) -> CatalogueNamer:
    """Return what names causes; it loads the model where a week has to be grouped that was not."""

    def classifier() -> "MentionClassifier":
        from listener.app import load_classifier

        return load_classifier(config)

    return CatalogueNamer(classifier, Path(config.model.cache))


# How it is shown


def _language(request: PageRequest) -> str:
    return request.words.language


def _document(request: PageRequest, digest: Digest, *, pictures: bool) -> Document:
    return compose(digest, DigestWords.of(_language(request)), pictures_wanted=pictures)


def _policy(html: str) -> str:
    """Return the policy under which a digest's own page is shown: its own style alone, by its hash."""
    styles = [b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in _STYLE.findall(html)]
    allowed = " ".join(f"'sha256-{one}'" for one in styles) or "'none'"
    return (
        f"default-src 'none'; img-src data:; style-src {allowed}; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def _path(request: PageRequest) -> str:
    return f"/digests/{quote(request.path['reader'], safe='')}/{request.path['week']}"


def _pdf(request: PageRequest, digest: Digest, words: DigestWords) -> bytes:
    from listener.digest.pdf import pdf

    return pdf(compose(digest, words, pictures_wanted=True))


def _xlsx(request: PageRequest, digest: Digest, words: DigestWords) -> bytes:
    from classifiers.cause_names import cause_name
    from listener.digest.phrases import Phrases
    from listener.digest.tables import workbook

    return workbook(digest, Phrases(words, digest, cause_name))


def _csv(request: PageRequest, digest: Digest, words: DigestWords) -> bytes:
    from listener.digest.tables import figures_csv

    return figures_csv(digest).encode()


def _markdown(request: PageRequest, digest: Digest, words: DigestWords) -> bytes:
    from listener.digest.markdown import markdown

    return markdown(compose(digest, words, pictures_wanted=False)).encode()


_WRITERS: Mapping[str, Callable[[PageRequest, Digest, DigestWords], bytes]] = {
    "pdf": _pdf,
    "xlsx": _xlsx,
    "csv": _csv,
    "json": lambda request, digest, words: dump(digest).encode(),
    "md": _markdown,
}


def _choices(request: PageRequest) -> list[Choice]:
    words, config = request.words, request.office.config
    say = words.say
    seen = [code for code in request.visitor.countries_of(config) if config.countries[code].mode != "off"]
    countries = [(code, showing.country_name(config, words, code)) for code in seen]
    brands = [(key, one.name) for key, one in config.brands.items() if not one.competitor]
    everything = ("", say("all"))
    found = [
        choice(request, "country", say("Country"), [everything, *sorted(countries, key=lambda pair: pair[1])]),
        choice(request, "brand", say("Brand"), [everything, *brands]),
        choice(
            request, "team", say("Alerts of the team"), [everything, *((k, t.name) for k, t in config.teams.items())]
        ),
    ]
    if request.visitor.may("admin"):
        names = [("", say("masked")), ("shown", say("shown; that is noted in the audit log"))]
        found.append(choice(request, "names", say("Names of private persons"), names))
    return found


@page("communications-lead")
def make(request: PageRequest) -> Response:
    """Send the browser to the digest that its form asks for."""
    asked = request.query.get("week", "").strip()[:20]
    try:
        week = Week.parse(asked)
    except ListenerError as error:
        return request.back("/digests", str(error), "bad")
    pairs = [
        (name, value) for name in ("country", "brand", "team", "names") for value in request.choices(name) if value
    ]
    return request.back(f"/digests/{_MADE}/{week}{f'?{urlencode(pairs)}' if pairs else ''}")


NAV = Nav(marked("Digests"), "/digests", "communications-lead", order=50)
ROUTES = (
    Route("/digests", digests),
    Route("/digests/make", make),
    Route("/digests/{reader}/{week}", digest),
    Route("/digests/{reader}/{week}/page", whole),
    Route("/digests/{reader}/{week}/file.{kind}", file),
)
