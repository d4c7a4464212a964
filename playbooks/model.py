"""The values of a playbook library: playbooks, reply templates, phrases, and the request for guidance.

Nothing here reads a file or renders a text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from listener.config import Country, Hours, Voice
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
class Ask:
    """One thing that the team may ask for in private, and what it is needed for."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Playbook:
    """What a team does about one kind of mention, as sentences in English. The rules say when it is chosen."""

    id: str
    title: str
    when: str
    tell: tuple[str, ...]
    """Who must hear of it beside the team."""
    steps: tuple[str, ...]
    never: tuple[str, ...]
    promise: tuple[str, ...]
    """What may be promised."""
    answer_within_s: float
    close: str
    """What closes it."""
    ask: tuple[Ask, ...] = ()
    """All that may be asked for, in private."""
    best_unanswered: bool = False
    """Whether as a rule nobody answers."""
    hands_off: bool = True
    """Whether its replies lead to a private channel."""
    product_before_name: bool = False
    """Whether a reply that is too long gives up the name before it gives up the product: a warning stands with it."""
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
class Contact:
    """Where a country's customers reach the brand by themselves, as `brand.yaml` says."""

    channel: str = ""
    hours: Hours | None = None
    """When somebody is there."""

    @classmethod
    def of(cls, voice: Voice, code: str, country: Country) -> "Contact":
        """Return where customers of a country reach a brand: at its working hours where the brand names no others."""
        said = voice.contact(code)
        return cls(said.channel, said.hours or country.hours) if said else cls()


@dataclass(frozen=True, slots=True)
class Phrases:
    """The ready-made strings of one locale: greeting, hand-off by network, signature, what frames a conversation."""

    locale: str
    register: str
    greeting_named: str
    greeting_unnamed: str
    name: NameStyle
    handoff: Mapping[str, tuple[str, ...]]
    """Network, `review` (where there is no private channel) or `default` to sentences that lead to one."""
    signature_named: str
    signature_unnamed: str
    opening: tuple[str, ...] = ()
    """First sentence of the private message, after the greeting: why we write."""
    quoted: tuple[str, ...] = ()
    """Sentences around the customer's own words."""
    moved: tuple[str, ...] = ()
    """What is said in public once the conversation goes on in private."""
    contact: str = ""
    """The sentence that names the contact channel and its hours."""
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
    brand_phrase: str = ""
    """A fixed sentence that closes private messages."""
    signals: Collection[str] = ()
    """Letters of SIGNALS that the classifier asserts."""
    urgency: Urgency = Urgency.NONE
    influence: float = 0.0
    roles: Collection[str] = ()
    """What the author's profile tells of them: `press`, `public figure`."""
    complains: bool = True
    """False where the post is no complaint by the country's own threshold."""
    crowd: bool = False
    """Whether many customers write about the same at this hour."""
    earlier: int = 0
    """How many earlier posts by this author about this brand nobody answered."""
    other_company: bool = False
    """Whether it names a company that is taken for the brand, and not the brand."""
    settled: bool = False
    """Whether the case is solved and only the public thread does not show it."""
    playbook: str = ""
    """The playbook that a person chose; the rules have no say then."""
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
    words: Sequence[str] = ()
    """The words of the post that moved its classification, strongest first."""
    contact: Contact = Contact()
    links: Mapping[str, str] = field(default_factory=dict)
    """A mention's links: `user_id`, `post_id`, `owner_id`, `comment_id` and so on."""
    post_id: str = ""
    post_url: str | None = None
    brand_account: str = ""
    """The brand's own account on this network."""
    playbook_by_topic: Mapping[str, str] = field(default_factory=dict)
    team_languages: Sequence[str] = ()
    """What the team reads, for the gloss of a draft that it does not read."""
    seen_variants: Sequence[str] = ()
    """`Draft.variant` of what this thread, this author and this hour saw, once for each time."""
    thread_variants: Sequence[str] = ()
    """Those of them that this thread and this author saw: they count first."""
    offered_variants: Sequence[str] = ()
    """The order in which the drafts were offered first, which is kept."""
    sent_variants: Collection[str] = ()
    """Of what was sent since: those come last."""
    seed: str = ""
    """Chooses among equals; the same request always gives the same drafts."""
