"""Keeps the message catalogues in step with the code: `python -m listener.digest.catalogues` after changing a message.

New messages are added untranslated, those no longer said are dropped; a test fails until all are translated.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from listener.digest.words import LANGUAGES, SOURCE, catalogue_name, read_catalogue

FOLDER = Path(__file__).parent
KEYWORDS = {"say": None, "marked": None, "plural": (1, 2)}
COMMENT_TAG = "Translators:"
_UNWANTED = (
    b'"Project-Id-Version', b'"Report-Msgid-Bugs-To', b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Last-Translator',
    b'"Language-Team', b'"Generated-By',
)  # fmt: skip
"""Fields of the head that change with every run, or say nothing."""
_HEADER = """\
# {language} messages of the weekly digest.
# Change the code first, then run `python -m listener.digest.catalogues`, then translate what is empty here.
#"""


def extracted() -> Catalog:
    """Return the messages that the code says, with the comments for translators."""
    found = Catalog(project="listener", domain="digest", charset="utf-8")
    messages = extract_from_dir(
        FOLDER, method_map=[("*.py", "python")], keywords=KEYWORDS, comment_tags=(COMMENT_TAG,), strip_comment_tags=True
    )
    for file, _, message, comments, context in messages:
        found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def updated(language: str) -> Catalog:
    """Return the catalogue of a language with exactly the messages that the code says."""
    catalogue = read_catalogue(language)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment = _HEADER.format(language=LANGUAGES[language])
    return catalogue


def write(catalogue: Catalog, language: str) -> Path:
    """Write a language's catalogue; return its file."""
    path = FOLDER / "locale" / catalogue_name(language) / "LC_MESSAGES" / "digest.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_po(written, catalogue, width=110, ignore_obsolete=True, include_lineno=False, sort_output=False)
    lines = written.getvalue().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(_UNWANTED)))
    return path


def main() -> None:
    """Update every catalogue, and say what is still to be translated."""
    for language in LANGUAGES:
        if language != SOURCE:
            catalogue = updated(language)
            path = write(catalogue, language)
            missing = sum(not any(_texts(message.string)) for message in catalogue if message.id)
            print(f"{path.relative_to(FOLDER.parents[1])}: {len(catalogue)} messages, {missing} not translated")


def _texts(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (string or "",) if string is None or isinstance(string, str) else tuple(string)


if __name__ == "__main__":
    main()
