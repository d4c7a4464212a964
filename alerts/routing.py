"""The routing tree: which receivers an alert with given labels goes to."""

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from listener.config import Config, Route
from listener.config.models import Matchers
from listener.model import TOPICS

_COMPARE = {">=": operator.ge, "<=": operator.le, "=": operator.eq}


@dataclass(frozen=True, slots=True)
class Destination:
    """A receiver, with the timers of the route that leads there, in seconds; as Alertmanager defines them."""

    receiver: str
    group_wait_s: float = 30.0
    """How long a new alert waits for further mentions before it is sent."""
    group_interval_s: float = 300.0
    """The least time between two messages about further mentions of one alert."""
    repeat_interval_s: float = 4 * 3600.0
    """How long after its last message an alert that nobody took is told again."""


def destinations_for(root: Route, labels: Mapping[str, str]) -> list[Destination]:
    """Return where an alert goes, each receiver once, with the timers that hold there.

    `labels` has kind, brand, country, team, network, language, topic, severity and mode. As in Alertmanager, the
    first child that matches wins unless it says `proceed`, and a child inherits receiver and timers.
    """
    found: dict[str, Destination] = {}
    for destination in _walk(root, labels, _inherit(root, Destination(""))):
        found.setdefault(destination.receiver, destination)
    return list(found.values())


def receivers_for(root: Route, labels: Mapping[str, str]) -> list[str]:
    """Return the receivers of the deepest routes that match, in order, each once."""
    return [destination.receiver for destination in destinations_for(root, labels)]


def receivers_in_earnest(config: Config, country: str) -> list[str]:
    """Return the receivers that posts of a country raise alerts at, once it is live; each once."""
    found: dict[str, None] = {}
    for severity, topic, brand in product(("1", "2", "3"), TOPICS, config.brands):
        labels = {"kind": "post", "country": country, "team": config.countries[country].team, "mode": "live"}
        labels |= {"severity": severity, "topic": topic, "brand": brand}
        found |= dict.fromkeys(receivers_for(config.route, labels))
    return list(found)


def _walk(route: Route, labels: Mapping[str, str], own: Destination) -> list[Destination]:
    found: list[Destination] = []
    for child in route.routes:
        if matches(child.match, labels):
            found.extend(_walk(child, labels, _inherit(child, own)))
            if not child.proceed:
                break
    if not found and own.receiver:
        found.append(own)
    return found


def _inherit(route: Route, parent: Destination) -> Destination:
    return Destination(
        route.receiver or parent.receiver,
        parent.group_wait_s if route.group_wait is None else route.group_wait,
        parent.group_interval_s if route.group_interval is None else route.group_interval,
        parent.repeat_interval_s if route.repeat_interval is None else route.repeat_interval,
    )


def matches(matchers: Matchers, labels: Mapping[str, str]) -> bool:
    """Tell whether labels satisfy every matcher."""
    for label in type(matchers).model_fields:
        wanted = getattr(matchers, label)
        if wanted is None:
            continue
        value = labels.get(label, "")
        if label == "severity":
            if not _severity_matches(str(wanted), int(value or 0)):
                return False
        elif value not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _severity_matches(wanted: str, severity: int) -> bool:
    parsed = re.fullmatch(r"(>=|<=|=)?\s*([1-3])", wanted)
    if parsed is None:  # the configuration refuses anything else
        raise ValueError(f"not a severity matcher: {wanted!r}")
    return bool(_COMPARE[parsed[1] or "="](severity, int(parsed[2])))
