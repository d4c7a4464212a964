from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ConsoleRoom]:
    made = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    yield made
    made.close()
