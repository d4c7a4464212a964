"""The rules of `alerts.rules` and the priority of `alerts.priority` over whole columns, to the last digit the same."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from listener.config import Config, Country
from listener.model import Watch
from listener.tuning.columns import COMPETITOR, NOT_CONFIGURED, NOT_HEARD, QUIET, Columns, Flags, Floats, Ints

RULES: Final = ("urgent", "open-problem", "influential-critic", "praise")
"""The names of the rules; `Verdicts.rules` has bit n set where the n-th holds."""
URGENT, OPEN_PROBLEM, CRITIC, PRAISE = (1 << place for place in range(len(RULES)))


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules say of each row, before it is asked which alert it joins."""

    counts: Flags
    """True where its country and brand are listened to."""
    outcome: Ints
    """QUIET where `counts`, else why not: place in OUTCOMES."""
    priority: Floats
    rules: Ints
    severity: Ints
    """0 where no rule holds."""
    old: Flags
    """True where it was too old to raise an alert."""


def decide_rows(columns: Columns, config: Config, *, unheard: Collection[str] = ()) -> Verdicts:
    """Apply the configuration's rules to every row.

    What watches of `unheard` brought counts as not collected.
    """
    outcome = _outcomes(columns, config, unheard)
    counts = outcome == QUIET
    influence, velocity = columns.scores(counts)
    priority = _priority(columns, config, influence, velocity)
    rules = np.where(counts, _rules(columns, config, priority, influence), 0)
    severity = _severity(columns, config, rules, priority)
    return Verdicts(counts, outcome, np.where(counts, priority, 0.0), rules, severity, _too_old(columns, config))


def rule_names(bits: int) -> tuple[str, ...]:
    """Return the names of the rules whose bits are set."""
    return tuple(name for place, name in enumerate(RULES) if bits >> place & 1)


def rule_bits(names: Iterable[str]) -> int:
    """Return the bits of rules by their names."""
    return sum(1 << RULES.index(name) for name in set(names) if name in RULES)


def per_country(columns: Columns, config: Config, read: Callable[[Country], float]) -> Floats:
    """Return a country's setting for each row; not a number where the country is not configured."""
    values = [
        read(config.countries[code]) if code in config.countries else np.nan for code in columns.countries
    ]  # fmt: skip
    return np.array(values or [np.nan], np.float64)[columns.country]


def _outcomes(columns: Columns, config: Config, unheard: Collection[str]) -> Ints:
    listening = [code in config.countries and config.countries[code].mode != "off" for code in columns.countries]
    known = [name in config.brands for name in columns.brands]
    competitor = [name in config.brands and config.brands[name].competitor for name in columns.brands]
    silent = [name in unheard for name in columns.watches]
    outcome = np.full(len(columns), QUIET, np.int64)
    outcome[_of(competitor, columns.brand)] = COMPETITOR
    outcome[~_of(listening, columns.country) | ~_of(known, columns.brand)] = NOT_CONFIGURED
    outcome[_of(silent, columns.watch)] = NOT_HEARD
    return outcome


def _of(flags: list[bool], places: Ints) -> Flags:
    found: Flags = np.array(flags or [False], np.bool_)[places]
    return found


def _priority(columns: Columns, config: Config, influence: Floats, velocity: Floats) -> Floats:
    # The same operations in the same order as `score_priority`, so that no last digit differs.
    for_influence = per_country(columns, config, lambda one: one.weights.influence)
    for_velocity = per_country(columns, config, lambda one: one.weights.velocity)
    own = 1.0 - for_influence - for_velocity
    score = columns.urgency * (own + for_influence * influence + for_velocity * velocity)
    return np.minimum(1.0, score)


def _rules(columns: Columns, config: Config, priority: Floats, influence: Floats) -> Ints:
    def threshold(name: str) -> Floats:
        return per_country(columns, config, lambda one: float(getattr(one.thresholds, name)))

    complains = columns.complaint >= threshold("complaint")
    places = [place for place, name in enumerate(columns.topics) if name == "praise"]
    praises = np.isin(columns.topic, places) & columns.positive
    bits: Ints = (
        (columns.high >= threshold("urgent")) * URGENT
        + (complains & (priority >= threshold("priority"))) * OPEN_PROBLEM
        + (complains & (influence >= threshold("influence"))) * CRITIC
        + (praises & ~complains & (influence >= threshold("praise"))) * PRAISE
    ).astype(np.int64)
    return bits


def _severity(columns: Columns, config: Config, rules: Ints, priority: Floats) -> Ints:
    def threshold(name: str) -> Floats:
        return per_country(columns, config, lambda one: float(getattr(one.thresholds, name)))

    third = (columns.high >= threshold("severity_3_urgent")) | (priority >= threshold("severity_3"))
    second = (rules & (URGENT | CRITIC) > 0) | (priority >= threshold("severity_2"))
    level = np.where(third, 3, np.where(second, 2, 1))
    return np.where(rules == 0, 0, np.where(rules == PRAISE, 1, level))


def _too_old(columns: Columns, config: Config) -> Flags:
    age_s = (columns.collected_us - columns.posted_us) / 1e6
    limit = np.where(_in_force(columns, config), _limits(columns, config), columns.max_age_s)
    return age_s > limit  # nothing is more than no number


def _limits(columns: Columns, config: Config) -> Floats:
    """Return by row how old a mention of its watch may be now; no number where there is no limit."""
    found = {watch.id: _max_age_s(config, watch) for watch in config.watches}
    values = [found.get(name) for name in columns.watches]
    return np.array([np.nan if one is None else one for one in values] or [np.nan], np.float64)[columns.watch]


def _in_force(columns: Columns, config: Config) -> Flags:
    known = {watch.id for watch in config.watches}
    return _of([name in known for name in columns.watches], columns.watch)


def _max_age_s(config: Config, watch: Watch) -> float | None:
    own: float | Literal["default"] | None = getattr(watch.options, "max_age", "default")
    return config.countries[watch.country].thresholds.max_age if own == "default" else own
