"""Writing the first files: all of them or none, never over what is there, or with a copy of it kept."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from listener.errors import ListenerError
from listener.starting.writing import FirstFile

IGNORED = (".env", "var/", "posts/", "exports/")
"""What does not belong under version control: secrets, and what people wrote."""


class WriteError(ListenerError):
    """The files cannot be written; nothing was."""


def in_the_way(folder: Path, files: Sequence[FirstFile]) -> list[str]:
    """Return the names of files that are there already."""
    return [file.name for file in files if os.path.lexists(folder / file.name)]


@contextmanager
def staged(folder: Path, files: Sequence[FirstFile]) -> Iterator[Path]:
    """Write the files into a folder beside their place, to be looked at before they go there; it goes afterwards.

    Raises:
        WriteError: nothing can be written there.
    """
    beside = _nearest(folder)
    try:
        place = Path(tempfile.mkdtemp(prefix=".listener-init-", dir=beside))
    except OSError as error:
        raise WriteError(f"cannot write in {beside}: {error.strerror}; name another folder") from error
    try:
        for file in files:
            _write(place / file.name, file.text)
        yield place
    except OSError as error:
        raise WriteError(f"cannot write in {beside}: {error.strerror}; nothing was changed") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def put(place: Path, folder: Path, files: Sequence[FirstFile], folders: Sequence[str], now: datetime) -> list[str]:
    """Move the staged files to where they belong; return the names of the copies kept of those that were there.

    Raises:
        WriteError: one cannot be put there; those put before it are taken back.
    """
    kept: list[tuple[Path, Path]] = []
    new: list[Path] = []
    try:
        for name in folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(target):
                copy = _free(target, now)
                os.replace(target, copy)
                kept.append((copy, target))
            os.replace(place / file.name, target)
            new.append(target)
    except OSError as error:
        for target in new:
            target.unlink(missing_ok=True)
        for copy, target in kept:
            os.replace(copy, target)
        raise WriteError(f"cannot write {error.filename}: {error.strerror}; nothing was changed") from error
    return [str(copy.relative_to(folder)) for copy, _ in kept]


def ignore(folder: Path) -> list[str]:
    """Keep secrets and posts out of version control; return what a person has to add to a .gitignore of their own."""
    path = folder / ".gitignore"
    try:
        lines = {line.strip().lstrip("/").rstrip("/") for line in path.read_text(encoding="utf-8").splitlines()}
    except FileNotFoundError:
        _write(path, "\n".join(IGNORED) + "\n")
        return []
    except (OSError, UnicodeDecodeError):
        return list(IGNORED)
    return [name for name in IGNORED if name.rstrip("/") not in lines]


def _nearest(folder: Path) -> Path:
    """Return the folder itself, or the first above it that is there.

    Raises:
        WriteError: something that is no folder stands in its place.
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        if place.is_dir():
            return place
        if os.path.lexists(place):
            raise WriteError(f"{place} is a file; name a folder")
    raise WriteError(f"there is no place for {folder}")


def _free(target: Path, now: datetime) -> Path:
    """Return a name for a copy that is not taken."""
    number = 1
    while True:
        end = f".{now:%Y-%m-%dT%H%M%S}{f'-{number}' if number > 1 else ''}.bak"
        copy = target.with_name(target.name + end)
        if not os.path.lexists(copy):
            return copy
        number += 1


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
