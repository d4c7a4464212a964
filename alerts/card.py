"""What people are shown: cards of alerts and incidents, notes in their threads, summaries, digests.

All of it is data. Texts are hostile (they come from posts and profiles) and free of any markup, but for the HTML of a
digest; each receiver escapes them for its own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

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
class Due:
    """A target of the alert."""

    what: str
    """In words: "first answer", "resolution"."""
    at: datetime
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Who looks after an alert, since when, what is due, and how it ended. Names are as people chose them: hostile."""

    owner: str = ""
    owner_address: str = ""
    """Where the owner can be mentioned, such as `slack:U0123`; empty where unknown."""
    since: datetime | None = None
    due: tuple[Due, ...] = ()
    """What is still to be reached, the nearest first."""
    snoozed_until: datetime | None = None
    replied_at: datetime | None = None
    private_at: datetime | None = None
    """When the conversation moved to a private channel."""
    escalated_to: str = ""
    """Who was told last that a target was missed, in words."""
    resolution: str = ""
    """How it ended, in words."""
    closed_by: str = ""
    closed_at: datetime | None = None


PostFate = Literal["stands", "edited", "deleted"]


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
    progress: Progress = Progress()
    fate: PostFate = "stands"
    """What became of the post since; the text of a deleted one is empty."""
    withdrawn: int = 0
    """How many of the alert's posts were deleted since."""
    interactive: bool = False
    """True where people can act on the card itself (buttons of the daemon's own Slack app)."""
    incident: str = ""
    """Reference of the incident it belongs to."""
    drill: bool = False
    """True where the post is invented, for a drill."""
    kind: Literal["card"] = "card"


@dataclass(frozen=True, slots=True)
class Voice:
    """One post of an incident, and who speaks."""

    name: str
    handle: str | None
    followers: int | None
    influence: float
    text: str
    """Empty where the post was deleted."""
    language_name: str
    posted_at: datetime
    url: str | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Negative mentions of one interval, beside what is usual for it."""

    at: datetime
    count: float
    expected: float


@dataclass(frozen=True, slots=True)
class IncidentCard:
    """A burst of negative mentions as shown to people, on its own alert."""

    alert_id: int
    reference: str
    severity: int
    state: AlertState
    brand: str
    country: str
    country_name: str
    topic: str
    """One of TOPICS, or empty where the burst has no one topic."""
    team: str
    pilot: bool
    timezone: str
    opened_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    """When the burst was over; None while it lasts."""
    mentions: int
    authors: int
    expected: float
    """How many mentions would have been usual in the same span."""
    fastest_per_hour: float
    copies_share: float
    """Share of the mentions that repeat another, in [0, 1]."""
    reach: int
    """Followers of those who speak, added up."""
    because: tuple[str, ...]
    """Why it is an incident and of this severity, in words with figures."""
    curve: tuple[CurvePoint, ...]
    first: Voice | None
    influential: tuple[Voice, ...]
    words: tuple[str, ...]
    """Words that rose, the strongest first."""
    complaints: tuple[tuple[str, int], ...]
    """What people complain of, with counts, the most frequent first."""
    languages: tuple[tuple[str, int], ...]
    guidance: Guidance | None
    progress: Progress = Progress()
    interactive: bool = False
    drill: bool = False
    """True where the posts are invented, for a drill."""
    usual_per_hour: float | None = None
    """What `because` took as usual for an hour; None in cards of before it was kept."""
    topic_share: float = 0.0
    """How much of what is beyond the usual the topic makes, in [0, 1]."""
    kind: Literal["incident"] = "incident"


NoteTone = Literal["history", "mention", "reminder", "escalation", "operator"]


@dataclass(frozen=True, slots=True)
class Note:
    """A short message: a line of an alert's history, a further mention, a reminder, a word to operators."""

    title: str
    text: str = ""
    tone: NoteTone = "operator"
    reference: str = ""
    """The alert it is about; empty where there is none."""
    people: tuple[str, ...] = ()
    """Who is to be notified, as addresses: `slack:U0123` a person, `slack:S0123` a group."""
    quote: str = ""
    """What somebody wrote; hostile."""
    url: str | None = None
    """The post that is quoted."""
    broadcast: bool = False
    """True shows it in the channel too, not in the thread alone."""
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert named in a summary."""

    alert_id: int
    reference: str
    severity: int
    line: str
    """Who, where, what about; hostile."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Alerts that were collected or folded, named in one message."""

    title: str
    text: str
    entries: tuple[Entry, ...]
    interactive: bool = False
    """True where a card can be asked for from here."""
    kind: Literal["summary"] = "summary"


@dataclass(frozen=True, slots=True)
class DigestTile:
    """One figure at the head of a digest, in the reader's words."""

    label: str
    value: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class DigestImage:
    """One chart of a digest."""

    name: str
    """Letters, digits, `-` and `_`; the mail's HTML refers to it as `cid:` and this name."""
    png: str
    """In base64."""
    alt: str
    """What it shows, in words; parts may be hostile."""


@dataclass(frozen=True, slots=True)
class DigestWords:
    """What receivers themselves say beside a digest, in the reader's language."""

    open: str = "Open the digest"
    whole: str = "All of it"
    without_charts: str = "Not all charts could be shown here."
    without_pdf: str = "The PDF is not attached: the mail would be too large."
    without_file: str = "The PDF could not be put here."


@dataclass(frozen=True, slots=True)
class DigestMessage:
    """A weekly digest for one reader, in their language, with all that any receiver needs of it."""

    title: str
    week: str
    """Such as 2026-W46."""
    language: str
    """The reader's, BCP 47."""
    subtitle: str = ""
    summary: tuple[str, ...] = ()
    """Sentences, the weightiest first; parts of them are hostile."""
    tiles: tuple[DigestTile, ...] = ()
    images: tuple[DigestImage, ...] = ()
    slack_pictures: tuple[str, ...] = ()
    """Names of the images that Slack shows, in their order."""
    html: str = ""
    """The mail's body, everything others wrote escaped."""
    text: str = ""
    """The mail's plain text part."""
    pdf: str = ""
    """In base64; empty where there is none."""
    file_name: str = ""
    """Of the PDF, with its ending; safe in every file system."""
    url: str = ""
    """Where the whole page is kept; empty where it cannot be opened from elsewhere."""
    command: str = ""
    """What shows the whole page in a terminal."""
    words: DigestWords = DigestWords()
    kind: Literal["digest"] = "digest"


@dataclass(frozen=True, slots=True)
class DigestFile:
    """A file that belongs into the thread of a digest."""

    title: str
    file_name: str
    """Unlike any other in the thread: by it the file is found again."""
    media_type: str
    content: str
    """In base64."""
    alt: str = ""
    """What an image shows; empty for other files."""
    without_file: str = "The file could not be put here."
    """What is said where it cannot be shared, in the reader's language."""
    kind: Literal["digest_file"] = "digest_file"


Message = Card | IncidentCard | Note | Summary | DigestMessage | DigestFile

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def dump_message(message: Message) -> str:
    """Return a message as JSON, for the outbox."""
    return _MESSAGE.dump_json(message).decode()


def load_message(data: str) -> Message:
    """Return the message that `dump_message` wrote.

    Raises:
        ValueError: `data` is no such message.
    """
    return _MESSAGE.validate_json(data)
