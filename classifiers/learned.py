"""Learned changes of the heads, and where they lie: each in a folder of its own, beside a list of those in force.

What is written is put in place whole or not at all.

    learned/in-force.json                 versions, the last of which is in force
    learned/local-3+0123456789/           learned.json, learned.safetensors
    learned/in-force.lock                 held by whoever changes the list
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import N_LOGITS, Heads
from listener.errors import ModelUnavailableError

Array = NDArray[np.float32]

FOLDER = "learned"
IN_FORCE_FILE = "in-force.json"
LOCK_FILE = "in-force.lock"
METADATA_FILE = "learned.json"
TENSORS_FILE = "learned.safetensors"
_FORMAT = "learned-1"
_NAME = re.compile(r"local-(\d{1,9})\+[0-9a-f]{10}")
_BUILDING, _PARTIAL = ".new-", ".in-force-"
_HINT = "go back with `listener learn --back`, or remove {folder} to use the shipped model"

_NOTHING_BEFORE = "the shipped model is in force: there is nothing to go back to"


@dataclass(frozen=True, slots=True)
class Delta:
    """What is added to calibrated logits: `weight @ hidden + shift`."""

    weight: Array
    """(28, hidden)."""
    shift: Array
    """(28,)."""

    @property
    def digest(self) -> str:
        """Short name of the change by its content."""
        return hashlib.sha256(self.weight.tobytes() + self.shift.tobytes()).hexdigest()[:10]

    def applied(self, heads: Heads, version: str) -> Heads:
        """Return heads whose calibrated logits have the change added; everything else is theirs."""
        scale = heads.calibration.scale
        members, start = [], 0
        for member in heads.members:
            end = start + member.hidden_weight.shape[0]
            # The members' logits are averaged, and scaled after that.
            weight = self.weight[:, start:end] * len(heads.members) / scale[:, None]
            members.append(
                replace(
                    member,
                    output_weight=member.output_weight + weight,
                    output_bias=member.output_bias + self.shift / scale,
                )
            )
            start = end
        return replace(heads, members=tuple(members), version=version)


@dataclass(frozen=True, slots=True)
class Kept:
    """One learned version as `--list` shows it."""

    name: str
    base: str
    """Version of the shipped heads that it changes."""
    made_at: datetime
    corrections: int
    in_force: bool
    problem: str = ""


class LearnedFolder:
    """The learned versions of one installation, beside the model's cache."""

    def __init__(self, cache: Path) -> None:
        self.path = cache / FOLDER

    def in_force(self) -> str | None:
        """Return the name of the version in force, or None where the shipped model is.

        Raises:
            ModelUnavailableError: the list of versions is damaged.
        """
        names = self._names()
        return names[-1] if names else None

    def heads(self, shipped: Heads) -> Heads | None:
        """Return the shipped heads with the change in force; None where there is none, or it belongs to other heads.

        Raises:
            ModelUnavailableError: a file is missing or damaged.
        """
        name = self.in_force()
        if name is None:
            return None
        metadata, delta = self._read(name, shipped)
        if metadata["base"] != shipped.version:
            return None
        return delta.applied(shipped, f"{shipped.version}/{name}")

    def install(self, delta: Delta, metadata: Mapping[str, Any], base: str, made_at: datetime) -> str:
        """Put a change into force and return its name; what was in force stays to go back to.

        Raises:
            ModelUnavailableError: the folder cannot be written; nothing was changed then.
        """
        described = {**metadata, "base": base, "made_at": made_at.isoformat()}
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with self._locked():
                self._sweep()
                return self._add(delta, described, self._names())
        except OSError as error:
            raise ModelUnavailableError(f"cannot write {self.path}: {error.strerror}; nothing was changed") from error

    def back(self) -> tuple[str, str | None]:
        """Put what was in force before into force again; return the name given up, and the one now in force.

        Works as well where the version in force, or the list itself, is damaged.

        Raises:
            ModelUnavailableError: the shipped model is in force already, or the folder cannot be written.
        """
        if not self.path.is_dir():
            raise ModelUnavailableError(_NOTHING_BEFORE)
        try:
            with self._locked():
                given_up, names = self._without_last()
                self._put(names)
        except OSError as error:
            raise ModelUnavailableError(f"cannot write {self.path}: {error.strerror}") from error
        return given_up, names[-1] if names else None

    def kept(self) -> list[Kept]:
        """Return every version on disk or in the list, the latest first."""
        try:
            listed = self._names()
        except ModelUnavailableError:
            listed = []
        current = listed[-1] if listed else None
        names = sorted({*self._folders(), *listed}, key=_number, reverse=True)
        return [self._described(name, name == current) for name in names]

    def digest_in_force(self) -> str | None:
        """Return the digest of the change in force."""
        name = self.in_force()
        return None if name is None else name.partition("+")[2]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep others from changing the list at the same time; waits for them."""
        import fcntl

        descriptor = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _add(self, delta: Delta, metadata: Mapping[str, Any], names: list[str]) -> str:
        name = f"local-{self._last_number(names) + 1}+{delta.digest}"
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.path))
        try:
            _write(building, delta, metadata)
            building.chmod(0o755)
            building.rename(self.path / name)
            _sync(self.path)
            self._put([*names, name])
        except OSError:
            shutil.rmtree(self.path / name, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return name

    def _without_last(self) -> tuple[str, list[str]]:
        """Return what is given up by going back, and the list without it."""
        try:
            names = self._names()
        except ModelUnavailableError:
            return IN_FORCE_FILE, []
        if not names:
            raise ModelUnavailableError(_NOTHING_BEFORE)
        return names[-1], names[:-1]

    def _sweep(self) -> None:
        """Remove what a process left that ended while it wrote; under the lock nobody else is writing."""
        for path in self.path.iterdir():
            if path.name.startswith(_BUILDING):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(_PARTIAL):
                path.unlink(missing_ok=True)

    def _described(self, name: str, in_force: bool) -> Kept:
        if not (self.path / name).is_dir():
            return Kept(name, "", datetime.min, 0, in_force, "folder is missing")
        try:
            metadata = json.loads((self.path / name / METADATA_FILE).read_text("utf-8"))
            made_at = datetime.fromisoformat(metadata["made_at"])
            return Kept(name, str(metadata["base"]), made_at, int(metadata["corrections"]), in_force)
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            return Kept(name, "", datetime.min, 0, in_force, f"{self.path / name / METADATA_FILE}: {error}")

    def _names(self) -> list[str]:
        path = self.path / IN_FORCE_FILE
        try:
            names = json.loads(path.read_text("utf-8"))["versions"]
            if not isinstance(names, list) or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in names):
                raise ValueError("not a list of versions")
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelUnavailableError(
                f"cannot read which learned model is in force from {path}: {error}; " + _HINT.format(folder=self.path)
            ) from error
        return names

    def _put(self, names: list[str]) -> None:
        descriptor, name = tempfile.mkstemp(prefix=_PARTIAL, dir=self.path)
        partial = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"versions": names}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            partial.chmod(0o644)
            partial.replace(self.path / IN_FORCE_FILE)
            _sync(self.path)
        finally:
            partial.unlink(missing_ok=True)

    def _read(self, name: str, shipped: Heads) -> tuple[dict[str, Any], Delta]:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = self.path / name
        try:
            metadata = json.loads((folder / METADATA_FILE).read_text("utf-8"))
            content = (folder / TENSORS_FILE).read_bytes()
            if metadata["format"] != _FORMAT:
                raise ValueError(f"format {metadata['format']}, this program reads {_FORMAT}")
            if hashlib.sha256(content).hexdigest() != metadata["sha256"]:
                raise ValueError(f"{TENSORS_FILE} is not the file that was written")
            tensors = load(content)
            delta = Delta(tensors["weight"], tensors["shift"])
            if metadata["base"] == shipped.version:
                _check(delta, shipped)
            return metadata, delta
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            raise ModelUnavailableError(
                f"cannot use the learned model {folder}: {error}; " + _HINT.format(folder=self.path)
            ) from error

    def _folders(self) -> list[str]:
        if not self.path.is_dir():
            return []
        return [path.name for path in self.path.iterdir() if _NAME.fullmatch(path.name)]

    def _last_number(self, listed: list[str]) -> int:
        return max(map(_number, [*self._folders(), *listed]), default=0)


def _number(name: str) -> int:
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else 0


def _sync(folder: Path) -> None:
    """Bring renames in a folder to the disk; where the file system cannot, they are made all the same."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write(folder: Path, delta: Delta, metadata: Mapping[str, Any]) -> None:
    from safetensors.numpy import save

    content = save({"weight": delta.weight, "shift": delta.shift})
    described = {"format": _FORMAT, "sha256": hashlib.sha256(content).hexdigest(), **metadata}
    for name, data in ((TENSORS_FILE, content), (METADATA_FILE, json.dumps(described, indent=1).encode() + b"\n")):
        with (folder / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _check(delta: Delta, shipped: Heads) -> None:
    width = sum(member.hidden_weight.shape[0] for member in shipped.members)
    if delta.weight.shape != (N_LOGITS, width) or delta.shift.shape != (N_LOGITS,):
        raise ValueError("a change that does not fit the shipped heads")
    if not (np.isfinite(delta.weight).all() and np.isfinite(delta.shift).all()):
        raise ValueError("a change that is damaged")
