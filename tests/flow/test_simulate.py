"""A replay over what the real pipeline decided: unchanged rules change nothing, and nothing is touched."""

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from typer.testing import CliRunner

from listener.cli import app
from listener.errors import StoreError
from listener.model import Gap
from listener.store import Store, schema
from listener.store.engine import open_engine, reading
from listener.tuning.columns import JOINED, OLD, OUTCOMES, RAISED, moment, read_columns
from listener.tuning.joining import Run, run_rules, stored_run
from listener.tuning.simulation import simulate
from listener.tuning.words import as_json, lines
from tests.databases import migrated_database, migrated_sqlite
from tests.flow.replayed import BEGIN, Replayed, load, write_config

SOON = timedelta(seconds=1)
MIDDLE = BEGIN + timedelta(hours=20, minutes=40)
HOSTILE = "\x1b[2J\u202eevil\u202c \x07 الشركة لا ترد 三小时没人回答"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    folder = tmp_path_factory.mktemp("replayed")
    made = Replayed(folder, migrated_sqlite(folder), seed=3).days(1.5, 170)
    yield made
    made.close()


def alerts_of(run: Run) -> list[tuple[Any, ...]]:
    return [
        (
            one.stored_id, one.kind, one.brand, one.country, one.team, one.topic, one.opened_us, one.opened_severity,
            one.severity, one.rises, one.pilot, one.rules, one.row, one.members, set(one.receivers),
        )
        for one in run.alerts
    ]  # fmt: skip


@pytest.mark.parametrize("since", [BEGIN, MIDDLE], ids=["from-the-beginning", "from-the-middle"])
def test_unchanged_rules_decide_on_every_match_as_triage_did(here: Replayed, since: datetime) -> None:
    columns = read_columns(here.store, since, here.clock.now() + SOON)
    then, now = stored_run(columns), run_rules(columns, here.config)
    assert then.outcome.tolist() == now.outcome.tolist()
    assert then.alert.tolist() == now.alert.tolist()
    assert alerts_of(then) == alerts_of(now)
    scored = ~columns.unscored
    assert then.priority[scored].tolist() == now.priority[scored].tolist()
    assert {RAISED, JOINED, OLD} <= set(then.outcome.tolist()) or since == MIDDLE
    assert bool(columns.carried) == (since == MIDDLE)


def test_the_columns_hold_every_decision_and_what_was_stored_of_it(here: Replayed) -> None:
    columns = read_columns(here.store, BEGIN, here.clock.now() + SOON)
    assert len(columns) == here.store.counts()["matches"] == len(here.posted)
    with reading(here.store.decisions._engine) as connection:
        rows = connection.execute(select(schema.matches)).mappings().all()
    for row in rows:
        place = columns.row_of[row["id"]]
        assert OUTCOMES[columns.outcome[place]] == row["outcome"]
        assert moment(columns.decided_us[place]) == row["triaged_at"]
        assert columns.influence[place] == row["influence"]


def test_a_replay_of_unchanged_rules_says_that_nothing_differs(here: Replayed) -> None:
    found = simulate(here.store, None, here.config, BEGIN, here.clock.now() + SOON)
    assert (found.appearing, found.vanishing) == (0, 0)
    change = found.change
    assert (change.severer, change.milder, change.other_receivers, change.other_team) == (0, 0, 0, 0)
    assert change.same == found.now.tally.total > 20
    assert found.then == found.now


def test_on_postgresql_it_is_the_same(tmp_path: Path, postgres_url: str) -> None:
    url = migrated_database(postgres_url)
    made = Replayed(tmp_path, url, seed=5).days(0.5, 40)
    try:
        columns = read_columns(made.store, BEGIN, made.clock.now() + SOON)
        then, now = stored_run(columns), run_rules(columns, made.config)
        assert then.outcome.tolist() == now.outcome.tolist()
        assert alerts_of(then) == alerts_of(now)
        read_only = Store(url, read_only=True)
        with pytest.raises(SQLAlchemyError, match="read-only"):
            read_only.outbox.release()
        assert simulate(read_only, None, made.config, BEGIN, made.clock.now() + SOON).appearing == 0
        read_only.close()
    finally:
        made.close()


# What changes


def test_higher_thresholds_let_alerts_vanish_and_say_by_how_much(here: Replayed, tmp_path: Path) -> None:
    strict = "thresholds: {complaint: 0.8, urgent: 0.9, priority: 0.6, influence: 0.95, praise: 1.0}"
    new = load(write_config(tmp_path, here.config.store.url, FR=strict))
    found = simulate(here.store, here.config, new, BEGIN, here.clock.now() + SOON, "FR", texts=100)
    assert found.appearing == 0
    assert found.vanishing == len(found.vanish) > 0
    assert found.now.tally.total == found.then.tally.total - found.vanishing
    assert {one.country for one in found.vanish} == {"FR"}
    quiet = [one for one in found.vanish if "joins" not in one.because[0]]
    assert all("misses" in one.because[0] for one in quiet)
    assert all(one.reference.startswith("A-") and one.text for one in found.vanish)


def test_lower_thresholds_let_alerts_appear_with_their_posts_and_the_rule_that_raises_them(
    here: Replayed, tmp_path: Path
) -> None:
    new = load(write_config(tmp_path, here.config.store.url, FR="thresholds: {complaint: 0.2, priority: 0.05}"))
    found = simulate(here.store, None, new, BEGIN, here.clock.now() + SOON, "FR", texts=100, in_force=here.config)
    assert found.appearing > 0
    texts = {mention.text for mention in here.posted}
    for one in found.appear:
        assert one.text in texts
        assert one.country == "FR"
        assert one.rules
        assert any("meets" in because for because in one.because)
    assert {one.country for one in found.vanish} <= {"FR"}
    assert set(found.now.tally.by_country) == {"FR"}


def test_a_country_that_was_off_is_replayed_with_scores_of_now(here: Replayed, tmp_path: Path) -> None:
    new = load(write_config(tmp_path, here.config.store.url, ES="live"))
    found = simulate(here.store, None, new, BEGIN, here.clock.now() + SOON, "ES")
    assert found.then.tally.total == 0
    assert found.now.tally.total == found.appearing > 0
    assert any("were not scored then" in note for note in found.notes)
    again = simulate(here.store, None, new, BEGIN, here.clock.now() + SOON)
    assert {one.country for one in again.appear} == {"ES"}


def test_the_daemon_itself_decides_so_under_the_new_rules(tmp_path: Path) -> None:
    """What a replay says of new rules is what triage does with them from the beginning on."""
    loose = "thresholds: {complaint: 0.2, priority: 0.1, urgent: 0.1}, weights: {influence: 0.1, velocity: 0.5}"
    folders = [tmp_path / name for name in ("old", "new")]
    for folder in folders:
        folder.mkdir()
    old = Replayed(folders[0], migrated_sqlite(folders[0]), seed=9)
    new = Replayed(folders[1], migrated_sqlite(folders[1]), seed=9, FR=loose, ES="live")
    try:
        for one in (old, new):
            for _ in range(6):  # nobody acts: who does depends on which alerts there are
                one.clock.advance(3600)
                one.post(15)
        until = old.clock.now() + SOON
        replayed = run_rules(read_columns(old.store, BEGIN, until), new.config)
        real = stored_run(read_columns(new.store, BEGIN, until))
        assert replayed.outcome.tolist() == real.outcome.tolist()
        assert [one.members for one in replayed.alerts] == [one.members for one in real.alerts]
        assert [one.severity for one in replayed.alerts] == [one.severity for one in real.alerts]
        assert [set(one.receivers) for one in replayed.alerts] == [set(one.receivers) for one in real.alerts]
    finally:
        old.close()
        new.close()


def test_what_was_not_seen_is_told(here: Replayed) -> None:
    gap = Gap(BEGIN - timedelta(hours=3), BEGIN + timedelta(hours=5), "rate limit")
    now = here.clock.now()
    here.store.collecting.save_failure("file/FR/acme", "429", now=now, next_poll_at=now, gap=gap)
    found = simulate(here.store, None, here.config, BEGIN, now + SOON, "FR")
    (note,) = [one for one in found.notes if "did not see" in one]
    assert note == "file/FR/acme did not see 5.0 h of the span (rate limit): the replay is too kind there"
    assert not any("did not see" in one for one in simulate(here.store, None, here.config, BEGIN, now, "BE").notes)


def test_a_watch_that_is_gone_is_not_heard(here: Replayed, tmp_path: Path) -> None:
    path = write_config(tmp_path, here.config.store.url)
    path.write_text(
        path.read_text(encoding="utf-8").replace("  BE: {", "  BE: {sources: {file: []}, "), encoding="utf-8"
    )
    new = load(path)
    found = simulate(here.store, here.config, new, BEGIN, here.clock.now() + SOON, "BE")
    assert found.now.tally.total == 0
    assert found.vanishing == found.then.tally.total > 0
    assert any("is gone" in note for note in found.notes)


# Nothing is touched


def contents(url: str) -> dict[str, str]:
    """Return a digest of every row of every table."""
    engine = open_engine(url, read_only=True)
    with reading(engine) as connection:
        found = {
            table.name: hashlib.sha256(repr(sorted(map(repr, connection.execute(select(table))))).encode()).hexdigest()
            for table in schema.metadata.sorted_tables
        }
        assert connection.scalar(select(func.count()).select_from(schema.matches))
    engine.dispose()
    return found


def test_nothing_is_written_not_even_a_byte(here: Replayed, tmp_path: Path) -> None:
    url = here.config.store.url
    files = [Path(url.removeprefix("sqlite:///") + ending) for ending in ("", "-wal")]
    before = contents(url), [one.read_bytes() for one in files if one.exists()]
    path = write_config(tmp_path, url, FR="thresholds: {complaint: 0.2}", ES="live")
    result = CliRunner().invoke(app, ["simulate", "-c", str(path), "--since", "2026-11-09"])
    assert result.exit_code == 0, result.output
    assert (contents(url), [one.read_bytes() for one in files if one.exists()]) == before


def test_a_store_opened_for_reading_refuses_to_change(here: Replayed) -> None:
    store = Store(here.config.store.url, read_only=True)
    with pytest.raises(SQLAlchemyError, match="readonly"):
        store.outbox.release()
    store.close()


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sub folder?/none#1.db"
    with pytest.raises(StoreError, match="there is no database"):
        Store(url, read_only=True)
    assert list(tmp_path.iterdir()) == []


# The command


def invoke(*arguments: str, env: dict[str, str] | None = None) -> Any:
    return CliRunner().invoke(app, ["simulate", *arguments], env=env)


def test_the_report_fits_a_narrow_terminal_and_shows_no_control(here: Replayed, tmp_path: Path) -> None:
    here.hostile_once(HOSTILE)
    new = load(write_config(tmp_path, here.config.store.url, FR="thresholds: {complaint: 0.2, priority: 0.05}"))
    found = simulate(here.store, None, new, BEGIN, here.clock.now() + SOON, texts=300)
    assert any(HOSTILE in one.text for one in found.appear)
    for width in (80, 120, 40):
        report = lines(found, width)
        assert max(map(cell_len, report)) <= max(72, min(width, 110))
        assert any("الشركة" in line for line in report)
        text = "".join(report)
        assert not any(unicodedata.category(letter) == "Cc" or letter in "\u202e\u202d" for letter in text)
    document = as_json(found)
    assert "\u202e" not in document
    assert any(HOSTILE in one["text"] for one in json.loads(document)["appear"])


def test_rates_are_told_by_the_days_that_are_stored(here: Replayed) -> None:
    until = here.clock.now() + SOON
    found = simulate(here.store, None, here.config, BEGIN - timedelta(days=30), until, texts=0)
    assert 1 < found.covered_days <= (until - BEGIN) / timedelta(days=1)
    said = "\n".join(lines(found))
    assert f"now/day: by the {found.covered_days:.1f} days of the span that are stored" in said
    assert json.loads(as_json(found))["covered_days"] == found.covered_days
    short = "\n".join(lines(replace(found, covered_days=15 / 1440)))
    assert "now/day: 15 min of the span is stored: too short for a rate" in short


def test_the_command_writes_json_that_adds_up(here: Replayed, tmp_path: Path) -> None:
    path = write_config(tmp_path, here.config.store.url, FR="thresholds: {complaint: 0.2, priority: 0.05}")
    result = invoke("-c", str(path), "--since", "2026-W46", "--format", "json", "--country", "fr", "--exit-code")
    assert result.exit_code == 3, result.output
    found = json.loads(result.stdout)
    assert found["countries"] == ["FR"]
    assert found["timezone"] == "Europe/Paris"
    for side in ("then", "now"):
        counted = found[side]["alerts"]
        assert counted["total"] == sum(counted["by_severity"].values())
        assert counted["total"] == sum(sum(day.values()) for day in counted["by_day"].values())
        assert counted["total"] == sum(sum(team.values()) for team in counted["by_team"].values())
        judged = found[side]["precision"]
        assert judged["useful"] + judged["noise"] + judged["unjudged"] == counted["total"]
        assert judged["enough"] == (judged["useful"] + judged["noise"] >= 20)
    assert found["appearing"] - found["vanishing"] == found["now"]["alerts"]["total"] - found["then"]["alerts"]["total"]


def test_against_the_configuration_only_the_change_shows(here: Replayed, tmp_path: Path) -> None:
    path = write_config(tmp_path, here.config.store.url, "new.yaml")
    current = str(here.config.path)
    result = invoke(
        "-c", str(path), "--since", "2026-11-09", "--against", "config", "--current", current, "--exit-code"
    )
    assert result.exit_code == 0, result.output
    assert "Would appear: 0 alerts" in result.stdout
    assert "replayed as well" in " ".join(result.stdout.split())  # long paths wrap


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "write 7d, 24h, a day such as 2026-11-10, or a week such as 2026-W46"),
        (["--since", "2026-W60"], "is no span"),
        (["--since", "2031-01-01"], "lies in the future"),
        (["--since", "2020-01-01", "--until", "2020-01-31"], "what is stored was decided from 2026-11-09"),
        (["--since", "2026-11-10", "--until", "2026-11-08"], "there is no time at all"),
        (["--since", "2026-11-09", "--country", "ZZ"], "there is no country 'ZZ'; known: BE, CH, ES, FR, JP"),
        (["--since", "2026-11-09", "--current", "none.yaml"], "none.yaml"),
        (["--since", "2026-11-09", "--store", "sqlite:///none.db"], "there is no database none.db"),
    ],
)
def test_bad_input_says_what_to_do(here: Replayed, tmp_path: Path, arguments: list[str], said: str) -> None:
    path = write_config(tmp_path, here.config.store.url)
    result = invoke("-c", str(path), *arguments)
    assert result.exit_code != 0
    assert said in str(result.exception) + result.output


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    result = invoke("-c", str(tmp_path / "none.yaml"))
    assert result.exit_code == 1
    assert "none.yaml" in str(result.exception)
    assert not os.listdir(tmp_path)
