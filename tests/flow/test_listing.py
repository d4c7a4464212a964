"""A database whose index of posts misses some, as one that was put back together, is made whole by the daemon."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete

from listener.store import schema
from listener.store.browsing import MentionFilter
from tests.flow.world import URGENT_FR, World, world

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier


def found(here: World, words: str) -> int:
    return len(here.app.store.browsing.mentions(MentionFilter(text=words), sees=None).rows)


def test_what_the_index_misses_is_listed_once_the_daemon_runs(tmp_path: Path, classifier: "MentionClassifier") -> None:
    with world(tmp_path, classifier) as here:
        here.post(URGENT_FR)
        here.pass_once()
        assert found(here, "bouilloire brulee") == 1
        with here.app.store.triage.transaction() as transaction:
            transaction._connection.execute(delete(schema.listing))
        assert found(here, "bouilloire") == 0
        here.app.list_missing()
        here.app.list_missing()
        assert found(here, "bouilloire brulee") == 1
