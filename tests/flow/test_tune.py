"""`listener tune` on what the real pipeline decided and people judged, on both databases."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from listener import tune_command
from listener.cli import app
from listener.clock import SystemClock
from listener.config.editing import edited
from listener.errors import ListenerError, StaleError
from listener.store import Store
from listener.tune_command import edits_of
from listener.tuning.budgets import parse_budget
from listener.tuning.columns import moment, read_columns
from listener.tuning.joining import run_rules
from listener.tuning.telling import facts
from listener.tuning.tuned import Tuning, tune, tune_all
from tests.databases import copied_database, migrated_sqlite
from tests.flow import replayed
from tests.flow.replayed import Replayed, load, write_config

DAYS = 4


RULES = "thresholds: {complaint: 0.4, priority: 0.2}"


class Place:
    """A folder with a configuration, and a store with some days that end now."""

    def __init__(self, folder: Path, url: str, until: datetime) -> None:
        self.path, self.until = write_config(folder, url, FR=RULES), until
        self.store = Store(url)
        self.text = self.path.read_text(encoding="utf-8")

    def listener(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(self.path)])

    def tuned(self, budget: str, country: str = "FR") -> Tuning:
        since = self.until - timedelta(days=28)
        return tune(self.store, load(self.path), country, parse_budget(budget), since, self.until)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """The file of a database with some days, and when they ended."""
    folder, until = tmp_path_factory.mktemp("lived"), SystemClock().now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replayed, "BEGIN", until - timedelta(days=DAYS, hours=1))
        Replayed(folder, migrated_sqlite(folder), FR=RULES).days(DAYS, 320).close()
    return folder / "listener.db", until


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, lived: tuple[Path, datetime]
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("tune")
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(lived[0], folder)}"
    else:
        url = copied_database(f"sqlite:///{lived[0]}", request.getfixturevalue("postgres_url"), kept=True)
    place = Place(folder, url, lived[1])
    yield place
    place.store.close()


@pytest.fixture
def place(stored: Place) -> Iterator[Place]:
    """The same, with the configuration as it was at the beginning."""
    stored.path.write_text(stored.text, encoding="utf-8")
    return stored


def test_a_proposal_makes_as_many_alerts_as_it_says(place: Place) -> None:
    present = place.tuned("1000/day").proposal.present
    wish = f"{present.per_day * 0.7:.1f}/day"
    tuning = place.tuned(wish)
    point = tuning.proposal.proposed
    assert point is not None
    assert point.per_day <= present.per_day * 0.7 + 0.05
    before = load(place.path)
    place.path.write_text(edited(place.text, edits_of(tuning)), encoding="utf-8")
    columns = read_columns(place.store, place.until - timedelta(days=28), place.until)
    now, then = run_rules(columns, load(place.path), country="FR"), run_rules(columns, before, country="FR")
    assert len(now.raised) == point.alerts
    gone = [one for one in then.raised if not (now.alert[one.members] >= 0).any()]
    assert sorted((moment(one.opened_us), one.severity) for one in gone) == sorted(
        (one.at, one.severity) for one in tuning.lost
    )
    assert all(one.severity < 3 and one.text for one in tuning.lost)
    assert place.tuned(wish).proposal.met


def test_several_countries_are_as_each_alone(place: Place) -> None:
    since, wish = place.until - timedelta(days=28), parse_budget("2/day")
    together = tune_all(place.store, load(place.path), ["FR", "BE"], wish, since, place.until)
    alone = [place.tuned("2/day", code) for code in ("FR", "BE")]
    assert [facts(one) for one in together] == [facts(one) for one in alone]


def test_without_write_the_change_is_shown_and_nothing_is_changed(place: Place) -> None:
    result = place.listener("tune", "--country", "FR", "--budget", "2/day", "--show", "3")
    assert result.exit_code == 0, result.output
    assert place.path.read_text(encoding="utf-8") == place.text
    assert "-  FR: {thresholds: {complaint: 0.4, priority: 0.2}}" in result.stdout
    assert "nothing was written; --write changes the file" in result.stderr
    assert "none of severity 3" in result.stdout
    assert all(cell_len(line) <= 80 for line in result.stdout.partition("--- a/")[0].splitlines())


def test_write_changes_only_the_thresholds_and_is_kept_as_a_version(place: Place) -> None:
    result = place.listener("tune", "--country", "FR", "--budget", "2/day", "--write", "--by", "Olga")
    assert result.exit_code == 0, result.output
    before, after = place.text.splitlines(), place.path.read_text(encoding="utf-8").splitlines()
    assert [one for one, other in zip(before, after, strict=True) if one != other] == [
        "  FR: {thresholds: {complaint: 0.4, priority: 0.2}}"
    ]
    version = place.store.configurations.latest()
    assert version is not None
    assert (version.author, version.note) == ("Olga", "listener tune --country FR --budget 2/day")
    again = place.listener("tune", "--country", "FR", "--budget", "2/day", "--write")
    assert "meet that already" in " ".join(again.stdout.split())
    assert place.path.read_text(encoding="utf-8").splitlines() == after


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = place.text.replace("pilot_receiver: trial", "pilot_receiver: loud")
    tuned = tune_command._tuned

    def meanwhile(*arguments: Any) -> list[Tuning]:
        found = tuned(*arguments)
        place.path.write_text(changed, encoding="utf-8")
        return found

    monkeypatch.setattr(tune_command, "_tuned", meanwhile)
    result = place.listener("tune", "--country", "FR", "--budget", "2/day", "--write")
    assert isinstance(result.exception, StaleError)
    assert place.path.read_text(encoding="utf-8") == changed


def test_json_has_the_curve_and_every_lost_alert(place: Place) -> None:
    result = place.listener("tune", "--country", "FR", "--country", "BE", "--budget", "15/week", "--format", "json")
    found = json.loads(result.stdout)
    france = found["countries"][0]
    assert [one["country"] for one in found["countries"]] == ["FR", "BE"]
    assert len(france["lost"]) == france["proposed"]["lost"] > 0
    assert france["proposed"]["alerts_a_day"] <= 15 / 7
    assert [point["alerts"] for point in france["curve"]] == sorted(
        (point["alerts"] for point in france["curve"]), reverse=True
    )
    assert found["diff"]


def test_a_precision_without_verdicts_is_refused_with_how_many_are_needed(place: Place) -> None:
    result = place.listener("tune", "--country", "FR", "--precision", "0.5", "--since", "26h")
    assert isinstance(result.exception, ListenerError)
    assert "97 verdicts are needed to tell a precision of 0.5 to ten points" in str(result.exception)


def test_a_wish_that_cannot_be_met_writes_nothing_and_ends_with_1(place: Place) -> None:
    everything = place.text.replace(
        "{complaint: 0.4, priority: 0.2}", "{severity_2: 0.2, severity_3: 0.2, severity_3_urgent: 0.2}"
    )
    place.path.write_text(everything, encoding="utf-8")
    result = place.listener("tune", "--country", "FR", "--budget", "1/week", "--write")
    assert result.exit_code == 1
    assert "No thresholds meet that" in result.stdout
    assert place.path.read_text(encoding="utf-8") == everything


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--country", "FR"], "either --budget 25/day or --precision 0.8"),
        (["--country", "FR", "--precision", "80"], "write 0.8 for eight of ten"),
        (["--country", "FR", "--budget", "5/day", "--precision", "0.8"], "either --budget 25/day or --precision 0.8"),
        (["--country", "FR", "--budget", "many"], "such as 25/day"),
        (["--country", "XX", "--budget", "5/day"], "country XX is not configured; known: FR, BE, JP, CH, ES"),
        (["--country", "ES", "--budget", "5/day"], "ES is in mode off"),
        (["--country", "FR", "--budget", "5/day", "--since", "2h"], "less than a day of FR was decided on"),
        (["--country", "FR", "--budget", "5/day", "--since", "soon"], "is no span"),
    ],
)
def test_what_cannot_be_asked_is_said(place: Place, arguments: list[str], says: str) -> None:
    result = place.listener("tune", *arguments)
    assert result.exit_code != 0
    words = " ".join((result.output + str(result.exception)).replace("│", " ").split())
    assert says in words
