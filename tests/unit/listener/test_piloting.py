"""Whether a country that is being launched is ready: each criterion, by what alerts and people showed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.keeping import Keeper
from listener.model import Gap, Page
from listener.piloting import Readiness, lines, readiness
from listener.plugins import plugin_options, status_lines
from listener.store import Store, schema
from listener.store.triage import NewAlert
from tests.commands import listener_here
from tests.databases import migrated_sqlite

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=14)
TEXT = """\
version: 1
brands: {acme: {name: Acme, terms: [acme]}}
teams: {hub: {name: Hub, languages: [en, fr]}}
sources: {file: {}}
receivers:
  screen: {type: terminal}
  desk: {type: slack, token: "${file:%s/token}", channel: C1}
  trial: {type: terminal}
fallback_receiver: screen
route: {receiver: screen, routes: [{match: {country: CH, severity: 3}, receiver: desk}]}
defaults:
  languages: [en]
  timezone: UTC
  hours: {mon-fri: "09:00-18:00"}
  team: hub
countries:
  CH:
    languages: [fr]
    mode: pilot
    pilot_receiver: trial
    ramp: {share: 0.1}
    sources: {file: [{name: posts, path: "%s/posts.jsonl"}]}
  FR: {languages: [fr]}
"""


class Launch:
    """A pilot country with a store, in which everything goes well until a test spoils it."""

    def __init__(self, folder: Path) -> None:
        (folder / "token").write_text("xoxb-1", encoding="utf-8")
        self.path = folder / "config.yaml"
        self.path.write_text(TEXT % (folder, folder), encoding="utf-8")
        self.url = migrated_sqlite(folder)
        self.store = Store(self.url)
        self.alerts: list[int] = []

    @property
    def config(self) -> Config:
        return load_config(self.path, plugin_options())

    def goes_well(self) -> "Launch":
        for number in range(24):
            self.alert(
                SINCE + timedelta(hours=12 * number + 1), resolution="public" if number < 20 else "not_complaint"
            )
        (watch,) = self.config.watches
        self.store.collecting.save_page(watch, Page((), None), [], now=NOW, next_poll_at=NOW, max_age_s=None)
        return self

    def alert(self, at: datetime, *, resolution: str | None, country: str = "CH", **values: Any) -> None:
        with self.store.triage.transaction() as transaction:
            new = NewAlert(
                match_id=None, brand="acme", country=country, team="hub", severity=2, priority=0.5, topic="delivery",
                playbook=None, pilot=True, rules=("urgent",), posted_at=at, now_with="hub",
                respond_by=at + timedelta(hours=2), resolve_by=at + timedelta(hours=9),
            )  # fmt: skip
            alert = transaction.open_alert(replace(new, **values), (), at)
            if resolution is not None:
                done = {"resolution": resolution, "closed_by": "Lotte", "closed_at": at + timedelta(hours=1)}
                answered = {"replied_at": at + timedelta(minutes=30)} if resolution == "public" else {}
                transaction.change(alert.id, at, state="resolved", **done, **answered)
        self.alerts.append(alert.id)

    def spoil(self, count: int, **values: Any) -> None:
        table = schema.alerts
        with self.store.triage.transaction() as transaction:
            for alert_id in self.alerts[:count]:
                transaction._connection.execute(update(table).where(table.c.id == alert_id).values(**values))

    def judged(self) -> Readiness:
        return readiness(self.config, self.store, "CH", SINCE, NOW)

    def met(self, name: str) -> bool | None:
        return next(one.met for one in self.judged().criteria if one.name == name)

    def said(self, name: str) -> str:
        return next(one.said for one in self.judged().criteria if one.name == name)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    launch = Launch(tmp_path)
    yield launch
    launch.store.close()


def test_one_that_goes_well_is_ready_for_the_next_share(launch: Launch) -> None:
    found = launch.goes_well().judged()
    assert [(one.name, one.met) for one in found.criteria if not one.met] == []
    assert (found.is_ready, found.next_step) == (True, "ramp: {share: 0.25}")
    assert lines(found)[0] == "CH: ready; 10% of its alerts go to the real receivers"
    assert launch.said("precision") == "20 of 24 were right, 83% (between 64% and 93%)"


def test_after_the_whole_share_it_goes_live(launch: Launch) -> None:
    launch.path.write_text(
        launch.path.read_text(encoding="utf-8").replace("share: 0.1", "share: 1.0"), encoding="utf-8"
    )
    assert launch.goes_well().judged().next_step == "mode: live"


def test_nothing_is_known_of_one_that_raised_nothing(launch: Launch) -> None:
    found = launch.judged()
    assert not found.is_ready
    assert found.next_step == ""
    assert {one.name: one.met for one in found.criteria}["precision"] is None


@pytest.mark.parametrize(
    ("count", "values", "name", "met"),
    [
        (12, {"resolution": "not_complaint"}, "precision", False),
        (8, {"resolution": None, "closed_by": None, "replied_at": None}, "precision", None),
        (8, {"resolution": "no_reply", "replied_at": None}, "precision", None),
        (8, {"resolution": None, "closed_by": None, "replied_at": None}, "people", False),
        (8, {"replied_at": None}, "answers", False),
        (8, {"replied_at": NOW}, "answers", False),
        (24, {"drill": True}, "time", None),
        (24, {"country": "FR"}, "time", None),
        (24, {"opened_at": NOW - timedelta(days=3)}, "time", False),
    ],
)
def test_what_goes_badly_is_said(
    launch: Launch, count: int, values: dict[str, Any], name: str, met: bool | None
) -> None:
    launch.goes_well().spoil(count, **values)
    assert launch.met(name) is met
    assert not launch.judged().is_ready


def test_time_that_was_not_seen_counts(launch: Launch) -> None:
    launch.goes_well()
    (watch,) = launch.config.watches
    gap = Gap(NOW - timedelta(days=3), NOW - timedelta(days=1), "quota used up")
    page = Page((), None, gaps=(gap,))
    launch.store.collecting.save_page(watch, page, [], now=NOW, next_poll_at=NOW, max_age_s=None)
    assert launch.met("coverage") is False
    assert "14.3% of the time not seen" in launch.said("coverage")


def test_a_watch_that_never_heard_anything_counts(launch: Launch) -> None:
    assert launch.met("coverage") is False
    assert "file/CH/acme/posts" in launch.said("coverage")


def test_the_real_receivers_must_be_on(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    assert launch.goes_well().met("receivers") is False
    assert launch.said("receivers") == "its alerts will go to screen, desk; off: desk"


def test_languages_without_drafts_are_named(launch: Launch) -> None:
    launch.path.write_text(
        launch.path.read_text(encoding="utf-8").replace("languages: [fr]\n    mode", "languages: [fr, mt]\n    mode"),
        encoding="utf-8",
    )
    assert launch.goes_well().met("languages") is False
    assert launch.said("languages") == "no drafts in mt; the team does not read mt"


def test_alerts_from_before_a_country_was_a_pilot_are_not_counted(launch: Launch) -> None:
    launch.goes_well()
    text = launch.path.read_text(encoding="utf-8")
    clock = FixedClock(SINCE - timedelta(days=9))
    launch.path.write_text(text.replace("mode: pilot\n", "mode: live\n"), encoding="utf-8")
    keeper = Keeper(launch.path, launch.store, clock)
    keeper.keep()
    assert "24 alerts" in launch.said("time")  # no kept one has it as a pilot: nothing is known
    launch.path.write_text(text, encoding="utf-8")
    clock.advance((NOW - timedelta(days=2) - clock.now()).total_seconds())
    Keeper(launch.path, launch.store, clock).keep()
    launch.alert(NOW - timedelta(days=1), resolution="public")
    assert launch.said("time") == "1 alert in 1 day, 1.0 a day"


def test_of_less_than_a_day_no_rate_is_told(launch: Launch) -> None:
    for minutes in (15, 14):
        launch.alert(NOW - timedelta(minutes=minutes), resolution="public")
    assert launch.said("time") == "2 alerts in less than a day: too short for a rate"


def test_a_pilot_that_tells_whom_its_alerts_are_for_in_earnest_is_warned_of(launch: Launch) -> None:
    assert not any("in earnest" in line for line in status_lines(launch.config, {}))
    text = launch.path.read_text(encoding="utf-8")
    launch.path.write_text(text.replace("pilot_receiver: trial", "pilot_receiver: desk"), encoding="utf-8")
    said = (
        "warning: CH is a pilot, and its pilot_receiver desk is where its alerts go in earnest, too; name another one"
    )
    assert said in status_lines(launch.config, {})
    launch.path.write_text(
        f"{launch.path.read_text(encoding='utf-8')}store: {{url: '{launch.url}'}}\n", encoding="utf-8"
    )
    assert said in listener_here("pilot", "--config", str(launch.path)).stderr.splitlines()
