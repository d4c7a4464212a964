"""Socket Mode: hears from Slack over a connection that the daemon opens, so that it needs no public address."""

import logging
import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from alerts.slack.client import make_client, token_of
from alerts.slack.failures import translate
from listener.config import Secret
from listener.errors import PermanentDeliveryError
from listener.slack.inbox import ClosingError, SlackInbox

if TYPE_CHECKING:
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

log = structlog.get_logger("listener.slack")

_LONGEST_PAUSE_S = 60.0
_PING_S = 2.0
"""A connection that was cut silently is noticed after about five pings."""


class SocketListener:
    """Keeps one connection to Slack open until it is closed."""

    def __init__(self, app_token: Secret, base_url: str | None, inbox: SlackInbox, timeout_s: float = 10.0) -> None:
        from slack_sdk.socket_mode import SocketModeClient

        self._inbox = inbox
        self._closing = threading.Event()
        quiet = logging.getLogger(f"{__name__}.silent")
        quiet.setLevel(logging.CRITICAL + 1)  # what it would log holds the connection's ticket
        self._client: SocketModeClient = SocketModeClient(
            app_token=token_of(app_token),
            web_client=make_client(app_token, base_url, timeout_s),
            logger=quiet,
            ping_interval=_PING_S,
        )
        self._client.socket_mode_request_listeners.append(self._hear)
        self._thread = threading.Thread(target=self._connect, name="slack-socket", daemon=True)

    def start(self) -> None:
        """Connect in the background, and again until it works."""
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether Slack can reach the daemon now."""
        return bool(self._client.is_connected())

    def close(self) -> None:
        """End the connection."""
        self._closing.set()
        self._client.auto_reconnect_enabled = False
        # It waits a second at a time for what comes in; something has to, for it to see that it shall end.
        self._client.message_processor.event.set()
        self._client.enqueue_message("")
        for _ in range(2):  # slack_sdk 3.47 may stumble over a connection that ends by itself, and then goes on
            with suppress(AttributeError):
                self._client.close()
                break
        if self._thread.is_alive():
            self._thread.join(timeout=3)

    def _connect(self) -> None:
        """Open the first connection; afterwards the client itself opens a new one when one ends."""
        pause = 1.0
        while not self._closing.is_set():
            try:
                self._client.connect()
                log.info("connected to Slack")
                return
            except Exception as error:
                problem = translate(error)
                # The ticket of an address that failed is used up.
                self._client.wss_uri = None
                if isinstance(problem, PermanentDeliveryError):
                    log.error("Slack refuses the app token: buttons and commands do not work", problem=str(problem))
                    pause = _LONGEST_PAUSE_S
                else:
                    log.warning("cannot connect to Slack yet", problem=str(problem))
                if self._closing.wait(pause * random.uniform(0.8, 1.2)):
                    return
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _hear(self, client: "BaseSocketModeClient", request: "SocketModeRequest") -> None:
        from slack_sdk.socket_mode.response import SocketModeResponse

        try:
            answer = self._inbox.take(request.type, request.payload)
        except ClosingError:
            return  # what is not acknowledged is delivered again
        payload = None if answer is None else dict(answer)
        try:
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))
        except Exception as error:
            # Slack delivers it again, and the press's key makes that harmless.
            log.warning("an acknowledgement was not sent", problem=type(error).__name__)
