"""The configuration in force: read again when its files change, kept as versions, changed and rolled back.

One that is invalid never comes into force. Knows nothing of what is made from a configuration.
"""

import difflib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from listener.clock import Clock
from listener.config import Config, config_texts, load_config
from listener.config.document import parse_yaml, read_text
from listener.config.editing import Edit, edited
from listener.config.loading import describe
from listener.config.models import Store as StoreSettings
from listener.errors import ConfigError, ListenerError, Problem, StaleError
from listener.plugins import plugin_options
from listener.store import Store
from listener.store.configurations import NewVersion, Version

log = structlog.get_logger("listener.keeping")

_LOOKED_THROUGH = 1_000
"""So many versions back is looked for one to go back to."""
_STORE_SECTION = re.compile(r"^[\"']?store[\"']?:.*(?:\n(?:[ \t#].*)?)*", re.MULTILINE)


class ConfigFiles:
    """The files of one configuration and the versions of them that were kept. Holds nothing that is in force."""

    def __init__(self, path: Path, store: Store, clock: Clock) -> None:
        self._path = path
        self._store = store.configurations
        self._clock = clock

    @property
    def name(self) -> str:
        """The configuration file's own name."""
        return self._path.name

    def read(self, seen: str | None = None) -> dict[str, str]:
        """Return the files' texts.

        Raises:
            StaleError: they are not what is known by the digest `seen`.
            ConfigError: the configuration file cannot be read.
        """
        texts = config_texts(self._path)
        if seen is not None and digest_of(texts) != seen:
            raise StaleError(f"{self.name} was changed meanwhile by somebody else; look at it again, then decide")
        return texts

    def load(self, texts: Mapping[str, str]) -> Config:
        """Return the configuration that these texts make.

        Raises:
            ConfigError: they are invalid.
        """
        return load_config(self._path, plugin_options(), texts)

    def keep(self, config: Config, texts: Mapping[str, str], origin: str, author: str = "", note: str = "") -> Version:
        """Keep a version, unless the one kept last is the same; where no author is given the files' owner is."""
        return self._store.keep(self._version(config, texts, origin, author, note), self._clock.now())

    def write(self, texts: Mapping[str, str], author: str, origin: str, note: str) -> tuple[Config, Version]:
        """Write files that make a valid configuration, and keep the version: both or neither. Call it while `alone`.

        Raises:
            ConfigError: they are invalid; nothing is written.
            ListenerError: a file cannot be written.
            OperationalError: the database does not answer; nothing is written.
        """
        return self._written(self.load(texts), texts, author, origin, note)

    def _written(
        self, config: Config, texts: Mapping[str, str], author: str, origin: str, note: str
    ) -> tuple[Config, Version]:
        before = self.standing()
        self._keep_what_stands({**self._others(texts), **before})
        changed = {self._path.parent / name: text for name, text in texts.items() if before.get(name) != text}
        new = self._version(config, texts, origin, author, note)
        return config, self._store.keep(new, self._clock.now(), lambda: write_atomically(changed))

    def put_back(self, texts: Mapping[str, str], author: str, origin: str, note: str) -> "PutBack":
        """Write files of before again, as `write` does; those that stand there invalid are copied first.

        Raises:
            ConfigError: they are invalid; nothing is written.
            ListenerError: a file cannot be written.
            OperationalError: the database does not answer; nothing is written.
        """
        config = self.load(texts)  # what cannot be put back leaves no copies either
        before = {name: self._text_of(name) or "" for name in texts}
        aside = self._put_aside(texts)
        return PutBack(*self._written(config, texts, author, origin, note), before, tuple(aside))

    def texts_of(self, version_id: int) -> Mapping[str, str]:
        """Return the files of a version.

        Raises:
            ListenerError: there is no such version, or it is of another file.
        """
        files = version_of(self._store.version(version_id), version_id).files
        if self.name not in files:
            raise ListenerError(f"version {version_id} is of another file than {self.name}")
        return files

    @property
    def is_kept(self) -> bool:
        """Whether any version was kept."""
        return self._store.latest() is not None

    def last_valid(self, problem: str, seen: str) -> "LastValid":
        """Return what was in force last, for files that cannot be: known as `seen`, and why.

        Raises:
            ConfigError: it is invalid in this release, or on this machine.
            ListenerError: none was kept, or one of other files or another database, or it is these files.
        """
        latest = self._store.latest()
        if latest is None:
            raise ListenerError("no configuration was in force before")
        config = self.load(self.texts_of(latest.id))
        if _seen_as(latest.files) == seen:
            raise ListenerError("it is what was in force last")
        if config.store.address != store_settings(self._path, must_be_named=True).address:
            raise ListenerError("what was in force last has another database")
        return LastValid(problem, seen, latest, config)

    def before(self, texts: Mapping[str, str]) -> int:
        """Return the number of the version to go back to from these files.

        The last one where the files are not it (an edit that is invalid, or that no daemon has seen), else the one
        before these files came into force first: going back twice goes further back, and never to what was left.

        Raises:
            ListenerError: there is none.
        """
        digest, kept = digest_of(texts), self._store.versions(_LOOKED_THROUGH)
        if kept and kept[0].digest != digest:
            return kept[0].id
        first = min((version.id for version in kept if version.digest == digest), default=0)
        earlier = [version.id for version in kept if version.id < first]
        if not earlier:
            raise ListenerError(
                "no other configuration was kept before this one; name one that `listener config history` lists"
            )
        return max(earlier)

    def _version(self, config: Config, texts: Mapping[str, str], origin: str, author: str, note: str) -> NewVersion:
        author = author or owner_of(self._path)
        return NewVersion(author, origin, note, digest_of(texts), dict(texts), effective_json(config))

    def _keep_what_stands(self, texts: Mapping[str, str]) -> None:
        """Keep a valid file that somebody wrote and no daemon has seen, before it is replaced."""
        try:
            config = self.load(texts)
        except ConfigError:
            return
        self.keep(config, texts, "file")

    def _others(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the present texts of files that these would replace, though no configuration names them now."""
        found = {}
        for name in texts:
            with suppress(ConfigError):
                found[name] = read_text(self._path.parent / name, name)
        return {name: text for name, text in found.items() if text != texts[name]}

    def _put_aside(self, texts: Mapping[str, str]) -> list[Path]:
        """Copy what these texts would replace, where it is invalid and so kept nowhere; return the copies.

        Raises:
            ListenerError: a copy cannot be written.
        """
        try:
            self.load({})
        except ConfigError:
            replaced = (self._path.parent / name for name, text in texts.items() if self._text_of(name) != text)
            return [copy for path in replaced if (copy := copied_aside(path)) is not None]
        return []

    def _text_of(self, name: str) -> str | None:
        with suppress(ConfigError):
            return read_text(self._path.parent / name, name)
        return None

    def read_or_why(self) -> tuple[dict[str, str], str]:
        """Return the files' texts, or none and why the configuration file cannot be read."""
        return _read_or_why(self._path)

    def standing(self) -> dict[str, str]:
        """Return the files' texts, and none where the configuration file is gone or no text."""
        try:
            return config_texts(self._path)
        except ConfigError:
            return {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from changing the files at the same moment."""
        try:
            descriptor = os.open(self._path.resolve().parent, os.O_RDONLY)
        except OSError as error:
            raise ListenerError(f"the folder of {self._path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class PutBack:
    """Files of before that were written again."""

    config: Config
    version: Version
    """As which they are in force now."""
    before: Mapping[str, str]
    """What stood there, as far as it could be read."""
    aside: tuple[Path, ...]
    """Copies of what they replaced, where that was invalid."""


@dataclass(frozen=True, slots=True)
class LastValid:
    """What was in force last, where the files as they stand cannot be."""

    problem: str
    """Why they cannot."""
    seen: str
    """What they are known by."""
    version: Version
    config: Config


class Keeper:
    """Holds the configuration in force for one process: the daemon, the console, a command. Safe among threads."""

    def __init__(self, path: Path, store: Store, clock: Clock, instead: LastValid | None = None) -> None:
        """Take the files as they stand, or what was in force before instead of them.

        Raises:
            ConfigError: they are invalid.
        """
        self._files = ConfigFiles(path, store, clock)
        self._store = store.configurations
        self._lock = threading.RLock()
        self.problem = ""
        """What is wrong with the files as they stand now; empty where they are in force."""
        if instead is None:
            self._texts: Mapping[str, str] = self._files.read()
            self._config = self._files.load(self._texts)
            self._seen = self._settling = _seen_as(self._texts)
        else:
            self._texts, self._config = instead.version.files, instead.config
            self._seen = self._settling = instead.seen
            self._refuse(instead.problem)
        self._before: tuple[Config, Mapping[str, str]] = (self._config, self._texts)
        self._is_kept = True
        """Whether the store has what is in force, as far as this keeper put it into force."""

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def text(self) -> str:
        """The text of the configuration file that is in force."""
        return self._texts[self._files.name]

    @property
    def digest(self) -> str:
        """What the files in force are known by; give it back to `change` as `seen`."""
        return digest_of(self._texts)

    @property
    def standing_digest(self) -> str:
        """What the files as they stand now are known by, invalid ones too; give it back to `rollback` as `seen`."""
        return digest_of(self._files.standing())

    def check_standing(self) -> None:
        """Look whether the files as they stand now are valid; they come into force by `look` alone.

        Raises:
            ConfigError: they are not.
        """
        self._files.load(self._files.read())

    def keep(self) -> Version:
        """Keep what is in force, unless the version kept last is the same; return it."""
        with self._lock:
            return self._files.keep(self._config, self._texts, "file")

    def look(self) -> bool:
        """Read the files again if they changed; True where another configuration is in force now.

        Files are taken once they are the same at two looks: an editor may be writing them at this moment. Invalid
        ones are noted as `problem` and change nothing.
        """
        with self._lock:
            self._keep()
            texts, unreadable = self._files.read_or_why()
            digest = _seen_as(texts, unreadable)
            settled, self._settling = digest == self._settling, digest
            if digest == self._seen or not settled:
                return False
            self._seen = digest
            return self._refuse(unreadable) if unreadable else self._take(texts)

    def withdraw(self, problem: str) -> None:
        """Go back to what was in force before the last look: what the files ask for cannot be had here."""
        with self._lock:
            texts = self._texts
            self._config, self._texts = self._before
            self._files.keep(self._config, self._texts, "daemon", "listener", f"stays in force: {problem[:300]}")
            self._seen = self._settling = digest_of(texts)
            self._refuse(problem)

    def change(
        self, edits: Sequence[Edit], actor: str, note: str = "", *, seen: str | None = None, origin: str = "cli"
    ) -> Version:
        """Edit the configuration file, keeping comments and order; return the version that is in force then.

        `seen` is the `digest` that whoever decides has seen.

        Raises:
            StaleError: the files were changed since by somebody else.
            ConfigError: what would come of it is invalid; nothing is written.
            ListenerError: the file cannot be written.
        """
        with self._lock, self._files.alone():
            texts = self._files.read(seen)
            name = self._files.name
            return self._write({**texts, name: edited(texts[name], edits)}, actor, origin, note)

    def rollback(self, version_id: int, actor: str, *, seen: str | None = None, origin: str = "cli") -> Version:
        """Write the files of an earlier version again, whatever stands in them now.

        Raises:
            StaleError: the files were changed since by somebody else, and `seen` was given.
            ConfigError: that version is invalid in this release, or on this machine; nothing is written.
            ListenerError: there is no such version, or a file cannot be written.
        """
        with self._lock, self._files.alone():
            if seen is not None and self.standing_digest != seen:
                raise StaleError(f"{self._files.name} was changed meanwhile by somebody else; look at it again")
            texts = self._files.texts_of(version_id)
            back = self._files.put_back(texts, actor, origin, back_to(version_id))
            self._set(back.config, texts)
        for copy in back.aside:
            log.warning("invalid file replaced", holds_what_stood_there=str(copy))
        return back.version

    def versions(self, limit: int = 50, before: int | None = None) -> list[Version]:
        """Return the kept versions, the latest first."""
        return self._store.versions(limit, before)

    def version(self, version_id: int) -> Version | None:
        """Return one version."""
        return self._store.version(version_id)

    def _take(self, texts: Mapping[str, str]) -> bool:
        if texts == self._texts:  # back to what is in force, after an invalid one
            self.problem = ""
            return False
        try:
            config = self._files.load(texts)
        except ConfigError as error:
            return self._refuse(str(error))
        self._set(config, texts)
        self._is_kept = False
        self._keep()
        return True

    def _keep(self) -> None:
        """Keep what the files brought into force; at a later look, where the database does not answer now."""
        if self._is_kept:
            return
        try:
            self._files.keep(self._config, self._texts, "file")
        except OperationalError as error:
            log.warning("the configuration in force is not kept yet", reason=type(error.orig).__name__)
        else:
            self._is_kept = True

    def _refuse(self, problem: str) -> bool:
        self.problem = problem
        log.error("configuration invalid, the one before stays in force", problems=problem)
        return False

    def _write(self, texts: Mapping[str, str], author: str, origin: str, note: str) -> Version:
        config, version = self._files.write(texts, author, origin, note)
        self._set(config, texts)
        return version

    def _set(self, config: Config, texts: Mapping[str, str]) -> None:
        self._before = (self._config, self._texts)
        self._config, self._texts = config, dict(texts)
        self._seen = self._settling = digest_of(texts)
        self._is_kept = True
        self.problem = ""


def roll_back(files: ConfigFiles, version_id: int | None, actor: str) -> tuple[int, PutBack]:
    """Put an earlier version back, even where the files are invalid now; return its number and what came of it.

    Raises:
        ConfigError: that version is invalid in this release, or on this machine; nothing is written.
        ListenerError: there is no such version, or a file cannot be written.
        OperationalError: the database does not answer; nothing is written.
    """
    with files.alone():
        target = version_id or files.before(files.standing())
        return target, files.put_back(files.texts_of(target), actor, "cli", back_to(target))


def seen_now(path: Path) -> str:
    """Return what a configuration's files are known by as they stand, invalid and unreadable ones too."""
    return _seen_as(*_read_or_why(path))


def _read_or_why(path: Path) -> tuple[dict[str, str], str]:
    try:
        return config_texts(path), ""
    except ConfigError as error:
        return {}, str(error)


def _seen_as(texts: Mapping[str, str], unreadable: str = "") -> str:
    """Return what files are known by at a look, or what kept them from being read."""
    return digest_of({**texts, "": unreadable})


def back_to(version_id: int) -> str:
    """Return what is noted with a version that brings an earlier one back."""
    return f"back to version {version_id}"


def digest_of(texts: Mapping[str, str]) -> str:
    """Return what files are known by: hexadecimal SHA-256 of their names and texts."""
    written = json.dumps(sorted(item for item in texts.items() if item[1]), ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()


def effective_json(config: Config) -> str:
    """Return all settings in effect as JSON; secrets as references, for a person or a program to compare."""
    data = config.model_dump(mode="json", serialize_as_any=True, fallback=str, exclude={"path", "watches", "warnings"})
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True)


def diff(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what differs between the files of two versions, as unified diff lines without line ends."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines += difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
    return lines


def changes(before: str, after: str) -> list[str]:
    """Return which effective settings differ, a line each: `countries.FR.thresholds.priority: 0.3 -> 0.35`."""
    old, new = dict(_leaves(json.loads(before))), dict(_leaves(json.loads(after)))
    found = []
    for path in sorted({*old, *new}, key=lambda one: [str(part) for part in one]):
        if old.get(path) != new.get(path):
            shown = [json.dumps(side[path], ensure_ascii=False) if path in side else "absent" for side in (old, new)]
            found.append(f"{'.'.join(map(str, path))}: {shown[0]} -> {shown[1]}")
    return found


def store_settings(path: Path, *, must_be_named: bool = False) -> StoreSettings:
    """Return where a configuration's store is, even where the rest of the file is invalid or no UTF-8.

    Where the file does not say, it is where it is unless told otherwise; a file that lost its end does not say either.

    Raises:
        ConfigError: the file cannot be read, its section `store` itself is invalid, or it is not there and must be.
    """
    text = _any_text(path)
    try:
        document = parse_yaml(text, str(path))
    except ConfigError:
        section = _STORE_SECTION.search(text.replace("\r\n", "\n"))
        document = parse_yaml(section[0] if section else "", str(path))
    said = document.data.get("store") if isinstance(document.data, dict) else None
    if said is None and must_be_named:
        raise ConfigError([Problem(str(path), 1, 1, "store", "the file does not say where its database is")])
    try:
        return StoreSettings.model_validate({} if said is None else said)
    except ValidationError as error:
        raise ConfigError(
            [document.problem(("store", *one["loc"]), describe(one, StoreSettings)) for one in error.errors()]
        ) from None


def _any_text(path: Path) -> str:
    """Return a file's text; what is no UTF-8 in it is replaced."""
    try:
        return read_text(path, str(path))
    except ConfigError:
        try:
            return path.read_bytes().decode("utf-8", "replace")
        except OSError:
            pass
        raise


def version_of(version: Version | None, version_id: int) -> Version:
    """Return a version that was looked for.

    Raises:
        ListenerError: there is none.
    """
    if version is None:
        raise ListenerError(f"there is no version {version_id}; `listener config history` lists them")
    return version


def copied_aside(path: Path) -> Path | None:
    """Copy a file beside itself as NAME.invalid, NAME.invalid-2 and so on; return the copy, None where no file is.

    A copy that holds the same already is as good.

    Raises:
        ListenerError: the copy cannot be written.
    """
    copy = path.with_name(f"{path.name}.invalid")
    try:
        content = path.read_bytes()
        for number in count(2):
            if not copy.exists():
                break
            if copy.read_bytes() == content:
                return copy
            copy = path.with_name(f"{path.name}.invalid-{number}")
        shutil.copy2(path, copy)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ListenerError(f"{copy} cannot be written: {error.strerror}; nothing is changed") from error
    return copy


def write_atomically(texts: Mapping[Path, str]) -> None:
    """Replace files' texts, each at once as it is read by others: the old one or the new one. Keeps mode, owner, links.

    All are written before the first is replaced: a full disk changes none of them.

    Raises:
        ListenerError: a folder or a file cannot be written.
    """
    path = Path()
    written: dict[Path, str] = {}
    try:
        for path, text in texts.items():
            target = path.resolve()
            written[target] = _written_beside(target, text)
        for target, name in written.items():
            os.replace(name, target)
        for parent in {target.parent for target in written}:
            _sync(parent)
    except OSError as error:
        for name in written.values():
            Path(name).unlink(missing_ok=True)
        raise ListenerError(
            f"{path} cannot be written ({error.strerror}); give this account the right to, or change the file by hand"
        ) from error


def _written_beside(target: Path, text: str) -> str:
    """Write what shall replace a file into another one of its folder, and return its name."""
    before = target.stat() if os.path.exists(target) else None
    name = ""
    try:
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            name = file.name
            file.write((_mark_of(target) if before else b"") + text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, before.st_mode & 0o7777 if before else 0o640)
        if before is not None and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):  # only root gives files away
                os.chown(name, before.st_uid, before.st_gid)
    except OSError:
        if name:
            Path(name).unlink(missing_ok=True)
        raise
    return name


def _mark_of(target: Path) -> bytes:
    """Return the byte order mark that a file begins with: its text is read without, and written as it was."""
    with target.open("rb") as file:
        return BOM_UTF8 if file.read(len(BOM_UTF8)) == BOM_UTF8 else b""


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value


def owner_of(path: Path) -> str:
    """Return the account that owns a file: mostly whoever edited it last."""
    try:
        return path.resolve().owner()
    except (OSError, KeyError):
        return "unknown"
