"""A receiver of webhooks on loopback: checks each signature as its owner would, and drops what it has seen."""

import json
from collections.abc import Callable
from typing import Any

from alerts.receivers.webhook import UnverifiedWebhookError, verify
from tests.servers.base import LocalServer, Reply, Request

SECRET = "whsec_" + "dGVzdC1vbmx5LXdlYmhvb2stc2VjcmV0LW9wZW5zLW5vdGhpbmc="  # opens nothing elsewhere


class WebhookServer(LocalServer):
    """Keeps every message once, by webhook-id."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.is_gone = False
        self._now = now

    @property
    def url(self) -> str:
        return f"{self.base_url}/hooks/alerts"

    @property
    def shown(self) -> str:
        """What a desk would show that keeps one entry for each message, as it stands now."""
        current: dict[str, str] = {}
        for webhook_id, message in self.messages.items():
            key = message["in_reply_to"] if message["event"] == "updated" else webhook_id
            current[key] = message["text"]
        return "\n".join(current.values())

    def handle(self, request: Request) -> Reply:
        if self.is_gone:
            return Reply(410)
        try:
            webhook_id = verify(request.headers, request.body, [SECRET], self._now())
        except UnverifiedWebhookError as error:
            return Reply(400, {"error": str(error)})
        self.messages.setdefault(webhook_id, json.loads(request.body))
        return Reply(204, b"")
