"""The routing tree: which receivers an alert with given labels goes to."""

import operator
import re
from collections.abc import Mapping

from listener.config import Route
from listener.config.models import Matchers

_COMPARE = {">=": operator.ge, "<=": operator.le, "=": operator.eq}


def receivers_for(root: Route, labels: Mapping[str, str]) -> list[str]:
    """Return the receivers of the deepest routes that match, in order, each once.

    `labels` has brand, country, team, network, language, topic, severity and mode. As in Alertmanager, the
    first child that matches wins unless it says `proceed`, and a child without a receiver inherits its parent's.
    """
    found = _walk(root, labels, root.receiver)
    return list(dict.fromkeys(found))


def _walk(route: Route, labels: Mapping[str, str], inherited: str | None) -> list[str]:
    receiver = route.receiver or inherited
    found: list[str] = []
    for child in route.routes:
        if matches(child.match, labels):
            found.extend(_walk(child, labels, receiver))
            if not child.proceed:
                break
    if not found and receiver:
        found.append(receiver)
    return found


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
