"""How an alert stands, in words: who owns it, since when, what is due, how it ended; and what is new."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from alerts import wording
from alerts.card import Card, DigestFile, DigestMessage, IncidentCard, Message, Note, Summary
from listener.model import AlertState

_MOST_REMEMBERED = 5_000
COUNTS = "counts"
"""The one fact that changes with every further mention."""


def standing(card: Card | IncidentCard) -> tuple[str, ...]:
    """Return how the alert stands, a line for each fact, the state first."""
    incident = (
        [f"Part of incident {wording.name(card.incident, 30)}"] if isinstance(card, Card) and card.incident else []
    )
    return (f"State: {card.state}", *wording.progress_lines(card.progress, card.timezone), *incident)


def state_words(card: Card | IncidentCard) -> str:
    """Return the state with whoever brought it about: "claimed by Ana Ruiz", "resolved: solved, by Ana Ruiz"."""
    progress, owner = card.progress, wording.name(card.progress.owner)
    by = f" by {owner}" if owner else ""
    if wording.is_closed(card):
        known = progress.resolution.strip() or progress.closed_by.strip()
        return f"{card.state}: {wording.ending(progress)}" if known else str(card.state)
    if card.state is AlertState.SNOOZED:
        until = f" until {wording.local_time(progress.snoozed_until, card.timezone)}" if progress.snoozed_until else ""
        return f"snoozed{by}{until}"
    return f"claimed{by}" if card.state is AlertState.CLAIMED else "open, nobody has taken it yet"


def facts(message: Message) -> Mapping[str, str]:
    """Return what a reader may have to be told again when it changes, by name."""
    if isinstance(message, Card):
        return {**_shared(message), "post": _fate(message), COUNTS: wording.counts(message)}
    if isinstance(message, IncidentCard):
        over = (
            f"over since {wording.local_time(message.ended_at, message.timezone)}" if message.ended_at else "going on"
        )
        return {**_shared(message), "course": over, COUNTS: f"{message.mentions:,} mentions"}
    if isinstance(message, Summary):
        return {"title": wording.name(message.title, 150), "entries": _named(message)}
    text = message.text if isinstance(message, Note) else " ".join(_lines(message))
    return {"title": wording.name(message.title, 150), "text": wording.name(text, 300)}


def _lines(message: DigestMessage | DigestFile) -> tuple[str, ...]:
    return message.summary[:1] if isinstance(message, DigestMessage) else (message.file_name,)


def _named(summary: Summary) -> str:
    named = ", ".join(wording.name(entry.reference, 30) for entry in summary.entries[:10])
    return f"{wording.plural(len(summary.entries), 'alert', 'alerts')}: {named}" if named else "no alerts"


def _shared(card: Card | IncidentCard) -> dict[str, str]:
    escalated = wording.name(card.progress.escalated_to, 120)
    return {
        "state": state_words(card),
        "severity": f"severity {card.severity}",
        "answer": "answered" if card.progress.replied_at else "",
        "private": "moved to a private channel" if card.progress.private_at else "",
        "escalation": f"escalated to {escalated}" if escalated and not wording.is_closed(card) else "",
    }


def _fate(card: Card) -> str:
    return {"deleted": "the post was withdrawn", "edited": "the author edited the post"}.get(card.fate, "")


def reference(message: Message) -> str:
    """Return the name of what the message is about, or an empty text."""
    return wording.name(message.reference, 30) if isinstance(message, Card | IncidentCard | Note) else ""


class Told:
    """What was last told about each message, since this process started. Safe for several threads."""

    def __init__(self) -> None:
        self._facts: OrderedDict[str, Mapping[str, str]] = OrderedDict()
        self._lock = Lock()

    def remember(self, key: str, message: Message) -> None:
        """Note that readers of `key` were told how `message` stands."""
        with self._lock:
            self._facts[key] = facts(message)
            self._facts.move_to_end(key)
            while len(self._facts) > _MOST_REMEMBERED:
                self._facts.popitem(last=False)

    def news(self, key: str, message: Message) -> Mapping[str, str]:
        """Return the facts that readers of `key` have not been told; all of them where nothing is remembered."""
        with self._lock:
            before = self._facts.get(key, {})
        return {name: words for name, words in facts(message).items() if words and words != before.get(name)}


def is_told_by_update(message: Message) -> bool:
    """Tell whether a message only repeats what the next update of its alert says."""
    return isinstance(message, Note) and message.tone == "history"
