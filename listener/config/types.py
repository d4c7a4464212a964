"""Small value types of the configuration: secrets, durations, working hours."""

import os
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from listener.errors import MissingSecretError
from listener.sentences import Sentence, sentence

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_LONGEST_S = 3650 * 86400.0
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
COUNTRY_CODES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
    IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()
)
"""ISO 3166-1 alpha-2."""
_NAME = re.compile(r"[\w-]{1,60}")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Secret:
    """A reference to a secret, read only when it is used, so that no dump of the configuration shows it."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name

    def get(self) -> str:
        """Return the secret itself.

        Raises:
            MissingSecretError: the variable or file is missing or empty; the message says which to set.
        """
        if self.kind == "env":
            value = os.environ.get(self.name, "").strip()
            hint = sentence("set the environment variable {name}", name=self.name)
        else:
            try:
                value = Path(self.name).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                value = ""
            hint = sentence("put the secret into the file {name}", name=self.name)
        if not value:
            raise MissingSecretError(hint)
        return value

    @property
    def missing(self) -> str | None:
        """What to do to provide the secret, or None where it is there."""
        try:
            self.get()
        except MissingSecretError as error:
            return error.hint
        return None

    def __repr__(self) -> str:
        return f"${{{self.kind}:{self.name}}}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.kind, self.name) == (other.kind, other.name)

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    @classmethod
    def parse(cls, value: object) -> "Secret":
        """Read `${env:NAME}` or `${file:PATH}`; a secret in clear is refused without repeating it."""
        if isinstance(value, Secret):
            return value
        match = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise PydanticCustomError("secret", "a secret is written as ${env:NAME} or ${file:PATH}, never in clear")
        return cls(match[1], match[2].strip())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "secret", "pattern": rf"^\s*{_REFERENCE.pattern}\s*$"}


def is_name(text: str) -> bool:
    """Tell whether brands, teams, receivers and readers of digests may be called so."""
    return _NAME.fullmatch(text) is not None


def wrong(kind: str, said: Sentence) -> PydanticCustomError:
    """Return the error of a value that is wrong; it keeps its sentence."""
    return PydanticCustomError(kind, "{said}", {"said": said})


def parse_duration(value: object) -> float:
    """Read a span such as `30s`, `2m`, `1h` or `7d` as seconds.

    Raises:
        ValueError: it is none (pydantic's own kind).
    """
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 30 else None
    if match and (seconds := float(match[1]) * _SECONDS[match[2]]) <= _LONGEST_S:
        return seconds
    said = sentence("a duration is a number with a unit: 500ms, 30s, 2m, 1h or 7d, at most 3650d")
    raise wrong("duration", said)


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "format": "span", "pattern": rf"^\s*{_DURATION.pattern}\s*$"}),
]
"""Seconds, written in the configuration as `30s`, `2m`, `1h`, `7d`."""


class Hours:
    """Working hours of a week, in the country's own time zone. An end of 23:59 is the end of the day."""

    def __init__(self, spans: dict[str, list[tuple[time, time]]]) -> None:
        self.spans = spans

    def __repr__(self) -> str:
        days = (f"{day} {start:%H:%M}-{end:%H:%M}" for day in WEEKDAYS for start, end in self.spans.get(day, []))
        return ", ".join(days) or "closed"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hours) and self.spans == other.spans

    @classmethod
    def parse(cls, value: object) -> "Hours":
        """Read a mapping such as `mon-fri: "09:00-18:00"`, `sat: "10:00-12:00 14:00-24:00"`."""
        if isinstance(value, Hours):
            return value
        if not isinstance(value, dict):
            raise PydanticCustomError("hours", 'hours are a mapping of days to times: mon-fri: "09:00-18:00"')
        spans: dict[str, list[tuple[time, time]]] = {}
        for days, text in value.items():
            parsed = [_parse_span(span) for span in str(text).split()]
            for day in _parse_days(str(days)):
                spans.setdefault(day, []).extend(parsed)
        return cls(spans)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        day = f"({'|'.join(WEEKDAYS)})"
        clock = r"([01]\d|2[0-3]):[0-5]\d"
        span = f"{clock}-({clock}|24:00)"
        return {
            "type": "object",
            "format": "hours",
            "propertyNames": {"pattern": f"^{day}(-{day})?$"},
            "additionalProperties": {"type": "string", "pattern": rf"^\s*({span}(\s+{span})*\s*)?$"},
        }


def _parse_days(text: str) -> list[str]:
    first, _, last = text.lower().partition("-")
    last = last or first
    if first not in WEEKDAYS or last not in WEEKDAYS:
        said = sentence(
            "unknown day '{text}'; days are mon tue wed thu fri sat sun, or a span such as mon-fri", text=text
        )
        raise wrong("hours", said)
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
    return [WEEKDAYS[i % 7] for i in range(start, (end if end >= start else end + 7) + 1)]


def _parse_span(text: str) -> tuple[time, time]:
    try:
        if not re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", text):
            raise ValueError
        first, last = text.split("-")
        start, end = time.fromisoformat(first), time.max if last == "24:00" else time.fromisoformat(last)
    except ValueError:
        raise wrong("hours", sentence("'{text}' is no span of hours such as 09:00-18:00", text=text)) from None
    if end <= start:
        said = sentence(
            "'{text}' ends before it starts; a night is two spans: to 24:00, and from 00:00 of the next day", text=text
        )
        raise wrong("hours", said)
    return start, end
