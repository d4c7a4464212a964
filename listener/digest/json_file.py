"""A digest as JSON and back, without loss: for those who calculate, and for making its pages anew later."""

import json
import re
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from listener.digest.model import Digest
from listener.errors import DigestError

FORMAT = 1
"""Raised whenever a field changes its name or meaning; new fields with a default do not raise it."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def dump(digest: Digest) -> str:
    """Return the digest as JSON in UTF-8's characters, the same text for the same digest."""
    content = {"format": FORMAT, **_adapter().dump_python(digest, mode="json")}
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def load(text: str) -> Digest:
    """Return the digest that `dump` wrote.

    Raises:
        DigestError: the text is none, or of another format.
    """
    content = _content(text)
    found = content.pop("format", None)
    if found is True or found != FORMAT:
        raise DigestError(f"this file is no digest of format {FORMAT} (its format is {found!r})"[:200])
    try:
        return _adapter().validate_python(content, strict=False)
    except ValidationError as error:
        raise DigestError(f"this file is no digest: {_first_problem(error)}") from None


def schema() -> dict[str, Any]:
    """Return the JSON schema of what `dump` writes."""
    described = _adapter().json_schema(mode="serialization")
    described["properties"] = {"format": {"const": FORMAT}, **described["properties"]}
    described["required"] = ["format", *described["required"]]
    return described


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Digest]:
    return TypeAdapter(Digest)


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DigestError(f"this file is no JSON: {error}"[:200]) from None
    if not isinstance(content, dict):
        raise DigestError("this file is no digest: it is no JSON object")
    return content


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]
