"""What the documents say of the configuration is true."""

import re
from pathlib import Path

import pytest

from listener.config import Brand, Country, Team, Thresholds, load_config
from listener.config.models import (
    LabelMeaning,
    Matchers,
    Model,
    OtherClassifier,
    PlaybookChoice,
    Route,
    Store,
    Strict,
    Weights,
)
from listener.plugins import plugin_options

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SHAPES: list[type[Strict]] = [
    *(
        Brand,
        Country,
        Team,
        Thresholds,
        LabelMeaning,
        Matchers,
        Model,
        OtherClassifier,
        PlaybookChoice,
        Route,
        Store,
        Weights,
    ),
    *(options for pair in plugin_options().sources.values() for options in pair),
    *plugin_options().receivers.values(),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_reference_names_every_key(shape: type[Strict]) -> None:
    named = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", REFERENCE))))
    assert sorted(set(shape.model_fields) - named) == []


def test_the_thresholds_table_gives_the_defaults() -> None:
    defaults = Thresholds()
    for keys, values in re.findall(r"^\| (`[^|]+`) \| ([\d., ]+) \|", REFERENCE, re.MULTILINE):
        names = re.findall(r"`(\w+)`", keys)
        for name, value in zip(names, values.split(","), strict=True):
            assert getattr(defaults, name) == float(value), name


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
