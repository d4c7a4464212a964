"""What a simulation says in words."""

from types import SimpleNamespace
from typing import Any

from listener.tuning.climbing import Climbed
from listener.tuning.words import _climbed


def test_one_reminder_is_one() -> None:
    side = SimpleNamespace(climbed=Climbed())
    found: Any = SimpleNamespace(then=side, now=side, happened=Climbed(reminders=1, escalations=2), appearing=())
    assert list(_climbed(found, 80))[-1] == "  what there really was: 1 reminder, 0 told again, 2 escalation steps"
