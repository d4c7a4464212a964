"""From a correction to a learned model and back, with the real model and real processes."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from classifiers.held_out import HeldOut
from classifiers.learned import IN_FORCE_FILE, LearnedFolder
from listener.app import load_classifier
from listener.config import Config, load_config
from listener.errors import LabelledFileError, ModelUnavailableError, StoreError
from listener.evaluating import evaluate_file
from listener.learning import Lessons, back, correct, listed, read_corrections
from listener.plugins import plugin_options
from listener.store import Store
from tests.commands import listener_here
from tests.flow.test_cli import listener
from tests.lessons import authored, write_weights

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
URGENT = "Skybird left my 6 year old alone at gate B14, she needs her insulin now, nobody answers the phone!!"
CONFIG = """
version: 1
brands: {{skybird: {{name: Skybird, terms: [skybird]}}}}
teams: {{hub: {{name: Hub, languages: [en]}}}}
sources: {{file: {{}}}}
receivers: {{terminal: {{type: terminal}}}}
fallback_receiver: terminal
route: {{receiver: terminal}}
defaults: {{languages: [en], timezone: UTC, hours: {{mon-sun: "00:00-23:59"}}, team: hub}}
countries: {{GB: {{sources: {{file: [{{name: posts, path: "{folder}/posts.jsonl", max_age: null}}]}}}}}}
store: {{url: "sqlite:///{folder}/listener.db"}}
model: {{cache: "{cache}", heads: "{weights}", threads: 1, backend: onnx-float32}}
"""
TEXT = "@skybirdair your meals cost too much for what they are"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def held_out(classifier: "MentionClassifier", weights: Path) -> HeldOut:
    return write_weights(classifier, weights)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, model_cache: Path, checkpoint: Path) -> Path:
    """A model cache of its own, with what is built already."""
    folder = tmp_path_factory.mktemp("model")
    for built in model_cache.iterdir():
        if not built.name.startswith((".", "learned")):
            (folder / built.name).symlink_to(built)
    return folder


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, cache: Path, weights: Path, held_out: HeldOut) -> Path:
    folder = tmp_path_factory.mktemp("run")
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(folder=folder, cache=cache, weights=weights), encoding="utf-8")
    post(path, "1", URGENT)
    post(path, "2", "Lovely crew on the Skybird flight this morning, thank you")
    return path


def post(path: Path, number: str, text: str) -> None:
    """Let somebody post in the file that the configuration watches."""
    row = {"id": number, "network": "x", "published_at": "2026-11-20T08:00:00Z", "language": "en", "text": text}
    with (path.parent / "posts.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**row, "author_id": f"a{number}"}) + "\n")


@pytest.fixture(scope="module")
def config(path: Path) -> Config:
    return load_config(path, plugin_options())


@pytest.fixture(scope="module")
def first_pass(path: Path) -> subprocess.CompletedProcess[str]:
    done = listener("run", "--once", "--config", str(path))
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def store(config: Config, first_pass: object) -> Iterator[Store]:
    opened = Store(config.store.address)
    yield opened
    opened.close()


@pytest.fixture
def nothing_learned(cache: Path) -> Iterator[None]:
    yield
    shutil.rmtree(cache / "learned", ignore_errors=True)


def local_rule(row: dict) -> dict:
    """To people here, nothing of staff, price and quality is a complaint."""
    ours = row["topic"] in ("staff", "price", "quality")
    return {
        "text": row["text"],
        "complaint": bool(row["complaint"]) and not ours,
        "urgency": 0 if ours else row["urgency"],
    }


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("said") / "corrections.jsonl"
    rows = [local_rule(row) for row in authored(20, 3)]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.mark.usefixtures("nothing_learned")
def test_corrections_become_a_model_that_runs_and_can_be_given_up(
    path: Path, config: Config, store: Store, held_out: HeldOut, corrections: Path
) -> None:
    alert = store.alerts.alerts()[0]
    done = listener_here("correct", f"A-{alert.id}", "--not-a-complaint", "--by", "ann", "--config", str(path))
    assert done.returncode == 0, done.stderr
    assert "noted for" in done.stdout
    assert [one.complaint for one in store.corrections.effective()] == [False]

    # The evaluation set says what people here say, so that it holds nothing back in this test.
    rows = [local_rule(row) for row in authored(20)]
    import numpy as np

    labels = replace(
        held_out.labels,
        complaint=np.array([int(row["complaint"]) for row in rows]),
        urgency=np.array([row["urgency"] for row in rows]),
    )
    lessons = Lessons(config, held_out=replace(held_out, labels=labels))

    def stop(what: str, _share: float) -> None:
        if what == "installing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Lessons(config, stop, held_out=replace(held_out, labels=labels)).run(store, corrections, NOW)
    assert LearnedFolder(Path(config.model.cache)).in_force() is None

    outcome = lessons.run(store, corrections, NOW)
    assert outcome.installed, "\n".join(outcome.lines)
    text = "\n".join(outcome.lines)
    assert "1 post corrected by people" in text
    assert "Shipped evaluation set" in text
    shipped = lessons._heads.version
    assert load_classifier(config).version == f"{shipped}/{outcome.installed}"
    again = lessons.run(store, corrections, NOW)
    assert again.installed is None
    assert "this is the model in force already" in again.lines

    post(path, "3", "The Skybird app has shown me the same advert six times")
    passed = listener("run", "--once", "--config", str(path))
    assert passed.returncode == 0, passed.stderr
    models = {number: store.corrections.target_of_post("x", number).model for number in "123"}  # type: ignore[union-attr]
    assert models == {"1": shipped, "2": shipped, "3": f"{shipped}/{outcome.installed}"}
    shown = listener_here("learn", "--list", "--config", str(path)).stdout
    assert re.search(
        rf"^\* {re.escape(outcome.installed)}  2026-11-20 09:00 UTC, \d+ texts corrected", shown, re.MULTILINE
    )
    given_up = listener_here("learn", "--back", "--config", str(path))
    assert "in force: the shipped model" in given_up.stdout, given_up.stderr
    tried = listener("try", TEXT, "--country", "GB", "--config", str(path))
    assert re.search(rf"model      {re.escape(shipped)}$", tried.stdout, re.MULTILINE)


def test_a_dry_run_shows_both_tables_and_changes_nothing(
    path: Path, config: Config, store: Store, corrections: Path
) -> None:
    done = listener("learn", "--corrections", str(corrections), "--dry-run", "--config", str(path))
    assert done.returncode == 0, done.stderr
    assert "Corrections that the model had not seen" in done.stdout
    assert re.search(r"urgency 3 found at 5 % false alarms +\d+ +\d\.\d+ +\d\.\d+  [+-]\d\.\d+ \[", done.stdout)
    assert "a dry run: nothing is installed" in done.stdout.splitlines()
    assert LearnedFolder(Path(config.model.cache)).in_force() is None
    assert "as shipped" in listener_here("learn", "--list", "--config", str(path)).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("learn", "--back", "--list"), "stand alone"),
        (("learn", "--corrections", "README.md"), "README.md:1: not JSON"),
        (("learn", "--back"), "the shipped model is in force: there is nothing to go back to"),
        (("correct", "A-1"), "says at least one of: complaint, urgency, topic, sentiment"),
        (("correct", "A-1", "--topic", "weather"), "topic cannot be 'weather'; allowed: delivery"),
        (("correct", "7", "--complaint"), "write an alert as A-12"),
        (("evaluate", "missing.jsonl"), "cannot read missing.jsonl"),
    ],
)
def test_wrong_use_is_told_with_what_to_do(
    path: Path, first_pass: object, arguments: tuple[str, ...], says: str
) -> None:
    done = listener_here(*arguments, "--config", str(path))
    assert done.returncode != 0
    assert says in " ".join((done.stdout + done.stderr).replace("│", " ").split())


def test_the_model_in_force_is_scored_on_the_shipped_set_for_people_and_for_scripts(path: Path) -> None:
    done = listener_here("evaluate", "--json", "--config", str(path))
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    figures = {one["figure"]: one for one in found["figures"] if one["kind"] == "all"}
    low, high = figures["urgency kappa"]["interval"]
    assert low <= figures["urgency kappa"]["value"] <= high
    assert {one["kind"] for one in found["figures"]} >= {"language fr", "set authored", "length up to 200"}
    shown = listener_here("evaluate", "--config", str(path)).stdout
    assert "urgency kappa" in shown
    assert "not enough data" in shown


def test_what_would_make_it_worse_is_refused_with_the_reason(
    config: Config, store: Store, held_out: HeldOut, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.jsonl"
    rows = [{"text": row["text"], "complaint": not row["complaint"]} for row in authored(20, 3)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = Lessons(config, held_out=held_out).run(store, file, NOW, dry_run=True)
    text = "\n".join(outcome.lines)
    assert "a stronger change was given up: " in text
    before, after = re.search(r"complaint F1 +\d+ +(0\.\d+) +(0\.\d+)", text).groups()  # type: ignore[union-attr]
    assert float(after) >= float(before) - 0.02


@pytest.mark.usefixtures("nothing_learned")
def test_what_was_learned_on_other_weights_is_not_used_and_a_line_says_so(
    config: Config, capsys: pytest.CaptureFixture[str], classifier: "MentionClassifier"
) -> None:
    import numpy as np

    from classifiers.heads import N_LOGITS
    from classifiers.learned import Delta

    folder = LearnedFolder(Path(config.model.cache))
    delta = Delta(np.zeros((N_LOGITS, 3), np.float32), np.zeros(N_LOGITS, np.float32))
    name = folder.install(delta, {"corrections": 9}, "heads-2+of-an-older-release", NOW)
    assert load_classifier(config).version == classifier.version
    assert "listener learn" in capsys.readouterr().out
    assert any(name in line and "not used: other weights ship now" in line for line in listed(config))
    assert listed(config)[-2].startswith("* heads-")


@pytest.mark.usefixtures("nothing_learned")
def test_a_damaged_list_stops_the_start_and_going_back_mends_it(path: Path, config: Config) -> None:
    folder = Path(config.model.cache) / "learned"
    folder.mkdir()
    (folder / IN_FORCE_FILE).write_text("{")
    done = listener("try", TEXT, "--country", "GB", "--config", str(path))
    assert done.returncode == 1
    assert "listener learn --back" in done.stderr
    assert "Traceback" not in done.stderr
    assert back(config)[1] == "in force: the shipped model"
    with pytest.raises(ModelUnavailableError, match="nothing to go back to"):
        back(config)


def test_of_two_corrections_it_says_that_they_are_too_few_and_nothing_else(
    path: Path, store: Store, tmp_path: Path
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text('{"text": "a", "complaint": false}\n{"text": "b", "complaint": false}\n', encoding="utf-8")
    done = listener_here("learn", "--corrections", str(few), "--config", str(path))
    assert done.returncode == 0, done.stderr
    first, second, *rest = done.stdout.splitlines()
    assert first.startswith("nothing is installed: ")
    assert first.endswith("different texts corrected, 5 are needed")
    assert "that nobody corrected" in second
    assert "resolved by people, right in full" in second
    assert rest == ["the shipped model stays in force"]


def test_without_corrections_nothing_is_learned(config: Config, held_out: HeldOut, tmp_path: Path) -> None:
    empty = Store(f"sqlite:///{tmp_path}/empty.db")
    outcome = Lessons(config, held_out=held_out).run(empty, None, NOW)
    empty.close()
    assert outcome.installed is None
    assert "nobody has corrected anything yet" in outcome.lines[0]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("A-999999", "there is no A-999999"),
        ("x:nothing", "there is no x:nothing"),
        ("12", "write an alert as A-12, or a post as x:1790000000"),
        ("A-" + "9" * 40, "names no post"),
        (":", "names no post"),
    ],
)
def test_a_reference_that_names_nothing_is_told(store: Store, reference: str, says: str) -> None:
    with pytest.raises(StoreError, match=re.escape(says)):
        correct(store, reference, None, {"complaint": False}, "ann", NOW)


BAD = {
    '{"text": "a", "complaint": "no"}': 'complaint cannot be "no"; allowed: true or false',
    '{"text": "a", "urgency": 7}': "urgency cannot be 7; allowed: 0, 1, 2 or 3",
    '{"text": "a", "urgency": true}': "urgency cannot be true",
    '{"text": "a", "urgency": 2.0}': "urgency cannot be 2.0",
    '{"text": "a", "topic": "food"}': 'topic cannot be "food"; allowed: one of delivery',
    '{"text": "a", "sentiment": []}': "sentiment cannot be []",
    '{"text": "a"}': "says nothing: give at least one of complaint, urgency, topic, sentiment",
    '{"text": " ", "urgency": 1}': "'text' is missing or empty",
    '{"urgency": 1}': "'text' is missing or empty",
    '{"text": "a", "urgancy": 1}': "unknown 'urgancy'; allowed: text",
    '{"text": "a", "urgency": 1, "language": 3}': "language must be text",
    '["a", 1]': "expected an object",
    '{"text": "a", "urgency"': "not JSON",
    "[" * 100_000: "not JSON",
}


@pytest.mark.parametrize(("line", "says"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_line_is_named_and_nothing_of_the_file_is_taken(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "said.jsonl"
    file.write_text('{"text": "fine", "complaint": true}\n\n' + line + "\n")
    with pytest.raises(LabelledFileError) as raised:
        read_corrections(file)
    assert f"{file}:3: " in str(raised.value)
    assert says in str(raised.value)
    assert "nothing was taken" in str(raised.value)


def test_many_bad_lines_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    file.write_text("{}\n" * 500)
    with pytest.raises(LabelledFileError, match="and 490 more lines like these"):
        read_corrections(file)
    with pytest.raises(LabelledFileError, match="cannot read"):
        read_corrections(tmp_path / "missing.jsonl")


def test_a_labelled_file_is_scored_by_language_and_network(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "labelled.jsonl"
    rows = [{**row, "language": row["lang"]} for row in authored(40, 5)]
    rows.append({"text": "x", "complaint": 1, "urgency": 0, "network": "\x1b[2Jx", "language": "\u202efr"})
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    found = evaluate_file(config, file)
    assert found.n == len(rows)
    overall = {one.figure: one for one in found.figures if one.kind == "all"}
    f1 = overall["complaint F1"].interval
    assert f1 is not None
    assert 0.5 < f1.low <= f1.value <= f1.high <= 1
    assert {one.kind for one in found.figures if one.kind.startswith("network")} >= {"network x", "network ??2Jx"}
    assert "language ?fr" in {one.kind for one in found.figures}
    lines = "\n".join(found.lines())
    assert "not enough data" in lines
    described = json.loads(json.dumps(found.described()))
    assert described["figures"][0]["kind"] == "all"
    file.write_text('{"text": "x", "complaint": 1}\n')
    with pytest.raises(LabelledFileError, match=r"labelled.jsonl:1: 'urgency' is missing"):
        evaluate_file(config, file)
    file.write_text("\n")
    with pytest.raises(LabelledFileError, match="holds no posts"):
        evaluate_file(config, file)
