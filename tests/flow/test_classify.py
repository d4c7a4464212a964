"""`listener classify` as a user runs it: a real process, the real model, whatever people may feed it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classifiers.heads import WEIGHTS
from listener.model import SIGNALS, TOPICS
from tests.shipped import shipped_config
from tests.unit.classifiers.test_mentions import HOSTILE, URGENT

ROOT = Path(__file__).parents[2]
POSTS: list[Any] = [
    *({"id": f"urgent-{language}", "text": text} for language, text in URGENT.items()),
    *({"id": number, "text": text, "country": "FR", "network": "x"} for number, text in enumerate(HOSTILE)),
    {"text": "no id here"},
    {"id": "tlh", "text": "nuqneH Hab SoSlI' Quch! yIDoghQo'"},
]
BAD = {3: b"{oops", 7: b'{"id": "x"}', 11: b'{"id": "y", "text": "\xff\xfe"}'}
"""Lines put in before that many posts."""


def classify(folder: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "listener.cli", "classify", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        input=given,
        capture_output=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model_cache: Path, checkpoint: Path) -> Path:
    """Return a folder without a configuration, where the model is found."""
    made = tmp_path_factory.mktemp("classify")
    (made / "var").mkdir()
    (made / "var" / "model").symlink_to(model_cache.resolve(), target_is_directory=True)
    return made


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, model_cache: Path, checkpoint: Path) -> Path:
    """Return a folder whose configuration names the model that starts soonest, for what hangs on no model."""
    return shipped_config(tmp_path_factory.mktemp("quick"), model_cache).parent


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    made: list[bytes] = []
    for number, post in enumerate(POSTS):
        made += [BAD[number]] if number in BAD else []
        made.append(json.dumps(post).encode())
    return made


@pytest.fixture(scope="module")
def done(folder: Path, lines: list[bytes]) -> subprocess.CompletedProcess[bytes]:
    (folder / "posts.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    return classify(folder, "posts.jsonl")


@pytest.fixture(scope="module")
def written(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in done.stdout.decode("utf-8").splitlines()]


def test_every_line_is_answered_in_order(lines: list[bytes], written: list[dict[str, Any]]) -> None:
    assert len(written) == len(lines)
    for number, (line, item) in enumerate(zip(lines, written, strict=True), 1):
        if line in BAD.values():
            assert item["line"] == number
        else:
            assert item["id"] == json.loads(line).get("id", number)


def test_bad_lines_say_why_and_are_counted(
    done: subprocess.CompletedProcess[bytes], written: list[dict[str, Any]]
) -> None:
    errors = [item["error"] for item in written if "error" in item]
    assert [error.split(" ")[0] for error in errors] == ["not", "`text`", "not"]
    assert done.returncode == 1
    assert f"3 of {len(written)} lines could not be read" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_every_classification_is_whole(written: list[dict[str, Any]]) -> None:
    for item in written:
        if "error" in item:
            continue
        assert list(item) == [
            "id", "language", "complaint", "urgency", "urgency_probabilities", "sentiment", "sentiment_probabilities",
            "topic", "topic_probability", "signals", "reasons", "model",
        ]  # fmt: skip
        assert 0 <= item["complaint"] <= 1
        assert item["urgency"] in range(4)
        assert sum(item["urgency_probabilities"]) == pytest.approx(1, abs=1e-5)
        assert sum(item["sentiment_probabilities"]) == pytest.approx(1, abs=1e-5)
        assert item["sentiment"] in ("negative", "neutral", "positive")
        assert item["topic"] in TOPICS
        assert set(item["signals"]) <= set(SIGNALS)


def test_reasons_stand_in_the_text_as_it_was_given(lines: list[bytes], written: list[dict[str, Any]]) -> None:
    for line, item in zip(lines, written, strict=True):
        for reason in item.get("reasons", ()):
            assert reason["word"] in json.loads(line)["text"]
            assert -1 <= reason["weight"] <= 1
    urgent = [item for item in written if str(item["id"]).startswith("urgent-")]
    assert all(item["reasons"] for item in urgent)


def test_nothing_that_acts_on_a_terminal_is_written(done: subprocess.CompletedProcess[bytes]) -> None:
    shown = done.stdout.decode("utf-8")
    assert not [letter for letter in shown if letter != "\n" and (letter < " " or letter in "\x7f\x9b\u202e\u2066")]


def test_standard_input_and_no_reasons(folder: Path, written: list[dict[str, Any]]) -> None:
    given = b"".join(json.dumps(post).encode() + b"\n" for post in POSTS[:10])
    found = classify(folder, "-", "--no-reasons", given=given)
    assert found.returncode == 0, found.stderr
    assert found.stderr == b""
    plain = [json.loads(line) for line in found.stdout.splitlines()]
    before = {item["id"]: item for item in written}
    for item in plain:
        assert "reasons" not in item
        # Bfloat16 keeps two to three digits, and other batches round in other places.
        assert item["complaint"] == pytest.approx(before[item["id"]]["complaint"], abs=0.02)


def test_a_reader_that_leaves_ends_it_quietly(quick: Path) -> None:
    (quick / "many.jsonl").write_bytes(
        json.dumps({"text": "late again"}).encode() + b"\n" * 1 + b'{"text": "x"}\n' * 20_000
    )
    command = f"{sys.executable} -m listener.cli classify --no-reasons many.jsonl | head -n 1"
    found = subprocess.run(
        command, shell=True, cwd=quick, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
        timeout=240,
    )  # fmt: skip
    assert len(found.stdout.splitlines()) == 1
    assert found.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_told_in_one_line(quick: Path) -> None:
    found = in_shell(quick, """printf '{"text": "late again"}\\n' | %s --no-reasons > /dev/full""")
    assert (found.returncode, found.stderr.decode()) == (1, "error: cannot write: No space left on device\n")


def test_a_closed_output_is_told_before_the_model_is_loaded(folder: Path) -> None:
    (folder / "one.jsonl").write_bytes(b'{"text": "late again"}\n')
    # Were the model loaded first, the damaged configuration would be told.
    (folder / "broken.yaml").write_text("brands: [")
    found = in_shell(folder, "%s one.jsonl --config broken.yaml >&-")
    assert (found.returncode, found.stderr.decode()) == (1, "error: cannot write: standard output is closed\n")


def in_shell(folder: Path, command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command % f"{sys.executable} -m listener.cli classify", shell=True, cwd=folder, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=240,
    )  # fmt: skip


def test_help_shows_no_default_for_what_is_left_out(folder: Path) -> None:
    shown = classify(folder, "--help").stdout.decode()
    assert "--no-reasons" in shown
    assert "default: True" not in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.jsonl",), "cannot read missing.jsonl: No such file or directory"),
        (("var",), "cannot read var: Is a directory"),
        (("--config", "missing.yaml"), "there is no missing.yaml; `listener init` writes a first one"),
    ],
)
def test_what_cannot_be_read_is_named(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    found = classify(folder, *arguments, given=b"")
    assert found.returncode == 1
    assert says in found.stderr.decode()
    assert "Traceback" not in found.stderr.decode()


def test_damaged_weights_are_named_before_anything_is_written(folder: Path, tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    shutil.copytree(WEIGHTS, heads)
    whole = (heads / "heads.safetensors").read_bytes()
    (heads / "heads.safetensors").write_bytes(whole[: len(whole) // 2])
    config = (ROOT / "config.yaml").read_text(encoding="utf-8")
    config = config.replace("model:\n", f'model:\n  heads: "{heads}"\n', 1)
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    shutil.copy(ROOT / "brand.yaml", tmp_path)
    found = classify(folder, "--config", str(tmp_path / "config.yaml"), given=b'{"text": "a"}\n')
    assert found.returncode == 1
    assert found.stdout == b""
    assert str(heads) in found.stderr.decode()
    assert "heads.safetensors" in found.stderr.decode()
    assert "Traceback" not in found.stderr.decode()
