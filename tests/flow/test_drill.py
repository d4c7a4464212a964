"""Drills: the real path to a trial channel, people who react there, and nothing of it anywhere else."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from listener.app import OpenDesk, open_desk
from listener.config import load_config
from listener.desk import Actor
from listener.drilling import Alone, Drill, DrillError, Plan, end_alerts, leftovers, plan, report
from listener.errors import StoreError
from listener.learning import correct
from listener.model import AlertState
from listener.pipeline.tally import Tally
from listener.plugins import plugin_options
from listener.slack.service import SlackService
from tests.commands import ROOT, listener_here
from tests.databases import migrated_database
from tests.flow.test_slack_app import SOCKET, settled, slack_world
from tests.flow.world import URGENT_FR, World
from tests.servers.slack import TOKEN, SlackMessage, SlackServer

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

TRIAL = (
    'trial: {{type: slack, token: "${{file:{secrets}/slack}}", channel: C9, base_url: "{slack}", min_interval_s: 0}}'
)
TRIAL_NAMED = SOCKET + "trial_receiver: trial\n"
STEP_S = 5.0
DRILLMASTER = Actor("Vera")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else migrated_database(request.getfixturevalue("postgres_url"))


@pytest.fixture
def day(
    tmp_path: Path, classifier: "MentionClassifier", store_url: str
) -> Iterator[tuple[World, SlackService, OpenDesk]]:
    with (
        slack_world(tmp_path, classifier, TRIAL_NAMED, receivers=TRIAL, store=store_url) as (here, service),
        open_desk(here.config, here.clock) as office,
    ):
        here.slack.add_channel("C9")
        yield here, service, office


def planned(here: World, office: OpenDesk, **more: object) -> Plan:
    return plan(here.config, office.store, here.clock.now(), country="FR", **more)  # type: ignore[arg-type]


def begin(here: World, office: OpenDesk) -> None:
    """Begin a drill of two posts; its alerts are open, and no time has passed."""
    wanted = planned(here, office, posts=2, over=timedelta(0), wait=timedelta(hours=1))
    drill = Drill(wanted, office, Alone(here.app, "trial"), DRILLMASTER)
    drill.inject_due()
    drill.worker.step()


def hold(
    here: World, office: OpenDesk, wanted: Plan, *, act: object = None, turns: int = 200
) -> tuple[Drill, list[SlackMessage]]:
    """Hold a drill; between its steps time passes and `act` sees the cards in the trial channel."""
    drill = Drill(wanted, office, Alone(here.app, "trial"), DRILLMASTER)
    left = iter(range(turns))
    cards = here.slack.channel("C9").messages

    def pause(seconds: float) -> bool:
        here.clock.advance(STEP_S)
        if callable(act):
            act(cards)
        return next(left, None) is None

    drill.run(pause)
    return drill, cards


def test_a_drill_times_rules_slack_and_people(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, service, office = day
    olga = here.slack.person("U1", name="olga")
    done: dict[str, str] = {}

    def act(cards: list[SlackMessage]) -> None:
        for card in [one for one in cards if "claim" in one.actions and one.ts not in done]:
            olga.press(card, "claim")
            done[card.ts] = "claimed"
            settled(here, service)
        for card in [one for one in cards if "resolve" in one.actions and done.get(one.ts) == "claimed"]:
            (option, *_) = [
                one["value"] for one in card.actions["resolve"]["options"] if one["value"].endswith("|public")
            ]
            olga.choose(card, "resolve", option)
            done[card.ts] = "resolved"
            settled(here, service)

    wanted = planned(here, office, posts=6, over=timedelta(seconds=60), wait=timedelta(minutes=5))
    drill, cards = hold(here, office, wanted, act=act)
    found = report(office.store, wanted.id, stored_s=drill.stored_s)
    steps = {step.name: step for step in found.steps}
    assert found.posts == 6
    assert sum(found.outcomes.values()) == 6
    assert "waiting" not in found.outcomes
    assert found.receiver == "trial"
    assert len(found.alerts) == found.outcomes["raised"] >= 1
    for name in ("stored", "classified", "decided"):
        assert len(steps[name].seconds) == 6
        assert max(steps[name].seconds) <= STEP_S
    for one in found.alerts:
        assert one.owner == "Olga"
        assert one.resolution == "public"
        assert one.card_s is not None
        assert one.claimed_s is not None
        assert one.resolved_s is not None
        assert one.card_s <= one.claimed_s == one.press_s <= one.resolved_s
        assert one.answered_s == one.resolved_s
    assert not leftovers(office.store)
    alert_cards = [card for card in cards if "[DRILL]" in card.shown]
    assert len(alert_cards) == len(found.alerts)
    assert all("DRILL · Severity" in card.shown for card in alert_cards)
    lines = "\n".join(found.lines())
    assert "claimed after" in lines
    assert "by Olga" in lines
    assert "resolved by people" in lines
    assert json.loads(found.json())["alerts"][0]["owner"] == "Olga"
    assert office.store.drills.latest() == wanted.id


def test_nothing_of_a_drill_leaves_the_trial_channel(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    wanted = planned(here, office, posts=4, over=timedelta(0), wait=timedelta(hours=3))
    hold(here, office, wanted, turns=3)
    here.later(hours=2)  # targets are missed by now
    here.app.tend()
    here.send()
    assert here.shown("C1") == here.shown("C2") == []
    assert here.slack.channel("C9").messages
    everything = here.slack.channel("C9").everything
    assert not any(message.live_markup for message in everything), "nobody is mentioned"
    kinds = {event.kind for one in office.store.drills.alerts(wanted.id) for event in office.store.alerts.history(one)}
    assert kinds <= {"opened", "joined", "severity", "resolved", "holds", "over"}


def test_a_reply_can_be_practised_on_a_drills_card(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, service, office = day
    drill = Drill(planned(here, office, posts=1, over=timedelta(0)), office, Alone(here.app, "trial"), DRILLMASTER)
    drill.inject_due()
    drill.worker.step()
    olga = here.slack.person("U1", name="olga")
    olga.press(here.slack.channel("C9").messages[0], "reply")
    settled(here, service)
    assert olga.view is not None
    assert "Bonjour" in json.dumps(olga.view.public(), ensure_ascii=False)


def test_a_drill_that_ends_says_so_on_its_cards(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    wanted = planned(here, office, posts=3, over=timedelta(0), wait=timedelta(seconds=30))
    _, cards = hold(here, office, wanted)
    found = report(office.store, wanted.id)
    alerts = [office.store.alerts.alert(one) for one in office.store.drills.alerts(wanted.id)]
    assert alerts
    assert all(one is not None and one.state is AlertState.RESOLVED for one in alerts)
    assert all(one is not None and (one.resolution, one.closed_by) == ("drill", "Vera") for one in alerts)
    assert all("the drill is over, by Vera" in card.shown for card in cards)
    assert all(one.resolved_s is None and one.claimed_s is None for one in found.alerts)
    assert "nobody claimed it; open until the drill was over" in "\n".join(found.lines())


def test_customers_and_drills_do_not_join(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    begin(here, office)
    live = leftovers(office.store)
    text = office.store.triage.item(live[0].match_id or 0)
    assert text is not None
    here.post(text.mention.text + " @yunfan", minutes_ago=0, username="copycat")  # somebody repeats the drill's words
    here.post(URGENT_FR, username="claire")
    here.pass_once()
    rows = office.store.alerts.live()
    assert [row.id for row in rows if row.drill] == [row.id for row in live]
    assert all(row.mentions == before.mentions for row, before in zip(leftovers(office.store), live, strict=True))
    assert any("bouilloire" in shown for shown in here.shown("C1"))
    assert not any("[DRILL] Yunfan" in shown and "DRILL ·" in shown for shown in here.shown("C1"))


def test_a_second_drill_is_no_copy_of_the_first(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    counts = []
    for _ in range(2):
        wanted = planned(here, office, posts=4, over=timedelta(0), wait=timedelta(seconds=10))
        hold(here, office, wanted)
        counts.append(report(office.store, wanted.id).outcomes)
        here.later(minutes=30)
    assert counts[0] == counts[1]
    assert len({office.store.drills.latest(), wanted.id}) == 1


def test_nothing_is_learned_from_a_drill(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    begin(here, office)
    (first, *rest) = leftovers(office.store)
    assert office.desk.not_a_complaint(first.id, DRILLMASTER, "joke").done
    for one in rest:
        assert office.desk.resolve(one.id, DRILLMASTER, "solved").done
    assert office.store.corrections.count() == 0
    assert office.store.corrections.standing() == []
    with pytest.raises(StoreError, match="belongs to a drill"):
        correct(office.store, f"A-{first.id}", None, {"complaint": False}, "vera", here.clock.now())


def test_an_interrupted_drill_blocks_the_next_until_it_is_ended(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    begin(here, office)
    with pytest.raises(DrillError, match=r"another drill is not over: A-1.*listener drill --end"):
        planned(here, office)
    assert end_alerts(office, [one.id for one in leftovers(office.store)], DRILLMASTER) >= 1
    assert planned(here, office).receiver == "trial"


def test_a_trial_channel_that_fails_hands_nothing_of_a_drill_to_another(
    day: tuple[World, SlackService, OpenDesk],
) -> None:

    here, _, office = day
    here.slack.channel("C9").is_archived = True
    wanted = planned(here, office, posts=2, over=timedelta(0), wait=timedelta(seconds=20))
    hold(here, office, wanted)
    here.send()
    here.app.hand_over_orphans()
    here.send(Tally())
    assert not any("[DRILL]" in shown for shown in here.shown("C1") + here.shown("C2"))
    assert all(one.card_s is None for one in report(office.store, wanted.id).alerts)
    assert "no card was accepted" in "\n".join(report(office.store, wanted.id).lines())


def test_enough_posts_become_an_incident_of_the_drill_alone(day: tuple[World, SlackService, OpenDesk]) -> None:
    here, _, office = day
    wanted = planned(here, office, posts=12, over=timedelta(minutes=5), wait=timedelta(minutes=30))
    _, cards = hold(here, office, wanted, turns=150)
    found = report(office.store, wanted.id)
    assert [one.reference[0] for one in found.incidents] == ["I"]
    assert 0 < found.incident_opened_s[0] <= 15 * 60
    assert found.incidents[0].receivers == ("trial",)
    assert found.incidents[0].resolution == "drill"
    assert any("DRILL · Bad buzz" in card.shown for card in cards)
    assert "incident opened" in "\n".join(found.lines())
    assert here.shown("C1") == here.shown("C2") == []
    assert office.store.incidents.lasting() == []


# As a command

OWN_CONFIG = """
version: 1
brands:
  acme: {{name: Acme, terms: [acme]}}
teams:
  hub: {{name: Hub, languages: [en]}}
sources:
  file: {{}}
receivers:
  live: {{type: terminal}}
  trial: {{type: slack, token: "${{env:DRILL_TEST_TOKEN}}", channel: C9, base_url: "{slack}", min_interval_s: 0}}
fallback_receiver: live
trial_receiver: trial
route: {{receiver: live, group_wait: 0s}}
defaults: {{languages: [en], timezone: UTC, hours: {{mon-sun: "00:00-23:59"}}, team: hub}}
countries:
  GB: {{}}
  IN: {{languages: [hi]}}
store: {{url: "sqlite:///{folder}/listener.db"}}
model: {{cache: "{cache}", threads: 1, backend: onnx-float32}}
"""


@pytest.fixture
def own(tmp_path: Path, model_cache: Path, checkpoint: Path) -> Iterator[tuple[SlackServer, Path]]:
    with SlackServer(channels=("C9",)) as slack:
        path = tmp_path / "config.yaml"
        path.write_text(OWN_CONFIG.format(slack=slack.api_url, folder=tmp_path, cache=model_cache), encoding="utf-8")
        yield slack, path


def listener(path: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "listener.cli", *arguments, "--config", str(path)]


def finished(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        listener(path, *arguments),
        cwd=ROOT,
        env={**os.environ, "DRILL_TEST_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def reported(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return listener_here("drill", "--report", *arguments, "--config", str(path), DRILL_TEST_TOKEN=TOKEN)


def test_where_no_daemon_runs_the_command_does_the_work_itself(own: tuple[SlackServer, Path]) -> None:
    slack, path = own
    short = ("--posts", "3", "--minutes", "0", "--wait", "2s", "--by", "Vera")
    done = finished(path, "drill", "--country", "IN", *short)
    assert done.returncode == 0, done.stderr
    assert "no daemon runs, so this command does the work" in done.stderr
    assert "classified" in done.stdout
    assert "3 of 3" in done.stdout
    cards = slack.channel("C9").messages
    assert cards
    assert all("DRILL · " in card.shown and "the drill is over, by Vera" in card.shown for card in cards)
    again = reported(path, "last")
    table = [line for line in done.stdout.splitlines() if not line.startswith("stored")]
    assert again.stdout.splitlines() == table
    assert json.loads(reported(path, "last", "--json").stdout)["country"] == "IN"
    unknown = reported(path, "1999")
    assert unknown.returncode == 1
    assert "there is no drill '1999'" in unknown.stderr


def test_a_daemon_that_runs_does_the_work(own: tuple[SlackServer, Path]) -> None:
    slack, path = own
    daemon = subprocess.Popen(
        listener(path, "run"),
        cwd=ROOT,
        env={**os.environ, "DRILL_TEST_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert daemon.stderr is not None
        next(line for line in daemon.stderr if "listening" in line)
        done = finished(path, "drill", "--posts", "3", "--minutes", "0", "--wait", "10s")
        slack.wait_for(lambda: any("the drill is over" in card.shown for card in slack.channel("C9").messages))
    finally:
        daemon.send_signal(signal.SIGTERM)
        shown, _ = daemon.communicate(timeout=120)
    assert done.returncode == 0, done.stderr
    assert "the daemon that runs does the work" in done.stderr
    assert "card accepted" in done.stdout
    assert all("DRILL · " in card.shown for card in slack.channel("C9").messages)
    assert "[DRILL]" not in shown


def test_an_interrupted_command_prints_what_is_known_and_ends_its_alerts(own: tuple[SlackServer, Path]) -> None:
    slack, path = own
    process = subprocess.Popen(
        listener(path, "drill", "--country", "GB", "--posts", "2", "--minutes", "0"),
        cwd=ROOT,
        env={**os.environ, "DRILL_TEST_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    slack.wait_for(lambda: slack.channel("C9").messages, 120)
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "from injection to" in shown
    assert "open until the drill was over" in shown
    assert all("the drill is over" in card.shown for card in slack.channel("C9").messages)


# What is refused


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"trial_receiver: trial\n": ""}, "a drill needs a channel of its own: name one of `receivers` as `trial_rec"),
        ({"trial_receiver: trial": "trial_receiver: live"}, "live is where alerts in earnest go, too"),
        ({"DRILL_TEST_TOKEN": "NO_SUCH_VARIABLE_HERE"}, "trial is off: set the environment variable NO_SUCH_VARIABLE"),
    ],
)
def test_a_drill_that_has_nowhere_to_go_is_refused_with_what_to_set(
    own: tuple[SlackServer, Path], monkeypatch: pytest.MonkeyPatch, change: dict[str, str], problem: str
) -> None:
    _, path = own
    monkeypatch.setenv("DRILL_TEST_TOKEN", TOKEN)
    text = path.read_text(encoding="utf-8")
    for before, after in change.items():
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    config = load_config(path, plugin_options())
    with open_desk(config) as office, pytest.raises(DrillError) as refused:
        plan(config, office.store, office.clock.now())
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"country": "XX"}, "there is no country 'XX'; known: GB, IN"),
        ({"brand": "other"}, "there is no brand 'other'; known: acme"),
        ({"topic": "praise"}, "there is no topic of a drill 'praise'; known: outage, delivery"),
        ({"posts": 0}, "1 to 200 posts"),
    ],
)
def test_a_drill_of_what_there_is_not_is_refused(
    own: tuple[SlackServer, Path], monkeypatch: pytest.MonkeyPatch, wish: dict[str, object], problem: str
) -> None:
    _, path = own
    monkeypatch.setenv("DRILL_TEST_TOKEN", TOKEN)
    config = load_config(path, plugin_options())
    with open_desk(config) as office, pytest.raises(DrillError) as refused:
        plan(config, office.store, office.clock.now(), **wish)  # type: ignore[arg-type]
    assert problem in str(refused.value)
