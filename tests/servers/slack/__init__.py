"""A Slack workspace on loopback: Web API, Block Kit, modals, files, Socket Mode, signed requests, people who act.

It answers and limits as Slack documents, and keeps channels so that a test reads them as a person would.
"""

from tests.servers.slack.blocks import MAX_TOTAL, block_problems, view_problems
from tests.servers.slack.delivery import ACK_S, TAMPERINGS, Delivery, sign
from tests.servers.slack.faults import KINDS, Faults
from tests.servers.slack.methods import BOT_SCOPES, METHODS
from tests.servers.slack.people import BadAnswerError, NotOnScreenError, NotSubmittedError, Person, Submission
from tests.servers.slack.server import SlackServer
from tests.servers.slack.state import (
    APP_TOKEN,
    BOT,
    SIGNING_SECRET,
    TOKEN,
    Channel,
    RefusedError,
    SlackFile,
    SlackMessage,
    View,
)

__all__ = [
    "ACK_S", "APP_TOKEN", "BOT", "BOT_SCOPES", "KINDS", "MAX_TOTAL", "METHODS", "SIGNING_SECRET", "TAMPERINGS", "TOKEN",
    "BadAnswerError", "Channel", "Delivery", "Faults", "NotOnScreenError", "NotSubmittedError", "Person",
    "RefusedError", "SlackFile", "SlackMessage", "SlackServer", "Submission", "View", "block_problems", "sign",
    "view_problems",
]  # fmt: skip
