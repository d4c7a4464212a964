"""How a file of posts is replayed."""

import threading

import pytest

from listener.replaying import pause_s


@pytest.mark.parametrize(
    ("distance_s", "speed", "waited_s"),
    [(60, 2, 30), (-5, 2, 0), (30 * 365 * 86400, 0.001, threading.TIMEOUT_MAX), (60, float("inf"), 0)],
)
def test_between_posts_is_waited_as_long_as_can_be(distance_s: float, speed: float, waited_s: float) -> None:
    assert pause_s(distance_s, speed) == waited_s
    stop = threading.Event()
    stop.set()
    assert stop.wait(pause_s(distance_s, speed))
