"""Which playbook fits a mention: rules read from top to bottom, then the topic's own playbook."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import regex

from listener.model import Urgency
from listener.sentences import Listing, Sentence, sentence
from playbooks.model import GuideRequest, Place

_LONGEST_READ = 5000
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]")


@dataclass(frozen=True)
class WordList:
    """Words of one subject in all languages; `lawyer*` stands for every ending. Source: `_words/<name>.yaml`."""

    name: str
    words: Mapping[str, tuple[str, ...]]
    """By language. One language's word is another's everyday word, so each is looked for in its own alone."""
    at: Place = field(default=Place("", 1, 1, ""), compare=False)

    def found_in(self, text: str, language: str) -> str:
        """Return the first word of the language that stands in `text`, or ""; of any, where there are none for it.

        Only the first 5,000 characters are looked at: no post says first after them what it is about.
        """
        known = next((tag for tag in (language, language.split("-")[0]) if tag in self.words), "")
        found = self._patterns[known].search(text[:_LONGEST_READ])
        return str(found[0]) if found else ""

    @cached_property
    def _patterns(self) -> "Mapping[str, regex.Pattern[str]]":
        every = tuple(dict.fromkeys(word for words in self.words.values() for word in words))
        return {tag: _any_of(words) for tag, words in {**self.words, "": every}.items()}


def _any_of(words: Iterable[str]) -> "regex.Pattern[str]":
    return regex.compile("|".join(map(_pattern, words)), regex.IGNORECASE)


def _any_apostrophe(escaped: str) -> str:
    """People type one apostrophe, their telephone another."""
    return regex.sub(r"\\?['’ʼ]", "['’ʼ]", escaped)


def _pattern(word: str) -> str:
    stem = r"[\s\u00a0-]+".join(_any_apostrophe(regex.escape(part)) for part in word.removesuffix("*").split())
    if _UNSPACED.search(word):  # no spaces between words there, so those are looked for anywhere
        return stem
    return rf"(?<![\p{{L}}\p{{M}}]){stem}" + ("" if word.endswith("*") else r"(?![\p{L}\p{M}])")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a mention must fulfil; of a list, one entry is enough. What is not named may be anything."""

    topics: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Names of word lists."""
    authors: tuple[str, ...] = ()
    """Roles that the author's profile tells: `press`, `public figure`."""
    networks: tuple[str, ...] = ()
    urgency_min: Urgency = Urgency.NONE
    urgency_max: Urgency = Urgency.HIGH
    influence_min: float = 0.0
    earlier_min: int = 0
    complains: bool | None = None
    crowd: bool | None = None
    other_company: bool | None = None
    settled: bool | None = None

    def holds(self, request: GuideRequest, lists: Mapping[str, WordList]) -> bool:
        """Tell whether a mention fulfils it."""
        return (
            (not self.topics or request.topic in self.topics)
            and (not self.signals or not set(self.signals).isdisjoint(request.signals))
            and (not self.authors or not set(self.authors).isdisjoint(request.roles))
            and (not self.networks or request.network in self.networks)
            and self.urgency_min <= request.urgency <= self.urgency_max
            and request.influence >= self.influence_min
            and request.earlier >= self.earlier_min
            and self.complains in (None, request.complains)
            and self.crowd in (None, request.crowd)
            and self.other_company in (None, request.other_company)
            and self.settled in (None, request.settled)
            and (not self.words or any(lists[name].found_in(request.text, request.language) for name in self.words))
        )

    def described(self) -> Listing:
        """Return the condition in words, for people who wonder when a playbook is chosen."""
        values = ((words, getattr(self, name)) for name, words in _LIST_CONDITIONS)
        parts = [Sentence.of(words, {"names": " / ".join(names)}) for words, names in values if names]
        if self.urgency_min or self.urgency_max < Urgency.HIGH:
            parts.append(sentence("urgency {low} to {high}", low=int(self.urgency_min), high=int(self.urgency_max)))
        if self.influence_min:
            parts.append(sentence("influence from {share}", share=f"{self.influence_min:g}"))
        if self.earlier_min:
            parts.append(sentence("{count} earlier posts or more that nobody answered", count=self.earlier_min))
        switches = ((getattr(self, name), yes, no) for name, yes, no in _SWITCHES)
        parts += [yes if value else no for value, yes, no in switches if value is not None]
        return Listing.of(parts or [sentence("always")])


_LIST_CONDITIONS = (
    ("topics", sentence("topics {names}")),
    ("signals", sentence("signals {names}")),
    ("words", sentence("words {names}")),
    ("authors", sentence("authors {names}")),
    ("networks", sentence("networks {names}")),
)
_SWITCHES = (
    ("complains", sentence("a complaint"), sentence("no complaint")),
    ("crowd", sentence("many write about it"), sentence("few write about it")),
    (
        "other_company",
        sentence("it names a company that is taken for the brand"),
        sentence("it names no other company"),
    ),
    ("settled", sentence("the case is settled"), sentence("the case is open")),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the rules: the playbook, and when it is chosen."""

    playbook: str
    when: Condition
    at: Place = field(default=Place("", 1, 1, ""), compare=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a library, in order, and the playbook of each topic where none of them holds."""

    rules: tuple[Rule, ...] = ()
    topics: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, WordList] = field(default_factory=dict)

    def choose(self, request: GuideRequest, known: Iterable[str]) -> str:
        """Return the playbook for a mention; `known` are those that there are."""
        playbooks = set(known)
        if request.playbook in playbooks:
            return request.playbook
        for rule in self.rules:
            if rule.playbook in playbooks and rule.when.holds(request, self.lists):
                return rule.playbook
        chosen = request.playbook_by_topic.get(request.topic)
        return chosen if chosen in playbooks else self.topics[request.topic]

    def leading_to(self, playbook: str) -> list[str]:
        """Return in words when a playbook is chosen."""
        by_rule: list[str] = [rule.when.described() for rule in self.rules if rule.playbook == playbook]
        topics = [topic for topic, name in self.topics.items() if name == playbook]
        if topics:
            by_rule.append(sentence("topics {names}, where no rule holds", names=" / ".join(topics)))
        return by_rule

    def for_topic(self, topic: str) -> list[str]:
        """Return the playbooks that posts of a topic can be given: its own, and those of all rules that allow it."""
        by_rule = [rule.playbook for rule in self.rules if not rule.when.topics or topic in rule.when.topics]
        return list(dict.fromkeys([self.topics[topic], *by_rule]))
