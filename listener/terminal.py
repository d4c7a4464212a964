"""What every command does at the terminal: progress, errors on standard error, signals, pipes, files as arguments."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from listener.errors import ListenerError

if TYPE_CHECKING:
    from listener.app import Progress
    from listener.config import Config

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]
DEFAULT_CONFIG = Path("config.yaml")

_is_the_program = False


def be_the_program() -> None:
    """Note that this process is `listener` and nothing else: only then may it end at a broken pipe of any kind."""
    global _is_the_program
    _is_the_program = True


def load_settings(path: Path) -> "Config":
    """Return the configuration with the options of all plugins checked.

    Raises:
        ListenerError: what is wrong with the file, and where.
    """
    from listener.config import load_config
    from listener.plugins import plugin_options

    return load_config(path, plugin_options())


@contextmanager
def open_output() -> Iterator[BinaryIO]:
    """Give out standard output as bytes; what it refused to take is dropped, so that Python's end is quiet."""
    from listener.classifying import OutputError

    if sys.stdout is None:
        raise ListenerError("cannot write: standard output is closed")
    try:
        yield sys.stdout.buffer
    except OutputError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if isinstance(error.__cause__, BrokenPipeError):
            raise typer.Exit(1) from None
        raise


@contextmanager
def open_input(name: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, or standard input for -, with its size; 0 where that is unknown."""
    try:
        source = open(0 if name == "-" else name, "rb", closefd=name != "-")  # noqa: SIM115
    except OSError as error:
        raise ListenerError(f"cannot read {name}: {error.strerror}") from error
    with source:
        status = os.fstat(source.fileno())
        yield source, status.st_size if stat.S_ISREG(status.st_mode) else 0


def account() -> str:
    """Return the name of the account that runs this; in a container it may have none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def end_with_the_pipe() -> None:
    """End quietly when whoever reads our output has gone, as in `listener status | head`."""
    if _is_the_program and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def usage_error(message: str) -> typer.BadParameter:
    """Return the error for arguments that do not fit, to be raised; exit status 2."""
    return typer.BadParameter(message)


def say(*lines: str) -> None:
    """Print lines for people on standard error."""
    for line in lines:
        print(line, file=sys.stderr)


def stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C or SIGTERM sets; a second one ends the process at once."""
    stop = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        print("stopping…", file=sys.stderr)

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    return stop


class StoppedError(Exception):
    """Somebody pressed Ctrl-C during a long step."""


@contextmanager
def show_progress(stop: threading.Event | None = None) -> Iterator["Progress"]:
    """Show a bar on a terminal; elsewhere one line for each new thing that is being done.

    A long step that reports its progress ends at the next report once `stop` is set.
    """
    with _bar() if sys.stderr.isatty() else nullcontext(_say_new_things()) as show:

        def report(what: str, share: float) -> None:
            if stop is not None and stop.is_set():
                raise StoppedError
            show(what, share)

        yield report


@contextmanager
def _bar() -> Iterator["Progress"]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading the model", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


def _say_new_things() -> "Progress":
    said: set[str] = set()

    def say_new(what: str, share: float) -> None:
        subject = what.split(" ", 1)[0]
        if subject not in said:
            said.add(subject)
            say(f"{what}…")

    return say_new
