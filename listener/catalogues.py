"""Keeps the message catalogues in step with the code: `python -m listener.catalogues` after changing a message.

New messages are added untranslated, those no longer said are dropped; a test fails until all are translated.
"""

import ast
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from listener.words import LANGUAGES, SOURCE, Domain, catalogue_name

ROOT = Path(__file__).parent
SHARED = ROOT / "words.py"
"""Says how long things take and what is unknown, in every domain."""
PYTHON_KEYWORDS = {"say": None, "marked": None, "plural": (1, 2)}
VALUE_KEYWORDS = ("of", "say", "when", "sentence", "Fact")
"""Whose first argument is a message, in code that makes values of sentences."""
COUNTED_KEYWORDS = ("count", "counted")
"""Whose first two arguments are a message for one and for several."""
TOLD = ("title", "when", "tell", "steps", "never", "promise", "close", "ask")
"""What of a `playbook.yaml` is for the team."""
TEMPLATE_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
COMMENT_TAG = "Translators:"
_JINJA_OPTIONS = {"trimmed": "true", "newstyle_gettext": "false", "silent": "false"}
_UNWANTED = (
    b'"Project-Id-Version', b'"Report-Msgid-Bugs-To', b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Last-Translator',
    b'"Language-Team', b'"Generated-By',
)  # fmt: skip
"""Fields of the head that change with every run, or say nothing."""
_HEADER = """\
# {language} messages of {title}.
# Change the code first, then run `python -m listener.catalogues`, then translate what is empty here.
#"""


def extracted(domain: Domain, also: Sequence[Path] = ()) -> Catalog:
    """Return the messages that a domain's code and templates say, with the comments for translators.

    `also` are files and folders outside the domain's own folder that make values which are said in it.
    """
    found = Catalog(project="listener", domain=domain.name, charset="utf-8")
    for file in (*_files(domain.folder), SHARED):
        name = file.relative_to(domain.folder if file.is_relative_to(domain.folder) else ROOT.parent).as_posix()
        for _, message, comments, context in _messages(file):
            found.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    for file in (file for place in also for file in _files(place)):
        for message in _told(file) if file.suffix == ".yaml" else _values(file):
            found.add(message, locations=[(file.relative_to(ROOT.parent).as_posix(), 0)])
    return found


def _values(file: Path) -> Iterator[str | tuple[str, str]]:
    """Yield what code says that makes values first and leaves the saying to others: sentences, labels, titles."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in COUNTED_KEYWORDS and len(node.args) > 1:
            yield from zip(_literals(node.args[0]), _literals(node.args[1]), strict=True)
        elif name in VALUE_KEYWORDS and node.args:
            yield from filter(None, _literals(node.args[0]))
        elif name.lower().endswith("step"):
            yield from (text for argument in node.args for text in _literals(argument) if text[:1].isupper())


def _told(file: Path) -> Iterator[str]:
    """Yield what a playbook tells a team; its replies are in languages of their own."""
    told = yaml.safe_load(file.read_text(encoding="utf-8")) if file.name == "playbook.yaml" else {}
    for name in TOLD:
        for one in told.get(name, ()) if isinstance(told.get(name), list) else filter(None, [told.get(name)]):
            yield from one.values() if isinstance(one, dict) else (one,)


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_literals(node.body), *_literals(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    else:
        yield from sorted(file for file in place.rglob("*") if file.suffix in (".py", ".html", ".txt", ".yaml"))


def _messages(file: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    is_python = file.suffix == ".py"
    yield from extract_from_file(
        "python" if is_python else "jinja2",
        file,
        keywords=PYTHON_KEYWORDS if is_python else TEMPLATE_KEYWORDS,
        comment_tags=(COMMENT_TAG,),
        options={"encoding": "utf-8"} if is_python else _JINJA_OPTIONS,
        strip_comment_tags=True,
    )


def updated(domain: Domain, language: str, messages: Catalog) -> Catalog:
    """Return the catalogue of a language with exactly these messages, as far as they are translated."""
    catalogue = domain.read(language)
    catalogue.update(messages, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment = _HEADER.format(language=LANGUAGES[language], title=domain.title)
    return catalogue


def write(domain: Domain, catalogue: Catalog, language: str, folder: Path | None = None) -> Path:
    """Write a language's catalogue; return its file."""
    path = (folder or domain.folder) / "locale" / catalogue_name(language) / "LC_MESSAGES" / f"{domain.name}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_po(written, catalogue, width=110, ignore_obsolete=True, include_lineno=False, sort_output=False)
    lines = written.getvalue().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(_UNWANTED)))
    return path


def missing(catalogue: Catalog) -> int:
    """Return how many messages of a catalogue are not translated."""
    return sum(not all(texts(message.string)) for message in catalogue if message.id)


def texts(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """Return every form of a translation."""
    return (string or "",) if string is None or isinstance(string, str) else tuple(string)


def domains() -> dict[str, tuple[Domain, Sequence[Path]]]:
    """Return every part of the program that speaks to people in their language, with what else is said in it."""
    from listener.console.words import ALSO, CONSOLE
    from listener.digest.words import DIGEST

    return {"digest": (DIGEST, ()), "console": (CONSOLE, ALSO)}


def main() -> None:
    """Update every catalogue, and say what is still to be translated."""
    for domain, also in domains().values():
        messages = extracted(domain, also)
        for language in LANGUAGES:
            if language != SOURCE:
                catalogue = updated(domain, language, messages)
                path = write(domain, catalogue, language)
                print(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {missing(catalogue)} not translated")


if __name__ == "__main__":
    main()
