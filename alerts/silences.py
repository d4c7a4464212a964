"""Matchers of silences, written as for Prometheus Alertmanager: country=FR, topic!=praise, author=~"acme.*"."""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from listener.errors import ListenerError
from listener.model import TOPICS
from listener.sentences import sentence

LABELS = ("kind", "brand", "country", "team", "network", "language", "topic", "severity", "author", "alert", "pilot")
"""What an alert can be told by."""
_MATCHER = regex.compile(r"\s*([a-z_]+)\s*(=~|!~|!=|=)\s*(\"?)(.*?)\3\s*")
_LONGEST = 200
_NO_VALUE = "\x01none\x01"
"""A value that no label has: an expression that matches it matches any."""
_ALL_VALUES: Mapping[str, Sequence[str]] = {
    "kind": ("post", "incident"),
    "severity": ("1", "2", "3"),
    "pilot": ("true", "false"),
    "topic": TOPICS,
    "country": ("AA", "MX", "QQ", "ZZ"),
    "alert": ("A-1", "I-2", "A-90", "I-4567"),
}
"""All values of labels that have few, and samples of two that are written in one way."""
_MOST_MEMORY = 1 << 20


class MatcherError(ListenerError):
    """A matcher cannot be read; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. Expressions match the whole value."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{self.value}"

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert with these labels fulfils it; a label that is absent is empty."""
        given = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            found = given == self.value
        else:
            found = _expression(self.value).fullmatch(given) is not None
        return found is (self.operator in ("=", "=~"))

    def narrows(self) -> bool:
        """Tell whether it names what an alert must be, and not only what every alert is anyway."""
        if self.operator == "=":
            return self.value != ""
        samples = (_NO_VALUE,), _ALL_VALUES.get(self.label, (_NO_VALUE,))
        return self.operator == "=~" and not any(
            all(self.holds({self.label: value}) for value in values) for values in samples
        )


def parse_matcher(text: str) -> Matcher:
    """Read one matcher.

    Raises:
        MatcherError: it is none, names no label of an alert, or holds no valid expression.
    """
    found = _MATCHER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        shown = repr(text[:60])
        said = sentence("{text} is no matcher; write label=value, label!=value, label=~expression", text=shown)
        raise MatcherError(said)
    label, operator, value = str(found[1]), str(found[2]), str(found[4])
    if label not in LABELS:
        known = ", ".join(LABELS)
        raise MatcherError(sentence("there is no label '{label}'; known: {labels}", label=label, labels=known))
    if operator in ("=~", "!~"):
        _expression(value)
    return Matcher(label, operator, value)


@lru_cache(maxsize=256)
def _expression(text: str) -> Any:
    """Compile an expression as Alertmanager does, by RE2: none can take exponential time or memory.

    Raises:
        MatcherError: it is no expression.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error
        said = sentence(
            "{text} is no regular expression of the kind RE2 reads: {reason}", text=repr(text[:60]), reason=str(reason)
        )
        raise MatcherError(said) from error


def parse_matchers(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """Read the matchers of a silence, at least one.

    Raises:
        MatcherError: there is none, or one cannot be read.
    """
    found = tuple(parse_matcher(text) for text in texts if text.strip())
    if not found:
        said = sentence("a silence needs at least one matcher, such as country=FR: without one it would mute all")
        raise MatcherError(said)
    if not any(matcher.narrows() for matcher in found):
        said = sentence(
            "these matchers hold for every alert, or all but a few;"
            " name at least one value that it must have, such as country=FR or topic=~outage|quality"
        )
        raise MatcherError(said)
    return found


def check_values(matchers: Iterable[Matcher], known: Mapping[str, Collection[str]]) -> None:
    """Refuse an exact value that no alert can have; expressions are free, and so are labels that `known` leaves out.

    Raises:
        MatcherError: there is no such value; the message says which was probably meant, or which there are.
    """
    for matcher in matchers:
        values = known.get(matcher.label)
        if values is None or matcher.operator not in ("=", "!=") or matcher.value in values:
            continue
        by_folded = {value.casefold(): value for value in values}
        close = difflib.get_close_matches(matcher.value.casefold(), by_folded, n=1)
        said = {"label": matcher.label, "value": matcher.value[:60]}
        if close:
            near = by_folded[close[0]]
            raise MatcherError(sentence("there is no {label} '{value}'; did you mean {near}?", **said, near=near))
        raise MatcherError(
            sentence("there is no {label} '{value}'; known: {values}", **said, values=", ".join(filter(None, values)))
        )


def silences(matchers: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Tell whether all matchers of a silence hold for an alert; one that cannot be read never holds."""
    try:
        return all(matcher.holds(labels) for matcher in parse_matchers(matchers))
    except MatcherError:
        return False
