"""A country's settings as a form: what is in force and why, what somebody typed, the edits that follow.

Nothing is written here. `defaults` takes the place of a country where the settings of all of them are meant.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from pydantic_core import PydanticCustomError

from listener.config import Config, Duration
from listener.config.document import Document, Loc, parse_yaml
from listener.config.editing import REMOVE, Edit
from listener.config.models import Country, Ramp, Strict, Thresholds, Weights
from listener.config.origins import Origin, settings_of, written_duration
from listener.config.types import parse_duration
from listener.errors import ListenerError, Problem
from listener.words import marked

DEFAULTS = "defaults"
Kind = Literal["score", "duration", "hours", "words", "choice", "numbers"]
_NUMBER = re.compile(r"-?\d{1,3}([.,]\d{1,9})?")
_HOURS_LINE = re.compile(r"\s*([a-z-]+)\s*:?\s+(.*\S)\s*")


class FieldError(ListenerError):
    """What was typed into one field cannot be read; the message is marked for translation."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting that a form offers."""

    path: tuple[str, ...]
    """Below the country."""
    label: str
    hint: str
    kind: Kind
    optional: bool = False
    """Whether it may be empty, which says null."""

    @property
    def name(self) -> str:
        """Its name in the form."""
        return ".".join(self.path)


def _score(name: str, label: str, hint: str) -> Field:
    return Field(("thresholds", name), label, hint, "score")


THRESHOLDS: Sequence[Field] = (
    _score("complaint", marked("Complaint"), marked("Probability from which a post counts as a complaint.")),
    _score("priority", marked("Priority"), marked("Priority from which a complaint raises an alert.")),
    _score("urgent", marked("Urgency alone"), marked("Probability of high urgency that alone raises an alert.")),
    _score("influence", marked("Influence"), marked("Influence from which any complaint raises an alert.")),
    _score("praise", marked("Praise"), marked("Influence from which praise raises an alert, so that it is thanked.")),
    _score("severity_2", marked("Severity 2"), marked("Priority from which an alert is of severity 2.")),
    _score("severity_3", marked("Severity 3"), marked("Priority from which an alert is of severity 3.")),
    _score(
        "severity_3_urgent",
        marked("Severity 3 by urgency"),
        marked("Probability of high urgency from which an alert is of severity 3."),
    ),
    Field(("weights", "influence"), marked("Weight of influence"), marked("Its share of the priority."), "score"),
    Field(("weights", "velocity"), marked("Weight of velocity"), marked("Its share of the priority."), "score"),
    Field(
        ("thresholds", "max_age"),
        marked("Oldest post"),
        marked("Older posts raise no alert, such as 72h; empty for no limit."),
        "duration",
        optional=True,
    ),
    Field(
        ("join_within",),
        marked("Joins within"),
        marked("Further posts of a case join an alert this old at most, such as 24h."),
        "duration",
    ),
)
PEOPLE: Sequence[Field] = (
    Field(("team",), marked("Team"), marked("Who answers for the country."), "choice"),
    Field(("languages",), marked("Languages"), marked("Tags such as fr, nl-BE, between commas."), "words"),
    Field(("timezone",), marked("Time zone"), marked("Such as Europe/Paris."), "choice"),
    Field(
        ("hours",),
        marked("Working hours"),
        marked("A line for each span of days, such as mon-fri: 09:00-18:00; days without a line are closed."),
        "hours",
    ),
)
PILOT: Sequence[Field] = (
    Field(
        ("mode",),
        marked("Mode"),
        marked("pilot sends to the trial receiver, save for the ramp; off collects nothing."),
        "choice",
    ),
    Field(("pilot_receiver",), marked("Trial receiver"), marked("Where a pilot's alerts go."), "choice", optional=True),
    Field(
        ("ramp", "share"),
        marked("Share in earnest"),
        marked("Of a pilot's alerts, how many go where they would if it were live: from 0 to 1."),
        "score",
    ),
    Field(
        ("ramp", "hours"),
        marked("Hours in earnest"),
        marked("Such as mon-fri: 09:00-18:00, in the country's time zone; empty for any time."),
        "hours",
        optional=True,
    ),
    Field(
        ("ramp", "severities"),
        marked("Severities in earnest"),
        marked("Numbers between commas, such as 1, 2."),
        "numbers",
    ),
)
GROUPS: Mapping[str, Sequence[Field]] = {"thresholds": THRESHOLDS, "people": PEOPLE, "pilot": PILOT}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one field stands in the file, and what the form shows."""

    field: Field
    value: Any
    """In force, as people write it in the file."""
    text: str
    """What the form shows: what is in force, or what somebody typed."""
    origin: Origin
    line: int | None
    is_own: bool
    """Whether it is set right here, and can be given back."""
    base: str
    """What it would be if it were not set here, as the form shows it."""
    wrong: str = ""
    """What is wrong with what was typed; it may repeat that, so it is hostile."""


def standings(text: str, config: Config, code: str, group: Sequence[Field]) -> list[Standing]:
    """Return how each field of a group stands, for one country or for `defaults`."""
    document = _document(text, str(config.path))
    found = {} if code == DEFAULTS else {one.path: one for one in settings_of(document, config, code)}
    own: Origin = "defaults" if code == DEFAULTS else "country"
    standing = []
    for field in group:
        built_in, default, line = _built_in(field), *_default(document, field)
        if code == DEFAULTS:
            value, origin = (built_in, "built-in") if default is _ABSENT else (default, "defaults")
        else:
            here = found.get(field.path) or found[field.path[:1]]  # a mapping that stands there in one word, or as null
            value, origin, line = here.value, here.origin, here.line
        base = built_in if code == DEFAULTS or default is _ABSENT else default
        standing.append(
            Standing(
                field, value, shown(field, value), origin, line if origin != "built-in" else None,  # type: ignore[arg-type]
                origin == own, "" if base is _ABSENT else shown(field, base),
            )
        )  # fmt: skip
    return standing


@lru_cache(maxsize=4)
def _document(text: str, path: str) -> Document:
    """Return the parsed file; nobody changes it. A page asks for it once for each country."""
    return parse_yaml(text.removeprefix("\ufeff"), path)


def typed(
    standing: Iterable[Standing],
    form: Mapping[str, str],
    resets: Collection[str],
    say: Callable[[str], str] = str,
) -> tuple[list[Standing], list[tuple[Field, Any]]]:
    """Return the fields with what somebody typed, and the changes that follow: a value, or REMOVE.

    A field that cannot be read is told in `wrong`, as `say` says it in the visitor's language, and changes nothing.
    """
    shown_again, changed = [], []
    for one in standing:
        name, wrong = one.field.name, ""
        text = form.get(name, one.text).strip()
        if name in resets:
            text = one.base
            if one.is_own:
                changed.append((one.field, REMOVE))
        elif text.replace("\r\n", "\n") != one.text:
            try:
                value = read(one.field, text)
            except FieldError as error:
                wrong = say(str(error))
            else:
                if value != one.value:
                    changed.append((one.field, value))
        shown_again.append(Standing(one.field, one.value, text, one.origin, one.line, one.is_own, one.base, wrong))
    return shown_again, changed


def edits(code: str, changed: Iterable[tuple[Field, Any]]) -> list[Edit]:
    """Return the edits of the configuration file."""
    above: Loc = (DEFAULTS,) if code == DEFAULTS else ("countries", code)
    return [Edit((*above, *field.path), value) for field, value in changed]


def placed(
    code: str, standing: Sequence[Standing], problems: Iterable[Problem], say: Callable[[str], str] = str
) -> tuple[list[Standing], list[Problem]]:
    """Return the fields with what is wrong with each in the configuration, as `say` says it, and the other problems."""
    above = DEFAULTS if code == DEFAULTS else f"countries.{code}"
    said: dict[str, str] = {}
    others = []
    for problem in problems:
        path = problem.path.removeprefix(f"{above}.").replace("[", ".")
        name = next((one.field.name for one in standing if f"{path}.".startswith(f"{one.field.name}.")), None)
        if name is None:
            others.append(replace(problem, text=say(problem.text)))
        else:
            said.setdefault(name, say(problem.text))
    return [
        Standing(
            one.field, one.value, one.text, one.origin, one.line, one.is_own, one.base,
            said.get(one.field.name, one.wrong),
        )
        for one in standing
    ], others  # fmt: skip


def changed_country(country: Country, changed: Iterable[tuple[Field, Any]]) -> Country:
    """Return a country with other thresholds, weights or joining, without reading the file again: for previews.

    Raises:
        pydantic.ValidationError: a value is out of bounds.
    """
    parts: dict[str, dict[str, Any]] = {
        "thresholds": {**country.thresholds.model_dump(), "max_age": _written(country.thresholds.max_age)},
        "weights": country.weights.model_dump(),
        "": {"join_within": _written(country.join_within)},
    }
    for field, value in changed:
        parts[field.path[0] if len(field.path) > 1 else ""][field.path[-1]] = value
    checked = _Previewed.model_validate({**parts.pop(""), **parts})
    return country.model_copy(update=dict(checked))


def given_back(standing: Iterable[Standing], changed: Iterable[tuple[Field, Any]]) -> list[tuple[Field, Any]]:
    """Return changes with what each value is that is not set any more, in place of REMOVE."""
    bases = {one.field.name: one.base for one in standing}
    return [(field, read(field, bases[field.name]) if value is REMOVE else value) for field, value in changed]


def shown(field: Field, value: Any) -> str:
    """Return a value as the form shows it."""
    if value is None or value is _ABSENT:
        return ""
    if field.kind == "hours" and isinstance(value, Mapping):
        return "\n".join(f"{days}: {times}" for days, times in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def read(field: Field, text: str) -> Any:
    """Return what a field's text says, as it is written in the file.

    Raises:
        FieldError: it says nothing that this kind of field takes.
    """
    if not text.strip(", "):
        if field.optional:
            return None
        raise FieldError(marked("must not be empty"))
    if field.kind == "score":
        return _score_of(text)
    if field.kind == "words":
        return [word for word in re.split(r"[,\s]+", text) if word]
    if field.kind == "numbers":
        parts = [part for part in re.split(r"[,\s]+", text) if part]
        if not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
            raise FieldError(marked("write numbers between commas, such as 1, 2"))
        return [int(part) for part in parts]
    if field.kind == "duration":
        return _duration_of(text)
    return _hours_of(text) if field.kind == "hours" else text


def _duration_of(text: str) -> str:
    try:
        parse_duration(text)
    except PydanticCustomError as error:
        raise FieldError(error.message()) from None
    return text


def _score_of(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise FieldError(marked("write a number between 0 and 1, such as 0.35"))
    value = float(text.replace(",", "."))
    if not 0 <= value <= 1:
        raise FieldError(marked("write a number between 0 and 1, such as 0.35"))
    return value


def _hours_of(text: str) -> dict[str, str]:
    hours = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _HOURS_LINE.fullmatch(line.casefold())
        if found is None or found[1] in hours:
            raise FieldError(marked("write a line for each span of days, such as mon-fri: 09:00-18:00"))
        hours[found[1]] = found[2]
    return hours


class _Absent:
    """There is no value."""


_ABSENT: Any = _Absent()


class _Previewed(Strict):
    thresholds: Thresholds
    weights: Weights
    join_within: Duration


def _written(seconds: float | None) -> str | None:
    return None if seconds is None else written_duration(seconds)


def _built_in(field: Field) -> Any:
    models = {"thresholds": Thresholds(), "weights": Weights(), "ramp": Ramp()}
    if field.path[0] in models:
        value = getattr(models[field.path[0]], field.path[1])
    else:
        info = Country.model_fields[field.path[0]]
        value = _ABSENT if info.is_required() else info.default
    if field.kind == "duration" and isinstance(value, int | float):
        return written_duration(value)
    return value


def _default(document: Document, field: Field) -> tuple[Any, int | None]:
    """Return what `defaults` says, as it is written there, and in which line."""
    data: Any = document.data.get(DEFAULTS) if isinstance(document.data, dict) else None
    for part in field.path:
        if not isinstance(data, dict) or part not in data:
            return _ABSENT, None
        data = data[part]
    position = document.positions.get((DEFAULTS, *field.path))
    return data, position[0] if position else None
