"""What the documents say of the configuration is true."""

import re
from pathlib import Path

import pytest

from listener.config import Thresholds, load_config, models
from listener.config.models import Config, Strict
from listener.plugins import plugin_options

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


def test_the_thresholds_table_gives_the_defaults() -> None:
    defaults = Thresholds()
    table = REFERENCE.partition("### Thresholds")[2].partition("###")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| ([\d., ]+) \|", table, re.MULTILINE)
    assert len(rows) > 5
    for keys, values in rows:
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
