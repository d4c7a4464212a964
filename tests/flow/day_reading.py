"""Reads channels as a person would: which message is a card, of which alert, what stands in its thread."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.servers.slack import Channel, SlackMessage

_FOOTER = re.compile(r"^[AI]-(\d+) · team ", re.MULTILINE)
_NOTE = re.compile(r"^\W*[AI]-(\d+) · (.*)", re.MULTILINE)


def card_of(message: SlackMessage) -> int | None:
    """Return the alert whose card a message is; None for anything else."""
    if not is_card_or_summary(message):
        return None
    found = _FOOTER.findall(message.shown)
    return int(found[-1]) if found else None


def cards_in(channel: Channel) -> list[tuple[int, SlackMessage]]:
    """Return every card of a channel, those in threads too, with its alert."""
    return [(alert_id, message) for message in channel.everything if (alert_id := card_of(message)) is not None]


def card_in(channel: Channel, alert_id: int) -> SlackMessage | None:
    """Return an alert's card."""
    return next((message for of, message in cards_in(channel) if of == alert_id), None)


def thread_of(channel: Channel, card: SlackMessage) -> list[SlackMessage]:
    """Return what stands in the thread in which a card's notes stand: its own, or the one that it is in."""
    root = channel.root(card.thread_ts) if card.thread_ts else card
    assert root is not None
    return root.replies


def notes_of(channel: Channel, alert_id: int) -> Iterator[tuple[datetime, str]]:
    """Yield the notes about an alert in a channel with their times, the oldest first, without its name."""
    for message in channel.everything:
        found = None if is_card_or_summary(message) else _NOTE.search(message.shown)
        if found and int(found[1]) == alert_id:
            yield stands_since(message).replace(microsecond=0), found[2]


def is_card_or_summary(message: SlackMessage) -> bool:
    """Tell whether a message has a heading, as notes have none."""
    return bool(message.blocks) and message.blocks[0]["type"] == "header"


def stands_since(message: SlackMessage) -> datetime:
    """Return when a message was posted."""
    return datetime.fromtimestamp(float(message.ts), UTC)
