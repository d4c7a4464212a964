"""The shape of `config.yaml`. Keys are strict; every country inherits from `defaults`."""

import re
import zoneinfo
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from listener.config.languages import is_language, nearest_language
from listener.config.pages import Page
from listener.config.types import COUNTRY_CODES, Duration, Hours, Secret, wrong
from listener.model import TOPICS, Watch
from listener.sentences import sentence

Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Strict(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _timezone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise PydanticCustomError("timezone", "unknown time zone; write an IANA name such as Europe/Paris")
    return value


_LANGUAGE = "[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?"


def _language(value: str) -> str:
    if not re.fullmatch(_LANGUAGE, value):
        raise wrong("language", sentence("write a BCP 47 tag such as fr, nl-BE or zh-Hant"))
    primary = value.partition("-")[0]
    if not is_language(primary):
        near = nearest_language(primary)
        if near is None:
            said = sentence("no language has the code {code}; write one of ISO 639 such as fr or yue", code=primary)
        else:
            said = sentence("no language has the code {code}; did you mean {near}?", code=primary, near=near)
        raise wrong("language", said)
    return value


TimeZone = Annotated[str, AfterValidator(_timezone), WithJsonSchema({"type": "string", "format": "time-zone"})]
Language = Annotated[
    str,
    AfterValidator(_language),
    WithJsonSchema({"type": "string", "format": "language", "pattern": f"^{_LANGUAGE}$"}),
]
Text = Annotated[str, Field(min_length=1)]


class Brand(Strict):
    """What is listened for."""

    name: Text
    """As people read it on cards and in digests."""
    terms: list[Text] = Field(min_length=1)
    """Words and phrases, in every script customers use."""
    exclude: list[Text] = []
    """Words and phrases that mean something else (homonyms): posts with them are left out."""
    accounts: dict[str, Text] = {}
    """The brand's own account by network."""
    products: list[Text] = []
    """Named in replies where a post names them."""
    others: list[Text] = []
    """Companies and namesakes that posts mean when they are taken for this brand."""
    playbooks: dict[Literal[TOPICS], Text] = {}  # type: ignore[valid-type]
    """A playbook by topic, where the library's own choice does not fit what this brand does."""
    competitor: bool = False
    """Listened for to compare with: counted in the share of voice, never alerted of."""


ANY_COUNTRY = "default"
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0"
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)


def _line(value: str) -> str:
    if _DIRECTION_MARKS.search(value):
        raise PydanticCustomError("line", "holds a mark that turns the direction of writing; remove it")
    if _UNSEEN.search(value):
        raise PydanticCustomError("line", "holds an invisible character; write it anew")
    if value and not value.replace("\u200c", "").replace("\u200d", "").strip():
        raise PydanticCustomError("line", "must not be empty; write what people shall read")
    return value


def _word(value: str) -> str:
    if not any(map(str.isalnum, value)):  # 12315 is a hotline
        raise PydanticCustomError("word", "a word has at least one letter or digit; `lawyer*` stands for every ending")
    return value


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
Word = Annotated[Line, AfterValidator(_word)]
"""One that is looked for in texts."""


class Tone(Strict):
    """What every reply keeps to."""

    emoji: bool = False
    """True allows emoji in replies."""
    exclamation_marks: Annotated[int, Field(ge=0, le=5)] = 1
    """The most that one reply may hold."""
    notes: tuple[Line, ...] = ()
    """What people are asked to keep in mind; shown where they write."""


class ContactChannel(Strict):
    """Where customers of a country reach the brand by themselves."""

    channel: Line
    """As customers read it: an address, a number, a word to send."""
    hours: Hours | None = None
    """When somebody is there; where absent, the country's working hours."""


class Voice(Strict):
    """How one brand speaks."""

    signature: Annotated[Line, Field(max_length=40)]
    """The name that closes every reply."""
    phrase: Annotated[str, Field(max_length=200), AfterValidator(_line)] = ""
    """A fixed sentence that closes every private message, as it stands, in all languages."""
    promises: tuple[Line, ...] = ()
    """What may be promised whatever the case; shown beside what the playbook allows."""
    never: dict[Language, tuple[Word, ...]] = {}
    """Words never used, by language; `lawyer*` stands for every ending. English ones count in all languages."""
    tone: Tone = Tone()
    """What every reply keeps to."""
    contacts: dict[str, ContactChannel] = {}
    """By country, and `default`."""

    def contact(self, country: str) -> ContactChannel | None:
        """Return where customers of a country reach the brand; None where nothing is said."""
        return self.contacts.get(country) or self.contacts.get(ANY_COUNTRY)


def _country_code(value: str) -> str:
    if value not in COUNTRY_CODES:
        raise PydanticCustomError("country", "write an ISO 3166 code in capitals, such as FR")
    return value


CountryCode = Annotated[str, AfterValidator(_country_code), WithJsonSchema({"type": "string", "format": "country"})]


class Holidays(Strict):
    """Days on which nobody works: a country's public holidays, with what differs."""

    country: CountryCode | None = None
    """Whose public holidays are kept; where absent, those of the country it is for; null keeps none."""
    subdivision: str | None = None
    """A part of the country with holidays of its own, as ISO 3166-2 without the country (BY for Bavaria)."""
    add: list[date] = []
    """Further days off."""
    work: list[date] = []
    """Holidays on which people work all the same."""


def _holidays(value: object) -> object:
    if value is False:
        return {"country": None}
    return {"country": value} if isinstance(value, str) else value


HolidayChoice = Annotated[Holidays, BeforeValidator(_holidays)]
"""A country's code, a mapping, or false for none."""


def _slack_person(value: str) -> str:
    if not re.fullmatch(r"[UW][A-Z0-9]{1,30}", value):
        raise PydanticCustomError(
            "slack_person", "write the member's ID, such as U0123ABCD; it stands in their profile"
        )
    return value


def _slack_group(value: str) -> str:
    if not re.fullmatch(r"S[A-Z0-9]{1,30}", value):
        raise PydanticCustomError("slack_group", "write the user group's ID, such as S0123ABCD")
    return value


SlackPerson = Annotated[
    str, AfterValidator(_slack_person), WithJsonSchema({"type": "string", "pattern": "^[UW][A-Z0-9]{1,30}$"})
]
SlackGroup = Annotated[
    str, AfterValidator(_slack_group), WithJsonSchema({"type": "string", "pattern": "^S[A-Z0-9]{1,30}$"})
]


class Person(Strict):
    """Somebody of a team."""

    name: Text
    """As it stands on cards and in the record."""
    slack: SlackPerson | None = None
    """The member's ID in Slack (profile, "Copy member ID"); without it nobody can be notified."""
    on_call: bool = False
    """May be woken outside all hours, for severity 3 alone."""


class Team(Strict):
    """The people who answer."""

    name: Text
    """Shown on cards."""
    timezone: TimeZone = "UTC"
    """An IANA name; `hours` are in it."""
    languages: list[Language] = Field(min_length=1)
    """What the team reads; used to say when a post is in another language."""
    signature: str = ""
    """What stands before the brand's signature in replies, for example the agent's first name."""
    hours: Hours | None = None
    """When it works, in its own time zone; where absent, the hours of the country it answers for."""
    holidays: HolidayChoice | None = None
    """Its days off; where absent, those of the country it answers for."""
    people: list[Person] = []
    """Who belongs to it; without them nobody is named."""
    group: SlackGroup | None = None
    """The team's user group in Slack."""
    receiver: str | None = None
    """Where it is told of alerts that are handed over to it."""
    next: str | None = None
    """The next team in the chain."""
    cover: list[str] = []
    """Teams that take over outside its hours, in order: the first whose day has begun (follow the sun)."""


def _base_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise PydanticCustomError("base_url", "write an address such as https://proxy.example/x")
    return value


BaseUrl = Annotated[
    str, AfterValidator(_base_url), WithJsonSchema({"type": "string", "pattern": r"^https?://[^\s/]+(/\S*)?$"})
]


class SourceOptions(Strict):
    """Options that every source has: one connection per network. A source adds its own."""

    base_url: BaseUrl | None = None
    """Another address for the network's API: a proxy, an emulator, a test server."""
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 20.0
    """Seconds to wait for an answer."""
    every: Duration = 120.0
    """How often each watch is polled."""

    @property
    def is_paid(self) -> bool:
        """Whether the network sends a bill for what is read."""
        return False


class WatchOptions(Strict):
    """Options that every watch has. A source adds its own."""

    name: str = ""
    """Tells several watches of one source apart; part of the watch's identity."""
    brands: list[str] | None = None
    """Brands this watch is for; all of them unless named."""
    every: Duration | None = None
    """How often this watch is polled; as the source's `every` where absent."""
    max_age: Duration | Literal["default"] | None = "default"
    """Older mentions are stored and raise no alert; null lifts the limit, for replays."""


class ReceiverOptions(Strict):
    """Options that every receiver has. A receiver adds its own."""

    type: str
    """What kind it is."""
    base_url: BaseUrl | None = None
    """Another address for the vendor's API: a proxy, a test server; for `slack` alone."""
    at_once: bool = False
    """True sends without group wait or quiet hours: for a screen that somebody looks at."""
    budget: Annotated[int, Field(ge=1)] | None = None
    """The most cards an hour; the rest is folded into a summary. Severity 3 is never folded."""


class Thresholds(Strict):
    """When a mention becomes an alert. See the rules in docs/configuration.md."""

    complaint: Score = 0.5
    """Probability from which a post counts as a complaint."""
    urgent: Score = 0.2
    """Probability of urgency 3 that alone raises an alert; the model card says what each value finds."""
    priority: Score = 0.3
    """Priority from which a complaint raises an alert."""
    influence: Score = 0.6
    """Influence from which any complaint raises an alert."""
    praise: Score = 0.6
    """Influence from which praise raises an alert, so that it is thanked."""
    severity_2: Score = 0.4
    """Priority from which an alert is of severity 2; at most `severity_3`."""
    severity_3: Score = 0.65
    """Priority from which an alert is of severity 3."""
    severity_3_urgent: Score = 0.4
    """Probability of urgency 3 from which an alert is of severity 3."""
    max_age: Duration | None = 72 * 3600.0
    """Older mentions are stored and raise no alert."""


class Weights(Strict):
    """How much of the priority hangs on influence and velocity; the rest is urgency alone."""

    influence: Score = 0.3
    """Share of influence."""
    velocity: Score = 0.15
    """Share of velocity."""


class PlaybookChoice(Strict):
    """Which words a country uses, and where its team keeps its own."""

    locales: dict[Language, list[Language]] = {}
    """For an author's language, the locales to look for, in order (nl: [nl-BE, en])."""
    topics: dict[Literal[TOPICS], Text] = {}  # type: ignore[valid-type]
    """A playbook by topic, where neither the library's nor the brand's own choice fits this country."""
    links: dict[str, Page] = {}
    """The team's own page of a playbook, in a wiki or wherever it keeps them."""


class Target(Strict):
    """How soon an alert is answered and solved."""

    respond: Duration
    """To the first answer, in public or in private."""
    resolve: Duration
    """To its end."""
    around_the_clock: bool = False
    """False counts working time alone."""


class Targets(Strict):
    """Targets by severity, counted in working time unless `around_the_clock`."""

    severity_3: Target = Target.model_construct(respond=900.0, resolve=4 * 3600.0, around_the_clock=True)
    """Answer now."""
    severity_2: Target = Target.model_construct(respond=2 * 3600.0, resolve=9 * 3600.0, around_the_clock=False)
    """Answer today."""
    severity_1: Target = Target.model_construct(respond=9 * 3600.0, resolve=27 * 3600.0, around_the_clock=False)
    """For attention."""


class EscalationStep(Strict):
    """Who is told, how long after a target was missed."""

    after: Duration
    """How long after the target, by its own clock."""
    to: Literal["person", "group", "next-team", "next-hub", "head-office"]
    """docs/time.md says who each is."""


class Escalation(Strict):
    """Reminders before a target is missed, and who is told after."""

    remind_at: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of a target after which whoever is in charge is reminded."""
    steps: list[EscalationStep] = [
        EscalationStep.model_construct(after=0.0, to="group"),
        EscalationStep.model_construct(after=900.0, to="next-team"),
        EscalationStep.model_construct(after=1800.0, to="next-hub"),
        EscalationStep.model_construct(after=3600.0, to="head-office"),
    ]
    """Who is told of a missed target, in order; a list replaces the whole."""


class Ramp(Strict):
    """How much of a country in mode pilot is in earnest already: those alerts go where they would if it were live."""

    share: Score = 0.0
    """Share of alerts that go to the real receivers, chosen by chance, the same for one alert ever after."""
    hours: Hours | None = None
    """When, in the country's time zone; at any time where absent."""
    severities: list[Annotated[int, Field(ge=1, le=3)]] = [1, 2, 3]
    """Of which severities."""


class Incidents(Strict):
    """When a burst of negative mentions becomes an incident."""

    on: bool = True
    """False looks for none in this country."""
    least_authors: Annotated[int, Field(ge=3)] = 6
    """The fewest different authors within two hours that make one."""
    severity_2: Score = 0.35
    """Heat from which an incident is of severity 2; at most `severity_3`."""
    severity_3: Score = 0.65
    """Heat from which an incident is of severity 3."""


class Country(Strict):
    """The effective settings of one country."""

    name: str = ""
    """Shown on cards; the English name of the country unless given."""
    languages: list[Language] = Field(min_length=1)
    """What customers write; makes queries and helps language identification."""
    timezone: TimeZone
    """An IANA name; times on cards are in it."""
    hours: Hours
    """When people work, in `timezone`; a team's own hours go before. A country's replace the default ones as a
    whole."""
    holidays: HolidayChoice | None = None
    """Days off; where absent, the country's own public holidays."""
    targets: Targets = Targets()
    """How soon alerts are answered and solved."""
    escalation: Escalation = Escalation()
    """Who is reminded before a target is missed, and told after."""
    incidents: Incidents = Incidents()
    """When a burst of complaints becomes an incident."""
    sources: dict[str, Any] = {}
    """What is read: `x: {}` is a watch per brand, a list makes several, false turns a source off."""
    thresholds: Thresholds = Thresholds()
    """When a mention raises an alert, and of which severity."""
    weights: Weights = Weights()
    """Shares of influence and velocity in the priority."""
    team: str
    """Who answers."""
    playbook: PlaybookChoice = PlaybookChoice()
    """Which words it uses."""
    mode: Literal["live", "pilot", "off"] = "live"
    """pilot runs end to end and sends to `pilot_receiver`; off collects nothing."""
    pilot_receiver: str | None = None
    """Where a country in mode `pilot` sends."""
    ramp: Ramp = Ramp()
    """In mode pilot: what goes to the real receivers already."""
    join_within: Duration = 24 * 3600.0
    """Further mentions by the same author or in the same conversation join an alert this old at most."""


def _severity(value: str | int) -> str | int:
    if not re.fullmatch(r"(>=|<=|=)?\s*[1-3]", str(value)):
        raise PydanticCustomError("severity", "severity is 1, 2, 3, or a comparison such as '>=2'")
    return value


SeverityMatch = Annotated[
    str | int,
    AfterValidator(_severity),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "enum": [1, 2, 3]}, {"type": "string", "pattern": r"^(>=|<=|=)?\s*[1-3]$"}]}
    ),
]


class Matchers(Strict):
    """Labels an alert must have. A list means any of its values."""

    kind: Literal["post", "incident"] | None = None
    """`post` or `incident`."""
    brand: str | list[str] | None = None
    """As named in this file."""
    country: str | list[str] | None = None
    """As named in this file."""
    team: str | list[str] | None = None
    """As named in this file."""
    network: str | list[str] | None = None
    """`x`, `vk`, `wechat`, or what a file says."""
    language: str | list[str] | None = None
    """What the classifier found; incidents have none."""
    topic: str | list[str] | None = None
    """What the classifier found."""
    mode: str | list[str] | None = None
    """`live` or `pilot`."""
    severity: SeverityMatch | None = None
    """`3`, or a comparison such as `'>=2'`."""


class Route(Strict):
    """A node of the routing tree; children inherit the receiver. The first child that matches wins."""

    match: Matchers = Matchers()
    """What this node takes; everything where absent."""
    receiver: str | None = None
    """Where alerts go that no child takes; the parent's where absent, and the root needs one."""
    proceed: bool = False
    """True lets later siblings match as well (Alertmanager's `continue`)."""
    group_wait: Duration | None = None
    """How long a new alert waits for further mentions before it is sent; children inherit it."""
    group_interval: Duration | None = None
    """The least time between two messages about further mentions of one alert."""
    repeat_interval: Duration | None = None
    """How long after its last message an alert that nobody took is told again."""
    routes: list["Route"] = []
    """Children; the first that matches wins."""


class SlackApp(Strict):
    """The Slack app whose buttons, modals and commands the daemon serves."""

    token: Secret
    """The bot's token."""
    mode: Literal["socket", "http"] = "socket"
    """socket needs no public address; http receives signed requests at `listen`."""
    app_token: Secret | None = None
    """App-level token with connections:write, for Socket Mode."""
    signing_secret: Secret | None = None
    """For signed HTTP requests."""
    listen: Annotated[str, Field(pattern=r"^[^\s:]+:\d{1,5}$")] = "127.0.0.1:3000"
    """Where `http` listens; TLS stands in front of it."""
    base_url: BaseUrl | None = None
    """Another address for Slack's API: a proxy, a test server."""
    spool: str = "var/slack"
    """Where presses are kept that were acknowledged and are not carried out yet."""
    admins: list[SlackPerson] = []
    """Who may silence; everybody where the list is empty."""


def _clock_time(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return time.fromisoformat(value)
    raise PydanticCustomError("clock_time", 'write a time of the day such as "08:00", in quotation marks')


ClockTime = Annotated[
    time,
    BeforeValidator(_clock_time),
    WithJsonSchema({"type": "string", "format": "clock-time", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}),
]

DIGEST_LANGUAGES = ("en", "fr", "de", "es", "ru", "zh")


def _digest_language(value: str) -> str:
    if value.partition("-")[0] not in DIGEST_LANGUAGES:
        raise PydanticCustomError("digest_language", f"digests are written in {', '.join(DIGEST_LANGUAGES)}")
    return value


DigestLanguage = Annotated[
    Language,
    AfterValidator(_digest_language),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(DIGEST_LANGUAGES)})(-.+)?$"}),
]


class DigestReader(Strict):
    """Who gets a digest on Mondays, and what of it they may see."""

    receivers: list[str] = Field(min_length=1)
    """Where it goes; several are told at once."""
    language: DigestLanguage = "en"
    """The page's: en, fr, de, es, ru, zh, or one of their regions, such as fr-BE."""
    timezone: TimeZone = "UTC"
    """The reader's: in it stands `at`, and moments on the page."""
    at: ClockTime = time(8)
    """When on Monday; later where the week ends later in one of the countries."""
    countries: list[str] | None = Field(None, min_length=1)
    """All of them unless named."""
    brands: list[str] | None = Field(None, min_length=1)
    """All but competitors unless named."""
    team: str | None = None
    """Only alerts raised for this team."""
    personal_data: Literal["masked", "shown"] = "masked"
    """masked shortens handles of private persons and removes phone numbers, addresses and order numbers."""


ROLES = ("viewer", "community-manager", "communications-lead", "admin")
"""What people may do in the console, each all that those before may."""
CONSOLE_LANGUAGES = DIGEST_LANGUAGES


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 <= int(port) <= 65535):
        raise PydanticCustomError("address", "write host and port, such as 127.0.0.1:8321")
    return value


class Grant(Strict):
    """What people of a group of the identity provider may do."""

    role: Literal[ROLES]  # type: ignore[valid-type]
    """What they may do; each role all that those before it may."""
    countries: list[str] | None = Field(None, min_length=1)
    """All of them unless named."""


class OpenIdConnect(Strict):
    """Sign-in by the organisation's own identity provider."""

    issuer: BaseUrl
    """Its address, below which `/.well-known/openid-configuration` stands."""
    client_id: Text
    """As the provider knows this daemon."""
    client_secret: Secret
    """What proves it."""
    scopes: list[Text] = ["openid", "profile", "email"]
    """What is asked of the provider."""
    groups_claim: Text = "groups"
    """Where the token names a person's groups."""
    grants: dict[str, Grant] = Field(min_length=1)
    """By group; `*` is everybody who can sign in. Of several, the one that may most counts."""


class Console(Strict):
    """The pages for people in a browser."""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:8321"
    """Only this machine reaches it, unless told otherwise."""
    url: BaseUrl | None = None
    """How people's browsers reach it, where a proxy stands before it; with https, cookies are sent over https alone."""
    openid: OpenIdConnect | None = None
    """Where absent, people have accounts with passwords: `listener people add`."""
    session: Duration = 12 * 3600.0
    """How long a sign-in lasts."""
    idle: Duration = 2 * 3600.0
    """A session that nobody uses for so long ends."""


def _database(value: str) -> str:
    if value.startswith("${"):
        Secret.parse(value)
    elif re.search(r"://[^/@]*:[^/@]+@", value):
        raise PydanticCustomError("secret", "a password does not stand here; write the whole URL as ${env:NAME}")
    return value


DatabaseUrl = Annotated[
    str,
    AfterValidator(_database),
    WithJsonSchema({"type": "string", "pattern": r"^(\$\{(env|file):[^}]+\}|(?!.*://[^/@]*:[^/@]+@).+)$"}),
]


class Store(Strict):
    """Where mentions and alerts are kept."""

    url: DatabaseUrl = "sqlite:///var/listener.db"
    """`sqlite:///PATH`, or `${env:DATABASE_URL}` with `postgresql://user:password@host/database`."""

    @property
    def address(self) -> str:
        """The database's URL itself.

        Raises:
            MissingSecretError: it stands in a variable or file that is not there.
        """
        return Secret.parse(self.url).get() if self.url.startswith("${") else self.url


class LabelMeaning(Strict):
    """What one label of another checkpoint says of a post."""

    complaint: Score | None = None
    """Probability of a complaint where this label is certain."""
    urgency: Literal[0, 1, 2, 3] | None = None
    """0 can wait to 3 cannot."""
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    """How it speaks."""
    topic: Literal[TOPICS] | None = None  # type: ignore[valid-type]
    """What it is about."""

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs that it speaks of."""
        return frozenset(name for name, value in self if value is not None)


class OtherClassifier(Strict):
    """A sequence-classification checkpoint that gives some outputs in the bundled model's place."""

    checkpoint: Text
    """Its folder."""
    labels: dict[str, LabelMeaning] = Field(min_length=1)
    """What each of its labels means."""

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs that it gives."""
        return frozenset().union(*(meaning.outputs for meaning in self.labels.values()))


class Model(Strict):
    """The classifier."""

    cache: str = "var/model"
    """Where the encoder built from the bundled package is kept."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """The most threads used; the number of cores where absent."""
    batch: Annotated[int, Field(ge=1, le=1024)] = 32
    """The most posts that go through the encoder together."""
    backend: Literal["auto", "torch", "torch-bfloat16", "onnx-int8", "onnx-float32", "cuda"] = "auto"
    """What runs the encoder; auto takes the fastest that this machine has."""
    checkpoint: Text | None = None
    """Folder of another encoder; needs `heads` trained on it."""
    heads: Text | None = None
    """Folder of other heads."""
    classifiers: list[OtherClassifier] = []
    """Checkpoints that give some outputs; the bundled model gives the rest."""


class Config(Strict):
    """The whole configuration, with every country's settings in effect."""

    path: Path
    brands: dict[str, Brand]
    voices: dict[str, Voice]
    """How each brand speaks, all of them."""
    teams: dict[str, Team]
    sources: dict[str, SourceOptions]
    receivers: dict[str, ReceiverOptions]
    countries: dict[str, Country]
    route: Route
    fallback_receiver: str
    head_office: str | None = None
    """The team at the end of every chain."""
    trial_receiver: str | None = None
    """Where drills go."""
    slack: SlackApp | None = None
    digests: dict[str, DigestReader] = {}
    """The readers of the weekly digest."""
    console: Console | None = None
    """Pages in a browser; none where absent."""
    store: Store = Store()
    model: Model = Model()
    watches: tuple[Watch, ...] = ()
    warnings: tuple[str, ...] = ()
