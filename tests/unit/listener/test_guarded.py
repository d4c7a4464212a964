"""One step of a job that fails ends neither the daemon nor the log's readability."""

import sqlite3
from pathlib import Path

from structlog.testing import capture_logs

from listener.app import guarded
from listener.store import Store
from tests.databases import migrated_sqlite


def test_a_locked_database_is_a_line_of_the_log_and_no_traceback(tmp_path: Path) -> None:
    store = Store(migrated_sqlite(tmp_path))
    writer = sqlite3.connect(tmp_path / "listener.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with capture_logs() as lines:
        guarded("enable", store.outbox.enable_all)
    (line,) = lines
    assert (line["job"], line["problem"], line["log_level"]) == ("enable", "database is locked", "error")
    assert "exc_info" not in line
    writer.close()
    store.close()
