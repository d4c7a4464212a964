import sys

import pytest
import structlog

from listener.logs import configure_logging


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_traceback_shows_no_local_variable(
    on_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: on_terminal)
    configure_logging()
    token = "xoxb-" + "very-secret"
    try:
        raise RuntimeError("a fault")
    except RuntimeError:
        structlog.get_logger("test").exception("job failed", job="x")
    said = capsys.readouterr().err
    structlog.reset_defaults()
    assert "a fault" in said
    assert token not in said
