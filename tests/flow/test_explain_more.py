"""Why an incident was found; what the real model leaves to be told; the command itself beside a daemon."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from listener.explaining import explain, lines
from listener.store import Store
from tests.flow.asking import Scene, fact, read, scene, step, values
from tests.flow.buzz import NOW, Buzz, Post, open_buzz, with_past
from tests.flow.world import CHAT_FR, URGENT_FR, world

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    with_past(open_buzz(folder, f"sqlite:///{folder}/past.db")).store.close()
    return folder / "past.db"


@pytest.fixture
def buzz(tmp_path: Path, past: Path) -> Buzz:
    shutil.copy(past, tmp_path / "listener.db")
    made = open_buzz(tmp_path, f"sqlite:///{tmp_path}/listener.db")
    made.made = 100_000
    return made


def test_an_incident_tells_its_counts_its_heat_and_why_it_is_over(buzz: Buzz) -> None:
    loud = Post(NOW + HOUR, "Panne acme, paiement refusé", "tele", "outage", followers=900_000)
    burst = [*buzz.burst(NOW, 4, 30), loud]
    buzz.live([*buzz.ordinary(NOW, NOW + 2 * HOUR), *(one for one in burst if one.at < NOW + 2 * HOUR)], NOW + 2 * HOUR)
    (incident,) = buzz.incidents
    asked, card = f"I-{incident.alert_id}", buzz.card(incident)
    early = explain(buzz.store, buzz.config, asked, now=buzz.clock.now())
    assert early.ending == "incident"
    counted = step(early, "burst")
    assert f"{card.mentions} negative posts by {card.authors} authors" in counted.summary
    assert fact(counted, "what counts").value.startswith("complaint from 0.50")
    found = step(early, "found")
    assert all(one.holds for one in found.facts if one.holds is not None)
    assert "at least 6 needed" in read(early)
    heat = step(early, "heat")
    assert values(heat, "because") == list(card.because)
    assert fact(heat, "heat").value.startswith("0.4 × size")
    assert f"severity {buzz.alert(incident).severity}" in heat.summary
    assert "it lasts" in step(early, "end").summary
    held = step(early, "alerts")
    assert all(one.link.startswith("A-") for one in held.facts)
    assert step(early, "route").summary == "to desk"

    rest = [one for one in burst if one.at >= NOW + 2 * HOUR]
    buzz.live([*rest, *buzz.ordinary(NOW + 2 * HOUR, NOW + 10 * HOUR)], NOW + 10 * HOUR)
    late = explain(buzz.store, buzz.config, str(incident.alert_id), now=buzz.clock.now())
    over = step(late, "end")
    assert over.state == "ok"
    assert over.summary.startswith("over at Tue 17 Nov 2026")
    assert "the burst is over" in read(late)
    member = next(one.link for one in step(late, "alerts").facts)
    assert fact(step(explain(buzz.store, buzz.config, member, now=NOW), "grouping"), "belongs to").link == asked
    buzz.store.close()


def test_what_the_real_model_said_is_told_with_its_words_and_its_version(
    tmp_path: Path, classifier: "MentionClassifier"
) -> None:
    with world(tmp_path, classifier) as here:
        here.post(URGENT_FR, username="claire_m")
        quiet = here.post(CHAT_FR, username="jean_p", minutes_ago=8)
        here.pass_once()
        store, now = here.app.store, here.clock.now()
        loud = explain(store, here.config, "A-1", now=now)
        said = step(loud, "classification")
        words = fact(said, "words that moved it")
        assert words.hostile
        assert any(word.split(" ")[0] in URGENT_FR for word in words.value.split(", "))
        assert "safety or health" in fact(said, "signals").value
        assert fact(said, "model").value
        assert step(loud, "language").summary == "French, as the network says"
        calm = explain(store, here.config, f"x:{quiet}", now=now)
        assert calm.ending == "quiet"
        assert "missed by" in step(calm, "rules").summary
        url = f"https://x.com/claire_m/status/{loud.steps[0].facts[0].value.partition(':')[2]}"
        assert explain(store, here.config, url, now=now).alert == "A-1"
        here.x.usage_capped()
        here.later(minutes=30)
        here.pass_once()
        lost = here.post(URGENT_FR, username="zoe", minutes_ago=1)
        missing = explain(store, here.config, f"x:{lost}", now=here.clock.now())
        assert step(missing, "gaps").state == "stopped"
        assert "quota" in read(missing)


def run(here: Scene, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (
        "import sys; from listener.cli import main\n"
        "try: main()\n"
        "finally: print(*sorted({'torch', 'numpy', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", command, "explain", *arguments, "--config", str(here.path)],
        capture_output=True, text=True, check=False, env=environment, timeout=120,
    )  # fmt: skip


def test_the_command_answers_beside_a_daemon_without_loading_a_model(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        here.post("acme severity-2 nothing works \x1b[2J\u202e")
        here.work()
        shown = run(here, "A-1")
        assert (shown.returncode, shown.stderr.strip()) == (0, "")
        assert shown.stdout.splitlines() == lines(here.why("A-1"))
        data = json.loads(run(here, "x:p0", "--format", "json").stdout)
        assert data["alert"] == "A-1"
        assert [one["name"] for one in data["steps"]][-1] == "messages"
        missing = run(here, "x:77", "--text", "the acme kettle", "--at", "2026-11-23T09:00")
        assert "file/FR/acme: acme" in missing.stdout
        unknown = run(here, "A-7")
        assert unknown.returncode == 1
        assert "there is no alert A-7" in unknown.stderr
        assert run(here, "A-1", "--format", "xml").returncode == 2
        for at in ("yesterday", "0001-01-01T00:00+14:00"):
            said = run(here, "x:1", "--at", at).stderr.replace("│", " ")  # a box, whose lines break somewhere
            assert "write a moment such as" in " ".join(said.split())


def test_two_processes_may_ask_while_the_store_is_open(tmp_path: Path) -> None:
    with scene(tmp_path) as here:
        here.post("acme severity-2 nothing works")
        here.work()
        other = Store(here.config.store.address)
        try:
            assert lines(explain(other, here.config, "A-1", now=here.clock.now())) == lines(here.why("A-1"))
        finally:
            other.close()
