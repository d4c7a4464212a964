"""Counts the mentions of a week: one pass over narrow columns, in memory that grows by 100 bytes a mention."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from listener.config import Config
from listener.digest.weeks import Week
from listener.model import Sentiment
from listener.store.digests import Digests
from playbooks.values import names_product

DIMENSIONS = ("country", "network", "language", "topic", "brand")
_TONES = {Sentiment.POSITIVE.value: 1, Sentiment.NEGATIVE.value: -1}
_QUARTER_S = 900
"""Clocks change at whole quarters of an hour."""
_PRODUCTS = 62
"""So many products fit into the bits of one number."""


@dataclass(slots=True)
class Tally:
    """What is counted of some mentions."""

    mentions: int = 0
    authors: int = 0
    reach: int = 0
    complaints: int = 0
    urgent: int = 0
    positive: int = 0
    negative: int = 0


@dataclass(slots=True)
class BrandTally:
    """What is counted of a brand for the share of voice."""

    mentions: int = 0
    positive: int = 0
    negative: int = 0


@dataclass(slots=True)
class WeekCounts:
    """All that is counted of a week's mentions, for one set of brands and countries."""

    total: Tally = field(default_factory=Tally)
    by: dict[str, dict[str, Tally]] = field(default_factory=dict)
    """By dimension and key; dimensions are DIMENSIONS and "product"."""
    days: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(7)])
    """Mentions and complaints by weekday."""
    hours: list[list[int]] = field(default_factory=lambda: [[0] * 24 for _ in range(7)])
    """Complaints by weekday and hour."""
    brands: dict[str, BrandTally] = field(default_factory=dict)
    """Competitors too."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Whose mentions are counted, and by which rules."""

    own: tuple[str, ...]
    competitors: tuple[str, ...]
    countries: tuple[str, ...]
    zones: Mapping[str, str]
    complaint: Mapping[str, float]
    """By country, the probability from which a mention is a complaint."""
    urgent: Mapping[str, float]
    """By country, the chance of the highest urgency from which a complaint is urgent."""
    products: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, config: Config, countries: Collection[str], brands: Collection[str]) -> "Counted":
        """Return what the configuration says about these countries and brands of ours."""
        settings = {code: config.countries[code] for code in countries}
        return cls(
            own=tuple(brands),
            competitors=tuple(name for name, brand in config.brands.items() if brand.competitor),
            countries=tuple(countries),
            zones={code: country.timezone for code, country in settings.items()},
            complaint={code: country.thresholds.complaint for code, country in settings.items()},
            urgent={code: country.thresholds.urgent for code, country in settings.items()},
            products={name: tuple(config.brands[name].products) for name in brands},
        )

    def span(self, week: Week) -> tuple[datetime, datetime]:
        """Return from the first moment of a week in any of the countries to the last."""
        spans = [week.span(zone) for zone in self.zones.values()]
        return min(start for start, _ in spans), max(end for _, end in spans)


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(slots=True)
class Columns:
    """The mentions of a week, one row each: ids, codes of names, and scores. All arrays are of one length."""

    match: Ints
    mention: Ints
    author: Ints
    views: Ints
    """-1 where unknown."""
    followers: Ints
    published_s: Ints
    """Seconds since 1970."""
    reposts: Ints
    copy_of: Ints
    """Id of the mention that it repeats; -1 where it repeats none."""
    influence: NDArray[np.float32]
    quarter: NDArray[np.int16]
    """Number of the quarter of an hour of the local week, 0 to 671."""
    complaint: NDArray[np.bool_]
    urgent: NDArray[np.bool_]
    tone: NDArray[np.int8]
    """1 positive, -1 negative."""
    products: Ints
    """A bit for each of `product_names`."""
    codes: dict[str, NDArray[np.int16]]
    names: dict[str, list[str]]
    """By dimension, the name that each code stands for."""
    product_names: list[str]
    brands: dict[str, BrandTally]
    """Competitors too, whose mentions are counted and not kept."""

    @property
    def rows(self) -> NDArray[np.intp]:
        """All rows."""
        return np.arange(len(self.match))

    def __len__(self) -> int:
        return len(self.match)

    def named(self, dimension: str, rows: NDArray[np.intp]) -> list[str]:
        """Return the names of a dimension of some rows."""
        names = self.names[dimension]
        return [names[code] for code in self.codes[dimension][rows]]


def count_week(store: Digests, counted: Counted, week: Week) -> WeekCounts:
    """Return all that is counted of a week's mentions."""
    return tally(read_week(store, counted, week))


def read_week(store: Digests, counted: Counted, week: Week) -> Columns:
    """Return the mentions of a week, by each country's own clocks."""
    since, until = counted.span(week)
    reader = _Reader(counted, week, store.corrected(since=since, until=until))
    lowest = min(counted.complaint.values(), default=1.0)
    brands = (*counted.own, *counted.competitors)
    texts = any(counted.products.values())
    for chunk in store.rows(since, until, brands, counted.countries, lowest=lowest, texts=texts):
        reader.take(chunk)
    return reader.columns()


class _Reader:
    """Turns chunks of rows into columns."""

    def __init__(self, counted: Counted, week: Week, corrected: Mapping[tuple[int, str], bool]) -> None:
        self._counted = counted
        self._clocks = {code: _Clock(week, zone) for code, zone in counted.zones.items()}
        self._corrected = corrected
        self._codes: dict[str, dict[str, int]] = {name: {} for name in DIMENSIONS}
        self._parts: list[dict[str, NDArray[np.generic]]] = []
        names = dict.fromkeys(name for brand in counted.own for name in counted.products.get(brand, ()))
        self._products = list(names)[:_PRODUCTS]
        self._brands: dict[str, BrandTally] = {}

    def take(self, chunk: Sequence[Sequence[object]]) -> None:
        """Take in a chunk, a column each in the order of ROW."""
        (match, mention, brand, country, network, author, published, complaint, urgent, sentiment, topic, language,
         views, followers, reposts, copy_of, influence, texts) = chunk  # fmt: skip
        named = {"country": country, "network": network, "language": language, "topic": topic, "brand": brand}
        codes = {name: self._coded(name, values) for name, values in named.items()}
        moments = np.array(published, dtype=np.int64)
        quarter = self._quarters(codes["country"], moments)
        tone = np.array([_TONES.get(str(one), 0) for one in sentiment], dtype=np.int8)
        inside = quarter >= 0
        self._count_brands(codes["brand"][inside], tone[inside])
        probability = np.array(complaint, dtype=np.float64)
        complains = probability >= self._by_country(codes["country"], self._counted.complaint)
        self._correct(complains, mention, brand)
        highest = np.array(urgent, dtype=np.float64)
        part: dict[str, NDArray[np.generic]] = {
            "match": np.array(match, dtype=np.int64),
            "mention": np.array(mention, dtype=np.int64),
            "author": np.array(author, dtype=np.int64),
            "views": _whole(views),
            "followers": _whole(followers),
            "published_s": moments,
            "reposts": _whole(reposts),
            "copy_of": _whole(copy_of),
            "influence": np.array([one or 0.0 for one in influence], dtype=np.float32),
            "quarter": quarter.astype(np.int16),
            "complaint": complains,
            "urgent": complains & (highest >= self._by_country(codes["country"], self._counted.urgent)),
            "tone": tone,
            "products": self._named_products(brand, texts),
            **codes,
        }
        kept = inside & np.isin(codes["brand"], [self._codes["brand"].get(one, -1) for one in self._counted.own])
        self._parts.append({name: values[kept] for name, values in part.items()})

    def columns(self) -> Columns:
        """Return all that was taken in."""
        # Column by column, so that the parts go while the whole comes: it is a week of a million mentions.
        wanted = list(self._parts[0]) if self._parts else []
        whole = {name: np.concatenate([part.pop(name) for part in self._parts]) for name in wanted}
        if not whole:
            return _no_columns()
        codes = {name: whole.pop(name) for name in DIMENSIONS}
        names = {name: list(known) for name, known in self._codes.items()}
        return Columns(**whole, codes=codes, names=names, product_names=self._products, brands=self._brands)

    def _coded(self, dimension: str, values: Sequence[object]) -> NDArray[np.int16]:
        codes = self._codes[dimension]
        for value in dict.fromkeys(values):
            codes.setdefault(str(value), len(codes))
        return np.array([codes[value] for value in values], dtype=np.int16)  # type: ignore[index]

    def _quarters(self, country: NDArray[np.int16], published: Ints) -> Ints:
        """Return each row's quarter of its country's week, -1 outside."""
        quarter = np.full(len(published), -1, dtype=np.int64)
        for name, code in self._codes["country"].items():
            rows = np.flatnonzero(country == code)
            quarter[rows] = self._clocks[name].quarters(published[rows])
        return quarter

    def _by_country(self, country: NDArray[np.int16], values: Mapping[str, float]) -> Floats:
        by_code: Floats = np.array([values[name] for name in self._codes["country"]], dtype=np.float64)[country]
        return by_code

    def _count_brands(self, brand: NDArray[np.int16], tone: NDArray[np.int8]) -> None:
        for name, code in self._codes["brand"].items():
            tones = tone[brand == code]
            known = self._brands.setdefault(name, BrandTally())
            known.mentions += len(tones)
            known.positive += int((tones > 0).sum())
            known.negative += int((tones < 0).sum())

    def _correct(self, complains: NDArray[np.bool_], mention: Sequence[object], brand: Sequence[object]) -> None:
        if not self._corrected:
            return
        known = np.array([one for one, _ in self._corrected], dtype=np.int64)
        ids = np.array(mention, dtype=np.int64)
        for row in map(int, np.flatnonzero(np.isin(ids, known))):
            said = self._corrected.get((int(ids[row]), str(brand[row])))
            if said is not None:
                complains[row] = said

    def _named_products(self, brand: Sequence[object], texts: Sequence[object]) -> Ints:
        bits = np.zeros(len(texts), dtype=np.int64)
        searched = _Texts(texts if self._products else ())
        for bit, product in enumerate(self._products):
            whose = {name for name in self._counted.own if product in self._counted.products.get(name, ())}
            for row in searched.naming(product):
                if brand[row] in whose:
                    bits[row] |= 1 << bit
        return bits


class _Texts:
    """Texts in which names are looked for: quickly over all of them at once, then exactly."""

    def __init__(self, texts: Sequence[object]) -> None:
        self._texts = texts
        folded = [str(text).casefold() for text in texts]
        self._ends = np.fromiter(accumulate(len(text) + 1 for text in folded), np.int64, len(folded))
        self._whole = "\n".join(folded)

    def naming(self, product: str) -> Iterator[int]:
        """Yield the rows whose text names a product."""
        first = product.casefold().split()[:1]
        if not first:
            return
        at = self._whole.find(first[0])
        while at >= 0:
            row = int(np.searchsorted(self._ends, at, side="right"))
            if names_product(str(self._texts[row]), product):
                yield row
            at = self._whole.find(first[0], int(self._ends[row]))


class _Clock:
    """The wall clock of one country over a week."""

    def __init__(self, week: Week, timezone: str) -> None:
        zone = ZoneInfo(timezone)
        start, end = week.span(timezone)
        self._start, self._end = int(start.timestamp()), int(end.timestamp())
        moments = [start + timedelta(seconds=at) for at in range(0, self._end - self._start, _QUARTER_S)]
        walls = [moment.astimezone(zone) for moment in moments]
        self._quarter = np.array([_quarter_of(wall) for wall in walls], dtype=np.int64)

    def quarters(self, published_s: Ints) -> Ints:
        """Return the quarter of the local week of each moment, -1 outside the week."""
        inside = (published_s >= self._start) & (published_s < self._end)
        place = np.clip((published_s - self._start) // _QUARTER_S, 0, len(self._quarter) - 1)
        quarters: Ints = np.where(inside, self._quarter[place], -1)
        return quarters


def _quarter_of(wall: datetime) -> int:
    return (wall.weekday() * 24 + wall.hour) * 4 + wall.minute // 15


def _whole(values: Sequence[object]) -> Ints:
    return np.array([-1 if value is None else value for value in values], dtype=np.int64)


def _no_columns() -> Columns:
    whole, none = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return Columns(
        match=whole,
        mention=whole,
        author=whole,
        views=whole,
        followers=whole,
        published_s=whole,
        reposts=whole,
        copy_of=whole,
        influence=np.zeros(0, np.float32),
        quarter=np.zeros(0, np.int16),
        complaint=none,
        urgent=none,
        tone=np.zeros(0, np.int8),
        products=whole,
        codes={name: np.zeros(0, np.int16) for name in DIMENSIONS},
        names={name: [] for name in DIMENSIONS},
        product_names=[],
        brands={},
    )


def tally(columns: Columns) -> WeekCounts:
    """Return all that is counted of some mentions."""
    own = columns.rows
    counts = WeekCounts(total=_tallies(columns, own, np.zeros(len(own), np.int64), 1)[0])
    for dimension in DIMENSIONS:
        names = columns.names[dimension]
        found = _tallies(columns, own, columns.codes[dimension][own].astype(np.int64), len(names))
        counts.by[dimension] = {name: one for name, one in zip(names, found, strict=True) if one.mentions}
    counts.by["product"] = _by_product(columns, own)
    hours = columns.quarter // 4
    everything = np.bincount(hours, minlength=168).reshape(7, 24)
    complaints = np.bincount(hours[columns.complaint[own]], minlength=168).reshape(7, 24)
    counts.days = [[int(all_), int(some)] for all_, some in zip(everything.sum(1), complaints.sum(1), strict=True)]
    counts.hours = [[int(number) for number in day] for day in complaints]
    counts.brands = columns.brands
    return counts


def _by_product(columns: Columns, own: NDArray[np.intp]) -> dict[str, Tally]:
    found = {}
    for bit, product in enumerate(columns.product_names):
        rows = own[(columns.products[own] >> bit) & 1 == 1]
        if len(rows):
            found[product] = _tallies(columns, rows, np.zeros(len(rows), np.int64), 1)[0]
    return found


def _tallies(columns: Columns, rows: NDArray[np.intp], keys: Ints, size: int) -> list[Tally]:
    """Return what is counted of some rows by key, 0 to size - 1."""

    def counted(which: NDArray[np.bool_] | None = None) -> Ints:
        return np.bincount(keys if which is None else keys[which], minlength=size)

    tone = columns.tone[rows]
    authors, reach = _reach(columns, rows, keys, size)
    parts = (counted(), authors, reach, counted(columns.complaint[rows]), counted(columns.urgent[rows]),
             counted(tone > 0), counted(tone < 0))  # fmt: skip
    return [Tally(*(int(part[key]) for part in parts)) for key in range(size)]


def _reach(columns: Columns, rows: NDArray[np.intp], keys: Ints, size: int) -> tuple[Ints, Ints]:
    """Return how many authors there are by key, and how many people they reach at most."""
    if not len(rows):
        return np.zeros(size, np.int64), np.zeros(size, np.int64)
    order = np.lexsort((columns.mention[rows], columns.author[rows], keys))
    key, author, post = keys[order], columns.author[rows][order], columns.mention[rows][order]
    is_first = np.r_[True, (key[1:] != key[:-1]) | (author[1:] != author[:-1])]
    first = np.flatnonzero(is_first)
    # A post that names two brands was seen once.
    seen = np.where(is_first | np.r_[True, post[1:] != post[:-1]], np.maximum(columns.views[rows][order], 0), 0)
    views = np.add.reduceat(seen.astype(np.float64), first)
    followers = np.maximum.reduceat(np.maximum(columns.followers[rows][order], 0), first)
    greatest = np.maximum(views, followers)
    people = np.bincount(key[first], minlength=size)
    reached = np.bincount(key[first], weights=greatest, minlength=size)
    return people, np.minimum(reached, 2.0**62).astype(np.int64)
