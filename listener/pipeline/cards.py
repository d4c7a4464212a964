"""Puts together the card of an alert: what the post says, why it was raised, what to answer."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from babel import Locale
from babel.core import UnknownLocaleError

from alerts.card import Card, CardAuthor, Due, PostFate, Progress
from listener.config import Config, Country
from listener.model import RESOLUTIONS, SIGNALS, AlertState, Guidance, Sentiment, Urgency
from listener.pipeline.assess import Assessment
from listener.store import AlertRow, TriageItem
from playbooks.library import PlaybookLibrary
from playbooks.model import GuideRequest


class CardBuilder:
    """Builds cards from what the store holds and the playbook library offers."""

    def __init__(self, config: Config, library: PlaybookLibrary, *, interactive: bool = False) -> None:
        self._config = config
        self._library = library
        self.interactive = interactive
        """Whether the daemon's own Slack app answers to buttons."""

    def guidance(self, item: TriageItem, seen_variants: Collection[str] = ()) -> Guidance:
        """Return the playbook, drafts and hand-off for one mention; variants that were sent already come last."""
        found = self._library.guide(self.request(item, seen_variants))
        return linked(found, self._config.countries[item.country])

    def reply_url(self, item: TriageItem, text: str) -> str | None:
        """Return where the public reply to a mention is written, with `text` filled in where that can be."""
        return self._library.reply_url(self.request(item), text)

    def request(self, item: TriageItem, seen_variants: Collection[str] = ()) -> GuideRequest:
        """Return all that the playbook library is told of one mention."""
        brand = self._config.brands[item.brand]
        country = self._config.countries[item.country]
        mention, found = item.mention, item.classification
        complains = found.complaint >= country.thresholds.complaint or found.sentiment is Sentiment.NEGATIVE
        return GuideRequest(
            # Nobody who complains is thanked for praise, whatever the topic's own score says.
            topic="other" if found.topic == "praise" and complains else found.topic,
            signals=tuple(found.signals),
            urgency=Urgency(found.urgency),
            network=mention.network,
            language=found.language,
            country=item.country,
            country_locales=country.playbook.locales,
            playbook_by_topic={**brand.playbooks, **country.playbook.topics},
            brand_name=brand.name,
            brand_signature=brand.signature,
            brand_account=brand.accounts.get(mention.network, ""),
            agent=self._config.teams[country.team].signature,
            author_name=mention.author.name,
            author_id=mention.author.external_id,
            handle=mention.author.handle,
            text=mention.text,
            products=brand.products,
            place=mention.place if mention.network != "wechat" else "",
            links=mention.links,
            post_id=mention.external_id,
            post_url=mention.url,
            seen_variants=seen_variants,
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
                or ("nothing is known of the author",),
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


def linked(guidance: Guidance, country: Country) -> Guidance:
    """Return guidance with the address of the team's own page of its playbook, where it has one."""
    return replace(guidance, url=country.playbook.links.get(guidance.playbook))


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


def language_name(tag: str) -> str:
    """Return the English name of a language tag, or the tag itself."""
    if tag == "und":
        return "unknown language"
    try:
        return str(Locale.parse(tag, sep="-").get_display_name("en") or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def _base(tag: str) -> str:
    return tag.split("-", 1)[0]


def _territory(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


def _signals(item: TriageItem) -> list[str]:
    found = sorted(item.classification.signals.items(), key=lambda pair: -pair[1])
    return [f"{SIGNALS[letter]} ({probability:.2f})" for letter, probability in found if letter in SIGNALS]
