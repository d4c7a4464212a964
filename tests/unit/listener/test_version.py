"""`listener --version`, and what every command begins with."""

from importlib.metadata import version

from tests.commands import listener_here


def test_the_version_is_that_of_what_is_installed() -> None:
    done = listener_here("--version")
    assert (done.returncode, done.stdout) == (0, f"listener {version('listening-daemon')}\n")
