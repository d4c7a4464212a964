"""Sets a digest beside the second calculation of its figures."""

import math
import re
from typing import Any

from listener.digest.model import Digest
from tests.quarter.flat import flatten
from tests.quarter.independent import Figures

_NO_FIGURE = re.compile(
    r"(week|scope|timezone|as_of|complete|spans|advice|names|pilot|voices)\b.*"
    r"|.*\.(unit|verdict|lack|key|brand|name|competitor|person|number|watch|source|country|reason|reference|timezone)"
    r"|causes\.irritants\[\d+\]\.(id|cause|words|topic|product|mean|trend|history|first_seen_at|posts|alerts)"
    r"|incidents\[.*\]\.(topic|began_at|opened_at|ended_at|expected|curve)"
    r"|coverage\.seen_share\.(part|of|last|mean)|errata\.said"
)
"""What has no second calculation here."""
_OF_IRRITANT = re.compile(r"causes\.irritants\[(-?\d+)\]")
_OF_ROW = re.compile(r"(spoken\.by_\w+\[.*\])\.\w+\.\w+")


def differences(digest: Digest, calculated: Figures) -> list[str]:
    """Return in words where a digest and the second calculation of its figures differ, or one lacks a figure."""
    told = flatten(digest)
    told["holidays"] = tuple(sorted(digest.holidays))
    missing = [
        f"{name}: not told, calculated {value}"
        for name, value in calculated.items()
        if name not in told and not _is_empty_row(name, calculated) and _is_told(name, digest)
    ]
    wrong = [
        f"{name}: told {told[name]}, calculated {value}"
        for name, value in calculated.items()
        if name in told and not _same(told[name], value) and not (name.endswith(".verdict") and value is None)
    ]
    more = [
        f"{name}: told {value}, not calculated"
        for name, value in told.items()
        if name not in calculated and value != () and not _NO_FIGURE.fullmatch(name) and not _is_empty_row(name, told)
        and (value is not None or not name.endswith((".part", ".of")))
    ]  # fmt: skip
    return missing + wrong + more


def _is_told(name: str, digest: Digest) -> bool:
    """Tell whether a figure is of an irritant that a digest tells of; it tells of the greatest."""
    found = _OF_IRRITANT.match(name)
    return found is None or int(found[1]) in {one.id for one in digest.causes.irritants}


def _is_empty_row(name: str, figures: Figures) -> bool:
    """Tell whether a figure belongs to a row that says of somebody who is not spoken of this week that they are not."""
    row = _OF_ROW.fullmatch(name)
    return row is not None and figures[f"{row[1]}.mentions.value"] == 0


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
    if isinstance(other, dict):
        return dict(one) == other
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
