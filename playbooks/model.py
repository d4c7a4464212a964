"""The values of a playbook library: playbooks, reply templates, phrases, and the request for guidance.

Nothing here reads a file or renders a text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from listener.errors import Problem
from listener.model import Urgency

NameStyle = Literal["first", "full"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands in the library's files, for messages about it."""

    file: str
    line: int
    column: int
    path: str

    def problem(self, text: str) -> Problem:
        """Return a problem that points here."""
        return Problem(self.file, self.line, self.column, self.path, text)


@dataclass(frozen=True, slots=True)
class Playbook:
    """What a team does about one kind of mention. Team-facing, in English."""

    id: str
    title: str
    topics: tuple[str, ...]
    when: str
    steps: tuple[str, ...]
    never: tuple[str, ...]
    priority: int
    signals: tuple[str, ...] = ()
    """Signal letters that select it whatever the topic."""
    urgency_min: Urgency = Urgency.NONE
    may_name: tuple[str, ...] = ()
    """Kinds of personal data that its texts may name because they warn about them (see linting)."""
    at: Place = field(default=Place("", 1, 1, ""), compare=False)


@dataclass(frozen=True, slots=True)
class ReplyTemplate:
    """One variant of a playbook's public reply in one locale."""

    playbook: str
    locale: str
    id: str
    text: str
    at: Place = field(default=Place("", 1, 1, ""), compare=False)

    @property
    def key(self) -> str:
        """Name of this variant in the whole library, as it stands on a draft."""
        return f"{self.playbook}/{self.locale}/{self.id}"


@dataclass(frozen=True, slots=True)
class Phrases:
    """The ready-made strings of one locale: greeting, hand-off by network, signature."""

    locale: str
    register: str
    greeting_named: str
    greeting_unnamed: str
    name: NameStyle
    handoff: Mapping[str, tuple[str, ...]]
    """Network or `default` to sentences that ask the customer to come to a private channel."""
    signature_named: str
    signature_unnamed: str
    private: tuple[str, ...] = ()
    """First words of the private message itself, where the network's link can carry them."""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    """Where each sentence stands, by its path in the file (`handoff.x[0]`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideRequest:
    """All that is known of a mention when its guidance is asked for. Author's values are hostile."""

    topic: str
    network: str
    language: str
    """BCP 47 tag of the post, or `und`."""
    country: str
    brand_name: str
    brand_signature: str
    signals: Collection[str] = ()
    """Letters of SIGNALS that the classifier asserts."""
    urgency: Urgency = Urgency.NONE
    country_locales: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The country's own chain of locales by the author's language."""
    agent: str = ""
    """What stands before the brand's signature; empty where replies are signed by the brand alone."""
    author_name: str = ""
    handle: str | None = None
    author_id: str = ""
    text: str = ""
    products: Sequence[str] = ()
    """The brand's products; the first one named in the text is used."""
    place: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    """A mention's links: `user_id`, `post_id`, `owner_id`, `comment_id` and so on."""
    post_id: str = ""
    post_url: str | None = None
    brand_account: str = ""
    """The brand's own account on this network."""
    playbook_by_topic: Mapping[str, str] = field(default_factory=dict)
    team_languages: Sequence[str] = ()
    """What the team reads, for the gloss of a draft that it does not read."""
    seen_variants: Collection[str] = ()
    """`Draft.variant` of drafts already used in this thread."""
    seed: str = ""
    """Chooses among equals; the same request always gives the same drafts."""
