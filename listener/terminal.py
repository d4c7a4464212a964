"""What every command does at the terminal: progress, errors on standard error, signals, pipes, files as arguments."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from listener.errors import ListenerError, visible

if TYPE_CHECKING:
    from listener.app import Progress
    from listener.config import Config
    from listener.keeping import ConfigFiles, LastValid

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]
DEFAULT_CONFIG = Path("config.yaml")
_USUAL_STORE = "sqlite:///var/listener.db"

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

    check_is_file(path)
    return load_config(path, plugin_options())


def load_or_tell_the_way_back(path: Path) -> "Config":
    """Return the configuration; where it is invalid and an earlier one was kept, say how to put that back as well.

    Raises:
        ListenerError: what is wrong with the file, and where.
    """
    from listener.errors import ConfigError

    try:
        return load_settings(path)
    except ConfigError as error:
        if not _was_kept(path):
            raise
        raise ListenerError(f"{error}\n{_way_back(path)}") from error


def load_in_force(path: Path) -> "Config":
    """Return the configuration in force: the file's, or where that is invalid what was in force last, which is said.

    For commands beside a daemon, which goes on as before as well.

    Raises:
        ListenerError: what is wrong with the file, and where, and why nothing else can be used.
    """
    from listener.errors import ConfigError
    from listener.keeping import seen_now

    try:
        return load_settings(path)
    except ConfigError as error:
        return last_valid(path, str(error), seen_now(path)).config


def last_valid(path: Path, problem: str, seen: str) -> "LastValid":
    """Return what was in force last, for files that cannot be: known as `seen`, and why. Say so.

    Raises:
        ListenerError: what is wrong with the file, and why nothing else can be used.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _kept_files(path, must_be_named=True) as (files, place):
            found = files.last_valid(problem, seen)
    except ListenerError as error:
        raise ListenerError(f"{problem}\nnothing else can be used: {error}") from error
    except SQLAlchemyError as error:
        raise ListenerError(f"{problem}\nnothing else can be used: the database does not answer") from error
    version = found.version
    say(
        problem,
        f"until this is mended, version {version.id} of {version.at:%d %b %Y, %H:%M} UTC is used, which {place} has",
        _way_back(path),
    )
    return found


def _way_back(path: Path) -> str:
    option = "" if path == DEFAULT_CONFIG else f" --config {path}"
    return f"`listener config history{option}` lists what was in force, `listener config rollback{option}` puts it back"


def _was_kept(path: Path) -> bool:
    """Tell whether the store has a configuration that was in force; nothing is written, and nobody is waited for."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _kept_files(path) as (files, _):
            return files.is_kept
    except (ListenerError, SQLAlchemyError):
        return False


@contextmanager
def _kept_files(path: Path, *, must_be_named: bool = False) -> Iterator[tuple["ConfigFiles", str]]:
    """Give the kept versions of a file that may be invalid, and where they are; nothing is written, nobody waited for.

    Raises:
        ListenerError: where they are is not known.
        SQLAlchemyError: the database does not answer.
    """
    from sqlalchemy.engine import make_url

    from listener.clock import SystemClock
    from listener.keeping import ConfigFiles, store_settings
    from listener.store import Store

    url = make_url(store_settings(path, must_be_named=must_be_named).address)
    place = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"connect_timeout": "3"})
    with closing(Store(url.render_as_string(hide_password=False), read_only=True)) as store:
        yield ConfigFiles(path, store, SystemClock()), place


def check_is_file(path: Path) -> None:
    """Refuse a configuration that is a folder or not there; what else may be wrong with it is said by its reader.

    Raises:
        ListenerError: what to name instead.
    """
    if os.path.isdir(path):
        raise ListenerError(f"{path} is a folder; name the file, such as --config {path / DEFAULT_CONFIG}")
    with suppress(OSError, ValueError):
        if not path.exists():
            way_back = f", `listener config rollback --store {_USUAL_STORE}` puts back what was in force"
            raise ListenerError(
                f"there is no {path}; `listener init` writes a first one, --config names another"
                f"{way_back if Path(_USUAL_STORE.removeprefix('sqlite:///')).is_file() else ''}"
            )


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
    return typer.BadParameter(visible(message))


def say(*lines: str) -> None:
    """Print lines for people on standard error; names in them may be hostile."""
    for line in lines:
        print(visible(line), file=sys.stderr)


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
