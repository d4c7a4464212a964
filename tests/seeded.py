"""A console's room that is filled once, and that every test gets as it was then."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite


class SeededRoom:
    """Fills a room, keeps its files and opens it with them again.

    Always in the same folder, for the configuration and its versions name the database: close one before the next.
    """

    def __init__(self, folder: Path, seed: Callable[[ConsoleRoom], object]) -> None:
        self._folder, self._url = folder, migrated_sqlite(folder)
        room = ConsoleRoom.open(folder, self._url)
        seed(room)
        self._now, self._made = room.clock.now(), room.made
        room.close()
        self._files = {path.name: path.read_bytes() for path in folder.iterdir()}

    def open(self) -> ConsoleRoom:
        """Open the room as the seed left it."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        for name, content in self._files.items():
            (self._folder / name).write_bytes(content)
        return ConsoleRoom.again(self._folder, self._url, self._now, self._made)
