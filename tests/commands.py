"""`listener` in this process: what a command says and how it ends, without the seconds that a start takes."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import structlog

from listener.cli import main

ROOT = Path(__file__).parents[1]


def listener_here(*arguments: str, **environment: str) -> CompletedProcess[str]:
    """Run a command to its end, from the project's folder; one that listens needs a process of its own."""
    out, err = StringIO(), StringIO()
    with _logs_as_before(), pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["listener", *arguments])
        patch.setattr("listener.cli.be_the_program", lambda: None)
        patch.chdir(ROOT)
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as ended:
            return CompletedProcess(arguments, int(ended.code or 0), out.getvalue(), err.getvalue())
    return CompletedProcess(arguments, 0, out.getvalue(), err.getvalue())


@contextmanager
def _logs_as_before() -> Iterator[None]:
    """Take back how a command logs: it is for the rest of a process, and this one goes on."""
    root, scheduler = logging.getLogger(), logging.getLogger("apscheduler")
    before, handlers, levels = structlog.get_config(), root.handlers[:], (root.level, scheduler.level)
    was_configured = structlog.is_configured()
    try:
        yield
    finally:
        structlog.configure(**before) if was_configured else structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        scheduler.setLevel(levels[1])
