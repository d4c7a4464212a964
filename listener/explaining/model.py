"""An explanation as a value: ordered steps with facts, in plain English, with what stands in each sentence beside it.

Whoever draws it may translate: summaries, values and details are sentences, and names and labels are fixed texts.
Texts that others wrote are marked as hostile and stand in facts of their own.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from listener.sentences import Listing, Sentence, Value

State = Literal["ok", "held", "stopped", "info"]
Basis = Literal["recorded", "recomputed", "today", ""]
_ACTS = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Characters that act on a terminal or turn the text around."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a step."""

    label: str
    value: str
    detail: str = ""
    hostile: bool = False
    """Whether value or detail hold what others wrote."""
    basis: Basis = ""
    """`recorded` as it was decided then, `recomputed` worked out now from what is stored, `today` under the settings
    in force now; empty where it is neither."""
    holds: bool | None = None
    """Of a condition, whether it holds."""
    depth: int = 0
    """How far it is set in, below the fact before it."""
    at: datetime | None = None
    """Where `value` is nothing but a moment, that moment, for whoever reads in another time zone."""
    link: str = ""
    """What to ask about next: a reference such as A-12 or x:1790000000."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step from the post to the message, or to the silence."""

    name: str
    """Short and fixed, such as `rules`."""
    state: State
    summary: str
    facts: tuple[Fact, ...] = ()
    title: str = ""
    brand: str = ""
    """Of which brand, where a post was found for several; empty where it is of all."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a post became an alert, or did not."""

    reference: str
    """Such as A-12, I-3 or x:1790000000; hostile."""
    title: str
    """The answer in one sentence."""
    steps: tuple[Step, ...]
    ending: str
    """How it ended: `raised`, `joined`, `quiet`, `old`, `not-configured`, `competitor`, `failed`, `withdrawn`,
    `unclassified`, `undecided`, `unknown`, `incident`; of several brands the one that went furthest."""
    timezone: str = "UTC"
    """In which moments are written."""
    countries: tuple[str, ...] = ()
    """Whose posts and alerts it tells of, for whoever must not see all."""
    alert: str = ""
    """Reference of the alert that holds it."""


def as_json(explanation: Explanation) -> str:
    """Return an explanation as JSON in which nothing acts on a terminal."""
    written = json.dumps(as_data(explanation), ensure_ascii=False, indent=1)
    return _ACTS.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def as_data(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as plain data for JSON, with patterns and values of its sentences; moments in UTC."""
    return {
        "reference": explanation.reference,
        **_text("title", explanation.title),
        "ending": explanation.ending,
        "timezone": explanation.timezone,
        "countries": list(explanation.countries),
        "alert": explanation.alert or None,
        "steps": [_step(step) for step in explanation.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "title": step.title,
        "state": step.state,
        "brand": step.brand or None,
        **_text("summary", step.summary),
        "facts": [_fact(fact) for fact in step.facts],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        **_text("label", fact.label),
        **_text("value", fact.value),
        **(_text("detail", fact.detail) if fact.detail else {"detail": None}),
        "hostile": fact.hostile,
        "basis": fact.basis or None,
        "holds": fact.holds,
        "depth": fact.depth,
        "at": fact.at.isoformat() if fact.at else None,
        "link": fact.link or None,
    }


def _text(name: str, text: str) -> dict[str, Any]:
    if isinstance(text, Listing):
        return {name: str(text), f"{name}_parts": [_text("text", one) for one in text.parts]}
    if not isinstance(text, Sentence):
        return {name: text}
    pattern = text.several if text.several and text.number != 1 else text.message
    values = {key: _plain(one) for key, one in text.values.items()}
    return {name: str(text), f"{name}_pattern": pattern, f"{name}_values": values}


def _plain(value: Value) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _text("text", value) if isinstance(value, Sentence | Listing) else value
