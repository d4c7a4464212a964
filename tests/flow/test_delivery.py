"""Nothing lost and nothing twice: Slack fails in every way it has, and senders are killed at every step."""

from pathlib import Path

from benchmarks.delivery import Outcome, run
from benchmarks.dying import STEPS
from tests.databases import new_database
from tests.servers.slack import KINDS


def failures_of(outcome: Outcome) -> str:
    return "\n".join(outcome.lines())


def test_killed_senders_and_a_failing_slack_lose_and_repeat_nothing(tmp_path: Path) -> None:
    outcome = run(400, seed=7, kills=26, database=f"sqlite:///{tmp_path}/listener.db", folder=tmp_path, rate=0.25)
    assert outcome.wrong == 0, failures_of(outcome)
    assert outcome.total >= 400
    assert set(outcome.kinds) == {"alert", "note", "update", "message"}
    assert set(outcome.faults) >= {*KINDS, "channel archived", "token revoked", "not in the channel"}
    assert len(set(outcome.kills) & set(STEPS)) >= 7, failures_of(outcome)


def test_two_senders_on_one_postgresql_keep_out_of_each_others_way(tmp_path: Path, postgres_url: str) -> None:
    outcome = run(300, seed=3, kills=16, database=new_database(postgres_url), folder=tmp_path, count=2)
    assert outcome.wrong == 0, failures_of(outcome)
    assert outcome.kills.total() > 0
