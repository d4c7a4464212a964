"""The commands as a user runs them: real processes, the real model, the shipped configuration and examples."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alerts.card import Card, load_message
from listener.config import load_config
from listener.plugins import plugin_options
from listener.store import Store
from playbooks.library import PlaybookLibrary
from tests.commands import listener_here
from tests.shipped import shipped_config

ROOT = Path(__file__).parents[2]
OFF = {"X_BEARER_TOKEN": "", "VK_TOKEN": "", "SLACK_BOT_TOKEN": "", "COLUMNS": "110"}


def listener(*arguments: str, timeout: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "listener.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **OFF, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def listening(config: Path) -> tuple[subprocess.Popen[str], list[str]]:
    """Return a daemon that listens, and what it said until then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "listener.cli", "run", "--config", str(config)],
        cwd=ROOT,
        env={**os.environ, **OFF},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if "listening" in line:
            break
    return process, said


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, model_cache: Path, checkpoint: Path) -> Path:
    """The shipped configuration on a database of its own."""
    folder = tmp_path_factory.mktemp("run")
    return shipped_config(folder, model_cache, f'\nstore: {{url: "sqlite:///{folder}/listener.db"}}\n')


@pytest.fixture(scope="module")
def first_pass(config: Path) -> subprocess.CompletedProcess[str]:
    return listener("run", "--once", "--config", str(config))


def counts(line: str) -> list[int]:
    return [int(number) for number in re.findall(r"(\d+) (?:mentions|new|classified|alerts|notifications)", line)]


def test_one_pass_over_the_examples_raises_alerts_for_every_country_and_sums_up(
    config: Path, first_pass: subprocess.CompletedProcess[str]
) -> None:
    assert first_pass.returncode == 0, first_pass.stderr
    lines = first_pass.stdout.splitlines()
    start = next(index for index, line in enumerate(lines) if re.match(r"\d+ mentions collected", line))
    total, *by_country = lines[start:]
    for code in load_config(config, plugin_options()).countries:
        line = next(line for line in by_country if line.strip().startswith(f"{code}:"))
        collected, new, classified, alerts, notifications = counts(line)
        assert collected >= new == classified > alerts == notifications > 0, line
    assert counts(total)[1:] == [sum(values) for values in zip(*(counts(line)[1:] for line in by_country), strict=True)]


def test_every_card_carries_a_playbook_two_drafts_that_fit_and_a_way_to_a_private_channel(
    config: Path, first_pass: subprocess.CompletedProcess[str]
) -> None:
    settings = load_config(config, plugin_options())
    store = Store(settings.store.address)
    library = PlaybookLibrary.load()
    cards = [load_message(row["payload"]) for row in store.outbox.rows(("sent", "pending")) if row["kind"] == "alert"]
    store.close()
    assert len(cards) > 20
    for card in cards:
        assert isinstance(card, Card)
        guidance = card.guidance
        assert guidance is not None
        assert guidance.playbook in library.names
        assert guidance.steps
        assert len(guidance.drafts) >= 2, card.reference
        assert all(draft.limit is None or draft.length <= draft.limit for draft in guidance.drafts)
        assert guidance.handoff.steps
        wanted = card.language.split("-")[0]
        assert all(draft.note or draft.locale.split("-")[0] == wanted for draft in guidance.drafts), card.reference
        signed = {voice.signature for voice in settings.voices.values()}
        assert all(any(name in draft.text for name in signed) for draft in guidance.drafts)


def test_what_is_off_is_said_with_the_variable_to_set(first_pass: subprocess.CompletedProcess[str]) -> None:
    assert "source x is off: set the environment variable X_BEARER_TOKEN" in first_pass.stderr
    assert "receiver slack-tokyo is off: set the environment variable SLACK_BOT_TOKEN" in first_pass.stderr


def test_a_second_pass_finds_nothing_new(config: Path, first_pass: subprocess.CompletedProcess[str]) -> None:
    done = listener("run", "--once", "--config", str(config))
    assert done.returncode == 0, done.stderr
    kept = listener("config", "history", "--config", str(config))
    assert re.match(r" +1  ", kept.stdout), kept.stdout + kept.stderr
    assert counts(done.stdout.splitlines()[0])[1:] == [0, 0, 0, 0]


def test_drafts_are_in_the_language_of_the_post(first_pass: subprocess.CompletedProcess[str]) -> None:
    for greeting in ("Bonjour", "Guten Tag", "Hola", "Здравствуйте", "您好", "様", "Buongiorno"):
        assert greeting in first_pass.stdout


def test_status_tells_what_every_watch_heard(config: Path, first_pass: subprocess.CompletedProcess[str]) -> None:
    done = listener("status", "--config", str(config))
    assert done.returncode == 0, done.stderr
    assert "file/FR/yunfan/example: heard at" in done.stdout
    assert "x/FR/yunfan: off: set the environment variable X_BEARER_TOKEN" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_listening_daemon_stops_cleanly_when_told_to(
    number: signal.Signals, config: Path, first_pass: subprocess.CompletedProcess[str]
) -> None:
    process, said = listening(config)
    time.sleep(1)
    process.send_signal(number)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 0, "".join(said) + rest
    assert "stopped; nothing is lost" in rest


def test_a_second_daemon_on_the_same_database_is_refused(
    config: Path, first_pass: subprocess.CompletedProcess[str]
) -> None:
    first, _ = listening(config)
    try:
        second = listener("run", "--once", "--config", str(config))
        assert second.returncode == 1
        assert "another listener is running on this database" in second.stderr
    finally:
        first.kill()
        first.communicate()


def test_try_shows_classification_priority_rules_route_and_drafts(config: Path) -> None:
    text = "@skybirdair j'ai laissé mon passeport dans l'avion ce matin, je pars dans deux jours, personne ne répond !!"
    done = listener("try", text, "--country", "FR", "--network", "x", "--config", str(config))
    assert done.returncode == 0, done.stderr
    for expected in (
        "language   fr (French)",
        "complaint",
        "urgency",
        "priority",
        "rule       urgent holds",
        "slack-western-europe",
        "Bonjour",
    ):
        assert expected in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("try", "x", "--country", "XX"), "country XX is not configured; known: FR"),
        (("try", "x", "--country", "FR", "--brand", "nope"), "brand nope is not configured"),
        (("replay", "missing.jsonl"), "missing.jsonl cannot be read: No such file or directory"),
        (("replay", "README.md"), "README.md"),
        (("replay", "/dev/null"), "not a regular file"),
        (("run", "--config", "missing.yaml"), "there is no missing.yaml; `listener init` writes a first one"),
        (("check", "--config", "tests/fixtures/config/bad_unknown_key.yaml"), "did you mean 'exclude'?"),
    ],
)
def test_wrong_use_is_answered_with_what_to_do_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.setattr("classifiers.mentions.MentionClassifier.load", lambda *_, **__: pytest.fail("loaded"))
    done = listener_here(*arguments, **OFF)
    assert done.returncode != 0
    assert says in " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_replay_adds_up_and_repeats_are_known(tmp_path: Path, config: Path) -> None:
    rows = [json.loads(line) for line in (ROOT / "examples" / "authored.jsonl").read_text("utf-8").splitlines()[::15]]
    broken = "{not json\n"
    path = tmp_path / "posts.jsonl"
    lines = [json.dumps({**row, "id": str(number)}, ensure_ascii=False) + "\n" for number, row in enumerate(rows)]
    path.write_text("".join([*lines, broken, lines[0]]), encoding="utf-8")
    done = listener("replay", str(path), "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"read {len(rows) + 2} = {len(rows)} new + 1 repeated + 1 skipped" in done.stdout
    assert "the counts add up" in done.stdout
