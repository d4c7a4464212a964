import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from classifiers.heads import N_LOGITS, Heads
from classifiers.learned import FOLDER, IN_FORCE_FILE, METADATA_FILE, TENSORS_FILE, Delta, LearnedFolder
from listener.errors import ModelUnavailableError
from tests.unit.classifiers.learning_world import WIDTH

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> LearnedFolder:
    return LearnedFolder(tmp_path)


def a_delta(seed: int) -> Delta:
    random = np.random.default_rng(seed)
    return Delta(
        random.normal(size=(N_LOGITS, WIDTH)).astype(np.float32), random.normal(size=N_LOGITS).astype(np.float32)
    )


def install(folder: LearnedFolder, heads: Heads, seed: int = 1) -> str:
    return folder.install(a_delta(seed), {"corrections": 12}, heads.version, AT)


def test_the_model_that_ships_is_in_force_until_something_is_learned(folder: LearnedFolder, heads: Heads) -> None:
    assert folder.in_force() is None
    assert folder.heads(heads) is None
    assert folder.kept() == []
    assert not folder.path.exists()


def test_a_learned_version_names_both_the_shipped_and_its_own(folder: LearnedFolder, heads: Heads) -> None:
    name = install(folder, heads)
    found = folder.heads(heads)
    assert found is not None
    assert name == f"local-1+{a_delta(1).digest}"
    assert found.version == f"{heads.version}/{name}"
    assert len(found.version) <= 80
    expected = a_delta(1).applied(heads, "").members[0].output_weight
    assert np.array_equal(found.members[0].output_weight, expected)


def test_going_back_step_by_step_ends_at_the_shipped_model(folder: LearnedFolder, heads: Heads) -> None:
    first, second = install(folder, heads, 1), install(folder, heads, 2)
    assert [one.name for one in folder.kept() if one.in_force] == [second]
    assert folder.back() == (second, first)
    assert folder.in_force() == first
    third = install(folder, heads, 3)
    assert third.startswith("local-3+")
    assert folder.back() == (third, first)
    assert folder.back() == (first, None)
    assert folder.heads(heads) is None
    with pytest.raises(ModelUnavailableError, match="nothing to go back to"):
        folder.back()
    assert [one.name for one in folder.kept()] == [third, second, first]


def test_a_version_learned_on_other_weights_is_not_used(folder: LearnedFolder, heads: Heads) -> None:
    name = folder.install(a_delta(1), {"corrections": 1}, "heads-2+another000", AT)
    assert folder.heads(heads) is None
    assert folder.in_force() == name


@pytest.mark.parametrize("file", [TENSORS_FILE, METADATA_FILE])
@pytest.mark.parametrize("damage", ["gone", "cut", "changed", "empty"])
def test_a_damaged_version_is_told_and_one_can_go_back(
    folder: LearnedFolder, heads: Heads, file: str, damage: str
) -> None:
    path = folder.path / install(folder, heads) / file
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes({"cut": content[:middle], "changed": b"\0" + content[1:], "empty": b""}[damage])
    with pytest.raises(ModelUnavailableError, match=r"local-1.*listener learn --back"):
        folder.heads(heads)
    folder.back()
    assert folder.heads(heads) is None


@pytest.mark.parametrize(
    "content", ["", "{}", '{"versions": [1]}', '{"versions": ["../../etc"]}', "\0", "[" * 100_000], ids=range(6)
)
def test_a_damaged_list_is_told_and_one_can_go_back(folder: LearnedFolder, heads: Heads, content: str) -> None:
    install(folder, heads)
    (folder.path / IN_FORCE_FILE).write_text(content)
    with pytest.raises(ModelUnavailableError, match=rf"{IN_FORCE_FILE}.*listener learn --back"):
        folder.heads(heads)
    assert folder.back() == (IN_FORCE_FILE, None)
    assert folder.heads(heads) is None


def test_a_change_that_fits_other_heads_is_refused(folder: LearnedFolder, heads: Heads) -> None:
    narrow = Delta(np.zeros((N_LOGITS, WIDTH - 1), np.float32), np.zeros(N_LOGITS, np.float32))
    folder.install(narrow, {"corrections": 1}, heads.version, AT)
    with pytest.raises(ModelUnavailableError, match="does not fit the shipped heads"):
        folder.heads(heads)


def test_a_folder_that_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path, heads: Heads) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    folder = LearnedFolder(tmp_path)
    with pytest.raises(ModelUnavailableError, match="cannot"):
        install(folder, heads)
    assert (tmp_path / FOLDER).read_text() == "a file where the folder should be"


def test_nothing_half_written_is_left(folder: LearnedFolder, heads: Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    first = install(folder, heads)

    def full(*arguments: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("classifiers.learned.json.dump", full)
    with pytest.raises(ModelUnavailableError, match="No space left"):
        install(folder, heads, 2)
    assert folder.in_force() == first
    assert [path.name for path in folder.path.iterdir() if path.name.startswith(".")] == []
    assert [one.name for one in folder.kept()] == [first]


def test_versions_learned_at_the_same_time_are_all_kept(folder: LearnedFolder, heads: Heads) -> None:
    with ThreadPoolExecutor(6) as pool:
        names = set(pool.map(lambda seed: install(LearnedFolder(folder.path.parent), heads, seed), range(6)))
    listed = json.loads((folder.path / IN_FORCE_FILE).read_text())["versions"]
    assert set(listed) == names
    assert [name.partition("+")[0] for name in listed] == [f"local-{number}" for number in range(1, 7)]


def test_what_a_process_left_that_ended_while_it_wrote_is_removed(folder: LearnedFolder, heads: Heads) -> None:
    (folder.path / ".new-1").mkdir(parents=True)
    (folder.path / ".new-1" / METADATA_FILE).write_text("{")
    (folder.path / ".in-force-1").write_text("{")
    install(folder, heads)
    assert [path.name for path in folder.path.iterdir() if path.name.startswith(".")] == []


def test_a_version_whose_folder_is_gone_is_listed_with_that(folder: LearnedFolder, heads: Heads) -> None:
    name = install(folder, heads)
    (folder.path / name).rename(folder.path / "away")
    (one,) = folder.kept()
    assert (one.name, one.in_force, one.problem) == (name, True, "folder is missing")
    assert install(folder, heads, 2).startswith("local-2+")


@pytest.mark.parametrize("content", ["[" * 100_000, '{"base": "b", "made_at": "2026-11-20", "corrections": 1e999}'])
def test_metadata_that_no_program_wrote_is_told(folder: LearnedFolder, heads: Heads, content: str) -> None:
    (folder.path / install(folder, heads) / METADATA_FILE).write_text(content)
    assert METADATA_FILE in folder.kept()[0].problem
    with pytest.raises(ModelUnavailableError, match="cannot use the learned model"):
        folder.heads(heads)


def test_what_is_listed_says_when_on_what_and_how_much(folder: LearnedFolder, heads: Heads) -> None:
    name = install(folder, heads)
    (one,) = folder.kept()
    assert (one.name, one.base, one.made_at, one.corrections, one.in_force) == (name, heads.version, AT, 12, True)
    (folder.path / name / METADATA_FILE).write_text("{")
    (broken,) = folder.kept()
    assert METADATA_FILE in broken.problem


def test_metadata_keeps_what_was_measured(folder: LearnedFolder, heads: Heads) -> None:
    name = folder.install(a_delta(1), {"corrections": 3, "tasks": [{"task": "topic"}]}, heads.version, AT)
    metadata = json.loads((folder.path / name / METADATA_FILE).read_text())
    assert metadata["tasks"] == [{"task": "topic"}]
