"""The irritants of a week: complaints about one failure, in any language, followed from week to week."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from itertools import count, islice
from statistics import fmean
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.causes import Known, compact, group, nearest, restore
from classifiers.telling import Others, telling_words
from listener.config import Config
from listener.digest import noise
from listener.digest.counting import Columns
from listener.digest.model import Causes, Irritant, Post, Trend
from listener.digest.quoting import Quoting
from listener.digest.weeks import Week
from listener.store import Store
from listener.store.causes import Found, IrritantRow
from listener.store.digests import PostFacts

FOLLOWED_WEEKS = 12
"""An irritant that was not seen for so long is forgotten: what comes then is new."""
MOST_TOLD = 12
LEAST = 3
"""Fewer complaints are no irritant."""
_TYPICAL = 60
"""So many posts of an irritant are looked at for its words and its quotations."""
_LANGUAGES_QUOTED = 4
_MOST_ALERTS = 8
_WORDS = 5
_LONGEST = 400
"""Letters of a post that are read for its words."""
_MANY = 0.1
"""From this share of a brand's complaints on an irritant is told even without a name or a word of its own."""
_COMPARED = 1_000
"""So many complaints of the week an irritant's words are compared with."""

Rows = NDArray[np.intp]


class Namer(Protocol):
    """Names causes."""

    def __call__(self, centre: NDArray[np.float32], topics: Mapping[str, int], languages: Mapping[str, int]) -> str:
        """Return the key of the cause that fits a centre, or an empty text."""
        ...


@dataclass(frozen=True, slots=True)
class _Group:
    """An irritant of a week with the rows of its complaints, the most typical first."""

    irritant: IrritantRow
    rows: Rows


class Irritants:
    """Finds irritants, follows them, and tells of them."""

    def __init__(self, store: Store, config: Config, namer: Namer | None = None) -> None:
        self._store = store
        self._config = config
        self._namer = namer

    def keep(self, columns: Columns, brands: Sequence[str], week: Week, now: datetime) -> None:
        """Group a finished week's complaints about each brand, once. `columns` hold all countries."""
        for brand in brands:
            if not self._store.causes.is_grouped(str(week), brand):
                found, complaints = self._found(columns, brand, week)
                self._store.causes.save(str(week), brand, found, complaints, now)

    def told(
        self, columns: Columns, brands: Sequence[str], countries: Sequence[str], week: Week,
        listened: Sequence[Week], quoting: Quoting,
    ) -> Causes:  # fmt: skip
        """Return the irritants of a week as a reader of some countries sees them, the greatest first.

        A week that was not grouped yet is grouped for this once, and nothing is stored.

        Args:
            columns: the week's mentions in those countries.
            brands: whose irritants.
            countries: where.
            week: when.
            listened: the weeks before that were listened to, of the four.
            quoting: makes quotations.
        """
        numbers = count(-1, -1)
        groups = [group for brand in brands for group in self._groups(columns, brand, week, numbers)]
        weeks = [week.back(back) for back in range(FOLLOWED_WEEKS - 1, -1, -1)]
        history = self._store.causes.history([str(one) for one in weeks], brands, countries)
        known = self._store.causes.grouped_weeks(brands) | {str(week)}
        teller = _Teller(columns, quoting, history, [one for one in weeks if str(one) in known], listened, self._config)
        groups.sort(key=lambda one: (-len(one.rows), one.irritant.id))
        told = list(islice(_worth_telling(teller, groups), MOST_TOLD))
        gone = self._ended({one.irritant.id for one in groups}, week, history)
        complaints = np.flatnonzero(columns.complaint)
        compared = self._store.causes.with_vectors(np.unique(columns.mention[complaints]).tolist())
        without = int((~np.isin(columns.mention[complaints], list(compared))).sum())
        return Causes(
            irritants=(*told, *self._told_once_more(gone, teller, week.back(), countries)),
            alone=max(0, len(complaints) - sum(len(one.rows) for one in groups) - without),
            complaints=len(complaints),
            without_embedding=without,
        )

    def _found(self, columns: Columns, brand: str, week: Week) -> tuple[list[Found], int]:
        """Return the groups of a brand's complaints, and how many complaints there are.

        What repeats a post joins it afterwards: one text said a hundred times is no hundred complaints alike.
        """
        complaints = _complaints(columns, brand)
        first, copies = _by_text(columns, complaints)
        vectors = self._store.causes.vectors(columns.mention[first].tolist())
        rows = np.array([row for row in first if int(columns.mention[row]) in vectors], dtype=np.intp)
        if not len(rows):
            return [], len(complaints)
        known = self._store.causes.known(brand, str(week.back(FOLLOWED_WEEKS)), str(week))
        grouping = group(
            restore([vectors[int(columns.mention[row])] for row in rows]),
            [Known(one.id, restore([one.centre])[0]) for one in known],
            least=LEAST,
        )
        found: dict[str, Found] = {}
        for place, one in enumerate(grouping.groups):
            members = rows[np.asarray(one.members, dtype=np.intp)]
            repeated = [copy for row in members for copy in copies.get(int(row), ())]
            every = np.concatenate([members, np.array(repeated, dtype=np.intp)])
            made = self._as_found(columns, every, one.known, one.centre)
            # What has the same name is the same to whoever reads it.
            same = made.cause or f"{place}"
            found[same] = _joined(found[same], made) if same in found else made
        return list(found.values()), len(complaints)

    def _as_found(self, columns: Columns, rows: Rows, known: int | None, centre: NDArray[np.float32]) -> Found:
        topics, languages = (Counter(columns.named(name, rows)) for name in ("topic", "language"))
        return Found(
            known=known,
            cause=self._namer(centre, topics, languages) if self._namer else "",
            centre=compact(centre[None, :])[0],
            first_seen_at=datetime.fromtimestamp(int(columns.published_s[rows].min()), UTC),
            match_ids=columns.match[rows].tolist(),
            countries=Counter(columns.named("country", rows)),
        )

    def _groups(self, columns: Columns, brand: str, week: Week, numbers: Iterator[int]) -> Iterator[_Group]:
        """Yield a brand's irritants of a week that any complaint of these countries belongs to.

        New ones of a week that is not stored take their numbers from `numbers`.
        """
        if self._store.causes.is_grouped(str(week), brand):
            pairs = self._kept(columns, brand, week)
        else:
            pairs = list(self._for_once(columns, brand, week, numbers))
        order = np.argsort(columns.match, kind="stable") if pairs else np.zeros(0, np.intp)
        for irritant, ids in pairs:
            here = _rows_of(columns.match, order, ids)
            here = here[columns.complaint[here]]  # people may have said meanwhile that it is none
            if len(here):
                yield _Group(irritant, here)

    def _kept(self, columns: Columns, brand: str, week: Week) -> list[tuple[IrritantRow, list[int]]]:
        """Return a stored week's irritants with their matches; complaints that came later join the nearest."""
        rows, members = self._store.causes.of_week(str(week), [brand])
        by_irritant: dict[int, list[int]] = {}
        for one in members:
            by_irritant.setdefault(one.irritant_id, []).append(one.match_id)
        complaints = _complaints(columns, brand)
        late = complaints[~np.isin(columns.match[complaints], [one.match_id for one in members])]
        vectors = self._store.causes.vectors(columns.mention[late].tolist()) if rows else {}
        late = np.array([row for row in late if int(columns.mention[row]) in vectors], dtype=np.intp)
        if len(late):
            known = [Known(number, restore([row.centre])[0]) for number, row in rows.items()]
            points = restore([vectors[int(columns.mention[row])] for row in late])
            for row, irritant in zip(late, nearest(points, known), strict=True):
                if irritant is not None:
                    by_irritant.setdefault(irritant, []).append(int(columns.match[row]))
        return [(rows[irritant], ids) for irritant, ids in by_irritant.items()]

    def _for_once(
        self, columns: Columns, brand: str, week: Week, numbers: Iterator[int]
    ) -> Iterator[tuple[IrritantRow, list[int]]]:
        found, _ = self._found(columns, brand, week)
        known = self._store.causes.rows([one.known for one in found if one.known is not None])
        for one in found:
            new = IrritantRow(next(numbers), brand, one.cause, one.centre, str(week), str(week), one.first_seen_at)
            yield (known.get(one.known, new) if one.known is not None else new), list(one.match_ids)

    def _ended(self, seen: set[int], week: Week, history: Mapping[tuple[int, str], int]) -> list[IrritantRow]:
        """Return irritants that were told of last week, or would have been, and were not seen this week."""
        last = str(week.back())
        gone = [irritant for (irritant, when), count in history.items()
                if when == last and count >= LEAST and irritant not in seen]  # fmt: skip
        rows = self._store.causes.rows(gone)
        return [rows[irritant] for irritant in sorted(gone, key=lambda one: -history[one, last])[:_MOST_ALERTS]]

    def _told_once_more(
        self, gone: Sequence[IrritantRow], teller: "_Teller", week: Week, countries: Sequence[str]
    ) -> Iterator[Irritant]:
        """Yield irritants that ended, with the words that they had in the week before."""
        _, members = self._store.causes.of_week(str(week), {one.brand for one in gone})
        for one in gone:
            matches = [member.match_id for member in members if member.irritant_id == one.id]
            irritant = teller.ended(one, matches[:_TYPICAL], countries)
            if irritant.cause or irritant.words:
                yield irritant


class _Teller:
    """Tells of irritants."""

    def __init__(
        self, columns: Columns, quoting: Quoting, history: Mapping[tuple[int, str], int], weeks: Sequence[Week],
        listened: Sequence[Week], config: Config,
    ) -> None:  # fmt: skip
        self._columns = columns
        self._quoting = quoting
        self._history = history
        self._weeks = weeks
        self._listened = listened
        self._config = config
        self._compared: dict[str, tuple[list[int], Others]] = {}
        self._complaints = Counter(columns.named("brand", np.flatnonzero(columns.complaint)))

    def told(self, group: _Group) -> Irritant:
        """Return what there is to say of an irritant of this week."""
        columns, rows, irritant = self._columns, group.rows, group.irritant
        posts = self._quoting.facts([int(columns.match[row]) for row in rows[:_TYPICAL]])
        before = self._before(irritant.id)
        verdict = noise.of_counts(float(len(rows)), before)
        return Irritant(
            id=irritant.id,
            brand=irritant.brand,
            cause=irritant.cause,
            words=self._words(rows, posts, irritant.brand),
            topic=Counter(columns.named("topic", rows)).most_common(1)[0][0],
            product=self._product(rows),
            mentions=len(rows),
            authors=len(np.unique(columns.author[rows])),
            share=len(rows) / max(1, self._complaints[irritant.brand]),
            last=self._in(irritant.id, self._last),
            mean=fmean(before) if before else None,
            verdict=verdict,
            trend=self._trend(irritant, verdict),
            history=(*((str(one), self._in(irritant.id, one)) for one in self._weeks[:-1]),
                     (str(self._weeks[-1]), len(rows))),
            countries=tuple(Counter(columns.named("country", rows)).most_common()),
            languages=tuple(Counter(columns.named("language", rows)).most_common()),
            urgent=int(columns.urgent[rows].sum()),
            first_seen_at=self._first_seen_at(irritant, rows),
            posts=tuple(self._typical(rows, posts, irritant.cause)),
            alerts=tuple(_references(posts.values()))[:_MOST_ALERTS],
        )  # fmt: skip

    def ended(self, irritant: IrritantRow, matches: Sequence[int], countries: Sequence[str]) -> Irritant:
        """Return what there is to say of an irritant that is no more, from its posts of the week before."""
        before = self._before(irritant.id)
        posts = {match: post for match, post in self._quoting.facts(matches).items() if post.country in countries}
        topics = Counter(post.topic for post in posts.values()).most_common(1)
        return Irritant(
            id=irritant.id,
            brand=irritant.brand,
            cause=irritant.cause,
            words=self._words(np.zeros(0, np.intp), posts, irritant.brand),
            topic=topics[0][0] if topics else "",
            product="",
            mentions=0,
            authors=0,
            share=0.0,
            last=self._in(irritant.id, self._last),
            mean=fmean(before) if before else None,
            verdict=noise.of_counts(0.0, before),
            trend="ended",
            history=tuple((str(one), self._in(irritant.id, one)) for one in self._weeks),
            countries=(),
            languages=(),
            urgent=0,
            first_seen_at=irritant.first_seen_at,
            posts=(),
            alerts=(),
        )

    @property
    def _last(self) -> Week:
        return self._weeks[-1].back()

    def _in(self, irritant: int, week: Week) -> int:
        return self._history.get((irritant, str(week)), 0)

    def _before(self, irritant: int) -> list[float]:
        known = set(self._weeks)
        return [float(self._in(irritant, week)) for week in self._listened if week in known]

    def _trend(self, irritant: IrritantRow, verdict: str) -> Trend:
        if self._first_week(irritant) is None:
            return "new"
        if not self._in(irritant.id, self._last):
            return "recurring"
        return "growing" if verdict == "up" else "fading" if verdict == "down" else "steady"

    def _first_week(self, irritant: IrritantRow) -> Week | None:
        """Return the first week before this one in which it was seen in these countries, of those that are followed."""
        return next((week for week in self._weeks[:-1] if self._in(irritant.id, week)), None)

    def _first_seen_at(self, irritant: IrritantRow, rows: Rows) -> datetime:
        """Return when it was first seen in these countries: what happened in others is not this reader's."""
        first = self._first_week(irritant)
        if first is None:
            return datetime.fromtimestamp(int(self._columns.published_s[rows].min()), UTC)
        return max(irritant.first_seen_at, datetime.combine(first.monday, time(), UTC))

    def _product(self, rows: Rows) -> str:
        """Return the product that most of the posts name."""
        for bit, product in enumerate(self._columns.product_names):
            if 2 * int(((self._columns.products[rows] >> bit) & 1).sum()) > len(rows):
                return product
        return ""

    def _words(self, rows: Rows, posts: Mapping[int, PostFacts], brand: str) -> tuple[str, ...]:
        settings = self._config.brands[brand]
        known = (settings.name, *settings.terms, *settings.accounts.values())
        own = set(self._columns.mention[rows].tolist())
        mentions, others = self._others(brand)
        return telling_words(
            [self._quoting.masked(post) for post in posts.values()],
            others,
            limit=_WORDS,
            leave_out=known,
            authors=[post.author_id for post in posts.values()],
            own_places=[place for place, mention in enumerate(mentions) if mention in own],
        )

    def _others(self, brand: str) -> tuple[list[int], Others]:
        """Return some complaints about a brand, evenly over the week: their mentions and their words."""
        if brand not in self._compared:
            self._compared[brand] = self._some(brand)
        return self._compared[brand]

    def _some(self, brand: str) -> tuple[list[int], Others]:
        rows = _complaints(self._columns, brand)
        some = rows[:: max(1, len(rows) // _COMPARED)][:_COMPARED]
        posts = self._quoting.facts([int(self._columns.match[row]) for row in some]).values()
        return [post.mention_id for post in posts], Others([post.text[:_LONGEST] for post in posts])

    def _typical(self, rows: Rows, posts: Mapping[int, PostFacts], cause: str) -> Iterable[Post]:
        """Yield a post for each language, the most typical first; copies of one another once."""
        counts = Counter(self._columns.named("language", rows))
        wanted = [language for language, _ in counts.most_common(_LANGUAGES_QUOTED)]
        for row in rows[:_TYPICAL]:
            post = posts.get(int(self._columns.match[row]))
            if post is not None and post.language in wanted:
                wanted.remove(post.language)
                yield self._quoting.quoted(post, cause)


def _worth_telling(teller: _Teller, groups: Sequence[_Group]) -> Iterator[Irritant]:
    """Yield the irritants that anybody could end: those with a name, a word of their own, or very many posts."""
    for one in groups:
        irritant = teller.told(one)
        if irritant.cause or irritant.words or irritant.share >= _MANY:
            yield irritant


def _references(posts: Iterable[PostFacts]) -> dict[str, None]:
    return dict.fromkeys(f"A-{post.alert_id}" for post in posts if post.alert_id is not None)


def _joined(one: Found, other: Found) -> Found:
    """Return two groups of one name as one; it goes on under the number of the greater, else of the other."""
    greater, lesser = sorted((one, other), key=lambda found: -len(found.match_ids))
    return replace(
        greater,
        known=greater.known if greater.known is not None else lesser.known,
        first_seen_at=min(one.first_seen_at, other.first_seen_at),
        match_ids=[*greater.match_ids, *lesser.match_ids],
        countries=Counter(greater.countries) + Counter(lesser.countries),
    )


def _rows_of(matches: NDArray[np.int64], order: Rows, ids: Sequence[int]) -> Rows:
    """Return the rows of some matches, in their order, those that are not there left out; `order` sorts `matches`."""
    wanted = np.array(ids, dtype=np.int64)
    place = np.minimum(np.searchsorted(matches, wanted, sorter=order), max(len(matches) - 1, 0))
    rows = order[place] if len(matches) else order[:0]
    return rows[matches[rows] == wanted] if len(matches) else rows


def _complaints(columns: Columns, brand: str) -> Rows:
    if brand not in columns.names["brand"]:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(columns.complaint & (columns.codes["brand"] == columns.names["brand"].index(brand)))


def _by_text(columns: Columns, rows: Rows) -> tuple[Rows, dict[int, list[int]]]:
    """Return the first row of each text, in order, and the rows that repeat it."""
    roots = np.where(columns.copy_of[rows] >= 0, columns.copy_of[rows], columns.mention[rows])
    _, first, which = np.unique(roots, return_index=True, return_inverse=True)
    copies: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        own = int(rows[first[which[place]]])
        if own != int(row):
            copies.setdefault(own, []).append(int(row))
    return rows[np.sort(first)], copies
