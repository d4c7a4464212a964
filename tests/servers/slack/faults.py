"""Faults at random from a seed, as a network and a busy service have them."""

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.base import Reply

KINDS: Mapping[str, bool] = {
    "429": False,
    "500": False,
    "503": False,
    "503_after": True,
    "timeout": False,
    "timeout_after": True,
    "cut_after": True,
    "internal_error": False,
    "internal_error_after": True,
    "fatal_error": False,
    "fatal_error_after": True,
    "ratelimited": False,
    "slow": True,
}
"""Each kind of fault, and whether the call has taken effect."""


@dataclass(slots=True)
class Faults:
    """Which call fails, and how: the nth call of a method always meets the same fate for one seed."""

    seed: int
    rate: float
    kinds: Collection[str] = tuple(KINDS)
    exclude: Collection[str] = ()
    hang_s: float = 1.0
    """How long a time-out holds the answer back; more than the client waits."""
    slow_s: float = 0.05
    retry_after_s: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    by_method: Counter[str] = field(default_factory=Counter)
    _calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - KINDS.keys()
        assert not unknown, f"unknown kinds of faults: {unknown}"

    def choose(self, method: str) -> str | None:
        """The kind of fault this call meets, if any."""
        if method in self.exclude:
            return None
        self._calls[method] += 1
        chance = random.Random(f"{self.seed}:{method}:{self._calls[method]}")
        if chance.random() >= self.rate:
            return None
        kind = chance.choice(sorted(self.kinds))
        self.counts[kind] += 1
        self.by_method[method] += 1
        return kind

    def reply(self, kind: str, handled: Reply | None) -> Reply:
        """The answer that carries the fault; `handled` is the true one where the call took effect."""
        name = kind.removesuffix("_after")
        replies: dict[str, Reply] = {
            "429": Reply(429, _refusal("ratelimited"), {"Retry-After": str(self.retry_after_s)}),
            "500": Reply(500, b"internal error"),
            "503": Reply(503, b"upstream unavailable"),
            "timeout": Reply(503, b"too late", hang_s=self.hang_s),
        }
        if name in ("cut", "slow") and handled is not None:
            slow_s = self.slow_s if name == "slow" else 0.0
            return Reply(handled.status, handled.body, handled.headers, hang_s=slow_s, cut=name == "cut")
        return replies.get(name) or Reply(body=_refusal(name))


def _refusal(code: str) -> dict[str, Any]:
    return {"ok": False, "error": code}
