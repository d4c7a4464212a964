"""The Slack app as one thing that starts and stops with the daemon."""

import threading
from pathlib import Path

import structlog

from alerts.slack.client import SlackDesk
from listener.clock import Clock
from listener.config import Config
from listener.config.models import SlackApp
from listener.desk import Desk
from listener.errors import ConfigError, MissingSecretError, Problem
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import CardBuilder
from listener.slack.commands import Commands
from listener.slack.handlers import SlackHandlers
from listener.slack.home import HomeDesk
from listener.slack.http import HttpListener, Signatures, slack_web
from listener.slack.inbox import SlackInbox
from listener.slack.replying import ReplyDesk
from listener.slack.socket import SocketListener
from listener.slack.spool import Spool
from listener.store import Store

log = structlog.get_logger("listener.slack")

Listener = SocketListener | HttpListener


class SlackService:
    """Hears what people do in Slack and carries it out."""

    def __init__(self, listener: Listener, inbox: SlackInbox) -> None:
        self.listener = listener
        self.inbox = inbox

    def start(self) -> None:
        """Carry out what the last run acknowledged and did not come to, and begin to hear.

        Whatever goes wrong is logged: alerts must be sent all the same.
        """
        for step in (self.inbox.catch_up, self.listener.start):
            try:
                step()
            except Exception:
                log.exception("the Slack app did not start as it should")

    def close(self) -> None:
        """Stop hearing, and end what is being worked on."""
        self.inbox.close()
        self.listener.close()


def open_slack(
    config: Config,
    desk: Desk,
    announcer: Announcer,
    cards: CardBuilder,
    store: Store,
    clock: Clock,
    stopping: threading.Event | None = None,
) -> SlackService | None:
    """Return the Slack app that the configuration names; None where it names none.

    Raises:
        MissingSecretError: a token or secret of it is not set.
    """
    settings = config.slack
    if settings is None:
        return None
    slack = SlackDesk(settings.token, settings.base_url)
    commands = Commands(config, slack, desk, announcer, store, clock)
    home = HomeDesk(config, slack, announcer, cards, store, clock)
    handlers = SlackHandlers(config, slack, desk, ReplyDesk(config, cards, store, clock), home, commands)
    inbox = SlackInbox(handlers, stopping, Spool(Path(settings.spool)))
    try:
        return SlackService(_listener(settings, inbox, clock), inbox)
    except MissingSecretError:
        inbox.close()
        raise


def _listener(settings: SlackApp, inbox: SlackInbox, clock: Clock) -> Listener:
    if settings.mode == "http":
        if settings.signing_secret is None:
            raise ConfigError([Problem("", 1, 1, "slack", "mode http needs signing_secret")])
        signatures = Signatures(settings.signing_secret, lambda: clock.now().timestamp())
        return HttpListener(settings.listen, slack_web(signatures, inbox))
    if settings.app_token is None:
        raise ConfigError([Problem("", 1, 1, "slack", "mode socket needs app_token")])
    return SocketListener(settings.app_token, settings.base_url, inbox)
