"""What a digest says, without any reader's language: figures, causes, voices, incidents, coverage, advice.

Each figure is defined here, and nowhere else; the pages say it in the reader's words.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Verdict = Literal["up", "down", "noise", "unknown"]
"""Whether this week differs from the four before by more than noise; unknown where they say too little."""
Lack = Literal["", "few", "not_reached", "nothing"]
"""Why a figure is not there: too few to say, more than that share still unanswered, nothing to count."""
Unit = Literal["count", "people", "share", "points", "seconds"]
"""share is in [0, 1], points in [-100, 100]."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of the week with what it is compared to."""

    value: float | None
    """None where `lack` says why."""
    unit: Unit = "count"
    part: int | None = None
    """How many of `of`, where it is a share."""
    of: int | None = None
    """The denominator of a share; how many values a median or percentile is taken over."""
    last: float | None = None
    """The week before; None where there was too little."""
    mean: float | None = None
    """The four weeks before, as far as they were listened to: of counts the mean, of shares, net sentiments and
    percentiles that of the weeks taken together; None where there is too little."""
    verdict: Verdict = "unknown"
    lack: Lack = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one country, network, language, product, topic or brand."""

    key: str
    mentions: Measure
    authors: Measure
    reach: Measure
    complaints: Measure
    urgent: Measure
    complaint_share: Measure
    net_sentiment: Measure


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week, by each country's own clocks."""

    number: int
    """0 is Monday."""
    mentions: int
    complaints: int
    usual_mentions: float | None
    """The mean of that weekday over the four weeks before."""
    usual_complaints: float | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """How we are spoken of. Copies, reposts and edits count as their network shows them: each post once.

    mentions: posts published in the week that matched a brand, one for each brand they matched; posts of drills and
    posts that matched a competitor alone are left out, and what waits for the classifier is not counted yet. A post
    that was deleted since is counted and never quoted.
    authors: different accounts that wrote them. reach: for each author the greater of the most followers and the views
    of all their posts of the week, added up; an account that the network gives neither for counts 0.
    complaints: mentions whose complaint probability reaches the country's threshold, unless people said otherwise:
    their word counts. urgent: complaints whose probability of the highest urgency reaches the country's `urgent`
    threshold. complaint_share: complaints / mentions. net_sentiment: (positive - negative) / mentions x 100.
    """

    mentions: Measure
    authors: Measure
    reach: Measure
    complaints: Measure
    urgent: Measure
    complaint_share: Measure
    net_sentiment: Measure
    days: tuple[Day, ...]
    hours: tuple[tuple[int, ...], ...]
    """Complaints by weekday and hour, 7 x 24, by each country's own clocks."""
    by_country: tuple[Row, ...] = ()
    by_network: tuple[Row, ...] = ()
    by_language: tuple[Row, ...] = ()
    by_product: tuple[Row, ...] = ()
    """Mentions whose text names the product, with up to three letters of an ending; one may name several."""
    by_topic: tuple[Row, ...] = ()
    by_brand: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class BrandVoice:
    """A brand's share of all mentions of the brands listened for in these countries."""

    brand: str
    name: str
    competitor: bool
    share: Measure
    net_sentiment: Measure


@dataclass(frozen=True, slots=True)
class Times:
    """How long one step took: the median and the 90th percentile over every alert that needed it.

    An alert that still waits counts as longer than any that does not, so that what was forgotten cannot flatter: where
    so many wait that the percentile falls among them it is "not_reached".
    """

    median: Measure
    p90: Measure
    median_working: Measure
    """In working time, by the calendar of the alert's team in its country."""
    p90_working: Measure


@dataclass(frozen=True, slots=True)
class Load:
    """What one person did in the week. Listed by name: load, no ranking."""

    person: str
    claimed: int
    answered: int
    closed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many alerts ended in one way: one of RESOLUTIONS, "open", "snoozed", or "was:" and one of WAS."""

    key: str
    alerts: int


@dataclass(frozen=True, slots=True)
class DeskRow:
    """How one country or team answered."""

    key: str
    alerts: int
    response_rate: Measure
    in_target: Measure
    first_answer: Measure
    """Median by the clock."""
    answered_by_now: Measure | None = None
    """Answered / needing whose target has passed, or that were answered, or that have none; advice rests on it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """How well we answered: alerts about posts that were opened in the week, by each country's own clocks.

    Alerts of drills, of a trial channel alone and of incidents are left out. needing: those not dismissed as no
    complaint, not resolved as needing no reply, and not withdrawn. response_rate: answered (in public or in private) /
    needing. claim, answer, resolution: from the opening to the first claim (or answer, where that came first), the
    first answer, the closing, over `needing`. Percentiles are by nearest rank; a median wants 5 alerts, a 90th
    percentile 10. in_target: answered by `respond_by` / needing that have a `respond_by` which has passed, or were
    answered. private: moved to private / answered. first_contact: solved after exactly one reply, never reopened /
    closed as solved. recontacts: alerts of authors who were answered about this brand within the seven days before /
    alerts. precision: closed by people as anything but "not a complaint" / closed by people. Shares of fewer than 10
    are not said.
    """

    alerts: Measure
    needing: Measure
    response_rate: Measure
    claim: Times
    answer: Times
    resolution: Times
    in_target: Measure
    private: Measure
    first_contact: Measure
    recontacts: Measure
    precision: Measure
    snoozed: Measure
    """Alerts that were snoozed at least once."""
    outcomes: tuple[Outcome, ...]
    load: tuple[Load, ...]
    hours: tuple[tuple[int, ...], ...]
    """What people did by weekday and hour, 7 x 24, by each country's own clocks."""
    by_country: tuple[DeskRow, ...] = ()
    by_team: tuple[DeskRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A post that may be quoted. Text and names are as far masked as the reader may see them, and hostile."""

    mention_id: int
    network: str
    country: str
    language: str
    text: str
    who: str
    url: str | None
    published_at: datetime
    gloss: tuple[str, ...] = ()
    """Keys of what it says: a cause, a topic, signals; the pages say them in the reader's language."""
    followers: int | None = None
    influence: float = 0.0
    journalist: bool = False
    copies: int = 0
    """How many other posts of the week repeat it."""
    views: int | None = None
    reposts: int | None = None
    sentiment: str = "neutral"
    complaint: float = 0.0
    urgent: bool = False
    alert: str = ""
    """Reference of its alert."""


Trend = Literal["new", "growing", "steady", "fading", "recurring", "ended"]
"""new: first seen this week; recurring: seen before and not in the week before; ended: seen last week and no more."""


@dataclass(frozen=True, slots=True)
class Irritant:
    """One cause that people complain of, followed from week to week under one number."""

    id: int
    brand: str
    cause: str
    """Key of the cause's name in plain words; empty where no name fits: then words and topic say it."""
    words: tuple[str, ...]
    """Words that set its posts apart, as they stand in them, the most telling first; hostile."""
    topic: str
    product: str
    """The product that most of its posts name, or empty."""
    mentions: int
    authors: int
    share: float
    """Of all complaints of the brand in these countries."""
    last: int
    mean: float | None
    verdict: Verdict
    trend: Trend
    history: tuple[tuple[str, int], ...]
    """Week and mentions of the twelve weeks up to this one, as far as they were listened to."""
    countries: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]
    urgent: int
    first_seen_at: datetime
    posts: tuple[Post, ...]
    """One per language, the most typical first."""
    alerts: tuple[str, ...]
    """References of alerts about it."""


@dataclass(frozen=True, slots=True)
class Causes:
    """The week's irritants, the greatest first, and what belongs to none."""

    irritants: tuple[Irritant, ...]
    alone: int
    """Complaints that are like no others, of those that could be compared."""
    complaints: int
    without_embedding: int = 0
    """Complaints that could not be compared, because they were classified before embeddings were kept."""


@dataclass(frozen=True, slots=True)
class Voices:
    """Whose posts carried. A post stands in one list only: journalists first, then critics, friends, travelled."""

    journalists: tuple[Post, ...] = ()
    critics: tuple[Post, ...] = ()
    friends: tuple[Post, ...] = ()
    travelled: tuple[Post, ...] = ()
    """What was repeated, reposted or seen most."""
    supporters: tuple[Post, ...] = ()
    """Praise by people who are not known for it: whom to thank."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Negative mentions of one interval beside what is usual for it."""

    at: datetime
    count: float
    expected: float


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """A burst of the week."""

    reference: str
    brand: str
    country: str
    topic: str
    severity: int
    began_at: datetime
    opened_at: datetime
    ended_at: datetime | None
    mentions: int
    authors: int
    expected: float
    peak: float
    claimed_after_s: float | None
    answered_after_s: float | None
    closed_after_s: float | None
    outcome: str
    """A key of RESOLUTIONS, or "open"."""
    curve: tuple[CurvePoint, ...]
    timezone: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """What one watch did not see."""

    watch: str
    source: str
    country: str
    brand: str
    seconds: float
    """Of the week; overlapping gaps count once."""
    reason: str
    """As the source said it, in English; hostile."""
    missed: float | None
    """Mentions that were probably missed: the mean of what the watch brought in the same hours, by its country's
    clocks, of those of the four weeks before in which it saw them; None where it saw them in none."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was not seen, and what it cost."""

    watches: int
    seen_share: Measure
    """Watched time / time of the week, over all watches."""
    unseen: tuple[Unseen, ...]
    missed: float | None
    skipped: int
    """Items that could not be read, since the week began."""


@dataclass(frozen=True, slots=True)
class Errata:
    """What last week's digest could not know."""

    week: str
    said: int | None
    """Mentions that its digest counted; None where none was sent."""
    late: int
    """Mentions of that week that came after it was made, or after the week's end where none was."""
    now: int


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do, with what it rests on. The pages say it in the reader's words."""

    kind: Literal[
        "irritant_new", "irritant_growing", "irritant_long", "answers_slow", "answers_few", "precision_low",
        "coverage", "thank", "journalists", "incident_open", "load", "recontacts", "nothing",
    ]  # fmt: skip
    subject: str = ""
    """A country, team, brand, watch, or an irritant's number."""
    figure: float | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose digest it is: what the reader may see."""

    reader: str
    """Its name in the configuration; empty for one made by hand."""
    countries: tuple[str, ...]
    brands: tuple[str, ...]
    """Our own; competitors are added to the share of voice alone."""
    team: str = ""
    """Only alerts of this team, where one is named."""
    masked: bool = True


@dataclass(frozen=True, slots=True)
class Digest:
    """One week as one reader may see it."""

    week: str
    scope: Scope
    timezone: str
    """The reader's, for moments."""
    as_of: datetime
    complete: bool
    """False where the week was not over in every country."""
    spans: tuple[tuple[str, datetime, datetime], ...]
    """Country, begin and end of its week in UTC."""
    weeks_before: int
    """How many of the four weeks before were listened to: the basis of the means."""
    holidays: tuple[tuple[str, str, str], ...]
    """Country, ISO date and name of the public holidays kept in the week."""
    spoken: Spoken
    share_of_voice: tuple[BrandVoice, ...]
    desk: Desk
    causes: Causes
    voices: Voices
    incidents: tuple[IncidentFacts, ...]
    coverage: Coverage
    errata: Errata
    advice: tuple[Advice, ...] = ()
    pilot: tuple[str, ...] = ()
    """Countries in mode pilot: their alerts are left out of the desk's figures."""
    names: dict[str, str] = field(default_factory=dict)
    """What brands and teams are called, by their key ("brand:yunfan", "team:tokyo")."""
