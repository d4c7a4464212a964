"""What was decided in a span, as numpy columns: scores, times, and the ties by which mentions join alerts.

No texts: what people read is fetched for the few posts that a report shows.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.priority import Spread, score_velocity
from listener.pipeline.assess import SPREAD_WINDOW, influence_of
from listener.store import Store, TriageItem
from listener.store.decisions import MEMBER, ROW, AlertFact, Decided

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OUTCOMES: Final = ("quiet", "raised", "joined", "old", "not configured", "competitor", "failed", "not heard")
"""What can be decided on a match; `Run.outcome` holds places in this tuple."""
QUIET, RAISED, JOINED, OLD, NOT_CONFIGURED, COMPETITOR, FAILED, NOT_HEARD = range(len(OUTCOMES))
_UNSCORED = (NOT_CONFIGURED, COMPETITOR, FAILED)

COPIES, POST, CONVERSATION, AUTHOR = range(4)
"""Kinds of ties, the strongest first, as in `alerts.grouping.wanted_fingerprints`."""
_MOST_SPREADS = 2_000
"""Of so many unscored mentions copies and answers are counted one by one; of more, their reactions alone count."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER_US: Final = 2**62

Scorer = Callable[[Sequence[int]], Mapping[int, tuple[float, float]]]
"""Gives influence and velocity of matches by their ids."""


@dataclass(frozen=True, slots=True)
class Carried:
    """An alert raised before the span that its mentions may still join."""

    fact: AlertFact
    severity: int
    """When the span began."""
    first_posted_us: int
    last_posted_us: int
    keys: tuple[int, ...]
    rises: tuple[tuple[int, int], ...] = ()
    """When its severity rose in the span, and to what."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert raised in the span, as it went on until the span's end."""

    fact: AlertFact
    opened_severity: int
    rises: tuple[tuple[int, int], ...]
    """When its severity rose (microseconds since 1970), and to what."""
    receivers: tuple[str, ...]
    """Who got its card when it was opened or rose."""
    told: tuple[str, ...] = ()
    """What people were told of it in the span, by kind: `reminded`, `repeated`, `escalated`, `missed`."""


@dataclass(eq=False, kw_only=True)
class Columns:
    """One row per decided match, in the order in which was decided. Moments are microseconds since 1970, UTC."""

    since: datetime
    until: datetime
    country_only: str | None
    brands: tuple[str, ...]
    countries: tuple[str, ...]
    networks: tuple[str, ...]
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    watches: tuple[str, ...]
    match_id: Ints
    mention_id: Ints
    author_id: Ints
    brand: Ints
    """Place in `brands`; country, network, language, topic and watch likewise."""
    country: Ints
    network: Ints
    language: Ints
    topic: Ints
    watch: Ints
    decided_us: Ints
    posted_us: Ints
    collected_us: Ints
    max_age_s: Floats
    """Not a number where there is no limit."""
    complaint: Floats
    high: Floats
    """Probability of urgency 3."""
    urgency: Floats
    """Expected urgency in [0, 1]."""
    priority: Floats
    """As it was then."""
    influence: Floats
    velocity: Floats
    positive: Flags
    edited: Flags
    outcome: Ints
    """What was decided then: place in OUTCOMES."""
    alert_id: Ints
    """The alert that it belonged to then; 0 where none."""
    wanted: Ints
    """(n, 4): the keys under which it joins an alert, the strongest tie first; -1 where it has none."""
    held: Ints
    """(n, 4): the keys that an alert holds once it has it; -1 where it has none."""
    is_copy: Flags
    external_ids: Sequence[str]
    """Of each row's post, on its network."""
    carried: tuple[Carried, ...] = ()
    raised: tuple[Raised, ...] = ()
    """All alerts raised in the span, bursts among them."""
    closings: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """By alert, from when to when it was closed."""
    scorer: Scorer | None = None

    def __len__(self) -> int:
        """How many matches there are."""
        return len(self.match_id)

    @cached_property
    def incidents(self) -> tuple[Raised, ...]:
        """The bursts that became incidents in the span."""
        return tuple(one for one in self.raised if one.fact.kind == "incident")

    @cached_property
    def unscored(self) -> Flags:
        """True where nothing was scored then, because nobody listened."""
        return np.isin(self.outcome, _UNSCORED)

    @cached_property
    def row_of(self) -> Mapping[int, int]:
        """Row by match."""
        return {match_id: row for row, match_id in enumerate(self.match_id.tolist())}

    @cached_property
    def groups(self) -> Ints:
        """A number for each row, the same for all rows that could ever meet in one alert."""
        return _groups(self.wanted, self.held, [one.keys for one in self.carried])

    def scores(self, wanted: Flags) -> tuple[Floats, Floats]:
        """Return influence and velocity of all rows; those of `wanted` that have none are scored as they stand now."""
        missing = np.flatnonzero(wanted & self.unscored & ~self._scored)
        if len(missing) and self.scorer is not None:
            found = self.scorer(self.match_id[missing].tolist())
            for row in missing.tolist():
                self.influence[row], self.velocity[row] = found.get(int(self.match_id[row]), (0.0, 0.0))
            self._scored[missing] = True
        return self.influence, self.velocity

    @cached_property
    def _scored(self) -> Flags:
        return np.zeros(len(self), dtype=np.bool_)


def read_columns(store: Store, since: datetime, until: datetime, *, country: str | None = None) -> Columns:
    """Return what was decided from `since` until before `until`, drills left out.

    With `country` only what that country's mentions are: a post that joined another country's alert then is decided
    on as if that alert had not been there. Without it all of them, which is exact.
    """
    decided = store.decisions.read(since, until, country)
    rows = dict(zip(ROW, decided.rows, strict=True))
    brands, brand = _coded(rows["brand"], {one.brand: None for one in decided.alerts})
    own = _own_codes(rows)
    return Columns(
        since=since,
        until=until,
        country_only=country,
        brands=brands,
        brand=brand,
        **own,
        **_numbers(rows),
        external_ids=rows["external_id"],
        wanted=_keys(brand, len(brands), _wanted_ids(rows)),
        held=_keys(brand, len(brands), _held_ids(rows)),
        carried=tuple(_carried(decided, brands, since, until)),
        raised=tuple(_raised(decided, since, until)),
        closings=_closings(decided),
        scorer=_scorer(store),
    )


def moment_us(at: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at_us: int) -> datetime:
    """Return the moment that so many microseconds since 1970 are."""
    return _EPOCH + timedelta(microseconds=int(at_us))


# Columns


def _coded(values: Sequence[str], known: Mapping[str, Any] | None = None) -> tuple[tuple[str, ...], Ints]:
    """Return the different values, and each value's place among them."""
    places: dict[str, int] = {value: place for place, value in enumerate(known or ())}
    codes = np.fromiter((places.setdefault(value, len(places)) for value in values), np.int64, len(values))
    return tuple(places), codes


def _own_codes(rows: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one, many, name in (
        ("country", "countries", "country"),
        ("network", "networks", "network"),
        ("language", "languages", "language"),
        ("topic", "topics", "topic"),
        ("watch", "watches", "watch_id"),
    ):
        found[many], found[one] = _coded(rows[name])
    return found


def _numbers(rows: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    high, urgency = _urgencies(rows["urgencies"])
    places = {name: place for place, name in enumerate(OUTCOMES)}
    return {
        **{name: _ints(rows[name]) for name in ("match_id", "mention_id", "author_id", "alert_id")},
        **{name: _ints(rows[name]) for name in ("decided_us", "posted_us", "collected_us")},
        **{name: _floats(rows[name]) for name in ("complaint", "priority", "influence", "velocity")},
        "max_age_s": np.array([np.nan if one is None else one for one in rows["max_age_s"]], np.float64),
        "high": high,
        "urgency": urgency,
        "positive": np.array([one == "positive" for one in rows["sentiment"]], np.bool_),
        "edited": np.array([one == "edited" for one in rows["fate"]], np.bool_),
        "outcome": np.array([places.get(one, FAILED) for one in rows["outcome"]], np.int64),
        "is_copy": np.array([one is not None for one in rows["copy_of"]], np.bool_),
    }


def _ints(values: Sequence[int | None]) -> Ints:
    return np.array([one or 0 for one in values], np.int64)


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([one or 0.0 for one in values], np.float64)


def _urgencies(texts: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the probability of high urgency, and the expected urgency to the last digit."""
    levels = json.loads(f"[{','.join(texts)}]")
    # The same sum as `Classification.urgency_score`, by the same function: newer Pythons add up more exactly.
    expected = [sum((0 * none, 1 * low, 2 * medium, 3 * high)) / 3.0 for none, low, medium, high in levels]
    return np.array([one[3] for one in levels], np.float64), np.array(expected, np.float64)


# Ties


def _wanted_ids(rows: Mapping[str, Sequence[Any]]) -> tuple[Ints, Ints, Ints, Ints]:
    roots = np.where(_ints(rows["copy_of"]) > 0, _ints(rows["copy_of"]), _ints(rows["mention_id"]))
    return roots, _ints(rows["parent_id"]), _ints(rows["conversation_id"]), _ints(rows["author_id"])


def _held_ids(rows: Mapping[str, Sequence[Any]]) -> tuple[Ints, Ints, Ints, Ints]:
    roots, _, conversation, author = _wanted_ids(rows)
    own = _ints(rows["mention_id"])
    return roots, own, np.where(conversation == own, own, 0), author


def _keys(brand: Ints, brands: int, ids: tuple[Ints, Ints, Ints, Ints]) -> Ints:
    """Return (n, 4) keys, each one number for brand, kind of tie and id; -1 where there is no id."""
    columns = [np.where(one > 0, (one * 4 + kind) * max(1, brands) + brand, -1) for kind, one in enumerate(ids)]
    return np.stack(columns, axis=1)


def _groups(wanted: Ints, held: Ints, carried: Iterable[Sequence[int]]) -> Ints:
    """Number the connected rows; rows that an alert of before the span could take are connected with it, too."""
    size = len(wanted)
    rows = np.tile(np.arange(size), 8)
    keys = np.concatenate([wanted.T.ravel(), held.T.ravel()])
    known = keys >= 0
    rows, keys = rows[known], keys[known]
    taken = [(size + place, key) for place, own in enumerate(carried) for key in own]
    if taken:
        more = np.array(taken, np.int64)
        rows, keys = np.concatenate([rows, more[:, 0]]), np.concatenate([keys, more[:, 1]])
    total = max(size, int(rows.max()) + 1) if len(rows) else size
    order = np.lexsort((rows, keys))
    rows, keys = rows[order], keys[order]
    same = (keys[1:] == keys[:-1]) & (rows[1:] != rows[:-1])
    edges = np.unique(np.stack([rows[:-1][same], rows[1:][same]], axis=1), axis=0)
    return _united(total, edges.tolist())


def _united(size: int, edges: Iterable[tuple[int, int]]) -> Ints:
    heads = list(range(size))

    def head(one: int) -> int:
        while heads[one] != one:
            heads[one] = heads[heads[one]]
            one = heads[one]
        return one

    for first, second in edges:
        one, other = head(first), head(second)
        if one != other:
            heads[max(one, other)] = min(one, other)
    return np.fromiter((head(one) for one in range(size)), np.int64, size)


# Alerts


def _carried(decided: Decided, brands: Sequence[str], since: datetime, until: datetime) -> Iterable[Carried]:
    places = {name: place for place, name in enumerate(brands)}
    facts = {one.id: one for one in decided.alerts if one.opened_at < since}
    levels, began_us = _levels(decided, until), moment_us(since)
    keys: dict[int, dict[int, None]] = {}
    posted: dict[int, list[int]] = {}
    rows = dict(zip(MEMBER, decided.members, strict=True))
    for alert_id, brand, mention, author, copy_of, start, posted_us in zip(*rows.values(), strict=True):
        ids = (copy_of or mention, mention, start or 0, author)
        own = keys.setdefault(alert_id, {})
        own.update(
            ((one * 4 + kind) * max(1, len(brands)) + places[brand], None) for kind, one in enumerate(ids) if one
        )
        posted.setdefault(alert_id, []).append(posted_us)
    for alert_id, fact in facts.items():
        if alert_id in keys:
            known = levels.get(alert_id, [(0, fact.severity)])
            before = max((level for at, level in known if at < began_us), default=fact.severity)
            rises = tuple((at, level) for at, level in known if at >= began_us)
            yield Carried(fact, before, min(posted[alert_id]), max(posted[alert_id]), tuple(keys[alert_id]), rises)


def _raised(decided: Decided, since: datetime, until: datetime) -> Iterable[Raised]:
    levels = _levels(decided, until)
    cards: dict[int, list[tuple[str, int]]] = {}
    for card in decided.cards:
        cards.setdefault(card.alert_id, []).append((card.receiver, moment_us(card.created_at)))
    told: dict[int, list[str]] = {}
    for one in decided.happenings:
        if one.kind in ("reminded", "repeated", "escalated", "missed") and one.at < until:
            told.setdefault(one.alert_id, []).append(one.kind)
    for fact in decided.alerts:
        if fact.opened_at < since:
            continue
        own = levels.get(fact.id, [(moment_us(fact.opened_at), fact.severity)])
        moments = {at for at, _ in own} | {moment_us(fact.opened_at)}
        receivers = [receiver for receiver, at in cards.get(fact.id, ()) if at in moments]
        yield Raised(fact, own[0][1], tuple(own[1:]), tuple(dict.fromkeys(receivers)), tuple(told.get(fact.id, ())))


def _levels(decided: Decided, before: datetime) -> dict[int, list[tuple[int, int]]]:
    """Return each alert's severities until a moment: since when, and which."""
    found: dict[int, list[tuple[int, int]]] = {}
    for one in decided.happenings:
        if one.kind in ("opened", "severity") and one.at < before:
            level = one.data.get("severity") if one.kind == "opened" else one.data.get("to")
            if isinstance(level, int):
                found.setdefault(one.alert_id, []).append((moment_us(one.at), level))
    return found


def _closings(decided: Decided) -> dict[int, tuple[tuple[int, int], ...]]:
    moments: dict[int, list[tuple[int, bool]]] = {}
    for one in decided.happenings:
        if one.kind in ("resolved", "dismissed", "reopened"):
            moments.setdefault(one.alert_id, []).append((moment_us(one.at), one.kind != "reopened"))
    return {
        alert_id: tuple(
            (at, after[0])
            for (at, closes), after in pairwise([*found, (NEVER_US, True)])
            if closes
        )
        for alert_id, found in moments.items()
    }  # fmt: skip


def _scorer(store: Store) -> Scorer:
    def scores(match_ids: Sequence[int]) -> Mapping[int, tuple[float, float]]:
        count = len(match_ids) <= _MOST_SPREADS
        return {item.match_id: _scores(store, item, count=count) for item in store.decisions.items(match_ids)}

    return scores


def _scores(store: Store, item: TriageItem, *, count: bool) -> tuple[float, float]:
    copies, answers = store.triage.spread(item, SPREAD_WINDOW) if count else (0, 0)
    age_h = max(0.0, (item.collected_at - item.mention.published_at).total_seconds() / 3600)
    velocity = score_velocity(Spread(item.mention.engagement, age_h, copies, answers))
    return influence_of(item).score, velocity.score
