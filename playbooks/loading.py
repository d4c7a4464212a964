"""From a folder of YAML to checked playbooks, templates and phrases; every problem with its place in the file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from listener.config import Document, Strict, read_yaml
from listener.config.document import Loc, dotted
from listener.config.loading import describe
from listener.config.models import Language, Text
from listener.errors import ConfigError, Problem, TemplateError
from listener.model import SIGNALS, TOPICS, Urgency
from playbooks.model import Phrases, Place, Playbook, ReplyTemplate
from playbooks.networks import length_rule
from playbooks.rendering import MAX_TEMPLATE_CHARACTERS, REPLY_PLACEHOLDERS, compiled, fill

PHRASES_FOLDER = "_phrases"
PLAYBOOK_FILE = "playbook.yaml"
LIBRARY_FOLDER = Path(__file__).parent / "library"
_ID = r"^[a-z0-9][a-z0-9-]*$"
Sentence = Annotated[str, Field(min_length=1, max_length=MAX_TEMPLATE_CHARACTERS)]


class _PlaybookFile(Strict):
    title: Text
    topics: tuple[Literal[TOPICS], ...] = ()  # type: ignore[valid-type]
    when: Text
    steps: tuple[Text, ...] = Field(min_length=1)
    never: tuple[Text, ...] = ()
    priority: int
    signals: tuple[Literal[tuple(SIGNALS)], ...] = ()  # type: ignore[valid-type]
    urgency_min: Annotated[int, Field(ge=0, le=3)] = 0
    may_name: tuple[Text, ...] = ()


class _Variant(Strict):
    id: Annotated[str, Field(pattern=_ID)]
    text: Sentence


class _VariantsFile(Strict):
    locale: Language
    variants: list[_Variant] = Field(min_length=1)


class _Greeting(Strict):
    named: Sentence
    unnamed: Sentence


class _PhrasesFile(Strict):
    locale: Language
    register_: Text = Field(alias="register")
    greeting: _Greeting
    name: Literal["first", "full"]
    handoff: dict[str, Annotated[tuple[Sentence, ...], Field(min_length=1)]]
    signature: _Greeting
    private: tuple[Sentence, ...] = ()


@dataclass(slots=True)
class Contents:
    """What a library's files hold."""

    folder: Path
    playbooks: dict[str, Playbook] = field(default_factory=dict)
    templates: dict[tuple[str, str], tuple[ReplyTemplate, ...]] = field(default_factory=dict)
    """By playbook and locale."""
    phrases: dict[str, Phrases] = field(default_factory=dict)


def load_contents(folder: Path) -> Contents:
    """Read a library.

    Raises:
        TemplateError: with every problem found in any of its files.
    """
    reader = _Reader(folder)
    contents = reader.read()
    problems = reader.problems or list(_overlong(contents))
    if problems:
        raise TemplateError(problems)
    return contents


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.contents = Contents(folder)
        self.problems: list[Problem] = []

    def read(self) -> Contents:
        folders = sorted(path for path in _children(self.contents.folder) if path.is_dir())
        for folder in folders:
            if folder.name == PHRASES_FOLDER:
                self._read_phrases(folder)
            elif not folder.name.startswith((".", "__")):
                self._read_playbook(folder)
        if not self.contents.playbooks and not self.problems:
            self.problems.append(Problem(str(self.contents.folder), 1, 1, "", "there is no playbook in this folder"))
        return self.contents

    def _read_phrases(self, folder: Path) -> None:
        for file in _yaml_files(folder):
            found = self._parse(file, _PhrasesFile)
            if found is not None:
                document, data = found
                self._check_locale(document, data.locale, file)
                self._check_phrases(document)
                self.contents.phrases[data.locale] = _phrases(data, document)

    def _read_playbook(self, folder: Path) -> None:
        found = self._parse(folder / PLAYBOOK_FILE, _PlaybookFile)
        if found is not None:
            document, data = found
            self.contents.playbooks[folder.name] = _playbook(folder.name, data, _place(document, ()))
        for file in _yaml_files(folder):
            if file.name != PLAYBOOK_FILE:
                self._read_variants(file)

    def _read_variants(self, file: Path) -> None:
        found = self._parse(file, _VariantsFile)
        if found is None:
            return
        document, data = found
        self._check_locale(document, data.locale, file)
        names = [variant.id for variant in data.variants]
        for index, variant in enumerate(data.variants):
            if names.index(variant.id) != index:
                self.problems.append(document.problem(("variants", index, "id"), f"'{variant.id}' stands twice"))
            self._check_source(document, ("variants", index, "text"), variant.text, REPLY_PLACEHOLDERS)
        self.contents.templates[file.parent.name, data.locale] = tuple(
            ReplyTemplate(
                file.parent.name, data.locale, variant.id, variant.text, _place(document, ("variants", index, "text"))
            )
            for index, variant in enumerate(data.variants)
        )

    def _parse(self, file: Path, model: type[Any]) -> tuple[Document, Any] | None:
        try:
            document = read_yaml(file)
            return document, model.model_validate(document.data)
        except ConfigError as error:
            self.problems.extend(error.problems)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                loc = tuple(part for part in item["loc"] if not str(part).startswith("function-"))
                text = describe(item, model).replace("register_", "register")
                self.problems.append(document.problem(loc, text))
        return None

    def _check_locale(self, document: Document, locale: str, file: Path) -> None:
        if locale != file.stem:
            self.problems.append(
                document.problem(("locale",), f"is '{locale}' in a file named {file.name}; the two must agree")
            )

    def _check_phrases(self, document: Document) -> None:
        for loc, source, placeholders in _phrase_sources(document.data):
            self._check_source(document, loc, source, placeholders)
        if "default" not in document.data["handoff"]:
            self.problems.append(document.problem(("handoff",), "'default' is missing: it serves all other networks"))
        for (section, form), needed in ((("greeting", "named"), "name"), (("signature", "named"), "agent")):
            if not re.search(rf"\{{\{{\s*{needed}\b", document.data[section][form]):
                self.problems.append(document.problem((section, form), f"must hold {{{{ {needed} }}}}"))

    def _check_source(self, document: Document, loc: Loc, source: str, placeholders: tuple[str, ...]) -> None:
        try:
            compiled(source, placeholders)
        except TemplateError as error:
            self.problems.extend(document.problem(loc, problem.text) for problem in error.problems)


_PHRASE_PLACEHOLDERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("greeting", "named"): ("name",),
    ("greeting", "unnamed"): (),
    ("signature", "named"): ("agent", "brand"),
    ("signature", "unnamed"): ("brand",),
}
HANDOFF_PLACEHOLDERS = ("brand",)


def _phrase_sources(data: Any) -> Iterator[tuple[Loc, str, tuple[str, ...]]]:
    for (section, form), placeholders in _PHRASE_PLACEHOLDERS.items():
        yield (section, form), data[section][form], placeholders
    for network, sentences in data["handoff"].items():
        for index, sentence in enumerate(sentences):
            yield ("handoff", network, index), sentence, HANDOFF_PLACEHOLDERS
    for index, sentence in enumerate(data.get("private") or ()):
        yield ("private", index), sentence, HANDOFF_PLACEHOLDERS


def _playbook(name: str, data: _PlaybookFile, at: Place) -> Playbook:
    return Playbook(
        id=name,
        title=data.title,
        topics=data.topics,
        when=data.when,
        steps=data.steps,
        never=data.never,
        priority=data.priority,
        signals=data.signals,
        urgency_min=Urgency(data.urgency_min),
        may_name=data.may_name,
        at=at,
    )


def _phrases(data: _PhrasesFile, document: Document) -> Phrases:
    return Phrases(
        locale=data.locale,
        register=data.register_,
        greeting_named=data.greeting.named,
        greeting_unnamed=data.greeting.unnamed,
        name=data.name,
        handoff=dict(data.handoff),
        signature_named=data.signature.named,
        signature_unnamed=data.signature.unnamed,
        private=data.private,
        places={dotted(loc): _place(document, loc) for loc, _, _ in _phrase_sources(document.data)},
    )


BARE_SIGNATURE = "— " + "n" * 23
"""As long a signature as is promised to fit: 25 characters."""


def _overlong(contents: Contents) -> Iterator[Problem]:
    """Templates whose form without name, product and place does not fit X, the shortest of the large networks."""
    rule = length_rule("x")
    for templates in contents.templates.values():
        for template in templates:
            phrases = contents.phrases.get(template.locale)
            if phrases is None:
                continue
            longest = max(map(rule.count, bare_forms(template, phrases)))
            if longest > rule.limit:
                text = f"is {longest} long on X without name, product and place; at most {rule.limit} fit: shorten it"
                yield template.at.problem(text)


def bare_forms(template: ReplyTemplate, phrases: Phrases, name: str = "") -> list[str]:
    """Return the reply without product and place, once for each hand-off sentence that X may show."""
    reply = compiled(template.text)
    greeting = phrases.greeting_unnamed
    if name:
        greeting = fill(phrases.greeting_named, name=name)
    values = {"greeting": greeting, "name": name, "product": "", "place": "", "brand": "Skybird Air"}
    return [
        reply.render({**values, "handoff": handoff, "signature": BARE_SIGNATURE})
        for handoff in handoff_sentences(phrases, "x", "Skybird Air")
    ]


def handoff_sentences(phrases: Phrases, network: str, brand: str) -> list[str]:
    """Return the locale's hand-off sentences for a network, or its default ones."""
    sources: Iterable[str] = phrases.handoff.get(network) or phrases.handoff["default"]
    return [fill(source, brand=brand) for source in sources]


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise TemplateError(
            [Problem(str(folder), 1, 1, "", f"cannot be read as a folder: {error.strerror}")]
        ) from error


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for path in _children(folder) if path.suffix in (".yaml", ".yml"))


def _place(document: Document, loc: Loc) -> Place:
    problem = document.problem(loc, "")
    return Place(problem.file, problem.line, problem.column, problem.path)
