"""Matchers of silences, written as for Prometheus Alertmanager: country=FR, topic!=praise, author=~"acme.*"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

from listener.errors import ListenerError

LABELS = ("kind", "brand", "country", "team", "network", "language", "topic", "severity", "author", "alert", "pilot")
"""What an alert can be told by."""
_MATCHER = regex.compile(r"\s*([a-z_]+)\s*(=~|!~|!=|=)\s*(\"?)(.*?)\3\s*")
_LONGEST = 200
_PATIENCE_S = 0.05


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
            try:
                found = regex.fullmatch(self.value, given, timeout=_PATIENCE_S) is not None
            except TimeoutError:
                found = False
        return found is (self.operator in ("=", "=~"))


def parse_matcher(text: str) -> Matcher:
    """Read one matcher.

    Raises:
        MatcherError: it is none, names no label of an alert, or holds no valid expression.
    """
    found = _MATCHER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise MatcherError(f"{text[:60]!r} is no matcher; write label=value, label!=value, label=~expression")
    label, operator, value = str(found[1]), str(found[2]), str(found[4])
    if label not in LABELS:
        raise MatcherError(f"there is no label '{label}'; known: {', '.join(LABELS)}")
    if operator in ("=~", "!~"):
        try:
            regex.compile(value)
        except regex.error as error:
            raise MatcherError(f"{value[:60]!r} is no regular expression: {error}") from error
    return Matcher(label, operator, value)


def parse_matchers(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """Read the matchers of a silence, at least one.

    Raises:
        MatcherError: there is none, or one cannot be read.
    """
    found = tuple(parse_matcher(text) for text in texts if text.strip())
    if not found:
        raise MatcherError("a silence needs at least one matcher, such as country=FR: without one it would mute all")
    if all(matcher.holds({}) for matcher in found):
        raise MatcherError("these matchers hold for every alert; name at least one value that it must have")
    return found


def silences(matchers: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Tell whether all matchers of a silence hold for an alert; one that cannot be read never holds."""
    try:
        return all(matcher.holds(labels) for matcher in parse_matchers(matchers))
    except MatcherError:
        return False
