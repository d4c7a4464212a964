"""Finds what of an explanation is English that nobody can translate."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain

from listener.catalogues import domains, extracted
from listener.console.words import CONSOLE
from listener.explaining import Explanation
from listener.sentences import Language, Listing, Sentence

NAMES = {
    *("urgent", "open-problem", "influential-critic", "praise", "burst"),  # rules
    *("route", "network", "severity", "country", "topic", "language", "priority"),  # settings and labels
    *("desk", "crisis", "pilots", "slack", "log"),  # receivers
    *("x", "vk", "file", "drill", "appstore", "cli"),  # networks and where people act
    *("acme", "Acme", "zenith", "rival", "yunfan", "Юньфань", "kettle works", "acme band"),  # brands and their terms
    *("en", "fr", "und", "made", "m1", "tested", "unread"),  # languages and models
    *("outage", "billing"),  # topics as routes name them
}
CODE = re.compile(r"[A-Z]{2}|[A-Z_]{5,}|[AI]-\d+|route(\.routes\[\d+\])+|\w+/[A-Z]{2}/\w+|heads-[\w+]+|[<>]=\d")
"""Countries, environment variables, references, nodes of the routing tree, watches, versions of the model, matchers."""


@cache
def messages() -> frozenset[str]:
    """Return what the console's catalogues have, were they up to date."""
    found = (message.id for message in extracted(CONSOLE, domains()["console"][1]))
    return frozenset(chain.from_iterable([one] if isinstance(one, str) else one for one in found))


def untranslatable(found: Explanation) -> list[str]:
    """Return plain English where sentences should stand, and what sentences say that no catalogue has."""
    facts = [fact for step in found.steps for fact in step.facts if not fact.hostile]
    texts = [found.title, *(step.summary for step in found.steps)]
    texts += [fact.label for step in found.steps for fact in step.facts if fact.label not in messages()]
    texts += [text for fact in facts for text in ("" if fact.at else fact.value, fact.detail)]
    return list(chain.from_iterable(map(_plain, texts)))


def _plain(text: object) -> Iterator[str]:
    if isinstance(text, Listing):
        yield from chain.from_iterable(map(_plain, text.parts))
    elif isinstance(text, Sentence):
        if re.search("[a-z]", re.sub(r"{\w+}", "", text.message)) and text.message not in messages():
            yield text.message
        yield from chain.from_iterable(map(_plain, text.values.values()))
    elif isinstance(text, str) and not isinstance(text, Language):
        for part in text.split(", "):
            if re.search("[A-Za-z]", part) and part not in NAMES and not CODE.fullmatch(part):
                yield part
