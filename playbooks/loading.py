"""From a folder of YAML to checked playbooks, rules, templates and phrases; problems with their place in the file."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from listener.config import Document, Strict, read_yaml
from listener.config.document import Loc, dotted
from listener.config.loading import describe
from listener.config.models import Language, Text, Word
from listener.config.types import Duration
from listener.errors import ConfigError, Problem, TemplateError
from listener.model import SIGNALS, TOPICS, Urgency
from listener.sentences import sentence
from playbooks.links import is_known
from playbooks.model import Ask, Phrases, Place, Playbook, ReplyTemplate
from playbooks.networks import WITHOUT_PRIVATE_CHANNEL, known_networks
from playbooks.rendering import (
    MAX_TEMPLATE_CHARACTERS,
    PRIVATE_PLACEHOLDERS,
    REPLY_PLACEHOLDERS,
    check_source,
    compiled,
    fill,
)
from playbooks.rules import Condition, Rule, Rules, WordList

PHRASES_FOLDER = "_phrases"
WORDS_FOLDER = "_words"
RULES_FILE = "rules.yaml"
SCHEMA_FOLDER = "_schema"
PLAYBOOK_FILE = "playbook.yaml"
LIBRARY_FOLDER = Path(__file__).parent / "library"
_ID = r"^[a-z0-9][a-z0-9-]*$"
Sentence = Annotated[str, Field(min_length=1, max_length=MAX_TEMPLATE_CHARACTERS)]


class AskFile(Strict):
    """One thing that may be asked for in private."""

    what: Text
    why: Text


class PlaybookFile(Strict):
    """`playbook.yaml`: what the team does about one kind of mention."""

    title: Text
    when: Text
    tell: tuple[Text, ...] = Field(min_length=1)
    steps: tuple[Text, ...] = Field(min_length=1)
    never: tuple[Text, ...] = ()
    promise: tuple[Text, ...] = ()
    answer_within: Duration
    close: Text
    ask: tuple[AskFile, ...] = ()
    best_unanswered: bool = False
    hands_off: bool = True
    product_before_name: bool = False
    may_name: tuple[Text, ...] = ()


class ConditionFile(Strict):
    """`when` of a rule."""

    topics: tuple[Literal[TOPICS], ...] = ()  # type: ignore[valid-type]
    signals: tuple[Literal[tuple(SIGNALS)], ...] = ()  # type: ignore[valid-type]
    words: tuple[Text, ...] = ()
    authors: tuple[Literal["press", "public figure", "creator"], ...] = ()
    networks: tuple[Text, ...] = ()
    urgency_min: Annotated[int, Field(ge=0, le=3)] = 0
    urgency_max: Annotated[int, Field(ge=0, le=3)] = 3
    influence_min: Annotated[float, Field(ge=0, le=1)] = 0.0
    earlier_min: Annotated[int, Field(ge=0)] = 0
    complains: bool | None = None
    crowd: bool | None = None
    other_company: bool | None = None
    settled: bool | None = None


class RuleFile(Strict):
    """One rule."""

    playbook: Text
    when: ConditionFile


class RulesFile(Strict):
    """`rules.yaml`: which playbook is chosen when."""

    rules: tuple[RuleFile, ...] = ()
    topics: dict[Literal[TOPICS], Text]  # type: ignore[valid-type]


class VariantFile(Strict):
    """One reply."""

    id: Annotated[str, Field(pattern=_ID)]
    text: Sentence


class RepliesFile(Strict):
    """`<locale>.yaml`: a playbook's replies in one locale."""

    locale: Language
    variants: list[VariantFile] = Field(min_length=1)
    private: Sentence = ""
    """The private message after its opening: what is needed, and why."""


class FormsFile(Strict):
    """With a name, and without."""

    named: Sentence
    unnamed: Sentence


class PhrasesFile(Strict):
    """`_phrases/<locale>.yaml`: what all replies of a locale share."""

    locale: Language
    register_: Text = Field(alias="register")
    greeting: FormsFile
    name: Literal["first", "full"]
    handoff: dict[str, Annotated[tuple[Sentence, ...], Field(min_length=1)]]
    signature: FormsFile
    opening: tuple[Sentence, ...] = Field(min_length=1)
    quoted: tuple[Sentence, ...] = Field(min_length=1)
    moved: tuple[Sentence, ...] = Field(min_length=1)
    contact: Sentence


@dataclass(slots=True)
class Contents:
    """What a library's files hold."""

    folder: Path
    playbooks: dict[str, Playbook] = field(default_factory=dict)
    templates: dict[tuple[str, str], tuple[ReplyTemplate, ...]] = field(default_factory=dict)
    """By playbook and locale."""
    private: dict[tuple[str, str], ReplyTemplate] = field(default_factory=dict)
    """What is said in private, by playbook and locale."""
    phrases: dict[str, Phrases] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)


def load_contents(folder: Path) -> Contents:
    """Read a library.

    Raises:
        TemplateError: with every problem found in any of its files.
    """
    reader = _Reader(folder)
    contents = reader.read()
    if reader.problems:
        raise TemplateError(reader.problems)
    return contents


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.contents = Contents(folder)
        self.problems: list[Problem] = []
        self._words: dict[str, WordList] = {}

    def read(self) -> Contents:
        folders = sorted(path for path in _children(self.contents.folder) if path.is_dir())
        for folder in folders:
            if folder.name == PHRASES_FOLDER:
                self._read_phrases(folder)
            elif folder.name == WORDS_FOLDER:
                self._read_words(folder)
            elif not folder.name.startswith((".", "_")):
                self._read_playbook(folder)
        if not self.contents.playbooks and not self.problems:
            self.problems.append(Problem(str(self.contents.folder), 1, 1, "", _NO_PLAYBOOK))
        elif not self.problems:
            self._read_rules(self.contents.folder / RULES_FILE)
        return self.contents

    def _read_words(self, folder: Path) -> None:
        for file in _yaml_files(folder):
            found = self._parse(file, TypeAdapter(dict[Language, Annotated[tuple[Word, ...], Field(min_length=1)]]))
            if found is not None:
                document, words = found
                self._words[file.stem] = WordList(file.stem, words, _place(document, ()))

    def _read_rules(self, file: Path) -> None:
        found = self._parse(file, RulesFile)
        if found is None:
            return
        document, data = found
        for index, rule in enumerate(data.rules):
            self._check_name(document, ("rules", index, "playbook"), rule.playbook)
            for number, name in enumerate(rule.when.words):
                if name not in self._words:
                    loc: Loc = ("rules", index, "when", "words", number)
                    self.problems.append(document.problem(loc, _no_word_list(name, sorted(self._words))))
            self._check_condition(document, index, rule.when)
            if index and data.rules[index - 1].when == ConditionFile():
                self.problems.append(document.problem(("rules", index), _NEVER_REACHED))
        for topic, playbook in data.topics.items():
            self._check_name(document, ("topics", topic), playbook)
        for topic in TOPICS:
            if topic not in data.topics:
                text = sentence("names no playbook for the topic '{topic}'", topic=topic)
                self.problems.append(document.problem(("topics",), text))
        self.contents.rules = _rules(data, self._words, document)

    def _check_condition(self, document: Document, index: int, when: ConditionFile) -> None:
        loc: Loc = ("rules", index, "when")
        if when.urgency_min > when.urgency_max:
            text = sentence(
                "is {lowest}, above urgency_max {highest}: the rule never holds",
                lowest=when.urgency_min,
                highest=when.urgency_max,
            )
            self.problems.append(document.problem((*loc, "urgency_min"), text))
        for number, network in enumerate(when.networks):
            if network not in known_networks():
                self.problems.append(document.problem((*loc, "networks", number), _unknown_network(network)))

    def _check_name(self, document: Document, loc: Loc, name: str) -> None:
        if name not in self.contents.playbooks:
            known = ", ".join(sorted(self.contents.playbooks))
            text = sentence("there is no playbook '{name}'; known: {known}", name=name, known=known)
            self.problems.append(document.problem(loc, text))

    def _read_phrases(self, folder: Path) -> None:
        for file in _yaml_files(folder):
            self._check_twin(file)
            found = self._parse(file, PhrasesFile)
            if found is not None:
                document, data = found
                self._check_locale(document, data.locale, file)
                self._check_phrases(document)
                self.contents.phrases[data.locale] = _phrases(data, document)

    def _read_playbook(self, folder: Path) -> None:
        found = self._parse(folder / PLAYBOOK_FILE, PlaybookFile)
        if found is not None:
            document, data = found
            self.contents.playbooks[folder.name] = _playbook(folder.name, data, _place(document, ()))
        for file in _yaml_files(folder):
            if file.name != PLAYBOOK_FILE:
                self._check_twin(file)
                self._read_variants(file)

    def _check_twin(self, file: Path) -> None:
        """Two files of one name would lay over each other unseen."""
        if file.suffix == ".yml":
            name = f"{file.stem}.yaml"
            text = sentence("must be named {file}", file=name)
            if file.with_suffix(".yaml").exists():
                text = sentence("stands beside {file}; keep one of them, named {file}", file=name)
            self.problems.append(Problem(str(file), 1, 1, "", text))

    def _read_variants(self, file: Path) -> None:
        found = self._parse(file, RepliesFile)
        if found is None:
            return
        document, data = found
        self._check_locale(document, data.locale, file)
        names = [variant.id for variant in data.variants]
        for index, variant in enumerate(data.variants):
            if names.index(variant.id) != index:
                text = sentence("'{variant}' stands twice", variant=variant.id)
                self.problems.append(document.problem(("variants", index, "id"), text))
            self._check_source(document, ("variants", index, "text"), variant.text, REPLY_PLACEHOLDERS)
        if data.private:
            self._check_source(document, ("private",), data.private, PRIVATE_PLACEHOLDERS)
            self.contents.private[file.parent.name, data.locale] = ReplyTemplate(
                file.parent.name, data.locale, "private", data.private, _place(document, ("private",))
            )
        self.contents.templates[file.parent.name, data.locale] = tuple(
            ReplyTemplate(
                file.parent.name, data.locale, variant.id, variant.text, _place(document, ("variants", index, "text"))
            )
            for index, variant in enumerate(data.variants)
        )

    def _parse(self, file: Path, model: Any) -> tuple[Document, Any] | None:
        """Return a file and what it holds by a pydantic model or TypeAdapter; None where that is not what it holds."""
        if file.exists() and not file.is_file():
            self.problems.append(Problem(str(file), 1, 1, "", sentence("is no plain file")))
            return None
        try:
            document = read_yaml(file)
            adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
            return document, adapter.validate_python(document.data)
        except ConfigError as error:
            self.problems.extend(error.problems)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                loc = tuple(part for part in item["loc"] if not _is_inner(part))
                text = describe(item, model)
                if "register_" in text:
                    text = text.replace("register_", "register")
                self.problems.append(document.problem(loc, text))
        return None

    def _check_locale(self, document: Document, locale: str, file: Path) -> None:
        if locale != file.stem:
            text = sentence("is '{locale}' in a file named {file}; the two must agree", locale=locale, file=file.name)
            self.problems.append(document.problem(("locale",), text))

    def _check_phrases(self, document: Document) -> None:
        for loc, source, placeholders in _phrase_sources(document.data):
            self._check_source(document, loc, source, placeholders)
        for key, text in _HANDOFFS_NEEDED.items():
            if key not in document.data["handoff"]:
                self.problems.append(document.problem(("handoff",), text))
        for loc, source, _ in _phrase_sources(document.data):
            for needed in _NEEDED.get(loc if loc[0] in ("greeting", "signature") else loc[:1], ()):
                if not re.search(rf"\{{\{{\s*{needed}\b", source):
                    text = sentence("must hold {placeholder}", placeholder=f"{{{{ {needed} }}}}")
                    self.problems.append(document.problem(loc, text))

    def _check_source(self, document: Document, loc: Loc, source: str, placeholders: tuple[str, ...]) -> None:
        try:
            check_source(source, placeholders)
        except TemplateError as error:
            self.problems.extend(document.problem(loc, problem.text) for problem in error.problems)


_NO_PLAYBOOK = sentence("there is no playbook in this folder")
_NEVER_REACHED = sentence("is never reached: `when` of the rule before it is empty, so that one always holds")
_HANDOFFS_NEEDED = {
    "default": sentence("'default' is missing: it serves all other networks"),
    "review": sentence("'review' is missing: it serves those without a private channel"),
}


def _no_word_list(name: str, known: list[str]) -> str:
    if not known:
        return sentence("there is no word list '{name}'; known: none", name=name)
    return sentence("there is no word list '{name}'; known: {known}", name=name, known=", ".join(known))


def _unknown_network(network: str) -> str:
    known = ", ".join(known_networks())
    for close in difflib.get_close_matches(network, known_networks(), n=1):
        return sentence(
            "unknown network '{network}' (did you mean '{close}'?); allowed: {known}",
            network=network,
            close=close,
            known=known,
        )
    return sentence("unknown network '{network}'; allowed: {known}", network=network, known=known)


_PHRASE_PLACEHOLDERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("greeting", "named"): ("name",),
    ("greeting", "unnamed"): (),
    ("signature", "named"): ("agent", "brand"),
    ("signature", "unnamed"): ("brand",),
}
_NEEDED: Mapping[Loc, tuple[str, ...]] = {
    ("greeting", "named"): ("name",),
    ("signature", "named"): ("agent",),
    ("quoted",): ("words",),
    ("contact",): ("channel",),
}
HANDOFF_PLACEHOLDERS = ("brand", "contact")
_LIST_PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "opening": ("brand",),
    "quoted": ("words",),
    "moved": ("brand",),
}
CONTACT_PLACEHOLDERS = ("channel", "hours")


def _phrase_sources(data: Any) -> Iterator[tuple[Loc, str, tuple[str, ...]]]:
    for (section, form), placeholders in _PHRASE_PLACEHOLDERS.items():
        yield (section, form), data[section][form], placeholders
    for network, sentences in data["handoff"].items():
        for index, text in enumerate(sentences):
            yield ("handoff", network, index), text, HANDOFF_PLACEHOLDERS
    for section, placeholders in _LIST_PLACEHOLDERS.items():
        for index, text in enumerate(data[section]):
            yield (section, index), text, placeholders
    yield ("contact",), data["contact"], CONTACT_PLACEHOLDERS


def _playbook(name: str, data: PlaybookFile, at: Place) -> Playbook:
    return Playbook(
        id=name,
        title=sentence(data.title),
        when=sentence(data.when),
        tell=tuple(map(sentence, data.tell)),
        steps=tuple(map(sentence, data.steps)),
        never=tuple(map(sentence, data.never)),
        promise=tuple(map(sentence, data.promise)),
        answer_within_s=data.answer_within,
        close=sentence(data.close),
        ask=tuple(Ask(sentence(one.what), sentence(one.why)) for one in data.ask),
        best_unanswered=data.best_unanswered,
        hands_off=data.hands_off,
        product_before_name=data.product_before_name,
        may_name=data.may_name,
        at=at,
    )


def _rules(data: RulesFile, words: Mapping[str, WordList], document: Document) -> Rules:
    rules = tuple(
        Rule(rule.playbook, _condition(rule.when), _place(document, ("rules", index)))
        for index, rule in enumerate(data.rules)
    )
    return Rules(rules, dict(data.topics), dict(words))


def _condition(data: ConditionFile) -> Condition:
    levels = {"urgency_min": Urgency(data.urgency_min), "urgency_max": Urgency(data.urgency_max)}
    return Condition(**{**data.model_dump(), **levels})


def _phrases(data: PhrasesFile, document: Document) -> Phrases:
    return Phrases(
        locale=data.locale,
        register=data.register_,
        greeting_named=data.greeting.named,
        greeting_unnamed=data.greeting.unnamed,
        name=data.name,
        handoff=dict(data.handoff),
        signature_named=data.signature.named,
        signature_unnamed=data.signature.unnamed,
        opening=data.opening,
        quoted=data.quoted,
        moved=data.moved,
        contact=data.contact,
        places={dotted(loc): _place(document, loc) for loc, _, _ in _phrase_sources(document.data)},
    )


BARE_SIGNATURE = "— " + "n" * 23
"""As long a signature as is promised to fit: 25 characters."""
BARE_CONTACT = "n" * 30
"""As long a contact channel as is promised to fit where a reply must name it."""


def bare_forms(
    template: ReplyTemplate,
    phrases: Phrases,
    name: str = "",
    network: str = "x",
    *,
    brand: str = "Skybird Air",
    signature: str = BARE_SIGNATURE,
    contact: str = BARE_CONTACT,
) -> list[str]:
    """Return the reply without product and place, once for each hand-off sentence that the network may show."""
    reply = compiled(template.text)
    greeting = phrases.greeting_unnamed
    if name:
        greeting = fill(phrases.greeting_named, name=name)
    values = {"greeting": greeting, "name": name, "product": "", "place": "", "quoted": "", "brand": brand}
    return [
        reply.render({**values, "handoff": handoff, "signature": signature})
        for handoff in handoff_sentences(phrases, network, brand, contact)
    ]


def handoff_sentences(phrases: Phrases, network: str, brand: str, contact: str = "") -> list[str]:
    """Return the locale's hand-off sentences for a network: its own, those for reviews, or the default ones.

    Where nobody knows whether the network has a private channel, those for reviews name the contact, if there is one.
    """
    names_contact = network in WITHOUT_PRIVATE_CHANNEL or (bool(contact) and not is_known(network))
    otherwise = "review" if names_contact else "default"
    sources: Iterable[str] = phrases.handoff.get(network) or phrases.handoff[otherwise]
    return [fill(source, brand=brand, contact=contact) for source in sources]


def _is_inner(part: str | int) -> bool:
    """True for what pydantic puts into a location beside the file's own keys."""
    return part == "[key]" or str(part).startswith("function-")


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        text = sentence("cannot be read as a folder: {error}", error=str(error.strerror))
        raise TemplateError([Problem(str(folder), 1, 1, "", text)]) from error


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for path in _children(folder) if path.suffix in (".yaml", ".yml"))


def _place(document: Document, loc: Loc) -> Place:
    problem = document.problem(loc, "")
    return Place(problem.file, problem.line, problem.column, problem.path)
