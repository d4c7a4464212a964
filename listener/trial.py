"""What would become of one text: the whole decision, without storing or sending anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from alerts import wording
from alerts.card import Card
from alerts.routing import receivers_for
from listener.app import Progress, load_classifier
from listener.config import Config
from listener.model import SIGNALS, AlertState, Author, Classification, Mention
from listener.pipeline.announce import labels_of
from listener.pipeline.assess import Assessment, assess
from listener.pipeline.cards import CardBuilder, Circumstances
from listener.plugins import missing_secrets
from listener.store import AlertRow, TriageItem
from playbooks.library import PlaybookLibrary
from playbooks.locales import language_name


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Everything decided about a text."""

    classification: Classification
    assessment: Assessment
    receivers: list[str]
    card: Card
    brand_assumed: bool


class Trial:
    """Tries texts on a configuration."""

    def __init__(self, config: Config, progress: Progress | None = None) -> None:
        self._config = config
        self._cards = CardBuilder(config, PlaybookLibrary.load())
        self._classifier = load_classifier(config, progress)

    def run(
        self,
        text: str,
        *,
        country: str,
        network: str,
        brand: str | None = None,
        name: str = "",
        handle: str | None = None,
        followers: int = 0,
    ) -> TrialResult:
        """Classify a text as if it had been posted now, decide on it, and build the card it would have."""
        settings = self._config.countries[country]
        now = datetime.now(UTC)
        named = brand or named_brand(text, self._config)
        brand = named or next(iter(self._config.brands))
        author = Author(network, handle or "you", name=name or handle or "", handle=handle, followers=followers)
        (found,) = self._classifier.classify([text], country_languages=[settings.languages], reasons=True)
        item = TriageItem(
            match_id=0,
            mention_id=0,
            brand=brand,
            country=country,
            watch_id="try",
            max_age_s=None,
            collected_at=now,
            copy_of=None,
            mention=Mention(network, "", text, now, author),
            classification=found,
        )
        assessment = assess(item, settings, copies=0, answers=0)
        alert = AlertRow(
            id=0,
            brand=brand,
            country=country,
            team=settings.team,
            state=AlertState.OPEN,
            severity=max(1, assessment.decision.severity),
            priority=assessment.priority.score,
            topic=found.topic,
            playbook=None,
            pilot=settings.mode == "pilot",
            match_id=0,
            mentions=1,
            copies=0,
            opened_at=now,
            first_posted_at=now,
            last_posted_at=now,
        )
        off = missing_secrets(self._config)
        receivers = [
            f"{name} (off: {self._config.fallback_receiver} instead)" if f"receiver {name}" in off else name
            for name in self._receivers(alert, item)
        ]
        guidance = self._cards.guidance(item, Circumstances(assessment.influence))
        card = self._cards.card(alert, item, assessment, guidance, now)
        return TrialResult(found, assessment, receivers, card, named is None)

    def _receivers(self, alert: AlertRow, item: TriageItem) -> list[str]:
        settings = self._config.countries[alert.country]
        if alert.pilot and settings.pilot_receiver:
            return [settings.pilot_receiver]
        return receivers_for(self._config.route, labels_of(self._config, alert, item))


def named_brand(text: str, config: Config) -> str | None:
    """Return the first brand one of whose terms or accounts the text names."""
    folded = text.casefold()
    for brand_id, brand in config.brands.items():
        if any(term.casefold() in folded for term in (*brand.terms, *brand.accounts.values())):
            return brand_id
    return None


def print_trial(result: TrialResult) -> None:
    """Print classification, priority, rules and route, then the card with its drafts."""
    from alerts.receivers.terminal import TerminalReceiver

    print("\n".join(_lines(result)))
    if result.assessment.decision.raises:
        print("\nThis alert would be raised:")
    else:
        print("\nNo alert would be raised. If somebody answered all the same:")
    TerminalReceiver().send("try", result.card)


def _lines(result: TrialResult) -> Iterator[str]:
    found, assessment = result.classification, result.assessment
    urgency = " ".join(f"{level}:{p:.2f}" for level, p in enumerate(found.urgency_probabilities))
    yield f"language   {found.language} ({language_name(found.language)})"
    yield f"complaint  {found.complaint:.2f}"
    yield f"urgency    {3 * found.urgency_score:.1f} of 3 expected; chance of each level {urgency}"
    yield f"sentiment  {found.sentiment}"
    yield f"topic      {found.topic} ({found.topic_probability:.2f})"
    signals = ", ".join(f"{SIGNALS.get(letter, letter)} {chance:.2f}" for letter, chance in found.signals.items())
    yield f"signals    {signals or 'none'}"
    words = " ".join(
        f"{shown}:{reason.weight:+.2f}" for reason in found.reasons if (shown := wording.name(reason.word, 30))
    )
    yield "words      " + (words or "none")
    influence = "; ".join(part.because for part in assessment.influence.parts) or "nothing known of the author"
    yield f"influence  {assessment.influence.score:.2f} ({influence})"
    yield f"priority   {assessment.priority.score:.2f} = {assessment.priority.explanation}"
    yield f"model      {found.model}"
    for verdict in assessment.decision.verdicts:
        yield f"rule       {verdict.rule} {'holds' if verdict.holds else 'does not hold'}: {verdict.because}"
    raises = assessment.decision.raises
    yield f"route      {', '.join(result.receivers)}" if raises else "route      none: no rule holds"
    if result.brand_assumed:
        yield f"brand      {result.card.brand}: assumed, because the text names none; choose with --brand"
