"""Every command has its page, and the documents say what the program says."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from listener import completion
from listener.cli import app
from listener.completion import answer
from listener.manual import _commands, document, pages, unwrapped

ROOT = Path(__file__).parents[3]
ROOT_COMMAND: Any = typer.main.get_command(app)
COMMANDS = {" ".join(words): command for words, command in _commands(ROOT_COMMAND, ())}
EXAMPLES = [(name, line) for name, page in pages().items() for line, _ in page.examples]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_with_a_summary_of_one_line_and_an_example(name: str) -> None:
    page = pages()[name]
    assert len(page.summary) <= 60
    assert page.examples
    command = COMMANDS[name]
    assert command.get_short_help_str(100) == page.summary
    assert "\n" not in unwrapped(command.help).split("\n\n")[0]
    assert (command.help or "").split("\n\n")[0].rstrip().endswith(".")


def test_every_page_is_of_a_command() -> None:
    assert set(pages()) - {""} <= set(COMMANDS)


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_examples_name_commands_and_options_that_are_there(name: str, line: str) -> None:
    called = re.findall(r"listener [^|>)\"]+", line)
    assert called
    for one in called:
        words = shlex.split(one if one.count("'") % 2 == 0 else line)[1:]
        place = ROOT_COMMAND
        while words and words[0] in getattr(place, "commands", {}):
            place = place.commands[words.pop(0)]
        known = {option for parameter in place.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name: str) -> None:
    silent = [
        one.name for one in COMMANDS[name].params if one.name != "help" and not (getattr(one, "help", "") or "").strip()
    ]
    assert silent == []


def test_what_is_read_on_about_is_there() -> None:
    for name, page in pages().items():
        for one in page.see:
            assert (ROOT / one).is_file() if one.startswith("docs/") else one.removeprefix("listener ") in COMMANDS, (
                name
            )


def test_the_document_of_commands_is_current() -> None:
    """Where this fails: `python -m listener.documents`."""
    assert document(app) == (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_help_says_what_the_option_says() -> None:
    def said(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "listener.cli", *arguments],
            env={**os.environ, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout

    assert said("help", "config", "rollback").split() == said("config", "rollback", "--help").split()
    shown = said("help")
    assert all(
        panel in shown for panel in ("First steps", "Listening", "Alerts and people", "Tuning", "Texts and parts")
    )
    assert "Examples" in shown
    assert "Exit status" in shown


CONFIG = """\
brands:
  yunfan: {name: 云帆}
  "we ird": {name: x}
  "$(touch bad)": {name: "yes\\e]0;title\\a"}
teams: {paris: {name: Paris}}
receivers: {slack-fr: {type: slack}, terminal: {type: terminal}, "r\\e]0;title\\a\\nsecond": {type: terminal}}
sources: {x: {}, file: {}}
countries: {FR: {}, JP: {name: 日本}, "`touch bad`": {}, "J$(touch bad)": {}, "J;touch bad": {}}
"""


@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("listener con", ["config", "console"]),
        ("listener config r", ["rollback"]),
        ("listener alerts --country ", ["FR", "JP"]),
        ("listener alerts --country J", ["JP"]),
        ("listener alerts --country=j", ["--country=JP"]),
        ("listener alerts --country FR --team ", ["paris"]),
        ("listener try 'a post' --brand y", ["yunfan"]),
        ("listener try 'a post' --brand ", ["yunfan"]),
        ("listener outbox resend --receiver ", ["slack-fr", "terminal"]),
        ("listener test-source ", ["file", "x"]),
        ("listener digest --format h", ["html"]),
        ("listener alert A-1 re", ["release", "reopen", "replied", "resolve"]),
        ("listener correct A-1 --topic sa", ["safety"]),
        ("listener init --country FR --country LI", ["LI"]),
        ("listener help config ro", ["rollback"]),
        ("listener completion ", ["bash", "fish", "zsh"]),
        ("listener alerts -c ~/config.yaml --country J", ["JP"]),
        ("listener alerts --own", ["--owner"]),
        ("listener alert ", []),
        ("listener nothing ", []),
        ("listener try 'unfinished", []),
    ],
)
def test_shells_are_told_what_may_follow(
    line: str, candidates: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path if "~" not in line else "/")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = [one.partition("\t")[0] for one in answer(ROOT_COMMAND, line).splitlines()]
    assert sorted(found) == candidates
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]


@pytest.mark.parametrize("text", ["", "a: [", "brands: 3\n", "- x\n"])
def test_a_broken_configuration_completes_nothing_and_says_nothing(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert answer(ROOT_COMMAND, "listener alerts --country ") == ""
    assert answer(ROOT_COMMAND, "listener ale") != ""


class Hostile:
    """A command whose candidates a terminal would obey."""

    params: tuple[Any, ...] = ()

    def __init__(self) -> None:
        self.commands = {"r\x1b]0;title\x07": self, "plain": self}
        self.hidden = False

    def get_short_help_str(self, _: int) -> str:
        return "red\x1b[31m\nsecond"


def test_no_candidate_reaches_the_terminal_with_control_characters() -> None:
    assert answer(Hostile(), "listener ") == "plain\tred [31m second\n"


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_database_that_never_speaks_completes_nothing_and_holds_no_shell(
    silent_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(
        f"store: {{url: 'postgresql://a@127.0.0.1:{silent_server}/a'}}\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(completion, "_PATIENCE_S", 0.2)
    began = time.monotonic()
    assert answer(ROOT_COMMAND, "listener alert ") == ""
    assert time.monotonic() - began < 30  # as long as a busy machine imports; the server would never answer


BASH = r"""
eval "$(listener completion bash)"
complete_line() {
    COMP_LINE="$1"; COMP_POINT=${#1}; COMP_WORDS=(listener); COMPREPLY=()
    _listener_completion
    printf '%s\n' "${COMPREPLY[@]}"
}
for line in "listener ale" "listener alerts --country " "listener alerts --country=J"; do
    echo "<$(complete_line "$line" | tr '\n' ' ')>"
done
complete -p listener
mapfile -t inserted < <(complete_line "listener hostile --x=")
for one in "${inserted[@]}"; do eval "printf '<%s>\n' $one"; done
"""

FISH = """
listener completion fish | source
for line in "listener ale" "listener alerts --country " "listener alerts --country=J" "listener check --config mi"
    echo "<"(complete --do-complete $line | string replace --regex '\\t.*' '' | string join ' ')">"
end
"""

# What zsh completes is only seen on a terminal: into one of its own each line is typed, with a tab and an end.
ZSH = r"""
zmodload zsh/zpty zsh/zselect
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit; compinit -u -D; eval "$(listener completion zsh)"'
n=0
for line in "completion f" "alerts --country=J" "config rollb" "check --config mi" "hostile --x=d" "hostile --x=t"; do
    zpty -n -w shell "listener $line"$'\t'$'\n'
    (( n += 1 ))
    while ! [[ -f ran && $(wc -l < ran) -ge $n ]]; do zpty -r -t shell ignored || zselect -t 5 || true; done
done
zpty -d shell
cat ran
"""
PROGRAM = """\
#!/bin/sh
# Names that no configuration has: a shell must insert them so that they are words, and nothing is run.
case "$_LISTENER_COMPLETE" in "listener hostile --x="*)
    printf '%s\\t\\n' '--x=d$(touch bad)' '--x=t`touch bad`' '--x=s;touch bad' "--x=a b'c:d=e~"
    exit
esac
if [ -z "$_LISTENER_COMPLETE" ] && [ "$2" != "$SHELL_NAME" ]; then echo "<$*>" >> ran; exit; fi
exec "{python}" -m listener.cli "$@"
"""


def shell(name: str, commands: str, folder: Path) -> list[str]:
    """Run commands in a real shell, in a folder with a configuration, `listener` on the path; return what it says."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "mine.yaml").touch()
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    program = bin_folder / "listener"
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    quiet = {"bash": ["--norc", "--noprofile"], "fish": ["--no-config"], "zsh": ["-f"]}[name]
    done = subprocess.run(
        [name, *quiet, "-c", commands],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "TERM": "xterm",
            "SHELL_NAME": name,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    assert not (folder / "bad").exists()
    return done.stdout.splitlines()


def test_real_bash_completes_with_names_of_the_configuration(tmp_path: Path) -> None:
    said = shell("bash", BASH, tmp_path)
    # Of `--country=J` bash replaces what follows its word break =, so only that is answered.
    assert said[:3] == ["<alert alerts >", "<FR JP >", "<JP >"]
    assert "_listener_completion listener" in said[3]
    assert said[4:] == ["<d$(touch bad)>", "<t`touch bad`>", "<s;touch bad>", "<a b'c:d=e~>"]


def test_real_fish_completes_with_names_of_the_configuration_and_files_where_there_are_none(tmp_path: Path) -> None:
    said = shell("fish", FISH, tmp_path)
    assert said == ["<alert alerts>", "<FR JP>", "<--country=JP>", "<mine.yaml>"]


def test_real_zsh_completes_with_names_of_the_configuration_and_files_where_there_are_none(tmp_path: Path) -> None:
    said = shell("zsh", ZSH, tmp_path)
    assert said[:4] == ["<completion fish>", "<alerts --country=JP>", "<config rollback>", "<check --config mine.yaml>"]
    assert said[4:] == ["<hostile --x=d$(touch bad)>", "<hostile --x=t`touch bad`>"]
