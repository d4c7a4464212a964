"""The tables of docs/configuration.md, made from the models: keys, defaults, ranges, and what the docstrings say.

`python -m listener.documents` writes them anew between their marks; the words around them are people's own. A mark
names a model, and keys that are left out: `<!-- table: Team -people -->`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from listener.config import models
from listener.config.docstrings import key_words
from listener.config.json_schema import Schema, shape_of
from listener.config.loading import PluginOptions

_BLOCK = re.compile(r"(<!-- table: (?P<asked>[^>]+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_FORMATS = {
    "span": "duration",
    "secret": "secret",
    "hours": "hours",
    "time-zone": "IANA time zone",
    "country": "ISO country",
    "language": "language tag",
    "clock-time": "time of day",
    "date": "date",
}
_REFERENCES = {"TimeZone": "IANA time zone", "CountryCode": "ISO country", "Holidays": "holidays"}
_MOST_VALUES = 8


def written(text: str, plugins: PluginOptions) -> str:
    """Return a document with all its tables made anew.

    Raises:
        ValueError: a mark names a model or key that is not there.
    """
    known = _models(plugins)
    return _BLOCK.sub(lambda found: f"{found[1]}{_table(found['asked'], known)}{found[3]}", text)


def tables_asked(text: str) -> set[str]:
    """Return the models that a document has tables of."""
    return {found["asked"].split()[0] for found in _BLOCK.finditer(text)}


def _models(plugins: PluginOptions) -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {
        name: one for name, one in vars(models).items() if isinstance(one, type) and issubclass(one, models.Strict)
    }
    for pair in plugins.sources.values():
        found |= {one.__name__: one for one in pair}
    return found | {one.__name__: one for one in plugins.receivers.values()}


def _table(asked: str, known: Mapping[str, type[BaseModel]]) -> str:
    name, *options = asked.split()
    if name not in known:
        raise ValueError(f"there is no model {name}")
    model = known[name]
    left_out = {option[1:] for option in options}
    if "inherited" in left_out:
        left_out |= {key for base in model.__mro__[1:] for key in getattr(base, "model_fields", {})} - _own(model)
    if wrong := left_out - set(model.model_fields) - {"inherited"}:
        raise ValueError(f"{name} has no {', '.join(sorted(wrong))}")
    rows = list(_rows(model, shape_of(model)["properties"], left_out))
    return "| Key | Value | Default | Meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _own(model: type[BaseModel]) -> set[str]:
    return set(vars(model).get("__annotations__", ()))


def _rows(model: type[BaseModel], shapes: Mapping[str, Schema], left_out: set[str]) -> Iterator[str]:
    words = key_words(model)
    for key, field in model.model_fields.items():
        if key not in left_out:
            shape = shapes.get(key, {})
            cells = (f"`{key}`", _kind(shape, field), _default(shape, field), words.get(key, ""))
            yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _kind(shape: Schema, field: FieldInfo) -> str:
    """Return what a value may be, in words."""
    choices = shape.get("anyOf")
    if choices is not None:
        words = list(dict.fromkeys(_kind(one, field) for one in choices if one.get("type") != "null"))
        text = " or ".join(words)
        return f"{text} or `null`" if _null_is_said(shape, field) else text
    if "$ref" in shape:
        name = shape["$ref"].rsplit("/", 1)[-1].removesuffix("InPart")
        return _REFERENCES.get(name, "mapping")
    if "enum" in shape:
        values = [f"`{_value(one)}`" for one in shape["enum"]]
        return (
            ", ".join(values)
            if len(values) <= _MOST_VALUES
            else "one of the topics"
            if "safety" in shape["enum"]
            else "name"
        )
    if "const" in shape:
        return f"`{_value(shape['const'])}`"
    if shape.get("format") in _FORMATS:
        return _FORMATS[shape["format"]]
    kind = shape.get("type")
    if kind == "array":
        inner = _kind(shape.get("items", {}), field)
        return f"list of {_plural(inner)}" + _range(shape, "minItems", "maxItems", "")
    if kind == "object":
        return "mapping"
    if kind in ("integer", "number"):
        return ("whole number" if kind == "integer" else "number") + _range(shape, "minimum", "maximum", "")
    return {"boolean": "`true`, `false`", "string": "text"}.get(str(kind), "")


def _null_is_said(shape: Schema, field: FieldInfo) -> bool:
    """Say whether `null` means something else than leaving the key out."""
    has_null = any(one.get("type") == "null" for one in shape["anyOf"])
    return has_null and field.default is not None and not field.is_required()


def _plural(word: str) -> str:
    if word.startswith(("`", "list")) or word in ("text", "mapping", "holidays", "hours"):
        return {"text": "texts", "mapping": "mappings"}.get(word, word)
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return re.sub(r"^(\w+(?: \w+)*)", r"\1s", word, count=1)


def _range(shape: Schema, low: str, high: str, unit: str) -> str:
    least, most = shape.get(low), shape.get(high)
    above = shape.get("exclusiveMinimum") if low == "minimum" else None
    below = shape.get("exclusiveMaximum") if high == "maximum" else None
    if above is not None:
        start = f"above {_value(above)}"
        end = f" to {_value(most)}" if most is not None else f", below {_value(below)}" if below is not None else ""
        return f", {start}{end}"
    if least is not None and most is not None:
        return f", {_value(least)} to {_value(most)}"
    if least is not None:
        return f", at least {_value(least)}"
    return f", at most {_value(most)}" if most is not None else ""


def _default(shape: Schema, field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    default = shape.get("default")
    if default is None:
        return "see below" if isinstance(field.default, BaseModel) else _listed(field.default)
    if isinstance(default, str) and not default:
        return ""
    if default == "default":
        return "the country's"
    return f"`{_value(default)}`"


def _listed(default: object) -> str:
    if isinstance(default, list) and default and all(isinstance(one, str | int) for one in default):
        return f"`[{', '.join(map(_value, default))}]`"
    return "see below" if isinstance(default, list) and default else ""


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    return f"{value:g}" if isinstance(value, float) and value < 1e5 else str(value)
