"""An explanation as lines for a terminal: wrapped, and with nothing in them that acts on the terminal."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from alerts.escaping import isolate, one_line, shorten
from listener.explaining.model import Explanation, Fact, Step

WIDTH = 80
_MARKS = {"ok": "✓", "held": "‖", "stopped": "✗", "info": "·"}
_LEGEND = "~ worked out now from what is stored; the rest is as it was recorded then."
_LONGEST, _LONGEST_NAME = 600, 100


def lines(explanation: Explanation, width: int = WIDTH) -> list[str]:
    """Return an explanation as lines of at most `width` columns."""
    name = isolate(shorten(one_line(explanation.reference), _LONGEST_NAME))
    found = _wrapped(f"{name}: {_safe(explanation.title)}", "", "", width)
    brand = ""
    for number, step in enumerate(explanation.steps, 1):
        if step.brand != brand:
            brand = step.brand
            found += ["", f"For {_safe(brand)}:" if brand else "For all brands:"]
        found += ["", *_step(number, step, width)]
    found.append("")
    if any(fact.basis in ("recomputed", "today") for step in explanation.steps for fact in step.facts):
        found += _wrapped(_LEGEND, "", "", width)
    return [*found, f"Times: {_safe(explanation.timezone)}."]


def _step(number: int, step: Step, width: int) -> Iterator[str]:
    head = f"{number:>2} {_MARKS[step.state]} {_safe(step.title or step.name)}: "
    yield from _wrapped(_safe(step.summary), head, "     ", width)
    for fact in step.facts:
        yield from _fact(fact, width)


def _fact(fact: Fact, width: int) -> Iterator[str]:
    margin = " " * (5 + 2 * fact.depth)
    mark = "" if fact.holds is None else "✓ " if fact.holds else "✗ "
    worked_out = "~ " if fact.basis in ("recomputed", "today") else ""
    value = _quoted(fact.value) if fact.hostile else _safe(fact.value)
    detail = (_quoted(fact.detail) if fact.hostile else _safe(fact.detail)) if fact.detail else ""
    label = f"{_safe(fact.label)}: " if fact.label else ""
    body = f"{value}{f' ({detail})' if detail and value else detail}"
    yield from _wrapped(body, f"{margin}{mark}{worked_out}{label}", margin + "  ", width)


def _safe(text: str) -> str:
    return one_line(text)


def _quoted(text: str) -> str:
    return isolate(shorten(one_line(text), _LONGEST))


def _wrapped(text: str, first: str, others: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` columns, the first begun with `first`, the others with `others`."""
    found, line, has_words = [], first, False
    for word in _words(text, max(10, width - max(cell_len(first), cell_len(others)))):
        gap = " " if has_words else ""
        if has_words and cell_len(line) + len(gap) + cell_len(word) > width:
            found.append(line.rstrip())
            line, gap = others, ""
        line, has_words = f"{line}{gap}{word}", True
    return [*found, line.rstrip()]


def _words(text: str, room: int) -> Iterator[str]:
    """Return the words of a text; one wider than a line in pieces, as scripts without spaces have them."""
    for word in text.split():
        yield from _pieces(word, room) if cell_len(word) > room else (word,)


def _pieces(word: str, room: int) -> Sequence[str]:
    pieces, piece = [], ""
    for letter in word:
        if cell_len(piece + letter) > room:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]
