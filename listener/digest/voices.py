"""Whose posts carried: journalists, critics, friends, what travelled, and whom to thank."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from listener.digest.counting import Columns
from listener.digest.model import Post, Voices
from listener.digest.quoting import Quoting, is_journalist
from listener.store.digests import PostFacts

MOST = 5
"""In each list."""
_LOOKED_AT = 1_000
"""So many of the most influential posts are looked at for journalists."""
_VIEWS_OF_A_REPOST = 1_000
"""So many views carry a post as far as one repost."""
_LEAST_SPREAD = 3.0
"""What carried less did not travel."""
_PLAIN = 0.15
"""Complaint probability under which praise is nothing but praise."""
_LEAST_INFLUENCE = 0.2
"""Below it a critic or a friend is a customer like others."""

Rows = NDArray[np.intp]


def voices(columns: Columns, quoting: Quoting) -> Voices:
    """Return whose posts carried; each author once, in the first list that fits."""
    own = columns.rows
    loudest = own[np.argsort(-columns.influence[own], kind="stable")]
    heard = loudest[columns.influence[loudest] >= _LEAST_INFLUENCE]
    copies = _copies(columns)
    spread = _spread(columns, copies)
    travelled = own[(spread[own] >= _LEAST_SPREAD) & (columns.copy_of[own] < 0)]
    choose = _Chooser(columns, quoting, copies)
    return Voices(
        journalists=choose.of(loudest[:_LOOKED_AT], is_journalist),
        critics=choose.of(heard[columns.complaint[heard] | (columns.tone[heard] < 0)]),
        friends=choose.of(heard[_is_praise(columns, heard)]),
        travelled=choose.of(travelled[np.argsort(-spread[travelled], kind="stable")]),
        supporters=choose.of(_supporters(columns, own), _is_plain_praise),
    )


def _is_praise(columns: Columns, rows: Rows) -> NDArray[np.bool_]:
    praises: NDArray[np.bool_] = (columns.tone[rows] > 0) & ~columns.complaint[rows]
    return praises


def _is_plain_praise(facts: PostFacts) -> bool:
    """Tell whether a post is praise and nothing else: who is thanked for a sarcasm is lost."""
    return facts.topic == "praise" and facts.complaint < _PLAIN and not facts.signals


def _supporters(columns: Columns, own: Rows) -> Rows:
    """Return the latest praise of each author, those first who praised most often."""
    praise = own[_is_praise(columns, own)]
    often = Counter(columns.author[praise].tolist())
    last = {int(columns.author[row]): int(row) for row in praise}
    return np.array(sorted(last.values(), key=lambda row: (-often[int(columns.author[row])], row)), dtype=np.intp)


def _copies(columns: Columns) -> NDArray[np.int64]:
    """Return how many posts of the week repeat each."""
    roots, counts = np.unique(columns.copy_of[columns.copy_of >= 0], return_counts=True)
    if not len(roots):
        return np.zeros(len(columns), np.int64)
    place = np.minimum(np.searchsorted(roots, columns.mention), len(roots) - 1)
    return np.where(roots[place] == columns.mention, counts[place], 0)


def _spread(columns: Columns, copies: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far each post went: reposts, copies in the week, and views by the thousand."""
    spread: NDArray[np.float64] = (
        np.maximum(columns.reposts, 0) + copies + np.maximum(columns.views, 0) / _VIEWS_OF_A_REPOST
    )
    return spread


class _Chooser:
    """Takes posts in order, each author once over all lists."""

    def __init__(self, columns: Columns, quoting: Quoting, copies: NDArray[np.int64]) -> None:
        self._columns = columns
        self._quoting = quoting
        self._copies = copies
        self._taken: set[int] = set()

    def of(self, rows: Rows, wanted: Callable[[PostFacts], bool] = lambda facts: True) -> tuple[Post, ...]:
        """Return the first few posts that are wanted."""
        return tuple(self._first(rows, wanted))

    def _first(self, rows: Iterable[int], wanted: Callable[[PostFacts], bool]) -> Iterator[Post]:
        found = 0
        columns = self._columns
        fresh = [int(row) for row in rows if int(columns.author[row]) not in self._taken]
        for start in range(0, len(fresh), 50):
            part = fresh[start : start + 50]
            posts = self._quoting.facts([int(columns.match[row]) for row in part])
            for row in part:
                facts = posts.get(int(columns.match[row]))
                author = int(columns.author[row])
                if facts is None or author in self._taken or not wanted(facts):
                    continue
                self._taken.add(author)
                yield replace(
                    self._quoting.quoted(facts), copies=int(self._copies[row]), urgent=bool(columns.urgent[row])
                )
                found += 1
                if found == MOST:
                    return
