"""The catalogue of causes that customers complain of: names in plain words, and sentences to know them by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from listener.config import Document, Strict, read_yaml
from listener.errors import ConfigError, Problem
from listener.model import TOPICS

FOLDER = Path(__file__).parent / "catalogue"
BROADER_FILE = "broader.yaml"
LANGUAGES = ("en", "fr", "de", "es", "ru", "zh")
"""The languages that every cause has a name in."""
_Topic = Literal[TOPICS]  # type: ignore[valid-type]
_Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?$")]
_T = TypeVar("_T")


class _Names(Strict):
    en: _Line
    fr: _Line
    de: _Line
    es: _Line
    ru: _Line
    zh: _Line


class _CauseFile(Strict):
    """One cause of `<topic>.yaml`."""

    names: _Names
    posts: dict[_Language, Annotated[tuple[_Line, ...], Field(min_length=1)]] = Field(min_length=3)


class _BroaderFile(Strict):
    """One entry of `broader.yaml`."""

    topic: _Topic
    names: _Names
    of: tuple[_Key, ...] = Field(min_length=2)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, or a broader name for several."""

    key: str
    topic: str
    names: Mapping[str, str]
    """By language, in all of LANGUAGES."""
    posts: tuple[tuple[str, str], ...] = ()
    """Language and text of sentences as customers would write them; for knowing the cause by, never shown."""
    of: tuple[str, ...] = ()
    """The causes that a broader name stands for; empty for a cause itself."""


def load_catalogue(folder: Path = FOLDER) -> dict[str, Cause]:
    """Read a catalogue: a file for each topic that has causes, and `broader.yaml`.

    Raises:
        ConfigError: with every problem found in any file, and its place.
    """
    return _Reader(folder).read()


@cache
def catalogue() -> Mapping[str, Cause]:
    """Return the catalogue that the package brings, read once."""
    return load_catalogue()


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, Cause] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._problems: list[Problem] = []

    def read(self) -> dict[str, Cause]:
        files = sorted(path for path in self._folder.glob("*.yaml") if path.name != BROADER_FILE)
        if not files:
            self._problems.append(
                Problem(str(self._folder), 1, 1, "", "there is no catalogue of causes in this folder")
            )
        for file in files:
            self._read_topic(file)
        if (self._folder / BROADER_FILE).exists():
            self._read_broader(self._folder / BROADER_FILE)
        if self._problems:
            raise ConfigError(self._problems)
        return self._found

    def _read_topic(self, file: Path) -> None:
        if file.stem not in TOPICS:
            text = f"a catalogue's file is called after a topic: {', '.join(TOPICS)}"
            self._problems.append(Problem(str(file), 1, 1, "", text))
            return
        document = self._parsed(file)
        for key, one in self._checked(document, TypeAdapter(dict[_Key, _CauseFile])):
            posts = tuple((language, text) for language, texts in one.posts.items() for text in texts)
            if not any(language == "en" for language, _ in posts):
                self._problems.append(document.problem((key, "posts"), "needs a sentence in English (en)"))
            self._add(document, Cause(key, file.stem, one.names.model_dump(), posts))

    def _read_broader(self, file: Path) -> None:
        document = self._parsed(file)
        causes = set(self._found)
        for key, one in self._checked(document, TypeAdapter(dict[_Key, _BroaderFile])):
            for number, member in enumerate(one.of):
                if member not in causes:
                    self._problems.append(document.problem((key, "of", number), f"there is no cause '{member}'"))
            self._add(document, Cause(key, one.topic, one.names.model_dump(), of=one.of))

    def _add(self, document: Document, cause: Cause) -> None:
        if cause.key in self._found:
            self._problems.append(document.problem((cause.key,), "this key stands in another file already"))
        self._found[cause.key] = cause
        for language, text in (*cause.names.items(), *cause.posts):
            other = self._said.setdefault((language, text.casefold()), cause.key)
            if other != cause.key:
                self._problems.append(document.problem((cause.key,), f"'{text}' is said of '{other}' too"))

    def _parsed(self, file: Path) -> Document:
        try:
            return read_yaml(file)
        except ConfigError as error:
            self._problems += error.problems
            return Document(str(file), {})

    def _checked(self, document: Document, adapter: TypeAdapter[dict[str, _T]]) -> Iterator[tuple[str, _T]]:
        try:
            yield from adapter.validate_python(document.data).items()
        except ValidationError as error:
            for one in error.errors(include_url=False):
                loc = tuple(part for part in one["loc"] if part != "[key]")
                self._problems.append(document.problem(loc, f"{one['msg']}"))
