"""Playbooks: what there is in which locale, how each looks for a sample or a given post, what should be better."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from listener.config import Config
from listener.console.page import Nav, NotFoundError, PageRequest, page
from listener.console.showing import network_of
from listener.console.words import Words, marked
from listener.errors import Problem
from listener.explaining.references import Named, UnknownReferenceError, find
from listener.model import Guidance
from listener.pipeline.cards import CardBuilder, Circumstances
from listener.playbook_commands import library_problems
from listener.store import Store, TriageItem
from playbooks.library import PlaybookLibrary
from playbooks.loading import LIBRARY_FOLDER
from playbooks.locales import locale_chain
from playbooks.model import Contact, GuideRequest
from playbooks.networks import known_networks, network_key
from playbooks.preview import Scene

_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
_MOST_FINDINGS = 300


@dataclass(frozen=True, slots=True)
class BookRow:
    """One playbook in the list."""

    id: str
    title: str
    when: str
    locales: int
    missing: tuple[str, ...]
    """Languages of the visitor's countries in which its replies are not written."""


@dataclass(frozen=True, slots=True)
class LocaleRow:
    """One locale in the list."""

    tag: str
    register: str
    """How people are addressed, in the language's own word."""
    playbooks: int
    replies: int
    countries: tuple[str, ...]
    """The visitor's countries that answer in it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom a playbook is looked at."""

    brand: str
    country: str
    network: str
    locale: str
    """Empty for the language that the country, or the post, asks for."""
    post: str
    """A post or an alert, as a person names it; hostile."""


class _Findings:
    """What lint says of the texts of a configuration; found once, for it takes many seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._config: Config | None = None
        self._problems: list[Problem] = []

    def of(self, config: Config) -> list[Problem]:
        with self._lock:
            if self._config is not config:
                self._problems, self._config = library_problems(config), config
            return self._problems


_findings = _Findings()


@page("viewer")
def playbooks(request: PageRequest) -> Response:
    """Show every playbook and every locale."""
    books, values = PlaybookLibrary.load(), _known(request)
    countries = request.visitor.countries_of(request.office.config)
    return request.render(
        "playbooks.html",
        {
            **values,
            "books": [_book(books, name, request.office.config, countries) for name in books.names],
            "locales": [_locale(books, tag, request.office.config, countries) for tag in books.locales],
            "variants": sum(map(len, books.contents.templates.values())),
        },
    )


@page("viewer")
def playbook(request: PageRequest) -> Response:
    """Show one playbook as people would be offered it, for a sample or for a given post."""
    books, name = PlaybookLibrary.load(), request.path["name"]
    if name not in books.names:
        raise NotFoundError(f"no playbook {name}")
    asked, problem = _asked(request), ""
    try:
        guide, wanted = _guide(request, books, name, asked)
    except UnknownReferenceError as error:
        problem = str(error)
        guide, wanted = _guide(request, books, name, replace(asked, post=""))
    locale = guide.drafts[0].locale if guide.drafts else ""
    values = {
        **_known(request),
        "book": books.contents.playbooks[name],
        "chosen_when": books.contents.rules.leading_to(name),
        "guide": guide,
        "asked": asked,
        "wanted": wanted,
        "problem": problem,
        "locale": locale,
        "register": books.contents.phrases[locale].register if locale else "",
        "covered": sorted(locale for book, locale in books.contents.templates if book == name),
        "findings": [one for one in _known_findings(request.office.config) if f"/{name}/" in one.file],
    }
    return request.render("playbooks/playbook.html", values)


@page("viewer")
def findings(request: PageRequest) -> Response:
    """Show what should be better in the texts that the configured countries can be offered."""
    found = _findings.of(request.office.config)
    values = {
        "findings": [(_place(one), one) for one in found[:_MOST_FINDINGS]],
        "more": max(0, len(found) - _MOST_FINDINGS),
        "languages": sorted({one for country in request.office.config.countries.values() for one in country.languages}),
    }
    template = "playbooks/_findings.html" if request.is_htmx else "playbooks/findings.html"
    return request.render(template, values)


def _known_findings(config: Config) -> Sequence[Problem]:
    """Return findings where they were looked for already; a page does not wait for them."""
    return _findings._problems if _findings._config is config else ()


def _place(problem: Problem) -> str:
    path = Path(problem.file)
    name = str(path.relative_to(LIBRARY_FOLDER)) if path.is_relative_to(LIBRARY_FOLDER) else path.name
    return f"{name}:{problem.line}"


def _known(request: PageRequest) -> dict[str, Any]:
    config, words = request.office.config, request.words
    return {
        "countries": [(code, words.country(code)) for code in request.visitor.countries_of(config)],
        "brands": [(name, brand.name) for name, brand in config.brands.items() if not brand.competitor],
        "networks": [(name, network_of(words, name)) for name in known_networks()],
        "locale_names": [(tag, _locale_name(words, tag)) for tag in PlaybookLibrary.load().locales],
        "is_right_to_left": lambda tag: tag.split("-")[0] in _RIGHT_TO_LEFT,
        "language_name": words.language_name,
    }


def _locale_name(words: Words, tag: str) -> str:
    register = PlaybookLibrary.load().contents.phrases[tag].register
    name = words.language_name(tag)
    return f"{name} ({tag}): {register}" if register else f"{name} ({tag})"


def _locales_of(config: Config, code: str) -> list[list[str]]:
    """Return, for each language of a country, the locales that are looked for, in order."""
    country = config.countries[code]
    return [locale_chain(language, code, country.playbook.locales) for language in country.languages]


def _book(books: PlaybookLibrary, name: str, config: Config, countries: Sequence[str]) -> BookRow:
    covered = {locale for book, locale in books.contents.templates if book == name}
    missing = {
        chain[0].split("-")[0] for code in countries for chain in _locales_of(config, code) if not covered & set(chain)
    }
    about = books.contents.playbooks[name]
    return BookRow(name, about.title, about.when, len(covered), tuple(sorted(missing)))


def _locale(books: PlaybookLibrary, tag: str, config: Config, countries: Sequence[str]) -> LocaleRow:
    groups = {book: group for (book, locale), group in books.contents.templates.items() if locale == tag}
    used = [
        code
        for code in countries
        if any(next((one for one in chain if one in books.locales), "en") == tag for chain in _locales_of(config, code))
    ]
    register = books.contents.phrases[tag].register
    return LocaleRow(tag, register, len(groups), sum(map(len, groups.values())), tuple(used))


def _asked(request: PageRequest) -> Asked:
    config, query = request.office.config, request.query
    countries = request.visitor.countries_of(config)
    brands = [name for name, brand in config.brands.items() if not brand.competitor] or list(config.brands)
    if not countries:
        raise NotFoundError("the visitor sees no configured country")
    return Asked(
        brand=_one_of(query.get("brand"), brands),
        country=_one_of(query.get("country"), countries),
        network=_one_of(network_key(query.get("network", "")), known_networks()),
        locale=query.get("locale", "") if query.get("locale", "") in PlaybookLibrary.load().locales else "",
        post=query.get("post", "").strip()[:500],
    )


def _one_of(value: str | None, known: Sequence[str]) -> str:
    return value if value is not None and value in known else known[0]


def _guide(request: PageRequest, books: PlaybookLibrary, name: str, asked: Asked) -> tuple[Guidance, GuideRequest]:
    """Return the guidance, and what it was asked for.

    Raises:
        UnknownReferenceError: the post that is named is not there, or not the visitor's.
    """
    config = request.office.config
    forced = {asked.locale: [asked.locale]}
    if not asked.post:
        scene = _scene(config, asked)
        scene = replace(scene, language=asked.locale, locales=forced) if asked.locale else scene
        wanted = scene.request(name)
        return books.guide(wanted), wanted
    wanted = CardBuilder(config, books).request(_item(request, asked.post), Circumstances(playbook=name))
    if asked.locale:
        wanted = replace(wanted, language=asked.locale, country_locales=forced)
    return books.guide(wanted), wanted


def _item(request: PageRequest, post: str) -> TriageItem:
    office = request.office
    # One answer to both, so that numbers of other countries are not found out.
    unknown = request.words.say("That post is not stored, or it is of a country that you do not see.")
    try:
        match_ids = _match_ids(office.store, find(office.store, office.config, post))
    except UnknownReferenceError as error:
        raise UnknownReferenceError(unknown) from error
    items = [item for match_id in match_ids if (item := office.store.triage.item(match_id)) is not None]
    seen = [
        item
        for item in items
        if request.visitor.sees(item.country) and item.country in office.config.countries
        and item.brand in office.config.brands
    ]  # fmt: skip
    if not seen:
        raise UnknownReferenceError(unknown)
    return seen[0]


def _match_ids(store: Store, named: Named) -> list[int]:
    if named.match is not None:
        return [named.match.id]
    if named.alert is not None:
        return [named.alert.match_id] if named.alert.match_id is not None else []
    return [match.id for match in store.trails.matches(named.post.id)] if named.post is not None else []


def _scene(config: Config, asked: Asked) -> Scene:
    brand, voice, country = config.brands[asked.brand], config.voices[asked.brand], config.countries[asked.country]
    team = config.teams[country.team]
    locales: Mapping[str, Sequence[str]] = country.playbook.locales
    return Scene(
        country=asked.country,
        language=country.languages[0],
        network=asked.network,
        brand_name=brand.name,
        brand_signature=voice.signature,
        brand_phrase=voice.phrase,
        brand_account=brand.accounts.get(asked.network, ""),
        agent=team.signature,
        products=tuple(brand.products),
        contact=Contact.of(voice, asked.country, country),
        locales=locales,
        team_languages=tuple(team.languages),
    )


NAV = Nav(marked("Playbooks"), "/playbooks", order=50)
ROUTES = (
    Route("/playbooks", playbooks),
    Route("/playbooks/findings", findings),
    Route("/playbooks/{name}", playbook),
)
