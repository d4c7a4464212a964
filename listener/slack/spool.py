"""Presses that were acknowledged and are not carried out yet, kept in files so that a crash forgets none of them.

A press is acknowledged before the database is asked, so it has to be kept somewhere else until then. The files hold
no more of a payload than is needed to carry it out, are readable by their owner alone, and go when the work is done.
"""

import json
import os
import stat
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger("listener.slack")

_KEPT: Mapping[str, tuple[str, ...] | None] = {
    "type": None,
    "user": ("id", "name", "username"),
    "channel": ("id",),
    "container": ("channel_id", "thread_ts"),
    "message": ("thread_ts",),
    "view": ("id", "hash", "type", "callback_id", "private_metadata", "state"),
    "actions": None,
    "trigger_id": None,
    "text": None,
    "user_id": None,
    "user_name": None,
    "response_url": None,
}
_LONGEST = 100_000
_UNFINISHED_S = 86_400
"""A file that was begun longer ago than this is finished by nobody."""

Kept = tuple[str, Mapping[str, Any]]
"""What kind of delivery it was, and what it said."""


class Spool:
    """A folder of presses that wait."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, kind: str, payload: Mapping[str, Any]) -> Path | None:
        """Write a press down and return its file; None where that cannot be done, which is logged."""
        try:
            text = json.dumps({"kind": kind, "payload": _slim(payload)}, ensure_ascii=True)
        except (TypeError, ValueError, RecursionError) as error:
            log.warning("a press is not kept on disk: a crash would lose it", problem=type(error).__name__)
            return None
        if len(text) > _LONGEST:
            log.warning("a press is too long to be kept on disk: a crash would lose it", characters=len(text))
            return None
        # Names sort by time: two presses may share the time that the file system notes.
        path = self._folder / f"{time.time_ns():020d}-{uuid.uuid4().hex}.json"
        try:
            self._make_folder()
            _write(path, text)
        except OSError as error:
            log.warning("a press is not kept on disk: a crash would lose it", problem=error.strerror)
            return None
        return path

    def done(self, path: Path | None) -> None:
        """Forget a press that was carried out."""
        if path is None:
            return
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("a press that was carried out stays on disk", file=path.name, problem=error.strerror)

    def left_over(self) -> list[Path]:
        """Return the files of what an earlier run acknowledged and did not carry out, the oldest first."""
        try:
            if not self._folder.exists():
                return []
            self._make_folder()
            names = sorted(os.listdir(self._folder))
        except OSError as error:
            log.warning("the kept presses cannot be listed", problem=error.strerror)
            return []
        self._drop_unfinished(names)
        return [self._folder / name for name in names if name.endswith(".json") and self._is_file(name)]

    def read(self, path: Path) -> Kept | None:
        """Return what a file keeps; None where it cannot be read.

        What is damaged is set aside. What the disk does not give just now stays for the next start.
        """
        try:
            text = _read(path)
        except OSError as error:
            log.warning("a kept press cannot be read now and stays", file=path.name, problem=error.strerror)
            return None
        kept = _parse(text)
        if kept is None:
            self.set_aside(path)
        return kept

    def set_aside(self, path: Path) -> None:
        """Put a file that nothing can be made of where no start looks at it again."""
        log.warning("a kept press cannot be used and is set aside as .bad", file=path.name)
        try:
            path.rename(path.with_suffix(".bad"))
        except OSError as error:
            log.warning("a damaged file stays where it is", file=path.name, problem=error.strerror)

    def _is_file(self, name: str) -> bool:
        try:
            is_file = stat.S_ISREG(os.lstat(self._folder / name).st_mode)
        except OSError:
            return False
        if not is_file:
            log.warning("something in the folder of kept presses is no file and is left alone", file=name)
        return is_file

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._folder.stat()
        # A folder with the sticky bit is shared on purpose, such as /tmp.
        if found.st_mode & 0o077 and not found.st_mode & stat.S_ISVTX:
            try:
                self._folder.chmod(0o700)
            except OSError as error:
                log.warning("the folder of kept presses stands open to others", problem=error.strerror)

    def _drop_unfinished(self, names: list[str]) -> None:
        for name in names:
            path = self._folder / name
            with suppress(OSError):
                if name.endswith(".part") and time.time() - os.lstat(path).st_mtime > _UNFINISHED_S:
                    path.unlink()


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _read(path: Path) -> str:
    """Return a file's text, or what is too long of it to be a press."""
    # It may have become a link or a pipe since it was listed: neither is followed or waited for.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(_LONGEST + 1).decode("ascii", "replace")


def _parse(text: str) -> Kept | None:
    if len(text) > _LONGEST:
        return None
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(kept, dict):
        return None
    kind, payload = kept.get("kind"), kept.get("payload")
    return (kind, payload) if isinstance(kind, str) and isinstance(payload, dict) else None


def _slim(payload: Mapping[str, Any]) -> dict[str, Any]:
    slim: dict[str, Any] = {}
    for name, inner in _KEPT.items():
        value = payload.get(name)
        if inner is None and value is not None:
            slim[name] = value
        elif inner is not None and isinstance(value, Mapping):
            slim[name] = {key: value[key] for key in inner if key in value}
    return slim
