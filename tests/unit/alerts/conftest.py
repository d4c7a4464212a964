"""A Slack workspace on loopback with a clock of its own, and a token for it."""

from collections.abc import Iterator

import pytest

from listener.config import Secret
from tests.servers.slack import TOKEN, SlackServer
from tests.ticking import Ticking


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def server(clock: Ticking) -> Iterator[SlackServer]:
    with SlackServer(channels=("C1", "C2"), now=clock) as running:
        yield running


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    return Secret("env", "SLACK_BOT_TOKEN")
