import os
from pathlib import Path

import numpy as np
import pytest

from classifiers.heads import N_LOGITS, WEIGHTS, load_heads
from classifiers.learned import IN_FORCE_FILE, TENSORS_FILE, Delta, LearnedFolder
from listener.config import Config
from listener.config.models import Model
from listener.errors import LabelledFileError, ModelUnavailableError
from listener.evaluating import evaluate_file
from listener.learning import back, counted, listed, read_corrections
from listener.terminal import account
from tests.unit.listener.test_store import NOW


@pytest.fixture(scope="module")
def shipped() -> str:
    return load_heads(WEIGHTS).version


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.model_construct(model=Model(cache=str(tmp_path)))


def learned(config: Config, base: str) -> tuple[LearnedFolder, str]:
    heads = load_heads(WEIGHTS)
    width = sum(member.hidden_weight.shape[0] for member in heads.members)
    delta = Delta(np.zeros((N_LOGITS, width), np.float32), np.zeros(N_LOGITS, np.float32))
    folder = LearnedFolder(Path(config.model.cache))
    return folder, folder.install(delta, {"corrections": 1}, base, NOW)


def test_the_version_in_force_has_the_star(config: Config, shipped: str) -> None:
    _folder, name = learned(config, shipped)
    first, second, last = listed(config)
    assert first.startswith(f"* {name}")
    assert "1 text corrected" in first
    assert (second, last) == (f"  {shipped}  as shipped", "* in force")


@pytest.mark.parametrize("damage", ["list", "deep list", "folder", "tensors"])
def test_where_no_start_goes_on_nothing_is_listed_as_in_force(config: Config, shipped: str, damage: str) -> None:
    folder, name = learned(config, shipped)
    if damage.endswith("list"):
        (folder.path / IN_FORCE_FILE).write_text("junk" if damage == "list" else "[" * 100_000)
    elif damage == "folder":
        (folder.path / name).rename(folder.path / "away")
    else:
        (folder.path / name / TENSORS_FILE).write_bytes(b"")
    lines = listed(config)
    assert not [line for line in lines if line.startswith("*")]
    assert lines[-1].startswith("nothing can start: cannot ")
    assert "listener learn --back" in lines[-1]
    assert (f"  {name}  folder is missing" in lines) == (damage == "folder")
    back(config)
    assert listed(config)[-2:] == [f"* {shipped}  as shipped", "* in force"]
    with pytest.raises(ModelUnavailableError, match="nothing to go back to"):
        back(config)


def test_a_file_in_another_encoding_is_refused_with_its_line(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    fine = '\ufeff{"text": "prêt", "complaint": true, "urgency": 1}\r\n'.encode()
    file.write_bytes(fine)
    assert [one.text for one in read_corrections(file)] == ["prêt"]
    file.write_bytes(fine + '{"text": "déçu", "complaint": true, "urgency": 1}\n'.encode("latin-1"))
    for read in (read_corrections, lambda path: evaluate_file(config, path)):
        with pytest.raises(LabelledFileError, match=r"said.jsonl:2: byte 12 is not UTF-8.*\nnothing was taken"):
            read(file)


def test_an_account_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_011)
    assert account() == "unknown"


def test_one_of_a_thing_is_not_many() -> None:
    assert [counted(number, "post") for number in (0, 1, 2)] == ["0 posts", "1 post", "2 posts"]
