"""What the benchmarks count is right; what they time is not tested."""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import benchmarks.explanation
import benchmarks.learning
from benchmarks.__main__ import main
from benchmarks.agreement import labels, same
from benchmarks.bench import Bench, at_least, at_most, read_texts
from benchmarks.causes import purity, shared_information, together
from benchmarks.machine import HIDDEN, LAYERS, operations
from benchmarks.repeats import CountedEncoder, no_second_inference
from classifiers.heads import load_heads
from classifiers.language import LanguageIdentifier
from classifiers.mentions import MentionClassifier


def test_operations_of_one_text_are_those_of_its_matrix_products() -> None:
    tokens = 10
    by_hand = 0
    for _ in range(LAYERS):
        by_hand += 4 * 2 * tokens * HIDDEN * HIDDEN  # query, key, value and what they become
        by_hand += 2 * 2 * tokens * HIDDEN * 4 * HIDDEN  # feed-forward, there and back
        by_hand += 2 * 2 * tokens * tokens * HIDDEN  # weights of attention, and their use
    assert operations([tokens]) == by_hand
    assert operations([tokens, 3]) == operations([tokens]) + operations([3])


def test_texts_of_files_and_folders_are_read(tmp_path: Path) -> None:
    rows = [{"text": "one"}, {"no": "text"}, {"text": "two"}]
    lines = "\n".join(map(json.dumps, rows)) + "\n\n"
    (tmp_path / "plain.jsonl").write_text(lines, "utf-8")
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert list(read_texts(tmp_path / "plain.jsonl")) == ["one", "two"]
    assert list(read_texts(tmp_path)) == ["one", "two"] * 2


def test_a_finding_says_whether_the_aim_is_reached() -> None:
    assert "reached" in at_least("speed", 10, 10, " times").line()
    assert "MISSED" in at_least("speed", 9.9, 10, " times").line()
    assert "MISSED" in at_most("latency", 31, 30, " ms").line()


def test_labels_are_compared_all_together(classifier: MentionClassifier) -> None:
    one, other = (labels(found) for found in classifier.classify(["thank you, great flight", "my kettle caught fire"]))
    assert same([one, other], [one, other]) == 100
    assert same([one, other], [one, one]) == 50


def test_counted_encoder_counts_and_changes_nothing(classifier: MentionClassifier) -> None:
    counted = CountedEncoder(classifier.encoder)
    texts = ["late again", "thanks"]
    assert np.array_equal(counted.embed(texts), classifier.encoder.embed(texts))
    assert counted.count == 2
    counted.token_features(texts)
    assert counted.count == 4


def test_a_second_inference_would_be_noticed(classifier: MentionClassifier, tmp_path: Path, model_cache: Path) -> None:
    rows = [f"the kettle of my neighbour number {number} leaks since yesterday" for number in "abcd"]
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in rows), "utf-8")
    bench = Bench(tmp_path, model_cache, "auto", 1, 10, 1)
    bench.__dict__["classifier"] = classifier
    findings = no_second_inference(bench)
    assert [finding.is_reached for finding in findings] == [True, True]
    counted = CountedEncoder(classifier.encoder)
    for _ in range(2):
        MentionClassifier(counted, load_heads(), LanguageIdentifier()).classify(rows)
    assert counted.count == 2 * len(rows)


def test_the_benchmarks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    apart = [line.removeprefix("python -m benchmarks.") for line in lines if line.startswith("python -m")]
    assert [line.split()[0] for line in lines[: -len(apart)]] == [
        "start", "repeats", "latency", "shares", "matrix", "pipeline", "agreement", "causes"
    ]  # fmt: skip
    assert [line.split(":")[0].split(" ")[0] for line in apart] == [
        "explanation", "learning", "bursts", "bursts", "bursts", "weekly_digest", "console", "simulate", "delivery"
    ]  # fmt: skip


@pytest.mark.parametrize("run", [benchmarks.explanation.main, benchmarks.learning.main])
def test_benchmarks_apart_name_themselves(
    run: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["anything.py", "--help"])
    with pytest.raises(SystemExit):
        run()
    assert f"usage: {'python -m ' + run.__module__} " in capsys.readouterr().out


@pytest.mark.parametrize("target", ["train", "evaluate"])
def test_make_says_which_data_it_needs(target: str) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make")
    environment = {name: value for name, value in os.environ.items() if name not in ("DATA", "MAKEFLAGS", "MAKELEVEL")}
    found = subprocess.run(
        [make, target], cwd=Path(__file__).parents[3], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode != 0
    assert "set DATA=folder with mentions/, authored/ and public/" in found.stderr
    assert not found.stdout


def test_purity_and_shared_information_of_groups() -> None:
    groups = np.array([0, 0, 0, 1, 1, 1])
    assert purity(list("aabccc"), groups) == pytest.approx(5 / 6)
    assert shared_information(list("aaaccc"), groups) == pytest.approx(1)
    assert shared_information(list("abcabc"), groups) == pytest.approx(0, abs=1e-9)


def test_translations_that_were_left_alone_do_not_count_as_together() -> None:
    assert together(list("aaabbb"), np.array([4, 4, -1, -1, -1, -1])) == pytest.approx(1 / 3)
