"""The shape of `config.yaml` as JSON Schema, for editors that complete and check while somebody writes.

A schema knows no names: whether a team or receiver that is named is there, `listener check` says.
"""

import copy
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from listener.config.docstrings import key_words, model_words
from listener.config.loading import _REQUIRED, SECTIONS, PluginOptions
from listener.config.models import (
    Brand,
    Console,
    Country,
    DigestReader,
    Model,
    Route,
    SlackApp,
    Store,
    Team,
)
from listener.config.spans import span_text
from listener.config.types import COUNTRY_CODES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = r"^[\w-]{1,60}$"
Schema = dict[str, Any]

WORDS: Mapping[str, str] = {
    "version": "The version of this file's shape.",
    "brands": "What is listened for, by a name of your own.",
    "voice": "The file beside this one that says how the brands speak, such as brand.yaml.",
    "teams": "Who answers, by a name of your own.",
    "sources": "One connection per network; a country's `sources` say what is read there.",
    "receivers": "Where alerts can go, by a name of your own.",
    "defaults": "What every country starts from.",
    "countries": "By ISO 3166 code; each says what differs from `defaults`: mappings merge, lists are replaced.",
    "route": "Where each alert goes: a tree, of which the first child that matches wins.",
    "fallback_receiver": "The receiver that takes over where another is off or disabled.",
    "head_office": "The team at the end of every chain.",
    "trial_receiver": "The receiver of drills.",
    "slack": "The Slack app behind the buttons.",
    "digests": "The readers of the weekly digest, by a name of your own.",
    "console": "Pages in a browser; none where absent.",
    "store": "Where mentions and alerts are kept.",
    "model": "The classifier.",
}
"""What each section holds."""


def json_schema(plugins: PluginOptions) -> Schema:
    """Return the schema of the configuration file, with the options of these plugins."""
    return _Builder(plugins).build()


def shape_of(model: type[BaseModel]) -> Schema:
    """Return the schema of one model; what it refers to is left out."""
    builder = _Builder(PluginOptions({}, {}))
    return builder.definitions[builder._ref(model)["$ref"].rsplit("/", 1)[-1]]


class _Generator(GenerateJsonSchema):
    """pydantic's own, without the titles that it makes of names."""

    def get_title_from_name(self, name: str) -> str:
        return ""


class _Builder:
    def __init__(self, plugins: PluginOptions) -> None:
        self.plugins = plugins
        self.definitions: dict[str, Schema] = {}

    def build(self) -> Schema:
        """Return the whole schema."""
        sections = {
            "version": {"const": 1},
            "brands": self._named(Brand),
            "voice": {"type": "string", "minLength": 1},
            "teams": self._named(Team),
            "sources": self._sources(),
            "receivers": self._receivers(),
            "defaults": self._country(),
            "countries": self._countries(),
            "route": self._route(),
            "fallback_receiver": {"type": "string"},
            "head_office": {"type": ["string", "null"]},
            "trial_receiver": {"type": ["string", "null"]},
            "slack": _or_null(self._ref(SlackApp)),
            "digests": _or_null(self._named(DigestReader, least=0)),
            "console": _or_null(self._ref(Console)),
            "store": _or_null(self._ref(Store)),
            "model": _or_null(self._ref(Model)),
        }
        properties = {name: {"description": WORDS[name], **sections[name]} for name in SECTIONS}
        self._name_playbooks()
        self.definitions |= _LISTS
        return {
            "$schema": DIALECT,
            "title": "config.yaml of the listening daemon",
            "type": "object",
            "properties": properties,
            "required": list(_REQUIRED),
            "additionalProperties": False,
            "$defs": dict(sorted(self.definitions.items())),
        }

    def _ref(self, model: type[BaseModel], *, partial: bool = False) -> Schema:
        """Return a reference to a model's schema, which is taken in; a partial one lacks no key."""
        name = model.__name__ + ("InPart" if partial else "")
        if name not in self.definitions:
            self.definitions[name] = {}  # a model may hold itself
            self._take_in(model, partial=partial)
        return {"$ref": f"#/$defs/{name}"}

    def _take_in(self, model: type[BaseModel], *, partial: bool) -> None:
        schema = TypeAdapter(model).json_schema(schema_generator=_Generator)
        found: dict[str, Schema] = schema.pop("$defs", {})
        if "$ref" not in schema:  # a model that holds itself is a definition already
            found[model.__name__] = schema
        models = {one.__name__: one for one in _models_within(model)}
        held = _held_in_lists(found)
        for name, one in found.items():
            own = _described(one, models.get(name))
            is_partial = partial and name not in held
            self.definitions[name + ("InPart" if is_partial else "")] = _finished(own, held, is_partial=is_partial)
            if is_partial and name in held:
                self.definitions[name] = _finished(own, held, is_partial=False)

    def _named(self, model: type[BaseModel], least: int = 1) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": _NAME},
            "minProperties": least,
            "additionalProperties": self._ref(model),
        }

    def _sources(self) -> Schema:
        options = {name: _or_null(self._ref(pair[0])) for name, pair in self.plugins.sources.items()}
        return {"type": ["object", "null"], "properties": options, "additionalProperties": False}

    def _receivers(self) -> Schema:
        """Return the schema of receivers: `type` decides which options there are."""
        cases = [
            {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": self._ref(model)}
            for kind, model in self.plugins.receivers.items()
        ]
        one = {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": sorted(self.plugins.receivers), "description": "What kind it is."}},
            "allOf": cases,
        }
        self.definitions["Receiver"] = one
        named = {"propertyNames": {"pattern": _NAME}, "minProperties": 1}
        return {"type": "object", **named, "additionalProperties": {"$ref": "#/$defs/Receiver"}}

    def _countries(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/CountryCode"},
            "minProperties": 1,
            "additionalProperties": _or_null(self._country()),
        }

    def _country(self) -> Schema:
        """Return the schema of a country and of what countries start from: a key may stand in the other."""
        reference = self._ref(Country, partial=True)
        watches = {name: self._watches(pair[1]) for name, pair in self.plugins.sources.items()}
        own = self.definitions["CountryInPart"]["properties"]["sources"]
        own.clear()
        own |= {"type": "object", "properties": watches, "additionalProperties": False, "description": _SOURCES}
        return reference

    def _watches(self, model: type[BaseModel]) -> Schema:
        return {
            "anyOf": [
                {"type": ["boolean", "null"]},
                self._ref(model, partial=True),
                {"type": "array", "items": self._ref(model)},
            ]
        }

    def _name_playbooks(self) -> None:
        """Let editors complete the names of playbooks and locales."""
        if not self.plugins.playbooks:
            return
        names, locales = {"enum": sorted(self.plugins.playbooks)}, {"enum": sorted(self.plugins.locales)}
        self.definitions["Brand"]["properties"]["playbooks"]["additionalProperties"] = names
        choice = self.definitions["PlaybookChoiceInPart"]["properties"]
        choice["topics"]["additionalProperties"] = names
        choice["links"]["propertyNames"] = names
        for chain in choice["locales"]["patternProperties"].values():
            chain["items"] = locales

    def _route(self) -> Schema:
        return {"allOf": [self._ref(Route)], "required": ["receiver"]}


_SOURCES = "`x: {}` is a watch per brand, a list makes several watches, false turns a source off."


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _models_within(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a model and all that its keys hold."""
    found: set[type[BaseModel]] = set()
    waiting: list[Any] = [model]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in found:
            found.add(one)
            waiting += [field.annotation for field in one.model_fields.values()]
        elif not isinstance(one, type) or get_args(one):
            waiting += get_args(one)
    return found


def _held_in_lists(definitions: Mapping[str, Schema]) -> set[str]:
    """Return the models that stand in lists, and so are never merged key by key."""
    found: set[str] = set()

    def walk(node: object, within: bool) -> None:
        if isinstance(node, dict):
            if within and "$ref" in node:
                name = node["$ref"].rsplit("/", 1)[-1]
                if name not in found:
                    found.add(name)
                    walk(definitions.get(name, {}), True)
            for key, value in node.items():
                walk(value, within or key == "items")
        elif isinstance(node, list):
            for value in node:
                walk(value, within)

    for one in definitions.values():
        walk(one, False)
    return found


def _described(schema: Schema, model: type[BaseModel] | None) -> Schema:
    """Return a model's schema with what its docstrings say of it and of its keys."""
    schema = copy.deepcopy(schema)
    if model is None:
        return schema
    schema["description"] = model_words(model)
    for name, words in key_words(model).items():
        if name in schema.get("properties", {}):
            schema["properties"][name]["description"] = words
    return schema


def _finished(schema: Schema, held: set[str], *, is_partial: bool) -> Schema:
    """Return a schema as editors take it: defaults as they are written, times and codes known, no made-up titles."""
    if is_partial:
        schema.pop("required", None)
    for one in list(_nodes(schema)):
        one.pop("title", None)
        if "patternProperties" in one:
            one["additionalProperties"] = False
        _write_default(one)
        one |= _FORMATS.get(str(one.get("format")), {})
        reference = one.get("$ref")
        if reference == "#/$defs/Holidays":
            del one["$ref"]
            one["anyOf"] = [{"$ref": "#/$defs/CountryCode"}, {"const": False}, {"$ref": reference}]
        elif is_partial and reference is not None and reference.rsplit("/", 1)[-1] not in {*held, *_LISTS}:
            one["$ref"] = f"{reference}InPart"
    return schema


_FORMATS: Mapping[str, Schema] = {
    "time-zone": {"$ref": "#/$defs/TimeZone"},
    "country": {"$ref": "#/$defs/CountryCode"},
    "date": {"pattern": r"^\d{4}-\d\d-\d\d$"},
}
_LISTS: Mapping[str, Schema] = {
    "TimeZone": {"enum": sorted(zoneinfo.available_timezones())},
    "CountryCode": {"enum": sorted(COUNTRY_CODES)},
}
"""What is long and stands in many places."""


def _nodes(schema: object) -> Iterator[Schema]:
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in ("enum", "const", "default"):
                yield from _nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _nodes(value)


def _write_default(schema: Schema) -> None:
    """Write a default as it stands in a file, or leave it out where it takes more than a word."""
    default = schema.get("default")
    if default is None or isinstance(default, dict) or (isinstance(default, list) and default):
        schema.pop("default", None)
        return
    formats = {str(one.get("format")) for one in (schema, *schema.get("anyOf", ()))}
    if "span" in formats and isinstance(default, int | float):
        schema["default"] = span_text(float(default))
    elif "clock-time" in formats:
        schema["default"] = str(default)[:5]
