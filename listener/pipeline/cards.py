"""Puts together the card of an alert: what the post says, why it was raised, what to answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from babel import Locale

from alerts.card import Card, CardAuthor, Due, PostFate, Progress
from listener.config import Brand, Config, Country
from listener.model import RESOLUTIONS, SIGNALS, AlertState, Classification, Guidance, Influence, Sentiment, Urgency
from listener.pipeline.assess import Assessment
from listener.sentences import Sentence, sentence
from listener.store import AlertRow, TriageItem
from listener.store.alerts import Earlier
from playbooks.library import PlaybookLibrary
from playbooks.locales import language_name
from playbooks.model import Contact, GuideRequest

_SURE = 0.4
"""So probable is the topic of safety that it is believed without the signal."""
SETTLED = ("solved", "private")
"""Endings that the public thread does not show."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known around a mention when its guidance is asked for."""

    influence: Influence | None = None
    crowd: bool = False
    """Whether an incident about the same is open."""
    earlier: Earlier = field(default_factory=Earlier)
    settled: bool = False
    playbook: str = ""
    """The one that a person chose; none once the case is settled, for then only the thread is left to be told."""
    offered: Sequence[str] = ()
    """Its drafts in the order in which they were offered first."""


def circumstances(alert: AlertRow, earlier: Earlier, influence: Influence | None = None) -> Circumstances:
    """Return what is known around the post of an alert."""
    settled = alert.state is AlertState.RESOLVED and alert.resolution in SETTLED
    return Circumstances(
        influence=influence,
        crowd=alert.incident_id is not None,
        earlier=earlier,
        settled=settled,
        playbook=(alert.playbook or "") if alert.playbook_by is not None and not settled else "",
        offered=alert.variants,
    )


class CardBuilder:
    """Builds cards from what the store holds and the playbook library offers."""

    def __init__(self, config: Config, library: PlaybookLibrary, *, interactive: bool = False) -> None:
        self._config = config
        self._library = library
        self.interactive = interactive
        """Whether the daemon's own Slack app answers to buttons."""

    @property
    def playbooks(self) -> dict[str, str]:
        """Title of each playbook that people may choose for a single post."""
        return {name: self._library.contents.playbooks[name].title for name in self._library.for_posts}

    def guidance(self, item: TriageItem, around: Circumstances | None = None) -> Guidance:
        """Return the playbook, drafts and hand-off for one mention; variants that were seen already come last."""
        found = self._library.guide(self.request(item, around))
        promises = (*self._config.voices[item.brand].promises, *found.promise)
        tone = self._config.voices[item.brand].tone.notes
        return replace(linked(found, self._config.countries[item.country]), promise=promises, tone=tone)

    def is_variant(self, name: str) -> bool:
        """Tell whether the library has a reply draft of this name."""
        return self._library.is_variant(name)

    def word_faults(self, text: str, locale: str, brand: str) -> list[str]:
        """Return what a reply promises or blames, or says against the brand's own voice."""
        return self._library.word_faults(text, locale, self._config.voices[brand])

    def reply_url(self, item: TriageItem, text: str) -> str | None:
        """Return where the public reply to a mention is written, with `text` filled in where that can be."""
        return self._library.reply_url(self.request(item), text)

    def request(self, item: TriageItem, around: Circumstances | None = None) -> GuideRequest:
        """Return all that the playbook library is told of one mention."""
        around = around or Circumstances()
        brand, voice = self._config.brands[item.brand], self._config.voices[item.brand]
        country = self._config.countries[item.country]
        mention, found = item.mention, item.classification
        # An insult alone is negative, and no complaint.
        negative = found.sentiment is Sentiment.NEGATIVE and "I" not in found.signals
        complains = found.complaint >= country.thresholds.complaint or negative
        return GuideRequest(
            topic=_topic(found, complains=complains),
            signals=tuple(found.signals),
            urgency=Urgency(found.urgency),
            influence=around.influence.score if around.influence else 0.0,
            roles=_roles(around.influence),
            complains=complains,
            crowd=around.crowd,
            earlier=around.earlier.unanswered,
            other_company=_names_another(brand, mention.text),
            settled=around.settled,
            playbook=around.playbook,
            network=mention.network,
            language=found.language,
            country=item.country,
            country_locales=country.playbook.locales,
            playbook_by_topic={**brand.playbooks, **country.playbook.topics},
            brand_name=brand.name,
            brand_signature=voice.signature,
            brand_phrase=voice.phrase,
            brand_account=brand.accounts.get(mention.network, ""),
            agent=self._config.teams[country.team].signature,
            author_name=mention.author.name,
            author_id=mention.author.external_id,
            handle=mention.author.handle,
            text=mention.text,
            products=brand.products,
            words=[reason.word for reason in found.reasons if reason.weight > 0],
            contact=Contact.of(voice, item.country, country),
            place=mention.place if mention.network != "wechat" else "",
            links=mention.links,
            post_id=mention.external_id,
            post_url=mention.url,
            seen_variants=around.earlier.variants,
            thread_variants=around.earlier.in_thread,
            sent_variants=around.earlier.sent,
            offered_variants=around.offered,
            team_languages=self._config.teams[country.team].languages,
            seed=f"{mention.network}/{mention.author.external_id}",
        )

    def progress(self, alert: AlertRow, now: datetime) -> Progress:
        """Return who looks after an alert, what is due, and how it ended."""
        return Progress(
            owner=alert.owner or "",
            owner_address=alert.owner_address or "",
            since=alert.claimed_at,
            due=tuple(_due(alert, now)) if alert.is_live else (),
            snoozed_until=alert.snoozed_until if alert.state is AlertState.SNOOZED else None,
            replied_at=alert.replied_at,
            private_at=alert.private_at,
            escalated_to=alert.escalated_to or "",
            resolution=RESOLUTIONS.get(alert.resolution or "", ""),
            closed_by=alert.closed_by or "",
            closed_at=alert.closed_at,
        )

    def card(
        self,
        alert: AlertRow,
        item: TriageItem,
        assessment: Assessment,
        guidance: Guidance | None,
        now: datetime,
    ) -> Card:
        """Return the card of an alert that shows `item` as its post."""
        brand = self._config.brands[alert.brand]
        country = self._config.countries[alert.country]
        team = self._config.teams.get(alert.now_with) or self._config.teams[country.team]
        mention, found = item.mention, item.classification
        author = mention.author
        return Card(
            alert_id=alert.id,
            reference=reference(alert),
            severity=alert.severity,
            state=alert.state,
            brand=brand.name,
            country=alert.country,
            country_name=country.name or _territory(alert.country),
            team=team.name,
            network=mention.network,
            pilot=alert.pilot,
            drill=alert.drill,
            language=found.language,
            language_name=language_name(found.language),
            team_reads_language=_base(found.language) in {_base(language) for language in team.languages},
            author=CardAuthor(
                name=author.name or author.handle or author.external_id,
                handle=author.handle,
                followers=author.followers,
                verified=bool(author.verified),
                influence=assessment.influence.score,
                because=tuple(part.because for part in assessment.influence.parts if part.value * part.weight >= 0.01)
                or (sentence("nothing is known of the author"),),
                url=author.url,
            ),
            text=mention.text,
            place=mention.place or author.location,
            url=mention.url,
            published_at=mention.published_at,
            opened_at=alert.opened_at,
            topic=found.topic,
            reasons=(*assessment.decision.reasons, *_signals(item)),
            priority=assessment.priority.score,
            priority_explanation=assessment.priority.explanation,
            mentions=alert.mentions,
            copies=alert.copies,
            guidance=guidance,
            timezone=country.timezone,
            words=tuple(reason.word for reason in found.reasons if reason.weight > 0),
            progress=self.progress(alert, now),
            fate=_fate(item.fate),
            interactive=self.interactive,
            incident="" if alert.incident_id is None else f"I-{alert.incident_id}",
        )


def _topic(found: Classification, *, complains: bool) -> str:
    """Return the topic that the playbook is chosen by; `other` where the model's own is too rash."""
    # Nobody who complains is thanked for praise, whatever the topic's own score says.
    is_praise = found.topic == "praise" and complains
    # Where nothing else tells of danger, nobody is asked whether they are hurt because no topic was likely.
    is_guess = found.topic == "safety" and "S" not in found.signals and found.topic_probability < _SURE
    return "other" if is_praise or is_guess else found.topic


def _roles(influence: Influence | None) -> tuple[str, ...]:
    """Return what the author's profile tells of them, by the parts of their influence."""
    return tuple(part.name for part in influence.parts if part.value > 0) if influence else ()


def _names_another(brand: Brand, text: str) -> bool:
    """Tell whether a text names a company that is taken for the brand, and not the brand."""
    folded = text.casefold()
    own = (*brand.terms, *brand.products, *brand.accounts.values())
    return any(name.casefold() in folded for name in brand.others) and not any(
        name.casefold() in folded for name in own
    )


def linked(guidance: Guidance, country: Country) -> Guidance:
    """Return guidance with the address of the team's own page of its playbook, where it has one."""
    return replace(guidance, url=country.playbook.links.get(guidance.playbook))


def now_another_case(alert: AlertRow, guidance: Guidance, reader: str = "") -> Sentence:
    """Return what to say to whoever still has another playbook before them than the one in force."""
    called, title = reference(alert), guidance.title
    if alert.playbook_by is None or alert.playbook != guidance.playbook:
        return sentence("{alert} counts as another case by now: {playbook}.", alert=called, playbook=title)
    if alert.playbook_by == reader:
        return sentence("You took {alert} for another case meanwhile: {playbook}.", alert=called, playbook=title)
    return sentence(
        "{name} took {alert} for another case meanwhile: {playbook}.",
        name=alert.playbook_by,
        alert=called,
        playbook=title,
    )


def reference(alert: AlertRow) -> str:
    """Return the short name by which people call an alert: A-12, or I-12 for an incident."""
    return f"{'I' if alert.kind == 'incident' else 'A'}-{alert.id}"


def _due(alert: AlertRow, now: datetime) -> Iterator[Due]:
    if alert.respond_by is not None and alert.replied_at is None and alert.private_at is None:
        yield Due("first answer", alert.respond_by, missed=alert.respond_by < now)
    if alert.resolve_by is not None:
        yield Due("resolution", alert.resolve_by, missed=alert.resolve_by < now)


def _fate(value: str) -> PostFate:
    return "edited" if value == "edited" else "deleted" if value == "deleted" else "stands"


def _base(tag: str) -> str:
    return tag.split("-", 1)[0]


def _territory(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


def _signals(item: TriageItem) -> list[str]:
    found = sorted(item.classification.signals.items(), key=lambda pair: -pair[1])
    return [
        sentence("{signal} ({probability})", signal=sentence(SIGNALS[letter]), probability=probability)
        for letter, probability in found
        if letter in SIGNALS
    ]
