"""The irritants of a week: complaints about one failure, in any language, followed from week to week."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from statistics import fmean
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.causes import Known, compact, group, restore
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
        groups = [group for brand in brands for group in self._groups(columns, brand, week)]
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
            irritants=(*told, *map(teller.ended, gone)),
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
        found = []
        for one in grouping.groups:
            members = rows[np.asarray(one.members, dtype=np.intp)]
            repeated = [copy for row in members for copy in copies.get(int(row), ())]
            every = np.concatenate([members, np.array(repeated, dtype=np.intp)])
            found.append(self._as_found(columns, every, one.known, one.centre))
        return found, len(complaints)

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

    def _groups(self, columns: Columns, brand: str, week: Week) -> Iterator[_Group]:
        """Yield a brand's irritants of a week that any complaint of these countries belongs to."""
        if self._store.causes.is_grouped(str(week), brand):
            rows, members = self._store.causes.of_week(str(week), [brand])
            by_irritant: dict[int, list[int]] = {}
            for one in members:
                by_irritant.setdefault(one.irritant_id, []).append(one.match_id)
            pairs = [(rows[irritant], ids) for irritant, ids in by_irritant.items()]
        else:
            pairs = list(self._for_once(columns, brand, week))
        order = np.argsort(columns.match, kind="stable") if pairs else np.zeros(0, np.intp)
        for irritant, ids in pairs:
            here = _rows_of(columns.match, order, ids)
            if len(here):
                yield _Group(irritant, here)

    def _for_once(self, columns: Columns, brand: str, week: Week) -> Iterator[tuple[IrritantRow, list[int]]]:
        found, _ = self._found(columns, brand, week)
        known = self._store.causes.rows([one.known for one in found if one.known is not None])
        for place, one in enumerate(found):
            new = IrritantRow(-1 - place, brand, one.cause, one.centre, str(week), str(week), one.first_seen_at)
            yield (known.get(one.known, new) if one.known is not None else new), list(one.match_ids)

    def _ended(self, seen: set[int], week: Week, history: Mapping[tuple[int, str], int]) -> list[IrritantRow]:
        """Return irritants that were told of last week, or would have been, and were not seen this week."""
        last = str(week.back())
        gone = [irritant for (irritant, when), count in history.items()
                if when == last and count >= LEAST and irritant not in seen]  # fmt: skip
        rows = self._store.causes.rows(gone)
        return [rows[irritant] for irritant in sorted(gone, key=lambda one: -history[one, last])[:_MOST_ALERTS]]


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
            first_seen_at=irritant.first_seen_at,
            posts=tuple(self._typical(rows, posts, irritant.cause)),
            alerts=tuple(_references(posts.values()))[:_MOST_ALERTS],
        )  # fmt: skip

    def ended(self, irritant: IrritantRow) -> Irritant:
        """Return what there is to say of an irritant that is no more."""
        before = self._before(irritant.id)
        return Irritant(
            id=irritant.id, brand=irritant.brand, cause=irritant.cause, words=(), topic="", product="", mentions=0,
            authors=0, share=0.0, last=self._in(irritant.id, self._last), mean=fmean(before) if before else None,
            verdict=noise.of_counts(0.0, before), trend="ended",
            history=tuple((str(one), self._in(irritant.id, one)) for one in self._weeks),
            countries=(), languages=(), urgent=0, first_seen_at=irritant.first_seen_at, posts=(), alerts=(),
        )  # fmt: skip

    @property
    def _last(self) -> Week:
        return self._weeks[-1].back()

    def _in(self, irritant: int, week: Week) -> int:
        return self._history.get((irritant, str(week)), 0)

    def _before(self, irritant: int) -> list[float]:
        known = set(self._weeks)
        return [float(self._in(irritant, week)) for week in self._listened if week in known]

    def _trend(self, irritant: IrritantRow, verdict: str) -> Trend:
        if irritant.first_week == str(self._weeks[-1]):
            return "new"
        if not self._in(irritant.id, self._last):
            return "recurring"
        return "growing" if verdict == "up" else "fading" if verdict == "down" else "steady"

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
        mentions, others = self._others
        return telling_words(
            [post.text for post in posts.values()],
            others,
            limit=_WORDS,
            leave_out=known,
            authors=[post.author_id for post in posts.values()],
            own_places=[place for place, mention in enumerate(mentions) if mention in own],
        )

    @cached_property
    def _others(self) -> tuple[list[int], Others]:
        """Some complaints of the week, evenly over it: their mentions and their words."""
        rows = np.flatnonzero(self._columns.complaint)
        some = rows[:: max(1, len(rows) // _COMPARED)][:_COMPARED]
        posts = self._quoting.facts([int(self._columns.match[row]) for row in some]).values()
        return [post.mention_id for post in posts], Others([post.text for post in posts])

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
    """Yield the irritants that anybody could end: those with a name or a word of their own."""
    for one in groups:
        irritant = teller.told(one)
        if irritant.cause or irritant.words:
            yield irritant


def _references(posts: Iterable[PostFacts]) -> dict[str, None]:
    return dict.fromkeys(f"A-{post.alert_id}" for post in posts if post.alert_id is not None)


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
