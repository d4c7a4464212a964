"""Countries as people name them to a command."""

from pathlib import Path

import pytest
import typer

from listener.countries import countries_asked, country_asked
from tests.commands import ROOT, listener_here
from tests.databases import migrated_sqlite

GOOD = ROOT / "tests" / "fixtures" / "config" / "good.yaml"


@pytest.mark.parametrize("text", ["FR", "fr", " Fr "])
def test_a_code_is_taken_in_any_case(text: str) -> None:
    assert country_asked(text, ["FR", "GB"]) == "FR"


@pytest.mark.parametrize("text", ["France", "france"])
def test_a_name_is_answered_with_its_code(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write --country FR for France"):
        country_asked(text, ["FR", "GB"])


def test_what_is_not_known_stays_for_the_command_to_refuse() -> None:
    assert countries_asked(["gb", "GB", "XX", "Japan", ""], ["FR", "GB"]) == ["GB", "XX", "Japan", ""]
    assert countries_asked(None, ["FR"]) == []


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    text = GOOD.read_text(encoding="utf-8").replace("  NO:", "  FR:").replace("country: NO", "country: FR")
    path.write_text(f"{text}store: {{url: '{migrated_sqlite(tmp_path)}'}}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("alerts",),
        ("config", "show"),
        ("digest",),
        ("drill",),
        ("pilot",),
        ("playbooks", "preview"),
        ("replay", "no.jsonl"),
        ("simulate",),
        ("try", "hello"),
        ("tune", "--budget", "5/day"),
    ],
)
def test_every_command_names_the_code(arguments: tuple[str, ...], config: Path) -> None:
    done = listener_here(*arguments, "--country", "france", "--config", str(config))
    assert done.returncode == 2
    assert "write --country FR for France" in " ".join(done.stderr.replace("│", " ").split())
