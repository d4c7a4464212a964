"""The values that pass between the layers: plain, frozen, without behaviour of any one layer.

Times are aware UTC. Scores are floats in [0, 1]. Texts are as the network gave them: hostile until escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any


class Urgency(IntEnum):
    """How soon a person should react to a post."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Sentiment(StrEnum):
    """The tone of a post."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


TOPICS = (
    "delivery",
    "billing",
    "outage",
    "quality",
    "staff",
    "booking",
    "account",
    "safety",
    "privacy",
    "price",
    "question",
    "praise",
    "other",
)

DRILL_NETWORK = "drill"
"""The network of posts that a drill injects: they count towards drills alone."""

SIGNALS: Mapping[str, str] = {
    "T": "time-critical",
    "S": "safety or health",
    "M": "money lost or fraud",
    "R": "repeated or unanswered contact",
    "C": "threatens to leave, or with lawyer, authority or press",
    "V": "vulnerable person",
    "W": "many customers hit",
    "I": "insult or hate",
}


@dataclass(frozen=True, slots=True)
class Engagement:
    """What people did with one post so far; None where the network does not say."""

    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    quotes: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """The account that wrote a post, on one network."""

    network: str
    external_id: str
    name: str = ""
    handle: str | None = None
    followers: int | None = None
    verified: bool | None = None
    bio: str = ""
    location: str = ""
    """Free text of the profile ("Leeds, UK", "Казань")."""
    country: str | None = None
    """ISO 3166 alpha-2, only where the network states it."""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """One public item that matched a watch. `(network, external_id)` is unique."""

    network: str
    external_id: str
    text: str
    published_at: datetime
    author: Author
    url: str | None = None
    language: str | None = None
    """The network's own language tag, as BCP 47 ("id" for X's "in"), or None."""
    conversation_id: str | None = None
    reply_to_id: str | None = None
    repost_of_id: str | None = None
    engagement: Engagement = Engagement()
    sponsored: bool = False
    country: str | None = None
    """ISO 3166 alpha-2 of the place tagged on the post, or None."""
    place: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    """Identifiers that reply and private-channel links need (for example `group`, `post_id`)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One query on one source for one brand and country."""

    id: str
    source: str
    brand: str
    country: str
    languages: tuple[str, ...]
    terms: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    account: str | None = None
    """The brand's own account on this network (handle, page or group), where it has one."""
    timezone: str = "UTC"
    options: Any = None
    """An instance of the source's own watch options."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that was not taken, and why. `where` names it (file:line, or the item's id)."""

    reason: str
    where: str
    sample: str = ""
    broken: bool = True
    """False for items left out on purpose (system messages, the brand's own posts)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of time that a watch did not see."""

    start_at: datetime
    end_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A post that a source says is gone."""

    network: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked of a network: what its quotas and its bill count."""

    requests: int = 0
    items: int = 0
    """Posts, comments and accounts that were read."""
    cost: float = 0.0
    """In US dollars, by the prices of the configuration."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one fetch brought: mentions, where to go on, and what was not taken."""

    mentions: tuple[Mention, ...]
    cursor: str | None
    more: bool = False
    """True when another fetch at once would bring further items."""
    skipped: tuple[Skipped, ...] = ()
    gaps: tuple[Gap, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    """Posts that may be known and are gone now."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A word of a post that moved its classification."""

    word: str
    """As it stands in the post, so hostile; the first 60 characters where it is longer."""
    weight: float
    """Its share of all that the post's words moved, in [-1, 1]; above 0 it raised complaint or urgency."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What the model says of one text. Every score in [0, 1]."""

    language: str
    complaint: float
    urgency: Urgency
    urgency_probabilities: tuple[float, float, float, float]
    sentiment: Sentiment
    sentiment_probabilities: tuple[float, float, float]
    topic: str
    topic_probability: float
    signals: Mapping[str, float]
    """Letter of SIGNALS to probability, only those that the model asserts."""
    model: str
    copy_of: int | None = None
    """Store id of the mention whose classification this repeats."""
    reasons: tuple[Reason, ...] = ()
    """The words that moved it, strongest first, where they were asked for."""
    embedding: bytes | None = field(default=None, compare=False, repr=False)
    """Of what may be a complaint: what to compare it by with others, as `classifiers.causes.compact` packs it."""

    @property
    def urgency_score(self) -> float:
        """Expected urgency over its range: 0 is none, 1 is certainly high."""
        return sum(level * p for level, p in enumerate(self.urgency_probabilities)) / 3.0


@dataclass(frozen=True, slots=True)
class Part:
    """One term of a score: what it is, its value in [0, 1], its weight, and the fact behind it in words."""

    name: str
    value: float
    weight: float
    because: str


@dataclass(frozen=True, slots=True)
class Influence:
    """How far an author's voice carries: score in [0, 1] with the parts it came from."""

    score: float
    author: float
    reach: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Velocity:
    """How fast a post spreads: score in [0, 1] with the parts it came from."""

    score: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Priority:
    """Urgency x influence x velocity in [0, 1], reproducible from its parts."""

    score: float
    urgency: float
    influence: float
    velocity: float
    explanation: str


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


RESOLUTIONS: Mapping[str, str] = {
    "public": "answered in public",
    "private": "moved to a private channel",
    "solved": "solved",
    "no_reply": "no reply needed",
    "not_complaint": "not a complaint",
    "over": "the burst is over",
    "withdrawn": "the post was withdrawn",
    "drill": "the drill is over",
}
"""How an alert ends, by its short name, in words."""

WAS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "question": ("a question", {"topic": "question"}),
    "praise": ("praise", {"topic": "praise", "sentiment": "positive"}),
    "other_brand": ("about something else of that name", {}),
    "advert": ("an advertisement or spam", {}),
    "joke": ("a joke or irony", {}),
    "news": ("news or general talk", {}),
    "own": ("posted by ourselves or a partner", {}),
    "other": ("something else", {}),
}
"""What an alert can have been instead of a complaint: in words, and what the model should have said besides."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One suggested public reply. A person sends it, never the daemon."""

    text: str
    locale: str
    variant: str
    length: int
    """By the network's own count."""
    limit: int | None
    note: str = ""
    """Said on the card, for example when the draft is not in the author's language."""
    gloss: str = ""
    """The same reply as the library has it in a language that the team reads; empty where the team reads the draft."""
    gloss_language: str = ""
    """English name of the gloss's language."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """How to move the conversation to a private channel: a link where there is one, steps in words always."""

    steps: str
    url: str | None = None
    first: str = ""
    """Whether the brand may write first on this network."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a playbook offers for one alert."""

    playbook: str
    title: str
    steps: tuple[str, ...]
    drafts: tuple[Draft, ...]
    handoff: Handoff
    reply_url: str | None = None
    never: tuple[str, ...] = ()
    url: str | None = None
    """The team's own page of this playbook."""
    tell: tuple[str, ...] = ()
    """Who must hear of it beside the team."""
    promise: tuple[str, ...] = ()
    """What may be promised."""
    answer_within: str = ""
    """How soon, as the playbook says it: "30 min"."""
    ask: tuple[str, ...] = ()
    """All that may be asked for in private, each with its reason."""
    close: str = ""
    """What closes the case."""
    best_unanswered: bool = False
    """Whether as a rule nobody answers."""
    private_text: str = ""
    """The private message as it may be written."""
    moved: tuple[str, ...] = ()
    """What may be said in public once the conversation goes on in private."""
    tone: tuple[str, ...] = ()
    """What the brand asks of every reply."""
