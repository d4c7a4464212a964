"""Files to begin with: a new playbook, or a locale that the library does not have yet."""

import re
from contextlib import suppress
from pathlib import Path

from babel import localedata

from listener.errors import ListenerError
from playbooks.library import PlaybookLibrary
from playbooks.loading import PHRASES_FOLDER, PLAYBOOK_FILE
from playbooks.schema import SCHEMAS

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_PLAYBOOK = """\
# yaml-language-server: $schema={schema}
title: {title}
when: Write when it applies, in one sentence.
tell:
  - Who must hear of it beside the team.
steps:
  - What to do first.
never:
  - What never to say.
promise:
  - What may be promised.
answer_within: 4h
close: What closes it.
ask:                      # all that may be asked for, in private
  - what: one thing
    why: what it is needed for
"""
_REPLIES = """\
# yaml-language-server: $schema={schema}
locale: {locale}
variants:                 # three or more; those of one id say the same in all locales
{variants}private: "Write what is needed and why; nothing else is asked for."
"""
_VARIANT = """\
  - id: {id}
    text: "{{{{ greeting }}}} Write reply {id}. {{{{ handoff }}}} {{{{ signature }}}}"
"""


BEGUN = "# Begun from "
"""How a file starts whose texts are still those of another locale."""
_UNWRITTEN = re.compile(
    r"Write (?:when it applies, in one sentence|reply [a-z]|what is needed and why; nothing else is asked for)\."
    r"|What to do first\.|What never to say\.|What may be promised\.|What closes it\."
)


def unwritten(text: str) -> str:
    """Return what nobody wrote yet in a text, or ""."""
    found = _UNWRITTEN.search(text)
    return found[0] if found else ""


def new_playbook(folder: Path, name: str, locales: list[str]) -> list[Path]:
    """Write the files of a playbook that is not there yet; return them.

    Raises:
        ListenerError: the name cannot be one, a locale is none, a file is there already, or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ListenerError(
            f"'{name}' cannot name a playbook{_hint(name)}: write small letters, digits and -, such as lost-luggage"
        )
    if _is_language(name):
        raise ListenerError(f"'{name}' looks like a locale{_hint(name)}; name a playbook by its case")
    for locale in locales:
        _check_locale(locale)
    title = name.replace("-", " ").capitalize()
    variants = "".join(_VARIANT.format(id=letter) for letter in "abc")
    files = {folder / name / PLAYBOOK_FILE: _PLAYBOOK.format(schema=_schema("playbook"), title=title)}
    for locale in locales:
        text = _REPLIES.format(schema=_schema("replies"), locale=locale, variants=variants)
        files[folder / name / f"{locale}.yaml"] = text
    return _write(files)


def new_locale(library: PlaybookLibrary, locale: str, base: str) -> list[Path]:
    """Write the files of a new locale, each with the texts of `base` to be written anew; return them.

    Raises:
        ListenerError: there is no such base, a file is there already, or cannot be written.
    """
    if base not in library.locales:
        raise ListenerError(f"the library has no locale '{base}' to begin with; it has {', '.join(library.locales)}")
    _check_locale(locale)
    folder = library.contents.folder
    sources = [folder / PHRASES_FOLDER / f"{base}.yaml"]
    sources += [path for path in sorted(folder.glob(f"*/{base}.yaml")) if path.parent.name != PHRASES_FOLDER]
    files = {}
    for source in sources:
        text = source.read_text(encoding="utf-8").replace(f"locale: {base}\n", f"locale: {locale}\n", 1)
        note = f"{BEGUN}{base}: write every text anew as a service team there would say it, then delete this line.\n"
        files[source.with_name(f"{locale}.yaml")] = note + text
    return _write(files)


def _check_locale(locale: str) -> None:
    if not _LOCALE.fullmatch(locale):
        raise ListenerError(f"'{locale}' is no locale; write a BCP 47 tag such as fr, nl-BE or zh-Hant")


def _is_language(name: str) -> bool:
    return len(name) == 2 or (len(name) == 3 and localedata.exists(name))


def _hint(name: str) -> str:
    return f" (for a new locale add --like, such as: {name} --like en)" if _LOCALE.fullmatch(name) else ""


def _schema(kind: str) -> str:
    return f"../_schema/{SCHEMAS[kind].file}"


def _write(files: dict[Path, str]) -> list[Path]:
    for path in files:
        if path.exists():
            raise ListenerError(f"{path} is there already; nothing was written")
    begun: list[Path] = []
    try:
        for path, text in files.items():
            _make_folder(path.parent, begun)
            with path.open("x", encoding="utf-8") as file:
                begun.append(path)
                file.write(text)
    except OSError as error:
        _remove(begun)
        raise ListenerError(f"cannot write {error.filename}: {error.strerror}; nothing was written") from error
    return list(files)


def _make_folder(folder: Path, begun: list[Path]) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        begun.append(path)


def _remove(begun: list[Path]) -> None:
    for path in reversed(begun):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
