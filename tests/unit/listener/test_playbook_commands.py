"""`listener playbooks`: lint, preview, new, schema."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from listener.cli import app
from playbooks.library import PlaybookLibrary
from playbooks.loading import SCHEMA_FOLDER
from playbooks.schema import SCHEMAS

ROOT = Path(__file__).parents[3]
GOOD = ROOT / "tests" / "fixtures" / "playbooks" / "good"
CONFIG = str(ROOT / "config.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small library in English alone."""
    return Path(shutil.copytree(GOOD, tmp_path / "library"))


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["playbooks", *arguments])


def test_each_finding_of_the_lint_names_its_place_and_what_to_do(folder: Path) -> None:
    file = folder / "thanks" / "en.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("lovely to read.", "see bit.ly/x."), encoding="utf-8")
    found = told("lint", "--folder", str(folder), "--config", CONFIG)
    assert found.exit_code == 1
    assert f"{file}:8:5 variants[2].text - holds a shortened link (bit.ly/x" in found.output
    assert "'fr'" not in found.output  # a library of one's own need not have all locales


def test_a_library_that_does_not_load_says_why(folder: Path) -> None:
    (folder / "thanks" / "en.yaml").write_text("locale: en\nvariants: nothing\n", encoding="utf-8")
    found = told("lint", "--folder", str(folder), "--config", CONFIG)
    assert found.exit_code == 1
    assert "thanks/en.yaml:2:1 variants" in found.output
    assert "texts were not looked at yet" in found.output
    with pytest.raises(Exception, match="the library cannot be used"):
        CliRunner().invoke(
            app, ["playbooks", "preview", "--folder", str(folder), "--config", CONFIG], catch_exceptions=False
        )


def test_the_preview_is_one_page_that_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    found = told("preview", "--country", "BE", "--topic", "delivery", "--config", CONFIG, "-o", str(page))
    assert found.exit_code == 0, found.output
    text = page.read_text(encoding="utf-8")
    assert 'lang="nl-BE"' in text
    assert 'lang="fr-BE"' in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "").replace("https://x.com", "")
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_the_preview_in_the_terminal_says_the_same(tmp_path: Path) -> None:
    found = told("preview", "--country", "JP", "--topic", "question", "--terminal", "--config", CONFIG)
    assert found.exit_code == 0, found.output
    assert "Question (question), answer within 1 day" in found.output
    assert "[ja, " in found.output
    assert "in private: " in found.output


def test_arabic_stands_from_right_to_left_and_hostile_texts_stay_text(tmp_path: Path) -> None:
    from playbooks.preview import Scene, lines, page

    scene = Scene("SA", "ar", "x", "<b>Acme</b>\u202e", "Acme\x1b[31m")
    library = PlaybookLibrary.load()
    text = page(library, [scene], "praise")
    assert 'lang="ar" dir="rtl"' in text
    assert "<b>Acme" not in text
    assert "\x1b" not in "\n".join(lines(library, [scene], "praise"))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--country", "XX", "country XX is not configured"),
        ("--network", "myspace", "there is no network myspace; known: x, vk"),
        ("--topic", "parcels", "there is no topic parcels"),
        ("--brand", "nobody", "brand nobody is not configured"),
    ],
)
def test_what_is_not_known_is_named(option: str, value: str, said: str) -> None:
    found = told("preview", option, value, "--config", CONFIG)
    assert found.exit_code == 2
    assert said in " ".join(found.output.replace("│", " ").split())


def test_a_new_playbook_loads_once_it_is_in_the_rules(folder: Path) -> None:
    made = told("new", "lost-luggage", "--locale", "en", "--folder", str(folder), "--config", CONFIG)
    assert made.exit_code == 0, made.output
    assert sorted(path.name for path in (folder / "lost-luggage").iterdir()) == ["en.yaml", "playbook.yaml"]
    linted = told("lint", "--folder", str(folder), "--config", CONFIG)
    assert "lost-luggage/playbook.yaml:2:1 is never chosen: name it in rules.yaml" in linted.output.replace(
        str(folder) + "/", ""
    )
    again = told("new", "lost-luggage", "--locale", "en", "--folder", str(folder), "--config", CONFIG)
    assert again.exit_code == 1
    assert "is there already; nothing was written" in str(again.exception)


@pytest.mark.parametrize("name", ["Lost Luggage", "../evil", "", "x" * 60])
def test_a_name_that_cannot_be_one_writes_nothing(folder: Path, name: str) -> None:
    before = sorted(folder.rglob("*"))
    assert told("new", name, "--folder", str(folder), "--config", CONFIG).exit_code == 1
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("locale", ["../../evil", "playbook", "EN", "a/b", ""])
def test_a_locale_that_is_none_writes_nothing(folder: Path, locale: str) -> None:
    before = sorted(folder.parent.rglob("*"))
    made = told("new", "lost-luggage", "--locale", "en", "--locale", locale, "--folder", str(folder), "-c", CONFIG)
    assert made.exit_code == 1
    assert "is no locale; write a BCP 47 tag" in str(made.exception)
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize("name", ["sv", "nl-BE", "yue"])
def test_a_playbook_named_like_a_locale_is_refused_with_a_hint(folder: Path, name: str) -> None:
    made = told("new", name, "--locale", "en", "--folder", str(folder), "--config", CONFIG)
    assert made.exit_code == 1
    assert f"add --like, such as: {name} --like en" in str(made.exception)
    assert not (folder / name).exists()


def test_what_fails_in_the_middle_leaves_nothing_behind(folder: Path) -> None:
    (folder / "lost-luggage").mkdir()
    (folder / "lost-luggage" / "fr.yaml").symlink_to(folder.parent / "elsewhere.yaml")
    before = sorted(folder.parent.rglob("*"))
    made = told("new", "lost-luggage", "--locale", "en", "--locale", "fr", "--folder", str(folder), "-c", CONFIG)
    assert made.exit_code == 1
    assert "nothing was written" in str(made.exception)
    assert sorted(folder.parent.rglob("*")) == before


def test_a_new_locale_begins_with_the_texts_of_another(folder: Path) -> None:
    made = told("new", "sv", "--like", "en", "--folder", str(folder), "--config", CONFIG)
    assert made.exit_code == 0, made.output
    for name in ("_phrases", "late-delivery", "thanks"):
        text = (folder / name / "sv.yaml").read_text(encoding="utf-8")
        assert "locale: sv" in text
        assert text.startswith("# Begun from en")
    assert told("new", "sv", "--like", "xx", "--folder", str(folder), "--config", CONFIG).exit_code == 1


def test_the_schemas_describe_the_files(folder: Path) -> None:
    made = told("schema", "--folder", str(folder))
    assert made.exit_code == 0, made.output
    for schema in SCHEMAS.values():
        found = json.loads((folder / SCHEMA_FOLDER / schema.file).read_text(encoding="utf-8"))
        assert found["$schema"].endswith("2020-12/schema")
        assert found["additionalProperties"] is False
    playbook = json.loads((folder / SCHEMA_FOLDER / "playbook.schema.json").read_text(encoding="utf-8"))
    assert {"title", "when", "tell", "steps", "answer_within", "close"} <= set(playbook["required"])
    assert told("lint", "--folder", str(folder), "--config", CONFIG).exit_code == 0
