"""Why an alert would appear or vanish, in words with figures: which threshold it meets, or misses by how much."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from listener.config import Config, Thresholds
from listener.sentences import Listing, Sentence, sentence
from listener.tuning.columns import (
    COMPETITOR,
    JOINED,
    NOT_CONFIGURED,
    NOT_HEARD,
    OLD,
    QUIET,
    Columns,
)
from listener.tuning.deciding import RULES
from listener.tuning.joining import Run, RunAlert

_OUTCOMES = (
    sentence("quiet"),
    sentence("raised"),
    sentence("joined"),
    sentence("old"),
    sentence("not configured"),
    sentence("competitor"),
    sentence("failed"),
    sentence("not heard"),
)
"""What was decided, in words: those of OUTCOMES."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One threshold that a rule asks for."""

    name: Sentence
    value: float
    threshold: float

    @property
    def missing(self) -> float:
        """By how much it is missed; 0 or less where it is met."""
        return self.threshold - self.value

    @property
    def said(self) -> Sentence:
        """Whether it is met or missed, with the figures: three digits, as two would often look the same."""
        value, threshold = f"{self.value:.3f}", f"{self.threshold:g}"
        if self.missing <= 0:
            return sentence("{name} {value} meets {threshold}", name=self.name, value=value, threshold=threshold)
        by = f"{self.missing:.3f}" if self.missing >= 0.0005 else sentence("less than 0.001")
        return sentence(
            "{name} {value} misses {threshold} by {by}", name=self.name, value=value, threshold=threshold, by=by
        )


def conditions(columns: Columns, row: int, priority: float, thresholds: Thresholds, rule: str) -> tuple[Condition, ...]:
    """Return what a rule of `alerts.rules` asks of a row; whether praise is praise is not among it."""
    complaint = Condition(sentence("complaint"), float(columns.complaint[row]), thresholds.complaint)
    influence = float(columns.influence[row])
    return {
        "urgent": (Condition(sentence("chance of high urgency"), float(columns.high[row]), thresholds.urgent),),
        "open-problem": (complaint, Condition(sentence("priority"), priority, thresholds.priority)),
        "influential-critic": (complaint, Condition(sentence("influence"), influence, thresholds.influence)),
        "praise": (Condition(sentence("influence"), influence, thresholds.praise),),
    }[rule]


def vanished(columns: Columns, alert: RunAlert, now: Run, config: Config) -> tuple[str, ...]:
    """Say why an alert of another run is none in this one."""
    if alert.row is None:
        return (_no_burst(alert, config),)
    row, outcome = alert.row, int(now.outcome[alert.row])
    if outcome == QUIET:
        return tuple(_missed(columns, row, alert.rules, float(now.priority[row]), config))
    if outcome == JOINED:
        holder = now.alerts[int(now.alert[row])]
        return (sentence("joins {alert} instead", alert=_named(columns, holder)),)
    return (_why_not(columns, row, outcome, config),)


def appeared(
    columns: Columns, alert: RunAlert, then: Run, now: Run, config: Config, then_config: Config | None
) -> tuple[str, ...]:
    """Say why an alert of this run was none in another."""
    if alert.row is None:
        return (sentence("bursts of this country become incidents"),)
    thresholds = config.countries[alert.country].thresholds
    priority = float(now.priority[alert.row])
    met = [_of_rule(rule, conditions(columns, alert.row, priority, thresholds, rule)) for rule in alert.rules]
    return (*met, _before(columns, alert, then, then_config))


def _before(columns: Columns, alert: RunAlert, then: Run, then_config: Config | None) -> str:
    row = alert.row or 0
    outcome = int(then.outcome[row])
    if outcome == JOINED:
        return sentence("then it joined {alert}", alert=_named(columns, then.alerts[int(then.alert[row])]))
    if outcome == OLD:
        return sentence("then it was too old")
    if outcome != QUIET or then_config is None or alert.country not in then_config.countries:
        return sentence("then: {reason}", reason=_OUTCOMES[outcome])
    missed = _missed(columns, row, RULES[:3], float(then.priority[row]), then_config)
    return sentence("then: {reason}", reason=next(missed, _OUTCOMES[outcome]))


def _of_rule(rule: str, found: Iterable[Condition]) -> Listing:
    return Listing.of((rule, Listing.of(one.said for one in found)), ": ")


def _missed(columns: Columns, row: int, rules: Sequence[str], priority: float, config: Config) -> Iterator[str]:
    """Say by how much a row misses rules, the one it misses least first."""
    code = columns.countries[columns.country[row]]
    if code not in config.countries:
        yield sentence("its country is not configured")
        return
    thresholds = config.countries[code].thresholds
    asked = {rule: conditions(columns, row, priority, thresholds, rule) for rule in rules if rule in RULES}
    nearest = sorted(asked, key=lambda rule: sum(max(0.0, one.missing) for one in asked[rule]))
    for rule in nearest:
        short = [one for one in asked[rule] if one.missing > 0]
        if short:
            yield _of_rule(rule, short)
        elif rule == "praise":
            yield sentence("praise: it counts as a complaint")


def _why_not(columns: Columns, row: int, outcome: int, config: Config) -> str:
    code, brand = columns.countries[columns.country[row]], columns.brands[columns.brand[row]]
    if outcome == OLD:
        age_h = (columns.collected_us[row] - columns.posted_us[row]) / 3_600_000_000
        return sentence("too old: posted {hours} h before it was read", hours=f"{age_h:.1f}")
    if outcome == COMPETITOR:
        return sentence("{brand} is a competitor", brand=brand)
    if outcome == NOT_HEARD:
        return sentence("its watch {watch} is gone", watch=columns.watches[columns.watch[row]])
    if outcome == NOT_CONFIGURED and brand not in config.brands:
        return sentence("{brand} is not configured", brand=brand)
    if outcome == NOT_CONFIGURED:
        return sentence("nobody listens in {country}", country=code)
    return _OUTCOMES[outcome]


def _no_burst(alert: RunAlert, config: Config) -> str:
    settings = config.countries.get(alert.country)
    if settings is None or settings.mode == "off":
        return sentence("nobody listens in {country}", country=alert.country)
    if not settings.incidents.on:
        return sentence("incidents are off")
    return sentence("{brand} is not listened for", brand=alert.brand)


def _named(columns: Columns, alert: RunAlert) -> str:
    if alert.stored_id:
        return f"A-{alert.stored_id}"
    row = alert.row or 0
    post = f"{columns.networks[columns.network[row]]}:{columns.external_ids[row]}"
    return sentence("the alert that {post} would raise", post=post)
