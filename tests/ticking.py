"""A clock in seconds for servers and receivers, which only a test, or a wait, moves on."""

STARTED = 1_773_475_200.0


class Ticking:
    """The time in seconds since 1970, and the waits it was asked for."""

    def __init__(self) -> None:
        self.seconds = STARTED
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds
