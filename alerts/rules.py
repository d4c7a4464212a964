"""Which mentions people should look at, and how severe that is. Every rule says in words why it holds or not."""

from collections.abc import Iterator
from dataclasses import dataclass

from listener.config import Thresholds
from listener.model import Classification, Influence, Priority, Sentiment, Urgency
from listener.sentences import sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one mention."""

    rule: str
    holds: bool
    because: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a mention raises an alert, how severe it is, and every rule's verdict."""

    raises: bool
    severity: int
    verdicts: tuple[Verdict, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The verdicts that hold, in words."""
        return tuple(verdict.because for verdict in self.verdicts if verdict.holds)

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that hold."""
        return tuple(verdict.rule for verdict in self.verdicts if verdict.holds)


def decide(
    classification: Classification, influence: Influence, priority: Priority, thresholds: Thresholds
) -> Decision:
    """Apply the rules of one country to one mention."""
    verdicts = tuple(_verdicts(classification, influence, priority, thresholds))
    held = {verdict.rule for verdict in verdicts if verdict.holds}
    high = classification.urgency_probabilities[Urgency.HIGH]
    return Decision(bool(held), _severity(held, high, priority, thresholds), verdicts)


def _verdicts(
    classification: Classification, influence: Influence, priority: Priority, thresholds: Thresholds
) -> Iterator[Verdict]:
    high = classification.urgency_probabilities[Urgency.HIGH]
    complaint = classification.complaint
    complains = complaint >= thresholds.complaint
    yield Verdict(
        "urgent",
        high >= thresholds.urgent,
        sentence(
            "cannot wait: chance of high urgency {chance} (threshold {threshold})",
            chance=high,
            threshold=thresholds.urgent,
        ),
    )
    yield Verdict(
        "open-problem",
        complains and priority.score >= thresholds.priority,
        sentence(
            "complaint {complaint} (threshold {enough}) with priority {priority} (threshold {threshold})",
            complaint=complaint,
            enough=thresholds.complaint,
            priority=priority.score,
            threshold=thresholds.priority,
        ),
    )
    yield Verdict(
        "influential-critic",
        complains and influence.score >= thresholds.influence,
        sentence(
            "complaint {complaint} by a voice that carries: influence {influence} (threshold {threshold})",
            complaint=complaint,
            influence=influence.score,
            threshold=thresholds.influence,
        ),
    )
    praises = classification.topic == "praise" and classification.sentiment is Sentiment.POSITIVE
    yield Verdict(
        "praise",
        praises and not complains and influence.score >= thresholds.praise,
        sentence(
            "praise by a voice that carries: influence {influence} (threshold {threshold})",
            influence=influence.score,
            threshold=thresholds.praise,
        ),
    )


def _severity(held: set[str], high: float, priority: Priority, thresholds: Thresholds) -> int:
    if not held:
        return 0
    if held == {"praise"}:
        return 1
    if high >= thresholds.severity_3_urgent or priority.score >= thresholds.severity_3:
        return 3
    if held & {"urgent", "influential-critic"} or priority.score >= thresholds.severity_2:
        return 2
    return 1
