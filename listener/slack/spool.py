"""Presses that were acknowledged and are not carried out yet, kept in files so that a crash forgets none of them.

A press is acknowledged before the database is asked, so it has to be kept somewhere else until then. The files hold
no more of a payload than is needed to carry it out, are readable by their owner alone, and go when the work is done.
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
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


class Spool:
    """A folder of presses that wait."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, kind: str, payload: Mapping[str, Any]) -> Path | None:
        """Write a press down and return its file; None where the disk does not take it, which is logged."""
        text = json.dumps({"kind": kind, "payload": _slim(payload)}, ensure_ascii=True)
        if len(text) > _LONGEST:
            return None
        path = self._folder / f"{uuid.uuid4().hex}.json"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        except OSError as error:
            log.warning("a press is not kept on disk: a crash would lose it", problem=error.strerror)
            return None
        return path

    def done(self, path: Path | None) -> None:
        """Forget a press that was carried out."""
        if path is not None:
            path.unlink(missing_ok=True)

    def left_over(self) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
        """Yield what an earlier run acknowledged and did not carry out, the oldest first."""
        try:
            files = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        except OSError:
            return
        for path in files:
            try:
                kept = json.loads(path.read_text(encoding="ascii"))
                yield path, str(kept["kind"]), dict(kept["payload"])
            except (OSError, ValueError, KeyError, TypeError):
                log.warning("a kept press cannot be read and is dropped", file=path.name)
                path.unlink(missing_ok=True)


def _slim(payload: Mapping[str, Any]) -> dict[str, Any]:
    slim: dict[str, Any] = {}
    for name, inner in _KEPT.items():
        value = payload.get(name)
        if inner is None and value is not None:
            slim[name] = value
        elif inner is not None and isinstance(value, Mapping):
            slim[name] = {key: value[key] for key in inner if key in value}
    return slim
