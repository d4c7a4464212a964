"""One daemon works on one SQLite file: who has it is told by a lock beside it, which ends with its process."""

import fcntl
import os
import time
from contextlib import suppress

from listener.errors import StoreError
from listener.store.engine import sqlite_path

_LOOKS = 3
_BETWEEN_S = 0.1


class DatabaseLock:
    """Keeps a second daemon off the same SQLite file; PostgreSQL needs none."""

    def __init__(self, url: str) -> None:
        path = sqlite_path(url)
        self._path = None if path is None else path.with_name(path.name + ".lock")
        self._descriptor: int | None = None

    def __enter__(self) -> "DatabaseLock":
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise StoreError(f"{self._path} cannot be made: {error.strerror}; see store.url") from error
            for _ in range(_LOOKS):
                with suppress(OSError):
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return self
                time.sleep(_BETWEEN_S)  # somebody may only have looked whether it is taken
            os.close(self._descriptor)
            self._descriptor = None
            raise StoreError(
                f"another listener is running on this database ({self._path}); stop it first, or give this one"
                " a store.url of its own"
            )
        return self

    def is_taken(self) -> bool | None:
        """Tell whether a daemon has it; None where nobody can: on PostgreSQL, or as an account without the right."""
        if self._path is None:
            return None
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def __exit__(self, *ignored: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def no_daemon_runs(url: str) -> bool:
    """Tell whether it is certain that no daemon works on a database: nothing new is heard then, and nothing sent."""
    return DatabaseLock(url).is_taken() is False
