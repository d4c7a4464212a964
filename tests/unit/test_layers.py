"""The table of layers in docs/architecture.md, enforced on the import statements."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ("sources", "classifiers", "alerts", "playbooks")
FLOOR = (
    "listener.model",
    "listener.errors",
    "listener.clock",
    "listener.entities",
    "listener.searching",
    "listener.sentences",
    "listener.config",
)
HEAVY = ("torch", "transformers", "tokenizers", "tweepy", "vk_api", "slack_sdk", "matplotlib", "apscheduler", "numpy")


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", PLUGINS)
def test_plugins_import_the_floor_and_themselves_only(package: str) -> None:
    others = tuple(other for other in PLUGINS if other != package)
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path)
        if is_in(name, others) or (is_in(name, ("listener",)) and not is_in(name, FLOOR) and name != "listener")
    ]
    assert wrong == []


def test_the_floor_imports_nothing_of_ours_but_itself() -> None:
    floor = [
        ROOT / "listener" / f"{name}.py" for name in ("model", "errors", "clock", "entities", "searching", "sentences")
    ]
    floor += list((ROOT / "listener" / "config").rglob("*.py"))
    allowed_libraries = ("pydantic", "pydantic_core")
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in floor
        for name in imports(path)
        if is_in(name, PLUGINS)
        or (is_in(name, ("listener",)) and not is_in(name, FLOOR))
        or is_in(name, HEAVY)
        or (is_in(name, ("sqlalchemy", "requests", "structlog")) and not is_in(name, allowed_libraries))
    ]
    assert wrong == []


def test_the_store_imports_the_floor_and_the_database_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("listener/store")
        for name in imports(path)
        if is_in(name, PLUGINS)
        or (is_in(name, ("listener",)) and not is_in(name, (*FLOOR, "listener.store")))
        or is_in(name, HEAVY)
    ]
    assert wrong == []
