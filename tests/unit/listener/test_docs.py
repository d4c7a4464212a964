"""What the documents say of the configuration is true."""

import re
from pathlib import Path

import pytest

from listener.config import load_config, models, reference
from listener.config.docstrings import key_words
from listener.config.models import Config, Strict
from listener.plugins import plugin_options
from playbooks.library import MAX_DRAFTS

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SHAPES: list[type[Strict]] = [
    *(shape for shape in vars(models).values() if isinstance(shape, type) and issubclass(shape, Strict)),
    *(options for pair in plugin_options().sources.values() for options in pair),
    *plugin_options().receivers.values(),
]
MADE_BY_LOADING = {"path", "voices", "watches", "warnings"}
"""What the whole configuration has besides its sections."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_reference_names_every_key(shape: type[Strict]) -> None:
    named = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", REFERENCE))))
    made = MADE_BY_LOADING if shape is Config else set()
    assert sorted(set(shape.model_fields) - named - made) == []


def test_the_references_tables_are_those_of_the_models() -> None:
    """Where this fails: `python -m listener.documents`."""
    assert reference.written(REFERENCE, plugin_options()) == REFERENCE


def test_every_model_has_a_table() -> None:
    without = {"Config", "Strict", "Targets", "TerminalOptions", "FileOptions", "WeChatOptions"}
    assert {shape.__name__ for shape in SHAPES} - without == reference.tables_asked(REFERENCE)


def test_no_key_is_without_a_word() -> None:
    silent = [
        f"{shape.__name__}.{key}" for shape in SHAPES for key in shape.model_fields if key not in key_words(shape)
    ]
    assert [one for one in silent if not one.startswith("Config.")] == []


def test_a_table_tells_range_and_default() -> None:
    text = "<!-- table: XOptions -inherited -->\n<!-- end of table -->"
    rows = reference.written(text, plugin_options())
    assert "| `max_results` | whole number, 10 to 100 | `100` | Posts per page. |" in rows
    assert "| `look_back` | duration | `24h` |" in rows
    assert "timeout_s" not in rows


@pytest.mark.parametrize("mark", ["Brnad", "Brand -nmae"])
def test_a_mark_that_names_nothing_is_an_error(mark: str) -> None:
    with pytest.raises(ValueError, match=r"there is no model|has no"):
        reference.written(f"<!-- table: {mark} -->\n<!-- end of table -->", plugin_options())


def test_the_readmes_configuration_passes_the_check(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    path = tmp_path / "config.yaml"
    path.write_text(snippet, encoding="utf-8")
    assert list(load_config(path, plugin_options()).countries) == ["BE"]


def test_every_file_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target


def test_every_document_tells_as_many_replies_as_a_card_shows() -> None:
    written = {2: "two", 3: "three"}[MAX_DRAFTS]
    for path in (ROOT / "README.md", ROOT / "docs" / "community-managers.md"):
        found = re.findall(r"\b(one|two|three|four) (?:replies|drafts)\b", path.read_text(encoding="utf-8"))
        assert set(found) <= {written}, path
    picture = (ROOT / "docs" / "images" / "alert-card.svg").read_text(encoding="utf-8")
    assert len(set(re.findall(r"Reply&#160;\d", picture))) == MAX_DRAFTS
