"""From `config.yaml` to a checked `Config`: inheritance by country, plugin options, cross references.

All problems are collected and raised together, each with its place in the file.
"""

import difflib
import os
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from listener.clock import SystemClock
from listener.config.checkpoints import checkpoint_problems
from listener.config.document import Document, Loc, parse_yaml, read_text, read_yaml
from listener.config.models import (
    ANY_COUNTRY,
    Brand,
    Config,
    Console,
    Country,
    DigestReader,
    Holidays,
    Model,
    ReceiverOptions,
    Route,
    SlackApp,
    SourceOptions,
    Store,
    Strict,
    Team,
    Voice,
    WatchOptions,
)
from listener.config.types import COUNTRY_CODES, is_name
from listener.errors import ConfigError, Problem
from listener.model import Watch
from listener.sentences import Sentence, sentence

_NEEDS_RECEIVER = sentence("mode pilot needs a pilot_receiver to send its alerts to")
_BOUNDS = {
    "greater_than_equal": sentence("must be greater than or equal to {number}"),
    "greater_than": sentence("must be greater than {number}"),
    "less_than_equal": sentence("must be less than or equal to {number}"),
    "less_than": sentence("must be less than {number}"),
}
"""What is said of a number out of bounds, by pydantic's kind."""
SECTIONS = (
    "version",
    "brands",
    "teams",
    "sources",
    "receivers",
    "defaults",
    "countries",
    "route",
    "fallback_receiver",
    "head_office",
    "trial_receiver",
    "slack",
    "digests",
    "console",
    "store",
    "model",
    "voice",
)
_NAMED = (
    ("fallback_receiver", "receivers", "receiver"),
    ("trial_receiver", "receivers", "receiver"),
    ("head_office", "teams", "team"),
)
_OF_DIGESTS = (
    ("receivers", "receivers", "receiver"),
    ("countries", "countries", "country"),
    ("brands", "brands", "brand"),
)
_OF_COUNTRIES = (("team", "teams", "team"), ("pilot_receiver", "receivers", "receiver"))
_REQUIRED = ("brands", "teams", "receivers", "defaults", "countries", "route", "fallback_receiver")


@dataclass(frozen=True, slots=True)
class PluginOptions:
    """The options classes of the plugins, handed in because the floor knows no plugin."""

    sources: Mapping[str, tuple[type[SourceOptions], type[WatchOptions]]]
    receivers: Mapping[str, type[ReceiverOptions]]
    playbooks: Collection[str] = ()
    locales: Collection[str] = ()


def load_config(path: Path, plugins: PluginOptions, texts: Mapping[str, str] | None = None) -> Config:
    """Read and check a configuration file.

    `texts` gives, by name, files that are read from there and not from the folder: for one not yet written.

    Raises:
        ConfigError: with every problem found, each as `file:line:col path - what is wrong`.
    """
    texts = texts or {}
    document = _read(path, path.name, texts)
    if not isinstance(document.data, dict):
        raise ConfigError(
            [document.problem((), "the file is empty or no mapping; it needs at least brands and countries")]
        )
    return _Loader(document, plugins, path, texts).load()


def config_texts(path: Path) -> dict[str, str]:
    """Return the text of each file that a configuration is made of, by its name, as far as they can be read.

    Raises:
        ConfigError: the configuration file itself cannot be read.
    """
    texts = {path.name: read_text(path, str(path))}
    name = _voice_named(texts[path.name])
    if name and os.path.isfile(path.parent / name):
        with suppress(ConfigError):  # what is wrong is said by whoever loads it
            texts[name] = read_text(path.parent / name, name)
    return texts


@lru_cache(maxsize=4)
def _voice_named(text: str) -> str:
    """Return which voice file a configuration names; remembered, as a daemon asks of the same text every second."""
    try:
        data = parse_yaml(text, "").data
    except ConfigError:
        return ""
    name = data.get("voice") if isinstance(data, dict) else None
    return name if isinstance(name, str) else ""


def _read(file: Path, name: str, texts: Mapping[str, str]) -> Document:
    return parse_yaml(texts[name], str(file)) if name in texts else read_yaml(file)


class _Loader:
    def __init__(self, document: Document, plugins: PluginOptions, path: Path, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.document = document
        self.data: dict[str, Any] = document.data
        self.plugins = plugins
        self.path = path
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.brands: dict[str, Brand] = {}

    def load(self) -> Config:
        self._check_sections()
        brands = self.brands = self._named("brands", Brand)
        for name, brand in brands.items():
            for topic, playbook in brand.playbooks.items():
                self._check_playbook(playbook, ("brands", name, "playbooks", topic))
        voices = self._voices(brands)
        teams = self._named("teams", Team)
        sources = self._sources()
        receivers = self._receivers()
        route = self._section("route", Route)
        store = self._section("store", Store) or Store()
        model = self._section("model", Model) or Model()
        self._check_checkpoints(model)
        countries, watches = self._countries(sources)
        self._check_routes()
        slack = self._section("slack", SlackApp)
        self._check_slack(slack)
        digests = self._named("digests", DigestReader)
        self._check_digests(digests)
        console = self._section("console", Console)
        self._check_console(console)
        self._check_teams(teams)
        for key, section, what in _NAMED:
            self._check_reference((key,), self.data.get(key), section, what)
        if self.problems or route is None:
            unique = list(dict.fromkeys(self.problems))
            raise ConfigError(sorted(unique, key=lambda problem: (problem.line, problem.column)))
        return Config(
            path=self.path,
            brands=brands,
            voices=voices,
            teams=teams,
            sources=sources,
            receivers=receivers,
            countries=countries,
            route=route,
            fallback_receiver=self.data["fallback_receiver"],
            head_office=self.data.get("head_office"),
            trial_receiver=self.data.get("trial_receiver"),
            slack=slack,
            digests=digests,
            console=console,
            store=store,
            model=model,
            watches=tuple(watches),
            warnings=tuple(self.warnings),
        )

    def _problem(self, loc: Loc, text: str) -> None:
        self.problems.append(self.document.problem(loc, text))

    def _check_sections(self) -> None:
        for key in self.data:
            if key not in SECTIONS:
                self._problem((key,), unknown_key(str(key), SECTIONS))
        for key in _REQUIRED:
            if not self.data.get(key):
                self._problem((key,) if key in self.data else (), f"'{key}' is missing; see docs/configuration.md")
        if self.data.get("version", 1) != 1:
            self._problem(("version",), "this release reads version 1")

    def _mapping(self, section: str) -> dict[str, Any]:
        value = self.data.get(section)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._problem((section,), "must be a mapping of names to settings")
            return {}
        return value

    def _parse(self, model: Any, value: object, loc: Loc, *, in_part: bool = False) -> Any:
        """Check `value` against `model`; note the problems and return None where there are any.

        `in_part`: what is missing is given elsewhere, and no problem.
        """
        try:
            return TypeAdapter(model).validate_python(value)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                if in_part and item["type"] == "missing":
                    continue
                inner = tuple(part for part in item["loc"] if not _is_branch_name(part))
                self._problem((*loc, *inner), describe(item, model))
        return None

    def _section(self, section: str, model: type[Strict]) -> Any:
        value = self.data.get(section)
        return None if value is None else self._parse(model, value, (section,))

    def _named(self, section: str, model: type[Strict]) -> dict[str, Any]:
        result = {}
        for name, value in self._mapping(section).items():
            self._check_name((section, name))
            parsed = self._parse(model, value, (section, name))
            if parsed is not None:
                result[str(name)] = parsed
        return result

    def _voices(self, brands: Mapping[str, Brand]) -> dict[str, Voice]:
        """Return how each brand speaks; one that `brand.yaml` does not name signs with its own name."""
        document = self._voice_file()
        said = document.data if document is not None and isinstance(document.data, dict) else {}
        spoken = {name: self._own_name(name, brand) for name, brand in brands.items() if name not in said}
        if document is None:
            return spoken
        try:
            spoken |= TypeAdapter(dict[str, Voice]).validate_python(document.data or {})
        except ValidationError as error:
            for item in error.errors(include_url=False):
                loc = tuple(part for part in item["loc"] if not _is_branch_name(part))
                self.problems.append(document.problem(loc, describe(item, dict[str, Voice])))
            return spoken
        self._check_voices(document)
        return spoken

    def _voice_file(self) -> Document | None:
        name = self.data.get("voice")
        if name is None:
            return None
        if not isinstance(name, str) or not name:
            self._problem(("voice",), "must be the name of a file, such as brand.yaml")
            return None
        file = self.path.parent / name
        if name in self.texts:
            return self._voice_text(file, name)
        if os.path.exists(file) and not os.path.isfile(file):
            self._problem(("voice",), f"{file} is no plain file")
            return None
        try:
            return read_yaml(file)
        except ConfigError as error:
            if os.path.isfile(file):
                self.problems.extend(error.problems)
            else:
                self._problem(("voice",), f"{str(file)!r}: {error.problems[0].text}")
        return None

    def _voice_text(self, file: Path, name: str) -> Document | None:
        try:
            return parse_yaml(self.texts[name], str(file))
        except ConfigError as error:
            self.problems.extend(error.problems)
        return None

    def _own_name(self, name: str, brand: Brand) -> Voice:
        try:
            return Voice(signature=brand.name)
        except ValidationError as error:
            text = f"cannot sign replies ({describe(error.errors()[0], Voice)}): give it a `signature` in brand.yaml"
            self._problem(("brands", name, "name"), text)
        return Voice(signature=name[:40])

    def _check_voices(self, document: Document) -> None:
        for name, voice in (document.data or {}).items():
            if name not in self._mapping("brands"):
                self.problems.append(document.problem((name,), unknown_key(str(name), self._mapping("brands"))))
            for country in voice.get("contacts") or {}:
                if country != ANY_COUNTRY and country not in self._mapping("countries"):
                    known = (ANY_COUNTRY, *self._mapping("countries"))
                    loc: Loc = (name, "contacts", country)
                    self.problems.append(document.problem(loc, unknown_key(str(country), known)))

    def _check_digests(self, digests: Mapping[str, DigestReader]) -> None:
        for name, reader in digests.items():
            loc: Loc = ("digests", name)
            self._check_reference((*loc, "team"), reader.team, "teams", "team")
            for key, section, what in _OF_DIGESTS:
                for index, one in enumerate(getattr(reader, key) or ()):
                    self._check_reference((*loc, key, index), one, section, what)
            for index, brand in enumerate(reader.brands or ()):
                if brand in self.brands and self.brands[brand].competitor:
                    self._problem((*loc, "brands", index), f"{brand} is a competitor; name your own brands")

    def _check_name(self, loc: Loc) -> None:
        if not is_name(str(loc[-1])):
            self._problem(loc, "a name has at most 60 letters, digits, - and _")

    def _sources(self) -> dict[str, SourceOptions]:
        result: dict[str, SourceOptions] = {}
        for name, value in self._mapping("sources").items():
            known = self.plugins.sources.get(name)
            if known is None:
                self._problem(("sources", name), unknown_key(str(name), self.plugins.sources))
                continue
            parsed = self._parse(known[0], value or {}, ("sources", name))
            if parsed is not None:
                result[name] = parsed
        return result

    def _receivers(self) -> dict[str, ReceiverOptions]:
        result: dict[str, ReceiverOptions] = {}
        for name, value in self._mapping("receivers").items():
            loc: Loc = ("receivers", name)
            self._check_name(loc)
            kind = value.get("type") if isinstance(value, dict) else None
            model = self.plugins.receivers.get(str(kind))
            if model is None:
                self._problem(
                    (*loc, "type"), f"unknown type {kind!r}; allowed: {', '.join(sorted(self.plugins.receivers))}"
                )
                continue
            parsed = self._parse(model, value, loc)
            if parsed is not None:
                result[name] = parsed
        return result

    def _countries(self, sources: Mapping[str, SourceOptions]) -> tuple[dict[str, Country], list[Watch]]:
        defaults = self._mapping("defaults")
        self._check_defaults(defaults)
        countries: dict[str, Country] = {}
        watches: list[Watch] = []
        for key, value in self._mapping("countries").items():
            loc: Loc = ("countries", key)
            code = str(key)
            if code not in COUNTRY_CODES:
                self._problem(loc, f"'{code}' is no ISO 3166 code; write capitals, such as FR or GB")
            if value is not None and not isinstance(value, dict):
                self._problem(loc, "must be a mapping")
                continue
            country = self._country(defaults, value or {}, loc)
            if country is not None:
                countries[code] = country
                if country.mode != "off":
                    watches.extend(self._watches(code, country, sources))
        if len({watch.id for watch in watches}) < len(watches):
            seen: set[str] = set()
            for watch in watches:
                if watch.id in seen:
                    self._problem(
                        ("countries", watch.country, "sources", watch.source),
                        f"two watches are both '{watch.id}'; give each a name of its own",
                    )
                seen.add(watch.id)
        return countries, watches

    def _check_defaults(self, defaults: dict[str, Any]) -> None:
        """Refuse a wrong value that every country overrides too: the next country would inherit it."""
        self._parse(Country, defaults, ("defaults",), in_part=True)
        for key, section, what in _OF_COUNTRIES:
            if isinstance(defaults.get(key), str):
                self._check_reference(("defaults", key), defaults[key], section, what)
        sources = defaults.get("sources")
        for source, value in sources.items() if isinstance(sources, dict) else ():
            known = self.plugins.sources.get(source)
            if known is None or value is None or isinstance(value, bool):
                continue  # one that is not set up is told of where a country inherits it
            for index, entry in enumerate(value if isinstance(value, list) else [value]):
                where: Loc = ("defaults", "sources", source)
                self._parse(known[1], entry, (*where, index) if isinstance(value, list) else where, in_part=True)

    def _country(self, defaults: dict[str, Any], own: dict[str, Any], loc: Loc) -> Country | None:
        merged = merge(defaults, own)
        for key, section, what in _OF_COUNTRIES:
            if isinstance(merged.get(key), str):
                self._check_reference(self._origin(loc, (key,)), merged[key], section, what)
        try:
            country = Country.model_validate(merged)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                inner = tuple(part for part in item["loc"] if not _is_branch_name(part))
                where = self._origin(loc, inner)
                self._problem(where, describe(item, Country))
            return None
        if country.mode == "pilot" and country.pilot_receiver is None:
            self._problem(self._origin(loc, ("mode",)), _NEEDS_RECEIVER)
        self._check_severities(country, loc)
        self._check_playbooks(country, loc)
        self._check_holidays(country.holidays, str(loc[-1]), partial(self._origin, loc))
        return country

    def _check_holidays(self, chosen: Holidays | None, own_code: str | None, place: Callable[[Loc], Loc]) -> None:
        """Check that the public holidays asked for are known; a country that asked for none is only warned of."""
        asked = chosen is not None and "country" in chosen.model_fields_set
        code = chosen.country if chosen is not None and asked else own_code
        subdivision = chosen.subdivision if chosen is not None else None
        if code is None and subdivision is not None:
            text = "a subdivision needs its country: {country: DE, subdivision: BY}"
            self._problem(place(("holidays", "subdivision")), text)
        if code is None or code not in COUNTRY_CODES:
            return  # none are kept, or the code itself is wrong and was reported
        known, problem = _known_holidays(code, subdivision)
        if problem is not None and (asked or subdivision is not None):
            self._problem(place(("holidays", "country" if subdivision is None else "subdivision")), problem)
        elif not known and (chosen is None or not chosen.add):
            self._warn_of_no_holidays(code)

    def _warn_of_no_holidays(self, code: str) -> None:
        text = f"no public holidays are known for {code} this year: name its days off under `holidays: {{add: [...]}}`"
        if text not in self.warnings:
            self.warnings.append(text)

    def _check_playbooks(self, country: Country, loc: Loc) -> None:
        for language, chain in country.playbook.locales.items():
            for index, locale in enumerate(chain):
                if locale not in self.plugins.locales:
                    where = self._origin(loc, ("playbook", "locales", language, index))
                    self._problem(
                        where, f"the library has no locale '{locale}'; it has {_listed(self.plugins.locales)}"
                    )
        for topic, playbook in country.playbook.topics.items():
            self._check_playbook(playbook, self._origin(loc, ("playbook", "topics", topic)))
        for playbook in country.playbook.links:
            self._check_playbook(playbook, self._origin(loc, ("playbook", "links", playbook)))

    def _check_playbook(self, playbook: str, loc: Loc) -> None:
        if playbook not in self.plugins.playbooks:
            self._problem(loc, f"there is no playbook '{playbook}'; known: {_listed(self.plugins.playbooks)}")

    def _check_severities(self, country: Country, loc: Loc) -> None:
        """Refuse a severity 2 that begins above severity 3, where the country or `defaults` sets one of them."""
        for section, limits in (("thresholds", country.thresholds), ("incidents", country.incidents)):
            if limits.severity_2 <= limits.severity_3:
                continue
            keys = [(*above, section, key) for above in (loc, ("defaults",)) for key in ("severity_2", "severity_3")]
            where = next((key for key in keys if _known_depth(self.document, key) == len(key)), keys[0])
            second, third = f"{limits.severity_2:g}", f"{limits.severity_3:g}"
            said = sentence("severity_2 ({second}) must not be above severity_3 ({third})", second=second, third=third)
            self._problem(where, said)

    def _origin(self, loc: Loc, inner: Loc) -> Loc:
        """Where a country's value stands: in the country itself, or in `defaults`."""
        own, default = (*loc, *inner), ("defaults", *inner)
        in_own = _known_depth(self.document, own) - len(loc)
        in_defaults = _known_depth(self.document, default) - 1
        return default if in_defaults > in_own else own

    def _watches(self, code: str, country: Country, sources: Mapping[str, SourceOptions]) -> Iterator[Watch]:
        for source, value in country.sources.items():
            loc = self._origin(("countries", code), ("sources", source))
            if value is False:
                continue
            known = self.plugins.sources.get(source)
            if known is None or source not in self._mapping("sources"):
                configured = [name for name in self.plugins.sources if name in self._mapping("sources")]
                self._problem(loc, unknown_key(source, configured) + " (sources set up under `sources:`)")
                continue
            entries = value if isinstance(value, list) else [{} if value is True or value is None else value]
            for index, entry in enumerate(entries):
                where = (*loc, index) if isinstance(value, list) else loc
                options = self._parse(known[1], entry, where)
                if options is not None:
                    yield from self._brand_watches(code, country, source, options, where)

    def _brand_watches(
        self, code: str, country: Country, source: str, options: WatchOptions, loc: Loc
    ) -> Iterator[Watch]:
        for brand_id, brand in self.brands.items():  # those in order; the others are reported under brands
            if options.brands is not None and brand_id not in options.brands:
                continue
            yield Watch(
                id="/".join(filter(None, (source, code, brand_id, options.name))),
                source=source,
                brand=brand_id,
                country=code,
                languages=tuple(country.languages),
                terms=tuple(brand.terms),
                exclude=tuple(brand.exclude),
                account=brand.accounts.get(source),
                timezone=country.timezone,
                options=options,
            )
        for brand_id in options.brands or ():
            if brand_id not in self._mapping("brands"):
                self._problem((*loc, "brands"), unknown_key(brand_id, self._mapping("brands")))

    def _check_checkpoints(self, model: Model) -> None:
        for loc, text in checkpoint_problems(model):
            self._problem(("model", *loc), text)

    def _check_slack(self, slack: SlackApp | None) -> None:
        needed = {"socket": "app_token", "http": "signing_secret"}
        if slack is not None and getattr(slack, needed[slack.mode]) is None:
            self._problem(("slack",), f"mode {slack.mode} needs {needed[slack.mode]}")

    def _check_console(self, console: Console | None) -> None:
        if console is None or console.openid is None:
            return
        if console.url is None:
            self._problem(
                ("console",), "sign-in by OpenID Connect needs `url`: where the provider sends people back to"
            )
        for group, grant in console.openid.grants.items():
            for index, country in enumerate(grant.countries or ()):
                loc: Loc = ("console", "openid", "grants", group, "countries", index)
                self._check_reference(loc, country, "countries", "country")

    def _check_teams(self, teams: Mapping[str, Team]) -> None:
        for name, team in teams.items():
            loc: Loc = ("teams", name)
            self._check_holidays(team.holidays, None, partial(_below, loc))
            self._check_reference((*loc, "receiver"), team.receiver, "receivers", "receiver")
            self._check_reference((*loc, "next"), team.next, "teams", "team")
            if team.next == name:
                self._problem((*loc, "next"), "a team is not the next one after itself")
            for index, other in enumerate(team.cover):
                if other == name:
                    self._problem((*loc, "cover", index), "a team does not cover for itself")
                self._check_reference((*loc, "cover", index), other, "teams", "team")

    def _check_routes(self) -> None:
        known = {"brand": "brands", "country": "countries", "team": "teams"}

        def walk(route: object, loc: Loc) -> None:
            if not isinstance(route, dict):
                return
            if route.get("receiver") is not None:
                self._check_reference((*loc, "receiver"), route["receiver"], "receivers", "receiver")
            for label, value in (route.get("match") or {}).items() if isinstance(route.get("match"), dict) else ():
                if label in known:
                    for name in value if isinstance(value, list) else [value]:
                        self._check_reference((*loc, "match", label), name, known[label], label)
            children = route.get("routes")
            for index, child in enumerate(children if isinstance(children, list) else ()):
                walk(child, (*loc, "routes", index))

        root = self.data.get("route")
        walk(root, ("route",))
        if isinstance(root, dict) and not root.get("receiver"):
            self._problem(("route",), "the root route needs a receiver: it takes whatever no other route matches")

    def _check_reference(self, loc: Loc, name: object, section: str, what: str) -> None:
        names = self._mapping(section)
        if not names:
            return  # reported already: nothing can be referred to
        if name is not None and not isinstance(name, str):
            if len(loc) == 1:  # elsewhere the shape is checked on its own
                self._problem(loc, f"must be the name of a {what}")
        elif name is not None and name not in names:
            self._problem(loc, f"there is no {what} '{name}'; known: {', '.join(map(str, names)) or 'none'}")


def _known_holidays(country: str, subdivision: str | None) -> tuple[bool, str | None]:
    """Return whether there are public holidays this year, and what is wrong where the question was."""
    from listener.config.public_holidays import UnknownHolidaysError, public_holidays

    try:
        return bool(public_holidays(country, subdivision, SystemClock().now().year)), None
    except UnknownHolidaysError as error:
        return False, str(error)


def _below(loc: Loc, inner: Loc) -> Loc:
    return (*loc, *inner)


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


_WHOLE = frozenset({"hours"})


def merge(base: Any, over: Any) -> Any:
    """Return `base` with `over` laid on top: mappings merge key by key, everything else is replaced.

    Hours are replaced as a whole: `mon-sun` beside the default's `mon-fri` would leave both.
    """
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = dict(base)
    for key, value in over.items():
        merged[key] = value if key in _WHOLE else merge(base.get(key), value)
    return merged


def unknown_key(key: str, allowed: Any) -> str:
    """Say that a key is unknown, what is allowed, and what was probably meant."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(key, names, n=1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return f"unknown key '{key}'{hint}; allowed: {', '.join(names) or 'none'}"


def describe(item: Any, model: Any) -> str:
    """Turn one pydantic error into a sentence that says what is wrong and what is allowed."""
    loc = tuple(part for part in item["loc"] if not _is_branch_name(part))
    if item["type"] == "extra_forbidden":
        return unknown_key(str(loc[-1]), allowed_keys(model, loc[:-1]))
    if item["type"] == "missing":
        return f"'{loc[-1]}' is missing"
    text, given = _problem_of(item), item.get("input")
    if item["type"] != "secret" and isinstance(given, str | int | float | bool):
        return sentence("{problem} (found {text})", problem=text, text=repr(str(given)[:60]))
    return text


def _problem_of(item: Any) -> str:
    """Return what is wrong, as a sentence where it is one of ours or a bound."""
    said = item.get("ctx", {}).get("said")
    if isinstance(said, Sentence):
        return said
    text = str(item["msg"])
    if item["type"] in _BOUNDS:
        return sentence(_BOUNDS[item["type"]], number=text.rpartition(" ")[2])
    text = text.replace("Input should be", "must be").replace("Value error, ", "")
    return text[:1].lower() + text[1:]


def allowed_keys(model: Any, loc: Loc) -> list[str]:
    """Return the keys allowed at `loc` below `model`."""
    for part in loc:
        model = _step(model, part)
    found = _models(model)
    return sorted({name for candidate in found for name in candidate.model_fields})


def _step(model: Any, part: str | int) -> Any:
    for candidate in _models(model):
        if part in candidate.model_fields:
            return candidate.model_fields[str(part)].annotation
    arguments = [argument for argument in typing.get_args(model) if argument is not Ellipsis]
    return arguments[-1] if arguments else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if (
        isinstance(annotation, type)
        and not isinstance(annotation, types.GenericAlias)
        and issubclass(annotation, BaseModel)
    ):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [model for argument in typing.get_args(annotation) for model in _models(argument)]
    return []


def _is_branch_name(part: str | int) -> bool:
    """True for the names pydantic puts into a location for the branches of a union (`list[str]`, `str`)."""
    return isinstance(part, str) and (
        part in ("str", "int", "float", "bool", "none") or "[" in part or part.startswith("function-")
    )


def _known_depth(document: Document, loc: Loc) -> int:
    depth = 0
    for end in range(1, len(loc) + 1):
        if loc[:end] in document.positions:
            depth = end
    return depth
