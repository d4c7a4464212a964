"""Tuning of a country from beginning to end: reads what is stored, tries thresholds, proposes, says what is lost."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from alerts.wording import plural
from listener.config import Config
from listener.errors import ListenerError
from listener.store import Store
from listener.tuning.budgets import Budget
from listener.tuning.columns import Columns, moment, read_columns
from listener.tuning.curves import Curve
from listener.tuning.joining import RunAlert
from listener.tuning.proposals import Proposal, for_budget, for_precision
from listener.tuning.verdicts import Said

_DAY = timedelta(days=1)
_LEAST_OF_A_CRISIS = 10
_TIMES_OTHER_DAYS = 5.0


@dataclass(frozen=True, slots=True)
class Lost:
    """An alert that would not be raised, nor any of its posts join another. Text, author and address are hostile."""

    reference: str
    """Empty where the present settings would raise it and those of then did not."""
    at: datetime
    severity: int
    brand: str
    topic: str
    network: str
    author: str
    text: str
    """Empty where the post was deleted."""
    url: str | None
    posts: int
    complaint: float
    urgent: float
    """Chance of high urgency."""
    said: Said | None
    """What people said of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A proposal for one country, with what it is founded on."""

    country: str
    timezone: str
    since: datetime
    until: datetime
    posts: int
    """Posts of the country that were decided on."""
    proposal: Proposal
    lost: tuple[Lost, ...]
    """What the proposal loses: what people found right first, then the severest."""
    notes: tuple[str, ...]

    @property
    def days(self) -> float:
        """Length of the span."""
        return (self.until - self.since) / _DAY


def tune(store: Store, config: Config, country: str, wish: Budget | float, since: datetime, until: datetime) -> Tuning:
    """Return what is proposed so that a country has so many alerts, or so many of them right. Nothing is stored.

    Args:
        store: where the span's mentions and decisions are.
        config: the configuration in force.
        country: whose thresholds.
        wish: a budget, or the share of alerts that shall be right.
        since: the beginning of the span; later where less is stored.
        until: its end, exclusive.

    Raises:
        ListenerError: the country is off, the span holds less than a day of it, or too few verdicts.
    """
    return tune_all(store, config, [country], wish, since, until)[0]


def tune_all(
    store: Store, config: Config, countries: Sequence[str], wish: Budget | float, since: datetime, until: datetime
) -> list[Tuning]:
    """Return the same for several countries, read once.

    Raises:
        ListenerError: as for `tune`.
    """
    for country in countries:
        if config.countries[country].mode == "off":
            raise ListenerError(f"{country} is in mode off: it raises no alert that thresholds could change")
    # All countries, whichever are asked for: mentions of several can meet in one alert.
    columns = read_columns(store, since, until)
    return [_tuned(store, config, country, wish, columns) for country in countries]


def _tuned(store: Store, config: Config, country: str, wish: Budget | float, whole: Columns) -> Tuning:
    columns = of_country(whole, country)
    own = np.array([code == country for code in columns.countries] or [False], np.bool_)[columns.country]
    since = max(whole.since, moment(columns.decided_us[own].min())) if own.any() else whole.until
    if whole.until - since < _DAY:
        raise ListenerError(
            f"less than a day of {country} was decided on in that span: what a day is like is not known; "
            f"let `listener run` listen on, or take a longer span with --since"
        )
    judged = store.decisions.judged(columns.mention_id.tolist())
    curve = Curve(columns, config, country, judged, (whole.until - since) / _DAY)
    proposal = for_budget(curve, wish) if isinstance(wish, Budget) else for_precision(curve, wish)
    return Tuning(
        country=country,
        timezone=config.countries[country].timezone,
        since=since,
        until=whole.until,
        posts=int(own.sum()),
        proposal=proposal,
        lost=tuple(_lost(store, columns, curve, proposal)),
        notes=tuple(_notes(store, config, country, since, whole.until, proposal)),
    )


def of_country(columns: Columns, country: str) -> Columns:
    """Return the rows that could ever meet a country's in one alert; rules decide on them as on all."""
    size = len(columns)
    own = np.array([code == country for code in columns.countries] or [False], np.bool_)[columns.country]
    groups = columns.groups
    wanted = np.isin(groups, np.unique(groups[:size][own]))
    rows = wanted[:size]
    changed: dict[str, object] = {}
    for field in dataclasses.fields(columns):
        value = getattr(columns, field.name)
        if isinstance(value, np.ndarray):
            changed[field.name] = value[rows]
    kept = np.flatnonzero(rows).tolist()
    changed["external_ids"] = [columns.external_ids[row] for row in kept]
    carried = wanted[size:]
    changed["carried"] = tuple(
        one for place, one in enumerate(columns.carried) if place < len(carried) and carried[place]
    )
    return dataclasses.replace(columns, **changed)  # type: ignore[arg-type]


def _lost(store: Store, columns: Columns, curve: Curve, proposal: Proposal) -> Iterator[Lost]:
    alerts = [] if proposal.proposed is None else [one for one in proposal.proposed.lost if one.row is not None]
    shown = store.decisions.shown([int(columns.match_id[one.row or 0]) for one in alerts])

    def order(alert: RunAlert) -> tuple[bool, int, float, int]:
        return (curve.said(alert) != "useful", -alert.severity, -alert.priority, alert.opened_us)

    for one in sorted(alerts, key=order):
        row = one.row or 0
        post = shown.get(int(columns.match_id[row]))
        yield Lost(
            reference=f"A-{one.stored_id}" if one.stored_id else "",
            at=moment(one.opened_us),
            severity=one.severity,
            brand=one.brand,
            topic=one.topic,
            network=columns.networks[columns.network[row]],
            author=post.author if post else "",
            text=post.text if post else "",
            url=post.url if post else None,
            posts=len(one.members),
            complaint=float(columns.complaint[row]),
            urgent=float(columns.high[row]),
            said=curve.said(one),
        )


def _notes(
    store: Store, config: Config, country: str, since: datetime, until: datetime, proposal: Proposal
) -> Iterator[str]:
    if until - since < 7 * _DAY:
        yield "less than a week is known of it: a week has every weekday once"
    watches = {one.id for one in config.watches if one.country == country}
    unseen = sum(
        (min(end, until) - max(start, since)).total_seconds()
        for watch, start, end, _ in store.decisions.gaps(since, until)
        if watch in watches
    )
    if unseen >= 3600:
        yield f"its watches did not see {unseen / 3600:.0f} h of the span: there would have been more alerts"
    yield from _about_one_day(proposal)
    point = proposal.proposed
    if point is not None and point.bursts:
        bursts = plural(point.bursts, "alert is a burst", "alerts are bursts")
        yield f"{bursts}, which thresholds of posts do not change"
    if point is not None and "complaint" in proposal.changes:
        yield "a higher complaint threshold also leaves fewer posts to count in a burst; that is not replayed"


def _about_one_day(proposal: Proposal) -> Iterator[str]:
    """Say where one day stands behind the mean, as a crisis does: thresholds for it make every other day too quiet."""
    point = proposal.proposed or proposal.present
    if point.busiest is None or point.busiest[1] < _LEAST_OF_A_CRISIS or point.days <= 1:
        return
    day, count = point.busiest
    others = (point.alerts - count) / (point.days - 1)
    if count > _TIMES_OTHER_DAYS * others:
        yield (
            f"{count} of the {point.alerts} alerts fell on {day}; on the other days there were {others:.1f} a day: "
            "for what is usual, take a span without that day"
        )
