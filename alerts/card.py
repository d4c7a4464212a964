"""The alert card: everything a community manager sees of one alert, free of any receiver's markup.

A card is data. Texts in it are hostile (they come from posts); each receiver escapes them for its own markup.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from listener.model import AlertState, Guidance


@dataclass(frozen=True, slots=True)
class CardAuthor:
    """Who wrote the post, as shown."""

    name: str
    handle: str | None
    followers: int | None
    verified: bool
    influence: float
    because: tuple[str, ...]
    """The influence parts in words, most weighty first."""
    url: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """One alert as shown to people."""

    alert_id: int
    reference: str
    """Short name people can say and search for, such as A-1042."""
    severity: int
    """1 to 3, 3 the most urgent."""
    state: AlertState
    brand: str
    country: str
    country_name: str
    team: str
    network: str
    pilot: bool
    language: str
    """BCP 47 tag of the post's language."""
    language_name: str
    team_reads_language: bool
    author: CardAuthor
    text: str
    place: str
    url: str | None
    published_at: datetime
    opened_at: datetime
    topic: str
    reasons: tuple[str, ...]
    """Why it was raised, in words: rules crossed with figures, signals."""
    priority: float
    priority_explanation: str
    mentions: int
    """How many posts the alert holds."""
    copies: int
    """How many of them repeat another."""
    guidance: Guidance | None
    timezone: str
    """The country's zone, for the times on the card."""
    words: tuple[str, ...] = ()
    """Words of the post that raised its scores, the strongest first."""


@dataclass(frozen=True, slots=True)
class OperatorMessage:
    """A message to operators: a source refused, a receiver disabled, a configuration rejected."""

    title: str
    text: str


_CARD: TypeAdapter[Card] = TypeAdapter(Card)


def dump_card(card: Card) -> str:
    """Return the card as JSON, for the outbox."""
    return _CARD.dump_json(card).decode()


def load_card(data: str) -> Card:
    """Return the card that `dump_card` wrote."""
    return _CARD.validate_json(data)
