"""The documents lead somewhere: links, anchors, commands and options in them are there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from listener.cli import app

ROOT = Path(__file__).parents[3]
DOCS = sorted((ROOT / "docs").glob("*.md"))
ROOT_COMMAND: Any = typer.main.get_command(app)


def anchors(path: Path) -> set[str]:
    found = set()
    for title in re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), target


def commands(text: str) -> list[str]:
    """Return the command lines of a document: those in blocks for shells, and those in the text that have arguments."""
    found = []
    for block in re.findall(r"```(?:sh|bash)?\n(.*?)```", text, re.DOTALL):
        found += [line for line in block.splitlines() if re.match(r"\s*(\.venv/bin/)?listener [a-z]", line)]
    found += re.findall(r"`(listener [a-z][^`…|]*)`", text)
    return [re.sub(r"(?<=\s)#.*$", "", line).replace(".venv/bin/", "").strip() for line in found]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_commands_in_documents_are_there_with_their_options(path: Path) -> None:
    for line in commands(path.read_text(encoding="utf-8")):
        first = re.split(r" [|>;<] | && ", line)[0].rstrip("; ").replace("…", "")
        try:
            words = shlex.split(first)[1:]
        except ValueError:  # an example in several lines
            continue
        place = ROOT_COMMAND
        while words and words[0] in getattr(place, "commands", {}):
            place = place.commands[words.pop(0)]
        assert place is not ROOT_COMMAND or words[0] in ("COMMAND", "--help"), line
        known = {option for one in place.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known, line


def test_every_document_stands_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in DOCS if path.name != "README.md" and f"]({path.name})" not in index] == []
